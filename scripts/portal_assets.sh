#!/bin/bash
# Puts the JavaScript of others that the portal's pages load (as locked in src/skerry/portal/assets/) into
# src/skerry/portal/static/vendor/, from where it is served. Quick when done. Scripts of packages are not run.
# With --missing nothing is installed: fails when something would be.
set -euo pipefail
cd "$(dirname "$0")/.."
portal=src/skerry/portal
vendor=$portal/static/vendor
fingerprint=$(cat $portal/assets/package-lock.json scripts/portal_assets.sh | sha256sum)
[ "$(cat $vendor/.done 2>/dev/null)" != "$fingerprint" ] || exit 0
[ "${1:-}" != --missing ] || exit 1

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cp $portal/assets/package.json $portal/assets/package-lock.json "$build"
npm ci --prefix "$build" --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
rm -rf $vendor
mkdir -p $vendor
put() { # put PACKAGE FILE AS
  cp "$build/node_modules/$1/$2" "$vendor/$3"
}
put htmx.org dist/htmx.min.js htmx.js
put @xterm/xterm lib/xterm.js xterm.js
put @xterm/xterm css/xterm.css xterm.css
put @xterm/addon-fit lib/addon-fit.js xterm-fit.js
put uplot dist/uPlot.iife.min.js uplot.js
put uplot dist/uPlot.min.css uplot.css
for package in htmx.org @xterm/xterm uplot; do
  put $package LICENSE "LICENSE-${package##*/}"
done
sed -i '/^\/\/# sourceMappingURL=/d' $vendor/*.js
echo "$fingerprint" >$vendor/.done
