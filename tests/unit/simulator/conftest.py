# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated host below a temporary directory."""

from __future__ import annotations

import io
import sys
import typing as t
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "simulator"))

from npusim import hccn_tool  # noqa: E402  the package is not installed, its path is added above
from npusim.state import State, Transaction  # noqa: E402  its path is added above


class Reply(t.NamedTuple):
    rc: int
    stdout: str
    stderr: str


class Host:
    """One host: its state file, its /etc, and hccn_tool run on it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        self.conf = root / "etc" / "hccn.conf"
        (root / "etc").mkdir(exist_ok=True)
        self.renew()

    def renew(self, product: str = "910B3", conf: str | None = "") -> None:
        """Start again with factory-new hardware, and a driver installed."""
        State.new(product).save()
        (self.root / "etc" / "ascend_install.info").write_text("Driver_Install_Path_Param=/usr/local/Ascend\n")
        self.write_conf(conf)

    def write_conf(self, text: str | None) -> None:
        if text is None:
            self.conf.unlink(missing_ok=True)
        else:
            self.conf.write_bytes(text.encode())

    def read_conf(self) -> str | None:
        return self.conf.read_bytes().decode() if self.conf.exists() else None

    @property
    def state(self) -> State:
        return State.load()

    def change(self) -> Transaction:
        return State.transaction()

    def hccn(self, *args: str, stdin: str = "", uid: int = 0) -> Reply:
        self._monkeypatch.setenv("NPUSIM_UID", str(uid))
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self._capfd.readouterr()
        try:
            rc = hccn_tool.main(list(args))
        except SystemExit as end:
            rc = int(end.code or 0)
        return Reply(rc, *self._capfd.readouterr())


@pytest.fixture
def npu_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Host:
    monkeypatch.setenv("NPUSIM_ROOT", str(tmp_path))
    monkeypatch.delenv("NPUSIM_STATE", raising=False)
    monkeypatch.setenv("NPUSIM_PLANE_IF", "none")
    return Host(tmp_path, monkeypatch, capfd)
