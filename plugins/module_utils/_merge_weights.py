# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One folder of shards from safetensors and GGUF, as kTransformers' merge_safetensor_gguf.py lays it out. Pure functions, no I/O.

The script is the one of the branch that supports NPUs (cen121212/ktransformers, support-npu, merge_tensors/). The routed experts
come from the GGUF files as raw blocks, everything else from the safetensors files, all under the names of GGUF.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.npuops.ascend.plugins.module_utils import _gguf, _safetensors

W8A8, FP8 = "w8a8", "fp8"
PLAIN, REFLINK = "plain", "reflink"
# Block size of the file systems that share blocks.
BLOCK = 4096
# Of the widest element in a safetensors file.
ALIGNMENT = 8
QUANTIZE = "w8a8_dynamic"
MAX_PARTS = 100_000

_EXPERT = ".mlp.experts."
# The MTP layer of DeepSeek-V3, which the script leaves out of FP8 weights only.
_FP8_DROPPED = "model.layers.61"
_LAYER = re.compile(r"\.layers\.(\d+)\.")
# DeepSeek's own weights count 00001-of-000163.
_SPLIT_NAME = re.compile(r"(.+)-([0-9]{5,6})-of-([0-9]{5,6})\.(?:gguf|safetensors)")
_GGUF_EXPERTS = re.compile(r"blk\.(\d+)\.ffn_(gate|up|down)_exps\.weight")

_MIXTRAL = re.compile(r"model\.layers\.(\d+)\.block_sparse_moe\.experts\.(\d+)\.(w[123])\.weight")
_MIXTRAL_NAMES = {"w1": "gate", "w2": "down", "w3": "up"}
# Plain replacements of every occurrence; the order matters.
_NAMES = (
    ("lm_head.", "output."),
    ("model.embed_tokens.", "token_embd."),
    ("model.norm.", "output_norm."),
    ("model.layers.", "blk."),
    (".input_layernorm", ".attn_norm"),
    (".mlp.down_proj", ".ffn_down"),
    (".mlp.gate_proj", ".ffn_gate"),
    (".mlp.up_proj", ".ffn_up"),
    (".post_attention_layernorm", ".ffn_norm"),
    (".self_attn.q_proj", ".attn_q"),
    (".self_attn.k_proj", ".attn_k"),
    (".self_attn.v_proj", ".attn_v"),
    (".self_attn.o_proj", ".attn_output"),
    (".self_attn.qkv_proj", ".attn_qkv"),
    (".self_attn.kv_a_proj_with_mqa", ".attn_kv_a_mqa"),
    (".self_attn.kv_a_layernorm", ".attn_kv_a_norm"),
    (".self_attn.kv_b_proj", ".attn_kv_b"),
    (".self_attn.q_a_proj", ".attn_q_a"),
    (".self_attn.q_a_layernorm", ".attn_q_a_norm"),
    (".self_attn.q_b_proj", ".attn_q_b"),
    (".self_attn.q_norm", ".attn_q_norm"),
    (".self_attn.k_norm", ".attn_k_norm"),
    (".shared_expert.", ".shared_experts."),
    (".shared_expert_", ".shared_experts_"),
    # The script loses the dot here.
    (".gate_up_proj.", ".up_proj"),
    (".mlp.shared_experts.down_proj", ".ffn_down_shexp"),
    (".mlp.gate.e_score_correction_bias", ".exp_probs_b.bias"),
    (".mlp.gate", ".ffn_gate_inp"),
    (".mlp.shared_experts.gate_proj", ".ffn_gate_shexp"),
    (".mlp.shared_experts.up_proj", ".ffn_up_shexp"),
    (".mlp.shared_experts_gate", ".ffn_gate_inp_shexp"),
    (".mlp.experts", ""),
    (".block_sparse_moe.gate.", ".ffn_gate_inp."),
    (".block_sparse_moe.experts", ""),
    (".feed_forward.experts", ""),
    (".feed_forward.router", ".ffn_gate_inp"),
    (".feed_forward.shared_experts.down_proj", ".ffn_down_shexp"),
    (".feed_forward.shared_experts.gate_proj", ".ffn_gate_shexp"),
    (".feed_forward.shared_experts.up_proj", ".ffn_up_shexp"),
    (".up_proj.", ".ffn_up_exps."),
    (".down_proj.", ".ffn_down_exps."),
    (".gate_proj.", ".ffn_gate_exps."),
    (".ffn_gate_inp.e_score_correction_bias", ".exp_probs_b.bias"),
)


