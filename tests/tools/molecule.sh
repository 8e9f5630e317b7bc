#!/usr/bin/env bash
# The scenarios:  molecule.sh [SCENARIO ...]
# Those that share the hosts of scenario default run one after the other; beside them, those that make hosts of their own (shared_state: false).
set -euo pipefail
python tests/simulator/simulator.py deps
export ANSIBLE_FORCE_COLOR=0 PY_COLORS=0

# Molecule keeps below HOME, by the name of the folder alone, what it has made: a run that was cut off, even of another checkout,
# would let this one skip making its hosts.
state=$PWD/.build/molecule
rm -rf "$state"
mkdir -p "$state"

if [ $# -eq 0 ]; then
    mapfile -t names < <(find molecule -mindepth 2 -maxdepth 2 -name molecule.yml -not -path '*/default/*' -printf '%h\n' | sort)
    set -- "${names[@]##*/}"
fi
shared=()
last=()
own=()
for scenario in "$@"; do
    if [ "$scenario" = faults ]; then
        # It needs a service that runs, as the others leave it, and plugs in other NPUs at its end.
        last=(faults)
    elif grep -q '^shared_state: false$' "molecule/$scenario/molecule.yml"; then
        own+=("$scenario")
    else
        shared+=("$scenario")
    fi
done

shared+=("${last[@]}")

on_own_hosts() {
    local scenario status=0
    for scenario in "${own[@]}"; do
        MOLECULE_EPHEMERAL_DIRECTORY=$state/$scenario molecule test --scenario-name="$scenario" || status=$?
    done
    return "$status"
}
on_shared_hosts() {
    [ ${#shared[@]} -eq 0 ] || MOLECULE_EPHEMERAL_DIRECTORY=$state/shared molecule test "${shared[@]/#/--scenario-name=}"
}

status=0
if [ ${#own[@]} -eq 0 ] || [ ${#shared[@]} -eq 0 ]; then
    on_shared_hosts || status=$?
    on_own_hosts || status=$?
else
    # Mixed, their outputs could not be read: one comes after the other.
    on_own_hosts > "$state/own.log" 2>&1 &
    beside=$!
    trap 'kill "$beside"; exit 130' INT TERM
    on_shared_hosts || status=$?
    wait "$beside" || status=$?
    echo "== beside those: ${own[*]}"
    cat "$state/own.log"
fi
exit "$status"
