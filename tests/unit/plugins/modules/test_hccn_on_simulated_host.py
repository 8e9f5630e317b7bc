# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hccn modules against the stand-in of hccn_tool, run as real processes: threads, time limits, streams, file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn, _hccn_tool
from ansible_collections.npuops.ascend.plugins.modules import hccn_config, hccn_info, hccn_ping

SIMULATOR = Path(__file__).resolve().parents[3] / "simulator"
COUNT = 4  # of the eight devices that the simulated host has: each call is a process
DEVICES = [
    {
        "device": n,
        "address": f"10.89.17.{n + 1}",
        "netmask": "255.255.240.0",
        "gateway": "10.89.16.1",
        "netdetect": "10.89.16.1",
        "tls_enabled": False,
        "mtu": 4200,
    }
    for n in range(COUNT)
]


@pytest.fixture
def npusim(tmp_path, monkeypatch):
    """A simulated host below a temporary directory; gives its control command."""
    environment = {"NPUSIM_ROOT": str(tmp_path), "NPUSIM_STATE": str(tmp_path / "state.json"), "NPUSIM_PLANE_IF": "none", "PYTHONPATH": str(SIMULATOR)}
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "hccn.conf").touch()
    (tmp_path / "dev").mkdir()
    for n in range(COUNT):
        (tmp_path / "dev" / f"davinci{n}").touch()
    tool = tmp_path / "bin" / "hccn_tool"
    tool.parent.mkdir()
    exports = "".join(f"export {name}='{value}'\n" for name, value in environment.items())
    tool.write_text(f"#!/bin/sh\n{exports}exec '{sys.executable}' -m npusim.hccn_tool \"$@\"\n")
    tool.chmod(0o755)
    monkeypatch.setattr(_hccn, "SEARCH_PATHS", (str(tool.parent),))
    monkeypatch.setattr(_hccn, "CONF_PATH", str(tmp_path / "etc" / "hccn.conf"))
    monkeypatch.setattr(_hccn_tool, "DEVICE_DIRECTORY", str(tmp_path / "dev"))

    def control(*args: str) -> None:
        subprocess.run([sys.executable, "-m", "npusim.control", *args], env={**os.environ, **environment}, check=True, capture_output=True)

    control("init")
    return control


def test_configure_and_read(run_module, npusim, tmp_path):
    def run(module, check=False, **args):
        result, _commands = run_module(module, args, check=check, real_commands=True)
        return result

    assert [device["address"] for device in run(hccn_info, subset=["address"])["devices"]] == [None] * COUNT
    predicted = run(hccn_config, devices=DEVICES, check=True)
    result = run(hccn_config, devices=DEVICES)
    assert "failed" not in result, result["msg"]
    assert len(result["commands"]) == COUNT * 5
    assert predicted["commands"] == result["commands"]
    assert result["devices"] == DEVICES
    assert run(hccn_config, devices=DEVICES)["changed"] is False

    device = run(hccn_info, devices=[3], subset=["all"])["devices"][0]
    assert {name: device[name] for name in DEVICES[3]} == DEVICES[3]
    assert (device["link"], device["speed_mbps"]) == ("up", 200000)
    assert set(device["errors"]) <= {"address6", "duplex", "vnic", "process", "fec", "udp", "config_status"}

    # A device that was reset, and a file somebody has edited, are both brought back.
    npusim("reset", "--device", "2")
    conf = tmp_path / "etc" / "hccn.conf"
    conf.write_text(conf.read_text().replace("gateway_1=10.89.16.1\n", "gateway_1=10.89.16.9\n").rstrip("\n"))
    result = run(hccn_config, devices=DEVICES)
    assert {command.split()[2] for command in result["commands"]} == {"2", "1"}
    assert run(hccn_config, devices=DEVICES)["changed"] is False


def test_hanging_device_and_garbage(run_module, npusim):
    npusim("fault", "set", "hanging-tool", "--device", "3")
    result, _commands = run_module(hccn_info, {"subset": ["mtu", "link"], "timeout": 5}, real_commands=True)
    errors = [device["errors"] for device in result["devices"]]
    assert "gave no result within 5 s" in errors[3].pop("mtu") and errors[3].pop("link")
    assert errors == [{}] * COUNT
    npusim("fault", "clear")
    npusim("fault", "set", "garbage-output")
    result, _commands = run_module(hccn_config, {"devices": DEVICES[:1]}, real_commands=True)
    assert "Nothing was changed. device 0: hccn_tool -i 0" in result["msg"]


def test_ping(run_module, npusim):
    def ping(device, **args):
        result, _commands = run_module(hccn_ping, {"pings": [{"device": device, "targets": targets}], **args}, real_commands=True)
        return result["pings"]

    targets = [DEVICES[0]["address"], DEVICES[3]["address"]]
    run_module(hccn_config, {"devices": DEVICES}, real_commands=True)
    npusim("fault", "set", "link-down", "--device", "1")
    npusim("fault", "set", "hanging-tool", "--device", "2")
    assert [(pair["device"], pair["target"], pair["received"], pair["error"]) for pair in ping(0)] == [(0, target, 3, None) for target in targets]
    assert [(pair["loss_percent"], pair["error"]) for pair in ping(1)] == [(100.0, None)] * 2
    hanging = ping(2, timeout=1)
    assert "gave no result within 1 s" in hanging[0]["error"]
    assert hanging[1]["error"] == f"Not asked after this: {hanging[0]['error']}"
    assert ["no device 9" in pair["error"] for pair in ping(9)] == [True] * 2
