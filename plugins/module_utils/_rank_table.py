# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rank tables of HCCL and MindIE: build, merge, render, parse, validate. Pure functions, no I/O.

A finding says what is wrong, where, and what the vendor's software would have printed about it (or that it stays
silent). Functions that judge return every finding at once; RankTableError carries them where nothing can be returned.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._rank_table_rules import RULES

Table = t.Dict[str, t.Any]
Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

VERSION = "1.0"
SUPERPOD_VERSION = "1.2"
PROFILES = ("mindie", "hccl")

MINDIE_SERVERS = (2, 60)
MINDIE_MANUAL_SERVERS = 4
MINDIE_MANUAL_DEVICES = 32
MINDIE_DEVICES = (1, 32)
MINDIE_DEVICE_ID_MAX = 63
MINDIE_RANK_ID_MAX = 511
HCCL_DEVICE_ID_MAX = 15
SERVER_ID_LENGTH_MAX = 64
PATH_LENGTH_MAX = 256

_SERVER_STRINGS = frozenset({"server_id", "container_ip", "host_ip", "host_nic_ip", "hardware_type", "pod_ip"})
_DEVICE_STRINGS = frozenset({"device_id", "device_ip", "rank_id", "device_port", "backup_device_ip", "backup_device_port", "host_port", "super_device_id"})
_TABLE_STRINGS = frozenset({"version", "status", "server_count"})
_POD_STRINGS = frozenset({"super_pod_id"})

