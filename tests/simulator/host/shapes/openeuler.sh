#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Gives the image the shape of openEuler 22.03: its identity, dnf with a local repository, firewalld at boot, no apt.
set -euo pipefail

cat > /usr/lib/os-release <<'EOF'
NAME="openEuler"
VERSION="22.03 (LTS-SP4)"
ID="openEuler"
VERSION_ID="22.03"
PRETTY_NAME="openEuler 22.03 (LTS-SP4)"
ANSI_COLOR="0;31"
EOF
ln -sf ../usr/lib/os-release /etc/os-release
echo 'openEuler release 22.03 (LTS-SP4)' > /etc/openEuler-release
ln -sf openEuler-release /etc/system-release
rm -f /etc/debian_version /etc/dpkg/origins/default

rm -rf /etc/yum.repos.d
mkdir -p /etc/yum.repos.d
cat > /etc/yum.repos.d/local.repo <<'EOF'
[local]
name=Local repository of the simulated host
baseurl=file:///opt/repo/rpm
enabled=1
gpgcheck=0
metadata_expire=0
EOF
mkdir -p /etc/dnf/vars
echo '22.03' > /etc/dnf/vars/releasever
ln -sf dnf /usr/bin/yum

# The NPUs' network is not the host's: on real hardware its packets never meet the host's firewall.
firewall-offline-cmd --quiet --zone=trusted --add-interface=eth1
systemctl enable --quiet firewalld.service

# A task that calls apt here must fail as it would on openEuler.
rm -rf /etc/apt /var/lib/apt /var/cache/apt
rm -f /usr/bin/apt /usr/bin/apt-* /usr/bin/dpkg /usr/bin/dpkg-*
