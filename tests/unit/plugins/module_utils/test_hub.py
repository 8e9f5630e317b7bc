# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.npuops.ascend.plugins.module_utils import _hub as core


@pytest.mark.parametrize("path, include, exclude, expected", [
    ("a.safetensors", [], [], True), ("a.safetensors", ["*.json"], [], False), ("a.json", ["*.json"], ["a*"], False), ("dir/a", ["dir/"], [], True),
    ("dir/a", [], ["dir/"], False), ("A.json", ["a.json"], [], False),
])
def test_patterns(path, include, exclude, expected):
    assert core.wanted(path, include, exclude) is expected


def test_clients_are_told_where_to_go_and_where_to_keep_their_caches():
    assert core.environment("modelers", "/data/m", "") == {"XDG_CACHE_HOME": "/data/m/.cache", "HUB_WHITE_LIST_PATHS": "/data/m"}
    assert core.environment("modelers", "/data/m", "https://mirror")["OPENMIND_HUB_ENDPOINT"] == "https://mirror"
    assert core.environment("modelscope", "/data/m", "https://mirror")["MODELSCOPE_ENDPOINT"] == "https://mirror"
    assert core.environment("huggingface", "/data/m", "https://mirror") == {
        "HF_HOME": "/data/m/.cache/huggingface", "HF_ENDPOINT": "https://mirror", "HF_HUB_DISABLE_XET": "1",
    }


@pytest.mark.parametrize("arguments, words", [
    (
        ("modelscope", "https://www.modelscope.cn", "x/y", None, "timed out", False, True),
        ["ModelScope at https://www.modelscope.cn cannot be reached", "weights_hub_endpoint"],
    ),
    (("url", "https://h/f", "this file", None, "refused", False, True), ["The server at https://h/f cannot be reached", "weights_source_url"]),
    (("huggingface", "https://huggingface.co", "x/y", 401, "no", True), ["Hugging Face", "refuses the token for x/y", "weights_hub_token"]),
    (("huggingface", "https://huggingface.co", "x/y", 403, "no", False), ["gives no access without a token to x/y"]),
    (("url", "https://h/f", "this file", 403, "no", False), ["weights_url_headers"]),
    (("modelers", "https://modelers.cn", "x/y", 404, "no", False), ["Modelers at https://modelers.cn has no x/y"]),
    (("modelers", "https://modelers.cn", "x/y", 500, "a\n b", False), ["could not give x/y: a b"]),
])
def test_refusals_in_words(arguments, words):
    text = core.explain(*arguments)
    for word in words:
        assert word in text


@pytest.mark.parametrize("url, path, expected", [
    ("https://h/models/", "a b.json", "https://h/models/a%20b.json"), ("https://h/m?sign=1", "d/x", "https://h/m/d/x?sign=1"),
])
def test_addresses_of_files(url, path, expected):
    assert core.file_url(base=url, path=path) == expected


def test_what_is_shown_of_an_address_has_no_secret():
    assert core.shown_url("https://user:secret@h:8080/m.tar?sign=secret") == "https://h:8080/m.tar"


@pytest.mark.parametrize(
    "location, expected",
    [("https://h/m.tar.gz?x=1", True), ("https://h/m.tar", True), ("https://h/m.tar/files", False), ("https://h/m", False)],
)
def test_archives(location, expected):
    assert core.is_archive(location) is expected
