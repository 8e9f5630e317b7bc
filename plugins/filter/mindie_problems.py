# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_config as config
from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_schema as schema

DOCUMENTATION = r"""
name: mindie_problems
short_description: What is wrong with the MindIE settings of the inventory
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Checks the settings for C(config.json) with the rules of M(npuops.ascend.mindie_config) before any host is touched,
    and the words that end up in a unit, a path or an environment file.
  - Rules that need keys which only the defaults of the image hold are left to the module.
options:
  _input:
    description: Settings as O(npuops.ascend.mindie_config#module:settings) takes them.
    type: dict
    required: true
  version:
    description: Version of MindIE.
    type: str
    required: true
  names:
    description: Variables whose values are one word, by their names.
    type: dict
    default: {}
  paths:
    description: Variables whose values are absolute paths, by their names.
    type: dict
    default: {}
  environment:
    description: The environment of the daemon.
    type: dict
    default: {}
positional: version
"""

EXAMPLES = r"""
- name: Refuse settings that contradict each other
  ansible.builtin.assert:
    that: mindie_settings | npuops.ascend.mindie_problems('2.0.T3.1') | length == 0
"""

RETURN = r"""
_value:
  description: The problems, one sentence each.
  type: list
  elements: str
  sample: ["BackendConfig.ScheduleConfig.maxPrefillTokens: found 1024, expected at least 16384. Raise it."]
"""

# A word goes into a systemd unit and an argv; a path into a mount as well, where a comma would end it.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/@-]*", re.ASCII)
_PATH = re.compile(r"(?:/[A-Za-z0-9_.-]+)+", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def _settings(settings: t.Mapping[str, t.Any], version: str) -> t.Iterator[str]:
    try:
        family = schema.family_of(version)
    except ValueError as error:
        yield str(error)
        return
    content, findings = config.assemble(settings)
    for item in [*findings, *config.validate(content, family)]:
        # What is absent here may stand in the defaults of the image.
        if not item.observed.startswith("absent") and item.severity == "error":
            yield f"{item.path}: found {item.observed}, expected {item.expected}. {item.remedy}"


def mindie_problems(
    settings: t.Any,
    version: str,
    names: t.Mapping[str, t.Any] | None = None,
    paths: t.Mapping[str, t.Any] | None = None,
    environment: t.Mapping[str, t.Any] | None = None,
) -> list[str]:
    if not isinstance(settings, t.Mapping):
        raise AnsibleFilterError(f"mindie_problems expects a dictionary of settings, not {type(settings).__name__}.")
    problems = list(_settings(settings, str(version)))
    for name, value in (names or {}).items():
        if not _WORD.fullmatch(str(value)):
            problems.append(f"{name}: found {str(value)!r}, expected one word of letters, digits and _.:/@- that begins with a letter or digit.")
    for name, value in (paths or {}).items():
        if not _PATH.fullmatch(str(value)) or ".." in str(value).split("/"):
            problems.append(f"{name}: found {str(value)!r}, expected an absolute path of letters, digits and _.- without '..'.")
    for name, value in (environment or {}).items():
        if not _VARIABLE.fullmatch(str(name)) or not str(value).isprintable():
            problems.append(f"mindie_environment: found {name}={str(value)!r}, expected a name of letters, digits and _ and a value of one line.")
    return problems


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"mindie_problems": mindie_problems}
