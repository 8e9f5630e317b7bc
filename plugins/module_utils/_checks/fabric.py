# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of stage fabric. A function has the id of its entry in catalogue.py."""

from __future__ import annotations

import datetime
import re
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Cluster, Finding, Findings, Host, Skip, odd_ones, shown

FLAP_HOURS = 24
CERTIFICATE_DAYS = 30
HEALTHY = "success"

Device = t.Mapping[str, t.Any]


def _silent(device: Device) -> bool:
    """Whether the tool answers nothing about this device, or no longer; check link says so."""
    return bool(device.get("lost")) or len(device["errors"]) == len(device["asked"]) > 0


def _answering(host: Host) -> list[Device]:
    devices = [device for device in host.section("hccn")["devices"] if not _silent(device)]
    if not devices:
        raise Skip("hccn_tool told nothing of any device (link)")
    return devices


def _readable(devices: t.Iterable[Device], subset: str, unreadable: list[tuple[Device, str]]) -> t.Iterator[Device]:
    """The devices whose answer to this question could be read."""
    for device in devices:
        if subset in device["errors"]:
            unreadable.append((device, str(device["errors"][subset])))
        elif subset in device["asked"]:
            yield device


def _unread(host: Host, subset: str, unreadable: t.Sequence[tuple[Device, str]]) -> Findings:
    for device, text in unreadable:
        yield Finding(f"{subset} could not be read", "an answer of hccn_tool", host=host.name, device=device["device"], evidence=text)


def _on_hosts(cluster: Cluster, subset: str) -> list[tuple[Host, Device, str]]:
    """(host, device, error) over the cluster; error is empty where the answer could be read."""
    rows = []
    for host, facts in cluster.readings("hccn"):
        for device in facts["devices"]:
            if not _silent(device) and (subset in device["asked"] or subset in device["errors"]):
                rows.append((host, device, str(device["errors"].get(subset, ""))))
    return rows


def _unread_rows(rows: t.Iterable[tuple[Host, Device, str]], subset: str) -> Findings:
    for host, device, error in rows:
        if error:
            yield Finding(f"{subset} could not be read", "an answer of hccn_tool", host=host.name, device=device["device"], evidence=error)


def _addressed(facts: t.Mapping[str, t.Any]) -> bool:
    """Whether the devices of a host have ever been given addresses."""
    return any(device.get("address") for device in facts["devices"]) or bool(facts.get("conf_addresses"))


def device_ip(cluster: Cluster) -> Findings:
    rows = _on_hosts(cluster, "address")
    addressed = {host.name for host in cluster.hosts if host.has("hccn") and _addressed(host.section("hccn"))}
    if rows and not addressed:
        raise Skip("the npu_network role sets the addresses")
    yield from _unread_rows(rows, "address")
    owners: dict[str, tuple[str, int]] = {}
    for other in cluster.everyone:
        if other.has("hccn"):
            for device in other.section("hccn")["devices"]:
                if device.get("address"):
                    owners.setdefault(device["address"], (other.name, device["device"]))
    for host, device, error in rows:
        if error:
            continue
        number, address = device["device"], device["address"]
        planned = next((str(item["address"]) for item in host.wanted.get("addresses") or [] if item["device"] == number and item.get("address")), None)
        if not address:
            stored = (host.section("hccn").get("conf_addresses") or {}).get(str(number))
            evidence = f"/etc/hccn.conf has {stored}" if stored else ""
            yield Finding("no address", planned or "an address", host=host.name, device=number, evidence=evidence)
            continue
        first = owners.get(address, (host.name, number))
        if first != (host.name, number):
            yield Finding(f"{address}, which {first[0]} device {first[1]} has too", planned or "an address of its own", host=host.name, device=number)
        elif planned and planned != address:
            yield Finding(address, f"{planned}, as the inventory says", host=host.name, device=number)


