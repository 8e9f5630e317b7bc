# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of stage host. A function has the id of its entry in catalogue.py."""

from __future__ import annotations

import re

from ansible_collections.npuops.ascend.plugins.module_utils._checks.model import Cluster, Finding, Findings, Host, Skip, compare, some

# What systemd-detect-virt calls virtual machines; a container is no slower than its host.
VIRTUAL_MACHINES = ("kvm", "qemu", "amazon", "google", "zvm", "vmware", "microsoft", "oracle", "powervm", "xen", "bochs", "parallels", "bhyve", "vm-other")
FIRST_KERNEL = (5, 10)
LOOPBACK = ("127.", "::1")


def host_reachable(host: Host) -> Findings:
    if host.facts:
        return
    reason = host.wanted.get("unreachable", "no answer")
    if not reason:
        raise Skip("nothing was asked of this host")
    yield Finding(str(reason), "an answer to Ansible")


def pci_inventory(host: Host) -> Findings:
    npus = host.section("pci")["npus"]
    count = int(host.wanted["device_count"])
    if len(npus) != count:
        yield Finding(f"{len(npus)} NPUs on the PCI bus", f"{count} (preflight_device_count)", evidence="\n".join(npu["address"] for npu in npus[:3]))
    chips = sorted({str(npu["chip"]) for npu in npus if npu.get("chip")})
    if len(chips) > 1:
        yield Finding(f"NPUs of the families {' and '.join(chips)}", "one family")


def product_os_arch(host: Host) -> Findings:
    system = host.section("system")
    names = {str(system["distribution"]).lower(), str(system["id"]).lower()}
    version = str(system["version"])
    systems = {str(name).lower(): list(map(str, versions)) for name, versions in host.wanted["systems"].items()}
    accepted = [item for name in names for item in systems.get(name, [])]
    if version not in accepted and version.split(".", maxsplit=1)[0] not in accepted:
        listed = ", ".join(f"{name} {'/'.join(map(str, versions))}" for name, versions in host.wanted["systems"].items())
        yield Finding(f"{system['distribution']} {version}", f"one of {listed} (preflight_systems)")
    if system["architecture"] not in host.wanted["architectures"]:
        yield Finding(f"architecture {system['architecture']}", f"one of {', '.join(host.wanted['architectures'])} (preflight_architectures)")


def kernel_headers(host: Host) -> Findings:
    kernel = host.section("kernel")
    if kernel["headers"]:
        return
    if kernel["driver_loaded"]:
        raise Skip("the driver is built and runs")
    if host.wanted.get("installs_headers"):
        raise Skip("the hdk role installs them (hdk_install_build_packages)")
    yield Finding(f"no {kernel['path']}", f"the headers of kernel {kernel['release']}")


def install_user(host: Host) -> Findings:
    user = host.section("user")
    if not user["exists"]:
        if not user["installed"]:
            raise Skip("the hdk role creates it")
        yield Finding(f"no user {user['name']}", f"user {user['name']}, which the installation of the driver names")


def kernel_consistent(cluster: Cluster) -> Findings:
    values = {host.name: f"{facts['distribution']} {facts['version']} kernel {facts['kernel']}" for host, facts in cluster.readings("system")}
    yield from compare("system", values)


def disk_shm_mem(host: Host) -> Findings:
    memory = host.section("memory")
    wanted = float(host.wanted["min_memory_gb"])
    if memory["total_mb"] < wanted * 1000:
        yield Finding(f"{memory['total_mb'] // 1000} GB of memory", f"{wanted:g} GB (preflight_min_memory_gb)")
    shm = _megabytes(str(host.wanted.get("shm") or ""))
    if shm > memory["total_mb"]:
        yield Finding(
            f"{memory['total_mb'] / 1000:.0f} GB of memory",
            f"no less than the {shm / 1000:.0f} GB of shared memory of the container (mindie_shm_size)",
            status="warn",
        )
    paths = host.section("disks")["paths"]
    for path, limit in host.wanted["min_free_gb"].items():
        disk = paths.get(path, {"error": "not read"})
        if "error" in disk:
            yield Finding(f"{path}: {disk['error']}", f"an existing directory with {limit:g} GB free (preflight_min_free_gb)")
        elif disk["free_gb"] < limit:
            yield Finding(f"{disk['free_gb']:g} GB free under {path}", f"{limit:g} GB (preflight_min_free_gb)")


def _megabytes(text: str) -> float:
    """A size as docker takes it: 500g, 64m, or bytes."""
    found = re.match(r"\s*(\d+(?:\.\d+)?)\s*([bkmgt]?)", text.lower())
    return float(found.group(1)) * {"k": 1 / 1024, "m": 1, "g": 1024, "t": 1024**2}.get(found.group(2), 1 / 1024**2) if found else 0


def host_nic(cluster: Cluster) -> Findings:
    for host, network in cluster.readings("network"):
        interfaces = network["interfaces"]
        address = str(host.wanted.get("address") or "")
        owner = next((name for name, facts in interfaces.items() if address in facts["addresses"]), None)
        # A name instead of an address is the resolver's matter.
        if re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*", address):
            if owner is None:
                yield Finding(f"no interface has {address}", "the address that the other hosts use, on an interface of this host", host=host.name)
            elif not interfaces[owner]["up"]:
                yield Finding(f"{owner}, which has {address}, is down", "an interface that is up", host=host.name)
        yield from _interface_name(host, interfaces)
        # A host that nobody reaches is named by host_reachable.
        names = [other.name for other in cluster.everyone]
        yield from _unreached(host, [probe for probe in network["probes"] if probe["host"] in names])


