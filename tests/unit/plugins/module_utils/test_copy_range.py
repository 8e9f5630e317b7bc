# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ctypes
import errno
import os

import pytest

from ansible_collections.npuops.ascend.plugins.module_utils import _copy_range

SIZE = 3 * 1024 * 1024 + 5


def test_blocks_are_reserved_before_anything_is_written(tmp_path):
    path = tmp_path / "file"
    with open(path, "wb", buffering=0) as file:
        _copy_range.allocate(file.fileno(), SIZE)
        status = os.fstat(file.fileno())
        if status.st_size == 0:
            pytest.skip("the file system cannot reserve blocks")
        assert status.st_size == SIZE
        assert status.st_blocks * 512 >= SIZE
        file.write(b"x" * SIZE)
    assert path.read_bytes() == b"x" * SIZE


def answers(monkeypatch, code):
    """Let the kernel answer with this error."""

    def fallocate(*_arguments):
        ctypes.set_errno(code)
        return -1

    library = type("Library", (), {"fallocate": staticmethod(fallocate)})
    monkeypatch.setattr(ctypes, "CDLL", lambda *_arguments, **_options: library)


@pytest.mark.parametrize("code", [errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_that_cannot_is_left_to_the_copy(tmp_path, monkeypatch, code):
    answers(monkeypatch, code)
    with open(tmp_path / "file", "wb") as file:
        _copy_range.allocate(file.fileno(), SIZE)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_a_full_disk_shows_at_once(tmp_path, monkeypatch, code):
    answers(monkeypatch, code)
    with open(tmp_path / "file", "wb") as file, pytest.raises(OSError) as error:
        _copy_range.allocate(file.fileno(), SIZE)
    assert error.value.errno == code


@pytest.mark.parametrize("library", [None, object()])
def test_a_python_or_library_without_the_call(tmp_path, monkeypatch, library):
    if library is None:
        monkeypatch.setattr(_copy_range, "ctypes", None)
    else:
        monkeypatch.setattr(ctypes, "CDLL", lambda *_arguments, **_options: library)
    with open(tmp_path / "file", "wb") as file:
        _copy_range.allocate(file.fileno(), SIZE)
