# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check before a launch wants to know of a Linux host: texts of the kernel and of common tools in, values out."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import re
import socket
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LISTEN = "0A"
MAX_BYTES = 4 * 1024 * 1024
SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|(?:^|_)KEY(?:$|_)|(?:^|_)AK(?:$|_)|(?:^|_)SK(?:$|_)", re.IGNORECASE)


def read(path: str) -> str:
    """A file of the kernel or of the configuration, whatever its bytes are. Raises OSError."""
    chunks: list[bytes] = []
    # In small pieces: below /proc/sys the kernel wants memory for as much as it is asked for.
    with open(path, "rb", buffering=0) as stream:
        while sum(map(len, chunks)) < MAX_BYTES:
            chunk = stream.read(65536)
            if not chunk:
                break
            chunks.append(chunk)
    return b"".join(chunks).decode("utf-8", "replace")


def read_or(path: str, default: str = "") -> str:
    try:
        return read(path)
    except OSError:
        return default


# ---- texts


def parse_os_release(text: str) -> dict[str, str]:
    """``/etc/os-release``: shell assignments, quoted or not."""
    found = (re.match(r"\s*([A-Z_]+)=(.*?)\s*$", line) for line in text.splitlines())
    return {match.group(1): match.group(2).strip("\"'") for match in found if match}


def parse_meminfo(text: str) -> dict[str, int]:
    """``/proc/meminfo`` in MB."""
    found = re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)
    return {name: int(value) // 1024 for name, value in found}


def parse_ranges(text: str) -> list[tuple[int, int]]:
    """``60000-60031,8080`` as ``ip_local_reserved_ports`` has it."""
    found = re.findall(r"(\d{1,5})(?:-(\d{1,5}))?", text)
    return [(int(first), int(last or first)) for first, last in found]


def parse_visible_devices(text: str) -> set[int]:
    """``0-2,7`` or ``Ascend910-0,Ascend910-1`` as ``ASCEND_VISIBLE_DEVICES`` has it; other words (void, all) name no device."""
    devices: set[int] = set()
    for word in text.split(","):
        found = re.fullmatch(r"\s*(?:Ascend\w+-)?(\d{1,5})(?:-(\d{1,5}))?\s*", word)
        if found:
            first, last = int(found.group(1)), int(found.group(2) or found.group(1))
            devices.update(range(first, min(last, first + 63) + 1))
    return devices


def _socket_address(text: str) -> str:
    """An address of /proc/net/tcp: 32-bit words in the order of the machine, which is little-endian on all hosts of the NPUs."""
    raw = bytes.fromhex(text)
    words = [raw[start : start + 4][::-1] for start in range(0, len(raw), 4)]
    return str(ipaddress.ip_address(b"".join(words)))


def parse_listening(text: str) -> list[tuple[str, int, int]]:
    """``/proc/net/tcp`` or ``tcp6``: (address, port, inode) of each listening socket."""
    found = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) < 10 or words[3] != LISTEN:
            continue
        address, _colon, port = words[1].partition(":")
        with contextlib.suppress(ValueError):
            found.append((_socket_address(address), int(port, 16), int(words[9])))
    return found


def parse_default_route(text: str) -> str | None:
    """``/proc/net/route``: the interface of the default route with the lowest metric."""
    routes = []
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) >= 8 and words[1] == "00000000" and words[7] == "00000000" and words[6].isdigit():
            routes.append((int(words[6]), words[0]))
    return min(routes)[1] if routes else None


_Kind = t.TypeVar("_Kind", list, dict)


def _only(kind: type[_Kind], value: t.Any) -> _Kind:
    """What a tool printed where a list or an object belongs; empty when it is something else."""
    return value if isinstance(value, kind) else kind()


