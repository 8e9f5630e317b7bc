# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.npuops.ascend.plugins.module_utils import _mindie_config as core
from ansible_collections.npuops.ascend.plugins.module_utils._mindie_schema import BY_PATH, KEYS, UnsupportedVersionError, family_of

SAMPLES = {
    "1.0.RC3": "mindie/config_1.0.RC3_mindformers_sample.json",
    "2.0.T3.1": "mindie/config_2.0.T3_two_node_deepseek_r1_w8a8.json",
    "2.0.RC1": "mindie/config_2.0.RC1_single_node.json",
    "2.2.RC1": "mindie/config_2.2.RC1_doc_default.json",
    "2.2": "mindie/config_2.2_gpustack_builtin_default.json",
    "2.3": "mindie/config_2.3dev_default_2025-12-22.json",
    "3.0.0.beta1": "mindie/config_3.0.0.beta1_default.json",
    "3.0.0": "mindie/config_3.0.0_default_2026-04.json",
}
MODEL = "BackendConfig.ModelDeployConfig.ModelConfig[0]."
DEPLOY = "BackendConfig.ModelDeployConfig."
SCHEDULE = "BackendConfig.ScheduleConfig."

# The values of the two-host DeepSeek-V3 guide.
GUIDE = {
    "ServerConfig.ipAddress": "192.0.2.11",
    "ServerConfig.managementIpAddress": "192.0.2.11",
    "ServerConfig.httpsEnabled": False,
    "ServerConfig.interCommTLSEnabled": False,
    "BackendConfig.multiNodesInferEnabled": True,
    "BackendConfig.interNodeTLSEnabled": False,
    "BackendConfig.npuDeviceIds": [[0, 1, 2, 3, 4, 5, 6, 7]],
    DEPLOY + "maxSeqLen": 32768,
    DEPLOY + "maxInputTokenLen": 16384,
    MODEL + "modelName": "DeepSeek-V3-int8",
    MODEL + "modelWeightPath": "/data/DeepSeek-V3-w8a8",
    MODEL + "worldSize": 8,
    SCHEDULE + "maxPrefillBatchSize": 10,
    SCHEDULE + "maxPrefillTokens": 32768,
    SCHEDULE + "maxIterTimes": 16384,
}


@pytest.fixture
def sample(fixture_text):
    return lambda version: fixture_text(SAMPLES[version])


def edited(text, version, changes, **kwargs):
    """Findings as (rule, path) after the settings, which must be applicable."""
    family = family_of(version)
    steps, problems = core.plan(core.parse(text), changes, family)
    assert problems == []
    return [(finding.rule, finding.path) for finding in core.validate(core.parse(core.apply(text, steps)), family, **kwargs)]


# Versions


@pytest.mark.parametrize("version, family, warns", [
    ("1.0.RC3", "1.0.RC3", False), ("1.0.RC3.1", "1.0.RC3", False), ("1.0.T71", "1.0.0", False), ("1.0.0", "1.0.0", False), ("1.0", "1.0.0", False),
    ("2.0.T3", "1.0.0", False), ("2.0.T3.1", "1.0.0", False), ("2.0.T3.1-800I-A2-py311-openeuler24.03-lts", "1.0.0", False),
    ("2.0.RC1", "2.0.RC1", False), ("2.0.rc2", "2.0.RC1", False), ("2.0.0", "2.0.RC1", False), ("2.1.RC1", "2.1", False), ("2.1.RC2", "2.1", False),
    ("2.2.RC1", "2.2.RC1", False), ("2.2.RC1.B153", "2.2.RC1", False), ("2.2.T10", "2.2.RC1", False), ("2.2", "2.2", False), ("2.2.0", "2.2", False),
    ("2.3.0", "2.3", False), ("3.0.0b2", "3.0", False), ("3.0.0.beta.1", "3.0", False), ("3.0.RC1", "3.0", False), ("v3.0.0", "3.0", False),
    ("3.0.0.1", "3.0", False), ("3.1.0", "3.0", True), ("2.7.RC1", "2.3", True), ("10.0", "3.0", True),
])
def test_the_family_of_a_version(version, family, warns):
    found = family_of(version)
    assert (found.name, bool(found.warning)) == (family, warns)
    if warns:
        assert version in found.warning and family in found.warning


@pytest.mark.parametrize("version", ["", "latest", "2", "1.0.RC2", "1.0.RC1-800I-A2-aarch64", "0.9", "2.0.X3", "2.0.RC", "2.0.RC1x", "2." + "9" * 5000,
                                     "9" * 5000 + ".0", "2.2.RC" + "9" * 5000])
def test_a_version_without_rules(version):
    with pytest.raises(UnsupportedVersionError):
        family_of(version)


# The samples of every version


