# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which devices ping which, and what the lost pings of all hosts have in common. Runs on the controller; no input or output here."""

from __future__ import annotations

import collections
import ipaddress
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import BY_ID
from ansible_collections.npuops.ascend.plugins.module_utils._fabric_texts import REASONS

PAIRS = ("same_index", "all")
ADDRESSES = ("device", "vnic")
# More pairs than this, each with a reason of its own, are counted and not described.
DESCRIBED_MAX = 20
NAMED_MAX = 8


class FabricError(ValueError):
    """The input does not fit together."""


class Device(t.NamedTuple):
    host: str
    device: int

    def __str__(self) -> str:
        return f"{self.host} device {self.device}"


Way = t.Tuple[Device, Device]
Facts = t.Mapping[str, t.Any]


def address_of(facts: Facts, kind: str) -> str | None:
    """The address of a device in the RoCE network, or that of its virtual interface."""
    if kind == "vnic":
        return (facts.get("vnic") or {}).get("address")
    return facts.get("address")


def read_devices(hosts: t.Any) -> dict[Device, Facts]:
    if not isinstance(hosts, t.Mapping):
        raise FabricError(f"the devices are {type(hosts).__name__}; expected a dictionary with a list of devices per host.")
    devices: dict[Device, Facts] = {}
    for host, found in hosts.items():
        if not isinstance(found, t.Sequence) or isinstance(found, str) or not all(isinstance(facts, t.Mapping) and "device" in facts for facts in found):
            raise FabricError(f"{host}: expected a list of dictionaries with device and address.")
        devices.update({Device(str(host), int(facts["device"])): facts for facts in found})
    return devices


def plan(hosts: t.Any, host: str, pairs: str, kind: str = "device") -> list[dict[str, t.Any]]:
    """For each device of the host the addresses to ping: its twins first, hosts after this one before those in front of it."""
    devices = read_devices(hosts)
    names = list(hosts)
    if host not in names:
        raise FabricError(f"{host} is not among the hosts with addresses ({', '.join(map(str, names)) or 'none'}).")
    place = names.index(host)
    addresses: dict[str, dict[int, str]] = {name: {} for name in names}
    for device, facts in devices.items():
        address = address_of(facts, kind)
        if address:
            addresses[device.host][device.device] = address
    peers = [addresses[name] for name in names[place + 1 :] + names[:place]]
    planned = []
    for device, own in addresses[host].items():
        twins = [peer[device] for peer in peers if device in peer]
        others = [address for peer in peers for index, address in peer.items() if index != device] if pairs == "all" else []
        targets = [address for address in dict.fromkeys(twins + others) if address != own]
        if targets:
            planned.append({"device": device, "targets": targets})
    return planned


# ---------------------------------------------------------------------------------------------------------------------
# Pairs


class Matrix:
    """All pings by their way, with what is known of the devices."""

    def __init__(self, devices: dict[Device, Facts], kind: str, loss_limit: float) -> None:
        self.devices = devices
        self.kind = kind
        self.loss_limit = loss_limit
        self.pings: dict[Way, Facts] = {}
        self.addresses = {device: address_of(facts, kind) for device, facts in devices.items()}
        self.owners: dict[str, list[Device]] = {}
        for device, address in self.addresses.items():
            if address is not None:
                self.owners.setdefault(address, []).append(device)
        # Virtual interfaces have a network of their own, which nobody routes.
        self._networks = {device: _network(facts) if kind == "device" else None for device, facts in devices.items()}
        self._errors: dict[Device, list[t.Any]] = {}

    def add(self, pings: t.Any) -> None:
        if not isinstance(pings, t.Mapping):
            raise FabricError(f"the pings are {type(pings).__name__}; expected a dictionary with a list of pings per host.")
        for host, found in pings.items():
            for ping in found:
                source = Device(str(host), int(ping["device"]))
                peers = [peer for peer in self.owners.get(ping["target"], ()) if peer.host != host]
                if source not in self.devices or not peers:
                    raise FabricError(f"{source} pinged {ping['target']}, but the devices of all hosts do not name both.")
                self.pings.update({(source, peer): ping for peer in peers})
                self._errors.setdefault(source, []).append(ping.get("error"))

    def shares_address(self, device: Device) -> bool:
        address = self.addresses[device]
        return address is not None and len(self.owners[address]) > 1

    def answered(self, way: Way) -> bool:
        ping = self.pings[way]
        loss = ping.get("loss_percent")
        # Of two devices with one address nobody knows which one answered.
        return not ping.get("error") and loss is not None and loss <= self.loss_limit and not self.shares_address(way[1])

    def error_of(self, device: Device) -> str | None:
        """Why no ping of this device could be sent, or its address not be read."""
        unread = (self.devices[device].get("errors") or {}).get("vnic" if self.kind == "vnic" else "address")
        errors = self._errors.get(device)
        return unread or (errors[0] if errors and all(errors) else None)

    def own_reason(self, device: Device) -> str | None:
        """What is wrong with a device whatever the other side is like."""
        if self.devices[device].get("link") == "down" and self.kind == "device":
            return "link"
        if self.error_of(device):
            return "tool"
        return "address_plan" if self.addresses[device] is None or self.shares_address(device) else None

    def reason(self, way: Way) -> str:
        """The likeliest reason why a way has no answer."""
        one, other = (self.devices[device] for device in way)
        networks = [self._networks[device] for device in way]
        apart = None not in networks and networks[0] != networks[1]
        gateways = [bool(facts.get("gateway")) for facts in (one, other)]
        own = [self.own_reason(device) for device in way]
        if self.pings[way].get("error"):
            return "tool"
        if {one.get("tls_enabled"), other.get("tls_enabled")} == {True, False}:
            return "tls"
        if "link" in own:
            return "link"
        if "address_plan" in own or (apart and not any(gateways)):
            return "address_plan"
        if apart:
            return "gateway"
        known = all(facts.get("link") == "up" for facts in (one, other)) or self.kind == "vnic"
        return "switch_port" if known else "unknown"


