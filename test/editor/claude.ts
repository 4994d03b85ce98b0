/** The real Claude Code with a scripted model, as the person at the keyboard starts it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { startModelApi, type ToolResult, type Turn } from '../clients/model-api.ts';
import { cachedClaude } from '../clients/programs.ts';
import type { Scratch } from './scratch.ts';

const LIMIT_MS = 120_000;

/** The program, if it is installed (test/clients/install.sh, or SIGNALBOX_TEST_CLAUDE). */
export function findClaude(): string | undefined {
  return [process.env['SIGNALBOX_TEST_CLAUDE'], cachedClaude()].find((file) => file !== undefined && existsSync(file));
}

/** Puts a `claude` on the PATH of the throw-away user; the environment of the editor and of Claude. */
export function claudeEnv(scratch: Scratch, claude: string | undefined): Record<string, string> {
  const bin = join(scratch.dir, 'bin');
  mkdirSync(bin, { recursive: true });
  if (claude !== undefined) writeFileSync(join(bin, 'claude'), `#!/bin/sh\nexec '${claude}' "$@"\n`, { mode: 0o755 });
  return {
    HOME: scratch.dir,
    PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
    CLAUDE_CONFIG_DIR: join(scratch.dir, 'claude'),
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // The scripted model asks for a tool at once: on a busy machine Claude must not ask it before the servers have been listed.
    MCP_CONNECTION_NONBLOCKING: '0',
    MCP_CONNECT_TIMEOUT_MS: '30000',
  };
}

/** Runs `claude -p` in the project. @returns what the model got from the tools */
export async function runClaude(scratch: Scratch, claude: string, script: readonly Turn[]): Promise<readonly ToolResult[]> {
  const api = await startModelApi(script);
  try {
    const args = ['-p', 'Read the notes.', '--allowedTools', 'mcp__signalbox__*'];
    const child = spawn(claude, args, {
      cwd: scratch.project,
      env: { ...process.env, ...claudeEnv(scratch, claude), ANTHROPIC_BASE_URL: api.url, ANTHROPIC_API_KEY: 'loopback' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT_MS,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
    const code = await new Promise<number | null>((ended, failed) => {
      child.on('error', failed);
      child.on('close', ended);
    });
    if (code !== 0) throw new Error(`claude ended with ${code}:\n${said}`);
    return api.results();
  } finally {
    await api.close();
  }
}
