# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import json

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn
from ansible_collections.npuops.ascend.plugins.module_utils._hccn import HccnError
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply
from hypothesis import given, settings
from hypothesis import strategies as st

LOG = "DrvMngGetConsoleLogLevel failed. (g_conLogLevel=3)\ndsmi: address:10.0.0.9 in a log line\n"

RECORDED = [
    ("ip-get--configured-910B3", _hccn.parse_address, {"address": "10.12.165.80", "netmask": "255.255.255.0"}),
    ("ip-get--inet6", _hccn.parse_address6, {"ipv6_address": "fd00:10:12:165::80", "ipv6_prefix_length": 64}),
    ("gateway-get--configured", _hccn.parse_gateway, {"gateway": "10.12.165.1"}),
    ("netdetect-get--netdetect-addr", _hccn.parse_netdetect, {"netdetect": "10.12.165.1"}),
    ("netdetect-get--netdetect-address", _hccn.parse_netdetect, {"netdetect": "10.12.165.1"}),
    ("netdetect-get--unset", _hccn.parse_netdetect, {"netdetect": None}),
    ("tls-get--switch-off", _hccn.parse_tls, {"tls_enabled": False, "tls": {"preset": True, "alarm_days": 60, "certificates": []}}),
    ("tls-get--switch-on", _hccn.parse_tls, {"tls_enabled": True, "tls": {"preset": True, "alarm_days": 60, "certificates": []}}),
    ("mtu-get", _hccn.parse_mtu, {"mtu": 4200}),
    ("link-get--up", _hccn.parse_link, {"link": "up"}),
    ("link-get--down", _hccn.parse_link, {"link": "down"}),
    ("net-health-get--success", _hccn.parse_net_health, {"net_health": "success"}),
    ("net-health-get--fault", _hccn.parse_net_health, {"net_health": "fault"}),
    ("net-health-get--init", _hccn.parse_net_health, {"net_health": "init"}),
    ("net-health-get--receive-timeout", _hccn.parse_net_health, {"net_health": "receive_timeout"}),
    ("mac-get", _hccn.parse_mac, {"mac": "d8:76:ae:d9:ba:ed"}),
    ("speed-get--200g", _hccn.parse_speed, {"speed_mbps": 200000}),
    ("speed-get--unknown", _hccn.parse_speed, {"speed_mbps": None}),
    ("duplex-get--full", _hccn.parse_duplex, {"duplex": "full"}),
    ("version-get", _hccn.parse_version, {"version": {"driver": "1.0.4.0", "firmware": "1.1.4.0"}}),
    ("vnic-get--up", _hccn.parse_vnic, {"vnic": {"link": "up", "address": "192.168.2.199", "netmask": "255.255.255.0"}}),
    ("process-get--exist", _hccn.parse_process, {"hccp_process": True}),
    ("process-get--not-exist", _hccn.parse_process, {"hccp_process": False}),
    ("fec-get--rs", _hccn.parse_fec, {"fec": "rs"}),
    ("fec-get--not-switchable-a2", _hccn.parse_fec, {"fec": None}),
    ("udp-get--auto", _hccn.parse_udp, {"udp": {"port": None, "mode": "auto", "pairs": []}}),
    ("udp-get--custom-with-ip-pairs", _hccn.parse_udp, {"udp": {"port": 4800, "mode": "custom", "pairs": []}}),
    ("cfg-status--success", _hccn.parse_config_status, {"config_status": "success"}),
    ("cfg-recovery--all-ok", _hccn.parse_recovery, dict.fromkeys(range(8), True)),
    (
        "link_stat-get--devid-prefix",
        _hccn.parse_link_stat,
        {
            "link_stat": {
                "current_time": "2022-08-02T03:09:26",
                "link_up_count": 2,
                "link_down_count": None,
                "records": [
                    {"time": "2022-08-01T14:43:40", "link": "up"},
                    {"time": "2022-08-01T14:43:40", "link": "down"},
                    {"time": "2022-08-01T14:43:26", "link": "up"},
                ],
            }
        },
    ),
    (
        "link_stat-get--no-records",
        _hccn.parse_link_stat,
        {"link_stat": {"current_time": "2025-05-29T19:22:43", "link_up_count": 0, "link_down_count": 0, "records": []}},
    ),
    (
        "link_stat-get--with-down-count",
        _hccn.parse_link_stat,
        {
            "link_stat": {
                "current_time": "2025-05-29T19:22:43",
                "link_up_count": 2,
                "link_down_count": 1,
                "records": [
                    {"time": "2025-05-29T18:02:10", "link": "up"},
                    {"time": "2025-05-29T18:01:58", "link": "down"},
                    {"time": "2025-05-29T17:30:01", "link": "up"},
                ],
            }
        },
    ),
    (
        "lldp-get--huawei-switch-910B1",
        _hccn.parse_lldp,
        {
            "lldp": {
                "chassis_id_type": "MAC",
                "chassis_id": "...",
                "port_id_type": "Ifname",
                "port_id": "400GE1/1/20:2",
                "system_name": None,
                "tlvs": {
                    "Chassis ID": "MAC: ...",
                    "Port ID": "Ifname: 400GE1/1/20:2",
                    "System Description": "Versatile Routing Platform Software\nVRP (R) software, Version 8.211 (DX511 V200R021C10SPC600)\n\nHuarong DX511",
                    "System Capabilities": "Enabled capabilities: Bridge, Router",
                    "Management Address": "IPv4: 10.xx.xx.xx",
                    "Maximum Frame Size": "9216",
                },
            }
        },
    ),
]


