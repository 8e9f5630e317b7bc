# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_items
short_description: How hosts differ from each other and from the inventory
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Takes what the modules of the roles said in check mode, and what was read of the hosts, and lists every difference.
  - Hosts of one serving group are compared with each other. What differs is named on the hosts that have another value than most,
    or another than the first host where no value has the majority.
options:
  _input:
    description: One entry for each host.
    type: list
    elements: dict
    required: true
    suboptions:
      host:
        description: Name of the host.
        type: str
        required: true
      address:
        description: Its address.
        type: str
      group:
        description: The serving group that it belongs to.
        type: str
      reached:
        description: Whether the host was reached.
        type: bool
        default: false
      facts:
        description: What M(npuops.ascend.check_facts) read, its stages together.
        type: dict
      network:
        description: Result of M(npuops.ascend.hccn_config) in check mode.
        type: dict
      config:
        description: Result of M(npuops.ascend.mindie_config) in check mode.
        type: dict
      files:
        description: Result of M(ansible.builtin.template) in check mode, in a loop. One file has the name C(environment).
        type: dict
      rank_table:
        description: Result of M(npuops.ascend.rank_table) in check mode.
        type: dict
      wanted:
        description: Versions that the inventory names, as C(driver), C(firmware) and C(cann), the name of the C(image), and the C(environment) by variable.
        type: dict
      problems:
        description: What could not be compared, by role, with the reason.
        type: dict
"""

EXAMPLES = r"""
- name: List the differences
  ansible.builtin.set_fact:
    drift: "{{ views | npuops.ascend.drift_items }}"
"""

RETURN = r"""
_value:
  description: The differences, first those between hosts.
  type: list
  elements: dict
  contains:
    kind:
      description: V(hosts) for a difference between hosts, V(inventory) for one from the inventory.
      type: str
      sample: inventory
    host:
      description: The host that differs.
      type: str
      sample: npu02
    what:
      description: What differs.
      type: str
      sample: device 3, tls_enabled
    found:
      description: What the host has.
      type: str
      sample: "true"
    expected:
      description: What most hosts have, or what the inventory says.
      type: str
      sample: "false"
    tag:
      description: Tag of C(site.yml) that repairs it; empty where no role does.
      type: str
      sample: npu_network
"""

import typing as t

from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.module_utils import _drift


def drift_items(views: t.Any) -> list[dict[str, str]]:
    if not isinstance(views, (list, tuple)) or not all(isinstance(view, t.Mapping) and view.get("host") for view in views):
        raise AnsibleFilterError("npuops.ascend.drift_items takes a list with one dictionary for each host, each with the key host.")
    return _drift.differences(views)


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"drift_items": drift_items}
