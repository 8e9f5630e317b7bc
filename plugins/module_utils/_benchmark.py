# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmark tools report → one structure; two runs → what became worse. No I/O.

A report may be a screen text, a CSV or a JSON file; each is recognised by what it says, not by its name. Sources of the formats:
mindiebenchmark (MindIE-Motor, mindie_service/tools/benchmark), AISBench (AISBench/benchmark, calculators and summarizers),
evalscope (evalscope/perf/utils/perf_constants.py, before 1.0 with longer names) and vLLM (vllm/benchmarks/serve.py).
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import typing as t

SCHEMA = 1
LATENCIES = ("ttft_ms", "tpot_ms", "itl_ms", "latency_ms")
STATISTICS = ("mean", "min", "max", "p50", "p75", "p90", "p95", "p99")
_FIGURES = (
    "concurrency",
    "requests",
    "completed",
    "success_rate",
    "duration_s",
    "input_tokens",
    "output_tokens",
    "request_throughput_per_s",
    "input_throughput_tok_s",
    "output_throughput_tok_s",
    "total_throughput_tok_s",
)

Point = t.Dict[str, t.Any]
# Metric → statistic (or "" where there is one value alone) → cell.
Cells = t.Dict[str, t.Dict[str, t.Any]]


class Report(t.NamedTuple):
    """One recognised report: which tool's, and its cells."""

    tool: str
    cells: Cells


# -- numbers ----------------------------------------------------------------------------------------------------------

_NUMBER = re.compile(
    r"""
    \s*([-+]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    (?!\s*[^\w\s(\[]?\s*\d)(?!_)      # 1,5 and 1 234 and 3/4 are not 1, 1 and 3
    \s*([^\d\s(\[]*)
    """,
    re.VERBOSE,
)
# Both letters that look like a small mu are met.
_MILLISECONDS = {"ms": 1.0, "s": 1000.0, "us": 0.001, "\u00b5s": 0.001, "\u03bcs": 0.001, "ns": 0.000001}


def _split(cell: t.Any) -> tuple[float, str] | None:
    """A cell such as ``106.8642 ms``, ``0( 0.0% )`` or ``/`` as number and unit; nothing where it holds no number."""
    if isinstance(cell, bool) or cell is None:
        return None
    match = None
    if not isinstance(cell, (int, float)):
        match = _NUMBER.match(str(cell))
        if not match:
            return None
    try:
        value = float(match.group(1).replace(",", "") if match else cell)
    except OverflowError:
        return None
    return (value, match.group(2) if match else "") if math.isfinite(value) else None


def _number(cell: t.Any) -> float | int | None:
    found = _split(cell)
    if found is None:
        return None
    return int(found[0]) if found[0].is_integer() and found[1] == "" and abs(found[0]) < 2**53 else found[0]


def _time(cell: t.Any, unit: str, to: float = 1.0) -> float | None:
    """Milliseconds (``to`` 1) or seconds (``to`` 1000); ``unit`` is that of a bare number."""
    found = _split(cell)
    if found is None:
        return None
    factor = _MILLISECONDS.get(found[1] or unit)
    value = None if factor is None else round(found[0] * factor / to, 6)
    return value if value is not None and math.isfinite(value) else None


def _count(cell: t.Any) -> int | None:
    value = _number(cell)
    return None if value is None else round(value)


# -- one structure ----------------------------------------------------------------------------------------------------


def _statistics(cells: t.Mapping[str, t.Any], names: t.Mapping[str, str], unit: str = "ms") -> dict[str, float | None]:
    """``names``: statistic → name of the cell."""
    return {statistic: _time(cells.get(names.get(statistic, "")), unit) for statistic in STATISTICS}


def _point(latencies: t.Mapping[str, dict[str, float | None]], **figures: t.Any) -> Point:
    point: Point = {name: figures.get(name) for name in _FIGURES}
    requests, completed = point["requests"], point["completed"]
    if requests and completed is not None:
        point["success_rate"] = round(completed / requests, 6)
    if point["total_throughput_tok_s"] is None and None not in (point["input_throughput_tok_s"], point["output_throughput_tok_s"]):
        point["total_throughput_tok_s"] = round(point["input_throughput_tok_s"] + point["output_throughput_tok_s"], 6)
    return {**point, **{name: latencies.get(name) or dict.fromkeys(STATISTICS) for name in LATENCIES}}


