# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _ascend_package as core
from ansible_collections.npuops.ascend.plugins.module_utils._ascend_package import Host, Installed, Package, PackageError, Request, Step
from hypothesis import given, settings
from hypothesis import strategies as st

HOST_FILES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"
MAKESELF = b'#!/bin/sh\n# This script was generated using Makeself 2.4.2\nlabel="%s"\nscript="./install.sh"\n'
DRIVER_HEADER = MAKESELF % b"ASCEND DRIVER RUN PACKAGE"
FIRMWARE_HEADER = MAKESELF % b"ASCEND-HDK-910B-NPU FIRMWARE RUN PACKAGE"
DRIVER = "/opt/packages/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run"
FIRMWARE = "/opt/packages/Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run"


def recorded(name: str) -> str:
    return (HOST_FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "header", "expected"),
    [
        ("Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run", DRIVER_HEADER, ("driver", "24.1.0", "910B", "aarch64")),
        ("Ascend-hdk-910-npu-driver_24.1.rc3_linux-x86-64.run", DRIVER_HEADER, ("driver", "24.1.rc3", "910", "x86_64")),
        ("Ascend-hdk-310p-npu-driver_25.3.rc1_linux-x86_64.run", DRIVER_HEADER, ("driver", "25.3.rc1", "310P", "x86_64")),
        ("Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run", FIRMWARE_HEADER, ("firmware", "7.5.0.3.220", "910B", None)),
        ("Atlas-A3-hdk-npu-driver_25.5.0_linux-aarch64.run", DRIVER_HEADER, ("driver", "25.5.0", "A3", "aarch64")),
        ("ASCEND-HDK-910B-NPU-FIRMWARE_7.5.0.1.129.RUN", b"#!/bin/bash\n", ("firmware", "7.5.0.1.129", "910B", None)),
        ("driver.run", DRIVER_HEADER, ("driver", None, None, None)),
        ("renamed", FIRMWARE_HEADER, ("firmware", None, None, None)),
    ],
)
def test_identify(name: str, header: bytes, expected: tuple) -> None:
    package = core.identify(f"/opt/packages/{name}", header)
    assert (package.kind, package.version, package.chip, package.arch) == expected
    assert package.path == f"/opt/packages/{name}"


@pytest.mark.parametrize(
    ("name", "header", "message"),
    [
        ("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run", DRIVER_HEADER, "is a CANN package"),
        ("Atlas-A3-cann-kernels_8.1.RC1_linux-aarch64.run", b"#!/bin/sh\n", "is a CANN package"),
        ("Ascend-mindie_2.0.RC1_linux-aarch64_abi0.run", b"#!/bin/sh\n", "is a MindIE package"),
        ("Ascend-hdk-910b-npu_24.1.0_linux-aarch64.zip", b"PK\x03\x04", "is a bundle: unpack it"),
        ("Ascend-hdk-910b-mcu_25.53.32.zip", b"PK\x03\x04", "is an MCU package"),
        ("Ascend-hdk-910-npu-driver_24.1.rc3_sph001_linux.run", DRIVER_HEADER, "is a driver patch"),
        ("Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run", b"", "it is empty, expected a self-extracting archive"),
        ("Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run", b"PK\x03\x04\x14\x00", "it begins with b'PK\\x03\\x04\\x14\\x00'"),
        ("Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run", FIRMWARE_HEADER, "is a driver package by its name and a firmware package by its archive"),
        ("other.run", MAKESELF % b"Some tool", "neither a driver nor a firmware package by its name or its archive label 'Some tool'"),
        ("other.run", b"#!/bin/sh\necho\n", "neither a driver nor a firmware package"),
    ],
)
def test_what_is_refused(name: str, header: bytes, message: str) -> None:
    with pytest.raises(PackageError) as error:
        core.identify(f"/opt/packages/{name}", header)
    assert message in str(error.value)
    assert str(error.value).startswith(f"packages: /opt/packages/{name} ")


def test_a_file_that_is_not_there_is_known_by_the_vendor_s_name_only() -> None:
    package = core.identify("/opt/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run", None)
    assert package == core.Package(package.path, "driver", "24.1.0", "910B", "aarch64", there=False)
    with pytest.raises(PackageError, match=r"^packages: /opt/driver\.run does not exist on the managed host, and its name does not tell kind and version\."):
        core.identify("/opt/driver.run", None)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80).filter(lambda name: "/" not in name), st.binary(max_size=200) | st.none())
