# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import struct

import pytest

from ansible_collections.npuops.ascend.plugins.modules import weights_info

PREFIX = "quant_model_weight_w8a8_dynamic"
CONFIG = {"model_type": "deepseekv2", "torch_dtype": "bfloat16", "vocab_size": 129280, "quantize": "w8a8_dynamic"}
USER = str(os.getuid())


def shard(path, tensor, size=16):
    raw = json.dumps({tensor: {"dtype": "I8", "shape": [size], "data_offsets": [0, size]}}).encode()
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(size))
    path.chmod(0o640)


@pytest.fixture
def model(tmp_path):
    """A complete quantised model of three shards, as the published int8 weights are laid out."""
    directory = tmp_path / "DeepSeek-V3-w8a8"
    directory.mkdir(mode=0o750)
    weight_map = {}
    for number in (1, 2, 3):
        name = f"{PREFIX}-0000{number}-of-00003.safetensors"
        shard(directory / name, f"layer.{number}", number * 16)
        weight_map[f"layer.{number}"] = name
    texts = {
        "config.json": CONFIG,
        "quant_model_description_w8a8_dynamic.json": {"model_quant_type": "W8A8_DYNAMIC"},
        f"{PREFIX}.safetensors.index.json": {"metadata": {"total_size": 96}, "weight_map": weight_map},
        "tokenizer.json": {},
    }
    for name, content in texts.items():
        (directory / name).write_text(json.dumps(content))
        (directory / name).chmod(0o640)
    return directory


def look(run_module, path, **options):
    return run_module(weights_info, {"path": str(path), "user": USER, **options}, check=True)[0]


def problem_ids(result):
    return [problem["id"] for problem in result["problems"]]


