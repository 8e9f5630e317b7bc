# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What messages of the Ascend stack mean: data only. A new message is one entry here and one recorded line in its test.

The first entry that fits a line counts, so what is special stands before what is general.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

HCCL = "HCCL user guide, fault diagnosis (hicann/hccl, docs/zh/user_guide/fault_diagnosis)"
DCMI = "DCMI return codes (hicann/driver, src/custom/include/dcmi_interface_api.h)"
DRIVER = "driver package scripts (hicann/driver, scripts/package)"
NPU_SMI = "npu-smi source (hicann/driver, src/custom/dev_prod/user/npucli)"
HCCN = "hccn_tool of the Ascend driver; HCCN Tool interface reference (hiascend.com)"
CANN = "CANN software installation guide (hiascend.com)"
MINDIE = "MindIE-LLM source (Ascend/MindIE-LLM, src/server and src/config_manager)"
FAQ = "MindIE-LLM FAQ (Ascend/MindIE-LLM, docs/zh/faq/faq.md)"
VLLM = "vllm-ascend FAQ (vllm-project/vllm-ascend, docs/source/faqs.md)"
KTRANSFORMERS = "kTransformers tutorial for Ascend NPUs (kvcache-ai/ktransformers, doc/zh)"
FAULTDIAG = "MindCluster FaultDiag (Ascend/mind-cluster, component/ascend-faultdiag)"
_ISSUE = "https://github.com/{}/issues/{}".format

Text = t.Dict[str, str]


@dataclass(frozen=True)
class Entry:
    """One message and what it means. It fits a line that has one of ``marks``, and ``pattern`` where there is one, both in any case."""

    id: str
    marks: tuple[str, ...]
    title: Text
    cause: Text
    remedy: Text
    source: str
    pattern: str = ""
    # Words that mean something else elsewhere count only in what this installer says: hdk or cann.
    context: str = ""
    # Said after something else has gone wrong: shown only when nothing better is found.
    consequence: bool = False

    def agrees(self, text: str) -> bool:
        return not self.pattern or re.search(self.pattern, text, re.IGNORECASE) is not None


def _entry(
    name: str,
    marks: str | tuple[str, ...],
    title: tuple[str, str],
    cause: tuple[str, str],
    remedy: tuple[str, str],
    source: str,
    **options: t.Any,
) -> Entry:
    texts = [dict(zip(("en", "zh"), pair)) for pair in (title, cause, remedy)]
    return Entry(name, (marks,) if isinstance(marks, str) else marks, texts[0], texts[1], texts[2], source, **options)


def _number(code: str) -> str:
    """A bare number is a code only behind a word that announces one."""
    return rf"\b(?:err|error|ret\w*|fail\w*|\w*code|status|npu function error)\b[^0-9\n]{{0,40}}\b{code}\b"


# Device network and HCCL --------------------------------------------------------------------------------------------

# Never found in a line: chosen where the table of links shows both positions of the switch.
TLS_MIXED = _entry(
    "tls_mixed",
    (),
    ("Links fail because the TLS switch differs between the ends", "两端 TLS 开关不一致，建链失败"),
    (
        "The table of failed links shows devices with TLS enabled and devices with TLS disabled. Such devices cannot connect to each other.",
        "建链失败表中，一部分 device 的 TLS 为 ENABLE，另一部分为 DISABLE，二者无法互相建立连接。",
    ),
    (
        "Give the TLS switch one value on all devices of all hosts (stage npu_network, or hccn_tool -i N -tls -s enable 0|1), then start all hosts again.",
        "将所有主机所有 device 的 TLS 开关设为同一个值（执行 npu_network 阶段，或 hccn_tool -i N -tls -s enable 0|1），然后重新启动所有主机上的服务。",
    ),
    HCCL,
)

