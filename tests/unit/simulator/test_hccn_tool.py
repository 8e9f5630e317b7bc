# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recordings do not show of hccn_tool: traps from the notes on the grammar, the device model, faults, the real process."""

from __future__ import annotations

import calendar
import os
import re
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from npusim import hccn_commands

if t.TYPE_CHECKING:
    from .conftest import Host

SIMULATOR = Path(__file__).resolve().parents[2] / "simulator"
FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "cli" / "hccn_tool"
SUCCESS = (0, "Cmd executed successfully!\n", "")
SET_0 = ("-i", "0", "-ip", "-s", "address", "10.89.17.1", "netmask", "255.255.240.0")


def run(host: Host, line: str, **options: t.Any) -> tuple:
    return tuple(host.hccn(*line.split(), **options))


# --- command line ------------------------------------------------------------------------------------------------------


def test_long_help_option_and_too_many_or_too_long_words(npu_host: Host) -> None:
    assert npu_host.hccn("--help") == npu_host.hccn("-h")
    number = "Get invalid major cmd number. Please check your input.\nEnter [ hccn_tool -h ] for more details.\n"
    assert npu_host.hccn(*["-i"] * 63) == (2, "", number)
    assert npu_host.hccn("-i", "0", "-ip", "-g", "x" * 901) == (5, "", "Get invalid input param len.\n")


def test_an_empty_device_word_is_device_0(npu_host: Host) -> None:
    npu_host.hccn(*SET_0)
    assert npu_host.hccn("-i", "", "-ip", "-g") == (0, "ipaddr:10.89.17.1\nnetmask:255.255.240.0\n", "")


@pytest.mark.parametrize("word", ["8", "007", "+1", "1 ", "²", "0x1"])
def test_bad_device_words(npu_host: Host, word: str) -> None:
    assert npu_host.hccn("-i", word, "-ip", "-g") == (4, "", "Get invalid device id.\n")


def test_name_and_value_pairs_in_any_order(npu_host: Host) -> None:
    assert run(npu_host, "-i 0 -ip -s netmask 255.255.240.0 address 10.89.17.1") == SUCCESS
    assert npu_host.read_conf() == "address_0=10.89.17.1\nnetmask_0=255.255.240.0\n"
    assert run(npu_host, "-i 0 -ping -g pkt 64 address 10.89.17.1")[0] == 0
    rc, unused, stderr = run(npu_host, "-i 0 -ip -s address 10.89.17.1 address 10.89.17.1")
    assert (rc, stderr) == (3, "Get unknown option!\n")


def test_commands_that_are_not_simulated_are_known_but_not_supported(npu_host: Host) -> None:
    assert run(npu_host, "-i 0 -roce_test -g") == (13, "The command is not supported on this product.\n", "")


@pytest.mark.parametrize("line", ["-i 0 -tls -s host enable 0", "-i 0 -tls -g host x"])
def test_the_host_word_stands_last(npu_host: Host, line: str) -> None:
    rc, stdout, stderr = run(npu_host, line)
    assert (rc, stderr) == (29, "The host flag should be the last config item!\n")
    assert stdout.startswith("[ hccn_tool -i devid -tls ] needs the following parameters:\n")


