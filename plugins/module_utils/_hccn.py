# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hccn_tool of Atlas A2 and A3 prints, as values; what it refuses, as errors with a remedy. No input or output here.

Texts and exit codes are those of the published tool source (hicann/driver) and of captures from older drivers.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCliError

CONF_PATH = "/etc/hccn.conf"
SEARCH_PATHS = ("/usr/local/Ascend/driver/tools", "/usr/bin", "/usr/local/bin")


class HccnError(VendorCliError):
    """A refusal of hccn_tool (``kind`` says which), or output that cannot be read (``kind`` is ``unparsable``)."""

    def __init__(self, message: str, *, kind: str = "unparsable", reason: str = "unparsable", **details: t.Any) -> None:
        super().__init__(message, reason=reason, **details)
        self.kind = kind


_NOT_WRITTEN = (
    f"{CONF_PATH} is not writable (read-only mount, immutable, or not root), so a reboot forgets the setting; the device itself may already have it."
)

_UNREACHABLE = (
    "The device knows no way to this address: look at address, netmask and gateway of both sides (hccn_tool -i N -ip -g, -gateway -g), and at the link."
)

# kind, text on either stream, remedy. The exit code is only its low byte and means several things (4 is a wrong argument
# count, a bad device id, a read-only file or a lost device), so the text decides. More special texts come first.
_REFUSALS: tuple[tuple[str, str, str], ...] = (
    ("busy", "hccn_tool is busy", "Another hccn_tool uses the device channel: let it end, then run again."),
    ("busy", "get lock failed", "Another hccn_tool holds the lock: let it end, then run again."),
    ("busy", "i2c is busy", "The optical module is being read by another process: run again."),
    ("busy", "the device is occupied", "The device is occupied by another process: run again later."),
    ("unsupported", "not supported on this product", "This product has no such command: do not ask for it here."),
    ("unsupported", "vm does not support this command", "Run it on the physical host: the command is not available inside a VM."),
    ("unsupported", "command is not supported on this optical media", "The optical module or cable gives no such data: do not ask for it here."),
    ("unsupported", "command unsupported on this optical module", "The optical module gives no such data: do not ask for it here."),
    ("unsupported", "cdr do not support this command", "This board gives no such data: do not ask for it here."),
    ("unsupported", "this device does not support", "This device has no such function: do not ask for it here."),
    (
        "no_device",
        "the device is not exist",
        "The card has dropped off or its driver has lost it: look at npu-smi info and lspci; reset the card or reboot the host.",
    ),
    ("no_device", "get device health status failed", "The driver cannot reach the device: look at npu-smi info; reset the card or reboot the host."),
    ("no_device", "get invalid device id", "This host has no device of that physical id: compare with /dev/davinciN and npu-smi info -m."),
    ("no_device", "control link unreachable", "The other die of this package is lost: look at npu-smi info; reset the card or reboot the host."),
    ("permission", "permission denied", "Run it as root (become: true), in a container only in a privileged one."),
    ("permission", "pls check the conf path or cmd run permission", "Run it as root (become: true)."),
    (
        "conf_missing",
        "the hccn.conf can't access",
        f"{CONF_PATH} is missing or cannot be opened: create it (touch, mode 0644, root) or mount it; the tool never does.",
    ),
    ("conf_readonly", "configurations to config file failed", _NOT_WRITTEN),
    ("conf_readonly", "configurations from config file failed", _NOT_WRITTEN),
    ("conf_readonly", "read file failed", f"{CONF_PATH} cannot be opened for writing: run as root and look for a read-only mount; the device is unchanged."),
    (
        "conflict",
        "ip address configured is conflicted",
        "Another device of this host has the address, or it lies in a segment that the tool keeps for its virtual interfaces "
        "(192.168.1.0/24 and 192.168.2.0/24; 192.168.0.0/21 on A3, 192.0.0.0/8 in an A3 super node): choose another one.",
    ),
    ("invalid", "ip address you configured is invalid", "Give dotted IPv4 addresses and a contiguous netmask."),
    ("invalid", "inconsistent address and mask", "Give an address that fits the mask."),
    ("invalid", "can not config broadcast address", "Give the address of a single host."),
    ("invalid", "out of the valid range", "Give a value inside the range that hccn_tool names."),
    ("segment", "segment of configured gateway doesn't match", "Give a gateway inside the segment of the device address."),
    ("no_address", "because ip is not configured", "Set the address of the device before its gateway."),
    ("no_certificate", "no certificate found", "Install TLS certificates on the device first (hccn_tool -tls -s path), or leave TLS off."),
    ("optical_absent", "optical module is not present", "Plug the optical module in."),
    ("optical_init", "optical module initializing", "The optical module is starting: run again in a minute."),
    ("link_down", "link status is down", "Bring the link up first: look at cable, optical module and switch port."),
    ("aborted", "user aborts command", "The question of the tool was not answered with y."),
    ("tool_timeout", "the cmd line execute timeout", "The device did not answer in time: look at dmesg and npu-smi info."),
    (
        "usage",
        "get unknown option",
        "The tool does not know this command line: it is older, or one for another generation than A2 and A3 (see hccn_tool -h).",
    ),
    ("usage", "get invalid major cmd", "The tool does not know this command line: it is for another generation than A2 and A3 (see hccn_tool -h)."),
    ("usage", "total count of input parameters is wrong", "The tool expects other arguments: it is older or newer than known (see hccn_tool -h)."),
    ("usage", "get invalid parameters", "The tool does not take this value (see hccn_tool -h)."),
    (
        "library",
        "error while loading shared libraries",
        "The driver's libraries are not found: repair the driver installation; in a container mount them too.",
    ),
    *(("unreachable", text, _UNREACHABLE) for text in ("host unreachable", "net unreachable", "network is unreachable", "no route to host")),
    ("too_long", "message too long", "The packet does not fit: ping with a smaller size, or raise the MTU of the devices and of the switch ports between."),
    ("device", "execute failed", "The device or its driver refused: look at /var/log/hccn_tool/, dmesg and npu-smi info."),
)


