# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated model's pace, its batch limit and its time limit; the rule by which two devices link."""

from __future__ import annotations

import sys
import threading
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests/simulator/mindie"))

from mindiesim.engine import Engine, Request, tokenize  # noqa: E402  its path is added above
from mindiesim.metrics import Metrics  # noqa: E402  its path is added above
from mindiesim.peers import expected_links, greeting, may_link  # noqa: E402  its path is added above
from mindiesim.ranktable import Device, RankTable, Server  # noqa: E402  its path is added above
from mindiesim.settings import Settings  # noqa: E402  its path is added above


def engine(e2e_timeout: int = 600, **settings: float) -> Engine:
    config = types.SimpleNamespace(model_name="m", max_input_tokens=100, max_new_tokens=50, max_seq_len=60, max_batch=1, e2e_timeout=e2e_timeout)
    return Engine(config, Settings(**settings), Metrics("m"))


def test_tokens_are_words_and_single_other_characters():
    assert tokenize("Hi there, 你好!") == ["Hi", " there", ",", " 你", "好", "!"]


def test_an_answer_fits_into_the_sequence_length():
    answer = engine().answer(Request("x " * 55, "x", ignore_eos=True))
    assert (answer.prompt_tokens, len(answer.tokens), answer.finish_reason) == (55, 5, "length")


def test_the_pace_is_the_stated_one():
    pieces = list(engine(prefill_tokens_per_second=20.0, decode_seconds_per_token=0.02).answer(Request("a b", "a b", max_tokens=3)))
    assert 100 <= pieces[0].milliseconds < 1000
    assert all(20 <= piece.milliseconds < 1000 for piece in pieces[1:])


def test_a_request_beyond_the_batch_waits():
    made = engine(decode_seconds_per_token=0.0)
    first = iter(made.answer(Request("a", "a", max_tokens=2)))
    next(first)
    done = threading.Event()

    def second() -> None:
        list(made.answer(Request("b", "b", max_tokens=2)))
        done.set()

    threading.Thread(target=second, daemon=True).start()
    assert not done.wait(0.2)
    assert (made.metrics.gauges["num_requests_running"], made.metrics.gauges["num_requests_waiting"]) == (1, 1)
    list(first)
    assert done.wait(5)


def test_an_answer_that_takes_too_long_is_given_up():
    made = engine(e2e_timeout=1, time_scale=0.01, decode_seconds_per_token=0.02)
    with pytest.raises(TimeoutError, match=r"Engine callback timeout\."):
        list(made.answer(Request("a", "a")))
    assert made.metrics.gauges["num_requests_running"] == 0


def test_settings_come_from_the_environment():
    made = Settings.from_env({"MINDIESIM_ROOT": "/x", "MINDIESIM_TIME_SCALE": "0.5", "MINDIESIM_HCCL_PORT": "17000", "OTHER": "1"})
    assert made == Settings(root=Path("/x"), time_scale=0.5, hccl_port=17000)
    assert made.wait(10) == 5.0


def table(digest: str = "d") -> RankTable:
    servers = [Server(f"s{number}", f"192.0.2.{number}", (Device(0, f"198.51.100.{number}", number),)) for number in range(3)]
    return RankTable(tuple(servers), digest, {})


def test_a_link_needs_equal_table_tls_and_version():
    device = Device(0, "198.51.100.1", 0)
    own = greeting(device, table(), tls=False)
    assert may_link(own, greeting(Device(1, "198.51.100.2", 1), table(), tls=False))
    assert not may_link(own, greeting(device, table(), tls=True))
    assert not may_link(own, greeting(device, table("e"), tls=False))
    assert not may_link(own, greeting(device, table(), tls=False, version="2.1.RC1"))
    assert not may_link(own, {})


def test_later_servers_call_earlier_ones():
    made = table()
    assert [(link.peer.rank, link.role) for link in expected_links(made, made.servers[1])] == [(0, "client"), (2, "server")]
