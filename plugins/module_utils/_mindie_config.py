# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""MindIE's config.json: parse, plan settings by key path, edit in place, validate. Pure functions, no I/O.

The file is edited, not written anew: only the text of changed values differs afterwards, so keys that these rules do
not know, their order and the layout of the vendor's file stay as they were.
"""

from __future__ import annotations

import difflib
import json
import re
import typing as t
from dataclasses import dataclass
from json.decoder import scanstring

from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_schema as schema
from ansible_collections.npuops.ascend.plugins.module_utils._mindie_schema import Family, Finding

MAX_BYTES = 10 * 1024 * 1024
DEFAULT_INDENT = 4

Path = t.Tuple[t.Union[str, int], ...]


class ConfigSyntaxError(ValueError):
    """The text is not the plain JSON that the daemon reads; the message says where and what to do."""

    def __init__(self, found: str, remedy: str, line: int = 1, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: found {found}. {remedy}")
        self.line = line
        self.column = column


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()


@dataclass(frozen=True)
class Change:
    path: Path
    before: t.Any
    after: t.Any


# Parsing


def decode(data: bytes) -> str:
    """Return the text of config.json, refusing what the engine cannot read."""
    if not data.strip():
        raise ConfigSyntaxError("an empty file", "Restore config.json from the MindIE image.")
    if len(data) > MAX_BYTES:
        raise ConfigSyntaxError(f"{len(data)} bytes", "The engine reads at most 10 MB; restore config.json from the MindIE image.")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ConfigSyntaxError("a byte order mark", "Save the file as UTF-8 without BOM.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line, column = _position(before, len(before))
        raise ConfigSyntaxError(f"the byte 0x{data[error.start]:02x}, which is not UTF-8", "Save the file as UTF-8.", line, column) from None


def parse(text: str) -> dict[str, t.Any]:
    """Return the configuration; the order of its keys is kept."""
    repeated = False

    def members(pairs: list[tuple[str, t.Any]]) -> dict[str, t.Any]:
        nonlocal repeated
        result = dict(pairs)
        repeated = repeated or len(result) < len(pairs)
        return result

    def place(literal: str) -> tuple[int, int]:
        match = re.search(r"(?:^|[:\[,])\s*" + re.escape(literal), text)
        return _position(text, match.end() - len(literal) if match else 0)

    def no_constant(name: str) -> t.NoReturn:
        raise ConfigSyntaxError(name, "JSON has no such number; write a plain one.", *place(name))

    def integer(digits: str) -> int:
        try:
            return int(digits)
        except ValueError:
            # Python reads no number of thousands of digits.
            raise ConfigSyntaxError(f"a number of {len(digits.lstrip('-'))} digits", "No key takes such a number; correct it.", *place(digits)) from None

    try:
        config = json.loads(text, object_pairs_hook=members, parse_constant=no_constant, parse_int=integer)
        twice = [next(_repeated_keys(text, _skip_blanks(text, 0)))] if repeated else []
    except json.JSONDecodeError as error:
        raise _explained(text, error) from None
    except RecursionError:
        raise ConfigSyntaxError("values nested too deeply", "Restore config.json from the MindIE image.") from None
    if not isinstance(config, dict):
        raise ConfigSyntaxError(f"{schema.type_name(config)} at the top", "config.json is one object, { ... }.")
    for key, where in twice:
        line, column = _position(text, where)
        raise ConfigSyntaxError(f"the key {key!r} a second time in its object", "Remove one of the two; the engine would silently use the last.", line, column)
    return config


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _explained(text: str, error: json.JSONDecodeError) -> ConfigSyntaxError:
    """Turn the parser's complaint into what people really write: comments, trailing commas, dots from a README."""
    where = error.pos
    while where < len(text) and (text[where].isspace() or text[where] == ","):
        where += 1
    rest = text[where:]
    before = text[:where].rstrip()
    if rest.startswith(("//", "/*", "#")):
        found, remedy = "a comment", "JSON has none; remove it."
    elif rest.startswith("..."):
        found, remedy = "'...'", "It stands for left-out keys in a manual; use a complete file, such as the one in the MindIE image."
    elif rest.startswith(("}", "]")) and before.endswith(","):
        found, remedy = "a comma before the closing bracket", "Remove the comma."
        where = len(before) - 1
    elif rest.startswith(("'", "\u201c", "\u201d")):
        found, remedy = f"the quotation mark {rest[0]}", 'Use the straight double quotation mark ".'
    elif not rest or error.msg.startswith("Unterminated string"):
        found, remedy = "the end of the file inside a value", "The file is cut off; restore it from the backup or from the MindIE image."
    else:
        where = error.pos
        found, remedy = f"{text[where:where + 20]!r}", f"{error.msg}; correct the JSON here."
    return ConfigSyntaxError(found, remedy, *_position(text, where))


