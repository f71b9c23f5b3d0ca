#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# format              lay out every C++ file as .clang-format says
source "$(dirname "$0")/common.sh"
formatter="$(command -v clang-format-14 || command -v clang-format)" ||
  fail "clang-format is not installed" "./dev setup test"
git ls-files -z --cached --others --exclude-standard '*.cc' '*.h' | xargs -0 -r "$formatter" -i
say "formatted; what changed:"
git diff --stat
