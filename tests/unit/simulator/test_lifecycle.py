# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The controller's side of the simulated hosts, without containers."""

from __future__ import annotations

import dataclasses
import importlib.util
import ipaddress
import json
import pathlib
import stat
import struct
import subprocess
import sys
import types
import typing

import pytest
from lifecycle import cli, engine, hosts, images, settings

HOST_FILES = pathlib.Path(settings.SIMULATOR, "host")


def load(path: pathlib.Path) -> types.ModuleType:
    """A script of the host image as a module."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look their module up by name while it is loaded
    spec.loader.exec_module(module)
    return module


make_weights = load(HOST_FILES / "rootfs/usr/local/lib/npusim/make_weights.py")
make_packages = load(HOST_FILES / "make_packages.py")


# Settings

def test_a_host_is_named_and_addressed_by_its_number():
    host = settings.Settings().host(2)
    assert (host.name, host.container, host.docker_volume) == ("npu02", "npuops-npu02", "npuops-npu02-docker")
    assert (host.address, host.plane_address) == ("10.89.7.12", "10.89.16.12")


@pytest.mark.parametrize("values, text", [
    ({"hosts": 0}, "--hosts 0: give a number from 1 to 64"),
    ({"hosts": 65}, "--hosts 65"),
    ({"plane": ipaddress.IPv4Network("10.89.16.0/28")}, "--plane 10.89.16.0/28: give a network of at least 256 addresses"),
    ({"management": ipaddress.IPv4Network("10.89.0.0/16")}, "overlap"),
])
def test_settings_that_cannot_work_are_refused(values, text):
    with pytest.raises(settings.SimulatorError, match=text):
        settings.Settings(**values)


def test_hosts_are_picked_by_name():
    wanted = settings.Settings(hosts=3)
    assert [host.number for host in wanted.named(["npu03", "npu01"])] == [3, 1]
    assert [host.name for host in wanted.named([])] == ["npu01", "npu02", "npu03"]
    with pytest.raises(settings.SimulatorError, match="No such host: web1"):
        wanted.named(["npu01", "web1"])


# What the machine needs

ORDINARY = engine.Machine(
    podman_version=(5, 4), runtime="crun", runc=False, hybrid_cgroups=False, may_raise_limits=True, limits={"nofile": 524288, "nproc": 95000}
)


def test_an_ordinary_laptop_needs_no_options():
    assert ORDINARY.global_options() == []
    assert ORDINARY.run_options() == []


def test_hybrid_cgroups_need_runc():
    hybrid = dataclasses.replace(ORDINARY, hybrid_cgroups=True)
    assert dataclasses.replace(hybrid, runc=True).global_options() == ["--runtime", "runc"]
    assert dataclasses.replace(hybrid, runtime="runc").global_options() == []
    with pytest.raises(settings.SimulatorError, match="runc is not installed. Run: simulator.py deps"):
        hybrid.global_options()


def test_limits_are_named_where_they_cannot_be_raised():
    tied = dataclasses.replace(ORDINARY, may_raise_limits=False, limits={"nofile": 20000, "nproc": engine.PODMAN_LIMIT})
    assert tied.run_options() == ["--ulimit", "nofile=20000:20000"]


def test_an_old_podman_is_refused_by_name():
    with pytest.raises(settings.SimulatorError, match=r"podman 3\.4 is too old"):
        dataclasses.replace(ORDINARY, podman_version=(3, 4)).global_options()


def test_this_machine_can_be_looked_at():
    machine = engine.Machine.look({"version": {"Version": "4.3.1+ds1"}, "host": {"ociRuntime": {"name": "crun"}}})
    assert machine.podman_version == (4, 3)
    assert machine.runtime == "crun"
    assert all(0 < limit for limit in machine.limits.values())


# What is made once

def test_the_digest_follows_names_contents_and_modes_but_no_caches(tmp_path):
    (tmp_path / "a").write_text("one")
    first = images.digest([tmp_path])
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/a.pyc").write_text("cache")
    assert images.digest([tmp_path]) == first
    assert images.digest([tmp_path], "kernel 6.1") != first
    (tmp_path / "a").chmod(0o755)
    executable = images.digest([tmp_path])
    assert executable != first
    (tmp_path / "a").rename(tmp_path / "b")
    assert images.digest([tmp_path]) not in (first, executable)


def test_the_machines_own_mirrors_serve_the_base_image():
    found = "http://mirror.example/debian/|Debian\nhttp://mirror.example/debian/|Debian\nhttp://sec.example/|Debian-Security\nhttp://x.example/|Other\n"
    assert images.apt_sources(found) == (
        "deb http://mirror.example/debian/ trixie main\n"
        "deb http://mirror.example/debian/ trixie-updates main\n"
        "deb http://sec.example/ trixie-security main\n"
    )
    assert images.apt_sources("http://archive.example/ubuntu/|Ubuntu\n") == ""


def test_proxies_of_apt_are_kept():
    config = 'APT "";\nAcquire::http "";\nAcquire::http::Proxy "http://proxy.example:3128";\nAcquire::Check-Date "false";\nDPkg::Pre-Invoke "";\n'
    assert images.apt_options(config) == ['--aptopt=Acquire::http::Proxy "http://proxy.example:3128";', '--aptopt=Acquire::Check-Date "false";']


def test_something_made_is_made_again_only_when_inputs_change_or_results_are_gone(tmp_path):
    builder = images.Builder(FakeEngine(), settings.Settings(state_dir=tmp_path))
    (tmp_path / "stamps").mkdir()
    result = tmp_path / "result"

    def stale(inputs: str, *, fails: bool = False) -> bool:
        with builder._made("thing", inputs, result) as answer:
            if fails:
                raise settings.SimulatorError("no")
            result.write_text("made")
        return answer

    with pytest.raises(settings.SimulatorError):
        stale("a", fails=True)
    assert stale("a")
    assert not stale("a")
    assert stale("b")
    result.unlink()
    assert stale("b")


# Hosts

class FakeEngine:
    """Answers as podman would; keeps what it was asked."""

    def __init__(self, replies: dict[tuple[str, ...], str] | None = None) -> None:
        self.replies = replies or {}
        self.calls: list[tuple[str, ...]] = []

    def try_run(self, *arguments: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        self.calls.append(arguments)
        for start, reply in self.replies.items():
            if arguments[:len(start)] == start:
                return subprocess.CompletedProcess(arguments, 0, reply, "")
        return subprocess.CompletedProcess(arguments, 1, "", "no such object")

    def output(self, *arguments: str) -> str:
        return self.try_run(*arguments).stdout

    def run_options(self) -> list[str]:
        return ["--ulimit", "nofile=20000:20000"]

    label = engine.Engine.label
    remove_if_present = engine.Engine.remove_if_present


DEFAULTS = {
    ("network", "inspect", "npuops-mgmt"): json.dumps([{"subnets": [{"subnet": "10.89.7.0/24"}]}]),
    ("network", "inspect", "npuops-plane"): json.dumps([{"subnets": [{"subnet": "10.89.16.0/20"}]}]),
    ("exec",): "running\n",
}


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A set of hosts on a fake engine; its hosts answer ssh at once."""
    def with_replies(replies: dict[tuple[str, ...], str], **wanted: typing.Any) -> tuple[hosts.Hosts, FakeEngine]:
        fake = FakeEngine({**replies, **{key: reply for key, reply in DEFAULTS.items() if key not in replies}})  # the first that fits answers
        made = hosts.Hosts(fake, settings.Settings(state_dir=tmp_path, **wanted))
        monkeypatch.setattr(made, "_ssh_refusal", lambda host: "")
        monkeypatch.setattr(hosts.Keys, "_generate", staticmethod(fake_key))
        return made, fake

    return with_replies


