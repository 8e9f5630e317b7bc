# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-ins for what python_env and torch_npu download, and the hook that builds them."""

from __future__ import annotations

import pytest
from lifecycle import images, settings


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
