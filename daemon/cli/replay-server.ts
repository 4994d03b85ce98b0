/** `signalbox replay R --as server`: a recording as a mock server of its own, without the daemon. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ReplayListener, serveReplay } from '../endpoints/replay-listener.ts';
import { judge } from '../sessions/faults/faults.ts';
import { ActiveRule } from '../sessions/faults/rule.ts';
import { loadRehearsal } from '../sessions/replay-server/load.ts';
import { locateRecording } from '../sessions/replay-server/locate.ts';
import type { MatchStrategy } from '../sessions/replay-server/matching.ts';
import type { Rehearsal, ReplayServerReport } from '../sessions/replay-server/rehearsal.ts';
import { faultRule, ignoreRule } from '../sessions/replay-server/rules.ts';
import { serveStdio } from '../sessions/replay-server/stdio.ts';
import { usageError } from './arguments.ts';
import type { CommandContext, Option } from './command.ts';

/** Its flags, beside `--server`, which replaying as a client has too. */
export const REPLAY_SERVER_OPTIONS: Readonly<Record<string, Option>> = {
  http: { type: 'boolean', summary: 'server: over Streamable HTTP on loopback instead of standard streams' },
  port: { type: 'string', value: 'PORT', summary: 'server: port of --http; default: a free one' },
  match: { type: 'string', value: 'HOW', summary: 'server: params (default), order, or target' },
  ignore: {
    type: 'string',
    multiple: true,
    value: 'POINTER',
    summary: 'server: a place of the parameters that does not count; [METHOD:]/arguments/now',
  },
  repeat: { type: 'string', value: 'HOW', summary: 'server: what answers a request made too often: last (default), loop, never' },
  timing: { type: 'string', value: 'HOW', summary: 'server: none (default), original, or a factor for the recorded pauses' },
  fault: {
    type: 'string',
    multiple: true,
    value: 'RULE',
    summary: 'server: a fault, as `signalbox faults set` takes it: latency,ms=200,tool=query',
  },
  strict: {
    type: 'boolean',
    summary: 'server: exit code 1 when something was not answered, not asked, or answered differently by the client',
  },
  report: { type: 'string', value: 'FILE', summary: 'server: write what became of it to a JSON file' },
};

/**
 * Serves until the client leaves (standard streams) or Ctrl-C.
 * @returns 1 with `--strict` when the client did not do what was recorded
 */
export async function replayAsServer(context: CommandContext, recording: string): Promise<number> {
  const { flags, paths, cwd, note } = context;
  const server = flags.text('server');
  const port = portOf(flags.text('port'));
  const rules = flags.list('fault').map((text) => new ActiveRule(faultRule(text)));
  const rehearsal = await loadRehearsal(locateRecording(recording, { recordingsDir: paths.recordingsDir, folder: cwd }), {
    match: oneOf('match', flags.text('match'), ['params', 'order', 'target']) as MatchStrategy,
    exhausted: oneOf('repeat', flags.text('repeat'), ['last', 'loop', 'never']) as 'last' | 'loop' | 'never',
    ignore: flags.list('ignore').map(ignoreRule),
    speed: speedOf(flags.text('timing')),
    ...(server === undefined ? {} : { server }),
    onNote: note,
    onMiss: note,
  });
  const faults = rules.length === 0 ? {} : { faults: judge(server ?? '', rules) };
  if (rules.length > 0) note(`Faults are put into this replay on purpose: ${rules.map(({ rule }) => JSON.stringify(rule)).join(', ')}`);
  if (flags.on('http') || port !== 0) await overHttp(context, rehearsal, await serveReplay({ rehearsal, port, path: '/mcp', ...faults }));
  else await serveStdio(rehearsal, { input: context.stdin, output: context.stdout, signal: context.signal, ...faults });
  const report = rehearsal.report();
  const file = flags.text('report');
  if (file !== undefined) await writeFile(resolve(cwd, file), `${JSON.stringify(report, null, 2)}\n`);
  note(reportText(report, flags.on('strict')));
  return flags.on('strict') && !asRecorded(report) ? 1 : 0;
}

async function overHttp(context: CommandContext, rehearsal: Rehearsal, listener: ReplayListener): Promise<void> {
  const { name } = rehearsal.face.serverInfo;
  context.result({ url: listener.url }, `${typeof name === 'string' ? name : 'The recording'} is served at ${listener.url}`);
  context.note('Ctrl-C ends it.');
  const { signal } = context;
  if (!signal.aborted) await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
  await listener.close();
}

/** Whether the clients did what was recorded, and nothing else. */
function asRecorded({ misses, unplayed, answers }: ReplayServerReport): boolean {
  return misses.length === 0 && unplayed.length === 0 && answers.length === 0;
}

/** Requests and answers shown of each kind; the rest is counted. */
const SHOWN = 10;

function reportText(report: ReplayServerReport, all: boolean): string {
  const { played, misses, unplayed, answers } = report;
  const counts = `${played} recorded requests played, ${misses.length} not answered, ${unplayed.length} never made, ${answers.length} questions answered differently.`;
  if (!all || asRecorded(report)) return counts;
  const list = (title: string, items: readonly string[]): readonly string[] =>
    items.length === 0
      ? []
      : [
          title,
          ...items.slice(0, SHOWN).map((item) => `  ${item}`),
          ...(items.length > SHOWN ? [`  and ${items.length - SHOWN} more`] : []),
        ];
  const about = ({ method, target }: { readonly method: string; readonly target?: string }): string =>
    target === undefined ? method : `${method} ${JSON.stringify(target)}`;
  return [
    counts,
    ...list(
      'Not answered:',
      misses.map((miss) => `${about(miss)}${miss.nearest === undefined ? '' : `, nearest is frame ${miss.nearest.request}`}`),
    ),
    ...list(
      'Never made:',
      unplayed.map((one) => `frame ${one.request}: ${about(one)}`),
    ),
    ...list(
      'Answered differently:',
      answers.map(
        ({ request, method, changes }) => `frame ${request}: ${method} at ${changes.map(({ pointer }) => pointer || '/').join(', ')}`,
      ),
    ),
  ].join('\n');
}

function portOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port < 65_536) return port;
  throw usageError(`\`--port ${text}\` is no port.`, 'A port is a whole number up to 65535.', 'Leave it out for a free one.');
}

function speedOf(text: string | undefined): number {
  if (text === undefined || text === 'none') return 0;
  if (text === 'original') return 1;
  const factor = Number(text);
  if (text.trim() !== '' && factor >= 0 && factor <= 1000) return factor;
  throw usageError(`\`--timing ${text}\` is unknown.`, 'It is none, original, or a factor from 0 to 1000.', 'Try `--timing original`.');
}

function oneOf(flag: string, given: string | undefined, known: readonly string[]): string {
  if (given === undefined) return known[0] ?? '';
  if (known.includes(given)) return given;
  throw usageError(`\`--${flag} ${given}\` is unknown.`, `It is one of ${known.join(', ')}.`, 'Run `signalbox help replay`.');
}
