# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks said of healthy hosts and of each planted fault, as the side effect of this scenario has recorded it."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import typing as t

import pytest
import yaml

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
SCENARIO = PROJECT / "molecule/faults"
RECORDS = PROJECT / ".build/faults"
sys.path.insert(0, str(PROJECT / ".build/collections"))

from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import CHECKS, STAGES  # noqa: E402  found by the line above

TABLES: dict[str, dict[str, list[dict[str, t.Any]]]] = yaml.safe_load((SCENARIO / "vars/faults.yml").read_text())
PLANTED = [(stage, fault) for faults_by_stage in TABLES.values() for stage, faults in faults_by_stage.items() for fault in faults]

Record = t.Dict[str, t.Any]


def record(name: str) -> list[Record]:
    return json.loads((RECORDS / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.json").read_text())


def told(results: list[Record]) -> list[Record]:
    return [result for result in results if result["status"] in ("warn", "fail")]


def brief(results: list[Record]) -> str:
    return "\n".join(f"{r['id']} {r['host']} {r['device']} {r['status']}: {r['observed']} ({r['evidence']})" for r in results) or "nothing"


def fits(result: Record, wanted: dict[str, t.Any]) -> bool:
    place = {"id": wanted["id"], "host": wanted.get("host", "npu02"), "device": wanted.get("device"), "status": wanted.get("status", "fail")}
    return all(result[key] == value for key, value in place.items()) and all(
        str(wanted.get(key, "")).lower() in result[key].lower() for key in ("observed", "evidence"))


def assert_found(name: str, expected: list[dict[str, t.Any]]) -> None:
    """Each expected finding once, and nothing besides."""
    found = told(record(name))
    for wanted in expected:
        assert len([result for result in found if fits(result, wanted)]) == 1, f"{wanted} in\n{brief(found)}"
    assert len(found) == len(expected), brief(found)


@pytest.mark.parametrize("stage, fault", PLANTED, ids=[f"{stage}: {fault['name']}" for stage, fault in PLANTED])
def test_a_planted_fault_is_found_and_nothing_else(stage, fault):
    results = record(fault["name"])
    assert {result["stage"] for result in results} == {stage}
    assert_found(fault["name"], fault["expect"])


# Bare hosts lack the headers, see below; the others want another inventory, or another playbook, see test_playbooks.py.
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


def test_healthy_a3_hosts_have_no_finding():
    results = record("healthy A3 hosts")
    assert brief(told(results)) == "nothing"
    assert {result["id"] for result in results if result["status"] == "pass"} >= {"spod_ids", "vnic", "driver_loaded", "hccs_topology", "device_ip"}


def test_bare_hosts_are_looked_at_too():
    results = record("bare")
    assert brief(told(results)) == "nothing"
    skipped = {result["id"]: result["observed"] for result in results if result["status"] == "skip"}
    assert "driver" in skipped["driver_loaded"]
    assert {"npu_health", "link", "weights_complete", "image_digest", "smoke_request"} - set(skipped) <= {"weights_complete"}
    assert {result["id"] for result in results if result["status"] == "pass"} >= {"pci_inventory", "product_os_arch", "clock", "disk_shm_mem", "host_nic"}


def test_bare_hosts_without_headers():
    assert [(result["id"], result["host"]) for result in told(record("bare without headers"))] == [("kernel_headers", "npu01"), ("kernel_headers", "npu02")]
