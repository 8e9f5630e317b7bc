# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NPU network: device addresses as real addresses on a real interface, pings as real packets.

The interface is $NPUSIM_PLANE_IF (eth1 unless set). Where there is none, or the variable says `none`, nothing is put
anywhere and pings are answered from the state.
"""

from __future__ import annotations

import os

from npusim.state import State

_NONE = "none"
# What a captured ping between two devices of a host took.
_OWN_HOST_MS = 0.114


def interface() -> str | None:
    """The interface that carries the device addresses, or None where there is no plane."""
    name = os.environ.get("NPUSIM_PLANE_IF", "eth1")
    return name if name != _NONE and os.path.exists("/sys/class/net/" + name) else None


def to_int(address: str) -> int | None:
    """An IPv4 address in the strict dotted form as a number; None if it is not one."""
    parts = address.split(".")
    if len(parts) != 4:
        return None
    number = 0
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) <= 3 and int(part) <= 255 and part == str(int(part))):
            return None
        number = number << 8 | int(part)
    return number


def prefix_length(netmask: str) -> int | None:
    """The length of a contiguous netmask; None if it is not one."""
    mask = to_int(netmask)
    if mask is None:
        return None
    length = bin(mask).count("1")
    return length if mask == 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF else None


def is_up(state: State, device: dict) -> bool:
    return device["link"] == "up" and not state.fault("link-down", device["phy_id"])


def live_address(state: State, device: dict) -> str | None:
    """The address a device answers to, which a fault can make differ from the one that was set."""
    fault = state.fault("duplicate-address", device["phy_id"])
    return fault["address"] if fault else device["address"]


def vnic(state: State, device: dict) -> str:
    """The address of a device's virtual interface: each host's own affair on A2, one in the whole super pod on A3."""
    if state.product == "A3":
        return f"192.1.{state.host_index}.{device['phy_id'] + 1}"
    return f"192.168.2.{100 + device['phy_id']}"


def vnic_is_up(state: State, device: dict) -> bool:
    return not state.fault("vnic-down", device["phy_id"])


def apply(state: State) -> None:
    """Make the interface carry the addresses of all devices with a link, and of no others.

    Ours are known by their label, so addresses given by somebody else are left alone.
    """
    name = interface()
    if name is None:
        return
    wanted = {}
    for device in state.devices:
        if state.device(device["phy_id"]) and is_up(state, device):
            address, length = live_address(state, device), prefix_length(device["netmask"] or "255.255.255.255")
            if address and length is not None:
                wanted[f"{address}/{length}"] = f"{name}:n{device['phy_id']}"
        # The dies of an A3 super pod reach each other by these; here over the same wire.
        if state.product == "A3" and state.driver["installed"] and state.device(device["phy_id"]) and vnic_is_up(state, device):
            wanted[f"{vnic(state, device)}/16"] = f"{name}:n{device['phy_id']}v"
    for address in _carried(name) - set(wanted):
        _run(["ip", "address", "delete", address, "dev", name])
    # Read again: deleting the first address of a subnet can take the others of that subnet with it.
    for address in set(wanted) - _carried(name):
        _run(["ip", "address", "add", address, "dev", name, "label", wanted[address]])


def ping(state: State, source: str | None, target: str, count: int, size: int = 56) -> list:
    """Send packets from one device address: for each the milliseconds it took, None for a lost one."""
    if source is None:
        return [None] * count
    name = interface()
    if name is None:
        answers = target in state.peers or any(
            state.device(device["phy_id"]) and (live_address(state, device) == target and is_up(state, device)
                                                or vnic(state, device) == target and vnic_is_up(state, device)) for device in state.devices)
        return [_OWN_HOST_MS if answers else None] * count
    # A packet of less than 16 bytes has no room for the time, and ping then prints none.
    output = _run(["ping", "-n", "-c", str(count), "-i", "0.2", "-W", "1", "-s", str(max(size, 16)), "-I", source, target])
    times: list = [None] * count
    for line in output.splitlines():
        # 64 bytes from 10.89.17.2: icmp_seq=1 ttl=64 time=0.045 ms
        fields = dict(field.split("=", 1) for field in line.split() if "=" in field)
        if "icmp_seq" in fields and "time" in fields and fields["icmp_seq"].isdigit():
            index = int(fields["icmp_seq"]) - 1
            if 0 <= index < count:
                times[index] = float(fields["time"])
    return times


def _carried(name: str) -> set:
    """The addresses on the interface that bear our label: `4: eth1    inet 10.89.17.1/20 scope global secondary eth1:n0 ...`."""
    carried = set()
    for line in _run(["ip", "-oneline", "-4", "address", "show", "dev", name]).splitlines():
        words = line.split()
        if any(word.startswith(name + ":n") for word in words[4:]):
            carried.add(words[3])
    return carried


def _run(argv: list) -> str:
    """The standard output of a command. Not by subprocess: importing it would take longer than the command."""
    reader, writer = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        pid = os.posix_spawnp(argv[0], argv, {**os.environ, "LC_ALL": "C"}, file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    except FileNotFoundError:
        os.close(reader)
        return ""
    finally:
        os.close(writer)
        os.close(null)
    with os.fdopen(reader, errors="replace") as stream:
        output = stream.read()
    os.waitpid(pid, 0)
    return output
