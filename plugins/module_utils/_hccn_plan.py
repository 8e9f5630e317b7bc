# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From wanted and current device settings to the steps that hccn_tool needs. No input or output here."""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Wanted or current settings of one device by name; a wanted setting that is not declared is missing.
Settings = t.Dict[str, t.Any]

# Settings and set command of each step, in the order that the tool needs: it checks the gateway against the address on the device.
STEPS: dict[str, tuple[tuple[str, ...], str]] = {
    "mtu": (("mtu",), "-mtu -s size {mtu}"),
    "address": (("address", "netmask"), "-ip -s address {address} netmask {netmask}"),
    "gateway": (("gateway",), "-gateway -s gateway {gateway}"),
    "netdetect": (("netdetect",), "-netdetect -s address {netdetect}"),
    "tls": (("tls_enabled",), "-tls -s enable {tls_enabled}"),
}
FIELDS = tuple(field for fields, _command in STEPS.values() for field in fields)
_CONF_KEYS = {"tls_enabled": "tls_enable"}

# Segments that the A2 tool refuses, as its virtual interfaces live there.
_VNIC_SEGMENTS = tuple(ipaddress.IPv4Network(f"192.168.{n}.0/24") for n in (1, 2))
MTU_RANGE = (68, 9702)
# Below this size the tool asks whether IPv6 may be lost.
_MTU_OF_IPV6 = 1280


def conf_key(device: int, field: str) -> str:
    return f"{_CONF_KEYS.get(field, field)}_{device}"


