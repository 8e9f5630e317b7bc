#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: check_show
short_description: Show the results of checks on the terminal, and fail when one failed
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Prints the text of P(npuops.ascend.check_report#filter) as it is, not as a JSON string, so that its table stays aligned.
  - Runs on the controller alone.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  results:
    description: The results, as P(npuops.ascend.check_results#filter) gives them.
    type: list
    elements: dict
    required: true
  text:
    description: A text to print above the results, such as that of P(npuops.ascend.fabric_view#filter).
    type: str
    default: ""
  lang:
    description: Language of the results.
    type: str
    choices: [en, zh]
    default: en
  show:
    description: When to print. V(findings) prints nothing when every check passed or was skipped.
    type: str
    choices: [always, findings, never]
    default: always
  fail_on:
    description: Fail when a check failed (V(fail)), when it failed or warned (V(warn)), or V(never).
    type: str
    choices: [fail, warn, never]
    default: fail
"""

EXAMPLES = r"""
- name: Show what the checks found, and stop when one failed
  npuops.ascend.check_show:
    results: "{{ facts_by_host | npuops.ascend.check_results(wanted=wanted_by_host) }}"
    lang: zh
  run_once: true
"""

RETURN = r"""
totals:
  description: Number of results by status.
  returned: always
  type: dict
  sample: {"fail": 0, "warn": 1, "pass": 38, "skip": 2}
"""