@pytest.mark.parametrize("version", SAMPLES)
def test_each_sample_is_valid_for_its_version(sample, version):
    findings = core.validate(core.parse(sample(version)), family_of(version))
    # The manual of 2.2.RC1 misspells one optional key; the daemon ignores it.
    expected = [("misspelt-key", "BackendConfig.interNodeTlsCrlfiles", "warning")] if version == "2.2.RC1" else []
    assert [(finding.rule, finding.path, finding.severity) for finding in findings] == expected


def test_an_old_sample_lacks_the_compulsory_keys_of_a_newer_version(sample):
    findings = core.validate(core.parse(sample("2.0.T3.1")), family_of("2.0.RC1"))
    assert [(finding.rule, finding.path) for finding in findings if finding.severity == "error"] == [
        ("missing-key", "ServerConfig.tokenTimeout"), ("missing-key", "ServerConfig.e2eTimeout"), ("missing-key", "ServerConfig.distDPServerEnabled"),
    ]
    assert [finding.path for finding in findings if finding.severity == "warning"] == [
        "LogConfig.logLevel", "LogConfig.logFileSize", "LogConfig.logFileNum", "LogConfig.logPath",
    ]
    assert findings[0].vendor_message == "[ParamChecker::CheckJsonParamType] tokenTimeout: missing compulsory field"


def test_a_new_sample_in_an_old_version_has_keys_that_it_ignores(sample):
    findings = core.validate(core.parse(sample("2.2")), family_of("2.2.RC1"))
    assert {finding.severity for finding in findings} == {"warning"}
    assert {finding.path for finding in findings} == {
        "EnableDynamicAdjustTimeoutConfig", "ServerConfig.HealthCheckConfig", "ServerConfig.HealthCheckConfig.npuUsageThreshold",
        *(f"ServerConfig.layerwiseDisaggregated{name}" for name in ("", "RoleType", "MasterIpAddress", "SlaveIpAddress", "DataPort", "CrtlPort")),
    }


@pytest.mark.parametrize("version", [version for version in SAMPLES if version != "2.2.RC1"])
def test_the_guides_values_fit_every_version(sample, version):
    assert edited(sample(version), version, GUIDE, world_size=16) == []


# Rules between keys: each edit of a valid sample breaks exactly what it says


