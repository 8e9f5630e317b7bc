# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _pci
from ansible_collections.npuops.ascend.plugins.module_utils._pci import PciNpu

HOST_FILES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"
BRIDGE = {"vendor": "0x19e5\n", "device": "0xa120\n", "subsystem_vendor": "0x0000\n", "subsystem_device": "0x0000\n"}


def attributes(vendor: str, device: str, subsystem_vendor: str = "0x19e5", subsystem_device: str = "0x3002") -> dict[str, str]:
    texts = {"vendor": vendor, "device": device, "subsystem_vendor": subsystem_vendor, "subsystem_device": subsystem_device}
    return {name: f"{text}\n" for name, text in texts.items()}


@pytest.mark.parametrize(
    ("name", "count", "chip"),
    [("lspci--8x910A.txt", 8, "910"), ("lspci--8x910B.txt", 8, "910B"), ("lspci--16-device-A3.txt", 16, "A3")],
)
def test_recorded_hosts(name: str, count: int, chip: str) -> None:
    text = (HOST_FILES / name).read_text(encoding="utf-8")
    found = re.findall(r"^(\S+) Processing accelerators: .* Device ([0-9a-f]{4})", text, re.MULTILINE)
    devices = {f"0000:{address}": attributes("0x19e5", f"0x{device}") for address, device in found}
    npus = _pci.npus({**devices, "0000:00:00.0": BRIDGE})
    assert len(npus) == count
    assert {npu.chip for npu in npus} == {chip}
    assert [npu.address for npu in npus] == sorted(f"0000:{address}" for address, _device in found)


@pytest.mark.parametrize(
    ("ids", "chip", "product"),
    [
        (("d802", "19e5", "3002"), "910B", "Atlas 800I A2"),
        (("d802", "19e5", "3000"), "910B", "Atlas 800T A2 / Atlas 900 A2"),
        (("d802", "0200", "0100"), "910B", "Atlas 800T A2 / Atlas 900 A2"),
        (("d802", "19e5", "9999"), "910B", None),
        (("d803", "19e5", "3003"), "A3", "Atlas 800I A3"),
        (("d500", "0200", "0110"), "310P", "Atlas 300I Duo"),
        (("d100", "0200", "0100"), "310", "Atlas 300I (3000/3010)"),
        (("d107", "0000", "0000"), "310B", "Atlas 200I A2"),
        (("d806", "19e5", "4004"), "950", "Atlas 350"),
        (("d805", "19e5", "3000"), None, None),
    ],
)
def test_ids(ids: tuple[str, str, str], chip: str | None, product: str | None) -> None:
    device, vendor, board = ids
    npus = _pci.npus({"0000:C1:00.0": attributes("0x19e5", f"0x{device}", f"0x{vendor}", f"0x{board}")})
    assert npus == [PciNpu("0000:c1:00.0", "19e5", device, vendor, board, chip, product)]


def test_boards_of_other_makers() -> None:
    devices = {
        "0000:01:00.0": attributes("0x20C6", "0xD802"),
        "0000:02:00.0": attributes("0x203f", "0xd500"),
        # Another part of that maker, which happens to carry the number of an Ascend 310.
        "0000:03:00.0": attributes("0x20e9", "0xd100"),
    }
    assert [(npu.vendor, npu.chip) for npu in _pci.npus(devices)] == [("20c6", "910B"), ("203f", "310P")]


@pytest.mark.parametrize("broken", [{}, {"vendor": "0x19e5\n"}, {"vendor": "", "device": ""}, {"vendor": "0x19e5", "device": "garbage"}])
def test_unreadable_entries_are_left_out(broken: dict[str, str]) -> None:
    assert _pci.npus({"0000:01:00.0": broken, "not an address": attributes("0x19e5", "0xd802")}) == []


def test_unknown_board() -> None:
    assert _pci.npus({"0000:01:00.0": {"vendor": "0x19e5", "device": "0xd802"}}) == [PciNpu("0000:01:00.0", "19e5", "d802", None, None, "910B", None)]


def test_reading_sysfs(tmp_path: Path) -> None:
    for address, values in {"0000:c1:00.0": attributes("0x19e5", "0xd802"), "0000:00:00.0": BRIDGE}.items():
        (tmp_path / address).mkdir()
        for name, text in values.items():
            (tmp_path / address / name).write_text(text, encoding="ascii")
    (tmp_path / "0000:c2:00.0").mkdir()
    assert [npu.product for npu in _pci.read_npus(str(tmp_path))] == ["Atlas 800I A2"]


def test_no_bus(tmp_path: Path) -> None:
    assert _pci.read_npus(str(tmp_path / "missing")) == []
