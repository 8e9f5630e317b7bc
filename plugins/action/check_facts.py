# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name and turns the time of the host into its distance to the clock of the controller."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        before = time.time()
        result.update(self._execute_module(task_vars=task_vars))
        after = time.time()
        facts = result.get("facts")
        clock = facts.get("clock") if isinstance(facts, dict) else None
        if isinstance(clock, dict) and "epoch" in clock:
            facts["clock"] = window(before, after, clock)
        return result


def window(before: float, after: float, clock: t.Mapping[str, float]) -> dict[str, float]:
    """By how much the host's clock is ahead at least and at most.

    The host read its clock at some moment between the start of the task and its end, less the time that the module went on working.
    However late a busy controller comes to a host, that moment lies inside, so hosts that are asked one after the other do not seem to differ.
    """
    return {
        "earliest_s": round(clock["epoch"] + clock["after_s"] - after, 3),
        "latest_s": round(clock["epoch"] - before, 3),
    }
