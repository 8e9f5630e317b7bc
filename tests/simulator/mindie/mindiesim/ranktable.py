# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rank table as its two readers see it: MindIE's daemon first, then HCCL, which checks what MindIE does not."""

from __future__ import annotations

import dataclasses
import hashlib
import ipaddress
import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import permissions
from .errors import StartFailure
from .settings import RANK_TABLE_VARIABLE

MAX_PATH = 256
MAX_BYTES = 4 * 1024**3


@dataclasses.dataclass(frozen=True)
class Device:
    device_id: int
    address: str
    rank: int


@dataclasses.dataclass(frozen=True)
class Server:
    server_id: str
    container_ip: str
    devices: tuple[Device, ...]


@dataclasses.dataclass(frozen=True)
class RankTable:
    servers: tuple[Server, ...]
    sha256: str
    document: dict[str, Any]

    @property
    def master(self) -> Server:
        """The server that holds rank 0; HCCL's checks see to it that there is one."""
        return next(server for server in self.servers for device in server.devices if device.rank == 0)

    def local(self, env: Mapping[str, str], say: Callable[[str], None]) -> Server | None:
        """This node's entry; like the real daemon, no entry is no error here."""
        if env.get("MIES_CONTAINER_IP"):
            return next((server for server in self.servers if server.container_ip == env["MIES_CONTAINER_IP"]), None)
        if env.get("HOST_IP"):
            return next((server for server in self.servers if server.server_id == env["HOST_IP"]), None)
        say("The env variable MIES_CONTAINER_IP isn't exist.")
        try:
            own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
        except OSError:
            own = set()
        return next((server for server in self.servers if server.container_ip in own), None)


def read(env: Mapping[str, str], say: Callable[[str], None]) -> RankTable:
    """MindIE's own reading, with its messages."""
    try:
        return _read(env, say)
    except (KeyError, TypeError, AttributeError) as problem:
        raise StartFailure("Failed to parse the json data of ranktable file data.", printed=True) from problem


def _fail(*lines: str) -> StartFailure:
    return StartFailure(*lines, printed=True)


def _read(env: Mapping[str, str], say: Callable[[str], None]) -> RankTable:
    name = env.get(RANK_TABLE_VARIABLE, "")
    if not name:
        raise _fail(f"Ranktable file is not exist, please set a valid ranktable file path with {RANK_TABLE_VARIABLE} environment.")
    path = Path(name)
    if len(name) > MAX_PATH:
        raise _fail(f"The length of {RANK_TABLE_VARIABLE} must not exceed {MAX_PATH}.", "Ranktable file path is invalid.")
    if permissions.enabled(env):
        try:
            permissions.check_file(path, 0o640)
            size = path.stat().st_size
            if not 0 < size <= MAX_BYTES:
                raise permissions.BadPermission(f"The size of {path} must be in (0, {MAX_BYTES}], but got {size}")
        except permissions.BadPermission as problem:
            raise _fail(str(problem), "Ranktable file path is invalid.") from problem
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise _fail("Error: Open ranktable json file failed") from problem
    try:
        document = json.loads(data)
    except ValueError as problem:
        raise _fail("Ranktable file is invalid. Please check json format! ") from problem
    say("Start to parse ranktable file")
    servers = document["server_list"]
    count = _number(document.get("server_count"))
    if count is None:
        raise _fail("Invalid server_count in ranktable file")
    if not 2 <= count <= 60:
        raise _fail(f"Parameter server_count must be in range [2, 60], but got {count}")
    if count != len(servers):
        raise _fail(f"Parameter server_count is {count}, which is not equal to server_list length in ranktable file, which is {len(servers)}")
    table = RankTable(tuple(_server(entry, len(servers[0]["device"])) for entry in servers), hashlib.sha256(data).hexdigest(), document)
    say("Finished parsing ranktable file.")
    return table


def _number(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else None


def _server(entry: dict[str, Any], expected: int) -> Server:
    devices = entry["device"]
    if not 1 <= len(devices) <= 32:
        raise _fail(f"The number of devices on single node must be in [1, 32], but got {len(devices)}")
    if len(devices) != expected:
        raise _fail(f"The number of devices in every server node is {len(devices)} which not equal in ranktable file, which is {expected}")
    if not entry.get("container_ip"):
        raise _fail("The containerIp in the server node is empty in ranktable file.")
    return Server(entry["server_id"], entry["container_ip"], tuple(_device(device) for device in devices))


def _device(entry: dict[str, Any]) -> Device:
    device_id = _number(entry["device_id"])
    if device_id is None:
        raise _fail("Parameter device_id is invalid in ranktable file.")
    if device_id > 63:
        raise _fail(f"Parameter device_id is {device_id}, which is out of allow range [0, 63].")
    try:
        ipaddress.ip_address(entry["device_ip"])
    except ValueError as problem:
        raise _fail(f"Input device_ip [{entry['device_ip']}] is invalid", "Parameter device_ip is invalid in ranktable file.") from problem
    rank = _number(entry["rank_id"])
    if rank is None:
        raise _fail("Parameter rankId is invalid in ranktable file.")
    if rank > 511:
        raise _fail(f"Parameter rankId in ranktable is {rank}, which is out of allow range [0, 511].")
    return Device(device_id, entry["device_ip"], rank)


def hccl_problem(table: RankTable) -> str | None:
    """The first of HCCL's own findings, as the text of its EI0004 report."""
    name = _not_text(table.document)
    if name:
        return _report(f"json object property value of Name[{name}] is not string")
    if len({server.server_id for server in table.servers}) != len(table.servers):
        return _report("The serverId is used repeatedly.")
    devices = [device for server in table.servers for device in server.devices]
    for server in table.servers:
        if len({device.device_id for device in server.devices}) != len(server.devices):
            return _report("device id repeat for one server. Please check ranktable")
    if len({device.address for device in devices}) != len(devices):
        return _report("The IP is used repeatedly.")
    if sorted(device.rank for device in devices) != list(range(len(devices))):
        return _report("The 'rank_id' in the ranktable must start from 0 or it is used repeatedly")
    return None


def _not_text(document: dict[str, Any]) -> str | None:
    entries: list[tuple[dict[str, Any], tuple[str, ...]]] = [(document, ("status", "server_count", "version"))]
    for server in document["server_list"]:
        entries.append((server, ("server_id",)))
        entries.extend((device, ("device_id", "device_ip", "rank_id")) for device in server["device"])
    for entry, names in entries:
        for name in names:
            if name in entry and not isinstance(entry[name], str):
                return name
    return None


def _report(reason: str) -> str:
    return f"EI0004: The ranktable or rank is invalid,Reason:[{reason}]. Please check the configured ranktable. [HCCL_E_PARA]"
