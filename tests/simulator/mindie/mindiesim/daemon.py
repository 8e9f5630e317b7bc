# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mindieservice_daemon: the order of its start, its signals and its end."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import queue
import resource
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from . import permissions, ranktable
from .config import ServiceConfig, config_path, load
from .engine import Engine
from .errors import StartFailure, Stopped
from .hccn import HostNpus
from .http import Service, open_listeners
from .log import Plog, open_service_log
from .metrics import Metrics
from .peers import EXTRA_SECONDS, Group, Link
from .settings import Settings

STOP_SECONDS = 15
RANK_TABLE_READY_SECONDS = 1800
POLL_SECONDS = 0.2
NAME = "mindieservice_d"
BACKEND_NAME = "mindie_llm_back"
# What each set_env.sh exports, and what the loader misses where it was not sourced.
SOURCED = (
    ("ASCEND_TOOLKIT_HOME", "libascendcl.so"),
    ("ATB_HOME_PATH", "libatb.so"),
    ("ATB_SPEED_HOME_PATH", "libatb_speed.so"),
    ("MIES_INSTALL_PATH", "libboost_thread.so.1.82.0"),
)
SERVICE_DIRECTORIES = (("", 0o750), ("conf", 0o750), ("logs", 0o750), ("bin", 0o550))


class Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise ValueError(message)