@pytest.mark.parametrize("settings_, expected", [
    ({DEPLOY + "maxInputTokenLen": 2561, SCHEDULE + "maxPrefillTokens": 8192}, [("input-exceeds-sequence", DEPLOY + "maxInputTokenLen")]),
    ({SCHEDULE + "maxIterTimes": 2561}, [("output-exceeds-sequence", SCHEDULE + "maxIterTimes")]),
    ({SCHEDULE + "maxIterTimes": 2560}, []),
    ({DEPLOY + "maxSeqLen": 20000, DEPLOY + "maxInputTokenLen": 8193}, [("prefill-below-input", DEPLOY + "maxInputTokenLen")]),
    ({DEPLOY + "maxSeqLen": 20000, DEPLOY + "maxInputTokenLen": 8193, SCHEDULE + "templateType": "Mix"}, []),
    ({SCHEDULE + "maxPrefillBatchSize": 201}, [("prefill-batch-exceeds-batch", SCHEDULE + "maxPrefillBatchSize")]),
    ({SCHEDULE + "maxPrefillBatchSize": 0}, []),
    ({SCHEDULE + "maxPreemptCount": 1}, []),
    ({SCHEDULE + "maxPreemptCount": 1, MODEL + "cpuMemSize": 0}, [("preempt-needs-cpu-memory", MODEL + "cpuMemSize")]),
    ({SCHEDULE + "maxPreemptCount": 201}, [("preempt-exceeds-batch", SCHEDULE + "maxPreemptCount")]),
    ({MODEL + "npuMemSize": 0}, [("npu-memory-zero", MODEL + "npuMemSize")]),
    ({MODEL + "npuMemSize": 8}, []),
    ({MODEL + "worldSize": 8}, [("device-count-differs", "BackendConfig.npuDeviceIds[0]")]),
    ({"BackendConfig.npuDeviceIds": [[0, 1, 2, 2]]}, [("device-repeated", "BackendConfig.npuDeviceIds[0]")]),
    ({"BackendConfig.npuDeviceIds": [[0, 1, 2, 3], [4, 5, 6, 7]]}, [("device-groups-differ", "BackendConfig.npuDeviceIds")]),
    ({"BackendConfig.npuDeviceIds": [[0, 1, 2, 3], [3, 4, 5, 6]], "BackendConfig.modelInstanceNumber": 2},
     [("device-repeated", "BackendConfig.npuDeviceIds[1]")]),
    ({"BackendConfig.npuDeviceIds": [[0, 1, 2, 3], [4, 5, 6, 7]], "BackendConfig.modelInstanceNumber": 2}, []),
    ({"BackendConfig.npuDeviceIds": [[0, 1, 2, 3], [4, 5, 6, 7]], "BackendConfig.modelInstanceNumber": 2, "BackendConfig.multiNodesInferEnabled": True},
     [("multi-node-instances", "BackendConfig.modelInstanceNumber")]),
    ({"BackendConfig.multiNodesInferPort": 1025}, [("port-equals-multi-node-port", "BackendConfig.multiNodesInferPort")]),
    ({"ServerConfig.managementIpAddress": "127.0.0.1", "ServerConfig.metricsPort": 1025}, [("port-taken-twice", "ServerConfig.metricsPort")]),
    ({"ServerConfig.managementIpAddress": "127.0.0.1", "ServerConfig.metricsPort": 1025, "ServerConfig.managementPort": 1025}, []),
    ({"ServerConfig.metricsPort": 1026}, []),
    ({"ServerConfig.metricsPort": 1025}, []),
    ({"ServerConfig.managementIpAddress": "127.0.0.1", "BackendConfig.multiNodesInferEnabled": True, "BackendConfig.multiNodesInferPort": 1027},
     [("port-taken-twice", "BackendConfig.multiNodesInferPort")]),
    ({"ServerConfig.ipAddress": "0.0.0.0"}, [("wildcard-address", "ServerConfig.ipAddress")]),
    ({"ServerConfig.ipAddress": "0.0.0.0", "ServerConfig.allowAllZeroIpListening": True}, []),
    ({"ServerConfig.ipAddress": "::1"}, []),
    ({"ServerConfig.httpsEnabled": True}, []),
    ({"ServerConfig.httpsEnabled": True, "ServerConfig.tlsCert": ""}, [("tls-key-missing", "ServerConfig.tlsCert")]),
    ({"ServerConfig.httpsEnabled": True, "ServerConfig.tlsCaFile": ["a", "b", "c", "d"]}, [("tls-too-many-files", "ServerConfig.tlsCaFile")]),
    ({"ServerConfig.httpsEnabled": True, "ServerConfig.tlsPk": "/etc/key.pem"}, [("tls-path-outside", "ServerConfig.tlsPk")]),
    ({"ServerConfig.httpsEnabled": True, "ServerConfig.tlsPk": "a/../../key.pem"}, [("tls-path-outside", "ServerConfig.tlsPk")]),
    ({"ServerConfig.tlsCert": ""}, []),
    ({"ServerConfig.interCommPk": ""}, []),
    ({"ServerConfig.interCommPk": "", "ServerConfig.inferMode": "dmi"}, [("tls-key-missing", "ServerConfig.interCommPk")]),
    ({"ServerConfig.inferMode": "dmi", "ServerConfig.interCommPort": 1025}, [("port-taken-twice", "ServerConfig.interCommPort")]),
    ({"BackendConfig.interNodeTlsPk": ""}, [("tls-key-missing", "BackendConfig.interNodeTlsPk")]),
    ({"BackendConfig.interNodeTlsPk": "", "BackendConfig.interNodeTLSEnabled": False}, []),
    ({MODEL + "dp": 2, MODEL + "tp": 2}, []),
    ({MODEL + "dp": 2, MODEL + "tp": 4}, [("parallel-product", MODEL + "dp")]),
    ({MODEL + "dp": -1, MODEL + "tp": 8}, []),
    ({MODEL + "dp": 1, MODEL + "tp": 2, MODEL + "pp": 2}, []),
    ({MODEL + "moe_ep": 2, MODEL + "moe_tp": 4}, [("parallel-product", MODEL + "moe_ep")]),
    ({MODEL + "sp": 3, MODEL + "tp": 4}, [("parallel-sp", MODEL + "sp")]),
    ({MODEL + "tp": 0}, [("parallel-degree", MODEL + "tp")]),
    ({"BackendConfig.backendName": "vllm"}, [("unknown-backend", "BackendConfig.backendName")]),
    ({"ServerConfig.port": 1120}, [("port-equals-multi-node-port", "BackendConfig.multiNodesInferPort")]),
    ({SCHEDULE + "maxPrefillTokens": 4096}, [("outside-documented-range", SCHEDULE + "maxPrefillTokens")]),
])
def test_rules_between_keys(sample, settings_, expected):
    assert edited(sample("2.0.RC1"), "2.0.RC1", settings_) == expected


TWO_HOSTS = {**GUIDE, MODEL + "dp": 2, MODEL + "sp": 1, MODEL + "tp": 8, MODEL + "moe_ep": 4, MODEL + "moe_tp": 4}


@pytest.mark.parametrize("extra, world_size, expected", [
    ({}, 16, []),
    ({}, None, []),
    ({}, 32, [("parallel-product", MODEL + "dp"), ("parallel-product", MODEL + "moe_ep")]),
    ({MODEL + "dp": 3, MODEL + "tp": 4}, None, [("parallel-product", MODEL + "dp")]),
    ({MODEL + "moe_tp": 8}, 16, [("parallel-product", MODEL + "moe_ep")]),
])
def test_parallelism_over_several_hosts(sample, extra, world_size, expected):
    assert edited(sample("2.0.T3.1"), "2.0.T3.1", {**TWO_HOSTS, **extra}, world_size=world_size) == expected