def spoilt(text: str) -> list[str]:
    """The same content as other builds, terminals, and logs would show it."""
    return [
        text.replace("\n", "\r\n"),
        text.replace("\n", "  \n"),
        f"\n{text}\n\n",
        "".join(f"  {line}\n" for line in text.splitlines()),
        LOG + text + LOG,
        text.rstrip("\n"),
    ]


@pytest.mark.parametrize("name, parse, expected", RECORDED, ids=[row[0] for row in RECORDED])
def test_recorded(fixture_text, name, parse, expected):
    text = fixture_text(f"cli/hccn_tool/{name}.txt")
    assert parse(text) == expected
    # LLDP takes unindented lines as part of a description, so what surrounds it is not ignored.
    for variant in spoilt(text)[: 4 if parse is _hccn.parse_lldp else None]:
        assert parse(variant) == expected, variant


def test_lldp_without_a_neighbour():
    assert _hccn.parse_lldp("\n") == {"lldp": None}


def test_lldp_port_of_each_device_out_of_grep(fixture_text):
    ports = [_hccn.parse_lldp(line)["lldp"]["port_id"] for line in fixture_text("cli/hccn_tool/lldp-get-ifname--8x910B3.txt").splitlines()]
    assert ports == [f"400GE1/{slot}/{card}:{lane}" for card in (5, 6) for slot in (1, 2) for lane in (1, 2)]


def test_optical(fixture_text):
    optical = _hccn.parse_optical(fixture_text("cli/hccn_tool/optical-get--910A-dump.txt"))["optical"]
    assert len(optical) == 43
    assert optical["present"] is False
    assert optical["temperature_c"] == 47
    assert optical["high_power_enable_reg"] == "enabled"
    assert optical["vendor_part_number"] == "LMQ8611-PC+"
    assert optical["vendor_org_unique_id"] == "0xac 0x4a 0x0"
    assert optical["xsfp_identifier"] == "QSFP+ or later"
    assert optical["xsfp_wave_length_nm"] == 850
    assert optical["manufact_date_code"] == "2023.6.18"
    assert optical["vcc_mv"] == 3262.90
    assert optical["rx_power1_mw"] == 0.0054
    assert optical["tx_bias3_ma"] == 7.9240
    assert optical["temp_low_thres_c"] == 0
    assert optical["rxpower_high_thres_mw"] == 3.5481
    assert optical["rx_los_flag"] == "0xff"
    assert optical["host_snr_lane0_db"] is None
    assert optical["media_snr_lane3_db"] == 23.2969


