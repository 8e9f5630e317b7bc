# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what an environment has: versions of Python, torch and torch_npu, and the C++ ABI of torch."""
import importlib.metadata
import json
import sys


def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


found = {"python": "%d.%d" % sys.version_info[:2], "torch": version("torch"), "torch_npu": version("torch_npu"), "cxx11_abi": None}
if found["torch"]:
    import torch

    found["cxx11_abi"] = int(torch.compiled_with_cxx11_abi())
sys.stdout.write(json.dumps(found))
