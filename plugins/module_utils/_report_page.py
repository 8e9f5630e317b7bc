# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the document of a report to what its page shows: words, grids, bars and lines. No markup here."""

from __future__ import annotations

import math
import statistics
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils import _report
from ansible_collections.npuops.ascend.plugins.module_utils._report import in_language, number

# More rows than these nobody reads: pairs of devices are then put together by their hosts, the worst pair standing for all.
_MOST_ROWS = 64

WORDS: dict[str, tuple[str, str]] = {
    "report": ("Cluster report", "集群报告"),
    "made_at": ("Made at", "生成时间"),
    "contents": ("Contents", "目录"),
    "status_pass": ("No findings", "未发现问题"),
    "status_warn": ("Warnings", "有告警"),
    "status_fail": ("Needs attention", "需要处理"),
    "pass": ("pass", "通过"),
    "warn": ("warning", "告警"),
    "fail": ("fail", "失败"),
    "skip": ("skipped", "已跳过"),
    "hosts": ("Hosts", "主机"),
    "host": ("Host", "主机"),
    "reached": ("reached", "可达"),
    "unreachable": ("unreachable", "不可达"),
    "devices": ("NPUs", "NPU"),
    "device": ("Device", "设备"),
    "findings": ("Findings", "发现的问题"),
    "no_findings": ("All checks that ran have passed.", "已执行的检查全部通过。"),
    "checks": ("Checks", "检查"),
    "check": ("Check", "检查项"),
    "no_checks": ("No check was run.", "没有执行检查。"),
    "passed_of": ("passed", "项通过"),
    "cluster": ("cluster", "集群"),
    "observed": ("Observed", "实际"),
    "expected": ("Expected", "预期"),
    "cause": ("Cause", "原因"),
    "remedy": ("Remedy", "处理方法"),
    "source": ("Source", "来源"),
    "evidence": ("Evidence", "证据"),
    "stage_host": ("host", "主机"),
    "stage_npu": ("NPU", "NPU"),
    "stage_fabric": ("fabric", "网络"),
    "stage_launch": ("launch", "启动"),
    "inventory": ("Hosts and versions", "主机与版本"),
    "address": ("Address", "地址"),
    "group": ("Serving group", "服务组"),
    "system": ("Operating system", "操作系统"),
    "kernel": ("Kernel", "内核"),
    "architecture": ("Architecture", "架构"),
    "npus": ("NPUs", "NPU"),
    "driver": ("HDK driver", "HDK 驱动"),
    "firmware": ("HDK firmware", "HDK 固件"),
    "cann": ("CANN toolkit", "CANN toolkit"),
    "kernels": ("CANN kernels", "CANN kernels"),
    "nnal": ("CANN NNAL", "CANN NNAL"),
    "image": ("Image", "镜像"),
    "image_id": ("Image id", "镜像 ID"),
    "tls": ("TLS switch of the NPUs", "NPU 的 TLS 开关"),
    "mtu": ("MTU of the NPUs", "NPU 的 MTU"),
    "speed": ("Speed of the NPU ports, Mb/s", "NPU 端口速率（Mb/s）"),
    "differs": ("differs", "不一致"),
    "not_read": ("not there", "没有"),
    "fabric": ("Fabric", "NPU 网络"),
    "fabric_explained": (
        "Average time of a ping in milliseconds. A stronger colour is slower than the median; lost packets are framed and show the loss.",
        "ping 的平均时间，单位毫秒。颜色越重，比中位数越慢；丢包的格子带边框并写出丢包率。",
    ),
    "fabric_by_host": ("The slowest or failing pair stands for each pair of hosts.", "每对主机以最慢或失败的一对设备为代表。"),
    "pairs_ok": ("pairs answer", "对有应答"),
    "pair": ("Pair", "通信对"),
    "from_to": ("From / to", "源 / 目的"),
    "reason": ("Likely reason", "可能原因"),
    "reason_tls": ("the TLS switches differ", "TLS 开关不一致"),
    "reason_link": ("a link is down", "链路断开"),
    "reason_address_plan": ("the addresses do not fit together", "地址规划有误"),
    "reason_gateway": ("the gateway", "网关"),
    "reason_switch_port": ("the switch port", "交换机端口"),
    "reason_tool": ("hccn_tool itself failed", "hccn_tool 执行失败"),
    "reason_back_to_back": ("cabled without a switch", "未经交换机直连"),
    "reason_unknown": ("not known", "未知"),
    "cabling": ("Cabling", "布线"),
    "cabling_explained": ("Switch port of each device, as LLDP tells it.", "LLDP 报告的每个设备所接的交换机端口。"),
    "no_neighbour": ("no neighbour", "无邻居"),
    "link_down": ("link down", "链路断开"),
    "rank_table": ("Rank table", "Rank 表"),
    "identical": ("Same bytes on", "内容逐字节一致："),
    "not_identical": ("The hosts have different tables.", "各主机上的 rank 表不一致。"),
    "rank": ("Rank", "Rank"),
    "server": ("Server", "服务器"),
    "service": ("Service", "服务"),
    "unit": ("Unit", "单元"),
    "state": ("State", "状态"),
    "phase": ("Progress of the last start", "上次启动的进度"),
    "current": ("Started with what is on disk", "启动所用与磁盘一致"),
    "first_error": ("First error", "首个错误"),
    "yes": ("yes", "是"),
    "no": ("no", "否"),
    "smoke": ("Answer of the service", "服务的回答"),
    "model": ("Model", "模型"),
    "no_answer": ("No answer", "没有回答"),
    "timings": ("Seconds per stage", "各阶段耗时（秒）"),
    "stage": ("Stage", "阶段"),
    "seconds": ("Seconds", "秒"),
    "total": ("Whole run", "全程"),
    "started": ("started", "开始于"),
    "benchmarks": ("Benchmark", "性能"),
    "concurrency": ("Concurrent requests", "并发请求数"),
    "throughput": ("Output, tokens/s", "输出吞吐（token/s）"),
    "throughput_best": ("tokens/s at best", "token/s（最高）"),
    "ttft": ("Time to first token, ms", "首 token 时延（ms）"),
    "tpot": ("Time per output token, ms", "每 token 时延（ms）"),
    "mean": ("mean", "均值"),
    "success": ("Answered", "成功率"),
    "where": ("Where", "位置"),
    "ready": ("ready", "就绪"),
    "active": ("active", "运行中"),
    "starting": ("starting", "启动中"),
    "stopped": ("stopped", "已停止"),
    "failed": ("failed", "失败"),
    "made_by": ("Made by npuops.ascend. The same as data: report.json and report.xml (JUnit).", "由 npuops.ascend 生成。同样内容的数据：report.json 与 report.xml（JUnit）。"),
}


