# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each MindIE version knows about its config.json: keys, ranges and rules between keys. Data and pure functions.

Versions are grouped in families that share one set of keys. The vendor's order is T (test build) < RC < final within one
``major.minor``, with one exception: the T builds of 1.0 (1.0.T71) came after 1.0.RC3 and have the keys of 1.0.0.
2.0.T3 and 2.0.T3.1 precede 2.0.RC1 and so fall into the family 1.0.0. No default file of 2.1 is public: it has the keys of 2.0.RC1.

A key without ``since`` is accepted in every family: its history is unknown, and the engine ignores keys that it does not know.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
import typing as t
from dataclasses import dataclass

FAMILIES = ("1.0.RC3", "1.0.0", "2.0.RC1", "2.1", "2.2.RC1", "2.2", "2.3", "3.0")

_STAGES = {"T": 0, "B": 1, "BETA": 1, "RC": 2, "": 3}
_FAMILY_STARTS = (
    ((1, 0, _STAGES["RC"], 3), "1.0.RC3"),
    ((1, 0, _STAGES[""], 0), "1.0.0"),
    ((2, 0, _STAGES["RC"], 0), "2.0.RC1"),
    ((2, 1, 0, 0), "2.1"),
    ((2, 2, 0, 0), "2.2.RC1"),
    ((2, 2, _STAGES[""], 0), "2.2"),
    ((2, 3, 0, 0), "2.3"),
    ((3, 0, 0, 0), "3.0"),
)
_LINES = {start[:2] for start, name in _FAMILY_STARTS}
_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.\d+)*(?:\.?(T|RC|BETA|B)\.?(\d{1,9})(?![0-9A-Za-z])|(?!\.?[0-9A-Za-z]))", re.IGNORECASE)

MANUAL = "MindIE-LLM service parameter manual"
CODE = "MindIE-LLM config_manager source"
DEFAULTS = "default config.json of the version"
RECIPE = "DeepSeek recipes and multi-node scripts of MindIE-LLM"


class UnsupportedVersionError(ValueError):
    """The version cannot be read, or its config.json has a layout that these rules do not describe."""


@dataclass(frozen=True)
class Family:
    name: str
    warning: str = ""

    def at_least(self, name: str) -> bool:
        return FAMILIES.index(self.name) >= FAMILIES.index(name)


def family_of(version: str) -> Family:
    """Return the family of a MindIE version such as ``2.0.T3.1``, ``2.2.RC1`` or an image tag that starts with it."""
    match = _VERSION.match(version.strip())
    if not match:
        raise UnsupportedVersionError(
            f"The MindIE version {version!r} is not understood. Expected the vendor's form, for example 2.0.T3.1, 2.0.RC1 or 2.2.RC1."
        )
    major, minor = int(match[1]), int(match[2])
    stage, number = (match[3] or "").upper(), int(match[4] or 0)
    if (major, minor, stage) == (1, 0, "T"):
        stage, number = "", 0
    position = (major, minor, _STAGES[stage], number)
    known = [name for start, name in _FAMILY_STARTS if start <= position]
    if not known:
        raise UnsupportedVersionError(
            f"MindIE {version} has another config.json layout (OtherParam, ModelDeployParam), which is not supported. Use 1.0.RC3 or newer."
        )
    warning = ""
    if (major, minor) not in _LINES:
        warning = f"MindIE {version} is not among the versions known here; config.json is checked with the rules of {known[-1]}."
    return Family(known[-1], warning)


@dataclass(frozen=True)
class Finding:
    """One rule that config.json or a setting breaks. Errors stop the daemon; warnings do not."""

    rule: str
    path: str
    observed: str
    expected: str
    remedy: str
    vendor_message: str = ""
    severity: str = "error"


@dataclass(frozen=True)
class Key:
    """One key of config.json; a list position in the path is written as []."""

    path: str
    kind: str
    low: int | None = None
    high: int | None = None
    choices: tuple[t.Any, ...] = ()
    pattern: str = ""
    expected: str = ""
    multiple_of: int = 1
    required: str = ""
    since: str = ""
    removed: str = ""
    documented: tuple[int, int] | None = None
    vendor_message: str = ""
    source: str = MANUAL

    def known_in(self, family: Family) -> bool:
        return (not self.since or family.at_least(self.since)) and not (self.removed and family.at_least(self.removed))

    def required_in(self, family: Family) -> bool:
        return bool(self.required) and family.at_least(self.required) and self.known_in(family)


_FIRST = FAMILIES[0]
_PORT = {"low": 1024, "high": 65535}
_INT32 = 2**31 - 1
_UINT32 = 2**32 - 1
_TOKENS = 4 * 1024 * 1024
BACKEND = "mindieservice_llm_engine"
# What the engine takes where the key is absent.
MULTI_NODES_INFER_PORT = 1120

_S = "ServerConfig."
_B = "BackendConfig."
_D = "BackendConfig.ModelDeployConfig."
_M = "BackendConfig.ModelDeployConfig.ModelConfig[]."
_C = "BackendConfig.ScheduleConfig."


