# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from unittest import mock

import pytest
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.npuops.ascend.plugins.action import weights_swarm as action
from ansible_collections.npuops.ascend.plugins.plugin_utils import _background as background

HALF = {
    "complete": False, "phase": "downloading", "peers": 3,
    "done_bytes": 400_000_000_000, "kept_bytes": 200_000_000_000, "total_bytes": 600_000_000_000, "seconds": 100.0,
}
STARTING = {**HALF, "phase": "starting", "done_bytes": 0, "kept_bytes": 0, "total_bytes": 0}
WHOLE = {**HALF, "complete": True, "phase": "seeding"}
GONE = AnsibleConnectionFailure("Failed to connect to the host via ssh: No route to host\nmore")


class Run:
    """The action with a host that answers from a list, where an exception is a host that does not answer."""

    def __init__(self, monkeypatch, answers, args=None, check=False):
        self.lines, self.pauses = [], []
        answers = iter(answers)
        self.plugin = action.ActionModule.__new__(action.ActionModule)
        self.plugin._task = mock.Mock(args=args or {}, check_mode=check, async_val=0)
        self.plugin._connection = mock.Mock()

        def execute(module_name=None, module_args=None, task_vars=None, wrap_async=False):
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(self.plugin, "_execute_module", execute, raising=False)
        monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
        monkeypatch.setattr(background.Display, "display", lambda _self, line: self.lines.append(line))
        monkeypatch.setattr(action.time, "sleep", self.pauses.append)

    def result(self):
        return self.plugin.run(task_vars={"inventory_hostname": "npu01"})


def test_a_host_is_waited_for_until_it_has_everything(monkeypatch):
    run = Run(monkeypatch, [{**STARTING, "changed": True}, HALF, HALF, HALF, WHOLE])
    assert run.result() == {**WHOLE, "changed": True}
    # What was there before took no time and is not counted: 200 of 400 GB in 100 seconds.
    assert run.lines == ["npu01: downloading, 3 peers: 200.0 of 400.0 GB (50 %), 2.00 GB/s, about 1 min 40 s left"] * 3
    assert run.pauses == [1, 2, 4, 5]


def test_a_host_that_loses_its_power_is_waited_for(monkeypatch):
    run = Run(monkeypatch, [{**HALF, "changed": True}, GONE, GONE, WHOLE])
    assert run.result()["complete"]
    assert run.lines[1:] == ["npu01: not reachable, waited for: Failed to connect to the host via ssh: No route to host"] * 2
    assert run.plugin._connection.reset.call_count == 2


def test_a_host_that_never_answered_is_unreachable(monkeypatch):
    with pytest.raises(AnsibleConnectionFailure):
        Run(monkeypatch, [GONE]).result()


def test_an_error_ends_the_waiting(monkeypatch):
    assert Run(monkeypatch, [HALF, {"failed": True, "msg": "disk full"}]).result() == {"failed": True, "msg": "disk full", "changed": False}


def test_a_transfer_that_does_not_end(monkeypatch):
    run = Run(monkeypatch, iter(lambda: HALF, None), {"timeout": 60})
    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr(action.time, "monotonic", lambda: next(clock))
    with pytest.raises(AnsibleActionFail, match="did not end within 60 seconds"):
        run.result()


@pytest.mark.parametrize("options", [{"check": True}, {"args": {"state": "left"}}, {"args": {"timeout": "soon"}}])
def test_runs_that_are_one_call(monkeypatch, options):
    run = Run(monkeypatch, [HALF], **options)
    assert run.result() == HALF
    assert run.pauses == []
