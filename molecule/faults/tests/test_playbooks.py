# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks that look and say: on healthy hosts, with a fault, and with a host that does not answer."""

from __future__ import annotations

import json
import re
import tarfile
import typing as t
import xml.etree.ElementTree

import pytest
import yaml

NETMASK = "255.255.240.0"


def findings(results: list[dict[str, t.Any]]) -> list[tuple[t.Any, ...]]:
    return [(result["id"], result["host"], result["device"]) for result in results if result["status"] in ("warn", "fail")]


# ---- preflight


def test_preflight_of_a_healthy_cluster_ends_well(cluster):
    code, output = cluster.play("playbooks/preflight.yml")
    assert code == 0, output
    assert not re.search(r"changed=[1-9]", output), output


def test_preflight_ends_well_with_a_warning_and_names_it(cluster):
    with cluster.planted("npu02", "npusim fault set health-alarm --device 4 level=Warning", "npusim fault clear health-alarm"):
        code, output = cluster.play("playbooks/checks.yml", {"preflight_stages": ["npu"]})
    assert code == 0, output
    assert "npu_health" in output


def test_preflight_fails_and_explains_in_chinese(cluster):
    with cluster.planted("npu02", "npusim fault set health-alarm --device 4", "npusim fault clear health-alarm"):
        code, output = cluster.play("playbooks/checks.yml", {"preflight_stages": ["npu"], "npuops_language": "zh"})
    assert code != 0
    for words in ("npu_health", "npu02", "Alarm", "80E01801", "NPU 上报了故障码"):
        assert words in output


def test_a_check_can_be_switched_off_and_is_said_to_be(cluster):
    with cluster.planted("npu02", "npusim fault set health-alarm --device 4", "npusim fault clear health-alarm"):
        code, output = cluster.play("playbooks/checks.yml", {"preflight_stages": ["npu"], "preflight_checks": {"npu_health": "off"}})
    assert code == 0, output
    assert "Switched off in preflight_checks: npu_health" in output


@pytest.fixture
def one_host_away(tmp_path):
    """An inventory beside the scenario's own, in which npu02 has an address of nobody."""
    path = tmp_path / "away.yml"
    path.write_text(yaml.safe_dump({"all": {"hosts": {"npu02": {"ansible_host": "127.0.0.1", "ansible_port": 9, "ansible_ssh_retries": 0}}}}))
    return str(path)


def test_a_host_that_does_not_answer_is_named_and_the_other_one_checked(cluster, one_host_away):
    with cluster.planted("npu01", "npusim fault set health-alarm --device 4", "npusim fault clear health-alarm"):
        code, output = cluster.play("playbooks/preflight.yml", {"preflight_stages": ["host", "npu", "fabric"]}, "-i", one_host_away)
    assert code != 0
    assert "host_reachable" in output
    assert "npu_health" in output
    assert "Traceback" not in output


# ---- fabric


def fabric(cluster, tmp_path, variables: dict[str, t.Any] | None = None) -> tuple[int, str, dict[str, t.Any]]:
    path = tmp_path / "fabric.json"
    code, output = cluster.play("playbooks/fabric.yml", {"fabric_output": str(path), **(variables or {})})
    return code, output, json.loads(path.read_text()) if path.exists() else {}


def test_fabric_of_a_healthy_cluster_is_a_full_matrix(cluster, tmp_path):
    code, output, found = fabric(cluster, tmp_path)
    assert code == 0, output
    assert findings(found["results"]) == []
    assert len(found["pairs"]) == 128
    assert {pair["loss_percent"] for pair in found["pairs"]} == {0}
    assert len({(pair["host"], pair["device"], pair["peer_host"], pair["peer_device"]) for pair in found["pairs"]}) == 128
    ports = {(item["host"], item["device"]): item["port"] for item in found["cabling"]}
    assert len(set(ports.values())) == 16
    assert ports["npu01", 0] == "400GE1/1/5:1"
    assert found["unreachable"] == []


