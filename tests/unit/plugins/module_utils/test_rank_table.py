# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils._rank_table import (
    RankTableError,
    build,
    compare_with_live,
    merge,
    parse,
    path_findings,
    render,
    validate,
)

SAMPLES = Path(__file__).resolve().parents[3] / "fixtures" / "ranktable"

QUICK = settings(max_examples=150, deadline=None)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def ids(findings) -> list[str]:
    return [finding.id for finding in findings]


def refused(data) -> list[tuple[str, str]]:
    with pytest.raises(RankTableError) as refusal:
        parse(data)
    return [(finding.id, finding.path) for finding in refusal.value.findings]


def two_servers(devices: int = 2) -> list[dict]:
    return [
        {
            "server_id": f"192.0.2.{11 + host}",
            "devices": [{"device_id": str(device), "device_ip": f"10.20.{host + 1}.{device + 1}"} for device in range(devices)],
        }
        for host in range(2)
    ]


# --- build and render -------------------------------------------------------------------------------------------------


def test_built_table_text():
    servers = [
        {
            "server_id": "192.0.2.11",
            "container_ip": "172.17.0.2",
            "devices": [{"device_id": 1, "device_ip": "10.20.0.12"}, {"device_id": 0, "device_ip": "10.20.0.11"}],
        },
        {"server_id": "192.0.2.12", "devices": [{"device_id": 0, "device_ip": "10.20.0.13"}, {"device_id": 1, "device_ip": "10.20.0.14"}]},
    ]
    expected = """{
    "version": "1.0",
    "server_count": "2",
    "server_list": [
        {
            "server_id": "192.0.2.11",
            "container_ip": "172.17.0.2",
            "device": [
                {
                    "device_id": "0",
                    "device_ip": "10.20.0.11",
                    "rank_id": "0"
                },
                {
                    "device_id": "1",
                    "device_ip": "10.20.0.12",
                    "rank_id": "1"
                }
            ]
        },
        {
            "server_id": "192.0.2.12",
            "container_ip": "192.0.2.12",
            "device": [
                {
                    "device_id": "0",
                    "device_ip": "10.20.0.13",
                    "rank_id": "2"
                },
                {
                    "device_id": "1",
                    "device_ip": "10.20.0.14",
                    "rank_id": "3"
                }
            ]
        }
    ],
    "status": "completed"
}
"""
    assert render(build(servers)).decode() == expected


def test_device_ids_sort_as_numbers():
    devices = [{"device_id": str(device), "device_ip": f"10.0.0.{device + 1}"} for device in (10, 9, 2)]
    table = build([{"server_id": "a", "devices": devices}])
    assert [(device["device_id"], device["rank_id"]) for device in table["server_list"][0]["device"]] == [("2", "0"), ("9", "1"), ("10", "2")]


def test_device_without_address_is_left_to_validate():
    table = build([{"server_id": "192.0.2.11", "devices": [{"device_id": 0, "device_ip": None}]}])
    assert table["server_list"][0]["device"][0]["device_ip"] == ""
    assert "device_ip_missing" in ids(validate(table))


# --- recorded tables --------------------------------------------------------------------------------------------------

SINGLE_SERVER = {"server_count_range"}
NO_CONTAINER_IP = {"container_ip_missing"}


@pytest.mark.parametrize(
    "name, servers, ranks, mindie",
    [
        ("v1.0_1s_8p_modelzoo.json", 1, 8, SINGLE_SERVER | NO_CONTAINER_IP),
        ("v1.0_2s_16p_mindie_auto_tool.json", 2, 16, set()),
        ("v1.0_2s_16p_mindie_llm_unit_test.json", 2, 16, set()),
        ("v1.0_2s_32p_mindie_llm_doc.json", 2, 32, set()),
        ("v1.0_2s_4p_hccl_doc_a2.json", 2, 4, NO_CONTAINER_IP),
        ("v1.0_2s_4p_hccl_doc_a3_server_mode.json", 2, 4, NO_CONTAINER_IP),
        ("v1.2_4s_16p_superpod_hccl_doc_a3.json", 4, 16, NO_CONTAINER_IP),
        ("v1.2_1s_16p_a3_mindcluster_log.json", 1, 16, SINGLE_SERVER),
        ("toolout_hccl_8p_01234567_192.0.2.11.json", 1, 8, SINGLE_SERVER),
        ("toolout_hccl_2s_16p.json", 2, 16, set()),
        ("toolout_hccl_4s_32p.json", 4, 32, set()),
    ],
)
def test_recorded_table(name, servers, ranks, mindie):
    table = parse(sample(name))
    assert len(table["server_list"]) == servers
    assert sum(len(server["device"]) for server in table["server_list"]) == ranks
    assert validate(table, "hccl") == []
    assert set(ids(validate(table, "mindie"))) == mindie


@pytest.mark.parametrize(
    "name, rule, path",
    [
        ("v2.0_4r_hccl_doc_a5.json", "version_2_0", "rank_list"),
        ("legacy_group_list_2i_2p_hccl_doc_910.json", "legacy_group_list", "group_list"),
        ("global_rank_table_pd_1p1d.json", "global_rank_table", "server_group_list"),
        ("global_rank_table_cross_node_a2.json", "global_rank_table", "server_group_list"),
    ],
)
def test_recorded_table_of_another_kind(name, rule, path):
    assert refused(sample(name)) == [(rule, path)]
    assert ids(validate(json.loads(sample(name)), "hccl")) == [rule]


