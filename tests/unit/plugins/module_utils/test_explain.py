# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import tracemalloc
import typing as t

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _explain
from ansible_collections.npuops.ascend.plugins.module_utils import _explain_catalogue as catalogue
from hypothesis import given, settings
from hypothesis import strategies as st

PLOG = "[ERROR] HCCL(7,python):2025-10-12-17:17:33.458.123 [socket.cc:9] [9]"

# A line as the vendor prints it, and the entry that explains it. The texts are those of the documents and issues that the entries name.
LINES = {
    # HCCL and HCCP
    "EI0001": "EI0001: Environment variable [HCCL_CONNECT_TIMEOUT] is invalid. Reason: Value range [120, 7200].",
    "EI0002": "EI0002: The wait execution of the Notify register times out. Reason: The Notify register has not received the Notify record from.",
    "EI0003": "EI0003: In [HcclAllReduce], value [0] for parameter [count] is invalid.",
    "EI0004": "EI0004: The ranktable or rank is invalid,Reason:[The IP is used repeatedly.]. Please check the configured ranktable. [/rank_table.json]",
    "EI0005": "CMD information tag check fail. local[AllGather_127.10.0.1%enp_60000], remote[AllReduce_127.10.0.1%enp_60000]",
    "EI0006": f"{PLOG}[Wait][LinkEstablish]wait socket establish timeout, role[1] rank[12] timeout[120]",
    "EI0007": "EI0007: Failed to allocate resource[notify] with info [device 0]. Reason: Memory resources are exhausted.",
    "EI0008": "EI0008: The HCCL versions are inconsistent: tag [a], local_version [8.0.0], remote_version [8.1.RC1]",
    "EI0009": "EI0009: Device 3 transport init error. Reason: link down.",
    "EI0010": "EI0010: P2P communication failed. Reason: EnableP2P",
    "EI0011": "EI0011: Failed to allocate [1048576] bytes of NPU memory.",
    "EI0012": "Execution_Error_SDMA(EI0012): SDMA memory copy task exception occurred. Remote rank: [4800].",
    "EI0013": "Execution Error ROCE CQE(EI0013): An error CQE occurred during operator execution.",
    "EI0014": f"{PLOG}[check][ip]fail, ret(129) the IP address(127.10.0.0) in the ranktable is inconsistent with the IP(127.10.0.1) address of",
    "EI0015": f"{PLOG}[TopoExchange]topo exchange server get socket timeout! timeout[120 s]",
    "EI0016": 'EI0016: Value Disable for config "tls" is invalid. Expected Value:"All ranks are consistent. rankList for enabled tls:[0]"',
    "EI0017": "EI0017: Config rank_id is missing in the ranktable file.",
    "EI0018": "EI0018: An error CQE occurred during operator execution. Local information: server a, device ID 0",
    "EI0020": "EI0020: Failed to enable listening for the NPU network adapter socket. Reason: port 16666",
    "port_host": "socket type[2], listen on ip[192.168.1.100%enp53s0f2] and specific port[60000] fail. Please check the port status",
    "port_device": f"{PLOG}socket type[1], listen on ip[192.168.20.160] and specific port[16666] fail.",
    "EJ0001": "EJ0001: Failed to initialize the HCCP process. Reason: Maybe the last training process is running.",
    "EJ0002": "EJ0002: 2025-07-16-03:14:16.413.263 The network port is down.Suggest: check the link",
    "EJ0003": "EJ0003: Failed to bind the IP port. Reason: The IP address and port have been bound already.",
    "EJ0004": "EJ0004: Check ip fail. Reason: device ip",
    "ip_family": f"{PLOG}ip family[2] is not same as others[10]",
    "host_nic": f"{PLOG}get host ip fail by socket Ifname[eth9]",
    "heartbeat": "[TaskExecStage][HeartbeatAbnormal]local rank [127.10.0.1/1]: crimer rank [127.10.0.2/2] status[LOST] by informer rank [127.10.0.3/3]",
    "superpod_logic": "nicType[VNIC_TYPE], Do not configure ranks belonging to different physical superpod ID info a single",
    "superpod_sdid": f"{PLOG}devices have same superDeviceId[0x3000000] in superPod[super_pod_id_0]",
    "transport_consequence": f"{PLOG}[InitChannelStage]Transport init error! createLink para:rank[2]-localUserrank[2]-localIpAddr[127.10.0.1/2]",
    # hccn_tool
    "cfg_recovery": "dev:0 recovery fail",
    "net_health": "net health status: Receive timeout",
    "link_down": "link status: DOWN",
    "optical_absent": "Optical module is not present.",
    "ping_lost": "3 packets transmitted, 0 received, 100.00% packet loss",
    "hccn_no_ip": "Get ipconf failed, because no ip was preset there!",
    "hccn_gateway_segment": "The segment of configured gateway doesn't match that of the configured ip adress!",
    "hccn_ip_conflict": "The ip address configured is conflicted!",
    "hccn_conf": "The hccn.conf can't access, cmd execute failed! pls check the conf file or cmd run permission.",
    "hccn_no_device": "The device is not exist!",
    "hccn_control_link": "Control link unreachable.",
    "hccn_permission": "permission denied: pls check this cmd run permission.",
    "hccn_busy": "hccn_tool is busy, please try again.",
    "hccn_not_found": "bash: hccn_tool: command not found",
    "0x81078603": "[ERROR] device 3 event 0x81078603 assertion",
    "0x40F84E00": "[ERROR] device 3 event 0x40F84E00 assertion",
    # driver
    **{f"DCMI-{code}": f"dcmi module initialize failed. ret is -{code}" for code in (*range(8001, 8018), 8020, 8022, 8023, 8255)},
    "dcmi_library": "pyACL error: DCMIError_LibraryNotFound: DCMI library not found",
    "console_log_level": "DrvMngGetConsoleLogLevel failed. (g_conLogLevel=3)",
    "no_npu_card": "There is no NPU card on this server.",
    "npu_smi_card": "Invalid card id.",
    "npu_smi_root": "Operation not permitted, only root user on physical machine can call this api.",
    "npu_smi_container": "This command cannot be executed on a VM or container.",
    "npu_smi_directory": "bash: /usr/local/sbin/npu-smi: Is a directory",
    "E30006": "E30006: Failed to verify the OPP. Reason: opp_kernel",
    "507033": "[ERROR] RUNTIME rtSetDevice failed, error code is 507033",
    "507008": "RuntimeError: Initialize:torch_npu/csrc/core/npu/sys_ctrl/npu_sys_ctrl.cpp NPU function error: aclInit failed : 507008",
    "500001": "[ERROR] aclrtSetDevice failed, error code is 500001",
    "207008": "RuntimeError: aclmdlRICaptureEnd error code is 207008",
    "soc_version": "the socversion Ascend910B1 of bin package does not match the current device socverison Ascend310P3",
    "E19999": "E19999: Inner Error!",
    # engines
    "warmup_oom": "Warmup failed: out of memory when maxInputTokenLen set to 8192. Please try to decrease maxPrefillTokens",
    "npu_oom": "RuntimeError: NPU out of memory. Tried to allocate 2.00 GiB.",
    "host_oom": "Out of memory: Killed process 4711 (mindieservice_d)",
    "static_tls": "ImportError: /usr/lib/aarch64-linux-gnu/libgomp.so.1: cannot allocate memory in static TLS block",
    "glibcxx": "ImportError: /lib64/libstdc++.so.6: version `GLIBCXX_3.4.32' not found",
    "glibc": "/lib64/libc.so.6: version `GLIBC_2.34' not found",
    "lib_hal": "ImportError: libascend_hal.so: cannot open shared object file: No such file or directory",
    "lib_atb": "OSError: libatb.so: cannot open shared object file: No such file or directory",
    "lib_cann": "ImportError: libhccl.so: cannot open shared object file: No such file or directory",
    "module_mindie": "ModuleNotFoundError: No module named 'mindie_llm'",
    "device_type": "RuntimeError: Failed to infer device type",
    "undefined_symbol": "ImportError: /usr/lib/libatb_speed_torch.so: undefined symbol: _ZN3c10",
    "pybind": "terminate called after throwing an instance of 'pybind11::error_already_set'",
    "protobuf": "TypeError: Descriptors cannot be created directly. If this call came from a _pb2.py file, protobuf error",
    "master_addr": "ValueError: Error initializing torch.distributed: environment variable MASTER_ADDR expected, but not set",
    "gloo": "RuntimeError: Gloo connectFullMesh failed with [gloo/transport/tcp/pair.cc:144] no error: Connection refused",
    "gethostbyname": "gethostbyname failed: npu01",
    "invalid_device_id": "RuntimeError: invalid device ID 8",
    "thread_limit": "RuntimeError: can't start new thread",
    "inotify": "failed to create fsnotify watcher: inotify_init: too many open files",
    "exec_format": "standard_init_linux.go:228: exec user process caused: exec format error",
    "invalid_tar_header": "Error processing tar file: archive/tar: invalid tar header",
    "image_pull": "Error: ErrImagePull",
    "mount_source": 'docker: Error response from daemon: invalid mount config for type "bind": bind source path does not exist: /usr/local/Ascend/driver.',
    "device_node": 'docker: error gathering device information while adding custom device "/dev/davinci7": no such file or directory.',
    "port_docker": "Bind for 0.0.0.0:1025 failed: port is already allocated.",
    "no_space": "OSError: [Errno 28] No space left on device",
    "not_permitted": "set_mempolicy: Operation not permitted",
    "retcode7": "This is an error in init_hcclComm. retcode: 7",
    # weights
    "safetensors_header": "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge",
    "weight_offset": "KeyError: 'model.layers.3.mlp.experts.w2_weight_offset'",
    "quantization_unknown": "ValueError: Unknown quantization method: ascend. Must be one of ['aqlm']",
    "symlink": "The path should not be a symbolic link file. Please check the input path:/data/config.json",
    "weights_writable": "The file /data/a should not be writable by others who are neither the owner nor in the group. Current permission: 0o666.",
    "weights_owner": "The current user does not have permission to access the path:/data/DeepSeek-R1",
    "bfloat16_310p": "RuntimeError: bfloat16 is not supported on Ascend310P3",
    "transformers_old": "ValueError: Transformers does not recognize this architecture. This could be because your version of Transformers is out of date.",
    "offline_hub": "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x'): Max retries exceeded with url: /SimSun.ttf",
    # MindIE
    "ranktable_env": "Ranktable file is not exist, please set a valid ranktable file path with RANK_TABLE_FILE environment.",
    "ranktable_path": "Ranktable file path is invalid.",
    "ranktable_json": "Ranktable file is invalid. Please check json format! ",
    "ranktable_count": "Parameter server_count is 1, which is not equal to server_list length in ranktable file, which is 2",
    "ranktable_devices": "The number of devices in every server node is 7 which not equal in ranktable file, which is 8",
    "ranktable_container_ip": "The containerIp in the server node is empty in ranktable file.",
    "ranktable_device_ip": "Parameter device_ip is invalid in ranktable file.",
    "ranktable_generator": "KeyError: '0'",
    "ranktable_rank": "Parameter rankId in ranktable is 512, which is out of allow range [0, 511].",
    "container_ip_env": "The env variable MIES_CONTAINER_IP isn't exist.",
    "config_permission": "[WARNING] Check path: config.json failed, by: Check Other group permission failed: Current permission is 4",
    "config_json": "Json file is invalid. Please check json format! ",
    "config_missing_key": "[ParamChecker::CheckJsonParamType] port: missing compulsory field",
    "config_ports_equal": "Endpoint port cannot be equal to multiNodesInferPort.",
    "config_prefill": "The value of maxPrefillTokens should not be less than maxInputTokenLen.",
    "config_bound": "scheduleParam.maxPrefillBatchSize [50] is out of bound [1]",
    "config_devices": "The size of npuDeviceIds must be equal to modelInstanceNumber.",
    "config_model_path": "modelWeightPath [/data/none] is not a directory.",
    "tls_files": "tlsCert: the file security/certs/server.pem does not exist",
    "listen": "[MIE04E02041C] [endpoint] Failed to listen 172.17.0.3:40032, please check if business ip and port are legal.",
    "process_group": "[MIE04E01011C] [daemon] Failed to set process group. errno is 2",
    "shm_leftover": "Shared memory llm_backend_0 permission expected 0600",
    "command_line": "Unrecognized command-line argument, expect [--config-file, --expert-parallel]",
    "tokenizer": "Init process tokenizer pool failed.",
    "pull_kv": "[ERROR] Pull kv failed",
    "model_not_found": '{"error":"Model not found.","error_type":"Input Validation Error"}',
    "multi_node_wait": "[llm_backend] multi-node connection on 192.0.2.11:1120 is not established",
    "lost_node": "[llm_backend] lost the connection to node 192.0.2.12",
    "child_killed": "Process 12 was terminated by signal 9 (Killed)",
    "python_model": "LLMPythonModel initializes fail",
    "mindie_consequence": "Failed to init endpoint! Please check the service log or console output.",
    "unit_consequence": "mindie-mindie.service: Main process exited, code=exited, status=137/n/a",
    # kTransformers, torch_npu
    "sched_ext": "ModuleNotFoundError: No module named 'sched_ext'",
    "numa": "  NUMA library not found - maybe sudo apt install libnuma-dev",
    "hwloc": "Package hwloc was not found in the pkg-config search path: No package 'hwloc' found",
    "unsupported_backend": "ValueError: Unsupported backend: CUDA_HOME MUSA_HOME and NPU are not set.",
    "invalid_version_npu": "packaging.version.InvalidVersion: Invalid version: '0.2.4+npu2.5.1.post4+git69550dfc'",
    "ktransformersops": "ModuleNotFoundError: No module named 'KTransformersOps'",
    "capture_plugin": "RuntimeError: env CAPTURE_PLUGIN_PATH not exist",
    "local_world_size": "TypeError: int() argument must be a string, a bytes-like object or a real number, not 'NoneType'",
    "sqlalchemy": "ModuleNotFoundError: No module named 'sqlalchemy'",
    "yaml_torch_npu": "ModuleNotFoundError: No module named 'yaml'",
    "numpy_abi": "A module that was compiled using NumPy 1.x cannot be run in NumPy 2.0.1 as it may crash.",
    "type_traits": "fatal error: 'type_traits' file not found",
    "expandable_segments": "RuntimeError: expandable_segments is not supported by this driver",
    "newbyteorder": "AttributeError: `newbyteorder` was removed from the ndarray class in NumPy 2.0.",
    "bf16_gcc": "cc1plus: error: unknown feature modifier 'bf16' in '-mcpu=native'",
    # installers
    "hdk_0x0002": "[Driver] [2025-07-17 10:35:21] [ERROR]ERR_NO:0x0002;ERR_DES:input error, please input again!",
    "hdk_path_characters": "ERR_NO:0x0003;ERR_DES:The install-path [/opt/a b] is invalid according to regular-expression, only characters in [a-z,A-Z,0-9,-,_]",
    "hdk_path_permission": "ERR_NO:0x0003;ERR_DES:npu do not have the permission to access /opt/a",
    "hdk_0x0003": "ERR_NO:0x0003;ERR_DES:install path /opt/a not exists,runpackage only support create one level of directory,need create /opt/a.",
    "hdk_0x0004": "ERR_NO:0x0004;ERR_DES:Unrecognized parameters: --bogus. Try './x.run --help'",
    "hdk_0x0080": "ERR_NO:0x0080;ERR_DES:Driver package is not installed on this device, uninstall failed",
    "hdk_0x0090": "ERR_NO:0x0090;ERR_DES:uninstall driver failed",
    "hdk_root_user": "ERR_NO:0x0091;ERR_DES:username not permission for root",
    "hdk_0x0091": "[Driver] [2025-05-29 19:22:43] [ERROR]ERR_NO:0x0091;ERR_DES:HwHiAiUser not exists! Please add HwHiAiUser",
    "hdk_0x0093": "ERR_NO:0x0093;ERR_DES:do not have root permission",
    "hdk_all_in_one": "ERR_NO:0x0094;ERR_DES:Operation failed, An all-in-one RUN package is found",
    "hdk_0x0094": "ERR_NO:0x0094;ERR_DES:There is already a process being executed",
    "hdk_0x0095": "ERR_NO:0x0095;ERR_DES:The user and group are not same with last installation,do not support overwriting installation",
    "hdk_0x0096": "ERR_NO:0x0096;ERR_DES:npu not right!",
    "hdk_missing_tools": "[Driver] [2025-07-17 10:35:21] [ERROR]The list of missing tools: lspci,modprobe,udevadm,modinfo,",
    "hdk_devices_busy": "The davinci nodes are occupied by some processes, please stop processes and install or uninstall again.",
    "hdk_dkms": "Dkms install failed, details in : /var/log/ascend_seclog/ascend_install.log",
    "hdk_firmware_old": "[Driver] [2025-07-17 10:35:21] [WARNING]Download and install the 23.0.RC1 driver package. Then upgrade",
    "hdk_arch": "Arch mismatch, src package is x86-64, cur os is aarch64",
    "hdk_chip": "The current installation package and environment is not match, please check.",
    "hdk_space": "[Driver] [2025-07-17 10:35:21] [ERROR]free space only 200M, cannot install driver package",
    "hdk_unpack_space": "[Driver] [2025-07-17 10:35:21] [ERROR]Not enough space left in /tmp",
    "hdk_unpack": "Decompression fail",
    "hdk_signature": "software signature verification failed",
    "hdk_hardware_version": "The package version is earlier than the device flash hardware version",
    "package_damaged": "Error in SHA256 checksums: aa is different from bb",
    "path_unsafe": "[Driver] [2025-07-17 10:35:21] [ERROR]/usr/local should belong to root",
    "hdk_failed": "[Driver] [2025-07-17 10:35:21] [INFO]Failed to install driver package, please retry after uninstall and reboot!",
    "cann_pip3": "[Toolkit] [20250717-10:36:24] [ERROR] compiler_custom_install.sh: pip3: not found",
    "cann_python": "[Toolkit] [20250717-10:36:24] [ERROR] There is no python3.7,python3.8,python3.9,python3.10,python3.11 in the current environment !",
    "cann_other_path": "[Toolkit] [20250717-10:36:24] [ERROR] /etc/Ascend/ascend_cann_install.info exists ! 'install-path' parameter are not supported.",
    "cann_path_unsafe": "[Kernels] [20250717-10:36:24] [ERROR] The given dir, or its parents, permission is invalid.",
    "cann_eula": "[Toolkit] [20250717-10:36:24] [INFO] Do you accept the EULA to install CANN?[Y/N]",
    "cann_arch": "[Toolkit] [20250717-10:36:24] [ERROR] the architecture of this package is not x86_64",
    "cann_space": "[Toolkit] [20250717-10:36:24] [ERROR] disk space is not enough",
    "cann_toolkit_environment": "[Nnal] [20250717-10:36:24] [ERROR] please source set_env.sh of the toolkit first",
    "cann_running": "[Toolkit] [20250717-10:36:24] [ERROR] multiple tasks cannot be run at the same time",
}

