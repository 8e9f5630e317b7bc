# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import struct

import pytest

from ansible_collections.npuops.ascend.plugins.module_utils import _gguf, _safetensors
from ansible_collections.npuops.ascend.plugins.module_utils import _merge_weights as m

LAYER = "model.layers.3"


@pytest.mark.parametrize("key, name", [
    ("lm_head.weight", "output.weight"),
    ("model.embed_tokens.weight", "token_embd.weight"),
    ("model.norm.weight", "output_norm.weight"),
    ("model.norm.bias", "output_norm.bias"),
    (f"{LAYER}.input_layernorm.weight", "blk.3.attn_norm.weight"),
    (f"{LAYER}.mlp.down_proj.weight", "blk.3.ffn_down.weight"),
    (f"{LAYER}.mlp.gate_proj.weight_scale", "blk.3.ffn_gate.weight_scale"),
    (f"{LAYER}.mlp.up_proj.weight", "blk.3.ffn_up.weight"),
    (f"{LAYER}.post_attention_layernorm.bias", "blk.3.ffn_norm.bias"),
    (f"{LAYER}.self_attn.q_proj.weight", "blk.3.attn_q.weight"),
    (f"{LAYER}.self_attn.k_proj.weight", "blk.3.attn_k.weight"),
    (f"{LAYER}.self_attn.v_proj.bias", "blk.3.attn_v.bias"),
    (f"{LAYER}.self_attn.o_proj.deq_scale", "blk.3.attn_output.deq_scale"),
    (f"{LAYER}.self_attn.qkv_proj.weight", "blk.3.attn_qkv.weight"),
    (f"{LAYER}.self_attn.kv_a_proj_with_mqa.weight", "blk.3.attn_kv_a_mqa.weight"),
    (f"{LAYER}.self_attn.kv_a_layernorm.weight", "blk.3.attn_kv_a_norm.weight"),
    (f"{LAYER}.self_attn.kv_b_proj.weight", "blk.3.attn_kv_b.weight"),
    (f"{LAYER}.self_attn.q_a_proj.quant_bias", "blk.3.attn_q_a.quant_bias"),
    (f"{LAYER}.self_attn.q_a_layernorm.weight", "blk.3.attn_q_a_norm.weight"),
    (f"{LAYER}.self_attn.q_b_proj.weight", "blk.3.attn_q_b.weight"),
    (f"{LAYER}.self_attn.q_norm.weight", "blk.3.attn_q_norm.weight"),
    (f"{LAYER}.self_attn.k_norm.weight", "blk.3.attn_k_norm.weight"),
    (f"{LAYER}.mlp.shared_expert.down_proj.weight", "blk.3.ffn_down_shexp.weight"),
    (f"{LAYER}.mlp.shared_expert_gate.weight", "blk.3.ffn_gate_inp_shexp.weight"),
    (f"{LAYER}.attn.gate_up_proj.weight", "blk.3.attn.up_projweight"),
    (f"{LAYER}.mlp.shared_experts.down_proj.weight", "blk.3.ffn_down_shexp.weight"),
    (f"{LAYER}.mlp.gate.e_score_correction_bias", "blk.3.exp_probs_b.bias"),
    (f"{LAYER}.mlp.gate.weight", "blk.3.ffn_gate_inp.weight"),
    (f"{LAYER}.mlp.shared_experts.gate_proj.weight", "blk.3.ffn_gate_shexp.weight"),
    (f"{LAYER}.mlp.shared_experts.up_proj.weight", "blk.3.ffn_up_shexp.weight"),
    (f"{LAYER}.mlp.shared_experts_gate.weight", "blk.3.ffn_gate_inp_shexp.weight"),
    (f"{LAYER}.mlp.experts.other", "blk.3.other"),
    (f"{LAYER}.block_sparse_moe.gate.weight", "blk.3.ffn_gate_inp.weight"),
    (f"{LAYER}.block_sparse_moe.experts.other", "blk.3.other"),
    (f"{LAYER}.feed_forward.experts.other", "blk.3.other"),
    (f"{LAYER}.feed_forward.router.weight", "blk.3.ffn_gate_inp.weight"),
    (f"{LAYER}.feed_forward.shared_experts.down_proj.weight", "blk.3.ffn_down_shexp.weight"),
    (f"{LAYER}.feed_forward.shared_experts.gate_proj.weight", "blk.3.ffn_gate_shexp.weight"),
    (f"{LAYER}.feed_forward.shared_experts.up_proj.weight", "blk.3.ffn_up_shexp.weight"),
    (f"{LAYER}.mlp.experts.up_proj.weight", "blk.3.ffn_up_exps.weight"),
    (f"{LAYER}.mlp.experts.down_proj.weight", "blk.3.ffn_down_exps.weight"),
    (f"{LAYER}.mlp.experts.gate_proj.weight", "blk.3.ffn_gate_exps.weight"),
    (f"{LAYER}.feed_forward.router.e_score_correction_bias", "blk.3.exp_probs_b.bias"),
    (f"{LAYER}.block_sparse_moe.experts.5.w1.weight", "blk.3.ffn_gate.5.weight"),
    (f"{LAYER}.block_sparse_moe.experts.5.w2.weight", "blk.3.ffn_down.5.weight"),
    (f"{LAYER}.block_sparse_moe.experts.5.w3.weight", "blk.3.ffn_up.5.weight"),
    ("model.layers.61.eh_proj.weight", "blk.61.eh_proj.weight"),
])
def test_every_row_of_the_names(key, name):
    assert m.rename(key) == name