def _keys(prefix: str, kind: str, *names: str, **fields: t.Any) -> list[Key]:
    return [Key(prefix + name, kind, **fields) for name in names]


KEYS: tuple[Key, ...] = (
    Key("Version", "str"),
    Key("ServerConfig", "object", required=_FIRST, source=CODE),
    Key("BackendConfig", "object", required=_FIRST, source=CODE),
    Key("LogConfig", "object"),
    *_keys("LogConfig.", "str", "logLevel", "logPath", removed="2.0.RC1", source=DEFAULTS),
    *_keys("LogConfig.", "int", "logFileSize", "logFileNum", low=1, removed="2.0.RC1", source=DEFAULTS),
    *_keys("LogConfig.", "str", "dynamicLogLevel", "dynamicLogLevelValidTime", since="2.2.RC1"),
    Key("LogConfig.dynamicLogLevelValidHours", "int", low=1, high=168, since="2.2.RC1"),
    Key("EnableDynamicAdjustTimeoutConfig", "bool", since="2.2"),
    # ServerConfig
    Key(_S + "ipAddress", "ip", required=_FIRST),
    Key(_S + "managementIpAddress", "ip"),
    Key(_S + "port", "int", required=_FIRST, **_PORT),
    Key(_S + "managementPort", "int", **_PORT),
    Key(_S + "metricsPort", "int", required=_FIRST, source=CODE, **_PORT),
    Key(_S + "allowAllZeroIpListening", "bool", required=_FIRST),
    Key(_S + "maxLinkNum", "int", low=1, high=4096, required=_FIRST),
    Key(_S + "httpsEnabled", "bool", required=_FIRST),
    Key(_S + "fullTextEnabled", "bool"),
    Key(_S + "inferMode", "str", choices=("standard", "dmi"), required=_FIRST, vendor_message="The inferMode should be standard or dmi"),
    Key(_S + "interCommTLSEnabled", "bool"),
    Key(_S + "interCommPort", "int", **_PORT),
    Key(_S + "openAiSupport", "str"),
    Key(_S + "tokenTimeout", "int", low=1, high=3600, required="2.0.RC1", since="2.0.RC1"),
    Key(_S + "e2eTimeout", "int", low=1, high=65535, required="2.0.RC1", since="2.0.RC1"),
    Key(_S + "maxRequestLength", "int", low=1, high=100),
    Key(_S + "distDPServerEnabled", "bool", required="2.0.RC1", since="2.0.RC1"),
    Key(_S + "layerwiseDisaggregated", "bool", since="2.2"),
    Key(_S + "layerwiseDisaggregatedRoleType", "str", choices=("", "master", "slave"), since="2.2", source=CODE),
    Key(_S + "layerwiseDisaggregatedMasterIpAddress", "ip", since="2.2", source=CODE),
    Key(_S + "layerwiseDisaggregatedSlaveIpAddress", "ips", since="2.2", source=CODE),
    Key(_S + "layerwiseDisaggregatedDataPort", "int", since="2.2", source=CODE, **_PORT),
    Key(_S + "layerwiseDisaggregatedCrtlPort", "ints", since="2.2", source=CODE, **_PORT),
    Key(_S + "HealthCheckConfig", "object", since="2.2"),
    Key(_S + "HealthCheckConfig.npuUsageThreshold", "int", low=0, high=100, since="2.2"),
    *_keys(_S, "str", "tlsCaPath", "tlsCert", "tlsPk", "managementTlsCert", "managementTlsPk", "interCommTlsCert", "interCommPk"),
    *_keys(_S, "strs", "tlsCaFile", "managementTlsCaFile"),
    *_keys(_S, "str", "tlsCrl", "managementTlsCrl", "interCommTlsCaFile", "interCommTlsCrl", removed="1.0.0", source=DEFAULTS),
    *_keys(_S, "str", "tlsCrlPath", "managementTlsCrlPath", "interCommTlsCaPath", "interCommTlsCrlPath", since="1.0.0"),
    *_keys(_S, "strs", "tlsCrlFiles", "managementTlsCrlFiles", "interCommTlsCaFiles", "interCommTlsCrlFiles", since="1.0.0"),
    *_keys(_S, "str", "tlsPkPwd", "managementTlsPkPwd", "interCommPkPwd", "kmcKsfMaster", "kmcKsfStandby", removed="3.0"),
    *_keys(_S, "str", "metricsTlsCert", "metricsTlsPk", "metricsTlsCrlPath", since="2.3"),
    *_keys(_S, "strs", "metricsTlsCaFile", "metricsTlsCrlFiles", since="2.3"),
    Key(_S + "metricsTlsPkPwd", "str", since="2.3", removed="3.0"),
    # BackendConfig
    Key(
        _B + "backendName", "str", pattern=r"(?=.{1,50}$)[a-z]+(_[a-z]+)*", required=_FIRST,
        expected="mindieservice_llm_engine (1 to 50 lower-case letters and single underscores)", vendor_message="The pattern of backendName is invalid.",
    ),
    Key(_B + "modelInstanceNumber", "int", low=1, high=10, required=_FIRST),
    Key(_B + "npuDeviceIds", "int_lists", low=0, required=_FIRST),
    Key(_B + "tokenizerProcessNumber", "int", low=1, high=32, required=_FIRST),
    # Optional in the manual, but the 3.0 source reads both without a default and fails where one is absent.
    *_keys(_B, "bool", "multiNodesInferEnabled", "interNodeTLSEnabled", required="3.0", source=CODE),
    Key(_B + "multiNodesInferPort", "int", **_PORT),
    *_keys(_B, "str", "interNodeTlsCert", "interNodeTlsPk"),
    *_keys(_B, "str", "interNodeTlsCaFile", "interNodeTlsCrl", removed="1.0.0", source=DEFAULTS),
    *_keys(_B, "str", "interNodeTlsCaPath", "interNodeTlsCrlPath", since="1.0.0"),
    *_keys(_B, "strs", "interNodeTlsCaFiles", "interNodeTlsCrlFiles", since="1.0.0"),
    *_keys(_B, "str", "interNodeTlsPkPwd", "interNodeKmcKsfMaster", "interNodeKmcKsfStandby", removed="3.0"),
    Key(_B + "kvPoolConfig", "object", since="2.3", source=CODE),
    Key(
        _B + "kvPoolConfig.backend", "str", choices=("", "unifiedcache", "mooncake", "memcache"), since="2.3", source=CODE,
        vendor_message="Unknow kv pool backend. And only [`unifiedcache`, `mooncake`, `memcache`, ``] is available!",
    ),
    Key(_B + "kvPoolConfig.configPath", "str", pattern=r".{0,500}", expected="at most 500 characters", since="2.3", source=CODE),
    Key(_B + "layerwiseDisaggregated", "any", since="3.0", source=CODE),
    Key(_B + "ModelDeployConfig", "object", required=_FIRST, source=CODE),
    Key(_B + "ScheduleConfig", "object", required=_FIRST, source=CODE),
    # ModelDeployConfig
    Key(_D + "maxSeqLen", "int", low=1, high=_UINT32, required=_FIRST, vendor_message="The value of modelParam.maxSeqLen can not be 0."),
    Key(
        _D + "maxInputTokenLen", "int", low=1, high=_TOKENS, required=_FIRST,
        vendor_message="The value of modelParam.maxInputTokenLen should be in [1, 4194304].",
    ),
    Key(_D + "truncation", "truncation"),
    *_keys(_D, "int", "speculationGamma", "maxLoras", "maxLoraRank", low=0, high=_UINT32, source=CODE),
    Key(_D + "LoraModules", "objects", source=CODE),
    *_keys(_D + "LoraModules[].", "str", "name", "path", "baseModelName", source=CODE),
    Key(_D + "ModelConfig", "objects", required=_FIRST, source=CODE),
    Key(_M + "modelInstanceType", "str", choices=("Standard", "StandardMock", "TargetModel", "AssistantModel"), source=CODE),
    Key(
        _M + "modelName", "str", pattern=r"(?=.{1,256}$)[0-9A-Za-z]([0-9A-Za-z_.-]*[0-9A-Za-z])?", required=_FIRST,
        expected="1 to 256 of the characters [a-zA-Z0-9_.-], a letter or digit first and last",
        vendor_message="The value of modelName must meet the following rules: The string length is [1, 256] and consists of a match of the type "
        "[a-zA-Z0-9_.-]. The first and last characters must be characters or digits.",
    ),
    Key(
        _M + "modelWeightPath", "str", pattern=r"(?!.*/\.\.(/|$))/[0-9A-Za-z_./-]*", required=_FIRST,
        expected="an absolute directory of the characters [0-9a-zA-Z_./-], without ..",
    ),
    Key(_M + "worldSize", "int", low=1, high=_UINT32, required=_FIRST, vendor_message="The value of modelParam.worldSize can not be 0."),
    Key(_M + "cpuMemSize", "int", low=0, high=_UINT32, required=_FIRST),
    Key(_M + "npuMemSize", "int", low=-1, high=_INT32, required=_FIRST),
    Key(_M + "backendType", "str", choices=("atb", "ms", "torch"), required=_FIRST, vendor_message="Backend type only supports atb, ms, torch.", source=CODE),
    Key(_M + "trustRemoteCode", "bool", required="1.0.0", since="1.0.0"),
    *_keys(_M, "int", "dp", "tp", "sp", "cp", "pp", "moe_ep", "moe_tp", low=-1, high=_INT32, source=RECIPE),
    Key(_M + "plugin_params", "json_text", source=CODE),
    *_keys(_M, "str", "plugin_type", "pluginParams", source=CODE),
    Key(_M + "models", "any", source=RECIPE),
    *_keys(_M, "bool", "ignore_eos", "enable_warmup_with_sampling", source=RECIPE),
    *_keys(_M, "int", "async_scheduler_wait_time", "kv_trans_timeout", "kv_link_timeout", low=-_INT32 - 1, high=_INT32, since="2.2.RC1"),
    # ScheduleConfig
    Key(
        _C + "templateType", "str", choices=("Standard", "Mix"), required=_FIRST,
        vendor_message="The templateType must be Standard or Mix",
    ),
    Key(_C + "templateName", "str", choices=("Standard_LLM",), required=_FIRST, vendor_message="The templateName must be Standard_LLM"),
    Key(_C + "cacheBlockSize", "int", low=1, high=128, multiple_of=16, required=_FIRST),
    Key(_C + "maxPrefillBatchSize", "int", low=0, high=_UINT32, required=_FIRST),
    Key(_C + "maxPrefillTokens", "int", low=1, high=_TOKENS, documented=(5120, 409600), required=_FIRST),
    *_keys(_C, "int", "prefillTimeMsPerReq", "decodeTimeMsPerReq", low=0, high=1000, required=_FIRST),
    *_keys(
        _C, "int", "prefillPolicyType", "decodePolicyType", low=0, high=3, documented=(0, 0), required=_FIRST,
        vendor_message="is outside the expected schedule policy range: 0, 1, 2, 3", source=CODE,
    ),
    Key(_C + "policyType", "int", choices=(0, 4, 5, 6, 7), vendor_message="is outside the expected range: 0 or 4~7.", source=CODE),
    Key(_C + "maxBatchSize", "int", low=1, high=819200, documented=(1, 5000), required=_FIRST),
    Key(_C + "maxIterTimes", "int", low=1, high=_UINT32, required=_FIRST, vendor_message="The value of ScheduleParam.maxIterTimes can not be 0."),
    Key(_C + "maxPreemptCount", "int", low=0, high=_UINT32, required=_FIRST),
    Key(_C + "supportSelectBatch", "bool", required=_FIRST),
    Key(_C + "maxQueueDelayMicroseconds", "int", low=500, high=1000000, required=_FIRST),
    Key(_C + "maxFirstTokenWaitTime", "int", low=0, high=3600000, since="2.2.RC1"),
    *_keys(_C, "int", "maxN", "maxBeamWidth", low=1, high=8192, since="3.0"),
    Key(_C + "stageSelectPolicy", "int", low=0, high=2, source=CODE),
    *_keys(_C, "int", "prefillExpectedTime", "decodeExpectedTime", low=1, high=10000, source=CODE),
    *_keys(
        _C, "bool", "dynamicBatchSizeEnable", "enablePrefixCache", "enableSplit", "enablChunkedPrefill", "splitType", "splitStartType",
        "bufferResponseEnabled", "distributedEnable", source=CODE,
    ),
    *_keys(_C, "int", "splitChunkTokens", "splitStartBatchSize", "prefillChunkSize", low=0, high=_UINT32, source=CODE),
    *_keys(_C, "int", "maxNumPartialPrefills", "maxLongPartialPrefills", low=1, high=64, source=CODE),
    Key(_C + "longPrefillTokenThreshold", "int", low=1, high=8192, source=CODE),
    Key(_C + "layerwiseDisaggregated", "any", since="3.0", source=CODE),
)

