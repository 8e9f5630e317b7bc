# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merge of a synthetic model against a plain copy of its output on the same disk, and against a plain implementation with the safetensors library."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import typing as t

import gguf
import numpy
import safetensors
import safetensors.numpy

PROJECT = pathlib.Path(__file__).resolve().parents[2]
WORK = PROJECT / ".build" / "merge_weights"
MODULE = "ansible_collections.npuops.ascend.plugins.modules.merge_weights"
GIGABYTES = float(os.environ.get("MERGE_BENCHMARK_GB", "4"))
ROUNDS = 3
# One MoE layer in shape; experts by their number make up the size.
HIDDEN, INNER, LAYERS, TYPE = 7168, 2048, 3, gguf.GGMLQuantizationType.Q4_K
# What the plain implementation makes of the tensors that make() writes.
NAMES = {"norm": "output_norm.", "input_layernorm": "blk.{}.attn_norm.", "o_proj": "blk.{}.attn_output."}
TARGET_RATIO = 1.1
TARGET_BYTES = 64 * 1024 * 1024


def make(root: pathlib.Path, gigabytes: float) -> None:
    """Write a model of LAYERS layers: random GGUF blocks of experts, and safetensors with 5 % of that size beside tiny experts."""
    elements, size = gguf.GGML_QUANT_SIZES[TYPE]
    row = HIDDEN * size // elements
    experts = max(1, round(gigabytes * 1e9 * 0.95 / (LAYERS * 3 * INNER * row)))
    random = numpy.random.default_rng(1)
    (root / "q4").mkdir(parents=True)
    writer = gguf.GGUFWriter(root / "q4" / "model.gguf", "deepseek2")
    names = [f"blk.{layer}.ffn_{name}_exps.weight" for layer in range(LAYERS) for name in ("down", "gate", "up")]
    for name in names:
        writer.add_tensor_info(name, (experts, INNER, row), numpy.dtype(numpy.uint8), experts * INNER * row, TYPE)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for _name in names:
        writer.write_padding(writer.fout[0], writer.fout[0].tell())
        for _expert in range(experts):
            writer.fout[0].write(random.bytes(INNER * row))
    writer.close()
    (root / "w8a8").mkdir()
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}"
        tensors = {f"{prefix}.input_layernorm.weight": numpy.ones(HIDDEN, "float32"), f"{prefix}.input_layernorm.bias": numpy.ones(HIDDEN, "float32")}
        if layer == 0:
            tensors["model.norm.weight"] = numpy.ones(HIDDEN, "float32")
        rest = int(gigabytes * 1e9 * 0.05 / LAYERS)
        tensors[f"{prefix}.self_attn.o_proj.weight"] = numpy.frombuffer(random.bytes(rest), "int8")
        for expert in range(experts):
            for name in ("gate", "up", "down"):
                tensors[f"{prefix}.mlp.experts.{expert}.{name}_proj.weight"] = numpy.zeros((1, 1), "int8")
                tensors[f"{prefix}.mlp.experts.{expert}.{name}_proj.weight_scale"] = numpy.zeros((1, 1), "float32")
        safetensors.numpy.save_file(tensors, root / "w8a8" / f"quant_model_weight_w8a8_dynamic-{layer + 1:05d}-of-{LAYERS:05d}.safetensors")
    os.sync()


def plain_merge(root: str) -> None:
    """Written for this benchmark: load the tensors of each shard with the libraries and save them, as the published script does."""
    source, target = pathlib.Path(root, "w8a8"), pathlib.Path(root, "merged")
    target.mkdir()
    blocks = {tensor.name: tensor for path in (source.parent / "q4").glob("*.gguf") for tensor in gguf.GGUFReader(path).tensors}
    groups: dict[int, dict[str, t.Any]] = {}
    with contextlib.ExitStack() as stack:
        for path in sorted(source.glob("*.safetensors")):
            file = stack.enter_context(safetensors.safe_open(path, "numpy"))
            for key in file.keys():
                parts = key.split(".")
                layer = int(parts[2]) if parts[1] == "layers" else -1
                if ".mlp.experts." not in key:
                    groups.setdefault(layer, {})[NAMES[parts[-2]].format(layer) + parts[-1]] = (file, key)
                elif key.endswith(".weight"):
                    groups.setdefault(layer, {})[f"blk.{layer}.ffn_{parts[-2].split('_')[0]}_exps.weight"] = None
        for number, layer in enumerate(sorted(groups)):
            tensors = {}
            for name, place in groups[layer].items():
                if place:
                    tensors[name] = place[0].get_tensor(place[1])
                else:
                    tensors[name] = numpy.ascontiguousarray(blocks[name].data).reshape(-1)
                    tensors[name.replace(".weight", ".ggml_type")] = numpy.array(int(blocks[name].tensor_type), "int64")
            safetensors.numpy.save_file(tensors, target / f"model-{number:05d}-of-{len(groups) - 1:05d}.safetensors")


