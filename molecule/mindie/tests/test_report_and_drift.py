# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that tell what a cluster is like, on the hosts that were just deployed."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

PROJECT = pathlib.Path(__file__).parents[3]

testinfra_hosts = ["ssh://npu02"]


def playbook(name, *arguments):
    environment = {**os.environ, "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    return subprocess.run(
        ["ansible-playbook", "-i", "inventories/simulator", f"playbooks/{name}.yml", *arguments],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


@pytest.fixture
def other_tls(host):
    host.check_output("hccn_tool -i 5 -tls -s enable 1")
    yield
    host.check_output("hccn_tool -i 5 -tls -s enable 0")


def test_the_report_of_a_healthy_cluster(tmp_path):
    done = playbook("report", "-e", f"report_dir={tmp_path}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed=0" in done.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    assert [result for result in report["checks"] if result["status"] == "fail"] == []
    assert (report["summary"]["hosts"], report["summary"]["devices"], report["summary"]["pairs"]) == (2, 16, 16)
    assert report["summary"]["pairs_failed"] == 0
    assert [service["state"] for service in report["services"]] == ["ready", "ready"]
    assert report["smoke"][0]["answer"]
    assert [(table["identical"], len(table["ranks"])) for table in report["rank_tables"]] == [(True, 16)]
    assert "npu02" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.xml").read_text().startswith("<?xml")


def test_no_drift_after_a_deployment():
    done = playbook("drift")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No drift: 2 hosts have what the inventory says." in done.stdout


def test_a_switch_that_was_turned_by_hand(host, other_tls):
    done = playbook("drift")
    assert done.returncode == 2, done.stdout + done.stderr
    for line in (
        "npu02: TLS switch of the devices  [repair with --tags npu_network]",
        "npu02: device 5, tls_enabled  [repair with --tags npu_network]",
        "npu02: device 5, hccn.conf tls_enable_5  [repair with --tags npu_network]",
    ):
        assert line in done.stdout
    # Looking is not touching.
    assert "tls switch[1]" in host.check_output("hccn_tool -i 5 -tls -g")
