# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in of mindiebenchmark against the simulated service: real requests, the real tool's checks, tables and files."""

from __future__ import annotations

import csv
import json
import logging
import re
import shutil
import sys
import threading
import types
from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils._benchmark import read_results

SIMULATOR = Path(__file__).resolve().parents[3] / "tests/simulator/mindie"
sys.path.insert(0, str(SIMULATOR))

from mindiesim import benchmark  # noqa: E402  its path is added above
from mindiesim.engine import Engine  # noqa: E402  its path is added above
from mindiesim.http import Listener, Service  # noqa: E402  its path is added above
from mindiesim.metrics import Metrics  # noqa: E402  its path is added above
from mindiesim.settings import Settings  # noqa: E402  its path is added above

MODEL = "DeepSeek-V3-int8"
SITE_PACKAGES = "usr/local/lib/python3.11/site-packages"
SOURCED = {"ASCEND_TOOLKIT_HOME": "/x", "ATB_HOME_PATH": "/x", "ATB_SPEED_HOME_PATH": "/x", "MIES_INSTALL_PATH": "/x"}
FIGURE = r"\d+(?:\.\d+)?"


def serve(max_batch: int = 4, decode: float = 0.004, prefill: float = 200000.0) -> Listener:
    config = types.SimpleNamespace(
        model_name=MODEL, max_input_tokens=1000, max_new_tokens=100, max_seq_len=2000, max_batch=max_batch, e2e_timeout=600,
        max_links=100, max_request_bytes=1 << 20, weights=Path("/data/w"), business=("127.0.0.1", 0),
    )  # fmt: skip
    engine = Engine(config, Settings(prefill_tokens_per_second=prefill, decode_seconds_per_token=decode), Metrics(MODEL))
    service = Service(config, engine, logging.getLogger("quiet"), monitor=True, stop=lambda: None)
    listener = Listener(("127.0.0.1", 0), ["business"], service)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    return listener


