# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark as benchmark

DOCUMENTATION = r"""
name: benchmark_table
short_description: A benchmark run as a table for the screen
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - One line per concurrency with success rate, throughput and the latencies that are looked at first.
options:
  _input:
    description: The run, as the role P(npuops.ascend.benchmark#role) writes it.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show an earlier run
  ansible.builtin.debug:
    msg: "{{ (lookup('ansible.builtin.file', 'run.json') | from_json | npuops.ascend.benchmark_table).splitlines() }}"
"""

RETURN = r"""
_value:
  description: The table.
  type: str
"""


def benchmark_table(run: t.Any) -> str:
    if not isinstance(run, t.Mapping):
        raise AnsibleFilterError(f"benchmark_table expects a run, not {type(run).__name__}.")
    return benchmark.summary(run)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_table": benchmark_table}