def failure(reply: Reply) -> HccnError:
    """Say why a call with a non-zero exit code failed."""
    text = reply.text.lower()
    kind, pattern, remedy = next((refusal for refusal in _REFUSALS if refusal[1] in text), ("unknown", "", "See /var/log/hccn_tool/ and dmesg on the host."))
    if reply.rc == 234 and not text:
        kind, remedy = "permission", "The calling uid has no passwd entry, so the tool prints nothing: run it as root or add the user."
    # Not the driver's own log lines before the error, nor the help after it.
    said = next((line for line in reply.text.splitlines() if pattern and pattern in line.lower()), reply.stderr if reply.stderr.strip() else reply.stdout)
    return HccnError(
        f"{_command(reply)}: {_shown(said)} (exit code {reply.rc}). {remedy}",
        kind=kind,
        reason="failed",
        argv=reply.argv,
        rc=reply.rc,
        stdout=reply.stdout,
        stderr=reply.stderr,
    )


def is_busy(reply: Reply) -> bool:
    return reply.rc != 0 and failure(reply).kind == "busy"


def _command(reply: Reply) -> str:
    return " ".join(("hccn_tool", *reply.argv[1:]))


def _shown(text: str, limit: int = 200) -> str:
    flat = " ".join(text.split())
    if not flat:
        return "nothing was printed"
    flat = "".join(char if char.isprintable() else "\ufffd" for char in flat)
    return flat if len(flat) <= limit else f"{flat[:limit]}..."


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n")]


def _only(text: str, pattern: str, what: str) -> re.Match[str]:
    """The one line with this form. Lines of the driver's own logging may stand around it."""
    expression = re.compile(pattern, re.IGNORECASE)
    found = [match for match in map(expression.fullmatch, _lines(text)) if match]
    if not found:
        raise HccnError(f"{what} expected, found: {_shown(text)}")
    if len({match.groups() for match in found}) > 1:
        raise HccnError(f"{what} is given several times with different values: {_shown(text)}")
    return found[0]


