# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the simulated MindIE daemon says of a config.json and of a rank table."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
SIMULATOR = REPO / "tests/simulator/mindie"
sys.path.insert(0, str(SIMULATOR))

from mindiesim import config, ranktable  # noqa: E402  its path is added above
from mindiesim.errors import StartFailure  # noqa: E402  its path is added above

SAMPLES = REPO / "tests/fixtures/mindie"
TWO_NODES = REPO / "tests/fixtures/ranktable/v1.0_2s_16p_mindie_auto_tool.json"
IMAGE_CONFIG = SIMULATOR / "rootfs/usr/local/Ascend/mindie/latest/mindie-service/conf/config.json"


def keys(tree: object, prefix: str = "") -> set[str]:
    if isinstance(tree, dict):
        return {name for key, value in tree.items() for name in keys(value, f"{prefix}.{key}")}
    if isinstance(tree, list) and tree and isinstance(tree[0], dict):
        return keys(tree[0], f"{prefix}[0]")
    return {prefix}


def test_the_image_has_the_keys_of_the_public_sample():
    sample = json.loads((SAMPLES / "config_2.0.T3_two_node_deepseek_r1_w8a8.json").read_text())
    image = json.loads(IMAGE_CONFIG.read_text())
    assert keys(image) == keys(sample)
    assert (image["ServerConfig"]["httpsEnabled"], image["BackendConfig"]["interNodeTLSEnabled"]) == (True, True)
    assert image["BackendConfig"]["ScheduleConfig"]["maxIterTimes"] == 512


@pytest.fixture
def place(tmp_path):
    """A config that is fine, as a tree, and a way to have it judged."""

    class Place:
        tree = json.loads((SAMPLES / "config_2.0.RC1_single_node.json").read_text())
        server, backend = tree["ServerConfig"], tree["BackendConfig"]
        deploy, schedule = backend["ModelDeployConfig"], backend["ScheduleConfig"]
        model = deploy["ModelConfig"][0]
        env: dict[str, str] = {}

        def judge(self) -> config.ServiceConfig:
            path = tmp_path / "config.json"
            path.write_text(json.dumps(self.tree))
            path.chmod(0o640)
            return config.load(path, self.env)

        def finding(self) -> str:
            with pytest.raises(StartFailure) as caught:
                self.judge()
            assert caught.value.printed
            assert caught.value.lines[1:] == ("[ConfigManager] Checking Config Failed",)
            return caught.value.lines[0]

    made = Place()
    weights = tmp_path / "weights"
    weights.mkdir()
    made.weights_config = weights / "config.json"
    made.weights_config.write_text('{"torch_dtype": "bfloat16", "vocab_size": 129280}')
    made.weights_config.chmod(0o640)
    made.model["modelWeightPath"] = str(weights)
    return made


def test_public_single_node_sample_is_accepted(place):
    judged = place.judge()
    assert (judged.business, judged.management, judged.metrics) == (("127.0.0.1", 1025), ("127.0.0.2", 1026), ("127.0.0.2", 1027))
    assert (judged.model_name, judged.device_ids, judged.max_new_tokens) == ("deepseek-r1", (0, 1, 2, 3), 512)


def test_environment_overrides_the_addresses(place):
    place.env = {"MIES_CONTAINER_IP": "192.0.2.11", "MIES_CONTAINER_MANAGEMENT_IP": "192.0.2.12"}
    assert (place.judge().business[0], place.judge().management[0]) == ("192.0.2.11", "192.0.2.12")


def test_management_address_falls_back_to_the_business_address(place):
    del place.server["managementIpAddress"]
    assert place.judge().management == ("127.0.0.1", 1026)


