/** Whether a wiring works: by the client itself where it can be asked, else by starting exactly the command that was written. */
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { errorShape, SignalboxError } from '../api/errors.ts';
import type { WirableClient } from './client.ts';
import type { Scope, Wiring, WiringEnvironment } from './wiring.ts';

/** Milliseconds a bridge may take: it may have to start the daemon, and npx may have to fetch a package. */
const TIMEOUT_MS = 60_000;

/** What was tried, and what came of it. */
export interface WiringCheck {
  readonly client: string;
  readonly scope: Scope;
  readonly file: string;
  readonly ok: boolean;
  /** `client`: it was asked itself; `command`: what stands in its file was started and answered. */
  readonly by: 'client' | 'command';
  /** One sentence: what was seen. */
  readonly said: string;
  /** Tools it was offered; only with `command`. */
  readonly tools?: number;
}

/**
 * Checks one wiring.
 * @throws SBX_WIRE_NOTHING when nothing is wired here, SBX_WIRE_CONFLICT when what stands there is not ours
 */
export async function checkWiring(
  client: WirableClient,
  scope: Scope,
  wiring: Wiring,
  environment: WiringEnvironment,
): Promise<WiringCheck> {
  const current = wiring.current();
  if (current === undefined)
    throw new SignalboxError('SBX_WIRE_NOTHING', `${client.title} is not wired in the ${scope} scope here.`, {
      why: 'There is no entry of Signalbox in its file.',
      fix: `Wire it with \`signalbox wire ${client.name} --scope ${scope}\`.`,
    });
  const about = { client: client.name, scope, file: current.file };
  const verdict = await client.ask?.(environment);
  if (verdict !== undefined) return { ...about, by: 'client', ...verdict };
  return { ...about, by: 'command', ...(await started(current.entry as Command, environment)) };
}

interface Command {
  readonly command: string;
  readonly args: string[];
  readonly env?: Record<string, string>;
}

async function started(
  { command, args, env }: Command,
  { cwd, env: own }: WiringEnvironment,
): Promise<Pick<WiringCheck, 'ok' | 'said' | 'tools'>> {
  // What the client hands on is its own affair; PATH and the home folder are what every one of them has.
  const inherited = Object.fromEntries(
    ['PATH', 'Path', 'HOME', 'USERPROFILE', 'APPDATA', 'LOCALAPPDATA', 'SystemRoot', 'TEMP', 'TMPDIR'].flatMap((name) => {
      const value = own[name];
      return value === undefined ? [] : [[name, value]];
    }),
  ) as Record<string, string>;
  const transport = new StdioClientTransport({ command, args, env: { ...inherited, ...env }, cwd, stderr: 'pipe' });
  let errors = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString()).slice(-600);
  });
  const client = new Client({ name: 'signalbox-wire-check', version: '1' });
  try {
    await client.connect(transport, { timeout: TIMEOUT_MS });
    const { tools } = await client.listTools(undefined, { timeout: TIMEOUT_MS });
    const { name, version } = client.getServerVersion() ?? { name: 'It', version: '' };
    return { ok: true, said: `${name} ${version} answered and offers ${tools.length} tools.`, tools: tools.length };
  } catch (error) {
    const { message } = errorShape(error);
    return { ok: false, said: errors.trim() === '' ? message : `${message} ${errors.trim()}` };
  } finally {
    await client.close();
  }
}
