# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _weights as w

PREFIX = "quant_model_weight_w8a8_dynamic"
DESCRIPTION = "quant_model_description_w8a8_dynamic.json"


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "x"]), inner), max_leaves=8))
def test_no_json_raises_anything_else(value):
    for call in (lambda: w.parse_index("i", json.dumps({"weight_map": value})),
                 lambda: w.parse_model_config(json.dumps({"vocab_size": value, "quantize": value}))):
        try:
            call()
        except w.WeightsFormatError:
            pass


def test_the_index_lists_the_tensors_of_each_shard():
    index = w.parse_index("i.json", '{"metadata": {"total_size": 3}, "weight_map": {"a": "x.safetensors", "b": "y.safetensors", "c": "x.safetensors"}}')
    assert index.tensors == {"x.safetensors": {"a", "c"}, "y.safetensors": {"b"}}


@pytest.mark.parametrize("text, message", [
    ("{", "no JSON"), ("[]", "no weight_map"), ('{"weight_map": {}}', "no weight_map"),
    ('{"weight_map": {"a": 1}}', "the shard 1 of tensor a"), ('{"weight_map": {"a": "../x"}}', "expected a plain file name"),
    ('{"weight_map": {"a": ".."}}', "expected a plain file name"), ('{"weight_map": {"a": "/x"}}', "expected a plain file name"),
])
def test_an_index_that_is_none(text, message):
    with pytest.raises(w.WeightsFormatError, match=message):
        w.parse_index("i.json", text)


def test_shard_numbers_tell_what_is_missing():
    assert w.missing_shards([f"{PREFIX}-00001-of-00004.safetensors", f"{PREFIX}-00003-of-00004.safetensors", "other.safetensors"]) == [
        f"{PREFIX}-00002-of-00004.safetensors", f"{PREFIX}-00004-of-00004.safetensors",
    ]
    # The original DeepSeek-V3 has five digits before and six after the "of".
    assert w.missing_shards(["model-00002-of-000002.safetensors"]) == ["model-00001-of-000002.safetensors"]
    # Each directory of a pre-sharded model counts on its own.
    assert w.missing_shards(["a/model-00001-of-00001.safetensors", "b/model-00002-of-00002.safetensors"]) == ["b/model-00001-of-00002.safetensors"]


# config.json of the model

GOOD = w.ModelConfig("deepseekv2", "bfloat16", 129280, "w8a8_dynamic")
NAMES = ["config.json", DESCRIPTION, f"{PREFIX}-00001-of-00001.safetensors"]


def test_a_quantised_model_is_complete():
    assert w.config_problems(GOOD, NAMES) == ([], [])


def test_the_model_config_is_read():
    text = '{"model_type": "deepseekv2", "torch_dtype": "bfloat16", "vocab_size": 129280, "quantize": "w8a8_dynamic"}'
    assert w.parse_model_config(text) == GOOD
    assert w.parse_model_config('{"padded_vocab_size": 65024, "quantize": ""}') == w.ModelConfig(vocab_size=65024)
    assert w.parse_model_config('{"vocab_size": "129280", "torch_dtype": null}') == w.ModelConfig()


@pytest.mark.parametrize("config, names, ids", [
    (w.ModelConfig("deepseekv2", None, None, "w8a8_dynamic"), NAMES, ["config-key-missing", "config-key-missing"]),
    (w.ModelConfig("deepseekv2", "bfloat16", 1, None), NAMES, ["quantize-missing"]),
    (GOOD, ["config.json", f"{PREFIX}.safetensors"], ["quant-description-missing"]),
    (w.ModelConfig("qwen2", "float16", 1, None), ["model.safetensors"], []),
])
def test_the_model_config_and_its_files(config, names, ids):
    assert [problem.id for problem in w.config_problems(config, names)[0]] == ids


def test_the_missing_quantize_key_is_named_with_its_value():
    problem = w.config_problems(w.ModelConfig("deepseekv2", "bfloat16", 1, None), NAMES)[0][0]
    assert problem.remedy == 'Add "quantize": "w8a8_dynamic" to config.json.'


def test_names_of_another_engine_are_noted():
    problems, notes = w.config_problems(GOOD, ["quant_model_description.json"])
    assert problems == [] and notes == [
        f"quant_model_description.json is the name of the vLLM layout; MindIE looks for {DESCRIPTION}. The weights may be made for another engine."
    ]
    assert w.config_problems(w.ModelConfig("q", "float16", 1, "w8a8"), ["quant_model_weight_w8a8.safetensors", "quant_model_description.json"]) == ([], [])
    assert w.config_problems(w.ModelConfig("q", "float16", 1, "w8a8"), [*NAMES, "quant_model_description.json"])[1] == [
        "config.json says quantize w8a8, but the weight files are named w8a8_dynamic."
    ]


# Permissions

ROOT = w.ServiceUser("root", 0, 0)
SERVICE = w.ServiceUser("HwHiAiUser", 1000, 1000, frozenset({1000, 44}))
DIRECTORY = w.Entry(".", stat.S_IFDIR | 0o750, 1000, 1000)


def regular(name, mode=0o640, uid=1000, gid=1000):
    return w.Entry(name, stat.S_IFREG | mode, uid, gid)


def ids(*entries, user=SERVICE, directory=DIRECTORY):
    return [problem.id for problem in w.permission_problems("/data/m", [directory, *entries], user)]


