# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import http.server
import importlib.util
import io
import os
import pathlib
import sys
import threading
import time

import pytest

from ansible_collections.npuops.ascend.plugins.modules import weights_download

HUB = pathlib.Path(__file__).parents[3] / "simulator/hub/hub.py"
REPOSITORY = "npuops/DeepSeek-R1-W8A8"
FILES = {"config.json": b'{"quantize": "w8a8_dynamic"}', "model-00001-of-00002.safetensors": os.urandom(3_000_000), "tp-0/model.safetensors": b"x" * 100_000}
SIZE = sum(map(len, FILES.values()))


@pytest.fixture(scope="module")
def hub_class():
    spec = importlib.util.spec_from_file_location("hub", HUB)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Hub


@pytest.fixture
def served(tmp_path, hub_class):
    """The stand-in on a free port, with a repository; gives its class, with the attributes folder, token and log, and its address."""
    folder = tmp_path / "served"
    for name, data in FILES.items():
        (folder / REPOSITORY / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / REPOSITORY / name).write_bytes(data)

    class Hub(hub_class):
        pass

    Hub.folder, Hub.log = folder, io.StringIO()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Hub.address = f"http://127.0.0.1:{server.server_port}"
    yield Hub
    server.shutdown()
    server.server_close()


@pytest.fixture
def download(run_module, tmp_path, monkeypatch):
    # Clients are told where to go by variables, which must not outlive the test.
    monkeypatch.setattr(os, "environ", dict(os.environ) | {"no_proxy": "*"})

    def run(check=False, **options):
        return run_module(weights_download, {"path": str(tmp_path / "model"), "progress": str(tmp_path / "state/p.json"), **options}, check=check)[0]

    return run


def web(served, **options):
    return {"source": "url", "location": f"{served.address}/files/{REPOSITORY}", **options}


def publish_sums(served, **changes):
    text = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in {**FILES, **changes}.items())
    (served.folder / REPOSITORY / "SHA256SUMS").write_text(text)
    return text