def _worst(statuses: t.Iterable[str]) -> str:
    return min(statuses, key=_report.STATUSES.index)


def check_grid(checks: list[dict[str, t.Any]], hosts: list[str], language: str) -> list[tuple[str, list[dict[str, t.Any]]]]:
    """By stage, rows of checks by hosts. A check of the whole cluster that names no host is one cell over all columns."""
    rows: dict[str, dict[str, t.Any]] = {}
    for result in checks:
        stage = result.get("stage") if result.get("stage") in _report.STAGES else ""
        row = rows.setdefault(str(result["id"]), {"id": str(result["id"]), "title": in_language(result.get("title"), language), "stage": stage, "found": {}})
        row["found"].setdefault(str(result.get("host") or ""), []).append(result["status"])
    grid = []
    for row in rows.values():
        cells = {host: _worst(statuses) for host, statuses in row.pop("found").items()}
        whole = cells.pop("", None)
        if whole and not cells:
            grid.append({**row, "whole": whole, "cells": []})
        else:
            grid.append({**row, "whole": None, "cells": [cells.get(host, whole) for host in hosts]})
    stages = [(stage, [row for row in grid if row["stage"] == stage]) for stage in (*_report.STAGES, "")]
    return [(stage, found) for stage, found in stages if found]


def findings(checks: list[dict[str, t.Any]], language: str) -> list[dict[str, t.Any]]:
    """What failed and what warns; findings with one cause and one remedy stand together, with a place for each host or device."""
    found: dict[tuple[str, ...], list[dict[str, t.Any]]] = {}
    for result in sorted((result for result in checks if result["status"] in ("fail", "warn")), key=lambda result: result["status"]):
        texts = [in_language(result.get(key), language) for key in ("title", "cause", "remedy", "source")]
        evidence = result.get("evidence")
        found.setdefault((str(result["id"]), result["status"], *texts), []).append(
            {
                "host": str(result.get("host") or ""),
                "device": result.get("device"),
                "observed": in_language(result.get("observed"), language),
                "expected": in_language(result.get("expected"), language),
                "evidence": "\n".join(map(str, evidence)) if isinstance(evidence, list) else in_language(evidence, language),
            }
        )
    keys = ("id", "status", "title", "cause", "remedy", "source")
    return [{**dict(zip(keys, texts)), "places": places} for texts, places in found.items()]


