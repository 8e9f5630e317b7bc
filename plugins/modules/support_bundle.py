#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: support_bundle
short_description: Collect tool outputs, logs and configuration of a host into one archive
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Writes an archive on the managed host with what somebody needs who is to find a fault from afar - the answers of C(npu-smi) and C(hccn_tool)
    for each device, versions, kernel messages, journals, containers, logs and configuration.
  - The files lie as the vendor's analyser C(ascend-fd parse -i) (MindCluster FaultDiag) wants its collection directory.
    What it does not read lies in C(npuops).
  - Secrets are removed from everything. Keys and certificates are never read.
  - The archive has a limit. Of long files the first and the last part are kept. What was left out is returned.
  - Apart from the archive nothing is changed. A tool that is missing or hangs leaves its message in place of its answer.
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: none
    details: Nothing is collected in check mode, the module is skipped.
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Each run writes the archive anew.
options:
  dest:
    description: The archive, a C(.tar.gz). Only its owner may read it.
    type: path
    required: true
  units:
    description: Services whose journal is collected, with V(*) those that systemd knows.
    type: list
    elements: str
    default: [mindie-*.service, ktransformers*.service, docker.service]
  log_paths:
    description: Files and directories with logs, with C(*) as in a shell. They are collected in this order until the archive is full.
    type: list
    elements: path
    default:
      - /var/log/npuops
      - /root/ascend/log/debug
      - /root/mindie/log
      - /home/*/ascend/log/debug
      - /var/log/ascend_seclog
      - /var/log/hccn_tool
      - /root/ascend/log/run
      - /home/*/ascend/log/run
      - /var/log/mindx-dl
      - /var/log/ascend-docker-runtime
      - /var/log/sysmonitor.log
      - /var/log/messages*
      - /var/log/syslog*
  config_paths:
    description: Files and directories with configuration, with C(*) as in a shell.
    type: list
    elements: path
    default:
      - /etc/npuops
      - /etc/hccn.conf
      - /etc/ascend_install.info
      - /etc/Ascend/ascend_cann_install.info
      - /etc/hosts
      - /usr/lib/os-release
      - /etc/docker/daemon.json
      - /etc/systemd/system/mindie-*.service
      - /etc/systemd/system/ktransformers*.service
      - /usr/local/Ascend/driver/version.info
      - /usr/local/Ascend/firmware/version.info
  extra_paths:
    description: Further files and directories, with C(*) as in a shell. They are collected before the logs.
    type: list
    elements: path
    default: []
  max_age_days:
    description: Logs that were last written longer ago are left out.
    type: int
    default: 7
  max_megabytes:
    description: Limit of the contents, before compression. C(ascend-fd) takes no more than 5 GB of all hosts.
    type: int
    default: 300
  timeout:
    description: Seconds that one command may take.
    type: float
    default: 30
seealso:
  - module: npuops.ascend.explain
"""

EXAMPLES = r"""
- name: Collect what the support asks for
  npuops.ascend.support_bundle:
    dest: /var/tmp/support.tar.gz
    max_age_days: 1
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
  sample: /var/tmp/support.tar.gz
bytes:
  description: Size of the archive.
  returned: success
  type: int
  sample: 1048576
files:
  description: What is in it.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name in the archive.
      type: str
    source:
      description: Path on the host, or the command.
      type: str
    bytes:
      description: Size in the archive.
      type: int
    cut:
      description: Whether the middle was left out.
      type: bool
left_out:
  description: What is not in it, with the reason.
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: Path on the host, or the command.
      type: str
    reason:
      description: Why.
      type: str
