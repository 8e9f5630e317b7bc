# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reports of all tools end in one structure: recorded outputs, and the grammar of the cells."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark as benchmark
from hypothesis import given
from hypothesis import strategies as st

FIXTURES = Path(__file__).resolve().parents[4] / "tests/fixtures/benchmark"


def fixture(name: str) -> str:
    return (FIXTURES / name).read_text(encoding="utf-8")


@pytest.fixture
def mindie() -> str:
    return fixture("mindiebenchmark_1.0.T71_stdout.txt")


@pytest.fixture
def aisbench() -> str:
    return fixture("aisbench_stdout.txt")


VLLM = {
    "date": "20260101-000000", "backend": "openai-chat", "model_id": "m", "num_prompts": 100, "request_rate": "inf", "max_concurrency": 8,
    "duration": 12.5, "completed": 99, "failed": 1, "total_input_tokens": 1000, "total_output_tokens": 2000, "request_throughput": 7.92,
    "request_goodput": None, "output_throughput": 160.0, "total_token_throughput": 240.0, "mean_ttft_ms": 50.5, "median_ttft_ms": 48.0,
    "std_ttft_ms": 3.0, "p90_ttft_ms": 60.0, "p99_ttft_ms": 70.0, "mean_tpot_ms": 10.0, "median_tpot_ms": 9.5, "p99_tpot_ms": 15.0,
    "mean_itl_ms": 10.1, "median_itl_ms": 9.6, "p99_itl_ms": 15.1, "mean_e2el_ms": 300.0, "median_e2el_ms": 290.0, "p99_e2el_ms": 400.0,
}  # fmt: skip


def test_mindiebenchmark_on_the_screen(mindie):
    point = benchmark.read_results(mindie)
    assert {name: point[name] for name in ("concurrency", "requests", "completed", "success_rate", "duration_s")} == {
        "concurrency": 10, "requests": 200, "completed": 200, "success_rate": 1.0, "duration_s": 2502.9557,
    }  # fmt: skip
    assert (point["request_throughput_per_s"], point["output_throughput_tok_s"]) == (0.0799, 35.9032)
    # 449.32 and 60.89 tokens on average, 200 requests
    assert (point["output_tokens"], point["input_tokens"]) == (89864, 12178)
    ttft = {"mean": 106.8642, "max": 766.6764, "min": 61.2204, "p50": None, "p75": 89.4486, "p90": 96.8093, "p95": None, "p99": 678.2679}
    assert point["ttft_ms"] == ttft
    assert point["itl_ms"] == {"mean": 272.8685, "max": 240991.5447, "min": 18.9562, "p50": None, "p75": 26.88, "p90": 29.1581, "p95": None, "p99": 44.7554}
    assert (point["tpot_ms"]["mean"], point["tpot_ms"]["p90"], point["tpot_ms"]["p99"]) == (272.8685, 507.8787, None)
    assert (point["latency_ms"]["mean"], point["latency_ms"]["p99"]) == (122445.6956, 228628.2242)


def test_newer_names_of_mindiebenchmark(mindie):
    newer = mindie.replace("|          GenerateSpeed |              35.9032 token/s |", "|    OutputGenerateSpeed |              35.9032 token/s |")
    newer = newer.replace(
        "|               accuracy",
        "|     InputGenerateSpeed |               4.8654 token/s |\n|     TotalGenerateSpeed |              40.7686 token/s |\n|               accuracy"
    )
    point = benchmark.read_results(newer)
    assert (point["input_throughput_tok_s"], point["output_throughput_tok_s"], point["total_throughput_tok_s"]) == (4.8654, 35.9032, 40.7686)


