# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state file: defaults, faults, locking, atomic replacement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from npusim.state import State, root, state_path

if t.TYPE_CHECKING:
    from .conftest import Host

SIMULATOR = Path(__file__).resolve().parents[2] / "simulator"


def test_a_910b3_host_has_eight_devices_without_addresses() -> None:
    state = State.new("910B3", host_index=2, arch="aarch64")
    assert (state.product, state.host_index, state.arch) == ("910B3", 2, "aarch64")
    assert state.driver == {"installed": False}
    assert [device["phy_id"] for device in state.devices] == list(range(8))
    assert [device["bus_id"] for device in state.devices[:3]] == ["0000:c1:00.0", "0000:c2:00.0", "0000:81:00.0"]
    assert state.devices[3]["mac"] == "d8:76:ae:02:10:03"
    assert {device["address"] for device in state.devices} == {None}
    assert len({device["serial"] for device in state.devices}) == 8


def test_an_a3_host_has_two_dies_in_each_npu() -> None:
    devices = State.new("A3").devices
    assert [(device["phy_id"], device["npu_id"], device["chip_id"]) for device in devices[:3]] == [(0, 0, 0), (1, 0, 1), (2, 1, 0)]
    assert len(devices) == 16
    assert {device["name"] for device in devices} == {"Ascend910"}
    assert devices[0]["serial"] == devices[1]["serial"]


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(KeyError, match="910Z"):
        State.new("910Z")


def test_paths_follow_the_environment(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    assert root("/etc/hccn.conf") == f"{npu_host.root}/etc/hccn.conf"
    assert state_path() == f"{npu_host.root}/var/lib/npusim/state.json"
    monkeypatch.setenv("NPUSIM_STATE", "/elsewhere/state.json")
    assert state_path() == "/elsewhere/state.json"
    monkeypatch.delenv("NPUSIM_ROOT")
    assert root("/etc/hccn.conf") == "/etc/hccn.conf"


def test_a_transaction_keeps_what_was_changed(npu_host: Host) -> None:
    with State.transaction() as state:
        state.device(3)["mtu"] = 9000
    assert State.load().device(3)["mtu"] == 9000


def test_a_failed_transaction_changes_nothing_and_releases_the_lock(npu_host: Host) -> None:
    with pytest.raises(RuntimeError), State.transaction() as state:
        state.device(3)["mtu"] = 9000
        raise RuntimeError
    with State.transaction() as state:
        assert state.device(3)["mtu"] == 1500


def test_saving_leaves_one_readable_file(npu_host: Host) -> None:
    with State.transaction():
        pass
    directory = Path(state_path()).parent
    assert sorted(entry.name for entry in directory.iterdir()) == ["state.json", "state.json.lock"]
    assert json.loads(Path(state_path()).read_text())["product"] == "910B3"
    assert os.stat(state_path()).st_mode & 0o777 == 0o644


def test_changes_of_processes_at_the_same_time_are_all_kept(npu_host: Host) -> None:
    code = ("import sys; from npusim.state import State\n"
            "for _ in range(20):\n"
            "    with State.transaction() as state: state.device(int(sys.argv[1]))['mtu'] += 1\n")
    environment = {**os.environ, "PYTHONPATH": str(SIMULATOR)}
    writers = [subprocess.Popen([sys.executable, "-S", "-c", code, str(device)], env=environment) for device in range(4)]
    assert [writer.wait(60) for writer in writers] == [0] * 4
    assert [device["mtu"] for device in State.load().devices] == [1520] * 4 + [1500] * 4


def test_a_fault_holds_for_its_device_or_for_all() -> None:
    state = State.new()
    state.set_fault("link-down", 2)
    state.set_fault("slow-tool", seconds=3)
    assert state.fault("link-down", 2) == {"name": "link-down", "device": 2}
    assert state.fault("link-down", 3) is None
    assert state.fault("link-down") is not None
    assert state.fault("slow-tool", 7) == {"name": "slow-tool", "device": None, "seconds": 3}


def test_setting_a_fault_again_replaces_it() -> None:
    state = State.new()
    state.set_fault("duplicate-address", 2, address="192.0.2.1")
    state.set_fault("duplicate-address", 2, address="192.0.2.2")
    state.set_fault("duplicate-address", 3, address="192.0.2.3")
    assert [fault["address"] for fault in state.faults] == ["192.0.2.2", "192.0.2.3"]


@pytest.mark.parametrize("name, device, left", [
    (None, None, []),
    ("link-down", None, [("busy", None)]),
    ("link-down", 2, [("link-down", 3), ("busy", None)]),
    ("busy", None, [("link-down", 2), ("link-down", 3)]),
])
def test_faults_are_cleared_all_by_name_or_by_device(name: str | None, device: int | None, left: list) -> None:
    state = State.new()
    state.set_fault("link-down", 2)
    state.set_fault("link-down", 3)
    state.set_fault("busy", count=2)
    state.clear_fault(name, device)
    assert [(fault["name"], fault["device"]) for fault in state.faults] == left


def test_a_missing_device_is_not_found() -> None:
    state = State.new()
    state.set_fault("missing-device", 5)
    assert state.device(5) is None
    assert state.device(4)["phy_id"] == 4
    assert state.device(8) is None
    assert len(state.devices) == 8
