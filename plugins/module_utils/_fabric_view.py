# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pairs and cabling of a fabric as a text for the terminal, as small as the fabric allows."""

from __future__ import annotations

import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks.terminal import clean, padded, table, width
from ansible_collections.npuops.ascend.plugins.module_utils._fabric import address_of, read_devices

# Columns of the matrix: up to as many devices, then as many hosts; beyond that each host has a line of its own.
DEVICES_MAX = 36
HOSTS_MAX = 24
CABLES_MAX = 32

LETTERS = {
    "tool": "E",
    "tls": "T",
    "link": "L",
    "address_plan": "A",
    "gateway": "G",
    "switch_port": "S",
    "back_to_back": "B",
    "unknown": "?",
}
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "{good} of {all} pairs of devices reach each other. Rows send, columns answer.",
        "hosts": "{good} of {all} pairs of devices reach each other. Rows send, columns answer: * all, else how many pairs fail.",
        "summary": "{good} of {all} pairs of devices reach each other.",
        "none": "No pair of devices was pinged.",
        "legend": ". reached",
        "host": "host",
        "device": "device",
        "address": "address",
        "switch": "switch",
        "port": "port",
        "sent": "failed from it",
        "received": "failed to it",
        "more": "{count} more hosts with failures, {good} without",
        "cabling": "Cabling by LLDP",
        "no_lldp": "Cabling: no device has an LLDP neighbour.",
        "links": "devices",
        "tool": "hccn_tool refuses",
        "tls": "TLS differs",
        "link": "link down",
        "address_plan": "address plan",
        "gateway": "gateway",
        "switch_port": "switch port",
        "back_to_back": "back to back",
        "unknown": "state not read",
    },
    "zh": {
        "title": "{all} 对设备中 {good} 对互通。行为发送方，列为应答方。",
        "hosts": "{all} 对设备中 {good} 对互通。行为发送方，列为应答方：* 全部互通，数字为不通的对数。",
        "summary": "{all} 对设备中 {good} 对互通。",
        "none": "没有可 ping 的设备对。",
        "legend": ". 互通",
        "host": "主机",
        "device": "设备",
        "address": "地址",
        "switch": "交换机",
        "port": "端口",
        "sent": "发出不通",
        "received": "到达不通",
        "more": "另有 {count} 台主机存在不通，{good} 台全部互通",
        "cabling": "LLDP 布线",
        "no_lldp": "布线：没有设备发现 LLDP 邻居。",
        "links": "设备数",
        "tool": "hccn_tool 报错",
        "tls": "TLS 不一致",
        "link": "链路 DOWN",
        "address_plan": "地址规划",
        "gateway": "网关",
        "switch_port": "交换机端口",
        "back_to_back": "背靠背直连",
        "unknown": "状态未读取",
    },
}

Pair = t.Mapping[str, t.Any]


def cabling(hosts: t.Any) -> list[dict[str, t.Any]]:
    """For each device the switch and the port that LLDP names; None where it names none."""
    cables = []
    for device, facts in sorted(read_devices(hosts).items()):
        lldp = facts.get("lldp") or {}
        cables.append(
            {
                "host": device.host,
                "device": device.device,
                "address": address_of(facts, "device"),
                "switch": lldp.get("system_name") or lldp.get("chassis_id"),
                "port": lldp.get("port_id"),
            }
        )
    return cables


def text(pairs: t.Sequence[Pair], cables: t.Sequence[t.Mapping[str, t.Any]], lang: str) -> str:
    words = WORDS[lang]
    return "\n".join([*_matrix(pairs, words), "", *_cables(cables, words)])


def _matrix(pairs: t.Sequence[Pair], words: t.Mapping[str, str]) -> list[str]:
    if not pairs:
        return [words["none"]]
    good = sum(pair["ok"] for pair in pairs)
    counts = {"good": str(good), "all": str(len(pairs))}
    ends = {(pair["host"], pair["device"]) for pair in pairs} | {(pair["peer_host"], pair["peer_device"]) for pair in pairs}
    hosts = sorted({host for host, _device in ends})
    if len(ends) <= DEVICES_MAX:
        return [words["title"].format(**counts), *_by_device(pairs, sorted(ends), words)]
    if len(hosts) <= HOSTS_MAX:
        return [words["hosts"].format(**counts), *_by_host(pairs, hosts, words)]
    return [words["summary"].format(**counts), *_summary(pairs, hosts, words)]