_DECIMAL = re.compile(r"[0-9]{1,10}")
_PATH = re.compile(r"[A-Za-z0-9_./-]*")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One broken rule. ``vendor_message`` is None where HCCL and MindIE say nothing."""

    id: str
    path: str
    observed: str
    expected: str
    remedy: str
    vendor_message: str | None
    source: str
    severity: str = "error"

    def __str__(self) -> str:
        silence = "no message of HCCL or MindIE names it" if self.vendor_message is None else f'the vendor\'s message: "{self.vendor_message.strip()}"'
        return f"{self.path}: found {self.observed}, expected {self.expected}. {self.remedy} [{self.id}; {silence}]"


class RankTableError(ValueError):
    """The table cannot be read or merged; ``findings`` says why."""

    def __init__(self, findings: t.Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = list(findings)


class _Report:
    """Collects findings; knows whose messages to quote."""

    def __init__(self, profile: str) -> None:
        if profile not in PROFILES:
            raise ValueError(f"profile {profile!r} is not one of {', '.join(PROFILES)}")
        self.profile = profile
        self.findings: list[Finding] = []

    @property
    def mindie(self) -> bool:
        return self.profile == "mindie"

    def add(self, rule_id: str, path: str, observed: str, severity: str | None = None, **values: t.Any) -> None:
        rule = RULES[rule_id]
        message = (self.mindie and rule.mindie) or rule.hccl
        self.findings.append(
            Finding(
                id=rule_id,
                path=path,
                observed=observed,
                expected=rule.expected.format(**values),
                remedy=rule.remedy.format(**values),
                vendor_message=message.format(**values) if message else None,
                source=rule.source,
                severity=severity or rule.severity,
            )
        )

    def unique(self, rule_id: str, seen: dict[t.Any, str], value: t.Any, path: str, /, **values: t.Any) -> None:
        if value in seen:
            self.add(rule_id, path, f"{_shown(value) if isinstance(value, str) else value}, which {seen[value]} has too", **values)
        else:
            seen[value] = path


def _shown(value: t.Any) -> str:
    try:
        text = json.dumps(value)
    except RecursionError:
        text = f"a deeply nested {type(value).__name__}"
    return text if len(text) <= 80 else f"{text[:77]}..."


def _text(record: t.Mapping[str, t.Any], key: str) -> str | None:
    """The string at ``key``, "" when absent, None when it is no string (the shape check has reported it)."""
    value = record.get(key, "")
    return value if isinstance(value, str) else None


def _records(record: t.Mapping[str, t.Any], key: str, path: str = "") -> list[tuple[str, t.Mapping[str, t.Any]]]:
    """The objects of the list at ``key`` with their paths; whatever is no object was reported by the shape check."""
    value = record.get(key)
    if not isinstance(value, list):
        return []
    return [(f"{path}{key}[{index}]", item) for index, item in enumerate(value) if isinstance(item, dict)]


def _address(text: str) -> Address | None:
    try:
        if ":" not in text:
            address: Address = ipaddress.IPv4Address(text)
        elif "%" in text:
            return None
        else:
            address = ipaddress.IPv6Address(text)
    except ValueError:
        return None
    return None if address.is_unspecified or address.is_multicast else address


def _number(text: str) -> int | None:
    return int(text) if _DECIMAL.fullmatch(text) else None


# --- build, merge, render ---------------------------------------------------------------------------------------------


def _by_device_id(device: t.Mapping[str, t.Any]) -> float:
    number = _number(str(device.get("device_id", "")))
    return float("inf") if number is None else number


def build(servers: t.Sequence[t.Mapping[str, t.Any]]) -> Table:
    """Number the devices of ``servers``, master first, and lay them out as a version 1.0 table.

    ``servers`` holds server_id, container_ip (server_id when absent: the host network) and devices with device_id and
    device_ip. Nothing is judged here; give the result to validate(). hccl_tools.py also writes host_nic_ip, which
    neither HCCL nor MindIE reads: it is left out.
    """
    server_list = []
    rank = 0
    for server in servers:
        devices = []
        for device in sorted(server.get("devices") or [], key=_by_device_id):
            address = device.get("device_ip")
            devices.append({"device_id": str(device.get("device_id", "")), "device_ip": "" if address is None else str(address), "rank_id": str(rank)})
            rank += 1
        server_id = str(server.get("server_id") or "")
        server_list.append({"server_id": server_id, "container_ip": str(server.get("container_ip") or server_id), "device": devices})
    return _table(server_list)


def _table(server_list: list[dict[str, t.Any]]) -> Table:
    return {"version": VERSION, "server_count": str(len(server_list)), "server_list": server_list, "status": "completed"}


def merge(sources: t.Sequence[tuple[str, str | bytes]], profile: str = "mindie") -> Table:
    """Join the tables of ``sources``, pairs of file name and content, in that order: the first server is the master.

    As merge_hccl.py does, ranks are numbered anew and everything else of a server is kept. Unlike it, this refuses
    what would give a broken table, and names the file. container_ip, which the upstream hccl_tools.py does not write,
    becomes server_id where that is an address.
    """
    findings: list[Finding] = []
    server_list: list[dict[str, t.Any]] = []
    origin: list[str] = []
    rank = 0
    for name, content in sources:
        try:
            table = parse(content)
        except RankTableError as exc:
            findings.extend(dataclasses.replace(finding, path=f"{name}: {finding.path}") for finding in exc.findings)
            continue
        findings.extend(dataclasses.replace(finding, path=f"{name}: {finding.path}") for finding in _unmergeable(table))
        for index, (dummy, server) in enumerate(_records(table, "server_list")):
            origin.append(f"{name}: server_list[{index}]")
            server_list.append(_renumbered(server, rank))
            rank += len(server_list[-1]["device"])
    if findings:
        raise RankTableError(findings)
    merged = _table(server_list)

    def named(text: str) -> str:
        return re.sub(r"server_list\[(\d+)\]", lambda match: origin[int(match[1])], text)

    findings = [finding for finding in validate(merged, profile) if finding.severity == "error"]
    if findings:
        raise RankTableError([dataclasses.replace(finding, path=named(finding.path), observed=named(finding.observed)) for finding in findings])
    return merged


def _unmergeable(table: Table) -> list[Finding]:
    report = _Report("hccl")
    servers = _records(table, "server_list")
    _check_head(report, table, servers)
    # Renumbering would hide a rank that somebody's editing lost or doubled.
    _check_ranks(report, servers, [_records(server, "device", f"{path}.") for path, server in servers])
    if table.get("version") == SUPERPOD_VERSION:
        report.add("unmergeable_version", "version", _shown(SUPERPOD_VERSION))
    for key in table:
        if key not in _TABLE_STRINGS and key != "server_list":
            report.add("unmergeable_key", key, f"the key {_shown(key)}")
    return [finding for finding in report.findings if finding.severity == "error"]


def _renumbered(server: t.Mapping[str, t.Any], first_rank: int) -> dict[str, t.Any]:
    rest = dict(server)
    server_id = rest.pop("server_id", "")
    container_ip = rest.pop("container_ip", "") or (server_id if _address(server_id) else "")
    devices = []
    for rank, (dummy, device) in enumerate(_records(server, "device"), start=first_rank):
        devices.append({**device, "rank_id": str(rank)})
    rest.pop("device", None)
    return {"server_id": server_id, "container_ip": container_ip, "device": devices, **rest}


def render(table: Table) -> bytes:
    """The bytes of the file: the same table always gives the same bytes, so that hosts can be compared by checksum."""
    return (json.dumps(table, indent=4) + "\n").encode("ascii")


# --- parse ------------------------------------------------------------------------------------------------------------


def parse(data: str | bytes) -> Table:
    """Read a version 1.0 or 1.2 table; raise RankTableError for text that is not one. validate() judges the content."""
    report = _Report("mindie")
    text = _decode(data, report)
    duplicates: list[tuple[dict[str, t.Any], list[str]]] = []

    def unique_keys(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
        record = dict(pairs)
        if len(record) != len(pairs):
            keys = [key for key, dummy in pairs]
            duplicates.append((record, sorted({key for key in keys if keys.count(key) > 1})))
        return record

    try:
        table = json.loads(text, object_pairs_hook=unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as exc:
        _explain(report, text, exc)
        raise RankTableError(report.findings) from exc
    except (ValueError, RecursionError) as exc:
        # A constant such as NaN, a number of thousands of digits, or brackets nested without end.
        report.add("not_json", "file", str(exc) or type(exc).__name__)
        raise RankTableError(report.findings) from exc
    if not isinstance(table, dict):
        report.add("not_object", "file", _shown(table))
        raise RankTableError(report.findings)
    for record, keys in duplicates:
        path = _path_of(table, record)
        for key in keys:
            report.add("duplicate_key", f"{path}.{key}".lstrip("."), f"the key {_shown(key)} more than once")
    if _check_kind(report, table):
        _check_shape(report, table)
    if report.findings:
        raise RankTableError(report.findings)
    return table


def _decode(data: str | bytes, report: _Report) -> str:
    if isinstance(data, bytes):
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            report.add("bom", "file", "a UTF-16 byte order mark")
            raise RankTableError(report.findings)
        try:
            data = data.decode("utf-8")
        except UnicodeDecodeError as exc:
            report.add("not_utf8", "file", f"the byte 0x{data[exc.start]:02x} at offset {exc.start}")
            raise RankTableError(report.findings) from exc
    if data.startswith("\ufeff"):
        report.add("bom", "file", "a UTF-8 byte order mark")
    if not data.strip("\ufeff \t\r\n"):
        report.add("empty", "file", "no content")
    if report.findings:
        raise RankTableError(report.findings)
    return data


def _refuse_constant(text: str) -> t.NoReturn:
    raise ValueError(f"the value {text}")


def _explain(report: _Report, text: str, error: json.JSONDecodeError) -> None:
    """Name the mistakes that hand-edited tables have; fall back to what the JSON parser says."""
    # Strings may hold anything that looks like a comment: blank them, keeping every offset.
    bare = re.sub(r'"(?:[^"\\\n]|\\.)*"', lambda match: '"' + " " * (len(match[0]) - 2) + '"', text)
    comments = re.compile(r"//[^\n]*|/\*.*?(?:\*/|\Z)|#[^\n]*", re.DOTALL)
    for rule_id, pattern in (("comment", comments), ("trailing_comma", re.compile(r",(?=\s*[}\]])")), ("ellipsis", re.compile(r"\.{3,}|\u2026"))):
        for match in pattern.finditer(bare):
            line = text.count("\n", 0, match.start()) + 1
            report.add(rule_id, f"line {line}", _shown(text[match.start() : match.end()].strip()))
        bare = pattern.sub(lambda match: " " * len(match[0]), bare)
    before = text[: bare.index("{")].strip() if "{" in bare else ""
    if before and not re.fullmatch(r"\[\s*", before) and not report.findings:
        report.add("text_before_json", "line 1", _shown(before.splitlines()[0]))
    if not report.findings:
        rule_id = "text_after_json" if error.msg == "Extra data" else "not_json"
        report.add(rule_id, f"line {error.lineno}", f"{error.msg} at column {error.colno}")


def _path_of(table: Table, record: dict[str, t.Any]) -> str:
    """The path of ``record`` inside ``table``; "" for the top, and for a record that a second key of its name has hidden."""
    stack: list[tuple[str, t.Any]] = [("", table)]
    while stack:
        path, node = stack.pop()
        if node is record:
            return path
        if isinstance(node, dict):
            stack.extend((f"{path}.{key}".lstrip("."), value) for key, value in node.items())
        elif isinstance(node, list):
            stack.extend((f"{path}[{index}]", value) for index, value in enumerate(node))
    return ""


# --- validate ---------------------------------------------------------------------------------------------------------


def validate(table: Table, profile: str = "mindie") -> list[Finding]:
    """Every rule that ``table`` breaks. Profile ``hccl`` leaves out what only the MindIE daemon asks for."""
    report = _Report(profile)
    if not _check_kind(report, table):
        return report.findings
    _check_shape(report, table)
    servers = _records(table, "server_list")
    devices = [_records(server, "device", f"{path}.") for path, server in servers]
    _check_head(report, table, servers)
    _check_servers(report, servers, devices)
    _check_devices(report, servers, devices)
    _check_addresses(
        report,
        [device for group in devices for device in group],
        single_server=len(servers) == 1,
        superpod=table.get("version") == SUPERPOD_VERSION,
    )
    _check_ranks(report, servers, devices)
    if table.get("version") == SUPERPOD_VERSION:
        _check_superpods(report, table, servers, devices)
    return report.findings


def _check_kind(report: _Report, table: Table) -> bool:
    kinds = (
        ("global_rank_table", ("server_group_list",)),
        ("pd_rank_table", ("prefill_device_list", "decode_device_list")),
        ("legacy_group_list", ("group_list",)),
        ("version_2_0", ("rank_list",)),
    )
    for rule_id, keys in kinds:
        for key in keys:
            if key in table and "server_list" not in table:
                report.add(rule_id, key, f"the key {_shown(key)}")
                return False
    if table.get("version") == "2.0":
        report.add("version_2_0", "version", '"2.0"')
        return False
    return True


def _check_shape(report: _Report, table: Table) -> None:
    """Containers must be lists of objects and known values strings. Other keys are nobody's: HCCL and MindIE skip them."""

    def strings(record: t.Mapping[str, t.Any], known: frozenset[str], path: str) -> None:
        for key, value in record.items():
            if not isinstance(value, str) and key in known:
                report.add("not_a_string", f"{path}{key}", _shown(value), key=key)

    def objects(record: t.Mapping[str, t.Any], key: str, path: str) -> list[tuple[str, t.Mapping[str, t.Any]]]:
        value = record.get(key, [])
        if not isinstance(value, list):
            report.add("not_a_list", f"{path}{key}", _shown(value))
            return []
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                report.add("not_an_object", f"{path}{key}[{index}]", _shown(item))
        return _records(record, key, path)

    strings(table, _TABLE_STRINGS, "")
    for server_path, server in objects(table, "server_list", ""):
        strings(server, _SERVER_STRINGS, f"{server_path}.")
        for device_path, device in objects(server, "device", f"{server_path}."):
            strings(device, _DEVICE_STRINGS, f"{device_path}.")
    for pod_path, pod in objects(table, "super_pod_list", ""):
        strings(pod, _POD_STRINGS, f"{pod_path}.")
        for server_path, server in objects(pod, "server_list", f"{pod_path}."):
            strings(server, _SERVER_STRINGS, f"{server_path}.")


