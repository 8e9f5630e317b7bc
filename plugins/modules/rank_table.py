#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rank_table
short_description: Write a validated rank table for HCCL and MindIE
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Builds the rank table of one serving group, checks every rule of HCCL and MindIE on it, and writes it atomically.
  - The table is made either from O(servers) or by merging the files in O(sources) that C(hccl_tools.py) wrote.
    Ranks are numbered from 0 in the order given, so the first server is the master.
  - Rules that HCCL and MindIE leave unchecked are checked too, for example duplicate addresses and interleaved ranks.
    All problems are reported together, each with the message that HCCL or MindIE would have printed.
  - The same input gives the same bytes on every host.
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  dest:
    description:
      - Absolute path of the rank table on the managed host.
      - The name must end in C(.json) and the path may hold letters, digits, and C(_ . / -) only, 256 characters at most.
      - The directory must exist. A symbolic link is refused, as MindIE does not read one.
      - A file that is there is replaced when its bytes differ, also when it is no valid rank table.
    type: path
    required: true
  servers:
    description:
      - The servers of the group, master first. The filter P(npuops.ascend.rank_table_servers#filter) makes this list.
      - Exactly one of O(servers) and O(sources) is required.
    type: list
    elements: dict
    suboptions:
      server_id:
        description: Name or address of the server, 64 characters at most. MindIE's custom is the address of the host.
        type: str
        required: true
      container_ip:
        description:
          - Address of the container, equal to the environment variable E(MIES_CONTAINER_IP) in it.
          - Defaults to O(servers[].server_id), which is right for a container on the host network.
        type: str
      devices:
        description:
          - The devices of this server. Their number must be the same on every server. With O(profile=hccl) another number is only a warning.
          - They are sorted by O(servers[].devices[].device_id).
        type: list
        elements: dict
        required: true
        suboptions:
          device_id:
            description: Physical id of the device, the C(N) of C(/dev/davinciN).
            type: str
            required: true
          device_ip:
            description: IP address that the device has.
            type: str
            required: true
  sources:
    description:
      - Paths on the managed host of files that C(hccl_tools.py) or C(merge_hccl.py) wrote, the master's first.
      - C(container_ip), which the upstream C(hccl_tools.py) does not write, becomes the server's C(server_id) when that is an address.
    type: list
    elements: path
  profile:
    description:
      - Whose rules the table has to satisfy.
      - V(mindie) is a group that MindIE serves over several hosts. All rules apply, those of HCCL included.
      - V(hccl) leaves out what only the MindIE daemon asks for, such as at least two servers, 60 at most, C(container_ip), and rank 0 on the first server.
    type: str
    choices: [mindie, hccl]
    default: mindie
  live_devices:
    description:
      - The devices of the server O(local_server_id) as they are now, to compare the table with before it is written.
      - The module fails when an address differs or when the table lists a device that is not here.
    type: list
    elements: dict
    suboptions:
      device_id:
        description: Physical id of the device.
        type: str
        required: true
      device_ip:
        description: IP address of the device. Leave it out for a device that has none.
        type: str
  local_server_id:
    description: The C(server_id) in the table that O(live_devices) belongs to.
    type: str
  mode:
    description:
      - Permissions of the file, as in M(ansible.builtin.file).
      - With O(profile=mindie) an octal mode wider than V(0640) is refused, because the MindIE daemon does not read such a file.
    type: raw
    default: '0640'
extends_documentation_fragment:
  - ansible.builtin.files
  - npuops.ascend.attributes
seealso:
  - module: npuops.ascend.hccn_info
  - plugin: npuops.ascend.rank_table_servers
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write the rank table of two hosts
  npuops.ascend.rank_table:
    dest: /data/ranktable.json
    servers:
      - server_id: 192.0.2.11
        devices:
          - device_id: 0
            device_ip: 10.20.0.11
          - device_id: 1
            device_ip: 10.20.0.12
      - server_id: 192.0.2.12
        devices:
          - device_id: 0
            device_ip: 10.20.0.13
          - device_id: 1
            device_ip: 10.20.0.14

- name: Write the table from what the hosts report, compared with the devices of this host
  npuops.ascend.rank_table:
    dest: /data/ranktable.json
    servers: "{{ rank_table_servers }}"
    local_server_id: "{{ ansible_host }}"
    live_devices: "{{ live_devices }}"

- name: Merge the files of hccl_tools.py, master first
  npuops.ascend.rank_table:
    dest: /data/hccl_2s_16p.json
    sources:
      - /data/hccl_8p_01234567_192.0.2.11.json
      - /data/hccl_8p_01234567_192.0.2.12.json

- name: Write a table for HCCL on a single server
  npuops.ascend.rank_table:
    dest: /data/ranktable_single.json
    profile: hccl
    sources:
      - /data/hccl_8p_01234567_192.0.2.11.json
"""

RETURN = r"""
rank_table:
  description: The rank table, also in check mode.
  returned: success
  type: dict
  sample:
    version: "1.0"
    server_count: "2"
    server_list:
      - server_id: 192.0.2.11
        container_ip: 192.0.2.11
        device:
          - device_id: "0"
            device_ip: 10.20.0.11
            rank_id: "0"
      - server_id: 192.0.2.12
        container_ip: 192.0.2.12
        device:
          - device_id: "0"
            device_ip: 10.20.0.13
            rank_id: "1"
    status: completed
sha256:
  description: SHA-256 checksum of the file's bytes, also in check mode. It is equal on all hosts of the group.
  returned: success
  type: str
  sample: 3f2ab1e6c6ff2a6b0f6b1b7c2f6c0d4f8f6a0a1b2c3d4e5f60718293a4b5c6d7
world_size:
  description: Number of ranks, which is the number of devices in the table.
  returned: success
  type: int
  sample: 16
server_count:
  description: Number of servers in the table.
  returned: success
  type: int
  sample: 2
findings:
  description: Every broken rule, when the table is refused.
  returned: failure because of the table's content or of O(dest)
  type: list
  elements: dict
  contains:
    id:
      description: Short name of the rule.
      type: str
      sample: device_ip_duplicate
    path:
      description: Place in the table, with the file's name in front for a problem in one of the O(sources).
      type: str
      sample: server_list[1].device[3].device_ip
    observed:
      description: What was found.
      type: str
      sample: 10.20.0.11, which server_list[0].device[0].device_ip has too
    expected:
      description: What the rule asks for.
      type: str
      sample: an address of its own for every device of the cluster
    remedy:
      description: What to do about it.
      type: str
      sample: Give every device its own address.
    vendor_message:
      description: What HCCL or the MindIE daemon would print. V(null) where they stay silent.
      type: str
      sample: EI0004 The IP is used repeatedly.
    source:
      description: Where the rule comes from.
      type: str
      sample: HCCL source, rank table parser
    severity:
      description: V(error), or V(warning) for a rule that does not keep the table from being written.
      type: str
      sample: error
"""

import dataclasses
import hashlib
import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _rank_table
from ansible_collections.npuops.ascend.plugins.module_utils._rank_table import Finding, RankTableError, Table

# Far above any real table; keeps a mistaken path from filling the memory.
SOURCE_SIZE_MAX = 64 * 1024 * 1024
MINDIE_MODE = 0o640


def refuse(module: AnsibleModule, subject: str, findings: t.Sequence[Finding]) -> t.NoReturn:
    lines = "".join(f"\n- {finding}" for finding in findings)
    module.fail_json(
        msg=f"{subject}, problems found: {len(findings)}. Nothing was changed.{lines}", findings=[dataclasses.asdict(finding) for finding in findings]
    )


def check_dest(module: AnsibleModule, dest: str) -> None:
    findings = _rank_table.path_findings(dest)
    if findings:
        refuse(module, f"dest {dest!r} cannot hold a rank table", findings)
    if os.path.islink(dest):
        module.fail_json(
            msg=f"dest {dest} is a symbolic link to {os.readlink(dest)}, expected a regular file: MindIE does not read a rank table through a link. "
            "Remove the link, or give the path of its target."
        )
    if os.path.lexists(dest) and not os.path.isfile(dest):
        module.fail_json(msg=f"dest {dest} exists and is not a regular file. Choose another path, or remove it.")
    directory = os.path.dirname(dest)
    # In check mode an earlier task may have only announced the directory.
    if not os.path.isdir(directory) and (os.path.lexists(directory) or not module.check_mode):
        module.fail_json(msg=f"The directory {directory} of dest does not exist or is not a directory. Create it first.")


def check_mode_bits(module: AnsibleModule) -> None:
    """MindIE refuses a table that others may read; a symbolic mode cannot be judged before it is applied."""
    mode = module.params["mode"]
    if module.params["profile"] != "mindie":
        return
    try:
        bits = mode if isinstance(mode, int) else int(mode, 8)
    except (TypeError, ValueError):
        return
    if bits & ~MINDIE_MODE:
        module.fail_json(
            msg=f"mode {mode!r} is octal {bits:04o}, expected 0640 or narrower: the MindIE daemon refuses a wider rank table. "
            "Write the mode as a quoted string such as '0640'."
        )


def read_sources(module: AnsibleModule, paths: t.Sequence[str]) -> list[tuple[str, bytes]]:
    sources = []
    problems = []
    for path in paths:
        try:
            if not os.path.isfile(path):
                problems.append(f"{path}: {'not a regular file' if os.path.exists(path) else 'no such file'}")
            elif os.path.getsize(path) > SOURCE_SIZE_MAX:
                problems.append(f"{path}: {os.path.getsize(path)} bytes, expected a rank table of at most {SOURCE_SIZE_MAX}")
            else:
                with open(path, "rb") as stream:
                    sources.append((path, stream.read()))
        except OSError as exc:
            problems.append(f"{path}: {exc.strerror}")
    if problems:
        module.fail_json(msg=f"sources cannot be read on this host: {'; '.join(problems)}. Make them with hccl_tools.py, or copy them to this host.")
    return sources


def wanted_table(module: AnsibleModule) -> Table:
    params = module.params
    if params["sources"] is None:
        table = _rank_table.build(params["servers"] or [])
    else:
        try:
            table = _rank_table.merge(read_sources(module, params["sources"]), params["profile"])
        except RankTableError as exc:
            refuse(module, "The sources cannot be merged into a rank table", exc.findings)
    findings = _rank_table.validate(table, params["profile"])
    if params["live_devices"] is not None:
        findings += _rank_table.compare_with_live(table, params["local_server_id"], params["live_devices"])
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        refuse(module, "The rank table is not valid", errors)
    for finding in findings:
        module.warn(str(finding))
    return table


def read_current(module: AnsibleModule, dest: str) -> bytes | None:
    try:
        with open(dest, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as exc:
        module.fail_json(msg=f"dest {dest} cannot be read: {exc.strerror}. Run the task as root, or as the owner of the file.")


def write(module: AnsibleModule, dest: str, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    module.atomic_move(temporary, dest, unsafe_writes=module.params["unsafe_writes"])


def run(module: AnsibleModule) -> dict[str, t.Any]:
    dest = module.params["dest"]
    check_dest(module, dest)
    check_mode_bits(module)
    table = wanted_table(module)
    data = _rank_table.render(table)
    before = read_current(module, dest)

    changed = before != data
    if changed and not module.check_mode:
        write(module, dest, data)
    attributes: dict[str, t.Any] = {}
    changed = module.set_fs_attributes_if_different(module.load_file_common_arguments(module.params, path=dest), changed, attributes)

    result = {
        "changed": changed,
        "rank_table": table,
        "sha256": hashlib.sha256(data).hexdigest(),
        "world_size": sum(len(server["device"]) for server in table["server_list"]),
        "server_count": len(table["server_list"]),
    }
    if module._diff:
        content = {
            "before_header": dest,
            "after_header": dest,
            "before": "" if before is None else before.decode("utf-8", errors="replace"),
            "after": data.decode("ascii"),
        }
        result["diff"] = [content, {"before_header": f"{dest} (attributes)", "after_header": f"{dest} (attributes)", **attributes}]
    return result


def main() -> None:
    device_id = {"type": "str", "required": True}
    module = AnsibleModule(
        argument_spec={
            "dest": {"type": "path", "required": True},
            "servers": {
                "type": "list",
                "elements": "dict",
                "options": {
                    "server_id": {"type": "str", "required": True},
                    "container_ip": {"type": "str"},
                    "devices": {
                        "type": "list",
                        "elements": "dict",
                        "required": True,
                        "options": {"device_id": device_id, "device_ip": {"type": "str", "required": True}},
                    },
                },
            },
            "sources": {"type": "list", "elements": "path"},
            "profile": {"type": "str", "choices": ["mindie", "hccl"], "default": "mindie"},
            "live_devices": {"type": "list", "elements": "dict", "options": {"device_id": device_id, "device_ip": {"type": "str"}}},
            "local_server_id": {"type": "str"},
            "mode": {"type": "raw", "default": "0640"},
        },
        add_file_common_args=True,
        mutually_exclusive=[("servers", "sources")],
        required_one_of=[("servers", "sources")],
        required_together=[("live_devices", "local_server_id")],
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
