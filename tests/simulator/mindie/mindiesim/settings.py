# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test may turn; everything else comes from config.json, the rank table and MindIE's own environment variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

IMAGE_VERSION = "2.0.T3.1"
# MindIE up to 2.0 reads this name; RANK_TABLE_FILE is read from 2.1 on.
RANK_TABLE_VARIABLE = "RANKTABLEFILE"

# The timing model: prompts go through one after another at PREFILL_TOKENS_PER_SECOND; then each token of an answer takes
# DECODE_SECONDS_PER_TOKEN whatever the batch, with at most maxBatchSize requests at work; later ones queue. So the output
# throughput grows with the concurrency up to maxBatchSize / DECODE_SECONDS_PER_TOKEN, and beyond it only the wait grows.
PREFILL_TOKENS_PER_SECOND = 20000.0
DECODE_SECONDS_PER_TOKEN = 0.01
LOAD_SECONDS = 2.0
HCCL_PORT = 16666


@dataclasses.dataclass(frozen=True)
class Settings:
    """Switches of the stand-in, each an environment variable ``MINDIESIM_<NAME>``."""

    root: Path = Path("/")  # prefix of /dev, /etc/hccn.conf and /usr/local/Ascend/driver
    time_scale: float = 1.0  # factor on every wait, HCCL's and the load time included
    hccl_port: int = HCCL_PORT
    load_seconds: float = LOAD_SECONDS
    prefill_tokens_per_second: float = PREFILL_TOKENS_PER_SECOND
    decode_seconds_per_token: float = DECODE_SECONDS_PER_TOKEN

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        kinds: dict[str, Callable[[str], Any]] = {"root": Path, "hccl_port": int}
        texts = {field.name: env.get(f"MINDIESIM_{field.name.upper()}") for field in dataclasses.fields(cls)}
        return cls(**{name: kinds.get(name, float)(text) for name, text in texts.items() if text is not None})

    def wait(self, seconds: float) -> float:
        return seconds * self.time_scale
