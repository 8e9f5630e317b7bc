# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import copy
import json
import math

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _report
from hypothesis import example, given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def gathered(fixture_text):
    return json.loads(fixture_text("report/cluster.json"))


@pytest.fixture
def views(gathered):
    return copy.deepcopy(gathered["views"])


def document(gathered, **changes):
    given_ = {**gathered, **changes}
    return _report.document(given_["views"], given_["checks"], given_["pairs"], given_["timings"], given_["benchmarks"], "lab", "2026-01-31T12:00:00Z")


def row(made, name):
    return next(row for row in made["versions"] if row["name"] == name)


def test_the_document_has_the_keys_that_are_documented(gathered):
    made = document(gathered)
    assert (made["schema"], made["schema_version"]) == ("npuops.ascend/report", 1)
    assert set(made) == {
        "schema", "schema_version", "title", "generated_at", "language", "summary", "hosts", "versions", "checks", "fabric", "cabling", "rank_tables",
        "services", "smoke", "timings", "benchmarks",
    }  # fmt: skip
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_the_summary_counts(gathered):
    made = document(gathered)
    # Device 3 of npu02 is down: eight pairs towards it and eight from it.
    assert made["summary"]["pairs"] == 128
    assert made["summary"]["pairs_failed"] == 16
    assert made["summary"]["hosts"] == 2
    assert made["summary"]["devices"] == 16
    assert made["summary"]["unreachable"] == []
    assert sum(made["summary"]["checks"].values()) == len(gathered["checks"])
    assert made["summary"]["status"] == "fail"


def test_a_cluster_without_findings_passes(gathered, views):
    healthy = [check for check in gathered["checks"] if check["status"] in ("pass", "skip")]
    pairs = [{**pair, "loss_percent": 0.0, "error": None} for pair in gathered["pairs"]]
    views[1]["facts"]["npu"] = views[0]["facts"]["npu"]
    made = document(gathered, views=views, checks=healthy, pairs=pairs)
    assert made["summary"]["status"] == "pass"


@pytest.mark.parametrize("spoil", ["unreachable", "service", "answer", "rank_table"])
def test_one_broken_thing_fails_the_report(gathered, views, spoil):
    if spoil == "unreachable":
        views[1] = {"host": "npu02", "reached": False}
    elif spoil == "service":
        views[1]["facts"]["service"]["state"] = "failed"
    elif spoil == "answer":
        views[0]["smoke"].update(answer=None, error="Connection refused")
    else:
        views[1]["rank_table"]["content"] = base64.b64encode(b"{}").decode()
    assert document(gathered, views=views, checks=[], pairs=[])["summary"]["status"] == "fail"


def test_an_unreachable_host_is_named_and_nothing_of_it_is_shown(gathered, views):
    views[1] = {"host": "npu02", "address": "192.0.2.12", "group": "mindie", "reached": False, "facts": views[1]["facts"]}
    made = document(gathered, views=views)
    assert made["summary"]["unreachable"] == ["npu02"]
    assert row(made, "driver")["values"] == {"npu01": "24.1.0"}
    assert {cable["host"] for cable in made["cabling"]} == {"npu01"}


@pytest.mark.parametrize(
    ("values", "odd"),
    [
        (["24.1.0", "24.1.0", "24.1.0"], []),
        (["24.1.0", "24.1.1", "24.1.0"], ["npu02"]),
        (["24.1.0", "24.1.1"], ["npu01", "npu02"]),
        # A host without the thing is shown as such; it is not another version.
        (["24.1.0", None, "24.1.0"], []),
        (["a", "b", "c"], ["npu01", "npu02", "npu03"]),
    ],
)
def test_hosts_that_differ_from_most_are_marked(values, odd):
    views = [{"host": f"npu{index:02}", "reached": True, "facts": {"npu": {"driver_version": value}}} for index, value in enumerate(values, 1)]
    assert row(_report.document(views), "driver")["odd"] == odd


