# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's driver and firmware packages: what a file is, what is installed, and which steps lead there.

Facts: hicann/driver (installer scripts), ascend-deployer, vendor installation guides.
"""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.npuops.ascend.plugins.module_utils._version import VersionError, compare, fits, same_build

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

INSTALL_INFO = "/etc/ascend_install.info"
DEFAULT_PATH = "/usr/local/Ascend"
KINDS = ("driver", "firmware")
# Megabytes that the installers ask for.
NEEDED_MB = {"driver": 300, "firmware": 32}
HEADER_BYTES = 65536

ARCHITECTURES = {"x86-64": "x86_64", "x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
CHIP_TOKENS = {"310": "310", "310b": "310B", "310p": "310P", "910": "910", "910b": "910B", "a3": "A3", "950": "950"}

PACKAGE_NAME = re.compile(
    r"(?:ascend|atlas-(?P<series>a[0-9]))-hdk(?:-(?P<chip>[0-9a-z]+))?-npu-(?P<kind>driver|firmware)_(?P<version>[^_]+?)"
    r"(?:_linux(?:-(?P<arch>x86[-_]64|aarch64))?)?\.run\Z",
    re.IGNORECASE,
)
# What else the vendor calls a package, and where it belongs.
OTHER_PACKAGES = (
    (r"cann[-_]", "a CANN package, which is not installed together with driver and firmware"),
    (r"mindie", "a MindIE package, which this module does not install"),
    (r"npu-driver_.*_sph[0-9]+", "a driver patch, which this module does not install: use the full driver package"),
    (r"-mcu[-_]", "an MCU package, which is installed with npu-smi upgrade -t mcu"),
    (r"\.zip\Z", "a bundle: unpack it and name the .run files in it"),
)
MAKESELF_LABEL = re.compile(rb"""^label=["']?([^"'\n]*)""", re.MULTILINE)
INSTALL_PATH = re.compile(r"/[a-zA-Z0-9/_-]*\Z")


class PackageError(Exception):
    """A package, host or request that cannot work; said before anything is changed."""


# Files --------------------------------------------------------------------------------------------------------------


def parse_key_values(text: str) -> dict[str, str]:
    """Read C(version.info) or C(ascend_install.info): C(key=value) lines. A key may stand there several times; the last counts."""
    values = {}
    for line in text.splitlines():
        key, separator, value = line.partition("=")
        if separator:
            values[key.strip()] = value.strip()
    return values


@dataclass(frozen=True)
class Installed:
    """What the files of a host say about its driver or its firmware."""

    kind: str
    path: str
    version: str | None = None
    # complete, absent, incomplete (an installation that did not end), or unconfirmed (older drivers record no end).
    state: str = "absent"
    version_info: Mapping[str, str] = field(default_factory=dict)
    # Whether the version file is younger than the running system.
    since_boot: bool = False

    @property
    def present(self) -> bool:
        return self.state == "complete"


def installed(kind: str, path: str, info: Mapping[str, str], version_info: Mapping[str, str] | None, since_boot: bool = False) -> Installed:
    """Judge what is on disk. C(ascend_install.info) is written before the installation proper, so it proves nothing alone."""
    version = (version_info or {}).get("Version") or None
    if version is None:
        recorded = f"{kind.capitalize()}_Install_Path_Param" in info
        return Installed(kind, path, state="incomplete" if recorded else "absent")
    done = kind == "firmware" or info.get("Driver_Install_Status") == "complete"
    return Installed(kind, path, version, "complete" if done else "unconfirmed", dict(version_info or {}), since_boot)


def confirm(found: Installed, driver_loaded: bool, running_version: str | None) -> Installed:
    """Settle an unconfirmed driver: the one that runs was installed to its end; another may be half there."""
    if found.state != "unconfirmed":
        return found
    runs = driver_loaded and (running_version is None or _same_build(running_version, found.version))
    return replace(found, state="complete" if runs else "incomplete")


def reboot_pending(found: Installed, driver_loaded: bool, running_version: str | None) -> bool:
    """Whether what was installed since the system started does not run yet. What is older than the system and does not run needs
    another remedy than one more reboot.
    """
    if found.version is None or not found.since_boot:
        return False
    if running_version is None:
        return found.kind == "driver" and not driver_loaded
    return not _same_build(running_version, found.version)


def is_version(found: Installed, wanted: str | None) -> bool:
    """Whether the version on disk is the wanted one, or a build of it; None wants nothing there."""
    return same_version(wanted, found.version)


def same_version(wanted: str | None, found: str | None) -> bool:
    """Whether a version is the wanted one, or a build of it."""
    if wanted is None or found is None:
        return wanted == found
    try:
        return fits(wanted, found)
    except VersionError:
        return wanted == found


def _same_build(left: str, right: str | None) -> bool:
    try:
        return right is not None and same_build(left, right)
    except VersionError:
        return left == right


# Packages -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Package:
    """A driver or firmware .run file; chip and arch are None where the name does not say, and a file that is not there is known by its name only."""

    path: str
    kind: str
    version: str | None = None
    chip: str | None = None
    arch: str | None = None
    there: bool = True


def identify(path: str, header: bytes | None) -> Package:
    """Tell what a file is from its name and, for a renamed one, from the label of its archive; without a header, of a file that is not there."""
    name = os.path.basename(path)
    match = PACKAGE_NAME.match(name)
    if not match:
        for pattern, what in OTHER_PACKAGES:
            if re.search(pattern, name, re.IGNORECASE):
                raise PackageError(f"packages: {path} is {what}.")
    if header is None and match is None:
        raise PackageError(
            f"packages: {path} does not exist on the managed host, and its name does not tell kind and version. Copy the package there first, "
            "or use the vendor's name, such as Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run."
        )
    if header is not None and not header.startswith(b"#!"):
        begins = "is empty" if not header else f"begins with {header[:8]!r}"
        raise PackageError(f"packages: {path} is not a .run package: it {begins}, expected a self-extracting archive (#!/bin/sh). Copy it again.")
    label = MAKESELF_LABEL.search(header or b"")
    words = label.group(1).decode("ascii", "replace") if label else ""
    labelled = next((kind for kind in KINDS if kind in words.lower()), None)
    if match is None:
        if labelled is None:
            raise PackageError(
                f"packages: {path} is neither a driver nor a firmware package by its name or its archive label {words!r}. "
                "Expected a name such as Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run."
            )
        return Package(path, labelled)
    kind = match.group("kind").lower()
    if labelled not in (None, kind):
        raise PackageError(f"packages: {path} is a {kind} package by its name and a {labelled} package by its archive label {words!r}. Copy it again.")
    chip, arch = match.group("chip") or match.group("series"), match.group("arch")
    return Package(
        path, kind, match.group("version"), CHIP_TOKENS.get((chip or "").lower()), ARCHITECTURES.get((arch or "").lower()), there=header is not None
    )


# Plan ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The module's options that matter for a plan."""

    install_path: str = DEFAULT_PATH
    install_for_all: bool = True
    username: str = "HwHiAiUser"
    usergroup: str = "HwHiAiUser"
    force: bool = False


@dataclass(frozen=True)
class Step:
    """One package and what is to be done with it."""

    package: Package
    action: str
    arguments: tuple[str, ...] = ()


def plan(packages: Sequence[Package], on_disk: Mapping[str, Installed], request: Request) -> list[Step]:
    """Decide each package's action, in the vendor's order: driver before firmware on a fresh host, firmware first over an existing driver."""
    for kind in KINDS:
        same = [package.path for package in packages if package.kind == kind]
        if len(same) > 1:
            raise PackageError(f"packages: {', '.join(same)} are all {kind} packages. Name one {kind} package.")
    order = ("firmware", "driver") if on_disk["driver"].present else ("driver", "firmware")
    return [_step(package, on_disk[kind], request) for kind in order for package in packages if package.kind == kind]


def _step(package: Package, found: Installed, request: Request) -> Step:
    wanted = package.version
    if wanted is None:
        raise PackageError(f"packages: the version of {package.path} is not known: neither --version nor its file name tells it.")
    if not found.present or found.version is None:
        return Step(package, "install", ("--nox11", "--full", "--quiet", *_install_options(package.kind, request)))
    try:
        order = compare(wanted, found.version)
    except VersionError as error:
        raise PackageError(f"{package.path} cannot be compared with the installed {package.kind} {found.version}: {error}") from error
    if order == 0:
        return Step(package, "none")
    if order < 0 and not request.force:
        raise PackageError(
            f"{package.path} would replace {package.kind} {found.version} by the older {wanted}. Name a newer package, or set force: true to go back."
        )
    # --upgrade keeps path, user and for-all of the first installation, and refuses their options.
    return Step(package, "upgrade", ("--nox11", "--upgrade", "--quiet"))


def _install_options(kind: str, request: Request) -> list[str]:
    options = [f"--install-username={request.username}", f"--install-usergroup={request.usergroup}"]
    if kind == "driver" and request.install_for_all:
        options.append("--install-for-all")
    if request.install_path != DEFAULT_PATH:
        options.append(f"--install-path={request.install_path}")
    return options


# Host ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Host:
    """What a host offers for an installation."""

    machine: str
    # Chip families on the PCI bus; None for an NPU of unknown kind.
    chips: Collection[str | None]
    free_mb: int
    path_ready: bool
    user_exists: bool
    group_exists: bool
    user_in_group: bool
    # Processes that hold /dev/davinciN: (pid, name).
    npu_users: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True)
