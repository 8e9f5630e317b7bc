# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The throughput and latency curve of benchmark runs → an SVG document. No I/O."""

from __future__ import annotations

import math
import typing as t
from xml.sax.saxutils import escape

from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark as benchmark

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 34, 60
_PANEL = _WIDTH // 2
_COLOURS = ("#1668b8", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#be185d")
# Title, axis, and the metrics that become lines: the first is drawn whole, the second dashed.
_PANELS = (
    ("Output throughput", "token/s", ("output_throughput_tok_s",)),
    ("First token: mean, P90 dashed", "ms", ("ttft_ms.mean", "ttft_ms.p90")),
)


def _ticks(highest: float) -> list[float]:
    """About five round values from 0 to at least the highest."""
    # No figure is so small, and a quarter of the smallest float has no logarithm.
    if highest < 1e-9:
        return [0.0, 1.0]
    raw = highest / 4
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * (1 - 1e-9))
    return [number * step for number in range(math.ceil(highest / step - 1e-9) + 1)]


def _label(value: float) -> str:
    return f"{value:.6g}"


class _Axes:
    """One panel: concurrency, by its logarithm, to the right, the figure upward."""

    def __init__(self, offset: int, concurrencies: t.Sequence[int], highest: float) -> None:
        self.left, self.right = offset + _LEFT, offset + _PANEL - _RIGHT
        self.low = math.log(concurrencies[0])
        self.span = math.log(concurrencies[-1]) - self.low
        self.ticks = _ticks(highest)

    def x(self, concurrency: float) -> float:
        share = (math.log(concurrency) - self.low) / self.span if self.span else 0.5
        return round(self.left + share * (self.right - self.left), 1)

    def y(self, value: float) -> float:
        return round(_HEIGHT - _BOTTOM - value / self.ticks[-1] * (_HEIGHT - _TOP - _BOTTOM), 1)


def _points(run: t.Mapping[str, t.Any], metric: str) -> list[tuple[int, float]]:
    found = []
    for point in run.get("points", []):
        concurrency, value = benchmark.figure(point, "concurrency"), benchmark.figure(point, metric)
        if concurrency is not None and value is not None and concurrency >= 1 and value >= 0 and math.isfinite(value):
            found.append((int(concurrency), float(value)))
    return sorted(found)


def _panel(offset: int, panel: tuple[str, str, tuple[str, ...]], runs: t.Sequence[t.Mapping[str, t.Any]]) -> list[str]:
    title, unit, metrics = panel
    lines = [(number, metric, _points(run, metric)) for number, run in enumerate(runs) for metric in metrics]
    concurrencies = sorted({concurrency for _number, _metric, points in lines for concurrency, _value in points}) or [1]
    axes = _Axes(offset, concurrencies, max((value for _number, _metric, points in lines for _concurrency, value in points), default=0.0))
    drawn = [f'<text x="{axes.left}" y="20" class="title">{title} ({unit})</text>']
    for tick in axes.ticks:
        y = axes.y(tick)
        drawn.append(f'<line x1="{axes.left}" y1="{y}" x2="{axes.right}" y2="{y}" class="grid"/>')
        drawn.append(f'<text x="{axes.left - 6}" y="{y + 4}" text-anchor="end">{_label(tick)}</text>')
    for concurrency in concurrencies:
        drawn.append(f'<text x="{axes.x(concurrency)}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{concurrency}</text>')
    drawn.append(f'<text x="{(axes.left + axes.right) / 2}" y="{_HEIGHT - _BOTTOM + 34}" text-anchor="middle">concurrent requests</text>')
    for number, metric, points in lines:
        colour = _COLOURS[number % len(_COLOURS)]
        places = [(axes.x(concurrency), axes.y(value)) for concurrency, value in points]
        dash = ' stroke-dasharray="5 4"' if metric != metrics[0] else ""
        if len(places) > 1:
            path = " ".join(f"{x},{y}" for x, y in places)
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        drawn.extend(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
    return drawn


def _name(run: t.Mapping[str, t.Any]) -> str:
    settings = run.get("settings") or {}
    return " ".join(str(word) for word in (run.get("tool"), settings.get("model"), run.get("time"), "(partial)" if run.get("partial") else None) if word)


def draw(runs: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT + 16 * max(len(runs) - 1, 0)}" font-family="sans-serif" font-size="11">',
        "<style>.title{font-size:13px;font-weight:bold}.grid{stroke:#ccd}text{fill:#223}</style>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    for number, panel in enumerate(_PANELS):
        drawn.extend(_panel(number * _PANEL, panel, runs))
    for number, run in enumerate(runs):
        y = _HEIGHT - 10 + 16 * number
        drawn.append(f'<rect x="{_LEFT}" y="{y - 9}" width="12" height="10" fill="{_COLOURS[number % len(_COLOURS)]}"/>')
        drawn.append(f'<text x="{_LEFT + 18}" y="{y}">{escape(_name(run))}</text>')
    return "\n".join([*drawn, "</svg>", ""])
