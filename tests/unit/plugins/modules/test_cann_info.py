# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the module makes of a host; test_ascend_package_cann.py asks it after real installers."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _cann
from ansible_collections.npuops.ascend.plugins.modules import cann_info

FIXTURES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"


@pytest.fixture(autouse=True)
def no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cann, "record_path", lambda: "/nowhere")


@pytest.mark.parametrize("check", [False, True])
def test_bare_host(tmp_path: Path, run_module: t.Callable, check: bool) -> None:
    result, commands = run_module(cann_info, {"install_path": str(tmp_path)}, check=check)
    assert commands == []
    assert result == {
        "changed": False,
        "installed": False,
        "version": None,
        "inner_version": None,
        "install_path": str(tmp_path),
        "home": None,
        "arch": None,
        "kernels_version": None,
        "kernels_chips": [],
        "nnal": False,
        "nnal_version": None,
        "environment_scripts": [],
        "half_installed": False,
        "problems": [],
        "recorded_path": None,
    }


def test_toolkit_of_a_recorded_host_with_unfinished_kernels(tmp_path: Path, run_module: t.Callable) -> None:
    tree = tmp_path / "ascend-toolkit/8.0.0"
    (tree / "aarch64-linux").mkdir(parents=True)
    (tree / "aarch64-linux/ascend_toolkit_install.info").write_bytes((FIXTURES / "cann-toolkit_install.info--8.0.0.txt").read_bytes())
    (tree / "version.cfg").write_text("# version: 1.0\nruntime_running_version=[7.6.0.1.220:8.0.0]\nopp_kernel_running_version=[]\n", encoding="utf-8")
    (tmp_path / "ascend-toolkit/set_env.sh").touch()
    (tmp_path / "ascend-toolkit/latest").symlink_to("8.0.0")
    result, _commands = run_module(cann_info, {"install_path": f"{tmp_path}/"})
    assert (result["installed"], result["version"], result["arch"]) == (True, "8.0.0", "aarch64")
    assert result["inner_version"] == "V100R001C20SPC001B251"
    assert (result["half_installed"], result["kernels_version"]) == (True, None)
    assert result["problems"] == [f"kernels: {tmp_path}/ascend-toolkit/latest/version.cfg has no version for opp_kernel"]
    assert result["environment_scripts"] == [f"{tmp_path}/ascend-toolkit/set_env.sh"]


def test_files_that_may_not_be_read(run_module: t.Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", f"{path}/ascend-toolkit/latest/version.cfg")

    monkeypatch.setattr(_cann, "read", refuse)
    result, _commands = run_module(cann_info, {})
    assert result["msg"].startswith("install_path: /usr/local/Ascend/ascend-toolkit/latest/version.cfg cannot be read: Permission denied.")