def _total(mean: t.Any, number: int | None) -> int | None:
    """Tokens of all requests, where a tool reports the mean alone."""
    value = _number(mean)
    return None if value is None or number is None else round(value * number)


# -- mindiebenchmark --------------------------------------------------------------------------------------------------

_MINDIE_ROWS = ("average", "max", "min", "P75", "P90", "SLO_P90", "P99", "N")
_MINDIE_STATISTICS = {"mean": "average", "min": "min", "max": "max", "p75": "P75", "p90": "P90", "p99": "P99"}


def _mindie_point(cells: Cells) -> Point:
    def value(*names: str) -> t.Any:
        return next((cells[name][""] for name in names if "" in cells.get(name, {})), None)

    def metric(name: str) -> dict[str, t.Any]:
        return cells.get(name, {})

    decode = metric("DecodeTime")
    completed = _count(value("Returned"))
    if completed is None:
        completed = _count(metric("FirstTokenTime").get("N"))
    return _point(
        {
            "ttft_ms": _statistics(metric("FirstTokenTime"), _MINDIE_STATISTICS),
            # DecodeTime is taken over all tokens: that is the inter-token latency. Only SLO_P90 is over the averages of the requests.
            "tpot_ms": _statistics(decode, {"mean": "average", "p90": "SLO_P90"}),
            "itl_ms": _statistics(decode, _MINDIE_STATISTICS),
            "latency_ms": _statistics(metric("GenerateTime"), _MINDIE_STATISTICS),
        },
        concurrency=_count(value("Concurrency")),
        requests=_count(value("Total")),
        completed=completed,
        duration_s=_time(value("TimeElapsed"), "s", to=1000),
        input_tokens=_total(metric("InputTokens").get("average"), completed),
        output_tokens=_total(metric("GeneratedTokens").get("average"), completed),
        request_throughput_per_s=_number(value("Throughput")),
        input_throughput_tok_s=_number(value("InputGenerateSpeed")),
        output_throughput_tok_s=_number(value("OutputGenerateSpeed", "GenerateSpeed")),
        total_throughput_tok_s=_number(value("TotalGenerateSpeed")),
    )


# -- AISBench ---------------------------------------------------------------------------------------------------------

_AIS_STATISTICS = {"mean": "Average", "min": "Min", "max": "Max", "p50": "Median", "p75": "P75", "p90": "P90", "p95": "P95", "p99": "P99"}


def _aisbench_point(cells: Cells) -> Point:
    def value(name: str) -> t.Any:
        return cells.get(name, {}).get("")

    completed = _count(value("Success Requests"))
    # "Concurrency" is what was reached on average, "Max Concurrency" what was asked for.
    concurrency = _count(value("Max Concurrency"))
    return _point(
        {
            name: _statistics(cells.get(metric, {}), _AIS_STATISTICS)
            for name, metric in (("ttft_ms", "TTFT"), ("tpot_ms", "TPOT"), ("itl_ms", "ITL"), ("latency_ms", "E2EL"))
        },
        concurrency=_count(value("Concurrency")) if concurrency is None else concurrency,
        requests=_count(value("Total Requests")),
        completed=completed,
        duration_s=_time(value("Benchmark Duration"), "ms", to=1000),
        input_tokens=_count(value("Total Input Tokens")),
        output_tokens=_count(value("Total Generated Tokens")),
        request_throughput_per_s=_number(value("Request Throughput")),
        input_throughput_tok_s=_number(value("Input Token Throughput")),
        output_throughput_tok_s=_number(value("Output Token Throughput")),
        total_throughput_tok_s=_number(value("Total Token Throughput")),
    )


# -- evalscope --------------------------------------------------------------------------------------------------------

# Today's name and that of releases before 1.0; the unit is part of both.
_EVALSCOPE_NAMES = {
    "duration": ("Test Duration", "Time taken for tests"),
    "concurrency": ("Concurrency", "Number of concurrency"),
    "requests": ("Total Requests", "Total requests"),
    "completed": ("Success Requests", "Succeed Requests", "Succeed requests"),
    "request_throughput": ("Req Throughput", "Request Throughput", "Request throughput"),
    "input_throughput": ("Input Throughput", "Input token throughput"),
    "output_throughput": ("Output Throughput", "Output token throughput"),
    "total_throughput": ("Total Throughput", "Total token throughput"),
    "input_tokens": ("Avg Input Tokens", "Average input tokens per request"),
    "output_tokens": ("Avg Output Tokens", "Average output tokens per request"),
    "ttft_ms": ("Avg TTFT", "Average time to first token"),
    "tpot_ms": ("Avg TPOT", "Average time per output token"),
    "itl_ms": ("Avg ITL", "Average inter-token latency"),
    "latency_ms": ("Avg Latency", "Average latency"),
}
_EVALSCOPE_PERCENTILES = {"ttft_ms": "TTFT", "tpot_ms": "TPOT", "itl_ms": "ITL", "latency_ms": "Latency"}
_UNIT_OF_NAME = re.compile(r"(.*?)\s*(?:\(([^()]*)\))?\s*\Z", re.DOTALL)


