# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._host_facts import firewalld_zones

DOCUMENTATION = r"""
name: firewalld_missing
short_description: The firewalld rules that a host does not have yet
version_added: 0.3.0
author: npuops contributors (@npuops)
description:
  - Looks each rule up in what firewalld lists, so that M(ansible.posix.firewalld), which takes one rule a call, is called for the missing ones only.
  - A rule counts as missing when in doubt, such as one for the default zone with a firewalld that does not say which zone that is.
options:
  _input:
    description: Rules as options of M(ansible.posix.firewalld), each with V(source), V(port) or V(rich_rule); with V(zone), or for the default zone.
    type: list
    elements: dict
    required: true
  runtime:
    description: What C(firewall-cmd --list-all-zones) prints.
    type: str
    required: true
  permanent:
    description: What C(firewall-cmd --permanent --list-all-zones) prints.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show what is to be added
  ansible.builtin.debug:
    msg: "{{ [{'zone': 'npuops', 'port': '1120/tcp'}] | npuops.ascend.firewalld_missing(runtime=runtime.stdout, permanent=permanent.stdout) }}"
"""

RETURN = r"""
_value:
  description: The rules that are not in force, or would not be after the next start of firewalld.
  type: list
  elements: dict
  sample: [{"zone": "npuops", "port": "1120/tcp"}]
"""

LISTED_AS = {"source": "sources", "port": "ports", "rich_rule": "rich"}


def firewalld_missing(rules: t.Sequence[t.Mapping[str, str]], runtime: str, permanent: str) -> list[t.Mapping[str, str]]:
    now = {zone["name"]: zone for zone in firewalld_zones(runtime)}
    later = {zone["name"]: zone for zone in firewalld_zones(permanent)}
    default = next((name for name, zone in now.items() if zone["default"]), "")

    def present(rule: t.Mapping[str, str]) -> bool:
        name = rule.get("zone", default)
        return all(rule[key] in zones.get(name, {}).get(LISTED_AS[key], []) for zones in (now, later) for key in rule if key != "zone")

    return [rule for rule in rules if not present(rule)]


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"firewalld_missing": firewalld_missing}
