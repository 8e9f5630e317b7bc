# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input gives one clear error that names host, variable or file, and changes nothing on the hosts."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import typing as t

import pytest

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
PACKAGES = PROJECT / ".build/packages"
DRIVER = next(PACKAGES.glob("Ascend-hdk-910b-npu-driver_*.run"))
FIRMWARE = next(PACKAGES.glob("Ascend-hdk-910b-npu-firmware_*.run"))
HOSTS = {"npu01": "10.89.7.11", "npu02": "10.89.7.12"}
SERVICE_CONFIG = "/etc/npuops/mindie/config.json"

# What is written without anybody having changed anything.
ORDINARY = (
    *("/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/var/tmp", "/var/log", "/var/cache"),
    *("/var/lib/docker", "/var/lib/systemd", "/var/lib/npusim", "/var/lib/dnf", "/var/lib/rpm"),
    # Where Python keeps the bytecode of the stand-ins.
    "/opt/npusim/npusim/__pycache__",
    # A folder of this machine, which the hosts cannot write.
    "/opt/packages",
)


def on_host(host: str, command: str) -> str:
    argv = ["ssh", "-F", ".build/ssh/npuops.config", host, command]
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=PROJECT, stdin=subprocess.DEVNULL).stdout


def site(variables: dict[str, t.Any] | None = None, *arguments: str) -> tuple[int, str]:
    argv = ["ansible-playbook", "-i", "inventories/simulator", "site.yml", "-e", json.dumps(variables or {}), *arguments]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build/collections"), "ANSIBLE_FORCE_COLOR": "0"}
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def nothing_changes() -> t.Iterator[None]:
    for host in HOSTS:
        on_host(host, "touch /run/before")
    yield
    prune = " -o ".join(f"-path {shlex.quote(path)}" for path in ORDINARY)
    for host in HOSTS:
        changed = on_host(host, rf"find / \( {prune} \) -prune -o -type f -newer /run/before -print").split()
        assert changed == [], f"{host}: {changed}"


def refused(words: t.Sequence[str], variables: dict[str, t.Any] | None = None, *arguments: str) -> str:
    """The run fails, says these words, and has changed nothing."""
    with nothing_changes():
        code, output = site(variables, *arguments)
    assert code != 0, output
    assert not re.search(r"changed=[1-9]", output), output
    # The same error as it is printed, without the echo of its parameters.
    message = "\n".join(line for line in output.splitlines() if "FAILED! =>" not in line and not line.startswith("failed: ["))
    for word in words:
        assert word in message, f"{word!r} is not in\n{message}"
    assert "Traceback" not in message
    return message


@contextlib.contextmanager
def fault(host: str, *arguments: str) -> t.Iterator[None]:
    on_host(host, f"npusim fault set {shlex.join(arguments)}")
    try:
        yield
    finally:
        on_host(host, f"npusim fault clear {arguments[0]}")


def device(index: int, **values: t.Any) -> dict[str, t.Any]:
    return {"device": index, "address": f"10.89.17.{index + 1}", "netmask": "255.255.240.0", "gateway": "10.89.16.1", "netdetect": "10.89.16.1", **values}


def test_a_check_run_on_converged_hosts_finds_and_changes_nothing():
    with nothing_changes():
        code, output = site(None, "--check", "--diff")
    assert code == 0, output
    assert len(re.findall(r"changed=0 ", output)) == len(HOSTS), output


# ---- packages


def test_missing_driver_package():
    refused(["hdk_driver_package names /nowhere/driver.run", "no file on the controller", "hdk_remote_src"], {"hdk_driver_package": "/nowhere/driver.run"})


def test_missing_engine_archive():
    refused(["docker_archive names /opt/packages/none.tgz", "no file on npu01", "docker_remote_src"], {"docker_archive": "/opt/packages/none.tgz"})


