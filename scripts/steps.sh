# Sourced by the other scripts: runs a step, shows its name and time, and its output only when it fails.
# A function given as a step must join its commands with && : `set -e` does not reach into it.

step() { # step NAME COMMAND...
  local name=$1 begun output code
  shift
  begun=$(date +%s%N)
  output=$(mktemp)
  if "$@" >"$output" 2>&1; then code=0; else code=$?; fi
  printf '  %-44s %6d.%02d s\n' "$name" $((($(date +%s%N) - begun) / 1000000000)) \
    $((($(date +%s%N) - begun) / 10000000 % 100))
  if [ "$code" -ne 0 ]; then
    cat "$output" >&2
    rm -f "$output"
    echo "failed: $name" >&2
    exit "$code"
  fi
  rm -f "$output"
}
