# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for hccn_tool: the command line of the vendor's tool over the state of a simulated host.

    python3 -m npusim.hccn_tool -i 0 -ip -g

It is called some eighty times in one run of the collection, so nothing is imported that a call does not need.
"""

from __future__ import annotations

import io
import os
import sys
import time

from npusim import hccn_commands, plane
from npusim.hccn_commands import COMMANDS, Call, Failure, conf_missing
from npusim.hccn_conf import ConfMissing
from npusim.state import State

MOST_WORDS = 62
LONGEST_WORD = 900
MORE_DETAILS = "\nEnter [ hccn_tool -h ] for more details."
NO_PASSWD_ENTRY = 234
GARBAGE = bytes(range(128, 256)) * 8 + b"\x00\x07\x1b[31m\n"


def main(args: list) -> int:
    command = ""
    try:
        uid = user_id()
        check_size(args)
        if args in (["-h"], ["--help"]):
            from npusim.hccn_text import full_help
            sys.stdout.write(full_help())
            return 0
        scope, target, command, words = split(args)
        return run(State.load(), scope, target, command, words, uid)
    except Failure as failure:
        return report(failure, command)


def user_id() -> int:
    """Who runs the tool. $NPUSIM_UID stands in for another user in tests."""
    if "NPUSIM_UID" in os.environ:
        return int(os.environ["NPUSIM_UID"])
    uid = os.geteuid()
    if uid != 0:
        import pwd
        try:
            pwd.getpwuid(uid)
        except KeyError:
            raise Failure(NO_PASSWD_ENTRY, "") from None
    return uid


def check_size(args: list) -> None:
    if not 0 < len(args) <= MOST_WORDS:
        raise Failure(2, "Get invalid major cmd number. Please check your input." + MORE_DETAILS)
    if any(len(word) > LONGEST_WORD for word in args):
        raise Failure(5, "Get invalid input param len.")


def split(args: list) -> tuple:
    """The words of a call: scope (-i or -a), device word, command, what follows it."""
    scope = args[0]
    if scope not in ("-i", "-a"):
        raise Failure(1, 'Get invalid major cmd type. The valid major cmd type should be "-a" or "-i".' + MORE_DETAILS)
    target, rest = ("", args[1:]) if scope == "-a" else ("".join(args[1:2]), args[2:])
    command = rest[0] if rest else ""
    known = command == "-cfg" if scope == "-a" else command in COMMANDS
    if not known and scope == "-i" and command:
        from npusim.hccn_text import OTHER_COMMANDS
        if command in OTHER_COMMANDS:
            raise Failure(13, "The command is not supported on this product.", to_stdout=True)
    if not known:
        raise Failure(3, "Get invalid major cmd." + MORE_DETAILS)
    return scope, target, "-a -cfg" if scope == "-a" else command, rest[1:]


def device_id(word: str, count: int) -> int:
    """One or two digits, and an empty word is 0."""
    if len(word) > 2 or (word and not (word.isascii() and word.isdigit())) or int(word or "0") >= count:
        raise Failure(4, "Get invalid device id.")
    return int(word or "0")


def run(state: State, scope: str, target: str, command: str, words: list, uid: int) -> int:
    phy_id = device_id(target, len(state.devices)) if scope == "-i" else None
    suffer_from_faults(state, phy_id)
    if not state.fault("truncated-output", phy_id):
        return obey(state, phy_id, command, words, uid)
    stdout, sys.stdout = sys.stdout, io.StringIO()
    try:
        obey(state, phy_id, command, words, uid)
    finally:
        text, sys.stdout = sys.stdout.getvalue(), stdout
        stdout.write(text[:len(text) // 2])
    return 0


def obey(state: State, phy_id: int | None, command: str, words: list, uid: int) -> int:
    if phy_id is None:
        if not words or len(words) > 1:
            raise hccn_commands.wrong_count()
        if words != ["recovery"]:
            raise hccn_commands.unknown_option()
        return change(state, uid, command, lambda locked: hccn_commands.recover_all(locked, uid))
    if command == "-tls" and "host" in words:
        if words[-1] != "host":
            raise Failure(29, "The host flag should be the last config item!", with_help=True)
        hccn_commands.parse(command, words[:-1])
        raise hccn_commands.permission_denied() if uid != 0 else hccn_commands.no_certificate()
    action, values = hccn_commands.parse(command, words)
    refuse_while_busy(state, phy_id, command, words, uid)
    if action.changes:
        return change(state, uid, command, lambda locked: action.handler(Call(locked, phy_id, uid), values))
    return attempt(command, lambda: action.handler(Call(state, phy_id, uid), values))


def change(state: State, uid: int, command: str, work) -> int:
    """Run what changes the host, under its lock. A failure half-way leaves what was done before it, as with the real tool."""
    if uid != 0:
        # The state belongs to root, and every change refuses other users before it touches the device.
        return attempt(command, lambda: work(state))
    with State.transaction() as locked:
        rc = attempt(command, lambda: work(locked))
        plane.apply(locked)
    return rc


def attempt(command: str, work) -> int:
    try:
        work()
    except Failure as failure:
        return report(failure, command)
    except ConfMissing:
        return report(conf_missing(), command)
    return 0


def report(failure: Failure, command: str) -> int:
    (sys.stdout if failure.to_stdout else sys.stderr).write(failure.text)
    if failure.with_help:
        from npusim.hccn_text import parameter_help
        sys.stdout.write(parameter_help(command))
    return failure.rc


def suffer_from_faults(state: State, phy_id: int | None) -> None:
    if state.fault("hanging-tool", phy_id):
        while True:
            time.sleep(3600)
    slow = state.fault("slow-tool", phy_id)
    if slow:
        time.sleep(float(slow["seconds"]))
    if state.fault("garbage-output", phy_id):
        sys.stdout.flush()
        os.write(1, GARBAGE)
        sys.exit(0)


def refuse_while_busy(state: State, phy_id: int, command: str, words: list, uid: int) -> None:
    """Answer `busy` as many more times as the fault says."""
    if uid != 0 or not state.fault("busy", phy_id):
        return
    with State.transaction() as locked:
        fault = locked.fault("busy", phy_id)
        if fault is None:
            return
        fault["count"] = int(fault.get("count", 1)) - 1
        if fault["count"] <= 0:
            locked.faults.remove(fault)
        if command == "-gateway" and words[0] == "-s":
            # The tool has taken the old gateway out of the file by the time the device refuses the new one.
            try:
                Call(locked, phy_id, uid).discard("gateway")
            except (ConfMissing, Failure):
                pass
    raise Failure(11, "hccn_tool is busy, please try again.", to_stdout=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
