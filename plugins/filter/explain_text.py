# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _explain

DOCUMENTATION = r"""
name: explain_text
short_description: An explanation as text, in English or Chinese
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Writes what P(npuops.ascend.explain#filter) found as the end of an error message, or as a report with its evidence.
options:
  _input:
    description: The result of P(npuops.ascend.explain#filter).
    type: dict
    required: true
  lang:
    description: The language.
    type: str
    choices: [en, zh]
    default: en
  host:
    description:
      - The host whose first error stands in the message already.
      - When the cause was seen on another host first, that host and its line are named.
    type: str
  report:
    description: Whether a report of several lines is wanted instead of one paragraph.
    type: bool
    default: false
positional: lang, host
"""

EXAMPLES = r"""
- name: Refuse a server that does not answer
  ansible.builtin.fail:
    msg: "The server does not answer. {{ log | npuops.ascend.explain | npuops.ascend.explain_text(npuops_language | default('en')) }}"
"""

RETURN = r"""
_value:
  description: The text. Empty when no error was found and no report is wanted.
  type: str
  sample: >-
    Cause: Too little space under the installation path. Remedy: Free space on the file system of install_path.
    Source: driver package scripts (hicann/driver, scripts/package).
"""


def explain_text(result: t.Any, lang: str = "en", host: str | None = None, report: bool = False) -> str:
    if not isinstance(result, t.Mapping) or "first_error" not in result:
        raise AnsibleFilterError("npuops.ascend.explain_text takes the result of the filter npuops.ascend.explain.")
    if lang not in _explain.LANGUAGES:
        raise AnsibleFilterError(f"npuops.ascend.explain_text: lang is {lang!r}, expected {' or '.join(_explain.LANGUAGES)}.")
    return _explain.report(result, lang) if report else _explain.message(result, lang, host)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"explain_text": explain_text}
