# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""podman on this machine: which options it needs here is found by looking, and every call goes through one class."""
from __future__ import annotations

import collections.abc
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import time
import typing

from .settings import SimulatorError

CAP_SYS_RESOURCE = 24
PODMAN_LIMIT = 1048576  # podman asks for this many files and processes when it is not told otherwise
# podman 4.3 on hybrid cgroups says this at each exec and goes on.
NOISE = re.compile(r'^.*level=warning msg="Failed to add conmon to cgroupfs sandbox cgroup.*\n?', re.MULTILINE)


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(name: str) -> collections.abc.Iterator[None]:
    """Print how long a step took; a person who watches sees what is being waited for."""
    start = time.monotonic()
    if sys.stdout.isatty():
        print(f"       … s  {name}", end="\r", flush=True)
    yield
    say(f"  {time.monotonic() - start:6.1f} s  {name}")


def as_root(argv: collections.abc.Sequence[str]) -> list[str]:
    """The same command with root's rights: real hosts in containers, with Docker inside, need them."""
    return list(argv) if os.geteuid() == 0 else ["sudo", *argv]


@dataclasses.dataclass(frozen=True)
class Machine:
    """What decides how containers start here."""

    podman_version: tuple[int, ...]
    runtime: str
    runc: bool
    hybrid_cgroups: bool
    may_raise_limits: bool
    limits: dict[str, int]  # hard limits by podman's names

    @classmethod
    def look(cls, info: dict[str, typing.Any]) -> Machine:
        capabilities = re.search(r"^CapEff:\s*([0-9a-f]+)", pathlib.Path("/proc/self/status").read_text(encoding="ascii"), re.MULTILINE)
        effective = int(capabilities.group(1), 16) if capabilities and os.geteuid() == 0 else ~0  # sudo gives root's
        # podman lowers its own limit of processes to the kernel's number of process ids, and cannot raise it again.
        pids = int(pathlib.Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
        hard = {"nofile": hard_limit(resource.RLIMIT_NOFILE), "nproc": min(hard_limit(resource.RLIMIT_NPROC), pids)}
        return cls(
            podman_version=tuple(int(number) for number in re.findall(r"\d+", info["version"]["Version"])[:2]),
            runtime=info["host"]["ociRuntime"]["name"],
            runc=which("runc") is not None,
            hybrid_cgroups=pathlib.Path("/sys/fs/cgroup/unified").is_dir(),
            may_raise_limits=bool(effective >> CAP_SYS_RESOURCE & 1),
            limits=hard,
        )

    def global_options(self) -> list[str]:
        if self.podman_version < (4, 0):
            version = ".".join(map(str, self.podman_version))
            raise SimulatorError(f"podman {version} is too old: it cannot name network interfaces. Debian 12, Ubuntu 24.04 and later have podman 4 or 5.")
        if self.runtime != "crun" or not self.hybrid_cgroups:
            return []
        if not self.runc:
            raise SimulatorError("This machine has hybrid cgroups, which crun refuses, and runc is not installed. Run: simulator.py deps")
        return ["--runtime", "runc"]

    def run_options(self) -> list[str]:
        """Ask for no more files and processes than this machine can give."""
        if self.may_raise_limits:
            return []
        return [option for name, limit in sorted(self.limits.items()) if limit < PODMAN_LIMIT for option in ("--ulimit", f"{name}={limit}:{limit}")]


def hard_limit(kind: int) -> int:
    value = resource.getrlimit(kind)[1]
    return PODMAN_LIMIT if value == resource.RLIM_INFINITY else value


def which(tool: str) -> str | None:
    """The tool's path; root's folders are not on everybody's PATH."""
    return shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin")


class Engine:
    """podman with the options that this machine needs."""

    def __init__(self) -> None:
        if which("podman") is None:
            raise SimulatorError("podman is not installed. Run: simulator.py deps")
        self._options: list[str] = []
        self.machine = Machine.look(json.loads(self.output("info", "--format", "json")))
        self._options = self.machine.global_options()

    def _argv(self, arguments: collections.abc.Sequence[str]) -> list[str]:
        # A preserved variable would have to pass sudo: env sets it behind it.
        return as_root(["env", "PODMAN_IGNORE_CGROUPSV1_WARNING=1", "podman", *self._options, *arguments])

    def try_run(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run and return, whatever the exit code."""
        reply = subprocess.run(
            self._argv(arguments), check=False, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", timeout=timeout
        )
        reply.stderr = NOISE.sub("", reply.stderr)
        return reply

    def output(self, *arguments: str) -> str:
        """Run, and fail with podman's own words."""
        reply = self.try_run(*arguments)
        if reply.returncode != 0:
            text = (reply.stderr.strip() or reply.stdout.strip())[-4000:]
            raise SimulatorError(f"podman {' '.join(arguments[:3])} … failed (exit {reply.returncode}):\n{text}")
        return reply.stdout

    def run_options(self) -> list[str]:
        return self.machine.run_options()

    def label(self, kind: str, name: str, label: str) -> str | None:
        """A label of an image, container or volume; None when there is no such object."""
        labels = ".Labels" if kind != "container" else ".Config.Labels"
        reply = self.try_run(kind, "inspect", "--format", f'{{{{index {labels} "{label}"}}}}', name)
        return reply.stdout.strip() if reply.returncode == 0 else None

    def remove_if_present(self, kind: str, *arguments: str) -> None:
        reply = self.try_run(kind, *arguments)
        if reply.returncode != 0 and not re.search(r"no such|not found|does not exist|unable to find", reply.stderr, re.IGNORECASE):
            raise SimulatorError(f"podman {kind} {' '.join(arguments)} failed:\n{reply.stderr.strip()}")
