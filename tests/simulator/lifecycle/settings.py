# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted: plain values, no side effects."""
from __future__ import annotations

import dataclasses
import ipaddress
import pathlib

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = SIMULATOR.parent.parent
SHAPES = ("openeuler", "ubuntu")
FIRST_HOST = 11  # the last number of the first host's address, on both networks
MAX_HOSTS = 64


class SimulatorError(Exception):
    """Something that the person at the keyboard can put right; the text says how."""


def image_name(shape: str) -> str:
    return f"localhost/npuops-host:{shape}"


@dataclasses.dataclass(frozen=True)
class Host:
    """One simulated host: number 1 is npu01."""

    number: int
    prefix: str
    management: ipaddress.IPv4Network
    plane: ipaddress.IPv4Network

    @property
    def name(self) -> str:
        return f"npu{self.number:02d}"

    @property
    def container(self) -> str:
        return f"{self.prefix}-{self.name}"

    @property
    def docker_volume(self) -> str:
        return f"{self.container}-docker"

    @property
    def address(self) -> str:
        return str(self.management.network_address + FIRST_HOST + self.number - 1)

    @property
    def plane_address(self) -> str:
        """The interface's own address; the NPUs' addresses come beside it."""
        return str(self.plane.network_address + FIRST_HOST + self.number - 1)


@dataclasses.dataclass(frozen=True)
class Settings:
    """One set of simulated hosts."""

    hosts: int = 2
    shape: str = "openeuler"
    prefix: str = "npuops"
    product: str = "910B3"
    management: ipaddress.IPv4Network = ipaddress.IPv4Network("10.89.7.0/24")
    plane: ipaddress.IPv4Network = ipaddress.IPv4Network("10.89.16.0/20")
    state_dir: pathlib.Path = REPOSITORY / ".build"

    def __post_init__(self) -> None:
        if not 1 <= self.hosts <= MAX_HOSTS:
            raise SimulatorError(f"--hosts {self.hosts}: give a number from 1 to {MAX_HOSTS}.")
        for option, network in (("--management", self.management), ("--plane", self.plane)):
            if network.prefixlen > 24:
                raise SimulatorError(f"{option} {network}: give a network of at least 256 addresses (/24).")
        if self.management.overlaps(self.plane):
            raise SimulatorError(f"--management {self.management} and --plane {self.plane} overlap: give two separate networks.")

    def host(self, number: int) -> Host:
        return Host(number, self.prefix, self.management, self.plane)

    def all_hosts(self) -> list[Host]:
        """The hosts that are wanted."""
        return [self.host(number) for number in range(1, self.hosts + 1)]

    def every_host(self) -> list[Host]:
        """Every host that there can be."""
        return [self.host(number) for number in range(1, MAX_HOSTS + 1)]

    def named(self, names: list[str]) -> list[Host]:
        """The hosts with these names; all that are wanted when none is named."""
        known = {host.name: host for host in self.every_host()}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise SimulatorError(f"No such host: {', '.join(unknown)}. Hosts are named npu01, npu02 and so on.")
        return [known[name] for name in names] or self.all_hosts()

    @property
    def management_network(self) -> str:
        return f"{self.prefix}-mgmt"

    @property
    def plane_network(self) -> str:
        return f"{self.prefix}-plane"

    @property
    def packages(self) -> pathlib.Path:
        return self.state_dir / "packages"

    @property
    def repositories(self) -> pathlib.Path:
        return self.state_dir / "repo"

    @property
    def ssh(self) -> pathlib.Path:
        return self.state_dir / "ssh"
