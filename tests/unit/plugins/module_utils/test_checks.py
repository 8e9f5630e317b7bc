# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each check against a healthy cluster, on which it is silent, and against a recorded fault, which it names with host and device."""

from __future__ import annotations

import copy
import dataclasses
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn, _npu_info, _npu_smi, _rank_table
from ansible_collections.npuops.ascend.plugins.module_utils._checks import catalogue, evaluate, terminal
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import Reading
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply
from hypothesis import given, settings
from hypothesis import strategies as st

CLI = Path(__file__).resolve().parents[4] / "tests/fixtures/cli"
HOSTS = ("npu01", "npu02", "npu03")
ADDRESSES = {"npu01": "192.0.2.11", "npu02": "192.0.2.12", "npu03": "192.0.2.13"}
FABRIC = ("address", "gateway", "tls", "mtu", "link", "net_health", "speed", "duplex", "fec", "optical", "link_stat")
A2_BUSES = ("c1", "c2", "81", "82", "01", "02", "41", "42")

Facts = t.Dict[str, t.Any]


def text(path: str) -> str:
    return (CLI / path).read_bytes().decode("utf-8")


# ---- a healthy cluster, from recorded texts


class Tool:
    """npu-smi, answering with recorded texts."""

    path = "npu-smi"

    def __init__(self, **answers: str) -> None:
        table = text("npu-smi/info--8x910B3-idle-24.1.rc1.b030.txt")
        loaded = text("npu-smi/info--8x910B3-loaded-25.5.1.txt")
        # Its author cut the section of processes off; this is the form of an idle host.
        head = loaded[loaded.rindex("| NPU     Chip") - 102 : loaded.rindex("| NPU     Chip") + 203]
        rule = "+===========================+===============+====================================================+\n"
        idle = "".join(f"| No running processes found in NPU {npu:<61}|\n{rule}" for npu in range(8))
        self.answers = {"info": table + head + idle, "info -m": text("npu-smi/info-m--8x910B3-25.5.1.txt"), "info -l": text("npu-smi/info-l--8x910B3.txt")}
        board = text("npu-smi/board-i--910B3-25.5.1.txt")
        self.answers.update(
            {f"info -t board -i {npu}": board.replace("NPU ID                         : 0", f"NPU ID                         : {npu}") for npu in range(8)}
        )
        self.answers.update(answers)

    def run(self, *words: str) -> Reply:
        return Reply(("npu-smi", *words), 0, self.answers[" ".join(words)], "")


def npu(**answers: str) -> Facts:
    driver = _npu_info.read_driver(Tool(**answers), [])
    driver["processes"] = [{**process, "own": False} for process in driver["processes"]] if driver["processes"] is not None else None
    installed = {"driver_version": "25.5.1", "firmware_version": "7.7.0.6.236", "driver_state": "complete", "path": "/usr/local/Ascend"}
    fit = {"status": "ok", "detail": "Driver 25.5.1 and firmware 7.7.0.6.236 accept each other."}
    return {**driver, "own_service": False, "installed": installed, "package_compatibility": fit, "reboot_pending": False, "count": 8}


def hccn_text(subset: str, host: str, device: int) -> str:
    """What hccn_tool prints on a healthy host."""
    number = HOSTS.index(host) + 1
    return {
        "address": text("hccn_tool/ip-get--configured-910B3.txt").replace("10.12.165.80", f"10.20.{number}.{device + 1}"),
        "gateway": text("hccn_tool/gateway-get--configured.txt"),
        "tls": text("hccn_tool/tls-get--switch-off.txt"),
        "mtu": text("hccn_tool/mtu-get.txt"),
        "link": text("hccn_tool/link-get--up.txt"),
        "net_health": text("hccn_tool/net-health-get--success.txt"),
        "speed": text("hccn_tool/speed-get--200g.txt"),
        "duplex": text("hccn_tool/duplex-get--full.txt"),
        "fec": text("hccn_tool/fec-get--rs.txt"),
        "optical": healthy_optics(),
        "link_stat": text("hccn_tool/link_stat-get--no-records.txt"),
    }[subset]


def healthy_optics() -> str:
    """The recorded module is none that works: present, and with its receiver's readings inside of the limits."""
    recorded = text("hccn_tool/optical-get--910A-dump.txt").replace("present              : not present", "present              : present")
    recorded = recorded.replace("Tx Power0            : 4.4035", "Tx Power0            : 1.4035").replace(
        "Rx Power1            : 0.0054", "Rx Power1            : 1.0054"
    )
    return recorded.replace("Rx Los Flag          : 0xff", "Rx Los Flag          : 0x0")


def reading(subset: str, printed: str, stderr: str = "", rc: int = 0) -> Reading:
    found = Reading(0)
    try:
        found.values.update(_hccn.read_reply(subset, Reply(("hccn_tool", *_hccn.QUERIES[subset].args), rc, printed, stderr)))
    except _hccn.HccnError as error:
        found.values.update(dict.fromkeys(_hccn.QUERIES[subset].fields))
        found.errors[subset] = error
    return found


def set_hccn(facts: Facts, device: int, subset: str, printed: str, stderr: str = "", rc: int = 0) -> None:
    """Let hccn_tool have answered this for a device."""
    record = facts["hccn"]["devices"][device]
    found = reading(subset, printed, stderr, rc)
    record.update(found.values)
    record["errors"].pop(subset, None)
    record["errors"].update({name: str(error) for name, error in found.errors.items()})
    record["asked"] = sorted({*record["asked"], subset})


def hccn(host: str) -> Facts:
    facts: Facts = {"hccn": {"devices": [], "conf_addresses": {}, "now": "2026-06-01T12:00:00"}}
    for device in range(8):
        facts["hccn"]["devices"].append({"device": device, "asked": [], "errors": {}})
        for subset in FABRIC:
            set_hccn(facts, device, subset, hccn_text(subset, host, device))
    return facts["hccn"]


def pci(chip: str = "910B") -> Facts:
    return {"npus": [{"address": f"0000:{bus}:00.0", "vendor": "19e5", "device": "d802", "chip": chip, "product": "Atlas 800I A2"} for bus in A2_BUSES]}


