# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from ansible_collections.npuops.ascend.plugins.module_utils import _manifest
from ansible_collections.npuops.ascend.plugins.module_utils import _swarm as core
from ansible_collections.npuops.ascend.plugins.modules import weights_swarm

DRIVER = pathlib.Path(__file__).parents[4] / "roles/weights/files/swarm.py"
FILES = {"config.json": b"{}", "model-00001-of-00002.safetensors": os.urandom(3_000_000), "model-00002-of-00002.safetensors": os.urandom(1_000_000)}
MANIFEST = _manifest.Manifest({name: _manifest.File(len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items()})
SIZE = MANIFEST.total_bytes
SEEDING = {"phase": "seeding", "done_bytes": SIZE, "total_bytes": SIZE, "seconds": 2.5, "kept_bytes": 0, "downloaded_bytes": SIZE, "peers": 2, "error": ""}


class Host:
    """systemd as far as the module asks it; a started unit writes its state at once."""

    def __init__(self, folder, state=None, failed=False):
        self.folder, self.state, self.failed, self.active = folder, state or SEEDING, failed, False
        self.commands = []

    def __call__(self, argv, _stdin):
        self.commands.append(argv)
        tool, verb = argv[0], argv[1]
        if tool == "systemd-run":
            self.active = True
            (self.folder / "state.json").write_text(json.dumps(self.state))
            (self.folder / "torrent").write_bytes(b"torrent")
        elif verb == "is-active":
            return (0 if self.active else 3), "", ""
        elif verb == "is-failed":
            return (0 if self.failed else 1), "", ""
        elif verb == "stop":
            self.active = False
        elif verb == "reset-failed":
            self.failed = False
        elif tool == "journalctl":
            return 0, "ImportError: libtorrent\n", ""
        return 0, "", ""

    def started(self):
        return [command for command in self.commands if command[0] == "systemd-run"]


@pytest.fixture
def join(run_module, tmp_path):
    def run(host, check=False, **options):
        arguments = {
            "path": str(tmp_path / "data/model"), "folder": str(tmp_path / "swarm"), "manifest": _manifest.render(MANIFEST), "driver": "/d/swarm.py",
            "address": "192.0.2.12", "peers": ["192.0.2.11", "192.0.2.12"], "torrent": base64.b64encode(b"torrent").decode(), **options,
        }
        return run_module(weights_swarm, arguments, replies=host, check=check)[0]

    return run


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path / "swarm")


def test_a_host_joins_once(join, host, tmp_path):
    result = join(host)
    assert (result["changed"], result["complete"], result["torrent"]) == (True, True, "")
    (command,) = host.started()
    unit = core.unit_name(str(tmp_path / "data/model"))
    assert command[1] == f"--unit={unit}"
    assert command[-4:] == ("--", "/usr/bin/python3", "/d/swarm.py", str(tmp_path / "swarm/settings.json"))
    again = join(host)
    assert (again["changed"], len(host.started())) == (False, 1)


def test_the_host_that_has_everything_gives_the_torrent(join, host):
    assert base64.b64decode(join(host, torrent=None)["torrent"]) == b"torrent"


def test_other_settings_start_it_anew(join, host):
    join(host)
    assert join(host, rate_limit=1000)["changed"]
    assert len(host.started()) == 2


def test_a_host_that_came_back_is_started_again_and_its_old_word_does_not_count(join, host, tmp_path):
    join(host)
    host.active, host.state = False, {**SEEDING, "phase": "checking"}
    result = join(host)
    assert (result["changed"], result["complete"], result["phase"]) == (True, False, "checking")


def test_check_mode(join, host, tmp_path):
    assert join(host, check=True)["changed"]
    assert not host.started() and not (tmp_path / "swarm").exists() and not (tmp_path / "data").exists()


def test_a_unit_that_failed_says_why_once(join, host):
    join(host)
    host.active, host.failed = False, True
    result = join(host)
    assert result["failed"] and "ImportError: libtorrent" in result["msg"]
    assert join(host)["complete"]


def test_a_disk_that_is_full(join, tmp_path):
    result = join(Host(tmp_path / "swarm", {**SEEDING, "phase": "downloading", "error": "No space left on device"}))
    assert "No space left on device" in result["msg"]


