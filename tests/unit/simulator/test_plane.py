# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The NPU plane: which addresses the interface carries, and what a ping says."""

from __future__ import annotations

import ipaddress
import typing as t

import pytest
from hypothesis import given
from hypothesis import strategies as st
from npusim import plane
from npusim.state import State

FOREIGN = "10.89.16.2/20"


class Kernel:
    """An interface as Linux keeps it: the first address of a subnet takes the later ones of that subnet with it."""

    def __init__(self) -> None:
        self.addresses: dict[str, str] = {FOREIGN: "eth1"}
        self.commands: list[list[str]] = []

    def run(self, argv: list[str]) -> str:
        self.commands.append(argv)
        if "show" in argv:
            return "".join(f"4: eth1    inet {address} scope global {label}\\       valid_lft forever preferred_lft forever\n"
                           for address, label in self.addresses.items())
        address = argv[3]
        if "add" in argv:
            assert address not in self.addresses
            self.addresses[address] = argv[argv.index("label") + 1]
            return ""
        neighbours = [other for other in self.addresses if self.same_subnet(address, other)]
        for gone in neighbours if neighbours[0] == address else [address]:
            del self.addresses[gone]
        return ""

    @staticmethod
    def same_subnet(one: str, other: str) -> bool:
        return ipaddress.ip_interface(one).network == ipaddress.ip_interface(other).network


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    fake = Kernel()
    monkeypatch.setattr(plane, "interface", lambda: "eth1")
    monkeypatch.setattr(plane, "_run", fake.run)
    return fake


@pytest.fixture
def state() -> State:
    state = State.new()
    for device in state.devices[:3]:
        device.update(address=f"10.89.17.{device['phy_id'] + 1}", netmask="255.255.240.0")
    return state


def test_device_addresses_come_onto_the_interface_beside_the_others(kernel: Kernel, state: State) -> None:
    plane.apply(state)
    assert kernel.addresses == {FOREIGN: "eth1", "10.89.17.1/20": "eth1:n0", "10.89.17.2/20": "eth1:n1", "10.89.17.3/20": "eth1:n2"}


def test_nothing_is_done_twice(kernel: Kernel, state: State) -> None:
    plane.apply(state)
    kernel.commands.clear()
    plane.apply(state)
    assert [command for command in kernel.commands if "show" not in command] == []


def test_a_changed_address_replaces_the_old_one(kernel: Kernel, state: State) -> None:
    plane.apply(state)
    state.devices[1].update(address="192.0.2.9", netmask="255.255.255.0")
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, "10.89.17.1/20", "192.0.2.9/24", "10.89.17.3/20"}


def test_addresses_that_go_with_the_first_of_their_subnet_come_back(kernel: Kernel, state: State) -> None:
    kernel.addresses.clear()
    plane.apply(state)
    first = next(iter(kernel.addresses))
    state.devices[int(kernel.addresses[first][-1])]["address"] = None
    plane.apply(state)
    assert set(kernel.addresses) == {"10.89.17.1/20", "10.89.17.2/20", "10.89.17.3/20"} - {first}


@pytest.mark.parametrize("lose", [
    lambda state: state.devices[1].update(link="down"),
    lambda state: state.set_fault("link-down", 1),
    lambda state: state.set_fault("missing-device", 1),
], ids=["set down", "fault", "missing"])
def test_a_device_without_a_link_has_no_address_on_the_plane(kernel: Kernel, state: State, lose: t.Callable) -> None:
    plane.apply(state)
    lose(state)
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, "10.89.17.1/20", "10.89.17.3/20"}


def test_two_devices_with_one_address_share_it_until_both_have_left(kernel: Kernel, state: State) -> None:
    state.devices[1]["address"] = "10.89.17.1"
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, "10.89.17.1/20", "10.89.17.3/20"}
    state.devices[0]["address"] = None
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, "10.89.17.1/20", "10.89.17.3/20"}


