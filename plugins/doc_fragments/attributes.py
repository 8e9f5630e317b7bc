# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status prediction without modifying the target.
  diff_mode:
    description: Returns details on what has changed, or would change in C(check_mode), when run with C(--diff).
  idempotent:
    description: A second run with the same options on an unchanged host reports no change.
"""

    # Reads and changes nothing: used with the first one.
    INFO_MODULE = r"""
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: This module changes nothing.
  idempotent:
    support: full
"""

    # Runs long, in the background of the host, and is watched from the controller.
    PROGRESS = r"""
attributes:
  action:
    description: Has an action plugin that runs on the controller.
    support: full
    details: Runs partly on the controller, where it waits and shows progress.
  async:
    description: Supports the keyword C(async).
"""
