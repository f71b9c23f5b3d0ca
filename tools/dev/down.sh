#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# down                stop what ./dev up started, by process id, and remove build/shape
source "$(dirname "$0")/common.sh"
[ $# = 0 ] || fail "down takes no arguments" "usage: ./dev down"
export TINTYPE_ROOT="$root"
exec "$python" -B tools/dev/shape.py down