def mindie_csv(text: str, drop: str | None = None) -> tuple[str, str]:
    """The two files that belong to a screen text, as pandas writes them without index."""
    rows = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in text.splitlines() if line.startswith("|")]
    perf = [row for row in rows if len(row) == 9]
    labels = [label for label in ("average", "max", "min", "P75", "P90", "SLO_P90", "P99", "N") if label != drop]
    whole = [row for row in rows if len(row) == 2 and row[0] != "Common Metric"]
    out = io.StringIO(), io.StringIO()
    writer = csv.writer(out[0], lineterminator="\n")
    writer.writerow([row[0] for row in perf[1:]])
    for label in labels:
        writer.writerow([row[perf[0].index(label)] for row in perf[1:]])
    writer = csv.writer(out[1], lineterminator="\n")
    writer.writerow([row[0] for row in whole])
    writer.writerow([row[1] for row in whole])
    return out[0].getvalue(), out[1].getvalue()


def test_mindiebenchmark_files_without_labels(mindie):
    perf, whole = mindie_csv(mindie)
    assert benchmark.read_results([perf, whole]) == benchmark.read_results(mindie)
    assert benchmark.read_results([whole, "\ufeff" + perf]) == benchmark.read_results(mindie)
    alone = benchmark.read_results(perf)
    assert (alone["completed"], alone["requests"], alone["ttft_ms"]["p99"]) == (200, None, 678.2679)


def test_mindiebenchmark_files_of_a_release_without_slo(mindie):
    point = benchmark.read_results(list(mindie_csv(mindie, drop="SLO_P90")))
    assert (point["ttft_ms"]["p90"], point["ttft_ms"]["p99"], point["tpot_ms"]["p90"]) == (96.8093, 678.2679, None)
    assert point["completed"] == 200


def test_failed_requests_of_mindiebenchmark(mindie):
    text = mindie.replace("0( 0.0% ) |", "50( 25.0% ) |").replace("200( 100.0% )", "150( 75.0% )")
    point = benchmark.read_results(text)
    assert (point["requests"], point["completed"], point["success_rate"]) == (200, 150, 0.75)


def test_aisbench_on_the_screen(aisbench):
    point = benchmark.read_results(aisbench)
    assert (point["concurrency"], point["requests"], point["completed"], point["success_rate"]) == (1, 8, 8, 1.0)
    assert point["duration_s"] == pytest.approx(98.4094916, abs=1e-6)
    assert (point["input_tokens"], point["output_tokens"]) == (12100, 4096)
    assert (point["request_throughput_per_s"], point["input_throughput_tok_s"]) == (0.0813, 122.9556)
    assert (point["output_throughput_tok_s"], point["total_throughput_tok_s"]) == (41.622, 164.5776)
    assert point["ttft_ms"] == {"mean": 2006.0, "min": 2005.1, "max": 2007.4, "p50": 2006.1, "p75": 2006.2, "p90": 2006.6, "p95": None, "p99": 2007.3}
    assert (point["tpot_ms"]["p75"], point["itl_ms"]["max"], point["latency_ms"]["mean"]) == (20.1, 21.3, 12300.2)


def aisbench_files(text: str) -> tuple[str, str]:
    rows = [[cell.strip() for cell in line.strip("\u2502").split("\u2502")] for line in text.splitlines() if line.startswith("\u2502")]
    cut = [row[0] for row in rows].index("Common Metric")
    out = io.StringIO()
    csv.writer(out).writerows(rows[:cut])
    return out.getvalue(), json.dumps({name: {stage: int(value) if value.isdigit() else value} for name, stage, value in rows[cut + 1 :]})


def test_aisbench_files(aisbench):
    table, whole = aisbench_files(aisbench)
    assert benchmark.read_results([table, whole]) == benchmark.read_results(aisbench)
    assert benchmark.read_results([table, json.loads(whole)], "aisbench") == benchmark.read_results(aisbench)


def test_aisbench_files_of_a_real_run():
    # The tool ends its lines with CR LF, the fixture as files of this repository do.
    table = fixture("aisbench_3.1.20260630.csv").replace("\n", "\r\n")
    point = benchmark.read_results([table, fixture("aisbench_3.1.20260630.json")])
    assert (point["concurrency"], point["requests"], point["completed"], point["input_tokens"], point["output_tokens"]) == (4, 20, 20, 377, 398)
    assert (point["duration_s"], point["output_throughput_tok_s"]) == (pytest.approx(1.2110068), 328.6522)
    assert (point["ttft_ms"]["mean"], point["ttft_ms"]["p50"], point["ttft_ms"]["p95"], point["ttft_ms"]["p99"]) == (22.2, 11.0, 81.3, 90.1)


