# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Prometheus text of ``/metrics``; the counters count."""

from __future__ import annotations

import bisect
import threading

COUNTERS = {
    "request_received_total": "Number of requests received.",
    "request_success_total": "Number of requests answered.",
    "request_failed_total": "Number of requests refused or failed.",
    "prompt_tokens_total": "Number of prefill tokens processed.",
    "generation_tokens_total": "Number of generation tokens processed.",
    "num_preemptions_total": "Number of preempted requests.",
}
GAUGES = {
    "num_requests_running": "Number of requests currently running on NPU.",
    "num_requests_waiting": "Number of requests waiting to be processed.",
    "num_requests_swapped": "Number of requests swapped to CPU.",
    "avg_prompt_throughput_toks_per_s": "Average prefill throughput in tokens/s.",
    "avg_generation_throughput_toks_per_s": "Average generation throughput in tokens/s.",
    "failed_request_perc": "Share of failed requests.",
    "npu_cache_usage_perc": "NPU KV-cache usage.",
    "cpu_cache_usage_perc": "CPU KV-cache usage.",
    "npu_prefix_cache_hit_rate": "NPU prefix cache hit rate.",
    "all_radix_match_num": "Number of matched tokens of the radix cache.",
    "npu_radix_match_hit_num": "Number of matched tokens of the radix cache on NPU.",
}
_LENGTHS = (10, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 16000, 20000, 32000, 50000, 64000, 128000)
HISTOGRAMS = {
    "time_to_first_token_seconds": (
        "Time to first token in seconds.",
        (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10),
    ),
    "time_per_output_token_seconds": ("Time per output token in seconds.", (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)),
    "e2e_request_latency_seconds": ("End to end request latency in seconds.", (1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60)),
    "request_prompt_tokens": ("Number of prefill tokens per request.", _LENGTHS),
    "request_generation_tokens": ("Number of generation tokens per request.", _LENGTHS),
}


class Metrics:
    def __init__(self, model_name: str) -> None:
        self.label = f'model_name="{model_name}"'
        self.lock = threading.Lock()
        self.counters = dict.fromkeys(COUNTERS, 0)
        self.gauges: dict[str, float] = dict.fromkeys(GAUGES, 0)
        self.buckets = {name: [0] * (len(bounds) + 1) for name, (_help, bounds) in HISTOGRAMS.items()}
        self.sums: dict[str, float] = dict.fromkeys(HISTOGRAMS, 0)
        self.prefill_seconds = self.decode_seconds = 0.0

    def count(self, name: str, number: int = 1) -> None:
        with self.lock:
            self.counters[name] += number

    def move(self, name: str, step: int) -> None:
        with self.lock:
            self.gauges[name] += step

    def observe(self, name: str, value: float) -> None:
        with self.lock:
            self.buckets[name][bisect.bisect_left(HISTOGRAMS[name][1], value)] += 1
            self.sums[name] += value

    def worked(self, prompt_tokens: int, prefill: float, tokens: int, decode: float) -> None:
        """One request's share of the work: what the throughput gauges are made of."""
        self.count("prompt_tokens_total", prompt_tokens)
        self.count("generation_tokens_total", tokens)
        with self.lock:
            self.prefill_seconds += prefill
            self.decode_seconds += decode

    def text(self) -> str:
        with self.lock:
            counters, gauges = self.counters, self.gauges
            gauges["avg_prompt_throughput_toks_per_s"] = _rate(counters["prompt_tokens_total"], self.prefill_seconds)
            gauges["avg_generation_throughput_toks_per_s"] = _rate(counters["generation_tokens_total"], self.decode_seconds)
            gauges["failed_request_perc"] = _rate(counters["request_failed_total"], counters["request_received_total"])
            lines = []
            for kind, helps, values in (("counter", COUNTERS, counters), ("gauge", GAUGES, gauges)):
                for name, text in helps.items():
                    lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name}{{{self.label}}} {values[name]:g}"]
            for name, (text, bounds) in HISTOGRAMS.items():
                lines += [f"# HELP {name} {text}", f"# TYPE {name} histogram"]
                total = 0
                for bound, number in zip((*map(str, bounds), "+Inf"), self.buckets[name]):
                    total += number
                    lines.append(f'{name}_bucket{{{self.label},le="{bound}"}} {total}')
                lines += [f"{name}_sum{{{self.label}}} {self.sums[name]:g}", f"{name}_count{{{self.label}}} {total}"]
        return "\n".join(lines) + "\n"


def _rate(number: float, by: float) -> float:
    return number / by if by else 0.0