def _evalscope_point(cells: Cells) -> Point:
    if "summary" not in cells and "requests" in cells:
        return _evalscope_requests_point(cells)
    summary = cells.get("summary", {})
    named: dict[str, tuple[t.Any, str]] = {}
    for key, value in summary.items():
        match = _UNIT_OF_NAME.match(key)
        if match:
            named[match.group(1)] = (value, match.group(2) or "")

    def found(name: str) -> tuple[t.Any, str]:
        value, unit = next((named[alias] for alias in _EVALSCOPE_NAMES[name] if alias in named), (None, ""))
        number = _number(value)
        # -1 is how evalscope says that there was nothing to measure.
        return (None, "") if number is None or number < 0 else (value, unit)

    latencies = {}
    for name, column in _EVALSCOPE_PERCENTILES.items():
        statistics: dict[str, float | None] = dict.fromkeys(STATISTICS)
        statistics["mean"] = _time(*found(name))
        for percentile, row in cells.get("percentiles", {}).items():
            if percentile in statistics:
                for key, value in row.items():
                    match = _UNIT_OF_NAME.match(key)
                    if match and match.group(1) == column:
                        statistics[percentile] = _time(value, match.group(2) or "")
        latencies[name] = statistics
    completed = _count(found("completed")[0])
    return _point(
        latencies,
        concurrency=_count(found("concurrency")[0]),
        requests=_count(found("requests")[0]),
        completed=completed,
        duration_s=_time(*found("duration"), to=1000),
        input_tokens=_total(found("input_tokens")[0], completed),
        output_tokens=_total(found("output_tokens")[0], completed),
        request_throughput_per_s=_number(found("request_throughput")[0]),
        input_throughput_tok_s=_input_throughput(found("input_throughput")[0], found("output_throughput")[0], found("total_throughput")[0]),
        output_throughput_tok_s=_number(found("output_throughput")[0]),
        total_throughput_tok_s=_number(found("total_throughput")[0]),
    )


def _input_throughput(given: t.Any, output: t.Any, total: t.Any) -> float | None:
    """evalscope measures it for embeddings alone, and says 0 of a chat."""
    if not _number(given) and _number(output) is not None and _number(total) is not None:
        return round(float(total) - float(output), 6)
    return _number(given)


# Columns of the requests in benchmark_data.db, all times in seconds (evalscope/perf/utils/db_util.py).
REQUEST_COLUMNS = ("success", "start_time", "completed_time", "latency", "first_chunk_latency", "prompt_tokens", "completion_tokens")
REQUEST_COLUMNS += ("time_per_output_token", "inter_token_latencies")


def _spread(seconds: t.Iterable[t.Any]) -> dict[str, float | None]:
    """Statistics in milliseconds; between two ranks a percentile is interpolated."""
    values = sorted(value for value in (_time(second, "s") for second in seconds) if value is not None)
    if not values:
        return dict.fromkeys(STATISTICS)

    def percentile(percent: int) -> float:
        low, share = divmod((len(values) - 1) * percent, 100)
        return values[low] + (values[min(low + 1, len(values) - 1)] - values[low]) * share / 100

    found = {"mean": sum(values) / len(values), "min": values[0], "max": values[-1]}
    found.update({name: percentile(int(name[1:])) for name in STATISTICS if name not in found})
    return {name: round(found[name], 6) for name in STATISTICS}


