# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CANN on a host: what a package is, what is installed, which steps lead there, and what an installer's text means.
Facts: CANN software installation guides 8.0 to 9.0 (hiascend.com), ascend-deployer, ascend-transformer-boost, recorded hosts.
"""

from __future__ import annotations

import glob
import os
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.npuops.ascend.plugins.module_utils._ascend_package import (
    ARCHITECTURES,
    CHIP_TOKENS,
    DEFAULT_PATH,
    INSTALL_PATH,
    Package,
    PackageError,
    Problems,
    read_key_values,
)
from ansible_collections.npuops.ascend.plugins.module_utils._version import VersionError, compare

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    # Component of version.cfg, and running, upgrade or installed: version.
    VersionCfg = Mapping[str, Mapping[str, t.Optional[str]]]

# The vendor's order; nnal wants the environment of the toolkit.
KINDS = ("toolkit", "nnrt", "kernels", "nnal")
ROOT_RECORD = "/etc/Ascend/ascend_cann_install.info"
# Installers of older versions refuse --install-path where the record exists; newer ones rewrite it.
FIRST_TO_REWRITE_RECORD = "8.1.RC1"
# From this version on a toolkit lies in cann-VERSION with the link cann, before in ascend-toolkit/VERSION.
FIRST_IN_CANN_DIR = "8.5.0"
# Megabytes that the installation guides ask for, from this toolkit version on.
NEEDED_MB = (("8.3.RC1", 10 * 1024), ("0", 7 * 1024))

PACKAGE_NAME = re.compile(
    r"(?:ascend-cann-(?P<kind>toolkit|nnrt|nnal)"
    r"|ascend-cann-kernels-(?P<kernels>[0-9a-z]+)|atlas-(?P<series>a[0-9])-cann-kernels|ascend-cann-(?P<ops>[0-9a-z]+)-ops)"
    r"_(?P<version>[^_]+)_linux(?:-(?P<arch>x86[-_]64|aarch64))?\.run\Z",
    re.IGNORECASE,
)
CANN_NAME = re.compile(r"ascend-cann[-_]|atlas-a[0-9]-cann[-_]", re.IGNORECASE)


# Packages -----------------------------------------------------------------------------------------------------------


def is_cann(path: str) -> bool:
    """Whether a file is called as CANN's packages are."""
    return bool(CANN_NAME.match(os.path.basename(path)))


def identify(path: str, header: bytes | None) -> Package:
    """Tell what a CANN package is. Its name is the only place that has kind, chip, version and architecture; without a header the file is not there."""
    name = os.path.basename(path)
    match = PACKAGE_NAME.match(name)
    if match is None:
        if name.lower().endswith(".zip"):
            raise PackageError(f"packages: {path} is a bundle: unpack it and name the .run file in it.")
        raise PackageError(
            f"packages: {path} is no CANN package that this module installs. Expected a toolkit, kernels, ops, nnrt or nnal package with the "
            "vendor's file name, such as Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run."
        )
    if header is not None and not header.startswith(b"#!"):
        begins = "is empty" if not header else f"begins with {header[:8]!r}"
        raise PackageError(f"packages: {path} is not a .run package: it {begins}, expected a self-extracting archive (#!/bin/sh). Copy it again.")
    chip = match.group("kernels") or match.group("ops") or match.group("series")
    kind = (match.group("kind") or "kernels").lower()
    arch = ARCHITECTURES.get((match.group("arch") or "").lower())
    return Package(path, kind, match.group("version"), CHIP_TOKENS.get((chip or "").lower()), arch, there=header is not None)


# Files --------------------------------------------------------------------------------------------------------------

CFG_LINE = re.compile(r"\s*(?P<component>\w+?)_(?P<which>running|upgrade|installed)_version\s*=(?P<value>.*)")


def parse_version_cfg(text: str) -> dict[str, dict[str, str | None]]:
    """Read C(version.cfg): component to what is running, upgraded and installed. The last of several versions counts; empty
    brackets, which an interrupted installation leaves, give None.
    """
    found: dict[str, dict[str, str | None]] = {}
    for line in text.splitlines():
        match = CFG_LINE.match(line)
        if match:
            builds = re.findall(r"\[([^\[\]]*)\]", match.group("value"))
            version = builds[-1].rpartition(":")[2].strip() if builds else ""
            found.setdefault(match.group("component"), {})[match.group("which")] = version or None
    return found


def parse_atb_version(text: str) -> str | None:
    """Read the version of nnal from the C(version.info) of ATB, which has C(name : value) lines."""
    for line in text.splitlines():
        name, _colon, value = line.partition(":")
        if name.strip().lower() == "ascend-cann-atb":
            return value.strip() or None
    return None


