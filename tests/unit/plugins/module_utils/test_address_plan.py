# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils._address_plan import SHOWN_MAX, AddressPlanError, plan_addresses

HOSTS = ["npu01", "npu02"]


def addresses(planned) -> dict[str, list[str]]:
    return {host: [device["address"] for device in devices] for host, devices in planned.items()}


def problems(hosts, plan, devices) -> list[str]:
    with pytest.raises(AddressPlanError) as refusal:
        plan_addresses(hosts, plan, devices)
    return refusal.value.problems


def test_one_flat_subnet():
    planned = plan_addresses(HOSTS, {"first_address": "10.20.0.11", "prefix": 24, "gateway": "10.20.0.1"}, 8)
    assert addresses(planned) == {
        "npu01": ["10.20.0.11", "10.20.0.12", "10.20.0.13", "10.20.0.14", "10.20.0.15", "10.20.0.16", "10.20.0.17", "10.20.0.18"],
        "npu02": ["10.20.0.19", "10.20.0.20", "10.20.0.21", "10.20.0.22", "10.20.0.23", "10.20.0.24", "10.20.0.25", "10.20.0.26"],
    }
    assert planned["npu02"][7] == {"device": 7, "address": "10.20.0.26", "netmask": "255.255.255.0", "gateway": "10.20.0.1", "netdetect": "10.20.0.1"}


def test_steps_between_devices_and_hosts():
    plan = {"first_address": "10.89.17.1", "step": 2, "host_step": 256, "netmask": "255.255.240.0", "gateway": "10.89.16.1", "netdetect": "10.89.16.2"}
    planned = plan_addresses(HOSTS, plan, 3)
    assert addresses(planned) == {"npu01": ["10.89.17.1", "10.89.17.3", "10.89.17.5"], "npu02": ["10.89.18.1", "10.89.18.3", "10.89.18.5"]}
    assert planned["npu01"][0] == {"device": 0, "address": "10.89.17.1", "netmask": "255.255.240.0", "gateway": "10.89.16.1", "netdetect": "10.89.16.2"}


def test_default_host_step_follows_the_step():
    assert addresses(plan_addresses(HOSTS, {"first_address": "10.0.0.1", "step": 2, "prefix": 24}, 2)) == {
        "npu01": ["10.0.0.1", "10.0.0.3"],
        "npu02": ["10.0.0.5", "10.0.0.7"],
    }


def test_hosts_side_by_side():
    plan = {"first_address": "10.0.0.1", "step": 16, "host_step": 1, "prefix": "24"}
    assert addresses(plan_addresses(HOSTS, plan, "2")) == {"npu01": ["10.0.0.1", "10.0.0.17"], "npu02": ["10.0.0.2", "10.0.0.18"]}


def test_no_gateway_unless_given():
    (device,) = plan_addresses(["npu01"], {"first_address": "10.0.0.1", "prefix": 24}, 1)["npu01"]
    assert (device["gateway"], device["netdetect"]) == (None, None)
    (device,) = plan_addresses(["npu01"], {"first_address": "10.0.0.1", "prefix": 24, "netdetect": "10.9.9.9"}, 1)["npu01"]
    assert (device["gateway"], device["netdetect"]) == (None, "10.9.9.9")


def test_one_subnet_per_rail():
    rails = [{"subnet": "10.20.0.0/24", "first": 11, "gateway": "10.20.0.1"}, {"subnet": "10.20.1.0/255.255.255.128", "first": 11, "netdetect": "10.20.1.2"}]
    assert plan_addresses(HOSTS, {"rails": rails}, 2) == {
        "npu01": [
            {"device": 0, "address": "10.20.0.11", "netmask": "255.255.255.0", "gateway": "10.20.0.1", "netdetect": "10.20.0.1"},
            {"device": 1, "address": "10.20.1.11", "netmask": "255.255.255.128", "gateway": None, "netdetect": "10.20.1.2"},
        ],
        "npu02": [
            {"device": 0, "address": "10.20.0.12", "netmask": "255.255.255.0", "gateway": "10.20.0.1", "netdetect": "10.20.0.1"},
            {"device": 1, "address": "10.20.1.12", "netmask": "255.255.255.128", "gateway": None, "netdetect": "10.20.1.2"},
        ],
    }


