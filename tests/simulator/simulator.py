# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated Ascend hosts on this machine: run with --help."""
from __future__ import annotations

import sys

from lifecycle import cli

if __name__ == "__main__":
    sys.exit(cli.main())
