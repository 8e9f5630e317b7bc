# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

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

_ERROR = re.compile(
    r"\berror\b|^\w*(?:Error|Exception)\b|\bfatal\b|\bkilled\b|No space left on device|undefined reference|command not found|cannot open shared object",
    re.IGNORECASE,
)
# Compiler flags, counts of nothing, and CMake's probes.
_HARMLESS = re.compile(r"-Wno-error|-Werror|\b(?:0|no) errors?\b|^-- (?:Performing Test|Looking for|Check)|errors occurred!", re.IGNORECASE)
# Terminal colours and carriage returns of progress bars.
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\r")
_TRACEBACK = "Traceback (most recent call last):"


def log_errors(text: t.Any, limit: int = 12) -> list[str]:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"npuops.ascend.log_errors takes the text of a log, found {type(text).__name__}.")
    lines = [line for line in (_CONTROL.sub("", line).rstrip() for line in text.splitlines()) if line]
    found: list[str] = []
    belongs = in_traceback = False
    for line in lines:
        indented = line[0].isspace()
        if line.strip() == _TRACEBACK:
            in_traceback, belongs = True, False
            continue
        if in_traceback and indented:
            continue
        if (in_traceback or _ERROR.search(line)) and not _HARMLESS.search(line):
            belongs = not in_traceback
            if line not in found:
                found.append(line)
        elif belongs and indented:
            found.append(line)
        else:
            belongs = False
        in_traceback = False
    return found[:limit] if found else lines[-limit:]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"log_errors": log_errors}