BY_PATH: dict[str, Key] = {key.path: key for key in KEYS}

_JSON_NAMES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
KIND_NAMES = {
    "int": "integer",
    "bool": "boolean",
    "str": "string",
    "ip": "IPv4 or IPv6 address as a string",
    "strs": "array of strings",
    "ips": "array of IPv4 or IPv6 addresses",
    "ints": "array of integers",
    "int_lists": "array of arrays of integers, such as [[0,1,2,3]]",
    "object": "object",
    "objects": "array of objects",
    "json_text": "string that holds JSON",
    "truncation": "boolean",
}


def type_name(value: t.Any) -> str:
    return _JSON_NAMES.get(type(value), type(value).__name__)


def shown(value: t.Any) -> str:
    """Return a value as JSON, short enough for a message."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except RecursionError:
        text = f"a deeply nested {type_name(value)}"
    return text if len(text) <= 120 else text[:117] + "..."


def is_ip(value: t.Any) -> bool:
    # Python takes an address with a zone, fe80::1%eth0, for one; the engine does not.
    try:
        ipaddress.ip_address(value if isinstance(value, str) and "%" not in value else "")
    except ValueError:
        return False
    return True


def _is_int(value: t.Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of(check: t.Callable[[t.Any], bool]) -> t.Callable[[t.Any], bool]:
    return lambda value: isinstance(value, list) and all(check(item) for item in value)


_IS_KIND: dict[str, t.Callable[[t.Any], bool]] = {
    "int": _is_int,
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "ip": lambda value: isinstance(value, str),
    "strs": _is_list_of(lambda item: isinstance(item, str)),
    "ips": _is_list_of(lambda item: isinstance(item, str)),
    "ints": _is_list_of(_is_int),
    "int_lists": _is_list_of(_is_list_of(_is_int)),
    "object": lambda value: isinstance(value, dict),
    "objects": _is_list_of(lambda item: isinstance(item, dict)),
    "json_text": lambda value: isinstance(value, str),
    "truncation": lambda value: isinstance(value, bool) or _is_int(value),
    "any": lambda value: True,
}


def has_kind(kind: str, value: t.Any) -> bool:
    return _IS_KIND[kind](value)


def _flatten(value: t.Any) -> list[t.Any]:
    if isinstance(value, list):
        return [leaf for item in value for leaf in _flatten(item)]
    return [value]


def check_value(key: Key, path: str, value: t.Any, family: Family) -> t.Iterator[Finding]:
    """Yield what is wrong with one value on its own: type, range, choices, form."""
    if key.kind == "json_text" and isinstance(value, (dict, list)) and family.at_least("3.0"):
        return  # from 3.0 on the engine also takes the object itself
    if not has_kind(key.kind, value):
        yield Finding(
            "wrong-type", path, f"{shown(value)} ({type_name(value)})", KIND_NAMES[key.kind], f"Write {path} as {KIND_NAMES[key.kind]}.",
            vendor_message=f"The type of param {path.rsplit('.', 1)[-1]} should be" if key.kind in ("int", "bool", "str") else "",
        )
        return
    if key.kind == "truncation":
        allowed = (-1, 0, 1) if family.at_least("3.0") else ()
        if not isinstance(value, bool) and value not in allowed:
            expected = "true, false, -1, 0 or 1" if allowed else "true or false (the integers came with 3.0)"
            yield Finding("out-of-range", path, shown(value), expected, f"Set {path} to one of these.")
        return
    if key.kind in ("ip", "ips"):
        for leaf in _flatten(value):
            if not is_ip(leaf):
                yield Finding("bad-address", path, shown(leaf), "an IPv4 or IPv6 address", f"Set {path} to an address of the host, without port or name.")
        return
    if key.kind == "json_text":
        try:
            json.loads(value)
        except (ValueError, RecursionError) as error:
            yield Finding("bad-json-text", path, shown(value), f"a string that holds JSON ({error})", f"Give {path} as a mapping, or correct its quoting.")
        return
    for leaf in _flatten(value):
        if _is_int(leaf):
            yield from _check_number(key, path, leaf, family)
    if key.choices and value not in key.choices:
        expected = "one of " + ", ".join(shown(choice) for choice in key.choices)
        yield Finding("not-allowed", path, shown(value), expected, f"Set {path} to one of these.", key.vendor_message)
    if key.pattern and isinstance(value, str) and not re.fullmatch(key.pattern, value):
        yield Finding("bad-form", path, shown(value), key.expected, f"Correct {path}.", key.vendor_message)


def _check_number(key: Key, path: str, value: int, family: Family) -> t.Iterator[Finding]:
    low, high = key.low, key.high
    if (low is not None and value < low) or (high is not None and value > high):
        limits = f"[{'' if low is None else low}, {'' if high is None else high}]"
        yield Finding("out-of-range", path, str(value), limits, f"Set {path} within {limits}.", key.vendor_message)
    elif value % key.multiple_of:
        yield Finding("out-of-range", path, str(value), f"a multiple of {key.multiple_of}", f"Set {path} to a multiple of {key.multiple_of}.")
    elif key.documented and not family.at_least("3.0") and not key.documented[0] <= value <= key.documented[1]:
        limits = f"[{key.documented[0]}, {key.documented[1]}]"
        yield Finding(
            "outside-documented-range", path, str(value), f"{limits} in the manuals before 3.0",
            f"Keep {path} within {limits}, or expect that this version refuses it.", severity="warning",
        )


class View:
    """Typed reading for the rules between keys: a missing or wrongly typed value reads as None, since it has its own finding."""

    def __init__(self, config: dict[str, t.Any], family: Family, world_size: int | None) -> None:
        self.config = config
        self.family = family
        self.world_size = world_size

    def raw(self, path: str) -> t.Any:
        node: t.Any = self.config
        for name in path.split("."):
            node = node.get(name) if isinstance(node, dict) else None
        return node

    def number(self, path: str) -> int | None:
        value = self.raw(path)
        return value if _is_int(value) else None

    def text(self, path: str) -> str | None:
        value = self.raw(path)
        return value if isinstance(value, str) else None

    def flag(self, path: str, default: bool) -> bool:
        value = self.raw(path)
        return value if isinstance(value, bool) else default

    def models(self) -> list[tuple[str, dict[str, t.Any]]]:
        models = self.raw(_D + "ModelConfig")
        items = models if isinstance(models, list) else []
        return [(f"{_D}ModelConfig[{index}].", model) for index, model in enumerate(items) if isinstance(model, dict)]

    def multi_node(self) -> bool:
        return self.flag(_B + "multiNodesInferEnabled", False)


Rule = t.Callable[[View], t.Iterator[Finding]]


def _limit(rule: str, view: View, smaller: str, larger: str, vendor_message: str = "") -> t.Iterator[Finding]:
    low, high = view.number(smaller), view.number(larger)
    if low is not None and high is not None and low > high:
        name = larger.rsplit(".", 1)[-1]
        yield Finding(rule, smaller, str(low), f"at most {name} ({high})", f"Lower {smaller}, or raise {larger}.", vendor_message)


def rule_lengths(view: View) -> t.Iterator[Finding]:
    yield from _limit("input-exceeds-sequence", view, _D + "maxInputTokenLen", _D + "maxSeqLen")
    yield from _limit("output-exceeds-sequence", view, _C + "maxIterTimes", _D + "maxSeqLen")
    if view.text(_C + "templateType") != "Mix":
        yield from _limit(
            "prefill-below-input", view, _D + "maxInputTokenLen", _C + "maxPrefillTokens",
            "The value of maxPrefillTokens should not be less than maxInputTokenLen.",
        )


def rule_batches(view: View) -> t.Iterator[Finding]:
    prefill, batch = view.number(_C + "maxPrefillBatchSize"), view.number(_C + "maxBatchSize")
    message = f"scheduleParam.maxPrefillBatchSize [{prefill}] is out of bound [{batch}]"
    yield from _limit("prefill-batch-exceeds-batch", view, _C + "maxPrefillBatchSize", _C + "maxBatchSize", message)
    yield from _limit(
        "preempt-exceeds-batch", view, _C + "maxPreemptCount", _C + "maxBatchSize",
        "The maxPreemptCount cannot be set greater than maxBatchsize, please set 'maxPreemptCount' to be not greater than 'maxBatchsize' in config.json.",
    )
    yield from _limit("beam-exceeds-batch", view, _C + "maxN", _C + "maxBatchSize")
    yield from _limit(
        "beam-exceeds-batch", view, _C + "maxBeamWidth", _C + "maxBatchSize",
        "The maxBeamWidth cannot be set greater than maxBatchSize, please set 'maxBeamWidth' to be not greater than 'maxBatchSize' in config.json.",
    )
    yield from _limit("long-prefills-exceed-partial", view, _C + "maxLongPartialPrefills", _C + "maxNumPartialPrefills")


def rule_memory(view: View) -> t.Iterator[Finding]:
    preempt = view.number(_C + "maxPreemptCount") or 0
    for prefix, model in view.models():
        if preempt > 0 and model.get("cpuMemSize") == 0:
            yield Finding(
                "preempt-needs-cpu-memory", prefix + "cpuMemSize", "0", f"more than 0, because {_C}maxPreemptCount is {preempt}",
                f"Set {_C}maxPreemptCount to 0, or give {prefix}cpuMemSize some GB.",
                "The value of modelParam.cpuMemSize can not be 0 when maxPreemptCount is not 0.",
            )
        if model.get("npuMemSize") == 0:
            yield Finding(
                "npu-memory-zero", prefix + "npuMemSize", "0", "-1 (automatic) or more than 0 GB", f"Set {prefix}npuMemSize to -1.",
                "it should be within (0, 4294967295] or -1",
            )


def rule_devices(view: View) -> t.Iterator[Finding]:
    # The engine compares counts and sizes also in multi-node mode, before it replaces the ids by those of the rank table.
    path = _B + "npuDeviceIds"
    groups = view.raw(path)
    if not has_kind("int_lists", groups):
        return
    instances = view.number(_B + "modelInstanceNumber")
    if instances is not None and len(groups) != instances:
        yield Finding(
            "device-groups-differ", path, f"{len(groups)} groups", f"{instances}, as modelInstanceNumber says",
            f"Give {path} one group of device ids for each model instance.", "The size of npuDeviceIds does not equal to modelInstanceNumber",
        )
    world_size = next((model.get("worldSize") for prefix, model in view.models()), None)
    taken: set[int] = set()
    for index, group in enumerate(groups):
        if _is_int(world_size) and len(group) != world_size:
            yield Finding(
                "device-count-differs", f"{path}[{index}]", f"{len(group)} devices", f"{world_size}, as worldSize says",
                f"Make {path}[{index}] and worldSize agree on the devices of this host.", "The size of npuDeviceIds (subset) does not equal to worldSize",
            )
        repeated = sorted({device for device in group if group.count(device) > 1 or device in taken})
        taken.update(group)
        if repeated and not view.multi_node():
            yield Finding(
                "device-repeated", f"{path}[{index}]", f"device {', '.join(map(str, repeated))} more than once", "every device once",
                f"List every device once in {path}.", "npuDeviceID does not allow repetitive element",
            )


def rule_backend(view: View) -> t.Iterator[Finding]:
    path = _B + "backendName"
    name = view.text(path)
    if name is not None and name != BACKEND and re.fullmatch(BY_PATH[path].pattern, name):
        yield Finding(
            "unknown-backend", path, name, f"{BACKEND}, the only backend that the manual names", f"Set {path} to {BACKEND}.", severity="warning",
        )


def rule_multi_node(view: View) -> t.Iterator[Finding]:
    instances = view.number(_B + "modelInstanceNumber")
    if view.multi_node() and instances not in (None, 1):
        path = _B + "modelInstanceNumber"
        yield Finding("multi-node-instances", path, str(instances), "1 with multiNodesInferEnabled", f"Set {path} to 1 and give npuDeviceIds one group.")


def rule_template(view: View) -> t.Iterator[Finding]:
    path = _D + "ModelConfig"
    models = view.raw(path)
    if not isinstance(models, list):
        return
    if view.text(_C + "templateType") != "Standard":
        if not models:
            yield Finding("no-model", path, "no model", "at least one model", f"Describe the model in {path}[0].")
    elif len(models) != 1:
        yield Finding(
            "standard-needs-one-model", path, f"{len(models)} models", "exactly 1 with templateType Standard",
            f"Keep one entry in {path}.", "There should be one modelParam for Standard templateType.",
        )


def rule_wildcard_address(view: View) -> t.Iterator[Finding]:
    if view.flag(_S + "allowAllZeroIpListening", False):
        return
    for name in ("ipAddress", "managementIpAddress"):
        address = view.text(_S + name)
        if address is not None and is_ip(address) and ipaddress.ip_address(address).is_unspecified:
            yield Finding(
                "wildcard-address", _S + name, address, f"an address of the host, because {_S}allowAllZeroIpListening is false",
                f"Set {_S}{name} to the host's address.",
            )


def rule_ports(view: View) -> t.Iterator[Finding]:
    port, inter_node = view.number(_S + "port"), view.number(_B + "multiNodesInferPort")
    absent = view.raw(_B + "multiNodesInferPort") is None
    if port is not None and port == (MULTI_NODES_INFER_PORT if absent else inter_node):
        yield Finding(
            "port-equals-multi-node-port", _B + "multiNodesInferPort", f"absent, which means {port}" if absent else str(port), f"another port than {_S}port",
            f"Give {_S}port and {_B}multiNodesInferPort different ports.", "Endpoint port cannot be equal to multiNodesInferPort.",
        )
    address = view.text(_S + "ipAddress")
    management = view.text(_S + "managementIpAddress") or address
    listeners = [(_S + "port", address, port)]
    listeners += [(_S + name, management, view.number(_S + name)) for name in ("managementPort", "metricsPort")]
    if view.multi_node():
        listeners.append((_B + "multiNodesInferPort", address, inter_node))
    if view.text(_S + "inferMode") == "dmi":
        listeners.append((_S + "interCommPort", address, view.number(_S + "interCommPort")))
    # The engine shares one listener between neighbours of this list of three only.
    shared = {(_S + "port", _S + "managementPort"), (_S + "managementPort", _S + "metricsPort"), (_S + "port", _B + "multiNodesInferPort")}
    if port is not None and port == view.number(_S + "managementPort"):
        shared.add((_S + "port", _S + "metricsPort"))
    for number, (first, first_address, first_port) in enumerate(listeners):
        for second, second_address, second_port in listeners[number + 1:]:
            if first_port is None or first_port != second_port or (first, second) in shared:
                continue
            if first_address == second_address or {first_address, second_address} & {"0.0.0.0", "::"}:
                yield Finding("port-taken-twice", second, str(second_port), f"another port than {first}", f"Give {first} and {second} different ports.")


_DEGREES = ("dp", "sp", "cp", "tp", "pp", "moe_ep", "moe_tp")


def rule_parallelism(view: View) -> t.Iterator[Finding]:
    for prefix, model in view.models():
        given = {name: model[name] for name in _DEGREES if _is_int(model.get(name)) and model[name] != -1}
        for name in _DEGREES:
            value = model.get(name)
            if given.get(name) == 0 or (value == -1 and name in ("dp", "sp", "cp") and view.family.at_least("3.0")):
                yield Finding(
                    "parallel-degree", prefix + name, str(value), "at least 1", f"Set {prefix}{name} to 1 or more, or leave it out.",
                    f"{name} cannot be smaller than 1.",
                )
        per_host = model.get("worldSize")
        total = view.world_size or (None if view.multi_node() else per_host)
        for names in (("dp", "tp", "cp", "pp"), ("moe_ep", "moe_tp")):
            # A product is only known when the two factors that the engine would otherwise derive are given.
            if not all(given.get(name) for name in names[:2]):
                continue
            factors = {name: given[name] for name in names if given.get(name)}
            if any(abs(value) > _INT32 for value in factors.values()):
                continue  # out of range, which has its own finding; a product of such numbers may be too long to write
            product = math.prod(factors.values())
            formula = " x ".join(f"{name} {value}" for name, value in factors.items()) + f" = {product}"
            if _is_int(total) and product != total:
                yield Finding(
                    "parallel-product", prefix + names[0], formula, f"{total}, the number of devices of the serving group",
                    f"Choose {' x '.join(names)} so that the product is {total}.",
                )
            elif total is None and _is_int(per_host) and per_host > 0 and product % per_host:
                yield Finding(
                    "parallel-product", prefix + names[0], formula, f"a multiple of worldSize ({per_host}), the devices of one host",
                    f"Choose {' x '.join(names)} so that the product is hosts x {per_host}.",
                )
        sp, tp = given.get("sp"), given.get("tp")
        if sp and tp and sp not in (1, tp):
            yield Finding("parallel-sp", prefix + "sp", str(sp), f"1 or tp ({tp})", f"Set {prefix}sp to 1 or {tp}.")


def rule_tls(view: View) -> t.Iterator[Finding]:
    old, new = not view.family.at_least("1.0.0"), view.family.at_least("3.0")
    checks: list[tuple[str, tuple[str, ...]]] = []
    if view.flag(_S + "httpsEnabled", False):
        names = ["tlsCaPath", "tlsCaFile", "tlsCert", "tlsPk"] + ([] if new else ["kmcKsfMaster", "kmcKsfStandby"])
        ports = [view.number(_S + name) for name in ("port", "managementPort", "metricsPort")]
        address, management = view.text(_S + "ipAddress"), view.text(_S + "managementIpAddress")
        one_listener = management in (None, address) and (ports[1] is None or ports[0] == ports[1]) and ports[0] == ports[2]
        if not one_listener:
            names += ["managementTlsCaFile", "managementTlsCert", "managementTlsPk"]
            names += ["metricsTlsCaFile", "metricsTlsCert", "metricsTlsPk"] if view.family.at_least("2.3") else []
        checks.append((_S + "httpsEnabled", tuple(_S + name for name in names)))
    if view.flag(_S + "interCommTLSEnabled", True) and view.text(_S + "inferMode") == "dmi":
        names = ["interCommTlsCaFile"] if old else ["interCommTlsCaPath", "interCommTlsCaFiles"]
        checks.append((_S + "interCommTLSEnabled", tuple(_S + name for name in [*names, "interCommTlsCert", "interCommPk"])))
    if view.flag(_B + "interNodeTLSEnabled", view.multi_node()):
        names = ["interNodeTlsCaFile"] if old else ["interNodeTlsCaPath", "interNodeTlsCaFiles"]
        names += ["interNodeTlsCert", "interNodeTlsPk"] + (["interNodeTlsCrlPath"] if new else ["interNodeKmcKsfMaster"])
        checks.append((_B + "interNodeTLSEnabled", tuple(_B + name for name in names)))
    for switch, paths in checks:
        for path in paths:
            yield from _tls_value(switch, path, view.raw(path))


def _tls_value(switch: str, path: str, value: t.Any) -> t.Iterator[Finding]:
    if value is None or value in ("", []):
        found = "absent" if value is None else "empty"
        yield Finding("tls-key-missing", path, found, f"a value, because {switch} is on", f"Set {path}, or set {switch} to false.")
        return
    if isinstance(value, list) and len(value) > 3:
        yield Finding("tls-too-many-files", path, f"{len(value)} files", "1 to 3 files", f"Keep at most 3 files in {path}.")
    for name in value if isinstance(value, list) else [value]:
        if isinstance(name, str) and (name.startswith("/") or ".." in name.split("/")):
            yield Finding(
                "tls-path-outside", path, shown(name), "a path relative to the MindIE home directory, without ..",
                f"Put the file below the home directory and give {path} relative to it.",
            )


def rule_layerwise(view: View) -> t.Iterator[Finding]:
    if not view.flag(_S + "layerwiseDisaggregated", False):
        return
    wanted: list[tuple[str, t.Any, tuple[t.Any, ...]]] = [
        (_B + "multiNodesInferEnabled", view.multi_node(), (False,)),
        (_S + "distDPServerEnabled", view.flag(_S + "distDPServerEnabled", False), (False,)),
        (_C + "supportSelectBatch", view.flag(_C + "supportSelectBatch", False), (False,)),
        (_C + "templateType", view.text(_C + "templateType"), ("Standard",)),
        (_S + "layerwiseDisaggregatedRoleType", view.text(_S + "layerwiseDisaggregatedRoleType"), ("master", "slave")),
        *((prefix + "backendType", model.get("backendType"), ("atb",)) for prefix, model in view.models()),
    ]
    for path, value, allowed in wanted:
        if value not in allowed:
            expected = " or ".join(shown(choice) for choice in allowed)
            yield Finding("layerwise-conflict", path, shown(value), f"{expected} with layerwiseDisaggregated", f"Set {path} to {expected}.")


RULES: tuple[Rule, ...] = (
    rule_lengths, rule_batches, rule_memory, rule_devices, rule_backend, rule_multi_node, rule_template, rule_wildcard_address,
    rule_ports, rule_parallelism, rule_tls, rule_layerwise,
)
