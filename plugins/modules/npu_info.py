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
  - npuops.ascend.attributes.info_module
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

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _npu_info
from ansible_collections.npuops.ascend.plugins.module_utils._npu_smi import NpuSmiError
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCli, VendorCliError


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "subset": {"type": "list", "elements": "str", "choices": ["health", "usages", "memory", "common", "power"], "default": []},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    npu_smi = VendorCli(module, "npu-smi", _npu_info.NPU_SMI_PATHS, timeout=module.params["timeout"])
    try:
        result = _npu_info.gather(npu_smi, module.params["subset"])
    except (VendorCliError, NpuSmiError, OSError) as error:
        module.fail_json(msg=str(error))
    for problem in result["problems"]:
        module.warn(problem)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
