# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many hosts that are this machine, to see what the collection itself costs for each: local connection, hccn_tool as a
shell script that answers at once with recorded texts.

A host's Python runs in a mount namespace of its own, in which /dev has eight davinci nodes and /etc an hccn.conf; nothing of the
machine is changed. Needs root, as the simulated hosts do.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys

PROJECT = pathlib.Path(__file__).parents[2]
SAMPLES = PROJECT / "tests/fixtures/cli/hccn_tool"
DEVICES = 8

TOOL = """#!/bin/sh
case "$3" in
-ip) printf 'ipaddr:10.0.{number}.%s\\nnetmask:255.255.0.0\\n' $(($2 + 1)) ;;
-ping)
    printf 'device %s PING %s\\nrecv seq=0,time=0.114000ms\\nrecv seq=1,time=0.067000ms\\nrecv seq=2,time=0.063000ms\\n' "$2" "$6"
    printf '3 packets transmitted, 3 received, 0.00%% packet loss\\n\\n' ;;
-gateway) printf 'default gateway:10.0.255.254, Iface:eth%s\\n' "$2" ;;
-tls) exec cat '{samples}/tls-get--switch-off.txt' ;;
-mtu) exec cat '{samples}/mtu-get.txt' ;;
-link) exec cat '{samples}/link-get--up.txt' ;;
-net_health) exec cat '{samples}/net-health-get--success.txt' ;;
-lldp) exec cat '{samples}/lldp-get--huawei-switch-910B1.txt' ;;
-speed) exec cat '{samples}/speed-get--200g.txt' ;;
-duplex) exec cat '{samples}/duplex-get--full.txt' ;;
-fec) exec cat '{samples}/fec-get--not-switchable-a2.txt' ;;
-optical) printf 'optical info:\\npresent : present\\n' ;;
-link_stat) exec cat '{samples}/link_stat-get--no-records.txt' ;;
*) exit 13 ;;
esac
"""
PYTHON = """#!/bin/sh
exec {sudo} unshare --mount sh -c '
mount -t overlay overlay -o "lowerdir=$1/dev:/dev" /dev
mount -t overlay overlay -o "lowerdir=$1/etc:/etc" /etc
PATH="$1/bin:$PATH"
shift
exec "$@"' sh '{root}' '{python}' "$@"
"""


def script(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def make(root: pathlib.Path, count: int) -> pathlib.Path:
    """Make the hosts below this directory; gives their inventory."""
    hosts = {}
    for number in range(1, count + 1):
        host = root / f"npu{number:02}"
        (host / "dev").mkdir(parents=True)
        (host / "etc").mkdir()
        for device in range(DEVICES):
            (host / "dev" / f"davinci{device}").touch()
        (host / "etc" / "hccn.conf").write_text("".join(f"tls_enable_{device}=0\n" for device in range(DEVICES)))
        script(host / "bin" / "hccn_tool", TOOL.format(number=number, samples=SAMPLES))
        script(host / "bin" / "python", PYTHON.format(sudo="" if os.geteuid() == 0 else "sudo", root=host, python=sys.executable))
        hosts[host.name] = {"ansible_host": "127.0.0.1", "ansible_python_interpreter": str(host / "bin" / "python")}
    inventory = root / "hosts.json"
    inventory.write_text(json.dumps({"npu": {"vars": {"ansible_connection": "local"}, "children": {"ktransformers": {}, "mindie": {"hosts": hosts}}}}))
    return inventory
