#!/bin/bash
# Collects the texts of the portal's pages and of those to sign in into their translations: new ones stand there
# untranslated, those that are gone go. Edit src/skerry/portal/locales/<language>/portal.po then, and
# src/skerry/platform/identity/locales/<language>/identity.po.
set -euo pipefail
cd "$(dirname "$0")/.."
babel=$(command -v .venv/bin/pybabel || command -v pybabel)
template=$(mktemp)
trap 'rm -f "$template"' EXIT

collect() {  # DOMAIN FOLDER KEYWORDS...
  local domain=$1 texts=$2; shift 2
  $babel -q extract -F "$texts/locales/extraction.ini" "${@/#/-k}" --no-location --sort-output --omit-header -o "$template" "$texts"
  for folder in "$texts"/locales/*/; do
    language=$(basename "$folder")
    touch "$folder/$domain.po"
    $babel -q update -D "$domain" -i "$template" -o "$folder/$domain.po" -l "$language" -N --ignore-obsolete --omit-header
  done
}

collect portal src/skerry/portal N_ _
collect identity src/skerry/platform/identity N_ says warns leads_to:2 Page:2
