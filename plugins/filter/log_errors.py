# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _explain

DOCUMENTATION = r"""
name: log_errors
short_description: The few lines of a log that say why something failed
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Takes the log of a build or of a service and returns the lines that report an error, each with the indented lines that belong to it.
  - Python tracebacks are reduced to their last line. Probes of CMake that are allowed to fail are no errors.
  - When no line reports an error, the last lines are returned.
options:
  _input:
    description: The text of the log.
    type: str
    required: true
  limit:
    description: How many lines are returned at most. The first errors win, because the later ones often follow from them.
    type: int
    default: 12
positional: limit
"""

EXAMPLES = r"""
- name: Show why the build failed
  ansible.builtin.fail:
    msg: "{{ log.content | b64decode | npuops.ascend.log_errors | join('\n') }}"
"""

RETURN = r"""
_value:
  description: Lines of the log, in their order, without blanks at the end.
  type: list
  elements: str
  sample: ["CMake Error at CMakeLists.txt:228 (message):", "  NUMA library not found - maybe sudo apt install libnuma-dev"]
"""


def log_errors(text: t.Any, limit: int = 12) -> list[str]:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"npuops.ascend.log_errors takes the text of a log, found {type(text).__name__}.")
    return _explain.summary(text, limit)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"log_errors": log_errors}
