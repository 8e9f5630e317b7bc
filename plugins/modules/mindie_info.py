#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mindie_info
short_description: What a MindIE service on this host is doing
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads the state of the systemd unit, its journal since the last start and the daemon's own log files, and says whether the service
    is stopped, starting, ready or failed, how far the start has come, and which error came first.
  - Says whether the running service was started with the configuration that lies on disk now.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  unit:
    description: Name of the systemd unit.
    type: str
    required: true
  inputs:
    description: Files that the service is started with.
    type: list
    elements: path
    default: []
  started_with:
    description:
      - File with the checksums of O(inputs) as C(sha256sum) prints them, written by the unit at its start.
    type: path
  log_dir:
    description: Directory with the daemon's log files, searched with its subdirectories.
    type: path
  url:
    description:
      - Base URL of the service. When given, V(ready) also asks for an answer of C(/v1/models).
      - Leave it out on a worker, which opens no port.
    type: str
"""

EXAMPLES = r"""
- name: Wait until the service has started
  npuops.ascend.mindie_info:
    unit: mindie-deepseek.service
    log_dir: /var/log/npuops/deepseek
    url: http://192.0.2.11:1025
  register: service
  until: service.state != 'starting'
  retries: 360
  delay: 5
"""

RETURN = r"""
state:
  description: One of V(stopped), V(starting), V(ready), V(failed).
  returned: always
  type: str
  sample: ready
phase:
  description: The furthest point that the last start has reached, in words.
  returned: always
  type: str
  sample: waiting for the other hosts and loading the weights
current:
  description: Whether the service runs and was started with O(inputs) as they are now.
  returned: always
  type: bool
  sample: true
enabled:
  description: Whether the unit is started at boot.
  returned: always
  type: bool
  sample: true
first_error:
  description: The earliest error since the last start. A consequence of another error is passed over. V(null) when there is none.
  returned: always
  type: dict
  contains:
    text:
      description: The line.
      type: str
      returned: always
    source:
      description: V(journal), or the path of the log file.
      type: str
      returned: always
  sample: {"text": "Parameter device_ip is invalid in ranktable file.", "source": "journal"}
evidence:
  description: What journal and log files report, for P(npuops.ascend.explain#filter). Empty when the service is ready.
  returned: always
  type: dict
  sample: {"findings": [], "links": [], "places": []}
last_lines:
  description: The last lines of the journal.
  returned: always
  type: list
  elements: str
  sample: ["Daemon start success!"]
"""

import hashlib
import json
import os
import time
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url
from ansible_collections.npuops.ascend.plugins.module_utils import _explain, _systemd
from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_log as log

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "InvocationID", "ExecMainStartTimestampMonotonic", "NRestarts", "Job")


def _logs(directory: str | None, since: float) -> list[list[_explain.Line]]:
    """Of each log file the lines since then that may matter."""
    logs: list[list[_explain.Line]] = []
    offset = time.localtime().tm_gmtoff
    for folder, _folders, names in os.walk(directory or ""):
        for name in sorted(names):
            path = os.path.join(folder, name)
            try:
                if not name.endswith(".log") or os.stat(path).st_mtime < since:
                    continue
                with open(path, "rb") as stream:
                    logs.append([line for line in _explain.scan(path, stream, offset, log.MARKERS) if line.time is None or line.time >= since])
            except OSError:
                continue
    return logs


def _checksums(paths: t.Iterable[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for path in paths:
        try:
            with open(path, "rb") as stream:
                found[path] = hashlib.sha256(stream.read()).hexdigest()
        except OSError:
            found[path] = None
    return found


def _started_with(path: str | None) -> dict[str, str]:
    try:
        with open(path or "", encoding="utf-8") as stream:
            return {name.strip(): digest for digest, name in (line.split(None, 1) for line in stream if line.strip())}
    except (OSError, ValueError):
        return {}


def _answers(url: str) -> bool:
    try:
        with open_url(f"{url}/v1/models", timeout=5, use_proxy=False) as response:
            return bool(json.load(response).get("data"))
    except (OSError, ValueError, AttributeError):
        return False


def _state(unit: dict[str, str], journal: list[_explain.Line], url: str | None) -> str:
    active = unit.get("ActiveState")
    # What was asked of systemd without waiting is not done yet: the unit, and its journal, are those of the start before.
    if unit.get("Job", "") not in ("", "0"):
        return "starting"
    if active == "failed":
        return "failed"
    if active == "inactive":
        # The daemon ends by itself only when something is wrong; a unit that was never started or was stopped has no restart pending.
        return "failed" if journal and not log.started(journal) else "stopped"
    if active == "activating" and unit.get("NRestarts", "0") != "0":
        return "failed"
    if active == "active" and log.started(journal) and (url is None or _answers(url)):
        return "ready"
    return "starting"


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "unit": {"type": "str", "required": True},
            "inputs": {"type": "list", "elements": "path", "default": []},
            "started_with": {"type": "path"},
            "log_dir": {"type": "path"},
            "url": {"type": "str"},
        },
        supports_check_mode=True,
    )
    try:
        unit = _systemd.show(module, module.params["unit"], _PROPERTIES)
    except _systemd.SystemdError as problem:
        module.fail_json(msg=str(problem))
    journal = _systemd.journal(module, unit.get("InvocationID", ""))
    since = min((line.time for line in journal if line.time is not None), default=float("inf"))
    logs = [journal, *_logs(module.params["log_dir"], since)]
    state = _state(unit, journal, module.params["url"])
    search = _explain.Search()
    for lines in logs if state != "ready" else ():
        search.add(lines)
    evidence = search.evidence()
    error = _explain.first_error(evidence)
    wanted = _checksums(module.params["inputs"])
    module.exit_json(
        changed=False,
        state=state,
        phase=log.phase(line for lines in logs for line in lines),
        current=state in ("starting", "ready") and _started_with(module.params["started_with"]) == wanted,
        enabled=unit.get("UnitFileState") == "enabled",
        first_error={"text": error["line"], "source": error["file"]} if error else None,
        evidence=evidence,
        last_lines=[line.text for line in journal[-20:]],
    )


if __name__ == "__main__":
    main()
