# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what npu-smi prints: text in, typed values out. Tables are read by header words and blanks, never by column number:
widths differ between drivers, a full number touches the slash (C(59189/ 65536)), and rows are known to be shifted.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field, replace

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

HEALTH = ("OK", "Warning", "Alarm", "Critical", "UNKNOWN")
NOT_GIVEN = ("", "-", "--", "na", "n/a")
_OCCUPIED = "the device is occupied by another container or process: end that one, or give this container devices that are free"
# An exit code of a failed start is the low byte of this number.
DCMI_ERRORS = {
    -8001: "the driver refused a parameter",
    -8002: "not permitted; run as root",
    -8003: "out of memory",
    -8005: "the driver is not loaded, or its devices are not visible here",
    -8006: "the driver did not answer in time",
    -8007: "invalid device",
    -8008: "the device does not exist",
    -8009: "the driver call failed",
    -8012: "the device is not ready",
    -8013: "not supported in a container",
    -8015: "the device is being reset",
    -8017: "the device is being upgraded",
    -8020: _OCCUPIED,
    -8255: "not supported",
    # npu-smi's own.
    -9001: "invalid parameter",
    -9002: "not permitted; run as root",
    -9005: "the tool cannot tell the board; in a container its devices or files of the driver such as /usr/local/dcmi are not mounted",
    -9008: "the device does not exist",
    -9255: "not supported",
}
OCCUPIED = -8020
# What a sentence without a number means.
MEANINGS = {
    "because the device is used": _OCCUPIED,
    "error while loading shared libraries": (
        "the libraries of the driver are not found: put lib64/common and lib64/driver of /usr/local/Ascend/driver into LD_LIBRARY_PATH, "
        "in a container mount them too; else repair the driver installation"
    ),
    "Permission denied": "run as root",
}

BANNER = re.compile(r"npu-smi\s+(?:(\S+)\s+)?Version:[^\S\n]*([^\s|]*)")
DCMI_FAILURE = re.compile(r"ret is (-\d{4})\b")
NO_DRIVER = "dcmi module initialize failed"
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
# Used and total, or one word for both where there is nothing to tell.
PAIR = re.compile(r"(-?[0-9]+|N/?A|-+)\s*/\s*(-?[0-9]+|N/?A|-+)(?=\s|\Z)|(?:N/?A|-+)(?=\s|\Z)", re.IGNORECASE)
FIELD = re.compile(r"^\s*(?P<key>[^:|+]*?)\s*:\s*(?P<value>.*?)\s*$")
TITLE = re.compile(r"\S+(?: Logic)? (?:ID|Phy-ID|Name)(?=\s|\Z)")
BUS_ID = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]\Z", re.IGNORECASE)
NO_CARD = "There is no NPU card on this server."
# Printed instead of a result, at exit code 0 or not.
REFUSALS = (
    NO_DRIVER,
    "dcmi model initialized failed",
    "npu get board type failed",
    *MEANINGS,
    NO_CARD,
    "Invalid card id.",
    "Invalid chip id.",
    "Invalid phy id.",
    "Error parameter",
    "Must input parameter of type.",
    "Input parameter format error.",
    "This command must input",
    "This device does not support",
    "This command cannot be executed on a VM or container.",
    "This command can be executed only by the root user.",
    "Operation not permitted",
    "Command or option is not found.",
    "There has no options.",
    "Failed to ",
)


class NpuSmiError(ValueError):
    """A text that is not the expected answer of npu-smi."""


@dataclass(frozen=True)
class Chip:
    """One row pair of the table. A value the tool does not give is None."""

    npu_id: int
    chip_id: int
    name: str
    health: str
    power_w: float | None
    temperature_c: int | None
    bus_id: str | None
    aicore_percent: int | None
    memory_used_mb: int | None
    memory_total_mb: int | None
    hbm_used_mb: int | None
    hbm_total_mb: int | None
    # Physical id, where the table has the column: Phy-ID on A3, Device on 310P.
    phy_id: int | None = None


@dataclass(frozen=True)
class Process:
    """A process on a chip; its name is None where the tool leaves it empty (in containers)."""

    npu_id: int
    chip_id: int
    pid: int
    name: str | None
    memory_mb: int | None
    container_pid: int | None = None