_FABRIC = (
    _entry(
        "EI0016",
        ("EI0016", "rankList for enabled tls", 'for config "tls" is invalid'),
        ("The TLS switch is not the same on all ranks", "各 rank 的 TLS 开关不一致"),
        (
            "Some devices have TLS enabled and others disabled; the message lists the ranks of both kinds.",
            "一部分 device 开启了 TLS，另一部分没有开启；报错信息列出了两类 rank。",
        ),
        (
            "Give the TLS switch one value on all devices of all hosts (stage npu_network, or hccn_tool -i N -tls -s enable 0|1).",
            "将所有主机所有 device 的 TLS 开关设为同一个值（执行 npu_network 阶段，或 hccn_tool -i N -tls -s enable 0|1）。",
        ),
        HCCL,
    ),
    _entry(
        "EJ0002",
        ("EJ0002", "network port is down", "ra rdma init failed", "ra nic init rdma failed"),
        ("The network port of a device is down", "NPU 网口 down"),
        (
            "The NPU's own network port has no link, or its NIC could not be initialised: cable, optical module, switch port, or no address.",
            "NPU 网口没有链路，或网卡初始化失败：线缆、光模块、交换机端口有问题，或没有配置地址。",
        ),
        (
            "On this host: hccn_tool -i N -link -g, -optical -g, -ip -g for each device. Repair cable, module or switch port; run the npu_network stage "
            "where the address is missing.",
            "在该主机上对每个 device 执行 hccn_tool -i N -link -g、-optical -g、-ip -g。更换线缆或光模块，检查交换机端口；缺少地址时执行 npu_network 阶段。",
        ),
        _ISSUE("vllm-project/vllm-ascend", 1815),
    ),
    _entry(
        "ip_family",
        ("ip family",),
        ("Ranks use different address families", "各 rank 的地址族不一致"),
        ("One rank uses IPv4 (2) and another IPv6 (10).", "有的 rank 使用 IPv4（2），有的使用 IPv6（10）。"),
        (
            "Use one family in the rank table, and set HCCL_SOCKET_FAMILY to the same value on all hosts.",
            "rank table 中只使用一种地址族，并在所有主机上把 HCCL_SOCKET_FAMILY 设为相同的值。",
        ),
        HCCL,
        pattern=r"ip family\[\d+\] is not same",
    ),
    _entry(
        "host_nic",
        ("get host ip fail",),
        ("The host network interface for HCCL does not exist here", "HCCL 指定的主机网卡不存在"),
        (
            "HCCL_SOCKET_IFNAME names an interface that this host does not have, or that has no address.",
            "HCCL_SOCKET_IFNAME 指定的网卡在本机不存在，或者没有地址。",
        ),
        (
            "Set HCCL_SOCKET_IFNAME, GLOO_SOCKET_IFNAME and TP_SOCKET_IFNAME to the interface that carries this host's address; names may differ per host.",
            "将 HCCL_SOCKET_IFNAME、GLOO_SOCKET_IFNAME、TP_SOCKET_IFNAME 设为本机业务地址所在的网卡；各主机的网卡名可以不同。",
        ),
        HCCL,
    ),
    _entry(
        "EI0001",
        ("EI0001", "Config_Error_Invalid_Environment_Variable"),
        ("An environment variable is not valid", "环境变量取值无效"),
        ("HCCL refuses the variable that the message names; the accepted range stands in it.", "HCCL 不接受报错中所示环境变量的取值，报错中给出了允许的范围。"),
        (
            "Correct the variable in the environment of the service (mindie_environment), the same on all hosts.",
            "在服务的环境变量（mindie_environment）中修正，所有主机保持一致。",
        ),
        HCCL,
    ),
    _entry(
        "port_device",
        ("listen on ip",),
        ("The device port of HCCL is in use", "HCCL 的 NPU 网口端口被占用"),
        (
            "Another process uses the same NPU and holds the port (16666 unless changed): an old process, or two services on one device. "
            "It also follows when the NIC of the device could not be initialised.",
            "另一个进程正在使用同一个 NPU 并占用了该端口（默认 16666）：残留进程，或两个服务使用了同一个 device。NPU 网卡初始化失败时也会出现。",
        ),
        (
            "Look at the links of the devices first (hccn_tool -i N -link -g). Then npu-smi info shows who is on the NPU: stop it. "
            "Several processes per NPU need HCCL_NPU_SOCKET_PORT_RANGE=auto.",
            "先查看 device 的链路（hccn_tool -i N -link -g）；再用 npu-smi info 查看占用 NPU 的进程并停止。一个 NPU 上确需多个进程时，设置 HCCL_NPU_SOCKET_PORT_RANGE=auto。",
        ),
        HCCL,
        pattern=r"socket type\[[01]\], listen on ip\[.*fail",
    ),
    _entry(
        "port_host",
        ("listen on ip", "EI0019", "Failed to enable listening for the host network adapter"),
        ("The host port of HCCL is in use", "HCCL 的主机网口端口被占用"),
        (
            "HCCL wanted a port of the host, 60000 to 60031 unless changed, that another process holds.",
            "HCCL 需要的主机端口（默认 60000～60031）被其他进程占用。",
        ),
        (
            "ss -ltnp shows the owner. Reserve the range: sysctl net.ipv4.ip_local_reserved_ports=60000-60031, or move it with HCCL_IF_BASE_PORT.",
            "用 ss -ltnp 查看占用者。预留该端口段：sysctl net.ipv4.ip_local_reserved_ports=60000-60031，或用 HCCL_IF_BASE_PORT 换一个端口段。",
        ),
        HCCL,
        pattern=r"EI0019|host network adapter|socket type\[2\], listen on ip\[.*fail",
    ),
    _entry(
        "EI0020",
        ("EI0020", "Failed to enable listening for the NPU network adapter"),
        ("The device port of HCCL is in use", "HCCL 的 NPU 网口端口被占用"),
        ("Several processes use one NPU and want the same port.", "多个进程使用同一个 NPU，并需要同一个端口。"),
        (
            "Stop what is on the NPU (npu-smi info), or set HCCL_NPU_SOCKET_PORT_RANGE=auto where that is meant.",
            "停止占用该 NPU 的进程（npu-smi info）；确需多进程时设置 HCCL_NPU_SOCKET_PORT_RANGE=auto。",
        ),
        HCCL,
    ),
    _entry(
        "EJ0003",
        ("EJ0003", "Failed to bind the IP port"),
        ("An address and port are bound already", "IP 端口已被绑定"),
        (
            "An earlier process still holds the port on the device. It also follows when the NIC of the device could not be initialised.",
            "之前的进程仍占用 device 上的端口。NPU 网卡初始化失败时也会出现。",
        ),
        (
            "Stop the processes that npu-smi info shows, wait ten seconds, start again. When it returns, look at the link of the device.",
            "停止 npu-smi info 中显示的进程，等待 10 秒后重新启动；若仍出现，检查该 device 的链路。",
        ),
        HCCL,
    ),
    _entry(
        "EJ0001",
        ("EJ0001", "Failed to initialize the HCCP process", "Maybe the last training process is running"),
        ("A process of an earlier run is still on the NPU", "上一次任务的进程仍在使用 NPU"),
        ("HCCP, which serves the network of the NPU, is held by a process that has not ended.", "负责 NPU 网络的 HCCP 被一个尚未结束的进程占用。"),
        (
            "Stop the process or container that npu-smi info shows, wait ten seconds, start again. A zombie ends with its parent.",
            "停止 npu-smi info 中显示的进程或容器，等待 10 秒后重新启动。僵尸进程需要结束其父进程。",
        ),
        HCCL,
    ),
    _entry(
        "EJ0004",
        ("EJ0004", "Check ip fail"),
        ("The address of a device is not what HCCL expects", "NPU 地址检查失败"),
        ("The address in the rank table and that of the device differ, or the device has none.", "rank table 中的地址与 device 的实际地址不同，或 device 没有地址。"),
        ("hccn_tool -i N -ip -g; run the stages npu_network and rank_table.", "执行 hccn_tool -i N -ip -g 查看；重新执行 npu_network 和 rank_table 阶段。"),
        HCCL,
    ),
    _entry(
        "heartbeat",
        ("HeartbeatAbnormal", "Cluster Exception Location"),
        ("A rank of the cluster is gone or stuck", "集群中某个 rank 失联或卡死"),
        (
            "HCCL's heartbeat names the rank: LOST, its process has ended or its network is gone; STUCK, it hangs; ERROR CQE, packets are lost on its link.",
            "HCCL 心跳指出了故障 rank：LOST 表示进程已退出或网络中断，STUCK 表示进程卡死，ERROR CQE 表示其链路丢包。",
        ),
        (
            "Look on the host of the rank that is named for the first error there; what the other hosts say follows from it.",
            "到所示 rank 所在主机上查看该主机最早的错误；其他主机的报错由它引起。",
        ),
        HCCL,
    ),
    _entry(
        "EI0015",
        ("EI0015", "topo exchange server get socket timeout", "topo exchange agent get socket timeout", "Failed to connect agent", "Ranktable_Detect_Failed"),
        ("Ranks did not meet on the host network", "各 rank 在主机网络上未能汇合"),
        (
            "A rank did not reach the root in time: the wrong host interface (HCCL takes the first in dictionary order, often docker0), a firewall, "
            "or a host that started late or not at all.",
            "某个 rank 未能在超时时间内连接到 root 节点：选错了主机网卡（HCCL 按字典序选取，常常选中 docker0）、防火墙拦截，或某台主机启动过晚、没有启动。",
        ),
        (
            "Set HCCL_SOCKET_IFNAME, GLOO_SOCKET_IFNAME and TP_SOCKET_IFNAME; open the ports between the hosts (stage firewall); start all hosts together; "
            "getent hosts $(hostname) must not answer 127.0.1.1.",
            "设置 HCCL_SOCKET_IFNAME、GLOO_SOCKET_IFNAME、TP_SOCKET_IFNAME；放通主机间端口（firewall 阶段）；所有主机同时启动；"
            "getent hosts $(hostname) 不应返回 127.0.1.1。",
        ),
        HCCL,
    ),
    _entry(
        "superpod_logic",
        ("belonging to different physical superpod",),
        ("Hosts of different SuperPoDs are declared as one", "不同物理超节点被配置成同一个逻辑超节点"),
        (
            "HCCL_LOGIC_SUPERPOD_ID is the same on hosts of different physical SuperPoDs, so HCCL tries the inner links between them.",
            "不同物理超节点上的 HCCL_LOGIC_SUPERPOD_ID 相同，HCCL 误用了超节点内的链路。",
        ),
        ("Unset HCCL_LOGIC_SUPERPOD_ID, or give each physical SuperPoD its own.", "取消 HCCL_LOGIC_SUPERPOD_ID，或为每个物理超节点设置不同的值。"),
        HCCL,
    ),
    _entry(
        "superpod_sdid",
        ("devices have same superDeviceId",),
        ("Two devices have one super device id", "超节点设备 ID 重复"),
        ("The rank table gives one SDID to two devices of a SuperPoD.", "rank table 中同一超节点内的两个 device 使用了相同的 SDID。"),
        (
            "Make the rank table again from the hosts; npu-smi info -t spod-info -i N -c C shows the right value.",
            "重新从主机生成 rank table；正确的值见 npu-smi info -t spod-info -i N -c C。",
        ),
        HCCL,
    ),
    _entry(
        "EI0014",
        ("EI0014", "is inconsistent with the IP", "ranktable information check failed", "super_device_id[] is invalid"),
        ("The rank table contradicts the hardware", "rank table 与硬件不一致"),
        (
            "An address or id of the rank table is not that of the device: addresses were changed after the file was made, or the file is of another cluster.",
            "rank table 中的地址或 ID 与 device 实际不符：生成后地址改变过，或使用了其他集群的文件。",
        ),
        (
            "Compare with hccn_tool -i N -ip -g; run the rank_table stage again over all hosts of the group, then start them together.",
            "与 hccn_tool -i N -ip -g 的结果比较；对整组主机重新执行 rank_table 阶段，然后同时启动。",
        ),
        HCCL,
    ),
    _entry(
        "EI0017",
        ("EI0017",),
        ("A field is missing in the rank table", "rank table 缺少字段"),
        ("HCCL needs the field that the message names.", "缺少报错中所示的字段。"),
        ("Run the rank_table stage again.", "重新执行 rank_table 阶段。"),
        HCCL,
    ),
    _entry(
        "EI0004",
        (
            "EI0004",
            "ranktable or rank is invalid",
            "Failed to parse the ranktable file",
            "is not a valid real path",
            "The ip in ranktable is not a valid ip address",
        ),
        ("HCCL cannot use the rank table", "HCCL 无法使用 rank table"),
        (
            "The file is missing, is not readable, or breaks a rule: status not completed, a rank_id that is repeated or missing, an address that is none.",
            "文件不存在、不可读，或不合规则：status 不是 completed、rank_id 重复或缺失、地址无效。",
        ),
        (
            "Run the rank_table stage again; it validates the file. RANK_TABLE_FILE must name it, mode 0640, the same bytes on all hosts.",
            "重新执行 rank_table 阶段，该阶段会校验文件。RANK_TABLE_FILE 应指向该文件，权限 0640，各主机内容相同。",
        ),
        HCCL,
    ),
    _entry(
        "EI0005",
        ("EI0005", "arguments for collective communication are inconsistent", "CMD information"),
        ("Ranks call HCCL with different arguments", "各 rank 的集合通信参数不一致"),
        (
            "The hosts run different configurations: batch and length settings, HCCL_* variables, or versions of CANN and MindIE.",
            "各主机的配置不同：batch、长度等参数，HCCL_* 环境变量，或 CANN、MindIE 版本。",
        ),
        ("Compare the hosts (playbook drift); give all the same files and versions.", "比较各主机（drift playbook），使配置文件和版本一致。"),
        HCCL,
        pattern=r"EI0005|arguments for collective|CMD information .* check fail",
    ),
    _entry(
        "EI0006",
        ("EI0006", "wait socket establish timeout", "Getting socket times out", "[InitChannelStage][Timeout]"),
        ("A link between two devices was not established in time", "参数面建链超时"),
        (
            "The devices of two ranks did not meet within HCCL_CONNECT_TIMEOUT: the TLS switch differs, a device port is down or has no route, an address is "
            "missing or used twice, or the other host started late or failed before. The pair in the table is the one to look at.",
            "两个 rank 的 device 在 HCCL_CONNECT_TIMEOUT 内未能建立连接：TLS 开关不一致、网口 down 或没有路由、地址缺失或重复，或对端主机启动过晚、已先失败。"
            "请从表中的这一对 device 查起。",
        ),
        (
            "Look for an earlier error on the other hosts. Then between the two devices: hccn_tool -i N -tls -g, -link -g, -ip -g, -ping -g address PEER "
            "(playbook fabric). Start all hosts together.",
            "先看其他主机是否有更早的错误；再检查这两个 device：hccn_tool -i N -tls -g、-link -g、-ip -g、-ping -g address 对端地址（fabric playbook）。所有主机应同时启动。",
        ),
        HCCL,
    ),
    _entry(
        "EI0009",
        ("EI0009",),
        ("The transport of a device could not be initialised", "device 传输初始化失败"),
        ("Its port is down, the optical module or the address is missing.", "网口 down，光模块不在位，或没有配置地址。"),
        ("hccn_tool -i N -optical -g, -ip -g, -lldp -g; run the npu_network stage.", "执行 hccn_tool -i N -optical -g、-ip -g、-lldp -g；执行 npu_network 阶段。"),
        HCCL,
    ),
    _entry(
        "EI0013",
        ("EI0013", "Error ROCE CQE", "error cqe", "cqe err status", "cqe error status"),
        ("Packets between two devices are lost", "两个 device 之间丢包（RoCE 重传超次）"),
        (
            "RoCE gave up after its retries: the link flaps, a module is bad, or the process at the other end has ended. The message names both devices.",
            "RoCE 重传超次：链路闪断、光模块故障，或对端进程已退出。报错中给出了两端的 device。",
        ),
        (
            "hccn_tool -i N -link_stat -g and -optical -g on both; if the other process ended first, look for its error.",
            "在两端执行 hccn_tool -i N -link_stat -g、-optical -g；若对端进程先退出，则查看它的错误。",
        ),
        HCCL,
        pattern=r"^(?!.*EI0018)",
    ),
    _entry(
        "EI0018",
        ("EI0018",),
        ("Packets between two devices are lost (UB)", "两个 device 之间丢包（UB）"),
        ("The link is not stable, the other process has ended, or the chip is faulty.", "链路不稳定、对端进程已退出，或芯片故障。"),
        ("Look at the link and at npu-smi info -t health on both ends.", "检查两端链路和 npu-smi info -t health。"),
        HCCL,
    ),
    _entry(
        "EI0012",
        ("EI0012", "Execution_Error_SDMA", "fftsplus sdma error", "SDMA memory copy task exception"),
        ("A copy between devices failed (SDMA)", "device 间内存拷贝失败（SDMA）"),
        (
            "The memory at one end was not there: the process at the other end has ended, or, on A3, the link failed.",
            "一端的内存不可用：对端进程已退出；A3 上也可能是链路故障。",
        ),
        ("Look for a process that ended before this; check npu-smi info -t health and the links.", "查找更早退出的进程；检查 npu-smi info -t health 和链路。"),
        HCCL,
    ),
    _entry(
        "EI0011",
        ("EI0011", "Resource_Error_Insufficient_Device_Memory"),
        ("The memory of the device is short", "NPU 内存不足"),
        ("HCCL found no device memory for its connections.", "HCCL 申请不到 device 内存。"),
        (
            "Lower mindie_max_seq_len and mindie_max_input_token_len or NPU_MEMORY_FRACTION, HCCL_BUFFSIZE=64; stop other processes on the NPUs.",
            "调小 mindie_max_seq_len、mindie_max_input_token_len 或 NPU_MEMORY_FRACTION，设置 HCCL_BUFFSIZE=64；停止 NPU 上的其他进程。",
        ),
        HCCL,
    ),
    _entry(
        "EI0007",
        ("EI0007",),
        ("Resources of the device are exhausted", "device 资源耗尽"),
        ("Memory, streams or notify registers of the device are used up.", "device 的内存、stream 或 notify 资源已用完。"),
        ("Stop other processes on the NPUs; use fewer communication groups.", "停止 NPU 上的其他进程；减少通信域数量。"),
        HCCL,
    ),
    _entry(
        "EI0008",
        ("EI0008",),
        ("The hosts have different versions of HCCL", "各主机的 HCCL 版本不一致"),
        ("CANN differs between hosts, or between host and image.", "主机之间，或主机与镜像之间的 CANN 版本不同。"),
        ("Use one image digest and one CANN on all hosts.", "所有主机使用同一镜像摘要、同一 CANN 版本。"),
        HCCL,
    ),
    _entry(
        "EI0010",
        ("EI0010",),
        ("Devices of one host cannot reach each other directly", "同一主机内 device 之间 P2P 通信失败"),
        ("A card is faulty, or the inner links are not available.", "某张卡异常，或机内互联不可用。"),
        (
            "npu-smi info -t topo and -t health; HCCL_INTRA_ROCE_ENABLE=1 uses the network instead.",
            "查看 npu-smi info -t topo、-t health；可设置 HCCL_INTRA_ROCE_ENABLE=1 改走网络。",
        ),
        HCCL,
    ),
    _entry(
        "EI0002",
        ("EI0002", "Notify register"),
        ("A rank waited in vain for another one", "notify wait 超时"),
        ("Another rank failed, hangs or is slow; this one only waited for it.", "其他 rank 失败、卡死或过慢，本 rank 只是等待超时。"),
        (
            "Look on the other hosts for the first error, and for HeartbeatAbnormal in run/plog, which names the rank.",
            "在其他主机上查找最早的错误，并在 run/plog 中查找 HeartbeatAbnormal，它指出了故障 rank。",
        ),
        HCCL,
        consequence=True,
    ),
    _entry(
        "EI0003",
        ("EI0003",),
        ("An argument of a collective operation is not valid", "集合通信算子参数无效"),
        ("The model asks for an operation that HCCL does not accept; the message names the parameter.", "模型调用的集合通信参数不被接受，报错中给出了参数名。"),
        ("Check the parallel settings (tp, dp, world size) against the number of devices.", "检查并行参数（tp、dp、world size）与 device 数量是否一致。"),
        HCCL,
    ),
    _entry(
        "0x81078603",
        "81078603",
        ("The device reports that its network link is down", "device 上报参数面网口 link down"),
        ("Cable, optical module or switch port of the device.", "该 device 的线缆、光模块或交换机端口问题。"),
        ("hccn_tool -i N -link -g, -optical -g and -link_stat -g for that device.", "对该 device 执行 hccn_tool -i N -link -g、-optical -g、-link_stat -g。"),
        FAULTDIAG,
    ),
    _entry(
        "0x40F84E00",
        "40F84E00",
        ("A card has dropped off", "NPU 掉卡"),
        ("The host has lost the card on its PCI bus.", "主机在 PCI 总线上丢失了该卡。"),
        ("lspci -d 19e5: and dmesg; power cycle the host, replace the card when it returns.", "查看 lspci -d 19e5: 和 dmesg；对主机断电重启，反复出现时更换该卡。"),
        FAULTDIAG,
    ),
    _entry(
        "cfg_recovery",
        ("Recovery failed. Check", "recovery fail"),
        ("The settings of the NPU network were not restored", "NPU 网络配置恢复失败"),
        ("A line of /etc/hccn.conf is not valid.", "/etc/hccn.conf 中有无效的行。"),
        (
            "/var/log/hccn_tool/hccn_config.log names it. Keep a copy of the file, correct it, hccn_tool -a -cfg recovery.",
            "/var/log/hccn_tool/hccn_config.log 指出了该行。备份并修正该文件，再执行 hccn_tool -a -cfg recovery。",
        ),
        HCCN,
    ),
    _entry(
        "net_health",
        ("net health status",),
        ("A device does not reach its detection address", "NPU 网络健康检查异常"),
        ("VLAN of the switch port, address, gateway, or a detection address that does not answer pings.", "交换机端口 VLAN、地址、网关有误，或检测地址不应答 ping。"),
        (
            "hccn_tool -i N -ip -g, -gateway -g, -netdetect -g; run the npu_network stage.",
            "检查 hccn_tool -i N -ip -g、-gateway -g、-netdetect -g；执行 npu_network 阶段。",
        ),
        HCCN,
        pattern=r"net health status: (?!Success|Init)\S",
    ),
    _entry(
        "link_down",
        ("link status: DOWN",),
        ("The link of a device is down", "NPU 链路 down"),
        ("Cable, optical module or switch port.", "线缆、光模块或交换机端口问题。"),
        ("hccn_tool -i N -optical -g and -link_stat -g; then the port of the switch.", "执行 hccn_tool -i N -optical -g、-link_stat -g；再检查交换机端口。"),
        HCCN,
    ),
    _entry(
        "optical_absent",
        ("Optical module is not present", "present : not present"),
        ("The optical module is missing", "光模块不在位"),
        ("No module is seated in the port of the device.", "该 device 的端口没有插好光模块。"),
        ("Seat the module or replace it.", "重新插好或更换光模块。"),
        HCCN,
    ),
    _entry(
        "ping_lost",
        ("packets transmitted",),
        ("A device does not reach another one", "NPU 之间 ping 丢包"),
        ("TLS plays no part in a ping: link, address, gateway or VLAN.", "ping 与 TLS 无关：链路、地址、网关或 VLAN 有问题。"),
        ("Look at link, address and gateway of both devices, then at the switch.", "检查两端的链路、地址、网关，再检查交换机。"),
        HCCN,
        pattern=r"received, (?!0\.00%)[\d.]+% packet loss",
    ),
    _entry(
        "hccn_no_ip",
        ("no ip was preset", "because ip is not configured"),
        ("The device has no address", "NPU 没有配置地址"),
        ("None was set, or it was lost with a reboot or a new driver.", "从未配置，或重启、重装驱动后丢失。"),
        ("Run the npu_network stage, which also keeps it in /etc/hccn.conf.", "执行 npu_network 阶段，该阶段同时把配置写入 /etc/hccn.conf。"),
        HCCN,
    ),
    _entry(
        "hccn_gateway_segment",
        ("segment of configured gateway",),
        ("The gateway lies outside of the segment of the address", "网关与地址不在同一网段"),
        ("hccn_tool refuses such a gateway.", "hccn_tool 不接受该网关。"),
        ("Correct gateway or netmask in npu_network_plan.", "修正 npu_network_plan 中的网关或掩码。"),
        HCCN,
    ),
    _entry(
        "hccn_ip_conflict",
        ("ip address configured is conflicted",),
        ("Another device of this host has the address", "地址与本机其他 NPU 冲突"),
        ("The same address was given twice.", "同一地址被配置了两次。"),
        ("Give every device its own address.", "为每个 device 配置不同的地址。"),
        HCCN,
    ),
    _entry(
        "hccn_conf",
        ("The hccn.conf can't access", "Write configurations to config file failed"),
        ("/etc/hccn.conf cannot be read or written", "/etc/hccn.conf 无法读写"),
        ("The file is missing, is on a read-only mount, or has chattr +i.", "文件不存在、位于只读挂载，或设置了 chattr +i。"),
        ("Create it empty, owned by root, mode 0644; run as root.", "以 root 身份创建空文件，权限 0644，并以 root 执行。"),
        HCCN,
    ),
    _entry(
        "hccn_no_device",
        ("The device is not exist", "Get invalid device id"),
        ("The host has no such device", "没有该 NPU"),
        ("The card has dropped off the bus, or the number is wrong.", "卡已掉线，或编号有误。"),
        ("npu-smi info, lspci -d 19e5:; reset the card or reboot the host.", "查看 npu-smi info 和 lspci -d 19e5:；复位该卡或重启主机。"),
        HCCN,
    ),
    _entry(
        "hccn_control_link",
        ("Control link unreachable",),
        ("hccn_tool does not reach the device", "hccn_tool 无法访问该 NPU"),
        ("The channel between driver and device is dead.", "驱动与 device 之间的通道异常。"),
        ("dmesg and npu-smi info -t health; reset the card or reboot the host.", "查看 dmesg 和 npu-smi info -t health；复位该卡或重启主机。"),
        HCCN,
    ),
    _entry(
        "hccn_permission",
        ("pls check this cmd run permission",),
        ("hccn_tool needs root", "hccn_tool 需要 root 权限"),
        ("The caller is neither root nor in the group of the driver.", "调用者不是 root，也不在驱动用户组中。"),
        ("Run with become: true.", "使用 become: true 执行。"),
        HCCN,
    ),
    _entry(
        "hccn_busy",
        ("hccn_tool is busy",),
        ("Another hccn_tool is running", "hccn_tool 正被占用"),
        ("A monitoring agent or another session uses it.", "监控程序或其他会话正在使用。"),
        ("Try again; stop the other caller when it lasts.", "稍后重试；长时间占用时停止另一个调用者。"),
        HCCN,
    ),
    _entry(
        "hccn_not_found",
        ("hccn_tool: command not found", "hccn_tool: not found"),
        ("hccn_tool is not in the search path", "找不到 hccn_tool"),
        ("It lies in /usr/local/Ascend/driver/tools, or the driver is not installed.", "它位于 /usr/local/Ascend/driver/tools，或者驱动没有安装。"),
        ("Call it by its path; run the hdk stage where it is missing. In a container mount the driver.", "使用完整路径调用；没有安装时执行 hdk 阶段。容器中需挂载驱动目录。"),
        _ISSUE("mindspore-ai/mindspore", 252),
    ),
)

