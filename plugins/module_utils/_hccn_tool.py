# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask hccn_tool about many devices at once, repeat what meets a busy tool, read and mend /etc/hccn.conf."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.npuops.ascend.plugins.module_utils import _hccn
from ansible_collections.npuops.ascend.plugins.module_utils._hccn import HccnError
from ansible_collections.npuops.ascend.plugins.module_utils._hccn_plan import Conf
from ansible_collections.npuops.ascend.plugins.module_utils._vendor_cli import Reply, VendorCli, VendorCliError

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ansible.module_utils.basic import AnsibleModule

DEVICE_DIRECTORY = "/dev"
THREADS = 8
# Pauses before each repetition of a call that met a busy device channel or a held lock; together 6.3 s.
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)


def devices_present() -> list[int]:
    """Physical ids of the devices that the driver offers as /dev/davinciN."""
    names = (re.fullmatch(r"davinci([0-9]+)", name) for name in os.listdir(DEVICE_DIRECTORY))
    return sorted(int(match.group(1)) for match in names if match)


def unknown_devices(devices: Sequence[int]) -> str | None:
    """Say which of these devices the host lacks; None when all are there or the driver, which makes the nodes, is not loaded."""
    present = devices_present()
    lacking = sorted(set(devices) - set(present))
    if not present or not lacking:
        return None
    return (
        f"This host has no device {', '.join(map(str, lacking))}: {DEVICE_DIRECTORY}/davinciN exists for N = {', '.join(map(str, present))}. "
        "Correct devices, or find out why the card is missing (npu-smi info -m, lspci)."
    )


@dataclass
class Reading:
    """What is known of one device: values by key, and by subset why something is not known."""

    device: int
    values: dict[str, t.Any] = field(default_factory=dict)
    errors: dict[str, VendorCliError] = field(default_factory=dict)


class HccnTool:
    def __init__(self, module: AnsibleModule, timeout: float) -> None:
        self.cli = VendorCli(module, "hccn_tool", _hccn.SEARCH_PATHS, timeout)
        self._one_at_a_time = threading.Lock()
        self._busy_seen = False

    @property
    def installed(self) -> bool:
        return self.cli.path is not None

    def ask(self, device: int, *args: str, answer: str | None = None, alone: bool = False) -> Reply:
        """Run one command for one device; a busy tool is asked again with growing pauses, and from then on never in parallel."""
        for pause in (*PAUSES, None):
            with self._one_at_a_time if alone or self._busy_seen else contextlib.nullcontext():
                reply = self.cli.run("-i", str(device), *args, answer=answer)
            if pause is None or not _hccn.is_busy(reply):
                break
            self._busy_seen = True
            time.sleep(pause)
        return reply

    def set(self, device: int, *args: str, answer: str | None = None) -> None:
        """Run one command that changes something. Raises VendorCliError. Not from several threads: the tool is not made for it."""
        reply = self.ask(device, *args, answer=answer)
        if reply.rc != 0:
            raise _hccn.failure(reply)

    def read_all(self, subsets: Mapping[int, Sequence[str]]) -> dict[int, Reading]:
        """Read these subsets of these devices, devices in parallel. Raises VendorCliError only when the tool is missing."""
        if not subsets:
            return {}
        try:
            conf = read_conf()
        except OSError:
            conf = None
        with ThreadPoolExecutor(min(THREADS, len(subsets))) as pool:
            readings = pool.map(lambda device: self._read(device, subsets[device], conf), sorted(subsets))
            return {reading.device: reading for reading in readings}

    def _read(self, device: int, subsets: Sequence[str], conf: Conf | None) -> Reading:
        reading = Reading(device)
        hopeless: VendorCliError | None = None
        for subset in subsets:
            query = _hccn.QUERIES[subset]
            reading.values.update(dict.fromkeys(query.fields))
            if hopeless:
                reading.errors[subset] = hopeless
                continue
            try:
                alone = subset == "tls" and _tls_read_writes(conf, device)
                reading.values.update(_hccn.read_reply(subset, self.ask(device, *query.args, alone=alone)))
            except VendorCliError as error:
                if error.reason == "missing":
                    raise
                reading.errors[subset] = error
                if error.reason == "timeout" or getattr(error, "kind", "") == "no_device":
                    # Each further call would hang, or retry for seconds, too.
                    hopeless = error
        return reading


def _tls_read_writes(conf: Conf | None, device: int) -> bool:
    """Whether ``-tls -g`` will write to hccn.conf: it adds a missing tls_enable_N, glued to a last line without newline."""
    if conf is not None and conf.get(device, "tls_enabled") is not None:
        return False
    if conf is not None and not conf.terminated:
        raise HccnError(
            f"{_hccn.CONF_PATH} does not end with a newline and has no tls_enable_{device}: hccn_tool -tls -g would damage the last line, "
            "so it was not run. Add the newline; hccn_config does so.",
            kind="conf_unterminated",
        )
    return True


def read_conf() -> Conf | None:
    """The file as it is; None when there is none. Raises OSError."""
    try:
        with open(_hccn.CONF_PATH, "rb") as stream:
            return Conf(stream.read().decode("utf-8", errors="replace"))
    except FileNotFoundError:
        return None


def conf_problem() -> str | None:
    """Why hccn_tool could not persist settings. Without a writable file it changes devices all the same, and a reboot undoes that."""
    path = _hccn.CONF_PATH
    if not os.path.exists(path):
        return f"{path} does not exist and hccn_tool never creates it. Create it empty, owned by root, mode 0644 (in a container: mount it)."
    if not os.path.isfile(path):
        return f"{path} is not a regular file."
    try:
        # Opening is the only test that also sees a read-only mount and an immutable file; it changes nothing.
        os.close(os.open(path, os.O_RDWR))
    except OSError as error:
        return f"{path} cannot be written: {error.strerror}. Run as root (become: true); look for a read-only mount and for lsattr's i."
    return None


def append_to_conf(text: str) -> None:
    """Add to the file in place, under the lock that hccn_tool itself takes."""
    with open(_hccn.CONF_PATH, "ab") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        stream.write(text.encode())
