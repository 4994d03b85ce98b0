/** `signalbox record list`, `show`, `search`, `stats`, `compare`. */
import type { ControlClient } from '../../api/control-client.ts';
import type { TrafficRow } from '../../api/sessions.ts';
import { fails } from '../../sessions/compare/findings.ts';
import { onlyArgument, positionals, usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { rulesOf } from '../replay-client/aim.ts';
import { prettyReport } from '../replay-client/reports.ts';
import { statisticsText } from '../statistics.ts';
import { recordingRef, workspaceFolder } from './place.ts';
import { damaged, recordingsText, recordingText, rowsText } from './text.ts';

/** Rows asked for at once. */
const PAGE = 2000;

/** Every recording, those of the workspace too. */
export async function listCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  positionals('record list', rest, []);
  const client = await context.connect();
  const answer = await client.call('record/list', { folder: workspaceFolder(context) });
  context.result(answer, () => recordingsText(answer.recordings, context.stdout.columns ?? 0));
  return 0;
}

/** The timeline of a recording. */
export async function showCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const recording = recordingRef(context, onlyArgument('record show', rest, "the recording's id, name or file"));
  const { flags } = context;
  const limit = numberOf(context, 'limit') ?? 200;
  const from = numberOf(context, 'from');
  const client = await context.connect();
  const answer = await client.call('record/show', {
    recording,
    limit,
    ...(from === undefined ? {} : { after: from - 1 }),
    ...queryOf(context),
    ...(flags.on('messages') ? { messages: true } : {}),
  });
  const { info, sessions, rows, more } = answer;
  context.result(answer, () => {
    const began = Date.parse(info.createdAt);
    const who = sessions.map(
      ({ id, clientInfo, era }) =>
        `session ${id}${clientInfo?.name === undefined ? '' : `, ${clientInfo.name}`}${era === undefined ? '' : `, ${era}`}`,
    );
    const last = rows.at(-1)?.seq;
    const onwards = more && last !== undefined ? [`There is more: --from ${Math.floor(last) + 1}`] : [];
    return [recordingText(info), ...who, rowsText(rows, began, flags.on('messages') ? 0 : (context.stdout.columns ?? 0)), ...onwards].join(
      '\n',
    );
  });
  return 0;
}

/** Where a text occurs in one recording or in all. */
export async function searchCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [text = '', given] = positionals('record search', rest, ['the text', "the recording's id, name or file?"]);
  const client = await context.connect();
  const limit = numberOf(context, 'limit') ?? 100;
  const recordings =
    given === undefined
      ? (await client.call('record/list', { folder: workspaceFolder(context) })).recordings.map(({ path, name, id }) => ({
          path,
          label: name ?? id,
        }))
      : [{ path: recordingRef(context, given), label: given }];
  const found: { readonly recording: string; readonly rows: readonly TrafficRow[]; readonly began: number }[] = [];
  let left = limit;
  for (const { path, label } of recordings) {
    if (left <= 0) break;
    const { rows: all, info } = await client.call('record/show', {
      recording: path,
      search: text,
      limit: Math.min(left, PAGE),
      ...queryOf(context),
    });
    // where something is missing is not where the text is
    const rows = all.filter(({ kind }) => kind !== 'gap');
    left -= rows.length;
    if (rows.length > 0) found.push({ recording: label, rows, began: Date.parse(info.createdAt) });
  }
  context.result({ found: found.map(({ recording, rows }) => ({ recording, rows })) }, () =>
    found.length === 0
      ? `"${text}" is in no message.`
      : found.map(({ recording, rows, began }) => `${recording}\n${rowsText(rows, began, context.stdout.columns ?? 0)}`).join('\n\n'),
  );
  return found.length === 0 ? 1 : 0;
}

/** Statistics per tool; exit code 1 when a part of the recording could not be read. */
export async function statsCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const recording = recordingRef(context, onlyArgument('record stats', rest, "the recording's id, name or file"));
  const server = context.flags.text('server');
  const client = await context.connect();
  const answer = await client.call('record/statistics', { recording, ...(server === undefined ? {} : { server }) });
  context.result(answer, () => statisticsText(answer));
  return damaged(context, answer.problems) ? 1 : 0;
}

/** What differs between two recordings; exit code 1 when something does. */
export async function compareCommand(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [one = '', other = ''] = positionals('record compare', rest, ['the first recording', 'the second recording']);
  const client: ControlClient = await context.connect();
  const server = context.flags.text('server');
  const report = await client.call('record/compare', {
    recording: recordingRef(context, one),
    with: recordingRef(context, other),
    rules: rulesOf(context),
    ...(server === undefined ? {} : { server }),
  });
  context.result(report, () => prettyReport(report));
  return fails(report) ? 1 : 0;
}

function queryOf({ flags }: CommandContext): { client?: string; session?: string; server?: string; method?: string; errors?: true } {
  const text = <N extends string>(name: N): { [K in N]?: string } => {
    const value = flags.text(name);
    return (value === undefined ? {} : { [name]: value }) as { [K in N]?: string };
  };
  return {
    ...text('client'),
    ...text('session'),
    ...text('server'),
    ...text('method'),
    ...(flags.on('errors') ? { errors: true as const } : {}),
  };
}

function numberOf({ flags }: CommandContext, name: string): number | undefined {
  const text = flags.text(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text))
    throw usageError(`\`--${name} ${text}\` is not a number.`, 'It must be a whole number.', `For example \`--${name} 100\`.`);
  return Number(text);
}
