# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask npu-smi, the PCI bus and the files of the packages about all NPUs of a host at once."""

from __future__ import annotations

import os
import re
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict

from ansible_collections.npuops.ascend.plugins.module_utils import _ascend_package as packages
from ansible_collections.npuops.ascend.plugins.module_utils import _npu_smi
from ansible_collections.npuops.ascend.plugins.module_utils._pci import read_npus
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli, VendorCliError
from ansible_collections.npuops.ascend.plugins.module_utils._version import driver_firmware_fit

NPU_SMI_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/bin")
DEVICE_DIRECTORY = "/dev"
WORKERS = 8
# From best to worst.
COMPATIBILITY = ("OK", "NOT SUPPORT", "UNKNOWN", "NOK")


def gather(npu_smi: VendorCli, subset: list[str]) -> dict[str, t.Any]:
    pci = read_npus()
    driver = read_driver(npu_smi, subset)
    on_disk = read_disk(driver)
    problems = driver.pop("problems")
    devices = driver["devices"]
    seen = {device["bus_id"] for device in devices}
    missing = [npu.address for npu in pci if npu.address not in seen]
    # A bus id may be missing in the table (NA), and two chips of a 310P Duo share one.
    if driver["driver_loaded"] and None not in seen and missing:
        problems.append(f"The PCI bus shows {len(pci)} NPUs; the driver does not show {', '.join(missing)}. Look at dmesg for these addresses.")
    if on_disk["reboot_pending"]:
        problems.append("The versions on disk do not run yet: reboot the host.")
    return {
        **driver,
        **on_disk,
        "count": len(devices) if driver["driver_loaded"] else len(pci),
        "pci": [asdict(npu) for npu in pci],
        "davinci": read_davinci(),
        "problems": problems,
    }


def read_driver(npu_smi: VendorCli, subset: list[str]) -> dict[str, t.Any]:
    """What the running driver says; a host without one gives empty values."""
    result: dict[str, t.Any] = {
        "driver_loaded": False,
        "driver_error": None,
        "driver_version": None,
        "firmware_version": None,
        "compatibility": None,
        "tool_version": None,
        "devices": [],
        "processes": None,
        "problems": [],
    }
    if npu_smi.path is None:
        result["driver_error"] = "npu-smi is not installed: no driver is installed, or its tools are not on this host."
        return result
    with ThreadPoolExecutor(WORKERS) as pool:
        table = npu_smi.run("info")
        if _npu_smi.is_driver_missing(table.text):
            result["driver_error"] = _npu_smi.refusal(table.text)
            return result
        if _npu_smi.NO_CARD in table.text:
            result.update(driver_loaded=True, problems=[f"The driver is loaded, but npu-smi says: {_npu_smi.NO_CARD} Look at lspci and dmesg."])
            return result
        info = parsed(_npu_smi.parse_info, table)
        result.update(driver_loaded=True, tool_version=info.tool_version, driver_version=info.driver_version)
        result["problems"] = list(info.warnings)
        if info.processes is not None:
            result["processes"] = [asdict(process) for process in info.processes]
        ask = Asker(npu_smi, pool, result["problems"])
        npu_ids = sorted({chip.npu_id for chip in info.chips})
        mapping = ask.later(_npu_smi.parse_mapping, "info", "-m")
        listed = ask.later(_npu_smi.parse_list, "info", "-l")
        boards = {npu: ask.later(_npu_smi.parse_board, "info", "-t", "board", "-i", str(npu)) for npu in npu_ids}
        details = {(chip.npu_id, chip.chip_id): ask_details(ask, chip, subset) for chip in info.chips}
        chips, logic, warnings = _npu_smi.with_physical_ids(info.chips, mapping())
        result["problems"] += warnings
        lost = sorted(set(listed() or npu_ids) - set(npu_ids))
        if lost:
            result["problems"].append(f"npu-smi lists NPU {', '.join(map(str, lost))}, which its table does not show.")
        found = {npu: board() for npu, board in boards.items()}
        judge_boards(result, [board for board in found.values() if board])
        for chip in chips:
            record = asdict(chip)
            board = found[chip.npu_id]
            key = chip.npu_id, chip.chip_id
            record.update(
                device=record.pop("phy_id"),
                logic_id=logic.get(key),
                firmware_version=board.firmware_version if board else None,
                details={kind: answer() for kind, answer in details[key].items()},
            )
            result["devices"].append(record)
    result["devices"].sort(key=lambda device: (device["device"] is None, device["device"], device["npu_id"], device["chip_id"]))
    return result


