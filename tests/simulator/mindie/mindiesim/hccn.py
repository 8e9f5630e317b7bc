# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon sees of the host's NPUs: device nodes, addresses on the network, the tool's /etc/hccn.conf."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from .ranktable import Server


def family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def is_local(address: str) -> bool:
    """True where the address is on an interface of this host: only then can a socket be bound to it."""
    with socket.socket(family(address), socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError as problem:
            if problem.errno == errno.EADDRNOTAVAIL:
                return False
            raise
    return True


class HostNpus:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.conf = self._read_conf()

    def _read_conf(self) -> dict[str, str]:
        try:
            text = (self.root / "etc/hccn.conf").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return {}
        pairs = (line.split("=", 1) for line in text.splitlines() if "=" in line)
        return {key.strip(): value.strip() for key, value in pairs}

    def missing_node(self, device_ids: tuple[int, ...]) -> str | None:
        names = [f"davinci{device}" for device in device_ids] + ["davinci_manager", "devmm_svm", "hisi_hdc"]
        return next((f"/dev/{name}" for name in names if not (self.root / "dev" / name).exists()), None)

    def tls(self, device_id: int) -> bool:
        return self.conf.get(f"tls_enable_{device_id}", "0") == "1"

    def address_problem(self, server: Server) -> str | None:
        """HCCL's EI0014: the table says another address than the adapter has.

        An address that hccn.conf confirms but no interface carries is a link that is down: HCCL starts, and no
        peer is met.
        """
        for device in server.devices:
            known = self.conf.get(f"address_{device.device_id}", "")
            if known == device.address or (not known and is_local(device.address)):
                continue
            return (
                f"EI0014: [check][ip]fail, ret(129) the IP address({device.address}) in the ranktable is inconsistent with the "
                f"IP({known})address of the network adapter, please make sure they're consistent. num({len(server.devices)})"
            )
        return None
