#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: merge_weights
short_description: Merge W8A8 or FP8 safetensors with GGUF experts for kTransformers
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Writes one folder of safetensors shards in which the routed experts are the blocks of a GGUF model and everything else comes from a safetensors model.
    kTransformers serves this folder with the experts on the CPU and the rest on the NPU.
  - The shards are byte for byte those of C(merge_tensors/merge_safetensor_gguf.py) of kTransformers. What that script passes over in silence is an error here,
    and nothing is written then. Examples are truncated or missing files, two quantisations in one folder, and inputs of different models.
  - Needs neither kTransformers nor an NPU nor any Python package. Data is copied by the kernel from file to file, at the speed of the disks.
  - Every shard is written under a temporary name, flushed to the disk and renamed. After an interruption the next run keeps the finished shards and continues.
    A merge that goes on because only the run of Ansible was cut off is waited for.
  - Adds C(config.json) with the key C(quantize) that kTransformers looks for, the files of tokenizer and generation, and Python files of the model.
  - The bytes written so far, the speed and the time left are shown on the controller while the module runs.
extends_documentation_fragment:
  - ansible.builtin.files
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  safetensors_path:
    description:
      - Folder with the W8A8 or FP8 model, with its C(config.json) and tokenizer.
      - All files C(*.safetensors) below it are read.
    type: path
    required: true
  gguf_path:
    description:
      - Folder with the GGUF model of which the experts are taken, usually Q4_K_M. All parts of one quantisation, and only these.
      - The path of a file stands for its folder.
    type: path
    required: true
  output_path:
    description:
      - Folder for the merged model. It is made when it does not exist.
      - It must neither lie in one of the inputs nor contain one, and must not hold other safetensors files, because kTransformers loads all that it finds.
    type: path
    required: true
  format:
    description:
      - Kind of the safetensors weights.
      - With V(w8a8) the tensors C(weight_scale) and C(weight_offset) of the experts are left out.
      - With V(fp8) the tensors C(weight_scale_inv) of the experts and the MTP layer 61 of DeepSeek-V3 are left out.
      - FP8 weights are merged with V(w8a8) too, with a warning and without the key C(quantize) in C(config.json).
    type: str
    choices: [w8a8, fp8]
    default: w8a8
  layout:
    description:
      - With V(plain) the shards are byte for byte those of the script.
      - With V(reflink) the same tensors lie where a file system can share their blocks with the GGUF files, so that most of the merge takes neither
        time nor space. XFS and Btrfs can, when inputs and output lie on one file system. Elsewhere everything is copied and a warning says so.
    type: str
    choices: [plain, reflink]
    default: plain
  mode:
    description: Permissions of the files that are written, as in M(ansible.builtin.file).
    type: raw
    default: '0644'
  timeout:
    description:
      - Seconds after which the merge is given up. The next run continues it.
      - When the task has the keyword C(async), that limit counts instead, and progress is not shown.
    type: int
    default: 14400
  poll_interval:
    description: Seconds between two lines of progress.
    type: int
    default: 10
notes:
  - The inputs are identified by name, size and time of change, not by reading them whole. A finished shard is kept when its header, size and time of change
    are those that the module has noted in C(.merge_weights.json) in O(output_path), and its inputs are still the same.
  - Any program can follow the merge in C(.merge_weights.progress.json) in O(output_path), which exists while it runs.
seealso:
  - module: npuops.ascend.weights_info
"""

EXAMPLES = r"""
- name: Merge W8A8 weights with Q4 experts
  npuops.ascend.merge_weights:
    safetensors_path: /data/DeepSeek-R1-W8A8
    gguf_path: /data/DeepSeek-R1-Q4_K_M
    output_path: /data/DeepSeek-R1-Q4-W8A8

- name: Merge on XFS without using the space of the experts again
  npuops.ascend.merge_weights:
    safetensors_path: /data/DeepSeek-R1-W8A8
    gguf_path: /data/DeepSeek-R1-Q4_K_M
    output_path: /data/DeepSeek-R1-Q4-W8A8
    layout: reflink
    owner: ktransformers
    group: ktransformers
