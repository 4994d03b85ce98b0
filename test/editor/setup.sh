#!/usr/bin/env bash
# Puts a real VS Code (code-server's server and workbench), the Node it needs and a headless Chromium on this machine.
# Sources: npm and apt only. The npm part is cached in ${SIGNALBOX_TEST_CACHE:-~/.cache/signalbox-test}/vscode-host;
# a broken cache is rebuilt. Ends by writing <cache>/host.json: where main.ts finds the pieces.
set -euo pipefail
CODE_SERVER=4.139.1   # = VS Code 1.139.1
NODE=24.21.0          # what code-server 4.139.x runs on
CODE=1.139.1
ROOT=${SIGNALBOX_TEST_CACHE:-$HOME/.cache/signalbox-test}/vscode-host
A=x64
[ "$(uname -sm)" = "Linux x86_64" ] || { echo "skipped: this recipe was only tried on Linux x86_64; use test/editor/electron.ts" >&2; exit 3; }
LIBC=$(getconf GNU_LIBC_VERSION | tr -d ' ')
RECIPE=r1             # bump when the steps below change
DIR=$ROOT/$RECIPE-cs$CODE_SERVER-node$NODE-$(uname -m)-$LIBC
say() { printf '[editor setup %3ss] %s\n' "$SECONDS" "$*"; }

# 1. Debian packages. python3, make and g++ compile two small native modules.
need=()
command -v chromium >/dev/null || need+=(chromium)
command -v python3 >/dev/null || need+=(python3)
command -v make >/dev/null || need+=(make)
command -v g++ >/dev/null || need+=(g++)
command -v flock >/dev/null || need+=(util-linux)
[ -n "$(ls /usr/share/fonts/truetype 2>/dev/null)" ] || need+=(fonts-dejavu-core)
if [ ${#need[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || { echo "missing Debian packages, install them first: ${need[*]}" >&2; exit 3; }
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
say "apt: ${need[*]:-nothing to install}"

# 2. Node and code-server from npm.
works() { # $1 = folder; runs every piece instead of trusting that it is there
  local n=$1/node_modules/node-linux-$A/bin/node v=$1/node_modules/code-server/lib/vscode
  [ -f "$1/.complete" ] && [ "$("$n" -p process.version 2>/dev/null)" = "v$NODE" ] &&
  [ "$("$n" "$v/out/server-main.js" --version 2>/dev/null | head -1)" = "$CODE" ] &&
  "$v/node_modules/@vscode/ripgrep-universal/bin/linux-$A/rg" --version >/dev/null 2>&1 &&
  (cd "$v" && "$n" -e 'for (const m of ["@vscode/spdlog","@vscode/native-watchdog","node-pty","@parcel/watcher"]) require(m)' 2>/dev/null)
}
quiet_install() { npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@"; }
install_into() { # $1 = folder
  cd "$1"
  echo '{"name":"vscode-host","version":"0.0.0","private":true}' > package.json
  quiet_install --no-package-lock "node-linux-$A@$NODE"
  local n=$1/node_modules/node-linux-$A
  export PATH=$n/bin:$PATH
  export npm_config_nodedir=$n   # headers of this Node; a user's .npmrc may say nodedir=/usr, which is another Node
  quiet_install --no-package-lock "node-linux-$A@$NODE" "code-server@$CODE_SERVER"
  say "code-server $CODE_SERVER on node $NODE"
  cd node_modules/code-server/lib/vscode   # what its postinstall.sh does, minus the builds nobody needs here
  quiet_install --omit=dev                 # not `npm ci`: the shipped shrinkwrap lacks tslib
  (cd extensions && quiet_install --omit=dev && node ./postinstall.mjs >/dev/null)
  say "VS Code's own modules"
  npm rebuild --foreground-scripts --loglevel=error @vscode/spdlog @vscode/native-watchdog > "$1/build.log" 2>&1 || { tail -30 "$1/build.log" >&2; return 1; }
  # Smaller cache: compiler leftovers, Node's headers, other platforms' binaries.
  rm -rf node_modules/@vscode/{spdlog,native-watchdog}/build/Release/obj.target "$n/include"
  find node_modules/@vscode/ripgrep-universal/bin node_modules/node-pty/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$A" -exec rm -rf {} +
  say "native modules"
  touch "$1/.complete"
}
mkdir -p "$ROOT"
exec 9>"$ROOT/.lock"; flock 9
if works "$DIR"; then say "host: cached"
else
  rm -rf "$DIR"; TMP=$(mktemp -d "$ROOT/.tmp-XXXXXX"); trap 'rm -rf "$TMP"' EXIT
  (install_into "$TMP")
  works "$TMP" || { echo "the fresh install does not work" >&2; exit 1; }
  mv "$TMP" "$DIR"; say "host: installed ($(du -sm "$DIR" | cut -f1) MB)"
fi
CS=$DIR/node_modules/code-server
printf '{ "node": "%s", "codeServer": "%s", "vscode": "%s", "chromium": "%s" }\n' \
  "$DIR/node_modules/node-linux-$A/bin/node" "$CS" "$CS/lib/vscode" "$(command -v chromium)" > "$ROOT/host.json"
exec 9>&-
