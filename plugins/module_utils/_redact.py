# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Takes secrets out of text and JSON. In doubt a value goes: a support bundle is read by strangers."""

from __future__ import annotations

import json
import re
import typing as t

MASK = "***"
# Longer lines are cut, so that no secret is cut in two by whoever reads in pieces.
LINE_CHARACTERS = 65536

_IN_CAPITALS = ("TOKEN", "PASSWORD", "PASSWD", "PWD", "SECRET", "KEY", "CREDENTIAL", "AUTHORIZATION", "COOKIE")
_ANYWHERE = {
    *("password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials"),
    *("authorization", "cookie", "apikey", "accesskey", "privatekey"),
}
# As the last word: maxInputTokenLen is none, hf_token is one.
_AT_THE_END = {"token", "key"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

# How a name is written before its value, and what the value is then. A name whose value is none is passed, not its value: that may hold another one.
_NAMED = (
    (re.compile(r"^\s*(?:-\s+|export\s+)?(?P<name>[A-Za-z_][\w.-]*)(?:\s*=\s*|\s*:\s+)"), re.compile(r"\S.*")),
    (re.compile(r'\\*"(?P<name>[\w.-]+)\\*"\s*:\s*'), re.compile(r'\\*"(?:[^"\\]|\\[^"])*|[^\s,}\]"\\]+')),
    (re.compile(r"[\"'](?P<name>[A-Za-z_][\w.-]*)="), re.compile(r"(?:[^\"'\\]|\\.)+")),
    (re.compile(r"(?<![\w.])-{0,2}(?P<name>[A-Za-z_][\w.-]*)(?:\s*=\s*|:\s*)"), re.compile(r"\"(?:[^\"\\]|\\.)*|'[^']*|[^\s\"',;&}\]]+")),
    (re.compile(r"(?<!\S)--?(?P<name>[A-Za-z][\w-]*)\s+"), re.compile(r"\"(?:[^\"\\]|\\.)*|'[^']*|[^\s-]\S*")),
)
_HEADER = re.compile(r"(?P<before>\b(?:Proxy-)?Authorization\b[\"']?\s*[:=]\s*[\"']?)(?P<value>[^\"'\r\n]+)", re.IGNORECASE)
_SCHEME = re.compile(r"(?P<before>\b(?:Bearer|Basic)\s+)(?P<value>[A-Za-z0-9._~+/=-]{6,})", re.IGNORECASE)
_USER_INFO = re.compile(r"(?P<before>\b[a-z][a-z0-9+.-]*://)(?P<value>[^\s/@\"']+)(?=@)", re.IGNORECASE)
_SHAPES = re.compile(r"\b(?:hf_[A-Za-z0-9]{16,}|sk-[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{16,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)")
# One of these is in every line that has a secret, in lower case; other lines are not looked at closer.
_HINTS = ("token", "pass", "pwd", "secret", "key", "credential", "authorization", "cookie", "bearer", "basic", "://", "hf_", "sk-", "gh", "akia", "eyj")
_KEY_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_KEY_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")


def is_secret(name: str) -> bool:
    """Whether the value under this name of a variable, key or option is a secret."""
    if name.upper() == name:
        return any(word in name for word in _IN_CAPITALS)
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (words[-1] in _AT_THE_END or not _ANYWHERE.isdisjoint(words) or "".join(words[-2:]) in _ANYWHERE)


def _mask_named(text: str, name: re.Pattern[str], value: re.Pattern[str]) -> str:
    kept: list[str] = []
    position = 0
    while match := name.search(text, position):
        kept.append(text[position : match.end()])
        position = match.end()
        found = value.match(text, position) if is_secret(match["name"]) else None
        if found:
            opening = re.match(r"\\*[\"']?", found[0])
            kept.append((opening[0] if opening else "") + MASK)
            position = found.end()
    return "".join(kept) + text[position:]


def line(text: str) -> str:
    """One line without its secrets."""
    if len(text) > LINE_CHARACTERS:
        text = text[:LINE_CHARACTERS] + " [cut]"
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text
    text = _HEADER.sub(lambda match: match["before"] + MASK, text)
    text = _SCHEME.sub(lambda match: match["before"] + MASK, text)
    text = _USER_INFO.sub(lambda match: match["before"] + MASK, text)
    for name, value in _NAMED:
        text = _mask_named(text, name, value)
    return _SHAPES.sub(MASK, text)


class Redactor:
    """Line by line; a private key, which has many lines, becomes one."""

    def __init__(self) -> None:
        self._in_key = False

    def __call__(self, text: str) -> str | None:
        """The line to be kept, None for one that is left out."""
        if self._in_key:
            self._in_key = not _KEY_END.search(text)
            return None
        begin = _KEY_BEGIN.search(text)
        if begin:
            self._in_key = not _KEY_END.search(text)
            return line(text[: begin.start()]) + "[private key removed]"
        return line(text)


def text(whole: str) -> str:
    """A text of some lines, or JSON, without its secrets."""
    try:
        document = json.loads(whole)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, (dict, list)):
        return json.dumps(_value(document), indent=2, ensure_ascii=False) + "\n"
    redactor = Redactor()
    kept = (redactor(raw) for raw in whole.splitlines())
    return "".join(f"{raw}\n" for raw in kept if raw is not None)


def _value(value: t.Any, secret: bool = False) -> t.Any:
    if isinstance(value, dict):
        return {key: _value(item, secret or is_secret(key)) for key, item in value.items()}
    if isinstance(value, list):
        # The secret of --token VALUE is the element after.
        before = ["", *value[:-1]]
        return [_value(item, secret or _is_option(previous)) for item, previous in zip(value, before)]
    if secret and value not in (None, "", True, False):
        return MASK
    return text(value).rstrip("\n") if isinstance(value, str) and value else value


def _is_option(value: t.Any) -> bool:
    return isinstance(value, str) and value.startswith("-") and "=" not in value and is_secret(value.lstrip("-"))
