# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _manifest as core

# Lines of a public note on the weights Eco-Tech/Qwen3-235B-A22B-w8a8-QuaRot, as sha256sum printed them.
SUMS = """\
299bbed39b8e408b9cec48be37b681361e673d36de7c3261f3bcea5b8e5b17f4  config.json
7bc04fa8717878ae8448d9285ea90bf763676f85d84a15b0e91bbc4bbeb8b811  quant_model_description.json
e8c834d8f99992b2162d493124f6fcb9386d16c14bf15f5abca902f8c32a54c9  quant_model_weight_w8a8_dynamic-00001-of-00056.safetensors
ef65039b127fc673cecd5b3aa4fcc68d4f07d6e4857f87e9c6c30a6a3200a45f *quant_model_weight_w8a8_dynamic.safetensors.index.json
"""
A, B = "a" * 64, "b" * 64
NAMES = st.text(string.ascii_letters + "0123456789_-", min_size=1)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
MANIFESTS = st.builds(
    core.Manifest,
    st.dictionaries(PATHS, st.builds(core.File, st.integers(0, 2**50), st.text("0123456789abcdef", min_size=64, max_size=64))),
    st.text(string.printable),
)


@given(MANIFESTS)
def test_what_is_written_is_what_is_read(manifest):
    assert core.parse(core.render(manifest)) == manifest


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(json.dumps))
def test_any_text_is_a_manifest_or_an_error_in_words(text):
    try:
        core.parse(text)
    except core.ManifestError as error:
        assert str(error).endswith(".")
    core.parse_known(text)


@pytest.mark.parametrize("entry", [
    {"path": "../x", "size": 1, "sha256": A}, {"path": "/etc/x", "size": 1, "sha256": A}, {"path": "a/./b", "size": 1, "sha256": A},
    {"path": ".hidden/x", "size": 1, "sha256": A}, {"path": "x", "size": -1, "sha256": A}, {"path": "x", "size": True, "sha256": A},
    {"path": "x", "size": 1, "sha256": "a"}, {"path": "x", "size": 1}, "x",
])
def test_entries_that_are_refused(entry):
    with pytest.raises(core.ManifestError, match="expected path, size and sha256"):
        core.parse(json.dumps({"version": 1, "files": [entry]}))


def test_a_file_that_is_listed_twice_is_refused():
    entry = {"path": "x", "size": 1, "sha256": A}
    with pytest.raises(core.ManifestError, match="each file once"):
        core.parse(json.dumps({"version": 1, "files": [entry, entry]}))


def test_sums_as_they_are_published():
    assert core.parse_sums(f"# R1\n\n{SUMS}") == {line[66:]: line[:64] for line in SUMS.splitlines()}


@pytest.mark.parametrize("text, words", [
    (f"{A[1:]}  config.json\n", "Line 1"),
    (f"{A}  ../config.json\n", "Line 1"), (f"{A} config.json\n", "Line 1"), (f"{A}  x\n{B}  ./x\n", "second, different sum"), ("not a sum\n", "64 hexadecimal"),
])
def test_sums_that_are_refused(text, words):
    with pytest.raises(core.ManifestError, match=words):
        core.parse_sums(text)


@given(st.dictionaries(PATHS, st.text("0123456789abcdef", min_size=64, max_size=64)))
def test_any_sums_that_were_printed_are_read(sums):
    assert core.parse_sums("".join(f"{digest}  {path}\n" for path, digest in sums.items())) == sums


@pytest.mark.parametrize("path, expected", [
    ("config.json", True), ("model-dense-tp-000/model.safetensors", True), (".cache/huggingface/x", False), ("a/.msc", False), ("x.incomplete", False),
    ("x.safetensors.part", False), ("..", False), ("", False),
])
def test_what_belongs_to_a_model(path, expected):
    assert core.belongs(path) is expected


def test_a_directory_is_compared_with_its_manifest():
    manifest = core.Manifest({name: core.File(10, A) for name in ("same", "gone", "short", "changed", "flipped")})
    found = {name: core.Stat(10, 5, 4096) for name in ("same", "changed", "flipped", "more")} | {"short": core.Stat(9, 5, 4096)}
    known = {"same": (10, 5, A), "changed": (10, 4, A), "flipped": (10, 5, B), "short": (9, 5, A)}
    compared = core.compare(manifest, found, known)
    assert compared == core.Comparison(missing=["gone"], wrong_size=["short"], damaged=["flipped"], unread=["changed"], extra=["more"])
    assert not compared.complete
    # A file with holes takes what is allocated, a whole one what it holds.
    assert core.present_bytes(manifest, {"same": core.Stat(10, 5, 4096), "gone": core.Stat(10, 5, 0)}) == 10


@given(MANIFESTS)
def test_every_file_is_in_exactly_one_list(manifest):
    names = sorted(manifest.files)
    found = {name: core.Stat(manifest.files[name].size + index % 2, 1, 0) for index, name in enumerate(names) if index % 3}
    known = {name: (manifest.files[name].size, 1, manifest.files[name].sha256 if index % 4 else A) for index, name in enumerate(names) if index % 5}
    result = core.compare(manifest, found, known)
    listed = [*result.missing, *result.wrong_size, *result.damaged, *result.unread]
    assert len(listed) == len(set(listed))
    assert result.complete == (not listed)


def test_notes_of_an_earlier_check():
    known = {"x": (10, 5, A)}
    assert core.parse_known(core.render_known(known)) == known
    assert core.parse_known('{"x": [10, 5], "y": [true, 5, "a"], "z": 1}') == {}