class MergeError(ValueError):
    """The inputs cannot be merged; the message says what was found, what was expected and what to do."""


def rename(key: str) -> str:
    """Return the name that a tensor of the safetensors files has in GGUF."""
    name = _MIXTRAL.sub(lambda match: f"blk.{match[1]}.ffn_{_MIXTRAL_NAMES[match[3]]}.{match[2]}.weight", key)
    for old, new in _NAMES:
        name = name.replace(old, new)
    return name


def collapse(key: str) -> str:
    """Leave the number of the expert out of a key: all experts of a layer are one tensor in GGUF."""
    parts = key.split(".")
    return ".".join(parts[:5] + parts[-2:])


def layer_of(key: str) -> int:
    """Return the layer of a key; -1, which comes first, for what belongs to none."""
    match = _LAYER.search(key)
    return int(match[1]) if match else -1


def some(names: t.Sequence[str], limit: int = 10) -> str:
    return ", ".join(names[:limit]) + (f" and {len(names) - limit} more" if len(names) > limit else "")


# The safetensors side


@dataclass(frozen=True, order=True)
class Run:
    """A run of bytes in an input file."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True)
class Stored:
    dtype: str
    shape: tuple[int, ...]
    data: Run


@dataclass
class Selection:
    """The tensors of the output in the script's order, by their key in the safetensors files; None for experts, which come from GGUF.

    Experts are folded while the headers are read: DeepSeek-R1 has 133,000 of their keys and 3,000 others.
    """

    format: str
    sources: dict[str, Stored | None] = field(default_factory=dict)
    experts: dict[str, set[str]] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)
    has_block_scales: bool = False

    @property
    def is_fp8_as_w8a8(self) -> bool:
        return self.format == W8A8 and self.has_block_scales

    def add(self, path: str, header: _safetensors.Header) -> None:
        """Take the tensors of one file; of a key that comes again the later one counts, as in the script."""
        for key, tensor in header.tensors.items():
            if self.format == FP8 and _FP8_DROPPED in key:
                continue
            if _EXPERT in key:
                self._add_expert(key)
                continue
            stored = Stored(tensor.dtype, tensor.shape, Run(path, header.size + tensor.begin, tensor.end - tensor.begin))
            before = self.sources.get(key)
            if before is not None:
                if (before.dtype, before.shape) != (stored.dtype, stored.shape):
                    raise MergeError(
                        f"Tensor {key} is {before.dtype} {list(before.shape)} in {before.data.path} and {stored.dtype} {list(stored.shape)} in {path}: "
                        "two models or quantisations lie in one folder. Give the folder of one."
                    )
                self.repeated.append(key)
            self.sources[key] = stored

    def _add_expert(self, key: str) -> None:
        self.has_block_scales |= ".weight_scale_inv" in key
        dropped = ".weight_scale_inv" in key if self.format == FP8 else "weight_scale" in key or "weight_offset" in key
        if not dropped:
            collapsed = collapse(key)
            self.sources[collapsed] = None
            self.experts.setdefault(collapsed, set()).add(key.partition(_EXPERT)[2].partition(".")[0])

    def expert_problems(self, available: t.Container[str]) -> t.Iterator[str]:
        """Compare the experts that the safetensors files name with those that the GGUF files hold."""
        if not self.sources:
            yield "The safetensors files hold no tensor. Download them again."
            return
        missing = sorted({rename(key) for key in self.experts} - set(available))
        if missing:
            hint = "Take the GGUF files of the same model, all parts of it."
            if self.format == FP8 and any(".weight_offset" in name or name.endswith(".weight_scale") for name in missing):
                hint = "The safetensors files look like W8A8 weights: set format to w8a8."
            elif {layer_of(key) for key in self.experts if rename(key) in missing} == {max(map(layer_of, self.experts))}:
                hint += " If the layer is the MTP layer, which many GGUF files leave out, use safetensors files without it."
            yield f"The GGUF files lack {len(missing)} tensors of experts that the safetensors files name: {', '.join(missing)}. {hint}"


def missing_numbers(names: t.Iterable[str]) -> list[str]:
    """Return the files that the numbers in the names leave out: N files, counted from 0 or from 1."""
    series: dict[tuple[str, str, int], set[int]] = {}
    for name in names:
        match = _SPLIT_NAME.fullmatch(name)
        if match:
            series.setdefault((match[1], f"{match[3]}{name[match.end(3):]}", len(match[2])), set()).add(int(match[2]))
    missing = []
    for (prefix, tail, width), numbers in sorted(series.items()):
        # A count out of all proportion is a broken name, not a list worth making.
        total = min(int(tail.split(".")[0]), MAX_PARTS)
        first = 0 if 0 in numbers else 1
        missing.extend(f"{prefix}-{number:0{width}d}-of-{tail}" for number in range(first, first + total) if number not in numbers)
    return missing


# The GGUF side


@dataclass(frozen=True)
class Block:
    """A tensor of a GGUF file."""

    path: str
    tensor: _gguf.Tensor


def gguf_index(files: t.Mapping[str, _gguf.Gguf]) -> dict[str, Block]:
    """Return the tensors of all files by name; a name in two files means two quantisations, of which the script takes either."""
    index: dict[str, Block] = {}
    for path, content in files.items():
        for tensor in content.tensors:
            other = index.setdefault(tensor.name, Block(path, tensor))
            if other.path != path:
                raise MergeError(
                    f"Tensor {tensor.name} is in {other.path} and in {path}: two quantisations or models lie in one folder. Give the folder of one."
                )
    return index


def split_problems(files: t.Mapping[str, _gguf.Gguf]) -> t.Iterator[str]:
    """Name the parts that are missing, by the file names and by what the parts say of themselves."""
    missing = missing_numbers(files)
    if missing:
        yield f"Parts of a split GGUF are missing: {some(missing)}. Download them."
        return
    parts = {path: content.metadata for path, content in files.items() if _positive(content.metadata.get("split.count")) not in (None, 1)}
    for count in sorted({metadata["split.count"] for metadata in parts.values()}):
        group = {path: metadata.get("split.no") for path, metadata in parts.items() if metadata["split.count"] == count}
        if None in group.values():
            continue
        absent = [str(number + 1) for number in range(min(int(count), MAX_PARTS)) if number not in group.values()]
        if absent:
            yield f"A split GGUF of {count} parts lacks part {some(absent)}; there are {some(sorted(group))}. Download the rest."


def _positive(value: t.Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


# One model


def model_problems(config: t.Mapping[str, t.Any], experts: t.Mapping[str, t.Collection[str]], files: t.Mapping[str, _gguf.Gguf]) -> list[str]:
    """Compare the sizes of the two models, as far as config.json and the GGUF metadata give them."""
    wanted = {name: _positive(config.get(name)) for name in ("num_hidden_layers", "hidden_size", "moe_intermediate_size", "n_routed_experts")}
    found: dict[tuple[str, str, t.Any, t.Any], None] = {}

    def compare(here: str, expected: t.Any, there: str, value: t.Any) -> None:
        if expected is not None and value is not None and expected != value:
            found[here, there, expected, value] = None

    for content in files.values():
        metadata, architecture = content.metadata, content.metadata.get("general.architecture")
        layers = _positive(metadata.get(f"{architecture}.block_count"))
        # Newer GGUF files count the MTP layers, config.json never does.
        if layers and wanted["num_hidden_layers"] and layers - wanted["num_hidden_layers"] not in (0, _positive(config.get("num_nextn_predict_layers"))):
            compare("num_hidden_layers", wanted["num_hidden_layers"], f"{architecture}.block_count", layers)
        for name, there in (("hidden_size", "embedding_length"), ("moe_intermediate_size", "expert_feed_forward_length"), ("n_routed_experts", "expert_count")):
            compare(name, wanted[name], f"{architecture}.{there}", _positive(metadata.get(f"{architecture}.{there}")))
        for tensor in content.tensors:
            match = _GGUF_EXPERTS.fullmatch(tensor.name)
            if match and len(tensor.dimensions) == 3:
                sizes = ("hidden_size", "moe_intermediate_size") if match[2] != "down" else ("moe_intermediate_size", "hidden_size")
                for name, value in zip((*sizes, "n_routed_experts"), tensor.dimensions):
                    compare(name, wanted[name], f"the shape of ffn_{match[2]}_exps", value)
    counts = {rename(key): len(numbers) for key, numbers in experts.items()}
    for content in files.values():
        for tensor in content.tensors:
            # The names say which layers have experts. Those of experts that were not downloaded may be absent.
            if len(tensor.dimensions) == 3 and counts.get(tensor.name, 0) > tensor.dimensions[2]:
                layer = tensor.name.split(".")[1]
                compare(f"experts in the safetensors files (layer {layer})", counts[tensor.name], "experts in the GGUF", tensor.dimensions[2])
    differences = [f"{here} {expected}, but {there} {value}" for here, there, expected, value in found]
    if not differences:
        return []
    return [f"The safetensors and GGUF files are of different models: {some(differences, 5)}. Give two quantisations of one model."]


# Shards


@dataclass(frozen=True)
class Entry:
    """One tensor of the output."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    source: Run | bytes
    expert: bool = False


