#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ascend_package
short_description: Install, upgrade or remove the Ascend driver and firmware, or CANN
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Brings the driver and the firmware of Ascend NPUs, or CANN, to the versions of the vendor's C(.run) packages, which lie on the managed host.
  - Kind and version are read from each package. What is installed already is left alone; an interrupted installation of driver or firmware is made again,
    one of CANN is refused unless O(clean_incomplete) is set.
  - Everything that the installer would refuse half-way is checked first, for all packages, before the first one is run.
  - On a host without a driver the driver comes first, then the firmware. Over an existing driver it is the other way round, as the vendor asks.
  - For CANN the order is toolkit, kernels (from 8.5 on called ops), NNAL; NNAL is installed in the environment of the toolkit. Kernels and NNAL of another
    version than the toolkit are refused.
  - The module does not reboot. RV(reboot_required) tells whether the host has to.
options:
  packages:
    description:
      - Paths of the packages on the managed host, in any order, at most one of each kind.
      - Either driver and firmware, or packages of CANN (toolkit, kernels or ops, nnrt, nnal); not both in one task.
      - CANN's packages must have the vendor's file names, which tell chip, version and architecture. The files need not be executable.
      - Required with O(state=present), not used with O(state=absent).
    type: list
    elements: path
  state:
    description:
      - With V(present) the versions of O(packages) are installed afterwards.
      - With V(absent) the packages of O(software) are removed.
    type: str
    choices: [present, absent]
    default: present
  software:
    description: What O(state=absent) removes, V(hdk) for driver and firmware. With O(state=present) the packages tell.
    type: str
    choices: [hdk, cann]
    default: hdk
  allow_missing:
    description:
      - Whether a package need not be on the managed host while nothing is done with it. Its file name then tells kind, version, chip and architecture.
      - Without check mode, a package that has to be installed and is not there is refused in any case, before anything is changed.
      - In check mode RV(packages[].action) tells which packages have to be brought.
    type: bool
    default: false
    version_added: 0.2.0
  accept_eula:
    description: Whether you accept the vendor's licence of CANN. Nothing of CANN is installed or upgraded without.
    type: bool
    default: false
  clean_incomplete:
    description:
      - Whether what an interrupted installation of CANN left is removed first. Without, such a host is refused.
      - It is refused in any case where several versions lie in the same place.
    type: bool
    default: false
  install_path:
    description:
      - Directory under which driver and firmware are installed. The directory above it must exist.
      - For driver and firmware it must be the one that C(/etc/ascend_install.info) records, if there is one.
      - For CANN before 8.1.RC1 it must be the one that C(/etc/Ascend/ascend_cann_install.info) records, if there is one.
    type: str
    default: /usr/local/Ascend
  install_for_all:
    description: Whether all users of the host may use the driver, or CANN. Counts for a first installation by root; an upgrade keeps what is there.
    type: bool
    default: true
  username:
    description: User for whom driver and firmware are installed. Counts for a first installation.
    type: str
    default: HwHiAiUser
  usergroup:
    description: Group for which driver and firmware are installed. Counts for a first installation.
    type: str
    default: HwHiAiUser
  force:
    description: Whether an installed driver or firmware may be replaced by an older one. CANN has to be removed first.
    type: bool
    default: false
  timeout:
    description: Seconds that one installer may take.
    type: int
    default: 1800
  language:
    description: Language of cause and remedy where an installer fails.
    type: str
    choices: [en, zh]
    default: en
    version_added: 0.2.0
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
    details:
      - The packages are examined (C(--version), C(--check)) in check mode too, and must exist unless O(allow_missing) is set.
      - What an earlier task of the same play would set right, such as a missing user, is a warning there and an error otherwise.
  diff_mode:
    support: full
  idempotent:
    support: full
requirements:
  - Root on the managed host; CANN can also be installed by an ordinary user for himself.
  - The tools that the installers need, among them C(lspci), C(ifconfig) and a compiler with kernel headers.
seealso:
  - module: npuops.ascend.npu_info
"""

EXAMPLES = r"""
- name: Install driver and firmware
  npuops.ascend.ascend_package:
    packages:
      - /opt/packages/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run
      - /opt/packages/Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run
  register: hdk

- name: Reboot where the new versions do not run yet
  ansible.builtin.reboot:
  when: hdk.reboot_required

