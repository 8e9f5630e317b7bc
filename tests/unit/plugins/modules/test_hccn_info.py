# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn, _hccn_tool
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply
from ansible_collections.npuops.ascend.plugins.modules import hccn_info

SAMPLES = {
    "-ip": "ip-get--configured-910B3",
    "-gateway": "gateway-get--configured",
    "-netdetect": "netdetect-get--netdetect-address",
    "-tls": "tls-get--switch-off",
    "-mtu": "mtu-get",
    "-link": "link-get--up",
    "-net_health": "net-health-get--success",
    "-lldp": "lldp-get--huawei-switch-910B1",
    "-mac": "mac-get",
    "-speed": "speed-get--200g",
    "-duplex": "duplex-get--full",
    "-optical": "optical-get--910A-dump",
    "-stat": "stat-get--all-counters",
    "-link_stat": "link_stat-get--with-down-count",
    "-version": "version-get",
    "-vnic": "vnic-get--up",
    "-process": "process-get--exist",
    "-fec": "fec-get--not-switchable-a2",
    "-udp": "udp-get--auto",
    "-cfg": "cfg-status--success",
}
DEFAULT = {
    "address": "10.12.165.80",
    "netmask": "255.255.255.0",
    "gateway": "10.12.165.1",
    "netdetect": "10.12.165.1",
    "tls_enabled": False,
    "tls": {"preset": True, "alarm_days": 60, "certificates": []},
    "mtu": 4200,
    "link": "up",
    "net_health": "success",
    "errors": {},
}


@pytest.fixture
def recorded(fixture_text):
    """Answer each command with its recorded sample."""

    def reply(argv, _stdin):
        name = "ip-get--inet6" if "-inet6" in argv else SAMPLES[argv[3]]
        return 0, fixture_text(f"cli/hccn_tool/{name}.txt"), ""

    return reply


