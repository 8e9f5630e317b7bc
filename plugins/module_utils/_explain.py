# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines of logs → the first error by time → what it means. Bounded memory whatever the size of the logs; no files are opened here.

What counts as an error, and which of several came first, is decided here for all callers.
"""

from __future__ import annotations

import datetime
import math
import re
import typing as t
from collections import deque
from dataclasses import asdict, dataclass

from ansible_collections.npuops.ascend.plugins.module_utils._explain_catalogue import ENTRIES, TLS_MIXED, Entry

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# A line longer than this is cut: logs hold whole prompts and tensors.
LINE_BYTES = 16384
LINE_SHOWN = 600
UNKNOWN_KEPT = 5
OTHERS_KEPT = 10
# Rows of HCCL's table of failed links: of each device some, so that none is missing.
LINKS_KEPT = 512
LINKS_OF_A_DEVICE = 4
OBSERVED_KEPT = 8
SHOWN = 3
# How many lines without a time are kept back until one with a time follows, or searched for one that stood before.
UNDATED_KEPT = 200

# 2025-10-12 17:17:33.458+08:00 of MindIE, 2025-10-12-17:17:33.458.123 of plog, 20250717-10:36:24 of CANN's installers.
_STAMP = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)[ T-](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,6})(?:\.(\d{1,3}))?)?([+-]\d\d:?\d\d)?")
_STAMP_WITHIN = 120
_UNIX_STAMP = re.compile(r"^(\d{9,}\.\d+) \S+ [^:\s]+: ?(.*)$")
# Terminal colours and carriage returns of progress bars.
_CONTROL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|\r")

_TRACEBACK = "Traceback (most recent call last):"
_ERROR = re.compile(
    r"""
    \[(?:ERROR|CRITICAL|FATAL)\] | \[MIE[0-9A-F]{11}\]      # MindIE's log
    | \bE[A-Z]\d{4}\b                                        # CANN's error codes: EI0006, EE9999
    | \b(?i:error|fatal|killed)\b | ^\w*(?:Error|Exception)\b
    | \b(?:is|are)\ (?:invalid|not\ exist)\b | \bis\ empty\b | \bout\ of\ (?:allow\ range|memory|bound)
    | \bmust\ be\ in\b | \bnot\ equal\b | \bmissing\ compulsory\b
    | \bshould\ not\ be\b | \bcannot\ be\ equal\b | \bpermission\ check\ failed | \bCheck\ \w+\ .*?failed
    | \b[Ff]ailed\ to\b | \bnot\ permitted\b | \bcannot\ (?:access|open\ shared\ object)\b | \b[Nn]o\ such\ file\b
    | \binvalid\ mount\ config\b | \bterminated\ by\ signal\b
    | \bNo\ space\ left\ on\ device\b | \bundefined\ (?:reference|symbol)\b | \bcommand\ not\ found\b
    """,
    re.VERBOSE,
)
# Compiler flags, counts of nothing, CMake's probes, advice, a container that a unit removes before it starts its own;
# and lines that are marked as less than an error.
_HARMLESS = re.compile(
    r"""
    -Wno-error | -Werror | \b(?:0|no)\ errors?\b | ^--\ (?:Performing\ Test|Looking\ for|Check) | errors\ occurred!
    | No\ such\ container | ^\s*(?:Possible\ Cause|Solution)\s*: | \w*Warning: | ^\s*File\ ".*",\ line\ \d+
    | \[(?:INFO|DEBUG|TRACE|EVENT|WARN|WARNING)\] | \b(?:INFO|DEBUG|WARNING)\ \d\d-\d\d\ \d\d:
    """,
    re.VERBOSE | re.IGNORECASE,
)
# One of these is in every line that matters, in lower case; the rest of a large log is not looked at closer.
_TRIGGERS = tuple(
    word.encode()
    for word in (
        *("error", "err_", "fail", "exception", "traceback", "fatal", "kill", "oom", "invalid", "timeout", "time out", "times out", "timed out", "not ", "can"),
        *("missing", "must", "should", "denied", "refused", "support", "unknown", "undefined", "unrecogn", "out of", "empty", "abnormal", "exhaust", "ret is"),
        *("inconsistent", "occupied", "busy", "in use", "listen", "expect", "already", "down", "packet", "unreachable", "conflict", "terminated", "exceeded"),
        *("exited", "lost ", "leakage", "link_error", "linkinfo", "mismatch", "no module", "no such", "no npu", "no space", "no ip", "no package"),
        *("is a directory", "eula", "root user", "last training", "download and install", "retcode", "same super", "different phys", "set_env"),
        *("multiple tasks", "being executed", "try build", "[mie0", "ei00", "ej00", "ee10", "ei99", "ee99", "e199", "e300", "el00"),
        *("n't", "earlier than"),
    )
)
# What is not marked as an error matters only where it says so: installers tag failures INFO, MindIE's audit too.
_INFORMATION = (b"[INFO]", b"[DEBUG]")
_INFORMATION_TRIGGERS = (b"fail", b"error", b"eula")
# Of these lines every one tells something else.
_PLACE_WORDS = (b"LinkInfo", b"crimer rank", b"Exception Location", b"srcRank", b"Traceback")
_DIGITS = b"0123456789"
_SHAPES_KEPT = 20000

_LINK = re.compile(
    r"\|\s*(?P<dest>[0-9A-Fa-f.:]+)\((?P<dest_rank>\d+)\)\s*\|\s*(?P<dest_port>\d+)\s*\|\s*(?P<src>[0-9A-Fa-f.:]+)\((?P<src_rank>\d+)\)\s*"
    r"\|\s*(?P<src_port>\d+)\s*\|\s*(?P<role>\w+)\s*\|\s*(?P<status>[^|]*?)\s*\|\s*(?P<tls>\w+)\s*\|"
)
# What HCCL says of the place of a fault: entry, pattern, words.
_PLACES = (
    (
        "heartbeat",
        re.compile(r"crimer rank ?\[([^\]]{1,80})\](?: ?status ?\[([^\]]{1,40})\])? ?by informer rank ?\[([^\]]{1,80})\]"),
        lambda m: f"rank {m[1]} {m[2] or 'is at fault'}, reported by {m[3]}",
    ),
    (
        "heartbeat",
        re.compile(r"Cluster Exception Location\[IP/ID\]:\[([^\]]{1,80})\].*?ExceptionType:\[([^\]]{1,60})\]"),
        lambda m: f"{m[1]}: {m[2]}",
    ),
    (
        "EI0006",
        re.compile(r"srcRank ?\(([^)]{1,120})\) fails to connect to dstRank ?\(([^)]{1,120})\)"),
        lambda m: f"{m[1]} does not reach {m[2]}",
    ),
)

_HDK_LINE = re.compile(r"ERR_NO:|^\s*\[(?:driver|firmware)\]", re.IGNORECASE)
_CANN_LINE = re.compile(r"^\s*\[(?:toolkit|kernels|ops|nnal|nnae|nnrt|atb|cann)\w*\]\s*\[\d", re.IGNORECASE)

# In the order of the entries.
_MARKS = tuple((mark.lower(), entry) for entry in ENTRIES for mark in entry.marks)

LANGUAGES = ("en", "zh")


@dataclass(frozen=True)
class Line:
    """One line of a log; ``time`` in seconds since the epoch, None when the line carries none and none stood before."""

    source: str
    text: str
    time: float | None


# Reading ------------------------------------------------------------------------------------------------------------


def _stamp(text: str, zone: datetime.timezone) -> float | None:
    match = _STAMP.search(text[:_STAMP_WITHIN])
    if not match:
        return None
    year, _dash, month, day, hour, minute, second, fraction, rest, offset = match.groups()
    if offset:
        digits = offset[1:].replace(":", "")
        shift = datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        zone = datetime.timezone(-shift if offset[0] == "-" else shift) if shift < datetime.timedelta(hours=24) else zone
    try:
        moment = datetime.datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(f"{fraction or ''}{rest or ''}".ljust(6, "0")[:6]), zone
        )
        return moment.timestamp()
    except (ValueError, OverflowError):
        return None


def _zone(utc_offset: int) -> datetime.timezone:
    return datetime.timezone(datetime.timedelta(seconds=utc_offset))


def read_journal(text: str, source: str = "journal") -> list[Line]:
    """Lines of ``journalctl --output=short-unix``."""
    lines: list[Line] = []
    for raw in text.splitlines():
        match = _UNIX_STAMP.match(raw)
        lines.append(Line(source, match[2], float(match[1])) if match else Line(source, raw, lines[-1].time if lines else None))
    return lines


def read_log(source: str, text: str, utc_offset: int = 0) -> list[Line]:
    """Lines of a MindIE log or plog; one without a stamp has the time of the line before it, or else of the first one with a stamp."""
    zone = _zone(utc_offset)
    raw = text.splitlines()
    stamps = [_stamp(line, zone) for line in raw]
    time = next((stamp for stamp in stamps if stamp is not None), None)
    lines: list[Line] = []
    for line, stamp in zip(raw, stamps):
        time = time if stamp is None else stamp
        lines.append(Line(source, line, time))
    return lines


def scan(source: str, stream: t.BinaryIO, utc_offset: int = 0, also: tuple[bytes, ...] = ()) -> Iterator[Line]:
    """The lines of a log of any size that may matter, or hold one of ``also``, in its order, each with its time."""
    zone = _zone(utc_offset)
    current: float | None = None
    passed: deque[bytes] = deque(maxlen=UNDATED_KEPT)
    undated: list[str] = []
    shapes: set[bytes] = set()
    in_traceback = False
    for raw in _raw_lines(stream):
        # Nothing may be missed of a traceback: its last line is the error, whatever its words.
        wanted = in_traceback or _may_matter(raw, shapes, also)
        if not wanted and not undated:
            passed.append(raw)
            continue
        text = raw.decode("utf-8", "replace")
        stamp = _stamp(text, zone)
        if stamp is None and wanted:
            stamp = _last_stamp(passed, zone)
        passed.clear()
        if stamp is not None:
            current = stamp
        if undated and (current is not None or len(undated) >= UNDATED_KEPT):
            yield from (Line(source, earlier, current) for earlier in undated)
            undated = []
            if current is None:
                # No times in the first lines: none are expected any more.
                current = float("nan")
        if not wanted:
            continue
        in_traceback = _TRACEBACK.encode() in raw or (in_traceback and raw[:1].isspace())
        if current is None:
            undated.append(text)
        else:
            yield Line(source, text, None if math.isnan(current) else current)
    yield from (Line(source, earlier, None) for earlier in undated)


def _may_matter(raw: bytes, shapes: set[bytes], also: tuple[bytes, ...]) -> bool:
    """Whether a line has to be looked at: a message that came before with other numbers is not the first of its kind."""
    shape = raw.translate(None, _DIGITS)
    if shape in shapes:
        return False
    if any(word in raw for word in (*_PLACE_WORDS, *also)):
        return True
    if len(shapes) >= _SHAPES_KEPT:
        shapes.clear()
    shapes.add(shape)
    lowered = raw.lower()
    triggers = _INFORMATION_TRIGGERS if any(tag in raw for tag in _INFORMATION) else _TRIGGERS
    return any(word in lowered for word in triggers)


def _raw_lines(stream: t.BinaryIO) -> Iterator[bytes]:
    while raw := stream.readline(LINE_BYTES):
        complete = raw.endswith(b"\n")
        yield raw.rstrip(b"\r\n")
        while not complete and (rest := stream.readline(LINE_BYTES)):
            complete = rest.endswith(b"\n")


def _last_stamp(passed: deque[bytes], zone: datetime.timezone) -> float | None:
    for raw in reversed(passed):
        stamp = _stamp(raw[:_STAMP_WITHIN].decode("utf-8", "replace"), zone)
        if stamp is not None:
            return stamp
    return None


# Errors -------------------------------------------------------------------------------------------------------------


class Errors:
    """Tells line by line whether a log reports an error; a traceback is reduced to its last line."""

    ERROR = "error"
    BELONGS = "belongs"

    def __init__(self) -> None:
        self._in_traceback = False
        self._belongs = False

    def judge(self, text: str) -> str | None:
        """``error`` for a line that reports one, ``belongs`` for the indented lines after it."""
        if not text or text.isspace():
            return None
        indented = text[0].isspace()
        if text.rstrip().endswith(_TRACEBACK):
            self._in_traceback, self._belongs = True, False
            return None
        if self._in_traceback and indented:
            return None
        ended, self._in_traceback = self._in_traceback, False
        if (self._belongs and indented) or not ((ended or _ERROR.search(text)) and not _HARMLESS.search(text)):
            self._belongs = self._belongs and indented
            return self.BELONGS if self._belongs else None
        # A traceback is all told by its last line.
        self._belongs = not ended
        return self.ERROR


def summary(text: str, limit: int) -> list[str]:
    """The lines of a log that report an error, each with those that belong to it; the last lines where none does."""
    errors = Errors()
    lines = [line for line in (_CONTROL.sub("", line).rstrip() for line in text.splitlines()) if line]
    found: list[str] = []
    for line in lines:
        verdict = errors.judge(line)
        if verdict == Errors.BELONGS or (verdict == Errors.ERROR and line not in found):
            found.append(line)
    return found[:limit] if found else lines[-limit:]


def find(text: str, context: str = "") -> Entry | None:
    """The entry of the catalogue for one line; ``context`` names the installer that said it, hdk or cann."""
    text = text[:LINE_BYTES]
    if not context:
        context = "cann" if _CANN_LINE.search(text) else "hdk" if _HDK_LINE.search(text) else ""
    lowered = text.lower()
    for mark, entry in _MARKS:
        if mark in lowered and entry.context in ("", context) and entry.agrees(text):
            return entry
    return None


# First by time ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """A line that reports an error; ``id`` is its entry, None where the catalogue has none. ``number`` orders lines of one moment."""

    id: str | None
    line: str
    time: float | None
    file: str
    number: int


def _order(finding: Mapping[str, t.Any]) -> tuple[bool, float, int]:
    return finding["time"] is None, finding["time"] or 0.0, finding["number"]


class Search:
    """Collects what several logs of one host report: the earliest line of each entry, and the earliest lines without an entry."""

    def __init__(self, since: float | None = None) -> None:
        self.since = since
        self._count = 0
        self._known: dict[str, dict[str, t.Any]] = {}
        self._unknown: list[dict[str, t.Any]] = []
        self._links: list[dict[str, str]] = []
        self._places: list[list[str]] = []

    def add(self, lines: Iterable[Line]) -> None:
        """Take the lines of one log."""
        errors = Errors()
        for line in lines:
            if self.since is not None and line.time is not None and line.time < self.since:
                continue
            text = _CONTROL.sub("", line.text[:LINE_BYTES])
            verdict = errors.judge(text)
            self._note_place(text)
            entry = find(text)
            if entry is None and verdict != Errors.ERROR:
                continue
            self._count += 1
            self._keep(asdict(Finding(entry.id if entry else None, text.strip()[:LINE_SHOWN], line.time, line.source, self._count)))

    def _keep(self, finding: dict[str, t.Any]) -> None:
        if finding["id"] is not None:
            known = self._known.setdefault(finding["id"], finding)
            self._known[finding["id"]] = min(known, finding, key=_order)
        else:
            self._unknown = sorted((*self._unknown, finding), key=_order)[:UNKNOWN_KEPT]

    def _note_place(self, text: str) -> None:
        link = _LINK.search(text) if "|" in text else None
        if link:
            self._note_link(link.groupdict())
        for entry, pattern, words in _PLACES:
            match = pattern.search(text) if "ank" in text or "Exception" in text else None
            place = [entry, words(match)] if match else None
            if place and place not in self._places and len(self._places) < OBSERVED_KEPT:
                self._places.append(place)

    def _note_link(self, row: dict[str, str]) -> None:
        same_device = sum(known["src"] == row["src"] for known in self._links)
        if row not in self._links and same_device < LINKS_OF_A_DEVICE and len(self._links) < LINKS_KEPT:
            self._links.append(row)

    def evidence(self) -> dict[str, t.Any]:
        """Plain data: what ``explain`` takes."""
        return {"findings": sorted((*self._known.values(), *self._unknown), key=_order), "links": self._links, "places": self._places}


_BY_ID = {entry.id: entry for entry in (*ENTRIES, TLS_MIXED)}


def first_error(evidence: Mapping[str, t.Any]) -> dict[str, t.Any] | None:
    """The earliest error of one host; a mere consequence of another error only when there is no other."""
    findings = evidence["findings"]
    return next((finding for finding in findings if not _is_consequence(finding)), findings[0] if findings else None)


def _is_consequence(finding: Mapping[str, t.Any]) -> bool:
    return finding["id"] in _BY_ID and _BY_ID[finding["id"]].consequence


def explain(hosts: Mapping[str, Mapping[str, t.Any]]) -> dict[str, t.Any]:
    """What the evidence of some hosts comes to: the first cause by time with its entry, and what else was said."""
    found = [{**finding, "host": host} for host, evidence in hosts.items() for finding in evidence.get("findings", ())]
    found.sort(key=_order)
    causes = [finding for finding in found if not _is_consequence(finding)]
    unknown = [finding for finding in causes if finding["id"] not in _BY_ID]
    known = [finding for finding in causes if finding["id"] in _BY_ID]
    # A consequence explains nothing where another error is there, known or not.
    best = known[0] if known else unknown[0] if unknown else found[0] if found else None
    links = [row for evidence in hosts.values() for row in evidence.get("links", ())]
    entry = _BY_ID.get(best["id"]) if best else None
    if entry is not None and entry.id == "EI0006" and _mixed_tls(links):
        entry = TLS_MIXED
    places = [text for evidence in hosts.values() for name, text in evidence.get("places", ()) if best and name == best["id"]]
    if best and best["id"] == "EI0006":
        places += _links_text(links)
    return {
        "known": entry is not None,
        "id": entry.id if entry else None,
        "title": entry.title if entry else None,
        "line": best["line"] if best else None,
        "time": best["time"] if best else None,
        "host": best["host"] if best else None,
        "file": best["file"] if best else None,
        "observed": "; ".join(list(dict.fromkeys(places))[:OBSERVED_KEPT]),
        "cause": entry.cause if entry else None,
        "remedy": entry.remedy if entry else None,
        "source": entry.source if entry else None,
        "consequence": entry.consequence if entry else False,
        "first_error": _shown(causes[0] if causes else best),
        "others": [_shown(finding) for finding in found if finding is not best and finding["id"] in _BY_ID][:OTHERS_KEPT],
        "unknown": [_shown(finding) for finding in unknown if finding is not best][:UNKNOWN_KEPT],
    }


def _shown(finding: Mapping[str, t.Any] | None) -> dict[str, t.Any] | None:
    if finding is None:
        return None
    entry = _BY_ID.get(finding["id"])
    return {**{key: finding[key] for key in ("id", "line", "time", "host", "file")}, "title": entry.title if entry else None}


def _mixed_tls(links: Iterable[Mapping[str, str]]) -> bool:
    return {"ENABLE", "DISABLE"} <= {row["tls"] for row in links}


def _links_text(links: Sequence[Mapping[str, str]]) -> list[str]:
    """The devices of either position of the TLS switch where they differ, and some of the links that failed."""
    told = []
    if _mixed_tls(links):
        for tls in ("ENABLE", "DISABLE"):
            devices = list(dict.fromkeys(f"{row['src']} (rank {row['src_rank']})" for row in links if row["tls"] == tls))
            told.append(f"TLS {tls} on {_some(devices)}")
    rows = [
        f"{row['src']} (rank {row['src_rank']}, {row['role']}, TLS {row['tls']}) to {row['dest']} (rank {row['dest_rank']}) "
        f"port {row['dest_port']}: {row['status']}"
        for row in links
    ]
    return [*told, _some(rows, "; ")] if rows else told


def _some(texts: Sequence[str], separator: str = ", ") -> str:
    more = len(texts) - SHOWN
    return separator.join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")


# Text ---------------------------------------------------------------------------------------------------------------

_WORDS = {
    "en": {
        "cause": "Cause: {}",
        "remedy": "Remedy: {}",
        "source": "Source: {}.",
        "observed": "Observed: {}.",
        "elsewhere": "First on {host} ({file}): {line}",
        "later": "The first error is not in the catalogue; explained is a later line: {line}",
        "unknown": "The catalogue does not know this error: its cause is unknown.",
        "nothing": "No error was found.",
        "others": "Other messages that are known, by time; most follow from it:",
        "unknown_lines": "Lines that report an error and are not in the catalogue:",
    },
    "zh": {
        "cause": "原因：{}",
        "remedy": "处理：{}",
        "source": "依据：{}。",
        "observed": "现象：{}。",
        "elsewhere": "最早出现在 {host}（{file}）：{line}",
        "later": "最早的错误不在目录中；以下解释的是其后的一行：{line}",
        "unknown": "目录中没有该错误，原因未知。",
        "nothing": "没有发现错误。",
        "others": "其他已知报错（按时间），多由其引起：",
        "unknown_lines": "疑似错误、但目录中没有的行：",
    },
}


def sentences(entry: Entry, language: str = "en") -> str:
    """Cause, remedy and source of one entry, as the end of a message."""
    words = _WORDS[language]
    return " ".join(
        (words["cause"].format(entry.cause[language]), words["remedy"].format(entry.remedy[language]), words["source"].format(entry.source.rstrip(".")))
    )


def message(result: Mapping[str, t.Any], language: str = "en", host: str | None = None) -> str:
    """What ends the message of a failed task: one paragraph. ``host`` has shown its own first error already."""
    words = _WORDS[language]
    if result["first_error"] is None:
        return ""
    if not result["known"]:
        return words["unknown"]
    parts = []
    if host is not None and result["host"] != host:
        parts.append(words["elsewhere"].format(**result))
    elif result["first_error"]["line"] != result["line"]:
        parts.append(words["later"].format(**result))
    if result["observed"]:
        parts.append(words["observed"].format(result["observed"]))
    parts.append(sentences(_BY_ID[result["id"]], language))
    return " ".join(parts)


def report(result: Mapping[str, t.Any], language: str = "en") -> str:
    """The same for a reader who asked for it: a paragraph per thing, evidence included."""
    words = _WORDS[language]
    if result["first_error"] is None:
        return words["nothing"]
    lines = []
    if result["known"]:
        lines.append(f"{result['id']}: {result['title'][language]}")
    lines += [_where(result), f"  {result['line']}"]
    if result["observed"]:
        lines.append(words["observed"].format(result["observed"]))
    lines += (
        [
            words["cause"].format(result["cause"][language]),
            words["remedy"].format(result["remedy"][language]),
            words["source"].format(result["source"].rstrip(".")),
        ]
        if result["known"]
        else [words["unknown"]]
    )
    for key, heading in (("unknown", "unknown_lines"), ("others", "others")):
        if result[key]:
            lines += ["", words[heading]]
            for finding in result[key]:
                title = f"{finding['id']}: {finding['title'][language]}" if finding["title"] else ""
                lines += [line for line in (f"- {_where(finding)} {title}".rstrip(), f"    {finding['line']}") if line]
    return "\n".join(lines)


def _where(finding: Mapping[str, t.Any]) -> str:
    moment = ""
    if finding["time"] is not None:
        moment = datetime.datetime.fromtimestamp(finding["time"], datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
    return ", ".join(part for part in (finding["host"], finding["file"], moment) if part)
