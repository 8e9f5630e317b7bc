# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installer inside the simulated driver and firmware packages: the rules, messages, files and exit codes of the real one.

    python3 -m npusim.installer install PACKAGE_DIR RUN_FILE_NAME [option]...
    python3 -m npusim.installer uninstall Driver|Firmware [--quiet] [--force]

The order of the checks, and what is already printed or written when one of them fails, follow the vendor's scripts.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import sys
import time

from npusim import control, faults, hardware, host
from npusim.host import INSTALL_INFO, read_info
from npusim.state import State, root

SECLOG = "/var/log/ascend_seclog"
INSTALL_LOG = SECLOG + "/ascend_install.log"
OPERATION_LOG = SECLOG + "/operation.log"
LOCK = "/var/lib/npusim/installer.lock"
DEFAULT_PATH = "/usr/local/Ascend"
DCMI = "/usr/local/dcmi/libdcmi.so"
DAVINCI_CONF = "/lib/davinci.conf"
DRIVER_FILES = (host.HCCN_TOOL, host.NPU_SMI, host.UNIT, host.UNIT_WANTED, DCMI, DAVINCI_CONF)

INSTALL_TYPES = ("full", "run", "debug", "devel", "docker")
# One of the names of a line is enough.
REQUIRED_TOOLS = (
    "which", "update-rc.d,chkconfig", "test", "groups", "awk", "chattr", "lsattr", "ldconfig", "wc", "lspci", "ifconfig", "chown", "chmod",
    "find", "sed", "ln", "modprobe", "cksum", "tail", "head", "udevadm", "modinfo", "useradd", "expr", "basename", "tty", "dirname", "rev",
    "id", "touch", "grep", "ps", "systemctl", "readlink",
)
FREE_SPACE_MB = {"Driver": 300, "Firmware": 32}
# The real thing asks for ever and fills the disk; here that is a failure with an end.
MAX_QUESTIONS = 200
INSTALL_SECONDS = 0.6

GREEN, RED, YELLOW, PLAIN = "\033[32m", "\033[31m", "\033[33m", "\033[0m"


