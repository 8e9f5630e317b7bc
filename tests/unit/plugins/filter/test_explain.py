# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.explain import explain
from ansible_collections.npuops.ascend.plugins.filter.explain_text import explain_text


def finding(name, line, time):
    return {"id": name, "line": line, "time": time, "file": "plog.log", "number": 1}


def test_a_text_is_explained_in_both_languages():
    result = explain("dcmi module initialize failed. ret is -8020\n")
    assert (result["id"], result["host"], result["known"]) == ("DCMI-8020", "", True)
    english, chinese = explain_text(result), explain_text(result, "zh")
    assert english.startswith("Cause: Another container or process holds the device;")
    assert " Remedy: Stop the other container or process: " in english
    assert english.endswith(" Source: DCMI return codes (hicann/driver, src/custom/include/dcmi_interface_api.h).")
    assert chinese.startswith("原因：另一个容器或进程占用了该 device；")
    assert " 处理：停止占用者：" in chinese and " 依据：" in chinese


def test_of_two_hosts_the_first_counts():
    evidence = {
        "npu01": {"findings": [finding("EI0006", "EI0006: Getting socket times out.", 20.0)], "links": [], "places": []},
        "npu02": {"findings": [finding("EJ0002", "EJ0002: The network port is down.", 10.0)], "links": [], "places": []},
    }
    result = explain(evidence)
    assert (result["id"], result["host"]) == ("EJ0002", "npu02")
    assert explain_text(result, "en", "npu01").startswith("First on npu02 (plog.log): EJ0002: The network port is down. Cause: ")
    report = explain_text(result, report=True)
    assert "npu02, plog.log, 1970-01-01 00:00:10.000 UTC" in report
    assert "- npu01, plog.log, 1970-01-01 00:00:20.000 UTC EI0006: " in report


def test_an_entry_of_a_newer_catalogue_is_unknown():
    result = explain({"npu01": {"findings": [finding("EI0099", "EI0099: new", 1.0)]}})
    assert (result["known"], result["line"]) == (False, "EI0099: new")


def test_nothing_found_is_no_text():
    assert explain_text(explain("")) == ""
    assert explain({})["first_error"] is None
    assert explain_text(explain({}), report=True) == "No error was found."


@pytest.mark.parametrize("source", [None, 1, ["text"], {"npu01": "text"}, {"npu01": {"findings": [{"line": "x"}]}}])
def test_wrong_input_is_refused(source):
    with pytest.raises(AnsibleFilterError, match=r"npuops\.ascend\.explain"):
        explain(source)


@pytest.mark.parametrize(("result", "lang"), [(None, "en"), ({}, "en"), (explain(""), "fr")])
def test_wrong_use_of_the_text_is_refused(result, lang):
    with pytest.raises(AnsibleFilterError, match=r"npuops\.ascend\.explain_text"):
        explain_text(result, lang)
