# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a model in the shape of the published W8A8 weights, with random data of the wanted size, and its SHA256SUMS.

Usage: python3 make_model.py FOLDER SHARDS SHARD_MIB
"""
from __future__ import annotations

import hashlib
import json
import os
import pathlib
import sys

PREFIX = "quant_model_weight_w8a8_dynamic"
CONFIG = {"architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "torch_dtype": "bfloat16", "vocab_size": 129280, "quantize": "w8a8_dynamic"}
MIB = 1024 * 1024


def shard(path: pathlib.Path, tensor: str, size: int) -> None:
    header = json.dumps({tensor: {"dtype": "I8", "shape": [size], "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for begin in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - begin)))


def make(folder: pathlib.Path, shards: int, shard_bytes: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    weight_map = {}
    for number in range(1, shards + 1):
        name = f"{PREFIX}-{number:05d}-of-{shards:05d}.safetensors"
        weight_map[f"model.layers.{number - 1}.weight"] = name
        shard(folder / name, f"model.layers.{number - 1}.weight", shard_bytes)
    texts = {
        "config.json": CONFIG,
        "generation_config.json": {"temperature": 0.6},
        "quant_model_description_w8a8_dynamic.json": {"model_quant_type": "W8A8_DYNAMIC", **dict.fromkeys(weight_map, "W8A8_DYNAMIC")},
        f"{PREFIX}.safetensors.index.json": {"metadata": {"total_size": shards * shard_bytes}, "weight_map": weight_map},
        "tokenizer.json": {"version": "1.0"},
        "tokenizer_config.json": {},
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(folder.iterdir()) if path.name != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text(sums, encoding="ascii")


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) * MIB)
