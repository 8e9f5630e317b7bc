# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Versions as the vendor writes them: C(24.1.rc2), C(25.0.RC1), C(25.0.rc1.b002), C(7.5.0.3.220), C(7.7.T5.0.B019), C(8.3.RC1.alpha003)."""

from __future__ import annotations

import functools
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Mapping

COMPONENT = re.compile(r"([a-z]*)(\d+)(?:([a-z]+)(\d+))?\Z")
# How a part of this kind stands to "nothing more" (0) at the same place: 25.0.rc1.b002 and 24.1.rc1 come before 25.0.rc1 and 24.1.
RANKS = {"alpha": -5, "beta": -4, "b": -3, "t": -2, "rc": -1, "": 1, "sp": 2, "spc": 2, "sph": 2, "spt": 2, "post": 2, "patch": 2, "hp": 2}
END = (0, 0)
RANGES = re.compile(r"\[([^\[\],]+)(?:,([^\[\],]+))?\]")


class VersionError(ValueError):
    """A text that is not a version of the vendor's kinds."""


@functools.total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """A version with the vendor's order: C(24.1.rc2 < 24.1.rc3 < 24.1.0), case ignored."""

    text: str
    parts: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __lt__(self, other: Version) -> bool:
        return (*self.parts, END) < (*other.parts, END)


def parse_version(text: str) -> Version:
    """Read a version; VersionError names the text that cannot be read."""
    parts: list[tuple[int, int]] = []
    for component in text.strip().lower().split("."):
        match = COMPONENT.match(component)
        if match is None or not component.isascii():
            raise VersionError(f"{text!r} is not a version of an Ascend package, such as 24.1.0, 25.0.rc1.1 or 7.5.0.3.220.")
        for word, number in ((match.group(1), match.group(2)), (match.group(3), match.group(4))):
            if number is None:
                continue
            if word not in RANKS:
                raise VersionError(f"{text!r} is not a version of an Ascend package: {component!r} is of no known kind.")
            parts.append((RANKS[word], int(number)))
    return Version(text.strip(), tuple(parts))


def compare(left: str, right: str) -> int:
    """-1, 0 or 1 as left is older than, the same as, or newer than right."""
    one, other = parse_version(left), parse_version(right)
    return (one > other) - (one < other)


def fits(wanted: str, found: str) -> bool:
    """Whether a found version belongs to the wanted release: 25.0.rc1.1 to 25.0.RC1, 7.5.0.3.220 to 7.5.0."""
    parts = parse_version(wanted).parts
    return parse_version(found).parts[: len(parts)] == parts


def same_build(left: str, right: str) -> bool:
    """Whether two spellings mean the same build: the device reports 7.7.5.0.b019 for the firmware file's 7.7.T5.0.B019."""
    return [number for _rank, number in parse_version(left).parts] == [number for _rank, number in parse_version(right).parts]


def in_ranges(version: str, ranges: str) -> bool | None:
    """Whether a version lies in C([7.0.0,7.5.99]) or C([23.0.0,23.0.0.],[24.1,24.1.]), where a bound with a final dot
    means everything below that release. None when there is no range to compare with.
    """
    found = RANGES.findall(ranges)
    if not found:
        return None
    return any(_in_range(version, low.strip(), (high or low).strip()) for low, high in found)


def _in_range(version: str, low: str, high: str) -> bool:
    parts, lower, upper = parse_version(version).parts, parse_version(low).parts, parse_version(high.rstrip(".")).parts
    # Compare as many parts as a bound has: 7.5.99 bounds 7.5.99.1 too, and 24.1 takes in 24.1.rc1.
    return Version(low, lower) <= Version(version, parts[: len(lower)]) and Version(version, parts[: len(upper)]) <= Version(high, upper)


@dataclass(frozen=True)
class Fit:
    """Whether a driver and a firmware go together by what their version files say."""

    status: str
    detail: str


def driver_firmware_fit(driver: Mapping[str, str], firmware: Mapping[str, str]) -> Fit | None:
    """Judge two C(version.info) files; None when either names no version.

    The vendor's own pairs break their ranges (a driver naming [7.0.0,7.6.99] shipped with firmware 7.7.T5.0.B019), so one
    broken range is a warning; both broken, and packages of different releases, is a failure.
    """
    driver_version, firmware_version = driver.get("Version"), firmware.get("Version")
    if not driver_version or not firmware_version:
        return None
    problems: list[str] = []
    try:
        if in_ranges(firmware_version, driver.get("compatible_version_fw", "")) is False:
            problems.append(f"driver {driver_version} names firmware {driver['compatible_version_fw']}, found {firmware_version}")
        if in_ranges(driver_version, firmware.get("compatible_version_drv", "")) is False:
            problems.append(f"firmware {firmware_version} names driver {firmware['compatible_version_drv']}, found {driver_version}")
    except VersionError as error:
        return Fit("warn", f"The version files cannot be compared: {error}")
    if not problems:
        return Fit("ok", f"Driver {driver_version} and firmware {firmware_version} accept each other.")
    releases = driver.get("package_version", driver_version).lower(), firmware.get("package_version", "").lower()
    failed = len(problems) == 2 and releases[0] != releases[1]
    return Fit("fail" if failed else "warn", f"{'; '.join(problems)}.")
