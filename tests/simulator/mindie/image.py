# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the archive that ``docker load`` reads: a base layer and one with the simulated MindIE.

Git keeps no modes but the execute bit, and MindIE is strict about them, so they are set here.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path

NAME = "swr.cn-south-1.myhuaweicloud.com/ascendhub/mindie:2.0.T3.1-800I-A2-py311-openeuler24.03-lts"
HERE = Path(__file__).resolve().parent
SERVICE = "usr/local/Ascend/mindie/latest/mindie-service"
MODES = {
    "root": 0o700,
    SERVICE: 0o750,
    f"{SERVICE}/bin": 0o550,
    f"{SERVICE}/bin/mindieservice_daemon": 0o550,
    f"{SERVICE}/conf": 0o750,
    f"{SERVICE}/conf/config.json": 0o640,
    f"{SERVICE}/lib": 0o550,
    f"{SERVICE}/logs": 0o750,
    f"{SERVICE}/security": 0o700,
    "usr/local/bin/benchmark": 0o755,
}


def layer(root: Path, package: Path) -> bytes:
    """The upper layer: ``rootfs/`` as it is, the Python package under ``lib``, the empty directories."""
    content: dict[str, bytes | None] = {}

    def add(name: str, data: bytes | None) -> None:
        for parent in reversed(Path(name).parents[:-1]):
            content.setdefault(str(parent), None)
        content[name] = data

    for path in sorted(root.rglob("*")):
        if path.is_file():
            add(str(path.relative_to(root)), path.read_bytes())
    for path in sorted(package.glob("*.py")):
        add(f"{SERVICE}/lib/{package.name}/{path.name}", path.read_bytes())
    for name in ("logs", "security"):
        add(f"{SERVICE}/{name}", None)
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in sorted(content.items()):
            entry = tarfile.TarInfo(name)
            entry.mode = MODES.get(name, 0o755 if data is None else 0o644)
            if data is None:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data or b""))
    return out.getvalue()


def write(base: Path, arch: str, out: Path) -> None:
    top = layer(HERE / "rootfs", HERE / "mindiesim")
    with open(base, "rb") as stream:
        digest = hashlib.sha256()
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    digests = [digest.hexdigest(), hashlib.sha256(top).hexdigest()]
    config = json.dumps(
        {
            "architecture": arch,
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Cmd": ["bash"], "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{name}" for name in digests]},
            "history": [{"created_by": "mmdebstrap"}, {"created_by": "npuops simulator"}],
        }
    ).encode()
    config_name = f"{hashlib.sha256(config).hexdigest()}.json"
    layers = [f"{name}/layer.tar" for name in digests]
    manifest = json.dumps([{"Config": config_name, "RepoTags": [NAME], "Layers": layers}]).encode()
    with tarfile.open(out, "w") as tar:
        for name, data in ((config_name, config), (layers[1], top), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        with open(base, "rb") as stream:
            entry = tarfile.TarInfo(layers[0])
            entry.size = base.stat().st_size
            tar.addfile(entry, stream)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path, help="root file system as a tar")
    parser.add_argument("arch", help="architecture in Docker's words: amd64 or arm64")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    write(options.base, options.arch, options.out)