@dataclass(frozen=True)
class Component:
    """What is on disk of one package."""

    kind: str
    version: str | None = None
    # complete, absent, or incomplete: an installation that did not end.
    state: str = "absent"
    home: str | None = None
    set_env: str | None = None
    detail: str = ""
    info: Mapping[str, str] = field(default_factory=dict)
    chips: Sequence[str] = ()
    # What an interrupted installation left, and how many versions lie there.
    leftovers: Sequence[str] = ()
    trees: int = 0

    @property
    def present(self) -> bool:
        return self.state == "complete"


@dataclass(frozen=True)
class Cann:
    """What is on disk of CANN under one path."""

    path: str
    components: Mapping[str, Component]
    # Path that the installers recorded last; None without a record.
    recorded_path: str | None = None

    @property
    def base(self) -> Component:
        """The toolkit, or the runtime where there is no toolkit."""
        runtime = self.components["nnrt"]
        return runtime if runtime.present and self.components["toolkit"].state == "absent" else self.components["toolkit"]

    @property
    def environment_scripts(self) -> list[str]:
        return [part.set_env for part in (self.base, self.components["nnal"]) if part.present and part.set_env]

    @property
    def incomplete(self) -> list[Component]:
        return [part for part in self.components.values() if part.state == "incomplete"]


def judge_base(kind: str, home: str, set_env: str | None, info: Mapping[str, str] | None, cfg: VersionCfg) -> Component:
    """Judge a toolkit or runtime tree by the files that a finished installation leaves."""
    version = (info or {}).get("version") or cfg.get(kind, {}).get("running")
    empty = sorted({name for name, which in cfg.items() if name != "opp_kernel" and None in (which.get("running", ""), which.get("installed", ""))})
    detail = ""
    if version is None:
        detail = f"{home} has neither an ascend_{kind}_install.info nor a version in version.cfg"
    elif empty:
        detail = f"{home}/version.cfg has no version for {', '.join(empty)}"
    elif set_env is None:
        detail = f"{home} has no set_env.sh"
    return Component(kind, version, "incomplete" if detail else "complete", home, set_env, detail, dict(info or {}))


def judge_kernels(home: str, cfg: VersionCfg, ops: Mapping[str, str] | None, version_dir: str | None, chips: Sequence[str]) -> Component:
    """Judge the operators: C(opp_kernel) of version.cfg up to CANN 8.3, C(ascend_ops_install.info) from 8.5 on."""
    which = cfg.get("opp_kernel", {})
    version = (ops or {}).get("version") or which.get("running") or (None if which else version_dir)
    if version is None:
        detail = f"{home}/version.cfg has no version for opp_kernel" if which else ""
        return Component("kernels", None, "incomplete" if detail else "absent", home, detail=detail)
    return Component("kernels", version, "complete", home, info=dict(ops or {}), chips=chips)


# Plan ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Request:
    """The module's options that matter for a plan."""

    install_path: str = DEFAULT_PATH
    install_for_all: bool = True
    accept_eula: bool = False
    clean_incomplete: bool = False


@dataclass(frozen=True)
class Step:
    """One package and what is to be done with it."""

    package: Package
    action: str
    arguments: tuple[str, ...] = ()


def check_path(path: str) -> None:
    if not INSTALL_PATH.match(path) or path == "/":
        raise PackageError(f"install_path: {path!r} is not usable. The installer takes an absolute path of letters, digits, '-', '_' and '/'.")


def plan(packages: Sequence[Package], found: Cann, request: Request, is_root: bool = True) -> list[Step]:
    """Decide each package's action, in the vendor's order: toolkit, kernels, nnal."""
    named: dict[str, Package] = {}
    for package in packages:
        if package.kind in named:
            raise PackageError(f"packages: {named[package.kind].path}, {package.path} are both {package.kind} packages. Name one {package.kind} package.")
        named[package.kind] = package
    _check_versions(named, found)
    steps: list[Step] = []
    for kind in KINDS:
        if kind in named:
            # What is installed first writes the record.
            recorded = found.recorded_path or (request.install_path if any(step.action != "none" for step in steps) else None)
            steps.append(_step(named[kind], replace(found, recorded_path=recorded), request, is_root))
    changes = [step.package.path for step in steps if step.action != "none"]
    if changes and not request.accept_eula:
        raise PackageError(
            f"accept_eula: is false, but {', '.join(changes)} can be installed only by accepting the vendor's licence (EULA of CANN), "
            "which --quiet does in your name. Read it on the download page and set accept_eula: true."
        )
    return steps


