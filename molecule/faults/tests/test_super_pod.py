# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same hosts with Atlas A3 NPUs: what only a super pod has. The last tests of the scenario: the hosts are bare after that."""

from __future__ import annotations

import json

import pytest
from records import TABLES, assert_found, brief, record, told

A3 = {"npu_device_count": 16, "npu_network_verify_lldp": False}
PLANTED = [fault for faults in TABLES["planted_a3_faults"].values() for fault in faults]


@pytest.fixture(scope="module", autouse=True)
def super_pod(cluster):
    code, output = cluster.play("molecule/faults/super_pod.yml")
    assert code == 0, output
    yield
    cluster.reset()


def test_healthy_a3_hosts_have_no_finding():
    results = record("healthy A3 hosts")
    assert brief(told(results)) == "nothing"
    assert {result["id"] for result in results if result["status"] == "pass"} >= {"spod_ids", "vnic", "driver_loaded", "hccs_topology", "device_ip"}


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault["name"])
def test_a_planted_fault_is_found_and_nothing_else(fault):
    assert_found(fault)


def test_dies_that_do_not_reach_each_other_through_hccs(cluster, tmp_path):
    """Device 3 of npu02 loses every packet to device 3 of npu01."""
    with cluster.planted("npu02", "npusim fault set ping-loss --device 3 peer=192.1.1.4", "npusim fault clear"):
        path = tmp_path / "fabric.json"
        code, output = cluster.play("playbooks/fabric.yml", {**A3, "fabric_hccs": True, "fabric_pairs": "same_index", "fabric_output": str(path)})
    assert code != 0, output
    found = json.loads(path.read_text())
    assert [(result["id"], result["host"], result["device"]) for result in told(found["results"])] == [("hccs_ping", "npu02", 3)]
    assert len(found["hccs_pairs"]) == 32
