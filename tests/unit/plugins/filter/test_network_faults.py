# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.network_faults import network_faults

WANTED = {"device": 3, "address": "10.0.1.13", "netmask": "255.255.0.0", "gateway": "10.0.0.1", "netdetect": "10.0.0.1", "tls_enabled": False}
HEALTHY = {**WANTED, "link": "up", "net_health": "success", "lldp": {"port_id_type": "Ifname", "port_id": "400GE1/1/5:1"}, "errors": {}}


def test_a_healthy_device_has_no_fault():
    assert network_faults([HEALTHY], [WANTED], "npu01") == []


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"link": "down"}, "npu01 device 3: link is down; expected up"),
        ({"net_health": "receive_timeout"}, "npu01 device 3: net_health is receive_timeout; expected success"),
        ({"tls_enabled": True}, "npu01 device 3: tls_enabled is True; expected False"),
        ({"gateway": None}, "npu01 device 3: gateway is None; expected 10.0.0.1"),
        ({"address": "10.0.1.99"}, "npu01 device 3: address is 10.0.1.99; expected 10.0.1.13"),
        ({"lldp": None}, "npu01 device 3: no LLDP neighbour"),
        ({"errors": {"lldp": "The device is not exist!"}}, "npu01 device 3: lldp could not be read: The device is not exist!"),
    ],
)
def test_one_fault_gives_one_sentence(values, words):
    faults = network_faults([{**HEALTHY, **values}], [WANTED], "npu01")
    assert len(faults) == 1
    assert faults[0].startswith(words)


def test_lldp_can_be_left_out():
    assert network_faults([{**HEALTHY, "lldp": None}], [WANTED], lldp=False) == []


def test_a_device_that_was_not_read():
    assert network_faults([], [WANTED], "npu01") == ["npu01 device 3: not read; expected an answer of hccn_tool."]


def test_anything_but_lists_is_refused():
    with pytest.raises(AnsibleFilterError, match="two lists"):
        network_faults("x", [WANTED])
