# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make what a simulated host installs: the Docker archive, and one rpm and one deb repository with the same packages.

Usage, inside the workshop image: python3 make_packages.py DEBS OUT

The binaries come from Debian's packages in DEBS. They are packed anew without dependencies, because nothing
else can be installed on a host without network. gcc and the kernel's headers are stand-ins: nothing is compiled.
"""
from __future__ import annotations

import dataclasses
import hashlib
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

DOCKER_ARCHIVE = "docker-26.1.4.tgz"
DOCKER_FILES = {
    "docker": "usr/bin/docker",
    "dockerd": "usr/sbin/dockerd",
    "docker-proxy": "usr/sbin/docker-proxy",
    "docker-init": "usr/bin/tini-static",
    "containerd": "usr/bin/containerd",
    "containerd-shim-runc-v2": "usr/bin/containerd-shim-runc-v2",
    "ctr": "usr/bin/ctr",
    "runc": "usr/sbin/runc",
}
DOCKER_UNIT = """\
[Unit]
Description=Docker Application Container Engine
After=network-online.target firewalld.service
Wants=network-online.target

[Service]
Type=notify
ExecStart=/usr/bin/dockerd
ExecReload=/bin/kill -s HUP $MAINPID
Delegate=yes
KillMode=process
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""
GCC = """\
#!/usr/bin/env bash
# Stand-in of the simulated host: answers for its version, compiles nothing.
case "${1-}" in
    --version | -v) echo 'gcc (simulated host) 10.3.1' ;;
    -dumpversion | -dumpfullversion) echo '10.3.1' ;;
    *) echo 'gcc: the simulated host has a stand-in that compiles nothing' >&2; exit 1 ;;
esac
"""
PIP = """\
#!/usr/bin/env bash
# Stand-in of the simulated host: answers for its version, installs nothing.
[[ ${1-} == --version ]] && exec echo 'pip 21.3.1 (simulated host)'
echo 'pip: the simulated host has a stand-in that installs nothing' >&2
exit 1
"""
# What kTransformers is built with, by the names of both families. Stand-ins: nothing is compiled on a simulated host.
BUILD_PACKAGES = {
    "g++": "gcc-c++",
    "cmake": "cmake",
    "pkg-config": "pkgconf-pkg-config",
    "libtbb-dev": "tbb-devel",
    "libcurl4-openssl-dev": "libcurl-devel",
    "libaio-dev": "libaio-devel",
    "libssl-dev": "openssl-devel",
    "zlib1g-dev": "zlib-devel",
    "libnuma-dev": "numactl-devel",
    "libhwloc-dev": "hwloc-devel",
}
SPEC = """\
Name: {name}
Version: {version}
Release: {release}
Summary: {summary}
License: see the sources
AutoReqProv: no
{provides}
%description
{summary}
%install
cp -a {tree}/. %{{buildroot}}/
%files -f {tree}.files
"""


@dataclasses.dataclass(frozen=True)
class Package:
    """A tree of files with the names under which each kind of repository offers it; no name, not offered."""

    tree: pathlib.Path
    version: str
    summary: str
    rpm: str = ""
    deb: str = ""
    provides: tuple[str, ...] = ()

    def version_and_release(self) -> tuple[str, str]:
        """The version without epoch, split as rpm wants it; a dash has a meaning for rpm."""
        version, _dash, release = self.version.rpartition(":")[2].rpartition("-")
        if not version:
            version, release = release, "1"
        return version.replace("-", "_"), release.replace("-", "_")


def run(*argv: str | pathlib.Path) -> str:
    """Run a tool of the image; a failure shows the tool's own message."""
    reply = subprocess.run([str(part) for part in argv], check=False, capture_output=True, text=True)
    if reply.returncode != 0:
        raise SystemExit(f"{argv[0]} failed (exit {reply.returncode}): {reply.stderr.strip()}")
    return reply.stdout


