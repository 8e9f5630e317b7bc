# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.network_problems import network_problems


def view(host, third, gateway="10.0.0.1", count=2):
    return {
        "host": host,
        "devices": [
            {"device": index, "address": f"10.0.{third}.{index + 10}", "netmask": "255.255.0.0", "gateway": gateway} for index in range(count)
        ],
    }


def changed(**values):
    views = [view("npu01", 1), view("npu02", 2)]
    views[1]["devices"][1].update(values)
    return views


def test_addresses_of_one_plan_fit():
    assert network_problems([view("npu01", 1), view("npu02", 2)]) == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"address": "10.0.1.11"}, ("npu02 device 1", "10.0.1.11", "npu01 device 1", "give every device its own")),
        ({"address": "10.0.0.1"}, ("npu02 device 1", "10.0.0.1 is the gateway of npu01 device 0")),
        ({"address": "10.0.300.1"}, ("npu02 device 1", "'10.0.300.1'", "no IPv4 address")),
        ({"netmask": "255.0.255.0"}, ("npu02 device 1", "'255.0.255.0'")),
        ({"gateway": "10.1.0.1"}, ("npu02 device 1", "10.1.0.1 lies outside of 10.0.0.0/16")),
        ({"gateway": "10.0.0.1; reboot"}, ("npu02 device 1", "'10.0.0.1; reboot'")),
        ({"device": 0}, ("npu02 device 0", "listed 2 times")),
        ({"address": "10.9.2.11", "gateway": None}, ("npu02 device 1", "different segments without gateways")),
    ],
)
def test_one_fault_gives_one_problem_that_names_it(values, words):
    problems = network_problems(changed(**values))
    assert len(problems) == 1
    for word in words:
        assert word in problems[0]


def test_hosts_with_different_numbers_of_devices():
    problems = network_problems([view("npu01", 1), view("npu02", 2, count=1)])
    assert problems == ["The hosts have different numbers of NPU addresses (npu01 2, npu02 1); a serving group needs the same number on each."]


def test_segments_with_gateways_on_both_sides_may_differ():
    views = copy.deepcopy([view("npu01", 1), view("npu02", 2)])
    for device in views[1]["devices"]:
        device.update(address=device["address"].replace("10.0.2.", "10.7.2."), gateway="10.7.0.1")
    assert network_problems(views) == []


def test_anything_but_views_is_refused():
    with pytest.raises(AnsibleFilterError, match="list of dictionaries"):
        network_problems("npu01")


def test_serving_groups_are_judged_apart():
    views = [{**view("npu01", 1, gateway=None), "group": "v3"}, {**view("npu02", 2, gateway=None, count=1), "group": "r1"}]
    for device in views[1]["devices"]:
        device["address"] = "10.9.2.10"
    assert network_problems(views) == []
    views[1]["group"] = "v3"
    count, segment = network_problems(views)
    assert "npu01 2, npu02 1" in count
    assert segment.startswith("npu02 device 0: 10.9.2.10/16 and npu01 device 0: 10.0.1.10/16 lie in different segments")


def test_an_address_is_given_once_in_all_groups():
    views = [{**view("npu01", 1), "group": "v3"}, {**view("npu02", 1), "group": "r1"}]
    assert network_problems(views) == [
        f"npu02 device {index}: address 10.0.1.{index + 10} is given to npu01 device {index} too; give every device its own." for index in range(2)
    ]