@pytest.fixture
def broken_package():
    """A driver package with one byte of its payload flipped, where the hosts see it."""
    folder = PACKAGES / "broken"
    folder.mkdir(exist_ok=True)
    path = folder / DRIVER.name
    content = bytearray(DRIVER.read_bytes())
    content[-20] ^= 0xFF
    path.write_bytes(content)
    yield f"/opt/packages/broken/{DRIVER.name}"
    path.unlink()
    folder.rmdir()


def test_corrupt_package(broken_package):
    refused(
        [broken_package, "damaged"],
        {"hdk_driver_package": broken_package, "hdk_firmware_package": f"/opt/packages/{FIRMWARE.name}", "hdk_remote_src": True},
    )


def test_wrong_architecture(tmp_path):
    other = "x86-64" if "aarch64" in DRIVER.name else "aarch64"
    path = tmp_path / re.sub(r"linux-[^.]+\.run$", f"linux-{other}.run", DRIVER.name)
    path.write_bytes(DRIVER.read_bytes())
    refused(["hdk_driver_package names", path.name, "npu01 is"], {"hdk_driver_package": str(path)})


# ---- addresses


def test_one_address_for_two_hosts():
    refused(["Several hosts of the inventory have one address (ansible_host)"], {"ansible_host": HOSTS["npu01"]})


def test_one_address_for_two_devices():
    message = refused(["npu02 device 0: address 10.89.17.1 is given to npu01 device 0 too"], {"npu_network_devices": [device(index) for index in range(8)]})
    assert "npu02 device 7" in message


def test_gateway_outside_of_the_segment():
    plan = {"first_address": "10.89.17.1", "host_step": 256, "netmask": "255.255.255.0", "gateway": "10.89.16.1"}
    refused(["10.89.16.1"], {"npu_network_plan": plan})


def test_address_that_is_none():
    devices = [device(index) for index in range(8)]
    devices[3]["address"] = "10.89.17.4; reboot"
    refused(["npu01 device 3", "'10.89.17.4; reboot'"], {"npu_network_devices": devices})


# ---- devices and their tool


def test_seven_of_eight_devices():
    with fault("npu02", "missing-device", "--device", "5"):
        refused(["driver_loaded: npu02 device 5", "shows 7 devices", "expected 8"], None, "--tags", "preflight")


def test_tool_absent():
    on_host("npu02", "mv /usr/local/Ascend/driver/tools/hccn_tool /root/; mv /usr/bin/hccn_tool /root/hccn_tool.link")
    try:
        refused(["hccn_tool", "npu02"], None, "--tags", "npu_network")
    finally:
        on_host("npu02", "mv /root/hccn_tool /usr/local/Ascend/driver/tools/; mv /root/hccn_tool.link /usr/bin/hccn_tool")


def test_tool_hangs():
    with fault("npu02", "hanging-tool"):
        refused(["hccn_tool", "2 s"], {"npu_network_timeout": 2}, "--tags", "npu_network")


def test_tool_prints_garbage():
    with fault("npu02", "garbage-output"):
        refused(["hccn_tool", "device 0"], None, "--tags", "npu_network")


def test_link_down():
    with fault("npu02", "link-down", "--device", "3"):
        refused(["npu02 device 3: link is down; expected up"], {"npu_network_ready_retries": 1}, "--tags", "npu_network")


# ---- rank table