def test_vllm_ascend_table_is_recognised():
    table = {"version": "1.2", "server_count": "1", "prefill_device_list": [], "decode_device_list": [], "status": "completed"}
    assert refused(json.dumps(table)) == [("pd_rank_table", "prefill_device_list")]


def test_kind_is_explained():
    with pytest.raises(RankTableError, match="ms_controller only"):
        parse(sample("global_rank_table_pd_1p1d.json"))


# --- text that is no table --------------------------------------------------------------------------------------------

TEXT = sample("toolout_hccl_8p_01234567_192.0.2.11.json").decode()


@pytest.mark.parametrize(
    "data, expected",
    [
        (TEXT.replace('"version": "1.0",', '"version": "1.0", // fixed'), [("comment", "line 2")]),
        (TEXT.replace('"version": "1.0",', '/* fixed */ "version": "1.0",'), [("comment", "line 2")]),
        ("# made by hand\n" + TEXT, [("comment", "line 1")]),
        (TEXT.replace('"completed"\n', '"completed",\n'), [("trailing_comma", "line 53")]),
        (TEXT.replace('"status"', '...\n    "status"'), [("ellipsis", "line 53")]),
        ("INFO:root:rank table " + TEXT, [("text_before_json", "line 1")]),
        ("[2025-10-12 17:17:33.458+08:00] [1] [server] [INFO] " + TEXT, [("text_before_json", "line 1")]),
        (TEXT + "\nCompleted: hccl file was save", [("text_after_json", "line 55")]),
        (TEXT[:-2], [("not_json", "line 53")]),
        (TEXT.replace('"', "'"), [("not_json", "line 2")]),
        ("", [("empty", "file")]),
        (" \r\n\t", [("empty", "file")]),
        ("[]", [("not_object", "file")]),
        ('"rank table"', [("not_object", "file")]),
        ("\ufeff" + TEXT, [("bom", "file")]),
        (("\ufeff" + TEXT).encode(), [("bom", "file")]),
        (TEXT.encode("utf-16"), [("bom", "file")]),
        (TEXT.encode().replace(b"completed", b"compl\xe9t\xe9"), [("not_utf8", "file")]),
        ('{"server_count": NaN}', [("not_json", "file")]),
        ("[" * 100_000, [("not_json", "file")]),
        ('{"server_count": ' + "9" * 5000 + "}", ...),
    ],
)
def test_text_that_is_no_table(data, expected):
    found = refused(data)
    # Where Python limits the digits of a number the text is refused as such, elsewhere as no string.
    if expected is not ...:
        assert found == expected


def test_all_mistakes_of_a_text_are_reported():
    text = TEXT.replace('"version": "1.0",', '"version": "1.0", // fixed').replace('"completed"\n', '"completed",\n').replace('"status"', '...\n"status"')
    assert refused(text) == [("comment", "line 2"), ("trailing_comma", "line 54"), ("ellipsis", "line 53")]


def test_comment_marks_inside_strings_are_data():
    text = TEXT.replace('"reserve"', '"http://example.com/#a,}..."').replace('"status"', 'status"')
    assert [rule for rule, dummy in refused(text)] == ["not_json"]


def test_crlf_and_blanks_are_harmless():
    assert parse(TEXT.replace("\n", " \r\n").encode()) == parse(TEXT)


@pytest.mark.parametrize(
    "old, new, path",
    [
        ('"version": "1.0"', '"version": "1.2", "version": "1.0"', "version"),
        ('"rank_id": "7"', '"rank_id": "7", "rank_id": "7"', "server_list[0].device[7].rank_id"),
        ('"server_id"', '"server_id": "a", "server_id"', "server_list[0].server_id"),
    ],
)
def test_duplicate_key(old, new, path):
    assert refused(TEXT.replace(old, new)) == [("duplicate_key", path)]


def test_values_that_are_no_strings_are_all_reported():
    text = TEXT.replace('"server_count": "1"', '"server_count": 1').replace('"rank_id": "3"', '"rank_id": 3').replace('"10.20.1.2"', "null")
    assert refused(text) == [
        ("not_a_string", "server_count"),
        ("not_a_string", "server_list[0].device[0].device_ip"),
        ("not_a_string", "server_list[0].device[3].rank_id"),
    ]


@pytest.mark.parametrize(
    "table, expected",
    [
        ({"server_list": {}}, [("not_a_list", "server_list")]),
        ({"server_list": ["a"]}, [("not_an_object", "server_list[0]")]),
        ({"server_list": [{"device": "0"}]}, [("not_a_list", "server_list[0].device")]),
        ({"server_list": [{"device": [0]}]}, [("not_an_object", "server_list[0].device[0]")]),
        ({"server_list": [], "super_pod_list": [{"super_pod_id": 0}]}, [("not_a_string", "super_pod_list[0].super_pod_id")]),
    ],
)
def test_wrong_shape(table, expected):
    assert refused(json.dumps(table)) == expected


def test_other_keys_may_hold_anything():
    table = parse(sample("v1.2_1s_16p_a3_mindcluster_log.json"))
    assert table["IsMindIEEPJob"] is True


# --- rules ------------------------------------------------------------------------------------------------------------