def test_nothing_is_left(join, host, tmp_path):
    join(host)
    result = join(host, state="left")
    assert (result["changed"], host.active, (tmp_path / "swarm").exists()) == (True, False, False)
    assert not join(host, state="left")["changed"]


def test_what_would_stay_is_cut_off(join, host, tmp_path):
    model = tmp_path / "data/model"
    model.mkdir(parents=True)
    (model / "config.json").write_bytes(b"{}   ")
    target = tmp_path / "elsewhere"
    target.write_bytes(b"kept")
    (model / "model-00001-of-00002.safetensors").symlink_to(target)
    join(host)
    assert (model / "config.json").read_bytes() == b"{}"
    assert not (model / "model-00001-of-00002.safetensors").is_symlink() and target.read_bytes() == b"kept"


# ---- the engine itself, three hosts on addresses of the loopback network


class Peer:
    def __init__(self, tmp_path, number, port, complete=False):
        self.folder, self.model = tmp_path / f"s{number}", tmp_path / f"h{number}/model"
        self.model.mkdir(parents=True)
        self.folder.mkdir()
        self.settings = core.settings(
            MANIFEST, str(self.model), str(self.folder), f"127.0.3.{number}", [f"127.0.3.{other}" for other in (1, 2, 3)], port, "", 0, complete,
        )
        self.process = None

    def start(self, looks=0.2):
        (self.folder / "settings.json").write_text(json.dumps(self.settings))
        code = f"import sys; sys.path.insert(0, {str(DRIVER.parent)!r}); import swarm; swarm.SECONDS_BETWEEN_LOOKS = {looks}; swarm.main(sys.argv[1])"
        self.process = subprocess.Popen([sys.executable, "-c", code, str(self.folder / "settings.json")], stderr=subprocess.PIPE, text=True)

    def state(self):
        file = self.folder / "state.json"
        return core.parse_state(file.read_text() if file.exists() else "{}")

    def wait(self):
        deadline = time.monotonic() + 60
        while self.state()["phase"] != "seeding":
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline, self.state()
            time.sleep(0.1)
        return self.state()

    def stop(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def peers(tmp_path):
    pytest.importorskip("libtorrent")
    with socket.create_server(("127.0.3.1", 0)) as probe:
        port = probe.getsockname()[1]
    made = [Peer(tmp_path, number, port, complete=number == 1) for number in (1, 2, 3)]
    for name, data in FILES.items():
        (made[0].model / name).write_bytes(data)
    made[0].start()
    made[0].wait()
    for peer in made[1:]:
        (peer.folder / "torrent").write_bytes((made[0].folder / "torrent").read_bytes())
    yield made
    for peer in made:
        if peer.process is not None:
            peer.stop()


def test_files_reach_all_hosts_and_a_damaged_piece_is_fetched_alone(peers):
    _seed, second, third = peers
    second.start()
    third.start()
    for peer in (second, third):
        assert peer.wait()["kept_bytes"] == 0
        assert {path.name: path.read_bytes() for path in peer.model.iterdir()} == FILES
        assert (peer.model / "config.json").stat().st_mode & 0o777 == 0o640

    second.stop()
    shard = second.model / "model-00001-of-00002.safetensors"
    data = bytearray(shard.read_bytes())
    data[1_000_000] ^= 1
    shard.write_bytes(data)
    (second.folder / "state.json").unlink()
    # Even a host so busy that it looks long after the files were checked knows what it had.
    second.start(looks=2)
    state = second.wait()
    assert state["kept_bytes"] == SIZE - second.settings["piece_bytes"]
    # Two peers have the piece, and its last blocks may be asked of both.
    assert second.settings["piece_bytes"] <= state["downloaded_bytes"] <= 2 * second.settings["piece_bytes"]
    assert shard.read_bytes() == FILES[shard.name]


def test_a_stranger_gets_nothing(peers):
    seed, stranger, third = peers
    # The others do not know it; the seed refuses its address.
    seed.stop()
    seed.settings["allowed"], seed.settings["peers"] = ["127.0.3.3"], seed.settings["peers"][1:]
    seed.start()
    stranger.start()
    third.settings["allowed"], third.settings["peers"] = ["127.0.3.1"], [["127.0.3.1", third.settings["port"]]]
    third.start()
    third.wait()
    assert stranger.state()["done_bytes"] == 0
