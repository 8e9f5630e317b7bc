#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: check_facts
short_description: Read everything that the checks before a launch want to know of a host
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Reads the facts of one or several stages in one call, for the filter P(npuops.ascend.check_results#filter). It judges nothing and changes nothing.
  - A tool that is missing, hangs, fails or prints what cannot be read is a fact too. The section then has V(error) and V(kind), which is one of
    V(missing), V(timeout), V(unparsable) and V(failed). The module does not fail because of it.
  - Device by device, C(hccn_tool) is asked in parallel.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  stages:
    description:
      - What is going to be judged.
      - V(host) reads system, PCI bus, memory, disks, network, clock, ports and containers, and needs nothing installed.
      - V(npu) reads driver, firmware, NPUs, their topology, and CANN.
      - V(fabric) reads the NPUs' network ports.
      - V(launch) reads weights, configuration, image, rank table, firewall and the service.
    type: list
    elements: str
    choices: [host, npu, fabric, launch]
    required: true
    version_added: 0.3.0
  timeout:
    description: Seconds that one call of a tool may take.
    type: int
    default: 20
  own:
    description:
      - Names of the systemd units and of the containers of the own service. Ports, NPUs and processes of theirs are marked as such.
    type: list
    elements: str
    default: []
  peers:
    description: Other hosts to reach for.
    type: list
    elements: dict
    default: []
    suboptions:
      host:
        description: Name of the other host.
        type: str
        required: true
      address:
        description: Its address.
        type: str
        required: true
  probe_ports:
    description: TCP ports of the O(peers) to try, to see whether the network lets a packet through. A refused connection is an answer too.
    type: dict
    default: {}
    version_added: 0.3.0
    suboptions:
      host:
        description: Ports to try for V(host) of O(stages).
        type: list
        elements: int
        default: []
      launch:
        description: Ports to try for V(launch) of O(stages).
        type: list
        elements: int
        default: []
  paths:
    description: For V(host) of O(stages). Directories whose free space is read.
    type: list
    elements: path
    default: [/]
  user:
    description: For V(host) of O(stages). User of the driver, where the installation names none.
    type: str
    default: HwHiAiUser
  cann_path:
    description: For V(npu) of O(stages). Where CANN is installed.
    type: path
    default: /usr/local/Ascend
  devices:
    description: For V(fabric) and V(launch) of O(stages). Physical ids of the devices; all that the driver offers when not given.
    type: list
    elements: int
  weights_path:
    description: For V(launch) of O(stages). Directory of the weights.
    type: path
  weights_user:
    description: For V(launch) of O(stages). User under which the service reads the weights.
    type: str
    default: root
  weights_engine:
    description: For V(launch) of O(stages). Engine that loads the weights; its layout is not asked for when not given.
    type: str
    choices: [mindie, vllm]
  config_path:
    description: For V(launch) of O(stages). The C(config.json) of MindIE.
    type: path
  mindie_version:
    description: For V(launch) of O(stages). Version of MindIE, whose rules are applied to O(config_path).
    type: str
  world_size:
    description: For V(launch) of O(stages). Devices of the whole serving group.
    type: int
  environment_path:
    description: For V(launch) of O(stages). File with the environment of the service. What may be a secret is not returned.
    type: path
  image:
    description: For V(launch) of O(stages). Name of the image.
    type: str
  rank_table_path:
    description: For V(launch) of O(stages). The rank table.
    type: path
  server_id:
    description: For V(launch) of O(stages). The C(server_id) of this host in the rank table.
    type: str
  unit:
    description: For V(launch) of O(stages). Name of the service's systemd unit.
    type: str
  url:
    description: For V(launch) of O(stages). Base URL of the service. When given, and when O(unit) is active, one question is asked there.
    type: str
  model:
    description: For V(launch) of O(stages). Name of the served model.
    type: str
    default: ""
  validate_certs:
    description: For V(launch) of O(stages). Whether the certificate of O(url) is verified.
    type: bool
    default: true
  smoke_seconds:
    description: For V(launch) of O(stages). Seconds to wait for the answer.
    type: int
    default: 60
notes:
  - C(hccn_tool -tls -g) adds a missing line to C(/etc/hccn.conf). The TLS switch of a device without that line is therefore not asked for.
seealso:
  - module: npuops.ascend.npu_info
  - module: npuops.ascend.hccn_info
  - plugin: npuops.ascend.check_results
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Read system, memory, disks and ports
  npuops.ascend.check_facts:
    stages: [host]
    paths: [/, /data]
  register: read

- name: Read the NPUs' network ports
  npuops.ascend.check_facts:
    stages: [fabric]
  register: read
"""

RETURN = r"""
facts:
  description:
    - The sections of the stages, each a dictionary.
    - V(host) has system, pci, memory, disks, user, kernel, network, tuning, resolver, ports, containers, and clock.
    - V(npu) has npu (as M(npuops.ascend.npu_info) returns it), topology, superpod and cann.
    - V(fabric) has hccn, with devices as M(npuops.ascend.hccn_info) returns them.
    - V(launch) has weights (as M(npuops.ascend.weights_info) returns them), config, environment, image, rank_table, firewall, containers, service
      and smoke.
    - V(clock) tells by how many seconds at least and at most the clock of the host is ahead of the controller's.
  returned: always
  type: dict
  sample: {"topology": {"error": "npu-smi was not found in PATH.", "kind": "missing"}}
"""

import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import pwd
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url
from ansible_collections.npuops.ascend.plugins.module_utils import (
    _ascend_package,
    _cann,
    _host_facts,
    _mindie_config,
    _npu_info,
    _npu_smi,
    _rank_table,
    _weights_directory,
)
from ansible_collections.npuops.ascend.plugins.module_utils._hccn import QUERIES
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import HccnTool, devices_present, read_conf
from ansible_collections.npuops.ascend.plugins.module_utils._mindie_schema import family_of
from ansible_collections.npuops.ascend.plugins.module_utils._pci import read_npus
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli, VendorCliError

OS_RELEASE = "/etc/os-release"
SYSTEM_PATHS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/bin")
FABRIC = ("address", "gateway", "tls", "mtu", "link", "net_health", "lldp", "speed", "duplex", "fec", "optical", "link_stat")
# Enough for a daemon that only has to show that it generates.
SMOKE_TOKENS = 8
Section = t.Dict[str, t.Any]


class NotYet(Exception):
    """Something that an installation is going to bring; the text says what."""


class Facts:
    """Readers of the sections; each raises what it likes."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params: dict[str, t.Any] = module.params
        # The first tool that is looked for empties the standard input of all.
        self.npu_smi = VendorCli(module, "npu-smi", _npu_info.NPU_SMI_PATHS, timeout=self.params["timeout"])
        self._own: list[str] | None = None
        self._containers: list[dict[str, t.Any]] | None = None
        self._devices: list[Section] | None = None

    def tool(self, name: str, *args: str, accept: t.Collection[int] = (0,)) -> Reply:
        """Run a tool of the system. Raises VendorCliError."""
        cli = VendorCli(self.module, name, SYSTEM_PATHS, timeout=self.params["timeout"])
        if cli.path is None:
            raise NotYet(f"{name} is not installed")
        reply = cli.run(*args)
        if reply.rc not in accept:
            raise VendorCliError.from_reply(f"{' '.join((name, *args))}: {reply.text.strip() or 'nothing was printed'} (exit code {reply.rc})", reply)
        return reply

    # ---- host

    def system(self) -> Section:
        release, kernel = _host_facts.parse_os_release(_host_facts.read(OS_RELEASE)), os.uname()
        return {
            "distribution": release.get("NAME", ""),
            "id": release.get("ID", ""),
            "version": release.get("VERSION_ID", ""),
            "kernel": kernel.release,
            "architecture": kernel.machine,
            "page_size": os.sysconf("SC_PAGE_SIZE"),
            "hostname": kernel.nodename,
        }

    def pci(self) -> Section:
        return {"npus": [dataclasses.asdict(npu) for npu in read_npus()]}

    def memory(self) -> Section:
        memory = _host_facts.parse_meminfo(_host_facts.read("/proc/meminfo"))
        return {"total_mb": memory["MemTotal"], "available_mb": memory.get("MemAvailable", memory["MemTotal"])}

    def disks(self) -> Section:
        return {"paths": {path: self._disk(path) for path in self.params["paths"]}}

    @staticmethod
    def _disk(path: str) -> Section:
        try:
            volume = os.statvfs(path)
        except OSError as error:
            return {"error": str(error.strerror)}
        return {"free_gb": round(volume.f_bavail * volume.f_frsize / 1e9, 1), "total_gb": round(volume.f_blocks * volume.f_frsize / 1e9, 1)}

    def user(self) -> Section:
        info = _ascend_package.read_key_values(_ascend_package.INSTALL_INFO) or {}
        name = info.get("UserName") or self.params["user"]
        with contextlib.suppress(KeyError):
            pwd.getpwnam(name)
            return {"name": name, "exists": True, "installed": bool(info)}
        return {"name": name, "exists": False, "installed": bool(info)}

    def kernel(self) -> Section:
        release = os.uname().release
        path = f"/lib/modules/{release}/build"
        return {"release": release, "path": path, "headers": os.path.isdir(path), "driver_loaded": bool(devices_present())}

    def network(self) -> Section:
        interfaces = _host_facts.parse_interfaces(self.tool("ip", "-json", "address", "show").stdout)
        default = _host_facts.parse_default_route(_host_facts.read_or("/proc/net/route"))
        return {"interfaces": interfaces, "default_interface": default, "probes": self.probes("host")}

    def probes(self, stage: str) -> list[Section]:
        ports = self.params["probe_ports"].get(stage, [])
        with ThreadPoolExecutor(16) as pool:
            return list(pool.map(_host_facts.probe, [{**peer, "port": port} for peer in self.params["peers"] for port in ports]))

    def tuning(self) -> Section:
        # Its exit code is 1 on bare metal.
        virtualisation = None
        with contextlib.suppress(NotYet):
            virtualisation = self.tool("systemd-detect-virt", accept=(0, 1)).stdout.strip()
        return {
            "thp": _host_facts.parse_selected(_host_facts.read_or("/sys/kernel/mm/transparent_hugepage/enabled")),
            "governors": _host_facts.governors(),
            "virtualisation": virtualisation,
        }

    def resolver(self) -> Section:
        hostname = os.uname().nodename
        # 2: the name is not known.
        return {"hostname": hostname, "addresses": _host_facts.parse_addresses(self.tool("getent", "ahosts", hostname, accept=(0, 2)).stdout)}

    def ports(self) -> Section:
        sockets = [entry for name in ("tcp", "tcp6") for entry in _host_facts.parse_listening(_host_facts.read_or(f"/proc/net/{name}"))]
        owners = _host_facts.socket_owners([inode for _address, _port, inode in sockets])
        listening = []
        for address, port, inode in sockets:
            pid, process = owners.get(inode, (None, None))
            listening.append({"port": port, "address": address, "pid": pid, "process": process, "own": self.is_own(pid)})
        ephemeral = _host_facts.read("/proc/sys/net/ipv4/ip_local_port_range").split()
        reserved = _host_facts.parse_ranges(_host_facts.read_or("/proc/sys/net/ipv4/ip_local_reserved_ports"))
        return {"listening": listening, "reserved": reserved, "ephemeral": [int(number) for number in ephemeral]}

    def containers(self) -> Section:
        return {"containers": self.listed_containers()}

    def listed_containers(self) -> list[dict[str, t.Any]]:
        if self._containers is None:
            ids = self.tool("docker", "ps", "--quiet", "--no-trunc").stdout.split()
            # A container may end between the two questions; the others are printed all the same.
            found = _host_facts.parse_containers(self.tool("docker", "inspect", *ids, accept=(0, 1)).stdout) if ids else []
            self._containers = [{**item, "own": item["name"] in self.params["own"]} for item in found]
        return self._containers

    def is_own(self, pid: int | None) -> bool:
        """Whether a process belongs to the own service. Without an engine there are its units only."""
        if pid is None:
            return False
        if self._own is None:
            self._own = [name for name in self.params["own"] if name.endswith(".service")]
            with contextlib.suppress(NotYet, VendorCliError, OSError, ValueError):
                self._own += [item["id"] for item in self.listed_containers() if item["own"]]
        return _host_facts.belongs_to(pid, self._own)

    def clock(self) -> Section:
        # The action plugin turns this into the distance to the controller's clock.
        return {"epoch": time.time()}

    # ---- npu

    def npu(self) -> Section:
        found = _npu_info.gather(self.npu_smi, [])
        for process in found["processes"] or []:
            process["own"] = self.is_own(process["pid"])
        found["own_service"] = any(process["own"] for process in found["processes"] or [])
        for device in found["devices"]:
            # Only an NPU that is ill has more to tell.
            if device["health"] != "OK":
                with contextlib.suppress(VendorCliError, ValueError):
                    reply = self.npu_smi.run("info", "-t", "health", "-i", str(device["npu_id"]), "-c", str(device["chip_id"]))
                    device["details"]["health"] = dataclasses.asdict(_npu_info.parsed(_npu_smi.parse_health, reply))
        return found

    def topology(self) -> Section:
        links = self.answer(_npu_smi.parse_topology, "info", "-t", "topo")
        return {"unsupported": links is None, "links": links or {}}

    def superpod(self) -> Section:
        if not any(npu.chip == "A3" for npu in read_npus()):
            return {"devices": []}
        devices: list[Section] = []
        errors: list[_npu_smi.NpuSmiError] = []
        for row in self.answer(_npu_smi.parse_mapping, "info", "-m"):
            # The MCU, and what is lost: the driver has no id for it, or -1.
            if row.logic_id is None or row.npu_id < 0:
                continue
            found: Section = {"device": row.phy_id if row.phy_id is not None else row.logic_id}
            try:
                found.update(self.answer(_npu_smi.parse_super_pod, "info", "-t", "spod-info", "-i", str(row.npu_id), "-c", str(row.chip_id)))
            except _npu_smi.NpuSmiError as error:
                # The other dies have theirs.
                errors.append(error)
                found.update(dict.fromkeys(("sdid", "size", "pod", "server_index")), error=str(error))
            devices.append(found)
        if devices and all("does not support" in str(error) for error in errors) and len(errors) == len(devices):
            return {"devices": []}
        if devices and len(errors) == len(devices):
            raise errors[0]
        return {"devices": devices}

    def answer(self, parse: t.Callable[[str], t.Any], *words: str) -> t.Any:
        """Ask npu-smi and read what it says. Raises NpuSmiError, VendorCliError and NotYet."""
        if self.npu_smi.path is None:
            raise NotYet("npu-smi is not installed")
        reply = self.npu_smi.run(*words)
        if _npu_smi.is_driver_missing(reply.text):
            raise NotYet("no driver runs")
        return _npu_info.parsed(parse, reply)

    def cann(self) -> Section:
        found = _cann.read(self.params["cann_path"])
        return {"toolkit": found.base.version, "kernels": found.components["kernels"].version, "nnal": found.components["nnal"].version}

    # ---- fabric

    def hccn(self) -> Section:
        devices = self.numbers()
        conf = None
        with contextlib.suppress(OSError):
            conf = read_conf()
        wanted = list(FABRIC) + (["vnic"] if any(npu.chip == "A3" for npu in read_npus()) else [])
        asked = {device: [name for name in wanted if name != "tls" or (conf and conf.get(device, "tls_enabled") is not None)] for device in devices}
        self._devices = self.readings(asked)
        return {
            "devices": self._devices,
            "conf_addresses": {str(device): conf.get(device, "address") for device in devices if conf and conf.get(device, "address")},
            "now": datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None).isoformat(timespec="seconds"),
        }

    def numbers(self) -> list[int]:
        devices = self.params["devices"]
        present = devices_present()
        if not present:
            raise NotYet("no /dev/davinciN: no driver runs")
        return sorted(set(devices) & set(present)) if devices is not None else present

    def readings(self, asked: t.Mapping[int, t.Sequence[str]]) -> list[Section]:
        tool = HccnTool(self.module, self.params["timeout"])
        if not tool.installed:
            raise NotYet("hccn_tool is not installed")
        return [
            {
                "device": reading.device,
                **dict.fromkeys(field for query in QUERIES.values() for field in query.fields if query is not None),
                **reading.values,
                "asked": list(asked[reading.device]),
                "errors": {name: str(error) for name, error in reading.errors.items()},
                # From a question that hung or found no device on, no further one was asked.
                "lost": any(error.reason == "timeout" or getattr(error, "kind", "") == "no_device" for error in reading.errors.values()),
            }
            for reading in tool.read_all(asked).values()
        ]

    # ---- launch

    def weights(self) -> Section:
        if not self.params["weights_path"]:
            raise NotYet("no weights are named")
        path, user = os.path.normpath(self.params["weights_path"]), _weights_directory.service_user(self.params["weights_user"])
        chip = next((npu.chip for npu in read_npus() if npu.chip), "")
        found = _weights_directory.look(path, user, self.params["weights_engine"] or "", chip)
        sizes = "".join(f"{file['name']} {file['size']}\n" for file in sorted(found["files"], key=lambda file: file["name"]))
        return {**found, "sizes_sha256": hashlib.sha256(sizes.encode("utf-8", "replace")).hexdigest()}

    @staticmethod
    def stored(path: str | None, what: str) -> tuple[Section, bytes]:
        """Whether a file is there, its mode and owner, and its bytes."""
        if not path:
            raise NotYet(f"no {what} is named")
        if not os.path.isfile(path):
            return {"path": path, "exists": False}, b""
        status = os.stat(path)
        with open(path, "rb") as stream:
            data = stream.read(_mindie_config.MAX_BYTES + 1)
        return {"path": path, "exists": True, "mode": f"{status.st_mode & 0o7777:04o}", "uid": status.st_uid, "sha256": hashlib.sha256(data).hexdigest()}, data

    def config(self) -> Section:
        found, data = self.stored(self.params["config_path"], "config.json")
        found.update(syntax_error=None, findings=[], addresses={})
        if found["exists"]:
            try:
                content = _mindie_config.parse(_mindie_config.decode(data))
            except _mindie_config.ConfigSyntaxError as error:
                found["syntax_error"] = str(error)
                return found
            family = family_of(self.params["mindie_version"] or "")
            found["findings"] = [dataclasses.asdict(finding) for finding in _mindie_config.validate(content, family, self.params["world_size"])]
            server = content.get("ServerConfig")
            if isinstance(server, dict):
                found["addresses"] = {key: server[key] for key in ("ipAddress", "managementIpAddress") if isinstance(server.get(key), str)}
        return found

    def environment(self) -> Section:
        found, data = self.stored(self.params["environment_path"], "environment file")
        return {**found, "variables": _host_facts.parse_environment(data.decode("utf-8", "replace"))}

    def image(self) -> Section:
        name = self.params["image"]
        if not name:
            raise NotYet("no image is named")
        reply = self.tool("docker", "image", "inspect", name, accept=(0, 1))
        if reply.rc == 1 and "no such image" in reply.text.lower():
            return {"name": name, "id": None, "digests": [], "architecture": None, "machine": os.uname().machine}
        if reply.rc != 0:
            raise VendorCliError.from_reply(f"docker image inspect: {reply.text.strip()}", reply)
        return {"name": name, **_host_facts.parse_image(reply.stdout), "machine": os.uname().machine}

    def rank_table(self) -> Section:
        found, data = self.stored(self.params["rank_table_path"], "rank table")
        found["findings"] = []
        if found["exists"]:
            try:
                table = _rank_table.parse(data)
                findings = _rank_table.validate(table)
            except _rank_table.RankTableError as error:
                findings = error.findings
            else:
                live = self._devices or self.readings(dict.fromkeys(self.numbers(), ["address"]))
                # A device that gives no answer is a matter of stage fabric; without it the table cannot be told from a wrong one.
                known = [{"device_id": device["device"], "device_ip": device["address"]} for device in live if "address" not in device["errors"]]
                if len(known) == len(live) and not any(finding.severity == "error" for finding in findings):
                    findings += _rank_table.compare_with_live(table, self.params["server_id"] or "", known)
            found["findings"] = [dataclasses.asdict(finding) for finding in findings]
        return found

    def firewall(self) -> Section:
        rules: list[dict[str, t.Any]] = []
        service = None
        units = self.tool("systemctl", "list-units", "--type=service", "--state=active", "--plain", "--no-legend", "firewalld.service", "ufw.service").stdout
        if "firewalld.service" in units:
            service, rules = "firewalld", _host_facts.parse_firewalld(self.tool("firewall-cmd", "--list-all-zones").stdout)
        elif "ufw.service" in units:
            text = self.tool("ufw", "status").stdout
            # The unit is active also while the firewall itself is off.
            if "inactive" not in text.lower():
                service, rules = "ufw", _host_facts.parse_ufw(text)
        return {"service": service, "rules": rules, "probes": self.probes("launch")}

    def service(self) -> Section:
        if not self.params["unit"]:
            raise NotYet("no unit is named")
        text = self.tool("systemctl", "show", "--property", "LoadState,ActiveState,SubState", "--", self.params["unit"]).stdout
        values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {"unit": self.params["unit"], "installed": values.get("LoadState") == "loaded", "state": values.get("ActiveState")}

    def smoke(self) -> Section:
        if not self.params["url"]:
            return {"skip": "the service is asked on its master only"}
        try:
            state = self.service()["state"]
        except NotYet as reason:
            return {"skip": str(reason)}
        if state != "active":
            return {"skip": f"{self.params['unit']} does not run"}
        return self.ask()

    def ask(self) -> Section:
        body = {"model": self.params["model"], "messages": [{"role": "user", "content": "1+1=?"}], "max_tokens": SMOKE_TOKENS, "stream": False}
        result: Section = {"failure": None, "body": None, "seconds": 0.0, "text_length": 0}
        begun = time.monotonic()
        try:
            with open_url(
                f"{self.params['url']}/v1/chat/completions",
                data=json.dumps(body),
                method="POST",
                headers={"Content-Type": "application/json"},
                timeout=self.params["smoke_seconds"],
                use_proxy=False,
                validate_certs=self.params["validate_certs"],
            ) as response:
                answer = json.loads(response.read(_mindie_config.MAX_BYTES).decode("utf-8", "replace"))
            text = answer["choices"][0]["message"]["content"]
            result["text_length"] = len(text.strip()) if isinstance(text, str) else 0
        except OSError as error:
            # An HTTP error has a body that says more.
            result["failure"] = f"{self.params['url']}: {error}"
            with contextlib.suppress(OSError, AttributeError, ValueError):
                result["body"] = error.read(2000).decode("utf-8", "replace")
        except (ValueError, KeyError, IndexError, TypeError):
            result["failure"] = f"{self.params['url']}: an answer that is no chat completion"
        result["seconds"] = round(time.monotonic() - begun, 3)
        return result


