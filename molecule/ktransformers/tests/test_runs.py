# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs that are cut off, and what has to survive other runs."""

from __future__ import annotations

FOLDER = "/opt/packages/ktransformers"
MODEL = "/data/DeepSeek-R1-q4km-w8a8"
BUILD_UNIT = "npuops-ktransformers-build.service"
BUILDING = f"systemctl is-active --quiet {BUILD_UNIT} && grep --quiet 'Building CXX' /opt/npuops/ktransformers/guide-*/build.log"
# The log of the build before would make the unit look half-way when it has only been started.
FORGET = "rm --force /opt/npuops/ktransformers/guide-*/build.log"
CANN_LIBRARY = "/usr/local/Ascend/ascend-toolkit/latest/lib64/libruntime.so"
KEPT_LIBRARY = "/var/lib/npuops/graph_sink/libruntime.so"
USER_CONFIG = "/var/lib/ktransformers/.ktransformers/config.yaml"
TORCH_NPU_BUILD = "/var/lib/npuops/torch_npu"

# A model whose merge takes a while: layers of 96 MB in files with holes, experts by name alone. What lies beside them is that of the small model.
LARGE = "/data/large"
MAKE_LARGE = """
import glob, json, os, shutil, struct
source, target = "/opt/packages/ktransformers/weights/DeepSeek-R1-W8A8", "/data/large/w8a8"
os.makedirs(target)
for path in glob.glob(source + "/*.json"):
    shutil.copy(path, target)
shapes = {"model.norm.weight": [256]}
for layer in range(8):
    shapes[f"model.layers.{layer}.self_attn.o_proj.weight"] = [96, 1 << 20]
for layer in (1, 2, 3):
    for expert in range(4):
        for kind in ("gate", "up", "down"):
            shapes[f"model.layers.{layer}.mlp.experts.{expert}.{kind}_proj.weight"] = [1, 1]
header, end = {}, 0
for name, shape in shapes.items():
    size = shape[0] * shape[-1] if len(shape) > 1 else shape[0]
    header[name] = {"dtype": "I8", "shape": shape, "data_offsets": [end, end + size]}
    end += size
text = json.dumps(header).encode()
with open(target + "/quant_model_weight_w8a8_dynamic-00001-of-00001.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text)
    file.truncate(8 + len(text) + end)
"""


def test_merge_that_was_killed_goes_on_after_its_finished_shards(run):
    variables = {"weights_merge_safetensors_path": f"{LARGE}/w8a8", "weights_merge_output_path": f"{LARGE}/merged"}
    run.on_host(f"rm -rf {LARGE}")
    run.on_host("python3 -", stdin=MAKE_LARGE)
    run.cut_off("weights", variables, f"test -e {LARGE}/merged/model-00001-of-00008.safetensors", "pgrep --full [A]nsiballZ_merge_weights")
    finished = run.on_host(f"cd {LARGE}/merged && stat --format='%n %i %y' *.safetensors")
    assert 2 <= len(finished.splitlines()) < 9
    assert ".part" in run.on_host(f"ls -A {LARGE}/merged")
    assert run.changes("weights", variables) == 1
    names = run.on_host(f"cd {LARGE}/merged && ls -A").split()
    assert [name for name in names if name.endswith(".safetensors")] == [f"model-{number:05d}-of-00008.safetensors" for number in range(9)]
    assert not any(name.endswith(".part") or "progress" in name for name in names)
    assert run.on_host(f"cd {LARGE}/merged && stat --format='%n %i %y' *.safetensors").startswith(finished)
    assert run.changes("weights", variables) == 0


def test_merge_of_a_run_that_was_cut_off_is_waited_for(run):
    variables = {"weights_merge_safetensors_path": f"{LARGE}/w8a8", "weights_merge_output_path": f"{LARGE}/again"}
    run.cut_off("weights", variables, f"test -e {LARGE}/again/model-00000-of-00008.safetensors")
    code, output = run.play("weights", variables)
    assert code == 0, output
    assert run.on_host(f"cd {LARGE} && for name in again/*.safetensors; do cmp $name merged/${{name#again/}}; done; ls again/*.safetensors | wc -l") == "9\n"
    assert run.changes("weights", variables) == 0
    run.on_host(f"rm -rf {LARGE}")


def test_build_goes_on_after_a_run_that_was_cut_off(run):
    before = run.on_host(f"cat {USER_CONFIG}")
    run.on_host(f"echo '# edited by hand' >> {USER_CONFIG}")
    run.on_host(FORGET)
    run.cut_off("ktransformers", {"ktransformers_use_numa": False}, BUILDING)
    assert run.changes("ktransformers", {"ktransformers_use_numa": False}) > 0
    assert run.changes("ktransformers", {"ktransformers_use_numa": False}) == 0
    assert run.on_host(f"cat {USER_CONFIG}") == before + "# edited by hand\n"


def test_build_that_was_killed_is_made_anew(run):
    """Leaves the host with the build of the inventory again."""
    run.on_host(FORGET)
    run.cut_off("ktransformers", {}, BUILDING, f"cat /sys/fs/cgroup/{{.,systemd}}/system.slice/{BUILD_UNIT}/cgroup.procs 2> /dev/null")
    assert run.changes("ktransformers") > 0
    assert run.changes("ktransformers") == 0


def test_torch_npu_from_an_archive_and_its_build_that_was_killed(run):
    """Leaves the host with the torch_npu of the inventory again, which needs no build."""
    variables = {"torch_npu_source": f"{FOLDER}/op-plugin-7.0.0.tar.gz", "torch_npu_remote_src": True}
    before = run.on_host(f"ls {TORCH_NPU_BUILD}/wheels").split()
    # The process group that timeout leads is the whole build.
    run.cut_off("torch_npu", variables, "pgrep --full '[s]etup.py build bdist_wheel' > /dev/null",
                "pgrep --full '^timeout -k 30 .*/torch_npu/build[.]sh' | sed s/^/-/")
    assert run.changes("torch_npu", variables) > 0
    assert run.changes("torch_npu", variables) == 0
    assert len(run.on_host(f"ls {TORCH_NPU_BUILD}/wheels").split()) == len(before) + 1
    run.changes("torch_npu")
    assert run.changes("torch_npu") == 0


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


def test_one_host_without_an_npu_network_is_not_lost(run):
    code, output = run.play("checks", {"preflight_stages": ["fabric"]})
    assert code == 0, output
