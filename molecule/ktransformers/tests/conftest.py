# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of playbooks, and commands on the host."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import types
import typing as t

import pytest

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
ENVIRONMENT = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / ".build/collections"), "ANSIBLE_FORCE_COLOR": "0"}


def on_host(command: str) -> str:
    argv = ["ssh", "-F", ".build/ssh/kt.config", "npu01", command]
    return subprocess.run(argv, check=True, capture_output=True, text=True, cwd=PROJECT, stdin=subprocess.DEVNULL).stdout


def argv_of(playbook: str, variables: dict[str, t.Any] | None = None) -> list[str]:
    return ["ansible-playbook", "-i", "inventories/simulator_ktransformers", f"playbooks/{playbook}.yml", "-e", json.dumps(variables or {})]


def play(playbook: str, variables: dict[str, t.Any] | None = None) -> tuple[int, str]:
    done = subprocess.run(argv_of(playbook, variables), check=False, capture_output=True, text=True, cwd=PROJECT, env=ENVIRONMENT, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout + done.stderr


def changes(playbook: str, variables: dict[str, t.Any] | None = None) -> int:
    """How many tasks changed something in a run that succeeds."""
    code, output = play(playbook, variables)
    assert code == 0, output
    return int(re.findall(r"^npu01 .* changed=(\d+)", output, re.MULTILINE)[0])


@pytest.fixture(name="run")
def run_fixture() -> types.SimpleNamespace:
    return types.SimpleNamespace(on_host=on_host, argv_of=argv_of, play=play, changes=changes, project=PROJECT, environment=ENVIRONMENT)
