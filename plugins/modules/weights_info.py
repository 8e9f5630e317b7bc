#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_info
short_description: Check a directory of model weights without reading the weights
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads the C(config.json), the index and the headers of the safetensors files of a model directory, and compares sizes, names and tensors.
    A truncated or absent file of a 700 GB model is found in seconds, because only headers are read.
  - Checks the rules by which MindIE refuses weights. These are symbolic links, owner and mode for the user of the service, characters in paths,
    the number of files, and the keys that the daemon reads.
  - Changes nothing. A directory that does not exist is a result, not a failure.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  path:
    description:
      - Directory of the weights, the C(modelWeightPath) of the service.
    type: path
    required: true
  user:
    description:
      - Name or number of the user under which the service reads the weights. For a container this is the user inside it.
    type: str
    default: root
  group:
    description:
      - Name or number of the first group of O(user).
      - The default is the group in the host's user database. It is needed for a number that the database does not know.
    type: str
  engine:
    description:
      - The engine that the weights have to fit in layout and names. Quantised weights are made for one of them.
      - Without it this is not looked at.
    type: str
    choices: [mindie, vllm]
  chip:
    description:
      - The chip that the weights have to fit in the type of their numbers, for example V(910B3) or V(310P3).
      - Without it this is not looked at.
    type: str
"""

EXAMPLES = r"""
- name: Look at the weights
  npuops.ascend.weights_info:
    path: /data/DeepSeek-V3-w8a8
    user: HwHiAiUser
  register: weights

- name: Refuse weights that MindIE would refuse
  ansible.builtin.assert:
    that: weights.problems | length == 0
    fail_msg: "{{ weights.problems }}"
"""

RETURN = r"""
exists:
  description: Whether O(path) is a directory. When it is not, RV(problems) says so and everything else is empty.
  returned: success
  type: bool
  sample: true
path:
  description: The directory.
  returned: success
  type: str
  sample: /data/DeepSeek-V3-w8a8
files:
  description: The safetensors files, by name. Files of a pre-sharded model stand with their subdirectory.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the file below O(path).
      type: str
      sample: quant_model_weight_w8a8_dynamic-00001-of-00157.safetensors
    size:
      description: Size on disk in bytes.
      type: int
      sample: 4294959104
    expected_size:
      description: Size in bytes that its header asks for; null when the header cannot be read.
      type: int
      sample: 4294959104
missing:
  description: Weight files that the index or the shard numbers name and that are absent.
  returned: success
  type: list
  elements: str
  sample: [quant_model_weight_w8a8_dynamic-00017-of-00157.safetensors]
truncated:
  description: Weight files that are shorter than their header asks for, or too short to have one.
  returned: success
  type: list
  elements: str
  sample: []
problems:
  description: Everything because of which the engine would not load the weights, including missing and truncated files.
  returned: success
  type: list
  elements: dict
  sample: []
  contains:
    id:
      description: Stable name of the problem.
      type: str
      sample: config-mode
    path:
      description: File or directory.
      type: str
      sample: /data/DeepSeek-V3-w8a8/config.json
    observed:
      description: What was found.
      type: str
      sample: mode 0644
    expected:
      description: What should be.
      type: str
      sample: at most 0750, best 0640
    remedy:
      description: What to do.
      type: str
      sample: chmod 0640 it.
notes:
  description: Oddities that do not keep the engine from loading the weights.
  returned: success
  type: list
  elements: str
  sample: []
total_bytes:
  description: Sum of the sizes of RV(files).
  returned: success
  type: int
  sample: 690000000000
tensor_count:
  description: Number of tensors in the headers that could be read.
  returned: success
  type: int
  sample: 122000
index_files:
  description: Names of the index files.
  returned: success
  type: list
  elements: str
  sample: [quant_model_weight_w8a8_dynamic.safetensors.index.json]
model_type:
  description: The C(model_type) of C(config.json), or null.
  returned: success
  type: str
  sample: deepseekv2
torch_dtype:
  description: The C(torch_dtype) of C(config.json), or null.
  returned: success
  type: str
  sample: bfloat16
quantize:
  description: The C(quantize) of C(config.json), or null.
  returned: success
  type: str
  sample: w8a8_dynamic
quantization_method:
  description: The C(quant_method) of C(quantization_config) in C(config.json), or null. Weights as their maker publishes them have it.
  returned: success
  type: str
  sample: null
"""

import os
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.npuops.ascend.plugins.module_utils import _weights_directory


def run(module: AnsibleModule) -> dict[str, t.Any]:
    path = os.path.normpath(module.params["path"])
    try:
        user = _weights_directory.service_user(module.params["user"], module.params["group"])
        if not os.path.isabs(path):
            module.fail_json(msg=f"{path} is no absolute path. Give the weights directory as the service names it, for example /data/DeepSeek-V3-w8a8.")
        return {"changed": False, **_weights_directory.look(path, user, module.params["engine"] or "", module.params["chip"] or "")}
    except _weights_directory.UserError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or path} cannot be read: {error.strerror}. Run the task with become.")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "user": {"type": "str", "default": "root"},
            "group": {"type": "str"},
            "engine": {"type": "str", "choices": ["mindie", "vllm"]},
            "chip": {"type": "str"},
        },
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