@pytest.mark.parametrize("entry, user, expected", [
    (regular("config.json"), SERVICE, []),
    (regular("config.json", 0o750), SERVICE, []),
    (regular("config.json", 0o644), SERVICE, ["config-mode"]),
    (regular("config.json", 0o644, 0, 0), ROOT, ["config-mode"]),
    (regular("x.safetensors", 0o644), SERVICE, []),
    (regular("x.safetensors", 0o666), SERVICE, ["other-writable"]),
    (regular("x.safetensors", 0o000), SERVICE, ["not-readable"]),
    (regular("x.safetensors", 0o640, 0, 0), SERVICE, ["not-readable"]),
    (regular("x.safetensors", 0o644, 0, 0), SERVICE, ["foreign-owner"]),
    (regular("x.safetensors", 0o640, 0, 1000), SERVICE, []),
    # A further group lets the kernel read, but the engine looks at the first group only.
    (regular("x.safetensors", 0o640, 0, 44), SERVICE, ["foreign-owner"]),
    (regular("x.safetensors", 0o600, 1001, 1001), ROOT, []),
    (regular("a b.safetensors"), SERVICE, ["path-characters"]),
    (regular("README.md", 0o666, 0, 0), SERVICE, []),
    (regular(".hidden.json", 0o666, 0, 0), SERVICE, []),
    (w.Entry("x.safetensors", stat.S_IFLNK | 0o777, 1000, 1000, "../../blobs/4f2a"), SERVICE, ["symlink"]),
])
def test_the_rules_of_the_engine(entry, user, expected):
    assert ids(entry, user=user) == expected


def test_the_directory_must_be_open_to_the_service():
    assert ids(directory=w.Entry(".", stat.S_IFDIR | 0o640, 1000, 1000)) == ["not-readable"]
    assert ids(directory=w.Entry(".", stat.S_IFDIR | 0o777, 1000, 1000)) == ["other-writable"]
    assert ids(directory=w.Entry(".", stat.S_IFDIR | 0o755, 0, 0)) == []
    assert w.directory_warnings("/data/m", stat.S_IFDIR | 0o755) == ["/data/m has mode 0755; MindIE 3.0 and newer refuse more than 0750."]
    assert w.directory_warnings("/data/m", stat.S_IFDIR | 0o750) == []


def test_more_files_than_the_engine_takes():
    assert ids(*(regular(f"{number}.bin") for number in range(1024))) == []
    assert ids(*(regular(f"{number}.bin") for number in range(1025))) == ["too-many-files"]


@pytest.mark.parametrize("path, good", [("/data/DeepSeek-V3_w8a8.1", True), ("/data/my model", False), ("/data/../x", False), ("/data/\u6743\u91cd", False)])
def test_characters_of_the_path(path, good):
    assert (w.path_problems(path) == []) is good


# Completeness

def weight_file(name, size=100, expected=100, tensors=("a",)):
    return w.WeightFile(name, size, w.Header(frozenset(tensors), expected))


SHARDS = [f"{PREFIX}-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
INDEX = w.Index(f"{PREFIX}.safetensors.index.json", {name: frozenset({f"t{number}"}) for number, name in enumerate(SHARDS)})


def test_a_complete_model():
    files = [weight_file(name, tensors=(f"t{number}",)) for number, name in enumerate(SHARDS)]
    assert w.completeness(files, [INDEX]) == ([], [], [])


def test_missing_truncated_and_strange_files():
    files = [weight_file(SHARDS[0], 60, 100, ("t0",)), w.WeightFile(SHARDS[1], 3, fault="3 bytes", cut_off=True), weight_file("stray.safetensors", 120)]
    missing, problems, notes = w.completeness(files, [INDEX])
    assert missing == [SHARDS[2]]
    assert [(problem.id, problem.path, problem.observed) for problem in problems] == [
        ("files-missing", SHARDS[2], f"1 weight files are absent: {SHARDS[2]}"),
        ("file-truncated", SHARDS[0], "60 bytes"),
        ("file-truncated", SHARDS[1], "3 bytes"),
        ("file-too-long", "stray.safetensors", "120 bytes"),
    ]
    assert [file.truncated for file in files] == [True, True, False]
    assert notes == ["No index names stray.safetensors; the engine loads every safetensors file that it finds."]


def test_an_index_of_another_release():
    files = [weight_file(name, tensors=("other",)) for name in SHARDS]
    problems = w.completeness(files, [INDEX])[1]
    assert [problem.id for problem in problems] == ["tensors-missing"] * 3
    assert problems[0].observed == "1 tensors of the index are not in it: t0"


def test_without_an_index_the_numbers_count():
    missing, problems, notes = w.completeness([weight_file(SHARDS[0]), weight_file(SHARDS[2])], [])
    assert missing == [SHARDS[1]] and [problem.id for problem in problems] == ["files-missing"]
    assert notes == ["There is no *.safetensors.index.json; the files are complete only as far as their numbers tell."]
    assert w.completeness([weight_file("model.safetensors")], []) == ([], [], [])
    assert [problem.id for problem in w.completeness([], [])[1]] == ["no-weights"]


def test_a_list_of_missing_files_stays_short():
    problem = w.completeness([], [w.Index("i", {f"model-{n:05d}-of-00157.safetensors": frozenset() for n in range(1, 158)})])[1][0]
    assert problem.observed == (
        "157 weight files are absent: model-00001-of-00157.safetensors, model-00002-of-00157.safetensors, model-00003-of-00157.safetensors and 154 more"
    )


def test_two_indexes_are_noted():
    files = [weight_file(name, tensors=(f"t{number}",)) for number, name in enumerate(SHARDS)]
    assert w.completeness(files, [INDEX, INDEX])[2] == [
        f"There are several indexes ({INDEX.name}, {INDEX.name}); the engine loads every safetensors file that it finds."
    ]