@pytest.fixture(autouse=True)
def host(tmp_path, monkeypatch):
    """A host with devices 0 to 11, nodes created out of order, and an hccn.conf that knows the TLS switches."""
    for n in reversed(range(12)):
        (tmp_path / f"davinci{n}").touch()
    for name in ("davinci_manager", "davinci0.tmp", "devmm_svm", "hisi_hdc", "hccn.conf"):
        (tmp_path / name).touch()
    (tmp_path / "hccn.conf").write_text("".join(f"tls_enable_{n}=0\n" for n in range(12)))
    monkeypatch.setattr(_hccn, "CONF_PATH", str(tmp_path / "hccn.conf"))
    monkeypatch.setattr(_hccn_tool, "DEVICE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(_hccn_tool.time, "sleep", lambda seconds: None)
    return tmp_path


def test_all_devices_and_the_default_subset(run_module, recorded):
    result, commands = run_module(hccn_info, {}, recorded)
    assert result["changed"] is False
    assert result["devices"] == [{"device": n, **DEFAULT} for n in range(12)]
    assert len(commands) == 12 * 7
    assert {command[3:] for command in commands} == {
        ("-ip", "-g"),
        ("-gateway", "-g"),
        ("-netdetect", "-g"),
        ("-tls", "-g"),
        ("-mtu", "-g"),
        ("-link", "-g"),
        ("-net_health", "-g"),
    }


def test_only_what_is_asked(run_module, recorded):
    result, commands = run_module(hccn_info, {"devices": [3, 1, 3], "subset": ["speed", "mac"]}, recorded)
    assert result["devices"] == [{"device": n, "mac": "d8:76:ae:d9:ba:ed", "speed_mbps": 200000, "errors": {}} for n in (1, 3)]
    assert len(commands) == 4


def test_everything(run_module, recorded):
    result, commands = run_module(hccn_info, {"devices": [0], "subset": ["all"]}, recorded)
    device = result["devices"][0]
    assert len(commands) == 21
    assert device["errors"] == {}
    assert device["lldp"]["port_id"] == "400GE1/1/20:2"
    assert device["version"] == {"driver": "1.0.4.0", "firmware": "1.1.4.0"}
    assert (device["ipv6_address"], device["duplex"], device["hccp_process"], device["config_status"]) == ("fd00:10:12:165::80", "full", True, "success")


def test_check_mode_reads_too(run_module, recorded):
    assert run_module(hccn_info, {"devices": [0]}, recorded, check=True)[0]["devices"] == [{"device": 0, **DEFAULT}]


def test_fresh_device(run_module, fixture_text):
    replies = {
        "hccn_tool -i 0 -ip -g": (13, "", fixture_text("cli/hccn_tool/ip-get--unconfigured.stderr.txt")),
        "hccn_tool -i 0 -gateway -g": (2, "", fixture_text("cli/hccn_tool/gateway-get--unconfigured.stderr.txt")),
        "hccn_tool -i 0 -netdetect -g": fixture_text("cli/hccn_tool/netdetect-get--unset.txt"),
    }
    result, _commands = run_module(hccn_info, {"devices": [0], "subset": ["address", "gateway", "netdetect"]}, replies)
    assert result["devices"] == [{"device": 0, "address": None, "netmask": None, "gateway": None, "netdetect": None, "errors": {}}]


def test_failure_of_one_subset_is_reported_and_the_others_are_read(run_module, fixture_text):
    replies = {
        "hccn_tool -i 0 -optical -g": (13, fixture_text("cli/hccn_tool/error--unsupported-on-product.txt"), ""),
        "hccn_tool -i 0 -mtu -g": "mtu:1500\n",
    }
    device = run_module(hccn_info, {"devices": [0], "subset": ["mtu", "optical"]}, replies)[0]["devices"][0]
    assert (device["mtu"], device["optical"]) == (1500, None)
    assert list(device["errors"]) == ["optical"]
    assert "hccn_tool -i 0 -optical -g: The command is not supported on this product. (exit code 13)" in device["errors"]["optical"]


def test_lost_device_is_not_asked_again(run_module, recorded, fixture_text):
    def lose_5(argv, stdin):
        return (4, "", fixture_text("cli/hccn_tool/error--device-not-exist.stderr.txt")) if argv[2] == "5" else recorded(argv, stdin)

    result, commands = run_module(hccn_info, {}, lose_5)
    assert len(commands) == 11 * 7 + 1
    assert set(result["devices"][5]["errors"]) == {"address", "gateway", "netdetect", "tls", "mtu", "link", "net_health"}
    assert result["devices"][5]["link"] is None
    assert result["devices"][6] == {"device": 6, **DEFAULT}


def test_hanging_device_costs_one_time_limit(run_module, recorded):
    result, commands = run_module(hccn_info, {"timeout": 4}, lambda argv, stdin: (124, "", "") if argv[2] == "5" else recorded(argv, stdin))
    assert len(commands) == 11 * 7 + 1
    assert "hccn_tool -i 5 -ip -g gave no result within 4 s" in result["devices"][5]["errors"]["mtu"]


def test_hanging_tool(run_module):
    result, commands = run_module(hccn_info, {"timeout": 4}, lambda argv, stdin: (124, "", ""))
    assert result["failed"]
    assert "Nothing could be read from 12 device(s). hccn_tool -i 0 -ip -g gave no result within 4 s" in result["msg"]
    assert len(commands) == 12


def test_garbage(run_module):
    result, _commands = run_module(hccn_info, {"devices": [0]}, lambda argv, stdin: (0, "\ufffd\ufffd\n", ""))
    assert "Nothing could be read from 1 device(s). hccn_tool -i 0 -ip -g printed something unknown" in result["msg"]


def test_missing_tool(run_module):
    result, commands = run_module(hccn_info, {}, missing_tools=["hccn_tool"])
    assert result["failed"]
    assert "hccn_tool was not found in /usr/local/Ascend/driver/tools, /usr/bin, /usr/local/bin, PATH" in result["msg"]
    assert commands == []


def test_no_driver(run_module, host):
    for path in host.glob("davinci*"):
        path.unlink()
    result, _commands = run_module(hccn_info, {})
    assert "This host has no /dev/davinciN" in result["msg"]


def test_unknown_device(run_module, host):
    result, commands = run_module(hccn_info, {"devices": [0, 12]})
    assert "This host has no device 12: " in result["msg"]
    assert commands == []


def test_named_devices_without_nodes_are_asked(run_module, host, recorded):
    """In a container the nodes may be absent or others."""
    for path in host.glob("davinci*"):
        path.unlink()
    assert len(run_module(hccn_info, {"devices": [0], "subset": ["mtu"]}, recorded)[0]["devices"]) == 1


def test_bad_time_limit(run_module):
    assert "timeout is 0" in run_module(hccn_info, {"timeout": 0})[0]["msg"]


def test_busy_tool_is_asked_again(run_module, recorded, fixture_text):
    refused = set()

    def reply(argv, stdin):
        if len(refused) < 20 and argv not in refused:
            refused.add(argv)
            return 11, fixture_text("cli/hccn_tool/error--busy.txt"), ""
        return recorded(argv, stdin)

    result, commands = run_module(hccn_info, {}, reply)
    assert [device["errors"] for device in result["devices"]] == [{}] * 12
    assert len(commands) == 12 * 7 + 20


def test_after_a_busy_answer_calls_no_longer_overlap(monkeypatch):
    running, overlaps, first = [], [], [True]

    class Cli:
        path = "hccn_tool"

        def __init__(self, *_args):
            pass

        def run(self, *args, answer=None):
            running.append(args)
            if first:
                first.clear()
                result = Reply(("hccn_tool", *args), 11, "hccn_tool is busy, please try again.\n", "")
            else:
                overlaps.append(len(running))
                result = Reply(("hccn_tool", *args), 0, "mtu:1500\n", "")
            threading.Event().wait(0.005)
            running.remove(args)
            return result

    monkeypatch.setattr(_hccn_tool, "VendorCli", Cli)
    tool = _hccn_tool.HccnTool(None, 30)
    tool.ask(0, "-mtu", "-g")
    readings = tool.read_all(dict.fromkeys(range(12), ["mtu"]))
    assert [reading.values["mtu"] for reading in readings.values()] == [1500] * 12
    assert max(overlaps) == 1


def test_tool_that_stays_busy(run_module, fixture_text):
    text = fixture_text("cli/hccn_tool/error--busy.txt")
    result, commands = run_module(hccn_info, {"devices": [0], "subset": ["mtu"]}, lambda argv, stdin: (11, text, ""))
    assert "hccn_tool is busy, please try again. (exit code 11). Another hccn_tool uses the device channel" in result["msg"]
    assert len(commands) == 7


def test_reading_never_damages_a_file_without_final_newline(run_module, recorded, host):
    """``-tls -g`` adds a missing tls_enable_N; the tool would glue it to the last line."""
    (host / "hccn.conf").write_text("tls_enable_0=0\naddress_1=10.12.165.81")
    result, commands = run_module(hccn_info, {"devices": [0, 1]}, recorded)
    assert [command for command in commands if "-tls" in command] == [("hccn_tool", "-i", "0", "-tls", "-g")]
    assert result["devices"][0]["tls_enabled"] is False
    assert result["devices"][1]["tls_enabled"] is None
    assert "does not end with a newline and has no tls_enable_1" in result["devices"][1]["errors"]["tls"]
