# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: network_problems
short_description: What is wrong with the NPU addresses of all hosts taken together
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Looks at the wanted NPU addresses of several hosts before any host is touched.
  - Reports a problem per line, with the host, the device, what was found and what was expected. An empty list means that the addresses fit.
  - Checked are the number of devices (the same on every host), addresses and netmasks that are none, an address or a device given twice,
    a gateway outside of the segment of its device, an address that equals a gateway, and same-index devices of two hosts that lie in
    different segments without gateways to cross them.
  - The number of devices and the segments are compared inside each serving group only, for hosts of different groups do not talk to each other.
options:
  _input:
    description:
      - One dictionary per host with V(host) and V(devices); each device as M(npuops.ascend.hccn_config) takes it.
      - V(group) names the serving group of the host. Hosts without one are taken as one group.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse addresses that do not fit together
  ansible.builtin.assert:
    that: views | npuops.ascend.network_problems | length == 0
  vars:
    views:
      - host: npu01
        devices: [{device: 0, address: 192.0.2.10, netmask: 255.255.255.0}]
      - host: npu02
        devices: [{device: 0, address: 192.0.2.11, netmask: 255.255.255.0}]
"""

RETURN = r"""
_value:
  description: The problems, one sentence each.
  type: list
  elements: str
  sample: ["npu02 device 3: address 192.0.2.13 is given to npu01 device 3 too; give every device its own."]
"""


class _Device(t.NamedTuple):
    where: str
    host: str
    group: str
    device: int
    interface: ipaddress.IPv4Interface | None
    gateway: ipaddress.IPv4Address | None


def _read(host: str, group: str, raw: t.Mapping[str, t.Any], problems: list[str]) -> _Device:
    where = f"{host} device {raw.get('device')}"
    interface = gateway = None
    try:
        interface = ipaddress.IPv4Interface(f"{raw.get('address')}/{raw.get('netmask')}")
    except ValueError:
        problems.append(
            f"{where}: {raw.get('address')!r} with netmask {raw.get('netmask')!r} is no IPv4 address; "
            "expected dotted decimals such as 192.0.2.10 and 255.255.255.0."
        )
    if raw.get("gateway"):
        try:
            gateway = ipaddress.IPv4Address(str(raw["gateway"]))
        except ValueError:
            problems.append(f"{where}: gateway {raw['gateway']!r} is no IPv4 address; expected dotted decimals such as 192.0.2.1.")
    return _Device(where, host, group, int(raw["device"]), interface, gateway)


def _duplicates(devices: t.Iterable[_Device]) -> t.Iterator[str]:
    owners: dict[ipaddress.IPv4Address, _Device] = {}
    for item in devices:
        if item.interface is None:
            continue
        first = owners.setdefault(item.interface.ip, item)
        if first is not item:
            yield f"{item.where}: address {item.interface.ip} is given to {first.where} too; give every device its own."


def _gateways(devices: t.Sequence[_Device]) -> t.Iterator[str]:
    gateways = {item.gateway: item for item in reversed(devices) if item.gateway}
    for item in devices:
        if item.interface is None:
            continue
        if item.gateway and item.gateway not in item.interface.network:
            yield (
                f"{item.where}: gateway {item.gateway} lies outside of {item.interface.network}, the segment of address {item.interface.ip}; "
                "hccn_tool refuses it. Correct the gateway or the netmask."
            )
        if item.interface.ip in gateways:
            yield f"{item.where}: address {item.interface.ip} is the gateway of {gateways[item.interface.ip].where}; give the device another one."


def _segments(devices: t.Iterable[_Device]) -> t.Iterator[str]:
    first_of_index: dict[tuple[str, int], _Device] = {}
    for item in devices:
        if item.interface is None:
            continue
        first = first_of_index.setdefault((item.group, item.device), item)
        if first.interface is not None and first.interface.network != item.interface.network and not (first.gateway and item.gateway):
            yield (
                f"{item.where}: {item.interface} and {first.where}: {first.interface} lie in different segments without gateways on both, "
                "so they cannot reach each other. Use one segment per device index, or give both a gateway."
            )


def _counts(views: t.Sequence[t.Mapping[str, t.Any]]) -> t.Iterator[str]:
    for group in dict.fromkeys(_group(view) for view in views):
        counts = {view["host"]: len(view["devices"]) for view in views if _group(view) == group}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{host} {count}" for host, count in counts.items())
            yield f"The hosts have different numbers of NPU addresses ({found}); a serving group needs the same number on each."


def _group(view: t.Mapping[str, t.Any]) -> str:
    return str(view.get("group", ""))


def network_problems(views: t.Any) -> list[str]:
    if not isinstance(views, (list, tuple)) or not all(isinstance(view, t.Mapping) for view in views):
        raise AnsibleFilterError("network_problems expects a list of dictionaries with host and devices.")
    problems: list[str] = []
    devices: list[_Device] = []
    for view in views:
        indices = [int(raw["device"]) for raw in view["devices"]]
        for index in sorted({index for index in indices if indices.count(index) > 1}):
            problems.append(f"{view['host']} device {index}: listed {indices.count(index)} times; list every device once.")
        devices.extend(_read(view["host"], _group(view), raw, problems) for raw in view["devices"])
    problems.extend(_counts(views))
    problems.extend(_duplicates(devices))
    problems.extend(_gateways(devices))
    problems.extend(_segments(devices))
    return problems


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"network_problems": network_problems}
