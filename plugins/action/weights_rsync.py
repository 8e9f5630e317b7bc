# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes files from an rsync server in the background of the host, or pushes files of the controller; shows how far it is."""

from __future__ import annotations

import threading
import time
import typing as t

from ansible.errors import AnsibleConnectionFailure
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.npuops.ascend.plugins.plugin_utils._background import POLL_INTERVAL, BackgroundAction

PARTIAL = ".rsync-partial"


class ActionModule(BackgroundAction):
    WORK = "The transfer"
    AGAIN = "Run again: it continues where it was."
    _supports_check_mode = False
    _supports_async = False

    def progress_path(self) -> str:
        return str(self._task.args.get("progress", ""))

    def in_background(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        if str(self._task.args.get("src", "")).startswith("rsync://"):
            return super().in_background(timeout, interval, task_vars)
        return self._push(timeout, interval, task_vars)

    def _push(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        before = self._measure(task_vars)
        if before.get("failed"):
            return before
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(before["used_bytes"], interval, ended, task_vars), daemon=True)
        watcher.start()
        try:
            answer = self._synchronize(timeout, task_vars)
        finally:
            ended.set()
            watcher.join()
        if answer.get("failed"):
            return {"failed": True, "msg": f"rsync from the controller failed: {answer.get('msg')} Run again: it continues where it was."}
        return {**self._measure(task_vars), "changed": bool(answer.get("changed"))}

    def _synchronize(self, timeout: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        args = self._task.args
        options = [f"--partial-dir={PARTIAL}", f"--timeout={min(timeout, 600)}"]
        limit = int(args.get("rate_limit", 0))
        options += [f"--bwlimit={max(1, limit // 1024)}"] if limit else []
        options += ["--copy-links"] if boolean(args.get("copy_links", False)) else ["--links"]
        task = self._task.copy()
        task.action = "ansible.posix.synchronize"
        task.args = {
            "src": args["src"], "dest": args["dest"], "archive": False, "recursive": True, "times": True, "partial": True, "compress": False,
            "rsync_opts": options, "use_ssh_args": True,
        }
        action = self._shared_loader_obj.action_loader.get(
            task.action, task=task, connection=self._connection, play_context=self._play_context, loader=self._loader, templar=self._templar,
            shared_loader_obj=self._shared_loader_obj,
        )
        return action.run(task_vars=dict(task_vars or {}))

    def _measure(self, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        return self._execute_module(module_args={**self._task.args, "measure": True}, task_vars=task_vars)

    def _watch(self, before: int, interval: int, ended: threading.Event, task_vars: dict[str, t.Any] | None) -> None:
        began, total = time.monotonic(), int(self._task.args.get("total_bytes", 0)) - before
        while not ended.wait(interval or POLL_INTERVAL):
            try:
                used = self._measure(task_vars).get("used_bytes", before)
            except AnsibleConnectionFailure:
                continue
            self.show("from the controller", {"done_bytes": used - before, "total_bytes": total, "seconds": time.monotonic() - began}, task_vars)
