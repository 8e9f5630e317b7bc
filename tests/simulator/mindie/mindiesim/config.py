# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""config.json of MindIE 2.0.T3: compulsory keys, types, ranges and the rules between keys."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from . import permissions
from .errors import StartFailure

INT32 = 2**31 - 1
MAX_BYTES = 10 * 1024 * 1024


@dataclasses.dataclass(frozen=True)
class Key:
    name: str
    kind: type
    low: int | None = None
    high: int | None = None
    required: bool = True
    choices: tuple[str, ...] = ()


SERVER = (
    Key("ipAddress", str),
    Key("managementIpAddress", str, required=False),
    Key("port", int, 1024, 65535),
    Key("managementPort", int, 1024, 65535, required=False),
    Key("metricsPort", int, 1024, 65535),
    Key("allowAllZeroIpListening", bool),
    Key("maxLinkNum", int, 1, 4096),
    Key("httpsEnabled", bool),
    Key("fullTextEnabled", bool, required=False),
    Key("inferMode", str, choices=("standard", "dmi")),
    Key("interCommTLSEnabled", bool, required=False),
    Key("interCommPort", int, 1024, 65535, required=False),
    Key("openAiSupport", str, required=False),
    # Not in 2.0.T3's own file, but accepted when it comes from a newer one.
    Key("tokenTimeout", int, 1, 3600, required=False),
    Key("e2eTimeout", int, 1, 65535, required=False),
    Key("maxRequestLength", int, 1, 100, required=False),
    Key("distDPServerEnabled", bool, required=False),
)
BACKEND = (
    Key("backendName", str, choices=("mindieservice_llm_engine",)),
    Key("modelInstanceNumber", int, 1, 10),
    Key("npuDeviceIds", list),
    Key("tokenizerProcessNumber", int, 1, 32),
    Key("multiNodesInferEnabled", bool, required=False),
    Key("multiNodesInferPort", int, 1024, 65535, required=False),
    Key("interNodeTLSEnabled", bool, required=False),
    Key("ModelDeployConfig", dict),
    Key("ScheduleConfig", dict),
)
DEPLOY = (
    Key("maxSeqLen", int, 1, INT32),
    Key("maxInputTokenLen", int, 1, 4194304),
    Key("truncation", bool, required=False),
    Key("ModelConfig", list),
)
MODEL = (
    Key("modelInstanceType", str, required=False, choices=("Standard", "StandardMock")),
    Key("modelName", str),
    Key("modelWeightPath", str),
    Key("worldSize", int, 1, INT32),
    Key("cpuMemSize", int, 0, INT32),
    Key("npuMemSize", int, -1, INT32),
    Key("backendType", str, choices=("atb", "ms", "torch")),
    Key("trustRemoteCode", bool),
)
SCHEDULE = (
    Key("templateType", str, choices=("Standard", "Mix")),
    Key("templateName", str),
    Key("cacheBlockSize", int, 1, 128),
    Key("maxPrefillBatchSize", int, 0, INT32),
    Key("maxPrefillTokens", int, 1, 4194304),
    Key("prefillTimeMsPerReq", int, 0, 1000),
    Key("prefillPolicyType", int, 0, 7),
    Key("decodeTimeMsPerReq", int, 0, 1000),
    Key("decodePolicyType", int, 0, 7),
    Key("maxBatchSize", int, 1, 819200),
    Key("maxIterTimes", int, 1, INT32),
    Key("maxPreemptCount", int, 0, INT32),
    Key("supportSelectBatch", bool),
    Key("maxQueueDelayMicroseconds", int, 500, 1000000),
)


@dataclasses.dataclass(frozen=True)
class ServiceConfig:
    """The values that the running service needs, overrides by environment applied."""

    business: tuple[str, int]
    management: tuple[str, int]
    metrics: tuple[str, int]
    max_links: int
    max_request_bytes: int
    e2e_timeout: int
    model_name: str
    weights: Path
    mock: bool
    multi_node: bool
    multi_node_port: int
    device_ids: tuple[int, ...]
    world_size: int
    cpu_memory: int
    npu_memory: int
    max_seq_len: int
    max_input_tokens: int
    max_new_tokens: int
    max_batch: int
    cache_block_size: int


def config_path(argument: str | None, env: Mapping[str, str]) -> Path:
    if argument:
        return Path(argument)
    if env.get("MIES_CONFIG_JSON_PATH"):
        return Path(env["MIES_CONFIG_JSON_PATH"])
    return Path(env["MIES_INSTALL_PATH"]) / "conf/config.json"


def load(path: Path, env: Mapping[str, str]) -> ServiceConfig:
    """Read and judge config.json; the first broken rule ends the start."""
    try:
        return _load(path, env)
    except StartFailure as failure:
        raise StartFailure(*failure.lines, "[ConfigManager] Checking Config Failed", printed=True) from failure


