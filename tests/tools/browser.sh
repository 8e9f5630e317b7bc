#!/usr/bin/env bash
# The page of the report in a headless Chromium, which is installed where it is missing.
set -euo pipefail
if ! command -v chromium chromium-browser google-chrome >/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    $sudo apt-get update -q
    $sudo apt-get install -q -y --no-install-recommends chromium
fi
PYTHONPATH="$ANSIBLE_COLLECTIONS_PATH" python -m pytest -q tests/browser
