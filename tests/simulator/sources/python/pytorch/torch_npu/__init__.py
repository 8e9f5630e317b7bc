# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in of the npuops host simulator for torch_npu: needs what the real one needs, and fails in its words."""
import os
import sys

import torch
import yaml

from .version import __version__

GLIBCXX = "GLIBCXX_3.4.32"


def _find(library):
    for folder in filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        if os.path.exists(os.path.join(folder, library)):
            return
    raise ImportError(f"{library}: cannot open shared object file: No such file or directory")


def _check_symbols():
    runtime = os.path.join(sys.prefix, "lib", "libstdc++.so.6")
    if os.path.exists(runtime):
        with open(runtime, "rb") as library:
            if GLIBCXX.encode() + b"\0" not in library.read():
                raise ImportError(f"{runtime}: version `{GLIBCXX}' not found (required by {os.path.dirname(__file__)}/lib/libtorch_npu.so)")


_find("libhccl.so")
_find("libascend_hal.so")
_check_symbols()


class npu:
    """torch.npu."""

    @staticmethod
    def device_count():
        if not os.path.exists("/dev/davinci_manager"):
            return 0
        return sum(os.path.exists(f"/dev/davinci{number}") for number in range(16))

    @staticmethod
    def is_available():
        return npu.device_count() > 0

    @staticmethod
    def _subscribe_report(_stream=None):
        return 0


torch.npu = npu
