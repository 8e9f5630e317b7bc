# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for npu-smi: the command line of the vendor's tool over the state of a simulated host.

    python3 -m npusim.npu_smi info -t board -i 0

Everything goes to stdout, errors too, as with the vendor's tool.
"""

from __future__ import annotations

import os
import sys

from npusim import faults, host, npu_smi_text
from npusim.state import State, root

NO_DRIVER = -8005
OCCUPIED = -8020
NOT_REACHED = {
    NO_DRIVER: f"dcmi module initialize failed. ret is {NO_DRIVER}\n",
    OCCUPIED: f"dcmi model initialized failed, because the device is used. ret is {OCCUPIED}\n",
}
INVALID_PARAMETER = -9001
NOT_PERMITTED = -9002
UNKNOWN_COMMAND = -9005
NOT_SUPPORTED = -9255
SET_WITHOUT_OPTIONS = 199

# What the parts of a card that do not work for anybody report.
HBM_MANUFACTURER = "0x57"
MCU_TEMPERATURE = 31
MCU_VERSION = "24.2.14"
IDLE_HBM_MB = 3402
ALARM_TEXT = "simulated alarm"
SUPER_POD_SIZE = 32
SUPER_POD_ID = 7


class Answer(Exception):
    """The text and exit code that end a call early. The code is the tool's own number; the shell sees its low byte."""

    def __init__(self, rc: int, text: str) -> None:
        super().__init__(text)
        self.rc = rc
        self.text = text


def refusal(text: str) -> Answer:
    """A wrong call of `npu-smi info`: the reason, then the help."""
    return Answer(INVALID_PARAMETER, text + "\n" + npu_smi_text.INFO_HELP)


def unsupported(what: str, verb: str = "querying", rc: int = 0) -> Answer:
    return Answer(rc, f"This device does not support {verb} {what}.\n")


# --- the devices as the tool sees them ------------------------------------------------------------------------------------


class Chip:
    """One die: its record, its place in the order of the driver, and what it measures."""

    def __init__(self, record: dict, logic_id: int, health: str, error_code: str, process: tuple | None, hbm_used_mb: int) -> None:
        self.record = record
        self.logic_id = logic_id
        self.health = health
        self.error_code = error_code
        self.process = process
        self.hbm_used_mb = hbm_used_mb

    @property
    def npu_id(self) -> int:
        return self.record["npu_id"]

    @property
    def chip_id(self) -> int:
        return self.record["chip_id"]

    @property
    def hbm_percent(self) -> int:
        return self.hbm_used_mb * 100 // self.record["hbm_total_mb"]

    @property
    def temperature(self) -> int:
        return 40 + self.npu_id + self.chip_id

    @property
    def power(self) -> str:
        """A card has one meter, which its first die shows."""
        if self.chip_id:
            return "-"
        return f"{(90 if self.record['name'].startswith('910') else 170) + self.npu_id / 10:.1f}"

    @property
    def bus(self) -> str:
        return self.record["bus_id"].upper()


def chips_of(state: State) -> list[Chip]:
    chips = []
    for logic_id, record in enumerate(host.present_devices(state)):
        alarm = state.fault("health-alarm", record["phy_id"])
        busy = state.fault("hbm-busy", record["phy_id"])
        chips.append(Chip(
            record, logic_id, alarm["level"] if alarm else "OK", alarm["code"] if alarm else "",
            (busy["pid"], busy["process"], max(busy["used_mb"] - IDLE_HBM_MB, 0)) if busy and busy["pid"] else None,
            min(busy["used_mb"], record["hbm_total_mb"]) if busy else IDLE_HBM_MB))
    return chips


def cards_of(state: State) -> dict[int, list[Chip]]:
    cards: dict[int, list[Chip]] = {}
    for chip in chips_of(state):
        cards.setdefault(chip.npu_id, []).append(chip)
    return cards


def line(key: str, value: object, width: int = 30) -> str:
    return f"\t{key:<{width}} : {value}\n"


# --- npu-smi info ---------------------------------------------------------------------------------------------------------


class Layout:
    """The widths in which the versions of the table differ: of the used memory and page fields, and of the last column."""

    def __init__(self, used: int, pages: int, last: int, hugepages: str) -> None:
        self.used = used
        self.pages = pages
        self.last = last
        self.hugepages = hugepages

    def rule(self, mark: str) -> str:
        return f"+{mark * 27}+{mark * 15}+{mark * self.last}+\n"

    @property
    def inner(self) -> int:
        return 27 + 15 + self.last + 2


