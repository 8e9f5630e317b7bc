# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of stage launch. A function has the id of its entry in catalogue.py."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Cluster, Finding, Findings, Host, Skip, compare, some

# Of the HBM that an idle device does not use itself.
DEFAULT_FRACTION = 0.8
IDLE_HBM_MB = 3400
# KV cache and activations want a share besides the weights.
HEADROOM = 0.9
# Words in the name of an image, and the chip family that they stand for.
FAMILIES = (("310P", r"300i-duo|310p"), ("A3", r"(?:800[it]-|[-_])a3\b"), ("910B", r"800[it]-a2|300[it]-a2|[-_]910b\b"))
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
# These differ from host to host.
OWN_VARIABLES = ("MIES_CONTAINER_IP", "HCCL_IF_IP", "HCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME", "TP_SOCKET_IFNAME", "NODE_RANK", "RANK")


def _is_mindie(host: Host) -> None:
    if host.wanted.get("engine") != "mindie":
        raise Skip("no host for MindIE")


def _configured(host: Host) -> bool:
    """Whether the roles have been here: then what is absent is missing, not to come."""
    return host.has("service") and bool(host.section("service")["installed"])


def firewall(cluster: Cluster) -> Findings:
    found = [(host, facts) for host, facts in cluster.readings("firewall") if _configured(host)]
    if not found:
        raise Skip("the firewall role opens the ports")
    # What peers are let through shows in a try, whoever made the rules; a client's network cannot be tried from here.
    names = [host.name for host, _facts in found]
    closed: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for host, facts in found:
        for probe in facts["probes"]:
            if probe["state"] in ("timeout", "unreachable") and probe["host"] in names:
                closed.setdefault((probe["host"], f"port {probe['port']}: {probe['state']}"), []).append((host.name, str(probe.get("error") or "")))
    for (name, text), sources in closed.items():
        yield Finding(f"{text} from {some([source for source, _error in sources])}", "an answer, be it a refusal", host=name, evidence=sources[0][1])
    for host, facts in found:
        rules = [rule for rule in facts["rules"] if not rule["interfaces"] or _interface(host) in (None, *rule["interfaces"])]
        for port in (host.wanted.get("firewall_ports") or []) if facts["service"] else []:
            if not _lets_through(rules, str(port["port"]), port.get("sources") or []):
                froms = f" from {some(port['sources'])}" if port.get("sources") else ""
                yield Finding(f"no rule of {facts['service']} opens {port['port']}{froms}", "a rule for the clients", host=host.name, status="warn")


def _interface(host: Host) -> str | None:
    """The interface that has the address of the service; None when it is not known."""
    interfaces = host.section("network")["interfaces"] if host.has("network") else {}
    return next((name for name, facts in interfaces.items() if host.wanted.get("address") in facts["addresses"]), None)


def _range(text: str) -> tuple[int, int, str]:
    """``60000-60015/tcp`` as (60000, 60015, tcp)."""
    numbers, _slash, protocol = text.partition("/")
    first, _dash, last = numbers.replace(":", "-").partition("-")
    return int(first), int(last or first), protocol or "tcp"


def _covers(rule: t.Mapping[str, t.Any], port: str, source: str) -> bool:
    if rule["source"] not in (None, "", source) and source.partition("/")[0] != str(rule["source"]).partition("/")[0]:
        return False
    if rule["port"] in (None, "any"):
        return True
    first, last, protocol = _range(port)
    low, high, spoken = _range(str(rule["port"]))
    return protocol == spoken and low <= first and last <= high


def _lets_through(rules: t.Sequence[t.Mapping[str, t.Any]], port: str, sources: t.Sequence[str]) -> bool:
    def judged(source: str) -> bool:
        # firewalld serves a source in the zone that names it, and in no other.
        own = [rule for rule in rules if source and rule["source"] == source and rule.get("zone")]
        return any(_covers(rule, port, source) for rule in own or rules)

    return all(judged(source) for source in sources or [""])