def _check_versions(named: Mapping[str, Package], found: Cann) -> None:
    """Kernels and nnal belong to one version of the toolkit."""
    base = named.get("toolkit") or named.get("nnrt")
    version = base.version if base else found.base.version if found.base.present else None
    for kind in ("kernels", "nnal"):
        package = named.get(kind)
        if package is None or package.version is None:
            continue
        if version is None:
            raise PackageError(f"packages: {package.path} needs the toolkit, and none is installed under {found.path}. Name the toolkit package too.")
        if _compare(package.path, package.version, version) != 0:
            where = base.path if base else f"installed under {found.path}"
            raise PackageError(
                f"packages: {package.path} belongs to CANN {package.version}, but the {found.base.kind} is {version} ({where}). Name packages of one version."
            )


def check_leftovers(part: Component, clean: bool) -> None:
    """Refuse what an interrupted installation left, unless it may be removed and nothing else goes with it."""
    what = f"An earlier installation of {part.kind} did not end: {part.detail}"
    if part.trees > 1:
        raise PackageError(f"{what}. Several versions lie below {', '.join(part.leftovers)}: remove the unfinished one by hand.")
    if not clean:
        raise PackageError(
            f"{what}. See /var/log/ascend_seclog for the reason, then remove {', '.join(part.leftovers)}, or set clean_incomplete: true to have that done."
        )


def _compare(path: str, wanted: str, other: str) -> int:
    try:
        return compare(wanted, other)
    except VersionError as error:
        raise PackageError(f"{path} cannot be compared with {other}: {error}") from error


def _step(package: Package, found: Cann, request: Request, is_root: bool) -> Step:
    part = found.components[package.kind]
    wanted = t.cast(str, package.version)
    # Kernels that did not end lie inside of the toolkit and are simply installed again.
    if part.state == "incomplete" and package.kind != "kernels":
        check_leftovers(part, request.clean_incomplete)
    if not part.present or part.version is None:
        return Step(package, "install", ("--install", "--quiet", *_options(wanted, found, request, is_root)))
    order = _compare(package.path, wanted, part.version)
    if order == 0:
        return Step(package, "none")
    if order < 0 and package.kind != "kernels":
        raise PackageError(
            f"{package.path} would replace {package.kind} {part.version} by the older {wanted}, and CANN's installer has no way back. "
            "Remove CANN first (software: cann, state: absent), or name a newer package."
        )
    # An upgrade goes to the recorded path.
    moved = found.recorded_path is not None and not _same_path(found.recorded_path, request.install_path)
    return Step(package, "upgrade", ("--upgrade", "--quiet", *((f"--install-path={request.install_path}",) if moved else ())))


def _options(version: str, found: Cann, request: Request, is_root: bool) -> list[str]:
    options = []
    old = _compare("install_path", version, FIRST_TO_REWRITE_RECORD) < 0
    if found.recorded_path is None or not old:
        options.append(f"--install-path={request.install_path}")
    elif not _same_path(found.recorded_path, request.install_path):
        raise PackageError(
            f"install_path: is {request.install_path}, but the record of an earlier installation says {found.recorded_path}, and the installer "
            f"of CANN {version} does not change it. Set install_path: {found.recorded_path}, or "
            f"remove {ROOT_RECORD} after making sure that nothing is installed there."
        )
    if request.install_for_all and is_root:
        options.append("--install-for-all")
    return options


