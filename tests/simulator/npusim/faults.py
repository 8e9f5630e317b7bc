# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong on a simulated host: one table of faults, checked here, kept in the state, obeyed by the tools."""

from __future__ import annotations

import sys
import time

from npusim.hccn_commands import HEALTH
from npusim.plane import to_int
from npusim.state import State

LARGEST = 10 ** 7
# Not UTF-8, so that a reader that decodes strictly is found out.
GARBAGE = b"\xff\xfe\x80\x00\x07\x1b[2J#@!~ 0xDEADBEEF | | %s%n\n"


class FaultError(ValueError):
    """A fault that does not exist or is described wrongly; the text says what was expected."""


REQUIRED = object()


class Parameter:
    """A value of a fault: what reads its text, and what it is when left out."""

    def __init__(self, kind: type, default: object = REQUIRED, choices: tuple = ()) -> None:
        self.kind = kind
        self.default = default
        self.choices = choices

    def parse(self, name: str, text: str) -> object:
        if self.choices:
            if text not in {str(choice) for choice in self.choices}:
                raise FaultError(f"{name}={text}: expected one of {', '.join(str(choice) for choice in self.choices)}")
            return self.kind(text)
        try:
            value = self.kind(text)
        except ValueError:
            raise FaultError(f"{name}={text}: expected {'a number' if self.kind in (int, float) else 'an IPv4 address'}") from None
        # Written so that `nan` does not pass.
        if isinstance(value, (int, float)) and not 0 <= value <= LARGEST:
            raise FaultError(f"{name}={text}: expected a number from 0 to {LARGEST}")
        return value


class Fault:
    """A fault; `device` says whether it belongs to one device: "no", "optional" (none given: all devices) or "required"."""

    def __init__(self, description: str, device: str, parameters: dict) -> None:
        self.description = description
        self.device = device
        self.parameters = parameters


def _address(text: str) -> str:
    if to_int(text) is None:
        raise ValueError
    return text


_KIND = Parameter(str, "any", ("any", "driver", "firmware"))
_SETTINGS = ("address", "gateway", "netdetect", "tls", "mtu", "mac")

FAULTS = {
    "link-down": Fault("The link is down and the address is off the NPU network.", "optional", {}),
    "duplicate-address": Fault("The device answers to an address that another device has.", "required", {"address": Parameter(_address)}),
    "ping-loss": Fault("Packets from the device to one address are lost, so many of the three of a ping.", "optional", {
        "peer": Parameter(_address), "lost": Parameter(int, 3, (1, 2, 3))}),
    "net-health": Fault("The probe of netdetect ends with this word.", "optional", {"status": Parameter(str, "Fault", HEALTH)}),
    "link-flaps": Fault("The link went down and came back at once, so many times, the last time so many minutes ago.", "optional", {
        "count": Parameter(int, 1), "minutes": Parameter(int, 30)}),
    "optics": Fault("The optical module receives too little on one lane, receives nothing, is too hot, or is not there.", "optional", {
        "kind": Parameter(str, "low-rx", ("low-rx", "los", "hot", "absent"))}),
    "port-mode": Fault("The port runs with another speed or duplex.", "optional", {
        "speed": Parameter(int, 100000), "duplex": Parameter(str, "Full", ("Full", "Half"))}),
    "fec": Fault("The tool is one that prints the FEC mode, and this is the mode.", "optional", {"mode": Parameter(str, "no", ("rs", "no", "auto"))}),
    "vnic-down": Fault("The virtual interface of the device is down.", "optional", {}),
    "certificate": Fault("The TLS certificate ends in so many days; 0: it has ended yesterday.", "optional", {"days": Parameter(int, 10)}),
    "tls-mix": Fault("The TLS switch is stuck at 1, on the device and in hccn.conf.", "required", {}),
    "refuse-setting": Fault("The device refuses to be set.", "optional", {"setting": Parameter(str, None, _SETTINGS)}),
    "busy": Fault("hccn_tool says that it is busy, so many times.", "optional", {"count": Parameter(int, 1)}),
    "missing-device": Fault("The device has dropped off the bus. Its PCI entry and device node go with the next boot.", "required", {}),
    "hbm-busy": Fault("A process holds nearly all HBM; pid=0: nobody seems to.", "optional", {
        "used_mb": Parameter(int, 59189), "pid": Parameter(int, 3233241), "process": Parameter(str, "VLLMWorker_TP")}),
    "topology": Fault("The device reaches the others this way; without --device every one does.", "optional", {
        "way": Parameter(str, "SYS", ("SYS", "PHB", "PIX", "PXB", "NA"))}),
    "super-pod": Fault("The device has another number in its super pod (SDID), or is in another super pod. A3 only.", "optional", {
        "sdid": Parameter(int, None), "pod": Parameter(int, None)}),
    "stale-driver": Fault("Another version of the driver runs than is installed: the host was not rebooted.", "no", {"version": Parameter(str, "23.0.7")}),
    "lost-driver": Fault("npu-smi does not reach the driver.", "no", {"code": Parameter(int, 8005, (8005, 8020))}),
    "health-alarm": Fault("npu-smi reports bad health.", "optional", {
        "level": Parameter(str, "Alarm", ("Warning", "Alarm", "Critical")), "code": Parameter(str, "80E01801")}),
    "slow-tool": Fault("hccn_tool answers late; without --device npu-smi does so too.", "optional", {"seconds": Parameter(float, 5.0)}),
    "hanging-tool": Fault("hccn_tool never answers; without --device npu-smi neither.", "optional", {}),
    "garbage-output": Fault("hccn_tool prints garbage and ends with 0; without --device npu-smi does so too.", "optional", {}),
    "truncated-output": Fault("hccn_tool prints half of its answer and ends with 0; without --device npu-smi does so too.", "optional", {}),
    "installer-exit": Fault("The installer fails (1), or installs but cannot reset the devices (2).", "no", {
        "kind": _KIND, "code": Parameter(int, choices=(1, 2))}),
    "installer-slow": Fault("The installer stays long in the middle of its work.", "no", {"kind": _KIND, "seconds": Parameter(float, 20.0)}),
}


