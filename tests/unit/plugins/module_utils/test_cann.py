# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _cann as cann
from ansible_collections.npuops.ascend.plugins.module_utils._ascend_package import Package, PackageError
from hypothesis import given, settings
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"
HEADER = b"#!/bin/sh\n"
# version.cfg of a host that has had several versions (public report of CANN 8.2.RC2).
SEVERAL = """# version: 1.0
runtime_running_version=[8.2.0.2.220:8.2.RC2]
opp_kernel_running_version=[8.2.0.2.220:8.2.RC2]\r
runtime_upgrade_version=[8.2.0.2.220:8.2.RC2]
opp_kernel_installed_version=[7.5.T11.0.B081:8.0.RC3.alpha003][8.2.0.2.220:8.2.RC2]
runtime_installed_version=[8.2.0.2.220:8.2.RC2]
"""
COMPLETE = "".join(f"{name}_{which}_version=[7.6.0.1.220:8.0.0]\n" for name in ("runtime", "toolkit") for which in ("running", "installed"))
ATB = """    Ascend-cann-atb : 8.0.T63
    Ascend-cann-atb Version : 8.0.T63.B020
    Platform : aarch64
    branch : br_feature_cann_8.0.0_POC_20250130
"""


# Packages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, expected",
    [
        ("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run", ("toolkit", "8.1.RC1", None, "aarch64")),
        ("Ascend-cann-toolkit_8.3.RC1.alpha003_linux-x86_64.run", ("toolkit", "8.3.RC1.alpha003", None, "x86_64")),
        ("Ascend-cann-kernels-910b_8.1.RC1_linux-aarch64.run", ("kernels", "8.1.RC1", "910B", "aarch64")),
        ("Ascend-cann-kernels-310p_8.1.RC1_linux-x86_64.run", ("kernels", "8.1.RC1", "310P", "x86_64")),
        ("Atlas-A3-cann-kernels_8.1.RC1_linux-aarch64.run", ("kernels", "8.1.RC1", "A3", "aarch64")),
        ("Ascend-cann-A3-ops_8.5.0_linux-aarch64.run", ("kernels", "8.5.0", "A3", "aarch64")),
        ("Ascend-cann-910b-ops_9.0.0_linux-aarch64.run", ("kernels", "9.0.0", "910B", "aarch64")),
        ("Ascend-cann-nnal_8.1.RC1_linux-aarch64.run", ("nnal", "8.1.RC1", None, "aarch64")),
        ("Ascend-cann-nnrt_8.1.RC1_linux-aarch64.run", ("nnrt", "8.1.RC1", None, "aarch64")),
    ],
)
def test_identify(name: str, expected: tuple) -> None:
    found = cann.identify(f"/opt/{name}", HEADER)
    assert (found.kind, found.version, found.chip, found.arch) == expected
    assert cann.is_cann(f"/opt/{name}")


@pytest.mark.parametrize(
    "name, header, said",
    [
        ("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.zip", b"PK", "is a bundle: unpack it"),
        ("Ascend-cann-nnae_8.1.RC1_linux-aarch64.run", HEADER, "is no CANN package that this module installs"),
        ("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run", b"", "it is empty"),
        ("Ascend-cann-toolkit_8.1.RC1_linux-aarch64.run", b"<html>", "begins with b'<html>'"),
    ],
)
def test_identify_refuses(name: str, header: bytes, said: str) -> None:
    with pytest.raises(PackageError, match=said.replace("(", r"\(")):
        cann.identify(f"/opt/{name}", header)


def test_hdk_is_not_cann() -> None:
    assert not cann.is_cann("/opt/Ascend-hdk-910b-npu-driver_24.1.0_linux-aarch64.run")


# Files --------------------------------------------------------------------------------------------------------------


def test_version_cfg_with_several_versions() -> None:
    assert cann.parse_version_cfg(SEVERAL) == {
        "runtime": {"running": "8.2.RC2", "upgrade": "8.2.RC2", "installed": "8.2.RC2"},
        "opp_kernel": {"running": "8.2.RC2", "installed": "8.2.RC2"},
    }


@pytest.mark.parametrize("value", ["[]", "[:]", "", "[ ]"])
def test_version_cfg_of_an_interrupted_installation(value: str) -> None:
    assert cann.parse_version_cfg(f"runtime_running_version={value}\n") == {"runtime": {"running": None}}


