# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at the host itself, not at what the playbook said."""

from __future__ import annotations

import json

testinfra_hosts = ["ssh://npu01"]

URL = "http://10.89.9.11:10002"
MODEL = "/data/DeepSeek-R1-q4km-w8a8"
PYTHON = "/opt/npuops/conda/envs/py311/bin/python"
CANN_LIBRARY = "/usr/local/Ascend/ascend-toolkit/latest/lib64/libruntime.so"
KEPT_LIBRARY = "/var/lib/npuops/graph_sink/libruntime.so"


def post(host, path, body):
    return host.check_output("curl --silent --max-time 20 -H 'Content-Type: application/json' -d %s %s", json.dumps(body), URL + path)


def test_driver_of_the_guide_runs(host):
    board = host.check_output("npu-smi info -t board -i 0")
    assert "25.0.rc1.1" in board
    assert "7.7.0.1.231" in board


def test_stages_of_the_other_guide_are_left_out(host):
    assert not host.exists("dockerd")


def test_service_runs_as_a_user_of_its_own(host):
    service = host.service("ktransformers")
    assert service.is_running
    assert service.is_enabled
    main = host.check_output("systemctl show --property=MainPID --value ktransformers.service")
    assert host.check_output(f"stat --format=%U /proc/{main}") == "ktransformers"
    user = host.user("ktransformers")
    assert "HwHiAiUser" in user.groups
    assert user.shell == "/usr/sbin/nologin"
    assert user.home == "/var/lib/ktransformers"


def test_environment_is_the_guides(host):
    main = host.check_output("systemctl show --property=MainPID --value ktransformers.service")
    environment = dict(entry.split("=", 1) for entry in host.file(f"/proc/{main}/environ").content_string.split("\0") if "=" in entry)
    wanted = {"USE_MERGE": "0", "INF_NAN_MODE_FORCE_DISABLE": "1", "TASK_QUEUE_ENABLE": "0", "RANK": "0", "LOCAL_WORLD_SIZE": "1"}
    assert {name: environment[name] for name in wanted} == wanted
    assert environment["ASCEND_HOME_PATH"] == "/usr/local/Ascend/ascend-toolkit/latest"
    assert "/usr/local/Ascend/driver/lib64/driver" in environment["LD_LIBRARY_PATH"].split(":")


def test_port_is_open(host):
    assert host.socket("tcp://0.0.0.0:10002").is_listening


def test_models(host):
    assert [model["id"] for model in json.loads(host.check_output(f"curl --silent {URL}/v1/models"))["data"]] == ["DeepSeekV3ForCausalLM"]


def test_chat(host):
    answer = json.loads(post(host, "/v1/chat/completions", {"model": "DeepSeekV3ForCausalLM", "messages": [{"role": "user", "content": "Who are you?"}]}))
    assert answer["choices"][0]["message"]["content"] == "[simulated kTransformers] You asked: Who are you?"


def test_chat_as_a_stream(host):
    body = {"model": "DeepSeekV3ForCausalLM", "messages": [{"role": "user", "content": "Who are you?"}], "stream": True}
    events = [line for line in post(host, "/v1/chat/completions", body).splitlines() if line]
    assert events[-1] == "data: [DONE]"
    words = [json.loads(event.removeprefix("data: "))["choices"][0]["delta"]["content"] for event in events[:-1]]
    assert "".join(words) == "[simulated kTransformers] You asked: Who are you?"


def test_merged_weights(host):
    config = json.loads(host.file(f"{MODEL}/config.json").content_string)
    assert config["quantize"] == "w8a8_dynamic"
    shards = host.check_output(f"ls {MODEL}").split()
    assert [name for name in shards if name.endswith(".safetensors")] == [f"model-{number:05d}-of-00005.safetensors" for number in range(6)]
    assert host.file(f"{MODEL}/model-00005-of-00005.safetensors").mode == 0o644


def test_packages_are_those_of_the_lock(host):
    code = "import importlib.metadata as m; print(*(m.version(name) for name in ('transformers', 'numpy', 'sqlalchemy', 'ktransformers')))"
    assert host.check_output(f'{PYTHON} -c "{code}"') == "4.51.3 1.26.4 2.0.43 0.3.2"


def test_overlay_for_arm_was_built(host):
    (tree,) = host.check_output("ls -d /opt/npuops/ktransformers/guide-*").split()
    for name in ("csrc/ktransformers_ext/CMakeLists.txt", "third_party/llamafile/iqk_mul_mat.inc", "third_party/llamafile/sgemm.cpp", "setup.py"):
        assert "The variant for ARM." in host.file(f"{tree}/build/{name}").content_string, name
        assert "The variant for ARM." not in host.file(f"{tree}/source/{name}").content_string, name
    assert "Selected backend: npu" in host.file(f"{tree}/build.log").content_string


def test_configuration_of_the_service_has_the_values_for_the_npu(host):
    text = host.file("/var/lib/ktransformers/.ktransformers/config.yaml").content_string
    assert "  page_size: 128\n" in text
    assert "  chunk_size: 16384\n" in text


def test_configuration_of_somebody_else_is_kept(host):
    assert host.file("/root/.ktransformers/config.yaml").content_string == "server:\n  port: 12345  # edited by hand\n"


def test_library_was_swapped_and_kept(host):
    swapped, kept = host.file(CANN_LIBRARY), host.file(KEPT_LIBRARY)
    assert swapped.content_string.startswith("simulated libruntime.so with graph capture")
    assert "graph capture" not in kept.content_string
    assert (swapped.mode, swapped.user) == (kept.mode, kept.user)
