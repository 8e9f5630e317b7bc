# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _installer_output as output
from hypothesis import given, settings
from hypothesis import strategies as st

HOST_FILES = Path(__file__).resolve().parents[3] / "fixtures" / "cli" / "host-files"
HDK = "[Driver] [2025-05-29 19:22:43] "


def recorded(name: str) -> str:
    return (HOST_FILES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{HDK}[INFO]driver version :25.0.rc1.1\n{HDK}[INFO]End time: 2025-07-17\n", ("driver", "25.0.rc1.1")),
        ("Uncompressing ASCEND  100%  \n[Firmware] [2025-07-17 10:43:18] [INFO]firmware version : 7.7.0.1.231\n", ("firmware", "7.7.0.1.231")),
        ("version: 7.5.0.3.220\n", (None, "7.5.0.3.220")),
        ("[Driver] [2025-07-17 10:35:21] [INFO]driver version :none\n", None),
        ("", None),
    ],
)
def test_reported_version(text: str, expected: tuple | None) -> None:
    assert output.reported_version(text) == expected


@pytest.mark.parametrize(
    ("rc", "text", "message", "reboot"),
    [
        (
            0,
            recorded("driver-install--takes-effect-immediately.txt"),
            "Driver package installed successfully! The new version takes effect immediately.",
            False,
        ),
        (
            2,
            recorded("driver-install--reboot-needed.txt"),
            "Driver package installed successfully! Reboot needed for installation/upgrade to take effect!",
            True,
        ),
        (
            0,
            recorded("driver-install--reboot-needed.txt"),
            "Driver package installed successfully! Reboot needed for installation/upgrade to take effect!",
            True,
        ),
        (
            0,
            recorded("firmware-install--success.txt"),
            "Firmware package installed successfully! Reboot now or after driver installation for the installation/upgrade to take effect.",
            True,
        ),
        (
            0,
            recorded("driver-uninstall--reboot-needed.txt"),
            "Driver package uninstalled successfully! Reboot needed for uninstallation to take effect!",
            True,
        ),
        (
            0,
            f"{HDK}[INFO]Driver package upgraded finished! \n{HDK}[INFO]Kernel modules can not be removed, reboot needed for installation/upgrade\n",
            "Driver package upgraded finished!",
            True,
        ),
        (
            0,
            f"{HDK}[INFO]There are some chips not ready, please check after reboot\n"
            f"{HDK}[INFO]Driver package installed successfully! The new version takes effect immediately. \n",
            "Driver package installed successfully! The new version takes effect immediately.",
            True,
        ),
        (2, f"{HDK}[INFO]Driver package installed successfully! The new version takes effect immediately. \n", None, True),
        # A text of another version, without a final message: the version on disk decides, and a reboot makes sure.
        (0, f"{HDK}[INFO]upgradePercentage:100%\n", "upgradePercentage:100%", True),
        (0, "", "", True),
    ],
)
def test_hdk_success(rc: int, text: str, message: str | None, reboot: bool) -> None:
    outcome = output.judge_hdk(rc, text)
    assert outcome.ok
    assert outcome.reboot_required is reboot
    assert message is None or outcome.message == message


@pytest.mark.parametrize(
    ("rc", "text", "said", "remedy"),
    [
        (1, recorded("driver-install--no-such-user.txt"), "ERR_NO:0x0091;ERR_DES:HwHiAiUser not exists! Please add HwHiAiUser", "Create group and user"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0091;ERR_DES:username not permission for root\n", "0x0091", "Set install_for_all: true"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0093;ERR_DES:do not have root permission\n", "0x0093", "become: true"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0095;ERR_DES:The user and group are not same with last installation\n", "0x0095", "UserName and UserGroup"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0003;ERR_DES:install path /opt/a not exists,runpackage only support\n", "0x0003", "Create the directory above"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0003;ERR_DES:The install-path [/opt/a b] is invalid according to regular-expression\n", "0x0003", "Use letters"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0004;ERR_DES: Unrecognized parameters: --bogus.\n", "--bogus", "driver or firmware package"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0090;ERR_DES:uninstall driver failed, details in : /var/log\n", "0x0090", "Reboot the host"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0096;ERR_DES:npu not right!\n", "0x0096", "usermod"),
        # The vendor's script ends with 0 here.
        (0, f"{HDK}[ERROR]ERR_NO:0x0094;ERR_DES:Operation failed, An all-in-one RUN package is found\n", "0x0094", "/etc/HiAI_install.info"),
        (1, f"{HDK}[ERROR]ERR_NO:0x0094;ERR_DES:There is already a process being executed\n", "0x0094", "Wait until it has ended"),
        (1, f"{HDK}[ERROR]The list of missing tools: lspci,ifconfig,\n{HDK}[INFO]End time: x\n", "missing tools: lspci,ifconfig", "pciutils"),
        (1, f"{HDK}[ERROR]\x1b[31mArch mismatch, src package is x86-64, cur os is aarch64 \x1b[0m\n", "Arch mismatch", "for this host's architecture"),
        (1, f"{HDK}[WARNING]Download and install the 23.0.RC1 driver package. Then upgrade\n{HDK}[INFO]End time: x\n", "23.0.RC1", "first"),
        (1, "Dkms install failed, details in : /var/log/ascend_seclog/ascend_install.log\n", "Dkms install failed", "kernel headers"),
        (1, "The davinci nodes are occupied by some processes, please stop processes\n", "davinci nodes are occupied", "Stop the processes"),
        (1, f"{HDK}[ERROR]free space only 200M, cannot install driver package\n", "free space only 200M", "Free space"),
        # Tagged INFO, and seen with an exit code of success.
        (0, f"{HDK}[INFO]Failed to install driver package, please retry after uninstall and reboot!\n", "Failed to install", "Remove driver and firmware"),
        (2, "Error in SHA256 checksums: aa is different from bb\n", "Error in SHA256 checksums", "copy it again"),
        (1, "something else\n", "something else", "See /var/log/ascend_seclog/ascend_install.log"),
        (1, "", "no output", "See /var/log/ascend_seclog/ascend_install.log"),
    ],
)
def test_hdk_failure(rc: int, text: str, said: str, remedy: str) -> None:
    outcome = output.judge_hdk(rc, text)
    assert not outcome.ok
    assert outcome.message.startswith(f"exit code {rc}: ")
    assert said in outcome.message
    assert remedy in outcome.message