def edit(path: str, value=None):
    """A change of one value of a table; without a value the key goes."""

    def change(table):
        *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
        for part in parents:
            table = table[part]
        if value is None:
            del table[last]
        else:
            table[last] = value

    return change


def interleave(table):
    first, second = table["server_list"][0]["device"], table["server_list"][1]["device"]
    first[-1]["rank_id"], second[0]["rank_id"] = second[0]["rank_id"], first[-1]["rank_id"]


# From the two-server table of the tool: the change, the rule, where, and the vendor's words (None: silence).
EI0004_RANK = "EI0004 The 'rank_id' in the ranktable must start from 0 or it is used repeatedly"
MUTATIONS = [
    (edit("version", "1.1"), "version", "version", None),
    (edit("version"), "version", "version", None),
    (edit("status", "initializing"), "status", "status", "Load ranktable file[] timeout[1800]s"),
    (edit("status"), "status", "status", "Load ranktable file[] timeout[1800]s"),
    (edit("server_count"), "server_count_missing", "server_count", "Ranktable file is invalid. Please check json format! "),
    (edit("server_count", "two"), "server_count_invalid", "server_count", "Invalid server_count in ranktable file"),
    (
        edit("server_count", "1"),
        "server_count_mismatch",
        "server_count",
        "Parameter server_count is 1, which is not equal to server_list length in ranktable file, which is 2",
    ),
    (edit("server_count", "61"), "server_count_range", "server_count", "Parameter server_count must be in range [2, 60], but got 61"),
    (edit("server_list.0.server_id"), "server_id_missing", "server_list[0].server_id", None),
    (edit("server_list.1.server_id", "n" * 65), "server_id_long", "server_list[1].server_id", None),
    (edit("server_list.1.server_id", "192.0.2.11"), "server_id_duplicate", "server_list[1].server_id", "EI0004 The serverId is used repeatedly."),
    (
        edit("server_list.1.container_ip"),
        "container_ip_missing",
        "server_list[1].container_ip",
        "The containerIp in the server node is empty in ranktable file.",
    ),
    (
        edit("server_list.0.container_ip", ""),
        "container_ip_missing",
        "server_list[0].container_ip",
        "The containerIp in the server node is empty in ranktable file.",
    ),
    (edit("server_list.0.container_ip", "npu01"), "container_ip_invalid", "server_list[0].container_ip", None),
    (edit("server_list.1.container_ip", "192.0.2.11"), "container_ip_duplicate", "server_list[1].container_ip", None),
    (edit("server_list.0.host_ip", ""), "host_ip_invalid", "server_list[0].host_ip", "EI0004 The ips in ranktable is invalid"),
    (edit("server_list.0.host_ip", "npu01"), "host_ip_invalid", "server_list[0].host_ip", "EI0004 The ips in ranktable is invalid"),
    (edit("server_list.1.device", []), "device_list_empty", "server_list[1].device", "The number of devices on single node must be in [1, 32], but got 0"),
    (
        edit("server_list.1.device.7"),
        "device_count_uneven",
        "server_list[1].device",
        "The number of devices in every server node is 7 which not equal in ranktable file, which is 8",
    ),
    (
        edit("server_list.0.device.2.device_id", "x"),
        "device_id_invalid",
        "server_list[0].device[2].device_id",
        "Parameter device_id is invalid in ranktable file.",
    ),
    (edit("server_list.0.device.2.device_id"), "device_id_invalid", "server_list[0].device[2].device_id", "Parameter device_id is invalid in ranktable file."),
    (edit("server_list.0.device.7.device_id", "16"), "device_id_physical", "server_list[0].device[7].device_id", "device_id[16] more than 15 is invalid"),
    (
        edit("server_list.0.device.7.device_id", "64"),
        "device_id_range",
        "server_list[0].device[7].device_id",
        "Parameter device_id is 64, which is out of allow range [0, 63].",
    ),
    (
        edit("server_list.0.device.7.device_id", "6"),
        "device_id_duplicate",
        "server_list[0].device[7].device_id",
        "EI0004 device id repeat for one server. Please check ranktable",
    ),
    (edit("server_list.0.device.0.device_id", "8"), "device_order", "server_list[0].device", None),
    (
        edit("server_list.1.device.3.device_ip", ""),
        "device_ip_missing",
        "server_list[1].device[3].device_ip",
        "Parameter device_ip is invalid in ranktable file.",
    ),
    (edit("server_list.1.device.3.device_ip"), "device_ip_missing", "server_list[1].device[3].device_ip", "Parameter device_ip is invalid in ranktable file."),
    (
        edit("server_list.1.device.3.device_ip", "-.-.-.-"),
        "device_ip_invalid",
        "server_list[1].device[3].device_ip",
        "Input device_ip [-.-.-.-] is invalid; Parameter device_ip is invalid in ranktable file.",
    ),
    (
        edit("server_list.1.device.3.device_ip", " device not found!"),
        "device_ip_invalid",
        "server_list[1].device[3].device_ip",
        "Input device_ip [ device not found!] is invalid; Parameter device_ip is invalid in ranktable file.",
    ),
    (edit("server_list.1.device.3.device_ip", "192.1.*.6"), "device_ip_invalid", "server_list[1].device[3].device_ip", ...),
    (edit("server_list.1.device.3.device_ip", "0.0.0.0"), "device_ip_invalid", "server_list[1].device[3].device_ip", ...),
    (edit("server_list.1.device.3.device_ip", "10.20.2.5,10.21.2.5"), "device_ip_invalid", "server_list[1].device[3].device_ip", ...),
    (edit("server_list.1.device.0.device_ip", "10.20.1.2"), "device_ip_duplicate", "server_list[1].device[0].device_ip", "EI0004 The IP is used repeatedly."),
    (
        edit("server_list.1.device.0.device_ip", "2001:db8::8"),
        "device_ip_family",
        "server_list[1].device[0].device_ip",
        "EI0001 rank[8] device ip family[10] is not same as others[2].",
    ),
    (edit("server_list.0.device.1.device_port", "0"), "port_invalid", "server_list[0].device[1].device_port", None),
    (edit("server_list.0.device.1.host_port", "65536"), "port_invalid", "server_list[0].device[1].host_port", None),
    (edit("server_list.0.device.1.backup_device_port", "http"), "port_invalid", "server_list[0].device[1].backup_device_port", None),
    (edit("server_list.0.device.1.device_port", "1023"), "port_reserved", "server_list[0].device[1].device_port", None),
    (edit("server_list.0.device.1.backup_device_ip", "x"), "backup_device_ip_invalid", "server_list[0].device[1].backup_device_ip", None),
    (edit("server_list.0.device.1.backup_device_ip", "10.20.1.3"), "backup_device_ip_own", "server_list[0].device[1].backup_device_ip", None),
    (edit("server_list.1.device.7.rank_id", "x"), "rank_id_invalid", "server_list[1].device[7].rank_id", "Parameter rankId is invalid in ranktable file."),
    (edit("server_list.0.device.0.rank_id", "00"), "rank_id_invalid", "server_list[0].device[0].rank_id", "Parameter rankId is invalid in ranktable file."),
    (
        edit("server_list.1.device.7.rank_id", "512"),
        "rank_id_range",
        "server_list[1].device[7].rank_id",
        "Parameter rankId in ranktable is 512, which is out of allow range [0, 511].",
    ),
    (edit("server_list.1.device.7.rank_id", "16"), "rank_id_gap", "server_list", EI0004_RANK),
    (edit("server_list.0.device.7.rank_id", "6"), "rank_id_duplicate", "server_list[0].device[7].rank_id", EI0004_RANK),
    (interleave, "rank_id_interleaved", "server_list[1]", None),
    (lambda table: table["server_list"].reverse(), "master_not_first", "server_list[1].device[0].rank_id", None),
]


