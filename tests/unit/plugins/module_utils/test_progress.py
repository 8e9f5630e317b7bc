# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.npuops.ascend.plugins.module_utils import _progress as progress


@pytest.mark.parametrize("done, total, rate, text", [
    (0, 400_000_000_000, None, "0.0 of 400.0 GB (0 %)"),
    (100_000_000_000, 400_000_000_000, 1e9, "100.0 of 400.0 GB (25 %), 1.00 GB/s, about 5 min 00 s left"),
    (399_500_000_000, 400_000_000_000, 5e8, "399.5 of 400.0 GB (99 %), 0.50 GB/s, about 1 s left"),
    (0, 0, None, "0.0 of 0.0 GB (100 %)"),
])
def test_the_line_of_progress(done, total, rate, text):
    assert progress.progress_text(done, total, rate) == text


def test_the_file_says_how_far_the_work_is(tmp_path, monkeypatch):
    clock = [10.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    file = progress.ProgressFile(str(tmp_path / "progress.json"), 100, "hashing")
    clock[0] = 12.0
    file.advance(30)
    # Not twice in a second.
    clock[0] = 12.5
    file.advance(30)
    assert json.loads((tmp_path / "progress.json").read_text()) == {"label": "hashing", "total_bytes": 100, "done_bytes": 30, "seconds": 2.0}
    file.remove()
    assert list(tmp_path.iterdir()) == []
