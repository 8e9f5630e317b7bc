# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Device addresses of all hosts from a short plan. Runs on the controller only, where netaddr is a requirement."""

from __future__ import annotations

import dataclasses
import typing as t

try:
    import netaddr
except ImportError:
    HAS_NETADDR = False
else:
    HAS_NETADDR = True

DEVICES_MAX = 64
SHOWN_MAX = 8
# A longer prefix has no room for two hosts.
PREFIX_MAX = 30

FLAT_KEYS = frozenset({"first_address", "step", "host_step", "netmask", "prefix", "gateway", "netdetect"})
RAIL_KEYS = frozenset({"subnet", "first", "gateway", "netdetect"})

# hccn_tool refuses addresses of these: the vNICs between host and device have them.
RESERVED = ("192.168.1.0/24", "192.168.2.0/24")


class AddressPlanError(ValueError):
    """The plan is wrong; the text lists every problem, with the variable or the host and device it is about."""

    def __init__(self, problems: t.Sequence[str]) -> None:
        shown = list(problems[:SHOWN_MAX])
        if len(problems) > SHOWN_MAX:
            shown.append(f"and {len(problems) - SHOWN_MAX} more")
        super().__init__("; ".join(shown))
        self.problems = list(problems)


@dataclasses.dataclass(frozen=True)
class Rail:
    """Where addresses come from: one subnet with its gateway and netdetect address. ``name`` is the variable to blame."""

    name: str
    subnet: netaddr.IPNetwork
    gateway: netaddr.IPAddress | None
    netdetect: netaddr.IPAddress | None