# A device of npu02, what is done to it, how it is undone, and the reason that has to be given for its pairs with npu01.
BROKEN = (
    (2, "npusim fault set tls-mix --device 2; npusim fault set ping-loss --device 2 peer={peer}", "hccn_tool -i 2 -tls -s enable 0", "tls"),
    (3, "npusim fault set link-down --device 3", ":", "link"),
    (4, "hccn_tool -i 4 -ip -s address 192.0.2.4 netmask 255.255.255.0", "{restore}", "address_plan"),
    (5, "hccn_tool -i 5 -ip -s address 198.51.100.4 netmask 255.255.255.0; hccn_tool -i 5 -gateway -s gateway 198.51.100.1", "{restore}", "gateway"),
    (6, "npusim fault set ping-loss --device 6 peer={peer}", ":", "switch_port"),
)


def test_fabric_names_each_failing_pair_and_the_reason(cluster, tmp_path):
    def read(host: str, device: int, what: str) -> str:
        return re.search(r"(?:ipaddr|gateway):([0-9.]+)", cluster.on(host, f"hccn_tool -i {device} -{what} -g")).group(1)

    def restore(host: str, device: int) -> str:
        own, gateway = read(host, device, "ip"), read(host, device, "gateway")
        return f"hccn_tool -i {device} -ip -s address {own} netmask {NETMASK}; hccn_tool -i {device} -gateway -s gateway {gateway}"

    plant, clear = ["cp -p /etc/hccn.conf /run/hccn.conf"], ["npusim fault clear"]
    for device, broken, mended, unused in BROKEN:
        plant.append(broken.format(peer=read("npu01", device, "ip")))
        clear.append(mended.format(restore=restore("npu02", device)))
    clear.append("cat /run/hccn.conf > /etc/hccn.conf")
    # Two segments, and no gateway on either side: the plan of device 4 itself is wrong.
    apart = "cp -p /etc/hccn.conf /run/hccn.conf; hccn_tool -i 4 -ip -s address 203.0.113.4 netmask 255.255.255.0"
    together = f"{restore('npu01', 4)}; cat /run/hccn.conf > /etc/hccn.conf"
    with cluster.planted("npu01", apart, together), cluster.planted("npu02", "; ".join(plant), "; ".join(clear)):
        code, output, found = fabric(cluster, tmp_path, {"fabric_pairs": "same_index"})
    assert code != 0, output
    reasons = {}
    for pair in found["pairs"]:
        if pair["reason"]:
            assert pair["device"] == pair["peer_device"]
            reasons.setdefault(pair["device"], set()).add(pair["reason"])
    assert reasons == {device: {reason} for device, unused, unused2, reason in BROKEN}
    assert {device for name, unused, device in findings(found["results"]) if name == "ping_matrix"} == set(reasons)


# ---- report


def test_report_writes_three_files(cluster, tmp_path):
    code, output = cluster.play("playbooks/report.yml", {"report_dir": str(tmp_path / "report")})
    assert code == 0, output
    files = {path.name: path for path in (tmp_path / "report").iterdir()}
    assert set(files) == {"report.html", "report.json", "report.xml"}
    page = files["report.html"].read_text()
    assert "npu01" in page
    assert "npu02" in page
    # Nothing is fetched when it is viewed.
    assert not re.search(r"""(?:src|href)\s*=\s*["']?https?:""", page)
    document = json.loads(files["report.json"].read_text())
    assert document
    suites = xml.etree.ElementTree.parse(files["report.xml"]).getroot()
    cases = list(suites.iter("testcase"))
    assert cases
    assert not list(suites.iter("failure"))


def test_report_tells_of_a_host_that_does_not_answer(cluster, tmp_path, one_host_away):
    code, output = cluster.play("playbooks/report.yml", {"report_dir": str(tmp_path / "report")}, "-i", one_host_away)
    assert code == 0, output
    suites = xml.etree.ElementTree.parse(tmp_path / "report/report.xml").getroot()
    assert any("host_reachable" in "".join(case.attrib.values()) and case.find("failure") is not None for case in suites.iter("testcase"))


# ---- drift


