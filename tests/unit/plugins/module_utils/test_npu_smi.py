# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _npu_smi
from ansible_collections.npuops.ascend.plugins.module_utils._npu_smi import Board, Chip, Health, Mapping, NpuSmiError, Process
from hypothesis import given, settings
from hypothesis import strategies as st

SAMPLES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "npu-smi"
OBSERVED = SAMPLES.parent / "observed-npu-smi.json"
WARNING = "[WARNING]The driver package may not be completely installed, which may cause function abnormal. Please reinstall it."


def sample(name: str) -> str:
    return (SAMPLES / name).read_bytes().decode("utf-8")


def a2(name: str, hbm_total: int, *rows: tuple) -> list[Chip]:
    """One chip for each NPU, in rows of (power, temperature, bus, HBM used): the rest is the same in all samples of this layout."""
    return [
        Chip(npu, 0, name, "OK", power, temperature, f"0000:{bus}:00.0", 0, 0, 0, used, hbm_total, None)
        for npu, (power, temperature, bus, used) in enumerate(rows)
    ]


def a3(*rows: tuple) -> list[Chip]:
    """Two dies for each NPU, in rows of (power, temperature, bus, HBM used)."""
    return [
        Chip(die // 2, die % 2, "Ascend910", "OK", power, temperature, f"0000:{bus}:00.0", 0, 0, 0, used, 65536, die)
        for die, (power, temperature, bus, used) in enumerate(rows)
    ]


def named(name: str, memory: list[tuple]) -> list[Process]:
    return [Process(npu, chip, pid, name, used) for npu, chip, pid, used in memory]


LOADED_910B3 = a2(
    "910B3",
    65536,
    (99.4, 34, "c1", 59189),
    (91.1, 32, "c2", 59184),
    (86.9, 33, "81", 59186),
    (93.2, 35, "82", 59186),
    (88.7, 37, "01", 59932),
    (91.5, 37, "02", 59944),
    (94.9, 37, "41", 59021),
    (90.1, 39, "42", 19319),
)

TABLES = {
    "info--8x910B3-idle-24.1.rc1.b030.txt": (
        "24.1.rc1.b030",
        a2(
            "910B3",
            65536,
            (101.8, 43, "c1", 3318),
            (92.0, 39, "c2", 3314),
            (102.0, 40, "81", 3314),
            (99.8, 40, "82", 3314),
            (98.6, 45, "01", 3314),
            (99.7, 44, "02", 3314),
            (103.8, 45, "41", 3314),
            (98.2, 44, "42", 3315),
        ),
        None,
        [],
    ),
    "info--8x910B3-loaded-25.5.1.txt": (
        "25.5.1",
        LOADED_910B3,
        [
            *named("VLLMWorker_TP", [(0, 0, 3233241, 55844), (1, 0, 3233701, 55840), (2, 0, 3234962, 55842), (3, 0, 3235553, 55842)]),
            *named("VLLMEngineCor", [(4, 0, 3232170, 56588), (5, 0, 3231929, 56600), (6, 0, 2895155, 55671), (7, 0, 1886762, 15975)]),
        ],
        [],
    ),
    "info--8x910B3-driver-incomplete-warning.txt": ("25.2.0", LOADED_910B3, [], [WARNING]),
    "info--8x910B2-loaded-25.2.0.txt": (
        "25.2.0",
        a2(
            "910B2",
            65536,
            (135.9, 39, "c1", 33126),
            (103.8, 37, "c2", 32639),
            (96.3, 37, "81", 32640),
            (93.8, 38, "82", 32640),
            (101.0, 44, "01", 32639),
            (91.8, 43, "02", 32639),
            (94.2, 41, "41", 32639),
            (90.8, 42, "42", 32638),
        ),
        named(
            "VLLMWorker_TP",
            [
                *((0, 0, pid, 129) for pid in (314487, 316405, 315924, 315419, 317396)),
                (0, 0, 314183, 29229),
                (0, 0, 314935, 129),
                (0, 0, 316895, 129),
                (1, 0, 314487, 29275),
                (2, 0, 314935, 29274),
                (3, 0, 315419, 29275),
                (4, 0, 315924, 29275),
                (5, 0, 316405, 29275),
                (6, 0, 316895, 29275),
                (7, 0, 317396, 29275),
            ],
        ),
        [],
    ),
    "info--8x910B1-one-unnamed-process-24.1.0.txt": (
        "24.1.0",
        a2(
            "910B1",
            65536,
            (89.1, 32, "c1", 3437),
            (90.0, 33, "01", 3378),
            (91.5, 32, "c2", 3376),
            (91.3, 32, "02", 3377),
            (92.7, 31, "81", 3377),
            (93.0, 33, "41", 3376),
            (91.5, 30, "82", 3377),
            (91.1, 32, "42", 3380),
        ),
        [Process(0, 0, 641248, None, 113)],
        [],
    ),
    "info--16die-A3-idle-25.0.rc1.txt": (
        "25.0.rc1",
        a3(
            (160.7, 45, "9d", 3103),
            (None, 45, "9f", 2886),
            (167.2, 44, "99", 3089),
            (None, 45, "9b", 2890),
            (162.0, 48, "95", 3092),
            (None, 49, "97", 2885),
            (179.1, 48, "91", 3101),
            (None, 48, "93", 2879),
            (160.4, 45, "8d", 3097),
            (None, 44, "8f", 2892),
            (160.4, 45, "89", 3098),
            (None, 45, "8b", 2892),
            (172.9, 49, "85", 3104),
            (None, 48, "87", 2886),
            (169.7, 47, "81", 3107),
            (None, 48, "83", 2883),
        ),
        [],
        [],
    ),
    "info--16die-A3-loaded-24.1.rc3.3.txt": (
        "24.1.rc3.3",
        a3(
            (182.0, 36, "9d", 3402),
            (None, 35, "9f", 3200),
            (181.0, 35, "99", 3396),
            (None, 36, "9b", 3205),
            (176.9, 34, "95", 3395),
            (None, 34, "97", 3203),
            (181.2, 36, "91", 3395),
            (None, 35, "93", 3203),
            (179.8, 36, "8d", 52553),
            (None, 37, "8f", 52358),
            (183.8, 37, "89", 52567),
            (None, 36, "8b", 52345),
            (185.9, 37, "85", 52552),
            (None, 36, "87", 52358),
            (182.1, 34, "81", 52554),
            (None, 36, "83", 52358),
        ),
        named(
            "pt_main_thread",
            [
                (4, 0, 957687, 49207),
                (4, 1, 957770, 49207),
                (5, 0, 957790, 49207),
                (5, 1, 957852, 49207),
                (6, 0, 957876, 49207),
                (6, 1, 957912, 49207),
                (7, 0, 957957, 49207),
                (7, 1, 958011, 49207),
            ],
        ),
        [],
    ),
    "info--A3-first-npu-wide-layout-26.0.rc2.txt": ("26.0.rc2", a3((162.6, 34, "9d", 3419), (None, 34, "9f", 2874)), [], []),
    "info--1x310P3-idle-24.1.0.1.txt": (
        "24.1.0.1",
        [Chip(1, 0, "310P3", "OK", None, 47, "0000:01:00.0", 0, 1894, 44215, None, None, 0)],
        [],
        [],
    ),
    "info--310B4-alarm-trailing-space-23.0.0.txt": (
        "23.0.0",
        [Chip(0, 0, "310B4", "Alarm", 0.0, 65, None, 0, 3628, 15609, None, None, 0)],
        None,
        [],
    ),
    "info--4x310P3-duo-24.1.0.1.txt": (
        "24.1.0.1",
        [
            Chip(npu, chip, "310P3", "OK", None, temperature, f"0000:{bus}:00.0", 0, used, total, None, None, device)
            for npu, chip, temperature, bus, used, total, device in (
                (1536, 0, 51, "06", 1596, 44280, 0),
                (1536, 1, 50, "06", 1325, 43693, 1),
                (1792, 0, 51, "07", 1452, 44280, 2),
                (1792, 1, 51, "07", 1444, 43693, 3),
                (2048, 0, 50, "08", 1353, 44280, 4),
                (2048, 1, 49, "08", 1529, 43693, 5),
                (2304, 0, 52, "09", 1656, 44280, 6),
                (2304, 1, 50, "09", 1278, 43693, 7),
            )
        ],
        [],
        [],
    ),
    "info--4x910A-warning-23.0.rc1.b070.txt": (
        "23.0.rc1.b070",
        [
            Chip(0, 0, "910A", "Warning", 72.0, 39, "0000:c1:00.0", 0, 938, 15137, 3, 32768, None),
            Chip(1, 0, "910A", "Warning", 70.2, 37, "0000:81:00.0", 0, 1820, 15137, 3, 32768, None),
            Chip(2, 0, "910A", "Warning", 70.8, 37, "0000:41:00.0", 0, 1667, 15137, 30750, 32768, None),
            Chip(3, 0, "910A", "Warning", 68.8, 39, "0000:01:00.0", 0, 2777, 15039, 0, 32768, None),
        ],
        [],
        [],
    ),
    "info--910-warning-shifted-columns-23.0.5.txt": (
        "23.0.5",
        [
            Chip(0, 0, "xxx", "Warning", 73.1, 37, "0000:61:00.0", 0, 920, 13553, 0, 32768, None),
            Chip(7, 0, "xxx", "OK", 67.0, 38, "0000:3d:00.0", 0, 2346, 15567, 0, 32768, None),
        ],
        [],
        [],
    ),
}


def test_every_recorded_table_has_a_row_here() -> None:
    assert set(TABLES) == {path.name for path in SAMPLES.glob("info--*.txt")}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("disturb", ["as recorded", "crlf", "trailing blanks", "log line before"])
def test_table(name: str, disturb: str) -> None:
    text = sample(name)
    if disturb == "crlf":
        text = text.replace("\n", "\r\n")
    elif disturb == "trailing blanks":
        text = text.replace("\n", " \t\n")
    elif disturb == "log line before":
        text = f"DrvMngGetConsoleLogLevel failed. (g_conLogLevel=3)\n{text}"
    info = _npu_smi.parse_info(text)
    version, chips, processes, warnings = TABLES[name]
    assert (info.tool_version, info.driver_version) == (version, version)
    assert info.chips == chips
    assert info.processes == processes
    assert info.warnings == warnings


def test_layout_of_the_published_source() -> None:
    """Layout E: 99 columns, printed by the real front end."""
    records = json.loads(OBSERVED.read_text(encoding="utf-8"))["records"]
    text = next(record["stdout"] for record in records if record["argv"] == ["npu-smi", "info"] and record["note"] == "8x 910B, stub")
    info = _npu_smi.parse_info(text)
    assert info.tool_version == "26.0.0"
    assert info.chips[0] == Chip(0, 0, "910B3", "OK", 90.0, 40, "0000:c1:00.0", 0, 0, 0, 3402, 65536, None)
    assert [chip.npu_id for chip in info.chips] == list(range(8))


def test_process_ids_in_containers() -> None:
    text = sample("info--A3-first-npu-wide-layout-26.0.rc2.txt").replace(
        "| No running processes found in NPU 0                                                                              |",
        "| 0       1                 | 2895155       | VLLMEngineCor      | 55671                 | 217                     |",
    )
    assert _npu_smi.parse_info(text).processes == [Process(0, 1, 2895155, "VLLMEngineCor", 55671, 217)]


def test_process_memory_in_bytes() -> None:
    text = sample("info--4x910A-warning-23.0.rc1.b070.txt").replace(
        "| No running processes found in NPU 0                                                       |",
        "| 0       0            | 4711          | python                   | 2097152                 |",
    )
    assert _npu_smi.parse_info(text).processes == [Process(0, 0, 4711, "python", 2)]


def test_chip_named_by_a_number() -> None:
    """An Ascend 310 is called 310, which looks like the ids of a chip line."""
    text = sample("info--1x310P3-idle-24.1.0.1.txt").replace("310P3", "310  ")
    assert [(chip.npu_id, chip.name) for chip in _npu_smi.parse_info(text).chips] == [(1, "310")]


def test_chip_that_is_ill_may_have_no_name() -> None:
    text = sample("info--8x910B3-loaded-25.5.1.txt").replace("| 1     910B3               | OK      ", "| 1                         | Critical")
    info = _npu_smi.parse_info(text)
    assert [(chip.npu_id, chip.name, chip.health) for chip in info.chips[:3]] == [(0, "910B3", "OK"), (1, "", "Critical"), (2, "910B3", "OK")]
    assert (info.chips[1].bus_id, info.chips[1].hbm_used_mb, info.warnings) == ("0000:c2:00.0", 59184, [])


@pytest.mark.parametrize(
    ("cell", "memory", "hbm"),
    [
        ("NA   / NA         59189/ 65536", (None, None), (59189, 65536)),
        ("N/A  / N/A        59189/ 65536", (None, None), (59189, 65536)),
        ("-    / -          59189/ 65536", (None, None), (59189, 65536)),
        ("NA                59189/ 65536", (None, None), (59189, 65536)),
        ("NA   / 15137      59189/ 65536", (None, 15137), (59189, 65536)),
        ("0    / 0          NA   / NA   ", (0, 0), (None, None)),
        ("0    / 0          NA   / 65536", (0, 0), (None, 65536)),
        ("0    / 0          -12  / 65536", (0, 0), (-12, 65536)),
    ],
)
def test_usage_that_is_not_given_leaves_the_other_one_in_its_place(cell: str, memory: tuple, hbm: tuple) -> None:
    text = sample("info--8x910B3-loaded-25.5.1.txt").replace("0    / 0          59189/ 65536", cell, 1)
    chip = _npu_smi.parse_info(text).chips[0]
    assert (chip.memory_used_mb, chip.memory_total_mb) == memory
    assert (chip.hbm_used_mb, chip.hbm_total_mb) == hbm


@pytest.mark.parametrize(
    ("banner", "versions"),
    [
        ("| npu-smi 25.5.1                   Version:                                                      |", ("25.5.1", None)),
        ("| npu-smi 25.5.1                   Version:|", ("25.5.1", None)),
        ("| npu-smi 25.5.1                   Version: NA                                                   |", ("25.5.1", None)),
        ("| npu-smi                          Version: 25.5.1                                               |", (None, "25.5.1")),
    ],
)
def test_versions_that_the_table_does_not_give(banner: str, versions: tuple) -> None:
    first, *rest = sample("info--8x910B3-loaded-25.5.1.txt").split("\n")[1:]
    assert "Version: 25.5.1" in first
    info = _npu_smi.parse_info("\n".join([banner, *rest]))
    assert (info.tool_version, info.driver_version) == versions
    assert info.chips == LOADED_910B3


def test_table_cut_inside_a_row() -> None:
    text = sample("info--8x910B3-idle-24.1.rc1.b030.txt")
    cut = text[: text.index("0000:02:00.0") + 6]
    info = _npu_smi.parse_info(cut)
    assert [chip.npu_id for chip in info.chips] == [0, 1, 2, 3, 4]
    assert info.processes is None
    assert any("cut off" in warning for warning in info.warnings)
    assert any("An NPU without its chip line: 5     910B3" in warning for warning in info.warnings)


def test_table_cut_between_rows() -> None:
    text = sample("info--8x910B3-idle-24.1.rc1.b030.txt")
    lines = text.split("\n")
    info = _npu_smi.parse_info("\n".join(lines[:8]))
    assert [chip.npu_id for chip in info.chips] == [0]
    assert info.warnings == ["The table of npu-smi info ends without its closing rule: rows may be missing."]


def test_missing_chip_line_shifts_nothing() -> None:
    lines = sample("info--8x910B3-idle-24.1.rc1.b030.txt").split("\n")
    without = [line for line in lines if "0000:C2:00.0" not in line]
    info = _npu_smi.parse_info("\n".join(without))
    assert [chip.npu_id for chip in info.chips] == [0, 2, 3, 4, 5, 6, 7]
    assert info.chips[1].bus_id == "0000:81:00.0"
    assert info.warnings == ["An NPU without its chip line: 1     910B3 | OK | 92.0        39                0    / 0"]


def test_newer_kind_of_table_is_refused_by_name() -> None:
    text = "| npu-smi 25.7.rc1.7 Version: 25.7.rc1.7 |\n+---+---+\n| NPU ID | Name       | Health |\n+===+===+\n| 0      | Ascend950  | OK     |\n+===+===+\n"
    with pytest.raises(NpuSmiError, match=r"table of a newer kind .*NPU ID \| Name"):
        _npu_smi.parse_info(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "npu-smi info printed nothing."),
        ("Segmentation fault\n", "beginning with 'Segmentation fault'"),
        ("\ufffd\ufffd\x00garbage", "beginning with"),
        ("There is no NPU card on this server.\n", "npu-smi info answered: There is no NPU card on this server."),
        ("| npu-smi 24.1.0 Version: 24.1.0 |\n", "printed something that is not its known answer"),
    ],
)
def test_what_is_no_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(NpuSmiError) as error:
        _npu_smi.parse_info(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("error--no-driver-8005.txt", "dcmi module initialize failed. ret is -8005 (the driver is not loaded, or its devices are not visible here)"),
        ("error--no-npu-card.txt", "There is no NPU card on this server."),
        ("error--invalid-card-id.txt", "Invalid card id."),
        ("error--vm-or-container.txt", "This command cannot be executed on a VM or container."),
        ("error--not-root.txt", "Operation not permitted, only root user on physical machine can call this api."),
        ("error--unknown-command.txt", "Command or option is not found."),
        ("error--unsupported-set.txt", "This device does not support setting ecc-enable."),
        ("product--unsupported-910B3-25.5.1.txt", "This device does not support querying product."),
        ("topo--unsupported.txt", "This device does not support querying topo."),
    ],
)
def test_refusals(name: str, sentence: str) -> None:
    assert _npu_smi.refusal(sample(name)) == sentence
    assert _npu_smi.is_driver_missing(sample(name)) == ("8005" in name)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("dcmi module initialize failed. ret is -8020\n", ["occupied by another container or process", "end that one"]),
        (
            "dcmi model initialized failed, because the device is used. ret is -8020\nnpu get board type failed. ret is -9005\n",
            ["dcmi model initialized failed", "occupied by another container or process"],
        ),
        ("dcmi model initialized failed, because the device is used\n", ["occupied by another container or process"]),
        ("npu get board type failed. ret is -8008\n", ["npu get board type failed", "the device does not exist"]),
        ("npu get board type failed. ret is -9005\n", ["/usr/local/dcmi"]),
        ("npu-smi: error while loading shared libraries: libc_sec.so: cannot open shared object file\n", ["libc_sec.so", "LD_LIBRARY_PATH"]),
        ("bash: /usr/local/bin/npu-smi: Permission denied\n", ["Permission denied", "run as root"]),
    ],
)
def test_refusals_by_a_driver_that_is_there(text: str, parts: list) -> None:
    said = _npu_smi.refusal(text)
    assert said and all(part in said for part in parts)
    assert not _npu_smi.is_driver_missing(text)
    with pytest.raises(NpuSmiError, match="npu-smi info answered: "):
        _npu_smi.parse_info(text)


