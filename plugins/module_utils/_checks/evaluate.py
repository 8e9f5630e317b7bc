# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Facts of all hosts and the wishes of the inventory in, one list of results out."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks import fabric, host, launch, npu
from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import BY_ID, CHECKS, STAGES, Check
from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Cluster, Finding, Host, Skip, Unread

MODULES = {"host": host, "npu": npu, "fabric": fabric, "launch": launch}
# The check that says so when a section of the facts cannot be read; the others that need it are skipped.
OWNERS = {
    "system": "product_os_arch",
    "pci": "pci_inventory",
    "memory": "disk_shm_mem",
    "disks": "disk_shm_mem",
    "user": "install_user",
    "kernel": "kernel_headers",
    "network": "host_nic",
    "clock": "clock",
    "tuning": "host_tuning",
    "resolver": "hosts_file",
    "ports": "ports_free",
    "containers": "device_claims",
    "npu": "driver_loaded",
    "topology": "hccs_topology",
    "superpod": "spod_ids",
    "cann": "cann_consistent",
    "hccn": "link",
    "weights": "weights_complete",
    "config": "config_rules",
    "environment": "environment_consistent",
    "image": "image_digest",
    "rank_table": "ranktable_live",
    "firewall": "firewall",
    "smoke": "smoke_request",
}
STATUSES = ("fail", "warn", "skip", "pass")
SEVERITIES = ("off", "warn", "fail")
# What facts of an unexpected shape lead to.
_MISSHAPEN = (TypeError, ValueError, KeyError, IndexError, AttributeError)


class CheckError(ValueError):
    """An unknown stage, id or severity."""


def function_of(check: Check) -> t.Callable[[t.Any], t.Iterator[Finding]]:
    return getattr(MODULES[check.stage], check.id)


def record(check: Check, status: str, severity: str, host_name: str = "", finding: Finding | None = None, observed: str = "") -> dict[str, t.Any]:
    """One result, as filters and reports take it."""
    return {
        "id": check.id,
        "stage": check.stage,
        "scope": check.scope,
        "host": host_name,
        "device": finding.device if finding else None,
        "status": status,
        "severity": severity,
        "title": check.title._asdict(),
        "observed": finding.observed if finding else observed,
        "expected": finding.expected if finding else "",
        "cause": check.cause._asdict(),
        "remedy": check.remedy._asdict(),
        "source": check.source,
        "evidence": "\n".join(finding.evidence.splitlines()[:3]) if finding else "",
    }


def evaluate(
    facts: t.Mapping[str, t.Any],
    wanted: t.Mapping[str, t.Any],
    stages: t.Collection[str] = STAGES,
    overrides: t.Mapping[str, t.Any] | None = None,
    measured: t.Sequence[t.Mapping[str, t.Any]] = (),
) -> list[dict[str, t.Any]]:
    """Judge the hosts by every check of the stages. ``measured`` are results that were made elsewhere, such as those of ping_matrix."""
    overrides = checked_overrides(overrides or {})
    unknown = sorted(set(stages) - set(STAGES))
    if unknown:
        raise CheckError(f"unknown stage {', '.join(unknown)}; expected some of {', '.join(STAGES)}")
    hosts = [Host(name, _mapping(found), _mapping(wanted.get(name))) for name, found in facts.items()]
    present = [item for item in hosts if item.facts]
    results: list[dict[str, t.Any]] = []
    for check in CHECKS:
        # Whatever is looked at, a host that was not reached is named.
        if check.stage not in stages and not (check.id == "host_reachable" and len(present) < len(hosts)):
            continue
        severity = overrides.get(check.id, check.severity)
        own = [dict(item) for item in measured if item.get("id") == check.id]
        if severity == "off":
            results.append(record(check, "skip", "off", observed="switched off in preflight_checks"))
        elif own:
            results.extend(_with_severity(item, severity) for item in own)
        elif check.id == "host_reachable":
            results.extend(itertools.chain.from_iterable(_of_host(check, item, severity) for item in hosts))
        elif check.scope == "cluster":
            for group in _groups(present):
                results.extend(_of_cluster(check, group, present, severity))
        else:
            results.extend(itertools.chain.from_iterable(_of_host(check, item, severity) for item in present))
    return results