def test_optical_without_a_module(observed):
    reply = next(reply for reply in observed if reply.argv[3:] == ("-optical", "-g") and reply.rc == 0)
    optical = _hccn.read_reply("optical", reply)["optical"]
    assert optical["present"] is False
    assert (optical["temperature_c"], optical["vcc_mv"], optical["tx_power_mw"]) == (None, None, None)
    assert (optical["vendor_name"], optical["xsfp_identifier"], optical["xsfp_wave_length_nm"]) == (None, None, 0)


def test_optical_reading_in_an_unexpected_unit_stays_text():
    assert _hccn.parse_optical("optical info:\npresent : present\nTx Power0 : 1.2 dBm\n")["optical"] == {"present": True, "tx_power0": "1.2 dBm"}


@pytest.mark.parametrize("said", ["NA", "N/A", "not support", "Not Supported", "get failed", "unknown", ""])
def test_optical_reading_that_the_module_does_not_give(said):
    assert _hccn.parse_optical(f"optical info:\npresent : present\ntemperature : {said}\n")["optical"] == {"present": True, "temperature_c": None}


def test_stat(fixture_text):
    stat = _hccn.parse_stat(fixture_text("cli/hccn_tool/stat-get--all-counters.txt"))["stat"]
    assert len(stat) == 48
    assert (stat["mac_tx_total_oct_num"], stat["mac_rx_fcs_err_pkt_num"], stat["nic_rx_all_oct_num"]) == (16921741, 0, 482237805)


def test_tls_certificates(observed):
    reply = next(reply for reply in observed if reply.argv[3:] == ("-tls", "-g") and reply.rc == 0)
    assert _hccn.read_reply("tls", reply) == {
        "tls_enabled": True,
        "tls": {
            "preset": True,
            "alarm_days": 60,
            "certificates": [
                {
                    "name": "pub cert",
                    "subject": "/C=CN/O=Huawei/CN=stub",
                    "issuer": "/C=CN/O=Huawei/CN=Huawei IT Product CA",
                    "start_time": "Sat Jan  1 00:00:00 2022 GMT",
                    "end_time": "Wed Jan  1 00:00:00 2042 GMT",
                    "state": "normal",
                }
            ],
        },
    }


@pytest.mark.parametrize("device", ["dev_id:0, ", "device 0, ", ""])
def test_tls_certificate_headings(device):
    text = f"{device}tls switch[0](0:disable, 1:enable)\n{device}[pub cert] info:\n\t subject[/CN=x]\n{device}[ca1 cert] info:\n\t subject[/CN=y]\n"
    assert [(found["name"], found["subject"]) for found in _hccn.parse_tls(text)["tls"]["certificates"]] == [("pub cert", "/CN=x"), ("ca1 cert", "/CN=y")]


def test_tls_state_of_an_expired_certificate_comes_on_stderr(fixture_text):
    text = fixture_text("cli/hccn_tool/tls-get--switch-on.txt") + "dev_id:1, [pub cert] info:\n\t subject[/CN=x]\n"
    error = "\t tls expiration status[2](0:normal, 1:near expiration, 2:has expired)\n"
    assert _hccn.parse_tls(text, error)["tls"]["certificates"][0]["state"] == "expired"


@pytest.mark.parametrize(
    "said, expected",
    [
        ("Socket fail", "socket_fail"),
        ("Socket failed", "socket_fail"),
        ("Unreachable", "unreachable"),
        ("Time exceeded", "time_exceeded"),
        ("Thread error", "thread_error"),
        ("Detect ip set", "detect_ip_set"),
        ("Unknown", "unknown"),
    ],
)
def test_net_health_words(said, expected):
    assert _hccn.parse_net_health(f"net health status: {said}\n") == {"net_health": expected}


def test_net_health_word_of_the_future():
    with pytest.raises(HccnError, match="'?Warming up'? is not a known state"):
        _hccn.parse_net_health("net health status: Warming up\n")


