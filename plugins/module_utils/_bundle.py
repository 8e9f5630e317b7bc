# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A support bundle of one host: where each file goes, and an archive that has a limit and no secrets.

The layout is the collection directory of ``ascend-fd parse`` (Ascend/mind-cluster, docs/zh/faultdiag/ascend-faultdiag/05_usage/02_log_collection.md;
file names as component/ascend-faultdiag/src/ascend_fd/pkg/parse/parser_saver.py looks for them). What ascend-fd does not read lies in ``npuops``.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import stat
import tarfile
import tempfile
import time
import typing as t
import zlib

from ansible_collections.npuops.ascend.plugins.module_utils import _redact

OWN = "npuops"
# ascend-fd refuses larger logs of CANN.
FILE_BYTES = 20 * 1024 * 1024 - 4096
SPOOLED = 1024 * 1024
READ_AT_ONCE = 64 * 1024
UNPACKED_BYTES = 1024 * 1024 * 1024

_PLOG = re.compile(r"plog-\d{1,10}_\d{1,20}\.log(?:\.gz)?")
_DEVICE_LOG = re.compile(r"device-\d{1,10}_\d{1,20}\.log(?:\.gz)?")
_MINDIE_LOG = re.compile(r"mindie-[\w.-]+\.log(?:\.\d+)?(?:\.gz)?")
# Keys and certificates are never read, wherever they lie.
_NEVER = re.compile(
    r"\.(?:pem|key|crt|cer|der|p12|pfx|jks|ks|kdb|ppk)\Z|\Aid_(?:rsa|dsa|ecdsa|ed25519)|\A(?:shadow|gshadow|\.netrc|\.pgpass|htpasswd)", re.IGNORECASE
)
_NEVER_FOLDERS = {"security", "certs", "ssl", "private", ".ssh", ".kube", ".docker", "tls"}


def is_forbidden(path: str) -> bool:
    """Whether a file may hold a key or a certificate. MindIE's audit log, security/*.log, is none."""
    folders = path.split("/")[1:-1]
    name = os.path.basename(path)
    if _NEVER.search(name):
        return True
    return not name.endswith((".log", ".log.gz")) and not _NEVER_FOLDERS.isdisjoint(folders)


def place(path: str) -> str:
    """Where a file of the host goes in the collection directory."""
    parts = [part for part in path.split("/") if part]
    name = parts[-1]
    plain = name[:-3] if name.endswith(".gz") else name
    if _PLOG.fullmatch(name) or _DEVICE_LOG.fullmatch(name):
        # .../debug/plog/plog-1_2.log; the two directories above the file are what ascend-fd goes by.
        kind = parts[-3] if len(parts) > 2 and parts[-3] in ("debug", "run", "security", "operation") else "debug"
        return "/".join(("process_log", _origin(parts[:-3]), kind, parts[-2] if len(parts) > 1 else "plog", plain))
    if _MINDIE_LOG.fullmatch(name):
        kind = "security" if "security" in parts else "debug"
        return "/".join(("mindie", "log", kind, _origin([part for part in parts[:-1] if part not in ("debug", "security")]), plain))
    if len(parts) == 3 and parts[:2] == ["var", "log"] and (name.startswith("messages") or name == "sysmonitor.log"):
        return plain
    if len(parts) == 3 and parts[:2] == ["var", "log"] and name.startswith("syslog"):
        return f"messages-{plain}"
    if parts[:3] == ["var", "log", "mindx-dl"] or parts[:3] == ["var", "log", "ascend-docker-runtime"]:
        return "/".join(("dl_log", *(parts[3:-1] if parts[2] == "mindx-dl" else parts[2:-1]), plain))
    return "/".join((OWN, "files", *parts[:-1], plain))


def _origin(parts: list[str]) -> str:
    """The service or user that a log is of, as one name."""
    common = {"var", "log", "logs", "home", "ascend", "mindie", "npuops"}
    return "-".join(part for part in parts if part not in common) or "default"


def unpack(stream: t.BinaryIO) -> t.BinaryIO:
    start = stream.read(2)
    stream.seek(0)
    return t.cast("t.BinaryIO", gzip.GzipFile(fileobj=stream)) if start == b"\x1f\x8b" else stream


