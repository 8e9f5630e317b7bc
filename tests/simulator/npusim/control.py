# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control command of a simulated host, and what the driver does when it is loaded.

    npusim init [--product 910B3] [--host-index N] [--force]
    npusim status
    npusim fault set NAME [--device N] [key=value]... | fault clear [NAME] [--device N] | fault list
    npusim apply | npusim reset [--device N] | npusim boot | npusim pci [DIR]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from npusim import faults, hardware, host, plane
from npusim.hccn_conf import CONF_FILE, ConfMissing, HccnConf
from npusim.state import PRODUCTS, State, root, state_path

RECOVERY_SECONDS = 30


def reset_device(state: State, record: dict) -> None:
    """Empty a device: what was set on it is gone until hccn.conf is applied again."""
    factory = State.new(state.product, state.host_index, state.arch).devices[record["phy_id"]]
    record.clear()
    record.update(factory)


def load_driver() -> None:
    """The driver comes up: the version on disk runs, the nodes appear, hccn.conf goes to the devices."""
    with State.transaction() as state:
        state.driver.update(installed=True, version=host.version_on_disk("driver"))
        for record in state.devices:
            reset_device(state, record)
        hardware.create_nodes(state)
    plane.apply(State.load())
    if not os.path.exists(root(CONF_FILE)) or os.path.getsize(root(CONF_FILE)) == 0:
        return
    # The vendor's boot script does the same, one call per device, and does not wait for success either.
    argv = [sys.executable, "-S", "-m", "npusim.hccn_tool", "-a", "-cfg", "recovery"]
    try:
        subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=RECOVERY_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        sys.stderr.write("npusim: hccn.conf was not applied: hccn_tool did not answer\n")


def unload_driver() -> None:
    """The driver goes, and with it the nodes and what was set on the devices."""
    hardware.remove_nodes()
    with State.transaction() as state:
        state.driver.clear()
        state.driver.update(installed=False)
        for record in state.devices:
            reset_device(state, record)
    plane.apply(State.load())


def boot() -> None:
    """What a reboot brings: installed versions become running ones, lost devices are gone from the bus."""
    with State.transaction() as state:
        firmware = host.version_on_disk("firmware")
        state.firmware["installed"] = firmware is not None
        if firmware:
            # The flash keeps what was written last, also when the package is uninstalled.
            state.firmware["version"] = firmware
    if os.path.isdir(root(hardware.PCI_TREE)):
        hardware.write_pci_tree(State.load(), root(hardware.PCI_TREE))
    if host.version_on_disk("driver"):
        load_driver()
    else:
        unload_driver()


def set_fault(name: str, device: int | None, words: list[str]) -> None:
    with State.transaction() as state:
        parameters = faults.parse(state, name, device, words)
        state.set_fault(name, device, **parameters)
        if name == "tls-mix":
            _mix_tls(state, device)
    plane.apply(State.load())


def _mix_tls(state: State, device: int) -> None:
    """Leave what somebody left who switched TLS on for one device. When the fault is cleared, it can be set right."""
    state.devices[device]["tls"] = 1
    try:
        HccnConf().put(f"tls_enable_{device}", "1")
    except ConfMissing:
        # No driver yet, so no file to hold it.
        pass


def status() -> dict:
    state = State.load()
    return {
        "product": state.product,
        "host_index": state.host_index,
        "arch": state.arch,
        "driver": {**state.driver, "on_disk": host.version_on_disk("driver")},
        "firmware": {"version": host.FACTORY_FIRMWARE, **state.firmware, "on_disk": host.version_on_disk("firmware")},
        "faults": state.faults,
        "devices": [
            {
                "device": record["phy_id"],
                "bus_id": record["bus_id"],
                "present": state.device(record["phy_id"]) is not None,
                "link": "up" if plane.is_up(state, record) else "down",
                **{key: record[key] for key in ("address", "netmask", "gateway", "netdetect", "tls", "mtu")},
            }
            for record in state.devices
        ],
    }


def _fault_list() -> str:
    lines = []
    for name, fault in sorted(faults.FAULTS.items()):
        words = {"no": [], "optional": ["[--device N]"], "required": ["--device N"]}[fault.device]
        for key, parameter in fault.parameters.items():
            value = "|".join(str(choice) for choice in parameter.choices) or key.upper()
            words.append(f"{key}={value}" if parameter.default is faults.REQUIRED else f"[{key}={value}]")
        lines += [" ".join([name, *words]), f"    {fault.description}"]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="npusim", description="Control the simulated Ascend hardware of this host.")
    commands = parser.add_subparsers(dest="command", required=True)
    init = commands.add_parser("init", help="make the hardware, unless it is there")
    init.add_argument("--product", choices=sorted(PRODUCTS), default="910B3")
    init.add_argument("--host-index", type=int, default=1)
    init.add_argument("--force", action="store_true", help="replace the hardware and forget all that was set on it")
    commands.add_parser("status", help="print the state as JSON")
    actions = commands.add_parser("fault", help="break and repair things").add_subparsers(dest="action", required=True)
    setting = actions.add_parser("set", help="break one thing")
    setting.add_argument("name")
    setting.add_argument("--device", type=int)
    setting.add_argument("parameter", nargs="*", help="key=value, see `npusim fault list`")
    clearing = actions.add_parser("clear", help="repair one kind of fault, or all")
    clearing.add_argument("name", nargs="?")
    clearing.add_argument("--device", type=int)
    actions.add_parser("list", help="print what can be broken")
    commands.add_parser("apply", help="put the device addresses on the NPU network again")
    reset = commands.add_parser("reset", help="reset devices: they lose what was set on them")
    reset.add_argument("--device", type=int)
    commands.add_parser("boot", help="what the driver and the bus do when the host comes up")
    pci = commands.add_parser("pci", help="write the PCI devices as in /sys/bus/pci/devices")
    pci.add_argument("directory", nargs="?", default=root(hardware.PCI_TREE))
    return parser


def main(argv: list[str]) -> int:
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    # argparse takes no `*` words after an option that follows the name.
    if options.command == "fault" and options.action == "set":
        options.parameter += rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if options.command == "init":
        if options.force or not os.path.exists(state_path()):
            State.new(options.product, options.host_index).save()
        return 0
    if options.command == "fault" and options.action == "list":
        sys.stdout.write(_fault_list())
        return 0
    try:
        return _run(options)
    except faults.FaultError as error:
        parser.error(str(error))
    except FileNotFoundError as error:
        if error.filename not in (state_path(), state_path() + ".lock"):
            raise
        parser.error(f"{state_path()} is missing: run `npusim init` first")


def _run(options: argparse.Namespace) -> int:
    if options.command == "status":
        json.dump(status(), sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif options.command == "fault" and options.action == "set":
        set_fault(options.name, options.device, options.parameter)
    elif options.command == "fault":
        if options.name is not None and options.name not in faults.FAULTS:
            raise faults.FaultError(f"unknown fault {options.name}: expected one of {', '.join(sorted(faults.FAULTS))}")
        with State.transaction() as state:
            state.clear_fault(options.name, options.device)
        plane.apply(State.load())
    elif options.command == "apply":
        plane.apply(State.load())
    elif options.command == "reset":
        with State.transaction() as state:
            if options.device is not None and options.device not in range(len(state.devices)):
                raise faults.FaultError(f"--device {options.device}: this host has the devices 0 to {len(state.devices) - 1}")
            for record in state.devices:
                if options.device in (None, record["phy_id"]):
                    reset_device(state, record)
        plane.apply(State.load())
    elif options.command == "pci":
        hardware.write_pci_tree(State.load(), options.directory)
    else:
        boot()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
