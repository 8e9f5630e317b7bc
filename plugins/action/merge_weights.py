# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name in the background of the host, and shows on the controller how far it is."""

from __future__ import annotations

import posixpath
import typing as t

from ansible_collections.npuops.ascend.plugins.plugin_utils._background import BackgroundAction

PROGRESS = ".merge_weights.progress.json"


class ActionModule(BackgroundAction):
    WORK = "The merge"
    AGAIN = "Run again: it continues after the last finished shard."

    def progress_path(self) -> str:
        return posixpath.join(str(self._task.args.get("output_path", "")), PROGRESS)

    def progress_label(self, state: dict[str, t.Any]) -> str:
        return state["shard"]