def test_keys_of_experts_are_folded():
    assert m.collapse("model.layers.3.mlp.experts.17.up_proj.weight") == "model.layers.3.mlp.experts.up_proj.weight"


@pytest.mark.parametrize("key, layer", [("lm_head.weight", -1), ("model.norm.bias", -1), ("model.layers.12.x", 12), ("a.layers.3.layers.4.x", 3)])
def test_the_layer_of_a_key(key, layer):
    assert m.layer_of(key) == layer


# What is selected


def header(**tensors):
    end, content = 0, {}
    for name, (dtype, shape, size) in tensors.items():
        content[name] = _safetensors.Tensor(dtype, shape, end, end + size)
        end += size
    raw = _safetensors.render_header(content)
    return _safetensors.parse_header(raw[8:])


def selected(form, *keys):
    selection = m.Selection(form)
    selection.add("a", header(**{key: ("I8", (2,), 2) for key in keys}))
    return {key: source and "safetensors" for key, source in selection.sources.items()}


EXPERT = "model.layers.3.mlp.experts.0.up_proj"
FOLDED = "model.layers.3.mlp.experts.up_proj"


@pytest.mark.parametrize("form, key, sources", [
    ("w8a8", f"{EXPERT}.weight", {f"{FOLDED}.weight": None}),
    ("w8a8", f"{EXPERT}.bias", {f"{FOLDED}.bias": None}),
    ("w8a8", f"{EXPERT}.deq_scale", {f"{FOLDED}.deq_scale": None}),
    ("w8a8", f"{EXPERT}.weight_scale", {}),
    ("w8a8", f"{EXPERT}.weight_offset", {}),
    ("w8a8", f"{EXPERT}.weight_scale_inv", {}),
    ("w8a8", "model.layers.61.input_layernorm.weight", {"model.layers.61.input_layernorm.weight": "safetensors"}),
    ("w8a8", "model.layers.3.mlp.shared_experts.up_proj.weight_scale", {"model.layers.3.mlp.shared_experts.up_proj.weight_scale": "safetensors"}),
    ("fp8", f"{EXPERT}.weight", {f"{FOLDED}.weight": None}),
    ("fp8", f"{EXPERT}.weight_scale_inv", {}),
    ("fp8", f"{EXPERT}.weight_scale", {f"{FOLDED}.weight_scale": None}),
    ("fp8", f"{EXPERT}.weight_offset", {f"{FOLDED}.weight_offset": None}),
    ("fp8", "model.layers.3.self_attn.o_proj.weight_scale_inv", {"model.layers.3.self_attn.o_proj.weight_scale_inv": "safetensors"}),
    ("fp8", "model.layers.61.input_layernorm.weight", {}),
    ("fp8", "model.layers.610.input_layernorm.weight", {}),
    ("fp8", "model.layers.60.input_layernorm.weight", {"model.layers.60.input_layernorm.weight": "safetensors"}),
])
def test_every_rule_of_selection(form, key, sources):
    assert selected(form, key) == sources


