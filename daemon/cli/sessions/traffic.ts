/** `signalbox sessions list`, `show`, `tail`, `stats`. */
import { resolve } from 'node:path';
import type { ControlClient } from '../../api/control-client.ts';
import type { TrafficQuery, TrafficRow } from '../../api/sessions.ts';
import { positionals, usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { statisticsText } from '../statistics.ts';
import { harmlessJson } from '../terminal.ts';
import { numberOf, trafficQuery } from './query.ts';
import { eventText, sessionsText, trafficText } from './text.ts';

const LIMIT = 200;

/** Who is connected. */
export async function listSessions(context: CommandContext, rest: readonly string[]): Promise<number> {
  positionals('sessions list', rest, []);
  const { flags, cwd } = context;
  const workspace = flags.text('workspace');
  const client = await context.connect();
  const answer = await client.call('sessions/list', {
    ...(flags.on('ended') ? { ended: true } : {}),
    ...(workspace === undefined ? {} : { workspace: resolve(cwd, workspace) }),
  });
  context.result(answer, () => sessionsText(answer.sessions, context.stdout.columns ?? 0));
  return 0;
}

/** The timeline, or one event in full. */
export async function showTraffic(context: CommandContext, rest: readonly string[]): Promise<number> {
  const [first, ...others] = rest;
  const client = await context.connect();
  if (first !== undefined && /^\d+$/.test(first) && others.length === 0) return showEvent(context, client, Number(first));
  // A word that is a session is that session.
  const { sessions } = await client.call('sessions/list', { ended: true });
  const named = sessions.find(({ id }) => id === first);
  const query = { ...trafficQuery(context, named === undefined ? rest : others), ...(named === undefined ? {} : { session: named.id }) };
  const following = context.flags.on('follow');
  if (following && context.json)
    throw usageError(
      '`show --follow` and `--json` do not go together.',
      '`--json` is one document, and following has no end.',
      'Use `signalbox sessions tail --json`: one row a line.',
    );
  const answer = await client.call('sessions/rows', { ...query, limit: numberOf(context, 'limit') ?? LIMIT });
  const empty = 'Nothing of that is kept.';
  context.result(answer, () => (answer.rows.length === 0 ? empty : trafficText(answer.rows, widthOf(context, query))));
  if (answer.more && !context.json) context.note('There is more before it: --limit N.');
  return following ? follow(context, client, { ...query, after: answer.rows.at(-1)?.seq ?? 0 }) : 0;
}

/** What happens from now on. */
export async function tailTraffic(context: CommandContext, rest: readonly string[]): Promise<number> {
  return follow(context, await context.connect(), trafficQuery(context, rest));
}

/** Numbers per tool. */
export async function statistics(context: CommandContext, rest: readonly string[]): Promise<number> {
  const { session, client, endpoint, workspace, server } = trafficQuery(context, rest);
  const connection = await context.connect();
  const answer = await connection.call('sessions/statistics', {
    ...(session === undefined ? {} : { session }),
    ...(client === undefined ? {} : { client }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(workspace === undefined ? {} : { workspace }),
    ...(server === undefined ? {} : { server }),
  });
  context.result(answer, () => statisticsText(answer));
  return 0;
}

async function showEvent(context: CommandContext, client: ControlClient, seq: number): Promise<number> {
  const answer = await client.call('sessions/event', { seq, ...(context.flags.on('reveal') ? { reveal: true } : {}) });
  context.result(answer, () => eventText(answer, context.stdout.columns ?? 0));
  return 0;
}

/** Writes rows as they come, until the signal or the end of the daemon; tells how far it has come, so that nothing piles up. */
async function follow(context: CommandContext, client: ControlClient, query: TrafficQuery): Promise<number> {
  const { stdout, signal, json } = context;
  let name: string | undefined;
  const early: (readonly TrafficRow[])[] = [];
  const show = (rows: readonly TrafficRow[]): void => {
    const text = json ? rows.map((row) => harmlessJson(JSON.stringify(row))).join('\n') : trafficText(rows, widthOf(context, query));
    const last = rows.at(-1)?.seq;
    stdout.write(`${text}\n`, () => {
      // A pipe that nobody reads stops here, and the daemon with it.
      if (name !== undefined && last !== undefined) client.call('sessions/ack', { tail: name, seq: last }).catch(() => undefined); // gone
    });
  };
  const stop = client.onEvent((event, params) => {
    if (event !== 'traffic' || !('tail' in params)) return;
    if (name === undefined) early.push(params.rows);
    else if (params.tail === name) show(params.rows);
  });
  name = (await client.call('sessions/tail', query)).tail;
  for (const rows of early) show(rows);
  await new Promise<void>((over) => {
    client.onClose(over);
    if (signal.aborted) over();
    signal.addEventListener('abort', () => over(), { once: true });
  });
  stop();
  // The end of the connection ends the view.
  return signal.aborted ? 0 : 3;
}

function widthOf({ stdout }: CommandContext, { messages }: TrafficQuery): number {
  return messages === true ? 0 : (stdout.columns ?? 0);
}
