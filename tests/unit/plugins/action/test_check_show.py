# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from unittest import mock

import pytest
from ansible_collections.npuops.ascend.plugins.action import check_show
from ansible_collections.npuops.ascend.plugins.module_utils._checks import catalogue
from ansible_collections.npuops.ascend.plugins.module_utils._checks.evaluate import record
from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Finding

PASSED = record(catalogue.BY_ID["link"], "pass", "fail", "npu01")
FAILED = record(catalogue.BY_ID["link"], "fail", "fail", "npu02", Finding("link down", "link up", device=3))
WARNED = record(catalogue.BY_ID["host_tuning"], "warn", "warn", "npu02", Finding("transparent_hugepage is madvise", "always"))


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., tuple[dict[str, t.Any], list[str]]]:
    def run(**arguments: t.Any) -> tuple[dict[str, t.Any], list[str]]:
        printed: list[str] = []
        monkeypatch.setattr(check_show, "Display", lambda: mock.Mock(display=printed.append))
        task = mock.Mock(args=arguments, async_val=0, check_mode=False, environment=None)
        plugin = check_show.ActionModule(task, mock.Mock(), mock.Mock(), mock.Mock(), mock.Mock(), None)
        return plugin.run(task_vars={}), printed

    return run


def test_a_failure_is_printed_once_and_named_in_the_message(show):
    result, (text,) = show(results=[PASSED, FAILED, WARNED])
    assert result["failed"]
    assert result["msg"] == "link: npu02 device 3: found link down; expected link up."
    assert "FAIL link @ npu02 device 3" in text
    assert result["totals"] == {"fail": 1, "warn": 1, "pass": 1, "skip": 0}


def test_a_warning_does_not_fail(show):
    result, printed = show(results=[PASSED, WARNED], lang="zh")
    assert not result.get("failed")
    assert "警告 host_tuning @ npu02" in printed[0]


@pytest.mark.parametrize(("fail_on", "failed"), [("fail", False), ("warn", True), ("never", False)])
def test_what_fails_is_a_matter_of_the_inventory(show, fail_on, failed):
    result, _printed = show(results=[WARNED], fail_on=fail_on)
    assert bool(result.get("failed")) is failed


@pytest.mark.parametrize(("value", "results", "lines"), [("always", [PASSED], 1), ("findings", [PASSED], 0), ("findings", [WARNED], 1), ("never", [WARNED], 0)])
def test_when_it_is_printed(show, value, results, lines):
    assert len(show(results=results, show=value)[1]) == lines


def test_where_nothing_is_printed_the_message_says_all(show):
    result, printed = show(results=[FAILED], show="never")
    assert printed == []
    assert catalogue.BY_ID["link"].remedy.en in result["msg"]


@pytest.mark.parametrize("results", [[{"id": "link"}], [{**PASSED, "id": "no_such"}]])
def test_what_are_no_results_is_refused(show, results):
    result, printed = show(results=results)
    assert result["failed"] and "check_results" in result["msg"]
    assert printed == []
