# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.npuops.ascend.plugins.modules import ascend_package

core = ascend_package.core
DRIVER_LINE = "[Driver] [2025-07-17 10:36:24] "
FIRMWARE_LINE = "[Firmware] [2025-07-17 10:36:24] "
FIRMWARE_MESSAGE = "Firmware package installed successfully! Reboot now or after driver installation for the installation/upgrade to take effect."
INTACT = "Verifying archive integrity...  100%   SHA256 checksums are OK. All good.\n"
DRIVER_FILE = "Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run"
FIRMWARE_FILE = "Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run"
DRIVER_INFO = "Version=24.1.0\ncompatible_version_fw=[7.0.0,7.5.99]\npackage_version=24.1.0\n"
FIRMWARE_INFO = "Version=7.5.0.3.220\npackage_version=24.1.0\ncompatible_version_drv=[24.0,24.0.],[24.1,24.1.]\n"
IMMEDIATE = f"{DRIVER_LINE}[INFO]\x1b[32mDriver package installed successfully! The new version takes effect immediately. \x1b[0m\n"
REBOOT = f"{DRIVER_LINE}[INFO]\x1b[32mDriver package installed successfully! \x1b[0m\x1b[31mReboot needed for installation/upgrade to take effect! \x1b[0m\n"
FIRMWARE_DONE = f"{FIRMWARE_LINE}[INFO]{FIRMWARE_MESSAGE}\n"
FULL = ("--nox11", "--full", "--quiet", "--install-username=HwHiAiUser", "--install-usergroup=HwHiAiUser")


