#!/bin/bash
# Collects the texts of the portal's pages into its translations: new ones stand there untranslated, those that are gone
# go. Edit src/skerry/portal/locales/<language>/portal.po then.
set -euo pipefail
cd "$(dirname "$0")/.."
babel=$(command -v .venv/bin/pybabel || command -v pybabel)
locales=src/skerry/portal/locales
template=$(mktemp)
trap 'rm -f "$template"' EXIT
trap 'rm -f "$template"' EXIT
$babel -q extract -F $locales/extraction.ini -k N_ -k _ --no-location --sort-output --omit-header -o "$template" src/skerry/portal
for folder in $locales/*/; do
  language=$(basename "$folder")
  touch "$folder/portal.po"
  $babel -q update -D portal -i "$template" -o "$folder/portal.po" -l "$language" -N --ignore-obsolete --omit-header
done
