# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of stage npu. A function has the id of its entry in catalogue.py."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils import _compatibility
from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Cluster, Finding, Findings, Host, Skip, compare, some

# An idle Atlas A2 shows about 3400 MB in use.
IDLE_HBM_MB = 4096
A3 = "A3"


def _installed(host: Host) -> t.Mapping[str, t.Any]:
    npu = host.section("npu")
    if not npu["driver_loaded"] and npu["installed"]["driver_state"] == "absent":
        raise Skip("the driver is not installed yet")
    return npu


def _running(host: Host) -> t.Mapping[str, t.Any]:
    npu = _installed(host)
    if not npu["driver_loaded"]:
        raise Skip("no driver runs (driver_loaded)")
    return npu


def _name(device: t.Mapping[str, t.Any]) -> int | None:
    return device["device"] if device["device"] is not None else device["npu_id"]


def driver_loaded(host: Host) -> Findings:
    npu = _installed(host)
    count = int(host.wanted["device_count"])
    if not npu["driver_loaded"]:
        yield Finding(f"driver {npu['installed']['driver_version']} is on disk and does not run", "a running driver", evidence=str(npu["driver_error"]))
    elif len(npu["devices"]) != count:
        present = [device["device"] for device in npu["devices"]]
        missing = [number for number in range(count) if number not in present]
        yield Finding(
            f"npu-smi shows {len(npu['devices'])} devices" + (f", not {some(missing, 16)}" if missing else ""),
            f"{count} (preflight_device_count)",
            device=missing[0] if len(missing) == 1 else None,
            evidence="\n".join(npu["problems"][:3]),
        )


def reboot_pending(host: Host) -> Findings:
    npu = _installed(host)
    if npu["reboot_pending"]:
        on_disk, runs = npu["installed"], npu["driver_version"] or "no driver"
        yield Finding(
            f"driver {on_disk['driver_version']} and firmware {on_disk['firmware_version']} on disk; {runs} and {npu['firmware_version']} run",
            "the versions on disk",
        )


def npu_health(host: Host) -> Findings:
    for device in _running(host)["devices"]:
        if device["health"] != "OK":
            details = (device.get("details") or {}).get("health") or {}
            evidence = "\n".join([", ".join(details.get("codes", [])), *details.get("texts", [])][:3]).strip()
            yield Finding(
                f"health {device['health']}",
                "OK",
                device=_name(device),
                status="warn" if device["health"] == "Warning" else "",
                evidence=evidence,
            )


def hbm_idle(host: Host) -> Findings:
    npu = _running(host)
    if npu["processes"] is None:
        raise Skip("npu-smi did not show its table of processes")
    own = {(process["npu_id"], process["chip_id"]) for process in npu["processes"] if process.get("own")}
    for device in npu["devices"]:
        key = device["npu_id"], device["chip_id"]
        foreign = [process for process in npu["processes"] if (process["npu_id"], process["chip_id"]) == key and not process.get("own")]
        if foreign:
            names = [f"{process['name'] or 'a process'} (pid {process['pid']}, {process['memory_mb']} MB)" for process in foreign]
            yield Finding(f"held by {some(names, 2)}", "no process of another service", device=_name(device))
        elif key not in own and not npu.get("own_service") and (device["hbm_used_mb"] or 0) > IDLE_HBM_MB:
            yield Finding(
                f"{device['hbm_used_mb']} of {device['hbm_total_mb']} MB HBM in use, and no process shown",
                f"at most {IDLE_HBM_MB} MB",
                device=_name(device),
            )


