# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Model weights in safetensors files: index, layout and the engine's permission rules. Pure functions, no I/O."""

from __future__ import annotations

import json
import os
import re
import stat
import typing as t
from dataclasses import dataclass, field

from ansible_collections.npuops.ascend.plugins.module_utils import _safetensors
from ansible_collections.npuops.ascend.plugins.module_utils._safetensors import WeightsFormatError

MAX_ENTRIES = 1024
INDEX_SUFFIX = ".safetensors.index.json"

_SHARD = re.compile(r"(.+)-([0-9]{5,6})-of-([0-9]{5,6})\.safetensors")
_QUANT_SHARD = re.compile(r"quant_model_weight_(w[0-9]+a[0-9]+[a-z0-9_]*?)(-[0-9]{5,6}-of-[0-9]{5,6})?\.safetensors")
# What the engine reads; a README of another owner is no fault.
_READ_SUFFIXES = (".json", ".safetensors", ".py", ".model", ".txt", ".jinja", ".tiktoken")
_ENGINE_PATH = re.compile(r"[0-9A-Za-z_./-]+")


@dataclass(frozen=True)
class Problem:
    """Something because of which the engine would not load the weights."""

    id: str
    path: str
    observed: str
    expected: str
    remedy: str


@dataclass(frozen=True)
class Header:
    """What is kept of the header of a safetensors file: the names of 122,000 tensors are enough."""

    tensors: frozenset[str]
    expected_size: int


def parse_header(header: bytes) -> Header:
    content = _safetensors.parse_header(header)
    return Header(frozenset(content.tensors), content.file_size)


# Index and shard names


@dataclass(frozen=True)
class Index:
    name: str
    tensors: dict[str, frozenset[str]]


