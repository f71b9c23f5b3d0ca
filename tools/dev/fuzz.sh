#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fuzz TARGET [SECONDS]   run one libFuzzer target (x_fuzz.cc) for a while (60 s)
source "$(dirname "$0")/common.sh"
targets="$(git ls-files 'src/*_fuzz.cc' | sed 's|.*/||; s|_fuzz\.cc$||' | tr '\n' ' ')"
[ $# -ge 1 ] || fail "which target?" "there are: $targets"
target="${1%_fuzz}" seconds="${2:-60}"
[[ " $targets" == *" $target "* ]] || fail "there is no fuzz target '$target'" "there are: $targets"

tools/dev/setup.sh build fuzz
[ -f build/fuzz/build.ninja ] || cmake --preset fuzz
cmake --build build/fuzz --parallel "$jobs" --target "${target}_fuzz"
program="$(find build/fuzz -name "${target}_fuzz" -type f -perm -u+x | head -n 1)"
grown="build/fuzz/corpus/$target"
mkdir -p "$grown" build/fuzz/found
say "fuzzing $target for $seconds s; new inputs in $grown, crashes in build/fuzz/found"
"$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="build/fuzz/found/$target-" "$grown" "tests/fuzz/corpus/$target" ||
  fail "the fuzzer found something" \
    "keep the input: cp build/fuzz/found/$target-* tests/fuzz/corpus/$target/"
