# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay the 492 recorded runs of the vendor's real front end against the simulated hccn_tool.

The records are a part of the runs that were made; those left out changed the device too. HOSTS says where a new host
begins, LEFT_OUT which runs have to be put in again. The file is compared before each record as well, so a wrong guess
about a left-out run, or a run put in that behaves wrongly, fails the replay.
"""

from __future__ import annotations

import calendar
import errno
import itertools
import json
import time
import typing as t
from pathlib import Path

import pytest
from npusim import hccn_commands, hccn_conf
from npusim.state import State

if t.TYPE_CHECKING:
    from .conftest import Host

FIXTURE = Path(__file__).resolve().parents[2] / "fixtures" / "cli" / "observed-hccn_tool.json"
RECORDS: list[dict[str, t.Any]] = json.loads(FIXTURE.read_text(encoding="utf-8"))["records"]

# --- what is compared ----------------------------------------------------------------------------------------------

# Commands that the collection does not use and the simulator does not have.
NOT_SIMULATED = frozenset((
    "-local_lldp", "-dscp_to_tc", "-shaping", "-arp", "-route", "-pci", "-udp", "-status", "-generic", "-dcqcn", "-roce_test", "-pfc",
    "-tc_cfg", "-prio_tc", "-tc_qos", "-ip_rule", "-ip_route", "-neigh", "-scdr", "-down_data", "-traceroute", "-stat_extra",
    "-pfc_stat", "-tc_stat", "-bad_thd", "-scdr_reset", "-diagnostic", "-optical_snr", "-mem_reserve",
))
NOT_REPLAYED = {
    417: "-auto_downgrade exists on A3 only, and is not simulated",
    426: "-optical -dump is not simulated",
    427: "the board without optics (main board 0x1C) is not simulated",
}
# Exit code, standard error and hccn.conf are compared in whole, standard output as the function says.
PARTLY: dict[int, t.Callable[[str, str], bool]] = {
    # -h: only the blocks of the simulated commands, each as recorded and in the recorded order.
    1: lambda seen, recorded: is_subsequence(seen.split("\n\n"), recorded.split("\n\n")) and seen.count("\n\n") == 24,
    # The device's own text goes on where the stub's ends.
    42: lambda seen, recorded: seen.startswith(recorded[:-1]) and seen.endswith("\n\n"),
    # With the link down the stub says 0; the real driver value is thought to be 0xFFFF, printed as Unknown.
    298: lambda seen, recorded: (seen, recorded) == ("Speed: Unknown!\n", "Speed: 0 Mb/s\n"),
    # The stub keeps the last change only.
    300: lambda seen, recorded: seen.splitlines()[:4] == recorded.splitlines()[:4] and seen.splitlines()[4].endswith("LINK DOWN"),
    # Each device has a vNIC address of its own.
    465: lambda seen, recorded: seen.replace("192.168.2.100", "192.168.2.199") == recorded,
}


def is_subsequence(part: list[str], whole: list[str]) -> bool:
    rest = iter(whole)
    return all(item in rest for item in part)


def is_replayed(index: int) -> bool:
    return index not in NOT_REPLAYED and not NOT_SIMULATED & set(RECORDS[index]["argv"])


# --- the hosts and runs between the records ------------------------------------------------------------------------

ADDRESS_0 = "-i 0 -ip -s address 10.12.165.80 netmask 255.255.255.0"
CONFIGURED_0 = "address_0=10.12.165.80\nnetmask_0=255.255.255.0\n"
RECOVERY_0 = "-i 0 -cfg recovery"
LINK_DOWN = ("y\n", "-i 0 -link -s down")


def lose_installation(host: Host) -> None:
    (host.root / "etc" / "ascend_install.info").unlink()


def reset_device(host: Host) -> None:
    with host.change() as state:
        state.devices[0] = State.new().devices[0]


def with_fault(name: str, device: int, run: str, **params: t.Any) -> t.Callable[[Host], None]:
    def perform(host: Host) -> None:
        with host.change() as state:
            state.set_fault(name, device, **params)
        put_in(host, run)
        with host.change() as state:
            state.clear_fault()
    return perform


# A new host begins at each of these records: the text of its hccn.conf where it is not the record's, and the runs made on it first.
HOSTS: dict[int, tuple] = {
    0: (), 32: (), 92: (), 119: (),
    143: (CONFIGURED_0,),
    157: ("", ADDRESS_0),
    160: (), 164: (), 177: (), 184: (),
    200: (CONFIGURED_0, RECOVERY_0),
    202: (), 221: (), 223: (), 227: (), 231: (), 235: (), 239: (),
    243: (None, "-i 0 -tls -s enable 0", "-i 0 -mtu -s size 9000"),
    245: (),
    256: (RECORDS[202]["hccn_conf_before"], lose_installation, RECOVERY_0),
    258: (), 259: (), 274: (), 277: (), 292: (), 311: (),
    345: (CONFIGURED_0, RECOVERY_0),
    381: (CONFIGURED_0, RECOVERY_0),
    389: (), 410: (), 412: (),
    419: (RECORDS[202]["hccn_conf_before"], RECOVERY_0, reset_device, ADDRESS_0),
    420: ("", RECOVERY_0),
    480: (), 481: (),
    **{index: ("", RECOVERY_0, ADDRESS_0) for index in range(482, 488)},
    488: ("", ADDRESS_0, "-i 0 -gateway -s gateway 10.12.165.1", RECOVERY_0),
}
# Runs that were made, but not recorded, before these records. AS_RECORDED: commands that are not simulated changed the file.
AS_RECORDED = "as recorded"
LEFT_OUT: dict[int, tuple] = {
    106: ("-i 0 -gateway -s gateway 10.12.165.254",),
    109: ("-i 0 -ip -s address 10.13.0.90 netmask 255.255.255.0",),
    121: (ADDRESS_0,),
    127: (ADDRESS_0,),
    137: ("-i 0 -ip -s address 10.12.165.80 netmask 255.255.255.255",),
    149: ("-i 0 -gateway -s gateway 10.12.165.80",),
    152: ("-i 0 -netdetect -s address 0.0.0.0",),
    159: (ADDRESS_0,),
    163: (ADDRESS_0,),
    273: ("-i 0 -tls -c",),
    288: ("-i 0 -mtu -s size 09000",),
    291: (("y\n", "-i 0 -mtu -s size 1279"),),
    294: (LINK_DOWN,),
    304: ("-i 0 -link -s up",),
    337: (AS_RECORDED,),
    368: (AS_RECORDED, "-i 0 -ip -s address 10.13.0.80 netmask 255.255.255.0"),
    393: (with_fault("missing-device", 5, "-a -cfg recovery"),
          with_fault("busy", 0, "-i 0 -gateway -s gateway 10.12.165.1", count=1)),
    395: ("-i 0 -netdetect -s address 10.12.165.1",),
    413: ("-i 2 -ip -s address 10.12.165.80 netmask 255.255.255.0",),
    434: (ADDRESS_0,),
    436: ("-i 0 -gateway -s gateway 10.12.165.1",),
    437: ("-i 0 -netdetect -s address 10.12.165.1",),
    438: ("-i 0 -ip -inet6 -s ipv6_address fd00:10:12:165::80 prefix_length 64",),
    443: ("-i 0 -mac -s mac d8:76:ae:d9:ba:ed",),
    444: ("-i 0 -mtu -s size 4200",),
    445: ("-i 0 -netdetect -s address 10.12.165.1",),
    451: (AS_RECORDED,),
    453: ("-i 0 -send_arp -s enable 1", "-i 0 -send_arp -s period 60"),
    455: (AS_RECORDED,),
    464: (AS_RECORDED,),
    477: ("-i 1 -tls -g", "-i 0 -tls -s enable 0", "-a -cfg recovery"),
    479: (LINK_DOWN,),
}

# --- what the stub device of the recordings answered ----------------------------------------------------------------

RECORDED_AT = calendar.timegm((2026, 7, 25, 17, 20, 0))
LINK_UP_AT = calendar.timegm((2026, 7, 25, 14, 33, 20))
SAMPLED_AT = calendar.timegm((2025, 5, 29, 19, 22, 43))
LINK_HISTORIES = {
    "1": {"link_changes": [], "link_ups": 0, "link_downs": 0},
    "2": {"link_changes": [[calendar.timegm((2025, 5, 29, 18, 2, 10)), "up"], [calendar.timegm((2025, 5, 29, 18, 1, 58)), "down"],
                           [calendar.timegm((2025, 5, 29, 17, 30, 1)), "up"]], "link_ups": 2, "link_downs": 1},
}
PACKET_COUNTERS = {
    "mac_tx_total_pkt_num": 122404, "mac_tx_total_oct_num": 16921741, "mac_rx_total_pkt_num": 6414803, "mac_rx_total_oct_num": 482237805,
    "nic_tx_all_pkg_num": 122404, "nic_tx_all_oct_num": 16921741, "nic_rx_all_pkg_num": 6414803, "nic_rx_all_oct_num": 482237805,
}
# The value that the driver returned for net_health, from the notes of the records.
NET_HEALTH = {**{395 + value: value for value in range(10)}, 445: 5, 446: 6, 447: 2, 448: 0}
STUB_DEVICE = {
    "mac": "68:54:ca:10:20:00",
    "optical_present": False,
    "certificate": {"subject": "/C=CN/O=Huawei/CN=stub", "issuer": "/C=CN/O=Huawei/CN=Huawei IT Product CA",
                    "start": "Sat Jan  1 00:00:00 2022 GMT", "end": "Wed Jan  1 00:00:00 2042 GMT"},
    "link_changes": [[LINK_UP_AT, "up"]],
}


def stub_settings(index: int) -> dict[str, str]:
    return RECORDS[index].get("stub_setting", {})


def new_host(host: Host, index: int) -> None:
    settings = stub_settings(index)
    conf, *runs = HOSTS[index] or (RECORDS[index]["hccn_conf_before"],)
    host.renew("A3" if settings.get("number of devices") == "16" else "910B3", conf)
    with host.change() as state:
        state.devices[0].update(STUB_DEVICE)
        state.data.update(health_delay=0.0, super_node="mainboard id" in settings, physical_host="not a physical host" not in settings)
        state.data["network_firmware"] = "1.1.4.0" if index == 420 else "1.0.4.0"
    for run in runs:
        put_in(host, run)


def put_in(host: Host, run: t.Any) -> None:
    if callable(run):
        run(host)
    else:
        stdin, command = run if isinstance(run, tuple) else ("", run)
        host.hccn(*command.split(), stdin=stdin)


def prepare(host: Host, index: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bring the simulated device to what the stub was set to for this record."""
    settings = stub_settings(index)
    with host.change() as state:
        if "device lost" in settings:
            state.set_fault("missing-device", int(settings["device lost"]))
        if "driver or device call fails (operation:return value)" in settings:
            state.set_fault("refuse-setting")
        state.data["board_id"] = settings.get("board id", "0x62")
        state.data["peers"] = [] if "lost packets" in settings else ["10.12.165.81"]
        for device in state.devices:
            device["speed"] = int(settings.get("speed value", "200000"))
            device["net_health"] = NET_HEALTH.get(index)
            device.update(LINK_HISTORIES.get(settings.get("link history"), {}))
            if "no certificates" in settings:
                device["certificate"] = None
            if "packet counters" in settings:
                device["stat"] = PACKET_COUNTERS
    moment = SAMPLED_AT if "link history" in settings else RECORDED_AT
    monkeypatch.setattr(hccn_commands, "now", lambda: moment)

    def open_read_only(path: str) -> int:
        raise OSError(errno.EROFS, "Read-only file system", path)

    read_only = "read-only" in RECORDS[index]["note"]
    monkeypatch.setattr(hccn_conf, "open_for_writing", open_read_only if read_only else OPEN_FOR_WRITING)


