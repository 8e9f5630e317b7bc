# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import json
import os

import pytest

from ansible_collections.npuops.ascend.plugins.modules import weights_manifest

FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"one" * 1000,
    "model-00002-of-00002.safetensors": b"two" * 1000,
    "tp-0/model.safetensors": b"x",
}
SIZE = sum(map(len, FILES.values()))


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def look(run_module, tmp_path):
    def run(path, check=False, **options):
        return run_module(weights_manifest, {"path": str(path), "manifest": str(tmp_path / "state/m.json"), **options}, check=check)[0]

    return run


def sums():
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in FILES.items())


def test_a_manifest_is_made_once(look, model):
    made = look(model, state="present", source="here")
    assert (made["changed"], made["complete"], made["read_bytes"], made["total_bytes"]) == (True, True, SIZE, SIZE)
    listed = {entry["path"]: (entry["size"], entry["sha256"]) for entry in json.loads(made["manifest"])["files"]}
    assert listed == {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in FILES.items()}
    again = look(model, state="present", source="here")
    assert (again["changed"], again["complete"], again["read_bytes"]) == (False, True, 0)


def test_a_check_of_unchanged_weights_opens_none(look, model, monkeypatch):
    look(model, state="present")
    opened = []
    real = open
    monkeypatch.setattr("builtins.open", lambda path, *arguments, **options: opened.append(str(path)) or real(path, *arguments, **options))
    assert look(model)["complete"]
    assert [path for path in opened if path.startswith(str(model))] == []


def test_another_source_is_another_model(look, model):
    look(model, state="present", source="r1 v1")
    assert not look(model, source="r1 v2")["complete"]
    assert look(model, state="present", source="r1 v2")["read_bytes"] == SIZE


def test_a_copy_on_another_host(look, model, run_module, tmp_path):
    made = look(model, state="present")
    options = {"path": str(model), "manifest": str(tmp_path / "other/m.json")}
    nothing = run_module(weights_manifest, options)[0]
    assert (nothing["complete"], nothing["manifest"], nothing["changed"]) == (False, "", False)
    copy = run_module(weights_manifest, {**options, "content": made["manifest"]})[0]
    assert (copy["complete"], copy["changed"], copy["read_bytes"]) == (True, True, SIZE)
    assert not run_module(weights_manifest, {**options, "content": made["manifest"]})[0]["changed"]


def test_a_directory_that_is_not_there(look, tmp_path, model):
    made = look(model, state="present")
    absent = look(tmp_path / "absent", content=made["manifest"])
    assert (absent["complete"], len(absent["missing"]), absent["present_bytes"]) == (False, 4, 0)
    assert absent["free_bytes"] > 0


def test_a_flipped_byte_is_found_by_a_full_check(look, model):
    look(model, state="present")
    shard = model / "model-00002-of-00002.safetensors"
    times = os.stat(shard)
    data = bytearray(shard.read_bytes())
    data[1500] ^= 1
    shard.write_bytes(data)
    os.utime(shard, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert look(model)["complete"]
    found = look(model, full=True)
    assert (found["complete"], found["damaged"], found["read_bytes"]) == (False, [shard.name], SIZE)
    # What was found is not forgotten, and needs no second reading.
    again = look(model)
    assert (again["damaged"], again["read_bytes"]) == ([shard.name], 0)


def test_only_changed_files_are_read_again(look, model):
    look(model, state="present")
    os.utime(model / "config.json", ns=(1, 1))
    assert look(model, read=False)["unread"] == ["config.json"]
    assert look(model)["read_bytes"] == 2


def test_missing_short_and_extra_files(look, model):
    look(model, state="present")
    (model / "config.json").unlink()
    (model / "tp-0/model.safetensors").write_bytes(b"")
    (model / "generation_config.json").write_bytes(b"{}")
    found = look(model)
    assert (found["missing"], found["wrong_size"], found["extra"]) == (["config.json"], ["tp-0/model.safetensors"], ["generation_config.json"])


def test_what_downloads_leave_is_no_part_of_the_model(look, model):
    (model / ".cache").mkdir()
    (model / ".cache/x").write_bytes(b"x")
    (model / "model.safetensors.incomplete").write_bytes(b"x")
    assert len(json.loads(look(model, state="present")["manifest"])["files"]) == 4


def test_links_are_refused_or_resolved(look, model, tmp_path):
    blob = tmp_path / "blob"
    blob.write_bytes(b"data")
    (model / "linked.safetensors").symlink_to(blob)
    refused = look(model, state="present")
    assert refused["failed"] and "linked.safetensors" in refused["msg"] and "links: resolve" in refused["msg"]
    assert look(model, state="present", links="resolve", check=True)["links"] == ["linked.safetensors"]
    assert (model / "linked.safetensors").is_symlink()
    made = look(model, state="present", links="resolve")
    assert made["links"] == ["linked.safetensors"] and not (model / "linked.safetensors").is_symlink()
    assert (model / "linked.safetensors").read_bytes() == b"data"


def test_a_link_to_nothing(look, model):
    (model / "linked.safetensors").symlink_to("/absent/blob")
    assert "no file" in look(model, state="present", links="resolve")["msg"]


def test_published_sums(look, model):
    assert look(model, state="present", checksums=sums())["complete"]


def test_weights_that_are_not_those_of_the_sums(look, model, tmp_path):
    (model / "config.json").write_bytes(b"{ }")
    (model / "tp-0/model.safetensors").unlink()
    refused = look(model, state="present", checksums=sums())
    assert refused["failed"]
    assert "Absent: tp-0/model.safetensors. Other data: config.json." in refused["msg"]
    assert not (tmp_path / "state/m.json").exists()


def test_check_mode_writes_and_reads_nothing(look, model, tmp_path):
    found = look(model, state="present", check=True)
    assert (found["changed"], found["read_bytes"], found["unread_bytes"]) == (True, 0, SIZE)
    assert not (tmp_path / "state").exists()


def test_an_empty_directory(look, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "has no files" in look(tmp_path / "empty", state="present")["msg"]
