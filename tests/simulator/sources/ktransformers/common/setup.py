# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated kTransformers: asks for what the real build asks for, then packs the Python files into a wheel."""
from __future__ import annotations

import os
import pathlib
import re
import shutil
import sys
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent
SUBMODULES = ("third_party/llama.cpp", "third_party/pybind11", "third_party/spdlog", "third_party/xxHash", "third_party/prometheus-cpp")
UNITS = ("cpu_backend/cpuinfer.cpp", "operators/llamafile/linear.cpp", "operators/llamafile/moe.cpp", "operators/kvcache/kvcache_attn.cpp", "ext_bindings.cpp")
BUILD_SECONDS = 4.0


def cmake_error(file: str, line: int, text: str) -> None:
    print("-- Configuring incomplete, errors occurred!")
    sys.exit(f"CMake Error at {file}:{line} (message):\n  {text}\n")


def backend() -> str:
    """The real setup.py takes the NPU only when torch_npu sees one while building."""
    if os.environ.get("CUDA_HOME"):
        return "cuda"
    try:
        import torch_npu
        if torch_npu.npu.is_available():
            return "npu"
    except ImportError as error:
        print(f"torch_npu: {error}", file=sys.stderr)
    raise ValueError("Unsupported backend: CUDA_HOME, MUSA_HOME, ROCM_HOME are not set and no NPU is available.")


def configure() -> None:
    for path in SUBMODULES:
        if not (ROOT / path / "CMakeLists.txt").is_file():
            cmake_error("CMakeLists.txt", 204, f"The source directory {ROOT / path} does not contain a CMakeLists.txt file.")
    compiler = re.search(r"-DCMAKE_CXX_COMPILER=(\S+)", os.environ.get("CMAKE_ARGS", ""))
    if compiler and shutil.which(compiler.group(1)) is None:
        for number in range(2000):
            print(f"-- Performing Test CXX_FLAG_{number} - Success")
        cmake_error("CMakeLists.txt", 12, f"The CMAKE_CXX_COMPILER: {compiler.group(1)} is not a full path and was not found in the PATH.")
    if os.environ.get("USE_BALANCE_SERVE") == "1" and not os.environ.get("ASCEND_HOME_PATH"):
        cmake_error("csrc/balance_serve/CMakeLists.txt", 31, "ASCEND_HOME_PATH is not set, libascendcl cannot be found")
    if "USE_NUMA" in os.environ and not pathlib.Path("/usr/share/npusim/libnuma-dev").exists() and shutil.which("dpkg"):
        cmake_error("CMakeLists.txt", 228, "NUMA library not found - maybe sudo apt install libnuma-dev")


def define_lines() -> int:
    """On ARM the two names must not be defined twice."""
    text = (ROOT / "third_party/llamafile/iqk_mul_mat_arm82.cpp").read_text(encoding="utf-8")
    return len(re.findall(r"^#define iqk_mul_mat(?:_moe)? ", text, re.MULTILINE))


def wheel(version: str) -> pathlib.Path:
    """The Python files as a wheel, without setuptools."""
    path = ROOT / "dist" / f"ktransformers-{version}-py3-none-any.whl"
    path.parent.mkdir(exist_ok=True)
    info = f"ktransformers-{version}.dist-info"
    files = {str(file.relative_to(ROOT)): file.read_bytes() for file in sorted((ROOT / "ktransformers").rglob("*")) if file.suffix in (".py", ".yaml", ".txt")}
    # The real package data leaves the rules in sub-folders out.
    files = {name: data for name, data in files.items() if "optimize_rules/npu" not in name}
    files["cpuinfer_ext.py"] = b'"""Stand-in for the compiled extension."""\n'
    if os.environ.get("USE_BALANCE_SERVE") == "1":
        files["sched_ext.py"] = b'"""Stand-in for the compiled extension."""\n'
    files[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: ktransformers\nVersion: {version}\n".encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: simulated\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"]).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def main() -> None:
    kind = backend()
    text = (ROOT / "ktransformers/__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'__version__ = "(.+)"', text)[0]
    print(f"-- Backend {kind}, {os.environ.get('CMAKE_BUILD_PARALLEL_LEVEL', 'all')} jobs, {define_lines()} ARM defines left")
    configure()
    for number, unit in enumerate(UNITS, 1):
        print(f"[{100 * number // (len(UNITS) + 1):3d}%] Building CXX object CMakeFiles/cpuinfer_ext.dir/{unit}.o", flush=True)
        time.sleep(BUILD_SECONDS / len(UNITS))
    print(f"[100%] Built {wheel(version).name}")


if __name__ == "__main__":
    main()
