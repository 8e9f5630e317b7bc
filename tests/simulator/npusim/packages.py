# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the simulated driver and firmware packages: self-extracting archives shaped like the vendor's .run files.

    python3 -m npusim.packages build --out DIR [--arch x86-64|aarch64] [--driver-version V] [--firmware-version V] [--chip 910b]

A package holds what the vendor's holds in name (launchers, units, version.info), but neither code nor the hardware:
the installer and the device model live in the host image below /opt/npusim. The same input gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import sys
import tarfile

TEMPLATES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "packages")
SHELL = "#!/bin/sh\n"

# PCI device ids that a package of this chip installs on.
CHIPS = {"910": "d801", "910b": "d802", "A3": "d803"}
ARCHITECTURES = ("x86-64", "aarch64")

# The newest firmware that a driver line declares to run with.
_NEWEST_FIRMWARE = {"23.0": "7.1.99", "24.1": "7.5.99", "25.0": "7.7.99", "25.2": "7.7.99", "25.3": "7.8.99", "25.5": "7.8.99"}


def _template(name: str, **values: str) -> str:
    with open(os.path.join(TEMPLATES, name), encoding="utf-8") as stream:
        text = stream.read()
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _driver_version_info(version: str) -> str:
    newest = _NEWEST_FIRMWARE.get(".".join(version.split(".")[:2]), "7.9.99")
    return "\n".join([
        f"Version={version}",
        "ascendhal_version=7.35.23",
        "aicpu_version=1.0",
        "tdt_version=1.0",
        "log_version=1.0",
        "prof_version=2.0",
        "dvppkernels_version=1.1",
        "tsfw_version=1.0",
        "Innerversion=V100R001C20SPC001B251",
        "compatible_version=[V100R001C15],[V100R001C17],[V100R001C18],[V100R001C19],[V100R001C20]",
        f"compatible_version_fw=[7.0.0,{newest}]",
        f"package_version={version}",
    ]) + "\n"


def _firmware_version_info(version: str, package_version: str) -> str:
    lines = ["[23.0.rc3,23.0.rc3.]", "[23.0.0,23.0.0.]", "[24.0,24.0.]", "[24.1,24.1.]"]
    own = ".".join(package_version.split(".")[:2])
    if not any(line.startswith(f"[{own}") for line in lines):
        lines.append(f"[{own},{own}.]")
    return "\n".join([
        f"Version={version}",
        "firmware_version=1.0",
        f"package_version={package_version}",
        f"compatible_version_drv={','.join(lines)}",
    ]) + "\n"


def driver_payload(version: str, arch: str, chip: str) -> dict[str, str]:
    """The files of a driver package: path to text."""
    return {
        "install.sh": SHELL + _template("install.in"),
        "package.info": f"kind=Driver\nchip={chip}\npci_device={CHIPS[chip]}\n",
        "scene.info": f"os=linux\narch={arch}\n",
        "version.info": _driver_version_info(version),
        "driver/script/uninstall.sh": SHELL + _template("uninstall.in", KIND="Driver"),
        "driver/tools/hccn_tool": SHELL + _template("launcher.in", MODULE="hccn_tool"),
        "driver/tools/npu-smi": SHELL + _template("launcher.in", MODULE="npu_smi"),
        "driver/ascend-driver.service": _template("ascend-driver.service"),
    }


def firmware_payload(version: str, package_version: str, chip: str) -> dict[str, str]:
    """The files of a firmware package, which is the same for all architectures."""
    return {
        "install.sh": SHELL + _template("install.in"),
        "package.info": f"kind=Firmware\nchip={chip}\npci_device={CHIPS[chip]}\n",
        "scene.info": "os=linux\n",
        "version.info": _firmware_version_info(version, package_version),
        "firmware/script/uninstall.sh": SHELL + _template("uninstall.in", KIND="Firmware"),
    }


def _archive(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for path, text in sorted(files.items()):
            content = text.encode("utf-8")
            entry = tarfile.TarInfo("./" + path)
            entry.size = len(content)
            entry.mode = 0o755 if text.startswith(SHELL) else 0o644
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


HDK_OPTIONS = """\
  --full | --run | --debug | --devel | --docker    Install, by type
  --upgrade             Upgrade what is installed
  --uninstall           Uninstall
  --version             Print the version of the package
  --quiet               Ask nothing
  --force               Install or uninstall now, take effect after a reboot
  --norebuild           Do not rebuild the kernel modules
  --install-for-all     Let all users use the package
  --install-path=<path> Install below this directory (default /usr/local/Ascend)
  --install-username=<user> --install-usergroup=<group>   Who runs it (default HwHiAiUser)"""


def run_file(label: str, files: dict[str, str], options: str = HDK_OPTIONS) -> bytes:
    """One self-extracting archive; `options` is what --help says of its installer."""
    payload = _archive(files)
    header = SHELL + _template(
        "header.in", LABEL=label, SHA256=hashlib.sha256(payload).hexdigest(), PAYLOAD_BYTES=str(len(payload)), OPTIONS=options,
    )
    # The header names the first line of the payload, which is the line after its own last one.
    header = header.replace("@PAYLOAD_LINE@", str(header.count("\n") + 1))
    return header.encode("utf-8") + payload


def build(out: str, arch: str, driver_version: str, firmware_version: str, chip: str = "910b") -> list[str]:
    """Write both packages below `out` and return their paths."""
    packages = {
        f"Ascend-hdk-{chip}-npu-driver_{driver_version}_linux-{arch}.run":
            run_file("ASCEND DRIVER RUN PACKAGE", driver_payload(driver_version, arch, chip)),
        f"Ascend-hdk-{chip}-npu-firmware_{firmware_version}.run":
            run_file(f"ASCEND-HDK-{chip.upper()}-NPU FIRMWARE RUN PACKAGE", firmware_payload(firmware_version, driver_version, chip)),
    }
    os.makedirs(out, exist_ok=True)
    paths = []
    for name, content in packages.items():
        path = os.path.join(out, name)
        with open(path, "wb") as stream:
            stream.write(content)
        os.chmod(path, 0o755)
        paths.append(path)
    return paths


def local_arch() -> str:
    """This machine's architecture as package names spell it."""
    return os.uname().machine.replace("x86_64", "x86-64")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="npusim.packages", description="Build the simulated driver and firmware packages.")
    commands = parser.add_subparsers(dest="command", required=True)
    builder = commands.add_parser("build", help="write the .run files")
    builder.add_argument("--out", required=True, help="directory to write to")
    builder.add_argument("--arch", choices=ARCHITECTURES, default=local_arch())
    builder.add_argument("--driver-version", default="24.1.0")
    builder.add_argument("--firmware-version", default="7.5.0.3.220")
    builder.add_argument("--chip", choices=sorted(CHIPS), default="910b")
    options = parser.parse_args(argv)
    for path in build(options.out, options.arch, options.driver_version, options.firmware_version, options.chip):
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
