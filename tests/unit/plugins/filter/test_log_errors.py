# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.log_errors import log_errors
from hypothesis import given, settings
from hypothesis import strategies as st

PROBES = "".join(f"-- Performing Test HAS_ERROR_{number} - Failed\n" for number in range(2000))


def test_cmake():
    text = PROBES + "-- Configuring incomplete, errors occurred!\nCMake Error at CMakeLists.txt:228 (message):\n  NUMA library not found\n\nbuild stopped\n"
    assert log_errors(text) == ["CMake Error at CMakeLists.txt:228 (message):", "  NUMA library not found"]


def test_compiler_line_with_its_context_but_not_the_flags():
    text = "g++ -Werror=format -c moe.cpp\nmoe.cpp:12:3: error: 'x' was not declared\n   12 |   x();\n      |   ^\nmake: *** [moe.o] Error 1\n"
    assert log_errors(text) == ["moe.cpp:12:3: error: 'x' was not declared", "   12 |   x();", "      |   ^", "make: *** [moe.o] Error 1"]


def test_traceback_is_its_last_line():
    text = 'Traceback (most recent call last):\n  File "setup.py", line 3, in <module>\n    raise ValueError\nValueError: Unsupported backend: nothing\n'
    assert log_errors(text) == ["ValueError: Unsupported backend: nothing"]


def test_last_line_of_a_traceback_of_any_name():
    text = 'Traceback (most recent call last):\n  File "setup.py", line 3\nsubprocess.TimeoutExpired: Command timed out\n'
    assert log_errors(text) == ["subprocess.TimeoutExpired: Command timed out"]


def test_service_that_misses_a_library():
    text = "Starting\nImportError: libhccl.so: cannot open shared object file: No such file or directory\n"
    assert log_errors(text) == ["ImportError: libhccl.so: cannot open shared object file: No such file or directory"]


def test_first_errors_win():
    assert log_errors("".join(f"error: {number}\n" for number in range(50)), limit=3) == ["error: 0", "error: 1", "error: 2"]


def test_one_error_is_said_once():
    assert log_errors("error: same\nnote\nerror: same\n") == ["error: same"]


def test_without_an_error_the_end_is_shown():
    assert log_errors("one\ntwo  \n\nthree\r\n", limit=2) == ["two", "three"]


def test_colours_go():
    assert log_errors("\x1b[31merror: red\x1b[0m\n") == ["error: red"]


def test_empty():
    assert log_errors("") == []


def test_something_else_than_a_text():
    with pytest.raises(AnsibleFilterError, match="found list"):
        log_errors([])


@given(st.text(max_size=300), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_never_more_than_the_limit(text, limit):
    assert len(log_errors(text, limit)) <= limit
