/**
 * One statement by the extended protocol (so that there can be only one) through a portal that is read in batches: rows and bytes are capped
 * while they come in. Handed to `pg`'s `client.query`, whose own query would read everything.
 */
import type { Client, FieldDef, Submittable } from 'pg';

/** What a portal gives. Values are PostgreSQL's own text form. */
export interface PortalResult {
  readonly fields: readonly FieldDef[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly truncated: false | 'rows' | 'bytes';
  readonly command: string;
}
interface Wire {
  parse(query: { text: string; name?: string; types?: number[] }): void;
  bind(config: { values: (string | null)[] }): void;
  describe(message: { type: string; name: string }): void;
  execute(config: { portal: string; rows: number }): void;
  close(message: { type: string; name: string }): void;
  sync(): void;
  flush(): void;
}
interface Question {
  readonly sql: string;
  readonly values: (string | null)[];
  readonly maxRows: number;
  readonly maxBytes: number;
  readonly skip: number;
}

const BATCH = 500;

/** Runs a statement on a client. @throws the server's error */
export function runPortal(client: Client, question: Question): Promise<PortalResult> {
  return new Promise((resolve, reject) => {
    client.query(portal(question, resolve, reject) as unknown as Submittable);
  });
}

function portal(question: Question, resolve: (result: PortalResult) => void, reject: (error: unknown) => void): object {
  const rows: (readonly (string | null)[])[] = [];
  let fields: readonly FieldDef[] = [];
  let bytes = 0;
  let skipped = 0;
  let truncated: PortalResult['truncated'] = false;
  let command = '';
  let ended = false;
  // One row more than asked for tells whether there are more.
  const batch = (): number => Math.max(1, Math.min(BATCH, question.skip - skipped + question.maxRows - rows.length + 1));
  const finish = (wire: Wire): void => {
    if (ended) return;
    ended = true;
    wire.close({ type: 'P', name: '' });
    wire.sync();
  };
  return {
    submit: (wire: Wire) => {
      wire.parse({ text: question.sql });
      wire.bind({ values: question.values });
      wire.describe({ type: 'P', name: '' });
      wire.execute({ portal: '', rows: batch() });
      wire.flush();
    },
    handleRowDescription: (message: { fields: readonly FieldDef[] }) => {
      ({ fields } = message);
    },
    handleDataRow: (message: { fields: readonly (string | null)[] }) => {
      if (skipped < question.skip) {
        skipped++;
        return;
      }
      if (truncated !== false) return;
      if (rows.length >= question.maxRows) {
        truncated = 'rows';
        return;
      }
      bytes += message.fields.reduce((sum, value) => sum + (value === null ? 4 : value.length) + 3, 2);
      if (bytes > question.maxBytes) truncated = 'bytes';
      else rows.push(message.fields);
    },
    handlePortalSuspended: (wire: Wire) => {
      if (truncated === false) {
        wire.execute({ portal: '', rows: batch() });
        wire.flush();
      } else finish(wire);
    },
    handleCommandComplete: (message: { text: string }, wire: Wire) => {
      command = message.text;
      finish(wire);
    },
    handleEmptyQuery: (wire: Wire) => finish(wire),
    handleCopyInResponse: (wire: Wire) => finish(wire),
    handleCopyData: () => undefined,
    handleError: (error: unknown, wire: Wire) => {
      try {
        finish(wire);
      } catch {
        // The socket is gone: there is nothing to end.
        ended = true;
      }
      // `pg` forgets a query that failed: its ReadyForQuery goes to nobody, and the next query waits for it.
      reject(error);
    },
    handleReadyForQuery: () => resolve({ fields, rows, truncated, command }),
  };
}
