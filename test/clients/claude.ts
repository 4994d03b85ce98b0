/** The real Claude Code in folders of its own, and how it is run. */
import assert from 'node:assert/strict';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findClaude } from '../../daemon/wiring/claude-command.ts';
import { finish, type Home } from '../fixtures/daemon.ts';
import type { ModelApi } from './model-api.ts';
import { cachedClaude } from './programs.ts';

const claude = installedClaude();
/** Why tests with Claude Code are left out; false when it is there. */
export const noClaude =
  claude === undefined && 'Claude Code is not installed: run test/clients/install.sh, or set SIGNALBOX_TEST_CLAUDE to its path.';

/**
 * Runs one prompt to its end and returns the transcript.
 * @param extra environment beside Claude's own
 * @param words further arguments
 */
export async function runClaude(
  home: Home,
  api: ModelApi,
  extra: Readonly<Record<string, string>> = {},
  words: readonly string[] = [],
): Promise<string> {
  const args = ['-p', 'Read the signals.', '--allowedTools', 'mcp__signalbox__*', '--output-format', 'stream-json', '--verbose', ...words];
  const { code, stdout, stderr } = await finish(claude ?? '', args, {
    cwd: home.cwd,
    env: { ...withoutSignalbox(claudeEnv(home)), ANTHROPIC_BASE_URL: api.url, ANTHROPIC_API_KEY: 'loopback', ...extra },
    timeoutMs: 120_000,
  });
  assert.equal(code, 0, stdout + stderr);
  return stdout;
}

/** A user starts Claude anywhere: only the wired entry may tell the bridge where the daemon is. */
function withoutSignalbox(env: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('SIGNALBOX_')));
}

/** Claude's own folders beside the daemon's, and no traffic but to the model API. */
export function claudeEnv(home: Home): Record<string, string> {
  return {
    ...home.env,
    PATH: [join(home.dir, 'bin'), home.env['PATH'] ?? ''].join(delimiter),
    CLAUDE_CONFIG_DIR: join(home.dir, 'claude'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // The scripted model asks for a tool at once: on a busy machine Claude must not ask it before the servers have been listed.
    MCP_CONNECTION_NONBLOCKING: '0',
    MCP_CONNECT_TIMEOUT_MS: '30000',
  };
}

/** A `claude` on PATH whatever the program's file is called. */
export function linkClaude(home: Home): void {
  const bin = join(home.dir, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\nexec '${claude ?? ''}' "$@"\n`, { mode: 0o755 });
}

function installedClaude(): string | undefined {
  const given = process.env['SIGNALBOX_TEST_CLAUDE'];
  for (const file of [given, cachedClaude()]) {
    if (file === undefined) continue;
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch (cause) {
      if (file === given) throw new Error(`SIGNALBOX_TEST_CLAUDE names ${file}, which cannot be run`, { cause });
    }
  }
  return findClaude({ env: process.env, platform: process.platform });
}