def _network(facts: Facts) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Interface(f"{facts['address']}/{facts['netmask']}").network
    except (KeyError, ValueError):
        return None


def pair(matrix: Matrix, way: Way) -> dict[str, t.Any]:
    (source, peer), ping = way, matrix.pings[way]
    answered = matrix.answered(way)
    return {
        "host": source.host,
        "device": source.device,
        "address": matrix.addresses[source],
        "peer_host": peer.host,
        "peer_device": peer.device,
        "peer_address": matrix.addresses[peer],
        "ok": answered,
        "loss_percent": ping.get("loss_percent"),
        "avg_ms": ping.get("avg_ms"),
        "error": ping.get("error"),
        "reason": None if answered else matrix.reason(way),
    }


# ---------------------------------------------------------------------------------------------------------------------
# Causes


class Finding(t.NamedTuple):
    """What several ways without answer have in common."""

    host: str
    device: int | None
    reason: str
    observed: str
    ways: list[Way]


class _Search:
    """Explains ways without answer from the broadest cause to the narrowest; what one cause explains, no later one repeats."""

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix
        # Ways that no cause has explained yet, answered ones too; dictionaries as sets that keep their order.
        self.open = dict.fromkeys(sorted(matrix.pings))
        self.lost = {way: None for way in self.open if not matrix.answered(way)}
        self.of_device: dict[Device, dict[Way, None]] = {}
        for way in self.open:
            for device in way:
                self.of_device.setdefault(device, {})[way] = None

    def findings(self) -> t.Iterator[Finding]:
        for step in (self._faulty_devices, self._hosts, self._rails, self._devices, self._between_hosts, self._pairs):
            if self.lost or step == self._faulty_devices:
                yield from step()

    # ---- the steps

    def _faulty_devices(self) -> t.Iterator[Finding]:
        """Devices whose own state says why: link down, no address, the address of another one, a tool that refuses."""
        for host in sorted({device.host for device in self.matrix.devices}):
            here = sorted(device for device in self.matrix.devices if device.host == host)
            reasons = {device: self.matrix.own_reason(device) for device in here}
            whole = len(here) > 1 and len(set(reasons.values())) == 1
            for group in [here] if whole else [[device] for device in here]:
                reason = reasons[group[0]]
                if reason is None:
                    continue
                ways = self._ways_of(group)
                lost = [way for way in ways if way in self.lost]
                if reason == "link" and not lost:
                    # On some hosts the tool says DOWN of links that carry packets; the packets are right.
                    continue
                who = f"all {len(group)} devices of {host}" if whole else str(group[0])
                facts = self._facts(group[:1] if reason == "tool" else group, reason)
                # Whoever has the address too may have answered, so the loss says nothing.
                shared = any(self.matrix.shares_address(device) for device in group)
                pings = f"; {self._share(ways)}" if ways and not shared else ""
                yield self._finding(host, None if whole else group[0].device, reason, f"{who}: {facts}{pings}", ways)

    def _hosts(self) -> t.Iterator[Finding]:
        of_host: dict[str, dict[Way, None]] = {}
        for way in self.open:
            for device in way:
                of_host.setdefault(device.host, {})[way] = None
        dead = [host for host, ways in of_host.items() if self._all_lost(ways)]
        for hosts in _connected(self.open):
            if set(hosts) <= set(dead):
                ways = [way for way in self.open if way[0].host in hosts]
                yield self._finding("", None, self._reason(ways), f"{_named(hosts)}: no pair of devices answers ({self._share(ways)})", ways)
            else:
                for host in [host for host in hosts if host in dead]:
                    ways = [way for way in of_host[host] if way in self.open]
                    observed = f"{host} reaches no other host and is reached by none ({self._share(ways)})"
                    yield self._finding(host, None, self._reason(ways), observed, ways)

    def _rails(self) -> t.Iterator[Finding]:
        """Device N of all hosts, and no other: what they share is their switch."""
        for index in sorted({device.device for device in self.of_device}):
            group = sorted(device for device, ways in self.of_device.items() if device.device == index and ways)
            ways = self._ways_of(group)
            if len(group) > 1 and self._all_lost(ways):
                observed = f"device {index} of {_named([device.host for device in group])}: no pair answers ({self._share(ways)}){self._ports(group)}"
                yield self._finding("", index, self._reason(ways), observed, ways)

    def _devices(self) -> t.Iterator[Finding]:
        for device in sorted(self.of_device):
            ways = self._ways_of([device])
            if self._all_lost(ways):
                observed = f"{device} reaches no device and is reached by none ({self._share(ways)}){self._ports([device])}"
                yield self._finding(device.host, device.device, self._reason(ways), observed, ways)

    def _between_hosts(self) -> t.Iterator[Finding]:
        """What holds for all devices of two hosts, said once for all hosts that it holds for."""
        of_hosts: dict[tuple[str, str], list[Way]] = {}
        for way in self.open:
            of_hosts.setdefault(_hosts_of(way), []).append(way)
        found: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for hosts, ways in of_hosts.items():
            kind = self._kind(ways)
            if kind:
                reason = self._reason(ways)
                if kind == "diagonal" and reason in ("switch_port", "unknown") and self._alone(hosts) and not self._on_switch(hosts):
                    reason = "back_to_back"
                found.setdefault((kind, reason), []).append(hosts)
        texts = {
            "none": "no pair answers",
            "one_way": "pairs answer in one direction only",
            "diagonal": "only devices of the same index reach each other",
        }
        for (kind, reason), all_hosts in found.items():
            ways = [way for hosts in all_hosts for way in of_hosts[hosts]]
            who = _named([f"{one} and {other}" for one, other in all_hosts])
            yield self._finding(all_hosts[0][0], None, reason, f"{who}: {texts[kind]} ({self._share(ways)})", ways)

    def _pairs(self) -> t.Iterator[Finding]:
        """Single pairs: first those that both sides complain of, as those are where HCCL's own search ends."""
        lost = sorted(self.lost, key=lambda way: (_back(way) not in self.lost, way))
        pairs = [way for way in lost if way < _back(way) or _back(way) not in self.lost]
        for way in pairs[:DESCRIBED_MAX]:
            if _back(way) in self.lost:
                direction = "in both directions, both sides name each other"
            elif _back(way) in self.open:
                direction = "in this direction only"
            else:
                direction = "the way back was not tried"
            source, peer = (f"{device} ({self.matrix.addresses[device]})" for device in way)
            reason = self.matrix.reason(way)
            details = "; ".join(filter(None, (self._facts(way, reason), self._ports(way).lstrip("; "))))
            observed = f"{source} to {peer}: {self._loss([way, _back(way)])} {direction}{'; ' + details if details else ''}"
            yield self._finding(way[0].host, way[0].device, reason, observed, [way])
        rest = pairs[DESCRIBED_MAX:]
        if rest:
            yield self._finding("", None, self._reason(rest), f"{len(rest)} more pairs without a common cause", rest)

    # ---- their tools

    def _finding(self, host: str, device: int | None, reason: str, observed: str, ways: t.Iterable[Way]) -> Finding:
        """What was found; takes its ways out of the search, except for those that _pairs goes through."""
        ways = list(ways)
        lost = [way for way in ways if way in self.lost]
        if len(ways) > 1:
            for way in ways:
                del self.open[way]
                self.lost.pop(way, None)
                for end in way:
                    del self.of_device[end][way]
        return Finding(host, device, reason, observed, lost)

    def _ways_of(self, devices: t.Iterable[Device]) -> list[Way]:
        return list(dict.fromkeys(way for device in devices for way in self.of_device.get(device, ())))

    def _all_lost(self, ways: t.Collection[Way]) -> bool:
        """Whether none of them answers, and they are more than the two ways of a single pair."""
        return all(way in self.lost for way in ways) and len(_undirected(ways)) > 1

    def _reason(self, ways: t.Iterable[Way]) -> str:
        counts = collections.Counter(self.matrix.reason(way) for way in ways if way in self.lost)
        # Of equally frequent reasons the one that is looked at first.
        return max(REASONS, key=lambda reason: counts[reason])

    def _share(self, ways: t.Collection[Way]) -> str:
        lost = [way for way in ways if way in self.lost]
        return f"{len(lost)} of {len(ways)} pings fail, {self._loss(lost)}"

    def _loss(self, ways: t.Iterable[Way]) -> str:
        losses = sorted({self.matrix.pings[way].get("loss_percent") or 0.0 for way in ways if way in self.lost and not self.matrix.pings[way].get("error")})
        if not losses:
            return "not sent"
        return f"{losses[0]:g} % loss" if losses[0] == losses[-1] else f"{losses[0]:g} to {losses[-1]:g} % loss"

    def _facts(self, devices: t.Iterable[Device], reason: str) -> str:
        """What was read of these devices that makes the reason."""
        facts: list[str] = []
        for device in devices:
            known, address = self.matrix.devices[device], self.matrix.addresses[device]
            if reason == "link" and known.get("link") == "down":
                facts.append("link down")
            elif reason == "address_plan" and address is None:
                facts.append("no address")
            elif reason == "address_plan" and self.matrix.shares_address(device):
                others = [str(owner) for owner in sorted(self.matrix.owners[t.cast(str, address)]) if owner != device]
                facts.append(f"{address} is the address of {_named(others)} too")
            elif reason == "tool":
                facts.extend(filter(None, [self.matrix.error_of(device)]))
            elif reason == "tls":
                facts.append(f"TLS of {device} is {'on' if known.get('tls_enabled') else 'off'}")
            elif reason in ("address_plan", "gateway"):
                facts.append(f"{device} has {address}, netmask {known.get('netmask')}, gateway {known.get('gateway') or 'none'}")
        return ", ".join(dict.fromkeys(facts))

    def _ports(self, devices: t.Collection[Device]) -> str:
        """The switch ports of devices, where they are known and few."""
        if len(devices) > 2:
            return ""
        ports = [f"{device} at {port}" for device in devices for port in [port_of(self.matrix.devices[device])] if port]
        return f"; {', '.join(ports)}" if ports else ""

    def _kind(self, ways: t.Sequence[Way]) -> str | None:
        """What all ways between two hosts have in common."""
        lost = {way for way in ways if way in self.lost}
        if len(_undirected(lost)) < 2:
            return None
        if len(lost) == len(ways):
            return "none"
        if any(lost == {way for way in ways if way[0].host == device.host} for device in ways[0]):
            return "one_way"
        twins = {way for way in ways if way[0].device == way[1].device}
        return "diagonal" if twins and lost == set(ways) - twins else None

    def _alone(self, hosts: tuple[str, str]) -> bool:
        """Whether these two hosts reach no third one: a device has one port."""
        return not any(self.matrix.answered(way) for way in self.matrix.pings if len({*_hosts_of(way), *hosts}) == 3)

    def _on_switch(self, hosts: tuple[str, str]) -> bool:
        """Whether LLDP shows a neighbour of every device that is not one of the hosts themselves."""
        names = {device.host for device in self.matrix.devices}
        neighbours = [facts.get("lldp") for device, facts in self.matrix.devices.items() if device.host in hosts]
        return all(lldp and lldp.get("port_id") and lldp.get("system_name") not in names for lldp in neighbours)


