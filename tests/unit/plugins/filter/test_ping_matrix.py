# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import time

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.ping_matrix import ping_matrix
from ansible_collections.npuops.ascend.plugins.filter.ping_plan import ping_plan
from hypothesis import given, settings
from hypothesis import strategies as st

LLDP = {"chassis_id": "aa:bb:cc:dd:ee:ff", "port_id": "400GE1/1/5:1", "system_name": "leaf1"}


def cluster(hosts, devices=8):
    """Healthy devices, all in one segment."""
    return {
        f"npu{h:02}": [
            {
                "device": n,
                "address": f"10.0.{h}.{n + 1}",
                "netmask": "255.255.0.0",
                "gateway": "10.0.0.1",
                "tls_enabled": False,
                "link": "up",
                "lldp": LLDP,
            }
            for n in range(devices)
        ]
        for h in range(1, hosts + 1)
    }


def ping(devices, reaches, pairs="all", error=None):
    """What every host's pings bring when ``reaches`` says of two (host, device) whether the second one answers the first."""
    owner = {facts["address"]: (host, facts["device"]) for host, found in devices.items() for facts in found}
    pings = {}
    for host in devices:
        pings[host] = []
        for entry in ping_plan(devices, host, pairs):
            for target in entry["targets"]:
                good = reaches((host, entry["device"]), owner[target])
                counts = {"transmitted": 3, "received": 3, "loss_percent": 0.0} if good else {"transmitted": 3, "received": 0, "loss_percent": 100.0}
                pings[host].append({"device": entry["device"], "target": target, "avg_ms": 0.1 if good else None, "error": None, **counts})
    return pings


def results(devices, reaches, pairs="all", **options):
    return ping_matrix(ping(devices, reaches, pairs), devices, **options)["results"]


def only(found):
    assert len(found) == 1, [result["observed"] for result in found]
    return found[0]


def why(result):
    """The reason, told by its English cause."""
    words = {
        "hccn_tool of this device": "tool",
        "The TLS switch differs": "tls",
        "The network port of the device": "link",
        "The addresses do not let": "address_plan",
        "The two sides lie in different": "gateway",
        "TLS, links, addresses and gateways": "switch_port",
        "Each device reaches its twin": "back_to_back",
        "Packets are lost, and": "unknown",
    }
    return next(reason for start, reason in words.items() if result["cause"]["en"].startswith(start))


def test_a_healthy_fabric_passes():
    found = ping_matrix(ping(cluster(2), lambda _one, _other: True), cluster(2))
    assert len(found["pairs"]) == 128
    assert all(pair["ok"] and pair["reason"] is None for pair in found["pairs"])
    result = only(found["results"])
    assert (result["id"], result["status"], result["host"], result["device"]) == ("ping_matrix", "pass", "", None)
    assert result["observed"].startswith("128 of 128 pings answered, mean 0.100 ms")


def test_what_came_back_instead_of_an_answer_is_evidence():
    devices = {name: [{"device": 0, "address": f"192.0.2.{number}", "netmask": "255.255.255.0", "link": "up"}] for number, name in ((1, "a"), (2, "b"))}
    lost = {"device": 0, "target": "192.0.2.2", "transmitted": 3, "received": 0, "loss_percent": 100.0, "error": None, "said": "Destination Host Unreachable"}
    found = ping_matrix({"a": [lost]}, devices)
    result = only(found["results"])
    assert (found["pairs"][0]["reason"], result["status"]) == ("switch_port", "fail")
    assert result["evidence"] == "a device 0 PING 192.0.2.2: 3 packets transmitted, 0 received: Destination Host Unreachable"


def test_a_record_is_whole_and_in_both_languages():
    devices = cluster(2)
    devices["npu01"][3]["link"] = "down"
    result = only(results(devices, lambda one, other: ("npu01", 3) not in (one, other)))
    assert (result["host"], result["device"], result["status"], result["severity"]) == ("npu01", 3, "fail", "fail")
    assert (result["stage"], result["scope"]) == ("fabric", "cluster")
    assert result["observed"] == "npu01 device 3: link down; 16 of 16 pings fail, 100 % loss"
    assert result["expected"] == "0 % loss between all planned pairs"
    assert "网口" in result["cause"]["zh"] and set(result["title"]) == set(result["cause"]) == set(result["remedy"]) == {"en", "zh"}
    assert result["evidence"].splitlines()[0] == "npu01 device 3 PING 10.0.2.1: 3 packets transmitted, 0 received"
    assert len(result["evidence"].splitlines()) == 3
    assert result["source"]
    json.dumps(result)


