#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bench hits|misses|edge|shape   measure against nginx, sharp, limits; results in bench/results
source "$(dirname "$0")/common.sh"
what="${1:-}"
case "$what" in
  hits | misses | edge | shape) shift ;;
  *) fail "bench what?" "usage: ./dev bench hits|misses|edge|shape [options: bench/README.md]" ;;
esac
groups='build bench'
[ "$what" != edge ] || groups+=' test'  # njs and Node
[ "$what" != shape ] || groups+=' shape'
tools/dev/setup.sh $groups
tools/dev/build.sh release
exec "$python" -B "bench/$what.py" "$@"