_Records = t.List[t.Tuple[str, t.Mapping[str, t.Any]]]


def _check_head(report: _Report, table: Table, servers: _Records) -> None:
    version = _text(table, "version")
    if version is not None and version not in (VERSION, SUPERPOD_VERSION):
        report.add("version", "version", _shown(version) if "version" in table else "no version")
    status = _text(table, "status")
    if status is not None and status != "completed":
        report.add("status", "status", _shown(status) if "status" in table else "no status")
    if not servers:
        report.add("server_list_empty", "server_list", "no server")
    count_text = _text(table, "server_count")
    if count_text is None:
        return
    if "server_count" not in table:
        report.add("server_count_missing", "server_count", "no server_count", severity="error" if report.mindie else "warning")
        return
    count = _number(count_text)
    if count is None:
        report.add("server_count_invalid", "server_count", _shown(count_text))
        return
    if count != len(servers):
        report.add("server_count_mismatch", "server_count", _shown(count_text), count=count, length=len(servers))
    if report.mindie and not MINDIE_SERVERS[0] <= count <= MINDIE_SERVERS[1]:
        report.add("server_count_range", "server_count", _shown(count_text), count=count)


def _check_servers(report: _Report, servers: _Records, devices: list[_Records]) -> None:
    server_ids: dict[t.Any, str] = {}
    container_ips: dict[t.Any, str] = {}
    for path, server in servers:
        server_id = _text(server, "server_id")
        if server_id == "":
            report.add("server_id_missing", f"{path}.server_id", "nothing")
        elif server_id is not None:
            if len(server_id) > SERVER_ID_LENGTH_MAX:
                report.add("server_id_long", f"{path}.server_id", f"{len(server_id)} characters")
            report.unique("server_id_duplicate", server_ids, server_id, f"{path}.server_id")
        host_ip = _text(server, "host_ip")
        if "host_ip" in server and host_ip is not None and _address(host_ip) is None:
            report.add("host_ip_invalid", f"{path}.host_ip", _shown(host_ip))
        container_ip = _text(server, "container_ip") if report.mindie else None
        if container_ip == "":
            report.add("container_ip_missing", f"{path}.container_ip", "nothing")
        elif container_ip is not None:
            address = _address(container_ip)
            if address is None:
                report.add("container_ip_invalid", f"{path}.container_ip", _shown(container_ip))
            else:
                report.unique("container_ip_duplicate", container_ips, address, f"{path}.container_ip")
    if not servers:
        return
    first = len(devices[0])
    for (path, dummy), group in zip(servers, devices):
        if not group:
            report.add("device_list_empty", f"{path}.device", "no device")
        elif report.mindie and len(group) > MINDIE_DEVICES[1]:
            report.add("device_count_range", f"{path}.device", f"{len(group)} devices", count=len(group))
        if len(group) != first:
            # HCCL looks at the average of all servers only.
            severity = "error" if report.mindie or not group else "warning"
            report.add("device_count_uneven", f"{path}.device", f"{len(group)} devices", severity, count=len(group), first=first)
    total = sum(len(group) for group in devices)
    if report.mindie and (len(servers) > MINDIE_MANUAL_SERVERS or total > MINDIE_MANUAL_DEVICES):
        report.add("beyond_manual", "server_list", f"{len(servers)} servers and {total} devices")