# ---------------------------------------------------------------------------------------------------------------------
# Reasons of one pair, in their order


def one_pair(one, other, **ping_changes):
    """The reason of a lost pair of two devices, each changed by these facts."""
    devices = cluster(2, 1)
    devices["npu01"][0].update(one)
    devices["npu02"][0].update(other)
    pings = ping(devices, lambda _one, _other: False)
    for found in pings.values():
        for entry in found:
            entry.update(ping_changes)
    return ping_matrix(pings, devices)["pairs"][0]["reason"]


FAR = {"address": "10.9.0.1"}
NO_GATEWAY = {"gateway": None}


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ({"tls_enabled": True, "link": "down"}, {}, "tls"),
        ({"tls_enabled": True, "link": "down"}, {"tls_enabled": True}, "link"),
        ({"tls_enabled": None}, {"link": "down", **FAR, **NO_GATEWAY}, "link"),
        (NO_GATEWAY, {**FAR, **NO_GATEWAY}, "address_plan"),
        (NO_GATEWAY, FAR, "gateway"),
        ({}, FAR, "gateway"),
        ({}, {}, "switch_port"),
        (NO_GATEWAY, NO_GATEWAY, "switch_port"),
        ({"link": None}, {}, "unknown"),
    ],
)
def test_reasons_in_their_order(one, other, reason):
    assert {one_pair(*sides) for sides in ((one, other), (other, one))} == {reason}


def test_a_tool_that_refuses_says_nothing_of_the_network():
    assert one_pair({"tls_enabled": True}, {}, error="hccn_tool hangs", loss_percent=None) == "tool"


def test_facts_that_were_not_read_are_no_reason():
    devices = {host: [{"device": 0, "address": found[0]["address"]}] for host, found in cluster(2, 1).items()}
    result = only(results(devices, lambda one, _other: one[0] == "npu02"))
    assert why(result) == "unknown"
    assert result["observed"] == "npu01 device 0 (10.0.1.1) to npu02 device 0 (10.0.2.1): 100 % loss in this direction only"


# ---------------------------------------------------------------------------------------------------------------------
# What pairs have in common is said once


def test_same_index_names_the_side_with_the_fault():
    devices = cluster(2)
    devices["npu02"][5]["link"] = "down"
    result = only(results(devices, lambda one, _other: one[1] != 5, "same_index"))
    assert (result["host"], result["device"], why(result)) == ("npu02", 5, "link")


def test_a_single_pair_that_both_sides_name():
    bad = {("npu01", 2), ("npu03", 5)}
    result = only(results(cluster(3), lambda one, other: {one, other} != bad))
    assert (result["host"], result["device"], why(result)) == ("npu01", 2, "switch_port")
    assert result["observed"] == (
        "npu01 device 2 (10.0.1.3) to npu03 device 5 (10.0.3.6): 100 % loss in both directions, both sides name each other; "
        "npu01 device 2 at leaf1 400GE1/1/5:1, npu03 device 5 at leaf1 400GE1/1/5:1"
    )


def test_pairs_that_both_sides_name_come_first():
    lost = {(("npu01", 0), ("npu02", 1)), (("npu01", 4), ("npu02", 5)), (("npu02", 5), ("npu01", 4))}
    found = results(cluster(2), lambda one, other: (one, other) not in lost)
    assert [(result["host"], result["device"]) for result in found] == [("npu01", 4), ("npu01", 0)]


def test_a_device_that_nobody_reaches():
    result = only(results(cluster(3), lambda one, other: ("npu02", 6) not in (one, other)))
    assert (result["host"], result["device"], why(result)) == ("npu02", 6, "switch_port")
    assert result["observed"].endswith("npu02 device 6 at leaf1 400GE1/1/5:1")


