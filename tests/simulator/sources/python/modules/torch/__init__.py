# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in of the npuops host simulator for torch: its version and what is asked of it before a model is loaded."""
from .version import __version__


class cuda:
    @staticmethod
    def is_available():
        return False


def compiled_with_cxx11_abi():
    return False
