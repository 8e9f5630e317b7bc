# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the installers of HDK and CANN say, and what that means.

Facts: hicann/driver (installer scripts), ascend-deployer, vendor installation guides.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.npuops.ascend.plugins.module_utils import _explain
from ansible_collections.npuops.ascend.plugins.module_utils._version import VersionError, parse_version

if t.TYPE_CHECKING:
    from collections.abc import Sequence

# Where the installers say more.
LOGS = {"hdk": "/var/log/ascend_seclog/ascend_install.log", "cann": "/var/log/ascend_seclog"}
# A removal that finds nothing to remove.
NOT_INSTALLED = "0x0080"
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
HDK_PREFIX = re.compile(r"^\s*\[(?:driver|firmware)\]\s*\[[^\]]*\]\s*(?:\[(?P<level>[A-Z]+)\])?\s*", re.IGNORECASE)
CODE = re.compile(r"ERR_NO:\s*(0x[0-9A-Fa-f]{4})\s*;\s*ERR_DES:\s*(.*)")
HDK_DONE = re.compile(r"package (?:installed|upgraded|uninstalled) (?:successfully|finished)", re.IGNORECASE)
HDK_FAILED = re.compile(r"Failed to (?:install|upgrade|uninstall) \w+ package|Error in \w+ checksums?", re.IGNORECASE)
REPORTED_VERSION = re.compile(r"\b(?:(driver|firmware)\s+)?version\s*:\s*([0-9][0-9a-z.]*)", re.IGNORECASE)
IMMEDIATE = re.compile(r"takes effect immediately", re.IGNORECASE)
AFTER_REBOOT = re.compile(r"please check after reboot|reboot (?:is )?needed|reboot now", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """One line of an installer without its prefix and colours."""

    level: str | None
    text: str


@dataclass(frozen=True)
class Outcome:
    """What one run of an installer came to."""

    ok: bool
    message: str
    reboot_required: bool = False
    code: str | None = None


def messages(text: str, prefix_pattern: re.Pattern[str]) -> list[Message]:
    """The lines of an installer, without prefixes, colours and empty lines; HDK and CANN differ in the prefix."""
    found = []
    for line in re.split(r"[\r\n]+", ANSI.sub("", text)):
        prefix = prefix_pattern.match(line)
        rest = line[prefix.end() :].strip() if prefix else line.strip()
        if rest:
            found.append(Message(prefix.group("level") if prefix else None, rest))
    return found


def reported_version(text: str) -> tuple[str | None, str] | None:
    """Read the answer to C(--version): (kind, version); None when there is no version in it."""
    for message in messages(text, HDK_PREFIX):
        found = REPORTED_VERSION.search(message.text)
        if found:
            try:
                parse_version(found.group(2))
            except VersionError:
                continue
            return (found.group(1) or "").lower() or None, found.group(2)
    return None


def judge_hdk(rc: int, text: str, language: str = "en") -> Outcome:
    """Judge a finished installer by exit code and text: 0 and 2 are success (2: the devices were not reset, reboot), unless
    the text tells of a failure, which some versions print at INFO level or with exit code 0.
    """
    said = messages(text, HDK_PREFIX)
    done = next((message.text for message in reversed(said) if HDK_DONE.search(message.text)), None)
    failed = next((message.text for message in said if HDK_FAILED.search(message.text)), None)
    numbered = next((message.text for message in said if CODE.search(message.text)), None)
    if rc not in (0, 2) or failed or (numbered and not done):
        line = numbered or _hdk_cause(said) or failed or (said[-1].text if said else "no output")
        code = CODE.search(line)
        return Outcome(False, f"exit code {rc}: {line}{explanation(line, 'hdk', language)}", code=code.group(1).lower() if code else None)
    notes = [message.text for message in said if AFTER_REBOOT.search(message.text)]
    # Unless the package says that it works at once, it works after a reboot (the firmware always).
    reboot = rc == 2 or bool(notes) or not any(IMMEDIATE.search(message.text) for message in said)
    return Outcome(True, done or (notes[-1] if notes else said[-1].text if said else ""), reboot)


def _hdk_cause(said: Sequence[Message]) -> str | None:
    known = [message.text for message in said if _explain.find(message.text, "hdk")]
    tagged = [message.text for message in said if message.level == "ERROR" or message.text.startswith("[ERROR]")]
    return next((line for line in tagged if line in known), None) or next(iter(tagged or known), None)


def explanation(line: str, installer: str, language: str = "en") -> str:
    """What follows the line with which an installer, hdk or cann, gave up: cause, remedy and source, or where to look."""
    entry = _explain.find(line, installer)
    return f" {_explain.sentences(entry, language)}" if entry else f" See {LOGS[installer]}."


def damage(rc: int, text: str, language: str = "en") -> str | None:
    """What a package's own check (C(--check)) complains of; None when it is intact."""
    if rc == 0 and not HDK_FAILED.search(text):
        return None
    said = messages(text, HDK_PREFIX)
    line = next((message.text for message in said if HDK_FAILED.search(message.text)), None) or _hdk_cause(said) or (said[-1].text if said else "no output")
    return f"{line}{explanation(line, 'hdk', language)}"


# [Toolkit] [20250717-10:36:24] [INFO] text
CANN_PREFIX = re.compile(r"^\s*\[[A-Za-z][\w .-]*\]\s*\[[0-9][^\]]*\]\s*\[(?P<level>[A-Z]+)\]\s*:?\s*")
CANN_DONE = re.compile(r"\b(?:install|upgrade|uninstall)(?:ed|ation)? success", re.IGNORECASE)
CANN_ALREADY = re.compile(r"already installed", re.IGNORECASE)
CANN_FAILED = re.compile(r"\b(?:install|upgrade|uninstall)(?:ation)? fail", re.IGNORECASE)


def judge_cann(rc: int, text: str, language: str = "en") -> Outcome:
    """Judge a finished installer: 0 is success; a package that says "already installed" is there, whatever its exit code, unless it
    goes on to an error: what is there may be another package than the one that it misses.
    """
    said = messages(text, CANN_PREFIX)
    done = next((message.text for message in reversed(said) if CANN_DONE.search(message.text)), None)
    already = next((message.text for message in said if CANN_ALREADY.search(message.text)), None)
    others = [message for message in said if not CANN_ALREADY.search(message.text)]
    failed = any(_is_error(message) or CANN_FAILED.search(message.text) for message in others)
    if rc == 0 or (already and not failed):
        return Outcome(True, done or already or (said[-1].text if said else ""))
    line = _cann_cause(others or said)
    code = CODE.search(line)
    return Outcome(False, f"exit code {rc}: {line}{explanation(line, 'cann', language)}", code=code.group(1).lower() if code else None)


def _cann_cause(said: Sequence[Message]) -> str:
    """The line that tells why: one that is known, else the first error, else the last line."""
    known = next((message.text for message in said if _explain.find(message.text, "cann") and message.level in (None, "ERROR")), None)
    error = next((message.text for message in said if _is_error(message)), None)
    return known or error or (said[-1].text if said else "no output")


def _is_error(message: Message) -> bool:
    return message.level == "ERROR" or message.text.startswith("[ERROR]")