@dataclass(frozen=True)
class Info:
    """The answer to C(npu-smi info)."""

    tool_version: str | None
    driver_version: str | None
    chips: list[Chip]
    # None when the section is missing or is not complete: unknown, not empty.
    processes: list[Process] | None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Mapping:
    """A row of C(npu-smi info -m)."""

    npu_id: int
    chip_id: int
    logic_id: int | None
    phy_id: int | None
    name: str

    @property
    def is_mcu(self) -> bool:
        """Whether the row is no chip but its MCU, or the CPU (3559) of an old card: these have no numbers of their own."""
        return self.logic_id is None and self.phy_id is None


@dataclass(frozen=True)
class Board:
    """The answer to C(npu-smi info -t board -i N)."""

    npu_id: int
    driver_version: str | None
    firmware_version: str | None
    compatibility: str | None
    fields: dict[str, str | None]


def refusal(text: str) -> str | None:
    """The sentence by which npu-smi declines or fails, with the meaning of its number; None for a normal answer."""
    for line in _lines(text):
        if any(known in line for known in REFUSALS):
            found = DCMI_FAILURE.search(line)
            meaning = DCMI_ERRORS.get(int(found.group(1))) if found else None
            meaning = meaning or next((meant for known, meant in MEANINGS.items() if known in line), None)
            return f"{line.strip()} ({meaning})" if meaning else line.strip()
    return None


def is_driver_missing(text: str) -> bool:
    """Whether npu-smi could not reach a working driver. Where the devices are occupied there is one."""
    found = [DCMI_FAILURE.search(line) for line in _lines(text) if NO_DRIVER in line]
    return bool(found) and not any(match and int(match.group(1)) == OCCUPIED for match in found)


def parse_info(text: str) -> Info:
    """Read the table of C(npu-smi info), whatever its layout."""
    banner = BANNER.search(text)
    if banner is None:
        raise _unexpected("npu-smi info", text)
    chips: list[Chip] = []
    processes: list[Process] = []
    warnings = [line.strip() for line in _lines(text) if line.lstrip().startswith("[WARNING]")]
    section, columns, card, has_processes, ruled = "", "", None, False, True
    for line in _lines(text):
        row = line.strip()
        if row.startswith("+"):
            ruled = row.endswith("+")
            continue
        if not row.startswith("|") or BANNER.search(row):
            continue
        ruled = False
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if not row.endswith("|"):
            warnings.append(f"The table is cut off in: {row}")
            continue
        words = cells[0].split()
        if "Process id" in row:
            section, columns, has_processes = "process", row, True
        elif words[:2] == ["NPU", "Name"]:
            section = "card"
        elif words[:1] == ["NPU"]:
            raise NpuSmiError(
                f"npu-smi info prints a table of a newer kind (header {row!r}), which is not known here. "
                "Known are the tables with the headers 'NPU Name' and 'Chip' of drivers up to 26.1 for 310P, 310B, 910, 910B and A3."
            )
        elif section == "card" and words[:1] == ["Chip"]:
            columns = row
        elif section == "process":
            if "No running processes" in row:
                continue
            process = _process(cells, columns)
            if process:
                processes.append(process)
            else:
                warnings.append(f"A process row is not readable: {row}")
        elif section == "card" and card is None:
            card = cells if _is_card(cells) else None
            if card is None:
                warnings.append(f"A row without its NPU line: {row}")
        elif section == "card":
            chip = _chip(card, cells, columns)
            if chip is None:
                warnings.append(f"An NPU without its chip line: {' | '.join(card)}")
                card = cells if _is_card(cells) else None
                continue
            chips.append(chip)
            card = None
    if card is not None:
        warnings.append(f"An NPU without its chip line: {' | '.join(card)}")
    if not chips:
        raise _unexpected("npu-smi info", text)
    if not ruled:
        warnings.append("The table of npu-smi info ends without its closing rule: rows may be missing.")
    return Info(banner.group(1), _given(banner.group(2)), chips, processes if has_processes and ruled else None, warnings)


