# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of playbooks, and commands on the host."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import time
import types
import typing as t

import pytest

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
LIMIT = 3600
ENVIRONMENT = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build/collections"), "ANSIBLE_FORCE_COLOR": "0"}


def on_host(command: str, host: str = "npu01", stdin: str = "") -> str:
    argv = ["ssh", "-F", ".build/ssh/kt.config", host, command]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=PROJECT, input=stdin)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def argv_of(playbook: str, variables: dict[str, t.Any] | None = None, host: str = "npu01") -> list[str]:
    inventories = ["-i", "inventories/simulator_ktransformers", "-i", "molecule/ktransformers/inventory", "--limit", host]
    return ["ansible-playbook", *inventories, f"playbooks/{playbook}.yml", "-e", json.dumps(variables or {})]


def play(playbook: str, variables: dict[str, t.Any] | None = None, host: str = "npu01") -> tuple[int, str]:
    argv = argv_of(playbook, variables, host)
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=PROJECT, env=ENVIRONMENT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def changes(playbook: str, variables: dict[str, t.Any] | None = None, host: str = "npu01") -> int:
    """How many tasks changed something in a run that succeeds."""
    code, output = play(playbook, variables, host)
    assert code == 0, output
    return int(re.findall(rf"^{host} .* changed=(\d+)", output, re.MULTILINE)[0])


def cut_off(playbook: str, variables: dict[str, t.Any], in_the_middle: str, also_kill: str = "", host: str = "npu01") -> None:
    """Start a run and kill it when this command succeeds on the host; with also_kill, what that prints is killed with it, as when the power fails."""
    script = f"until {in_the_middle}; do sleep 0.02; done" + (f"; kill -KILL -- $({also_kill})" if also_kill else "")
    with open(PROJECT / ".build/ktransformers-cut-off.log", "wb") as log:
        run = subprocess.Popen(argv_of(playbook, variables, host), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=PROJECT, env=ENVIRONMENT)
        watch = subprocess.Popen(["ssh", "-F", ".build/ssh/kt.config", host, f"timeout {LIMIT} bash -c {shlex.quote(script)}"],
                                 # Not the log: ssh makes what it writes to non-blocking where it shares a connection, and Ansible refuses that.
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, cwd=PROJECT)
    try:
        while watch.poll() is None and run.poll() is None:
            time.sleep(0.02)
        # A run of which everything was killed on the host may end before the watch is heard of.
        with contextlib.suppress(subprocess.TimeoutExpired):
            watch.wait(timeout=20)
        assert watch.returncode == 0, f"the host was not in the middle of the run, which ended or took more than {LIMIT} s; see {log.name}"
    finally:
        # Ansible's workers have sessions of their own; one that follows a merge would do so for hours.
        workers = subprocess.run(["pgrep", "--parent", str(run.pid)], check=False, capture_output=True, text=True).stdout.split()
        for process in [run.pid, *map(int, workers), watch.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        run.wait()
        watch.wait()


@pytest.fixture(name="run")
def run_fixture() -> types.SimpleNamespace:
    return types.SimpleNamespace(on_host=on_host, play=play, changes=changes, cut_off=cut_off, project=PROJECT)
