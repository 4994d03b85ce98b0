/** `logging/setLevel` on legacy servers that several clients share: the level is the lowest anybody wants, each client filters for itself. */
import type { Connection } from '../upstreams/connection.ts';

/** Levels of RFC 5424, from the least severe. */
export const LEVELS: readonly string[] = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

/** The level each connection was told. */
export class LogLevels {
  readonly #told = new WeakMap<Connection, number>();

  /** Sees to it that the server logs from `level` on; does nothing when it does already or cannot log. */
  async lower(connection: Connection, level: string): Promise<void> {
    const wanted = LEVELS.indexOf(level);
    if (wanted === -1 || connection.capabilities['logging'] === undefined) return;
    if (wanted >= (this.#told.get(connection) ?? LEVELS.length)) return;
    this.#told.set(connection, wanted);
    await connection.request('logging/setLevel', { level }).catch(() => undefined); // a wish: the call goes on without the log
  }
}

/** Whether a log notification is at least as severe as `level`. */
export function reaches(params: { readonly level?: unknown } | undefined, level: string): boolean {
  return LEVELS.indexOf(String(params?.level)) >= LEVELS.indexOf(level);
}
