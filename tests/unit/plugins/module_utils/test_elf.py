# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import struct

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _elf
from hypothesis import given, settings
from hypothesis import strategies as st

VERSIONS = ["GLIBCXX_3.4", "GLIBCXX_3.4.9", "GLIBCXX_3.4.32", "CXXABI_1.3.15"]


def library(versions: list[str], order: str = "<", wide: bool = True) -> bytes:
    """A file with nothing but a string table and version definitions; the first definition is the library's own name."""
    strings, definitions = b"\0", b""
    names = ["libstdc++.so.6", *versions]
    for number, name in enumerate(names):
        following = 28 if number < len(names) - 1 else 0
        definitions += struct.pack(f"{order}HHHHIIIII", 1, 1 if number == 0 else 0, number + 1, 1, 0, 20, following, len(strings), 0)
        strings += name.encode() + b"\0"
    header, section = (64, 64) if wide else (52, 40)
    start = header + 3 * section
    tables = [(0, 0, 0, 0, 0), (3, start, len(strings), 0, 0), (0x6FFFFFFD, start + len(strings), len(definitions), 1, len(names))]
    head = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + b"\0" * 9
    if wide:
        head += struct.pack(f"{order}HHIQQQIHHHHHH", 3, 183, 1, 0, 0, header, 0, header, 0, 0, section, 3, 1)
        body = b"".join(struct.pack(f"{order}IIQQQQIIQQ", 0, kind, 0, 0, at, size, link, info, 0, 0) for kind, at, size, link, info in tables)
    else:
        head += struct.pack(f"{order}HHIIIIIHHHHHH", 3, 40, 1, 0, 0, header, 0, header, 0, 0, section, 3, 1)
        body = b"".join(struct.pack(f"{order}10I", 0, kind, 0, 0, at, size, link, info, 0, 0) for kind, at, size, link, info in tables)
    return (head + body + strings + definitions).ljust(64, b"\0")


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("wide", [True, False])
def test_versions_are_read_in_every_shape_of_elf(order, wide):
    assert _elf.version_definitions(library(VERSIONS, order, wide)) == VERSIONS


def test_a_library_without_versions_defines_none():
    assert not _elf.version_definitions(library([]))


@pytest.mark.parametrize("data, text", [
    (b"", "no ELF file"),
    (b"#!/bin/sh\n" + b"x" * 100, "no ELF file"),
    (library(VERSIONS)[:300], "truncated"),
])
def test_what_is_no_whole_library_is_refused(data, text):
    with pytest.raises(_elf.ElfError, match=text):
        _elf.version_definitions(data)


def test_versions_are_ordered_by_number():
    assert _elf.highest(VERSIONS, "GLIBCXX") == "GLIBCXX_3.4.32"
    assert _elf.highest(VERSIONS, "CXXABI") == "CXXABI_1.3.15"
    assert _elf.highest(["GLIBCXX_DEBUG_MESSAGE_LENGTH", "CXXABI_1.3"], "GLIBCXX") is None


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(library(VERSIONS)) - 1), st.binary(min_size=1, max_size=8))
def test_damage_is_an_error_or_a_list_of_names(place, noise):
    data = bytearray(library(VERSIONS))
    data[place:place + len(noise)] = noise
    try:
        names = _elf.version_definitions(bytes(data))
    except _elf.ElfError:
        return
    assert all(isinstance(name, str) for name in names)
