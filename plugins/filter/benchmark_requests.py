# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_load as load

DOCUMENTATION = r"""
name: benchmark_requests
short_description: Chat requests with the lengths of a benchmark's load
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Draws lengths as mindiebenchmark and AISBench do, and makes one chat request of each pair, for the data set C(line_by_line) of evalscope perf.
  - A prompt is made of single letters, about one token each, in an order that differs from prompt to prompt, so that no prefix cache serves it.
options:
  _input:
    description: The settings C(model), C(input), C(output), C(request_count) and C(max_output) of the role P(npuops.ascend.benchmark#role), checked.
    type: dict
    required: true
  seed:
    description: The same seed gives the same requests.
    type: int
    default: 0
  count:
    description: How many requests are made. The default is C(request_count).
    type: int
positional: seed, count
"""

EXAMPLES = r"""
- name: Write the requests
  ansible.builtin.copy:
    content: "{{ settings | npuops.ascend.benchmark_requests(seed=1) }}"
    dest: /tmp/requests.jsonl
    mode: "0640"
"""

RETURN = r"""
_value:
  description: One request body per line, as JSON.
  type: str
"""


def benchmark_requests(settings: t.Any, seed: int = 0, count: int | None = None) -> str:
    try:
        number = settings["request_count"] if count is None else int(count)
        return load.requests(str(settings["model"]), settings["input"], settings["output"], number, settings["max_output"], int(seed))
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"benchmark_requests: {error} is missing. Check the settings with benchmark_problems first.") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_requests": benchmark_requests}