class Stop(Exception):
    """The end of the run with an exit code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def _write(path: str, text: str, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    # Replaced, not rewritten: what is there may be read-only, or be running.
    if os.path.lexists(path):
        os.unlink(path)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(path, mode)


def _append(path: str, line: str) -> None:
    with open(root(path), "a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    os.chmod(root(path), 0o640)


class InstallInfo:
    """/etc/ascend_install.info: a key is updated by deleting its line and appending the new one, so the order tells the history."""

    def values(self) -> dict:
        return read_info(root(INSTALL_INFO))

    def put(self, key: str, value: str) -> None:
        self.drop(key)
        with open(root(INSTALL_INFO), "a", encoding="utf-8") as stream:
            stream.write(f"{key}={value}\n")
        os.chmod(root(INSTALL_INFO), 0o644)

    def drop(self, *keys: str) -> None:
        path = root(INSTALL_INFO)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as stream:
                lines = stream.readlines()
            with open(path, "w", encoding="utf-8") as stream:
                stream.writelines(line for line in lines if not any(f"{key}=" in line for key in keys))

    def forget(self, kind: str) -> None:
        """Remove what is recorded of one package; the file goes with the last one."""
        self.drop(*(f"{kind}_Install_{name}" for name in ("Type", "Path_Param", "Mode", "For_All", "Status")))
        if not any(key.endswith("_Install_Path_Param") for key in self.values()):
            os.unlink(root(INSTALL_INFO))


class Installer:
    """What installing and uninstalling have in common: messages, logs, the device nodes."""

    def __init__(self, kind: str, run_name: str, words: list[str]) -> None:
        self.kind = kind
        self.run_name = run_name
        self.words = words
        self.info = InstallInfo()
        self.started = time.strftime("%Y-%m-%d %H:%M:%S")
        self.quiet = False
        self.force = False
        self.operation = "Install"
        self.install_type = ""

    def log(self, text: str) -> None:
        _append(INSTALL_LOG, f"[{self.kind}] [{time.strftime('%Y-%m-%d %H:%M:%S')}] {text}")

    def say(self, text: str) -> None:
        sys.stdout.write(f"[{self.kind}] [{time.strftime('%Y-%m-%d %H:%M:%S')}] {text}\n")
        sys.stdout.flush()

    def fail(self, text: str) -> None:
        self.log(text)
        self.say(text)
        raise Stop(1)

    def error(self, number: str, text: str) -> None:
        self.fail(f"[ERROR]ERR_NO:{number};ERR_DES:{text}")

    def log_operation(self, result: str) -> None:
        _append(OPERATION_LOG, f"{self.operation} MAJOR root {self.started} 127.0.0.1 {self.run_name} {result} "
                               f"install_type={self.install_type}; cmdlist={' '.join(self.words)}.")

    def require_root(self) -> None:
        if host.uid() != 0:
            # Nothing is logged: an ordinary user cannot write the log.
            self.say("[ERROR]ERR_NO:0x0093;ERR_DES:do not have root permission, operation failed, please use root permission!")
            raise Stop(1)
        os.makedirs(root(SECLOG), exist_ok=True)
        os.chmod(root(SECLOG), 0o750)

    def installed_path(self) -> str:
        return self.info.values().get(f"{self.kind}_Install_Path_Param", "")

    def package_dir(self, install_path: str) -> str:
        return root(os.path.join(install_path, self.kind.lower()))

    def require_free_devices(self) -> None:
        if self.kind == "Driver" and not self.force and State.load().driver["installed"] and hardware.nodes_in_use():
            text = "[ERROR]{}The davinci nodes are occupied by some processes, please stop processes and install or uninstall again{}"
            self.log(text.format("", "."))
            self.say(text.format(RED, f", details in : {INSTALL_LOG} {PLAIN}"))
            self.say("[INFO]If you want to install or uninstall the driver forcibly, add the force parameter. For details, see [--help].")
            self.log_operation("failed")
            raise Stop(1)

    def remove_files(self, install_path: str) -> None:
        shutil.rmtree(self.package_dir(install_path), ignore_errors=True)
        if self.kind == "Driver":
            for path in DRIVER_FILES:
                if os.path.lexists(root(path)):
                    os.unlink(root(path))
            hardware.systemctl("daemon-reload")

    def uninstall(self) -> None:
        """Remove an installed package. Without a reset of the devices, the running version stays until the next boot."""
        path = self.installed_path()
        if not path:
            self.log_operation("failed")
            self.error("0x0080", f"{self.kind} package is not installed on this device, uninstall failed")
        self.require_free_devices()
        self.remove_files(path)
        if os.path.isdir(root(path)) and not os.listdir(root(path)):
            os.rmdir(root(path))
        self.info.forget(self.kind)
        self.log(f"[INFO]uninstall {self.kind.lower()} success")
        done = f"[INFO]{GREEN}{self.kind} package uninstalled successfully! "
        if self.kind == "Driver" and self.force:
            self.say(f"{done}{PLAIN}{RED}Reboot needed for uninstallation to take effect! {PLAIN}")
        else:
            if self.kind == "Driver":
                control.unload_driver()
            self.say(f"{done}Uninstallation takes effect immediately. {PLAIN}")
        self.log_operation("success")
        raise Stop(0)


class Uninstaller(Installer):
    """<path>/<package>/script/uninstall.sh"""

    def run(self) -> None:
        self.operation = "Uninstall"
        self.require_root()
        version = host.version_on_disk(self.kind)
        self.run_name = f"Ascend-{self.kind.lower()}-{version or 'none'}"
        if version:
            self.say(f"[INFO]base version is {version}.")
        for word in self.words:
            if word == "--quiet":
                self.quiet = True
            elif word == "--force":
                self.force = True
            else:
                self.log_operation("failed")
                self.error("0x0004", f" Unrecognized parameters: {word}. Only support '--quiet' and '--force'.")
        self.uninstall()


class Run(Installer):
    """One run of a package."""

    def __init__(self, package: str, run_name: str, words: list[str]) -> None:
        self.package = package
        self.about = read_info(os.path.join(package, "package.info"))
        super().__init__(self.about["kind"], run_name, words)
        self.version = read_info(os.path.join(package, "version.info"))["Version"]
        self.arch = read_info(os.path.join(package, "scene.info")).get("arch", "")
        recorded = self.info.values()
        self.user = recorded.get("UserName") or "HwHiAiUser"
        self.group = recorded.get("UserGroup") or "HwHiAiUser"
        self.user_given = self.group_given = False
        self.for_all = False
        self.path = ""
        self.path_given = False
        self.upgrade = self.removal = self.check_only = self.version_only = False
        self.mode = "normal"
        # Options that must stand alone, or of which there must be exactly one, are told by these two counts.
        self.counted = self.types = 0

    def run(self) -> None:
        if not self.words:
            self.say("[ERROR]ERR_NO:0x0004;ERR_DES: Unrecognized parameters. Try './xxx.run --help' for more information.")
            raise Stop(1)
        self.say(f"[INFO]Start time: {self.started}")
        self.say(f"[INFO]LogFile: {INSTALL_LOG}")
        self.say(f"[INFO]OperationLogFile: {OPERATION_LOG}")
        self.require_root()
        try:
            self.log(f"[INFO]UserCommand: {self.run_name} {' '.join(self.words)}")
            self.parse()
            self.check_host()
            with self.only_run():
                self.work()
        finally:
            self.say(f"[INFO]End time: {time.strftime('%Y-%m-%d %H:%M:%S')}")

    # Options

    def parse(self) -> None:
        for word in self.words:
            name, equals, value = word.partition("=")
            option = name[2:]
            if word in ("--" + kind for kind in INSTALL_TYPES):
                if self.install_type:
                    self.error("0x0004", "only support one type: full/debug/run/docker/devel, operation failed!")
                self.install_type = option
                self.mode = "debug" if option == "debug" else self.mode
                self.types += 1
            elif word == "--upgrade":
                self.upgrade = True
                self.operation = "Upgrade"
                self.types += 1
            elif word == "--uninstall":
                self.removal = True
                self.operation = "Uninstall"
            elif word == "--version":
                self.version_only = True
            elif word == "--check":
                self.check_only = True
            elif word == "--quiet":
                self.quiet = True
            elif word == "--force":
                self.force = True
            elif word == "--norebuild":
                continue
            elif word == "--install-for-all":
                self.for_all = True
                continue
            elif word == "--vnpu_guest":
                self.mode = "vnpu_guest"
            elif name == "--install-username" and equals:
                self.user, self.user_given = value, True
            elif name == "--install-usergroup" and equals:
                self.group, self.group_given = value, True
            elif name == "--install-path" and equals:
                if not value:
                    self.error("0x0003", "install path is null, install failed")
                self.path, self.path_given = value, True
            elif word.startswith("-"):
                self.error("0x0004", f" Unrecognized parameters: {word}. Try './xxx.run --help' for more information.")
            else:
                # The real loop ends at the first word that is no option.
                return
            self.counted += 1

    def check_conflicts(self) -> None:
        if self.removal:
            if self.counted > (2 if self.force else 1):
                self.error("0x0004", "uninstall can't use with other parameters except force.")
            return
        if self.version_only or self.check_only:
            if self.counted > 1:
                self.error("0x0004", "version/check can't use with other parameters.")
            return
        if self.types != 1:
            types = "full/debug/run/upgrade/uninstall" if self.force else "full/debug/run/docker/upgrade/devel"
            self.error("0x0004", f"The parameter needs to be used with {types}.")
        if self.for_all and (self.upgrade or self.install_type == "docker"):
            self.error("0x0004", "install-for-all param need used with full/debug/run/devel.")
        if self.path_given and self.upgrade:
            self.error("0x0004", "install-path param need used with full/debug/run/docker/devel.")
        if self.mode == "vnpu_guest" and self.install_type not in ("full", "run"):
            self.error("0x0004", "vnpu_host/vnpu_guest/vnpu_docker_host param need used with full/run.")
        if self.user_given != self.group_given:
            self.error("0x0004", "Username and usergroup are not specified at the same time.")
        if self.user_given and self.upgrade:
            self.error("0x0004", "install-username and install-usergroup params need used with full/debug/run/docker/devel.")

    # Rules of the host

    def check_host(self) -> None:
        arch = self.arch.replace("-", "_")
        here = State.load().arch
        if arch and arch != here:
            self.fail(f"[ERROR]{RED}Arch mismatch, src package is {self.arch}, cur os is {here} {PLAIN}")
        installs = self.upgrade or self.install_type not in ("", "docker")
        present = hardware.pci_npus()
        if installs and present and self.about["pci_device"] not in present:
            self.fail("[ERROR]The current installation package and environment is not match, please check.")
        if self.install_type == "debug":
            if self.quiet:
                self.fail("[ERROR]Risks exist when the install type is debug, quiet parameter is not supported!")
            self.say(f"[WARNING]{YELLOW}Risks exist when the install type is debug, do you want to continue? [y/n]{PLAIN}")
            self.ask("Stop installation!")

    def only_run(self):
        path = root(LOCK)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        lock = open(path, "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            self.error("0x0094", "There is already a process being executed,please do not execute multiple tasks at the same time")
        return lock

    def check_users(self) -> None:
        for value, what, word in ((self.user, "username", "username"), (self.group, "usergroup", "group")):
            if self.user_given and not value:
                self.error("0x0091", f"input_install_{word} is empty")
            if self.user_given and value == "root" and not self.for_all:
                self.error("0x0091", f"{what} not permission for root")
        recorded = self.info.values()
        for value, key, what in ((self.user, "UserName", "username"), (self.group, "UserGroup", "usergroup")):
            before = recorded.get(key, "")
            if self.user_given and before and value != before:
                self.error("0x0095", "The user and group are not same with last installation,do not support overwriting installation")
            if not self.user_given and before == "root" and not self.upgrade:
                self.error("0x0091", f"{what} not permission for root, check {INSTALL_INFO}")
        if self.upgrade and recorded.get("Driver_Install_For_All") == "yes":
            self.for_all = True
        users, groups = host.accounts("passwd"), host.accounts("group")
        if self.user not in users:
            self.error("0x0091", f"{self.user} not exists! Please add {self.user}")
        if self.group not in groups:
            self.error("0x0091", f"{self.group} group not exists! Please add {self.group} group")
        group = groups[self.group]
        if users[self.user][3] != group[2] and self.user not in group[3].split(","):
            self.error("0x0096", f"{self.group} not right! Please check the relatianship of {self.user} and {self.group}")
        self.say(f"[INFO]set username and usergroup, {self.user}:{self.group}")

    def check_path(self) -> None:
        if self.path_given and not re.fullmatch(r"[a-zA-Z0-9_/-]+", self.path):
            self.error("0x0003", f"The install-path [{self.path}] is invalid according to regular-expression, "
                                 "only characters in [a-z,A-Z,0-9,-,_] are supported.")
        if not self.path_given:
            self.path = self.installed_path() or DEFAULT_PATH
        if not self.path.startswith("/"):
            self.error("0x0003", "install-path input error, install failed")
        self.path = os.path.normpath(self.path)
        if not os.path.isdir(root(self.path)):
            parent = os.path.dirname(self.path)
            if self.path == DEFAULT_PATH:
                os.makedirs(root(self.path), 0o755)
            elif not os.path.isdir(root(parent)):
                self.error("0x0003", f"install path {parent} not exists,runpackage only support create one level of directory,"
                                     f"need create {parent}.")
            else:
                os.mkdir(root(self.path), 0o755)

    def check_owner(self) -> None:
        """The install path and all directories above belong to root and can be entered by the users of the package."""
        wanted = 0o750 if self.for_all else 0o755
        path = self.path
        while True:
            found = os.stat(root(path))
            if found.st_uid != host.owner_uid():
                self.fail(f"[ERROR]{RED}The given directory, including its parents, should belong to root, details in : {INSTALL_LOG} {PLAIN}")
            # The root directory of openEuler and its relatives is 0555, and the installer takes it.
            if path != "/" and stat.S_IMODE(found.st_mode) & wanted != wanted:
                self.fail(f"[ERROR]{RED}The given directory, or its parents, permission is too small, details in : {INSTALL_LOG} {PLAIN}")
            if path == "/":
                return
            path = os.path.dirname(path)

    def check_space(self) -> None:
        wanted = FREE_SPACE_MB[self.kind]
        found = shutil.disk_usage(root(self.path)).free >> 20
        if found <= wanted:
            self.fail(f"[ERROR]free space only {found}M, cannot install {self.kind.lower()} package (greater than {wanted}M), "
                      "please make sure enough space under the installation path")

    def check_tools(self) -> None:
        missing = [names for names in REQUIRED_TOOLS if not any(hardware.which(name) for name in names.split(","))]
        if missing:
            self.fail(f"[ERROR]The list of missing tools: {','.join(missing)},")

    def ask(self, refusal: str) -> None:
        for _attempt in range(MAX_QUESTIONS):
            answer = sys.stdin.readline()
            if answer == "n\n":
                self.say(f"[INFO]{refusal}")
                raise Stop(0)
            if answer == "y\n":
                return
            self.say("[ERROR]ERR_NO:0x0002;ERR_DES:input error, please input again!")
        raise Stop(1)

    # Work

    def work(self) -> None:
        base = host.version_on_disk(self.kind)
        if base:
            self.say(f"[INFO]base version is {base}.")
        if self.types:
            self.say(f"[WARNING]{YELLOW}Do not power off or restart the system during the installation/upgrade{PLAIN}")
        self.check_conflicts()
        if self.check_only:
            raise Stop(0)
        if self.version_only:
            self.say(f"[INFO]{self.kind.lower()} version :{self.version}")
            raise Stop(0)
        if self.removal:
            self.uninstall()
        if self.upgrade:
            before = self.info.values().get(f"{self.kind}_Install_Type", "")
            self.install_type = before if before not in ("", "debug") else "full"
        self.check_users()
        self.check_path()
        self.check_space()
        if self.install_type in ("full", "run", "debug"):
            self.check_tools()
        recorded = self.installed_path()
        if not recorded or recorded != self.path:
            self.check_owner()
        if recorded:
            if not self.upgrade and not self.quiet and base:
                self.say(f"[INFO]{self.kind} package has been installed on the path {recorded}, the version is {base}, "
                         f"and the version of this package is {self.version},do you want to continue?  [y/n] ")
                self.ask("installation Stoped!")
            self.require_free_devices()
        if self.kind == "Firmware" and not State.load().driver["installed"]:
            self.log_operation("failed")
            self.error("0x0080", "The driver is not installed or not loaded, firmware can not be upgraded. Install the driver first.")
        if recorded:
            self.remove_files(recorded)
        self.install("upgraded" if self.upgrade and recorded else "installed")

    def install(self, done: str) -> None:
        self.record()
        failure = faults.of_installer(State.load(), "installer-exit", self.kind)
        steps = self.install_driver if self.kind == "Driver" else self.install_firmware
        if failure and failure["code"] == 1:
            self.fail_in_the_middle(done)
        code = steps(done, reset_fails=bool(failure))
        self.log_operation("success")
        raise Stop(code)

    def record(self) -> None:
        """Before the work begins: what is recorded is no proof that it was finished."""
        recorded = self.info.values()
        for key, value in (("UserName", self.user), ("UserGroup", self.group)):
            if not recorded.get(key):
                self.info.put(key, value)
        self.info.put(f"{self.kind}_Install_Type", self.install_type)
        self.info.put(f"{self.kind}_Install_Path_Param", self.path)
        if self.kind == "Driver":
            self.info.drop("Driver_Install_Status")
            self.info.put("Driver_Install_For_All", "yes" if self.for_all else "no")
            self.info.put("Driver_Install_Mode", recorded.get("Driver_Install_Mode", self.mode) if self.upgrade else self.mode)

    def progress(self, percent: int, share: float) -> None:
        colon = ": " if self.kind == "Firmware" else ":"
        self.say(f"[INFO]upgradePercentage{colon}{percent}%")
        time.sleep(share * float(os.environ.get("NPUSIM_INSTALL_SECONDS", INSTALL_SECONDS)))

    def dwell(self) -> None:
        slow = faults.of_installer(State.load(), "installer-slow", self.kind)
        if slow:
            time.sleep(slow["seconds"])

    def fail_in_the_middle(self, done: str) -> None:
        self.progress(10, 0.1)
        verb = "upgrade" if done == "upgraded" else "install"
        if self.kind == "Driver":
            self.say(f"[ERROR]{RED}Driver_ko_install failed, details in : {INSTALL_LOG} {PLAIN}")
        self.say(f"[INFO]Failed to {verb} {self.kind.lower()} package, please retry after uninstall and reboot!")
        self.log_operation("failed")
        raise Stop(1)

    def copy_tree(self) -> str:
        """The package's own files; version.info comes last, when everything else is in its place."""
        target = self.package_dir(self.path)
        source = os.path.join(self.package, self.kind.lower())
        for folder, _folders, names in os.walk(source):
            for name in names:
                with open(os.path.join(folder, name), encoding="utf-8") as stream:
                    text = stream.read()
                mode = 0o555 if text.startswith("#!") else 0o444
                _write(os.path.join(target, os.path.relpath(folder, source), name), text, mode)
        return target

    def finish(self, target: str) -> None:
        with open(os.path.join(self.package, "version.info"), encoding="utf-8") as stream:
            _write(os.path.join(target, "version.info"), stream.read(), 0o444)

    def install_driver(self, done: str, reset_fails: bool) -> int:
        builds = hardware.which("dkms") and hardware.which("gcc")
        self.say(f"[INFO]driver install type: {'DKMS' if builds else 'Direct'}")
        self.progress(10, 0.2)
        target = self.copy_tree()
        for name in ("common/libc_sec.so", "common/libmmpa.so", "driver/libascend_hal.so", "driver/libdrvdsmi_host.so"):
            _write(os.path.join(target, "lib64", name), "simulated library\n", 0o444)
        self.progress(30, 0.2)
        self.install_system_files(target)
        self.progress(40, 0.2)
        self.dwell()
        self.progress(90, 0.2)
        self.finish(target)
        self.info.put("Driver_Install_Status", "complete")
        if self.install_type in ("docker", "devel"):
            self.progress(100, 0)
            self.say(f"[INFO]{GREEN}Driver package {done} successfully! The new version takes effect immediately. {PLAIN}")
            return 0
        # A driver that is loaded already, or devices that cannot be reset: what runs is what ran before, until the next boot.
        loaded = State.load().driver["installed"]
        if not loaded and not self.force and not reset_fails:
            self.say("[INFO]Waiting for device startup...")
            control.load_driver()
            self.say("[INFO]Device startup success")
            self.progress(100, 0.2)
            self.say(f"[INFO]{GREEN}Driver package {done} successfully! The new version takes effect immediately. {PLAIN}")
            return 0
        self.progress(100, 0.2)
        if self.force:
            self.say(f"[INFO]{GREEN}Driver package {done} finished! {PLAIN}")
            self.say(f"[WARNING]{YELLOW}Kernel modules can not be removed, reboot needed for installation/upgrade to take effect! {PLAIN}")
        else:
            self.say(f"[INFO]{GREEN}Driver package {done} successfully! {PLAIN}{RED}Reboot needed for installation/upgrade to take effect! {PLAIN}")
        return 2

    def install_system_files(self, target: str) -> None:
        conf = root("/etc/hccn.conf")
        if not os.path.exists(conf):
            _write(conf, "", 0o644)
        os.chmod(conf, 0o644)
        if not os.path.exists(root("/etc/vnpu.cfg")):
            _write(root("/etc/vnpu.cfg"), "vnpu_config_recover:enable\n[vnpu-config start]\n[vnpu-config end]\n", 0o600)
        _write(root(DAVINCI_CONF), f"DAVINCI_HOME_PATH={self.path}\n", 0o444)
        os.rename(os.path.join(target, "tools/npu-smi"), host.fresh(host.NPU_SMI))
        os.symlink(os.path.join(self.path, "driver/tools/hccn_tool"), host.fresh(host.HCCN_TOOL))
        _write(root(DCMI), "simulated library\n", 0o444)
        os.rename(os.path.join(target, "ascend-driver.service"), host.fresh(host.UNIT))
        os.chmod(root(host.UNIT), 0o644)
        os.symlink("../" + os.path.basename(host.UNIT), host.fresh(host.UNIT_WANTED))
        hardware.systemctl("daemon-reload")

    def install_firmware(self, done: str, reset_fails: bool) -> int:
        chips = len(host.present_devices(State.load()))
        self.progress(0, 0.4)
        self.dwell()
        self.progress(90, 0.4)
        target = self.copy_tree()
        self.finish(target)
        self.progress(100, 0.2)
        self.say(f"[INFO]The firmware of [{chips}] chips are successfully upgraded.")
        self.say(f"[INFO]Firmware package {done} successfully! Reboot now or after driver installation "
                 "for the installation/upgrade to take effect.")
        return 2 if reset_fails else 0


def main(argv: list[str]) -> int:
    os.umask(0o022)
    try:
        if argv[0] == "install":
            Run(argv[1], argv[2], argv[3:]).run()
        else:
            Uninstaller(argv[1], "", argv[2:]).run()
    except Stop as stop:
        return stop.code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
