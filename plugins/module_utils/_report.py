# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was gathered on the hosts to one document, which the JSON report is. No input or output here.

What a tool, a host or a file said is never trusted: a missing or odd piece becomes a gap of the report, not its end.
"""

from __future__ import annotations

import base64
import collections
import hashlib
import json
import math
import re
import typing as t

SCHEMA = "npuops.ascend/report"
SCHEMA_VERSION = 1
LANGUAGES = ("en", "zh")
STATUSES = ("fail", "warn", "pass", "skip")
# By mindie_info, and by systemd for other services.
RUNNING = ("ready", "active")
STAGES = ("host", "npu", "fabric", "launch")

# Control characters, the marks that turn the direction of the text around them, lone surrogates, what XML cannot hold.
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff]")


def visible(text: str) -> str:
    """The text with its invisible characters spelt out, such as ``\\x1b`` and ``\\u202e``."""
    return _INVISIBLE.sub(lambda match: f"\\x{ord(match[0]):02x}" if ord(match[0]) < 256 else f"\\u{ord(match[0]):04x}", text)


def plain(value: t.Any) -> t.Any:
    """The value of plain JSON types alone, every text made visible."""
    if isinstance(value, t.Mapping):
        return {visible(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    # Also a subclass such as Markup or a tagged text becomes a plain one.
    return visible(str.__str__(value) if isinstance(value, str) else str(value))


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: t.Any) -> list[dict[str, t.Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: t.Any) -> str | None:
    return str(value).strip() or None if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None


def number(value: t.Any) -> float | None:
    """A finite number, also one that is written as text; else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def in_language(texts: t.Any, language: str) -> str:
    """One of ``{en: ..., zh: ...}``, English where the language is missing; a plain text as it is."""
    if isinstance(texts, dict):
        return str(texts.get(language) or texts.get("en") or "")
    return "" if texts is None else str(texts)


def _json(text: t.Any) -> t.Any:
    try:
        return plain(json.loads(text))
    except (TypeError, ValueError, RecursionError):
        return None


# ---- hosts and versions


def _npus(npu: dict[str, t.Any]) -> str | None:
    names = collections.Counter(str(device.get("name")) for device in _dicts(npu.get("devices")))
    if not names:
        names = collections.Counter(str(item.get("product") or item.get("chip")) for item in _dicts(npu.get("pci")))
    return ", ".join(f"{count} × {name}" for name, count in sorted(names.items())) or None


def _of_devices(view: dict[str, t.Any], key: str, names: t.Mapping[bool, str] | None = None) -> str | None:
    """What all devices of a host have; several values with the devices that have them."""
    found: dict[str, list[int]] = {}
    for device in _dicts(view["devices"]):
        if device.get(key) is not None:
            value = names[device[key]] if names and isinstance(device[key], bool) else str(device[key])
            found.setdefault(value, []).append(device.get("device"))
    if len(found) <= 1:
        return next(iter(found), None)
    return "; ".join(f"{value} ({', '.join(map(str, devices))})" for value, devices in found.items())


_VERSIONS: dict[str, t.Callable[[dict[str, t.Any]], t.Any]] = {
    "system": lambda view: f"{view['system'].get('distribution') or ''} {view['system'].get('version') or ''}",
    "kernel": lambda view: view["system"].get("kernel"),
    "architecture": lambda view: view["system"].get("architecture"),
    "npus": lambda view: _npus(view["npu"]),
    "driver": lambda view: view["npu"].get("driver_version") or _dict(view["npu"].get("installed")).get("driver_version"),
    "firmware": lambda view: view["npu"].get("firmware_version") or _dict(view["npu"].get("installed")).get("firmware_version"),
    "cann": lambda view: view["cann"].get("toolkit"),
    "kernels": lambda view: view["cann"].get("kernels"),
    "nnal": lambda view: view["cann"].get("nnal"),
    "image": lambda view: view["image"].get("name") if view["image"].get("id") else None,
    "image_id": lambda view: view["image"].get("id"),
    "tls": lambda view: _of_devices(view, "tls_enabled", {True: "on", False: "off"}),
    "mtu": lambda view: _of_devices(view, "mtu"),
    "speed": lambda view: _of_devices(view, "speed_mbps"),
}


def _odd(values: dict[str, str | None]) -> list[str]:
    """The hosts that have another value than most; all of them where no value has the majority."""
    known = collections.Counter(value for value in values.values() if value is not None)
    if len(known) <= 1:
        return []
    (first, count), (_second, runner_up) = known.most_common(2)
    return [host for host, value in values.items() if value is not None and (value != first or count == runner_up)]


