# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_plan import Conf, Step, plan, validate
from hypothesis import given, settings
from hypothesis import strategies as st


def test_recorded_file_of_eight_devices(fixture_text):
    conf = Conf(fixture_text("cli/host-files/hccn.conf--8x910B-full.txt"))
    assert conf.terminated
    assert (conf.get(0, "address"), conf.get(1, "netmask"), conf.get(7, "tls_enabled")) == ("127.0.0.45", "255.255.0.0", "0")
    assert conf.get(0, "mtu") is None
    assert conf.get(8, "address") is None


def test_keys_that_look_alike_are_not_taken_for_each_other(fixture_text):
    conf = Conf(fixture_text("cli/host-files/hccn.conf--all-key-kinds.txt"))
    assert conf.holds(0, "address", "10.12.165.80")
    assert conf.holds(0, "gateway", "10.12.165.1")
    assert conf.holds(0, "mtu", 4200)
    assert conf.holds(0, "tls_enabled", False)
    assert not conf.holds(0, "mtu", 420)


def test_empty_file_needs_no_newline():
    assert Conf("").terminated
    assert not Conf("address_0=10.0.0.1").terminated


def test_first_line_of_a_doubled_key_counts_but_is_not_right():
    conf = Conf("mtu_0=9000\nmtu_0=1500\n")
    assert conf.get(0, "mtu") == "9000"
    assert conf.shown(0, "mtu") == ["9000", "1500"]
    assert not conf.holds(0, "mtu", 9000)


def test_steps_in_the_order_of_the_tool():
    wanted = {"tls_enabled": True, "netdetect": "10.0.0.1", "gateway": "10.0.0.1", "netmask": "255.0.0.0", "address": "10.0.0.2", "mtu": 1279}
    assert plan({3: wanted}, {3: {}}, None) == [
        [
            Step(3, "mtu", ("-mtu", "-s", "size", "1279"), "y"),
            Step(3, "address", ("-ip", "-s", "address", "10.0.0.2", "netmask", "255.0.0.0")),
            Step(3, "gateway", ("-gateway", "-s", "gateway", "10.0.0.1")),
            Step(3, "netdetect", ("-netdetect", "-s", "address", "10.0.0.1")),
            Step(3, "tls", ("-tls", "-s", "enable", "1")),
        ]
    ]


def test_netmask_alone_sets_the_pair():
    wanted = {"address": "10.0.0.2", "netmask": "255.255.0.0"}
    conf = Conf("address_0=10.0.0.2\nnetmask_0=255.0.0.0\n")
    (steps,) = plan({0: wanted}, {0: {"address": "10.0.0.2", "netmask": "255.0.0.0"}}, conf)
    assert [step.command for step in steps] == ["hccn_tool -i 0 -ip -s address 10.0.0.2 netmask 255.255.0.0"]


def address(n: int) -> dict:
    return {"address": f"10.0.0.{n + 1}", "netmask": "255.255.255.0"}


@pytest.mark.parametrize("shift", [1, -1])
def test_shifted_addresses_are_set_from_the_free_end(shift):
    current = {n: address(n + 1) for n in range(8)}
    order = [steps[0].device for steps in plan({n: address(n + 1 + shift) for n in range(8)}, current, Conf(""))]
    assert order == (list(range(8)) if shift < 0 else list(reversed(range(8))))


def test_exchanged_addresses_still_get_an_order():
    order = [steps[0].device for steps in plan({0: address(1), 1: address(0), 2: address(2)}, {0: address(0), 1: address(1), 2: {}}, Conf(""))]
    assert sorted(order) == [0, 1, 2]


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "mtu": st.integers(68, 9702),
        "gateway": st.just("10.0.0.254"),
        "netdetect": st.sampled_from(["10.0.0.254", "10.1.0.1"]),
        "tls_enabled": st.booleans(),
    },
)


@settings(max_examples=100, deadline=None)
@given(wanted=st.dictionaries(st.integers(0, 15), SETTINGS, max_size=8), text=st.text(max_size=100))
def test_after_the_planned_steps_nothing_is_left(wanted, text):
    wanted = {device: {**declared, **address(device)} for device, declared in wanted.items()}
    done = plan(wanted, {}, Conf(text))
    values = {(device, field): value for device, declared in wanted.items() for field, value in declared.items()}
    after = Conf(text).with_values(values)
    assert sorted(steps[0].device for steps in done) == sorted(wanted)
    assert after.terminated
    assert plan(wanted, wanted, after) == []
    assert Conf(text).lines_lost_in(after) == []


ENTRY = st.fixed_dictionaries(
    {"device": st.integers(-5, 200)},
    optional={
        **dict.fromkeys(["address", "netmask", "gateway", "netdetect"], st.one_of(st.text(max_size=12), st.ip_addresses(v=4).map(str))),
        "mtu": st.integers(),
        "tls_enabled": st.booleans(),
    },
)


@settings(max_examples=200, deadline=None)
@given(devices=st.lists(ENTRY, max_size=4))
def test_any_declaration_is_judged(devices):
    problems = validate(devices)
    assert all(problem.startswith("devices[") and problem.endswith(".") for problem in problems)
