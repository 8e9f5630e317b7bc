# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import ipaddress
import os

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn, _hccn_tool
from ansible_collections.npuops.ascend.plugins.modules import hccn_config

OK = (0, "Cmd executed successfully!\n", "")
NO_CONF = (29, "", "The hccn.conf can't access, cmd execute failed! pls check the conf file or cmd run permission.\n")
NOT_PERSISTED = "User configurations cannot be persisted! pls check cmd run permission.\n"
BUSY = (11, "hccn_tool is busy, please try again.\n", "")


class FakeTool:
    """hccn_tool as observed on its real front end, one device layer in memory and hccn.conf in a file."""

    def __init__(self, conf, devices: int = 2) -> None:
        self.conf = conf
        self.devices = {n: {"address": None, "netmask": None, "gateway": None, "netdetect": "0.0.0.0", "tls": 1, "mtu": 1500} for n in range(devices)}
        self.read_only = False
        self.gone: set[int] = set()
        self.certificates = True
        self.deaf: set[str] = set()  # settings that report success and do nothing
        self.busy: dict[str, int] = {}  # sets that are answered with busy so many times
        self.stdin: list[tuple[str, str | None]] = []
        self.killed_at: int | None = None
        self.sets = 0

    def write(self, key: str, value: str) -> None:
        kept = [line for line in self.conf.read_text().splitlines(keepends=True) if not line.startswith(f"{key}=")]
        self.conf.write_text("".join(kept) + f"{key}={value}\n")

    def delete(self, key: str) -> None:
        self.conf.write_text("".join(line for line in self.conf.read_text().splitlines(keepends=True) if f"{key}=" not in line))

    def __call__(self, argv, stdin):
        tool, option, number, command, verb, *words = argv
        assert (tool, option) == ("hccn_tool", "-i")
        device = self.devices.get(int(number))
        if device is None:
            return 4, "", "Get invalid device id.\n"
        if int(number) in self.gone:
            return 4, "", "The device is not exist!\n"
        if verb == "-g":
            return self.get(command, number, device)
        self.sets += 1
        if self.killed_at == self.sets:
            raise KeyboardInterrupt
        self.stdin.append((command, stdin))
        return getattr(self, f"set{command.replace('-', '_')}")(number, device, words, stdin)

    def get(self, command, number, device):
        if command == "-ip":
            if not device["address"]:
                return 13, "", "Get ipconf failed, because no ip was preset there!\n"
            return 0, f"ipaddr:{device['address']}\nnetmask:{device['netmask']}\n", ""
        if command == "-gateway":
            if not device["gateway"]:
                return 2, "", "Get gateway failed, because no gateway was preset there!\n"
            return 0, f"default gateway:{device['gateway']}, Iface:eth{number}\n", ""
        if command == "-netdetect":
            return 0, f"netdetect addr: {device['netdetect']}\n", ""
        if command == "-mtu":
            return 0, f"mtu:{device['mtu']}\n", ""
        assert command == "-tls"
        if not self.certificates:
            return 14, "", "No certificate found, please set certs firstly!\n"
        if not self.read_only and f"\ntls_enable_{number}=" not in f"\n{self.conf.read_text()}":
            self.write(f"tls_enable_{number}", device["tls"])
        return 0, f"dev_id:{number}, tls switch[{device['tls']}](0:disable, 1:enable), tls preconfigured[1](0:non-preset, 1:preset)\n", ""

    def late(self, key, value):
        """The settings that change the device first and note it afterwards."""
        if self.read_only:
            return 4, "", f"Write configurations to config file failed. {NOT_PERSISTED}"
        self.write(key, value)
        return OK

    def set_ip(self, number, device, words, _stdin):
        address, netmask = words[1], words[3]
        if self.read_only:
            return 5, "", "Read file failed, cmd execute failed! pls check cmd run permission.\n"
        if address in [other["address"] for n, other in self.devices.items() if str(n) != number] and "conflict" in self.busy:
            return 7, "", "The ip address configured is conflicted!\n"
        if "-ip" not in self.deaf:
            device.update(address=address, netmask=netmask)
        if device["gateway"] and ipaddress.ip_address(device["gateway"]) not in ipaddress.ip_network(f"{address}/{netmask}", strict=False):
            device["gateway"] = None
            self.delete(f"gateway_{number}")
        self.write(f"address_{number}", address)
        self.write(f"netmask_{number}", netmask)
        return OK

    def set_gateway(self, number, device, words, _stdin):
        gateway = words[1]
        if not device["address"]:
            return 26, "", "Unable to configure gateway, because ip is not configured!\n"
        if ipaddress.ip_address(gateway) not in ipaddress.ip_network(f"{device['address']}/{device['netmask']}", strict=False):
            return 8, "", "The segment of configured gateway doesn't match that of the configured ip adress!\n"
        self.delete(f"gateway_{number}")
        if self.busy.get("-gateway", 0) > 0:
            self.busy["-gateway"] -= 1
            return BUSY
        device["gateway"] = gateway
        self.write(f"gateway_{number}", gateway)
        return OK

    def set_netdetect(self, number, device, words, _stdin):
        device["netdetect"] = words[1]
        return self.late(f"netdetect_{number}", words[1])

    def set_mtu(self, number, device, words, stdin):
        if int(words[1]) < 1280 and stdin != "y":
            return 22, "Are you sure you want to continue?(y/n)\nUser aborts command.\n", ""
        device["mtu"] = int(words[1])
        return self.late(f"mtu_{number}", words[1])

    def set_tls(self, number, device, words, _stdin):
        if words[1] == "1" and not self.certificates:
            return 14, "", "No certificate found, please set certs firstly!\n"
        device["tls"] = int(words[1])
        return self.late(f"tls_enable_{number}", words[1])