# Where values stand in the text. All of this runs on text that has been parsed before, so it need not look for faults.

_BLANKS = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def _skip_blanks(text: str, offset: int) -> int:
    match = _BLANKS.match(text, offset)
    return match.end() if match else offset


class _Slot(t.NamedTuple):
    name: str | int
    name_start: int
    start: int
    end: int


def _slots(text: str, offset: int) -> t.Iterator[_Slot]:
    """Yield the members of the object, or the items of the array, that begins at offset."""
    is_object = text[offset] == "{"
    offset = _skip_blanks(text, offset + 1)
    index = 0
    while text[offset] not in "}]":
        name: str | int = index
        name_start = offset
        if is_object:
            name, offset = scanstring(text, offset + 1, True)
            offset = _skip_blanks(text, _skip_blanks(text, offset) + 1)
        end = _DECODER.raw_decode(text, offset)[1]
        yield _Slot(name, name_start, offset, end)
        offset = _skip_blanks(text, end)
        if text[offset] == ",":
            offset = _skip_blanks(text, offset + 1)
        index += 1


def _repeated_keys(text: str, offset: int) -> t.Iterator[tuple[str, int]]:
    if text[offset] not in "{[":
        return
    seen: set[str | int] = set()
    for slot in _slots(text, offset):
        if slot.name in seen:
            yield str(slot.name), slot.name_start
        seen.add(slot.name)
        yield from _repeated_keys(text, slot.start)


# Key paths

_NAME = re.compile(r"[^.\[\]]+")
_STEP = re.compile(r"(?:^|\.)([A-Za-z_][A-Za-z0-9_-]*)|\[([0-9]{1,6})\]")


def parse_path(text: str) -> Path:
    """Parse ``A.B[0].c`` into ("A", "B", 0, "c")."""
    steps: list[str | int] = []
    offset = 0
    while offset < len(text):
        match = _STEP.match(text, offset)
        if not match or (not steps and text[0] in ".["):
            raise ValueError(f"{text!r} is no key path at character {offset + 1}. Write names joined by dots and list positions in brackets, as in A.B[0].c.")
        steps.append(match[1] if match[1] is not None else int(match[2]))
        offset = match.end()
    if not steps:
        raise ValueError("An empty key path. Write names joined by dots and list positions in brackets, as in A.B[0].c.")
    return tuple(steps)


def format_path(path: Path) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def _schema_path(path: Path) -> str:
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


def get_value(config: t.Any, path: Path) -> t.Any:
    for step in path:
        if isinstance(step, str) and isinstance(config, dict) and step in config:
            config = config[step]
        elif isinstance(step, int) and isinstance(config, list) and step < len(config):
            config = config[step]
        else:
            return MISSING
    return config


# Settings


def plan(config: dict[str, t.Any], settings: dict[str, t.Any], family: Family) -> tuple[list[Change], list[Finding]]:
    """Return what to change for the settings, and the settings that cannot be applied."""
    wanted, findings = _wanted(settings, lambda path, leaf: _typed(config, path, leaf, family))
    changes = [Change(path, get_value(config, path), leaf) for path, leaf in wanted.items()]
    changed = [change for change in changes if not _same(change.before, change.after)]
    findings.extend(_unreachable(config, changed))
    return changed, findings


def assemble(settings: t.Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[Finding]]:
    """Return the part of config.json that the settings make up, and the settings that contradict each other."""

    def converted(path: Path, leaf: t.Any) -> tuple[t.Any, list[Finding]]:
        key = schema.BY_PATH.get(_schema_path(path))
        return _converted(key.kind, leaf) if key else leaf, []

    wanted, findings = _wanted(settings, converted)
    root: dict[str, t.Any] = {}
    for path, leaf in wanted.items():
        # The rest of a plain list stands in the file, and without it the list cannot be judged.
        if not _inside_plain_list(path):
            findings.extend(_put(root, path, leaf))
    return root, findings


