# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MindIE's file checks: no link, the right owner, no mode bit beyond the allowed ones."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

_CLASSES = (("Owner", 6), ("Group", 3), ("Other group", 0))
_PATH = re.compile(r"[0-9a-zA-Z_./-]+")
MAX_WEIGHT_FILES = 1024


class BadPermission(Exception):
    pass


def enabled(env: Mapping[str, str]) -> bool:
    return env.get("MINDIE_CHECK_INPUTFILES_PERMISSION") != "0"


def _check_mode(found: int, allowed: int) -> None:
    for name, shift in reversed(_CLASSES):
        have, may = found >> shift & 7, allowed >> shift & 7
        if have & ~may:
            raise BadPermission(
                f"Check {name} permission failed: Current permission is {have}, but required no greater than {may}. "
                f"Required permission: {allowed:o}, but got {found:o}"
            )


def check_file(path: Path, allowed: int, group_may_own: bool = False) -> None:
    """Judge one file; ``group_may_own`` is the weights' milder rule, from which root is exempt."""
    try:
        status = path.lstat()
    except OSError as problem:
        raise BadPermission(f"The path is not accessible: {path}: {problem.strerror}") from problem
    if stat.S_ISLNK(status.st_mode):
        raise BadPermission(f"The path should not be a symbolic link file. Please check the input path:{path}")
    owned = status.st_uid == os.getuid()
    if group_may_own:
        owned = owned or os.getuid() == 0 or status.st_gid in (os.getgid(), *os.getgroups())
    if not owned:
        raise BadPermission(f"The current user does not have permission to access the path:{path}")
    _check_mode(stat.S_IMODE(status.st_mode), allowed)


def check_directory(path: Path, allowed: int) -> None:
    _check_mode(stat.S_IMODE(path.stat().st_mode), allowed)


def check_weights(folder: Path) -> None:
    """The Python loader's rules for the files of a weights directory."""
    files = sorted(folder.iterdir())
    if len(files) > MAX_WEIGHT_FILES:
        raise BadPermission(f"The number of files in {folder} exceeds {MAX_WEIGHT_FILES}.")
    for path in files:
        if not _PATH.fullmatch(str(path)):
            raise BadPermission(f"The path contains illegal characters, only [0-9a-zA-Z_./-] is allowed: {path}")
        if path.is_dir() and not path.is_symlink():
            continue
        mode = stat.S_IMODE(path.lstat().st_mode)
        if not path.is_symlink() and mode & stat.S_IWOTH:
            raise BadPermission(
                f"The file {path} should not be writable by others who are neither the owner nor in the group. "
                f"Current permission: {oct(mode)}. Permission after removal: {oct(mode & ~stat.S_IWOTH)}."
            )
        check_file(path, 0o777, group_may_own=True)
