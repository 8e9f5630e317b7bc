# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.drift_items import drift_items
from ansible_collections.npuops.ascend.plugins.filter.drift_text import drift_text
from ansible_collections.npuops.ascend.plugins.module_utils import _drift
from hypothesis import given
from hypothesis import strategies as st

CONFIG = {"ServerConfig": {"port": 1025, "httpsEnabled": False}, "BackendConfig": {"ModelDeployConfig": {"ModelConfig": [{"modelName": "V3"}]}}}


def view(name, **changes):
    """A host as the role drift describes it: nothing differs."""
    made = {
        "host": name,
        "address": f"192.0.2.1{name[-1]}",
        "group": "mindie",
        "reached": True,
        "facts": {
            "system": {"kernel": "5.10.0"},
            "npu": {"driver_version": "24.1.0", "firmware_version": "7.5.0.3.220"},
            "hccn": {"devices": [{"device": device, "netmask": "255.255.0.0", "tls_enabled": False, "mtu": 4200} for device in range(8)]},
            "image": {"name": "mindie:2.0", "id": "sha256:aa"},
            "environment": {"variables": {"MIES_CONTAINER_IP": f"192.0.2.1{name[-1]}", "OMP_NUM_THREADS": "1"}},
            "rank_table": {"sha256": "11"},
        },
        "network": {"diff": {"before": {"device 0": {"address": "10.0.0.1"}}, "after": {"device 0": {"address": "10.0.0.1"}}}},
        "config": {"config": copy.deepcopy(CONFIG), "changes": []},
        "files": {"results": []},
        "rank_table": {"changed": False, "sha256": "11"},
        "wanted": {"driver": "24.1.0", "firmware": "7.5.0.3.220", "cann": "", "image": "mindie:2.0"},
        "problems": {},
    }
    return {**made, **changes}


def facts(**changes):
    return {**view("npu01")["facts"], "environment": {}, **changes}


def told(*views):
    return [(item["kind"], item["host"], item["what"], item["found"], item["expected"], item["tag"]) for item in drift_items(list(views))]


def test_equal_hosts_as_the_inventory_says_have_no_drift():
    assert told(view("npu01"), view("npu02"), view("npu03")) == []


def test_the_odd_one_out_is_named():
    other = view("npu02", facts=facts(npu={"driver_version": "24.1.1", "firmware_version": "7.5.0.3.220"}), wanted={})
    hosts = [view(name, facts=facts()) for name in ("npu01", "npu03")]
    assert told(hosts[0], other, hosts[1]) == [("hosts", "npu02", "HDK driver", "24.1.1", "24.1.0, as on npu01", "hdk")]


def test_of_two_hosts_the_first_is_the_measure():
    other = view("npu02", facts=facts(image={"id": "sha256:bb"}))
    assert told(view("npu01", facts=facts()), other) == [("hosts", "npu02", "image", "sha256:bb", "sha256:aa, as on npu01", "docker_images")]


def test_hosts_of_other_groups_are_not_compared():
    other = view("npu02", group="other", facts=facts(system={"kernel": "6.6"}))
    assert told(view("npu01", facts=facts()), other) == []


def test_the_own_address_in_the_environment_is_no_difference():
    views = [view("npu01"), view("npu02")]
    views[1]["facts"]["environment"]["variables"]["OMP_NUM_THREADS"] = "10"
    assert told(*views) == [("hosts", "npu02", "environment, OMP_NUM_THREADS", "10", "1, as on npu01", "mindie")]


def test_the_address_of_the_master_is_compared_as_it_is():
    views = [view("npu01"), view("npu02")]
    for one in views:
        one["facts"]["environment"]["variables"]["MASTER_IP"] = "192.0.2.11"
    assert told(*views) == []


def test_between_hosts_comes_first():
    changed = {"config": CONFIG, "changes": [{"path": "ServerConfig.port", "before": 1030, "after": 1025}]}
    assert told(view("npu01"), view("npu02", config=changed)) == [
        ("hosts", "npu02", "config.json, ServerConfig.port", "1030", "1025, as on npu01", "mindie"),
        ("inventory", "npu02", "config.json, ServerConfig.port", "1030", "1025", "mindie"),
    ]