- name: See which packages have to be copied to the host
  npuops.ascend.ascend_package:
    packages:
      - /opt/packages/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run
      - /opt/packages/Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run
    allow_missing: true
  check_mode: true
  register: planned # planned.packages | rejectattr('action', 'eq', 'none') | map(attribute='path')

- name: Go back to an older driver
  npuops.ascend.ascend_package:
    packages:
      - /opt/packages/Ascend-hdk-910b-npu-driver_24.1.rc3_linux-aarch64.run
    force: true

- name: Remove firmware and driver
  npuops.ascend.ascend_package:
    state: absent

- name: Install CANN
  npuops.ascend.ascend_package:
    packages:
      - /opt/packages/Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run
      - /opt/packages/Ascend-cann-kernels-910b_8.1.RC1_linux-aarch64.run
      - /opt/packages/Ascend-cann-nnal_8.1.RC1_linux-aarch64.run
    accept_eula: true

- name: Remove CANN
  npuops.ascend.ascend_package:
    software: cann
    state: absent
"""

RETURN = r"""
packages:
  description: What was done with each package, in the order of execution.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: V(driver), V(firmware), V(toolkit), V(kernels), V(nnal) or V(nnrt).
      type: str
      returned: always
      sample: driver
    path:
      description: The package, or with O(state=absent) the removal script.
      type: str
      returned: always
      sample: /opt/packages/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run
    package_version:
      description: Version in the package.
      type: str
      returned: with O(state=present)
      sample: 24.1.0
    installed_before:
      description: Version on disk before, null when nothing was installed, or not to its end.
      type: str
      returned: always
      sample: null
    installed_after:
      description: Version on disk afterwards; in check mode the version that would be there.
      type: str
      returned: always
      sample: 24.1.0
    action:
      description: V(none), V(install), V(upgrade) or V(uninstall).
      type: str
      returned: always
      sample: install
    rc:
      description: Exit code of the installer, null when it was not run. V(0) is success, for driver and firmware V(2) too.
      type: int
      returned: always
      sample: 0
    message:
      description: The installer's final message.
      type: str
      returned: always
      sample: Driver package installed successfully! The new version takes effect immediately.
    reboot_required:
      description: Whether this package needs a reboot to take effect.
      type: bool
      returned: always
      sample: false
reboot_required:
  description:
    - Whether the host has to be rebooted for the versions on disk to run.
    - It is also true when an earlier run installed a package and was interrupted before the reboot.
  returned: always
  type: bool
  sample: true
commands:
  description: The installer commands that were run, or in check mode would be run, as lists of arguments.
  returned: always
  type: list
  elements: list
  sample: [["/usr/bin/bash", "/opt/packages/Ascend-hdk-910b-npu-firmware_7.5.0.3.220.run", "--nox11", "--full", "--quiet"]]
diff:
  description: Versions on disk before and after.
  returned: always
  type: dict
  sample: {"before": {"driver": null}, "after": {"driver": "24.1.0"}}
