# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks said of healthy hosts and of each planted fault, as the side effect of this scenario has recorded it."""

from __future__ import annotations

import os
import pathlib
import sys

import pytest
from records import TABLES, assert_found, brief, looked_for, record, told

sys.path.insert(0, str(pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / ".build/collections"))

from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import CHECKS, STAGES  # noqa: E402  found by the line above

PLANTED = looked_for("planted_faults", "bad_input")


@pytest.mark.parametrize("stage, fault", PLANTED, ids=[f"{stage}: {fault['name']}" for stage, fault in PLANTED])
def test_a_planted_fault_is_found_and_nothing_else(stage, fault):
    results = record(fault["name"])
    assert {result["stage"] for result in results} == {stage}
    assert_found(fault)


# Bare hosts lack the headers, see molecule/mindie/side_effect.yml; the others want another inventory, or another playbook, see test_playbooks.py.
ELSEWHERE = {"kernel_headers", "host_reachable", "hccs_ping"}


def test_every_check_has_a_planted_fault_that_it_finds():
    found = {wanted["id"] for faults in TABLES.values() for entries in faults.values() for fault in entries for wanted in fault["expect"]}
    assert {check.id for check in CHECKS} == found | ELSEWHERE


@pytest.mark.parametrize("name", ["healthy", "healthy again", "healthy at the end"])
def test_a_healthy_cluster_has_no_finding(name):
    results = record(name)
    assert brief(told(results)) == "nothing"
    assert {result["stage"] for result in results} == set(STAGES)
    # What these hosts do not have; npu02 is not the master that is asked.
    assert {result["id"] for result in results if result["status"] == "skip"} == {"spod_ids", "vnic", "hccs_ping", "cann_consistent", "smoke_request"}
    assert all(result["observed"] for result in results if result["status"] == "skip")