@pytest.mark.parametrize("change, rule, path, message", MUTATIONS)
def test_rule(change, rule, path, message):
    table = parse(sample("toolout_hccl_2s_16p.json"))
    change(table)
    found = {(finding.id, finding.path): finding for finding in validate(table)}
    assert (rule, path) in found
    if message is not ...:
        assert found[rule, path].vendor_message == message


@pytest.mark.parametrize(
    "change, message",
    [
        (edit("server_count", "3"), "EI0004 The 'server_count' in ranktable is invalid."),
        (edit("server_list.1.device.0.device_ip", ""), "EI0004 The 'device_ip' in ranktable is not set or is not a valid ip address."),
        (edit("server_list.1.device.0.device_ip", "-.-.-.-"), "EI0004 The ip in ranktable is not a valid ip address"),
        (edit("server_list.1.device.0.rank_id", "-1"), "EI0004 The rankid in ranktable is invalid. Please check ranktable"),
    ],
)
def test_profile_hccl_quotes_hccl(change, message):
    table = parse(sample("toolout_hccl_2s_16p.json"))
    change(table)
    assert validate(table, "hccl")[0].vendor_message == message


def test_documented_counter_example_of_interleaved_ranks():
    # {0, 1, 2, 7} and {3, 4, 5, 6}: complete, but not server by server.
    table = build(two_servers(4))
    for server, ranks in zip(table["server_list"], (("0", "1", "2", "7"), ("3", "4", "5", "6"))):
        for device, rank in zip(server["device"], ranks):
            device["rank_id"] = rank
    assert ids(validate(table, "hccl")) == ["rank_id_interleaved"]


def test_mindie_limits_do_not_bind_hccl():
    servers = [
        {"server_id": f"10.0.0.{host + 1}", "devices": [{"device_id": str(device), "device_ip": f"10.1.{host}.{device + 1}"} for device in range(16)]}
        for host in range(61)
    ]
    table = build(servers)
    assert validate(table, "hccl") == []
    found = validate(table, "mindie")
    assert set(ids(found)) == {"server_count_range", "beyond_manual", "rank_id_range"}
    assert ids(found).count("rank_id_range") == 61 * 16 - 512


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table["server_list"].reverse(),
        lambda table: table["server_list"][0]["device"].reverse(),
        edit("server_list.0.device.0.rank_id", "00"),
    ],
)
def test_orders_that_only_mindie_asks_for(change):
    table = parse(sample("toolout_hccl_2s_16p.json"))
    change(table)
    assert validate(table) != []
    assert validate(table, "hccl") == []


def test_servers_of_different_sizes_are_a_warning_to_hccl():
    table = build(two_servers(4))
    del table["server_list"][1]["device"][3]
    assert [(finding.id, finding.severity) for finding in validate(table, "hccl")] == [("device_count_uneven", "warning")]
    assert [(finding.id, finding.severity) for finding in validate(table)] == [("device_count_uneven", "error")]
    table["server_list"][1]["device"] = []
    assert {(finding.id, finding.severity) for finding in validate(table, "hccl")} == {("device_list_empty", "error"), ("device_count_uneven", "error")}


