# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _report_page
from hypothesis import given
from hypothesis import strategies as st


def check(name, status, host="", stage="host", **more):
    return {"id": name, "stage": stage, "status": status, "host": host, "title": {"en": f"{name} en", "zh": f"{name} 中"}, **more}


def pair(host, device, peer_host, peer_device, avg_ms=1.0, loss_percent=0.0, error=None, reason=None):
    return {
        "host": host, "device": device, "address": "192.0.2.1", "peer_host": peer_host, "peer_device": peer_device, "peer_address": "192.0.2.2",
        "avg_ms": avg_ms, "loss_percent": loss_percent, "error": error, "reason": reason,
    }  # fmt: skip


def full(hosts, devices):
    return [pair(a, d, b, e) for a in hosts for d in range(devices) for b in hosts if a != b for e in range(devices)]


def test_every_word_is_there_in_both_languages():
    assert all(len(texts) == 2 and all(texts) for texts in _report_page.WORDS.values())


def test_checks_stand_by_stage_and_host():
    results = [
        check("late", "pass", "npu01", "launch"),
        check("late", "fail", "npu01", "launch"),
        check("late", "warn", "npu02", "launch"),
        check("whole", "pass"),
        check("odd_one", "fail", "npu02"),
    ]
    assert _report_page.check_grid(results, ["npu01", "npu02"], "zh") == [
        (
            "host",
            [
                {"id": "whole", "title": "whole 中", "stage": "host", "whole": "pass", "cells": []},
                {"id": "odd_one", "title": "odd_one 中", "stage": "host", "whole": None, "cells": [None, "fail"]},
            ],
        ),
        # Of several results for one host, such as one for each device, the worst counts.
        ("launch", [{"id": "late", "title": "late 中", "stage": "launch", "whole": None, "cells": ["fail", "warn"]}]),
    ]


def test_failures_come_before_warnings():
    results = [check("one", "warn", "npu01"), check("two", "pass"), check("three", "fail", "npu02", device=3, observed="link is down", evidence=["a", "b"])]
    found = _report_page.findings(results, "en")
    assert [(finding["id"], finding["title"]) for finding in found] == [("three", "three en"), ("one", "one en")]
    assert found[0]["places"] == [{"host": "npu02", "device": 3, "observed": "link is down", "expected": "", "evidence": "a\nb"}]


def test_findings_with_one_remedy_stand_together():
    remedy = {"en": "Do it.", "zh": "执行。"}
    results = [check("tuning", "warn", host, remedy=remedy, observed="madvise") for host in ("npu01", "npu02")]
    results.append(check("tuning", "warn", "npu03", remedy="Another.", observed="never"))
    found = _report_page.findings(results, "en")
    assert [[place["host"] for place in finding["places"]] for finding in found] == [["npu01", "npu02"], ["npu03"]]


def test_a_reason_to_skip_is_said_once():
    results = [check("spod", "skip", host, observed="not an A3") for host in ("npu01", "npu02", "npu01")]
    assert _report_page.skipped(results) == [{"id": "spod", "observed": "not an A3", "hosts": ["npu01", "npu02"]}]


def test_all_pairs_are_a_grid_of_hosts_and_devices():
    heat = _report_page.heat_map(full(["npu01", "npu02"], 8))
    assert heat["mode"] == "all"
    assert heat["groups"] == [("npu01", 8), ("npu02", 8)]
    assert [len(row["cells"]) for row in heat["rows"]] == [16] * 16
    # A device does not ping its own host.
    assert heat["rows"][0]["names"] == ("npu01", "0")
    assert heat["rows"][0]["cells"][:8] == [None] * 8


def test_pairs_of_one_index_are_a_row_for_two_hosts():
    heat = _report_page.heat_map([pair(a, d, b, d) for a, b in (("npu01", "npu02"), ("npu02", "npu01")) for d in (10, 9, 0)])
    assert heat["mode"] == "same_index"
    assert heat["columns"] == [("0",), ("9",), ("10",)]
    assert [row["names"] for row in heat["rows"]] == [("npu01", "npu02"), ("npu02", "npu01")]


def test_many_hosts_are_a_grid_of_hosts_with_the_worst_pair():
    hosts = [f"npu{index:02}" for index in range(32)]
    pairs = [pair(a, d, b, d) for a in hosts for b in hosts if a != b for d in range(8)]
    pairs[5].update(loss_percent=66.7, avg_ms=0.5)
    heat = _report_page.heat_map(pairs)
    assert (heat["mode"], len(heat["rows"]), len(heat["columns"])) == ("hosts", 32, 32)
    assert heat["rows"][0]["cells"][1]["text"] == "66.7%"
    assert len(heat["failed"]) == 1


@pytest.mark.parametrize(
    ("changes", "level", "text"),
    [
        ({}, 0, "1.00"),
        ({"avg_ms": 1.4}, 1, "1.40"),
        ({"avg_ms": 2.0}, 2, "2.00"),
        ({"avg_ms": 12.34}, 3, "12"),
        ({"avg_ms": None, "loss_percent": 100.0, "reason": "link"}, "bad", "100%"),
        ({"loss_percent": 33.3}, "bad", "33.3%"),
        ({"avg_ms": None, "loss_percent": None, "error": "no answer"}, "bad", "×"),
        ({"avg_ms": None}, 0, "✓"),
    ],
)
def test_a_cell_says_what_its_colour_says(changes, level, text):
    pairs = [*full(["a", "b"], 2), {**pair("a", 5, "b", 5), **changes}]
    cell = next(row for row in _report_page.heat_map(pairs)["rows"] if row["names"] == ("a", "5"))["cells"][-1]
    assert (cell["level"], cell["text"]) == (level, text)


def test_no_pings_no_map():
    assert _report_page.heat_map([]) is None


def test_a_chart_starts_at_zero_and_keeps_its_points_inside():
    chart = _report_page.chart([("p50", [(1, 18.0), (8, 130.0), (128, 910.0)])])
    assert [name for _place, name in chart["y_ticks"]] == ["0", "500", "1000"]
    assert [name for _place, name in chart["x_ticks"]] == ["1", "8", "128"]
    # 500 is half of 1000, so half of the way up.
    places = dict((name, place) for place, name in chart["y_ticks"])
    assert places["500"] == pytest.approx((places["0"] + places["1000"]) / 2, abs=0.1)
    (line,) = chart["lines"]
    assert [label for _x, _y, label in line["dots"]] == ["18", "130", "910"]


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e12)), min_size=1, max_size=8, unique_by=lambda point: point[0]))
def test_every_chart_can_be_drawn(points):
    chart = _report_page.chart([("", sorted(points))])
    for x, y, _label in chart["lines"][0]["dots"]:
        assert chart["left"] <= x <= chart["right"]
        assert 0 <= y <= chart["bottom"]


def test_bars_are_relative_to_the_longest_stage():
    stages = [{"stage": "npuops.ascend.hdk", "seconds": 80.0, "hosts": {}}, {"stage": "npuops.ascend.docker", "seconds": 20.0, "hosts": {}}]
    assert [(drawn["name"], drawn["percent"]) for drawn in _report_page.bars({"stages": stages})] == [("hdk", 100.0), ("docker", 25.0)]
    assert _report_page.bars(None) == []
