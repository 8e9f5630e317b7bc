# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input gives one clear error that names host, variable or file, and the service goes on as before."""

from __future__ import annotations

import platform
import re

import pytest

FOLDER = "/opt/packages/ktransformers"
MACHINE = platform.machine()
OTHER = "aarch64" if MACHINE == "x86_64" else "x86_64"

# Case: playbook, variables, words of the message.
REFUSED = {
    "licence": ("cann", {"cann_accept_eula": False}, ["cann_accept_eula is not true", "licence"]),
    "architecture": (
        "cann", {"cann_toolkit_package": f"{FOLDER}/Ascend-cann-toolkit_8.1.RC1_linux-{OTHER}.run"},
        ["cann_toolkit_package names", f"linux-{OTHER}", f"npu01 is {MACHINE}"],
    ),
    "product": (
        "cann", {"cann_kernels_package": f"{FOLDER}/Ascend-cann-kernels-310p_8.1.RC1_linux-{MACHINE}.run"},
        ["cann_kernels_package names", "310p", "910b"],
    ),
    "wheel for another Python": (
        "torch_npu",
        {"torch_npu_method": "wheel", "torch_npu_remote_src": True,
         "torch_npu_wheel": f"{FOLDER}/wheels/torch_npu-2.3.1.post6-cp310-cp310-manylinux_2_17_{MACHINE}.manylinux2014_{MACHINE}.whl"},
        ["is for Python tag cp310", "npu01 has Python 3.11"],
    ),
    "weights of different models": ("weights", {"weights_merge_gguf_path": f"{FOLDER}/weights/DeepSeek-R1-other-Q4_K_M"}, ["blk.3.ffn_down_exps.weight"]),
    "swapped weights": (
        "weights",
        {"weights_merge_gguf_path": f"{FOLDER}/weights/DeepSeek-R1-W8A8", "weights_merge_safetensors_path": f"{FOLDER}/weights/DeepSeek-R1-Q4_K_M"},
        ["swapped"],
    ),
    "memory": ("ktransformers", {"ktransformers_memory_reserve_gb": 100000}, ["npu01 has", "expected at least 100", "ktransformers_memory_reserve_gb"]),
    "cores": ("ktransformers", {"ktransformers_cpu_infer": 5000}, ["ktransformers_cpu_infer: found 5000", "the cores of npu01"]),
    "NUMA nodes": ("ktransformers", {"ktransformers_numa_nodes": "0,77"}, ['ktransformers_numa_nodes is "0,77"', "npu01 has the nodes 0"]),
    "source": (
        "ktransformers", {"ktransformers_source": "/nowhere/ktransformers.tar.gz", "ktransformers_remote_src": True},
        ["ktransformers_source names /nowhere/ktransformers.tar.gz", "on npu01"],
    ),
    "missing submodules": (
        "ktransformers", {"ktransformers_source": f"{FOLDER}/ktransformers-support-npu.tar.gz", "ktransformers_remote_src": True},
        ["Missing submodules of", "third_party/llama.cpp, third_party/PhotonLibOS", "third_party/pybind11", "Nothing was changed",
         "give ktransformers_submodules_archive"],
    ),
    "wrong archive of submodules": (
        "ktransformers",
        {"ktransformers_submodules_archive": f"{FOLDER}/op-plugin-7.0.0.tar.gz", "ktransformers_remote_src": True},
        ["third_party/llama.cpp", "op-plugin-7.0.0.tar.gz does not have them"],
    ),
    "conda for another machine": (
        "python_env", {"python_env_installer": f"{FOLDER}/Miniforge3-25.3.1-0-Linux-{OTHER}.sh"},
        [f"Miniforge3-25.3.1-0-Linux-{OTHER}.sh. Expected: the installer of Miniforge or Miniconda for {MACHINE}"],
    ),
    "conda by URL without its checksum": (
        "python_env", {"python_env_installer": f"https://mirror.example/Miniforge3-Linux-{MACHINE}.sh"}, ["together with python_env_installer_checksum"],
    ),
    "Python for a venv": (
        "python_env", {"python_env_method": "venv", "python_env_prefix": "/opt/npuops/venv", "python_env_base_python": "/usr/bin/python3"},
        ["python_env_base_python is /usr/bin/python3, which is no Python 3.11 with ensurepip on npu01"],
    ),
    "driver for another machine": (
        "hdk", {"hdk_driver_package": f"{FOLDER}/Ascend-hdk-910b-npu-driver_25.0.rc1.1_linux-{OTHER.replace('_', '-')}.run"},
        ["hdk_driver_package", OTHER.replace("_", "-"), "npu01"],
    ),
    "branch of torch_npu": ("torch_npu", {"torch_npu_ref": "9.9.9"}, ["gives no 9.9.9 (torch_npu_ref) to npu01: there is no branch or tag of that name"]),
    "server of torch_npu": (
        "torch_npu", {"torch_npu_source": "http://127.0.0.1:9/op-plugin.git"},
        ["gives no 7.0.0 (torch_npu_ref) to npu01", "127.0.0.1", "torch_npu_git_mirrors"],
    ),
    "overlay": (
        "ktransformers",
        {"ktransformers_checksums": {"for_arm/sgemm.cpp": "0" * 64}},
        ["for_arm/sgemm.cpp", "does not match third_party/llamafile/sgemm.cpp"],
    ),
    "rules": ("ktransformers", {"ktransformers_rules": "DeepSeek-V9.yaml"}, ["ktransformers_rules is DeepSeek-V9.yaml", "DeepSeek-V3-Chat-800IA2-npu.yaml"]),
    "benchmark without numbers of tokens": ("benchmark", {}, ["http://10.89.9.11:10002 gives no usage", "Set benchmark_tokenizer_path"]),
    "graph sink": ("ktransformers", {"ktransformers_profile": "v0.4.1"}, ["ktransformers_graph_sink: found True with ktransformers_profile v0.4.1"]),
}


