# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/hccn.conf as the tool keeps it: what was observed, traps included."""

from __future__ import annotations

import errno
import typing as t
from pathlib import Path

import pytest
from npusim import hccn_conf
from npusim.hccn_conf import ConfMissing, ConfNotWritable, HccnConf

SAMPLES = Path(__file__).resolve().parents[2] / "fixtures" / "cli" / "host-files"


@pytest.fixture
def conf(tmp_path: Path) -> t.Callable[[bytes], HccnConf]:
    def write(content: bytes) -> HccnConf:
        (tmp_path / "hccn.conf").write_bytes(content)
        return HccnConf(0, str(tmp_path / "hccn.conf"))
    return write


def content(file: HccnConf) -> bytes:
    return Path(file._path).read_bytes()


def test_a_set_drops_the_old_line_and_appends_the_new_one(conf) -> None:
    file = conf(b"address_0=192.0.2.1\nnetmask_0=255.255.255.0\n")
    file.put("address_0", "192.0.2.2")
    assert content(file) == b"netmask_0=255.255.255.0\naddress_0=192.0.2.2\n"


def test_a_set_of_the_same_value_moves_the_line_all_the_same(conf) -> None:
    file = conf(b"address_0=192.0.2.1\nnetmask_0=255.255.255.0\n")
    file.put("address_0", "192.0.2.1")
    assert content(file) == b"netmask_0=255.255.255.0\naddress_0=192.0.2.1\n"


def test_a_set_matches_the_whole_key_at_the_start_of_the_line_only(conf) -> None:
    others = b"bond_address_0=192.0.2.8\nIPv6address_0=2001:db8::8\naddress_10=192.0.2.9\n #address_0=192.0.2.7\n"
    file = conf(others + b"address_0=192.0.2.1\n")
    file.put("address_0", "192.0.2.2")
    assert content(file) == others + b"address_0=192.0.2.2\n"


def test_without_a_final_newline_the_next_line_is_glued_and_then_lost(conf) -> None:
    file = conf(b"address_0=192.0.2.1\nnetmask_0=255.255.255.0")
    file.put("address_0", "192.0.2.2")
    assert content(file) == b"netmask_0=255.255.255.0address_0=192.0.2.2\n"
    file.put("netmask_0", "255.255.255.0")
    assert content(file) == b"netmask_0=255.255.255.0\n"


def test_of_a_doubled_key_the_first_line_counts_and_a_set_removes_all(conf) -> None:
    file = conf(b"mtu_0=1500\ntls_enable_0=0\nmtu_0=9000\n")
    assert file.get("mtu_0") == "1500"
    file.put("mtu_0", "4200")
    assert content(file) == b"tls_enable_0=0\nmtu_0=4200\n"


def test_a_delete_matches_anywhere_in_the_line(conf) -> None:
    file = conf(b"gateway_0=192.0.2.1\nIPv6gateway_0=2001:db8::1\ngateway_1=192.0.2.1\n")
    file.delete("gateway_0")
    assert content(file) == b"gateway_1=192.0.2.1\n"


@pytest.mark.parametrize("line, value", [
    (b"mtu_0=9000\n", "9000"),
    (b"mtu_0=9000", "9000"),
    (b"mtu_0=\n", ""),
    (b"mtu_0=9000\r\n", "9000\r"),
    (b"mtu_0=9000 \n", "9000 "),
    (b"mtu_0 = 9000\n", None),
    (b" mtu_0=9000\n", None),
    (b"#mtu_0=9000\n", None),
    (b"mtu_01=9000\n", None),
    (b"", None),
])
def test_a_value_is_all_that_follows_the_key(conf, line: bytes, value: str | None) -> None:
    assert conf(line).get("mtu_0") == value


def test_bytes_that_are_not_utf8_and_odd_line_ends_survive(conf) -> None:
    file = conf(b"\xff\xfe=\x85\x0b1\n#\xc3\r2\nmtu_0=9000\n")
    file.put("mtu_0", "1500")
    assert content(file) == b"\xff\xfe=\x85\x0b1\n#\xc3\r2\nmtu_0=1500\n"


@pytest.mark.parametrize("act", [
    lambda file: file.get("mtu_0"), lambda file: file.put("mtu_0", "1"), lambda file: file.delete("mtu_0"), lambda file: file.require_writable()])
def test_a_missing_file_is_never_made(tmp_path: Path, act) -> None:
    with pytest.raises(ConfMissing):
        act(HccnConf(0, str(tmp_path / "hccn.conf")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_file_that_cannot_be_opened_is_not_writable(conf, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(path: str) -> int:
        raise OSError(code, "refused", path)

    file = conf(b"mtu_0=1500\n")
    monkeypatch.setattr(hccn_conf, "open_for_writing", refuse)
    with pytest.raises(ConfNotWritable):
        file.put("mtu_0", "9000")
    assert file.get("mtu_0") == "1500"


def test_only_root_writes(conf) -> None:
    file = conf(b"mtu_0=1500\n")
    ordinary = HccnConf(1000, file._path)
    assert ordinary.get("mtu_0") == "1500"
    with pytest.raises(ConfNotWritable):
        ordinary.put("mtu_0", "9000")


def test_the_file_is_rewritten_in_place(conf) -> None:
    file = conf(b"mtu_0=1500\n" + b"# a long comment that goes away with nothing\n" * 100)
    inode = Path(file._path).stat().st_ino
    file.remove(lambda line: line.startswith("#"))
    assert content(file) == b"mtu_0=1500\n"
    assert Path(file._path).stat().st_ino == inode


def test_a_recorded_file_keeps_all_its_other_lines(conf) -> None:
    recorded = (SAMPLES / "hccn.conf--8x910B-full.txt").read_bytes()
    file = conf(recorded)
    file.put("mtu_7", "9000")
    assert content(file) == recorded + b"mtu_7=9000\n"