"""

import dataclasses
import grp
import os
import pwd
import shutil
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _ascend_package as core
from ansible_collections.npuops.ascend.plugins.module_utils import _cann, _installer_output, _npu_info, _npu_smi
from ansible_collections.npuops.ascend.plugins.module_utils._pci import read_npus
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCli, VendorCliError
from ansible_collections.npuops.ascend.plugins.module_utils._version import driver_firmware_fit

# Looking into a package unpacks it; npu-smi answers in seconds or hangs.
INSPECT_TIMEOUT = 300
QUERY_TIMEOUT = 60
NPU_SMI_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/bin")
# sudo may leave out /usr/local/bin, and CANN's installer stops half-way without pip3.
SYSTEM_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


class InstallError(Exception):
    """An installer failed; earlier packages may have been installed."""


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "path"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "install_path": {"type": "str", "default": core.DEFAULT_PATH},
            "install_for_all": {"type": "bool", "default": True},
            "username": {"type": "str", "default": "HwHiAiUser"},
            "usergroup": {"type": "str", "default": "HwHiAiUser"},
            "force": {"type": "bool", "default": False},
            "software": {"type": "str", "choices": ["hdk", "cann"], "default": "hdk"},
            "allow_missing": {"type": "bool", "default": False},
            "accept_eula": {"type": "bool", "default": False},
            "clean_incomplete": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 1800},
            "language": {"type": "str", "choices": ["en", "zh"], "default": "en"},
        },
        required_if=[("state", "present", ["packages"])],
        supports_check_mode=True,
    )
    packages = module.params["packages"] or []
    if any(_cann.is_cann(path) for path in packages) or (module.params["state"] == "absent" and module.params["software"] == "cann"):
        run: HdkRun | CannRun = CannRun(module)
    else:
        run = HdkRun(module)
    try:
        if module.params["state"] == "present":
            run.install()
        else:
            run.remove()
    except (core.PackageError, VendorCliError, InstallError, OSError) as error:
        module.fail_json(msg=str(error), **run.result())
    module.exit_json(**run.result())


class Run:
    """One execution: what is found, what is done, and what has been done when something fails."""

    def __init__(self, module: AnsibleModule, environment: dict[str, str]) -> None:
        self.module = module
        self.bash = VendorCli(module, "bash", timeout=module.params["timeout"], env={"DISPLAY": "", **environment})
        self.rows: list[dict[str, t.Any]] = []
        self.commands: list[list[str]] = []
        self.pending: dict[str, bool] = {}

    def result(self) -> dict[str, t.Any]:
        return {
            "changed": any(row["action"] != "none" and (row["rc"] is not None or self.module.check_mode) for row in self.rows),
            "packages": self.rows,
            "reboot_required": any(self.pending.values()) or any(row["reboot_required"] for row in self.rows),
            "commands": self.commands,
            "diff": {
                "before": {row["kind"]: row["installed_before"] for row in self.rows},
                "after": {row["kind"]: row["installed_after"] for row in self.rows},
            },
        }

    def identify(self, path: str, identify: t.Callable[[str, bytes | None], core.Package]) -> core.Package:
        if not os.path.isabs(path):
            raise core.PackageError(f"packages: {path} is a relative path. Give the absolute path of the package on the managed host.")
        try:
            with open(path, "rb") as file:
                return identify(path, file.read(core.HEADER_BYTES))
        except FileNotFoundError as error:
            if self.module.params["allow_missing"]:
                return identify(path, None)
            raise missing(path) from error
        except OSError as error:
            raise core.PackageError(f"packages: {path} cannot be read: {error.strerror}. Expected a readable .run file.") from error

    def check_files(self, steps: t.Iterable[core.Step | _cann.Step]) -> None:
        """That what has to be installed is there and whole; in check mode it may still be brought."""
        packages = [step.package for step in steps if step.action != "none"]
        for package in packages:
            if not package.there and not self.module.check_mode:
                raise missing(package.path)
        for package in packages:
            if package.there:
                self.check_integrity(package.path)

    def check_integrity(self, path: str) -> None:
        reply = self.bash.run(path, "--check", timeout=INSPECT_TIMEOUT)
        damage = _installer_output.damage(reply.rc, reply.text, self.module.params["language"])
        if damage:
            raise core.PackageError(f"packages: {path} does not pass its own check (--check, exit code {reply.rc}): {damage}")

    def report(self, problems: core.Problems) -> None:
        errors = problems.errors + ([] if self.module.check_mode else problems.curable)
        if errors:
            raise core.PackageError(" ".join(errors))
        for warning in problems.warnings + problems.curable:
            self.module.warn(warning)

    def add_row(self, kind: str, path: str, action: str, before: str | None, **values: t.Any) -> dict[str, t.Any]:
        row = {
            "kind": kind,
            "path": path,
            "installed_before": before,
            "installed_after": None,
            "action": action,
            "rc": None,
            "message": f"{kind} {before} is installed already." if action == "none" else "",
            # What is only waiting for its reboot still needs it; what is replaced now has an own answer.
            "reboot_required": action == "none" and self.pending.get(kind, False),
            **values,
        }
        self.rows.append(row)
        return row


def missing(path: str) -> core.PackageError:
    return core.PackageError(f"packages: {path} does not exist on the managed host. Copy the package there first, or correct the path.")


def _free_mb(path: str) -> int:
    """Free space where a directory is, or is going to be."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    space = os.statvfs(path)
    return space.f_bavail * space.f_frsize // (1024 * 1024)


