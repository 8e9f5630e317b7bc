#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_manifest
short_description: Make the manifest of a model, or check a directory against it
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - A manifest lists path, size and SHA-256 of every file of a model. It is made once, on the host that obtained the model, and every other copy is checked
    against it.
  - A check looks at names, sizes and times of change first. Data is read only where a file was changed since it was last read, several files at a time.
    A check of unchanged weights reads no data.
  - While data is read, bytes, rate and time left are shown on the controller. The work runs in the background of the host, so a dropped connection does not
    end it.
  - Hidden files and folders, which the clients of the hubs keep beside the model, and unfinished downloads are not part of a model.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.progress
attributes:
  check_mode:
    support: full
    details: Nothing is written, and no data is read.
  diff_mode:
    support: none
  idempotent:
    support: full
  async:
    support: full
    details: Progress is not shown then.
options:
  path:
    description: Directory of the model.
    type: path
    required: true
  manifest:
    description:
      - File of the manifest on the host, outside of O(path). Its folder is made when it is absent.
      - What was read is noted beside it in a file with C(.read) at the end of the name.
    type: path
    required: true
  state:
    description:
      - With V(checked) the directory is compared. Nothing is there to compare with when there is neither a file O(manifest) nor O(content);
        RV(complete) is false then.
      - With V(present) the manifest is made when it does not exist, or when its source is another one than O(source). Otherwise as with V(checked).
    type: str
    choices: [checked, present]
    default: checked
  content:
    description: The manifest as another host has made it, RV(manifest) there. It replaces the file when it differs.
    type: str
  source:
    description:
      - Where the files come from, in any words. It is kept in the manifest.
      - A manifest with another source counts as absent, so that a new revision is obtained.
    type: str
    default: ""
  checksums:
    description:
      - What C(sha256sum) printed where the model was published. A file that differs from it, or that it lists and that is absent, is an error and no manifest
        is made. Used with O(state=present).
    type: str
  links:
    description:
      - What happens with symbolic links when the manifest is made. With V(refuse) they are an error, for MindIE loads no links.
      - With V(resolve) a link is replaced by the file that it leads to, as a second name of the same data where that is on the same file system.
        A link into a hub's cache is such a one.
    type: str
    choices: [refuse, resolve]
    default: refuse
  full:
    description: Read all files again, even those that are unchanged by size and time.
    type: bool
    default: false
  read:
    description: With V(false) no data is read; files that would have to be read are listed in RV(unread).
    type: bool
    default: true
  jobs:
    description: Number of files that are read at a time. By default as many as there are processors, but no more than 16.
    type: int
  timeout:
    description: Seconds after which reading is given up. What was read is noted, so the next run continues.
    type: int
    default: 14400
  poll_interval:
    description: Seconds between two lines of progress.
    type: int
    default: 10
seealso:
  - module: npuops.ascend.weights_info
    description: Compares headers, index and permissions, without a manifest.
  - module: npuops.ascend.weights_swarm
"""

EXAMPLES = r"""
- name: Note what the weights are
  npuops.ascend.weights_manifest:
    path: /data/DeepSeek-R1-W8A8
    manifest: /var/lib/npuops/weights/r1.json
    state: present
  register: made
  run_once: true

- name: Check every copy against it
  npuops.ascend.weights_manifest:
    path: /data/DeepSeek-R1-W8A8
    manifest: /var/lib/npuops/weights/r1.json
    content: "{{ made.manifest }}"
  register: checked
  failed_when: not checked.complete
"""

RETURN = r"""
path:
  description: Directory of the model.
  returned: success
  type: str
  sample: /data/DeepSeek-R1-W8A8
source:
  description: The option O(source).
  returned: success
  type: str
  sample: modelscope vllm-ascend/DeepSeek-R1-0528-W8A8 master
manifest:
  description: The manifest as text; empty when there is none.
  returned: success
  type: str
  sample: '{"version": 1, "source": "", "files": []}'
complete:
  description: Whether there is a manifest and every file of it is there, unchanged.
  returned: success
  type: bool
  sample: true
missing:
  description: Files of the manifest that are absent.
  returned: success
  type: list
  elements: str
  sample: []
wrong_size:
  description: Files whose size is not that of the manifest.
  returned: success
  type: list
  elements: str
  sample: []
damaged:
  description: Files of the right size whose data is not that of the manifest.
  returned: success
  type: list
  elements: str
  sample: [quant_model_weight_w8a8_dynamic-00017-of-00157.safetensors]
unread:
  description: Files of the right size whose data would have to be read.
  returned: success
  type: list
  elements: str
  sample: []
unread_bytes:
  description: Size of what would have to be read, also for a manifest that would have to be made.
  returned: success
  type: int
  sample: 0
