# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stand-in of the npuops host simulator for the conda command: real environments out of real archives, with a very small solver.

A dependency gets its oldest version that fits and what is asked for by name its newest, so that an environment
begins with an older libstdc++ than conda-forge's newest, as it does where the default channel and conda-forge meet.
"""
from __future__ import annotations

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import sys
import tarfile
import time
import urllib.request

SUBDIRS = ({"x86_64": "linux-64"}.get(platform.machine(), f"linux-{platform.machine()}"), "noarch")
VERSION = "25.3.1"
FILTER = {"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}  # newer Pythons ask for one


class CondaError(Exception):
    pass


def root_prefix() -> pathlib.Path:
    here = pathlib.Path(__file__).resolve().parent
    return here.parent if here.name == "condabin" else here


def key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def fits(version: str, wanted: str) -> bool:
    """Whether a version is what a spec asks for: 3.11, =3.11, ==3.11.2, >=11, <13, several with commas."""
    for part in filter(None, wanted.split(",")):
        sign, number = re.fullmatch(r"(==|>=|<=|<|>|=)?([\w.*]+)", part.strip()).groups()
        number = number.rstrip(".*")
        same = key(version)[:len(key(number))]
        answer = {">=": key(version) >= key(number), "<": key(version) < key(number), "<=": same <= key(number), ">": same > key(number)}
        if not answer.get(sign or "=", version == number if sign == "==" else same == key(number)):
            return False
    return True


def split(spec: str) -> tuple[str, str]:
    name, wanted = re.fullmatch(r"\s*([A-Za-z0-9_.-]+?)\s*([=<>].*|\s[^\s].*)?", spec).groups()
    return name.lower(), (wanted or "").strip()


def url_of(channel: str, subdir: str) -> str:
    if "://" in channel:
        return f"{channel.rstrip('/')}/{subdir}"
    return f"{pathlib.Path(channel).resolve().as_uri()}/{subdir}" if os.sep in channel else f"https://conda.anaconda.org/{channel}/{subdir}"


def offered(channels: list[str], offline: bool) -> list[dict]:
    """What the package cache holds, then what the channels offer."""
    found = []
    for path in sorted((root_prefix() / "pkgs").glob("*.tar.bz2")):
        name, version, build = path.name[:-len(".tar.bz2")].rsplit("-", 2)
        with tarfile.open(path) as archive:
            index = next(json.load(archive.extractfile(member)) for member in archive if member.name == "info/index.json")
        found.append({**index, "name": name, "version": version, "build": build, "path": path})
    for channel in [] if offline else channels:
        for subdir in SUBDIRS:
            url = url_of(channel, subdir)
            try:
                with urllib.request.urlopen(f"{url}/repodata.json", timeout=10) as reply:
                    packages = json.load(reply)["packages"]
            except OSError as error:
                raise CondaError(f"UnavailableInvalidChannel: HTTP 000 CONNECTION FAILED for channel {channel} <{url}/repodata.json>\n{error}") from error
            cached = {package["path"].name for package in found if "path" in package}
            found += [{**package, "url": f"{url}/{file}"} for file, package in packages.items() if file not in cached]
    return found


def installed(prefix: pathlib.Path) -> dict[str, dict]:
    records = [json.loads(path.read_text()) for path in sorted((prefix / "conda-meta").glob("*.json"))]
    return {record["name"]: record for record in records}


def solve(specs: list[str], available: list[dict], present: dict[str, dict]) -> list[dict]:
    chosen: dict[str, dict] = {}

    def want(spec: str, newest: bool) -> None:
        name, wanted = split(spec)
        if name in chosen or (not newest and name in present and fits(present[name]["version"], wanted)):
            return
        candidates = sorted((package for package in available if package["name"] == name and fits(package["version"], wanted)), key=lambda p: key(p["version"]))
        if not candidates:
            raise CondaError(f"PackagesNotFoundError: The following packages are not available from current channels:\n\n  - {spec}")
        chosen[name] = candidates[-1 if newest else 0]
        for depend in chosen[name]["depends"]:
            want(depend, newest=False)

    for spec in specs:
        want(spec, newest=True)
    return [package for name, package in chosen.items() if present.get(name, {}).get("version") != package["version"]]


def fetch(package: dict) -> pathlib.Path:
    if "path" in package:
        return package["path"]
    target = root_prefix() / "pkgs" / package["url"].rpartition("/")[2]
    target.parent.mkdir(exist_ok=True)
    with urllib.request.urlopen(package["url"], timeout=30) as reply, open(f"{target}.part", "wb") as out:
        shutil.copyfileobj(reply, out)
    os.replace(f"{target}.part", target)
    return target


def link(package: dict, prefix: pathlib.Path) -> None:
    files, placeholders = [], {}
    with tarfile.open(fetch(package)) as archive:
        for member in archive:
            if member.name == "info/has_prefix":
                for line in archive.extractfile(member).read().decode().splitlines():
                    placeholder, _kind, path = line.split(" ", 2)
                    placeholders[path] = placeholder
            if member.name.startswith("info/"):
                continue
            (prefix / member.name).unlink(missing_ok=True)
            archive.extract(member, prefix, **FILTER)
            files.append(member.name)
    for path, placeholder in placeholders.items():
        file = prefix / path
        file.write_text(file.read_text().replace(placeholder, str(prefix)))
    record = {field: package[field] for field in ("name", "version", "build", "depends")}
    (prefix / "conda-meta").mkdir(exist_ok=True)
    meta = prefix / "conda-meta" / "{name}-{version}-{build}.json".format(**package)
    meta.write_text(json.dumps({**record, "files": files}, indent=1))


def unlink(record: dict, prefix: pathlib.Path) -> None:
    for path in record["files"]:
        (prefix / path).unlink(missing_ok=True)
    (prefix / "conda-meta" / "{name}-{version}-{build}.json".format(**record)).unlink()


def transact(arguments: argparse.Namespace, prefix: pathlib.Path) -> None:
    if not arguments.yes:
        raise CondaError("CondaSystemExit: this stand-in asks nobody: give -y")
    print("Channels:", *(f"\n - {channel}" for channel in arguments.channel), "\nPlatform:", SUBDIRS[0])
    present = installed(prefix)
    named = {split(spec)[0] for spec in arguments.specs} if arguments.force_reinstall else set()
    kept = {name: record for name, record in present.items() if name not in named}
    steps = solve(arguments.specs, offered(arguments.channel, arguments.offline), kept)
    print(f"\n## Package Plan ##\n\n  environment location: {prefix}\n\n  added / updated specs:", *(f"\n    - {spec}" for spec in arguments.specs))
    if not steps:
        print("\n# All requested packages already installed.\n")
        return
    print("\nDownloading and Extracting Packages: ...working... done\nExecuting transaction: ...working...", end=" ", flush=True)
    for package in steps:
        if package["name"] in present:
            unlink(present[package["name"]], prefix)
        link(package, prefix)
    with open(prefix / "conda-meta/history", "a", encoding="utf-8") as history:
        history.write(f"==> {time.strftime('%Y-%m-%d %H:%M:%S')} <==\n# cmd: conda {' '.join(sys.argv[1:])}\n")
    print("done")


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="conda")
    top.add_argument("-V", "--version", action="version", version=f"conda {VERSION}")
    commands = top.add_subparsers(dest="command", required=True)
    for name in ("create", "install", "list"):
        command = commands.add_parser(name)
        command.add_argument("-n", "--name")
        command.add_argument("-p", "--prefix", type=pathlib.Path)
        command.add_argument("--json", action="store_true")
        if name != "list":
            command.add_argument("-y", "--yes", action="store_true")
            command.add_argument("-q", "--quiet", action="store_true")
            command.add_argument("-c", "--channel", action="append", default=[])
            command.add_argument("--override-channels", action="store_true")
            command.add_argument("--offline", action="store_true")
            command.add_argument("--force-reinstall", action="store_true")
            command.add_argument("specs", nargs="+")
    commands.add_parser("info").add_argument("--json", action="store_true")
    environments = commands.add_parser("env").add_subparsers(dest="subcommand", required=True).add_parser("list")
    environments.add_argument("--json", action="store_true")
    return top


def main() -> None:
    arguments = parser().parse_args()
    root = root_prefix()
    environments = [root, *sorted(path.parent for path in root.glob("envs/*/conda-meta"))]
    if arguments.command in ("info", "env"):
        print(json.dumps({"conda_version": VERSION, "root_prefix": str(root), "platform": SUBDIRS[0], "envs": list(map(str, environments))}, indent=1))
        return
    prefix = arguments.prefix or (root / "envs" / arguments.name if arguments.name else root)
    exists = (prefix / "conda-meta").is_dir()
    if arguments.command == "list":
        if not exists:
            raise CondaError(f"EnvironmentLocationNotFound: Not a conda environment: {prefix}")
        records = [{"name": r["name"], "version": r["version"], "build_string": r["build"]} for r in installed(prefix).values()]
        print(json.dumps(records, indent=1) if arguments.json else "\n".join("{name:20} {version:12} {build_string}".format(**r) for r in records))
        return
    if arguments.command == "install" and not exists and prefix != root:
        raise CondaError(f"EnvironmentLocationNotFound: Not a conda environment: {prefix}")
    if arguments.command == "create" and exists:
        shutil.rmtree(prefix)
    if not (arguments.channel or arguments.offline):
        arguments.channel = ["conda-forge"]
    prefix.mkdir(parents=True, exist_ok=True)
    transact(arguments, prefix)


if __name__ == "__main__":
    try:
        main()
    except CondaError as error:
        sys.stderr.write(f"\n{error}\n")
        sys.exit(1)
