# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _compatibility as compatibility
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "versions",
    [
        # The guide of July 2025.
        {"hdk": "25.0.RC1", "cann": "8.1.RC1", "torch": "2.3.1", "torch_npu": "2.3.1.post6", "python": "3.11"},
        # The same as the files and the community's release page spell it.
        {"hdk": "25.0.rc1.1", "cann": "8.1.RC1.beta1", "torch": "2.5.1+cpu", "torch_npu": "2.5.1+git1234567", "python": "3.11.9"},
        # A newer HDK below an older CANN.
        {"hdk": "25.5.1", "cann": "8.1.RC1"},
        # Windows that the vendor names.
        {"hdk": "24.1.0", "cann": "8.2.RC1"},
        {"hdk": "25.0.rc1.1", "cann": "8.5.0", "torch_npu": "2.9.0", "torch": "2.9.0", "python": "3.13"},
        {"hdk": "25.5.2", "cann": "9.0.0"},
        {"cann": "9.1.0", "hdk": "1.0.0"},
        # Unknown is not judged.
        {"cann": "8.1.RC1", "hdk": None, "torch": ""},
        {"torch": "2.8.0"},
        {},
    ],
)
def test_combinations_of_the_vendor(versions: dict) -> None:
    assert compatibility.check(versions) == []


@pytest.mark.parametrize(
    "versions, first",
    [
        ({"hdk": "24.1.0", "cann": "8.1.RC1"}, "HDK 24.1.0, CANN 8.1.RC1 is no combination that the vendor names. HDK would have to change for CANN 8.1.RC1,"),
        ({"hdk": "24.1.0", "cann": "8.5.0"}, "HDK would have to change for CANN 8.5.0, which takes HDK 25.5.0 or newer (also 25.3.x, 25.2.x, 25.0.x)"),
        # The successor of the guide: a build of torch_npu that no release is.
        ({"cann": "8.3.RC1.alpha003", "torch": "2.5.1", "torch_npu": "2.5.1.post4"}, "torch_npu would have to change for CANN 8.3.RC1,"),
        ({"cann": "8.1.RC1", "torch": "2.5.1", "torch_npu": "2.3.1.post6"}, "torch would have to change for CANN 8.1.RC1,"),
        ({"cann": "8.1.RC1", "torch_npu": "2.3.1.post6", "python": "3.12"}, "Python would have to change for CANN 8.1.RC1,"),
        ({"cann": "8.1.RC1", "torch": "2.5.1", "torch_npu": "2.5.1", "python": "3.8"}, "Python would have to change for CANN 8.1.RC1,"),
        ({"cann": "7.0.0"}, "CANN would have to change for CANN 8.0.0,"),
        ({"hdk": "23.0.3", "cann": "8.1.RC1", "python": "3.14"}, "HDK and Python would have to change for CANN 8.1.RC1,"),
    ],
)
def test_other_combinations(versions: dict, first: str) -> None:
    assert first in compatibility.check(versions)[0]


def test_names_the_nearest_rows() -> None:
    problems = compatibility.check({"hdk": "24.1.0", "cann": "8.1.RC1"})
    assert [text.split(" for CANN ")[1].split(",")[0] for text in problems] == ["8.1.RC1", "8.0.0", "8.2.RC1"]
    assert "CANN would have to change for CANN 8.2.RC1" in problems[2]


@pytest.mark.parametrize(
    "versions, said",
    [({"pytorch": "2.1.0"}, "unknown component pytorch"), ({"cann": "banana"}, "cann: 'banana' is not a version"), ({"python": "3"}, "python: '3' is not")],
)
def test_questions_that_are_none(versions: dict, said: str) -> None:
    with pytest.raises(compatibility.CompatibilityError, match=said):
        compatibility.check(versions)


def test_every_row_accepts_itself() -> None:
    for row in compatibility.ROWS:
        for torch_npu in row.torch_npu:
            given_versions = {"cann": row.cann, "torch_npu": torch_npu, **({"hdk": row.hdk} if row.hdk else {})}
            assert compatibility.check(given_versions) == []
        assert row.source


VERSION = st.from_regex(r"[0-9]{1,2}\.[0-9](\.(RC|post)?[0-9])?", fullmatch=True)


@given(st.fixed_dictionaries({}, optional={"hdk": VERSION, "cann": VERSION, "torch": VERSION, "torch_npu": VERSION}))
@settings(max_examples=100, deadline=None)
def test_any_versions_are_judged(versions: dict) -> None:
    problems = compatibility.check(versions)
    assert all("would have to change for CANN" in text for text in problems)
    assert len(problems) <= compatibility.NEAREST
