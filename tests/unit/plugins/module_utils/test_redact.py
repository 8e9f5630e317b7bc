# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible_collections.npuops.ascend.plugins.module_utils import _redact
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = "pa55-Word.of/mine"

TEXTS = [
    f"HF_TOKEN={SECRET}",
    f"export MY_SECRET_VALUE='{SECRET}'",
    f"DB_PASSWORD={SECRET} and more",
    f"TOKENIZER_SERVICE={SECRET}",
    f'Environment="AWS_ACCESS_KEY_ID={SECRET}"',
    f"password: {SECRET}",
    f"  - api_key: {SECRET} {SECRET}",
    f'  "tlsPkPwd" : "{SECRET}",',
    f'{{"a": 1, "apiKey": "{SECRET}", "b": "{SECRET[::-1]}"}}'.replace(SECRET[::-1], "x"),
    f'"plugin_params": "{{\\"access_token\\": \\"{SECRET}\\"}}"',
    f"curl -H 'Authorization: Bearer {SECRET}' http://192.0.2.1",
    f"Authorization: Basic {SECRET}",
    f"proxy-authorization={SECRET}",
    f"docker login -u me --password {SECRET} registry",
    f"serve --api-key={SECRET} --port 1025",
    f"git clone https://user:{SECRET}@example.org/a.git".replace("of/mine", "ofmine"),
    f"2025-10-12 17:17:33 [INFO] login token={SECRET}",
    f"2025-10-12 17:17:33 [INFO] token: {SECRET}",
    f'["serve", "--token", "{SECRET}", "--port", "1"]',
    f'{{"Config": {{"Env": ["PATH=/bin", "VAULT_TOKEN={SECRET} {SECRET}"]}}}}',
    f'{{"secrets": ["{SECRET}", {{"a": "{SECRET}"}}], "secret": {{"deep": ["{SECRET}"]}}}}',
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n{SECRET}\n-----END RSA PRIVATE KEY-----\n",
    f"x -----BEGIN PRIVATE KEY----- {SECRET} -----END PRIVATE KEY-----",
    "using hf_abcdefghijklmnopqrstuvwx1234 of the hub",
]

KEPT = [
    "NPU_MEMORY_FRACTION=0.92",
    '"maxInputTokenLen" : 16384,',
    '"tokenTimeout": 600, "tokenizerProcessNumber": 8',
    '"tlsCert": "security/certs/server.pem"',
    "[ERROR] HCCL(7,python):2025-10-12-17:17:33.458.123 EI0006: Getting socket times out.",
    "net.ipv4.ip_local_reserved_ports = 60000-60031",
    "dev_id:0, tls switch[0](0:disable, 1:enable), tls preconfigured[1](0:non-preset, 1:preset)",
    "KeyError: 'model.layers.3.mlp.experts.w2_weight_offset'",
]


@pytest.mark.parametrize("text", TEXTS)
def test_secrets_are_removed(text):
    redacted = _redact.text(text)
    for secret in (SECRET, SECRET.replace("of/mine", "ofmine"), "hf_abcdefghijklmnopqrstuvwx1234"):
        assert secret not in redacted


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text):
    assert _redact.text(text) == text + "\n"


def test_json_stays_json():
    document = {"modelName": "m", "password": SECRET, "ServerConfig": {"port": 1025, "maxPrefillTokens": 8192, "keyed": [1, None, True]}}
    assert json.loads(_redact.text(json.dumps(document))) == {**document, "password": "***"}


def test_a_line_that_never_ends_is_cut():
    assert len(_redact.line("x" * 1_000_000)) < _redact.LINE_CHARACTERS + 10


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_taken(text):
    assert isinstance(_redact.text(text), str)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["{}={}", "export {}={}", '"{}": "{}"', "--{} {}", "--{}={}", "{}: {}", "run -e {}={} image"]),
    st.sampled_from(["HF_TOKEN", "db_password", "clientSecret", "api-key", "SSH_KEY_DATA"]),
    st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._+/=-]{7,30}\Z"),
    st.text(alphabet="abc xyz", max_size=10),
)
def test_a_named_secret_never_stays(form, name, value, before):
    if value.lower() in name.lower() + before:
        return
    assert value not in _redact.text(f"{before} {form.format(name, value)}")
