# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._checks import evaluate
from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import STAGES

DOCUMENTATION = r"""
name: check_results
short_description: Judge the facts of all hosts by the catalogue of checks
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Applies every check of the given stages to what M(npuops.ascend.check_facts) read, host by host, and compares the hosts of a serving group
    with each other.
  - Facts that could not be read never break it. What is not there yet is skipped with the reason; a tool that hangs or prints garbage is a finding.
options:
  _input:
    description: The facts by host. A host without facts has not been reached.
    type: dict
    required: true
  wanted:
    description: What the inventory wants, by host. The role P(npuops.ascend.preflight#role) puts it together.
    type: dict
    default: {}
  stages:
    description: Which stages to judge.
    type: list
    elements: str
    choices: [host, npu, fabric, launch]
    default: [host, npu, fabric, launch]
  overrides:
    description: Severities that the inventory changes, V(off), V(warn) or V(fail) by the id of the check.
    type: dict
    default: {}
  measured:
    description: Results that were made elsewhere, such as those of P(npuops.ascend.ping_matrix#filter). They stand for the check of their id.
    type: list
    elements: dict
    default: []
seealso:
  - plugin: npuops.ascend.check_report
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Refuse hosts that would not start the service
  ansible.builtin.assert:
    that: results | selectattr('status', 'equalto', 'fail') | length == 0
    fail_msg: "{{ results | npuops.ascend.check_report }}"
  vars:
    results: "{{ facts_by_host | npuops.ascend.check_results(wanted=wanted_by_host, stages=['host'], overrides={'host_tuning': 'off'}) }}"
"""

RETURN = r"""
_value:
  description:
    - One record for each check and host, or device, or for each host that differs from the others; in the order of the catalogue.
    - Each has C(id), C(stage), C(scope), C(host), C(device), C(status) (V(pass), V(warn), V(fail) or V(skip)), C(severity), C(observed), C(expected),
      C(source), C(evidence), and with both languages C(title), C(cause) and C(remedy).
  type: list
  elements: dict
  sample:
    - id: link
      stage: fabric
      scope: device
      host: npu02
      device: 3
      status: fail
      severity: fail
      observed: link down
      expected: link up
"""


def check_results(
    facts: t.Any,
    wanted: t.Any = None,
    stages: t.Any = STAGES,
    overrides: t.Any = None,
    measured: t.Any = (),
) -> list[dict[str, t.Any]]:
    if not isinstance(facts, t.Mapping):
        raise AnsibleFilterError(f"check_results expects a dictionary of facts by host, not {type(facts).__name__}.")
    if isinstance(stages, str) or not isinstance(stages, t.Sequence):
        raise AnsibleFilterError("check_results: stages is a list, such as ['host', 'npu'].")
    if not isinstance(overrides or {}, t.Mapping):
        raise AnsibleFilterError("preflight_checks is a dictionary, such as {host_tuning: off}.")
    try:
        return evaluate.evaluate(facts, wanted or {}, stages, overrides, measured or ())
    except evaluate.CheckError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"check_results": check_results}