class Daemon:
    def __init__(self, env: Mapping[str, str], log: logging.Logger) -> None:
        self.env = env
        self.log = log
        self.settings = Settings.from_env(env)
        self.npus = HostNpus(self.settings.root)
        self.plog = Plog(env)
        # A signal's number, or "stop" from GET /stopService.
        self.events: queue.SimpleQueue[int | str] = queue.SimpleQueue()
        self.children: list[int] = []
        self.stopping = False
        self.shared_memory: list[Path] = []

    def say(self, text: str) -> None:
        self.log.info("%s", text)
        print(text, flush=True)

    # -- start --------------------------------------------------------------------------------------------------------

    def start(self, config_file: str | None) -> None:
        path = config_path(config_file, self.env)
        self.say(f"ConfigManager: Load Config from {path}.")
        config = load(path, self.env)
        self.say("[ConfigManager::InitConfigManager] Successfully init config manager")
        self._check_service_directories()
        table = local = None
        device_ids = config.device_ids
        if config.multi_node:
            table = ranktable.read(self.env, self.say)
            local = table.local(self.env, self.say)
            if local is None:
                raise StartFailure("[endpoint] Failed to init infer model instance")
            device_ids = tuple(device.device_id for device in local.devices)
            self.say("Update worldSize and npuDeviceIds of backend config successfully for Multi Nodes Inference.")
        self._start_backend(config, device_ids)
        if table and local:
            self._meet(table, local, config.multi_node_port)
        self._load_weights(config)
        if table and local != table.master:
            self.say("Multi Nodes infer slave instance need not init TokenizerProcessPool and HttpWrapper")
            return
        engine = Engine(config, self.settings, Metrics(config.model_name))
        monitor = self.env.get("MIES_SERVICE_MONITOR_MODE") == "1"
        self.service = Service(config, engine, self.log, monitor, stop=lambda: self.events.put("stop"))
        open_listeners(self.service)

    def _check_service_directories(self) -> None:
        if not permissions.enabled(self.env):
            return
        home = Path(self.env["MIES_INSTALL_PATH"])
        for name, allowed in SERVICE_DIRECTORIES:
            if (home / name).is_dir():
                try:
                    permissions.check_directory(home / name, allowed)
                except permissions.BadPermission as problem:
                    raise StartFailure(f"Check path: {home / name} failed, by: {problem}") from problem

    def _start_backend(self, config: ServiceConfig, device_ids: tuple[int, ...]) -> None:
        """One backend process per device and the shared memory between them and the daemon."""
        missing = self.npus.missing_node(device_ids)
        if missing:
            self.plog.error("device.cc:1", f"[Open][Device]open device node {missing} failed, errno is 2 (No such file or directory)")
            raise StartFailure(f"[llm_backend] open device node {missing} failed", "[endpoint] Failed to init infer model instance")
        shm = self.settings.root / "dev/shm"
        for pattern in ("llm_backend_*", "llm_tokenizer_shared_memory_*"):
            for left in shm.glob(pattern):
                raise StartFailure(f"[llm_backend] Shared memory {left} of an earlier process exists", "[endpoint] Failed to init infer model instance")
        names = [f"llm_backend_{os.getpid()}_{device}" for device in device_ids] + [f"llm_tokenizer_shared_memory_{os.getpid()}"]
        for name in names:
            (shm / name).touch(mode=0o600, exist_ok=False)
            self.shared_memory.append(shm / name)
        alive, held = os.pipe()
        for _device in device_ids:
            pid = os.fork()
            if pid == 0:
                run_backend(alive, held)
            self.children.append(pid)
        # Only the daemon keeps the write end: when it is gone, however it ended, the backends read the end of the pipe.
        os.close(alive)

    def _load_weights(self, config: ServiceConfig) -> None:
        if config.mock:
            return
        if permissions.enabled(self.env):
            try:
                permissions.check_weights(config.weights)
            except permissions.BadPermission as problem:
                raise StartFailure(str(problem), "[endpoint] Failed to init infer model instance") from problem
        self._wait(self.settings.wait(self.settings.load_seconds))

    # -- the group ----------------------------------------------------------------------------------------------------

    def _meet(self, table: ranktable.RankTable, local: ranktable.Server, control_port: int) -> None:
        self._wait_for_completed(table)
        timeout = self._connect_timeout()
        problem = ranktable.hccl_problem(table) or self.npus.address_problem(local)
        if problem:
            self._hccl_failure("topoinfo_ranktableParser.cc:1", problem)
        tls = {device.device_id: self.npus.tls(device.device_id) for device in local.devices}
        group = Group(table, local, tls, control_port, self.settings, self.log, self._node_lost)
        group.open()
        deadline = time.monotonic() + self.settings.wait(timeout + EXTRA_SECONDS)
        while not group.poll(POLL_SECONDS):
            self._pause(0)
            if time.monotonic() > deadline:
                self._links_missing(group, tls, timeout)

    def _wait_for_completed(self, table: ranktable.RankTable) -> None:
        """HCCL reads the table again until its status is completed."""
        deadline = time.monotonic() + self.settings.wait(RANK_TABLE_READY_SECONDS)
        while table.document.get("status") != "completed":
            if time.monotonic() > deadline:
                self._hccl_failure("topoinfo_ranktableParser.cc:1", "EI0004: The ranktable or rank is invalid,Reason:[The status is not completed].")
            self._pause(self.settings.wait(1))
            table = ranktable.read(self.env, self.log.info)

    def _connect_timeout(self) -> int:
        text = self.env.get("HCCL_CONNECT_TIMEOUT", "120")
        if not text.isdigit() or not 120 <= int(text) <= 7200:
            self._hccl_failure("env_config.cc:1", "EI0001: Environment variable [HCCL_CONNECT_TIMEOUT] is invalid. Reason: Value range [120, 7200].")
        return int(text)

    def _links_missing(self, group: Group, tls: dict[int, bool], timeout: int) -> None:
        missing = group.missing_links()
        if not missing:
            master = group.master
            raise StartFailure(
                f"[llm_backend] multi-node connection on {master.container_ip}:{group.control_port} is not established",
                "[endpoint] Failed to init infer model instance",
            )
        first = missing[0]
        role = 1 if first.role == "client" else 0
        what = f"wait socket establish timeout, role[{role}] rank[{first.own.rank}] timeout[{timeout} s]"
        self.plog.error("hccl_socket_manager.cc:797", f"[Wait][LinkEstablish]{what}")
        self.plog.error("hccl_socket_manager.cc:623", *link_table(missing, tls, self.settings.hccl_port))
        self._hccl_failure("hccl_socket_manager.cc:640", f"EI0006: Getting socket times out. Reason: {what}")

    def _hccl_failure(self, where: str, text: str) -> NoReturn:
        self.plog.error(where, text)
        raise StartFailure(f"[llm_backend] {text}", "[endpoint] Failed to init infer model instance")

    def _node_lost(self, name: str) -> None:
        """HCCL aborts the processes on the devices; the daemon then sees its child die, as it would in reality."""
        if self.stopping:
            return
        self.log.error("[llm_backend] lost the connection to node %s", name)
        with contextlib.suppress(IndexError, ProcessLookupError):
            os.kill(self.children[0], signal.SIGKILL)

    # -- waiting and the end ------------------------------------------------------------------------------------------

    def _pause(self, seconds: float) -> None:
        """Wait during the start; a signal ends it."""
        try:
            event = self.events.get(timeout=seconds) if seconds > 0 else self.events.get_nowait()
        except queue.Empty:
            return
        self.events.put(event)
        raise Stopped

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._pause(deadline - time.monotonic())

    def run(self) -> None:
        """Serve until a signal, a dead child or /stopService."""
        while True:
            event = self.events.get()
            if event == signal.SIGCHLD and not self._reap():
                continue
            if event in (signal.SIGTERM, signal.SIGINT):
                self.log.warning("[daemon] Received exit signal[%d]", event)
            return

    def _collect(self) -> list[tuple[int, int]]:
        """The children that ended, with their status."""
        ended = []
        while self.children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            self.children.remove(pid)
            ended.append((pid, status))
        return ended

    def _reap(self) -> bool:
        """True where a child did not end well."""
        bad = False
        for pid, status in self._collect():
            if os.WIFSIGNALED(status):
                number = os.WTERMSIG(status)
                self.log.error("[daemon] Process %d was terminated by signal %d (%s)", pid, number, signal.strsignal(number))
                bad = True
            else:
                self.log.info("[daemon] Process %d exited normally with status %d", pid, os.WEXITSTATUS(status))
                bad = bad or os.WEXITSTATUS(status) != 0
        return bad

    def stop(self) -> None:
        """End the children, then itself: the real daemon calls abort() here, so the shell sees 134."""
        self.stopping = True
        print(f"Daemon is killing, please wait about {STOP_SECONDS} seconds...", file=sys.stderr, flush=True)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.audit("stop endpoint", "success")
        self.audit("stop mindie server", "success")
        for pid in self.children:
            os.kill(pid, signal.SIGTERM)
        for second in range(1, STOP_SECONDS + 1):
            self._collect()
            if not self.children:
                print("All subprocesses exited gracefully.", file=sys.stderr, flush=True)
                break
            time.sleep(self.settings.wait(1))
            print(f"Waiting for subprocess exits for {second}/{STOP_SECONDS} seconds.", file=sys.stderr, flush=True)
        else:
            print("Timeout reached, some subprocesses still alive. Force to kill them.", file=sys.stderr, flush=True)
            for pid in self.children:
                os.kill(pid, signal.SIGKILL)
        for path in self.shared_memory:
            path.unlink(missing_ok=True)
        logging.shutdown()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.abort()

    def fail(self, failure: StartFailure) -> None:
        for line in failure.lines:
            if failure.printed:
                print(line, flush=True)
            self.log.error("%s", line)
        self.audit("start endpoint", "fail")
        self.audit("start mindie server", "fail")
        self.log.error("[daemon] Failed to init endpoint! Please check the service log or console output.")
        logging.shutdown()
        os.killpg(os.getpgrp(), signal.SIGKILL)

    def audit(self, what: str, result: str) -> None:
        self.log.info("[system] [server] [%s] [%s]", what, result)