class CannRun(Run):
    """Packages of CANN."""

    def __init__(self, module: AnsibleModule) -> None:
        search = [*os.environ.get("PATH", "").split(os.pathsep), *SYSTEM_PATHS]
        self.search = os.pathsep.join(dict.fromkeys(path for path in search if path))
        super().__init__(module, {"PATH": self.search})
        self.request = _cann.Request(**{field.name: module.params[field.name] for field in dataclasses.fields(_cann.Request)})
        # Kernels refuse a tree that a stricter umask made.
        os.umask(0o022)

    def read(self) -> _cann.Cann:
        _cann.check_path(self.request.install_path)
        return _cann.read(self.request.install_path)

    def install(self) -> None:
        for path in self.module.params["packages"]:
            if not _cann.is_cann(path):
                raise core.PackageError(f"packages: {path} is no package of CANN, and others are. Name driver and firmware in a task of their own.")
        packages = [self.identify(path, _cann.identify) for path in self.module.params["packages"]]
        found = self.read()
        # A package for another host is that, whatever else is wrong.
        chips = [npu.chip for npu in read_npus()]
        self.report(core.Problems(errors=core.wrong_host(packages, os.uname().machine, chips)))
        steps = _cann.plan(packages, found, self.request, is_root=os.geteuid() == 0)
        tools = [tool for tool in ("python3", "pip3") if shutil.which(tool, path=self.search) is None]
        self.report(_cann.check_host(steps, found.path, _free_mb(found.path), tools, knows_chip=any(chips)))
        self.check_files(steps)
        for step in steps:
            package, before = step.package, found.components[step.package.kind]
            row = self.add_row(package.kind, package.path, step.action, before.version, package_version=package.version, installed_after=package.version)
            if step.action != "none":
                self.clean(before)
                self.execute(row, (package.path, "--nox11", *step.arguments))

    def remove(self) -> None:
        if self.module.params["packages"]:
            raise core.PackageError("packages: is not used with state: absent, which removes all of CANN. Leave it out.")
        found = self.read()
        present = [found.components[kind] for kind in reversed(_cann.KINDS) if found.components[kind].state != "absent"]
        scripts = {part.kind: [script for script in _cann.uninstall_scripts(found, part.kind) if os.path.isfile(script)] for part in present}
        for part in present:
            # Kernels lie inside of the toolkit and go with it.
            if scripts[part.kind] or part.kind == "kernels":
                continue
            if part.state == "complete":
                raise core.PackageError(
                    f"{part.kind} {part.version} is installed, but its removal script is missing: {', '.join(_cann.uninstall_scripts(found, part.kind))}. "
                    "Install the same package again, then remove it."
                )
            _cann.check_leftovers(part, self.request.clean_incomplete)
        for part in present:
            for script in scripts[part.kind][:1]:
                self.execute(self.add_row(part.kind, script, "uninstall", part.version), (script,))
            if not scripts[part.kind] and part.leftovers:
                row = self.add_row(part.kind, part.leftovers[0], "uninstall", part.version, message=f"Unfinished: {part.detail}")
                row["rc"] = None if self.module.check_mode else 0
                self.clean(part)

    def clean(self, part: _cann.Component) -> None:
        """Remove what an interrupted installation left; whether that is wanted has been asked before."""
        if part.state != "incomplete" or self.module.check_mode:
            return
        for path in part.leftovers:
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isdir(path):
                shutil.rmtree(path)

    def execute(self, row: dict[str, t.Any], command: tuple[str, ...]) -> None:
        """Run an installer, judge it, and look at what is on disk afterwards."""
        kind, wanted = row["kind"], row["installed_after"]
        argv = command
        if kind == "nnal" and wanted:
            set_env = _cann.read(self.request.install_path).base.set_env or _cann.expected_set_env(self.request.install_path, row["package_version"])
            argv = ("-c", '. "$0" && exec bash "$@"', set_env, *command)
        elif not wanted:
            # The removal scripts of some versions ask whether to go on.
            argv = ("-c", 'exec bash "$0" <<< y', *command)
        self.commands.append([self.bash.path or "bash", *argv])
        if self.module.check_mode:
            row["message"] = f"The {kind} would be {row['action'].rstrip('e')}ed."
            return
        row["installed_after"] = None
        try:
            reply = self.bash.run(*argv)
        except VendorCliError as error:
            if error.reason == "timeout":
                row["rc"] = error.rc
                raise InstallError(
                    f"{row['path']} did not end within {self.bash.timeout:g} s and was stopped; the {kind} may be half installed. "
                    "Look at /var/log/ascend_seclog, raise timeout if the host is slow, and run again with clean_incomplete: true."
                ) from error
            raise
        outcome = _installer_output.judge_cann(reply.rc, reply.text, self.module.params["language"])
        found = _cann.read(self.request.install_path).components[kind]
        row.update(rc=reply.rc, message=outcome.message, installed_after=found.version)
        if not outcome.ok:
            raise InstallError(f"{row['path']} failed on this host: {outcome.message}")
        if found.state != ("complete" if wanted else "absent") or (wanted and not core.same_version(wanted, found.version)):
            raise InstallError(
                f"{row['path']} reported success ({outcome.message}), but below {self.request.install_path} the {kind} is {found.state}"
                f"{f' with version {found.version}' if found.version else ''}{f': {found.detail}' if found.detail else ''}. Look at /var/log/ascend_seclog."
            )