class Problems:
    """What stands against an installation. What an earlier task of the same play may still set right is a warning in check mode."""

    errors: list[str] = field(default_factory=list)
    curable: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_request(request: Request, info: Mapping[str, str], present: bool) -> None:
    """Refuse options that the installer would refuse, or that contradict what is recorded on the host."""
    path = request.install_path
    if not INSTALL_PATH.match(path) or path == "/":
        raise PackageError(f"install_path: {path!r} is not usable. The installer takes an absolute path of letters, digits, '-', '_' and '/'.")
    for kind in KINDS:
        recorded = info.get(f"{kind.capitalize()}_Install_Path_Param")
        if recorded and recorded.rstrip("/") != path.rstrip("/"):
            raise PackageError(
                f"install_path: is {path}, but {INSTALL_INFO} records a {kind} under {recorded}. Set install_path: {recorded}, or remove that one first."
            )
    if not present:
        return
    for option in ("username", "usergroup"):
        value = getattr(request, option)
        if not re.match(r"[A-Za-z_][A-Za-z0-9_.-]*\$?\Z", value):
            raise PackageError(f"{option}: {value!r} is not a {'user' if option == 'username' else 'group'} name.")
    if "root" in (request.username, request.usergroup) and not request.install_for_all:
        raise PackageError("username: root is accepted by the installer only together with install_for_all: true.")


