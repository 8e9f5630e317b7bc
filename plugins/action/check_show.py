# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prints the text of check_report on the controller, and fails when the results ask for it."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.npuops.ascend.plugins.module_utils._checks import terminal

# Statuses that each value of fail_on fails for.
FAIL_ON = {"never": (), "fail": ("fail",), "warn": ("fail", "warn")}


class ActionModule(ActionBase):
    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result = super().run(tmp, task_vars)
        _validated, arguments = self.validate_argument_spec(
            {
                "results": {"type": "list", "elements": "dict", "required": True},
                "text": {"type": "str", "default": ""},
                "lang": {"type": "str", "choices": list(terminal.LANGUAGES), "default": "en"},
                "show": {"type": "str", "choices": ["always", "findings", "never"], "default": "always"},
                "fail_on": {"type": "str", "choices": ["fail", "warn", "never"], "default": "fail"},
            }
        )
        results, lang = arguments["results"], arguments["lang"]
        misshapen = terminal.problem(results, lang)
        if misshapen:
            return {**result, "failed": True, "msg": f"check_show: {misshapen}."}
        findings = [record for record in results if record["status"] in FAIL_ON["warn"]]
        if arguments["show"] == "always" or (arguments["show"] == "findings" and findings):
            Display().display("\n\n".join(filter(None, (terminal.clean(arguments["text"]), terminal.report(results, lang)))))
        result["totals"] = {status: sum(record["status"] == status for record in results) for status in terminal.WORST}
        refused = [record for record in findings if record["status"] in FAIL_ON[arguments["fail_on"]]]
        if refused:
            # Where nothing is printed, the message is all there is.
            told = terminal.summary(refused) if arguments["show"] != "never" else terminal.report(refused, lang)
            result.update(failed=True, msg=told)
        return {**result, "changed": False}