def _is_card(cells: Sequence[str]) -> bool:
    """A card line has an NPU id, a name (a bare number on 310, none of a chip that is ill) and a health word where the chip line has its bus."""
    words = cells[0].split()
    if len(cells) < 3 or not words or not words[0].lstrip("-").isdecimal():
        return False
    return cells[1] in HEALTH or (len(words) >= 2 and cells[1].isalpha() and cells[1].lower() not in NOT_GIVEN)


def _chip(card: Sequence[str], cells: Sequence[str], columns: str) -> Chip | None:
    """Join a card line and the chip line below it; None when the second is not a chip line."""
    ids = cells[0].split()
    if len(cells) < 3 or _is_card(cells) or not ids or not all(word.isdecimal() for word in ids):
        return None
    npu_id, *name = card[0].split(None, 1)
    upper, lower = card[2].split(), cells[2].split()
    usages = [(_number(used, int), _number(total, int)) for used, total in PAIR.findall(" ".join(lower[1:]))]
    memory = usages[0] if usages else (None, None)
    hbm = usages[1] if len(usages) > 1 and "HBM-Usage" in columns else (None, None)
    return Chip(
        npu_id=int(npu_id),
        chip_id=int(ids[0]),
        name="".join(name).strip(),
        health=card[1],
        power_w=_number(upper[0] if upper else "", float),
        temperature_c=_number(upper[1] if len(upper) > 1 else "", int),
        bus_id=cells[1].lower() if BUS_ID.match(cells[1]) else None,
        aicore_percent=_number(lower[0] if lower else "", int),
        memory_used_mb=memory[0],
        memory_total_mb=memory[1],
        hbm_used_mb=hbm[0],
        hbm_total_mb=hbm[1],
        phy_id=_number(ids[1], int) if len(ids) > 1 else None,
    )


def _process(cells: Sequence[str], columns: str) -> Process | None:
    header = [cell.strip() for cell in columns.strip("|").split("|")]
    ids = cells[0].split()
    if len(cells) != len(header) or len(ids) != 2 or not all(word.isdecimal() for word in ids):
        return None
    values = dict(zip(header, cells))
    pid = _number(values.get("Process id", ""), int)
    if pid is None:
        return None
    memory: int | None = None
    for title, value in values.items():
        if title.startswith("Process memory"):
            memory = _number(value, int)
            # 22.x and 23.0.rc1 print bytes.
            if memory is not None and title.endswith("(B)"):
                memory //= 1024 * 1024
    container = _number(values.get("Process id in container", ""), int)
    return Process(int(ids[0]), int(ids[1]), pid, values.get("Process name") or None, memory, container)


def parse_mapping(text: str) -> list[Mapping]:
    """Read C(npu-smi info -m) by the titles of its header."""
    lines = [line for line in _lines(text) if line.strip()]
    start = next((number for number, line in enumerate(lines) if re.match(r"\s*NPU ID\s+(?:Slot ID\s+)?Chip ID\s", line)), None)
    if start is None:
        raise _unexpected("npu-smi info -m", text)
    # Where the columns are not known by their titles, they are parted by more than one blank.
    titles = TITLE.findall(lines[start])
    if " ".join(titles) != " ".join(lines[start].split()):
        titles = re.split(r"\s{2,}|\t", lines[start].strip())
    missing = [title for title in ("NPU ID", "Chip ID", "Chip Logic ID", "Chip Name") if title not in titles]
    if missing:
        raise NpuSmiError(f"npu-smi info -m prints a header without {', '.join(missing)}: {lines[start].strip()!r}.")
    rows = []
    for line in lines[start + 1 :]:
        # The name is last and may hold a blank (Ascend 910B3); a chip that is ill may have none.
        words = line.split(None, len(titles) - 1)
        values = dict(zip(titles, words))
        ids = [values.get(title, "-") for title in ("NPU ID", "Chip ID", "Chip Logic ID", "Chip Phy-ID")]
        npu, chip, logic, physical = (_number(word, int) for word in ids)
        odd = any(_number(word, int) is None and word.lower() not in NOT_GIVEN for word in ids)
        if npu is None or chip is None or odd or len(words) < len(titles) - 1:
            raise NpuSmiError(f"npu-smi info -m prints a row that does not fit its header {' / '.join(titles)}: {line.strip()!r}.")
        rows.append(Mapping(npu, chip, logic, physical, values.get("Chip Name", "").strip()))
    if not rows:
        raise _unexpected("npu-smi info -m", text)
    return rows


