# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated npu-smi against recorded runs of the vendor's front end and against captures of real hosts."""

from __future__ import annotations

import json
import re
import typing as t
from pathlib import Path

import pytest

from npusim import npu_smi
from npusim.state import State

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "cli"
OBSERVED: list[dict[str, t.Any]] = json.loads((FIXTURES / "observed-npu-smi.json").read_text(encoding="utf-8"))["records"]
INFO_HELP = next(record["stdout"] for record in OBSERVED if record["argv"][1:] == ["info", "-h"])

# Records whose text came from a function that the recording's stub did not have, or from a driver broken in a way
# that no fault of the simulator makes. Everything else is replayed.
NOT_REPLAYED = {
    18: "the stub has no board data", 131: "the stub has no board data", 161: "the stub has no board data",
    30: "the stub has no MCU", 176: "the stub has no MCU",
    53: "the stub has no phy id map", 54: "the stub has no phy id map", 140: "the stub has no phy id map",
    127: "the stub has no root key",
    154: "half a driver", 155: "half a driver", 156: "half a driver", 157: "half a driver", 158: "half a driver", 159: "half a driver",
    178: "the stub refuses a reset",
}
# What the collection asks for.
USED = (["info"], ["info", "-l"], ["info", "-m"], ["-v"])
USED_TYPES = {"board", "health", "usages", "memory", "common", "power", "temp", "proc-mem"}


