#!/usr/bin/env bash
# Make .venv with the pinned Python packages, installing the system's venv support where it is missing.
set -euo pipefail
python=${1:-}

if [ -z "$python" ]; then
    echo "No Python 3.11, 3.12 or 3.13 found, which the pinned ansible-core needs. Install one, or set PYTHON=/path/to/python3.12." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    $sudo apt-get update -q
    $sudo apt-get install -q -y --no-install-recommends "python$version-venv"
fi
[ -x .venv/bin/pip ] || "$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
