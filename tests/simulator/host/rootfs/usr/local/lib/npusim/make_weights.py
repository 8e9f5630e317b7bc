# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a directory of tiny weights in the layout of DeepSeek-V3/R1 W8A8 for MindIE: real safetensors, a few kilobytes each.

Usage: python3 make_weights.py DIRECTORY
"""
from __future__ import annotations

import json
import os
import pathlib
import struct
import sys

SHARDS = 4
HIDDEN = 32
ITEM_SIZE = {"I8": 1, "BF16": 2, "F32": 4}


def layer_tensors(layer: int) -> dict[str, tuple[str, list[int]]]:
    """The tensors of one dynamically quantised layer: int8 weights, each with scale and offset."""
    tensors: dict[str, tuple[str, list[int]]] = {f"model.layers.{layer}.input_layernorm.weight": ("BF16", [HIDDEN])}
    for name in ("self_attn.q_a_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"):
        tensors[f"model.layers.{layer}.{name}.weight"] = ("I8", [HIDDEN, HIDDEN])
        tensors[f"model.layers.{layer}.{name}.weight_scale"] = ("BF16", [HIDDEN, 1])
        tensors[f"model.layers.{layer}.{name}.weight_offset"] = ("BF16", [HIDDEN, 1])
    return tensors


def model_tensors() -> list[dict[str, tuple[str, list[int]]]]:
    """The tensors of each shard: one layer a shard, embedding in the first, head in the last."""
    shards = [layer_tensors(layer) for layer in range(SHARDS)]
    shards[0]["model.embed_tokens.weight"] = ("BF16", [256, HIDDEN])
    shards[-1]["model.norm.weight"] = ("BF16", [HIDDEN])
    shards[-1]["lm_head.weight"] = ("BF16", [256, HIDDEN])
    return shards


def safetensors(tensors: dict[str, tuple[str, list[int]]]) -> bytes:
    """The safetensors format: header length (8 bytes, little endian), JSON header, data."""
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
    return struct.pack("<Q", len(text)) + text + bytes(offset)


def files() -> dict[str, bytes]:
    """Name and content of each file of the directory."""
    shards = model_tensors()
    names = [f"model-{number:05d}-of-{SHARDS:05d}.safetensors" for number in range(1, SHARDS + 1)]
    content = {name: safetensors(tensors) for name, tensors in zip(names, shards)}
    total = sum(len(data) - 8 - struct.unpack("<Q", data[:8])[0] for data in content.values())
    weight_map = {tensor: name for name, tensors in zip(names, shards) for tensor in tensors}
    described: dict[str, str] = {"model_quant_type": "W8A8_DYNAMIC"}
    described.update((tensor, "W8A8_DYNAMIC" if "proj" in tensor else "FLOAT") for tensor in weight_map)
    documents: dict[str, object] = {
        "config.json": {
            "architectures": ["DeepseekV3ForCausalLM"],
            "model_type": "deepseekv2",
            "torch_dtype": "bfloat16",
            "quantize": "w8a8_dynamic",
            "vocab_size": 256,
            "hidden_size": HIDDEN,
            "intermediate_size": HIDDEN,
            "num_hidden_layers": SHARDS,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "max_position_embeddings": 163840,
            "bos_token_id": 0,
            "eos_token_id": 1,
        },
        "generation_config.json": {"bos_token_id": 0, "eos_token_id": 1, "do_sample": True, "temperature": 0.6, "top_p": 0.95},
        "model.safetensors.index.json": {"metadata": {"total_size": total}, "weight_map": weight_map},
        "quant_model_description_w8a8_dynamic.json": described,
        "tokenizer.json": {
            "version": "1.0",
            "model": {"type": "BPE", "vocab": {f"<0x{byte:02X}>": byte for byte in range(256)}, "merges": []},
        },
        "tokenizer_config.json": {"tokenizer_class": "LlamaTokenizerFast", "model_max_length": 131072},
    }
    content.update((name, (json.dumps(document, indent=2) + "\n").encode()) for name, document in documents.items())
    return content


def write(directory: pathlib.Path) -> None:
    """Directories 750 and files 640, as the MindIE daemon demands."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o750)
    for name, data in files().items():
        path = directory / name
        path.write_bytes(data)
        os.chmod(path, 0o640)


if __name__ == "__main__":
    write(pathlib.Path(sys.argv[1]))