STAGES = {
    "host": ("clock", "system", "pci", "memory", "disks", "user", "kernel", "network", "tuning", "resolver", "containers", "ports"),
    "npu": ("npu", "topology", "superpod", "cann"),
    "fabric": ("hccn",),
    "launch": ("weights", "config", "environment", "image", "rank_table", "firewall", "containers", "service", "smoke"),
}


def guarded(read: t.Callable[[], Section]) -> Section:
    """A section, or why there is none."""
    try:
        return read()
    except NotYet as reason:
        return {"error": str(reason), "kind": "missing"}
    except VendorCliError as error:
        return {"error": str(error), "kind": "unparsable" if getattr(error, "kind", "") == "unparsable" else error.reason}
    except OSError as error:
        return {"error": str(error), "kind": "failed"}
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        # What a tool printed led somewhere that its reader did not expect; the other sections are none the worse for it.
        return {"error": str(error) or type(error).__name__, "kind": "unparsable"}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "stages": {"type": "list", "elements": "str", "choices": list(STAGES), "required": True},
            "timeout": {"type": "int", "default": 20},
            "own": {"type": "list", "elements": "str", "default": []},
            "peers": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "host": {"type": "str", "required": True},
                    "address": {"type": "str", "required": True},
                },
            },
            "probe_ports": {
                "type": "dict",
                "default": {},
                "options": {stage: {"type": "list", "elements": "int", "default": []} for stage in ("host", "launch")},
            },
            "paths": {"type": "list", "elements": "path", "default": ["/"]},
            "user": {"type": "str", "default": "HwHiAiUser"},
            "cann_path": {"type": "path", "default": _cann.DEFAULT_PATH},
            "devices": {"type": "list", "elements": "int"},
            "weights_path": {"type": "path"},
            "weights_user": {"type": "str", "default": "root"},
            "weights_engine": {"type": "str", "choices": ["mindie", "vllm"]},
            "config_path": {"type": "path"},
            "mindie_version": {"type": "str"},
            "world_size": {"type": "int"},
            "environment_path": {"type": "path"},
            "image": {"type": "str"},
            "rank_table_path": {"type": "path"},
            "server_id": {"type": "str"},
            "unit": {"type": "str"},
            "url": {"type": "str"},
            "model": {"type": "str", "default": ""},
            "validate_certs": {"type": "bool", "default": True},
            "smoke_seconds": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    begun = time.monotonic()
    facts = Facts(module)
    # In the order of the stages, and once what two of them want to know.
    wanted = dict.fromkeys(name for stage, names in STAGES.items() if stage in module.params["stages"] for name in names)
    found = {name: guarded(getattr(facts, name)) for name in wanted}
    if "epoch" in found.get("clock", {}):
        # How long this took after the clock was read; the rest of the task's time is the way there and back.
        found["clock"]["after_s"] = time.monotonic() - begun
    module.exit_json(changed=False, facts=found)


if __name__ == "__main__":
    main()
