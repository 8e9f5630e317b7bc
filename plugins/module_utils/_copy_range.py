# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs of bytes from one file into another, by the kernel and without passing through this process where that is possible."""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import typing as t

try:
    import ctypes
except ImportError:  # a Python that was built without libffi
    ctypes = None

# Long enough for full speed, short enough for a steady progress report.
CHUNK = 32 * 1024 * 1024
# For the copy through this process, the last resort.
BUFFER = 1024 * 1024
# _IOW(0x94, 13, struct file_clone_range) of linux/fs.h
FICLONERANGE = 0x4020940D

# What the kernel answers when this way does not work for these two files; any other error is one of the disk.
_UNSUPPORTED = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTTY, errno.EPERM, errno.EBADF}

Way = t.Callable[[int, int, int, int, int], int]


class SourceEnded(OSError):
    """An input is shorter than it was when its header was read."""


def _copy_file_range(source: int, target: int, offset: int, target_offset: int, length: int) -> int:
    return os.copy_file_range(source, target, length, offset, target_offset)


def _sendfile(source: int, target: int, offset: int, target_offset: int, length: int) -> int:
    os.lseek(target, target_offset, os.SEEK_SET)
    return os.sendfile(target, source, offset, length)


def _read_write(source: int, target: int, offset: int, target_offset: int, length: int) -> int:
    return os.pwrite(target, os.pread(source, min(length, BUFFER), offset), target_offset)


def allocate(target: int, length: int) -> None:
    """Reserve the blocks of a file in one go where the file system can: less work for it than one by one, and a full disk shows before the copy.

    Not os.posix_fallocate, which writes into every block where the file system cannot.
    """
    try:
        function = ctypes.CDLL(None, use_errno=True).fallocate
    except (AttributeError, OSError):
        return
    # off_t of a 64-bit system, the only kind that the driver is made for.
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    if length and function(target, 0, 0, length) and ctypes.get_errno() in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class RangeCopier:
    """Copies with the fastest way that works here; some Python builds lack copy_file_range, and old kernels refuse it between file systems."""

    def __init__(self, report: t.Callable[[int], None]) -> None:
        self.report = report
        self.ways: list[Way] = [_sendfile, _read_write]
        if hasattr(os, "copy_file_range"):
            self.ways.insert(0, _copy_file_range)

    def copy(self, source: int, target: int, offset: int, target_offset: int, length: int) -> None:
        while length:
            try:
                done = self.ways[0](source, target, offset, target_offset, min(length, CHUNK))
            except OSError as error:
                if error.errno not in _UNSUPPORTED or len(self.ways) == 1:
                    raise
                self.ways.pop(0)
                continue
            if done == 0:
                # Some file systems answer 0 to copy_file_range instead of an error.
                if len(self.ways) > 1:
                    self.ways.pop(0)
                    continue
                raise SourceEnded(errno.EIO, "the file has become shorter")
            self.report(done)
            offset, target_offset, length = offset + done, target_offset + done, length - done

    def clone(self, source: int, target: int, offset: int, target_offset: int, length: int) -> bool:
        """Let two files share whole blocks; False where the file system cannot."""
        try:
            fcntl.ioctl(target, FICLONERANGE, struct.pack("qQQQ", source, offset, length, target_offset))
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                return False
            raise
        self.report(length)
        return True