# The driver's own codes ---------------------------------------------------------------------------------------------

_NEED_ROOT = ("Run it as root on the host itself.", "请在主机上以 root 执行。")
_LOOK_AT_DRIVER = (
    "dmesg, npu-smi info and lsmod | grep drv_; restart the host when the driver does not answer.",
    "查看 dmesg、npu-smi info、lsmod | grep drv_；驱动无响应时重启主机。",
)
_NO_RESET = ("Let the operation end, then try again.", "等待该操作结束后重试。")

# Code, title, cause, remedy.
_DCMI_CODES = (
    (
        -8005,
        ("The driver cannot be used (inner error)", "驱动内部错误，NPU 不可用"),
        (
            "Most often the devices belong to another container, or device nodes and driver files are not in this one; on the host the driver is not loaded.",
            "通常是 device 已被其他容器占用，或本容器没有映射设备节点和驱动文件；在主机上则是驱动没有加载。",
        ),
        (
            "docker ps and docker inspect for a second owner of /dev/davinci*; map davinciN, davinci_manager, devmm_svm, hisi_hdc and mount the driver; "
            "on the host run the hdk stage and reboot.",
            "用 docker ps、docker inspect 查找 /dev/davinci* 的其他占用者；映射 davinciN、davinci_manager、devmm_svm、hisi_hdc 并挂载驱动；"
            "在主机上执行 hdk 阶段并重启。",
        ),
    ),
    (
        -8020,
        ("The device is used by something else", "device 已被占用"),
        ("Another container or process holds the device; a node can be given to one container only.", "另一个容器或进程占用了该 device；一个设备节点只能分配给一个容器。"),
        ("Stop the other container or process: docker ps, fuser -v /dev/davinci*.", "停止占用者：docker ps、fuser -v /dev/davinci*。"),
    ),
    (
        -8001,
        ("A parameter is not valid", "参数无效"),
        ("The tool was given a card or option that does not exist.", "工具的卡号或选项不存在。"),
        ("npu-smi info -m lists the cards.", "用 npu-smi info -m 查看卡号。"),
    ),
    (-8002, ("The operation is not permitted", "没有操作权限"), ("The caller is not root, or is inside a container.", "调用者不是 root，或在容器内。"), _NEED_ROOT),
    (
        -8003,
        ("A memory operation of the driver failed", "驱动内存操作失败"),
        ("The host has too little free memory.", "主机可用内存不足。"),
        ("free -h; stop what uses the memory.", "查看 free -h，释放内存。"),
    ),
    (
        -8004,
        ("A function of the driver failed", "驱动安全函数失败"),
        ("Driver and tool do not fit.", "驱动与工具版本不匹配。"),
        ("Install driver and firmware of one HDK release.", "安装同一 HDK 版本的驱动与固件。"),
    ),
    (-8006, ("The device did not answer in time", "device 响应超时"), ("The device hangs, or is starting.", "device 卡死或正在启动。"), _LOOK_AT_DRIVER),
    (
        -8007,
        ("The device id is not valid", "device ID 无效"),
        ("There is no such card or chip.", "没有该卡或芯片。"),
        ("npu-smi info -m lists the ids.", "用 npu-smi info -m 查看 ID。"),
    ),
    (
        -8008,
        ("The device does not exist", "device 不存在"),
        ("The card has dropped off, or is not mapped into the container.", "卡已掉线，或没有映射到容器。"),
        ("lspci -d 19e5: and ls /dev/davinci*; reset the card or reboot the host.", "查看 lspci -d 19e5:、ls /dev/davinci*；复位该卡或重启主机。"),
    ),
    (
        -8009,
        ("The driver refused a call (ioctl)", "驱动调用失败（ioctl）"),
        ("Driver and tool do not fit, or the driver is not loaded.", "驱动与工具版本不匹配，或驱动没有加载。"),
        _LOOK_AT_DRIVER,
    ),
    (-8010, ("A message to the device was not sent", "向 device 发送消息失败"), ("The device does not answer.", "device 无响应。"), _LOOK_AT_DRIVER),
    (-8011, ("The device sent no answer", "接收 device 消息失败"), ("The device does not answer.", "device 无响应。"), _LOOK_AT_DRIVER),
    (
        -8012,
        ("The device is not ready", "device 未就绪"),
        ("It is starting, or being reset.", "正在启动或复位。"),
        ("Wait a minute; reboot the host when it stays so.", "等待一分钟；仍未就绪时重启主机。"),
    ),
    (-8013, ("Not possible inside a container", "容器内不支持"), ("The command works on the host only.", "该命令只能在主机上执行。"), _NEED_ROOT),
    (
        -8014,
        ("A file operation of the driver failed", "驱动文件操作失败"),
        ("A file of the driver is missing or cannot be written.", "驱动文件缺失或不可写。"),
        ("Install the driver again (stage hdk).", "重新安装驱动（hdk 阶段）。"),
    ),
    (
        -8015,
        ("The reset failed", "复位失败"),
        ("A process uses the device.", "有进程正在使用该 device。"),
        ("Stop the processes on the NPU, then try again; reboot the host otherwise.", "停止 NPU 上的进程后重试，否则重启主机。"),
    ),
    (-8016, ("The operation was aborted", "操作被中止"), ("It was stopped, or the confirmation was missing.", "操作被中断，或没有确认。"), _NO_RESET),
    (-8017, ("The device is being upgraded", "device 正在升级"), ("Firmware is being written.", "正在写入固件。"), _NO_RESET),
    (
        -8022,
        ("The partition is not right", "分区错误"),
        ("The vNPU settings do not fit the device.", "vNPU 配置与 device 不符。"),
        ("npu-smi info -t template-info; remove wrong vNPUs.", "查看 npu-smi info -t template-info，删除错误的 vNPU。"),
    ),
    (-8023, ("A setting was not found", "找不到配置"), ("The device has no such setting.", "该 device 没有这项配置。"), ("Set it first.", "请先配置。")),
    (
        -8255,
        ("Not supported", "不支持"),
        ("The product or the driver version does not know the command.", "该产品或驱动版本不支持此命令。"),
        ("See the manual of the driver version.", "请参阅对应驱动版本的手册。"),
    ),
)

