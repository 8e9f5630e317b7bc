# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long texts of hccn_tool: the parameter help of the commands that are simulated, word for word as the tool prints it.

Apart from the code because most calls print none of it.
"""

from __future__ import annotations

# Commands of the tool that are not simulated: they are known words, and answered as on a product without them.
OTHER_COMMANDS = frozenset((
    "-local_lldp", "-dscp_to_tc", "-shaping", "-arp", "-route", "-pci", "-context", "-reg", "-tlsca", "-udp", "-status", "-generic",
    "-eth_test", "-hw_stats", "-udhcpc", "-dcqcn", "-roce_test", "-pfc", "-tc_cfg", "-cur_tc_buf", "-prio_tc", "-tc_qos", "-ip_rule",
    "-ip_route", "-serdes", "-neigh", "-scdr", "-down_data", "-traceroute", "-xsfp_reset", "-stat_extra", "-fec_err", "-auto_downgrade",
    "-pfc_stat", "-tc_stat", "-hilink_info", "-qp_info", "-bad_thd", "-pfc_storm", "-scdr_reset", "-esd", "-diagnostic",
    "-optical_snr", "-mem_reserve", "-dump",
))

HELP = {
    "-ip": (
        "   [-inet6]             : use IPv6, when not specified default is IPv4\n"
        "   [-s]                 : set ip cfg \n"
        "       address %s       : set IPv4 ip address, such as x.x.x.x\n"
        "       netmask %s       : set IPv4 ip netmask, such as x.x.x.x\n"
        "       ipv6_address  %s : set IPv6 ip address, such as x:x:x:x:x:x:x:x\n"
        "       prefix_length %d : set prefix length of IPv6 address, [0 ~ 128]\n"
        "   [-g]                 : get ip address and netmask/prefix_length \n"
    ),
    "-gateway": (
        "   [-inet6]            : use IPv6, when not specified default is IPv4\n"
        "   [-s]                : set gateway cfg \n"
        "       gateway %s      : set IPv4 gateway, such as x.x.x.x\n"
        "       ipv6_gateway %s : set IPv6 gateway, such as x:x:x:x:x:x:x:x\n"
        "   [-g]                : get gateway address \n"
    ),
    "-netdetect": (
        "   [-inet6]            : use IPv6, when not specified default is IPv4\n"
        "   [-s]                : set net detect cfg \n"
        "       address %s      : set net detect IPv4 ip address, such as x.x.x.x\n"
        "       ipv6_address %s : set net detect IPv6 ip address, such as x:x:x:x:x:x:x:x\n"
        "   [-g]                : get net detect cfg \n"
    ),
    "-lldp": (
        "   [-g]        : get lldp cfg \n"
    ),
    "-mac": (
        "   [-s]        : set mac cfg\n"
        "       mac %s  : set mac address, such as xx:xx:xx:xx:xx:xx\n"
        "   [-g]        : get mac cfg\n"
    ),
    "-cfg": (
        "   recovery    : recovery cfg \n"
        "   status      : config status \n"
    ),
    "-link": (
        "   [-s]                   : set the eth ports link status\n"
        "       down               : shut down eth port \n"
        "       up                 : start up eth port \n"
        "       down_fault_time %d : set linkdown warning filter time (0~3s)\n"
        "   [-g]                   : get the eth ports link status, UP or DOWN \n"
        "       [down_fault_time]    : get linkdown warning filter time \n"
    ),
    "-mtu": (
        "   [-s]        : set mtu cfg \n"
        "       size %d : set mtu size, ETH from 68 to 9702\n"
        "   [-g]        : get mtu cfg\n"
    ),
    "-net_health": (
        "   [-g]        : get net health status\n"
    ),
    "-optical": (
        "   [-g]               : get optical info \n"
        "        [v2]            : get optical new version info \n"
        "        [dfx_cfg]       : get optical dfx info \n"
        "   [-t]               : set optical loopback \n"
        "        0             : cancel optical module loopback \n"
        "        1             : set host side input loopback \n"
        "        2             : set media side output loopback \n"
        "        3             : set host side output loopback \n"
        "        4             : set media side input loopback \n"
        "   [-dump]            : dump optical EEPROM reg info \n"
        "        all           : get all EEPROM information of the optical modules and print the information to logs \n"
        "        page %x       : get the specified page [0 ~ FF] information of the optical modules \n"
        "   [-s]               : set optical info \n"
        "        hard_reset    : hard reset optical \n"
        "        soft_reset    : soft reset optical \n"
        "        low_power     : switch optical to low power \n"
        "        high_power    : switch optical to high power \n"
        "        tx_disable    : disable the tx \n"
        "                  all : disable all the lane tx \n"
        "        tx_enable     : enable the tx \n"
        "                  all : enable all the lane tx \n"
    ),
    "-stat": (
        "   [-g]        : get packet statistics\n"
        "   [-c]        : clear packet statistics\n"
    ),
    "-a -cfg": (
        "    recovery   : recovery cfg \n"
    ),
    "-tls": (
        "   [-s]        : set tls cfg\n"
        "       enable %d : set tls enable, 0: disable, 1: enable\n"
        "       host      : if you want to set tls enable on host, you need to add host flag on the tail\n"
        "       or\n"
        "       alarm %d  : set tls alarm(days), [0, 7 ~ 180], 0: disable tls alarm, only support on npu\n"
        "       host      : if you want to set tls alarm on host, you need to add host flag on the tail\n"
        "       or\n"
        "       path %s   : set tls cfg file path, such as xxx\n"
        "       pri %s    : set tls private key, only support pem file format\n"
        "       pub %s    : set tls public cert, only support pem file format\n"
        "       ca1 %s    : set tls first level CA, only support pem file format\n"
        "       ca2 %s    : set tls second level CA, only support pem format\n"
        "       ......            \n"
        "       ca14 %s   : set tls fourteen level CA(the deepest CA level), only support pem format\n"
        "       crl %s    : set tls certificate revocation list, only support crl format\n"
        "       host      : if you want to set tls certificate suite on host, you need to add host flag on the tail\n"
        "       or\n"
        "       path %s   : set tls cfg file path, such as xxx\n"
        "       crl %s    : set tls certificate revocation list separately, only support device-side\n"
        "   [-g]        : get tls cfg\n"
        "       host      : if you want to get tls certificate suite on host, you need to add host flag on the tail\n"
        "   [-c]        : clear tls cfg\n"
        "       host      : if you want to clear tls certificate suite on host, you need to add host flag on the tail\n"
        "       or\n"
        "       crl       :  clear certificate revocation list separately, only support device-side\n"
    ),
    "-version": (
        "   [-g]        : get version info\n"
    ),
    "-vnic": (
        "   [-g]        : get vnic link status, ip address and netmask \n"
    ),
    "-process": (
        "   [-g]        : get device process info\n"
    ),
    "-bandwidth": (
        "   [-g]        : get tx/rx bandwidth \n"
        "       [time %d] : specify time period to measure bandwidth, range [100 ~ 10000] ms\n"
    ),
    "-link_stat": (
        "   [-g]        : get link history statistics\n"
        "   [-c]        : clear link history statistics\n"
    ),
    "-speed": (
        "   [-g]        : get the speed of eth ports\n"
    ),
    "-duplex": (
        "   [-g]        : get the duplex mode of eth ports\n"
    ),
    "-fec": (
        "   This device does not support switching fec mode\n"
    ),
    "-ping": (
        "   [-inet6]            : use IPv6, when not specified default is IPv4\n"
        "   [-g]                : get ping result\n"
        "       address %s      : set net detect IPv4 ip address, such as x.x.x.x\n"
        "       ipv6_address %s : set net detect IPv6 ip address, such as x:x:x:x:x:x:x:x\n"
        "      pkt %d           : ping cfg, the packet data length, [0 ~ 65507]\n"
    ),
    "-send_arp": (
        "   [-s]        : set the setting of gratuitous arp\n"
        "       enable %s  : set the ability of the gratuitous arp, 0: disable, 1: enable,\n"
        "       or\n"
        "       period %s  : set the period of the gratuitous arp, [1 ~ 3600] (s)\n"
        "   [-g]        : get the setting of gratuitous arp\n"
    ),
    "-hccs_ping": (
        "   [-g]                : get the supernodes ping result\n"
        "       address   %s    : set net detect IPv4 ip address, such as x.x.x.x\n"
        "       or\n"
        "       sdid      %s    : set net detect device sdid value. this value conflicts with address, one of the two is used\n"
        "       pkt       %d    : ping cfg, the packet data length, [1792 ~ 3000] (byte) (default 1792)\n"
        "       cnt       %d    : ping cfg, the total count of packet send, [1 ~ 1000] (default 3)\n"
        "       interval  %d    : ping cfg, the interval between receiving a reply packet and sending the next packet, [0 ~ 10] (ms) (default 0)\n"
        "       timeout   %d    : ping cfg, the timeout waiting time for each packet, [1 ~ 20000] (ms)\n"
    ),
}


def parameter_help(command: str) -> str:
    """What a usage error prints on standard output."""
    scope, name = ("-a", "-cfg") if command == "-a -cfg" else ("-i", command)
    return f"[ hccn_tool {scope} devid {name} ] needs the following parameters:\n{HELP[command]}\n"


def full_help() -> str:
    """What -h prints."""
    heads = {command: f"hccn_tool -i devid {command}" for command in HELP}
    heads["-a -cfg"] = "hccn_tool -a  -cfg"
    return "".join(f"{heads[command]}\n{text}\n" for command, text in HELP.items())