def parse_list(text: str) -> dict[int, int]:
    """Read C(npu-smi info -l): NPU id -> number of chips. A total that does not match its list is an error."""
    total: int | None = None
    chips: dict[int, int] = {}
    current: int | None = None
    # Not len(chips): all NPUs that are lost have the id -1.
    listed = 0
    for key, value in _fields(text):
        if key in ("Total Count", "Card Count"):
            total = _number(value, int)
        elif key in ("NPU ID", "Card ID"):
            current = _number(value, int)
        elif key == "Chip Count" and current is not None:
            chips[current] = _number(value, int) or 0
            listed += 1
            current = None
    if total is None:
        raise _unexpected("npu-smi info -l", text)
    if total != listed:
        raise NpuSmiError(f"npu-smi info -l counts {total} NPUs and lists {listed}: the answer is not complete.")
    return chips


def parse_board(text: str) -> Board:
    """Read C(npu-smi info -t board -i N), with or without C(-c)."""
    fields = dict(_fields(text))
    npu_id = _number(fields.get("NPU ID", ""), int)
    if npu_id is None:
        raise _unexpected("npu-smi info -t board", text)
    given = {key: _given(value) for key, value in fields.items()}
    return Board(npu_id, given.get("Software Version"), given.get("Firmware Version"), given.get("Compatibility"), given)


def parse_chip(text: str, kind: str, chip_id: int) -> dict[str, str | None]:
    """Read one chip's values from a key/value answer of C(-t usages|memory|common|power -i N), under the tool's own keys.

    The values of a chip all stand before its C(Chip ID), or all behind it. Empty lines between chips come and go with the driver.
    """
    fields = [(key, _given(value)) for key, value in _fields(text)]
    # What is logged before the answer may look like a field too.
    header = max((number for number, (key, _value) in enumerate(fields) if key in ("NPU ID", "Chip Count")), default=-1)
    fields = fields[header + 1 :]
    leads = [key for key, _value in fields[:1]] == ["Chip ID"]
    blocks: list[dict[str, str | None]] = [{}]
    for key, value in fields:
        # Parts of the card that are no chip, such as its MCU, have a name instead of an id.
        ends = key in ("Chip ID", "Chip Name")
        if ends and leads:
            blocks.append({})
        blocks[-1][key] = value
        if ends and not leads:
            blocks.append({})
    for block in blocks:
        values = {key: value for key, value in block.items() if key != "Chip ID"}
        if values and block.get("Chip ID") == str(chip_id):
            return values
    if any("Chip ID" in block for block in blocks):
        raise NpuSmiError(f"npu-smi info -t {kind} tells nothing of chip {chip_id}.")
    raise _unexpected(f"npu-smi info -t {kind}", text)


@dataclass(frozen=True)
class Health:
    """The answer to C(npu-smi info -t health -i N -c C)."""

    status: str
    codes: list[str]
    texts: list[str]


def parse_health(text: str) -> Health:
    """Read the health of one chip: status, fault codes (hexadecimal) and their texts. Further ones have an empty key."""
    values: dict[str, list[str]] = {}
    current = ""
    for line in _lines(text):
        if line.lstrip().startswith("Failed to get error information"):
            # Stands for the text of one code, between those of others.
            current = "Error Information"
            values.setdefault(current, []).append(line.strip())
            continue
        found = FIELD.match(line)
        if not found:
            continue
        current = found.group("key") or current
        value = _given(found.group("value"))
        if current and value:
            values.setdefault(current, []).append(value)
    status = values.get("Health Status") or values.get("Health")
    if not status:
        raise _unexpected("npu-smi info -t health", text)
    codes = [code for value in values.get("Error Code", []) for code in re.split(r"[\s,;]+", value) if code]
    return Health(status[0], codes, values.get("Error Information", []))


