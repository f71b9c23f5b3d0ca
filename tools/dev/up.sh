#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# up [--port N]       start the production shape here: S3, DynamoDB, two service tasks, two edges
source "$(dirname "$0")/common.sh"
tools/dev/setup.sh shape
tools/dev/build.sh release
export TINTYPE_ROOT="$root" TINTYPE_BINARY="$root/build/release/tintype"
exec "$python" -B tools/dev/shape.py up "$@"
