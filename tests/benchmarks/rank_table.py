# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Time from servers to a checked rank table for 1,024 hosts with 16 devices each."""

from __future__ import annotations

import json
import time

from ansible_collections.npuops.ascend.plugins.module_utils import _rank_table

HOSTS = 1024
DEVICES = 16
TARGET_SECONDS = 1.0


def cluster(hosts: int = HOSTS, devices: int = DEVICES) -> list[dict]:
    return [
        {
            "server_id": f"10.{host // 250}.0.{host % 250 + 1}",
            "devices": [{"device_id": str(device), "device_ip": f"10.{128 + host // 250}.{host % 250}.{device + 1}"} for device in range(devices)],
        }
        for host in range(hosts)
    ]


def main() -> dict:
    servers = cluster()
    laps = [time.perf_counter()]
    table = _rank_table.build(servers)
    laps.append(time.perf_counter())
    data = _rank_table.render(table)
    laps.append(time.perf_counter())
    parsed = _rank_table.parse(data)
    laps.append(time.perf_counter())
    # The limits of MindIE (60 servers, rank 511) end far below this size.
    findings = _rank_table.validate(parsed, profile="hccl")
    laps.append(time.perf_counter())
    if findings or parsed != table:
        raise RuntimeError(f"The table of the benchmark is not clean: {findings[:1]}")
    seconds = [round(after - before, 3) for before, after in zip(laps, laps[1:])]
    return {
        "hosts": HOSTS,
        "devices": DEVICES,
        "bytes": len(data),
        **dict(zip(("build_seconds", "render_seconds", "parse_seconds", "validate_seconds"), seconds)),
        "total_seconds": round(laps[-1] - laps[0], 3),
        "target_seconds": TARGET_SECONDS,
    }


if __name__ == "__main__":
    print(json.dumps(main(), indent=4))