def fake_key(path: pathlib.Path, comment: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("private")
    path.with_name(path.name + ".pub").write_text(f"ssh-ed25519 KEY-{comment.replace(' ', '-')} {comment}\n")


def test_a_new_host_is_a_machine_of_its_own_on_two_networks(make, capsys):
    made, fake = make({})
    made.up([made.settings.host(1)])
    (run,) = [call for call in fake.calls if call[0] == "run"]
    assert {"--systemd=always", "--privileged", "--cgroupns=private", "--restart=always", "nofile=20000:20000"} <= set(run)
    assert "npuops-mgmt:ip=10.89.7.11,mac=02:00:0a:59:07:0b,interface_name=eth0" in run
    assert "npuops-plane:ip=10.89.16.11,mac=02:00:0a:59:10:0b,interface_name=eth1" in run
    assert "npuops-npu01-docker:/var/lib/docker" in run
    assert f"{made.settings.packages}:/opt/packages:ro" in run
    (pages,) = [word.split(":")[0] for word in run if ":/sys/kernel/mm/transparent_hugepage/enabled:ro" in word]
    assert pathlib.Path(pages).read_text() == "[always] madvise never\n"
    assert run[-1] == "localhost/npuops-host:openeuler"
    assert "npu01 10.89.7.11 openeuler: new" in capsys.readouterr().out


def test_a_host_that_is_there_is_kept(make, capsys):
    made, fake = make({("container", "inspect"): "openeuler\n", ("image", "inspect"): "openeuler\n", ("exec",): "degraded\n"})
    made.up([made.settings.host(1)])
    assert ("start", "npuops-npu01") in fake.calls
    assert not [call for call in fake.calls if call[0] == "run"]
    assert capsys.readouterr().out.endswith("npu01 10.89.7.11 openeuler: was there, kept\n")


def test_a_host_of_another_shape_is_not_replaced_silently(make):
    made, fake = make({("container", "inspect"): "openeuler\n"}, shape="ubuntu")
    with pytest.raises(settings.SimulatorError, match=r"npu01 is there in the shape of openeuler, wanted ubuntu.*reset --os ubuntu npu01"):
        made.up([made.settings.host(1)])
    assert not [call for call in fake.calls if call[0] in ("run", "start", "rm")]


def test_a_fresh_host_loses_its_container_and_its_docker_data(make):
    made, fake = make({("container", "rm"): "", ("volume", "rm"): ""})
    made.up([made.settings.host(1)], fresh=True)
    order = [call[:2] for call in fake.calls if call[0] in ("volume", "run") or call[:2] == ("container", "rm")]
    assert order == [("container", "rm"), ("volume", "rm"), ("run", "--detach")]


def test_a_host_without_power_is_killed_not_stopped(make):
    made, fake = make({})
    made.off(made.settings.named(["npu02"]))
    assert fake.calls == [("kill", "--signal", "KILL", "npuops-npu02"), ("wait", "npuops-npu02")]


def test_a_network_with_other_addresses_is_refused(make):
    made, _fake = make({("network", "inspect", "npuops-mgmt"): '[{"subnets": [{"subnet": "10.99.0.0/24"}]}]'})
    with pytest.raises(settings.SimulatorError, match=r"Network npuops-mgmt has 10\.99\.0\.0/24, wanted 10\.89\.7\.0/24"):
        made.up([made.settings.host(1)])


def test_a_subnet_in_use_is_refused_with_the_option_that_changes_it(make, monkeypatch):
    made, fake = make({})
    monkeypatch.delitem(fake.replies, ("network", "inspect", "npuops-plane"))
    with pytest.raises(settings.SimulatorError, match=r"Network npuops-plane could not be made: .*--plane gives it another subnet than 10\.89\.16\.0/20"):
        made.up([made.settings.host(1)])


def test_a_failed_boot_names_the_units(make):
    made, _fake = make({
        ("exec", "npuops-npu01", "systemctl", "is-system-running"): "degraded\n",
        ("exec", "npuops-npu01", "systemctl", "--failed"): "ssh.service loaded failed failed OpenBSD Secure Shell server\n",
    })
    with pytest.raises(settings.SimulatorError, match=r"npu01 is degraded, expected running\.\nFailed units:\nssh\.service"):
        made.up([made.settings.host(1)])


def test_known_hosts_keeps_other_sets_of_hosts(make):
    made, _fake = make({})
    made.settings.ssh.mkdir()
    made.keys.known_hosts.write_text("10.89.8.11 ssh-ed25519 OTHER\n10.89.7.11 ssh-ed25519 OLD\n")
    made.keys.make([made.settings.host(1), made.settings.host(2)])
    assert made.keys.known_hosts.read_text().splitlines() == [
        "10.89.8.11 ssh-ed25519 OTHER",
        "10.89.7.11 ssh-ed25519 KEY-npuops-npu01",
        "10.89.7.12 ssh-ed25519 KEY-npuops-npu02",
    ]
    assert (made.keys.of(made.settings.host(1)) / "authorized_keys").read_text() == "ssh-ed25519 KEY-npuops-simulator npuops simulator\n"
    assert "StrictHostKeyChecking=yes" in made.keys.options()


@pytest.mark.parametrize("folder, shared", [("/srv/clone/.build", True), ("/home" + "/deep-down" * 6, False)])
def test_commands_share_a_connection_where_the_path_of_its_socket_is_short_enough(folder, shared):
    keys = hosts.Keys(settings.Settings(state_dir=pathlib.Path(folder)))
    assert (f"ControlPath {folder}/ssh/%C" in keys.connection_sharing()) is shared


def test_down_removes_what_is_left_of_a_set_and_nothing_else(make):
    gone = {("ps",): "", ("volume", "ls"): "npuops-npu02-docker\nother-npu01-docker\n", ("container", "rm"): "", ("volume", "rm"): "", ("network", "rm"): ""}
    made, fake = make(gone)
    made.down()
    assert [call[-1] for call in fake.calls if call[:2] == ("volume", "rm")] == ["npuops-npu02-docker"]
    assert [call[-1] for call in fake.calls if call[:2] == ("network", "rm")] == ["npuops-mgmt", "npuops-plane"]


# The command line

def test_options_become_settings():
    arguments = cli.parser().parse_args(["up", "--hosts", "4", "--os", "ubuntu", "--prefix", "lab", "--management", "10.1.0.0/24"])
    wanted = cli.settings_of(arguments)
    assert (wanted.hosts, wanted.shape, wanted.prefix, str(wanted.management)) == (4, "ubuntu", "lab", "10.1.0.0/24")
    assert wanted.plane_network == "lab-plane"
    assert wanted.state_dir == settings.REPOSITORY / ".build"


def test_an_error_is_one_message_and_exit_status_1(capsys):
    assert cli.main(["up", "--hosts", "0"]) == 1
    assert capsys.readouterr().err == "simulator.py up: --hosts 0: give a number from 1 to 64.\n"


def test_the_table_is_aligned():
    assert cli.table([{"host": "npu01", "state": "running"}, {"host": "npu2", "state": "stopped"}]) == "host   state\nnpu01  running\nnpu2   stopped"


# What is in the image

def test_the_weights_are_complete_and_readable(tmp_path):
    folder = tmp_path / "DeepSeek-V3-w8a8"
    make_weights.write(folder)
    index = json.loads((folder / "model.safetensors.index.json").read_text())
    shards = sorted(folder.glob("*.safetensors"))
    assert [path.name for path in shards] == [f"model-{number:05d}-of-00004.safetensors" for number in (1, 2, 3, 4)]
    total = 0
    for path in shards:
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        header = {name: value for name, value in json.loads(data[8:8 + length]).items() if name != "__metadata__"}
        assert max(value["data_offsets"][1] for value in header.values()) + 8 + length == len(data)
        assert {name for name, shard in index["weight_map"].items() if shard == path.name} == set(header)
        total += len(data) - 8 - length
    assert index["metadata"]["total_size"] == total
    config = json.loads((folder / "config.json").read_text())
    assert (config["model_type"], config["torch_dtype"], config["quantize"]) == ("deepseekv2", "bfloat16", "w8a8_dynamic")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o640}


@pytest.mark.parametrize("version, expected", [
    ("4.4.1-2", ("4.4.1", "2")),
    ("1:3.13.0-2", ("3.13.0", "2")),
    ("6.18.44-fc-v595", ("6.18.44_fc", "v595")),
    ("5.10.0", ("5.10.0", "1")),
])
def test_versions_are_split_as_rpm_wants_them(version, expected):
    assert make_packages.Package(pathlib.Path("/"), version, "").version_and_release() == expected


@pytest.mark.parametrize("script", sorted(path.relative_to(HOST_FILES) for path in [*HOST_FILES.rglob("*.sh"), HOST_FILES / "rootfs/usr/local/sbin/npusim"]))
def test_the_images_scripts_parse(script):
    assert subprocess.run(["bash", "-n", str(HOST_FILES / script)], check=False).returncode == 0
