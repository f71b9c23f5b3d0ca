#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench hits|misses   measure against nginx (hits) or sharp (misses); results in bench/results
source "$(dirname "$0")/common.sh"
what="${1:-}"
case "$what" in
  hits | misses) shift ;;
  *) fail "bench what?" "usage: ./dev bench hits|misses [options; see bench/README.md]" ;;
esac
tools/dev/setup.sh build bench
tools/dev/build.sh release
exec "$python" -B "bench/$what.py" "$@"
