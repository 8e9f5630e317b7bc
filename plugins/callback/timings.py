# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: timings
type: aggregate
short_description: Write down how many seconds each stage took
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Writes a JSON file on the controller at the end of a run, with the seconds of each stage and, within it, of each host.
  - A stage is a role; tasks outside of a role count for their play.
  - The file has V(schema) V(npuops.ascend/timings), V(schema_version) V(1), V(playbook), V(started) (UTC), V(seconds), and the list V(stages)
    of V(stage), V(seconds), and V(hosts) (seconds by host). The seconds of a stage are those that passed; hosts that work at the same time each count
    their own.
  - The playbook C(npuops.ascend.report) shows the file.
requirements:
  - enabled by name (C(callbacks_enabled = npuops.ascend.timings) in C(ansible.cfg))
options:
  path:
    description: The file. That of an earlier run is replaced.
    type: path
    default: ~/.ansible/npuops-timings.json
    ini:
      - section: callback_npuops_timings
        key: path
  playbooks:
    description: File names of the playbooks whose runs are written down.
    type: list
    elements: str
    default: [site.yml]
    ini:
      - section: callback_npuops_timings
        key: playbooks
"""

import datetime
import json
import os
import time
import typing as t

from ansible import constants as C
from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "npuops.ascend.timings"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(*args, **kwargs)
        self._playbook = self._play = self._stage = ""
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._began = self._stage_began = time.monotonic()
        self._seconds: dict[str, float] = {}
        self._hosts: dict[str, dict[str, float]] = {}
        self._running: dict[tuple[str, str], tuple[str, float]] = {}

    def _leave_stage(self) -> None:
        now = time.monotonic()
        if self._stage:
            self._seconds[self._stage] = self._seconds.get(self._stage, 0.0) + now - self._stage_began
        self._stage, self._stage_began = "", now

    def v2_playbook_on_start(self, playbook: t.Any) -> None:
        self._playbook = os.path.basename(playbook._file_name)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        self._leave_stage()
        self._play = play.get_name()

    def v2_playbook_on_task_start(self, task: t.Any, is_conditional: bool) -> None:
        self._leave_stage()
        # What only brings a role in belongs to no stage.
        self._stage = task._role.get_name() if task._role else "" if task.action in C._ACTION_INCLUDE_ROLE else self._play

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:
        self._running[host.get_name(), task._uuid] = (self._stage, time.monotonic())

    def _ended(self, result: t.Any) -> None:
        host = result.host.get_name()
        stage, began = self._running.pop((host, result.task._uuid), ("", 0.0))
        if stage:
            hosts = self._hosts.setdefault(stage, {})
            hosts[host] = hosts.get(host, 0.0) + time.monotonic() - began

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._ended(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._ended(result)

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._ended(result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._ended(result)

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        self._leave_stage()
        if self._playbook not in self.get_option("playbooks"):
            return
        # In the order of the run: a dict keeps it.
        stages = [
            {"stage": stage, "seconds": round(seconds, 2), "hosts": {host: round(spent, 2) for host, spent in sorted(self._hosts.get(stage, {}).items())}}
            for stage, seconds in self._seconds.items()
        ]
        document = {
            "schema": "npuops.ascend/timings",
            "schema_version": 1,
            "playbook": self._playbook,
            "started": self._started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "seconds": round(time.monotonic() - self._began, 2),
            "stages": stages,
        }
        path = self.get_option("path")
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as stream:
                json.dump(document, stream, ensure_ascii=False, indent=2)
        except OSError as error:
            self._display.warning(f"The seconds of this run were not written to {path}: {error.strerror}. Correct npuops.ascend.timings' path.")
