#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: hccn_config
short_description: Configure the network of Ascend NPU devices
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Brings address, netmask, gateway, netdetect address, TLS switch, and MTU of all NPU devices of a host to the declared values with C(hccn_tool).
  - Compares both the device and C(/etc/hccn.conf), from which the driver configures devices at boot. A line that is missing, doubled, or wrong there
    is repaired by setting the value again, also where the device itself is right.
  - Reads devices in parallel, changes them one after the other in the order that the tool needs, reads again, and reports what failed device by device.
    Running it again after an interruption completes the work.
  - C(hccn_tool) can change an address but not remove one, so neither can this module.
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
    details: Where C(hccn_tool) is not installed yet, every declared value counts as a change.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  devices:
    description:
      - The devices of this host and the settings they shall have. Settings that are not given stay as they are.
      - All of it is checked before anything is changed. C(hccn_tool) itself accepts duplicate addresses, network and broadcast addresses.
    type: list
    elements: dict
    required: true
    suboptions:
      device:
        description: Physical id, as in C(/dev/davinciN), in C(hccn_tool -i N), and in the rank table.
        type: int
        required: true
      address:
        description:
          - IPv4 address of the device. Requires O(devices[].netmask).
          - The segments 192.168.1.0/24 and 192.168.2.0/24 belong to the driver and are refused.
        type: str
      netmask:
        description: Netmask in dotted form. Requires O(devices[].address).
        type: str
      gateway:
        description: Default gateway, inside the segment of the address.
        type: str
      netdetect:
        description: Address that the device checks its network with, usually the gateway.
        type: str
      tls_enabled:
        description: Whether collective communication uses TLS. It has to be the same on all devices of all hosts of a job.
        type: bool
      mtu:
        description:
          - MTU in bytes, 68 to 9702.
          - Below 1280 the device loses its IPv6 address; the question that C(hccn_tool) asks then is answered with yes.
        type: int
  backup:
    description: Copy C(/etc/hccn.conf) before the first change.
    type: bool
    default: true
  timeout:
    description: Time limit of each call of the tool, in seconds.
    type: int
    default: 30
seealso:
  - module: npuops.ascend.hccn_info
"""

EXAMPLES = r"""
- name: Address two devices
  npuops.ascend.hccn_config:
    devices:
      - device: 0
        address: 192.0.2.80
        netmask: 255.255.255.0
        gateway: 192.0.2.1
        netdetect: 192.0.2.1
        tls_enabled: false
      - device: 1
        address: 192.0.2.81
        netmask: 255.255.255.0
        gateway: 192.0.2.1
        netdetect: 192.0.2.1
        tls_enabled: false

- name: Switch TLS off on eight devices
  npuops.ascend.hccn_config:
    devices: "{{ range(8) | map('community.general.dict_kv', 'device') | map('combine', {'tls_enabled': false}) }}"
"""

RETURN = r"""
devices:
  description: The devices as they are after the change, or would be in check mode. Settings that were neither declared nor needed are missing.
  returned: when the devices could be read
  type: list
  elements: dict
  sample:
    - device: 0
      address: 192.0.2.80
      netmask: 255.255.255.0
      gateway: 192.0.2.1
      netdetect: 192.0.2.1
      tls_enabled: false
      mtu: 1500
commands:
  description: Commands that changed a device, or would in check mode, in their order. After a failure also the one that failed.
  returned: always, except when the input is refused
  type: list
  elements: str
  sample:
    - hccn_tool -i 0 -ip -s address 192.0.2.80 netmask 255.255.255.0
diff:
  description: For each device the declared settings and their lines in C(/etc/hccn.conf), before and after. C(null) where nothing is set.
  returned: when the devices could be read
  type: dict
  sample:
    before: {device 0: {mtu: 1500, hccn.conf: {mtu_0: null}}}
    after: {device 0: {mtu: 4200, hccn.conf: {mtu_0: "4200"}}}