# The same fault in other words.
MORE_LINES = [
    ("EI0004", "path /ranktable.json is not a valid real path"),
    ("EI0006", "EI0006: Getting socket times out. Reason: wait socket establish timeout, role[1] rank[1] timeout[120 s]"),
    ("EI0014", "super_device_id[] is invalid"),
    ("EI0015", "[TopoExchange]Failed to connect agent[1,3,5,7,]"),
    ("EJ0002", "ra rdma init failed"),
    ("heartbeat", "Cluster Exception Location[IP/ID]:[127.10.0.1/1], ExceptionType:[Stuck Occurred]"),
    ("port_host", "EI0019: Failed to bind the IP port. Reason: 192.0.2.11:60000 is in use."),
    ("port_device", "socket type[0], listen on ip[192.168.2.199] and specific port[16666] fail. Please check the port status"),
    ("DCMI-8020", "dcmi model initialized failed, because the device is used. ret is -8020"),
    ("ranktable_device_ip", "Input device_ip [-.-.-.-] is invalid"),
    ("config_permission", " Check Other group permission failed: /a current permission is 4, but required no greater than 0. Required permisssion is 750"),
    ("listen", "Socket bind failed: 192.0.2.11:1120: Address already in use"),
    ("python_model", "LLMInferEngine failed to init LLMInferModels"),
    ("soc_version", "Unsupported SOC version"),
    ("soc_version", "supported socVersion=Ascend910B2, but the model socVersion=Ascend910B"),
    ("507033", "Failed to start the device"),
    ("207008", "EL0009: Failed to allocate stream"),
    ("tls_files", "httpsEnabled is on: the path of tlsCaPath is not exist"),
    ("hdk_dkms", "Drv_dkms_env_check failed"),
    ("hdk_dkms", "/lib/modules/5.10.0/build: No such file or directory"),
    ("hdk_missing_tools", "missing tools: lspci,ifconfig"),
    ("cfg_recovery", "Recovery failed. Check '/var/log/hccn_tool/hccn_config.log' for details."),
]