def test_a_user_without_a_passwd_entry_gets_234_and_no_text(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    from npusim import hccn_tool
    monkeypatch.delenv("NPUSIM_UID", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    assert hccn_tool.main(["-h"]) == 234


@pytest.mark.parametrize("answer", ["yes\n", "\n", "y", " y\n", "N\n", ""])
def test_everything_but_a_y_on_a_whole_line_is_a_no(npu_host: Host, answer: str) -> None:
    rc, stdout, stderr = run(npu_host, "-i 0 -link -s down", stdin=answer)
    assert (rc, stdout.splitlines()[-1], stderr) == (22, "User aborts command.", "")
    assert run(npu_host, "-i 0 -link -g") == (0, "link status: UP\n", "")


# --- hccn.conf -----------------------------------------------------------------------------------------------------------


def test_an_address_is_lost_from_a_file_without_a_final_newline(npu_host: Host) -> None:
    npu_host.write_conf("address_0=10.89.17.9\nnetmask_0=255.255.240.0")
    assert npu_host.hccn(*SET_0) == SUCCESS
    assert npu_host.read_conf() == "netmask_0=255.255.240.0\n"
    assert run(npu_host, "-i 0 -ip -g")[1] == "ipaddr:10.89.17.1\nnetmask:255.255.240.0\n"


def test_another_segment_drops_gateway_and_routes_of_this_device_only(npu_host: Host) -> None:
    kept = ("gateway_1=10.89.16.1\nnetdetect_0=10.89.16.1\narp_0=-i eth0 -s 10.89.16.1 68:54:ca:00:00:02\n"
            "route_address_10.21.0.0_netmask_255.255.0.0_0=gateway_192.0.2.1\nip_route_1=add 10.30.0.0/24 via 10.89.16.1 dev eth1 table 100\n")
    npu_host.write_conf(kept + "gateway_0=10.89.16.1\nIPv6gateway_0=2001:db8::1\n"
                        "route_address_10.20.0.0_netmask_255.255.0.0_0=gateway_10.89.16.1\n"
                        "ip_route_0=add 10.30.0.0/24 via 10.89.16.1 dev eth0 table 100\n")
    assert run(npu_host, "-i 0 -ip -s address 192.0.2.2 netmask 255.255.255.0") == SUCCESS
    assert npu_host.read_conf() == kept + "address_0=192.0.2.2\nnetmask_0=255.255.255.0\n"
    assert run(npu_host, "-i 0 -gateway -g")[0] == 2


def test_the_segment_of_a_gateway_is_that_of_the_device_and_not_of_the_file(npu_host: Host) -> None:
    npu_host.hccn(*SET_0)
    npu_host.write_conf("address_0=192.0.2.2\nnetmask_0=255.255.255.0\n")
    assert run(npu_host, "-i 0 -gateway -s gateway 192.0.2.1")[0] == 8
    assert run(npu_host, "-i 0 -gateway -s gateway 10.89.16.1") == SUCCESS


def test_busy_has_already_taken_the_gateway_out_of_the_file(npu_host: Host) -> None:
    npu_host.hccn(*SET_0)
    run(npu_host, "-i 0 -gateway -s gateway 10.89.16.1")
    with npu_host.change() as state:
        state.set_fault("busy", count=2)
    busy = (11, "hccn_tool is busy, please try again.\n", "")
    assert run(npu_host, "-i 0 -gateway -s gateway 10.89.16.1") == busy
    assert npu_host.read_conf() == "address_0=10.89.17.1\nnetmask_0=255.255.240.0\n"
    assert run(npu_host, "-i 3 -link -g") == busy
    assert run(npu_host, "-i 0 -gateway -g")[1] == "default gateway:10.89.16.1, Iface:eth0\n"
    assert npu_host.state.faults == []


@pytest.mark.parametrize("line, rc", [("gateway", 7), ("netdetect", 4), ("tls", 4), ("mtu", 4)])
def test_a_read_only_file_leaves_the_device_changed(npu_host: Host, monkeypatch: pytest.MonkeyPatch, line: str, rc: int) -> None:
    npu_host.hccn(*SET_0)
    run(npu_host, "-i 0 -gateway -s gateway 10.89.16.1")
    before = npu_host.read_conf()

    def refuse(path: str) -> int:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("npusim.hccn_conf.open_for_writing", refuse)
    setting, shown = {
        "gateway": ("gateway 10.89.16.9", "default gateway:10.89.16.9, Iface:eth0\n"), "netdetect": ("address 10.89.16.9", "netdetect addr: 10.89.16.9\n"),
        "tls": ("enable 0", "tls switch[0]"), "mtu": ("size 4200", "mtu:4200\n")}[line]
    assert run(npu_host, f"-i 0 -{line} -s {setting}")[0] == rc
    assert shown in run(npu_host, f"-i 0 -{line} -g")[1]
    assert npu_host.read_conf() == before


@pytest.mark.parametrize("conf, rc, applied", [
    ("address_0=10.89.17.1\nnetmask_0=255.255.240.0\nmtu_0=4200\n", 0, True),
    ("address_0=10.89.17.1\nnetmask_0=255.255.240.0\nmtu_0=99999\n", 1, True),
    ("address_0=10.89.17.1\nnetmask_0=255.255.240.0\ntls_enable_0=on\n", 1, True),
    ("address_0=10.89.17.1\nnetmask_0=255.255.240.0\ngateway_0=192.0.2.1\n", 0, True),
    ("address_0=10.89.17.1\r\nnetmask_0=255.255.240.0\r\n", 1, False),
    ("address_0=10.89.17.1 \nnetmask_0=255.255.240.0\n", 1, False),
    ("address_0 = 10.89.17.1\nnetmask_0 = 255.255.240.0\n", 0, False),
    ("address_0=10.89.17.1\n", 0, False),
    ("netmask_0=255.255.240.0\n", 0, False),
])
def test_recovery_of_good_and_broken_files(npu_host: Host, conf: str, rc: int, applied: bool) -> None:
    npu_host.write_conf(conf)
    assert run(npu_host, "-i 0 -cfg recovery")[0] == rc
    assert run(npu_host, "-i 0 -cfg status")[1] == f"config status:{'FAIL' if rc else 'SUCCESS'}\n"
    assert run(npu_host, "-i 0 -ip -g")[0] == (0 if applied else 13)


def test_recovery_goes_on_with_the_other_devices(npu_host: Host) -> None:
    npu_host.write_conf("address_0=bad\nnetmask_0=255.255.240.0\naddress_1=10.89.17.2\nnetmask_1=255.255.240.0\n")
    rc, stdout, stderr = run(npu_host, "-a -cfg recovery")
    assert (rc, stderr) == (1, "dev:0 recovery fail\nCommand execute failed!\n")
    assert stdout == ("".join(f"dev:{device} recovery success\n" for device in range(1, 8))
                      + "Recovery failed. Check '/var/log/hccn_tool/hccn_config.log' for details.\n")
    assert run(npu_host, "-i 1 -ip -g")[0] == 0
    assert "dev:0 recovery failed: address\n" in (npu_host.root / "var/log/hccn_tool/hccn_config.log").read_text()


def test_link_up_without_a_file_says_that_recovery_failed(npu_host: Host) -> None:
    npu_host.write_conf(None)
    text = "Link up executed, but recovery failed, please check '/var/log/hccn_tool/hccn_config.log' for details.\n"
    assert run(npu_host, "-i 0 -link -s up") == (1, text, "Command execute failed!\n")


# --- addresses that the tool refuses ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("super_node, address, rc", [
    (False, "192.168.0.1", 7), (False, "192.168.7.254", 7), (False, "192.168.8.1", 0), (False, "192.1.1.1", 0),
    (True, "192.1.1.1", 7), (True, "192.255.0.1", 7), (True, "193.0.0.1", 0),
])
def test_a3_keeps_networks_for_itself(npu_host: Host, super_node: bool, address: str, rc: int) -> None:
    npu_host.renew("A3")
    with npu_host.change() as state:
        state.data["super_node"] = super_node
    assert run(npu_host, f"-i 0 -ip -s address {address} netmask 255.255.255.0")[0] == rc