class _Reader:
    """Typed values out of the user's dicts; collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def record(self, value: t.Any, name: str, known: frozenset[str]) -> t.Mapping[str, t.Any] | None:
        if not isinstance(value, t.Mapping):
            self.problems.append(f"{name} is {value!r}, expected a dict")
            return None
        for key in value:
            if key not in known:
                self.problems.append(f"{name}.{key} is not known, expected one of {', '.join(sorted(known))}")
        return value

    def number(self, value: t.Any, name: str, low: int, high: int) -> int | None:
        # Templates give numbers as strings; True is an int to Python and a mistake here.
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problems.append(f"{name} is {value!r}, expected a whole number from {low} to {high}")
            return None
        return value

    def address(self, value: t.Any, name: str) -> netaddr.IPAddress | None:
        try:
            address = netaddr.IPAddress(value, version=4) if isinstance(value, str) else None
        except (netaddr.AddrFormatError, ValueError):
            address = None
        if address is None:
            self.problems.append(f"{name} is {value!r}, expected an IPv4 address such as 10.20.0.11")
        return address

    def optional_address(self, record: t.Mapping[str, t.Any], key: str, name: str) -> netaddr.IPAddress | None:
        value = record.get(key)
        return None if value is None or value == "" else self.address(value, f"{name}.{key}")

    def prefix(self, plan: t.Mapping[str, t.Any], name: str) -> int | None:
        """The prefix length, given as such or as a netmask."""
        netmask, prefix = plan.get("netmask"), plan.get("prefix")
        if (netmask is None) == (prefix is None):
            self.problems.append(f"{name} has {'neither netmask nor prefix' if netmask is None else 'netmask and prefix'}, expected one of the two")
            return None
        if netmask is None:
            return self.number(prefix, f"{name}.prefix", 1, PREFIX_MAX)
        try:
            mask = netaddr.IPAddress(netmask, version=4) if isinstance(netmask, str) else None
        except (netaddr.AddrFormatError, ValueError):
            mask = None
        if mask is None or not mask.is_netmask() or not 1 <= mask.netmask_bits() <= PREFIX_MAX:
            self.problems.append(f"{name}.netmask is {netmask!r}, expected a netmask such as 255.255.255.0")
            return None
        return mask.netmask_bits()

    def subnet(self, value: t.Any, name: str) -> netaddr.IPNetwork | None:
        try:
            subnet = netaddr.IPNetwork(value, version=4) if isinstance(value, str) and "/" in value else None
        except (netaddr.AddrFormatError, ValueError):
            subnet = None
        if subnet is None or not 1 <= subnet.prefixlen <= PREFIX_MAX or subnet.ip != subnet.network:
            self.problems.append(f"{name} is {value!r}, expected a subnet such as 10.20.0.0/24, with room for hosts")
            return None
        return subnet

    def rail(self, record: t.Mapping[str, t.Any], name: str, subnet: netaddr.IPNetwork) -> Rail:
        gateway = self.optional_address(record, "gateway", name)
        netdetect = self.optional_address(record, "netdetect", name)
        if gateway is not None and (gateway not in subnet or gateway in (subnet.network, subnet.broadcast)):
            self.problems.append(f"{name}.gateway is {gateway}, expected a host address of {subnet.cidr}: hccn_tool refuses a gateway of another subnet")
        if netdetect is not None and (int(netdetect) == 0 or netdetect in (subnet.network, subnet.broadcast)):
            self.problems.append(f"{name}.netdetect is {netdetect}, expected the address of a neighbour that answers pings")
        return Rail(name, subnet, gateway, gateway if netdetect is None else netdetect)


Placement = t.Iterator[t.Tuple[str, int, int, Rail]]


def plan_addresses(hosts: t.Any, plan: t.Any, devices: t.Any) -> dict[str, list[dict[str, t.Any]]]:
    """The address, netmask, gateway and netdetect address of every device of every host.

    ``plan`` either counts up from ``first_address`` or names one subnet per device in ``rails``.
    """
    reader = _Reader()
    names = _hosts(reader, hosts)
    count = reader.number(devices, "devices", 1, DEVICES_MAX)
    placements: Placement = iter(())
    if isinstance(plan, t.Mapping) and "rails" in plan:
        rails, offsets = _read_rails(reader, plan, count)
        if not reader.problems:
            placements = _on_rails(names, rails, offsets)
    else:
        record = reader.record(plan, "plan", FLAT_KEYS)
        if record is not None and count is not None:
            placements = _read_flat(reader, record, names, count)
    if reader.problems:
        raise AddressPlanError(reader.problems)
    return _place(names, placements)


def _hosts(reader: _Reader, hosts: t.Any) -> list[str]:
    if not isinstance(hosts, t.Sequence) or isinstance(hosts, (str, bytes)) or not hosts:
        reader.problems.append(f"hosts is {hosts!r}, expected a list of host names")
        return []
    names: list[str] = []
    for index, host in enumerate(hosts):
        if not isinstance(host, str) or not host:
            reader.problems.append(f"hosts[{index}] is {host!r}, expected a host name")
        elif host in names:
            reader.problems.append(f"hosts[{index}] is {host}, which is in the list already; list every host once")
        else:
            names.append(host)
    return names


def _read_flat(reader: _Reader, plan: t.Mapping[str, t.Any], hosts: t.Sequence[str], devices: int) -> Placement:
    first = reader.address(plan.get("first_address"), "plan.first_address")
    step = reader.number(plan.get("step", 1), "plan.step", 1, 2**24)
    host_step = reader.number(plan.get("host_step", devices * (step or 1)), "plan.host_step", 1, 2**24)
    bits = reader.prefix(plan, "plan")
    if first is None or step is None or host_step is None or bits is None:
        return iter(())
    rail = reader.rail(plan, "plan", netaddr.IPNetwork(f"{first}/{bits}").cidr)
    start = int(first)
    return ((host, device, start + index * host_step + device * step, rail) for index, host in enumerate(hosts) for device in range(devices))


def _read_rails(reader: _Reader, plan: t.Mapping[str, t.Any], devices: int | None) -> tuple[list[Rail], list[int]]:
    rails: list[Rail] = []
    offsets: list[int] = []
    reader.record(plan, "plan", frozenset({"rails"}))
    entries = plan["rails"]
    if not isinstance(entries, t.Sequence) or isinstance(entries, (str, bytes)):
        reader.problems.append(f"plan.rails is {entries!r}, expected a list with one subnet per device")
        return rails, offsets
    if devices is not None and len(entries) != devices:
        reader.problems.append(f"plan.rails has {len(entries)} entries, expected {devices}, one per device")
    for index, entry in enumerate(entries):
        name = f"plan.rails[{index}]"
        record = reader.record(entry, name, RAIL_KEYS)
        if record is None:
            continue
        subnet = reader.subnet(record.get("subnet"), f"{name}.subnet")
        first = reader.number(record.get("first", 1), f"{name}.first", 1, 2**24)
        if subnet is None or first is None:
            continue
        for other in rails:
            if subnet.first <= other.subnet.last and other.subnet.first <= subnet.last:
                reader.problems.append(f"{name}.subnet is {subnet}, which overlaps {other.subnet} of {other.name}; give every rail its own subnet")
        rails.append(reader.rail(record, name, subnet))
        offsets.append(first)
    return rails, offsets


def _on_rails(hosts: t.Sequence[str], rails: t.Sequence[Rail], offsets: t.Sequence[int]) -> Placement:
    for index, host in enumerate(hosts):
        for device, (rail, offset) in enumerate(zip(rails, offsets)):
            yield host, device, rail.subnet.first + offset + index, rail


def _place(hosts: t.Sequence[str], placements: Placement) -> dict[str, list[dict[str, t.Any]]]:
    """Turn numbers into addresses; refuse those that the devices could not use."""
    problems: list[str] = []
    owners: dict[int, str] = {}
    reserved = [netaddr.IPNetwork(subnet) for subnet in RESERVED]
    planned: dict[str, list[dict[str, t.Any]]] = {host: [] for host in hosts}
    taken: dict[int, str] = {}
    placed = list(placements)
    for dummy, dummy, dummy, rail in placed:
        for key, address in (("netdetect", rail.netdetect), ("gateway", rail.gateway)):
            if address is not None:
                taken[int(address)] = f"{rail.name}.{key}"
    for host, device, number, rail in placed:
        who = f"device {device} of {host}"
        if not rail.subnet.first <= number <= rail.subnet.last:
            problems.append(f"{who} would be {number - rail.subnet.last} past the end of {rail.subnet} ({rail.name}); choose a larger subnet or a lower start")
            continue
        address = netaddr.IPAddress(number, version=4)
        if number in (rail.subnet.first, rail.subnet.last):
            kind = "network" if number == rail.subnet.first else "broadcast"
            problems.append(f"{who} would get {address}, the {kind} address of {rail.subnet} ({rail.name})")
        elif address.is_loopback() or address.is_multicast() or address.is_reserved() or number >> 24 == 0:
            problems.append(f"{who} would get {address} ({rail.name}), expected a unicast address")
        elif any(address in subnet for subnet in reserved):
            problems.append(f"{who} would get {address} ({rail.name}): hccn_tool refuses {' and '.join(RESERVED)}")
        elif number in taken:
            problems.append(f"{who} would get {address}, which is {taken[number]}")
        elif number in owners:
            problems.append(f"{who} would get {address}, which {owners[number]} has; check step and host_step")
        owners.setdefault(number, who)
        planned[host].append(
            {
                "device": device,
                "address": str(address),
                "netmask": str(rail.subnet.netmask),
                "gateway": None if rail.gateway is None else str(rail.gateway),
                "netdetect": None if rail.netdetect is None else str(rail.netdetect),
            }
        )
    if problems:
        raise AddressPlanError(problems)
    return planned
