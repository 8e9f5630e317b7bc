# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import tarfile

import pytest
from ansible_collections.npuops.ascend.plugins.modules import support_bundle


@pytest.fixture
def collect(run_module, monkeypatch, tmp_path, fixture_text):
    """Run the module on a host with two devices; gives result and contents by name."""
    monkeypatch.setattr(support_bundle, "devices_present", lambda: [0, 1])
    mapping = fixture_text("cli/npu-smi/info-m--8x910B3-25.5.1.txt")
    info = fixture_text("cli/npu-smi/info--8x910B3-idle-24.1.rc1.b030.txt")

    def run(replies=None, missing=(), **options):
        def reply(argv, _stdin):
            if replies and argv in replies:
                return replies[argv]
            known = {
                ("npu-smi", "info"): info,
                ("npu-smi", "info", "-m"): mapping,
                ("hccn_tool", "-i", "1", "-link", "-g"): "link status: DOWN\n",
                ("npu-smi", "info", "-i", "0", "-c", "0", "-t", "board"): "\tNPU ID                         : 0\n",
                ("docker", "ps", "--all", "--format", "{{.Names}}"): "mindie-a,x/mindie-a\n",
                ("docker", "inspect", "--", "mindie-a"): '[{"Config": {"Env": ["HF_TOKEN=topsecret"]}}]',
                ("dmesg", "-T"): "[Sun Oct 12 17:17:33 2025] davinci: hello\n",
            }
            if argv[:2] == ("systemctl", "list-units"):
                return 0, "mindie-a.service loaded failed failed MindIE a\n", ""
            if argv[0] == "journalctl":
                return 0, "Traceback: password=topsecret\n", ""
            return (0, known[argv], "") if argv in known else (1, "", "not for this test")

        dest = tmp_path / "bundle.tar.gz"
        arguments = {"dest": str(dest), "log_paths": [], "config_paths": [], **options}
        result, commands = run_module(support_bundle, arguments, reply, missing_tools=missing)
        contents = {}
        if dest.exists():
            with tarfile.open(dest) as archive:
                contents = {member.name: archive.extractfile(member).read().decode() for member in archive}
        return result, contents, commands

    return run


def test_the_answers_of_each_device_stand_under_their_commands(collect):
    result, contents, commands = collect()
    assert not result.get("failed") and result["changed"] is True
    after = contents["environment_check/npu_info_after.txt"]
    # As ascend-fd splits the file: a line that begins with /usr/local, cat /usr or lspci | begins an answer.
    assert after.startswith("Datetime: ")
    assert "\n/usr/local/bin/npu-smi info\n+" in after
    assert "\n/usr/local/Ascend/driver/tools/hccn_tool -i 1 -link -g\nlink status: DOWN\n" in after
    assert "\n/usr/local/bin/npu-smi info -i 7 -c 0 -t board\n" in after
    assert "\n/usr/local/bin/npu-smi info -i 0 -c 0 -t board\n\tNPU ID                         : 0\n" in after
    assert "\nlspci | grep acce\n" in after
    assert contents["environment_check/npu_info_before.txt"].startswith("Datetime: ")
    assert ("hccn_tool", "-i", "0", "-tls", "-g") in commands
    # Reading only.
    assert not any("-s" in command for command in commands if command[0] in ("hccn_tool", "npu-smi"))


def test_containers_journals_and_kernel_messages_are_in_it_without_secrets(collect):
    _result, contents, _commands = collect()
    assert contents["dmesg"] == "[Sun Oct 12 17:17:33 2025] davinci: hello\n"
    assert "HF_TOKEN=***" in contents["npuops/docker/mindie-a.json"]
    assert contents["npuops/journal/mindie-a.service.log"] == contents["worker-0-mindie-a.service.log"] == "Traceback: password=***\n"
    assert "topsecret" not in "".join(contents.values())


def test_missing_tools_leave_their_message(collect):
    result, contents, _commands = collect(missing=("npu-smi", "hccn_tool", "docker", "dmesg", "lspci"))
    assert not result.get("failed")
    assert "[npu-smi was not found" in contents["environment_check/npu_info_after.txt"]
    assert "[docker was not found" in contents["npuops/commands/docker_ps.txt"]


def test_a_failing_docker_names_no_containers(collect):
    refused = (1, "Cannot connect to the Docker daemon", "")
    _result, contents, _commands = collect({("docker", "ps", "--all", "--format", "{{.Names}}"): refused})
    assert not [name for name in contents if name.startswith("npuops/docker/")]


def test_logs_and_configuration(collect, tmp_path):
    plog = tmp_path / "log" / "debug" / "plog"
    plog.mkdir(parents=True)
    (plog / "plog-7_1.log").write_text("[ERROR] EI0006\n")
    (plog / "plog-6_1.log").write_text("[ERROR] long ago\n")
    os.utime(plog / "plog-6_1.log", (1, 1))
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "environment").write_text("DB_PASSWORD=topsecret\nA=1\n")
    os.utime(tmp_path / "etc" / "environment", (1, 1))
    result, contents, _commands = collect(log_paths=[str(tmp_path / "lo*")], config_paths=[str(tmp_path / "etc")])
    (name,) = [name for name in contents if name.endswith("debug/plog/plog-7_1.log")]
    assert name.startswith("process_log/")
    assert [content for name, content in contents.items() if name.endswith("etc/environment")] == ["DB_PASSWORD=***\nA=1\n"]
    assert result["left_out"] == [{"source": str(plog / "plog-6_1.log"), "reason": "it is older than max_age_days"}]


def test_a_host_without_systemd_has_no_journals(collect, run_module):
    argv = ("systemctl", "list-units", "--all", "--plain", "--no-legend", "--type=service", "--")
    units = ("mindie-*.service", "ktransformers*.service", "docker.service")
    result, contents, _commands = collect({(*argv, *units[:2]): (1, "", "System has not been booted with systemd")})
    assert not result.get("failed")
    assert result["left_out"][0]["source"] == "journals"
    assert not [name for name in contents if "journal" in name]


def test_a_place_that_cannot_be_written_is_refused(collect, tmp_path):
    result, _contents, _commands = collect(dest=str(tmp_path / "none" / "a.tar.gz"))
    assert "cannot be written: No such file or directory" in result["msg"]


def test_check_mode_collects_nothing(run_module, tmp_path):
    result, commands = run_module(support_bundle, {"dest": str(tmp_path / "a.tar.gz")}, check=True)
    assert result.get("skipped") and commands == []
