# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn_tool
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli
from ansible_collections.npuops.ascend.plugins.modules import hccn_ping

TARGET = "10.12.165.80"  # of the recorded pings of device 0
LOST = "10.12.165.81"
ANSWERED = {
    "device": 0,
    "target": TARGET,
    "transmitted": 3,
    "received": 3,
    "loss_percent": 0.0,
    "times_ms": [0.114, 0.067, 0.063],
    "min_ms": 0.063,
    "avg_ms": pytest.approx((0.114 + 0.067 + 0.063) / 3, abs=1e-6),
    "max_ms": 0.114,
    "said": None,
    "error": None,
}
NOTHING = {"transmitted": 0, "received": 0, "loss_percent": None, "times_ms": [], "min_ms": None, "avg_ms": None, "max_ms": None, "said": None}


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    for n in range(8):
        (tmp_path / f"davinci{n}").touch()
    monkeypatch.setattr(_hccn_tool, "DEVICE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(_hccn_tool.time, "sleep", lambda seconds: None)
    return tmp_path


@pytest.fixture
def recorded(fixture_text):
    """Every ping is answered as in the recording, by the device and from the target that were asked for."""
    text = fixture_text("cli/hccn_tool/ping--ok-910B3.txt")
    return lambda argv, _stdin: (0, text.replace("device 0 ", f"device {argv[2]} ").replace(TARGET, argv[6]), "")


def test_an_answer_and_a_loss(run_module, fixture_text):
    replies = {
        f"hccn_tool -i 0 -ping -g address {TARGET}": fixture_text("cli/hccn_tool/ping--ok-910B3.txt"),
        f"hccn_tool -i 0 -ping -g address {LOST}": (
            1,
            fixture_text("cli/hccn_tool/ping--all-lost.txt"),
            fixture_text("cli/hccn_tool/ping--all-lost.stderr.txt"),
        ),
    }
    args = {"pings": [{"device": 0, "targets": [TARGET, LOST, TARGET]}]}
    result, commands = run_module(hccn_ping, args, replies)
    assert result["changed"] is False
    assert result["pings"] == [
        ANSWERED,
        {**NOTHING, "device": 0, "target": LOST, "transmitted": 3, "loss_percent": 100.0, "times_ms": [None] * 3, "error": None},
    ]
    assert len(commands) == 2
    assert run_module(hccn_ping, args, replies, check=True)[0] == result


def test_a_target_that_cannot_be_reached_is_a_loss_with_its_reason(run_module):
    text = f"device 0 PING {LOST}\n" + "From 10.12.165.80 Destination Host Unreachable\n" * 3
    args = {"pings": [{"device": 0, "targets": [LOST]}]}
    ping = run_module(hccn_ping, args, {f"hccn_tool -i 0 -ping -g address {LOST}": (1, text, "Command execute failed!\n")})[0]["pings"][0]
    assert ping == {
        **NOTHING, "device": 0, "target": LOST, "transmitted": 3, "loss_percent": 100.0, "said": "From 10.12.165.80 Destination Host Unreachable",
        "error": None,
    }  # fmt: skip


def test_a_packet_that_does_not_fit_was_not_lost(run_module):
    text = f"device 0 PING {LOST}\nping: sendmsg: Message too long\n3 packets transmitted, 0 received, 100.00% packet loss\n"
    args = {"pings": [{"device": 0, "targets": [LOST]}], "size": 65507}
    replies = {f"hccn_tool -i 0 -ping -g address {LOST} pkt 65507": (1, text, "Command execute failed!\n")}
    ping = run_module(hccn_ping, args, replies)[0]["pings"][0]
    assert ping == {**NOTHING, "device": 0, "target": LOST, "error": ping["error"]}
    assert "ping: sendmsg: Message too long (exit code 1). The packet does not fit: ping with a smaller size" in ping["error"]


def test_devices_side_by_side_and_one_call_at_a_time_per_device(run_module, recorded, monkeypatch):
    barrier, threads = threading.Barrier(8, timeout=30), {}

    def run(_cli, *args, answer=None):
        assert answer is None
        argv = ("hccn_tool", *args)
        assert threads.setdefault(argv[2], threading.get_ident()) == threading.get_ident()
        if argv[6] == "10.0.0.1":
            barrier.wait()  # passes only when all devices are in a call at once
        return Reply(argv, *recorded(argv, None))

    monkeypatch.setattr(VendorCli, "run", run)
    pings = [{"device": n, "targets": ["10.0.0.1", "10.0.0.2"]} for n in reversed(range(8))]
    result, _commands = run_module(hccn_ping, {"pings": pings})
    assert [ping["error"] for ping in result["pings"]] == [None] * 16
    assert [(ping["device"], ping["target"]) for ping in result["pings"]] == [
        (n, target) for n in reversed(range(8)) for target in ("10.0.0.1", "10.0.0.2")
    ]


@pytest.mark.parametrize(("count", "calls"), [(1, 1), (3, 1), (4, 2), (6, 2)])
def test_more_packets_are_more_calls(run_module, recorded, count, calls):
    result, commands = run_module(hccn_ping, {"pings": [{"device": 0, "targets": [TARGET]}], "count": count, "size": 64}, recorded)
    assert commands == [("hccn_tool", "-i", "0", "-ping", "-g", "address", TARGET, "pkt", "64")] * calls
    assert result["pings"][0]["transmitted"] == 3 * calls
    assert len(result["pings"][0]["times_ms"]) == 3 * calls


def test_hccs(run_module, fixture_text):
    replies = {"hccn_tool -i 0 -hccs_ping -g address 192.0.2.11 pkt 2048 cnt 3": fixture_text("cli/hccn_tool/hccs_ping--ok-A3.txt")}
    args = {"pings": [{"device": 0, "targets": ["192.0.2.11"]}], "hccs": True, "size": 2048}
    ping = run_module(hccn_ping, args, replies)[0]["pings"][0]
    assert ping["times_ms"] == pytest.approx([0.02131, 0.0184, 0.01895])
    assert (ping["received"], ping["loss_percent"], ping["error"]) == (3, 0.0, None)


def test_a_refusal_concerns_its_pair_alone(run_module, fixture_text, recorded):
    def reply(argv, stdin):
        if argv[2] == "1":
            return 13, fixture_text("cli/hccn_tool/error--unsupported-on-product.txt"), ""
        if argv[6] == LOST:
            return 0, "\x00\x01garbage\n", ""
        return recorded(argv, stdin)

    result, _commands = run_module(hccn_ping, {"pings": [{"device": n, "targets": [LOST, TARGET]} for n in (0, 1)]}, reply)
    garbage, answered, *refused = result["pings"]
    assert garbage["error"].startswith(f"hccn_tool -i 0 -ping -g address {LOST} printed something unknown: device N PING ADDRESS expected")
    assert answered == ANSWERED
    assert ["not supported on this product" in ping["error"] for ping in refused] == [True, True]
    assert refused[0] == {**NOTHING, "device": 1, "target": LOST, "error": refused[0]["error"]}


def test_an_answer_about_another_pair_is_no_answer(run_module, fixture_text):
    replies = {f"hccn_tool -i 3 -ping -g address {TARGET}": fixture_text("cli/hccn_tool/ping--ok-910B3.txt")}
    ping = run_module(hccn_ping, {"pings": [{"device": 3, "targets": [TARGET]}]}, replies)[0]["pings"][0]
    assert f"device 3 PING {TARGET} with as many answers as packets at most expected" in ping["error"]
    assert ping["received"] == 0


def test_a_hanging_or_lost_device_is_not_asked_again(run_module, fixture_text, recorded):
    gone = fixture_text("cli/hccn_tool/error--device-not-exist.stderr.txt")
    asked = []

    def reply(argv, stdin):
        asked.append(argv[2])
        if argv[2] == "3":
            return 124, "", ""
        return (4, "", gone) if argv[2] == "4" else recorded(argv, stdin)

    targets = [f"10.0.0.{n}" for n in range(1, 9)]
    result, _commands = run_module(hccn_ping, {"pings": [{"device": n, "targets": targets} for n in (2, 3, 4)], "timeout": 7}, reply)
    assert sorted(asked) == ["2"] * 8 + ["3", "4"]
    errors = {n: [ping["error"] for ping in result["pings"] if ping["device"] == n] for n in (2, 3, 4)}
    assert errors[2] == [None] * 8
    assert "gave no result within 7 s" in errors[3][0]
    assert errors[3][1:] == [f"Not asked after this: {errors[3][0]}"] * 7
    assert "dropped off" in errors[4][0] and len(errors[4]) == 8


def test_a_device_without_a_node_is_not_asked(run_module, recorded):
    result, commands = run_module(hccn_ping, {"pings": [{"device": 0, "targets": [TARGET]}, {"device": 9, "targets": [TARGET]}]}, recorded)
    assert len(commands) == 1
    assert result["pings"][1]["error"].startswith("This host has no device 9 (no /dev/davinci9)")


def test_a_busy_tool_is_asked_again(run_module, fixture_text):
    replies = {
        f"hccn_tool -i 0 -ping -g address {TARGET}": [
            (11, fixture_text("cli/hccn_tool/error--busy.txt"), ""),
            fixture_text("cli/hccn_tool/ping--ok-910B3.txt"),
        ]
    }
    assert run_module(hccn_ping, {"pings": [{"device": 0, "targets": [TARGET]}]}, replies)[0]["pings"] == [ANSWERED]


def test_a_missing_tool_is_said(run_module):
    result, _commands = run_module(hccn_ping, {"pings": [{"device": 0, "targets": [TARGET]}]}, missing_tools=["hccn_tool"])
    assert result["failed"] and "install the driver first" in result["msg"]


def test_nothing_to_ping(run_module):
    assert run_module(hccn_ping, {"pings": []})[0] == {"changed": False, "pings": []}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"count": 0}, "count is 0; expected 1 to 3000."),
        ({"hccs": True, "count": 1001}, "count is 1001; expected 1 to 1000 with hccs."),
        ({"size": 65508}, "size is 65508; expected 0 to 65507."),
        ({"hccs": True, "size": 64}, "size is 64; expected 1792 to 3000 with hccs."),
        ({"timeout": 0}, "timeout is 0; expected at least 1 second."),
        ({"pings": [{"device": -1, "targets": []}]}, "device -1 is no physical id"),
        ({"pings": [{"device": 0, "targets": ["-tls"]}]}, "target '-tls' is no IPv4 address"),
    ],
)
def test_bad_options_are_refused_before_any_call(run_module, args, words):
    result, commands = run_module(hccn_ping, {"pings": [{"device": 0, "targets": [TARGET]}], **args})
    assert result["failed"] and words in result["msg"] and commands == []
