#!/usr/bin/env bash
# ansible-test wants a real directory named ansible_collections/npuops/ascend: it gets a copy of what git knows.
set -euo pipefail
copy=.build/sanity/ansible_collections/npuops/ascend
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --directory "$copy"
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
cd "$copy"
unset ANSIBLE_COLLECTIONS_PATH
ansible-test sanity --local --python "$python" --color no "$@"