def test_any_file_is_identified_or_refused(name: str, header: bytes | None) -> None:
    try:
        assert core.identify(f"/opt/{name}", header).kind in core.KINDS
    except PackageError:
        pass


def test_the_last_of_several_keys_counts() -> None:
    values = core.parse_key_values("Driver_Install_Status=complete\nA = b\nnot a pair\nA=c=d\n")
    assert values == {"Driver_Install_Status": "complete", "A": "c=d"}


COMPLETE = core.parse_key_values(recorded("ascend_install.info--install-status-complete.txt"))
OLDER = core.parse_key_values(recorded("ascend_install.info--driver-and-firmware.txt"))
VERSION_INFO = core.parse_key_values(recorded("driver-version.info--24.1.rc1.txt"))


@pytest.mark.parametrize(
    ("kind", "info", "version_info", "version", "state"),
    [
        ("driver", {}, None, None, "absent"),
        ("driver", COMPLETE, VERSION_INFO, "24.1.rc1", "complete"),
        ("driver", OLDER, VERSION_INFO, "24.1.rc1", "unconfirmed"),
        ("driver", COMPLETE, None, None, "incomplete"),
        ("driver", OLDER, {}, None, "incomplete"),
        ("firmware", OLDER, None, None, "incomplete"),
        ("firmware", OLDER, {"Version": "7.1.0.11.220"}, "7.1.0.11.220", "complete"),
        ("firmware", COMPLETE, None, None, "absent"),
    ],
)
def test_installed(kind: str, info: dict, version_info: dict | None, version: str | None, state: str) -> None:
    found = core.installed(kind, "/usr/local/Ascend", info, version_info)
    assert (found.version, found.state) == (version, state)


@pytest.mark.parametrize(
    ("loaded", "running", "state"),
    [(True, "24.1.RC1", "complete"), (True, None, "complete"), (True, "23.0.5", "incomplete"), (False, None, "incomplete")],
)
def test_a_driver_without_a_recorded_end_is_complete_when_it_runs(loaded: bool, running: str | None, state: str) -> None:
    found = core.installed("driver", "/usr/local/Ascend", OLDER, VERSION_INFO)
    assert core.confirm(found, loaded, running).state == state


@pytest.mark.parametrize(
    ("kind", "version", "since_boot", "loaded", "running", "expected"),
    [
        ("driver", "24.1.0", True, False, None, True),
        ("driver", "24.1.0", True, True, "24.1.rc3", True),
        ("driver", "24.1.0", True, True, "24.1.0", False),
        ("driver", "24.1.0", True, True, None, False),
        # Installed before the last boot and still not running: one more reboot would not help.
        ("driver", "24.1.0", False, False, None, False),
        ("driver", "24.1.0", False, True, "24.1.rc3", False),
        ("driver", None, False, False, None, False),
        ("firmware", "7.5.0.3.220", True, True, "7.5.0.1.129", True),
        ("firmware", "7.7.T5.0.B019", True, True, "7.7.5.0.b019", False),
        ("firmware", "7.5.0.3.220", True, False, None, False),
    ],
)
def test_reboot_pending(kind: str, version: str | None, since_boot: bool, loaded: bool, running: str | None, expected: bool) -> None:
    found = Installed(kind, "/usr/local/Ascend", version, "complete" if version else "absent", since_boot=since_boot)
    assert core.reboot_pending(found, loaded, running) is expected


ABSENT = {kind: Installed(kind, "/usr/local/Ascend") for kind in core.KINDS}
PACKAGES = [Package(FIRMWARE, "firmware", "7.5.0.3.220", "910B", None), Package(DRIVER, "driver", "24.1.0", "910B", "aarch64")]
FULL = ("--nox11", "--full", "--quiet", "--install-username=HwHiAiUser", "--install-usergroup=HwHiAiUser")


def on_disk(driver: str | None = None, firmware: str | None = None) -> dict[str, Installed]:
    versions = {"driver": driver, "firmware": firmware}
    return {kind: Installed(kind, "/usr/local/Ascend", version, "complete" if version else "absent") for kind, version in versions.items()}