def test_the_ids_are_counted_on_several_hosts_too_but_may_repeat(sample):
    # The engine compares the size with worldSize before it takes the ids of the rank table instead.
    text = sample("2.0.T3.1")
    assert edited(text, "2.0.T3.1", {"BackendConfig.npuDeviceIds": [[0, 0, 1, 2, 3, 4, 5, 6]]}) == []
    assert edited(text, "2.0.T3.1", {"BackendConfig.npuDeviceIds": [[0, 1, 2, 3]]}) == [("device-count-differs", "BackendConfig.npuDeviceIds[0]")]


def test_standard_takes_one_model(sample):
    text = sample("2.0.RC1")
    config = core.parse(text)
    second = {**config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0], "modelName": "other"}
    rules = edited(text, "2.0.RC1", {DEPLOY + "ModelConfig[1]": second})
    assert rules == [("standard-needs-one-model", DEPLOY + "ModelConfig")]
    assert edited(text, "2.0.RC1", {DEPLOY + "ModelConfig": []}) == [("standard-needs-one-model", DEPLOY + "ModelConfig")]
    assert edited(text, "2.0.RC1", {DEPLOY + "ModelConfig": [], SCHEDULE + "templateType": "Mix"}) == [("no-model", DEPLOY + "ModelConfig")]


def test_another_backend_is_a_warning(sample):
    config = core.parse(sample("2.0.RC1"))
    config["BackendConfig"]["backendName"] = "llm_engine"
    assert [(finding.rule, finding.severity) for finding in core.validate(config, family_of("2.0.RC1"))] == [("unknown-backend", "warning")]


def test_the_default_of_the_port_between_hosts_counts(sample):
    config = core.parse(sample("2.0.RC1"))
    config["ServerConfig"]["port"] = 1120
    del config["BackendConfig"]["multiNodesInferPort"]
    finding, = core.validate(config, family_of("2.0.RC1"))
    assert (finding.rule, finding.observed) == ("port-equals-multi-node-port", "absent, which means 1120")


@pytest.mark.parametrize("key", ["", "ServerConfig.port", "serverconfig.port", "A[0]", "BackendConfig.ModelDeployConfig.ModelConfig[0].worldSize"])
def test_a_key_that_looks_like_a_path_is_none(sample, key):
    config = core.parse(sample("2.0.RC1"))
    config[key] = config["ServerConfig"][key] = 80
    assert core.validate(config, family_of("2.0.RC1")) == []


@pytest.mark.parametrize("depth", [50, 500, 900, 100_000])
@pytest.mark.parametrize("path", ["BackendConfig.npuDeviceIds", MODEL + "plugin_params", "ServerConfig.tlsCaFile"])
def test_deeply_nested_text_is_a_finding(sample, path, depth):
    text, family = sample("2.0.RC1"), family_of("2.0.RC1")
    value = "[" * depth + ("]" * depth if depth < 100_000 else "")
    findings = core.plan(core.parse(text), {path: value}, family)[1]
    # plugin_params may hold any JSON that Python can still read.
    assert depth == 900 or bool(findings) != (path.endswith("plugin_params") and depth < 900)
    config = core.parse(text)
    for content in (value, json.loads(value) if depth < 900 else []):
        core.get_value(config, core.parse_path(path)[:-1])[path.rsplit(".", 1)[-1]] = content
        assert all(finding.observed for finding in core.validate(config, family))


def test_a_product_too_long_to_write_is_left_out(sample):
    config = core.parse(sample("2.0.RC1"))
    config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0].update(dp=10**4000, tp=10**4000)
    assert [finding.rule for finding in core.validate(config, family_of("2.0.RC1"))] == ["out-of-range"] * 2


@pytest.mark.parametrize("settings_, expected", [
    ({MODEL + "dp": -1}, [("parallel-degree", MODEL + "dp")]),
    ({SCHEDULE + "maxN": 201}, [("beam-exceeds-batch", SCHEDULE + "maxN")]),
    ({"ServerConfig.layerwiseDisaggregated": True}, [("layerwise-conflict", "ServerConfig.layerwiseDisaggregatedRoleType")]),
    ({"ServerConfig.layerwiseDisaggregated": True, "ServerConfig.layerwiseDisaggregatedRoleType": "master", MODEL + "backendType": "torch"},
     [("layerwise-conflict", MODEL + "backendType")]),
    ({"ServerConfig.metricsTlsPk": ""}, [("tls-key-missing", "ServerConfig.metricsTlsPk")]),
    ({"ServerConfig.metricsTlsPk": "", "ServerConfig.httpsEnabled": False}, []),
    ({DEPLOY + "truncation": -1}, []),
    ({SCHEDULE + "maxPrefillTokens": 2048}, []),
])
def test_rules_of_3_0(sample, settings_, expected):
    assert edited(sample("3.0.0"), "3.0.0", settings_) == expected