def test_a_host_is_said_once():
    result = only(results(cluster(3), lambda one, other: "npu02" not in (one[0], other[0])))
    assert (result["host"], result["device"]) == ("npu02", None)
    assert result["observed"] == "npu02 reaches no other host and is reached by none (256 of 256 pings fail, 100 % loss)"


def test_two_lost_hosts_among_others_are_two():
    found = results(cluster(4), lambda one, other: not {"npu02", "npu04"} & {one[0], other[0]})
    assert [(result["host"], result["device"]) for result in found] == [("npu02", None), ("npu04", None)]


def test_two_hosts_without_any_answer_are_said_once():
    result = only(results(cluster(2), lambda _one, _other: False))
    assert (result["host"], result["device"]) == ("", None)
    assert result["observed"] == "npu01, npu02: no pair of devices answers (128 of 128 pings fail, 100 % loss)"


def test_serving_groups_that_do_not_ping_each_other_are_judged_by_themselves():
    devices = cluster(4)
    groups = (("npu01", "npu03"), ("npu02", "npu04"))
    pings = {}
    for group in groups:
        pings.update(ping({host: devices[host] for host in group}, lambda one, _other: one[0] in groups[0]))
    result = only(ping_matrix(pings, devices)["results"])
    assert result["observed"] == "npu02, npu04: no pair of devices answers (128 of 128 pings fail, 100 % loss)"


@pytest.mark.parametrize("facts", [{"link": "down"}, {"address": None}])
def test_all_devices_of_a_host_are_said_once(facts):
    devices = cluster(3)
    for device in devices["npu03"]:
        device.update(facts)
    result = only(results(devices, lambda one, other: "npu03" not in (one[0], other[0])))
    assert (result["host"], result["device"]) == ("npu03", None)
    assert result["observed"].startswith("all 8 devices of npu03: ")


def test_two_hosts_that_do_not_meet():
    result = only(results(cluster(3), lambda one, other: {one[0], other[0]} != {"npu01", "npu03"}))
    assert result["observed"] == "npu01 and npu03: no pair answers (128 of 128 pings fail, 100 % loss)"


def test_one_direction():
    result = only(results(cluster(2), lambda one, _other: one[0] == "npu01"))
    assert result["observed"] == "npu01 and npu02: pairs answer in one direction only (64 of 128 pings fail, 100 % loss)"


def test_one_rail():
    for pairs in ("all", "same_index"):
        result = only(results(cluster(3), lambda one, other: 3 not in (one[1], other[1]), pairs))
        assert (result["host"], result["device"], why(result)) == ("", 3, "switch_port")


def twins(one, other):
    return one[1] == other[1]


def test_only_the_diagonal_without_a_switch_is_back_to_back():
    devices = cluster(2)
    for found in devices.values():
        for device in found:
            device["lldp"] = None
    result = only(results(devices, twins))
    assert why(result) == "back_to_back"
    assert result["observed"] == "npu01 and npu02: only devices of the same index reach each other (112 of 128 pings fail, 100 % loss)"
    for device in devices["npu01"]:
        device["lldp"] = {"port_id": "eth0", "system_name": "npu02"}
    assert why(only(results(devices, twins))) == "back_to_back"


def test_only_the_diagonal_on_a_switch_is_not():
    assert why(only(results(cluster(2), twins))) == "switch_port"


def test_only_the_diagonal_of_three_hosts_is_not_back_to_back():
    devices = cluster(3)
    for found in devices.values():
        for device in found:
            device["lldp"] = None
    result = only(results(devices, twins))
    assert why(result) == "switch_port"
    assert result["observed"].startswith("npu01 and npu02, npu01 and npu03, npu02 and npu03: only devices of the same index")


def test_one_segment_per_index_without_gateways_is_the_address_plan():
    devices = cluster(2)
    for h, found in enumerate(devices.values(), 1):
        for device in found:
            device.update(address=f"10.0.{device['device']}.{h}", netmask="255.255.255.0", gateway=None)
    assert why(only(results(devices, twins))) == "address_plan"