@pytest.mark.parametrize("text, version", [(ATB, "8.0.T63"), ("Ascend-cann-atb : 8.0.0\n", "8.0.0"), ("Ascend-cann-atb :\n", None), ("", None)])
def test_atb_version(text: str, version: str | None) -> None:
    assert cann.parse_atb_version(text) == version


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_parsers_take_any_text(text: str) -> None:
    assert all(set(which) <= {"running", "upgrade", "installed"} for which in cann.parse_version_cfg(text).values())
    assert cann.parse_atb_version(text) is None or ":" in text


class Tree:
    """A CANN tree below a directory, as the vendor lays it out up to 8.3."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = path / "ascend-toolkit"

    def write(self, name: str, text: str = "") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def toolkit(self, version: str = "8.0.0", cfg: str = COMPLETE) -> None:
        info = (FIXTURES / "cann-toolkit_install.info--8.0.0.txt").read_text(encoding="utf-8").replace("8.0.0", version)
        self.write(f"ascend-toolkit/{version}/aarch64-linux/ascend_toolkit_install.info", info)
        self.write(f"ascend-toolkit/{version}/version.cfg", cfg)
        self.write("ascend-toolkit/set_env.sh")
        (self.root / "latest").symlink_to(version)

    def nnal(self, version: str = "8.0.0") -> None:
        self.write(f"nnal/atb/{version}/version.info", f"    Ascend-cann-atb : {version}\n")
        self.write("nnal/atb/set_env.sh")
        (self.path / "nnal/atb/latest").symlink_to(version)

    def read(self, record: str = "/nowhere") -> cann.Cann:
        return cann.read(str(self.path), record)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "Ascend")


def test_nothing_installed(tree: Tree) -> None:
    found = tree.read()
    assert [part.state for part in found.components.values()] == ["absent"] * 4
    assert (found.environment_scripts, found.recorded_path) == ([], None)


def test_driver_alone_is_no_cann(tree: Tree) -> None:
    tree.write("driver/version.info", "Version=24.1.0\n")
    (tree.path / "ascend-toolkit").mkdir()
    assert {part.state for part in tree.read().components.values()} == {"absent"}


def test_all_installed(tree: Tree) -> None:
    tree.toolkit(cfg=COMPLETE + "opp_kernel_running_version=[7.6.0.1.220:8.0.0]\nopp_kernel_installed_version=[7.6.0.1.220:8.0.0]\n")
    (tree.root / "latest/opp/built-in/op_impl/ai_core/tbe/kernel/ascend910b").mkdir(parents=True)
    tree.nnal()
    record = tree.write("record", "Install_Path_Param=/usr/local/Ascend\n")
    found = tree.read(str(record))
    assert {kind: (part.state, part.version) for kind, part in found.components.items()} == {
        "toolkit": ("complete", "8.0.0"),
        "nnrt": ("absent", None),
        "kernels": ("complete", "8.0.0"),
        "nnal": ("complete", "8.0.0"),
    }
    assert found.base.info["innerversion"] == "V100R001C20SPC001B251"
    assert found.components["kernels"].chips == ["910b"]
    assert found.environment_scripts == [f"{tree.path}/ascend-toolkit/set_env.sh", f"{tree.path}/nnal/atb/set_env.sh"]
    assert found.recorded_path == "/usr/local/Ascend"


def test_latest_may_be_a_directory_of_links(tree: Tree) -> None:
    tree.toolkit()
    (tree.root / "latest").unlink()
    (tree.root / "latest").mkdir()
    (tree.root / "latest/aarch64-linux").symlink_to("../8.0.0/aarch64-linux")
    tree.write("ascend-toolkit/latest/version.cfg", COMPLETE)
    assert (tree.read().base.state, tree.read().base.version) == ("complete", "8.0.0")


def test_layout_from_8_5_on(tree: Tree) -> None:
    tree.write("cann-8.5.0/aarch64-linux/ascend_toolkit_install.info", "package_name=Ascend-cann-toolkit\nversion=8.5.0\narch=aarch64\n")
    tree.write("cann-8.5.0/aarch64-linux/ascend_ops_install.info", "package_name=Ascend-cann-910b-ops\nversion=8.5.0\n")
    tree.write("cann-8.5.0/set_env.sh")
    (tree.path / "cann").symlink_to("cann-8.5.0")
    found = tree.read()
    assert (found.base.state, found.base.version, found.components["kernels"].version) == ("complete", "8.5.0", "8.5.0")
    assert found.environment_scripts == [f"{tree.path}/cann/set_env.sh"]


def test_runtime_without_toolkit(tree: Tree) -> None:
    tree.write("nnrt/8.1.RC1/aarch64-linux/ascend_nnrt_install.info", "version=8.1.RC1\n")
    tree.write("nnrt/set_env.sh")
    (tree.path / "nnrt/latest").symlink_to("8.1.RC1")
    found = tree.read()
    assert (found.base.kind, found.base.state, found.base.version) == ("nnrt", "complete", "8.1.RC1")
    assert found.environment_scripts == [f"{tree.path}/nnrt/set_env.sh"]


def test_version_cfg_stands_in_for_the_info_file(tree: Tree) -> None:
    tree.toolkit()
    (tree.root / "8.0.0/aarch64-linux/ascend_toolkit_install.info").unlink()
    assert (tree.read().base.state, tree.read().base.version) == ("complete", "8.0.0")


@pytest.mark.parametrize(
    "damage, said",
    [
        (
            lambda tree: tree.write("ascend-toolkit/latest/version.cfg", COMPLETE.replace("[7.6.0.1.220:8.0.0]", "[]", 1)),
            "version.cfg has no version for runtime",
        ),
        (lambda tree: (tree.root / "set_env.sh").unlink(), "has no set_env.sh"),
        (lambda tree: (tree.root / "latest").unlink(), "has neither an ascend_toolkit_install.info nor a version in version.cfg"),
    ],
)
def test_half_installed_toolkit(tree: Tree, damage: object, said: str) -> None:
    tree.toolkit()
    damage(tree)
    found = tree.read()
    assert found.base.state == "incomplete"
    assert said in found.base.detail
    assert found.environment_scripts == []
    assert found.base.leftovers == (str(tree.root),)


def test_half_installed_kernels_and_nnal(tree: Tree) -> None:
    tree.toolkit(cfg=f"{COMPLETE}opp_kernel_running_version=[]\n")
    tree.nnal()
    (tree.path / "nnal/atb/set_env.sh").unlink()
    found = tree.read()
    assert [(part.kind, part.detail) for part in found.incomplete] == [
        ("kernels", f"{tree.root}/latest/version.cfg has no version for opp_kernel"),
        ("nnal", f"{tree.path}/nnal/atb/set_env.sh not there"),
    ]
    assert found.environment_scripts == [f"{tree.root}/set_env.sh"]


# Plan ---------------------------------------------------------------------------------------------------------------

PATH = "/usr/local/Ascend"


def package(kind: str, version: str = "8.1.RC1") -> Package:
    return Package(f"/opt/{kind}-{version}.run", kind, version)


def found(recorded: str | None = None, **versions: str) -> cann.Cann:
    parts = {kind: cann.Component(kind, versions.get(kind), "complete" if kind in versions else "absent") for kind in cann.KINDS}
    return cann.Cann(PATH, parts, recorded)


def plan(packages: list[Package], state: cann.Cann, is_root: bool = True, **options: object) -> list[tuple]:
    request = cann.Request(**{"accept_eula": True, **options})
    return [(step.package.kind, step.action, step.arguments) for step in cann.plan(packages, state, request, is_root)]


INSTALL = ("--install", "--quiet", f"--install-path={PATH}", "--install-for-all")


def test_plan_of_a_bare_host_in_the_vendors_order() -> None:
    assert plan([package("nnal"), package("kernels"), package("toolkit")], found()) == [
        ("toolkit", "install", INSTALL),
        ("kernels", "install", INSTALL),
        ("nnal", "install", INSTALL),
    ]


def test_only_the_first_old_package_names_the_path() -> None:
    assert [step[2] for step in plan([package("toolkit", "8.0.0"), package("kernels", "8.0.0")], found())] == [
        INSTALL,
        ("--install", "--quiet", "--install-for-all"),
    ]


def test_plan_for_one_user() -> None:
    assert plan([package("toolkit")], found(), install_for_all=False)[0][2] == INSTALL[:3]
    assert plan([package("toolkit")], found(), is_root=False)[0][2] == INSTALL[:3]


def test_plan_leaves_the_same_version_alone_without_asking_for_the_licence() -> None:
    state = found(PATH, toolkit="8.1.RC1", kernels="8.1.rc1")
    assert plan([package("toolkit"), package("kernels")], state, accept_eula=False) == [("toolkit", "none", ()), ("kernels", "none", ())]


def test_plan_upgrades() -> None:
    state = found(PATH, toolkit="8.0.0", kernels="8.0.0", nnal="8.0.0")
    assert plan([package("toolkit"), package("kernels"), package("nnal")], state) == [
        (kind, "upgrade", ("--upgrade", "--quiet")) for kind in ("toolkit", "kernels", "nnal")
    ]
    assert plan([package("toolkit")], found("/data/Ascend", toolkit="8.0.0"))[0][2] == ("--upgrade", "--quiet", f"--install-path={PATH}")


@pytest.mark.parametrize(
    "version, recorded, options",
    [
        ("8.0.0", None, INSTALL),
        ("8.0.0", "/usr/local/Ascend/", ("--install", "--quiet", "--install-for-all")),
        ("8.1.RC1", PATH, INSTALL),
        ("8.1.RC1", "/data/Ascend", INSTALL),
    ],
)
def test_install_path_and_the_record(version: str, recorded: str | None, options: tuple) -> None:
    assert plan([package("toolkit", version)], found(recorded))[0][2] == options


@pytest.mark.parametrize(
    "packages, state, options, said",
    [
        ([package("toolkit")], found(), {"accept_eula": False}, "accept_eula: is false, but /opt/toolkit-8.1.RC1.run can be installed only by accepting"),
        ([package("toolkit"), package("toolkit", "8.2.RC1")], found(), {}, "are both toolkit packages"),
        ([package("kernels")], found(), {}, "needs the toolkit, and none is installed under /usr/local/Ascend"),
        ([package("nnal", "8.2.RC1")], found(toolkit="8.1.RC1"), {}, "belongs to CANN 8.2.RC1, but the toolkit is 8.1.RC1"),
        ([package("toolkit"), package("kernels", "8.0.0")], found(), {}, "belongs to CANN 8.0.0, but the toolkit is 8.1.RC1 .*toolkit-8.1.RC1.run"),
        ([package("toolkit")], found(toolkit="8.2.RC1"), {}, "would replace toolkit 8.2.RC1 by the older 8.1.RC1"),
        ([package("toolkit", "8.0.0")], found("/data/Ascend"), {}, "the record of an earlier installation says /data/Ascend"),
        ([package("toolkit", "banana")], found(toolkit="8.1.RC1"), {}, "cannot be compared"),
    ],
)
def test_plan_refuses(packages: list[Package], state: cann.Cann, options: dict, said: str) -> None:
    with pytest.raises(PackageError, match=said):
        plan(packages, state, **options)


def test_plan_with_remains_of_an_interrupted_installation(tree: Tree) -> None:
    tree.toolkit(cfg=COMPLETE.replace("[7.6.0.1.220:8.0.0]", "[]"))
    with pytest.raises(PackageError, match=f"did not end: .*remove {tree.root}, or set clean_incomplete: true"):
        plan([package("toolkit")], tree.read())
    assert plan([package("toolkit")], tree.read(), clean_incomplete=True)[0][1] == "install"
    (tree.root / "7.0.0").mkdir()
    with pytest.raises(PackageError, match="Several versions lie below"):
        plan([package("toolkit")], tree.read(), clean_incomplete=True)


@pytest.mark.parametrize(
    "version, free_mb, missing, expected",
    [
        ("8.1.RC1", 7 * 1024 + 1, [], ([], [])),
        ("8.1.RC1", 7 * 1024, [], (["more than 7168 MB are needed"], [])),
        ("8.5.0", 8 * 1024, [], (["more than 10240 MB are needed"], [])),
        ("8.1.RC1", 20000, ["pip3"], ([], ["pip3 not found: the installer of the toolkit would stop half-way"])),
    ],
)
def test_check_host(version: str, free_mb: int, missing: list[str], expected: tuple) -> None:
    steps = cann.plan([package("toolkit", version)], found(), cann.Request(accept_eula=True))
    problems = cann.check_host(steps, PATH, free_mb, missing, knows_chip=True)
    for texts, wanted in zip((problems.errors, problems.curable), expected):
        assert len(texts) == len(wanted)
        assert all(part in text for part, text in zip(wanted, texts))
    assert problems.warnings == []
    assert "no known NPU" in cann.check_host(steps, PATH, free_mb, [], knows_chip=False).warnings[0]


@pytest.mark.parametrize("path", ["relative", "/", "/opt/a b", "/opt/ä"])
def test_unusable_path(path: str) -> None:
    with pytest.raises(PackageError, match="install_path"):
        cann.check_path(path)
