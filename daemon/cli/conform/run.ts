/** The work of `signalbox conform`: a run, a replay, a saved test. Loaded when it is asked for. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ConformEvent, Finding, Target } from '../../api/conformance.ts';
import { SignalboxError } from '../../api/errors.ts';
import { type ConformReport, conform } from '../../conformance/conform.ts';
import { htmlReport, junitReport, sarifReport } from '../../conformance/reporters/documents.ts';
import { prettyReport, progressLine } from '../../conformance/reporters/pretty.ts';
import { loadFinding, replayFinding, saveAsTest, storeFinding } from '../../conformance/stored.ts';
import type { Era } from '../../protocol/eras.ts';
import { usageError } from '../arguments.ts';
import type { CommandContext } from '../command.ts';

/** Runs the command line. Returns the exit code. */
export async function runConform(context: CommandContext): Promise<number> {
  const { flags, cwd } = context;
  const again = flags.text('replay');
  if (again !== undefined) return replay(context, loadFinding(cwd, again));
  const kept = flags.text('save-as-test');
  if (kept === undefined) return test(context);
  const file = saveAsTest(cwd, loadFinding(cwd, kept));
  context.result({ file }, `${file}: run it with \`node --test\`.`);
  return 0;
}

async function test(context: CommandContext): Promise<number> {
  const { flags, cwd, stdout, stderr } = context;
  const reporter = context.json ? 'json' : (flags.text('reporter') ?? 'pretty');
  const render = REPORTERS[reporter];
  if (render === undefined && reporter !== 'events')
    throw usageError(
      `There is no reporter \`${reporter}\`.`,
      `There are ${[...Object.keys(REPORTERS), 'events'].join(', ')}.`,
      'Give one of them.',
    );
  const failOn = flags.text('fail-on') ?? 'error';
  if (failOn !== 'error' && failOn !== 'warning')
    throw usageError(`--fail-on \`${failOn}\` is not a severity.`, 'It is error or warning.', 'Give one of them.');
  const known = baselineOf(context);
  const report = await conform({
    target: targetOf(context),
    ...erasOf(context),
    seed: numberOf(context, 'seed', 42),
    runs: numberOf(context, 'runs', 20),
    limitMs: numberOf(context, 'timeout', 5000),
    safety: { allow: flags.list('allow') },
    ...only(flags.text('only')),
    signal: context.signal,
    emit: (event: ConformEvent) => {
      if (reporter === 'events') stdout.write(`${JSON.stringify(event)}\n`);
      else if (stdout.isTTY === true && reporter === 'pretty') stderr.write(progressLine(event) ?? '');
      if (event.type === 'finding' && flags.on('no-store') === false) storeFinding(cwd, event.finding);
    },
  });
  if (report.summary.eras.length === 0)
    throw new SignalboxError('SBX_SERVER_UNREACHABLE', 'The server answered in no era of the protocol.', {
      why: 'Neither `server/discover` (2026-07-28) nor `initialize` (2025-11-25) was answered with a result in time.',
      fix: 'See whether it starts by itself, and whether the URL or the command is right.',
    });
  if (render !== undefined) {
    const text = render(report);
    const output = flags.text('output');
    if (output !== undefined) writeFileSync(resolve(cwd, output), text);
    else stdout.write(text.endsWith('\n') ? text : `${text}\n`);
  }
  const bad = report.findings.filter(
    ({ severity, requirement }) =>
      !known.includes(requirement) && (severity === 'error' || (failOn === 'warning' && severity === 'warning')),
  );
  return bad.length > 0 ? 1 : 0;
}

const REPORTERS: Readonly<Record<string, (report: ConformReport) => string>> = {
  pretty: prettyReport,
  json: (report) => JSON.stringify(report, null, 2),
  junit: junitReport,
  sarif: sarifReport,
  html: htmlReport,
};

function only(given: string | undefined): { only?: string } {
  return given === undefined ? {} : { only: given };
}

/** Requirements whose findings are known: a JSON array of ids. */
function baselineOf({ flags, cwd }: CommandContext): readonly string[] {
  const file = flags.text('baseline');
  if (file === undefined) return [];
  try {
    const list: unknown = JSON.parse(readFileSync(resolve(cwd, file), 'utf8'));
    if (Array.isArray(list)) return list.map(String);
  } catch (error) {
    throw usageError(
      `The baseline ${file} cannot be read.`,
      error instanceof Error ? error.message : String(error),
      'Give a JSON array of requirement ids.',
    );
  }
  throw usageError(`The baseline ${file} is no list.`, 'It is JSON, but no array.', 'Give a JSON array of requirement ids.');
}

async function replay(context: CommandContext, finding: Finding): Promise<number> {
  const target =
    context.args.length > 0
      ? targetOf(context)
      : finding.target.kind === 'http'
        ? { ...finding.target, headers: headersOf(context) }
        : finding.target;
  if (target.kind === 'stdio') context.note(`Starting ${[target.command, ...target.args].join(' ')}`);
  const seen = await replayFinding(
    finding,
    target,
    { allow: [...finding.called, ...context.flags.list('allow')] },
    numberOf(context, 'timeout', 5000),
  );
  const lines = seen.trace.map(({ direction, channel, text }) => `${direction} ${channel} ${text}`);
  const broken = seen.violations.find(({ id }) => id === finding.requirement);
  context.result(seen, () =>
    [
      ...lines,
      '',
      broken === undefined
        ? `${finding.requirement} holds now.`
        : `${finding.requirement} is broken: expected ${broken.expected}, got ${broken.got}`,
    ].join('\n'),
  );
  return seen.broken ? 1 : 0;
}

function headersOf({ flags }: CommandContext): Record<string, string> {
  return Object.fromEntries(
    flags.list('header').map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw usageError(`--header \`${line}\` is not a header.`, 'It has no colon.', 'Write it as `Name: value`.');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

function targetOf(context: CommandContext): Target {
  const { args, cwd } = context;
  const [first, ...rest] = args;
  if (first === undefined)
    throw usageError('`signalbox conform` needs a server.', 'It was not given.', 'Give a URL, or a command behind `--`.');
  if (!/^https?:\/\//.test(first)) return { kind: 'stdio', command: first, args: rest, cwd };
  return { kind: 'http', url: first, headers: headersOf(context) };
}

function erasOf({ flags }: CommandContext): { eras?: readonly Era[] } {
  const era = flags.text('era') ?? 'auto';
  if (era === 'auto' || era === 'both') return {};
  if (era === 'legacy' || era === 'modern') return { eras: [era] };
  throw usageError(
    `There is no era \`${era}\`.`,
    'The eras are legacy (up to 2025-11-25) and modern (2026-07-28).',
    'Give legacy, modern or both.',
  );
}

function numberOf({ flags }: CommandContext, name: string, fallback: number): number {
  const given = flags.text(name);
  if (given === undefined) return fallback;
  if (!/^-?\d{1,9}$/.test(given))
    throw usageError(`--${name} \`${given}\` is not a whole number.`, 'It must be one.', `Give one, such as --${name} ${fallback}.`);
  return Number(given);
}
