/** The audit log of this plugin: one line per operation, written after the answer has gone out. */
import type { JsonObject, PluginContext } from '../plugin/define.ts';

/** Takes one line; returns at once. */
export type Audit = (line: JsonObject) => void;

/** Lines wait at most for the end of the current turn; `flush` writes what waits. */
export function auditQueue(write: PluginContext['audit']): { readonly audit: Audit; flush(): void } {
  let waiting: JsonObject[] = [];
  const flush = (): void => {
    const lines = waiting;
    waiting = [];
    for (const line of lines) write(line);
  };
  process.once('exit', flush);
  return {
    audit: (line) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push(line);
    },
    flush: () => {
      process.removeListener('exit', flush);
      flush();
    },
  };
}
