# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import io
import os

import pytest
from ansible_collections.npuops.ascend.plugins.modules import mindie_info

UNIT = "mindie-mindie.service"
INVOCATION = "0123456789abcdef0123456789abcdef"
BEGIN = "1760260650.100000 npu01 docker[812]: g_mainPid = 7\n1760260650.200000 npu01 docker[812]: ConfigManager: Load Config from /c.json.\n"
STARTED = BEGIN + "1760260690.000000 npu01 docker[812]: Daemon start success!\n"
REFUSED = BEGIN + (
    "1760260651.000000 npu01 docker[812]: Parameter server_count is 1, which is not equal to server_list length in ranktable file, which is 2\n"
    "1760260651.100000 npu01 docker[812]: Failed to init endpoint! Please check the service log or console output.\n"
    "1760260652.000000 npu01 systemd[1]: mindie-mindie.service: Main process exited, code=exited, status=137/n/a\n"
)


@pytest.fixture
def service(run_module, tmp_path):
    """Run the module against a unit in this state with this journal; a file that the service is started with lies in tmp_path."""
    config = tmp_path / "config.json"
    config.write_text("{}")
    record = tmp_path / "started"
    record.write_text(f"{hashlib.sha256(b'{}').hexdigest()}  {config}\n")

    def run(active, journal="", restarts=0, at_boot="enabled", job="", **options):
        properties = f"UnitFileState={at_boot}\nLoadState=loaded\nActiveState={active}\nSubState=running\n"
        properties += f"InvocationID={INVOCATION if journal else ''}\nNRestarts={restarts}\nJob={job}\n"

        def reply(argv, _stdin):
            if argv[:2] == ("systemctl", "show"):
                assert argv[-2:] == ("--", UNIT)
                return 0, properties, ""
            assert argv[0] == "journalctl"
            assert f"_SYSTEMD_INVOCATION_ID={INVOCATION}" in argv
            return 0, journal, ""

        arguments = {"unit": UNIT, "inputs": [str(config)], "started_with": str(record), "log_dir": str(tmp_path / "log"), **options}
        return run_module(mindie_info, arguments, reply)[0]

    return run


@pytest.mark.parametrize(
    ("active", "journal", "restarts", "state", "current"),
    [
        ("inactive", "", 0, "stopped", False),
        ("active", "", 0, "starting", True),
        ("active", BEGIN, 0, "starting", True),
        ("active", STARTED, 0, "ready", True),
        ("failed", REFUSED, 0, "failed", False),
        ("inactive", REFUSED, 0, "failed", False),
        ("inactive", STARTED, 0, "stopped", False),
        ("activating", REFUSED, 3, "failed", False),
    ],
)
def test_state(service, active, journal, restarts, state, current):
    result = service(active, journal, restarts)
    assert (result["state"], result["current"], result["changed"]) == (state, current, False)


@pytest.mark.parametrize(("active", "journal"), [("active", STARTED), ("inactive", STARTED), ("failed", REFUSED), ("inactive", "")])
def test_a_start_that_systemd_has_not_begun_is_not_judged_by_the_one_before(service, active, journal):
    assert service(active, journal, job="1387")["state"] == "starting"
    assert service(active, journal, job="0")["state"] != "starting"


@pytest.mark.parametrize(("at_boot", "enabled"), [("enabled", True), ("disabled", False), ("masked", False), ("", False)])
def test_whether_it_starts_at_boot(service, at_boot, enabled):
    assert service("active", STARTED, at_boot=at_boot)["enabled"] is enabled


def test_the_first_error_is_the_cause(service):
    result = service("failed", REFUSED)
    assert result["first_error"]["text"].startswith("Parameter server_count is 1")
    assert result["first_error"]["source"] == "journal"
    assert result["phase"] == "reading config.json"
    assert result["last_lines"][-1].startswith("mindie-mindie.service: Main process exited")


def test_a_ready_service_has_no_error(service):
    assert service("active", STARTED.replace("g_mainPid", "[ERROR] g_mainPid"))["first_error"] is None


def test_the_logs_on_the_host_are_read_too(service, tmp_path):
    folder = tmp_path / "log" / "debug"
    folder.mkdir(parents=True)
    log = folder / "mindie-server_7_202510121717.log"
    # 17:17:31 +08:00 is 1760260651, before the refusal in the journal; the line of yesterday is not of this start.
    log.write_text(
        "[2025-10-11 10:00:00.000+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : yesterday\n"
        "[2025-10-12 17:17:30.900+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : [MIE04E02011C] weights\xff\n",
        encoding="latin-1",
    )
    error = service("failed", REFUSED)["first_error"]
    assert error["source"] == str(log)
    assert "[MIE04E02011C]" in error["text"]
    os.utime(log, (1760000000, 1760000000))
    assert service("failed", REFUSED)["first_error"]["source"] == "journal"


def test_a_changed_or_unknown_input_is_not_current(service, tmp_path):
    assert service("active", STARTED)["current"] is True
    (tmp_path / "config.json").write_text('{"a": 1}')
    assert service("active", STARTED)["current"] is False
    assert service("active", STARTED, inputs=[])["current"] is False
    assert service("active", STARTED, started_with=str(tmp_path / "none"))["current"] is False


@pytest.mark.parametrize(
    ("answer", "state"),
    [(b'{"data": [{"id": "m"}]}', "ready"), (b'{"data": []}', "starting"), (b"<html>", "starting"), (None, "starting")],
)
def test_ready_means_that_the_api_answers(service, monkeypatch, answer, state):
    def open_url(url, **options):
        assert url == "http://192.0.2.11:1025/v1/models"
        assert options["timeout"] == 5
        if answer is None:
            raise ConnectionRefusedError(111, "Connection refused")
        return io.BytesIO(answer)

    monkeypatch.setattr(mindie_info, "open_url", open_url)
    assert service("active", STARTED, url="http://192.0.2.11:1025")["state"] == state


def test_a_host_without_systemd_is_explained(run_module):
    result, _commands = run_module(mindie_info, {"unit": UNIT}, lambda argv, stdin: (1, "", "System has not been booted with systemd"))
    assert result["failed"]
    assert "needs a host that systemd runs" in result["msg"]
