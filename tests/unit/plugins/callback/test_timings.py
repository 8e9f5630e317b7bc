# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback in a real run."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

PLAYBOOK = """
- name: First play
  hosts: all
  gather_facts: false
  tasks:
    - name: Wait
      ansible.builtin.command: sleep 0.3
      changed_when: false
- name: Second play
  hosts: all
  gather_facts: false
  tasks:
    - name: Fail on one of them
      ansible.builtin.fail:
      when: inventory_hostname == 'npu02'
- name: Third play
  hosts: all
  gather_facts: false
  tasks:
    - name: Bring a role in
      ansible.builtin.include_role:
        name: short
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "roles/short/tasks").mkdir(parents=True)
    (tmp_path / "roles/short/tasks/main.yml").write_text("- name: Nothing\n  ansible.builtin.debug:\n")
    (tmp_path / "hosts").write_text(f"npu01\nnpu02\n[all:vars]\nansible_connection=local\nansible_python_interpreter={sys.executable}\n")

    def run(name, path="out/timings.json"):
        (tmp_path / name).write_text(PLAYBOOK)
        (tmp_path / "ansible.cfg").write_text(
            f"[defaults]\ncallbacks_enabled = npuops.ascend.timings\n[callback_npuops_timings]\npath = {tmp_path / path}\n"
        )
        environment = {**os.environ, "ANSIBLE_CONFIG": str(tmp_path / "ansible.cfg"), "ANSIBLE_HOME": str(tmp_path / "home")}
        environment.pop("ANSIBLE_CALLBACKS_ENABLED", None)
        program = pathlib.Path(sys.executable).parent / "ansible-playbook"
        done = subprocess.run(
            [program, "-i", "hosts", name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        return done, tmp_path / path

    return run


def test_seconds_of_roles_plays_and_hosts(run):
    done, path = run("site.yml")
    assert done.returncode == 2, done.stdout + done.stderr
    read = json.loads(path.read_text())
    assert (read["schema"], read["schema_version"], read["playbook"]) == ("npuops.ascend/timings", 1, "site.yml")
    stages = {stage["stage"]: stage for stage in read["stages"]}
    assert list(stages) == ["First play", "Second play", "short"]
    assert set(stages["First play"]["hosts"]) == {"npu01", "npu02"}
    assert min(stages["First play"]["hosts"].values()) >= 0.3
    # A host that has failed takes no part any more.
    assert set(stages["short"]["hosts"]) == {"npu01"}
    assert read["seconds"] >= sum(stage["seconds"] for stage in read["stages"]) - 0.1


def test_other_playbooks_leave_the_file_alone(run):
    _done, path = run("other.yml")
    assert not path.exists()


def test_a_path_that_cannot_be_written_ends_nothing(run):
    done, _path = run("site.yml", "hosts/timings.json")
    assert done.returncode == 2
    assert "The seconds of this run were not written" in done.stdout + done.stderr
