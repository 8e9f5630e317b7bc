# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a mirror of what kTransformers is cloned from: git bundles below OUT/github by the paths of the real repositories.

Usage: python build.py OUT

cen121212/ktransformers.git      branch support-npu (as published), branch support-npu-overlay (with for_arm/ and npu_graph_so/)
kvcache-ai/ktransformers.git     tag v0.4.1; ktransformers-v0.4.1.tar.gz is the same as an archive
submodules                       one commit each; submodules.tar.gz has them as an offline bundle
weights                          DeepSeek-R1-W8A8 and DeepSeek-R1-Q4_K_M, small

The same input gives the same commits, so that a second build changes nothing on a host.
"""
from __future__ import annotations

import gzip
import io
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import weights

HERE = pathlib.Path(__file__).resolve().parent
ENVIRONMENT = {
    **os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C", "TZ": "UTC",
    **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
       for what, value in (("NAME", "Simulator"), ("EMAIL", "simulator@example.com"), ("DATE", "2025-07-23T00:00:00Z"))},
}
ARM_FILES = ("csrc/ktransformers_ext/CMakeLists.txt", "third_party/llamafile/iqk_mul_mat.inc", "third_party/llamafile/sgemm.cpp",
             "third_party/llamafile/tinyblas_cpu_sgemm.inc", "setup.py")


def git(folder: pathlib.Path, *arguments: str) -> str:
    reply = subprocess.run(["git", "-C", str(folder), *arguments], env=ENVIRONMENT, check=False, capture_output=True, text=True)
    if reply.returncode != 0:
        raise SystemExit(f"git {' '.join(arguments)} failed: {reply.stderr.strip()}")
    return reply.stdout.strip()


def submodules() -> dict[str, str]:
    """Path and repository of each submodule, from .gitmodules."""
    fields = [line.split(" = ")[1] for line in (HERE / "common/gitmodules").read_text(encoding="utf-8").splitlines() if " = " in line]
    return {path: url.removeprefix("https://github.com/") for path, url in zip(fields[::2], fields[1::2])}


def write(path: pathlib.Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def bundle(work: pathlib.Path, out: pathlib.Path, repository: str, *refs: str) -> None:
    """A repository as one file: a clone from it asks for no owner and no server."""
    target = out / "github" / repository
    target.parent.mkdir(parents=True, exist_ok=True)
    git(work, "bundle", "create", "--quiet", str(target), "HEAD", *refs)


def submodule(work: pathlib.Path, out: pathlib.Path, path: str, repository: str) -> str:
    """One commit that stands for a submodule; its id."""
    folder = work / "modules" / path
    write(folder / "CMakeLists.txt", f"# Simulated: stands for {path}.\nproject({path.rpartition('/')[2]})\n")
    write(folder / "setup.py", 'raise SystemExit("RuntimeError: CUDA is not available")\n')
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Simulated")
    bundle(folder, out, repository, "main")
    return git(folder, "rev-parse", "HEAD")


def tree(folder: pathlib.Path, profile: str, values: dict[str, str]) -> None:
    """The files of a profile: the common ones, then its own."""
    for source in (HERE / "common", HERE / profile):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "gitmodules").rename(folder / ".gitmodules")
    for name in ("install.sh", "ktransformers/__init__.py", "ktransformers/server/main.py"):
        text = (folder / name).read_text(encoding="utf-8")
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        (folder / name).write_text(text, encoding="utf-8")


def overlay(folder: pathlib.Path) -> None:
    """What the guide speaks of and the published branch has not: the files for ARM, the libraries for graph capture."""
    for name in ARM_FILES:
        first, _newline, rest = (folder / name).read_text(encoding="utf-8").partition("\n")
        text = f"{first}\n# The variant for ARM.\n{rest}" if name.endswith(".py") else f"{first} The variant for ARM.\n{rest}"
        write(folder / "for_arm" / name.rpartition("/")[2], text)
    for arch in ("arm", "x86"):
        for library in ("libruntime.so", "libgraph_capture.so"):
            write(folder / "ktransformers/util/npu_graph_so" / arch / library, f"simulated {library} with graph capture, {arch}\n")


def commit(folder: pathlib.Path, modules: dict[str, str], message: str) -> None:
    git(folder, "add", "--all")
    for path, revision in modules.items():
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{revision},{path}")
    git(folder, "commit", "--quiet", "--message", message)


def archive(target: pathlib.Path, folder: pathlib.Path, top: str) -> None:
    """The same bytes for the same files."""
    with target.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts):
            entry = tarfile.TarInfo(f"{top}/{path.relative_to(folder)}".removeprefix("/"))
            data = path.read_bytes()
            entry.size, entry.mode = len(data), 0o755 if path.suffix == ".sh" else 0o644
            tar.addfile(entry, io.BytesIO(data))


def main(out: pathlib.Path) -> None:
    shutil.rmtree(out / "github", ignore_errors=True)
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        modules = {path: submodule(work, out, path, repository) for path, repository in submodules().items()}
        archive(out / "submodules.tar.gz", work / "modules", "")

        guide = work / "guide"
        tree(guide, "guide", {"VERSION": "0.3.2", "BALANCE_SERVE": "1", "BACKEND": "ktransformers"})
        git(guide, "init", "--quiet", "--initial-branch", "support-npu")
        commit(guide, modules, "Simulated kTransformers 0.3.2, branch support-npu as published")
        archive(out / "ktransformers-support-npu.tar.gz", guide, "ktransformers-support-npu")
        git(guide, "switch", "--quiet", "--create", "support-npu-overlay")
        overlay(guide)
        commit(guide, modules, "Simulated kTransformers 0.3.2 with for_arm and npu_graph_so")
        bundle(guide, out, "cen121212/ktransformers.git", "support-npu", "support-npu-overlay")

        release = work / "release"
        tree(release, "v0.4.1", {"VERSION": "0.4.1", "BALANCE_SERVE": "0", "BACKEND": "balance_serve"})
        git(release, "init", "--quiet", "--initial-branch", "main")
        archive(out / "ktransformers-v0.4.1.tar.gz", release, "ktransformers-0.4.1")
        commit(release, modules, "Simulated kTransformers 0.4.1")
        git(release, "tag", "v0.4.1")
        bundle(release, out, "kvcache-ai/ktransformers.git", "main", "v0.4.1")
    shutil.rmtree(out / "weights", ignore_errors=True)
    weights.build(out / "weights")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