@pytest.fixture
def conf(tmp_path, monkeypatch):
    path = tmp_path / "hccn.conf"
    path.write_text("")
    devices = tmp_path / "dev"
    devices.mkdir()
    monkeypatch.setattr(_hccn, "CONF_PATH", str(path))
    monkeypatch.setattr(_hccn_tool, "DEVICE_DIRECTORY", str(devices))
    monkeypatch.setattr(_hccn_tool.time, "sleep", lambda seconds: None)
    for n in (0, 1):
        (devices / f"davinci{n}").touch()
    (devices / "davinci_manager").touch()
    return path


@pytest.fixture
def tool(conf):
    return FakeTool(conf)


def want(device: int, **changes):
    return {
        "device": device,
        "address": f"10.12.165.8{device}",
        "netmask": "255.255.255.0",
        "gateway": "10.12.165.1",
        "netdetect": "10.12.165.1",
        "tls_enabled": False,
        **changes,
    }


BOTH = {"devices": [want(0), want(1)]}


def sets(device: int) -> list[str]:
    return [
        f"hccn_tool -i {device} -ip -s address 10.12.165.8{device} netmask 255.255.255.0",
        f"hccn_tool -i {device} -gateway -s gateway 10.12.165.1",
        f"hccn_tool -i {device} -netdetect -s address 10.12.165.1",
        f"hccn_tool -i {device} -tls -s enable 0",
    ]


def kept(device: int) -> set[str]:
    return {
        f"address_{device}=10.12.165.8{device}",
        f"netmask_{device}=255.255.255.0",
        f"gateway_{device}=10.12.165.1",
        f"netdetect_{device}=10.12.165.1",
        f"tls_enable_{device}=0",
    }


def lines(conf) -> list[str]:
    assert conf.read_text().endswith("\n")
    return conf.read_text().splitlines()


def executed(commands) -> list[str]:
    return [" ".join(command) for command in commands if "-s" in command]


def test_fresh_host(run_module, tool, conf):
    result, commands = run_module(hccn_config, BOTH, tool)
    assert result["changed"] is True
    assert result["commands"] == executed(commands) == sets(0) + sets(1)
    assert sorted(lines(conf)) == sorted(kept(0) | kept(1))
    assert result["devices"][1] == {
        "device": 1,
        "address": "10.12.165.81",
        "netmask": "255.255.255.0",
        "gateway": "10.12.165.1",
        "netdetect": "10.12.165.1",
        "tls_enabled": False,
    }
    # Each device is read once before and once after: address, gateway, netdetect, tls.
    assert len(commands) == 8 + 2 * 2 * 4


