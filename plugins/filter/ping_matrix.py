# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._fabric import ADDRESSES, FabricError, judge

DOCUMENTATION = r"""
name: ping_matrix
short_description: What the pings of all hosts say about the fabric
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Puts the pings of all hosts together and names what failed, with the likely reason.
  - Reasons are looked for in the order C(tls), C(link), C(address_plan), C(gateway), C(switch_port). Before them comes C(tool), when C(hccn_tool) itself
    refused or hung. C(back_to_back) is said when only devices of the same index reach each other and LLDP shows no switch,
    C(unknown) when the state of the devices was not read.
  - What pairs have in common is said once - a device with its link down, a host that nobody reaches, a device index that fails on all hosts,
    two hosts without a way between them. Only what is left is listed by pair, first the pairs that both sides complain of.
options:
  _input:
    description: For each host the RV(npuops.ascend.hccn_ping#module:pings) of its devices.
    type: dict
    required: true
  devices:
    description:
      - For each host the RV(npuops.ascend.hccn_info#module:devices).
      - Used are V(address), V(netmask), V(gateway), V(tls_enabled), V(link), and V(lldp), as far as they were read.
    type: dict
    required: true
  failures:
    description: Hosts that could not ping at all, with the reason.
    type: dict
    default: {}
  severity:
    description: Status of a failure; with V(off) nothing is judged.
    type: str
    choices: [fail, warn, "off"]
    default: fail
  id:
    description: Check that the results belong to.
    type: str
    choices: [ping_matrix, hccs_ping]
    default: ping_matrix
  address:
    description: V(device) when the addresses of the RoCE network were pinged, V(vnic) for those of the virtual interfaces.
    type: str
    choices: [device, vnic]
    default: device
  loss_limit:
    description: Loss up to which a pair passes, in percent.
    type: float
    default: 0
positional: devices
"""

EXAMPLES = r"""
- name: Judge the pings of all hosts
  ansible.builtin.set_fact:
    matrix: "{{ pings | npuops.ascend.ping_matrix(devices) }}"
  vars:
    pings:
      npu01: [{device: 0, target: 192.0.2.20, transmitted: 3, received: 0, loss_percent: 100.0, avg_ms: null, error: null}]
    devices:
      npu01: [{device: 0, address: 192.0.2.10, netmask: 255.255.255.0, link: down}]
      npu02: [{device: 0, address: 192.0.2.20, netmask: 255.255.255.0, link: up}]
"""

RETURN = r"""
_value:
  description: The pairs, and the results of the check.
  type: dict
  contains:
    pairs:
      description: Each device that pinged with each device that it pinged.
      type: list
      elements: dict
      sample:
        - host: npu01
          device: 0
          address: 192.0.2.10
          peer_host: npu02
          peer_device: 0
          peer_address: 192.0.2.20
          ok: false
          loss_percent: 100.0
          avg_ms: null
          error: null
          reason: link
    results:
      description: One result for each cause, or a single one with the status V(pass) or V(skip); in the shape of P(npuops.ascend.check_results#filter).
      type: list
      elements: dict
"""

SEVERITIES = ("fail", "warn", "off")
IDS = ("ping_matrix", "hccs_ping")


def ping_matrix(
    pings: t.Any,
    devices: t.Any,
    failures: t.Any = None,
    severity: str = "fail",
    id: str = "ping_matrix",  # the option's name, as in the results
    address: str = "device",
    loss_limit: float = 0.0,
) -> dict[str, t.Any]:
    for name, value, choices in (("severity", severity, SEVERITIES), ("id", id, IDS), ("address", address, ADDRESSES)):
        if value not in choices:
            raise AnsibleFilterError(f"ping_matrix: {name} is {value!r}; expected one of {', '.join(choices)}.")
    if not isinstance(failures or {}, t.Mapping):
        raise AnsibleFilterError("ping_matrix: failures is no dictionary; expected the reason for each host that could not ping.")
    try:
        return judge(pings, devices, failures=failures or {}, severity=severity, check=id, kind=address, loss_limit=float(loss_limit))
    except FabricError as error:
        raise AnsibleFilterError(f"ping_matrix: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ping_matrix": ping_matrix}
