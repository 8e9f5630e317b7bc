#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_info
short_description: Check a directory of model weights without reading the weights
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads the C(config.json), the index and the headers of the safetensors files of a model directory, and compares sizes, names and tensors.
    A truncated or absent file of a 700 GB model is found in seconds, because only headers are read.
  - Checks the rules by which MindIE refuses weights. These are symbolic links, owner and mode for the user of the service, characters in paths,
    the number of files, and the keys that the daemon reads.
  - Changes nothing. A directory that does not exist is a result, not a failure.
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
  idempotent:
    support: N/A
options:
  path:
    description:
      - Directory of the weights, the C(modelWeightPath) of the service.
    type: path
    required: true
  user:
    description:
      - Name or number of the user under which the service reads the weights. For a container this is the user inside it.
    type: str
    default: root
  group:
    description:
      - Name or number of the first group of O(user).
      - The default is the group in the host's user database. It is needed for a number that the database does not know.
    type: str
  engine:
    description:
      - The engine that the weights have to fit in layout and names. Quantised weights are made for one of them.
      - Without it this is not looked at.
    type: str
    choices: [mindie, vllm]
  chip:
    description:
      - The chip that the weights have to fit in the type of their numbers, for example V(910B3) or V(310P3).
      - Without it this is not looked at.
    type: str
"""

EXAMPLES = r"""
- name: Look at the weights
  npuops.ascend.weights_info:
    path: /data/DeepSeek-V3-w8a8
    user: HwHiAiUser
  register: weights

- name: Refuse weights that MindIE would refuse
  ansible.builtin.assert:
    that: weights.problems | length == 0
    fail_msg: "{{ weights.problems }}"
"""

RETURN = r"""
exists:
  description: Whether O(path) is a directory. When it is not, RV(problems) says so and everything else is empty.
  returned: success
  type: bool
  sample: true
path:
  description: The directory.
  returned: success
  type: str
  sample: /data/DeepSeek-V3-w8a8
files:
  description: The safetensors files, by name. Files of a pre-sharded model stand with their subdirectory.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file below O(path).
      type: str
      sample: quant_model_weight_w8a8_dynamic-00001-of-00157.safetensors
    size:
      description: Size on disk in bytes.
      type: int
      sample: 4294959104
    expected_size:
      description: Size in bytes that its header asks for; null when the header cannot be read.
      type: int
      sample: 4294959104
missing:
  description: Weight files that the index or the shard numbers name and that are absent.
  returned: success
  type: list
  elements: str
  sample: [quant_model_weight_w8a8_dynamic-00017-of-00157.safetensors]
truncated:
  description: Weight files that are shorter than their header asks for, or too short to have one.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: Everything because of which the engine would not load the weights, including missing and truncated files.
  returned: success
  type: list
  elements: dict
  sample: []
  contains:
    id:
      description: Stable name of the problem.
      type: str
      sample: config-mode
    path:
      description: File or directory.
      type: str
      sample: /data/DeepSeek-V3-w8a8/config.json
    observed:
      description: What was found.
      type: str
      sample: mode 0644
    expected:
      description: What should be.
      type: str
      sample: at most 0750, best 0640
    remedy:
      description: What to do.
      type: str
      sample: chmod 0640 it.
notes:
  description: Oddities that do not keep the engine from loading the weights.
  returned: success
  type: list
  elements: str
  sample: []
total_bytes:
  description: Sum of the sizes of RV(files).
  returned: success
  type: int
  sample: 690000000000
tensor_count:
  description: Number of tensors in the headers that could be read.
  returned: success
  type: int
  sample: 122000
index_files:
  description: Names of the index files.
  returned: success
  type: list
  elements: str
  sample: [quant_model_weight_w8a8_dynamic.safetensors.index.json]
model_type:
  description: The C(model_type) of C(config.json), or null.
  returned: success
  type: str
  sample: deepseekv2
torch_dtype:
  description: The C(torch_dtype) of C(config.json), or null.
  returned: success
  type: str
  sample: bfloat16
quantize:
  description: The C(quantize) of C(config.json), or null.
  returned: success
  type: str
  sample: w8a8_dynamic
"""

import dataclasses
import grp
import os
import pwd
import stat
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _safetensors
from ansible_collections.npuops.ascend.plugins.module_utils import _weights as core

MAX_JSON_BYTES = 512 * 1024 * 1024


def service_user(module: AnsibleModule) -> core.ServiceUser:
    name, group = module.params["user"], module.params["group"]
    account = None
    try:
        account = pwd.getpwuid(int(name)) if name.isdigit() else pwd.getpwnam(name)
    except KeyError:
        if not name.isdigit():
            module.fail_json(msg=f"The user {name} does not exist on this host. Give the user's number, or create the user first.")
    gid = account.pw_gid if account else None
    if group is not None:
        try:
            gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError:
            module.fail_json(msg=f"The group {group} does not exist on this host. Give the group's number, or create the group first.")
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
    }


NOTHING: dict[str, t.Any] = {
    "files": [], "missing": [], "truncated": [], "notes": [], "total_bytes": 0, "tensor_count": 0, "index_files": [],
    "model_type": None, "torch_dtype": None, "quantize": None,
}


def run(module: AnsibleModule) -> dict[str, t.Any]:
    path = os.path.normpath(module.params["path"])
    user = service_user(module)
    if not os.path.isabs(path):
        module.fail_json(msg=f"{path} is no absolute path. Give the weights directory as the service names it, for example /data/DeepSeek-V3-w8a8.")
    result: dict[str, t.Any] = {"changed": False, "path": path, "exists": os.path.isdir(path)}
    if not result["exists"]:
        found = "a file" if os.path.lexists(path) else "nothing"
        problem = core.Problem("no-directory", path, found, "a directory with the weights", "Put the weights there, or correct the path.")
        return {**result, **NOTHING, "problems": [dataclasses.asdict(problem)]}
    try:
        return {**result, **inspect(path, user, module.params["engine"] or "", module.params["chip"] or "")}
    except OSError as error:
        module.fail_json(msg=f"{error.filename or path} cannot be read: {error.strerror}. Run the task with become.")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "user": {"type": "str", "default": "root"},
            "group": {"type": "str"},
            "engine": {"type": "str", "choices": ["mindie", "vllm"]},
            "chip": {"type": "str"},
        },
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