HARMLESS = [
    # What the unit removes before it starts its own.
    "Error response from daemon: No such container: mindie-mindie",
    "Daemon start success!",
    "[2025-10-12 17:17:33.458+08:00] [7] [7] [server] [INFO] [http_server.cpp:54] : [endpoint] Receive request from 192.168.20.7:46182",
    "Multi Nodes infer slave instance need not init TokenizerProcessPool and HttpWrapper",
    "Finished parsing ranktable file.",
    "Update worldSize and npuDeviceIds of backend config successfully for Multi Nodes Inference.",
    "Daemon is killing, please wait about 15 seconds...",
    "net health status: Success",
    "3 packets transmitted, 3 received, 0.00% packet loss",
    "[INFO] HCCL(7,python):2025-10-12-17:17:33.458.123 [env.cc:9] HCCL_CONNECT_TIMEOUT is set to 120, errors 507033 in none",
    "link status: UP",
    "Loading weights from /data/model-00001-of-00163.safetensors, process 507008 of 600000",
    "WARNING 10-12 17:17:33 [_ascend.py:9] Failed to import from vllm._C with ModuleNotFoundError",
    "/usr/lib/python3/site.py:9: UserWarning: an error may follow",
]


def explained(*texts: str, host: str = "npu01") -> dict[str, t.Any]:
    search = _explain.Search()
    for number, text in enumerate(texts):
        search.add(_explain.read_log(f"{number}.log", text))
    return _explain.explain({host: search.evidence()})