@pytest.mark.parametrize("pairs", ["all", "same_index"])
def test_an_address_given_twice_is_named_with_both_owners(pairs):
    devices = cluster(2)
    devices["npu02"][1]["address"] = "10.0.1.2"
    pings = {}
    for host in devices:
        planned = ping_plan(devices, host, pairs)
        pings[host] = [
            {"device": entry["device"], "target": target, "transmitted": 3, "received": 3, "loss_percent": 0.0, "avg_ms": 0.1, "error": None}
            for entry in planned
            for target in entry["targets"]
        ]
    found = ping_matrix(pings, devices)["results"]
    assert [(result["host"], result["device"], why(result)) for result in found] == [("npu01", 1, "address_plan"), ("npu02", 1, "address_plan")]
    assert found[0]["observed"] == "npu01 device 1: 10.0.1.2 is the address of npu02 device 1 too"


def test_a_missing_address_is_a_failure_although_nobody_can_ping_it():
    devices = cluster(2)
    devices["npu02"][4]["address"] = None
    result = only(results(devices, lambda _one, _other: True))
    assert (result["host"], result["device"], result["observed"]) == ("npu02", 4, "npu02 device 4: no address")


def test_an_address_that_could_not_be_read_is_not_missing():
    devices = cluster(2)
    devices["npu02"][4].update(address=None, errors={"address": "hccn_tool gave no result within 20 s"})
    result = only(results(devices, lambda _one, _other: True))
    assert (result["device"], why(result)) == (4, "tool")
    assert result["observed"] == "npu02 device 4: hccn_tool gave no result within 20 s"


def test_before_the_network_stage_there_is_nothing_to_ping():
    devices = {host: [{"device": n, "address": None, "link": "up"} for n in range(8)] for host in ("npu01", "npu02")}
    assert only(ping_matrix({"npu01": [], "npu02": []}, devices)["results"])["status"] == "skip"


def test_links_that_are_said_to_be_down_and_carry_packets_are_up():
    devices = cluster(2)
    for found in devices.values():
        for device in found:
            device["link"] = "down"
    assert only(results(devices, lambda _one, _other: True))["status"] == "pass"


def test_a_device_whose_tool_hangs():
    devices = cluster(2)
    pings = ping(devices, lambda _one, _other: True)
    for entry in pings["npu01"]:
        if entry["device"] == 2:
            entry.update(transmitted=0, received=0, loss_percent=None, avg_ms=None, error="hccn_tool gave no result within 30 s")
    result = only(ping_matrix(pings, devices)["results"])
    assert (result["host"], result["device"], why(result)) == ("npu01", 2, "tool")
    assert result["observed"] == "npu01 device 2: hccn_tool gave no result within 30 s; 8 of 16 pings fail, not sent"


def test_a_host_that_could_not_ping_does_not_hide_the_others():
    devices = cluster(3)
    pings = ping(devices, lambda one, other: {one, other} != {("npu01", 0), ("npu02", 1)})
    del pings["npu03"]
    found = ping_matrix(pings, devices, failures={"npu03": "hccn_tool was not found"})["results"]
    assert [(result["host"], result["device"], why(result)) for result in found] == [("npu03", None, "tool"), ("npu01", 0, "switch_port")]
    assert "hccn_tool was not found" in found[0]["observed"]


def test_loss_of_a_part_and_its_limit():
    devices = cluster(2)
    pings = ping(devices, lambda _one, _other: True)
    pings["npu01"][0].update(received=2, loss_percent=33.33)
    result = only(ping_matrix(pings, devices)["results"])
    assert "33.33 % loss in this direction only" in result["observed"]
    assert only(ping_matrix(pings, devices, loss_limit=34)["results"])["status"] == "pass"


def test_many_pairs_without_a_common_cause_are_counted():
    bad = {(("npu01", n), ("npu02", (n + shift) % 8)) for n in range(8) for shift in range(4)}
    found = results(cluster(2), lambda one, other: (one, other) not in bad)
    assert len(found) == 21
    assert found[-1]["observed"] == "12 more pairs without a common cause"


# ---------------------------------------------------------------------------------------------------------------------
# Severity, identity, input


def test_severity_is_that_of_the_inventory():
    devices = cluster(2)
    assert only(results(devices, lambda _one, _other: False, severity="warn"))["status"] == "warn"
    result = only(results(devices, lambda _one, _other: False, severity="off"))
    assert (result["status"], result["observed"]) == ("skip", "switched off")