def _check_devices(report: _Report, servers: _Records, devices: list[_Records]) -> None:
    backups: dict[t.Any, str] = {}
    for (server_path, dummy), group in zip(servers, devices):
        ids: dict[t.Any, str] = {}
        host_ports: dict[t.Any, str] = {}
        for path, device in group:
            _check_device_id(report, device, f"{path}.device_id", ids)
            _check_backup(report, device, f"{path}.backup_device_ip", backups)
            for key in ("device_port", "backup_device_port", "host_port"):
                if key in device:
                    _check_port(report, device, key, f"{path}.{key}", host_ports)
        if report.mindie and list(ids) != sorted(ids):
            report.add("device_order", f"{server_path}.device", ", ".join(map(str, ids)))


def _check_device_id(report: _Report, device: t.Mapping[str, t.Any], path: str, ids: dict[t.Any, str]) -> None:
    text = _text(device, "device_id")
    if text is None:
        return
    number = _number(text)
    if number is None:
        report.add("device_id_invalid", path, _shown(text) if text else "nothing")
        return
    if report.mindie and number > MINDIE_DEVICE_ID_MAX:
        report.add("device_id_range", path, _shown(text), value=number)
    elif number > HCCL_DEVICE_ID_MAX:
        # The daemon takes these, and its manual allows servers of 32 devices.
        report.add("device_id_physical", path, _shown(text), "warning" if report.mindie else "error", value=number)
    report.unique("device_id_duplicate", ids, number, path)


