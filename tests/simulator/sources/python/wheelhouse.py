# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wheel directory: small stand-ins with the real names, versions and tags; what pip itself builds with is real."""
from __future__ import annotations

import base64
import collections.abc
import hashlib
import pathlib
import re
import shutil
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
# Modules whose names are not those of their distributions.
MODULES = {"absl-py": "absl", "attrs": "attr", "protobuf": "google/protobuf", "pyyaml": "yaml", "pillow": "PIL", "python-dateutil": "dateutil", "pyzmq": "zmq"}
PER_PYTHON = ("numpy", "torch", "torchaudio", "torchvision", "scipy", "torch-npu")
# Some of what the real ones ask for; numpy without a limit is the trap that the constraints are for.
REQUIRES = {
    "torch": ["filelock", "typing-extensions", "sympy", "networkx", "jinja2", "fsspec"],
    "torchvision": ["numpy", "pillow"],
    "scipy": ["numpy"],
    "transformers": ["numpy", "tokenizers", "safetensors", "huggingface-hub", "pyyaml", "requests"],
    "sqlalchemy": ["typing-extensions"],
}
TORCHRUN = "[console_scripts]\ntorchrun = torch.distributed.run:main\n"
EXTRA = ("numpy==2.1.3",)
# Real packages that setuptools vendors and that it prefers to find installed.
VENDORED = {"packaging": "packaging", "wheel": "wheel", "typing-extensions": "typing_extensions.py"}
TORCH_NPU = (("2.3.1.post6", "cp311"), ("2.5.1.post4", "cp311"), ("2.3.1.post6", "cp310"))


def pins(locks: collections.abc.Iterable[pathlib.Path]) -> list[str]:
    """Every name==version of the locks, once."""
    lines = {line.strip() for lock in locks for line in lock.read_text(encoding="utf-8").splitlines()}
    return sorted(line for line in lines if re.fullmatch(r"[A-Za-z0-9._-]+==\S+", line))


def wheel(out: pathlib.Path, name: str, version: str, files: dict[str, bytes], tag: str, entry_points: str = "") -> pathlib.Path:
    """One wheel, with its metadata and its record."""
    stem = f"{name.replace('-', '_')}-{version}"
    requires = "".join(f"Requires-Dist: {need}\n" for need in REQUIRES.get(name, []))
    info = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Stand-in of the npuops host simulator\n{requires}",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: npusim\nRoot-Is-Purelib: {str(tag.endswith('any')).lower()}\nTag: {tag}\n",
        "entry_points.txt": entry_points,
    }
    content = {**files, **{f"{stem}.dist-info/{file}": text.encode() for file, text in info.items() if text}}
    record = []
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{path},sha256={digest},{len(data)}\n")
    content[f"{stem}.dist-info/RECORD"] = "".join([*record, f"{stem}.dist-info/RECORD,,\n"]).encode()
    target = out / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in content.items():
            archive.writestr(zipfile.ZipInfo(path, (2025, 7, 21, 0, 0, 0)), data)
    return target


def stand_in(name: str, version: str) -> dict[str, bytes]:
    """The files of a package: those below modules/ where there are some, else one module that knows its version."""
    folder = HERE / "modules" / name
    module = MODULES.get(name, name.replace("-", "_"))
    files = {f"{module}/__init__.py": f'"""Stand-in of the npuops host simulator."""\n__version__ = "{version}"\n'.encode()}
    if folder.is_dir():
        files.update({str(path.relative_to(folder.parent)): path.read_bytes() for path in sorted(folder.rglob("*.py"))})
        files[f"{module}/version.py"] = f'__version__ = "{version}"\n'.encode()
    return files


def vendored(setuptools: pathlib.Path, member: str) -> dict[str, bytes]:
    prefix = "setuptools/_vendor/"
    with zipfile.ZipFile(setuptools) as archive:
        names = [name for name in archive.namelist() if name == prefix + member or name.startswith(f"{prefix}{member}/")]
        return {name[len(prefix):]: archive.read(name) for name in names}


def torch_npu(out: pathlib.Path, version: str, python: str, machine: str) -> None:
    source = HERE / "pytorch/torch_npu"
    files = {f"torch_npu/{path.name}": path.read_bytes() for path in sorted(source.glob("*.py"))}
    files["torch_npu/version.py"] = f'__version__ = "{version}"\n'.encode()
    wheel(out, "torch-npu", version, files, f"{python}-{python}-manylinux_2_17_{machine}.manylinux2014_{machine}")


def index(out: pathlib.Path, wheels: pathlib.Path) -> None:
    """The simple index of the wheels: one page for each package (PEP 503)."""
    shutil.rmtree(out, ignore_errors=True)
    for path in sorted(wheels.glob("*.whl")):
        page = out / re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a", encoding="utf-8") as file:
            file.write(f'<a href="../../{wheels.name}/{path.name}">{path.name}</a><br>\n')


def build(out: pathlib.Path, work: pathlib.Path, locks: collections.abc.Iterable[pathlib.Path], machine: str) -> None:
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    (setuptools,) = work.glob("setuptools-*.whl")
    for pin in [*pins(locks), *EXTRA]:
        name, version = pin.split("==")
        if name == "setuptools":
            if setuptools.name.split("-")[1] != version:
                raise SystemExit(f"The locks name {pin}, and Debian has {setuptools.name}: let them agree, or nothing can be built on a simulated host.")
            shutil.copy2(setuptools, out)
        elif name in VENDORED:
            wheel(out, name, version, vendored(setuptools, VENDORED[name]), "py3-none-any")
        else:
            tag = f"cp311-cp311-linux_{machine}" if name in PER_PYTHON else "py3-none-any"
            wheel(out, name, version, stand_in(name, version), tag, TORCHRUN if name == "torch" else "")
    for version, python in TORCH_NPU:
        torch_npu(out, version, python, machine)
    index(out.with_name("simple"), out)