@dataclass(frozen=True)
class Piece:
    """Where the data of one tensor goes; offset counts from the beginning of the shard."""

    offset: int
    source: Run | bytes

    @property
    def length(self) -> int:
        return self.source.length if isinstance(self.source, Run) else len(self.source)

    @property
    def shareable(self) -> int:
        """Bytes of whole blocks that lie equally in input and shard, so that a file system can share them."""
        if not isinstance(self.source, Run) or (self.offset - self.source.offset) % BLOCK:
            return 0
        head = min(-self.offset % BLOCK, self.length)
        return (self.length - head) // BLOCK * BLOCK


@dataclass(frozen=True)
class Shard:
    name: str
    header: bytes
    pieces: tuple[Piece, ...]

    @property
    def size(self) -> int:
        return len(self.header) + sum(piece.length for piece in self.pieces)

    @property
    def shareable(self) -> int:
        return sum(piece.shareable for piece in self.pieces)

    def digest(self, identities: t.Mapping[str, t.Any]) -> str:
        """Fingerprint of the shard by the identity of its inputs, without reading them."""
        sha = hashlib.sha256(self.header)
        for piece in self.pieces:
            source = piece.source
            sha.update(repr((identities[source.path], source.offset, source.length) if isinstance(source, Run) else source).encode())
        return sha.hexdigest()