_DRIVER_LINES = (
    *(
        _entry(f"DCMI{code}", (str(code),), title, cause, remedy, DCMI, pattern=rf"\bret\w*\W{{0,3}}(?:is|=|:)?\W{{0,3}}{code}\b|dcmi.*\D{code}\b")
        for code, title, cause, remedy in _DCMI_CODES
    ),
    _entry(
        "dcmi_library",
        ("DCMIError_LibraryNotFound", "libdcmi.so"),
        ("The library of the driver is missing", "找不到驱动库 libdcmi.so"),
        ("The driver is not installed, or /usr/local/dcmi is not mounted into the container.", "驱动没有安装，或容器没有挂载 /usr/local/dcmi。"),
        ("Mount /usr/local/dcmi and driver/lib64 into the container; run the hdk stage on the host.", "在容器中挂载 /usr/local/dcmi 和 driver/lib64；在主机上执行 hdk 阶段。"),
        _ISSUE("gpustack/gpustack", 3284),
        pattern=r"DCMIError_LibraryNotFound|libdcmi\.so.*(?:cannot open|not found|no such)",
    ),
    _entry(
        "no_npu_card",
        ("There is no NPU card on this server",),
        ("The driver finds no NPU", "驱动未发现 NPU"),
        ("The cards are not on the PCI bus, or the driver has lost them.", "PCI 总线上没有 NPU，或驱动已丢失设备。"),
        ("lspci -d 19e5: and dmesg; power cycle the host where cards are missing.", "查看 lspci -d 19e5: 和 dmesg；缺卡时对主机断电重启。"),
        NPU_SMI,
    ),
    _entry(
        "npu_smi_card",
        ("Invalid card id",),
        ("There is no such card", "卡号无效"),
        ("The card has dropped off the bus, or the id is wrong.", "卡已掉线，或编号有误。"),
        ("npu-smi info -m lists the cards; compare with lspci -d 19e5:.", "用 npu-smi info -m 查看卡号，并与 lspci -d 19e5: 比较。"),
        FAULTDIAG,
    ),
    _entry(
        "npu_smi_root",
        ("only root user on physical machine",),
        ("npu-smi needs root on the host", "npu-smi 需要在主机上以 root 执行"),
        ("The caller is not root, or is inside a container.", "调用者不是 root，或在容器内。"),
        _NEED_ROOT,
        NPU_SMI,
    ),
    _entry(
        "npu_smi_container",
        ("cannot be executed on a VM or container",),
        ("Not possible inside a container", "容器或虚拟机内不支持"),
        ("The command works on the host only.", "该命令只能在主机上执行。"),
        _NEED_ROOT,
        NPU_SMI,
    ),
    _entry(
        "npu_smi_directory",
        ("npu-smi: Is a directory",),
        ("npu-smi is a directory here", "npu-smi 在此处是一个目录"),
        ("It was mounted before it existed on the host, so Docker made a directory.", "挂载时主机上没有该文件，Docker 创建了同名目录。"),
        ("Remove the directory on the host, install the driver (stage hdk), start the container again.", "在主机上删除该目录，安装驱动（hdk 阶段），重新启动容器。"),
        _ISSUE("gpustack/gpustack", 1432),
    ),
    _entry(
        "E30006",
        ("E30006", "Failed to verify the OPP"),
        ("The operators of CANN do not fit", "CANN 算子包校验失败"),
        ("Kernels (ops) are missing or of another version than the toolkit.", "kernels（ops）没有安装，或版本与 toolkit 不同。"),
        ("Install toolkit and kernels of one version (stage cann).", "安装同一版本的 toolkit 和 kernels（cann 阶段）。"),
        _ISSUE("vllm-project/vllm-ascend", 5468),
    ),
    _entry(
        "507033",
        ("507033", "Failed to start the device"),
        ("The runtime could not start the device", "runtime 启动 device 失败"),
        ("Driver, firmware and CANN do not fit, or a device is faulty or held by an old process.", "驱动、固件与 CANN 不匹配，或 device 故障、被残留进程占用。"),
        (
            "npu-smi info for health and processes; use the HDK that the CANN of the image asks for (hdk stage), on all hosts the same.",
            "用 npu-smi info 查看健康状态和进程；使用镜像中 CANN 所要求的 HDK（hdk 阶段），所有主机一致。",
        ),
        _ISSUE("vllm-project/vllm-ascend", 3190),
        pattern=_number("507033") + "|Failed to start the device",
    ),
    _entry(
        "507008",
        ("507008",),
        ("The runtime could not be initialised", "runtime 初始化失败"),
        (
            "The driver is not usable from here: not loaded, not mapped into the container, or older than CANN expects.",
            "当前环境无法使用驱动：没有加载、没有映射到容器，或版本低于 CANN 的要求。",
        ),
        (
            "npu-smi info on the host and in the container; map the devices, mount the driver; compare the HDK with the CANN of the image.",
            "分别在主机和容器中执行 npu-smi info；映射 device、挂载驱动；核对 HDK 与镜像中 CANN 的配套关系。",
        ),
        _ISSUE("vllm-project/vllm-ascend", 2244),
        pattern=_number("507008"),
    ),
    _entry(
        "500001",
        ("500001",),
        ("The runtime failed inside", "runtime 内部错误"),
        ("Most often driver, firmware and CANN do not fit; the plog says which call.", "多为驱动、固件与 CANN 不匹配；具体调用见 plog。"),
        ("Compare the HDK with the CANN of the image; look at the first error of the plog.", "核对 HDK 与镜像中 CANN 的配套关系；查看 plog 中最早的错误。"),
        _ISSUE("vllm-project/vllm-ascend", 5468),
        pattern=_number("500001"),
    ),
    _entry(
        "207008",
        ("207008", "EL0009"),
        ("Graph capture ran out of streams", "图捕获时 stream 资源不足"),
        ("Too many capture sizes times communication groups.", "捕获的 batch 规格与通信域数量过多。"),
        ("Name fewer cudagraph_capture_sizes, or switch graph mode off.", "减少 cudagraph_capture_sizes，或关闭图模式。"),
        VLLM,
        pattern=_number("207008") + "|EL0009",
    ),
    _entry(
        "soc_version",
        ("socversion", "soc_version", "SOC version"),
        ("Built for another chip", "软件包与芯片型号不匹配"),
        ("Image, operators or model were built for another chip than the one here; the message names both.", "镜像、算子包或模型是为另一种芯片构建的，报错中给出了两种型号。"),
        (
            "Use the image and the kernels of this chip: 800I-A2 for Atlas 800I/800T A2, 800I-A3 for A3, 300I-Duo for 310P.",
            "使用与芯片对应的镜像和 kernels：800I/800T A2 用 800I-A2，A3 用 800I-A3，310P 用 300I-Duo。",
        ),
        _ISSUE("vllm-project/vllm-ascend", 6676),
        pattern=r"soc_?version.*does not match|Unsupported soc_? ?version|supported soc_?version\s*=",
    ),
    _entry(
        "E19999",
        ("E19999", "EE1001", "EE9999", "EI9999", "EJ9999", "EZ9999", "EH9999"),
        ("An inner error of CANN", "CANN 内部错误"),
        ("The code says only that something inside failed; the lines around it and the plog say what.", "该错误码只说明内部失败，具体原因见前后几行和 plog。"),
        (
            "Look at the first error of debug/plog of this process; send the support bundle (playbook collect_logs) where nothing else is found.",
            "查看该进程 debug/plog 中最早的错误；找不到其他线索时，用 collect_logs playbook 收集日志并提交支持。",
        ),
        HCCL,
        consequence=True,
    ),
)

# Memory, libraries, processes ---------------------------------------------------------------------------------------