def test_a_finding_says_what_to_do_and_what_the_daemon_prints(sample):
    config = core.parse(sample("2.0.RC1"))
    config["BackendConfig"]["ScheduleConfig"]["maxPrefillTokens"] = 1024
    finding = core.validate(config, family_of("2.0.RC1"))[0]
    assert (finding.rule, finding.observed, finding.expected) == ("prefill-below-input", "2048", "at most maxPrefillTokens (1024)")
    assert finding.remedy == f"Lower {DEPLOY}maxInputTokenLen, or raise {SCHEDULE}maxPrefillTokens."
    assert finding.vendor_message == "The value of maxPrefillTokens should not be less than maxInputTokenLen."


def test_a_misspelt_compulsory_key_is_named(sample):
    # The misspelling of a vendor README.
    text = sample("2.0.RC1").replace("npuDeviceIds", "npudeviceIds")
    findings = core.validate(core.parse(text), family_of("2.0.RC1"))
    assert [(finding.rule, finding.path) for finding in findings] == [
        ("missing-key", "BackendConfig.npuDeviceIds"), ("misspelt-key", "BackendConfig.npudeviceIds"),
    ]
    assert findings[0].remedy == "Rename 'npudeviceIds' to 'npuDeviceIds'."


@pytest.mark.parametrize("path", [key.path for key in KEYS if key.required_in(family_of("3.0"))])
def test_every_compulsory_key_is_missed(sample, path):
    config = core.parse(sample("3.0.0"))
    steps = core.parse_path(path.replace("[]", "[0]"))
    del core.get_value(config, steps[:-1])[steps[-1]]
    assert ("missing-key", core.format_path(steps)) in [(finding.rule, finding.path) for finding in core.validate(config, family_of("3.0"))]


WRONG = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.text(max_size=3),
                  st.lists(st.integers(0, 3) | st.text(max_size=2) | st.lists(st.integers(), max_size=2), max_size=3),
                  st.dictionaries(st.text(max_size=2), st.none()))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(BY_PATH)), WRONG, st.sampled_from(["1.0.RC3", "2.0.T3.1", "3.0.0"]))
def test_no_value_of_any_key_breaks_the_validator(fixture_text, path, value, version):
    config = core.parse(fixture_text(SAMPLES[version]))
    steps = core.parse_path(path.replace("[]", "[0]"))
    node = core.get_value(config, steps[:-1])
    if isinstance(node, dict):
        node[steps[-1]] = value
    for finding in core.validate(config, family_of(version)):
        assert finding.rule and finding.path and finding.observed and finding.expected and finding.remedy


# Settings


@pytest.mark.parametrize("path, value, expected", [
    ("ServerConfig.port", "1035", 1035), ("ServerConfig.port", " 1035 ", 1035), (MODEL + "dp", "-1", -1),
    ("ServerConfig.httpsEnabled", "True", True), ("ServerConfig.interCommTLSEnabled", "no", False),
    ("BackendConfig.npuDeviceIds", "[[0, 1], [2, 3]]", [[0, 1], [2, 3]]), ("BackendConfig.npuDeviceIds", [["0", "1"]], [[0, 1]]),
    (MODEL + "plugin_params", {"plugin_type": "mtp", "num_speculative_tokens": 1}, '{"plugin_type": "mtp", "num_speculative_tokens": 1}'),
    (MODEL + "plugin_params", '{"plugin_type":"mtp"}', '{"plugin_type":"mtp"}'),
    (DEPLOY + "truncation", "true", True), (MODEL + "models", {"deepseekv2": {"ep_level": 2}}, {"deepseekv2": {"ep_level": 2}}),
    (MODEL + "modelName", "2025", "2025"),
])
def test_a_setting_takes_the_type_of_its_key(sample, path, value, expected):
    text = sample("2.0.RC1")
    changes, findings = core.plan(core.parse(text), {path: value}, family_of("2.0.RC1"))
    assert findings == []
    assert core.get_value(core.parse(core.apply(text, changes)), core.parse_path(path)) == expected
    assert type(changes[0].after) is type(expected)


