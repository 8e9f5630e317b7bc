# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated sources of kTransformers: same bytes each time, the layout of the real repositories, real weight files."""

from __future__ import annotations

import json
import pathlib
import struct
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "simulator/sources/ktransformers"


def build(out: pathlib.Path) -> pathlib.Path:
    out.mkdir()
    subprocess.run([sys.executable, str(FOLDER / "build.py"), str(out)], check=True)
    return out


@pytest.fixture(scope="module", name="out")
def out_fixture(tmp_path_factory):
    return build(tmp_path_factory.mktemp("sources") / "out")


def clone(out: pathlib.Path, repository: str, ref: str, target: pathlib.Path) -> pathlib.Path:
    subprocess.run(["git", "clone", "--quiet", "--branch", ref, str(out / "github" / repository), str(target)], check=True, stderr=subprocess.DEVNULL)
    return target


def test_same_bytes_each_time(out, tmp_path):
    again = build(tmp_path / "again")
    for path in sorted(path for path in out.rglob("*.gz")) + sorted((out / "weights").rglob("*-of-*")):
        assert path.read_bytes() == (again / path.relative_to(out)).read_bytes(), path.name
    heads = [subprocess.check_output(["git", "ls-remote", str(folder / "github/kvcache-ai/ktransformers.git"), "HEAD"]).split()[0] for folder in (out, again)]
    assert heads[0] == heads[1]


def test_published_branch_has_no_overlay(out, tmp_path):
    tree = clone(out, "cen121212/ktransformers.git", "support-npu", tmp_path / "tree")
    assert not (tree / "for_arm").exists()
    assert not (tree / "ktransformers/util/npu_graph_so").exists()
    assert (tree / "ktransformers/optimize/optimize_rules/npu/DeepSeek-V3-Chat-800IA2-npu.yaml").exists()
    assert (tree / "ktransformers/local_chat_npu.py").exists()


def test_branch_with_overlay(out, tmp_path):
    tree = clone(out, "cen121212/ktransformers.git", "support-npu-overlay", tmp_path / "tree")
    overlay = sorted(path.name for path in (tree / "for_arm").iterdir())
    assert overlay == ["CMakeLists.txt", "iqk_mul_mat.inc", "setup.py", "sgemm.cpp", "tinyblas_cpu_sgemm.inc"]
    assert (tree / "ktransformers/util/npu_graph_so/arm/libruntime.so").exists()


def test_release(out, tmp_path):
    tree = clone(out, "kvcache-ai/ktransformers.git", "v0.4.1", tmp_path / "tree")
    text = (tree / "third_party/llamafile/iqk_mul_mat_arm82.cpp").read_text()
    assert [line for line in text.splitlines() if line.startswith("#define")] == [
        "#define iqk_mul_mat iqk_mul_mat_arm82", "#define iqk_mul_mat_moe iqk_mul_mat_moe_arm82",
    ]
    assert {path.name for path in (tree / "ktransformers/optimize/optimize_rules/npu").iterdir()} == {
        "DeepSeek-V3-Chat-300IA2-npu.yaml", "DeepSeek-V3-Chat-300IA2-npu-serve.yaml",
    }
    assert not (tree / "for_arm").exists()
    assert not (tree / "ktransformers/local_chat_npu.py").exists()
    modules = subprocess.check_output(["git", "-C", str(tree), "ls-tree", "HEAD", "third_party/"], text=True)
    assert sum(line.startswith("160000 commit") for line in modules.splitlines()) == 7


def test_weights_are_whole(out):
    for path in (out / "weights/DeepSeek-R1-W8A8").glob("*.safetensors"):
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
        assert max(ends) == len(data) - 8 - length
    for path in (out / "weights/DeepSeek-R1-Q4_K_M").glob("*.gguf"):
        assert path.read_bytes()[:8] == b"GGUF\x03\0\0\0"


def test_local_chat_takes_a_file_as_input_and_fails_on_prompt_file(out, tmp_path):
    tree = clone(out, "kvcache-ai/ktransformers.git", "v0.4.1", tmp_path / "tree")
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("5,3,hello world, you\n")
    code = ("import sys; from ktransformers import simulated, local_chat; simulated.start = lambda options: 1; "
            "sys.argv = ['local_chat', '--use_cuda_graph', 'True', *sys.argv[1:]]; local_chat.main()")

    def chat(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code, *arguments], input=text, cwd=tree, capture_output=True, text=True, check=False)

    good = chat(f"{prompts}\n")
    assert "eval rate:            6.00 tokens/s" in good.stdout
    assert good.returncode == 1 and "EOFError" in good.stderr
    assert "ValueError" in chat("\n", "--prompt_file", str(prompts)).stderr
