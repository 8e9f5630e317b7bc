# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The containers: start, wait, look, remove."""
from __future__ import annotations

import concurrent.futures
import json
import os
import re
import subprocess
import time

from .engine import Engine, say, step
from .settings import SIMULATOR, Host, Settings, SimulatorError

BOOT_LIMIT = 90.0  # seconds; a boot takes 5 on two idle cores
PREFIX_LABEL = "npuops.prefix"
SHAPE_LABEL = "npuops.shape"


class Keys:
    """One key pair to log in, one host key a host, and a known_hosts file, so that host key checking stays on."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.ssh
        self.private = self.folder / "id_ed25519"
        self.known_hosts = self.folder / "known_hosts"

    def make(self, hosts: list[Host]) -> None:
        self._generate(self.private, "npuops simulator")
        for host in hosts:
            folder = self.of(host)
            self._generate(folder / "ssh_host_ed25519_key", host.container)
            (folder / "authorized_keys").write_text(self._public(self.private), encoding="ascii")
        self._learn(hosts)

    def of(self, host: Host):
        """The folder that the host reads at boot."""
        return self.folder / "hosts" / host.container

    def options(self) -> list[str]:
        return ["-i", str(self.private), "-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes"]

    @staticmethod
    def _public(private) -> str:
        return private.with_name(private.name + ".pub").read_text(encoding="ascii")

    @staticmethod
    def _generate(path, comment: str) -> None:
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
        self.known_hosts.write_text("".join(f"{line}\n" for line in lines.values()), encoding="ascii")


class Hosts:
    """A set of simulated hosts."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings
        self.keys = Keys(settings)

    def up(self, hosts: list[Host], fresh: bool = False) -> None:
        """Have these hosts running; with fresh, as new."""
        self.keys.make(hosts)
        self._network(self.settings.management_network, str(self.settings.management))
        self._network(self.settings.plane_network, str(self.settings.plane))
        # Python caches what it compiled beside the source, which the hosts see read-only: they get a place of their own there.
        (SIMULATOR / "npusim/__pycache__").mkdir(exist_ok=True)
        self._parallel(lambda host: self._up(host, fresh), hosts)

    def _parallel(self, work, hosts: list[Host]) -> None:
        with concurrent.futures.ThreadPoolExecutor(max_workers=8) as pool:
            futures = [pool.submit(work, host) for host in hosts]
        errors = [str(error) for future in futures if (error := future.exception()) is not None]
        if errors:
            raise SimulatorError("\n".join(errors))

    def _network(self, name: str, subnet: str) -> None:
        reply = self.engine.try_run("network", "inspect", name)
        if reply.returncode != 0:
            with step(f"network {name} {subnet}"):
                # Without podman's name server: it would take port 53, and nothing here looks names up.
                self.engine.output("network", "create", "--disable-dns", "--label", f"{PREFIX_LABEL}={self.settings.prefix}", "--subnet", subnet, name)
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
            word = "new"
        elif shape != self.settings.shape:
            raise SimulatorError(f"{host.name} is there in the shape of {shape}, wanted {self.settings.shape}. "
                                 f"`simulator.py reset --os {self.settings.shape} {host.name}` makes it anew; what is on it is lost.")
        else:
            self.engine.output("start", host.container)
            word = "was there"
            if self._image_of(host) != self._newest_image():
                word += ", from an older image (reset makes it anew)"
        self.wait(host)
        say(f"  {time.monotonic() - start:6.1f} s  {host.name} {host.address} {self.settings.shape}: running, {word}")

    def _image_of(self, host: Host) -> str:
        return self.engine.output("container", "inspect", "--format", "{{.Image}}", host.container).strip()

    def _newest_image(self) -> str:
        return self.engine.output("image", "inspect", "--format", "{{.Id}}", self.settings.image).strip()

    def _create(self, host: Host) -> None:
        settings = self.settings
        self.engine.output(
            "run", "--detach", "--name", host.container, "--hostname", host.name,
            "--label", f"{PREFIX_LABEL}={settings.prefix}", "--label", f"{SHAPE_LABEL}={settings.shape}",
            # A machine of its own: systemd as PID 1, a Docker engine inside, and back again after a reboot.
            "--systemd=always", "--privileged", "--cgroupns=private", "--pids-limit=-1", "--restart=always",
            *self.engine.run_options(),
            "--network", f"{settings.management_network}:ip={host.address},interface_name=eth0",
            "--network", f"{settings.plane_network}:ip={host.plane_address},interface_name=eth1",
            # Docker's overlay2 does not work on top of the container's own overlay.
            "--volume", f"{host.docker_volume}:/var/lib/docker",
            "--volume", f"{settings.packages}:/opt/packages:ro",
            "--volume", f"{settings.repositories}:/opt/repo:ro",
            "--volume", f"{SIMULATOR / 'npusim'}:/opt/npusim/npusim:ro",
            "--tmpfs", "/opt/npusim/npusim/__pycache__",
            "--volume", f"{self.keys.of(host)}:/etc/npusim/ssh:ro",
            "--env", f"NPUSIM_PRODUCT={settings.product}", "--env", f"NPUSIM_HOST_INDEX={host.number}",
            "--env", f"NPUSIM_PLANE_ADDRESS={host.plane_address}",
            settings.image,
        )

    def wait(self, host: Host) -> None:
        """Until systemd says "running" and ssh lets us in; otherwise say which units failed."""
        deadline = time.monotonic() + BOOT_LIMIT
        state = ""
        while time.monotonic() < deadline:
            state = self.engine.try_run("exec", host.container, "systemctl", "is-system-running", "--wait", timeout=BOOT_LIMIT).stdout.strip()
            if state == "running" and self._ssh_answers(host):
                return
            if state == "degraded":
                break
            time.sleep(0.2)
        failed = self.engine.try_run("exec", host.container, "systemctl", "--failed", "--no-legend", "--plain").stdout
        journal = self.engine.try_run("exec", host.container, "journalctl", "--no-pager", "--priority=warning", "--lines=20").stdout
        log = self.engine.try_run("logs", "--tail", "10", host.container)
        raise SimulatorError(f"{host.name} is {state or 'not answering'}, expected running.\nFailed units:\n{failed}Journal:\n{journal}"
                             f"Console:\n{log.stdout}{log.stderr}")

    def _ssh_answers(self, host: Host) -> bool:
        reply = subprocess.run(
            ["ssh", *self.keys.options(), "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", f"root@{host.address}", "true"],
            check=False, stdin=subprocess.DEVNULL, capture_output=True,
        )
        return reply.returncode == 0

    def login(self, host: Host, command: list[str]) -> None:
        """Become ssh."""
        os.execvp("ssh", ["ssh", *self.keys.options(), f"root@{host.address}", *command])

    def _remove(self, host: Host) -> None:
        self.engine.remove_if_present("container", "rm", "--force", "--time", "0", "--volumes", host.container)
        self.engine.remove_if_present("volume", "rm", "--force", host.docker_volume)

    def present(self) -> list[dict[str, object]]:
        """podman's own record of each host of this set."""
        names = self.engine.output("ps", "--all", "--quiet", "--filter", f"label={PREFIX_LABEL}={self.settings.prefix}").split()
        return json.loads(self.engine.output("container", "inspect", *names)) if names else []

    def down(self) -> None:
        """Remove all hosts of this set with their networks and volumes."""
        there = {str(record["Name"]) for record in self.present()}
        hosts = [host for host in self.settings.named([f"npu{number:02d}" for number in range(1, 65)]) if host.container in there]
        with step(f"{len(hosts)} hosts, their volumes and networks removed"):
            self._parallel(self._remove, hosts)
            for network in (self.settings.management_network, self.settings.plane_network):
                self.engine.remove_if_present("network", "rm", network)

    def status(self) -> list[dict[str, str]]:
        """One row a host."""
        rows = []
        for record in sorted(self.present(), key=lambda record: str(record["Name"])):
            networks = record["NetworkSettings"]["Networks"]  # type: ignore[index]
            running = record["State"]["Status"] == "running"  # type: ignore[index]
            rows.append({
                "host": str(record["Config"]["Hostname"]),  # type: ignore[index]
                "shape": str(record["Config"]["Labels"][SHAPE_LABEL]),  # type: ignore[index]
                "state": self._state(str(record["Name"])) if running else "stopped",
                "management": networks[self.settings.management_network]["IPAddress"],
                "plane": networks[self.settings.plane_network]["IPAddress"],
                "image": "current" if str(record["Image"]) == self._newest_image_of(str(record["Config"]["Labels"][SHAPE_LABEL])) else "older",  # type: ignore[index]
            })
        return rows

    def _newest_image_of(self, shape: str) -> str:
        return self.engine.try_run("image", "inspect", "--format", "{{.Id}}", f"localhost/npuops-host:{shape}").stdout.strip()

    def _state(self, container: str) -> str:
        return self.engine.try_run("exec", container, "systemctl", "is-system-running").stdout.strip() or "not answering"