def _inter_token_latencies(text: t.Any) -> list[t.Any]:
    """The list in this column; none where a run that broke off left something else."""
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def _evalscope_requests_point(cells: Cells) -> Point:
    """What a run that broke off had already noted, request by request."""
    rows = [dict(zip(REQUEST_COLUMNS, row)) for row in cells["requests"][""]]
    done = [row for row in rows if row["success"]]
    begins, ends = ([_number(row[name]) for row in rows] for name in ("start_time", "completed_time"))
    duration = max(ends) - min(begins) if rows and None not in (*begins, *ends) else None
    asked, made = (sum(_count(row[name]) or 0 for row in done) for name in ("prompt_tokens", "completion_tokens"))

    def rate(number: int) -> float | None:
        return round(number / duration, 4) if duration else None

    return _point(
        {
            "ttft_ms": _spread(row["first_chunk_latency"] for row in done),
            "tpot_ms": _spread(row["time_per_output_token"] for row in done),
            "itl_ms": _spread(value for row in done for value in _inter_token_latencies(row["inter_token_latencies"])),
            "latency_ms": _spread(row["latency"] for row in done),
        },
        requests=len(rows),
        completed=len(done),
        duration_s=None if duration is None else round(duration, 4),
        input_tokens=asked,
        output_tokens=made,
        request_throughput_per_s=rate(len(done)),
        input_throughput_tok_s=rate(asked),
        output_throughput_tok_s=rate(made),
    )


# -- vLLM -------------------------------------------------------------------------------------------------------------


def _vllm_point(cells: Cells) -> Point:
    result = cells["result"]

    def statistics(name: str) -> dict[str, float | None]:
        found = {statistic: _time(result.get(f"{statistic}_{name}_ms"), "ms") for statistic in STATISTICS}
        found["p50"] = _time(result.get(f"median_{name}_ms"), "ms") if found["p50"] is None else found["p50"]
        return found

    completed, failed = _count(result.get("completed")), _count(result.get("failed"))
    requests = _count(result.get("num_prompts"))
    if requests is None and completed is not None and failed is not None:
        requests = completed + failed
    return _point(
        {f"{ours}_ms": statistics(theirs) for ours, theirs in (("ttft", "ttft"), ("tpot", "tpot"), ("itl", "itl"), ("latency", "e2el"))},
        concurrency=_count(result.get("max_concurrency")),
        requests=requests,
        completed=completed,
        duration_s=_time(result.get("duration"), "s", to=1000),
        input_tokens=_count(result.get("total_input_tokens")),
        output_tokens=_count(result.get("total_output_tokens")),
        request_throughput_per_s=_number(result.get("request_throughput")),
        output_throughput_tok_s=_number(result.get("output_throughput")),
        total_throughput_tok_s=_number(result.get("total_token_throughput")),
    )


_POINTS: dict[str, t.Callable[[Cells], Point]] = {
    "mindie": _mindie_point,
    "aisbench": _aisbench_point,
    "evalscope": _evalscope_point,
    "vllm": _vllm_point,
}
TOOLS = tuple(_POINTS)


# -- recognising ------------------------------------------------------------------------------------------------------


def _tables(text: str) -> list[list[list[str]]]:
    """Tables drawn with ``|`` or box characters, as rows of cells; a header is a row after a line that is not one."""
    tables: list[list[list[str]]] = []
    columns = 0
    for line in text.splitlines():
        bare = line.strip()
        if len(bare) < 2 or bare[0] not in "|\u2502" or bare[-1] != bare[0]:
            continue
        row = [cell.strip() for cell in bare[1:-1].split(bare[0])]
        if row[0] in ("Metric", "Common Metric", "Performance Parameters"):
            tables.append([row])
            columns = len(row)
        elif tables and len(row) == columns:
            tables[-1].append(row)
    return tables


def _stage(known: t.Mapping[str, t.Any], stage: str) -> bool:
    """Whether a row of this stage counts: ``total`` is the whole run, another one is taken where there is no better."""
    return not known or stage == "total"


def _read_tables(text: str) -> Report | None:
    tool, cells = "", t.cast(Cells, {})
    for header, *rows in _tables(text):
        if header[0] == "Performance Parameters" or header[1:2] == ["Stage"]:
            tool = "aisbench"
            for row in rows:
                known = cells.get(row[0], {})
                if _stage(known, row[1]):
                    # A later table of the same run stands for the same metrics: it replaces the earlier one.
                    cells[row[0]] = {"": row[2]} if header[0] == "Common Metric" else dict(zip(header[2:], row[2:]))
        else:
            tool = "mindie"
            for row in rows:
                cells[row[0]] = {"": row[1]} if header[0] == "Common Metric" else dict(zip(header[1:], row[1:]))
    return Report(tool, cells) if cells else None