"""

RETURN = r"""
output_path:
  description: Folder of the merged model.
  returned: success
  type: str
  sample: /data/DeepSeek-R1-Q4-W8A8
shards:
  description: All shards of the merged model.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file.
      type: str
      sample: model-00003-of-00061.safetensors
    size:
      description: Size in bytes.
      type: int
      sample: 7310745600
    action:
      description: V(write) when it was written, or would be in check mode; V(keep) when it was there and verified.
      type: str
      sample: write
files:
  description: What lies beside the shards for the runtime, with V(write) or V(keep).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file.
      type: str
      sample: config.json
    action:
      description: As in RV(shards[].action).
      type: str
      sample: keep
missing_files:
  description: Files that the runtime needs and that are not beside the safetensors files.
  returned: success
  type: list
  elements: str
  sample: []
total_bytes:
  description: Sum of the sizes of RV(shards).
  returned: success
  type: int
  sample: 413000000000
written_bytes:
  description: Bytes of shards that were written, or would be in check mode.
  returned: success
  type: int
  sample: 413000000000
shared_bytes:
  description: Those of RV(written_bytes) that share their blocks with the inputs. In check mode those that can, if the file system can.
  returned: success
  type: int
  sample: 0
"""

import contextlib
import errno
import fcntl
import json
import os
import time
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _gguf, _safetensors, _weights
from ansible_collections.npuops.ascend.plugins.module_utils import _merge_weights as core
from ansible_collections.npuops.ascend.plugins.module_utils._copy_range import RangeCopier, allocate

MANIFEST = ".merge_weights.json"
PROGRESS = ".merge_weights.progress.json"
PROGRESS_SECONDS = 1.0
LOCK_SECONDS = 0.5
PART = ".merge_weights.part"
RUNTIME_FILE_MAX = 256 * 1024 * 1024


def refuse(problems: t.Sequence[str]) -> None:
    if problems:
        raise core.MergeError(problems[0] if len(problems) == 1 else "".join(f"\n- {problem}" for problem in problems))


# Inputs


def holds_tensors(path: str) -> bool:
    """True for a safetensors file in which kTransformers' script finds a tensor; it passes over files that it cannot open."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            header = _safetensors.parse_header(file.read(_safetensors.header_length(file.read(8), size)))
    except (OSError, _safetensors.WeightsFormatError):
        return False
    return header.file_size == size and bool(header.tensors)


class Inputs:
    """The input files: their identity, by which a later run knows them again, and where they lie."""

    def __init__(self, safetensors_path: str, gguf_path: str) -> None:
        self.roots = {"safetensors_path": safetensors_path, "gguf_path": os.path.dirname(gguf_path) if os.path.isfile(gguf_path) else gguf_path}
        self.identities: dict[str, tuple[str, int, int]] = {}
        self.warnings: list[str] = []
        for option, root in self.roots.items():
            if not os.path.isdir(root):
                found = "a file" if os.path.lexists(root) else "nothing"
                raise core.MergeError(f"{option} {root} is {found}, expected the folder of the model. Correct the path.")
        names = {option: self._names(root) for option, root in self.roots.items()}
        self.safetensors = [path for path in names["safetensors_path"] if path.endswith(".safetensors")]
        self.gguf = [path for path in names["gguf_path"] if path.endswith(".gguf")]
        self.indexes = [path for path in names["safetensors_path"] if path.endswith(_weights.INDEX_SUFFIX)]
        other_gguf = [path for path in names["safetensors_path"] if path.endswith(".gguf")]
        other_safetensors = [path for path in names["gguf_path"] if path.endswith(".safetensors") and holds_tensors(path)]
        self._refuse_mix(other_gguf, other_safetensors)

    def _names(self, root: str) -> list[str]:
        """Return all files below, in the order in which the script takes the safetensors files."""

        def fail(error: OSError) -> t.NoReturn:
            raise error

        found = []
        for directory, directories, files in os.walk(root, onerror=fail):
            directories.sort()
            found.extend(os.path.join(directory, name) for name in sorted(files))
        return found

    def _refuse_mix(self, other_gguf: t.Sequence[str], other_safetensors: t.Sequence[str]) -> None:
        safetensors, gguf = self.roots["safetensors_path"], self.roots["gguf_path"]
        if not self.safetensors and not self.gguf and other_gguf and other_safetensors:
            raise core.MergeError(
                f"safetensors_path {safetensors} holds GGUF files and gguf_path {gguf} holds safetensors files: the two are swapped, as in the published "
                "guides. Exchange them."
            )
        if not self.safetensors:
            found = f"GGUF files such as {other_gguf[0]}" if other_gguf else "no weights"
            raise core.MergeError(f"safetensors_path {safetensors} holds {found}, expected *.safetensors. Give the folder of the W8A8 or FP8 model.")
        if not self.gguf:
            found = f"safetensors files such as {other_safetensors[0]}" if other_safetensors else "no weights"
            raise core.MergeError(f"gguf_path {gguf} holds {found}, expected *.gguf. Give the folder of the GGUF model.")
        if other_safetensors:
            raise core.MergeError(
                f"gguf_path {gguf} holds safetensors files beside the GGUF files, such as {other_safetensors[0]}. kTransformers' script would "
                "read no GGUF file at all then. Give a folder with the GGUF files only."
            )

    def note(self, path: str, status: os.stat_result) -> None:
        root = next(root for root in self.roots.values() if path.startswith(os.path.join(root, "")))
        self.identities[path] = (os.path.relpath(path, root), status.st_size, status.st_mtime_ns)

    def check_unchanged(self, path: str, status: os.stat_result) -> None:
        if self.identities[path][1:] != (status.st_size, status.st_mtime_ns):
            raise core.MergeError(f"{path} was changed while it was merged. Let its download or copy end, then run again.")


