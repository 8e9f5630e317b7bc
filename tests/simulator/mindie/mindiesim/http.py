# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three listeners: business (1025), management (1026) and metrics (1027), and their routes."""

from __future__ import annotations

import dataclasses
import itertools
import json
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .config import ServiceConfig
from .engine import Answer, Engine, Piece, Refused, Request
from .errors import StartFailure
from .hccn import family

ERROR_TYPES = {
    400: "Bad Request",
    404: "NotFoundError",
    422: "Input Validation Error",
    424: "Generation Error",
    500: "Incomplete Generation",
    503: "Service Unavailable",
}
ROLES = ("system", "assistant", "user", "tool")
MAX_PROBE_SECONDS = 600
DEFAULT_PROBE_SECONDS = 10


class HttpError(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text


def invalid(text: str) -> HttpError:
    return HttpError(422, text)


# -- request bodies ---------------------------------------------------------------------------------------------------


def read_body(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except ValueError as problem:
        raise invalid("Failed to parse request context to json") from problem
    if not isinstance(body, dict):
        raise invalid("Failed to parse request context to json")
    return body


def check_model(body: Mapping[str, Any], model_name: str) -> None:
    model = body.get("model")
    if model is None:
        raise invalid("Request contains not model or model null.")
    if not isinstance(model, str):
        raise invalid("Request param model must be string.")
    if not model:
        raise invalid("Request param model must be not empty.")
    if model != model_name:
        raise invalid("Model not found.")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def check_sampling(body: Mapping[str, Any], length_name: str) -> None:
    if not isinstance(body.get("stream", False), bool):
        raise invalid("Param stream not boolean.")
    length = body.get(length_name)
    if length is not None:
        if not isinstance(length, int) or isinstance(length, bool):
            raise invalid(f"{length_name} not number_integer.")
        if not 0 < length <= 2147483647:
            raise invalid(f"{length_name} must be (0, 2147483647], got {length}.")
    temperature = body.get("temperature")
    if temperature is not None and not (_is_number(temperature) and 0 <= temperature <= 2):
        raise invalid(f"temperature must be in [0.0,2.0], got {temperature}.")
    top_p = body.get("top_p")
    if top_p is not None and not (_is_number(top_p) and 0 < top_p <= 1):
        raise invalid(f"top_p must be in (0.0, 1.0], got {top_p}.")


def _content(message: Any) -> str:
    if not isinstance(message, dict) or message.get("role") is None:
        raise invalid("Request param contains not role or role null.")
    if message["role"] not in ROLES:
        raise invalid("Request param contains role must be system, assistant, user or tool.")
    content = message.get("content")
    if content is None:
        raise invalid("Request param contains not content or content null.")
    if isinstance(content, list):
        content = "".join(part.get("text", "") for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise invalid("The type of inputs is abnormal.")
    if not content:
        raise invalid("Request param content len should not be 0.")
    return content


def chat_request(body: Mapping[str, Any]) -> Request:
    messages = body.get("messages")
    if messages is None:
        raise invalid("Request param contains not messages or messages null.")
    if not isinstance(messages, list) or not messages:
        raise invalid("Request param messages not arr or arr is empty.")
    check_sampling(body, "max_tokens")
    contents = [_content(message) for message in messages]
    return Request("\n".join(contents), contents[-1], body.get("max_tokens"), bool(body.get("ignore_eos")))


def text_request(body: Mapping[str, Any], options: Mapping[str, Any], name: str, length_name: str) -> Request:
    prompt = body.get(name)
    if prompt is None:
        raise invalid("Contains not prompt or prompt null." if name == "prompt" else "Inputs must not be null.")
    if not isinstance(prompt, str) or not prompt:
        raise invalid("The type of prompt is abnormal." if name == "prompt" else "The type of inputs is abnormal.")
    check_sampling(options, length_name)
    return Request(prompt, prompt, options.get(length_name), bool(options.get("ignore_eos")))


# -- replies ----------------------------------------------------------------------------------------------------------


class OpenAi:
    """The shapes of /v1/chat/completions and /v1/completions."""

    def __init__(self, number: int, model_name: str, chat: bool) -> None:
        self.chat = chat
        self.number = number
        self.model_name = model_name
        self.created = int(time.time())

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"endpoint_common_{self.number}", "object": kind, "created": self.created, "model": self.model_name}

    def _usage(self, answer: Answer) -> dict[str, int]:
        made = len(answer.tokens)
        return {"prompt_tokens": answer.prompt_tokens, "completion_tokens": made, "total_tokens": answer.prompt_tokens + made}

    def whole(self, answer: Answer, pieces: list[Piece]) -> dict[str, Any]:
        text = "".join(piece.text for piece in pieces)
        said: dict[str, Any] = {"text": text}
        if self.chat:
            said = {"message": {"role": "assistant", "tool_calls": None, "content": text}}
        return {
            **self._head("chat.completion" if self.chat else "text_completion"),
            "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": answer.finish_reason}],
            "usage": self._usage(answer),
            "prefill_time": pieces[0].milliseconds,
            "decode_time_arr": [piece.milliseconds for piece in pieces[1:]],
        }

    def stream(self, answer: Answer, piece: Piece, _text: str) -> bytes:
        said: dict[str, Any] = {"text": piece.text}
        if self.chat:
            said = {"delta": {"role": "assistant", "content": piece.text}}
        chunk = self._head("chat.completion.chunk" if self.chat else "text_completion")
        if piece.finish_reason:
            chunk["usage"] = self._usage(answer)
        chunk["choices"] = [{"index": 0, **said, "logprobs": None, "finish_reason": piece.finish_reason}]
        return event(chunk) + (b"data: [DONE]\n\n" if piece.finish_reason else b"")


