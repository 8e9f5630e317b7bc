# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real small inputs, made with the safetensors and gguf packages, and an independent merge of them with these packages to compare with."""

from __future__ import annotations

import json
import os
import re
import signal
import struct
import subprocess
import sys
import time

import gguf
import numpy
import pytest
import safetensors
import safetensors.numpy

from ansible_collections.npuops.ascend.plugins.module_utils import _copy_range
from ansible_collections.npuops.ascend.plugins.modules import merge_weights

HIDDEN, INNER, EXPERTS = 256, 512, 2
Q4_K, Q6_K, F32, F16, Q8_0, Q5_K, IQ4_XS, BF16 = 12, 14, 0, 1, 8, 13, 23, 30
RANDOM = numpy.random.default_rng(7)


def values(dtype, *shape):
    return numpy.frombuffer(RANDOM.bytes(int(numpy.prod(shape)) * numpy.dtype(dtype).itemsize), dtype).reshape(shape)


def model_tensors(form="w8a8", layers=(0, 1, 2), dense=1, mtp=""):
    """A DeepSeek in small: one dense layer, layers of experts, and on request an MTP layer with norms only or with experts."""
    tensors = {
        "lm_head.weight": values("float16", 32, HIDDEN), "model.embed_tokens.weight": values("float16", 32, HIDDEN),
        "model.norm.weight": values("float32", HIDDEN), "model.norm.bias": values("float32", HIDDEN),
    }
    scales = ("weight_scale", "weight_offset") if form == "w8a8" else ("weight_scale_inv",)

    def linear(name, rows, columns):
        tensors[f"{name}.weight"] = values("int8" if form == "w8a8" else "uint8", rows, columns)
        for scale in scales:
            tensors[f"{name}.{scale}"] = values("float32", rows, 1)

    for layer in (*layers, *([61] if mtp else [])):
        prefix = f"model.layers.{layer}"
        tensors[f"{prefix}.input_layernorm.weight"] = values("float32", HIDDEN)
        tensors[f"{prefix}.input_layernorm.bias"] = values("float32", HIDDEN)
        tensors[f"{prefix}.post_attention_layernorm.weight"] = values("float32", HIDDEN)
        if layer == 61:
            tensors[f"{prefix}.eh_proj.weight"] = values("float16", 2, HIDDEN)
        if layer == 61 and mtp == "norms":
            continue
        for name in ("q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"):
            linear(f"{prefix}.self_attn.{name}", 3, 5)
        if form == "w8a8":
            tensors[f"{prefix}.self_attn.q_a_proj.deq_scale"] = values("int64", 3)
            tensors[f"{prefix}.self_attn.q_a_proj.quant_bias"] = values("int32", 3)
            tensors[f"{prefix}.self_attn.q_a_proj.input_scale"] = values("float16", 1)
        if layer < dense:
            for name in ("gate_proj", "up_proj", "down_proj"):
                linear(f"{prefix}.mlp.{name}", 7, 3)
            continue
        tensors[f"{prefix}.mlp.gate.weight"] = values("float32", EXPERTS, HIDDEN)
        tensors[f"{prefix}.mlp.gate.e_score_correction_bias"] = values("float32", EXPERTS)
        for name in ("gate_proj", "up_proj", "down_proj"):
            linear(f"{prefix}.mlp.shared_experts.{name}", 7, 3)
            for expert in range(EXPERTS):
                rows, columns = (HIDDEN, INNER) if name == "down_proj" else (INNER, HIDDEN)
                linear(f"{prefix}.mlp.experts.{expert}.{name}", rows, columns)
    return tensors


def write_safetensors(folder, tensors, parts=2):
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted(tensors)
    for part in range(parts):
        chosen = {name: tensors[name] for name in names[part::parts]}
        safetensors.numpy.save_file(chosen, folder / f"quant_model_weight_w8a8_dynamic-{part + 1:05d}-of-{parts:05d}.safetensors", {"format": "pt"})
    return folder


CONFIG = {
    "model_type": "deepseek_v3", "hidden_size": HIDDEN, "moe_intermediate_size": INNER, "n_routed_experts": EXPERTS, "num_hidden_layers": 3,
    "num_nextn_predict_layers": 1, "torch_dtype": "bfloat16", "vocab_size": 32, "auto_map": {"AutoConfig": "configuration_deepseek.DeepseekV3Config"},
}
BESIDE = {
    "generation_config.json": b'{"do_sample": true}', "tokenizer.json": b'{"version": "1.0"}', "tokenizer_config.json": b"{}",
    "configuration_deepseek.py": b"class DeepseekV3Config: ...\n",
}


