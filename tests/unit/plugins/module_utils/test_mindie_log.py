# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.npuops.ascend.plugins.module_utils import _explain
from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_log as log

START = """\
1760260650.100000 npu01 docker[812]: g_mainPid = 7
1760260650.200000 npu01 docker[812]: ConfigManager: Load Config from /conf/config.json.
1760260650.300000 npu01 docker[812]: Start to parse ranktable file
"""


def test_the_phase_is_the_furthest_point():
    lines = _explain.read_journal(START)
    assert log.phase(lines) == "reading the rank table"
    assert log.phase(reversed(lines)) == "reading the rank table"
    assert log.phase([]) == "container starting"
    assert not log.started(lines)
    assert log.started(_explain.read_journal(START + "1760260659.0 npu01 docker[812]: Daemon start success!\n"))
