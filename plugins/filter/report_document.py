# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_document
short_description: Put everything that is known of a cluster into one document
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Takes what the modules of this collection said of each host, the results of the checks, the pings, and files with figures, and makes the
    document that the report is written from. As JSON it is the report for programs.
  - Pieces that are missing or cannot be read become gaps of the report. Control characters are spelt out.
options:
  _input:
    description: One entry for each host.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host in the inventory.
        type: str
        required: true
      address:
        description: Its address.
        type: str
      group:
        description: The serving group that it belongs to.
        type: str
      reached:
        description: Whether the host was reached. Nothing else is read of one that was not.
        type: bool
        default: false
      facts:
        description: What M(npuops.ascend.check_facts) read, its stages together.
        type: dict
      rank_table:
        description: C(path) and C(content) (base64) of the rank table.
        type: dict
      smoke:
        description: C(url), C(model), C(question), C(answer), C(seconds) and C(error) of a request.
        type: dict
  checks:
    description: The results of the checks.
    type: list
    elements: dict
    default: []
  pairs:
    description: The pings between devices.
    type: list
    elements: dict
    default: []
  timings:
    description: Text of the file that the callback P(npuops.ascend.timings#callback) wrote.
    type: str
  benchmarks:
    description: Text of JSON files with measured points, by their names. Other files are passed over.
    type: dict
    default: {}
  title:
    description: Title of the report.
    type: str
    default: ""
  generated_at:
    description: Time of the report, as it is shown.
    type: str
    default: ""
  language:
    description: Language of the report.
    type: str
    choices: [en, zh]
    default: en
"""

EXAMPLES = r"""
- name: Write the report for programs
  ansible.builtin.copy:
    content: "{{ views | npuops.ascend.report_document(checks=results, generated_at=now(utc=true).isoformat()) | to_nice_json }}"
    dest: /srv/www/report.json
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The document.
  type: dict
  contains:
    schema:
      description: Always V(npuops.ascend/report).
      type: str
      sample: npuops.ascend/report
    schema_version:
      description: Raised when a key changes its meaning or goes; new keys do not raise it.
      type: int
      sample: 1
    title:
      description: Title of the report.
      type: str
    generated_at:
      description: Time of the report.
      type: str
      sample: "2026-01-31T12:00:00Z"
    language:
      description: Language of the report.
      type: str
      sample: en
    summary:
      description:
        - C(status) is V(fail), V(warn) or V(pass), the worst of everything in the report. C(hosts), C(devices) and C(pairs) are numbers,
          C(pairs_failed) the pairs without an answer, C(unreachable) the hosts that were not reached, C(checks) the number of results by status.
      type: dict
      sample:
        {status: warn, hosts: 2, devices: 16, pairs: 16, pairs_failed: 0, unreachable: [], checks: {fail: 0, warn: 1, pass: 60, skip: 2}}
    hosts:
      description: C(host), C(address), C(group) and C(reached) of each host.
      type: list
      elements: dict
    versions:
      description: For each C(name) the C(values) by host, and C(odd), the hosts that have another value than most.
      type: list
      elements: dict
      sample: [{name: driver, values: {npu01: 24.1.0, npu02: 24.1.1}, odd: [npu01, npu02]}]
    checks:
      description: The results of the checks, as given.
      type: list
      elements: dict
    fabric:
      description: C(pairs), with C(host), C(device), C(address), the same of the peer, C(loss_percent), C(avg_ms), C(error) and C(reason).
      type: dict
    cabling:
      description: For each device C(host), C(device), C(address), C(link), C(switch) and C(port).
      type: list
      elements: dict
    rank_tables:
      description:
        - For each serving group C(group), C(path), C(sha256), C(ranks) (with C(rank), C(server), C(device), C(address)), C(hosts) (the checksum by
          host), and C(identical).
      type: list
      elements: dict
    services:
      description: For each host that serves C(host), C(unit), C(state), C(phase), C(current) and C(first_error).
      type: list
      elements: dict
    smoke:
      description: For each host that was asked C(host), C(url), C(model), C(question), C(answer), C(seconds) and C(error).
      type: list
      elements: dict
    timings:
      description: C(playbook), C(started), C(seconds) and C(stages) of the last run over these hosts; V(null) when there is none.
      type: dict
    benchmarks:
      description:
        - For each file C(name) and C(points), with C(concurrency), C(output_throughput_tok_s), C(ttft_ms) and C(tpot_ms)
          (C(mean), C(p50), C(p90), C(p99)), and C(success_rate) (0 to 1).
      type: list
      elements: dict
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _report


def report_document(
    views: t.Any,
    checks: t.Any = None,
    pairs: t.Any = None,
    timings: t.Any = None,
    benchmarks: t.Any = None,
    title: str = "",
    generated_at: str = "",
    language: str = "en",
) -> dict[str, t.Any]:
    if not isinstance(views, (list, tuple)) or not all(isinstance(view, t.Mapping) and view.get("host") for view in views):
        raise AnsibleFilterError("npuops.ascend.report_document takes a list with one dictionary for each host, each with the key host.")
    return _report.document(views, checks, pairs, timings, benchmarks, title, generated_at, language)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report_document": report_document}
