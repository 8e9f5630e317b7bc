# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of the simulated kTransformers: the options of the real one, and its HTTP interface with made-up answers."""
from __future__ import annotations

import argparse
import http.server
import json
import time
import typing

from ktransformers import simulated


def parse() -> argparse.Namespace:
    config = simulated.read_config()
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--host", default=config["server.ip"])
    parser.add_argument("--port", type=int, default=int(config["server.port"]))
    for name in ("model_path", "gguf_path", "optimize_config_path"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--model_name", default="DeepSeekV3ForCausalLM")
    parser.add_argument("--backend_type", choices=("ktransformers", "balance_serve"), default="@BACKEND@")
    parser.add_argument("--api_key")
    parser.add_argument("--web", type=bool, default=False)
    for name, default in (("cpu_infer", 10), ("max_new_tokens", 512), ("cache_lens", 16384), ("max_batch_size", 4), ("tp", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("use_cuda_graph", "force_think"):
        parser.add_argument(f"--{name}", action=argparse.BooleanOptionalAction, default=False)
    options = parser.parse_args()
    if not 1 <= options.max_batch_size <= 4:
        parser.error("max_batch_size must be between 1 and 4")
    print(f"attn: page_size {config['attn.page_size']}, chunk_size {config['attn.chunk_size']}", flush=True)
    return options


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options: argparse.Namespace

    def _send(self, document: object, status: int = 200) -> None:
        data = json.dumps(document, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _refused(self) -> bool:
        key = self.options.api_key
        if not key or self.headers.get("Authorization") == f"Bearer {key}":
            return False
        self._send({"detail": "Invalid API Key"}, 401)
        return True

    def do_GET(self) -> None:
        name = self.options.model_name
        documents = {
            "/v1/models": {"object": "list", "data": [{"id": name, "object": "model", "created": 0, "owned_by": "simulator"}]},
            "/api/tags": {"models": [{"name": name, "model": name, "size": 0, "digest": "", "details": {"format": "gguf"}}]},
        }
        if self.path not in documents:
            self._send({"detail": "Not Found"}, 404)
        elif not self._refused():
            self._send(documents[self.path])

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        try:
            body = json.loads(self.rfile.read(length))
        except ValueError:
            self._send({"detail": "JSON decode error"}, 422)
            return
        if self.path not in ("/v1/chat/completions", "/v1/completions"):
            self._send({"detail": "Not Found"}, 404)
        elif not self._refused():
            chat = self.path == "/v1/chat/completions"
            prompt = body["messages"][-1]["content"] if chat else body["prompt"]
            words = simulated.answer(str(prompt), body.get("max_tokens") or self.options.max_new_tokens)
            speed = f"prefill {len(str(prompt)) * 10:.2f}, decode {len(words) * 2:.2f}"
            print(f"Performance(T/s): {speed}. Time(s): tokenize 0.01, prefill 0.1, decode 0.5", flush=True)
            if body.get("stream"):
                self._stream(words, chat)
            else:
                self._send(self._completion(words, len(str(prompt)), chat))

    def _completion(self, words: list[str], prompt: int, chat: bool) -> dict[str, typing.Any]:
        text = " ".join(words)
        choice: dict[str, typing.Any] = {"index": 0, "finish_reason": "stop", "logprobs": None}
        choice.update({"message": {"role": "assistant", "content": text}} if chat else {"text": text})
        usage = {"prompt_tokens": prompt, "completion_tokens": len(words), "total_tokens": prompt + len(words)}
        kind = "chat.completion" if chat else "text_completion"
        return {"id": "simulated", "object": kind, "created": int(time.time()), "model": self.options.model_name, "choices": [choice], "usage": usage}

    def _stream(self, words: list[str], chat: bool) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for number, word in enumerate(words):
            text = word if number == 0 else f" {word}"
            choice: dict[str, typing.Any] = {"index": 0, "finish_reason": None}
            choice.update({"delta": {"role": "assistant", "content": text}} if chat else {"text": text})
            event = {"id": "simulated", "object": "chat.completion.chunk", "model": self.options.model_name, "choices": [choice]}
            self.wfile.write(b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True


def main() -> None:
    options = parse()
    layers = simulated.start(options)
    Handler.options = options
    server = http.server.ThreadingHTTPServer((options.host, options.port), Handler)
    print(f"Serving {options.model_name} with {layers} expert layers on {options.host}:{options.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