@pytest.mark.parametrize("number, profile, rule, severity", [
    ("16", "mindie", "device_id_physical", "warning"),
    ("63", "mindie", "device_id_physical", "warning"),
    ("64", "mindie", "device_id_range", "error"),
    ("16", "hccl", "device_id_physical", "error"),
    ("64", "hccl", "device_id_physical", "error"),
])
def test_high_device_ids(number, profile, rule, severity):
    table = build(two_servers())
    table["server_list"][0]["device"][1]["device_id"] = number
    (finding,) = validate(table, profile)
    assert (finding.id, finding.severity, finding.expected) == (rule, severity, "0 to 63" if rule == "device_id_range" else "0 to 15")


def test_backup_addresses():
    table = build(two_servers())
    first, second = table["server_list"][0]["device"]
    # The two dies of one NPU stand in for each other.
    first["backup_device_ip"], second["backup_device_ip"] = second["device_ip"], first["device_ip"]
    assert validate(table, "hccl") == []
    table["server_list"][1]["device"][0]["backup_device_ip"] = first["device_ip"]
    assert [(finding.id, finding.path, finding.severity) for finding in validate(table, "hccl")] == [
        ("backup_device_ip_duplicate", "server_list[1].device[0].backup_device_ip", "warning")
    ]


def test_size_beyond_the_manual_is_a_warning():
    servers = [{"server_id": f"10.0.0.{host}", "devices": [{"device_id": "0", "device_ip": f"10.1.0.{host}"}]} for host in range(1, 6)]
    assert [(finding.id, finding.severity) for finding in validate(build(servers))] == [("beyond_manual", "warning")]


def test_single_server_of_hccl_needs_no_device_ip():
    table = build([{"server_id": "node_0", "devices": [{"device_id": 0}, {"device_id": 1}]}])
    assert validate(table, "hccl") == []
    assert set(ids(validate(table))) == {"server_count_range", "container_ip_invalid", "device_ip_missing"}


def test_missing_server_count_is_only_a_warning_to_hccl():
    table = build(two_servers())
    del table["server_count"]
    assert [(finding.id, finding.severity) for finding in validate(table, "hccl")] == [("server_count_missing", "warning")]


def test_several_addresses_per_device_for_hccl():
    table = build(two_servers())
    for number, device in enumerate(device for server in table["server_list"] for device in server["device"]):
        device["device_ip"] += f",10.30.0.{number + 1}"
    assert validate(table, "hccl") == []
    table["server_list"][1]["device"][1]["device_ip"] = "10.20.2.2"
    assert ids(validate(table, "hccl")) == ["device_ip_count"]
    table["server_list"][1]["device"][1]["device_ip"] = "10.20.2.2,10.20.2.2"
    assert ids(validate(table, "hccl")) == ["device_ip_duplicate"]


def test_ipv6_spellings_are_one_address():
    table = build(two_servers(1))
    for server, address in zip(table["server_list"], ("2001:db8::1", "2001:0db8:0:0::1")):
        server["device"][0]["device_ip"] = address
    assert ids(validate(table)) == ["device_ip_duplicate"]


def test_nothing_hides_behind_the_first_problem():
    table = parse(sample("toolout_hccl_2s_16p.json"))
    table["version"] = "3.0"
    table["server_list"][0]["container_ip"] = ""
    table["server_list"][0]["device"][0]["rank_id"] = 0
    table["server_list"][1]["device"][0]["device_ip"] = "10.20.1.3"
    assert set(ids(validate(table))) == {"version", "container_ip_missing", "not_a_string", "device_ip_duplicate"}


def test_empty_tables():
    assert set(ids(validate({}))) == {"version", "status", "server_list_empty", "server_count_missing"}
    assert set(ids(validate({"status": "initializing", "version": "1.0"}, "hccl"))) == {"status", "server_list_empty", "server_count_missing"}


def test_unknown_profile():
    with pytest.raises(ValueError, match="'mindspore' is not one of mindie, hccl"):
        validate({}, "mindspore")


