#!/usr/bin/env bash
# The scenarios, on hosts that are made once.
set -euo pipefail
python tests/simulator/simulator.py deps
export ANSIBLE_FORCE_COLOR=0 PY_COLORS=0
if [ $# -gt 0 ]; then
    for scenario in "$@"; do molecule test --scenario-name "$scenario"; done
else
    molecule test --all
fi
