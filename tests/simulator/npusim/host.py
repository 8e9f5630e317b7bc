# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operating system around the simulated devices: accounts, files of the installed packages.

Everything is looked up below $NPUSIM_ROOT, so that a test's directory is a whole host. Part of every start of a tool, so it imports
nothing that takes long.
"""

from __future__ import annotations

import os

from npusim.state import State, root

INSTALL_INFO = "/etc/ascend_install.info"
HCCN_TOOL = "/usr/bin/hccn_tool"
NPU_SMI = "/usr/local/sbin/npu-smi"
UNIT = "/etc/systemd/system/ascend-driver.service"
UNIT_WANTED = "/etc/systemd/system/multi-user.target.wants/ascend-driver.service"

# What is in the flash of a device that nobody has upgraded.
FACTORY_FIRMWARE = "7.1.0.5.220"


def in_test_root() -> bool:
    return root("/") != "/"


def uid() -> int:
    """The user that runs the tool; a test may say who that is."""
    return int(os.environ.get("NPUSIM_UID") or os.geteuid())


def owner_uid() -> int:
    """The owner of the host's root directory: root, or whoever runs the tests."""
    return os.stat(root("/")).st_uid


def read_info(path: str) -> dict:
    """A file of key=value lines; empty if it does not exist."""
    try:
        with open(path, encoding="utf-8") as stream:
            return dict(line.rstrip("\n").split("=", 1) for line in stream if "=" in line)
    except FileNotFoundError:
        return {}


def accounts(kind: str) -> dict:
    """/etc/passwd or /etc/group: name to fields."""
    try:
        with open(root("/etc/" + kind), encoding="utf-8") as stream:
            return {line.split(":", 1)[0]: line.rstrip("\n").split(":") for line in stream if line.count(":") >= 3}
    except FileNotFoundError:
        return {}


def fresh(path: str) -> str:
    """The place of a file to be created: its directory exists, an old file does not."""
    path = root(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.unlink(path)
    return path


def present_devices(state: State) -> list[dict]:
    """The devices that are on the bus."""
    return [record for record in state.devices if state.device(record["phy_id"])]


def version_on_disk(package: str) -> str | None:
    """The version of the installed driver or firmware files, which is what the next boot brings up."""
    path = read_info(root(INSTALL_INFO)).get(f"{package.capitalize()}_Install_Path_Param")
    return read_info(root(os.path.join(path, package.lower(), "version.info"))).get("Version") if path else None
