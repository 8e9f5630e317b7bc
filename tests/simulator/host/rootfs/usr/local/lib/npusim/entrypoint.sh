#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What firmware and boot loader do on a real machine: runs before systemd at each start of the container.
set -euo pipefail

# Each boot has its own id, as on a machine of its own; systemd reads it, so it must be there first.
mkdir -p /run/npusim
cat /proc/sys/kernel/random/uuid > /run/npusim/boot_id
mount --bind /run/npusim/boot_id /proc/sys/kernel/random/boot_id

# On cgroup v1 podman lays its machine's whole systemd hierarchy over the container's own part of it: several
# systemds in one hierarchy would take each other's processes for theirs.
cgroups=/sys/fs/cgroup/systemd
if [[ "$(awk -v at="${cgroups}" '$5 == at { root = $4 } END { print root }' /proc/self/mountinfo)" == /..* ]]; then
    umount "${cgroups}/release_agent" || true
    umount "${cgroups}"
fi

# The container engine may keep the network over a restart; a reboot does not.
nft flush ruleset || true
for link in $(ip -o link show | awk -F': ' '{ sub(/@.*/, "", $2); print $2 }'); do
    case ${link} in lo | eth0 | eth1) ;; *) ip link delete "${link}" || true ;; esac
done
for address in $(ip -4 -o address show dev eth1 | awk '{ print $4 }'); do
    if [ "${address%/*}" != "${NPUSIM_PLANE_ADDRESS}" ]; then
        ip address delete "${address}" dev eth1 || true
    fi
done
# The NPUs' network is not the host's way out.
ip route delete default dev eth1 2> /dev/null || true

# The controller's keys. Copies, because sshd insists on root as their owner.
install -d -m 0700 /root/.ssh
install -m 0600 /etc/npusim/ssh/authorized_keys /root/.ssh/authorized_keys
install -m 0600 /etc/npusim/ssh/ssh_host_ed25519_key /etc/ssh/ssh_host_ed25519_key
install -m 0644 /etc/npusim/ssh/ssh_host_ed25519_key.pub /etc/ssh/ssh_host_ed25519_key.pub

env | grep '^NPUSIM_' > /etc/npusim/environment
exec /sbin/init