def test_a3_refuses_the_address_of_the_sibling_die_only(npu_host: Host) -> None:
    npu_host.renew("A3")
    npu_host.hccn(*SET_0)
    same = "-ip -s address 10.89.17.1 netmask 255.255.240.0"
    assert run(npu_host, f"-i 1 {same}") == (7, "", "The ip address configured is conflicted!\n")
    assert run(npu_host, f"-i 2 {same}") == SUCCESS


def test_ipv6_needs_an_mtu_of_1280(npu_host: Host) -> None:
    run(npu_host, "-i 0 -mtu -s size 1000", stdin="Y\n")
    refused = (27, "", "Unable to configure IPV6 address, because mtu is less than 1280!\n")
    assert run(npu_host, "-i 0 -ip -inet6 -s ipv6_address 2001:db8::80 prefix_length 64") == refused


# --- the device model --------------------------------------------------------------------------------------------------------


def test_health_goes_from_init_over_detect_ip_set_to_success(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr(hccn_commands, "now", lambda: moment[0])

    def health() -> str:
        return run(npu_host, "-i 0 -net_health -g")[1]

    assert health() == "net health status: Init\n"
    npu_host.hccn(*SET_0)
    assert health() == "net health status: Init\n"
    run(npu_host, "-i 0 -netdetect -s address 10.89.16.1")
    assert health() == "net health status: Detect ip set\n"
    moment[0] += 1.5
    assert health() == "net health status: Success\n"
    run(npu_host, "-i 0 -link -s down", stdin="y\n")
    assert health() == "net health status: Receive timeout\n"


def test_health_is_a_real_packet_where_there_is_a_plane(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    npu_host.hccn(*SET_0)
    run(npu_host, "-i 0 -netdetect -s address 10.89.16.1")
    with npu_host.change() as state:
        state.data["health_delay"] = 0.0
    sent = []
    monkeypatch.setattr("npusim.plane.interface", lambda: "eth1")
    monkeypatch.setattr("npusim.plane.ping", lambda state, source, target, count: sent.append((source, target, count)) or [None])
    assert run(npu_host, "-i 0 -net_health -g")[1] == "net health status: Receive timeout\n"
    assert sent == [("10.89.17.1", "10.89.16.1", 1)]


def test_a_link_that_goes_down_shows_in_every_reading(npu_host: Host) -> None:
    npu_host.hccn(*SET_0)
    with npu_host.change() as state:
        state.set_fault("link-down", 0)
    assert run(npu_host, "-i 0 -link -g")[1] == "link status: DOWN\n"
    assert run(npu_host, "-i 0 -speed -g")[1] == "Speed: Unknown!\n"
    assert run(npu_host, "-i 0 -duplex -g")[1] == "Duplex: Unknown!\n"
    assert run(npu_host, "-i 0 -ip -g")[0] == 0
    assert "Rx Los Flag          : 0xff\n" in run(npu_host, "-i 0 -optical -g")[1]
    assert "Ifname" not in run(npu_host, "-i 0 -lldp -g")[1]
    assert run(npu_host, "-i 0 -ping -g address 10.89.17.1")[0] == 1
    assert run(npu_host, "-i 1 -link -g")[1] == "link status: UP\n"


def test_each_device_has_a_switch_port_of_its_own(npu_host: Host) -> None:
    names = [line.strip() for device in range(8) for line in run(npu_host, f"-i {device} -lldp -g")[1].splitlines() if "Ifname" in line]
    assert names[:3] == ["Ifname: 400GE1/1/5:1", "Ifname: 400GE1/1/5:2", "Ifname: 400GE1/1/6:1"]
    assert len(set(names)) == 8


def test_link_changes_are_counted_newest_first(npu_host: Host) -> None:
    for line in ("-i 0 -link -s down", "-i 0 -link -s down", "-i 0 -link -s up"):
        run(npu_host, line, stdin="y\n")
    lines = run(npu_host, "-i 0 -link_stat -g")[1].splitlines()
    assert [lines[1], lines[2]] == ["[devid 0]link up count       : 2", "[devid 0]link down count     : 1"]
    assert [line.split()[-1] for line in lines[4:]] == ["UP", "DOWN", "UP"]


# --- faults --------------------------------------------------------------------------------------------------------------------


def test_a_device_with_a_duplicate_address_reports_that_one(npu_host: Host) -> None:
    npu_host.hccn(*SET_0)
    with npu_host.change() as state:
        state.set_fault("duplicate-address", 0, address="10.89.18.1")
    assert run(npu_host, "-i 0 -ip -g")[1] == "ipaddr:10.89.18.1\nnetmask:255.255.240.0\n"


def test_a_stuck_tls_switch_stays_on_whatever_is_set(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.set_fault("tls-mix", 0)
    assert run(npu_host, "-i 0 -tls -s enable 0") == SUCCESS
    assert npu_host.read_conf() == "tls_enable_0=1\n"
    npu_host.write_conf("tls_enable_0=0\n")
    assert "tls switch[1]" in run(npu_host, "-i 0 -tls -g")[1]
    assert npu_host.read_conf() == "tls_enable_0=1\n"


def test_a_missing_device_is_missing_for_every_command_on_it(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.set_fault("missing-device", 5)
    assert run(npu_host, "-i 5 -tls -g") == (4, "", "The device is not exist!\n")
    assert run(npu_host, "-i 5 -ip -s address 10.89.17.6 netmask 255.255.240.0") == (4, "", "The device is not exist!\n")
    assert run(npu_host, "-i 4 -link -g")[0] == 0
    assert "dev:5 recovery fail\n" in run(npu_host, "-a -cfg recovery")[2]


def test_a_device_can_refuse_one_setting(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.set_fault("refuse-setting", 0, setting="netdetect")
    assert npu_host.hccn(*SET_0) == SUCCESS
    assert run(npu_host, "-i 0 -netdetect -s address 10.89.16.1") == (1, "", "Command execute failed!\n")
    assert "netdetect" not in npu_host.read_conf()


def test_a_slow_tool_answers_late(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("npusim.hccn_tool.time.sleep", slept.append)
    with npu_host.change() as state:
        state.set_fault("slow-tool", seconds=2.5)
    assert run(npu_host, "-i 0 -link -g")[0] == 0
    assert slept == [2.5]


def set_fault(host: Host, name: str, device: int | None = 0, **parameters: t.Any) -> None:
    with host.change() as state:
        state.set_fault(name, device, **parameters)


def recorded(name: str) -> str:
    return (FIXTURES / name).read_bytes().decode()


def test_packets_to_one_peer_are_lost(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.devices[0].update(address="10.89.17.1", netmask="255.255.240.0")
        state.peers.extend(("10.12.165.81", "10.89.18.5"))
    set_fault(npu_host, "ping-loss", peer="10.12.165.81", lost=3)
    # The device adds an empty line to the captured text.
    assert run(npu_host, "-i 0 -ping -g address 10.12.165.81") == (1, recorded("ping--all-lost.txt") + "\n", recorded("ping--all-lost.stderr.txt"))
    assert "3 received, 0.00% packet loss" in run(npu_host, "-i 0 -ping -g address 10.89.18.5")[1]
    set_fault(npu_host, "ping-loss", peer="10.12.165.81", lost=1)
    rc, text, unused = run(npu_host, "-i 0 -ping -g address 10.12.165.81")
    assert rc == 1
    assert "recv time out seq=2\n3 packets transmitted, 2 received, 33.33% packet loss\n" in text


@pytest.mark.parametrize("status, name", [("Fault", "net-health-get--fault.txt"), ("Receive timeout", "net-health-get--receive-timeout.txt")])
def test_the_probe_of_netdetect_can_end_otherwise(npu_host: Host, status: str, name: str) -> None:
    set_fault(npu_host, "net-health", status=status)
    assert run(npu_host, "-i 0 -net_health -g") == (0, recorded(name), "")


def test_a_link_that_flapped_is_up_and_says_so(npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.mktime((2025, 5, 29, 19, 22, 43, 0, 0, -1))
    monkeypatch.setattr(hccn_commands, "now", lambda: moment)
    with npu_host.change() as state:
        state.devices[0]["link_changes"] = [[int(time.mktime((2025, 5, 29, 17, 30, 1, 0, 0, -1))), "up"]]
    set_fault(npu_host, "link-flaps", count=1, minutes=80)
    expected = recorded("link_stat-get--with-down-count.txt").replace("18:02:10", "18:02:43").replace("18:01:58", "18:02:31")
    assert run(npu_host, "-i 0 -link_stat -g") == (0, expected, "")
    assert run(npu_host, "-i 0 -link -g")[1] == "link status: UP\n"
    set_fault(npu_host, "link-flaps", count=3, minutes=80)
    lines = run(npu_host, "-i 0 -link_stat -g")[1].splitlines()
    assert (lines[2], [line.split()[-1] for line in lines[4:]]) == ("[devid 0]link down count     : 3", ["UP", "DOWN"] * 3 + ["UP"])


@pytest.mark.parametrize("kind, lines", [
    ("low-rx", {"Rx Power1            : 0.0054 mW", "Rx Los Flag          : 0x0"}),
    ("los", {"Rx Los Flag          : 0xff", "Rx LoL Flag          : 0xff"}),
    ("hot", {"temperature          : 75 C", "Temp High Thres      : 70 C"}),
    ("absent", {"present              : not present"}),
])
def test_an_optical_module_goes_bad(npu_host: Host, kind: str, lines: set[str]) -> None:
    def names(text: str) -> list[str]:
        return [line.partition(":")[0] for line in text.splitlines()]

    healthy = run(npu_host, "-i 0 -optical -g")[1]
    set_fault(npu_host, "optics", kind=kind)
    text = run(npu_host, "-i 0 -optical -g")[1]
    assert lines <= set(text.splitlines())
    assert not lines <= set(healthy.splitlines())
    if kind != "absent":
        assert names(text) == names(recorded("optical-get--910A-dump.txt"))
    assert run(npu_host, "-i 1 -optical -g")[1] != text


def test_a_port_can_run_with_another_speed_duplex_and_fec(npu_host: Host) -> None:
    assert run(npu_host, "-i 0 -fec -g")[1] == recorded("fec-get--not-switchable-a2.txt")
    set_fault(npu_host, "port-mode", speed=100000, duplex="Half")
    set_fault(npu_host, "fec", None, mode="rs")
    set_fault(npu_host, "fec", 1, mode="no")
    assert run(npu_host, "-i 0 -speed -g")[1] == "Speed: 100000 Mb/s\n"
    assert run(npu_host, "-i 0 -duplex -g")[1] == "Duplex: Half\n"
    assert run(npu_host, "-i 1 -speed -g")[1] == recorded("speed-get--200g.txt")
    # What one device has of its own comes before what all have.
    assert [run(npu_host, f"-i {device} -fec -g")[1] for device in (0, 1)] == [recorded("fec-get--rs.txt"), "fec mode: no FEC mode\n"]


def test_a_virtual_interface_goes_down(npu_host: Host) -> None:
    def linked(text: str) -> str:
        return text.replace("192.168.2.100", "192.168.2.199")

    assert linked(run(npu_host, "-i 0 -vnic -g")[1]) == recorded("vnic-get--up.txt")
    set_fault(npu_host, "vnic-down")
    assert linked(run(npu_host, "-i 0 -vnic -g")[1]) == recorded("vnic-get--up.txt").replace("UP", "DOWN")


def test_dies_of_a_super_pod_ping_each_other(npu_host: Host) -> None:
    def shape(text: str) -> str:
        return re.sub(r"PING \S+", "PING A", re.sub(r"\d+\.\d{3}us", "0.000us", text))

    assert run(npu_host, "-i 0 -hccs_ping -g address 192.1.1.2") == (13, "The command is not supported on this product.\n", "")
    npu_host.renew("A3")
    with npu_host.change() as state:
        state.peers.append("192.1.2.1")
    assert "vnic ipaddr: 192.1.1.1\n" in run(npu_host, "-i 0 -vnic -g")[1]
    for target in ("192.1.1.2", "192.1.2.1"):
        rc, text, unused = run(npu_host, f"-i 0 -hccs_ping -g address {target} cnt 3")
        assert (rc, shape(text)) == (0, shape(recorded("hccs_ping--ok-A3.txt")))
    assert run(npu_host, "-i 0 -hccs_ping -g address 192.1.2.1", uid=1000)[0] == 12
    set_fault(npu_host, "ping-loss", peer="192.1.2.1", lost=2)
    rc, text, stderr = run(npu_host, "-i 0 -hccs_ping -g address 192.1.2.1")
    assert (rc, stderr) == (0, "")
    assert text.count("This pkt check recv msg fail!\nrecv seq ") == 2
    assert "3 packets transmitted, 1 received, 66.67% packets loss\nmax time " in text
    set_fault(npu_host, "vnic-down", 1)
    rc, text, unused = run(npu_host, "-i 0 -hccs_ping -g address 192.1.1.2")
    assert (rc, text.splitlines()[-5]) == (0, "3 packets transmitted, 0 received, 100.00% packets loss")


@pytest.mark.parametrize("days, end, stream, state", [
    (10, "Sun Jun  8 12:00:00 2025 GMT", 1, "1"), (90, "Wed Aug 27 12:00:00 2025 GMT", 1, "0"), (0, "Wed May 28 12:00:00 2025 GMT", 2, "2")])
def test_a_certificate_ends(npu_host: Host, monkeypatch: pytest.MonkeyPatch, days: int, end: str, stream: int, state: str) -> None:
    monkeypatch.setattr(hccn_commands, "now", lambda: calendar.timegm((2025, 5, 29, 12, 0, 0)))
    set_fault(npu_host, "certificate", days=days)
    reply = run(npu_host, "-i 0 -tls -g")
    assert reply[0] == 0
    assert f"\t end_time[{end}]\n" in reply[1]
    assert reply[stream].splitlines()[-1] == f"\t tls expiration status[{state}](0:normal, 1:near expiration, 2:has expired)"
    assert "tls expiration status" not in reply[3 - stream]
    assert "end_time[Wed Jan  1 00:00:00 2042 GMT]" in run(npu_host, "-i 1 -tls -g")[1]


def test_half_of_an_answer(npu_host: Host) -> None:
    whole = run(npu_host, "-i 0 -optical -g")[1]
    set_fault(npu_host, "truncated-output")
    assert run(npu_host, "-i 0 -optical -g") == (0, whole[:len(whole) // 2], "")
    assert run(npu_host, "-i 1 -link -g")[1] == "link status: UP\n"


# --- the real process ------------------------------------------------------------------------------------------------------------


def spawn(*args: str) -> subprocess.Popen[bytes]:
    environment = {key: value for key, value in os.environ.items() if key != "NPUSIM_UID"}
    environment.update(PYTHONPATH=str(SIMULATOR), NPUSIM_UID="0")
    return subprocess.Popen([sys.executable, "-S", "-m", "npusim.hccn_tool", *args], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_it_runs_as_a_program(npu_host: Host) -> None:
    assert (spawn(*SET_0).wait(30), npu_host.read_conf()) == (0, "address_0=10.89.17.1\nnetmask_0=255.255.240.0\n")
    process = spawn("-i", "7", "-ip", "-g")
    assert (*process.communicate(timeout=30), process.returncode) == (b"", b"Get ipconf failed, because no ip was preset there!\n", 13)


def test_sets_on_all_devices_at_once_are_all_kept(npu_host: Host) -> None:
    processes = [spawn("-i", str(device), "-ip", "-s", "address", f"10.89.17.{device + 1}", "netmask", "255.255.240.0") for device in range(8)]
    assert [process.wait(60) for process in processes] == [0] * 8
    assert [device["address"] for device in npu_host.state.devices] == [f"10.89.17.{device + 1}" for device in range(8)]
    assert sorted(npu_host.read_conf().splitlines()) == sorted(
        line for device in range(8) for line in (f"address_{device}=10.89.17.{device + 1}", f"netmask_{device}=255.255.240.0"))


def test_garbage_is_not_text_and_ends_with_0(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.set_fault("garbage-output")
    process = spawn("-i", "0", "-ip", "-g")
    output, unused = process.communicate(timeout=30)
    assert process.returncode == 0
    with pytest.raises(UnicodeDecodeError):
        output.decode()


def test_a_hanging_tool_hangs_and_can_be_terminated(npu_host: Host) -> None:
    with npu_host.change() as state:
        state.set_fault("hanging-tool", 0)
    assert spawn("-i", "1", "-link", "-g").wait(30) == 0
    process = spawn("-i", "0", "-link", "-g")
    time.sleep(0.5)
    assert process.poll() is None
    process.terminate()
    assert process.wait(30) == -signal.SIGTERM