def test_hccs():
    devices = {f"npu0{h}": [{"device": 0, "link": "down", "vnic": {"address": f"192.0.2.{h}"}}] for h in (1, 2)}
    pings = {
        "npu01": [{"device": 0, "target": "192.0.2.2", "transmitted": 3, "received": 0, "loss_percent": 100.0, "avg_ms": None, "error": None}],
    }
    found = ping_matrix(pings, devices, id="hccs_ping", address="vnic")
    assert (only(found["results"])["id"], found["pairs"][0]["reason"]) == ("hccs_ping", "switch_port")


@pytest.mark.parametrize("devices", [{}, cluster(1), {"npu01": [], "npu02": []}])
def test_nothing_to_ping_is_skipped(devices):
    assert only(ping_matrix({}, devices)["results"])["status"] == "skip"


@pytest.mark.parametrize(
    ("pings", "devices", "options", "words"),
    [
        ([], {}, {}, "the pings are list; expected a dictionary"),
        ({}, [], {}, "the devices are list; expected a dictionary"),
        ({"npu01": [{"device": 0, "target": "10.9.9.9"}]}, cluster(2), {}, "npu01 device 0 pinged 10.9.9.9, but"),
        ({}, {}, {"severity": "x"}, "severity is 'x'"),
        ({}, {}, {"id": "x"}, "id is 'x'"),
        ({}, {}, {"address": "x"}, "address is 'x'"),
        ({}, {}, {"failures": ["npu01"]}, "failures is no dictionary"),
    ],
)
def test_bad_input_is_refused(pings, devices, options, words):
    with pytest.raises(AnsibleFilterError, match=words):
        ping_matrix(pings, devices, **options)


# ---------------------------------------------------------------------------------------------------------------------
# Any fabric

FACTS = st.fixed_dictionaries(
    {},
    optional={
        "link": st.sampled_from(["up", "down", None]),
        "tls_enabled": st.sampled_from([True, False, None]),
        "netmask": st.sampled_from(["255.255.0.0", "255.255.255.0", None, "x"]),
        "gateway": st.sampled_from([None, "10.0.0.1"]),
        "lldp": st.sampled_from([None, LLDP]),
    },
)


@settings(max_examples=150, deadline=None)
@given(data=st.data(), hosts=st.integers(2, 4), size=st.integers(1, 3), pairs=st.sampled_from(["all", "same_index"]))
def test_every_lost_pair_is_named_once_and_order_does_not_matter(data, hosts, size, pairs):
    devices = cluster(hosts, size)
    for found in devices.values():
        for device in found:
            device.update(data.draw(FACTS))
    everything = sorted((host, device["device"]) for host, found in devices.items() for device in found)
    lost = data.draw(st.sets(st.tuples(st.sampled_from(everything), st.sampled_from(everything))))
    pings = ping(devices, lambda one, other: (one, other) not in lost, pairs)
    found = ping_matrix(pings, devices)
    bad = [pair for pair in found["pairs"] if not pair["ok"]]
    assert {((pair["host"], pair["device"]), (pair["peer_host"], pair["peer_device"])) for pair in bad} == {
        ((pair["host"], pair["device"]), (pair["peer_host"], pair["peer_device"]))
        for pair in found["pairs"]
        if ((pair["host"], pair["device"]), (pair["peer_host"], pair["peer_device"])) in lost
    }
    assert all((pair["reason"] is None) == pair["ok"] for pair in found["pairs"])
    assert {result["status"] for result in found["results"]} == ({"fail"} if bad else {"pass"})
    assert len(found["results"]) <= max(1, len(bad))

    def turned(mapping):
        return dict(reversed(list(mapping.items())))

    again = ping_matrix(turned(pings), turned(devices))
    assert again["pairs"] == found["pairs"]
    assert sorted(result["observed"] for result in again["results"]) == sorted(result["observed"] for result in found["results"])


def test_a_large_fabric_is_judged_without_squaring_its_pairs():
    """Twice the hosts are four times the pairs: the time for each pair must not grow with them."""
    def seconds_per_pair(hosts):
        devices = cluster(hosts)
        pings = ping(devices, twins)
        began = time.process_time()
        pairs = ping_matrix(pings, devices)["pairs"]
        return (time.process_time() - began) / len(pairs)

    assert seconds_per_pair(16) < 4 * seconds_per_pair(4)