class Tgi:
    """The shapes of /generate and /generate_stream with ``inputs``."""

    @staticmethod
    def _details(answer: Answer) -> dict[str, Any]:
        reason = "eos_token" if answer.finish_reason == "stop" else "length"
        return {"finish_reason": reason, "generated_tokens": len(answer.tokens), "seed": None}

    def whole(self, answer: Answer, pieces: list[Piece]) -> dict[str, Any]:
        return {"generated_text": "".join(piece.text for piece in pieces), "details": self._details(answer)}

    def stream(self, answer: Answer, piece: Piece, text: str) -> bytes:
        last = piece.finish_reason is not None
        return event(
            {
                "token": {"id": None, "text": piece.text, "logprob": None, "special": None},
                "generated_text": text if last else None,
                "details": self._details(answer) if last else None,
            }
        )


class Vllm:
    """The shapes of /generate with ``prompt``: the text so far, the prompt included; pieces end with a zero byte."""

    def __init__(self, prompt: str) -> None:
        self.prompt = prompt

    def whole(self, _answer: Answer, pieces: list[Piece]) -> dict[str, Any]:
        return {"text": [self.prompt + "".join(piece.text for piece in pieces)]}

    def stream(self, _answer: Answer, _piece: Piece, text: str) -> bytes:
        return json.dumps({"text": [self.prompt + text]}, ensure_ascii=False).encode() + b"\0"


def event(value: Any) -> bytes:
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


