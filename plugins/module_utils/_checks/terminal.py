# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results as a text for the terminal: a table of checks and hosts, then a block for each finding."""

from __future__ import annotations

import re
import typing as t
import unicodedata

from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import BY_ID, STAGES

LANGUAGES = ("en", "zh")
# As many hosts get a column each; of more hosts the table gives numbers and names.
MAX_COLUMNS = 8
NAME_WIDTH = 16
WORST = ("fail", "warn", "pass", "skip")

WORDS = {
    "en": {
        "pass": "ok",
        "warn": "WARN",
        "fail": "FAIL",
        "skip": "-",
        "check": "check",
        "all": "all hosts",
        "findings": "hosts with findings",
        "host": "Host",
        "npu": "NPU",
        "fabric": "Fabric",
        "launch": "Launch",
        "observed": "observed",
        "expected": "expected",
        "cause": "cause",
        "remedy": "remedy",
        "source": "source",
        "evidence": "evidence",
        "device": "device",
        "skipped": "Not looked at",
        "off": "Switched off in preflight_checks",
        "changed": "Severity changed in preflight_checks",
        "totals": "{fail} failed, {warn} warned, {pass} passed, {skip} skipped",
        "colon": ": ",
        "sep": ", ",
    },
    "zh": {
        "pass": "通过",
        "warn": "警告",
        "fail": "失败",
        "skip": "-",
        "check": "检查项",
        "all": "全部主机",
        "findings": "有问题的主机",
        "host": "主机",
        "npu": "NPU",
        "fabric": "组网",
        "launch": "启动",
        "observed": "实际",
        "expected": "期望",
        "cause": "原因",
        "remedy": "处理",
        "source": "来源",
        "evidence": "证据",
        "device": "设备",
        "skipped": "未检查",
        "off": "已在 preflight_checks 中关闭",
        "changed": "已在 preflight_checks 中调整级别",
        "totals": "失败 {fail}，警告 {warn}，通过 {pass}，跳过 {skip}",
        "colon": "：",
        "sep": "、",
    },
}


def width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def clean(text: t.Any) -> str:
    """Text of tools and host names without what would move the cursor."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in str(text))


def padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def shortened(text: str, columns: int) -> str:
    if width(text) <= columns:
        return text
    while width(text) > columns - 1:
        text = text[:-1]
    return text + "\u2026"


def table(rows: t.Sequence[t.Sequence[str]]) -> list[str]:
    """Rows of equal length as aligned lines; the last column is ragged."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(padded(cell, columns) for cell, columns in zip(row, widths)).rstrip() for row in rows]