@pytest.mark.parametrize("path, value, rule, expected", [
    ("ServerConfig.port", "http", "wrong-type", "integer"), ("ServerConfig.port", True, "wrong-type", "integer"),
    ("ServerConfig.port", 1025.0, "wrong-type", "integer"), ("ServerConfig.port", None, "wrong-type", "a value"),
    ("ServerConfig.port", 80, "out-of-range", "[1024, 65535]"), ("ServerConfig.maxLinkNum", 0, "out-of-range", "[1, 4096]"),
    ("ServerConfig.httpsEnabled", 1, "wrong-type", "boolean"), ("ServerConfig.httpsEnabled", "maybe", "wrong-type", "boolean"),
    ("ServerConfig", "x", "wrong-type", "object"), (MODEL + "modelName", 5, "wrong-type", "string"),
    (MODEL + "modelName", "DeepSeek V3", "bad-form", "1 to 256 of the characters [a-zA-Z0-9_.-], a letter or digit first and last"),
    (MODEL + "modelName", "x\n", "bad-form", "1 to 256 of the characters [a-zA-Z0-9_.-], a letter or digit first and last"),
    (MODEL + "modelWeightPath", "data/x", "bad-form", "an absolute directory of the characters [0-9a-zA-Z_./-], without .."),
    (MODEL + "modelWeightPath", "/data/../etc", "bad-form", "an absolute directory of the characters [0-9a-zA-Z_./-], without .."),
    (MODEL + "modelWeightPath", "/data/a b", "bad-form", "an absolute directory of the characters [0-9a-zA-Z_./-], without .."),
    (MODEL + "backendType", "vllm", "not-allowed", 'one of "atb", "ms", "torch"'),
    (SCHEDULE + "cacheBlockSize", 100, "out-of-range", "a multiple of 16"),
    ("ServerConfig.ipAddress", "192.0.2.300", "bad-address", "an IPv4 or IPv6 address"),
    ("ServerConfig.ipAddress", "fe80::1%eth0", "bad-address", "an IPv4 or IPv6 address"),
    (DEPLOY + "truncation", 1, "out-of-range", "true or false (the integers came with 3.0)"),
    ("BackendConfig.npuDeviceIds", [0, 1], "wrong-type", "array of arrays of integers, such as [[0,1,2,3]]"),
    ("BackendConfig.npuDeviceIds", [[0, -1]], "out-of-range", "[0, ]"),
])
def test_a_setting_of_the_wrong_kind_is_refused(sample, path, value, rule, expected):
    changes, findings = core.plan(core.parse(sample("2.0.RC1")), {path: value}, family_of("2.0.RC1"))
    assert changes == [] and [(finding.rule, finding.path, finding.expected) for finding in findings] == [(rule, path, expected)]


@pytest.mark.parametrize("path, suggestion", [
    ("BackendConfig.npudeviceIds", "Did you mean BackendConfig.npuDeviceIds?"),
    ("BackendConfig.maxSeqLen", "Did you mean BackendConfig.ModelDeployConfig.maxSeqLen?"),
    ("modelName", f"Did you mean {MODEL}modelName?"),
    ("ServerConfig.httpEnabled", "Did you mean ServerConfig.httpsEnabled?"),
    ("ServerConfig.flux", "Check the spelling against the manual of this version."),
])
def test_an_unknown_key_is_refused_with_the_nearest_one(sample, path, suggestion):
    changes, findings = core.plan(core.parse(sample("2.0.RC1")), {path: 1}, family_of("2.0.RC1"))
    assert changes == [] and [(finding.rule, finding.path, finding.remedy) for finding in findings] == [("unknown-key", path, suggestion)]


@pytest.mark.parametrize("version, path, value, observed", [
    ("2.0.T3.1", "ServerConfig.tokenTimeout", 600, "a key that came with 2.0.RC1"),
    ("3.0.0", "ServerConfig.tlsPkPwd", "x", "a key that was removed with 3.0"),
])
def test_a_key_of_another_version_is_refused(sample, version, path, value, observed):
    findings = core.plan(core.parse(sample(version)), {path: value}, family_of(version))[1]
    assert [(finding.rule, finding.observed) for finding in findings] == [("key-not-in-version", observed)]


def test_a_key_that_only_the_file_knows_can_be_set_and_stays(sample):
    text = sample("2.0.RC1").replace('"fullTextEnabled": false', '"fullTextEnabled": false,\n        "vendorSecretSauce": 7')
    assert edited(text, "2.0.RC1", {"ServerConfig.vendorSecretSauce": "8"}) == []
    changes = core.plan(core.parse(text), {"ServerConfig.vendorSecretSauce": "8", "ServerConfig.port": 1030}, family_of("2.0.RC1"))[0]
    assert core.parse(core.apply(text, changes))["ServerConfig"]["vendorSecretSauce"] == 8


def test_mappings_set_the_keys_they_name_and_keep_the_others(sample):
    text = sample("2.0.RC1")
    nested = {"ServerConfig": {"port": 1030}, "BackendConfig": {"ModelDeployConfig": {"ModelConfig": [{"modelName": "m", "worldSize": 2}]}}}
    changes, findings = core.plan(core.parse(text), nested, family_of("2.0.RC1"))
    assert findings == []
    assert [(core.format_path(change.path), change.before, change.after) for change in changes] == [
        ("ServerConfig.port", 1025, 1030), (MODEL + "modelName", "deepseek-r1", "m"), (MODEL + "worldSize", 4, 2),
    ]


