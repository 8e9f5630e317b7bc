#!/usr/bin/env bash
# Everything that has to pass, quick things first.
set -euo pipefail
log=.build/test.log
mkdir -p .build
: > "$log"

# What failed stands far above the end of a long output: say it again there.
again() {
    local status=$?
    [ -z "$sanity" ] || kill -- "-$sanity" 2> /dev/null || true
    if [ "$status" -ne 0 ]; then
        echo "== failed with exit code $status; of its output, in $log:"
        grep -nE '^(fatal|failed): |UNREACHABLE|^(FAILED|ERROR:?|E  ) ' "$log" | cut -c 1-1500 | tail -n 20 || true
    fi
}
sanity=
trap again EXIT

stage() {
    local began=$SECONDS
    echo "== $1"
    shift
    "$@" 2>&1 | tee -a "$log"
    echo "== done in $((SECONDS - began)) s"
}
# Most of its checks use one processor only. In a group of its own, to be stopped as a whole when something else fails first.
setsid tests/tools/sanity.sh > .build/sanity.log 2>&1 &
sanity=$!

stage "static checks" tests/tools/lint.sh
stage "unit tests" env PYTHONPATH="$ANSIBLE_COLLECTIONS_PATH" python -m pytest -q -n auto tests/unit
stage "report in a browser" tests/tools/browser.sh
status=0
wait "$sanity" || status=$?
sanity=
stage "ansible-test sanity, which ran beside those" sh -c 'cat .build/sanity.log; exit "$1"' sh "$status"
stage "molecule" tests/tools/molecule.sh
