# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import socket
import typing as t

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _host_facts as core
from hypothesis import example, given
from hypothesis import strategies as st

UBUNTU = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nNAME="Ubuntu"\nVERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n'
KYLIN = 'NAME="Kylin Linux Advanced Server"\nVERSION="V10 (Lance)"\nID="kylin"\nVERSION_ID="V10"\n'
NET_TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 96935 1 0000000076fe42a6 100 0 0 10 0
   1: 0B015B0A:0401 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 255871 1 00000000d726d0f4 100 0 0 10 0
   2: 0B015B0A:0016 01015B0A:D3C4 01 00000000:00000000 02:000A7214 00000000     0        0 251234 3 00000000e0e44e13 20 4 30 10 -1
"""
NET_TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:2712 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 0
   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12346 1 0
"""
ROUTE = """\
Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t00000000\t01105C0A\t0003\t0\t0\t101\t00000000\t0\t0\t0
eth0\t00000000\t01015B0A\t0003\t0\t0\t100\t00000000\t0\t0\t0
eth0\t00015B0A\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0
"""
UFW = """\
Status: active

To                         Action      From
--                         ------      ----
22/tcp                     ALLOW       Anywhere
1120/tcp                   ALLOW       10.91.1.12
60000:60015/tcp            ALLOW       10.91.1.12
1025/tcp                   DENY        Anywhere
22/tcp (v6)                ALLOW       Anywhere (v6)
"""


def test_os_release():
    assert core.parse_os_release(UBUNTU)["VERSION_ID"] == "22.04"
    assert core.parse_os_release(KYLIN)["NAME"] == "Kylin Linux Advanced Server"


def test_memory_is_in_megabytes():
    assert core.parse_meminfo("MemTotal:       24641972 kB\nMemFree:         9072400 kB\nHugePages_Total:       0\n") == {"MemTotal": 24064, "MemFree": 8859}


@pytest.mark.parametrize(("text", "ranges"), [("60000-60031\n", [(60000, 60031)]), ("8080,60000-60015", [(8080, 8080), (60000, 60015)]), ("\n", [])])
def test_reserved_ports(text, ranges):
    assert core.parse_ranges(text) == ranges


def test_listening_sockets():
    assert core.parse_listening(NET_TCP) == [("0.0.0.0", 22, 96935), ("10.91.1.11", 1025, 255871)]
    assert core.parse_listening(NET_TCP6) == [("::", 10002, 12345), ("::1", 631, 12346)]


def test_the_default_route_with_the_lowest_metric():
    assert core.parse_default_route(ROUTE) == "eth0"
    assert core.parse_default_route("Iface\tDestination\n") is None


def test_interfaces():
    links = [
        {
            "ifname": "lo",
            "flags": ["LOOPBACK", "UP", "LOWER_UP"],
            "operstate": "UNKNOWN",
            "mtu": 65536,
            "addr_info": [{"family": "inet", "local": "127.0.0.1"}],
        },
        {"ifname": "enp1", "flags": ["BROADCAST", "MULTICAST"], "operstate": "DOWN", "mtu": 1500, "addr_info": []},
        {"ifname": "enp2", "flags": ["NO-CARRIER", "UP"], "operstate": "DOWN", "mtu": 9000, "addr_info": [{"family": "inet", "local": "192.0.2.11"}]},
    ]
    found = core.parse_interfaces(json.dumps(links))
    assert {name: facts["up"] for name, facts in found.items()} == {"lo": True, "enp1": False, "enp2": False}
    assert found["enp2"] == {"up": False, "addresses": ["192.0.2.11"], "mtu": 9000}


def test_addresses_of_a_name():
    assert core.parse_addresses("127.0.1.1       STREAM npu01\n127.0.1.1       DGRAM  \n127.0.1.1       RAW    \n") == ["127.0.1.1"]


@pytest.mark.parametrize(("text", "word"), [("always [madvise] never\n", "madvise"), ("[always] madvise never\n", "always"), ("", None)])
def test_transparent_huge_pages(text, word):
    assert core.parse_selected(text) == word


def test_secrets_of_the_environment_are_hidden():
    found = core.parse_environment("OMP_NUM_THREADS=1\nHF_TOKEN=hf_abc\nMINDIE_PASSWORD=x\nTLS_KEY_PATH=/x\nKEYBOARD=us\n# A=b\nEMPTY=\n")
    assert found == {
        "OMP_NUM_THREADS": "1",
        "HF_TOKEN": "(hidden)",
        "MINDIE_PASSWORD": "(hidden)",
        "TLS_KEY_PATH": "(hidden)",
        "KEYBOARD": "us",
        "EMPTY": "",
    }


def test_firewalld(fixture_text):
    rules = core.parse_firewalld(fixture_text("checks/firewalld--openeuler-22.03.txt"))
    assert {"source": "10.91.1.12", "port": "60000-60015/tcp", "zone": "npuops", "interfaces": []} in rules
    assert {"source": None, "port": "1025/tcp", "zone": None, "interfaces": []} in rules
    # The zone of eth1 lets everything through, that of the bridge of containers is none of ours.
    assert {"source": None, "port": "any", "zone": None, "interfaces": ["eth1"]} in rules
    assert not [rule for rule in rules if "docker0" in rule["interfaces"]]
    assert not [rule for rule in rules if rule["port"] == "any" and not rule["interfaces"]]