class Bundle:
    """An archive under construction. What does not fit, or cannot be read, is named and left out."""

    def __init__(self, path: str, total_bytes: int, file_bytes: int = FILE_BYTES) -> None:
        self.left = total_bytes
        self.file_bytes = min(file_bytes, FILE_BYTES)
        self.files: list[dict[str, t.Any]] = []
        self.left_out: list[dict[str, str]] = []
        self._names: set[str] = set()
        self._archive = tarfile.open(fileobj=os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb"), mode="w:gz", compresslevel=6)

    def close(self) -> None:
        fileobj = self._archive.fileobj
        self._archive.close()
        if fileobj is not None:
            fileobj.close()

    def omit(self, source: str, reason: str) -> None:
        self.left_out.append({"source": source, "reason": reason})

    def add_text(self, name: str, content: str, source: str) -> None:
        """Output of a command."""
        data = content.encode("utf-8", "replace")
        self._add(name, io.BytesIO(data), source, len(data), time.time(), content.lstrip()[:1] in ("{", "["))

    def add_file(self, path: str) -> None:
        """A text file of the host, also a compressed one."""
        if is_forbidden(path):
            self.omit(path, "it may hold a key or a certificate")
            return
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode):
                self.omit(path, "it is no regular file")
                return
            with open(path, "rb") as raw:
                stream = unpack(raw)
                if b"\0" in stream.read(4096):
                    self.omit(path, "it is no text")
                    return
                stream.seek(0)
                size = _size(stream) if stream is not raw else status.st_size
                self._add(place(path), stream, path, size, status.st_mtime, path.endswith(".json"))
        except (OSError, EOFError, zlib.error) as error:
            self.omit(path, getattr(error, "strerror", None) or str(error) or type(error).__name__)

    def _add(self, name: str, stream: t.BinaryIO, source: str, size: int, modified: float, as_document: bool) -> None:
        limit = min(self.file_bytes, self.left)
        if limit < READ_AT_ONCE and size > limit:
            self.omit(source, "the bundle is full")
            return
        with tempfile.SpooledTemporaryFile(SPOOLED) as spool:
            if as_document and size <= SPOOLED:
                spool.write(_redact.text(stream.read(SPOOLED).decode("utf-8", "replace")).encode())
                cut = False
            else:
                cut = _copy(stream, spool, size, limit)
            length = spool.tell()
            spool.seek(0)
            member = tarfile.TarInfo(self._free_name(name))
            member.size, member.mtime, member.mode = length, int(modified), 0o600
            self._archive.addfile(member, spool)
        self.left -= length
        self.files.append({"name": member.name, "source": source, "bytes": length, "cut": cut})

    def _free_name(self, name: str) -> str:
        free, number = name, 1
        while free in self._names:
            number += 1
            free = f"{name}.{number}"
        self._names.add(free)
        return free


def _size(stream: t.BinaryIO) -> int:
    size = 0
    while chunk := stream.read(1024 * 1024):
        size += len(chunk)
        if size > UNPACKED_BYTES:
            raise OSError(f"it unpacks to more than {UNPACKED_BYTES} bytes")
    stream.seek(0)
    return size


def _copy(stream: t.BinaryIO, spool: t.Any, size: int, limit: int) -> bool:
    """Copy line by line without secrets; of what is too long the first and the last part, because the first error counts and the last state."""
    cut = size > limit
    head = limit // 2 if cut else limit
    redact = _redact.Redactor()
    position = written = 0
    skipping = False
    while raw := stream.readline(READ_AT_ONCE):
        begins = position
        position += len(raw)
        if cut and begins >= head and begins < size - head:
            if not skipping:
                spool.write(f"[... {size - 2 * head} bytes left out ...]\n".encode())
                skipping = True
            continue
        kept = redact(raw.decode("utf-8", "replace").rstrip("\r\n"))
        if kept is None:
            continue
        data = kept.encode() + b"\n"
        written += len(data)
        if written > limit + READ_AT_ONCE:
            # The file has grown since.
            return True
        spool.write(data)
    return cut