def _by_device(pairs: t.Sequence[Pair], ends: t.Sequence[tuple[str, int]], words: t.Mapping[str, str]) -> list[str]:
    cells = {(pair["host"], pair["device"], pair["peer_host"], pair["peer_device"]): "." if pair["ok"] else LETTERS[pair["reason"]] for pair in pairs}
    hosts = sorted({host for host, _device in ends})
    devices = {host: [device for name, device in ends if name == host] for host in hosts}
    digits = max(len(str(device)) for _host, device in ends)
    names = {host: clean(host) for host in hosts}
    first = max([width(name) for name in names.values()]) + 1 + digits
    # Each host's block of columns is at least as wide as its name.
    sizes = {host: max(width(names[host]), len(devices[host]) * (digits + 1) - 1) for host in hosts}

    def line(label: str, blocks: t.Iterable[tuple[str, str]]) -> str:
        return (padded(label, first) + "".join("  " + padded(block, sizes[host]) for host, block in blocks)).rstrip()

    lines = [
        line("", ((host, names[host]) for host in hosts)),
        line("", ((host, " ".join(f"{device:{digits}}" for device in devices[host])) for host in hosts)),
    ]
    for host, device in ends:
        row = (
            (peer, " ".join(f"{cells.get((host, device, peer, peer_device), ''):>{digits}}" for peer_device in devices[peer]))
            for peer in hosts
        )
        lines.append(line(f"{padded(names[host], first - digits - 1)} {device:{digits}}", row))
    reasons = [reason for reason in LETTERS if LETTERS[reason] in cells.values()]
    return [*lines, "  ".join([words["legend"], *(f"{LETTERS[reason]} {words[reason]}" for reason in reasons)])]


def _by_host(pairs: t.Sequence[Pair], hosts: t.Sequence[str], words: t.Mapping[str, str]) -> list[str]:
    lost = _lost_by_hosts(pairs)
    rows = [["", *(str(number) for number in range(1, len(hosts) + 1))]]
    for number, host in enumerate(hosts, 1):
        rows.append([f"{number} {clean(host)}", *(str(lost.get((host, peer), "") or "*") if (host, peer) in lost else "" for peer in hosts)])
    return table(rows)


def _summary(pairs: t.Sequence[Pair], hosts: t.Sequence[str], words: t.Mapping[str, str]) -> list[str]:
    lost = _lost_by_hosts(pairs)
    sent = {host: sum(count for (source, _peer), count in lost.items() if source == host) for host in hosts}
    received = {host: sum(count for (_source, peer), count in lost.items() if peer == host) for host in hosts}
    bad = sorted((host for host in hosts if sent[host] or received[host]), key=lambda host: (-sent[host] - received[host], host))
    rows = [[words["host"], words["sent"], words["received"]], *([clean(host), str(sent[host]), str(received[host])] for host in bad[:HOSTS_MAX])]
    lines = table(rows) if bad else []
    return [*lines, words["more"].format(count=max(0, len(bad) - HOSTS_MAX), good=len(hosts) - len(bad))]


def _lost_by_hosts(pairs: t.Sequence[Pair]) -> dict[tuple[str, str], int]:
    lost: dict[tuple[str, str], int] = {}
    for pair in pairs:
        hosts = (pair["host"], pair["peer_host"])
        lost[hosts] = lost.get(hosts, 0) + (not pair["ok"])
    return lost


def _cables(cables: t.Sequence[t.Mapping[str, t.Any]], words: t.Mapping[str, str]) -> list[str]:
    if not any(cable["port"] for cable in cables):
        return [words["no_lldp"]]
    if len(cables) <= CABLES_MAX:
        rows = [[words[key] for key in ("host", "device", "address", "switch", "port")]]
        rows += [[_cell(cable[key]) for key in ("host", "device", "address", "switch", "port")] for cable in cables]
    else:
        counts: dict[str, int] = {}
        for cable in cables:
            switch = _cell(cable["switch"])
            counts[switch] = counts.get(switch, 0) + 1
        rows = [[words["switch"], words["links"]], *([switch, str(count)] for switch, count in sorted(counts.items()))]
    return [words["cabling"], *table(rows)]


def _cell(value: t.Any) -> str:
    """One line, whatever a switch calls itself."""
    return "-" if value is None else " ".join(clean(value).split())