def versions(views: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    rows = []
    for name, read in _VERSIONS.items():
        values = {view["host"]: _text(read(view)) for view in views}
        if any(value is not None for value in values.values()):
            rows.append({"name": name, "values": values, "odd": _odd(values)})
    return rows


# ---- network


def cabling(views: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """For each device the switch and port that LLDP names."""
    rows = []
    for view in views:
        for device in _dicts(view["devices"]):
            lldp = _dict(device.get("lldp"))
            rows.append(
                {
                    "host": view["host"],
                    "device": device.get("device"),
                    "address": _text(device.get("address")),
                    "link": _text(device.get("link")),
                    "switch": _text(lldp.get("system_name")) or _text(lldp.get("chassis_id")),
                    "port": _text(lldp.get("port_id")),
                }
            )
    return rows


def fabric_pairs(pairs: t.Any) -> list[dict[str, t.Any]]:
    keys = ("host", "device", "address", "peer_host", "peer_device", "peer_address", "loss_percent", "avg_ms", "error", "reason")
    made = [{key: pair.get(key) for key in keys} for pair in _dicts(pairs)]
    # Each host may bring the pairs of all.
    return list({tuple(str(pair[key]) for key in ("host", "device", "peer_host", "peer_device")): pair for pair in made}.values())


def pair_failed(pair: dict[str, t.Any]) -> bool:
    return bool(pair.get("error")) or number(pair.get("loss_percent")) != 0


# ---- rank table, service


def _rank_table(view: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """The file that a host has; its devices in the order of the ranks."""
    read = _dict(view.get("rank_table"))
    if not read.get("content"):
        return None
    try:
        data = base64.b64decode(str(read["content"]), validate=True)
    except ValueError:
        return None
    table = _dict(_json(data.decode("utf-8", errors="replace")))
    ranks = [
        {
            "rank": _text(device.get("rank_id")),
            "server": _text(server.get("server_id")),
            "device": _text(device.get("device_id")),
            "address": _text(device.get("device_ip")),
        }
        for server in _dicts(table.get("server_list"))
        for device in _dicts(server.get("device"))
    ]
    return {"path": _text(read.get("path")), "sha256": hashlib.sha256(data).hexdigest(), "ranks": ranks}


def rank_tables(views: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """One entry for each serving group: the table of its first host that has one, and whether all have the same bytes."""
    groups: dict[str, list[tuple[str, dict[str, t.Any]]]] = {}
    for view in views:
        table = _rank_table(view)
        if table:
            groups.setdefault(view["group"], []).append((view["host"], table))
    result = []
    for group, tables in groups.items():
        checksums = {host: table["sha256"] for host, table in tables}
        result.append({"group": group, **tables[0][1], "hosts": checksums, "identical": len(set(checksums.values())) == 1})
    return result


def services(views: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    rows = []
    for view in views:
        service = view["service"]
        if service.get("state"):
            rows.append(
                {
                    "host": view["host"],
                    "unit": _text(service.get("unit")),
                    "state": _text(service.get("state")),
                    "phase": _text(service.get("phase")),
                    "current": service.get("current") if isinstance(service.get("current"), bool) else None,
                    "first_error": _text(_dict(service.get("first_error")).get("text")),
                }
            )
    return rows


def smoke(views: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    rows = []
    for view in views:
        asked = _dict(view.get("smoke"))
        if asked.get("url"):
            row = {key: _text(asked.get(key)) for key in ("url", "model", "question", "answer", "error")}
            rows.append({"host": view["host"], **row, "seconds": number(asked.get("seconds"))})
    return rows


# ---- figures


def timings(text: t.Any, hosts: t.Collection[str]) -> dict[str, t.Any] | None:
    """The file of the callback npuops.ascend.timings, when it is about these hosts."""
    read = _dict(_json(text))
    stages = []
    for stage in _dicts(read.get("stages")):
        seconds = number(stage.get("seconds"))
        if seconds is not None and _text(stage.get("stage")):
            spent = {host: number(value) for host, value in _dict(stage.get("hosts")).items() if host in hosts}
            stages.append({"stage": _text(stage.get("stage")), "seconds": seconds, "hosts": spent})
    if read.get("schema") != "npuops.ascend/timings" or not any(stage["hosts"] for stage in stages):
        return None
    return {"playbook": _text(read.get("playbook")), "started": _text(read.get("started")), "seconds": number(read.get("seconds")), "stages": stages}


_PERCENTILES = ("mean", "p50", "p90", "p99")


def _benchmark_points(read: t.Any) -> list[dict[str, t.Any]]:
    """The measured points of one file: a list of them, a dictionary that holds such a list, or one point."""
    if isinstance(read, dict):
        read = next((read[key] for key in ("points", "results", "runs") if isinstance(read.get(key), list)), [read])
    points = []
    for point in _dicts(read):
        concurrency, throughput = number(point.get("concurrency")), number(point.get("output_throughput_tok_s"))
        if concurrency is None or throughput is None:
            continue
        latencies = {name: {key: number(_dict(point.get(name)).get(key)) for key in _PERCENTILES} for name in ("ttft_ms", "tpot_ms")}
        points.append(
            {"concurrency": concurrency, "output_throughput_tok_s": throughput, **latencies, "success_rate": number(point.get("success_rate"))}
        )
    return sorted(points, key=lambda point: point["concurrency"])


def benchmarks(files: t.Any) -> list[dict[str, t.Any]]:
    """The files that hold measured points, by their names."""
    read = {name: _benchmark_points(_json(text)) for name, text in sorted(_dict(files).items())}
    return [{"name": name, "points": points} for name, points in read.items() if points]


# ---- the document


def _checks(results: t.Any) -> list[dict[str, t.Any]]:
    return [result for result in _dicts(results) if result.get("id") and result.get("status") in STATUSES]


def verdict(document: dict[str, t.Any]) -> str:
    """``fail`` or ``warn`` when anything in the report is, else ``pass``."""
    counts = document["summary"]["checks"]
    failed_services = [row for row in document["services"] if row["state"] not in RUNNING]
    failed_smoke = [row for row in document["smoke"] if not row["answer"]]
    unequal = [table for table in document["rank_tables"] if not table["identical"]]
    if counts["fail"] or document["summary"]["unreachable"] or document["summary"]["pairs_failed"] or failed_services or failed_smoke or unequal:
        return "fail"
    return "warn" if counts["warn"] or any(row["odd"] for row in document["versions"]) else "pass"


def document(
    views: t.Any,
    checks: t.Any = None,
    pairs: t.Any = None,
    timings_text: t.Any = None,
    benchmark_files: t.Any = None,
    title: str = "",
    generated_at: str = "",
    language: str = "en",
) -> dict[str, t.Any]:
    """The whole report; ``views`` has one dictionary for each host."""
    hosts = []
    for view in _dicts(plain(views)):
        facts = _dict(view.get("facts"))
        sections = {name: _dict(facts.get(name)) for name in ("system", "npu", "cann", "image", "service")}
        devices = _dict(facts.get("hccn")).get("devices")
        hosts.append({**view, **sections, "devices": devices, "host": str(view.get("host")), "group": str(view.get("group") or "")})
    reached = [view for view in hosts if view.get("reached")]
    results = _checks(plain(checks))
    measured = fabric_pairs(plain(pairs))
    made: dict[str, t.Any] = {
        "schema": SCHEMA,
        "schema_version": SCHEMA_VERSION,
        "title": visible(str(title)),
        "generated_at": visible(str(generated_at)),
        "language": language if language in LANGUAGES else "en",
        "hosts": [
            {"host": view["host"], "address": _text(view.get("address")), "group": view["group"], "reached": bool(view.get("reached"))} for view in hosts
        ],
        "versions": versions(reached),
        "checks": results,
        "fabric": {"pairs": measured},
        "cabling": cabling(reached),
        "rank_tables": rank_tables(reached),
        "services": services(reached),
        "smoke": smoke(reached),
        "timings": timings(timings_text, [view["host"] for view in hosts]),
        "benchmarks": benchmarks(plain(benchmark_files)),
    }
    counted = collections.Counter(result["status"] for result in results)
    made["summary"] = {
        "hosts": len(hosts),
        "unreachable": [view["host"] for view in hosts if not view.get("reached")],
        "devices": sum(int(number(view["npu"].get("count")) or 0) for view in reached),
        "checks": {status: counted[status] for status in STATUSES},
        "pairs": len(measured),
        "pairs_failed": sum(pair_failed(pair) for pair in measured),
    }
    made["summary"]["status"] = verdict(made)
    return made
