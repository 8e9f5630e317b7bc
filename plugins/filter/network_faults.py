# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: network_faults
short_description: What the devices of a host lack to be on the NPU network
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Compares what M(npuops.ascend.hccn_info) read with what M(npuops.ascend.hccn_config) was asked for,
    and judges link, net_health and the LLDP neighbour - the six checks of the deployment guide.
options:
  _input:
    description: The RV(npuops.ascend.hccn_info#module:devices) of one host.
    type: list
    elements: dict
    required: true
  wanted:
    description: The devices as given to M(npuops.ascend.hccn_config).
    type: list
    elements: dict
    required: true
  host:
    description: Name of the host for the messages.
    type: str
    default: ""
  lldp:
    description: Whether a missing LLDP neighbour is a fault.
    type: bool
    default: true
positional: wanted, host, lldp
"""

EXAMPLES = r"""
- name: Refuse a device that is not on the network
  ansible.builtin.assert:
    that: live.devices | npuops.ascend.network_faults(wanted) | length == 0
"""

RETURN = r"""
_value:
  description: The faults, one sentence each.
  type: list
  elements: str
  sample: ["npu01 device 3: link is down; expected up. Look at the cable, the optical module and the switch port."]
"""

_SETTINGS = {
    "address": "Run the npu_network role again; another tool may set addresses too.",
    "netmask": "Run the npu_network role again; another tool may set addresses too.",
    "gateway": "A change of the address drops the gateway: run the npu_network role again.",
    "netdetect": "Run the npu_network role again.",
    "tls_enabled": "All devices of all hosts need the same TLS switch: run the npu_network role on all of them.",
    "mtu": "Run the npu_network role again.",
}
_REMEDIES = {
    "link": "Look at the cable, the optical module and the switch port.",
    "net_health": "The device does not reach its netdetect address: look at link, VLAN of the switch port, address and gateway.",
}


def _faults(live: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any], lldp: bool) -> t.Iterator[str]:
    for subset, text in sorted((live.get("errors") or {}).items()):
        yield f"{subset} could not be read: {text}"
    expected = {key: wanted[key] for key in _SETTINGS if wanted.get(key) is not None}
    for key, value in expected.items():
        if key in live and live[key] != value:
            yield f"{key} is {live[key]}; expected {value}. {_SETTINGS[key]}"
    for key, value in (("link", "up"), ("net_health", "success")):
        if live.get(key) != value:
            yield f"{key} is {live.get(key)}; expected {value}. {_REMEDIES[key]}"
    if lldp and not (live.get("lldp") or {}).get("port_id"):
        yield "no LLDP neighbour; expected a switch port. Look at the cabling, or switch LLDP on at the switch."


def network_faults(live: t.Any, wanted: t.Any, host: str = "", lldp: bool = True) -> list[str]:
    if not isinstance(live, (list, tuple)) or not isinstance(wanted, (list, tuple)):
        raise AnsibleFilterError("network_faults expects two lists of devices: those that were read and those that are wanted.")
    found = {item["device"]: item for item in live}
    faults = []
    for item in wanted:
        where = f"{host} device {item['device']}".strip()
        if item["device"] not in found:
            faults.append(f"{where}: not read; expected an answer of hccn_tool.")
            continue
        faults.extend(f"{where}: {text}" for text in _faults(found[item["device"]], item, lldp))
    return faults


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"network_faults": network_faults}
