# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in of the npuops host simulator: packs torch_npu after something that looks and lasts like compiling it."""
import os
import subprocess
import sys
import time

from setuptools import setup
from setuptools.dist import Distribution

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 40


class Binary(Distribution):
    def has_ext_modules(self):
        return True


def version():
    with open(os.path.join(HERE, "version.txt"), encoding="utf-8") as file:
        number = file.read().strip()
    if os.environ.get("BUILD_WITHOUT_SHA"):
        return number
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=HERE, check=False, stdout=subprocess.PIPE, text=True).stdout.strip()
    return f"{number}+git{revision[:7]}"


def compile_sources(broken):
    for step in range(1, STEPS + 1):
        print(f"[{100 * step // STEPS:3d}%] Building CXX object CMakeFiles/torch_npu.dir/csrc/aten/part_{step}.cpp.o", flush=True)
        time.sleep(0.05)
        if broken and step == STEPS // 2:
            print("/build/third_party/op-plugin/op_plugin/ops/AddKernel.cpp:42:18: error: 'aclnnAdd' was not declared in this scope", flush=True)
            print("   42 |     EXEC_NPU_CMD(aclnnAdd, self, other, alpha, result);", flush=True)
            print("make[2]: *** [CMakeFiles/torch_npu.dir/build.make:76: CMakeFiles/torch_npu.dir/csrc/aten/part_20.cpp.o] Error 1", flush=True)
            for target in range(60):
                print(f"[ 50%] Built target op_plugin_{target}", flush=True)
            sys.exit("subprocess.CalledProcessError: Command '['make', '-j', '2']' returned non-zero exit status 2.")


number = version()
if not os.environ.get("ASCEND_HOME_PATH"):
    sys.exit("CMake Error at CMakeLists.txt:52 (message): ASCEND_HOME_PATH is not set: source set_env.sh of the toolkit first")
compile_sources(broken=number.startswith("broken"))
with open(os.path.join(HERE, "torch_npu", "version.py"), "w", encoding="utf-8") as file:
    file.write(f'__version__ = "{number}"\n')
setup(name="torch_npu", version=number, packages=["torch_npu"], distclass=Binary)