def table() -> dict[str, t.Any]:
    servers = [
        {
            "server_id": ADDRESSES[host],
            "container_ip": ADDRESSES[host],
            "devices": [{"device_id": str(device), "device_ip": f"10.20.{number}.{device + 1}"} for device in range(8)],
        }
        for number, host in enumerate(HOSTS, 1)
    ]
    return _rank_table.build(servers)


def healthy_host(host: str) -> Facts:
    return {
        "system": {
            "distribution": "openEuler",
            "id": "openEuler",
            "version": "22.03",
            "kernel": "5.10.0-216.0.0.115.oe2203sp4.aarch64",
            "architecture": "aarch64",
            "page_size": 4096,
            "hostname": host,
        },
        "pci": pci(),
        "memory": {"total_mb": 1547000, "available_mb": 1500000},
        "disks": {"paths": {"/": {"free_gb": 400.0, "total_gb": 900.0}}},
        "user": {"name": "HwHiAiUser", "exists": True, "installed": True},
        "kernel": {"release": "5.10.0", "path": "/lib/modules/5.10.0/build", "headers": True, "driver_loaded": True},
        "network": {
            "interfaces": {
                "lo": {"up": True, "addresses": ["127.0.0.1"], "mtu": 65536},
                "enp67s0f5": {"up": True, "addresses": [ADDRESSES[host]], "mtu": 1500},
                "docker0": {"up": False, "addresses": ["172.17.0.1"], "mtu": 1500},
            },
            "default_interface": "enp67s0f5",
            "probes": [
                {"host": other, "address": ADDRESSES[other], "port": port, "state": state, "error": None}
                for other in HOSTS
                if other != host
                for port, state in ((22, "unreachable"), (60000, "refused"))
            ],
        },
        "clock": {"earliest_s": -0.6, "latest_s": 0.4},
        "tuning": {"thp": "always", "governors": ["performance"], "virtualisation": "none"},
        "resolver": {"hostname": host, "addresses": [ADDRESSES[host]]},
        "ports": {
            "listening": [
                {"port": 22, "address": "0.0.0.0", "pid": 900, "process": "sshd", "own": False},
                {"port": 1025, "address": ADDRESSES[host], "pid": 4711, "process": "mindieservice_d", "own": True},
            ],
            "ephemeral": [32768, 60999],
            "reserved": [[60000, 60031]],
        },
        "containers": {
            "containers": [
                {"id": "f" * 64, "name": "mindie-mindie", "image": "mindie:2.0.T3.1-800I-A2", "devices": list(range(8)), "privileged": False, "own": True}
            ]
        },
        "npu": npu(),
        "topology": {"unsupported": False, "links": _npu_smi.parse_topology(text("npu-smi/topo--8x910B3-24.1.rc1.b030.txt"))},
        "superpod": {"devices": []},
        "cann": {"toolkit": None, "kernels": None, "nnal": None},
        "hccn": hccn(host),
        "weights": {
            "path": "/data/DeepSeek-V3-w8a8",
            "exists": True,
            "files": [{"name": "model-00001-of-00001.safetensors", "size": 100, "expected_size": 100}],
            "missing": [],
            "truncated": [],
            "problems": [],
            "notes": [],
            "total_bytes": 690_000_000_000,
            "sizes_sha256": "ab" * 32,
            "model_type": "deepseekv2",
            "torch_dtype": "bfloat16",
            "quantize": "w8a8_dynamic",
            "quantization_method": None,
        },
        "config": {
            "path": "/etc/npuops/mindie/config.json",
            "exists": True,
            "mode": "0640",
            "uid": 0,
            "syntax_error": None,
            "findings": [],
            "addresses": {"ipAddress": ADDRESSES["npu01"], "managementIpAddress": ADDRESSES["npu01"]},
        },
        "environment": {
            "path": "/etc/npuops/mindie/environment",
            "exists": True,
            "variables": {"MIES_CONTAINER_IP": ADDRESSES[host], "HCCL_DETERMINISTIC": "false"},
        },
        "image": {
            "name": "mindie:2.0.T3.1-800I-A2-py311-openeuler24.03-lts",
            "id": "sha256:" + "1" * 64,
            "digests": [],
            "architecture": "arm64",
            "machine": "aarch64",
        },
        "rank_table": {"path": "/etc/npuops/mindie/rank_table.json", "exists": True, "mode": "0640", "uid": 0, "sha256": "c0ffee" + "0" * 58, "findings": []},
        "firewall": {
            "service": "firewalld",
            "rules": [{"source": None, "port": "1025/tcp", "zone": None, "interfaces": []}],
            "probes": [{"host": other, "address": ADDRESSES[other], "port": 60000, "state": "refused", "error": None} for other in HOSTS if other != host],
        },
        "service": {"unit": "mindie-mindie.service", "installed": True, "state": "active"},
        "smoke": {"failure": None, "body": None, "seconds": 0.8, "text_length": 12} if host == "npu01" else {"skip": "the service is asked on its master only"},
    }


def wanted_of(host: str) -> Facts:
    number = HOSTS.index(host) + 1
    return {
        "engine": "mindie",
        "group": "mindie",
        "master": host == "npu01",
        "unreachable": "",
        "device_count": 8,
        "systems": {"openEuler": ["22.03", "24.03"], "Ubuntu": ["22.04"]},
        "architectures": ["aarch64", "x86_64"],
        "min_memory_gb": 512.0,
        "min_free_gb": {"/": 50},
        "shm": "500g",
        "installs_headers": True,
        "address": ADDRESSES[host],
        "interface": "",
        "ports": [1025, 1026, 1027, 1120, 1121],
        "hccl_ports": "60000-60031",
        "addresses": [{"device": device, "address": f"10.20.{number}.{device + 1}", "netmask": "255.255.255.0"} for device in range(8)],
        "weights_made_here": False,
        "memory_fraction": 0.99,
        "firewall_ports": [{"port": "1025/tcp", "sources": []}],
        "smoke_seconds": 60,
    }


