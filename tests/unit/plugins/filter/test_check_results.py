# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the two filters accept; what they make of it is tested with the checks themselves."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.check_report import check_report
from ansible_collections.npuops.ascend.plugins.filter.check_results import check_results

TUNED = {"npu01": {"tuning": {"thp": "madvise", "governors": [], "virtualisation": "none"}, "system": {"kernel": "5.10.0-216.aarch64"}}}


def of(results, name):
    return [(record["host"], record["status"]) for record in results if record["id"] == name]


def test_facts_in_results_out():
    results = check_results(TUNED, stages=["host"])
    assert of(results, "host_tuning") == [("npu01", "warn")]
    assert of(results, "host_reachable") == [("npu01", "pass")]
    assert "WARN host_tuning @ npu01" in check_report(results)
    assert "警告 host_tuning @ npu01" in check_report(results, "zh")


def test_a_severity_that_yaml_has_read_as_false():
    assert of(check_results(TUNED, stages=["host"], overrides={"host_tuning": False}), "host_tuning") == [("", "skip")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([],), "dictionary of facts by host"),
        (({}, {}, "host"), "stages is a list"),
        (({}, {}, ["disk"]), "unknown stage disk"),
        (({}, {}, ["host"], ["host_tuning"]), "preflight_checks is a dictionary"),
        (({}, {}, ["host"], {"tuning": "off"}), "'tuning', which is no check"),
    ],
)
def test_what_it_does_not_take(arguments, words):
    with pytest.raises(AnsibleFilterError, match=words):
        check_results(*arguments)


@pytest.mark.parametrize(("arguments", "words"), [(("text",), "list of results"), (([{}],), "list of results"), (([], "de"), "expected en or zh")])
def test_what_a_report_is_not_made_of(arguments, words):
    with pytest.raises(AnsibleFilterError, match=words):
        check_report(*arguments)
