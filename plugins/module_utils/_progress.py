# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far long work is: a file that others may read, and a line for people."""

from __future__ import annotations

import json
import math
import os
import threading
import time
import typing as t

SECONDS_BETWEEN = 1.0


def time_text(seconds: float) -> str:
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def progress_text(done: int, total: int, rate: float | None) -> str:
    """One line for people: what is done, how fast, and how long it will take."""
    text = f"{done / 1e9:.1f} of {total / 1e9:.1f} GB ({100 * done // total if total else 100} %)"
    if rate:
        text += f", {rate / 1e9:.2f} GB/s, about {time_text((total - done) / rate)} left"
    return text


class ProgressFile:
    """Written at most once a second, by any number of threads; without a path nothing is written."""

    def __init__(self, path: str | None, total_bytes: int, label: str = "") -> None:
        self.path = path
        self.state: dict[str, t.Any] = {"label": label, "total_bytes": total_bytes, "done_bytes": 0, "seconds": 0.0}
        self.began = time.monotonic()
        self.written = 0.0
        self._lock = threading.Lock()

    def advance(self, count: int) -> None:
        with self._lock:
            self.state["done_bytes"] += count
            self._write()

    def reach(self, done_bytes: int) -> None:
        with self._lock:
            self.state["done_bytes"] = done_bytes
            self._write()

    def _write(self) -> None:
        now = time.monotonic()
        if self.path is None or now - self.written < SECONDS_BETWEEN:
            return
        self.written = now
        self.state["seconds"] = round(now - self.began, 3)
        temporary = f"{self.path}.new"
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.state, file)
        os.replace(temporary, self.path)

    def remove(self) -> None:
        if self.path is not None and os.path.exists(self.path):
            os.unlink(self.path)