_HEALTHY = {host: healthy_host(host) for host in HOSTS}
MEASURED = [evaluate.record(catalogue.BY_ID["ping_matrix"], "pass", "fail")]


@pytest.fixture
def facts() -> dict[str, Facts]:
    return copy.deepcopy(_HEALTHY)


@pytest.fixture
def wanted() -> dict[str, Facts]:
    return {host: wanted_of(host) for host in HOSTS}


def findings(results: t.Iterable[Facts]) -> list[Facts]:
    return [record for record in results if record["status"] in ("fail", "warn")]


def test_a_healthy_cluster_gives_no_finding(facts, wanted):
    results = evaluate.evaluate(facts, wanted, measured=MEASURED)
    assert findings(results) == []
    skipped = {record["id"] for record in results if record["status"] == "skip"}
    assert skipped == {"cann_consistent", "spod_ids", "vnic", "hccs_ping", "smoke_request"}


def test_two_hosts_are_enough(facts, wanted):
    assert findings(evaluate.evaluate({host: facts[host] for host in HOSTS[:2]}, wanted, measured=MEASURED)) == []


def test_one_host_alone(facts, wanted):
    facts["npu01"]["network"]["probes"] = facts["npu01"]["firewall"]["probes"] = []
    facts["npu01"]["weights"]["total_bytes"] = 340_000_000_000
    assert findings(evaluate.evaluate({"npu01": facts["npu01"]}, wanted)) == []


# ---- one fault at a time


@dataclasses.dataclass(frozen=True)
class Case:
    id: str
    change: t.Callable[[dict[str, Facts], dict[str, Facts]], t.Any]
    observed: str
    host: str = "npu02"
    device: int | None = None
    status: str = "fail"
    # What else the same fault shows.
    also: tuple[str, ...] = ()
    evidence: str = ""


def put(section: str, *path: t.Any, value: t.Any, host: str = "npu02") -> t.Callable[..., None]:
    def change(facts: dict[str, Facts], _wanted: t.Any) -> None:
        node = facts[host][section]
        for step in path[:-1]:
            node = node[step]
        node[path[-1]] = value

    return change


def wish(name: str, value: t.Any, host: str = "npu02") -> t.Callable[..., None]:
    return lambda facts, wanted: wanted[host].update({name: value})


def printed(device: int, subset: str, said: str, stderr: str = "", rc: int = 0) -> t.Callable[..., None]:
    return lambda facts, wanted: set_hccn(facts["npu02"], device, subset, said, stderr, rc)


def both(*changes: t.Callable[..., None]) -> t.Callable[..., None]:
    def change(facts: t.Any, wanted: t.Any) -> None:
        for one in changes:
            one(facts, wanted)

    return change


def smi(**answers: str) -> t.Callable[..., None]:
    return lambda facts, wanted: facts["npu02"].update(npu=npu(**{key.replace("_", " "): value for key, value in answers.items()}))


def a3(facts: dict[str, Facts], _wanted: t.Any) -> None:
    """Super pods, as npu-smi prints them."""
    for number, host in enumerate(HOSTS):
        devices = []
        for device in range(8):
            said = text("npu-smi/spod-info-ic--A3.txt").replace(": 17", f": {number * 16 + device}")
            devices.append({"device": device, **_npu_smi.parse_super_pod(said)})
            set_hccn(facts[host], device, "vnic", text("hccn_tool/vnic-get--up.txt"))
        facts[host]["superpod"] = {"devices": devices}


TLS_ON = text("hccn_tool/tls-get--switch-on.txt")
CERTIFICATE = "dev_id:1, [pub cert] info:\nissuer[/C=CN/O=HUAWEI]\nstart_time[Feb 21 01:58:15 2015 GMT]\nend_time[{}]\n"
IDLE = Tool().answers["info"]
TOPOLOGY = text("npu-smi/topo--8x910B3-24.1.rc1.b030.txt")
LOADED = text("npu-smi/info--8x910B3-loaded-25.5.1.txt")


def rank_table_of(device: int, address: str) -> list[Facts]:
    live = [{"device_id": str(number), "device_ip": f"10.20.2.{number + 1}"} for number in range(8)]
    live[device]["device_ip"] = address
    return [dataclasses.asdict(finding) for finding in _rank_table.compare_with_live(table(), ADDRESSES["npu02"], live)]


def rank_table_with_high_ids() -> list[Facts]:
    content = table()
    content["server_list"][1]["device"][7]["device_id"] = "16"
    return [dataclasses.asdict(finding) for finding in _rank_table.validate(content) if finding.id != "beyond_manual"]


