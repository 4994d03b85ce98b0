/** write: tried in a transaction that is undone, shown to the person with the number of rows, then run and kept. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { audited } from '../audit.ts';
import type { Written } from '../engines/engine.ts';
import { refusal } from '../guard/refusal.ts';
import { choose, connectionSchema, type Desk, PARAMS_SCHEMA } from './desk.ts';
import { askOf, COLUMNS_SCHEMA } from './query.ts';
import type { Definition } from './register.ts';
import { withSuggestion } from './suggest.ts';

/** write; registered only where some connection may write */
export function write(desk: Desk): Definition {
  const writable = [...desk.entries.values()].filter((entry) => entry.settings.access !== 'read').map((entry) => entry.database.name);
  return {
    name: 'write',
    title: 'Write',
    description: `Runs one INSERT, UPDATE, DELETE (with access "admin" also CREATE, ALTER, DROP) after asking the person, in a transaction with a limit on affected rows. Writable: ${writable.join(', ')}.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql'],
      properties: {
        sql: { type: 'string', minLength: 1, maxLength: 1_000_000 },
        params: PARAMS_SCHEMA,
        preview: { type: 'boolean', default: false, description: 'Only say how many rows it would change.' },
        connection: { ...connectionSchema(desk), enum: writable, default: writable[0] },
      },
    },
    output: {
      type: 'object',
      required: ['affected', 'committed'],
      properties: {
        affected: { type: 'integer' },
        committed: { type: 'boolean' },
        columns: COLUMNS_SCHEMA,
        rows: { type: 'array', items: { type: 'array' }, description: 'of RETURNING' },
      },
    },
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
    run: async (args, call) => {
      const entry = choose(desk, args['connection'] ?? writable[0]);
      const { database, settings } = entry;
      if (settings.access === 'read')
        throw refusal(`The connection "${database.name}" only reads.`, 'Its "access" would have to be "write".');
      const { maxAffected } = settings.limits;
      const ask = askOf(entry, args, call);
      const run = async (commit: boolean, expected?: number): Promise<Written> => {
        let written: Written | undefined;
        const about = { tool: commit ? 'write' : 'write (tried)', database, sql: ask.sql, withText: desk.auditText };
        await audited(desk.audit, about, async () => {
          written = await withSuggestion(database, () =>
            database.write({ ...ask, commit, maxAffected, ...(expected === undefined ? {} : { expected }) }),
          );
          return { affected: written.affected, rows: written.rows.length };
        });
        if (written === undefined) throw new Error('unreachable');
        return written;
      };
      const result = (written: Written, committed: boolean) => ({
        structured: { affected: written.affected, committed, columns: written.columns, rows: committed ? written.rows : [] },
        text: `${committed ? 'Done' : 'Nothing was changed; it would have been'}: ${written.affected} rows affected.${
          committed && written.rows.length > 0 ? `\n${JSON.stringify(written.rows)}` : ''
        }`,
      });
      if (args['preview'] === true) return result(await run(false), false);
      if (settings.confirm === 'never') return result(await run(true), true);
      if (call.agreed !== undefined) return result(await run(true, Number(call.agreed['affected'])), true);
      if (!call.canAsk) {
        throw new SignalboxError('SBX_DB_DECLINED', 'The write was not run: nobody can be asked.', {
          why: 'Writes on this connection need the agreement of a person, and this client does not support elicitation.',
          fix: 'Use a client that does, or set "confirm": "never" for this connection.',
        });
      }
      const tried = await run(false);
      const shown = ask.sql.length > 2000 ? `${ask.sql.slice(0, 2000)}…` : ask.sql;
      return {
        question: `Run this on "${database.name}" (${database.engine})? It changes ${tried.affected} rows.\n\n${shown}`,
        state: { affected: tried.affected },
      };
    },
  };
}