class Asker:
    """Asks further questions in the background; what cannot be answered is null and a problem."""

    def __init__(self, npu_smi: VendorCli, pool: ThreadPoolExecutor, problems: list[str]) -> None:
        self.npu_smi = npu_smi
        self.pool = pool
        self.problems = problems
        self.asked: dict[tuple[str, ...], Future[Reply]] = {}

    def later(self, parse: t.Callable[[str], t.Any], *words: str) -> t.Callable[[], t.Any]:
        # The two dies of an NPU share some questions.
        future = self.asked.get(words) or self.asked.setdefault(words, self.pool.submit(self.npu_smi.run, *words))

        def answer() -> t.Any:
            try:
                return parsed(parse, future.result())
            except (VendorCliError, _npu_smi.NpuSmiError) as error:
                self.problems.append(str(error))
                return None

        return answer


def parsed(parse: t.Callable[[str], t.Any], reply: Reply) -> t.Any:
    """Read a reply; a failure names the question, the exit code and what the tool said."""
    # The tool prints everything on standard output, but the loader, a shell around it and libraries of the driver do not.
    stdout, stderr = reply.stdout.strip(), reply.stderr.strip()
    try:
        return parse(reply.stdout if stdout else reply.stderr)
    except _npu_smi.NpuSmiError as error:
        beside = f" Beside it was said: {(_npu_smi.refusal(stderr) or stderr.splitlines()[-1][:200]).rstrip('.')}." if stdout and stderr else ""
        raise _npu_smi.NpuSmiError(f"{error}{beside} Asked: npu-smi {' '.join(reply.argv[1:])} (exit code {reply.rc}).") from error


def ask_details(ask: Asker, chip: _npu_smi.Chip, subset: list[str]) -> dict[str, t.Callable[[], t.Any]]:
    npu, number = str(chip.npu_id), str(chip.chip_id)
    questions: dict[str, t.Callable[[], t.Any]] = {}
    for kind in subset:
        if kind == "health":
            questions[kind] = ask.later(lambda text: asdict(_npu_smi.parse_health(text)), "info", "-t", "health", "-i", npu, "-c", number)
        else:
            # common takes no -c, so all chips are asked and the right one is picked.
            questions[kind] = ask.later(lambda text, kind=kind: _npu_smi.parse_chip(text, kind, chip.chip_id), "info", "-t", kind, "-i", npu)
    return questions


def judge_boards(result: dict[str, t.Any], boards: list[_npu_smi.Board]) -> None:
    """Sum the boards up: one version for the host, and a problem where they differ."""
    for key in ("driver_version", "firmware_version"):
        versions = {board.npu_id: getattr(board, key) for board in boards if getattr(board, key)}
        if versions:
            result[key] = next(iter(versions.values()))
        if len(set(versions.values())) > 1:
            listed = ", ".join(f"NPU {npu}: {version}" for npu, version in versions.items())
            result["problems"].append(f"The NPUs run different versions ({key}): {listed}. Install the firmware package again.")
    words = [board.compatibility for board in boards if board.compatibility]
    if words:
        result["compatibility"] = max(words, key=lambda word: COMPATIBILITY.index(word) if word in COMPATIBILITY else len(COMPATIBILITY))
        if result["compatibility"] == "NOK":
            result["problems"].append(
                f"npu-smi says that driver {result['driver_version']} and firmware {result['firmware_version']} do not fit (NOK). "
                "Install a pair of one HDK release."
            )


def read_disk(driver: dict[str, t.Any]) -> dict[str, t.Any]:
    """What the files of the packages say, compared with what runs."""
    info = packages.read_key_values(packages.INSTALL_INFO) or {}
    path = info.get("Driver_Install_Path_Param") or info.get("Firmware_Install_Path_Param") or packages.DEFAULT_PATH
    found = packages.read_installed(path, info)
    loaded = driver["driver_loaded"]
    if loaded:
        found["driver"] = packages.confirm(found["driver"], loaded, driver["driver_version"])
    fit = driver_firmware_fit(found["driver"].version_info, found["firmware"].version_info)
    for_all = info.get("Driver_Install_For_All")
    return {
        "installed": {
            "driver_version": found["driver"].version,
            "firmware_version": found["firmware"].version,
            "path": path if any(part.state != "absent" for part in found.values()) else None,
            "username": info.get("UserName"),
            "usergroup": info.get("UserGroup"),
            "for_all": None if for_all is None else for_all == "yes",
            "driver_state": found["driver"].state,
        },
        "package_compatibility": asdict(fit) if fit else None,
        "reboot_pending": any(packages.reboot_pending(part, loaded, driver[f"{kind}_version"]) for kind, part in found.items()),
    }


def read_davinci() -> list[int]:
    numbers = (re.match(r"davinci([0-9]+)\Z", name) for name in os.listdir(DEVICE_DIRECTORY))
    return sorted(int(number.group(1)) for number in numbers if number)
