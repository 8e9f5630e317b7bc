# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What hosts have against each other, and against what the inventory says: results of check mode in, a list of differences out. No input or output here.

Nothing is compared a second time: what the inventory wants was worked out by the modules themselves.
"""

from __future__ import annotations

import collections
import os
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._host_facts import SECRET
from ansible_collections.npuops.ascend.plugins.module_utils._report import plain

View = t.Dict[str, t.Any]

ABSENT = "nothing"


def _dict(value: t.Any) -> dict[str, t.Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: t.Any) -> list[dict[str, t.Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _shown(value: t.Any) -> str:
    if value is None or value == "":
        return ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(_shown, value)) if isinstance(value, list) else str(value)


def difference(kind: str, host: str, what: str, found: t.Any, expected: t.Any, tag: str) -> dict[str, str]:
    return {"kind": kind, "host": host, "what": what, "found": _shown(found), "expected": _shown(expected), "tag": tag}


def flatten(value: t.Any, path: str = "") -> t.Iterator[tuple[str, t.Any]]:
    """The values of a configuration by their key paths, in the notation of mindie_config."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from flatten(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from flatten(item, f"{path}[{index}]")
    else:
        yield path, value


# ---- between hosts


def _of_devices(facts: dict[str, t.Any], key: str) -> str | None:
    values = sorted({_shown(device[key]) for device in _dicts(_dict(facts.get("hccn")).get("devices")) if device.get(key) is not None})
    return " and ".join(values) or None


def _config(view: View) -> dict[str, t.Any]:
    """config.json of the host as it is: the module returns it as it would become."""
    result = _dict(view.get("config"))
    found = dict(flatten(_dict(result.get("config"))))
    for change in _dicts(result.get("changes")):
        before = dict(flatten(change.get("before"), str(change.get("path"))))
        found.update(before)
    return found


def has(view: View) -> dict[tuple[str, str], t.Any]:
    """What a host has and its neighbours should have too, by name and by the tag that repairs it."""
    facts = _dict(view.get("facts"))
    npu, cann = _dict(facts.get("npu")), _dict(facts.get("cann"))
    found = {
        ("kernel", ""): _dict(facts.get("system")).get("kernel"),
        ("HDK driver", "hdk"): npu.get("driver_version") or _dict(npu.get("installed")).get("driver_version"),
        ("HDK firmware", "hdk"): npu.get("firmware_version") or _dict(npu.get("installed")).get("firmware_version"),
        ("CANN toolkit", "cann"): cann.get("toolkit"),
        ("CANN kernels", "cann"): cann.get("kernels"),
        ("CANN nnal", "cann"): cann.get("nnal"),
        ("netmask of the devices", "npu_network"): _of_devices(facts, "netmask"),
        ("TLS switch of the devices", "npu_network"): _of_devices(facts, "tls_enabled"),
        ("MTU of the devices", "npu_network"): _of_devices(facts, "mtu"),
        ("image", "docker_images"): _dict(facts.get("image")).get("id"),
        ("rank table, sha256", "rank_table"): _dict(facts.get("rank_table")).get("sha256"),
    }
    for name, value in _dict(_dict(facts.get("environment")).get("variables")).items():
        if not SECRET.search(name):
            found[f"environment, {name}", "mindie"] = value
    found.update({(f"config.json, {path}", "mindie"): value for path, value in _config(view).items()})
    return found


def between(views: list[View]) -> list[dict[str, str]]:
    """The hosts of a serving group that have something else than most of them; where none has the majority, than the first."""
    items = []
    groups: dict[str, list[View]] = {}
    for view in views:
        groups.setdefault(str(view.get("group")), []).append(view)
    for members in groups.values():
        found = {view["host"]: has(view) for view in members}
        for what, tag in dict.fromkeys(key for values in found.values() for key in values):
            values = {host: _shown(known.get((what, tag))) for host, known in found.items()}
            # Such as MIES_CONTAINER_IP.
            if all(values[view["host"]] == view.get("address") for view in members):
                continue
            # Of values that are equally frequent, the one of the first host.
            usual = collections.Counter(values.values()).most_common(1)[0][0]
            example = next(host for host, value in values.items() if value == usual)
            odd = [host for host, value in values.items() if value != usual]
            items.extend(difference("hosts", host, what, values[host], f"{usual}, as on {example}", tag) for host in odd)
    return items


# ---- against the inventory


def _network(view: View) -> t.Iterator[tuple[str, t.Any, t.Any, str]]:
    diff = _dict(_dict(view.get("network")).get("diff"))
    before, after = _dict(diff.get("before")), _dict(diff.get("after"))
    for device, wanted in after.items():
        found = _dict(before.get(device))
        for key, value in _dict(wanted).items():
            if isinstance(value, dict):
                kept = _dict(found.get(key))
                yield from ((f"{device}, {key} {name}", kept.get(name), line, "npu_network") for name, line in value.items() if kept.get(name) != line)
            elif found.get(key) != value:
                yield f"{device}, {key}", found.get(key), value, "npu_network"


