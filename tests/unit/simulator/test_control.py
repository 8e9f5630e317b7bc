# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control command of a simulated host: faults, reset, boot and the PCI bus."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from npusim import control, faults, hardware
from npusim.state import State

SIMULATOR = Path(__file__).resolve().parents[2] / "simulator"
SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "cli" / "host-files"
CONF = "address_3=10.89.17.4\nnetmask_3=255.255.240.0\ngateway_3=10.89.16.1\nnetdetect_3=10.89.16.1\ntls_enable_3=0\n"


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NPUSIM_ROOT", str(tmp_path))
    monkeypatch.delenv("NPUSIM_STATE", raising=False)
    monkeypatch.setenv("NPUSIM_PLANE_IF", "none")
    monkeypatch.setenv("NPUSIM_UID", "0")
    # The boot runs hccn_tool as a command.
    monkeypatch.setenv("PYTHONPATH", str(SIMULATOR))
    assert control.main(["init"]) == 0
    return tmp_path


def with_driver(root: Path, conf: str = "") -> None:
    """The files that a driver installation leaves."""
    driver = root / "usr/local/Ascend/driver"
    driver.mkdir(parents=True)
    (driver / "version.info").write_text("Version=24.1.0\n")
    (root / "etc").mkdir()
    (root / "etc/ascend_install.info").write_text(
        "UserName=HwHiAiUser\nUserGroup=HwHiAiUser\nDriver_Install_Path_Param=/usr/local/Ascend\nDriver_Install_For_All=no\n")
    (root / "etc/hccn.conf").write_text(conf)


def status(capsys: pytest.CaptureFixture[str]) -> dict[str, t.Any]:
    capsys.readouterr()
    assert control.main(["status"]) == 0
    return json.loads(capsys.readouterr().out)


def test_makes_the_hardware_once(root: Path) -> None:
    control.main(["fault", "set", "link-down"])
    assert control.main(["init", "--product", "A3"]) == 0
    assert (State.load().product, len(State.load().faults)) == ("910B3", 1)
    assert control.main(["init", "--product", "A3", "--host-index", "2", "--force"]) == 0
    assert (State.load().product, State.load().host_index, State.load().faults) == ("A3", 2, [])


def test_tells_what_to_do_without_hardware(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "var/lib/npusim/state.json").unlink()
    for words in (["status"], ["fault", "set", "link-down"], ["boot"]):
        with pytest.raises(SystemExit) as end:
            control.main(words)
        assert end.value.code == 2
        assert "state.json is missing: run `npusim init` first" in capsys.readouterr().err


