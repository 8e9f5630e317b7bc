# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import struct

import gguf
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _gguf as g


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def entry(name, dimensions, kind, offset):
    return text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, offset)


def file_bytes(values=(), tensors=(), data=b"", version=3):
    """A GGUF file by hand; values are (key, type, encoded)."""
    raw = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    raw += b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in values)
    return raw + b"".join(entry(*tensor) for tensor in tensors) + data


def parse(data):
    return g.parse(io.BytesIO(data), len(data))


@pytest.mark.parametrize("kind, encoded, value", [
    (0, b"\xff", 255), (1, b"\xff", -1), (2, b"\x01\x02", 513), (3, b"\xff\xff", -1), (4, b"\x01\0\0\0", 1), (5, b"\xfe\xff\xff\xff", -2),
    (6, struct.pack("<f", 0.5), 0.5), (7, b"\x01", True), (8, text("deepseek2"), "deepseek2"), (10, struct.pack("<Q", 2**40), 2**40),
    (11, struct.pack("<q", -(2**40)), -(2**40)), (12, struct.pack("<d", 0.25), 0.25),
])
def test_every_type_of_value(kind, encoded, value):
    assert parse(file_bytes([("a", kind, encoded), ("end", 8, text("x"))])).metadata == {"a": value, "end": "x"}


@pytest.mark.parametrize("encoded", [
    struct.pack("<IQ", 4, 3) + bytes(12),
    struct.pack("<IQ", 8, 2) + text("token") + text(""),
    struct.pack("<IQ", 9, 2) + struct.pack("<IQ", 0, 1) + b"x" + struct.pack("<IQ", 8, 1) + text("y"),
])
def test_arrays_are_skipped(encoded):
    assert parse(file_bytes([("a", 9, encoded), ("end", 4, struct.pack("<I", 7))])).metadata == {"end": 7}


# Worked out by hand for a row of 256 elements: blocks times bytes of a block.
@pytest.mark.parametrize("kind, size", [
    (0, 1024), (1, 512), (2, 144), (3, 160), (6, 176), (7, 192), (8, 272), (9, 320), (10, 84), (11, 110), (12, 144), (13, 176), (14, 210), (15, 292),
    (16, 66), (17, 74), (18, 98), (19, 50), (20, 144), (21, 110), (22, 82), (23, 136), (24, 256), (25, 512), (26, 1024), (27, 2048), (28, 2048), (29, 56),
    (30, 512), (34, None), (35, None), (39, None),
])
def test_every_ggml_type(kind, size):
    tensor = parse(file_bytes(tensors=[("t", (256,), kind, 0)], data=bytes(4096))).tensors[0]
    assert tensor.size == size
    # The gguf package says so too.
    if size:
        elements, block = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType(kind)]
        assert 256 // elements * block == size


def test_offsets_are_aligned_from_the_end_of_the_list():
    values = [("general.alignment", 4, struct.pack("<I", 64))]
    tensors = [("a", (32, 2), 0, 0), ("b", (), 0, 256)]
    list_end = len(file_bytes(values, tensors))
    found = parse(file_bytes(values, tensors, bytes(1024))).tensors
    start = (list_end + 63) // 64 * 64
    assert [(tensor.name, tensor.offset, tensor.size) for tensor in found] == [("a", start, 256), ("b", start + 256, 4)]