def _check_backup(report: _Report, device: t.Mapping[str, t.Any], path: str, backups: dict[t.Any, str]) -> None:
    text = _text(device, "backup_device_ip")
    if not text:
        return
    own = {_address(part) for part in (_text(device, "device_ip") or "").split(",")}
    for part in text.split(","):
        address = _address(part)
        if address is None:
            report.add("backup_device_ip_invalid", path, _shown(text))
            return
        if address in own:
            report.add("backup_device_ip_own", path, _shown(part))
        report.unique("backup_device_ip_duplicate", backups, address, path)


def _check_port(report: _Report, device: t.Mapping[str, t.Any], key: str, path: str, host_ports: dict[t.Any, str]) -> None:
    text = _text(device, key)
    if text is None:
        return
    port = _number(text)
    if port is None or not 1 <= port <= 65535:
        report.add("port_invalid", path, _shown(text), key=key)
        return
    if port <= 1023:
        report.add("port_reserved", path, _shown(text))
    if key == "host_port":
        report.unique("host_port_duplicate", host_ports, port, path)


def _check_addresses(report: _Report, devices: _Records, single_server: bool, superpod: bool) -> None:
    seen: dict[t.Any, str] = {}
    first_version = 0
    first_count = 0
    for path, device in devices:
        text = _text(device, "device_ip")
        if text is None:
            continue
        path = f"{path}.device_ip"
        if text == "":
            if report.mindie or not single_server:
                # In a superpod the devices may reach each other without their addresses.
                optional = superpod and not report.mindie and "device_ip" in device
                report.add("device_ip_missing", path, "nothing", "warning" if optional else "error")
            continue
        # HCCL takes several addresses with commas between them, MindIE does not.
        parts = [text] if report.mindie else text.split(",")
        first_count = first_count or len(parts)
        if len(parts) != first_count:
            report.add("device_ip_count", path, f"{len(parts)} addresses", first=first_count)
        for part in parts:
            address = _address(part)
            if address is None:
                report.add("device_ip_invalid", path, _shown(part), value=part)
                continue
            report.unique("device_ip_duplicate", seen, address, path)
            first_version = first_version or address.version
            if address.version != first_version:
                family = {4: 2, 6: 10}
                report.add(
                    "device_ip_family",
                    path,
                    f"{part} (IPv{address.version})",
                    first=first_version,
                    rank=device.get("rank_id"),
                    family=family[address.version],
                    others=family[first_version],
                )