def test_the_whole_run_wins_over_a_stage_of_aisbench(aisbench):
    stable = "\u2502 TTFT \u2502 stable \u2502" + " 1 ms \u2502" * 7 + " 4 \u2502"
    lines = aisbench.splitlines()
    at = next(number for number, line in enumerate(lines) if "TTFT" in line)
    point = benchmark.read_results("\n".join([*lines[: at + 1], stable, *lines[at + 1 :]]))
    assert point["ttft_ms"]["mean"] == 2006.0


def test_evalscope():
    point = benchmark.read_results([fixture("evalscope_1.14.1_summary.json"), fixture("evalscope_1.14.1_percentile.json")])
    assert (point["concurrency"], point["requests"], point["completed"], point["success_rate"]) == (4, 20, 20, 1.0)
    assert (point["duration_s"], point["request_throughput_per_s"], point["output_throughput_tok_s"]) == (1.0443, 19.1513, 383.0259)
    # evalscope says 0 of the input throughput of a chat; 957.5648 in all
    assert point["input_throughput_tok_s"] == pytest.approx(957.5648 - 383.0259)
    assert (point["input_tokens"], point["output_tokens"]) == (600, 400)
    assert point["ttft_ms"] == {"mean": 8.96, "min": 4.451, "max": 18.3157, "p50": 7.196, "p75": 10.3284, "p90": 16.3353, "p95": 16.5718, "p99": 18.3157}
    # seconds in the file
    assert (point["latency_ms"]["mean"], point["latency_ms"]["p50"], point["latency_ms"]["p99"]) == (206.0, 205.0, 217.5)
    assert (point["tpot_ms"]["p90"], point["itl_ms"]["p90"]) == (10.5355, 10.6353)


def test_evalscope_with_nothing_to_measure():
    point = benchmark.read_results(fixture("evalscope_1.14.1_summary_all_failed.json"))
    assert (point["requests"], point["completed"], point["success_rate"]) == (60, 0, 0.0)
    assert point["output_throughput_tok_s"] == 0
    for name in benchmark.LATENCIES:
        assert point[name]["mean"] in (None, 0.0)


def test_requests_that_a_broken_run_of_evalscope_had_noted():
    rows = [
        [1, 10.0, 11.0, 1.0, 0.1, 30, 10, 0.1, "[0.1, 0.1]"],
        [1, 10.5, 12.5, 2.0, 0.3, 30, 10, 0.3, "[0.2, 0.4]"],
        [0, 12.0, 14.0, 2.0, 0.0, None, None, None, None],
    ]
    point = benchmark.read_results(json.dumps({"evalscope_requests": rows}))
    assert (point["requests"], point["completed"], point["duration_s"]) == (3, 2, 4.0)
    assert (point["input_tokens"], point["output_tokens"], point["output_throughput_tok_s"]) == (60, 20, 5.0)
    assert (point["ttft_ms"]["mean"], point["ttft_ms"]["p50"], point["ttft_ms"]["p90"]) == (200.0, 200.0, 280.0)
    assert (point["itl_ms"]["mean"], point["itl_ms"]["max"], point["latency_ms"]["min"]) == (200.0, 400.0, 1000.0)
    nothing = benchmark.read_results({"evalscope_requests": []})
    assert (nothing["completed"], nothing["duration_s"], nothing["ttft_ms"]["mean"]) == (0, None, None)


@pytest.mark.parametrize("latencies", ["null", "5", "broken[", "", '{"a": 1}', '"0.1"', None, 5, "[null, \"x\", [0.1]]", "[" * 100000])
def test_requests_of_evalscope_with_damaged_latencies(latencies):
    rows = [[1, 10.0, 11.0, 1.0, 0.1, 30, 10, 0.1, latencies], [1, 10.0, 11.0, 1.0, 0.1, 30, 10, 0.1, "[0.1, \"0.2\"]"], 5, [1, 2], None]
    point = benchmark.read_results({"evalscope_requests": rows})
    assert (point["completed"], point["itl_ms"]["min"], point["itl_ms"]["max"], point["ttft_ms"]["mean"]) == (2, 100.0, 200.0, 100.0)


