# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _version
from ansible_collections.npuops.ascend.plugins.module_utils._ascend_package import parse_key_values
from ansible_collections.npuops.ascend.plugins.module_utils._version import VersionError, parse_version
from hypothesis import given, settings
from hypothesis import strategies as st

HOST_FILES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"

ORDERED = [
    "22.0.4",
    "23.0.rc1.b070",
    "23.0.rc1",
    "23.0.3",
    "23.0.5",
    "24.1.rc1.b030",
    "24.1.rc2",
    "24.1.RC3",
    "24.1.rc3.3",
    "24.1.0",
    "24.1.0.1",
    "25.0.rc1.b002",
    "25.0.RC1",
    "25.0.rc1.1",
    "25.2.0",
    "25.3.rc1",
    "25.5.1",
    "26.0.rc2",
]
FIRMWARE = ["7.1.0.5.220", "7.1.0.11.220", "7.5.0.1.129", "7.5.0.3.220", "7.7.T5.0.B019", "7.7.0.1.231", "7.8.0.2.212"]
CANN = ["8.0.RC3", "8.0.0", "8.3.RC1.alpha003", "8.3.RC1.beta1", "8.3.RC1", "8.3.RC2", "8.5.0"]


@pytest.mark.parametrize("row", [ORDERED, FIRMWARE, CANN])
def test_order(row: list[str]) -> None:
    for older, newer in combinations(row, 2):
        assert _version.compare(older, newer) == -1
        assert _version.compare(newer, older) == 1
    assert sorted(reversed(row), key=parse_version) == row


def test_case_and_blanks_do_not_count() -> None:
    assert _version.compare("25.3.RC1", " 25.3.rc1\n") == 0
    assert parse_version("7.7.T5.0.B019") == parse_version("7.7.t5.0.b019")
    assert len({parse_version("25.3.RC1"), parse_version("25.3.rc1")}) == 1