CASES = (
    # host
    Case("host_reachable", lambda facts, wanted: (facts.update(npu02={}), wanted["npu02"].update(unreachable="Connection timed out")), "Connection timed out"),
    Case("pci_inventory", lambda facts, wanted: facts["npu02"]["pci"]["npus"].pop(), "7 NPUs"),
    Case("pci_inventory", put("pci", "npus", 3, "chip", value="A3"), "910B and A3"),
    Case("product_os_arch", put("system", "version", value="20.03"), "openEuler 20.03", also=("kernel_consistent",)),
    Case("product_os_arch", put("system", "architecture", value="loongarch64"), "loongarch64", also=("image_digest",)),
    Case(
        "kernel_headers",
        both(put("kernel", "headers", value=False), put("kernel", "driver_loaded", value=False), wish("installs_headers", False)),
        "no /lib/modules/5.10.0/build",
    ),
    Case("install_user", put("user", "exists", value=False), "no user HwHiAiUser", status="warn"),
    Case("kernel_consistent", put("system", "kernel", value="5.10.0-60.oe2203"), "kernel 5.10.0-60.oe2203", status="warn"),
    Case("disk_shm_mem", put("memory", "total_mb", value=256000), "256 GB of memory"),
    Case("disk_shm_mem", put("disks", "paths", "/", "free_gb", value=7.5), "7.5 GB free under /"),
    Case("disk_shm_mem", put("disks", "paths", value={"/": {"error": "No such file or directory"}}), "/: No such file or directory"),
    Case("disk_shm_mem", wish("shm", "2t"), "1547 GB of memory", status="warn"),
    Case("host_nic", put("network", "interfaces", "enp67s0f5", "addresses", value=["192.0.2.99"]), "no interface has 192.0.2.12"),
    Case("host_nic", put("network", "interfaces", "enp67s0f5", "up", value=False), "enp67s0f5, which has 192.0.2.12, is down"),
    Case("host_nic", wish("interface", "eth0"), "HCCL_SOCKET_IFNAME=eth0 means no interface"),
    Case("host_nic", wish("interface", "=docker0"), "HCCL_SOCKET_IFNAME==docker0 means docker0"),
    Case(
        "host_nic",
        put("network", "probes", value=[{"host": "npu01", "address": "192.0.2.11", "port": 22, "state": "timeout", "error": "timed out"}]),
        "npu01 (192.0.2.11 port 22): timeout",
    ),
    Case("hosts_file", put("resolver", "addresses", value=["127.0.1.1"]), "npu02 is 127.0.1.1", status="warn"),
    Case(
        "ports_free",
        put("ports", "listening", value=[{"port": 1025, "address": "0.0.0.0", "pid": 77, "process": "python3", "own": False}]),
        "port 1025 is taken by python3 (pid 77)",
    ),
    Case(
        "ports_free",
        put("ports", "listening", value=[{"port": 60007, "address": "::", "pid": None, "process": None, "own": False}]),
        "port 60007 is taken by an unknown process",
    ),
    Case("ports_free", put("ports", "reserved", value=[[60000, 60015]]), "ports 60016 to 60031", status="warn"),
    Case("clock", lambda facts, wanted: facts["npu02"].update(clock={"earliest_s": 4.4, "latest_s": 5.4}), "at least 4.0 s ahead of", status="warn"),
    Case("clock", lambda facts, wanted: facts["npu02"].update(clock={"earliest_s": -90.0, "latest_s": -89.0}), "behind"),
    Case("host_tuning", put("tuning", "thp", value="madvise"), "transparent_hugepage is madvise", status="warn"),
    Case("host_tuning", put("tuning", "governors", value=["performance", "powersave"]), "CPU governor powersave", status="warn"),
    Case("host_tuning", put("tuning", "virtualisation", value="kvm"), "a virtual machine (kvm)", status="warn"),
    Case("host_tuning", put("system", "kernel", value="4.19.90-25"), "kernel 4.19.90-25", status="warn", also=("kernel_consistent",)),
    # npu
    Case(
        "driver_loaded",
        lambda facts, wanted: facts["npu02"]["npu"].update(
            driver_loaded=False, devices=[], processes=None, driver_error=text("npu-smi/error--no-driver-8005.txt")
        ),
        "is on disk and does not run",
    ),
    Case("driver_loaded", smi(info=re.sub(r"\| 5     910B3.*\n.*0000:02.*\n\+=.*\n", "", IDLE)), "npu-smi shows 7 devices, not 5", device=5),
    Case("reboot_pending", put("npu", "reboot_pending", value=True), "on disk; 25.5.1"),
    Case("npu_health", smi(info=IDLE.replace("| 3     910B3               | OK   ", "| 3     910B3               | Alarm")), "health Alarm", device=3),
    Case(
        "npu_health",
        smi(info=IDLE.replace("| 3     910B3               | OK     ", "| 3     910B3               | Warning")),
        "health Warning",
        device=3,
        status="warn",
    ),
    Case(
        "hbm_idle",
        smi(
            info=IDLE.replace(
                "| No running processes found in NPU 6                                                            |",
                "| 6       0                 | 2895155       | VLLMEngineCor            | 55671                   |",
            )
        ),
        "VLLMEngineCor (pid 2895155, 55671 MB)",
        device=6,
    ),
    Case("hbm_idle", smi(info=IDLE.replace("3315 / 65536", "59189/ 65536")), "59189 of 65536 MB HBM in use, and no process", device=7),
    Case("version_set", put("npu", "compatibility", value="NOK"), "do not fit (NOK)"),
    Case(
        "version_set",
        put("npu", "package_compatibility", value={"status": "warn", "detail": "driver 25.0.rc1.b002 names firmware [7.0.0,7.6.99], found 7.7.T5.0.B019."}),
        "names firmware [7.0.0,7.6.99]",
        status="warn",
    ),
    Case(
        "version_set",
        lambda facts, wanted: facts["npu02"].update(cann={"toolkit": "9.1.0", "kernels": None, "nnal": None})
        or facts["npu02"]["npu"].update(driver_version="not a version"),
        "driver not a version with CANN 9.1.0",
        status="warn",
        also=("hdk_consistent", "cann_consistent"),
    ),
    Case("hdk_consistent", put("npu", "driver_version", value="24.1.0"), "driver 24.1.0, firmware 7.7.0.6.236"),
    Case(
        "cann_consistent",
        lambda facts, wanted: [
            facts[host].update(cann={"toolkit": version, "kernels": version, "nnal": None}) for host, version in zip(HOSTS, ("8.5.0", "8.3.RC1", "8.5.0"))
        ],
        "toolkit 8.3.RC1",
    ),
    Case(
        "hccs_topology",
        put("topology", "links", value=_npu_smi.parse_topology(re.sub(r"(?m)^NPU3 .*", lambda match: match.group().replace("HCCS", "SYS "), TOPOLOGY))),
        "NPU3 reaches",
        device=3,
    ),
    Case("spod_ids", both(a3, lambda facts, wanted: facts["npu02"]["superpod"]["devices"][4].update(sdid=3)), "SDID 3, which npu01 device 3 has too", device=4),
    Case(
        "spod_ids",
        both(a3, lambda facts, wanted: facts["npu02"]["superpod"]["devices"][5].update(sdid=None, pod=None, error="Failed to query")),
        "no SDID",
        device=5,
        evidence="Failed to query",
    ),
    Case("spod_ids", both(a3, lambda facts, wanted: [device.update(pod=8) for device in facts["npu02"]["superpod"]["devices"]]), "super pod 8"),
    # fabric
    Case(
        "device_ip",
        printed(2, "address", text("hccn_tool/ip-get--unconfigured.stdout.txt"), text("hccn_tool/ip-get--unconfigured.stderr.txt"), 13),
        "no address",
        device=2,
    ),
    Case("device_ip", printed(2, "address", "ipaddr:10.20.1.3\nnetmask:255.255.255.0\n"), "10.20.1.3, which npu01 device 2 has too", device=2),
    Case("device_ip", printed(2, "address", "ipaddr:10.20.9.9\nnetmask:255.255.255.0\n"), "10.20.9.9", device=2),
    Case("link", printed(3, "link", text("hccn_tool/link-get--down.txt")), "link down", device=3),
    Case("link", printed(3, "net_health", text("hccn_tool/net-health-get--receive-timeout.txt")), "net_health receive_timeout", device=3),
    Case("link", printed(3, "link", "\ufffd\ufffd 0xDEADBEEF"), "link could not be read", device=3),
    Case(
        "link_flaps",
        printed(0, "link_stat", text("hccn_tool/link_stat-get--with-down-count.txt")),
        "link went down 1 time(s) in 24 hours, last at 2025-05-29T18:01:58",
        device=0,
        status="warn",
    ),
    Case("optics", printed(5, "optical", text("hccn_tool/optical-get--910A-dump.txt")), "no optical module", device=5, status="warn"),
    Case(
        "optics",
        printed(5, "optical", healthy_optics().replace("Rx Power1            : 1.0054", "Rx Power1            : 0.0054")),
        "Rx power of lane 1 0.0054 mW",
        device=5,
        status="warn",
    ),
    Case(
        "optics",
        printed(5, "optical", healthy_optics().replace("Rx Los Flag          : 0x0", "Rx Los Flag          : 0xff")),
        "Rx Los Flag 0xff",
        device=5,
        status="warn",
    ),
    Case(
        "optics",
        printed(5, "optical", healthy_optics().replace("temperature          : 47 C", "temperature          : 83 C")),
        "temperature 83 C",
        device=5,
        status="warn",
    ),
    Case(
        "optics",
        printed(5, "optical", healthy_optics().replace("Rx Power1            : 1.0054", "Rx Power             : 0.0054")),
        "Rx power 0.0054 mW",
        device=5,
        status="warn",
    ),
    Case("optics", printed(5, "optical", "", text("hccn_tool/error--optical-absent.txt"), 1), "no optical module", device=5, status="warn"),
    Case("fec_speed", printed(6, "speed", "Speed: 100000 Mb/s\n"), "speed in Mb/s 100000", device=6, status="warn"),
    Case("fec_speed", printed(6, "duplex", "Duplex: Half\n"), "duplex half", device=6, status="warn"),
    Case("fec_speed", printed(6, "fec", "fec mode: no FEC mode\n"), "FEC mode no", device=6, status="warn"),
    Case("tls_consistent", printed(7, "tls", TLS_ON), "TLS switch on", device=7),
    Case(
        "tls_consistent",
        lambda facts, wanted: [
            set_hccn(facts[host], device, "tls", TLS_ON + (CERTIFICATE.format("Jun 20 01:58:15 2026 GMT") if (host, device) == ("npu02", 4) else ""))
            for host in HOSTS
            for device in range(8)
        ],
        "certificate pub cert ends in 18 days",
        device=4,
        status="warn",
    ),
    Case(
        "tls_consistent",
        lambda facts, wanted: [
            set_hccn(facts[host], device, "tls", TLS_ON + (CERTIFICATE.format("Sun May 31 01:58:15 2026 GMT") if (host, device) == ("npu02", 4) else ""))
            for host in HOSTS
            for device in range(8)
        ],
        "certificate pub cert ended",
        device=4,
    ),
    Case("mtu_consistent", printed(1, "mtu", "mtu:1500\n"), "MTU 1500", device=1, status="warn"),
    Case("vnic", both(a3, printed(4, "vnic", text("hccn_tool/vnic-get--up.txt").replace("UP", "DOWN"))), "vnic down", device=4),
    # launch
    Case(
        "firewall",
        lambda facts, wanted: facts["npu01"]["firewall"]["probes"][0].update(state="unreachable", error="No route to host"),
        "port 60000: unreachable from npu01",
    ),
    Case("firewall", put("firewall", "rules", value=[]), "no rule of firewalld opens 1025/tcp", status="warn"),
    Case(
        "weights_complete",
        put(
            "weights",
            "problems",
            value=[
                {
                    "id": "file-truncated",
                    "path": "model-00001.safetensors",
                    "observed": "99 bytes",
                    "expected": "100 bytes, as its header says",
                    "remedy": "Download the file again.",
                }
            ],
        ),
        "model-00001.safetensors: 99 bytes",
    ),
    Case("weights_complete", put("weights", "sizes_sha256", value="cd" * 32), "names and sizes cdcdcdcdcdcd"),
    Case("weights_complete", put("weights", "path", value="/mnt/DeepSeek-V3-w8a8"), "path /mnt/DeepSeek-V3-w8a8"),
    Case(
        "weights_format",
        put(
            "weights",
            "problems",
            value=[
                {
                    "id": "quant-description-missing",
                    "path": "quant_model_description_w8a8_dynamic.json",
                    "observed": "absent",
                    "expected": "it",
                    "remedy": "Download it.",
                }
            ],
        ),
        "quant_model_description_w8a8_dynamic.json: absent",
    ),
    Case(
        "weights_format",
        put(
            "weights",
            "problems",
            value=[{"id": "chip-type", "path": "config.json", "observed": "FP8 weights", "expected": "W8A8 weights", "remedy": "Take W8A8 weights."}],
        ),
        "FP8 weights",
    ),
    Case("config_rules", put("config", "mode", value="0644"), "mode 0644"),
    Case("config_rules", put("config", "uid", value=1000), "owner uid 1000"),
    Case("config_rules", put("config", "syntax_error", value="line 2, column 1: found a comment. JSON has none; remove it."), "found a comment"),
    Case(
        "config_rules",
        put(
            "config",
            "findings",
            value=[{"rule": "prefill-below-input", "path": "maxPrefillTokens", "observed": "1024", "expected": "at least 16384", "severity": "error"}],
        ),
        "maxPrefillTokens: 1024",
    ),
    Case("config_rules", put("config", "addresses", "ipAddress", value="192.0.2.200", host="npu01"), "ipAddress: 192.0.2.200", host="npu01"),
    Case("environment_consistent", put("environment", "variables", "HCCL_DETERMINISTIC", value="true"), "HCCL_DETERMINISTIC is true"),
    Case("environment_consistent", put("environment", "variables", value={"HCCL_DETERMINISTIC": "false", "HCCL_BUFFSIZE": "64"}), "HCCL_BUFFSIZE is 64"),
    Case(
        "environment_consistent",
        lambda facts, wanted: [facts[host]["environment"]["variables"].update(HCCL_INTRA_ROCE_ENABLE="1") for host in HOSTS],
        "HCCL_INTRA_ROCE_ENABLE is 1",
        host="npu01",
        status="warn",
    ),
    Case(
        "hbm_fit",
        put("weights", "total_bytes", value=1_400_000_000_000, host="npu01"),
        "1304 GB of weights for 24 devices",
        host="npu01",
        status="warn",
        also=("weights_complete",),
    ),
    Case("image_digest", put("image", "id", value="sha256:" + "2" * 64), "image id sha256:2222"),
    Case("image_digest", put("image", "architecture", value="amd64"), "image for amd64"),
    Case("image_digest", put("image", "name", value="mindie:2.1.RC1-800I-A3-py311"), "is for A3"),
    Case("image_digest", put("image", "id", value=None), "no image mindie"),
    Case(
        "device_claims",
        lambda facts, wanted: facts["npu02"]["containers"]["containers"].append(
            {"id": "e" * 64, "name": "vllm", "image": "vllm-ascend:v0.9.1", "devices": [5], "privileged": False, "own": False}
        ),
        "container vllm (vllm-ascend:v0.9.1) has NPU 5",
        device=5,
    ),
    Case("ranktable_live", put("rank_table", "findings", value=rank_table_of(6, "10.20.2.99")), "10.20.2.7", device=6),
    Case("ranktable_live", put("rank_table", "findings", value=rank_table_with_high_ids()), '"16"', status="warn"),
    Case("ranktable_live", put("rank_table", "sha256", value="dec0de" + "0" * 58), "sha256 dec0de0000000000"),
    Case("ranktable_live", put("rank_table", "mode", value="0666"), "mode 0666"),
    Case("ranktable_live", put("rank_table", "exists", value=False), "no /etc/npuops/mindie/rank_table.json"),
    Case("smoke_request", put("smoke", "failure", value="http://192.0.2.11:1025: HTTP Error 500", host="npu01"), "HTTP Error 500", host="npu01"),
    Case("smoke_request", put("smoke", "text_length", value=0, host="npu01"), "an empty answer", host="npu01"),
    Case("smoke_request", put("smoke", "seconds", value=75.0, host="npu01"), "an answer after 75.0 s", host="npu01"),
)
# Judged by the filter ping_matrix, and tested there.
ELSEWHERE = {"ping_matrix", "hccs_ping"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id}-{case.observed[:24]}")
def test_a_fault_is_named_with_host_and_device(case, facts, wanted):
    case.change(facts, wanted)
    found = findings(evaluate.evaluate(facts, wanted, measured=MEASURED))
    own = [record for record in found if record["id"] == case.id]
    assert own, found
    assert [(record["host"], record["device"]) for record in own][0] == (case.host, case.device)
    assert case.observed in own[0]["observed"]
    assert case.evidence in own[0]["evidence"]
    assert own[0]["status"] == case.status
    assert own[0]["expected"]
    assert {record["id"] for record in found} == {case.id, *case.also}
    if "cluster" == own[0]["scope"] and not case.also:
        assert {record["host"] for record in own} <= {case.host} or case.id == "environment_consistent", "others are named too"


