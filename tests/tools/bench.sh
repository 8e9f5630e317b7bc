#!/usr/bin/env bash
# Ratios on simulated hosts that begin bare.
set -euo pipefail
python tests/simulator/simulator.py deps
python tests/simulator/simulator.py build
python tests/simulator/simulator.py up
python tests/simulator/simulator.py reset
PYTHONPATH="$ANSIBLE_COLLECTIONS_PATH" python tests/benchmarks/bench.py