@pytest.mark.parametrize("name", [*TABLES, "info-m--16die-A3.txt", "board-i--910B3-25.5.1.txt", "health-ic--910B3-alarm-one-code.txt"])
def test_answers_are_no_refusals(name: str) -> None:
    assert _npu_smi.refusal(sample(name)) is None


def test_mapping_of_910b3() -> None:
    rows = _npu_smi.parse_mapping(sample("info-m--8x910B3-25.5.1.txt"))
    assert rows[:3] == [Mapping(0, 0, 0, None, "Ascend 910B3"), Mapping(0, 1, None, None, "Mcu"), Mapping(1, 0, 1, None, "Ascend 910B3")]
    assert [row.logic_id for row in rows if not row.is_mcu] == list(range(8))
    assert len(rows) == 16


def test_mapping_of_910a_has_no_mcu() -> None:
    rows = _npu_smi.parse_mapping(sample("info-m--8x910A-23.0.5.txt"))
    assert rows == [Mapping(npu, 0, npu, None, "Ascend 910A") for npu in range(8)]


def test_mapping_of_a3_has_physical_ids() -> None:
    rows = _npu_smi.parse_mapping(sample("info-m--16die-A3.txt"))
    assert len(rows) == 24
    assert rows[21:] == [Mapping(7, 0, 14, 14, "Ascend910"), Mapping(7, 1, 15, 15, "Ascend910"), Mapping(7, 2, None, None, "Mcu")]