class Tool:
    """A container's file tree, and the command run in it."""

    def __init__(self, root: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.url, self.capsys = root, url, capsys
        shutil.copytree(SIMULATOR / "rootfs" / SITE_PACKAGES, root / SITE_PACKAGES)
        (root / "usr/local/Ascend/driver").mkdir(parents=True)
        (root / "model").mkdir()
        (root / "model/tokenizer_config.json").write_text("{}")
        for name in benchmark.CHECKED_FILES:
            (root / SITE_PACKAGES / name).chmod(0o640)
        self.env = {**SOURCED, "MINDIESIM_ROOT": str(root), "MINDIE_LOG_TO_STDOUT": "benchmark:1; client:1"}
        self.synthetic(8, 8)

    def synthetic(self, prompt: int, answer: int, count: int = 12, **changes: object) -> None:
        def fixed(length: int) -> dict:
            return {"Method": "uniform", "Params": {"MinValue": length, "MaxValue": length}}

        config = {"Input": fixed(prompt), "Output": fixed(answer), "RequestCount": count, **changes}
        path = self.root / "synthetic.json"
        path.write_text(json.dumps(config))
        path.chmod(0o640)

    def __call__(self, **changes: str) -> tuple[int, str]:
        options = {
            "DatasetType": "synthetic", "ModelName": MODEL, "ModelPath": str(self.root / "model"), "TestType": "vllm_client", "Http": self.url,
            "ManagementHttp": self.url, "Concurrency": "4", "MaxOutputLen": "100", "TaskKind": "stream", "Tokenizer": "True", "WarmupSize": "0",
            "SyntheticConfigPath": str(self.root / "synthetic.json"), "SavePath": str(self.root / "instance"), **changes,
        }  # fmt: skip
        rc = benchmark.main([word for name, value in options.items() for word in (f"--{name}", value)], self.env)
        return rc, self.capsys.readouterr().out


@pytest.fixture(scope="module")
def listener():
    made = serve()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def tool(tmp_path, listener, capsys):
    return Tool(tmp_path, f"http://127.0.0.1:{listener.socket.getsockname()[1]}", capsys)


@pytest.mark.parametrize("way", ["vllm_client", "tgi_client", "openai"])
def test_the_report_is_that_of_the_requests_that_were_sent(tool, listener, way):
    metrics = listener.service.engine.metrics
    before = metrics.counters["request_received_total"]
    rc, text = tool(TestType=way)
    assert rc == 0, text
    assert metrics.counters["request_received_total"] - before == 12
    assert text.rstrip().endswith("Benchmark task completed successfully!")
    point = read_results(text, "mindie")
    assert (point["requests"], point["completed"], point["concurrency"]) == (12, 12, 4)
    assert (point["input_tokens"], point["output_tokens"]) == (96, 96)
    assert point["output_throughput_tok_s"] * point["duration_s"] == pytest.approx(96, rel=0.01)
    assert point["request_throughput_per_s"] * point["duration_s"] == pytest.approx(12, rel=0.01)
    # 7 tokens after the first, at 4 ms each or later; never earlier. A client that is late to read sees them come faster, but not end before.
    assert point["itl_ms"]["min"] > 0
    assert point["latency_ms"]["mean"] >= 7 * 3.9
    assert point["tpot_ms"]["mean"] * 7 == pytest.approx(point["latency_ms"]["mean"] - point["ttft_ms"]["mean"], rel=0.02)


def test_the_tables_have_the_lines_of_the_real_tool(tool):
    text = tool()[1]
    lines = text.splitlines()
    assert re.fullmatch(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\] \[\d+\] \[\d+\] \[benchmark\] \[INFO\] \[output\.py:114\]", lines[0])
    assert lines[1] == "The BenchMark test performance metric result is:"
    assert re.fullmatch(r"\| +Metric \| +average \| +max \| +min \| +P75 \| +P90 \| +SLO_P90 \| +P99 \| +N \|", lines[3])
    assert re.search(rf"^\| +FirstTokenTime (\| +{FIGURE} ms ){{7}}\| 12 \|$", text, re.MULTILINE)
    assert re.search(rf"^\| CharactersPerToken \| +{FIGURE} (\| +/ ){{6}}\| 12 \|$", text.replace("  CharactersPerToken", " CharactersPerToken"), re.MULTILINE)
    assert re.search(r"^\| +Returned \| +12\( 100\.0% \) \|$", text, re.MULTILINE)
    assert re.search(rf"^\| +OutputGenerateSpeed \| +{FIGURE} token/s \|$", text, re.MULTILINE)


def test_the_files_hold_the_same_figures_without_labels(tool):
    text = tool()[1]
    perf, whole = (next((tool.root / "instance").glob(f"result_{name}_*.csv")) for name in ("perf", "common"))
    assert {path.stat().st_mode & 0o777 for path in (perf, whole)} == {0o640}
    rows = list(csv.reader(perf.open()))
    assert rows[0][:2] == ["FirstTokenTime", "DecodeTime"]
    assert len(rows) == 9
    assert rows[8] == ["12"] * len(rows[0])
    assert read_results([perf.read_text(), whole.read_text()]) == read_results(text)


def test_screen_only_where_asked(tool):
    tool.env["MINDIE_LOG_TO_STDOUT"] = "0"
    rc, text = tool()
    assert (rc, text) == (0, "Benchmark task completed successfully!\n")


def test_throughput_grows_to_the_batch_limit_and_then_only_the_wait_grows(capsys, tmp_path):
    made = serve(max_batch=4, decode=0.02)
    try:
        tool = Tool(tmp_path, f"http://127.0.0.1:{made.socket.getsockname()[1]}", capsys)
        tool.synthetic(4, 6, count=16)
        measured = {number: [read_results(tool(Concurrency=str(number))[1]) for _round in range(3)] for number in (1, 4, 16)}
    finally:
        made.shutdown()
        made.server_close()
    # Other work on this machine only slows things: the best of three is nearest to the model.
    throughput = {number: max(point["output_throughput_tok_s"] for point in points) for number, points in measured.items()}
    first_token = {number: min(point["ttft_ms"]["mean"] for point in points) for number, points in measured.items()}
    assert throughput[4] > 2.5 * throughput[1]
    assert throughput[16] < 1.4 * throughput[4]
    assert first_token[16] > 4 * first_token[4]


@pytest.mark.parametrize("name", benchmark.CHECKED_FILES)
@pytest.mark.parametrize("mode", [0o644, 0o600])
def test_other_modes_than_640_are_refused(tool, name, mode):
    (tool.root / SITE_PACKAGES / name).chmod(mode)
    rc, text = tool()
    assert rc == 1
    assert f"should be 640, but got {mode:o}" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"Input": {"Method": "uniform", "Params": {"MinValue": 9, "MaxValue": 8}}},
            "MinValue should less than MaxValue, but got MinValue is 9, and MaxValue is 8.",
        ),
        (
            {"Input": {"Method": "uniform", "Params": {"MinValue": 0, "MaxValue": 8}}},
            "Parameter Input MinValue is 0, not within the required range [1, 1048576]",
        ),
        ({"Input": {"Method": "uniform", "Params": {"MinValue": 1}}}, "Expect keys"),
        ({"Output": {"Method": "zipf", "Params": {"Alpha": 1.0, "MinValue": 1, "MaxValue": 8}}}, "not within the required range (1.0, 10.0]"),
        ({"Output": {"Method": "gaussian", "Params": {"Mean": 4, "Var": -1, "MinValue": 1, "MaxValue": 8}}}, "Parameter Output Var is -1"),
        ({"Output": {"Method": "poisson", "Params": {}}}, "Method should be one of"),
        ({"RequestCount": 1.5}, "Parameter RequestCount should have type"),
        ({"More": 1}, "Expect keys"),
    ],
)
def test_a_synthetic_configuration_outside_of_the_ranges(tool, listener, changes, words):
    before = listener.service.engine.metrics.counters["request_received_total"]
    tool.synthetic(8, 8, **changes)
    rc, text = tool()
    assert rc == 1
    assert words in text
    assert listener.service.engine.metrics.counters["request_received_total"] == before


