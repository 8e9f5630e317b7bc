# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of rank tables as data: what is expected, what to do, and what the vendor's software prints."""

from __future__ import annotations

import typing as t

_MSRC = "MindIE-LLM source, ranktable_config.cpp"
_MDOC = "MindIE-LLM manual, rank table file configuration"
_HSRC = "HCCL source, rank table parser"
_HDOC = "HCCL documentation, rank table configuration"
_HDOC_FD = "HCCL documentation, fault diagnosis"
_DERIVED = "cross check of this collection"


class Rule(t.NamedTuple):
    expected: str
    remedy: str
    source: str
    hccl: str | None = None
    mindie: str | None = None
    severity: str = "error"


_NOT_JSON_HCCL = "EI0004 Invalid ranktable format."
_NOT_JSON_MINDIE = "Ranktable file is invalid. Please check json format! "
_REGENERATE = "Generate the table again instead of editing it by hand."


def _json_rule(expected: str, remedy: str = _REGENERATE) -> Rule:
    return Rule(expected, remedy, _HSRC, hccl=_NOT_JSON_HCCL, mindie=_NOT_JSON_MINDIE)


# What is expected, what to do, who says so, and what HCCL and the MindIE daemon print (None: they stay silent).
RULES: dict[str, Rule] = {
    # Text
    "not_utf8": _json_rule("UTF-8 text"),
    "bom": Rule("JSON that starts with a brace", "Save the file as UTF-8 without a byte order mark.", _DERIVED),
    "empty": _json_rule("one JSON object"),
    "text_before_json": _json_rule("nothing before the opening brace", "Remove the text before the opening brace, such as a log prefix."),
    "text_after_json": _json_rule("nothing after the closing brace", "Remove the text after the closing brace."),
    "comment": _json_rule("JSON without comments", "Remove the comment: JSON has none."),
    "trailing_comma": _json_rule("no comma before a closing bracket or brace", "Remove the comma."),
    "ellipsis": _json_rule("every server and device written out", "Replace the dots by the entries they stand for."),
    "not_json": _json_rule("one JSON object"),
    "duplicate_key": Rule("every key once in an object", "Keep one of the two.", _DERIVED),
    "not_object": _json_rule("one JSON object"),
    # Other kinds of table
    "version_2_0": Rule(
        'a table of version "1.0" or "1.2" with server_list',
        "Generate a version 1.0 table: a version 2.0 rank list is for Ascend 950 (A5) only.",
        "HCCL documentation, rank table configuration (A5)",
        mindie=_NOT_JSON_MINDIE,
    ),
    "legacy_group_list": Rule(
        'a table of version "1.0" with server_list',
        "Generate a version 1.0 table: the group_list layout is for the first Ascend 910 only.",
        "HCCL documentation, rank table configuration (910)",
        mindie=_NOT_JSON_MINDIE,
    ),
    "global_rank_table": Rule(
        'a table of version "1.0" or "1.2" with server_list',
        "Use the rank table of the serving group: a global table with server_group_list is for ms_controller only.",
        "MindIE-Motor documentation, prefill-decode separation",
        mindie=_NOT_JSON_MINDIE,
    ),
    "pd_rank_table": Rule(
        'a table of version "1.0" or "1.2" with server_list',
        "Use the rank table of the serving group: this prefill and decode table is for vllm-ascend only.",
        "vllm-ascend, LLMDataDist rank table",
        mindie=_NOT_JSON_MINDIE,
    ),
    # Shape
    "not_a_string": Rule("a string in quotes", "Write the value in quotes.", _HSRC, hccl="json object property value of Name[{key}] is not string!"),
    "not_a_list": Rule("a list", _REGENERATE, _HSRC),
    "not_an_object": Rule("an object", _REGENERATE, _HSRC),
    # Head of the table
    "version": Rule('"1.0" (or "1.2" for a superpod)', 'Set "version" to "1.0".', _HSRC),
    "status": Rule('"completed"', "Wait until the generator has finished, or generate the table again.", _HSRC, hccl="Load ranktable file[] timeout[1800]s"),
    "server_count_missing": Rule("the number of servers as a string", "Set server_count to the length of server_list.", _HDOC, mindie=_NOT_JSON_MINDIE),
    "server_count_invalid": Rule(
        "the number of servers as a decimal string", "Set server_count to the length of server_list.", _MSRC, mindie="Invalid server_count in ranktable file"
    ),
    "server_count_mismatch": Rule(
        "{length}, the length of server_list",
        "Set server_count to the length of server_list.",
        _HSRC,
        hccl="EI0004 The 'server_count' in ranktable is invalid.",
        mindie="Parameter server_count is {count}, which is not equal to server_list length in ranktable file, which is {length}",
    ),
    "server_count_range": Rule(
        "2 to 60 servers",
        "Leave the rank table variables of MindIE unset on a single server; split more than 60 servers into groups.",
        _MSRC,
        mindie="Parameter server_count must be in range [2, 60], but got {count}",
    ),
    "beyond_manual": Rule(
        "at most 4 servers and 32 devices, the limits of the manual", "Expect no support from the vendor for a group of this size.", _MDOC, severity="warning"
    ),
    "server_list_empty": Rule("at least one server", _REGENERATE, _HSRC, hccl="EI0004 the 'server_list' in the ranktable is empty", mindie=_NOT_JSON_MINDIE),
    # Servers
    "server_id_missing": Rule("the server's name or address", "Set server_id to the address of the host.", _HSRC),
    "server_id_long": Rule("at most 64 characters", "Use the address of the host as server_id.", _HDOC),
    "server_id_duplicate": Rule(
        "a server_id of its own for every server", "Give each server once, with its own server_id.", _HSRC, hccl="EI0004 The serverId is used repeatedly."
    ),
    "container_ip_missing": Rule(
        "the address of the container; on the host network that of the host",
        "Set container_ip to the value that the host has in MIES_CONTAINER_IP.",
        _MSRC,
        mindie="The containerIp in the server node is empty in ranktable file.",
    ),
    "container_ip_invalid": Rule("an IP address", "Set container_ip to the value that the host has in MIES_CONTAINER_IP.", _MDOC),
    "container_ip_duplicate": Rule("a container_ip of its own for every server", "Give every server the address of its own container.", _DERIVED),
    "host_ip_invalid": Rule("an IP address", "Correct or remove host_ip.", _HSRC, hccl="EI0004 The ips in ranktable is invalid"),
    # Devices
    "device_list_empty": Rule(
        "at least one device", "List the devices of this server.", _HSRC, mindie="The number of devices on single node must be in [1, 32], but got 0"
    ),
    "device_count_range": Rule(
        "1 to 32 devices on a server",
        "List at most 32 devices for a server.",
        _MSRC,
        mindie="The number of devices on single node must be in [1, 32], but got {count}",
    ),
    "device_count_uneven": Rule(
        "{first}, as on the first server",
        "Use the same number of devices on every server.",
        _MSRC,
        hccl="EI0004 The devices num in ranktable is invalid",
        mindie="The number of devices in every server node is {count} which not equal in ranktable file, which is {first}",
    ),
    "device_id_invalid": Rule(
        "the physical device id as a decimal string", "Take the N of /dev/davinciN.", _HSRC, mindie="Parameter device_id is invalid in ranktable file."
    ),
    "device_id_physical": Rule("0 to 15", "Take the N of /dev/davinciN.", _HSRC, hccl="device_id[{value}] more than 15 is invalid"),
    "device_id_range": Rule("0 to 63", "Take the N of /dev/davinciN.", _MSRC, mindie="Parameter device_id is {value}, which is out of allow range [0, 63]."),
    "device_id_duplicate": Rule(
        "every device once on a server", "List every device once.", _HSRC, hccl="EI0004 device id repeat for one server. Please check ranktable"
    ),
    "device_order": Rule("device_id in ascending order", "Sort the devices: MindIE takes npuDeviceIds in the order of the file.", _MSRC, severity="warning"),
    "device_ip_missing": Rule(
        "the IP address of the device",
        "Set the address of the device (hccn_tool -i N -ip -s), then generate the table again.",
        _HSRC,
        hccl="EI0004 The 'device_ip' in ranktable is not set or is not a valid ip address.",
        mindie="Parameter device_ip is invalid in ranktable file.",
    ),
    "device_ip_invalid": Rule(
        "an IP address",
        "Read the address with hccn_tool -i N -ip -g; such text shows that hccn_tool failed where the table was made.",
        _HSRC,
        hccl="EI0004 The ip in ranktable is not a valid ip address",
        mindie="Input device_ip [{value}] is invalid; Parameter device_ip is invalid in ranktable file.",
    ),
    "device_ip_duplicate": Rule(
        "an address of its own for every device of the cluster", "Give every device its own address.", _HSRC, hccl="EI0004 The IP is used repeatedly."
    ),
    "device_ip_family": Rule(
        "IPv{first}, as on the first device",
        "Use one address family for all devices.",
        _HDOC_FD,
        hccl="EI0001 rank[{rank}] device ip family[{family}] is not same as others[{others}].",
    ),
    "device_ip_count": Rule("{first}, as on the first device", "Give every device the same number of addresses.", _HSRC),
    "backup_device_ip_invalid": Rule("an IP address", "Use the address of the other die of the same NPU, or remove the key.", _HDOC),
    "backup_device_ip_own": Rule(
        "another address than that of the device", "Use the address of the other die of the same NPU, or remove the key.", _HDOC, severity="warning"
    ),
    "backup_device_ip_duplicate": Rule(
        "a backup of its own for every device", "Use the address of the other die of the same NPU, or remove the key.", _DERIVED, severity="warning"
    ),
    "port_invalid": Rule("1 to 65535 as a decimal string", "Correct or remove {key}.", _HDOC),
    "port_reserved": Rule("a port above 1023", "Choose a port above 1023.", _HDOC, severity="warning"),
    "host_port_duplicate": Rule("a host_port of its own for every device of a server", "Give every device its own host_port.", _HDOC),
    # Ranks
    "rank_id_invalid": Rule(
        "the rank as a decimal string",
        "Number the ranks 0, 1, 2 ... in the order of the servers.",
        _HSRC,
        hccl="EI0004 The rankid in ranktable is invalid. Please check ranktable",
        mindie="Parameter rankId is invalid in ranktable file.",
    ),
    "rank_id_range": Rule(
        "0 to 511", "Use fewer devices in one serving group.", _MSRC, mindie="Parameter rankId in ranktable is {value}, which is out of allow range [0, 511]."
    ),
    "rank_id_duplicate": Rule(
        "every rank once",
        "Number the ranks 0, 1, 2 ... in the order of the servers.",
        _HSRC,
        hccl="EI0004 The 'rank_id' in the ranktable must start from 0 or it is used repeatedly",
    ),
    "rank_id_gap": Rule(
        "every rank from 0 to {last}",
        "Number the ranks 0, 1, 2 ... in the order of the servers.",
        _HSRC,
        hccl="EI0004 The 'rank_id' in the ranktable must start from 0 or it is used repeatedly",
    ),
    "rank_id_interleaved": Rule(
        "the ranks of a server in one unbroken row", "Number the ranks server by server: ranks of two servers must not interleave.", _HDOC
    ),
    "master_not_first": Rule("rank 0 on server_list[0], the master", "Put the master first and number the ranks from it.", _MDOC),
    # Superpods (version 1.2)
    "super_device_id_invalid": Rule(
        "the SDID as a decimal string", "Read it with npu-smi info -t spod-info -i NPU -c CHIP.", _HDOC_FD, hccl="super_device_id[{value}] is invalid"
    ),
    "super_device_id_duplicate": Rule(
        "an SDID of its own for every device of a superpod",
        "Read it with npu-smi info -t spod-info -i NPU -c CHIP.",
        _HDOC_FD,
        hccl="EI0014 devices have same superDeviceId[{value:#x}] in superPod[{pod}].",
    ),
    "super_pod_list_missing": Rule(
        "super_pod_list in a table of version 1.2", "Add super_pod_list, or HCCL treats the servers as having no superpod.", _HSRC, severity="warning"
    ),
    "super_pod_id_missing": Rule("the name of the superpod", "Set super_pod_id.", _HSRC, hccl="EI0004 the 'super_pod_id' in the ranktable is invalid or empty"),
    "super_pod_id_duplicate": Rule("every superpod once", "List every superpod once.", _HSRC, hccl="EI0004 The IP is used repeatedly."),
    "super_pod_server_unknown": Rule(
        "a server_id of server_list",
        "Use the server_id as written in server_list.",
        _HSRC,
        hccl="EI0004 the 'server_id' in the ranktable 'super_pod_list' is invalid or not found in server_list",
    ),
    "super_pod_server_duplicate": Rule("every server in one superpod", "List the server in one superpod only.", _HDOC),
    "super_pod_server_missing": Rule(
        "every server in a superpod",
        "Add the server to its superpod.",
        _HSRC,
        hccl="serverNum[{pods}] in super_pod_list and serverNum[{servers}] in server_list are inconsistent",
    ),
    "super_pod_not_contiguous": Rule("the servers of a superpod next to each other in server_list", "Sort server_list by superpod.", _HDOC),
    # Merging
    "unmergeable_key": Rule('only "version", "server_count", "server_list" and "status"', "Merge this table by hand: the key would be lost.", _DERIVED),
    "unmergeable_version": Rule('"1.0"', "Generate this file with hccl_tools.py: only version 1.0 tables can be merged.", _DERIVED),
    # Live devices
    "live_server_unknown": Rule("a server_id of the table", "Add this server to the table, or correct its server_id.", _DERIVED),
    "live_device_missing": Rule(
        "a device that this host has",
        "Generate the table again from the devices of the host.",
        _HSRC,
        hccl="EI0004 The ranktable config devId is inconsistent with the local devId.",
    ),
    "live_device_ip": Rule(
        "{live}, the address that the device has",
        "Generate the table again after the last change of the addresses.",
        _HDOC_FD,
        hccl="EI0014 [check][ip]fail, ret(129) the IP address({value}) in the ranktable is inconsistent with the IP({live})address of the network "
        "adapter, please make sure they're consistent. num({count})",
    ),
    # Path of the file
    "path_relative": Rule("an absolute path", "Write the path from the root directory.", _MDOC),
    "path_long": Rule("at most 256 characters", "Choose a shorter path.", _MSRC),
    "path_characters": Rule("letters, digits, and _ . / - only", "Choose another path.", _DERIVED),
    "path_parent": Rule("a path without ..", "Write the path without .. in it.", _DERIVED),
    "path_suffix": Rule(
        "a file name that ends in .json, and no .json before that", "Choose another name.", _HSRC, hccl="path {value} is not a valid .json file"
    ),
}
