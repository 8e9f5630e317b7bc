# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are cut off, and what has to survive other runs."""

from __future__ import annotations

import os
import signal
import subprocess
import time

MODEL = "/data/DeepSeek-R1-q4km-w8a8"
BUILD_UNIT = "npuops-ktransformers-build.service"
CANN_LIBRARY = "/usr/local/Ascend/ascend-toolkit/latest/lib64/libruntime.so"
KEPT_LIBRARY = "/var/lib/npuops/graph_sink/libruntime.so"
USER_CONFIG = "/var/lib/ktransformers/.ktransformers/config.yaml"


def start_build(run, variables) -> subprocess.Popen[bytes]:
    """Start a run that has to build; return while the build is going on."""
    with open(run.project / ".build/ktransformers-cut-off.log", "wb") as log:
        process = subprocess.Popen(run.argv_of("ktransformers", variables), stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   cwd=run.project, env=run.environment, start_new_session=True)
    deadline = time.monotonic() + 300
    while run.on_host(f"systemctl is-active {BUILD_UNIT} || true").strip() != "active":
        assert process.poll() is None and time.monotonic() < deadline, f"no build; see {log.name}"
    return process


def test_build_goes_on_after_a_run_that_was_cut_off(run):
    before = run.on_host(f"cat {USER_CONFIG}")
    run.on_host(f"echo '# edited by hand' >> {USER_CONFIG}")
    process = start_build(run, {"ktransformers_use_numa": False})
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert run.changes("ktransformers", {"ktransformers_use_numa": False}) > 0
    assert run.changes("ktransformers", {"ktransformers_use_numa": False}) == 0
    assert run.on_host(f"cat {USER_CONFIG}") == before + "# edited by hand\n"


def test_build_that_was_killed_is_made_anew(run):
    """Leaves the host with the build of the inventory again."""
    process = start_build(run, {})
    run.on_host(f"systemctl kill --signal=KILL {BUILD_UNIT}")
    assert process.wait(timeout=300) != 0
    assert run.changes("ktransformers") > 0
    assert run.changes("ktransformers") == 0


def test_merge_goes_on_where_it_was_cut_off(run):
    """As a killed merge leaves it: the last shards are not there, one is half written under its temporary name."""
    command = f"cd {MODEL} && sha256sum *.safetensors && stat --format='%n %i' model-0000[0-3]*"
    digests = run.on_host(f"cd {MODEL} && sha256sum *.safetensors")
    inodes = run.on_host(f"cd {MODEL} && stat --format='%n %i' model-0000[0-3]*")
    run.on_host(f"cd {MODEL} && head --bytes=1000 model-00004-of-00005.safetensors > .model-00004-of-00005.safetensors.tmp && rm model-0000[45]*")
    assert run.changes("weights") == 1
    assert run.on_host(command) == digests + inodes
    assert run.changes("weights") == 0


def test_library_comes_back_byte_for_byte(run):
    kept = run.on_host(f"sha256sum < {KEPT_LIBRARY}; stat --format='%a %U %G' {KEPT_LIBRARY}")
    run.on_host(f"cp -a {KEPT_LIBRARY} /root/original")
    assert run.changes("ktransformers_graph_sink_restore") == 2
    assert run.on_host(f"sha256sum < {CANN_LIBRARY}; stat --format='%a %U %G' {CANN_LIBRARY}") == kept
    assert run.on_host(f"cmp {CANN_LIBRARY} /root/original && cat {CANN_LIBRARY}") == "simulated libruntime.so of CANN 8.1.RC1\n"
    assert run.on_host(f"test ! -e {KEPT_LIBRARY} && echo gone") == "gone\n"
    assert run.changes("ktransformers_graph_sink_restore") == 0
    assert run.changes("ktransformers") > 0
    assert "graph capture" in run.on_host(f"cat {CANN_LIBRARY}")


def test_stop_and_restart(run):
    assert run.changes("ktransformers_stop") == 1
    assert run.on_host("systemctl is-active ktransformers.service || true").strip() == "inactive"
    assert run.changes("ktransformers_restart") == 1
    assert "DeepSeekV3ForCausalLM" in run.on_host("curl --silent http://127.0.0.1:10002/v1/models")
