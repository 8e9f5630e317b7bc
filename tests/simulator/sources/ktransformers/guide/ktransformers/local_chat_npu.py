# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide's version has the NPU's chat under a name of its own."""
from __future__ import annotations

from ktransformers.local_chat import main

if __name__ == "__main__":
    main()
