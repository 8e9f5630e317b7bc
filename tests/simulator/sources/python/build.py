# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the stand-ins for what the roles python_env and torch_npu download:  build.py OUT

    OUT/Miniforge3-25.3.1-0-Linux-ARCH.sh   the conda installer, with a real Python 3.11 and a real pip; its checksum beside it
    OUT/conda/                              a conda channel: python, pip, libstdcxx-ng in two versions
    OUT/wheels/                             a wheel directory: every package of the locks, as small stand-ins, and two versions of torch_npu
    OUT/simple/                             the same as an index of packages
    OUT/git/{op-plugin,pytorch}.git         repositories with the layout and the build scripts of the vendor's, one branch each and a broken one
    OUT/op-plugin-7.0.0.tar.gz              the same as an archive

Any web server that serves OUT is a download site, a conda channel, a package index and a git server.
"""
from __future__ import annotations

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

import channel
import wheelhouse

HERE = pathlib.Path(__file__).resolve().parent
LOCKS = HERE.parents[3] / "roles/python_env/files"
AUTHOR = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "npuops contributors"), ("EMAIL", "npuops@example.com"), ("DATE", "2025-07-21T00:00:00Z"))
}
# Each branch of Ascend/pytorch: the version of its package; the broken one stops as a compiler does.
PYTORCH_BRANCHES = {"v2.3.1-7.0.0": "2.3.1.post6", "v2.5.1": "2.5.1.post4", "v2.4.0-7.0.0": "broken"}
OP_PLUGIN_BRANCHES = ("7.0.0",)


def git(*argv: str | pathlib.Path, cwd: pathlib.Path | None = None) -> None:
    """Git with nobody's configuration, so that commits are the same everywhere."""
    subprocess.run(["git", *map(str, argv)], check=True, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   env={**os.environ, **AUTHOR, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"})


def repository(name: str, branches: dict[str, dict[str, str]], out: pathlib.Path, work: pathlib.Path) -> pathlib.Path:
    """A bare repository of a folder; a branch has further files of its own."""
    tree, bare = work / name, out / "git" / f"{name}.git"
    tree.mkdir()
    git("init", "-q", "-b", "master", cwd=tree)
    shutil.copytree(HERE / name, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    git("add", ".", cwd=tree)
    git("commit", "-q", "-m", "Layout of the vendor's repository", cwd=tree)
    for branch, files in branches.items():
        git("checkout", "-q", "-b", branch, "master", cwd=tree)
        for file, text in files.items():
            (tree / file).write_text(text, encoding="utf-8")
        git("add", ".", cwd=tree)
        git("commit", "-q", "--allow-empty", "-m", f"Branch {branch}", cwd=tree)
    git("checkout", "-q", "master", cwd=tree)
    bare.parent.mkdir(exist_ok=True)
    shutil.rmtree(bare, ignore_errors=True)
    git("clone", "-q", "--bare", "--no-hardlinks", tree, bare)
    git("update-server-info", cwd=bare)  # what a plain web server needs to give it away
    return bare


def main(out: pathlib.Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = pathlib.Path(temporary)
        channel.build(out, work, platform.machine())
        wheelhouse.build(out / "wheels", work, LOCKS.glob("*.txt"), platform.machine())
        repository("pytorch", {branch: {"version.txt": f"{version}\n"} for branch, version in PYTORCH_BRANCHES.items()}, out, work)
        plugin = repository("op-plugin", {branch: {"version.txt": f"{branch}\n"} for branch in OP_PLUGIN_BRANCHES}, out, work)
        git("archive", "--format=tar.gz", "--prefix=op-plugin-7.0.0/", "-o", out / "op-plugin-7.0.0.tar.gz", "7.0.0", cwd=plugin)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