@pytest.mark.parametrize("settings_, rule", [
    ({"ServerConfig.port": 1, "ServerConfig": {"port": 2}}, "out-of-range"),
    ({"ServerConfig.port": 1030, "ServerConfig": {"port": 1031}}, "set-twice"),
    ({MODEL + "models": {}, MODEL + "models.x": 1}, "set-twice"),
    ({DEPLOY + "ModelConfig[3].modelName": "m"}, "bad-index"),
    ({"ServerConfig..port": 1}, "bad-path"),
    ({"": 1}, "bad-path"),
    ({"ServerConfig.port.x": 1}, "unknown-key"),
])
def test_settings_that_contradict_themselves_or_lead_nowhere(sample, settings_, rule):
    findings = core.plan(core.parse(sample("2.0.RC1")), settings_, family_of("2.0.RC1"))[1]
    assert rule in [finding.rule for finding in findings]


def test_a_way_that_is_blocked_by_another_type():
    findings = core.plan({"ServerConfig": [], "BackendConfig": {"ModelDeployConfig": {"ModelConfig": {}}}},
                         {"ServerConfig.port": 1030, MODEL + "modelName": "m"}, family_of("2.0.RC1"))[1]
    assert [(finding.rule, finding.path, finding.expected) for finding in findings] == [
        ("wrong-type", "ServerConfig", "object"), ("wrong-type", DEPLOY + "ModelConfig", "array"),
    ]


# Key paths

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,8}", fullmatch=True)
PATHS = st.tuples(NAMES, st.lists(NAMES | st.integers(0, 20), max_size=4)).map(lambda parts: (parts[0], *parts[1]))


def test_the_path_grammar():
    assert core.parse_path("A.B[0][12].c") == ("A", "B", 0, 12, "c")


@pytest.mark.parametrize("text", ["", ".", "A.", ".A", "A..B", "[0]", "A[-1]", "A[]", "A[x]", "A[0]b", "A B", "A.0", "A[0", "A\n", "A.'b'"])
def test_texts_that_are_no_path(text):
    with pytest.raises(ValueError, match="path"):
        core.parse_path(text)


@settings(max_examples=200, deadline=None)
@given(PATHS)
def test_paths_round_trip(path):
    assert core.parse_path(core.format_path(path)) == path


# Editing in place

JSON = st.recursive(st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=12)


def places(value, path=()):
    """Every place of a value, and for each container the place where a new entry goes."""
    if path:
        yield path
    if isinstance(value, dict):
        yield path + ("aNewKey",)
        for name, item in value.items():
            yield from places(item, path + (name,))
    elif isinstance(value, list):
        yield path + (len(value),)
        for index, item in enumerate(value):
            yield from places(item, path + (index,))


def set_plainly(config, path, value):
    node = core.get_value(config, path[:-1])
    if isinstance(node, list) and path[-1] == len(node):
        node.append(value)
    else:
        node[path[-1]] = value


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4), JSON, st.sampled_from([None, 2, 4, "\t"]), st.sampled_from(["\n", "\r\n"]), st.data())
def test_an_edit_changes_one_value_and_nothing_else(config, value, indent, newline, data):
    text = json.dumps(config, indent=indent, ensure_ascii=data.draw(st.booleans())).replace("\n", newline)
    path = data.draw(st.sampled_from(list(places(config))))
    expected = copy.deepcopy(config)
    set_plainly(expected, path, value)
    after = core.apply(text, [core.Change(path, core.get_value(config, path), value)])
    assert core.parse(after) == expected
    assert after.endswith("\n") and ("\r\n" in text) <= ("\n" not in after.replace("\r\n", ""))
    assert core.get_value(core.parse(after), path) == value


@pytest.mark.parametrize("version", SAMPLES)
def test_an_edit_of_a_sample_touches_its_own_lines_only(sample, version):
    text = sample(version)
    config = core.parse(text)
    changes, findings = core.plan(config, {"ServerConfig.port": 1030, MODEL + "modelName": "m"}, family_of(version))
    assert findings == []
    before, after = text.splitlines(), core.apply(text, changes).splitlines()
    assert len(before) == len(after)
    changed = [(old.strip(), new.strip()) for old, new in zip(before, after) if old != new]
    old_name = config["BackendConfig"]["ModelDeployConfig"]["ModelConfig"][0]["modelName"]
    colon = " : " if '"port" : ' in text else ": "
    assert changed == [
        (f'"port"{colon}1025,', f'"port"{colon}1030,'), (f'"modelName"{colon}"{old_name}",', f'"modelName"{colon}"m",'),
    ]


def test_new_keys_are_laid_out_like_their_neighbours():
    text = '{\n  "LogConfig": {},\n  "ServerConfig" : {\n    "port" : 1025\n  }\n}\n'
    changes = [core.Change(("ServerConfig", "e2eTimeout"), core.MISSING, 600), core.Change(("LogConfig", "logLevel"), core.MISSING, "Info"),
               core.Change(("BackendConfig", "ModelConfig", 0, "dp"), core.MISSING, 2)]
    assert core.apply(text, changes) == (
        '{\n  "LogConfig": {\n    "logLevel": "Info"\n  },\n  "ServerConfig" : {\n    "port" : 1025,\n    "e2eTimeout": 600\n  },\n'
        '  "BackendConfig": {\n    "ModelConfig": [\n      {\n        "dp": 2\n      }\n    ]\n  }\n}\n'
    )


