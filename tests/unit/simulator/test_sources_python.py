# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins for what python_env and torch_npu download, and the hook that builds them."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import subprocess
import sys
import types
import zipfile

import pytest
from lifecycle import images, settings

FOLDER = pathlib.Path(settings.SIMULATOR, "sources/python")


def load(name: str) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(f"npusim_sources_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


conda, wheelhouse, channel = load("conda"), load("wheelhouse"), load("channel")


# The hook

def test_each_builder_of_sources_runs_once_until_its_folder_changes(tmp_path, monkeypatch):
    sources, state = tmp_path / "sources", tmp_path / "state"
    (sources / "one").mkdir(parents=True)
    (state / "packages").mkdir(parents=True)
    (state / "stamps").mkdir()
    builder = sources / "one/build.py"
    builder.write_text("import pathlib, sys\nwith open(pathlib.Path(sys.argv[1], 'made'), 'a') as made:\n    made.write('x')\n")
    monkeypatch.setattr(images, "SOURCES", sources)
    monkeypatch.setattr(images, "SIMULATOR", tmp_path)
    wanted = images.Builder(None, settings.Settings(state_dir=state))
    made = state / "packages/ktransformers/made"

    wanted.ktransformers_sources()
    wanted.ktransformers_sources()
    assert made.read_text() == "x"
    (sources / "one/data").write_text("changed")
    wanted.ktransformers_sources()
    assert made.read_text() == "xx"

    builder.write_text("raise SystemExit('the archive is not there')\n")
    with pytest.raises(settings.SimulatorError, match=r"(?s)sources/one/build.py failed.*the archive is not there"):
        wanted.ktransformers_sources()


# conda

@pytest.mark.parametrize("spec, name, wanted", [
    ("python=3.11", "python", "=3.11"),
    ("libstdcxx-ng", "libstdcxx-ng", ""),
    ("libstdcxx-ng >=11", "libstdcxx-ng", ">=11"),
    ("Python==3.11.2", "python", "==3.11.2"),
])
def test_a_spec_is_a_name_and_what_fits(spec, name, wanted):
    assert conda.split(spec) == (name, wanted)


@pytest.mark.parametrize("version, wanted, answer", [
    ("3.11.2", "=3.11", True),
    ("3.11.2", "==3.11", False),
    ("3.12.0", "3.11.*", False),
    ("14.2.0", ">=11,<13", False),
    ("12.2.0", ">=11,<13", True),
    ("12.2.0", "", True),
])
def test_a_version_fits_or_does_not(version, wanted, answer):
    assert conda.fits(version, wanted) is answer


OFFERED = [
    {"name": "python", "version": "3.11.2", "depends": ["runtime >=11"]},
    {"name": "runtime", "version": "14.2.0", "depends": []},
    {"name": "runtime", "version": "12.2.0", "depends": []},
]


def chosen(*specs, present=None):
    return [(package["name"], package["version"]) for package in conda.solve(list(specs), OFFERED, present or {})]


def test_an_environment_begins_with_an_older_runtime_until_a_newer_one_is_asked_for():
    assert chosen("python=3.11") == [("python", "3.11.2"), ("runtime", "12.2.0")]
    present = {"python": {"version": "3.11.2"}, "runtime": {"version": "12.2.0"}}
    assert chosen("runtime", present=present) == [("runtime", "14.2.0")]
    assert chosen("python", present=present) == []
    with pytest.raises(conda.CondaError, match=r"(?s)PackagesNotFoundError.*python=3\.10"):
        chosen("python=3.10")


# The installer

@pytest.fixture
def installer(tmp_path):
    folder = tmp_path / "linux-aarch64"
    folder.mkdir()
    channel.installer(tmp_path, folder, "aarch64")
    return tmp_path / "Miniforge3-25.3.1-0-Linux-aarch64.sh"


def run(installer, *arguments, text=""):
    return subprocess.run(["sh", str(installer), *arguments], check=False, input=text, capture_output=True, text=True, timeout=30)


def test_the_header_says_what_the_installer_is_for(installer):
    assert b"\n# PLAT:  linux-aarch64\n" in installer.read_bytes()[:400]


def test_an_existing_prefix_is_refused(installer, tmp_path):
    reply = run(installer, "-b", "-p", str(tmp_path))
    assert reply.returncode == 1
    assert reply.stderr.startswith(f"ERROR: File or directory already exists: '{tmp_path}'\nIf you want to update an existing installation, use the -u option.")


@pytest.mark.parametrize("text", ["", "\n", "\nno\n", "\nwhat\nwhat\nwhat\n"])
def test_without_b_it_asks_and_gives_up(installer, tmp_path, text):
    reply = run(installer, "-p", str(tmp_path / "conda"), text=text)
    assert reply.returncode == 2
    assert "Please, press ENTER to continue" in reply.stdout
    assert not (tmp_path / "conda").exists()


def test_damage_is_seen(installer, tmp_path):
    installer.write_bytes(installer.read_bytes()[:-600])
    reply = run(installer, "-b", "-p", str(tmp_path / "conda"))
    assert reply.returncode == 1
    assert "md5sum mismatch" in reply.stderr


# Wheels

def test_pins_of_all_locks_are_taken_once(tmp_path):
    (tmp_path / "a.txt").write_text("# why\nnumpy==1.26.4\ntorch==2.3.1\n")
    (tmp_path / "b.txt").write_text("numpy==1.26.4\ntorch==2.5.1\n")
    assert wheelhouse.pins(sorted(tmp_path.glob("*.txt"))) == ["numpy==1.26.4", "torch==2.3.1", "torch==2.5.1"]


def test_a_wheel_can_be_read_and_imported(tmp_path, monkeypatch):
    wheel = wheelhouse.wheel(tmp_path, "ml-dtypes", "0.5.3", wheelhouse.stand_in("ml-dtypes", "0.5.3"), "py3-none-any")
    assert wheel.name == "ml_dtypes-0.5.3-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(archive.namelist()) == [f"ml_dtypes-0.5.3.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")] + ["ml_dtypes/__init__.py"]
        assert "ml_dtypes/__init__.py,sha256=" in archive.read("ml_dtypes-0.5.3.dist-info/RECORD").decode()
    monkeypatch.syspath_prepend(str(wheel))
    found = importlib.import_module("ml_dtypes")
    monkeypatch.delitem(sys.modules, "ml_dtypes")
    assert found.__version__ == "0.5.3"


# torch_npu

@pytest.fixture
def torch_npu(tmp_path):
    """A folder with the wheels' modules, and how an import of them ends."""
    for name, version in (("torch", "2.3.1"), ("pyyaml", "6.0.2")):
        for path, data in wheelhouse.stand_in(name, version).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(data)
    wheelhouse.torch_npu(tmp_path, "2.3.1.post6", "cp311", "aarch64")
    (wheel,) = tmp_path.glob("*.whl")
    libraries = tmp_path / "lib"
    libraries.mkdir()

    def imported(*names):
        for name in names:
            (libraries / name).touch()
        code = "import torch, torch_npu; print(torch_npu.__version__, torch.npu.device_count())"
        reply = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path, capture_output=True, text=True,
                               env={"PYTHONPATH": f"{tmp_path}:{wheel}", "LD_LIBRARY_PATH": str(libraries)})
        return reply.stdout.strip() or reply.stderr.splitlines()[-1]

    return imported