def test_legacy_link_stat_prefix(fixture_text):
    text = fixture_text("cli/hccn_tool/link_stat-get--devid-prefix.txt").replace("[devid 0]", "[device 0]")
    assert len(_hccn.parse_link_stat(text)["link_stat"]["records"]) == 3


@pytest.mark.parametrize("text, speed", [("Speed: 0 Mb/s", 0), ("Speed: -1 Mb/s", None), ("Speed: 400000 Mb/s", 400000)])
def test_speed_values(text, speed):
    assert _hccn.parse_speed(text) == {"speed_mbps": speed}


def test_never_set_udp_port():
    assert _hccn.parse_udp("Unknown udp port\nUDP port list(based on IP pair):\n10.0.0.1 10.0.0.2 4800\n")["udp"] == {
        "port": None,
        "mode": None,
        "pairs": ["10.0.0.1 10.0.0.2 4800"],
    }


def test_recovery_of_each_device():
    assert _hccn.parse_recovery("dev:0 recovery success\nCmd executed\ndev:11 recovery fail\n") == {0: True, 11: False}


def test_ping(fixture_text):
    ping = _hccn.parse_ping(fixture_text("cli/hccn_tool/ping--ok-910B3.txt"))
    assert ping == _hccn.Ping(0, "10.12.165.80", {0: 0.114, 1: 0.067, 2: 0.063}, 3, 3, 0.0)


def test_ping_all_lost(fixture_text):
    for text in spoilt(fixture_text("cli/hccn_tool/ping--all-lost.txt")):
        assert _hccn.parse_ping(text) == _hccn.Ping(0, "10.12.165.81", {0: None, 1: None, 2: None}, 3, 0, 100.0)


@pytest.mark.parametrize(
    "body, transmitted, received, loss",
    [
        ("Destination Host Unreachable\n" * 3, 3, 0, 100.0),
        ("recv seq=0,time=0.114000ms\nDestination Net Unreachable\nconnect: Network is unreachable\n", 3, 1, 66.67),
        ("Destination Host Unreachable\n3 packets transmitted, 0 received, 100.00% packet loss\n", 3, 0, 100.0),
        ("Destination Host Unreachable\n4 packets transmitted, 1 received, +3 errors, 75% packet loss, time 3055ms\n", 4, 1, 75.0),
    ],
)
def test_ping_of_a_target_that_cannot_be_reached(body, transmitted, received, loss):
    for ping in (
        _hccn.read_ping(reply(1, f"device 0 PING 10.1.1.2\n{body}", "Command execute failed!\n"), 0, "10.1.1.2"),
        _hccn.read_ping(reply(1, "device 0 PING 10.1.1.2\n", f"{body}Command execute failed!\n"), 0, "10.1.1.2"),
    ):
        assert (ping.transmitted, ping.received, ping.loss_percent) == (transmitted, received, loss)
        assert ping.said.startswith("Destination ")


def test_ping_that_was_answered_says_nothing_else():
    text = "device 0 PING 10.1.1.2\nDestination Host Unreachable\n3 packets transmitted, 3 received, 0.00% packet loss\n"
    assert _hccn.read_ping(reply(0, text), 0, "10.1.1.2").said is None


@pytest.mark.parametrize(
    "text, kind",
    [
        ("Destination Host Unreachable\nCommand execute failed!\n", "unreachable"),
        ("connect: Network is unreachable\n", "unreachable"),
        ("device 0 PING 10.1.1.2\nping: sendmsg: Message too long\nCommand execute failed!\n", "too_long"),
        ("device 0 PING 10.1.1.2\nMessage too long\n3 packets transmitted, 0 received, 100.00% packet loss\nCommand execute failed!\n", "too_long"),
        ("Control link unreachable.\n", "no_device"),
        ("Command execute failed!\n", "device"),
    ],
)
def test_ping_that_could_not_be_sent(text, kind):
    with pytest.raises(HccnError) as error:
        _hccn.read_ping(reply(1, stderr=text), 0, "10.1.1.2")
    assert error.value.kind == kind