# The catalogue ------------------------------------------------------------------------------------------------------


def test_every_entry_has_a_line():
    assert [entry.id for entry in catalogue.ENTRIES if entry.id not in LINES] == []
    assert set(LINES) <= {entry.id for entry in catalogue.ENTRIES}


@pytest.mark.parametrize(("name", "line"), [*LINES.items(), *MORE_LINES])
def test_a_line_is_explained_by_its_entry(name, line):
    result = explained(line)
    assert (result["id"], result["known"], result["line"]) == (name, True, line.strip())


@pytest.mark.parametrize(("name", "line"), [*LINES.items(), *MORE_LINES])
def test_a_line_is_found_in_a_stream(name, line):
    stream = io.BytesIO(b"[2025-10-12 17:17:33.000+00:00] begin\n" + line.encode() + b"\n")
    search = _explain.Search()
    search.add(_explain.scan("x.log", stream))
    assert _explain.explain({"": search.evidence()})["id"] == name


def test_ids_are_unique_and_texts_complete():
    assert len({entry.id for entry in catalogue.ENTRIES}) == len(catalogue.ENTRIES)
    for entry in (*catalogue.ENTRIES, catalogue.TLS_MIXED):
        for text in (entry.title, entry.cause, entry.remedy):
            assert set(text) == {"en", "zh"}
            assert all(text.values())
        assert any("\u4e00" <= letter <= "\u9fff" for letter in entry.cause["zh"] + entry.remedy["zh"])
        assert entry.source


