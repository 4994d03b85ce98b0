/** Starts a stdio server for a moment and looks at the first line of its standard output. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { commandLine } from '../../lifecycle/command.ts';
import { endGroup } from '../../lifecycle/process-group.ts';
import { type Finding, ok, trouble } from './finding.ts';

/** A server as it is started. */
export interface Probe {
  readonly name: string;
  /** Absolute path of the executable. */
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Milliseconds to wait for its first line; 10 000 unless told. */
  readonly timeoutMs?: number;
}

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'signalbox-doctor', version: '1' } },
};
const TAIL = 600;

/**
 * Says `initialize` to a private instance of the server (MCP lifecycle) and judges its first line: standard output may hold nothing
 * but messages. The instance and everything it started is ended again.
 */
export async function probeServer({ name, file, args, env, cwd, timeoutMs = 10_000 }: Probe): Promise<Finding> {
  const check = `server ${name}`;
  const { command, args: words, windowsVerbatimArguments } = commandLine(file, args, env);
  // a group of its own, so that what it starts ends with it
  const child = spawn(command, [...words], {
    cwd,
    env,
    stdio: 'pipe',
    detached: process.platform !== 'win32',
    windowsVerbatimArguments,
    windowsHide: true,
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-TAIL);
  });
  child.stdin.on('error', () => undefined); // it ended early: `close` below says so
  const closed = once(child, 'close').catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  const line = firstLine(child.stdout, timeoutMs);
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`);
  try {
    const outcome = await Promise.race([line, closed.then(() => line)]);
    if (outcome === 'silent')
      return trouble(
        'fail',
        check,
        'SBX_SERVER_TIMEOUT',
        `It did not answer within ${timeoutMs / 1000} s.`,
        said(errors),
        'Run its command by hand.',
      );
    if (outcome === 'ended') {
      const [code, signal] = (await closed) as [unknown, unknown];
      const what = `It ended before it answered (${signal ?? `code ${String(code)}`}).`;
      return trouble('fail', check, 'SBX_SERVER_EXITED', what, said(errors), 'Run its command by hand to see why.');
    }
    if (isJson(outcome.line)) return ok(check, `${file} answers`);
    return trouble(
      'fail',
      check,
      'SBX_SERVER_NOT_JSON',
      `It prints something that is not a message to standard output: ${JSON.stringify(outcome.line.slice(0, 120))}`,
      'On stdio, standard output belongs to the protocol alone.',
      'Have it log to standard error (in JavaScript console.error, in Python file=sys.stderr).',
    );
  } finally {
    child.stdin.end();
    if (child.pid !== undefined) await endGroup(child.pid, 1000);
  }
}

function firstLine(output: NodeJS.ReadableStream, timeoutMs: number): Promise<{ line: string } | 'silent' | 'ended'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('silent'), timeoutMs);
    let text = '';
    output.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end >= 0) resolve({ line: text.slice(0, end) });
    });
    output.on('end', () => resolve(text.trim() === '' ? 'ended' : { line: text }));
    output.on('close', () => clearTimeout(timer));
  });
}

function isJson(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function said(errors: string): string {
  return errors.trim() === '' ? 'It said nothing on standard error.' : `It said on standard error: ${errors.trim()}`;
}
