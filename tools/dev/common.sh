# SPDX-License-Identifier: Apache-2.0
# Read by every task script: where things are, how to talk, how to stop.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"
jobs="${TINTYPE_JOBS:-$(nproc)}"
# Debian's own Python: packages such as python3-pil are installed for no other.
python=/usr/bin/python3
[ -x "$python" ] || python=python3

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
say() { printf '%s== %s%s\n' "$bold" "$*" "$plain"; }
# fail MESSAGE [WHAT TO DO NEXT]
fail() {
  printf 'dev: %s\n' "$1" >&2
  [ $# -lt 2 ] || printf '     %s\n' "$2" >&2
  exit 1
}