def read_safetensors(inputs: Inputs, form: str) -> core.Selection:
    selection = core.Selection(form)
    problems = [f"Weights are missing: {core.some(missing)}. Download them." for missing in [core.missing_numbers(inputs.safetensors)] if missing]
    absent = {path: shards for path in inputs.indexes for shards in [absent_shards(inputs, path)] if shards}
    # The script reads no index: what counts is whether the tensors are there.
    unseen = {path: {tensor for tensors in shards.values() for tensor in tensors} for path, shards in absent.items()}
    for path in inputs.safetensors:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            inputs.note(path, status)
            try:
                header = _safetensors.parse_header(file.read(_safetensors.header_length(file.read(8), status.st_size)))
            except _safetensors.WeightsFormatError as error:
                problems.append(f"{path}: {error}. Download it again.")
                continue
        for tensors in unseen.values():
            tensors.difference_update(header.tensors)
        if header.file_size != status.st_size:
            fault = "truncated" if status.st_size < header.file_size else "too long"
            problems.append(f"{path} is {fault}: {status.st_size} bytes, expected {header.file_size} by its header. Download it again.")
        else:
            selection.add(path, header)
    for path, shards in absent.items():
        found = f"{path} names files that are missing: {core.some(sorted(shards))}"
        if not unseen[path]:
            inputs.warnings.append(f"{found}. Their tensors are in other files.")
        elif not problems:
            problems.append(f"{found}. Download them, or remove the index if it belongs to other weights.")
    refuse(problems)
    return selection


def absent_shards(inputs: Inputs, path: str) -> dict[str, frozenset[str]]:
    """Return the files that an index names and that are not there, with their tensors; nothing for an index that belongs to other weights."""
    try:
        with open(path, encoding="utf-8") as file:
            shards = _weights.parse_index(path, file.read()).tensors
    except ValueError as error:
        inputs.warnings.append(f"{path} is damaged: {error}. The weights are complete only as far as their names tell.")
        return {}
    absent = {shard: tensors for shard, tensors in shards.items() if os.path.join(os.path.dirname(path), shard) not in inputs.safetensors}
    if len(absent) == len(shards):
        inputs.warnings.append(f"{path} names none of the files that are there, such as {core.some(sorted(absent), 1)}: it belongs to other weights.")
        return {}
    return absent