class HdkRun(Run):
    """Driver and firmware."""

    def __init__(self, module: AnsibleModule) -> None:
        super().__init__(module, {})
        self.request = core.Request(**{field.name: module.params[field.name] for field in dataclasses.fields(core.Request)})
        self.npu_smi = VendorCli(module, "npu-smi", NPU_SMI_PATHS, timeout=QUERY_TIMEOUT)
        self.before: dict[str, core.Installed] = {}

    def install(self) -> None:
        packages = [self.identify(path, core.identify) for path in self.module.params["packages"]]
        info = self.read_host()
        core.check_request(self.request, info, present=True)
        packages = [self.with_version(package) for package in packages]
        steps = core.plan(packages, self.before, self.request)
        self.report(core.check_host(steps, self.host(), info, self.request))
        self.check_files(steps)
        for step in steps:
            package = step.package
            row = self.add_row(
                package.kind, package.path, step.action, self.installed_before(package.kind), package_version=package.version, installed_after=package.version
            )
            if step.action != "none":
                self.execute(row, (package.path, *step.arguments))
        if any(step.action != "none" for step in steps) and not self.module.check_mode:
            self.warn_of_misfit()

    def remove(self) -> None:
        if self.module.params["packages"]:
            raise core.PackageError("packages: is not used with state: absent, which removes driver and firmware. Leave it out.")
        info = self.read_host()
        core.check_request(self.request, info, present=False)
        present = [kind for kind in ("firmware", "driver") if self.before[kind].state != "absent"]
        if not present:
            return
        scripts = {kind: os.path.join(self.request.install_path, kind, "script", "uninstall.sh") for kind in present}
        for kind, script in scripts.items():
            if not os.path.isfile(script):
                raise core.PackageError(
                    f"{script} does not exist, although a {kind} is recorded: it was not installed to its end. "
                    f"Install the {kind} package again, then remove it."
                )
        users = core.read_npu_users()
        if users:
            self.report(core.Problems(curable=[core.in_use(users)]))
        for kind, script in scripts.items():
            self.execute(self.add_row(kind, script, "uninstall", self.installed_before(kind)), (script, "--quiet"))

    def installed_before(self, kind: str) -> str | None:
        return self.before[kind].version if self.before[kind].present else None

    def read_host(self) -> dict[str, str]:
        """Read what is installed and what runs; gives C(ascend_install.info)."""
        if os.geteuid() != 0:
            raise core.PackageError("The packages can be examined and installed only by root. Run the task with become: true.")
        info = core.read_key_values(core.INSTALL_INFO) or {}
        found = core.read_installed(self.request.install_path, info)
        loaded, board = self.running() if found["driver"].version else (False, None)
        running = {"driver": board.driver_version if board else None, "firmware": board.firmware_version if board else None}
        self.before = {kind: core.confirm(found[kind], loaded, running[kind]) for kind in core.KINDS}
        self.pending = {kind: core.reboot_pending(self.before[kind], loaded, running[kind]) for kind in core.KINDS}
        return info

    def running(self) -> tuple[bool, _npu_smi.Board | None]:
        """Whether a driver answers, and with which versions."""
        try:
            reply = self.npu_smi.run("info", "-l")
        except VendorCliError:
            return False, None
        # Another answer, however odd, is no reason to take the driver for one that does not run and to install it again.
        if _npu_smi.is_driver_missing(reply.text):
            return False, None
        try:
            npus = _npu_info.parsed(_npu_smi.parse_list, reply)
            # A lost NPU has the id -1.
            npu = min((npu for npu in npus if npu >= 0), default=0)
            return True, _npu_info.parsed(_npu_smi.parse_board, self.npu_smi.run("info", "-t", "board", "-i", str(npu)))
        except (VendorCliError, _npu_smi.NpuSmiError):
            return True, None

    def with_version(self, package: core.Package) -> core.Package:
        """Ask the package for its version; its file name is the second source."""
        if not package.there:
            return package
        reply = self.bash.run(package.path, "--version", timeout=INSPECT_TIMEOUT)
        found = _installer_output.reported_version(reply.text) if reply.rc == 0 else None
        if found is None:
            # A package that cannot even tell its version is most often damaged.
            self.check_integrity(package.path)
            return package
        kind, version = found
        if kind not in (None, package.kind):
            raise core.PackageError(f"packages: {package.path} is a {package.kind} package by its name, but says that it is a {kind} package. Copy it again.")
        return dataclasses.replace(package, version=version)

    def host(self) -> core.Host:
        path = self.request.install_path
        parent = os.path.dirname(path.rstrip("/"))
        existing = next(directory for directory in (path, parent, "/") if os.path.isdir(directory))
        user, group = _lookup(pwd.getpwnam, self.request.username), _lookup(grp.getgrnam, self.request.usergroup)
        return core.Host(
            machine=os.uname().machine,
            chips=[npu.chip for npu in read_npus()],
            free_mb=_free_mb(existing),
            path_ready=path == core.DEFAULT_PATH or existing in (path, parent),
            user_exists=user is not None,
            group_exists=group is not None,
            user_in_group=bool(user and group and (user.pw_gid == group.gr_gid or user.pw_name in group.gr_mem)),
            npu_users=core.read_npu_users(),
        )

    def execute(self, row: dict[str, t.Any], command: tuple[str, ...]) -> None:
        """Run an installer, judge it, and look at what is on disk afterwards."""
        kind, wanted = row["kind"], row["installed_after"]
        self.commands.append([self.bash.path or "bash", *command])
        self.pending[kind] = False
        if self.module.check_mode:
            row["message"] = f"The {kind} would be {row['action'].rstrip('e')}ed."
            return
        row["installed_after"] = None
        try:
            reply = self.bash.run(*command)
        except VendorCliError as error:
            if error.reason == "timeout":
                row["rc"] = error.rc
                raise InstallError(
                    f"{row['path']} did not end within {self.bash.timeout:g} s and was stopped; the {kind} may be half installed, which the next run repairs. "
                    "Look at /var/log/ascend_seclog/ascend_install.log, raise timeout if the host is slow, and run again."
                ) from error
            raise
        outcome = _installer_output.judge_hdk(reply.rc, reply.text, self.module.params["language"])
        already_gone = row["action"] == "uninstall" and outcome.code == _installer_output.NOT_INSTALLED
        row.update(rc=reply.rc, message=outcome.message, reboot_required=outcome.reboot_required)
        found = core.read_installed(self.request.install_path, core.read_key_values(core.INSTALL_INFO) or {})[kind]
        row["installed_after"] = found.version
        if not outcome.ok and not already_gone:
            raise InstallError(f"{row['path']} failed on this host: {outcome.message}")
        if not core.is_version(found, wanted):
            raise InstallError(
                f"{row['path']} reported success ({outcome.message}), but {self.request.install_path}/{kind}/version.info "
                f"{'says ' + found.version if found.version else 'does not exist'}, expected {wanted or 'no such file'}. "
                "Look at /var/log/ascend_seclog/ascend_install.log."
            )

    def warn_of_misfit(self) -> None:
        found = core.read_installed(self.request.install_path, {})
        fit = driver_firmware_fit(found["driver"].version_info, found["firmware"].version_info)
        if fit and fit.status != "ok":
            self.module.warn(f"Driver and firmware may not fit ({fit.status}): {fit.detail}")


def _lookup(function: t.Callable[[str], t.Any], name: str) -> t.Any:
    try:
        return function(name)
    except KeyError:
        return None


if __name__ == "__main__":
    main()
