#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run [--photos DIR] [--port N]   build, then serve sample pictures (or your own) and the studio
source "$(dirname "$0")/common.sh"
photos="$root/samples" port=8080
while [ $# -gt 0 ]; do
  case "$1" in
    --photos) photos="$(cd "${2:?--photos needs a folder}" 2>/dev/null && pwd)" ||
      fail "there is no folder $2" "give one with pictures in it: ./dev run --photos ~/Pictures"
      shift 2 ;;
    --port) port="${2:?--port needs a number}"; shift 2 ;;
    *) fail "run does not know '$1'" "usage: ./dev run [--photos DIR] [--port N]" ;;
  esac
done
[[ "$port" =~ ^[0-9]{1,5}$ ]] && [ "$port" -ge 1 ] && [ "$port" -le 65534 ] ||
  fail "--port wants a number from 1 to 65534, not '$port'"
admin_port=$((port + 1))

tools/dev/build.sh release

for taken in "$port" "$admin_port"; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$taken") 2>/dev/null; then
    fail "something already listens on port $taken" \
      "choose another: ./dev run --port $((port + 10))"
  fi
done
# A picture to open first: the dress, or whatever the given folder holds.
sample="$(find "$photos" -maxdepth 3 -type f -printf '%P\n' |
  grep -iE '\.(jpe?g|png|webp|avif|heic)$' | sort | sed -n 1p)" || true
[ -n "$sample" ] ||
  fail "there is no picture in $photos" "give a folder with .jpg, .png, .webp … files"
[ "$photos" != "$root/samples" ] || sample=dress.jpg

mkdir -p build/run
settings=build/run/tintype.yaml
folder_yaml="${photos//\'/\'\'}"
cat >"$settings" <<YAML
# Written by ./dev run each time it starts.
server:
  listen: 127.0.0.1
  port: $port
  admin_port: $admin_port
  studio: true
  access_log: off
  drain_accept: 0s
cache:
  memory: 256MB
  disk: { folder: '${root//\'/\'\'}/build/run/cache', size: 2GB }
log: { level: info, format: text }
sites:
  shop:
    origin: { folder: '$folder_yaml' }
YAML

# The server takes this shell's place, so that Ctrl-C and kill reach it; a child says when it is up.
server=$$
announce() {
  local i
  for ((i = 0; i < 200; i++)); do
    kill -0 "$server" 2>/dev/null || return 0
    if curl -fs -o /dev/null --max-time 1 "http://127.0.0.1:$admin_port/_/health"; then
      local path
      path="$(sed 's/%/%25/g; s/ /%20/g; s/#/%23/g; s/?/%3F/g' <<<"$sample")"
      cat <<TEXT

Tintype serves ${photos}. Open:

  http://127.0.0.1:$port/                        the studio: every option, live
  http://127.0.0.1:$port/shop/$path?w=600    a picture, 600 pixels wide
  http://127.0.0.1:$admin_port/_/metrics               what the server counts

Ctrl-C stops it. Settings: $settings

TEXT
      return 0
    fi
    sleep 0.05
  done
  echo "dev: the server does not answer on port $admin_port; its own words are above" >&2
}
announce &
exec build/release/tintype serve --config "$settings"
