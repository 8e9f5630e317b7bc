# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers: start, wait, look, remove."""
from __future__ import annotations

import collections.abc
import concurrent.futures
import ipaddress
import json
import os
import pathlib
import re
import subprocess
import time
import typing

from .engine import Engine, say, step
from .settings import SIMULATOR, Host, Settings, SimulatorError, image_name

BOOT_LIMIT = 300.0  # seconds; a boot takes 3 on two idle cores
SSH_LIMIT = 180.0  # a host that was there boots within it
SOCKET_LIMIT = 107  # bytes of a socket's path, ssh's own ending included
PREFIX_LABEL = "npuops.prefix"
SHAPE_LABEL = "npuops.shape"


class Keys:
    """One key pair to log in, one host key a host, a known_hosts file, so that host key checking stays on, and ssh's configuration."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.ssh
        self.private = self.folder / "id_ed25519"
        self.known_hosts = self.folder / "known_hosts"
        self.config = self.folder / f"{settings.prefix}.config"
        self.aliases = "".join(f"Host {host.name}\n    HostName {host.address}\n" for host in settings.every_host())

    def make(self, hosts: list[Host]) -> None:
        self._generate(self.private, "npuops simulator")
        for host in hosts:
            folder = self.of(host)
            self._generate(folder / "ssh_host_ed25519_key", host.container)
            (folder / "authorized_keys").write_text(self._public(self.private), encoding="ascii")
        self._learn(hosts)
        self._replace(
            self.config,
            f"{self.aliases}Host *\n    User root\n    IdentityFile {self.private}\n    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {self.known_hosts}\n    StrictHostKeyChecking yes\n{self.connection_sharing()}",
        )

    def connection_sharing(self) -> str:
        """Commands that follow each other share a connection: making one takes longer than most commands."""
        path = self.folder / "%C"
        if len(str(path)) - len("%C") + 40 + len(".") + 16 > SOCKET_LIMIT:
            return ""
        return f"    ControlMaster auto\n    ControlPath {path}\n    ControlPersist 60\n    ServerAliveInterval 5\n"

    def forget_connection(self, host: Host) -> None:
        """What is connected to a host that is taken away does not hear of it."""
        if self.config.exists():
            subprocess.run(["ssh", "-F", str(self.config), "-O", "exit", host.name], check=False, stdin=subprocess.DEVNULL, capture_output=True)

    def of(self, host: Host) -> pathlib.Path:
        """The folder that the host reads at boot."""
        return self.folder / "hosts" / host.container

    def options(self) -> list[str]:
        return ["-i", str(self.private), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes"]

    @staticmethod
    def _replace(path: pathlib.Path, text: str) -> None:
        """In one step: an ssh to other hosts may be reading it."""
        new = path.with_name(path.name + ".new")
        new.write_text(text, encoding="ascii")
        new.replace(path)

    @staticmethod
    def _public(private: pathlib.Path) -> str:
        return private.with_name(private.name + ".pub").read_text(encoding="ascii")

    @staticmethod
    def _generate(path: pathlib.Path, comment: str) -> None:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)], check=True, stdin=subprocess.DEVNULL)

    def _learn(self, hosts: list[Host]) -> None:
        """Replace these hosts' lines; other sets of hosts keep theirs."""
        before = self.known_hosts.read_text(encoding="ascii").splitlines() if self.known_hosts.exists() else []
        lines = {line.split(" ")[0]: line for line in before if line}
        for host in hosts:
            key_type, key = self._public(self.of(host) / "ssh_host_ed25519_key").split()[:2]
            lines[host.address] = f"{host.address} {key_type} {key}"
        self._replace(self.known_hosts, "".join(f"{line}\n" for line in lines.values()))


def _mac_of(address: str) -> str:
    """Of the interface with this address: a host that went off comes back with its own, as others still have it in their ARP caches."""
    return "02:00:" + ipaddress.IPv4Address(address).packed.hex(":")


