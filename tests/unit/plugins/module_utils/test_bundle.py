# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import stat
import tarfile

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _bundle
from ansible_collections.npuops.ascend.plugins.module_utils._bundle import Bundle


@pytest.mark.parametrize(
    ("path", "name"),
    [
        # The layout of ascend-fd: 02_log_collection.md, parser_saver.py.
        ("/var/log/npuops/deepseek/debug/plog/plog-7_20251012171733458.log", "process_log/deepseek/debug/plog/plog-7_20251012171733458.log"),
        ("/root/ascend/log/run/plog/plog-7_1.log.gz", "process_log/root/run/plog/plog-7_1.log"),
        ("/root/ascend/log/debug/device-3/device-7_1.log", "process_log/root/debug/device-3/device-7_1.log"),
        ("/root/mindie/log/debug/mindie-server_7_202510121717.log", "mindie/log/debug/root/mindie-server_7_202510121717.log"),
        ("/var/log/npuops/deepseek/debug/mindie-llm_7_2.log", "mindie/log/debug/deepseek/mindie-llm_7_2.log"),
        ("/var/log/messages-20251012.gz", "messages-20251012"),
        ("/var/log/syslog.1", "messages-syslog.1"),
        ("/var/log/sysmonitor.log", "sysmonitor.log"),
        ("/var/log/mindx-dl/noded/noded.log", "dl_log/noded/noded.log"),
        ("/var/log/ascend-docker-runtime/runtime-run.log", "dl_log/ascend-docker-runtime/runtime-run.log"),
        ("/var/log/ascend_seclog/ascend_install.log", "npuops/files/var/log/ascend_seclog/ascend_install.log"),
        ("/etc/npuops/mindie/config.json", "npuops/files/etc/npuops/mindie/config.json"),
    ],
)
def test_a_file_lies_where_the_analyser_looks(path, name):
    assert _bundle.place(path) == name


@pytest.mark.parametrize(
    "path",
    ["/etc/npuops/mindie/security/certs/server.pem", "/etc/npuops/a.key", "/root/.ssh/config", "/etc/npuops/mindie/security/pass/key_pwd.txt", "/etc/shadow"],
)
def test_keys_and_certificates_are_forbidden(path):
    assert _bundle.is_forbidden(path)


@pytest.mark.parametrize("path", ["/etc/npuops/mindie/config.json", "/var/log/npuops/mindie/security/mindie-audit.log"])
def test_configuration_and_audit_logs_are_not(path):
    assert not _bundle.is_forbidden(path)


@pytest.fixture
def bundle(tmp_path):
    """Fill a bundle and read it again: names to contents."""

    def run(fill, total=10_000_000, file_bytes=_bundle.FILE_BYTES):
        path = tmp_path / "bundle.tar.gz"
        made = Bundle(str(path), total, file_bytes)
        fill(made)
        made.close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with tarfile.open(path) as archive:
            return made, {member.name: archive.extractfile(member).read().decode() for member in archive}

    return run


def test_secrets_do_not_come_in(bundle, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"ServerConfig": {"port": 1025, "tlsPkPwd": "topsecret"}}')
    log = tmp_path / "a.log.gz"
    log.write_bytes(gzip.compress(b"one\nHF_TOKEN=topsecret\n-----BEGIN PRIVATE KEY-----\ntopsecret\n-----END PRIVATE KEY-----\ntwo\n"))
    key = tmp_path / "server.key"
    key.write_text("topsecret")

    def fill(made):
        for path in (config, log, key):
            made.add_file(str(path))
        made.add_text("docker.json", '[{"Config": {"Env": ["A=1", "API_KEY=topsecret"]}, "Args": ["--token", "topsecret"]}]', "docker inspect a")

    made, contents = bundle(fill)
    assert "topsecret" not in "".join(contents.values())
    assert '"port": 1025' in contents[_bundle.place(str(config))]
    assert contents[_bundle.place(str(log))] == "one\nHF_TOKEN=***\n[private key removed]\ntwo\n"
    assert made.left_out == [{"source": str(key), "reason": "it may hold a key or a certificate"}]


def test_of_a_long_file_both_ends_are_kept(bundle, tmp_path):
    path = tmp_path / "long.log"
    path.write_text("first\n" + "middle of it\n" * 100_000 + "last\n")
    made, contents = bundle(lambda made: made.add_file(str(path)), file_bytes=200_000)
    content = contents[_bundle.place(str(path))]
    assert content.startswith("first\n") and content.endswith("last\n")
    assert "bytes left out ...]" in content
    assert len(content) < 200_000 + 2 * _bundle.READ_AT_ONCE
    assert made.files[0]["cut"] is True


def test_a_full_bundle_names_what_is_left_out(bundle, tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.log").write_text("x" * 99 + "\n" * 1 + ("y" * 99 + "\n") * 1000)
    made, contents = bundle(lambda made: [made.add_file(str(tmp_path / f"{name}.log")) for name in "abcd"], total=250_000)
    assert sum(map(len, contents.values())) <= 250_000 + _bundle.READ_AT_ONCE
    # Two files of 100 kB, and no room for a part of a third that would tell anything.
    assert made.left_out == [{"source": str(tmp_path / name), "reason": "the bundle is full"} for name in ("c.log", "d.log")]


def test_what_cannot_be_read_is_named(bundle, tmp_path):
    (tmp_path / "binary.log").write_bytes(b"a\0b")
    (tmp_path / "link.log").symlink_to("/etc/hostname")
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(b"a line of text\n" * 10000)[:-30])
    names = ("binary.log", "link.log", "cut.log.gz", "none.log")
    made, contents = bundle(lambda made: [made.add_file(str(tmp_path / name)) for name in names])
    assert contents == {}
    assert [entry["source"] for entry in made.left_out] == [str(tmp_path / name) for name in names]


def test_two_files_of_one_name_are_both_kept(bundle):
    made, contents = bundle(lambda made: [made.add_text("dmesg", text, "x") for text in ("one\n", "two\n")])
    assert contents == {"dmesg": "one\n", "dmesg.2": "two\n"}
    assert [entry["bytes"] for entry in made.files] == [4, 4]


def test_text_that_is_no_utf8_is_kept(bundle, tmp_path):
    (tmp_path / "a.log").write_bytes(b"caf\xe9\n")
    _made, contents = bundle(lambda made: made.add_file(str(tmp_path / "a.log")))
    assert list(contents.values()) == ["caf\ufffd\n"]