def assert_all_there(tmp_path):
    there = {str(path.relative_to(tmp_path / "model")): path.read_bytes() for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert there == FILES


def test_a_folder_with_sums(download, served, tmp_path):
    sums = publish_sums(served)
    result = download(**web(served))
    assert (result["changed"], result["total_bytes"], result["missing_bytes"], result["checksums"]) == (True, SIZE, SIZE, sums)
    assert_all_there(tmp_path)
    again = download(**web(served))
    assert (again["changed"], again["missing_bytes"]) == (False, 0)


def test_files_by_name_and_patterns(download, served, tmp_path):
    result = download(**web(served, files=[*FILES], exclude=["tp-0/"]))
    assert [file["path"] for file in result["files"]] == ["config.json", "model-00001-of-00002.safetensors"]
    assert not (tmp_path / "model/tp-0").exists()


def test_a_started_file_continues(download, served, tmp_path):
    shard = "model-00001-of-00002.safetensors"
    (tmp_path / "model").mkdir()
    (tmp_path / f"model/{shard}.part").write_bytes(FILES[shard][:2_000_000])
    download(**web(served, files=[*FILES]))
    assert_all_there(tmp_path)
    # Address, method, path, first byte, number of bytes. The stand-in writes it after the last byte, which is when the client goes on.
    deadline = time.monotonic() + 60
    while f"GET {REPOSITORY}/{shard} 2000000 1000000\n" not in served.log.getvalue():
        assert time.monotonic() < deadline, served.log.getvalue()
        time.sleep(0.01)


def test_a_server_that_knows_no_ranges(download, served, tmp_path, monkeypatch):
    shard = "model-00001-of-00002.safetensors"
    (tmp_path / "model").mkdir()
    (tmp_path / f"model/{shard}.part").write_bytes(b"old" * 1000)
    real = served.send_file
    monkeypatch.setattr(served, "send_file", lambda self, path, body: (self.headers.__delitem__("Range"), real(self, path, body)))
    download(**web(served, files=[*FILES]))
    assert_all_there(tmp_path)


def test_an_archive_is_one_file(download, served, tmp_path):
    (served.folder / REPOSITORY / "r1.tar").write_bytes(b"tar")
    download(source="url", location=f"{served.address}/files/{REPOSITORY}/r1.tar?sign=secret")
    assert (tmp_path / "model/r1.tar").read_bytes() == b"tar"


def test_a_plan_writes_nothing(download, served, tmp_path):
    for options in ({"plan": True}, {"check": True}):
        result = download(**web(served, files=[*FILES]), **options)
        assert (result["missing_bytes"], (tmp_path / "model").exists()) == (SIZE, False)


@pytest.mark.parametrize("options, words", [
    ({}, ["has no SHA256SUMS", "weights_source_files"]),
    ({"files": ["absent.json"]}, ["There is no http://127.0.0.1:", "absent.json", "weights_source_files"]),
    ({"files": ["../../etc/passwd"]}, ["outside of their folder: ../../etc/passwd"]),
    (
        {"files": ["config.json"], "location": "http://127.0.0.1:9/files"},
        ["The server at http://127.0.0.1:9/files/config.json cannot be reached", "weights_source_url"],
    ),
    ({"files": [*FILES], "reserve": 1e12}, ["GB free", "must be free"]),
])
def test_refusals_before_anything_is_written(download, served, tmp_path, options, words):
    result = download(**{**web(served), **options})
    assert result["failed"]
    for word in words:
        assert word in result["msg"]
    assert not (tmp_path / "model").exists()


def test_a_file_that_ends_too_early(download, served, monkeypatch):
    publish_sums(served)
    real = weights_download.Web._size
    monkeypatch.setattr(weights_download.Web, "_size", lambda self, name: real(self, name) + 1)
    assert "ended after" in download(**web(served, files=["config.json"]))["msg"]


# ---- hubs, with their own clients


HUBS = [pytest.param("huggingface", "huggingface_hub"), pytest.param("modelscope", "modelscope")]


@pytest.mark.parametrize("source, package", HUBS)
def test_a_repository_of_a_hub(download, served, tmp_path, source, package):
    pytest.importorskip(package)
    served.token = "sesame"
    result = download(source=source, location=REPOSITORY, endpoint=served.address, token="sesame")
    assert not result.get("failed"), result["msg"]
    assert (result["changed"], result["total_bytes"]) == (True, SIZE)
    shown = {str(path.relative_to(tmp_path / "model")) for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert {name for name in shown if not name.startswith(".")} == set(FILES)
    assert not any(path.is_symlink() for path in (tmp_path / "model").rglob("*"))


@pytest.mark.parametrize("source, package", HUBS)
def test_a_wrong_token_is_said_and_not_shown(download, served, source, package):
    pytest.importorskip(package)
    served.token = "sesame"
    result = download(source=source, location=REPOSITORY, endpoint=served.address, token="wrong-token-value")
    assert "refuses the token for npuops/DeepSeek-R1-W8A8" in result["msg"]
    assert "wrong-token-value" not in result["msg"]


def test_modelers_is_asked_for_files_instead_of_links(download, monkeypatch, tmp_path):
    """Its client takes no server but the real one, so what it is called with is compared with what it accepts."""
    openmind_hub = pytest.importorskip("openmind_hub")
    calls = []
    monkeypatch.setattr(openmind_hub, "snapshot_download", lambda *arguments, **options: calls.append((arguments, options)))
    monkeypatch.setattr(weights_download.Modelers, "names_and_sizes", lambda self: {"config.json": 2})
    download(source="modelers", location="State_Cloud/DeepSeek-R1-W8A8")
    ((arguments, options),) = calls
    assert (arguments, options["local_dir"], options["local_dir_use_symlinks"]) == (("State_Cloud/DeepSeek-R1-W8A8",), str(tmp_path / "model"), False)
    assert os.environ["HUB_WHITE_LIST_PATHS"] == str(tmp_path / "model")


@pytest.mark.parametrize("source, package", [("huggingface", "huggingface_hub"), ("modelscope", "modelscope"), ("modelers", "openmind_hub")])
def test_a_host_without_the_client(download, monkeypatch, source, package):
    monkeypatch.setitem(sys.modules, package, None)
    result = download(source=source, location=REPOSITORY)
    assert f"has no Python package {package}" in result["msg"]
