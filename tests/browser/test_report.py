# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the report in a real browser, at the widths of a laptop and a phone, light and dark."""

from __future__ import annotations

import json
import pathlib
import re

import chromium
import pytest
from ansible_collections.npuops.ascend.plugins.filter.report_document import report_document
from ansible_collections.npuops.ascend.plugins.filter.report_html import report_html

PROJECT = pathlib.Path(__file__).resolve().parents[2]
LAPTOP, PHONE = (1280, 800), (390, 844)
VIEWS = [(*LAPTOP, "light"), (*LAPTOP, "dark"), (*PHONE, "light"), (*PHONE, "dark")]
# Contrast of every text with what is behind it, by WCAG 2; the worst one below 4.5 and its text.
CONTRAST = r"""
(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const linear = value => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const bad = [];
  for (const element of document.body.querySelectorAll('*')) {
    const text = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join('');
    if (!text || element.closest('.hidden, svg, [aria-hidden]')) continue;
    let behind = element;
    while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgba(style.color)), light(rgba(getComputedStyle(behind || document.body).backgroundColor))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${element.className || element.tagName}: ${text}`);
  }
  return [...new Set(bad)].slice(0, 5);
})()
"""


@pytest.fixture(scope="module")
def browser():
    # Not skipped without one: tests/tools/browser.sh installs it.
    assert chromium.program(), "No Chromium; tests/tools/browser.sh installs it."
    made = chromium.Browser()
    yield made
    made.close()


@pytest.fixture(scope="module")
def gathered():
    return json.loads((PROJECT / "tests/fixtures/report/cluster.json").read_bytes())


@pytest.fixture
def show(browser, gathered, tmp_path):
    def show(width, height, scheme="light", language="en", media="screen", **changes):
        pieces = {**gathered, **changes}
        views = pieces.pop("views")
        document = report_document(views, **pieces, title="lab", generated_at="2026-01-31T12:00:00Z", language=language)
        template = (PROJECT / "roles/report/files/report.html.j2").read_text(encoding="utf-8")
        path = tmp_path / "report.html"
        path.write_text(report_html(document, template, language), encoding="utf-8")
        page = browser.page()
        page.show(width, height, scheme, media)
        page.open(path.as_uri())
        return page

    return show


def text_of(page, selector="body"):
    return " ".join(page.evaluate(f"document.querySelector({selector!r}).innerText").split())


@pytest.mark.parametrize(("width", "height", "scheme"), VIEWS)
def test_everything_is_there_and_fits(show, width, height, scheme):
    page = show(width, height, scheme)
    for selector, words in {
        "header": ["lab", "Needs attention", "2026-01-31 12:00:00 UTC", "112 / 128"],
        "#findings": ["The device's link is up and reaches its detect address", "npu02, Device 3", "link is down"],
        "#checks": ["host_reachable", "pass", "fail"],
        "#inventory": ["24.1.0 ≠ differs", "24.1.1 ≠ differs", "8 × 910B3"],
        "#fabric": ["100%", "npu02 3", "a link is down"],
        "#cabling": ["400GE1/1/11:1", "link down"],
        "#rank_table": ["Same bytes on npu01, npu02", "10.92.18.8"],
        "#service": ["mindie-mindie.service", "ready"],
        "#smoke": ["请介绍一下昇腾处理器。"],
        "#timings": ["hdk", "74.2"],
        "#benchmarks": ["Time to first token, ms", "910.0"],
    }.items():
        shown = text_of(page, selector)
        assert [word for word in words if word not in shown] == []
    # Wide tables move inside of their own frame, never the page.
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("[...document.querySelectorAll('section')].filter(s => s.getBoundingClientRect().right > innerWidth).length") == 0
    assert [address for address in page.requests if not address.startswith("file:")] == []


@pytest.mark.parametrize(("width", "height", "scheme"), VIEWS)
def test_text_stands_out_from_what_is_behind_it(show, width, height, scheme):
    assert show(width, height, scheme).evaluate(CONTRAST) == []


def test_light_and_dark_differ(show):
    background = "getComputedStyle(document.body).backgroundColor"
    shades = [sum(map(int, re.findall(r"\d+", show(*LAPTOP, scheme).evaluate(background)))) for scheme in ("light", "dark")]
    assert shades[0] > 600 > 200 > shades[1]


def test_the_heat_map_can_be_read_without_colour(show):
    page = show(*LAPTOP)
    cells = page.evaluate("[...document.querySelectorAll('.heat td')].map(cell => [cell.className, cell.innerText.trim()])")
    assert len(cells) == 16 * 16
    assert {text for name, text in cells if name == "hbad"} == {"100%"}
    assert all(re.fullmatch(r"\d+\.\d\d", text) for name, text in cells if name in ("h0", "h1", "h2", "h3"))


def test_chinese(show):
    page = show(*PHONE, language="zh")
    text = text_of(page)
    for words in ("需要处理", "发现的问题", "主机与版本", "布线", "各阶段耗时"):
        assert words in text
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_it_prints(show):
    page = show(*LAPTOP, "dark")
    assert page.pdf().startswith(b"%PDF")
    page = show(*LAPTOP, "dark", media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_32_hosts_fit_a_phone(show, gathered):
    hosts = [f"npu{index:02}" for index in range(1, 33)]
    views = [{**gathered["views"][0], "host": host, "smoke": {}} for host in hosts]
    checks = [{**check, "host": host} for check in gathered["checks"] if check["host"] == "npu01" for host in hosts]
    pair = gathered["pairs"][0]
    ways = [(a, b, device) for a in hosts for b in hosts if a != b for device in range(8)]
    pairs = [{**pair, "host": a, "device": device, "peer_host": b, "peer_device": device} for a, b, device in ways]
    page = show(*PHONE, views=views, checks=checks, pairs=pairs)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert page.evaluate("document.querySelectorAll('.heat tbody tr').length") == 32


def test_hostile_text_runs_nothing(show, gathered):
    attack = "<script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">\u202e"
    checks = [{**check, "observed": attack, "evidence": attack, "host": check["host"] and check["host"] + attack} for check in gathered["checks"]]
    views = [{**view, "host": view["host"] + attack} for view in gathered["views"]]
    page = show(*PHONE, views=views, checks=checks)
    assert page.evaluate("document.title") == "lab"
    assert page.evaluate("document.querySelectorAll('script, img').length") == 0
    assert "onerror=" in text_of(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