def test_no_drift_on_healthy_hosts(cluster):
    code, output = cluster.play("playbooks/drift.yml")
    assert code == 0, output


# What is changed on npu02, how it is changed back, and the words that name it.
DRIFTS = (
    ("cp -p /etc/hccn.conf /run/hccn.conf; hccn_tool -i 3 -ip -s address {own}0 netmask {netmask}",
     "hccn_tool -i 3 -ip -s address {own} netmask {netmask}; cat /run/hccn.conf > /etc/hccn.conf", ("address", "{own}0")),
    ("cp -p /etc/npuops/mindie/config.json /run/; sed -i 's/\"maxSeqLen\" *: *[0-9]*/\"maxSeqLen\": 40000/' /etc/npuops/mindie/config.json",
     "cp -p /run/config.json /etc/npuops/mindie/config.json", ("maxSeqLen", "40000")),
    ("cp -p /etc/npuops/mindie/environment /run/; echo HCCL_BUFFSIZE=120 >> /etc/npuops/mindie/environment",
     "cp -p /run/environment /etc/npuops/mindie/environment", ("HCCL_BUFFSIZE",)),
    ("docker tag {image} planted:right; docker create --name planted planted:right true; docker commit --change 'LABEL planted=yes' planted {image}; "
     "docker rm planted", "docker tag planted:right {image}; docker rmi planted:right", ("image",)),
)


def test_drift_names_what_was_changed_on_one_host(cluster):
    own = re.search(r"ipaddr:(\S+)", cluster.on("npu02", "hccn_tool -i 3 -ip -g")).group(1)
    image = cluster.on("npu02", "docker inspect --format '{{.Config.Image}}' mindie-mindie").strip()
    values = {"own": own, "netmask": NETMASK, "image": image}
    plant, clear = ("; ".join(change[way].format(**values) for change in DRIFTS) for way in (0, 1))
    with cluster.planted("npu02", plant, clear):
        code, output = cluster.play("playbooks/drift.yml")
    assert code != 0, output
    shown = output.partition("Show | Show the differences")[2]
    assert "npu02" in shown
    for unused, unused2, words in DRIFTS:
        for word in words:
            assert word.format(**values) in shown, shown


# ---- explain


def test_explain_names_the_code_of_a_start_that_failed(cluster):
    """Rank 11 is device 3 of the second host; its TLS switch differs."""
    impatient = {"mindie_environment": {"MINDIESIM_TIME_SCALE": "0.03"}}
    with cluster.planted("npu02", "npusim fault set tls-mix --device 3", "npusim fault clear tls-mix; hccn_tool -i 3 -tls -s enable 0"):
        code, output = cluster.play("playbooks/mindie.yml", {**impatient, "preflight_checks": {"tls_consistent": "off"}})
        assert code != 0, output
        code, output = cluster.play("playbooks/explain.yml")
    assert code == 0, output
    assert re.search(r"EI00(06|16)", output), output
    assert "TLS" in output
    # The service comes back.
    code, output = cluster.play("playbooks/mindie.yml")
    assert code == 0, output


# ---- support bundle


def test_the_support_bundle_is_one_archive_without_secrets(cluster, tmp_path):
    plant = "cp -p /etc/npuops/mindie/environment /run/; echo HF_TOKEN=hf_planted >> /etc/npuops/mindie/environment"
    with cluster.planted("npu02", plant, "cp -p /run/environment /etc/npuops/mindie/environment"):
        code, output = cluster.play("playbooks/collect_logs.yml", {"support_bundle_dir": str(tmp_path)})
    assert code == 0, output
    assert "hf_planted" not in output
    (path,) = tmp_path.glob("npuops-support-*.tar.gz")
    with tarfile.open(path) as archive:
        texts = {member.name: archive.extractfile(member).read() for member in archive.getmembers() if member.isfile()}
    for host in ("npu01", "npu02"):
        assert any(host in name and "environment" in name for name in texts), list(texts)
        assert any(host in name and b"910B3" in text for name, text in texts.items())
    assert not [name for name, text in texts.items() if b"hf_planted" in text]
