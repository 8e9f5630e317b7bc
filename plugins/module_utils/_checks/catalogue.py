# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check as data, in the order of the report.

A new check is one entry here, one function with the name of its id in the file of its stage (host.py, npu.py, fabric.py or launch.py),
one recorded sample and one test.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

STAGES = ("host", "npu", "fabric", "launch")
# What one result is about: a host, one device of a host, or all hosts compared with each other.
SCOPES = ("host", "device", "cluster")


class Text(t.NamedTuple):
    """A sentence in both languages."""

    en: str
    zh: str


@dataclass(frozen=True)
class Check:
    id: str
    stage: str
    scope: str
    # What a broken rule is, unless the function says that it is only a warning or the inventory says otherwise.
    severity: str
    title: Text
    cause: Text
    remedy: Text
    source: str


_HCCL = "HCCL user guide"
_PRECHECK = "msprechecker 0.4.0 (Ascend/msit)"
_DEPLOYER = "ascend-deployer 26.0.0"
_FAULTDIAG = "Ascend/mind-cluster, ascend-faultdiag"
_DRIVER = "hicann/driver"

CHECKS: tuple[Check, ...] = (
    # ---- host: before anything is installed
    Check(
        "host_reachable",
        "host",
        "host",
        "fail",
        Text("The host answers Ansible", "主机可被 Ansible 访问"),
        Text("The host is off, its address or key is wrong, or it has no Python.", "主机未开机、地址或密钥错误，或没有 Python。"),
        Text("Try `ansible HOST -m ping -vvv`; correct ansible_host, user and key.", "执行 `ansible HOST -m ping -vvv` 排查，修正 ansible_host、用户和密钥。"),
        "Ansible documentation, unreachable hosts",
    ),
    Check(
        "pci_inventory",
        "host",
        "host",
        "fail",
        Text("All NPUs of one family are on the PCI bus", "PCI 总线上的 NPU 数量正确且为同一系列"),
        Text("A card has dropped off the bus or is not seated, or the inventory names another number.", "有卡掉线或未插好，或清单中的数量有误。"),
        Text(
            "Look at `lspci -d 19e5:` and the BMC; reseat the card or power-cycle the host, or correct preflight_device_count (npu_device_count).",
            "查看 `lspci -d 19e5:` 和 BMC；重新插卡或给整机断电重启，或修正 preflight_device_count（npu_device_count）。",
        ),
        f"{_DEPLOYER}, card_map; {_DRIVER}",
    ),
    Check(
        "product_os_arch",
        "host",
        "host",
        "fail",
        Text("The vendor lists this system for the host", "操作系统和架构在厂商支持列表中"),
        Text("The packages are built and tested for other systems.", "软件包是为其他系统构建和测试的。"),
        Text(
            "Use a listed system, or add it to preflight_systems or preflight_architectures at your own risk.",
            "改用列表中的系统；如自行承担风险，可把它加入 preflight_systems 或 preflight_architectures。",
        ),
        "Ascend/mind-cluster, supported product models and OS",
    ),
    Check(
        "kernel_headers",
        "host",
        "host",
        "fail",
        Text("The driver can be built for the running kernel", "具备为当前内核编译驱动的头文件"),
        Text("The headers are absent or belong to another kernel, so DKMS cannot build the driver.", "内核头文件缺失或与当前内核不一致，DKMS 无法编译驱动。"),
        Text(
            "Install kernel-devel and kernel-headers (linux-headers on Ubuntu) of `uname -r`, or leave that to hdk_install_build_packages; hold the kernel.",
            "安装与 `uname -r` 一致的 kernel-devel、kernel-headers（Ubuntu 为 linux-headers），或交给 hdk_install_build_packages；并锁定内核版本。",
        ),
        "CANN installation guide, instg_0049 and troubleshooting_0053 (hiascend.com)",
    ),
    Check(
        "install_user",
        "host",
        "host",
        "warn",
        Text("The user of the driver exists", "驱动运行用户存在"),
        Text("The installation names a user that was removed, so its tools lose their rights.", "安装记录中的用户已被删除，工具会失去权限。"),
        Text("Create it again: groupadd HwHiAiUser; useradd -g HwHiAiUser HwHiAiUser.", "重新创建：groupadd HwHiAiUser；useradd -g HwHiAiUser HwHiAiUser。"),
        "CANN installation guide, instg_0066 (hiascend.com)",
    ),
    Check(
        "kernel_consistent",
        "host",
        "cluster",
        "warn",
        Text("All hosts run one system and kernel", "各主机操作系统和内核一致"),
        Text("One host was updated or installed differently; its driver is another build.", "某台主机被单独升级或安装方式不同，其驱动是另一次构建。"),
        Text("Bring the named host to the kernel of the others and hold it there.", "把所列主机的内核调整到与其他主机一致并锁定。"),
        "openEuler llm_solution, DeepSeek deployment guide",
    ),
    Check(
        "disk_shm_mem",
        "host",
        "host",
        "fail",
        Text("Disk, memory and shared memory suffice", "磁盘、内存和共享内存足够"),
        Text(
            "Image, packages and weights need the space; loading the weights fails after minutes.", "镜像、软件包和权重都需要空间；否则加载权重数分钟后失败。"
        ),
        Text(
            "Free or add space, or lower preflight_min_free_gb, preflight_min_memory_gb or mindie_shm_size.",
            "清理或扩充空间，或调低 preflight_min_free_gb、preflight_min_memory_gb、mindie_shm_size。",
        ),
        "openEuler llm_solution, DeepSeek deployment guide; Ascend/mind-cluster installation guide",
    ),
    Check(
        "host_nic",
        "host",
        "cluster",
        "fail",
        Text("The hosts reach each other over the right NIC", "主机间可通过正确的网卡互通"),
        Text(
            "The address is on no interface that is up, HCCL_SOCKET_IFNAME names another one, or a route is missing. HCCL then waits until EI0015.",
            "地址不在任何已启用的网卡上，或 HCCL_SOCKET_IFNAME 指错网卡，或缺少路由；HCCL 会一直等待直到报 EI0015。",
        ),
        Text(
            "Correct mindie_host_address or ansible_host and HCCL_SOCKET_IFNAME per host (names may differ); look at `ip address` and `ip route`.",
            "按主机修正 mindie_host_address 或 ansible_host 以及 HCCL_SOCKET_IFNAME（各机网卡名可不同）；查看 `ip address` 和 `ip route`。",
        ),
        f"{_HCCL}, HCCL_SOCKET_IFNAME and cluster_info_nego; vllm-project/vllm-ascend issue 5949",
    ),
    Check(
        "hosts_file",
        "host",
        "host",
        "warn",
        Text("The host's own name is not loopback", "本机主机名不解析到环回地址"),
        Text(
            "HCCL and Gloo take the address of the host's name and offer the others 127.0.0.1.",
            "HCCL 和 Gloo 使用主机名对应的地址，会把 127.0.0.1 告诉其他主机。",
        ),
        Text("Give the name its real address in /etc/hosts.", "在 /etc/hosts 中把主机名指向真实地址。"),
        f"{_HCCL}, cluster_info_nego; awesome-ascend-skills, hccl-test",
    ),
    Check(
        "ports_free",
        "host",
        "host",
        "fail",
        Text("The ports of the plan are free", "规划的端口未被占用"),
        Text(
            "Another process listens there, or the kernel may give a port of HCCL to any client (ip_local_port_range): EI0019, EJ0003, Socket bind failed.",
            "端口被其他进程监听，或内核可能把 HCCL 端口临时分配给任意客户端（ip_local_port_range）：EI0019、EJ0003、Socket bind failed。",
        ),
        Text(
            "End the process or choose other ports; reserve the range: system_reserved_ports of the role system (net.ipv4.ip_local_reserved_ports).",
            "停止该进程或更换端口；预留端口段：设置 system 角色的 system_reserved_ports（net.ipv4.ip_local_reserved_ports）。",
        ),
        f"{_HCCL}, HCCL_IF_BASE_PORT and cluster_info_nego",
    ),
    Check(
        "clock",
        "host",
        "cluster",
        "warn",
        Text("The clocks of the hosts agree", "各主机时钟一致"),
        Text(
            "No time service runs, or it does not reach its server. Logs cannot be ordered and TLS certificates seem invalid.",
            "没有时间同步服务或无法访问时间服务器；日志无法排序，TLS 证书可能被判无效。",
        ),
        Text("Set up chrony against one server on all hosts.", "在所有主机上用 chrony 与同一服务器同步。"),
        f"{_DEPLOYER}, sync_time",
    ),
    Check(
        "host_tuning",
        "host",
        "host",
        "warn",
        Text("The host is tuned for inference", "主机已针对推理调优"),
        Text("The setting costs speed; nothing fails by it.", "该设置只影响性能，不会导致失败。"),
        Text(
            "transparent_hugepage=always, CPU governor performance, kernel 5.10 or newer, a physical host; or switch the check off in preflight_checks.",
            "设置 transparent_hugepage=always，CPU 调频策略为 performance，内核不低于 5.10，使用物理机；或在 preflight_checks 中关闭此项。",
        ),
        f"{_PRECHECK}; MindIE performance tuning guide",
    ),
    # ---- npu: after driver and firmware
    Check(
        "driver_loaded",
        "npu",
        "host",
        "fail",
        Text("The driver runs and shows every NPU", "驱动已加载并能看到全部 NPU"),
        Text("The driver was not loaded after its installation, hangs, or has lost a card.", "驱动安装后未加载、卡死，或丢失了某张卡。"),
        Text(
            "Look at `npu-smi info`, `dmesg` and lsmod; reboot after an installation; power-cycle the host for a lost card.",
            "查看 `npu-smi info`、`dmesg` 和 lsmod；安装后重启；掉卡时给整机断电重启。",
        ),
        f"{_DRIVER}, dcmi_interface_api.h; vllm-project/vllm-ascend issue 2698",
    ),
    Check(
        "reboot_pending",
        "npu",
        "host",
        "fail",
        Text("What is installed is what runs", "已安装的版本正在运行"),
        Text("Driver or firmware was installed after the last start of the host.", "驱动或固件是在上次开机之后安装的。"),
        Text("Reboot the host (the hdk role does so).", "重启主机（hdk 角色会执行重启）。"),
        "CANN installation guide, instg_0069 (hiascend.com)",
    ),
    Check(
        "npu_health",
        "npu",
        "device",
        "fail",
        Text("Every NPU is healthy", "每个 NPU 健康状态正常"),
        Text("The NPU reports a fault code.", "NPU 上报了故障码。"),
        Text(
            "Look the code up in the vendor's fault list; reset the card (breaks its jobs) or have it replaced.",
            "在厂商故障码列表中查询；复位该卡（会中断其任务）或更换。",
        ),
        f"{_DRIVER}, npu-smi; Ascend/mind-cluster fault levels",
    ),
    Check(
        "hbm_idle",
        "npu",
        "device",
        "fail",
        Text("No foreign process holds an NPU", "没有其他进程占用 NPU"),
        Text(
            "An earlier service or a test was not ended: out of memory, EJ0001 or -8020 follow.", "先前的服务或测试没有退出，会导致显存不足、EJ0001 或 -8020。"
        ),
        Text(
            "Stop its container or end its parent process; if nobody holds it, reset the card: npu-smi set -t reset -i ID -c CHIP (breaks its jobs).",
            "停止对应容器或结束其父进程；若无进程占用，复位该卡：npu-smi set -t reset -i ID -c CHIP（会中断其任务）。",
        ),
        "vllm-project/vllm-ascend issues 1903 and 9888",
    ),
    Check(
        "version_set",
        "npu",
        "host",
        "fail",
        Text("Driver, firmware and CANN fit together", "驱动、固件与 CANN 版本匹配"),
        Text(
            "The versions come from releases that the vendor does not combine: 507033, E30006, undefined symbol.",
            "这些版本来自厂商未配套的发布：507033、E30006、undefined symbol。",
        ),
        Text("Install driver and firmware of one HDK release; choose the image for the HDK.", "安装同一 HDK 发布的驱动和固件；按 HDK 选择镜像。"),
        f"{_DEPLOYER}, required_soft; CANN and MindIE release notes",
    ),
    Check(
        "hdk_consistent",
        "npu",
        "cluster",
        "fail",
        Text("All hosts run one driver and firmware", "各主机驱动和固件版本一致"),
        Text("One host was installed from another release.", "某台主机安装了其他版本。"),
        Text("Install the same packages on the named host.", "在所列主机上安装相同的软件包。"),
        f"{_HCCL}, cluster_info_verify_fail",
    ),
    Check(
        "cann_consistent",
        "npu",
        "cluster",
        "fail",
        Text("All hosts have one CANN", "各主机 CANN 版本一致"),
        Text("One host was installed from another release: EI0005 or wrong results.", "某台主机安装了其他版本，会出现 EI0005 或结果错误。"),
        Text("Install the same CANN packages on the named host.", "在所列主机上安装相同的 CANN 软件包。"),
        f"{_HCCL}, EI0005; awesome-ascend-skills, hccl-test",
    ),
    Check(
        "hccs_topology",
        "npu",
        "host",
        "fail",
        Text("The NPUs of a host are joined by HCCS", "主机内 NPU 之间通过 HCCS 互联"),
        Text("A board or cable between the NPUs is broken, or a card is not of this host's kind.", "NPU 之间的板卡或线缆故障，或有卡与本机型不符。"),
        Text(
            "Look at `npu-smi info -t topo` and `npu-smi info -t hccs`; have the NPU board replaced.",
            "查看 `npu-smi info -t topo` 和 `npu-smi info -t hccs`；更换 NPU 板。",
        ),
        f"{_DRIVER}, npu-smi; {_HCCL}",
    ),
    Check(
        "spod_ids",
        "npu",
        "cluster",
        "fail",
        Text("The A3 hosts are one super pod with unique device ids", "A3 主机属于同一超节点且设备编号唯一"),
        Text(
            "Hosts of several super pods are in one group, or the super pod was numbered wrongly: EI0014.", "组内主机来自不同超节点，或超节点编号错误：EI0014。"
        ),
        Text("Group the hosts by their super pod; correct the numbering in the super pod's management.", "按超节点对主机分组；在超节点管理中修正编号。"),
        f"{_HCCL}, cluster_info_verify_fail",
    ),
    # ---- fabric: after the devices have their addresses
    Check(
        "device_ip",
        "fabric",
        "cluster",
        "fail",
        Text("Every device has its own planned address", "每个设备都有唯一且符合规划的地址"),
        Text(
            "The address was never set, was lost at a reboot or by a driver installation, or two devices have one.",
            "地址从未设置、重启或重装驱动后丢失，或两个设备地址重复。",
        ),
        Text("Run playbooks/npu_network.yml.", "运行 playbooks/npu_network.yml。"),
        f"{_HCCL}, rank_table_load_fail; {_DEPLOYER}, process_hccn",
    ),
    Check(
        "link",
        "fabric",
        "device",
        "fail",
        Text("The device's link is up and reaches its detect address", "设备链路 UP 且可达检测地址"),
        Text(
            "Cable, optical module or switch port, or gateway and VLAN: EJ0002, ra rdma init failed.",
            "线缆、光模块、交换机端口，或网关与 VLAN 有问题：EJ0002、ra rdma init failed。",
        ),
        Text(
            "Look at the cable, the optical module and the switch port; then at address, gateway and VLAN.",
            "先检查线缆、光模块和交换机端口，再检查地址、网关和 VLAN。",
        ),
        f"{_FAULTDIAG}, Comp_Network_Custom; vllm-project/vllm-ascend issue 1815",
    ),
    Check(
        "link_flaps",
        "fabric",
        "device",
        "warn",
        Text("The link was steady for a day", "链路在一天内没有闪断"),
        Text("A worn module or cable, or work at the switch.", "光模块或线缆老化，或交换机有操作。"),
        Text("Clean or replace module and cable; look at the log of the switch port.", "清洁或更换光模块和线缆；查看交换机端口日志。"),
        f"{_FAULTDIAG}, Comp_Network_Custom",
    ),
    Check(
        "optics",
        "fabric",
        "device",
        "warn",
        Text("The optical module is present and within its limits", "光模块在位且各项指标在门限内"),
        Text("A dirty, bent or worn fibre, a failing module, or no light from the other end.", "光纤脏污、弯折或老化，光模块故障，或对端无光。"),
        Text("Clean or replace fibre and module; look at the other end.", "清洁或更换光纤和光模块；检查对端。"),
        f"{_FAULTDIAG}, Comp_Network_Custom",
    ),
    Check(
        "fec_speed",
        "fabric",
        "cluster",
        "warn",
        Text("All devices run one speed, duplex and FEC mode", "所有设备速率、双工和 FEC 模式一致"),
        Text("A port negotiated a lower speed, or switch and device differ in FEC.", "端口协商到较低速率，或交换机与设备 FEC 不一致。"),
        Text(
            "Set the switch port as the others; hccn_tool -i N -fec -s encoding rs.", "把交换机端口设置为与其他端口一致；hccn_tool -i N -fec -s encoding rs。"
        ),
        f"{_FAULTDIAG}, Comp_Network_Custom",
    ),
    Check(
        "tls_consistent",
        "fabric",
        "cluster",
        "fail",
        Text("The TLS switch is the same on all devices", "所有设备 TLS 开关一致"),
        Text(
            "A device was switched by hand or came with another default, or its certificate ends: EI0006, EI0016.",
            "某设备被手工修改或默认值不同，或证书即将到期：EI0006、EI0016。",
        ),
        Text(
            "Run playbooks/npu_network.yml with npu_network_tls_enabled on all hosts; install new certificates with hccn_tool -tls -s path.",
            "对所有主机运行 playbooks/npu_network.yml（npu_network_tls_enabled）；用 hccn_tool -tls -s path 更新证书。",
        ),
        f"{_HCCL}, cluster_info_verify_fail and param_link_stage",
    ),
    Check(
        "mtu_consistent",
        "fabric",
        "cluster",
        "warn",
        Text("All devices have one MTU", "所有设备 MTU 一致"),
        Text("Large packets of one device are dropped where small ones pass.", "小包能通，但某些设备的大包会被丢弃。"),
        Text("Set npu_network_mtu for all hosts and run playbooks/npu_network.yml.", "为所有主机设置 npu_network_mtu 并运行 playbooks/npu_network.yml。"),
        f"{_HCCL}, EI0013",
    ),
    Check(
        "vnic",
        "fabric",
        "device",
        "fail",
        Text("The virtual interface of each A3 die is up", "A3 每个 die 的虚拟网卡 UP"),
        Text("The driver did not bring up the interface that the dies of a super pod use.", "驱动未启用超节点内部使用的虚拟网卡。"),
        Text(
            "Look at `hccn_tool -i N -vnic -g` and dmesg; reset the card or reboot the host.", "查看 `hccn_tool -i N -vnic -g` 和 dmesg；复位该卡或重启主机。"
        ),
        f"{_DRIVER}, hccn_tool; {_HCCL}",
    ),
    Check(
        "hccs_ping",
        "fabric",
        "cluster",
        "fail",
        Text("A3 dies reach each other through HCCS", "A3 各 die 之间 HCCS 互通"),
        Text("A plane of the super pod's fabric is broken, or the dies belong to several super pods.", "超节点互联平面故障，或 die 不属于同一超节点。"),
        Text(
            "Look at `hccn_tool -i N -hccs_ping -g address A` and the super pod's management.", "查看 `hccn_tool -i N -hccs_ping -g address A` 和超节点管理。"
        ),
        f"{_DRIVER}, hccn_tool; {_HCCL}, cluster_info_verify_fail",
    ),
    Check(
        "ping_matrix",
        "fabric",
        "cluster",
        "fail",
        Text("Every planned pair of devices reaches each other", "规划内的每对设备互相可达"),
        Text(
            "In this order: TLS, link, address plan, gateway, switch port. HCCL would end with EI0006 after 120 s.",
            "依次检查：TLS、链路、地址规划、网关、交换机端口；否则 HCCL 120 秒后报 EI0006。",
        ),
        Text(
            "See the reason given for the pair; playbooks/fabric.yml shows the whole matrix.", "按该设备对给出的原因处理；playbooks/fabric.yml 可显示完整矩阵。"
        ),
        f"{_HCCL}, param_link_stage; vllm-project/vllm-ascend issue 1955",
    ),
    # ---- launch: before the service is started
    Check(
        "firewall",
        "launch",
        "cluster",
        "fail",
        Text("The firewall lets the ports of the plan through", "防火墙放行规划的端口"),
        Text("The ports were not opened for the peers, or another rule drops them.", "端口未对其他主机放行，或被其他规则丢弃。"),
        Text(
            "Run playbooks/firewall.yml; look at firewall_mode and at other rules (nft list ruleset, security groups).",
            "运行 playbooks/firewall.yml；检查 firewall_mode 和其他规则（nft list ruleset、安全组）。",
        ),
        "MindIE deployment guide; openEuler llm_solution",
    ),
    Check(
        "weights_complete",
        "launch",
        "cluster",
        "fail",
        Text("The weights are whole, readable and the same on all hosts", "权重完整、可读且各主机一致"),
        Text(
            "An interrupted download, links of a hub cache, a foreign owner, or another version on one host.",
            "下载中断、指向缓存的符号链接、属主不符，或某台主机权重版本不同。",
        ),
        Text(
            "Download the named files again; replace links by files; chown to the user of the service.",
            "重新下载所列文件；用真实文件替换链接；把属主改为服务用户。",
        ),
        f"{_PRECHECK}, weights; openEuler llm_solution",
    ),
    Check(
        "weights_format",
        "launch",
        "host",
        "fail",
        Text("The weights are made for this engine and chip", "权重格式与推理引擎和芯片匹配"),
        Text("Weights quantised for another engine, or a data type that the chip does not have.", "权重是为其他推理引擎量化的，或芯片不支持该数据类型。"),
        Text("Take or convert the weights for this engine; see the key that is named.", "获取或转换为适配该引擎的权重；参见所列字段。"),
        f"{_PRECHECK}; vllm-project/vllm-ascend issues 986 and 2296",
    ),
    Check(
        "config_rules",
        "launch",
        "host",
        "fail",
        Text("config.json follows the rules of MindIE", "config.json 符合 MindIE 规则"),
        Text(
            "Values contradict each other, a file is missing, or owner or mode is one that the daemon refuses.",
            "参数相互矛盾、文件缺失，或属主、权限不被服务接受。",
        ),
        Text("Run playbooks/mindie.yml, which writes it anew; correct the named setting.", "运行 playbooks/mindie.yml 重新生成；修正所列参数。"),
        f"MindIE-LLM FAQ and manual; {_PRECHECK}",
    ),
    Check(
        "environment_consistent",
        "launch",
        "cluster",
        "fail",
        Text("The service has one environment on all hosts", "各主机服务环境变量一致"),
        Text("A variable was changed on one host: EI0005, EI0001, or a hang.", "某台主机的环境变量被改动：EI0005、EI0001 或卡住。"),
        Text(
            "Set it in mindie_environment for the whole group and run playbooks/mindie.yml.", "在 mindie_environment 中为整组设置并运行 playbooks/mindie.yml。"
        ),
        f"{_HCCL}, EI0005 and environment variables",
    ),
    Check(
        "hbm_fit",
        "launch",
        "cluster",
        "warn",
        Text("The weights fit into the HBM with headroom", "权重可放入 HBM 且留有余量"),
        Text("Too few devices for the model: out of memory, no KV cache left, EI0011.", "设备数对该模型不足：显存不足、KV cache 无空间、EI0011。"),
        Text("Use quantised weights or more hosts, or raise NPU_MEMORY_FRACTION.", "使用量化权重或增加主机，或提高 NPU_MEMORY_FRACTION。"),
        "vllm-project/vllm-ascend issues 9372 and 264; MindIE-LLM FAQ",
    ),
    Check(
        "image_digest",
        "launch",
        "cluster",
        "fail",
        Text("All hosts have one image, made for their CPU and NPU", "各主机镜像一致且匹配 CPU 架构和 NPU"),
        Text(
            "A tag was loaded at different times or from different archives, or for another product.",
            "同一标签在不同时间或由不同归档加载，或镜像用于其他产品。",
        ),
        Text(
            "Load the same archive on the named host (docker role), or choose the image for this product.",
            "在所列主机加载相同归档（docker 角色），或选择适合本产品的镜像。",
        ),
        "vllm-project/vllm-ascend issues 6676 and 2725; MindIE installation guide",
    ),
    Check(
        "device_claims",
        "launch",
        "cluster",
        "fail",
        Text("No two services claim one NPU", "没有两个服务占用同一 NPU"),
        Text(
            "Another container has the device nodes: DCMI -8020, port 16666 in use, out of memory.",
            "其他容器占用了设备节点：DCMI -8020、16666 端口冲突、显存不足。",
        ),
        Text("Stop the other container, or give each service its own devices.", "停止其他容器，或为每个服务分配各自的设备。"),
        "vllm-project/vllm-ascend issues 405 and 2698; gpustack/gpustack issue 2782",
    ),
    Check(
        "ranktable_live",
        "launch",
        "cluster",
        "fail",
        Text("The rank table is what the devices say, the same on all hosts", "rank table 与设备实际一致且各主机相同"),
        Text(
            "Addresses changed after it was made, or a host kept an old file: EI0004, EI0014.", "生成之后地址发生变化，或某台主机保留旧文件：EI0004、EI0014。"
        ),
        Text("Run playbooks/rank_table.yml and restart the service.", "运行 playbooks/rank_table.yml 并重启服务。"),
        f"{_HCCL}, rank_table_load_fail and cluster_info_verify_fail",
    ),
    Check(
        "smoke_request",
        "launch",
        "host",
        "fail",
        Text("The service answers a question in time", "服务能及时回答问题"),
        Text("The daemon runs but its engine hangs or refuses.", "进程在运行，但推理引擎卡住或拒绝请求。"),
        Text(
            "Look at playbooks/explain.yml and the log of the service; run playbooks/mindie_restart.yml.",
            "查看 playbooks/explain.yml 和服务日志；运行 playbooks/mindie_restart.yml。",
        ),
        "MindIE-LLM manual, OpenAI interface",
    ),
)

BY_ID = {check.id: check for check in CHECKS}
