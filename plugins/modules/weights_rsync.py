#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_rsync
short_description: Transfer weights with rsync and show how far it is
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Takes files from an rsync server, or from the controller, into a directory of the host. An interrupted transfer continues, and of a changed file only
    what differs is transferred.
  - Bytes, rate and time left are shown on the controller.
  - Needs rsync on the host, and for files of the controller also there.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.progress
attributes:
  check_mode:
    support: none
  diff_mode:
    support: none
  idempotent:
    support: full
  async:
    support: none
options:
  src:
    description: A folder of an rsync server as C(rsync://ADDRESS:PORT/MODULE/), or a folder (with a slash at the end) or file of the controller.
    type: str
    required: true
  dest:
    description: Directory on the host.
    type: path
    required: true
  files:
    description: Paths below an rsync server's O(src) to transfer, even if size and time of change are the same. By default everything.
    type: list
    elements: str
    default: []
  total_bytes:
    description: How much is there when everything is transferred, for the line of progress.
    type: int
    default: 0
  copy_links:
    description: Transfer what symbolic links lead to, instead of the links. For files of the controller.
    type: bool
    default: false
  rate_limit:
    description: Bytes per second at most. 0 is no limit.
    type: int
    default: 0
  progress:
    description: File on the host that says how far the transfer is, outside of O(dest).
    type: path
    required: true
  measure:
    description: Only say how much is there. Nothing is transferred.
    type: bool
    default: false
  timeout:
    description: Seconds after which the transfer is given up. The next run continues it.
    type: int
    default: 14400
  poll_interval:
    description: Seconds between two lines of progress.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Take the weights from another host
  npuops.ascend.weights_rsync:
    src: rsync://192.0.2.11:16881/weights/
    dest: /data/DeepSeek-R1-W8A8
    total_bytes: 690000000000
    progress: /var/lib/npuops/weights/r1.progress
"""

RETURN = r"""
used_bytes:
  description: What the files in O(dest) take on the disk.
  returned: success
  type: int
  sample: 690000000000
"""

import os
import threading
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils._progress import ProgressFile

WATCH_SECONDS = 1.0
# Hidden, so that it is no part of the model; what was interrupted continues from there.
PARTIAL = ".rsync-partial"


def used_bytes(path: str) -> int:
    total = 0
    for folder, _folders, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def watch(path: str, progress: ProgressFile, ended: threading.Event) -> None:
    before = used_bytes(path)
    while not ended.wait(WATCH_SECONDS):
        progress.reach(max(0, used_bytes(path) - before))


def transfer(module: AnsibleModule) -> bool:
    params = module.params
    argv = [module.get_bin_path("rsync", required=True), "--recursive", "--times", "--partial", f"--partial-dir={PARTIAL}", "--itemize-changes"]
    # Hosts that have just made the file may have given it the time of the other.
    argv += ["--ignore-times", "--files-from=-"] if params["files"] else []
    argv += [f"--bwlimit={max(1, params['rate_limit'] // 1024)}"] if params["rate_limit"] else []
    names = "".join(f"{name}\n" for name in params["files"])
    os.makedirs(params["dest"], mode=0o750, exist_ok=True)
    left = max(0, params["total_bytes"] - used_bytes(params["dest"]))
    progress, ended = ProgressFile(params["progress"], left, "rsync"), threading.Event()
    watcher = threading.Thread(target=watch, args=(params["dest"], progress, ended), daemon=True)
    watcher.start()
    try:
        rc, stdout, stderr = module.run_command([*argv, "--", params["src"], params["dest"]], data=names or None, binary_data=False)
    finally:
        ended.set()
        watcher.join()
        progress.remove()
    if rc != 0:
        said = " ".join(stderr.split())[-300:]
        module.fail_json(msg=f"rsync from {params['src']} failed (exit {rc}): {said}. Run again: it continues where it was.")
    return any(line.startswith((">f", "cd")) for line in stdout.splitlines())


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "str", "default": []},
            "total_bytes": {"type": "int", "default": 0},
            "copy_links": {"type": "bool", "default": False},
            "rate_limit": {"type": "int", "default": 0},
            "progress": {"type": "path", "required": True},
            "measure": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 14400},
            "poll_interval": {"type": "int", "default": 10},
        },
    )
    result: dict[str, t.Any] = {"changed": False if module.params["measure"] else transfer(module)}
    module.exit_json(**result, used_bytes=used_bytes(module.params["dest"]))


if __name__ == "__main__":
    main()