def test_mapping_names_a_lost_npu() -> None:
    text = "\tNPU ID                         Chip ID                        Chip Logic ID                  Chip Name\n\t-1    0    0    Ascend 910B3\n"
    assert _npu_smi.parse_mapping(text) == [Mapping(-1, 0, 0, None, "Ascend 910B3")]


WIDE = "\tNPU ID                         Chip ID                        Chip Logic ID                  Chip Name\n"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (f"{WIDE}\t0    0    0    Ascend 910B3\n\t1    0    1\n", [Mapping(0, 0, 0, None, "Ascend 910B3"), Mapping(1, 0, 1, None, "")]),
        ("NPU ID Chip ID Chip Logic ID Chip Name\n0 0 0 Ascend 910B3\n", [Mapping(0, 0, 0, None, "Ascend 910B3")]),
        ("NPU ID\tChip ID\tChip Logic ID\tChip Phy-ID\tChip Name\n0\t1\t1\t9\tAscend910\n", [Mapping(0, 1, 1, 9, "Ascend910")]),
        ("NPU ID  Slot ID  Chip ID  Chip Logic ID  Chip Name\n0  3  0  0  Ascend 910B3\n", [Mapping(0, 0, 0, None, "Ascend 910B3")]),
        ("NPU ID  Chip ID  Chip Logic ID  Bus-Id  Chip Name\n0  0  0  0000:C1:00.0  Ascend 910B3\n", [Mapping(0, 0, 0, None, "Ascend 910B3")]),
    ],
    ids=["no name", "single blanks", "tabs", "slot", "unknown column"],
)
def test_mapping_of_other_shapes(text: str, rows: list) -> None:
    assert _npu_smi.parse_mapping(text) == rows


