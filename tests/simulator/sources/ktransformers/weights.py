# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small DeepSeek-shaped weights in the two formats that are merged: real safetensors (W8A8) and real GGUF parts (Q4_K_M).

One dense layer, layers with experts, a shared expert, and an MTP layer without experts. The numbers are random, the same each time.
"""
from __future__ import annotations

import json
import pathlib
import random
import struct

HIDDEN = 256
EXPERTS = 4
MOE_LAYERS = (1, 2, 3)
MTP_LAYER = 4
ITEM_SIZE = {"I8": 1, "BF16": 2, "F32": 4, "I64": 8}
Q4_K, Q6_K, F32 = 12, 14, 0
BLOCK_BYTES = {Q4_K: 144, Q6_K: 210}  # for 256 numbers
U32, STRING, U16 = 4, 8, 2
ALIGNMENT = 32

Tensors = dict[str, tuple[str, list[int]]]


def dynamic(name: str, suffixes: bool = True) -> Tensors:
    """One linear layer of W8A8 with a scale for each row."""
    tensors: Tensors = {f"{name}.weight": ("I8", [HIDDEN, HIDDEN])}
    if suffixes:
        tensors.update({f"{name}.weight_scale": ("F32", [HIDDEN, 1]), f"{name}.weight_offset": ("F32", [HIDDEN, 1])})
    return tensors


def static(name: str) -> Tensors:
    """One linear layer of attention: quantised with fixed values, as msModelSlim exports it."""
    return {
        f"{name}.weight": ("I8", [HIDDEN, HIDDEN]), f"{name}.deq_scale": ("I64", [HIDDEN]), f"{name}.quant_bias": ("F32", [HIDDEN]),
        f"{name}.input_scale": ("BF16", [1]), f"{name}.input_offset": ("BF16", [1]),
    }


def norm(name: str) -> Tensors:
    return {f"{name}.weight": ("BF16", [HIDDEN]), f"{name}.bias": ("BF16", [HIDDEN])}


def layer(number: int) -> Tensors:
    prefix = f"model.layers.{number}"
    tensors = {**norm(f"{prefix}.input_layernorm"), **norm(f"{prefix}.post_attention_layernorm")}
    for name in ("q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "o_proj"):
        tensors.update(static(f"{prefix}.self_attn.{name}"))
    kinds = ("gate_proj", "up_proj", "down_proj")
    if number not in MOE_LAYERS:
        for kind in kinds:
            tensors.update(dynamic(f"{prefix}.mlp.{kind}"))
        return tensors
    tensors[f"{prefix}.mlp.gate.weight"] = ("F32", [EXPERTS, HIDDEN])
    tensors[f"{prefix}.mlp.gate.e_score_correction_bias"] = ("F32", [EXPERTS])
    for kind in kinds:
        tensors.update(dynamic(f"{prefix}.mlp.shared_experts.{kind}"))
        for expert in range(EXPERTS):
            tensors.update(dynamic(f"{prefix}.mlp.experts.{expert}.{kind}"))
    return tensors


def shards() -> list[Tensors]:
    first: Tensors = {"model.embed_tokens.weight": ("BF16", [256, HIDDEN]), **layer(0), **layer(1)}
    last: Tensors = {**layer(2), **layer(3), **norm("model.norm"), "lm_head.weight": ("BF16", [256, HIDDEN])}
    mtp = f"model.layers.{MTP_LAYER}"
    last.update({f"{mtp}.enorm.weight": ("BF16", [HIDDEN]), f"{mtp}.hnorm.weight": ("BF16", [HIDDEN])})
    return [first, last]


def safetensors(tensors: Tensors, noise: random.Random) -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, (dtype, shape) in tensors.items():
        size = ITEM_SIZE[dtype]
        for dimension in shape:
            size *= dimension
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + noise.randbytes(offset)


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def gguf(layers: tuple[int, ...], part: int, parts: int, noise: random.Random) -> bytes:
    """One part of a split model: header, key-values, the experts of some layers and one small tensor between them."""
    keys = [
        string("general.architecture") + struct.pack("<I", STRING) + string("deepseek2"),
        string("general.alignment") + struct.pack("<II", U32, ALIGNMENT),
        *(string(f"split.{name}") + struct.pack("<IH", U16, value) for name, value in (("no", part), ("count", parts))),
    ]
    infos, data = [], b""
    for number in layers:
        wanted = [(f"blk.{number}.ffn_norm.weight", F32, [HIDDEN])]
        wanted += [(f"blk.{number}.ffn_{kind}_exps.weight", Q6_K if kind == "down" else Q4_K, [HIDDEN, HIDDEN, EXPERTS]) for kind in ("gate", "up", "down")]
        for name, kind, shape in wanted:
            data += bytes(-len(data) % ALIGNMENT)
            infos.append(string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, len(data)))
            numbers = 1
            for dimension in shape:
                numbers *= dimension
            data += noise.randbytes(numbers * 4 if kind == F32 else numbers // 256 * BLOCK_BYTES[kind])
    head = b"GGUF" + struct.pack("<IQQ", 3, len(infos), len(keys)) + b"".join(keys) + b"".join(infos)
    return head + bytes(-len(head) % ALIGNMENT) + data


def documents() -> dict[str, object]:
    """What lies beside the tensors of the W8A8 model."""
    config = {
        "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "quantize": "w8a8_dynamic", "mla_quantize": "w8a8", "torch_dtype": "bfloat16",
        "hidden_size": HIDDEN, "moe_intermediate_size": HIDDEN, "intermediate_size": HIDDEN, "num_hidden_layers": 1 + len(MOE_LAYERS),
        "first_k_dense_replace": 1, "n_routed_experts": EXPERTS, "n_shared_experts": 1, "num_experts_per_tok": 2,
        "num_nextn_predict_layers": 1, "vocab_size": 256,
    }
    return {
        "config.json": config,
        "generation_config.json": {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True, "temperature": 0.6, "top_p": 0.95},
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "model_max_length": 131072},
        "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {f"<0x{byte:02X}>": byte for byte in range(256)}, "merges": []}},
    }


def build(out: pathlib.Path) -> None:
    """DeepSeek-R1-W8A8 and DeepSeek-R1-Q4_K_M below out; DeepSeek-R1-other-Q4_K_M lacks a layer, as another model's would."""
    noise = random.Random(20250723)
    folder = out / "DeepSeek-R1-W8A8"
    folder.mkdir(parents=True, exist_ok=True)
    for number, tensors in enumerate(shards(), 1):
        (folder / f"quant_model_weight_w8a8_dynamic-{number:05d}-of-00002.safetensors").write_bytes(safetensors(tensors, noise))
    for name, document in documents().items():
        (folder / name).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    for name, parts in (("DeepSeek-R1-Q4_K_M", (MOE_LAYERS[:2], MOE_LAYERS[2:])), ("DeepSeek-R1-other-Q4_K_M", (MOE_LAYERS[:1], MOE_LAYERS[1:2]))):
        folder = out / name
        folder.mkdir(exist_ok=True)
        for number, layers in enumerate(parts):
            (folder / f"{name}-{number + 1:05d}-of-00002.gguf").write_bytes(gguf(layers, number, 2, noise))
