# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one simulated host: what its hardware is and what has been set on it.

Read at every start of a stand-in, hundreds of times in a run: what takes long to import is imported where it is needed.

One JSON file per host, replaced atomically, changed only under a lock::

    state = State.load()                  # to look
    with State.transaction() as state:    # to change; saved when the block ends without an exception
        state.device(0)["mtu"] = 9000

A transaction must not be opened inside another one: the second would wait for the first for ever.
"""

from __future__ import annotations

import _json
import fcntl
import os
import time

STATE_FILE = "/var/lib/npusim/state.json"

# What one card carries: chips (dies) on it, HBM per die in MB, and where the dies sit on the PCI bus.
# The bus addresses and ids are those of real hosts.
_A2_BUSES = ("c1", "c2", "81", "82", "01", "02", "41", "42")
_A3_BUSES = ("9d", "9f", "99", "9b", "95", "97", "91", "93", "8d", "8f", "89", "8b", "85", "87", "81", "83")


def _a2(name: str, hbm_mb: int) -> dict:
    return {"name": name, "dies": 1, "hbm_mb": hbm_mb, "buses": _A2_BUSES, "pci_device": "d802", "board_id": "0x62"}


_PRESET_CERTIFICATE = {
    "subject": "/C=CN/O=npusim/CN=preset",
    "issuer": "/C=CN/O=npusim/CN=npusim Product CA",
    "start": "Sat Jan  1 00:00:00 2022 GMT",
    "end": "Wed Jan  1 00:00:00 2042 GMT",
}

PRODUCTS = {
    "910B1": _a2("910B1", 65536),
    "910B2": _a2("910B2", 65536),
    "910B3": _a2("910B3", 65536),
    "910B4": _a2("910B4", 32768),
    "A3": {"name": "Ascend910", "dies": 2, "hbm_mb": 65536, "buses": _A3_BUSES, "pci_device": "d803", "board_id": "0xb0"},
}


class _Json:
    """What json.JSONDecoder hands to its scanner. Half of the time of a start would go into importing it."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_int = int
    parse_float = parse_constant = float


_parse = _json.make_scanner(_Json)


def root(path: str = "/") -> str:
    """Where a path of the simulated host is on this machine: below $NPUSIM_ROOT in tests, itself on a simulated host."""
    prefix = os.environ.get("NPUSIM_ROOT", "/").rstrip("/")
    return prefix + "/" + path.lstrip("/")


def state_path() -> str:
    return os.environ.get("NPUSIM_STATE") or root(STATE_FILE)


def _new_device(phy_id: int, product: dict, host_index: int) -> dict:
    dies = product["dies"]
    mac = f"d8:76:ae:{host_index & 0xff:02x}:10:{phy_id:02x}"
    return {
        "phy_id": phy_id,
        "npu_id": phy_id // dies,
        "chip_id": phy_id % dies,
        "name": product["name"],
        "serial": f"1023C79{host_index:02d}{phy_id // dies:03d}",
        "bus_id": f"0000:{product['buses'][phy_id]}:00.0",
        "pci_vendor": "19e5",
        "pci_device": product["pci_device"],
        "pci_subsystem_vendor": "19e5",
        "pci_subsystem_device": "3002",
        "hbm_total_mb": product["hbm_mb"],
        # What the device itself holds; a device reset empties it, `hccn_tool -cfg recovery` fills it from hccn.conf.
        "address": None,
        "netmask": None,
        "gateway": None,
        "netdetect": None,
        "netdetect_since": 0.0,
        "ipv6_address": None,
        "ipv6_prefix": None,
        "ipv6_gateway": None,
        "ipv6_netdetect": None,
        "mac": mac,
        "mtu": 1500,
        # Out of the factory the switch is on, with the preset certificate; None: no certificate on the device.
        "tls": 1,
        "tls_alarm": 60,
        "certificate": dict(_PRESET_CERTIFICATE),
        "send_arp": 0,
        "send_arp_period": 0,
        "config_status": "NONE",
        # What the driver answers for the health; None: worked out from address, netdetect and link.
        "net_health": None,
        "speed": 200000,
        "link": "up",
        "down_fault_time": 0,
        # Newest first: [seconds since the epoch, "up" | "down"].
        "link_changes": [[int(time.time()), "up"]],
        "link_ups": 1,
        "link_downs": 0,
        "optical_present": True,
        # Packet counters that are not zero.
        "stat": {},
    }


