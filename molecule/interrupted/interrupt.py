# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start site.yml again and again; kill the run, or the host, when the host is in the middle of a stage."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
import typing as t

SSH = ["ssh", "-F", ".build/ssh/npuops.config", "npu01"]
PLAYBOOK = ["ansible-playbook", "-i", "inventories/simulator", "site.yml"]
SIMULATOR = [sys.executable, "tests/simulator/simulator.py"]
LIMIT = 3600


def kill_the_run(run: subprocess.Popen) -> None:
    # Ansible's workers have sessions of their own; one that waits for a host goes on for long.
    workers = subprocess.run(["pgrep", "--parent", str(run.pid)], check=False, capture_output=True, text=True).stdout.split()
    for process in [run.pid, *map(int, workers)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    run.wait()


def cut_the_power(run: subprocess.Popen) -> None:
    """The host comes back without what it was doing. Ansible cannot see that, and waits for it until somebody ends the run."""
    try:
        subprocess.run([*SIMULATOR, "off", "npu01"], check=True)
        subprocess.run([*SIMULATOR, "up"], check=True)
    finally:
        kill_the_run(run)


# Stage, what is true on the host in the middle of it but not before, and what happens then.
STAGES = [
    ("hdk", "pgrep -f [n]pu-driver.*--full && ! grep -q Driver_Install_Status=complete /etc/ascend_install.info", kill_the_run),
    ("docker: engine", "test -e /usr/bin/docker && ! test -e /usr/local/lib/npuops/docker-archive.sha256", kill_the_run),
    ("docker: image", "pgrep -f '[d]ocker load'", cut_the_power),
    ("npu_network", "grep -q ^address_2= /etc/hccn.conf && ! grep -q ^address_7= /etc/hccn.conf", kill_the_run),
    ("mindie", "docker ps --quiet --filter name=mindie-mindie | grep -q .", kill_the_run),
]


QUIETLY = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def watch_for(condition: str) -> subprocess.Popen:
    """Ends with 0 when this is true on the host."""
    script = f"until {condition}; do sleep 0.02; done"
    return subprocess.Popen([*SSH, f"timeout {LIMIT} bash -c {shlex.quote(script)}"], **QUIETLY)


def interrupt(stage: str, condition: str, strike: t.Callable[[subprocess.Popen], None]) -> None:
    if subprocess.run([*SSH, condition], check=False, **QUIETLY).returncode == 0:
        sys.exit(f"{stage}: the host is in the middle of the stage before the run began; the condition proves nothing: {condition}")
    with open(f".build/interrupted-{stage.split(':')[0]}.log", "wb") as log:
        run = subprocess.Popen(PLAYBOOK, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
    began = time.monotonic()
    # The host itself watches: what lasts less than a second would be over between two questions from here.
    watch = watch_for(condition)
    while (found := watch.poll()) != 0 and run.poll() is None and time.monotonic() - began < LIMIT:
        if found is not None:
            # The run reboots the host, and the watch ends with it.
            watch = watch_for(condition)
        time.sleep(0.02)
    watch.kill()
    watch.wait()
    if found != 0:
        what = f"the run ended with {run.returncode}" if run.poll() is not None else f"the run is at work for {LIMIT} s"
        kill_the_run(run)
        sys.exit(f"{stage}: {what}, and the host was never in the middle of the stage; see {log.name}")
    print(f"{stage}: {strike.__name__} after {time.monotonic() - began:.0f} s", flush=True)
    strike(run)


def main() -> None:
    for stage in STAGES:
        interrupt(*stage)


if __name__ == "__main__":
    main()