def _inside_plain_list(path: Path) -> bool:
    keys = [schema.BY_PATH.get(_schema_path(path[:end])) for end, step in enumerate(path) if isinstance(step, int)]
    return any(key is not None and key.kind in ("strs", "ips", "ints", "int_lists") for key in keys)


def _put(root: dict[str, t.Any], path: Path, value: t.Any) -> t.Iterator[Finding]:
    node: t.Any = root
    for end, (step, following) in enumerate(zip(path, (*path[1:], None))):
        wanted: type = list if isinstance(step, int) else dict
        if not isinstance(node, wanted):
            name, kind = format_path(path[:end]), schema.type_name(wanted())
            yield Finding("wrong-type", name, schema.type_name(node), kind, f"Settings take {name} for both; keep those of one kind.")
            return
        empty = list if isinstance(following, int) else dict
        if isinstance(step, int):
            node.extend(empty() for _index in range(step + 1 - len(node)))
        else:
            node.setdefault(step, empty())
        if following is None:
            node[step] = value
        node = node[step]


def _wanted(
    settings: t.Mapping[str, t.Any], typed: t.Callable[[Path, t.Any], tuple[t.Any, list[Finding]]]
) -> tuple[dict[Path, t.Any], list[Finding]]:
    """Return the value for each path that the settings name, and the settings that cannot be read or contradict each other."""
    findings: list[Finding] = []
    wanted: dict[Path, t.Any] = {}
    for text, value in settings.items():
        try:
            leaves = list(_leaves(parse_path(str(text)), value))
        except ValueError as error:
            findings.append(Finding("bad-path", str(text), schema.shown(value), "a key path", str(error)))
            continue
        for path, leaf in leaves:
            leaf, problems = typed(path, leaf)
            findings.extend(problems)
            if problems:
                continue
            if wanted.setdefault(path, leaf) != leaf:
                name = format_path(path)
                findings.append(Finding("set-twice", name, f"{schema.shown(wanted[path])} and {schema.shown(leaf)}", "one value", f"Set {name} once."))
    for path in list(wanted):
        outer = next((path[:end] for end in range(1, len(path)) if path[:end] in wanted), None)
        if outer:
            name = format_path(path)
            findings.append(Finding("set-twice", name, f"{format_path(outer)} and {name}", "one of the two", f"Set {name} inside {format_path(outer)}."))
            del wanted[path]
    return wanted, findings


def _same(one: t.Any, other: t.Any) -> bool:
    # 1 == True in Python, but the daemon tells a number from a boolean.
    return not isinstance(one, _Missing) and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _leaves(path: Path, value: t.Any) -> t.Iterator[tuple[Path, t.Any]]:
    """Take a mapping for an object as settings of its keys: keys that it does not name stay in the file."""
    key = schema.BY_PATH.get(_schema_path(path))
    kind = key.kind if key else ""
    if kind == "object" and isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(path + parse_path(str(name)), item)
    elif kind == "objects" and isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from _leaves(path + (index,), item)
    elif path and isinstance(path[-1], int) and isinstance(value, dict) and _schema_path(path[:-1]) in schema.BY_PATH:
        for name, item in value.items():
            yield from _leaves(path + parse_path(str(name)), item)
    else:
        yield path, value


def _typed(config: dict[str, t.Any], path: Path, value: t.Any, family: Family) -> tuple[t.Any, list[Finding]]:
    """Return the value in the type of its key; templates often turn numbers and booleans into text."""
    name = format_path(path)
    if value is None:
        return value, [Finding("wrong-type", name, "null", "a value", f"Give {name} a value, or leave it out of the settings.")]
    key = schema.BY_PATH.get(_schema_path(path))
    before = get_value(config, path)
    if key is not None and (key.known_in(family) or before is not MISSING):
        value = _converted(key.kind, value)
        return value, [finding for finding in schema.check_value(key, name, value, family) if finding.severity == "error"]
    if before is not MISSING:
        kind = {bool: "bool", int: "int", str: "str"}.get(type(before), "any")
        return _converted(kind, value), []
    if key is None and _inside_free_form(path):
        return value, []
    return value, [_unknown(path, name, value, key, family)]


def _inside_free_form(path: Path) -> bool:
    """True below a key whose inner form is the model's own matter, and for an item of a plain list."""
    kinds = [schema.BY_PATH[_schema_path(path[:end])].kind for end in range(1, len(path)) if _schema_path(path[:end]) in schema.BY_PATH]
    return bool(kinds) and kinds[-1] == "any"