def test_a_file_of_the_gguf_package(tmp_path):
    writer = gguf.GGUFWriter(tmp_path / "m.gguf", "deepseek2")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    writer.add_block_count(61)
    data = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
    writer.add_tensor("a.weight", data)
    writer.add_tensor("b.weight", data + 1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    raw = (tmp_path / "m.gguf").read_bytes()
    found = parse(raw)
    assert (found.version, found.metadata) == (3, {"general.architecture": "deepseek2", "deepseek2.block_count": 61})
    assert [(tensor.name, tensor.dimensions, tensor.type) for tensor in found.tensors] == [("a.weight", (3, 2), 0), ("b.weight", (3, 2), 0)]
    assert [raw[tensor.offset:tensor.offset + tensor.size] for tensor in found.tensors] == [data.tobytes(), (data + 1).tobytes()]
    for size in range(len(raw)):
        # The last bytes are padding, which nobody needs.
        if size >= found.tensors[1].offset + 24:
            break
        with pytest.raises(g.GgufError):
            parse(raw[:size])


@pytest.mark.parametrize("data, message", [
    (b"", "expected b'GGUF'"), (b"GGML\0\0\0\0", "no GGUF file"), (b"version https://git-lfs", "Git LFS pointer"), (b"GGUF\x03", "end inside the header"),
    (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "GGUF version 1, expected 2 or 3"), (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "a big-endian GGUF file"),
    (b"GGUF" + struct.pack("<IQQ", 0, 0, 0), "GGUF version 0, expected 2 or 3"), (b"GGUF" + struct.pack(">IQQ", 4, 0, 0), "a big-endian GGUF file"),
    (b"GGUF" + struct.pack("<IQQ", 3, 2**60, 0), "is no count"), (file_bytes([("a", 13, b"")]), "unknown value type 13"),
    (file_bytes([("", 0, b"x")], data=bytes(8)), "an empty or overlong name"), (file_bytes([("a", 8, struct.pack("<Q", 2**40))]), "is no count"),
    (file_bytes([("general.alignment", 4, bytes(4))]), "general.alignment 0"),
    (file_bytes([("a", 9, struct.pack("<IQ", 9, 1) * 8 + struct.pack("<IQ", 0, 0) + bytes(12))]), "nested deeper than 8"),
    (file_bytes(tensors=[("t", (9,), 0, 0)], data=bytes(32)), "tensor t reaches to byte 100: the file is truncated"),
    (file_bytes(tensors=[("t", (1,) * 9, 0, 0)]), "tensor t of 9 dimensions"),
    (file_bytes(tensors=[("t", (1,), 0, 0), ("t", (1,), 0, 0)], data=bytes(64)), "one tensor name twice"),
])
def test_files_that_are_none(data, message):
    with pytest.raises(g.GgufError, match=message):
        parse(data)


@pytest.mark.parametrize("version", [2, 4])
def test_other_versions_are_read_alike(version):
    found = parse(file_bytes([("a", 0, b"\x01")], version=version))
    assert (found.version, found.metadata) == (version, {"a": 1})


def test_an_empty_tensor_at_the_end_needs_no_padding():
    tensor = parse(file_bytes(tensors=[("t", (0,), 0, 0)])).tensors[0]
    assert tensor.size == 0
    with pytest.raises(g.GgufError, match="truncated"):
        parse(file_bytes(tensors=[("t", (1,), 0, 0)]))


VALUE = st.one_of(
    st.tuples(st.just(0), st.integers(0, 255)), st.tuples(st.just(5), st.integers(-(2**31), 2**31 - 1)), st.tuples(st.just(7), st.booleans()),
    st.tuples(st.just(8), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)), st.tuples(st.just(10), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(12), st.floats(allow_nan=False)),
)


def encode(kind, value):
    if kind == 8:
        return struct.pack("<Q", len(value.encode())) + value.encode()
    return struct.pack({0: "<B", 5: "<i", 7: "<?", 10: "<Q", 12: "<d"}[kind], value)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text("abc.", min_size=1, max_size=5), VALUE, max_size=6))
def test_any_metadata_is_read(values):
    found = parse(file_bytes([(key, kind, encode(kind, value)) for key, (kind, value) in values.items()]))
    assert found.metadata == {key: value for key, (_kind, value) in values.items()}


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 90), st.binary(max_size=4))
def test_no_bytes_raise_anything_else(tail, place, patch):
    good = file_bytes([("a", 9, struct.pack("<IQ", 8, 1) + text("x")), ("general.alignment", 4, struct.pack("<I", 8))], [("t", (2, 2), 0, 0)], bytes(32))
    for data in (b"GGUF\x03\0\0\0" + tail, good[:place] + patch + good[place + len(patch):]):
        try:
            parse(data)
        except g.GgufError:
            pass