def test_rich_rules_of_firewalld():
    text = (
        "public (active)\n  target: default\n  interfaces: eth0\n  sources: \n  ports: 22/tcp\n  rich rules: \n"
        '\trule family="ipv4" source address="198.51.100.0/24" port port="1025" protocol="tcp" accept\n'
        '\trule family="ipv4" source address="203.0.113.0/24" port port="1025" protocol="tcp" reject\n'
    )
    rules = core.parse_firewalld(text)
    assert [(rule["source"], rule["port"]) for rule in rules] == [(None, "22/tcp"), ("198.51.100.0/24", "1025/tcp")]


def test_ufw():
    rules = core.parse_ufw(UFW)
    assert [(rule["source"], rule["port"]) for rule in rules] == [
        (None, "22/tcp"),
        ("10.91.1.12", "1120/tcp"),
        ("10.91.1.12", "60000-60015/tcp"),
        (None, "22/tcp"),
    ]


def test_containers_with_devices():
    inspected = [
        {
            "Id": "a" * 64,
            "Name": "/vllm",
            "Config": {"Image": "vllm-ascend:v0.9.1", "Env": ["PATH=/usr/bin"]},
            "HostConfig": {"Privileged": False, "Devices": [{"PathOnHost": "/dev/davinci3"}, {"PathOnHost": "/dev/davinci_manager"}]},
        },
        {
            "Id": "b" * 64,
            "Name": "/runtime",
            "Config": {"Image": "x", "Env": ["ASCEND_VISIBLE_DEVICES=0-2,7"]},
            "HostConfig": {"Privileged": True, "Devices": None},
        },
    ]
    found = core.parse_containers(json.dumps(inspected))
    assert [(item["name"], item["devices"], item["privileged"]) for item in found] == [("vllm", [3], False), ("runtime", [0, 1, 2, 7], True)]


@pytest.mark.parametrize(
    ("value", "devices"),
    [
        ("0-2,7", [0, 1, 2, 7]),
        ("Ascend910-0,Ascend910-1", [0, 1]),
        ("Ascend910-0, Ascend910-15", [0, 15]),
        ("Ascend310P-2", [2]),
        ("Ascend910_9382-3", [3]),
        ("all", []),
        ("void", []),
        ("", []),
    ],
)
def test_devices_of_the_container_runtime(value, devices):
    inspected = [{"Name": "/x", "Config": {"Env": [f"ASCEND_VISIBLE_DEVICES={value}"]}}]
    assert core.parse_containers(json.dumps(inspected))[0]["devices"] == devices


def test_image():
    assert core.parse_image('[{"Id": "sha256:abc", "RepoDigests": [], "Architecture": "arm64"}]') == {
        "id": "sha256:abc",
        "digests": [],
        "architecture": "arm64",
    }
    with pytest.raises(ValueError, match="no image"):
        core.parse_image("[]")


def test_who_holds_a_socket(tmp_path):
    (tmp_path / "42/fd").mkdir(parents=True)
    (tmp_path / "42/fd/5").symlink_to("socket:[96935]")
    (tmp_path / "42/comm").write_text("sshd\n", encoding="utf-8")
    (tmp_path / "42/cgroup").write_text("0::/system.slice/docker-aaaa.scope\n", encoding="utf-8")
    (tmp_path / "net").mkdir()
    assert core.socket_owners([96935, 1], str(tmp_path)) == {96935: (42, "sshd")}
    assert core.belongs_to(42, ["aaaa"], str(tmp_path))
    assert not core.belongs_to(42, ["", "bbbb"], str(tmp_path))
    assert not core.belongs_to(43, ["aaaa"], str(tmp_path))


def test_governors(tmp_path):
    for number, word in ((0, "performance"), (1, "powersave"), (2, "performance")):
        (tmp_path / f"cpu{number}/cpufreq").mkdir(parents=True)
        (tmp_path / f"cpu{number}/cpufreq/scaling_governor").write_text(f"{word}\n", encoding="ascii")
    (tmp_path / "cpuidle").mkdir()
    assert core.governors(str(tmp_path)) == ["performance", "powersave"]
    assert core.governors(str(tmp_path / "none")) == []


def test_a_refusal_is_an_answer():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        target = {"host": "npu02", "address": "127.0.0.1", "port": port}
        # Bound, but nobody listens.
        assert core.probe(target)["state"] == "refused"
        listener.listen()
        assert core.probe(target)["state"] == "open"


def test_files_are_read_in_pieces_and_whatever_their_bytes_are(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"a" * 70000 + b"\xff")
    assert core.read(str(path)) == "a" * 70000 + "\ufffd"
    assert core.read_or(str(tmp_path / "none"), "else") == "else"


_PARSERS: list[t.Callable[[str], t.Any]] = [
    core.parse_os_release,
    core.parse_meminfo,
    core.parse_ranges,
    core.parse_visible_devices,
    core.parse_listening,
    core.parse_default_route,
    core.parse_addresses,
    core.parse_selected,
    core.parse_environment,
    core.parse_firewalld,
    core.parse_ufw,
]


@given(text=st.text(), parse=st.sampled_from(_PARSERS))
def test_any_text_is_read_without_an_exception(text, parse):
    parse(text)


@given(text=st.text() | st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)).map(json.dumps))
@example(text='[{"Config": 1, "HostConfig": "x"}]')
@example(text='[{"HostConfig": {"Devices": 1}}, {"Config": {"Env": true}}, {"HostConfig": {"Devices": ["/dev/davinci0"]}}]')
@example(text='[{"ifname": "a", "flags": 1}]')
@example(text='[{"ifname": "a", "addr_info": 1}]')
def test_json_that_is_none_of_the_tool_is_a_value_error_or_nothing(text):
    for parse in (core.parse_interfaces, core.parse_containers, core.parse_image):
        try:
            parse(text)
        except ValueError:
            pass