def checked_overrides(overrides: t.Mapping[str, t.Any]) -> dict[str, str]:
    """``{id: off|warn|fail}``. YAML reads a bare off as false."""
    result = {}
    for name, value in overrides.items():
        if name not in BY_ID:
            raise CheckError(f"preflight_checks names {name!r}, which is no check; there are {', '.join(BY_ID)}")
        severity = "off" if value is False else str(value)
        if severity not in SEVERITIES:
            raise CheckError(f"preflight_checks: {name} is {value!r}; expected one of {', '.join(SEVERITIES)}")
        result[name] = severity
    return result


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def _with_severity(item: dict[str, t.Any], severity: str) -> dict[str, t.Any]:
    status = severity if item.get("status") == "fail" else item.get("status")
    return {**item, "status": status, "severity": severity}


def _groups(hosts: t.Sequence[Host]) -> list[list[Host]]:
    """Hosts that serve together are compared with each other; the others by themselves."""
    groups: dict[str, list[Host]] = {}
    for item in hosts:
        groups.setdefault(str(item.wanted.get("group") or ""), []).append(item)
    return list(groups.values())


def _unread(check: Check, name: str, error: Unread, severity: str) -> dict[str, t.Any]:
    if error.kind == "missing":
        return record(check, "skip", severity, name, observed=str(error))
    owner = OWNERS.get(error.section)
    if owner != check.id:
        return record(check, "skip", severity, name, observed=f"{error.section} could not be read ({owner})")
    return record(check, severity, severity, name, Finding(f"{error.section} could not be read: {error.kind}", "facts that can be judged", evidence=str(error)))


def _finding(check: Check, name: str, finding: Finding, severity: str) -> dict[str, t.Any]:
    status = "warn" if finding.status == "warn" else severity
    # A warning check may say that this one is worse, but not against the inventory.
    if finding.status == "fail" and severity == check.severity:
        status = "fail"
    return record(check, status, severity, finding.host or name, finding)


def _misshapen(check: Check, name: str, error: Exception, severity: str) -> dict[str, t.Any]:
    return record(check, severity, severity, name, Finding("facts of an unknown shape", "facts of check_facts", evidence=f"{type(error).__name__}: {error}"))


def _of_host(check: Check, item: Host, severity: str) -> list[dict[str, t.Any]]:
    found: list[dict[str, t.Any]] = []
    try:
        for finding in function_of(check)(item):
            found.append(_finding(check, item.name, finding, severity))
    except Skip as reason:
        found = found or [record(check, "skip", severity, item.name, observed=str(reason))]
    except Unread as error:
        found.append(_unread(check, item.name, error, severity))
    except _MISSHAPEN as error:
        found.append(_misshapen(check, item.name, error, severity))
    return found or [record(check, "pass", severity, item.name)]


def _of_cluster(check: Check, group: list[Host], everyone: list[Host], severity: str) -> list[dict[str, t.Any]]:
    cluster = Cluster(group, everyone)
    found: list[dict[str, t.Any]] = []
    reason = ""
    try:
        for finding in function_of(check)(cluster):
            found.append(_finding(check, "", finding, severity))
    except Skip as skip:
        reason = str(skip)
    except Unread as error:
        cluster.unread.append((group[0], error))
    except _MISSHAPEN as error:
        found.append(_misshapen(check, "", error, severity))
    unread = list({item.name: _unread(check, item.name, error, severity) for item, error in cluster.unread}.values())
    names = [item.name for item in group]
    told = [entry for entry in unread if entry["status"] != "skip"]
    if len(unread) == len(group) and not told and not found:
        return [record(check, "skip", severity, observed=unread[0]["observed"])]
    if found or told:
        return found + unread
    if reason:
        return [record(check, "skip", severity, observed=reason)]
    return [*unread, record(check, "pass", severity, names[0] if len(names) == 1 and len(everyone) > 1 else "")]
