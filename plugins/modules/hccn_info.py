#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hccn_info
short_description: Read the network state of Ascend NPU devices
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Asks C(hccn_tool) of the Ascend driver about all devices of a host in one call, devices in parallel.
  - A device or a subset that cannot be read is reported in RV(devices[].errors); the module fails when nothing at all could be read.
  - Understands C(hccn_tool) of Atlas A2 and A3 products, and the older texts of the 910A generation.
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
    details: This module changes no setting. C(hccn_tool -tls -g) itself notes the switch in C(/etc/hccn.conf) when it is not there yet.
  diff_mode:
    support: N/A
    details: This module changes no setting.
  idempotent:
    support: N/A
    details: This module changes no setting.
options:
  devices:
    description:
      - Physical ids of the devices to ask, as in C(/dev/davinciN) and in C(hccn_tool -i N).
      - By default all devices that have a C(/dev/davinciN).
    type: list
    elements: int
  subset:
    description:
      - What to ask. Each subset is one call of the tool for each device.
      - V(all) stands for everything.
      - V(address6), V(duplex), V(vnic), V(process), V(fec), V(udp), and V(config_status) are not supported by every product and tool version.
    type: list
    elements: str
    choices:
      - address
      - gateway
      - netdetect
      - tls
      - mtu
      - link
      - net_health
      - lldp
      - mac
      - speed
      - duplex
      - optical
      - stat
      - link_stat
      - version
      - address6
      - vnic
      - process
      - fec
      - udp
      - config_status
      - all
    default: [address, gateway, netdetect, tls, mtu, link, net_health]
  timeout:
    description: Time limit of each call of the tool, in seconds. A device that exceeds it is not asked further.
    type: int
    default: 30
seealso:
  - module: npuops.ascend.hccn_config
"""

EXAMPLES = r"""
- name: Read addresses, link and health of all devices
  npuops.ascend.hccn_info:
  register: network

- name: Refuse devices without a link
  ansible.builtin.assert:
    that: network.devices | rejectattr('link', 'equalto', 'up') | length == 0

- name: Read switch ports and optical modules of two devices
  npuops.ascend.hccn_info:
    devices: [0, 1]
    subset: [lldp, optical]
    timeout: 60