@pytest.mark.parametrize(
    "change, rule, path, message",
    [
        (
            edit("server_list.0.device.1.super_device_id", ""),
            "super_device_id_invalid",
            "server_list[0].device[1].super_device_id",
            "super_device_id[] is invalid",
        ),
        (edit("server_list.0.device.1.super_device_id"), "super_device_id_invalid", "server_list[0].device[1].super_device_id", "super_device_id[] is invalid"),
        (
            edit("server_list.1.device.0.super_device_id", "3"),
            "super_device_id_duplicate",
            "server_list[1].device[0].super_device_id",
            "EI0014 devices have same superDeviceId[0x3] in superPod[0].",
        ),
        (edit("super_pod_list"), "super_pod_list_missing", "super_pod_list", None),
        (
            edit("super_pod_list.1.super_pod_id", ""),
            "super_pod_id_missing",
            "super_pod_list[1].super_pod_id",
            "EI0004 the 'super_pod_id' in the ranktable is invalid or empty",
        ),
        (edit("super_pod_list.1.super_pod_id", "0"), "super_pod_id_duplicate", "super_pod_list[1].super_pod_id", "EI0004 The IP is used repeatedly."),
        (
            edit("super_pod_list.1.server_list.0.server_id", "node_9"),
            "super_pod_server_unknown",
            "super_pod_list[1].server_list[0].server_id",
            "EI0004 the 'server_id' in the ranktable 'super_pod_list' is invalid or not found in server_list",
        ),
        (edit("super_pod_list.1.server_list.0.server_id", "node_0"), "super_pod_server_duplicate", "super_pod_list[1].server_list[0].server_id", None),
        (
            edit("super_pod_list.1.server_list.1"),
            "super_pod_server_missing",
            "server_list[3].server_id",
            "serverNum[3] in super_pod_list and serverNum[4] in server_list are inconsistent",
        ),
        (edit("server_list.1.device.0.host_port", "16666"), "host_port_duplicate", "server_list[1].device[1].host_port", None),
    ],
)
def test_superpod_rule(change, rule, path, message):
    table = parse(sample("v1.2_4s_16p_superpod_hccl_doc_a3.json"))
    change(table)
    found = {(finding.id, finding.path): finding.vendor_message for finding in validate(table, "hccl")}
    assert found.get((rule, path), "not found") == message


def test_an_empty_device_ip_in_a_superpod_is_a_warning_to_hccl():
    table = parse(sample("v1.2_4s_16p_superpod_hccl_doc_a3.json"))
    device = table["server_list"][0]["device"][0]
    device["device_ip"] = ""
    assert [(finding.id, finding.severity) for finding in validate(table, "hccl")] == [("device_ip_missing", "warning")]
    assert ("device_ip_missing", "error") in [(finding.id, finding.severity) for finding in validate(table)]
    del device["device_ip"]
    assert [(finding.id, finding.severity) for finding in validate(table, "hccl")] == [("device_ip_missing", "error")]


def test_servers_of_a_superpod_stand_together():
    table = parse(sample("v1.2_4s_16p_superpod_hccl_doc_a3.json"))
    servers = table["server_list"]
    servers[1], servers[2] = servers[2], servers[1]
    assert "super_pod_not_contiguous" in ids(validate(table, "hccl"))


def test_finding_reads_as_a_sentence():
    table = parse(sample("toolout_hccl_2s_16p.json"))
    table["server_list"][1]["device"][3]["device_ip"] = "10.20.1.2"
    (finding,) = validate(table)
    assert str(finding) == (
        "server_list[1].device[3].device_ip: found 10.20.1.2, which server_list[0].device[0].device_ip has too, expected an address of its own for "
        'every device of the cluster. Give every device its own address. [device_ip_duplicate; the vendor\'s message: "EI0004 The IP is used repeatedly."]'
    )


# --- merge ------------------------------------------------------------------------------------------------------------

ONE = sample("toolout_hccl_8p_01234567_192.0.2.11.json").decode()


def other(host: int, text: str = ONE) -> str:
    return text.replace("192.0.2.11", f"192.0.2.{10 + host}").replace("10.20.1.", f"10.20.{host}.")


def merge_refused(*texts: str) -> list[tuple[str, str]]:
    with pytest.raises(RankTableError) as refusal:
        merge([(f"{number}.json", text) for number, text in enumerate(texts)])
    return [(finding.id, finding.path) for finding in refusal.value.findings]


def test_merging_gives_what_the_tool_gave():
    assert merge([("a", ONE), ("b", other(2))]) == json.loads(sample("toolout_hccl_2s_16p.json"))
    assert merge([("a", ONE), ("b", other(2)), ("c", other(3)), ("d", other(4))]) == json.loads(sample("toolout_hccl_4s_32p.json"))


def test_a_merged_file_can_be_merged_again():
    both = sample("toolout_hccl_2s_16p.json")
    assert merge([("ab", both), ("c", other(3)), ("d", other(4))]) == json.loads(sample("toolout_hccl_4s_32p.json"))


def test_order_of_files_decides_the_master():
    table = merge([("b", other(2)), ("a", ONE)])
    assert [(server["server_id"], server["device"][0]["rank_id"]) for server in table["server_list"]] == [("192.0.2.12", "0"), ("192.0.2.11", "8")]
    assert validate(table) == []


def test_upstream_files_get_their_container_ip_from_server_id():
    upstream = [text.replace('            "container_ip": "192.0.2.1', '            "x": "192.0.2.1') for text in (ONE, other(2))]
    assert [server["container_ip"] for server in merge([("a", upstream[0]), ("b", upstream[1])])["server_list"]] == ["192.0.2.11", "192.0.2.12"]


def test_upstream_files_with_host_names_have_no_container_ip():
    def named(text, name):
        table = json.loads(text)
        table["server_list"][0]["server_id"] = name
        del table["server_list"][0]["container_ip"]
        return json.dumps(table)

    assert merge_refused(named(ONE, "npu01"), named(other(2), "npu02")) == [
        ("container_ip_missing", "0.json: server_list[0].container_ip"),
        ("container_ip_missing", "1.json: server_list[0].container_ip"),
    ]


def test_the_same_server_twice_is_refused():
    found = merge_refused(ONE, ONE)
    assert found[:2] == [("server_id_duplicate", "1.json: server_list[0].server_id"), ("container_ip_duplicate", "1.json: server_list[0].container_ip")]
    assert found[2:] == [("device_ip_duplicate", f"1.json: server_list[0].device[{device}].device_ip") for device in range(8)]


