#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The hardware of the host: made at first boot, plugged in at each boot.
set -euo pipefail

npusim init --product "${NPUSIM_PRODUCT}" --host-index "${NPUSIM_HOST_INDEX}"
for model in DeepSeek-V3-w8a8 DeepSeek-R1-w8a8; do
    if [ ! -e "/data/${model}" ]; then
        python3 /usr/local/lib/npusim/make_weights.py "/data/${model}"
    fi
done

# The PCI bus that lspci and everybody else sees; a machine without one has no place for it in sysfs.
if [ ! -d /sys/bus/pci/devices ]; then
    mount -t tmpfs npusim /sys/bus
    mkdir -p /sys/bus/pci/devices
fi
npusim pci /var/lib/npusim/pci
mount --bind /var/lib/npusim/pci /sys/bus/pci/devices

# With a driver its own unit does this; without one, nobody else tells the devices that the host came up.
if [ ! -e /etc/systemd/system/ascend-driver.service ]; then
    npusim boot
fi
