#!/bin/sh
# Puts the real client programs the tests drive into a cache folder outside the repository, and prints the path of `claude`.
# Versions are pinned, so a run tomorrow tests what was tested today. Does nothing when they are already there.
set -eu

CLAUDE_VERSION=2.1.330
INSPECTOR_VERSION=2.12.0
CODEX_VERSION=0.169.0
GEMINI_VERSION=0.61.0
COPILOT_VERSION=1.0.102
CACHE=${SIGNALBOX_TEST_CACHE:-$HOME/.cache/signalbox-test}

# Installs package $1 at version $2 into folder $3, unless that very version is there. Scripts stay off: a package runs only what we name.
put() {
  mkdir -p "$3"
  manifest="$3/node_modules/$1/package.json"
  if ! grep -q "\"version\": \"$2\"" "$manifest" 2>/dev/null; then
    npm install --prefix "$3" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error "$1@$2" >&2
  fi
}

put @anthropic-ai/claude-code "$CLAUDE_VERSION" "$CACHE/claude-code"
claude="$CACHE/claude-code/node_modules/@anthropic-ai/claude-code/bin/claude.exe"
# The package ships a placeholder; its own installer links the native binary of this platform in its place.
if ! "$claude" --version 2>/dev/null | grep -q "$CLAUDE_VERSION"; then
  (cd "$CACHE/claude-code/node_modules/@anthropic-ai/claude-code" && node install.cjs >&2)
fi

# The Inspector is a second opinion; without it its own test says so and is skipped.
put @modelcontextprotocol/inspector "$INSPECTOR_VERSION" "$CACHE/inspector" || echo "The MCP Inspector could not be installed; its test will be skipped." >&2

# Other clients that are on npm: they only say whether they read what `signalbox wire` wrote. Without them their tests are skipped.
put @openai/codex "$CODEX_VERSION" "$CACHE/codex" || echo "Codex could not be installed." >&2
put @google/gemini-cli "$GEMINI_VERSION" "$CACHE/gemini" || echo "Gemini CLI could not be installed." >&2
put @github/copilot "$COPILOT_VERSION" "$CACHE/copilot" || echo "Copilot CLI could not be installed." >&2

echo "$claude"