def test_hccs_ping(fixture_text):
    ping = _hccn.parse_ping(fixture_text("cli/hccn_tool/hccs_ping--ok-A3.txt"))
    assert ping.times_ms == pytest.approx({0: 0.02131, 1: 0.0184, 2: 0.01895})
    assert (ping.device, ping.target, ping.transmitted, ping.received, ping.loss_percent) == (0, "192.0.2.11", 3, 3, 0.0)


@pytest.mark.parametrize("verdict", ["This pkt ping not start to send!", "This pkt send fail!", "This pkt check recv msg fail!"])
def test_hccs_ping_with_a_lost_packet(fixture_text, verdict):
    # The tool's source prints the time of a lost packet too, and ends with exit code 0.
    text = fixture_text("cli/hccn_tool/hccs_ping--ok-A3.txt").replace("This pkt ping success!\nrecv seq 1", f"{verdict}\nrecv seq 1")
    text = text.replace("3 received, 0.00% packets loss", "2 received, 33.33% packets loss")
    ping = _hccn.parse_ping(text)
    assert ping.times_ms == pytest.approx({0: 0.02131, 1: None, 2: 0.01895})
    assert (ping.received, ping.loss_percent) == (2, 33.33)


def test_ping_without_its_end():
    with pytest.raises(HccnError, match="packets transmitted"):
        _hccn.parse_ping("device 0 PING 10.12.165.80\nrecv seq=0,time=0.114000ms\n")


@pytest.mark.parametrize(
    "parse, text, message",
    [
        (_hccn.parse_address, "ipaddr:10.12.165.80\n", "netmask:MASK expected"),
        (_hccn.parse_address, "ipaddr:10.12.165.300\nnetmask:255.255.255.0\n", "ipaddr: 10.12.165.300 is not an IPv4 address"),
        (_hccn.parse_address, "ipaddr:10.0.0.1\nipaddr:10.0.0.2\nnetmask:255.0.0.0\n", "several times with different values"),
        (_hccn.parse_address, "", "nothing was printed"),
        (_hccn.parse_link, "vnic link status: UP\n", "link status: UP or DOWN expected"),
        (_hccn.parse_mtu, "mtu:\n", "mtu:BYTES expected"),
        (_hccn.parse_tls, "dev_id:0, tls switch[2](0:disable, 1:enable)\n", "tls switch"),
        (_hccn.parse_optical, "\x00\x01garbage\n", "optical info: expected"),
        (_hccn.parse_lldp, "no neighbor\n", "LLDP TLVs expected"),
        (_hccn.parse_stat, "packet statistics:\n", "NAME:NUMBER"),
    ],
)
def test_unreadable_output_is_refused(parse, text, message):
    with pytest.raises(HccnError, match=message) as error:
        parse(text)
    assert (error.value.reason, error.value.kind) == ("unparsable", "unparsable")


# ---------------------------------------------------------------------------------------------------------------------
# Exit code and text


@pytest.fixture(scope="session")
def observed(fixture_text):
    records = json.loads(fixture_text("cli/observed-hccn_tool.json"))["records"]
    return [Reply(tuple(record["argv"]), record["rc"], record["stdout"], record["stderr"]) for record in records]


def reply(rc: int, stdout: str = "", stderr: str = "", args: str = "-ip -g") -> Reply:
    return Reply(("/usr/bin/hccn_tool", "-i", "0", *args.split()), rc, stdout, stderr)