backup_file:
  description: Copy of C(/etc/hccn.conf) from before the change.
  returned: when changed and O(backup=true)
  type: str
  sample: /etc/hccn.conf.4711.2026-01-31@12:00:00~
failures:
  description: One entry for each device that does not have all it should have.
  returned: when a device could not be configured
  type: list
  elements: dict
  contains:
    device:
      description: Physical id of the device.
      returned: always
      type: int
      sample: 3
    error:
      description: What happened and what to do.
      returned: always
      type: str
      sample: "hccn_tool -i 3 -ip -s address 192.0.2.83 netmask 255.255.255.0: The device is not exist! (exit code 4)."
    applied:
      description: Commands for this device that succeeded.
      returned: always
      type: list
      elements: str
      sample: []
    not_applied:
      description: Commands for this device that failed or were not run any more.
      returned: always
      type: list
      elements: str
      sample: [hccn_tool -i 3 -ip -s address 192.0.2.83 netmask 255.255.255.0]
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _hccn
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_plan import (
    FIELDS,
    STEPS,
    Conf,
    Settings,
    Step,
    conf_key,
    conf_value,
    is_live,
    plan,
    validate,
    validate_on_host,
)
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import (
    HccnTool,
    Reading,
    append_to_conf,
    conf_problem,
    devices_present,
    read_conf,
    unknown_devices,
)
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCliError

# What one device met will meet all others too.
STOPS_ALL = ("conf_missing", "conf_readonly", "permission")


