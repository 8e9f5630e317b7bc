# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated MindIE daemon as real processes: loopback addresses stand for hosts and devices."""

from __future__ import annotations

import contextlib
import copy
import gzip
import http.client
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[3]
SIMULATOR = REPO / "tests/simulator/mindie"
DEFAULT_CONFIG = SIMULATOR / "rootfs/usr/local/Ascend/mindie/latest/mindie-service/conf/config.json"
# Compressed, because a linter of texts would have its quotation marks changed.
CHAT_SAMPLE = REPO / "tests/fixtures/mindie/sample_chat_completion_2.0.RC1.json.gz"
MODEL = "DeepSeek-V3-int8"
PATIENCE = 20.0

KILLED = -signal.SIGKILL
ABORTED = -signal.SIGABRT
SUCCESS = "Daemon start success!"
SLAVE = "Multi Nodes infer slave instance need not init TokenizerProcessPool and HttpWrapper"


# A block for each of pytest's workers, below the ephemeral ports: nobody else takes a port between this look and the daemon's start.
FIRST_PORT = 12000 + 2000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
PORTS = iter(range(FIRST_PORT, FIRST_PORT + 2000))


def free_port() -> int:
    for port in PORTS:
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("", port))
            return port
    raise AssertionError("all ports of this worker were given out")


