# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name until the host has everything, through power losses of the host, and shows how far it is."""

from __future__ import annotations

import time
import typing as t

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.utils.display import Display

from ansible_collections.npuops.ascend.plugins.plugin_utils._background import BackgroundAction

POLL_INTERVAL = 5


class ActionModule(BackgroundAction):
    _supports_async = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        timeout, interval = self.seconds("timeout", self.default_timeout), self.seconds("poll_interval", POLL_INTERVAL)
        once = self._task.check_mode or timeout is None or interval is None or self._task.args.get("state") == "left"
        # What the base class does first, for this action has no background job.
        result = super(BackgroundAction, self).run(tmp, task_vars)
        if once:
            return {**result, **self._execute_module(task_vars=task_vars)}
        return {**result, **self._wait(timeout, interval, task_vars)}

    def _wait(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        deadline, pause, changed, reached = time.monotonic() + timeout, 1, False, False
        while True:
            try:
                # The module starts the unit again where a host came back without it.
                state = self._execute_module(task_vars=task_vars)
                reached = True
            except AnsibleConnectionFailure as error:
                # A host that was never there is an ordinary unreachable host.
                if not reached or time.monotonic() > deadline:
                    raise
                Display().display(f"{(task_vars or {}).get('inventory_hostname', '')}: not reachable, waited for: {str(error).splitlines()[0][:160]}")
                self._connection.reset()
                time.sleep(interval)
                continue
            changed = changed or bool(state.get("changed"))
            if state.get("failed") or state.get("complete"):
                return {**state, "changed": changed}
            if time.monotonic() > deadline:
                raise AnsibleActionFail(f"The transfer did not end within {timeout} seconds (timeout): {state['phase']}, {state['peers']} peers. Run again.")
            if state["total_bytes"]:
                # What was there before took no time.
                kept = state["kept_bytes"]
                moved = {**state, "done_bytes": state["done_bytes"] - kept, "total_bytes": state["total_bytes"] - kept}
                self.show(f"{state['phase']}, {state['peers']} peers", moved, task_vars)
            time.sleep(min(pause, interval))
            pause *= 2