def test_second_run_changes_nothing(run_module, tool, conf):
    run_module(hccn_config, BOTH, tool)
    before = conf.read_bytes()
    result, commands = run_module(hccn_config, BOTH, tool)
    assert (result["changed"], result["commands"]) == (False, [])
    assert result["diff"]["before"] == result["diff"]["after"]
    assert "backup_file" not in result
    assert executed(commands) == []
    assert len(commands) == 2 * 4
    assert conf.read_bytes() == before


def test_check_mode_tells_and_leaves(run_module, tool, conf):
    result, commands = run_module(hccn_config, BOTH, tool, check=True)
    assert result["changed"] is True
    assert result["commands"] == sets(0) + sets(1)
    assert executed(commands) == []
    assert result["diff"]["before"]["device 0"]["address"] is None
    assert result["diff"]["after"]["device 0"] == {
        "address": "10.12.165.80",
        "netmask": "255.255.255.0",
        "gateway": "10.12.165.1",
        "netdetect": "10.12.165.1",
        "tls_enabled": False,
        "hccn.conf": {
            "address_0": "10.12.165.80",
            "netmask_0": "255.255.255.0",
            "gateway_0": "10.12.165.1",
            "netdetect_0": "10.12.165.1",
            "tls_enable_0": "0",
        },
    }
    assert result["devices"][0]["gateway"] == "10.12.165.1"
    assert tool.devices[0]["address"] is None
    assert sorted(os.listdir(conf.parent)) == ["dev", "hccn.conf"]


def test_check_mode_and_real_run_agree(run_module, tool):
    predicted, _commands = run_module(hccn_config, BOTH, tool, check=True)
    real, _commands = run_module(hccn_config, BOTH, tool)
    assert predicted["commands"] == real["commands"]
    assert predicted["diff"]["after"] == real["diff"]["after"]
    assert predicted["devices"] == real["devices"]


def test_check_mode_without_the_tool(run_module, conf):
    conf.unlink()
    result, commands = run_module(hccn_config, BOTH, check=True, missing_tools=["hccn_tool"])
    assert result["changed"] is True
    assert result["commands"] == sets(0) + sets(1)
    assert commands == []
    assert "not installed on this host yet" in result["warnings"][0]


def test_real_run_without_the_tool(run_module, conf):
    result, commands = run_module(hccn_config, BOTH, missing_tools=["hccn_tool"])
    assert result["failed"]
    assert "hccn_tool was not found in /usr/local/Ascend/driver/tools" in result["msg"]
    assert "install the driver first" in result["msg"]
    assert commands == []


def test_backup_is_made_once_before_the_first_change(run_module, tool, conf):
    conf.write_text("send_arp_status_0=1\ntls_enable_0=1\ntls_enable_1=1\n")
    result, _commands = run_module(hccn_config, BOTH, tool)
    with open(result["backup_file"]) as stream:
        assert stream.read() == "send_arp_status_0=1\ntls_enable_0=1\ntls_enable_1=1\n"
    assert len([name for name in os.listdir(conf.parent) if name.startswith("hccn.conf")]) == 2
    assert "send_arp_status_0=1" in lines(conf)


def test_no_backup_when_not_wanted(run_module, tool, conf):
    result, _commands = run_module(hccn_config, {**BOTH, "backup": False}, tool)
    assert "backup_file" not in result
    assert sorted(os.listdir(conf.parent)) == ["dev", "hccn.conf"]


def test_only_what_differs_is_set(run_module, tool):
    run_module(hccn_config, BOTH, tool)
    result, _commands = run_module(hccn_config, {"devices": [want(0, netdetect="10.12.165.254"), want(1)]}, tool)
    assert result["commands"] == ["hccn_tool -i 0 -netdetect -s address 10.12.165.254"]


def test_undeclared_settings_stay_and_are_not_read(run_module, tool):
    run_module(hccn_config, BOTH, tool)
    result, commands = run_module(hccn_config, {"devices": [{"device": 0, "mtu": 9000}]}, tool)
    assert result["commands"] == ["hccn_tool -i 0 -mtu -s size 9000"]
    assert tool.devices[0]["gateway"] == "10.12.165.1"
    assert [command[3] for command in commands if "-g" in command] == ["-mtu", "-ip"] * 2