@pytest.mark.parametrize("method", [{"Method": "gaussian", "Params": {"Mean": 5, "Var": 4, "MinValue": 2, "MaxValue": 8}},
                                    {"Method": "zipf", "Params": {"Alpha": 2.0, "MinValue": 2, "MaxValue": 8}}])  # fmt: skip
def test_every_method_draws_within_its_bounds(tool, method):
    tool.synthetic(8, 8, count=50, Input=method, Output=method)
    lengths = benchmark.read_synthetic(tool.root / "synthetic.json")
    assert len(lengths) == 50
    assert all(2 <= number <= 8 for pair in lengths for number in pair)


def test_lengths_from_a_csv_file(tool):
    path = tool.root / "lengths.csv"
    path.write_text("Input,Output\n3,4\n5,6\n")
    path.chmod(0o640)
    assert benchmark.read_synthetic(path) == [(3, 4), (5, 6)]
    (tool.root / "lengths.txt").write_text("")
    (tool.root / "lengths.txt").chmod(0o640)
    rc, text = tool(SyntheticConfigPath=str(tool.root / "lengths.txt"))
    assert rc == 1
    assert "`SyntheticConfigPath` should be `.csv` or `.json` file, but got" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"Concurrency": "0"}, "`Concurrency` should be in range [1, 1000], but got 0."),
        ({"Concurrency": "1001"}, "`Concurrency` should be in range [1, 1000], but got 1001."),
        ({"TestType": "curl"}, "`TestType` should be one of"),
        ({"ModelName": "x" * 1024}, "The length of `ModelName` should be less than 1024."),
        ({"ModelPath": "/nowhere"}, "Can't load tokenizer for '/nowhere'"),
        ({"DatasetType": "gsm8k"}, "The simulator knows the synthetic data set"),
    ],
)
def test_arguments_that_are_refused(tool, changes, words):
    rc, text = tool(**changes)
    assert rc == 1
    assert words in text


def test_a_key_that_config_json_lacks(tool):
    path = tool.root / SITE_PACKAGES / "mindiebenchmark/config/config.json"
    config = json.loads(path.read_text())
    del config["OutputConfig"]["INSTANCE_PATH"]
    path.write_text(json.dumps(config))
    assert "JSON config is missing INSTANCE_PATH or INSTANCE_PATH is empty, please check" in tool()[1]


def test_an_environment_that_was_not_sourced(tool, capsys):
    del tool.env["ATB_HOME_PATH"]
    assert benchmark.main([], tool.env) == 1
    assert "libatb.so: cannot open shared object file" in capsys.readouterr().err


def test_a_service_that_refuses_every_request(tool):
    rc, text = tool(TestType="openai", ModelName="another")
    assert rc == 1
    assert "12 requests failed: ValueError: status 422" in text
    assert "Model not found." in text
    assert "No request returned." in text


def test_a_service_that_goes_away_halfway_is_reported_with_what_returned(capsys, tmp_path):
    made = serve(max_batch=1, decode=0.002)
    tool = Tool(tmp_path, f"http://127.0.0.1:{made.socket.getsockname()[1]}", capsys)
    answer, seen = made.service.engine.answer, []

    def first_four(request):
        seen.append(request)
        if len(seen) > 4:
            raise ConnectionResetError
        return answer(request)

    made.service.engine.answer = first_four
    try:
        rc, text = tool(Concurrency="1")
    finally:
        made.shutdown()
        made.server_close()
    assert rc == 0
    point = read_results(text)
    assert (point["requests"], point["completed"]) == (12, 4)
    assert point["success_rate"] == pytest.approx(1 / 3, abs=1e-6)