# -- the service ------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Service:
    """What the routes know of the daemon."""

    config: ServiceConfig
    engine: Engine
    log: logging.Logger
    monitor: bool
    stop: Callable[[], None]
    numbers: Iterator[int] = dataclasses.field(default_factory=lambda: itertools.count(1))
    stopping: bool = False

    def __post_init__(self) -> None:
        # Three times maxLinkNum connections are taken; the next one is closed.
        self.links = threading.BoundedSemaphore(3 * self.config.max_links)

    def models(self) -> list[dict[str, str]]:
        config = self.config
        root = f"***/{config.weights.name}"
        return [{"id": config.model_name, "object": "model", "root": root, "owned_by": "MindIE Server", "parent": "null"}]

    def probe(self, seconds: int) -> None:
        """One token through the engine, as /health/timed does."""
        done = threading.Event()

        def run() -> None:
            for _piece in self.engine.answer(Request("health", "health", 1)):
                pass
            done.set()

        threading.Thread(target=run, daemon=True).start()
        if not done.wait(seconds):
            raise HttpError(500, "Failed to get health status.")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.server.service.links.release()

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """The service log has its own line for a request."""

    def _serve(self, method: str) -> None:
        service = self.server.service
        host, port = self.client_address[:2]
        service.log.info("[endpoint] Receive request from %s:%s ,method is %s, uri is %s", host, port, method, self.path)
        self.close_connection = True
        self.began = False
        try:
            self._route(method, self.path)
        except HttpError as problem:
            self._error(problem.status, problem.text)
        except OSError:
            service.log.warning("[endpoint] the client %s:%s went away", host, port)

    def _route(self, method: str, target: str) -> None:
        path = target.partition("?")[0]
        for kind in self.server.kinds:
            for route_method, pattern, action in ROUTES[kind]:
                match = re.fullmatch(pattern, path)
                if match and route_method == method:
                    action(self, *match.groups())
                    return
        raise HttpError(404, f"{method} {path} is not found.")

    # -- answers --

    def _head(self, status: int, content_type: str, length: int | None) -> None:
        self.began = True
        self.send_response(status)
        if self.headers.get("RequestUUID"):
            self.send_header("RequestUUID", self.headers["RequestUUID"])
        self.send_header("Content-Type", content_type)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()

    def reply(self, value: Any = None, status: int = 200, content_type: str = "application/json") -> None:
        if value is None:
            data = b""
        elif isinstance(value, str):
            data = value.encode()
        else:
            data = json.dumps(value, ensure_ascii=False).encode()
        self._head(status, content_type, len(data))
        self.wfile.write(data)

    def _error(self, status: int, text: str) -> None:
        body = {"error": text, "error_type": ERROR_TYPES[status]}
        if self.began:  # a stream has its status line already
            self.wfile.write(event(body))
        else:
            self.reply(body, status)

    # -- business --

    def _body(self) -> dict[str, Any]:
        config = self.server.service.config
        try:
            length = int(self.headers.get("Content-Length", "0"))
        except ValueError as problem:
            raise HttpError(400, "The Content-Length header is not a number.") from problem
        if length > config.max_request_bytes:
            size = config.max_request_bytes // (1024 * 1024)
            self.reply({"message": f"Request body too large. Maximum allowed size is {size}MB."}, 413)
            raise BodyRefused
        return read_body(self.rfile.read(length))

    def _infer(self, read: Callable[[Handler, dict[str, Any]], tuple[Request, Any, bool]]) -> None:
        service = self.server.service
        metrics = service.engine.metrics
        metrics.count("request_received_total")
        try:
            if service.stopping:
                raise HttpError(503, "The service has been stopped.")
            request, shape, stream = read(self, self._body())
            try:
                answer = service.engine.answer(request)
            except Refused as problem:
                raise invalid(str(problem)) from problem
            try:
                self._send_answer(answer, shape, stream)
            except TimeoutError as problem:
                raise HttpError(500, str(problem)) from problem
        except BodyRefused:
            metrics.count("request_failed_total")
            return
        except (HttpError, OSError):
            metrics.count("request_failed_total")
            raise
        metrics.count("request_success_total")

    def _send_answer(self, answer: Answer, shape: Any, stream: bool) -> None:
        if not stream:
            self.reply(shape.whole(answer, list(answer)))
            return
        self._head(200, "text/event-stream", None)
        text = ""
        for piece in answer:
            text += piece.text
            self.wfile.write(shape.stream(answer, piece, text))
            self.wfile.flush()

    def chat(self) -> None:
        self._infer(lambda handler, body: handler._open_ai(body, chat=True))

    def completions(self) -> None:
        self._infer(lambda handler, body: handler._open_ai(body, chat=False))

    def _open_ai(self, body: dict[str, Any], chat: bool) -> tuple[Request, Any, bool]:
        service = self.server.service
        check_model(body, service.config.model_name)
        request = chat_request(body) if chat else text_request(body, body, "prompt", "max_tokens")
        return request, OpenAi(next(service.numbers), service.config.model_name, chat), body.get("stream", False)

    def generate(self) -> None:
        self._infer(lambda handler, body: handler._native(body, stream=False))

    def generate_stream(self) -> None:
        self._infer(lambda handler, body: handler._native(body, stream=True))

    def _native(self, body: dict[str, Any], stream: bool) -> tuple[Request, Any, bool]:
        if "inputs" in body:
            options = body.get("parameters") or {}
            return text_request(body, options, "inputs", "max_new_tokens"), Tgi(), stream
        if "prompt" in body:
            request = text_request(body, body, "prompt", "max_tokens")
            return request, Vllm(request.prompt), stream or body.get("stream", False)
        raise invalid(
            "Error: `inputs` or `prompt` must be necessary and data type must be string. Additionally, the request body must be valid json."
        )

    def list_models(self) -> None:
        self.reply({"object": "list", "data": self.server.service.models()})

    def _known(self, model: str) -> None:
        if model != self.server.service.config.model_name:
            raise HttpError(404, f"Model {model} not found.")

    def show_model(self, model: str) -> None:
        self._known(model)
        self.reply(self.server.service.models()[0])

    # -- management --

    def healthy(self) -> None:
        if self.server.service.stopping:
            raise HttpError(503, "The service has been stopped.")
        self.reply()

    def live(self) -> None:
        if self.server.service.stopping:
            self.reply({"message": "Service is abnormal"}, 500)
        else:
            self.reply()

    def model_ready(self, model: str) -> None:
        self._known(model)
        self.live()

    def timed(self, number: str | None) -> None:
        seconds = int(number or DEFAULT_PROBE_SECONDS)
        if not 1 <= seconds <= MAX_PROBE_SECONDS:
            raise HttpError(404, f"Wait time should be in range of [1, {MAX_PROBE_SECONDS}], input is not valid.")
        self.server.service.probe(seconds)
        self.reply({"status": "healthy"})

    def show_config(self) -> None:
        config = self.server.service.config
        self.reply(
            {
                "modelName": config.model_name,
                "maxSeqLen": config.max_seq_len,
                "npuMemSize": config.npu_memory,
                "cpuMemSize": config.cpu_memory,
                "worldSize": config.world_size,
                "maxOutputLen": config.max_new_tokens,
                "cacheBlockSize": config.cache_block_size,
            }
        )

    def show_status(self) -> None:
        service = self.server.service
        free = max(service.config.max_batch - service.engine.active, 0)
        self.reply({"service": {"roleStatus": "RoleReady", "currentRole": "none"}, "resource": {"availSlotsNum": free}})

    def stop_service(self) -> None:
        service = self.server.service
        service.stopping = True
        if "mode=Force" not in self.path:
            service.engine.wait_idle(service.config.e2e_timeout)
        self.reply()
        service.stop()

    # -- metrics --

    def show_metrics(self) -> None:
        service = self.server.service
        if not service.monitor:
            raise HttpError(500, "Environment variable MIES_SERVICE_MONITOR_MODE is not set.")
        self.reply(service.engine.metrics.text(), content_type="text/plain; version=0.0.4; charset=utf-8")