def read_gguf(inputs: Inputs) -> dict[str, _gguf.Gguf]:
    files, problems = {}, []
    for path in inputs.gguf:
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            inputs.note(path, status)
            try:
                files[path] = _gguf.parse(file, status.st_size)
            except _gguf.GgufError as error:
                problems.append(f"{path}: {error}. Download it again.")
                continue
        if files[path].version not in _gguf.VERSIONS:
            known = max(_gguf.VERSIONS)
            inputs.warnings.append(f"{path} has GGUF version {files[path].version} and is read as version {known}, as kTransformers' script does.")
    refuse(problems)
    refuse(list(core.split_problems(files)))
    return files


def read_runtime(root: str, form: str) -> dict[str, bytes]:
    contents = {}
    for name in core.runtime_names(os.listdir(root)):
        path = os.path.join(root, name)
        if os.path.isfile(path):
            if os.path.getsize(path) > RUNTIME_FILE_MAX:
                raise core.MergeError(f"{path} has {os.path.getsize(path)} bytes, too many for a file of a tokenizer or configuration. Look what it is.")
            with open(path, "rb") as file:
                contents[name] = file.read()
    if "config.json" in contents:
        contents["config.json"] = core.runtime_config(contents["config.json"], form)
    return contents


# Output


class Output:
    """The folder of the merged model, and the note of what was written there from what."""

    def __init__(self, path: str, inputs: Inputs) -> None:
        self.path = path
        self.inputs = inputs
        real = os.path.join(os.path.realpath(path), "")
        for option, root in inputs.roots.items():
            other = os.path.join(os.path.realpath(root), "")
            if real.startswith(other) or other.startswith(real):
                raise core.MergeError(
                    f"output_path {path} and {option} {root} lie in each other, but kTransformers loads all weights that it finds below a folder. "
                    "Give a folder beside the inputs."
                )
        if os.path.lexists(path) and not os.path.isdir(path):
            raise core.MergeError(f"output_path {path} is no folder. Give another path, or remove it.")
        self.exists = os.path.isdir(path)
        self.noted: dict[str, t.Any] = {"inputs": {}, "shards": {}}

    def recall(self) -> None:
        """Read what earlier runs have noted."""
        with contextlib.suppress(FileNotFoundError, ValueError, RecursionError):
            with open(self.file(MANIFEST), encoding="utf-8") as file:
                noted = json.load(file)
            parts = [noted.get(name) for name in ("inputs", "shards")] if isinstance(noted, dict) else [None]
            if all(isinstance(part, dict) for part in parts) and all(isinstance(shard, dict) for shard in parts[1].values()):
                self.noted = noted

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    def lock(self, stack: contextlib.ExitStack, timeout: float) -> None:
        """Be the only merge into this folder. One that is going on, as after a run of Ansible that was cut off, is waited for."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, descriptor)
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                # A network file system may have no locks for folders.
                if error.errno != errno.EWOULDBLOCK:
                    return
            if time.monotonic() >= deadline:
                raise core.MergeError(f"Another merge into {self.path} is running on this host and has not ended within {timeout} s (timeout). Run again.")
            time.sleep(LOCK_SECONDS)

    def unfinished(self, shards: t.Sequence[core.Shard]) -> list[core.Shard]:
        """Return the shards that have to be written; fails when the folder belongs to something else."""
        names = {shard.name for shard in shards}
        present = [os.path.relpath(os.path.join(directory, name), self.path) for directory, _directories, files in os.walk(self.path) for name in files]
        foreign = sorted(name for name in present if name.endswith(".safetensors") and (name not in names or name not in self.noted["shards"]))
        if foreign:
            raise core.MergeError(
                f"output_path {self.path} holds other weights: {core.some(foreign)}. kTransformers would load them too. Give another folder, or remove them."
            )
        open_shards = []
        for shard in shards:
            noted = self.noted["shards"].get(shard.name)
            if noted and noted.get("digest") != shard.digest(self.inputs.identities) and self.noted["inputs"] != self.inputs.roots:
                raise core.MergeError(
                    f"output_path {self.path} holds the merge of other inputs: {self.noted['inputs'].get('safetensors_path')} and "
                    f"{self.noted['inputs'].get('gguf_path')}. Give another folder, or remove this one."
                )
            if not noted or noted != self.identity(shard):
                open_shards.append(shard)
        return open_shards

    def identity(self, shard: core.Shard, name: str | None = None) -> dict[str, t.Any] | None:
        """Return by what a finished shard is known; None when the file does not begin as the shard does, or has another size."""
        try:
            with open(self.file(name or shard.name), "rb") as file:
                status = os.fstat(file.fileno())
                if status.st_size != shard.size or file.read(len(shard.header)) != shard.header:
                    return None
        except FileNotFoundError:
            return None
        return {"size": status.st_size, "mtime_ns": status.st_mtime_ns, "digest": shard.digest(self.inputs.identities)}

    def note(self, shard: core.Shard, part: str) -> None:
        """Note a shard before it gets its name: a note without its file does no harm, a file without its note would be taken for another's."""
        self.noted["inputs"] = self.inputs.roots
        self.noted["shards"][shard.name] = self.identity(shard, part)
        self.write(MANIFEST, json.dumps(self.noted, indent=1).encode())

    def write(self, name: str, data: bytes) -> None:
        temporary = self.file(f".{name}{PART}")
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self.file(name))

    def sync(self) -> None:
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def leftovers(self) -> list[str]:
        """Return what an interrupted run has left."""
        return [self.file(name) for name in os.listdir(self.path) if name.startswith(".") and name.endswith(PART)] if self.exists else []


