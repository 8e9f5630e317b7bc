#!/usr/bin/env bash
# Make .venv with the pinned Python packages, installing the system's venv support where it is missing.
set -euo pipefail
python=${1:?path of a Python 3.11 to 3.13}

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "Found $("$python" --version); the pinned ansible-core needs Python 3.11, 3.12 or 3.13. Set PYTHON=/path/to/python3.12." >&2
    exit 1
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    sudo=$([ "$(id -u)" = 0 ] || echo sudo)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    $sudo apt-get update -q
    $sudo apt-get install -q -y --no-install-recommends "python$version-venv"
fi
[ -x .venv/bin/pip ] || "$python" -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