def test_small_mtu_is_confirmed(run_module, tool, conf):
    result, _commands = run_module(hccn_config, {"devices": [{"device": 0, "mtu": 1000}, {"device": 1, "mtu": 1280}]}, tool)
    assert tool.stdin == [("-mtu", "y"), ("-mtu", None)]
    assert [device["mtu"] for device in result["devices"]] == [1000, 1280]
    assert lines(conf) == ["mtu_0=1000", "mtu_1=1280"]


# ---------------------------------------------------------------------------------------------------------------------
# Traps of the tool and of its file


def configured(run_module, tool, conf) -> str:
    run_module(hccn_config, BOTH, tool)
    return conf.read_text()


def test_file_without_final_newline_is_mended_before_the_tool_glues_lines(run_module, tool, conf):
    text = configured(run_module, tool, conf)
    conf.write_text(text + "send_arp_status_1=1")
    changes = {"devices": [want(0, address="10.12.165.90"), want(1)]}
    checked, _commands = run_module(hccn_config, changes, tool, check=True)
    assert not conf.read_text().endswith("\n")
    assert checked["diff"]["before"]["hccn.conf"] == "no newline at its end"
    result, _commands = run_module(hccn_config, changes, tool)
    assert sorted(lines(conf)) == sorted({*kept(0), *kept(1), "send_arp_status_1=1", "address_0=10.12.165.90"} - {"address_0=10.12.165.80"})
    assert checked["commands"] == result["commands"]


def test_missing_final_newline_alone_is_a_change(run_module, tool, conf):
    text = configured(run_module, tool, conf)
    conf.write_text(text.rstrip("\n"))
    result, commands = run_module(hccn_config, BOTH, tool)
    assert (result["changed"], result["commands"], executed(commands)) == (True, [], [])
    assert conf.read_text() == text
    assert result["diff"]["before"]["hccn.conf"] == "no newline at its end"
    assert run_module(hccn_config, BOTH, tool)[0]["changed"] is False


def test_reading_tls_does_not_glue_its_line(run_module, tool, conf):
    """``-tls -g`` writes tls_enable_N when it is missing, so on a file without final newline it must not run."""
    conf.write_text("send_arp_status_0=1")
    result, commands = run_module(hccn_config, BOTH, tool, check=True)
    assert conf.read_text() == "send_arp_status_0=1"
    assert result["commands"] == sets(0) + sets(1)
    assert not [command for command in commands if "-tls" in command]
    run_module(hccn_config, BOTH, tool)
    assert sorted(lines(conf)) == sorted(kept(0) | kept(1) | {"send_arp_status_0=1"})


def test_line_glued_by_an_earlier_accident_is_repaired(run_module, tool, conf):
    text = configured(run_module, tool, conf)
    conf.write_text(text.replace("netmask_0=255.255.255.0\n", "netmask_0=255.255.255.0address_1=10.12.165.81\n").replace("\naddress_1=10.12.165.81", "", 1))
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert result["commands"] == [sets(0)[0], sets(1)[0]]
    assert sorted(lines(conf)) == sorted(kept(0) | kept(1))


@pytest.mark.parametrize(
    "old, new, repaired",
    [
        ("gateway_0=10.12.165.1\n", "gateway_0=10.12.165.9\n", sets(0)[1]),  # edited by hand
        ("gateway_0=10.12.165.1\n", "", sets(0)[1]),  # lost
        ("gateway_0=10.12.165.1\n", "gateway_0=10.12.165.1\ngateway_0=10.12.165.9\n", sets(0)[1]),  # doubled
        ("address_1=10.12.165.81\n", "address_1=10.12.165.81\r\n", sets(1)[0]),  # CRLF
        ("netmask_1=255.255.255.0\n", "netmask_1=255.255.255.0 \n", sets(1)[0]),  # trailing blank
        ("netmask_1=255.255.255.0\n", "netmask_1 = 255.255.255.0\n", sets(1)[0]),  # not seen by the tool
        ("netdetect_0=10.12.165.1\n", "#netdetect_0=10.12.165.1\n", sets(0)[2]),  # commented out
        ("tls_enable_1=0\n", "tls_enable_1=1\n", sets(1)[3]),
    ],
)
def test_file_that_differs_from_the_device_is_repaired_by_setting_again(run_module, tool, conf, old, new, repaired):
    conf.write_text(configured(run_module, tool, conf).replace(old, new))
    checked, _commands = run_module(hccn_config, BOTH, tool, check=True)
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert result["changed"] is True
    assert checked["commands"] == result["commands"] == [repaired]
    assert set(lines(conf)) >= kept(0) | kept(1)
    assert len([line for line in lines(conf) if line.startswith("gateway_0=")]) == 1
    assert result["diff"]["before"] != result["diff"]["after"]
    assert run_module(hccn_config, BOTH, tool)[0]["changed"] is False