@pytest.mark.parametrize("part", ["Mcu", "3559", ""])
def test_parts_of_a_card_that_are_no_chip(part: str) -> None:
    rows = _npu_smi.parse_mapping(f"{WIDE}\t0    0    5    MiniD\n\t0    4    -    {part}\n")
    assert [row.is_mcu for row in rows] == [False, True]
    chip = Chip(0, 0, "310", "OK", None, 45, None, 0, 0, 0, None, None, None)
    assert ids([chip], rows) == ([5], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("There is no NPU card on this server.\n", "answered: There is no NPU card"),
        ("\tNPU ID    Chip ID    Chip Name\n\t0    0    Ascend 910B3\n", "header without Chip Logic ID"),
        ("\tNPU ID    Chip ID    Chip Logic ID    Chip Name\n\t0    0\n", "does not fit its header"),
        ("\tNPU ID    Chip ID    Chip Logic ID    Chip Name\n\t0    0    Ascend 910B3\n", "does not fit its header"),
        ("\tNPU ID    Chip ID    Chip Logic ID    Chip Phy-ID    Chip Name\n\t0    0    0    Ascend910\n", "does not fit its header"),
        ("\tNPU ID    Chip ID    Chip Logic ID    Chip Name\n", "not its known answer"),
    ],
)
def test_broken_mapping(text: str, message: str) -> None:
    with pytest.raises(NpuSmiError) as error:
        _npu_smi.parse_mapping(text)
    assert message in str(error.value)