def _check_ranks(report: _Report, servers: _Records, devices: list[_Records]) -> None:
    seen: dict[t.Any, str] = {}
    readable = True
    duplicates = len(report.findings)
    spans: list[tuple[int, int, str]] = []
    for (server_path, dummy), group in zip(servers, devices):
        ranks = []
        for path, device in group:
            text = _text(device, "rank_id")
            rank = None if text is None else _number(text)
            # MindIE looks for the master by the text "0".
            if rank is None or (report.mindie and text != str(rank)):
                readable = False
                if text is not None:
                    report.add("rank_id_invalid", f"{path}.rank_id", _shown(text) if text else "nothing")
                continue
            if report.mindie and rank > MINDIE_RANK_ID_MAX:
                report.add("rank_id_range", f"{path}.rank_id", _shown(text), value=rank)
            report.unique("rank_id_duplicate", seen, rank, f"{path}.rank_id")
            ranks.append(rank)
        if ranks:
            spans.append((min(ranks), max(ranks), server_path))
    total = sum(len(group) for group in devices)
    if readable and total:
        missing = [rank for rank in range(total) if rank not in seen]
        if missing:
            shown = ", ".join(map(str, missing[:8])) + (" ..." if len(missing) > 8 else "")
            report.add("rank_id_gap", "server_list", f"no rank {shown}", last=total - 1)
    if not any(finding.id == "rank_id_duplicate" for finding in report.findings[duplicates:]):
        # With duplicates the rows overlap in any case; the duplicates are the cause to name.
        _check_rows(report, spans)
    master = seen.get(0)
    if report.mindie and master is not None and not master.startswith("server_list[0]."):
        report.add("master_not_first", master, "rank 0")


def _check_rows(report: _Report, spans: list[tuple[int, int, str]]) -> None:
    spans = sorted(spans)
    for (dummy, last, path), (first, other_last, other_path) in zip(spans, spans[1:]):
        if first < last:
            report.add("rank_id_interleaved", other_path, f"ranks {first} to {other_last}, while those of {path} go up to {last}")