@pytest.mark.parametrize("line", HARMLESS)
def test_ordinary_lines_are_no_errors(line):
    assert explained(line)["first_error"] is None


@pytest.mark.parametrize("code", [f"EI{number:04}" for number in range(1, 21)] + ["EJ0001", "EJ0002", "EJ0003", "EJ0004"])
def test_every_code_is_known(code):
    assert explained(f"{code}: 2024-04-24-06:32:27.781.599 something")["known"]


# First by time ------------------------------------------------------------------------------------------------------


def test_the_cause_stands_before_its_consequences():
    result = explained(
        "[2025-10-12 17:17:33.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : Failed to init endpoint! Please check the service log or console output.",
        "[2025-10-12 17:17:34.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : Input device_ip [-.-.-.-] is invalid",
    )
    assert (result["id"], result["file"]) == ("ranktable_device_ip", "1.log")
    assert [other["id"] for other in result["others"]] == ["mindie_consequence"]


def test_a_consequence_is_better_than_nothing():
    result = explained("Failed to init endpoint! Please check the service log or console output.")
    assert (result["known"], result["consequence"], result["id"]) == (True, True, "mindie_consequence")


def test_a_consequence_does_not_explain_an_unknown_error():
    result = explained("[ERROR] the door is broken\nFailed to init endpoint! Please check the service log or console output.")
    assert (result["known"], result["line"]) == (False, "[ERROR] the door is broken")
    assert _explain.message(result) == "The catalogue does not know this error: its cause is unknown."