def test_the_other_file_is_named_too():
    with pytest.raises(
        RankTableError, match=r"1\.json: server_list\[0\]\.server_id: found \"192\.0\.2\.11\", which 0\.json: server_list\[0\]\.server_id has too"
    ):
        merge([("0.json", ONE), ("1.json", ONE)])


@pytest.mark.parametrize(
    "change, expected",
    [
        (edit("version", "1.2"), [("unmergeable_version", "1.json: version")]),
        (edit("version", "1.1"), [("version", "1.json: version")]),
        (edit("status", "initializing"), [("status", "1.json: status")]),
        (edit("server_count", "2"), [("server_count_mismatch", "1.json: server_count")]),
        (edit("super_pod_list", []), [("unmergeable_key", "1.json: super_pod_list")]),
        (edit("IsMindIEEPJob", True), [("unmergeable_key", "1.json: IsMindIEEPJob")]),
        (edit("server_list", []), [("server_list_empty", "1.json: server_list"), ("server_count_mismatch", "1.json: server_count")]),
        (edit("server_list.0.device.7"), [("device_count_uneven", "1.json: server_list[0].device")]),
        (edit("server_list.0.device.2.device_ip", " device not found!"), [("device_ip_invalid", "1.json: server_list[0].device[2].device_ip")]),
        (edit("server_list.0.device.2.device_ip", 5), [("not_a_string", "1.json: server_list[0].device[2].device_ip")]),
        (edit("server_list.0.device.7.rank_id", "9"), [("rank_id_gap", "1.json: server_list")]),
        (
            edit("server_list.0.device.7.rank_id", "3"),
            [("rank_id_duplicate", "1.json: server_list[0].device[7].rank_id"), ("rank_id_gap", "1.json: server_list")],
        ),
    ],
)
def test_merge_refuses_and_names_the_file(change, expected):
    table = json.loads(other(2))
    change(table)
    assert merge_refused(ONE, json.dumps(table)) == expected


def test_merge_reports_the_problems_of_all_files():
    assert merge_refused("{", ONE.replace("1.0", "1.2"), "") == [
        ("not_json", "0.json: line 1"),
        ("unmergeable_version", "1.json: version"),
        ("empty", "2.json: file"),
    ]


def test_merging_one_file_is_for_hccl():
    assert merge_refused(ONE) == [("server_count_range", "server_count")]
    assert merge([("a", ONE)], "hccl") == json.loads(ONE)


# --- against the world ------------------------------------------------------------------------------------------------


def live(*addresses):
    return [{"device_id": str(device), "device_ip": address} for device, address in enumerate(addresses)]


def test_live_devices_agree():
    table = build(two_servers())
    assert compare_with_live(table, "192.0.2.12", live("10.20.2.1", "10.20.2.2")) == []
    # A group may use a part of a host.
    assert compare_with_live(table, "192.0.2.12", live("10.20.2.1", "10.20.2.2", None)) == []


def test_live_address_differs():
    (finding,) = compare_with_live(build(two_servers()), "192.0.2.11", live("10.20.1.1", "10.20.9.9"))
    assert (finding.id, finding.path) == ("live_device_ip", "server_list[0].device[1].device_ip")
    assert "10.20.1.2 for device 1 of 192.0.2.11" in finding.observed
    assert finding.vendor_message == (
        "EI0014 [check][ip]fail, ret(129) the IP address(10.20.1.2) in the ranktable is inconsistent with the IP(10.20.9.9)address of the network "
        "adapter, please make sure they're consistent. num(1)"
    )


def test_live_device_without_address_or_absent():
    found = compare_with_live(build(two_servers()), "192.0.2.11", live(None))
    assert [(finding.id, finding.path) for finding in found] == [
        ("live_device_ip", "server_list[0].device[0].device_ip"),
        ("live_device_missing", "server_list[0].device[1].device_id"),
    ]
    assert "none, the address" in found[0].expected


def test_live_host_outside_the_table():
    assert ids(compare_with_live(build(two_servers()), "192.0.2.99", live("10.20.1.1"))) == ["live_server_unknown"]


@pytest.mark.parametrize(
    "path, expected",
    [
        ("/data/ranktable.json", []),
        ("/data/hccl_8p_01234567_192.0.2.11.json", []),
        ("data/ranktable.json", ["path_relative"]),
        ("/" + "d" * 250 + ".json", []),
        ("/" + "d" * 251 + ".json", ["path_long"]),
        ("/data/rank table.json", ["path_characters"]),
        ("/data/$(id).json", ["path_characters"]),
        ("/data/排名.json", ["path_characters"]),
        ("/data/rank.json\n", ["path_characters", "path_suffix"]),
        ("/data/../etc/rank.json", ["path_parent"]),
        ("/data/rank..json", []),
        ("/data/ranktable", ["path_suffix"]),
        ("/data/ranktable.JSON", ["path_suffix"]),
        ("/data/a.json.d/rank.json", ["path_suffix"]),
        ("/data/.json", ["path_suffix"]),
        ("/data/json", ["path_suffix"]),
        ("json", ["path_relative", "path_suffix"]),
        ("", ["path_relative", "path_suffix"]),
    ],
)
def test_path(path, expected):
    assert ids(path_findings(path)) == expected


# --- properties -------------------------------------------------------------------------------------------------------


