# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.npuops.ascend.plugins.modules import glibcxx_info


def test_the_first_library_that_exists_is_read(run_module, tmp_path):
    runtime = next((path for path in sorted(pathlib.Path("/usr/lib").glob("*-linux-gnu/libstdc++.so.6"))), None)
    if runtime is None:
        pytest.skip("this machine has no libstdc++ where Debian has it")
    result, _commands = run_module(glibcxx_info, {"paths": [str(tmp_path / "none"), str(runtime)]}, {})
    assert result["changed"] is False
    assert result["path"] == str(runtime.resolve())
    assert result["highest"].startswith("GLIBCXX_3.4.")
    assert "GLIBCXX_3.4.11" in result["versions"]
    assert "CXXABI_1.3" in result["versions"]


def test_no_library_is_an_answer(run_module, tmp_path):
    result, _commands = run_module(glibcxx_info, {"paths": [str(tmp_path / "none")]}, {})
    assert (result["path"], result["highest"], result["versions"]) == (None, None, [])


def test_another_file_is_refused_by_its_path(run_module, tmp_path):
    (tmp_path / "libstdc++.so.6").write_text("INPUT(libstdc++.so.6.0.33)")
    result, _commands = run_module(glibcxx_info, {"paths": [str(tmp_path / "libstdc++.so.6")]}, {})
    assert result["failed"]
    assert f"{tmp_path}/libstdc++.so.6 cannot be read as a shared library: it is no ELF file" in result["msg"]