def test_list() -> None:
    assert _npu_smi.parse_list(sample("info-l--8x910B3.txt")) == dict.fromkeys(range(8), 1)
    assert _npu_smi.parse_list(sample("info-l--A3-8npu-2chip.txt")) == dict.fromkeys(range(8), 2)


def test_list_that_is_cut_off() -> None:
    text = sample("info-l--8x910B3.txt")
    with pytest.raises(NpuSmiError, match="counts 8 NPUs and lists 6"):
        _npu_smi.parse_list(text[: text.index("\tNPU ID                         : 6")])


def test_list_with_several_lost_npus() -> None:
    text = "\tTotal Count : 3\n\n\tNPU ID : 0\n\tChip Count : 1\n\n\tNPU ID : -1\n\tChip Count : 0\n\n\tNPU ID : -1\n\tChip Count : 0\n"
    assert _npu_smi.parse_list(text) == {0: 1, -1: 0}
    with pytest.raises(NpuSmiError, match="counts 3 NPUs and lists 2"):
        _npu_smi.parse_list(text[: text.rindex("\tChip Count")])


def test_board() -> None:
    board = _npu_smi.parse_board(sample("board-i--910B3-25.5.1.txt"))
    assert (board.npu_id, board.driver_version, board.firmware_version, board.compatibility) == (0, "25.5.1", "7.7.0.6.236", "OK")
    assert board.fields["Product Name"] == "IT21HMDC_Bin6"
    assert board.fields["Model"] is None
    assert board.fields["PCIe Bus Info"] == "0000:C1:00.0"


