# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The safetensors file format (huggingface/safetensors, README "Format"): headers read and made. Pure functions, no I/O."""

from __future__ import annotations

import json
import typing as t

# The safetensors library refuses larger headers.
MAX_HEADER_BYTES = 100_000_000

# The library puts tensors of the first type first, so that data stays aligned without gaps.
DTYPE_ORDER = (
    "U64", "I64", "F64", "C64", "F32", "U32", "I32", "BF16", "F16", "U16", "I16",
    "F8_E5M2FNUZ", "F8_E4M3FNUZ", "F8_E8M0", "F8_E4M3", "F8_E5M2", "I8", "U8", "F4", "BOOL",
)
# Every type that the library reads.
_DTYPE_BITS = {
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32, "U64": 64, "I64": 64, "F64": 64, "C64": 64,
}
_METADATA = "__metadata__"
_U64 = 2**64


class WeightsFormatError(ValueError):
    """A file is not what its name says; the message names the fault."""


class TruncatedError(WeightsFormatError):
    """The file ends before its header does."""


class Tensor(t.NamedTuple):
    """One entry of a header; begin and end count from the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


class Header(t.NamedTuple):
    tensors: dict[str, Tensor]
    # Length with the eight bytes in front, which is where the data begins.
    size: int
    file_size: int


def header_length(start: bytes, size: int) -> int:
    """Return the length of the header from the first eight bytes of a safetensors file of this size."""
    if len(start) < 8:
        raise TruncatedError(f"{size} bytes, but a safetensors file begins with an 8-byte length")
    if start.startswith(b"version "):
        raise WeightsFormatError("a Git LFS pointer instead of the weights")
    length = int.from_bytes(start[:8], "little")
    if not 2 <= length <= MAX_HEADER_BYTES:
        raise WeightsFormatError(f"a header length of {length} bytes, expected 2 to {MAX_HEADER_BYTES}; this is no safetensors file")
    if size < 8 + length:
        raise TruncatedError(f"{size} bytes, which end inside a header of {length} bytes")
    return length


def parse_header(header: bytes) -> Header:
    """Parse the JSON header; tensors come in the order of their names, as the library lists them."""
    try:
        text = header.decode("utf-8")
        entries = json.loads(text, parse_constant=_refuse_constant)
        # JSON can name half a surrogate pair, UTF-8 cannot.
        "".join(entries if isinstance(entries, dict) else ()).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise WeightsFormatError(f"a header that is not JSON ({error})") from None
    if not isinstance(entries, dict):
        raise WeightsFormatError("a header that is no JSON object")
    _check_metadata(text, entries)
    tensors = {name: _tensor(name, entries[name]) for name in sorted(entries) if name != _METADATA}
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != end:
            raise WeightsFormatError(f"tensor {name} at offset {tensor.begin}, expected {end}: the data has a gap or an overlap")
        end = tensor.end
    return Header(tensors, 8 + len(header), 8 + len(header) + end)


def _refuse_constant(name: str) -> t.NoReturn:
    raise ValueError(f"the value {name}")


def _check_metadata(text: str, entries: t.Mapping[str, t.Any]) -> None:
    metadata = entries.get(_METADATA)
    if metadata is not None and not (isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())):
        raise WeightsFormatError(f"a {_METADATA} that is no mapping of texts to texts, which no library reads")
    # Of a tensor that comes twice the library takes the last one, as Python does.
    if text.count(f'"{_METADATA}"') > 1 and _top_names(text).count(_METADATA) > 1:
        raise WeightsFormatError(f"two {_METADATA}, which no library reads")


def _top_names(text: str) -> list[str]:
    try:
        return [name for name, _value in json.loads(text, object_pairs_hook=list)]
    except RecursionError as error:
        raise WeightsFormatError(f"a header that is not JSON ({error})") from None


def _tensor(name: str, entry: t.Any) -> Tensor:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not _is_sizes(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise WeightsFormatError(f"tensor {name} without valid data_offsets")
    dtype, shape = entry.get("dtype"), entry.get("shape")
    if not isinstance(dtype, str):
        raise WeightsFormatError(f"tensor {name} without a dtype")
    if dtype not in _DTYPE_BITS:
        raise WeightsFormatError(f"tensor {name} of the unknown type {dtype[:40]}")
    if not _is_sizes(shape) or _bits(shape, _DTYPE_BITS[dtype]) != 8 * (offsets[1] - offsets[0]):
        raise WeightsFormatError(f"tensor {name} whose dtype and shape do not fit its {offsets[1] - offsets[0]} bytes")
    return Tensor(dtype, tuple(shape), offsets[0], offsets[1])


def _bits(shape: t.Sequence[int], item: int) -> int:
    """Return the size of the data; -1 where the library would overflow on the way, even if a later dimension is 0."""
    size = 1
    for factor in (*shape, item):
        size *= factor
        if size >= _U64:
            return -1
    return size


def _is_sizes(value: t.Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, int) and not isinstance(item, bool) and 0 <= item < _U64 for item in value)


def render_header(tensors: t.Mapping[str, Tensor]) -> bytes:
    """Return length and header as the library writes them, for tensors in the order of their data."""
    content = {name: {"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": (tensor.begin, tensor.end)} for name, tensor in tensors.items()}
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return pad_header(len(text).to_bytes(8, "little") + text, -len(text) % 8)


def pad_header(header: bytes, blanks: int) -> bytes:
    """Lengthen a header by blanks; every reader skips them."""
    return (len(header) - 8 + blanks).to_bytes(8, "little") + header[8:] + b" " * blanks