_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}


def _converted(kind: str, value: t.Any) -> t.Any:
    """Convert text that can only mean one value of the kind; everything else is returned as it is, for the type check to name."""
    if kind == "json_text" and isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if kind in ("strs", "ips", "ints", "int_lists") and isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return value
    if kind in ("ints", "int_lists") and isinstance(value, list):
        return [_converted("ints" if kind == "int_lists" and isinstance(item, list) else "int", item) for item in value]
    if not isinstance(value, str):
        return value
    text = value.strip().lower()
    if kind in ("int", "truncation") and re.fullmatch(r"-?[0-9]{1,18}", text):
        return int(text)
    if kind in ("bool", "truncation") and text in _TRUE | _FALSE:
        return text in _TRUE
    return value


def _unknown(path: Path, name: str, value: t.Any, key: schema.Key | None, family: Family) -> Finding:
    if key is not None:
        history = f"came with {key.since}" if key.since and not family.at_least(key.since) else f"was removed with {key.removed}"
        return Finding(
            "key-not-in-version", name, f"a key that {history}", f"a key of the MindIE {family.name} rules",
            f"Leave {name} out of the settings, or correct the version.",
        )
    near = suggestion(path, family)
    remedy = f"Did you mean {near}?" if near else "Check the spelling against the manual of this version."
    return Finding("unknown-key", name, schema.shown(value), f"a key of config.json or of the MindIE {family.name} rules", remedy)


def suggestion(path: Path, family: Family) -> str:
    """Return the known key path that was probably meant, or an empty string."""
    known = [key.path for key in schema.KEYS if key.known_in(family)]
    wanted = _schema_path(path)
    leaf = wanted.rsplit(".", 1)[-1].lower()
    parent = wanted.rpartition(".")[0]
    same_leaf = [name for name in known if name.rsplit(".", 1)[-1].lower() == leaf]
    same_parent = {name.lower(): name for name in known if name.rpartition(".")[0] == parent}
    near = difflib.get_close_matches(wanted.lower(), same_parent, n=1, cutoff=0.85)
    found = same_leaf[:1] or [same_parent[name] for name in near] or difflib.get_close_matches(wanted, known, n=1, cutoff=0.85)
    return found[0].replace("[]", "[0]") if found else ""


def _unreachable(config: dict[str, t.Any], changes: list[Change]) -> t.Iterator[Finding]:
    """Yield changes whose way through the file is blocked by a value of another type or by a list that is too short."""
    for change in changes:
        for end in range(1, len(change.path)):
            node = get_value(config, change.path[:end])
            step = change.path[end]
            if node is MISSING:
                if all(isinstance(rest, str) or rest == 0 for rest in change.path[end:]):
                    break
                node = []
            name = format_path(change.path[:end])
            if isinstance(step, str) and not isinstance(node, dict):
                yield Finding("wrong-type", name, f"{schema.shown(node)} ({schema.type_name(node)})", "object", f"Make {name} an object.")
                break
            if isinstance(step, int) and not isinstance(node, list):
                yield Finding("wrong-type", name, f"{schema.shown(node)} ({schema.type_name(node)})", "array", f"Make {name} an array.")
                break
            if isinstance(step, int) and isinstance(node, list) and step > len(node):
                yield Finding("bad-index", f"{name}[{step}]", f"a list of {len(node)}", f"an index up to {len(node)}", f"Set {name}[{len(node)}] first.")
                break


# Editing


def apply(text: str, changes: t.Sequence[Change]) -> str:
    """Return the text with the changes; everything else in it stays byte for byte."""
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = indentation(text)
    for change in changes:
        text = _replaced(text, change.path, change.after, indent, newline)
    return text if not changes or text.endswith("\n") else text + newline


def indentation(text: str) -> int:
    match = re.search(r"\{[ \t]*\r?\n( +)\S", text)
    return len(match[1]) if match else DEFAULT_INDENT


def _replaced(text: str, path: Path, value: t.Any, indent: int, newline: str) -> str:
    offset = _skip_blanks(text, 0)
    for number, step in enumerate(path):
        slots = list(_slots(text, offset))
        slot = next((slot for slot in slots if slot.name == step), None)
        if slot is None:
            return _inserted(text, offset, slots, step, _wrapped(path[number + 1:], value), indent, newline)
        offset, end = slot.start, slot.end
    layout = indent if "\n" in text[offset:end] else None
    return text[:offset] + _dumped(value, layout, _line_indent(text, offset), newline) + text[end:]