def sources(tmp_path: pathlib.Path) -> list[pathlib.Path]:
    paths = []
    for host, third in (("npu01", 17), ("npu02", 18)):
        table = {
            "version": "1.0",
            "server_count": "1",
            "server_list": [
                {
                    "server_id": HOSTS[host],
                    "container_ip": HOSTS[host],
                    "device": [{"device_id": str(index), "device_ip": f"10.89.{third}.{index + 1}", "rank_id": str(index)} for index in range(8)],
                    "host_nic_ip": "reserve",
                }
            ],
            "status": "completed",
        }
        path = tmp_path / f"hccl_8p_01234567_{HOSTS[host]}.json"
        path.write_text(json.dumps(table, indent=4))
        paths.append(path)
    return paths


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"version"', '// made by hand\n"version"', ["hccl_8p_01234567_10.89.7.12.json"]),
        ('"rank_id": "7"', '"rank_id": "9"', ["hccl_8p_01234567_10.89.7.12.json", "rank_id"]),
        ("10.89.18.3", "10.89.17.3", ["10.89.17.3", "hccl_8p_01234567_10.89.7.12.json"]),
        ("10.89.18.3", "-.-.-.-", ["-.-.-.-", "hccl_8p_01234567_10.89.7.12.json"]),
    ],
    ids=["comment", "gap", "duplicate", "no address"],
)
def test_rank_table_files(tmp_path, old, new, words):
    paths = sources(tmp_path)
    text = paths[1].read_text()
    assert old in text
    paths[1].write_text(text.replace(old, new, 1))
    refused(["rank_table_sources", *words], {"rank_table_sources": [str(path) for path in paths]})


def test_rank_table_files_that_contradict_the_devices(tmp_path):
    paths = sources(tmp_path)
    paths[1].write_text(paths[1].read_text().replace("10.89.18.3", "10.89.18.99"))
    code, output = site({"rank_table_sources": [str(path) for path in paths]}, "--tags", "rank_table")
    assert code != 0
    assert "10.89.18.99" in output
    assert "10.89.18.3" in output
    for host in HOSTS:
        assert "10.89.18.99" not in on_host(host, "cat /etc/npuops/mindie/rank_table.json")
        on_host(host, "rm -f /etc/npuops/mindie/source-*.json")


# ---- configuration of the service


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"mindie_max_prefill_tokens": 1024}, ["maxPrefillTokens", "1024", "16384"]),
        ({"mindie_max_iter_times": 40000}, ["maxIterTimes", "40000", "32768"]),
        ({"mindie_port": 1120}, ["1120", "multiNodesInferPort"]),
        ({"mindie_model_path": "/data/Deep Seek"}, ["mindie_model_path: found '/data/Deep Seek'"]),
        ({"mindie_model_path": "/data/../etc", "weights_path": "/data/DeepSeek-V3-w8a8"}, ["mindie_model_path: found '/data/../etc'"]),
        ({"mindie_instance": "a'; reboot"}, ['mindie_instance: found "a\'; reboot"']),
        ({"mindie_environment": {"OMP_NUM_THREADS": "1\nLD_PRELOAD=/tmp/x"}}, ["mindie_environment: found OMP_NUM_THREADS="]),
        ({"mindie_settings": {"BackendConfig.npudeviceIds": [[0]]}}, ["npudeviceIds", "npuDeviceIds"]),
        ({"mindie_settings": {"ServerConfig.maxLinkNum": "many"}}, ["maxLinkNum", "many"]),
        ({"mindie_group": "nobody"}, ["rank_table_group is nobody, but npu01 is not in that group", "mindie_group"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_settings(variables, words):
    refused(words, variables)


def test_config_that_is_no_json():
    on_host("npu02", f"cp -p {SERVICE_CONFIG} /root/config.json; sed -i '1a // edited by hand' {SERVICE_CONFIG}")
    try:
        refused([SERVICE_CONFIG, "comment", "npu02"], None, "--tags", "mindie")
    finally:
        on_host("npu02", f"mv /root/config.json {SERVICE_CONFIG}")


def test_weights_that_are_not_whole():
    shard = on_host("npu02", "ls /data/DeepSeek-V3-w8a8/*.safetensors").split()[0]
    on_host("npu02", f"cp -p {shard} /root/shard; truncate --size=-1 {shard}")
    try:
        refused([shard.rsplit("/", 1)[1], "Truncated", "npu02"])
    finally:
        on_host("npu02", f"mv /root/shard {shard}")