_RUNTIME = (
    _entry(
        "warmup_oom",
        ("Warmup failed",),
        ("Memory is short at warm-up", "warmup 阶段显存不足"),
        ("The longest prefill does not fit beside the weights.", "最长的 prefill 与权重无法同时放入显存。"),
        (
            "Lower mindie_max_prefill_tokens, mindie_max_input_token_len and mindie_max_seq_len; raise NPU_MEMORY_FRACTION; HCCL_BUFFSIZE=64.",
            "调小 mindie_max_prefill_tokens、mindie_max_input_token_len、mindie_max_seq_len；调大 NPU_MEMORY_FRACTION；设置 HCCL_BUFFSIZE=64。",
        ),
        _ISSUE("gpustack/gpustack", 3541),
    ),
    _entry(
        "npu_oom",
        ("NPU out of memory", "out of memory, need block", "No available memory for the cache blocks", "Failed to allocate memory", "leakage"),
        ("The memory of the NPUs is short", "NPU 显存不足"),
        (
            "Weights, KV cache and work space together do not fit: lengths are too large, another process is on the card, or too few cards.",
            "权重、KV cache 和 workspace 放不下：长度参数过大、卡上有其他进程，或卡数不足。",
        ),
        (
            "npu-smi info for other processes; lower mindie_max_seq_len and mindie_max_input_token_len; PYTORCH_NPU_ALLOC_CONF=expandable_segments:True; "
            "more hosts, or quantised weights.",
            "用 npu-smi info 查看其他进程；调小 mindie_max_seq_len、mindie_max_input_token_len；设置 PYTORCH_NPU_ALLOC_CONF=expandable_segments:True；"
            "增加主机或使用量化权重。",
        ),
        FAQ,
        pattern=r"NPU out of memory|out of memory, need block|No available memory for|Failed to allocate .*(?:NPU|device|HBM)|memory.*leakage|leakage.*memory",
    ),
    _entry(
        "host_oom",
        ("Out of memory: Killed process", "oom-kill", "oom_kill"),
        ("The host ran out of memory", "主机内存不足，进程被内核杀死"),
        ("The kernel killed the process while it loaded the weights.", "加载权重时进程被内核 OOM 杀死。"),
        ("The host needs about 1.3 times the weights divided by the hosts as free memory; stop other services.", "主机可用内存应约为（权重大小 ÷ 主机数）的 1.3 倍；停止其他服务。"),
        FAQ,
    ),
    _entry(
        "static_tls",
        ("cannot allocate memory in static TLS block",),
        ("A library was loaded too late (static TLS)", "静态 TLS 块空间不足"),
        ("On aarch64 libgomp must be loaded before the others.", "aarch64 上 libgomp 需要最先加载。"),
        ("Set LD_PRELOAD to the libgomp that the message names, in the environment of the service.", "在服务的环境变量中用 LD_PRELOAD 预加载报错中的 libgomp。"),
        FAQ,
    ),
    _entry(
        "glibcxx",
        ("GLIBCXX_", "CXXABI_"),
        ("The C++ library is too old", "libstdc++ 版本过低"),
        ("An extension was built with a newer g++ than the libstdc++ that is loaded first.", "扩展由较新的 g++ 编译，而先加载的 libstdc++ 较旧。"),
        (
            "conda install -c conda-forge libstdcxx-ng in the environment; never replace the system's library.",
            "在 conda 环境中安装 conda-forge 的 libstdcxx-ng；不要替换系统库。",
        ),
        KTRANSFORMERS,
        pattern=r"(?:GLIBCXX|CXXABI)_[\d.]+.*not found",
    ),
    _entry(
        "glibc",
        ("GLIBC_",),
        ("The C library is too old", "glibc 版本过低"),
        ("A wheel was built for a newer system.", "wheel 是为更新的系统构建的。"),
        ("Use a newer system, or build from source.", "使用更新的系统，或从源码构建。"),
        KTRANSFORMERS,
        pattern=r"GLIBC_[\d.]+.*not found",
    ),
    _entry(
        "lib_hal",
        ("libascend_hal.so",),
        ("The library of the driver is not found", "找不到驱动库 libascend_hal.so"),
        ("driver/lib64 is not in LD_LIBRARY_PATH, or the driver is not mounted into the container.", "LD_LIBRARY_PATH 中没有 driver/lib64，或容器没有挂载驱动。"),
        (
            "Mount /usr/local/Ascend/driver; put driver/lib64/driver and driver/lib64/common into LD_LIBRARY_PATH.",
            "挂载 /usr/local/Ascend/driver，并将 driver/lib64/driver 和 driver/lib64/common 加入 LD_LIBRARY_PATH。",
        ),
        VLLM,
        pattern=r"cannot open shared object|not found|No such file",
    ),
    _entry(
        "lib_atb",
        ("libatb.so",),
        ("NNAL is not there or not sourced", "找不到 NNAL（ATB）"),
        ("nnal is not installed, or nnal/atb/set_env.sh was not sourced.", "没有安装 nnal，或没有 source nnal/atb/set_env.sh。"),
        ("Install NNAL (stage cann) and source nnal/atb/set_env.sh in the environment of the service.", "安装 NNAL（cann 阶段），并在服务环境中 source nnal/atb/set_env.sh。"),
        _ISSUE("vllm-project/vllm-ascend", 152),
        pattern=r"cannot open shared object|not found|No such file",
    ),
    _entry(
        "lib_cann",
        ("libhccl.so", "libascend_dump.so", "libascendcl.so", "libboost_thread.so", "libruntime.so"),
        ("The environment of CANN or MindIE is not sourced", "没有加载 CANN 或 MindIE 环境"),
        (
            "A service does not read .bashrc: set_env.sh has to be sourced by itself. Or CANN is not installed.",
            "服务不会读取 .bashrc，需要自行 source set_env.sh；或没有安装 CANN。",
        ),
        (
            "Source set_env.sh of CANN (≥ 8.5: cann/set_env.sh), ATB and MindIE in the script that starts the service.",
            "在启动脚本中 source CANN（8.5 起为 cann/set_env.sh）、ATB 和 MindIE 的 set_env.sh。",
        ),
        VLLM,
        pattern=r"cannot open shared object|not found|No such file",
    ),
    _entry(
        "module_mindie",
        ("No module named 'mindie_llm'", "No module named 'atb_llm'", "atb_llm.runner"),
        ("The environment of MindIE is not sourced", "没有加载 MindIE 环境"),
        ("set_env.sh of MindIE and atb-models was not sourced, or another Python runs.", "没有 source MindIE、atb-models 的 set_env.sh，或使用了其他 Python。"),
        ("Source the scripts of mindie_environment_scripts; use the Python of the image.", "source mindie_environment_scripts 中的脚本；使用镜像自带的 Python。"),
        FAQ,
    ),
    _entry(
        "device_type",
        ("Failed to infer device type",),
        ("The engine finds no NPU", "推理引擎未识别到 NPU"),
        ("torch_npu or the plug-in did not load, so the engine knows no device.", "torch_npu 或插件没有加载成功。"),
        ("python -c 'import torch_npu' in the environment of the service shows why.", "在服务环境中执行 python -c 'import torch_npu' 查看原因。"),
        _ISSUE("vllm-project/vllm-ascend", 262),
    ),
    _entry(
        "undefined_symbol",
        ("undefined symbol",),
        ("Libraries of different versions are mixed", "库版本不匹配（undefined symbol）"),
        ("CANN, torch, torch_npu and ATB are not of one set, or the C++ ABI (0 or 1) differs.", "CANN、torch、torch_npu、ATB 版本不配套，或 C++ ABI（0/1）不一致。"),
        (
            "Use the versions that go together; source nnal/atb/set_env.sh with the --cxx_abi of torch.",
            "使用配套版本；按 torch 的 ABI 以 --cxx_abi 参数 source nnal/atb/set_env.sh。",
        ),
        FAQ,
    ),
    _entry(
        "pybind",
        ("pybind11::error_already_set",),
        ("A Python part of the model failed", "模型侧 Python 异常"),
        ("Packages that the model needs are missing or of the wrong version.", "模型依赖的第三方包缺失或版本不符。"),
        (
            "Install the requirements file of the model (atb_llm/requirements/models); the Python log names the package.",
            "安装模型对应的 requirements 文件（atb_llm/requirements/models）；Python 日志中有具体包名。",
        ),
        FAQ,
    ),
    _entry(
        "protobuf",
        ("protobuf",),
        ("protobuf has the wrong version", "protobuf 版本不符"),
        ("The model needs another protobuf than the one installed.", "模型需要另一个版本的 protobuf。"),
        ("Install the version that the requirements of the model name.", "安装模型 requirements 中指定的版本。"),
        FAQ,
        pattern=r"protobuf.*(?:error|version|incompatib|descriptor)|(?:error|descriptor).*protobuf",
    ),
    _entry(
        "master_addr",
        ("MASTER_ADDR", "MASTER_PORT"),
        ("MASTER_ADDR or MASTER_PORT is not set", "缺少环境变量 MASTER_ADDR 或 MASTER_PORT"),
        ("torch.distributed needs both.", "torch.distributed 需要这两个变量。"),
        ("Set them in mindie_environment.", "在 mindie_environment 中设置。"),
        FAQ,
        pattern=r"MASTER_(?:ADDR|PORT).*(?:not set|expected|missing|not found)|(?:KeyError|expected).*MASTER_(?:ADDR|PORT)",
    ),
    _entry(
        "gloo",
        ("Gloo connect", "gloo/transport"),
        ("Gloo chose the wrong host interface", "Gloo 选错了主机网卡"),
        ("The address that it took is not reachable from the other hosts.", "其选择的地址无法被其他主机访问。"),
        ("Set GLOO_SOCKET_IFNAME to the interface with the address of the host.", "将 GLOO_SOCKET_IFNAME 设为主机地址所在的网卡。"),
        FAQ,
        pattern=r"gloo.*(?:refused|timed? ?out|fail|error)",
    ),
    _entry(
        "gethostbyname",
        ("gethostbyname failed",),
        ("The name of the host has no address", "主机名无法解析"),
        ("/etc/hosts does not know the host, or gives 127.0.1.1.", "/etc/hosts 中没有主机名，或解析到 127.0.1.1。"),
        ("Write the address of the host into /etc/hosts.", "在 /etc/hosts 中写入主机地址。"),
        HCCL,
    ),
    _entry(
        "invalid_device_id",
        ("invalid device ID",),
        ("The service asks for a device that it cannot see", "device ID 无效"),
        (
            "ASCEND_RT_VISIBLE_DEVICES renumbers the devices from 0, or two services claim the same ones.",
            "ASCEND_RT_VISIBLE_DEVICES 会将 device 从 0 重新编号；或两个服务占用了相同的 device。",
        ),
        ("Use logical ids, and give each service devices of its own.", "使用逻辑 ID，并为每个服务分配独立的 device。"),
        _ISSUE("gpustack/gpustack", 2782),
    ),
    _entry(
        "thread_limit",
        ("can't start new thread",),
        ("The container may not start threads", "容器无法创建线程"),
        (
            "An old Docker or containerd refuses clone3 by its seccomp profile, or the limit of processes is reached.",
            "旧版 Docker/containerd 的 seccomp 拒绝 clone3，或进程数达到上限。",
        ),
        ("Update the container engine; raise the limit of processes (pids).", "升级容器引擎；提高进程数上限。"),
        "MindIE-PyMotor FAQ",
    ),
    _entry(
        "inotify",
        "inotify",
        ("The host has no inotify watches left", "主机 inotify 数量耗尽"),
        ("Kubernetes and many containers need more than the kernel allows.", "Kubernetes 和大量容器需要的数量超过内核限制。"),
        ("Raise fs.inotify.max_user_instances and fs.inotify.max_user_watches.", "调大 fs.inotify.max_user_instances 和 fs.inotify.max_user_watches。"),
        "MindIE-PyMotor FAQ",
        pattern=r"inotify.*(?:too many open files|no space left|limit|fail)|(?:too many|fail|limit).*inotify",
    ),
    _entry(
        "exec_format",
        ("exec format error",),
        ("Built for another architecture", "架构不匹配"),
        ("The image or binary is for x86_64 on an aarch64 host, or the reverse.", "在 aarch64 主机上使用了 x86_64 的镜像或程序，或相反。"),
        (
            "docker image inspect --format '{{.Architecture}}'; load the image for this host.",
            "用 docker image inspect --format '{{.Architecture}}' 查看；加载与主机架构一致的镜像。",
        ),
        VLLM,
    ),
    _entry(
        "invalid_tar_header",
        ("invalid tar header",),
        ("Docker cannot unpack the image", "Docker 无法解包镜像"),
        ("Seen on Kylin with an old Docker, or the archive is damaged.", "见于麒麟系统上的旧版 Docker，或归档损坏。"),
        ("Compare the sha256 of the archive; use the Docker of the docker stage.", "核对归档的 sha256；使用 docker 阶段安装的 Docker。"),
        VLLM,
    ),
    _entry(
        "image_pull",
        ("ErrImagePull", "ImagePullBackOff", "pull access denied"),
        ("The image cannot be fetched", "无法拉取镜像"),
        (
            "No permission at the registry, no way to it, or the image lies in Docker while Kubernetes asks containerd.",
            "没有仓库权限、无法访问仓库，或镜像在 Docker 中而 Kubernetes 使用 containerd。",
        ),
        ("Load it from an archive (docker_images), or ctr -n k8s.io images import.", "从归档加载（docker_images），或执行 ctr -n k8s.io images import。"),
        VLLM,
    ),
    _entry(
        "mount_source",
        ("bind source path does not exist",),
        ("A directory to be mounted is not on the host", "挂载源路径不存在"),
        (
            "mindie_mounts or mindie_model_path names a path that the host does not have; without the driver there is no /usr/local/Ascend/driver.",
            "mindie_mounts 或 mindie_model_path 指定的路径在主机上不存在；没有安装驱动时没有 /usr/local/Ascend/driver。",
        ),
        ("Bring the weights (stage weights), install the driver (stage hdk), or correct the path.", "准备权重（weights 阶段）、安装驱动（hdk 阶段），或修正路径。"),
        "docker run reference (docs.docker.com)",
    ),
    _entry(
        "device_node",
        ("error gathering device information", "open device node", "no such device"),
        ("A device node is missing on the host", "主机上缺少设备节点"),
        ("The driver is not loaded, or a card is missing: /dev/davinciN is not there.", "驱动没有加载，或缺卡：没有 /dev/davinciN。"),
        ("ls /dev/davinci*, npu-smi info; run the hdk stage, reboot the host.", "查看 ls /dev/davinci*、npu-smi info；执行 hdk 阶段并重启主机。"),
        _ISSUE("Ascend/cann-container-image", 46),
        pattern=r"(?:device node|device information|/dev/(?:davinci|devmm|hisi)).*(?:fail|no such)",
    ),
    _entry(
        "port_docker",
        ("port is already allocated",),
        ("A port of the container is in use", "容器端口已被占用"),
        ("Another container publishes the same port.", "另一个容器发布了同一端口。"),
        ("docker ps; stop the other one or take another port.", "用 docker ps 查看；停止另一个容器或更换端口。"),
        "docker run reference (docs.docker.com)",
    ),
    _entry(
        "no_space",
        ("No space left on device",),
        ("A file system is full", "磁盘空间不足"),
        ("The disk is full, or /dev/shm is too small.", "磁盘已满，或 /dev/shm 过小。"),
        ("df -h; free space, or raise mindie_shm_size.", "查看 df -h；释放空间，或调大 mindie_shm_size。"),
        VLLM,
    ),
    _entry(
        "not_permitted",
        ("Operation not permitted",),
        ("The container or user may not do this", "操作不被允许"),
        ("The security options of the container, or a missing capability.", "容器安全选项限制，或缺少 capability。"),
        (
            "Compare the arguments of docker run with those of the vendor (VLLM FAQ 20); mindie_privileged as a last resort.",
            "与厂商的 docker run 参数比较；最后才考虑 mindie_privileged。",
        ),
        VLLM,
        pattern=r"operation not permitted(?!, only root)",
    ),
    _entry(
        "retcode7",
        ("retcode: 7",),
        ("hccl_test met another process", "hccl_test 与其他进程冲突"),
        ("A leftover of an earlier test holds the devices.", "上一次测试的残留进程占用了 device。"),
        ("pgrep -f all_reduce_test on all hosts; end the leftovers with mpirun's cleanup.", "在所有主机上执行 pgrep -f all_reduce_test 并清理残留进程。"),
        HCCL,
    ),
)

# Weights ------------------------------------------------------------------------------------------------------------

_WEIGHTS = (
    _entry(
        "safetensors_header",
        ("safetensors",),
        ("A file of the weights is damaged", "权重文件损坏"),
        ("The file is shorter than its header says, or is a pointer of Git LFS: an interrupted download.", "文件比头部记录的短，或是 Git LFS 指针：下载中断。"),
        ("Run the weights stage, which names the files; download those again.", "执行 weights 阶段，它会指出损坏的文件；重新下载这些文件。"),
        "safetensors format (huggingface/safetensors)",
        pattern=r"header ?(?:too|is|deserial|invalid)|HeaderTooLarge|InvalidHeader|MetadataIncomplete|incomplete metadata|Error while deserializing",
    ),
    _entry(
        "weight_offset",
        ("weight_offset", "weight_scale"),
        ("The weights are quantised for another engine", "权重量化格式与引擎不符"),
        (
            "W8A8 made for MindIE is served with another engine, the reverse, or the merge script does not know W8A8.",
            "为 MindIE 量化的 W8A8 权重用于其他引擎（或相反），或合并脚本不支持 W8A8。",
        ),
        (
            "Use weights made for this engine; for kTransformers merge with the merge_weights module, mode w8a8.",
            "使用为该引擎制作的权重；kTransformers 请用 merge_weights 模块以 w8a8 模式合并。",
        ),
        _ISSUE("vllm-project/vllm-ascend", 986),
        pattern=r"KeyError",
    ),
    _entry(
        "quantization_unknown",
        ("Unknown quantization", "quantization method"),
        ("The engine does not know this quantisation", "引擎不支持该量化方式"),
        ("quantize in config.json or quant_model_description.json is of another tool.", "config.json 中的 quantize 或 quant_model_description.json 来自其他工具。"),
        ("Use weights made for this engine.", "使用为该引擎制作的权重。"),
        _ISSUE("vllm-project/vllm-ascend", 619),
        pattern=r"unknown quantization|quantization method.*(?:not|un)|(?:invalid|unknown).*quantization method",
    ),
    _entry(
        "symlink",
        ("should not be a symbolic link",),
        ("MindIE refuses symbolic links", "MindIE 不接受符号链接"),
        ("The weights were downloaded through the cache of a hub, which links files.", "权重由带缓存的下载工具下载，文件是符号链接。"),
        ("Replace the links by the files themselves (cp -L).", "用 cp -L 将链接替换为实际文件。"),
        MINDIE,
    ),
    _entry(
        "weights_writable",
        ("should not be writable by others",),
        ("Files of the weights may be written by anybody", "权重文件对其他用户可写"),
        ("MindIE refuses files that others may write.", "MindIE 拒绝其他用户可写的文件。"),
        ("chmod -R o-w on the directory of the weights; files 0640, directories 0750.", "对权重目录执行 chmod -R o-w；文件 0640，目录 0750。"),
        MINDIE,
    ),
    _entry(
        "weights_owner",
        ("does not have permission to access the path",),
        ("The user of the service does not own the weights", "服务用户无权访问权重"),
        ("Owner or group of the files is not that of the service.", "文件的属主或属组与服务用户不同。"),
        ("chown the weights to the user of the service; files 0640, directories 0750.", "将权重 chown 给服务用户；文件 0640，目录 0750。"),
        MINDIE,
    ),
    _entry(
        "bfloat16_310p",
        ("bfloat16",),
        ("The chip does not know bfloat16", "芯片不支持 bfloat16"),
        ("310P calculates in float16 only.", "310P 只支持 float16。"),
        ("Set torch_dtype to float16 in the config.json of the weights.", "将权重 config.json 中的 torch_dtype 改为 float16。"),
        MINDIE,
        pattern=r"bfloat16.*(?:not support|unsupport)|(?:not support|unsupport).*bfloat16",
    ),
    _entry(
        "transformers_old",
        ("does not recognize this architecture", "transformers version"),
        ("transformers is older than the model asks for", "transformers 版本过低"),
        ("config.json names a newer transformers_version.", "config.json 中要求更新的 transformers 版本。"),
        ("Use an image with that version, or install it.", "使用包含该版本的镜像，或安装该版本。"),
        FAQ,
        pattern=r"does not recognize this architecture|transformers version.*(?:required|too old|>=|not)",
    ),
    _entry(
        "offline_hub",
        ("Max retries exceeded with url",),
        ("The model asks the Internet for a file", "模型加载时访问外网失败"),
        ("Code or settings of the weights name a URL, and the host has no way out.", "权重中的代码或配置引用了网址，而主机不能访问外网。"),
        ("Bring the file into the directory of the weights and name it there; HF_HUB_OFFLINE=1.", "将该文件放入权重目录并改为本地路径；设置 HF_HUB_OFFLINE=1。"),
        FAQ,
    ),
)