class Configurator:
    """One run: wanted settings, and what was found, done, and failed so far."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.wanted: dict[int, Settings] = {}
        self.tool = HccnTool(module, module.params["timeout"])
        self.commands: list[str] = []
        self.applied: dict[int, list[str]] = {}
        self.failures: dict[int, dict[str, t.Any]] = {}
        self.backup_file: str | None = None

    def refuse(self, problems: list[str]) -> None:
        if problems:
            self.module.fail_json(msg=f"Nothing was changed. {' '.join(problems)}")

    def run(self) -> dict[str, t.Any]:
        self.check_input()
        if not self.tool.installed:
            return self.run_without_tool()
        before = self.read()
        # After the devices: reading the TLS switch can add a line.
        conf = read_conf() or Conf("")
        self.check_host(before)
        todo = plan(self.wanted, before, conf)
        if todo or not conf.terminated:
            problem = conf_problem()
            self.refuse([problem] if problem else [])
        if self.module.check_mode or (conf.terminated and not todo):
            return self.report(before, conf, *self.predicted(before, conf, todo), [step.command for steps in todo for step in steps])
        if self.module.params["backup"]:
            self.backup_file = self.module.backup_local(_hccn.CONF_PATH)
        if not conf.terminated:
            # The tool would glue its first line to the last one and then drop both.
            append_to_conf("\n")
        after, conf_after = self.apply(todo, before)
        conf_after = self.mend(conf, conf_after)
        return self.report(before, conf, after, conf_after, self.commands)

    def check_input(self) -> None:
        declared = [{name: value for name, value in entry.items() if value is not None} for entry in self.module.params["devices"]]
        self.refuse(validate(declared))
        if self.module.params["timeout"] < 1:
            self.refuse([f"timeout is {self.module.params['timeout']}; give at least 1 second."])
        self.wanted = {entry.pop("device"): entry for entry in declared}
        problem = unknown_devices(list(self.wanted))
        self.refuse([problem] if problem else [])

    def run_without_tool(self) -> dict[str, t.Any]:
        if not self.module.check_mode:
            raise self.tool.cli.missing()
        self.module.warn("hccn_tool is not installed on this host yet: every declared value counts as a change.")
        before: dict[int, Settings] = {device: {} for device in self.wanted}
        todo = plan(self.wanted, before, None)
        return self.report(before, Conf(""), *self.predicted(before, Conf(""), todo), [step.command for steps in todo for step in steps])

    def subsets(self, device: int) -> list[str]:
        wanted = self.wanted[device]
        # The address is always read, to find duplicates; the gateway is at risk when the address changes.
        needed = {"address", *(("gateway",) if "address" in wanted else ())}
        return [name for name, (fields, _command) in STEPS.items() if name in needed or any(field in wanted for field in fields)]

    def read(self) -> dict[int, Settings]:
        """Current settings of the declared devices. Refuses to go on when one cannot be read."""
        readings = self.tool.read_all({device: self.subsets(device) for device in self.wanted})
        self.refuse(
            [
                f"device {reading.device}: {error}"
                for reading in readings.values()
                for error in dict.fromkeys(reading.errors.values())
                if getattr(error, "kind", None) != "conf_unterminated"
            ]
        )
        return {device: _settings(reading) for device, reading in readings.items()}

    def check_host(self, current: dict[int, Settings]) -> None:
        everyone = dict(current)
        if any(not is_live("address", wanted, current[device]) for device, wanted in self.wanted.items()):
            others = set(devices_present()) - set(self.wanted)
            for reading in self.tool.read_all({device: ["address"] for device in others}).values():
                everyone[reading.device] = _settings(reading)
                for error in reading.errors.values():
                    self.module.warn(f"device {reading.device}: its address is not known, so it was not compared with the declared ones. {error}")
        problems, warnings = validate_on_host(self.wanted, everyone)
        self.refuse(problems)
        for warning in warnings:
            self.module.warn(warning)

    def predicted(self, before: dict[int, Settings], conf: Conf, todo: list[list[Step]]) -> tuple[dict[int, Settings], Conf]:
        after = {device: {**before[device], **self.wanted[device]} for device in before}
        lines = {(step.device, field): self.wanted[step.device][field] for steps in todo for step in steps for field in STEPS[step.name][0]}
        return after, conf.with_values(lines)

    def apply(self, todo: list[list[Step]], before: dict[int, Settings]) -> tuple[dict[int, Settings], Conf]:
        after = dict(before)
        # A second round for what the first one took away again: a gateway after its address, a line lost to a busy tool.
        for _round in range(2):
            self.set_all(todo)
            after.update(self.read_back([steps[0].device for steps in todo]))
            conf = read_conf() or Conf("")
            todo = plan({device: wanted for device, wanted in self.wanted.items() if device not in self.failures}, after, conf)
            if not todo:
                break
        for steps in todo:
            self.fail_device(steps[0].device, f"hccn_tool reported success, yet {self.difference(steps, after, conf)}.", steps)
        return after, conf

    def set_all(self, todo: list[list[Step]]) -> None:
        stopped: str | None = None
        for steps in todo:
            for done, step in enumerate(steps):
                if stopped:
                    self.fail_device(step.device, f"not tried, as {stopped}", steps)
                    break
                self.commands.append(step.command)
                try:
                    self.tool.set(step.device, *step.args, answer=step.answer)
                except VendorCliError as error:
                    self.fail_device(step.device, str(error), steps[done:])
                    if error.reason == "missing" or getattr(error, "kind", None) in STOPS_ALL:
                        stopped = f"device {step.device} met what the others will meet too: {error}"
                    break
                self.applied.setdefault(step.device, []).append(step.command)

    def read_back(self, devices: list[int]) -> dict[int, Settings]:
        readings = self.tool.read_all({device: self.subsets(device) for device in devices})
        for reading in readings.values():
            if reading.errors and reading.device not in self.failures:
                error = next(iter(reading.errors.values()))
                self.fail_device(reading.device, f"could not be read again after the change: {error}", [])
        return {device: _settings(reading) for device, reading in readings.items()}

    def fail_device(self, device: int, error: str, left: list[Step]) -> None:
        self.failures[device] = {
            "device": device,
            "error": error,
            "applied": self.applied.get(device, []),
            "not_applied": [step.command for step in left],
        }

    def difference(self, steps: list[Step], after: dict[int, Settings], conf: Conf) -> str:
        parts = []
        for step in steps:
            for field in STEPS[step.name][0]:
                wanted, live = self.wanted[step.device][field], after[step.device].get(field)
                if not is_live(field, self.wanted[step.device], after[step.device]):
                    parts.append(f"{field} of the device is {live}, not {wanted}")
                elif not conf.holds(step.device, field, wanted):
                    parts.append(f"{_hccn.CONF_PATH} has {conf_key(step.device, field)}={conf.shown(step.device, field)}, not {conf_value(wanted)}")
        return "; ".join(parts)

    def mend(self, before: Conf, after: Conf) -> Conf:
        """Give back a line that the tool removes by mistake: removing gateway_N it takes each line with that text, so IPv6gateway_N too."""
        managed = {conf_key(device, field) for device, wanted in self.wanted.items() for field in wanted}
        lost = [line for line in before.lines_lost_in(after) if line.partition("=")[0] not in managed]
        mistaken = [line for line in lost if line.startswith("IPv6gateway_")]
        dropped = [line for line in lost if line not in mistaken]
        if dropped:
            self.module.warn(f"hccn_tool removed from {_hccn.CONF_PATH}, as they do not fit the new addresses: {', '.join(dropped)}")
        if not mistaken:
            return after
        append_to_conf("".join(f"{line}\n" for line in mistaken))
        return read_conf() or after

    def report(self, before: dict[int, Settings], conf: Conf, after: dict[int, Settings], conf_after: Conf, commands: list[str]) -> dict[str, t.Any]:
        result = {
            "changed": bool(self.applied or commands or conf.terminated != conf_after.terminated),
            "devices": [{"device": device, **after[device]} for device in sorted(after)],
            "commands": commands,
            "diff": {"before": self.view(before, conf), "after": self.view(after, conf_after)},
        }
        if self.backup_file:
            result["backup_file"] = self.backup_file
        if self.failures:
            failures = [self.failures[device] for device in sorted(self.failures)]
            told = " ".join(f"Device {failure['device']}: {failure['error']}" for failure in failures)
            result["failures"] = failures
            result["changed"] = bool(self.applied or conf.text != conf_after.text)
            self.module.fail_json(
                msg=f"{len(failures)} of {len(self.wanted)} device(s) could not be configured. {told} What succeeded stays; run again when the cause is gone.",
                **result,
            )
        return result

    def view(self, settings: dict[int, Settings], conf: Conf) -> dict[str, t.Any]:
        """The declared settings only: what the device has, and what it will have after a reboot."""
        view: dict[str, t.Any] = {
            f"device {device}": {
                **{field: settings[device].get(field) for field in FIELDS if field in wanted},
                "hccn.conf": {conf_key(device, field): conf.shown(device, field) for field in FIELDS if field in wanted},
            }
            for device, wanted in sorted(self.wanted.items())
        }
        if not conf.terminated:
            view["hccn.conf"] = "no newline at its end"
        return view


def _settings(reading: Reading) -> Settings:
    return {field: reading.values[field] for field in FIELDS if field in reading.values}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "devices": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "device": {"type": "int", "required": True},
                    "address": {"type": "str"},
                    "netmask": {"type": "str"},
                    "gateway": {"type": "str"},
                    "netdetect": {"type": "str"},
                    "tls_enabled": {"type": "bool"},
                    "mtu": {"type": "int"},
                },
            },
            "backup": {"type": "bool", "default": True},
            "timeout": {"type": "int", "default": 30},
        },
        supports_check_mode=True,
    )
    try:
        result = Configurator(module).run()
    except VendorCliError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{_hccn.CONF_PATH}: {error.strerror}. Run as root (become: true).")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
