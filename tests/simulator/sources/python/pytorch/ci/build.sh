#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Stand-in of the npuops host simulator, with the arguments and the steps of the vendor's script.
set -e

version=3.8
for argument; do
    case "${argument}" in
        --python=*) version=${argument#*=} ;;
        --disable_torchair | --disable_rpc | --enable_submodule) ;;
        *) echo "ERROR Unsupported parameters: ${argument}"; exit 1 ;;
    esac
done
cd "$(dirname "$(readlink -f "$0")")/.."
rm -rf build dist
"python${version}" setup.py build bdist_wheel