def wrong_host(packages: Sequence[Package], machine: str, chips: Collection[str | None]) -> list[str]:
    """Packages for another architecture or chip than the host's."""
    errors = []
    known = {chip for chip in chips if chip}
    for package in packages:
        if package.arch and package.arch != ARCHITECTURES.get(machine, machine):
            errors.append(f"{package.path} is for {package.arch}, this host is {machine}. Name the package for {machine}.")
        if package.chip and known and package.chip not in known:
            errors.append(
                f"{package.path} is for the chip family {package.chip}, the PCI bus of this host shows {', '.join(sorted(known))}. "
                "Name the package for this product."
            )
    return errors


def check_host(steps: Sequence[Step], host: Host, info: Mapping[str, str], request: Request) -> Problems:
    """Compare what the steps need with what the host is."""
    problems = Problems(errors=wrong_host([step.package for step in steps], host.machine, host.chips))
    steps = [step for step in steps if step.action != "none"]
    if not steps:
        return problems
    needed = max(NEEDED_MB[step.package.kind] for step in steps)
    if not host.path_ready:
        problems.curable.append(f"install_path: the directory above {request.install_path} does not exist; the installer creates one level only.")
    elif host.free_mb <= needed:
        problems.errors.append(f"install_path: {request.install_path} has {host.free_mb} MB free, more than {needed} MB are needed. Free some space.")
    if not host.chips:
        problems.warnings.append("The PCI bus shows no NPU: whether the packages fit this host cannot be told.")
    if any(step.action == "install" for step in steps):
        _check_user(problems, host, info, request)
    if host.npu_users:
        problems.curable.append(in_use(host.npu_users))
    return problems


