#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: mindie_config
short_description: Edit the config.json of a MindIE service by key path
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Sets values in the C(config.json) of C(mindieservice_daemon) by key path and leaves everything else in the file as it was,
    including keys that this module does not know and the layout of the file.
  - Checks the whole result with the keys, ranges and rules between keys of the given MindIE version before anything is written.
    A configuration that the daemon would refuse is refused here, with the rule named, also when the fault was in the file before.
  - Refuses a file that is not plain JSON (comments, trailing commas, C(...), a key twice) with its line and column.
extends_documentation_fragment:
  - npuops.ascend.attributes
attributes:
  check_mode:
    support: full
    details: On a host that has neither O(path) nor O(src) yet, the settings are checked on their own and a change is predicted.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  path:
    description:
      - The configuration file on the managed host.
      - A symbolic link is refused, because the daemon refuses it.
    type: path
    required: true
  src:
    description:
      - A default C(config.json) on the managed host, for example one taken from the MindIE image.
      - It is the starting point where O(path) does not exist, and unused otherwise.
    type: path
  version:
    description:
      - The MindIE version that will read the file, such as V(2.0.T3.1) or V(2.2.RC1). The tag of the image is accepted too.
      - The C(Version) key of the file is no help, because the vendor keeps it at V(1.0.0) in nearly every release.
    type: str
    required: true
  settings:
    description:
      - Key paths and their values. Names are joined by dots, list positions stand in brackets.
      - A mapping for an object, or a list of mappings for C(ModelConfig), sets the keys that it names and leaves the others.
      - A key that is neither in the file nor known for O(version) is refused, and the nearest known key is named.
      - Text is converted where the key wants an integer or a boolean and the text can mean only one.
        A mapping for C(plugin_params) becomes the JSON text that the engine expects.
    type: dict
    default: {}
  world_size:
    description:
      - Number of devices of the whole serving group, as in its rank table.
      - With it, the product of C(dp), C(tp), C(cp) and C(pp), and of C(moe_ep) and C(moe_tp), is compared with this number.
        Without it a multi-node configuration is only compared with multiples of C(worldSize).
    type: int
  backup:
    description:
      - Keep a copy of the former file beside it before it is rewritten.
    type: bool
    default: true
  owner:
    description:
      - Name or number of the user who owns the file. The daemon insists on its own user.
    type: str
  group:
    description:
      - Name or number of the group of the file.
    type: str
  mode:
    description:
      - Permissions of the file. The daemon refuses more than V(0640).
    type: raw
    default: "0640"
"""

EXAMPLES = r"""
- name: Configure DeepSeek-V3 for two hosts with eight devices each
  npuops.ascend.mindie_config:
    path: /etc/mindie/config.json
    src: /etc/mindie/config.default.json
    version: 2.0.T3.1
    world_size: 16
    settings:
      ServerConfig.ipAddress: 192.0.2.11
      ServerConfig.managementIpAddress: 192.0.2.11
      ServerConfig.httpsEnabled: false
      ServerConfig.interCommTLSEnabled: false
      BackendConfig.multiNodesInferEnabled: true
      BackendConfig.interNodeTLSEnabled: false
      BackendConfig.npuDeviceIds: [[0, 1, 2, 3, 4, 5, 6, 7]]
      BackendConfig.ModelDeployConfig.maxSeqLen: 32768
      BackendConfig.ModelDeployConfig.maxInputTokenLen: 16384
      BackendConfig.ModelDeployConfig.ModelConfig[0].modelName: DeepSeek-V3-int8
      BackendConfig.ModelDeployConfig.ModelConfig[0].modelWeightPath: /data/DeepSeek-V3-w8a8
      BackendConfig.ModelDeployConfig.ModelConfig[0].worldSize: 8
      BackendConfig.ScheduleConfig.maxPrefillTokens: 32768
      BackendConfig.ScheduleConfig.maxPrefillBatchSize: 10
      BackendConfig.ScheduleConfig.maxIterTimes: 16384

- name: Check a configuration without changing it
  npuops.ascend.mindie_config:
    path: /etc/mindie/config.json
    version: 2.2.RC1
  check_mode: true
"""

RETURN = r"""
changes:
  description: The settings that differ from the file, in the order of O(settings).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: Key path.
      type: str
      sample: ServerConfig.httpsEnabled
    before:
      description: Value in the file before; null when the key was absent.
      type: raw
      sample: true
    after:
      description: Value after.
      type: raw
      sample: false
config:
  description: The whole configuration after the change; null in check mode when there is no file to start from.
  returned: success
  type: dict
  sample:
    Version: 1.0.0
    ServerConfig:
      port: 1025
version_family:
  description: The MindIE version whose rules were applied; several releases share one set of rules.
  returned: success
  type: str
  sample: 1.0.0
findings:
  description: Broken rules. On success only those of severity V(warning), on failure all of them.
  returned: success, and failure by a rule
  type: list
  elements: dict
  sample: []
  contains:
    rule:
      description: Stable name of the rule.
      type: str
      sample: prefill-below-input
    path:
      description: Key path.
      type: str
      sample: BackendConfig.ModelDeployConfig.maxInputTokenLen
    observed:
      description: What the key has.
      type: str
      sample: "16384"
    expected:
      description: What it should have.
      type: str
      sample: at most maxPrefillTokens (8192)
    remedy:
      description: What to do.
      type: str
      sample: Lower BackendConfig.ModelDeployConfig.maxInputTokenLen, or raise BackendConfig.ScheduleConfig.maxPrefillTokens.
    vendor_message:
      description: What the daemon itself prints, where it is known; else an empty string.
      type: str
      sample: The value of maxPrefillTokens should not be less than maxInputTokenLen.
    severity:
      description: V(error) when the daemon would not start, else V(warning).
      type: str
      sample: error
