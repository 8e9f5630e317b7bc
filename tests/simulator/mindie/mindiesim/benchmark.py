# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for mindiebenchmark: the options, checks, tables and files of the vendor's tool; the requests are real ones.

Only the synthetic data set, and only the ways of asking that the simulated service knows.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import csv
import dataclasses
import datetime
import http.client
import io
import json
import math
import os
import random
import stat
import statistics
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .daemon import missing_library
from .log import component_value
from .settings import Settings

SITE_PACKAGES = "usr/local/lib/python3.11/site-packages"
CHECKED_FILES = (
    "mindiebenchmark/config/config.json",
    "mindiebenchmark/config/synthetic_config.json",
    "mindieclient/python/config/config.json",
)
CONFIG_KEYS = {
    "LogConfig": ("LOG_PATH", "LOG_TO_FILE", "LOG_TO_STDOUT", "LOG_LEVEL", "LOG_VERBOSE", "LOG_ROTATE"),
    "CertConfig": ("CA_CERT", "KEY_FILE", "CERT_FILE", "CRL_FILE"),
    "OutputConfig": ("INSTANCE_PATH",),
    "ServerConfig": ("ENABLE_MANAGEMENT", "MAX_LINK_NUM"),
}
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
# Option → default; None is required.
OPTIONS: dict[str, str | None] = {
    "TestType": "client",
    "Http": "https://127.0.0.1:1025",
    "ManagementHttp": "https://127.0.0.2:1026",
    "ModelPath": None,
    "ModelName": None,
    "ModelVersion": "",
    "DatasetType": None,
    "DatasetPath": "",
    "Concurrency": "128",
    "MaxInputLen": "0",
    "MaxOutputLen": "20",
    "TaskKind": "stream",
    "Tokenizer": "True",
    "DoSampling": "False",
    "SamplingParams": "{}",
    "TestAccuracy": "False",
    "RequestRate": "",
    "Distribution": "uniform",
    "WarmupSize": "10",
    "RequestTimeOut": "600",
    "RequestCount": "-1",
    "RequestNum": "1",
    "WorkersNum": "1",
    "SavePath": "",
    "SaveTokensPath": "",
    "SaveHumanEvalOutputFile": "humaneval_output.jsonl",
    "SyntheticConfigPath": "",
    "ConfigPath": "",
    "TrustRemoteCode": "False",
    "LoraDataMappingFile": "",
}
INTEGERS = {"Concurrency": (1, 1000), "MaxInputLen": (0, 2**20), "MaxOutputLen": (1, 2**20), "WarmupSize": (0, 1000), "RequestTimeOut": (1, 2**20)}
MAX_ARGUMENT = 1024
TEST_TYPES = ("engine", "client", "tgi_client", "vllm_client", "triton_client", "openai")
DATASET_TYPES = (
    "gsm8k", "oasst1", "boolq", "truthfulqa", "humaneval", "mmlu", "mtbench", "cocotest", "synthetic", "textvqa", "videobench", "vocalsound",
)  # fmt: skip
TASK_KINDS = ("stream", "text", "stream_token")


class Refused(Exception):
    """The tool ends before the first request; the text is what it says."""


# -- what is asked for ------------------------------------------------------------------------------------------------