@pytest.mark.parametrize(
    ("section", "name", "value", "finding"),
    [
        ("server", "port", 80, "port [80] is out of bound [1024]"),
        ("server", "port", 70000, "port [70000] is out of bound [65535]"),
        ("server", "port", "1025", "[ParamChecker::CheckJsonParamType] port: the type must be int"),
        ("server", "port", True, "[ParamChecker::CheckJsonParamType] port: the type must be int"),
        ("server", "maxLinkNum", 4097, "maxLinkNum [4097] is out of bound [4096]"),
        ("server", "ipAddress", "localhost", "ipAddress [localhost] is not a valid IP address."),
        ("server", "ipAddress", "0.0.0.0", "ipAddress [0.0.0.0] is not allowed unless allowAllZeroIpListening is true."),
        ("server", "inferMode", "fast", "inferMode [fast] is not one of [standard, dmi]"),
        ("server", "e2eTimeout", 0, "e2eTimeout [0] is out of bound [1]"),
        ("backend", "tokenizerProcessNumber", 33, "tokenizerProcessNumber [33] is out of bound [32]"),
        ("backend", "npuDeviceIds", [[0, 1]], "The size of npuDeviceIds [0, 1] must be equal to worldSize [4]."),
        ("backend", "npuDeviceIds", [[0, 1, 2, 2]], "npuDeviceIds [0, 1, 2, 2] must not repeat a device."),
        ("backend", "npuDeviceIds", [], "The size of npuDeviceIds must be equal to modelInstanceNumber."),
        ("model", "modelName", "-x", "modelName [-x] must match [a-zA-Z0-9_.-]{1,256} and begin and end with a letter or digit."),
        ("model", "modelWeightPath", "weights", "modelWeightPath [weights] must be an absolute path."),
        ("model", "npuMemSize", 0, "npuMemSize [0] is out of bound [1]"),
        ("schedule", "maxPrefillBatchSize", 201, "scheduleParam.maxPrefillBatchSize [201] is out of bound [200]"),
        ("schedule", "maxPrefillTokens", 2047, "The value of maxPrefillTokens should not be less than maxInputTokenLen."),
        ("schedule", "maxIterTimes", 2561, "scheduleParam.maxIterTimes [2561] is out of bound [2560]"),
        ("schedule", "cacheBlockSize", 100, "scheduleParam.cacheBlockSize [100] must be a multiple of 16"),
    ],
)
def test_each_broken_rule_is_named(place, section, name, value, finding):
    getattr(place, section)[name] = value
    assert place.finding() == finding


@pytest.mark.parametrize(
    ("section", "name"),
    [("server", "port"), ("backend", "backendName"), ("deploy", "maxSeqLen"), ("model", "worldSize"), ("tree", "BackendConfig")],
)
def test_a_compulsory_key_is_missed(place, section, name):
    del getattr(place, section)[name]
    assert place.finding() == f"[ParamChecker::CheckJsonParamType] {name}: missing compulsory field"


def test_preemption_needs_cpu_memory(place):
    place.schedule["maxPreemptCount"] = 1
    place.model["cpuMemSize"] = 0
    assert place.finding() == "cpuMemSize must be greater than 0 when maxPreemptCount is greater than 0."


def test_mix_lifts_the_prefill_rule(place):
    place.schedule.update(templateType="Mix", maxPrefillTokens=100)
    place.judge()


def test_tls_without_certificates(place):
    place.server["httpsEnabled"] = True
    assert place.finding().startswith("tlsCert: the file ")


def test_multi_node_rules(place):
    place.backend.update(multiNodesInferEnabled=True, interNodeTLSEnabled=False, npuDeviceIds=[[0]])
    assert place.judge().device_ids == ()  # the rank table's are used
    place.backend["interNodeTLSEnabled"] = True
    assert place.finding().startswith("interNodeTlsCert: the file ")
    place.backend["multiNodesInferPort"] = 1025
    assert place.finding() == "Endpoint port cannot be equal to multiNodesInferPort."


def test_weights_config_needs_its_keys_unless_the_model_is_a_mock(place):
    place.weights_config.write_text('{"torch_dtype": "bfloat16"}')
    assert place.finding() == "[ParamChecker::CheckJsonParamType] vocab_size: missing compulsory field"
    place.weights_config.unlink()
    place.model["modelInstanceType"] = "StandardMock"
    place.judge()


# -- rank table ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def table():
    return json.loads(TWO_NODES.read_text())


def read(tmp_path: Path, content: object, mode: int = 0o640) -> tuple[ranktable.RankTable, list[str]]:
    path = tmp_path / "hccl.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    path.chmod(mode)
    said: list[str] = []
    return ranktable.read({"RANKTABLEFILE": str(path)}, said.append), said


