# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why two devices do not reach each other: cause and remedy of each reason, in the order in which they are looked at."""

from __future__ import annotations

import typing as t

from ansible_collections.npuops.ascend.plugins.module_utils._checks.catalogue import Text


class Reason(t.NamedTuple):
    cause: Text
    remedy: Text
    source: str


_LINK_STAGE = "HCCL user guide, param_link_stage (EI0006)"

REASONS: dict[str, Reason] = {
    "tool": Reason(
        Text(
            "hccn_tool of this device refuses or hangs, so nothing is known of its network.",
            "该设备上的 hccn_tool 报错或无响应，无法判断其网络状态。",
        ),
        Text(
            "Do what the message says; look at npu-smi info and dmesg, end other users of hccn_tool, then reset the card or reboot the host.",
            "按提示处理；查看 npu-smi info 和 dmesg，结束其他占用 hccn_tool 的进程，必要时复位该卡或重启主机。",
        ),
        "hicann/driver, hccn_tool",
    ),
    "tls": Reason(
        Text(
            "The TLS switch differs between the two sides, so HCCL cannot connect them (EI0016, EI0006).",
            "两端的 TLS 开关不一致，HCCL 无法建链（EI0016、EI0006）。",
        ),
        Text(
            "Give all devices the same switch: set npu_network_tls_enabled and run playbooks/npu_network.yml (hccn_tool -i N -tls -s enable 0|1).",
            "统一所有设备的 TLS 开关：设置 npu_network_tls_enabled 后运行 playbooks/npu_network.yml（hccn_tool -i N -tls -s enable 0|1）。",
        ),
        "HCCL user guide, cluster_info_verify_fail (EI0016)",
    ),
    "link": Reason(
        Text(
            "The network port of the device is down: cable, optical module or switch port, or somebody took it down.",
            "设备网口处于 DOWN 状态：线缆、光模块或交换机端口故障，或被人为关闭。",
        ),
        Text(
            "Look at hccn_tool -i N -optical -g and at the switch port; plug in or replace cable and module; hccn_tool -i N -link -s up if it was taken down.",
            "查看 hccn_tool -i N -optical -g 和交换机端口；重新插拔或更换线缆、光模块；若为人为关闭，执行 hccn_tool -i N -link -s up。",
        ),
        "Ascend/mind-cluster, ascend-faultdiag (EJ0002, network port down)",
    ),
    "address_plan": Reason(
        Text(
            "The addresses do not let the two sides meet: one is missing, given twice, or in another segment without a gateway.",
            "地址规划使两端无法互通：地址缺失、重复，或处于不同网段且未配置网关。",
        ),
        Text(
            "Correct npu_network_plan (or npu_network_devices) and run playbooks/npu_network.yml; it also restores addresses that a reboot has lost.",
            "修正 npu_network_plan（或 npu_network_devices）后运行 playbooks/npu_network.yml；重启后丢失的地址也会由此恢复。",
        ),
        _LINK_STAGE,
    ),
    "gateway": Reason(
        Text(
            "The two sides lie in different segments, and the way over their gateways does not work.",
            "两端处于不同网段，经网关的路径不通。",
        ),
        Text(
            "Set a gateway on both sides and ping it (hccn_tool -i N -ping -g address GATEWAY); then look at the routes between the segments on the switch.",
            "两端都配置网关并 ping 网关（hccn_tool -i N -ping -g address 网关地址）；再检查交换机上两个网段之间的路由。",
        ),
        _LINK_STAGE,
    ),
    "switch_port": Reason(
        Text(
            "TLS, links, addresses and gateways fit, so the way between is left: a switch port in another VLAN, a missing uplink, a filter, or lossy optics.",
            "TLS、链路、地址和网关均正常，问题在中间路径：交换机端口 VLAN 不对、缺少上行链路、存在过滤规则，或光模块丢包。",
        ),
        Text(
            "Look at the named switch ports: VLAN, state, error counters and FEC; then swap cable or module.",
            "检查所列交换机端口的 VLAN、状态、错误计数和 FEC；再更换线缆或光模块。",
        ),
        _LINK_STAGE,
    ),
    "back_to_back": Reason(
        Text(
            "Each device reaches its twin only: the hosts are cabled back to back, port to port and without a switch. HCCL needs more pairs than these.",
            "每个设备只能到达对端同编号设备：两机为网口直连（背靠背），没有交换机；HCCL 需要的互通关系不止这些。",
        ),
        Text(
            "Connect the devices of all hosts to a switch; without one, a serving group cannot span these hosts.",
            "将所有主机的设备接入交换机；没有交换机时，一个服务组不能跨这些主机。",
        ),
        "msprechecker (Ascend/msit), back-to-back NPU fibre",
    ),
    "unknown": Reason(
        Text(
            "Packets are lost, and link, TLS switch and addresses of the two sides were not read.",
            "存在丢包，但未能读取两端的链路、TLS 开关和地址。",
        ),
        Text(
            "Run playbooks/fabric.yml, which reads them; look at hccn_tool -i N -link -g and -ip -g on both sides.",
            "运行 playbooks/fabric.yml 读取这些信息；在两端查看 hccn_tool -i N -link -g 和 -ip -g。",
        ),
        _LINK_STAGE,
    ),
}