def _wrapped(path: Path, value: t.Any) -> t.Any:
    for step in reversed(path):
        value = {step: value} if isinstance(step, str) else [value]
    return value


def _line_indent(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    return text[start: start + len(text[start:]) - len(text[start:].lstrip(" \t"))]


def _dumped(value: t.Any, indent: int | None, prefix: str, newline: str) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False).replace("\n", newline + prefix)


def _inserted(text: str, container: int, slots: list[_Slot], step: str | int, value: t.Any, indent: int, newline: str) -> str:
    name = f"{json.dumps(step)}: " if isinstance(step, str) else ""
    outer = _line_indent(text, container)
    if not slots:
        end = _skip_blanks(text, container + 1)
        inner = outer + " " * indent
        return text[: container + 1] + newline + inner + name + _dumped(value, indent, inner, newline) + newline + outer + text[end:]
    first, last = slots[0], slots[-1]
    gap = text[container + 1: first.name_start]
    if "\n" not in gap:
        return text[: last.end] + ", " + name + _dumped(value, None, "", newline) + text[last.end:]
    inner = gap[gap.rfind("\n") + 1:]
    return text[: last.end] + "," + newline + inner + name + _dumped(value, indent, inner, newline) + text[last.end:]


# Validation


def validate(config: dict[str, t.Any], family: Family, world_size: int | None = None) -> list[Finding]:
    """Return every rule of the family that the configuration breaks, errors first."""
    findings = [*_missing(config, family), *_values(config, (), family)]
    view = schema.View(config, family, world_size)
    for rule in schema.RULES:
        findings.extend(rule(view))
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _missing(config: dict[str, t.Any], family: Family) -> t.Iterator[Finding]:
    for key in schema.KEYS:
        if not key.required_in(family):
            continue
        parent, dot, leaf = key.path.rpartition(".")
        for path in _instances(config, parent):
            node = get_value(config, path)
            if isinstance(node, dict) and leaf not in node:
                name = format_path(path + (leaf,))
                hint = next((other for other in node if other.lower() == leaf.lower()), "")
                yield Finding(
                    "missing-key", name, f"absent (there is {hint!r})" if hint else "absent", f"a compulsory key of the MindIE {family.name} rules",
                    f"Rename {hint!r} to {leaf!r}." if hint else f"Set {name}.", f"[ParamChecker::CheckJsonParamType] {leaf}: missing compulsory field",
                )


def _instances(config: dict[str, t.Any], schema_path: str) -> list[Path]:
    paths: list[Path] = [()]
    for part in schema_path.split(".") if schema_path else []:
        paths = [path + (part.replace("[]", ""),) for path in paths]
        if part.endswith("[]"):
            lists = [(path, get_value(config, path)) for path in paths]
            paths = [path + (index,) for path, items in lists if isinstance(items, list) for index in range(len(items))]
    return paths


def _values(node: t.Any, path: Path, family: Family) -> t.Iterator[Finding]:
    items: t.Iterable[tuple[t.Any, t.Any]] = node.items() if isinstance(node, dict) else enumerate(node)
    for step, value in items:
        if isinstance(step, str) and not _NAME.fullmatch(step):
            continue  # "A.b" as one key is not the key b of A, and the engine ignores it
        here = path + (step,)
        key = schema.BY_PATH.get(_schema_path(here))
        name = format_path(here)
        if key is not None:
            yield from schema.check_value(key, name, value, family)
            if not key.known_in(family):
                yield Finding(
                    "key-not-in-version", name, schema.shown(value), f"no such key in the MindIE {family.name} rules",
                    "The engine ignores it; remove it when it misleads.", severity="warning",
                )
        elif isinstance(step, str):
            near = suggestion(here, family)
            if near.lower() == name.lower():
                yield Finding("misspelt-key", name, schema.shown(value), near, f"The engine ignores it; rename it to {near}.", severity="warning")
        if (key is None and isinstance(step, int) and isinstance(value, dict)) or (key is not None and key.kind in ("object", "objects")):
            if isinstance(value, (dict, list)):
                yield from _values(value, here, family)
