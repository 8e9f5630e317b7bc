# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_curve as curve

DOCUMENTATION = r"""
name: benchmark_curve
short_description: The throughput and latency curve of benchmark runs as a picture
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Draws output throughput and time to the first token over the concurrency as one SVG, a line per run.
options:
  _input:
    description: The run, or a list of runs, as the role P(npuops.ascend.benchmark#role) writes them.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Draw two runs in one picture
  ansible.builtin.copy:
    content: "{{ [before, after] | npuops.ascend.benchmark_curve }}"
    dest: curve.svg
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The picture, an SVG document.
  type: str
"""


def benchmark_curve(runs: t.Any) -> str:
    given = [runs] if isinstance(runs, t.Mapping) else runs
    if not isinstance(given, (list, tuple)) or not all(isinstance(run, t.Mapping) for run in given):
        raise AnsibleFilterError("benchmark_curve expects a run or a list of runs.")
    return curve.draw(given)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_curve": benchmark_curve}