def shown(steps: list[Step]) -> list[tuple]:
    return [(step.package.kind, step.action, step.arguments) for step in steps]


def test_fresh_host_gets_the_driver_first() -> None:
    steps = core.plan(PACKAGES, ABSENT, Request())
    assert shown(steps) == [("driver", "install", (*FULL, "--install-for-all")), ("firmware", "install", FULL)]


def test_over_an_existing_driver_the_firmware_comes_first() -> None:
    steps = core.plan(list(reversed(PACKAGES)), on_disk("24.1.rc3", "7.5.0.1.129"), Request())
    upgrade = ("--nox11", "--upgrade", "--quiet")
    assert shown(steps) == [("firmware", "upgrade", upgrade), ("driver", "upgrade", upgrade)]


def test_equal_versions_need_nothing() -> None:
    assert [step.action for step in core.plan(PACKAGES, on_disk("24.1.0", "7.5.0.3.220"), Request())] == ["none", "none"]
    assert [step.action for step in core.plan(PACKAGES, on_disk("24.1.0"), Request())] == ["install", "none"]


def test_half_installed_driver_is_installed_again() -> None:
    found = {**ABSENT, "driver": Installed("driver", "/usr/local/Ascend", "24.1.0", "incomplete")}
    steps = core.plan(PACKAGES, found, Request())
    assert [(step.package.kind, step.action) for step in steps] == [("driver", "install"), ("firmware", "install")]


def test_options_of_a_first_installation() -> None:
    request = Request("/opt/npu", False, "svc", "npu")
    (step,) = core.plan(PACKAGES[1:], ABSENT, request)
    assert step.arguments == ("--nox11", "--full", "--quiet", "--install-username=svc", "--install-usergroup=npu", "--install-path=/opt/npu")


def test_going_back_needs_force() -> None:
    with pytest.raises(PackageError, match="would replace driver 25.0.rc1.1 by the older 24.1.0.* set force: true"):
        core.plan(PACKAGES[1:], on_disk("25.0.rc1.1"), Request())
    (step,) = core.plan(PACKAGES[1:], on_disk("25.0.rc1.1"), Request(force=True))
    assert step.action == "upgrade"


def test_two_packages_of_one_kind() -> None:
    with pytest.raises(PackageError, match=f"{DRIVER}, /b.run are all driver packages"):
        core.plan([PACKAGES[1], Package("/b.run", "driver", "24.1.0")], ABSENT, Request())


def test_unknown_versions_are_refused() -> None:
    with pytest.raises(PackageError, match="version of /b.run is not known"):
        core.plan([Package("/b.run", "driver")], ABSENT, Request())
    with pytest.raises(PackageError, match="cannot be compared with the installed driver weird"):
        core.plan(PACKAGES[1:], on_disk("weird"), Request())


@pytest.mark.parametrize(
    ("request_", "info", "message"),
    [
        (Request("/opt/a b"), {}, "install_path: '/opt/a b' is not usable"),
        (Request("/opt/../etc"), {}, "install_path: '/opt/../etc' is not usable"),
        (Request("relative"), {}, "install_path: 'relative' is not usable"),
        (Request("/opt/npu\n"), {}, "is not usable"),
        (Request("/"), {}, "install_path: '/' is not usable"),
        (Request("/opt/npu"), OLDER, "records a driver under /usr/local/Ascend. Set install_path: /usr/local/Ascend"),
        (Request(username="a b"), {}, "username: 'a b' is not a user name"),
        (Request(usergroup="x;y"), {}, "usergroup: 'x;y' is not a group name"),
        (Request(username="root", install_for_all=False), {}, "only together with install_for_all: true"),
    ],
)
def test_requests_that_are_refused(request_: Request, info: dict, message: str) -> None:
    with pytest.raises(PackageError) as error:
        core.check_request(request_, info, present=True)
    assert message in str(error.value)


def test_requests_that_are_taken() -> None:
    core.check_request(Request("/usr/local/Ascend/"), OLDER, present=True)
    core.check_request(Request(username="root", usergroup="root"), {}, present=True)
    core.check_request(Request(username="", usergroup=""), {}, present=False)


