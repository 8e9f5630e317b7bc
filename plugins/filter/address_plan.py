# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: address_plan
short_description: Plan the addresses of all NPU devices of all hosts
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Gives every device of every host its address, netmask, gateway and netdetect address, from a short plan.
  - The plan either counts up from one address through all hosts, or names one subnet (rail) for each device.
  - The order of the hosts decides the addresses. Add new hosts at the end to keep the addresses of the others.
  - The filter fails when an address leaves its subnet, is the subnet's network or broadcast address, is given twice, is that of the
    gateway or the netdetect address, or lies in C(192.168.1.0/24) or C(192.168.2.0/24), which C(hccn_tool) refuses.
positional: plan, devices
options:
  _input:
    description: Names of the hosts, in order.
    type: list
    elements: string
    required: true
  plan:
    description: Either O(plan.first_address) with its companions, or O(plan.rails).
    type: dict
    required: true
    suboptions:
      first_address:
        description: Address of device 0 of the first host.
        type: string
      step:
        description: Distance between the addresses of two neighbouring devices of a host.
        type: integer
        default: 1
      host_step:
        description:
          - Distance between the addresses of the same device on two neighbouring hosts.
          - Defaults to O(devices) times O(plan.step), so that a host follows the one before it without a gap.
        type: integer
      netmask:
        description: Netmask of the devices. Exactly one of O(plan.netmask) and O(plan.prefix) is required with O(plan.first_address).
        type: string
      prefix:
        description: Length of the network prefix, in place of O(plan.netmask).
        type: integer
      gateway:
        description: Gateway of the devices, a host address of their subnet. Without it the gateway is V(none).
        type: string
      netdetect:
        description: Address that the devices ping to judge their network health. Defaults to the gateway.
        type: string
      rails:
        description: One entry for each device of a host, device 0 first. The subnets must not overlap.
        type: list
        elements: dict
        suboptions:
          subnet:
            description: Subnet of this device on all hosts, with a prefix length or a netmask.
            type: string
            required: true
          first:
            description: Number inside the subnet that the first host gets. The next hosts get the numbers after it.
            type: integer
            default: 1
          gateway:
            description: Gateway of this rail, a host address of the subnet. Without it the gateway is V(none).
            type: string
          netdetect:
            description: Address that the devices of this rail ping to judge their network health. Defaults to the gateway of the rail.
            type: string
  devices:
    description: Number of devices of each host.
    type: integer
    default: 8
requirements:
  - netaddr
seealso:
  - module: npuops.ascend.hccn_config
"""

EXAMPLES = r"""
# npu01 gets 10.20.0.11 to 10.20.0.18, npu02 gets 10.20.0.19 to 10.20.0.26
- name: Plan the addresses of one flat subnet
  ansible.builtin.set_fact:
    device_addresses: "{{ groups['npu'] | npuops.ascend.address_plan(plan) }}"
  vars:
    plan:
      first_address: 10.20.0.11
      prefix: 24
      gateway: 10.20.0.1

# npu01 gets 10.20.1.1 to 10.20.1.8, npu02 gets 10.20.2.1 to 10.20.2.8
- name: Plan addresses that show the host in the third number
  ansible.builtin.set_fact:
    device_addresses: "{{ ['npu01', 'npu02'] | npuops.ascend.address_plan(plan) }}"
  vars:
    plan:
      first_address: 10.20.1.1
      host_step: 256
      netmask: 255.255.240.0
      gateway: 10.20.0.1

# Device 0 of npu01 gets 10.20.0.11, of npu02 10.20.0.12; device 1 gets 10.20.1.11 and 10.20.1.12
- name: Plan one subnet per rail
  ansible.builtin.set_fact:
    device_addresses: "{{ ['npu01', 'npu02'] | npuops.ascend.address_plan(plan, devices=2) }}"
  vars:
    plan:
      rails:
        - {subnet: 10.20.0.0/24, first: 11, gateway: 10.20.0.1}
        - {subnet: 10.20.1.0/24, first: 11, gateway: 10.20.1.1}

- name: Address the devices of this host
  npuops.ascend.hccn_config:
    devices: "{{ device_addresses[inventory_hostname] }}"
"""

RETURN = r"""
_value:
  description: For each host the list of its devices, as M(npuops.ascend.hccn_config) takes it.
  type: dict
  sample:
    npu01:
      - device: 0
        address: 10.20.0.11
        netmask: 255.255.255.0
        gateway: 10.20.0.1
        netdetect: 10.20.0.1
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._address_plan import HAS_NETADDR, AddressPlanError, plan_addresses


def address_plan(hosts: t.Any, plan: t.Any, devices: t.Any = 8) -> dict[str, list[dict[str, t.Any]]]:
    if not HAS_NETADDR:
        raise AnsibleFilterError("npuops.ascend.address_plan: the Python package netaddr is missing on the controller. Install it beside Ansible.")
    try:
        return plan_addresses(hosts, plan, devices)
    except AddressPlanError as exc:
        raise AnsibleFilterError(f"npuops.ascend.address_plan: {exc}") from exc


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"address_plan": address_plan}
