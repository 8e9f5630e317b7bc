#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_swarm
short_description: Take part in spreading a model within a group of hosts
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Hosts of a group get the files of a manifest from each other, by the BitTorrent engine libtorrent (rasterbar), as a transient systemd unit.
    Every piece is checked by its hash, a started transfer continues with the pieces that are there, and of a damaged file only its damaged pieces are fetched.
  - The swarm is closed. It has no tracker, no DHT and no search in the local network. Every host is told the addresses of the others, refuses all others, and
    listens on one address. The torrent is private.
  - With O(state=joined) the task waits until this host has everything, and shows bytes, rate and time left on the controller. The host goes on serving
    others until it is told to leave. A host that is unreachable meanwhile, even one that lost its power, is waited for, and continues when it is back.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.progress
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: full
    details: A host that has everything and joins a swarm again reports a change, for it serves again.
  async:
    support: none
options:
  path:
    description: Directory of the model, the same on all hosts.
    type: path
    required: true
  folder:
    description: Folder on the host for torrent, settings and state. O(state=left) removes it.
    type: path
    required: true
  state:
    description:
      - With V(joined) the unit is started unless it runs, and waited for.
      - With V(left) the unit is stopped, and O(folder) removed.
    type: str
    choices: [joined, left]
    default: joined
  manifest:
    description: Text of the manifest, RV(npuops.ascend.weights_manifest#module:manifest). Required to join.
    type: str
  torrent:
    description:
      - The torrent, RV(torrent) of the host that has everything, as Base64. Without it this host must have all files, and makes the torrent.
    type: str
  complete:
    description: Whether the files of this host were checked against the manifest just now, and need no second reading.
    type: bool
    default: false
  driver:
    description: The program on the host that drives the engine, C(files/swarm.py) of the role C(npuops.ascend.weights).
    type: path
  python:
    description: Interpreter on the host that has the Python package C(libtorrent).
    type: path
    default: /usr/bin/python3
  address:
    description: Own address, on which is listened. Required to join.
    type: str
  interface:
    description: Name of the network interface to use instead of whatever has O(address).
    type: str
    default: ""
  peers:
    description: Addresses of all hosts of the group. Its own is ignored.
    type: list
    elements: str
    default: []
  port:
    description: TCP port, the same on all hosts. Two models that are spread at the same time need two ports.
    type: int
    default: 16881
  rate_limit:
    description: Bytes per second that the host receives, and the same again that it sends, at most. 0 is no limit.
    type: int
    default: 0
  timeout:
    description: Seconds after which waiting is given up; the unit ends by itself then, too. The next run continues.
    type: int
    default: 14400
  poll_interval:
    description: Seconds between two looks, and two lines of progress.
    type: int
    default: 5
seealso:
  - module: npuops.ascend.weights_manifest
"""

EXAMPLES = r"""
- name: Get the model from the hosts that have it
  npuops.ascend.weights_swarm:
    path: /data/DeepSeek-R1-W8A8
    folder: /var/lib/npuops/weights/r1
    manifest: "{{ made.manifest }}"
    torrent: "{{ seed.torrent }}"
    driver: /var/lib/npuops/weights/swarm.py
    address: 192.0.2.12
    peers: [192.0.2.11, 192.0.2.12, 192.0.2.13]

- name: Leave when all have it
  npuops.ascend.weights_swarm:
    path: /data/DeepSeek-R1-W8A8
    folder: /var/lib/npuops/weights/r1
    state: left
"""

RETURN = r"""
complete:
  description: Whether this host has everything.
  returned: success
  type: bool
  sample: true
phase:
  description: What the engine does.
  returned: success
  type: str
  sample: seeding
total_bytes:
  description: Size of the model.
  returned: success
  type: int
  sample: 690000000000
done_bytes:
  description: How much of it is there and checked.
  returned: success
  type: int
  sample: 690000000000
kept_bytes:
  description: How much was there, and right, before the transfer.
  returned: success
  type: int
  sample: 0
downloaded_bytes:
  description: How much came over the network.
  returned: success
  type: int
  sample: 690000000000
seconds:
  description: How long the transfer took.
  returned: success
  type: float
  sample: 612.4
peers:
  description: Number of connected peers at the last look.
  returned: success
  type: int
  sample: 5
torrent:
  description: The torrent as Base64, when this host made it; otherwise empty.
  returned: success
  type: str
  sample: ""
unit:
  description: The systemd unit.
  returned: success
  type: str
  sample: npuops-weights-DeepSeek-R1-W8A8-5f2c7d10.service
"""

import base64
import json
import os
import shutil
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _manifest
from ansible_collections.npuops.ascend.plugins.module_utils import _swarm as core
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli, VendorCliError

WORDS = ("complete", "phase", "total_bytes", "done_bytes", "kept_bytes", "downloaded_bytes", "seconds", "peers")


class Swarm:
    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params
        self.path = os.path.normpath(self.params["path"])
        self.folder = os.path.normpath(self.params["folder"])
        self.unit = core.unit_name(self.path)
        self.systemctl = VendorCli(module, "systemctl")

    def file(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def runs(self) -> bool:
        return self.systemctl.run("is-active", "--quiet", self.unit).rc == 0

    def left(self) -> dict[str, t.Any]:
        changed = self.runs() or os.path.isdir(self.folder)
        if not self.module.check_mode:
            self._stop()
            shutil.rmtree(self.folder, ignore_errors=True)
        return {**self._result({"phase": "left"}), "changed": changed}

    def _stop(self) -> None:
        if self.runs():
            self._succeed(self.systemctl.run("stop", self.unit))
        # A unit that failed stays in systemd's memory until it is told to forget it.
        self.systemctl.run("reset-failed", self.unit)

    @staticmethod
    def _succeed(reply: Reply) -> None:
        if reply.rc != 0:
            raise VendorCliError.from_reply(f"{' '.join(reply.argv[:2])} failed (exit {reply.rc}): {reply.text}", reply)

    def joined(self) -> dict[str, t.Any]:
        manifest = _manifest.parse(self.params["manifest"])
        config = core.settings(
            manifest, self.path, self.folder, self.params["address"], self.params["peers"], self.params["port"],
            self.params["interface"], self.params["rate_limit"], self.params["complete"],
        )
        runs = self.runs() and self._settings() == config
        if self.module.check_mode:
            return {**self._result(core.parse_state("{}")), "changed": not runs}
        if not runs:
            failure = self._failure()
            self._stop()
            if failure:
                raise core.SwarmError(f"{self.unit} has ended: {failure}")
            self._start(manifest, config)
        state = self._state()
        if state["error"]:
            raise core.SwarmError(f"{self.unit} on {config['outgoing']}, port {config['port']}: {state['error']}. Run again when that is put right.")
        return {**self._result(state), "changed": not runs}

    def _settings(self) -> t.Any:
        try:
            with open(self.file("settings.json"), encoding="utf-8") as file:
                return json.load(file)
        except (FileNotFoundError, ValueError):
            return {}

    def _start(self, manifest: _manifest.Manifest, config: dict[str, t.Any]) -> None:
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        os.makedirs(self.path, mode=0o750, exist_ok=True)
        # What an earlier unit said must not be taken for the word of this one, nor the torrent of other files for that of these.
        stale = ["state.json"] if self._settings().get("manifest") == config["manifest"] else ["state.json", "torrent"]
        for name in stale:
            if os.path.exists(self.file(name)):
                os.unlink(self.file(name))
        if self.params["torrent"]:
            with open(self.file("torrent"), "wb") as file:
                file.write(base64.b64decode(self.params["torrent"]))
        self._make_way(manifest)
        with open(self.file("settings.json"), "w", encoding="utf-8") as file:
            json.dump(config, file)
        argv = [f"--unit={self.unit}", "--quiet"]
        argv += [f"--property={line}" for line in core.unit_properties(config, self.folder, self.params["timeout"])]
        self._succeed(VendorCli(self.module, "systemd-run").run(*argv, "--", self.params["python"], self.params["driver"], self.file("settings.json")))

    def _make_way(self, manifest: _manifest.Manifest) -> None:
        """Links would be written through, and what stands behind the end of a file would stay."""
        for name, file in manifest.files.items():
            path = os.path.join(self.path, name)
            if os.path.islink(path):
                os.unlink(path)
            elif os.path.isfile(path) and os.path.getsize(path) > file.size:
                os.truncate(path, file.size)

    def _failure(self) -> str:
        """The last words of a unit that has failed; empty for one that never ran, or that went with its host."""
        if self.systemctl.run("is-failed", "--quiet", self.unit).rc != 0:
            return ""
        journal = VendorCli(self.module, "journalctl").run(f"--unit={self.unit}", "--no-pager", "--output=cat", "--lines=5")
        return " ".join(journal.stdout.split()) or "failed without a word"

    def _state(self) -> dict[str, t.Any]:
        try:
            with open(self.file("state.json"), encoding="utf-8") as file:
                state = core.parse_state(file.read())
        except FileNotFoundError:
            state = core.parse_state("{}")
        if not self.runs():
            state["error"] = state["error"] or self._failure() or "the unit is not running"
        return state

    def _result(self, state: dict[str, t.Any]) -> dict[str, t.Any]:
        state = {**core.parse_state("{}"), **state, "complete": state["phase"] == "seeding"}
        torrent = ""
        if state["complete"] and not self.params["torrent"]:
            with open(self.file("torrent"), "rb") as file:
                torrent = base64.b64encode(file.read()).decode("ascii")
        return {**{name: state[name] for name in WORDS}, "unit": self.unit, "torrent": torrent}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "folder": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["joined", "left"], "default": "joined"},
            "manifest": {"type": "str"},
            "torrent": {"type": "str"},
            "complete": {"type": "bool", "default": False},
            "driver": {"type": "path"},
            "python": {"type": "path", "default": "/usr/bin/python3"},
            "address": {"type": "str"},
            "interface": {"type": "str", "default": ""},
            "peers": {"type": "list", "elements": "str", "default": []},
            "port": {"type": "int", "default": 16881},
            "rate_limit": {"type": "int", "default": 0},
            "timeout": {"type": "int", "default": 14400},
            "poll_interval": {"type": "int", "default": 5},
        },
        required_if=[("state", "joined", ["manifest", "driver", "address"])],
        supports_check_mode=True,
    )
    swarm = Swarm(module)
    try:
        module.exit_json(**(swarm.joined() if module.params["state"] == "joined" else swarm.left()))
    except (core.SwarmError, _manifest.ManifestError, VendorCliError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or swarm.folder}: {error.strerror}. Run the task with become, and look at the disk.")


if __name__ == "__main__":
    main()