def link_table(missing: Sequence[Link], tls: Mapping[int, bool], port: int) -> list[str]:
    lines = [
        "   _________________________LINK_ERROR_INFO___________________________",
        "   |  dest_ip(user_rank)  |   dest_port   |  src_ip(user_rank)   |   src_port   |   MyRole   |   Status   |    TlsStatus   |",
    ]
    for link in missing:
        status = "ENABLE" if tls[link.own.device_id] else "DISABLE"
        lines.append(
            f"   |  {link.peer.address}({link.peer.rank})   |  {port}  |   {link.own.address}({link.own.rank})   |  0  |"
            f"  {link.role}  | time out |   {status}  | LinkInfo"
        )
    return lines


def run_backend(alive: int, held: int) -> None:
    """A backend process: it only exists, and ends with its daemon."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    os.close(held)
    set_name(BACKEND_NAME)
    os.read(alive, 1)
    os._exit(0)


def set_name(name: str) -> None:
    """What ``ps`` and ``npu-smi`` show; without it every process here would be called python3."""
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write(name)


def missing_library(env: Mapping[str, str], root: Path) -> str | None:
    for variable, library in SOURCED:
        if variable not in env:
            return library
    return None if (root / "usr/local/Ascend/driver").is_dir() else "libascend_hal.so"


def main(argv: Sequence[str], env: Mapping[str, str]) -> int:
    library = missing_library(env, Settings.from_env(env).root)
    if library:
        text = f"{library}: cannot open shared object file: No such file or directory"
        print(f"./mindieservice_daemon: error while loading shared libraries: {text}", file=sys.stderr)
        return 127
    print(f"g_mainPid = {os.getpid()}", file=sys.stderr, flush=True)
    set_name(NAME)
    log = open_service_log(env)
    try:
        os.setpgrp()
    except OSError:
        # PID 1 of a container, or any other leader of a session; the recorded line says 2 whatever the reason
        log.error("[MIE04E01011C] [daemon] Failed to set process group. errno is 2")
        return 255
    parser = Arguments(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-file")
    parser.add_argument("--expert-parallel")
    try:
        arguments = parser.parse_args(argv)
    except ValueError:
        log.error("[daemon] Unrecognized command-line argument, expect [--config-file, --expert-parallel]")
        return 255
    daemon = Daemon(env, log)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda got, _frame: daemon.events.put(got))
    try:
        daemon.start(arguments.config_file)
    except StartFailure as failure:
        daemon.fail(failure)
    except Stopped:
        pass
    else:
        daemon.audit("start endpoint", "success")
        daemon.say("Daemon start success!")
    daemon.run()
    daemon.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
