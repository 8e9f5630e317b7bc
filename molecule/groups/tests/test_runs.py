# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done to one serving group leaves the containers of the other alone. The tests go on from each other's end."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import typing as t

import pytest

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / "inventories/simulator_groups"
V3, R1 = ("npu01", "npu02"), ("npu03", "npu04")
GROUPS = dict.fromkeys(V3, "deepseek_v3") | dict.fromkeys(R1, "deepseek_r1")
R1_URL = "http://10.89.12.13:1035"
# HCCL waits 120 s for its peers at least; here for some seconds. The checks that would keep a bad start from being tried are off.
IMPATIENT = {"mindie_environment": {"MINDIESIM_TIME_SCALE": "0.2"}, "preflight_checks": {"weights_complete": "off", "ranktable_live": "off"}}


def on_host(host: str, command: str) -> str:
    argv = ["ssh", "-F", ".build/ssh/groups.config", host, command]
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=PROJECT, stdin=subprocess.DEVNULL).stdout


def run(playbook: str, *arguments: str, variables: dict[str, t.Any] | None = None, inventory: pathlib.Path = INVENTORY) -> tuple[int, str]:
    argv = ["ansible-playbook", "-i", str(inventory), playbook, "-e", json.dumps(variables or {}), *arguments]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build/collections"), "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def changed(output: str) -> dict[str, int]:
    """Number of changed tasks of each host, from the recap."""
    return {host: int(count) for host, count in re.findall(r"^(npu\d+) +:.*changed=(\d+)", output, re.MULTILINE)}


def messages(output: str) -> str:
    """What is printed as errors, without the echo of results."""
    return "\n".join(line for line in output.splitlines() if "FAILED! =>" not in line)


def starts(hosts: t.Iterable[str]) -> dict[str, str]:
    """When the container of each host was started; empty where there is none."""
    return {host: on_host(host, f"docker inspect --format '{{{{.State.StartedAt}}}} {{{{.State.Pid}}}}' mindie-{GROUPS[host]} || true") for host in hosts}


@pytest.fixture(scope="module")
def v3_starts():
    return starts(V3)


@pytest.fixture(autouse=True)
def the_other_group_is_left_alone(v3_starts):
    yield
    assert starts(V3) == v3_starts


def assert_all_restarted(before: dict[str, str]) -> None:
    after = starts(before)
    for host, moment in before.items():
        assert after[host]
        assert after[host] != moment


# ---- one group changes


def test_a_changed_setting_restarts_the_whole_group():
    before = starts(R1)
    code, output = run("playbooks/mindie.yml", "--limit", "deepseek_r1", variables={"mindie_max_iter_times": 8192})
    assert code == 0, output
    assert_all_restarted(before)
    for host in R1:
        assert '"maxIterTimes": 8192' in on_host(host, "cat /etc/npuops/deepseek_r1/config.json")


def test_a_run_over_both_groups_restarts_the_changed_one():
    before = starts(R1)
    code, output = run("playbooks/mindie.yml")
    assert code == 0, output
    assert_all_restarted(before)
    assert [changed(output)[host] for host in V3] == [0, 0]


def test_restart_of_one_group():
    before = starts(R1)
    code, output = run("playbooks/mindie_restart.yml", "--limit", "deepseek_r1")
    assert code == 0, output
    assert_all_restarted(before)


def test_part_of_a_group_is_not_restarted():
    before = starts(R1)
    code, output = run("playbooks/mindie_restart.yml", "--limit", "npu03")
    assert code != 0
    assert "not in this run or already failed: npu04" in messages(output)
    assert starts(R1) == before


def test_stop_of_one_group():
    code, output = run("playbooks/mindie_stop.yml", "--limit", "deepseek_r1")
    assert code == 0, output
    for host in R1:
        assert on_host(host, "systemctl is-active mindie-deepseek_r1 || true").strip() == "inactive"
        assert on_host(host, "docker ps --quiet") == ""


# ---- a start that fails shows its first error


def refused_start(host: str, *words: str) -> None:
    code, output = run("playbooks/mindie.yml", "--limit", "deepseek_r1", variables=IMPATIENT)
    assert code != 0, output
    (message,) = [line for line in messages(output).splitlines() if f"mindie-deepseek_r1.service on {host} is failed" in line]
    first_error = message.partition("First error: ")[2]
    for word in words:
        assert word in first_error, message
    # What the log ends with in each case is said by systemd, and before that by the daemon of itself.
    assert "Main process exited" not in message
    assert "[fail]" not in message
    assert re.search(r" Cause: .+ Remedy: .+ Source: .+\.$", message), message


def test_first_error_of_a_device_whose_tls_switch_differs():
    on_host("npu04", "npusim fault set tls-mix --device 3")
    try:
        # Rank 11 is device 3 of the second host. The daemon's log and the plog say it in the same moment.
        refused_start("npu04", "wait socket establish timeout", "rank[11]", "/var/log/npuops/deepseek_r1/debug/")
    finally:
        on_host("npu04", "npusim fault clear tls-mix")