def test_device_that_differs_from_the_file_is_set_again(run_module, tool, conf):
    """After a device reset before recovery ran."""
    configured(run_module, tool, conf)
    tool.devices[1].update(address=None, netmask=None, gateway=None, netdetect="0.0.0.0")
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert result["commands"] == sets(1)[:3]


def test_order_of_lines_does_not_matter(run_module, tool, conf):
    text = configured(run_module, tool, conf)
    conf.write_text("# comment\n" + "".join(sorted(text.splitlines(keepends=True), reverse=True)))
    assert run_module(hccn_config, BOTH, tool)[0]["changed"] is False


def test_gateway_dropped_with_the_segment_is_set_again(run_module, tool, conf):
    configured(run_module, tool, conf)
    moved = want(0, address="10.13.0.80", gateway="10.13.0.1", netdetect=None, tls_enabled=None)
    result, _commands = run_module(hccn_config, {"devices": [moved]}, tool)
    assert result["commands"] == ["hccn_tool -i 0 -ip -s address 10.13.0.80 netmask 255.255.255.0", "hccn_tool -i 0 -gateway -s gateway 10.13.0.1"]
    assert "gateway_0=10.13.0.1" in lines(conf)
    assert tool.devices[0]["gateway"] == "10.13.0.1"


def test_gateway_that_will_be_dropped_is_told(run_module, tool, conf):
    configured(run_module, tool, conf)
    moved = want(0, address="10.13.0.80", gateway=None, netdetect=None, tls_enabled=None)
    result, _commands = run_module(hccn_config, {"devices": [moved]}, tool, check=True)
    assert "drops gateway 10.12.165.1" in result["warnings"][0]
    result, _commands = run_module(hccn_config, {"devices": [moved]}, tool)
    assert "removed from" in result["warnings"][1] and "gateway_0=10.12.165.1" in result["warnings"][1]


def test_busy_gateway_that_lost_its_line_is_repeated(run_module, tool, conf):
    configured(run_module, tool, conf)
    tool.busy["-gateway"] = 3
    result, _commands = run_module(hccn_config, {"devices": [want(0, gateway="10.12.165.2"), want(1)]}, tool)
    assert result["commands"] == ["hccn_tool -i 0 -gateway -s gateway 10.12.165.2"]
    assert tool.sets == 8 + 4
    assert "gateway_0=10.12.165.2" in lines(conf)


def test_gateway_busy_for_too_long_is_reported_and_repaired_by_the_next_run(run_module, tool, conf):
    configured(run_module, tool, conf)
    tool.busy["-gateway"] = 100
    changes = {"devices": [want(0, gateway="10.12.165.2"), want(1, netdetect="10.12.165.2")]}
    result, _commands = run_module(hccn_config, changes, tool)
    assert result["failed"]
    assert "1 of 2 device(s) could not be configured. Device 0: hccn_tool -i 0 -gateway -s gateway 10.12.165.2: hccn_tool is busy" in result["msg"]
    assert result["failures"][0]["not_applied"] == ["hccn_tool -i 0 -gateway -s gateway 10.12.165.2"]
    assert tool.devices[1]["netdetect"] == "10.12.165.2"
    tool.busy.clear()
    assert run_module(hccn_config, changes, tool)[0]["commands"] == ["hccn_tool -i 0 -gateway -s gateway 10.12.165.2"]
    assert "gateway_0=10.12.165.2" in lines(conf)