def _check_superpods(report: _Report, table: Table, servers: _Records, devices: list[_Records]) -> None:
    pods = _records(table, "super_pod_list")
    if not pods:
        report.add("super_pod_list_missing", "super_pod_list", "nothing")
    known = {server.get("server_id") for dummy, server in servers if isinstance(server.get("server_id"), str)}
    pod_ids: dict[t.Any, str] = {}
    pod_of: dict[str, tuple[str, str]] = {}
    listed: dict[t.Any, str] = {}
    for path, pod in pods:
        pod_id = _text(pod, "super_pod_id")
        if pod_id == "":
            report.add("super_pod_id_missing", f"{path}.super_pod_id", "nothing")
        elif pod_id is not None:
            report.unique("super_pod_id_duplicate", pod_ids, pod_id, f"{path}.super_pod_id")
        for server_path, server in _records(pod, "server_list", f"{path}."):
            server_id = _text(server, "server_id")
            if server_id is None:
                continue
            if server_id not in known:
                report.add("super_pod_server_unknown", f"{server_path}.server_id", _shown(server_id) if server_id else "nothing")
                continue
            report.unique("super_pod_server_duplicate", listed, server_id, f"{server_path}.server_id")
            pod_of.setdefault(server_id, (path, pod_id or ""))
    order: list[str] = []
    sdids: dict[str, dict[t.Any, str]] = {}
    for (path, server), group in zip(servers, devices):
        server_id = _text(server, "server_id") or ""
        pod_path, pod_id = pod_of.get(server_id, ("", ""))
        if pods and server_id and not pod_path:
            report.add("super_pod_server_missing", f"{path}.server_id", f"{server_id} in no superpod", pods=len(pod_of), servers=len(servers))
        if pod_path and (not order or order[-1] != pod_path):
            if pod_path in order:
                report.add("super_pod_not_contiguous", path, f"{server_id} of {pod_path} after servers of another superpod")
            order.append(pod_path)
        for device_path, device in group:
            text = _text(device, "super_device_id")
            if text is None:
                continue
            sdid = _number(text)
            device_path = f"{device_path}.super_device_id"
            if sdid is None:
                report.add("super_device_id_invalid", device_path, _shown(text) if text else "nothing", value=text)
            elif pod_path:
                report.unique("super_device_id_duplicate", sdids.setdefault(pod_path, {}), sdid, device_path, value=sdid, pod=pod_id)


# --- against the world ------------------------------------------------------------------------------------------------


def compare_with_live(table: Table, server_id: str, live: t.Sequence[t.Mapping[str, t.Any]]) -> list[Finding]:
    """Where the table says other than the devices of the host ``server_id`` do.

    ``live`` holds device_id and device_ip (None or "" for a device without address). Devices that the table leaves out
    are not reported: a group may use a part of a host.
    """
    report = _Report("hccl")
    for path, server in _records(table, "server_list"):
        if server.get("server_id") != server_id:
            continue
        addresses = {str(device.get("device_id")): device.get("device_ip") for device in live}
        for device_path, device in _records(server, "device", f"{path}."):
            device_id = str(device.get("device_id"))
            if device_id not in addresses:
                report.add("live_device_missing", f"{device_path}.device_id", f"{device_id}, while {server_id} has {', '.join(addresses) or 'no device'}")
                continue
            value = str(device.get("device_ip") or "")
            address = str(addresses[device_id] or "")
            if (_address(address) or address) not in [_address(part) or part for part in value.split(",")]:
                report.add(
                    "live_device_ip",
                    f"{device_path}.device_ip",
                    f"{value or 'nothing'} for device {device_id} of {server_id}",
                    value=value,
                    live=address or "none",
                    count=value.count(",") + 1,
                )
        return report.findings
    report.add("live_server_unknown", "server_list", f"no server {server_id}")
    return report.findings


def path_findings(path: str) -> list[Finding]:
    """Why MindIE or HCCL would not take ``path`` as the place of a rank table."""
    report = _Report("mindie")
    if not path.startswith("/"):
        report.add("path_relative", path, _shown(path))
    if len(path) > PATH_LENGTH_MAX:
        report.add("path_long", path, f"{len(path)} characters")
    if not _PATH.fullmatch(path):
        strange = sorted({character for character in path if not _PATH.fullmatch(character)})
        report.add("path_characters", path, ", ".join(map(_shown, strange)))
    if ".." in path.split("/"):
        report.add("path_parent", path, _shown(path))
    # HCCL takes the first .json in the whole path for the suffix.
    if not path.endswith(".json") or path.endswith("/.json") or path.count(".json") > 1:
        report.add("path_suffix", path, _shown(path), value=path)
    return report.findings