def test_the_earliest_of_several_sources_wins():
    # 2025-10-12 17:17:33 +08:00 is 1760260653.
    search = _explain.Search()
    search.add(_explain.read_journal("1760260660.0 npu01 docker[812]: Failed to open the door\n"))
    search.add(_explain.read_log("server.log", "[2025-10-12 17:17:35.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : [MIE04E02011C] [endpoint] it broke\n"))
    assert _explain.first_error(search.evidence())["file"] == "server.log"
    plog = _explain.read_log("plog.log", f"{PLOG}wait socket establish timeout\n", 8 * 3600)
    assert plog[0].time == pytest.approx(1760260653.458123, abs=1e-6)
    search.add(plog)
    assert _explain.first_error(search.evidence())["file"] == "plog.log"


def test_the_first_host_wins_over_those_that_waited_for_it():
    """One port that is down is EJ0002 and a bind error there, and EI0006 two minutes later everywhere else."""
    broken = _explain.Search()
    broken.add(
        _explain.read_log(
            "plog-1.log",
            "[ERROR] HCCP(1,python):2025-10-12-17:17:34.000.000 [rs.c:1] [9]socket type[1], listen on ip[192.168.20.160] and specific port[16666] fail.\n"
            "[ERROR] HCCP(1,python):2025-10-12-17:17:33.000.000 [rs.c:1] [9]EJ0002: The network port is down.Suggest: check\n",
        )
    )
    waiting = _explain.Search()
    waiting.add(_explain.read_log("plog-2.log", "[ERROR] HCCL(1,python):2025-10-12-17:19:33.000.000 [s.cc:1] [9]EI0006: Getting socket times out.\n"))
    result = _explain.explain({"npu02": waiting.evidence(), "npu01": broken.evidence()})
    assert (result["id"], result["host"], result["file"]) == ("EJ0002", "npu01", "plog-1.log")
    assert [(other["id"], other["host"]) for other in result["others"]] == [("port_device", "npu01"), ("EI0006", "npu02")]
    assert "First on npu01 (plog-1.log): " in _explain.message(result, "en", "npu02")
    assert "First on" not in _explain.message(result, "en", "npu01")