@dataclass(frozen=True)
class Plan:
    shards: tuple[Shard, ...]
    warnings: tuple[str, ...]


def plan(selection: Selection, index: t.Mapping[str, Block], layout: str) -> Plan:
    """Lay out the shards: one of what belongs to no layer, then one for each layer."""
    groups: dict[int, list[str]] = {}
    for key in selection.sources:
        groups.setdefault(layer_of(key), []).append(key)
    if len(groups) < 2:
        raise MergeError(
            f"All {len(selection.sources)} tensors belong to {'one layer' if -1 not in groups else 'no layer'}, which the format cannot hold; expected the "
            "tensors of a whole model. Give the folder with all safetensors files."
        )
    warnings: list[str] = []
    if selection.repeated:
        warnings.append(f"The safetensors files hold {some(selection.repeated)} more than once; the one of the last file counts.")
    if selection.is_fp8_as_w8a8:
        warnings.append(
            "The experts in the safetensors files have weight_scale_inv, which is FP8 and not W8A8. They are merged by the rules of W8A8, and config.json "
            "gets no key quantize. Set format to fp8, or give the folder of the W8A8 weights."
        )
    shards = []
    for number, layer in enumerate(sorted(groups)):
        entries = _entries(selection, groups[layer], index, warnings)
        shards.append((_shareable_shard if layout == REFLINK else _shard)(f"model-{number:05d}-of-{len(groups) - 1:05d}.safetensors", entries))
    return Plan(tuple(shards), tuple(warnings))


def _entries(selection: Selection, keys: t.Sequence[str], index: t.Mapping[str, Block], warnings: list[str]) -> list[Entry]:
    entries: dict[str, Entry] = {}
    for key in keys:
        name, stored = rename(key), selection.sources[key]
        if name in entries:
            warnings.append(f"Two tensors are both named {name} in GGUF; the later one, {key}, remains.")
        if stored is not None:
            if stored.dtype not in _safetensors.DTYPE_ORDER:
                raise MergeError(
                    f"Tensor {key} in {stored.data.path} has the unknown type {stored.dtype}, expected one of {', '.join(_safetensors.DTYPE_ORDER)}."
                )
            entries[name] = Entry(name, stored.dtype, stored.shape, stored.data)
            continue
        block = index[name]
        size = block.tensor.size
        if size is None:
            raise MergeError(
                f"Tensor {name} in {block.path} has the ggml type {block.tensor.type}, which kTransformers does not know. "
                "Give a GGUF of another quantisation, for example Q4_K_M."
            )
        entries[name] = Entry(name, "U8", (size,), Run(block.path, block.tensor.offset, size), expert=True)
        if block.tensor.type:
            kind = f"{name[: -len('.weight')] if name.endswith('.weight') else name}.ggml_type"
            entries[kind] = Entry(kind, "I64", (), block.tensor.type.to_bytes(8, "little"))
        else:
            warnings.append(f"{name} is F32 and gets no ggml_type, as in the script; kTransformers asks for it and will not load this layer.")
    # As the library orders them; the order of UTF-8 bytes is the order of code points.
    return sorted(entries.values(), key=lambda entry: (_safetensors.DTYPE_ORDER.index(entry.dtype), entry.name))


