# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import ipaddress
import re
import typing as t

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: firewalld_rich_rule
short_description: The firewalld rich rule that lets a network reach a port
version_added: 0.1.0
author: npuops contributors (@npuops)
description: Makes the text of a firewalld rich rule from a network and a port, refusing anything that is neither.
options:
  _input:
    description: A list of two, the network and the port such as V(1025/tcp) or V(60000-60015/tcp).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Show a rule
  ansible.builtin.debug:
    msg: "{{ ['192.0.2.0/24', '1025/tcp'] | npuops.ascend.firewalld_rich_rule }}"
"""

RETURN = r"""
_value:
  description: The rich rule.
  type: str
  sample: rule family="ipv4" source address="192.0.2.0/24" port port="1025" protocol="tcp" accept
"""

_PORT = re.compile(r"(\d+(?:-\d+)?)/(tcp|udp)", re.ASCII)


def firewalld_rich_rule(pair: t.Sequence[str]) -> str:
    network, port = pair
    match = _PORT.fullmatch(str(port))
    try:
        parsed = ipaddress.ip_network(str(network))
    except ValueError as error:
        raise AnsibleFilterError(f"firewall_client_networks: {network!r} is no network ({error}); expected such as 192.0.2.0/24.") from error
    if not match:
        raise AnsibleFilterError(f"firewall_client_ports: {port!r} is no port; expected such as 1025/tcp or 60000-60015/tcp.")
    return f'rule family="ipv{parsed.version}" source address="{parsed}" port port="{match[1]}" protocol="{match[2]}" accept'


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"firewalld_rich_rule": firewalld_rich_rule}