class BodyRefused(Exception):
    """The reply is sent; nothing is left to do for the request."""


ROUTES: dict[str, tuple[tuple[str, str, Callable[..., None]], ...]] = {
    "business": (
        ("GET", "/v1/models", Handler.list_models),
        ("GET", "/v1/models/([^/]+)", Handler.show_model),
        ("POST", "/v1/chat/completions", Handler.chat),
        ("POST", "/v1/completions", Handler.completions),
        ("POST", "/generate|/", Handler.generate),
        ("POST", "/generate_stream", Handler.generate_stream),
    ),
    "management": (
        ("GET", "/health", Handler.healthy),
        ("GET", r"/health/timed(?:-(\d+))?", Handler.timed),
        ("GET", "/v2/health/live", Handler.live),
        ("GET", "/v2/health/ready", Handler.live),
        ("GET", "/v2/models/([^/]+)/ready", Handler.model_ready),
        ("GET", "/v1/config", Handler.show_config),
        ("GET", "/v1/status", Handler.show_status),
        ("GET", "/stopService", Handler.stop_service),
    ),
    "metrics": (("GET", "/metrics", Handler.show_metrics),),
}


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], kinds: list[str], service: Service) -> None:
        self.address_family = family(address[0])
        self.kinds = kinds
        self.service = service
        super().__init__(address, Handler)

    def server_bind(self) -> None:
        # HTTPServer looks the host's name up here, which may wait for a name server
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the process before linger for a minute
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = self.server_address[:2]

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return self.service.links.acquire(blocking=False)


def open_listeners(service: Service) -> list[Listener]:
    """One listener per address: equal ones share their routes."""
    config = service.config
    wanted: dict[tuple[str, int], list[str]] = {}
    for kind, address in (("business", config.business), ("management", config.management), ("metrics", config.metrics)):
        wanted.setdefault(address, []).append(kind)
    listeners = []
    for address, kinds in wanted.items():
        try:
            listener = Listener(address, kinds, service)
        except OSError as problem:
            raise StartFailure(
                f"[MIE04E02041C] [endpoint] Failed to listen {address[0]}:{address[1]}, please check if business ip and port are legal.",
                "Failed to start http wrapper",
            ) from problem
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        listeners.append(listener)
    return listeners