class Node:
    """One host: its file tree, its daemon and what the daemon printed."""

    def __init__(self, root: Path, address: str = "127.0.0.1", devices: int = 2, **env: str) -> None:
        self.root = root
        for name in ("dev/shm", "etc", "home", "usr/local/Ascend/driver", "service/conf", "service/logs", "data/weights"):
            (root / name).mkdir(parents=True)
        for name in ("service", "service/conf", "service/logs"):
            (root / name).chmod(0o750)
        for name in ("davinci_manager", "devmm_svm", "hisi_hdc", *(f"davinci{number}" for number in range(devices))):
            (root / "dev" / name).touch()
        self.write("data/weights/config.json", '{"torch_dtype": "bfloat16", "vocab_size": 129280}')
        self.address = address
        self.business, self.management, self.metrics = free_port(), free_port(), free_port()
        self.config = json.loads(DEFAULT_CONFIG.read_text())
        self.config["ServerConfig"].update(
            ipAddress=address,
            managementIpAddress=address,
            port=self.business,
            managementPort=self.management,
            metricsPort=self.metrics,
            httpsEnabled=False,
            interCommTLSEnabled=False,
        )
        self.config["BackendConfig"].update(npuDeviceIds=[list(range(devices))], interNodeTLSEnabled=False)
        self.model.update(modelName=MODEL, modelWeightPath=str(root / "data/weights"), worldSize=devices)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "PYTHONPATH": str(SIMULATOR),
            "PYTHONDONTWRITEBYTECODE": "1",
            "ASCEND_TOOLKIT_HOME": "/sourced",
            "ATB_HOME_PATH": "/sourced",
            "ATB_SPEED_HOME_PATH": "/sourced",
            "MIES_INSTALL_PATH": str(root / "service"),
            "MINDIESIM_ROOT": str(root),
            "MINDIESIM_TIME_SCALE": "0.01",
            "MINDIESIM_DECODE_SECONDS_PER_TOKEN": "0.001",
            **env,
        }
        self.arguments: list[str] = []
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.output: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    @property
    def model(self) -> dict:
        return self.config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]

    @property
    def schedule(self) -> dict:
        return self.config["BackendConfig"]["ScheduleConfig"]

    def write(self, name: str, text: str, mode: int = 0o640) -> Path:
        path = self.root / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def start(self, config: str | None = None, config_mode: int = 0o640, **popen: object) -> Node:
        self.write("service/conf/config.json", json.dumps(self.config) if config is None else config, config_mode)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mindiesim.daemon", *self.arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **popen,
        )
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def until(self, wanted: str) -> None:
        """Read on to a line that contains the text."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            assert line is not None, f"no {wanted!r} in {self.output} log {self.log()}"
            self.output.append(line)
            if wanted in line:
                return

    def backends(self) -> list[str]:
        """The processes of the backends, when they have taken their name and handle signals as they do."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        deadline = time.monotonic() + PATIENCE
        while [Path(f"/proc/{pid}/comm").read_text().strip() for pid in children.read_text().split()] != ["mindie_llm_back"] * 2:
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)
        return children.read_text().split()

    def ended(self) -> int:
        code = self.process.wait(timeout=PATIENCE)
        deadline = time.monotonic() + PATIENCE
        line: str | None = ""
        while line is not None:
            line = self.lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            if line is not None:
                self.output.append(line)
        return code

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return "".join(path.read_text() for path in self.root.glob("home/mindie/log/debug/mindie-server_*.log"))

    def plog(self) -> str:
        return "".join(path.read_text() for path in self.root.glob("home/ascend/log/debug/plog/plog-*.log"))

    def request(self, method: str, path: str, body: object = None, port: int | None = None, headers: dict | None = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection(self.address, port or self.business, timeout=PATIENCE)
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        try:
            connection.request(method, path, data, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()


@pytest.fixture
def node(tmp_path):
    made = Node(tmp_path / "host")
    yield made
    made.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A single node that serves."""
    made = Node(tmp_path_factory.mktemp("served") / "host", MIES_SERVICE_MONITOR_MODE="1")
    made.schedule["maxIterTimes"] = 100
    made.start().until(SUCCESS)
    yield made
    made.close()


def chat(node: Node, **extra: object) -> tuple[int, dict]:
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Who are you?"}], **extra}
    status, text = node.request("POST", "/v1/chat/completions", body)
    return status, json.loads(text)


# -- one node -----------------------------------------------------------------------------------------------------------


def test_single_node_start_says_what_the_real_one_says(served):
    assert served.output == [
        f"g_mainPid = {served.process.pid}",
        f"ConfigManager: Load Config from {served.root}/service/conf/config.json.",
        "[ConfigManager::InitConfigManager] Successfully init config manager",
        "Daemon start success!",
    ]
    assert re.search(
        r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d\] \[\d+\] \[\d+\] \[server\] \[INFO\] \[daemon\.py:\d+\] : Daemon start success!$",
        served.log(),
        re.M,
    )


def test_chat_has_the_recorded_shape(served):
    status, reply = chat(served)
    recorded = json.loads(gzip.decompress(CHAT_SAMPLE.read_bytes()))
    assert status == 200
    assert list(reply) == list(recorded)
    assert list(reply["choices"][0]) == list(recorded["choices"][0])
    assert list(reply["choices"][0]["message"]) == list(recorded["choices"][0]["message"])
    assert list(reply["usage"]) == list(recorded["usage"])
    content = reply["choices"][0]["message"]["content"]
    assert content.startswith("[simulated MindIE] ")
    assert content.endswith("You asked: Who are you?")
    assert reply["choices"][0]["finish_reason"] == "stop"
    assert reply["usage"]["prompt_tokens"] == 4  # Who, are, you, ?
    assert reply["usage"]["total_tokens"] == 4 + reply["usage"]["completion_tokens"]
    assert len(reply["decode_time_arr"]) == reply["usage"]["completion_tokens"] - 1


@pytest.mark.parametrize(("extra", "made"), [({"max_tokens": 3}, 3), ({"ignore_eos": True}, 100), ({"ignore_eos": True, "max_tokens": 5000}, 100)])
def test_an_answer_ends_at_max_tokens_and_at_max_iter_times(served, extra, made):
    status, reply = chat(served, **extra)
    assert status == 200
    assert reply["usage"]["completion_tokens"] == made
    assert reply["choices"][0]["finish_reason"] == "length"


def test_chat_stream_ends_with_usage_and_done(served):
    status, text = served.request(
        "POST", "/v1/chat/completions", {"model": MODEL, "messages": [{"role": "user", "content": "hi"}], "stream": True, "max_tokens": 4}
    )
    events = text.split("\n\n")
    assert status == 200
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event[len("data: "):]) for event in events[:-2]]
    assert [chunk["object"] for chunk in chunks] == ["chat.completion.chunk"] * 4
    assert "".join(chunk["choices"][0]["delta"]["content"] for chunk in chunks) == "[simulated MindIE]"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None, None, None, "length"]
    assert ["usage" in chunk for chunk in chunks] == [False, False, False, True]
    assert chunks[-1]["usage"] == {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5}


def test_other_ways_to_ask(served):
    status, text = served.request("POST", "/v1/completions", {"model": MODEL, "prompt": "one two", "max_tokens": 4})
    assert (status, json.loads(text)["object"], json.loads(text)["choices"][0]["text"]) == (200, "text_completion", "[simulated MindIE]")
    status, text = served.request("POST", "/generate", {"inputs": "one two", "parameters": {"max_new_tokens": 4}})
    assert (status, json.loads(text)["generated_text"]) == (200, "[simulated MindIE]")
    status, text = served.request("POST", "/generate", {"prompt": "one two", "max_tokens": 4})
    assert (status, json.loads(text)) == (200, {"text": ["one two[simulated MindIE]"]})
    status, text = served.request("POST", "/generate_stream", {"inputs": "one two", "parameters": {"max_new_tokens": 4}})
    last = json.loads(text.split("\n\n")[-2][len("data: "):])
    assert (status, last["generated_text"], last["details"]["finish_reason"]) == (200, "[simulated MindIE]", "length")


def test_models(served):
    status, text = served.request("GET", "/v1/models")
    model = {"id": MODEL, "object": "model", "root": "***/weights", "owned_by": "MindIE Server", "parent": "null"}
    assert (status, json.loads(text)) == (200, {"object": "list", "data": [model]})
    assert served.request("GET", f"/v1/models/{MODEL}")[0] == 200
    status, text = served.request("GET", "/v1/models/other")
    assert (status, json.loads(text)) == (404, {"error": "Model other not found.", "error_type": "NotFoundError"})


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/health", 200, ""),
        ("/health/timed", 200, '{"status": "healthy"}'),
        ("/health/timed-600", 200, '{"status": "healthy"}'),
        ("/health/timed-601", 404, '{"error": "Wait time should be in range of [1, 600], input is not valid.", "error_type": "NotFoundError"}'),
        ("/v2/health/live", 200, ""),
        ("/v2/health/ready", 200, ""),
        (f"/v2/models/{MODEL}/ready", 200, ""),
        ("/v2/models/other/ready", 404, '{"error": "Model other not found.", "error_type": "NotFoundError"}'),
    ],
)
def test_management_port(served, path, status, body):
    assert served.request("GET", path, port=served.management) == (status, body)


def test_config_and_status(served):
    status, text = served.request("GET", "/v1/config", port=served.management)
    assert (status, json.loads(text)["modelName"], json.loads(text)["maxOutputLen"]) == (200, MODEL, 100)
    status, text = served.request("GET", "/v1/status", port=served.management)
    assert (status, json.loads(text)["service"]["roleStatus"]) == (200, "RoleReady")


def test_a_route_answers_on_its_own_port_only(served):
    assert served.request("GET", "/health")[0] == 404
    assert served.request("GET", "/v1/models", port=served.management)[0] == 404
    assert served.request("GET", "/metrics", port=served.management)[0] == 404
    assert served.request("GET", "/v1/chat/completions")[0] == 404


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"model": "DeepSeek-R1-int8", "messages": [{"role": "user", "content": "x"}]}, "Model not found."),
        ({"messages": [{"role": "user", "content": "x"}]}, "Request contains not model or model null."),
        ({"model": 7}, "Request param model must be string."),
        ({"model": MODEL}, "Request param contains not messages or messages null."),
        ({"model": MODEL, "messages": []}, "Request param messages not arr or arr is empty."),
        ({"model": MODEL, "messages": [{"content": "x"}]}, "Request param contains not role or role null."),
        ({"model": MODEL, "messages": [{"role": "robot", "content": "x"}]}, "Request param contains role must be system, assistant, user or tool."),
        ({"model": MODEL, "messages": [{"role": "user"}]}, "Request param contains not content or content null."),
        ({"model": MODEL, "messages": [{"role": "user", "content": ""}]}, "Request param content len should not be 0."),
        ({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "stream": "yes"}, "Param stream not boolean."),
        ({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "max_tokens": 0}, "max_tokens must be (0, 2147483647], got 0."),
        ({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "temperature": 3}, "temperature must be in [0.0,2.0], got 3."),
        ({"model": MODEL, "messages": [{"role": "user", "content": "x " * 2049}]}, "Messages token length must be in(0, 2048], but got 2049"),
        ("{", "Failed to parse request context to json"),
    ],
)
def test_refused_requests(served, body, text):
    status, reply = served.request("POST", "/v1/chat/completions", body)
    assert (status, json.loads(reply)) == (422, {"error": text, "error_type": "Input Validation Error"})


def test_a_body_above_the_limit_is_refused_before_it_is_read(served):
    reply = served.request("POST", "/v1/completions", "", headers={"Content-Length": str(40 * 1024 * 1024 + 1)})
    assert reply == (413, '{"message": "Request body too large. Maximum allowed size is 40MB."}')


def test_request_uuid_comes_back(served):
    connection = http.client.HTTPConnection(served.address, served.business, timeout=PATIENCE)
    connection.request("GET", "/v1/models", headers={"RequestUUID": "abc-1"})
    reply = connection.getresponse()
    assert (reply.getheader("RequestUUID"), reply.getheader("Connection")) == ("abc-1", "close")
    connection.close()


def counters(node: Node) -> dict[str, float]:
    status, text = node.request("GET", "/metrics", port=node.metrics)
    assert status == 200
    return {line.split("{")[0]: float(line.split()[-1]) for line in text.splitlines() if not line.startswith("#") and "le=" not in line}


def counters_at_rest(node: Node, received: float = 0) -> dict[str, float]:
    """A request is counted after its answer was sent: wait until all are, that of an earlier test too."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = counters(node)
        ended = found["request_success_total"] + found["request_failed_total"]
        if (found["request_received_total"] == ended and ended >= received) or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


def test_metrics_count(served):
    before = counters_at_rest(served)
    chat(served, max_tokens=5)
    chat(served, model="nobody")
    after = counters_at_rest(served, before["request_received_total"] + 2)
    grown = {name: after[name] - before[name] for name in after if name.endswith("_total")}
    assert grown == {
        "request_received_total": 2,
        "request_success_total": 1,
        "request_failed_total": 1,
        "prompt_tokens_total": 4,
        "generation_tokens_total": 5,
        "num_preemptions_total": 0,
    }
    assert after["request_generation_tokens_count"] - before["request_generation_tokens_count"] == 1
    assert after["time_per_output_token_seconds_count"] - before["time_per_output_token_seconds_count"] == 4
    assert after["num_requests_running"] == 0


def test_stop_by_signal(node):
    node.env["MINDIESIM_TIME_SCALE"] = "0.1"
    node.start().until(SUCCESS)
    node.backends()
    shared = sorted(path.name for path in (node.root / "dev/shm").iterdir())
    assert shared == [f"llm_backend_{node.process.pid}_0", f"llm_backend_{node.process.pid}_1", f"llm_tokenizer_shared_memory_{node.process.pid}"]
    status, text = node.request("GET", "/metrics", port=node.metrics)
    assert (status, json.loads(text)["error"]) == (500, "Environment variable MIES_SERVICE_MONITOR_MODE is not set.")
    node.process.terminate()
    assert node.ended() == ABORTED
    assert "Daemon is killing, please wait about 15 seconds..." in node.output
    assert node.output[-1] == "All subprocesses exited gracefully."
    assert list((node.root / "dev/shm").iterdir()) == []
    assert "[stop mindie server] [success]" in node.log()
    assert "[ERROR]" not in node.log()


def test_stop_by_request(node):
    node.start().until(SUCCESS)
    assert node.request("GET", "/stopService", port=node.management) == (200, "")
    assert node.ended() == ABORTED


def test_a_restart_takes_the_port_while_a_connection_of_the_process_before_lingers(node):
    node.start().until(SUCCESS)
    with socket.create_connection((node.address, node.business)) as client:
        client.sendall(b"GET /v1/models HTTP/1.1\r\nHost: npu01\r\n\r\n")
        # Read to the end: the side that closes first, here the server, keeps the connection in TIME_WAIT.
        while client.recv(65536):
            pass
    node.process.terminate()
    assert node.ended() == ABORTED
    node.start().until(SUCCESS)


def test_a_killed_daemon_leaves_shared_memory_that_stops_the_next_one(node):
    node.start().until(SUCCESS)
    node.process.kill()
    node.ended()
    assert node.start().ended() == KILLED
    assert "llm_backend_" in node.log() and "of an earlier process exists" in node.log()
    for left in (node.root / "dev/shm").iterdir():
        left.unlink()
    node.start().until(SUCCESS)


def test_a_dead_backend_ends_the_service(node):
    node.start().until(SUCCESS)
    children = node.backends()
    os.kill(int(children[0]), signal.SIGKILL)
    assert node.ended() == ABORTED
    assert f"Process {children[0]} was terminated by signal 9 (Killed)" in node.log()


def test_equal_ports_share_a_listener(node):
    node.config["ServerConfig"].update(managementPort=node.business, metricsPort=node.business)
    node.start().until(SUCCESS)
    assert node.request("GET", "/health")[0] == 200
    assert node.request("GET", "/v1/models")[0] == 200


def test_connections_beyond_three_times_max_link_num_are_closed(node):
    node.config["ServerConfig"]["maxLinkNum"] = 1
    node.start().until(SUCCESS)
    held = [socket.create_connection((node.address, node.business), timeout=PATIENCE) for _number in range(3)]
    with socket.create_connection((node.address, node.business), timeout=PATIENCE) as fourth:
        assert fourth.recv(1) == b""
    for connection in held:
        connection.sendall(b"GET /v1/models HTTP/1.1\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        connection.close()


def test_log_switches(node):
    node.env.update(MINDIE_LOG_TO_STDOUT="llm:0; server:1", MINDIE_LOG_TO_FILE="0", MINDIE_LOG_VERBOSE="0")
    node.start().until(f"] : [INFO] {SUCCESS}")
    assert node.log() == ""


# -- refusals -----------------------------------------------------------------------------------------------------------


def refused(node: Node, **start: object) -> list[str]:
    """Start, see it killed, give what it printed after its pid."""
    assert node.start(**start).ended() == KILLED
    assert "[start mindie server] [fail]" in node.log()
    assert "Failed to init endpoint! Please check the service log or console output." in node.log()
    return node.output[1:]


def test_config_that_others_may_read(node):
    assert refused(node, config_mode=0o644)[1:] == [
        "Check path: config.json failed, by: Check Other group permission failed: Current permission is 4, but required no greater than 0. "
        "Required permission: 640, but got 644",
        "[ConfigManager] Checking Config Failed",
    ]


def test_permission_checks_can_be_switched_off(node):
    node.env["MINDIE_CHECK_INPUTFILES_PERMISSION"] = "0"
    node.start(config_mode=0o644).until(SUCCESS)


def test_config_that_is_not_json(node):
    text = json.dumps(node.config, indent=1).replace('"port"', '// the port\n"port"')
    assert refused(node, config=text)[1:] == ["Json file is invalid. Please check json format! ", "[ConfigManager] Checking Config Failed"]


def test_config_file_argument_and_variable(node):
    other = node.write("etc/other.json", "{")
    node.arguments = ["--config-file", str(other)]
    assert refused(node)[0] == f"ConfigManager: Load Config from {other}."
    node.arguments, node.output = [], []
    node.env["MIES_CONFIG_JSON_PATH"] = str(other)
    assert refused(node)[0] == f"ConfigManager: Load Config from {other}."


def test_unknown_argument(node):
    node.arguments = ["--port", "1"]
    assert node.start().ended() == 255
    assert "Unrecognized command-line argument, expect [--config-file, --expert-parallel]" in node.log()


def test_leader_of_a_session_cannot_set_its_group(node):
    assert node.start(start_new_session=True).ended() == 255
    assert "[MIE04E01011C] [daemon] Failed to set process group. errno is 2" in node.log()


@pytest.mark.parametrize(
    ("variable", "library"),
    [("ASCEND_TOOLKIT_HOME", "libascendcl.so"), ("ATB_HOME_PATH", "libatb.so"), ("MIES_INSTALL_PATH", "libboost_thread.so.1.82.0")],
)
def test_environment_not_sourced(node, variable, library):
    del node.env[variable]
    assert node.start().ended() == 127
    assert f"{library}: cannot open shared object file: No such file or directory" in node.output[0]


def test_driver_not_mounted(node):
    (node.root / "usr/local/Ascend/driver").rmdir()
    assert node.start().ended() == 127
    assert "libascend_hal.so" in node.output[0]


def test_device_not_mounted(node):
    (node.root / "dev/davinci1").unlink()
    refused(node)
    assert "open device node /dev/davinci1 failed" in node.plog()


def test_weights_config_that_others_may_read(node):
    (node.root / "data/weights/config.json").chmod(0o644)
    assert refused(node)[1] == (
        "[WARNING] Check path: config.json failed, by:Check path: config.json failed, by: Check Other group permission failed: "
        "Current permission is 4, but required no greater than 0. Required permission: 750, but got 644"
    )


def test_weight_file_that_others_may_write_and_link(node):
    shard = node.write("data/weights/model-00001-of-00001.safetensors", "", 0o666)
    refused(node)
    assert f"The file {shard} should not be writable by others" in node.log()
    assert "Current permission: 0o666. Permission after removal: 0o664." in node.log()
    shard.rename(node.root / "data/shard")
    shard.symlink_to(node.root / "data/shard")
    for left in (node.root / "dev/shm").iterdir():
        left.unlink()
    refused(node)
    assert f"The path should not be a symbolic link file. Please check the input path:{shard}" in node.log()


def test_service_directory_too_open(node):
    (node.root / "service/conf").chmod(0o755)
    refused(node)
    assert f"Check path: {node.root}/service/conf failed" in node.log()


def test_busy_port(node):
    with socket.socket() as other:
        other.bind((node.address, node.business))
        other.listen()
        refused(node)
    assert f"Failed to listen {node.address}:{node.business}, please check if business ip and port are legal." in node.log()


# -- two nodes ----------------------------------------------------------------------------------------------------------


class Pair:
    """Master and slave with two devices each, on 127.0.1.x and 127.0.2.x."""

    def __init__(self, root: Path) -> None:
        hccl_port, control_port = str(free_port()), free_port()
        self.nodes = []
        servers = []
        for number in (1, 2):
            address = f"127.0.{number}.100"
            node = Node(root / f"host{number}", address, MIES_CONTAINER_IP=address, MINDIESIM_HCCL_PORT=hccl_port)
            node.config["ServerConfig"]["ipAddress"] = node.config["ServerConfig"]["managementIpAddress"] = "127.0.1.100"
            node.config["BackendConfig"].update(multiNodesInferEnabled=True, multiNodesInferPort=control_port)
            devices = [
                {"device_id": str(device), "device_ip": f"127.0.{number}.{device + 1}", "rank_id": str(2 * (number - 1) + device)} for device in (0, 1)
            ]
            servers.append({"server_id": address, "container_ip": address, "device": devices})
            self.nodes.append(node)
            self.hccn(number - 1, tls=(0, 0))
        self.table = {"version": "1.0", "server_count": "2", "server_list": servers, "status": "completed"}
        self.write_tables(self.table, self.table)

    def hccn(self, place: int, tls: tuple[int, int]) -> None:
        lines = [f"address_{device}=127.0.{place + 1}.{device + 1}\ntls_enable_{device}={tls[device]}\n" for device in (0, 1)]
        self.nodes[place].write("etc/hccn.conf", "".join(lines))

    def write_tables(self, *tables: dict) -> None:
        for node, table in zip(self.nodes, tables):
            node.env["RANKTABLEFILE"] = str(node.write("data/hccl.json", json.dumps(table, indent=4)))

    def start(self, time_scale: float = 0.01) -> None:
        """A larger scale leaves a busy machine the time to meet before the group gives up."""
        for node in self.nodes:
            node.env["MINDIESIM_TIME_SCALE"] = str(time_scale)
            node.start()

    def close(self) -> None:
        for node in self.nodes:
            node.close()


@pytest.fixture
def pair(tmp_path):
    made = Pair(tmp_path)
    yield made
    made.close()


def test_two_nodes_meet_serve_and_end_together(pair):
    master, slave = pair.nodes
    pair.start(time_scale=0.1)
    for node in pair.nodes:
        node.until(SUCCESS)
    assert master.output[3:6] == [
        "Start to parse ranktable file",
        "Finished parsing ranktable file.",
        "Update worldSize and npuDeviceIds of backend config successfully for Multi Nodes Inference.",
    ]
    assert SLAVE in slave.output and SLAVE not in master.output
    assert master.request("GET", "/v1/models")[0] == 200
    for port in (slave.business, slave.management, slave.metrics):
        with pytest.raises(ConnectionRefusedError):
            slave.request("GET", "/v1/models", port=port)
    assert chat(master)[0] == 200
    slave.process.kill()
    assert master.ended() == ABORTED
    assert "lost the connection to node 127.0.2.100" in master.log()
    assert re.search(r"Process \d+ was terminated by signal 9 \(Killed\)", master.log())
    assert "Daemon is killing, please wait about 15 seconds..." in master.output


@pytest.mark.parametrize("started", [0, 1])
def test_a_missing_peer_is_waited_for_and_then_ends_the_start(pair, started):
    node = pair.nodes[started]
    begin = time.monotonic()
    assert node.start().ended() == KILLED
    assert time.monotonic() - begin > 1.4  # (120 + 20) s x 0.01
    role = ("server", "client")[started]
    assert f"wait socket establish timeout, role[{started}] rank[{2 * started}] timeout[120 s]" in node.plog()
    assert "LINK_ERROR_INFO" in node.plog()
    assert len(re.findall(rf"\|  {role}  \| time out \|   DISABLE  \| LinkInfo", node.plog())) == 4
    assert "EI0006: Getting socket times out." in node.log()
    assert not any("EI0006" in line for line in node.output), "the console stays silent, as with the real daemon"
    assert "Failed to init endpoint! Please check the service log or console output." in node.log()


def test_tls_mix_is_a_timeout_of_the_links_concerned(pair):
    pair.hccn(1, tls=(0, 1))
    # The other links have to stand before the time is over.
    pair.start(time_scale=0.1)
    for node in pair.nodes:
        assert node.ended() == KILLED
        assert "EI0006" in node.log()
    master, slave = (re.findall(r"(\S+)\s+\|\s+\d+\s+\|\s+(\S+)\s+\|.*time out.*(ENABLE|DISABLE)", node.plog()) for node in pair.nodes)
    assert master == [("127.0.2.2(3)", f"127.0.1.{device + 1}({device})", "DISABLE") for device in (0, 1)]
    assert slave == [(f"127.0.1.{device + 1}({device})", "127.0.2.2(3)", "ENABLE") for device in (0, 1)]


def test_tables_that_differ_are_a_timeout(pair):
    other = copy.deepcopy(pair.table)
    other["note"] = "edited on one host only"
    pair.write_tables(pair.table, other)
    pair.start()
    for node in pair.nodes:
        assert node.ended() == KILLED
        assert "EI0006" in node.log()


def test_a_link_that_is_down_is_a_timeout(pair):
    """hccn.conf confirms the address, but no interface carries it."""
    table = copy.deepcopy(pair.table)
    table["server_list"][1]["device"][1]["device_ip"] = "192.0.2.9"
    pair.write_tables(table, table)
    pair.nodes[1].write("etc/hccn.conf", "address_0=127.0.2.1\naddress_1=192.0.2.9\n")
    assert pair.nodes[1].start().ended() == KILLED
    assert "EI0006" in pair.nodes[1].log()


def test_table_and_adapter_disagree(pair):
    pair.nodes[1].write("etc/hccn.conf", "address_0=127.0.2.77\n")
    assert pair.nodes[1].start().ended() == KILLED
    text = (
        "EI0014: [check][ip]fail, ret(129) the IP address(127.0.2.1) in the ranktable is inconsistent with the IP(127.0.2.77)address of "
        "the network adapter, please make sure they're consistent. num(2)"
    )
    assert text in pair.nodes[1].plog() and text in pair.nodes[1].log()


def test_only_the_old_variable_is_read(pair):
    node = pair.nodes[0]
    node.env["RANK_TABLE_FILE"] = node.env.pop("RANKTABLEFILE")
    assert refused(node)[-1] == "Ranktable file is not exist, please set a valid ranktable file path with RANKTABLEFILE environment."


def test_a_node_that_is_not_in_the_table_gets_no_message_but_fails(pair):
    pair.nodes[0].env["MIES_CONTAINER_IP"] = "127.0.9.9"
    output = refused(pair.nodes[0])
    assert output[-1] == "Finished parsing ranktable file."
    assert "[endpoint] Failed to init infer model instance" in pair.nodes[0].log()
