#!/usr/bin/env bash
# Everything that has to pass, quick things first.
set -euo pipefail
stage() {
    local began=$SECONDS
    echo "== $1"
    shift
    "$@"
    echo "== done in $((SECONDS - began)) s"
}
stage "static checks" tests/tools/lint.sh
stage "unit tests" env PYTHONPATH="$ANSIBLE_COLLECTIONS_PATH" python -m pytest -q -n auto tests/unit
stage "report in a browser" tests/tools/browser.sh
stage "ansible-test sanity" tests/tools/sanity.sh
stage "molecule" tests/tools/molecule.sh
