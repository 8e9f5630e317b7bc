# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: lock_problems
short_description: Where installed Python packages differ from a lock
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Compares a lock, one C(name==version) per line, with what C(pip list --format=json) says. Packages that the lock does not name do not matter.
  - Names are compared as PEP 503 normalises them. A build of the pinned version for a certain device (V(2.3.1+cpu)) satisfies V(2.3.1).
options:
  _input:
    description: The text of the lock.
    type: str
    required: true
  installed:
    description: The packages, each with C(name) and C(version).
    type: list
    elements: dict
    required: true
positional: installed
"""

EXAMPLES = r"""
- name: Install what the lock asks for
  ansible.builtin.command:
    argv: [/opt/npuops/conda/envs/py311/bin/python, -m, pip, install, -r, /opt/npuops/conda/envs/py311/npuops-lock.txt]
  when: lookup('ansible.builtin.file', 'guide.txt') | npuops.ascend.lock_problems(listed.stdout | from_json) | length > 0
"""

RETURN = r"""
_value:
  description: One sentence per package that is missing or has another version.
  type: list
  elements: str
  sample: ["numpy: found 2.1.3, the lock names 1.26.4", "fire: not installed, the lock names 0.7.1"]
"""

_PIN = re.compile(r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)==(?P<version>[A-Za-z0-9.!+_-]+)")


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _same(found: str, wanted: str) -> bool:
    return found == wanted or ("+" not in wanted and found.partition("+")[0] == wanted)


def pins(text: str) -> dict[str, str]:
    """Name and version of every line of a lock."""
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = re.sub(r"(^|\s)#.*", "", line).strip()
        if not content:
            continue
        match = _PIN.fullmatch(content)
        if not match:
            raise AnsibleFilterError(f"Line {number} of the lock is {content!r}; expected name==version. A lock pins every package.")
        name = _normal(match["name"])
        if found.setdefault(name, match["version"]) != match["version"]:
            raise AnsibleFilterError(f"Line {number} of the lock pins {name} to {match['version']}, an earlier line to {found[name]}. Keep one.")
    return found


def lock_problems(text: t.Any, installed: t.Any) -> list[str]:
    if not isinstance(text, str):
        raise AnsibleFilterError(f"npuops.ascend.lock_problems takes the text of a lock, found {type(text).__name__}.")
    if not isinstance(installed, list) or not all(isinstance(package, t.Mapping) and {"name", "version"} <= package.keys() for package in installed):
        raise AnsibleFilterError("npuops.ascend.lock_problems takes the packages as a list of name and version, as pip list --format=json prints it.")
    found = {_normal(package["name"]): package["version"] for package in installed}
    problems = []
    for name, wanted in pins(text).items():
        if name not in found:
            problems.append(f"{name}: not installed, the lock names {wanted}")
        elif not _same(found[name], wanted):
            problems.append(f"{name}: found {found[name]}, the lock names {wanted}")
    return problems


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"lock_problems": lock_problems}
