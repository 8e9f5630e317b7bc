#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Gives the image the shape of Ubuntu 22.04: its identity, apt with a local repository, no firewall service, no dnf.
set -euo pipefail

cat > /usr/lib/os-release <<'EOF'
PRETTY_NAME="Ubuntu 22.04.5 LTS"
NAME="Ubuntu"
VERSION_ID="22.04"
VERSION="22.04.5 LTS (Jammy Jellyfish)"
VERSION_CODENAME=jammy
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=jammy
EOF
ln -sf ../usr/lib/os-release /etc/os-release
echo 'bookworm/sid' > /etc/debian_version
cat > /etc/lsb-release <<'EOF'
DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=22.04
DISTRIB_CODENAME=jammy
DISTRIB_DESCRIPTION="Ubuntu 22.04.5 LTS"
EOF

rm -rf /etc/apt/sources.list /etc/apt/sources.list.d
mkdir -p /etc/apt/sources.list.d
echo 'deb [trusted=yes] file:/opt/repo/deb ./' > /etc/apt/sources.list.d/local.list
echo 'Acquire::Languages "none";' > /etc/apt/apt.conf.d/10-npusim

systemctl disable --quiet firewalld.service
# The NPUs' network is not the host's: on real hardware its packets never meet the host's firewall.
sed -i '/^# allow all on loopback/i -A ufw-before-input -i eth1 -j ACCEPT\n' /etc/ufw/before.rules
rm -rf /etc/yum.repos.d /etc/dnf
rm -f /usr/bin/dnf /usr/bin/dnf-3 /usr/bin/rpm /usr/bin/rpmbuild
