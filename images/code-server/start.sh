#!/bin/bash
# Who may come in: whoever has PASSWORD. With SIGN_IN=platform everybody who reaches it, since the platform's single sign-on
# stands in front; the chart says so only where that is so.
set -euo pipefail
if [ "${SIGN_IN:-}" = platform ]; then
  auth=none
else
  : "${PASSWORD:?is not set, and neither is SIGN_IN=platform}"
  auth=password
fi
mkdir -p "$HOME/work"
exec node /opt/node_modules/code-server/out/node/entry.js --config /etc/code-server.yaml --auth "$auth" "$HOME/work"
