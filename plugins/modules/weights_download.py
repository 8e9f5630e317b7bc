#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: weights_download
short_description: Download a model from a hub or from a web server
version_added: 0.2.0
author: npuops contributors (@npuops)
description:
  - Downloads from ModelScope, Modelers and Hugging Face with the Python clients of these hubs, which have to be installed for the interpreter that runs the
    module. Set C(ansible_python_interpreter) for the task to that of a virtual environment.
  - Downloads from a web server need nothing but Python. Several files are fetched at a time, and a started file continues where it was.
  - The token is an argument of the module, which reaches the host through the connection. It is neither in the command line of a process nor printed.
    Ansible's keyword C(environment) would put it on command lines on the controller and the host.
  - Free space is looked at before the first byte is written. While it runs, bytes, rate and time left are shown on the controller. It runs in the background
    of the host, so a dropped connection does not end it.
extends_documentation_fragment:
  - npuops.ascend.attributes
  - npuops.ascend.attributes.progress
attributes:
  check_mode:
    support: full
    details: The source is asked for names and sizes.
  diff_mode:
    support: none
  idempotent:
    support: full
  async:
    support: full
    details: Progress is not shown then.
options:
  path:
    description: Directory for the model on the host.
    type: path
    required: true
  source:
    description: Which hub, or V(url) for a web server.
    type: str
    choices: [url, modelscope, modelers, huggingface]
    required: true
  location:
    description:
      - The repository, such as V(vllm-ascend/DeepSeek-R1-0528-W8A8).
      - For V(url) the address of an archive, or of the folder that the files are in. What is in a folder is told by O(files), or by a file C(SHA256SUMS) in it.
    type: str
    required: true
  revision:
    description: Branch, tag or commit in the repository. By default that of the hub.
    type: str
    default: ""
  endpoint:
    description: Address of a mirror of the hub. The client of Modelers takes C(https) only, and only hosts that it knows.
    type: str
    default: ""
  token:
    description: Access token of the hub.
    type: str
  headers:
    description: Headers for a web server, for example C(Authorization).
    type: dict
    default: {}
  include:
    description: Patterns of the files to download. By default all.
    type: list
    elements: str
    default: []
  exclude:
    description: Patterns of files to leave out.
    type: list
    elements: str
    default: []
  files:
    description: Paths of the files below O(location), for V(url).
    type: list
    elements: str
    default: []
  environment:
    description: Variables for the client, for example C(HTTPS_PROXY). They are not on any command line either.
    type: dict
    default: {}
  workers:
    description: Number of files that are fetched at a time.
    type: int
    default: 8
  reserve:
    description: Share of the size that must be free beside it.
    type: float
    default: 0.05
  plan:
    description: Only ask the source for names and sizes, write nothing.
    type: bool
    default: false
  progress:
    description: File on the host that says how far the download is, outside of O(path).
    type: path
    required: true
  timeout:
    description: Seconds after which the download is given up. The next run continues it.
    type: int
    default: 86400
  poll_interval:
    description: Seconds between two lines of progress.
    type: int
    default: 10
"""

EXAMPLES = r"""
- name: Download from ModelScope
  npuops.ascend.weights_download:
    path: /data/DeepSeek-R1-0528-W8A8
    source: modelscope
    location: vllm-ascend/DeepSeek-R1-0528-W8A8
    token: "{{ vault_modelscope_token }}"
    progress: /var/lib/npuops/weights/r1.progress
  vars:
    ansible_python_interpreter: /opt/npuops/weights/bin/python

- name: Download from a web server
  npuops.ascend.weights_download:
    path: /data/DeepSeek-R1-W8A8
    source: url
    location: https://models.example.com/DeepSeek-R1-W8A8
    progress: /var/lib/npuops/weights/r1.progress
"""

RETURN = r"""
files:
  description: Path and size of each file of the source; the size is null where the source does not tell it.
  returned: success
  type: list
  elements: dict
  sample: [{"path": "config.json", "size": 1727}]
total_bytes:
  description: Sum of the known sizes.
  returned: success
  type: int
  sample: 690000000000
missing_bytes:
  description: How much of it had to be, or in check mode would have to be, downloaded.
  returned: success
  type: int
  sample: 690000000000
checksums:
  description: The file C(SHA256SUMS) of a web server; empty when there is none.
  returned: success
  type: str
  sample: ""
