# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.action.check_facts import window


@pytest.mark.parametrize("skew", [-3600.0, -0.2, 0.0, 2.5])
@pytest.mark.parametrize(("there", "work", "back"), [(0.2, 1.0, 0.1), (9.0, 3.0, 5.0), (0.0, 0.0, 0.0)])
def test_the_true_distance_lies_in_the_window(skew, there, work, back):
    before = 1000.0
    clock = {"epoch": before + there + skew, "after_s": work}
    found = window(before, before + there + work + back, clock)
    assert found["earliest_s"] <= skew + 1e-6 and skew - 1e-6 <= found["latest_s"]
    assert found["latest_s"] - found["earliest_s"] == pytest.approx(there + back, abs=0.01)