def in_use(users: Sequence[tuple[int, str]]) -> str:
    """The sentence about processes that hold the NPUs, which neither an installation nor a removal survives."""
    who = ", ".join(f"{name} (pid {pid})" for pid, name in users[:8])
    return f"The NPUs are in use by {len(users)} process(es): {who}. Stop them, and the containers they run in, first."


def _check_user(problems: Problems, host: Host, info: Mapping[str, str], request: Request) -> None:
    user, group = request.username, request.usergroup
    recorded = info.get("UserName", user), info.get("UserGroup", group)
    if recorded != (user, group):
        problems.errors.append(
            f"username, usergroup: are {user}:{group}, but {INSTALL_INFO} records {':'.join(recorded)} from an earlier installation, "
            "and the installer does not change them. Use the recorded ones, or remove driver and firmware first."
        )
    if not host.group_exists:
        problems.curable.append(f"usergroup: the group {group} does not exist. Create it first (groupadd {group}).")
    if not host.user_exists:
        problems.curable.append(f"username: the user {user} does not exist. Create it first (useradd -g {group} -m -s /bin/bash {user}).")
    elif host.group_exists and not host.user_in_group:
        problems.curable.append(f"usergroup: the user {user} is not a member of the group {group}. Add it (usermod -a -G {group} {user}).")


# Thin readers -------------------------------------------------------------------------------------------------------


def read_key_values(path: str) -> dict[str, str] | None:
    """Read a key=value file; None when it does not exist."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_key_values(file.read())
    except (FileNotFoundError, NotADirectoryError):
        return None


def read_installed(path: str, info: Mapping[str, str]) -> dict[str, Installed]:
    """Read what is on disk of driver and firmware under an installation path."""
    found = {}
    for kind in KINDS:
        version_file = os.path.join(path, kind, "version.info")
        values = read_key_values(version_file)
        since_boot = values is not None and os.stat(version_file).st_ctime > boot_time()
        found[kind] = installed(kind, path, info, values, since_boot)
    return found


def boot_time() -> float:
    """When this system, or the container it is, started: the start of process 1."""
    try:
        with open("/proc/stat", encoding="ascii", errors="replace") as file:
            booted = next(int(line.split()[1]) for line in file if line.startswith("btime "))
        with open("/proc/1/stat", encoding="utf-8", errors="replace") as file:
            # The name in parentheses may hold blanks; the start time is field 22.
            ticks = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, StopIteration, ValueError, IndexError):
        return 0.0
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def read_npu_users(proc: str = "/proc") -> list[tuple[int, str]]:
    """Processes that hold /dev/davinciN open, as (pid, name). Processes that end meanwhile are left out."""
    users = []
    for pid in sorted((int(name) for name in os.listdir(proc) if name.isdecimal()), key=int):
        directory = os.path.join(proc, str(pid))
        try:
            targets = [os.readlink(os.path.join(directory, "fd", number)) for number in os.listdir(os.path.join(directory, "fd"))]
            if not any(re.match(r"/dev/davinci[0-9]+\Z", target) for target in targets):
                continue
            with open(os.path.join(directory, "comm"), encoding="utf-8", errors="replace") as file:
                users.append((pid, file.read().strip()))
        except OSError:
            continue
    return users
