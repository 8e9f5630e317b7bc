# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.compatibility_problems import FilterModule

compatibility_problems = FilterModule().filters()["compatibility_problems"]


def test_fits() -> None:
    assert compatibility_problems({"hdk": "25.0.rc1.1", "cann": "8.1.RC1"}) == []


def test_does_not_fit() -> None:
    assert "HDK would have to change" in compatibility_problems({"hdk": "24.1.0", "cann": "8.1.RC1"})[0]


@pytest.mark.parametrize("value, said", [("8.1.RC1", "expects a dictionary"), ({"cann": "x y"}, "compatibility_problems: cann: 'x y' is not a version")])
def test_wrong_input(value: object, said: str) -> None:
    with pytest.raises(AnsibleFilterError, match=said):
        compatibility_problems(value)