# B is what shipped drivers print; E is the published source's own build.
LAYOUT_B = Layout(5, 5, 52, "Hugepages-Usage(page)|")
LAYOUT_E = Layout(6, 6, 53, "Hugepages-Usage(page) |")


def table(state: State, layout: Layout) -> str:
    two_dies = any(record["chip_id"] for record in state.devices)
    full_rule = f"+{'-' * layout.inner}+\n"
    # The tool's own version and the driver's: they differ between an upgrade and the reboot that it needs.
    title = f" npu-smi {tool_version(state):<24} Version: {running_driver(state)}"
    text = full_rule + f"|{title:<{layout.inner}}|\n" + layout.rule("-")
    text += f"| NPU   Name                | Health        | Power(W)    Temp(C)           {layout.hugepages}\n"
    text += f"| {'Chip  Phy-ID' if two_dies else 'Chip':<26}| Bus-Id        |{' AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)':<{layout.last}}|\n"
    text += layout.rule("=")
    cards = cards_of(state)
    for chips in cards.values():
        for chip in chips:
            if chip is not chips[0]:
                text += full_rule
            text += (f"| {chip.npu_id:<5} {chip.record['name']:<20}| {chip.health:<13} "
                     f"| {chip.power:<11} {chip.temperature:<17} {0:<{layout.pages}}/ {0:<13} |\n")
            chip_column = f"{chip.chip_id:<5} {chip.record['phy_id']:<20}" if two_dies else f"{chip.chip_id:<26}"
            text += (f"| {chip_column}| {chip.bus:<13} "
                     f"| {0:<11} {0:<5}/ {0:<10} {chip.hbm_used_mb:<{layout.used}}/ {chip.record['hbm_total_mb']:<13} |\n")
        text += layout.rule("=")
    text += layout.rule("-")
    text += f"| NPU     Chip              | Process id    |{' Process name             | Process memory(MB)':<{layout.last}}|\n"
    text += layout.rule("=")
    for npu_id, chips in cards.items():
        rows = [(chip.chip_id, *chip.process) for chip in chips if chip.process]
        for chip_id, pid, name, memory_mb in rows:
            text += f"| {npu_id:<7} {chip_id:<18}| {pid:<13} | {name:<24} | {memory_mb:<{layout.last - 29}} |\n"
        if not rows:
            text += f"|{f' No running processes found in NPU {npu_id:<7}':<{layout.inner}}|\n"
        text += layout.rule("=")
    if host.read_info(root(host.INSTALL_INFO)).get("Driver_Install_Status") != "complete" and state.data["physical_host"]:
        text += ("[WARNING]The driver package may not be completely installed, which may cause function abnormal. "
                 "Please reinstall it.\n")
    return text


def running_driver(state: State) -> str:
    stale = state.fault("stale-driver")
    return stale["version"] if stale else state.driver["version"]


def tool_version(state: State) -> str:
    return host.version_on_disk("driver") or state.driver["version"]


def info_list(state: State) -> str:
    cards = cards_of(state)
    return line("Total Count", len(cards)) + "\n" + "".join(
        line("NPU ID", npu_id) + line("Chip Count", len(chips)) + "\n" for npu_id, chips in cards.items())


def info_map(state: State) -> str:
    two_dies = any(record["chip_id"] for record in state.devices)

    def row(npu: object, chip: object, logic: object, phy: object, name: str) -> str:
        ids = (npu, chip, logic, phy) if two_dies else (npu, chip, logic)
        return "\t" + "".join(f"{value!s:<31}" for value in ids) + name + "\n"

    text = row("NPU ID", "Chip ID", "Chip Logic ID", "Chip Phy-ID", f"{'Chip Name':<30}")
    for npu_id, chips in cards_of(state).items():
        for chip in chips:
            name = chip.record["name"] if two_dies else f"Ascend {chip.record['name']}"
            text += row(npu_id, chip.chip_id, chip.logic_id, chip.record["phy_id"], name)
        text += row(npu_id, 2 if two_dies else 1, "-", "-", f"{'Mcu':<30}")
    return text


# --- npu-smi info -t ------------------------------------------------------------------------------------------------------


