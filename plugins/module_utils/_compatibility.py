# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which versions of HDK, CANN, torch, torch_npu and Python go together.

Sources: HDK that ships with a CANN, "required_soft" and version_match.json of ascend-deployer 26.0.0; windows of older HDK, release notes of
CANN 8.5.0 (hiascend.com) and of MindIE 2.1.RC1, which is the release on CANN 8.2.RC1; torch_npu, COMPATIBILITY.md of Ascend/pytorch and
version_match.json; Python, the installation guides of CANN 8.3 (3.7 to 3.11) and 8.5 (to 3.13).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.npuops.ascend.plugins.module_utils._version import VersionError, compare, fits, parse_version

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEAREST = 3
NAMES = ("hdk", "cann", "torch", "torch_npu", "python")


@dataclass(frozen=True)
class Row:
    """One CANN release with what goes with it."""

    cann: str
    # The HDK of the same release. A newer one is fine; an older one is where it fails.
    # None where no source names one.
    hdk: str | None
    # Older releases of the HDK that the vendor names as accepted: 25.0 stands for 25.0.RC1 as well as for 25.0.1.
    older_hdk: tuple[str, ...]
    torch_npu: tuple[str, ...]
    # First and last Python.
    python: tuple[str, str]
    source: str


_DEPLOYER = "ascend-deployer 26.0.0"
_PYTORCH = "COMPATIBILITY.md of Ascend/pytorch"
ROWS = (
    Row("8.0.0", "24.1.0", (), ("2.1.0.post10", "2.3.1.post4", "2.4.0.post2"), ("3.7", "3.11"), f"{_PYTORCH}; MindIE 1.0.0 documentation"),
    Row("8.1.RC1", "25.0.RC1", (), ("2.1.0.post12", "2.3.1.post6", "2.4.0.post4", "2.5.1"), ("3.7", "3.11"), f"{_DEPLOYER}; {_PYTORCH}"),
    Row(
        "8.2.RC1",
        "25.2.0",
        ("25.0", "24.1"),
        ("2.1.0.post13", "2.5.1.post1", "2.6.0"),
        ("3.7", "3.11"),
        f"{_DEPLOYER}; {_PYTORCH}; MindIE 2.1.RC1 documentation",
    ),
    Row("8.3.RC1", "25.3.RC1", (), ("2.1.0.post17", "2.6.0.post3", "2.7.1", "2.8.0"), ("3.7", "3.11"), f"{_DEPLOYER}; {_PYTORCH}; CANN 8.3 installation guide"),
    Row(
        "8.5.0",
        "25.5.0",
        ("25.3", "25.2", "25.0"),
        ("2.6.0.post5", "2.7.1.post2", "2.8.0.post2", "2.9.0"),
        ("3.7", "3.13"),
        f"{_DEPLOYER}; {_PYTORCH}; CANN 8.5.0 release note",
    ),
    # SGLang's Ascend page runs CANN 9.0.0 on HDK 25.5.2.
    Row(
        "9.0.0",
        "26.0.RC1",
        ("25.5",),
        ("2.6.0.post6", "2.7.1.post4", "2.8.0.post4", "2.9.0.post2", "2.10.0"),
        ("3.7", "3.13"),
        f"{_DEPLOYER}; {_PYTORCH}; sgl-project/sglang-omni",
    ),
    Row("9.1.0", None, (), ("2.7.1.post8", "2.9.0.post6", "2.10.0.post4", "2.11.0", "2.12.0"), ("3.7", "3.13"), _PYTORCH),
)
# Pythons that packages of a torch exist for, by its first two numbers (metadata of torch and torch_npu).
TORCH_PYTHON = {
    **dict.fromkeys(("2.1", "2.3", "2.4"), ("3.8", "3.11")),
    **dict.fromkeys(("2.5", "2.6"), ("3.9", "3.11")),
    **dict.fromkeys(("2.7", "2.8"), ("3.9", "3.13")),
    **dict.fromkeys(("2.9", "2.10"), ("3.10", "3.13")),
    **dict.fromkeys(("2.11", "2.12"), ("3.10", "3.14")),
}


class CompatibilityError(ValueError):
    """A question that is none."""


def _local(version: str) -> str:
    """A Python package's version without its local part: 2.5.1+cpu, 2.5.1.post1+git69550dfc."""
    return version.strip().partition("+")[0]


def _same(one: str, other: str) -> bool:
    try:
        return compare(one, other) == 0
    except VersionError:
        return one == other


def _release(torch_npu: str) -> str:
    """The torch that a torch_npu is made for: its first three numbers."""
    match = re.match(r"\d+\.\d+\.\d+", torch_npu)
    return match.group() if match else torch_npu


