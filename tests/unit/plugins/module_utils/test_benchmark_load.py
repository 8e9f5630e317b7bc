# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load of a benchmark: what the tools would refuse is refused, and what is written is what they take."""

from __future__ import annotations

import json
import random
import statistics

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_load as load
from hypothesis import given
from hypothesis import strategies as st

# The deployment guide's.
PROMPT = {"method": "uniform", "min_value": 1848, "max_value": 2244}
ANSWER = {"method": "gaussian", "mean": 2048, "var": 204.8, "min_value": 1848, "max_value": 2244}
ZIPF = {"method": "zipf", "alpha": 1.5, "min_value": 1, "max_value": 100}


GUIDE = {"tool": "mindie", "prompt": PROMPT, "answer": ANSWER, "request_count": 128, "concurrency": [80], "max_output": 2048, "texts": None}


def problems(**changes):
    wanted = {**GUIDE, **changes}
    return load.problems(*(wanted[name] for name in GUIDE))


def test_the_load_of_the_guide_is_sound():
    assert problems() == []
    assert load.synthetic_config(PROMPT, ANSWER, 128) == {
        "Input": {"Method": "uniform", "Params": {"MinValue": 1848, "MaxValue": 2244}},
        "Output": {"Method": "gaussian", "Params": {"Mean": 2048, "Var": 204.8, "MinValue": 1848, "MaxValue": 2244}},
        "RequestCount": 128,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": {**PROMPT, "method": "poisson"}}, "benchmark_input.method: found 'poisson', expected one of uniform, gaussian, zipf."),
        ({"prompt": None}, "benchmark_input.method: found None"),
        ({"prompt": {"method": "uniform", "min_value": 1}}, "benchmark_input: found min_value, expected exactly max_value, min_value for uniform."),
        ({"prompt": {**PROMPT, "mean": 3}}, "expected exactly max_value, min_value for uniform."),
        ({"answer": {**ANSWER, "alpha": 2}}, "expected exactly max_value, mean, min_value, var for gaussian."),
        ({"prompt": {**PROMPT, "min_value": 0}}, "benchmark_input.min_value: found 0, expected an integer in [1, 1048576]."),
        ({"prompt": {**PROMPT, "max_value": 2**20 + 1}}, "benchmark_input.max_value: found 1048577"),
        ({"prompt": {**PROMPT, "min_value": "5"}}, "benchmark_input.min_value: found '5'"),
        ({"prompt": {**PROMPT, "min_value": True}}, "benchmark_input.min_value: found True"),
        ({"prompt": {**PROMPT, "min_value": 2245}}, "benchmark_input: min_value 2245 is above max_value 2244."),
        ({"answer": {**ANSWER, "var": -0.1}}, "benchmark_output.var: found -0.1, expected a number in [0, 3.0e38]."),
        ({"answer": {**ANSWER, "mean": 3.1e38}}, "benchmark_output.mean: found 3.1e+38"),
        ({"answer": {**ANSWER, "mean": float("nan")}}, "benchmark_output.mean: found nan"),
        ({"answer": {**ZIPF, "alpha": 1.0}}, "benchmark_output.alpha: found 1.0, expected a number in (1.0, 10.0]."),
        ({"answer": {**ZIPF, "alpha": 10.1}}, "benchmark_output.alpha: found 10.1"),
        ({"request_count": 0}, "benchmark_request_count: found 0, expected an integer in [1, 1048576]."),
        ({"request_count": 1.5}, "benchmark_request_count: found 1.5"),
        ({"concurrency": []}, "benchmark_concurrency: found [], expected a list of different integers"),
        ({"concurrency": [4, 4]}, "expected a list of different integers"),
        ({"concurrency": 4}, "expected a list of different integers"),
        ({"concurrency": [0]}, "benchmark_concurrency: found 0, expected integers in [1, 1000] for mindie."),
        ({"concurrency": [1001]}, "benchmark_concurrency: found 1001, expected integers in [1, 1000] for mindie."),
        ({"max_output": 0}, "benchmark_max_output: found 0"),
        ({"max_output": 1847}, "benchmark_max_output: found 1847, expected at least benchmark_output.min_value (1848)"),
        ({"texts": {"benchmark_model": "x" * 1024}}, "benchmark_model: found 1024 characters, expected one line of fewer than 1024."),
        ({"texts": {"benchmark_model": "a\nb"}}, "benchmark_model: found 3 characters, expected one line"),
        ({"tool": "evalscope", "request_count": 2**16}, "benchmark_request_count: found 65536 prompts of up to 2244 words"),
    ],
)
def test_one_fault_gives_one_sentence(changes, words):
    found = problems(**changes)
    assert len(found) == 1
    assert words in found[0]