def running_firmware(state: State) -> str:
    return state.firmware.get("version", host.FACTORY_FIRMWARE)


def compatibility(state: State) -> str:
    """Whether the running firmware is in the range that the driver names. Ordinary users are not told."""
    if host.uid() != 0:
        return "NOT SUPPORT"
    path = host.read_info(root(host.INSTALL_INFO)).get("Driver_Install_Path_Param", "")
    named = host.read_info(root(os.path.join(path, "driver/version.info"))).get("compatible_version_fw", "")
    bounds = [_numbers(bound) for bound in named.strip("[]").split(",")]
    if len(bounds) != 2:
        return "UNKNOWN"
    return "OK" if bounds[0] <= _numbers(running_firmware(state))[:3] <= bounds[1] else "NOK"


def _numbers(version: str) -> list[int]:
    return [int(part) if part.isdigit() else 0 for part in version.split(".")]


def board(state: State, chips: list[Chip]) -> str:
    record = chips[0].record
    return "".join(line(key, value) for key, value in (
        ("NPU ID", record["npu_id"]),
        ("Product Name", "IT21HMDC_Bin6" if len(chips) == 1 else "IT23DMDA"),
        ("Model", "NA"),
        ("Manufacturer", "Huawei"),
        ("Serial Number", record["serial"]),
        ("Software Version", running_driver(state)),
        ("Firmware Version", running_firmware(state)),
        ("Compatibility", compatibility(state)),
        ("Board ID", state.data["board_id"]),
        ("PCB ID", "A"),
        ("BOM ID", "1"),
        ("PCIe Bus Info", chips[0].bus),
        ("Slot ID", record["npu_id"]),
        ("Class ID", "NA"),
        *((key, "0x" + record[field].upper()) for key, field in (
            ("PCI Vendor ID", "pci_vendor"), ("PCI Device ID", "pci_device"),
            ("Subsystem Vendor ID", "pci_subsystem_vendor"), ("Subsystem Device ID", "pci_subsystem_device"))),
        ("Chip Count", len(chips)),
    ))


def chip_board(state: State, chip: Chip) -> str:
    die = "00000000 00000000 00000000 00000000 00000000"
    a3 = chip.record["name"] == "Ascend910"
    return "".join(line(key, value) for key, value in (
        ("NPU ID", chip.npu_id),
        ("Chip ID", chip.chip_id),
        ("NPU Name" if a3 else "Chip Type", "Ascend910" if a3 else "Ascend"),
        ("Chip Name", chip.record["name"]),
        ("Chip Version", "V1"),
        ("Board ID", state.data["board_id"]),
        ("PCB ID", "NA"),
        ("BOM ID", "1"),
        ("VDie ID", die),
        ("NDie ID", die),
        ("Chip Position ID", chip.chip_id),
        ("PCIe Bus Info", chip.bus),
        ("Firmware Version", running_firmware(state)),
    ))


def common(chip: Chip) -> str:
    return "".join(line(key, value) for key, value in (
        ("Chip ID", chip.chip_id),
        ("Memory Usage Rate(%)", 0),
        ("HBM Usage Rate(%)", chip.hbm_percent),
        ("Aicore Usage Rate(%)", 0),
        ("Aicore Freq(MHZ)", 1800),
        ("Aicore curFreq(MHZ)", 800),
        ("Aicore Count", 20),
        ("Temperature(C)", chip.temperature),
        ("NPU Real-time Power(W)", chip.power),
    )) + "\n"


def usages(chip: Chip) -> str:
    return "".join(line(key, value) for key, value in (
        ("DDR Capacity(MB)", 0),
        ("DDR Usage Rate(%)", 0),
        ("DDR Hugepages Total(page)", 0),
        ("DDR Hugepages Usage Rate(%)", 0),
        ("HBM Capacity(MB)", chip.record["hbm_total_mb"]),
        ("HBM Usage Rate(%)", chip.hbm_percent),
        ("Aicore Usage Rate(%)", 0),
        ("Aivector Usage Rate(%)", 0),
        ("Aicpu Usage Rate(%)", 0),
        ("Ctrlcpu Usage Rate(%)", 0),
        ("DDR Bandwidth Usage Rate(%)", 0),
        ("HBM Bandwidth Usage Rate(%)", 0),
        ("NPU Utilization(%)", 0),
        ("Aicube Usage Rate(%)", 0),
    ))


