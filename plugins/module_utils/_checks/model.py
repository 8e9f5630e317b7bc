# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What checks work on: the facts of hosts, what the inventory wants of them, and what a check finds."""

from __future__ import annotations

import collections
import typing as t
from dataclasses import dataclass, field


class Skip(Exception):
    """Nothing can be looked at yet; the text says why."""


class Unread(Exception):
    """A section of the facts could not be read. ``kind`` is missing, timeout, unparsable or failed."""

    def __init__(self, section: str, kind: str, text: str) -> None:
        super().__init__(text)
        self.section = section
        self.kind = kind


@dataclass(frozen=True)
class Finding:
    """One broken rule. ``status`` is empty for the severity of the check, or ``warn`` where it is only that."""

    observed: str
    expected: str
    host: str = ""
    device: int | None = None
    status: str = ""
    evidence: str = ""


Findings = t.Iterator[Finding]


class Host:
    """One host: facts by section, and its wishes from the inventory."""

    def __init__(self, name: str, facts: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> None:
        self.name = name
        self.facts = facts
        self.wanted = wanted

    def section(self, name: str) -> t.Mapping[str, t.Any]:
        """The facts of a section. Raises Unread."""
        found = self.facts.get(name)
        if found is None:
            raise Unread(name, "missing", "not read in this run")
        if not isinstance(found, t.Mapping):
            raise Unread(name, "unparsable", f"a {type(found).__name__} where facts were expected")
        if "error" in found:
            raise Unread(name, str(found.get("kind", "failed")), str(found["error"]))
        return found

    def has(self, name: str) -> bool:
        try:
            self.section(name)
        except Unread:
            return False
        return True


@dataclass
class Cluster:
    """The hosts of one serving group, and everyone else of the run for what must be unique everywhere."""

    hosts: t.Sequence[Host]
    everyone: t.Sequence[Host]
    unread: list[tuple[Host, Unread]] = field(default_factory=list)

    def readings(self, section: str) -> list[tuple[Host, t.Mapping[str, t.Any]]]:
        """The hosts that have this section; of the others it is kept why not."""
        found = []
        for host in self.hosts:
            try:
                found.append((host, host.section(section)))
            except Unread as error:
                self.unread.append((host, error))
        return found


def odd_ones(values: t.Mapping[str, t.Any]) -> tuple[t.Any, dict[str, t.Any]]:
    """(what most hosts have, the hosts that have something else). Of equally many the one of the first host counts."""
    if not values:
        return None, {}
    keys = {host: repr(value) for host, value in values.items()}
    counts = collections.Counter(keys.values())
    usual = max(counts, key=lambda key: counts[key])
    return next(value for host, value in values.items() if keys[host] == usual), {host: value for host, value in values.items() if keys[host] != usual}


def compare(what: str, values: t.Mapping[str, t.Any], status: str = "") -> Findings:
    """A finding for each host that has another value than most."""
    usual, odd = odd_ones(values)
    others = [host for host in values if host not in odd]
    for host, value in odd.items():
        yield Finding(f"{what} {shown(value)}", f"{what} {shown(usual)}, as on {some(others)}", host=host, status=status)


def shown(value: t.Any) -> str:
    """A value for a person."""
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, (list, tuple)):
        return " / ".join(shown(item) for item in value)
    return str(value)


def some(names: t.Sequence[t.Any], limit: int = 4) -> str:
    """The first names of a list, and how many more there are."""
    rest = len(names) - limit
    return ", ".join(map(str, names[:limit])) + (f" and {rest} more" if rest > 0 else "")