def _read_csv(text: str) -> Report | None:
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    header = [cell.strip() for cell in rows[0]]
    cells: Cells = {}
    if header[:2] == ["Performance Parameters", "Stage"]:
        for row in rows[1:]:
            if len(row) > 2 and _stage(cells.get(row[0].strip(), {}), row[1].strip()):
                cells[row[0].strip()] = dict(zip(header[2:], row[2:]))
        return Report("aisbench", cells)
    if header[:2] == ["Common Metric", "Stage"]:
        return Report("aisbench", {row[0].strip(): {"": row[2]} for row in rows[1:] if len(row) > 2})
    if "FirstTokenTime" in header or "GenerateTime" in header:
        # pandas without index: the rows bear no label, and older releases have no SLO_P90.
        labels = _MINDIE_ROWS if len(rows) - 1 >= len(_MINDIE_ROWS) else tuple(label for label in _MINDIE_ROWS if label != "SLO_P90")
        for label, row in zip(labels, rows[1:]):
            for metric, cell in zip(header, row):
                cells.setdefault(metric, {})[label] = cell
        return Report("mindie", cells)
    if "TimeElapsed" in header or "GenerateSpeed" in header or "OutputGenerateSpeed" in header:
        return Report("mindie", {metric: {"": cell} for metric, cell in zip(header, rows[1])})
    if header[0] in ("Common Metric", "CurrentTime") and len(header) == 2:
        return Report("mindie", {row[0].strip(): {"": row[1]} for row in rows if len(row) > 1})
    return None


def _percentile(value: t.Any) -> str:
    """``90%``, ``p90``, ``90`` and the row names ``min`` and ``max`` as names of statistics."""
    text = str(value).strip().lower().strip("p%")
    return f"p{text}" if text.isdigit() else text


def _read_json(value: t.Any) -> Report | None:
    if isinstance(value, list):
        rows = {_percentile(row.get("Percentiles")): row for row in value if isinstance(row, dict) and "Percentiles" in row}
        return Report("evalscope", {"percentiles": rows}) if rows else None
    if not isinstance(value, dict):
        return None
    if isinstance(value.get("evalscope_requests"), list):
        rows = [row for row in value["evalscope_requests"] if isinstance(row, (list, tuple)) and len(row) == len(REQUEST_COLUMNS)]
        return Report("evalscope", {"requests": {"": rows}})
    # Older evalscope: one list per column.
    if isinstance(value.get("Percentiles"), list):
        columns = {key: column for key, column in value.items() if isinstance(column, list)}
        return _read_json([dict(zip(columns, row)) for row in zip(*columns.values())])
    if any(isinstance(cell, dict) and cell and all(isinstance(stage, str) for stage in cell) for cell in value.values()) and (
        "Benchmark Duration" in value or "Total Requests" in value
    ):
        stages = {key: cell for key, cell in value.items() if isinstance(cell, dict) and cell}
        return Report("aisbench", {key: {"": cell.get("total", next(iter(cell.values())))} for key, cell in stages.items()})
    names = {match.group(1) for match in (_UNIT_OF_NAME.match(key) for key in value if isinstance(key, str)) if match}
    if names & set(_EVALSCOPE_NAMES["requests"]) and names & set(_EVALSCOPE_NAMES["duration"]):
        return Report("evalscope", {"summary": value})
    if "completed" in value and ("request_throughput" in value or "mean_ttft_ms" in value):
        return Report("vllm", {"result": value})
    return None


def recognise(report: t.Any) -> Report | None:
    """The report of any tool, as text or as the value of its JSON; nothing where it is none."""
    if not isinstance(report, str):
        return _read_json(report)
    text = report.lstrip("\ufeff")
    if text.lstrip()[:1] in ("{", "["):
        try:
            found = _read_json(json.loads(text))
        except (ValueError, RecursionError):
            # A log line begins with a bracket too; vLLM appends results line by line, and the last one counts.
            found = next((made for made in map(_read_json_line, reversed(text.splitlines())) if made), None)
        if found:
            return found
    return _read_tables(text) or _read_csv(text)


def _read_json_line(line: str) -> Report | None:
    if not line.lstrip().startswith("{"):
        return None
    try:
        return _read_json(json.loads(line))
    except (ValueError, RecursionError):
        return None