def memory(chip: Chip) -> str:
    return "".join(line(key, value) for key, value in (
        ("DDR Capacity(MB)", 0),
        ("DDR Clock Speed(MHz)", 0),
        ("HBM Capacity(MB)", chip.record["hbm_total_mb"]),
        ("HBM Clock Speed(MHz)", 1600),
        ("HBM Temperature(C)", chip.temperature - 2),
        ("HBM Manufacturer ID", HBM_MANUFACTURER),
    ))


def temp(chip: Chip) -> str:
    return line("NPU Temperature (C)", chip.temperature)


def power(chip: Chip) -> str:
    return line("NPU Real-time Power(W)", chip.power)


def volt(chip: Chip) -> str:
    return line("Voltage(V)", "0.89")


def proc_mem(chip: Chip) -> str:
    if chip.process is None:
        return "\tNo process in device.\n"
    pid, name, memory_mb = chip.process
    return f"\tProcess id:{pid} Process name:{name:<17} Process memory(MB):{memory_mb}\n"


def health(chip: Chip) -> str:
    return line("Health", chip.health)


def chip_health(chip: Chip) -> str:
    return (line("Health Status", chip.health) + line("Error Code", chip.error_code or "NA")
            + line("Error Information", ALARM_TEXT if chip.error_code else "NA"))


def super_pod(state: State, chip: Chip) -> str:
    fault = state.fault("super-pod", chip.record["phy_id"]) or {}
    server = state.host_index - 1
    # Every die of a super pod has its own number; how the vendor counts is not public.
    numbers = {"sdid": server * len(state.devices) + chip.record["phy_id"], "pod": SUPER_POD_ID}
    numbers.update((key, fault[key]) for key in numbers if fault.get(key) is not None)
    return "".join(line(key, value) for key, value in (
        ("SDID", numbers["sdid"]),
        ("Super Pod Size", SUPER_POD_SIZE),
        ("Super Pod ID", numbers["pod"]),
        ("Server Index", server),
    ))


MCU_TEMPERATURES = "\tLM75A_TE (C)                   : {0}\n\tLM75B_TE (C)                   : {1}\n" + line("Chip Name", "MCU") + "\n"

# Types with values: what a chip prints in the listing of its card, and when it is asked for alone.
CHIP_TYPES = {
    "usages": (usages, usages), "memory": (memory, memory), "temp": (temp, temp), "power": (power, power), "volt": (volt, volt),
    "proc-mem": (proc_mem, proc_mem), "health": (health, chip_health), "common": (common, None),
}
# Types that a card is asked for and that its chips do not answer; the second number is the width of the card's heading.
CARD_TYPES = {"ecc": 40, "flash": 30, "pcie-err": 30}
NEED_CARD = {"board", *CHIP_TYPES, *CARD_TYPES, "info-vnpu", "sensors", "ecc-enable", "rootkey"}
UNSUPPORTED = {
    "err-count", "product", "spod-info", "sio-info", "nve-level", "mac-addr", "p2p-enable", "aicpu-config", "cpu-num-cfg", "work-mode", "ip",
    "boot-select", "vnpu-mode", "custom-op-cfg-recover", "template-info",
}
# What a container is refused before anything else is looked at.
HOST_ONLY = {
    "vnpu-mode": "This command cannot be executed on a VM or container.\n",
    "custom-op-cfg-recover": "This command cannot be executed on a VM or container.\n",
    "template-info": "This command cannot be executed on a container.\n",
}
KNOWN = NEED_CARD | UNSUPPORTED | {"phyid-remap", "topo", "hccs", "hccs-bw"}