# The suffixes of an export of msModelSlim: static attention, dynamic dense and shared MLP, norms.
@pytest.mark.parametrize("part, name, suffixes", [
    ("self_attn.q_a_proj", "attn_q_a", ("weight", "deq_scale", "quant_bias", "input_scale", "input_offset")),
    ("mlp.down_proj", "ffn_down", ("weight", "weight_scale", "weight_offset")),
    ("mlp.shared_experts.up_proj", "ffn_up_shexp", ("weight", "weight_scale", "weight_offset")),
    ("input_layernorm", "attn_norm", ("weight", "bias")),
    ("post_attention_layernorm", "ffn_norm", ("weight", "bias")),
])
def test_every_suffix_of_w8a8_is_kept(part, name, suffixes):
    keys = [f"{LAYER}.{part}.{suffix}" for suffix in suffixes]
    assert selected("w8a8", *keys) == dict.fromkeys(keys, "safetensors")
    assert [m.rename(key) for key in keys] == [f"blk.3.{name}.{suffix}" for suffix in suffixes]


def test_other_parts_of_experts_are_missed_by_name():
    selection = m.Selection("w8a8")
    selection.add("a", header(**{f"{EXPERT}.{part}": ("I8", (2,), 2) for part in ("bias", "input_scale", "weight")}))
    problem, = selection.expert_problems({"blk.3.ffn_up_exps.weight"})
    assert "lack 2 tensors" in problem and "blk.3.ffn_up_exps.bias, blk.3.ffn_up_exps.input_scale." in problem


# Shards


def blocks(*tensors):
    """Index of GGUF tensors given as (name, type, elements, offset)."""
    return {name: m.Block("g", _gguf.Tensor(name, (elements,), kind, offset)) for name, kind, elements, offset in tensors}


def planned(keys, index, layout=m.PLAIN):
    selection = m.Selection("w8a8")
    selection.add("s", header(**keys))
    return m.plan(selection, index, layout)


MODEL = {
    "lm_head.weight": ("F16", (2,), 4), "model.layers.3.x.bias": ("F32", (1,), 4), "model.layers.3.x.weight": ("I8", (3,), 3),
    "model.layers.10.x.weight": ("BF16", (1,), 2), "model.layers.3.mlp.experts.0.up_proj.weight": ("I8", (1,), 1),
}


