#!/bin/bash
# Runs the image of examples/01-hello as a release of the shipped catalogue (examples/05-release), prints where it answers.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/steps.sh
skerry=.venv/bin/skerry

answers() {
  .venv/bin/python - "$1" <<'END'
import sys, time, urllib.request
deadline = time.monotonic() + 20
while True:
    try:
        page = urllib.request.urlopen(sys.argv[1], timeout=5).read().decode()
        break
    except OSError as error:
        if time.monotonic() > deadline:
            sys.exit(f"{sys.argv[1]} does not answer: {error}")
        time.sleep(0.05)
sys.exit(0 if "Hello from Skerry" in page else f"{sys.argv[1]} answers with something else:\n{page}")
END
}

step "image hello:1 built" $skerry image build --build-context programs=/usr/bin -t hello:1 examples/01-hello
step "examples/05-release applied" $skerry kubectl apply -f examples/05-release
step "release ready" $skerry kubectl wait --for=condition=Ready release/hello --timeout 120s

address=$($skerry status -o json | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["nodePorts"].split(":")[0])')
port=$($skerry kubectl get service -l app.kubernetes.io/instance=hello -o 'jsonpath={.items[0].spec.ports[0].nodePort}')
step "http://$address:$port/ answers" answers "http://$address:$port/"

echo
echo "  http://$address:$port/"
echo "  export KUBECONFIG=$($skerry kubeconfig)"
echo "  portal: $($skerry status -o json | .venv/bin/python -c 'import json, sys; print(json.load(sys.stdin)["platform"]["url"])')/"