def test_an_unknown_error_before_a_known_one_is_shown():
    result = explained(f"[ERROR] the door is broken\n{LINES['EI0006']}\n")
    assert (result["id"], result["first_error"]["line"]) == ("EI0006", "[ERROR] the door is broken")
    assert [finding["line"] for finding in result["unknown"]] == ["[ERROR] the door is broken"]
    assert "The first error is not in the catalogue" in _explain.message(result)


def test_unknown_text_is_said_to_be_unknown():
    result = explained("Everything is fine.\nAll went well.\n")
    assert (result["known"], result["first_error"], _explain.message(result)) == (False, None, "")
    assert _explain.report(result, "zh") == "没有发现错误。"
    result = explained("Segmentation error: core dumped\n")
    assert (result["known"], result["cause"], result["line"]) == (False, None, "Segmentation error: core dumped")


def test_a_traceback_is_its_last_line():
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    error()\nsubprocess.TimeoutExpired: Command timed out\n'
    assert explained(text)["first_error"]["line"] == "subprocess.TimeoutExpired: Command timed out"
    search = _explain.Search()
    search.add(_explain.scan("a", io.BytesIO(text.encode())))
    assert _explain.first_error(search.evidence())["line"] == "subprocess.TimeoutExpired: Command timed out"


def test_the_vendors_advice_is_no_error_of_its_own(fixture_text):
    result = explained(fixture_text("explain/device_memory.txt"))
    assert (result["id"], result["unknown"]) == ("EI0011", [])
    result = explained(fixture_text("explain/inconsistent_arguments.txt"))
    assert (result["id"], [other["id"] for other in result["others"]]) == ("EI0005", ["transport_consequence"])


def test_the_recorded_driver_error(fixture_text):
    result = explained(fixture_text("cli/npu-smi/error--no-driver-8005.txt"))
    assert result["id"] == "DCMI-8005"
    assert "another container" in result["cause"]["en"]


# Places -------------------------------------------------------------------------------------------------------------


def test_the_table_of_links_is_read(fixture_text):
    result = explained(fixture_text("explain/link_timeout.log"))
    assert result["id"] == "EI0006"
    assert "rank[1] timeout[120 s]" in result["line"]
    assert "192.0.3.198 (rank 1, client, TLS DISABLE) to 192.0.2.199 (rank 0) port 16666: time out" in result["observed"]
    assert "server 192.168.200.100, device ID 1 does not reach server 192.168.200.100, device ID 0" in result["observed"]


def test_both_positions_of_the_tls_switch_are_the_cause(fixture_text):
    text = fixture_text("explain/link_timeout.log")
    other = _explain.Search()
    other.add(_explain.read_log("b.log", text.replace("DISABLE", "ENABLE")))
    one = _explain.Search()
    one.add(_explain.read_log("a.log", text))
    result = _explain.explain({"npu01": one.evidence(), "npu02": other.evidence()})
    assert (result["id"], result["source"]) == ("tls_mixed", catalogue.HCCL)
    assert "TLS ENABLE on 192.0.3.198 (rank 1); TLS DISABLE on 192.0.3.198 (rank 1); " in result["observed"]
    assert _explain.explain({"npu01": one.evidence()})["id"] == "EI0006"


def test_of_many_links_every_device_is_kept_and_some_are_shown():
    rows = "".join(
        f"{PLOG}   |  192.0.2.{peer}({peer})   |  16666  |   192.0.3.{own}({own})   |  0  |  client  | time out |"
        f"   {'ENABLE' if own == 11 else 'DISABLE'}  | LinkInfo\n"
        for own in range(8, 40)
        for peer in range(100, 200)
    )
    search = _explain.Search()
    search.add(_explain.scan("plog.log", io.BytesIO((LINES["EI0006"] + "\n" + rows).encode())))
    evidence = search.evidence()
    assert len({row["src"] for row in evidence["links"]}) == 32
    result = _explain.explain({"npu01": evidence})
    assert result["id"] == "tls_mixed"
    assert "TLS ENABLE on 192.0.3.11 (rank 11); TLS DISABLE on 192.0.3.8 (rank 8), 192.0.3.9 (rank 9), 192.0.3.10 (rank 10) and 28 more; " in result["observed"]
    assert len(result["observed"]) < 700


