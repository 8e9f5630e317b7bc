# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.lock_problems import lock_problems, pins

LOCKS = pathlib.Path(__file__).resolve().parents[4] / "roles/python_env/files"
LOCK = "# why\nnumpy==1.26.4  # torch 2.3 needs 1.x\n\ntorch==2.3.1\nPyYAML==6.0.2\n"


def listed(**packages: str) -> list[dict[str, str]]:
    return [{"name": name, "version": version} for name, version in packages.items()]


def test_a_satisfied_lock_has_no_problems():
    assert lock_problems(LOCK, listed(numpy="1.26.4", torch="2.3.1+cpu", pyyaml="6.0.2", pip="25.1")) == []


def test_each_difference_is_one_sentence():
    assert lock_problems(LOCK, listed(numpy="2.1.3", torch="2.3.1.post6")) == [
        "numpy: found 2.1.3, the lock names 1.26.4",
        "torch: found 2.3.1.post6, the lock names 2.3.1",
        "pyyaml: not installed, the lock names 6.0.2",
    ]


def test_names_are_normalised():
    assert lock_problems("ml-dtypes==0.5.3\nabsl_py==2.3.1", [{"name": "ml_dtypes", "version": "0.5.3"}, {"name": "absl.py", "version": "2.3.1"}]) == []


def test_a_local_version_in_the_lock_is_meant():
    assert lock_problems("torch==2.3.1+cpu", listed(torch="2.3.1")) == ["torch: found 2.3.1, the lock names 2.3.1+cpu"]


@pytest.mark.parametrize("text, words", [
    ("numpy>=1.26", "Line 1 of the lock is 'numpy>=1.26'; expected name==version"),
    ("-r other.txt", "expected name==version"),
    ("a==1\nA==2", "Line 2 of the lock pins a to 2, an earlier line to 1"),
    (None, "takes the text of a lock, found NoneType"),
])
def test_what_is_no_lock_is_refused(text, words):
    with pytest.raises(AnsibleFilterError, match=words):
        lock_problems(text, [])


@pytest.mark.parametrize("installed", [None, {}, [{"name": "numpy"}], ["numpy"]])
def test_what_is_no_list_of_packages_is_refused(installed):
    with pytest.raises(AnsibleFilterError, match="list of name and version"):
        lock_problems(LOCK, installed)


def test_the_locks_of_the_profiles_pin_what_the_guides_name():
    guide, later = (pins((LOCKS / f"{profile}.txt").read_text(encoding="utf-8")) for profile in ("guide", "v0.4.1"))
    assert [guide[name] for name in ("numpy", "torch", "torchvision", "torchaudio")] == ["1.26.4", "2.3.1", "0.18.1", "2.3.1"]
    assert [later[name] for name in ("numpy", "torch", "torchvision", "torchaudio", "transformers")] == ["1.26.4", "2.5.1", "0.20.1", "2.5.1", "4.57.1"]
    named = set("packaging ninja fire protobuf attrs decorator cloudpickle ml-dtypes scipy tornado absl-py psutil pyyaml sqlalchemy".split())
    assert named <= guide.keys() and named <= later.keys()
