# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _rank_table

DOCUMENTATION = r"""
name: rank_table_problems
short_description: What is wrong with rank table files on the controller
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Merges the files that C(hccl_tools.py) wrote, as M(npuops.ascend.rank_table) would, and checks every rule of HCCL and MindIE on the result,
    before any host is touched.
options:
  _input:
    description: Paths on the controller, master first.
    type: list
    elements: path
    required: true
  profile:
    description: Whose rules the table has to satisfy, as O(npuops.ascend.rank_table#module:profile).
    type: str
    choices: [mindie, hccl]
    default: mindie
positional: profile
"""

EXAMPLES = r"""
- name: Refuse files that make no rank table
  ansible.builtin.assert:
    that: files | npuops.ascend.rank_table_problems | length == 0
  vars:
    files: [hccl_npu01.json, hccl_npu02.json]
"""

RETURN = r"""
_value:
  description: The problems, one sentence each.
  type: list
  elements: str
  sample: ["hccl_npu02.json: server_list[0].device[3].device_ip is 10.20.1.4, which server_list[0].device[3] of hccl_npu01.json has too."]
"""


def rank_table_problems(paths: t.Any, profile: str = "mindie") -> list[str]:
    if isinstance(paths, str) or not isinstance(paths, t.Sequence):
        raise AnsibleFilterError("rank_table_problems expects a list of paths.")
    sources = []
    for path in paths:
        try:
            with open(path, "rb") as stream:
                sources.append((str(path), stream.read()))
        except OSError as error:
            return [f"{path}: {error.strerror}; expected a file that hccl_tools.py wrote, on the controller."]
    try:
        _rank_table.merge(sources, profile)
    except _rank_table.RankTableError as error:
        return [str(finding) for finding in error.findings]
    return []


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"rank_table_problems": rank_table_problems}