def read_arguments(argv: Sequence[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(prog="benchmark", allow_abbrev=False)
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", default=default, required=default is None)
    given = vars(parser.parse_args(argv))
    for name, value in given.items():
        if len(value) >= MAX_ARGUMENT:
            raise Refused(f"The length of `{name}` should be less than {MAX_ARGUMENT}.")
    for name, choices in (("TestType", TEST_TYPES), ("DatasetType", DATASET_TYPES), ("TaskKind", TASK_KINDS)):
        if given[name] not in choices:
            raise Refused(f"`{name}` should be one of {list(choices)}, but got {given[name]}.")
    for name, (low, high) in INTEGERS.items():
        try:
            given[name] = int(given[name])
        except ValueError as problem:
            raise Refused(f"`{name}` should be an integer, but got {given[name]}.") from problem
        if not low <= given[name] <= high:
            raise Refused(f"`{name}` should be in range [{low}, {high}], but got {given[name]}.")
    if given["DatasetType"] != "synthetic" or given["TestType"] not in WAYS or given["TaskKind"] != "stream":
        raise Refused(f"The simulator knows the synthetic data set, streams and {', '.join(WAYS)} only.")
    return given


def check_files(root: Path, *more: Path) -> None:
    for path in (*(root / SITE_PACKAGES / name for name in CHECKED_FILES), *more):
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as problem:
            raise Refused(f"{path}: {problem.strerror}") from problem
        if mode != 0o640:
            raise Refused(f"The permission of {path} should be 640, but got {mode:o}.")


def read_config(path: Path) -> dict[str, Any]:
    config = json.loads(path.read_text(encoding="utf-8"))
    for section, keys in CONFIG_KEYS.items():
        for key in keys:
            if config.get(section, {}).get(key) in (None, ""):
                raise Refused(f"JSON config is missing {key} or {key} is empty, please check")
    return config


def check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in TOKENIZER_FILES):
        raise Refused(
            f"Can't load tokenizer for '{folder}'. If you were trying to load it from 'https://huggingface.co/models', make sure you don't have a local "
            f"directory with the same name. Otherwise, make sure '{folder}' is the correct path to a directory containing all relevant files."
        )


# -- the synthetic data set -------------------------------------------------------------------------------------------

BOUNDS = ("MinValue", "MaxValue")
PARAMETERS = {"uniform": BOUNDS, "gaussian": ("Mean", "Var", *BOUNDS), "zipf": ("Alpha", *BOUNDS)}
# Low, high and whether low itself is allowed.
RANGES = {
    "MinValue": (1, 2**20, True), "MaxValue": (1, 2**20, True), "RequestCount": (0, 2**20, True),
    "Mean": (-3.0e38, 3.0e38, True), "Var": (0, 3.0e38, True), "Alpha": (1.0, 10.0, False),
}  # fmt: skip


def _check_keys(got: Any, expected: Sequence[str], of: str) -> None:
    if not isinstance(got, dict) or set(got) != set(expected):
        raise Refused(f"Expect keys {set(expected)} for {of}, but got keys {set(got) if isinstance(got, dict) else got}.")


def _check_value(name: str, value: Any, kind: str) -> None:
    types: tuple[type, ...] = (int, float) if kind in ("Mean", "Var", "Alpha") else (int,)
    if not isinstance(value, types) or isinstance(value, bool):
        raise Refused(f"Parameter {name} should have type {types} for SyntheticConfig, but got {type(value).__name__}.")
    low, high, inclusive = RANGES[kind]
    if not low <= value <= high or (value == low and not inclusive):
        raise Refused(f"Parameter {name} is {value}, not within the required range {'[' if inclusive else '('}{low}, {high}]")


def check_synthetic(config: Any) -> None:
    _check_keys(config, ("Input", "Output", "RequestCount"), "SyntheticConfig")
    _check_value("RequestCount", config["RequestCount"], "RequestCount")
    for part in ("Input", "Output"):
        _check_keys(config[part], ("Method", "Params"), f'SyntheticConfig["{part}"]')
        method, params = config[part]["Method"], config[part]["Params"]
        if method not in PARAMETERS:
            raise Refused(f"Method should be one of {{{', '.join(PARAMETERS)}}}, but got {method}.")
        _check_keys(params, PARAMETERS[method], method)
        for name, value in params.items():
            _check_value(f"{part} {name}", value, name)
        low, high = params["MinValue"], params["MaxValue"]
        if low > high:
            raise Refused(f"MinValue should less than MaxValue, but got MinValue is {low}, and MaxValue is {high}.")


def _sample(source: random.Random, method: str, params: Mapping[str, Any]) -> int:
    low, high = params["MinValue"], params["MaxValue"]
    if method == "uniform":
        value: float = source.uniform(low, high)
    elif method == "gaussian":
        value = source.gauss(params["Mean"], math.sqrt(params["Var"]))
    else:
        # The Pareto variate is what a zipf one is rounded down from.
        value = math.floor(source.paretovariate(params["Alpha"] - 1))
    return int(min(max(value, low), high))


def read_synthetic(path: Path) -> list[tuple[int, int]]:
    """Input and output length of each request."""
    if path.suffix == ".csv":
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[1:]
        return [(int(row[0]), int(row[1])) for row in rows if row]
    if path.suffix != ".json":
        raise Refused(f"`SyntheticConfigPath` should be `.csv` or `.json` file, but got {path}")
    config = json.loads(path.read_text(encoding="utf-8"))
    check_synthetic(config)
    source = random.Random()
    return [
        (_sample(source, config["Input"]["Method"], config["Input"]["Params"]), _sample(source, config["Output"]["Method"], config["Output"]["Params"]))
        for _request in range(config["RequestCount"])
    ]


# -- asking -----------------------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Result:
    input_tokens: int
    characters: int
    # When it was sent, and when each token came.
    begin: float
    tokens: list[float]

    @property
    def first(self) -> float:
        return (self.tokens[0] - self.begin) * 1000

    @property
    def gaps(self) -> list[float]:
        return [(later - earlier) * 1000 for earlier, later in zip(self.tokens, self.tokens[1:])]

    @property
    def total(self) -> float:
        return (self.tokens[-1] - self.begin) * 1000


def _pieces(response: http.client.HTTPResponse, end: bytes) -> Iterator[bytes]:
    rest = b""
    while block := response.read1(65536):
        *whole, rest = (rest + block).split(end)
        yield from whole
    if rest.strip():
        yield rest


def _vllm(model: str, prompt: str, tokens: int) -> tuple[str, dict[str, Any], bytes]:
    return "/generate", {"prompt": prompt, "max_tokens": tokens, "stream": True, "ignore_eos": True, "model": model}, b"\0"


def _tgi(model: str, prompt: str, tokens: int) -> tuple[str, dict[str, Any], bytes]:
    return "/generate_stream", {"inputs": prompt, "parameters": {"max_new_tokens": tokens, "ignore_eos": True}}, b"\n\n"


def _openai(model: str, prompt: str, tokens: int) -> tuple[str, dict[str, Any], bytes]:
    messages = [{"role": "user", "content": prompt}]
    return "/v1/chat/completions", {"model": model, "messages": messages, "max_tokens": tokens, "stream": True, "ignore_eos": True}, b"\n\n"


def _text(value: Mapping[str, Any], before: str, body: Mapping[str, Any]) -> str:
    """The answer so far, in the shape of each way."""
    if "text" in value:
        return str(value["text"][0]).removeprefix(body["prompt"])
    if "token" in value:
        return before + value["token"]["text"]
    return before + value["choices"][0]["delta"]["content"]


WAYS: dict[str, Callable[[str, str, int], tuple[str, dict[str, Any], bytes]]] = {"vllm_client": _vllm, "tgi_client": _tgi, "openai": _openai}


class Client:
    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.url = urllib.parse.urlsplit(given["Http"])
        self.errors: list[str] = []
        self.lock = threading.Lock()

    def ask(self, lengths: tuple[int, int]) -> Result | None:
        words, tokens = lengths
        path, body, end = WAYS[self.given["TestType"]](self.given["ModelName"], " ".join("A" * words), min(tokens, self.given["MaxOutputLen"]))
        begin = time.monotonic()
        try:
            return self._ask(path, body, end, words, begin)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            with self.lock:
                self.errors.append(f"{type(problem).__name__}: {problem}")
            return None

    def _ask(self, path: str, body: dict[str, Any], end: bytes, words: int, begin: float) -> Result:
        connection = http.client.HTTPConnection(self.url.hostname or "", self.url.port or 80, timeout=self.given["RequestTimeOut"])
        with contextlib.closing(connection):
            connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status != 200:
                raise ValueError(f"status {response.status}: {response.read().decode(errors='replace')[:200]}")
            times, text = [], ""
            for piece in _pieces(response, end):
                data = piece.removeprefix(b"data: ").strip()
                if data == b"[DONE]" or not data:
                    continue
                value = json.loads(data)
                if "error" in value:
                    raise ValueError(str(value["error"]))
                times.append(time.monotonic())
                text = _text(value, text, body)
        # A stream of this service has no other mark of a connection that ended early.
        if len(times) < body.get("max_tokens", body.get("parameters", {}).get("max_new_tokens", 0)):
            raise ValueError(f"the connection ended after {len(times)} tokens")
        return Result(words, len(text), begin, times)


# -- the report -------------------------------------------------------------------------------------------------------

COLUMNS = ("average", "max", "min", "P75", "P90", "SLO_P90", "P99", "N")


def _percentile(values: Sequence[float], percent: float) -> float:
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _figure(value: float, unit: str) -> str:
    number = str(round(value, 4))
    return f"{number} {unit}" if unit else number


def _row(values: Sequence[float], unit: str, number: int, of_requests: Sequence[float] | None = None) -> list[str]:
    if not values:
        return [*(["0 " + unit if unit else "0"] * 7), str(number)]
    slo = _percentile(of_requests if of_requests else values, 90)
    figures = (statistics.fmean(values), max(values), min(values), _percentile(values, 75), _percentile(values, 90), slo, _percentile(values, 99))
    return [*(_figure(value, unit) for value in figures), str(number)]


def performance(results: Sequence[Result]) -> dict[str, list[str]]:
    number = len(results)
    gaps = [gap for result in results for gap in result.gaps]
    decodes = [result for result in results if result.gaps]
    none = ["0 ms"] * 7 + [str(number)]
    tokens = [float(len(result.tokens)) for result in results]
    characters = [float(result.characters) for result in results]
    per_token = _figure(sum(characters) / sum(tokens), "")
    return {
        "FirstTokenTime": _row([result.first for result in results], "ms", number),
        "DecodeTime": _row(gaps, "ms", number, [statistics.fmean(result.gaps) for result in decodes]),
        "LastDecodeTime": _row([result.gaps[-1] for result in decodes], "ms", number),
        "MaxDecodeTime": _row([max(result.gaps) for result in decodes], "ms", number),
        "GenerateTime": _row([result.total for result in results], "ms", number),
        "InputTokens": _row([float(result.input_tokens) for result in results], "", number),
        "GeneratedTokens": _row(tokens, "", number),
        "GeneratedTokenSpeed": _row([len(result.tokens) / result.total * 1000 for result in results], "token/s", number),
        "GeneratedCharacters": _row(characters, "", number),
        "Tokenizer": none,
        "Detokenizer": none,
        "CharactersPerToken": [per_token, *["/"] * 6, str(number)],
        "PostProcessingTime": none,
        "ForwardTime": none,
        "PrefillBatchsize": _row([1.0] * number, "", number),
        "DecoderBatchsize": [*_row([1.0] * number, "", number)[:5], "/", "1.0", str(number)],
        "QueueWaitTime": ["0 \u03bcs", "0 \u03bcs", "0 \u03bcs", "0 \u03bcs", "0 \u03bcs", "/ \u03bcs", "0 \u03bcs", str(number)],
    }


def common(given: Mapping[str, Any], results: Sequence[Result], total: int, elapsed: float, source: Path) -> dict[str, str]:
    returned, made = len(results), sum(len(result.tokens) for result in results)
    asked = sum(result.input_tokens for result in results)
    failed = total - returned
    output = made / elapsed
    return {
        "CurrentTime": f"{datetime.datetime.now():%Y-%m-%d %H:%M:%S}",
        "TimeElapsed": _figure(elapsed, "s"),
        "DataSource": str(source),
        "Failed": f"{failed}( {round(failed / total * 100, 2)}% )",
        "Returned": f"{returned}( {round(returned / total * 100, 2)}% )",
        "Total": f"{total}[ 100.0% ]",
        "Concurrency": str(given["Concurrency"]),
        "ModelName": given["ModelName"],
        "lpct": _figure(sum(result.first for result in results) / asked, "ms"),
        "Throughput": _figure(returned / elapsed, "req/s"),
        "InputGenerateSpeed": _figure(asked / elapsed, "token/s"),
        "OutputGenerateSpeed": _figure(output, "token/s"),
        "TotalGenerateSpeed": _figure(asked / elapsed + output, "token/s"),
        "GenerateSpeedPerClient": _figure(output / given["Concurrency"], "token/s"),
        "accuracy": "/",
    }


def draw(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    line = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    drawn = ["| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    return "\n".join([line, drawn[0], line, *drawn[1:], line])


def say(env: Mapping[str, str], where: str, text: str) -> None:
    """To the screen where MINDIE_LOG_TO_STDOUT asks for it."""
    parts = env.get("MINDIE_LOG_TO_STDOUT", "")
    chosen = next((part.rpartition(":")[2].strip() for part in parts.split(";") if part.strip().startswith("benchmark:")), component_value(parts, "benchmark"))
    if chosen not in ("1", "true"):
        return
    now = datetime.datetime.now().astimezone()
    zone = now.strftime("%z")
    stamp = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03d}{zone[:3]}:{zone[3:]}"
    print(f"[{stamp}] [{os.getpid()}] [{threading.get_native_id()}] [benchmark] [INFO] [{where}]\n{text}", flush=True)


def save(folder: Path, perf: Mapping[str, Sequence[str]], whole: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)
    stamp = round(time.time() * 1000)
    for name, header, rows in (("perf", list(perf), list(zip(*perf.values()))), ("common", list(whole), [tuple(whole.values())])):
        path = folder / f"result_{name}_{stamp}.csv"
        with open(path, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        path.chmod(0o640)


def run(argv: Sequence[str], env: Mapping[str, str]) -> None:
    root = Settings.from_env(env).root
    given = read_arguments(argv)
    home = root / SITE_PACKAGES / "mindiebenchmark/config"
    config_path = Path(given["ConfigPath"]) if given["ConfigPath"] else home / "config.json"
    synthetic_path = Path(given["SyntheticConfigPath"]) if given["SyntheticConfigPath"] else home / "synthetic_config.json"
    check_files(root, config_path, synthetic_path)
    config = read_config(config_path)
    if given["Tokenizer"] == "True":
        check_tokenizer(Path(given["ModelPath"]))
    lengths = read_synthetic(synthetic_path)
    client = Client(given)
    with concurrent.futures.ThreadPoolExecutor(given["Concurrency"]) as pool:
        list(pool.map(client.ask, lengths[: given["WarmupSize"]]))
        client.errors.clear()
        begin = time.monotonic()
        results = [result for result in pool.map(client.ask, lengths) if result]
        elapsed = time.monotonic() - begin
    for error in sorted(set(client.errors)):
        print(f"[benchmark] [ERROR] {client.errors.count(error)} requests failed: {error}", flush=True)
    if not results:
        raise Refused("No request returned.")
    perf = performance(results)
    whole = common(given, results, len(lengths), elapsed, synthetic_path)
    table = draw([("Metric", *COLUMNS), *((name, *cells) for name, cells in perf.items())])
    say(env, "output.py:114", f"The BenchMark test performance metric result is:\n{table}")
    say(env, "output.py:120", f"The BenchMark test common metric result is:\n{draw([('Common Metric', 'Value'), *whole.items()])}")
    save(Path(given["SavePath"] or config["OutputConfig"]["INSTANCE_PATH"]), perf, whole)
    print("Benchmark task completed successfully!", flush=True)


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    library = missing_library(env, Settings.from_env(env).root)
    if library:
        print(f"ImportError: {library}: cannot open shared object file: No such file or directory", file=sys.stderr)
        return 1
    try:
        run(argv, env)
    except Refused as problem:
        print(f"[benchmark] [ERROR] {problem}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