@pytest.mark.parametrize("text", ["", "none", "24..1", "24.1.", "V100R001C19", "24.1.0-1", "rc", "24.1.foo1", "²4.1", "24.1 .0", "../../etc"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(VersionError) as error:
        parse_version(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        ("25.0.RC1", "25.0.rc1.1", True),
        ("25.0.RC1", "25.0.rc1", True),
        ("25.0.rc1.1", "25.0.RC1", False),
        ("25.0.RC1", "25.0.rc11", False),
        ("24.1.0", "24.1.rc3", False),
        ("7.5.0", "7.5.0.3.220", True),
    ],
)
def test_fits(wanted: str, found: str, expected: bool) -> None:
    assert _version.fits(wanted, found) is expected


def test_same_build_under_two_spellings() -> None:
    """The version file and the device of one real host."""
    assert _version.same_build("7.7.T5.0.B019", "7.7.5.0.b019")
    assert not _version.same_build("7.5.0.1.129", "7.5.0.3.220")


@pytest.mark.parametrize(
    ("version", "ranges", "expected"),
    [
        ("7.5.0.3.220", "[7.0.0,7.5.99]", True),
        ("7.5.99.1.220", "[7.0.0,7.5.99]", True),
        ("7.6.0.1.220", "[7.0.0,7.5.99]", False),
        ("6.4.0.4.220", "[7.0.0,7.5.99]", False),
        ("7.0.0.1.0", "[7.0.0,7.5.99]", True),
        ("24.1.rc2", "[23.0.0,23.0.0.],[24.1,24.1.]", True),
        ("24.1.0", "[23.0.rc3,23.0.rc3.],[24.1,24.1.]", True),
        ("23.0.rc3.2", "[23.0.rc3,23.0.rc3.],[24.1,24.1.]", True),
        ("25.0.rc1", "[23.0.rc3,23.0.rc3.],[24.1,24.1.]", False),
        ("24.1.0", "[24.1]", True),
        ("24.1.0", "", None),
    ],
)
def test_ranges(version: str, ranges: str, expected: bool | None) -> None:
    assert _version.in_ranges(version, ranges) is expected


def files(driver: dict, firmware: dict) -> str | None:
    fit = _version.driver_firmware_fit(driver, firmware)
    return fit.status if fit else None


DRIVER = {"Version": "24.1.0", "package_version": "24.1.0", "compatible_version_fw": "[7.0.0,7.5.99]"}
NEWER = {"Version": "7.7.0.1.231", "package_version": "25.0.rc1.1", "compatible_version_drv": "[24.1,24.1.],[25.0,25.0.]"}


def test_pair_that_fits() -> None:
    firmware = {"Version": "7.5.0.3.220", "package_version": "24.1.0", "compatible_version_drv": "[24.0,24.0.],[24.1,24.1.]"}
    fit = _version.driver_firmware_fit(DRIVER, firmware)
    assert fit == _version.Fit("ok", "Driver 24.1.0 and firmware 7.5.0.3.220 accept each other.")


def test_recorded_files_do_not_fit() -> None:
    """Driver 24.1.rc1 takes firmware up to 7.2.99; the firmware of 23.0.7 names older drivers only, but is in that range."""
    driver = parse_key_values((HOST_FILES / "driver-version.info--24.1.rc1.txt").read_text(encoding="utf-8"))
    firmware = parse_key_values((HOST_FILES / "firmware-version.info--7.1.0.11.220.txt").read_text(encoding="utf-8"))
    fit = _version.driver_firmware_fit(driver, firmware)
    assert fit is not None and fit.status == "warn"
    assert fit.detail == "firmware 7.1.0.11.220 names driver [23.0.rc3,23.0.rc3.],[23.0.0,23.0.0.], found 24.1.rc1."


def test_vendors_own_pair_is_only_a_warning() -> None:
    driver = {"Version": "25.0.rc1.b002", "package_version": "25.0.rc1.b002", "compatible_version_fw": "[7.0.0,7.6.99]"}
    firmware = {
        "Version": "7.7.T5.0.B019",
        "package_version": "25.0.rc1.b002",
        "compatible_version_drv": "[23.0.rc3,23.0.rc3.],[23.0.0,23.0.0.],[24.0,24.0.],[24.1,24.1.]",
    }
    assert files(driver, firmware) == "warn"


def test_one_broken_range_warns_and_two_of_different_releases_fail() -> None:
    assert files(DRIVER, NEWER) == "warn"
    assert files(DRIVER, {**NEWER, "compatible_version_drv": "[25.0,25.0.]"}) == "fail"
    assert files(DRIVER, {**NEWER, "compatible_version_drv": "[25.0,25.0.]", "package_version": "24.1.0"}) == "warn"


def test_files_that_say_too_little() -> None:
    assert files({}, NEWER) is None
    assert files(DRIVER, {}) is None
    assert files(DRIVER, {"Version": "unknown"}) == "warn"
    assert files({"Version": "24.1.0"}, {"Version": "7.5.0.3.220"}) == "ok"


components = st.sampled_from(["", "rc", "RC", "b", "T", "alpha", "beta", "sph"]).flatmap(lambda word: st.integers(0, 400).map(lambda number: f"{word}{number}"))
versions = st.lists(components, min_size=1, max_size=5).map(".".join).map(parse_version)


@settings(max_examples=200, deadline=None)
@given(versions, versions, versions)
def test_total_order(one: _version.Version, two: _version.Version, three: _version.Version) -> None:
    assert (one < two) + (one == two) + (two < one) == 1
    low, middle, high = sorted([one, two, three])
    assert low <= middle <= high and low <= high
    assert (one == two) == (hash(one) == hash(two) and one.parts == two.parts)


@settings(max_examples=100, deadline=None)
@given(versions, st.integers(0, 400))
def test_a_further_number_is_newer_and_fits(version: _version.Version, number: int) -> None:
    longer = f"{version}.{number}"
    assert version < parse_version(longer)
    assert _version.fits(str(version), longer)


@settings(max_examples=100, deadline=None)
@given(versions, st.integers(0, 400))
def test_a_candidate_comes_before_its_release(version: _version.Version, number: int) -> None:
    assert parse_version(f"{version}.rc{number}") < version