def test_a_complete_model(run_module, model):
    result = look(run_module, model)
    assert result["exists"] and not result["changed"]
    assert (result["problems"], result["notes"], result["missing"], result["truncated"]) == ([], [], [], [])
    assert [item["name"] for item in result["files"]] == [f"{PREFIX}-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
    assert all(item["size"] == item["expected_size"] for item in result["files"])
    assert result["total_bytes"] == sum(path.stat().st_size for path in model.glob("*.safetensors"))
    assert (result["tensor_count"], result["model_type"], result["quantize"], result["torch_dtype"]) == (3, "deepseekv2", "w8a8_dynamic", "bfloat16")
    assert result["index_files"] == [f"{PREFIX}.safetensors.index.json"]


@pytest.mark.parametrize("kind, found", [("absent", "nothing"), ("file", "a file")])
def test_no_directory_is_a_result(run_module, tmp_path, kind, found):
    path = tmp_path / "weights"
    if kind == "file":
        path.write_text("")
    result = look(run_module, path)
    assert not result.get("failed") and result["exists"] is False
    assert result["problems"] == [
        {"id": "no-directory", "path": str(path), "observed": found, "expected": "a directory with the weights",
         "remedy": "Put the weights there, or correct the path."}
    ]
    assert result["files"] == [] and result["total_bytes"] == 0


def test_a_broken_download(run_module, model):
    first, second, third = (model / f"{PREFIX}-0000{number}-of-00003.safetensors" for number in (1, 2, 3))
    size = first.stat().st_size
    os.truncate(first, size - 1)
    os.truncate(second, 5)
    third.unlink()
    result = look(run_module, model)
    assert result["missing"] == [third.name]
    assert result["truncated"] == [first.name, second.name]
    assert problem_ids(result) == ["files-missing", "file-truncated", "file-truncated"]
    assert result["files"] == [
        {"name": first.name, "size": size - 1, "expected_size": size},
        {"name": second.name, "size": 5, "expected_size": None},
    ]


def test_a_link_into_the_cache_of_the_hub(run_module, model, tmp_path):
    name = f"{PREFIX}-00001-of-00003.safetensors"
    (model / name).rename(tmp_path / "blob")
    (model / name).symlink_to(tmp_path / "blob")
    result = look(run_module, model)
    assert problem_ids(result) == ["symlink"]
    assert result["problems"][0]["observed"] == f"a symbolic link to {tmp_path / 'blob'}"


def test_modes_that_the_engine_refuses(run_module, model):
    (model / "config.json").chmod(0o644)
    (model / f"{PREFIX}-00001-of-00003.safetensors").chmod(0o666)
    model.chmod(0o755)
    result = look(run_module, model)
    assert [(problem["id"], problem["observed"]) for problem in result["problems"]] == [("config-mode", "mode 0644"), ("other-writable", "mode 0666")]
    assert result["notes"] == [f"{model} has mode 0755; MindIE 3.0 and newer refuse more than 0750."]


def test_files_of_another_user(run_module, model):
    result = look(run_module, model, user="54321", group="54321")
    assert {"not-readable"} <= set(problem_ids(result)) <= {"not-readable", "not-reachable"}
    paths = [problem["path"] for problem in result["problems"]]
    assert str(model) in paths and str(model / "config.json") in paths
    assert any(problem["expected"] == "readable by 54321 (uid 54321)" for problem in result["problems"])


@pytest.mark.parametrize("name, text, expected", [
    ("config.json", "{", "config-unreadable"),
    ("config.json", "{}", "config-key-missing"),
    (f"{PREFIX}.safetensors.index.json", "not JSON", "index-unreadable"),
])
def test_broken_json_is_a_problem(run_module, model, name, text, expected):
    (model / name).write_text(text)
    result = look(run_module, model)
    assert not result.get("failed") and expected in problem_ids(result)


def test_bytes_that_are_no_text(run_module, model):
    (model / "config.json").write_bytes(b"\xff\xfe{}")
    assert problem_ids(look(run_module, model)) == ["config-unreadable"]


def test_a_model_without_config(run_module, model):
    (model / "config.json").unlink()
    result = look(run_module, model)
    assert problem_ids(result) == ["config-missing"] and result["model_type"] is None


def test_a_pre_sharded_model(run_module, model):
    for path in list(model.glob("*.safetensors*")):
        path.unlink()
    (model / "model_sharded_metadata.json").write_text("{}")
    (model / "model_sharded_metadata.json").chmod(0o640)
    for name in ("model-attn-tp-000", "model-moe-tp-000-ep-000"):
        (model / name).mkdir(mode=0o750)
    shard(model / "model-attn-tp-000" / "model.safetensors", "a")
    shard(model / "model-moe-tp-000-ep-000" / "model-00002-of-00002.safetensors", "b")
    result = look(run_module, model)
    assert [item["name"] for item in result["files"]] == ["model-attn-tp-000/model.safetensors", "model-moe-tp-000-ep-000/model-00002-of-00002.safetensors"]
    assert result["missing"] == ["model-moe-tp-000-ep-000/model-00001-of-00002.safetensors"]


@pytest.mark.parametrize("options, message", [
    ({"user": "no-such-user"}, "The user no-such-user does not exist on this host."),
    ({"group": "no-such-group"}, "The group no-such-group does not exist on this host."),
    ({"path": "weights"}, "weights is no absolute path."),
])
def test_options_that_name_nothing(run_module, tmp_path, options, message):
    result, commands = run_module(weights_info, {"path": str(tmp_path), "user": USER, **options})
    assert result["failed"] and result["msg"].startswith(message)


@pytest.mark.parametrize("changes, options, ids", [
    # As made: by msmodelslim for MindIE.
    ({}, {"engine": "mindie", "chip": "910B3"}, []),
    ({}, {"engine": "vllm"}, ["engine-layout", "engine-model-type"]),
    ({"quantization_config": {"quant_method": "fp8"}}, {"chip": "910B3"}, ["chip-type"]),
    ({}, {"chip": "310P3"}, ["chip-type"]),
    ({"torch_dtype": "float16"}, {"chip": "310P3"}, []),
])
def test_weights_that_do_not_fit_engine_or_chip(run_module, model, changes, options, ids):
    (model / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    assert problem_ids(look(run_module, model, **options)) == ids


def test_weights_in_the_layout_of_vllm(run_module, model):
    (model / "quant_model_description_w8a8_dynamic.json").rename(model / "quant_model_description.json")
    (model / "config.json").write_text(json.dumps({**CONFIG, "model_type": "deepseek_v3"}))
    assert problem_ids(look(run_module, model, engine="vllm")) == []
    (problem,) = look(run_module, model, engine="mindie")["problems"]
    assert problem["id"] == "engine-layout" and "made for vLLM" in problem["remedy"]