def test_absent_only_with_a_failure_and_its_text(fixture_text):
    no_ip = fixture_text("cli/hccn_tool/ip-get--unconfigured.stderr.txt")
    no_gateway = fixture_text("cli/hccn_tool/gateway-get--unconfigured.stderr.txt")
    assert _hccn.read_reply("address", reply(13, stderr=no_ip)) == {"address": None, "netmask": None}
    assert _hccn.read_reply("gateway", reply(2, stderr=no_gateway)) == {"gateway": None}
    assert _hccn.read_reply("tls", reply(14, stderr="No certificate found, please set certs firstly!\n")) == {"tls_enabled": None, "tls": None}
    # Other drivers end with other codes.
    assert _hccn.read_reply("address", reply(1, stderr=no_ip)) == {"address": None, "netmask": None}
    assert _hccn.read_reply("address", reply(4, no_ip.replace("ipconf", "ip"))) == {"address": None, "netmask": None}
    assert _hccn.read_reply("tls", reply(1, stderr="No certificate found, please set certs firstly!\n")) == {"tls_enabled": None, "tls": None}
    failed = "Get ipconf failed, cmd execute failed!\n"
    for other in (reply(13), reply(1), reply(13, stderr=failed), reply(13, stderr=no_gateway), reply(0, stderr=no_ip), reply(0, no_ip)):
        with pytest.raises(HccnError):
            _hccn.read_reply("address", other)
    with pytest.raises(HccnError):
        _hccn.read_reply("gateway", reply(13, stderr=no_ip))


def test_bare_13_is_not_supported_and_not_absent(fixture_text):
    with pytest.raises(HccnError, match="not supported on this product") as error:
        _hccn.read_reply("address", reply(13, stdout=fixture_text("cli/hccn_tool/error--unsupported-on-product.txt")))
    assert error.value.kind == "unsupported"


@pytest.mark.parametrize(
    "sample, rc, kind",
    [
        ("error--busy.txt", 11, "busy"),
        ("error--unsupported-on-product.txt", 13, "unsupported"),
        ("error--host-vm.stderr.txt", 21, "unsupported"),
        ("error--device-not-exist.stderr.txt", 4, "no_device"),
        ("usage--bad-device-id.stderr.txt", 4, "no_device"),
        ("error--control-link-unreachable.stderr.txt", 15, "no_device"),
        ("error--permission.stderr.txt", 12, "permission"),
        ("error--hccn-conf-missing.stderr.txt", 29, "conf_missing"),
        ("error--conf-not-writable.stderr.txt", 4, "conf_readonly"),
        ("error--optical-absent.txt", 20, "optical_absent"),
        ("ip-set--conflict.stderr.txt", 7, "conflict"),
        ("ip-set--invalid.stderr.txt", 6, "invalid"),
        ("gateway-set--no-ip.stderr.txt", 26, "no_address"),
        ("gateway-set--other-segment.stderr.txt", 8, "segment"),
        ("ping--all-lost.stderr.txt", 1, "device"),
        ("link-set-down--aborted.txt", 22, "aborted"),
        ("usage--ip-unknown-option.stderr.txt", 3, "usage"),
        ("usage--unknown-major-command.stderr.txt", 3, "usage"),
        ("usage--bad-major-type.stderr.txt", 1, "usage"),
        ("usage--ip-set-without-netmask.stderr.txt", 4, "usage"),
    ],
)
def test_refusals_are_told_apart(fixture_text, sample, rc, kind):
    text = fixture_text(f"cli/hccn_tool/{sample}")
    stream = "stderr" if ".stderr" in sample else "stdout"
    error = _hccn.failure(reply(rc, **{stream: LOG + text.replace("\n", "\r\n")}))
    assert error.kind == kind
    assert str(error).startswith("hccn_tool -i 0 -ip -g: ")
    assert f"(exit code {rc}). " in str(error)
    assert any(f": {line} (exit code" in str(error) for line in text.splitlines())
    assert (error.reason, error.rc) == ("failed", rc)


def test_refusal_shows_the_error_and_not_the_help(fixture_text):
    error = _hccn.failure(
        reply(4, fixture_text("cli/hccn_tool/usage--ip-set-without-netmask.stdout.txt"), fixture_text("cli/hccn_tool/usage--ip-set-without-netmask.stderr.txt"))
    )
    assert "The total count of input parameters is wrong!" in str(error)
    assert "needs the following parameters" not in str(error)


def test_silent_234_is_a_user_without_passwd_entry():
    assert "no passwd entry" in str(_hccn.failure(reply(234)))


def test_lock_is_busy_too():
    assert _hccn.is_busy(reply(25, stderr="Get lock failed. Please try again.\n"))
    assert not _hccn.is_busy(reply(25, stdout="The number of pfc priority queues exceeds the maximum value(4).\n"))
    assert not _hccn.is_busy(reply(0, stdout="hccn_tool is busy"))


