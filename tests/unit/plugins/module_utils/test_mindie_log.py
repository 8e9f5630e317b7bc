# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_log as log
from hypothesis import given, settings
from hypothesis import strategies as st

START = """\
1760260650.100000 npu01 docker[812]: g_mainPid = 7
1760260650.200000 npu01 docker[812]: ConfigManager: Load Config from /conf/config.json.
1760260650.300000 npu01 docker[812]: Start to parse ranktable file
"""


def test_the_phase_is_the_furthest_point():
    lines = log.read_journal(START)
    assert log.phase(lines) == "reading the rank table"
    assert log.phase(reversed(lines)) == "reading the rank table"
    assert log.phase([]) == "container starting"
    assert not log.started(lines)
    assert log.started(log.read_journal(START + "1760260659.0 npu01 docker[812]: Daemon start success!\n"))


def test_the_cause_stands_before_its_consequences():
    text = START + (
        "1760260650.400000 npu01 docker[812]: Input device_ip [-.-.-.-] is invalid\n"
        "1760260650.400001 npu01 docker[812]: Parameter device_ip is invalid in ranktable file.\n"
        "1760260650.500000 npu01 docker[812]: Failed to init endpoint! Please check the service log or console output.\n"
    )
    assert log.first_error(log.read_journal(text)).text == "Input device_ip [-.-.-.-] is invalid"


def test_a_consequence_is_better_than_nothing():
    text = "1760260650.5 npu01 docker[812]: Failed to init endpoint! Please check the service log or console output.\n"
    assert log.first_error(log.read_journal(text)).text.startswith("Failed to init endpoint!")


def test_the_earliest_of_several_sources_wins():
    # 2025-10-12 17:17:33 +08:00 is 1760260653.
    journal = log.read_journal("1760260660.0 npu01 docker[812]: Failed to open the door\n")
    mindie = log.read_log("server.log", "[2025-10-12 17:17:35.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : [MIE04E02011C] [endpoint] it broke\n")
    plog = log.read_log("plog.log", "[ERROR] HCCL(7,python):2025-10-12-17:17:33.458.123 [socket.cc:9] wait socket establish timeout\n", 8 * 3600)
    assert log.first_error(journal + mindie + plog).source == "plog.log"
    assert log.first_error(journal + mindie).source == "server.log"
    assert plog[0].time == pytest.approx(1760260653.458123, abs=1e-6)
    assert mindie[0].time == pytest.approx(1760260655.458, abs=1e-6)


def test_a_line_without_a_stamp_has_the_time_before_it():
    lines = log.read_log("a.log", "[2025-10-12 17:17:33.000+00:00] [INFO] begin\nTraceback (most recent call last):\n")
    assert lines[1].time == lines[0].time


@pytest.mark.parametrize(
    "text",
    [
        "Parameter server_count is 1, which is not equal to server_list length in ranktable file, which is 2",
        "Parameter rankId in ranktable is 512, which is out of allow range [0, 511].",
        "The containerIp in the server node is empty in ranktable file.",
        "Ranktable file is not exist, please set a valid ranktable file path with RANK_TABLE_FILE environment.",
        "[ParamChecker::CheckJsonParamType] port: missing compulsory field",
        "Json file is invalid. Please check json format! ",
        "Process 12 was terminated by signal 9 (Killed)",
        "EI0006: Getting socket times out.",
        "docker: Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: /usr/local/Ascend/driver.",
        "Warmup failed. NPU out of memory",
    ],
)
def test_the_daemons_texts_are_errors(text):
    assert log.first_error([log.Line("journal", text, 1.0)]) is not None


@pytest.mark.parametrize(
    "text",
    [
        "Daemon start success!",
        "[2025-10-12 17:17:33.458+08:00] [7] [7] [server] [INFO] [http_server.cpp:54] : [endpoint] Receive request",
        "Multi Nodes infer slave instance need not init TokenizerProcessPool and HttpWrapper",
        "Finished parsing ranktable file.",
        "Update worldSize and npuDeviceIds of backend config successfully for Multi Nodes Inference.",
        "Daemon is killing, please wait about 15 seconds...",
    ],
)
def test_ordinary_lines_are_none(text):
    assert log.first_error([log.Line("journal", text, 1.0)]) is None


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_is_read(text):
    assert len(log.read_journal(text)) == len(text.splitlines())
    assert [line.text for line in log.read_log("x", text)] == text.splitlines()