"""

import importlib
import os
import shutil
import threading
import typing as t
import urllib.error
from concurrent.futures import ThreadPoolExecutor

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.urls import open_url

from ansible_collections.npuops.ascend.plugins.module_utils import _hub as core
from ansible_collections.npuops.ascend.plugins.module_utils import _manifest
from ansible_collections.npuops.ascend.plugins.module_utils._progress import ProgressFile

BLOCK = 1024 * 1024
SUMS = "SHA256SUMS"
CONNECT_SECONDS = 30
WATCH_SECONDS = 1.0
# What HTTP libraries call it when nobody answers.
UNREACHABLE = ("ConnectionError", "ConnectError", "NetworkError", "Timeout", "gaierror", "MaxRetryError")
# Where clients keep what is unfinished, and notes of what is finished.
CLIENT_FOLDERS = (".cache", "._____temp")
MAX_TEXT = 16 * 1024 * 1024


class Source:
    """What every source can do."""

    def __init__(self, module: AnsibleModule) -> None:
        self.params = module.params
        self.path = os.path.normpath(module.params["path"])
        self.checksums = ""

    def files(self) -> dict[str, int | None]:
        raise NotImplementedError

    def fetch(self, files: dict[str, int | None], progress: ProgressFile) -> None:
        raise NotImplementedError

    def file(self, name: str) -> str:
        return os.path.join(self.path, name)


class Web(Source):
    def __init__(self, module: AnsibleModule) -> None:
        super().__init__(module)
        self.base = self.params["location"]

    def _open(self, url: str, **options: t.Any) -> t.Any:
        headers = {**self.params["headers"], **options.pop("headers", {})}
        return open_url(url, headers=headers, timeout=CONNECT_SECONDS, follow_redirects="all", force=True, **options)

    def _refuse(self, url: str, error: Exception) -> t.NoReturn:
        status = error.code if isinstance(error, urllib.error.HTTPError) else None
        reason = str(getattr(error, "reason", error) or error)
        shown = core.shown_url(url)
        text = core.explain("url", shown, "this file", status, reason, False, unreachable=status is None)
        raise core.SourceError(text) from None

    def _url(self, name: str) -> str:
        return self.base if core.is_archive(self.base) else core.file_url(self.base, name)

    def files(self) -> dict[str, int | None]:
        if core.is_archive(self.base):
            names = [os.path.basename(core.shown_url(self.base))]
        else:
            names = self.params["files"] or self._listed()
            names = [name for name in names if core.wanted(name, self.params["include"], self.params["exclude"])]
        outside = [name for name in names if not _manifest.is_plain_path(name)]
        if outside:
            shown = ", ".join(outside[:3])
            raise core.SourceError(f"The files of {core.shown_url(self.base)} would be written outside of their folder: {shown}. Correct the list.")
        with ThreadPoolExecutor(max_workers=self.params["workers"]) as pool:
            return dict(zip(names, pool.map(self._size, names)))

    def _listed(self) -> list[str]:
        url = core.file_url(self.base, SUMS)
        try:
            self.checksums = self._open(url).read(MAX_TEXT).decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            if error.code != 404:
                self._refuse(url, error)
            raise core.SourceError(
                f"{core.shown_url(self.base)} has no {SUMS}, so what is in this folder is not known. "
                "Put one there (sha256sum of all files), or set weights_source_files."
            ) from None
        except OSError as error:
            self._refuse(url, error)
        return sorted(_manifest.parse_sums(self.checksums))

    def _size(self, name: str) -> int | None:
        url = self._url(name)
        try:
            length = self._open(url, method="HEAD").headers.get("Content-Length")
        except OSError as error:
            self._refuse(url, error)
        return int(length) if length is not None else None

    def fetch(self, files: dict[str, int | None], progress: ProgressFile) -> None:
        with ThreadPoolExecutor(max_workers=self.params["workers"]) as pool:
            for _done in pool.map(lambda name: self._fetch(name, files[name], progress), files):
                pass

    def _fetch(self, name: str, size: int | None, progress: ProgressFile) -> None:
        url, target = self._url(name), self.file(name)
        part = f"{target}.part"
        os.makedirs(os.path.dirname(target), mode=0o750, exist_ok=True)
        there = os.path.getsize(part) if os.path.exists(part) else 0
        if size is not None and there > size:
            there = 0
        try:
            if size is None or there < size:
                reply = self._open(url, headers={"Range": f"bytes={there}-", "Accept-Encoding": "identity"} if there else {"Accept-Encoding": "identity"})
                # A server that knows no ranges sends everything from the beginning.
                there = there if reply.status == 206 else 0
                progress.advance(there)
                with open(part, "r+b" if there else "wb") as file:
                    file.seek(there)
                    file.truncate()
                    while block := reply.read(BLOCK):
                        file.write(block)
                        progress.advance(len(block))
            else:
                progress.advance(there)
        except urllib.error.URLError as error:
            self._refuse(url, error)
        except OSError as error:
            if error.filename:
                raise
            self._refuse(url, error)
        found = os.path.getsize(part)
        if size is not None and found != size:
            raise core.SourceError(f"{core.shown_url(url)} ended after {found} of {size} bytes. Run again: it continues there.")
        os.replace(part, target)


class HubClient(Source):
    """The client of a hub, in its own process settings: what clients read from the environment they read when they are imported."""

    def __init__(self, module: AnsibleModule) -> None:
        super().__init__(module)
        self.hub = core.HUBS[self.params["source"]]
        self.repository = self.params["location"]
        self.revision = self.params["revision"] or self.hub.revision
        self.token = self.params["token"] or None
        self.endpoint = self.params["endpoint"] or None
        os.environ.update(core.environment(self.params["source"], self.path, self.params["endpoint"]))

    def client(self, name: str) -> t.Any:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            raise core.SourceError(
                f"The interpreter of this task has no Python package {self.hub.package} ({error}). Install it (weights_pip_wheel_dir without network)."
            ) from None

    def names_and_sizes(self) -> dict[str, int | None]:
        raise NotImplementedError

    def snapshot(self) -> None:
        raise NotImplementedError

    def files(self) -> dict[str, int | None]:
        listed = self.guarded(self.names_and_sizes)
        files = {name: size for name, size in listed.items() if core.wanted(name, self.params["include"], self.params["exclude"])}
        if not files:
            raise core.SourceError(
                f"{self.hub.title} has {len(listed)} files in {self.repository}, but include and exclude leave none. "
                "Correct weights_include and weights_exclude."
            )
        return files

    def fetch(self, files: dict[str, int | None], progress: ProgressFile) -> None:
        ended = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(progress, ended), daemon=True)
        watcher.start()
        try:
            self.guarded(self.snapshot)
        finally:
            ended.set()
            watcher.join()
        for name in CLIENT_FOLDERS:
            shutil.rmtree(self.file(name), ignore_errors=True)

    def _watch(self, progress: ProgressFile, ended: threading.Event) -> None:
        """Clients show bars for a terminal; the disk tells the same."""
        before = used_bytes(self.path)
        while not ended.wait(WATCH_SECONDS):
            progress.reach(max(0, used_bytes(self.path) - before))

    def guarded(self, work: t.Callable[[], t.Any]) -> t.Any:
        """Turn what a client raises into one message; each has exceptions of its own, and wraps those of its HTTP library."""
        try:
            return work()
        except core.SourceError:
            raise
        except Exception as error:
            chain: list[BaseException] = []
            link: BaseException | None = error
            while link is not None and link not in chain:
                chain.append(link)
                link = link.__cause__ or link.__context__
            status = next((code for code in map(status_of, chain) if code), None)
            names = " ".join(kind.__name__ for part in chain for kind in type(part).__mro__)
            unreachable = status is None and any(word in names for word in UNREACHABLE)
            where = self.endpoint or self.hub.endpoint
            what = f"{self.repository} in revision {self.revision}"
            text = core.explain(self.params["source"], where, what, status, str(error) or type(error).__name__, bool(self.token), unreachable)
            if self.token:
                text = text.replace(self.token, "***")
            raise core.SourceError(text) from error

    def patterns(self) -> dict[str, t.Any]:
        return {"allow_patterns": self.params["include"] or None, "ignore_patterns": self.params["exclude"] or None, "max_workers": self.params["workers"]}


class HuggingFace(HubClient):
    def names_and_sizes(self) -> dict[str, int | None]:
        api = self.client("huggingface_hub").HfApi(endpoint=self.endpoint, token=self.token)
        info = api.model_info(self.repository, revision=self.revision, files_metadata=True)
        return {sibling.rfilename: sibling.size for sibling in info.siblings}

    def snapshot(self) -> None:
        self.client("huggingface_hub").snapshot_download(
            self.repository, revision=self.revision, local_dir=self.path, token=self.token, endpoint=self.endpoint, **self.patterns(),
        )


class ModelScope(HubClient):
    def names_and_sizes(self) -> dict[str, int | None]:
        self.client("modelscope")
        try:
            hub = importlib.import_module("modelscope_hub")
        except ImportError:
            return self._names_and_sizes_before_modelscope_hub()
        api = hub.HubApi(token=self.token, endpoint=self.endpoint)
        return {file.path: file.size for file in api.list_repo_files(self.repository, "model", revision=self.revision) if file.type != "tree"}

    def _names_and_sizes_before_modelscope_hub(self) -> dict[str, int | None]:
        """With modelscope 1.37, the last one for Python 3.9."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        api = self.client("modelscope.hub.api").HubApi()
        files = api.get_model_files(self.repository, revision=self.revision, recursive=True, headers=headers, endpoint=self.endpoint)
        return {file["Path"]: file.get("Size") for file in files if file.get("Type") != "tree"}

    def snapshot(self) -> None:
        self.client("modelscope.hub.snapshot_download").snapshot_download(
            self.repository, revision=self.revision, local_dir=self.path, token=self.token, endpoint=self.endpoint, **self.patterns(),
        )