def test_a_process_of_the_own_service_is_no_finding(facts, wanted):
    for host in HOSTS:
        facts[host]["npu"] = npu(info=LOADED)
        facts[host]["npu"]["own_service"] = True
        for process in facts[host]["npu"]["processes"]:
            process["own"] = True
    assert findings(evaluate.evaluate(facts, wanted, measured=MEASURED)) == []


def test_hosts_of_two_groups_are_not_compared(facts, wanted):
    facts["npu03"]["npu"]["driver_version"] = "24.1.0"
    wanted["npu03"]["group"] = "other"
    assert "hdk_consistent" not in {record["id"] for record in findings(evaluate.evaluate(facts, wanted, measured=MEASURED))}


def test_an_address_of_another_group_is_a_duplicate_all_the_same(facts, wanted):
    wanted["npu03"]["group"] = "other"
    set_hccn(facts["npu03"], 0, "address", "ipaddr:10.20.1.1\nnetmask:255.255.255.0\n")
    found = [record for record in findings(evaluate.evaluate(facts, wanted, measured=MEASURED)) if record["id"] == "device_ip"]
    assert [(record["host"], record["device"]) for record in found] == [("npu03", 0)]


def test_of_two_hosts_that_differ_the_first_is_the_reference(facts, wanted):
    facts["npu02"]["npu"]["driver_version"] = "24.1.0"
    found = findings(evaluate.evaluate({host: facts[host] for host in HOSTS[:2]}, wanted, measured=MEASURED))
    assert [(record["id"], record["host"]) for record in found] == [("hdk_consistent", "npu02")]
    assert "as on npu01" in found[0]["expected"]


