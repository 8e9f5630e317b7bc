# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host in the shape of openEuler with profile v0.4.1, and ways to a Python environment that no host takes at first."""

from __future__ import annotations

import json

testinfra_hosts = ["ssh://npu02"]

URL = "http://10.89.9.12:10002"
MIRROR = "http://127.0.0.1:8000"
PYTHON = "/opt/npuops/conda/envs/py311/bin/python"


def main_pid(host) -> str:
    return host.check_output("systemctl show --property=MainPID --value ktransformers.service")


def test_host_is_openeuler(host):
    assert host.file("/etc/os-release").contains('ID="openEuler"')
    assert not host.exists("apt-get")
    assert host.package("hwloc-devel").is_installed


def test_driver_and_cann_of_the_tutorial(host):
    board = host.check_output("npu-smi info -t board -i 0")
    assert "25.3.rc1" in board
    assert "7.8.0.2.212" in board
    # v0.4.1 captures graphs by itself: CANN's library stays.
    assert host.file("/usr/local/Ascend/ascend-toolkit/latest/lib64/libruntime.so").content_string == "simulated libruntime.so of CANN 8.3.RC1\n"


def test_service_answers(host):
    body = {"model": "DeepSeekV3ForCausalLM", "messages": [{"role": "user", "content": "Who are you?"}]}
    answer = host.check_output("curl --silent --max-time 20 -H 'Content-Type: application/json' -d %s %s", json.dumps(body), f"{URL}/v1/chat/completions")
    assert json.loads(answer)["choices"][0]["message"]["content"] == "[simulated kTransformers] You asked: Who are you?"


def test_server_runs_as_the_tutorial_says(host):
    arguments = host.file(f"/proc/{main_pid(host)}/cmdline").content_string.split("\0")
    given = dict(zip(arguments, arguments[1:]))
    assert given["--backend_type"] == "balance_serve"
    assert given["--cache_lens"] == "20480"
    assert given["--max_new_tokens"] == "1024"
    assert given["--optimize_config_path"].endswith("/optimize_rules/npu/DeepSeek-V3-Chat-300IA2-npu-serve.yaml")
    assert "--use_cuda_graph" in arguments


def test_memory_is_bound_to_the_numa_nodes(host):
    assert "bind:0 " in host.file(f"/proc/{main_pid(host)}/numa_maps").content_string


def test_versions(host):
    code = "import importlib.metadata as m; print(*(m.version(n) for n in ('torch', 'torch-npu', 'transformers', 'numpy', 'sqlalchemy', 'ktransformers')))"
    assert host.check_output(f'{PYTHON} -c "{code}"') == "2.5.1 2.5.1.post4 4.57.1 1.26.4 2.0.44 0.4.1"


def test_extension_for_balance_serve_was_built(host):
    assert host.run(f"{PYTHON} -c 'import sched_ext'").rc == 0


def test_edits_stand_for_the_overlay_that_is_not_there(host):
    (tree,) = host.check_output("ls -d /opt/npuops/ktransformers/v0.4.1-*").split()
    file = "third_party/llamafile/iqk_mul_mat_arm82.cpp"
    assert not host.file(f"{tree}/source/for_arm").exists
    assert host.check_output(f"grep --count '^#define iqk_mul_mat' {tree}/source/{file}") == "2"
    assert host.check_output(f"grep --count '^// #define iqk_mul_mat' {tree}/build/{file}") == "2"
    assert " 0 ARM defines left" in host.file(f"{tree}/build.log").content_string


def test_pins_of_the_source_follow_the_tutorial(host):
    (tree,) = host.check_output("ls -d /opt/npuops/ktransformers/v0.4.1-*").split()
    for name in ("requirements-local_chat.txt", "ktransformers/server/requirements.txt"):
        assert "transformers == 4.57.1" in host.file(f"{tree}/build/{name}").content_string
        assert "transformers == 4.51.3" in host.file(f"{tree}/source/{name}").content_string


def test_everything_came_from_the_server(host):
    asked = host.check_output("journalctl --unit=mirror --output=cat")
    for path in ("/Miniforge3-", "/conda/noarch/repodata.json", "/simple/torch/", "/wheels/transformers-4.57.1", "/git/pytorch.git/info/refs"):
        assert f'"GET {path}' in asked, path
    assert f"index-url = {MIRROR}/simple" in host.file("/opt/npuops/conda/envs/py311/pip.conf").content_string


def test_configuration_of_somebody_else_is_kept(host):
    assert host.file("/root/.ktransformers/config.yaml").content_string == "server:\n  port: 12345  # edited by hand\n"


def test_venv_instead_of_conda(run, host):
    variables = {"python_env_method": "venv", "python_env_prefix": "/opt/npuops/venv", "python_env_base_python": PYTHON}
    assert run.changes("python_env", variables, host="npu02") > 0
    assert run.changes("python_env", variables, host="npu02") == 0
    python = "/opt/npuops/venv/envs/py311/bin/python"
    assert host.check_output(f"{python} -c 'import sys, transformers; print(sys.prefix, transformers.__version__)'") == "/opt/npuops/venv/envs/py311 4.57.1"
    assert not host.file("/opt/npuops/venv/bin/conda").exists
