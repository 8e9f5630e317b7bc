# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conda channel and the installer: Debian's Python 3.11 and its C++ runtimes, packed as conda packages."""
from __future__ import annotations

import hashlib
import io
import json
import pathlib
import subprocess
import tarfile
import typing
import zipfile

from lifecycle import images
from lifecycle.engine import as_root

HERE = pathlib.Path(__file__).resolve().parent
NAME, VERSION = "Miniforge3", "25.3.1-0"
PLACEHOLDER = "/opt/npusim_placeholder_for_the_prefix"  # replaced in text files where a package is installed, as conda does
UNWANTED = ("test", "idlelib", "pydoc_data", "lib2to3", "turtledemo", "tkinter", "EXTERNALLY-MANAGED", "sitecustomize.py", "__pycache__")
# Debian keeps packages in dist-packages outside of virtual environments; an environment of conda has site-packages.
# The module site is frozen into the interpreter: a link of the old name serves it.
NOT_DEBIAN = {
    "sysconfig.py": ('if sys.base_prefix != sys.prefix or hasattr(sys, "real_prefix"):', "if True:"),
    "ensurepip/__init__.py": (
        "_WHEEL_PKG_DIR = sysconfig.get_config_var('WHEEL_PKG_DIR')", "_WHEEL_PKG_DIR = os.path.join(os.path.dirname(__file__), '_bundled')",
    ),
}
Files = typing.Dict[str, typing.Tuple[typing.Union[bytes, str], int]]  # path -> (content, mode), or (target, 0) of a link


def debian(suite: str, packages: str, work: pathlib.Path) -> tarfile.TarFile:
    """Some of Debian's packages, unpacked; from this machine's own mirrors."""
    archive, sources = work / f"{suite}.tar", work / f"{suite}.list"
    trixie = images.apt_sources(images._apt_output("apt-get", "indextargets", "--format", "$(REPO_URI)|$(LABEL)", "Created-By: Packages"))
    sources.write_text(trixie.replace(images.BASE_SUITE, suite), encoding="utf-8")
    mirrors = [str(sources)] if sources.stat().st_size else []
    options = images.apt_options(images._apt_output("apt-config", "dump"))
    subprocess.run(as_root(["mmdebstrap", "--quiet", "--variant=extract", "--format=tar", f"--keyring={images.KEYRING}", *options,
                            f"--include={packages}", suite, str(archive), *mirrors]), check=True, stdin=subprocess.DEVNULL)
    return tarfile.open(archive)


def python_files(system: tarfile.TarFile) -> Files:
    files: Files = {}
    for member in system:
        path = member.name.lstrip("./")
        inside = path.startswith("usr/lib/python3.11/") and not set(path.split("/")) & set(UNWANTED)
        if not (inside or path == "usr/bin/python3.11") or not (member.isfile() or member.issym()):
            continue
        if member.issym():
            if not member.linkname.startswith("/"):
                files[path[4:]] = (member.linkname, 0)
            continue
        data = system.extractfile(member).read()
        before, after = NOT_DEBIAN.get(path[len("usr/lib/python3.11/"):], ("", ""))
        if before.encode() not in data:
            raise SystemExit(f"Debian's {path} has changed: {before!r} is not in it. Correct NOT_DEBIAN.")
        files[path[4:]] = (data.replace(before.encode(), after.encode()) if before else data, 0o755 if path.startswith("usr/bin/") else 0o644)
    for link in ("python3", "python"):
        files[f"bin/{link}"] = ("python3.11", 0)
    files["lib/python3.11/dist-packages"] = ("site-packages", 0)
    return files


def wheel_of(system: tarfile.TarFile, name: str) -> tuple[str, bytes]:
    """The wheel that Debian ships for its own virtual environments."""
    for member in system:
        if f"/share/python-wheels/{name}-" in member.name and member.isfile():
            return member.name.rpartition("/")[2], system.extractfile(member).read()
    raise SystemExit(f"Debian's wheel of {name} was not found.")


def pip_files(wheel: bytes) -> Files:
    launcher = f"#!{PLACEHOLDER}/bin/python3.11\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n"
    files: Files = {f"bin/{name}": (launcher.encode(), 0o755) for name in ("pip", "pip3", "pip3.11")}
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                files[f"lib/python3.11/site-packages/{info.filename}"] = (archive.read(info), 0o644)
    return files


def runtime_files(system: tarfile.TarFile) -> Files:
    """libstdc++ of a release of Debian."""
    for member in system:
        name = member.name.rpartition("/")[2]
        if name.startswith("libstdc++.so.6.0.") and member.isfile() and not name.endswith(".py"):
            return {f"lib/{name}": (system.extractfile(member).read(), 0o755), "lib/libstdc++.so.6": (name, 0), "lib/libstdc++.so": (name, 0)}
    raise SystemExit("Debian's libstdc++ was not found.")