def test_older_names_of_evalscope():
    summary = {
        "Time taken for tests (s)": 10.5, "Number of concurrency": 2, "Total requests": 10, "Succeed requests": 9, "Failed requests": 1,
        "Output token throughput (tok/s)": 50.5, "Total token throughput (tok/s)": 80.5, "Request throughput (req/s)": 0.857,
        "Average latency (s)": 2.5, "Average time to first token (s)": 0.25, "Average time per output token (s)": 0.02,
        "Average inter-token latency (s)": 0.021, "Average input tokens per request": 35.0, "Average output tokens per request": 58.9,
    }  # fmt: skip
    columns = {"Percentiles": ["10%", "90%"], "TTFT (s)": [0.1, 0.4], "ITL (s)": [0.01, 0.03], "TPOT (s)": [0.015, 0.025], "Latency (s)": [2.0, 3.0]}
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())]
    for percentiles in (columns, rows):
        point = benchmark.read_results([summary, json.dumps(percentiles)])
        assert (point["concurrency"], point["completed"], point["success_rate"], point["duration_s"]) == (2, 9, 0.9, 10.5)
        assert (point["ttft_ms"]["mean"], point["ttft_ms"]["p90"]) == (250.0, 400.0)
        assert (point["tpot_ms"]["p90"], point["itl_ms"]["mean"], point["latency_ms"]["p90"]) == (25.0, 21.0, 3000.0)
        assert (point["output_throughput_tok_s"], point["total_throughput_tok_s"]) == (50.5, 80.5)


def test_vllm():
    point = benchmark.read_results(json.dumps(VLLM))
    assert (point["concurrency"], point["requests"], point["completed"], point["success_rate"]) == (8, 100, 99, 0.99)
    assert (point["duration_s"], point["input_tokens"], point["output_tokens"]) == (12.5, 1000, 2000)
    assert (point["request_throughput_per_s"], point["output_throughput_tok_s"], point["total_throughput_tok_s"]) == (7.92, 160.0, 240.0)
    assert (point["ttft_ms"]["mean"], point["ttft_ms"]["p50"], point["ttft_ms"]["p90"], point["ttft_ms"]["p99"]) == (50.5, 48.0, 60.0, 70.0)
    assert (point["tpot_ms"]["p50"], point["itl_ms"]["p99"], point["latency_ms"]["p99"], point["latency_ms"]["p75"]) == (9.5, 15.1, 400.0, None)


def test_the_last_of_appended_vllm_results_counts():
    earlier = {**VLLM, "completed": 1}
    assert benchmark.read_results(f"{json.dumps(earlier)}\n{json.dumps(VLLM)}\n") == benchmark.read_results(VLLM)


def test_older_vllm_without_failed():
    older = {name: value for name, value in VLLM.items() if name not in ("failed", "num_prompts")}
    point = benchmark.read_results(older)
    assert (point["completed"], point["requests"], point["success_rate"]) == (99, None, None)


def test_every_tool_gives_the_same_keys(mindie, aisbench):
    points = [benchmark.read_results(report) for report in (mindie, aisbench, VLLM, fixture("evalscope_1.14.1_summary.json"))]
    assert len({tuple(point) for point in points}) == 1
    for point in points:
        for name in benchmark.LATENCIES:
            assert tuple(point[name]) == benchmark.STATISTICS


@pytest.mark.parametrize("text", ["", "Killed", "{}", "[]", '{"a": 1}', "| a | b |", "a,b\n1,2\n", "[1, 2", "null", "[2026-01-01] [ERROR] refused"])
def test_what_is_no_report_is_refused_with_its_end(text):
    with pytest.raises(ValueError, match="No report of a known benchmark tool found"):
        benchmark.read_results(text)