extra:
  description: Files that the manifest does not list.
  returned: success
  type: list
  elements: str
  sample: []
links:
  description: Symbolic links that were, or in check mode would be, replaced.
  returned: success
  type: list
  elements: str
  sample: []
total_bytes:
  description: Size of the model according to the manifest.
  returned: success
  type: int
  sample: 690000000000
present_bytes:
  description: How much of it already takes its place on the disk. Without a manifest it is what the files of the directory take.
  returned: success
  type: int
  sample: 690000000000
free_bytes:
  description: What the file system of O(path) has free.
  returned: success
  type: int
  sample: 3000000000000
read_bytes:
  description: Bytes that were read from the files of the model.
  returned: success
  type: int
  sample: 0
"""

import hashlib
import os
import shutil
import stat
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _manifest as core
from ansible_collections.npuops.ascend.plugins.module_utils._progress import ProgressFile

# Large enough that a disk is read in long runs, small enough for the cache of a processor.
BLOCK = 4 * 1024 * 1024
MAX_JOBS = 16


def existing_parent(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def read_text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def used_bytes(path: str) -> int:
    """What is in the directory, unfinished downloads included: without a manifest it cannot be told apart."""
    return sum(os.lstat(os.path.join(folder, name)).st_blocks * 512 for folder, _folders, names in os.walk(path) for name in names)


class Folder:
    """The files of a model on the disk."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.files: dict[str, core.Stat] = {}
        self.links: list[str] = []
        for folder, folders, names in os.walk(path):
            relative = os.path.relpath(folder, path)
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in [*names, *folders]:
                self._add(os.path.normpath(os.path.join(relative, name)))

    def _add(self, name: str) -> None:
        if not core.belongs(name):
            return
        status = os.lstat(self.file(name))
        if stat.S_ISLNK(status.st_mode):
            self.links.append(name)
        elif stat.S_ISREG(status.st_mode):
            self.files[name] = core.Stat(status.st_size, status.st_mtime_ns, status.st_blocks * 512)

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)

    def resolve(self, name: str) -> None:
        """Replace a link by the file that it leads to."""
        link, target = self.file(name), os.path.realpath(self.file(name))
        if not os.path.isfile(target):
            raise core.ManifestError(f"{link} is a symbolic link to {os.readlink(link)}, which is no file. Download the file again.")
        part = f"{link}.part"
        if os.path.lexists(part):
            os.unlink(part)
        try:
            os.link(target, part)
        except OSError:
            shutil.copy2(target, part)
        os.replace(part, link)
        self._add(name)

    def hash(self, names: t.Sequence[str], jobs: int, progress: ProgressFile) -> core.Known:
        """Read files, largest first so that none is left alone at the end."""
        order = sorted(names, key=lambda name: -self.files[name].size)
        with ThreadPoolExecutor(max_workers=jobs) as pool:
            digests = pool.map(lambda name: self._digest(name, progress), order)
            return {name: (self.files[name].size, self.files[name].mtime_ns, digest) for name, digest in zip(order, digests)}

    def _digest(self, name: str, progress: ProgressFile) -> str:
        digest, buffer = hashlib.sha256(), bytearray(BLOCK)
        view = memoryview(buffer)
        # Hashing and reading release Python's lock, so threads keep several processors busy.
        with open(self.file(name), "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                digest.update(view[:count])
                progress.advance(count)
        return digest.hexdigest()


def check_sums(sums: dict[str, str], manifest: core.Manifest) -> None:
    absent = sorted(set(sums) - set(manifest.files))
    wrong = sorted(path for path, digest in sums.items() if path in manifest.files and manifest.files[path].sha256 != digest)
    if absent or wrong:
        raise core.ManifestError(
            f"The weights are not those of the checksums. Absent: {', '.join(absent) or 'none'}. Other data: {', '.join(wrong) or 'none'}. "
            "Remove these files and obtain them again, or correct the checksums."
        )


class Notes:
    """The manifest, and beside it what was read."""

    def __init__(self, path: str, module: AnsibleModule) -> None:
        self.path = path
        self.module = module
        self.text = read_text(path) or ""
        self.known = core.parse_known(read_text(f"{path}.read") or "")

    def write(self, text: str) -> bool:
        if text == self.text:
            return False
        self.text = text
        self._replace(self.path, text)
        return True

    def note(self, known: core.Known) -> None:
        if known != self.known:
            self.known = known
            self._replace(f"{self.path}.read", core.render_known(known))

    def folder(self) -> None:
        os.makedirs(os.path.dirname(self.path), mode=0o755, exist_ok=True)

    def _replace(self, path: str, text: str) -> None:
        if self.module.check_mode:
            return
        self.folder()
        with open(f"{path}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(f"{path}.new", path)


class Check:
    def __init__(self, module: AnsibleModule) -> None:
        self.params = module.params
        self.check_mode = module.check_mode
        self.read = module.params["read"] and not module.check_mode
        self.path = os.path.normpath(self.params["path"])
        self.folder = Folder(self.path)
        self.notes = Notes(self.params["manifest"], module)
        self.read_bytes = 0
        self.changed = False

    def run(self) -> dict[str, t.Any]:
        if self.params["content"] is not None:
            self.changed = self.notes.write(core.render(core.parse(self.params["content"])))
        manifest = core.parse(self.notes.text) if self.notes.text else None
        if manifest is not None and manifest.source != self.params["source"]:
            manifest = None
        if manifest is None and self.params["state"] == "present":
            return self._make()
        if manifest is None:
            return self._result(core.Manifest({}), core.Comparison(missing=["the manifest"]), there=False)
        return self._compare(manifest)

    def _make(self) -> dict[str, t.Any]:
        links = list(self.folder.links)
        self.changed = True
        if links and self.params["links"] == "refuse":
            raise core.ManifestError(
                f"{self.path} has symbolic links, which the engine refuses: {', '.join(links[:3])}{' and more' if len(links) > 3 else ''}. "
                "Have them replaced by the files (links: resolve), or download without links."
            )
        if not self.folder.files and not links:
            raise core.ManifestError(f"{self.path} has no files. Put the weights there, or correct the path.")
        if not self.read:
            unread = sorted([*self.folder.files, *links])
            return self._result(core.Manifest({}), core.Comparison(unread=unread), links=links)
        for name in links:
            self.folder.resolve(name)
        known = self._hash(self.folder.files)
        files = {name: core.File(size, digest) for name, (size, _mtime, digest) in known.items()}
        manifest = core.Manifest(files, self.params["source"])
        if self.params["checksums"]:
            check_sums(core.parse_sums(self.params["checksums"]), manifest)
        self.notes.note(known)
        self.notes.write(core.render(manifest))
        return self._result(manifest, core.Comparison(), links=links)

    def _compare(self, manifest: core.Manifest) -> dict[str, t.Any]:
        known = {} if self.params["full"] else self.notes.known
        compared = core.compare(manifest, self.folder.files, known)
        if compared.unread and self.read:
            known = {**self.notes.known, **self._hash(compared.unread)}
            self.notes.note({path: entry for path, entry in known.items() if path in manifest.files})
            compared = core.compare(manifest, self.folder.files, known)
        return self._result(manifest, compared)

    def _hash(self, names: t.Iterable[str]) -> core.Known:
        names = list(names)
        total = sum(self.folder.files[name].size for name in names)
        self.notes.folder()
        progress = ProgressFile(f"{self.notes.path}.progress", total, "reading the weights")
        jobs = self.params["jobs"] or min(os.cpu_count() or 1, MAX_JOBS)
        try:
            known = self.folder.hash(names, jobs, progress)
        finally:
            progress.remove()
        self.read_bytes += total
        return known

    def _result(self, manifest: core.Manifest, compared: core.Comparison, links: t.Sequence[str] = (), there: bool = True) -> dict[str, t.Any]:
        space = os.statvfs(existing_parent(self.path))
        return {
            "changed": self.changed,
            "path": self.path,
            "source": self.params["source"],
            "manifest": core.render(manifest) if there and manifest.files else "",
            "complete": there and bool(manifest.files) and compared.complete,
            "missing": compared.missing if there else [],
            "wrong_size": compared.wrong_size,
            "damaged": compared.damaged,
            "unread": compared.unread,
            "unread_bytes": sum(os.stat(self.folder.file(name)).st_size for name in compared.unread),
            "extra": compared.extra,
            "links": list(links),
            "total_bytes": manifest.total_bytes,
            "present_bytes": core.present_bytes(manifest, self.folder.files) if there else used_bytes(self.path),
            "free_bytes": space.f_bavail * space.f_frsize,
            "read_bytes": self.read_bytes,
        }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "manifest": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["checked", "present"], "default": "checked"},
            "content": {"type": "str"},
            "source": {"type": "str", "default": ""},
            "checksums": {"type": "str"},
            "links": {"type": "str", "choices": ["refuse", "resolve"], "default": "refuse"},
            "full": {"type": "bool", "default": False},
            "read": {"type": "bool", "default": True},
            "jobs": {"type": "int"},
            "timeout": {"type": "int", "default": 14400},
            "poll_interval": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    try:
        module.exit_json(**Check(module).run())
    except core.ManifestError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params['path']}: {error.strerror}. Run the task with become, and look at the disk.")


if __name__ == "__main__":
    main()