def _same_path(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")


def check_host(steps: Sequence[Step], path: str, free_mb: int, missing_tools: Sequence[str], knows_chip: bool) -> Problems:
    """Compare what the steps need with what the host has."""
    problems = Problems()
    changes = [step for step in steps if step.action != "none"]
    base = next((step.package for step in changes if step.package.kind in ("toolkit", "nnrt")), None)
    if base:
        needed = next(size for since, size in NEEDED_MB if compare(t.cast(str, base.version), since) >= 0)
        if free_mb <= needed:
            problems.errors.append(f"install_path: {path} has {free_mb} MB free, more than {needed} MB are needed for {base.path}. Free some space.")
    if base and missing_tools:
        problems.curable.append(
            f"{', '.join(missing_tools)} not found: the installer of the toolkit would stop half-way. Install python3 and python3-pip for the system first."
        )
    if changes and not knows_chip:
        problems.warnings.append("The PCI bus shows no known NPU: whether the packages fit this host cannot be told.")
    return problems


def expected_set_env(path: str, version: str) -> str:
    """Where a toolkit of this version puts its environment script."""
    return f"{path.rstrip('/')}/{'cann' if compare(version, FIRST_IN_CANN_DIR) >= 0 else 'ascend-toolkit'}/set_env.sh"


# Thin readers -------------------------------------------------------------------------------------------------------


def record_path() -> str:
    """Where installers of this user keep their record."""
    return ROOT_RECORD if os.geteuid() == 0 else os.path.join(os.path.expanduser("~"), "Ascend", "ascend_cann_install.info")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return ""


def _first(*patterns: str) -> str | None:
    return next((path for pattern in patterns for path in sorted(glob.glob(pattern))), None)


@dataclass(frozen=True)
class Layout:
    """Where the vendor puts a toolkit or runtime: a link or directory for the current version beside a tree for each version."""

    home: str
    trees: str
    set_env: tuple[str, ...]
    # What an interrupted first installation leaves.
    root: tuple[str, ...]


def _layouts(path: str, kind: str) -> list[Layout]:
    def per_version(name: str) -> Layout:
        root = f"{path}/{name}"
        return Layout(f"{root}/latest", f"{glob.escape(root)}/[0-9]*", (f"{root}/set_env.sh", f"{root}/latest/set_env.sh"), (root,))

    if kind == "nnrt":
        return [per_version("nnrt")]
    # From CANN 8.5 on; images of it often keep the older name for set_env.sh beside it.
    new = Layout(f"{path}/cann", f"{glob.escape(path)}/cann-[0-9]*", (f"{path}/cann/set_env.sh", f"{path}/ascend-toolkit/set_env.sh"), (f"{path}/cann",))
    return [new, per_version("ascend-toolkit")]


def _read_base(path: str, kind: str) -> tuple[Component, VersionCfg]:
    found = []
    for layout in _layouts(path, kind):
        trees = sorted(glob.glob(layout.trees))
        if trees or os.path.lexists(layout.home):
            name = f"ascend_{kind}_install.info"
            info = _first(f"{glob.escape(layout.home)}/*-linux/{name}", f"{glob.escape(layout.home)}/{name}")
            found.append((info, layout, trees))
    if not found:
        return Component(kind), {}
    info, layout, trees = next((row for row in found if row[0]), found[0])
    cfg = parse_version_cfg(_text(f"{layout.home}/version.cfg"))
    set_env = next((script for script in layout.set_env if os.path.isfile(script)), None)
    part = judge_base(kind, layout.home, set_env, read_key_values(info) if info else None, cfg)
    rest = layout.root if layout.root != (layout.home,) else (*trees, layout.home)
    return replace(part, leftovers=rest, trees=len(trees)), cfg


def _read_kernels(home: str, cfg: VersionCfg) -> Component:
    ops = _first(f"{glob.escape(home)}/*-linux/ascend_ops_install.info")
    version_info = read_key_values(f"{home}/opp_kernel/version.info") or {}
    chips = sorted(os.path.basename(chip)[len("ascend") :] for chip in glob.glob(f"{glob.escape(home)}/opp/built-in/op_impl/ai_core/tbe/kernel/ascend*"))
    return judge_kernels(home, cfg, read_key_values(ops) if ops else None, version_info.get("version_dir"), chips)


def _read_nnal(path: str) -> Component:
    root = f"{path}/nnal/atb"
    if not glob.glob(f"{glob.escape(root)}/*"):
        return Component("nnal")
    set_env, latest = f"{root}/set_env.sh", f"{root}/latest"
    missing = [name for name in (set_env, latest) if not os.path.exists(name)]
    detail = f"{' and '.join(missing)} not there" if missing else ""
    version = parse_atb_version(_text(f"{latest}/version.info")) or os.path.basename(os.path.realpath(latest))
    if missing or not version[:1].isdigit():
        return Component("nnal", None, "incomplete", root, detail=detail or f"{latest} tells no version", leftovers=(f"{path}/nnal",))
    return Component("nnal", version, "complete", root, set_env)


def read(path: str, record: str | None = None) -> Cann:
    """Read what is on disk of CANN under an installation path."""
    path = path.rstrip("/")
    toolkit, cfg = _read_base(path, "toolkit")
    runtime, _cfg = _read_base(path, "nnrt")
    kernels = _read_kernels(toolkit.home, cfg) if toolkit.home else Component("kernels")
    parts = {"toolkit": toolkit, "nnrt": runtime, "kernels": kernels, "nnal": _read_nnal(path)}
    recorded = read_key_values(record_path() if record is None else record) or {}
    # The key has had a prefix in some versions.
    return Cann(path, parts, next((value for key, value in recorded.items() if key.endswith("Install_Path_Param") or key == "Install_Path"), None))


def uninstall_scripts(found: Cann, kind: str) -> list[str]:
    """The vendor's removal scripts of a package, the preferred one first."""
    home = found.components[kind].home or found.path
    arch = _first(f"{glob.escape(home)}/*-linux") or home
    return {
        "nnal": [f"{found.path}/nnal/nnal_uninstall.sh"],
        "kernels": [f"{arch}/script/ops_uninstall.sh", f"{home}/opp_kernel/script/uninstall.sh"],
    }.get(kind, [f"{arch}/script/uninstall.sh", f"{os.path.realpath(home)}/cann_uninstall.sh"])
