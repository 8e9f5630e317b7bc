#!/usr/bin/env bash
# ansible-test wants a real directory named ansible_collections/npuops/ascend: it gets a copy of what git knows.
set -euo pipefail
copy=$PWD/.build/sanity/ansible_collections/npuops/ascend
rm -rf "$copy"
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read 2>/dev/null | tar --extract --directory "$copy"
# A repository of its own: ansible-test asks git for the files, and this checkout ignores .build.
git -C "$copy" init --quiet
git -C "$copy" add --all

# ansible-test makes environments below HOME, and bootstraps pip with a script that it downloads from a server of its own.
# With a HOME of its own nothing of the user's is touched, and get_pip.py makes the server unnecessary.
home=$PWD/.build/sanity/home
mkdir -p "$home/.ansible/test/cache"
[ -e "$HOME/.config" ] && ln -sfn "$HOME/.config" "$home/.config"
[ -e "$HOME/.pip" ] && ln -sfn "$HOME/.pip" "$home/.pip"
requirements=$(python -c 'import ansible_test._internal as package; print(package.__path__[0])')/python_requirements.py
pip=$(sed -n "s/^ *pip='\([0-9.]*\)',$/\1/p" "$requirements" | head -n 1)
cp tests/tools/get_pip.py "$home/.ansible/test/cache/get_pip_${pip//./_}.py"

python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
unset ANSIBLE_COLLECTIONS_PATH PYTHONPATH
cd "$copy"
HOME=$home ansible-test sanity --local --python "$python" --color no "$@"
