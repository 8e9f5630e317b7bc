# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the hosts, and runs of playbooks."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
import typing as t

import pytest

# Tests are imported without their directory in the path (pytest.ini).
sys.path.insert(0, str(pathlib.Path(__file__).parent))

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = os.environ.get("FAULTS_INVENTORY", "inventories/simulator")
SSH = os.environ.get("FAULTS_SSH", ".build/ssh/npuops.config")


class Cluster:
    """The two hosts of this scenario."""

    def on(self, host: str, command: str) -> str:
        argv = ["ssh", "-F", SSH, host, f"sh -euc {shlex.quote(command)}"]
        return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=PROJECT, stdin=subprocess.DEVNULL).stdout

    @contextlib.contextmanager
    def planted(self, host: str, plant: str, clear: str) -> t.Iterator[None]:
        try:
            self.on(host, plant)
            yield
        finally:
            self.on(host, clear)

    def reset(self) -> None:
        subprocess.run([sys.executable, "tests/simulator/simulator.py", "reset"], check=True, cwd=PROJECT, stdin=subprocess.DEVNULL)

    def play(self, playbook: str, variables: dict[str, t.Any] | None = None, *arguments: str) -> tuple[int, str]:
        argv = ["ansible-playbook", "-i", INVENTORY, *arguments, playbook, "-e", json.dumps(variables or {})]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build/collections"), "ANSIBLE_FORCE_COLOR": "0"}
        done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster()
