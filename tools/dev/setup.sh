#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# setup [GROUP…]      install Debian packages: build test (default), bench fuzz lint
source "$(dirname "$0")/common.sh"
list=tools/dev/packages.txt

if [ "${TINTYPE_SKIP_SETUP:-}" = 1 ]; then
  say "setup left out (TINTYPE_SKIP_SETUP=1)"
  exit 0
fi
command -v apt-get >/dev/null && command -v dpkg-query >/dev/null || fail \
  "setup knows Debian 12 and later only, and this system has no apt-get" \
  "install what $list names by your own means, then set TINTYPE_SKIP_SETUP=1"

[ $# -gt 0 ] || set -- build test
for group in "$@"; do
  grep -qx "\[$group\]" "$list" || fail "there is no package group '$group' in $list" \
    "groups: $(sed -n 's/^\[\(.*\)\]$/\1/p' "$list" | tr '\n' ' ')"
done

# Lines of the wanted groups: "alternatives separated by spaces|command".
wanted() {
  awk -v groups=" $* " '
    { sub(/#.*/, "") } /^\[/ { gsub(/[][ ]/, ""); on = index(groups, " " $0 " "); next }
    on && NF { cmd = ""; names = ""
      for (i = 1; i <= NF; i++) if ($i ~ /^!/) cmd = substr($i, 2)
                                else if ($i != "|") names = names " " $i
      print substr(names, 2) "|" cmd }' "$list"
}
installed() { dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p'; }
# Not by grep -q: it ends at the first hit, apt-cache is then cut off, and pipefail calls that "no".
has_candidate() { [[ "$(apt-cache policy "$1" 2>/dev/null)" == *'Candidate: '[0-9]* ]]; }

missing_lines() {
  local names cmd name found here
  here=" $(installed | tr '\n' ' ') "
  wanted "$@" | while IFS='|' read -r names cmd; do
    found=
    [ -z "$cmd" ] || ! command -v "$cmd" >/dev/null || found=yes
    for name in $names; do
      [[ "$here" != *" $name "* ]] || found=yes
    done
    [ -n "$found" ] || echo "$names"
  done
}
# The first alternative of each line that this release has; fails if there is none.
choose() {
  local names name
  while read -r names; do
    for name in $names; do
      if has_candidate "$name"; then echo "$name"; continue 2; fi
    done
    return 1
  done
}

missing="$(missing_lines "$@")"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then as_root=()
elif command -v sudo >/dev/null; then as_root=(sudo)
else fail "packages are missing and you are neither root nor have sudo:" "$(echo $missing)"
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 "$@"
}

if ! packages="$(choose <<<"$missing")"; then
  say "refreshing the package lists"
  apt update -q || fail "apt-get update failed" "is the network there?  then again: ./dev setup"
  packages="$(choose <<<"$missing")" ||
    fail "this release has none of: $(echo $missing)" "Tintype is built on Debian 12 (bookworm)"
fi

# Debian starts a service it installs; a build machine wants no web server. A policy-rc.d that says
# no (exit 101, see invoke-rc.d(8)) is put there for the installation, unless the machine has one.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
fi
say "installing $(wc -w <<<"$packages") packages: $(echo $packages)"
# shellcheck disable=SC2086
if ! apt install -y -q --no-install-recommends $packages; then
  say "that failed; once more with fresh package lists"
  apt update -q
  apt install -y -q --no-install-recommends $packages ||
    fail "the packages could not be installed" "read apt's message above, then again: ./dev setup"
fi
left="$(missing_lines "$@")"
[ -z "$left" ] || fail "still missing after the installation: $(echo $left)"
