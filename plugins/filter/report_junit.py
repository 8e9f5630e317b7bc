# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: report_junit
short_description: Make JUnit XML of the checks of a report
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - One test suite for each stage, one test case for each result, with the host as its class.
  - JUnit knows no warnings. A warning is a case that passed, with its text as the output of the case.
options:
  _input:
    description: What the filter P(npuops.ascend.report_document#filter) made.
    type: dict
    required: true
  language:
    description: Language of the texts.
    type: str
    choices: [en, zh]
    default: en
positional: language
"""

EXAMPLES = r"""
- name: Write the report for CI
  ansible.builtin.copy:
    content: "{{ document | npuops.ascend.report_junit }}"
    dest: /srv/www/report.xml
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The XML document.
  type: str
  sample: '<?xml version="1.0" encoding="UTF-8"?>...'
"""

import typing as t
from xml.etree import ElementTree

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _report
from ansible_collections.npuops.ascend.plugins.module_utils._report import in_language

_KEYS = ("observed", "expected", "cause", "remedy", "source", "evidence")


def _case(suite: ElementTree.Element, result: dict[str, t.Any], language: str) -> None:
    name = str(result["id"]) if result.get("device") is None else f"{result['id']} device {result['device']}"
    case = ElementTree.SubElement(suite, "testcase", classname=str(result.get("host") or "cluster"), name=name, time="0")
    texts = [(key, in_language(result.get(key), language)) for key in _KEYS]
    body = "\n".join([in_language(result.get("title"), language), *(f"{key}: {text}" for key, text in texts if text)])
    observed = in_language(result.get("observed"), language)
    if result["status"] == "fail":
        ElementTree.SubElement(case, "failure", message=observed, type=str(result["id"])).text = body
    elif result["status"] == "skip":
        ElementTree.SubElement(case, "skipped", message=observed)
    elif result["status"] == "warn":
        ElementTree.SubElement(case, "system-out").text = f"warning: {body}"


def _count(results: list[dict[str, t.Any]]) -> dict[str, str]:
    statuses = [result["status"] for result in results]
    return {"tests": str(len(statuses)), "failures": str(statuses.count("fail")), "errors": "0", "skipped": str(statuses.count("skip")), "time": "0"}


def report_junit(document: t.Any, language: str = "en") -> str:
    document = _report.plain(document)
    if not isinstance(document, dict) or document.get("schema") != _report.SCHEMA:
        raise AnsibleFilterError("npuops.ascend.report_junit takes what npuops.ascend.report_document makes.")
    results = document["checks"]
    root = ElementTree.Element("testsuites", name=document["title"] or "npuops.ascend", **_count(results))
    for stage in (*_report.STAGES, None):
        found = [result for result in results if (result.get("stage") if result.get("stage") in _report.STAGES else None) == stage]
        if found:
            suite = ElementTree.SubElement(root, "testsuite", name=stage or "other", timestamp=document["generated_at"], **_count(found))
            for result in found:
                _case(suite, result, language)
    ElementTree.indent(root)
    # The declaration that ElementTree writes depends on the locale.
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"report_junit": report_junit}
