# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: rank_table_servers
short_description: Turn what hosts report into the servers of a rank table
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Makes the option O(npuops.ascend.rank_table#module:servers) of M(npuops.ascend.rank_table) from what
    M(npuops.ascend.hccn_info) read on the hosts of a serving group.
  - The filter fails when a host reports no device or a device without address, and names all of them. The table is made from
    what the devices have, never from what the inventory wishes.
options:
  _input:
    description: The hosts of the group, master first.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host in messages.
        type: string
        required: true
      server_id:
        description: Name or address of the server in the rank table.
        type: string
        required: true
      container_ip:
        description: Address of the container. Defaults to O(_input[].server_id).
        type: string
      devices:
        description: RV(npuops.ascend.hccn_info#module:devices) of the host. Only C(device) and C(address) of each are used.
        type: list
        elements: dict
        required: true
"""

EXAMPLES = r"""
- name: Write the rank table of the group
  npuops.ascend.rank_table:
    dest: /data/ranktable.json
    servers: "{{ reports | npuops.ascend.rank_table_servers }}"
  vars:
    reports:
      - host: npu01
        server_id: 192.0.2.11
        devices: "{{ hostvars['npu01'].hccn_report.devices }}"
      - host: npu02
        server_id: 192.0.2.12
        devices: "{{ hostvars['npu02'].hccn_report.devices }}"
"""

RETURN = r"""
_value:
  description: The list for O(npuops.ascend.rank_table#module:servers).
  type: list
  elements: dict
  sample:
    - server_id: 192.0.2.11
      container_ip: 192.0.2.11
      devices:
        - device_id: "0"
          device_ip: 10.20.0.11
"""

import typing as t

from ansible.errors import AnsibleFilterError

NAME = "npuops.ascend.rank_table_servers"


def is_list(value: t.Any) -> bool:
    return isinstance(value, t.Sequence) and not isinstance(value, (str, bytes))


def devices_of(report: t.Mapping[str, t.Any], host: str, problems: list[str]) -> list[dict[str, str]]:
    devices = report.get("devices")
    if not is_list(devices) or not devices:
        problems.append(f"{host} reports no devices (devices is {devices!r}); run npuops.ascend.hccn_info on it and check its driver")
        return []
    result = []
    for index, device in enumerate(devices):
        if not isinstance(device, t.Mapping) or device.get("device") is None:
            problems.append(f"{host}: devices[{index}] is {device!r}, expected an entry of npuops.ascend.hccn_info with device and address")
        elif not device.get("address"):
            problems.append(f"device {device['device']} of {host} has no address; set it with npuops.ascend.hccn_config first")
        else:
            result.append({"device_id": str(device["device"]), "device_ip": str(device["address"])})
    return result


def rank_table_servers(reports: t.Any) -> list[dict[str, t.Any]]:
    if not is_list(reports) or not reports:
        raise AnsibleFilterError(f"{NAME}: the input is {reports!r}, expected a list with one dict per host, master first")
    problems: list[str] = []
    servers = []
    for index, report in enumerate(reports):
        if not isinstance(report, t.Mapping):
            problems.append(f"entry {index} is {report!r}, expected a dict with host, server_id and devices")
            continue
        host = report.get("host") or f"entry {index}"
        server_id = report.get("server_id")
        if not isinstance(server_id, str) or not server_id:
            problems.append(f"{host}: server_id is {server_id!r}, expected the address of the host")
        devices = devices_of(report, host, problems)
        servers.append({"server_id": server_id, "container_ip": report.get("container_ip") or server_id, "devices": devices})
    if problems:
        raise AnsibleFilterError(f"{NAME}: {'; '.join(problems)}")
    return servers


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rank_table_servers": rank_table_servers}