def test_ipv6_gateway_removed_by_mistake_comes_back(run_module, tool, conf):
    conf.write_text("IPv6gateway_0=fd00::1\nIPv6gateway_1=fd00::1\n")
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert set(lines(conf)) == kept(0) | kept(1) | {"IPv6gateway_0=fd00::1", "IPv6gateway_1=fd00::1"}
    assert "warnings" not in result


def test_swapped_chain_of_addresses_never_meets_itself(run_module, tool, conf):
    configured(run_module, tool, conf)
    tool.busy["conflict"] = 1
    shifted = {"devices": [want(0, address="10.12.165.81"), want(1, address="10.12.165.82")]}
    result, _commands = run_module(hccn_config, shifted, tool)
    assert [command.split()[2] for command in result["commands"]] == ["1", "1", "0", "0"]
    assert (tool.devices[0]["address"], tool.devices[1]["address"]) == ("10.12.165.81", "10.12.165.82")


def test_device_without_certificates_counts_as_tls_off(run_module, tool, conf):
    tool.certificates = False
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert sets(0)[3] in result["commands"]
    assert "tls_enable_0=0" in lines(conf)
    assert run_module(hccn_config, BOTH, tool)[0]["changed"] is False
    result, _commands = run_module(hccn_config, {"devices": [{"device": 0, "tls_enabled": True}]}, tool)
    assert "No certificate found" in result["msg"]


# ---------------------------------------------------------------------------------------------------------------------
# Refused before anything is touched


def refused(run_module, tool, devices, **options) -> str:
    result, commands = run_module(hccn_config, {"devices": devices, **options}, tool)
    assert result["failed"] is True
    assert executed(commands) == []
    assert result["msg"].startswith("Nothing was changed. ")
    return result["msg"]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"address": "10.12.165.0"}, "address 10.12.165.0 is the network or broadcast address of 10.12.165.0/24"),
        ({"address": "10.12.165.255"}, "address 10.12.165.255 is the network or broadcast address"),
        ({"address": "127.0.0.1", "gateway": None}, "address 127.0.0.1 is not the address of a host"),
        ({"address": "224.0.0.1", "gateway": None}, "address 224.0.0.1 is not the address of a host"),
        ({"address": "0.0.0.0"}, "address 0.0.0.0 is not the address of a host"),
        ({"address": "192.168.1.10", "gateway": None}, "address 192.168.1.10 lies in 192.168.1.0/24"),
        ({"address": "192.168.2.10", "gateway": None}, "address 192.168.2.10 lies in 192.168.2.0/24"),
        ({"address": "10.12.165.300"}, "address '10.12.165.300' is not a dotted IPv4 address"),
        ({"address": "10.12.165.80/24"}, "address '10.12.165.80/24' is not a dotted IPv4 address"),
        ({"address": "10.12.165.80\n"}, r"address '10.12.165.80\n' is not a dotted IPv4 address"),
        ({"address": "$(id) '"}, "is not a dotted IPv4 address"),
        ({"address": "fd00::1"}, "address 'fd00::1' is not a dotted IPv4 address"),
        ({"netmask": "24"}, "netmask '24' is not a dotted IPv4 address such as 255.255.255.0"),
        ({"netmask": "255.255.0.255"}, "netmask 255.255.0.255 is not contiguous"),
        ({"netmask": "0.0.0.255"}, "netmask 0.0.0.255 is not contiguous"),
        ({"netmask": "255.255.255.255"}, "netmask 255.255.255.255 is not contiguous or leaves no room for hosts"),
        ({"netmask": "0.0.0.0"}, "netmask 0.0.0.0 is not contiguous or leaves no room for hosts"),
        ({"netmask": None}, "address and netmask belong together"),
        ({"address": None}, "address and netmask belong together"),
        ({"gateway": "10.99.0.1"}, "gateway 10.99.0.1 is outside 10.12.165.0/24, the segment of the device address 10.12.165.80"),
        ({"gateway": "10.12.165.80"}, "gateway 10.12.165.80 is the device address itself"),
        ({"gateway": "10.12.165.255"}, "gateway 10.12.165.255 is the network or broadcast address"),
        ({"netdetect": "0.0.0.0"}, "netdetect 0.0.0.0 is not the address of a host"),
        ({"netdetect": "255.255.255.255"}, "netdetect 255.255.255.255 is not the address of a host"),
        ({"mtu": 67}, "mtu 67 is outside 68 to 9702"),
        ({"mtu": 9703}, "mtu 9703 is outside 68 to 9702"),
        ({"device": 2}, "This host has no device 2: "),
        ({"device": 100}, "device is a physical id, 0 to 99"),
    ],
)
def test_bad_input(run_module, tool, changes, message):
    told = refused(run_module, tool, [{**want(0), **changes}])
    assert message in told
    assert message.startswith("This host") or f"devices[0] (device {changes.get('device', 0)}): " in told


