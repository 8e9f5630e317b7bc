# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import pathlib

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.rank_table_problems import rank_table_problems

ONE = pathlib.Path(__file__).parents[3] / "fixtures/ranktable/toolout_hccl_8p_01234567_192.0.2.11.json"


@pytest.fixture
def two(tmp_path):
    """The file of a second host beside the recorded one."""
    table = json.loads(ONE.read_text())
    server = table["server_list"][0]
    server["server_id"] = server["container_ip"] = "192.0.2.12"
    for number, device in enumerate(server["device"]):
        device["device_ip"] = f"10.20.9.{number + 2}"
    path = tmp_path / "hccl_two.json"
    path.write_text(json.dumps(table))
    return path


def test_the_files_of_two_hosts_fit(two):
    assert rank_table_problems([str(ONE), str(two)]) == []


def test_the_same_file_twice_is_named():
    problems = rank_table_problems([str(ONE), str(ONE)])
    assert any("192.0.2.11" in problem for problem in problems)


def test_a_comment_is_named_with_its_file(two):
    two.write_text(two.read_text().replace("{", "{ // the second host\n", 1))
    problems = rank_table_problems([str(ONE), str(two)])
    assert len(problems) == 1
    assert str(two) in problems[0]


def test_a_missing_file_is_named(tmp_path):
    problems = rank_table_problems([str(tmp_path / "none.json")])
    assert len(problems) == 1
    assert "none.json" in problems[0]


def test_a_single_path_is_no_list():
    with pytest.raises(AnsibleFilterError, match="list of paths"):
        rank_table_problems("hccl.json")
