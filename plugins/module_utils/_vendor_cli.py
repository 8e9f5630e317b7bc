# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one vendor tool: found once, English, bounded in time, never waiting for input. Callers judge exit codes and texts."""

from __future__ import annotations

import os
import signal
import threading
import time
import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

    from ansible.module_utils.basic import AnsibleModule

KILL_AFTER = 5
# coreutils timeout: 124 after TERM; after KILL it dies of the same signal, which a shell would show as 137.
TIMED_OUT = (124, 128 + signal.SIGKILL, -signal.SIGKILL)
NOT_STARTED = (126, 127)


@dataclass(frozen=True)
class Reply:
    """What a tool answered."""

    argv: tuple[str, ...]
    rc: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Both streams, stderr first: vendor tools print failures on either."""
        return "\n".join(part for part in (self.stderr.strip(), self.stdout.strip()) if part)


class VendorCliError(Exception):
    """A tool that is missing, ran out of time, failed, or printed something that cannot be read."""

    def __init__(self, message: str, *, reason: str, argv: Sequence[str] = (), rc: int | None = None, stdout: str = "", stderr: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.argv = tuple(argv)
        self.rc = rc
        self.stdout = stdout
        self.stderr = stderr

    @classmethod
    def from_reply(cls, message: str, reply: Reply, reason: str = "failed") -> VendorCliError:
        return cls(message, reason=reason, argv=reply.argv, rc=reply.rc, stdout=reply.stdout, stderr=reply.stderr)


class _Output:
    """Both streams of a process, read to their ends.

    run_command looks for output once a second and stops as soon as the process has ended; a tool that ends between the
    look and the question whether it has ended loses all it printed, which happens on a busy host.
    """

    # Something that the tool left running may hold its streams open.
    GRACE = 5.0

    def __init__(self) -> None:
        self.collected = False
        self.streams: tuple[list[bytes], list[bytes]] = ([], [])

    def collect(self, process: subprocess.Popen[bytes]) -> None:
        readers = [
            threading.Thread(target=self._read, args=(stream.fileno(), chunks), daemon=True)
            for stream, chunks in zip((process.stdout, process.stderr), self.streams)
            if stream is not None
        ]
        for reader in readers:
            reader.start()
        process.wait()
        deadline = time.monotonic() + self.GRACE
        for reader in readers:
            reader.join(max(0.0, deadline - time.monotonic()))
        self.collected = True

    @staticmethod
    def _read(descriptor: int, chunks: list[bytes]) -> None:
        try:
            while chunk := os.read(descriptor, 65536):
                chunks.append(chunk)
        except OSError:
            # Closed by run_command while something else held the other end.
            return

    def texts(self) -> tuple[str, str]:
        stdout, stderr = (b"".join(chunks).decode("utf-8", "replace") for chunks in self.streams)
        return stdout, stderr


class VendorCli:
    """One command line tool of the vendor. ``run`` may be called from several threads at once, unless it is given an answer."""

    def __init__(
        self,
        module: AnsibleModule,
        tool: str,
        search_paths: Sequence[str] = (),
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.module = module
        self.tool = tool
        self.search_paths = tuple(search_paths)
        self.timeout = timeout
        self.env = {"LANGUAGE": "C", "LC_ALL": "C", **(env or {})}
        self.path: str | None = module.get_bin_path(tool, opt_dirs=list(search_paths))
        _close_stdin()

    def run(self, *args: str, timeout: float | None = None, answer: str | None = None) -> Reply:
        """Run the tool. Raises VendorCliError when it is missing or exceeds its time; any exit code is returned.

        The tool reads end-of-file from its standard input, or ``answer`` as one line.
        """
        if self.path is None:
            raise self.missing()
        limit = self.timeout if timeout is None else timeout
        argv = (self.path, *args)
        command = ["timeout", "-k", str(KILL_AFTER), f"{limit:g}", *argv]
        try:
            rc, stdout, stderr = self._execute(command, answer)
        except BrokenPipeError:
            # The tool ended without reading the answer: ask again without one, to see what it says.
            rc, stdout, stderr = self._execute(command, None)
        except OSError as error:
            raise self.missing(f"could not be started through timeout of GNU coreutils: {error}") from error
        if rc in TIMED_OUT:
            raise VendorCliError(
                f"{' '.join((self.tool, *args))} gave no result within {limit:g} s and was stopped. "
                "The device or its driver may hang: look at dmesg and npu-smi info; raise the time limit if the host is only slow.",
                reason="timeout",
                argv=argv,
                rc=rc,
                stdout=stdout,
                stderr=stderr,
            )
        if rc in NOT_STARTED and stderr.lstrip().startswith("timeout:"):
            raise self.missing(f"could not be started: {stderr.strip()}")
        return Reply(argv, rc, stdout, stderr)

    def _execute(self, command: list[str], answer: str | None) -> tuple[int, str, str]:
        output = _Output()
        rc, stdout, stderr = self.module.run_command(
            command,
            data=answer,
            environ_update=self.env,
            errors="replace",
            expand_user_and_vars=False,
            handle_exceptions=False,
            # An answer is written after this call, so the tool cannot be waited for in it.
            before_communicate_callback=output.collect if answer is None else None,
        )
        return (rc, *output.texts()) if output.collected else (rc, stdout, stderr)

    def missing(self, what: str | None = None) -> VendorCliError:
        """The error of a tool that is not there; for callers that must not try."""
        what = what or f"was not found in {', '.join((*self.search_paths, 'PATH'))}"
        return VendorCliError(
            f"{self.tool} {what}. It comes with the Ascend driver: install the driver first (in a container: mount the tool).",
            reason="missing",
            argv=(self.tool,),
        )


def _close_stdin() -> None:
    """Give this process, and so each tool it starts, an empty standard input.

    run_command without data passes its own input on, which can be a terminal (sudo with a tty): a tool asking
    ``(y/n)`` would then wait or stop. Data of zero bytes cannot be given to it.
    """
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null != 0:
        os.close(null)
