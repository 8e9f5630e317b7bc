# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in of the npuops host simulator for torchrun: the environment of rank 0, then the module."""
import argparse
import os
import runpy
import sys


def main():
    parser = argparse.ArgumentParser(prog="torchrun")
    for name in ("nproc_per_node", "nnodes"):
        parser.add_argument(f"--{name}", f"--{name.replace('_', '-')}", type=int, default=1)
    parser.add_argument("--master_addr", "--master-addr", default="127.0.0.1")
    parser.add_argument("--master_port", "--master-port", default="29500")
    parser.add_argument("-m", "--module", action="store_true")
    parser.add_argument("target")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    os.environ.update(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", LOCAL_WORLD_SIZE="1", MASTER_ADDR=given.master_addr, MASTER_PORT=given.master_port)
    sys.argv = [given.target, *given.arguments]
    if given.module:
        sys.path.insert(0, os.getcwd())
        runpy.run_module(given.target, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(given.target, run_name="__main__")


if __name__ == "__main__":
    main()
