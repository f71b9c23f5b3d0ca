#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build [PRESET]      compile into build/PRESET: release (default) dev asan tsan fuzz bench
source "$(dirname "$0")/common.sh"
preset="${1:-release}"
grep -q "\"name\": \"$preset\", \"inherits\"" CMakePresets.json ||
  fail "there is no preset '$preset'" "try: release dev asan tsan fuzz bench"

case "$preset" in
  release) tools/dev/setup.sh build ;;
  fuzz) tools/dev/setup.sh build fuzz ;;
  bench) tools/dev/setup.sh build bench ;;
  *) tools/dev/setup.sh build test ;;
esac
mkdir -p build
log="build/$preset.configure.log"
if [ ! -f "build/$preset/build.ninja" ]; then
  say "configuring $preset"
  if ! cmake --preset "$preset" >"$log" 2>&1; then
    cat "$log" >&2
    fail "configuring failed" "the log is $log"
  fi
fi
say "building $preset with $jobs jobs"
# Further words name targets; without any, all are built.
cmake --build "build/$preset" --parallel "$jobs" ${2:+--target "${@:2}"} ||
  fail "the $preset build failed" "the first error is above; a clean start: rm -r build/$preset"
