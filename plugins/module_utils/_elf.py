# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The symbol versions that a shared library defines, read from its bytes (System V ABI; LSB, "Symbol Versioning")."""

from __future__ import annotations

import re
import struct
import typing as t

_VERSION_DEFINITIONS = 0x6FFFFFFD  # SHT_GNU_verdef
_NUMBERED = re.compile(r"(?P<prefix>[A-Za-z]+)_(?P<number>\d+(?:\.\d+)*)")


class ElfError(ValueError):
    """The bytes are no library that could be read."""


class _Reader:
    def __init__(self, data: bytes) -> None:
        if data[:4] != b"\x7fELF" or len(data) < 64 or data[4] not in (1, 2) or data[5] not in (1, 2):
            raise ElfError("it is no ELF file")
        self.data = data
        self.wide = data[4] == 2
        self.order = "<" if data[5] == 1 else ">"

    def unpack(self, layout: str, offset: int) -> tuple[t.Any, ...]:
        try:
            return struct.unpack_from(self.order + layout, self.data, offset)
        except (struct.error, OverflowError) as error:
            raise ElfError(f"it ends before offset {offset}: truncated") from error

    def name(self, table: tuple[int, int], offset: int) -> str:
        start, size = table
        end = self.data.find(b"\0", start + offset, start + size)
        if offset >= size or end < 0:
            raise ElfError("a name points outside of the string table: damaged")
        return self.data[start + offset : end].decode("ascii", "replace")

    def sections(self) -> list[tuple[int, int, int, int, int]]:
        """Type, offset, size, link and info of every section."""
        offset = self.unpack("Q", 40)[0] if self.wide else self.unpack("I", 32)[0]
        size, count = self.unpack("HH", 58 if self.wide else 46)
        found = []
        for index in range(count):
            place = offset + index * size
            if self.wide:
                _name, kind, _flags, _address, start, length, link, info = self.unpack("IIQQQQII", place)
            else:
                _name, kind, _flags, _address, start, length, link, info = self.unpack("8I", place)
            found.append((kind, start, length, link, info))
        return found


def version_definitions(data: bytes) -> list[str]:
    """Every symbol version that a library defines, such as GLIBCXX_3.4.32, in its own order."""
    reader = _Reader(data)
    sections = reader.sections()
    names = []
    for kind, start, length, link, count in sections:
        if kind != _VERSION_DEFINITIONS:
            continue
        if link >= len(sections):
            raise ElfError("its version definitions have no string table: damaged")
        table = sections[link][1:3]
        place = start
        for _entry in range(min(count, length // 20)):  # a damaged count must not keep the reader busy
            _version, flags, _index, _names, _hash, first, following = reader.unpack("HHHHIII", place)
            if not flags & 1:  # the base definition names the library itself
                names.append(reader.name(table, reader.unpack("I", place + first)[0]))
            if not following:
                break
            place += following
    return names


def highest(versions: t.Iterable[str], prefix: str) -> str | None:
    """The highest version with a prefix, by number: GLIBCXX_3.4.32 is above GLIBCXX_3.4.9."""
    matches = [match for match in map(_NUMBERED.fullmatch, versions) if match and match["prefix"] == prefix]
    return max(matches, key=lambda match: [int(part) for part in match["number"].split(".")]).group() if matches else None
