# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._host_facts import parse_ranges

DOCUMENTATION = r"""
name: reserved_ports
short_description: Ports that are reserved, and those that are to be
version_added: 0.3.0
author: npuops contributors (@npuops)
description:
  - Adds ports to what C(net.ipv4.ip_local_reserved_ports) has, which takes no additions.
  - Writes them as the kernel does, in order, and ranges that touch as one.
  - What is reserved for others stays reserved.
options:
  _input:
    description: What the kernel has, such as V(8080,30000-32767); empty where nothing is reserved.
    type: str
    required: true
  ports:
    description: Ports and ranges of ports to reserve, such as V(60000-60031) or V(60000-60031,61000).
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what is to be set
  ansible.builtin.debug:
    msg: "{{ '8080,30000-32767' | npuops.ascend.reserved_ports('60000-60031') }}"
"""

RETURN = r"""
_value:
  description: The value to set.
  type: str
  sample: 8080,30000-32767,60000-60031
"""


def reserved_ports(reserved: str, ports: str) -> str:
    ranges: list[list[int]] = []
    for first, last in sorted(parse_ranges(reserved) + _wanted(ports)):
        if ranges and first <= ranges[-1][1] + 1:
            ranges[-1][1] = max(ranges[-1][1], last)
        else:
            ranges.append([first, last])
    return ",".join(f"{first}-{last}" if first < last else str(first) for first, last in ranges)


def _wanted(ports: str) -> list[tuple[int, int]]:
    wanted = parse_ranges(ports)
    well_formed = re.fullmatch(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*", ports, re.ASCII)
    if not well_formed or not all(1 <= first <= last <= 65535 for first, last in wanted):
        raise AnsibleFilterError(
            f"system_reserved_ports: {ports!r} are no ports. Expected ports and ranges from 1 to 65535, such as 60000-60031 or 60000-60031,61000."
        )
    return wanted


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"reserved_ports": reserved_ports}
