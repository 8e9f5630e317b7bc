#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Simulated kTransformers: behaves as the real install.sh of its version, compiles nothing.
set -e

backend=cuda
while [ $# -gt 0 ]; do
    case $1 in
        --dev) backend=$2; shift ;;
        *) echo "Unknown parameter passed: $1"; exit 1 ;;
    esac
    shift
done
export DEV_BACKEND=$backend
echo "Selected backend: $DEV_BACKEND"

# As the real one: whatever is in the user's configuration is lost.
rm -rf build dist ./*.egg-info csrc/build ~/.ktransformers

echo "Installing python dependencies from requirements-local_chat.txt"
python -m pip install -r requirements-local_chat.txt
python -m pip install -r ktransformers/server/requirements.txt

echo "Installing ktransformers"
export USE_BALANCE_SERVE=${USE_BALANCE_SERVE-@BALANCE_SERVE@}
KTRANSFORMERS_FORCE_BUILD=TRUE python setup.py bdist_wheel
python -m pip install --no-deps --no-index --force-reinstall dist/ktransformers-*.whl

if [ "$DEV_BACKEND" = cuda ]; then
    echo "Installing custom_flashinfer for the CUDA backend"
    python -m pip install third_party/custom_flashinfer/
fi
echo "Installation completed successfully"
