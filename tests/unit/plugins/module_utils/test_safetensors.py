# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import struct

import numpy
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _safetensors as s


def header_bytes(**tensors):
    """Header of tensors given as name=(dtype, shape, begin, end), padded with blanks as the library does."""
    content = {name: {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]} for name, (dtype, shape, begin, end) in tensors.items()}
    content["__metadata__"] = {"format": "pt"}
    raw = json.dumps(content).encode()
    return raw + b" " * (-len(raw) % 8)


def test_the_header_gives_tensors_and_the_size_of_the_file():
    raw = header_bytes(a=("I8", [4, 3], 0, 12), b=("F32", [], 12, 16), c=("BF16", [0], 16, 16))
    header = s.parse_header(raw)
    assert header.tensors == {"a": ("I8", (4, 3), 0, 12), "b": ("F32", (), 12, 16), "c": ("BF16", (0,), 16, 16)}
    assert header.size == 8 + len(raw)
    assert header.file_size == 8 + len(raw) + 16


@pytest.mark.parametrize("start, size, error, text", [
    (b"", 0, s.TruncatedError, "0 bytes"),
    (b"\x10\x00\x00", 3, s.TruncatedError, "3 bytes"),
    (struct.pack("<Q", 1000), 500, s.TruncatedError, "500 bytes, which end inside a header of 1000 bytes"),
    (struct.pack("<Q", 1), 500, s.WeightsFormatError, "a header length of 1 bytes"),
    (struct.pack("<Q", 100_000_001), 2**40, s.WeightsFormatError, "no safetensors file"),
    (b"version ", 134, s.WeightsFormatError, "a Git LFS pointer"),
])
def test_a_start_that_is_no_header(start, size, error, text):
    with pytest.raises(error, match=text):
        s.header_length(start, size)


@pytest.mark.parametrize("raw, text", [
    (b"{", "not JSON"),
    (b"\xff\xff", "not JSON"),
    (b"[]", "no JSON object"),
    (b'{"\\ud800": 1}', "not JSON"),
    (b'{"a": {"dtype": "I8", "shape": 3, "data_offsets": [0, 3]}}', "tensor a whose dtype and shape do not fit"),
    (b'{"a": 1}', "tensor a without valid data_offsets"),
    (b'{"a": {"dtype": "I8", "shape": [2], "data_offsets": [2, 0]}}', "without valid data_offsets"),
    (b'{"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, -2]}}', "without valid data_offsets"),
    (b'{"a": {"shape": [2], "data_offsets": [0, 2]}}', "tensor a without a dtype"),
    (b'{"a": {"dtype": 1, "shape": [2], "data_offsets": [0, 2]}}', "tensor a without a dtype"),
    (header_bytes(a=("i8", [4], 0, 4)), "tensor a of the unknown type i8"),
    (header_bytes(a=("I4", [8], 0, 4)), "tensor a of the unknown type I4"),
    (header_bytes(a=("F4", [99], 0, 4)), "tensor a whose dtype and shape do not fit its 4 bytes"),
    (header_bytes(a=("F4", [7], 0, 4)), "tensor a whose dtype and shape do not fit its 4 bytes"),
    (header_bytes(a=("I8", [2**63, 2**63, 0], 0, 0)), "tensor a whose dtype and shape do not fit its 0 bytes"),
    (header_bytes(a=("I8", [2**64, 0], 0, 0)), "tensor a whose dtype and shape do not fit its 0 bytes"),
    (b'{"__metadata__": {"x": 1}}', "a __metadata__ that is no mapping"),
    (b'{"__metadata__": {"x": {}}}', "a __metadata__ that is no mapping"),
    (b'{"__metadata__": []}', "a __metadata__ that is no mapping"),
    (b'{"__metadata__": {}, "__metadata__": {}}', "two __metadata__"),
    (b'{"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2], "x": NaN}}', "not JSON"),
    (header_bytes(a=("F16", [4], 0, 4)), "tensor a whose dtype and shape do not fit its 4 bytes"),
    (header_bytes(a=("I8", [4], 0, 4), b=("I8", [4], 5, 9)), "tensor b at offset 5, expected 4"),
    (header_bytes(a=("I8", [4], 0, 4), b=("I8", [4], 2, 6)), "tensor b at offset 2, expected 4"),
])
def test_a_header_that_does_not_hold_together(raw, text):
    with pytest.raises(s.WeightsFormatError, match=text):
        s.parse_header(raw)
    # Nor does the library read it, with as much data as it may want.
    for size in range(16):
        with pytest.raises(safetensors.SafetensorError):
            safetensors.deserialize(struct.pack("<Q", len(raw)) + raw + bytes(size))


