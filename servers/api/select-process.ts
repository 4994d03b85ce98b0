/** The process in which expressions of callers are applied (apart.ts). It stops itself: a parent that is gone cannot. */
import { runInThisContext } from 'node:vm';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { selected } from './request/select.ts';

/** What comes back: the JSON of the part, or why there is none. */
export type Reply = { readonly text: string } | { readonly why: string };
interface Job {
  readonly value: unknown;
  readonly expression: string;
}

const LIMIT_MS = 3000;
/** Characters of the JSON of a part; the answer it is taken from has at most `maxBytes`. */
const MAX_TEXT = 64 * 1024 * 1024;
const JOB = Symbol.for('mcp-signalbox.select');

process.on('disconnect', () => process.exit(0));
process.on('message', ({ value, expression }: Job) => {
  process.send?.(applied(value, expression));
});

function applied(value: unknown, expression: string): Reply {
  // Only the engine can end what runs: `vm` asks it to.
  Object.assign(globalThis, { [JOB]: () => JSON.stringify(selected(value, expression)) ?? 'null' });
  try {
    const text = runInThisContext(`globalThis[Symbol.for('${String(JOB.description)}')]()`, { timeout: LIMIT_MS }) as string;
    return text.length > MAX_TEXT ? { why: `It gives ${text.length} characters.` } : { text };
  } catch (thrown) {
    if (thrown instanceof SignalboxError) return { why: thrown.why };
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { why: 'It takes too long.' };
    return { why: thrown instanceof Error ? thrown.message.slice(0, 300) : String(thrown) };
  }
}
