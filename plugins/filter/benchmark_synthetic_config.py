# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _benchmark_load as load

DOCUMENTATION = r"""
name: benchmark_synthetic_config
short_description: The synthetic_config.json of mindiebenchmark
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Writes the load in the words of mindiebenchmark. AISBench takes C(Input) and C(Output) of it.
options:
  _input:
    description: The settings C(input), C(output) and C(request_count) of the role P(npuops.ascend.benchmark#role), checked.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Write the load
  ansible.builtin.copy:
    content: "{{ settings | npuops.ascend.benchmark_synthetic_config | to_nice_json }}"
    dest: /etc/npuops/mindie/benchmark/synthetic_config.json
    mode: "0640"
"""

RETURN = r"""
_value:
  description: The content of the file.
  type: dict
  sample: {"Input": {"Method": "uniform", "Params": {"MinValue": 1848, "MaxValue": 2244}}, "RequestCount": 128}
"""


def benchmark_synthetic_config(settings: t.Any) -> dict[str, t.Any]:
    try:
        return load.synthetic_config(settings["input"], settings["output"], settings["request_count"])
    except (KeyError, TypeError) as error:
        raise AnsibleFilterError(f"benchmark_synthetic_config: {error} is missing. Check the settings with benchmark_problems first.") from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"benchmark_synthetic_config": benchmark_synthetic_config}