def free_bytes(path: str) -> int:
    while not os.path.exists(path):
        path = os.path.dirname(path)
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def on_one_file_system(output: str, inputs: Inputs) -> bool:
    while not os.path.exists(output):
        output = os.path.dirname(output)
    return os.stat(output).st_dev == os.stat(inputs.gguf[0]).st_dev


def check_space(output: Output, open_shards: t.Sequence[core.Shard], shared: int) -> None:
    old = sum(os.path.getsize(output.file(shard.name)) for shard in open_shards if os.path.exists(output.file(shard.name)))
    needed = core.space_needed([shard.size for shard in open_shards], old) - shared
    available = free_bytes(output.path) + sum(map(os.path.getsize, output.leftovers()))
    if needed > available:
        raise core.MergeError(
            f"The file system of output_path {output.path} has {available / 1e9:.1f} GB free, but the merge needs {needed / 1e9:.1f} GB. "
            "Free some, or give another folder."
        )


class Progress:
    """Says how far the merge is, in a file that others may read."""

    def __init__(self, output: Output, open_shards: t.Sequence[core.Shard]) -> None:
        self.output = output
        self.state = {
            "total_bytes": sum(shard.size for shard in open_shards), "done_bytes": 0, "seconds": 0.0,
            "shard": "", "shards_done": 0, "shards_total": len(open_shards),
        }
        self.began = time.monotonic()
        self.shown = 0.0

    def advance(self, count: int) -> None:
        self.state["done_bytes"] += count
        if time.monotonic() - self.shown >= PROGRESS_SECONDS:
            self.show()

    def show(self) -> None:
        self.shown = time.monotonic()
        self.state["seconds"] = round(self.shown - self.began, 3)
        temporary = self.output.file(f".{PROGRESS}{PART}")
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(self.state, file)
        os.replace(temporary, self.output.file(PROGRESS))


