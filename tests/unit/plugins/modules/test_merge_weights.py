# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real small inputs, made with the safetensors and gguf packages, and an independent merge of them with these packages to compare with."""

from __future__ import annotations

import json
import os
import pathlib
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
