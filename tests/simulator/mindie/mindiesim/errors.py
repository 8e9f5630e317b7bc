# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ways a start ends early."""

from __future__ import annotations


class StartFailure(Exception):
    """The daemon refuses to start; ``lines`` are the texts that the real one gives.

    Findings in config.json and the rank table are printed; those of the backend are only logged, which is why
    operators meet "exit 137 and nothing on screen".
    """

    def __init__(self, *lines: str, printed: bool = False) -> None:
        super().__init__(*lines)
        self.lines = lines
        self.printed = printed


class Stopped(Exception):
    """A signal arrived while the daemon was still starting."""
