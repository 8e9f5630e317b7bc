# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The GGUF file format (ggml-org/ggml, docs/gguf.md): metadata and tensor list of one open file."""

from __future__ import annotations

import math
import os
import struct
import typing as t
from dataclasses import dataclass

MAGIC = b"GGUF"
# Version 1 had 32-bit lengths; 2 and 3 differ in nothing that is read here. Newer ones are read as 3, as kTransformers does.
VERSIONS = (2, 3)
MAX_DIMENSIONS = 8
MAX_NAME_BYTES = 65_536
MAX_NESTING = 8
DEFAULT_ALIGNMENT = 32

STRING, ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}

# ggml type: (name, elements of a block, bytes of a block); the types that kTransformers knows.
TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
}

Value = t.Union[int, float, bool, str]


class GgufError(ValueError):
    """The file is no GGUF file that can be read, or not a whole one; the message names the fault."""


@dataclass(frozen=True)
class Tensor:
    name: str
    # Fastest dimension first.
    dimensions: tuple[int, ...]
    type: int
    # From the beginning of the file.
    offset: int

    @property
    def size(self) -> int | None:
        """Bytes of the data; None for a type that is not in the table."""
        if self.type not in TYPES:
            return None
        _name, elements, size = TYPES[self.type]
        return math.prod(self.dimensions) * size // elements


@dataclass(frozen=True)
class Gguf:
    version: int
    # Without arrays: the vocabulary of the tokenizer is skipped.
    metadata: dict[str, Value]
    tensors: tuple[Tensor, ...]


class _Reader:
    def __init__(self, stream: t.BinaryIO, size: int) -> None:
        self.stream = stream
        self.size = size

    def take(self, length: int) -> bytes:
        data = self.stream.read(length)
        if len(data) != length:
            raise GgufError(f"{self.size} bytes, which end inside the header")
        return data

    def number(self, form: str) -> t.Any:
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def count(self, smallest: int) -> int:
        """Read how many items follow; each takes at least that many bytes, which unmasks absurd numbers."""
        count = self.number("<Q")
        if count * smallest > self.size - self.stream.tell():
            raise GgufError(f"{self.size} bytes, which end inside the header (or {count} at byte {self.stream.tell() - 8} is no count)")
        return count

    def skip(self, length: int) -> None:
        self.stream.seek(length, os.SEEK_CUR)

    def string(self, longest: int) -> str:
        length = self.count(1)
        if length > longest:
            self.skip(length)
            return ""
        return self.take(length).decode("utf-8", errors="replace")

    def name(self) -> str:
        name = self.string(MAX_NAME_BYTES)
        if not name:
            raise GgufError(f"an empty or overlong name before byte {self.stream.tell()}")
        return name

    def value(self, kind: int) -> Value | None:
        if kind == STRING:
            return self.string(MAX_NAME_BYTES)
        if kind == ARRAY:
            self.skip_array()
            return None
        return self.number(self.scalar(kind))

    def scalar(self, kind: int) -> str:
        if kind not in _SCALARS:
            raise GgufError(f"the unknown value type {kind} before byte {self.stream.tell()}")
        return _SCALARS[kind]

    def skip_array(self, depth: int = 1) -> None:
        kind = self.number("<I")
        if kind == STRING:
            for _item in range(self.count(8)):
                self.skip(self.count(1))
        elif kind == ARRAY:
            if depth == MAX_NESTING:
                raise GgufError(f"arrays nested deeper than {MAX_NESTING}")
            for _item in range(self.count(12)):
                self.skip_array(depth + 1)
        else:
            width = struct.calcsize(self.scalar(kind))
            self.skip(self.count(width) * width)


def parse(stream: t.BinaryIO, size: int) -> Gguf:
    """Read the header of a GGUF file of this size, and check that the data of each tensor of a known type is there."""
    reader = _Reader(stream, size)
    start = stream.read(8)
    if start == b"version ":
        raise GgufError("a Git LFS pointer instead of the weights")
    if not start.startswith(MAGIC):
        raise GgufError(f"begins with {start[:4]!r}, expected {MAGIC!r}; this is no GGUF file")
    if len(start) < 8:
        raise GgufError(f"{size} bytes, which end inside the header")
    version = int.from_bytes(start[4:], "little")
    if version and not version & 0xFFFF:
        raise GgufError("a big-endian GGUF file, expected little-endian")
    if version < min(VERSIONS):
        raise GgufError(f"GGUF version {version}, expected 2 or 3")
    tensor_count, value_count = reader.count(24), reader.count(13)
    metadata: dict[str, Value] = {}
    for _item in range(value_count):
        key = reader.name()
        value = reader.value(reader.number("<I"))
        if value is not None:
            metadata[key] = value
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if not isinstance(alignment, int) or alignment <= 0:
        raise GgufError(f"general.alignment {alignment!r}, expected a positive number")
    entries = [_entry(reader) for _item in range(tensor_count)]
    end = stream.tell()
    tensors = []
    for name, dimensions, kind, relative in entries:
        # Aligned is the sum, as kTransformers does it; the same for every file whose offsets are aligned as they must be.
        tensor = Tensor(name, dimensions, kind, -(-(end + relative) // alignment) * alignment)
        tensors.append(tensor)
        # An empty tensor at the end needs no padding before it.
        if tensor.size != 0 and tensor.offset + (tensor.size or 0) > size:
            raise GgufError(f"{size} bytes, but tensor {name} reaches to byte {tensor.offset + (tensor.size or 0)}: the file is truncated")
    if len({tensor.name for tensor in tensors}) != len(tensors):
        raise GgufError("one tensor name twice")
    return Gguf(version, metadata, tuple(tensors))


def _entry(reader: _Reader) -> tuple[str, tuple[int, ...], int, int]:
    name = reader.name()
    count = reader.number("<I")
    if count > MAX_DIMENSIONS:
        raise GgufError(f"tensor {name} of {count} dimensions")
    dimensions = tuple(reader.number("<Q") for _item in range(count))
    return name, dimensions, reader.number("<I"), reader.number("<Q")
