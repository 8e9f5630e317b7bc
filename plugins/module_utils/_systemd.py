# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask systemd for a unit and for what the unit said since its last start."""

from __future__ import annotations

import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils import _explain

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ansible.module_utils.basic import AnsibleModule

JOURNAL_LINES = 20000


class SystemdError(Exception):
    """systemd does not run here, or does not answer."""


def show(module: AnsibleModule, unit: str, names: Sequence[str]) -> dict[str, str]:
    """Properties of a unit."""
    rc, stdout, stderr = module.run_command(["systemctl", "show", "--property", ",".join(names), "--", unit])
    if rc != 0:
        raise SystemdError(f"systemctl show {unit} failed with {rc}: {stderr.strip()}. The service needs a host that systemd runs.")
    return dict(line.split("=", 1) for line in stdout.splitlines() if "=" in line)


def loaded(module: AnsibleModule, patterns: Sequence[str]) -> list[str]:
    """Names of the services that systemd knows and that match one of the patterns; a name without * is taken as it is."""
    names = [pattern for pattern in patterns if "*" not in pattern]
    globs = [pattern for pattern in patterns if "*" in pattern]
    if globs:
        argv = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service", "--", *globs]
        rc, stdout, stderr = module.run_command(argv)
        if rc != 0:
            raise SystemdError(f"systemctl list-units failed with {rc}: {stderr.strip()}. The service needs a host that systemd runs.")
        names += [line.split()[0] for line in stdout.splitlines() if line.strip()]
    return list(dict.fromkeys(names))


def journal(module: AnsibleModule, invocation: str, source: str = "journal") -> list[_explain.Line]:
    """What was said in one run of a unit."""
    if not invocation:
        return []
    # The first match is what the unit printed, the second what systemd said of it.
    matches = [f"_SYSTEMD_INVOCATION_ID={invocation}", "+", f"INVOCATION_ID={invocation}"]
    argv = ["journalctl", "--no-pager", "--output=short-unix", f"--lines={JOURNAL_LINES}", *matches]
    return _explain.read_journal(module.run_command(argv, errors="replace")[1], source)