class FakeHost:
    """A host with packages, whose installers write what the real ones write."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.install_path = root / "Ascend"
        self.info = root / "ascend_install.info"
        self.packages = root / "packages"
        self.packages.mkdir()
        self.driver = self.package(DRIVER_FILE)
        self.firmware = self.package(FIRMWARE_FILE)
        self.installers: dict[str, tuple] = {"driver": (0, IMMEDIATE, ""), "firmware": (0, FIRMWARE_DONE, "")}
        self.check: tuple = (0, INTACT, "")
        self.version: dict[str, tuple] = {
            "driver": (0, f"{DRIVER_LINE}[INFO]driver version :24.1.0\n", ""),
            "firmware": (0, f"{FIRMWARE_LINE}[INFO]firmware version :7.5.0.3.220\n", ""),
        }
        # What npu-smi reports: (driver, firmware), or None without a loaded driver.
        self.running: tuple[str, str] | None = None
        # What it says instead.
        self.odd: dict[tuple[str, ...], tuple] = {}
        self.writes = True
        self.user: t.Any = SimpleNamespace(pw_name="HwHiAiUser", pw_gid=1000)
        self.npu_users: list[tuple[int, str]] = []
        monkeypatch.setattr(core, "INSTALL_INFO", str(self.info))
        monkeypatch.setattr(core, "DEFAULT_PATH", str(self.install_path))
        monkeypatch.setattr(core, "read_npu_users", lambda: self.npu_users)
        monkeypatch.setattr(ascend_package, "read_npus", lambda: [SimpleNamespace(chip="910B")] * 8)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="aarch64"))
        monkeypatch.setattr(os, "statvfs", lambda _path: SimpleNamespace(f_bavail=1_000_000, f_frsize=4096))
        monkeypatch.setattr(ascend_package.pwd, "getpwnam", self.getpwnam)
        monkeypatch.setattr(ascend_package.grp, "getgrnam", lambda _name: SimpleNamespace(gr_gid=1000, gr_mem=[]))

    def getpwnam(self, _name: str) -> t.Any:
        if self.user is None:
            raise KeyError
        return self.user

    def package(self, name: str, content: bytes = b"#!/bin/sh\nlabel=\"\"\n") -> str:
        path = self.packages / name
        path.write_bytes(content)
        return str(path)

    def install(self, kind: str, version_info: str, status: str = "Driver_Install_Status=complete\n") -> None:
        directory = self.install_path / kind
        (directory / "script").mkdir(parents=True, exist_ok=True)
        (directory / "script" / "uninstall.sh").write_text("", encoding="utf-8")
        (directory / "version.info").write_text(version_info, encoding="utf-8")
        with self.info.open("a", encoding="utf-8") as file:
            file.write(f"{kind.capitalize()}_Install_Path_Param={self.install_path}\n{status if kind == 'driver' else ''}")

    def both_installed(self) -> None:
        self.install("driver", DRIVER_INFO)
        self.install("firmware", FIRMWARE_INFO)
        self.running = ("24.1.0", "7.5.0.3.220")

    def answer(self, argv: tuple[str, ...], _stdin: str | None) -> tuple:
        if argv[0] == "npu-smi" and argv[1:] in self.odd:
            return self.odd[argv[1:]]
        if argv[0] == "npu-smi":
            if self.running is None:
                return 187, "dcmi module initialize failed. ret is -8005\n", ""
            if argv[1:] == ("info", "-l"):
                return 0, "\tTotal Count                    : 1\n\n\tNPU ID                         : 0\n\tChip Count                     : 1\n", ""
            driver, firmware = self.running
            return 0, f"\tNPU ID                         : 0\n\tSoftware Version               : {driver}\n\tFirmware Version               : {firmware}\n", ""
        assert argv[0] == "bash"
        if argv[2:] == ("--check",):
            return self.check
        kind = "driver" if "driver" in argv[1] else "firmware"
        if argv[2:] == ("--version",):
            return self.version[kind]
        if self.writes and self.installers[kind][0] in (0, 2):
            if argv[1].endswith("uninstall.sh"):
                (self.install_path / kind / "version.info").unlink(missing_ok=True)
            else:
                self.install(kind, DRIVER_INFO if kind == "driver" else FIRMWARE_INFO)
        return self.installers[kind]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHost:
    return FakeHost(tmp_path, monkeypatch)


@pytest.fixture
def run(host: FakeHost, run_module: t.Callable) -> t.Callable[..., tuple[dict, list[tuple]]]:
    def call(packages: list[str] | None = None, check: bool = False, **options: t.Any) -> tuple[dict, list[tuple]]:
        if options.get("state") != "absent":
            options["packages"] = [host.firmware, host.driver] if packages is None else packages
        options.setdefault("install_path", str(host.install_path))
        result, commands = run_module(ascend_package, options, host.answer, check=check)
        return result, [command for command in commands if command[0] == "bash" and command[2:] not in (("--version",), ("--check",))]

    return call


def test_fresh_host(host: FakeHost, run: t.Callable) -> None:
    result, commands = run()
    assert commands == [("bash", host.driver, *FULL, "--install-for-all"), ("bash", host.firmware, *FULL)]
    assert result["commands"] == [list(command) for command in commands]
    assert result["changed"] is True
    assert result["reboot_required"] is True
    assert result["packages"] == [
        {
            "kind": "driver",
            "path": host.driver,
            "package_version": "24.1.0",
            "installed_before": None,
            "installed_after": "24.1.0",
            "action": "install",
            "rc": 0,
            "message": "Driver package installed successfully! The new version takes effect immediately.",
            "reboot_required": False,
        },
        {
            "kind": "firmware",
            "path": host.firmware,
            "package_version": "7.5.0.3.220",
            "installed_before": None,
            "installed_after": "7.5.0.3.220",
            "action": "install",
            "rc": 0,
            "message": FIRMWARE_MESSAGE,
            "reboot_required": True,
        },
    ]
    assert result["diff"] == {"before": {"driver": None, "firmware": None}, "after": {"driver": "24.1.0", "firmware": "7.5.0.3.220"}}


def test_second_run_changes_nothing(host: FakeHost, run: t.Callable) -> None:
    host.both_installed()
    result, commands = run()
    assert commands == []
    assert result["changed"] is False and result["reboot_required"] is False
    assert [row["action"] for row in result["packages"]] == ["none", "none"]
    assert result["diff"]["before"] == result["diff"]["after"] == {"driver": "24.1.0", "firmware": "7.5.0.3.220"}


def test_check_mode_on_a_bare_host(host: FakeHost, run: t.Callable) -> None:
    host.user = None
    result, commands = run(check=True)
    assert commands == []
    assert not host.install_path.exists() and not host.info.exists()
    assert result["changed"] is True
    assert result["commands"] == [["bash", host.driver, *FULL, "--install-for-all"], ["bash", host.firmware, *FULL]]
    assert [row["message"] for row in result["packages"]] == ["The driver would be installed.", "The firmware would be installed."]
    assert [row["rc"] for row in result["packages"]] == [None, None]
    assert result["diff"]["after"] == {"driver": "24.1.0", "firmware": "7.5.0.3.220"}
    assert result["warnings"] == ["username: the user HwHiAiUser does not exist. Create it first (useradd -g HwHiAiUser -m -s /bin/bash HwHiAiUser)."]


def test_upgrade_runs_the_firmware_first(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", "Version=24.1.rc3\n")
    host.install("firmware", "Version=7.5.0.1.129\n")
    host.running = ("24.1.rc3", "7.5.0.1.129")
    host.installers["driver"] = (2, REBOOT, "")
    result, commands = run()
    upgrade = ("--nox11", "--upgrade", "--quiet")
    assert commands == [("bash", host.firmware, *upgrade), ("bash", host.driver, *upgrade)]
    assert [(row["action"], row["rc"], row["installed_before"], row["installed_after"]) for row in result["packages"]] == [
        ("upgrade", 0, "7.5.0.1.129", "7.5.0.3.220"),
        ("upgrade", 2, "24.1.rc3", "24.1.0"),
    ]
    assert result["reboot_required"] is True


def test_exit_code_2_is_success_with_a_reboot(host: FakeHost, run: t.Callable) -> None:
    host.installers["driver"] = (2, REBOOT, "")
    result, _commands = run([host.driver])
    assert not result.get("failed")
    assert result["packages"][0]["reboot_required"] is True and result["packages"][0]["rc"] == 2


def test_exit_code_1_shows_cause_and_remedy(host: FakeHost, run: t.Callable) -> None:
    text = f"{DRIVER_LINE}[INFO]Start\n{DRIVER_LINE}[ERROR]The list of missing tools: lspci,ifconfig,\n{DRIVER_LINE}[INFO]End time: x\n"
    host.installers["driver"] = (1, text, "")
    result, commands = run()
    assert result["failed"] and result["changed"] is True
    assert f"{host.driver} failed on this host: exit code 1: The list of missing tools: lspci,ifconfig," in result["msg"]
    assert "Install pciutils (lspci), net-tools (ifconfig)" in result["msg"]
    assert len(commands) == 1, "the firmware must not be touched after a failed driver"
    assert [row["kind"] for row in result["packages"]] == ["driver"]


def test_a_failure_tagged_info_is_a_failure(host: FakeHost, run: t.Callable) -> None:
    host.installers["driver"] = (0, f"{DRIVER_LINE}[INFO]Failed to install driver package, please retry after uninstall and reboot!\n", "")
    result, _commands = run([host.driver])
    assert result["failed"] and "Remove driver and firmware (state: absent), reboot, and install again." in result["msg"]


def test_success_without_the_version_on_disk_is_a_failure(host: FakeHost, run: t.Callable) -> None:
    host.writes = False
    result, _commands = run([host.driver])
    assert result["failed"]
    assert "reported success (Driver package installed successfully! The new version takes effect immediately.)" in result["msg"]
    assert f"but {host.install_path}/driver/version.info does not exist, expected 24.1.0" in result["msg"]


def test_installer_that_never_ends(host: FakeHost, run: t.Callable) -> None:
    host.installers["driver"] = (124, "", "")
    result, _commands = run([host.driver], timeout=5)
    assert result["failed"]
    assert f"{host.driver} did not end within 5 s and was stopped; the driver may be half installed, which the next run repairs." in result["msg"]


def test_interrupted_installation_is_made_again(host: FakeHost, run: t.Callable) -> None:
    host.info.write_text(f"UserName=HwHiAiUser\nUserGroup=HwHiAiUser\nDriver_Install_Path_Param={host.install_path}\n", encoding="utf-8")
    result, commands = run([host.driver])
    assert commands == [("bash", host.driver, *FULL, "--install-for-all")]
    assert result["packages"][0]["installed_before"] is None


def test_driver_without_a_recorded_end_that_does_not_run_is_made_again(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", DRIVER_INFO, status="")
    result, commands = run([host.driver])
    assert len(commands) == 1 and result["packages"][0]["action"] == "install"


def test_driver_of_an_older_kind_that_runs_is_left_alone(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", DRIVER_INFO, status="")
    host.running = ("24.1.0", "7.5.0.3.220")
    result, commands = run([host.driver])
    assert commands == [] and result["changed"] is False


@pytest.mark.parametrize(
    "answer",
    [
        (127, "", "npu-smi: error while loading shared libraries: libc_sec.so: cannot open shared object file\n"),
        (172, "dcmi model initialized failed, because the device is used. ret is -8020\n", ""),
        (172, "dcmi module initialize failed. ret is -8020\n", ""),
        (0, "There is no NPU card on this server.\n", ""),
        (0, "\tTotal Count                    : 2\n\n\tNPU ID                         : 0\n\tChip Count                     : 1\n", ""),
    ],
)
def test_driver_that_answers_oddly_is_not_installed_again(host: FakeHost, run: t.Callable, answer: tuple) -> None:
    host.install("driver", DRIVER_INFO, status="")
    host.running = ("24.1.0", "7.5.0.3.220")
    host.odd[("info", "-l")] = answer
    result, commands = run([host.driver])
    assert commands == [] and result["changed"] is False


def test_versions_are_those_of_an_npu_that_is_there(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", DRIVER_INFO, status="")
    host.running = ("24.1.rc3", "7.5.0.3.220")
    lost = "\n\tNPU ID                         : -1\n\tChip Count                     : 0\n"
    host.odd = {
        ("info", "-l"): (0, f"\tTotal Count : 3\n{lost}{lost}\n\tNPU ID : 1\n\tChip Count : 1\n", ""),
        ("info", "-t", "board", "-i", "-1"): (208, "Invalid card id.\n", ""),
    }
    _result, commands = run([host.driver])
    assert len(commands) == 1, "what runs is another version, so what is on disk is half there"


def test_reboot_that_an_earlier_run_did_not_make(host: FakeHost, run: t.Callable) -> None:
    host.both_installed()
    host.running = ("24.1.0", "7.5.0.1.129")
    result, _commands = run()
    assert result["changed"] is False
    assert result["reboot_required"] is True
    assert {row["kind"]: row["reboot_required"] for row in result["packages"]} == {"driver": False, "firmware": True}


def test_versions_that_do_not_run_although_the_host_was_rebooted_ask_for_no_reboot(
    host: FakeHost, run: t.Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.both_installed()
    host.running = None
    monkeypatch.setattr(core, "boot_time", lambda: 4_000_000_000.0)
    result, _commands = run()
    assert result["reboot_required"] is False


def refused(run: t.Callable, *packages: str, **options: t.Any) -> str:
    result, commands = run(list(packages) or None, **options)
    assert result["failed"] and result["changed"] is False and commands == [], result
    return result["msg"]


@pytest.mark.parametrize("check", [False, True])
def test_missing_package(host: FakeHost, run: t.Callable, check: bool) -> None:
    missing = f"{host.packages}/none/{DRIVER_FILE}"
    assert refused(run, missing, check=check) == (
        f"packages: {missing} does not exist on the managed host. Copy the package there first, or correct the path."
    )


def test_an_installed_package_need_not_be_there(host: FakeHost, run: t.Callable) -> None:
    host.both_installed()
    for package in (host.driver, host.firmware):
        os.unlink(package)
    result, commands = run(allow_missing=True)
    assert (result["changed"], commands, [row["action"] for row in result["packages"]]) == (False, [], ["none", "none"])
    assert "does not exist on the managed host" in refused(run)


def test_a_check_run_tells_which_missing_packages_have_to_be_brought(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", DRIVER_INFO)
    host.running = ("24.1.0", "7.1.0.9.220")
    for package in (host.driver, host.firmware):
        os.unlink(package)
    result, commands = run(check=True, allow_missing=True)
    assert commands == []
    assert {row["kind"]: row["action"] for row in result["packages"]} == {"driver": "none", "firmware": "install"}
    # Without check mode it is an error, and the driver that is there does not hide it.
    assert refused(run, host.driver, host.firmware, allow_missing=True) == (
        f"packages: {host.firmware} does not exist on the managed host. Copy the package there first, or correct the path."
    )


def test_a_missing_package_for_another_host_is_refused_by_its_name(host: FakeHost, run: t.Callable) -> None:
    for name, said in (("Ascend-hdk-910b-npu-driver_24.1.0_linux-x86-64.run", "is for x86_64"), ("Ascend-hdk-310p-npu-firmware_7.5.0.3.220.run", "310P")):
        assert said in refused(run, f"{host.packages}/{name}", check=True, allow_missing=True)


def test_directory_instead_of_a_package(host: FakeHost, run: t.Callable) -> None:
    assert f"packages: {host.packages} cannot be read: Is a directory" in refused(run, str(host.packages))


def test_relative_path(run: t.Callable) -> None:
    assert "packages: --help is a relative path." in refused(run, "--help")


@pytest.mark.parametrize("check", [False, True])
def test_damaged_package(host: FakeHost, run: t.Callable, check: bool) -> None:
    broken = (2, "Verifying archive integrity...Error in SHA256 checksums: aa is different from bb\n", "")
    host.check = host.version["driver"] = broken
    message = refused(run, host.driver, check=check)
    assert f"packages: {host.driver} does not pass its own check (--check, exit code 2): " in message
    assert "The package is damaged or not complete." in message


def test_package_damaged_behind_its_version(host: FakeHost, run: t.Callable) -> None:
    host.check = (1, "Error in MD5 checksums: aa is different from bb\n", "")
    assert "does not pass its own check" in refused(run)


def test_cann_and_driver_in_one_task(host: FakeHost, run: t.Callable) -> None:
    path = host.package("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run")
    result, commands = run([path, host.driver])
    assert result["msg"] == f"packages: {host.driver} is no package of CANN, and others are. Name driver and firmware in a task of their own."
    assert commands == []


def test_wrong_architecture(host: FakeHost, run: t.Callable) -> None:
    path = host.package(DRIVER_FILE.replace("aarch64", "x86-64"))
    assert f"{path} is for x86_64, this host is aarch64." in refused(run, path)


def test_wrong_architecture_told_by_the_archive(host: FakeHost, run: t.Callable) -> None:
    path = host.package("driver.run", b'#!/bin/sh\nlabel="ASCEND DRIVER RUN PACKAGE"\n')
    host.check = host.version["driver"] = (1, "[Driver] [x] [ERROR]\x1b[31mArch mismatch, src package is x86-64, cur os is aarch64 \x1b[0m\n", "")
    assert "Arch mismatch, src package is x86-64, cur os is aarch64" in refused(run, path)


def test_wrong_chip(host: FakeHost, run: t.Callable) -> None:
    path = host.package(DRIVER_FILE.replace("910b", "310p"))
    assert "is for the chip family 310P, the PCI bus of this host shows 910B." in refused(run, path)


def test_wrong_kind_told_by_the_archive(host: FakeHost, run: t.Callable) -> None:
    host.version["driver"] = host.version["firmware"]
    assert "is a driver package by its name, but says that it is a firmware package" in refused(run, host.driver)


def test_missing_user(host: FakeHost, run: t.Callable) -> None:
    host.user = None
    assert "username: the user HwHiAiUser does not exist. Create it first" in refused(run)


def test_busy_npus(host: FakeHost, run: t.Callable) -> None:
    host.npu_users = [(4711, "mindieservice")]
    assert "in use by 1 process(es): mindieservice (pid 4711)" in refused(run)


def test_older_package(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", "Version=25.0.rc1.1\n")
    assert "would replace driver 25.0.rc1.1 by the older 24.1.0" in refused(run, host.driver)


def test_older_package_with_force(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", "Version=25.0.rc1.1\n")
    host.running = ("25.0.rc1.1", "7.7.0.1.231")
    result, commands = run([host.driver], force=True)
    assert [command[2:] for command in commands] == [("--nox11", "--upgrade", "--quiet")]
    assert result["packages"][0]["installed_after"] == "24.1.0"


def test_two_drivers(host: FakeHost, run: t.Callable) -> None:
    other = host.package(DRIVER_FILE.replace("24.1.0", "24.1.rc3"))
    assert "are all driver packages" in refused(run, host.driver, other)


def test_version_from_the_file_name(host: FakeHost, run: t.Callable) -> None:
    host.version["firmware"] = (0, "[Firmware] [x] [INFO]nothing to say\n", "")
    host.both_installed()
    result, _commands = run([host.firmware])
    assert result["packages"][0]["package_version"] == "7.5.0.3.220" and result["changed"] is False


def test_hanging_package(host: FakeHost, run: t.Callable) -> None:
    host.version["driver"] = (124, "", "")
    assert f"bash {host.driver} --version gave no result within 300 s" in refused(run, host.driver)


def test_ordinary_user(run: t.Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only by root. Run the task with become: true." in refused(run)


def test_install_path_is_checked(host: FakeHost, run: t.Callable) -> None:
    assert "install_path: '/opt/a b' is not usable" in refused(run, install_path="/opt/a b")


def test_misfit_is_told(host: FakeHost, run: t.Callable) -> None:
    host.install("driver", "Version=24.1.0\ncompatible_version_fw=[7.0.0,7.2.99]\n")
    host.running = ("24.1.0", "7.1.0.5.220")
    result, _commands = run([host.firmware])
    assert result["warnings"] == [
        "Driver and firmware may not fit (warn): driver 24.1.0 names firmware [7.0.0,7.2.99], found 7.5.0.3.220."
    ]


def test_remove(host: FakeHost, run: t.Callable) -> None:
    host.both_installed()
    gone = "package uninstalled successfully! "
    host.installers["driver"] = (0, f"{DRIVER_LINE}[INFO]Driver {gone}Reboot needed for uninstallation to take effect! \n", "")
    host.installers["firmware"] = (0, f"{FIRMWARE_LINE}[INFO]Firmware {gone}Uninstallation takes effect immediately.\n", "")
    script = f"{host.install_path}/{{}}/script/uninstall.sh"
    planned, commands = run(state="absent", check=True)
    assert commands == [] and planned["changed"] is True
    assert [row["message"] for row in planned["packages"]] == ["The firmware would be uninstalled.", "The driver would be uninstalled."]
    result, commands = run(state="absent")
    assert commands == [("bash", script.format("firmware"), "--quiet"), ("bash", script.format("driver"), "--quiet")]
    assert result["diff"] == {"before": {"firmware": "7.5.0.3.220", "driver": "24.1.0"}, "after": {"firmware": None, "driver": None}}
    assert result["reboot_required"] is True


def test_remove_what_is_not_there(run: t.Callable) -> None:
    result, commands = run(state="absent")
    assert commands == [] and result["changed"] is False and result["packages"] == []


def test_remove_what_the_installer_says_is_gone(host: FakeHost, run: t.Callable) -> None:
    host.install("firmware", FIRMWARE_INFO)
    (host.install_path / "firmware" / "version.info").unlink()
    said = "ERR_NO:0x0080;ERR_DES:Firmware package is not installed on this device, uninstall failed"
    host.installers["firmware"] = (1, f"{FIRMWARE_LINE}[ERROR]{said}\n", "")
    result, _commands = run(state="absent")
    assert not result.get("failed")


def test_remove_of_a_half_installed_driver_without_its_script(host: FakeHost, run: t.Callable) -> None:
    host.info.write_text(f"Driver_Install_Path_Param={host.install_path}\n", encoding="utf-8")
    result, commands = run(state="absent")
    assert result["failed"] and commands == []
    assert "uninstall.sh does not exist, although a driver is recorded" in result["msg"]


def test_remove_takes_no_packages(host: FakeHost, run_module: t.Callable) -> None:
    result, _commands = run_module(ascend_package, {"state": "absent", "packages": [host.driver]}, host.answer)
    assert result["failed"] and "packages: is not used with state: absent" in result["msg"]
