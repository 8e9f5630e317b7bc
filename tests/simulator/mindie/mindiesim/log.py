# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service log and CANN's plog, in their documented line formats."""

from __future__ import annotations

import datetime
import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path


def component_value(text: str, component: str) -> str | None:
    """One component's part of a MINDIE_LOG_* value such as ``true`` or ``llm:false; server:true``."""
    found = None
    for part in text.split(";"):
        name, colon, value = part.strip().rpartition(":")
        if not colon or name.strip() == component:
            found = value.strip()
    return found


def switch(env: Mapping[str, str], name: str, default: bool) -> bool:
    value = component_value(env.get(name, ""), "server")
    return value.lower() in ("1", "true") if value else default


class _Formatter(logging.Formatter):
    def __init__(self, verbose: bool) -> None:
        super().__init__()
        self.verbose = verbose

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created).astimezone()
        zone = moment.strftime("%z")
        stamp = f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}{zone[:3]}:{zone[3:]}"
        text = record.getMessage()
        if not self.verbose:
            return f"[{stamp}] : [{record.levelname}] {text}"
        where = f"{record.filename}:{record.lineno}"
        return f"[{stamp}] [{record.process}] [{threading.get_native_id()}] [server] [{record.levelname}] [{where}] : {text}"


def open_service_log(env: Mapping[str, str]) -> logging.Logger:
    """``~/mindie/log/debug/mindie-server_{pid}_{datetime}.log`` and, where asked for, stdout."""
    log = logging.getLogger("mindiesim")
    level = component_value(env.get("MINDIE_LOG_LEVEL", ""), "server") or "INFO"
    log.setLevel(level.upper() if level.upper() in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL") else "INFO")
    handlers: list[logging.Handler] = []
    if switch(env, "MINDIE_LOG_TO_FILE", True):
        folder = Path(env.get("MINDIE_LOG_PATH") or Path.home() / "mindie/log/debug")
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        name = f"mindie-server_{os.getpid()}_{datetime.datetime.now():%Y%m%d%H%M%S%f}"[:-3] + ".log"
        handlers.append(logging.FileHandler(folder / name, encoding="utf-8"))
        os.chmod(folder / name, 0o640)
    if switch(env, "MINDIE_LOG_TO_STDOUT", False):
        handlers.append(logging.StreamHandler(sys.stdout))
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(_Formatter(switch(env, "MINDIE_LOG_VERBOSE", True)))
        log.addHandler(handler)
    return log


class Plog:
    """CANN's own log, ``plog-<pid>_*.log``; the file appears with the first error."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.folder = Path(env.get("ASCEND_PROCESS_LOG_PATH") or Path.home() / "ascend/log") / "debug/plog"
        self.opened = f"{datetime.datetime.now():%Y%m%d%H%M%S%f}"[:-3]

    def error(self, where: str, *lines: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        now = datetime.datetime.now()
        stamp = f"{now:%Y-%m-%d-%H:%M:%S}.{now.microsecond // 1000:03d}.{now.microsecond % 1000:03d}"
        with open(self.folder / f"plog-{os.getpid()}_{self.opened}.log", "a", encoding="utf-8") as out:
            for line in lines:
                out.write(f"[ERROR] HCCL({os.getpid()},mindie_llm_back):{stamp} [{where}] [{threading.get_native_id()}]{line}\n")
