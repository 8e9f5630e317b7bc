# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import os

import pytest
from ansible_collections.npuops.ascend.plugins.modules import explain

DOWN = "[ERROR] HCCL(1,python):2025-10-12-17:17:33.000.000 [s.cc:1] [9]EJ0002: The network port is down.\n"
LATER = "[2025-10-12 17:17:35.000+00:00] [7] [7] [server] [ERROR] [a.cpp:1] : Failed to init endpoint! Please check the service log or console output.\n"
INVOCATION = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    explain.time.tzset()
    yield
    monkeypatch.undo()
    explain.time.tzset()


def test_the_first_cause_of_files_in_a_directory(run_module, tmp_path):
    folder = tmp_path / "debug" / "plog"
    folder.mkdir(parents=True)
    with gzip.open(folder / "plog-1_1.log.gz", "wt") as stream:
        stream.write(DOWN)
    (tmp_path / "mindie-server.log").write_text(LATER)
    (tmp_path / "config.json").write_text("EI0006")
    (tmp_path / "link.log").symlink_to("/etc/hostname")
    (tmp_path / "core.log").write_bytes(b"\0\0EI0006")
    result, _commands = run_module(explain, {"paths": [str(tmp_path)]})
    assert (result["explanation"]["id"], result["explanation"]["file"]) == ("EJ0002", str(folder / "plog-1_1.log.gz"))
    assert [other["id"] for other in result["explanation"]["others"]] == ["mindie_consequence"]
    assert result["read"] == [str(tmp_path / "mindie-server.log"), str(folder / "plog-1_1.log.gz")]
    assert result["not_read"] == [{"path": str(tmp_path / "core.log"), "reason": "it is no text"}]
    assert result["changed"] is False


def test_what_cannot_be_read_is_named(run_module, tmp_path):
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(b"a line\n" * 1000)[:-20])
    os.mkfifo(tmp_path / "pipe")
    result, _commands = run_module(explain, {"paths": [str(tmp_path / "none"), str(tmp_path / "cut.log.gz"), str(tmp_path / "pipe")]})
    assert [entry["path"] for entry in result["not_read"]] == [str(tmp_path / "none"), str(tmp_path / "cut.log.gz"), str(tmp_path / "pipe")]
    assert result["not_read"][0]["reason"] == "No such file or directory"
    assert result["explanation"]["first_error"] is None


def test_text_that_is_no_utf8_is_read(run_module, tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes("Ranktable file path is invalid. \xff\xe4\n".encode("latin-1"))
    result, _commands = run_module(explain, {"paths": [str(path)]})
    assert result["explanation"]["id"] == "ranktable_path"


def test_the_last_run_of_a_unit_and_nothing_older(run_module, tmp_path):
    (tmp_path / "old.log").write_text("[2025-10-11 10:00:00.000+00:00] [ERROR] EI0006: yesterday\n")
    # 1760260660 is 2025-10-12 09:17:40 UTC.
    replies = {
        "systemctl list-units --all --plain --no-legend --type=service -- mindie-*.service": "mindie-a.service loaded failed failed MindIE a\n",
        "systemctl show --property LoadState,InvocationID -- mindie-a.service": f"LoadState=loaded\nInvocationID={INVOCATION}\n",
        "systemctl show --property LoadState,InvocationID -- none.service": "LoadState=not-found\nInvocationID=\n",
        f"journalctl --no-pager --output=short-unix --lines=20000 _SYSTEMD_INVOCATION_ID={INVOCATION} + INVOCATION_ID={INVOCATION}": (
            "1760260660.0 npu01 docker[8]: g_mainPid = 7\n1760260661.0 npu01 docker[8]: The containerIp in the server node is empty in ranktable file.\n"
        ),
    }
    arguments = {"units": ["mindie-*.service", "none.service"], "paths": [str(tmp_path)]}
    result, _commands = run_module(explain, arguments, replies)
    assert (result["explanation"]["id"], result["explanation"]["file"]) == ("ranktable_container_ip", "mindie-a.service")
    assert result["not_read"] == [{"path": "none.service", "reason": "there is no such unit"}]
    result, _commands = run_module(explain, {**arguments, "last_start": False}, replies)
    assert result["explanation"]["id"] == "EI0006"


def test_a_host_without_systemd_has_files_only(run_module, tmp_path):
    (tmp_path / "a.log").write_text(DOWN)

    def reply(_argv, _stdin):
        return 1, "", "System has not been booted with systemd"

    result, _commands = run_module(explain, {"units": ["a.service"], "paths": [str(tmp_path)]}, reply)
    assert result["explanation"]["id"] == "EJ0002"
    assert "has not been booted" in result["not_read"][0]["reason"]
    result, _commands = run_module(explain, {"units": ["a.service"]}, reply)
    assert "needs a host that systemd runs" in result["msg"]


def test_nothing_to_read_is_refused(run_module):
    assert "both empty" in run_module(explain, {})[0]["msg"]
