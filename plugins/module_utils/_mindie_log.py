# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a MindIE daemon says about itself: text of journal and log files → phase, first error. No I/O.

The lines are those of MindIE-LLM (src/server/daemon/llm_daemon.cpp, src/config_manager) and of HCCL's plog.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import typing as t

STARTED = "Daemon start success!"

# In the order in which a start passes them.
_PHASES = (
    ("g_mainPid", "daemon running"),
    ("Load Config from", "reading config.json"),
    ("Successfully init config manager", "configuration accepted"),
    ("Start to parse ranktable file", "reading the rank table"),
    ("Finished parsing ranktable file", "waiting for the other hosts and loading the weights"),
    (STARTED, "started"),
)

# Said after something else has gone wrong: only worth showing when nothing better is found.
_CONSEQUENCES = (
    "Failed to init endpoint",
    "Failed to init infer model instance",
    "Failed to init infer backend manager",
    "Failed to start http wrapper",
    "[start endpoint] [fail]",
    "[start mindie server] [fail]",
    "[Start mindie server] [fail]",
    "Checking Config Failed",
    "Main process exited",
    "Failed with result",
    "Control process exited",
)

_ERROR = re.compile(
    r"""
    \[ERROR\] | \[CRITICAL\] | \[MIE[0-9A-F]{11}\]          # MindIE's log
    | \bE[A-Z]\d{4}\b                                        # CANN's error codes: EI0006, EE9999
    | (?i:\berror\b\s*:) | \bTraceback\b
    | \b(?:is|are)\ (?:invalid|not\ exist)\b | \bis\ empty\b | \bout\ of\ (?:allow\ range|memory|bound)
    | \bmust\ be\ in\b | \bnot\ equal\b | \bmissing\ compulsory\b
    | \bshould\ not\ be\b | \bcannot\ be\ equal\b | \bpermission\ check\ failed | \bCheck\ \w+\ .*?failed
    | \bFailed\ to\b | \bfailed\ to\b | \bnot\ permitted\b | \bcannot\ access\b | \bno\ such\ file\b | \bNo\ such\ file\b
    | \binvalid\ mount\ config\b | \bterminated\ by\ signal\b
    """,
    re.VERBOSE,
)
# 2025-10-12 17:17:33.458+08:00 of MindIE, 2025-10-12-17:17:33.458.123 of plog.
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T-](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})(?:\.(\d{1,3}))?)?([+-]\d\d:?\d\d)?")
_UNIX_STAMP = re.compile(r"^(\d{9,}\.\d+) \S+ [^:\s]+: ?(.*)$")


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of a log; O(time) in seconds since the epoch, None when the line carries none and none stood before."""

    source: str
    text: str
    time: float | None


def _stamp(text: str, offset: datetime.timezone) -> float | None:
    match = _STAMP.search(text[:120])
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    zone = offset
    if match[9]:
        sign = -1 if match[9][0] == "-" else 1
        digits = match[9][1:].replace(":", "")
        zone = datetime.timezone(sign * datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second, int(f"{match[7] or ''}{match[8] or ''}".ljust(6, "0")[:6]), zone)
    except ValueError:
        return None
    return moment.timestamp()


def read_journal(text: str) -> list[Line]:
    """Lines of ``journalctl --output=short-unix``."""
    lines = []
    for raw in text.splitlines():
        match = _UNIX_STAMP.match(raw)
        lines.append(Line("journal", match[2], float(match[1])) if match else Line("journal", raw, lines[-1].time if lines else None))
    return lines


def read_log(source: str, text: str, utc_offset: int = 0) -> list[Line]:
    """Lines of a MindIE log or plog; one without a stamp has the time of the line before it."""
    zone = datetime.timezone(datetime.timedelta(seconds=utc_offset))
    lines: list[Line] = []
    for raw in text.splitlines():
        stamp = _stamp(raw, zone)
        lines.append(Line(source, raw, stamp if stamp is not None else (lines[-1].time if lines else None)))
    return lines


def phase(lines: t.Iterable[Line]) -> str:
    """The furthest point that the start has reached."""
    reached = -1
    for line in lines:
        for index, (marker, _name) in enumerate(_PHASES):
            if index > reached and marker in line.text:
                reached = index
    return _PHASES[reached][1] if reached >= 0 else "container starting"


def started(lines: t.Iterable[Line]) -> bool:
    return any(STARTED in line.text for line in lines)


def first_error(lines: t.Iterable[Line]) -> Line | None:
    """The earliest error; a mere consequence of another error only when there is no other."""
    errors = [line for line in lines if _ERROR.search(line.text) or any(text in line.text for text in _CONSEQUENCES)]
    causes = [line for line in errors if not any(text in line.text for text in _CONSEQUENCES)]
    ordered = sorted(causes or errors, key=lambda line: (line.time is None, line.time or 0.0))
    return ordered[0] if ordered else None
