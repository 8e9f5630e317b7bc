# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each command of hccn_tool does: one handler per action, one table row per form of the command line.

The forms, texts, exit codes and the order of the checks are those of the vendor's public front end.
"""

from __future__ import annotations

import os
import sys
import time

from npusim import plane
from npusim.hccn_conf import ConfMissing, ConfNotWritable, HccnConf
from npusim.state import State, root

SUCCESS = "Cmd executed successfully!\n"
LOG_FILE = "/var/log/hccn_tool/hccn_config.log"
INSTALL_INFO = "/etc/ascend_install.info"
ANY_ADDRESS = "0.0.0.0"
BROADCAST = "255.255.255.255"


class Failure(Exception):
    """A failed call: exit code and text. Some texts go to standard output, some are followed by the parameter help."""

    def __init__(self, rc: int, text: str, to_stdout: bool = False, with_help: bool = False) -> None:
        super().__init__(text)
        self.rc = rc
        self.text = text + "\n" if text else ""
        self.to_stdout = to_stdout
        self.with_help = with_help


def invalid_parameters() -> Failure:
    return Failure(1, "Get invalid parameters!", with_help=True)


def wrong_count() -> Failure:
    return Failure(4, "The total count of input parameters is wrong!", with_help=True)


def unknown_option() -> Failure:
    return Failure(3, "Get unknown option!", with_help=True)


def invalid_address() -> Failure:
    return Failure(6, "The ip address you configured is invalid!")


def conf_missing() -> Failure:
    return Failure(29, "The hccn.conf can't access, cmd execute failed! pls check the conf file or cmd run permission.")


def no_certificate() -> Failure:
    return Failure(14, "No certificate found, please set certs firstly!")


def no_address() -> Failure:
    return Failure(13, "Get ipconf failed, because no ip was preset there!")


def permission_denied() -> Failure:
    return Failure(12, "permission denied: pls check this cmd run permission.")


def execution_failed() -> Failure:
    return Failure(1, "Command execute failed!")


class Call:
    """One call of the tool for one device."""

    def __init__(self, state: State, phy_id: int, uid: int) -> None:
        self.state = state
        self.phy_id = phy_id
        self.uid = uid
        self.conf = HccnConf(uid)
        device = state.device(phy_id)
        if device is None:
            raise Failure(4, "The device is not exist!")
        self.device: dict = device

    def key(self, name: str) -> str:
        return f"{name}_{self.phy_id}"

    def say(self, text: str) -> None:
        sys.stdout.write(text)

    def confirm(self, question: str) -> None:
        """Ask; everything but a `y` or `Y` alone on a whole line is a no, the end of the input too."""
        self.say(question)
        sys.stdout.flush()
        if sys.stdin.readline() not in ("y\n", "Y\n"):
            raise Failure(22, "User aborts command.", to_stdout=True)

    def require_root(self) -> None:
        if self.uid != 0:
            raise permission_denied()

    def change(self, setting: str, **values: object) -> None:
        """Change the device, unless it refuses that setting."""
        fault = self.state.fault("refuse-setting", self.phy_id)
        if fault and fault.get("setting") in (None, setting):
            raise execution_failed()
        self.device.update(values)

    def store(self, name: str, value: str) -> None:
        """Keep a value for the next boot. The device has it already, and keeps it when this fails."""
        try:
            self.conf.put(self.key(name), value)
        except ConfNotWritable:
            raise Failure(4, "Write configurations to config file failed. User configurations cannot be persisted! "
                             "pls check cmd run permission.") from None

    def discard(self, name: str) -> None:
        if self.stored(name) is None:
            return
        try:
            self.conf.delete(self.key(name))
        except ConfNotWritable:
            raise Failure(7, "Delete configurations from config file failed. User configurations cannot be persisted! "
                             "pls check cmd run permission.") from None

    def stored(self, name: str) -> str | None:
        return self.conf.get(self.key(name))

    def log(self, text: str) -> None:
        if self.uid == 0:
            path = root(LOG_FILE)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "a", encoding="utf-8") as stream:
                stream.write(f"[{time.asctime()}] dev:{self.phy_id} {text}\n")


def now() -> float:
    return time.time()


def number(text: str) -> int | None:
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and text.rfind("-") < 1 else None


def usable_address(text: str) -> int:
    value = plane.to_int(text)
    if value is None:
        raise invalid_address()
    return value


def packed_ipv6(text: str) -> int | None:
    import socket  # here and not above: most calls do not need it, and it is slow to load
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
    except (OSError, UnicodeError):
        return None


def same_segment(address: str, netmask: str, other: str) -> bool:
    first, mask, second = plane.to_int(address), plane.to_int(netmask), plane.to_int(other)
    return None not in (first, mask, second) and first & mask == second & mask


# --- addresses -------------------------------------------------------------------------------------------------------


def get_ip(call: Call, values: dict) -> None:
    address = plane.live_address(call.state, call.device)
    if address is None:
        raise no_address()
    call.say(f"ipaddr:{address}\nnetmask:{call.device['netmask'] or '255.255.255.0'}\n")


def looks_like_pcie_card(board_id: int) -> bool:
    """How the tool judges a board id. It takes every 910B server for a PCIe card, and then lets duplicates pass."""
    return 0x30 <= board_id <= 0x43 or 0x50 <= board_id <= 0x54 or board_id == 0x62


def conflicts(call: Call, value: int) -> bool:
    """Whether the tool refuses an address: networks of its own, and the devices that it compares with."""
    def elsewhere(phy_ids) -> bool:
        return any(device["address"] and plane.to_int(device["address"]) == value
                   for device in call.state.devices if device["phy_id"] in phy_ids and device["phy_id"] != call.phy_id)

    if call.state.product == "A3":
        reserved = value >> 24 == 192 if call.state.data["super_node"] else value >> 11 == 0xC0A800 >> 3
        return reserved or elsewhere((call.phy_id ^ 1,))
    if value >> 8 in (0xC0A801, 0xC0A802):
        return True
    group = call.phy_id // 4 * 4
    return not looks_like_pcie_card(int(call.state.data["board_id"], 16)) and elsewhere(range(group, group + 4))


def set_ip(call: Call, values: dict) -> None:
    address, netmask = values["address"], values["netmask"]
    value = usable_address(address)
    if plane.prefix_length(netmask) is None or address in (ANY_ADDRESS, BROADCAST):
        raise invalid_address()
    if conflicts(call, value):
        raise Failure(7, "The ip address configured is conflicted!")
    try:
        call.conf.require_writable()
    except ConfNotWritable:
        raise Failure(5, "Read file failed, cmd execute failed! pls check cmd run permission.") from None
    # A new address empties the device's routes; those of the file that still fit are given back, the others leave the file.
    call.change("address", address=address, netmask=netmask, gateway=None)
    gateway = call.stored("gateway")
    if gateway is not None and same_segment(address, netmask, gateway):
        call.device["gateway"] = gateway
    else:
        call.discard("gateway")
    call.conf.remove(lambda line: is_stale_route(line, call.phy_id, address, netmask))
    restore_send_arp(call)
    call.store("address", address)
    call.store("netmask", netmask)
    call.say(SUCCESS)


def is_stale_route(line: str, phy_id: int, address: str, netmask: str) -> bool:
    """Whether a line is a route of the device through a gateway outside its segment."""
    key, unused, value = line.strip().partition("=")
    if key == f"ip_route_{phy_id}":
        gateway = value.partition(" via ")[2].split(" ")[0]
    elif key.startswith("route_address_") and key.endswith(f"_{phy_id}"):
        gateway = value[len("gateway_"):]
    else:
        return False
    return not same_segment(address, netmask, gateway)


def get_ip6(call: Call, values: dict) -> None:
    if call.device["ipv6_address"] is None:
        raise no_address()
    call.say(f"ipv6_address:{call.device['ipv6_address']}\nprefix_length:{call.device['ipv6_prefix']}\n")


def set_ip6(call: Call, values: dict) -> None:
    length = number(values["prefix_length"])
    if length is None or not 0 <= length <= 128:
        raise invalid_parameters()
    if packed_ipv6(values["ipv6_address"]) is None:
        raise invalid_address()
    if call.device["mtu"] < 1280:
        raise Failure(27, "Unable to configure IPV6 address, because mtu is less than 1280!")
    call.require_root()
    call.change("address", ipv6_address=values["ipv6_address"], ipv6_prefix=length, ipv6_gateway=None)
    call.store("IPv6address", values["ipv6_address"])
    call.store("IPv6netmask", str(length))
    call.say(SUCCESS)


def no_gateway() -> Failure:
    return Failure(2, "Get gateway failed, because no gateway was preset there!")


def gateway_without_address() -> Failure:
    return Failure(26, "Unable to configure gateway, because ip is not configured!")


def other_segment() -> Failure:
    return Failure(8, "The segment of configured gateway doesn't match that of the configured ip adress!")


def get_gateway(call: Call, values: dict) -> None:
    if call.device["gateway"] is None:
        raise no_gateway()
    call.say(f"default gateway:{call.device['gateway']}, Iface:eth{call.phy_id}\n")


def set_gateway(call: Call, values: dict) -> None:
    gateway = values["gateway"]
    usable_address(gateway)
    if call.device["address"] is None:
        raise gateway_without_address()
    if not same_segment(call.device["address"], call.device["netmask"], gateway):
        raise other_segment()
    call.require_root()
    call.change("gateway", gateway=gateway)
    call.discard("gateway")
    call.store("gateway", gateway)
    call.say(SUCCESS)


def get_gateway6(call: Call, values: dict) -> None:
    if call.device["ipv6_gateway"] is None:
        raise no_gateway()
    call.say(f"gateway:{call.device['ipv6_gateway']}\n")


def set_gateway6(call: Call, values: dict) -> None:
    gateway = packed_ipv6(values["ipv6_gateway"])
    if gateway is None:
        raise invalid_address()
    if call.device["ipv6_address"] is None:
        raise gateway_without_address()
    host_bits = 128 - call.device["ipv6_prefix"]
    if gateway >> host_bits != packed_ipv6(call.device["ipv6_address"]) >> host_bits:
        raise other_segment()
    call.require_root()
    call.change("gateway", ipv6_gateway=values["ipv6_gateway"])
    call.store("IPv6gateway", values["ipv6_gateway"])
    call.say(SUCCESS)


def get_netdetect(call: Call, values: dict) -> None:
    call.say(f"netdetect addr: {call.device['netdetect'] or ANY_ADDRESS}\n")


def set_netdetect(call: Call, values: dict) -> None:
    usable_address(values["address"])
    if values["address"] == BROADCAST:
        raise Failure(37, "Can not config broadcast address!")
    call.require_root()
    call.change("netdetect", netdetect=values["address"], netdetect_since=now())
    call.store("netdetect", values["address"])
    call.say(SUCCESS)


def get_netdetect6(call: Call, values: dict) -> None:
    call.say(f"netdetect addr: {call.device['ipv6_netdetect'] or '0:0:0:0:0:0:0:0'}\n")


def set_netdetect6(call: Call, values: dict) -> None:
    if packed_ipv6(values["ipv6_address"]) is None:
        raise invalid_address()
    call.require_root()
    call.change("netdetect", ipv6_netdetect=values["ipv6_address"])
    call.store("IPv6netdetect", values["ipv6_address"])
    call.say(SUCCESS)


def get_vnic(call: Call, values: dict) -> None:
    link = "UP" if plane.vnic_is_up(call.state, call.device) else "DOWN"
    netmask = "255.255.0.0" if call.state.product == "A3" else "255.255.255.0"
    call.say(f"vnic link status: {link}\nvnic ipaddr: {plane.vnic(call.state, call.device)}\nvnic netmask: {netmask}\n")


# --- what the device sees of the network -------------------------------------------------------------------------------

HEALTH_SUCCESS, HEALTH_SOCKET_FAIL, HEALTH_RECEIVE_TIMEOUT, HEALTH_INIT, HEALTH_DETECT_IP_SET = 0, 1, 2, 6, 8
HEALTH = ("Success", "Socket fail", "Receive timeout", "Unreachable", "Time exceeded", "Fault", "Init", "Thread error", "Detect ip set")


def net_health(call: Call) -> int:
    device = call.device
    fault = call.state.fault("net-health", call.phy_id)
    if fault:
        return HEALTH.index(fault["status"])
    if device["net_health"] is not None:
        return device["net_health"]
    if device["netdetect"] in (None, ANY_ADDRESS):
        return HEALTH_INIT
    if device["address"] is None:
        return HEALTH_SOCKET_FAIL
    if not plane.is_up(call.state, device):
        return HEALTH_RECEIVE_TIMEOUT
    if now() - device["netdetect_since"] < call.state.data["health_delay"]:
        return HEALTH_DETECT_IP_SET
    if plane.interface() is None:
        return HEALTH_SUCCESS
    answered = plane.ping(call.state, plane.live_address(call.state, device), device["netdetect"], 1)[0] is not None
    return HEALTH_SUCCESS if answered else HEALTH_RECEIVE_TIMEOUT


def get_net_health(call: Call, values: dict) -> None:
    health = net_health(call)
    call.say(f"net health status: {HEALTH[health] if 0 <= health < len(HEALTH) else 'Unknown'}\n")


def ping(call: Call, source: str | None, target: str, count: int, size: int) -> list:
    times = plane.ping(call.state, source, target, count, size)
    loss = call.state.fault("ping-loss", call.phy_id)
    if loss and loss["peer"] == target:
        times[-loss["lost"]:] = [None] * min(loss["lost"], count)
    return times


def get_ping(call: Call, values: dict) -> None:
    size = number(values.get("pkt", "56"))
    if size is None or not 0 <= size <= 65507:
        raise invalid_parameters()
    usable_address(values["address"])
    source = plane.live_address(call.state, call.device) if plane.is_up(call.state, call.device) else None
    times = ping(call, source, values["address"], 3, size)
    call.say(f"device {call.phy_id} PING {values['address']}\n")
    for sequence, milliseconds in enumerate(times):
        call.say(f"recv time out seq={sequence}\n" if milliseconds is None else f"recv seq={sequence},time={milliseconds:f}ms\n")
    lost = times.count(None)
    call.say(f"{len(times)} packets transmitted, {len(times) - lost} received, {100 * lost / len(times):.2f}% packet loss\n\n")
    if lost:
        raise execution_failed()


def get_hccs_ping(call: Call, values: dict) -> None:
    if call.state.product != "A3":
        raise Failure(13, "The command is not supported on this product.", to_stdout=True)
    count, size = number(values.get("cnt", "3")), number(values.get("pkt", "1792"))
    if count is None or size is None or not (1 <= count <= 1000 and 1792 <= size <= 3000):
        raise invalid_parameters()
    usable_address(values["address"])
    call.require_root()
    source = plane.vnic(call.state, call.device) if plane.vnic_is_up(call.state, call.device) else None
    times = ping(call, source, values["address"], count, size)
    call.say(f"device {call.phy_id} PING {values['address']}\n")
    microseconds = [0.0 if milliseconds is None else 1000 * milliseconds for milliseconds in times]
    for sequence, milliseconds in enumerate(times):
        verdict = "This pkt check recv msg fail!" if milliseconds is None else "This pkt ping success!"
        call.say(f"\n{verdict}\nrecv seq {sequence}, time = {microseconds[sequence]:.3f}us, L1 plane check result = 0x0\n")
    # Lost packets are no failure of the command here, and the summary is always printed.
    answered = sorted(microseconds[sequence] for sequence, milliseconds in enumerate(times) if milliseconds is not None) or [0.0]
    received = count - times.count(None)
    call.say(f"\n{count} packets transmitted, {received} received, {100 - 100 * received / count:.2f}% packets loss\n"
             f"max time {answered[-1]:.3f}us\nmin time {answered[0]:.3f}us\naverage time {sum(answered) / len(answered):.3f}us\n"
             f"TP95 time {answered[(95 * len(answered) - 1) // 100]:.3f}us\n")


def get_lldp(call: Call, values: dict) -> None:
    if not plane.is_up(call.state, call.device):
        call.say("\n")
        return
    # Two devices share a port of the switch, each host has four ports.
    port, lane = 1 + 4 * call.state.host_index + call.phy_id // 2, 1 + call.phy_id % 2
    call.say(
        "Chassis ID TLV\n\tMAC: aa:bb:cc:dd:ee:ff\n"
        f"Port ID TLV\n\tIfname: 400GE1/1/{port}:{lane}\n"
        "System Description TLV\n\tSimulated switch of npusim\n\n"
        "System Capabilities TLV\n\tEnabled capabilities: Bridge, Router\n"
        "Maximum Frame Size TLV\n\t9216\n"
        "End of LLDPDU TLV\n\n")


# --- link --------------------------------------------------------------------------------------------------------------


def get_link(call: Call, values: dict) -> None:
    call.say(f"link status: {'UP' if plane.is_up(call.state, call.device) else 'DOWN'}\n")


def change_link(call: Call, link: str) -> None:
    if call.device["link"] != link:
        call.change("link", link=link)
        call.device["link_changes"].insert(0, [int(now()), link])
        call.device[f"link_{link}s"] += 1


def set_link_down(call: Call, values: dict) -> None:
    call.require_root()
    call.confirm("[WARNING] This link down command will result in the loss of the IPv6 address, continue?(y/n)\n")
    change_link(call, "down")
    call.device["ipv6_address"] = None
    call.say(SUCCESS)


def set_link_up(call: Call, values: dict) -> None:
    call.require_root()
    change_link(call, "up")
    try:
        recovered = recover(call)
    except ConfMissing:
        recovered = False
    if not recovered:
        call.say(f"Link up executed, but recovery failed, please check '{LOG_FILE}' for details.\n")
        raise execution_failed()
    call.say(SUCCESS)


def get_down_fault_time(call: Call, values: dict) -> None:
    call.say(f"down_fault_time: {call.device['down_fault_time']}s\n")


def set_down_fault_time(call: Call, values: dict) -> None:
    seconds = number(values["value"])
    if seconds is None or not 0 <= seconds <= 3:
        raise invalid_parameters()
    call.require_root()
    call.change("down_fault_time", down_fault_time=seconds)
    call.store("down_fault_time", values["value"])
    call.say(SUCCESS)


def flaps(call: Call) -> list:
    """What a fault adds to the history: down, and up again after 12 seconds, one such pair for each minute."""
    fault = call.state.fault("link-flaps", call.phy_id)
    moments = [int(now()) - 60 * (fault["minutes"] + number) for number in range(fault["count"])] if fault else []
    return [change for moment in moments for change in ([moment, "up"], [moment - 12, "down"])]


def get_link_stat(call: Call, values: dict) -> None:
    device = call.device
    changes = [*device["link_changes"], *flaps(call)]
    changes.sort(key=lambda change: -change[0])
    more = sum(link == "down" for unused, link in changes) - sum(link == "down" for unused, link in device["link_changes"])
    lines = [
        f"current time        : {time.asctime(time.localtime(now()))}",
        f"link up count       : {device['link_ups'] + more}",
        f"link down count     : {device['link_downs'] + more}",
        "link change records :" + ("" if changes else " NA"),
        *(f"    {time.asctime(time.localtime(moment))}    LINK {link.upper()}" for moment, link in changes),
    ]
    call.say("".join(f"[devid {call.phy_id}]{line}\n" for line in lines))


def clear_link_stat(call: Call, values: dict) -> None:
    call.require_root()
    call.change("link_stat", link_changes=[], link_ups=0, link_downs=0)
    call.say(SUCCESS)


def get_speed(call: Call, values: dict) -> None:
    mode = call.state.fault("port-mode", call.phy_id) or call.device
    speed = mode["speed"] if plane.is_up(call.state, call.device) else 0xFFFF
    call.say("Speed: Unknown!\n" if speed == 0xFFFF else f"Speed: {speed} Mb/s\n")


def get_duplex(call: Call, values: dict) -> None:
    mode = call.state.fault("port-mode", call.phy_id) or {"duplex": "Full"}
    call.say(f"Duplex: {mode['duplex'] if plane.is_up(call.state, call.device) else 'Unknown!'}\n")


def get_fec(call: Call, values: dict) -> None:
    """Current tools print no mode for these products, older ones do."""
    fault = call.state.fault("fec", call.phy_id)
    if fault is None:
        fixed_fec(call, values)
    else:
        call.say(f"fec mode: {fault['mode']} FEC mode\n")


def fixed_fec(call: Call, values: dict) -> None:
    call.say("This device does not support switching fec mode.\n")


# --- settings of the device ----------------------------------------------------------------------------------------------


def get_mac(call: Call, values: dict) -> None:
    call.say(f"mac addr: {call.device['mac'].lower()}\n")


def is_unicast_mac(text: str) -> bool:
    octets = text.split(":")
    if [len(octet) for octet in octets] != [2] * 6 or any(digit not in "0123456789abcdef" for octet in octets for digit in octet.lower()):
        return False
    return int(octets[0], 16) & 1 == 0 and any(int(octet, 16) for octet in octets)


def set_mac(call: Call, values: dict) -> None:
    call.require_root()
    if not is_unicast_mac(values["mac"]):
        raise Failure(5, "The mac address you configured is invalid or saved by system")
    call.change("mac", mac=values["mac"])
    call.store("mac_addr", values["mac"])
    call.say(SUCCESS)


def get_mtu(call: Call, values: dict) -> None:
    call.say(f"mtu:{call.device['mtu']}\n")


def set_mtu(call: Call, values: dict) -> None:
    size = number(values["size"])
    if size is None:
        raise invalid_parameters()
    if not 68 <= size <= 9702:
        raise Failure(13, "The value of mtu you input is out of the valid range!", with_help=True)
    if size < 1280:
        call.confirm(
            "[WARNING] The minimum limit of mtu in IPv6 protocol is 1280 bytes. If the mtu is configured to be less than 1280, "
            "it will result in the loss of IPv6 addresses and the inability to use the IPv6 protocol.\n"
            "Are you sure you want to continue?(y/n)\n")
    call.require_root()
    call.change("mtu", mtu=size)
    call.store("mtu", values["size"])
    call.say(SUCCESS)


def get_send_arp(call: Call, values: dict) -> None:
    call.say("The setting of the gratuitous arp:\n"
             f"current enable status: {'enable' if call.device['send_arp'] else 'disable'}\n"
             f"gratuitous arp period: {call.device['send_arp_period']}\n")


def set_send_arp(call: Call, values: dict, name: str, setting: str, highest: int, lowest: int) -> None:
    value = number(values["value"])
    if value is None or not lowest <= value <= highest:
        raise invalid_parameters()
    if call.device["address"] is None:
        raise no_address()
    call.require_root()
    call.change("send_arp", **{setting: value})
    call.store(name, values["value"])
    call.say(SUCCESS)


def set_send_arp_enable(call: Call, values: dict) -> None:
    set_send_arp(call, values, "send_arp_status", "send_arp", 1, 0)


def set_send_arp_period(call: Call, values: dict) -> None:
    set_send_arp(call, values, "send_arp_period", "send_arp_period", 3600, 1)


# --- tls -----------------------------------------------------------------------------------------------------------------


def tls_switch(call: Call) -> int:
    return 1 if call.state.fault("tls-mix", call.phy_id) else call.device["tls"]


EXPIRATION = "\t tls expiration status[{0}](0:normal, 1:near expiration, 2:has expired)\n"


def certificate_end(call: Call, end: str) -> tuple:
    """Until when the certificate holds, and the number that the tool has for that."""
    fault = call.state.fault("certificate", call.phy_id)
    if fault is None:
        return end, 0
    days = fault["days"] or -1
    date = time.asctime(time.gmtime(now() + days * 86400)) + " GMT"
    return date, 2 if days < 0 else int(days <= call.device["tls_alarm"])


def get_tls(call: Call, values: dict) -> None:
    certificate = call.device["certificate"]
    if certificate is None:
        raise no_certificate()
    end, expiration = certificate_end(call, certificate["end"])
    device, switch = f"dev_id:{call.phy_id}", tls_switch(call)
    call.say(f"{device}, tls switch[{switch}](0:disable, 1:enable), tls preconfigured[1](0:non-preset, 1:preset), "
             f"tls alarm time threshold[{call.device['tls_alarm']}]days\n"
             f"{device}, [pub cert] info:\n"
             f"\t subject[{certificate['subject']}]\n"
             f"\t issuer[{certificate['issuer']}]\n"
             f"\t start_time[{certificate['start']}]\n"
             f"\t end_time[{end}]\n")
    # Of an expired certificate the tool speaks on the other stream, and ends with 0 all the same.
    (sys.stderr if expiration == 2 else sys.stdout).write(EXPIRATION.format(expiration))
    # Reading the switch stores it the first time, where it can; a switch that is stuck stays in the file as well.
    try:
        stored = call.stored("tls_enable")
        if stored is None or (call.state.fault("tls-mix", call.phy_id) and stored != "1"):
            call.conf.put(call.key("tls_enable"), str(switch))
    except (ConfMissing, ConfNotWritable):
        pass


def set_tls_enable(call: Call, values: dict) -> None:
    if values["value"] not in ("0", "1"):
        raise Failure(16, "Get invalid enable value!", with_help=True)
    call.require_root()
    if values["value"] == "1":
        if call.device["certificate"] is None:
            raise no_certificate()
        call.say("[Warning] The currently loaded is a preset certificate, which has security risks."
                 "It is recommended to configure a security certificate.\n")
    call.change("tls", tls=int(values["value"]))
    call.store("tls_enable", str(tls_switch(call)))
    call.say(SUCCESS)


def set_tls_alarm(call: Call, values: dict) -> None:
    days = number(values["value"])
    if days is None or days != 0 and not 7 <= days <= 180:
        raise Failure(15, "Get invalid alarm time!", with_help=True)
    call.require_root()
    call.change("tls_alarm", tls_alarm=days)
    call.say(SUCCESS)


def clear_tls(call: Call, values: dict) -> None:
    call.require_root()
    call.change("tls", certificate=None)
    call.discard("tls_enable")
    call.say(SUCCESS)


# --- observations ----------------------------------------------------------------------------------------------------------

_PRIORITIES = [f"mac_{way}_pfc_{name}" for way in ("tx", "rx") for name in ("pkt_num", *(f"pri{number}_pkt_num" for number in range(8)))]
STAT_COUNTERS = (
    "mac_tx_mac_pause_num", "mac_rx_mac_pause_num", *_PRIORITIES,
    "mac_tx_total_pkt_num", "mac_tx_total_oct_num", "mac_tx_bad_pkt_num", "mac_tx_bad_oct_num",
    "mac_rx_total_pkt_num", "mac_rx_total_oct_num", "mac_rx_bad_pkt_num", "mac_rx_bad_oct_num", "mac_rx_fcs_err_pkt_num",
    "roce_rx_rc_pkt_num", "roce_rx_all_pkt_num", "roce_rx_err_pkt_num", "roce_tx_rc_pkt_num", "roce_tx_all_pkt_num", "roce_tx_err_pkt_num",
    "roce_cqe_num", "roce_rx_cnp_pkt_num", "roce_tx_cnp_pkt_num", "roce_unexpected_ack_num", "roce_out_of_order_num",
    "roce_verification_err_num", "roce_qp_status_err_num", "roce_new_pkt_rty_num", "roce_ecn_db_num",
    "nic_tx_all_pkg_num", "nic_tx_all_oct_num", "nic_rx_all_pkg_num", "nic_rx_all_oct_num",
)


def get_stat(call: Call, values: dict) -> None:
    counters = call.device["stat"]
    call.say("packet statistics:\n" + "".join(f"{name}:{counters.get(name, 0)}\n" for name in STAT_COUNTERS))


def clear_stat(call: Call, values: dict) -> None:
    call.require_root()
    call.change("stat", stat={})
    call.say(SUCCESS)


def _lanes(name: str, value: str) -> list:
    return [(f"{name}{lane}", value) for lane in range(4)]


def optical_fields(call: Call) -> list:
    """Name and value of each line; without a module the tool knows neither lanes nor values."""
    fault = call.state.fault("optics", call.phy_id)
    kind = fault["kind"] if fault else None
    if not call.device["optical_present"] or kind == "absent":
        return [
            ("present", "not present"), ("temperature", "NA"), ("high power enable reg", "not enabled"),
            ("vendor name", ""), ("vendor part number", ""), ("vendor serial number", ""), ("vendor org unique id", "0x0 0x0 0x0"),
            ("xsfp identifier", "UNKNOWN"), ("xsfp wave length", "0 nm"), ("manufact date code", ""),
            *((name, "NA") for name in ("Vcc", "Tx Power", "Rx Power", "Vcc High Thres", "Vcc Low Thres", "Temp High Thres", "Temp Low Thres",
                                        "TxPower High Thres", "TxPower Low Thres", "RxPower High Thres", "RxPower Low Thres")),
        ]
    light = plane.is_up(call.state, call.device) and kind != "los"
    received = [f"1.0{lane}89 mW" if light else "0.0001 mW" for lane in range(4)]
    if kind == "low-rx":
        # The lane of a captured module.
        received[1] = "0.0054 mW"
    powers = [field for lane in range(4) for field in ((f"Tx Power{lane}", f"1.{4 + lane}120 mW"), (f"Rx Power{lane}", received[lane]))]
    lost = "0x0" if light else "0xff"
    return [
        ("present", "present"), ("temperature", f"{75 if kind == 'hot' else 40 + call.phy_id} C"), ("high power enable reg", "enabled"),
        ("vendor name", "npusim"), ("vendor part number", "SIM-200G-SR4"), ("vendor serial number", f"S{call.device['serial']}{call.phy_id:02d}"),
        ("vendor org unique id", "0xac 0x4a 0x0"), ("xsfp identifier", "QSFP+ or later"), ("xsfp wave length", "850 nm"),
        ("manufact date code", "2026.1.15"), ("Vcc", "3262.90 mV"), *powers,
        ("Vcc High Thres", "3465.00 mV"), ("Vcc Low Thres", "3135.00 mV"), ("Temp High Thres", "70 C"), ("Temp Low Thres", "0 C"),
        ("TxPower High Thres", "3.5481 mW"), ("TxPower Low Thres", "0.2818 mW"),
        ("RxPower High Thres", "3.5481 mW"), ("RxPower Low Thres", "0.1445 mW"),
        *_lanes("Tx Bias", "7.9360 mA"), ("Tx Los Flag", "0x0"), ("Rx Los Flag", lost), ("Tx LoL Flag", "0x0"), ("Rx LoL Flag", lost),
        *_lanes("Host SNR Lane", "not supported"), *_lanes("Media SNR Lane", "22.6289 dB" if light else "NA"),
    ]


def get_optical(call: Call, values: dict) -> None:
    call.say("optical info:\n" + "".join(f"{name:<21}: {value}\n" for name, value in optical_fields(call)))


def get_version(call: Call, values: dict) -> None:
    call.say(f"Network Driver Version:    {call.state.data['network_driver']}\n"
             f"Network Firmware Version:  {call.state.data['network_firmware']}\n")


def get_process(call: Call, values: dict) -> None:
    call.say("device hccp process: exist\n")


def get_bandwidth(call: Call, values: dict) -> None:
    milliseconds = number(values.get("time", "1000"))
    if milliseconds is None or not 100 <= milliseconds <= 10000:
        raise invalid_parameters()
    call.say("Bandwidth TX:     0.00 MB/sec\nBandwidth RX:     0.00 MB/sec\n")


# --- recovery --------------------------------------------------------------------------------------------------------------


def recover(call: Call) -> bool:
    """Give the device what the file says, as at driver load; False when a part of it failed. The rest is applied all the same."""
    call.conf.text()
    if call.uid != 0:
        return False
    try:
        call.conf.require_writable()
        failures = [setting for setting, restore in RECOVERY if not restore(call)]
    except ConfNotWritable:
        failures = ["write permission"]
    call.device["config_status"] = "FAIL" if failures else "SUCCESS"
    if failures:
        call.log(f"recovery failed: {', '.join(failures)}")
    return not failures


def recover_ipv4(call: Call) -> bool:
    address, netmask = call.stored("address"), call.stored("netmask")
    if address is not None and netmask is not None:
        if plane.to_int(address) is None or plane.prefix_length(netmask) is None:
            return False
        call.device.update(address=address, netmask=netmask, gateway=None)
    for name in ("gateway", "netdetect"):
        value = call.stored(name)
        if value is not None:
            if plane.to_int(value) is None:
                return False
            call.device[name] = value
            if name == "netdetect":
                call.device["netdetect_since"] = now()
    return True


def recover_ipv6(call: Call) -> bool:
    address, length = call.stored("IPv6address"), call.stored("IPv6netmask")
    if address is not None and length is not None:
        if packed_ipv6(address) is None or number(length) is None:
            return False
        call.device.update(ipv6_address=address, ipv6_prefix=int(length))
    for name, field in (("IPv6gateway", "ipv6_gateway"), ("IPv6netdetect", "ipv6_netdetect")):
        value = call.stored(name)
        if value is not None:
            if packed_ipv6(value) is None:
                return False
            call.device[field] = value
    return True


def recover_mac(call: Call) -> bool:
    mac = call.stored("mac_addr")
    if mac is None:
        return True
    if not is_unicast_mac(mac):
        return False
    call.device["mac"] = mac
    return True


def _recover_number(call: Call, name: str, field: str, lowest: int, highest: int) -> bool:
    text = call.stored(name)
    if text is None:
        return True
    value = number(text)
    if value is None or not lowest <= value <= highest:
        return False
    call.device[field] = value
    return True


def restore_send_arp(call: Call) -> bool:
    """The tool writes these lines again whenever it applies them, so they move to the end of the file."""
    for name, field, lowest, highest in (("send_arp_period", "send_arp_period", 1, 3600), ("send_arp_status", "send_arp", 0, 1)):
        if not _recover_number(call, name, field, lowest, highest):
            return False
        value = call.stored(name)
        if value is not None:
            call.conf.put(call.key(name), value)
    return True


def recover_certificates(call: Call) -> bool:
    """On a physical host the first recovery loads the CA certificates of the driver package, and notes it in the file."""
    if not call.state.data["physical_host"] or call.stored("tls_ca_recovered") is not None:
        return True
    try:
        with open(root(INSTALL_INFO), encoding="utf-8") as stream:
            found = any(line.startswith("Driver_Install_Path_Param=") for line in stream)
    except FileNotFoundError:
        found = False
    if found:
        call.conf.put(call.key("tls_ca_recovered"), "1")
    return found


RECOVERY = (
    ("address", recover_ipv4),
    ("IPv6 address", recover_ipv6),
    ("mac_addr", recover_mac),
    ("mtu", lambda call: _recover_number(call, "mtu", "mtu", 68, 9702)),
    ("tls_enable", lambda call: _recover_number(call, "tls_enable", "tls", 0, 1)),
    ("down_fault_time", lambda call: _recover_number(call, "down_fault_time", "down_fault_time", 0, 3)),
    ("certificates", recover_certificates),
    ("send_arp", restore_send_arp),
)
RECOVERY_FAILED = f"Recovery failed. Check '{LOG_FILE}' for details.\n"


def recover_one(call: Call, values: dict) -> None:
    try:
        recovered = recover(call)
    except ConfMissing:
        call.say(RECOVERY_FAILED)
        raise
    if not recovered:
        call.say(RECOVERY_FAILED)
        raise Failure(1, "Cmd execute failed!")
    call.say(SUCCESS)


def recover_all(state: State, uid: int) -> None:
    recovered_all = True
    for device in state.devices:
        phy_id = device["phy_id"]
        try:
            recovered = recover(Call(state, phy_id, uid))
        except Failure:
            recovered = False
        except ConfMissing:
            sys.stdout.write(RECOVERY_FAILED)
            raise
        if recovered:
            sys.stdout.write(f"dev:{phy_id} recovery success\n")
        else:
            sys.stderr.write(f"dev:{phy_id} recovery fail\n")
            recovered_all = False
    if not recovered_all:
        sys.stdout.write(RECOVERY_FAILED)
        raise execution_failed()
    sys.stdout.write(SUCCESS)


def get_cfg_status(call: Call, values: dict) -> None:
    call.say(f"config status:{call.device['config_status']}\n")


# --- the grammar -------------------------------------------------------------------------------------------------------------


class Action:
    """One form of a command: its handler, and the words behind the verb.

    `names` and `optional` are name/value pairs in any order; `bare` is one value without a name, handed over as `value`.
    """

    def __init__(self, handler, *names: str, optional: tuple = (), bare: bool = False, changes: bool = False) -> None:
        self.handler = handler
        self.names = names
        self.optional = optional
        self.bare = bare
        self.changes = changes

    def values(self, words: list) -> dict:
        if self.bare:
            if len(words) != 1:
                raise wrong_count()
            return {"value": words[0]}
        least, most = 2 * len(self.names), 2 * len(self.names + self.optional)
        if len(words) % 2 or not least <= len(words) <= most:
            raise wrong_count()
        values = dict(zip(words[::2], words[1::2]))
        if not set(self.names) <= set(values) <= set(self.names + self.optional) or 2 * len(values) != len(words):
            raise unknown_option()
        return values


def setter(handler, *names: str, bare: bool = False) -> Action:
    return Action(handler, *names, bare=bare, changes=True)


# For each command the verbs (one or more words) and what they do.
COMMANDS = {
    "-ip": {
        ("-g",): Action(get_ip),
        ("-s",): setter(set_ip, "address", "netmask"),
        ("-inet6", "-g"): Action(get_ip6),
        ("-inet6", "-s"): setter(set_ip6, "ipv6_address", "prefix_length"),
    },
    "-gateway": {
        ("-g",): Action(get_gateway),
        ("-s",): setter(set_gateway, "gateway"),
        ("-inet6", "-g"): Action(get_gateway6),
        ("-inet6", "-s"): setter(set_gateway6, "ipv6_gateway"),
    },
    "-netdetect": {
        ("-g",): Action(get_netdetect),
        ("-s",): setter(set_netdetect, "address"),
        ("-inet6", "-g"): Action(get_netdetect6),
        ("-inet6", "-s"): setter(set_netdetect6, "ipv6_address"),
    },
    "-tls": {
        ("-g",): Action(get_tls),
        ("-s", "enable"): setter(set_tls_enable, bare=True),
        ("-s", "alarm"): setter(set_tls_alarm, bare=True),
        ("-c",): setter(clear_tls),
    },
    "-mtu": {("-g",): Action(get_mtu), ("-s",): setter(set_mtu, "size")},
    "-mac": {("-g",): Action(get_mac), ("-s",): setter(set_mac, "mac")},
    "-link": {
        ("-g",): Action(get_link),
        ("-g", "down_fault_time"): Action(get_down_fault_time),
        ("-s", "up"): setter(set_link_up),
        ("-s", "down"): setter(set_link_down),
        ("-s", "down_fault_time"): setter(set_down_fault_time, bare=True),
    },
    "-link_stat": {("-g",): Action(get_link_stat), ("-c",): setter(clear_link_stat)},
    "-net_health": {("-g",): Action(get_net_health)},
    "-ping": {("-g",): Action(get_ping, "address", optional=("pkt",))},
    "-hccs_ping": {("-g",): Action(get_hccs_ping, "address", optional=("pkt", "cnt"))},
    "-lldp": {("-g",): Action(get_lldp)},
    "-speed": {("-g",): Action(get_speed)},
    "-duplex": {("-g",): Action(get_duplex)},
    "-fec": {("-g",): Action(get_fec), ("-s",): Action(fixed_fec, "mode")},
    "-optical": {("-g",): Action(get_optical)},
    "-stat": {("-g",): Action(get_stat), ("-c",): setter(clear_stat)},
    "-send_arp": {
        ("-g",): Action(get_send_arp),
        ("-s", "enable"): setter(set_send_arp_enable, bare=True),
        ("-s", "period"): setter(set_send_arp_period, bare=True),
    },
    "-vnic": {("-g",): Action(get_vnic)},
    "-process": {("-g",): Action(get_process)},
    "-bandwidth": {("-g",): Action(get_bandwidth, optional=("time",))},
    "-version": {("-g",): Action(get_version)},
    "-cfg": {("recovery",): setter(recover_one), ("status",): Action(get_cfg_status)},
}
# Commands that count their words before they look at the verb, and the least they want behind the command.
LEAST_WORDS = {"-ping": 3}


def parse(command: str, words: list) -> tuple:
    """The action that the words after the command ask for, and its values."""
    actions = COMMANDS[command]
    if len(words) < LEAST_WORDS.get(command, 1):
        raise wrong_count()
    for length in (2, 1):
        action = actions.get(tuple(words[:length]))
        if action and len(words) >= length:
            if command == "-tls" and words[0] == "-g" and len(words) > 1:
                raise unknown_option()
            return action, action.values(words[length:])
    if any(verb[:len(words)] == tuple(words) for verb in actions):
        raise wrong_count()
    raise unknown_option()
