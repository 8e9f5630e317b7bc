#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: glibcxx_info
short_description: Which GLIBCXX symbol versions a libstdc++ has
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads the symbol versions that the C++ runtime defines, from the file itself. The name of a file or of a package does not tell them.
  - Nothing is run and nothing is loaded, so that a library of another architecture can be read too.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
options:
  paths:
    description: Where the library may lie. The first file that exists is read.
    type: list
    elements: path
    required: true
"""

EXAMPLES = r"""
- name: Read the C++ runtime of an environment
  npuops.ascend.glibcxx_info:
    paths: [/opt/npuops/conda/envs/py311/lib/libstdc++.so.6]
  register: runtime

- name: Refuse one that is too old
  ansible.builtin.assert:
    that: "'GLIBCXX_3.4.32' in runtime.versions"
"""

RETURN = r"""
path:
  description: The file that was read, links followed. V(null) when none of O(paths) exists.
  returned: always
  type: str
  sample: /opt/npuops/conda/envs/py311/lib/libstdc++.so.6.0.33
highest:
  description: The highest GLIBCXX version. V(null) when there is none.
  returned: always
  type: str
  sample: GLIBCXX_3.4.33
versions:
  description: Every symbol version that the library defines.
  returned: always
  type: list
  elements: str
  sample: [GLIBCXX_3.4, GLIBCXX_3.4.32, GLIBCXX_3.4.33, CXXABI_1.3.15]
"""

import os

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils._elf import ElfError, highest, version_definitions


def main() -> None:
    module = AnsibleModule(argument_spec={"paths": {"type": "list", "elements": "path", "required": True}}, supports_check_mode=True)
    path = next((os.path.realpath(candidate) for candidate in module.params["paths"] if os.path.exists(candidate)), None)
    versions: list[str] = []
    if path is not None:
        try:
            with open(path, "rb") as library:
                versions = version_definitions(library.read())
        except (OSError, ElfError) as error:
            module.fail_json(msg=f"{path} cannot be read as a shared library: {error}. Install the package that it belongs to again.")
    module.exit_json(changed=False, path=path, highest=highest(versions, "GLIBCXX"), versions=versions)


if __name__ == "__main__":
    main()
