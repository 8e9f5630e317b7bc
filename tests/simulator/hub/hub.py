# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server with ranges, which also answers as the hubs' clients expect it of Hugging Face and ModelScope.

Usage: python3 hub.py ADDRESS PORT FOLDER [--token TOKEN] [--log FILE] [--pid FILE]

FOLDER/OWNER/NAME is a repository. As a plain web server it gives /files/OWNER/NAME/PATH. The shapes of the answers are those that the clients
huggingface_hub 2.4 and modelscope_hub 0.5 read; revisions are not looked at.
"""
from __future__ import annotations

import argparse
import hashlib
import http.server
import json
import os
import pathlib
import re
import typing
import urllib.parse

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOCK = 1024 * 1024


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: pathlib.Path
    token = ""
    log: typing.IO[str] | None = None

    def log_message(self, *_arguments: object) -> None:
        """The log has the bytes that were sent, which is what tests ask for."""

    def do_HEAD(self) -> None:  # noqa: N802 (the name that http.server calls)
        self.answer(body=False)

    def do_GET(self) -> None:  # noqa: N802
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        url = urllib.parse.urlsplit(self.path)
        path = urllib.parse.unquote(url.path)
        query = urllib.parse.parse_qs(url.query)
        # Older clients of ModelScope say the token as a cookie.
        said = (self.headers.get("Authorization", ""), *self.headers.get("Cookie", "").split("; "))
        if self.token and not path.startswith("/files/") and not {f"Bearer {self.token}", f"m_session_id={self.token}"} & set(said):
            self.send_json(401, {"error": "Invalid credentials in Authorization header", "Code": 10010205001, "Message": "invalid token"}, body)
            return
        if match := re.fullmatch(r"/files/(.+)", path):
            self.send_file(self.folder / match[1], body)
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
            self.send_repository(match[1], body)
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/[^/]+", path):
            entries = [{"type": "file", "path": name, "size": size, "oid": digest[:40]} for name, size, digest in self.listing(match[1])]
            self.send_json(200, entries, body)
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            self.send_file(self.folder / match[1] / match[2], body)
        elif match := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/repo/files", path):
            files = [
                {"Path": name, "Name": name.rpartition("/")[2], "Size": size, "Type": "blob", "Sha256": digest, "Revision": COMMIT}
                for name, size, digest in self.listing(match[1])
            ]
            self.send_json(200, {"Code": 200, "Success": True, "Data": {"Files": files}}, body)
        elif match := re.fullmatch(r"/(?:api/v1/)?models/([^/]+/[^/]+)/(?:repo|resolve/[^/]+/(.+))", path):
            self.send_file(self.folder / match[1] / (match[2] or query.get("FilePath", [""])[0]), body)
        elif match := re.fullmatch(r"/api/v1/models/([^/]+/[^/]+)/revisions", path):
            revisions = {"Branches": [{"Revision": "master", "CreatedAt": 0}], "Tags": []}
            self.send_json(200, {"Code": 200, "Success": True, "Data": {"RevisionMap": revisions}}, body)
        else:
            self.send_json(404, {"error": f"Not found: {path}", "Code": 404, "Message": "not found"}, body)

    def listing(self, repository: str) -> list[tuple[str, int, str]]:
        top = self.folder / repository
        files = [path for path in sorted(top.rglob("*")) if path.is_file()]
        return [(str(path.relative_to(top)), path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]

    def send_repository(self, repository: str, body: bool) -> None:
        if not (self.folder / repository).is_dir():
            self.send_json(404, {"error": "Repository not found"}, body, {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [
            {"rfilename": name, "size": size, "blobId": digest[:40], "lfs": {"sha256": digest, "size": size, "pointerSize": 134}}
            for name, size, digest in self.listing(repository)
        ]
        self.send_json(200, {"_id": "1", "id": repository, "modelId": repository, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}, body)

    def send_json(self, status: int, content: object, body: bool, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(data)

    def send_file(self, path: pathlib.Path, body: bool) -> None:
        if not path.is_file() or not path.resolve().is_relative_to(self.folder.resolve()):
            self.send_json(404, {"error": "Entry not found"}, body, {"X-Error-Code": "EntryNotFound"})
            return
        size = path.stat().st_size
        begin, end = 0, size
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin, end = int(wanted[1]), min(size, int(wanted[2]) + 1 if wanted[2] else size)
        if begin >= size > 0:
            self.send_json(416, {"error": "Range not satisfiable"}, body, {"Content-Range": f"bytes */{size}"})
            return
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.send_response(206 if "Range" in self.headers else 200)
        headers = {
            "Content-Length": str(end - begin), "ETag": f'"{digest}"',
            "X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(size),
        }
        if "Range" in self.headers:
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
        for name, value in {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        sent = 0
        if body:
            with path.open("rb") as file:
                file.seek(begin)
                while sent < end - begin and (block := file.read(min(BLOCK, end - begin - sent))):
                    self.wfile.write(block)
                    sent += len(block)
        if self.log is not None:
            self.log.write(f"{self.client_address[0]} {self.command} {path.relative_to(self.folder)} {begin} {sent}\n")
            self.log.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="A web server in the shape of the hubs")
    parser.add_argument("address")
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--token", default="")
    parser.add_argument("--log", type=pathlib.Path)
    parser.add_argument("--pid", type=pathlib.Path)
    options = parser.parse_args()
    Hub.folder, Hub.token = options.folder, options.token
    if options.log:
        Hub.log = options.log.open("a", encoding="utf-8")
    if options.pid:
        options.pid.write_text(f"{os.getpid()}\n", encoding="ascii")
    http.server.ThreadingHTTPServer((options.address, options.port), Hub).serve_forever()


if __name__ == "__main__":
    main()
