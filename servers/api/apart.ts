/**
 * Expressions a caller wrote, applied in a process of their own: a few words of JMESPath can double a value thirty times or compare all
 * with all, and an engine cannot be stopped from inside. What takes too long or too much memory ends that process and nothing else.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { badInput } from './guard/target.ts';
import { selected } from './request/select.ts';
import type { Reply } from './select-process.ts';

const SCRIPT = fileURLToPath(new URL(`./select-process${extname(fileURLToPath(import.meta.url))}`, import.meta.url));
/** Milliseconds an expression may take, with the start of the process; the process itself stops before. */
const DEADLINE_MS = 6000;
/** A JSON pointer, or names and places alone: as fast as the answer is deep. */
const PLAIN = /^(?:\/.*|(?:[A-Za-z_]\w*|"[^"\\]*")(?:\.(?:[A-Za-z_]\w*|"[^"\\]*")|\[-?\d+\])*)?$/su;

let kept: ChildProcess | undefined;
let turn: Promise<unknown> = Promise.resolve();

/**
 * A part of a JSON value, by an expression nobody vouches for.
 * @throws SignalboxError `SBX_API_INPUT` for an expression that cannot be read, takes too long or gives too much; the reason of `signal`
 */
export async function selectedApart(value: unknown, expression: string, signal: AbortSignal): Promise<unknown> {
  if (PLAIN.test(expression)) return selected(value, expression);
  const mine = turn.then(() => ask(value, expression, signal));
  turn = mine.catch(() => undefined);
  return mine;
}

function ask(value: unknown, expression: string, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted();
  kept ??= start();
  const child = kept;
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      child.off('message', hear);
      child.off('exit', gone);
    };
    const end = (error: unknown): void => {
      settle();
      if (kept === child) kept = undefined;
      child.kill('SIGKILL');
      reject(error);
    };
    const gone = (): void => end(tooMuch('It needs more memory than an expression may have.'));
    const cancel = (): void => end(signal.reason);
    const hear = (reply: Reply): void => {
      settle();
      if ('why' in reply) reject(tooMuch(reply.why));
      else resolve(JSON.parse(reply.text));
    };
    const timer = setTimeout(() => end(tooMuch('It takes too long.')), DEADLINE_MS);
    signal.addEventListener('abort', cancel, { once: true });
    child.on('message', hear);
    child.once('exit', gone);
    child.send({ value, expression }, (error) => {
      if (error !== null) gone();
    });
  });
}

function start(): ChildProcess {
  // Standard output carries the protocol: the process gets none of it, and nothing to write to.
  const child = fork(SCRIPT, [], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: ['--no-warnings', '--max-old-space-size=256'],
  });
  child.on('error', () => undefined);
  child.once('exit', () => {
    if (kept === child) kept = undefined;
  });
  child.unref();
  child.channel?.unref();
  return child;
}

function tooMuch(why: string): Error {
  return badInput('_select', why);
}
