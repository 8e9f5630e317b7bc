# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark as benchmark

DOCUMENTATION = r"""
name: benchmark_comparison
short_description: What became worse between two benchmark runs
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Compares two runs point by point of the earlier one. A figure that got worse by more than its limit is a regression, and so is one that is gone.
    Points that the run was not asked for are left out.
  - Latencies and durations are worse when they grow, all other figures when they fall.
options:
  _input:
    description: The run, as the role P(npuops.ascend.benchmark#role) writes it.
    type: dict
    required: true
  baseline:
    description: The earlier run.
    type: dict
    required: true
  limits:
    description: Metric, such as V(output_throughput_tok_s) or V(ttft_ms.p90), to the highest loss in percent of the earlier figure.
    type: dict
    required: true
positional: baseline, limits
"""

EXAMPLES = r"""
- name: Refuse a service that became slower
  ansible.builtin.assert:
    that: changes.regressions | length == 0
    fail_msg: "{{ changes.table }}"
  vars:
    changes: "{{ run | npuops.ascend.benchmark_comparison(baseline, {'output_throughput_tok_s': 5, 'ttft_ms.p90': 10}) }}"
"""

RETURN = r"""
_value:
  description: The comparison.
  type: dict
  contains:
    changes:
      description: One entry per point and metric.
      type: list
      elements: dict
    regressions:
      description: Those of RV(_value.changes) that are beyond their limit.
      type: list
      elements: dict
    table:
      description: All of it as text.
      type: str
"""


def benchmark_comparison(run: t.Any, baseline: t.Any, limits: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    for name, value in (("run", run), ("baseline", baseline)):
        if not isinstance(value, t.Mapping) or value.get("schema") != benchmark.SCHEMA or not isinstance(value.get("points"), list):
            found = value.get("schema") if isinstance(value, t.Mapping) else type(value).__name__
            raise AnsibleFilterError(f"benchmark_comparison: the {name} has schema {found!r}, expected {benchmark.SCHEMA} and a list of points.")
    for metric, limit in limits.items():
        if not benchmark.known_metric(str(metric)) or isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit < 0:
            raise AnsibleFilterError(
                f"benchmark_comparison: found limit {metric}: {limit!r}, expected a metric such as output_throughput_tok_s or ttft_ms.p90 "
                "and a percentage of at least 0."
            )
    changes = benchmark.compare(run, baseline, limits)
    if not changes:
        raise AnsibleFilterError(
            "benchmark_comparison: the baseline has none of the figures that have limits at the concurrency of the run. "
            "Compare with a run of the same tool and load."
        )
    return {
        "changes": [change._asdict() for change in changes],
        "regressions": [change._asdict() for change in changes if change.regression],
        "table": benchmark.table(changes),
    }


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_comparison": benchmark_comparison}