def _load(path: Path, env: Mapping[str, str]) -> ServiceConfig:
    if permissions.enabled(env):
        try:
            permissions.check_file(path, 0o640)
        except permissions.BadPermission as problem:
            raise StartFailure(f"Check path: {path.name} failed, by: {problem}") from problem
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise StartFailure(f"Open config file {path} failed: {problem.strerror}") from problem
    if not 0 < len(data) <= MAX_BYTES:
        raise StartFailure(f"The size of {path} must be in (0, {MAX_BYTES}], but got {len(data)}")
    try:
        tree = json.loads(data)
    except ValueError as problem:
        raise StartFailure("Json file is invalid. Please check json format! ") from problem
    return _check(tree, path, env)


def _check(tree: Any, path: Path, env: Mapping[str, str]) -> ServiceConfig:
    _check_keys(tree, (Key("ServerConfig", dict), Key("BackendConfig", dict)))
    server, backend = tree["ServerConfig"], tree["BackendConfig"]
    _check_keys(server, SERVER)
    _check_keys(backend, BACKEND)
    deploy, schedule = backend["ModelDeployConfig"], backend["ScheduleConfig"]
    _check_keys(deploy, DEPLOY)
    _check_keys(schedule, SCHEDULE, prefix="scheduleParam.")
    if not deploy["ModelConfig"]:
        raise StartFailure("[ParamChecker::CheckJsonParamType] ModelConfig: missing compulsory field")
    for entry in deploy["ModelConfig"]:
        _check_keys(entry, MODEL)
    model = deploy["ModelConfig"][0]
    multi_node = backend.get("multiNodesInferEnabled", False)
    home = path.parent.parent

    listen = _addresses(server, env)
    _check_lengths(deploy, model, schedule)
    if schedule["templateType"] == "Standard" and len(deploy["ModelConfig"]) != 1:
        raise StartFailure("The size of ModelConfig must be 1 when templateType is Standard.")
    if multi_node:
        _check_multi_node(server, backend, home)
    else:
        _check_devices(backend, model["worldSize"])
    _check_model(model)
    if model.get("modelInstanceType", "Standard") == "Standard":
        _check_weights_config(Path(model["modelWeightPath"]), env)
    if server["httpsEnabled"]:
        _check_certificates(server, ("tlsCert", "tlsPk"), home)
        raise StartFailure("httpsEnabled is true: the certificates are there, but this simulated daemon serves plain HTTP only.")
    return ServiceConfig(
        **listen,
        max_links=server["maxLinkNum"],
        max_request_bytes=server.get("maxRequestLength", 40) * 1024 * 1024,
        e2e_timeout=server.get("e2eTimeout", 600),
        model_name=model["modelName"],
        weights=Path(model["modelWeightPath"]),
        mock=model.get("modelInstanceType") == "StandardMock",
        multi_node=multi_node,
        multi_node_port=backend.get("multiNodesInferPort", 1120),
        device_ids=() if multi_node else tuple(device for group in backend["npuDeviceIds"] for device in group),
        world_size=model["worldSize"],
        cpu_memory=model["cpuMemSize"],
        npu_memory=model["npuMemSize"],
        max_seq_len=deploy["maxSeqLen"],
        max_input_tokens=min(deploy["maxInputTokenLen"], deploy["maxSeqLen"] - 1),
        max_new_tokens=schedule["maxIterTimes"],
        max_batch=schedule["maxBatchSize"],
        cache_block_size=schedule["cacheBlockSize"],
    )


def _check_keys(section: Any, keys: Iterable[Key], prefix: str = "") -> None:
    if not isinstance(section, dict):
        raise StartFailure("Json file is invalid. Please check json format! ")
    for key in keys:
        if key.name not in section:
            if key.required:
                raise StartFailure(f"[ParamChecker::CheckJsonParamType] {key.name}: missing compulsory field")
            continue
        value: Any = section[key.name]
        # bool is an int in Python, but not in JSON
        if not isinstance(value, key.kind) or (key.kind is int and isinstance(value, bool)):
            raise StartFailure(f"[ParamChecker::CheckJsonParamType] {key.name}: the type must be {key.kind.__name__}")
        if key.low is not None and value < key.low:
            raise _out_of_bound(prefix + key.name, value, key.low)
        if key.high is not None and value > key.high:
            raise _out_of_bound(prefix + key.name, value, key.high)
        if key.choices and value not in key.choices:
            raise StartFailure(f"{key.name} [{value}] is not one of [{', '.join(key.choices)}]")


def _out_of_bound(name: str, value: int, bound: int) -> StartFailure:
    return StartFailure(f"{name} [{value}] is out of bound [{bound}]")


