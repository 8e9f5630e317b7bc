# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start site.yml again and again, and kill each run when a host is in the middle of a stage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

SSH = ["ssh", "-F", ".build/ssh/npuops.config", "-o", "ControlMaster=auto", "-o", "ControlPath=.build/ssh/%C", "-o", "ControlPersist=60", "npu01"]
PLAYBOOK = ["ansible-playbook", "-i", "inventories/simulator", "site.yml"]
LIMIT = 900

# Stage, and what is true on the host in the middle of it but not before.
STAGES = [
    ("hdk", "pgrep -f [n]pu-driver.*--full && ! grep -q Driver_Install_Status=complete /etc/ascend_install.info"),
    ("docker: engine", "test -e /usr/bin/docker && ! test -e /usr/local/lib/npuops/docker-archive.sha256"),
    ("docker: image", "pgrep -f '[d]ocker load'"),
    ("npu_network", "grep -q ^address_2= /etc/hccn.conf && ! grep -q ^address_7= /etc/hccn.conf"),
    ("mindie", "docker ps --quiet --filter name=mindie-mindie | grep -q ."),
]


def on_host(command: str) -> bool:
    return subprocess.run([*SSH, command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def interrupt(stage: str, condition: str) -> None:
    if on_host(condition):
        sys.exit(f"{stage}: the host is in the middle of the stage before the run began; the condition proves nothing: {condition}")
    with open(f".build/interrupted-{stage.split(':')[0]}.log", "wb") as log:
        run = subprocess.Popen(PLAYBOOK, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + LIMIT
    while not on_host(condition):
        if run.poll() is not None:
            sys.exit(f"{stage}: the run ended with {run.returncode} before the host was in the middle of the stage; see {log.name}")
        if time.monotonic() > deadline:
            os.killpg(run.pid, signal.SIGKILL)
            sys.exit(f"{stage}: the host was not in the middle of the stage within {LIMIT} s; see {log.name}")
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    print(f"{stage}: run killed after {LIMIT - (deadline - time.monotonic()):.0f} s")


def main() -> None:
    for stage, condition in STAGES:
        interrupt(stage, condition)


if __name__ == "__main__":
    main()