# MindIE -------------------------------------------------------------------------------------------------------------

_RANK_TABLE_STAGE = ("Run the rank_table stage again over all hosts of the group.", "对整组主机重新执行 rank_table 阶段。")
_SETTINGS = (
    "Correct the setting that the message names (mindie_* or mindie_settings) and run the mindie stage.",
    "修正报错所示的配置（mindie_* 或 mindie_settings），重新执行 mindie 阶段。",
)

_MINDIE = (
    _entry(
        "ranktable_env",
        ("Ranktable file is not exist",),
        ("The daemon was given no rank table", "没有指定 rank table"),
        ("RANK_TABLE_FILE (RANKTABLEFILE up to MindIE 2.0) is not set.", "没有设置 RANK_TABLE_FILE（MindIE 2.0 及以前为 RANKTABLEFILE）。"),
        ("Set both in the environment; the mindie role does.", "在环境变量中同时设置两者；mindie 角色会自动设置。"),
        MINDIE,
    ),
    _entry(
        "ranktable_path",
        ("Ranktable file path is invalid", "Open ranktable json file failed"),
        ("The daemon may not read the rank table", "无法读取 rank table"),
        ("The file is a link, has another owner than the daemon, or a mode wider than 0640.", "文件是链接、属主与服务不同，或权限大于 0640。"),
        ("chown root:root and chmod 0640, no link; the rank_table stage does it.", "chown root:root、chmod 0640，且不是链接；rank_table 阶段会处理。"),
        MINDIE,
    ),
    _entry(
        "ranktable_json",
        ("Ranktable file is invalid", "Failed to parse the json data of ranktable"),
        ("The rank table is not JSON", "rank table 不是合法的 JSON"),
        ("Comments, commas at the end or an excerpt of a web page.", "含有注释、多余逗号，或是网页上的节选。"),
        _RANK_TABLE_STAGE,
        MINDIE,
    ),
    _entry(
        "ranktable_count",
        ("server_count",),
        ("server_count does not fit the list", "server_count 与列表不符"),
        (
            "server_count must be the length of server_list, 2 or more; a single host needs no rank table.",
            "server_count 应等于 server_list 的长度且不小于 2；单机不需要 rank table。",
        ),
        _RANK_TABLE_STAGE,
        MINDIE,
        pattern=r"server_count (?:is \d+, which is not equal|must be in range)|Invalid server_count",
    ),
    _entry(
        "ranktable_devices",
        ("The number of devices",),
        ("The hosts have different numbers of devices", "各主机的 device 数量不一致"),
        ("Every server of the rank table needs the same number of devices.", "rank table 中每台服务器的 device 数量必须相同。"),
        _RANK_TABLE_STAGE,
        MINDIE,
        pattern=r"number of devices (?:in every server node|on single node)",
    ),
    _entry(
        "ranktable_container_ip",
        ("containerIp in the server node is empty",),
        ("container_ip is missing in the rank table", "rank table 缺少 container_ip"),
        ("MindIE finds itself by it; it must equal MIES_CONTAINER_IP.", "MindIE 依靠它识别本机，须与 MIES_CONTAINER_IP 相同。"),
        _RANK_TABLE_STAGE,
        MINDIE,
    ),
    _entry(
        "ranktable_device_ip",
        ("device_ip is invalid", "Input device_ip"),
        ("A device address of the rank table is none", "rank table 中的 device_ip 无效"),
        (
            "The file was made where hccn_tool gave no address: none was set on the NPU, or tool and /etc/hccn.conf were not visible (container).",
            "生成文件时 hccn_tool 没有取得地址：NPU 没有配置地址，或（容器中）看不到该工具和 /etc/hccn.conf。",
        ),
        ("Run the npu_network stage, then the rank_table stage.", "先执行 npu_network 阶段，再执行 rank_table 阶段。"),
        _ISSUE("gpustack/gpustack", 2551),
        pattern=r"device_ip (?:\[[^\]]*\] )?is invalid",
    ),
    _entry(
        "ranktable_generator",
        "KeyError: '0'",
        ("The generator of the rank table found no device addresses", "rank table 生成工具没有取得 device 地址"),
        (
            "hccl_tools.py saw neither hccn_tool nor /etc/hccn.conf, as in a container without them.",
            "hccl_tools.py 既没有找到 hccn_tool，也没有找到 /etc/hccn.conf（例如容器中没有挂载）。",
        ),
        ("Use the rank_table stage, which reads the devices of the hosts.", "使用 rank_table 阶段，它直接读取主机上的 device。"),
        _ISSUE("mindspore-ai/mindspore", 252),
    ),
    _entry(
        "ranktable_rank",
        ("Parameter rankId", "Parameter device_id", "Parameter rankId in ranktable"),
        ("An id of the rank table is out of range", "rank table 中的 ID 超出范围"),
        ("rank_id is 0 to 511, device_id 0 to 63, both as strings.", "rank_id 为 0～511，device_id 为 0～63，均为字符串。"),
        _RANK_TABLE_STAGE,
        MINDIE,
    ),
    _entry(
        "container_ip_env",
        ("MIES_CONTAINER_IP isn't exist",),
        ("MIES_CONTAINER_IP is not set", "没有设置 MIES_CONTAINER_IP"),
        ("The daemon does not know which server of the rank table it is.", "服务不知道自己是 rank table 中的哪一台。"),
        ("Set it to the address of the host (mindie_host_address).", "设为本机地址（mindie_host_address）。"),
        MINDIE,
    ),
    _entry(
        "config_permission",
        ("config.json failed", "Other group permission failed", "Check path:", "permission check failed"),
        ("MindIE refuses owner or mode of a file", "MindIE 拒绝文件的属主或权限"),
        (
            "config.json of the weights or of the service has a mode wider than 0640, another owner than the daemon, or is a link.",
            "权重目录或服务的 config.json 权限大于 0640、属主与服务用户不同，或是链接。",
        ),
        ("chmod 0640 on the file that is named (directories 0750), chown to the user of the daemon.", "对所示文件执行 chmod 0640（目录 0750），并 chown 给服务用户。"),
        FAQ,
        pattern=r"config\.json failed|(?:group|owner|user) permission failed|Check path: .*failed|permission check failed",
    ),
    _entry(
        "config_json",
        ("Json file is invalid",),
        ("config.json is not JSON", "config.json 不是合法的 JSON"),
        ("Comments, commas at the end, or an edit by hand that broke it.", "含有注释、多余逗号，或手工编辑出错。"),
        ("Correct it, or remove /etc/npuops/GROUP/config.json and run the mindie stage.", "修正该文件，或删除 /etc/npuops/GROUP/config.json 后执行 mindie 阶段。"),
        MINDIE,
    ),
    _entry(
        "config_missing_key",
        ("missing compulsory field",),
        ("A key is missing in config.json", "config.json 缺少必填项"),
        ("The file is of another MindIE version.", "该文件属于其他 MindIE 版本。"),
        ("Start from the defaults of this image: remove the file, run the mindie stage.", "使用该镜像的默认配置：删除该文件，执行 mindie 阶段。"),
        MINDIE,
    ),
    _entry(
        "config_ports_equal",
        ("cannot be equal to multiNodesInferPort",),
        ("Two ports of config.json are equal", "config.json 中两个端口相同"),
        ("mindie_port and mindie_multi_nodes_infer_port are the same.", "mindie_port 与 mindie_multi_nodes_infer_port 相同。"),
        ("Give them different ports.", "使用不同的端口。"),
        MINDIE,
    ),
    _entry(
        "config_prefill",
        ("maxPrefillTokens should not be less than maxInputTokenLen",),
        ("Lengths of config.json contradict each other", "config.json 中的长度参数矛盾"),
        ("maxPrefillTokens must be at least maxInputTokenLen.", "maxPrefillTokens 不能小于 maxInputTokenLen。"),
        ("Raise mindie_max_prefill_tokens or lower mindie_max_input_token_len.", "调大 mindie_max_prefill_tokens 或调小 mindie_max_input_token_len。"),
        MINDIE,
    ),
    _entry(
        "config_bound",
        ("is out of bound", "is out of allow range", "is not one of [", "cpuMemSize must be"),
        ("A value of config.json is out of range", "config.json 中的取值超出范围"),
        ("The message names key, value and bound.", "报错中给出了键、值和范围。"),
        _SETTINGS,
        MINDIE,
        pattern=r"\] is out of bound|out of allow range|is not one of \[|cpuMemSize must be",
    ),
    _entry(
        "config_devices",
        ("npuDeviceIds",),
        ("npuDeviceIds does not fit", "npuDeviceIds 配置不符"),
        ("Its lists must number modelInstanceNumber, each as long as worldSize, without repeats.", "列表个数应等于 modelInstanceNumber，每个列表长度等于 worldSize，且不重复。"),
        _SETTINGS,
        MINDIE,
        pattern=r"npuDeviceIds.*(?:must|type)",
    ),
    _entry(
        "config_model_path",
        ("modelWeightPath",),
        ("The daemon does not find the weights", "找不到权重目录"),
        ("modelWeightPath is no absolute path of a directory inside the container.", "modelWeightPath 不是容器内存在的绝对路径目录。"),
        ("Correct mindie_model_path; the directory must be there on every host under the same path.", "修正 mindie_model_path；该目录在每台主机上路径须相同。"),
        MINDIE,
        pattern=r"modelWeightPath.*(?:must|not|fail|invalid)",
    ),
    _entry(
        "tls_files",
        ("tlsCert", "tlsCaPath", "tlsPk", "TLS is switched on and needs it"),
        ("TLS is on, but certificates are missing", "已开启 TLS，但缺少证书"),
        ("httpsEnabled or interNodeTLSEnabled is true and the file that is named is not there.", "httpsEnabled 或 interNodeTLSEnabled 为 true，而所示文件不存在。"),
        ("Bring the certificates (mindie_settings), or switch TLS off where the network is closed.", "准备证书（mindie_settings），或在封闭网络中关闭 TLS。"),
        FAQ,
        pattern=r"(?:tlsC|tlsPk|tls).*(?:not exist|fail|invalid|not found|needs it)",
    ),
    _entry(
        "listen",
        ("Failed to listen", "Socket bind failed"),
        ("The service cannot open its port", "服务端口监听失败"),
        ("The port is in use, by a leftover or another service, or the address is not on this host.", "端口被残留进程或其他服务占用，或该地址不在本机。"),
        (
            "ss -ltnp; stop the owner or change mindie_port, mindie_management_port, mindie_metrics_port; mindie_host_address must be on the host.",
            "用 ss -ltnp 查看；停止占用者，或修改 mindie_port、mindie_management_port、mindie_metrics_port；mindie_host_address 须在本机。",
        ),
        FAQ,
    ),
    _entry(
        "process_group",
        ("Failed to set process group",),
        ("The daemon is process 1 of its container", "服务是容器的 1 号进程"),
        ("It cannot make a process group then.", "此时无法创建进程组。"),
        ("Run the container with an init (docker run --init); the mindie role does.", "以 --init 运行容器；mindie 角色会自动设置。"),
        "MindIE on Atlas 800I A2, field report of 2025-07-19",
    ),
    _entry(
        "shm_leftover",
        ("Shared memory",),
        ("Leftovers of an earlier daemon lie in /dev/shm", "/dev/shm 中有残留文件"),
        ("The daemon was killed and left its shared memory.", "服务被强制结束，残留了共享内存。"),
        (
            "Remove /dev/shm/*llm_backend_* and /dev/shm/llm_tokenizer_shared_memory_*, or restart the container.",
            "删除 /dev/shm/*llm_backend_* 和 /dev/shm/llm_tokenizer_shared_memory_*，或重启容器。",
        ),
        "MindIE 2.2.RC1 manual, PD mixed deployment",
        pattern=r"Shared memory .*(?:exist|permission expected|fail)",
    ),
    _entry(
        "command_line",
        ("Unrecognized command-line argument",),
        ("The daemon does not know an argument", "服务不认识该命令行参数"),
        ("Only --config-file and --expert-parallel are known.", "只支持 --config-file 和 --expert-parallel。"),
        ("Remove the argument.", "去掉该参数。"),
        MINDIE,
    ),
    _entry(
        "tokenizer",
        ("Init process tokenizer pool failed", "Failed to get vocab size from tokenizer"),
        ("The tokenizer did not start", "tokenizer 初始化失败"),
        ("Files of the tokenizer are missing or do not fit the installed transformers.", "tokenizer 文件缺失，或与已安装的 transformers 不匹配。"),
        (
            "Compare the files of the weights with their repository; mindie_trust_remote_code where the model needs it.",
            "与权重仓库核对文件；模型需要时设置 mindie_trust_remote_code。",
        ),
        FAQ,
    ),
    _entry(
        "pull_kv",
        ("Pull kv failed",),
        ("The KV cache was not transferred in time", "拉取 KV cache 超时"),
        ("Packets are lost between prefill and decode hosts.", "P、D 节点之间网络丢包。"),
        (
            "hccn_tool -i N -stat -g | grep rty on all devices: the one with many retries has a bad module.",
            "在所有 device 上执行 hccn_tool -i N -stat -g | grep rty；重传多的卡光模块有问题。",
        ),
        FAQ,
    ),
    _entry(
        "model_not_found",
        ("Model not found",),
        ("The request names another model", "请求的模型名不符"),
        ("model in the request is not the served name.", "请求中的 model 与服务的模型名不同。"),
        ("Use the name that GET /v1/models answers (mindie_model_name).", "使用 GET /v1/models 返回的名称（mindie_model_name）。"),
        MINDIE,
    ),
    _entry(
        "multi_node_wait",
        ("multi-node connection",),
        ("The hosts of the group do not reach each other", "组内主机无法互连"),
        ("The port between the nodes (1120) is closed, or the master did not start.", "节点间端口（1120）不通，或主节点没有启动。"),
        ("Look at the first error of the master; open the ports (stage firewall).", "查看主节点最早的错误；放通端口（firewall 阶段）。"),
        MINDIE,
        pattern=r"multi-node connection .*not established",
    ),
    _entry(
        "lost_node",
        ("lost the connection to node",),
        ("Another host of the group is gone", "组内其他主机失联"),
        ("Its service ended or its network is gone; this host only follows.", "该主机的服务已退出或网络中断，本机随之退出。"),
        ("Look at the first error on the host that is named.", "查看所示主机上最早的错误。"),
        MINDIE,
        consequence=True,
    ),
    _entry(
        "child_killed",
        ("was terminated by signal 9",),
        ("A process of the service was killed", "服务子进程被杀死"),
        ("By the kernel for want of memory, or by the daemon after another error.", "因主机内存不足被内核杀死，或在其他错误之后被服务结束。"),
        ("dmesg | grep -i oom; an earlier error in the log counts more.", "查看 dmesg | grep -i oom；日志中更早的错误更重要。"),
        MINDIE,
        consequence=True,
    ),
    _entry(
        "python_model",
        ("LLMPythonModel initializes fail", "LLMInferEngine failed to init LLMInferModels", "MIE04E060108"),
        ("The Python part of MindIE did not load the model", "MindIE Python 侧加载模型失败"),
        ("The reason stands in the Python log: rights of the weights, a missing package, memory.", "原因在 Python 日志中：权重权限、缺少依赖包或内存不足。"),
        (
            "Look into mindie-llmmodels_*.log and the plog; run the weights stage, which checks rights and completeness.",
            "查看 mindie-llmmodels_*.log 和 plog；执行 weights 阶段检查权限和完整性。",
        ),
        FAQ,
        consequence=True,
    ),
    _entry(
        "mindie_consequence",
        (
            "Failed to init endpoint",
            "Failed to init infer model instance",
            "Failed to init infer backend manager",
            "Failed to start http wrapper",
            "[start endpoint] [fail]",
            "[start mindie server] [fail]",
            "Checking Config Failed",
            "MIE05E040001",
        ),
        ("MindIE did not start", "MindIE 启动失败"),
        ("The daemon says only that it failed; the reason stands earlier in its logs or in CANN's.", "该行只说明启动失败，原因在更早的 MindIE 或 CANN 日志中。"),
        (
            "Read the first error in /root/mindie/log/debug and ~/ascend/log/debug/plog of every host of the group.",
            "查看组内每台主机 /root/mindie/log/debug 和 ~/ascend/log/debug/plog 中最早的错误。",
        ),
        FAQ,
        consequence=True,
    ),
    _entry(
        "unit_consequence",
        ("Main process exited", "Failed with result", "Control process exited"),
        ("The service ended", "服务已退出"),
        ("systemd says only that it ended; the reason stands earlier.", "systemd 只说明服务已退出，原因在更早的日志中。"),
        ("Read the journal of the unit from its start.", "从启动处开始查看该服务的 journal。"),
        "systemd",
        consequence=True,
    ),
    _entry(
        "transport_consequence",
        (
            "Transport init error",
            "Alloc transports failed",
            "call trace: hcclRet",
            "[LinksEstablishCompleted]",
            "Wait links establish completed failed",
            "SetMachinePara error",
            # The table of links and the result of the search for the place, which are read on their own.
            "LINK_ERROR_INFO",
            "comm error, device",
            "dest_ip(user_rank)",
            "|-----",
            "| LinkInfo",
            "DETECT RESULT",
            "detects that srcRank",
            "If the link setup timeout is reported",
        ),
        ("HCCL gave up after a link failed", "建链失败后的连带报错"),
        ("The reason stands before it.", "原因在此之前。"),
        ("Look for EI0006 or an earlier error.", "查看 EI0006 或更早的错误。"),
        HCCL,
        consequence=True,
    ),
    _entry(
        "console_log_level",
        ("DrvMngGetConsoleLogLevel failed",),
        ("The driver does not answer", "驱动无响应"),
        ("Said before the real message of the tool, which follows.", "出现在工具真正的报错之前。"),
        ("See the next line; npu-smi info on the host.", "见下一行；在主机上执行 npu-smi info。"),
        DCMI,
        consequence=True,
    ),
)