def test_reports_of_two_tools_are_refused(mindie, aisbench):
    with pytest.raises(ValueError, match="Found reports of aisbench, mindie, expected those of one tool"):
        benchmark.read_results([mindie, aisbench])
    with pytest.raises(ValueError, match="Found reports of mindie, expected those of evalscope"):
        benchmark.read_results(mindie, "evalscope")


CELL = st.floats(min_value=0, max_value=1e9, allow_nan=False).map(lambda value: round(value, 4))
UNITS = {"ms": 1, "s": 1000, "\u03bcs": 0.001, "\u00b5s": 0.001, "us": 0.001}


@given(value=CELL, unit=st.sampled_from(sorted(UNITS)), space=st.sampled_from(["", " ", "  "]))
def test_a_time_keeps_its_value_whatever_its_unit(value, unit, space):
    table = f"| Metric | average |\n| FirstTokenTime | {value}{space}{unit} |\n| x | 1 |"
    assert benchmark.read_results(table)["ttft_ms"]["mean"] == pytest.approx(value * UNITS[unit], rel=1e-9, abs=1e-6)


@given(value=st.integers(0, 10**12).map(lambda value: value / 100))
def test_thousands_may_be_parted(value):
    table = f"| Metric | average |\n| FirstTokenTime | {value:,.2f} ms |\n| x | 1 |"
    assert benchmark.read_results(table)["ttft_ms"]["mean"] == pytest.approx(value)


@pytest.mark.parametrize("cell", ["1,5 ms", "1,23,4", "1,2345", "1 234.5 ms", "1'234", "1_000", "1.234.5", "1.234,5", "3/4", "1-2", "0.5, 0.6"])
def test_a_number_that_is_not_clear_is_none(cell):
    assert benchmark._number(cell) is None
    assert benchmark._time(cell, "ms") is None


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1,234", 1234), ("-1,234.5 token/s", -1234.5), ("0( 0.0% )", 0), ("200[1]", 200), ("1e3", 1000), ("1.5e-3 ms", 0.0015), ("7.", 7), (".5 %", 0.5)],
)
def test_numbers(cell, value):
    assert benchmark._number(cell) == value


@given(cell=st.sampled_from(["/", "", " / ", "/ \u03bcs", "nan", "-", "N/A"]))
def test_a_cell_without_a_number_is_nothing(cell):
    assert benchmark.read_results(f"| Metric | average |\n| FirstTokenTime | {cell} |\n| x | 1 |")["ttft_ms"]["mean"] is None


ODD_VALUES = st.one_of(st.none(), st.floats(), st.integers(), st.sampled_from(["", "inf", "x", "5 ms", "1e999", True, [1], {}]))


@given(values=st.dictionaries(st.sampled_from(sorted(VLLM)), ODD_VALUES))
def test_any_value_in_a_known_place_gives_numbers_or_nothing(values):
    point = benchmark.read_results({**VLLM, **values})
    cells = [value for name, value in point.items() if name not in benchmark.LATENCIES]
    cells += [value for name in benchmark.LATENCIES for value in point[name].values()]
    assert all(value is None or (isinstance(value, (int, float)) and math.isfinite(value)) for value in cells)
    json.dumps(point, allow_nan=False)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    try:
        point = benchmark.read_results(text)
    except ValueError:
        return
    assert tuple(point)[0] == "concurrency"


@given(st.data())
def test_lines_around_the_tables_do_not_matter(data):
    text = fixture("mindiebenchmark_1.0.T71_stdout.txt")
    noise = data.draw(st.text(st.characters(blacklist_characters="|\u2502", blacklist_categories=["Cs"]), max_size=80))
    assert benchmark.read_results(f"{noise}\n{text}\n{noise}") == benchmark.read_results(text)


# -- comparing


def run(*points: dict) -> dict:
    return {"schema": 1, "points": list(points)}


def point(concurrency: int, throughput: float, ttft: float) -> dict:
    return {"concurrency": concurrency, "output_throughput_tok_s": throughput, "ttft_ms": {"mean": ttft, "p90": None}}


