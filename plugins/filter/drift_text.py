# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_text
short_description: The differences of hosts as a text for the terminal
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - First what hosts have against each other, then against the inventory; for each what was found, what is expected, and the tag that repairs it.
options:
  _input:
    description: What the filter P(npuops.ascend.drift_items#filter) made.
    type: list
    elements: dict
    required: true
  hosts:
    description: How many hosts were compared, for the sentence that says that nothing differs.
    type: int
    required: true
  language:
    description: Language of the text.
    type: str
    choices: [en, zh]
    default: en
positional: hosts, language
"""

EXAMPLES = r"""
- name: Show the differences
  ansible.builtin.debug:
    msg: "{{ (drift | npuops.ascend.drift_text(2)).splitlines() }}"
"""

RETURN = r"""
_value:
  description: The text.
  type: str
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _drift
from ansible_collections.npuops.ascend.plugins.module_utils._report import plain


def drift_text(items: t.Any, hosts: int, language: str = "en") -> str:
    if not isinstance(items, (list, tuple)):
        raise AnsibleFilterError("npuops.ascend.drift_text takes the list that npuops.ascend.drift_items makes.")
    if language not in _drift.LANGUAGES:
        raise AnsibleFilterError(f"npuops.ascend.drift_text: language is {language!r}, expected one of {', '.join(_drift.LANGUAGES)} (npuops_language).")
    return _drift.text(plain(items), hosts, language)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"drift_text": drift_text}