def link(host: Host) -> Findings:
    facts = host.section("hccn")
    addressed = _addressed(facts)
    for device in facts["devices"]:
        errors = device["errors"]
        if _silent(device):
            yield Finding("hccn_tool gives no answer", "an answer", device=device["device"], evidence="\n".join(list(errors.values())[:1]))
            continue
        for subset in ("link", "net_health"):
            if subset in errors:
                yield Finding(f"{subset} could not be read", "an answer of hccn_tool", device=device["device"], evidence=str(errors[subset]))
        if device.get("link") not in (None, "up"):
            yield Finding(f"link {device['link']}", "link up", device=device["device"])
        # Without an address, or while it starts, the detection has nothing to report.
        elif device.get("net_health") not in (None, HEALTHY) and addressed and device.get("address"):
            yield Finding(f"net_health {device['net_health']}", f"net_health {HEALTHY}", device=device["device"])


def link_flaps(host: Host) -> Findings:
    unreadable: list[tuple[Device, str]] = []
    for device in _readable(_answering(host), "link_stat", unreadable):
        stat = device["link_stat"] or {}
        now = _time(stat.get("current_time"))
        downs = [record["time"] for record in stat.get("records", []) if record["link"] == "down" and record["time"]]
        recent = [text for text in downs if now and _time(text) and now - t.cast(datetime.datetime, _time(text)) < datetime.timedelta(hours=FLAP_HOURS)]
        if recent:
            yield Finding(
                f"link went down {len(recent)} time(s) in {FLAP_HOURS} hours, last at {max(recent)}",
                "no change",
                device=device["device"],
                evidence="\n".join(f"{text} LINK DOWN" for text in recent[:3]),
            )
    yield from _unread(host, "link_stat", unreadable)