def pack(archive: tarfile.TarFile, files: Files) -> None:
    for path, (content, mode) in sorted(files.items()):
        info = tarfile.TarInfo(path)
        if mode:
            data = content if isinstance(content, bytes) else content.encode()
            info.size, info.mode = len(data), mode
            archive.addfile(info, io.BytesIO(data))
        else:
            info.type, info.linkname = tarfile.SYMTYPE, str(content)
            archive.addfile(info)


def package(folder: pathlib.Path, name: str, version: str, files: Files, depends: list[str]) -> None:
    """One conda package, with its paragraph of the channel's index."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {"name": name, "version": version, "build": "npusim_0", "build_number": 0, "depends": depends, "subdir": folder.name}
    prefixed = [f"{PLACEHOLDER} text {path}\n" for path, (content, _mode) in files.items() if isinstance(content, bytes) and PLACEHOLDER.encode() in content]
    target = folder / f"{name}-{version}-npusim_0.tar.bz2"
    with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
        pack(archive, {**files, "info/index.json": (json.dumps(index), 0o644), "info/has_prefix": ("".join(prefixed), 0o644)})
    repodata = folder / "repodata.json"
    known = json.loads(repodata.read_text()) if repodata.exists() else {"info": {"subdir": folder.name}, "packages": {}}
    data = target.read_bytes()
    known["packages"][target.name] = {**index, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    repodata.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def installer(out: pathlib.Path, folder: pathlib.Path, machine: str) -> None:
    """The self-extracting shell script: a header, then a tar with the first packages and the conda command."""
    payload = io.BytesIO()
    with tarfile.open(fileobj=payload, mode="w") as archive:
        for path in sorted(folder.glob("*.tar.bz2")):
            if "libstdcxx-ng-14" not in path.name:
                archive.add(path, f"pkgs/{path.name}", filter=_of_nobody)
        archive.addfile(_info("conda.py", (HERE / "conda.py").read_bytes()), io.BytesIO((HERE / "conda.py").read_bytes()))
    values = {"NAME": NAME, "VERSION": VERSION, "PLAT": folder.name, "MACHINE": machine, "MD5": hashlib.md5(payload.getvalue()).hexdigest()}
    header = "#!/bin/sh\n" + (HERE / "installer.in").read_text(encoding="utf-8")
    for key, value in values.items():
        header = header.replace(f"@{key}@", value)
    header = header.replace("@LINES@", str(header.count("\n") + 1))
    target = out / f"{NAME}-{VERSION}-Linux-{machine}.sh"
    target.write_bytes(header.encode() + payload.getvalue())
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    target.with_name(target.name + ".sha256").write_text(f"{digest}  {target.name}\n", encoding="ascii")


def _of_nobody(info: tarfile.TarInfo) -> tarfile.TarInfo:
    # Not replace(), which Debian 12's Python 3.11.2 does not have.
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _info(name: str, data: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    return info


def build(out: pathlib.Path, work: pathlib.Path, machine: str) -> None:
    folder = out / "conda" / {"x86_64": "linux-64"}.get(machine, f"linux-{machine}")
    for old in folder.glob("*"):
        old.unlink()
    with debian("bookworm", "python3.11,python3.11-venv,libstdc++6,python3-pip-whl,python3-setuptools-whl", work) as system:
        pip_name, pip = wheel_of(system, "pip")
        files = python_files(system)
        for name, wheel in ((pip_name, pip), wheel_of(system, "setuptools")):
            files[f"lib/python3.11/ensurepip/_bundled/{name}"] = (wheel, 0o644)
        version = "3.11.2"
        package(folder, "libstdcxx-ng", "12.2.0", runtime_files(system), [])
    package(folder, "python", version, files, ["libstdcxx-ng >=11", "pip"])
    package(folder, "pip", pip_name.split("-")[1], pip_files(pip), [])
    installer(out, folder, machine)
    with debian("trixie", "libstdc++6,python3-setuptools-whl", work) as system:
        package(folder, "libstdcxx-ng", "14.2.0", runtime_files(system), [])
        name, wheel = wheel_of(system, "setuptools")
        (work / name).write_bytes(wheel)  # the wheel directory offers it, with what it vendors
    noarch = out / "conda/noarch/repodata.json"
    noarch.parent.mkdir(exist_ok=True)
    noarch.write_text('{"info": {"subdir": "noarch"}, "packages": {}}\n', encoding="utf-8")
