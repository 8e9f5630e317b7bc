# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

import pytest

from ansible_collections.npuops.ascend.plugins.modules import rank_table

SAMPLES = Path(__file__).resolve().parents[3] / "fixtures" / "ranktable"
ONE = (SAMPLES / "toolout_hccl_8p_01234567_192.0.2.11.json").read_text()
TWO = ONE.replace("192.0.2.11", "192.0.2.12").replace("10.20.1.", "10.20.2.")

SERVERS = [
    {"server_id": "192.0.2.11", "devices": [{"device_id": 0, "device_ip": "10.20.0.11"}, {"device_id": 1, "device_ip": "10.20.0.12"}]},
    {"server_id": "192.0.2.12", "devices": [{"device_id": 0, "device_ip": "10.20.0.13"}, {"device_id": 1, "device_ip": "10.20.0.14"}]},
]
LIVE = [{"device_id": 0, "device_ip": "10.20.0.11"}, {"device_id": 1, "device_ip": "10.20.0.12"}]


@pytest.fixture
def dest(tmp_path) -> Path:
    # pytest's own directory carries the name of the test, which may hold characters that a rank table's path may not.
    directory = tmp_path / "data"
    directory.mkdir()
    return directory / "ranktable.json"


@pytest.fixture
def run(run_module, dest):
    def call(check=False, diff=False, **args):
        if "servers" not in args and "sources" not in args:
            args["servers"] = SERVERS
        result, commands = run_module(rank_table, {"dest": str(dest), **args}, check=check, diff=diff)
        assert commands == []
        return result

    return call


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_writes_the_table(run, dest):
    result = run()
    assert result["changed"]
    table = json.loads(dest.read_text())
    assert table == result["rank_table"]
    assert [server["container_ip"] for server in table["server_list"]] == ["192.0.2.11", "192.0.2.12"]
    assert [device["rank_id"] for server in table["server_list"] for device in server["device"]] == ["0", "1", "2", "3"]
    assert (result["world_size"], result["server_count"]) == (4, 2)
    assert result["sha256"] == hashlib.sha256(dest.read_bytes()).hexdigest()
    assert mode_of(dest) == 0o640
    assert os.listdir(dest.parent) == ["ranktable.json"]