def test_the_bounds_are_allowed():
    assert problems(answer={**ZIPF, "alpha": 10.0, "max_value": 2**20}, concurrency=[1, 1000], request_count=2**20, max_output=2**20) == []
    assert problems(answer={**ANSWER, "var": 0}) == []
    assert problems(tool="aisbench", concurrency=[64000]) == []


def distributions():
    bounds = st.tuples(st.integers(1, 500), st.integers(0, 500)).map(lambda pair: {"min_value": pair[0], "max_value": pair[0] + pair[1]})
    return st.one_of(
        bounds.map(lambda given_: {"method": "uniform", **given_}),
        st.tuples(bounds, st.floats(-1e6, 1e6), st.floats(0, 1e6)).map(lambda made: {"method": "gaussian", "mean": made[1], "var": made[2], **made[0]}),
        st.tuples(bounds, st.floats(1.0, 10.0, exclude_min=True)).map(lambda made: {"method": "zipf", "alpha": made[1], **made[0]}),
    )


@given(prompt=distributions(), answer=distributions(), seed=st.integers(0, 2**32))
def test_whatever_is_sound_gives_requests_within_the_bounds(prompt, answer, seed):
    assert problems(prompt=prompt, answer=answer, max_output=2**20) == []
    lines = load.requests("m", prompt, answer, 5, 2**20, seed).splitlines()
    assert len(lines) == 5
    for line in lines:
        body = json.loads(line)
        words = body["messages"][0]["content"].split(" ")
        assert prompt["min_value"] <= len(words) <= prompt["max_value"]
        assert answer["min_value"] <= body["max_tokens"] <= answer["max_value"]
        assert (body["model"], body["ignore_eos"]) == ("m", True)


def test_requests_are_those_of_their_seed():
    made = [load.requests("m", PROMPT, ANSWER, 3, 2048, seed) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    prompts = {json.loads(line)["messages"][0]["content"][:60] for text in made for line in text.splitlines()}
    assert len(prompts) == 6


def test_answers_are_cut_to_the_longest():
    assert {json.loads(line)["max_tokens"] for line in load.requests("m", PROMPT, {**PROMPT, "min_value": 2100}, 50, 2100, 0).splitlines()} == {2100}


def test_var_is_the_variance():
    drawn = load.lengths({"method": "gaussian", "mean": 500, "var": 400, "min_value": 1, "max_value": 1000}, 4000, random.Random(0))
    assert statistics.fmean(drawn) == pytest.approx(500, abs=2)
    assert statistics.stdev(drawn) == pytest.approx(20, rel=0.1)


def test_zipf_falls_with_the_power():
    drawn = load.lengths({"method": "zipf", "alpha": 2.0, "min_value": 1, "max_value": 10**6}, 20000, random.Random(0))
    # P(1) = 1 / zeta(2) = 0.6079, P(2) = P(1) / 4
    assert drawn.count(1) / 20000 == pytest.approx(0.6079, abs=0.02)
    assert drawn.count(2) / 20000 == pytest.approx(0.152, abs=0.015)