def test_board_of_older_drivers_and_of_one_chip() -> None:
    old = _npu_smi.parse_board(sample("board-i--910A-23.0.5.txt"))
    assert (old.driver_version, old.firmware_version, old.compatibility) == ("23.0.5", "7.1.0.7.220", "OK")
    chip = _npu_smi.parse_board(sample("board-ic--910A-23.0.5.txt"))
    assert chip == Board(0, None, "7.1.0.7.220", None, chip.fields)
    assert chip.fields["Chip Name"] == "910A"


def test_board_that_is_refused() -> None:
    with pytest.raises(NpuSmiError, match="board answered: Invalid card id"):
        _npu_smi.parse_board(sample("error--invalid-card-id.txt"))


def test_health() -> None:
    assert _npu_smi.parse_health(sample("health-ic--910A-ok.txt")) == Health("OK", [], [])
    assert _npu_smi.parse_health(sample("health-ic--910B3-alarm-one-code.txt")) == Health(
        "Alarm", ["80E01801"], ["node type=HBM, sensor type=RAM, event state=(text varies by driver)"]
    )
    assert _npu_smi.parse_health(sample("health-i--910B3-ok.txt")).status == "OK"


def test_health_with_several_codes_continues_under_an_empty_key() -> None:
    text = (
        "\tHealth Status                  : Alarm\n"
        "\tError Code                     : 80E01801 81078603\n"
        "\tError Information              : first\n\n"
        "\t                               : second\n"
    )
    assert _npu_smi.parse_health(text) == Health("Alarm", ["80E01801", "81078603"], ["first", "second"])