def test_devices_of_a_host_that_differ_are_listed():
    devices = [{"device": 0, "tls_enabled": False}, {"device": 1, "tls_enabled": True}, {"device": 2, "tls_enabled": False}]
    made = _report.document([{"host": "npu01", "reached": True, "facts": {"hccn": {"devices": devices}}}])
    assert row(made, "tls")["values"]["npu01"] == "off (0, 2); on (1)"


def test_the_rank_table_is_compared_by_its_bytes(gathered, views):
    (table,) = document(gathered)["rank_tables"]
    assert table["identical"]
    assert [rank["rank"] for rank in table["ranks"]] == [str(rank) for rank in range(16)]
    content = base64.b64decode(views[1]["rank_table"]["content"])
    views[1]["rank_table"]["content"] = base64.b64encode(content + b"\n").decode()
    (table,) = document(gathered, views=views)["rank_tables"]
    assert not table["identical"]
    assert len(set(table["hosts"].values())) == 2


def test_pairs_that_several_hosts_bring_count_once(gathered):
    assert document(gathered, pairs=gathered["pairs"] * 2)["summary"]["pairs"] == 128


def test_timings_of_other_hosts_are_not_shown(gathered):
    assert document(gathered)["timings"]["playbook"] == "site.yml"
    assert document(gathered, timings=gathered["timings"].replace("npu0", "other"))["timings"] is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": "npuops.ascend/timings", "stages": 3}', None])
def test_timings_that_cannot_be_read_are_left_out(text):
    assert _report.timings(text, ["npu01"]) is None


POINT = {"concurrency": 8, "output_throughput_tok_s": 100.5, "ttft_ms": {"p50": 90}, "success_rate": 1.0}
READ = {
    "concurrency": 8.0,
    "output_throughput_tok_s": 100.5,
    "ttft_ms": {"mean": None, "p50": 90.0, "p90": None, "p99": None},
    "tpot_ms": {"mean": None, "p50": None, "p90": None, "p99": None},
    "success_rate": 1.0,
}


@pytest.mark.parametrize(
    "content", [[POINT], {"points": [POINT]}, {"results": [POINT, {"concurrency": "many"}, 7]}, {"model": "x", "runs": [POINT]}, POINT]
)
def test_points_are_found_in_lists_and_dictionaries(content):
    assert _report.benchmarks({"run.json": json.dumps(content)}) == [{"name": "run.json", "points": [READ]}]


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"points": 1}', '[{"concurrency": 1e999, "output_throughput_tok_s": 1}]'])
def test_other_files_are_passed_over(text):
    assert _report.benchmarks({"other.json": text}) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("npu\u202e10", "npu\\u202e10"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("bad\udc80byte", "bad\\udc80byte"),
        ("one\ntwo\tthree", "one\ntwo\tthree"),
        ("昇腾 é שלום", "昇腾 é שלום"),
    ],
)
def test_invisible_characters_are_spelt_out(text, shown):
    assert _report.visible(text) == shown


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(["system", "npu", "hccn", "cann", "image", "service", "devices", "state", "lldp", "installed", "count", "pci"])


@given(JSON_LIKE)
def test_plain_values_are_json(value):
    made = _report.plain(value)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


@example(facts={"hccn": {"devices": [{"device": 0, "mtu": [1], "tls_enabled": {}}]}}, other=None, text="")
@given(facts=st.dictionaries(KEYS, st.dictionaries(KEYS, JSON_LIKE, max_size=3) | JSON_LIKE, max_size=6), other=JSON_LIKE, text=st.text())
def test_whatever_was_gathered_gives_a_document(facts, other, text):
    view = {"host": text or "x", "reached": True, "facts": facts, "rank_table": {"content": other}, "smoke": {"url": "u", "answer": other}}
    made = _report.document([view, {"host": "y", "reached": True, "facts": other}], other, other, text, {text: text})
    assert json.loads(json.dumps(made, allow_nan=False)) == made
    assert made["summary"]["hosts"] == 2


def test_numbers():
    assert [_report.number(value) for value in (1, "2.5", True, None, "x", math.inf, 10**400, [])] == [1.0, 2.5] + [None] * 6
