# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The built .run files, run by a shell on a host below a temporary directory."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from npusim import packages
from npusim.installer import MAX_QUESTIONS, REQUIRED_TOOLS
from npusim.state import State

SIMULATOR = Path(__file__).resolve().parents[2] / "simulator"
SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "cli" / "host-files"
INTACT = "Verifying archive integrity...  100%   SHA256 checksums are OK. All good.\n"
FULL = ("--full", "--install-for-all", "--quiet")


class Reply(t.NamedTuple):
    rc: int
    stdout: str
    stderr: str

    @property
    def messages(self) -> list[str]:
        """What the installer said, without who and when."""
        return [line.split("] ", 2)[2] for line in self.stdout.splitlines() if re.match(r"\[(Driver|Firmware)\] \[", line)]


class Machine:
    """A host with eight NPUs, the user of the driver and the tools that the installer wants."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {
            **os.environ, "NPUSIM_ROOT": str(root), "NPUSIM_HOME": str(SIMULATOR), "NPUSIM_PLANE_IF": "none", "NPUSIM_UID": "0",
            "NPUSIM_INSTALL_SECONDS": "0", "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin:/sbin:/bin",
        }
        self.environment.pop("NPUSIM_STATE", None)

    def make(self) -> None:
        for folder in ("etc", "usr/bin", "usr/local", "opt"):
            (self.root / folder).mkdir(parents=True)
        for folder in (self.root, *self.root.rglob("*")):
            folder.chmod(0o755)
        self.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nHwHiAiUser:x:1000:1000::/home/HwHiAiUser:/bin/bash\n")
        self.write("etc/group", "root:x:0:\nHwHiAiUser:x:1000:\nusers:x:100:\n")
        for names in REQUIRED_TOOLS:
            self.write("usr/bin/" + names.split(",")[0], "").chmod(0o755)
        self.control("init")
        self.control("pci", str(self.root / "sys/bus/pci/devices"))

    def copy(self, root: Path) -> Machine:
        shutil.copytree(self.root, root, symlinks=True)
        return Machine(root)

    def write(self, path: str, text: str) -> Path:
        target = self.root / path
        target.write_text(text, encoding="utf-8")
        return target

    def read(self, path: str) -> str:
        return (self.root / path).read_text(encoding="utf-8")

    def control(self, *words: str) -> str:
        done = subprocess.run(["python3", "-S", "-m", "npusim.control", *words], env={**self.environment, "PYTHONPATH": str(SIMULATOR)},
                              stdout=subprocess.PIPE, check=True, text=True)
        return done.stdout

    def start(self, *words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(["bash", *map(str, words)], env=self.environment, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def run(self, *words: str | Path, stdin: str = "", **environment: str) -> Reply:
        before, self.environment = self.environment, {**self.environment, **environment}
        try:
            process = self.start(*words)
            stdout, stderr = process.communicate(stdin, timeout=60)
        finally:
            self.environment = before
        return Reply(process.returncode, stdout, stderr)

    @property
    def state(self) -> State:
        return State.load(str(self.root / "var/lib/npusim/state.json"))

    def tree(self) -> dict[str, t.Any]:
        """Every file below the root; the logs and locks of a refused run are allowed."""
        return {
            str(path.relative_to(self.root)): path.read_bytes() if path.is_file() else None for path in sorted(self.root.rglob("*"))
            if not re.search(r"ascend_seclog|var/log$|\.lock$", str(path))
        }


class Built(t.NamedTuple):
    driver: Path
    firmware: Path


def build(folder: Path, driver: str = "24.1.0", firmware: str = "7.5.0.3.220", **options: str) -> Built:
    return Built(*map(Path, packages.build(str(folder), options.pop("arch", packages.local_arch()), driver, firmware, **options)))


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("newer"), "25.0.rc1.1", "7.7.0.1.231")


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine for what must change nothing, and to copy others from."""
    machine = Machine(tmp_path_factory.mktemp("bare") / "root")
    machine.make()
    return machine