def test_the_index_has_a_page_for_each_package(tmp_path):
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name, version in (("ml-dtypes", "0.5.3"), ("numpy", "1.26.4"), ("numpy", "2.1.3"), ("SQLAlchemy", "2.0.43")):
        wheelhouse.wheel(wheels, name, version, {}, "py3-none-any")
    wheelhouse.index(tmp_path / "simple", wheels)
    wheelhouse.index(tmp_path / "simple", wheels)
    assert sorted(path.name for path in (tmp_path / "simple").iterdir()) == ["ml-dtypes", "numpy", "sqlalchemy"]
    page = tmp_path / "simple/numpy/index.html"
    links = re.findall(r'<a href="([^"]+)">([^<]+)</a>', page.read_text())
    assert [name for _link, name in links] == ["numpy-1.26.4-py3-none-any.whl", "numpy-2.1.3-py3-none-any.whl"]
    assert all((page.parent / link).resolve() == wheels / name for link, name in links)


def test_torch_npu_fails_in_the_words_of_the_real_one_until_its_libraries_are_there(torch_npu):
    assert torch_npu() == "ImportError: libhccl.so: cannot open shared object file: No such file or directory"
    assert torch_npu("libhccl.so") == "ImportError: libascend_hal.so: cannot open shared object file: No such file or directory"
    assert torch_npu("libascend_hal.so") == "2.3.1.post6 0"
