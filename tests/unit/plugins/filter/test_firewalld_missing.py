# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.npuops.ascend.plugins.filter.firewalld_missing import firewalld_missing

RICH = 'rule family="ipv4" source address="192.0.2.0/24" port port="1025" protocol="tcp" accept'
RULES = [
    {"zone": "npuops", "source": "10.91.1.12"},
    {"zone": "npuops", "port": "1120/tcp"},
    {"zone": "npuops", "port": "60000-60015/tcp"},
    {"port": "1025/tcp"},
]


@pytest.fixture
def listed(fixture_text) -> str:
    return fixture_text("checks/firewalld--openeuler-22.03.txt")


def test_nothing_is_missing_where_all_is_open(listed):
    assert firewalld_missing(RULES, runtime=listed, permanent=listed) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"zone": "npuops", "source": "10.91.1.13"},
        {"zone": "npuops", "port": "1120/udp"},
        {"zone": "npuops", "port": "112/tcp"},
        {"zone": "trusted", "port": "1120/tcp"},
        {"zone": "none", "port": "1120/tcp"},
        {"port": "1120/tcp"},
        {"rich_rule": RICH},
    ],
)
def test_what_is_not_listed_is_missing(listed, rule):
    assert firewalld_missing([*RULES, rule], runtime=listed, permanent=listed) == [rule]


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_must_hold_now_and_after_a_restart(listed, rule):
    (kind,) = rule.keys() - {"zone"}
    without = listed.replace(f" {rule[kind]}", "")
    assert without != listed
    assert firewalld_missing([rule], runtime=without, permanent=listed) == [rule]
    assert firewalld_missing([rule], runtime=listed, permanent=without) == [rule]


def test_a_rich_rule(listed):
    heading, rich = "\npublic (default", "  rich rules: \n"
    before, after = listed.split(heading)
    with_rich = before + heading + after.replace(rich, f"{rich}\t{RICH}\n", 1)
    assert firewalld_missing([{"rich_rule": RICH}], runtime=with_rich, permanent=with_rich) == []


def test_without_a_default_zone_in_the_list_the_module_decides(listed):
    old = listed.replace("public (default, active)", "public (active)")
    assert old != listed
    assert firewalld_missing(RULES, runtime=old, permanent=old) == [{"port": "1025/tcp"}]


def test_an_empty_list():
    assert firewalld_missing(RULES, runtime="", permanent="") == RULES