def test_192_168_3_is_taken():
    assert addresses(plan_addresses(["npu01"], {"first_address": "192.168.3.1", "prefix": 24}, 1)) == {"npu01": ["192.168.3.1"]}


FLAT = {"first_address": "10.20.0.11", "prefix": 24}


@pytest.mark.parametrize(
    "change, devices, expected",
    [
        ({"first_address": "10.20.0.249"}, 4, ["device 2 of npu02 would get 10.20.0.255, the broadcast address of 10.20.0.0/24 (plan)"]),
        ({"first_address": "10.20.0.0"}, 1, ["device 0 of npu01 would get 10.20.0.0, the network address of 10.20.0.0/24 (plan)"]),
        ({"gateway": "10.20.0.12"}, 2, ["device 1 of npu01 would get 10.20.0.12, which is plan.gateway"]),
        ({"gateway": "10.20.0.1", "netdetect": "10.20.0.13"}, 2, ["device 0 of npu02 would get 10.20.0.13, which is plan.netdetect"]),
        ({"host_step": 1}, 2, ["device 0 of npu02 would get 10.20.0.12, which device 1 of npu01 has; check step and host_step"]),
        (
            {"first_address": "192.168.1.254", "prefix": 16},
            1,
            ["device 0 of npu01 would get 192.168.1.254 (plan): hccn_tool refuses 192.168.1.0/24 and 192.168.2.0/24"],
        ),
        (
            {"first_address": "192.168.2.5"},
            1,
            [
                "device 0 of npu01 would get 192.168.2.5 (plan): hccn_tool refuses 192.168.1.0/24 and 192.168.2.0/24",
                "device 0 of npu02 would get 192.168.2.6 (plan): hccn_tool refuses 192.168.1.0/24 and 192.168.2.0/24",
            ],
        ),
        ({"first_address": "127.0.0.1"}, 1, ["device 0 of npu01 would get 127.0.0.1 (plan), expected a unicast address"]),
        ({"first_address": "224.0.0.1"}, 1, ["device 0 of npu01 would get 224.0.0.1 (plan), expected a unicast address"]),
        ({"gateway": "10.20.1.1"}, 1, ["plan.gateway is 10.20.1.1, expected a host address of 10.20.0.0/24: hccn_tool refuses a gateway of another subnet"]),
        (
            {"gateway": "10.20.0.255"},
            1,
            ["plan.gateway is 10.20.0.255, expected a host address of 10.20.0.0/24: hccn_tool refuses a gateway of another subnet"],
        ),
        ({"netdetect": "10.20.0.255"}, 1, ["plan.netdetect is 10.20.0.255, expected the address of a neighbour that answers pings"]),
        ({"first_address": "10.20.0.256"}, 1, ["plan.first_address is '10.20.0.256', expected an IPv4 address such as 10.20.0.11"]),
        ({"first_address": "10.20.0.11/24"}, 1, ["plan.first_address is '10.20.0.11/24', expected an IPv4 address such as 10.20.0.11"]),
        ({"first_address": "2001:db8::1"}, 1, ["plan.first_address is '2001:db8::1', expected an IPv4 address such as 10.20.0.11"]),
        ({"first_address": None}, 1, ["plan.first_address is None, expected an IPv4 address such as 10.20.0.11"]),
        ({"step": 0}, 1, ["plan.step is 0, expected a whole number from 1 to 16777216"]),
        ({"step": True}, 1, ["plan.step is True, expected a whole number from 1 to 16777216"]),
        ({"host_step": -8}, 1, ["plan.host_step is -8, expected a whole number from 1 to 16777216"]),
        ({"prefix": 31}, 1, ["plan.prefix is 31, expected a whole number from 1 to 30"]),
        ({"prefix": None}, 1, ["plan has neither netmask nor prefix, expected one of the two"]),
        ({"netmask": "255.255.255.0"}, 1, ["plan has netmask and prefix, expected one of the two"]),
        ({"prefix": None, "netmask": "255.0.255.0"}, 1, ["plan.netmask is '255.0.255.0', expected a netmask such as 255.255.255.0"]),
        ({"prefix": None, "netmask": "0.0.0.255"}, 1, ["plan.netmask is '0.0.0.255', expected a netmask such as 255.255.255.0"]),
        ({"prefix": None, "netmask": 24}, 1, ["plan.netmask is 24, expected a netmask such as 255.255.255.0"]),
        ({}, 0, ["devices is 0, expected a whole number from 1 to 64"]),
        ({}, "eight", ["devices is 'eight', expected a whole number from 1 to 64"]),
    ],
)
def test_flat_plan_that_cannot_work(change, devices, expected):
    found = problems(HOSTS, {**FLAT, **change}, devices)
    assert found[: len(expected)] == expected


