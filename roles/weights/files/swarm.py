# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host's part in spreading a model: drives libtorrent with the settings of a file, and says in another how far it is.

Usage: python swarm.py SETTINGS. The module weights_swarm writes the settings and starts this as a systemd unit. It runs until it is stopped.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
import os
import sys
import time
import typing as t
import warnings
from concurrent.futures import ThreadPoolExecutor

# list_files came with 2.1, which calls the older names deprecated; distributions have 2.0.
warnings.filterwarnings("ignore", category=DeprecationWarning)

try:
    import libtorrent as lt
except ImportError as error:
    sys.exit(f"{sys.executable} has no libtorrent ({error}). Install the distribution's package, or the wheel for this interpreter.")

EVERYBODY = (("0.0.0.0", "255.255.255.255"), ("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
REFUSED = 1
SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_BETWEEN_STATES = 1.0
SECONDS_BETWEEN_CALLS = 2.0
MIB = 1024 * 1024


class State:
    """What others read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.began = time.monotonic()
        self.ended = 0.0

    def write(self, phase: str, done_bytes: int, total_bytes: int, **more: t.Any) -> None:
        # How long the transfer took does not grow while others are served.
        if phase == "seeding" and not self.ended:
            self.ended = time.monotonic()
        seconds = (self.ended or time.monotonic()) - self.began
        content = {"phase": phase, "done_bytes": done_bytes, "total_bytes": total_bytes, "seconds": round(seconds, 3), **more}
        with open(f"{self.path}.new", "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(f"{self.path}.new", self.path)


def make_torrent(settings: dict[str, t.Any], state: State) -> None:
    """Hash the pieces of the files, several at a time: libtorrent itself would use one processor."""
    folder, name = os.path.split(settings["path"])
    storage = lt.file_storage()
    for path, size in settings["files"]:
        storage.add_file(f"{name}/{path}", size)
    torrent = lt.create_torrent(storage, settings["piece_bytes"], lt.create_torrent.v1_only)
    # Private: peers come from the settings alone, and no client that reads this file looks elsewhere.
    torrent.set_priv(True)

    # The files one after the other, as libtorrent counts them.
    ends = list(itertools.accumulate(storage.file_size(index) for index in range(storage.num_files())))

    def digest(piece: int) -> tuple[int, bytes]:
        data = hashlib.sha1(usedforsecurity=False)
        position, end = piece * settings["piece_bytes"], min((piece + 1) * settings["piece_bytes"], ends[-1])
        while position < end:
            index = bisect.bisect_right(ends, position)
            length = min(end, ends[index]) - position
            with open(os.path.join(folder, storage.file_path(index)), "rb") as file:
                file.seek(position - ends[index] + storage.file_size(index))
                data.update(file.read(length))
            position += length
        return piece, data.digest()

    shown = 0.0
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, 16)) as pool:
        for piece, value in pool.map(digest, range(storage.num_pieces())):
            torrent.set_hash(piece, value)
            if time.monotonic() - shown >= SECONDS_BETWEEN_STATES:
                shown = time.monotonic()
                state.write("hashing", piece * settings["piece_bytes"], storage.total_size())
    with open(f"{settings['torrent']}.new", "wb") as file:
        file.write(lt.bencode(torrent.generate()))
    os.replace(f"{settings['torrent']}.new", settings["torrent"])


def session(settings: dict[str, t.Any]) -> t.Any:
    made = lt.session({
        "listen_interfaces": f"{settings['listen']}:{settings['port']}",
        "outgoing_interfaces": settings["outgoing"],
        # Nobody is looked for, and nobody is told: the peers are in the settings.
        "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
        # Within a data centre TCP is faster and costs less than uTP.
        "enable_incoming_utp": False, "enable_outgoing_utp": False,
        "download_rate_limit": settings["rate_limit"], "upload_rate_limit": settings["rate_limit"],
        # Every peer is served, and asked for much at a time: the defaults are for homes.
        "unchoke_slots_limit": -1, "connection_speed": 100, "max_out_request_queue": 2000, "request_queue_time": 10,
        "send_buffer_watermark": 8 * MIB, "send_buffer_low_watermark": MIB, "send_socket_buffer_size": 4 * MIB, "recv_socket_buffer_size": 4 * MIB,
        "aio_threads": 8, "hashing_threads": min(os.cpu_count() or 1, 8), "alert_queue_size": 1000,
        "allow_multiple_connections_per_ip": False, "min_reconnect_time": 2, "peer_connect_timeout": 5, "max_failcount": 1000000,
        "alert_mask": lt.alert.category_t.error_notification | lt.alert.category_t.storage_notification,
        "user_agent": "npuops", "anonymous_mode": False,
    })
    rules = lt.ip_filter()
    for first, last in EVERYBODY:
        rules.add_rule(first, last, REFUSED)
    for address in settings["allowed"]:
        rules.add_rule(address, address, 0)
    made.set_ip_filter(rules)
    # Without this, peers of the same network would be exempt from the rate limits.
    classes = lt.ip_filter()
    for first, last in EVERYBODY:
        classes.add_rule(first, last, 0)
    made.set_peer_class_filter(classes)
    return made


def problem(made: t.Any) -> str:
    """The last thing that kept libtorrent from its work, such as a port that is taken or a full disk."""
    texts = [
        alert.message() for alert in made.pop_alerts()
        if isinstance(alert, (lt.listen_failed_alert, lt.torrent_error_alert, lt.file_error_alert))
    ]
    return texts[-1] if texts else ""


def take_part(settings: dict[str, t.Any], state: State) -> None:
    made = session(settings)
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(settings["torrent"])
    params.save_path = os.path.dirname(settings["path"])
    params.storage_mode = lt.storage_mode_t.storage_mode_sparse
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    # Nothing is fetched before what is here was counted.
    params.flags |= lt.torrent_flags.seed_mode if settings["complete"] else lt.torrent_flags.stop_when_ready
    torrent = made.add_torrent(params)
    called, first_bytes, error = 0.0, None, ""
    while True:
        status = torrent.status()
        error = problem(made) or error
        if first_bytes is not None and time.monotonic() - called >= SECONDS_BETWEEN_CALLS and not status.is_seeding:
            # A peer that was gone may be back; one that is connected is not called a second time.
            called = time.monotonic()
            for address, port in settings["peers"]:
                torrent.connect_peer((address, port))
        checking = status.state in (lt.torrent_status.checking_files, lt.torrent_status.checking_resume_data)
        if checking:
            state.write("checking", int(status.progress * status.total_wanted), params.ti.total_size(), error=error)
            state.began = time.monotonic() if first_bytes is None else state.began
        else:
            if first_bytes is None:
                first_bytes, state.began = status.total_wanted_done, time.monotonic()
                torrent.resume()
            state.write(
                "seeding" if status.is_seeding else "downloading", status.total_wanted_done, status.total_wanted,
                kept_bytes=first_bytes, downloaded_bytes=status.total_payload_download, uploaded_bytes=status.total_payload_upload,
                rate=status.download_payload_rate, peers=status.num_peers, error=error,
            )
        time.sleep(SECONDS_BETWEEN_LOOKS if not status.is_seeding else SECONDS_BETWEEN_STATES)


def main(path: str) -> None:
    os.umask(0o027)
    with open(path, encoding="utf-8") as file:
        settings = json.load(file)
    state = State(settings["state"])
    if not os.path.exists(settings["torrent"]):
        make_torrent(settings, state)
    take_part(settings, state)


if __name__ == "__main__":
    main(sys.argv[1])