# kTransformers, torch_npu -------------------------------------------------------------------------------------------

_KT = (
    _entry(
        "sched_ext",
        ("No module named 'sched_ext'",),
        ("kTransformers was built without balance_serve", "kTransformers 构建时没有启用 balance_serve"),
        ("Submodules or the compiler were missing at build time.", "构建时缺少子模块或编译器。"),
        ("Bring the submodules, then build again (stage ktransformers).", "补齐子模块后重新构建（ktransformers 阶段）。"),
        _ISSUE("kvcache-ai/ktransformers", 1199),
    ),
    _entry(
        "numa",
        ("NUMA library not found", "cannot find -lnuma"),
        ("The headers of libnuma are missing", "缺少 libnuma 头文件"),
        ("kTransformers needs them on ARM with an NPU.", "ARM + NPU 构建 kTransformers 时需要。"),
        ("Install libnuma-dev or numactl-devel.", "安装 libnuma-dev 或 numactl-devel。"),
        KTRANSFORMERS,
    ),
    _entry(
        "hwloc",
        ("hwloc",),
        ("hwloc is missing", "缺少 hwloc"),
        ("pkg-config does not find it.", "pkg-config 找不到该库。"),
        ("Install libhwloc-dev or hwloc-devel, and pkg-config.", "安装 libhwloc-dev 或 hwloc-devel，以及 pkg-config。"),
        KTRANSFORMERS,
        pattern=r"hwloc.*(?:not found|required|No package)|No package 'hwloc' found",
    ),
    _entry(
        "unsupported_backend",
        ("Unsupported backend",),
        ("No NPU was visible when kTransformers was built", "构建 kTransformers 时未识别到 NPU"),
        (
            "import torch_npu failed, or the NPU was not available: CANN not sourced, or no right to /dev/davinci*.",
            "import torch_npu 失败，或 NPU 不可用：没有 source CANN，或没有 /dev/davinci* 权限。",
        ),
        (
            "npu-smi info; python -c 'import torch_npu; print(torch_npu.npu.is_available())' in the wrapper of the environment.",
            "执行 npu-smi info，并在环境包装脚本中执行 python -c 'import torch_npu; print(torch_npu.npu.is_available())'。",
        ),
        KTRANSFORMERS,
    ),
    _entry(
        "invalid_version_npu",
        ("Invalid version",),
        ("torch_npu has a version that Python does not accept", "torch_npu 版本号不合法"),
        ("It was built with the commit in its version, so kTransformers' version gets two plus signs.", "构建时版本号带有提交号，使 kTransformers 的版本号出现两个加号。"),
        ("Build torch_npu with BUILD_WITHOUT_SHA=1 (stage torch_npu).", "以 BUILD_WITHOUT_SHA=1 构建 torch_npu（torch_npu 阶段）。"),
        KTRANSFORMERS,
        pattern=r"invalid version.*\+npu.*\+git|invalid version.*\+.*npu",
    ),
    _entry(
        "ktransformersops",
        ("No module named 'KTransformersOps'",),
        ("The merge script wants an NPU build", "合并脚本需要 NPU 构建"),
        ("The script of kTransformers imports its own extension.", "kTransformers 自带脚本会导入其扩展。"),
        ("Merge with the merge_weights module, which needs no NPU.", "使用 merge_weights 模块合并，不需要 NPU。"),
        KTRANSFORMERS,
    ),
    _entry(
        "capture_plugin",
        ("CAPTURE_PLUGIN_PATH",),
        ("Graph mode needs a library that is not published", "图模式需要未公开的库"),
        ("The branch wants libgraph_capture from CAPTURE_PLUGIN_PATH.", "该分支需要 CAPTURE_PLUGIN_PATH 下的 libgraph_capture。"),
        (
            "Switch graph mode off (ktransformers_graph_sink: false), or give ktransformers_graph_sink_dir.",
            "关闭图模式（ktransformers_graph_sink: false），或设置 ktransformers_graph_sink_dir。",
        ),
        KTRANSFORMERS,
        pattern=r"CAPTURE_PLUGIN_PATH.*not exist",
    ),
    _entry(
        "local_world_size",
        ("int() argument must be",),
        ("RANK or LOCAL_WORLD_SIZE is not set", "没有设置 RANK 或 LOCAL_WORLD_SIZE"),
        ("On an NPU kTransformers reads both from the environment.", "NPU 上 kTransformers 从环境变量读取二者。"),
        ("Set RANK=0 and LOCAL_WORLD_SIZE=1, or start with torchrun.", "设置 RANK=0、LOCAL_WORLD_SIZE=1，或用 torchrun 启动。"),
        KTRANSFORMERS,
        pattern=r"int\(\) argument must be .*NoneType",
    ),
    _entry(
        "sqlalchemy",
        ("No module named 'sqlalchemy'",),
        ("sqlalchemy is missing", "缺少 sqlalchemy"),
        ("langchain 1.0 and newer no longer bring it.", "langchain 1.0 起不再自带。"),
        ("Install it into the environment.", "在环境中安装该包。"),
        KTRANSFORMERS,
    ),
    _entry(
        "yaml_torch_npu",
        ("No module named 'yaml'",),
        ("PyYAML is missing", "缺少 PyYAML"),
        ("torch_npu needs it without saying so.", "torch_npu 依赖它但没有声明。"),
        ("pip install pyyaml in the environment.", "在环境中执行 pip install pyyaml。"),
        "torch_npu (Ascend/pytorch)",
    ),
    _entry(
        "numpy_abi",
        ("A module that was compiled using NumPy 1.x", "numpy.core.multiarray failed to import"),
        ("NumPy 2 meets a torch that was built with NumPy 1", "NumPy 2 与按 NumPy 1 构建的 torch 不兼容"),
        ("torch 2.1 to 2.3 need NumPy 1.", "torch 2.1～2.3 需要 NumPy 1。"),
        ("Install numpy 1.26.4 with a constraints file.", "用 constraints 文件安装 numpy 1.26.4。"),
        KTRANSFORMERS,
    ),
    _entry(
        "type_traits",
        ("type_traits",),
        ("The headers of g++ are missing", "缺少 g++ 头文件"),
        ("The compiler of the operators finds no C++ headers beside gcc.", "算子编译器找不到与 gcc 匹配的 C++ 头文件。"),
        ("Install the g++ that matches gcc.", "安装与 gcc 匹配的 g++。"),
        KTRANSFORMERS,
        pattern=r"fatal error: '?type_traits",
    ),
    _entry(
        "expandable_segments",
        ("expandable_segments",),
        ("The driver is too old for expandable segments", "驱动不支持 expandable_segments"),
        ("PYTORCH_NPU_ALLOC_CONF asks for more than driver and firmware can.", "PYTORCH_NPU_ALLOC_CONF 的要求超出驱动和固件的能力。"),
        ("Upgrade the HDK, or remove it from PYTORCH_NPU_ALLOC_CONF.", "升级 HDK，或从 PYTORCH_NPU_ALLOC_CONF 中去掉该项。"),
        "torch_npu (Ascend/pytorch)",
        pattern=r"expandable_segments.*not support",
    ),
    _entry(
        "newbyteorder",
        ("newbyteorder",),
        ("The GGUF reader does not know NumPy 2", "GGUF 读取库不支持 NumPy 2"),
        ("An old gguf package meets NumPy 2.", "旧版 gguf 包与 NumPy 2 不兼容。"),
        ("Install a newer gguf, or numpy 1.26.4.", "安装更新的 gguf，或 numpy 1.26.4。"),
        KTRANSFORMERS,
    ),
    _entry(
        "bf16_gcc",
        ("unknown feature modifier",),
        ("The compiler is too old", "编译器版本过低"),
        ("It does not know the instructions of the processor that are asked for.", "编译器不认识所要求的处理器指令。"),
        ("Use gcc 11 or newer.", "使用 gcc 11 或更新版本。"),
        KTRANSFORMERS,
    ),
)