def version_set(host: Host) -> Findings:
    npu = _installed(host)
    fit = npu["package_compatibility"]
    if npu["compatibility"] == "NOK":
        yield Finding(f"npu-smi: driver {npu['driver_version']} and firmware {npu['firmware_version']} do not fit (NOK)", "a pair of one HDK release")
    elif fit and fit["status"] in ("warn", "fail"):
        yield Finding(str(fit["detail"]), "a pair of one HDK release", status="warn" if fit["status"] == "warn" else "")
    cann = host.section("cann")["toolkit"] if host.has("cann") else None
    driver = npu["driver_version"] or npu["installed"]["driver_version"]
    if cann and driver:
        try:
            problems = _compatibility.check({"hdk": driver, "cann": cann})
        except _compatibility.CompatibilityError as error:
            problems = [str(error)]
        # The pairs that shipped together are not the only ones that work.
        for problem in problems[:1]:
            yield Finding(f"driver {driver} with CANN {cann}", "a pair that the vendor names", status="warn", evidence=problem)


def _comparable(cluster: Cluster, section: str, value: t.Callable[[t.Mapping[str, t.Any]], t.Any]) -> dict[str, t.Any]:
    found = {host.name: value(facts) for host, facts in cluster.readings(section)}
    return {name: item for name, item in found.items() if item is not None}


def hdk_consistent(cluster: Cluster) -> Findings:
    def versions(npu: t.Mapping[str, t.Any]) -> str | None:
        driver = npu["driver_version"] or npu["installed"]["driver_version"]
        firmware = npu["firmware_version"] or npu["installed"]["firmware_version"]
        return f"driver {driver}, firmware {firmware}" if driver else None

    values = _comparable(cluster, "npu", versions)
    if not values:
        raise Skip("the driver is not installed yet")
    yield from compare("HDK", values)


def cann_consistent(cluster: Cluster) -> Findings:
    def versions(cann: t.Mapping[str, t.Any]) -> str | None:
        return f"toolkit {cann['toolkit']}, kernels {cann['kernels'] or 'none'}, nnal {cann['nnal'] or 'none'}" if cann["toolkit"] else None

    values = _comparable(cluster, "cann", versions)
    if not values:
        raise Skip("no CANN on the hosts; MindIE brings its own in the image")
    absent = [host.name for host in cluster.hosts if host.name not in values and host.has("cann")]
    yield from compare("CANN", {**values, **dict.fromkeys(absent)})


def hccs_topology(host: Host) -> Findings:
    _running(host)
    topology = host.section("topology")
    if topology.get("unsupported"):
        raise Skip("this product has no HCCS topology")
    for row, links in topology["links"].items():
        wrong = {column: way for column, way in links.items() if way not in ("X", "HCCS", "HCCS_SW", "SIO")}
        # Each pair stands in the table twice; the row with most broken links is the broken device.
        if wrong and len(wrong) == max(sum(way not in ("X", "HCCS", "HCCS_SW", "SIO") for way in other.values()) for other in topology["links"].values()):
            number = re.search(r"(\d+)\Z", row)
            device = int(number.group(1)) if number else None
            yield Finding(f"{row} reaches {some(list(wrong))} by {some(sorted(set(wrong.values())))}", "HCCS", device=device)


def spod_ids(cluster: Cluster) -> Findings:
    found = cluster.readings("superpod")
    seen: dict[t.Any, tuple[str, int]] = {}
    pods: dict[str, t.Any] = {}
    if not any(facts["devices"] for _host, facts in found):
        raise Skip("no Atlas A3 super pod")
    for host, facts in found:
        own = sorted({device["pod"] for device in facts["devices"] if device["pod"] is not None})
        if own:
            pods[host.name] = own[0] if len(own) == 1 else own
        for device in facts["devices"]:
            if device["sdid"] is None:
                yield Finding("no SDID", "the id of the device in its super pod", host=host.name, device=device["device"], evidence=device.get("error", ""))
                continue
            first = seen.setdefault((device["pod"], device["sdid"]), (host.name, device["device"]))
            if first != (host.name, device["device"]):
                yield Finding(
                    f"SDID {device['sdid']}, which {first[0]} device {first[1]} has too", "an SDID of its own", host=host.name, device=device["device"]
                )
    yield from compare("super pod", pods)
