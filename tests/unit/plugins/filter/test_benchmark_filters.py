# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmark filters add to their cores: types, messages, shapes."""

from __future__ import annotations

import json

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.benchmark_comparison import benchmark_comparison
from ansible_collections.npuops.ascend.plugins.filter.benchmark_curve import benchmark_curve
from ansible_collections.npuops.ascend.plugins.filter.benchmark_problems import benchmark_problems
from ansible_collections.npuops.ascend.plugins.filter.benchmark_requests import benchmark_requests
from ansible_collections.npuops.ascend.plugins.filter.benchmark_results import benchmark_results
from ansible_collections.npuops.ascend.plugins.filter.benchmark_synthetic_config import benchmark_synthetic_config
from ansible_collections.npuops.ascend.plugins.filter.benchmark_table import benchmark_table

LENGTHS = {"method": "uniform", "min_value": 2, "max_value": 4}
SETTINGS = {"model": "m", "input": LENGTHS, "output": LENGTHS, "request_count": 3, "max_output": 4, "concurrency": [1, 2]}
RUN = {"schema": 1, "tool": "mindie", "points": [{"concurrency": 1, "output_throughput_tok_s": 100.0, "ttft_ms": {"mean": 10.0}}]}


def test_a_sound_load_has_no_problem():
    assert benchmark_problems(SETTINGS, "mindie") == []


def test_an_unknown_tool_is_a_problem():
    assert benchmark_problems(SETTINGS, "wrk") == ["benchmark_tool: found 'wrk', expected one of mindie, aisbench, evalscope."]


def test_missing_settings_are_problems():
    assert len(benchmark_problems({}, "mindie")) == 5


def test_a_load_without_lengths_is_named():
    with pytest.raises(AnsibleFilterError, match="'input' is missing"):
        benchmark_synthetic_config({})
    with pytest.raises(AnsibleFilterError, match="'request_count' is missing"):
        benchmark_requests({})


def test_requests_by_count():
    assert len(benchmark_requests(SETTINGS).splitlines()) == 3
    assert len(benchmark_requests(SETTINGS, seed=1, count=5).splitlines()) == 5


def test_what_is_no_report_names_the_tools():
    with pytest.raises(AnsibleFilterError, match="No report of evalscope found in 'Killed'"):
        benchmark_results("Killed", "evalscope")
    with pytest.raises(AnsibleFilterError, match="found tool 'wrk', expected one of mindie, aisbench, evalscope, vllm"):
        benchmark_results("", "wrk")


def test_a_comparison_names_regressions():
    slower = json.loads(json.dumps(RUN).replace("100.0", "90.0"))
    found = benchmark_comparison(slower, RUN, {"output_throughput_tok_s": 5})
    assert [change["metric"] for change in found["regressions"]] == ["output_throughput_tok_s"]
    assert found["regressions"][0]["worse_percent"] == 10.0
    assert "REGRESSION" in found["table"]
    assert benchmark_comparison(RUN, RUN, {"output_throughput_tok_s": 0})["regressions"] == []


@pytest.mark.parametrize(
    ("run", "baseline", "limits", "words"),
    [
        (RUN, {**RUN, "schema": 2}, {}, "the baseline has schema 2, expected 1"),
        ([], RUN, {}, "the run has schema 'list', expected 1"),
        (RUN, RUN, {"speed": 5}, "found limit speed: 5, expected a metric"),
        (RUN, RUN, {"success_rate": -1}, "found limit success_rate: -1"),
        (RUN, RUN, {"success_rate": "5"}, "found limit success_rate: '5'"),
        (RUN, RUN, {"latency_ms.p99": 5}, "the baseline has none of the figures that have limits at the concurrency of the run"),
    ],
)
def test_what_cannot_be_compared(run, baseline, limits, words):
    with pytest.raises(AnsibleFilterError, match=words):
        benchmark_comparison(run, baseline, limits)


def test_one_run_or_several_are_drawn():
    assert benchmark_curve(RUN) == benchmark_curve([RUN])
    assert benchmark_curve([RUN, RUN]).count("<circle") == 4
    with pytest.raises(AnsibleFilterError, match="expects a run or a list of runs"):
        benchmark_curve("x")


def test_a_table_needs_a_run():
    assert len(benchmark_table(RUN).splitlines()) == 2
    with pytest.raises(AnsibleFilterError, match="expects a run"):
        benchmark_table("x")
