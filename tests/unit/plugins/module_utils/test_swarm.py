# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _manifest
from ansible_collections.npuops.ascend.plugins.module_utils import _swarm as core

MANIFEST = _manifest.Manifest({"b": _manifest.File(20, "b" * 64), "a": _manifest.File(10, "a" * 64)})
PATH, FOLDER = "/data/DeepSeek-R1-W8A8", "/var/lib/npuops/weights/r1/swarm"


def settings(**changes):
    arguments = {"own": "192.0.2.12", "peers": ["192.0.2.11", "192.0.2.12", "192.0.2.13"], "port": 16881, "interface": "", "rate_limit": 0, "complete": False}
    return core.settings(MANIFEST, PATH, FOLDER, **{**arguments, **changes})


# From 256 KiB, doubled until there are no more than 2,000 pieces, to 16 MiB.
@pytest.mark.parametrize("total, size", [
    (0, 256 * 1024), (524_288_000, 256 * 1024), (524_288_001, 512 * 1024), (33_554_432_000, 16 * 2**20), (690 * 10**9, 16 * 2**20),
])
def test_the_size_of_pieces(total, size):
    assert core.piece_bytes(total) == size


@given(st.integers(0, 10**13))
def test_pieces_are_a_power_of_two(total):
    size = core.piece_bytes(total)
    assert size & (size - 1) == 0
    assert total <= size * core.PIECES or size == core.MAX_PIECE


def test_only_the_hosts_of_the_group_are_known_and_let_in():
    made = settings()
    assert made["peers"] == [["192.0.2.11", 16881], ["192.0.2.13", 16881]]
    assert made["allowed"] == ["192.0.2.11", "192.0.2.13"]
    assert (made["listen"], made["outgoing"]) == ("192.0.2.12", "192.0.2.12")
    assert made["files"] == [["a", 10], ["b", 20]]
    properties = core.unit_properties(made, FOLDER, 60)
    assert [line for line in properties if line.startswith("IPAddress")] == ["IPAddressDeny=any", "IPAddressAllow=192.0.2.11", "IPAddressAllow=192.0.2.13"]
    assert "RuntimeMaxSec=60" in properties


def test_addresses_of_ipv6_and_a_named_interface():
    made = settings(own="2001:db8::2", peers=["2001:0db8::0003"])
    assert (made["listen"], made["peers"]) == ("[2001:db8::2]", [["2001:db8::3", 16881]])
    assert settings(interface="bond0")["listen"] == settings(interface="bond0")["outgoing"] == "bond0"


@pytest.mark.parametrize("changes, words", [
    ({"own": "npu01"}, "address has 'npu01', which is no address"), ({"peers": ["npu01"]}, "peers has 'npu01'"),
    ({"peers": ["192.0.2.12"]}, "no host but this one"), ({"port": 80}, "port is 80, expected 1024 to 65535"),
])
def test_settings_that_are_refused(changes, words):
    with pytest.raises(core.SwarmError, match=words):
        settings(**changes)


def test_other_weights_have_other_settings_and_units():
    other = _manifest.Manifest({**MANIFEST.files, "a": _manifest.File(10, "c" * 64)})
    assert core.settings(other, PATH, FOLDER, "192.0.2.12", ["192.0.2.11"], 16881, "", 0, False)["manifest"] != settings()["manifest"]
    assert core.unit_name("/data/a") != core.unit_name("/data2/a")
    assert core.unit_name("/data/a b;c").startswith("npuops-weights-a_b_c-")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"phase": 1}'])
def test_a_state_that_says_nothing(text):
    assert core.parse_state(text)["phase"] == "starting"
