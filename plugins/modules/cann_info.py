#!/usr/bin/python
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cann_info
short_description: What is installed of CANN on this host
version_added: 0.1.0
author: npuops contributors (@npuops)
description:
  - Reads the files that CANN's installers leave, and says which toolkit, operator kernels and NNAL are installed, and which scripts set their environment.
  - No program of CANN is run and no environment is needed.
  - An installation that did not end is reported as RV(half_installed).
options:
  install_path:
    description: Directory below which CANN is installed.
    type: path
    default: /usr/local/Ascend
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.info_module
seealso:
  - module: npuops.ascend.ascend_package
"""

EXAMPLES = r"""
- name: Learn what is installed of CANN
  npuops.ascend.cann_info:
  register: cann

- name: Refuse an unfinished installation
  ansible.builtin.assert:
    that: cann.installed and not cann.half_installed
    fail_msg: "CANN: {{ cann.problems | join('; ') }}"

- name: Run a program of CANN in its environment
  ansible.builtin.command:
    argv: [bash, -c, '. "$0" && exec "$@"', "{{ cann.environment_scripts | first }}", atc, --help]
  changed_when: false
"""

RETURN = r"""
installed:
  description: Whether a toolkit, or a runtime (nnrt), is installed to its end.
  type: bool
  returned: always
  sample: true
version:
  description: Version of the toolkit or runtime, null when none is there or it does not tell.
  type: str
  returned: always
  sample: 8.1.RC1
inner_version:
  description: The vendor's inner version of it, null where the files do not tell.
  type: str
  returned: always
  sample: V100R001C21SPC001B238
install_path:
  description: Directory below which was looked, as in O(install_path).
  type: str
  returned: always
  sample: /usr/local/Ascend
home:
  description: Directory that C(set_env.sh) makes C(ASCEND_HOME_PATH), null when nothing is installed.
  type: str
  returned: always
  sample: /usr/local/Ascend/ascend-toolkit/latest
arch:
  description: Architecture of the toolkit or runtime, null where the files do not tell.
  type: str
  returned: always
  sample: aarch64
kernels_version:
  description: Version of the operator kernels (from CANN 8.5 on called ops), null when none are installed.
  type: str
  returned: always
  sample: 8.1.RC1
kernels_chips:
  description: Chips that kernels are installed for.
  type: list
  elements: str
  returned: always
  sample: ["910b"]
nnal:
  description: Whether NNAL is installed to its end.
  type: bool
  returned: always
  sample: true
nnal_version:
  description: Version of NNAL, null when it is not installed.
  type: str
  returned: always
  sample: 8.1.RC1
environment_scripts:
  description: The C(set_env.sh) files in the order in which they have to be read, first that of the toolkit.
  type: list
  elements: str
  returned: always
  sample: [/usr/local/Ascend/ascend-toolkit/set_env.sh, /usr/local/Ascend/nnal/atb/set_env.sh]
half_installed:
  description: Whether an installation of any of the packages did not end.
  type: bool
  returned: always
  sample: false
problems:
  description: Why an installation counts as unfinished, one sentence each.
  type: list
  elements: str
  returned: always
  sample: ["toolkit: /usr/local/Ascend/ascend-toolkit/latest/version.cfg has no version for runtime"]
recorded_path:
  description: Installation path that the installers recorded for this user, null without a record.
  type: str
  returned: always
  sample: /usr/local/Ascend
"""

import typing as t

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.npuops.ascend.plugins.module_utils import _cann


def main() -> None:
    module = AnsibleModule(argument_spec={"install_path": {"type": "path", "default": _cann.DEFAULT_PATH}}, supports_check_mode=True)
    try:
        found = _cann.read(module.params["install_path"])
    except OSError as error:
        module.fail_json(
            msg=f"install_path: {error.filename} cannot be read: {error.strerror}. Run the task as a user who may read CANN's files (become: true)."
        )
    module.exit_json(changed=False, **report(found))


def report(found: _cann.Cann) -> dict[str, t.Any]:
    base, kernels, nnal = found.base, found.components["kernels"], found.components["nnal"]
    return {
        "installed": base.present,
        "version": base.version,
        "inner_version": base.info.get("innerversion"),
        "install_path": found.path,
        "home": base.home if base.present else None,
        "arch": base.info.get("arch"),
        "kernels_version": kernels.version,
        "kernels_chips": list(kernels.chips),
        "nnal": nnal.present,
        "nnal_version": nnal.version,
        "environment_scripts": found.environment_scripts,
        "half_installed": bool(found.incomplete),
        "problems": [f"{part.kind}: {part.detail}" for part in found.incomplete],
        "recorded_path": found.recorded_path,
    }


if __name__ == "__main__":
    main()