def measured(argv: list[str], data: str = "") -> tuple[float, int]:
    """Return seconds and peak resident bytes of a command, which a small process of its own starts and watches."""
    os.sync()
    watcher = (
        "import json,resource,subprocess,sys,time; began=time.monotonic(); done=subprocess.run(sys.argv[1:],stdin=sys.stdin,stdout=sys.stderr);"
        "print(json.dumps([time.monotonic()-began,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss,done.returncode]))"
    )
    done = subprocess.run([sys.executable, "-c", watcher, *argv], cwd=PROJECT, input=data, capture_output=True, text=True, check=True)
    seconds, kilobytes, code = json.loads(done.stdout)
    if code:
        sys.exit(f"{' '.join(argv)} ended with {code}: {done.stderr[-2000:]}")
    return seconds, kilobytes * 1024


def merge(root: pathlib.Path) -> tuple[float, int]:
    arguments = {"safetensors_path": f"{root}/w8a8", "gguf_path": f"{root}/q4", "output_path": f"{root}/merged"}
    return measured([sys.executable, "-m", MODULE], json.dumps({"ANSIBLE_MODULE_ARGS": arguments}))


def copy(root: pathlib.Path, sync: bool) -> tuple[float, int]:
    command = f"cp -r {root}/checked {root}/copy" + (f" && sync --file-system {root}/copy" if sync else "")
    figures = measured(["sh", "-c", command])
    shutil.rmtree(root / "copy")
    return figures


def merge_again(root: pathlib.Path) -> tuple[float, int]:
    figures = merge(root)
    shutil.rmtree(root / "merged")
    return figures


def same_bytes(one: pathlib.Path, other: pathlib.Path) -> bool:
    names = sorted(path.name for path in one.glob("*.safetensors"))
    return bool(names) and all(subprocess.run(["cmp", "--silent", one / name, other / name], check=False).returncode == 0 for name in names)


def main() -> dict:
    needed = GIGABYTES * 1e9 * 5
    WORK.parent.mkdir(exist_ok=True)
    if shutil.disk_usage(WORK.parent).free < needed:
        sys.exit(f"The benchmark needs {needed / 1e9:.0f} GB in {WORK}. Free some, or set MERGE_BENCHMARK_GB to less than {GIGABYTES}.")
    shutil.rmtree(WORK, ignore_errors=True)
    try:
        half, whole = WORK / "half", WORK / "whole"
        make(half, GIGABYTES / 2)
        _seconds, half_memory = merge(half)
        shutil.rmtree(half)
        make(whole, GIGABYTES)
        merge(whole)
        (whole / "merged").rename(whole / "checked")
        ways = [lambda: merge_again(whole), lambda: copy(whole, sync=False), lambda: copy(whole, sync=True)]
        figures: list[list[tuple[float, int]]] = [[] for _way in ways]
        # In turns, each beginning once (a disk takes blocks that were used before faster), and the best of each: the least disturbed by others.
        for turn in range(ROUNDS):
            for place in range(len(ways)):
                number = (turn + place) % len(ways)
                figures[number].append(ways[number]())
        (merged, _memory), (plain_copy, _memory), (synced_copy, _memory) = map(min, figures)
        memory = max(peak for _seconds, peak in figures[0])
        plain_seconds, plain_memory = measured([sys.executable, __file__, "plain", str(whole)])
        total = sum(path.stat().st_size for path in (whole / "checked").iterdir())
        return {
            "bytes": total,
            "merge_seconds": round(merged, 2),
            "cp_and_sync_seconds": round(synced_copy, 2),
            "cp_seconds": round(plain_copy, 2),
            # The merge ends when its bytes are on the disk; cp alone ends when they are in memory.
            "ratio_to_cp_and_sync": round(merged / synced_copy, 2),
            "ratio_to_cp": round(merged / plain_copy, 2),
            "target_ratio": TARGET_RATIO,
            "peak_bytes": memory,
            "peak_bytes_of_half_the_input": half_memory,
            "target_bytes": TARGET_BYTES,
            "plain_implementation_seconds": round(plain_seconds, 2),
            "plain_implementation_peak_bytes": plain_memory,
            "same_bytes_as_plain_implementation": same_bytes(whole / "checked", whole / "merged"),
        }
    finally:
        shutil.rmtree(WORK, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["plain"]:
        plain_merge(sys.argv[2])
    else:
        print(json.dumps(main(), indent=4))