def test_health_with_a_code_whose_text_is_not_known() -> None:
    text = (
        "\tHealth Status                  : Alarm\n"
        "\tError Code                     : 80E01801 81078603 80CB8009\n"
        "\tError Information              : first\n"
        "Failed to get error information for error code : 0x81078603\n\n"
        "\t                               : third\n"
    )
    texts = ["first", "Failed to get error information for error code : 0x81078603", "third"]
    assert _npu_smi.parse_health(text) == Health("Alarm", ["80E01801", "81078603", "80CB8009"], texts)
    # The first one stands behind its title.
    assert _npu_smi.parse_health(text.replace(" : first\nFailed", " :Failed")).texts == texts[1:]


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("usages-i--910B3-25.5.1.txt", "usages", {"HBM Capacity(MB)": "65536", "HBM Usage Rate(%)": "90", "Aicube Usage Rate(%)": "0"}),
        ("usages-i--910A-23.0.5.txt", "usages", {"DDR Capacity(MB)": "13553", "HBM Capacity(MB)": "31129"}),
        ("memory-i--910B3-25.5.1.txt", "memory", {"HBM Clock Speed(MHz)": "1600", "HBM Manufacturer ID": "0x57"}),
        ("common-i--910B3-25.5.1.txt", "common", {"Aicore Count": "20", "NPU Real-time Power(W)": "99.7", "Temperature(C)": "33"}),
        ("power-i--910B3-25.5.1.txt", "power", {"NPU Real-time Power(W)": "99.4"}),
    ],
)
def test_values_of_one_chip(name: str, kind: str, expected: dict) -> None:
    text = sample(name)
    values = _npu_smi.parse_chip(text, kind, 0)
    assert {key: values.get(key) for key in expected} == expected
    assert not {"NPU ID", "Chip Count", "Chip ID", "Chip Name"} & set(values)
    # Empty lines mean nothing, and what is logged before the answer may look like a field.
    for spoilt in (text.replace("\n", "\n\n"), "\n".join(filter(str.strip, text.split("\n"))), f"[ERROR] dsmi: x\n{text}"):
        assert _npu_smi.parse_chip(spoilt, kind, 0) == values


@pytest.mark.parametrize("between", ["\n", "", "\n\n"], ids=["an empty line", "none", "two"])
@pytest.mark.parametrize("order", ["id last", "id first"])
def test_values_of_two_dies(between: str, order: str) -> None:
    dies = []
    for die, used in ((0, 90), (1, 17)):
        lines = [f"\tHBM Usage Rate(%)              : {used}\n", "\tTemperature(C)                 : 40\n"]
        number = f"\tChip ID                        : {die}\n"
        dies.append("".join([number, *lines] if order == "id first" else [*lines, number]))
    mcu = ["\tTemperature(C)                 : 31\n", "\tChip Name                      : mcu\n"]
    dies.append("".join(reversed(mcu) if order == "id first" else mcu))
    text = f"\tNPU ID                         : 0\n\tChip Count                     : 2\n{between}{between.join(dies)}"
    for die, used in ((0, "90"), (1, "17")):
        assert _npu_smi.parse_chip(text, "common", die) == {"HBM Usage Rate(%)": used, "Temperature(C)": "40"}


def test_values_of_another_chip() -> None:
    text = sample("usages-i--910B3-25.5.1.txt")
    second = text[text.index("\tDDR") :].replace("Chip ID                        : 0", "Chip ID                        : 1").replace(": 90", ": 17")
    assert _npu_smi.parse_chip(text + second, "usages", 1)["HBM Usage Rate(%)"] == "17"
    with pytest.raises(NpuSmiError, match="tells nothing of chip 1"):
        _npu_smi.parse_chip(text, "usages", 1)


def ids(chips: list[Chip], mapping: list[Mapping] | None) -> tuple[list[int | None], list[str]]:
    result, _logic, warnings = _npu_smi.with_physical_ids(chips, mapping)
    return [chip.phy_id for chip in result], warnings


def test_physical_ids_of_one_chip_for_each_npu() -> None:
    chips = _npu_smi.parse_info(sample("info--8x910B3-loaded-25.5.1.txt")).chips
    mapping = _npu_smi.parse_mapping(sample("info-m--8x910B3-25.5.1.txt"))
    assert ids(chips, mapping) == (list(range(8)), [])
    assert ids(chips, None) == (list(range(8)), [])


def test_physical_ids_of_the_others_when_a_card_is_lost() -> None:
    chips = [chip for chip in _npu_smi.parse_info(sample("info--8x910B3-loaded-25.5.1.txt")).chips if chip.npu_id != 3]
    mapping = [Mapping(chip.npu_id, 0, logic, None, "Ascend 910B3") for logic, chip in enumerate(chips)]
    assert ids(chips, mapping) == ([0, 1, 2, 4, 5, 6, 7], [])
    assert ids(chips, None) == ([0, 1, 2, 4, 5, 6, 7], [])
    nameless = [replace(chip, name="") if chip.npu_id == 5 else chip for chip in chips]
    assert ids(nameless, mapping) == ([0, 1, 2, 4, 5, 6, 7], [])


def test_physical_ids_of_a3() -> None:
    chips = _npu_smi.parse_info(sample("info--16die-A3-idle-25.0.rc1.txt")).chips
    mapping = _npu_smi.parse_mapping(sample("info-m--16die-A3.txt"))
    assert ids(chips, mapping) == (list(range(16)), [])
    assert ids(chips, None) == (list(range(16)), [])


