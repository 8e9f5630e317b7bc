# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interactive chat of the simulated kTransformers, with the options and the traps of the real one (it reads them with fire)."""
from __future__ import annotations

import argparse
import os
import sys
import time

from ktransformers import simulated


def truth(text: str) -> bool:
    """As fire reads it."""
    return {"True": True, "False": False}[text]


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for name in ("model_path", "gguf_path", "optimize_config_path", "prompt_file"):
        parser.add_argument(f"--{name}")
    for name, default in (("cpu_infer", 10), ("max_new_tokens", 300), ("tp", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name in ("use_cuda_graph", "force_think"):
        parser.add_argument(f"--{name}", type=truth, default=False)
    return parser.parse_args(argv)


def chat(lines: list[str]) -> None:
    for line in lines:
        length, limit, prompt = line.split(",", 2)
        words = simulated.answer(prompt, int(limit))
        print(" ".join(words))
        print(f"prompt eval count:    {int(length)} token(s)")
        print(f"prompt eval rate:     {int(length) / 0.5:.2f} tokens/s")
        print(f"eval count:           {len(words)} token(s)")
        print(f"eval rate:            {len(words) / 0.5:.2f} tokens/s", flush=True)
        time.sleep(0.1)


def main() -> None:
    options = parse(sys.argv[1:])
    simulated.start(options)
    while True:
        content = input("Chat: ")
        if content == "" and options.prompt_file:
            with open(options.prompt_file, encoding="utf-8") as stream:
                content = stream.read()
            chat(list(content))  # as the real one: character by character, ValueError
        elif os.path.isfile(content):
            with open(content, encoding="utf-8") as stream:
                chat(stream.read().splitlines())
        else:
            print(" ".join(simulated.answer(content, options.max_new_tokens)))


if __name__ == "__main__":
    main()