"""

import datetime
import glob
import os
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn, _npu_smi, _systemd
from ansible_collections.npuops.ascend.plugins.module_utils._bundle import OWN, Bundle
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import THREADS, devices_present
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCli, VendorCliError

NPU_SMI_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/bin")
# ascend-fd knows the tools by these paths, wherever they lie.
NPU_SMI_SHOWN = "/usr/local/bin/npu-smi"
HCCN_SHOWN = "/usr/local/Ascend/driver/tools/hccn_tool"
NPU_SMI_TYPES = ("board", "health", "usages", "ecc")
HCCN_ITEMS = (
    *("link", "net_health", "ip", "gateway", "netdetect", "tls", "mtu", "link_stat", "optical"),
    *("fec", "speed", "duplex", "lldp", "stat", "process", "route"),
)
COMMANDS = (
    ("uname", ("uname", "-a")),
    ("uptime", ("uptime",)),
    ("lspci", ("lspci", "-nn", "-d", "19e5:")),
    ("lsmod", ("lsmod",)),
    ("df", ("df", "-h")),
    ("free", ("free", "-m")),
    ("ip_address", ("ip", "address")),
    ("ip_route", ("ip", "route")),
    ("listening", ("ss", "-ltnp")),
    ("processes", ("ps", "-eo", "pid,ppid,user,stat,lstart,comm")),
    ("clock", ("timedatectl",)),
    ("firewalld", ("firewall-cmd", "--list-all-zones")),
    ("docker_version", ("docker", "version")),
    ("docker_ps", ("docker", "ps", "--all", "--no-trunc")),
    ("docker_images", ("docker", "images", "--digests")),
    ("ascend_dmi", ("ascend-dmi", "-c")),
)
JOURNAL_LINES = 50000
DMESG_LINES = 100000


class Collector:
    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.bundle = Bundle(module.params["dest"], module.params["max_megabytes"] * 1024 * 1024)
        self.timeout: float = module.params["timeout"]

    def tool(self, name: str, paths: tuple[str, ...] = ()) -> VendorCli:
        return VendorCli(self.module, name, paths, self.timeout)

    @staticmethod
    def answer(tool: VendorCli, *arguments: str) -> str:
        """What a command says, or why it says nothing."""
        try:
            reply = tool.run(*arguments)
        except VendorCliError as error:
            return f"[{error}]\n"
        # As printed: ascend-fd counts the blanks.
        parts = [part if part.endswith("\n") else f"{part}\n" for part in (reply.stderr, reply.stdout) if part]
        return "".join(parts) + (f"[exit code {reply.rc}]\n" if reply.rc else "")

    # -- tools

    def devices(self) -> None:
        """One file with all answers, each under its command, as ascend-fd reads it."""
        smi = self.tool("npu-smi", NPU_SMI_PATHS)
        mapping = self.answer(smi, "info", "-m")
        calls: list[tuple[str, VendorCli, tuple[str, ...]]] = []
        for npu, chip in _chips(mapping):
            ids = ("info", "-i", str(npu), "-c", str(chip), "-t")
            calls += [(f"{NPU_SMI_SHOWN} {' '.join((*ids, kind))}", smi, (*ids, kind)) for kind in NPU_SMI_TYPES]
        calls.append((f"{NPU_SMI_SHOWN} info -t topo", smi, ("info", "-t", "topo")))
        hccn = self.tool("hccn_tool", _hccn.SEARCH_PATHS)
        for device in devices_present():
            for item in HCCN_ITEMS:
                arguments = ("-i", str(device), f"-{item}", "-g")
                calls.append((f"{HCCN_SHOWN} {' '.join(arguments)}", hccn, arguments))
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda call: self.answer(call[1], *call[2]), calls))
        shown = [(f"{NPU_SMI_SHOWN} info", self.answer(smi, "info")), (f"{NPU_SMI_SHOWN} info -m", mapping)]
        shown += [(call[0], answer) for call, answer in zip(calls, answers)]
        versions = glob.glob("/usr/local/Ascend/*/version.info") + glob.glob("/usr/local/Ascend/*/latest/*/ascend_*_install.info")
        shown += [(f"cat {path}", _read(path)) for path in versions]
        buses = self.answer(self.tool("lspci"), "-d", "19e5:")
        shown.append(("lspci | grep acce", "".join(f"{line}\n" for line in buses.splitlines() if "acce" in line)))
        stamp = f"Datetime: {datetime.datetime.now():%Y-%m-%d %H:%M:%S.%f}\n"
        text = stamp + "".join(f"{command}\n{answer}\n" for command, answer in shown)
        self.bundle.add_text("environment_check/npu_info_after.txt", text, "npu-smi, hccn_tool")
        # ascend-fd compares with the state before; without such a file it reads neither.
        self.bundle.add_text("environment_check/npu_info_before.txt", stamp, "nothing was recorded before the fault")

    def commands(self) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda entry: self.answer(self.tool(entry[1][0]), *entry[1][1:]), COMMANDS))
        for (name, argv), text in zip(COMMANDS, answers):
            self.bundle.add_text(f"{OWN}/commands/{name}.txt", text, " ".join(argv))
        docker = self.tool("docker")
        for name in self.containers(docker):
            self.bundle.add_text(f"{OWN}/docker/{name}.json", self.answer(docker, "inspect", "--", name), f"docker inspect {name}")
        kernel = self.answer(self.tool("dmesg"), "-T")
        self.bundle.add_text("dmesg", "\n".join(kernel.splitlines()[-DMESG_LINES:]) + "\n", "dmesg -T")

    @staticmethod
    def containers(docker: VendorCli) -> list[str]:
        try:
            reply = docker.run("ps", "--all", "--format", "{{.Names}}")
        except VendorCliError:
            return []
        # A linked container has further names, after commas.
        return [line.split(",")[0] for line in reply.stdout.splitlines() if line.strip()] if reply.rc == 0 else []

    def journals(self) -> None:
        try:
            units = _systemd.loaded(self.module, self.module.params["units"])
        except _systemd.SystemdError as problem:
            self.bundle.omit("journals", str(problem))
            return
        journalctl = self.tool("journalctl")
        systemctl = self.tool("systemctl")
        consoles = 0
        for unit in units:
            said = self.answer(journalctl, "--no-pager", "--output=short-iso-precise", f"--lines={JOURNAL_LINES}", f"--unit={unit}")
            self.bundle.add_text(f"{OWN}/journal/{unit}.log", said, f"journalctl --unit={unit}")
            state = self.answer(systemctl, "status", "--no-pager", "--lines=0", "--", unit)
            self.bundle.add_text(f"{OWN}/journal/{unit}.status.txt", state, f"systemctl status {unit}")
            if not unit.startswith("docker"):
                # What a service prints is the console log of ascend-fd.
                console = self.answer(journalctl, "--no-pager", "--output=cat", f"--lines={JOURNAL_LINES}", f"--unit={unit}")
                self.bundle.add_text(f"worker-{consoles}-{unit}.log", console, f"journalctl --output=cat --unit={unit}")
                consoles += 1

    # -- files

    def files(self, patterns: list[str], oldest: float) -> None:
        for pattern in patterns:
            for path in sorted(glob.glob(pattern)):
                for file in _walk(path):
                    if file == self.module.params["dest"]:
                        continue
                    try:
                        recent = os.lstat(file).st_mtime >= oldest
                    except OSError:
                        continue
                    if recent:
                        self.bundle.add_file(file)
                    else:
                        self.bundle.omit(file, "it is older than max_age_days")

    def collect(self) -> None:
        self.devices()
        self.commands()
        self.files(self.module.params["config_paths"] + self.module.params["extra_paths"], 0.0)
        self.journals()
        self.files(self.module.params["log_paths"], time.time() - self.module.params["max_age_days"] * 86400)


def _chips(mapping: str) -> list[tuple[int, int]]:
    try:
        return [(row.npu_id, row.chip_id) for row in _npu_smi.parse_mapping(mapping) if row.logic_id is not None]
    except _npu_smi.NpuSmiError:
        return []


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read(65536)
    except OSError as error:
        return f"[{error.strerror}]\n"


def _walk(path: str) -> t.Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        yield from (os.path.join(folder, name) for name in sorted(names))


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "units": {"type": "list", "elements": "str", "default": ["mindie-*.service", "ktransformers*.service", "docker.service"]},
            "log_paths": {
                "type": "list",
                "elements": "path",
                "default": [
                    "/var/log/npuops",
                    "/root/ascend/log/debug",
                    "/root/mindie/log",
                    "/home/*/ascend/log/debug",
                    "/var/log/ascend_seclog",
                    "/var/log/hccn_tool",
                    "/root/ascend/log/run",
                    "/home/*/ascend/log/run",
                    "/var/log/mindx-dl",
                    "/var/log/ascend-docker-runtime",
                    "/var/log/sysmonitor.log",
                    "/var/log/messages*",
                    "/var/log/syslog*",
                ],
            },
            "config_paths": {
                "type": "list",
                "elements": "path",
                "default": [
                    "/etc/npuops",
                    "/etc/hccn.conf",
                    "/etc/ascend_install.info",
                    "/etc/Ascend/ascend_cann_install.info",
                    "/etc/hosts",
                    "/usr/lib/os-release",
                    "/etc/docker/daemon.json",
                    "/etc/systemd/system/mindie-*.service",
                    "/etc/systemd/system/ktransformers*.service",
                    "/usr/local/Ascend/driver/version.info",
                    "/usr/local/Ascend/firmware/version.info",
                ],
            },
            "extra_paths": {"type": "list", "elements": "path", "default": []},
            "max_age_days": {"type": "int", "default": 7},
            "max_megabytes": {"type": "int", "default": 300},
            "timeout": {"type": "float", "default": 30},
        },
    )
    try:
        collector = Collector(module)
        collector.collect()
        bundle = collector.bundle
        bundle.close()
        size = os.stat(module.params["dest"]).st_size
    except OSError as error:
        module.fail_json(msg=f"dest: {module.params['dest']} cannot be written: {error.strerror or error}. Name a path in a directory with free space.")
    module.exit_json(changed=True, path=module.params["dest"], bytes=size, files=bundle.files, left_out=bundle.left_out)


if __name__ == "__main__":
    main()
