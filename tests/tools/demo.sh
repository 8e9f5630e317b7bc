#!/usr/bin/env bash
# The demonstration: simulated bare hosts, site.yml, the models, an answer, seconds per stage.
#   demo.sh SCENARIO        or        demo.sh SCENARIO down
set -euo pipefail
scenario=${1:?scenario}
case $scenario in
mindie)
    hosts=()
    inventory=inventories/simulator
    login=.build/ssh/npuops.config
    url=http://10.89.7.11:1025
    look="npu-smi info; hccn_tool -i 0 -ip -g; systemctl status mindie-mindie; journalctl -u mindie-mindie"
    ;;
ktransformers)
    hosts=(--prefix kt --os ubuntu --hosts 1 --management 10.89.9.0/24 --plane 10.89.48.0/20)
    inventory=inventories/simulator_ktransformers
    login=.build/ssh/kt.config
    url=http://10.89.9.11:10002
    look="npu-smi info; systemctl status ktransformers; journalctl -u ktransformers"
    ;;
*)
    echo "SCENARIO=$scenario is not known; expected mindie or ktransformers." >&2
    exit 2
    ;;
esac
simulator() { python tests/simulator/simulator.py "$1" "${hosts[@]}"; }
# The text at a path such as choices.0.message.content of the JSON on standard input.
value() { python -c 'import functools, json, sys
print(functools.reduce(lambda node, step: node[int(step) if step.isdigit() else step], sys.argv[1].split("."), json.load(sys.stdin)))' "$1"; }

if [ "${2:-}" = down ]; then
    simulator down
    exit
fi
for step in deps build up; do simulator $step; done
mkdir -p .build
ANSIBLE_CALLBACKS_ENABLED=ansible.posix.profile_roles,npuops.ascend.timings ansible-playbook -i "$inventory" site.yml | tee .build/demo.log

model=$(curl --noproxy '*' -sS "$url/v1/models" | value data.0.id)
question='请介绍一下昇腾处理器。'
answer=$(curl --noproxy '*' -sS "$url/v1/chat/completions" -H 'Content-Type: application/json' \
    -d "{\"model\": \"$model\", \"messages\": [{\"role\": \"user\", \"content\": \"$question\"}], \"max_tokens\": 64}" |
    value choices.0.message.content)
cat <<TXT

Model:    $model, at $url
Question: $question
Answer:   $answer

Seconds per stage:
$(sed -n '/^ROLES RECAP/,$p' .build/demo.log | grep -E -- '-+ [0-9.]+s$')

Log in:   ssh -F $login npu01
Look:     $look
Break:    npusim fault list; npusim fault set link-down --device 3; run site.yml again
Remove:   make demo-down SCENARIO=$scenario
TXT