def write(path: pathlib.Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def unpack(debs: pathlib.Path, name: str, work: pathlib.Path) -> tuple[pathlib.Path, str]:
    """Unpack one of Debian's packages without its documentation; its tree and version."""
    (deb,) = debs.glob(f"{name}_*.deb")
    tree = work / name
    run("dpkg-deb", "-x", deb, tree)
    for share in ("doc", "man", "locale", "info", "lintian", "bash-completion", "zsh", "fish"):
        shutil.rmtree(tree / "usr/share" / share, ignore_errors=True)
    return tree, run("dpkg-deb", "-f", deb, "Version").strip()


def docker(debs: pathlib.Path, work: pathlib.Path, out: pathlib.Path) -> Package:
    """The engine's binaries: as the archive that an operator downloads, and as a package of the distribution."""
    trees = [unpack(debs, name, work)[0] for name in ("docker-cli", "containerd", "runc", "tini")]
    engine, version = unpack(debs, "docker.io", work)
    archive, tree = work / "archive/docker", work / "docker-engine"
    archive.mkdir(parents=True)
    (tree / "usr/bin").mkdir(parents=True)
    for name, source in DOCKER_FILES.items():
        (binary,) = [base / source for base in (engine, *trees) if (base / source).exists()]
        missing = [line.strip() for line in libraries(binary).splitlines() if "not found" in line]
        if missing:
            raise SystemExit(f"{name} needs a library that the host image does not have: {', '.join(missing)}. Add it to the Containerfile.")
        for folder in (archive, tree / "usr/bin"):
            shutil.copy2(binary, folder / name)
    run("tar", "-C", archive.parent, "--owner=0", "--group=0", "-I", "gzip -1", "-cf", out / "packages" / DOCKER_ARCHIVE, "docker")
    write(tree / "usr/lib/systemd/system/docker.service", DOCKER_UNIT)
    return Package(tree, version, "Docker engine", rpm="docker-engine", deb="docker.io", provides=("docker",))


def libraries(binary: pathlib.Path) -> str:
    """What ldd says; it exits with 1 for a static binary, which needs nothing."""
    return subprocess.run(["ldd", str(binary)], check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def packages(debs: pathlib.Path, work: pathlib.Path, out: pathlib.Path) -> list[Package]:
    kernel = platform.release()
    made = [docker(debs, work, out)]
    for name in ("make", "net-tools", "pciutils", "dkms", "git", "numactl"):
        tree, version = unpack(debs, name, work)
        if name == "numactl":
            shutil.copytree(unpack(debs, "libnuma1", work)[0], tree, symlinks=True, dirs_exist_ok=True)
        made.append(Package(tree, version, f"{name} for the simulated host", rpm=name, deb=name))
    made += weights_packages(debs, work)
    write(work / "gcc/usr/bin/gcc", GCC, 0o755)
    made.append(Package(work / "gcc", "10.3.1-1", "Stand-in for the compiler", rpm="gcc", deb="gcc"))
    write(work / "python3-pip/usr/bin/pip3", PIP, 0o755)
    made.append(Package(work / "python3-pip", "21.3.1-1", "Stand-in for pip", rpm="python3-pip", deb="python3-pip"))
    for deb, rpm in BUILD_PACKAGES.items():
        write(work / f"build-{deb}/usr/share/npusim/{deb}", "Stand-in of the simulated host.\n")
        made.append(Package(work / f"build-{deb}", "1.0-1", f"Stand-in for {deb}", rpm=rpm, deb=deb))
    write(work / "kernel-headers/usr/include/linux/npusim.h", "/* Stand-in of the simulated host. */\n")
    made.append(
        Package(work / "kernel-headers", kernel, "Stand-in for the kernel's user headers", rpm="kernel-headers", provides=(f"kernel-headers-{kernel}",))
    )
    sources = work / f"kernel-devel/usr/src/kernels/{kernel}"
    write(sources / "Makefile", "# Stand-in of the simulated host: nothing is compiled here.\n")
    build = work / f"kernel-devel/usr/lib/modules/{kernel}/build"
    build.parent.mkdir(parents=True)
    build.symlink_to(f"/usr/src/kernels/{kernel}")
    made.append(
        Package(
            work / "kernel-devel", kernel, "Stand-in for the kernel's build tree",
            rpm="kernel-devel", deb=f"linux-headers-{kernel}", provides=(f"kernel-devel-{kernel}",),
        )
    )
    return made


def weights_packages(debs: pathlib.Path, work: pathlib.Path) -> list[Package]:
    """What spreads weights: libtorrent with its Python package, by the names of Debian and Fedora, and rsync. Libraries go with what needs them."""
    made = []
    for name, libraries_of_it, rpm in (
        ("python3-libtorrent", ("libtorrent-rasterbar2.0t64", "libboost-python1.83.0"), "rb_libtorrent-python3"),
        ("rsync", ("libpopt0",), "rsync"),
    ):
        tree, version = unpack(debs, name, work)
        for library in libraries_of_it:
            shutil.copytree(unpack(debs, library, work)[0], tree, symlinks=True, dirs_exist_ok=True)
        made.append(Package(tree, version, f"{name} for the simulated host", rpm=rpm, deb=name))
    return made


def make_rpm(package: Package, target: pathlib.Path) -> None:
    files = [path for path in sorted(package.tree.rglob("*")) if path.is_symlink() or path.is_file()]
    listing = package.tree.with_name(package.tree.name + ".files")
    write(listing, "".join(f'"/{path.relative_to(package.tree)}"\n' for path in files))
    version, release = package.version_and_release()
    spec = package.tree.with_name(package.tree.name + ".spec")
    provides = "".join(f"Provides: {name}\n" for name in package.provides)
    write(spec, SPEC.format(name=package.rpm, version=version, release=release, summary=package.summary, provides=provides, tree=package.tree))
    top = package.tree.parent / "rpmbuild"
    # The binaries are taken as they are: no stripping, no debug packages, fast compression.
    run("rpmbuild", "-bb", "--quiet", "-D", f"_topdir {top}", "-D", f"_rpmdir {target}", "-D", "_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm",
        "-D", "debug_package %{nil}", "-D", "__os_install_post %{nil}", "-D", "_build_id_links none", "-D", "_binary_payload w1.gzdio", spec)


def make_deb(package: Package, target: pathlib.Path, arch: str) -> str:
    """Pack the tree and give its paragraph of the repository's Packages file."""
    fields = [
        f"Package: {package.deb}",
        f"Version: {package.version if package.version[0].isdigit() else '1'}",
        f"Architecture: {arch}",
        "Maintainer: npuops contributors <npuops@example.com>",
        f"Description: {package.summary}",
    ]
    write(package.tree / "DEBIAN/control", "\n".join(fields) + "\n")
    deb = target / f"{package.deb}.deb"
    run("dpkg-deb", "--root-owner-group", "--nocheck", "-Zgzip", "-z1", "-b", package.tree, deb)
    data = deb.read_bytes()
    fields += [f"Filename: ./{deb.name}", f"Size: {len(data)}", f"SHA256: {hashlib.sha256(data).hexdigest()}"]
    return "\n".join(fields) + "\n"


def main(debs: pathlib.Path, out: pathlib.Path) -> None:
    rpm_repo, deb_repo = out / "repo/rpm", out / "repo/deb"
    for folder in (rpm_repo, deb_repo):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    (out / "packages").mkdir(exist_ok=True)
    arch = run("dpkg", "--print-architecture").strip()
    with tempfile.TemporaryDirectory() as work:
        made = packages(debs, pathlib.Path(work), out)
        for package in made:
            if package.rpm:
                make_rpm(package, rpm_repo)
        write(deb_repo / "Packages", "\n".join(make_deb(package, deb_repo, arch) for package in made if package.deb))
    run("createrepo_c", "--quiet", rpm_repo)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
