# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name in the background of the host, and shows on the controller how far it is."""

from __future__ import annotations

import typing as t

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.npuops.ascend.plugins.plugin_utils._background import BackgroundAction


class ActionModule(BackgroundAction):
    WORK = "The download"
    AGAIN = "Run again: it continues where it was."
    default_timeout = 86400

    def progress_path(self) -> str:
        return str(self._task.args.get("progress", ""))

    def in_background(self, timeout: int, interval: int, task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        if boolean(self._task.args.get("plan", False), strict=False):
            return self._execute_module(task_vars=task_vars)
        return super().in_background(timeout, interval, task_vars)