OPEN_FOR_WRITING = hccn_conf.open_for_writing
STARTS = sorted(HOSTS)
GROUPS = [range(start, end) for start, end in zip(STARTS, [*STARTS[1:], len(RECORDS)])]


@pytest.fixture(autouse=True)
def utc() -> t.Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: f"{group.start}-{RECORDS[group.start]['note'].split(':')[0].replace(' ', '_')}")
def test_replay(group: range, npu_host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    new_host(npu_host, group.start)
    for index in group:
        record = RECORDS[index]
        for run in LEFT_OUT.get(index, ()):
            if run == AS_RECORDED:
                npu_host.write_conf(RECORDS[index - 1]["hccn_conf_after"])
            else:
                put_in(npu_host, run)
        if not is_replayed(index):
            continue
        prepare(npu_host, index, monkeypatch)
        about = f"record {index} ({record['note']}): {record['argv']}"
        assert npu_host.read_conf() == record["hccn_conf_before"], f"{about}: hccn.conf before it"
        reply = npu_host.hccn(*record["argv"][1:], stdin=record.get("stdin", ""), uid=record.get("uid", 0))
        assert reply.rc == record["rc"], about
        assert reply.stderr == record["stderr"], about
        if index in PARTLY:
            assert PARTLY[index](reply.stdout, record["stdout"]), about
        else:
            assert reply.stdout == record["stdout"], about
        assert npu_host.read_conf() == record["hccn_conf_after"], f"{about}: hccn.conf after it"
        with npu_host.change() as state:
            state.clear_fault()


def test_the_replay_does_not_shrink() -> None:
    replayed = [index for index in range(len(RECORDS)) if is_replayed(index)]
    byte_for_byte = [index for index in replayed if index not in PARTLY]
    assert len(RECORDS) == 492
    assert sorted(itertools.chain(*GROUPS)) == list(range(492))
    assert (len(byte_for_byte), len(PARTLY)) == (389, 5)