def _versions(view: View) -> t.Iterator[tuple[str, t.Any, t.Any, str]]:
    found = {name: (value, tag) for (name, tag), value in has(view).items()}
    wanted = _dict(view.get("wanted"))
    for key, name in (("driver", "HDK driver"), ("firmware", "HDK firmware"), ("cann", "CANN toolkit")):
        value, tag = found[name]
        if wanted.get(key) and value != wanted[key]:
            yield name, value, wanted[key], tag
    if wanted.get("image") and not found["image"][0]:
        yield "image", None, wanted["image"], "docker_images"


def _files(view: View) -> t.Iterator[tuple[str, t.Any, t.Any, str]]:
    """The environment by its variables, which were read without secrets; of other files only that they differ."""
    variables = _dict(_dict(_dict(view.get("facts")).get("environment")).get("variables"))
    wanted = _dict(_dict(view.get("wanted")).get("environment"))
    for result in _dicts(_dict(view.get("files")).get("results")):
        if not result.get("changed"):
            continue
        path = str(result.get("dest") or _dict(result.get("item")).get("dest") or "")
        names = sorted({*variables, *wanted}) if os.path.basename(path) == "environment" else []
        odd = [name for name in names if _shown(variables.get(name)) != _shown(wanted.get(name)) and not SECRET.search(name)]
        for name in odd:
            yield f"environment, {name}", variables.get(name), wanted.get(name), "mindie"
        if not odd:
            yield path, "another content, owner or mode", "what the role writes (site.yml --check --diff shows it)", "mindie"


def _rank_table(view: View) -> t.Iterator[tuple[str, t.Any, t.Any, str]]:
    result = _dict(view.get("rank_table"))
    if not result.get("changed"):
        return
    found, wanted = _dict(_dict(view.get("facts")).get("rank_table")).get("sha256"), result.get("sha256")
    if found != wanted:
        yield "rank table, sha256", found, wanted, "rank_table"
    else:
        yield "rank table, owner or mode", "another", "as rank_table_owner says, 0640", "rank_table"


def against_inventory(view: View) -> list[dict[str, str]]:
    host = view["host"]
    changes = _dicts(_dict(view.get("config")).get("changes"))
    config = ((f"config.json, {change.get('path')}", change.get("before"), change.get("after"), "mindie") for change in changes)
    found = [*_network(view), *_versions(view), *config, *_files(view), *_rank_table(view)]
    items = [difference("inventory", host, what, has_, wanted, tag) for what, has_, wanted, tag in found]
    for part, message in _dict(view.get("problems")).items():
        items.append(difference("inventory", host, part, f"not compared: {message}", "what the inventory says", part))
    return items


def differences(views: t.Any) -> list[dict[str, str]]:
    """Every difference once: between hosts first, then against the inventory. A host that was not reached is one itself."""
    known = [view for view in _dicts(plain(views)) if view.get("host")]
    reached = [view for view in known if view.get("reached")]
    items = [difference("hosts", view["host"], "host", "unreachable", "an answer to Ansible", "") for view in known if not view.get("reached")]
    return items + between(reached) + [item for view in reached for item in against_inventory(view)]


_TEXTS = {
    "en": {
        "hosts": "Between hosts",
        "inventory": "Against the inventory",
        "none": "No drift: {count} hosts have what the inventory says.",
        "found": "found",
        "expected": "expected",
        "tag": "repair with --tags",
    },
    "zh": {
        "hosts": "主机之间",
        "inventory": "与 inventory 相比",
        "none": "没有漂移：{count} 台主机与 inventory 一致。",
        "found": "实际",
        "expected": "预期",
        "tag": "修复：--tags",
    },
}
LANGUAGES = tuple(_TEXTS)


def text(items: list[dict[str, str]], hosts: int, language: str) -> str:
    """For the terminal: a block for each kind, three lines for each difference."""
    words = _TEXTS[language]
    lines = []
    for kind in ("hosts", "inventory"):
        found = [item for item in items if item["kind"] == kind]
        if found:
            lines.append(f"{words[kind]} ({len(found)})")
        for item in found:
            lines.append(f"  {item['host']}: {item['what']}" + (f"  [{words['tag']} {item['tag']}]" if item["tag"] else ""))
            lines.extend(f"    {words[key]}: {item[key]}" for key in ("found", "expected"))
    return "\n".join(lines) if lines else words["none"].format(count=hosts)