def message(output: str) -> str:
    """The error as it is printed, without the echo of its parameters."""
    assert "Traceback" not in output
    return "\n".join(line for line in output.splitlines() if "FAILED! =>" not in line and not line.startswith("failed: ["))


# What is written without anybody having changed anything.
ORDINARY = (
    *("/proc", "/sys", "/dev", "/run", "/tmp", "/root", "/var/tmp", "/var/log", "/var/cache", "/var/lib/systemd", "/var/lib/npusim"),
    # A folder of this machine, which the hosts cannot write and other scenarios put packages into.
    "/opt/packages",
)


@pytest.mark.parametrize(("playbook", "variables", "words"), REFUSED.values(), ids=REFUSED)
def test_refused_before_anything_is_changed(run, playbook, variables, words):
    run.on_host("touch /run/before")
    code, output = run.play(playbook, variables)
    assert code != 0, output
    prune = " -o ".join(f"-path {path}" for path in ORDINARY)
    # Git writes its own notes when it is asked what is there.
    assert run.on_host(rf"find / \( {prune} -o -name '*.pyc' -o -name .git \) -prune -o -type f -newer /run/before -print") == ""
    assert not re.search(r"changed=[1-9]", output), output
    for word in words:
        assert word in message(output), word


def test_port_that_somebody_else_has(run):
    run.on_host("systemd-run --quiet --unit=squatter python3 -m http.server 10009; sleep 1")
    try:
        code, output = run.play("ktransformers", {"ktransformers_port": 10009})
    finally:
        run.on_host("systemctl stop squatter")
    assert code != 0
    assert "Port 10009 of npu01 is taken by" in message(output)
    assert not re.search(r"changed=[1-9]", output), output


def test_submodule_that_no_server_gives(run):
    """Only the fetch tells: what was cloned lies in a directory of its own, and what serves is not touched."""
    mirror = {f"url./opt/packages/ktransformers/{place}/.insteadOf": f"https://github.com/{name}"
              for place, name in (("github/cen121212", "cen121212/"), ("github/nowhere", "pybind/"), ("github", ""))}
    code, output = run.play("ktransformers", {"ktransformers_ref": "support-npu", "ktransformers_git_config": {**mirror, "protocol.file.allow": "always"}})
    assert code != 0
    assert "Missing submodules of" in message(output)
    assert "third_party/pybind11" in message(output)
    assert "ktransformers_submodules_archive" in message(output)
    assert run.on_host("systemctl is-active ktransformers.service").strip() == "active"
    assert run.changes("ktransformers") == 0


def test_build_that_fails_says_why_in_a_few_lines(run):
    code, output = run.play("ktransformers", {"ktransformers_cmake_args": "-DCMAKE_CXX_COMPILER=g++-99"})
    assert code != 0
    text = message(output)
    assert "kTransformers was not built on npu01" in text
    assert "CMake Error at CMakeLists.txt:12" in text
    assert "CMAKE_CXX_COMPILER: g++-99" in text
    assert text.count("Performing Test") == 0
    assert int(run.on_host("wc -l < /opt/npuops/ktransformers/guide-*/build.log")) > 2000
    # What is installed still serves, and the next good run repairs the build.
    assert run.on_host("systemctl is-active ktransformers.service").strip() == "active"
    assert run.changes("ktransformers") > 0
    assert run.changes("ktransformers") == 0


def test_torch_npu_build_that_fails_says_why_in_a_few_lines(run):
    code, output = run.play("torch_npu", {"torch_npu_pytorch_ref": "v2.4.0-7.0.0"})
    assert code != 0
    text = message(output)
    assert "torch_npu was not built on npu01" in text
    assert "AddKernel.cpp:42:18: error: 'aclnnAdd' was not declared in this scope" in text
    assert text.count("Built target") == 0
    assert "The whole log: /var/lib/npuops/torch_npu/build-" in text
    # Its script is written anew; the wheel of the other branch is there and is installed still.
    assert run.changes("torch_npu") == 1
    assert run.changes("torch_npu") == 0