def finding(tmp_path: Path, content: object, mode: int = 0o640) -> tuple[str, ...]:
    with pytest.raises(StartFailure) as caught:
        read(tmp_path, content, mode)
    return caught.value.lines


def test_public_two_node_table(tmp_path, table):
    made, said = read(tmp_path, table)
    assert said == ["Start to parse ranktable file", "Finished parsing ranktable file."]
    assert [len(server.devices) for server in made.servers] == [8, 8]
    assert made.master == made.servers[0]
    second = made.servers[1]
    assert made.local({"MIES_CONTAINER_IP": second.container_ip}, said.append) == second
    assert made.local({"HOST_IP": second.server_id}, said.append) == second
    assert made.local({"MIES_CONTAINER_IP": "192.0.2.99"}, said.append) is None
    assert ranktable.hccl_problem(made) is None


def change(table: dict, name: str, value: object, server: int = 1, device: int | None = None) -> dict:
    made = copy.deepcopy(table)
    target = made["server_list"][server]
    (target if device is None else target["device"][device])[name] = value
    return made


def test_file_findings(tmp_path, table):
    assert finding(tmp_path, "{}", 0o644)[-1] == "Ranktable file path is invalid."
    assert finding(tmp_path, "")[-1] == "Ranktable file path is invalid."
    assert finding(tmp_path, '{"server_count": "2", ...}') == ("Ranktable file is invalid. Please check json format! ",)
    assert finding(tmp_path, "[]") == ("Failed to parse the json data of ranktable file data.",)


def test_content_findings(tmp_path, table):
    assert finding(tmp_path, {**table, "server_count": "1"}) == ("Parameter server_count must be in range [2, 60], but got 1",)
    assert finding(tmp_path, {**table, "server_count": "two"}) == ("Invalid server_count in ranktable file",)
    assert finding(tmp_path, {**table, "server_count": "3"}) == (
        "Parameter server_count is 3, which is not equal to server_list length in ranktable file, which is 2",
    )
    assert finding(tmp_path, change(table, "container_ip", "")) == ("The containerIp in the server node is empty in ranktable file.",)
    seven = change(table, "device", table["server_list"][1]["device"][:7])
    assert finding(tmp_path, seven) == ("The number of devices in every server node is 7 which not equal in ranktable file, which is 8",)
    assert finding(tmp_path, change(table, "device_id", "64", device=0)) == ("Parameter device_id is 64, which is out of allow range [0, 63].",)
    assert finding(tmp_path, change(table, "device_id", "x", device=0)) == ("Parameter device_id is invalid in ranktable file.",)
    assert finding(tmp_path, change(table, "device_ip", "-.-.-.-", device=0)) == (
        "Input device_ip [-.-.-.-] is invalid",
        "Parameter device_ip is invalid in ranktable file.",
    )
    assert finding(tmp_path, change(table, "rank_id", "512", device=0)) == ("Parameter rankId in ranktable is 512, which is out of allow range [0, 511].",)
    assert finding(tmp_path, change(table, "rank_id", "", device=0)) == ("Parameter rankId is invalid in ranktable file.",)


def test_hccl_finds_what_mindie_does_not(tmp_path, table):
    first = table["server_list"][0]

    def reason(content: dict) -> str:
        problem = ranktable.hccl_problem(read(tmp_path, content)[0])
        assert problem is not None and problem.startswith("EI0004: The ranktable or rank is invalid,Reason:[")
        return problem.split("[", 1)[1].split("]. Please")[0]

    assert reason(change(table, "server_id", first["server_id"])) == "The serverId is used repeatedly."
    assert reason(change(table, "device_ip", first["device"][0]["device_ip"], device=0)) == "The IP is used repeatedly."
    assert reason(change(table, "device_id", "1", device=0)) == "device id repeat for one server. Please check ranktable"
    assert reason(change(table, "rank_id", "0", device=0)) == "The 'rank_id' in the ranktable must start from 0 or it is used repeatedly"
    assert reason(change(table, "rank_id", 8, device=0)) == "json object property value of Name[rank_id] is not string"