def query(state: State, kind: str, options: dict) -> str:
    """npu-smi info -t TYPE"""
    cards = cards_of(state)
    card, chip_id = options.get("-i"), options.get("-c")
    if kind in HOST_ONLY and host.uid() != 0:
        raise Answer(0, "This command can be executed only by the root user.\n")
    if kind in HOST_ONLY and not state.data["physical_host"]:
        raise Answer(0, HOST_ONLY[kind])
    if kind in UNSUPPORTED and not (kind == "spod-info" and state.product == "A3"):
        raise unsupported(kind)
    if kind == "topo":
        return topology(state)
    if kind == "phyid-remap":
        return remap(state, options)
    if kind in ("hccs", "hccs-bw"):
        return hccs(kind, options)
    if card is None:
        raise refusal("\nThis command must input card id.\n")
    chips = cards[card]
    if chip_id is None:
        if kind in ("info-vnpu", "sensors", "spod-info"):
            raise refusal("Must input parameter of chip id.")
        if kind in ("ecc-enable", "rootkey"):
            raise unsupported(kind)
        return board(state, chips) if kind == "board" else card_values(kind, chips)
    if kind in ("common", "ecc-enable"):
        raise refusal(f'Error parameter in querying chip info, type: "{kind}".')
    if kind == "board":
        return chip_board(state, chips[chip_id])
    if kind == "spod-info":
        return super_pod(state, chips[chip_id])
    if kind in CHIP_TYPES:
        return CHIP_TYPES[kind][1](chips[chip_id])
    raise unsupported(kind)


def card_values(kind: str, chips: list[Chip]) -> str:
    width = CARD_TYPES.get(kind, 30)
    text = line("NPU ID", chips[0].npu_id, width) + line("Chip Count", len(chips), width) + "\n"
    if kind in CARD_TYPES:
        return text
    for chip in chips:
        text += CHIP_TYPES[kind][0](chip)
        if kind != "common":
            text += line("Chip ID", chip.chip_id) + "\n"
    if kind == "common":
        text += line("Chip Name", "mcu") + line("Temperature(C)", MCU_TEMPERATURE)
    if kind == "temp":
        text += MCU_TEMPERATURES.format(MCU_TEMPERATURE, MCU_TEMPERATURE + 2)
    return text


def remap(state: State, options: dict) -> str:
    if "-p" not in options:
        raise refusal("This command must input phy id. Input parameter of -p")
    chip = next(chip for chip in chips_of(state) if chip.record["phy_id"] == options["-p"])
    return "".join(f"\t{key:<30}:{value}\n" for key, value in (
        ("Chip Physical ID", options["-p"]), ("Chip Logic ID", chip.logic_id), ("NPU ID", chip.npu_id), ("Chip ID", chip.chip_id)))


def hccs(kind: str, options: dict) -> str:
    both = "-i" in options and "-c" in options
    if kind == "hccs-bw":
        missing = "profiling_time(1-1000, ms)" if both else "card id and chip id"
        raise Answer(INVALID_PARAMETER, f"\nThis command must input {missing}.\n\n" + npu_smi_text.HCCS_BW_HELP)
    if both:
        raise unsupported(kind)
    text = "Must input parameter of chip id.\n" if "-i" in options else "\nThis command must input card id.\n\n"
    raise Answer(INVALID_PARAMETER, text + npu_smi_text.HCCS_HELP)


