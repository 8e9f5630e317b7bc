# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print the requests that evalscope noted in benchmark_data.db below a directory, as JSON for the filter benchmark_results."""

import json
import pathlib
import sqlite3
import sys

COLUMNS = (
    "success, start_time, completed_time, latency, first_chunk_latency, prompt_tokens, completion_tokens, time_per_output_token, inter_token_latencies"
)
(path,) = pathlib.Path(sys.argv[1]).rglob("benchmark_data.db")
rows = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True).execute(f"SELECT {COLUMNS} FROM result")
json.dump({"evalscope_requests": list(rows)}, sys.stdout)
