# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands for the model: an answer that says it is simulated, produced at a stated pace."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import threading
import time
from collections.abc import Iterator

from .config import ServiceConfig
from .metrics import Metrics
from .settings import IMAGE_VERSION, Settings

_TOKEN = re.compile(r"\s*(?:[A-Za-z0-9_]+|[^\sA-Za-z0-9_])")
_QUOTED_TOKENS = 40
_FILLER = (" simulated", " token")


class Refused(Exception):
    """The prompt does not fit; the text is the reply's."""


def tokenize(text: str) -> list[str]:
    """A word or a single other character is a token, with the blanks before it."""
    return _TOKEN.findall(text)


@dataclasses.dataclass(frozen=True)
class Request:
    prompt: str
    question: str
    max_tokens: int | None = None
    ignore_eos: bool = False


@dataclasses.dataclass(frozen=True)
class Piece:
    """One generated token with the milliseconds that it took; the last one carries why the answer ends."""

    text: str
    milliseconds: int
    finish_reason: str | None = None


class Answer:
    """Iterate over it once; the pieces come at the pace of the timing model."""

    def __init__(self, engine: Engine, request: Request) -> None:
        config = engine.config
        self.engine = engine
        self.prompt_tokens = len(tokenize(request.prompt))
        if not 0 < self.prompt_tokens <= config.max_input_tokens:
            raise Refused(f"Messages token length must be in(0, {config.max_input_tokens}], but got {self.prompt_tokens}")
        limit = min(request.max_tokens or config.max_new_tokens, config.max_new_tokens, config.max_seq_len - self.prompt_tokens)
        reply = self._reply(request.question)
        if request.ignore_eos:
            reply += itertools.islice(itertools.cycle(_FILLER), max(limit - len(reply), 0))
        self.tokens = reply[:limit]
        self.finish_reason = "length" if len(reply) > limit or request.ignore_eos else "stop"

    def _reply(self, question: str) -> list[str]:
        asked = tokenize(question)
        more = "" if len(asked) <= _QUOTED_TOKENS else " ..."
        text = (
            f"[simulated MindIE] No model is loaded: this text comes from the simulator of MindIE {IMAGE_VERSION}, "
            f"in place of {self.engine.config.model_name}. You asked: {''.join(asked[:_QUOTED_TOKENS]).strip()}{more}"
        )
        return tokenize(text)

    def __iter__(self) -> Iterator[Piece]:
        engine, metrics = self.engine, self.engine.metrics
        begin = time.monotonic()
        with engine.running():
            admitted = time.monotonic()
            last = admitted
            first_token = 0.0
            for number, text in enumerate(self.tokens, 1):
                if number == 1:
                    engine.prefill(self.prompt_tokens)
                else:
                    time.sleep(engine.settings.decode_seconds_per_token)
                now = time.monotonic()
                if now - begin > engine.settings.wait(engine.config.e2e_timeout):
                    raise TimeoutError("Engine callback timeout.")
                if number == 1:
                    first_token = now
                    metrics.observe("time_to_first_token_seconds", now - begin)
                else:
                    metrics.observe("time_per_output_token_seconds", now - last)
                yield Piece(text, round((now - last) * 1000), self.finish_reason if number == len(self.tokens) else None)
                last = now
        metrics.worked(self.prompt_tokens, first_token - admitted, len(self.tokens), last - first_token)
        metrics.observe("request_prompt_tokens", self.prompt_tokens)
        metrics.observe("request_generation_tokens", len(self.tokens))
        metrics.observe("e2e_request_latency_seconds", last - begin)


class Engine:
    def __init__(self, config: ServiceConfig, settings: Settings, metrics: Metrics) -> None:
        self.config, self.settings, self.metrics = config, settings, metrics
        self.slots = threading.BoundedSemaphore(config.max_batch)
        self.prefilling = threading.Lock()
        self.idle = threading.Condition()
        self.active = 0

    def answer(self, request: Request) -> Answer:
        return Answer(self, request)

    def prefill(self, tokens: int) -> None:
        """Prompts go through the devices one after another."""
        with self.prefilling:
            time.sleep(tokens / self.settings.prefill_tokens_per_second)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """A place in the batch, waited for in the queue."""
        with self.idle:
            self.active += 1
        self.metrics.move("num_requests_waiting", 1)
        self.slots.acquire()
        self.metrics.move("num_requests_waiting", -1)
        self.metrics.move("num_requests_running", 1)
        try:
            yield
        finally:
            self.slots.release()
            self.metrics.move("num_requests_running", -1)
            with self.idle:
                self.active -= 1
                self.idle.notify_all()

    def wait_idle(self, timeout: float) -> None:
        with self.idle:
            self.idle.wait_for(lambda: self.active == 0, timeout)