def skipped(checks: list[dict[str, t.Any]]) -> list[dict[str, t.Any]]:
    """Why checks were skipped, each reason once with its hosts."""
    rows: dict[tuple[str, str], list[str]] = {}
    for result in checks:
        if result["status"] == "skip":
            hosts = rows.setdefault((str(result["id"]), in_language(result.get("observed"), "en")), [])
            hosts.extend({str(result.get("host") or "")} - {"", *hosts})
    return [{"id": check, "observed": observed, "hosts": hosts} for (check, observed), hosts in rows.items()]


# ---- heat map


def _cell(pair: dict[str, t.Any], median: float) -> dict[str, t.Any]:
    title = f"{pair['host']} {pair['device']} → {pair['peer_host']} {pair['peer_device']} ({pair['peer_address']})"
    time = number(pair["avg_ms"])
    if _report.pair_failed(pair):
        loss = number(pair["loss_percent"])
        return {"level": "bad", "text": "×" if loss is None else f"{loss:g}%", "title": title, "time": math.inf if loss is None else 1e9 + loss}
    if time is None:
        return {"level": 0, "text": "✓", "title": title, "time": 0.0}
    ratio = time / median if median else 1.0
    level = next((level for level, limit in enumerate((1.15, 1.5, 2.5)) if ratio <= limit), 3)
    return {"level": level, "text": f"{time:.2f}" if time < 10 else f"{time:.0f}", "title": title, "time": time}


def heat_map(pairs: list[dict[str, t.Any]]) -> dict[str, t.Any] | None:
    """A grid of the pairs.

    All pairs are host and device by host and device, pairs of the same index two hosts by device, and where that is too large, host by host.
    """
    if not pairs:
        return None
    median = statistics.median([time for pair in pairs if (time := number(pair["avg_ms"])) is not None] or [0.0])
    cells = [(pair, _cell(pair, median)) for pair in pairs]

    def names(pair: dict[str, t.Any]) -> tuple[tuple[str, str], tuple[str, str]]:
        return (str(pair["host"]), str(pair["device"])), (str(pair["peer_host"]), str(pair["peer_device"]))

    same_index = all(pair["device"] == pair["peer_device"] for pair in pairs)
    keys: list[tuple[tuple[str, ...], tuple[str, ...]]]
    if same_index:
        mode, keys = "same_index", [((source[0], peer[0]), (source[1],)) for source, peer in map(names, pairs)]
    else:
        mode, keys = "all", [names(pair) for pair in pairs]
    if len({row for row, _column in keys}) > _MOST_ROWS:
        mode, keys = "hosts", [((source[0],), (peer[0],)) for source, peer in map(names, pairs)]
    grid: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, t.Any]] = {}
    for key, (_pair, cell) in zip(keys, cells):
        if key not in grid or cell["time"] > grid[key]["time"]:
            grid[key] = cell
    columns = list(dict.fromkeys(column for _row, column in keys))
    columns.sort(key=lambda column: [(0, int(part), "") if part.isdecimal() and len(part) < 9 else (1, 0, part) for part in column])
    rows = list(dict.fromkeys(row for row, _column in keys))
    return {
        "mode": mode,
        "columns": columns,
        # Columns of one host stand under its name.
        "groups": [(host, sum(column[0] == host for column in columns)) for host in dict.fromkeys(column[0] for column in columns)],
        "rows": [{"names": row, "cells": [grid.get((row, column)) for column in columns]} for row in rows],
        "failed": [
            {
                "from": f"{pair['host']} {pair['device']}",
                "to": f"{pair['peer_host']} {pair['peer_device']}",
                "addresses": f"{pair['address']} → {pair['peer_address']}",
                "text": cell["text"],
                "error": str(pair["error"] or ""),
                "reason": str(pair["reason"] or ""),
            }
            for pair, cell in cells
            if cell["level"] == "bad"
        ],
    }