def parse_interfaces(text: str) -> dict[str, dict[str, t.Any]]:
    """``ip -json address show``. Raises ValueError."""
    links = json.loads(text)
    if not isinstance(links, list):
        raise ValueError("ip -json address show printed no list")
    found = {}
    for link in links:
        if not isinstance(link, dict) or not isinstance(link.get("ifname"), str):
            continue
        # A bridge or loopback without a carrier of its own says UNKNOWN.
        up = "UP" in _only(list, link.get("flags")) and link.get("operstate") in ("UP", "UNKNOWN")
        addresses = [entry["local"] for entry in _only(list, link.get("addr_info")) if isinstance(entry, dict) and isinstance(entry.get("local"), str)]
        found[link["ifname"]] = {"up": up, "addresses": addresses, "mtu": link.get("mtu")}
    return found


def parse_addresses(text: str) -> list[str]:
    """``getent ahosts NAME``."""
    return sorted({line.split()[0] for line in text.splitlines() if line.strip()})


def parse_selected(text: str) -> str | None:
    """``always [madvise] never``: the word in brackets."""
    found = re.search(r"\[(\w+)\]", text)
    return found.group(1) if found else None


def parse_environment(text: str) -> dict[str, str]:
    """A file of NAME=VALUE lines. What may be a secret is hidden."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name] = "(hidden)" if SECRET.search(name) else value
    return found


def firewalld_zones(text: str) -> list[dict[str, t.Any]]:
    """``firewall-cmd --list-all-zones``, zone by zone. Older versions do not say which is the default."""
    zones: list[dict[str, t.Any]] = []
    for line in text.splitlines():
        heading = re.match(r"(\S+)(?: \(([^)]*)\))?\s*$", line)
        if heading and not line.startswith((" ", "\t")):
            state = (heading.group(2) or "").split(", ")
            zone = {"name": heading.group(1), "default": "default" in state, "active": "active" in state, "target": ""}
            zones.append({**zone, "interfaces": [], "sources": [], "ports": [], "rich": []})
            continue
        key, _colon, value = line.strip().partition(":")
        if not zones:
            continue
        if key == "target":
            zones[-1]["target"] = value.strip()
        elif key in ("interfaces", "sources", "ports"):
            zones[-1][key] = value.split()
        elif line.strip().startswith("rule "):
            zones[-1]["rich"].append(line.strip())
    return zones


def parse_firewalld(text: str) -> list[dict[str, t.Any]]:
    """``firewall-cmd --list-all-zones``: what the active zones let through, each as source, port, zone and interfaces."""
    rules: list[dict[str, t.Any]] = []
    for zone in firewalld_zones(text):
        # Bridges of containers have zones of their own that let everything through.
        outside = [name for name in zone["interfaces"] if not re.match(r"docker|br-|veth|virbr|lo\Z", name)]
        # A zone is active when an interface or a source is bound to it; the default zone takes what is left.
        if not (zone["active"] or zone["default"]) or (zone["interfaces"] and not outside and not zone["sources"]):
            continue
        for source in zone["sources"] or [None]:
            ports = ["any"] if zone["target"] == "ACCEPT" else zone["ports"]
            rules.extend({"source": source, "port": port, "zone": zone["name"] if source else None, "interfaces": outside} for port in ports)
        for rich in zone["rich"]:
            source = re.search(r'source address="([^"]+)"', rich)
            port = re.search(r'port port="([^"]+)" protocol="([^"]+)"', rich)
            if rich.endswith("accept") and port:
                rules.append({"source": source.group(1) if source else None, "port": f"{port.group(1)}/{port.group(2)}", "zone": None, "interfaces": outside})
    return rules


def parse_ufw(text: str) -> list[dict[str, t.Any]]:
    """``ufw status``: what it lets through."""
    rules = []
    for line in text.splitlines():
        found = re.match(r"(\S+)(?: \(v6\))?\s+ALLOW(?: IN)?\s+(\S+)", line)
        if found:
            port = found.group(1).replace(":", "-") if re.match(r"\d", found.group(1)) else "any" if found.group(1) == "Anywhere" else None
            if port:
                rules.append({"source": None if found.group(2) == "Anywhere" else found.group(2), "port": port, "zone": None, "interfaces": []})
    return rules


def parse_containers(text: str) -> list[dict[str, t.Any]]:
    """``docker inspect``: who has which NPU. Raises ValueError."""
    listed = json.loads(text)
    if not isinstance(listed, list):
        raise ValueError("docker inspect printed no list")
    found = []
    for item in listed:
        if not isinstance(item, dict):
            continue
        config, host_config = (_only(dict, item.get(key)) for key in ("Config", "HostConfig"))
        devices = {
            int(match.group(1))
            for entry in _only(list, host_config.get("Devices"))
            for match in [re.match(r"/dev/davinci(\d+)\Z", str(_only(dict, entry).get("PathOnHost")))]
            if match
        }
        # The vendor's container runtime takes a variable instead of device options.
        for variable in _only(list, config.get("Env")):
            name, _equals, value = str(variable).partition("=")
            if name == "ASCEND_VISIBLE_DEVICES":
                devices |= parse_visible_devices(value)
        found.append(
            {
                "id": str(item.get("Id") or ""),
                "name": str(item.get("Name") or "").lstrip("/"),
                "image": str(config.get("Image") or ""),
                "devices": sorted(devices),
                "privileged": bool(host_config.get("Privileged")),
            }
        )
    return found


def parse_image(text: str) -> dict[str, t.Any]:
    """``docker image inspect`` of one image. Raises ValueError."""
    listed = json.loads(text)
    image = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(image, dict) or not isinstance(image.get("Id"), str):
        raise ValueError("docker image inspect printed no image")
    return {"id": image["Id"], "digests": image.get("RepoDigests") or [], "architecture": str(image.get("Architecture") or "")}


# ---- processes and sockets


def socket_owners(inodes: Iterable[int], proc: str = "/proc") -> dict[int, tuple[int, str]]:
    """inode -> (pid, name) of the processes that hold these sockets. Processes that end meanwhile are left out."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    owners: dict[int, tuple[int, str]] = {}
    for pid in (name for name in os.listdir(proc) if name.isdecimal()):
        if len(owners) == len(wanted):
            break
        directory = os.path.join(proc, pid)
        with contextlib.suppress(OSError):
            for number in os.listdir(os.path.join(directory, "fd")):
                inode = wanted.get(os.readlink(os.path.join(directory, "fd", number)))
                if inode is not None:
                    owners.setdefault(inode, (int(pid), read(os.path.join(directory, "comm")).strip()))
    return owners