def _time(text: t.Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(str(text))
    except ValueError:
        return None


def optics(host: Host) -> Findings:
    unreadable: list[tuple[Device, str]] = []
    for device in _readable(_answering(host), "optical", unreadable):
        values = device["optical"] or {}
        problems = list(_optical_problems(values))
        if problems:
            yield Finding("; ".join(found for found, _wanted in problems), "; ".join(wanted for _found, wanted in problems), device=device["device"])
    # A copper cable has no optical data, and the tool says so.
    told = [(device, text) for device, text in unreadable if not re.search(r"not supported|unsupported|no such data", text, re.IGNORECASE)]
    absent = [device for device, text in told if "not present" in text.lower()]
    for device in absent:
        yield Finding("no optical module", "a module that is present", device=device["device"])
    yield from _unread(host, "optical", [(device, text) for device, text in told if device not in absent])


def _optical_problems(values: t.Mapping[str, t.Any]) -> t.Iterator[tuple[str, str]]:
    if values.get("present") is False:
        # The tool goes on to print what it remembers.
        yield "no optical module", "a module that is present"
        return
    groups = (
        ("temperature", r"temperature_c\Z", "temp", "c", "C"),
        ("supply voltage", r"vcc_mv\Z", "vcc", "mv", "mV"),
        ("Tx power", r"tx_power\d*_mw\Z", "txpower", "mw", "mW"),
        ("Rx power", r"rx_power\d*_mw\Z", "rxpower", "mw", "mW"),
    )
    for what, pattern, prefix, suffix, unit in groups:
        low, high = values.get(f"{prefix}_low_thres_{suffix}"), values.get(f"{prefix}_high_thres_{suffix}")
        for key, value in values.items():
            if not re.match(pattern, key) or not isinstance(value, (int, float)):
                continue
            lane = re.search(r"(\d+)_", key)
            name = f"{what} of lane {lane.group(1)}" if lane else what
            if isinstance(low, (int, float)) and value < low:
                yield f"{name} {value} {unit}", f"at least {low} {unit}"
            elif isinstance(high, (int, float)) and value > high:
                yield f"{name} {value} {unit}", f"at most {high} {unit}"
    for direction in ("tx", "rx"):
        flag = values.get(f"{direction}_los_flag")
        if isinstance(flag, str) and flag.lower() not in ("0x0", "0x00"):
            yield f"{direction.title()} Los Flag {flag}", f"{direction.title()} Los Flag 0x0"


def fec_speed(cluster: Cluster) -> Findings:
    for subset, key, what in (("speed", "speed_mbps", "speed in Mb/s"), ("duplex", "duplex", "duplex"), ("fec", "fec", "FEC mode")):
        # Without a link there is no speed; check link says so.
        rows = [row for row in _on_hosts(cluster, subset) if row[1].get("link") != "down"]
        yield from _same_on_devices(rows, subset, key, what)


def mtu_consistent(cluster: Cluster) -> Findings:
    yield from _same_on_devices(_on_hosts(cluster, "mtu"), "mtu", "mtu", "MTU")


def _same_on_devices(rows: list[tuple[Host, Device, str]], subset: str, key: str, what: str, status: str = "") -> Findings:
    unsupported = [row for row in rows if row[2] and "not supported" in row[2].lower()]
    rows = [row for row in rows if row not in unsupported]
    yield from _unread_rows(rows, subset)
    values = {(host.name, device["device"]): device[key] for host, device, error in rows if not error}
    usual, odd = odd_ones(values)
    for (name, number), value in odd.items():
        yield Finding(f"{what} {shown(value)}", f"{what} {shown(usual)}, as on most devices", host=name, device=number, status=status)


def tls_consistent(cluster: Cluster) -> Findings:
    rows = _on_hosts(cluster, "tls")
    yield from _same_on_devices(rows, "tls", "tls_enabled", "TLS switch")
    for host, device, error in rows:
        # Certificates of a switch that is off are not used.
        if error or not device.get("tls_enabled"):
            continue
        for certificate in (device.get("tls") or {}).get("certificates", []):
            ends = _certificate_end(certificate.get("end_time"))
            now = _time(host.section("hccn").get("now"))
            days = (ends - now).days if ends and now else None
            if certificate.get("state") == "expired" or (days is not None and days < 0):
                yield Finding(
                    f"certificate {certificate['name']} ended at {certificate['end_time']}", "a valid certificate", host=host.name, device=device["device"]
                )
            elif days is not None and days < CERTIFICATE_DAYS:
                yield Finding(
                    f"certificate {certificate['name']} ends in {days} days, at {certificate['end_time']}",
                    f"more than {CERTIFICATE_DAYS} days",
                    host=host.name,
                    device=device["device"],
                    status="warn",
                )


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _certificate_end(text: t.Any) -> datetime.datetime | None:
    """As in HCCL's manual, ``Feb 16 01:58:15 2030 GMT``, or with the day of the week before it, as the tool's source prints it."""
    found = re.match(r"(?:[A-Za-z]{3}\s+)?([A-Za-z]{3})\s+(\d{1,2})\s+(\d{2}):(\d{2}):(\d{2})\s+(\d{4})", str(text))
    try:
        month, day, hour, minute, second, year = found.groups() if found else ("",) * 6
        return datetime.datetime(int(year), _MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second))
    except ValueError:
        return None


def vnic(host: Host) -> Findings:
    facts = host.section("hccn")
    if not any("vnic" in device["asked"] for device in facts["devices"]):
        raise Skip("no Atlas A3")
    unreadable: list[tuple[Device, str]] = []
    for device in _readable(_answering(host), "vnic", unreadable):
        if (device["vnic"] or {}).get("link") != "up":
            yield Finding(f"vnic {shown((device['vnic'] or {}).get('link'))}", "vnic up", device=device["device"])
    yield from _unread(host, "vnic", unreadable)


def ping_matrix(cluster: Cluster) -> Findings:
    """The filter ping_matrix judges the pairs; this stands for a run in which nothing was pinged."""
    raise Skip("one host has no pairs" if len(cluster.hosts) < 2 else "nothing was pinged")


def hccs_ping(cluster: Cluster) -> Findings:
    """As ping_matrix, for the virtual interfaces of Atlas A3."""
    super_nodes = any("vnic" in device["asked"] for _host, facts in cluster.readings("hccn") for device in facts["devices"])
    raise Skip("pinged by playbooks/fabric.yml with fabric_hccs" if super_nodes else "no Atlas A3")