def rank_rows(table: dict[str, t.Any]) -> list[tuple[str, list[dict[str, t.Any]]]]:
    """The ranks of each server, in the order of the table."""
    servers = dict.fromkeys(str(rank["server"] or "") for rank in table["ranks"])
    return [(server, [rank for rank in table["ranks"] if str(rank["server"] or "") == server]) for server in servers]


def cable_grid(cables: list[dict[str, t.Any]], hosts: list[str]) -> list[dict[str, t.Any]]:
    """Rows of devices by hosts."""
    found = {(cable["host"], str(cable["device"])): cable for cable in cables}
    devices = dict.fromkeys(str(cable["device"]) for cable in cables)
    return [{"device": device, "cells": [found.get((host, device)) for host in hosts]} for device in devices]


# ---- figures


def bars(timings: dict[str, t.Any] | None) -> list[dict[str, t.Any]]:
    stages = timings["stages"] if timings else []
    longest = max((stage["seconds"] for stage in stages), default=0) or 1
    return [{**stage, "name": stage["stage"].rsplit(".", 1)[-1], "percent": round(100 * stage["seconds"] / longest, 1)} for stage in stages]


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if value <= step * power * 1.000001)


def chart(series: list[tuple[str, list[tuple[float, float]]]], width: int = 520, height: int = 220) -> dict[str, t.Any] | None:
    """Coordinates of lines in a box with axes; the values of x stand at equal distances."""
    series = [(name, points) for name, points in series if points]
    if not series:
        return None
    left, right, top, bottom = 52, width - 16, 14, height - 34
    xs = sorted({x for _name, points in series for x, _y in points})
    largest = max(y for _name, points in series for _x, y in points)
    step = _round_up(largest / 4) if largest > 1e-9 else 1.0
    ceiling = step * (math.ceil(largest / step) or 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share = xs.index(x) / (len(xs) - 1) if len(xs) > 1 else 0.5
        return round(left + (right - left) * (0.04 + 0.92 * share), 1), round(bottom - (bottom - top) * max(y, 0.0) / ceiling, 1)

    lines = []
    for name, points in series:
        places = [(*place(x, y), f"{y:g}") for x, y in points]
        lines.append({"name": name, "dots": places, "path": " ".join(f"{x},{y}" for x, y, _label in places)})
    return {
        "width": width,
        "height": height,
        "left": left,
        "right": right,
        "bottom": bottom,
        "lines": lines,
        "x_ticks": [(place(x, 0)[0], f"{x:g}") for x in xs],
        "y_ticks": [(place(xs[0], step * index)[1], f"{step * index:g}") for index in range(round(ceiling / step) + 1)],
    }


def benchmark(run: dict[str, t.Any]) -> dict[str, t.Any]:
    points = run["points"]

    def of(name: str, key: str) -> list[tuple[float, float]]:
        return [(point["concurrency"], point[name][key]) for point in points if point[name][key] is not None]

    latency = {name: [(key, of(name, key)) for key in ("mean", "p50", "p90", "p99")] for name in ("ttft_ms", "tpot_ms")}
    return {
        **run,
        "best": max(point["output_throughput_tok_s"] for point in points),
        "charts": {
            "throughput": chart([("", [(point["concurrency"], point["output_throughput_tok_s"]) for point in points])]),
            # Four lines on each other are not read: the usual and the slowest.
            "ttft": chart([line for line in latency["ttft_ms"] if line[0] in ("p50", "p99")]),
            "tpot": chart([line for line in latency["tpot_ms"] if line[0] in ("p50", "p99")]),
        },
    }


def page(document: dict[str, t.Any], language: str) -> dict[str, t.Any]:
    """Everything that the template of the page reads."""
    index = _report.LANGUAGES.index(language)
    hosts = [host["host"] for host in document["hosts"]]
    return {
        "language": {"en": "en", "zh": "zh-CN"}[language],
        "words": {name: texts[index] for name, texts in WORDS.items()},
        "document": document,
        "summary": document["summary"],
        "hosts": hosts,
        "checks": check_grid(document["checks"], hosts, language),
        "findings": findings(document["checks"], language),
        "running": list(_report.RUNNING),
        "skipped": skipped(document["checks"]),
        "heat": heat_map(document["fabric"]["pairs"]),
        "cables": cable_grid(document["cabling"], hosts),
        "rank_tables": [{**table, "servers": rank_rows(table)} for table in document["rank_tables"]],
        "bars": bars(document["timings"]),
        "benchmarks": [benchmark(run) for run in document["benchmarks"]],
    }
