# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tools, images and packages: everything that is made once and reused until its inputs change."""
from __future__ import annotations

import collections.abc
import contextlib
import hashlib
import os
import pathlib
import platform
import subprocess
import sys

from .engine import Engine, as_root, say, step, which
from .settings import SHAPES, SIMULATOR, Settings, SimulatorError, image_name

BASE_IMAGE = "localhost/debian:trixie"
BASE_SUITE = "trixie"
WORKSHOP_IMAGE = "localhost/npuops-workshop"
KEYRING = pathlib.Path("/usr/share/keyrings/debian-archive-keyring.gpg")
INPUTS_LABEL = "npuops.inputs"
HOST_FILES = SIMULATOR / "host"
VENDOR_FILES = (SIMULATOR / "npusim", SIMULATOR / "packages")
MINDIE_FILES = SIMULATOR / "mindie"
SOURCES = SIMULATOR / "sources"
DOCKER_ARCHIVE = "docker-26.1.4.tgz"
DRIVER_PACKAGE = "Ascend-hdk-910b-npu-driver_{driver}_linux-{arch}.run"
FIRMWARE_PACKAGE = "Ascend-hdk-910b-npu-firmware_{firmware}.run"
# The HDK of each guide, and the folder that it is put into.
HDKS = (("24.1.0", "7.5.0.3.220", "."), ("25.0.rc1.1", "7.7.0.1.231", "ktransformers"), ("25.3.rc1", "7.8.0.2.212", "ktransformers"))
MINDIE_ARCHIVE = "mindie-2.0.T3.1-800I-A2.tar"

# Tool or file looked for, and the package that has it.
TOOLS = {
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
    "iptables": "iptables",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
    "rsync": "rsync",
    str(KEYRING): "debian-archive-keyring",
}
NETWORK_BACKENDS = ("/usr/lib/podman/netavark", "/usr/libexec/podman/netavark", "/usr/lib/cni/bridge")
NETWORK_PACKAGES = ("netavark", "containernetworking-plugins")  # the first one that this distribution has


def digest(paths: collections.abc.Iterable[pathlib.Path], *texts: str) -> str:
    """One value for files, folders and texts; caches of Python do not count."""
    value = hashlib.sha256("\0".join(texts).encode())
    for top in paths:
        for path in sorted([top, *top.rglob("*")] if top.is_dir() else [top]):
            if path.is_file() and "__pycache__" not in path.parts:
                value.update(f"\0{path.relative_to(top.parent)}\0{path.stat().st_mode & 0o111:o}\0".encode())
                value.update(path.read_bytes())
    return value.hexdigest()[:32]


def missing_packages() -> list[str]:
    """Distribution packages that this machine lacks."""
    found = [name for tool, name in TOOLS.items() if not (pathlib.Path(tool).exists() if tool.startswith("/") else which(tool))]
    if not any(pathlib.Path(path).exists() for path in NETWORK_BACKENDS):
        offered = [name for name in NETWORK_PACKAGES if _apt_output("apt-cache", "policy", name)]
        found.append((offered or [NETWORK_PACKAGES[0]])[0])
    return found