def read_results(reports: t.Any, tool: str | None = None) -> Point:
    """The figures of one run at one concurrency, from the reports that the tool made of it: one, or a list of them."""
    parts = [reports] if isinstance(reports, (str, dict)) or not isinstance(reports, (list, tuple)) else list(reports)
    if parts and all(isinstance(part, dict) and "Percentiles" in part for part in parts):
        parts = [parts]
    found = [report for report in map(recognise, parts) if report]
    tools = sorted({report.tool for report in found})
    if not found:
        raise ValueError(
            f"No report of {tool or 'a known benchmark tool'} found in {_excerpt(parts)}; expected a result table, CSV or JSON of {', '.join(TOOLS)}. "
            "Look at the end of the tool's output for the error that stopped it."
        )
    if len(tools) > 1 or tool not in (None, tools[0]):
        raise ValueError(f"Found reports of {', '.join(tools)}, expected those of {tool or 'one tool'}. Give the reports of one run.")
    cells: Cells = {}
    for report in found:
        for metric, values in report.cells.items():
            cells.setdefault(metric, {}).update(values)
    return _POINTS[tools[0]](cells)


def _excerpt(parts: t.Sequence[t.Any]) -> str:
    text = " ".join(str(part) for part in parts).split()
    return repr(" ".join(text)[-160:]) if text else "an empty output"


# -- comparing --------------------------------------------------------------------------------------------------------


def figure(point: t.Mapping[str, t.Any], metric: str) -> float | None:
    """A figure by its name, such as ``output_throughput_tok_s`` or ``ttft_ms.p90``."""
    value: t.Any = point
    for step in metric.split("."):
        value = value.get(step) if isinstance(value, t.Mapping) else None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def known_metric(metric: str) -> bool:
    name, _dot, statistic = metric.partition(".")
    return statistic in STATISTICS if name in LATENCIES else metric in _FIGURES[3:] and not statistic


def _worse_when_lower(metric: str) -> bool:
    return metric.partition(".")[0] not in (*LATENCIES, "duration_s")


class Change(t.NamedTuple):
    concurrency: int | None
    metric: str
    before: float | None
    now: float | None
    # How much worse, in percent of before; negative is better.
    worse_percent: float | None
    limit_percent: float
    regression: bool


def compare(run: t.Mapping[str, t.Any], baseline: t.Mapping[str, t.Any], limits: t.Mapping[str, float]) -> list[Change]:
    """Point by point of the baseline; a point that the run was asked for and lacks is a regression in every metric."""
    now_points = {point.get("concurrency"): point for point in run.get("points", [])}
    asked = (run.get("settings") or {}).get("concurrency")
    changes = []
    for before_point in baseline.get("points", []):
        concurrency = before_point.get("concurrency")
        if concurrency not in now_points and asked is not None and concurrency not in asked:
            continue
        now_point = now_points.get(concurrency, {})
        for metric, limit in limits.items():
            before, now = figure(before_point, metric), figure(now_point, metric)
            if before is None:
                continue
            if now is None:
                changes.append(Change(concurrency, metric, before, None, None, limit, True))
                continue
            loss = before - now if _worse_when_lower(metric) else now - before
            worse = (loss / abs(before) * 100) if before else (0.0 if loss <= 0 else math.inf)
            changes.append(Change(concurrency, metric, before, now, round(worse, 3), limit, worse > limit))
    return changes


def table(changes: t.Sequence[Change]) -> str:
    rows = [("concurrency", "metric", "before", "now", "worse by", "limit", "")]
    for change in changes:
        rows.append(
            (
                "-" if change.concurrency is None else str(change.concurrency),
                change.metric,
                _shown(change.before),
                _shown(change.now),
                "-" if change.worse_percent is None else f"{change.worse_percent:+.1f} %",
                f"{change.limit_percent:g} %",
                "REGRESSION" if change.regression else "",
            )
        )
    return _aligned(rows)


def summary(run: t.Mapping[str, t.Any]) -> str:
    """The points of a run as a table for the screen."""
    metrics = ("success_rate", "request_throughput_per_s", "output_throughput_tok_s", "ttft_ms.mean", "ttft_ms.p90", "tpot_ms.mean", "latency_ms.mean")
    rows = [("concurrency", "requests", "success", "req/s", "output tok/s", "TTFT ms", "TTFT P90 ms", "TPOT ms", "latency ms")]
    for point in run.get("points", []):
        rows.append((str(point.get("concurrency")), str(point.get("requests")), *(_shown(figure(point, metric)) for metric in metrics)))
    return _aligned(rows)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _aligned(rows: t.Sequence[t.Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)
