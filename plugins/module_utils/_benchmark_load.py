# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The load of a benchmark: lengths of prompts and answers, checked, and written as each tool wants them. No I/O.

Parameter sets and ranges are those of mindiebenchmark and AISBench, which check them in the same way
(AISBench/benchmark, datasets/synthetic.py). The third tool gets its requests from here, with the same distributions.
"""

from __future__ import annotations

import json
import math
import random
import string
import typing as t

_MAX_LENGTH = 2**20
_MAX_FLOAT = 3.0e38
# All prompts of one run together, in words: what a controller holds in memory without noticing.
_MAX_WORDS = 2**26
_ARGUMENT_LENGTH = 1024
# e to this power is far beyond every length, and still a number.
_MAX_EXPONENT = 35.0

_BOUNDS = {"min_value": "MinValue", "max_value": "MaxValue"}
# Method → our parameter → the tools' parameter.
PARAMETERS: dict[str, dict[str, str]] = {
    "uniform": _BOUNDS,
    "gaussian": {"mean": "Mean", "var": "Var", **_BOUNDS},
    "zipf": {"alpha": "Alpha", **_BOUNDS},
}
_RANGES: dict[str, tuple[float, float, str]] = {
    "mean": (-_MAX_FLOAT, _MAX_FLOAT, "a number in [-3.0e38, 3.0e38]"),
    "var": (0, _MAX_FLOAT, "a number in [0, 3.0e38]"),
    "alpha": (1.0, 10.0, "a number in (1.0, 10.0]"),
}
# Tool → highest concurrency that it takes.
CONCURRENCY = {"mindie": 1000, "aisbench": 64000, "evalscope": 64000}


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: t.Any) -> bool:
    return isinstance(value, float) or _is_int(value)


def _distribution(name: str, given: t.Any) -> t.Iterator[str]:
    if not isinstance(given, t.Mapping) or given.get("method") not in PARAMETERS:
        method = given.get("method") if isinstance(given, t.Mapping) else given
        yield f"{name}.method: found {method!r}, expected one of {', '.join(PARAMETERS)}."
        return
    method = given["method"]
    found, expected = set(given) - {"method"}, set(PARAMETERS[method])
    if found != expected:
        yield f"{name}: found {', '.join(sorted(map(str, found))) or 'no parameter'}, expected exactly {', '.join(sorted(expected))} for {method}."
        return
    sound = True
    for parameter in PARAMETERS[method]:
        value = given[parameter]
        if parameter in _BOUNDS:
            good, words = _is_int(value) and 1 <= value <= _MAX_LENGTH, f"an integer in [1, {_MAX_LENGTH}]"
        else:
            low, high, words = _RANGES[parameter]
            good = _is_number(value) and low <= value <= high and not (parameter == "alpha" and value == low)
        if not good:
            sound = False
            yield f"{name}.{parameter}: found {value!r}, expected {words}."
    if sound and given["min_value"] > given["max_value"]:
        yield f"{name}: min_value {given['min_value']} is above max_value {given['max_value']}. Exchange them."


def problems(
    tool: str, prompt: t.Any, answer: t.Any, request_count: t.Any, concurrency: t.Any, max_output: t.Any, texts: t.Mapping[str, t.Any] | None = None
) -> list[str]:
    """What the tool would refuse, or would measure wrongly, in sentences that name the variable."""
    found = [*_distribution("benchmark_input", prompt), *_distribution("benchmark_output", answer)]
    sound = not found
    if not _is_int(request_count) or not 1 <= request_count <= _MAX_LENGTH:
        found.append(f"benchmark_request_count: found {request_count!r}, expected an integer in [1, {_MAX_LENGTH}].")
        sound = False
    if not isinstance(concurrency, (list, tuple)) or not concurrency or len(set(map(str, concurrency))) != len(concurrency):
        found.append(f"benchmark_concurrency: found {concurrency!r}, expected a list of different integers, one per point of the curve.")
    else:
        highest = CONCURRENCY.get(tool, 1)
        found.extend(
            f"benchmark_concurrency: found {value!r}, expected integers in [1, {highest}] for {tool}."
            for value in concurrency
            if not _is_int(value) or not 1 <= value <= highest
        )
    if not _is_int(max_output) or not 1 <= max_output <= _MAX_LENGTH:
        found.append(f"benchmark_max_output: found {max_output!r}, expected an integer in [1, {_MAX_LENGTH}].")
    elif sound and answer["min_value"] > max_output:
        found.append(f"benchmark_max_output: found {max_output}, expected at least benchmark_output.min_value ({answer['min_value']}): longer answers are cut.")
    if sound and tool == "evalscope" and request_count * prompt["max_value"] > _MAX_WORDS:
        found.append(
            f"benchmark_request_count: found {request_count} prompts of up to {prompt['max_value']} words, expected at most {_MAX_WORDS} words in all. "
            "Lower benchmark_request_count or benchmark_input.max_value."
        )
    for name, value in (texts or {}).items():
        if len(str(value)) >= _ARGUMENT_LENGTH or not str(value).isprintable():
            found.append(f"{name}: found {len(str(value))} characters, expected one line of fewer than {_ARGUMENT_LENGTH}.")
    return found


def synthetic_config(prompt: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any], request_count: int) -> dict[str, t.Any]:
    """The synthetic_config.json of mindiebenchmark, whose Input and Output AISBench takes too."""

    def one(given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        return {"Method": given["method"], "Params": {theirs: given[ours] for ours, theirs in PARAMETERS[given["method"]].items()}}

    return {"Input": one(prompt), "Output": one(answer), "RequestCount": request_count}


def _zipf(source: random.Random, alpha: float) -> float:
    """A Zipf variate by rejection (Devroye, Non-Uniform Random Variate Generation, X.6)."""
    power = alpha - 1.0
    scale = 2.0**power
    while True:
        # Without bound as alpha nears 1; the caller clips what is longer than any prompt.
        exponent = min(-math.log(1.0 - source.random()) / power, _MAX_EXPONENT)
        value = float(int(math.exp(exponent)))
        growth = (1.0 + 1.0 / value) ** power
        if source.random() * value * (growth - 1.0) / (scale - 1.0) <= growth / scale:
            return value


def lengths(given: t.Mapping[str, t.Any], number: int, source: random.Random) -> list[int]:
    """As the two tools draw them: Var is the variance, and what lies outside of the bounds is clipped to them."""
    low, high = given["min_value"], given["max_value"]
    if given["method"] == "uniform":
        return [source.randint(low, high) for _index in range(number)]
    if given["method"] == "gaussian":
        drawn: t.Iterable[float] = (source.gauss(given["mean"], given["var"] ** 0.5) for _index in range(number))
    else:
        drawn = (_zipf(source, given["alpha"]) for _index in range(number))
    return [int(min(max(value, low), high)) for value in drawn]


def requests(model: str, prompt: t.Mapping[str, t.Any], answer: t.Mapping[str, t.Any], number: int, max_output: int, seed: int) -> str:
    """Bodies of chat requests, one per line. The words are single letters, a token each, in an order that no cache has seen."""
    source = random.Random(seed)
    lines = []
    for words, tokens in zip(lengths(prompt, number, source), lengths(answer, number, source)):
        text = " ".join(source.choices(string.ascii_uppercase, k=words))
        # Without ignore_eos a model ends where it likes, and the output lengths would not be those asked for.
        body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": min(tokens, max_output), "ignore_eos": True}
        lines.append(json.dumps(body) + "\n")
    return "".join(lines)