def _unreached(host: Host, probes: list) -> Findings:
    """Hosts that answer on none of the ports that were tried: a firewall that is set up lets peers through on few."""
    for name in dict.fromkeys(probe["host"] for probe in probes):
        tried = [probe for probe in probes if probe["host"] == name]
        if all(probe["state"] in ("timeout", "unreachable") for probe in tried):
            ports = ", ".join(str(probe["port"]) for probe in tried)
            yield Finding(
                f"{name} ({tried[0]['address']} port {ports}): {tried[0]['state']}",
                "an answer, be it a refusal",
                host=host.name,
                evidence=str(tried[0].get("error") or ""),
            )


def _interface_name(host: Host, interfaces: dict) -> Findings:
    """HCCL_SOCKET_IFNAME as HCCL reads it: prefixes joined by commas, = for whole names, ^ for all others."""
    wish = str(host.wanted.get("interface") or "")
    if not wish:
        return
    exclude, exact = wish.startswith("^"), wish.lstrip("^").startswith("=")
    words = [word for word in wish.lstrip("^=").split(",") if word]

    def meant(name: str) -> bool:
        return exclude != any(name == word if exact else name.startswith(word) for word in words)

    found = [name for name, facts in interfaces.items() if name != "lo" and meant(name)]
    if not any(interfaces[name]["up"] and interfaces[name]["addresses"] for name in found):
        there = some([name for name in sorted(interfaces) if name != "lo"])
        yield Finding(
            f"HCCL_SOCKET_IFNAME={wish} means {some(found) or 'no interface'}",
            f"an interface that is up and has an address; there are {there}",
            host=host.name,
        )


def hosts_file(host: Host) -> Findings:
    resolver = host.section("resolver")
    if not resolver["addresses"]:
        yield Finding(f"{resolver['hostname']} has no address", "the address of the host")
    elif all(address.startswith(LOOPBACK) for address in resolver["addresses"]):
        yield Finding(f"{resolver['hostname']} is {', '.join(resolver['addresses'])}", "an address that other hosts reach")


def ports_free(host: Host) -> Findings:
    ports = host.section("ports")
    first, last = map(int, host.wanted["hccl_ports"].split("-"))
    planned = {int(port): "the plan" for port in host.wanted["ports"]}
    if host.wanted.get("engine") == "mindie":
        planned.update({port: "HCCL" for port in range(first, last + 1)})
    for entry in ports["listening"]:
        if entry["port"] in planned and not entry["own"]:
            who = f"{entry['process']} (pid {entry['pid']})" if entry["pid"] else "an unknown process"
            yield Finding(f"port {entry['port']} is taken by {who} on {entry['address']}", f"a free port for {planned[entry['port']]}")
    if host.wanted.get("engine") != "mindie":
        return
    low, high = ports["ephemeral"]
    at_risk = [port for port in range(first, last + 1) if low <= port <= high and not any(start <= port <= end for start, end in ports["reserved"])]
    if at_risk:
        yield Finding(
            f"ports {at_risk[0]} to {at_risk[-1]} may be given to any client (ip_local_port_range {low} {high})",
            f"{host.wanted['hccl_ports']} in net.ipv4.ip_local_reserved_ports",
            status="warn",
        )


def clock(cluster: Cluster) -> Findings:
    windows = {host.name: (float(facts["earliest_s"]), float(facts["latest_s"])) for host, facts in cluster.readings("clock")}
    if len(windows) < 2:
        return
    # The true difference lies somewhere in the window, which is as wide as the task took to start: only what is certain counts.
    middles = sorted((low + high) / 2 for low, high in windows.values())
    # Of two hosts the one that agrees with the controller is taken to be right.
    usual = min(middles[(len(middles) - 1) // 2], middles[len(middles) // 2], key=abs)
    reference = min(windows, key=lambda name: abs(sum(windows[name]) / 2 - usual))
    for name, (low, high) in windows.items():
        ahead, behind = low - windows[reference][1], windows[reference][0] - high
        seconds = max(ahead, behind)
        if seconds >= 1:
            word = "ahead of" if ahead > 0 else "behind"
            yield Finding(f"at least {seconds:.1f} s {word} {reference}", "less than 1 s apart", host=name, status="fail" if seconds >= 30 else "")


def host_tuning(host: Host) -> Findings:
    tuning, system = host.section("tuning"), host.section("system")
    if tuning["thp"] not in (None, "always"):
        yield Finding(f"transparent_hugepage is {tuning['thp']}", "always")
    slow = [governor for governor in tuning["governors"] if governor != "performance"]
    if slow:
        yield Finding(f"CPU governor {', '.join(slow)}", "performance")
    if tuning["virtualisation"] in VIRTUAL_MACHINES:
        yield Finding(f"a virtual machine ({tuning['virtualisation']})", "a physical host")
    number = re.match(r"(\d+)\.(\d+)", str(system["kernel"]))
    if number and tuple(map(int, number.groups())) < FIRST_KERNEL:
        yield Finding(f"kernel {system['kernel']}", "5.10 or newer")