@pytest.mark.parametrize("raw", [
    header_bytes(a=("F4", [8], 0, 4)),
    header_bytes(a=("F6_E2M3", [4], 0, 3)),
    header_bytes(a=("I8", [0, 2**63, 2**63], 0, 0)),
    b'{"__metadata__": null}',
    b'{"__metadata__": {"__metadata__": "__metadata__"}}',
    b'{"a": {"dtype": "I8", "shape": [2], "data_offsets": [0, 2], "x": 1}, "a": {"dtype": "I8", "shape": [3], "data_offsets": [0, 3]}}',
])
def test_a_header_that_the_library_takes(raw):
    header = s.parse_header(raw)
    assert dict(safetensors.deserialize(struct.pack("<Q", len(raw)) + raw + bytes(header.file_size - header.size))).keys() == header.tensors.keys()


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["I8", "BF16", "F32", "C64"]), st.lists(st.integers(0, 5), max_size=3)), max_size=6))
def test_any_well_formed_header_is_accepted(shapes):
    end, tensors = 0, {}
    for number, (dtype, shape) in enumerate(shapes):
        size = {"I8": 1, "BF16": 2, "F32": 4, "C64": 8}[dtype]
        for dimension in shape:
            size *= dimension
        tensors[f"t{number}"] = (dtype, shape, end, end + size)
        end += size
    raw = header_bytes(**tensors)
    assert s.header_length(struct.pack("<Q", len(raw)), 8 + len(raw) + end) == len(raw)
    assert s.parse_header(raw).file_size == 8 + len(raw) + end


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=64), st.integers(0, 2**41))
def test_no_bytes_raise_anything_else(data, size):
    for call in (lambda: s.header_length(data[:8], size), lambda: s.parse_header(data)):
        try:
            call()
        except s.WeightsFormatError:
            pass


@settings(max_examples=100, deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "x"]), inner), max_leaves=8))
def test_no_json_raises_anything_else(value):
    try:
        s.parse_header(json.dumps({"a": value}).encode())
    except s.WeightsFormatError:
        pass


NUMPY_TYPES = {"U64": "uint64", "I64": "int64", "F64": "float64", "F32": "float32", "U32": "uint32", "I32": "int32", "F16": "float16", "U16": "uint16",
               "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool", "C64": "complex64"}


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5).filter(lambda name: name != "__metadata__"),
    st.tuples(st.sampled_from(sorted(NUMPY_TYPES)), st.lists(st.integers(0, 3), max_size=3)), max_size=8))
def test_headers_are_written_and_read_as_by_the_library(content):
    """Names with quotes, control characters and any letters, every type that numpy has, in the library's own order."""
    data = safetensors.numpy.save({name: numpy.zeros(shape, NUMPY_TYPES[dtype]) for name, (dtype, shape) in content.items()})
    length = s.header_length(data[:8], len(data))
    header = s.parse_header(data[8:8 + length])
    assert {name: (tensor.dtype, list(tensor.shape)) for name, tensor in header.tensors.items()} == content
    assert header.file_size == len(data)
    ordered = sorted(header.tensors, key=lambda name: (s.DTYPE_ORDER.index(header.tensors[name].dtype), name))
    assert s.render_header({name: header.tensors[name] for name in ordered}) == data[:8 + length]


def test_the_order_of_types_is_that_of_the_library():
    # Every type that the installed library writes, each under a name that would sort the other way round.
    names = ["uint64", "int64", "float64", "complex64", "float32", "uint32", "int32", "bfloat16", "float16", "uint16", "int16", "float8_e5m2fnuz",
             "float8_e4m3fnuz", "float8_e8m0fnu", "float8_e4m3fn", "float8_e5m2", "int8", "uint8", "float4_e2m1fn_x2", "bool"]
    data = numpy.zeros(64, "uint8")
    widths = {"64": 8, "32": 4, "16": 2}
    tensors = {}
    for number, name in enumerate(names):
        width = next((width for tail, width in widths.items() if name.endswith(tail)), 1)
        tensors[f"t{99 - number}"] = safetensors.TensorSpec(dtype=name, shape=[4], data_ptr=data.ctypes.data, data_len=4 * width)
    data = safetensors.serialize(dict(reversed(tensors.items())))
    header = json.loads(data[8:8 + int.from_bytes(data[:8], "little")])
    assert [entry["dtype"] for entry in header.values()] == list(s.DTYPE_ORDER)


def test_a_lengthened_header_is_read_alike():
    data = safetensors.numpy.save({"a": numpy.arange(6, dtype="int16")})
    length = s.header_length(data[:8], len(data))
    longer = s.pad_header(data[:8 + length], 4088) + data[8 + length:]
    assert len(longer) == len(data) + 4088
    assert safetensors.numpy.load(longer)["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert s.parse_header(longer[8:8 + s.header_length(longer[:8], len(longer))]).size == 8 + length + 4088