def write_runtime(folder, config=None):
    (folder / "config.json").write_text(json.dumps(CONFIG if config is None else config))
    for name, data in {**BESIDE, "README.md": b"no", "model.safetensors.note": b"no", "quant_model_description.json": b"{}"}.items():
        (folder / name).write_bytes(data)


def gguf_blob(kind, rows, columns):
    elements, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
    return numpy.frombuffer(RANDOM.bytes(EXPERTS * rows * columns * size // elements), numpy.uint8).reshape(EXPERTS, rows, columns * size // elements)


def gguf_tensors(layers=(1, 2), kinds=None):
    """Experts as a Q4_K_M quantisation has them, with a small tensor between, and others that nobody asks for."""
    tensors = [("token_embd.weight", F32, values("float32", 4, 8)), ("blk.0.attn_norm.weight", F32, values("float32", 9))]
    for layer in layers:
        for name in ("gate", "down", "up"):
            kind = (kinds or {}).get((layer, name), Q6_K if name == "down" else Q4_K)
            rows, columns = (HIDDEN, INNER) if name == "down" else (INNER, HIDDEN)
            tensors.append((f"blk.{layer}.ffn_{name}_exps.weight", kind, gguf_blob(kind, rows, columns)))
        tensors.append((f"blk.{layer}.exp_probs_b.bias", F32, values("float32", 5)))
    return tensors


def write_gguf(path, tensors, alignment=None, split=None, **sizes):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "deepseek2")
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_array("tokenizer.ggml.tokens", [f"token{number}" for number in range(300)])
    writer.add_array("tokenizer.ggml.scores", [0.5] * 300)
    for name, value in sizes.items():
        writer.add_uint32(f"deepseek2.{name}", value)
    if split:
        writer.add_uint16("split.no", split[0])
        writer.add_uint16("split.count", split[1])
        writer.add_int32("split.tensors.count", split[2])
    for name, kind, data in tensors:
        writer.add_tensor(name, data, raw_dtype=gguf.GGMLQuantizationType(kind))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


SIZES = {"block_count": 3, "embedding_length": HIDDEN, "expert_feed_forward_length": INNER, "expert_count": EXPERTS}


class Case:
    """Inputs in a folder, and the arguments that merge them."""

    def __init__(self, root, run_module):
        self.root, self.run_module = root, run_module
        self.safetensors, self.gguf, self.out = root / "w8a8", root / "q4", root / "merged"

    def make(self, form="w8a8", layers=(0, 1, 2), dense=1, mtp="", gguf_layers=(1, 2), kinds=None, alignment=None, split=True, config=None):
        write_safetensors(self.safetensors, model_tensors(form, layers, dense, mtp))
        write_runtime(self.safetensors, config)
        tensors = gguf_tensors(gguf_layers, kinds)
        if split:
            half = len(tensors) // 2
            for number, part in enumerate((tensors[:half], tensors[half:])):
                path = self.gguf / f"DeepSeek-Q4_K_M-0000{number + 1}-of-00002.gguf"
                write_gguf(path, part, alignment, (number, 2, len(tensors)), **SIZES)
        else:
            write_gguf(self.gguf / "DeepSeek-Q4_K_M.gguf", tensors, alignment, **SIZES)
        return self

    def merge(self, check=False, diff=False, **args):
        paths = {"safetensors_path": str(self.safetensors), "gguf_path": str(self.gguf), "output_path": str(self.out)}
        return self.run_module(merge_weights, {**paths, **args}, check=check, diff=diff)[0]

    def shards(self):
        return {path.name: path.read_bytes() for path in sorted(self.out.glob("*.safetensors"))}


@pytest.fixture
def case(tmp_path, run_module):
    return Case(tmp_path, run_module)


# The independent merge: the libraries read and write, and names are given by patterns written for these models alone.

PLAIN_NAMES = [
    (r"^lm_head\.", "output."), (r"^model\.embed_tokens\.", "token_embd."), (r"^model\.norm\.", "output_norm."), (r"^model\.layers\.(\d+)\.", r"blk.\1."),
    (r"\.input_layernorm\.", ".attn_norm."), (r"\.post_attention_layernorm\.", ".ffn_norm."), (r"\.self_attn\.q_a_proj\.", ".attn_q_a."),
    (r"\.self_attn\.q_b_proj\.", ".attn_q_b."), (r"\.self_attn\.kv_a_proj_with_mqa\.", ".attn_kv_a_mqa."), (r"\.self_attn\.kv_b_proj\.", ".attn_kv_b."),
    (r"\.self_attn\.o_proj\.", ".attn_output."), (r"\.mlp\.gate\.e_score_correction_bias$", ".exp_probs_b.bias"), (r"\.mlp\.gate\.", ".ffn_gate_inp."),
    (r"\.mlp\.shared_experts\.(gate|up|down)_proj\.", r".ffn_\1_shexp."), (r"\.mlp\.(gate|up|down)_proj\.", r".ffn_\1."),
]


def plain_name(key):
    for pattern, name in PLAIN_NAMES:
        key = re.sub(pattern, name, key)
    return key


def plain_merge(safetensors_folder, gguf_folder, form):
    """Return name and bytes of every shard, as the specification has them, with whole tensors in memory."""
    blobs = {}
    for path in gguf_folder.rglob("*.gguf"):
        for tensor in gguf.GGUFReader(path).tensors:
            blobs[tensor.name] = (int(tensor.tensor_type), tensor.data.tobytes())
    groups = {}
    for path in sorted(safetensors_folder.glob("*.safetensors")):
        with safetensors.safe_open(path, "numpy") as file:
            for key in file.keys():
                if form == "fp8" and "model.layers.61" in key:
                    continue
                layer = re.match(r"model\.layers\.(\d+)\.", key)
                group = groups.setdefault(int(layer[1]) if layer else -1, {})
                expert = re.match(r"model\.layers\.\d+\.mlp\.experts\.\d+\.(gate|up|down)_proj\.(.+)", key)
                if not expert:
                    group[plain_name(key)] = file.get_tensor(key)
                elif expert[2] == "weight":
                    name = f"blk.{layer[1]}.ffn_{expert[1]}_exps"
                    kind, data = blobs[f"{name}.weight"]
                    group[f"{name}.weight"] = numpy.frombuffer(data, numpy.uint8)
                    if kind:
                        group[f"{name}.ggml_type"] = numpy.array(kind, numpy.int64)
    return {
        f"model-{number:05d}-of-{len(groups) - 1:05d}.safetensors": safetensors.numpy.save(groups[layer]) for number, layer in enumerate(sorted(groups))
    }


VARIANTS = {
    "w8a8, split GGUF": {},
    "one GGUF": {"split": False},
    "MTP layer with norms only": {"mtp": "norms"},
    "MTP layer with experts in both": {"mtp": "experts", "gguf_layers": (1, 2, 61)},
    "other types, alignment 64": {
        "alignment": 64,
        "kinds": {(1, "gate"): F32, (1, "up"): BF16, (1, "down"): F16, (2, "gate"): Q8_0, (2, "up"): Q5_K, (2, "down"): IQ4_XS},
    },
    "fp8, MTP layer left out": {"form": "fp8", "mtp": "experts"},
    "a gap in the layers": {"layers": (0, 2, 10), "gguf_layers": (2, 10)},
    "more layers in the GGUF": {"gguf_layers": (1, 2, 61)},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_output_is_byte_for_byte_that_of_the_libraries(case, variant):
    options = VARIANTS[variant]
    form = options.get("form", "w8a8")
    result = case.make(**options).merge(format=form)
    assert result["changed"], result
    expected = plain_merge(case.safetensors, case.gguf, form)
    assert case.shards() == expected
    assert [(shard["name"], shard["size"], shard["action"]) for shard in result["shards"]] == [(name, len(data), "write") for name, data in expected.items()]
    assert result["total_bytes"] == result["written_bytes"] == sum(map(len, expected.values()))


def test_what_the_runtime_needs_beside_the_shards(case):
    result = case.make().merge()
    config = json.loads((case.out / "config.json").read_text())
    assert config == {**CONFIG, "quantize": "w8a8_dynamic"}
    assert {path.name: path.read_bytes() for path in case.out.iterdir() if path.name in BESIDE} == BESIDE
    assert sorted(path.name for path in case.out.iterdir() if path.suffix != ".safetensors") == sorted([".merge_weights.json", "config.json", *BESIDE])
    assert result["missing_files"] == [] and "warnings" not in result
    assert {path.stat().st_mode & 0o7777 for path in case.out.iterdir() if not path.name.startswith(".")} == {0o644}


def test_config_json_stays_as_it_is_where_it_is_right(case):
    case.make("fp8")
    case.merge(format="fp8")
    assert (case.out / "config.json").read_bytes() == (case.safetensors / "config.json").read_bytes()


def test_missing_runtime_files_are_named_and_do_not_stop_the_merge(case):
    case.make()
    for name in ("config.json", "tokenizer.json"):
        (case.safetensors / name).unlink()
    result = case.merge()
    assert result["changed"] and result["missing_files"] == ["config.json", "tokenizer.json"]
    assert "kTransformers needs config.json, tokenizer.json beside the shards" in result["warnings"][0]


def test_f32_experts_are_merged_as_in_the_script_with_a_warning(case):
    result = case.make(kinds={(1, "up"): F32}).merge()
    assert "blk.1.ffn_up_exps.weight is F32" in result["warnings"][0]
    with safetensors.safe_open(case.out / "model-00002-of-00003.safetensors", "numpy") as file:
        assert "blk.1.ffn_up_exps.ggml_type" not in file.keys() and "blk.1.ffn_down_exps.ggml_type" in file.keys()


# Twice, and after an interruption


def test_the_second_run_changes_nothing(case):
    case.make().merge()
    before = {path: path.stat().st_mtime_ns for path in case.out.iterdir()}
    result = case.merge(diff=True)
    assert not result["changed"] and result["written_bytes"] == 0
    assert {shard["action"] for shard in result["shards"]} == {"keep"} and {file["action"] for file in result["files"]} == {"keep"}
    assert result["diff"]["before"] == result["diff"]["after"]
    assert {path: path.stat().st_mtime_ns for path in case.out.iterdir()} == before
    assert not case.merge(check=True)["changed"]


def test_check_mode_lists_what_would_be_written_and_writes_nothing(case):
    result = case.make().merge(check=True, diff=True)
    assert result["changed"] and not case.out.exists()
    assert [shard["name"] for shard in result["shards"]] == [f"model-{number:05d}-of-00003.safetensors" for number in range(4)]
    assert {shard["action"] for shard in result["shards"]} == {"write"}
    assert result["diff"]["before"] == "" and "model-00003-of-00003.safetensors" in result["diff"]["after"]
    sizes = [shard["size"] for shard in result["shards"]]
    assert case.merge()["changed"]
    assert [len(data) for data in case.shards().values()] == sizes


@pytest.mark.parametrize("damage", ["removed", "truncated", "changed", "header"])
def test_only_a_damaged_shard_is_written_again(case, damage):
    case.make().merge()
    expected = case.shards()
    shard = case.out / "model-00002-of-00003.safetensors"
    if damage == "removed":
        shard.unlink()
    elif damage == "truncated":
        os.truncate(shard, 1000)
    else:
        with open(shard, "r+b") as file:
            file.seek(-1 if damage == "changed" else 20, os.SEEK_END if damage == "changed" else os.SEEK_SET)
            file.write(b"#")
    result = case.merge()
    assert [item["action"] for item in result["shards"]] == ["keep", "keep", "write", "keep"]
    assert case.shards() == expected


def test_shards_whose_input_has_changed_are_written_again(case):
    case.make(split=False).merge()
    write_safetensors(case.safetensors, model_tensors())
    result = case.merge()
    assert {item["action"] for item in result["shards"]} == {"write"}
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def test_a_runtime_file_that_differs_is_written_again(case):
    case.make().merge()
    (case.safetensors / "tokenizer.json").write_bytes(b'{"version": "1.1"}')
    result = case.merge()
    assert [file["name"] for file in result["files"] if file["action"] == "write"] == ["tokenizer.json"] and result["written_bytes"] == 0
    assert (case.out / "tokenizer.json").read_bytes() == b'{"version": "1.1"}'


def test_permissions_are_kept_right(case):
    case.make().merge()
    os.chmod(case.out / "model-00001-of-00003.safetensors", 0o600)
    assert case.merge(check=True)["changed"]
    assert case.merge()["changed"]
    assert (case.out / "model-00001-of-00003.safetensors").stat().st_mode & 0o777 == 0o644
    assert case.merge(mode="0640")["changed"] and not case.merge(mode="0640")["changed"]


SLOW = """
import os, sys, time
from ansible_collections.npuops.ascend.plugins.module_utils import _copy_range
from ansible_collections.npuops.ascend.plugins.modules import merge_weights
copy = _copy_range.RangeCopier.copy
def slow(self, *arguments):
    time.sleep(0.02)
    copy(self, *arguments)
_copy_range.RangeCopier.copy = slow
merge_weights.PROGRESS_SECONDS = 0.0
merge_weights.main()
"""


def start_slowly(case):
    arguments = {"safetensors_path": str(case.safetensors), "gguf_path": str(case.gguf), "output_path": str(case.out)}
    process = subprocess.Popen([sys.executable, "-c", SLOW], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdin.write(json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    process.stdin.close()
    return process


def wait_for(condition, process):
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None and time.monotonic() < deadline, process.stdout.read()
        time.sleep(0.01)


def test_a_killed_merge_continues_after_its_finished_shards(case):
    case.make()
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    process = start_slowly(case)
    try:
        wait_for((case.out / "model-00001-of-00003.safetensors").exists, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    finished = case.shards()
    assert 2 <= len(finished) < 4 and all(data == expected[name] for name, data in finished.items())
    assert any(path.name.endswith(".merge_weights.part") for path in case.out.iterdir())
    times = {name: (case.out / name).stat().st_mtime_ns for name in finished}
    result = case.merge()
    assert [item["action"] for item in result["shards"]] == ["keep" if name in finished else "write" for name in expected]
    assert {name: (case.out / name).stat().st_mtime_ns for name in finished} == times
    assert case.shards() == expected
    assert not any(path.name.endswith(".part") or "progress" in path.name for path in case.out.iterdir())


def test_progress_can_be_followed_and_a_second_merge_waits(case):
    case.make()
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    process = start_slowly(case)
    try:
        progress = case.out / ".merge_weights.progress.json"
        wait_for(progress.exists, process)
        wait_for(lambda: json.loads(progress.read_text())["done_bytes"] > 0, process)
        state = json.loads(progress.read_text())
        assert state["total_bytes"] == case.merge(check=True)["total_bytes"] and state["shards_total"] == 4
        assert "has not ended within 0 s" in case.merge(timeout=0)["msg"]
        assert not case.merge()["changed"]
        assert case.shards() == expected
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# Bad input: one clear error, nothing written


def refused(case, *texts, **args):
    """Fail unless the merge is refused, in both modes, with all these texts and without a file written."""
    before = sorted(case.root.rglob("*"))
    for check in (True, False):
        result = case.merge(check=check, **args)
        assert result.get("failed"), result
        for text in texts:
            assert text in result["msg"]
        assert sorted(case.root.rglob("*")) == before
    return result["msg"]


def test_swapped_folders_are_recognised(case):
    case.make()
    refused(case, "are swapped", "Exchange them", safetensors_path=str(case.gguf), gguf_path=str(case.safetensors))


@pytest.mark.parametrize("option", ["safetensors_path", "gguf_path"])
def test_one_folder_given_twice(case, option):
    case.make()
    other = str(case.gguf if option == "safetensors_path" else case.safetensors)
    refused(case, f"{option} {other} holds", "expected *.", **{option: other})


@pytest.mark.parametrize("option", ["safetensors_path", "gguf_path"])
def test_folders_that_are_absent_or_empty(case, option):
    case.make()
    refused(case, f"{option} {case.root}/none is nothing", **{option: f"{case.root}/none"})
    (case.root / "empty").mkdir()
    refused(case, f"{option} {case.root}/empty holds no weights", **{option: f"{case.root}/empty"})
    refused(case, f"{option} w8a8 is no absolute path", **{option: "w8a8"})


def test_the_path_of_a_gguf_file_stands_for_its_folder(case):
    case.make()
    assert case.merge(gguf_path=str(next(case.gguf.glob("*.gguf"))))["changed"]
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def test_files_in_folders_below(case):
    """As a download of a whole repository lays them; a folder that is a link is not followed."""
    case.make()
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    for folder, pattern in ((case.gguf, "*.gguf"), (case.safetensors, "*.safetensors")):
        paths, below = list(folder.glob(pattern)), folder / "below" / "deeper"
        below.mkdir(parents=True)
        for path in paths:
            path.rename(below / path.name)
    other = case.root / "other"
    write_gguf(other / "again.gguf", gguf_tensors(), **SIZES)
    (case.gguf / "linked").symlink_to(other)
    assert case.merge()["changed"]
    assert case.shards() == expected


@pytest.mark.parametrize("form", ["W8A8", "int8", ""])
def test_a_format_that_is_none(case, form):
    case.make()
    refused(case, f"value of format must be one of: w8a8, fp8, got: {form}", format=form)


def test_safetensors_below_the_gguf_folder(case):
    case.make()
    safetensors.numpy.save_file({"a": numpy.zeros(1)}, case.gguf / "stray.safetensors")
    refused(case, "stray.safetensors", "GGUF files only")


@pytest.mark.parametrize("data", [b"", b"version https://git-lfs", safetensors.numpy.save({}), safetensors.numpy.save({"a": numpy.zeros(9)})[:-1]])
def test_safetensors_below_the_gguf_folder_in_which_the_script_finds_nothing(case, data):
    case.make()
    (case.gguf / "stray.safetensors").write_bytes(data)
    assert case.merge()["changed"]
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


@pytest.mark.parametrize("cut", [4, 100, -1])
def test_truncated_safetensors(case, cut):
    case.make()
    path = case.safetensors / "quant_model_weight_w8a8_dynamic-00002-of-00002.safetensors"
    os.truncate(path, cut if cut > 0 else path.stat().st_size - 1)
    refused(case, str(path), "Download it again")


def test_safetensors_that_are_too_long(case):
    case.make()
    path = case.safetensors / "quant_model_weight_w8a8_dynamic-00002-of-00002.safetensors"
    path.write_bytes(path.read_bytes() + b"#")
    refused(case, f"{path} is too long")


@pytest.mark.parametrize("cut", [4, 100, -1])
def test_truncated_gguf(case, cut):
    case.make()
    path = case.gguf / "DeepSeek-Q4_K_M-00002-of-00002.gguf"
    os.truncate(path, cut if cut > 0 else path.stat().st_size - 64)
    refused(case, str(path), "Download it again")


def test_a_missing_part_of_the_safetensors(case):
    case.make()
    (case.safetensors / "quant_model_weight_w8a8_dynamic-00002-of-00002.safetensors").unlink()
    refused(case, "Weights are missing", "quant_model_weight_w8a8_dynamic-00002-of-00002.safetensors")


def test_a_part_of_numbers_as_deepseek_writes_them(case):
    case.make()
    first, second = sorted(case.safetensors.glob("*.safetensors"))
    first.rename(case.safetensors / "model-00001-of-000002.safetensors")
    second.unlink()
    refused(case, "Weights are missing", "model-00002-of-000002.safetensors")


FIRST = "quant_model_weight_w8a8_dynamic-00001-of-00002.safetensors"


def test_a_file_of_the_index_that_is_missing(case):
    case.make()
    (case.safetensors / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"lm_head.weight": FIRST, "a": "extra.safetensors"}}))
    refused(case, "extra.safetensors", "remove the index")


@pytest.mark.parametrize("text, warning", [
    (json.dumps({"weight_map": {"a": "model-00001-of-00163.safetensors"}}), "it belongs to other weights"),
    (json.dumps({"weight_map": {"lm_head.weight": FIRST, "model.norm.weight": "extra.safetensors"}}), "Their tensors are in other files"),
    ("{", "is damaged"),
])
def test_an_index_that_proves_nothing_is_a_warning(case, text, warning):
    case.make()
    (case.safetensors / "model.safetensors.index.json").write_text(text)
    assert warning in case.merge()["warnings"][0]
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def test_a_missing_split_part(case):
    case.make()
    (case.gguf / "DeepSeek-Q4_K_M-00001-of-00002.gguf").unlink()
    refused(case, "DeepSeek-Q4_K_M-00001-of-00002.gguf", "Download")


def test_a_missing_split_part_by_what_the_others_say(case):
    case.make()
    (case.gguf / "DeepSeek-Q4_K_M-00001-of-00002.gguf").unlink()
    (case.gguf / "DeepSeek-Q4_K_M-00002-of-00002.gguf").rename(case.gguf / "second.gguf")
    refused(case, "2 parts lacks part 1", "second.gguf")


def test_two_quantisations_in_one_folder(case):
    case.make()
    write_gguf(case.gguf / "Q6_K" / "DeepSeek-Q6_K.gguf", gguf_tensors(), **SIZES)
    refused(case, "two quantisations", "Q6_K/DeepSeek-Q6_K.gguf")


def test_two_models_in_the_safetensors_folder(case):
    case.make()
    safetensors.numpy.save_file({"lm_head.weight": numpy.zeros((2, 2), "float32")}, case.safetensors / "model.safetensors")
    refused(case, "lm_head.weight", "two models or quantisations")


def test_a_tensor_that_is_there_twice_is_taken_from_the_later_file(case):
    case.make()
    later = numpy.full((32, HIDDEN), 3, "float16")
    safetensors.numpy.save_file({"lm_head.weight": later}, case.safetensors / "zz.safetensors")
    assert "lm_head.weight more than once" in case.merge()["warnings"][0]
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def test_all_missing_experts_are_listed(case):
    case.make(gguf_layers=(2,))
    refused(case, "lack 3 tensors", "blk.1.ffn_down_exps.weight, blk.1.ffn_gate_exps.weight, blk.1.ffn_up_exps.weight")


def test_an_mtp_layer_that_the_gguf_leaves_out(case):
    case.make(mtp="experts")
    refused(case, "lack 3 tensors", "blk.61.ffn_down_exps.weight", "MTP layer")


def test_w8a8_weights_with_the_format_fp8(case):
    case.make()
    refused(case, "blk.1.ffn_down_exps.weight_offset", "set format to w8a8", format="fp8")


def test_fp8_weights_with_the_format_w8a8(case):
    """The script takes them, but no runtime must take the result for W8A8."""
    case.make("fp8")
    warning, = case.merge()["warnings"]
    assert "weight_scale_inv" in warning and "Set format to fp8" in warning
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")
    assert (case.out / "config.json").read_bytes() == (case.safetensors / "config.json").read_bytes()


def test_a_newer_version_of_gguf(case):
    case.make(split=False)
    path = case.gguf / "DeepSeek-Q4_K_M.gguf"
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    data = path.read_bytes()
    path.write_bytes(data[:4] + struct.pack("<I", 4) + data[8:])
    assert "has GGUF version 4 and is read as version 3" in case.merge()["warnings"][0]
    assert case.shards() == expected


@pytest.mark.parametrize("sizes", [{"block_count": 27}, {"embedding_length": 2048}, {"expert_count": 64}, {"expert_feed_forward_length": 1408}])
def test_gguf_metadata_of_another_model(case, sizes):
    case.make(split=False)
    write_gguf(case.gguf / "DeepSeek-Q4_K_M.gguf", gguf_tensors(), **{**SIZES, **sizes})
    refused(case, "different models", f"deepseek2.{next(iter(sizes))} {next(iter(sizes.values()))}")


def test_more_blocks_in_the_gguf_for_the_mtp_layer(case):
    case.make(split=False)
    write_gguf(case.gguf / "DeepSeek-Q4_K_M.gguf", gguf_tensors(), **{**SIZES, "block_count": 4})
    assert case.merge()["changed"]


def test_shapes_of_another_model(case):
    case.make(config={**CONFIG, "hidden_size": 7168})
    refused(case, "different models", "hidden_size 7168, but the shape of ffn_gate_exps 256")


def test_more_experts_than_in_the_gguf_without_config_json(case):
    case.make()
    (case.safetensors / "config.json").unlink()
    tensors = model_tensors()
    more = {name.replace(".experts.1.", ".experts.2."): data for name, data in tensors.items() if ".experts.1." in name}
    write_safetensors(case.safetensors, {**tensors, **more})
    refused(case, "different models", "experts in the safetensors files (layer 1) 3, but experts in the GGUF 2")


def test_experts_that_were_not_downloaded_are_not_missed(case):
    case.make()
    write_safetensors(case.safetensors, {name: data for name, data in model_tensors().items() if ".experts.1." not in name})
    assert "warnings" not in case.merge()
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def with_type(path, name, kind):
    """Give a tensor another type number."""
    data = path.read_bytes()
    place = data.index(name.encode()) + len(name) + 4 + 3 * 8
    path.write_bytes(data[:place] + struct.pack("<I", kind) + data[place + 4:])


def test_unknown_types_matter_where_they_are_needed(case):
    case.make(split=False, gguf_layers=(1, 2, 61))
    path = case.gguf / "DeepSeek-Q4_K_M.gguf"
    with_type(path, "blk.61.ffn_up_exps.weight", 39)
    assert case.merge(check=True)["changed"]
    with_type(path, "blk.2.ffn_up_exps.weight", 39)
    refused(case, "blk.2.ffn_up_exps.weight", "ggml type 39")


def test_config_json_of_other_weights(case):
    case.make(config={**CONFIG, "quantize": "w8a16"})
    refused(case, '"quantize": "w8a16"', "W8A8 weights")
    (case.safetensors / "config.json").write_text("{")
    refused(case, "config.json", "no JSON")


def test_only_one_group_of_tensors(case):
    case.make()
    write_safetensors(case.safetensors, {"lm_head.weight": values("int8", 3), "model.norm.weight": values("int8", 3)})
    refused(case, "belong to no layer")


def test_no_tensor_at_all(case):
    case.make()
    write_safetensors(case.safetensors, {})
    refused(case, "no tensor")


@pytest.mark.parametrize("name", ["other.safetensors", "model-00000-of-00005.safetensors", "model-00001-of-00003.safetensors", "below/x.safetensors"])
def test_an_output_folder_with_other_weights(case, name):
    case.make()
    (case.out / name).parent.mkdir(parents=True)
    (case.out / name).write_bytes(b"")
    refused(case, name, "other weights")


@pytest.mark.parametrize("noted", [
    "{", "[" * 100_000, "[]", "{}", '{"shards": {}}', '{"shards": {}, "inputs": 5}',
    '{"shards": {"%s": 5}, "inputs": {}}', '{"shards": {"%s": {"digest": "x"}}}',
])
def test_a_damaged_note_is_as_none(case, noted):
    case.make().merge()
    (case.out / ".merge_weights.json").write_text(noted.replace("%s", "model-00000-of-00003.safetensors"))
    refused(case, "model-00000-of-00003.safetensors", "other weights")


def test_an_output_folder_with_the_merge_of_other_inputs(case):
    case.make().merge()
    other = case.root / "other"
    write_safetensors(other, model_tensors())
    write_runtime(other)
    refused(case, "the merge of other inputs", str(case.safetensors), safetensors_path=str(other))
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


@pytest.mark.parametrize("output", ["w8a8/merged", "q4", "."])
def test_output_and_input_in_each_other(case, output):
    case.make()
    refused(case, "lie in each other", output_path=str(case.root / output))


def test_an_output_path_that_is_a_file(case):
    case.make()
    case.out.write_bytes(b"")
    refused(case, "is no folder")


def test_not_enough_space(case, monkeypatch):
    case.make()
    monkeypatch.setattr(merge_weights, "free_bytes", lambda path: 1_000_000)
    refused(case, "has 0.0 GB free, but the merge needs 0.0 GB")


def test_a_full_disk_keeps_what_is_finished(case, monkeypatch):
    case.make()
    copy, calls = _copy_range.RangeCopier.copy, []

    def full(self, *arguments):
        calls.append(arguments)
        if len(calls) > 20:
            raise OSError(28, "No space left on device")
        copy(self, *arguments)

    with monkeypatch.context() as patched:
        patched.setattr(_copy_range.RangeCopier, "copy", full)
        result = case.merge()
    assert "No space left on device" in result["msg"] and "Finished shards are kept" in result["msg"]
    assert 0 < len(case.shards()) < 4 and not any("progress" in path.name or "part" in path.name for path in case.out.iterdir())
    assert case.merge()["changed"]
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def test_an_input_that_changes_meanwhile(case, monkeypatch):
    case.make()
    copy = _copy_range.RangeCopier.copy

    def touch(self, *arguments):
        copy(self, *arguments)
        for path in case.safetensors.glob("*.safetensors"):
            os.utime(path)

    monkeypatch.setattr(_copy_range.RangeCopier, "copy", touch)
    assert "was changed while it was merged" in case.merge()["msg"]
    assert case.shards() == {}


# Ways to copy, and the layout for shared blocks


@pytest.mark.parametrize("ways", [("_sendfile", "_read_write"), ("_read_write",)])
def test_slower_ways_give_the_same_bytes(case, monkeypatch, ways):
    case.make()
    start = _copy_range.RangeCopier.__init__

    def limited(self, report):
        start(self, report)
        self.ways = [getattr(_copy_range, way) for way in ways]

    monkeypatch.setattr(_copy_range.RangeCopier, "__init__", limited)
    case.merge()
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


@pytest.mark.parametrize("answer", [OSError(18, "Invalid cross-device link"), 0])
def test_a_way_that_does_not_work_is_left(case, monkeypatch, answer):
    case.make()

    def broken(*arguments):
        if isinstance(answer, OSError):
            raise answer
        return answer

    monkeypatch.setattr(os, "copy_file_range", broken)
    case.merge()
    assert case.shards() == plain_merge(case.safetensors, case.gguf, "w8a8")


def tensors_of(data):
    return {name: (tensor.dtype, tensor.shape, tensor.tobytes()) for name, tensor in safetensors.numpy.load(data).items()}


def test_the_layout_for_shared_blocks_has_the_same_tensors(case):
    case.make()
    result = case.merge(layout="reflink")
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    assert {name: tensors_of(data) for name, data in case.shards().items()} == {name: tensors_of(data) for name, data in expected.items()}
    for name in ("model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors"):
        assert len(case.shards()[name]) > len(expected[name])
    # Blocks are shared, or a warning says that this file system cannot.
    assert result["shared_bytes"] > 500_000 or "cannot share blocks" in result["warnings"][0]
    assert not case.merge(layout="reflink")["changed"]
    assert case.merge()["changed"] and case.shards() == expected


def test_blocks_are_shared_where_source_and_target_lie_alike(case, monkeypatch):
    # The size of down is no multiple of the block, so what follows it lies otherwise than what comes before.
    case.make(split=False)
    shared = []

    def clone(self, source, target, offset, target_offset, length):
        assert offset % 4096 == target_offset % 4096 == length % 4096 == 0
        os.pwrite(target, os.pread(source, length, offset), target_offset)
        self.report(length)
        shared.append(length)
        return True

    monkeypatch.setattr(_copy_range.RangeCopier, "clone", clone)
    result = case.merge(layout="reflink")
    # One block is the trial. Gate, down and up follow each other in the file and are all but their ends shared.
    assert result["shared_bytes"] == sum(shared) - 4096
    # Gate and up have 36 blocks each, down 52.5; the two ends of each may lie beside one.
    assert result["shared_bytes"] >= 2 * (35 + 51 + 35) * 4096
    expected = plain_merge(case.safetensors, case.gguf, "w8a8")
    assert {name: tensors_of(data) for name, data in case.shards().items()} == {name: tensors_of(data) for name, data in expected.items()}