def parse_index(name: str, text: str) -> Index:
    """Return the tensors that the index expects in each shard."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsFormatError(f"no JSON ({error})") from None
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    if not isinstance(weight_map, dict) or not weight_map:
        raise WeightsFormatError("no weight_map with the shard of each tensor")
    tensors: dict[str, set[str]] = {}
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str) or not shard or os.path.basename(shard) != shard or shard in (".", ".."):
            raise WeightsFormatError(f"the shard {shard!r} of tensor {tensor}, expected a plain file name")
        tensors.setdefault(shard, set()).add(tensor)
    return Index(name, {shard: frozenset(names) for shard, names in tensors.items()})


def missing_shards(names: t.Iterable[str]) -> list[str]:
    """Return what the shard numbers of the names leave out: N shards, from 1 to N, in each series."""
    present: dict[tuple[str, str], set[str]] = {}
    for name in names:
        match = _SHARD.fullmatch(name)
        if match:
            present.setdefault((match[1], match[3]), set()).add(match[2])
    missing = []
    for (prefix, total), numbers in sorted(present.items()):
        # A count out of all proportion is a broken name, not a list worth making.
        width = len(next(iter(numbers)))
        expected = (f"{number:0{width}d}" for number in range(1, min(int(total), 100_000) + 1))
        missing.extend(f"{prefix}-{number}-of-{total}.safetensors" for number in expected if number not in numbers)
    return missing


# The model's own config.json


@dataclass(frozen=True)
class ModelConfig:
    model_type: str | None = None
    torch_dtype: str | None = None
    vocab_size: int | None = None
    quantize: str | None = None
    # How a quantisation is noted that is not msmodelslim's, such as fp8 in the originals of DeepSeek.
    quantization_method: str | None = None


def parse_model_config(text: str) -> ModelConfig:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise WeightsFormatError(f"no JSON ({error})") from None
    if not isinstance(content, dict):
        raise WeightsFormatError("no JSON object")

    def text_of(name: str) -> str | None:
        value = content.get(name)
        return value if isinstance(value, str) and value else None

    sizes = [content.get(name) for name in ("vocab_size", "padded_vocab_size")]
    sizes = [size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0]
    # As the weights of DeepSeek come from their maker: {"quant_method": "fp8", ...}.
    quantization = content.get("quantization_config")
    method = quantization.get("quant_method") if isinstance(quantization, dict) else None
    return ModelConfig(
        text_of("model_type"), text_of("torch_dtype"), sizes[0] if sizes else None, text_of("quantize"), method if isinstance(method, str) else None,
    )


def config_problems(config: ModelConfig, names: t.Collection[str]) -> tuple[list[Problem], list[str]]:
    """Compare config.json with the names of the files beside it; return problems and warnings."""
    problems, warnings = [], []
    for name, value in (("torch_dtype", config.torch_dtype), ("vocab_size", config.vocab_size)):
        if value is None:
            problems.append(Problem(
                "config-key-missing", "config.json", f"no {name}", f"{name}, which the MindIE daemon reads at start", f"Restore {name} in config.json.",
            ))
    quantised = sorted({match[1] for match in map(_QUANT_SHARD.fullmatch, names) if match})
    if quantised and config.quantize is None:
        problems.append(Problem(
            "quantize-missing", "config.json", f"no quantize beside {quantised[0]} weights", f'"quantize": "{quantised[0]}"',
            f'Add "quantize": "{quantised[0]}" to config.json.',
        ))
    elif quantised and config.quantize not in quantised:
        warnings.append(f"config.json says quantize {config.quantize}, but the weight files are named {' or '.join(quantised)}.")
    if config.quantize:
        own, general = f"quant_model_description_{config.quantize}.json", "quant_model_description.json"
        if own not in names and general not in names:
            problems.append(Problem(
                "quant-description-missing", own, "absent", f"{own}, which belongs to quantize {config.quantize}",
                "Download it from the repository of the weights; without it the engine cannot read the quantised tensors.",
            ))
        elif own not in names and config.quantize.endswith("_dynamic"):
            warnings.append(f"{general} is the name of the vLLM layout; MindIE looks for {own}. The weights may be made for another engine.")
    return problems, warnings


def engine_problems(config: ModelConfig, names: t.Collection[str], engine: str, chip: str) -> list[Problem]:
    """Return what keeps this engine on this chip from loading the weights; an empty engine or chip is not looked at.

    Layouts: vllm-ascend issues 986, 2296 and pull request 2172; types of numbers: MindIE's notes on 300I Duo, and the guide to DeepSeek on Atlas A2.
    """
    problems = []
    quantised = any(map(_QUANT_SHARD.fullmatch, names))
    general = "quant_model_description.json"
    own = f"quant_model_description_{config.quantize}.json"
    if engine == "mindie" and quantised and config.quantize and config.quantize.endswith("_dynamic") and general in names and own not in names:
        problems.append(Problem(
            "engine-layout", general, f"{general} without {own}", f"{own}, which MindIE reads",
            "These weights were made for vLLM. Take weights in the layout of MindIE (msmodelslim with --mindie_format).",
        ))
    if engine == "vllm" and quantised and general not in names:
        problems.append(Problem(
            "engine-layout", general, "absent", f"{general}, which vLLM reads",
            "These weights were made for MindIE. Take weights that were made for vLLM Ascend.",
        ))
    if engine == "vllm" and config.model_type == "deepseekv2":
        problems.append(Problem(
            "engine-model-type", "config.json", "model_type deepseekv2", "model_type deepseek_v3",
            "deepseekv2 is MindIE's name; take weights that were made for vLLM Ascend.",
        ))
    if chip.startswith("910") and config.quantization_method == "fp8":
        problems.append(Problem(
            "chip-type", "config.json", "FP8 weights", f"BF16 or W8A8 weights, for {chip} has no FP8",
            "Take W8A8 weights, or cast these to BF16 and quantise them.",
        ))
    if chip.startswith("310P") and config.torch_dtype == "bfloat16":
        problems.append(Problem(
            "chip-type", "config.json", "torch_dtype bfloat16", f"float16, for {chip} has no BF16", "Set torch_dtype to float16 in config.json.",
        ))
    return problems


# Permissions


@dataclass(frozen=True)
class Entry:
    """One directory entry as lstat sees it; name "." is the directory itself."""

    name: str
    mode: int
    uid: int
    gid: int
    link_target: str | None = None


@dataclass(frozen=True)
class ServiceUser:
    """The identity under which the daemon runs; the engine compares the first group only, the kernel all of them."""

    name: str
    uid: int
    gid: int | None
    groups: frozenset[int] = field(default_factory=frozenset)

    def may(self, entry: Entry, permission: int) -> bool:
        """True when the kernel grants the permission (4 read, 1 search)."""
        if self.uid == 0:
            return True
        if self.uid == entry.uid:
            return bool(entry.mode & permission << 6)
        if entry.gid == self.gid or entry.gid in self.groups:
            return bool(entry.mode & permission << 3)
        return bool(entry.mode & permission)


def path_problems(path: str) -> list[Problem]:
    if _ENGINE_PATH.fullmatch(path) and ".." not in path.split("/"):
        return []
    return [Problem(
        "path-characters", path, "characters outside [0-9a-zA-Z_./-], or ..", "a path of [0-9a-zA-Z_./-]",
        "Rename it: the engine refuses other characters.",
    )]


def permission_problems(directory: str, entries: t.Sequence[Entry], user: ServiceUser) -> list[Problem]:
    """Return the rules of the engine that the directory and its files break for the service user."""
    problems = []
    read = [entry for entry in entries if entry.name == "." or (entry.name.endswith(_READ_SUFFIXES) and not entry.name.startswith("."))]
    if len(entries) - 1 > MAX_ENTRIES:
        problems.append(Problem(
            "too-many-files", directory, f"{len(entries) - 1} entries", f"at most {MAX_ENTRIES}", "Move what does not belong to the model elsewhere.",
        ))
    for entry in read:
        path = directory if entry.name == "." else os.path.join(directory, entry.name)
        problems.extend(_entry_problems(path, entry, user))
    return problems


def _entry_problems(path: str, entry: Entry, user: ServiceUser) -> t.Iterator[Problem]:
    if entry.name != ".":
        yield from path_problems(entry.name)
    if entry.link_target is not None:
        yield Problem(
            "symlink", path, f"a symbolic link to {entry.link_target}", "the file itself",
            "Replace the link by the file, for example with a download that does not use the hub's cache; the engine refuses links.",
        )
        return
    mode = stat.S_IMODE(entry.mode)
    shown = f"{mode:04o}"
    is_directory = stat.S_ISDIR(entry.mode)
    if not user.may(entry, 4) or (is_directory and not user.may(entry, 1)):
        yield Problem(
            "not-readable", path, f"mode {shown}, owner {entry.uid}:{entry.gid}", f"readable by {user.name} (uid {user.uid})",
            f"chown it to {user.name}; mode {'0750' if is_directory else '0640'}.",
        )
    elif user.uid not in (0, entry.uid) and entry.gid != user.gid and not is_directory:
        yield Problem(
            "foreign-owner", path, f"owner {entry.uid}:{entry.gid}", f"owner uid {user.uid}, or the first group of {user.name}",
            f"chown it to {user.name}; the engine refuses files of strangers even where they are readable.",
        )
    if mode & stat.S_IWOTH:
        yield Problem("other-writable", path, f"mode {shown}", f"no write permission for others ({mode & ~stat.S_IWOTH:04o})", "chmod o-w it.")
    if entry.name == "config.json" and mode & ~0o750:
        yield Problem("config-mode", path, f"mode {shown}", "at most 0750, best 0640", "chmod 0640 it.")


def directory_warnings(directory: str, mode: int) -> list[str]:
    if stat.S_IMODE(mode) & ~0o750:
        return [f"{directory} has mode {stat.S_IMODE(mode):04o}; MindIE 3.0 and newer refuse more than 0750."]
    return []


# Completeness


@dataclass(frozen=True)
class WeightFile:
    """What was read of one safetensors file: its size, and its header or the fault that kept it from being read."""

    name: str
    size: int
    header: Header | None = None
    fault: str = ""
    cut_off: bool = False

    @property
    def expected_size(self) -> int | None:
        return self.header.expected_size if self.header else None

    @property
    def truncated(self) -> bool:
        return self.cut_off or (self.header is not None and self.size < self.header.expected_size)


def _some(names: t.Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def completeness(files: t.Sequence[WeightFile], indexes: t.Sequence[Index], presharded: bool = False) -> tuple[list[str], list[Problem], list[str]]:
    """Compare the weight files with their headers and indexes; return missing file names, problems and warnings."""
    by_name = {file.name: file for file in files}
    expected: dict[str, frozenset[str]] = {}
    for index in indexes:
        for shard, tensors in index.tensors.items():
            expected[shard] = expected.get(shard, frozenset()) | tensors
    missing = sorted({*missing_shards([*by_name, *expected]), *expected} - set(by_name))
    problems: list[Problem] = []
    warnings: list[str] = []

    if missing:
        source = indexes[0].name if set(missing) & set(expected) else "the shard numbers"
        problems.append(Problem(
            "files-missing", missing[0], f"{len(missing)} weight files are absent: {_some(missing)}", f"every file that {source} names",
            "Download the absent files again.",
        ))
    elif not files:
        problems.append(Problem("no-weights", "*.safetensors", "no safetensors file", "the model's weights as safetensors", "Download or convert the weights."))
    for file in files:
        problems.extend(_file_problems(file, expected.get(file.name, frozenset())))
    if len(indexes) > 1:
        warnings.append(f"There are several indexes ({', '.join(index.name for index in indexes)}); the engine loads every safetensors file that it finds.")
    unlisted = sorted(set(by_name) - set(expected))
    if indexes and unlisted:
        warnings.append(f"No index names {_some(unlisted)}; the engine loads every safetensors file that it finds.")
    if len(files) > 1 and not indexes and not presharded:
        warnings.append("There is no *.safetensors.index.json; the files are complete only as far as their numbers tell.")
    return missing, problems, warnings


def _file_problems(file: WeightFile, tensors: frozenset[str]) -> t.Iterator[Problem]:
    if file.header is None:
        name = "file-truncated" if file.cut_off else "file-unreadable"
        yield Problem(name, file.name, file.fault, "a safetensors file", "Download the file again.")
        return
    if file.size != file.header.expected_size:
        name = "file-truncated" if file.truncated else "file-too-long"
        yield Problem(name, file.name, f"{file.size} bytes", f"{file.header.expected_size} bytes, as its header says", "Download the file again.")
    absent = sorted(tensors - file.header.tensors)
    if absent:
        yield Problem(
            "tensors-missing", file.name, f"{len(absent)} tensors of the index are not in it: {_some(absent)}", "the tensors that the index names",
            "Take file and index from the same release of the weights.",
        )
