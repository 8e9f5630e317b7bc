# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for the hardware on a simulated host: device nodes and the PCI bus; and the programs that look after it.

Below $NPUSIM_ROOT nodes are plain files and systemd is left alone.
"""

from __future__ import annotations

import glob
import os
import shutil
import stat
import struct
import subprocess

from npusim.host import INSTALL_INFO, accounts, fresh, in_test_root, present_devices, read_info
from npusim.state import State, root

PCI_TREE = "/var/lib/npusim/pci"

COMMON_NODES = ("davinci_manager", "devmm_svm", "hisi_hdc")
# Major and minor of /dev/null: openable, harmless.
NODE_NUMBERS = (1, 3)

# (bus address, vendor, device, class) of what else such a server has. Two of them have the NPUs' vendor.
_OTHER_PCI = (
    ("0000:00:00.0", 0x19E5, 0xA120, 0x060400),
    ("0000:05:00.0", 0x19E5, 0x1711, 0x030000),
    ("0000:06:00.0", 0x15B3, 0x1015, 0x020000),
)
_NPU_CLASS = 0x120000
_NPU_REVISION = 0x20


def which(name: str) -> str | None:
    """A program of the host."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(root(folder) for folder in folders))


def systemctl(*words: str) -> None:
    if not in_test_root():
        subprocess.run(["systemctl", *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


# Device nodes

def _node_paths() -> list[str]:
    numbered = [path for path in glob.glob(root("/dev/davinci[0-9]*")) if path.rpartition("davinci")[2].isdigit()]
    return sorted(numbered) + [root("/dev/" + name) for name in COMMON_NODES if os.path.exists(root("/dev/" + name))]


def create_nodes(state: State) -> None:
    info = read_info(root(INSTALL_INFO))
    mode = 0o666 if info.get("Driver_Install_For_All") == "yes" else 0o660
    group = accounts("group").get(info.get("UserGroup", ""))
    remove_nodes()
    for name in [f"davinci{record['phy_id']}" for record in present_devices(state)] + list(COMMON_NODES):
        path = fresh("/dev/" + name)
        try:
            if in_test_root():
                raise PermissionError
            os.mknod(path, stat.S_IFCHR | mode, os.makedev(*NODE_NUMBERS))
        except PermissionError:
            # No right to make device nodes: a plain file still shows who may open it.
            with open(path, "w", encoding="utf-8"):
                pass
        if group and os.geteuid() == 0:
            os.chown(path, 0, int(group[2]))
        os.chmod(path, mode)


def remove_nodes() -> None:
    for path in _node_paths():
        os.unlink(path)


def nodes_in_use() -> bool:
    """Whether a process has a node open, or a container was given one."""
    nodes = set(_node_paths())
    # A process in a container sees its node below its own root.
    names = nodes | {"/dev/" + os.path.basename(path) for path in nodes} if not in_test_root() else nodes
    for link in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(link) in names:
                return True
        except OSError:
            continue
    docker = which("docker")
    if docker:
        running = _output([docker, "ps", "-q"]).split()
        described = _output([docker, "inspect", *running]) if running else ""
        return any(f'"/dev/{os.path.basename(path)}"' in described for path in nodes)
    return False


def _output(argv: list[str]) -> str:
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20,
                              check=False, text=True, errors="replace").stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


# PCI

def _pci_config(vendor: int, device: int, pci_class: int, revision: int, subsystem: tuple[int, int], irq: int) -> bytes:
    """The configuration space of one function, with the standard header."""
    header = struct.pack("<HHHHBBBB", vendor, device, 0x0406, 0x0010, revision, pci_class & 0xFF, pci_class >> 8 & 0xFF, pci_class >> 16)
    header += struct.pack("<BBBB", 0x10, 0, 1 if pci_class >> 8 == 0x0604 else 0, 0)
    header = header.ljust(0x2C, b"\0") + struct.pack("<HH", *subsystem)
    return header.ljust(0x3C, b"\0").ljust(256, b"\0")[:0x3C] + struct.pack("<BB", irq, 1) + bytes(256 - 0x3E)


def write_pci_tree(state: State, directory: str) -> None:
    """Fill a directory like /sys/bus/pci/devices. It is refilled in place, because it may be mounted over the real one."""
    os.makedirs(directory, exist_ok=True)
    for name in os.listdir(directory):
        shutil.rmtree(os.path.join(directory, name))
    functions = [(bus, vendor, device, pci_class, 0, (0, 0)) for bus, vendor, device, pci_class in _OTHER_PCI]
    for record in present_devices(state):
        functions.append((
            record["bus_id"], int(record["pci_vendor"], 16), int(record["pci_device"], 16), _NPU_CLASS, _NPU_REVISION,
            (int(record["pci_subsystem_vendor"], 16), int(record["pci_subsystem_device"], 16))))
    for number, (bus, vendor, device, pci_class, revision, subsystem) in enumerate(functions):
        folder = os.path.join(directory, bus.lower())
        os.mkdir(folder)
        irq = 16 + number
        texts = {
            "vendor": f"0x{vendor:04x}\n", "device": f"0x{device:04x}\n", "class": f"0x{pci_class:06x}\n", "revision": f"0x{revision:02x}\n",
            "subsystem_vendor": f"0x{subsystem[0]:04x}\n", "subsystem_device": f"0x{subsystem[1]:04x}\n", "irq": f"{irq}\n",
            "resource": "0x0000000000000000 0x0000000000000000 0x0000000000000000\n" * 7, "numa_node": "0\n",
        }
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="ascii") as stream:
                stream.write(text)
        with open(os.path.join(folder, "config"), "wb") as binary:
            binary.write(_pci_config(vendor, device, pci_class, revision, subsystem, irq))


def pci_npus() -> list[str]:
    """The device ids of the NPUs on the host's PCI bus."""
    found = []
    for folder in sorted(glob.glob(root("/sys/bus/pci/devices/*"))):
        try:
            with open(folder + "/vendor", encoding="ascii") as vendor, open(folder + "/device", encoding="ascii") as device:
                if vendor.read().strip() == "0x19e5":
                    number = device.read().strip()[2:]
                    found += [number] if number.startswith("d") else []
        except OSError:
            continue
    return found