def smi(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    rc = npu_smi.main(list(words))
    captured = capsys.readouterr()
    assert captured.err == ""
    return rc, captured.out


def with_driver(version: str, product: str = "910B3", **data: t.Any) -> State:
    state = State.new(product)
    state.driver.update(installed=True, version=version)
    state.data["physical_host"] = False
    state.data.update(data)
    return state


def fixture(name: str) -> str:
    return (FIXTURES / "npu-smi" / name).read_bytes().decode()


def shape(text: str) -> str:
    """A text without its values, but with all their widths."""
    return re.sub(r"\d", "9", text)


@pytest.fixture(autouse=True)
def _host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without a driver, used by root."""
    monkeypatch.setenv("NPUSIM_ROOT", str(tmp_path))
    monkeypatch.delenv("NPUSIM_STATE", raising=False)
    monkeypatch.setenv("NPUSIM_UID", "0")
    State.new().save()


@pytest.mark.parametrize("number", [number for number in range(len(OBSERVED)) if number not in NOT_REPLAYED])
def test_answers_as_the_real_front_end(number: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    record = OBSERVED[number]
    state = with_driver("26.0.0", board_id="0x33")
    state.firmware["version"] = "NA"
    stub = record.get("stub_setting", {})
    if "ndev" in stub:
        state.set_fault("missing-device", 7)
    if "health" in stub:
        level = {"1": "Warning", "2": "Alarm", "3": "Critical"}[stub["health"]]
        state.set_fault("health-alarm", level=level, code="80E01801" if "err" in stub else "")
    state.save()
    # The values of the recording's stub.
    monkeypatch.setattr(npu_smi, "HBM_MANUFACTURER", "0xFF")
    monkeypatch.setattr(npu_smi, "MCU_TEMPERATURE", 0)
    monkeypatch.setattr(npu_smi, "ALARM_TEXT", "stub error text")
    monkeypatch.setenv("NPUSIM_UID", str(record.get("uid", 0)))
    expected = record["stdout"] + (INFO_HELP if "stdout_continues_with" in record else "")
    assert smi(capsys, *record["argv"][1:]) == (record["rc"], expected)


def test_replays_enough() -> None:
    replayed = [record["argv"][1:] for number, record in enumerate(OBSERVED) if number not in NOT_REPLAYED]
    used = [words for words in replayed if words in USED or len(words) > 2 and words[:2] == ["info", "-t"] and words[2] in USED_TYPES]
    assert len(replayed) == 163
    assert len(used) >= 45


@pytest.mark.parametrize("words", [["info"], ["info", "-l"], ["-v"], ["-h"], ["set"], ["clear"], ["upgrade", "-h"], ["info", "-t", "nonsense"]])
def test_says_8005_without_a_driver(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert smi(capsys, *words) == (187, fixture("error--no-driver-8005.txt"))


def test_says_so_when_the_driver_is_lost_or_the_devices_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("lost-driver", code=8005)
    state.save()
    assert smi(capsys, "info") == (187, fixture("error--no-driver-8005.txt"))
    state.set_fault("lost-driver", code=8020)
    state.save()
    rc, text = smi(capsys, "info")
    assert (rc, text.splitlines()[-1]) == (172, "dcmi model initialized failed, because the device is used. ret is -8020")


@pytest.mark.parametrize("words, rc", [([], 215), (["infoo"], 211)])
def test_explains_itself_without_a_driver(words: list[str], rc: int, capsys: pytest.CaptureFixture[str]) -> None:
    expected = next(record["stdout"] for record in OBSERVED if record["argv"][1:] == words)
    assert smi(capsys, *words) == (rc, expected)


def test_prints_the_table_of_an_a2_host(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("25.5.1")
    for phy_id in range(8):
        state.set_fault("hbm-busy", phy_id, used_mb=59189, pid=3233241, process="VLLMWorker_TP" if phy_id < 4 else "VLLMEngineCor")
    state.save()
    rc, text = smi(capsys, "info")
    assert rc == 0
    assert shape(text) == shape(fixture("info--8x910B3-loaded-25.5.1.txt"))
    assert "| 0                         | 0000:C1:00.0  | 0           0    / 0          59189/ 65536         |\n" in text


def test_prints_the_table_of_an_a3_host(capsys: pytest.CaptureFixture[str]) -> None:
    with_driver("25.0.rc1", "A3").save()
    assert shape(smi(capsys, "info")[1]) == shape(fixture("info--16die-A3-idle-25.0.rc1.txt"))


def test_warns_of_a_driver_that_was_not_completely_installed(capsys: pytest.CaptureFixture[str]) -> None:
    with_driver("25.5.1", physical_host=True).save()
    expected = fixture("info--8x910B3-driver-incomplete-warning.txt").splitlines(keepends=True)[-1]
    assert smi(capsys, "info")[1].endswith(expected)


@pytest.mark.parametrize("product, words, name", [
    ("910B3", ["-v"], "version--24.1.0.txt"),
    ("910B3", ["info", "-l"], "info-l--8x910B3.txt"),
    ("910B3", ["info", "-m"], "info-m--8x910B3-25.5.1.txt"),
    ("910B3", ["info", "-t", "phyid-remap", "-p", "0"], "phyid-remap-p--910B3.txt"),
    ("910B3", ["info", "-t", "topo"], "topo--8x910B3-24.1.rc1.b030.txt"),
    ("910B3", ["upgrade", "-b", "mcu", "-i", "0"], "upgrade-b-mcu--910B3.txt"),
    ("910B3", ["info", "-t", "product", "-i", "0", "-c", "0"], "product--unsupported-910B3-25.5.1.txt"),
    ("A3", ["info", "-l"], "info-l--A3-8npu-2chip.txt"),
    ("A3", ["info", "-m"], "info-m--16die-A3.txt"),
])
def test_prints_as_captured(product: str, words: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with_driver("24.1.0", product).save()
    assert smi(capsys, *words) == (0, fixture(name))


@pytest.mark.parametrize("kind", ["board", "common", "memory", "power", "temp", "usages", "proc-mem"])
def test_prints_the_keys_of_a_capture(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    def keys(text: str) -> list[str]:
        return [re.split(r" : |:\d", line)[0] for line in text.splitlines()]

    state = with_driver("25.5.1")
    state.set_fault("hbm-busy", 0, used_mb=59246, pid=3233241, process="VLLMWorker_TP")
    state.save()
    rc, text = smi(capsys, "info", "-t", kind, "-i", "0")
    assert rc == 0
    assert keys(text) == keys(fixture(f"{kind}-i--910B3-25.5.1.txt"))
    if kind == "proc-mem":
        assert text == fixture("proc-mem-i--910B3-25.5.1.txt")


def test_board_tells_the_running_versions(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """After an upgrade the tool is new at once, driver and firmware run on until the reboot."""
    state = with_driver("24.1.0")
    state.firmware["version"] = "7.5.0.3.220"
    state.save()
    driver = tmp_path / "usr/local/Ascend/driver"
    driver.mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ascend_install.info").write_text("Driver_Install_Path_Param=/usr/local/Ascend\n")
    (driver / "version.info").write_text("Version=25.0.rc1.1\ncompatible_version_fw=[7.0.0,7.5.99]\n")
    text = smi(capsys, "info", "-t", "board", "-i", "0")[1]
    assert "\tSoftware Version               : 24.1.0\n" in text
    assert "\tFirmware Version               : 7.5.0.3.220\n" in text
    assert "\tCompatibility                  : OK\n" in text
    assert "| npu-smi 25.0.rc1.1               Version: 24.1.0 " in smi(capsys, "info")[1]
    (driver / "version.info").write_text("Version=25.0.rc1.1\ncompatible_version_fw=[7.6.0,7.9.99]\n")
    assert "\tCompatibility                  : NOK\n" in smi(capsys, "info", "-t", "board", "-i", "0")[1]
    monkeypatch.setenv("NPUSIM_UID", "1000")
    assert "\tCompatibility                  : NOT SUPPORT\n" in smi(capsys, "info", "-t", "board", "-i", "0")[1]


def test_lacks_a_device_that_dropped_off(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("missing-device", 3)
    state.save()
    table = smi(capsys, "info")[1]
    assert table.count("910B3") == 7
    assert "0000:82:00.0" not in table
    assert "Total Count                    : 7\n" in smi(capsys, "info", "-l")[1]
    # The others keep their numbers; the driver counts on without a hole.
    assert f"\t{4:<31}{0:<31}{3:<31}Ascend 910B3\n" in smi(capsys, "info", "-m")[1]
    rc, text = smi(capsys, "info", "-t", "board", "-i", "3")
    assert (rc, text.splitlines()[:2]) == (215, ["Invalid card id.", "Error parameter of -i"])


def test_shows_a_busy_hbm(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("hbm-busy", 2, used_mb=60000, pid=4711, process="python3")
    state.save()
    table = smi(capsys, "info")[1]
    assert "| 0                         | 0000:81:00.0  | 0           0    / 0          60000/ 65536         |\n" in table
    assert "| 2       0                 | 4711          | python3                  | 56598                   |\n" in table
    assert "No running processes found in NPU 2" not in table
    assert "\tHBM Usage Rate(%)              : 91\n" in smi(capsys, "info", "-t", "usages", "-i", "2")[1]


def test_a_process_can_be_gone_while_its_memory_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("hbm-busy", 2, used_mb=60000, pid=0, process="python3")
    state.save()
    table = smi(capsys, "info")[1]
    assert "60000/ 65536" in table
    assert "No running processes found in NPU 2" in table


def test_a_device_without_hccs_lacks_it_in_its_row_and_its_column(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("topology", 2, way="SYS")
    state.save()
    rows = [line.split() for line in smi(capsys, "info", "-t", "topo")[1].splitlines()[1:9]]
    healthy = [line.split() for line in fixture("topo--8x910B3-24.1.rc1.b030.txt").splitlines()[1:9]]
    assert rows[2][1:9] == ["SYS", "SYS", "X", "SYS", "SYS", "SYS", "SYS", "SYS"]
    assert [row[3] for row in rows] == ["SYS", "SYS", "X", "SYS", "SYS", "SYS", "SYS", "SYS"]
    assert [row[:3] + row[4:] for row in rows if row[0] != "NPU2"] == [row[:3] + row[4:] for row in healthy if row[0] != "NPU2"]
    state.set_fault("topology", way="PHB")
    state.save()
    assert not any("HCCS" in line for line in smi(capsys, "info", "-t", "topo")[1].splitlines()[:9])


def test_tells_the_place_in_the_super_pod(capsys: pytest.CaptureFixture[str]) -> None:
    def place(device: int) -> dict[str, str]:
        words = ["info", "-t", "spod-info", "-i", str(device // 2), "-c", str(device % 2)]
        rc, text = smi(capsys, *words)
        assert rc == 0
        assert re.sub(r" : \d+", " :", text) == re.sub(r" : \d+", " :", fixture("spod-info-ic--A3.txt"))
        return {key.strip(): value for key, value in (line.split(" : ") for line in text.splitlines())}

    state = with_driver("25.0.rc1", "A3")
    state.save()
    places = [place(device) for device in range(16)]
    state.data["host_index"] = 2
    state.save()
    places += [place(device) for device in range(16)]
    assert len({found["SDID"] for found in places}) == 32
    assert {found["Super Pod ID"] for found in places} == {"7"}
    state.set_fault("super-pod", 3, sdid=17, pod=None)
    state.set_fault("super-pod", 4, sdid=None, pod=8)
    state.save()
    assert [place(3)["SDID"], place(3)["Super Pod ID"], place(4)["Super Pod ID"]] == ["17", "7", "8"]
    with_driver("25.5.1").save()
    assert smi(capsys, "info", "-t", "spod-info", "-i", "0", "-c", "0") == (0, "This device does not support querying spod-info.\n")


def test_a_stale_driver_is_not_the_installed_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.set_fault("stale-driver", version="23.0.7")
    state.save()
    (tmp_path / "usr/local/Ascend/driver").mkdir(parents=True)
    (tmp_path / "usr/local/Ascend/driver/version.info").write_text("Version=24.1.0\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/ascend_install.info").write_text("Driver_Install_Path_Param=/usr/local/Ascend\n")
    assert "| npu-smi 24.1.0                   Version: 23.0.7 " in smi(capsys, "info")[1]
    assert "\tSoftware Version               : 23.0.7\n" in smi(capsys, "info", "-t", "board", "-i", "0")[1]


def test_prints_half_of_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    state = with_driver("24.1.0")
    state.save()
    whole = smi(capsys, "info")[1]
    # One device's hccn_tool is not npu-smi.
    state.set_fault("truncated-output", 1)
    state.save()
    assert smi(capsys, "info") == (0, whole)
    state.set_fault("truncated-output")
    state.save()
    assert smi(capsys, "info") == (0, whole[:len(whole) // 2])


def test_prints_garbage_late_or_never(capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []
    monkeypatch.setattr("time.sleep", naps.append)
    state = with_driver("24.1.0")
    state.set_fault("slow-tool", seconds=7.0)
    # A fault of one device's hccn_tool is not npu-smi's.
    state.set_fault("garbage-output", 1)
    state.save()
    assert npu_smi.main(["-v"]) == 0
    assert (naps, capsysbinary.readouterr().out) == ([7.0], b"npu-smi version: 24.1.0\n")
    state.set_fault("garbage-output")
    state.save()
    assert npu_smi.main(["-v"]) == 0
    with pytest.raises(UnicodeDecodeError):
        capsysbinary.readouterr().out.decode()


def test_hangs_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    class StillHanging(Exception):
        pass

    def nap(_seconds: float) -> None:
        raise StillHanging

    monkeypatch.setattr("time.sleep", nap)
    state = with_driver("24.1.0")
    state.set_fault("hanging-tool")
    state.save()
    with pytest.raises(StillHanging):
        npu_smi.main(["info"])