LIMITS = {"output_throughput_tok_s": 5, "ttft_ms.mean": 10}


def test_a_run_is_no_regression_of_itself():
    made = run(point(1, 100, 50), point(4, 300, 60))
    changes = benchmark.compare(made, made, LIMITS)
    assert len(changes) == 4
    assert not any(change.regression for change in changes)
    assert all(change.worse_percent == 0 for change in changes)


def test_throughput_falls_and_latency_grows_for_the_worse():
    changes = benchmark.compare(run(point(1, 90, 60)), run(point(1, 100, 50)), LIMITS)
    found = [(change.metric, change.worse_percent, change.regression) for change in changes]
    assert found == [("output_throughput_tok_s", 10, True), ("ttft_ms.mean", 20, True)]
    better = benchmark.compare(run(point(1, 110, 40)), run(point(1, 100, 50)), LIMITS)
    assert [(change.worse_percent, change.regression) for change in better] == [(-10, False), (-20, False)]


def test_the_limit_itself_is_allowed():
    assert not any(change.regression for change in benchmark.compare(run(point(1, 95, 55)), run(point(1, 100, 50)), LIMITS))


def test_a_missing_point_is_a_regression():
    changes = benchmark.compare(run(point(1, 100, 50)), run(point(1, 100, 50), point(4, 300, 60)), LIMITS)
    assert [(change.concurrency, change.regression) for change in changes] == [(1, False), (1, False), (4, True), (4, True)]


def test_a_point_that_was_not_asked_for_is_left_out():
    before = run(point(1, 100, 50), point(4, 300, 60))
    assert {change.concurrency for change in benchmark.compare({**run(point(1, 100, 50)), "settings": {"concurrency": [1]}}, before, LIMITS)} == {1}
    lost = benchmark.compare({**run(point(1, 100, 50)), "settings": {"concurrency": [1, 4]}}, before, LIMITS)
    assert [change.concurrency for change in lost if change.regression] == [4, 4]


def test_figures_that_the_earlier_run_lacks_are_left_out():
    assert benchmark.compare(run(point(1, 1, 1)), run(point(1, 1, 1)), {"ttft_ms.p90": 1}) == []


def test_the_table_names_what_became_worse():
    lines = benchmark.table(benchmark.compare(run(point(1, 90, 50)), run(point(1, 100, 50)), LIMITS)).splitlines()
    assert lines[0].split() == ["concurrency", "metric", "before", "now", "worse", "by", "limit"]
    assert lines[1].split() == ["1", "output_throughput_tok_s", "100", "90", "+10.0", "%", "5", "%", "REGRESSION"]
    assert lines[2].split() == ["1", "ttft_ms.mean", "50", "50", "+0.0", "%", "10", "%"]


@given(before=st.floats(0.001, 1e6), now=st.floats(0.001, 1e6), limit=st.floats(0, 100))
def test_a_regression_is_a_loss_beyond_the_limit(before, now, limit):
    (change,) = benchmark.compare(run(point(1, now, 1)), run(point(1, before, 1)), {"output_throughput_tok_s": limit})
    assert change.regression == ((before - now) / before * 100 > limit)


@pytest.mark.parametrize("metric", ["success_rate", "duration_s", "output_throughput_tok_s", "ttft_ms.p90", "latency_ms.mean"])
def test_known_metrics(metric):
    assert benchmark.known_metric(metric)


@pytest.mark.parametrize("metric", ["", "ttft_ms", "ttft_ms.p42", "success_rate.mean", "concurrency", "speed"])
def test_unknown_metrics(metric):
    assert not benchmark.known_metric(metric)


def test_the_summary_has_a_line_per_point(mindie, aisbench):
    lines = benchmark.summary(run(benchmark.read_results(mindie), benchmark.read_results(aisbench))).splitlines()
    assert [line.split()[:3] for line in lines[1:]] == [["10", "200", "1"], ["1", "8", "1"]]
    assert "35.9032" in lines[1]