def test_the_first_real_error_is_shown_not_the_last_line() -> None:
    text = (
        f"{HDK}[INFO]Start time\n{HDK}[ERROR]ERR_NO:0x0091;ERR_DES:npu group not exists! Please add npu group\n"
        f"{HDK}[ERROR]cleanup skipped\n{HDK}[INFO]End time: 2025-05-29\n"
    )
    outcome = output.judge_hdk(1, text)
    assert "0x0091" in outcome.message and "cleanup" not in outcome.message
    assert outcome.code == "0x0091"


def test_damage() -> None:
    good = "Verifying archive integrity...  100%   SHA256 checksums are OK. All good.\n"
    assert output.damage(0, good) is None
    bad = output.damage(2, "Verifying archive integrity...Error in SHA256 checksums: aa is different from bb\n")
    assert bad is not None and "Compare its sha256 with the vendor's and copy it again." in bad
    assert output.damage(127, "./x.run: line 3: syntax error") == "./x.run: line 3: syntax error See /var/log/ascend_seclog/ascend_install.log."


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 255), st.text(max_size=300))
def test_any_text_is_judged(rc: int, text: str) -> None:
    assert output.judge_cann(rc, text).ok >= (rc == 0)
    outcome = output.judge_hdk(rc, text)
    assert outcome.ok <= (rc in (0, 2))
    assert not (rc == 2 and outcome.ok and not outcome.reboot_required)


@pytest.mark.parametrize(
    "rc, text, message",
    [
        (
            0,
            "= Summary =\nDriver:   Installed in /usr/local/Ascend/driver.\n"
            "Ascend-cann-toolkit_8.1.RC1_linux-aarch64 install success, installed in /usr/local/Ascend.\n",
            "Ascend-cann-toolkit_8.1.RC1_linux-aarch64 install success, installed in /usr/local/Ascend.",
        ),
        (
            0,
            "[kernels_310b] [20250101-10:00:00] [INFO] Ascend-cann-kernels-310b_8.0.0_linux-aarch64 install success. "
            "The installation path is /usr/local/Ascend/ascend-toolkit.\r\n",
            "Ascend-cann-kernels-310b_8.0.0_linux-aarch64 install success. The installation path is /usr/local/Ascend/ascend-toolkit.",
        ),
        (1, "[Toolkit] [20250101-10:00:00] [ERROR] Ascend-cann-toolkit is already installed.\n", "Ascend-cann-toolkit is already installed."),
    ],
)
def test_cann_success(rc: int, text: str, message: str) -> None:
    assert (output.judge_cann(rc, text).ok, output.judge_cann(rc, text).message) == (True, message)


@pytest.mark.parametrize(
    "rc, text, line, remedy",
    [
        (
            4,
            "[Toolkit] [20250101-10:00:00] [INFO] start\ncompiler_custom_install.sh: line 3: pip3: not found\n"
            "[ERROR]ERR_NO:0x0090; ERR_DES:failed to uninstall package.\n"
            "[Toolkit] [20250101-10:00:00] [ERROR] delete operation, the directory /usr/local/Ascend/ascend-toolkit is not empty.\n",
            "exit code 4: compiler_custom_install.sh: line 3: pip3: not found",
            "Install python3-pip",
        ),
        (1, "There is no python3.7,python3.8 in the current environment !\n", "There is no python3.7", "Install a python3"),
        (
            1,
            "[ERROR] /etc/Ascend/ascend_cann_install.info exists ! 'install-path' parameter are not supported.\n",
            "'install-path' parameter are not supported",
            "as install_path",
        ),
        (
            1,
            "Ascend-cann-toolkit 8.1.RC1 is already installed\n[kernels] [20250101-10:00:00] [ERROR] opp is not complete\n",
            "exit code 1: opp is not complete",
            "ascend_seclog",
        ),
        (
            1,
            "[Toolkit] [20250101-10:00:00] [ERROR] Ascend-cann-toolkit is already installed.\n[Toolkit] [20250101-10:00:00] [INFO] install failed\n",
            "exit code 1: install failed",
            "ascend_seclog",
        ),
        (1, "[ERROR] The given dir, or its parents, permission is invalid.\n", "permission is invalid", "root:root with mode 0755"),
        (9, "something new\n", "exit code 9: something new", "See /var/log/ascend_seclog"),
        (1, "", "no output", "ascend_seclog"),
    ],
)
def test_cann_failure(rc: int, text: str, line: str, remedy: str) -> None:
    outcome = output.judge_cann(rc, text)
    assert not outcome.ok
    assert line in outcome.message
    assert remedy in outcome.message
