#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: npu_info
short_description: Gather facts about the Ascend NPUs of a host
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads which NPUs a host has and how they are, from the PCI bus, the device nodes, C(npu-smi) and the files of the installed packages.
  - All NPUs are read in one call, in parallel.
  - A host without a driver is no failure. RV(driver_loaded) is then false and RV(pci) shows the hardware.
  - A value that the tools do not give is null, never a guess.
options:
  subset:
    description:
      - What to ask each NPU beyond the table of C(npu-smi info).
      - The answers are in RV(devices[].details), as the tool names them.
    type: list
    elements: str
    choices: [health, usages, memory, common, power]
    default: []
  timeout:
    description: Seconds that one call of C(npu-smi) may take.
    type: int
    default: 60
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: N/A
    details: Nothing is changed.
  idempotent:
    support: full
notes:
  - Run it as root. For other users C(npu-smi) does not tell whether driver and firmware fit.
seealso:
  - module: npuops.ascend.ascend_package
  - module: npuops.ascend.hccn_info
"""

EXAMPLES = r"""
- name: Read the NPUs
  npuops.ascend.npu_info:
  register: npu

- name: Stop when an NPU is missing or not healthy
  ansible.builtin.assert:
    that:
      - npu.count == 8
      - npu.devices | rejectattr('health', 'eq', 'OK') | length == 0
    fail_msg: "{{ npu.count }} NPUs. {{ npu.problems | join(' ') }}"

- name: Read the fault codes and the load of each NPU too
  npuops.ascend.npu_info:
    subset:
      - health
      - usages
"""

RETURN = r"""
driver_loaded:
  description: Whether C(npu-smi) reached a working driver.
  returned: always
  type: bool
  sample: true
driver_error:
  description: Why no driver was reached, null when one was.
  returned: always
  type: str
  sample: null
driver_version:
  description: Version of the driver that runs.
  returned: always
  type: str
  sample: 24.1.0
firmware_version:
  description: Version of the firmware that runs on the NPUs.
  returned: always
  type: str
  sample: 7.5.0.3.220
compatibility:
  description:
    - What C(npu-smi) says of the fit of driver and firmware, V(OK), V(NOK), V(UNKNOWN) or V(NOT SUPPORT); the worst of all NPUs.
    - V(NOT SUPPORT) is also what a user other than root is told.
  returned: always
  type: str
  sample: OK
tool_version:
  description: Version of C(npu-smi).
  returned: always
  type: str
  sample: 24.1.0
count:
  description: Number of NPU devices (on A3 two for each NPU), from the driver where it is loaded, else from the PCI bus.
  returned: always
  type: int
  sample: 8
pci:
  description: The NPUs on the PCI bus, which needs no driver.
  returned: always
  type: list
  elements: dict
  contains:
    address:
      description: Address on the bus.
      type: str
      returned: always
      sample: "0000:c1:00.0"
    vendor:
      description: Vendor id, in hexadecimal digits.
      type: str
      returned: always
      sample: 19e5
    device:
      description: Device id.
      type: str
      returned: always
      sample: d802
    subsystem_vendor:
      description: Vendor id of the board.
      type: str
      returned: always
      sample: 19e5
    subsystem_device:
      description: Device id of the board.
      type: str
      returned: always
      sample: "3002"
    chip:
      description: Chip family, one of V(310), V(310B), V(310P), V(910), V(910B) (Atlas A2), V(A3) and V(950); null when not known.
      type: str
      returned: always
      sample: 910B
    product:
      description: Product name, null when the ids are not known.
      type: str
      returned: always
      sample: Atlas 800I A2
davinci:
  description: Numbers of the device nodes C(/dev/davinciN).
  returned: always
  type: list
  elements: int
  sample: [0, 1, 2, 3, 4, 5, 6, 7]
