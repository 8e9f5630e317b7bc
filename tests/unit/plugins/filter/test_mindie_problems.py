# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.npuops.ascend.plugins.filter.mindie_problems import mindie_problems

DEPLOY = "BackendConfig.ModelDeployConfig."
SCHEDULE = "BackendConfig.ScheduleConfig."
# The values of the deployment guide.
GUIDE = {
    "ServerConfig.ipAddress": "192.0.2.11",
    "ServerConfig.port": 1025,
    "ServerConfig.managementPort": 1026,
    "BackendConfig.multiNodesInferEnabled": True,
    "BackendConfig.multiNodesInferPort": 1120,
    "BackendConfig.interNodeTLSEnabled": False,
    DEPLOY + "maxSeqLen": 32768,
    DEPLOY + "maxInputTokenLen": 16384,
    DEPLOY + "ModelConfig[0].modelName": "DeepSeek-V3-int8",
    DEPLOY + "ModelConfig[0].modelWeightPath": "/data/DeepSeek-V3-w8a8",
    SCHEDULE + "maxPrefillBatchSize": 10,
    SCHEDULE + "maxPrefillTokens": 32768,
    SCHEDULE + "maxIterTimes": 16384,
}


def test_the_values_of_the_guide_fit():
    assert mindie_problems(GUIDE, "2.0.T3.1") == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (SCHEDULE + "maxPrefillTokens", 8192),
        (SCHEDULE + "maxIterTimes", 40000),
        (DEPLOY + "maxInputTokenLen", 40000),
        ("BackendConfig.multiNodesInferPort", 1025),
        ("ServerConfig.port", 80),
        (DEPLOY + "ModelConfig[0].modelName", "Deep Seek"),
        ("ServerConfig.ipAddress", "npu01"),
    ],
)
def test_a_setting_that_contradicts_is_named(key, value):
    problems = mindie_problems({**GUIDE, key: value}, "2.0.T3.1")
    assert any(problem.split(":")[0] == key or key.rpartition(".")[2] in problem for problem in problems)


def test_a_key_path_that_is_none():
    assert "no key path" in mindie_problems({"ServerConfig..port": 1}, "2.0.T3.1")[0]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ServerConfig.port": 1030, "ServerConfig.port.x": 1}, ["ServerConfig.port.x: found ServerConfig.port and ServerConfig.port.x"]),
        ({"ServerConfig.port.x": 1, "ServerConfig.port": 1030}, ["ServerConfig.port.x: found ServerConfig.port and ServerConfig.port.x"]),
        ({"ServerConfig.port": 1030, "ServerConfig": {"port": 1031}}, ["ServerConfig.port: found 1030 and 1031"]),
        ({"ServerConfig.port": 1030, "ServerConfig[0]": 1}, ["ServerConfig: found object, expected array"]),
        ({"X[0]": 1, "X.a": 1, "ServerConfig..port": 1, "ServerConfig.port": 80}, ["X: found array", "no key path", "ServerConfig.port: found 80"]),
        ({DEPLOY + "ModelConfig[0]": 5, DEPLOY + "ModelConfig[0].modelName": "m"}, ["ModelConfig[0].modelName: found"]),
        ({DEPLOY + "ModelConfig": [], SCHEDULE + "templateType": "Mix"}, ["ModelConfig: found no model"]),
        ({"X": {"a": 1}, "X.b": 2}, ["X.b: found X and X.b"]),
    ],
)
def test_settings_that_contradict_each_other_are_named(settings, named):
    before = copy.deepcopy(settings)
    problems = mindie_problems(settings, "2.0.T3.1")
    for text in named:
        assert len([problem for problem in problems if text in problem]) == 1, problems
    assert settings == before


@pytest.mark.parametrize(
    "settings",
    [
        {"BackendConfig.npuDeviceIds[0][1]": 3, DEPLOY + "ModelConfig[0].worldSize": 8},
        {"BackendConfig.npuDeviceIds[1]": [4, 5, 6, 7], DEPLOY + "ModelConfig[0].worldSize": 4},
        {"Unknown[0][1]": 3},
        {"ServerConfig": {"port": 1030}, "ServerConfig.maxLinkNum": 300},
        # As the module takes them.
        {"ServerConfig.port": "1030", "ServerConfig.httpsEnabled": "false", "BackendConfig.npuDeviceIds": "[[0, 1]]"},
        # The file may hold another port than the default.
        {"ServerConfig.port": 1120},
    ],
)
def test_what_the_module_takes_is_no_problem(settings):
    before = copy.deepcopy(settings)
    assert mindie_problems(settings, "2.0.T3.1") == []
    assert settings == before


@pytest.mark.parametrize("value", ["a b", "a'b", 'a"b', "a\nb", "../a", "$(reboot)", "-rf", "a,b", "%h", ""])
def test_a_word_is_one_word(value):
    problems = mindie_problems({}, "2.0.T3.1", names={"mindie_instance": value})
    assert len(problems) == 1
    assert problems[0].startswith(f"mindie_instance: found {value!r}")


@pytest.mark.parametrize("value", ["/data/a b", "/data/../etc", "data", "/data/a,readonly=false", "/data/a\n", "/data/'a'", "/"])
def test_a_path_is_absolute_and_plain(value):
    problems = mindie_problems({}, "2.0.T3.1", paths={"mindie_model_path": value})
    assert len(problems) == 1
    assert problems[0].startswith(f"mindie_model_path: found {value!r}")


def test_plain_words_and_paths_are_taken():
    image = "swr.cn-south-1.myhuaweicloud.com/ascendhub/mindie:2.0.T3.1-800I-A2-py311-openeuler24.03-lts"
    assert mindie_problems({}, "2.0.T3.1", names={"mindie_image": image}, paths={"mindie_model_path": "/data/DeepSeek-V3-w8a8"}) == []


@pytest.mark.parametrize(("name", "value"), [("A B", "1"), ("A", "1\nB=2"), ("1A", "1")])
def test_the_environment_is_one_line_each(name, value):
    assert "mindie_environment" in mindie_problems({}, "2.0.T3.1", environment={name: value})[0]


def test_an_unreadable_version_is_a_problem():
    assert "not understood" in mindie_problems(GUIDE, "newest")[0]


def test_anything_but_settings_is_refused():
    with pytest.raises(AnsibleFilterError, match="dictionary of settings"):
        mindie_problems([], "2.0.T3.1")
