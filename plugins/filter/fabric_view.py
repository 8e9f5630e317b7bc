# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils._checks.terminal import LANGUAGES
from ansible_collections.npuops.ascend.plugins.module_utils._fabric_view import text

DOCUMENTATION = r"""
name: fabric_view
short_description: Pairs and cabling of a fabric as a text for the terminal
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Up to 36 devices make a matrix of devices, in which a letter names the reason of each pair that failed. Up to 24 hosts make a matrix of hosts with
    the number of failures. Of more hosts the worst have a line each.
  - The switch ports follow, device by device, or with more than 32 devices as the number of devices at each switch.
options:
  _input:
    description: The C(pairs) of P(npuops.ascend.ping_matrix#filter).
    type: list
    elements: dict
    required: true
  cabling:
    description: The cabling as P(npuops.ascend.fabric_cabling#filter) gives it.
    type: list
    elements: dict
    required: true
  lang:
    description: Language of the text.
    type: str
    choices: [en, zh]
    default: en
positional: cabling, lang
"""

EXAMPLES = r"""
- name: Show the fabric
  ansible.builtin.debug:
    msg: "{{ (matrix.pairs | npuops.ascend.fabric_view(cabling)).splitlines() }}"
"""

RETURN = r"""
_value:
  description: The text, of many lines.
  type: str
  sample: |-
    8 of 8 pairs of devices reach each other. Rows send, columns answer.
             npu01  npu02
             0 1    0 1
    npu01 0         . .
    npu01 1         . .
    npu02 0  . .
    npu02 1  . .
    . reached
"""


def fabric_view(pairs: t.Any, cabling: t.Any, lang: str = "en") -> str:
    if lang not in LANGUAGES:
        raise AnsibleFilterError(f"fabric_view: lang is {lang!r}; expected {' or '.join(LANGUAGES)} (npuops_language).")
    if not all(isinstance(found, (list, tuple)) for found in (pairs, cabling)):
        raise AnsibleFilterError("fabric_view expects the pairs of ping_matrix and the list of fabric_cabling.")
    return text(pairs, cabling, lang)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"fabric_view": fabric_view}