def test_all_problems_are_told_at_once(run_module, tool):
    told = refused(run_module, tool, [want(0, mtu=1), want(1, gateway="10.1.1.1")])
    assert "devices[0] (device 0): mtu 1" in told
    assert "devices[1] (device 1): gateway 10.1.1.1" in told


def test_duplicate_address_which_the_tool_would_take(run_module, tool):
    told = refused(run_module, tool, [want(0), want(1, address="10.12.165.80")])
    assert "devices[1] (device 1): address 10.12.165.80 is also given to device 0" in told


def test_device_given_twice(run_module, tool):
    assert "devices[0] already describes this device" in refused(run_module, tool, [want(0), want(0, mtu=9000)])


def test_address_of_a_device_that_is_not_declared(run_module, tool):
    tool.devices[1].update(address="10.12.165.80", netmask="255.255.255.0")
    assert "device 0: address 10.12.165.80 is already on device 1" in refused(run_module, tool, [want(0)])


def test_address_of_a_device_that_keeps_it(run_module, tool):
    tool.devices[1].update(address="10.12.165.80", netmask="255.255.255.0")
    assert "already on device 1" in refused(run_module, tool, [want(0), {"device": 1, "mtu": 9000}])


def test_gateway_needs_an_address(run_module, tool):
    assert "device 0: gateway 10.12.165.1 needs an address" in refused(run_module, tool, [{"device": 0, "gateway": "10.12.165.1"}])


def test_gateway_is_checked_against_the_address_on_the_device(run_module, tool):
    tool.devices[0].update(address="10.12.165.80", netmask="255.255.255.0")
    assert "device 0: gateway 10.13.0.1 is outside 10.12.165.0/24" in refused(run_module, tool, [{"device": 0, "gateway": "10.13.0.1"}])


def test_missing_file(run_module, tool, conf):
    conf.unlink()
    tool.read_only = True
    for check in (False, True):
        result, commands = run_module(hccn_config, BOTH, tool, check=check)
        assert executed(commands) == []
        assert f"Nothing was changed. {conf} does not exist and hccn_tool never creates it" in result["msg"]


def test_read_only_file(run_module, tool, conf, monkeypatch):
    configured(run_module, tool, conf)
    real = os.open

    def read_only(path, flags, *args, **kwargs):
        if str(path) == str(conf) and flags & (os.O_RDWR | os.O_WRONLY):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(_hccn_tool.os, "open", read_only)
    result, _commands = run_module(hccn_config, BOTH, tool)
    assert (result["changed"], result.get("failed")) == (False, None), "nothing to write, nothing to refuse"
    result, commands = run_module(hccn_config, {"devices": [want(0, mtu=9000)]}, tool)
    assert executed(commands) == []
    assert f"{conf} cannot be written: Read-only file system" in result["msg"]


def test_lost_device(run_module, tool):
    tool.gone = {1}
    told = refused(run_module, tool, [want(0), want(1)])
    assert "device 1: hccn_tool -i 1 -ip -g: The device is not exist! (exit code 4)" in told
    assert told.count("The device is not exist!") == 1


def test_garbage(run_module, conf):
    result, _commands = run_module(hccn_config, BOTH, lambda argv, stdin: (0, "\x1b[31mSegmentation", ""))
    assert "Nothing was changed. device 0: hccn_tool -i 0 -ip -g printed something unknown" in result["msg"]


