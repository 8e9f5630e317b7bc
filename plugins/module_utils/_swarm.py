# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of a swarm that spreads a model within a group of hosts. Pure functions, no I/O."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import posixpath
import re
import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._manifest import Manifest, render

MIN_PIECE, MAX_PIECE = 256 * 1024, 16 * 1024 * 1024
# Enough pieces that every host soon has something to give, few enough that their hashes stay small.
PIECES = 2000


class SwarmError(ValueError):
    """A setting cannot be used; the message says what was found and what to do."""


def piece_bytes(total: int) -> int:
    """A power of two with which the model has about PIECES pieces."""
    size = MIN_PIECE
    while size < MAX_PIECE and total > size * PIECES:
        size *= 2
    return size


def unit_name(path: str) -> str:
    """The systemd unit that spreads the model of this directory; other directories have other units."""
    word = re.sub(r"[^0-9A-Za-z_.-]", "_", posixpath.basename(path))
    return f"npuops-weights-{word}-{hashlib.sha256(path.encode('utf-8')).hexdigest()[:8]}.service"


def address(value: str, option: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise SwarmError(f"{option} has {value!r}, which is no address. Give the IP addresses by which the hosts reach each other.") from None


def settings(
    manifest: Manifest, path: str, folder: str, own: str, peers: t.Sequence[str], port: int, interface: str, rate_limit: int, complete: bool,
) -> dict[str, t.Any]:
    """What the driver of the engine reads."""
    own = address(own, "address")
    others = sorted({address(peer, "peers") for peer in peers} - {own})
    if not others:
        raise SwarmError(f"peers names no host but this one ({own}). Give the addresses of all hosts of the group.")
    if not 1024 <= port <= 65535:
        raise SwarmError(f"port is {port}, expected 1024 to 65535.")
    bracketed = f"[{own}]" if ":" in own else own
    return {
        "path": path,
        "manifest": hashlib.sha256(render(manifest).encode("utf-8")).hexdigest(),
        "files": [[name, file.size] for name, file in sorted(manifest.files.items())],
        "piece_bytes": piece_bytes(manifest.total_bytes),
        "torrent": posixpath.join(folder, "torrent"),
        "state": posixpath.join(folder, "state.json"),
        "listen": interface or bracketed,
        "outgoing": interface or own,
        "port": port,
        "rate_limit": rate_limit,
        "peers": [[other, port] for other in others],
        "allowed": others,
        "complete": complete,
    }


def unit_properties(config: dict[str, t.Any], folder: str, limit: int) -> list[str]:
    """What systemd adds: an end in any case, a closed door also in the kernel, and nothing to write but the model."""
    return [
        f"RuntimeMaxSec={limit}",
        "Type=exec",
        "IPAddressDeny=any",
        *(f"IPAddressAllow={peer}" for peer in config["allowed"]),
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        f"ReadWritePaths={posixpath.dirname(config['path'])} {folder}",
        "CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_NET_RAW",
        "LimitNOFILE=65536",
    ]


def parse_state(text: str) -> dict[str, t.Any]:
    """Read what the driver says of itself; an unfinished or foreign text says nothing."""
    try:
        content = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("phase"), str):
        content = {}
    return {"phase": "starting", "done_bytes": 0, "total_bytes": 0, "seconds": 0.0, "kept_bytes": 0, "downloaded_bytes": 0, "peers": 0, "error": "", **content}