def parse(state: State, name: str, device: int | None, words: list[str]) -> dict:
    """Check a fault as given on the command line and return its parameters, defaults included."""
    fault = FAULTS.get(name)
    if fault is None:
        raise FaultError(f"unknown fault {name}: expected one of {', '.join(sorted(FAULTS))}")
    if device is None:
        if fault.device == "required":
            raise FaultError(f"{name} needs --device N")
    elif fault.device == "no":
        raise FaultError(f"{name} is a fault of the host and takes no --device")
    elif device not in {record["phy_id"] for record in state.devices}:
        raise FaultError(f"--device {device}: this host has the devices 0 to {len(state.devices) - 1}")
    given = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or key not in fault.parameters:
            expected = ", ".join(f"{key}=..." for key in fault.parameters) or "no parameters"
            raise FaultError(f"{name} does not take {word}: expected {expected}")
        given[key] = fault.parameters[key].parse(key, text)
    for key, parameter in fault.parameters.items():
        if key not in given:
            if parameter.default is REQUIRED:
                raise FaultError(f"{name} needs {key}=...")
            given[key] = parameter.default
    return given


def of_npu_smi(state: State) -> bool:
    """Obey the faults of the tools that are not of one device. True: the answer has been given, garbage with exit code 0."""
    active = {fault["name"]: fault for fault in state.faults if fault.get("device") is None}
    if "slow-tool" in active:
        time.sleep(active["slow-tool"]["seconds"])
    while "hanging-tool" in active:
        time.sleep(3600)
    if "garbage-output" in active:
        sys.stdout.buffer.write(GARBAGE)
        sys.stdout.flush()
        return True
    return False


def printed_by_npu_smi(state: State, text: str) -> str:
    """What of an answer comes out: half of it, if it is cut off."""
    cut = any(fault["name"] == "truncated-output" and fault.get("device") is None for fault in state.faults)
    return text[:len(text) // 2] if cut else text


def of_installer(state: State, name: str, kind: str) -> dict | None:
    """The fault of that name that holds for the installer of a driver or a firmware."""
    fault = state.fault(name)
    return fault if fault and fault["kind"] in ("any", kind.lower()) else None