@pytest.mark.parametrize("words, expected", [
    (["link-down"], {"name": "link-down", "device": None}),
    (["link-down", "--device", "3"], {"name": "link-down", "device": 3}),
    (["duplicate-address", "--device", "3", "address=10.89.17.1"], {"name": "duplicate-address", "device": 3, "address": "10.89.17.1"}),
    (["slow-tool"], {"name": "slow-tool", "device": None, "seconds": 5.0}),
    (["slow-tool", "seconds=0.5"], {"name": "slow-tool", "device": None, "seconds": 0.5}),
    (["installer-exit", "kind=firmware", "code=2"], {"name": "installer-exit", "device": None, "kind": "firmware", "code": 2}),
    (["installer-exit", "code=1"], {"name": "installer-exit", "device": None, "kind": "any", "code": 1}),
    (["hbm-busy", "used_mb=1000"], {"name": "hbm-busy", "device": None, "used_mb": 1000, "pid": 3233241, "process": "VLLMWorker_TP"}),
    (["refuse-setting", "--device", "0"], {"name": "refuse-setting", "device": 0, "setting": None}),
    (["busy", "count=3"], {"name": "busy", "device": None, "count": 3}),
    (["ping-loss", "--device", "3", "peer=10.89.18.4"], {"name": "ping-loss", "device": 3, "peer": "10.89.18.4", "lost": 3}),
    (["net-health", "status=Receive timeout"], {"name": "net-health", "device": None, "status": "Receive timeout"}),
    (["super-pod", "--device", "2", "pod=8"], {"name": "super-pod", "device": 2, "sdid": None, "pod": 8}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_sets_a_fault(words: list[str], expected: dict[str, t.Any]) -> None:
    assert control.main(["fault", "set", *words]) == 0
    assert State.load().faults == [expected]


@pytest.mark.parametrize("words, complaint", [
    (["set", "nonsense"], "unknown fault nonsense: expected one of busy, "),
    (["clear", "nonsense"], "unknown fault nonsense: expected one of busy, "),
    (["set", "tls-mix"], "tls-mix needs --device N"),
    (["set", "tls-mix", "--device", "8"], "--device 8: this host has the devices 0 to 7"),
    (["set", "installer-exit", "--device", "0", "code=1"], "installer-exit is a fault of the host and takes no --device"),
    (["set", "installer-exit"], "installer-exit needs code=..."),
    (["set", "installer-exit", "code=3"], "code=3: expected one of 1, 2"),
    (["set", "installer-exit", "code=1", "kind=bios"], "kind=bios: expected one of any, driver, firmware"),
    (["set", "slow-tool", "seconds=soon"], "seconds=soon: expected a number"),
    (["set", "slow-tool", "seconds=nan"], "seconds=nan: expected a number from 0 to"),
    (["set", "slow-tool", "seconds=-1"], "seconds=-1: expected a number from 0 to"),
    (["set", "slow-tool", "minutes=1"], "slow-tool does not take minutes=1: expected seconds=..."),
    (["set", "link-down", "up"], "link-down does not take up: expected no parameters"),
    (["set", "duplicate-address", "--device", "1", "address=10.89.17"], "address=10.89.17: expected an IPv4 address"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_refuses_what_is_no_fault(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        control.main(["fault", *words])
    assert end.value.code == 2
    assert complaint in capsys.readouterr().err
    assert State.load().faults == []


def test_clears_faults(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["link-down", "--device", "1"], ["link-down", "--device", "2"], ["hanging-tool"]):
        control.main(["fault", "set", *words])
    control.main(["fault", "clear", "link-down", "--device", "1"])
    assert [(fault["name"], fault["device"]) for fault in State.load().faults] == [("link-down", 2), ("hanging-tool", None)]
    assert [device["link"] for device in status(capsys)["devices"]] == ["up", "up", "down", "up", "up", "up", "up", "up"]
    control.main(["fault", "clear", "link-down"])
    assert [fault["name"] for fault in State.load().faults] == ["hanging-tool"]
    control.main(["fault", "clear"])
    assert State.load().faults == []


def test_lists_every_fault_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert control.main(["fault", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[::2]] == sorted(faults.FAULTS)
    assert "installer-exit [kind=any|driver|firmware] code=1|2" in lines
    assert "duplicate-address --device N address=ADDRESS" in lines
    assert all(line.startswith("    ") and line.endswith(".") for line in lines[1::2])


def test_a_fault_moves_addresses_on_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr("npusim.plane.apply", lambda state: seen.append([fault["name"] for fault in state.faults]))
    control.main(["fault", "set", "link-down", "--device", "3"])
    control.main(["fault", "clear"])
    control.main(["apply"])
    assert seen == [["link-down"], [], []]


def test_tls_mix_is_in_the_file_too(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_driver(root, CONF)
    control.main(["boot"])
    assert [device["tls"] for device in status(capsys)["devices"]][3] == 0
    control.main(["fault", "set", "tls-mix", "--device", "3"])
    assert "tls_enable_3=1\n" in (root / "etc/hccn.conf").read_text()
    assert "tls_enable_3=0\n" not in (root / "etc/hccn.conf").read_text()
    assert [device["tls"] for device in status(capsys)["devices"]][3] == 1


def test_tls_mix_without_a_driver(root: Path) -> None:
    assert control.main(["fault", "set", "tls-mix", "--device", "3"]) == 0
    assert not (root / "etc/hccn.conf").exists()


def test_a_reset_empties_devices_and_a_boot_fills_them(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with_driver(root, CONF)
    assert control.main(["boot"]) == 0
    expected = {"address": "10.89.17.4", "netmask": "255.255.240.0", "gateway": "10.89.16.1", "netdetect": "10.89.16.1", "tls": 0, "mtu": 1500}
    report = status(capsys)
    assert {key: report["devices"][3][key] for key in expected} == expected
    assert report["driver"] == {"installed": True, "version": "24.1.0", "on_disk": "24.1.0"}
    assert control.main(["reset", "--device", "2"]) == 0
    assert status(capsys)["devices"][3]["address"] == "10.89.17.4"
    assert control.main(["reset"]) == 0
    assert status(capsys)["devices"][3]["address"] is None
    assert control.main(["boot"]) == 0
    assert status(capsys)["devices"][3]["address"] == "10.89.17.4"
    with pytest.raises(SystemExit):
        control.main(["reset", "--device", "8"])


def test_a_boot_makes_the_nodes_of_the_driver(root: Path) -> None:
    with_driver(root)
    control.main(["fault", "set", "missing-device", "--device", "5"])
    control.main(["boot"])
    nodes = {path.name: path.stat().st_mode & 0o777 for path in (root / "dev").iterdir()}
    assert nodes == dict.fromkeys(
        ["davinci0", "davinci1", "davinci2", "davinci3", "davinci4", "davinci6", "davinci7", "davinci_manager", "devmm_svm", "hisi_hdc"], 0o660)
    shutil.rmtree(root / "usr")
    control.main(["boot"])
    assert list((root / "dev").iterdir()) == []
    assert State.load().driver == {"installed": False}


def test_a_boot_with_a_hanging_tool_comes_to_an_end(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with_driver(root, CONF)
    monkeypatch.setattr(control, "RECOVERY_SECONDS", 0.5)
    control.main(["fault", "set", "hanging-tool"])
    assert control.main(["boot"]) == 0
    assert "hccn.conf was not applied: hccn_tool did not answer" in capsys.readouterr().err
    assert State.load().driver["installed"] is True


@pytest.mark.parametrize("product, device, count", [("910B3", "d802", 8), ("A3", "d803", 16)])
def test_writes_the_pci_bus(root: Path, product: str, device: str, count: int) -> None:
    control.main(["init", "--product", product, "--force"])
    tree = root / "sys/bus/pci/devices"
    assert control.main(["pci", str(tree)]) == 0
    npus = [folder for folder in sorted(tree.iterdir()) if (folder / "class").read_text() == "0x120000\n"]
    assert len(npus) == count
    for folder in npus:
        texts = {name: (folder / name).read_text().strip() for name in ("vendor", "device", "subsystem_vendor", "subsystem_device")}
        assert texts == {"vendor": "0x19e5", "device": "0x" + device, "subsystem_vendor": "0x19e5", "subsystem_device": "0x3002"}
        config = (folder / "config").read_bytes()
        assert len(config) == 256
        assert struct.unpack_from("<HH", config) == (0x19E5, int(device, 16))
        assert config[8:12] == b"\x20\x00\x00\x12"
        assert struct.unpack_from("<HH", config, 0x2C) == (0x19E5, 0x3002)
    # Not all that has the vendor's id is an NPU.
    assert any((folder / "vendor").read_text() == "0x19e5\n" for folder in tree.iterdir() if folder not in npus)
    assert hardware.pci_npus() == [device] * count


def test_a_lost_device_is_off_the_bus_after_a_boot(root: Path) -> None:
    tree = Path(str(root) + hardware.PCI_TREE)
    assert control.main(["pci"]) == 0
    inode = tree.stat().st_ino
    control.main(["fault", "set", "missing-device", "--device", "0"])
    assert (tree / "0000:c1:00.0").exists()
    control.main(["boot"])
    assert not (tree / "0000:c1:00.0").exists()
    # Refilled in place: it is mounted over the real one.
    assert tree.stat().st_ino == inode
    control.main(["fault", "clear"])
    control.main(["boot"])
    assert (tree / "0000:c1:00.0").exists()


@pytest.mark.skipif(shutil.which("lspci") is None, reason="pciutils is not installed")
def test_lspci_reads_the_bus(root: Path) -> None:
    control.main(["init", "--product", "A3", "--force"])
    control.main(["pci", str(root / "bus/devices")])
    done = subprocess.run(["lspci", "-n", "-O", f"sysfs.path={root / 'bus'}"], stdout=subprocess.PIPE, check=True, text=True)
    buses = [line.split()[0] for line in (SAMPLES / "lspci--16-device-A3.txt").read_text().splitlines()]
    assert [line for line in done.stdout.splitlines() if " 1200: " in line] == [f"{bus} 1200: 19e5:d803 (rev 20)" for bus in buses]


def test_runs_as_a_command(root: Path) -> None:
    done = subprocess.run([sys.executable, "-S", "-m", "npusim.control", "status"], env=dict(os.environ), stdout=subprocess.PIPE, check=True)
    assert json.loads(done.stdout)["product"] == "910B3"
