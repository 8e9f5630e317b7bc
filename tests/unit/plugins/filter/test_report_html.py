# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.report_document import report_document
from ansible_collections.npuops.ascend.plugins.filter.report_html import report_html
from ansible_collections.npuops.ascend.plugins.module_utils import _report
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

PROJECT = Path(__file__).resolve().parents[4]
TEMPLATE = (PROJECT / "roles/report/files/report.html.j2").read_text(encoding="utf-8")
GATHERED = json.loads((PROJECT / "tests/fixtures/report/cluster.json").read_bytes())
HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></head><body onload=alert(1)>",
    "]]><!--",
    "--><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;",
    "\u202enpu\u2066\u0000\x1b[2J",
    "שלום عربي",
    "javascript:alert(1)",
    "\ud800",
]
# What the tools of hosts say, and names; the words that decide what is shown stay.
DECIDING = {"status", "stage", "state", "reached", "content", "schema", "level"}


class Shape(HTMLParser):
    """Elements with their attributes, as a browser meets them, and the text outside of styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, tuple(name for name, _value in attrs)))
        self.links.extend(value for name, value in attrs if name in ("href", "src", "action", "xlink:href"))

    def handle_data(self, data):
        if self.lasttag != "style":
            self.words.append(data)

    def handle_comment(self, data):
        self.comments.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def spoilt(value, text, key=""):
    if isinstance(value, dict):
        return {name: spoilt(item, text, name) for name, item in value.items()}
    if isinstance(value, list):
        return [spoilt(item, text, key) for item in value]
    return text + value if value and isinstance(value, str) and key not in DECIDING else value


def page(gathered=GATHERED, language="en", **more):
    pieces = {key: gathered[key] for key in ("checks", "pairs", "timings", "benchmarks")}
    return report_html(report_document(gathered["views"], **pieces, language=language, **more), TEMPLATE, language)


def hostile_page(text):
    gathered = spoilt({key: GATHERED[key] for key in ("views", "checks", "pairs")}, text)
    timings = spoilt(json.loads(GATHERED["timings"]), text)
    timings["stages"] = [
        {"stage": text + stage["stage"], "seconds": stage["seconds"], "hosts": {text + host: seconds for host, seconds in stage["hosts"].items()}}
        for stage in json.loads(GATHERED["timings"])["stages"]
    ]
    benchmarks = {text + name: content for name, content in GATHERED["benchmarks"].items()}
    return page({**gathered, "timings": json.dumps(timings), "benchmarks": benchmarks}, title=text + "title", generated_at=text)


BENIGN = Shape(hostile_page("x"))


def test_a_host_that_does_not_answer_stands_beside_one_that_does():
    views = [view if view["host"] == "npu01" else {"host": view["host"], "reached": False} for view in GATHERED["views"]]
    text = Shape(page({**GATHERED, "views": views})).text
    assert "npu02 unreachable" in text
    # What is known of the other host is still there.
    assert "910B3" in text


def test_the_page_shows_every_part():
    text = Shape(page()).text
    # One sample of each section.
    for words in (
        "The device's link is up and reaches its detect address", "link status: DOWN", "24.1.1", "openEuler 22.03", "112 / 128", "npu02 3",
        "400GE1/1/11:1", "10.92.18.8", "mindie-mindie.service", "请介绍一下昇腾处理器。", "74.2", "910.0",
    ):  # fmt: skip
        assert words in text


def test_the_page_speaks_chinese():
    made = page(language="zh")
    text = Shape(made).text
    assert '<html lang="zh-CN">' in made
    assert "发现的问题" in text
    assert "各阶段耗时" in text
    assert "Findings" not in text


def test_an_empty_report_is_a_page_too():
    made = report_html(report_document([{"host": "npu01", "reached": False}]), TEMPLATE)
    text = Shape(made).text
    assert "unreachable" in text
    assert "No check was run." in text


def test_nothing_is_fetched_and_nothing_runs():
    made = page()
    assert "default-src 'none'" in made
    assert not {tag for tag, _names in BENIGN.elements} & {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
    assert all(link.startswith("#") for link in BENIGN.links)
    assert not re.search(r"url\(|@import|https?://(?!10\.91)", made)
    assert "|safe" not in TEMPLATE.replace(" ", "")
    assert "autoescape" not in TEMPLATE


def test_every_link_of_the_contents_leads_somewhere():
    made = page()
    assert BENIGN.links
    assert all(f'id="{link[1:]}"' in made for link in BENIGN.links)


def test_tables_have_heads():
    made = page()
    assert made.count("<table") == made.count("<thead>") == made.count("</table>")
    assert not re.search(r"<th(?![^>]*scope=)[ >]", made)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_changes_no_element(text):
    shape = Shape(hostile_page(text))
    assert shape.elements == BENIGN.elements
    assert shape.links == BENIGN.links
    assert not shape.comments
    assert " ".join(_report.visible(text + "title").split()) in shape.text


@given(st.text(st.characters(exclude_categories=[]), min_size=1, max_size=30).filter(str.strip))
@settings(max_examples=25, deadline=None)
def test_no_text_changes_an_element(text):
    shape = Shape(hostile_page(text))
    assert shape.elements == BENIGN.elements
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "".join(shape.words))


def test_text_that_calls_itself_safe_is_escaped_too():
    made = report_html(report_document([{"host": "npu01", "reached": True}], title=Markup("<script>x</script>")), TEMPLATE)
    assert "<script" not in made


def test_other_input_is_refused():
    with pytest.raises(AnsibleFilterError, match="report_document"):
        report_html({"schema": "other"}, TEMPLATE)
    with pytest.raises(AnsibleFilterError, match="language is 'fr'"):
        report_html(report_document([{"host": "npu01"}]), TEMPLATE, "fr")
    with pytest.raises(AnsibleFilterError, match="key host"):
        report_document([{"name": "npu01"}])