def _shard(name: str, entries: t.Sequence[Entry]) -> Shard:
    tensors, pieces, end = {}, [], 0
    for entry in entries:
        piece = Piece(end, entry.source)
        tensors[entry.name] = _safetensors.Tensor(entry.dtype, entry.shape, end, end + piece.length)
        pieces.append(piece)
        end += piece.length
    header = _safetensors.render_header(tensors)
    return Shard(name, header, tuple(replace(piece, offset=len(header) + piece.offset) for piece in pieces))


def _shareable_shard(name: str, entries: t.Sequence[Entry]) -> Shard:
    """Lay the experts out as they lie in the GGUF file: first, in its order, and in equal distance from the blocks of the file system.

    What follows each other in the file does so here too; where other tensors lie between, the larger part counts and the rest is copied.
    """
    experts = sorted((entry for entry in entries if entry.expert), key=lambda entry: entry.source)
    shard = _shard(name, experts + [entry for entry in entries if not entry.expert])
    if sum(piece.length for piece in shard.pieces[: len(experts)]) % ALIGNMENT:
        # The tensors behind them would no longer be aligned.
        shard = _shard(name, entries)
    gains: dict[int, int] = {}
    for piece in shard.pieces:
        if isinstance(piece.source, Run):
            blanks = (piece.source.offset - piece.offset) % BLOCK
            if blanks % ALIGNMENT == 0 and piece.length >= BLOCK:
                gains[blanks] = gains.get(blanks, 0) + piece.length
    blanks = max(gains, key=lambda blanks: (gains[blanks], -blanks), default=0)
    moved = tuple(replace(piece, offset=piece.offset + blanks) for piece in shard.pieces)
    return Shard(name, _safetensors.pad_header(shard.header, blanks), moved)


# What the runtime needs beside the shards

_RUNTIME_FILES = re.compile(
    r"config\.json|generation_config\.json|tokenizer.*\.(json|model)|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)|merges\.txt|"
    r"chat_template\..*|[^/]*\.tiktoken|[^/.][^/]*\.py"
)


def runtime_names(names: t.Iterable[str]) -> list[str]:
    return sorted(name for name in names if _RUNTIME_FILES.fullmatch(name))


def missing_runtime(names: t.Collection[str]) -> list[str]:
    missing = [name for name in ("config.json", "generation_config.json", "tokenizer_config.json") if name not in names]
    if not any(re.fullmatch(r"tokenizer\.(json|model)|.*\.tiktoken|vocab\.(json|txt)", name) for name in names):
        missing.append("tokenizer.json")
    return missing


def parse_config(data: bytes) -> dict[str, t.Any]:
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise MergeError(f"config.json beside the safetensors files is no JSON ({error}). Download it again.") from None
    if not isinstance(content, dict):
        raise MergeError("config.json beside the safetensors files is no JSON object. Download it again.")
    return content


def runtime_config(data: bytes, form: str) -> bytes:
    """Return config.json for the merged folder: kTransformers chooses the W8A8 loader by its key quantize."""
    content = parse_config(data)
    if form != W8A8 or content.get("quantize") == QUANTIZE:
        return data
    if content.get("quantize") is not None:
        raise MergeError(
            f'config.json beside the safetensors files says "quantize": {json.dumps(content["quantize"])}, expected "{QUANTIZE}" or no such key. '
            "Give the folder of the W8A8 weights."
        )
    return (json.dumps({**content, "quantize": QUANTIZE}, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def space_needed(new: t.Sequence[int], replaced: int) -> int:
    """Bytes that must be free to write files of these sizes, when old ones of that total size go as each new one is complete."""
    largest = max(new, default=0)
    return max(largest, sum(new) - replaced + largest) if replaced else sum(new)
