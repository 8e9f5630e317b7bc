# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The manifest of a model: path, size and SHA-256 of every file, and how a directory compares with it. Pure functions, no I/O."""

from __future__ import annotations

import json
import posixpath
import re
import typing as t
from dataclasses import dataclass, field

VERSION = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
# The two-space format of sha256sum; an asterisk marks a binary file, a backslash in front an escaped name.
_SUM_LINE = re.compile(r"(\\?)([0-9a-fA-F]{64})[ \t][ *](.+)")
# What downloads leave behind while they run.
_UNFINISHED = (".incomplete", ".part", ".aria2", ".parts")


class ManifestError(ValueError):
    """A manifest is not what it should be; the message says what was found and what to do."""


class File(t.NamedTuple):
    size: int
    sha256: str


class Stat(t.NamedTuple):
    """What the file system tells of a file without reading it; allocated is less than size where a file has holes."""

    size: int
    mtime_ns: int
    allocated: int


@dataclass(frozen=True)
class Manifest:
    files: dict[str, File]
    # Where the files came from, in the words of the one who made the manifest.
    source: str = ""

    @property
    def total_bytes(self) -> int:
        return sum(file.size for file in self.files.values())


def is_plain_path(path: t.Any) -> bool:
    """True for a relative path that stays in its folder and has no hidden part."""
    if not isinstance(path, str) or not path or "\0" in path or "\\" in path or posixpath.normpath(path) != path or path.startswith("/"):
        return False
    return not any(part.startswith(".") for part in path.split("/"))


def belongs(path: str) -> bool:
    """True for what is part of the model: caches and notes of the hubs' clients are hidden, unfinished downloads are named so."""
    return is_plain_path(path) and not path.endswith(_UNFINISHED)


def render(manifest: Manifest) -> str:
    files = [{"path": path, "size": file.size, "sha256": file.sha256} for path, file in sorted(manifest.files.items())]
    return json.dumps({"version": VERSION, "source": manifest.source, "files": files}, indent=1, ensure_ascii=False) + "\n"


def parse(text: str) -> Manifest:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"The manifest is no JSON ({error}). Remove it, and let it be made again.") from None
    if not isinstance(content, dict) or content.get("version") != VERSION or not isinstance(content.get("files"), list):
        raise ManifestError(f"The manifest is no object with version {VERSION} and a list of files. Remove it, and let it be made again.")
    files: dict[str, File] = {}
    for entry in content["files"]:
        fields = entry if isinstance(entry, dict) else {}
        path, size, digest = fields.get("path"), fields.get("size"), fields.get("sha256")
        sound = isinstance(size, int) and not isinstance(size, bool) and size >= 0 and isinstance(digest, str) and _SHA256.fullmatch(digest)
        if not sound or not is_plain_path(path) or path in files:
            raise ManifestError(
                f"The manifest has the entry {json.dumps(entry)[:200]}, expected path, size and sha256 of a file in the folder, each file once. Remove it."
            )
        files[path] = File(size, digest)
    source = content.get("source", "")
    return Manifest(files, source if isinstance(source, str) else "")


def parse_sums(text: str) -> dict[str, str]:
    """Read what ``sha256sum`` prints; gives the digest of each path."""
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _SUM_LINE.fullmatch(line)
        path = match[3] if match else ""
        path = path[2:] if path.startswith("./") else path
        if not match or match[1] or not is_plain_path(path):
            raise ManifestError(f"Line {number} of the checksums is {line[:120]!r}, expected 64 hexadecimal digits, two blanks and a path in the folder.")
        if sums.setdefault(path, match[2].lower()) != match[2].lower():
            raise ManifestError(f"Line {number} of the checksums gives {path} a second, different sum. Keep the right one.")
    return sums


# What is known of a file whose data was read before: (size, time of change, digest).
Known = t.Dict[str, t.Tuple[int, int, str]]


def render_known(known: Known) -> str:
    return json.dumps({path: list(entry) for path, entry in sorted(known.items())})


def parse_known(text: str) -> Known:
    """Read the notes of an earlier check; whatever is not sound is left out, and its file read again."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    known: Known = {}
    for path, entry in content.items() if isinstance(content, dict) else ():
        numbers = entry[:2] if isinstance(entry, list) and len(entry) == 3 else [None]
        if all(isinstance(part, int) and not isinstance(part, bool) for part in numbers) and isinstance(entry[2], str):
            known[path] = (entry[0], entry[1], entry[2])
    return known


@dataclass(frozen=True)
class Comparison:
    missing: list[str] = field(default_factory=list)
    wrong_size: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    # Of the right size, and not read since they were last changed.
    unread: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not (self.missing or self.wrong_size or self.damaged or self.unread)


def compare(manifest: Manifest, found: t.Mapping[str, Stat], known: Known) -> Comparison:
    """Compare a directory with its manifest by names, sizes, and the digests known for exactly these sizes and times of change."""
    result = Comparison(extra=sorted(set(found) - set(manifest.files)))
    for path, file in sorted(manifest.files.items()):
        stat = found.get(path)
        size, mtime_ns, digest = known.get(path, (-1, -1, ""))
        if stat is None:
            result.missing.append(path)
        elif stat.size != file.size:
            result.wrong_size.append(path)
        elif (stat.size, stat.mtime_ns) != (size, mtime_ns):
            result.unread.append(path)
        elif digest != file.sha256:
            result.damaged.append(path)
    return result


def present_bytes(manifest: Manifest, found: t.Mapping[str, Stat]) -> int:
    """Bytes of the model that already take their place on the disk."""
    return sum(min(found[path].allocated, file.size) for path, file in manifest.files.items() if path in found)
