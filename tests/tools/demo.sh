#!/usr/bin/env bash
# The demonstration: simulated bare hosts, site.yml, the models, an answer, seconds per stage.
set -euo pipefail
scenario=${1:?scenario}
[ "$scenario" = mindie ] || { echo "SCENARIO=$scenario is not known; expected mindie." >&2; exit 2; }
simulator=(python tests/simulator/simulator.py)

"${simulator[@]}" deps
"${simulator[@]}" build
"${simulator[@]}" up
ANSIBLE_CALLBACKS_ENABLED=ansible.posix.profile_roles ansible-playbook -i inventories/simulator site.yml

master=10.89.7.11
echo
echo "Models:"
curl --noproxy '*' -sS "http://$master:1025/v1/models" | python -m json.tool --no-ensure-ascii
echo "Answer:"
curl --noproxy '*' -sS "http://$master:1025/v1/chat/completions" -H 'Content-Type: application/json' \
    -d '{"model": "DeepSeek-V3-int8", "messages": [{"role": "user", "content": "请介绍一下昇腾处理器。"}], "max_tokens": 64}' |
    python -m json.tool --no-ensure-ascii
cat <<TXT

The seconds per stage stand above, under PLAY RECAP.
Log in:   ssh -F .build/ssh/npuops.config npu01      (or npu02)
Look:     npu-smi info; hccn_tool -i 0 -ip -g; systemctl status mindie-mindie; journalctl -u mindie-mindie
Break:    npusim fault set link-down --device 3, then run the playbook again
Remove:   make demo-down
TXT
