# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server and local_chat of the simulated kTransformers share: the checks of a start, and visibly simulated answers."""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import shutil
import struct
import time

PACKAGE = pathlib.Path(__file__).resolve().parent
USER_CONFIG = pathlib.Path("~/.ktransformers/config.yaml")
EXPERT = re.compile(r"blk\.(\d+)\.ffn_(gate|up|down)_exps\.weight$")


def check_npu() -> None:
    """As the real one: without CANN's environment the import fails quietly, and something unrelated fails later."""
    try:
        import torch_npu
        available = torch_npu.npu.is_available()
    except Exception:
        available = False
    if not available:
        raise ModuleNotFoundError("No module named 'KTransformersOps'")


def check_processes(tensor_parallel: int) -> None:
    """torchrun, or whoever starts the process, says how many there are."""
    rank, local = os.environ["RANK"], os.environ.get("LOCAL_WORLD_SIZE")
    world = int(local)  # as the real one: TypeError when it is not set
    if world not in (1, 2) or tensor_parallel != world:
        raise AssertionError(f"rank {rank}: tp {tensor_parallel} and {world} processes must be equal, 1 or 2")


def read_config() -> dict[str, str]:
    """The user's configuration, made from the package's at first start; later edits of the package's are not seen."""
    path = USER_CONFIG.expanduser()
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PACKAGE / "configs/config.yaml", path)
    values, section = {}, ""
    for line in path.read_text(encoding="utf-8").splitlines():
        name, _colon, value = line.partition(":")
        if line and not line[0].isspace():
            section = name
        elif value.strip():
            values[f"{section}.{name.strip()}"] = value.strip().strip('"')
    return values


def read_header(path: pathlib.Path) -> dict[str, dict[str, object]]:
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    end = 8 + length + max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
    if path.stat().st_size != end:
        raise ValueError(f"{path}: {path.stat().st_size} bytes, its header promises {end}")
    return header


def load(model_path: str, gguf_path: str, rules: str) -> int:
    """Check what the real loader needs; the number of layers with experts."""
    model, gguf = pathlib.Path(model_path), pathlib.Path(gguf_path)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    if config.get("quantize") != "w8a8_dynamic":
        raise KeyError(f"{model / 'config.json'}: quantize is {config.get('quantize')!r}; the loader of W8A8 is not chosen")
    for name in ("tokenizer_config.json", "generation_config.json"):
        (model / name).read_text(encoding="utf-8")
    if "match:" not in pathlib.Path(rules).read_text(encoding="utf-8"):
        raise ValueError(f"{rules}: no rules")
    tensors = {}
    for shard in sorted(gguf.glob("*.safetensors")):
        print(f"loading {shard.name}", flush=True)
        tensors.update(read_header(shard))
    layers = {match.group(1) for match in map(EXPERT.match, tensors) if match}
    for layer in sorted(layers, key=int):
        for kind in ("gate", "up", "down"):
            for suffix in ("weight", "ggml_type"):
                if f"blk.{layer}.ffn_{kind}_exps.{suffix}" not in tensors:
                    raise KeyError(f"blk.{layer}.ffn_{kind}_exps.{suffix}")
    if not layers or "token_embd.weight" not in tensors:
        raise FileNotFoundError(f"{gguf}: no merged weights")
    return len(layers)


def check_graph(wanted: bool) -> None:
    """The guide's version captures graphs with a private plugin and a runtime library of its own; v0.4.1 needs neither."""
    if not wanted or not (PACKAGE / "local_chat_npu.py").exists():
        return
    plugin = os.environ.get("CAPTURE_PLUGIN_PATH", "")
    if not plugin or not (pathlib.Path(plugin) / "libgraph_capture.so").exists():
        raise RuntimeError("env CAPTURE_PLUGIN_PATH not exist")
    runtime = pathlib.Path(os.environ["ASCEND_HOME_PATH"]) / "lib64/libruntime.so"
    if runtime.read_bytes() != (pathlib.Path(plugin) / "libruntime.so").read_bytes():
        raise RuntimeError(f"{runtime} has no graph capture")


def start(options: argparse.Namespace) -> int:
    print("Simulated kTransformers: every answer is made up.", flush=True)
    check_processes(options.tp)
    check_npu()
    check_graph(options.use_cuda_graph)
    layers = load(options.model_path, options.gguf_path, options.optimize_config_path)
    time.sleep(1)
    return layers


def answer(prompt: str, limit: int) -> list[str]:
    """The words of an answer that nobody takes for a model's."""
    return f"[simulated kTransformers] You asked: {prompt}".split(" ")[:limit]
