/** The work of `signalbox replay R --as client`. A command or a URL needs no daemon; its endpoints and servers do, and so does `--update`. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ReplayReport, ReplayRules, ReplayTarget } from '../../api/recordings.ts';
import { ChildRegistry } from '../../lifecycle/children.ts';
import { allowedEnvironment } from '../../lifecycle/environment.ts';
import { installation } from '../../lifecycle/installation.ts';
import { fails } from '../../sessions/compare/findings.ts';
import { openRecording } from '../../sessions/recording/reader.ts';
import { Redactor } from '../../sessions/redaction/redactor.ts';
import { replayAsClient } from '../../sessions/replay-client/replay.ts';
import { entryOfTarget, targetName } from '../../sessions/replay-client/target.ts';
import { locateRecording } from '../../sessions/replay-server/locate.ts';
import { linkOpener } from '../../upstreams/open-link.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';
import { recordingRef } from '../record/place.ts';
import { aimOf, numberOf, rulesOf, withValues } from './aim.ts';
import { recordedAt } from './recorded-at.ts';
import { REPLAY_REPORTERS } from './reports.ts';

/** Everything the command line says. */
interface Wanted {
  readonly recording: string;
  readonly against: ReplayTarget;
  readonly rules: ReplayRules;
  readonly server?: string;
  readonly allowWrites: boolean;
  readonly timeoutMs?: number;
}

/** Largest message in bytes. */
const MESSAGE_BYTES = 64 * 1024 * 1024;

/** Runs the command line. Returns the exit code. */
export async function runReplayClient(context: CommandContext, recording: string, words: readonly string[]): Promise<number> {
  const { flags, cwd, stdout } = context;
  const reporter = context.json ? 'json' : (flags.text('reporter') ?? 'pretty');
  const render = REPLAY_REPORTERS[reporter];
  if (render === undefined)
    throw usageError(
      `There is no reporter \`${reporter}\`.`,
      `There are ${Object.keys(REPLAY_REPORTERS).join(', ')}.`,
      'Give one of them.',
    );
  const server = flags.text('server');
  const timeout = flags.text('timeout');
  const wanted: Wanted = {
    recording,
    against: aimOf(context, words),
    rules: withValues(rulesOf(context), context.env),
    allowWrites: flags.on('allow-writes'),
    ...(server === undefined ? {} : { server }),
    ...(timeout === undefined ? {} : { timeoutMs: numberOf(timeout, 'timeout') }),
  };
  const { kind } = wanted.against;
  const alone = (kind === 'stdio' || kind === 'http') && !flags.on('update');
  const report = await (alone ? here(context, wanted) : inDaemon(context, wanted));
  const failsOn = { slower: flags.on('fail-on-slower'), skipped: flags.on('fail-on-skipped') };
  const text = render(report, failsOn);
  const output = flags.text('output');
  if (output !== undefined) writeReport(resolve(cwd, output), text);
  else stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  return fails(report, failsOn) ? 1 : 0;
}

/** @throws SBX_USAGE when the file cannot be written */
function writeReport(file: string, text: string): void {
  try {
    writeFileSync(file, text.endsWith('\n') ? text : `${text}\n`);
  } catch (error) {
    throw usageError(
      `The report cannot be written to ${file}.`,
      error instanceof Error ? error.message : String(error),
      'Give a path in a folder that exists.',
    );
  }
}

async function inDaemon(context: CommandContext, wanted: Wanted): Promise<ReplayReport> {
  const { flags, cwd } = context;
  const client = await context.connect();
  const recording = recordingRef(context, wanted.recording);
  const unsaid = wanted.against.kind === 'endpoint' && flags.text('against') === undefined && flags.text('workspace') === undefined;
  const against = unsaid ? await recordedAt(client, recording, cwd) : wanted.against;
  const { workspace } = { workspace: undefined, ...against };
  if (workspace !== undefined) await client.call('workspace/open', { folder: workspace });
  client.onEvent((event, params) => {
    if (event === 'replay' && 'done' in params) progress(context, params.done, params.total);
  });
  return client.call('replay/run', { ...wanted, recording, against, update: flags.on('update') });
}

/** In this process, on links of its own. */
async function here(context: CommandContext, { recording, against, ...wanted }: Wanted): Promise<ReplayReport> {
  if (against.kind !== 'stdio' && against.kind !== 'http') throw new Error('the daemon has endpoints and servers');
  const reader = await openRecording(
    locateRecording(recordingRef(context, recording), { recordingsDir: context.paths.recordingsDir, folder: context.cwd }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-replay-'));
  const children = new ChildRegistry(folder);
  const { pluginHost, pluginsDir } = installation();
  const entry = entryOfTarget(against);
  try {
    const report = await replayAsClient({
      source: reader,
      recording,
      against: targetName(against),
      single: against.kind === 'stdio',
      signal: context.signal,
      progress: (done, total) => progress(context, done, total),
      open: linkOpener({ name: 'live', alias: 'live', entry, digest: '', hidden: [] }, undefined, {
        spawn: async (spec) => children.spawn(spec),
        environment: async (own) => ({ ...allowedEnvironment(), ...own }),
        node: { command: process.execPath, env: {} },
        pluginHost,
        pluginsDir,
        base: () => context.cwd,
        messageBytes: () => MESSAGE_BYTES,
        redact: (text) => text,
        onStderr: () => {},
        onAudit: () => {},
      }),
      ...wanted,
    });
    // What a report says is read in build logs: nothing that looks like a secret stays in it.
    const secrets = [...Object.values(wanted.rules.values ?? {}), ...('headers' in against ? Object.values(against.headers ?? {}) : [])];
    return new Redactor({ key: randomBytes(32), secrets, rules: {} }).redact(report) as ReplayReport;
  } finally {
    await children.close();
    await reader.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function progress({ stdout, stderr, json }: CommandContext, done: number, total: number): void {
  if (stdout.isTTY === true && !json) stderr.write(done < total ? `\r\u001b[K${done} of ${total}` : '\r\u001b[K');
}