def test_devices_and_their_lines_in_hccn_conf():
    before = {"device 3": {"tls_enabled": True, "gateway": None, "hccn.conf": {"tls_enable_3": "1", "gateway_3": None}}}
    after = {"device 3": {"tls_enabled": False, "gateway": "10.0.0.254", "hccn.conf": {"tls_enable_3": "0", "gateway_3": "10.0.0.254"}}}
    assert told(view("npu01", network={"diff": {"before": before, "after": after}})) == [
        ("inventory", "npu01", "device 3, tls_enabled", "true", "false", "npu_network"),
        ("inventory", "npu01", "device 3, gateway", "nothing", "10.0.0.254", "npu_network"),
        ("inventory", "npu01", "device 3, hccn.conf tls_enable_3", "1", "0", "npu_network"),
        ("inventory", "npu01", "device 3, hccn.conf gateway_3", "nothing", "10.0.0.254", "npu_network"),
    ]


def test_versions_of_the_packages_that_the_inventory_names():
    wanted = {"driver": "24.1.1", "firmware": "7.5.0.3.220", "cann": "8.1.RC1", "image": "mindie:2.0"}
    assert told(view("npu01", wanted=wanted, facts=facts(image={"error": "No such image", "kind": "missing"}))) == [
        ("inventory", "npu01", "HDK driver", "24.1.0", "24.1.1", "hdk"),
        ("inventory", "npu01", "CANN toolkit", "nothing", "8.1.RC1", "cann"),
        ("inventory", "npu01", "image", "nothing", "mindie:2.0", "docker_images"),
    ]


def test_the_environment_by_variable_and_other_files_as_a_whole():
    wanted = {"environment": {"MIES_CONTAINER_IP": "192.0.2.11", "OMP_NUM_THREADS": "10", "NEW": "1", "API_KEY": "x"}}
    results = [
        {"item": {"dest": "/etc/npuops/mindie/environment"}, "changed": True},
        {"item": {"dest": "/etc/npuops/mindie/start.sh"}, "changed": False},
        {"item": {"dest": "/etc/systemd/system/mindie.service"}, "changed": True},
    ]
    whole = ("another content, owner or mode", "what the role writes (site.yml --check --diff shows it)", "mindie")
    assert told(view("npu01", files={"results": results}, wanted=wanted)) == [
        ("inventory", "npu01", "environment, NEW", "nothing", "1", "mindie"),
        ("inventory", "npu01", "environment, OMP_NUM_THREADS", "1", "10", "mindie"),
        ("inventory", "npu01", "/etc/systemd/system/mindie.service", *whole),
    ]


def test_an_environment_that_differs_in_what_is_not_shown():
    wanted = {"environment": {"MIES_CONTAINER_IP": "192.0.2.11", "OMP_NUM_THREADS": "1", "API_TOKEN": "x"}}
    results = [{"dest": "/etc/npuops/mindie/environment", "changed": True}]
    assert [item["what"] for item in drift_items([view("npu01", files={"results": results}, wanted=wanted)])] == ["/etc/npuops/mindie/environment"]


def test_a_rank_table_with_other_bytes():
    assert told(view("npu01", rank_table={"changed": True, "sha256": "22"})) == [("inventory", "npu01", "rank table, sha256", "11", "22", "rank_table")]


def test_what_could_not_be_compared_and_who_was_not_reached():
    assert told(view("npu01", problems={"mindie": "No such image"}), {"host": "npu02", "reached": False}) == [
        ("hosts", "npu02", "host", "unreachable", "an answer to Ansible", ""),
        ("inventory", "npu01", "mindie", "not compared: No such image", "what the inventory says", "mindie"),
    ]


def test_the_text_in_both_languages():
    items = drift_items([view("npu01", rank_table={"changed": True, "sha256": "22"})])
    assert drift_text(items, 1) == (
        "Against the inventory (1)\n  npu01: rank table, sha256  [repair with --tags rank_table]\n    found: 11\n    expected: 22"
    )
    assert drift_text(items, 1, "zh").startswith("与 inventory 相比 (1)\n  npu01: rank table, sha256  [修复：--tags rank_table]\n    实际: 11")
    assert drift_text([], 2) == "No drift: 2 hosts have what the inventory says."


def test_other_input_is_refused():
    for value in (None, "x", [{"name": "npu01"}]):
        with pytest.raises(AnsibleFilterError, match="drift_items"):
            drift_items(value)
    with pytest.raises(AnsibleFilterError, match="drift_text"):
        drift_text("x", 1)
    with pytest.raises(AnsibleFilterError, match="language is 'fr'"):
        drift_text([], 1, "fr")


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["facts", "network", "config", "files", "rank_table", "wanted", "problems", "group", "address"]), JSON_LIKE))
def test_whatever_was_gathered_gives_items(changes):
    items = _drift.differences([view("npu01"), view("npu02", **changes)])
    assert json.loads(json.dumps(items)) == items
    assert all(isinstance(value, str) for item in items for value in item.values())
