/** export_result: the rows of a query as a CSV, JSON or Markdown resource. */
import { audited } from '../audit.ts';
import type { Answer } from '../engines/engine.ts';
import { choose, connectionSchema, type Desk, PARAMS_SCHEMA } from './desk.ts';
import { askOf } from './query.ts';
import { type Definition, READS } from './register.ts';
import { withSuggestion } from './suggest.ts';

const EXPORT_ROWS = 100_000;
const EXPORT_BYTES = 8 * 1024 * 1024;
const TYPES = { csv: 'text/csv', json: 'application/json', markdown: 'text/markdown' } as const;
type Format = keyof typeof TYPES;

/** export_result */
export function exportResult(desk: Desk): Definition {
  return {
    name: 'export_result',
    title: 'Export a result',
    description: `Runs a query and keeps its rows (at most ${EXPORT_ROWS}, 8 MB) as a resource.`,
    input: {
      type: 'object',
      additionalProperties: false,
      required: ['sql', 'format'],
      properties: {
        sql: { type: 'string', minLength: 1 },
        params: PARAMS_SCHEMA,
        format: { enum: Object.keys(TYPES) },
        connection: connectionSchema(desk),
      },
    },
    output: {
      type: 'object',
      required: ['uri', 'rows', 'truncated'],
      properties: { uri: { type: 'string' }, rows: { type: 'integer' }, bytes: { type: 'integer' }, truncated: { type: 'boolean' } },
    },
    annotations: READS,
    run: async (args, call) => {
      const entry = choose(desk, args['connection']);
      const { database } = entry;
      const ask = { ...askOf(entry, args, call), maxRows: EXPORT_ROWS, maxBytes: EXPORT_BYTES };
      let answer: Answer = { columns: [], rows: [], truncated: false };
      await audited(desk.audit, { tool: 'export_result', database, sql: ask.sql, withText: desk.auditText }, async () => {
        answer = await withSuggestion(database, () => database.query(ask));
        return { rows: answer.rows.length, truncated: answer.truncated !== false };
      });
      const format = args['format'] as Format;
      const text = write(format, answer);
      const name = `result.${format === 'markdown' ? 'md' : format}`;
      const uri = desk.exports.add(name, TYPES[format], text);
      const structured = { uri, rows: answer.rows.length, bytes: Buffer.byteLength(text), truncated: answer.truncated !== false };
      return { structured, links: [{ uri, name, mimeType: TYPES[format] }] };
    },
  };
}

function write(format: Format, { columns, rows }: Answer): string {
  const names = columns.map((column) => column.name);
  const cell = (value: unknown): string => (value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value));
  if (format === 'csv') return `${[names, ...rows].map((row) => row.map((value) => csv(cell(value))).join(',')).join('\r\n')}\r\n`;
  if (format === 'markdown') {
    const line = (cells: readonly string[]): string =>
      `| ${cells.map((one) => one.replaceAll('|', '\\|').replace(/\r?\n/gu, '<br>')).join(' | ')} |`;
    return `${[line(names), line(names.map(() => '---')), ...rows.map((row) => line(row.map(cell)))].join('\n')}\n`;
  }
  // Columns may share a name: a later one gets a number, so that none is lost.
  const keys = names.map((name, index) => (names.indexOf(name) === index ? name : `${name}_${index + 1}`));
  return `[${rows.map((row) => `\n  ${JSON.stringify(Object.fromEntries(row.map((value, index) => [keys[index] ?? '', value])))}`).join(',')}\n]\n`;
}

/** RFC 4180; a cell that a spreadsheet would run as a formula gets an apostrophe. */
function csv(text: string): string {
  const safe = /^[=@\t\r]|^[+-](?![0-9.]+(?:[eE][+-]?[0-9]+)?$)/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
