#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check [--clang-tidy]  layout and house rules, in seconds; with --clang-tidy also the slow reader
source "$(dirname "$0")/common.sh"
formatter="$(command -v clang-format-14 || command -v clang-format)" ||
  fail "clang-format is not installed" "./dev setup test"
bad=0
say "layout (.clang-format)"
git ls-files -z '*.cc' '*.h' | xargs -0 -r "$formatter" --dry-run -Werror || bad=1
[ "$bad" = 0 ] || echo "     ./dev format puts it right"
say "house rules (tools/tidy)"
"$python" -B tools/tidy || bad=1
if [ "${1:-}" = --clang-tidy ]; then
  tools/dev/setup.sh build test lint
  [ -f build/dev/compile_commands.json ] || tools/dev/build.sh dev
  say "clang-tidy"
  git ls-files -z 'src/*.cc' |
    xargs -0 -r -n 4 -P "$jobs" clang-tidy-14 -p build/dev --quiet || bad=1
fi
[ "$bad" = 0 ] || fail "the check found something"
say "all in order"
