# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.fabric_cabling import fabric_cabling
from ansible_collections.npuops.ascend.plugins.filter.fabric_view import fabric_view
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn
from ansible_collections.npuops.ascend.plugins.module_utils._fabric_texts import REASONS
from ansible_collections.npuops.ascend.plugins.module_utils._fabric_view import LETTERS, WORDS


def pairs(hosts, devices, lost=()):
    """All pairs of these hosts; ``lost`` maps (host, device, peer, device) to the reason."""
    ends = [(host, device) for host in hosts for device in range(devices)]
    found = []
    for host, device in ends:
        for peer, peer_device in ends:
            reason = dict(lost).get((host, device, peer, peer_device))
            if host != peer:
                found.append({"host": host, "device": device, "peer_host": peer, "peer_device": peer_device, "ok": reason is None, "reason": reason})
    return found


def test_every_reason_has_a_letter_and_a_name():
    assert set(LETTERS) == set(REASONS)
    assert len(set(LETTERS.values())) == len(LETTERS)
    assert set(LETTERS) <= set(WORDS["en"]) and set(WORDS["en"]) == set(WORDS["zh"])


def test_a_matrix_of_devices():
    lost = {("npu01", 1, "npu02", 0): "switch_port", ("npu02", 1, "npu01", 0): "link"}
    assert fabric_view(pairs(["npu01", "npu02"], 2, lost), []).splitlines() == [
        "6 of 8 pairs of devices reach each other. Rows send, columns answer.",
        "         npu01  npu02",
        "         0 1    0 1",
        "npu01 0         . .",
        "npu01 1         S .",
        "npu02 0  . .",
        "npu02 1  L .",
        ". reached  L link down  S switch port",
        "",
        "Cabling: no device has an LLDP neighbour.",
    ]


def test_columns_stay_aligned_with_two_digits_and_chinese_names():
    lines = fabric_view(pairs(["甲", "npu02"], 12, {("npu02", 11, "甲", 10): "tls"}), [], "zh").splitlines()
    assert lines[0] == "288 对设备中 287 对互通。行为发送方，列为应答方。"
    head = next(line for line in lines if " 11" in line and "10" in line)
    row = next(line for line in lines if line.startswith("npu02 11"))
    # A Chinese character takes two columns; it stands in the row of names only.
    assert row.index("T") == [place for place in range(len(head)) if head.startswith("10", place)][1] + 1
    assert ". 互通  T TLS 不一致" in lines


def test_a_matrix_of_hosts():
    hosts = [f"npu{n:02}" for n in range(1, 6)]
    lost = {("npu02", device, "npu05", 3): "link" for device in range(8)}
    lines = fabric_view(pairs(hosts, 8, lost), []).splitlines()
    assert lines[:7] == [
        "1272 of 1280 pairs of devices reach each other. Rows send, columns answer: * all, else how many pairs fail.",
        "         1  2  3  4  5",
        "1 npu01     *  *  *  *",
        "2 npu02  *     *  *  8",
        "3 npu03  *  *     *  *",
        "4 npu04  *  *  *     *",
        "5 npu05  *  *  *  *",
    ]


def test_many_hosts_are_summed_up():
    hosts = [f"npu{n:03}" for n in range(1, 41)]
    lost = {("npu001", 0, host, 0): "link" for host in hosts[1:31]}
    lines = fabric_view(pairs(hosts, 1, lost), []).splitlines()
    assert lines[0] == "1530 of 1560 pairs of devices reach each other."
    assert lines[1:3] == ["host    failed from it  failed to it", "npu001  30              0"]
    assert lines[26] == "7 more hosts with failures, 9 without"
    assert len(lines) == 29


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_pinged(lang):
    assert fabric_view([], [], lang).splitlines()[0] == WORDS[lang]["none"]


def cables(fixture_text, ports):
    lldp = _hccn.parse_lldp(fixture_text("cli/hccn_tool/lldp-get--huawei-switch-910B1.txt"))["lldp"]
    return fabric_cabling({"npu01": [{"device": n, "address": f"10.0.0.{n}", "lldp": lldp if n in ports else None} for n in (1, 0)]})


def test_cabling_is_what_lldp_says(fixture_text):
    found = cables(fixture_text, {1})
    assert found == [
        {"host": "npu01", "device": 0, "address": "10.0.0.0", "switch": None, "port": None},
        {"host": "npu01", "device": 1, "address": "10.0.0.1", "switch": "...", "port": "400GE1/1/20:2"},
    ]
    assert fabric_view([], found).splitlines()[2:] == [
        "Cabling by LLDP",
        "host   device  address   switch  port",
        "npu01  0       10.0.0.0  -       -",
        "npu01  1       10.0.0.1  ...     400GE1/1/20:2",
    ]


def test_cabling_of_many_devices_is_counted_by_switch():
    hosts = {f"npu{h:02}": [{"device": n, "lldp": {"system_name": f"leaf{n % 2}", "port_id": str(n)}} for n in range(8)] for h in range(8)}
    assert fabric_view([], fabric_cabling(hosts)).splitlines()[2:] == ["Cabling by LLDP", "switch  devices", "leaf0   32", "leaf1   32"]


def test_text_of_switches_does_not_reach_the_terminal_as_it_is():
    found = fabric_cabling({"npu01": [{"device": 0, "lldp": {"system_name": "\x1b[2Jleaf\n1", "port_id": "1"}}]})
    text = fabric_view([], found)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 5


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(([], [], "fr"), "lang is 'fr'; expected en or zh"), (({}, []), "expects the pairs"), (([], None), "expects the pairs")],
)
def test_bad_input_is_refused(arguments, words):
    with pytest.raises(AnsibleFilterError, match=words):
        fabric_view(*arguments)


def test_cabling_of_something_else_is_refused():
    with pytest.raises(AnsibleFilterError, match="fabric_cabling: the devices are list"):
        fabric_cabling([])
