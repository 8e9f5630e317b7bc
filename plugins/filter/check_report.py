# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._checks import terminal

DOCUMENTATION = r"""
name: check_report
short_description: The results of checks as a text for the terminal
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - A table of checks and hosts, aligned in both languages, then a block for each finding with what was observed and expected, cause, remedy and source.
  - Of more than eight hosts the table gives numbers, and the names of the hosts with findings.
  - It ends with what was not looked at and why, and with what O(npuops.ascend.check_results#filter:overrides) changed.
options:
  _input:
    description: The results, as P(npuops.ascend.check_results#filter) gives them.
    type: list
    elements: dict
    required: true
  lang:
    description: Language of titles, causes and remedies.
    type: str
    choices: [en, zh]
    default: en
positional: lang
seealso:
  - plugin: npuops.ascend.check_results
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show what the checks found
  ansible.builtin.debug:
    msg: "{{ results | npuops.ascend.check_report('zh') }}"
"""

RETURN = r"""
_value:
  description: The text, of many lines.
  type: str
  sample: |-
    check  npu01  npu02
    link   ok     FAIL   The device's link is up and reaches its detect address
"""


def check_report(results: t.Any, lang: str = "en") -> str:
    text = terminal.problem(results, lang)
    if text:
        raise AnsibleFilterError(f"check_report: {text}.")
    return terminal.report(results, lang)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"check_report": check_report}
