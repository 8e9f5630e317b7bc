# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ping from the devices of one host: devices side by side, the targets of one device one after the other."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ansible_collections.npuops.ascend.plugins.module_utils import _hccn
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import VendorCliError

if t.TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ansible_collections.npuops.ascend.plugins.module_utils._hccn_tool import HccnTool

# All devices of an A3 host; most of a call is waiting for packets.
THREADS = 16
# -ping of A2 and A3 sends as many in each call and takes no other number.
PACKETS_PER_CALL = 3


@dataclass(frozen=True)
class Wish:
    """How to ping."""

    count: int = PACKETS_PER_CALL
    size: int | None = None
    hccs: bool = False

    def args(self, target: str) -> tuple[str, ...]:
        command = "-hccs_ping" if self.hccs else "-ping"
        size = () if self.size is None else ("pkt", str(self.size))
        return (command, "-g", "address", target, *size, *(("cnt", str(self.count)) if self.hccs else ()))

    @property
    def calls(self) -> int:
        return 1 if self.hccs else -(-self.count // PACKETS_PER_CALL)


def ping_all(tool: HccnTool, targets: Mapping[int, Sequence[str]], wish: Wish, absent: Collection[int] = ()) -> list[dict[str, t.Any]]:
    """One result per device and target, in the order given. Raises VendorCliError only when the tool is missing.

    Devices in ``absent`` are not asked: the tool looks for a lost device for many seconds, at each call.
    """
    if not targets:
        return []
    with ThreadPoolExecutor(min(THREADS, len(targets))) as pool:
        found = pool.map(lambda device: list(_ping_device(tool, device, targets[device], wish, device in absent)), targets)
        return [result for results in found for result in results]


def _ping_device(tool: HccnTool, device: int, targets: Sequence[str], wish: Wish, absent: bool) -> t.Iterator[dict[str, t.Any]]:
    hopeless = f"This host has no device {device} (no /dev/davinci{device}): look at npu-smi info -m and lspci." if absent else None
    for target in targets:
        pings: list[_hccn.Ping] = []
        error = hopeless
        if error is None:
            try:
                for _call in range(wish.calls):
                    pings.append(_hccn.read_ping(tool.ask(device, *wish.args(target)), device, target))
            except VendorCliError as problem:
                if problem.reason == "missing":
                    raise
                error = str(problem)
                if problem.reason == "timeout" or getattr(problem, "kind", "") == "no_device":
                    # Each further call would hang, or retry for seconds, too.
                    hopeless = f"Not asked after this: {error}"
        yield {"device": device, "target": target, **summary(pings), "error": error}


def summary(pings: Sequence[_hccn.Ping]) -> dict[str, t.Any]:
    """Several calls for one pair as one; nothing but zeros and None when no call brought anything."""
    transmitted = sum(ping.transmitted for ping in pings)
    received = sum(ping.received for ping in pings)
    times = [ping.times_ms[sequence] for ping in pings for sequence in sorted(ping.times_ms)]
    measured = [time for time in times if time is not None]
    return {
        "transmitted": transmitted,
        "received": received,
        "loss_percent": round(100 * (transmitted - received) / transmitted, 2) if transmitted else None,
        "times_ms": times,
        "min_ms": min(measured) if measured else None,
        "avg_ms": round(sum(measured) / len(measured), 6) if measured else None,
        "max_ms": max(measured) if measured else None,
        "said": next((ping.said for ping in pings if ping.said), None),
    }
