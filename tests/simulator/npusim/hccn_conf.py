# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/hccn.conf as hccn_tool keeps it, its traps included.

Setting a key drops its old lines and appends the new one, a line written after a missing final newline is glued to the
last one, deleting matches anywhere in a line. All of it was observed with the vendor's public front end.
"""

from __future__ import annotations

import errno
import fcntl
import os

from npusim.state import root

TYPE_CHECKING = False
if TYPE_CHECKING:  # a constant of our own: importing typing costs more than reading the file
    from collections.abc import Callable

CONF_FILE = "/etc/hccn.conf"


class ConfMissing(Exception):
    """The file is not there: the tool never creates it."""


class ConfNotWritable(Exception):
    """Not root, or the file is on a read-only mount."""


def open_for_writing(path: str) -> int:
    """One place to open it, so that a test can stand in for a read-only mount."""
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


class HccnConf:
    def __init__(self, uid: int = 0, path: str | None = None) -> None:
        self._uid = uid
        self._path = path or root(CONF_FILE)

    def text(self) -> str:
        try:
            # Surrogates carry bytes that are not UTF-8 through a rewrite unchanged.
            with open(self._path, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
                return stream.read()
        except FileNotFoundError:
            raise ConfMissing from None

    def get(self, key: str) -> str | None:
        """The value of the first line that begins with `key=`; a carriage return or blank at its end belongs to it."""
        for line in self.text().split("\n"):
            if line.startswith(key + "="):
                return line[len(key) + 1:]
        return None

    def require_writable(self) -> None:
        os.close(self._open())

    def put(self, key: str, value: str) -> None:
        self._rewrite(lambda line: line.startswith(key + "="), f"{key}={value}\n")

    def delete(self, key: str) -> None:
        """Remove every line with `key=` anywhere in it: `gateway_0` takes `IPv6gateway_0` with it."""
        self.remove(lambda line: key + "=" in line)

    def remove(self, drop: Callable[[str], bool]) -> None:
        self._rewrite(drop, "")

    def _open(self) -> int:
        self.text()
        if self._uid != 0:
            raise ConfNotWritable
        try:
            return open_for_writing(self._path)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise ConfNotWritable from None
            raise

    def _rewrite(self, drop: Callable[[str], bool], addition: str) -> None:
        # In place and not by a new file: the vendor's container recipes bind-mount this very file.
        with os.fdopen(self._open(), "r+", encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            kept = [line for line in stream if not drop(line)]
            stream.seek(0)
            stream.write("".join(kept) + addition)
            stream.truncate()
