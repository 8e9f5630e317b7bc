# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Weights to six simulated hosts, against rsync; and what a check against the manifest reads and how fast it hashes.

All simulated hosts share the processors of one machine, while real ones have their own, and links. So every host gets a link of its own
here: what it sends is limited by the kernel (tc), to a rate at which the processors are not the limit. What it receives needs no limit, for
everything has to leave the first host once.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible.module_utils.testing import patch_module_args

from ansible_collections.npuops.ascend.plugins.modules import weights_manifest

PROJECT = pathlib.Path(__file__).parents[2]
HOSTS = 6
SIMULATOR = ["--prefix", "weights", "--hosts", str(HOSTS), "--management", "10.89.13.0/24", "--plane", "10.89.112.0/20"]
SSH = ["ssh", "-F", ".build/ssh/weights.config"]
MIB = 1024 * 1024
SIZE_MIB = int(os.environ.get("NPUOPS_BENCH_WEIGHTS_MIB", "1920"))
LINK = os.environ.get("NPUOPS_BENCH_LINK", "200mbit")
SHARD_MIB = 64
RSYNCD = "port = 16890\\nuse chroot = no\\nuid = root\\ngid = root\\n[model]\\npath = /data/model\\n"


def run(argv: list[str]) -> str:
    done = subprocess.run(argv, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return done.stdout


def on_host(number: int, command: str) -> str:
    return run([*SSH, f"npu0{number}", command])


def inventory(folder: pathlib.Path) -> pathlib.Path:
    common = f"-F {PROJECT}/.build/ssh/weights.config"
    login = {"ansible_user": "root", "ansible_ssh_common_args": common}
    hosts = {f"npu0{number}": {"ansible_host": f"10.89.13.{10 + number}", **login} for number in range(1, HOSTS + 1)}
    file = folder / "hosts.json"
    file.write_text(json.dumps({"mindie": {"hosts": hosts}}))
    return file


def spread(hosts: pathlib.Path, source_host: str) -> tuple[float, float]:
    """Seconds of the transfer to the last host, and of the whole play."""
    variables = {
        "weights_path": "/data/model", "weights_source": "host", "weights_source_host": source_host,
        "weights_engine_install": "package", "weights_poll_interval": 5,
    }
    began = time.monotonic()
    output = run(["ansible-playbook", "-v", "-i", str(hosts), "playbooks/weights.yml", "--forks", str(HOSTS), "-e", json.dumps(variables)])
    whole = time.monotonic() - began
    (task,) = re.findall(r"TASK \[[^\]]*P2P \| Get the weights from each other\].*?(?=\nTASK )", output, re.DOTALL)
    seconds = [float(text) for text in re.findall(r'"seconds": ([0-9.]+)', task)]
    assert len(seconds) == HOSTS - 1, task
    return max(seconds), whole


def rsync(number: int) -> float:
    began = time.monotonic()
    on_host(number, "rsync --recursive --times rsync://10.89.13.11:16890/model/ /data/copy/")
    return time.monotonic() - began


def transfers() -> dict[str, float]:
    run([sys.executable, "tests/simulator/simulator.py", "up", *SIMULATOR])
    try:
        run([sys.executable, "tests/simulator/simulator.py", "reset", *SIMULATOR])
        for number in range(1, HOSTS + 1):
            on_host(number, "dnf -q -y install rsync rb_libtorrent-python3")
            on_host(number, f"tc qdisc add dev eth0 root tbf rate {LINK} burst 1mb latency 50ms")
        shards = SIZE_MIB // SHARD_MIB
        copied = pathlib.Path("tests/simulator/hub/make_model.py")
        with (PROJECT / copied).open("rb") as program:
            subprocess.run([*SSH, "npu01", f"python3 - /data/model {shards} {SHARD_MIB}"], cwd=PROJECT, stdin=program, check=True)
        on_host(1, f"printf '{RSYNCD}' > /root/rsyncd.conf; systemd-run --quiet --unit=bench-rsync rsync --daemon --no-detach --config=/root/rsyncd.conf")
        on_host(1, "firewall-cmd --quiet --add-port=16890/tcp")
        each = [rsync(number) for number in range(2, HOSTS + 1)]
        for number in range(2, HOSTS + 1):
            on_host(number, "rm -r /data/copy")
        with tempfile.TemporaryDirectory() as folder:
            seconds, whole = spread(inventory(pathlib.Path(folder)), "npu01")
        return {"one_rsync": each[0], "rsync_in_turn": sum(each), "spread": seconds, "play": whole}
    finally:
        run([sys.executable, "tests/simulator/simulator.py", "down", *SIMULATOR])


def call(**arguments: t.Any) -> dict[str, t.Any]:
    output = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        weights_manifest.main()
    return json.loads(output.getvalue())


def read_by_this_process() -> int:
    """Bytes that read system calls have given, from the cache or from the disk."""
    return int(re.search(r"rchar: (\d+)", pathlib.Path("/proc/self/io").read_text())[1])


def manifest() -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=PROJECT / ".build") as folder:
        model = pathlib.Path(folder) / "model"
        model.mkdir()
        for number in range(16):
            (model / f"model-{number:05d}.safetensors").write_bytes(os.urandom(SHARD_MIB * MIB))
        size = 16 * SHARD_MIB * MIB
        began = time.monotonic()
        run(["sha256sum", *map(str, sorted(model.iterdir()))])
        tool = time.monotonic() - began
        arguments = {"path": str(model), "manifest": f"{folder}/state/manifest.json"}
        began = time.monotonic()
        made = call(**arguments, state="present")
        hashing = time.monotonic() - began
        assert made["read_bytes"] == size
        before, began = read_by_this_process(), time.monotonic()
        assert call(**arguments)["complete"]
        seconds, read = time.monotonic() - began, read_by_this_process() - before
        assert read < size / 1000, f"an unchanged model of {size} bytes was checked by reading {read}"
        return {"read_bytes": read, "check_seconds": seconds, "against_sha256sum": hashing / tool}


def main() -> dict[str, float]:
    return {**manifest(), **transfers()}


if __name__ == "__main__":
    print(json.dumps(main(), indent=1))