backup_file:
  description: The copy of the former file.
  returned: changed, and O(backup=true), and the file existed
  type: str
  sample: /etc/mindie/config.json.4711.2026-01-31@12:00:00~
"""

import dataclasses
import os
import tempfile
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_config as core
from ansible_collections.npuops.ascend.plugins.module_utils._mindie_schema import Family, Finding, UnsupportedVersionError, family_of


def read_file(module: AnsibleModule, path: str) -> str:
    try:
        with open(path, "rb") as file:
            return core.decode(file.read(core.MAX_BYTES + 1))
    except core.ConfigSyntaxError as error:
        module.fail_json(msg=f"{path} is not the plain JSON that MindIE reads: {error}")
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.strerror}.")


def parse_file(module: AnsibleModule, path: str, text: str) -> dict[str, t.Any]:
    try:
        return core.parse(text)
    except core.ConfigSyntaxError as error:
        module.fail_json(msg=f"{path} is not the plain JSON that MindIE reads: {error}")


def starting_point(module: AnsibleModule, path: str, src: str | None) -> str | None:
    """Return the file to start from; None in check mode when an earlier task would have made it."""
    if os.path.islink(path):
        module.fail_json(msg=f"{path} is a symbolic link to {os.readlink(path)}; the daemon refuses links. Give the real file as path.")
    if os.path.lexists(path):
        if not os.path.isfile(path):
            module.fail_json(msg=f"{path} is not a regular file. Give the path of config.json itself.")
        return path
    parent = os.path.dirname(os.path.abspath(path))
    if not module.check_mode and not os.path.isdir(parent):
        module.fail_json(msg=f"The directory {parent} for {path} does not exist. Create it first.")
    if src and os.path.isfile(src):
        return src
    if module.check_mode:
        return None
    if src:
        module.fail_json(msg=f"Neither {path} nor src {src} exists. Copy the default config.json of the MindIE image to src.")
    module.fail_json(msg=f"{path} does not exist, and no src is given to start from. Give the default config.json of the MindIE image as src.")


def refuse(module: AnsibleModule, family: Family, findings: list[Finding], earlier: list[Finding], origin: str | None) -> t.NoReturn:
    """Fail with every error; say of those that the file had before this task."""
    known = {(finding.rule, finding.path) for finding in earlier}
    lines = []
    for finding in findings:
        if finding.severity == "error":
            lines.append(f"[{finding.rule}] {finding.path}: found {finding.observed}, expected {finding.expected}. {finding.remedy}")
            if (finding.rule, finding.path) in known:
                lines[-1] += f" (It was so in {origin} before this task.)"
    module.fail_json(
        msg=f"MindIE {module.params['version']} (rules of {family.name}) would refuse {module.params['path']}; nothing was written. " + " ".join(lines),
        findings=[dataclasses.asdict(finding) for finding in findings],
    )


def write(module: AnsibleModule, path: str, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode("utf-8"))
    module.atomic_move(temporary, path, unsafe_writes=False)


def run(module: AnsibleModule) -> dict[str, t.Any]:
    path = module.params["path"]
    try:
        family = family_of(module.params["version"])
    except UnsupportedVersionError as error:
        module.fail_json(msg=str(error))
    if family.warning:
        module.warn(family.warning)

    origin = starting_point(module, path, module.params["src"])
    before = read_file(module, origin) if origin else ""
    config = parse_file(module, origin, before) if origin else {}
    changes, findings = core.plan(config, module.params["settings"], family)
    if not origin:
        # The file may have keys that only it knows, so an unknown key cannot be judged yet.
        findings = [finding for finding in findings if finding.rule != "unknown-key"]
    if findings:
        refuse(module, family, findings, [], origin)

    result: dict[str, t.Any] = {
        "changed": origin != path or bool(changes),
        "version_family": family.name,
        "changes": [
            {"path": core.format_path(change.path), "before": None if change.before is core.MISSING else change.before, "after": change.after}
            for change in changes
        ],
        "config": None,
        "findings": [],
    }
    if not origin:
        module.warn(f"Neither {path} nor src is there yet; the settings were checked on their own, the rules between keys were not.")
        return result

    after = core.apply(before, changes)
    result["config"] = parse_file(module, path, after)
    world_size = module.params["world_size"]
    findings = core.validate(result["config"], family, world_size)
    if any(finding.severity == "error" for finding in findings):
        refuse(module, family, findings, core.validate(config, family, world_size), origin)
    for finding in findings:
        module.warn(f"{path}: {finding.path} is {finding.observed}, expected {finding.expected}. {finding.remedy}")
    result["findings"] = [dataclasses.asdict(finding) for finding in findings]
    content = {"before": before if origin == path else "", "after": after, "before_header": path, "after_header": path}
    attributes: dict[str, t.Any] = {}

    if result["changed"] and not module.check_mode:
        if module.params["backup"] and origin == path:
            result["backup_file"] = module.backup_local(path)
        write(module, path, after)
        result["config"] = parse_file(module, path, read_file(module, path))
    if os.path.lexists(path):
        wanted = module.load_file_common_arguments(module.params, path=path)
        result["changed"] = module.set_fs_attributes_if_different(wanted, result["changed"], diff=attributes)
    result["diff"] = [content] + ([{**attributes, "before_header": f"{path} (attributes)", "after_header": f"{path} (attributes)"}] if attributes else [])
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "src": {"type": "path"},
            "version": {"type": "str", "required": True},
            "settings": {"type": "dict", "default": {}},
            "world_size": {"type": "int"},
            "backup": {"type": "bool", "default": True},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "raw", "default": "0640"},
        },
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
