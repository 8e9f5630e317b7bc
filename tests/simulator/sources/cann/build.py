# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the simulated CANN packages: python build.py OUT_DIR, with tests/simulator in PYTHONPATH.

They have the names, options, texts, exit codes, trees and version files of the vendor's, and nothing else of them: libraries are placeholders.
The same input gives the same bytes.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

from npusim.packages import SHELL, run_file

HERE = pathlib.Path(__file__).resolve().parent
# CANN version: (inner version, version of the components).
VERSIONS = {
    "8.0.0": ("V100R001C20SPC001B251", "7.6.0.1.220"),
    "8.1.RC1": ("V100R001C21SPC001B238", "7.7.0.1.238"),
    "8.3.RC1": ("V100R001C23SPC001B231", "8.3.0.1.200"),
    "8.5.0": ("V100R001C25SPC001B231", "8.5.0.1.200"),
}
# From 8.5 on: /usr/local/Ascend/cann-VERSION, and the kernels are called ops.
NEW_LAYOUT = ("8.5.0",)
# What the installer of these versions does with --install-path when there is a record: refuse, or rewrite it.
KEEPS_RECORD = ("8.0.0",)
OPTIONS = """\
  --install             Install
  --upgrade             Upgrade an older version
  --uninstall           Uninstall
  --quiet | -q          Ask nothing, which accepts the EULA
  --install-path=<path> Install below this directory (default /usr/local/Ascend, or ~/Ascend)
  --install-for-all     Let all users use the package"""


@dataclasses.dataclass(frozen=True)
class Package:
    kind: str
    version: str
    arch: str
    chip: str = ""

    @property
    def name(self) -> str:
        """The vendor's name without the ending."""
        if self.kind == "kernels":
            subject = f"{self.chip}-ops" if self.version in NEW_LAYOUT else f"kernels-{self.chip}"
        else:
            subject = self.kind
        return f"Ascend-cann-{subject}_{self.version}_linux-{self.arch}"

    def files(self) -> dict[str, str]:
        inner, build = VERSIONS[self.version]
        info = {
            "kind": self.kind,
            "name": self.name,
            "version": self.version,
            "arch": self.arch,
            "chip": self.chip,
            "inner": inner,
            "build": build,
            "layout": "new" if self.version in NEW_LAYOUT else "old",
            "record": "keep" if self.version in KEEPS_RECORD else "rewrite",
        }
        parts = {"install.sh": "install.in", "uninstall.sh": "uninstall.in", "set_env.sh": f"set_env_{'atb' if self.kind == 'nnal' else 'toolkit'}.in"}
        files = {name: SHELL * (name != "set_env.sh") + (HERE / source).read_text(encoding="utf-8") for name, source in parts.items()}
        return {**files, "package.info": "".join(f"{key}={value}\n" for key, value in info.items())}


def packages(arch: str) -> list[Package]:
    """What the tests and the demonstration need, and two that a host must refuse."""
    made = [Package(kind, version, arch, "910b" if kind == "kernels" else "") for version in VERSIONS for kind in ("toolkit", "kernels", "nnal")]
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[arch]
    return [*made, Package("toolkit", "8.1.RC1", other), Package("kernels", "8.1.RC1", arch, "310p")]


def main(out: pathlib.Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for package in packages(os.uname().machine):
        path = out / f"{package.name}.run"
        path.write_bytes(run_file(f"ASCEND-CANN-{package.kind.upper()} RUN PACKAGE", package.files(), OPTIONS))
        path.chmod(0o755)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
