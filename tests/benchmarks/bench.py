# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ratios, measured in one run on the simulated hosts. Absolute times depend on the machine, ratios hardly do."""

from __future__ import annotations

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import local_hosts
import merge_weights
import rank_table
import weights

PROJECT = pathlib.Path(__file__).parents[2]
INVENTORY = ["-i", "inventories/simulator"]
SSH = ["ssh", "-F", ".build/ssh/npuops.config", "npu01"]
SSH_OTHER = [*SSH[:-1], "npu02"]
# What the guide types, for one host.
GUIDE = """
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -ip -s address 10.89.17.$((i + 1)) netmask 255.255.240.0; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -gateway -s gateway 10.89.16.1; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -netdetect -s address 10.89.16.1; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -lldp -g | grep Ifname; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -link -g; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -net_health -g; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -netdetect -g; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -gateway -g; done
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -tls -g; done | grep switch
for i in 0 1 2 3 4 5 6 7; do hccn_tool -i $i -tls -s enable 0; done
"""
FORGET = ": > /etc/hccn.conf; npusim reset"
# All pings of one device of npu01 in the matrix of two hosts, one after the other.
PINGS = "for i in 1 2 3 4 5 6 7 8; do hccn_tool -i 0 -ping -g address {network}.$i; done"


def run(argv: list[str], **environment: str) -> tuple[float, str]:
    began = time.monotonic()
    done = subprocess.run(argv, cwd=PROJECT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return time.monotonic() - began, done.stdout


def playbook(*arguments: str, **environment: str) -> tuple[float, str]:
    return run(["ansible-playbook", *INVENTORY, *arguments], **environment)


def network(times: int, *options: str) -> dict[str, float]:
    """Median seconds of the network stage on one host whose devices have forgotten everything."""
    found: dict[str, list[float]] = {"shell loop": [], "stage": []}
    for _round in range(times):
        run([*SSH, FORGET])
        found["shell loop"].append(run([*SSH, GUIDE])[0])
        run([*SSH, FORGET])
        found["stage"].append(playbook("playbooks/npu_network.yml", "--limit", "npu01", *options)[0])
    run([*SSH, FORGET])
    found["Ansible loop"] = [playbook("tests/benchmarks/network_loop.yml")[0]]
    return {name: statistics.median(values) for name, values in found.items()}


def pings() -> float:
    """Time of the ping matrix of two hosts against that of the pings of one device one after the other; median of three rounds."""
    target = run([*SSH_OTHER, "hccn_tool -i 0 -ip -g"])[1].split("ipaddr:", 1)[1].split()[0]
    one = PINGS.format(network=target.rpartition(".")[0])
    return statistics.median(playbook("tests/benchmarks/ping_matrix.yml")[0] / run([*SSH, one])[0] for _round in range(3))


def added_host(few: int, many: int) -> tuple[float, float]:
    """Seconds of the checks of few local hosts, and what each further one adds up to many."""
    seconds = []
    for count in (few, many):
        with tempfile.TemporaryDirectory() as root:
            inventory = local_hosts.make(pathlib.Path(root), count)
            seconds.append(run(["ansible-playbook", "-i", str(inventory), "playbooks/checks.yml", "-e", "preflight_fail_on=never"])[0])
    return seconds[0], (seconds[1] - seconds[0]) / (many - few)


def tasks(output: str) -> int:
    """Tasks that the busiest host ran or skipped."""
    return max(int(ok) + int(skipped) for ok, skipped in re.findall(r"ok=(\d+).*skipped=(\d+)", output))


def show(name: str, value: str, target: str) -> None:
    print(f"{name:68} {value:>10}   target {target}", flush=True)


def main() -> None:
    first, _output = playbook("site.yml")
    second, output = playbook("site.yml")
    changed = sum(int(count) for count in re.findall(r"changed=(\d+)", output))
    show("(b) no-op run of site.yml, two hosts, seconds", f"{second:.1f}", "< 45")
    show("(b) no-op run against the first run", f"{second / first:.2f}", "-")
    show("(b) tasks per host in a no-op run", str(tasks(output)), "-")
    show("(b) changes in a no-op run", str(changed), "0")

    show("(f) checks before a launch of two converged hosts, seconds", f"{playbook('playbooks/preflight.yml')[0]:.1f}", "< 15")
    show("(g) ping matrix 2 x 8 against the pings of one device", f"{pings():.2f}", "<= 2")
    few, added = added_host(2, 32)
    show("(h) checks of two local hosts, seconds", f"{few:.1f}", "-")
    show("(h) seconds for each further one, up to 32", f"{added:.2f}", "-")

    bare = network(3)
    show("(a) network stage against the shell loop", f"{bare['stage'] / bare['shell loop']:.2f}", "<= 1.3")
    show("(a) Ansible loop against the network stage", f"{bare['Ansible loop'] / bare['stage']:.1f}", ">= 15")
    # The stand-in answers at once; a device takes its time, and the stage reads eight of them side by side.
    run([*SSH, "npusim fault set slow-tool seconds=0.1"])
    try:
        slow = network(1)
    finally:
        run([*SSH, "npusim fault clear slow-tool"])
    show("(a) the same with 0.1 s per call of the tool: against the shell loop", f"{slow['stage'] / slow['shell loop']:.2f}", "<= 1.3")
    show("(a) the same with 0.1 s per call of the tool: Ansible loop against it", f"{slow['Ansible loop'] / slow['stage']:.1f}", ">= 15")
    playbook("playbooks/npu_network.yml")

    table = rank_table.main()
    show("(c) rank table of 1,024 hosts x 16 devices, seconds", f"{table['total_seconds']:.2f}", "< 1")

    merge = merge_weights.main()
    show("(d) merge of weights against cp of its output and sync", f"{merge['ratio_to_cp_and_sync']:.2f}", "<= 1.1")
    show("(d) peak memory of the merge, MiB", f"{merge['peak_bytes'] / 2**20:.0f}", "< 64")
    show("(d) a plain implementation with the safetensors library against it", f"{merge['plain_implementation_seconds'] / merge['merge_seconds']:.1f}", "-")
    show("(e) peak memory of the merge against that of half the input", f"{merge['peak_bytes'] / merge['peak_bytes_of_half_the_input']:.2f}", "1")

    brought = weights.main()
    show("(f) weights to five more hosts against one rsync to one host", f"{brought['spread'] / brought['one_rsync']:.2f}", "<= 1.5")
    show("(f) rsync to each of them in turn against it", f"{brought['rsync_in_turn'] / brought['spread']:.1f}", "-")
    show("(f) the whole play, with manifest and reading again, against one rsync", f"{brought['play'] / brought['one_rsync']:.2f}", "-")
    show("(f) bytes read by a check of 1 GiB of unchanged weights", f"{brought['read_bytes']:.0f}", "none of them")
    show("(f) hashing of files side by side against sha256sum", f"{brought['against_sha256sum']:.2f}", "<= 1")


if __name__ == "__main__":
    main()
