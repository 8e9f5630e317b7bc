# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is on the hosts after a model was obtained by one and spread to all; run on each of them."""

from __future__ import annotations

import os
import pathlib

import pytest

testinfra_hosts = [f"ssh://npu0{number}" for number in range(1, 5)]

HUB = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / ".build/weights"
MODEL = HUB / "npuops/DeepSeek-R1-W8A8"
FOLDER = "/data/DeepSeek-R1-W8A8"


def test_every_file_is_that_of_the_source(host):
    sums = (MODEL / "SHA256SUMS").read_text()
    assert len(sums.splitlines()) == 14
    answer = host.run(f"cd {FOLDER} && sha256sum --check --strict --quiet - <<'END'\n{sums}END")
    assert answer.rc == 0, answer.stdout + answer.stderr


def test_owner_and_mode_are_what_the_engine_demands(host):
    folder = host.file(FOLDER)
    assert (folder.user, folder.group, folder.mode) == ("root", "root", 0o750)
    for name in folder.listdir():
        file = host.file(f"{FOLDER}/{name}")
        assert (file.is_symlink, file.user, file.group, file.mode) == (False, "root", "root", 0o640), name


def test_nothing_of_the_swarm_is_left(host):
    assert host.check_output("systemctl list-units --all --no-legend --plain 'npuops-weights*'") == ""
    assert host.check_output("ss --listening --tcp --numeric --no-header 'sport = :16881'") == ""
    assert "16881" not in host.check_output("firewall-cmd --list-rich-rules")
    assert host.check_output("pgrep --full --count '[s]warm.py' || true") == "0"
    found = host.check_output("find /var/lib/npuops/weights -type f -printf '%f\n' | sort")
    assert found.split() == ["manifest.json", "manifest.json.read"]


@pytest.fixture(scope="session")
def sent() -> list[list[str]]:
    return [line.split() for line in (HUB / "sent.log").read_text().splitlines()]


def test_the_source_was_asked_by_one_host_and_once(sent):
    """Address, method, path, first byte and number of bytes of each answer."""
    size = sum(path.stat().st_size for path in MODEL.iterdir())
    fetched = [line for line in sent if line[1] == "GET" and "/DeepSeek-R1-W8A8/" in line[2]]
    assert {line[0] for line in fetched} == {"10.89.13.11"}
    # The list of files is read once more than the files.
    assert size <= sum(int(line[4]) for line in fetched) <= size + 10_000