class ShardWriter:
    def __init__(self, module: AnsibleModule, output: Output, progress: Progress, share: bool) -> None:
        self.module = module
        self.output = output
        self.progress = progress
        self.copier = RangeCopier(progress.advance)
        self.share = share
        self.shared_bytes = 0

    def write(self, shards: t.Sequence[core.Shard]) -> None:
        # The disk takes one shard while the next is copied.
        with ThreadPoolExecutor(max_workers=1) as flusher:
            flushing: Future[None] | None = None
            for shard in shards:
                self.progress.state["shard"] = shard.name
                descriptor, part = self._copy(shard)
                if flushing:
                    flushing.result()
                flushing = flusher.submit(self._finish, shard, descriptor, part)
            if flushing:
                flushing.result()

    def _copy(self, shard: core.Shard) -> tuple[int, str]:
        part = f".{shard.name}{PART}"
        descriptor = os.open(self.output.file(part), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with contextlib.ExitStack() as stack:
                if not self.share:
                    allocate(descriptor, shard.size)
                self._write_bytes(descriptor, shard.header, 0)
                sources: dict[str, int] = {}
                for piece in shard.pieces:
                    if isinstance(piece.source, bytes):
                        self._write_bytes(descriptor, piece.source, piece.offset)
                        continue
                    path = piece.source.path
                    if path not in sources:
                        sources[path] = stack.enter_context(open(path, "rb", buffering=0)).fileno()
                    self._copy_piece(sources[path], descriptor, piece, piece.source)
                for path, source in sources.items():
                    self.output.inputs.check_unchanged(path, os.fstat(source))
        except BaseException:
            os.close(descriptor)
            os.unlink(self.output.file(part))
            raise
        return descriptor, part

    def _write_bytes(self, descriptor: int, data: bytes, offset: int) -> None:
        while data:
            done = os.pwrite(descriptor, data, offset)
            self.progress.advance(done)
            data, offset = data[done:], offset + done

    def _copy_piece(self, source: int, target: int, piece: core.Piece, run: core.Run) -> None:
        head = min(-piece.offset % core.BLOCK, run.length)
        shared = piece.shareable if self.share else 0
        if shared and self.copier.clone(source, target, run.offset + head, piece.offset + head, shared):
            self.shared_bytes += shared
            self.copier.copy(source, target, run.offset, piece.offset, head)
            done = head + shared
        else:
            done = 0
        self.copier.copy(source, target, run.offset + done, piece.offset + done, run.length - done)

    def _finish(self, shard: core.Shard, descriptor: int, part: str) -> None:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.module.set_fs_attributes_if_different(self.module.load_file_common_arguments(self.module.params, path=self.output.file(part)), False)
        self.output.note(shard, part)
        os.replace(self.output.file(part), self.output.file(shard.name))
        self.output.sync()
        self.progress.state["shards_done"] += 1


def can_share(output: Output, shards: t.Sequence[core.Shard]) -> bool:
    """Try with one block whether the file system of the output can share blocks with that of the inputs."""
    runs = (piece.source for shard in shards for piece in shard.pieces if isinstance(piece.source, core.Run) and piece.shareable)
    run = next(runs, None)
    if run is None:
        return False
    probe = output.file(f".probe{PART}")
    target = os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        with open(run.path, "rb", buffering=0) as source:
            block = -(-run.offset // core.BLOCK) * core.BLOCK
            return RangeCopier(lambda count: None).clone(source.fileno(), target, block, 0, core.BLOCK)
    finally:
        os.close(target)
        os.unlink(probe)


def differing(output: Output, contents: t.Mapping[str, bytes]) -> list[str]:
    names = []
    for name, data in contents.items():
        try:
            with open(output.file(name), "rb") as file:
                same = file.read(len(data) + 1) == data
        except FileNotFoundError:
            same = False
        if not same:
            names.append(name)
    return names


def merge(module: AnsibleModule, stack: contextlib.ExitStack) -> dict[str, t.Any]:
    params = module.params
    inputs = Inputs(os.path.normpath(params["safetensors_path"]), os.path.normpath(params["gguf_path"]))
    output = Output(os.path.normpath(params["output_path"]), inputs)
    gguf = read_gguf(inputs)
    selection = read_safetensors(inputs, params["format"])
    # Marked as W8A8, FP8 weights would be loaded wrongly.
    contents = read_runtime(inputs.roots["safetensors_path"], core.FP8 if selection.is_fp8_as_w8a8 else params["format"])
    index = core.gguf_index(gguf)
    config = core.parse_config(contents["config.json"]) if "config.json" in contents else {}
    refuse(core.model_problems(config, selection.experts, gguf) + list(selection.expert_problems(index)))
    plan = core.plan(selection, index, params["layout"])

    if output.exists and not module.check_mode:
        output.lock(stack, params["timeout"])
    output.recall()
    open_shards = output.unfinished(plan.shards)
    open_files = differing(output, contents)
    missing = core.missing_runtime(contents)
    for warning in [*inputs.warnings, *plan.warnings]:
        module.warn(warning)
    if missing:
        module.warn(f"kTransformers needs {', '.join(missing)} beside the shards, which {inputs.roots['safetensors_path']} does not have.")
    shareable = sum(shard.shareable for shard in open_shards) if params["layout"] == core.REFLINK and on_one_file_system(output.path, inputs) else 0
    result = {
        "changed": bool(open_shards or open_files),
        "output_path": output.path,
        "shards": [{"name": shard.name, "size": shard.size, "action": "write" if shard in open_shards else "keep"} for shard in plan.shards],
        "files": [{"name": name, "action": "write" if name in open_files else "keep"} for name in contents],
        "missing_files": missing,
        "total_bytes": sum(shard.size for shard in plan.shards),
        "written_bytes": sum(shard.size for shard in open_shards),
        "shared_bytes": shareable,
    }
    if module._diff:
        written = {item["name"] for item in result["shards"] + result["files"] if item["action"] == "write"}
        sizes = {shard.name: shard.size for shard in plan.shards} | {name: len(data) for name, data in contents.items()}
        before = {name: os.path.getsize(output.file(name)) for name in sizes if os.path.exists(output.file(name))}
        result["diff"] = {
            "before_header": output.path,
            "after_header": output.path,
            "before": "".join(f"{name} {before[name]} bytes\n" for name in sizes if name in before),
            "after": "".join(f"{name} {sizes[name]} bytes{' (written)' if name in written and name in before else ''}\n" for name in sizes),
        }
    if module.check_mode:
        check_space(output, open_shards, shareable)
    else:
        result["shared_bytes"] = apply(module, stack, output, open_shards, {name: contents[name] for name in open_files})
    if output.exists:
        for name in [item["name"] for item in result["shards"] + result["files"]]:
            if os.path.exists(output.file(name)):
                arguments = module.load_file_common_arguments(params, path=output.file(name))
                result["changed"] = module.set_fs_attributes_if_different(arguments, result["changed"])
    return result


def apply(module: AnsibleModule, stack: contextlib.ExitStack, output: Output, shards: t.Sequence[core.Shard], contents: t.Mapping[str, bytes]) -> int:
    """Write shards and files; return how many bytes share their blocks with the inputs."""
    if not shards and not contents:
        return 0
    shareable = sum(shard.shareable for shard in shards) if module.params["layout"] == core.REFLINK else 0
    if not output.exists:
        check_space(output, shards, shareable)
        os.makedirs(output.path, mode=0o755)
        output.exists = True
        output.lock(stack, module.params["timeout"])
    for path in output.leftovers():
        os.unlink(path)
    share = shareable > 0 and can_share(output, shards)
    if shards and module.params["layout"] == core.REFLINK and not share:
        other = output.inputs.roots["gguf_path"]
        cannot = f"The file system of {output.path} cannot share blocks with that of {other}"
        why = cannot if shareable else f"No tensor in {other} has a whole block to share"
        module.warn(f"{why}: everything is copied.")
    check_space(output, shards, shareable if share else 0)
    progress = Progress(output, shards)
    writer = ShardWriter(module, output, progress, share)
    try:
        writer.write(shards)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(output.file(PROGRESS))
    for name, data in contents.items():
        output.write(name, data)
    output.sync()
    return writer.shared_bytes


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "safetensors_path": {"type": "path", "required": True},
            "gguf_path": {"type": "path", "required": True},
            "output_path": {"type": "path", "required": True},
            "format": {"type": "str", "choices": [core.W8A8, core.FP8], "default": core.W8A8},
            "layout": {"type": "str", "choices": [core.PLAIN, core.REFLINK], "default": core.PLAIN},
            "mode": {"type": "raw", "default": "0644"},
            "timeout": {"type": "int", "default": 14400},
            "poll_interval": {"type": "int", "default": 10},
        },
        add_file_common_args=True,
        supports_check_mode=True,
    )
    for option in ("safetensors_path", "gguf_path", "output_path"):
        if not os.path.isabs(module.params[option]):
            module.fail_json(msg=f"{option} {module.params[option]} is no absolute path. Give the whole path on the managed host.")
    try:
        with contextlib.ExitStack() as stack:
            result = merge(module, stack)
    except core.MergeError as error:
        module.fail_json(msg=f"{error}")
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params['output_path']}: {error.strerror}. Finished shards are kept; the next run continues.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
