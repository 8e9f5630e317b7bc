# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _compatibility

DOCUMENTATION = r"""
name: compatibility_problems
short_description: Whether versions of HDK, CANN, torch, torch_npu and Python go together
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Compares versions with the combinations that the vendor names. An empty list means that one of them has all the given versions.
  - Otherwise one sentence names the row that is nearest and what does not fit to it, and a second one another row that is as near.
  - A newer HDK under an older CANN is accepted. An HDK that is older than the one of the CANN is accepted where the vendor names it.
options:
  _input:
    description: >-
      Versions by the names V(hdk) (the driver's version will do), V(cann), V(torch), V(torch_npu) and V(python).
      What is left out, empty or null is not judged. Local parts of Python packages (C(+cpu)) are ignored.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse versions that do not go together
  ansible.builtin.assert:
    that: versions | npuops.ascend.compatibility_problems | length == 0
    fail_msg: "{{ versions | npuops.ascend.compatibility_problems | join(' ') }}"
  vars:
    versions: {hdk: 25.0.RC1, cann: 8.1.RC1, torch: 2.3.1, torch_npu: 2.3.1.post6, python: "3.11"}
"""

RETURN = r"""
_value:
  description: The problems, one sentence each, the nearest row first.
  type: list
  elements: str
  sample:
    - >-
      HDK 24.1.0, CANN 8.1.RC1 is no combination that the vendor names. HDK would have to change for CANN 8.1.RC1, which takes HDK 25.0.RC1 or newer,
      torch_npu 2.5.1 with the torch of the same number, Python 3.7 to 3.11 (ascend-deployer 26.0.0).
"""


def compatibility_problems(versions: t.Any) -> list[str]:
    if not isinstance(versions, t.Mapping):
        raise AnsibleFilterError("compatibility_problems expects a dictionary of versions, such as {cann: 8.1.RC1, torch_npu: 2.5.1}.")
    try:
        return _compatibility.check(versions)
    except _compatibility.CompatibilityError as error:
        raise AnsibleFilterError(f"compatibility_problems: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"compatibility_problems": compatibility_problems}
