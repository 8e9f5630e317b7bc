# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.npuops.ascend.plugins.filter.rank_table_servers import FilterModule
from ansible_collections.npuops.ascend.plugins.module_utils._rank_table import build, validate

servers_filter = FilterModule().filters()["rank_table_servers"]


def report(number: int, **change) -> dict:
    devices = [{"device": device, "address": f"10.20.{number}.{device + 1}", "netmask": "255.255.255.0", "link": "up", "errors": {}} for device in range(2)]
    return {"host": f"npu0{number}", "server_id": f"192.0.2.{10 + number}", "devices": devices, **change}


def test_servers_for_the_module():
    assert servers_filter([report(1), report(2, container_ip="172.17.0.2")]) == [
        {
            "server_id": "192.0.2.11",
            "container_ip": "192.0.2.11",
            "devices": [{"device_id": "0", "device_ip": "10.20.1.1"}, {"device_id": "1", "device_ip": "10.20.1.2"}],
        },
        {
            "server_id": "192.0.2.12",
            "container_ip": "172.17.0.2",
            "devices": [{"device_id": "0", "device_ip": "10.20.2.1"}, {"device_id": "1", "device_ip": "10.20.2.2"}],
        },
    ]


def test_the_result_is_a_valid_table_with_the_first_host_as_master():
    table = build(servers_filter([report(2), report(1)]))
    assert validate(table) == []
    assert table["server_list"][0]["server_id"] == "192.0.2.12"


@pytest.mark.parametrize(
    "reports, expected",
    [
        ([report(1, devices=[{"device": 3, "address": None}])], "device 3 of npu01 has no address"),
        ([report(1, devices=[{"device": 3}])], "device 3 of npu01 has no address"),
        ([report(1, devices=[])], r"npu01 reports no devices \(devices is \[\]\)"),
        ([{"host": "npu01", "server_id": "192.0.2.11"}], r"npu01 reports no devices \(devices is None\)"),
        ([report(1, devices=["0"])], r"npu01: devices\[0\] is '0', expected an entry of npuops\.ascend\.hccn_info"),
        ([report(1, devices=[{"address": "10.20.1.1"}])], r"npu01: devices\[0\] is .*, expected an entry of npuops\.ascend\.hccn_info"),
        ([report(1, server_id=None)], "npu01: server_id is None, expected the address of the host"),
        ([report(1, host=None, server_id="")], "entry 0: server_id is '', expected the address of the host"),
        (["npu01"], "entry 0 is 'npu01', expected a dict with host, server_id and devices"),
        ([], "expected a list with one dict per host"),
        (report(1), "expected a list with one dict per host"),
        ("npu01", "expected a list with one dict per host"),
        (None, "expected a list with one dict per host"),
    ],
)
def test_reports_that_give_no_table(reports, expected):
    with pytest.raises(AnsibleFilterError, match=expected):
        servers_filter(reports)


def test_all_hosts_and_devices_are_named():
    without = [{"device": 0, "address": None}, {"device": 1, "address": "10.20.1.2"}, {"device": 2, "address": ""}]
    with pytest.raises(AnsibleFilterError) as refusal:
        servers_filter([report(1, devices=without), report(2, devices=[])])
    for text in ("device 0 of npu01", "device 2 of npu01", "npu02 reports no devices"):
        assert text in str(refusal.value)
    assert "device 1 of npu01" not in str(refusal.value)
