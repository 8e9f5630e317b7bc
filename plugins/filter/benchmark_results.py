# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark as benchmark

DOCUMENTATION = r"""
name: benchmark_results
short_description: The figures of a benchmark, whichever tool measured them
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Reads what mindiebenchmark, AISBench, evalscope perf or vLLM's C(bench serve) report of one run at one concurrency, and gives the same structure for all.
  - A report is recognised by what it says. It may be the text on the screen, a CSV file or a JSON file of the tool, or several of them together.
  - Latencies are in milliseconds, durations in seconds, throughputs in tokens or requests per second. What a tool does not report is V(null).
options:
  _input:
    description: The report, or the reports of one run, as text or as the value of the JSON file.
    type: raw
    required: true
  tool:
    description: The tool that the reports must be of. Any of them when not given.
    type: str
    choices: [mindie, aisbench, evalscope, vllm]
positional: tool
notes:
  - mindiebenchmark measures its C(DecodeTime) over all tokens, which is the inter-token latency. RV(_value.tpot_ms) has its average as C(mean),
    and its C(SLO_P90), the only figure over the averages of the requests, as C(p90).
"""

EXAMPLES = r"""
- name: Show what mindiebenchmark measured
  ansible.builtin.debug:
    msg: "{{ run.stdout | npuops.ascend.benchmark_results }}"

- name: Show what evalscope measured
  ansible.builtin.debug:
    msg: >-
      {{ [lookup('ansible.builtin.file', 'benchmark_summary.json'), lookup('ansible.builtin.file', 'benchmark_percentile.json')]
         | npuops.ascend.benchmark_results('evalscope') }}
"""

RETURN = r"""
_value:
  description: The figures.
  type: dict
  contains:
    concurrency:
      description: Requests at work together, as asked for.
      type: int
    requests:
      description: Requests sent.
      type: int
    completed:
      description: Requests answered in full.
      type: int
    success_rate:
      description: RV(_value.completed) of RV(_value.requests), 0 to 1.
      type: float
    duration_s:
      description: Duration of the run in seconds.
      type: float
    input_tokens:
      description: Tokens of all prompts.
      type: int
    output_tokens:
      description: Tokens of all answers.
      type: int
    request_throughput_per_s:
      description: Answered requests per second.
      type: float
    input_throughput_tok_s:
      description: Tokens of prompts per second.
      type: float
    output_throughput_tok_s:
      description: Generated tokens per second.
      type: float
    total_throughput_tok_s:
      description: Both together.
      type: float
    ttft_ms:
      description: Time to the first token, by C(mean), C(min), C(max), C(p50), C(p75), C(p90), C(p95) and C(p99).
      type: dict
    tpot_ms:
      description: Time per output token after the first, averaged per request. The same statistics.
      type: dict
    itl_ms:
      description: Time between two tokens, over all tokens. The same statistics.
      type: dict
    latency_ms:
      description: Time of a whole request. The same statistics.
      type: dict
  sample: {"concurrency": 10, "requests": 200, "completed": 200, "success_rate": 1.0, "duration_s": 2502.9557, "output_throughput_tok_s": 35.9032}
"""


def benchmark_results(reports: t.Any, tool: str | None = None) -> dict[str, t.Any]:
    if tool is not None and tool not in benchmark.TOOLS:
        raise AnsibleFilterError(f"benchmark_results: found tool {tool!r}, expected one of {', '.join(benchmark.TOOLS)}.")
    try:
        return benchmark.read_results(reports, tool)
    except ValueError as error:
        raise AnsibleFilterError(f"benchmark_results: {error}") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_results": benchmark_results}