@st.composite
def clusters(draw, min_servers=2):
    hosts = draw(st.integers(min_servers, 4))
    devices = draw(st.integers(1, 8))
    device_ids = sorted(draw(st.sets(st.integers(0, 15), min_size=devices, max_size=devices)))
    base = draw(st.integers(1, 200))
    return [
        {
            "server_id": f"172.16.{base}.{host + 1}",
            "container_ip": draw(st.sampled_from([None, f"172.17.{base}.{host + 1}"])),
            "devices": draw(st.permutations([{"device_id": device, "device_ip": f"10.{base}.{host}.{device + 1}"} for device in device_ids])),
        }
        for host in range(hosts)
    ]


@QUICK
@given(clusters())
def test_every_valid_cluster_gives_a_clean_table(servers):
    table = build(servers)
    assert parse(render(table)) == table
    assert [finding for finding in validate(table) if finding.severity == "error"] == []
    assert validate(table, "hccl") == []
    assert render(build(copy.deepcopy(servers))) == render(table)


@QUICK
@given(clusters(), st.data())
def test_every_single_mutation_is_found(servers, data):
    table = build(servers)
    server = data.draw(st.integers(0, len(servers) - 1))
    device = data.draw(st.integers(0, len(servers[0]["devices"]) - 1))
    ranks = len(servers) * len(servers[0]["devices"])
    at = f"server_list[{server}].device[{device}]"
    target = table["server_list"][server]["device"][device]
    mutation = data.draw(
        st.sampled_from(
            ["drop container_ip", "duplicate ip", "bad ip", "drop ip", "gap", "duplicate rank", "duplicate server", "count", "status", "version", "int"]
        )
    )
    if mutation == "drop container_ip":
        del table["server_list"][server]["container_ip"]
        expected = ("container_ip_missing", f"server_list[{server}].container_ip")
    elif mutation == "duplicate ip":
        other_server = table["server_list"][server - 1]
        target["device_ip"] = other_server["device"][0]["device_ip"]
        expected = ("device_ip_duplicate", None)
    elif mutation == "bad ip":
        target["device_ip"] = data.draw(st.sampled_from(["-.-.-.-", " 10.0.0.1", "10.0.0.256", "x", "fe80::1%eth0"]))
        expected = ("device_ip_invalid", f"{at}.device_ip")
    elif mutation == "drop ip":
        del target["device_ip"]
        expected = ("device_ip_missing", f"{at}.device_ip")
    elif mutation == "gap":
        target["rank_id"] = str(ranks)
        expected = ("rank_id_gap", "server_list")
    elif mutation == "duplicate rank":
        target["rank_id"] = str((int(target["rank_id"]) + 1) % ranks)
        expected = ("rank_id_duplicate", None)
    elif mutation == "duplicate server":
        table["server_list"][server]["server_id"] = table["server_list"][server - 1]["server_id"]
        expected = ("server_id_duplicate", f"server_list[{max(server, (server - 1) % len(servers))}].server_id")
    elif mutation == "count":
        table["server_count"] = str(len(servers) + 1)
        expected = ("server_count_mismatch", "server_count")
    elif mutation == "status":
        table["status"] = "initializing"
        expected = ("status", "status")
    elif mutation == "version":
        table["version"] = data.draw(st.sampled_from(["", "1.1", "1", "10"]))
        expected = ("version", "version")
    else:
        target["device_id"] = int(target["device_id"])
        expected = ("not_a_string", f"{at}.device_id")
    found = {(finding.id, finding.path) for finding in validate(table)}
    if expected[1] is None:
        assert expected[0] in {rule for rule, dummy in found}
    else:
        assert expected in found


@QUICK
@given(clusters().filter(lambda servers: len(servers[0]["devices"]) > 1))
def test_interleaving_is_found(servers):
    table = build(servers)
    interleave(table)
    assert "rank_id_interleaved" in ids(validate(table, "hccl"))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda children: st.lists(children, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["version", "status", "server_count", "server_list", "device", "server_id", "device_id", "device_ip", "rank_id", "super_pod_list", "host_port", "x"]
        ),
        children,
        max_size=6,
    ),
    max_leaves=20,
)


@QUICK
@given(
    st.dictionaries(st.sampled_from(["version", "status", "server_count", "server_list", "super_pod_list", "x"]), JSON_VALUES),
    st.sampled_from(["mindie", "hccl"]),
)
def test_validate_takes_any_object(table, profile):
    for finding in validate({**table, "version": table.get("version", "1.2")}, profile):
        assert str(finding).startswith(finding.path)


@QUICK
@given(st.one_of(st.text(), st.binary(), JSON_VALUES.map(json.dumps), st.integers(0, len(TEXT)).map(lambda end: TEXT[:end])))
def test_parse_raises_only_its_own_error(data):
    try:
        assert isinstance(parse(data), dict)
    except RankTableError as refusal:
        assert refusal.findings


@QUICK
@given(st.integers(0, len(TEXT) - 1), st.sampled_from(list('",:{}[]\\/#. \n\x00\ud800é')))
def test_parse_survives_any_changed_character(position, character):
    try:
        table = parse(TEXT[:position] + character + TEXT[position + 1 :])
    except RankTableError as refusal:
        assert refusal.findings
    else:
        # What can be read can be judged and written.
        validate(table)
        assert parse(render(table)) == table