@pytest.mark.parametrize(
    ("name", "observed"),
    [("heartbeat.log", "rank 127.10.0.2/2 LOST, reported by 127.10.0.3/3"), ("cluster_exception.log", "127.10.0.1/1: Heartbeat Lost Occurred")],
)
def test_the_rank_that_is_gone_is_named(fixture_text, name, observed):
    result = explained(fixture_text(f"explain/{name}"))
    assert (result["id"], result["observed"]) == ("heartbeat", observed)


# Streams ------------------------------------------------------------------------------------------------------------


class Generated(io.RawIOBase):
    """A file of any size that is nowhere kept."""

    def __init__(self, chunks: t.Iterator[bytes]) -> None:
        super().__init__()
        self.chunks = chunks
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int:
        if not self.rest:
            self.rest = next(self.chunks, b"")
        count = min(len(buffer), len(self.rest))
        buffer[:count], self.rest = self.rest[:count], self.rest[count:]
        return count


def large_log(megabytes: int) -> t.Iterator[bytes]:
    """Ordinary lines, lines that differ each time, a line of many megabytes, and the error at the very end."""
    info = b"[2025-10-12 17:17:33.458+08:00] [7] [7] [server] [INFO] [http_server.cpp:54] : [endpoint] Receive request\n" * 10000
    error = b"[2025-10-12 17:17:33.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : something strange\n" * 2000
    written = 0
    for number in range(100000):
        if written >= megabytes * 1024 * 1024:
            break
        chunk = (info, error, b"x" * 65536 * (32 if number % 3 == 2 else 1))[number % 3]
        written += len(chunk)
        yield chunk
    yield b"\n[2025-10-12 17:17:34.458+08:00] [7] [7] [server] [ERROR] [a.cpp:1] : Ranktable file path is invalid.\n"


def test_memory_does_not_grow_with_the_log():
    stream = io.BufferedReader(Generated(large_log(200)))
    search = _explain.Search()
    tracemalloc.start()
    try:
        search.add(_explain.scan("large.log", stream))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * 1024 * 1024
    result = _explain.explain({"": search.evidence()})
    assert (result["id"], result["time"]) == ("ranktable_path", pytest.approx(1760260654.458, abs=1e-3))


def test_a_long_line_is_cut_and_the_next_one_read():
    stream = io.BytesIO(b"[ERROR] " + b"y" * 1_000_000 + b"\nEJ0002: The network port is down.\n")
    lines = list(_explain.scan("x", stream))
    assert [len(line.text) for line in lines] == [_explain.LINE_BYTES, len("EJ0002: The network port is down.")]


def test_a_line_without_a_stamp_has_the_time_of_one_nearby():
    stamp = b"[2025-10-12 17:17:33.000+00:00]"
    stream = io.BytesIO(b"EJ0002: before any time\n" + stamp + b" fine\nquiet\nquiet\nRanktable file path is invalid.\n")
    lines = list(_explain.scan("x", stream))
    assert [line.time for line in lines] == [1760289453.0, 1760289453.0]
    assert [line.time for line in _explain.scan("x", io.BytesIO(b"EJ0002: no time at all\n"))] == [None]


def test_what_is_older_than_the_start_is_left_out():
    search = _explain.Search(since=1760289453.0)
    search.add(_explain.read_log("x", "[2025-10-11 17:17:33.000+00:00] [ERROR] yesterday\n[2025-10-12 17:17:34.000+00:00] [ERROR] today\n"))
    assert [finding["line"][-5:] for finding in search.evidence()["findings"]] == ["today"]


def test_a_stamp_of_an_installer_is_read():
    line = _explain.read_log("x", "[Toolkit] [20250717-10:36:24] [ERROR] text")[0]
    assert line.time == 1752748584.0


# Any input ----------------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text_is_read(text):
    assert len(_explain.read_journal(text)) == len(text.splitlines())
    assert [line.text for line in _explain.read_log("x", text)] == text.splitlines()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.text(), st.sampled_from([*LINES.values(), "Traceback (most recent call last):", "[9999-99-99 99:99:99.999+99:99]"]))))
def test_any_text_is_explained(parts):
    result = explained("\n".join(parts))
    for language in _explain.LANGUAGES:
        assert isinstance(_explain.message(result, language, "npu02"), str)
        assert _explain.report(result, language)
    if not result["known"]:
        assert (result["id"], result["cause"], result["remedy"]) == (None, None, None)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=2000))
def test_any_bytes_are_scanned(data):
    search = _explain.Search()
    search.add(_explain.scan("x", io.BytesIO(data)))
    _explain.explain({"": search.evidence()})
