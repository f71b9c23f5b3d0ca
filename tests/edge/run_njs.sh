#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The vectors once more, in njs: run_njs.sh [--only native,imgix]
set -eu
folder=$(dirname "$0")
script=$(mktemp "${TMPDIR:-/tmp}/edge-XXXXXX")
trap 'rm -f "$script"' EXIT
node "$folder/vectors.mjs" "$@" --njs "$script"
njs "$script"