devices:
  description: The NPU devices by C(npu-smi), in the order of their physical ids. Empty without a driver.
  returned: always
  type: list
  elements: dict
  contains:
    device:
      description: Physical id, as C(hccn_tool) and rank tables use it; null when the tools do not tell it.
      type: int
      returned: always
      sample: 0
    npu_id:
      description: Id of the NPU for C(npu-smi).
      type: int
      returned: always
      sample: 0
    chip_id:
      description: Number of the chip on the NPU; V(1) for the second die of A3.
      type: int
      returned: always
      sample: 0
    logic_id:
      description: Logic id of the chip.
      type: int
      returned: always
      sample: 0
    name:
      description: Name of the chip.
      type: str
      returned: always
      sample: 910B3
    health:
      description: V(OK), V(Warning), V(Alarm), V(Critical) or V(UNKNOWN).
      type: str
      returned: always
      sample: OK
    power_w:
      description: Power in watts; null for the second die of an NPU.
      type: float
      returned: always
      sample: 99.4
    temperature_c:
      description: Temperature in degrees Celsius.
      type: int
      returned: always
      sample: 34
    bus_id:
      description: Address on the PCI bus.
      type: str
      returned: always
      sample: "0000:c1:00.0"
    aicore_percent:
      description: Load of the AI cores in percent.
      type: int
      returned: always
      sample: 0
    hbm_used_mb:
      description: HBM in use in MB, null on products without HBM.
      type: int
      returned: always
      sample: 3402
    hbm_total_mb:
      description: HBM in MB.
      type: int
      returned: always
      sample: 65536
    memory_used_mb:
      description: DDR memory of the device in use in MB.
      type: int
      returned: always
      sample: 0
    memory_total_mb:
      description: DDR memory of the device in MB; V(0) on products without.
      type: int
      returned: always
      sample: 0
    firmware_version:
      description: Version of the firmware that runs on this NPU.
      type: str
      returned: always
      sample: 7.5.0.3.220
    details:
      description: The answers to O(subset), by its names. For V(health) the fault codes and their texts.
      type: dict
      returned: always
      sample: {"health": {"status": "OK", "codes": [], "texts": []}}
processes:
  description: Processes on the NPUs; null when C(npu-smi) did not tell.
  returned: always
  type: list
  elements: dict
  contains:
    npu_id:
      description: Id of the NPU.
      type: int
      returned: always
      sample: 0
    chip_id:
      description: Number of the chip on the NPU.
      type: int
      returned: always
      sample: 0
    pid:
      description: Process id on the host.
      type: int
      returned: always
      sample: 3233241
    name:
      description: Name of the process, cut off by the tool; null when it is not given (in containers).
      type: str
      returned: always
      sample: mindieservice
    memory_mb:
      description: Memory on the device in MB.
      type: int
      returned: always
      sample: 55844
    container_pid:
      description: Process id in its container, from driver 26 on.
      type: int
      returned: always
      sample: null
installed:
  description: What the files of the installed packages say.
  returned: always
  type: dict
  contains:
    driver_version:
      description: Version of the driver on disk.
      type: str
      returned: always
      sample: 24.1.0
    firmware_version:
      description: Version of the firmware on disk.
      type: str
      returned: always
      sample: 7.5.0.3.220
    path:
      description: Directory under which they are installed.
      type: str
      returned: always
      sample: /usr/local/Ascend
    username:
      description: User of the installation.
      type: str
      returned: always
      sample: HwHiAiUser
    usergroup:
      description: Group of the installation.
      type: str
      returned: always
      sample: HwHiAiUser
    for_all:
      description: Whether all users may use the driver.
      type: bool
      returned: always
      sample: true
    driver_state:
      description:
        - V(absent), V(complete), V(incomplete) for an installation that did not end.
        - V(unconfirmed) for a driver that does not run and whose package, as older ones, does not record its end.
      type: str
      returned: always
      sample: complete
package_compatibility:
  description:
    - Whether the version files of driver and firmware accept each other, null when one is missing.
    - C(status) is V(ok), V(warn) or V(fail). The vendor ships pairs that break one of the ranges, so that is only a warning.
  returned: always
  type: dict
  sample: {"status": "ok", "detail": "Driver 24.1.0 and firmware 7.5.0.3.220 accept each other."}
reboot_pending:
  description: Whether a package was installed since the host started, and the version on disk does not run yet.
  returned: always
  type: bool
  sample: false
problems:
  description: What is wrong or could not be read, in sentences. The same are given as warnings.
  returned: always
  type: list
  elements: str
  sample: []
"""

import os
import re
import typing as t
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict

from ansible.module_utils.basic import AnsibleModule
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


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "subset": {"type": "list", "elements": "str", "choices": ["health", "usages", "memory", "common", "power"], "default": []},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    npu_smi = VendorCli(module, "npu-smi", NPU_SMI_PATHS, timeout=module.params["timeout"])
    try:
        result = gather(npu_smi, module.params["subset"])
    except (VendorCliError, _npu_smi.NpuSmiError, OSError) as error:
        module.fail_json(msg=str(error))
    for problem in result["problems"]:
        module.warn(problem)
    module.exit_json(changed=False, **result)


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
    try:
        return parse(reply.stdout)
    except _npu_smi.NpuSmiError as error:
        raise _npu_smi.NpuSmiError(f"{error} Asked: npu-smi {' '.join(reply.argv[1:])} (exit code {reply.rc}).") from error


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


if __name__ == "__main__":
    main()