def weights_complete(cluster: Cluster) -> Findings:
    found = cluster.readings("weights")
    if not cluster.unread and found and all(not facts["path"] or (host.wanted.get("weights_made_here") and not facts["exists"]) for host, facts in found):
        raise Skip("the weights role makes the weights" if any(facts["path"] for _host, facts in found) else "no weights are named")
    whole = {}
    for host, facts in found:
        problems = [problem for problem in facts["problems"] if not host.wanted.get("weights_made_here") or problem["id"] not in _MINDIE_PROBLEMS]
        problems = [problem for problem in problems if problem["id"] not in _FORMAT_PROBLEMS]
        for problem in problems[:5]:
            yield Finding(f"{problem['path']}: {problem['observed']}", str(problem["expected"]), host=host.name, evidence=str(problem["remedy"]))
        if facts["exists"] and not problems:
            whole[host.name] = f"{facts['sizes_sha256'][:12]} ({len(facts['files'])} files, {facts['total_bytes']} bytes)"
    yield from compare("names and sizes", whole)
    yield from compare("path", {host.name: facts["path"] for host, facts in found if facts["exists"]})


# Rules of MindIE that weights for kTransformers need not follow, and those that check weights_format judges.
_FORMAT_PROBLEMS = ("config-key-missing", "quantize-missing", "quant-description-missing", "engine-layout", "engine-model-type", "chip-type")
_MINDIE_PROBLEMS = ("symlink", "foreign-owner", "other-writable", "config-mode", "path-characters", "too-many-files", *_FORMAT_PROBLEMS)


def weights_format(host: Host) -> Findings:
    weights = host.section("weights")
    if not weights["exists"]:
        raise Skip("no weights to look at (weights_complete)")
    if host.wanted.get("engine") != "mindie":
        raise Skip("a rule for MindIE")
    for problem in weights["problems"]:
        if problem["id"] in _FORMAT_PROBLEMS:
            yield Finding(f"{problem['path']}: {problem['observed']}", str(problem["expected"]), evidence=str(problem["remedy"]))


def config_rules(host: Host) -> Findings:
    _is_mindie(host)
    config = host.section("config")
    if not config["exists"]:
        raise Skip("the mindie role writes config.json")
    mode = int(config["mode"], 8)
    if mode & ~0o640:
        yield Finding(f"mode {config['mode']}", "at most 0640", evidence="Check_path: config.json failed")
    if config["uid"] != 0:
        yield Finding(f"owner uid {config['uid']}", "uid 0, under which the daemon runs in its container")
    if config["syntax_error"]:
        yield Finding(str(config["syntax_error"]), "plain JSON")
    for rule in config["findings"]:
        evidence = str(rule.get("vendor_message") or "")
        yield Finding(
            f"{rule['path']}: {rule['observed']}",
            f"{rule['expected']} [{rule['rule']}]",
            status="warn" if rule["severity"] == "warning" else "",
            evidence=evidence,
        )
    if host.wanted.get("master") and host.has("network"):
        own = {address for facts in host.section("network")["interfaces"].values() for address in facts["addresses"]}
        for key, address in config["addresses"].items():
            if address and address not in own and address not in ("0.0.0.0", "::"):
                yield Finding(f"{key}: {address}", "an address of this host, which is the master")


def environment_consistent(cluster: Cluster) -> Findings:
    variables = {}
    for host, facts in cluster.readings("environment"):
        if facts["exists"]:
            variables[host.name] = {name: value for name, value in facts["variables"].items() if name not in OWN_VARIABLES}
    if not variables:
        raise Skip("the mindie role writes the environment" if any(host.wanted.get("engine") == "mindie" for host in cluster.hosts) else "no host for MindIE")
    for name in sorted({name for found in variables.values() for name in found}):
        yield from compare(f"{name} is", {host: found.get(name) for host, found in variables.items()})
    for host, found in variables.items():
        if found.get("HCCL_INTRA_ROCE_ENABLE") == "1":
            yield Finding("HCCL_INTRA_ROCE_ENABLE is 1", "0: inside of a host HCCS is used, which works with links down", host=host, status="warn")


def hbm_fit(cluster: Cluster) -> Findings:
    weights = [(host, facts) for host, facts in cluster.readings("weights") if facts["exists"]]
    devices = [device for host in cluster.hosts if host.has("npu") for device in host.section("npu")["devices"] if device["hbm_total_mb"]]
    if not weights or not devices:
        raise Skip("no weights or no devices to look at yet")
    if weights[0][0].wanted.get("engine") != "mindie":
        raise Skip("kTransformers keeps the experts in the memory of the host")
    host, facts = weights[0]
    fraction = float(host.wanted.get("memory_fraction") or DEFAULT_FRACTION)
    usable = sum(max(0, device["hbm_total_mb"] - IDLE_HBM_MB) * fraction for device in devices)
    need = facts["total_bytes"] / 1024**2
    if need > usable * HEADROOM:
        yield Finding(
            f"{need / 1024:.0f} GB of weights for {len(devices)} devices with {usable / 1024:.0f} GB usable",
            f"at most {usable * HEADROOM / 1024:.0f} GB",
            host=host.name,
        )


