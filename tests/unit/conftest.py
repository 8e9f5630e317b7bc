# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures for all unit tests: recorded texts, and modules run against scripted commands."""

from __future__ import annotations

import contextlib
import json
import shlex
import threading
import typing as t
from pathlib import Path
from unittest import mock

import hypothesis
import pytest
from ansible.module_utils import basic

# How long an example takes says something of the machine only.
hypothesis.settings.register_profile("npuops", deadline=None)
hypothesis.settings.load_profile("npuops")

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"

# What a command answers: stdout with exit code 0, or (rc, stdout, stderr); several in a list are given one by one.
Answer = t.Union[str, tuple]
Replies = t.Union[dict, t.Callable[..., tuple]]


class ModuleEnd(SystemExit):
    """Raised where a real module would print its result and exit."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        super().__init__(1 if result.get("failed") else 0)
        self.result = result


class ScriptedCommands:
    """Stands in for AnsibleModule.run_command, also from several threads at once."""

    def __init__(self, replies: Replies) -> None:
        self.replies = replies if callable(replies) else {_argv(key): value for key, value in replies.items()}
        self.commands: list[tuple[str, ...]] = []
        self.stdin: list[str | None] = []
        self.unexpected: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, _module: t.Any, args: t.Any, data: str | None = None, **_kwargs: t.Any) -> tuple[int, str, str]:
        argv = _strip_timeout(_argv(args))
        with self._lock:
            self.commands.append(argv)
            self.stdin.append(data)
            if callable(self.replies):
                return self.replies(argv, data)
            answer = self.replies.get(argv)
            if isinstance(answer, list):
                answer = answer.pop(0) if answer else None
            if answer is None:
                self.unexpected.append(shlex.join(argv))
                return 127, "", f"no scripted reply for: {shlex.join(argv)}"
            return (0, answer, "") if isinstance(answer, str) else tuple(answer)


def _argv(command: t.Any) -> tuple[str, ...]:
    return tuple(shlex.split(command)) if isinstance(command, str) else tuple(command)


def _strip_timeout(argv: tuple[str, ...]) -> tuple[str, ...]:
    return argv[4:] if argv[:2] == ("timeout", "-k") else argv


@contextlib.contextmanager
def _module_args(args: dict[str, t.Any]) -> t.Iterator[None]:
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core before 2.19
        with mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": args}).encode()):
            yield
    else:
        with patch_module_args(args):
            yield


@pytest.fixture
def run_module() -> t.Callable[..., tuple[dict[str, t.Any], list[tuple[str, ...]]]]:
    """Run ``module.main()``; gives (result, commands).

    ``replies`` maps a command (string or tuple, without the ``timeout -k 5 N`` prefix; the tool by its bare name) to
    its answer, or is a function ``(argv, stdin) -> (rc, stdout, stderr)``. A command without a reply fails the test.
    Tools named in ``missing_tools`` are not installed. A failed module gives a result with ``failed: true``.
    With ``real_commands`` nothing is scripted: tools are looked for and run as on a host.
    """

    def run(
        module: t.Any,
        args: dict[str, t.Any] | None = None,
        replies: Replies | None = None,
        check: bool = False,
        diff: bool = False,
        missing_tools: t.Collection[str] = (),
        real_commands: bool = False,
    ) -> tuple[dict[str, t.Any], list[tuple[str, ...]]]:
        scripted = ScriptedCommands(replies or {})
        warnings: list[str] = []

        def end(**result: t.Any) -> t.NoReturn:
            result.setdefault("changed", False)
            if warnings:
                result["warnings"] = [*result.get("warnings", []), *warnings]
            raise ModuleEnd(json.loads(json.dumps(result)))

        def get_bin_path(_self: t.Any, arg: str, required: bool = False, opt_dirs: t.Any = None) -> str | None:
            # lsattr is asked by AnsibleModule itself when it copies a file; no module under test means it.
            if arg != "lsattr" and arg not in missing_tools:
                return arg
            if required:
                end(failed=True, msg=f"Failed to find required executable {arg}")
            return None

        patches: dict[str, t.Callable[..., t.Any]] = {
            "exit_json": lambda _self, **result: end(**result),
            "fail_json": lambda _self, msg, **result: end(failed=True, msg=msg, **result),
            "warn": lambda _self, warning, **_kwargs: warnings.append(warning),
        }
        if not real_commands:
            patches.update(run_command=scripted.__call__, get_bin_path=get_bin_path)
        full_args = {**(args or {}), "_ansible_check_mode": check, "_ansible_diff": diff}
        with contextlib.ExitStack() as stack:
            stack.enter_context(_module_args(full_args))
            for name, function in patches.items():
                # A plain function, so that it is bound like the method it replaces.
                stack.enter_context(mock.patch.object(basic.AnsibleModule, name, _function(function)))
            with pytest.raises(ModuleEnd) as ended:
                module.main()
        assert not scripted.unexpected, f"commands without a reply: {scripted.unexpected}; result: {ended.value.result}"
        return ended.value.result, scripted.commands

    return run


def _function(call: t.Callable[..., t.Any]) -> t.Callable[..., t.Any]:
    def method(self: t.Any, *args: t.Any, **kwargs: t.Any) -> t.Any:
        return call(self, *args, **kwargs)

    return method


@pytest.fixture(scope="session")
def fixture_text() -> t.Callable[[str], str]:
    """Load a recorded text by its path under tests/fixtures, line ends as recorded."""
    return lambda path: (FIXTURES / path).read_bytes().decode("utf-8")
