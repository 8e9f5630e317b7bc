# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _explain

DOCUMENTATION = r"""
name: explain
short_description: The first cause in what a vendor tool, a log or several hosts report
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Finds the first error by time, not the last line, and its entry in the catalogue of messages of HCCL, DCMI, CANN, MindIE, kTransformers and the installers.
  - What is only said after another error, such as C(Failed to init endpoint), is passed over unless there is nothing else.
  - A text that the catalogue does not know is said to be unknown. Nothing is guessed.
options:
  _input:
    description:
      - The text of a tool or of a log.
      - Or evidence by host, as RV(npuops.ascend.explain#module:evidence) and RV(npuops.ascend.mindie_info#module:evidence) hold it.
        Then the first cause of all the hosts is found; their clocks have to agree.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Say why npu-smi does not answer
  ansible.builtin.debug:
    msg: "{{ npu_smi.stdout | npuops.ascend.explain | npuops.ascend.explain_text }}"

- name: Find the host on which a start failed first
  ansible.builtin.debug:
    var: evidence | npuops.ascend.explain
  vars:
    evidence: "{{ dict(groups['mindie'] | zip(groups['mindie'] | map('extract', hostvars, ['service', 'evidence']))) }}"
"""

RETURN = r"""
_value:
  description: What was found. All keys are always there; without an error most are V(null).
  type: dict
  contains:
    known:
      description: Whether the catalogue has an entry for it.
      type: bool
    id:
      description: Name of the entry, the vendor's code where it has one.
      type: str
      sample: EI0006
    title:
      description: What it is, by language V(en) and V(zh).
      type: dict
    line:
      description: The line that says so.
      type: str
    time:
      description: When, in seconds since the epoch. V(null) where the log has no times.
      type: float
    host:
      description: The host, empty for a text.
      type: str
    file:
      description: The file, or the journal.
      type: str
    observed:
      description: The devices, ranks and addresses that HCCL names, such as the rows of its table of failed links.
      type: str
    cause:
      description: Why this happens, by language.
      type: dict
    remedy:
      description: What to do, by language.
      type: dict
    source:
      description: Public source of the explanation.
      type: str
    consequence:
      description: Whether it is only the consequence of another error, which was not found.
      type: bool
    first_error:
      description: The first error of all, also one without an entry. V(null) when there is no error.
      type: dict
    others:
      description: Other entries that were found, by time. Most follow from the first.
      type: list
      elements: dict
    unknown:
      description: Lines that report an error and have no entry, by time.
      type: list
      elements: dict
"""


def explain(source: t.Any) -> dict[str, t.Any]:
    if isinstance(source, str):
        search = _explain.Search()
        search.add(_explain.read_log("", source))
        return _explain.explain({"": search.evidence()})
    if isinstance(source, t.Mapping) and all(isinstance(evidence, t.Mapping) for evidence in source.values()):
        try:
            return _explain.explain(source)
        except (KeyError, TypeError, ValueError) as error:
            raise AnsibleFilterError(
                f"npuops.ascend.explain: the evidence of a host is not what the module explain or mindie_info returned: {error!r}"
            ) from error
    raise AnsibleFilterError(
        f"npuops.ascend.explain takes a text, or a dictionary of host to evidence; found {type(source).__name__}. Evidence is what the module explain returns."
    )


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"explain": explain}