def belongs_to(pid: int, names: Sequence[str], proc: str = "/proc") -> bool:
    """Whether a process runs in one of these units or containers, by its control group."""
    groups = read_or(os.path.join(proc, str(pid), "cgroup"))
    return any(name in groups for name in names if name)


def governors(root: str = "/sys/devices/system/cpu") -> list[str]:
    """The frequency governors in use; none where the machine has no frequency scaling."""
    names = os.listdir(root) if os.path.isdir(root) else []
    return sorted({read_or(os.path.join(root, name, "cpufreq/scaling_governor")).strip() for name in names if re.match(r"cpu\d+\Z", name)} - {""})


def probe(target: Mapping[str, t.Any], timeout: float = 2.0) -> dict[str, t.Any]:
    """Try a TCP connection. A refusal is an answer of the host; an answer of a router or a firewall is not."""
    state, text = "open", None
    try:
        socket.create_connection((str(target["address"]), int(target["port"])), timeout).close()
    except ConnectionRefusedError:
        state = "refused"
    except (socket.timeout, TimeoutError) as error:
        state, text = "timeout", str(error)
    except OSError as error:
        state, text = "unreachable", str(error)
    return {"host": str(target["host"]), "address": str(target["address"]), "port": int(target["port"]), "state": state, "error": text}
