# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.report_document import report_document
from ansible_collections.npuops.ascend.plugins.filter.report_junit import report_junit
from hypothesis import given
from hypothesis import strategies as st


def result(status, **more):
    return {"id": "link", "stage": "fabric", "host": "npu02", "device": 3, "status": status, "title": {"en": "Link up", "zh": "链路正常"}, **more}


def junit(checks, language="en"):
    document = report_document([{"host": "npu02", "reached": True}], checks=checks, title="lab", generated_at="2026-01-31T12:00:00Z")
    return ElementTree.fromstring(report_junit(document, language).encode())


def test_each_status_as_ci_reads_it():
    failed = {"observed": "link is down", "expected": "link is up", "remedy": {"en": "Look at the cable.", "zh": "检查线缆。"}}
    root = junit(
        [
            result("pass", host="npu01"),
            result("fail", **failed),
            result("warn", id="optics", observed="power is low"),
            result("skip", id="vnic", device=None, observed="not an A3"),
            result("pass", id="clock", stage="host", host="", device=None),
        ]
    )
    assert (root.tag, root.attrib) == ("testsuites", {"name": "lab", "tests": "5", "failures": "1", "errors": "0", "skipped": "1", "time": "0"})
    assert [(suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("skipped")) for suite in root] == [
        ("host", "1", "0", "0"),
        ("fabric", "4", "1", "1"),
    ]
    cases = {(case.get("classname"), case.get("name")): case for case in root.iter("testcase")}
    assert set(cases) == {
        ("cluster", "clock"), ("npu01", "link device 3"), ("npu02", "link device 3"), ("npu02", "optics device 3"), ("npu02", "vnic"),
    }  # fmt: skip
    failure = cases["npu02", "link device 3"].find("failure")
    assert (failure.get("message"), failure.get("type")) == ("link is down", "link")
    assert failure.text == "Link up\nobserved: link is down\nexpected: link is up\nremedy: Look at the cable."
    # A warning does not turn a build red, but it is there to read.
    assert [child.tag for child in cases["npu02", "optics device 3"]] == ["system-out"]
    assert cases["npu02", "vnic"].find("skipped").get("message") == "not an A3"
    assert len(cases["npu01", "link device 3"]) == 0


def test_counts_agree_with_the_cases(fixture_text):
    gathered = json.loads(fixture_text("report/cluster.json"))
    root = ElementTree.fromstring(report_junit(report_document(gathered["views"], checks=gathered["checks"])).encode())
    for node in (root, *root):
        assert int(node.get("tests")) == len(list(node.iter("testcase")))
        assert int(node.get("failures")) == len(list(node.iter("failure")))
        assert int(node.get("skipped")) == len(list(node.iter("skipped")))
    assert int(root.get("tests")) == len(gathered["checks"])


def test_texts_in_chinese():
    assert "链路正常" in junit([result("fail")], "zh").find(".//failure").text


def test_results_of_no_stage_have_a_suite():
    assert junit([result("pass", stage=None), result("pass", stage="later")])[0].attrib["name"] == "other"


@given(st.text(st.characters(exclude_categories=[]), max_size=40))
def test_every_text_gives_xml(text):
    root = junit([result("fail", id=text or "x", host=text, observed=text, evidence=text, title=text), result("skip", observed=text)])
    assert root.get("tests") == "2"


def test_markup_and_ends_of_cdata_are_text():
    failure = junit([result("fail", observed='"]]><x a="1">&amp;')]).find(".//failure")
    assert failure.get("message") == '"]]><x a="1">&amp;'
    assert len(failure) == 0


def test_other_input_is_refused():
    with pytest.raises(AnsibleFilterError, match="report_document"):
        report_junit([])
