# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name; in the background of the host, with progress on the controller, when data has to be read."""

from __future__ import annotations

import typing as t

from ansible_collections.npuops.ascend.plugins.plugin_utils._background import BackgroundAction


class ActionModule(BackgroundAction):
    WORK = "Reading the weights"
    AGAIN = "Run again: files that were read are not read again."

    def progress_path(self) -> str:
        return f"{self._task.args.get('manifest', '')}.progress"

    def in_background(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        args = self._task.args
        # Most runs have nothing to read, and a background job costs more than such a look.
        first = self._execute_module(module_args={**args, "read": False}, task_vars=task_vars)
        if first.get("failed") or not first.get("unread_bytes"):
            return first
        result = super().in_background(timeout, interval, task_vars)
        return {**result, "changed": bool(first.get("changed") or result.get("changed"))}
