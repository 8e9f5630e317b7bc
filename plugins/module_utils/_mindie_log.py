# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a MindIE daemon has come: lines of journal and log files → phase. No I/O.

The lines are those of MindIE-LLM (src/server/daemon/llm_daemon.cpp, src/config_manager).
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ansible_collections.npuops.ascend.plugins.module_utils._explain import Line

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

# What a line has to hold to tell of a phase.
MARKERS = tuple(marker.encode() for marker, _name in _PHASES)


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