def test_a_device_with_a_duplicate_address_answers_to_that_one(kernel: Kernel, state: State) -> None:
    state.set_fault("duplicate-address", 0, address="10.89.18.4")
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, "10.89.18.4/20", "10.89.17.2/20", "10.89.17.3/20"}


def test_the_dies_of_a_super_pod_carry_their_virtual_addresses_too(kernel: Kernel) -> None:
    state = State.new("A3", host_index=2)
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN}
    state.driver["installed"] = True
    state.set_fault("vnic-down", 3)
    plane.apply(state)
    assert set(kernel.addresses) == {FOREIGN, *(f"192.1.2.{number}/16" for number in range(1, 17) if number != 4)}


@pytest.mark.parametrize("name", ["none", "no-such-interface0"])
def test_without_an_interface_nothing_is_run(monkeypatch: pytest.MonkeyPatch, state: State, name: str) -> None:
    monkeypatch.setenv("NPUSIM_PLANE_IF", name)
    monkeypatch.setattr(plane, "_run", lambda argv: pytest.fail(f"ran {argv}"))
    assert plane.interface() is None
    plane.apply(state)
    state.peers.append("10.89.18.1")
    answered = [0.114] * 3
    lost = [None] * 3
    assert plane.ping(state, "10.89.17.1", "10.89.18.1", 3) == answered
    assert plane.ping(state, "10.89.17.1", "10.89.17.2", 3) == answered
    assert plane.ping(state, "10.89.17.1", "10.89.17.9", 3) == lost
    assert plane.ping(state, None, "10.89.17.2", 3) == lost
    state.devices[1]["link"] = "down"
    assert plane.ping(state, "10.89.17.1", "10.89.17.2", 3) == lost


PINGED = """\
PING 10.89.18.1 (10.89.18.1) from 10.89.17.1 : 56(84) bytes of data.
64 bytes from 10.89.18.1: icmp_seq=1 ttl=64 time=0.045 ms
64 bytes from 10.89.18.1: icmp_seq=3 ttl=64 time=12.5 ms
From 10.89.17.1 icmp_seq=2 Destination Host Unreachable

--- 10.89.18.1 ping statistics ---
3 packets transmitted, 2 received, 33.3333% packet loss, time 404ms
rtt min/avg/max/mdev = 0.045/6.272/12.500/6.227 ms
"""


def test_a_ping_leaves_from_the_device_address_and_is_read_packet_by_packet(monkeypatch: pytest.MonkeyPatch, state: State) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr(plane, "interface", lambda: "eth1")
    monkeypatch.setattr(plane, "_run", lambda argv: ran.append(argv) or PINGED)
    assert plane.ping(state, "10.89.17.1", "10.89.18.1", 3, 64) == [0.045, None, 12.5]
    assert ran == [["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", "-s", "64", "-I", "10.89.17.1", "10.89.18.1"]]


def test_a_command_is_run_with_its_output_read_and_nothing_else_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert plane._run(["sh", "-c", "cat; echo out; echo err >&2; exit 3"]) == "out\n"
    assert plane._run(["no-such-command-here"]) == ""
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.4 ", "1.2.3.4\r", "1.2.3.4/24",
                                  "a.b.c.d", "1..2.3", "²1.2.3.4", "-1.2.3.4"])
def test_what_is_no_address(text: str) -> None:
    assert plane.to_int(text) is None


@given(st.ip_addresses(v=4))
def test_an_address_is_its_number(address: ipaddress.IPv4Address) -> None:
    assert plane.to_int(str(address)) == int(address)


@pytest.mark.parametrize("length", range(33))
def test_a_contiguous_mask_has_a_length(length: int) -> None:
    assert plane.prefix_length(str(ipaddress.ip_network(f"0.0.0.0/{length}").netmask)) == length


@pytest.mark.parametrize("mask", ["255.255.0.255", "0.0.0.255", "254.255.255.0", "24", "255.255.255", "255.255.255.1"])
def test_what_is_no_mask(mask: str) -> None:
    assert plane.prefix_length(mask) is None