def parse_topology(text: str) -> dict[str, dict[str, str]] | None:
    """Read C(npu-smi info -t topo): row -> column -> way (X, HCCS, SIO, PIX ...). None where the product has no such table."""
    if "not support" in text:
        return None
    rows: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for line in _lines(text):
        words = line.split()
        if not columns:
            # The last title has two words (CPU Affinity).
            columns = [word for word in words if re.match(r"(?:NPU|Phy-ID)[0-9]+\Z", word)]
        elif words and words[0] in columns and len(words) > len(columns):
            rows[words[0]] = dict(zip(columns, words[1:]))
    if not columns:
        raise _unexpected("npu-smi info -t topo", text)
    if set(rows) != set(columns):
        raise NpuSmiError(f"npu-smi info -t topo shows {len(columns)} columns and {len(rows)} rows: the answer is not complete.")
    return rows


def parse_super_pod(text: str) -> dict[str, int | None]:
    """Read C(npu-smi info -t spod-info -i N -c C) of Atlas A3."""
    fields = dict(_fields(text))
    if "SDID" not in fields:
        raise _unexpected("npu-smi info -t spod-info", text)
    titles = {"sdid": "SDID", "size": "Super Pod Size", "pod": "Super Pod ID", "server_index": "Server Index"}
    return {name: _number(fields.get(title, ""), int) for name, title in titles.items()}


def with_physical_ids(chips: Iterable[Chip], mapping: Sequence[Mapping] | None) -> tuple[list[Chip], dict[tuple[int, int], int], list[str]]:
    """Give each chip its physical id, as hccn_tool and rank tables want it: (chips, logic ids by (npu, chip), warnings).

    It comes from the Phy-ID column of the mapping or of the table; on hosts with one chip for each NPU the NPU id of a 910,
    and the logic id of other chips (without a mapping: the NPU id), is the physical one. Where none of these holds it stays None.
    """
    chips = list(chips)
    warnings: list[str] = []
    rows = {(row.npu_id, row.chip_id): row for row in mapping or () if not row.is_mcu}
    single = all(chip.chip_id == 0 for chip in chips) and all(key[1] == 0 for key in rows)
    logic = {key: row.logic_id for key, row in rows.items() if row.logic_id is not None}
    # A chip that is ill may have lost its name, not its kind.
    usual = next((chip.name for chip in chips if chip.name), "")
    result = []
    for chip in chips:
        key = chip.npu_id, chip.chip_id
        row = rows.get(key)
        physical = chip.phy_id
        if row and row.phy_id is not None:
            if physical is not None and physical != row.phy_id:
                warnings.append(f"NPU {key[0]} chip {key[1]}: the table says physical id {physical}, npu-smi info -m says {row.phy_id}.")
            physical = row.phy_id
        elif physical is None and single:
            # A 910 keeps its NPU id when another card is lost or hidden from a container; the logic ids close the gap.
            physical = chip.npu_id if not mapping or ((chip.name or usual).startswith("910") and chip.npu_id >= 0) else logic.get(key)
        if physical is None:
            warnings.append(f"NPU {key[0]} chip {key[1]}: npu-smi gives no physical id.")
        result.append(replace(chip, phy_id=physical))
    return result, logic, warnings


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _fields(text: str) -> list[tuple[str, str]]:
    found = (FIELD.match(line) for line in _lines(text))
    return [(match.group("key"), match.group("value")) for match in found if match and match.group("key")]


def _given(value: str) -> str | None:
    return None if value.strip().lower() in NOT_GIVEN else value.strip()


def _number(text: str, kind: type[t.Any]) -> t.Any:
    """The number in a cell; None for C(-), C(NA) and anything else, a fraction where a whole number belongs included."""
    if not NUMBER.match(text) or (kind is int and "." in text):
        return None
    return kind(text)


def _unexpected(command: str, text: str) -> NpuSmiError:
    said = refusal(text)
    if said:
        return NpuSmiError(f"{command} answered: {said.rstrip('.')}.")
    first = next((line.strip() for line in _lines(text) if line.strip()), "")
    return NpuSmiError(f"{command} printed something that is not its known answer, beginning with {first[:80]!r}." if first else f"{command} printed nothing.")