def test_the_network_stage_alone_sets_the_device_right():
    assert "tls_enable_3=1" in on_host("npu04", "cat /etc/hccn.conf").splitlines()
    code, output = run("site.yml", "--tags", "npu_network")
    assert code == 0, output
    assert changed(output) == {"npu01": 0, "npu02": 0, "npu03": 0, "npu04": 1}
    assert "tls_enable_3=0" in on_host("npu04", "cat /etc/hccn.conf").splitlines()


def test_first_error_of_weights_that_anybody_may_write():
    on_host("npu03", "chmod 0666 /data/DeepSeek-R1-w8a8/config.json")
    try:
        refused_start("npu03", "Check path: config.json failed", "got 666")
    finally:
        on_host("npu03", "chmod 0640 /data/DeepSeek-R1-w8a8/config.json")


def test_first_error_of_a_rank_table_that_was_edited():
    on_host("npu04", "sed -i 's/10.89.109.45/10.89.109.95/' /etc/npuops/deepseek_r1/rank_table.json")
    refused_start("npu04", "EI0014", "10.89.109.95")


def test_the_rank_table_stage_alone_sets_the_file_right():
    code, output = run("site.yml", "--tags", "rank_table")
    assert code == 0, output
    assert changed(output) == {"npu01": 0, "npu02": 0, "npu03": 0, "npu04": 1}
    tables = {on_host(host, "cat /etc/npuops/deepseek_r1/rank_table.json") for host in R1}
    assert len(tables) == 1
    assert "10.89.109.95" not in tables.pop()


def test_after_the_faults_the_group_serves_again():
    code, output = run("site.yml", "--limit", "deepseek_r1", "--tags", "mindie,verify")
    assert code == 0, output
    assert "DeepSeek-R1-int8" in on_host("npu03", f"curl --silent --max-time 10 {R1_URL}/v1/models")


# ---- a host taken out of its group gets a newer driver and serves alone


@pytest.fixture(scope="module")
def alone() -> t.Iterator[pathlib.Path]:
    """An inventory in which the second group has lost its first host."""
    folder = PROJECT / ".build/groups_alone"
    # A run that was cut off may have left one.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    hosts = (INVENTORY / "hosts.yml").read_text()
    text, count = re.subn(r"\n +npu03:\n +ansible_host: .*", "", hosts)
    assert count == 1
    (folder / "hosts.yml").write_text(text)
    for name in ("group_vars", "host_vars"):
        (folder / name).symlink_to(INVENTORY / name)
    # A driver is not replaced while a service uses the NPUs.
    code, output = run("playbooks/mindie_stop.yml", "--limit", "deepseek_r1")
    assert code == 0, output
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def newer_driver(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("packages")
    argv = [sys.executable, "-m", "npusim.packages", "build", "--out", str(folder), "--driver-version", "24.1.1"]
    subprocess.run(argv, check=True, env={**os.environ, "PYTHONPATH": str(PROJECT / "tests/simulator")}, stdin=subprocess.DEVNULL)
    (driver,) = folder.glob("*-driver_24.1.1_*.run")
    return {"hdk_driver_package": str(driver)}


def installer_exit(code: int) -> None:
    on_host("npu04", shlex.join(["npusim", "fault", "set", "installer-exit", "kind=driver", f"code={code}"]))


def test_an_installer_that_fails_is_an_error_with_its_words(alone, newer_driver):
    installer_exit(1)
    code, output = run("playbooks/hdk.yml", "--limit", "npu04", variables=newer_driver, inventory=alone)
    assert code != 0
    message = messages(output)
    assert "npu-driver_24.1.1_" in message
    assert "exit code 1" in message
    assert "Driver_ko_install failed" in message
    assert "Driver_Install_Status=complete" not in on_host("npu04", "cat /etc/ascend_install.info")


def test_an_installer_that_asks_for_a_reboot_gets_it(alone, newer_driver):
    installer_exit(2)
    boot = on_host("npu04", "cat /proc/sys/kernel/random/boot_id")
    code, output = run("site.yml", "--limit", "deepseek_r1", variables=newer_driver, inventory=alone)
    on_host("npu04", "npusim fault clear installer-exit")
    assert code == 0, output
    assert on_host("npu04", "cat /proc/sys/kernel/random/boot_id") != boot
    assert "24.1.1" in on_host("npu04", "npu-smi info")


def test_a_single_host_serves_without_a_rank_table():
    config = json.loads(on_host("npu04", "cat /etc/npuops/deepseek_r1/config.json"))
    assert config["BackendConfig"]["multiNodesInferEnabled"] is False
    assert config["ServerConfig"]["ipAddress"] == "10.89.12.14"
    assert config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["worldSize"] == 8
    environment = on_host("npu04", "cat /etc/npuops/deepseek_r1/environment")
    assert "RANKTABLEFILE" not in environment
    assert "RANK_TABLE_FILE" not in environment
    assert "DeepSeek-R1-int8" in on_host("npu04", "curl --silent --max-time 10 http://10.89.12.14:1035/v1/models")
