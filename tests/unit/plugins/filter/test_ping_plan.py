# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.ping_plan import ping_plan
from hypothesis import given, settings
from hypothesis import strategies as st


def cluster(hosts, devices):
    return {f"npu{h:02}": [{"device": n, "address": f"10.0.{h}.{n + 1}"} for n in range(devices)] for h in range(1, hosts + 1)}


def test_same_index():
    assert ping_plan(cluster(3, 2), "npu02", "same_index") == [
        {"device": 0, "targets": ["10.0.3.1", "10.0.1.1"]},
        {"device": 1, "targets": ["10.0.3.2", "10.0.1.2"]},
    ]


def test_all_begins_with_the_same_index():
    assert ping_plan(cluster(3, 2), "npu01") == [
        {"device": 0, "targets": ["10.0.2.1", "10.0.3.1", "10.0.2.2", "10.0.3.2"]},
        {"device": 1, "targets": ["10.0.2.2", "10.0.3.2", "10.0.2.1", "10.0.3.1"]},
    ]


def test_two_hosts_of_eight_devices_are_128_pairs():
    hosts = cluster(2, 8)
    assert sum(len(entry["targets"]) for host in hosts for entry in ping_plan(hosts, host, "all")) == 128
    assert sum(len(entry["targets"]) for host in hosts for entry in ping_plan(hosts, host, "same_index")) == 16


@settings(max_examples=50, deadline=None)
@given(hosts=st.integers(1, 6), devices=st.integers(1, 8), pairs=st.sampled_from(["all", "same_index"]))
def test_every_pair_of_other_hosts_once(hosts, devices, pairs):
    wanted = cluster(hosts, devices)
    for host, own in wanted.items():
        planned = ping_plan(wanted, host, pairs)
        assert planned == ping_plan(wanted, host, pairs)
        for device in own if hosts > 1 else []:
            targets = next(entry["targets"] for entry in planned if entry["device"] == device["device"])
            others = [
                peer["address"]
                for name, peers in wanted.items()
                for peer in peers
                if name != host and (pairs == "all" or peer["device"] == device["device"])
            ]
            assert sorted(targets) == sorted(others)


def test_devices_without_address_are_left_out():
    hosts = cluster(2, 2)
    hosts["npu02"][0]["address"] = None
    assert ping_plan(hosts, "npu01") == [{"device": 0, "targets": ["10.0.2.2"]}, {"device": 1, "targets": ["10.0.2.2"]}]
    assert [entry["device"] for entry in ping_plan(hosts, "npu02")] == [1]


def test_nobody_pings_an_address_of_its_own_or_one_twice():
    hosts = {name: [{"device": n, "address": "10.0.1.1"} for n in (0, 1)] for name in ("npu01", "npu02")}
    hosts["npu01"][1]["address"] = "10.0.1.2"
    assert ping_plan(hosts, "npu01") == [{"device": 1, "targets": ["10.0.1.1"]}]


def test_virtual_interfaces():
    hosts = {f"npu0{h}": [{"device": 0, "address": None, "vnic": {"address": f"192.0.2.{h}"}}] for h in (1, 2)}
    assert ping_plan(hosts, "npu01", address="vnic") == [{"device": 0, "targets": ["192.0.2.2"]}]
    assert ping_plan(hosts, "npu01") == []


@pytest.mark.parametrize(
    ("addresses", "options", "words"),
    [
        ([], {"host": "npu01"}, "the devices are list; expected a dictionary"),
        ({"npu01": None}, {"host": "npu01"}, "npu01: expected a list of dictionaries with device and address"),
        (cluster(2, 1), {"host": "npu09"}, r"npu09 is not among the hosts with addresses \(npu01, npu02\)"),
        (cluster(2, 1), {"host": "npu01", "pairs": "some"}, "pairs is 'some'; expected one of same_index, all"),
        (cluster(2, 1), {"host": "npu01", "address": "x"}, "address is 'x'; expected one of device, vnic"),
    ],
)
def test_bad_input_is_refused(addresses, options, words):
    with pytest.raises(AnsibleFilterError, match=words):
        ping_plan(addresses, **options)
