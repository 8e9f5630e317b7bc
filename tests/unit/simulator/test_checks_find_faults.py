# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The faults of the vendor's parts in molecule/faults, planted and looked for without hosts: the tools are called as functions.

What the scenario does over ssh with everything else is done here in a second for each fault, by the same table.
"""

from __future__ import annotations

import re
import shlex
import typing as t
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.npuops.ascend.plugins.module_utils import _ascend_package, _hccn, _hccn_tool, _npu_info, _pci
from ansible_collections.npuops.ascend.plugins.module_utils._checks.evaluate import evaluate
from ansible_collections.npuops.ascend.plugins.modules import check_facts

from npusim import control, hccn_tool, npu_smi
from npusim.state import State

PROJECT = Path(__file__).resolve().parents[3]
TABLES = yaml.safe_load((PROJECT / "molecule/faults/vars/faults.yml").read_text(encoding="utf-8"))
# Commands of the simulator and of the vendor; what else a fault needs is a host's.
OWN = re.compile(r"(npusim fault set|hccn_tool -i \d+ -\w+ -s|cp -p /etc/hccn\.conf) ")
# The pings have no network here.
PINGED = ("ping_matrix", "hccs_ping")


def planted(*tables: str) -> list[t.Any]:
    faults = [(stage, fault) for table in tables for stage, entries in TABLES[table].items() for fault in entries]
    ours = [(stage, fault) for stage, fault in faults if all(OWN.match(part + " ") for part in commands(fault["plant"], "npu02"))]
    return [pytest.param(stage, fault, id=fault["name"]) for stage, fault in ours]


def commands(text: str, host: str) -> list[str]:
    values = {"inventory_hostname": host, "npu_network_plan": {"netmask": "255.255.240.0"}, "hostvars": {"npu01": {}}}
    values.update(peer_address_3="10.89.17.4", own_address_3="10.89.18.4", unplanned_address="10.89.18.200")
    return [part.strip() for part in jinja2.Template(text).render(**values).split(";") if part.strip()]


HOUR = 3600


class Hang(Exception):
    """Where a tool would wait for ever."""


class Hosts:
    """Two simulated hosts below a directory of the test."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], run_module: t.Callable) -> None:
        self.root = root
        self._monkeypatch = monkeypatch
        self._capfd = capfd
        self._run_module = run_module
        # Tools that a host lacks.
        self.missing: dict[str, tuple[str, ...]] = {}
        monkeypatch.setenv("NPUSIM_PLANE_IF", "none")
        monkeypatch.setenv("NPUSIM_UID", "0")
        monkeypatch.delenv("NPUSIM_STATE", raising=False)
        monkeypatch.setattr(hccn_tool.time, "sleep", self._sleep)

    @staticmethod
    def _sleep(seconds: float) -> None:
        if seconds >= HOUR:
            raise Hang

    def make(self, name: str, product: str = "910B3") -> None:
        self.enter(name)
        number = int(name[-2:])
        host = self.root / name
        for folder in ("etc", "dev", "usr/local/Ascend/driver", "usr/local/Ascend/firmware"):
            (host / folder).mkdir(parents=True)
        (host / "etc/ascend_install.info").write_text("Driver_Install_Path_Param=/usr/local/Ascend\nDriver_Install_Status=complete\n")
        (host / "usr/local/Ascend/driver/version.info").write_text("Version=24.1.0\ncompatible_version_fw=[7.0.0,7.5.99]\n")
        (host / "usr/local/Ascend/firmware/version.info").write_text("Version=7.5.0.3.220\n")
        (host / "etc/hccn.conf").touch()
        assert control.main(["init", "--product", product, "--host-index", str(number)]) == 0
        with State.transaction() as state:
            state.driver.update(installed=True, version="24.1.0")
            state.firmware.update(installed=True, version="7.5.0.3.220")
            state.data["health_delay"] = 0.0
            devices = len(state.devices)
        control.main(["pci"])
        for device in range(devices):
            (host / "dev" / f"davinci{device}").touch()
            for words in (f"-ip -s address 10.89.{16 + number}.{device + 1} netmask 255.255.240.0", "-gateway -s gateway 10.89.16.1",
                          "-netdetect -s address 10.89.16.1", "-tls -s enable 0"):
                assert hccn_tool.main(["-i", str(device), *words.split()]) == 0

    def enter(self, name: str) -> None:
        host = self.root / name
        self._monkeypatch.setenv("NPUSIM_ROOT", str(host))
        for module in (_hccn_tool, _npu_info):
            self._monkeypatch.setattr(module, "DEVICE_DIRECTORY", str(host / "dev"))
        self._monkeypatch.setattr(_hccn, "CONF_PATH", str(host / "etc/hccn.conf"))
        # The vendor's paths, below the directory of the test.
        self._monkeypatch.setattr(_ascend_package, "INSTALL_INFO", str(host / "ascend_install.info"))
        host.mkdir(exist_ok=True)
        path = f"{host}/usr/local/Ascend"
        (host / "ascend_install.info").write_text(f"Driver_Install_Path_Param={path}\nFirmware_Install_Path_Param={path}\nDriver_Install_Status=complete\n")
        for module in (check_facts, _npu_info):
            self._monkeypatch.setattr(module, "read_npus", lambda: _pci.read_npus(str(host / "var/lib/npusim/pci")))

    def plant(self, name: str, text: str) -> None:
        self.enter(name)
        for command in commands(text, name):
            words = shlex.split(command)
            if words[0] == "npusim":
                assert control.main(words[1:]) == 0
            elif words[0] == "hccn_tool":
                assert hccn_tool.main(words[1:]) == 0

    def answer(self, argv: t.Sequence[str], stdin: str | None) -> tuple[int, str, str]:
        tool = {"hccn_tool": hccn_tool, "npu-smi": npu_smi}.get(Path(argv[0]).name)
        if tool is None:
            return 1, "", f"{argv[0]} is not simulated"
        self._capfd.readouterr()
        try:
            rc = tool.main(list(argv[1:]))
        except Hang:
            return 124, "", ""
        except SystemExit as end:
            rc = int(end.code or 0)
        return (rc, *self._capfd.readouterr())

    def look(self, name: str, stage: str) -> dict[str, t.Any]:
        self.enter(name)
        arguments = {"stages": [stage], "cann_path": str(self.root / name / "usr/local/Ascend")}
        result, unused = self._run_module(check_facts, arguments, self.answer, missing_tools=self.missing.get(name, ()))
        assert not result.get("failed"), result
        return result["facts"]

    def judge(self, stage: str, devices: int) -> list[dict[str, t.Any]]:
        wanted = {
            name: {
                "device_count": devices, "engine": "mindie", "group": "mindie",
                "addresses": [{"device": device, "address": f"10.89.{third}.{device + 1}"} for device in range(devices)],
            }
            for name, third in (("npu01", 17), ("npu02", 18))
        }
        return evaluate({name: self.look(name, stage) for name in wanted}, wanted, stages=[stage])