# ---- what cannot be looked at


BARE = {
    "npu": {
        "driver_loaded": False,
        "devices": [],
        "processes": None,
        "driver_error": "npu-smi is not installed",
        "driver_version": None,
        "firmware_version": None,
        "compatibility": None,
        "package_compatibility": None,
        "reboot_pending": False,
        "problems": [],
        "own_service": False,
        "installed": {"driver_state": "absent", "driver_version": None, "firmware_version": None},
    },
    "topology": {"error": "npu-smi is not installed", "kind": "missing"},
    "superpod": {"devices": []},
    "hccn": {"error": "no /dev/davinciN: no driver runs", "kind": "missing"},
    "containers": {"error": "docker is not installed", "kind": "missing"},
    "image": {"error": "docker is not installed", "kind": "missing"},
    "config": {"path": "/etc/npuops/mindie/config.json", "exists": False, "syntax_error": None, "findings": [], "addresses": {}},
    "environment": {"path": "/etc/npuops/mindie/environment", "exists": False, "variables": {}},
    "rank_table": {"path": "/etc/npuops/mindie/rank_table.json", "exists": False, "findings": []},
    "firewall": {"service": "firewalld", "rules": [], "probes": []},
    "service": {"unit": "mindie-mindie.service", "installed": False, "state": "inactive"},
    "smoke": {"skip": "mindie-mindie.service does not run"},
    "user": {"name": "HwHiAiUser", "exists": False, "installed": False},
    "kernel": {"release": "5.10.0", "path": "/lib/modules/5.10.0/build", "headers": False, "driver_loaded": False},
}


