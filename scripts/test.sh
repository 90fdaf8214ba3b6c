#!/bin/bash
# Every test, in two processes side by side: what works on the machine itself or drives a browser (markers root and
# browser) one after the other in one, everything else in the other, whose words come at the end.
set -uo pipefail
cd "$(dirname "$0")/.."
pytest=(.venv/bin/python -m pytest -q --durations=100 --durations-min=3 tests)
machine="root or browser"

words=$(mktemp)
"${pytest[@]}" -m "not ($machine)" >"$words" 2>&1 &
beside=$!
trap 'kill $beside 2>/dev/null; rm -f "$words"' EXIT

echo "tests of the machine, and of pages in a browser:"
"${pytest[@]}" -m "$machine"
first=$?
wait $beside
second=$?
echo "the other tests:"
cat "$words"
exit $((first ? first : second))
