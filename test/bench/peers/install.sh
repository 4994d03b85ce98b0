#!/bin/sh
# Puts the gateways of others that the bench measures into a cache folder outside the repository and prints that folder. Versions are
# pinned in package.json beside this file; scripts stay off. Does nothing when they are already there.
set -eu

HERE=$(cd "$(dirname "$0")" && pwd)
CACHE=${SIGNALBOX_TEST_CACHE:-$HOME/.cache/signalbox-test}/gateways

if ! cmp -s "$HERE/package.json" "$CACHE/package.json" || [ ! -d "$CACHE/node_modules" ]; then
  mkdir -p "$CACHE"
  npm install --prefix "$CACHE" --no-audit --no-fund --no-save --no-package-lock --ignore-scripts --loglevel=error \
    $(sed -n 's/^ *"\(mcp-[a-z]*\|supergateway\)": "\(.*[0-9]\)",*$/\1@\2/p' "$HERE/package.json") >&2
  cp "$HERE/package.json" "$CACHE/package.json"
fi
echo "$CACHE/node_modules"