def _addresses(server: dict[str, Any], env: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    business = env.get("MIES_CONTAINER_IP") or server["ipAddress"]
    management = env.get("MIES_CONTAINER_MANAGEMENT_IP") or server.get("managementIpAddress", business)
    for name, text in (("ipAddress", business), ("managementIpAddress", management)):
        try:
            address = ipaddress.ip_address(text)
        except ValueError as problem:
            raise StartFailure(f"{name} [{text}] is not a valid IP address.") from problem
        if address.is_unspecified and not server["allowAllZeroIpListening"]:
            raise StartFailure(f"{name} [{text}] is not allowed unless allowAllZeroIpListening is true.")
    return {
        "business": (business, server["port"]),
        "management": (management, server.get("managementPort", 1026)),
        "metrics": (management, server["metricsPort"]),
    }


def _check_lengths(deploy: dict[str, Any], model: dict[str, Any], schedule: dict[str, Any]) -> None:
    prompt = min(deploy["maxInputTokenLen"], deploy["maxSeqLen"] - 1)
    if schedule["cacheBlockSize"] % 16:
        raise StartFailure(f"scheduleParam.cacheBlockSize [{schedule['cacheBlockSize']}] must be a multiple of 16")
    if schedule["maxIterTimes"] > deploy["maxSeqLen"]:
        raise _out_of_bound("scheduleParam.maxIterTimes", schedule["maxIterTimes"], deploy["maxSeqLen"])
    for name in ("maxPrefillBatchSize", "maxPreemptCount"):
        if schedule[name] > schedule["maxBatchSize"]:
            raise _out_of_bound(f"scheduleParam.{name}", schedule[name], schedule["maxBatchSize"])
    if schedule["templateType"] != "Mix" and schedule["maxPrefillTokens"] < prompt:
        raise StartFailure("The value of maxPrefillTokens should not be less than maxInputTokenLen.")
    if schedule["maxPreemptCount"] > 0 and model["cpuMemSize"] == 0:
        raise StartFailure("cpuMemSize must be greater than 0 when maxPreemptCount is greater than 0.")
    if model["npuMemSize"] == 0:
        raise _out_of_bound("npuMemSize", 0, 1)


def _check_multi_node(server: dict[str, Any], backend: dict[str, Any], home: Path) -> None:
    if server["port"] == backend.get("multiNodesInferPort", 1120):
        raise StartFailure("Endpoint port cannot be equal to multiNodesInferPort.")
    if backend["modelInstanceNumber"] != 1:
        raise _out_of_bound("modelInstanceNumber", backend["modelInstanceNumber"], 1)
    if backend.get("interNodeTLSEnabled", True):
        _check_certificates(backend, ("interNodeTlsCert", "interNodeTlsPk"), home)


def _check_devices(backend: dict[str, Any], world_size: int) -> None:
    groups = backend["npuDeviceIds"]
    if len(groups) != backend["modelInstanceNumber"]:
        raise StartFailure("The size of npuDeviceIds must be equal to modelInstanceNumber.")
    for group in groups:
        if not isinstance(group, list) or not all(isinstance(device, int) for device in group):
            raise StartFailure("[ParamChecker::CheckJsonParamType] npuDeviceIds: the type must be list of list of int")
        if len(group) != world_size:
            raise StartFailure(f"The size of npuDeviceIds {group} must be equal to worldSize [{world_size}].")
        if len(set(group)) != len(group):
            raise StartFailure(f"npuDeviceIds {group} must not repeat a device.")


def _check_model(model: dict[str, Any]) -> None:
    if not re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,254}[a-zA-Z0-9])?", model["modelName"]):
        raise StartFailure(f"modelName [{model['modelName']}] must match [a-zA-Z0-9_.-]{{1,256}} and begin and end with a letter or digit.")
    if not model["modelWeightPath"].startswith("/"):
        raise StartFailure(f"modelWeightPath [{model['modelWeightPath']}] must be an absolute path.")


def _check_weights_config(weights: Path, env: Mapping[str, str]) -> None:
    path = weights / "config.json"
    if not weights.is_dir():
        raise StartFailure(f"modelWeightPath [{weights}] is not a directory.")
    if permissions.enabled(env):
        try:
            permissions.check_file(path, 0o750, group_may_own=True)
        except permissions.BadPermission as problem:
            raise StartFailure(f"[WARNING] Check path: config.json failed, by:Check path: config.json failed, by: {problem}") from problem
    try:
        content = json.loads(path.read_bytes())
    except OSError as problem:
        raise StartFailure(f"Open {path} failed: {problem.strerror}") from problem
    except ValueError as problem:
        raise StartFailure("Json file is invalid. Please check json format! ") from problem
    _check_keys(content, (Key("torch_dtype", str), Key("vocab_size", int)))


def _check_certificates(section: dict[str, Any], names: Iterable[str], home: Path) -> None:
    for name in names:
        path = home / section.get(name, "")
        if not path.is_file():
            raise StartFailure(f"{name}: the file {path} does not exist; TLS is switched on and needs it.")