def test_bare_hosts_give_skips_with_reasons_and_no_finding(facts, wanted):
    for host in HOSTS:
        facts[host].update(copy.deepcopy(BARE))
    results = evaluate.evaluate(facts, wanted)
    assert findings(results) == []
    skips = {record["id"]: record["observed"] for record in results if record["status"] == "skip"}
    assert skips["link"] == "no /dev/davinciN: no driver runs"
    assert skips["driver_loaded"] == "the driver is not installed yet"
    assert skips["image_digest"] == "docker is not installed"
    assert all(skips.values())


@pytest.mark.parametrize(
    ("section", "owner"),
    [(section, owner) for section, owner in evaluate.OWNERS.items() if section not in ("smoke", "superpod")],
)
@pytest.mark.parametrize("kind", ["timeout", "unparsable", "failed"])
def test_what_cannot_be_read_is_named_once(section, owner, kind, facts, wanted):
    facts["npu02"][section] = {"error": f"the tool of {section} broke", "kind": kind}
    found = [record for record in findings(evaluate.evaluate(facts, wanted, measured=MEASURED)) if record["host"] in ("npu02", "")]
    assert [(record["id"], record["host"]) for record in found] == [(owner, "npu02")]
    assert kind in found[0]["observed"]
    assert found[0]["evidence"] == f"the tool of {section} broke"


def test_a_device_that_gives_no_answer_is_named_once(facts, wanted):
    device = facts["npu02"]["hccn"]["devices"][3]
    device.update(
        errors={name: "hccn_tool -i 3 -ip -g gave no result within 20 s and was stopped." for name in device["asked"]}, link=None, net_health=None, address=None
    )
    found = findings(evaluate.evaluate(facts, wanted, measured=MEASURED))
    assert [(record["id"], record["host"], record["device"]) for record in found] == [("link", "npu02", 3)]


def test_a_device_that_hangs_in_the_middle_is_named_once(facts, wanted):
    device = facts["npu02"]["hccn"]["devices"][3]
    said = "hccn_tool -i 3 -speed -g gave no result within 20 s and was stopped."
    device.update(errors=dict.fromkeys(("speed", "duplex", "fec", "optical", "link_stat"), said), lost=True)
    found = findings(evaluate.evaluate(facts, wanted, measured=MEASURED))
    assert [(record["id"], record["device"], record["evidence"]) for record in found] == [("link", 3, said)]