def _back(way: Way) -> Way:
    return way[1], way[0]


def _hosts_of(way: Way) -> tuple[str, str]:
    one, other = sorted(device.host for device in way)
    return one, other


def _connected(ways: t.Iterable[Way]) -> list[list[str]]:
    """Hosts that were to ping each other, directly or over others: serving groups do not."""
    neighbours: dict[str, set[str]] = {}
    for way in ways:
        one, other = _hosts_of(way)
        neighbours.setdefault(one, set()).add(other)
        neighbours.setdefault(other, set()).add(one)
    groups, seen = [], set()
    for host in sorted(neighbours):
        group, waiting = set(), {host} - seen
        while waiting:
            group |= waiting
            waiting = set().union(*(neighbours[found] for found in waiting)) - group
        seen |= group
        if group:
            groups.append(sorted(group))
    return groups


def _undirected(ways: t.Iterable[Way]) -> set[frozenset[Device]]:
    return {frozenset(way) for way in ways}


def _named(names: t.Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED_MAX])
    return shown if len(names) <= NAMED_MAX else f"{shown} and {len(names) - NAMED_MAX} more"


def port_of(facts: Facts) -> str | None:
    """Switch and port of a device as LLDP tells them."""
    lldp = facts.get("lldp") or {}
    switch = lldp.get("system_name") or lldp.get("chassis_id")
    return f"{switch} {lldp['port_id']}" if switch and lldp.get("port_id") else lldp.get("port_id")