@pytest.fixture(scope="session")
def with_driver(bare: Machine, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = bare.copy(tmp_path_factory.mktemp("with_driver") / "root")
    assert machine.run(built.driver, *FULL).rc == 0
    return machine


@pytest.fixture
def machine(bare: Machine, tmp_path: Path) -> Machine:
    return bare.copy(tmp_path / "root")


@pytest.fixture
def installed(with_driver: Machine, tmp_path: Path) -> Machine:
    """A machine with driver 24.1.0, installed for all."""
    return with_driver.copy(tmp_path / "root")


def sample(name: str) -> str:
    """The message of a captured line."""
    return (SAMPLES / name).read_text(encoding="utf-8").rstrip("\n").split("] ", 2)[-1]


# --- the archive


def test_the_same_input_gives_the_same_bytes(built: Built, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert built.driver.name == f"Ascend-hdk-910b-npu-driver_24.1.0_linux-{packages.local_arch()}.run"
    assert built.firmware.name == "Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run"
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in built]
    assert all(path.stat().st_mode & 0o111 for path in again)


def test_checks_itself(bare: Machine, built: Built) -> None:
    for package in built:
        reply = bare.run(package, "--check")
        assert (reply.rc, reply.stderr) == (0, "")
        assert reply.stdout.startswith(INTACT * 2)
    assert bare.state.driver == {"installed": False}


def test_lists_and_unpacks_without_running(bare: Machine, built: Built, tmp_path: Path) -> None:
    before = bare.tree()
    assert "./version.info\n" in bare.run(built.driver, "--list").stdout
    assert bare.run(built.driver, "--info").stdout.startswith("Identification: ASCEND DRIVER RUN PACKAGE")
    assert "--extract=<path>" in bare.run(built.driver, "--help").stdout
    reply = bare.run(built.driver, "--noexec", f"--extract={tmp_path}/out")
    assert (reply.rc, reply.stdout) == (0, INTACT + "Uncompressing ASCEND DRIVER RUN PACKAGE  100%  \n")
    assert (tmp_path / "out/version.info").read_text().startswith("Version=24.1.0\n")
    assert bare.tree() == before


@pytest.mark.parametrize("damage", [lambda data: data[:-10], lambda data: data[:-10] + b"X" + data[-9:]], ids=["cut", "altered"])
def test_a_damaged_package_changes_nothing(bare: Machine, built: Built, tmp_path: Path, damage: t.Callable[[bytes], bytes]) -> None:
    broken = tmp_path / "broken.run"
    broken.write_bytes(damage(built.driver.read_bytes()))
    before = bare.tree()
    for words in (["--check"], FULL):
        reply = bare.run(broken, *words)
        # 2 as of makeself, which for a driver means success: whoever runs it has to check first.
        assert reply.rc == 2
        assert reply.stderr.startswith("Error in SHA256 checksums: ")
    assert bare.tree() == before


def test_refuses_a_machine_that_is_no_simulated_host(bare: Machine, built: Built, tmp_path: Path) -> None:
    reply = bare.run(built.driver, *FULL, NPUSIM_HOME=str(tmp_path))
    assert reply.rc == 1
    assert "npusim is missing: run it on a simulated host." in reply.stdout


# --- driver


def test_installs_a_driver_at_once(machine: Machine, built: Built) -> None:
    # The guide's call, without --quiet: nothing is installed, so nothing is asked.
    reply = machine.run(built.driver, "--full", "--install-for-all")
    assert (reply.rc, reply.stderr) == (0, "")
    assert reply.stdout.startswith(INTACT + "Uncompressing ASCEND DRIVER RUN PACKAGE  100%  \n[Driver] [")
    assert sample("driver-install--takes-effect-immediately.txt") in reply.messages
    assert [message for message in reply.messages if "Percentage" in message] == [
        f"[INFO]upgradePercentage:{percent}%" for percent in (10, 30, 40, 90, 100)]
    assert machine.read("etc/ascend_install.info") == (
        "UserName=HwHiAiUser\nUserGroup=HwHiAiUser\nDriver_Install_Type=full\nDriver_Install_Path_Param=/usr/local/Ascend\n"
        "Driver_Install_For_All=yes\nDriver_Install_Mode=normal\nDriver_Install_Status=complete\n")
    driver = machine.root / "usr/local/Ascend/driver"
    keys = [line.split("=")[0] for line in (driver / "version.info").read_text().splitlines()]
    assert keys == [line.split("=")[0] for line in (SAMPLES / "driver-version.info--24.1.rc1.txt").read_text().splitlines()] + ["package_version"]
    assert stat.S_IMODE((driver / "tools/hccn_tool").stat().st_mode) == 0o555
    assert os.readlink(machine.root / "usr/bin/hccn_tool") == "/usr/local/Ascend/driver/tools/hccn_tool"
    assert (driver / "lib64/common").is_dir() and (driver / "lib64/driver").is_dir()
    conf = machine.root / "etc/hccn.conf"
    assert (conf.read_bytes(), stat.S_IMODE(conf.stat().st_mode)) == (b"", 0o644)
    nodes = sorted(path.name for path in (machine.root / "dev").iterdir())
    assert nodes == [*(f"davinci{number}" for number in range(8)), "davinci_manager", "devmm_svm", "hisi_hdc"]
    assert stat.S_IMODE((machine.root / "dev/davinci0").stat().st_mode) == 0o666
    assert (machine.root / "etc/systemd/system/multi-user.target.wants/ascend-driver.service").exists()
    assert machine.state.driver == {"installed": True, "version": "24.1.0"}
    assert " success install_type=full; " in machine.read("var/log/ascend_seclog/operation.log")
    # The tools answer as soon as the installer is done.
    assert machine.run(machine.root / "usr/local/sbin/npu-smi", "-v").stdout == "npu-smi version: 24.1.0\n"
    assert machine.run(driver / "tools/hccn_tool", "-i", "0", "-link", "-g").stdout == "link status: UP\n"


def test_nodes_belong_to_the_group_unless_installed_for_all(machine: Machine, built: Built) -> None:
    assert machine.run(built.driver, "--full", "--quiet").rc == 0
    assert stat.S_IMODE((machine.root / "dev/davinci7").stat().st_mode) == 0o660
    assert "Driver_Install_For_All=no\n" in machine.read("etc/ascend_install.info")


def test_tells_its_version(bare: Machine, built: Built) -> None:
    before = bare.tree()
    assert "[INFO]driver version :24.1.0" in bare.run(built.driver, "--version").messages
    assert "[INFO]firmware version :7.5.0.3.220" in bare.run(built.firmware, "--version").messages
    assert bare.tree() == before


@pytest.mark.parametrize("words, message", [
    ((), "ERR_NO:0x0004;ERR_DES: Unrecognized parameters. Try './xxx.run --help' for more information."),
    (("--bogus",), "ERR_NO:0x0004;ERR_DES: Unrecognized parameters: --bogus. Try './xxx.run --help' for more information."),
    (("--full", "--run"), "ERR_NO:0x0004;ERR_DES:only support one type: full/debug/run/docker/devel, operation failed!"),
    (("--version", "--quiet"), "ERR_NO:0x0004;ERR_DES:version/check can't use with other parameters."),
    (("--uninstall", "--quiet"), "ERR_NO:0x0004;ERR_DES:uninstall can't use with other parameters except force."),
    (("--quiet",), "ERR_NO:0x0004;ERR_DES:The parameter needs to be used with full/debug/run/docker/upgrade/devel."),
    (("--full", "--upgrade"), "ERR_NO:0x0004;ERR_DES:The parameter needs to be used with full/debug/run/docker/upgrade/devel."),
    (("--force",), "ERR_NO:0x0004;ERR_DES:The parameter needs to be used with full/debug/run/upgrade/uninstall."),
    (("--upgrade", "--install-for-all"), "ERR_NO:0x0004;ERR_DES:install-for-all param need used with full/debug/run/devel."),
    (("--upgrade", "--install-path=/opt"), "ERR_NO:0x0004;ERR_DES:install-path param need used with full/debug/run/docker/devel."),
    (("--full", "--install-username=root"), "ERR_NO:0x0004;ERR_DES:Username and usergroup are not specified at the same time."),
    (("--full", "--quiet", "--install-username=root", "--install-usergroup=root"), "ERR_NO:0x0091;ERR_DES:username not permission for root"),
    (("--full", "--quiet", "--install-username=nobody", "--install-usergroup=users"),
     "ERR_NO:0x0091;ERR_DES:nobody not exists! Please add nobody"),
    (("--full", "--quiet", "--install-username=HwHiAiUser", "--install-usergroup=users"),
     "ERR_NO:0x0096;ERR_DES:users not right! Please check the relatianship of HwHiAiUser and users"),
    (("--full", "--quiet", "--install-path="), "ERR_NO:0x0003;ERR_DES:install path is null, install failed"),
    (("--full", "--quiet", "--install-path=/opt/a b"),
     "ERR_NO:0x0003;ERR_DES:The install-path [/opt/a b] is invalid according to regular-expression, only characters in "
     "[a-z,A-Z,0-9,-,_] are supported."),
    (("--full", "--quiet", "--install-path=/opt/a/b"),
     "ERR_NO:0x0003;ERR_DES:install path /opt/a not exists,runpackage only support create one level of directory,need create /opt/a."),
    (("--uninstall",), "ERR_NO:0x0080;ERR_DES:Driver package is not installed on this device, uninstall failed"),
], ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_refuses(bare: Machine, built: Built, words: tuple[str, ...], message: str) -> None:
    before = bare.tree()
    reply = bare.run(built.driver, *words)
    assert (reply.rc, "[ERROR]" + message in reply.messages) == (1, True), reply.stdout
    assert bare.tree() == before


def test_wants_root(bare: Machine, built: Built) -> None:
    reply = bare.run(built.driver, *FULL, NPUSIM_UID="1000")
    assert reply.rc == 1
    assert "[ERROR]ERR_NO:0x0093;ERR_DES:do not have root permission, operation failed, please use root permission!" in reply.messages


def test_wants_its_user(machine: Machine, built: Built) -> None:
    machine.write("etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    reply = machine.run(built.driver, *FULL)
    assert reply.rc == 1
    assert sample("driver-install--no-such-user.txt") in reply.messages


def test_wants_its_architecture(bare: Machine, tmp_path: Path) -> None:
    arch, other = ("x86_64", "aarch64") if packages.local_arch() == "x86-64" else ("aarch64", "x86-64")
    foreign = build(tmp_path / "foreign", arch=other).driver
    for words in (("--version",), FULL):
        reply = bare.run(foreign, *words)
        assert reply.rc == 1
        assert f"[ERROR]\033[31mArch mismatch, src package is {other}, cur os is {arch} \033[0m" in reply.messages


def test_wants_its_chip(bare: Machine, tmp_path: Path) -> None:
    foreign = build(tmp_path / "foreign", chip="A3").driver
    reply = bare.run(foreign, *FULL)
    assert reply.rc == 1
    assert "[ERROR]The current installation package and environment is not match, please check." in reply.messages


def test_wants_its_tools(machine: Machine, built: Built) -> None:
    for tool in ("lspci", "modprobe", "udevadm", "modinfo", "ifconfig"):
        (machine.root / "usr/bin" / tool).unlink()
    reply = machine.run(built.driver, *FULL)
    assert reply.rc == 1
    assert "[ERROR]The list of missing tools: lspci,ifconfig,modprobe,udevadm,modinfo," in reply.messages
    assert not (machine.root / "etc/ascend_install.info").exists()


def test_wants_a_path_that_others_can_enter(machine: Machine, built: Built) -> None:
    (machine.root / "opt").chmod(0o700)
    reply = machine.run(built.driver, "--full", "--quiet", "--install-path=/opt/npu")
    assert reply.rc == 1
    assert "permission is too small" in reply.stdout
    (machine.root / "opt").chmod(0o755)
    assert machine.run(built.driver, "--full", "--quiet", "--install-path=/opt/npu").rc == 0
    assert "Driver_Install_Path_Param=/opt/npu\n" in machine.read("etc/ascend_install.info")
    assert "Version=24.1.0\n" in machine.read("opt/npu/driver/version.info")


def test_takes_another_user_for_good(machine: Machine, built: Built) -> None:
    root_user = ("--install-username=root", "--install-usergroup=root")
    assert machine.run(built.driver, *FULL, *root_user).rc == 0
    assert machine.read("etc/ascend_install.info").startswith("UserName=root\nUserGroup=root\n")
    reply = machine.run(built.driver, *FULL, "--install-username=HwHiAiUser", "--install-usergroup=HwHiAiUser")
    assert reply.rc == 1
    message = "[ERROR]ERR_NO:0x0095;ERR_DES:The user and group are not same with last installation,do not support overwriting installation"
    assert message in reply.messages
    # Without a user it takes the recorded one, and root has to be named each time.
    assert "[ERROR]ERR_NO:0x0091;ERR_DES:username not permission for root, check /etc/ascend_install.info" in machine.run(
        built.driver, *FULL).messages


def test_an_upgrade_takes_effect_with_the_next_boot(installed: Machine, built: Built, newer: Built) -> None:
    installed.write("etc/hccn.conf", "address_0=10.89.17.1\nnetmask_0=255.255.240.0\n")
    reply = installed.run(newer.driver, "--upgrade", "--quiet")
    assert reply.rc == 2
    assert "[INFO]base version is 24.1.0." in reply.messages
    assert sample("driver-install--reboot-needed.txt").replace("installed", "upgraded") in reply.messages
    assert installed.state.driver["version"] == "24.1.0"
    assert "Version=25.0.rc1.1\n" in installed.read("usr/local/Ascend/driver/version.info")
    assert "Driver_Install_For_All=yes\n" in installed.read("etc/ascend_install.info")
    installed.control("boot")
    assert installed.state.driver["version"] == "25.0.rc1.1"
    # The boot also brings what was configured back to the devices.
    assert installed.state.device(0)["address"] == "10.89.17.1"


def test_an_installation_over_another_needs_a_boot(installed: Machine, built: Built) -> None:
    reply = installed.run(built.driver, *FULL)
    assert reply.rc == 2
    assert sample("driver-install--reboot-needed.txt") in reply.messages


def test_asks_for_ever_but_not_here(installed: Machine, built: Built) -> None:
    before = installed.tree()
    reply = installed.run(built.driver, "--full")
    assert reply.rc == 1
    assert reply.messages.count("[ERROR]ERR_NO:0x0002;ERR_DES:input error, please input again!") == MAX_QUESTIONS
    refused = installed.run(built.driver, "--full", stdin="no\nn\n")
    assert (refused.rc, refused.messages[-2]) == (0, "[INFO]installation Stoped!")
    assert installed.tree() == before
    assert installed.run(built.driver, "--full", stdin="y\n").rc == 2


def test_does_not_pull_nodes_away_from_a_process(installed: Machine, built: Built) -> None:
    with open(installed.root / "dev/davinci3", encoding="utf-8"):
        for words in (FULL, ("--uninstall",)):
            reply = installed.run(built.driver, *words)
            assert reply.rc == 1
            assert "The davinci nodes are occupied by some processes, please stop processes and install or uninstall again" in reply.stdout
        reply = installed.run(built.driver, "--full", "--quiet", "--force")
        assert reply.rc == 2
        assert "Kernel modules can not be removed, reboot needed for installation/upgrade to take effect! " in reply.stdout
    assert installed.run(built.driver, "--uninstall").rc == 0


def test_sees_containers_that_were_given_nodes(installed: Machine, built: Built) -> None:
    docker = '#!/bin/sh\ncase $1 in ps) echo 4711 ;; inspect) echo \'"PathOnHost": "/dev/davinci0",\' ;; esac\n'
    installed.write("usr/bin/docker", docker).chmod(0o755)
    assert "The davinci nodes are occupied" in installed.run(built.driver, *FULL).stdout


# --- firmware


def test_firmware_wants_a_driver(machine: Machine, built: Built) -> None:
    before = machine.tree()
    reply = machine.run(built.firmware, "--full", "--quiet")
    assert reply.rc == 1
    assert "The driver is not installed or not loaded" in reply.stdout
    assert {path: text for path, text in machine.tree().items() if path != "usr/local/Ascend"} == before


def test_firmware_runs_after_the_next_boot(installed: Machine, built: Built) -> None:
    reply = installed.run(built.firmware, "--full", "--quiet")
    assert reply.rc == 0
    assert [message for message in reply.messages if "ercentage" in message] == [
        f"[INFO]upgradePercentage: {percent}%" for percent in (0, 90, 100)]
    assert "[INFO]The firmware of [8] chips are successfully upgraded." in reply.messages
    assert "[INFO]" + sample("firmware-install--success.txt") in reply.messages
    assert installed.read("usr/local/Ascend/firmware/version.info").startswith("Version=7.5.0.3.220\nfirmware_version=1.0\npackage_version=24.1.0\n")
    assert installed.read("etc/ascend_install.info").endswith("Firmware_Install_Type=full\nFirmware_Install_Path_Param=/usr/local/Ascend\n")
    board = installed.run(installed.root / "usr/local/sbin/npu-smi", "info", "-t", "board", "-i", "0").stdout
    assert "\tFirmware Version               : 7.1.0.5.220\n" in board
    installed.control("boot")
    board = installed.run(installed.root / "usr/local/sbin/npu-smi", "info", "-t", "board", "-i", "0").stdout
    assert "\tFirmware Version               : 7.5.0.3.220\n" in board
    assert "\tCompatibility                  : OK\n" in board


# --- faults


def test_fails_on_demand(machine: Machine, built: Built) -> None:
    machine.control("fault", "set", "installer-exit", "kind=driver", "code=1")
    reply = machine.run(built.driver, *FULL)
    assert reply.rc == 1
    assert "[INFO]Failed to install driver package, please retry after uninstall and reboot!" in reply.messages
    # The record is there, the driver is not.
    assert "Driver_Install_Path_Param=/usr/local/Ascend\n" in machine.read("etc/ascend_install.info")
    assert "Driver_Install_Status" not in machine.read("etc/ascend_install.info")
    assert machine.state.driver["installed"] is False
    machine.control("fault", "clear")
    assert machine.run(built.driver, *FULL).rc == 0


def test_cannot_reset_the_devices_on_demand(machine: Machine, built: Built) -> None:
    machine.control("fault", "set", "installer-exit", "code=2")
    reply = machine.run(built.driver, *FULL)
    assert reply.rc == 2
    assert sample("driver-install--reboot-needed.txt") in reply.messages
    assert machine.run(machine.root / "usr/local/sbin/npu-smi", "info").rc == 187
    machine.control("boot")
    assert machine.run(machine.root / "usr/local/sbin/npu-smi", "info").rc == 0
    assert machine.run(built.firmware, "--full", "--quiet").rc == 2


def test_can_be_killed_and_run_again(machine: Machine, built: Built) -> None:
    machine.control("fault", "set", "installer-slow", "seconds=60")
    process = machine.start(built.driver, *FULL)
    assert process.stdout is not None
    for line in process.stdout:
        if "Percentage:40%" in line:
            break
    second = machine.run(built.driver, *FULL)
    assert second.rc == 1
    assert "ERR_NO:0x0094;ERR_DES:There is already a process being executed" in second.stdout
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    machine.control("fault", "clear")
    assert not (machine.root / "usr/local/Ascend/driver/version.info").exists()
    assert machine.state.driver["installed"] is False
    deadline = time.monotonic() + 10
    while (reply := machine.run(built.driver, *FULL)).rc == 1 and "0x0094" in reply.stdout and time.monotonic() < deadline:
        time.sleep(0.1)
    assert reply.rc == 0
    assert machine.state.driver == {"installed": True, "version": "24.1.0"}


# --- removal


def test_uninstalls_both(installed: Machine, built: Built) -> None:
    assert installed.run(built.firmware, "--full", "--quiet").rc == 0
    reply = installed.run(installed.root / "usr/local/Ascend/driver/script/uninstall.sh", "--quiet")
    assert reply.rc == 0
    assert "[INFO]\033[32mDriver package uninstalled successfully! Uninstallation takes effect immediately. \033[0m" in reply.messages
    assert installed.read("etc/ascend_install.info") == (
        "UserName=HwHiAiUser\nUserGroup=HwHiAiUser\nFirmware_Install_Type=full\nFirmware_Install_Path_Param=/usr/local/Ascend\n")
    assert list((installed.root / "dev").iterdir()) == []
    assert not (installed.root / "usr/local/sbin/npu-smi").exists()
    assert not (installed.root / "usr/bin/hccn_tool").is_symlink()
    assert (installed.root / "etc/hccn.conf").exists()
    assert installed.state.driver == {"installed": False}
    assert installed.run(built.firmware, "--uninstall").rc == 0
    assert not (installed.root / "etc/ascend_install.info").exists()
    assert not (installed.root / "usr/local/Ascend").exists()


def test_the_uninstall_script_takes_two_options(installed: Machine, built: Built) -> None:
    script = installed.root / "usr/local/Ascend/driver/script/uninstall.sh"
    reply = installed.run(script, "--uninstall")
    assert reply.rc == 1
    assert "[ERROR]ERR_NO:0x0004;ERR_DES: Unrecognized parameters: --uninstall. Only support '--quiet' and '--force'." in reply.messages
    forced = installed.run(script, "--force")
    assert (forced.rc, forced.messages[-1]) == (0, sample("driver-uninstall--reboot-needed.txt"))
    assert installed.state.driver["installed"] is True
    installed.control("boot")
    assert installed.state.driver["installed"] is False
