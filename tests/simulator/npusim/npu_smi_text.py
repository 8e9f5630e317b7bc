# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long texts of npu-smi: the help of each command and the legend of the topology."""

from __future__ import annotations

HELP = """\
Usage: npu-smi <Command|-h|-v> [Options...]

npu-smi Command:
\t-h            This command's help information
\t--help        This command's help information
\t-v            Show npu-smi version information
\tinfo          Show hardware details
\tset           Modify device configuration properties
\tclear         Clear device information
\tupgrade       Upgrade MCU firmware
"""

INFO_HELP = """\
Usage: npu-smi info <watch|proc|-h|-m|-l|-t type> [Options...]

Commands:
       watch          Show all device's status in scrolling format
       proc           Show device's matrix process status in scrolling format
       -h, --help     Show this help text and exit
       -m             Show all device's mapping information
       -l             Show all device's topology information
       -t type        Show information for type
                      type: board, flash, memory, usages, sensors, temp, power, volt, mac-addr,
                            common, health, product, ecc, ip, sys-time, i2c_check, work-mode,
                            ecc-enable, p2p-enable, ssh-enable, license, customized-info, device-share,
                            device-share-cfg-recover, nve-level, aicpu-config, pcie-err, mcu-monitor,
                            err-count, boot-area, vnpu-mode, info-vnpu, vnpu-svm, cpu-num-cfg,
                            first-power-on-date, proc-mem, phyid-remap, vnpu-cfg-recover, key-manage,
                            template-info, pkcs-enable, p2p-mem-cfg, pwm-mode, pwm-duty-ratio,
                            boot-select, topo, hccs, sio-info, spod-info, tls-csr-get, tls-cert,
                            tls-cert-period, rootkey, hccs-bw, cpu-freq-up, sys-log-info, hccs-credit,
                            custom-op, custom-op-cfg-recover, custom-op-secverify-enable,
                            custom-op-secverify-mode, op-timeout, current-fault-event,
                            custom-op-secverify-cert, multi-die-policy, multi-die-policy-cfg-recover.

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -p %d          Chip Physical ID
"""

SET_HELP = """\
Usage: npu-smi set <-h|-t type> [Options...]

Commands:
       -h, --help     Show this help text and exit
       -t type        The set type for device
                      type: ecc-enable, collect-log, reset, device-share, nve-level, clear-ecc-info,
                            license, ssh-enable, customized-info, clear-pcie-err, revocate, mac-addr,
                            mcu-monitor, boot-area, aicpu-config, disk-power, ip, errcount-clear,
                            vnpu-mode, create-vnpu, destroy-vnpu, vnpu-svm, cpu-num-cfg, vnpu-cfg-recover,
                            key-manage, pkcs-enable, p2p-mem-cfg, pwm-mode, pwm-duty-ratio, power-state,
                            boot-select, reset-vnpu, tls-cert, tls-cert-period, cpu-freq-up, custom-op,
                            sys-log-dump, clear-syslog-cfg, sys-log-enable, custom-op-cfg-recover,
                            custom-op-secverify-enable, custom-op-secverify-mode, op-timeout-cfg,
                            device-share-cfg-recover, custom-op-secverify-cert, qos-master-config,
                            multi-die-policy, multi-die-policy-cfg-recover.

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -d %d          Config value
       -s             String format configuration
       -f             License (1-255) or path of SoC certificate files
                      or path of all device logs are continuously collected
       -m             By in-band reset, only can input 1
"""

UPGRADE_HELP = """\
Usage: npu-smi upgrade <-h|-t type|-q type|-b type|-a type> [Options...]

Commands:
       -h, --help     Show this help text and exit
       -t type        Upgrade device firmware
       -q type        Query the upgrade status
       -b type        Query the firmware version
       -a type        Active the firmware version
                      type: mcu bootloader vrd

Options:
       -i ID          Upgrade for this card ID
       -f file        The firmware file path
"""

HCCS_HELP = """\
Usage: npu-smi info -t hccs [Options...]

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -lane %d       Lane ID
"""

HCCS_BW_HELP = """\
Usage: npu-smi info -t hccs-bw [Options...]

Options:
       -i %d          Card ID
       -c %d          Chip ID
       -time %d       Profiling Time
"""

TOPO_LEGEND_A2 = """\

Legend:

  X    = Self
  SYS  = Path traversing PCIe and NUMA nodes. Nodes are connected through SMP, such as QPI, UPI.
  PHB  = Path traversing PCIe and the PCIe host bridge of a CPU.
  PIX  = Path traversing a single PCIe switch
  PXB  = Path traversing multiple PCIe switches
  HCCS = Connection traversing HCCS.
  NA   = Unknown relationship.
"""

TOPO_LEGEND_A3 = """\

Legend:

  X    = Self
  SYS  = Path traversing PCIe and NUMA nodes. Nodes are connected through SMP, such as QPI, UPI.
  PHB  = Path traversing PCIe and the PCIe host bridge of a CPU.
  PIX  = Path traversing a single PCIe switch
  PXB  = Path traversing multipul PCIe switches
  HCCS = Connection traversing HCCS.
  SIO  = Path traversing the SIO bus
  HCCS_SW = Connection traversing HCCS through a switch
  NA   = Unknown relationship.
"""