def _worst(records: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    found = {record["status"] for record in records}
    return next((status for status in WORST if status in found), "skip")


def report(results: t.Sequence[t.Mapping[str, t.Any]], lang: str = "en") -> str:
    """The whole text. Stages without results are left out."""
    words = WORDS[lang]
    hosts = sorted({clean(record["host"]) for record in results if record["host"]}, key=_natural)
    lost = {clean(record["host"]) for record in results if record["id"] == "host_reachable" and record["status"] in ("fail", "warn")}
    lines: list[str] = []
    rows = []
    wide = len(hosts) > MAX_COLUMNS
    if wide:
        rows.append([words["check"], words["pass"], words["warn"], words["fail"], words["skip"], words["findings"]])
    else:
        rows.append([words["check"], *(shortened(name, NAME_WIDTH) for name in hosts), ""])
    for stage in STAGES:
        of_stage = [record for record in results if record["stage"] == stage]
        if not of_stage:
            continue
        rows.append([f"[{words[stage]}]", *[""] * (len(rows[0]) - 1)])
        for name in dict.fromkeys(record["id"] for record in of_stage):
            records = [record for record in of_stage if record["id"] == name]
            statuses = _statuses(records, hosts, lost)
            rows.append(
                _wide_row(name, statuses, words) if wide else [name, *(words[status] for status in statuses.values()), clean(records[0]["title"][lang])]
            )
    if len(rows) > 1:
        lines += table(rows)
    for group in _alike(results):
        lines += ["", *_block(group, words, lang)]
    notes = [*_skips(results, words), *_overrides(results, words)]
    if notes:
        lines += ["", *notes]
    totals = {status: sum(record["status"] == status for record in results) for status in WORST}
    return "\n".join([*lines, "", words["totals"].format(**totals)])


def summary(records: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """One line for each finding, for an error message."""
    lines = []
    for group in _alike(records):
        record, devices = group[0], _devices(group)
        place = clean(record["host"]) + (f" device {devices}" if devices else "")
        lines.append(f"{record['id']}: {place + ': ' if place else ''}found {clean(record['observed'])}; expected {clean(record['expected'])}.")
    return "\n".join(lines)


def _natural(name: str) -> list[t.Any]:
    """npu2 before npu10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", name)]


def _statuses(records: list[t.Mapping[str, t.Any]], hosts: list[str], lost: set[str]) -> dict[str, str]:
    """host -> the worst of its results."""
    everyone = [record for record in records if not record["host"]]
    found = {}
    for host in hosts:
        own = [record for record in records if clean(record["host"]) == host]
        if own:
            found[host] = _worst(own)
        elif host in lost:
            found[host] = "skip"
        else:
            # Of hosts that are compared, those that are not named are alike.
            found[host] = _worst(everyone) if everyone else "pass" if records[0]["scope"] == "cluster" else "skip"
    return found


def _wide_row(name: str, statuses: t.Mapping[str, str], words: dict[str, str]) -> list[str]:
    counts = [sum(status == kind for status in statuses.values()) for kind in ("pass", "warn", "fail", "skip")]
    return [name, *(str(count) if count else "." for count in counts), _some([host for host, status in statuses.items() if status in ("fail", "warn")], words)]


def _alike(results: t.Sequence[t.Mapping[str, t.Any]]) -> list[list[t.Mapping[str, t.Any]]]:
    """Findings, failures first; those of several devices of a host that say the same stand together."""
    groups: dict[tuple[t.Any, ...], list[t.Mapping[str, t.Any]]] = {}
    for record in results:
        if record["status"] in ("fail", "warn"):
            key = record["status"], record["id"], record["host"], record["observed"], record["expected"], record["remedy"]["en"]
            groups.setdefault(key, []).append(record)
    return sorted(groups.values(), key=lambda group: group[0]["status"] != "fail")


def _devices(group: list[t.Mapping[str, t.Any]]) -> str:
    """The devices of a group: 3, or 0-7, or 0-2,5."""
    numbers = sorted({record["device"] for record in group if isinstance(record["device"], int)})
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def _some(names: list[str], words: dict[str, str], limit: int = 6) -> str:
    return words["sep"].join(names[:limit]) + (f" +{len(names) - limit}" if len(names) > limit else "")


def _block(group: list[t.Mapping[str, t.Any]], words: dict[str, str], lang: str) -> list[str]:
    record = group[0]
    place = clean(record["host"]) or words["all"]
    if _devices(group):
        place += f" {words['device']} {_devices(group)}"
    lines = [f"{words[record['status']]} {record['id']} @ {place}{words['colon']}{clean(record['title'][lang])}"]
    values = [(key, record[key]) for key in ("observed", "expected")]
    values += [(key, record[key][lang]) for key in ("cause", "remedy")]
    values += [(key, record[key]) for key in ("source", "evidence")]
    size = max(width(words[key]) for key, _value in values)
    for key, value in values:
        for number, line in enumerate(line for line in clean(value).splitlines() if line.strip()):
            lines.append(f"  {padded(words[key] if number == 0 else '', size)}  {line.strip()}")
    return lines


def _skips(results: t.Sequence[t.Mapping[str, t.Any]], words: dict[str, str]) -> list[str]:
    reasons: dict[str, dict[str, None]] = {}
    for record in results:
        if record["status"] == "skip" and record["severity"] != "off":
            reasons.setdefault(clean(record["observed"]), {})[record["id"]] = None
    if not reasons:
        return []
    return [f"{words['skipped']}{words['colon']}".rstrip(), *(f"  {words['sep'].join(names)}{words['colon']}{reason}" for reason, names in reasons.items())]


def _overrides(results: t.Sequence[t.Mapping[str, t.Any]], words: dict[str, str]) -> list[str]:
    severities = {record["id"]: record["severity"] for record in results}
    off = [name for name, severity in severities.items() if severity == "off"]
    changed = [f"{name} {BY_ID[name].severity} -> {severity}" for name, severity in severities.items() if severity not in ("off", BY_ID[name].severity)]
    lines = []
    if off:
        lines.append(f"{words['off']}{words['colon']}{words['sep'].join(off)}")
    if changed:
        lines.append(f"{words['changed']}{words['colon']}{words['sep'].join(changed)}")
    return lines


def problem(results: t.Any, lang: t.Any) -> str | None:
    """Why these are no results; None when they are."""
    if lang not in LANGUAGES:
        return f"lang is {lang!r}; expected {' or '.join(LANGUAGES)} (npuops_language)"
    if isinstance(results, (str, bytes)) or not isinstance(results, t.Sequence):
        return "expected a list of results, as check_results gives it"
    needed = {"id", "stage", "scope", "host", "device", "status", "severity", "title", "observed", "expected", "cause", "remedy", "source", "evidence"}
    for record in results:
        if not isinstance(record, t.Mapping) or needed - set(record) or not re.match(r"\w+\Z", str(record["id"])) or record["id"] not in BY_ID:
            return "expected a list of results, as check_results gives it"
    return None
