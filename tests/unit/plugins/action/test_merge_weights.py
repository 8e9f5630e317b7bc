# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.npuops.ascend.plugins.action import merge_weights as action
from ansible_collections.npuops.ascend.plugins.plugin_utils import _background as background

STATE = {"total_bytes": 400_000_000_000, "done_bytes": 100_000_000_000, "seconds": 100.0, "shard": "model-00015-of-00061.safetensors"}


class Run:
    """The action with a host that answers from a list, and with the lines that it shows."""

    def __init__(self, monkeypatch, statuses, args=None, check=False, async_val=0, progress=True):
        self.calls, self.lines, self.pauses = [], [], []
        self.task = mock.Mock(args={"output_path": "/out", **(args or {})}, check_mode=check, async_val=async_val)
        self.plugin = action.ActionModule.__new__(action.ActionModule)
        self.plugin._task = self.task
        statuses = iter(statuses)

        def execute(module_name=None, module_args=None, task_vars=None, wrap_async=False):
            self.calls.append((module_name, wrap_async, self.task.async_val))
            if module_name == "ansible.builtin.slurp":
                assert module_args == {"src": "/out/.merge_weights.progress.json"}
                return {"content": base64.b64encode(json.dumps(STATE).encode()).decode()} if progress else {"failed": True}
            return {"ansible_job_id": "j1"} if wrap_async else {"changed": True}

        monkeypatch.setattr(self.plugin, "_execute_module", execute, raising=False)
        monkeypatch.setattr(self.plugin, "_status", lambda job, mode, task_vars: next(statuses) if mode == "status" else {}, raising=False)
        monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
        monkeypatch.setattr(background.Display, "display", lambda _self, line: self.lines.append(line))
        monkeypatch.setattr(background.time, "sleep", self.pauses.append)

    def result(self):
        return self.plugin.run(task_vars={"inventory_hostname": "npu01"})


def test_progress_is_shown_until_the_job_ends(monkeypatch):
    run = Run(monkeypatch, [{}, {}, {"finished": True, "ansible_job_id": "j1", "started": True, "changed": True, "written_bytes": 5}])
    assert run.result() == {"changed": True, "written_bytes": 5}
    assert run.lines == ["npu01: model-00015-of-00061.safetensors: 100.0 of 400.0 GB (25 %), 1.00 GB/s, about 5 min 00 s left"] * 2
    # The time limit is given to the job, and to nothing else.
    assert run.calls[0] == (None, True, 14400) and run.task.async_val == 0
    assert run.pauses == [1, 2, 4]


def test_pauses_do_not_grow_beyond_the_interval(monkeypatch):
    run = Run(monkeypatch, [{}] * 5 + [{"finished": True}], {"poll_interval": 3})
    run.result()
    assert run.pauses == [1, 2, 3, 3, 3, 3]


def test_nothing_is_shown_before_there_is_progress(monkeypatch):
    run = Run(monkeypatch, [{}, {"finished": True, "failed": True, "msg": "swapped"}], progress=False)
    assert run.result() == {"failed": True, "msg": "swapped"} and run.lines == []


@pytest.mark.parametrize("options, call", [
    ({"check": True}, (None, False, 0)), ({"async_val": 60}, (None, True, 60)), ({"args": {"timeout": "soon"}}, (None, False, 0)),
])
def test_runs_that_are_not_followed(monkeypatch, options, call):
    run = Run(monkeypatch, [], **options)
    run.result()
    assert run.calls == [call]


def test_a_job_that_does_not_end(monkeypatch):
    run = Run(monkeypatch, iter(lambda: {}, None), {"timeout": 60})
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr(background.time, "monotonic", lambda: next(clock))
    with pytest.raises(AnsibleActionFail, match="did not end within 60 seconds"):
        run.result()
