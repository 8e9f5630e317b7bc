#!/usr/bin/env bash
# Copyright (c) 2026, npuops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds the simulated MindIE image as an archive for `docker load`:  build.sh OUT.tar
# Needs root, mmdebstrap and python3. Nothing is done while the inputs are those of the archive that is there;
# the base layer is kept beside it, so a change of the daemon costs a second.
set -euo pipefail

out=${1:?usage: build.sh OUT.tar}
here=$(dirname -- "$(readlink -f -- "$0")")
arch=$(dpkg --print-architecture)
base=$(dirname -- "${out}")/.mindie-base-trixie-${arch}.tar
packages=python3,iproute2,procps

inputs=$(cd "${here}" && find . -type f -not -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
inputs="${inputs%% *} ${arch}"
if [[ -f ${out} && $(cat "${out}.inputs" 2>/dev/null) == "${inputs}" ]]; then
    echo "${out} is up to date"
    exit 0
fi
mkdir -p "$(dirname -- "${out}")"

if [[ ! -f ${base} || $(cat "${base}.packages" 2>/dev/null) != "${packages}" ]]; then
    exclude=()
    for directory in doc man info locale lintian; do
        exclude+=("--dpkgopt=path-exclude=/usr/share/${directory}/*")
    done
    # Without device nodes, which an engine inside a container may not make.
    mmdebstrap --quiet --format=tar --variant=essential --include="${packages}" --skip=output/dev "${exclude[@]}" trixie "${base}.part"
    mv -- "${base}.part" "${base}"
    echo "${packages}" >"${base}.packages"
fi
python3 "${here}/image.py" "${base}" "${arch}" "${out}.part"
mv -- "${out}.part" "${out}"
echo "${inputs}" >"${out}.inputs"
echo "built ${out}: $(du -m -- "${out}" | cut -f1) MB"
