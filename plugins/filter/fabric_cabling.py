# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._fabric import FabricError
from ansible_collections.npuops.ascend.plugins.module_utils._fabric_view import cabling

DOCUMENTATION = r"""
name: fabric_cabling
short_description: Which switch port each device is plugged into
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Lists the LLDP neighbour of each device of all hosts.
options:
  _input:
    description: For each host the RV(npuops.ascend.hccn_info#module:devices), with the subsets V(address) and V(lldp).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the cabling
  ansible.builtin.debug:
    msg: "{{ devices | npuops.ascend.fabric_cabling }}"
  vars:
    devices:
      npu01: [{device: 0, address: 192.0.2.10, lldp: {system_name: leaf1, port_id: "400GE1/1/5:1"}}]
"""

RETURN = r"""
_value:
  description: One entry for each device. Switch and port are V(null) where LLDP names none.
  type: list
  elements: dict
  sample:
    - {host: npu01, device: 0, address: 192.0.2.10, switch: leaf1, port: "400GE1/1/5:1"}
"""


def fabric_cabling(devices: t.Any) -> list[dict[str, t.Any]]:
    try:
        return cabling(devices)
    except FabricError as error:
        raise AnsibleFilterError(f"fabric_cabling: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_cabling": fabric_cabling}
