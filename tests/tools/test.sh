#!/usr/bin/env bash
# Everything that has to pass, quick things first.
set -euo pipefail
log=.build/test.log
mkdir -p .build
: > "$log"

# What failed stands far above the end of a long output: say it again there.
again() {
    local status=$?
    if [ "$status" -ne 0 ]; then
        echo "== failed with exit code $status; of its output, in $log:"
        grep -nE '^(fatal|failed): |UNREACHABLE|^(FAILED|ERROR|E  ) |^ERROR ' "$log" | cut -c 1-1500 | tail -n 20 || true
    fi
}
trap again EXIT

stage() {
    local began=$SECONDS
    echo "== $1"
    shift
    "$@" 2>&1 | tee -a "$log"
    echo "== done in $((SECONDS - began)) s"
}
stage "static checks" tests/tools/lint.sh
stage "unit tests" env PYTHONPATH="$ANSIBLE_COLLECTIONS_PATH" python -m pytest -q -n auto tests/unit
stage "report in a browser" tests/tools/browser.sh
stage "ansible-test sanity" tests/tools/sanity.sh
stage "molecule" tests/tools/molecule.sh
