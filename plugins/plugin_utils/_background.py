# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module in the background of the host, and shows on the controller how far it is."""

from __future__ import annotations

import base64
import json
import time
import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.npuops.ascend.plugins.module_utils._progress import progress_text

# As in the documentation of the modules, which are also what checks the values.
TIMEOUT, POLL_INTERVAL = 14400, 10
# What only belongs to the background job.
JOB_KEYS = ("ansible_job_id", "started", "finished", "results_file", "stderr", "stderr_lines", "stdout", "stdout_lines")


class BackgroundAction(ActionBase):
    """The base of actions that follow their module; the module says in a file how far it is."""

    _supports_check_mode = True
    _supports_async = True

    # For messages: what does not end, and what to do then.
    WORK = "The work"
    AGAIN = "Run again: it continues."
    default_timeout = TIMEOUT

    def progress_path(self) -> str:
        """The file on the host, from the arguments of the task."""
        raise NotImplementedError

    def progress_label(self, state: dict[str, t.Any]) -> str:
        return state["label"]

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        timeout, interval = self.seconds("timeout", self.default_timeout), self.seconds("poll_interval", POLL_INTERVAL)
        if self._task.async_val:
            return {**result, **self._execute_module(task_vars=task_vars, wrap_async=True)}
        if self._task.check_mode or timeout is None or interval is None:
            return {**result, **self._execute_module(task_vars=task_vars)}
        return {**result, **self.in_background(timeout, interval, task_vars)}

    def in_background(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        # A dropped connection must not end work of many minutes. The limit is read from the task when the job is made.
        self._task.async_val = timeout
        try:
            job = self._execute_module(task_vars=task_vars, wrap_async=True)
        finally:
            self._task.async_val = 0
        if "ansible_job_id" not in job:
            return job
        return self._follow(job["ansible_job_id"], timeout, interval, task_vars)

    def seconds(self, option: str, default: int) -> int | None:
        """Return the value of an option; None, so that the module refuses it, when it is no number of seconds."""
        try:
            value = int(self._task.args.get(option, default))
        except (TypeError, ValueError):
            return None
        return value if value > 0 else None

    def _follow(self, job: str, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        deadline = time.monotonic() + timeout + interval
        # A run that has nothing to do ends at once.
        pause = 1
        while True:
            time.sleep(min(pause, interval))
            status = self._status(job, "status", task_vars)
            if status.get("finished"):
                break
            if time.monotonic() > deadline:
                raise AnsibleActionFail(f"{self.WORK} did not end within {timeout} seconds (timeout). {self.AGAIN}")
            self._show(task_vars)
            pause *= 2
        self._status(job, "cleanup", task_vars)
        return {key: value for key, value in status.items() if key not in JOB_KEYS}

    def _status(self, job: str, mode: str, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        task = self._task.copy()
        task.action, task.args = "ansible.builtin.async_status", {"jid": job, "mode": mode}
        action = self._shared_loader_obj.action_loader.get(
            task.action, task=task, connection=self._connection, play_context=self._play_context, loader=self._loader, templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return action.run(task_vars=task_vars)

    def _show(self, task_vars: dict[str, t.Any] | None) -> None:
        answer = self._execute_module("ansible.builtin.slurp", {"src": self.progress_path()}, task_vars=task_vars)
        # Nothing is there before the first second.
        if answer.get("failed") or "content" not in answer:
            return
        state = json.loads(base64.b64decode(answer["content"]))
        self.show(self.progress_label(state), state, task_vars)

    @staticmethod
    def show(label: str, state: dict[str, t.Any], task_vars: dict[str, t.Any] | None) -> None:
        rate = state["done_bytes"] / state["seconds"] if state["seconds"] else None
        host = (task_vars or {}).get("inventory_hostname", "")
        Display().display(f"{host}: {label}: {progress_text(state['done_bytes'], state['total_bytes'], rate)}")
