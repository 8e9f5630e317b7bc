#!/usr/bin/env bash
# The scenarios, on hosts that are made once:  molecule.sh [SCENARIO ...]
set -euo pipefail
python tests/simulator/simulator.py deps
export ANSIBLE_FORCE_COLOR=0 PY_COLORS=0
if [ $# -gt 0 ]; then
    molecule test "${@/#/--scenario-name=}"
else
    molecule test --all
fi