def test_hanging_tool_names_the_limit(run_module, conf):
    result, commands = run_module(hccn_config, {**BOTH, "timeout": 7}, lambda argv, stdin: (124, "", ""))
    assert "gave no result within 7 s" in result["msg"]
    assert len(commands) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Failures on the way


def test_file_that_became_read_only_stops_all_and_tells_what_is_half_done(run_module, tool, conf):
    configured(run_module, tool, conf)
    tool.read_only = True
    changes = {"devices": [want(0, netdetect="10.12.165.2"), want(1, netdetect="10.12.165.2")]}
    result, commands = run_module(hccn_config, changes, tool)
    assert result["failed"]
    assert executed(commands) == ["hccn_tool -i 0 -netdetect -s address 10.12.165.2"]
    assert "Write configurations to config file failed" in result["failures"][0]["error"]
    assert "the device itself may already have it" in result["failures"][0]["error"]
    assert result["failures"][1]["error"].startswith("not tried, as device 0 met what the others will meet too")
    assert [device["netdetect"] for device in result["devices"]] == ["10.12.165.2", "10.12.165.1"]
    tool.read_only = False
    result, _commands = run_module(hccn_config, changes, tool)
    assert len(result["commands"]) == 2
    assert {"netdetect_0=10.12.165.2", "netdetect_1=10.12.165.2"} <= set(lines(conf))


def test_one_device_fails_the_others_are_done(run_module, tool, conf):
    def lose_device_0(argv, stdin):
        if argv[2] == "0" and "-s" in argv:
            return 1, "", "Command execute failed!\n"
        return tool(argv, stdin)

    result, _commands = run_module(hccn_config, BOTH, lose_device_0)
    assert result["failed"] and result["changed"]
    assert result["failures"] == [{"device": 0, "error": result["failures"][0]["error"], "applied": [], "not_applied": sets(0)}]
    assert "Command execute failed! (exit code 1)" in result["failures"][0]["error"]
    assert set(lines(conf)) >= kept(1)
    assert result["devices"][1]["address"] == "10.12.165.81"
    assert result["backup_file"]


def test_success_that_reads_back_differently_is_a_failure(run_module, tool):
    tool.deaf = {"-ip"}
    tool.devices[0].update(address="10.12.165.70", netmask="255.255.255.0")
    result, _commands = run_module(hccn_config, {"devices": [{"device": 0, "address": "10.12.165.80", "netmask": "255.255.255.0"}]}, tool)
    assert result["failed"]
    assert "Device 0: hccn_tool reported success, yet address of the device is 10.12.165.70, not 10.12.165.80." in result["msg"]
    # Tried twice: the first time something else might have taken it away again.
    assert len(result["commands"]) == 2


def test_success_that_is_not_kept_in_the_file_is_a_failure(run_module, tool, conf, monkeypatch):
    monkeypatch.setattr(FakeTool, "write", lambda self, key, value: None)
    result, _commands = run_module(hccn_config, {"devices": [{"device": 0, "mtu": 9000}]}, tool)
    assert f"hccn_tool reported success, yet {conf} has mtu_0=None, not 9000" in result["msg"]


def test_interrupted_anywhere_the_next_run_completes(run_module, tool, conf):
    for step in range(1, 9):
        conf.write_text("")
        tool.__init__(conf)
        tool.killed_at = step
        with pytest.raises(KeyboardInterrupt):
            run_module(hccn_config, BOTH, tool)
        tool.killed_at = None
        result, _commands = run_module(hccn_config, BOTH, tool)
        assert len(result["commands"]) == 9 - step
        assert sorted(lines(conf)) == sorted(kept(0) | kept(1))
        assert run_module(hccn_config, BOTH, tool)[0]["changed"] is False


def test_busy_reads_are_repeated_one_at_a_time(run_module, tool):
    answers = {"busy": 3}

    def busy(argv, stdin):
        if "-g" in argv and answers["busy"]:
            answers["busy"] -= 1
            return BUSY
        return tool(argv, stdin)

    assert run_module(hccn_config, BOTH, busy)[0]["commands"] == sets(0) + sets(1)


def test_nothing_declared(run_module, tool):
    result, commands = run_module(hccn_config, {"devices": []}, tool)
    assert (result["changed"], commands) == (False, [])
