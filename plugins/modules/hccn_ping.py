#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hccn_ping
short_description: Ping from the NPU devices of a host to other devices
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Lets C(hccn_tool) ping a list of addresses from each device of a host, devices side by side, in one task.
  - A lost packet and a refused or hanging call are results of the pair that they concern. The module fails when C(hccn_tool) is not there at all,
    and when its own options are wrong.
  - A device whose call exceeds its time limit is not asked further; the same goes for a device that the driver has lost.
  - The plugin P(npuops.ascend.ping_plan#filter) makes O(pings) from the addresses of all hosts,
    P(npuops.ascend.ping_matrix#filter) judges what all hosts brought.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
attributes:
  check_mode:
    details: A ping changes nothing, so it is sent in check mode too.
options:
  pings:
    description: The devices to ping from, each with its targets, which are pinged one after the other.
    type: list
    elements: dict
    required: true
    suboptions:
      device:
        description: Physical id of the device, as in C(/dev/davinciN) and in C(hccn_tool -i N).
        type: int
        required: true
      targets:
        description: IPv4 addresses of other devices. An address that is listed twice is pinged once.
        type: list
        elements: str
        required: true
  count:
    description:
      - Packets to send to each target.
      - C(hccn_tool -ping) sends three packets in each call, so other numbers are rounded up to a multiple of three.
      - With O(hccs=true) from 1 to 1000, in one call.
    type: int
    default: 3
  size:
    description:
      - Bytes of data in each packet, from 0 to 65507, with O(hccs=true) from 1792 to 3000.
      - The tool has its own default.
    type: int
  hccs:
    description:
      - Ping through the HCCS links of a super node (C(-hccs_ping)) instead of the RoCE network.
      - Atlas A3 only, as root; the targets are addresses of virtual interfaces (V(vnic) of M(npuops.ascend.hccn_info)).
    type: bool
    default: false
  timeout:
    description: Time limit of each call of the tool, in seconds.
    type: int
    default: 30
seealso:
  - module: npuops.ascend.hccn_info
  - plugin: npuops.ascend.ping_plan
    plugin_type: filter
  - plugin: npuops.ascend.ping_matrix
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Ping two devices of another host
  npuops.ascend.hccn_ping:
    pings:
      - device: 0
        targets: [192.0.2.90, 192.0.2.91]
      - device: 1
        targets: [192.0.2.90, 192.0.2.91]

- name: Read the addresses of all hosts
  npuops.ascend.hccn_info:
    subset: [address]
  register: network

- name: Ping every device of the other hosts from every device of this host
  npuops.ascend.hccn_ping:
    pings: "{{ addresses | npuops.ascend.ping_plan(inventory_hostname) }}"
  vars:
    addresses: >-
      {{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, ['network', 'devices']))) }}
"""

RETURN = r"""
pings:
  description: One entry for each device and target, in the order of O(pings).
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: Physical id of the device that sent.
      returned: always
      type: int
      sample: 0
    target:
      description: The address that was pinged.
      returned: always
      type: str
      sample: 192.0.2.90
    transmitted:
      description: Packets that were sent; 0 when the tool did not send any.
      returned: always
      type: int
      sample: 3
    received:
      description: Packets that were answered.
      returned: always
      type: int
      sample: 3
    loss_percent:
      description: Share of the packets without an answer, in percent. V(null) when none was sent.
      returned: always
      type: float
      sample: 0.0
    times_ms:
      description: Round trip time of each packet in milliseconds, V(null) for a packet without an answer.
      returned: always
      type: list
      elements: float
      sample: [0.114, 0.067, 0.063]
    min_ms:
      description: Shortest round trip time in milliseconds. V(null) without an answer.
      returned: always
      type: float
      sample: 0.063
    avg_ms:
      description: Mean round trip time in milliseconds. V(null) without an answer.
      returned: always
      type: float
      sample: 0.081333
    max_ms:
      description: Longest round trip time in milliseconds. V(null) without an answer.
      returned: always
      type: float
      sample: 0.114
    said:
      description: What came back instead of an answer, such as V(Destination Host Unreachable). V(null) when there was nothing.
      returned: always
      type: str
      sample: null
    error:
      description: Why the tool could not ping, and what to do. V(null) when it could, also when packets were lost.
      returned: always
      type: str
      sample: null
"""

import ipaddress
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import HccnTool, devices_present
from ansible_collections.npuops.ascend.plugins.module_utils._ping import Wish, ping_all
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCliError

# hccn_tool's own ranges: packets, bytes.
LIMITS = {False: ((1, 3000), (0, 65507)), True: ((1, 1000), (1792, 3000))}


def problems(params: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    for (name, value), (low, high) in zip((("count", params["count"]), ("size", params["size"])), LIMITS[params["hccs"]]):
        if value is not None and not low <= value <= high:
            yield f"{name} is {value}; expected {low} to {high}{' with hccs' if params['hccs'] else ''}."
    if params["timeout"] < 1:
        yield f"timeout is {params['timeout']}; expected at least 1 second."
    for ping in params["pings"]:
        if not 0 <= ping["device"] <= 99:
            yield f"device {ping['device']} is no physical id; expected 0 to 99."
        for target in ping["targets"]:
            try:
                ipaddress.IPv4Address(target)
            except ValueError:
                yield f"device {ping['device']}: target {target!r} is no IPv4 address; expected dotted decimals such as 192.0.2.90."


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "pings": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "device": {"type": "int", "required": True},
                    "targets": {"type": "list", "elements": "str", "required": True},
                },
            },
            "count": {"type": "int", "default": 3},
            "size": {"type": "int"},
            "hccs": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    found = list(problems(module.params))
    if found:
        module.fail_json(msg=" ".join(found[:5]))
    targets: dict[int, dict[str, None]] = {}
    for ping in module.params["pings"]:
        targets.setdefault(ping["device"], {}).update(dict.fromkeys(ping["targets"]))
    # Without any node the driver is not loaded; the tool then says so better than this module.
    present = devices_present()
    absent = set(targets) - set(present) if present else set()
    wish = Wish(module.params["count"], module.params["size"], module.params["hccs"])
    try:
        pings = ping_all(HccnTool(module, module.params["timeout"]), {device: list(addresses) for device, addresses in targets.items()}, wish, absent)
    except VendorCliError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, pings=pings)


if __name__ == "__main__":
    main()