def test_the_scenario_leaves_out_what_is_found_here_and_nothing_else() -> None:
    found = {param.values[1]["name"]: param.values[1] for param in planted("planted_faults", "bad_input")}
    everything = [fault for table in TABLES.values() for faults in table.values() for fault in faults]
    here = {name for name, fault in found.items() if not any(entry["id"] in PINGED for entry in fault["expect"])}
    assert here == {fault["name"] for fault in everything if fault.get("unit_test")}


@pytest.fixture
def hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], run_module: t.Callable) -> Hosts:
    return Hosts(tmp_path, monkeypatch, capfd, run_module)


def told(results: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    return [result for result in results if result["status"] in ("warn", "fail")]


def brief(result: dict[str, t.Any]) -> str:
    return " ".join(str(result[key]) for key in ("status", "id", "host", "device", "observed", "evidence"))


def assert_found(results: list[dict[str, t.Any]], fault: dict[str, t.Any]) -> None:
    """Each expected finding once, and nothing besides."""
    rest = told(results)
    for entry in (entry for entry in fault["expect"] if entry["id"] not in PINGED):
        place = {"id": entry["id"], "host": entry.get("host", "npu02"), "device": entry.get("device"), "status": entry.get("status", "fail")}
        fitting = [result for result in rest if place.items() <= result.items() and all(
            str(entry.get(key, "")).lower() in result[key].lower() for key in ("observed", "evidence"))]
        assert len(fitting) == 1, [str(entry), *map(brief, rest)]
        rest.remove(fitting[0])
    if "besides" in fault:
        rest = [result for result in rest if result["host"] != "npu02" or fault["besides"] not in result["observed"]]
    assert list(map(brief, rest)) == []


@pytest.mark.parametrize("product, devices", [("910B3", 8), ("A3", 16)])
@pytest.mark.parametrize("stage", ["npu", "fabric"])
def test_healthy_hosts_have_no_finding(hosts: Hosts, stage: str, product: str, devices: int) -> None:
    for name in ("npu01", "npu02"):
        hosts.make(name, product)
    assert told(hosts.judge(stage, devices)) == []


@pytest.mark.parametrize("stage, fault", planted("planted_faults", "bad_input"))
def test_a_fault_is_found_and_nothing_else(hosts: Hosts, stage: str, fault: dict[str, t.Any]) -> None:
    for name in ("npu01", "npu02"):
        hosts.make(name)
    for name in fault.get("hosts", ["npu02"]):
        hosts.plant(name, fault["plant"])
    assert_found(hosts.judge(stage, 8), fault)


@pytest.mark.parametrize("stage, fault", planted("planted_a3_faults"))
def test_a_fault_of_an_a3_host_is_found_and_nothing_else(hosts: Hosts, stage: str, fault: dict[str, t.Any]) -> None:
    for name in ("npu01", "npu02"):
        hosts.make(name, "A3")
    for name in fault.get("hosts", ["npu02"]):
        hosts.plant(name, fault["plant"])
    assert_found(hosts.judge(stage, 16), fault)


@pytest.mark.parametrize("stage, name", [("npu", "npu-smi is not there"), ("fabric", "hccn_tool is not there")])
def test_a_missing_tool(hosts: Hosts, stage: str, name: str) -> None:
    (fault,) = [fault for fault in TABLES["bad_input"][stage] if fault["name"] == name]
    for host in ("npu01", "npu02"):
        hosts.make(host)
    hosts.missing["npu02"] = (name.split()[0],)
    assert_found(hosts.judge(stage, 8), fault)