def conf_value(value: t.Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


class Conf:
    """The content of hccn.conf as the tool reads it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.terminated = not text or text.endswith("\n")
        self.lines = [line for line in text.split("\n") if line and not line.startswith("#")]
        self._values: dict[str, list[str]] = {}
        for line in self.lines:
            # Blanks and carriage returns belong to key and value: "gateway_0 = 10.0.0.1" is another key.
            key, equals, value = line.partition("=")
            if equals:
                self._values.setdefault(key, []).append(value)

    def get(self, device: int, field: str) -> str | None:
        """The value that counts at the next boot: of a doubled key the first."""
        values = self._values.get(conf_key(device, field))
        return values[0] if values else None

    def holds(self, device: int, field: str, value: t.Any) -> bool:
        """Whether exactly this value is kept, on one line."""
        return self._values.get(conf_key(device, field)) == [conf_value(value)]

    def shown(self, device: int, field: str) -> t.Any:
        """For a diff: the value, all of them where the key is doubled."""
        values = self._values.get(conf_key(device, field), [])
        return values if len(values) > 1 else self.get(device, field)

    def with_values(self, values: Mapping[tuple[int, str], t.Any]) -> Conf:
        """The file after setting these: old lines of a key go, the new one is appended, as the tool does it."""
        new = {conf_key(device, field): conf_value(value) for (device, field), value in values.items()}
        kept = [line for line in self.text.split("\n") if line and line.partition("=")[0] not in new]
        return Conf("".join(f"{line}\n" for line in [*kept, *(f"{key}={value}" for key, value in new.items())]))

    def lines_lost_in(self, later: Conf) -> list[str]:
        """Lines whose key is gone in a later state of the file."""
        kept = {line.partition("=")[0] for line in later.lines}
        return [line for line in self.lines if line.partition("=")[0] not in kept]


@dataclass(frozen=True)
class Step:
    """One set command, without ``hccn_tool -i N``, and what it needs on standard input."""

    device: int
    name: str
    args: tuple[str, ...]
    answer: str | None = None

    @property
    def command(self) -> str:
        return " ".join(("hccn_tool", "-i", str(self.device), *self.args))


def _step(device: int, name: str, wanted: Settings) -> Step:
    values = {field: conf_value(value) for field, value in wanted.items()}
    args = tuple(word.format(**values) for word in STEPS[name][1].split())
    return Step(device, name, args, "y" if name == "mtu" and wanted["mtu"] < _MTU_OF_IPV6 else None)


def plan_device(device: int, wanted: Settings, current: Settings, conf: Conf | None) -> list[Step]:
    """The fewest steps after which the device and hccn.conf hold what is wanted."""
    steps = []
    for name, (fields, _command) in STEPS.items():
        declared = [field for field in fields if field in wanted]
        if not declared:
            continue
        right = all(is_live(field, wanted, current) and conf is not None and conf.holds(device, field, wanted[field]) for field in declared)
        # A new address can drop the gateway from device and file: set it again instead of hoping.
        if name == "gateway" and not all(is_live(field, wanted, current) for field in STEPS["address"][0]):
            right = False
        if not right:
            steps.append(_step(device, name, wanted))
    return steps


def is_live(field: str, wanted: Settings, current: Settings) -> bool:
    """Whether the device itself has the wanted value, or none is wanted."""
    if field not in wanted or current.get(field) == wanted[field]:
        return True
    # A device without certificates cannot tell its TLS switch, and cannot have it on.
    return field == "tls_enabled" and wanted[field] is False and current.get(field) is None


def plan(wanted: Mapping[int, Settings], current: Mapping[int, Settings], conf: Conf | None) -> list[list[Step]]:
    """The steps of each device that needs any; a device that leaves an address comes before the one that takes it over."""
    waiting = {device: steps for device in sorted(wanted) if (steps := plan_device(device, wanted[device], current.get(device, {}), conf))}
    ordered = []
    while waiting:
        held = {address: device for device in waiting if (address := current.get(device, {}).get("address"))}
        free = (device for device in waiting if held.get(wanted[device].get("address"), device) == device)
        ordered.append(waiting.pop(next(free, next(iter(waiting)))))
    return ordered


def validate(devices: Sequence[Settings]) -> list[str]:
    """All that is wrong with declared settings in themselves; the keys of each are ``device`` and setting names."""
    problems: list[str] = []
    seen: dict[int, int] = {}
    owners: dict[str, int] = {}
    for index, wanted in enumerate(devices):
        device = wanted["device"]
        where = f"devices[{index}] (device {device})"
        if not 0 <= device <= 99:
            problems.append(f"{where}: device is a physical id, 0 to 99.")
        if device in seen:
            problems.append(f"{where}: devices[{seen[device]}] already describes this device; give each device once.")
        seen.setdefault(device, index)
        problems.extend(f"{where}: {problem}" for problem in _validate_device(wanted))
        address = wanted.get("address")
        if address in owners and owners[address] != device:
            problems.append(f"{where}: address {address} is also given to device {owners[address]}; hccn_tool does not notice. Give each device its own.")
        elif address is not None:
            owners[address] = device
    return problems


def _validate_device(wanted: Settings) -> list[str]:
    problems: list[str] = []
    ips: dict[str, ipaddress.IPv4Address] = {}
    for name in ("address", "netmask", "gateway", "netdetect"):
        if wanted.get(name) is None:
            continue
        ip = _ipv4(wanted[name])
        if ip is None:
            problems.append(f"{name} {wanted[name]!r} is not a dotted IPv4 address such as {'255.255.255.0' if name == 'netmask' else '192.0.2.10'}.")
        else:
            ips[name] = ip
    for name in ("address", "gateway", "netdetect"):
        if name in ips and not _is_host(ips[name]):
            problems.append(f"{name} {ips[name]} is not the address of a host (unspecified, loopback, multicast, reserved or broadcast).")
    if (wanted.get("address") is None) != (wanted.get("netmask") is None):
        problems.append("address and netmask belong together: give both or none.")
    mtu = wanted.get("mtu")
    if mtu is not None and not MTU_RANGE[0] <= mtu <= MTU_RANGE[1]:
        problems.append(f"mtu {mtu} is outside {MTU_RANGE[0]} to {MTU_RANGE[1]}.")
    if "netmask" in ips:
        prefix = _prefix_length(ips["netmask"])
        if prefix is None or not 1 <= prefix <= 30:
            problems.append(f"netmask {ips['netmask']} is not contiguous or leaves no room for hosts (128.0.0.0 to 255.255.255.252).")
        elif "address" in ips:
            problems.extend(_validate_segment(ipaddress.IPv4Interface(f"{ips['address']}/{prefix}"), ips.get("gateway")))
    return problems


def _validate_segment(interface: ipaddress.IPv4Interface, gateway: ipaddress.IPv4Address | None) -> list[str]:
    problems = []
    network = interface.network
    if interface.ip in (network.network_address, network.broadcast_address):
        problems.append(f"address {interface.ip} is the network or broadcast address of {network}; hccn_tool takes it, nothing reaches it.")
    for reserved in _VNIC_SEGMENTS:
        if interface.ip in reserved:
            problems.append(f"address {interface.ip} lies in {reserved}, which hccn_tool keeps for the virtual interfaces of the driver and refuses.")
    if gateway is not None:
        problems.extend(_gateway_problems(gateway, interface))
    return problems


def _gateway_problems(gateway: ipaddress.IPv4Address, interface: ipaddress.IPv4Interface) -> list[str]:
    network = interface.network
    if gateway not in network:
        return [f"gateway {gateway} is outside {network}, the segment of the device address {interface.ip}."]
    if gateway == interface.ip:
        return [f"gateway {gateway} is the device address itself."]
    if gateway in (network.network_address, network.broadcast_address):
        return [f"gateway {gateway} is the network or broadcast address of {network}."]
    return []


def validate_on_host(wanted: Mapping[int, Settings], current: Mapping[int, Settings]) -> tuple[list[str], list[str]]:
    """What is wrong with declared settings next to those already on the devices: (problems, warnings)."""
    problems, warnings = [], []
    others = {current[device]["address"]: device for device in current if current[device].get("address") and "address" not in wanted.get(device, {})}
    for device, settings in sorted(wanted.items()):
        owner = others.get(settings.get("address"))
        if owner is not None:
            problems.append(f"device {device}: address {settings['address']} is already on device {owner}, which is not given another one.")
        here = current.get(device, {})
        gateway = settings.get("gateway")
        if gateway is not None and "address" not in settings:
            if not here.get("address"):
                problems.append(f"device {device}: gateway {gateway} needs an address, and the device has none. Declare address and netmask.")
            else:
                prefix = _prefix_length(ipaddress.IPv4Address(here["netmask"]))
                if prefix is None:
                    problems.append(f"device {device}: the device has the netmask {here['netmask']}, which is not contiguous. Declare address and netmask.")
                    continue
                interface = ipaddress.IPv4Interface(f"{here['address']}/{prefix}")
                problems.extend(f"device {device}: {problem}" for problem in _gateway_problems(ipaddress.IPv4Address(gateway), interface))
        elif gateway is None and "address" in settings and here.get("gateway"):
            network = ipaddress.IPv4Interface(f"{settings['address']}/{settings['netmask']}").network
            if ipaddress.IPv4Address(here["gateway"]) not in network:
                warnings.append(f"device {device}: hccn_tool drops gateway {here['gateway']}, as it is outside the new segment {network}. Declare gateway.")
    return problems, warnings


def _ipv4(value: str) -> ipaddress.IPv4Address | None:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return None
    return address if str(address) == value else None


def _is_host(address: ipaddress.IPv4Address) -> bool:
    return not (int(address) < 1 << 24 or address.is_loopback or address.is_multicast or address.is_reserved)


def _prefix_length(netmask: ipaddress.IPv4Address) -> int | None:
    inverted = int(netmask) ^ 0xFFFFFFFF
    return 32 - inverted.bit_length() if inverted & (inverted + 1) == 0 else None
