# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _npu_info
from ansible_collections.npuops.ascend.plugins.modules import npu_info

A2_BUSES = ("c1", "c2", "81", "82", "01", "02", "41", "42")
INFO = "npu-smi info"
MAPPING = "npu-smi info -m"
LIST = "npu-smi info -l"
NO_LIBRARY = "npu-smi: error while loading shared libraries: libc_sec.so: cannot open shared object file\n"


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that the module reads, in a directory of the test: sys/, dev/, Ascend/ and ascend_install.info."""
    for name in ("sys", "dev"):
        (tmp_path / name).mkdir()
    read_npus = _npu_info.read_npus
    monkeypatch.setattr(_npu_info, "read_npus", lambda: read_npus(str(tmp_path / "sys")))
    monkeypatch.setattr(_npu_info, "DEVICE_DIRECTORY", str(tmp_path / "dev"))
    monkeypatch.setattr(_npu_info.packages, "INSTALL_INFO", str(tmp_path / "ascend_install.info"))
    monkeypatch.setattr(_npu_info.packages, "DEFAULT_PATH", str(tmp_path / "Ascend"))
    return tmp_path


def plug(system: Path, buses: t.Iterable[str], device: str = "0xd802") -> None:
    for bus in buses:
        directory = system / "sys" / f"0000:{bus}:00.0"
        directory.mkdir()
        for name, text in {"vendor": "0x19e5", "device": device, "subsystem_vendor": "0x19e5", "subsystem_device": "0x3002"}.items():
            (directory / name).write_text(f"{text}\n", encoding="ascii")


def install(system: Path, driver: str | None, firmware: str | None = None, status: str = "Driver_Install_Status=complete\n") -> None:
    path = system / "Ascend"
    text = f"UserName=HwHiAiUser\nUserGroup=HwHiAiUser\nDriver_Install_Path_Param={path}\nDriver_Install_For_All=yes\n{status}"
    (system / "ascend_install.info").write_text(text, encoding="utf-8")
    for kind, info in (("driver", driver), ("firmware", firmware)):
        if info:
            (path / kind).mkdir(parents=True, exist_ok=True)
            (path / kind / "version.info").write_text(info, encoding="utf-8")


def board(npu: int, firmware: str = "7.7.0.6.236", compatibility: str = "OK", driver: str = "25.5.1") -> str:
    return (
        f"\tNPU ID                         : {npu}\n\tSoftware Version               : {driver}\n"
        f"\tFirmware Version               : {firmware}\n\tCompatibility                  : {compatibility}\n"
    )


def ask_board(npu: int) -> str:
    return f"npu-smi info -t board -i {npu}"


@pytest.fixture
def a2(fixture_text: t.Callable[[str], str]) -> dict[str, t.Any]:
    """The answers of an Atlas A2 host with a running service."""
    return {
        INFO: fixture_text("cli/npu-smi/info--8x910B3-loaded-25.5.1.txt"),
        MAPPING: fixture_text("cli/npu-smi/info-m--8x910B3-25.5.1.txt"),
        LIST: fixture_text("cli/npu-smi/info-l--8x910B3.txt"),
        **{ask_board(npu): board(npu) for npu in range(8)},
    }


def test_a2_host(system: Path, a2: dict, run_module: t.Callable) -> None:
    plug(system, A2_BUSES)
    for name in ("davinci10", "davinci2", "davinci0", "davinci_manager", "null"):
        (system / "dev" / name).touch()
    install(system, "Version=25.5.1\ncompatible_version_fw=[7.0.0,7.9.99]\n", "Version=7.7.0.6.236\n")
    result, commands = run_module(npu_info, {}, a2)
    assert result["changed"] is False
    assert result["problems"] == [] and "warnings" not in result
    assert (result["driver_loaded"], result["driver_error"]) == (True, None)
    assert (result["driver_version"], result["firmware_version"], result["tool_version"]) == ("25.5.1", "7.7.0.6.236", "25.5.1")
    assert result["compatibility"] == "OK"
    assert result["count"] == 8
    assert result["davinci"] == [0, 2, 10]
    assert result["devices"][0] == {
        "device": 0,
        "npu_id": 0,
        "chip_id": 0,
        "logic_id": 0,
        "name": "910B3",
        "health": "OK",
        "power_w": 99.4,
        "temperature_c": 34,
        "bus_id": "0000:c1:00.0",
        "aicore_percent": 0,
        "hbm_used_mb": 59189,
        "hbm_total_mb": 65536,
        "memory_used_mb": 0,
        "memory_total_mb": 0,
        "firmware_version": "7.7.0.6.236",
        "details": {},
    }
    assert [device["device"] for device in result["devices"]] == list(range(8))
    assert result["processes"][7] == {"npu_id": 7, "chip_id": 0, "pid": 1886762, "name": "VLLMEngineCor", "memory_mb": 15975, "container_pid": None}
    assert result["pci"][0] == {
        "address": "0000:01:00.0",
        "vendor": "19e5",
        "device": "d802",
        "subsystem_vendor": "19e5",
        "subsystem_device": "3002",
        "chip": "910B",
        "product": "Atlas 800I A2",
    }
    assert result["installed"] == {
        "driver_version": "25.5.1",
        "firmware_version": "7.7.0.6.236",
        "path": str(system / "Ascend"),
        "username": "HwHiAiUser",
        "usergroup": "HwHiAiUser",
        "for_all": True,
        "driver_state": "complete",
    }
    assert result["package_compatibility"]["status"] == "ok"
    assert result["reboot_pending"] is False
    assert sorted(commands) == sorted(tuple(command.split()) for command in a2)


def test_a3_host_counts_dies(system: Path, fixture_text: t.Callable, run_module: t.Callable) -> None:
    replies = {
        INFO: fixture_text("cli/npu-smi/info--16die-A3-loaded-24.1.rc3.3.txt"),
        MAPPING: fixture_text("cli/npu-smi/info-m--16die-A3.txt"),
        LIST: fixture_text("cli/npu-smi/info-l--A3-8npu-2chip.txt"),
        **{ask_board(npu): board(npu, driver="24.1.rc3.3") for npu in range(8)},
    }
    plug(system, (f"{bus:02x}" for bus in range(0x81, 0xA0, 2)), "0xd803")
    result, _commands = run_module(npu_info, {}, replies)
    assert result["count"] == 16 and result["problems"] == []
    assert [(device["device"], device["npu_id"], device["chip_id"], device["logic_id"]) for device in result["devices"]] == [
        (die, die // 2, die % 2, die) for die in range(16)
    ]
    assert {npu["chip"] for npu in result["pci"]} == {"A3"}
    assert result["devices"][1]["power_w"] is None


@pytest.mark.parametrize("missing_tools", [(), ("npu-smi",)])
def test_bare_host(system: Path, fixture_text: t.Callable, run_module: t.Callable, missing_tools: tuple) -> None:
    plug(system, A2_BUSES)
    replies = {INFO: (187, fixture_text("cli/npu-smi/error--no-driver-8005.txt"), "")}
    result, commands = run_module(npu_info, {}, replies, missing_tools=missing_tools)
    assert not result.get("failed")
    assert result["driver_loaded"] is False
    assert result["count"] == 8 and len(result["pci"]) == 8 and result["davinci"] == []
    assert result["devices"] == [] and result["processes"] is None
    assert [result[key] for key in ("driver_version", "firmware_version", "compatibility", "tool_version", "package_compatibility")] == [None] * 5
    assert result["installed"]["driver_state"] == "absent" and result["installed"]["path"] is None
    assert result["reboot_pending"] is False
    if missing_tools:
        assert commands == [] and result["driver_error"].startswith("npu-smi is not installed")
    else:
        assert commands == [("npu-smi", "info")]
        assert result["driver_error"] == "dcmi module initialize failed. ret is -8005 (the driver is not loaded, or its devices are not visible here)"


def test_installed_but_not_loaded_waits_for_its_reboot(system: Path, run_module: t.Callable) -> None:
    install(system, "Version=24.1.0\n", "Version=7.5.0.3.220\n")
    replies = {INFO: (187, "dcmi module initialize failed. ret is -8005\n", "")}
    result, _commands = run_module(npu_info, {}, replies)
    assert result["reboot_pending"] is True
    assert result["problems"] == ["The versions on disk do not run yet: reboot the host."] == result["warnings"]
    assert result["installed"]["driver_version"] == "24.1.0"


def test_half_installed_driver(system: Path, run_module: t.Callable) -> None:
    install(system, None, status="")
    result, _commands = run_module(npu_info, {}, missing_tools=("npu-smi",))
    assert result["installed"]["driver_state"] == "incomplete"
    assert result["installed"]["driver_version"] is None


def test_new_firmware_waits_for_its_reboot(system: Path, a2: dict, run_module: t.Callable) -> None:
    install(system, "Version=25.5.1\n", "Version=7.8.0.6.201\n")
    result, _commands = run_module(npu_info, {}, a2)
    assert result["reboot_pending"] is True
    assert (result["firmware_version"], result["installed"]["firmware_version"]) == ("7.7.0.6.236", "7.8.0.6.201")


def test_one_card_lost(system: Path, a2: dict, run_module: t.Callable) -> None:
    plug(system, A2_BUSES)
    text = a2[INFO]
    start = text.index("| 7     910B3")
    a2[INFO] = text[:start] + text[text.index("| NPU     Chip") - 102 :]
    del a2[ask_board(7)]
    result, _commands = run_module(npu_info, {}, a2)
    assert result["count"] == 7
    assert "The PCI bus shows 8 NPUs; the driver does not show 0000:42:00.0. Look at dmesg for these addresses." in result["problems"]
    assert "npu-smi lists NPU 7, which its table does not show." in result["problems"]


def test_unlike_boards(system: Path, a2: dict, run_module: t.Callable) -> None:
    a2[ask_board(3)] = board(3, firmware="7.5.0.3.220", compatibility="NOK")
    result, _commands = run_module(npu_info, {}, a2)
    assert result["compatibility"] == "NOK"
    assert result["devices"][3]["firmware_version"] == "7.5.0.3.220"
    assert any(problem.startswith("The NPUs run different versions (firmware_version): NPU 0: 7.7.0.6.236,") for problem in result["problems"])
    assert any("do not fit (NOK)" in problem for problem in result["problems"])


def test_what_one_question_does_not_answer_is_null_and_a_problem(system: Path, a2: dict, run_module: t.Callable) -> None:
    a2[ask_board(0)] = "This device does not support querying board.\n"
    a2[ask_board(1)] = (0, "", "This device does not support querying board.\n")
    a2[MAPPING] = (0, "\ufffdgarbage\n", "")
    a2[LIST] = (124, "", "")
    result, _commands = run_module(npu_info, {}, a2)
    assert not result.get("failed")
    assert [device["device"] for device in result["devices"]] == list(range(8))
    assert [device["logic_id"] for device in result["devices"]] == [None] * 8
    assert result["devices"][0]["firmware_version"] is None and result["firmware_version"] == "7.7.0.6.236"
    assert [problem.split(". ")[0] for problem in sorted(result["problems"])] == [
        "npu-smi info -l gave no result within 60 s and was stopped",
        "npu-smi info -m printed something that is not its known answer, beginning with '\ufffdgarbage'",
        "npu-smi info -t board answered: This device does not support querying board",
        "npu-smi info -t board answered: This device does not support querying board",
    ]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((124, "", ""), "npu-smi info gave no result within 7 s and was stopped."),
        ((139, "\ufffd\ufffd garbage", ""), "npu-smi info printed something that is not its known answer, beginning with"),
        ((0, "", ""), "npu-smi info printed nothing. Asked: npu-smi info (exit code 0)."),
        ((1, "Failed to execute npu-smi info. ret is -8255.\n", ""), "npu-smi info answered: Failed to execute npu-smi info. ret is -8255. (not supported)."),
        ((127, "", NO_LIBRARY), "npu-smi info answered: npu-smi: error while loading shared libraries: libc_sec.so"),
        ((127, "", NO_LIBRARY), "into LD_LIBRARY_PATH, in a container mount them too"),
        ((126, "\n", "bash: /usr/local/bin/npu-smi: Permission denied\n"), "answered: bash: /usr/local/bin/npu-smi: Permission denied (run as root)."),
        ((139, "", "Segmentation fault (core dumped)\n"), "beginning with 'Segmentation fault (core dumped)'. Asked: npu-smi info (exit code 139)."),
        ((1, "DrvMngGetConsoleLogLevel failed.\n", "a\nBus error\n"), "'DrvMngGetConsoleLogLevel failed.'. Beside it was said: Bus error. Asked: npu-smi"),
        ((172, "dcmi module initialize failed. ret is -8020\n", ""), "ret is -8020 (the device is occupied by another container or process: end that one"),
    ],
)
def test_a_tool_that_hangs_or_prints_garbage_fails(system: Path, run_module: t.Callable, answer: tuple, message: str) -> None:
    result, _commands = run_module(npu_info, {"timeout": 7}, {INFO: answer})
    assert result["failed"] and message in result["msg"]


def test_no_card(system: Path, run_module: t.Callable) -> None:
    plug(system, A2_BUSES)
    result, _commands = run_module(npu_info, {}, {INFO: "There is no NPU card on this server.\n"})
    assert result["driver_loaded"] is True and result["count"] == 0
    assert result["problems"][0].startswith("The driver is loaded, but npu-smi says: There is no NPU card on this server.")


def test_details(system: Path, fixture_text: t.Callable, run_module: t.Callable) -> None:
    alarm = fixture_text("cli/npu-smi/health-ic--910B3-alarm-one-code.txt")
    replies = {
        INFO: fixture_text("cli/npu-smi/info--A3-first-npu-wide-layout-26.0.rc2.txt"),
        MAPPING: fixture_text("cli/npu-smi/info-m--16die-A3.txt"),
        LIST: "\tTotal Count                    : 1\n\n\tNPU ID                         : 0\n\tChip Count                     : 2\n",
        ask_board(0): board(0, driver="26.0.rc2"),
        "npu-smi info -t health -i 0 -c 0": alarm,
        "npu-smi info -t health -i 0 -c 1": (208, "Invalid chip id.\nError parameter of -c\n", ""),
        "npu-smi info -t usages -i 0": fixture_text("cli/npu-smi/usages-i--910B3-25.5.1.txt"),
    }
    result, commands = run_module(npu_info, {"subset": ["health", "usages"]}, replies)
    assert len(commands) == len(replies)
    first, second = (device["details"] for device in result["devices"])
    assert first["health"]["status"] == "Alarm" and first["health"]["codes"] == ["80E01801"]
    assert first["usages"]["HBM Usage Rate(%)"] == "90"
    assert second == {"health": None, "usages": None}
    assert any("Invalid chip id." in problem and "-t health -i 0 -c 1 (exit code 208)" in problem for problem in result["problems"])
    assert any("tells nothing of chip 1" in problem for problem in result["problems"])


def test_driver_that_says_it_is_incomplete(system: Path, fixture_text: t.Callable, a2: dict, run_module: t.Callable) -> None:
    a2[INFO] = fixture_text("cli/npu-smi/info--8x910B3-driver-incomplete-warning.txt")
    result, _commands = run_module(npu_info, {}, a2)
    assert result["problems"][0].startswith("[WARNING]The driver package may not be completely installed")


def test_check_mode_is_the_same(system: Path, a2: dict, run_module: t.Callable) -> None:
    result, _commands = run_module(npu_info, {}, a2, check=True, diff=True)
    assert result["count"] == 8 and result["changed"] is False
