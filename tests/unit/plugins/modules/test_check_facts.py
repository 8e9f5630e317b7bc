# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import typing as t

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _ascend_package, _hccn, _hccn_tool, _npu_info
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCliError
from ansible_collections.npuops.ascend.plugins.modules import check_facts

TIMED_OUT = (124, "", "")
GARBAGE = "\ufffd\ufffd\x07\x1b[2J#@!~ 0xDEADBEEF | | %s%n\n"


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host with four devices whose files lie in the directory of the test."""
    (tmp_path / "dev").mkdir()
    for number in range(4):
        (tmp_path / "dev" / f"davinci{number}").touch()
    (tmp_path / "hccn.conf").write_text("".join(f"address_{number}=10.20.1.{number}\ntls_enable_{number}=0\n" for number in range(3)), encoding="ascii")
    for module in (_hccn_tool, _npu_info):
        monkeypatch.setattr(module, "DEVICE_DIRECTORY", str(tmp_path / "dev"))
    monkeypatch.setattr(_hccn, "CONF_PATH", str(tmp_path / "hccn.conf"))
    monkeypatch.setattr(_ascend_package, "INSTALL_INFO", str(tmp_path / "ascend_install.info"))
    monkeypatch.setattr(_ascend_package, "DEFAULT_PATH", str(tmp_path / "Ascend"))
    for module in (check_facts, _npu_info):
        monkeypatch.setattr(module, "read_npus", list)
    return tmp_path


def by_tool(**answers: t.Any) -> t.Callable[..., tuple]:
    """Every call of a tool gets the one answer, whatever it is asked."""

    def answer(argv, _stdin):
        found = answers[os.path.basename(argv[0]).replace("-", "_")]
        found = found(argv) if callable(found) else found
        return found if isinstance(found, tuple) else (0, found, "")

    return answer


# ---- npu


def test_without_npu_smi_the_topology_is_missing(host, run_module):
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, {}, missing_tools=["npu-smi"])
    facts = result["facts"]
    assert facts["npu"]["driver_loaded"] is False
    assert facts["topology"] == {"error": "npu-smi is not installed", "kind": "missing"}
    assert facts["superpod"] == {"devices": []}
    assert facts["cann"] == {"toolkit": None, "kernels": None, "nnal": None}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(TIMED_OUT, "timeout"), (GARBAGE, "unparsable"), ("", "unparsable")],
    ids=["hanging", "garbage", "silent"],
)
def test_a_broken_npu_smi_is_a_fact(host, run_module, answer, kind):
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, by_tool(npu_smi=answer))
    assert not result.get("failed")
    assert result["facts"]["npu"]["kind"] == kind
    assert result["facts"]["topology"]["kind"] == kind
    assert "npu-smi info" in result["facts"]["npu"]["error"]


def test_a_truncated_topology_is_not_taken_for_whole(host, run_module, fixture_text):
    text = fixture_text("cli/npu-smi/topo--8x910B3-24.1.rc1.b030.txt")
    half = text[: text.index("NPU4       HCCS")]
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, by_tool(npu_smi=half))
    assert result["facts"]["topology"]["kind"] == "unparsable"
    assert "8 columns and 4 rows" in result["facts"]["topology"]["error"]


def test_what_npu_smi_says_on_standard_error(host, run_module):
    answer = (127, "", "npu-smi: error while loading shared libraries: libc_sec.so: cannot open shared object file\n")
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, by_tool(npu_smi=answer))
    for section in ("npu", "topology"):
        assert "libc_sec.so" in result["facts"][section]["error"] and "LD_LIBRARY_PATH" in result["facts"][section]["error"]
    unsupported = by_tool(npu_smi=(0, "", "This device does not support querying topo.\n"))
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, unsupported)
    assert result["facts"]["topology"] == {"unsupported": True, "links": {}}


def test_the_topology(host, run_module, fixture_text):
    replies = by_tool(npu_smi=fixture_text("cli/npu-smi/topo--8x910B3-24.1.rc1.b030.txt"))
    result, _commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, replies)
    links = result["facts"]["topology"]["links"]
    assert links["NPU3"] == {f"NPU{number}": "X" if number == 3 else "HCCS" for number in range(8)}


def test_super_pod_ids_of_a3(host, run_module, fixture_text, monkeypatch):
    monkeypatch.setattr(check_facts, "read_npus", lambda: [type("Npu", (), {"chip": "A3"})()])
    mapping, pod = fixture_text("cli/npu-smi/info-m--16die-A3.txt"), fixture_text("cli/npu-smi/spod-info-ic--A3.txt")
    replies = by_tool(npu_smi=lambda argv: mapping if "-m" in argv else pod)
    result, commands = run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, replies)
    devices = result["facts"]["superpod"]["devices"]
    assert [device["device"] for device in devices] == list(range(16))
    assert devices[0] == {"device": 0, "sdid": 17, "size": 32, "pod": 7, "server_index": 0}
    assert ("npu-smi", "info", "-t", "spod-info", "-i", "7", "-c", "1") in commands


FAILED = 'Failed to query "spod-info" info.\n'
UNSUPPORTED = "This device does not support querying spod-info.\n"


@pytest.fixture
def super_pod(host, run_module, fixture_text, monkeypatch):
    """The section of a host whose dies, as (NPU, chip), give these answers; the others are in the super pod."""
    monkeypatch.setattr(check_facts, "read_npus", lambda: [type("Npu", (), {"chip": "A3"})()])
    mapping, pod = fixture_text("cli/npu-smi/info-m--16die-A3.txt"), fixture_text("cli/npu-smi/spod-info-ic--A3.txt")

    def read(answers, added=""):
        def answer(argv):
            return mapping + added if "-m" in argv else answers.get(argv[5:8:2], answers.get("others", pod))

        return run_module(check_facts, {"stages": ["npu"], "cann_path": str(host)}, by_tool(npu_smi=answer))[0]["facts"]["superpod"]

    return read


@pytest.mark.parametrize("answer", [FAILED, UNSUPPORTED, (0, "", FAILED), GARBAGE])
def test_a_die_without_super_pod_ids_leaves_the_others_alone(super_pod, answer):
    bad, *others = sorted(super_pod({("0", "1"): answer})["devices"], key=lambda device: device["device"] != 1)
    assert [device["sdid"] for device in others] == [17] * 15
    assert {**bad, "error": ""} == {"device": 1, "sdid": None, "size": None, "pod": None, "server_index": None, "error": ""}
    assert "npu-smi info -t spod-info -i 0 -c 1" in bad["error"]


def test_a_lost_npu_is_not_asked_for_its_super_pod(super_pod):
    lost = "\t-1      0      16      16      Ascend910\n\t7      3      -      -      3559\n"
    assert len(super_pod({("-1", "0"): "Invalid card id.\n"}, lost)["devices"]) == 16


def test_a3_outside_of_a_super_pod(super_pod):
    assert super_pod({"others": UNSUPPORTED}) == {"devices": []}
    assert super_pod({"others": (0, "", UNSUPPORTED)}) == {"devices": []}
    failed = super_pod({"others": FAILED})
    assert (failed["kind"], FAILED.strip() in failed["error"]) == ("unparsable", True)


# ---- fabric


def test_without_hccn_tool_or_driver_nothing_is_asked(host, run_module):
    result, commands = run_module(check_facts, {"stages": ["fabric"]}, {}, missing_tools=["hccn_tool"])
    assert result["facts"]["hccn"] == {"error": "hccn_tool is not installed", "kind": "missing"}
    for path in (host / "dev").iterdir():
        path.unlink()
    result, commands = run_module(check_facts, {"stages": ["fabric"]}, {})
    assert result["facts"]["hccn"] == {"error": "no /dev/davinciN: no driver runs", "kind": "missing"}
    assert commands == []


def test_a_hanging_device_leaves_the_others_alone(host, run_module, fixture_text):
    up = fixture_text("cli/hccn_tool/link-get--up.txt")
    replies = by_tool(hccn_tool=lambda argv: TIMED_OUT if argv[2] == "2" else up)
    result, commands = run_module(check_facts, {"stages": ["fabric"]}, replies)
    devices = result["facts"]["hccn"]["devices"]
    assert [device["link"] for device in devices] == ["up", "up", None, "up"]
    assert set(devices[2]["errors"]) == set(devices[2]["asked"]) == set(check_facts.FABRIC)
    assert [device["lost"] for device in devices] == [False, False, True, False]
    # After the first call that hung no second one is made.
    assert sum(command[2] == "2" for command in commands) == 1


def test_garbage_of_hccn_tool_is_an_error_of_each_question(host, run_module):
    result, _commands = run_module(check_facts, {"stages": ["fabric"], "devices": [0]}, by_tool(hccn_tool=GARBAGE))
    (device,) = result["facts"]["hccn"]["devices"]
    assert set(device["errors"]) == set(check_facts.FABRIC)


def test_the_tls_switch_is_not_asked_where_the_tool_would_write(host, run_module):
    _result, commands = run_module(check_facts, {"stages": ["fabric"]}, by_tool(hccn_tool=GARBAGE))
    assert {command[2] for command in commands if "-tls" in command} == {"0", "1", "2"}
    assert not [command for command in commands if "-s" in command]


def test_addresses_of_the_configuration_stand_beside_those_of_the_devices(host, run_module):
    result, _commands = run_module(check_facts, {"stages": ["fabric"]}, by_tool(hccn_tool=GARBAGE))
    assert result["facts"]["hccn"]["conf_addresses"] == {"0": "10.20.1.0", "1": "10.20.1.1", "2": "10.20.1.2"}


# ---- launch


LAUNCH = {"stages": ["launch"], "unit": "mindie-mindie.service", "own": ["mindie-mindie.service", "mindie-mindie"]}
SERVERS = [
    {
        "server_id": f"192.0.2.1{number}",
        "container_ip": f"192.0.2.1{number}",
        "devices": [{"device_id": str(device), "device_ip": f"10.20.{number}.{device + 1}"} for device in range(4)],
    }
    for number in (1, 2)
]
SHOW = "LoadState=loaded\nActiveState=inactive\nSubState=dead\n"


def systemctl(argv: t.Sequence[str]) -> str:
    return SHOW if "show" in argv else ""


def launch(run_module, arguments=None, **answers) -> dict[str, t.Any]:
    replies = {"systemctl": systemctl, "docker": (1, "", "Error: No such image: x"), "hccn_tool": GARBAGE, **answers}
    result, _commands = run_module(check_facts, {**LAUNCH, **(arguments or {})}, by_tool(**replies))
    assert not result.get("failed")
    return result["facts"]


def test_a_bare_host_has_nothing_to_launch(host, run_module):
    result, _commands = run_module(check_facts, LAUNCH, by_tool(systemctl=systemctl), missing_tools=["docker", "hccn_tool"])
    facts = result["facts"]
    assert facts["containers"] == {"error": "docker is not installed", "kind": "missing"}
    for name in ("weights", "config", "environment", "image", "rank_table"):
        assert facts[name]["kind"] == "missing", name
    assert facts["service"] == {"unit": "mindie-mindie.service", "installed": True, "state": "inactive"}
    assert facts["smoke"] == {"skip": "the service is asked on its master only"}
    assert facts["firewall"] == {"service": None, "rules": [], "probes": []}


def test_an_image_that_is_not_there_is_no_failure_and_a_dead_daemon_is(host, run_module):
    facts = launch(run_module, {"image": "mindie:2.0"})
    assert (facts["image"]["name"], facts["image"]["id"]) == ("mindie:2.0", None)
    facts = launch(run_module, {"image": "mindie:2.0"}, docker=(1, "", "Cannot connect to the Docker daemon at unix:///var/run/docker.sock."))
    assert facts["image"]["kind"] == "failed"
    assert "Cannot connect to the Docker daemon" in facts["image"]["error"]


def test_config_that_is_no_json(host, run_module):
    path = host / "config.json"
    path.write_bytes(b'{\n// edited by hand\n"Version": "1.0.0"}')
    path.chmod(0o644)
    config = launch(run_module, {"config_path": str(path), "mindie_version": "2.0.T3.1"})["config"]
    assert config["mode"] == "0644"
    assert "line 2" in config["syntax_error"] and "comment" in config["syntax_error"]
    path.write_bytes(b"\xff\xfe{}")
    assert "UTF-8" in launch(run_module, {"config_path": str(path), "mindie_version": "2.0.T3.1"})["config"]["syntax_error"]


def test_the_environment_without_its_secrets(host, run_module):
    path = host / "environment"
    path.write_bytes(b"OMP_NUM_THREADS=1\nHF_TOKEN=hf_secret\nNAME=\xff\n")
    facts = launch(run_module, {"environment_path": str(path)})
    assert facts["environment"]["variables"] == {"OMP_NUM_THREADS": "1", "HF_TOKEN": "(hidden)", "NAME": "\ufffd"}
    assert "hf_secret" not in json.dumps(facts)


def test_the_rank_table_against_the_devices(host, run_module):
    path = host / "rank_table.json"
    path.write_bytes(check_facts._rank_table.render(check_facts._rank_table.build(SERVERS)))
    path.chmod(0o640)

    def hccn_tool(argv):
        return f"ipaddr:10.20.1.{99 if argv[2] == '3' else int(argv[2]) + 1}\nnetmask:255.255.255.0\n"

    table = launch(run_module, {"rank_table_path": str(path), "server_id": "192.0.2.11"}, hccn_tool=hccn_tool)["rank_table"]
    assert table["mode"] == "0640"
    (finding,) = table["findings"]
    assert finding["id"] == "live_device_ip"
    assert "10.20.1.4 for device 3" in finding["observed"]
    assert "10.20.1.99" in finding["expected"]

    # A warning about the table does not keep it from being compared.
    path.write_text(path.read_text().replace('"device_id": "2"', '"device_id": "20"'))
    table = launch(run_module, {"rank_table_path": str(path), "server_id": "192.0.2.11"}, hccn_tool=hccn_tool)["rank_table"]
    assert "warning" in {finding["severity"] for finding in table["findings"]}
    assert ["live_device_missing", "live_device_ip"] == [finding["id"] for finding in table["findings"] if finding["id"].startswith("live")]
    path.write_text(path.read_text().replace('"device_id": "20"', '"device_id": "2"'))

    # A device that does not answer is not said to be absent.
    silent = {"rank_table_path": str(path), "server_id": "192.0.2.11"}
    assert launch(run_module, silent, hccn_tool=lambda argv: GARBAGE if argv[2] == "3" else hccn_tool(argv))["rank_table"]["findings"] == []


def test_with_stage_fabric_the_rank_table_is_compared_without_asking_again(host, run_module):
    path = host / "rank_table.json"
    path.write_bytes(check_facts._rank_table.render(check_facts._rank_table.build(SERVERS)))

    def hccn_tool(argv):
        return f"ipaddr:10.20.1.{99 if argv[2] == '3' else int(argv[2]) + 1}\nnetmask:255.255.255.0\n" if "-ip" in argv else GARBAGE

    arguments = {**LAUNCH, "stages": ["launch", "fabric"], "rank_table_path": str(path), "server_id": "192.0.2.11"}
    result, commands = run_module(check_facts, arguments, by_tool(systemctl=systemctl, docker=(1, "", ""), hccn_tool=hccn_tool))
    # That the devices answer nothing else is a matter of stage fabric.
    assert [finding["id"] for finding in result["facts"]["rank_table"]["findings"] if finding["id"].startswith("live")] == ["live_device_ip"]
    assert sum("-ip" in command for command in commands) == 4


def test_each_stage_tries_its_own_ports(host, run_module, monkeypatch):
    tried = []
    monkeypatch.setattr(check_facts._host_facts, "probe", lambda target: tried.append(target) or {**target, "state": "open"})
    peers = [{"host": "npu02", "address": "192.0.2.12"}, {"host": "npu03", "address": "192.0.2.13"}]
    arguments = {**LAUNCH, "stages": ["host", "launch"], "peers": peers, "probe_ports": {"host": [22, 60000], "launch": [1120]}}
    replies = by_tool(systemctl=systemctl, docker=(1, "", ""), hccn_tool=GARBAGE, ip="[]", getent="")
    facts = run_module(check_facts, arguments, replies)[0]["facts"]
    assert [(probe["host"], probe["port"]) for probe in facts["network"]["probes"]] == [("npu02", 22), ("npu02", 60000), ("npu03", 22), ("npu03", 60000)]
    assert [(probe["address"], probe["port"]) for probe in facts["firewall"]["probes"]] == [("192.0.2.12", 1120), ("192.0.2.13", 1120)]
    assert len(tried) == 6


def test_what_two_stages_want_to_know_is_read_once(host, run_module):
    replies = by_tool(systemctl=systemctl, docker="", hccn_tool=GARBAGE, ip="[]", getent="")
    result, commands = run_module(check_facts, {**LAUNCH, "stages": ["launch", "host"]}, replies)
    assert set(result["facts"]) == {*check_facts.STAGES["host"], *check_facts.STAGES["launch"]}
    assert sum(command[1:2] == ("ps",) for command in commands) == 1


def test_weights_of_a_user_that_is_not_there(host, run_module):
    facts = launch(run_module, {"weights_path": str(host / "none"), "weights_user": "nobody-of-this-name"})
    assert facts["weights"]["kind"] == "unparsable"
    assert "nobody-of-this-name" in facts["weights"]["error"]
    facts = launch(run_module, {"weights_path": str(host / "none")})
    assert facts["weights"]["exists"] is False
    assert facts["weights"]["problems"][0]["id"] == "no-directory"


class Answer:
    def __init__(self, body: t.Any) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_error: t.Any) -> None:
        pass

    def read(self, _limit: int = -1) -> bytes:
        return self.body


@pytest.mark.parametrize(
    ("body", "failure", "length"),
    [
        ({"choices": [{"message": {"content": "1+1=2"}}]}, None, 5),
        ({"choices": [{"message": {"content": " \n"}}]}, None, 0),
        ({"choices": [{"message": {"content": None}}]}, None, 0),
        ({"choices": []}, "no chat completion", 0),
        (b"\xff\xfe<html>", "no chat completion", 0),
        (OSError("Connection refused"), "Connection refused", 0),
    ],
)
def test_the_question_to_the_service(host, run_module, monkeypatch, body, failure, length):
    asked = []

    def open_url(url, **options):
        asked.append((url, json.loads(options["data"])["model"]))
        if isinstance(body, Exception):
            raise body
        return Answer(body)

    monkeypatch.setattr(check_facts, "open_url", open_url)
    arguments = {"url": "http://192.0.2.11:1025", "model": "DeepSeek-V3-int8"}
    smoke = launch(run_module, arguments, systemctl=lambda argv: SHOW.replace("inactive", "active") if "show" in argv else "")["smoke"]
    assert asked == [("http://192.0.2.11:1025/v1/chat/completions", "DeepSeek-V3-int8")]
    assert failure is None and smoke["failure"] is None or failure in smoke["failure"]
    assert smoke["text_length"] == length
    assert launch(run_module, arguments)["smoke"] == {"skip": "mindie-mindie.service does not run"}


# ---- any stage


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (check_facts.NotYet("x is not installed"), "missing"),
        (VendorCliError("no result within 20 s", reason="timeout"), "timeout"),
        (PermissionError(13, "Permission denied"), "failed"),
        (KeyError("MemTotal"), "unparsable"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "unparsable"),
    ],
)
def test_a_section_that_breaks_says_why(error, kind):
    def read():
        raise error

    found = check_facts.guarded(read)
    assert found["kind"] == kind
    assert found["error"]


def test_stage_host_runs_on_any_machine(host, run_module):
    # As on this machine: no tool is scripted, so what is not installed here is missing, and nothing fails.
    result, _commands = run_module(check_facts, {"stages": ["host"], "paths": ["/", str(host / "none")]}, real_commands=True)
    facts = result["facts"]
    assert set(facts) == set(check_facts.STAGES["host"])
    assert facts["system"]["architecture"] == os.uname().machine
    assert facts["memory"]["total_mb"] > 0
    assert facts["disks"]["paths"]["/"]["free_gb"] >= 0
    assert "error" in facts["disks"]["paths"][str(host / "none")]
    assert facts["clock"]["after_s"] >= 0
