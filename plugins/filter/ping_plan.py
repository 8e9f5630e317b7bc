# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._fabric import ADDRESSES, PAIRS, FabricError, plan

DOCUMENTATION = r"""
name: ping_plan
short_description: What the devices of a host should ping
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Gives for each device of one host the addresses of devices of the other hosts, as M(npuops.ascend.hccn_ping) takes them.
  - Devices of the same index come first. Each host begins with the one after it, so that not all of them ping the first host at once.
  - A device without an address is left out, as sender and as target; so is an address that the sending device has itself.
options:
  _input:
    description: For each host its devices with their addresses, as in RV(npuops.ascend.hccn_info#module:devices). Other keys are ignored.
    type: dict
    required: true
  host:
    description: The host that is going to ping.
    type: str
    required: true
  pairs:
    description: V(same_index) pairs device 0 with the devices 0 of the other hosts and so on, V(all) every device with every device of the other hosts.
    type: str
    choices: [same_index, all]
    default: all
  address:
    description: V(device) for the addresses of the RoCE network, V(vnic) for those of the virtual interfaces (with O(npuops.ascend.hccn_ping#module:hccs)).
    type: str
    choices: [device, vnic]
    default: device
positional: host, pairs, address
"""

EXAMPLES = r"""
- name: Ping every device of the other hosts
  npuops.ascend.hccn_ping:
    pings: "{{ addresses | npuops.ascend.ping_plan(inventory_hostname) }}"
  vars:
    addresses:
      npu01: [{device: 0, address: 192.0.2.10}, {device: 1, address: 192.0.2.11}]
      npu02: [{device: 0, address: 192.0.2.20}, {device: 1, address: 192.0.2.21}]
"""

RETURN = r"""
_value:
  description: The devices of the host with their targets.
  type: list
  elements: dict
  sample:
    - device: 0
      targets: [192.0.2.20, 192.0.2.21]
    - device: 1
      targets: [192.0.2.21, 192.0.2.20]
"""


def ping_plan(addresses: t.Any, host: str, pairs: str = "all", address: str = "device") -> list[dict[str, t.Any]]:
    if pairs not in PAIRS:
        raise AnsibleFilterError(f"ping_plan: pairs is {pairs!r}; expected one of {', '.join(PAIRS)}.")
    if address not in ADDRESSES:
        raise AnsibleFilterError(f"ping_plan: address is {address!r}; expected one of {', '.join(ADDRESSES)}.")
    try:
        return plan(addresses, host, pairs, address)
    except FabricError as error:
        raise AnsibleFilterError(f"ping_plan: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"ping_plan": ping_plan}