def image_digest(cluster: Cluster) -> Findings:
    found = cluster.readings("image")
    present = [(host, facts) for host, facts in found if facts["id"]]
    if not present:
        raise Skip("the docker role loads the image" if any(host.wanted.get("engine") == "mindie" for host in cluster.hosts) else "no host for MindIE")
    for host, facts in found:
        if not facts["id"] and _configured(host):
            yield Finding(f"no image {facts['name']}", f"as on {present[0][0].name}", host=host.name)
    yield from compare("image id", {host.name: facts["id"] for host, facts in present})
    for host, facts in present:
        machine = str(host.wanted.get("machine") or (host.section("system")["architecture"] if host.has("system") else facts.get("machine") or ""))
        if machine and facts["architecture"] not in (machine, MACHINES.get(machine)):
            yield Finding(f"image for {facts['architecture']}", f"{MACHINES.get(machine, machine)}", host=host.name, evidence="exec format error")
        family = next((name for name, pattern in FAMILIES if re.search(pattern, facts["name"], re.IGNORECASE)), None)
        chips = {npu.get("chip") for npu in host.section("pci")["npus"]} - {None} if host.has("pci") else set()
        if family and chips and family not in chips:
            yield Finding(f"{facts['name'].rpartition('/')[2]} is for {family}", f"an image for {' and '.join(sorted(chips))}", host=host.name)


def device_claims(cluster: Cluster) -> Findings:
    judged = False
    for host, facts in cluster.readings("containers"):
        judged = True
        wanted = set(range(int(host.wanted["device_count"])))
        for container in facts["containers"]:
            if container["own"]:
                continue
            taken = sorted(wanted & set(container["devices"]))
            if taken:
                yield Finding(
                    f"container {container['name']} ({container['image']}) has NPU {some(taken, 16)}",
                    "NPUs that no other container has",
                    host=host.name,
                    device=taken[0] if len(taken) == 1 else None,
                )
    if not judged and not cluster.unread:
        raise Skip("no host")


def ranktable_live(cluster: Cluster) -> Findings:
    tables = cluster.readings("rank_table")
    present = [(host, facts) for host, facts in tables if facts["exists"]]
    if not present:
        raise Skip("the rank_table role makes it" if len(cluster.hosts) > 1 else "one host needs no rank table")
    for host, facts in tables:
        if not facts["exists"]:
            yield Finding(f"no {facts['path']}", f"the table that {present[0][0].name} has", host=host.name)
            continue
        if int(facts["mode"], 8) & ~0o640:
            yield Finding(f"mode {facts['mode']}", "at most 0640", host=host.name)
        for finding in sorted(facts["findings"], key=lambda finding: finding["severity"] == "warning")[:5]:
            device = re.search(r"\bfor device (\d+)\b", finding["observed"])
            yield Finding(
                f"{finding['path']}: {finding['observed']}",
                str(finding["expected"]),
                host=host.name,
                device=int(device.group(1)) if device else None,
                status="warn" if finding["severity"] == "warning" else "",
                evidence=str(finding.get("vendor_message") or ""),
            )
    yield from compare("sha256", {host.name: facts["sha256"][:16] for host, facts in present})


def smoke_request(host: Host) -> Findings:
    smoke = host.section("smoke")
    if smoke.get("skip"):
        raise Skip(str(smoke["skip"]))
    limit = float(host.wanted.get("smoke_seconds") or 60)
    if smoke["failure"]:
        yield Finding(str(smoke["failure"]), "status 200 and a text", evidence=str(smoke.get("body") or ""))
    elif not smoke["text_length"]:
        yield Finding("an empty answer", "a text")
    elif smoke["seconds"] > limit:
        yield Finding(f"an answer after {smoke['seconds']:.1f} s", f"within {limit:g} s (preflight_smoke_seconds)")