class Transaction:
    """The state under its lock; written back when the block ends without an exception."""

    def __init__(self, path: str | None = None) -> None:
        self._path = path or state_path()
        self._lock = -1

    def __enter__(self) -> State:
        # The state file is replaced on each save, so the lock needs a file of its own.
        self._lock = os.open(self._path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._state = State.load(self._path)
        except BaseException:
            os.close(self._lock)
            raise
        return self._state

    def __exit__(self, kind: type | None, *unused: object) -> None:
        try:
            if kind is None:
                self._state.save(self._path)
        finally:
            os.close(self._lock)


class State:
    """The parsed state file. `data` is the JSON document; the properties are its parts, to be changed in place."""

    def __init__(self, data: dict) -> None:
        self.data = data

    @classmethod
    def new(cls, product: str = "910B3", host_index: int = 1, arch: str | None = None) -> State:
        """A host as it leaves the factory: hardware, no driver, nothing configured."""
        row = PRODUCTS[product]
        return cls({
            "product": product,
            "host_index": host_index,
            "arch": arch or os.uname().machine,
            "board_id": row["board_id"],
            "physical_host": True,
            # An A3 inside a super node reserves more addresses for its own network.
            "super_node": False,
            "network_driver": "1.0.4.0",
            "network_firmware": "1.1.4.0",
            # Seconds from setting netdetect to the first result of its probe.
            "health_delay": 1.0,
            "driver": {"installed": False},
            "firmware": {"installed": False},
            "faults": [],
            # Addresses that answer a ping where there is no plane to send a packet on.
            "peers": [],
            "devices": [_new_device(phy_id, row, host_index) for phy_id in range(len(row["buses"]))],
        })

    @classmethod
    def load(cls, path: str | None = None) -> State:
        with open(path or state_path(), encoding="utf-8") as stream:
            return cls(_parse(stream.read(), 0)[0])

    @staticmethod
    def transaction(path: str | None = None) -> Transaction:
        return Transaction(path)

    def save(self, path: str | None = None) -> None:
        import json

        path = path or state_path()
        os.makedirs(os.path.dirname(path), exist_ok=True)
        draft = f"{path}.{os.getpid()}"
        with open(draft, "w", encoding="utf-8") as stream:
            json.dump(self.data, stream, indent=1)
        os.chmod(draft, 0o644)
        os.replace(draft, path)

    @property
    def product(self) -> str:
        return self.data["product"]

    @property
    def host_index(self) -> int:
        return self.data["host_index"]

    @property
    def arch(self) -> str:
        return self.data["arch"]

    @property
    def driver(self) -> dict:
        return self.data["driver"]

    @property
    def firmware(self) -> dict:
        return self.data["firmware"]

    @property
    def devices(self) -> list:
        return self.data["devices"]

    @property
    def peers(self) -> list:
        return self.data["peers"]

    @property
    def faults(self) -> list:
        """Each fault is a dict: its name, the device (None: all of them), and its other parameters."""
        return self.data["faults"]

    def device(self, phy_id: int) -> dict | None:
        """The record of one device; None when the host has no such device, or has lost it (fault missing-device)."""
        for record in self.devices:
            if record["phy_id"] == phy_id:
                return None if self.fault("missing-device", phy_id) else record
        return None

    def fault(self, name: str, device: int | None = None) -> dict | None:
        """The fault of that name that holds for the device, or None; its own before one of all. Without a device: any fault of that name."""
        found = [fault for fault in self.faults if fault["name"] == name and (device is None or fault.get("device") in (None, device))]
        return max(found, key=lambda fault: fault.get("device") is not None, default=None)

    def set_fault(self, name: str, device: int | None = None, **params: object) -> None:
        """Add a fault; one of the same name for the same device is replaced."""
        self.clear_fault(name, device)
        self.faults.append({"name": name, "device": device, **params})

    def clear_fault(self, name: str | None = None, device: int | None = None) -> None:
        """Remove faults: all, all of a name, or the one of a name and a device."""
        self.data["faults"] = [
            fault for fault in self.faults
            if name is not None and (fault["name"] != name or (device is not None and fault.get("device") != device))
        ]
