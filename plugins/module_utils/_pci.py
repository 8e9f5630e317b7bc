# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NPUs on the PCI bus, which shows them without any driver. Ids: hicann/driver and ascend-deployer."""

from __future__ import annotations

import os
import re
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Mapping

PCI_DEVICES = "/sys/bus/pci/devices"
ATTRIBUTES = ("vendor", "device", "subsystem_vendor", "subsystem_device")
# Boards of other makers carry d500 and d802 under their own vendor id.
VENDORS = {"19e5": None, "20c6": ("d500", "d802"), "203f": ("d500", "d802"), "20e9": ("d500", "d802")}
CHIPS = {
    "d100": "310",
    "d105": "310B",
    "d107": "310B",
    "d500": "310P",
    "d801": "910",
    "d802": "910B",
    "d803": "A3",
    "d806": "950",
}
# Parts that the open driver names without saying which product they are; d805 is a virtual function.
UNNAMED = ("d804", "d805", "d807", "d808")

_A800T_A2 = "Atlas 800T A2 / Atlas 900 A2"
PRODUCTS = {
    ("d100", "0200", "0100"): "Atlas 300I (3000/3010)",
    ("d105", "0200", "0100"): "Atlas 200I A2",
    ("d107", "0000", "0000"): "Atlas 200I A2",
    ("d500", "0200", "0100"): "Atlas 300I Pro",
    ("d500", "0200", "0110"): "Atlas 300I Duo",
    ("d801", "0200", "0100"): "Atlas 300T (9000)",
    ("d802", "0200", "0100"): _A800T_A2,
    **{("d802", "19e5", board): _A800T_A2 for board in ("3000", "3001", "3003", "3400", "3401", "3402", "3403")},
    **{("d802", "19e5", board): "Atlas 800I A2" for board in ("3002", "3004", "3005")},
    ("d802", "19e5", "4000"): "Atlas 300I A2",
    ("d802", "19e5", "6000"): "Atlas 300T A2",
    **{("d803", "19e5", board): "Atlas 900 A3 SuperPoD" for board in ("3000", "3001", "3002")},
    **{("d803", "19e5", board): "Atlas 800I A3" for board in ("0100", "3003")},
    **{("d806", "19e5", board): "Atlas 350" for board in ("4003", "4004", "4005")},
}

ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\Z", re.IGNORECASE)
HEX_ID = re.compile(r"(?:0x)?([0-9a-f]{4})\Z", re.IGNORECASE)


@dataclass(frozen=True)
class PciNpu:
    """An NPU on the bus; chip and product are None when the ids are not known."""

    address: str
    vendor: str
    device: str
    subsystem_vendor: str | None
    subsystem_device: str | None
    chip: str | None
    product: str | None


def _hex_id(text: str | None) -> str | None:
    match = HEX_ID.match((text or "").strip())
    return match.group(1).lower() if match else None


def npus(devices: Mapping[str, Mapping[str, str]]) -> list[PciNpu]:
    """Pick the NPUs among PCI functions, given as address -> {attribute file: text}; sorted by address."""
    found = []
    for address in sorted(devices, key=str.lower):
        attributes = devices[address]
        vendor, device = _hex_id(attributes.get("vendor")), _hex_id(attributes.get("device"))
        if not ADDRESS.match(address) or vendor is None or device is None or vendor not in VENDORS:
            continue
        allowed = VENDORS[vendor]
        if device not in (allowed or (*CHIPS, *UNNAMED)):
            continue
        subsystem = _hex_id(attributes.get("subsystem_vendor")), _hex_id(attributes.get("subsystem_device"))
        found.append(PciNpu(address.lower(), vendor, device, *subsystem, CHIPS.get(device), PRODUCTS.get((device, *subsystem))))
    return found


def read_npus(root: str = PCI_DEVICES) -> list[PciNpu]:
    """Read the NPUs from sysfs. A bus that is not there, as in some containers, holds none."""
    devices: dict[str, dict[str, str]] = {}
    try:
        addresses = os.listdir(root)
    except OSError:
        return []
    for address in addresses:
        attributes = {}
        for name in ATTRIBUTES:
            try:
                with open(os.path.join(root, address, name), encoding="ascii", errors="replace") as file:
                    attributes[name] = file.read(64)
            except OSError:
                continue
        devices[address] = attributes
    return npus(devices)
