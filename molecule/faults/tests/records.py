# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks of this scenario have recorded of each look, and what had to be found."""

from __future__ import annotations

import json
import os
import pathlib
import re
import typing as t

import yaml

PROJECT = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
RECORDS = PROJECT / ".build/faults"
TABLES: dict[str, dict[str, list[dict[str, t.Any]]]] = yaml.safe_load((PROJECT / "molecule/faults/vars/faults.yml").read_text())

Record = t.Dict[str, t.Any]


def looked_for(*tables: str) -> list[tuple[str, dict[str, t.Any]]]:
    """Stage and fault, as side_effect.yml chooses them."""
    everything = [(stage, fault) for table in tables for stage, faults in TABLES[table].items() for fault in faults]
    return [(stage, fault) for stage, fault in everything if os.environ.get("FAULTS") == "all" or "unit_test" not in fault]


def record(name: str) -> list[Record]:
    return json.loads((RECORDS / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.json").read_text())


def told(results: list[Record]) -> list[Record]:
    return [result for result in results if result["status"] in ("warn", "fail")]


def brief(results: list[Record]) -> str:
    return "\n".join(f"{r['id']} {r['host']} {r['device']} {r['status']}: {r['observed']} ({r['evidence']})" for r in results) or "nothing"


def fits(result: Record, wanted: dict[str, t.Any]) -> bool:
    place = {"id": wanted["id"], "host": wanted.get("host", "npu02"), "device": wanted.get("device"), "status": wanted.get("status", "fail")}
    return all(result[key] == value for key, value in place.items()) and all(
        str(wanted.get(key, "")).lower() in result[key].lower() for key in ("observed", "evidence"))


def assert_found(fault: dict[str, t.Any]) -> None:
    """Each expected finding once, and nothing besides."""
    found = told(record(fault["name"]))
    rest = list(found)
    for wanted in fault["expect"]:
        fitting = [result for result in rest if fits(result, wanted)]
        assert len(fitting) == 1, f"{wanted} in\n{brief(found)}"
        rest.remove(fitting[0])
    if "besides" in fault:
        rest = [result for result in rest if result["host"] != "npu02" or fault["besides"] not in result["observed"]]
    assert brief(rest) == "nothing"