# ---------------------------------------------------------------------------------------------------------------------
# Results


def judge(
    pings: t.Any,
    hosts: t.Any,
    *,
    failures: t.Mapping[str, str],
    severity: str = "fail",
    check: str = "ping_matrix",
    kind: str = "device",
    loss_limit: float = 0.0,
) -> dict[str, t.Any]:
    """All pairs with their reasons, and the results of the check: one for each cause, or one that says that all is well."""
    matrix = Matrix(read_devices(hosts), kind, loss_limit)
    matrix.add(pings)
    pairs = [pair(matrix, way) for way in sorted(matrix.pings)]
    expected = f"at most {loss_limit:g} % loss between all planned pairs" if loss_limit else "0 % loss between all planned pairs"

    def result(status: str, observed: str, host: str = "", device: int | None = None, reason: str | None = None, evidence: str = "") -> dict[str, t.Any]:
        entry = BY_ID[check]
        cause, remedy = (REASONS[reason].cause, REASONS[reason].remedy) if reason else (entry.cause, entry.remedy)
        return {
            "id": check,
            "stage": entry.stage,
            "scope": entry.scope,
            "host": host,
            "device": device,
            "status": status,
            "severity": severity if severity != "off" else entry.severity,
            "title": entry.title._asdict(),
            "observed": observed,
            "expected": expected,
            "cause": cause._asdict(),
            "remedy": remedy._asdict(),
            "source": REASONS[reason].source if reason else entry.source,
            "evidence": evidence,
        }

    if severity == "off":
        return {"pairs": pairs, "results": [result("skip", "switched off")]}
    results = [result(severity, f"the devices of {host} could not ping: {text}", host, reason="tool") for host, text in failures.items()]
    # Without any address the network stage has not run yet.
    for finding in _Search(matrix).findings() if matrix.owners else ():
        results.append(result(severity, finding.observed, finding.host, finding.device, finding.reason, _evidence(matrix, finding.ways)))
    if not results:
        results.append(_good(matrix, result))
    return {"pairs": pairs, "results": results}


def _evidence(matrix: Matrix, ways: t.Sequence[Way]) -> str:
    lines = []
    for way in ways[:3]:
        ping = matrix.pings[way]
        counts = f"{ping.get('transmitted')} packets transmitted, {ping.get('received')} received"
        if ping.get("said"):
            counts += f": {ping['said']}"
        lines.append(f"{way[0]} PING {matrix.addresses[way[1]]}: {ping.get('error') or counts}")
    return "\n".join(lines)


def _good(matrix: Matrix, result: t.Callable[..., dict[str, t.Any]]) -> dict[str, t.Any]:
    if not matrix.pings:
        return result("skip", "nothing to ping: the devices of two hosts need addresses")
    times = {way: ping["avg_ms"] for way, ping in matrix.pings.items() if ping.get("avg_ms") is not None}
    observed = f"{len(matrix.pings)} of {len(matrix.pings)} pings answered"
    if times:
        slowest = max(sorted(times), key=lambda way: times[way])
        observed += f", mean {sum(times.values()) / len(times):.3f} ms, slowest {slowest[0]} to {slowest[1]} {times[slowest]:.3f} ms"
    return result("pass", observed)
