# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the nodes of one group find each other.

Two ways, as in reality. The devices link up over the NPU network: every device of a server connects, from its own
address, to every device of the servers before it in the rank table. The daemons keep a control connection over the
host network, slave to master on multiNodesInferPort; it tells when all are ready and, later, that a node is lost.
A link stands only if both ends have the same table, the same TLS switch and the same image version.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from .errors import StartFailure
from .hccn import family
from .ranktable import Device, RankTable, Server
from .settings import IMAGE_VERSION, Settings

RETRY_SECONDS = 1.0
EXTRA_SECONDS = 20  # HCCL waits this much longer than HCCL_CONNECT_TIMEOUT says


def greeting(device: Device, table: RankTable, tls: bool, version: str = IMAGE_VERSION) -> dict[str, Any]:
    return {"rank": device.rank, "table": table.sha256, "tls": tls, "version": version}


def may_link(own: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(own[name] == other.get(name) for name in ("table", "tls", "version"))


@dataclasses.dataclass(frozen=True)
class Link:
    own: Device
    peer: Device
    role: str  # "client" or "server"


def expected_links(table: RankTable, local: Server) -> list[Link]:
    """A later server of the table calls, an earlier one answers."""
    place = table.servers.index(local)
    links = []
    for number, server in enumerate(table.servers):
        if number != place:
            role = "client" if number < place else "server"
            links += [Link(own, peer, role) for own in local.devices for peer in server.devices]
    return links


class Channel:
    """JSON lines over a TCP connection."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.lines = connection.makefile("r", encoding="utf-8", errors="replace")

    def send(self, message: dict[str, Any]) -> None:
        self.connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self) -> dict[str, Any]:
        message = json.loads(self.lines.readline() or "null")
        if not isinstance(message, dict):
            raise ConnectionError("the peer closed the connection or sent no message")
        return message

    def close(self) -> None:
        self.lines.close()
        self.connection.close()


class Group:
    """This node's part in meeting the others."""

    def __init__(
        self,
        table: RankTable,
        local: Server,
        tls: dict[int, bool],
        control_port: int,
        settings: Settings,
        log: logging.Logger,
        on_lost: Callable[[str], None],
    ) -> None:
        self.table, self.local, self.tls = table, local, tls
        self.control_port, self.settings, self.log, self.on_lost = control_port, settings, log, on_lost
        self.master = table.master
        self.links = expected_links(table, local)
        self.changed = threading.Condition()
        self.linked: set[tuple[int, int]] = set()
        self.controls: dict[str, Channel] = {}
        self.ready: set[str] = set()
        self.go = False

    # -- what the daemon calls ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to listen and to call; raises where a port is taken."""
        for device in self.local.devices:
            listener = self._listen(device.address, self.settings.hccl_port)
            if listener:
                self._start(self._serve_devices, listener, device)
        if self.local == self.master:
            self._start(self._serve_control, self._listen(self.local.container_ip, self.control_port))
        else:
            self._start(self._call_control)
        for device in self.local.devices:
            links = [link for link in self.links if link.role == "client" and link.own == device]
            if links:
                self._start(self._call_devices, device, links)

    def poll(self, timeout: float) -> bool:
        """True as soon as every node is ready; False after the time."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not self._met():
                left = deadline - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    return self._met()
            return True

    def missing_links(self) -> list[Link]:
        return [link for link in self.links if (link.own.rank, link.peer.rank) not in self.linked]

    # -- state ----------------------------------------------------------------------------------------------------

    def _met(self) -> bool:
        """Called with the lock held: a slave reports when its links stand, the master lets all go."""
        if self.go:
            return True
        if len(self.linked) < len(self.links):
            return False
        if self.local != self.master:
            channel = self.controls.get(self.master.server_id)
            if channel and self.master.server_id not in self.ready:
                self.ready.add(self.master.server_id)
                self._tell(channel, {"ready": True})
            return False
        if len(self.ready) < len(self.table.servers) - 1:
            return False
        self.go = True
        for channel in self.controls.values():
            self._tell(channel, {"go": True})
        return True

    @staticmethod
    def _tell(channel: Channel, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the thread that reads from it sees the end, too
            channel.send(message)

    def _retry(self) -> float:
        return max(self.settings.wait(RETRY_SECONDS), 0.05)

    def _note(self, change: Callable[[], Any]) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    # -- sockets --------------------------------------------------------------------------------------------------

    @staticmethod
    def _start(target: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=target, args=arguments, daemon=True).start()

    def _listen(self, address: str, port: int) -> socket.socket | None:
        listener = socket.socket(family(address), socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
        except OSError as problem:
            listener.close()
            if port != self.settings.hccl_port:
                raise StartFailure(f"Socket bind failed: {address}:{port}: {problem.strerror}") from problem
            if problem.errno == errno.EADDRINUSE:
                raise StartFailure(f"EI0019: Failed to bind the IP port. Reason: {address}:{port} is in use.") from problem
            return None  # the device's link is down
        listener.listen(1024)
        return listener

    def _serve_devices(self, listener: socket.socket, device: Device) -> None:
        while True:
            connection, _address = listener.accept()
            self._start(self._answer_device, connection, device)

    def _answer_device(self, connection: socket.socket, device: Device) -> None:
        connection.settimeout(5)
        channel = Channel(connection)
        try:
            own = greeting(device, self.table, self.tls[device.device_id])
            other = channel.receive()
            channel.send(own)
            if may_link(own, other):
                self._note(lambda: self.linked.add((device.rank, int(other["rank"]))))
        except (OSError, ValueError):
            pass  # the caller tries again
        finally:
            channel.close()

    def _call_devices(self, device: Device, links: list[Link]) -> None:
        own = greeting(device, self.table, self.tls[device.device_id])
        while links:
            links = [link for link in links if not self._call_device(own, link)]
            if links:
                time.sleep(self._retry())

    def _call_device(self, own: dict[str, Any], link: Link) -> bool:
        try:
            connection = socket.create_connection(
                (link.peer.address, self.settings.hccl_port),
                # A busy host answers late, and an answer that nobody awaits is no link.
                timeout=max(self._retry(), 2.0),
                source_address=(link.own.address, 0),
            )
        except OSError:
            return False
        channel = Channel(connection)
        try:
            channel.send(own)
            other = channel.receive()
        except (OSError, ValueError):
            return False
        finally:
            channel.close()
        if not may_link(own, other) or other.get("rank") != link.peer.rank:
            return False
        self._note(lambda: self.linked.add((link.own.rank, link.peer.rank)))
        return True

    def _serve_control(self, listener: socket.socket) -> None:
        while True:
            connection, _address = listener.accept()
            self._start(self._answer_control, connection)

    def _answer_control(self, connection: socket.socket) -> None:
        channel = Channel(connection)
        slaves = {server.server_id for server in self.table.servers} - {self.master.server_id}
        try:
            hello = channel.receive()
            name = hello.get("server_id")
            if name not in slaves or name in self.controls or hello.get("table") != self.table.sha256:
                channel.close()
                return
            channel.send({"welcome": True})
        except (OSError, ValueError):
            channel.close()
            return
        self.log.info("[endpoint] slave node %s is connected", name)
        self._note(lambda: self.controls.update({name: channel}))
        self._watch(channel, name)

    def _call_control(self) -> None:
        name = self.master.server_id
        while True:
            try:
                channel = Channel(socket.create_connection((self.master.container_ip, self.control_port), timeout=5))
                channel.send({"server_id": self.local.server_id, "table": self.table.sha256})
                channel.receive()
                break
            except (OSError, ValueError):
                time.sleep(self._retry())
        self.log.info("[endpoint] connected to master node %s", name)
        channel.connection.settimeout(None)
        self._note(lambda: self.controls.update({name: channel}))
        self._watch(channel, name)

    def _watch(self, channel: Channel, name: str) -> None:
        """Read a standing control connection until it breaks; once the group is at work, that ends the service."""
        try:
            while True:
                message = channel.receive()
                if message.get("ready"):
                    self._note(lambda: self.ready.add(name))
                if message.get("go"):
                    self._note(lambda: setattr(self, "go", True))
        except (OSError, ValueError):
            if self.go:
                self.on_lost(name)
            else:  # it gave up or starts again; this node waits for its own time
                self._note(lambda: self._forget(name))

    def _forget(self, name: str) -> None:
        self.controls.pop(name).close()
        self.ready.discard(name)