def _apt_output(*argv: str) -> str:
    return subprocess.run(argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def install_dependencies() -> None:
    """Install the tools that are missing, with apt."""
    if not missing_packages():
        say("Everything that the simulator needs is installed.")
        return
    if which("apt-get") is None:
        raise SimulatorError(f"Not installed: {', '.join(missing_packages())}. This machine has no apt-get: install them with its own package manager.")
    with step("apt-get update"):
        _run_logged(as_root(["apt-get", "update", "-qq"]), "apt-get update failed")
    names = missing_packages()  # asked again: what the network package is called is known only now
    with step(f"installed {' '.join(names)}"):
        _run_logged(as_root(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq", "--no-install-recommends", *names]),
                    f"apt-get could not install {' '.join(names)}")


def _run_logged(argv: list[str], failure: str, env: dict[str, str] | None = None) -> None:
    """Run quietly; show the last lines when it fails."""
    reply = subprocess.run(
        argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", errors="replace", env={**os.environ, **(env or {})},
    )
    if reply.returncode != 0:
        raise SimulatorError(f"{failure} (exit {reply.returncode}). Its last lines:\n" + "\n".join(reply.stdout.splitlines()[-25:]))


def apt_sources(index_targets: str) -> str:
    """This machine's own Debian mirrors, for the suite of the base image; empty where it has none."""
    lines = set()
    for line in index_targets.splitlines():
        uri, _bar, label = line.partition("|")
        if label == "Debian":
            lines.update({f"deb {uri} {BASE_SUITE} main", f"deb {uri} {BASE_SUITE}-updates main"})
        elif label == "Debian-Security":
            lines.add(f"deb {uri} {BASE_SUITE}-security main")
    return "".join(f"{line}\n" for line in sorted(lines))


def apt_options(config: str) -> list[str]:
    """This machine's own way to its mirrors: proxies and how strictly dates are taken."""
    wanted = ("Acquire::http::", "Acquire::https::", "Acquire::Check-")
    return [f"--aptopt={line}" for line in config.splitlines() if line.startswith(wanted) and not line.endswith('"";')]


class Builder:
    """Makes the images and packages that are missing or out of date."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.settings = settings

    def build(self) -> None:
        for folder in (self.settings.packages, self.settings.repositories, self.settings.state_dir / "stamps"):
            folder.mkdir(parents=True, exist_ok=True)
        self.base_image()
        self.host_image()
        self.local_packages()
        self.vendor_packages()
        self.mindie_image()
        self.ktransformers_sources()

    def base_image(self) -> None:
        """A minimal Debian, from this machine's own mirrors."""
        if self.engine.try_run("image", "exists", BASE_IMAGE).returncode == 0:
            return
        if which("mmdebstrap") is None:
            raise SimulatorError("mmdebstrap is not installed. Run: simulator.py deps")
        archive, sources = self.settings.state_dir / "base.tar", self.settings.state_dir / "base.list"
        sources.write_text(apt_sources(_apt_output("apt-get", "indextargets", "--format", "$(REPO_URI)|$(LABEL)", "Created-By: Packages")), encoding="utf-8")
        options = apt_options(_apt_output("apt-config", "dump"))
        mirrors = [str(sources)] if sources.stat().st_size else []
        with step(f"{BASE_IMAGE} made with mmdebstrap"):
            _run_logged(as_root(["mmdebstrap", "--variant=minbase", f"--keyring={KEYRING}", *options, BASE_SUITE, str(archive), *mirrors]), "mmdebstrap failed")
            self.engine.output("import", "--quiet", str(archive), BASE_IMAGE)
        _run_logged(as_root(["rm", "-f", str(archive), str(sources)]), "The base archive could not be removed")

    def _base(self) -> str:
        return self.engine.output("image", "inspect", "--format", "{{.Id}}", BASE_IMAGE)

    def _image(self, name: str, target: str) -> None:
        inputs = digest([HOST_FILES], self._base())
        if self.engine.label("image", name, INPUTS_LABEL) == inputs:
            return
        before = self.engine.try_run("image", "inspect", "--format", "{{.Id}}", name).stdout.strip()
        # chroot isolation also works where nested containers may not set their limits.
        with step(f"{name} built"):
            self.engine.output("build", "--isolation=chroot", "--build-arg", f"BASE={BASE_IMAGE}", "--target", target, "--label", f"{INPUTS_LABEL}={inputs}",
                               "--tag", name, str(HOST_FILES))
        if before:
            # Hosts may still run from the older image: then it stays, and podman's refusal does not matter.
            self.engine.try_run("image", "rm", before)

    def host_image(self) -> None:
        self._image(image_name(self.settings.shape), self.settings.shape)

    def local_packages(self) -> None:
        """The Docker archive and the local repositories; the kernel's packages carry this machine's kernel version."""
        inputs = digest([HOST_FILES / "Containerfile", HOST_FILES / "make_packages.py"], self._base(), platform.release())
        packages, repositories = self.settings.packages, self.settings.repositories
        with self._made("local-packages", inputs, packages / DOCKER_ARCHIVE, repositories / "rpm/repodata/repomd.xml", repositories / "deb/Packages") as stale:
            if stale:
                self._image(WORKSHOP_IMAGE, "workshop")
                with step(f"{DOCKER_ARCHIVE} and local repositories made"):
                    self.engine.output("run", "--rm", "--network=none", *self.engine.run_options(),
                                       "--volume", f"{self.settings.state_dir}:/out", WORKSHOP_IMAGE)
                    self._give_back(packages, repositories)

    def vendor_packages(self) -> None:
        """The driver's and the firmware's simulated installers."""
        arch = {"x86_64": "x86-64"}.get(platform.machine(), platform.machine())
        packages = [self.settings.packages / folder / name.format(driver=driver, firmware=firmware, arch=arch)
                    for driver, firmware, folder in HDKS for name in (DRIVER_PACKAGE, FIRMWARE_PACKAGE)]
        with self._made("vendor-packages", digest(VENDOR_FILES, str(HDKS)), *packages) as stale:
            if stale:
                with step("driver and firmware packages made"):
                    for driver, firmware, folder in HDKS:
                        _run_logged([sys.executable, "-m", "npusim.packages", "build", "--out", str(self.settings.packages / folder), "--arch", arch,
                                     "--driver-version", driver, "--firmware-version", firmware],
                                    "The driver and firmware packages could not be made", env={"PYTHONPATH": str(SIMULATOR)})

    def mindie_image(self) -> None:
        """The simulated MindIE image as the archive that `docker load` reads."""
        archive = self.settings.packages / MINDIE_ARCHIVE
        with self._made("mindie-image", digest([MINDIE_FILES]), archive) as stale:
            if stale:
                with step(f"{MINDIE_ARCHIVE} made"):
                    _run_logged(as_root(["bash", str(MINDIE_FILES / "build.sh"), str(archive)]), f"{MINDIE_ARCHIVE} could not be made")
                    self._give_back(archive)

    def ktransformers_sources(self) -> None:
        """What the way to kTransformers downloads: each folder of sources has a build.py that writes into one directory."""
        out = self.settings.packages / "ktransformers"
        for builder in sorted(SOURCES.glob("*/build.py")):
            name = builder.parent.name
            with self._made(f"sources-{name}", digest([builder.parent]), out) as stale:
                if stale:
                    out.mkdir(exist_ok=True)
                    with step(f"ktransformers/: {name} made"):
                        _run_logged([sys.executable, str(builder), str(out)], f"{builder.relative_to(SIMULATOR)} failed", env={"PYTHONPATH": str(SIMULATOR)})
                        self._give_back(out)

    @contextlib.contextmanager
    def _made(self, name: str, inputs: str, *results: pathlib.Path) -> collections.abc.Iterator[bool]:
        """Whether something must be made; remembers its inputs when making it succeeded."""
        stamp = self.settings.state_dir / "stamps" / name
        fresh = stamp.exists() and stamp.read_text(encoding="ascii") == inputs and all(path.exists() for path in results)
        yield not fresh
        stamp.write_text(inputs, encoding="ascii")

    def _give_back(self, *paths: pathlib.Path) -> None:
        """What root made in the state directory belongs to the person who ran this."""
        if os.geteuid() != 0:
            _run_logged(as_root(["chown", "-R", f"{os.getuid()}:{os.getgid()}", *map(str, paths)]), "Ownership could not be set")


def remove_images(engine: Engine) -> None:
    """Remove the hosts' images, and the base image; refused by podman while a container uses one."""
    for name in (*map(image_name, SHAPES), WORKSHOP_IMAGE, BASE_IMAGE):
        engine.remove_if_present("image", "rm", name)