def test_a_value_keeps_to_one_line_or_to_many_as_before():
    change = [core.Change(("ids",), None, [[0, 1]])]
    assert core.apply('{\n    "ids": [[0,1,2,3]]\n}\n', change) == '{\n    "ids": [[0, 1]]\n}\n'
    assert core.apply('{\n  "ids": [\n    [\n      0\n    ]\n  ]\n}\n', change) == '{\n  "ids": [\n    [\n      0,\n      1\n    ]\n  ]\n}\n'


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(GUIDE)), st.none(), min_size=1))
def test_settings_are_idempotent(fixture_text, chosen):
    text, family = fixture_text(SAMPLES["2.0.T3.1"]), family_of("2.0.T3.1")
    wanted = {path: GUIDE[path] for path in chosen}
    after = core.apply(text, core.plan(core.parse(text), wanted, family)[0])
    assert core.plan(core.parse(after), wanted, family) == ([], [])
    assert core.apply(after, []) == after


def test_one_is_not_true():
    changes = core.plan({"ServerConfig": {"httpsEnabled": 1}}, {"ServerConfig.httpsEnabled": True}, family_of("3.0"))[0]
    assert [change.after for change in changes] == [True]


# Faults of JSON


@pytest.mark.parametrize("text, line, column, found", [
    ('{\n  "a": 1, // note\n  "b": 2\n}', 2, 11, "a comment. JSON has none; remove it."),
    ('{\n  "a": 1 /* note */\n}', 2, 10, "a comment"),
    ('# head\n{}', 1, 1, "a comment"),
    ('{\n  "a": {\n    ...\n  }\n}', 3, 5, "'...'. It stands for left-out keys in a manual"),
    ('{\n  "a": 1,\n}', 2, 9, "a comma before the closing bracket. Remove the comma."),
    ('{"a": [1, 2, ]}', 1, 12, "a comma before the closing bracket"),
    ("{'a': 1}", 1, 2, "the quotation mark '"),
    ('{\u201ca\u201d: 1}', 1, 2, "the quotation mark \u201c"),
    ('{\n  "a": 1,\n  "b": {', 3, 9, "the end of the file inside a value"),
    ('{\n  "a": "xy', 2, 8, "the end of the file inside a value"),
    ('{\n  "a": 1\n  "b": 2\n}', 3, 3, "'\"b\": 2\\n}'. Expecting ',' delimiter"),
    ('{"a": 1} x', 1, 10, "'x'. Extra data"),
    ('[]', 1, 1, "array at the top"),
    ('{"a": 1,\n "b": {"c": 1, "d": 2, "c": 3}}', 2, 24, "the key 'c' a second time in its object"),
    ('{"a": [{"x": 1}, {"x": 1, "x": 2}]}', 1, 27, "the key 'x' a second time"),
    ('{"a": "NaN",\n "b": NaN}', 2, 7, "NaN. JSON has no such number"),
    ('{"a": [-Infinity]}', 1, 8, "-Infinity"),
])
def test_what_is_not_json_is_named_with_its_place(text, line, column, found):
    with pytest.raises(core.ConfigSyntaxError) as caught:
        core.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"line {line}, column {column}: found {found}")


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python reads numbers of any length")
@pytest.mark.parametrize("text, line, column", [
    ('{"a": ' + "9" * 5000 + "}", 1, 7),
    ('{"a": "' + "9" * 5000 + '",\n "b": [0, -' + "9" * 5000 + "]}", 2, 11),
])
def test_a_number_of_thousands_of_digits_is_named_with_its_place(text, line, column):
    with pytest.raises(core.ConfigSyntaxError, match="found a number of 5000 digits") as caught:
        core.parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize("data, found", [
    (b"", "an empty file"), (b" \n", "an empty file"), (b"\xef\xbb\xbf{}", "a byte order mark"),
    (b'{\n "a": "\xb0"}', "the byte 0xb0, which is not UTF-8"), (b"{}" + b" " * core.MAX_BYTES, "10485762 bytes"),
])
def test_bytes_that_the_engine_cannot_read(data, found):
    with pytest.raises(core.ConfigSyntaxError, match=found):
        core.decode(data)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet='{}[],:"\\/.0a1 \n\u201cNnul-', max_size=20))
def test_any_text_is_read_or_refused(text):
    try:
        core.parse(text)
    except core.ConfigSyntaxError as error:
        assert error.line >= 1 and error.column >= 1


def test_a_sample_cut_anywhere_is_refused(sample):
    text = sample("2.0.T3.1").rstrip()
    for end in range(0, len(text), 97):
        with pytest.raises(core.ConfigSyntaxError):
            core.parse(text[:end])


def test_deep_nesting_is_refused():
    with pytest.raises(core.ConfigSyntaxError, match="nested too deeply"):
        core.parse('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}")
