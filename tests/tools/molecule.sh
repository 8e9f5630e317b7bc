#!/usr/bin/env bash
# The scenarios, on hosts that are made once:  molecule.sh [SCENARIO ...]
set -euo pipefail
python tests/simulator/simulator.py deps
export ANSIBLE_FORCE_COLOR=0 PY_COLORS=0
# Molecule keeps below HOME, by the name of the folder alone, what it has made: a run that was cut off, even of another checkout,
# would let this one skip making its hosts.
export MOLECULE_EPHEMERAL_DIRECTORY=$PWD/.build/molecule
rm -rf "$MOLECULE_EPHEMERAL_DIRECTORY"
if [ $# -gt 0 ]; then
    molecule test "${@/#/--scenario-name=}"
else
    molecule test --all
fi
