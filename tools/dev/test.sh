#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test [--quick|--full]   all that CI runs, parsers and workers also with sanitizers (--full: all)
source "$(dirname "$0")/common.sh"
quick= full=
case "${1:-}" in
  '') ;;
  --quick) quick=yes ;;
  --full) full=yes ;;
  *) fail "test does not know '$1'" \
    "usage: ./dev test [--quick|--full]   (quick: no sanitizers; full: all tests with them)" ;;
esac
results=build/results
rm -rf "$results"
mkdir -p "$results"
broken=0

# run_suite PRESET CTEST-ARGS…: builds and runs; what happened lands in $results as JUnit XML.
run_suite() {
  local preset="$1"
  shift
  if ! tools/dev/build.sh "$preset" $targets; then
    broken=$((broken + 1))
    echo "The $preset build failed: counted as one failure." >&2
    return 0
  fi
  say "testing $preset"
  # What failed is read from the XML; a run that left no XML counts as one failure.
  ctest --test-dir "build/$preset" --parallel "$jobs" --output-on-failure --no-tests=error \
    --test-output-size-passed 200000 --test-output-size-failed 2000000 \
    --output-junit "$root/$results/$preset.xml" "$@" || true
  [ -s "$results/$preset.xml" ] || broken=$((broken + 1))
}

tools/dev/setup.sh build test
targets=
run_suite dev
if [ -n "$full" ]; then
  run_suite asan -L '^(unit|fuzz|golden|property)$'
elif [ -z "$quick" ]; then
  # What reads pictures and URLs, or owns memory by hand; everything takes twice as long, and what
  # speaks to the network takes ten minutes to build this way: --full does it.
  layers='image transform dialect policy plan engine cache worker'
  targets="$(printf '%s_test ' $layers)sniff_fuzz_replay target_fuzz_replay head_fuzz_replay"
  run_suite asan -R "^(unit\\.(${layers// /|})|fuzz\\..*)\$"
fi
exec "$python" -B tools/dev/count_tests.py --broken "$broken" "$results"
