# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.firewalld_rich_rule import firewalld_rich_rule


def test_a_network_and_a_range_of_ports():
    assert firewalld_rich_rule(["192.0.2.0/24", "60000-60015/tcp"]) == (
        'rule family="ipv4" source address="192.0.2.0/24" port port="60000-60015" protocol="tcp" accept'
    )


def test_ipv6():
    assert firewalld_rich_rule(["2001:db8::/32", "53/udp"]) == 'rule family="ipv6" source address="2001:db8::/32" port port="53" protocol="udp" accept'


@pytest.mark.parametrize("pair", [("192.0.2.0/24", '1025" accept'), ("192.0.2.0/24", "1025"), ('192.0.2.0/24" ', "1025/tcp"), ("npu01", "1025/tcp")])
def test_anything_else_is_refused(pair):
    with pytest.raises(AnsibleFilterError, match="expected such as"):
        firewalld_rich_rule(pair)