def test_physical_ids_of_two_dies_are_never_guessed() -> None:
    chips = [Chip(0, die, "Ascend910", "OK", None, 45, None, 0, 0, 0, 0, 65536, None) for die in (0, 1)]
    found, warnings = ids(chips, None)
    assert found == [None, None]
    assert warnings == [f"NPU 0 chip {die}: npu-smi gives no physical id." for die in (0, 1)]


def test_physical_ids_that_contradict_each_other_are_told() -> None:
    chips = _npu_smi.parse_info(sample("info--A3-first-npu-wide-layout-26.0.rc2.txt")).chips
    mapping = [Mapping(0, 0, 0, 4, "Ascend910"), Mapping(0, 1, 1, 1, "Ascend910")]
    assert ids(chips, mapping) == ([4, 1], ["NPU 0 chip 0: the table says physical id 0, npu-smi info -m says 4."])


# A printer after the format strings of the tool, to give the parser every value and width there can be.

RULE = f"+{'=' * 27}+{'=' * 15}+{'=' * 52}+\n"
chip_values = st.builds(
    Chip,
    npu_id=st.integers(0, 9999),
    chip_id=st.just(0),
    name=st.sampled_from(["", "910A", "910B1", "910B2C", "910B3", "910B4-1", "310", "310P3", "Ascend910"]),
    health=st.sampled_from(_npu_smi.HEALTH),
    power_w=st.none() | st.integers(0, 9999).map(lambda tenths: tenths / 10),
    temperature_c=st.integers(-40, 150),
    bus_id=st.none() | st.builds("{:04x}:{:02x}:{:02x}.{:x}".format, st.integers(0, 0xFFFF), st.integers(0, 255), st.integers(0, 31), st.integers(0, 7)),
    aicore_percent=st.integers(0, 100),
    memory_used_mb=st.integers(0, 9_999_999),
    memory_total_mb=st.integers(0, 9_999_999),
    hbm_used_mb=st.integers(0, 9_999_999),
    hbm_total_mb=st.integers(0, 9_999_999),
    phy_id=st.none() | st.integers(0, 63),
)
process_values = st.builds(
    Process,
    npu_id=st.integers(0, 9999),
    chip_id=st.integers(0, 3),
    pid=st.integers(1, 4_194_304),
    name=st.none() | st.text("abcXYZ019_:-./", min_size=1, max_size=13),
    memory_mb=st.integers(0, 9_999_999),
)


def show(chips: list[Chip], processes: list[Process]) -> str:
    text = f"| npu-smi {'24.1.0':<24} Version: {'24.1.0':<54}|\n{RULE}"
    text += "| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|\n"
    text += f"| Chip  Phy-ID              | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |\n{RULE}"
    for chip in chips:
        power = "-" if chip.power_w is None else f"{chip.power_w:.1f}"
        phy = "" if chip.phy_id is None else str(chip.phy_id)
        text += f"| {chip.npu_id:<5d} {chip.name:<20}| {chip.health:<13} | {power:<11} {chip.temperature_c:<17d} {0:<5d}/ {0:<13d} |\n"
        text += (
            f"| {chip.chip_id:<5d} {phy:<20}| {(chip.bus_id or 'NA').upper():<13} | {chip.aicore_percent:<11d} {chip.memory_used_mb:<5d}/ "
            f"{chip.memory_total_mb:<10d} {chip.hbm_used_mb:<5d}/ {chip.hbm_total_mb:<13d} |\n{RULE}"
        )
    text += f"| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |\n{RULE}"
    for process in processes:
        text += f"| {process.npu_id:<7d} {process.chip_id:<18d}| {process.pid:<13d} | {process.name or '':<24} | {process.memory_mb:<23d} |\n"
    return f"{text}| No running processes found in NPU {0:<61d} |\n{RULE}"


@settings(max_examples=100, deadline=None)
@given(chips=st.lists(chip_values, min_size=1, max_size=16), processes=st.lists(process_values, max_size=8))
def test_printed_tables_are_read_back(chips: list[Chip], processes: list[Process]) -> None:
    info = _npu_smi.parse_info(show(chips, processes))
    assert info.chips == chips
    assert info.processes == processes
    assert info.warnings == []


@settings(max_examples=100, deadline=None)
@given(chips=st.lists(chip_values, min_size=2, max_size=8), cut=st.floats(0, 1))
def test_a_cut_table_never_invents_a_chip(chips: list[Chip], cut: float) -> None:
    text = show(chips, [])
    text = text[: int(len(text) * cut)]
    try:
        info = _npu_smi.parse_info(text)
    except NpuSmiError:
        return
    assert info.chips == chips[: len(info.chips)]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (_npu_smi.parse_info, _npu_smi.parse_mapping, _npu_smi.parse_list, _npu_smi.parse_board, _npu_smi.parse_health):
        try:
            parse(text)
        except NpuSmiError:
            pass
