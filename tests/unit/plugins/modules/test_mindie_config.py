# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import stat

import pytest

from ansible_collections.npuops.ascend.plugins.modules import mindie_config

DEPLOY = "BackendConfig.ModelDeployConfig."
MODEL = DEPLOY + "ModelConfig[0]."
SETTINGS = {"ServerConfig.port": "1035", MODEL + "modelName": "DeepSeek-V3-int8"}
CHANGES = [
    {"path": "ServerConfig.port", "before": 1025, "after": 1035},
    {"path": MODEL + "modelName", "before": "deepseekr1", "after": "DeepSeek-V3-int8"},
]


@pytest.fixture
def vendor_text(fixture_text):
    return fixture_text("mindie/config_2.0.T3_two_node_deepseek_r1_w8a8.json")


@pytest.fixture
def config(tmp_path, vendor_text):
    path = tmp_path / "conf" / "config.json"
    path.parent.mkdir()
    path.write_text(vendor_text)
    path.chmod(0o640)
    return path


@pytest.fixture
def configure(run_module):
    def call(path, settings=None, check=False, **options):
        options.setdefault("version", "2.0.T3.1")
        return run_module(mindie_config, {"path": str(path), "settings": settings or {}, **options}, check=check, diff=True)[0]

    return call


def test_settings_are_written_once(configure, config, vendor_text):
    first = configure(config, SETTINGS)
    assert first["changed"] and first["changes"] == CHANGES
    assert first["version_family"] == "1.0.0" and first["findings"] == []
    written = json.loads(config.read_text())
    assert written == first["config"]
    assert (written["ServerConfig"]["port"], written["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["modelName"]) == (1035, "DeepSeek-V3-int8")
    assert first["diff"][0]["before"] == vendor_text and first["diff"][0]["after"] == config.read_text()
    with open(first["backup_file"]) as backup:
        assert backup.read() == vendor_text

    second = configure(config, SETTINGS)
    assert not second["changed"] and second["changes"] == [] and "backup_file" not in second
    assert config.read_text() == first["diff"][0]["after"]


def test_check_mode_writes_nothing(configure, config, vendor_text):
    result = configure(config, SETTINGS, check=True)
    assert result["changed"] and result["changes"] == CHANGES
    assert config.read_text() == vendor_text and list(config.parent.iterdir()) == [config]
    assert '"port" : 1035' in result["diff"][0]["after"]


def test_an_unchanged_file_keeps_its_bytes(configure, config, vendor_text):
    config.write_bytes(vendor_text.rstrip("\n").replace("\n", "\r\n").encode())
    before = config.read_bytes()
    assert not configure(config, {"ServerConfig.port": 1025})["changed"]
    assert config.read_bytes() == before


def test_no_backup_where_none_is_wanted(configure, config):
    assert "backup_file" not in configure(config, SETTINGS, backup=False)
    assert list(config.parent.iterdir()) == [config]


def test_the_mode_is_kept_tight(configure, config):
    config.chmod(0o666)
    predicted = configure(config, check=True)
    assert predicted["changed"] and stat.S_IMODE(config.stat().st_mode) == 0o666
    assert predicted["diff"][1]["before"]["mode"] == "0666" and predicted["diff"][1]["after"]["mode"] == "0640"
    assert configure(config)["changed"]
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert not configure(config)["changed"]


def test_a_new_file_starts_from_src(configure, tmp_path, vendor_text):
    src, path = tmp_path / "default.json", tmp_path / "config.json"
    src.write_text(vendor_text)
    predicted = configure(path, SETTINGS, src=str(src), check=True)
    assert predicted["changed"] and not path.exists() and predicted["diff"][0]["before"] == ""
    result = configure(path, SETTINGS, src=str(src))
    assert result["changed"] and "backup_file" not in result and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert json.loads(path.read_text())["ServerConfig"]["port"] == 1035
    assert src.read_text() == vendor_text
    # From now on src has no say.
    src.write_text("not JSON")
    assert not configure(path, SETTINGS, src=str(src))["changed"]


def test_a_new_file_may_equal_src(configure, tmp_path, vendor_text):
    src, path = tmp_path / "default.json", tmp_path / "config.json"
    src.write_text(vendor_text)
    assert configure(path, src=str(src))["changed"]
    assert path.read_text() == vendor_text
    assert not configure(path, src=str(src))["changed"]


@pytest.mark.parametrize("src", [None, "/nonexistent/default.json"])
def test_check_mode_on_a_bare_host(configure, tmp_path, src):
    options = {"src": src} if src else {}
    path = tmp_path / "later" / "config.json"
    result = configure(path, SETTINGS, check=True, **options)
    assert result["changed"] and result["config"] is None
    assert result["changes"][0] == {"path": "ServerConfig.port", "before": None, "after": 1035}
    assert any("the rules between keys were not" in warning for warning in result["warnings"])
    wrong = configure(path, {"ServerConfig.port": 80}, check=True, **options)
    assert wrong["failed"] and "[out-of-range] ServerConfig.port: found 80" in wrong["msg"]


@pytest.mark.parametrize("settings, texts", [
    ({"ServerConfig.port": 80}, ["[out-of-range] ServerConfig.port: found 80, expected [1024, 65535]."]),
    ({"BackendConfig.npudeviceIds": [[0]]}, ["[unknown-key] BackendConfig.npudeviceIds", "Did you mean BackendConfig.npuDeviceIds?"]),
    ({DEPLOY + "maxInputTokenLen": 10001}, ["[input-exceeds-sequence]", "[prefill-below-input]", "Lower BackendConfig.ModelDeployConfig.maxInputTokenLen"]),
    ({MODEL + "modelName": 'x"; rm -rf /'}, ["[bad-form] " + MODEL + "modelName"]),
    ({MODEL + "modelWeightPath": "/data/../../etc"}, ["[bad-form] " + MODEL + "modelWeightPath"]),
    ({"Server Config": 1}, ["[bad-path] Server Config", "Write names joined by dots"]),
])
def test_bad_settings_are_refused_before_anything_is_written(configure, config, vendor_text, settings, texts):
    for check in (True, False):
        result = configure(config, {**settings, "ServerConfig.maxLinkNum": 300}, check=check)
        assert result["failed"] and "nothing was written" in result["msg"] and str(config) in result["msg"] and "2.0.T3.1" in result["msg"]
        assert all(text in result["msg"] for text in texts)
        assert result["findings"][0]["severity"] == "error"
        assert config.read_text() == vendor_text and list(config.parent.iterdir()) == [config]


def test_a_fault_of_the_file_is_refused_too_and_said_to_be_old(configure, config):
    config.write_text(config.read_text().replace('"maxLinkNum" : 250', '"maxLinkNum" : 0'))
    result = configure(config, SETTINGS)
    assert "[out-of-range] ServerConfig.maxLinkNum: found 0, expected [1, 4096]." in result["msg"]
    assert f"(It was so in {config} before this task.)" in result["msg"]
    # Setting the faulty key is the way out.
    assert configure(config, {"ServerConfig.maxLinkNum": 250})["changed"]


def test_the_group_size_decides_on_parallelism(configure, config):
    settings = {MODEL + "dp": 2, MODEL + "tp": 8}
    result = configure(config, settings, world_size=32)
    assert result["failed"] and "[parallel-product]" in result["msg"] and "found dp 2 x tp 8 = 16, expected 32" in result["msg"]
    assert configure(config, settings, world_size=16)["changed"]


def test_a_version_that_is_not_known_yet(configure, run_module, tmp_path, fixture_text):
    path = tmp_path / "config.json"
    path.write_text(fixture_text("mindie/config_3.0.0_default_2026-04.json"))
    result = configure(path, version="3.4.0")
    assert result["version_family"] == "3.0" and "not among the versions known here" in result["warnings"][0]
    assert configure(path, version="newest")["msg"].startswith("The MindIE version 'newest' is not understood.")


def test_oddities_are_warnings(configure, tmp_path, fixture_text):
    path = tmp_path / "config.json"
    path.write_text(fixture_text("mindie/config_2.2.RC1_doc_default.json"))
    result = configure(path, version="2.2.RC1")
    assert not result.get("failed") and [finding["rule"] for finding in result["findings"]] == ["misspelt-key"]
    assert "BackendConfig.interNodeTlsCrlfiles" in result["warnings"][0]


@pytest.mark.parametrize("content, message", [
    (b'{\n  "a": 1, // note\n}', "line 2, column 11: found a comment"),
    (b"", "found an empty file"),
    (b"\xef\xbb\xbf{}", "found a byte order mark"),
    (b'{"a": "\xff"}', "which is not UTF-8"),
])
def test_a_file_that_is_not_json(configure, config, content, message):
    config.write_bytes(content)
    result = configure(config, SETTINGS)
    assert result["failed"] and result["msg"].startswith(f"{config} is not the plain JSON that MindIE reads: ") and message in result["msg"]
    assert config.read_bytes() == content


def test_a_link_is_refused(configure, config):
    link = config.parent / "link.json"
    link.symlink_to(config)
    result = configure(link, SETTINGS)
    assert result["failed"] and f"{link} is a symbolic link to {config}" in result["msg"]


def test_paths_that_do_not_exist(configure, tmp_path):
    assert "The directory" in configure(tmp_path / "no" / "config.json")["msg"]
    assert "no src is given" in configure(tmp_path / "config.json")["msg"]
    result = configure(tmp_path / "config.json", src=f"{tmp_path}/default.json")
    assert f"Neither {tmp_path}/config.json nor src {tmp_path}/default.json exists." in result["msg"]
    assert "is not a regular file" in configure(tmp_path)["msg"]
