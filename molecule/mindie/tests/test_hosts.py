# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the hosts themselves, not at what the playbook said."""

from __future__ import annotations

import json

import pytest

testinfra_hosts = ["ssh://npu01", "ssh://npu02"]

ADDRESS = {"npu01": "10.89.7.11", "npu02": "10.89.7.12"}
DEVICE_NETWORK = {"npu01": "10.89.17", "npu02": "10.89.18"}
PEER = {"npu01": "npu02", "npu02": "npu01"}
CONFIG = "/etc/npuops/mindie/config.json"
RANK_TABLE = "/etc/npuops/mindie/rank_table.json"


@pytest.fixture
def name(host):
    return host.backend.get_hostname()


@pytest.fixture
def is_master(name):
    return name == "npu01"


def test_user_of_the_driver(host):
    user = host.user("HwHiAiUser")
    assert user.group == "HwHiAiUser"
    assert user.home == "/home/HwHiAiUser"
    assert user.shell == "/bin/bash"


def test_driver_and_firmware_run(host):
    table = host.check_output("npu-smi info")
    assert table.count("910B3") == 8
    board = host.check_output("npu-smi info -t board -i 0")
    assert "24.1.0" in board
    assert "7.5.0.3.220" in board
    assert host.file("/usr/local/Ascend/driver/version.info").contains("Version=24.1.0")


def test_engine_runs_from_the_archive(host):
    service = host.service("docker")
    assert service.is_running
    assert service.is_enabled
    assert host.file("/usr/bin/dockerd").mode == 0o755


def test_every_device_is_addressed_for_good(host, name):
    text = host.file("/etc/hccn.conf").content_string
    assert text.endswith("\n")
    lines = text.splitlines()
    for device in range(8):
        assert lines.count(f"address_{device}={DEVICE_NETWORK[name]}.{device + 1}") == 1
        assert lines.count(f"netmask_{device}=255.255.240.0") == 1
        assert lines.count(f"gateway_{device}=10.89.16.1") == 1
        assert lines.count(f"netdetect_{device}=10.89.16.1") == 1
        assert lines.count(f"tls_enable_{device}=0") == 1


def test_the_devices_reach_those_of_the_other_host(host, name):
    for device in (0, 7):
        output = host.check_output(f"hccn_tool -i {device} -ping -g address {DEVICE_NETWORK[PEER[name]]}.{device + 1}")
        assert "3 packets transmitted, 3 received, 0.00% packet loss" in output


def test_rank_table_names_both_hosts(host):
    table = host.file(RANK_TABLE)
    assert (table.user, table.group, table.mode) == ("root", "root", 0o640)
    content = json.loads(table.content_string)
    assert content["version"] == "1.0"
    assert content["status"] == "completed"
    assert content["server_count"] == "2"
    assert [server["server_id"] for server in content["server_list"]] == ["10.89.7.11", "10.89.7.12"]
    assert [server["container_ip"] for server in content["server_list"]] == ["10.89.7.11", "10.89.7.12"]
    devices = [device for server in content["server_list"] for device in server["device"]]
    assert [device["rank_id"] for device in devices] == [str(rank) for rank in range(16)]
    assert [device["device_ip"] for device in devices] == [f"10.89.{third}.{last}" for third in (17, 18) for last in range(1, 9)]


@pytest.mark.parametrize("path", [RANK_TABLE, CONFIG])
def test_the_hosts_have_the_same_bytes(host, path, request):
    digests = request.config.cache_digests = getattr(request.config, "cache_digests", {})
    digests.setdefault(path, set()).add(host.file(path).sha256sum)
    assert len(digests[path]) == 1


