# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_load as load

DOCUMENTATION = r"""
name: benchmark_problems
short_description: What a benchmark tool would refuse, before it runs
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Checks parameter sets and ranges of the synthetic load as mindiebenchmark and AISBench do, the concurrency against the limit of the tool,
    and texts that become arguments.
options:
  _input:
    description: The settings C(input), C(output), C(request_count), C(concurrency) and C(max_output) of the role P(npuops.ascend.benchmark#role).
    type: dict
    required: true
  tool:
    description: The tool that is to run.
    type: str
    choices: [mindie, aisbench, evalscope]
    required: true
  texts:
    description: Variables whose values become arguments, by their names.
    type: dict
    default: {}
positional: tool, texts
"""

EXAMPLES = r"""
- name: Refuse a load that the tool refuses
  ansible.builtin.assert:
    that: settings | npuops.ascend.benchmark_problems('mindie') | length == 0
"""

RETURN = r"""
_value:
  description: The problems, one sentence each.
  type: list
  elements: str
  sample: ["benchmark_output.alpha: found 1, expected a number in (1.0, 10.0]."]
"""


def benchmark_problems(settings: t.Any, tool: str, texts: t.Mapping[str, t.Any] | None = None) -> list[str]:
    if not isinstance(settings, t.Mapping):
        raise AnsibleFilterError(f"benchmark_problems expects a dictionary of settings, not {type(settings).__name__}.")
    if tool not in load.CONCURRENCY:
        return [f"benchmark_tool: found {tool!r}, expected one of {', '.join(load.CONCURRENCY)}."]
    names = ("input", "output", "request_count", "concurrency", "max_output")
    return load.problems(tool, *(settings.get(name) for name in names), texts=texts)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_problems": benchmark_problems}