def _hdk_fits(row: Row, hdk: str) -> bool:
    # 25.0.rc1.1 is a build of 25.0.RC1; a newer HDK runs an older CANN.
    return row.hdk is None or fits(row.hdk, hdk) or compare(hdk, row.hdk) >= 0 or any(fits(older, hdk) for older in row.older_hdk)


def _python_fits(row: Row, python: str, torch: str | None) -> bool:
    ranges = [row.python]
    if torch:
        ranges += [TORCH_PYTHON[key] for key in [".".join(_release(torch).split(".")[:2])] if key in TORCH_PYTHON]
    return all(_minor(low) <= _minor(python) <= _minor(high) for low, high in ranges)


def _minor(python: str) -> tuple[int, ...]:
    return tuple(map(int, python.split(".")[:2]))


def misfits(row: Row, versions: Mapping[str, str]) -> list[str]:
    """The given versions, by name, that do not belong to a row."""
    wrong = []
    if "hdk" in versions and not _hdk_fits(row, versions["hdk"]):
        wrong.append("hdk")
    if "cann" in versions and not _cann_fits(row, versions["cann"]):
        wrong.append("cann")
    torch_npu = _local(versions["torch_npu"]) if "torch_npu" in versions else None
    if torch_npu and not any(_same(torch_npu, known) for known in row.torch_npu):
        wrong.append("torch_npu")
    if "torch" in versions:
        candidates = [torch_npu] if torch_npu else row.torch_npu
        if not any(_same(_local(versions["torch"]), _release(known)) for known in candidates):
            wrong.append("torch")
    if "python" in versions and not _python_fits(row, versions["python"], torch_npu or versions.get("torch")):
        wrong.append("python")
    return wrong


def _cann_fits(row: Row, cann: str) -> bool:
    # Alpha releases and hot patches of a release go with it; the community's "8.1.RC1.beta1" is the file 8.1.RC1.
    return fits(row.cann, cann)


def describe(row: Row) -> str:
    """One row as a phrase."""
    older = f" (also {', '.join(f'{text}.x' for text in row.older_hdk)})" if row.older_hdk else ""
    hdk = f"HDK {row.hdk} or newer{older}, " if row.hdk else ""
    packages = f"torch_npu {', '.join(row.torch_npu)} with the torch of the same number"
    return f"CANN {row.cann}, which takes {hdk}{packages}, Python {row.python[0]} to {row.python[1]} ({row.source})"


def check(versions: Mapping[str, t.Any], rows: Sequence[Row] = ROWS) -> list[str]:
    """What is wrong with a set of versions; an empty list when one row has them all. Names without a version are not judged."""
    unknown = sorted(set(versions) - set(NAMES))
    if unknown:
        raise CompatibilityError(f"unknown component {', '.join(unknown)}; expected some of {', '.join(NAMES)}")
    given = {name: str(versions[name]).strip() for name in NAMES if versions.get(name) not in (None, "")}
    for name, text in given.items():
        try:
            parse_version(_local(text))
        except VersionError as error:
            raise CompatibilityError(f"{name}: {error}") from error
        if name == "python" and not re.match(r"\d+\.\d+(?:\.\d+)?\Z", text):
            raise CompatibilityError(f"python: {text!r} is not a version of Python such as 3.11")
    if not given:
        return []
    judged = [(misfits(row, given), row) for row in rows]
    if any(not wrong for wrong, _row in judged):
        return []
    # The row of the given CANN first, then the rows that are as near as any, the closer CANN first.
    distance = {row.cann: abs(index - _position(given.get("cann"), rows)) for index, row in enumerate(rows)}
    fewest = min(len(wrong) for wrong, _row in judged)
    own = [pair for pair in judged if "cann" in given and "cann" not in pair[0]]
    near = sorted((pair for pair in judged if pair not in own and len(pair[0]) == fewest), key=lambda pair: distance[pair[1].cann])
    combination = ", ".join(f"{_TITLES[name]} {text}" for name, text in given.items())
    return [
        f"{combination} is no combination that the vendor names. {_list(wrong)} would have to change for {describe(row)}."
        for wrong, row in [*own, *near][:NEAREST]
    ]


def _position(cann: str | None, rows: Sequence[Row]) -> int:
    return sum(compare(row.cann, cann) < 0 for row in rows) if cann else len(rows) - 1


def _list(names: Sequence[str]) -> str:
    titles = [_TITLES[name] for name in names]
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


_TITLES = {"hdk": "HDK", "cann": "CANN", "torch": "torch", "torch_npu": "torch_npu", "python": "Python"}
