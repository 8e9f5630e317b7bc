# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.npuops.ascend.plugins.filter import address_plan

plan_filter = address_plan.FilterModule().filters()["address_plan"]


def test_eight_devices_by_default():
    planned = plan_filter(["npu01"], {"first_address": "10.20.0.11", "prefix": 24})
    assert [device["device"] for device in planned["npu01"]] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert planned["npu01"][7]["address"] == "10.20.0.18"


def test_problem_becomes_a_filter_error():
    with pytest.raises(AnsibleFilterError, match=r"npuops\.ascend\.address_plan: device 0 of npu01 would get 10\.20\.0\.1, which is plan\.gateway"):
        plan_filter(["npu01"], {"first_address": "10.20.0.1", "prefix": 24, "gateway": "10.20.0.1"}, 1)


def test_missing_netaddr_is_named(monkeypatch):
    monkeypatch.setattr(address_plan, "HAS_NETADDR", False)
    with pytest.raises(AnsibleFilterError, match="the Python package netaddr is missing on the controller"):
        plan_filter(["npu01"], {"first_address": "10.20.0.1", "prefix": 24}, 1)
