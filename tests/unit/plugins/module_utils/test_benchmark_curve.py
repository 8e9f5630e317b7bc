# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The curve is a well-formed picture whose marks lie where the figures say."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_curve as curve
from hypothesis import example, given
from hypothesis import strategies as st

SVG = "{http://www.w3.org/2000/svg}"


def run(points, **more) -> dict:
    return {
        "schema": 1,
        "tool": "mindie",
        "points": [{"concurrency": n, "output_throughput_tok_s": thr, "ttft_ms": {"mean": ttft, "p90": ttft}} for n, thr, ttft in points],
        **more,
    }


def circles(text: str) -> list[tuple[float, float]]:
    return [(float(mark.get("cx")), float(mark.get("cy"))) for mark in ET.fromstring(text).iter(f"{SVG}circle")]


def test_higher_figures_lie_higher_and_more_requests_to_the_right():
    marks = circles(curve.draw([run([(1, 100, 10), (4, 390, 11), (16, 400, 90)])]))
    # three points of throughput, of the mean and of P90
    assert len(marks) == 9
    throughput = marks[:3]
    assert throughput[0][0] < throughput[1][0] < throughput[2][0]
    assert throughput[0][1] > throughput[1][1] > throughput[2][1]
    # equal steps of the logarithm
    assert abs((throughput[1][0] - throughput[0][0]) - (throughput[2][0] - throughput[1][0])) < 0.3


def test_points_are_joined_in_the_order_of_concurrency():
    lines = list(ET.fromstring(curve.draw([run([(16, 3, 3), (1, 1, 1)])])).iter(f"{SVG}polyline"))
    places = [float(place.split(",")[0]) for place in lines[0].get("points").split()]
    assert places == sorted(places)


def test_words_of_the_run_are_escaped():
    text = curve.draw([run([(1, 1, 1)], settings={"model": "<script>&"}, partial=True)])
    ET.fromstring(text)
    assert "&lt;script&gt;&amp;" in text
    assert "(partial)" in text


def test_runs_without_figures_are_drawn_empty():
    assert circles(curve.draw([])) == []
    assert circles(curve.draw([run([])])) == []
    assert circles(curve.draw([{"points": [{"concurrency": None, "output_throughput_tok_s": None}]}])) == []


FIGURE = st.one_of(st.none(), st.floats(0, 1e12, allow_nan=False))


@given(st.lists(st.lists(st.tuples(st.integers(1, 64000), FIGURE, FIGURE), max_size=5).map(run), max_size=4))
@example([run([(1, None, 5e-324)])])
def test_every_mark_lies_on_the_picture(runs):
    root = ET.fromstring(curve.draw(runs))
    for x, y in circles(ET.tostring(root, encoding="unicode")):
        assert 0 <= x <= float(root.get("width"))
        assert 0 <= y <= float(root.get("height"))
