#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: Find the first cause in log files and journals of a host
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Reads log files, also compressed ones, directories of them and the journals of services, finds the first error by time and looks it up in the catalogue
    of messages of HCCL, DCMI, CANN, MindIE, kTransformers and the installers.
  - Logs are read as streams. Memory does not grow with their size, and lines longer than 16 KiB are cut.
  - What the catalogue does not know is said to be unknown. Nothing is changed.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  paths:
    description:
      - Log files, and directories that are searched with their subdirectories.
      - In directories only files with names of logs are read, such as C(plog-12_1.log), C(messages) and C(server.log.1.gz), and no symbolic links.
    type: list
    elements: path
    default: []
  units:
    description: Names of services whose last run is read from the journal. With V(*) those that systemd knows.
    type: list
    elements: str
    default: []
  last_start:
    description:
      - Whether what is older than the last start of the O(units) is left out, in O(paths) too.
      - Without O(units), or when none of them has run, everything counts.
    type: bool
    default: true
seealso:
  - plugin: npuops.ascend.explain
    plugin_type: filter
  - module: npuops.ascend.mindie_info
"""

EXAMPLES = r"""
- name: Why did the last start fail?
  npuops.ascend.explain:
    units: [mindie-*.service]
    paths: [/var/log/npuops]
  register: explained

- name: Show it
  ansible.builtin.debug:
    msg: "{{ explained.explanation | npuops.ascend.explain_text('zh', report=true) }}"
"""

RETURN = r"""
explanation:
  description: The first cause on this host, as P(npuops.ascend.explain#filter) describes it.
  returned: always
  type: dict
  sample: {"known": true, "id": "EI0006", "line": "EI0006: Getting socket times out."}
evidence:
  description: What P(npuops.ascend.explain#filter) needs to find the first cause of several hosts.
  returned: always
  type: dict
  sample: {"findings": [], "links": [], "places": []}
read:
  description: Files and units that were read.
  returned: always
  type: list
  elements: str
  sample: ["mindie-mindie.service", "/var/log/npuops/mindie/debug/plog/plog-7_20251012171733.log"]
not_read:
  description: What could not be read, with the reason.
  returned: always
  type: list
  elements: dict
  sample: [{"path": "/var/log/messages", "reason": "Permission denied"}]
"""

import gzip
import os
import re
import stat
import time
import typing as t
import zlib

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _explain, _systemd

_LOG_NAME = re.compile(r"\.(?:log|txt|out|err)(?:[.-]\d[\w.-]*)?(?:\.gz)?\Z|\.log\b[\w.-]*\Z|\A(?:messages|syslog|dmesg|kern\.log)[\w.-]*\Z", re.IGNORECASE)
_GZIP = b"\x1f\x8b"


class Reader:
    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.search = _explain.Search()
        self.offset = time.localtime().tm_gmtoff
        self.read: list[str] = []
        self.not_read: list[dict[str, str]] = []

    def skip(self, path: str, reason: str) -> None:
        self.not_read.append({"path": path, "reason": reason})

    def units(self, patterns: list[str], last_start: bool) -> None:
        starts = []
        for unit in _systemd.loaded(self.module, patterns) if patterns else ():
            properties = _systemd.show(self.module, unit, ("LoadState", "InvocationID"))
            lines = _systemd.journal(self.module, properties.get("InvocationID", ""), unit)
            if not lines:
                self.skip(unit, "there is no such unit" if properties.get("LoadState") == "not-found" else "it has not run, or the journal has lost it")
                continue
            starts += [line.time for line in lines if line.time is not None][:1]
            self.search.add(lines)
            self.read.append(unit)
        if last_start and starts:
            self.search.since = min(starts)

    def path(self, path: str) -> None:
        if not os.path.isdir(path):
            self.file(path)
            return
        for folder, folders, names in os.walk(path, onerror=lambda error: self.skip(str(error.filename), str(error.strerror))):
            folders.sort()
            for name in sorted(names):
                if _LOG_NAME.search(name) and not os.path.islink(os.path.join(folder, name)):
                    self.file(os.path.join(folder, name))

    def file(self, path: str) -> None:
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode):
                self.skip(path, "it is no regular file")
            elif self.search.since is None or status.st_mtime >= self.search.since:
                with open(path, "rb") as raw:
                    self.stream(path, raw)
        except (OSError, EOFError, zlib.error) as error:
            self.skip(path, getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def stream(self, path: str, raw: t.BinaryIO) -> None:
        start = raw.read(4096)
        raw.seek(0)
        stream = t.cast("t.BinaryIO", gzip.GzipFile(fileobj=raw)) if start.startswith(_GZIP) else raw
        if stream is raw and b"\0" in start:
            self.skip(path, "it is no text")
            return
        self.read.append(path)
        self.search.add(_explain.scan(path, stream, self.offset))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "paths": {"type": "list", "elements": "path", "default": []},
            "units": {"type": "list", "elements": "str", "default": []},
            "last_start": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    if not module.params["paths"] and not module.params["units"]:
        module.fail_json(msg="paths and units are both empty. Name a log file, a directory of logs, or a service.")
    reader = Reader(module)
    try:
        reader.units(module.params["units"], module.params["last_start"])
    except _systemd.SystemdError as problem:
        if not module.params["paths"]:
            module.fail_json(msg=str(problem))
        reader.skip(", ".join(module.params["units"]), str(problem))
    for path in module.params["paths"]:
        reader.path(path)
    evidence = reader.search.evidence()
    module.exit_json(
        changed=False, explanation=_explain.explain({"": evidence}), evidence=evidence, read=reader.read[:1000], not_read=reader.not_read[:100]
    )


if __name__ == "__main__":
    main()