READY = {
    "machine": "aarch64",
    "chips": ["910B"] * 8,
    "free_mb": 2000,
    "path_ready": True,
    "user_exists": True,
    "group_exists": True,
    "user_in_group": True,
}


def problems(info: dict | None = None, steps: list[Step] | None = None, **differing: object) -> core.Problems:
    steps = core.plan(PACKAGES, ABSENT, Request()) if steps is None else steps
    return core.check_host(steps, Host(**{**READY, **differing}), info or {}, Request())


def test_host_that_is_ready() -> None:
    assert problems() == core.Problems()


@pytest.mark.parametrize(
    ("differing", "kind", "message"),
    [
        ({"machine": "x86_64"}, "errors", f"{DRIVER} is for aarch64, this host is x86_64."),
        ({"chips": ["A3", "A3"]}, "errors", f"{DRIVER} is for the chip family 910B, the PCI bus of this host shows A3."),
        ({"free_mb": 300}, "errors", "/usr/local/Ascend has 300 MB free, more than 300 MB are needed."),
        ({"path_ready": False}, "curable", "the directory above /usr/local/Ascend does not exist"),
        ({"user_exists": False}, "curable", "the user HwHiAiUser does not exist. Create it first"),
        ({"group_exists": False}, "curable", "the group HwHiAiUser does not exist. Create it first"),
        ({"user_in_group": False}, "curable", "the user HwHiAiUser is not a member of the group HwHiAiUser"),
        ({"npu_users": [(4711, "mindieservice")]}, "curable", "in use by 1 process(es): mindieservice (pid 4711)"),
        ({"chips": []}, "warnings", "The PCI bus shows no NPU"),
        ({"info": {"UserName": "svc", "UserGroup": "svc"}}, "errors", "/etc/ascend_install.info records svc:svc"),
    ],
)
def test_host_that_is_not_ready(differing: dict, kind: str, message: str) -> None:
    found = problems(**differing)
    assert any(message in sentence for sentence in getattr(found, kind)), found
    others = {"errors", "curable", "warnings"} - {kind}
    assert not any(getattr(found, other) for other in others)


def test_nothing_is_asked_of_a_host_where_nothing_is_to_be_done() -> None:
    steps = core.plan(PACKAGES, on_disk("24.1.0", "7.5.0.3.220"), Request())
    assert problems(steps=steps, user_exists=False, free_mb=0, npu_users=[(1, "x")]) == core.Problems()
    assert problems(steps=steps, machine="x86_64").errors


def test_unknown_npus_and_unknown_names_are_not_compared() -> None:
    assert problems(chips=[None]).errors == []
    renamed = core.plan([Package("/b.run", "driver", "24.1.0")], ABSENT, Request())
    assert problems(steps=renamed, machine="x86_64", chips=["A3"]) == core.Problems()


def test_processes_that_hold_npus(tmp_path: Path) -> None:
    processes = (
        (17, "mindieservice", "/dev/davinci3"),
        (18, "slogd", "/dev/davinci_manager"),
        (9, "python", "/dev/davinci11"),
        (20, "sh", "/dev/null"),
    )
    for pid, name, target in processes:
        (tmp_path / str(pid) / "fd").mkdir(parents=True)
        (tmp_path / str(pid) / "comm").write_text(f"{name}\n", encoding="utf-8")
        os.symlink(target, tmp_path / str(pid) / "fd" / "3")
    (tmp_path / "21").mkdir()
    (tmp_path / "self").mkdir()
    assert core.read_npu_users(str(tmp_path)) == [(9, "python"), (17, "mindieservice")]


def test_reading_what_is_on_disk(tmp_path: Path) -> None:
    (tmp_path / "driver").mkdir()
    (tmp_path / "driver" / "version.info").write_text(recorded("driver-version.info--24.1.rc1.txt"), encoding="utf-8")
    found = core.read_installed(str(tmp_path), COMPLETE)
    assert (found["driver"].version, found["driver"].state, found["driver"].since_boot) == ("24.1.rc1", "complete", True)
    assert found["driver"].version_info["compatible_version_fw"] == "[7.0.0,7.2.99]"
    assert (found["firmware"].version, found["firmware"].state) == (None, "absent")
    assert core.read_key_values(str(tmp_path / "none")) is None