def test_second_run_changes_nothing(run, dest):
    run()
    before = dest.stat()
    assert not run()["changed"]
    assert (dest.stat().st_mtime_ns, dest.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_check_mode_says_what_would_be(run, dest):
    checked = run(check=True)
    assert checked["changed"]
    assert not dest.exists()
    applied = run()
    assert {key: checked[key] for key in ("sha256", "rank_table", "world_size", "server_count")} == {
        key: applied[key] for key in ("sha256", "rank_table", "world_size", "server_count")
    }
    assert not run(check=True)["changed"]


def test_check_mode_before_the_directory_exists(run, dest):
    dest.parent.rmdir()
    assert run(check=True, diff=True)["changed"]
    result = run()
    assert result["failed"]
    assert f"The directory {dest.parent} of dest does not exist" in result["msg"]


def test_diff_shows_before_and_after(run, dest):
    run()
    text = dest.read_text()
    moved = [SERVERS[1], SERVERS[0]]
    content, attributes = run(servers=moved, diff=True)["diff"]
    assert content["before"] == text
    assert content["after"] == dest.read_text() != text
    assert "before" not in attributes


def test_no_diff_unless_asked_for(run):
    assert "diff" not in run()


def test_mode_alone_is_a_change(run, dest):
    run()
    dest.chmod(0o600)
    for check in (True, False):
        result = run(check=check, diff=True)
        assert result["changed"]
        content, attributes = result["diff"]
        assert content["before"] == content["after"]
        assert (attributes["before"], attributes["after"]) == ({"mode": "0600"}, {"mode": "0640"})
    assert mode_of(dest) == 0o640
    assert not run()["changed"]


@pytest.mark.parametrize("content", [b"", b"{ not json", b"\xff\xfe\x00", b'{"version": "1.0"} // made by hand'])
def test_invalid_file_is_replaced(run, dest, content):
    dest.write_bytes(content)
    result = run(diff=True)
    assert result["changed"]
    assert result["diff"][0]["before"] == content.decode("utf-8", errors="replace")
    assert json.loads(dest.read_text()) == result["rank_table"]


def test_merges_the_files_of_hccl_tools(run, dest, tmp_path):
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path, text in zip(paths, (ONE, TWO)):
        path.write_text(text)
    result = run(sources=[str(path) for path in paths])
    assert json.loads(dest.read_text()) == json.loads((SAMPLES / "toolout_hccl_2s_16p.json").read_text())
    assert (result["world_size"], result["server_count"]) == (16, 2)


def test_one_source_for_hccl(run, dest, tmp_path):
    (tmp_path / "a.json").write_text(ONE)
    refused = run(sources=[str(tmp_path / "a.json")])
    assert refused["findings"][0]["id"] == "server_count_range"
    assert not dest.exists()
    assert run(sources=[str(tmp_path / "a.json")], profile="hccl")["server_count"] == 1


def test_unreadable_sources_are_all_named(run, dest, tmp_path):
    (tmp_path / "directory.json").mkdir()
    result = run(sources=[str(tmp_path / "missing.json"), str(tmp_path / "directory.json")])
    assert result["failed"]
    assert f"{tmp_path}/missing.json: no such file" in result["msg"]
    assert f"{tmp_path}/directory.json: not a regular file" in result["msg"]
    assert not dest.exists()


def test_broken_sources_are_all_named(run, dest, tmp_path):
    (tmp_path / "a.json").write_text(ONE.replace('"1.0",', '"1.0", // fixed'))
    (tmp_path / "b.json").write_text(TWO.replace("completed", "initializing"))
    result = run(sources=[str(tmp_path / "a.json"), str(tmp_path / "b.json")])
    assert result["failed"]
    assert [finding["path"] for finding in result["findings"]] == [f"{tmp_path}/a.json: line 2", f"{tmp_path}/b.json: status"]
    assert f'{tmp_path}/a.json: line 2: found "// fixed"' in result["msg"]
    assert not dest.exists()


def test_every_problem_is_reported_and_nothing_written(run, dest):
    dest.write_text("old")
    servers = [
        {"server_id": "192.0.2.11", "devices": [{"device_id": 0, "device_ip": "10.20.0.11"}]},
        {"server_id": "192.0.2.11", "devices": [{"device_id": 0, "device_ip": "10.20.0.11"}, {"device_id": 0, "device_ip": "-.-.-.-"}]},
    ]
    for check in (True, False):
        result = run(servers=servers, check=check)
        assert result["failed"]
        assert {finding["id"] for finding in result["findings"]} == {
            "server_id_duplicate",
            "container_ip_duplicate",
            "device_count_uneven",
            "device_id_duplicate",
            "device_ip_duplicate",
            "device_ip_invalid",
        }
        assert "problems found: 6. Nothing was changed." in result["msg"]
        assert 'server_list[1].device[1].device_ip: found "-.-.-.-", expected an IP address' in result["msg"]
        assert dest.read_text() == "old"


def test_live_devices_that_agree(run):
    assert run(live_devices=LIVE, local_server_id="192.0.2.11")["changed"]


@pytest.mark.parametrize(
    "live, server_id, rule",
    [
        ([LIVE[0], {"device_id": 1, "device_ip": "10.20.0.99"}], "192.0.2.11", "live_device_ip"),
        ([LIVE[0], {"device_id": 1}], "192.0.2.11", "live_device_ip"),
        ([LIVE[0]], "192.0.2.11", "live_device_missing"),
        ([], "192.0.2.11", "live_device_missing"),
        (LIVE, "192.0.2.19", "live_server_unknown"),
    ],
)
def test_live_devices_that_differ(run, dest, live, server_id, rule):
    result = run(live_devices=live, local_server_id=server_id)
    assert result["failed"]
    assert rule in [finding["id"] for finding in result["findings"]]
    assert not dest.exists()


def test_large_group_is_written_with_a_warning(run):
    servers = [{"server_id": f"192.0.2.{host}", "devices": [{"device_id": 0, "device_ip": f"10.20.0.{host}"}]} for host in range(11, 16)]
    result = run(servers=servers)
    assert result["changed"]
    assert ["5 servers and 5 devices" in warning for warning in result["warnings"]] == [True]


@pytest.mark.parametrize(
    "path, rule",
    [
        ("ranktable.json", "path_relative"),
        ("/tmp/rank table.json", "path_characters"),
        ("/tmp/ranktable.txt", "path_suffix"),
        ("/tmp/../tmp/x.json", "path_parent"),
    ],
)
def test_dest_that_cannot_hold_a_table(run, path, rule):
    result = run(dest=path, check=True)
    assert result["failed"]
    assert [finding["id"] for finding in result["findings"]] == [rule]


def test_symbolic_link_is_refused(run, dest):
    target = dest.parent / "target.json"
    target.write_text("precious")
    dest.symlink_to(target)
    for check in (True, False):
        result = run(check=check)
        assert result["failed"]
        assert f"dest {dest} is a symbolic link to {target}" in result["msg"]
    assert target.read_text() == "precious"


def test_directory_is_refused(run, dest):
    dest.mkdir()
    result = run()
    assert result["failed"]
    assert "not a regular file" in result["msg"]


@pytest.mark.parametrize("mode", ["0644", "0660", 0o644, 644, 640])
def test_mode_wider_than_mindie_reads(run, dest, mode):
    result = run(mode=mode)
    assert result["failed"]
    assert "expected 0640 or narrower" in result["msg"]
    assert not dest.exists()


@pytest.mark.parametrize(
    "mode, profile, expected", [("0600", "mindie", 0o600), ("u=rw,g=r,o=", "mindie", 0o640), ("0644", "hccl", 0o644), (0o440, "mindie", 0o440)]
)
def test_mode_as_wished(run, dest, mode, profile, expected):
    run(mode=mode, profile=profile)
    assert mode_of(dest) == expected


@pytest.mark.parametrize(
    "args, message",
    [
        ({"servers": SERVERS, "sources": ["/a.json"]}, "mutually exclusive"),
        ({"servers": None}, "server_list: found no server"),
        ({"servers": []}, "server_list: found no server"),
        ({"live_devices": LIVE}, "required together"),
        ({"servers": [{"server_id": "a"}]}, "devices"),
    ],
)
def test_wrong_options(run, args, message):
    result = run(**args)
    assert result["failed"]
    assert message in result["msg"]


def test_neither_servers_nor_sources(run_module, dest):
    result, dummy = run_module(rank_table, {"dest": str(dest)})
    assert "one of the following is required: servers, sources" in result["msg"]
