/** A run from its beginning to its report: in a runner of our own, or through the daemon for a server of its configuration. */
import { addFinding, type ConformEvent, type Finding, type Summary } from '../../api/conformance.ts';
import type { ControlClient } from '../../api/control-client.ts';
import { type ErrorShape, errorFromShape, SignalboxError } from '../../api/errors.ts';
import type { RunJob } from '../../conformance/process/job.ts';
import type { Report } from '../../conformance/reporters/report.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { endpointRef } from '../target.ts';
import { aimOf, planOf, settingsOf, tokened } from './aim.ts';
import { runJob } from './runner.ts';

/** Who follows a run. */
export interface Follower {
  /** Hears every event. */
  readonly hear: (event: ConformEvent) => void;
  /** Asked before tools are called; no question is asked without it. */
  readonly agree?: (called: readonly string[]) => Promise<boolean>;
  /** Folder below which cases are stored. */
  readonly store?: string;
}

/**
 * Runs the tests the command line asks for.
 * @throws SBX_SERVER_UNREACHABLE when the server answers in no era, and whatever ended the run
 */
export async function drive(context: CommandContext, follower: Follower, first?: RunJob['first']): Promise<Report> {
  const findings: Finding[] = [];
  let summary: Summary | undefined;
  const asked = consent(follower.agree);
  const hear = (event: ConformEvent, answer: (call: boolean) => void): void => {
    follower.hear(event);
    if (event.type === 'finding') addFinding(findings, event.finding);
    else if (event.type === 'end') summary = event.summary;
    else if (event.type === 'tools') void asked(event.called).then(answer);
  };
  const aim = aimOf(context);
  if (aim.kind === 'server') await throughDaemon(context, aim.server, follower, hear, first);
  else await ownRunner(context, aim.target, follower, hear, first);
  if (summary === undefined)
    throw new SignalboxError('SBX_CONFORM_RUNNER', 'The conformance run ended without a report.', {
      why: 'The daemon or the runner ended first.',
      fix: 'Run it again.',
    });
  if (summary.eras.length === 0 && !context.signal.aborted)
    throw new SignalboxError('SBX_SERVER_UNREACHABLE', 'The server answered in no era of the protocol.', {
      why: 'Neither `server/discover` (2026-07-28) nor `initialize` (2025-11-25) was answered with a result in time.',
      fix: 'See whether it starts by itself, and whether the URL or the command is right. A protected server needs `--token`.',
    });
  return { summary, findings };
}

type Hear = (event: ConformEvent, answer: (call: boolean) => void) => void;

async function ownRunner(
  context: CommandContext,
  target: RunJob['target'],
  follower: Follower,
  hear: Hear,
  first: RunJob['first'],
): Promise<void> {
  const { tokens, ...settings } = settingsOf(context);
  const job: RunJob = {
    kind: 'run',
    ...planOf(context),
    target: tokened(context, target, tokens === undefined ? {} : { tokens }),
    settings,
    ...(follower.agree === undefined ? {} : { ask: true }),
    ...(first === undefined ? {} : { first }),
  };
  let failure: SignalboxError | undefined;
  const { storeFinding } = await import('../../conformance/cases.ts');
  await runJob(context, job, (event, runner) => {
    if (event.type === 'failed') failure = errorFromShape(event.error);
    else if (event.type !== 'properties' && event.type !== 'replayed') {
      if (event.type === 'finding' && follower.store !== undefined) storeFinding(follower.store, event.finding);
      hear(event, (call) => runner.tell({ order: 'tools', call }));
    }
  });
  if (failure !== undefined) throw failure;
}

/** Flags that a server of the configuration has in its entry. */
const OF_ENTRY = ['settings', 'header', 'token', 'token2', 'token-expired', 'token-other', 'token-narrow'];

async function throughDaemon(
  context: CommandContext,
  server: string,
  follower: Follower,
  hear: Hear,
  first: RunJob['first'],
): Promise<void> {
  const given = OF_ENTRY.find((flag) => context.flags.text(flag) !== undefined);
  if (given !== undefined)
    throw usageError(
      `--${given} is not for a server of the configuration.`,
      'Its settings, headers and tokens stand in its entry.',
      'Put them there (`conformance`, `headers`), or give a command behind `--` or a URL.',
    );
  const client = await context.connect();
  const { workspace } = await endpointRef(context, client);
  const over = ended(client, hear);
  const { run } = await client.call('conform/run', {
    target: { kind: 'server', server, ...(workspace === undefined ? {} : { workspace }) },
    ...planOf(context),
    allow: context.flags.list('allow'),
    ...(follower.store === undefined ? {} : { folder: follower.store }),
    ...(follower.agree === undefined ? {} : { ask: true }),
    ...(first === undefined ? {} : { first }),
  });
  await over(run);
}

/** Follows the events of a run from before it begins; resolves with its end and rejects with what it failed with. */
function ended(client: ControlClient, hear: Hear): (run: string) => Promise<void> {
  type Told = { readonly run: string; readonly event: ConformEvent | { readonly type: 'failed'; readonly error: ErrorShape } };
  const early: Told[] = [];
  let take = (told: Told): void => void early.push(told);
  client.onEvent((name, params) => {
    if (name === 'conform') take(params as Told);
  });
  return (run) =>
    new Promise((resolve, reject) => {
      client.onClose(() =>
        reject(
          new SignalboxError('SBX_CONFORM_RUNNER', 'The conformance run ended before its report.', {
            why: 'The connection to the daemon was lost, and a run ends with the connection that began it.',
            fix: 'Run it again.',
          }),
        ),
      );
      take = ({ run: of, event }) => {
        if (of !== run) return;
        if (event.type === 'failed') return reject(errorFromShape(event.error));
        hear(event, (call) => void client.call('conform/answer', { run, call }).catch(() => undefined));
        if (event.type === 'end') resolve();
      };
      early.forEach(take);
    });
}

/** Asks once for names that are new; a no stays a no. */
function consent(agree: Follower['agree']): (called: readonly string[]) => Promise<boolean> {
  const agreed = new Set<string>();
  let refused = false;
  return async (called) => {
    if (agree === undefined || called.every((name) => agreed.has(name))) return true;
    refused ||= !(await agree(called));
    if (!refused) for (const name of called) agreed.add(name);
    return !refused;
  };
}
