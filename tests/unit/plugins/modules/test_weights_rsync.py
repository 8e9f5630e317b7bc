# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.npuops.ascend.plugins.modules import weights_rsync

SOURCE = "rsync://192.0.2.11:16881/weights/"


@pytest.fixture
def transfer(run_module, tmp_path):
    calls = []

    def run(answer=(0, ">f+++++++++ config.json\n", ""), **options):
        arguments = {"src": SOURCE, "dest": str(tmp_path / "model"), "progress": str(tmp_path / "p.json"), **options}
        calls.clear()
        result = run_module(weights_rsync, arguments, replies=lambda argv, stdin: calls.append((argv, stdin)) or answer)[0]
        return result, list(calls)

    return run


def test_everything_is_taken_and_what_was_interrupted_continues(transfer, tmp_path):
    result, ((argv, stdin),) = transfer()
    assert result["changed"]
    assert argv == ("rsync", "--recursive", "--times", "--partial", "--partial-dir=.rsync-partial", "--itemize-changes", "--", SOURCE, str(tmp_path / "model"))
    assert stdin is None
    assert not (tmp_path / "p.json").exists()


def test_named_files_are_taken_even_with_the_same_time_and_at_a_limited_rate(transfer):
    _result, ((argv, stdin),) = transfer(files=["config.json", "tp-0/model.safetensors"], rate_limit=1_048_576)
    assert {"--ignore-times", "--files-from=-", "--bwlimit=1024"} <= set(argv)
    assert stdin == "config.json\ntp-0/model.safetensors\n"


def test_nothing_new(transfer):
    assert not transfer(answer=(0, "", ""))[0]["changed"]


def test_a_failure_in_the_words_of_rsync(transfer):
    result, _calls = transfer(answer=(10, "", "rsync: [Receiver] failed to connect to 192.0.2.11: Connection refused (111)\n"))
    assert result["failed"]
    for word in (SOURCE, "exit 10", "Connection refused", "Run again"):
        assert word in result["msg"]


def test_a_measure_runs_nothing(transfer, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model/x").write_bytes(b"x" * 5000)
    result, calls = transfer(measure=True)
    assert (result["changed"], calls) == (False, [])
    assert result["used_bytes"] >= 5000
