# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ascend_package and cann_info with the packages of the simulator, whose installers really run, in a directory of the test."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _cann
from ansible_collections.npuops.ascend.plugins.modules import ascend_package, cann_info

SIMULATOR = Path(__file__).resolve().parents[3] / "simulator"
ARCH = os.uname().machine


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The simulated CANN packages of this machine's architecture."""
    if ARCH not in ("x86_64", "aarch64"):
        pytest.skip(f"CANN has no packages for {ARCH}")
    out = tmp_path_factory.mktemp("packages")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SIMULATOR))
        spec = importlib.util.spec_from_file_location("cann_build", SIMULATOR / "sources/cann/build.py")
        assert spec and spec.loader
        build = importlib.util.module_from_spec(spec)
        # Its dataclass looks for its own module.
        patch.setitem(sys.modules, "cann_build", build)
        spec.loader.exec_module(build)
        build.main(out)
    return out


class Host:
    """A directory that the installers take for a host."""

    def __init__(self, root: Path, packages: Path, run_module: t.Callable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = root / "Ascend"
        self.packages = packages
        self.run_module = run_module
        self.monkeypatch = monkeypatch
        self.bin = root / "bin"
        self.bin.mkdir()
        self.pip3(True)
        record = root / ("etc/Ascend" if os.geteuid() == 0 else "Ascend") / "ascend_cann_install.info"
        monkeypatch.setattr(_cann, "record_path", lambda: str(record))
        monkeypatch.setattr(ascend_package, "read_npus", lambda: [SimpleNamespace(chip="910B")] * 8)
        monkeypatch.setattr(ascend_package, "_free_mb", lambda _path: 100_000)
        # The tools of the machine, but not its pip3.
        self.tools = root / "tools"
        self.tools.mkdir()
        for tool in os.listdir("/usr/bin"):
            if not tool.startswith("pip"):
                (self.tools / tool).symlink_to(f"/usr/bin/{tool}")
        monkeypatch.setattr(ascend_package, "SYSTEM_PATHS", ())
        for name, value in {"PATH": f"{self.bin}:{self.tools}", "NPUSIM_ROOT": str(root), "HOME": str(root)}.items():
            monkeypatch.setenv(name, value)

    def pip3(self, there: bool) -> None:
        if there:
            (self.bin / "pip3").symlink_to("/bin/true")
        else:
            (self.bin / "pip3").unlink()

    def names(self, version: str = "8.1.RC1", *kinds: str) -> list[str]:
        names = {"toolkit": "toolkit", "kernels": "kernels-910b" if version < "8.5" else "910b-ops", "nnal": "nnal"}
        return [str(self.packages / f"Ascend-cann-{names[kind]}_{version}_linux-{ARCH}.run") for kind in kinds or ("nnal", "kernels", "toolkit")]

    def run(self, packages: list[str] | None = None, check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        if packages is not None:
            options = {"packages": packages, "accept_eula": True, **options}
        result, _commands = self.run_module(ascend_package, {"install_path": str(self.path), **options}, check=check, real_commands=True)
        return result

    def info(self) -> dict[str, t.Any]:
        return self.run_module(cann_info, {"install_path": str(self.path)})[0]


@pytest.fixture
def host(tmp_path: Path, packages: Path, run_module: t.Callable, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, packages, run_module, monkeypatch)


def actions(result: dict[str, t.Any]) -> list[tuple[str, str]]:
    return [(row["kind"], row["action"]) for row in result["packages"]]


def test_installs_in_order_and_only_once(host: Host) -> None:
    checked = host.run(host.names(), check=True)
    assert (checked["changed"], host.path.exists()) == (True, False)
    brought = [path.replace("/Ascend-", "/none/Ascend-") for path in host.names()]
    assert actions(host.run(brought, check=True, allow_missing=True)) == actions(checked)
    assert host.run(brought, allow_missing=True)["msg"].startswith(f"packages: {brought[2]} does not exist on the managed host.")
    assert not host.path.exists()
    result = host.run(host.names())
    assert not result.get("failed"), result["msg"]
    assert actions(result) == actions(checked) == [("toolkit", "install"), ("kernels", "install"), ("nnal", "install")]
    assert result["diff"] == {"before": dict.fromkeys(("toolkit", "kernels", "nnal")), "after": dict.fromkeys(("toolkit", "kernels", "nnal"), "8.1.RC1")}
    assert result["packages"][0]["message"].endswith(f"install success, installed in {host.path}.")
    assert result["reboot_required"] is False
    # NNAL is run in the environment of the toolkit, also in what a check run tells.
    assert result["commands"] == checked["commands"]
    assert result["commands"][2][1:4] == ["-c", '. "$0" && exec bash "$@"', f"{host.path}/ascend-toolkit/set_env.sh"]
    # What is installed need not lie there any longer.
    gone = [path.replace("/Ascend-", "/none/Ascend-") for path in host.names()]
    away = host.run(gone, accept_eula=False, allow_missing=True)
    assert (away["changed"], away["commands"], actions(away)) == (False, [], [("toolkit", "none"), ("kernels", "none"), ("nnal", "none")])
    assert "does not exist on the managed host" in host.run(gone)["msg"]
    again = host.run(host.names(), accept_eula=False)
    assert (again["changed"], again["commands"], actions(again)) == (False, [], [("toolkit", "none"), ("kernels", "none"), ("nnal", "none")])


def test_cann_info_after_installation(host: Host) -> None:
    assert (host.info()["installed"], host.info()["environment_scripts"]) == (False, [])
    host.run(host.names())
    assert host.info() == {
        "changed": False,
        "installed": True,
        "version": "8.1.RC1",
        "inner_version": "V100R001C21SPC001B238",
        "install_path": str(host.path),
        "home": f"{host.path}/ascend-toolkit/latest",
        "arch": ARCH,
        "kernels_version": "8.1.RC1",
        "kernels_chips": ["910b"],
        "nnal": True,
        "nnal_version": "8.1.RC1",
        "environment_scripts": [f"{host.path}/ascend-toolkit/set_env.sh", f"{host.path}/nnal/atb/set_env.sh"],
        "half_installed": False,
        "problems": [],
        "recorded_path": str(host.path),
    }


def test_upgrades_through_the_change_of_layout(host: Host) -> None:
    for version in ("8.0.0", "8.1.RC1", "8.5.0"):
        result = host.run(host.names(version))
        assert not result.get("failed"), result["msg"]
        info = host.info()
        assert (info["version"], info["kernels_version"], info["nnal_version"], info["half_installed"]) == (version, version, version, False)
    assert info["environment_scripts"] == [f"{host.path}/cann/set_env.sh", f"{host.path}/nnal/atb/set_env.sh"]
    assert [command[-2:] for command in result["commands"]] == [["--upgrade", "--quiet"]] * 3


def test_does_not_go_back(host: Host) -> None:
    host.run(host.names("8.1.RC1", "toolkit"))
    result = host.run(host.names("8.0.0", "toolkit"))
    assert "would replace toolkit 8.1.RC1 by the older 8.0.0" in result["msg"]
    assert host.info()["version"] == "8.1.RC1"


def test_removes(host: Host) -> None:
    host.run(host.names())
    checked = host.run(software="cann", state="absent", check=True)
    result = host.run(software="cann", state="absent")
    assert actions(result) == actions(checked) == [("nnal", "uninstall"), ("kernels", "uninstall"), ("toolkit", "uninstall")]
    assert [row["installed_before"] for row in result["packages"]] == ["8.1.RC1"] * 3
    assert list(host.path.iterdir()) == []
    assert host.run(software="cann", state="absent")["changed"] is False


@pytest.mark.parametrize(
    "name, said",
    [
        ("Ascend-cann-toolkit_8.1.RC1_linux-{other}.run", "is for {other}, this host is"),
        ("Ascend-cann-kernels-310p_8.1.RC1_linux-{arch}.run", "is for the chip family 310P, the PCI bus of this host shows 910B"),
    ],
)
def test_refuses_packages_for_another_host(host: Host, name: str, said: str) -> None:
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[ARCH]
    path = str(host.packages / name.format(other=other, arch=ARCH))
    packages = [path] if "toolkit" in name else [*host.names("8.1.RC1", "toolkit"), path]
    assert said.format(other=other) in host.run(packages)["msg"]
    assert not host.path.exists()


def test_refuses_without_the_licence(host: Host) -> None:
    assert "accept_eula: is false" in host.run(host.names(), accept_eula=False)["msg"]
    assert not host.path.exists()


def test_refuses_a_damaged_package(host: Host, tmp_path: Path) -> None:
    (source,) = host.names("8.1.RC1", "toolkit")
    copy = tmp_path / os.path.basename(source)
    shutil.copy(source, copy)
    with copy.open("r+b") as file:
        file.truncate(copy.stat().st_size - 10)
    assert "does not pass its own check" in host.run([str(copy)])["msg"]
    assert not host.path.exists()


def test_without_pip3(host: Host) -> None:
    host.pip3(False)
    assert "pip3 not found" in host.run(host.names())["msg"]
    assert not host.path.exists()
    assert "pip3 not found" in host.run(host.names(), check=True)["warnings"][0]


def test_unfinished_installation(host: Host) -> None:
    host.monkeypatch.setattr(ascend_package.shutil, "which", lambda _tool, path=None: "/usr/bin/there")
    host.pip3(False)
    failed = host.run(host.names())
    assert "exit code 4: compiler_custom_install.sh: line 30: pip3: not found" in failed["msg"]
    assert (failed["changed"], failed["packages"][0]["rc"]) == (True, 4)
    assert host.info()["half_installed"] is True
    host.pip3(True)
    refused = host.run(host.names())
    assert f"did not end: {host.path}/ascend-toolkit/latest has neither" in refused["msg"]
    assert "set clean_incomplete: true" in refused["msg"]
    assert "did not end" in host.run(software="cann", state="absent")["msg"]
    repaired = host.run(host.names(), clean_incomplete=True)
    assert not repaired.get("failed"), repaired["msg"]
    assert (host.info()["installed"], host.info()["half_installed"]) == (True, False)


def test_unfinished_installation_is_removed(host: Host) -> None:
    host.monkeypatch.setattr(ascend_package.shutil, "which", lambda _tool, path=None: "/usr/bin/there")
    host.pip3(False)
    host.run(host.names("8.1.RC1", "toolkit"))
    checked = host.run(software="cann", state="absent", clean_incomplete=True, check=True)
    assert (checked["changed"], host.info()["half_installed"]) == (True, True)
    assert host.run(software="cann", state="absent", clean_incomplete=True)["changed"] is True
    assert list(host.path.iterdir()) == []


def test_removal_without_its_script(host: Host) -> None:
    host.run(host.names("8.1.RC1", "toolkit"))
    for script in host.path.glob("ascend-toolkit/8.1.RC1/**/*uninstall.sh"):
        script.unlink()
    assert "its removal script is missing" in host.run(software="cann", state="absent")["msg"]


def test_installer_that_lies(host: Host, tmp_path: Path) -> None:
    path = tmp_path / f"Ascend-cann-toolkit_8.1.RC1_linux-{ARCH}.run"
    path.write_text("#!/bin/sh\necho 'Ascend-cann-toolkit install success'\n", encoding="utf-8")
    assert "reported success (Ascend-cann-toolkit install success), but below" in host.run([str(path)])["msg"]


def test_packages_and_absent(host: Host) -> None:
    assert host.run(host.names(), software="cann", state="absent")["msg"].startswith("packages: is not used with state: absent")
