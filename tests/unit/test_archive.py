# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive that users install: small, whole, and working far from this checkout."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import tarfile

import pytest

PROJECT = pathlib.Path(__file__).parents[2]
BIN = pathlib.Path(sys.executable).parent


def run(*argv, cwd, collections=None):
    environment = {**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_HOME": str(cwd)}
    environment.pop("ANSIBLE_COLLECTIONS_PATH", None)
    if collections:
        environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections)
    done = subprocess.run([BIN / argv[0], *argv[1:]], cwd=cwd, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """What git knows, so that nothing lying about gets in."""
    folder = tmp_path_factory.mktemp("checkout")
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout
    files = [name for name in names.decode().split("\0") if (PROJECT / name).is_file()]
    subprocess.run(["cp", "--parents", "--target-directory", folder, *files], cwd=PROJECT, check=True)
    return folder


@pytest.fixture(scope="module")
def archive(checkout, tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    run("ansible-galaxy", "collection", "build", "--output-path", str(out), cwd=checkout)
    (path,) = out.glob("npuops-ascend-*.tar.gz")
    return path


@pytest.fixture(scope="module")
def installed(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("collections")
    run("ansible-galaxy", "collection", "install", "--no-deps", str(archive), "--collections-path", str(folder), cwd=folder)
    return folder


def test_archive_has_what_users_need_and_no_more(archive):
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    tops = {name.split("/")[0] for name in names}
    assert {"plugins", "roles", "playbooks", "inventories", "site.yml", "README.md", "README.zh-CN.md", "LICENSE", "meta"} <= tops
    assert not tops & {"tests", "molecule", ".config", ".ci", "Makefile", ".build", ".venv"}
    assert not [name for name in names if name.startswith("inventories/simulator") or name.endswith(".pyc")]
    assert {"inventories/mindie_2x800t_a2/hosts.yml", "playbooks/site.yml", "roles/mindie/meta/argument_specs.yml"} <= set(names)
    assert archive.stat().st_size < 768 * 1024


def test_playbooks_run_by_their_names(installed, tmp_path):
    inventory = PROJECT / "inventories/mindie_2x800t_a2"
    listing = run("ansible-playbook", "-i", str(inventory), "npuops.ascend.site", "--list-tasks", cwd=tmp_path, collections=installed)
    assert "Configure the NPU network" in listing


def test_a_module_runs(installed, tmp_path):
    output = run("ansible", "localhost", "-m", "npuops.ascend.npu_info", cwd=tmp_path, collections=installed)
    assert '"driver_loaded": false' in output


def test_documentation_can_be_read(installed, tmp_path):
    assert "netdetect" in run("ansible-doc", "-t", "module", "npuops.ascend.hccn_config", cwd=tmp_path, collections=installed)
    assert "mindie_max_seq_len" in run("ansible-doc", "-t", "role", "npuops.ascend.mindie", cwd=tmp_path, collections=installed)
