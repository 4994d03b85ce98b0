/** The reset hook: puts the server's world back before a run, a property or a case. */
import { spawn } from 'node:child_process';
import type { ConformanceSettings, ResetHook, Target } from '../api/conformance.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Era } from '../protocol/eras.ts';
import { shown } from './engine/judge.ts';
import { Session } from './engine/session.ts';

/** A moment at which a reset may be due. */
export type Moment = NonNullable<ResetHook['before']>;

const ORDER: readonly Moment[] = ['run', 'property', 'case'];
/** Milliseconds a reset may take. */
const LIMIT_MS = 60_000;
/** Characters of its output kept for the error. */
const KEPT = 1000;

/**
 * What is called at each moment; does nothing where no reset is due. A reset before each case is one before each run too.
 * @throws SBX_CONFORM_RESET when the reset fails: what would be found after that would be worth nothing
 */
export function resetter(
  settings: ConformanceSettings,
  server: { readonly target: Target; readonly era: Era; readonly limitMs: number },
): (moment: Moment) => Promise<void> {
  const { reset } = settings;
  if (reset === undefined) return async () => {};
  const due = ORDER.indexOf(reset.before ?? 'run');
  return async (moment) => {
    if (ORDER.indexOf(moment) > due) return;
    if ('command' in reset) await command(reset.command, reset.cwd ?? (server.target.kind === 'stdio' ? server.target.cwd : undefined));
    else await call(reset.tool, reset.arguments ?? {}, server);
  };
}

function command([file, ...args]: readonly string[], cwd: string | undefined): Promise<void> {
  if (file === undefined) throw failed('an empty command', 'It names no program.');
  const line = [file, ...args].join(' ');
  return new Promise((done, reject) => {
    const child = spawn(file, args, { ...(cwd === undefined ? {} : { cwd }), stdio: ['ignore', 'pipe', 'pipe'] });
    let words = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        words = (words + text).slice(-KEPT);
      });
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(failed(line, error.message));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0) done();
      else
        reject(
          failed(
            line,
            `It ended with ${signal ?? `exit code ${code}`}. ${words.trim() === '' ? 'It said nothing.' : `It said: ${words.trim()}`}`,
          ),
        );
    });
  });
}

async function call(
  name: string,
  args: Readonly<Record<string, unknown>>,
  { target, era, limitMs }: { readonly target: Target; readonly era: Era; readonly limitMs: number },
): Promise<void> {
  const session = new Session({ target, era, limitMs, exercised: new Map() });
  try {
    const hello = await session.start();
    if (hello.result === undefined) return; // it does not speak this era: nothing will be tested in it either
    const answer = await session.request('tools/call', { name, arguments: { ...args } }, { limitMs: LIMIT_MS });
    if (answer.result === undefined || answer.result['isError'] === true)
      throw failed(`the tool ${name}`, `It answered ${shown(answer.message)}.`);
  } finally {
    await session.close();
  }
}

function failed(what: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CONFORM_RESET', `The reset before a test failed: ${what}.`, {
    why,
    fix: 'Correct `reset` of the server\'s "conformance" settings, or take it out.',
  });
}