class Hosts:
    """A set of simulated hosts."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.keys = Keys(settings)

    def up(self, hosts: list[Host], fresh: bool = False) -> None:
        """Have these hosts running; with fresh, as new."""
        self.keys.make(hosts)
        self._network(self.settings.management_network, str(self.settings.management), "--management")
        self._network(self.settings.plane_network, str(self.settings.plane), "--plane")
        # Python caches what it compiled beside the source, which the hosts see read-only: they get a place of their own there.
        (SIMULATOR / "npusim/__pycache__").mkdir(exist_ok=True)
        self._parallel(lambda host: self._up(host, fresh), hosts)

    @staticmethod
    def _parallel(work: collections.abc.Callable[[Host], None], hosts: list[Host]) -> None:
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            futures = [pool.submit(work, host) for host in hosts]
        errors = [str(error) for future in futures if (error := future.exception()) is not None]
        if errors:
            raise SimulatorError("\n".join(errors))

    def _network(self, name: str, subnet: str, option: str) -> None:
        reply = self.engine.try_run("network", "inspect", name)
        if reply.returncode != 0:
            with step(f"network {name} {subnet}"):
                # Without podman's name server: it would take port 53, and nothing here looks names up.
                reply = self.engine.try_run("network", "create", "--disable-dns", "--label", f"{PREFIX_LABEL}={self.settings.prefix}", "--subnet", subnet, name)
                if reply.returncode != 0:
                    raise SimulatorError(f"Network {name} could not be made: {reply.stderr.strip()}. {option} gives it another subnet than {subnet}.")
            return
        found = sorted(re.findall(r'"[Ss]ubnet": "([0-9./]+)"', reply.stdout))
        if found != [subnet]:
            raise SimulatorError(f"Network {name} has {', '.join(found)}, wanted {subnet}. Run `simulator.py down` first, or give --prefix another name.")

    def _up(self, host: Host, fresh: bool) -> None:
        start = time.monotonic()
        if fresh:
            self._remove(host)
        shape = self.engine.label("container", host.container, SHAPE_LABEL)
        if shape is None:
            self._create(host)
            self._wait_for_boot(host)
            word = "new"
        elif shape != self.settings.shape:
            raise SimulatorError(f"{host.name} is there in the shape of {shape}, wanted {self.settings.shape}. "
                                 f"`simulator.py reset --os {self.settings.shape} {host.name}` makes it anew; what is on it is lost.")
        else:
            self.engine.output("start", host.container)
            word = "was there, kept"
            if self.engine.output("container", "inspect", "--format", "{{.Image}}", host.container).strip() != self._newest_image(shape):
                word += "; from an older image (`simulator.py reset` makes it anew)"
        # A host that was there may have services that fail or still start: they are its user's, not ours.
        self._wait_for_ssh(host)
        say(f"  {time.monotonic() - start:6.1f} s  {host.name} {host.address} {self.settings.shape}: {word}")

    def _newest_image(self, shape: str) -> str:
        return self.engine.try_run("image", "inspect", "--format", "{{.Id}}", image_name(shape)).stdout.strip()

    def _create(self, host: Host) -> None:
        settings = self.settings
        self.engine.output(
            "run", "--detach", "--name", host.container, "--hostname", host.name,
            "--label", f"{PREFIX_LABEL}={settings.prefix}", "--label", f"{SHAPE_LABEL}={settings.shape}",
            # A machine of its own: systemd as PID 1, a Docker engine inside, and back again after a reboot.
            "--systemd=always", "--privileged", "--cgroupns=private", "--pids-limit=-1", "--restart=always",
            *self.engine.run_options(),
            "--network", f"{settings.management_network}:ip={host.address},mac={_mac_of(host.address)},interface_name=eth0",
            "--network", f"{settings.plane_network}:ip={host.plane_address},mac={_mac_of(host.plane_address)},interface_name=eth1",
            # Docker's overlay2 does not work on top of the container's own overlay.
            "--volume", f"{host.docker_volume}:/var/lib/docker",
            "--volume", f"{settings.packages}:/opt/packages:ro",
            "--volume", f"{settings.repositories}:/opt/repo:ro",
            "--volume", f"{SIMULATOR / 'npusim'}:/opt/npusim/npusim:ro",
            "--tmpfs", "/opt/npusim/npusim/__pycache__",
            # The kernel is this machine's; this setting is the host's own, as MindIE wants it.
            "--volume", f"{SIMULATOR / 'kernel/transparent_hugepage'}:/sys/kernel/mm/transparent_hugepage/enabled:ro",
            "--volume", f"{self.keys.of(host)}:/etc/npusim/ssh:ro",
            "--env", f"NPUSIM_PRODUCT={settings.product}", "--env", f"NPUSIM_HOST_INDEX={host.number}",
            "--env", f"NPUSIM_PLANE_ADDRESS={host.plane_address}",
            image_name(settings.shape),
        )

    def _wait_for_boot(self, host: Host) -> None:
        """Until systemd says "running"; otherwise say which units failed."""
        deadline = time.monotonic() + BOOT_LIMIT
        state = ""
        while time.monotonic() < deadline and state not in ("running", "degraded"):
            state = self._state(host.container, "--wait")
            time.sleep(0.1)
        if state != "running":
            raise SimulatorError(f"{host.name} is {state or 'not answering'}, expected running.\n{self._trouble(host.container)}")

    def _wait_for_ssh(self, host: Host) -> None:
        """Until ssh lets us in; otherwise say what it says."""
        deadline = time.monotonic() + SSH_LIMIT
        while (refusal := self._ssh_refusal(host)) and time.monotonic() < deadline:
            time.sleep(0.2)
        if refusal:
            raise SimulatorError(f"{host.name} runs, but ssh to {host.address} fails: {refusal}\n"
                                 f"If {self.keys.folder} was removed since the host was made, `simulator.py reset {host.name}` makes it anew.")

    def _state(self, container: str, *options: str) -> str:
        """What systemd says of the host; empty while it does not answer."""
        try:
            return self.engine.try_run("exec", container, "systemctl", "is-system-running", *options, timeout=BOOT_LIMIT).stdout.strip()
        except subprocess.TimeoutExpired:
            return ""

    def _trouble(self, container: str) -> str:
        failed = self.engine.try_run("exec", container, "systemctl", "--failed", "--no-legend", "--plain").stdout
        journal = self.engine.try_run("exec", container, "journalctl", "--boot", "--no-pager", "--priority=warning", "--lines=20").stdout
        console = self.engine.try_run("logs", "--tail", "10", container)
        return f"Failed units:\n{failed}Journal:\n{journal}Console:\n{console.stdout}{console.stderr}"

    def _ssh_refusal(self, host: Host) -> str:
        """Why ssh does not let us in; empty if it does."""
        reply = subprocess.run(
            ["ssh", *self.keys.options(), "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", f"root@{host.address}", "true"],
            check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )
        return "" if reply.returncode == 0 else reply.stderr.strip() or f"exit {reply.returncode}"

    def login(self, host: Host, command: list[str]) -> None:
        """Become ssh."""
        os.execvp("ssh", ["ssh", *self.keys.options(), f"root@{host.address}", *command])

    def _remove(self, host: Host) -> None:
        self.keys.forget_connection(host)
        self.engine.remove_if_present("container", "rm", "--force", "--time", "0", "--volumes", host.container)
        self.engine.remove_if_present("volume", "rm", "--force", host.docker_volume)

    def off(self, hosts: list[Host]) -> None:
        """Cut the power of these hosts."""
        for host in hosts:
            self.engine.output("kill", "--signal", "KILL", host.container)
            # A process that waits for the disk outlives the signal for a while, and a host that is not off yet would not be switched on.
            self.engine.output("wait", host.container)
            self.keys.forget_connection(host)

    def down(self) -> None:
        """Remove all hosts of this set with their networks and volumes."""
        there = {record["Name"] for record in self._records()} | set(self.engine.output("volume", "ls", "--quiet").split())
        hosts = [host for host in self.settings.every_host() if {host.container, host.docker_volume} & there]
        with step(f"{len(hosts)} hosts removed, with volumes and networks"):
            self._parallel(self._remove, hosts)
            for network in (self.settings.management_network, self.settings.plane_network):
                self.engine.remove_if_present("network", "rm", network)

    def _records(self) -> list[dict[str, typing.Any]]:
        """podman's own record of each container of this set."""
        names = self.engine.output("ps", "--all", "--quiet", "--filter", f"label={PREFIX_LABEL}={self.settings.prefix}").split()
        return json.loads(self.engine.output("container", "inspect", *names)) if names else []

    def status(self) -> list[dict[str, str]]:
        """One row a host."""
        rows = []
        for record in sorted(self._records(), key=lambda record: record["Name"]):
            shape = record["Config"]["Labels"][SHAPE_LABEL]
            networks = record["NetworkSettings"]["Networks"]
            running = record["State"]["Status"] == "running"
            rows.append({
                "host": record["Config"]["Hostname"],
                "shape": shape,
                "state": (self._state(record["Name"]) or "not answering") if running else record["State"]["Status"],
                "management": networks[self.settings.management_network]["IPAddress"],
                "plane": networks[self.settings.plane_network]["IPAddress"],
                "image": "current" if record["Image"] == self._newest_image(shape) else "older",
            })
        return rows