"""

RETURN = r"""
devices:
  description:
    - One entry for each device, in the order of the ids. Keys of subsets that were not asked for are missing.
    - A value is V(null) when nothing is set on the device, when the tool says that it is unknown, or when RV(devices[].errors) names the subset.
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: Physical id of the device.
      returned: always
      type: int
      sample: 0
    address:
      description: IPv4 address.
      returned: subset V(address)
      type: str
      sample: 192.0.2.80
    netmask:
      description: Netmask of the address.
      returned: subset V(address)
      type: str
      sample: 255.255.255.0
    gateway:
      description: Default gateway.
      returned: subset V(gateway)
      type: str
      sample: 192.0.2.1
    netdetect:
      description: Address that the device checks its network with.
      returned: subset V(netdetect)
      type: str
      sample: 192.0.2.1
    tls_enabled:
      description: Whether TLS is on. V(null) without an error when the device holds no certificates.
      returned: subset V(tls)
      type: bool
      sample: false
    tls:
      description: What else is known of TLS, namely C(preset), C(alarm_days), and C(certificates) with their validity.
      returned: subset V(tls)
      type: dict
      sample: {preset: true, alarm_days: 60, certificates: []}
    mtu:
      description: MTU in bytes.
      returned: subset V(mtu)
      type: int
      sample: 4200
    link:
      description: State of the link, V(up) or V(down).
      returned: subset V(link)
      type: str
      sample: up
    net_health:
      description:
        - Result of the device's own check of RV(devices[].netdetect).
        - One of V(success), V(socket_fail), V(receive_timeout), V(unreachable), V(time_exceeded), V(fault), V(init),
          V(thread_error), V(detect_ip_set), V(unknown).
      returned: subset V(net_health)
      type: str
      sample: success
    lldp:
      description: What the switch port tells of itself. C(tlvs) holds every TLV as printed.
      returned: subset V(lldp)
      type: dict
      sample:
        chassis_id_type: MAC
        chassis_id: "aa:bb:cc:dd:ee:ff"
        port_id_type: Ifname
        port_id: 400GE1/1/5:1
        system_name: null
        tlvs: {Chassis ID: "MAC: aa:bb:cc:dd:ee:ff", Port ID: "Ifname: 400GE1/1/5:1"}
    mac:
      description: MAC address.
      returned: subset V(mac)
      type: str
      sample: "d8:76:ae:d9:ba:ed"
    speed_mbps:
      description: Speed of the port in Mb/s.
      returned: subset V(speed)
      type: int
      sample: 200000
    duplex:
      description: V(full) or V(half).
      returned: subset V(duplex)
      type: str
      sample: full
    optical:
      description:
        - Readings of the optical module. Keys are the printed names in snake case, with the unit at the end where the tool prints one
          (C(_c), C(_mv), C(_mw), C(_ma), C(_db), C(_nm)).
      returned: subset V(optical)
      type: dict
      sample: {present: true, temperature_c: 47, vcc_mv: 3262.9, tx_power0_mw: 1.3968, vendor_name: Example}
    stat:
      description: Packet counters by their printed names.
      returned: subset V(stat)
      type: dict
      sample: {mac_rx_fcs_err_pkt_num: 0, roce_new_pkt_rty_num: 0}
    link_stat:
      description: Changes of the link, newest first. Times are local times of the host. C(link_down_count) is V(null) with older tools.
      returned: subset V(link_stat)
      type: dict
      sample:
        current_time: "2025-05-29T19:22:43"
        link_up_count: 1
        link_down_count: 0
        records: [{time: "2025-05-29T18:02:10", link: up}]
    version:
      description: Versions of the network driver and firmware.
      returned: subset V(version)
      type: dict
      sample: {driver: 1.0.4.0, firmware: 1.1.4.0}
    ipv6_address:
      description: IPv6 address.
      returned: subset V(address6)
      type: str
      sample: "2001:db8::80"
    ipv6_prefix_length:
      description: Prefix length of the IPv6 address.
      returned: subset V(address6)
      type: int
      sample: 64
    vnic:
      description: Link, address, and netmask of the virtual interface between device and host.
      returned: subset V(vnic)
      type: dict
      sample: {link: up, address: 192.168.2.199, netmask: 255.255.255.0}
    hccp_process:
      description: Whether the device side process of collective communication runs.
      returned: subset V(process)
      type: bool
      sample: true
    fec:
      description: Mode of forward error correction, V(rs), V(no), or V(auto). V(null) where it cannot be switched.
      returned: subset V(fec)
      type: str
      sample: rs
    udp:
      description: Source port of RoCE packets, how it is chosen, and ports by pair of addresses as printed.
      returned: subset V(udp)
      type: dict
      sample: {port: 4800, mode: custom, pairs: []}
    config_status:
      description: How the last application of C(/etc/hccn.conf) went, V(none), V(start), V(fail), V(success), or V(fault).
      returned: subset V(config_status)
      type: str
      sample: success
    errors:
      description: For each subset that could not be read, why, and what to do.
      returned: always
      type: dict
      sample: {}
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils._hccn import QUERIES
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import HccnTool, Reading, devices_present, unknown_devices
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCliError

DEFAULT_SUBSET = ["address", "gateway", "netdetect", "tls", "mtu", "link", "net_health"]


def as_dict(reading: Reading) -> dict[str, t.Any]:
    errors = {subset: str(error) for subset, error in reading.errors.items()}
    return {"device": reading.device, **reading.values, "errors": errors}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "devices": {"type": "list", "elements": "int"},
            "subset": {"type": "list", "elements": "str", "choices": [*QUERIES, "all"], "default": DEFAULT_SUBSET},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    if module.params["timeout"] < 1:
        module.fail_json(msg=f"timeout is {module.params['timeout']}; give at least 1 second.")
    devices = sorted(set(devices_present() if module.params["devices"] is None else module.params["devices"]))
    if module.params["devices"] is None and not devices:
        module.fail_json(msg="This host has no /dev/davinciN: the Ascend driver is not installed or not loaded. Install it, or name the devices.")
    problem = unknown_devices(devices)
    if problem:
        module.fail_json(msg=problem)
    asked = module.params["subset"]
    subsets = [subset for subset in QUERIES if subset in asked or "all" in asked]
    try:
        readings = HccnTool(module, module.params["timeout"]).read_all(dict.fromkeys(devices, subsets))
    except VendorCliError as error:
        module.fail_json(msg=str(error))
    errors = [error for reading in readings.values() for error in reading.errors.values()]
    if errors and len(errors) == len(devices) * len(subsets):
        module.fail_json(msg=f"Nothing could be read from {len(devices)} device(s). {errors[0]}", devices=[as_dict(reading) for reading in readings.values()])
    module.exit_json(changed=False, devices=[as_dict(reading) for reading in readings.values()])


if __name__ == "__main__":
    main()
