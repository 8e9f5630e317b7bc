# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line."""
from __future__ import annotations

import argparse
import collections.abc
import contextlib
import fcntl
import ipaddress
import pathlib
import sys
import time

from . import images
from .engine import Engine, say
from .hosts import Hosts
from .settings import SHAPES, Settings, SimulatorError

DESCRIPTION = """\
Simulated Ascend hosts: real Linux hosts in containers (systemd, sshd, dnf or apt, room for a Docker engine),
on which only the vendor's closed parts are stand-ins.
"""


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--hosts", type=int, default=Settings.hosts, metavar="N", help="how many hosts (default: %(default)s)")
    common.add_argument("--os", dest="shape", choices=SHAPES, default=Settings.shape, help="shape of the hosts (default: %(default)s)")
    common.add_argument("--product", default=Settings.product, help="the hosts' NPUs (default: 8 of %(default)s)")
    common.add_argument("--prefix", default=Settings.prefix, help="first part of the names of containers and networks (default: %(default)s)")
    common.add_argument("--management", type=ipaddress.IPv4Network, default=Settings.management, metavar="NET", help="hosts' network (default: %(default)s)")
    common.add_argument("--plane", type=ipaddress.IPv4Network, default=Settings.plane, metavar="NET", help="NPUs' network (default: %(default)s)")
    common.add_argument("--state-dir", type=pathlib.Path, default=Settings.state_dir, metavar="DIR", help="keys, packages, stamps (default: .build)")
    top = argparse.ArgumentParser(prog="simulator.py", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    add("deps", "install with apt what this machine lacks")
    add("build", "make images and packages that are missing or out of date")
    add("up", "build, then have the hosts running; keeps hosts that are there")
    add("reset", "make hosts anew: no driver, no Docker, no data").add_argument("names", nargs="*", metavar="HOST", help="npu01 … (default: all)")
    add("off", "cut the power: nothing is shut down; `up` switches on again").add_argument("names", nargs="+", metavar="HOST", help="npu01 …")
    add("status", "show the hosts")
    login = add("ssh", "log in as root, or run a command")
    login.add_argument("names", nargs=1, metavar="HOST")
    login.add_argument("remote", nargs=argparse.REMAINDER, metavar="COMMAND")
    add("down", "remove hosts, networks and volumes").add_argument("--images", action="store_true", help="remove the images too")
    return top


def settings_of(arguments: argparse.Namespace) -> Settings:
    return Settings(
        hosts=arguments.hosts, shape=arguments.shape, prefix=arguments.prefix, product=arguments.product,
        management=arguments.management, plane=arguments.plane, state_dir=arguments.state_dir.absolute(),
    )


@contextlib.contextmanager
def alone(settings: Settings) -> collections.abc.Iterator[None]:
    """One change at a time for one state directory."""
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    with open(settings.state_dir / "lock", "w", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another simulator.py is at work on this state directory; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def table(rows: list[dict[str, str]]) -> str:
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def carry_out(arguments: argparse.Namespace) -> None:
    settings = settings_of(arguments)
    if arguments.command == "deps":
        images.install_dependencies()
        return
    engine = Engine()
    hosts = Hosts(engine, settings)
    if arguments.command == "status":
        rows = hosts.status()
        say(table(rows) if rows else f"No hosts with prefix {settings.prefix}.")
    elif arguments.command == "off":
        # As a power cut: it waits for nobody.
        hosts.off(settings.named(arguments.names))
    elif arguments.command == "ssh":
        hosts.login(settings.named(arguments.names)[0], arguments.remote)
    else:
        with alone(settings):
            change(arguments, engine, settings, hosts)


def change(arguments: argparse.Namespace, engine: Engine, settings: Settings, hosts: Hosts) -> None:
    start = time.monotonic()
    if arguments.command == "down":
        hosts.down()
        if arguments.images:
            images.remove_images(engine)
    else:
        images.Builder(engine, settings).build()
        if arguments.command == "up":
            hosts.up(settings.all_hosts())
        elif arguments.command == "reset":
            hosts.up(settings.named(arguments.names), fresh=True)
    say(f"  {time.monotonic() - start:6.1f} s  {arguments.command} done")


def main(argv: list[str] | None = None) -> int:
    arguments = parser().parse_args(argv)
    try:
        carry_out(arguments)
    except SimulatorError as error:
        print(f"simulator.py {arguments.command}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
