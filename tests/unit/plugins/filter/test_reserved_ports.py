# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.reserved_ports import reserved_ports
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("reserved", "ports", "expected"),
    [
        ("", "60000-60031", "60000-60031"),
        ("60000-60031", "60000-60031", "60000-60031"),
        ("8080,30000-32767", "60000-60031", "8080,30000-32767,60000-60031"),
        # The kernel writes ranges that touch, or overlap, as one.
        ("60032", "60000-60031", "60000-60032"),
        ("60010-60100", "60000-60031", "60000-60100"),
        ("50000-65000", "60000-60031", "50000-65000"),
        ("", "60031,60000-60030", "60000-60031"),
    ],
)
def test_union(reserved, ports, expected):
    assert reserved_ports(reserved, ports) == expected


@pytest.mark.parametrize("ports", ["", "hccl", "60000:60031", "60000 60031", "60031-60000", "0-5", "65536", "60000-", "60000-60031,", "60000-60031\n", "６００００"])
def test_what_are_no_ports_is_refused(ports):
    with pytest.raises(AnsibleFilterError, match="system_reserved_ports: .* are no ports. Expected"):
        reserved_ports("", ports)


RANGES = st.lists(st.tuples(st.integers(1, 65535), st.integers(0, 40)).map(lambda pair: (pair[0], min(pair[0] + pair[1], 65535))), max_size=8)


def ports_of(text: str) -> set[int]:
    bounds = [(word.split("-") * 2)[:2] for word in text.split(",") if word]
    return {port for first, last in bounds for port in range(int(first), int(last) + 1)}


@given(reserved=RANGES, wanted=RANGES.filter(bool))
def test_every_port_of_both_and_no_other(reserved, wanted):
    before, ports = (",".join(f"{first}-{last}" for first, last in ranges) for ranges in (reserved, wanted))
    after = reserved_ports(before, ports)
    assert ports_of(after) == ports_of(before) | ports_of(ports)
    # What is set is set: the next run finds nothing to do.
    assert reserved_ports(after, ports) == after