def topology(state: State) -> str:
    """Which way two dies reach each other."""
    chips = chips_of(state)
    a3 = any(record["chip_id"] for record in state.devices)
    names = [f"Phy-ID{chip.record['phy_id']}" if a3 else f"NPU{chip.npu_id}" for chip in chips]
    # The server's cards hang on four sockets in pairs, the first pair on the last socket.
    affinity = ("144-167", "96-119", "0-23", "48-71")
    text = "\t   " + "".join(f"{name:<11}" for name in names) + ("" if a3 else "CPU Affinity") + "\n"
    for name, row in zip(names, chips):
        text += f"{name:<11}"
        for column in chips:
            if row is column:
                way = "X"
            elif row.npu_id == column.npu_id:
                way = "SIO"
            else:
                cut = state.fault("topology", row.record["phy_id"]) or state.fault("topology", column.record["phy_id"])
                way = cut["way"] if cut else "HCCS_SW" if a3 else "HCCS"
            text += f"{way:<11}"
        text += "\n" if a3 else affinity[row.npu_id // 2] + "\n"
    return text + (npu_smi_text.TOPO_LEGEND_A3 if a3 else npu_smi_text.TOPO_LEGEND_A2)


# --- the command line -----------------------------------------------------------------------------------------------------


def info(state: State, words: list[str]) -> str:
    if not words:
        return table(state, LAYOUT_E if state.driver["version"].startswith("26.0.0") else LAYOUT_B)
    if words[0] in ("-h", "--help"):
        return npu_smi_text.INFO_HELP
    if words[0] == "-l":
        return info_list(state)
    if words[0] == "-m":
        return info_map(state)
    options = parse_options(state, words)
    if "-t" not in options:
        raise refusal("Must input parameter of type.")
    return query(state, options["-t"], options)


def parse_options(state: State, words: list[str]) -> dict:
    """The options in any order, each at most once, each checked when it is met."""
    cards = cards_of(state)
    options: dict = {}
    position = 0
    while position < len(words):
        name = words[position]
        value = words[position + 1] if position + 1 < len(words) else ""
        if name not in ("-t", "-i", "-c", "-p") or name in options:
            raise refusal(f"Error parameter of {name}")
        if name == "-t" and value not in KNOWN:
            raise refusal("Error parameter of -t")
        number = int(value) if value.isascii() and value.isdigit() else -1
        if name == "-i" and number not in cards:
            raise refusal("Invalid card id.\nError parameter of -i")
        if name == "-p" and number not in [chip.record["phy_id"] for chip in chips_of(state)]:
            raise refusal("Error parameter of -p")
        options[name] = value if name == "-t" else number
        position += 2
    if "-c" in options and options["-c"] not in range(len(cards.get(options.get("-i"), ()))):
        raise refusal("Invalid chip id.\nError parameter of -c")
    return options


def setting(state: State, words: list[str]) -> str:
    if not words:
        raise Answer(SET_WITHOUT_OPTIONS, "\nThere has no options.\n\n" + npu_smi_text.SET_HELP)
    if words[0] in ("-h", "--help"):
        return npu_smi_text.SET_HELP
    require_host_root(state)
    raise unsupported(words[1] if words[0] == "-t" and len(words) > 1 else words[0], "setting", NOT_SUPPORTED)


def clear(state: State, words: list[str]) -> str:
    require_host_root(state)
    raise unsupported(words[1] if words[:1] == ["-t"] and len(words) > 1 else "clear", "setting", NOT_SUPPORTED)


def upgrade(state: State, words: list[str]) -> str:
    if not words:
        raise Answer(INVALID_PARAMETER, "\nThere has no options.\n\n" + npu_smi_text.UPGRADE_HELP)
    if words[0] in ("-h", "--help"):
        return npu_smi_text.UPGRADE_HELP
    if words[:2] == ["-b", "mcu"]:
        if words[2:3] != ["-i"] or words[3:] not in [[str(npu_id)] for npu_id in cards_of(state)]:
            raise Answer(INVALID_PARAMETER, "Invalid card id.\nError parameter of -i\n" + npu_smi_text.UPGRADE_HELP)
        return line("Version", MCU_VERSION)
    require_host_root(state)
    raise unsupported(words[1] if len(words) > 1 else words[0], "setting", NOT_SUPPORTED)


def require_host_root(state: State) -> None:
    if host.uid() != 0:
        raise Answer(NOT_PERMITTED, "This command can be executed only by the root user.\n")
    if not state.data["physical_host"]:
        raise Answer(NOT_PERMITTED, "This command cannot be executed on a VM or container.\n")


COMMANDS = {"info": info, "set": setting, "clear": clear, "upgrade": upgrade}


def answer(state: State, words: list[str]) -> str:
    if not words:
        raise Answer(INVALID_PARAMETER, npu_smi_text.HELP)
    if words[0] not in COMMANDS and words[0] not in ("-h", "--help", "-v"):
        raise Answer(UNKNOWN_COMMAND, "Command or option is not found.\n" + npu_smi_text.HELP)
    lost = state.fault("lost-driver")
    if lost or not state.driver["installed"]:
        code = -lost["code"] if lost else NO_DRIVER
        # The first line comes from the driver library below the tool.
        raise Answer(code, "DrvMngGetConsoleLogLevel failed. (g_conLogLevel=3)\n" + NOT_REACHED[code])
    if words[0] == "-v":
        return f"npu-smi version: {tool_version(state)}\n"
    if words[0] in COMMANDS:
        return COMMANDS[words[0]](state, words[1:])
    return npu_smi_text.HELP


def main(words: list[str]) -> int:
    state = State.load()
    if faults.of_npu_smi(state):
        return 0
    try:
        rc, text = 0, answer(state, words)
    except Answer as early:
        rc, text = early.rc, early.text
    sys.stdout.write(faults.printed_by_npu_smi(state, text))
    return rc & 255


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
