# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_html
short_description: Make the page of a report
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Fills a Jinja2 template with a report, every value escaped.
  - The role P(npuops.ascend.report#role) brings the template. The page needs no network, no script and no font.
  - Control characters and characters that turn the direction of the text are spelt out.
options:
  _input:
    description: What the filter P(npuops.ascend.report_document#filter) made.
    type: dict
    required: true
  template:
    description: Text of the template.
    type: str
    required: true
  language:
    description: Language of the page.
    type: str
    choices: [en, zh]
    default: en
positional: template, language
"""

EXAMPLES = r"""
- name: Write the page
  ansible.builtin.copy:
    content: "{{ document | npuops.ascend.report_html(lookup('ansible.builtin.file', 'report.html.j2')) }}"
    dest: /srv/www/report.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The page.
  type: str
  sample: "<!DOCTYPE html>..."
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _report, _report_page
from jinja2 import Environment, StrictUndefined


def report_html(document: t.Any, template: str, language: str = "en") -> str:
    document = _report.plain(document)
    if not isinstance(document, dict) or document.get("schema") != _report.SCHEMA:
        raise AnsibleFilterError("npuops.ascend.report_html takes what npuops.ascend.report_document makes.")
    if language not in _report.LANGUAGES:
        raise AnsibleFilterError(f"npuops.ascend.report_html: language is {language!r}, expected one of {', '.join(_report.LANGUAGES)} (npuops_language).")
    # A plain environment: that of Ansible does not escape.
    environment = Environment(autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)
    return str(environment.from_string(str(template)).render(**_report_page.page(document, language)))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report_html": report_html}