def test_every_observed_failure_of_a_used_command_has_its_remedy(observed):
    used = {query.args[0] for query in _hccn.QUERIES.values()} - {"-udp", "-mac"}
    failed = [answer for answer in observed if answer.rc and answer.argv[3:] and answer.argv[3] in used]
    unknown = {answer.stderr for answer in failed if _hccn.failure(answer).kind == "unknown"}
    assert len(failed) > 60
    assert unknown == {
        "Get ipconf failed, because no ip was preset there!\n",
        "Get gateway failed, because no gateway was preset there!\n",
        "Get invalid alarm time!\n",
        "Get invalid enable value!\n",
    }


def test_every_observed_get_is_read(observed):
    queries = {query.args: subset for subset, query in _hccn.QUERIES.items()}
    read: dict[str, int] = {}
    for answer in observed:
        subset = queries.get(answer.argv[3:])
        if subset and answer.rc == 0:
            _hccn.read_reply(subset, answer)
            read[subset] = read.get(subset, 0) + 1
    assert set(read) >= set(_hccn.QUERIES) - {"duplex", "vnic", "process", "fec", "udp", "config_status"}


def test_garbage_names_the_command_and_shows_it():
    with pytest.raises(HccnError, match="hccn_tool -i 0 -ip -g printed something unknown: ipaddr:ADDRESS expected, found: \ufffdELF\ufffd") as error:
        _hccn.read_reply("address", reply(0, "\x7fELF\x01\n"))
    assert error.value.reason == "unparsable"


# ---------------------------------------------------------------------------------------------------------------------
# Any text

PARSERS = sorted({query.parse for query in _hccn.QUERIES.values()} | {_hccn.parse_recovery, _hccn.parse_ping}, key=lambda parse: parse.__name__)
WORDS = st.sampled_from(
    "ipaddr:|netmask:|10.0.0.1|default gateway:|netdetect addr: |tls switch[|0]|mtu:|link status: |UP|optical info:|present| TLV|Ifname:|[devid 0]|"
    "link up count : |"
    "Thu May 99 19:22:43 2025|Thu Foo 29 19:22:43 0000|LINK UP|device 0 PING |recv seq=0,time=|ms|Speed: |Mb/s|:|\n|\t|\r\n|999999999999|\u0661".split("|")
)


@settings(max_examples=200, deadline=None)
@given(text=st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=20).map("".join)), rc=st.sampled_from([0, 1, 2, 4, 11, 13, 234]))
def test_any_text_gives_values_or_hccn_error(text, rc):
    for parse in PARSERS:
        try:
            parse(text)
        except HccnError:
            pass
    for subset in _hccn.QUERIES:
        try:
            values = _hccn.read_reply(subset, reply(rc, text, text))
        except HccnError as error:
            assert str(error)
        else:
            assert tuple(values) == _hccn.QUERIES[subset].fields
            json.dumps(values)


ADDRESSES = st.ip_addresses(v=4).map(str)


@settings(max_examples=100, deadline=None)
@given(address=ADDRESSES, prefix=st.integers(0, 32), gateway=ADDRESSES, mtu=st.integers(68, 9702), word=st.sampled_from(["addr", "address"]))
def test_printed_values_are_read_again(address, prefix, gateway, mtu, word):
    netmask = str(ipaddress.IPv4Network(f"0.0.0.0/{prefix}").netmask)
    assert _hccn.parse_address(f"ipaddr:{address}\nnetmask:{netmask}\n") == {"address": address, "netmask": netmask}
    assert _hccn.parse_gateway(f"default gateway:{gateway}, Iface:eth3\n") == {"gateway": gateway}
    assert _hccn.parse_netdetect(f"netdetect {word}: {gateway}\n") == {"netdetect": None if gateway == "0.0.0.0" else gateway}
    assert _hccn.parse_mtu(f"mtu:{mtu}\n") == {"mtu": mtu}
