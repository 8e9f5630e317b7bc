# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible.module_utils import basic
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli, VendorCliError


@pytest.fixture
def tool(tmp_path):
    """Make a tool out of shell text and give a VendorCli for it; commands are really run."""

    class Module(basic.AnsibleModule):
        def __init__(self):
            self.run_command_environ_update = {}
            self._debug = False

    def make(text: str, mode: int = 0o755, **options) -> VendorCli:
        path = tmp_path / "hccn_tool"
        path.write_text(text)
        path.chmod(mode)
        return VendorCli(Module(), "hccn_tool", [str(tmp_path)], **options)

    return make


def test_reply_keeps_streams_and_exit_code_apart(tool):
    cli = tool('#!/bin/sh\necho "$@"\necho "no ip" >&2\nexit 13\n')
    reply = cli.run("-i", "0", "-ip", "-g")
    assert (reply.rc, reply.stdout, reply.stderr) == (13, "-i 0 -ip -g\n", "no ip\n")
    assert reply.argv == (cli.path, "-i", "0", "-ip", "-g")
    assert reply.text == "no ip\n-i 0 -ip -g"


def test_arguments_are_never_expanded(tool):
    assert tool('#!/bin/sh\nprintf "%s\\n" "$@"\n').run("$HOME", "~", "a b", ";id").stdout == "$HOME\n~\na b\n;id\n"


def test_language_is_english_and_environment_is_added(tool):
    cli = tool('#!/bin/sh\necho "$LC_ALL $LANGUAGE $EXTRA"\n', env={"EXTRA": "x"})
    assert cli.run().stdout == "C C x\n"


def test_standard_input_is_at_its_end(tool):
    assert tool("#!/bin/sh\nread answer\necho \"$? <$answer>\"\n").run().stdout == "1 <>\n"


def test_answer_is_one_line(tool):
    assert tool("#!/bin/sh\nread answer\necho \"$? <$answer>\"\n").run(answer="y").stdout == "0 <y>\n"


def test_tool_that_ends_before_it_reads_the_answer(tool):
    cli = tool("#!/bin/sh\nexec <&-\necho 'The device is not exist!' >&2\nexit 4\n")
    assert {cli.run(answer="y" * 200000).rc for attempt in range(3)} == {4}


def test_output_of_a_tool_that_ends_while_nobody_looks_is_kept(tool, monkeypatch):
    """What a busy host does: the look at the streams comes back empty, and the tool has ended by then."""

    class Late(basic.selectors.PollSelector):
        def select(self, timeout=None):
            time.sleep(0.3)
            return []

    monkeypatch.setattr(basic.selectors, "PollSelector", Late)
    reply = tool("#!/bin/sh\necho 'netdetect address:192.0.2.1'\necho late >&2\n").run("-netdetect", "-g")
    assert (reply.rc, reply.stdout, reply.stderr) == (0, "netdetect address:192.0.2.1\n", "late\n")


def test_a_process_that_the_tool_leaves_behind_does_not_keep_it(tool):
    began = time.monotonic()
    assert tool("#!/bin/sh\nsleep 20 &\necho done\n").run().stdout == "done\n"
    assert time.monotonic() - began < 10


def test_much_output_on_both_streams(tool):
    reply = tool("#!/bin/sh\nseq 100000 >&2\nseq 100000\n").run()
    assert reply.stdout == reply.stderr
    assert len(reply.stdout.splitlines()) == 100000


def test_undecodable_bytes_are_replaced(tool):
    assert tool("#!/bin/sh\nprintf 'a\\377b'\n").run().stdout == "a\ufffdb"


@pytest.mark.parametrize("ignore_term", ["", "trap '' TERM; "])
def test_hanging_tool_is_stopped_and_the_limit_named(tool, monkeypatch, ignore_term):
    monkeypatch.setattr("ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli.KILL_AFTER", 0.1)
    cli = tool(f"#!/bin/sh\n{ignore_term}echo early\nwhile :; do sleep 0.05; done\n", timeout=2)
    with pytest.raises(VendorCliError, match=r"hccn_tool -i 0 -ip -g gave no result within 2 s") as error:
        cli.run("-i", "0", "-ip", "-g")
    assert error.value.reason == "timeout"
    assert error.value.stdout == "early\n"


def test_time_limit_of_one_call(tool):
    with pytest.raises(VendorCliError, match=r"within 0\.2 s"):
        tool("#!/bin/sh\nsleep 5\n").run(timeout=0.2)


def test_missing_tool(tool, tmp_path):
    cli = tool("")
    os.unlink(cli.path)
    cli = VendorCli(cli.module, "hccn_tool_not_here", [str(tmp_path)])
    assert cli.path is None
    with pytest.raises(VendorCliError, match=f"hccn_tool_not_here was not found in {tmp_path}, PATH.*driver") as error:
        cli.run("-h")
    assert error.value.reason == "missing"


def test_tool_that_cannot_be_started(tool):
    cli = tool("#!/nonexistent/loader\n")
    with pytest.raises(VendorCliError, match="could not be started") as error:
        cli.run("-h")
    assert error.value.reason == "missing"


def test_exit_code_127_of_the_tool_itself_is_a_reply(tool):
    assert tool("#!/bin/sh\necho 'error while loading shared libraries' >&2\nexit 127\n").run().rc == 127


def test_many_threads(tool):
    cli = tool('#!/bin/sh\necho "$1"\n')
    with ThreadPoolExecutor(8) as pool:
        assert [reply.stdout for reply in pool.map(lambda n: cli.run(str(n)), range(24))] == [f"{n}\n" for n in range(24)]


def test_error_from_reply():
    error = VendorCliError.from_reply("text", Reply(("a", "b"), 3, "out", "err"), "unparsable")
    assert (str(error), error.reason, error.argv, error.rc, error.stdout, error.stderr) == ("text", "unparsable", ("a", "b"), 3, "out", "err")