def test_flat_plan_past_the_end_of_its_subnet():
    assert problems(HOSTS, {"first_address": "10.20.0.253", "prefix": 24}, 2) == [
        "device 0 of npu02 would get 10.20.0.255, the broadcast address of 10.20.0.0/24 (plan)",
        "device 1 of npu02 would be 1 past the end of 10.20.0.0/24 (plan); choose a larger subnet or a lower start",
    ]


def test_unknown_key_is_named():
    assert problems(HOSTS, {**FLAT, "gatway": "10.20.0.1"}, 1) == [
        "plan.gatway is not known, expected one of first_address, gateway, host_step, netdetect, netmask, prefix, step"
    ]


def test_all_problems_are_listed_and_many_are_cut():
    with pytest.raises(AddressPlanError) as refusal:
        plan_addresses(HOSTS, {"first_address": "192.168.1.1", "prefix": 24}, 8)
    assert len(refusal.value.problems) == 16
    assert str(refusal.value).endswith("and 8 more")
    assert str(refusal.value).count("; ") == SHOWN_MAX


@pytest.mark.parametrize(
    "rails, devices, expected",
    [
        (
            [{"subnet": "10.0.0.0/16"}, {"subnet": "10.0.1.0/24"}],
            2,
            ["plan.rails[1].subnet is 10.0.1.0/24, which overlaps 10.0.0.0/16 of plan.rails[0]; give every rail its own subnet"],
        ),
        ([{"subnet": "10.0.0.0/24"}], 2, ["plan.rails has 1 entries, expected 2, one per device"]),
        ([{"subnet": "10.0.0.5/24"}], 1, ["plan.rails[0].subnet is '10.0.0.5/24', expected a subnet such as 10.20.0.0/24, with room for hosts"]),
        ([{"subnet": "10.0.0.0"}], 1, ["plan.rails[0].subnet is '10.0.0.0', expected a subnet such as 10.20.0.0/24, with room for hosts"]),
        ([{"subnet": "10.0.0.0/31"}], 1, ["plan.rails[0].subnet is '10.0.0.0/31', expected a subnet such as 10.20.0.0/24, with room for hosts"]),
        ([{"first": 3}], 1, ["plan.rails[0].subnet is None, expected a subnet such as 10.20.0.0/24, with room for hosts"]),
        ([{"subnet": "10.0.0.0/24", "first": 0}], 1, ["plan.rails[0].first is 0, expected a whole number from 1 to 16777216"]),
        ([{"subnet": "10.0.0.0/24", "first": 254}], 1, ["device 0 of npu02 would get 10.0.0.255, the broadcast address of 10.0.0.0/24 (plan.rails[0])"]),
        ([{"subnet": "10.0.0.0/24", "gateway": "10.0.0.2"}], 1, ["device 0 of npu02 would get 10.0.0.2, which is plan.rails[0].gateway"]),
        (
            [{"subnet": "10.0.0.0/24"}, {"subnet": "10.0.1.0/24", "netdetect": "10.0.0.1"}],
            2,
            ["device 0 of npu01 would get 10.0.0.1, which is plan.rails[1].netdetect"],
        ),
        (
            [{"subnet": "192.168.2.0/24", "first": 4}],
            1,
            [
                "device 0 of npu01 would get 192.168.2.4 (plan.rails[0]): hccn_tool refuses 192.168.1.0/24 and 192.168.2.0/24",
                "device 0 of npu02 would get 192.168.2.5 (plan.rails[0]): hccn_tool refuses 192.168.1.0/24 and 192.168.2.0/24",
            ],
        ),
        (["10.0.0.0/24"], 1, ["plan.rails[0] is '10.0.0.0/24', expected a dict"]),
        ("10.0.0.0/24", 1, ["plan.rails is '10.0.0.0/24', expected a list with one subnet per device"]),
        ([{"subnet": "10.0.0.0/24", "prefix": 24}], 1, ["plan.rails[0].prefix is not known, expected one of first, gateway, netdetect, subnet"]),
    ],
)
def test_rails_that_cannot_work(rails, devices, expected):
    assert problems(HOSTS, {"rails": rails}, devices) == expected