def _ipv4(value: str, what: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise HccnError(f"{what}: {_shown(value)} is not an IPv4 address") from None


# ---------------------------------------------------------------------------------------------------------------------
# What the get commands print


def parse_address(text: str) -> dict[str, t.Any]:
    """``-ip -g``"""
    address = _only(text, r"ipaddr\s*:\s*(\S+)", "ipaddr:ADDRESS").group(1)
    netmask = _only(text, r"netmask\s*:\s*(\S+)", "netmask:MASK").group(1)
    return {"address": _ipv4(address, "ipaddr"), "netmask": _ipv4(netmask, "netmask")}


def parse_address6(text: str) -> dict[str, t.Any]:
    """``-ip -inet6 -g``"""
    address = _only(text, r"ipv6_address\s*:\s*(\S+)", "ipv6_address:ADDRESS").group(1)
    prefix = _only(text, r"prefix_length\s*:\s*([0-9]{1,3})", "prefix_length:LENGTH").group(1)
    try:
        return {"ipv6_address": str(ipaddress.IPv6Address(address)), "ipv6_prefix_length": int(prefix)}
    except ValueError:
        raise HccnError(f"ipv6_address: {_shown(address)} is not an IPv6 address") from None


def parse_gateway(text: str) -> dict[str, t.Any]:
    """``-gateway -g``"""
    gateway = _only(text, r"default gateway\s*:\s*([^\s,]+)(?:\s*,\s*Iface\s*:.*)?", "default gateway:ADDRESS, Iface:ethN").group(1)
    return {"gateway": _ipv4(gateway, "default gateway")}


def parse_netdetect(text: str) -> dict[str, t.Any]:
    """``-netdetect -g``; older tools print ``address:``, newer ones ``addr:``."""
    address = _ipv4(_only(text, r"netdetect addr(?:ess)?\s*:\s*(\S+)", "netdetect addr: ADDRESS").group(1), "netdetect addr")
    return {"netdetect": None if address == "0.0.0.0" else address}


def parse_tls(text: str, stderr: str = "") -> dict[str, t.Any]:
    """``-tls -g``: the switch line, then one block per certificate. The state of an expired certificate goes to stderr."""
    switch = _only(text, r".*\btls switch\s*\[\s*([01])\s*\].*", "tls switch[0|1]").group(1)
    preset = re.search(r"tls preconfigured\s*\[\s*([01])\s*\]", text)
    alarm = re.search(r"alarm time threshold\s*\[\s*([0-9]{1,9})\s*\]", text)
    certificates: list[dict[str, t.Any]] = []
    for line in _lines(text):
        block = re.fullmatch(r"(?:(?:dev_id\s*:|device)\s*[0-9]+\s*,\s*)?\[([^\]]+)\]\s*info\s*:", line)
        if block:
            certificates.append({"name": block.group(1), "subject": None, "issuer": None, "start_time": None, "end_time": None, "state": None})
        elif certificates:
            value = re.fullmatch(r"(subject|issuer|start_time|end_time)\s*\[(.*)\]", line)
            if value:
                certificates[-1][value.group(1)] = value.group(2)
            elif _certificate_state(line):
                certificates[-1]["state"] = _certificate_state(line)
    silent = [certificate for certificate in certificates if certificate["state"] is None]
    for certificate, state in zip(silent, filter(None, map(_certificate_state, _lines(stderr)))):
        certificate["state"] = state
    return {
        "tls_enabled": switch == "1",
        "tls": {
            "preset": preset.group(1) == "1" if preset else None,
            "alarm_days": int(alarm.group(1)) if alarm else None,
            "certificates": certificates,
        },
    }


def _certificate_state(line: str) -> str | None:
    found = re.match(r"tls expiration status\s*\[\s*([012])\s*\]", line)
    return ("normal", "near_expiration", "expired")[int(found.group(1))] if found else None


def parse_mtu(text: str) -> dict[str, t.Any]:
    return {"mtu": int(_only(text, r"mtu\s*:\s*([0-9]{1,6})", "mtu:BYTES").group(1))}


def parse_link(text: str) -> dict[str, t.Any]:
    return {"link": _only(text, r"link status\s*:\s*(UP|DOWN)", "link status: UP or DOWN").group(1).lower()}


_NET_HEALTH = {
    "success",
    "socket_fail",
    "receive_timeout",
    "unreachable",
    "time_exceeded",
    "fault",
    "init",
    "thread_error",
    "detect_ip_set",
    "unknown",
}


def parse_net_health(text: str) -> dict[str, t.Any]:
    said = _only(text, r"net health status\s*:\s*(\S.*)", "net health status: WORD").group(1)
    word = "_".join(said.lower().split())
    word = {"socket_failed": "socket_fail"}.get(word, word)
    if word not in _NET_HEALTH:
        raise HccnError(f"net health status: {_shown(said)} is not a known state")
    return {"net_health": word}


def parse_lldp(text: str) -> dict[str, t.Any]:
    """``-lldp -g``: titles end with ``TLV``, what follows belongs to them, also unindented (descriptions of several lines).

    ``-lldp -g | grep Ifname`` is understood too. The tool prints the device's text as it is, so nothing printed is no neighbour.
    """
    if not text.strip():
        return {"lldp": None}
    tlvs: dict[str, list[str]] = {}
    title = None
    loose = []
    for line in _lines(text):
        heading = re.fullmatch(r"(\S.*?)\s+TLV", line)
        if heading:
            title = heading.group(1)
            if title != "End of LLDPDU":
                tlvs.setdefault(title, [])
        elif title in tlvs:
            tlvs[t.cast(str, title)].append(line)
        else:
            loose.append(line)
    if not tlvs:
        port = re.search(r"^Ifname:\s*(\S.*)$", "\n".join(loose), re.MULTILINE)
        if not port:
            raise HccnError(f"a listing of LLDP TLVs expected, found: {_shown(text)}")
        tlvs["Port ID"] = [port.group(0)]
    values = {name: "\n".join(lines).strip() for name, lines in tlvs.items()}
    chassis, port_id = (_typed(values.get(name)) for name in ("Chassis ID", "Port ID"))
    return {
        "lldp": {
            "chassis_id_type": chassis[0],
            "chassis_id": chassis[1],
            "port_id_type": port_id[0],
            "port_id": port_id[1],
            "system_name": values.get("System Name") or None,
            "tlvs": values,
        }
    }


def _typed(value: str | None) -> tuple[str | None, str | None]:
    """Split ``Ifname: 400GE1/1/5:1`` into its type and its value."""
    if not value:
        return None, None
    found = re.match(r"([A-Za-z][\w .-]*):\s+(.*)", value)
    return (found.group(1), found.group(2)) if found else (None, value)


def parse_mac(text: str) -> dict[str, t.Any]:
    return {"mac": _only(text, r"mac addr\s*:\s*((?:[0-9a-f]{2}:){5}[0-9a-f]{2})", "mac addr: xx:xx:xx:xx:xx:xx").group(1).lower()}


def parse_speed(text: str) -> dict[str, t.Any]:
    """``-speed -g``; a negative number or ``Unknown!`` is no speed."""
    speed = _only(text, r"Speed\s*:\s*(?:(-?[0-9]{1,9})\s*Mb/s|Unknown!?)", "Speed: N Mb/s").group(1)
    return {"speed_mbps": int(speed) if speed is not None and not speed.startswith("-") else None}


def parse_duplex(text: str) -> dict[str, t.Any]:
    word = _only(text, r"Duplex\s*:\s*(Full|Half|Unknown)!?", "Duplex: Full, Half or Unknown!").group(1).lower()
    return {"duplex": None if word == "unknown" else word}


# Name of an optical reading, its unit as printed, suffix of the key. The unit is part of the key, so that a missing reading keeps its key.
_OPTICAL_UNITS = (
    (re.compile(r"temp"), "C", "c"),
    (re.compile(r"vcc"), "mV", "mv"),
    (re.compile(r"[tr]x ?power"), "mW", "mw"),
    (re.compile(r"bias"), "mA", "ma"),
    (re.compile(r"snr"), "dB", "db"),
    (re.compile(r"wave length"), "nm", "nm"),
)
_NOTHING = ("", "na", "n/a", "not support", "not supported", "get failed", "unknown")


def parse_optical(text: str) -> dict[str, t.Any]:
    """``-optical -g``: numbers where the unit is the known one, ``None`` where nothing is measured, other text as printed."""
    lines = _lines(text)
    start = next((n for n, line in enumerate(lines) if re.fullmatch(r"optical info\s*:|present\s*:.*", line, re.IGNORECASE)), None)
    if start is None:
        raise HccnError(f"optical info: expected, found: {_shown(text)}")
    values: dict[str, t.Any] = {}
    for line in lines[start:]:
        name, colon, said = (part.strip() for part in line.partition(":"))
        if not name or not colon or name.lower() == "optical info":
            continue
        key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        if key == "present":
            values[key] = {"present": True, "not present": False}.get(said.lower())
            continue
        unit, suffix = next(((unit, suffix) for pattern, unit, suffix in _OPTICAL_UNITS if pattern.search(name.lower())), (None, None))
        number = re.fullmatch(rf"(-?[0-9]+(?:\.[0-9]+)?)\s*{unit}", said) if unit else None
        if number:
            values[f"{key}_{suffix}"] = float(number.group(1)) if "." in number.group(1) else int(number.group(1))
        elif said.lower() in _NOTHING:
            values[f"{key}_{suffix}" if suffix else key] = None
        elif key:
            values[key] = said
    if "present" not in values:
        raise HccnError(f"optical info: present or not present expected, found: {_shown(text)}")
    return {"optical": values}


def parse_stat(text: str) -> dict[str, t.Any]:
    found = (re.fullmatch(r"([A-Za-z]\w*)\s*:\s*([0-9]{1,20})", line, re.ASCII) for line in _lines(text))
    counters = {match.group(1): int(match.group(2)) for match in found if match}
    if not counters:
        raise HccnError(f"packet statistics (NAME:NUMBER) expected, found: {_shown(text)}")
    return {"stat": counters}


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Not strptime: its names of days and months follow the locale of the process.
_ASCTIME = r"[A-Za-z]{3}\s+([A-Za-z]{3})\s+([0-9]{1,2})\s+([0-9]{2}:[0-9]{2}:[0-9]{2})\s+([0-9]{4})"


def _iso_time(match: re.Match[str]) -> str | None:
    month, day, clock, year = match.groups()[:4]
    try:
        date = datetime.date(int(year), _MONTHS.index(month.lower()) + 1, int(day))
    except ValueError:
        return None
    return f"{date.isoformat()}T{clock}"


def parse_link_stat(text: str) -> dict[str, t.Any]:
    """``-link_stat -g``: newest record first, times are local time of the host. Older tools print ``[device N]`` and no down count."""
    body = "\n".join(re.sub(r"^\[dev(?:id|ice)\s*[0-9]+\]\s*", "", line) for line in _lines(text))
    up = _only(body, r"link up count\s*:\s*([0-9]{1,9})", "link up count").group(1)
    down = re.search(r"^link down count\s*:\s*([0-9]{1,9})$", body, re.MULTILINE)
    now = re.search(rf"^current time\s*:\s*{_ASCTIME}$", body, re.MULTILINE)
    records = []
    for match in re.finditer(rf"^{_ASCTIME}\s+LINK\s+(UP|DOWN)$", body, re.MULTILINE):
        records.append({"time": _iso_time(match), "link": match.group(5).lower()})
    return {
        "link_stat": {
            "current_time": _iso_time(now) if now else None,
            "link_up_count": int(up),
            "link_down_count": int(down.group(1)) if down else None,
            "records": records,
        }
    }


def parse_version(text: str) -> dict[str, t.Any]:
    driver = _only(text, r"Network Driver Version\s*:\s*(\S+)", "Network Driver Version: N").group(1)
    firmware = _only(text, r"Network Firmware Version\s*:\s*(\S+)", "Network Firmware Version: N").group(1)
    return {"version": {"driver": driver, "firmware": firmware}}


def parse_vnic(text: str) -> dict[str, t.Any]:
    link = _only(text, r"vnic link status\s*:\s*(UP|DOWN)", "vnic link status: UP or DOWN").group(1).lower()
    address = _only(text, r"vnic ipaddr\s*:\s*(\S+)", "vnic ipaddr: ADDRESS").group(1)
    netmask = _only(text, r"vnic netmask\s*:\s*(\S+)", "vnic netmask: MASK").group(1)
    return {"vnic": {"link": link, "address": _ipv4(address, "vnic ipaddr"), "netmask": _ipv4(netmask, "vnic netmask")}}


def parse_process(text: str) -> dict[str, t.Any]:
    word = _only(text, r"device hccp process\s*:\s*(exist|not exist)", "device hccp process: exist or not exist").group(1)
    return {"hccp_process": word.lower() == "exist"}


def parse_fec(text: str) -> dict[str, t.Any]:
    """``-fec -g``; A2 and A3 answer that the mode cannot be switched, with exit code 0."""
    if "does not support switching fec mode" in text.lower():
        return {"fec": None}
    return {"fec": _only(text, r"fec mode\s*:\s*(rs|no|auto)\s+FEC mode", "fec mode: rs, no or auto FEC mode").group(1).lower()}


def parse_udp(text: str) -> dict[str, t.Any]:
    lines = _lines(text)
    if not any(line.lower().startswith("unknown udp port") for line in lines):
        port = _only(text, r"udp_port\s*:\s*([0-9]{1,5}|Unknown)", "udp_port:PORT").group(1)
        mode = _only(text, r"status\s*:\s*(\S+)", "status:MODE").group(1)
    else:
        port, mode = "unknown", None
    # The columns of this table are not documented: its lines are those with two addresses.
    pairs = [line for line in lines if len(re.findall(r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b", line)) >= 2]
    return {"udp": {"port": int(port) if port.isdigit() else None, "mode": mode, "pairs": pairs}}


def parse_config_status(text: str) -> dict[str, t.Any]:
    """``-cfg status``: how the re-application of hccn.conf went."""
    return {"config_status": _only(text, r"config status\s*:\s*(NONE|START|FAIL|SUCCESS|FAULT)", "config status:WORD").group(1).lower()}


def parse_recovery(text: str) -> dict[int, bool]:
    """``-a -cfg recovery``, both streams together: successes go to stdout, failures to stderr."""
    found = (re.fullmatch(r"dev\s*:\s*([0-9]{1,2})\s+recovery\s+(success|fail)", line, re.IGNORECASE) for line in _lines(text))
    return {int(match.group(1)): match.group(2).lower() == "success" for match in found if match}


@dataclass(frozen=True)
class Ping:
    """One ``-ping -g`` or ``-hccs_ping -g``: round trip times by sequence number, ``None`` for a packet without an answer."""

    device: int
    target: str
    times_ms: dict[int, float | None]
    transmitted: int
    received: int
    loss_percent: float
    # What came back instead of an answer.
    said: str | None = None


_PING_UNREACHABLE = re.compile(r"\b(?:host|net) unreachable|network is unreachable|no route to host", re.IGNORECASE)


def parse_ping(text: str) -> Ping:
    """What ``-ping -g`` (exit code 1 when a packet was lost) or ``-hccs_ping -g`` (exit code 0 all the same) printed.

    A packet whose target cannot be reached is lost. The tool may then leave out its last line.
    """
    head = _only(text, r"device\s+([0-9]{1,2})\s+PING\s+(\S+)", "device N PING ADDRESS")
    unreachable = [line for line in _lines(text) if _PING_UNREACHABLE.search(line)]
    times: dict[int, float | None] = {}
    answered = True
    for line in _lines(text):
        if line.lower().startswith("this pkt "):
            # -hccs_ping says before each line how the packet fared, and prints a time for a lost one too.
            answered = line.lower().startswith("this pkt ping success")
            continue
        came = re.fullmatch(r"recv seq\s*=?\s*([0-9]{1,6})\s*,\s*time\s*=\s*([0-9]+(?:\.[0-9]+)?)\s*(ms|us)(?:\s*,.*)?", line)
        lost = re.fullmatch(r"recv time ?out,? seq\s*=\s*([0-9]{1,6}).*", line)
        if came:
            times[int(came.group(1))] = float(came.group(2)) / (1000 if came.group(3) == "us" else 1) if answered else None
        elif lost:
            times[int(lost.group(1))] = None
    try:
        tail = _only(
            text,
            r"([0-9]{1,6})\s+packets? transmitted,\s*([0-9]{1,6})\s+(?:packets? )?received,\s*(?:\+[0-9]+ errors?,\s*)?"
            r"([0-9]{1,3}(?:\.[0-9]+)?)%\s+packets?\s+loss(?:,\s*time\b.*)?",
            "N packets transmitted, N received, N% packet loss",
        )
        transmitted, received, loss = int(tail.group(1)), int(tail.group(2)), float(tail.group(3))
    except HccnError:
        if not unreachable:
            raise
        transmitted, received = len(times) + len(unreachable), sum(time is not None for time in times.values())
        loss = round(100 * (transmitted - received) / transmitted, 2)
    said = _shown(unreachable[0]) if unreachable and received < transmitted else None
    return Ping(int(head.group(1)), head.group(2), times, transmitted, received, loss, said)


@dataclass(frozen=True)
class Query:
    """A get command: its words, the parser of its standard output, the keys it fills, the text of the refusal that means "nothing set"."""

    args: tuple[str, ...]
    parse: t.Callable[[str], dict[str, t.Any]]
    fields: tuple[str, ...]
    absent: str | None = None


_NO_ADDRESS = "no ip was preset"

QUERIES: dict[str, Query] = {
    "address": Query(("-ip", "-g"), parse_address, ("address", "netmask"), _NO_ADDRESS),
    "gateway": Query(("-gateway", "-g"), parse_gateway, ("gateway",), "no gateway was preset"),
    "netdetect": Query(("-netdetect", "-g"), parse_netdetect, ("netdetect",)),
    # Without certificates there is no switch to read; TLS cannot be switched on then.
    "tls": Query(("-tls", "-g"), parse_tls, ("tls_enabled", "tls"), "no certificate found"),
    "mtu": Query(("-mtu", "-g"), parse_mtu, ("mtu",)),
    "link": Query(("-link", "-g"), parse_link, ("link",)),
    "net_health": Query(("-net_health", "-g"), parse_net_health, ("net_health",)),
    "lldp": Query(("-lldp", "-g"), parse_lldp, ("lldp",)),
    "mac": Query(("-mac", "-g"), parse_mac, ("mac",)),
    "speed": Query(("-speed", "-g"), parse_speed, ("speed_mbps",)),
    "duplex": Query(("-duplex", "-g"), parse_duplex, ("duplex",)),
    "optical": Query(("-optical", "-g"), parse_optical, ("optical",)),
    "stat": Query(("-stat", "-g"), parse_stat, ("stat",)),
    "link_stat": Query(("-link_stat", "-g"), parse_link_stat, ("link_stat",)),
    "version": Query(("-version", "-g"), parse_version, ("version",)),
    "address6": Query(("-ip", "-inet6", "-g"), parse_address6, ("ipv6_address", "ipv6_prefix_length"), _NO_ADDRESS),
    "vnic": Query(("-vnic", "-g"), parse_vnic, ("vnic",)),
    "process": Query(("-process", "-g"), parse_process, ("hccp_process",)),
    "fec": Query(("-fec", "-g"), parse_fec, ("fec",)),
    "udp": Query(("-udp", "-g"), parse_udp, ("udp",)),
    "config_status": Query(("-cfg", "status"), parse_config_status, ("config_status",)),
}


def read_reply(subset: str, reply: Reply) -> dict[str, t.Any]:
    """Values of one answered query; all ``None`` where the tool says that nothing is set. Raises HccnError."""
    query = QUERIES[subset]
    if reply.rc != 0:
        # Not the exit code, which differs between drivers: 13 is also "not supported on this product".
        if query.absent and query.absent in reply.text.lower():
            return dict.fromkeys(query.fields)
        raise failure(reply)
    try:
        return parse_tls(reply.stdout, reply.stderr) if subset == "tls" else query.parse(reply.stdout)
    except HccnError as error:
        raise _unknown_output(reply, error) from error


def read_ping(reply: Reply, device: int, target: str) -> Ping:
    """What a ping of this device to this address brought; lost packets are data, whatever the exit code. Raises HccnError."""
    try:
        ping = parse_ping(f"{reply.stdout}\n{reply.stderr}")
        if (ping.device, ping.target) != (device, target) or ping.received > ping.transmitted or ping.transmitted == 0:
            raise HccnError(f"device {device} PING {target} with as many answers as packets at most expected, found: {_shown(reply.stdout)}")
    except HccnError as error:
        raise (failure(reply) if reply.rc != 0 else _unknown_output(reply, error)) from error
    if ping.received == 0 and failure(reply).kind == "too_long":
        # Nothing was sent that could be lost.
        raise failure(reply)
    return ping


def _unknown_output(reply: Reply, error: HccnError) -> HccnError:
    printed = reply.stdout if reply.stdout.strip() else reply.stderr
    return HccnError(
        f"{_command(reply)} printed something unknown: {error if reply.stdout.strip() else _shown(printed)}. "
        "Is this hccn_tool the one of the Ascend A2/A3 driver?",
        argv=reply.argv,
        rc=reply.rc,
        stdout=reply.stdout,
        stderr=reply.stderr,
    )