@pytest.mark.parametrize("stages", [["fabric"], ["host"], list(catalogue.STAGES)], ids="-".join)
def test_half_of_the_hosts_unreachable(stages, facts, wanted):
    facts["npu02"] = {}
    wanted["npu02"]["unreachable"] = "Connection timed out"
    for host in ("npu01", "npu03"):
        for probe in facts[host]["network"]["probes"] + facts[host]["firewall"]["probes"]:
            probe["state"] = "timeout" if probe["host"] == "npu02" else probe["state"]
    results = evaluate.evaluate(facts, wanted, stages=stages, measured=MEASURED)
    assert [(record["id"], record["host"]) for record in findings(results)] == [("host_reachable", "npu02")]
    assert {record["host"] for record in results if record["scope"] == "device"} <= {"npu01", "npu03"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(("devices", "error", "kind", "exists", "path", "npus", "containers", "x")), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(section=st.sampled_from(sorted(_HEALTHY["npu01"])), value=_JSON)
def test_garbage_facts_never_raise(section, value):
    facts = {host: dict(_HEALTHY[host]) for host in HOSTS}
    facts["npu02"][section] = value
    results = evaluate.evaluate(facts, {host: wanted_of(host) for host in HOSTS}, measured=MEASURED)
    assert {record["status"] for record in results} <= {"pass", "warn", "fail", "skip"}
    assert terminal.problem(results, "zh") is None
    assert terminal.report(results, "zh")


# ---- the catalogue


def test_every_check_is_complete():
    tested = {case.id for case in CASES} | ELSEWHERE
    assert len(catalogue.BY_ID) == len(catalogue.CHECKS)
    for check in catalogue.CHECKS:
        assert check.stage in catalogue.STAGES
        assert check.scope in catalogue.SCOPES
        assert check.severity in ("fail", "warn")
        assert callable(evaluate.function_of(check)), check.id
        assert check.source.strip()
        for name in ("title", "cause", "remedy"):
            words = getattr(check, name)
            assert words.en.strip() and words.zh.strip()
            assert re.search(r"[\u4e00-\u9fff]", words.zh), (check.id, name)
            assert not re.search(r"[\u4e00-\u9fff]", words.en), (check.id, name)
        assert check.id in tested, f"{check.id} has no case"
    assert set(evaluate.OWNERS.values()) <= set(catalogue.BY_ID)


@pytest.mark.parametrize("guide", ["guide_checks.rst", "guide_checks_zh.rst"])
def test_the_guides_list_every_check_with_its_severity(guide):
    written = (CLI.parents[2] / "docs/docsite/rst" / guide).read_text(encoding="utf-8")
    listed = dict(re.findall(r"^   \* - ``(\w+)``\n     - (\w+)$", written, re.MULTILINE))
    assert listed == {check.id: check.severity for check in catalogue.CHECKS}


# ---- severities of the inventory


def test_the_inventory_changes_severities(facts, wanted):
    facts["npu02"]["tuning"]["thp"] = "never"
    facts["npu02"]["npu"]["driver_version"] = "24.1.0"
    results = evaluate.evaluate(facts, wanted, overrides={"host_tuning": "fail", "hdk_consistent": "warn", "link": False, "optics": "off"}, measured=MEASURED)
    statuses = {record["id"]: (record["status"], record["severity"]) for record in results if record["host"] in ("npu02", "")}
    assert statuses["host_tuning"] == ("fail", "fail")
    assert statuses["hdk_consistent"] == ("warn", "warn")
    assert statuses["link"] == statuses["optics"] == ("skip", "off")
    shown = terminal.report(results)
    assert "Switched off in preflight_checks: link, optics" in shown
    assert "host_tuning warn -> fail" in shown
    assert "hdk_consistent fail -> warn" in shown


def test_measured_results_take_the_severity_too(facts, wanted):
    lost = evaluate.record(catalogue.BY_ID["ping_matrix"], "fail", "fail", "npu02", evaluate.Finding("100 % loss", "0 % loss", device=3))
    assert [
        record["status"] for record in evaluate.evaluate(facts, wanted, overrides={"ping_matrix": "warn"}, measured=[lost]) if record["id"] == "ping_matrix"
    ] == ["warn"]
    assert [
        record["status"] for record in evaluate.evaluate(facts, wanted, overrides={"ping_matrix": "off"}, measured=[lost]) if record["id"] == "ping_matrix"
    ] == ["skip"]


@pytest.mark.parametrize(("overrides", "words"), [({"no_such": "off"}, "'no_such'"), ({"link": "error"}, "link is 'error'"), ({"link": True}, "link is True")])
def test_overrides_that_mean_nothing_are_refused(overrides, words):
    with pytest.raises(evaluate.CheckError, match=words):
        evaluate.evaluate({}, {}, overrides=overrides)


def test_an_unknown_stage_is_refused():
    with pytest.raises(evaluate.CheckError, match="unknown stage disk"):
        evaluate.evaluate({}, {}, stages=["disk"])


# ---- the terminal


@pytest.mark.parametrize("lang", terminal.LANGUAGES)
def test_the_columns_of_the_table_are_aligned(lang, facts, wanted):
    facts["npu02"]["tuning"]["thp"] = "never"
    shown = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED), lang).splitlines()
    rows = [line for line in shown[1:] if any(line.startswith(f"{check.id} ") for check in catalogue.CHECKS)]
    assert len(rows) == len(catalogue.CHECKS)
    starts = set()
    for row in rows:
        title = catalogue.BY_ID[row.split()[0]].title._asdict()[lang]
        starts.add(terminal.width(row[: row.index(title)]))
    assert len(starts) == 1


def test_a_block_says_everything(facts, wanted):
    set_hccn(facts["npu02"], 3, "link", text("hccn_tool/link-get--down.txt"))
    english = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED))
    chinese = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED), "zh")
    assert "FAIL link @ npu02 device 3" in english
    assert "失败 link @ npu02 设备 3" in chinese
    check = catalogue.BY_ID["link"]
    assert all(words in english for words in ("link down", "link up", check.cause.en, check.remedy.en, check.source))
    assert all(words in chinese for words in ("link down", "link up", check.cause.zh, check.remedy.zh, check.source))


def test_many_hosts_stay_readable(wanted):
    names = [f"npu{number:02d}" for number in range(1, 33)]
    facts = {name: copy.deepcopy(_HEALTHY["npu01"]) for name in names}
    wishes = {name: {**wanted_of("npu01"), "master": False, "address": ""} for name in names}
    facts["npu17"]["tuning"]["thp"] = facts["npu30"]["tuning"]["thp"] = "never"
    shown = terminal.report(evaluate.evaluate(facts, wishes, stages=["host"])).splitlines()
    row = next(line for line in shown if line.startswith("host_tuning"))
    assert row.split() == ["host_tuning", "30", "2", ".", ".", "npu17,", "npu30"]
    assert max(terminal.width(line) for line in shown[: len(catalogue.CHECKS)] if line and not line.startswith(" ")) < 200


def test_hostile_text_cannot_move_the_cursor(facts, wanted):
    facts["npu02"]["npu"]["driver_version"] = "\x1b[2J\x07evil\r"
    shown = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED))
    assert "evil" in shown
    assert not set(shown) & {"\x1b", "\x07", "\r"}


def test_devices_that_say_the_same_stand_in_one_block(facts, wanted):
    for device in (0, 1, 2, 5):
        set_hccn(facts["npu02"], device, "link", text("hccn_tool/link-get--down.txt"))
    shown = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED))
    assert "FAIL link @ npu02 device 0-2,5:" in shown
    assert shown.count("FAIL link") == 1


def test_a_host_that_nothing_was_asked_of_is_not_lost(facts, wanted):
    facts["npu02"] = {}
    reachable = [record for record in evaluate.evaluate(facts, wanted, stages=["fabric"], measured=MEASURED) if record["id"] == "host_reachable"]
    assert [(record["host"], record["status"]) for record in reachable] == [("npu01", "pass"), ("npu02", "skip"), ("npu03", "pass")]


def test_an_unreachable_host_is_not_said_to_be_like_the_others(facts, wanted):
    facts["npu02"] = {}
    wanted["npu02"]["unreachable"] = "Connection timed out"
    shown = terminal.report(evaluate.evaluate(facts, wanted, measured=MEASURED)).splitlines()
    assert next(line for line in shown if line.startswith("device_ip")).split()[1:4] == ["ok", "-", "ok"]
    assert next(line for line in shown if line.startswith("host_reachable")).split()[1:4] == ["ok", "FAIL", "ok"]