def test_config_has_the_values_of_the_guide(host):
    config = host.file(CONFIG)
    assert (config.user, config.group, config.mode) == ("root", "root", 0o640)
    content = json.loads(config.content_string)
    server, backend = content["ServerConfig"], content["BackendConfig"]
    deploy, schedule = backend["ModelDeployConfig"], backend["ScheduleConfig"]
    assert (server["ipAddress"], server["managementIpAddress"], server["port"]) == ("10.89.7.11", "10.89.7.11", 1025)
    assert (server["httpsEnabled"], server["interCommTLSEnabled"], backend["interNodeTLSEnabled"]) == (False, False, False)
    assert backend["multiNodesInferEnabled"] is True
    assert backend["npuDeviceIds"] == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert (deploy["maxSeqLen"], deploy["maxInputTokenLen"]) == (32768, 16384)
    model = deploy["ModelConfig"][0]
    assert (model["modelName"], model["modelWeightPath"], model["worldSize"]) == ("DeepSeek-V3-int8", "/data/DeepSeek-V3-w8a8", 8)
    assert (schedule["maxPrefillBatchSize"], schedule["maxPrefillTokens"], schedule["maxIterTimes"]) == (10, 32768, 16384)


def test_environment_differs_by_the_host_alone(host, name):
    environment = dict(line.split("=", 1) for line in host.file("/etc/npuops/mindie/environment").content_string.splitlines())
    assert environment["MIES_CONTAINER_IP"] == ADDRESS[name]
    assert environment["RANKTABLEFILE"] == environment["RANK_TABLE_FILE"] == RANK_TABLE
    assert environment["PYTORCH_NPU_ALLOC_CONF"] == "expandable_segments:True"
    assert environment["NPU_MEMORY_FRACTION"] == "0.99"


def test_unit_runs_and_is_enabled(host):
    service = host.service("mindie-mindie")
    assert service.is_running
    assert service.is_enabled


def test_container_has_no_more_rights_than_it_needs(host):
    container = json.loads(host.check_output("docker inspect mindie-mindie"))[0]
    assert container["HostConfig"]["Privileged"] is False
    assert container["HostConfig"]["NetworkMode"] == "host"
    assert container["HostConfig"]["Init"] is True
    devices = {device["PathOnHost"] for device in container["HostConfig"]["Devices"]}
    assert devices == {f"/dev/davinci{index}" for index in range(8)} | {"/dev/davinci_manager", "/dev/devmm_svm", "/dev/hisi_hdc"}
    weights = next(mount for mount in container["Mounts"] if mount["Destination"] == "/data/DeepSeek-V3-w8a8")
    assert weights["RW"] is False


def test_ports_are_open_on_the_master_alone(host, is_master):
    for port in (1025, 1026, 1027):
        assert host.socket(f"tcp://10.89.7.11:{port}").is_listening is is_master


def test_journal_and_logs_are_on_the_host(host):
    assert "Daemon start success!" in host.check_output("journalctl --no-pager --unit mindie-mindie")
    assert host.check_output("find /var/log/npuops/mindie -name 'mindie-server_*.log' -size +0")


def test_no_client_is_given_a_port_of_hccl(host):
    assert host.check_output("cat /proc/sys/net/ipv4/ip_local_reserved_ports") == "60000-60031"
    (line,) = host.file("/etc/sysctl.d/99-zz-npuops.conf").content_string.splitlines()
    assert line.replace(" ", "") == "net.ipv4.ip_local_reserved_ports=60000-60031"


def test_the_master_answers(host, is_master):
    models = host.run("curl --silent --max-time 10 http://10.89.7.11:1025/v1/models")
    assert [model["id"] for model in json.loads(models.stdout)["data"]] == ["DeepSeek-V3-int8"]
    if not is_master:
        assert host.run("curl --silent --max-time 3 http://10.89.7.12:1025/v1/models").rc == 7


def test_firewall_runs_and_lets_the_plan_through(host, name):
    assert host.service("firewalld").is_running
    zone = host.check_output("firewall-cmd --zone=npuops --list-all")
    assert ADDRESS[PEER[name]] in zone
    assert set(host.check_output("firewall-cmd --zone=npuops --list-ports").split()) == {"1025/tcp", "1120/tcp", "1121/tcp", "60000-60015/tcp"}
    assert host.check_output("firewall-cmd --permanent --zone=npuops --list-ports") == host.check_output("firewall-cmd --zone=npuops --list-ports")
    assert "1025/tcp" in host.check_output("firewall-cmd --list-ports").split()
    if name == "npu02":
        # The management port is nobody's but the master's own.
        assert host.run("curl --silent --max-time 3 http://10.89.7.11:1026/health").rc != 0