def test_shards_are_numbered_by_rank_and_ordered_by_layer():
    shards = planned(MODEL, blocks(("blk.3.ffn_up_exps.weight", 12, 256, 64))).shards
    assert [shard.name for shard in shards] == ["model-00000-of-00002.safetensors", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
    assert b'"output.weight"' in shards[0].header and b"blk.3." in shards[1].header and b"blk.10." in shards[2].header


def test_the_bytes_of_a_shard():
    shard = planned(MODEL, blocks(("blk.3.ffn_up_exps.weight", 12, 256, 64))).shards[1]
    text = (
        b'{"blk.3.ffn_up_exps.ggml_type":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"blk.3.x.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},'
        b'"blk.3.x.weight":{"dtype":"I8","shape":[3],"data_offsets":[12,15]},"blk.3.ffn_up_exps.weight":{"dtype":"U8","shape":[144],"data_offsets":[15,159]}}'
    )
    text += b" " * (-len(text) % 8)
    assert shard.header == struct.pack("<Q", len(text)) + text
    start = len(shard.header)
    assert [piece.offset - start for piece in shard.pieces] == [0, 8, 12, 15]
    assert shard.pieces[0].source == struct.pack("<Q", 12) and shard.pieces[3].source == m.Run("g", 64, 144)
    assert shard.size == start + 159


def test_a_model_without_other_tensors_starts_with_its_first_layer():
    shards = planned({"model.layers.0.a": ("I8", (1,), 1), "model.layers.1.a": ("I8", (1,), 1)}, {}).shards
    assert [shard.name for shard in shards] == ["model-00000-of-00001.safetensors", "model-00001-of-00001.safetensors"]


def test_of_two_tensors_of_one_name_the_later_remains():
    prefix = "model.layers.0.mlp"
    keys = {f"{prefix}.shared_expert.up_proj.weight": ("I8", (1,), 1), f"{prefix}.shared_experts.up_proj.weight": ("I8", (2,), 2), "a": ("I8", (1,), 1)}
    plan = planned(keys, {})
    assert plan.shards[1].header.count(b"blk.0.ffn_up_shexp.weight") == 1 and b'"shape":[2]' in plan.shards[1].header
    assert "Two tensors are both named blk.0.ffn_up_shexp.weight" in plan.warnings[0]


def test_an_unknown_type_in_safetensors():
    with pytest.raises(m.MergeError, match="a in s has the unknown type F6_E2M3"):
        planned({"a": ("F6_E2M3", (4,), 3), "model.layers.0.a": ("I8", (1,), 1)}, {})


@pytest.mark.parametrize("offsets, shareable", [
    # Three tensors of two blocks one after another: the ends of each are copied.
    ((32, 8224, 16416), 3 * 4096),
    ((0, 8192, 16384), 3 * 8192),
    # A small tensor before the last one: the other two count.
    ((32, 8224, 16416 + 1024), 2 * 4096),
])
def test_the_layout_for_shared_blocks(offsets, shareable):
    names = [f"blk.3.ffn_{name}_exps.weight" for name in ("up", "gate", "down")]
    keys = {**MODEL, **{f"model.layers.3.mlp.experts.0.{name}_proj.weight": ("I8", (1,), 1) for name in ("up", "gate", "down")}}
    index = blocks(*((name, 30, 4096, offset) for name, offset in zip(names, offsets)))
    shard = planned(keys, index, m.REFLINK).shards[1]
    assert shard.shareable == shareable
    assert len(shard.header) % 8 == 0 and len(shard.header) == 8 + struct.unpack("<Q", shard.header[:8])[0]
    parsed = _safetensors.parse_header(shard.header[8:])
    assert parsed.file_size == shard.size
    # Same tensors as in the plain layout.
    plain = _safetensors.parse_header(planned(keys, index).shards[1].header[8:])
    assert {name: tensor[:2] for name, tensor in parsed.tensors.items()} == {name: tensor[:2] for name, tensor in plain.tensors.items()}


def test_the_fingerprint_of_a_shard_follows_its_inputs():
    shard = planned(MODEL, blocks(("blk.3.ffn_up_exps.weight", 12, 256, 64))).shards[1]
    identities = {"s": ("s", 1, 1), "g": ("g", 1, 1)}
    assert shard.digest(identities) == shard.digest(dict(identities))
    assert shard.digest(identities) != shard.digest({**identities, "g": ("g", 1, 2)})


# Inputs of one model


def gguf_file(metadata, *tensors):
    return _gguf.Gguf(3, metadata, tuple(_gguf.Tensor(name, dimensions, 12, 0) for name, dimensions in tensors))


@pytest.mark.parametrize("names, missing", [
    (["d/m-00001-of-00003.gguf", "d/m-00003-of-00003.gguf"], ["d/m-00002-of-00003.gguf"]),
    (["m-00000-of-00002.safetensors"], ["m-00001-of-00002.safetensors"]),
    (["m-00000-of-00001.safetensors", "m-00001-of-00001.safetensors"], []),
    (["m-00001-of-000003.safetensors", "m-00003-of-000003.safetensors"], ["m-00002-of-000003.safetensors"]),
    (["m-000001-of-000002.safetensors"], ["m-000002-of-000002.safetensors"]),
    (["m.gguf", "m-1-of-2.gguf"], []),
    (["a/m-00001-of-00002.gguf", "b/m-00002-of-00002.gguf"], ["a/m-00002-of-00002.gguf", "b/m-00001-of-00002.gguf"]),
])
def test_numbers_in_names_tell_what_is_missing(names, missing):
    assert m.missing_numbers(names) == missing


def test_parts_say_themselves_how_many_they_are():
    part = {"split.no": 1, "split.count": 3}
    assert list(m.split_problems({"x.gguf": gguf_file({})})) == []
    problem, = m.split_problems({"b.gguf": gguf_file(part)})
    assert "A split GGUF of 3 parts lacks part 1, 3; there are b.gguf." in problem
    assert list(m.split_problems({"b.gguf": gguf_file(part), "c.gguf": gguf_file({"split.count": 3})})) == []


def test_models_are_compared_as_far_as_is_known():
    config = {"num_hidden_layers": 61, "num_nextn_predict_layers": 1, "hidden_size": 7168, "moe_intermediate_size": 2048, "n_routed_experts": 256}
    shapes = [("blk.3.ffn_gate_exps.weight", (7168, 2048, 256)), ("blk.3.ffn_down_exps.weight", (2048, 7168, 256))]
    experts = {"model.layers.3.mlp.experts.gate_proj.weight": {str(number) for number in range(256)}}
    metadata = {"general.architecture": "deepseek2", "deepseek2.block_count": 61, "deepseek2.embedding_length": 7168}
    assert m.model_problems(config, experts, {"g": gguf_file(metadata, *shapes)}) == []
    assert m.model_problems(config, experts, {"g": gguf_file({**metadata, "deepseek2.block_count": 62}, *shapes)}) == []
    assert m.model_problems({}, experts, {"g": gguf_file({}, *shapes)}) == []
    problem, = m.model_problems(config, experts, {"g": gguf_file({**metadata, "deepseek2.block_count": 27}, ("blk.3.ffn_down_exps.weight", (1408, 7168, 256)))})
    assert problem == (
        "The safetensors and GGUF files are of different models: num_hidden_layers 61, but deepseek2.block_count 27, "
        "moe_intermediate_size 2048, but the shape of ffn_down_exps 1408. Give two quantisations of one model."
    )


# Beside the shards


def test_runtime_files_by_name():
    names = ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json",
             "chat_template.jinja", "modeling_deepseek.py", "qwen.tiktoken", "merges.txt", "vocab.json"]
    others = ["README.md", "model.safetensors.index.json", "quant_model_description.json", "model.safetensors", ".hidden.py", "configuration.json", "LICENSE"]
    assert m.runtime_names([*names, *others]) == sorted(names)
    assert m.missing_runtime(names) == []
    assert m.missing_runtime(["tokenizer_config.json"]) == ["config.json", "generation_config.json", "tokenizer.json"]


def test_the_key_quantize():
    assert m.runtime_config(b'{"a": "\xe4\xbd\xa0"}', "w8a8").decode() == '{\n  "a": "\u4f60",\n  "quantize": "w8a8_dynamic"\n}\n'
    same = b'{"quantize":"w8a8_dynamic"}'
    assert m.runtime_config(same, "w8a8") is same
    assert m.runtime_config(b"{}", "fp8") == b"{}"
    # Half a surrogate pair, which JSON can name and UTF-8 cannot.
    assert json.loads(m.runtime_config(b'{"a": "\\ud800"}', "w8a8")) == {"a": "\ud800", "quantize": "w8a8_dynamic"}
    with pytest.raises(m.MergeError, match='says "quantize": "w8a16"'):
        m.runtime_config(b'{"quantize": "w8a16"}', "w8a8")


@pytest.mark.parametrize("new, replaced, needed", [([], 0, 0), ([5, 7], 0, 12), ([5, 7], 12, 7), ([5, 7], 5, 14), ([5], 100, 5)])
def test_space(new, replaced, needed):
    assert m.space_needed(new, replaced) == needed
