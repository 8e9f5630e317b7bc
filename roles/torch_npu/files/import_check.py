# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import torch, then torch_npu, and print what came of it as one line of JSON."""
import json
import sys

found = {"version": None, "available": False, "devices": 0, "error": None}
try:
    import torch
    import torch_npu

    found["version"] = torch_npu.__version__
    found["available"] = bool(torch.npu.is_available())
    found["devices"] = torch.npu.device_count()
except Exception as error:  # whatever it is, it is the answer
    found["error"] = f"{type(error).__name__}: {error}"
sys.stdout.write("\n" + json.dumps(found))
