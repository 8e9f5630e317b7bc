#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Stand-in of the npuops host simulator, with the arguments and the steps of the vendor's script.
set -e

version=3.8
pytorch=master
for argument; do
    case "${argument}" in
        --python=*) version=${argument#*=} ;;
        --pytorch=*) pytorch=${argument#*=} ;;
        *) echo "ERROR Unsupported parameters: ${argument}"; exit 1 ;;
    esac
done
here=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
pytorch_path=${here}/build/pytorch
if [[ ! -d ${pytorch_path} ]]; then
    rm -rf "${here}/build"
    git clone --recursive -b "${pytorch}" https://gitee.com/ascend/pytorch.git "${pytorch_path}"
fi
mkdir -p "${pytorch_path}/third_party/op-plugin"
cp -rf "${here}/op_plugin" "${here}/codegen" "${pytorch_path}/third_party/op-plugin/"
export BUILD_WITHOUT_SHA=1
bash "${pytorch_path}/ci/build.sh" "--python=${version}" --disable_torchair --disable_rpc
rm -rf "${here}/dist"
cp -rf "${pytorch_path}/dist" "${here}"
