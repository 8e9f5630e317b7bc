# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at a directory of weights: names, modes and owners, headers and indexes. Reads only."""

from __future__ import annotations

import dataclasses
import grp
import os
import pwd
import stat
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.npuops.ascend.plugins.module_utils import _safetensors
from ansible_collections.npuops.ascend.plugins.module_utils import _weights as core

MAX_JSON_BYTES = 512 * 1024 * 1024


class UserError(ValueError):
    """A user or group that this host does not know."""


def service_user(name: str, group: str | None = None) -> core.ServiceUser:
    """The identity under which the service reads the weights. Raises UserError."""
    account = None
    try:
        account = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        if not name.isdigit():
            raise UserError(f"The user {name} does not exist on this host. Give the user's number, or create the user first.") from None
    gid = account.pw_gid if account else None
    if group is not None:
        try:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError:
            raise UserError(f"The group {group} does not exist on this host. Give the group's number, or create the group first.") from None
    uid = account.pw_uid if account else int(name)
    groups = frozenset(os.getgrouplist(account.pw_name, account.pw_gid)) if account else frozenset()
    return core.ServiceUser(account.pw_name if account else name, uid, gid, groups)


def entry_of(directory: str, name: str) -> core.Entry:
    path = os.path.join(directory, name)
    status = os.lstat(path)
    target = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    return core.Entry(name, status.st_mode, status.st_uid, status.st_gid, target)


def read_text(path: str) -> str:
    with open(path, "rb") as file:
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise _safetensors.WeightsFormatError(f"more than {MAX_JSON_BYTES} bytes")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _safetensors.WeightsFormatError(f"no UTF-8 text ({error.reason} at byte {error.start})") from None


def read_header(directory: str, name: str) -> core.WeightFile:
    path, size = os.path.join(directory, name), 0
    try:
        size = os.stat(path).st_size
        with open(path, "rb") as file:
            length = _safetensors.header_length(file.read(8), size)
            return core.WeightFile(name, size, core.parse_header(file.read(length)))
    except _safetensors.WeightsFormatError as error:
        return core.WeightFile(name, size, fault=str(error), cut_off=isinstance(error, _safetensors.TruncatedError))
    except OSError as error:
        return core.WeightFile(name, size, fault=f"unreadable: {error.strerror}")


def parent_problems(path: str, user: core.ServiceUser) -> t.Iterator[core.Problem]:
    parent = os.path.dirname(path)
    while True:
        status = os.stat(parent)
        if not user.may(core.Entry(parent, status.st_mode, status.st_uid, status.st_gid), 1):
            yield core.Problem(
                "not-reachable", parent, f"mode {stat.S_IMODE(status.st_mode):04o}, owner {status.st_uid}:{status.st_gid}",
                f"search permission for {user.name} (uid {user.uid})", "chmod o+x it, or put the weights below a directory that the user may enter.",
            )
        if parent == os.path.dirname(parent):
            return
        parent = os.path.dirname(parent)


def inspect(path: str, user: core.ServiceUser, engine: str, chip: str) -> dict[str, t.Any]:
    problems = [*core.path_problems(path), *parent_problems(path, user)]
    entries = [entry_of(path, ".")]
    for name in sorted(os.listdir(path)):
        entries.append(entry_of(path, name))
    notes = core.directory_warnings(path, entries[0].mode)
    problems += core.permission_problems(path, entries, user)
    names = [entry.name for entry in entries[1:]]

    # The pre-sharded layout keeps one directory per rank, each with files of its own numbering.
    presharded = "model_sharded_metadata.json" in names
    shards = [name for name in names if name.endswith(".safetensors")]
    if presharded:
        for entry in entries[1:]:
            if stat.S_ISDIR(entry.mode):
                below = os.path.join(path, entry.name)
                inner = [entry_of(below, name) for name in [".", *sorted(os.listdir(below))]]
                problems += core.permission_problems(below, inner, user)
                shards += [os.path.join(entry.name, item.name) for item in inner if item.name.endswith(".safetensors")]
    # Reading 157 headers is waiting for the disk or the file server, so it is done in parallel.
    with ThreadPoolExecutor(max_workers=8) as pool:
        files = list(pool.map(lambda name: read_header(path, name), shards))

    indexes = []
    for name in names:
        if name.endswith(core.INDEX_SUFFIX):
            try:
                indexes.append(core.parse_index(name, read_text(os.path.join(path, name))))
            except (_safetensors.WeightsFormatError, OSError) as error:
                problems.append(core.Problem("index-unreadable", name, str(error), "the index of the weights", "Download the file again."))
    missing, found, more_notes = core.completeness(files, indexes, presharded)
    problems += found
    notes += more_notes

    config = core.ModelConfig()
    if "config.json" not in names:
        problems.append(core.Problem("config-missing", "config.json", "absent", "the model's config.json", "Download it from the repository of the weights."))
    else:
        try:
            config = core.parse_model_config(read_text(os.path.join(path, "config.json")))
        except (_safetensors.WeightsFormatError, OSError) as error:
            problems.append(core.Problem("config-unreadable", "config.json", str(error), "the model's config.json", "Download the file again."))
        else:
            found, more_notes = core.config_problems(config, names)
            problems += [*found, *core.engine_problems(config, names, engine, chip)]
            notes += more_notes
    return {
        "files": [{"name": file.name, "size": file.size, "expected_size": file.expected_size} for file in files],
        "missing": missing,
        "truncated": [file.name for file in files if file.truncated],
        "problems": [dataclasses.asdict(problem) for problem in problems],
        "notes": notes,
        "total_bytes": sum(file.size for file in files),
        "tensor_count": sum(len(file.header.tensors) for file in files if file.header),
        "index_files": [index.name for index in indexes],
        "model_type": config.model_type,
        "torch_dtype": config.torch_dtype,
        "quantize": config.quantize,
        "quantization_method": config.quantization_method,
    }


NOTHING: dict[str, t.Any] = {
    "files": [], "missing": [], "truncated": [], "notes": [], "total_bytes": 0, "tensor_count": 0, "index_files": [],
    "model_type": None, "torch_dtype": None, "quantize": None, "quantization_method": None,
}


def look(path: str, user: core.ServiceUser, engine: str = "", chip: str = "") -> dict[str, t.Any]:
    """What is in the directory, and what is wrong with it, also for an engine and a chip that are named. A path that is none is a result. Raises OSError."""
    result: dict[str, t.Any] = {"path": path, "exists": os.path.isdir(path)}
    if result["exists"]:
        return {**result, **inspect(path, user, engine, chip)}
    found = "a file" if os.path.lexists(path) else "nothing"
    problem = core.Problem("no-directory", path, found, "a directory with the weights", "Put the weights there, or correct the path.")
    return {**result, **NOTHING, "problems": [dataclasses.asdict(problem)]}