# Installers ---------------------------------------------------------------------------------------------------------

_SAFE_PATH = (
    "Make install_path and all directories above it root:root with mode 0755.",
    "将 install_path 及其所有上级目录设为 root:root、权限 0755。",
)
_WAIT_INSTALLER = ("Wait until it has ended (ps -ef | grep .run), then run again.", "等待其结束（ps -ef | grep .run）后重试。")
_COPY_AGAIN = ("Compare its sha256 with the vendor's and copy it again.", "与厂商公布的 sha256 核对，重新复制。")


def _installer(name: str, marks: str | tuple[str, ...], cause: tuple[str, str], remedy: tuple[str, str], context: str = "hdk", **options: t.Any) -> Entry:
    return _entry(name, marks, cause, cause, remedy, DRIVER if context != "cann" else CANN, context=context, **options)


_INSTALLERS = (
    _installer(
        "hdk_0x0002",
        "0x0002",
        ("The installer asked a question that nobody answers.", "安装程序在等待无人应答的提问。"),
        ("Report this: the module runs it with --quiet, which must not ask.", "请反馈此问题：模块以 --quiet 运行，不应提问。"),
        pattern=r"ERR_NO:\s*0x0002",
    ),
    _installer(
        "hdk_path_characters",
        "0x0003",
        ("The installation path has characters that the installer refuses.", "安装路径含有安装程序不接受的字符。"),
        ("Use letters, digits, '-', '_' and '/' in install_path.", "install_path 只使用字母、数字、'-'、'_' 和 '/'。"),
        pattern=r"ERR_NO:\s*0x0003.*(?:invalid according to|input error|is null)",
    ),
    _installer(
        "hdk_path_permission",
        "0x0003",
        ("The installation user cannot enter the installation path.", "安装用户无法进入安装路径。"),
        _SAFE_PATH,
        pattern=r"ERR_NO:\s*0x0003.*permission",
    ),
    _installer(
        "hdk_0x0003",
        "0x0003",
        ("The directory above the installation path does not exist.", "安装路径的上级目录不存在。"),
        ("Create the directory above install_path as root:root with mode 0755.", "以 root:root、权限 0755 创建 install_path 的上级目录。"),
        pattern=r"ERR_NO:\s*0x0003",
    ),
    _installer(
        "hdk_0x0004",
        "0x0004",
        ("The package does not know an option given to it.", "软件包不认识所给的选项。"),
        ("Check that it is a driver or firmware package of the HDK, 23.0 or newer.", "确认它是 HDK 23.0 或更新版本的驱动或固件包。"),
        pattern=r"ERR_NO:\s*0x0004",
    ),
    _installer(
        "hdk_0x0080",
        "0x0080",
        ("Nothing is installed that could be removed.", "没有可卸载的内容。"),
        ("Nothing needs to be done.", "无需处理。"),
        pattern=r"ERR_NO:\s*0x0080",
    ),
    _installer(
        "hdk_0x0090",
        "0x0090",
        ("Removing the installed package failed.", "卸载已安装的软件包失败。"),
        ("Reboot the host and run again.", "重启主机后重试。"),
        pattern=r"ERR_NO:\s*0x0090",
    ),
    _installer(
        "hdk_root_user",
        "0x0091",
        ("root as installation user is accepted only when all users may use the driver.", "只有允许所有用户使用驱动时，才能以 root 作为安装用户。"),
        ("Set install_for_all: true, or use another user.", "设置 install_for_all: true，或使用其他用户。"),
        pattern=r"ERR_NO:\s*0x0091.*\broot\b",
    ),
    _installer(
        "hdk_0x0091",
        "0x0091",
        ("The installation user or group does not exist.", "安装用户或用户组不存在。"),
        ("Create group and user first (groupadd, useradd -g), as the role hdk does.", "先创建用户组和用户（groupadd、useradd -g），hdk 角色会自动创建。"),
        pattern=r"ERR_NO:\s*0x0091",
    ),
    _installer(
        "hdk_0x0093",
        ("0x0093", "do not have root permission"),
        ("The installer needs root.", "安装程序需要 root 权限。"),
        ("Run the task with become: true.", "使用 become: true 执行。"),
        context="",
        pattern=r"ERR_NO:\s*0x0093|do not have root permission",
    ),
    _installer(
        "hdk_all_in_one",
        "all-in-one",
        ("A package of the old all-in-one kind is installed.", "已安装旧式的一体化软件包。"),
        ("Uninstall it (its path is in /etc/HiAI_install.info), then run again.", "卸载它（路径见 /etc/HiAI_install.info）后重试。"),
    ),
    _installer(
        "hdk_0x0094",
        "0x0094",
        ("Another installer is running.", "另一个安装程序正在运行。"),
        _WAIT_INSTALLER,
        pattern=r"ERR_NO:\s*0x0094",
    ),
    _installer(
        "hdk_0x0095",
        "0x0095",
        ("An earlier installation was made for another user or group.", "之前的安装使用了其他用户或用户组。"),
        (
            "Use UserName and UserGroup of /etc/ascend_install.info as username and usergroup, or remove driver and firmware first.",
            "将 /etc/ascend_install.info 中的 UserName、UserGroup 用作 username、usergroup，或先卸载驱动和固件。",
        ),
        pattern=r"ERR_NO:\s*0x0095",
    ),
    _installer(
        "hdk_0x0096",
        "0x0096",
        ("The installation user is not in the installation group.", "安装用户不在安装用户组中。"),
        ("Add the user to the group (usermod -a -G GROUP USER).", "将用户加入用户组（usermod -a -G 组 用户）。"),
        pattern=r"ERR_NO:\s*0x0096",
    ),
    _installer(
        "hdk_missing_tools",
        ("list of missing tools", "missing tools:"),
        ("Tools that the installer needs are missing.", "缺少安装程序需要的工具。"),
        (
            "Install pciutils (lspci), net-tools (ifconfig), kmod (modprobe, modinfo) and udev.",
            "安装 pciutils（lspci）、net-tools（ifconfig）、kmod（modprobe、modinfo）和 udev。",
        ),
        context="",
    ),
    _installer(
        "hdk_devices_busy",
        ("davinci nodes are occupied", "device is busy"),
        ("Processes use the NPUs.", "有进程正在使用 NPU。"),
        ("Stop the processes and containers that use /dev/davinci* and run again.", "停止使用 /dev/davinci* 的进程和容器后重试。"),
        context="",
    ),
    _installer(
        "hdk_dkms",
        ("dkms install failed", "dkms_env_check failed", "driver_ko_install failed", "try build driver after input kernel", "/build: No such file"),
        ("The kernel modules could not be built or installed.", "内核模块编译或安装失败。"),
        (
            "Install kernel headers for the running kernel (uname -r), gcc, make and dkms, remove /var/lib/dkms/davinci_ascend, and run again.",
            "安装当前内核（uname -r）的头文件、gcc、make 和 dkms，删除 /var/lib/dkms/davinci_ascend，然后重试。",
        ),
        context="",
    ),
    _installer(
        "hdk_firmware_old",
        "download and install the",
        ("The firmware on the devices is too old for this driver.", "device 上的固件版本过低，不支持该驱动。"),
        ("Install the driver version that the message names first, then this one.", "先安装报错中所示版本的驱动，再安装该版本。"),
    ),
    _installer(
        "hdk_arch",
        "arch mismatch",
        ("The package is for another architecture.", "软件包的架构不符。"),
        ("Name the package for this host's architecture.", "使用与主机架构一致的软件包。"),
        context="",
    ),
    _installer(
        "hdk_chip",
        "installation package and environment is not match",
        ("The package is for another chip.", "软件包与芯片不符。"),
        ("Name the package for the NPUs that lspci shows.", "使用与 lspci 所示 NPU 对应的软件包。"),
        context="",
    ),
    _installer(
        "hdk_space",
        "free space only",
        ("Too little space under the installation path.", "安装路径空间不足。"),
        ("Free space on the file system of install_path.", "清理 install_path 所在文件系统。"),
    ),
    _installer(
        "hdk_unpack_space",
        "not enough space left in",
        ("Too little space where the package unpacks itself.", "解包目录空间不足。"),
        ("Free space in the directory that the message names (TMPDIR).", "清理报错中所示的目录（TMPDIR）。"),
    ),
    _installer(
        "hdk_unpack",
        ("decompression fail", "tar: not found", "tar: command not found"),
        ("The package cannot unpack itself.", "软件包无法解包。"),
        ("Install tar and gzip.", "安装 tar 和 gzip。"),
        context="",
    ),
    _installer(
        "hdk_signature",
        ("software signature verification failed", "crl_check failed"),
        ("The package's signature does not fit this host's settings.", "软件包签名校验不通过。"),
        (
            "Fetch the package again; see /var/log/ascend_seclog/ascend_install.log.",
            "重新获取软件包；详见 /var/log/ascend_seclog/ascend_install.log。",
        ),
        context="",
    ),
    _installer(
        "hdk_hardware_version",
        "is earlier than the device flash hardware version",
        ("The devices need a newer driver than this package.", "device 需要更新的驱动。"),
        ("Name a newer driver package.", "使用更新的驱动包。"),
        context="",
    ),
    _installer(
        "package_damaged",
        "checksum",
        ("The package is damaged or not complete.", "软件包损坏或不完整。"),
        _COPY_AGAIN,
        context="",
        pattern=r"Error in \w+ checksum",
    ),
    _installer(
        "path_unsafe",
        ("should belong to root", "permission is too small", "permission is invalid"),
        ("A directory of the installation path is not safe.", "安装路径中有目录的属主或权限不安全。"),
        _SAFE_PATH,
    ),
    _installer(
        "hdk_failed",
        "please retry after uninstall and reboot",
        (
            "The installation proper failed; /var/log/ascend_seclog/ascend_install.log says where.",
            "安装过程失败；具体位置见 /var/log/ascend_seclog/ascend_install.log。",
        ),
        ("Remove driver and firmware (state: absent), reboot, and install again.", "卸载驱动和固件（state: absent），重启后重新安装。"),
        context="",
    ),
    _installer(
        "cann_pip3",
        ("pip3: not found", "pip3: command not found", "pip: not found", "pip: command not found", "No module named pip"),
        ("pip3 was not found, and the tree is half installed.", "找不到 pip3，安装目录只完成了一半。"),
        (
            "Install python3-pip for the system, then run again with clean_incomplete: true.",
            "安装系统的 python3-pip，然后以 clean_incomplete: true 重新执行。",
        ),
        context="cann",
    ),
    _installer(
        "cann_python",
        "There is no python3",
        ("No Python that the package knows.", "没有软件包支持的 Python。"),
        ("Install a python3 of the versions that the message names (the system's own).", "安装报错所示版本的系统 python3。"),
        context="cann",
    ),
    _installer(
        "cann_other_path",
        "'install-path' parameter",
        ("An earlier installation recorded another path.", "之前的安装记录了另一个路径。"),
        (
            "Use the path that /etc/Ascend/ascend_cann_install.info records as install_path, or remove that installation.",
            "将 /etc/Ascend/ascend_cann_install.info 记录的路径用作 install_path，或卸载之前的安装。",
        ),
        context="cann",
        pattern=r"'install-path' parameter (?:is|are) not supported",
    ),
    _installer(
        "cann_path_unsafe",
        ("should belong to root", "permission is too small", "permission is invalid"),
        ("A directory of the installation path is not safe.", "安装路径中有目录的属主或权限不安全。"),
        _SAFE_PATH,
        context="cann",
    ),
    _installer(
        "cann_eula",
        "EULA",
        ("The installer asked to accept the licence.", "安装程序要求接受许可协议。"),
        ("Report this: the module runs it with --quiet, which accepts it.", "请反馈此问题：模块以 --quiet 运行，已表示接受。"),
        context="cann",
    ),
    _installer(
        "cann_arch",
        "arch",
        ("The package is for another architecture.", "软件包的架构不符。"),
        ("Name the package for this host's architecture.", "使用与主机架构一致的软件包。"),
        context="cann",
        pattern=r"arch(?:itecture)? (?:mismatch|is not|does not|of this package)",
    ),
    _installer(
        "cann_space",
        ("No space left", "not enough space", "space is not enough"),
        ("Too little space.", "空间不足。"),
        ("Free space below install_path and in TMPDIR.", "清理 install_path 和 TMPDIR。"),
        context="cann",
    ),
    _installer(
        "cann_toolkit_environment",
        ("set_env.sh", "ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME"),
        ("The environment of the toolkit is missing.", "缺少 toolkit 的环境变量。"),
        ("Install the toolkit of the same version first.", "先安装同一版本的 toolkit。"),
        context="cann",
    ),
    _installer(
        "cann_running",
        ("is being executed", "multiple tasks"),
        ("Another installer is running.", "另一个安装程序正在运行。"),
        _WAIT_INSTALLER,
        context="cann",
    ),
)

ENTRIES: tuple[Entry, ...] = (*_INSTALLERS, *_FABRIC, *_RUNTIME, *_WEIGHTS, *_KT, *_MINDIE, *_DRIVER_LINES)