def test_rails_and_first_address_do_not_mix():
    assert problems(HOSTS, {"rails": [{"subnet": "10.0.0.0/24"}], "first_address": "10.0.0.1"}, 1) == ["plan.first_address is not known, expected one of rails"]


@pytest.mark.parametrize(
    "hosts, expected",
    [
        ([], ["hosts is [], expected a list of host names"]),
        ("npu01", ["hosts is 'npu01', expected a list of host names"]),
        (None, ["hosts is None, expected a list of host names"]),
        (["npu01", "npu01"], ["hosts[1] is npu01, which is in the list already; list every host once"]),
        (["npu01", 2, ""], ["hosts[1] is 2, expected a host name", "hosts[2] is '', expected a host name"]),
    ],
)
def test_wrong_hosts(hosts, expected):
    assert problems(hosts, FLAT, 1) == expected


@pytest.mark.parametrize("plan", [None, [], "10.20.0.11", 5])
def test_plan_that_is_no_dict(plan):
    assert problems(HOSTS, plan, 1) == [f"plan is {plan!r}, expected a dict"]


def test_empty_plan():
    assert problems(HOSTS, {}, 1) == [
        "plan.first_address is None, expected an IPv4 address such as 10.20.0.11",
        "plan has neither netmask nor prefix, expected one of the two",
    ]


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 20), st.integers(1, 16), st.integers(1, 3), st.integers(0, 2**16))
def test_addresses_are_unique_and_in_their_subnet(hosts, devices, step, offset):
    names = [f"npu{number}" for number in range(hosts)]
    first = f"10.64.{offset // 256}.{offset % 256}" if offset < 2**16 else "10.65.0.0"
    try:
        planned = plan_addresses(names, {"first_address": first, "step": step, "prefix": 16}, devices)
    except AddressPlanError as refusal:
        assert refusal.problems
        return
    flat = [address for group in addresses(planned).values() for address in group]
    assert len(flat) == len(set(flat)) == hosts * devices
    assert all(address.startswith(("10.64.", "10.65.")) for address in flat)
    assert not {"10.64.0.0", "10.64.255.255", "10.65.0.0"} & set(flat)


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["10.0.0.1", "10.0.0.0/24", "255.255.255.0"]),
    lambda children: st.lists(children, max_size=3)
    | st.dictionaries(
        st.sampled_from(["first_address", "step", "host_step", "prefix", "netmask", "gateway", "netdetect", "rails", "subnet", "first"]), children
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(WILD, WILD, st.one_of(st.integers(-1, 20), WILD))
def test_only_its_own_error(hosts, plan, devices):
    for names in (hosts, HOSTS):
        try:
            plan_addresses(names, plan, devices)
        except AddressPlanError as refusal:
            assert refusal.problems