class Modelers(HubClient):
    def names_and_sizes(self) -> dict[str, int | None]:
        api = self.client("openmind_hub").OmApi(endpoint=self.endpoint, token=self.token)
        tree = api.list_repo_tree(repo_id=self.repository, recursive=True, revision=self.revision, token=self.token)
        return {entry.path: entry.size for entry in tree if hasattr(entry, "size")}

    def snapshot(self) -> None:
        # Links into the cache are what this client makes of files over 5 MiB unless it is told otherwise, and the engine refuses links.
        self.client("openmind_hub").snapshot_download(
            self.repository, revision=self.revision, local_dir=self.path, local_dir_use_symlinks=False, token=self.token, endpoint=self.endpoint,
            cache_dir=self.file(".cache"), **self.patterns(),
        )


SOURCES = {"url": Web, "modelscope": ModelScope, "modelers": Modelers, "huggingface": HuggingFace}


def status_of(error: BaseException) -> int | None:
    for holder in (getattr(error, "response", None), error):
        code = getattr(holder, "status_code", None)
        if isinstance(code, int):
            return code
    return None


def used_bytes(path: str) -> int:
    total = 0
    for folder, _folders, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def existing_parent(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def check_space(path: str, missing: int, reserve: float) -> None:
    space = os.statvfs(existing_parent(path))
    # What an interrupted download left is used again, or overwritten.
    free, needed = space.f_bavail * space.f_frsize, int(missing * (1 + reserve)) - unfinished_bytes(path)
    if needed > free:
        raise core.SourceError(
            f"The file system of {path} has {free / 1e9:.1f} GB free, but {missing / 1e9:.1f} GB have to be downloaded and {needed / 1e9:.1f} GB must be free. "
            "Free some, or give another directory."
        )


def unfinished_bytes(path: str) -> int:
    """What the unfinished files take; finished ones are no part of what is missing."""
    return used_bytes(path) - sum(
        os.lstat(os.path.join(folder, name)).st_blocks * 512
        for folder, _folders, names in os.walk(path) for name in names if _manifest.belongs(os.path.relpath(os.path.join(folder, name), path))
    )


def run(module: AnsibleModule) -> dict[str, t.Any]:
    params = module.params
    os.environ.update({name: str(value) for name, value in params["environment"].items()})
    source = SOURCES[params["source"]](module)
    files = source.files()
    missing = {name: size for name, size in files.items() if not os.path.isfile(source.file(name)) or os.path.getsize(source.file(name)) != size}
    missing_bytes = sum(size or 0 for size in missing.values())
    check_space(source.path, missing_bytes, params["reserve"])
    if missing and not params["plan"] and not module.check_mode:
        os.makedirs(source.path, mode=0o750, exist_ok=True)
        os.makedirs(os.path.dirname(params["progress"]), mode=0o755, exist_ok=True)
        shown = core.shown_url(params["location"]) if params["source"] == "url" else params["location"]
        progress = ProgressFile(params["progress"], missing_bytes, f"downloading {shown}")
        try:
            source.fetch(missing, progress)
        finally:
            progress.remove()
    return {
        "changed": bool(missing) and not params["plan"],
        "files": [{"path": name, "size": size} for name, size in sorted(files.items())],
        "total_bytes": sum(size or 0 for size in files.values()),
        "missing_bytes": missing_bytes,
        "checksums": source.checksums,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "source": {"type": "str", "choices": ["url", "modelscope", "modelers", "huggingface"], "required": True},
            "location": {"type": "str", "required": True},
            "revision": {"type": "str", "default": ""},
            "endpoint": {"type": "str", "default": ""},
            "token": {"type": "str", "no_log": True},
            "headers": {"type": "dict", "default": {}, "no_log": True},
            "include": {"type": "list", "elements": "str", "default": []},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "str", "default": []},
            "environment": {"type": "dict", "default": {}, "no_log": True},
            "workers": {"type": "int", "default": 8},
            "reserve": {"type": "float", "default": 0.05},
            "plan": {"type": "bool", "default": False},
            "progress": {"type": "path", "required": True},
            "timeout": {"type": "int", "default": 86400},
            "poll_interval": {"type": "int", "default": 10},
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except (core.SourceError, _manifest.ManifestError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"{error.filename or module.params['path']}: {error.strerror or error}. Run the task with become, and look at the disk.")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
