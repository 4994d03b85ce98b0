/** The work of `signalbox conform`: a run, a replay, a saved test. Loaded when it is asked for. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { progressLine } from '../../conformance/reporters/progress.ts';
import type { Report } from '../../conformance/reporters/report.ts';
import { REPORTERS } from '../../conformance/reporters/reporters.ts';
import type { CommandContext } from '../command.ts';
import { drive, type Follower } from './drive.ts';
import { replayCase, saveCase } from './stored.ts';
import { baselineOf, counted, failOnOf, reporterOf, writeBaseline } from './verdict.ts';

/** Runs the command line. Returns the exit code. */
export async function runConform(context: CommandContext): Promise<number> {
  const { flags } = context;
  const again = flags.text('replay');
  if (again !== undefined) return replayCase(context, again);
  const kept = flags.text('save-as-test');
  if (kept !== undefined) return saveCase(context, kept);
  if (flags.list('watch').length > 0) return (await import('./watch.ts')).watchServer(context);
  const reporter = reporterOf(context);
  const failOn = failOnOf(context);
  const known = baselineOf(context);
  const report = await drive(context, followerOf(context, reporter));
  write(context, reporter, report);
  const baseline = flags.text('write-baseline');
  if (baseline !== undefined) writeBaseline(context, baseline, counted(report.findings, failOn, new Set()));
  // Ctrl-C: what was not reached says so in the report, and is no success
  if (context.signal.aborted) context.note('The run was cancelled: what was not reached is reported as not exercised.');
  return context.signal.aborted || counted(report.findings, failOn, known).length > 0 ? 1 : 0;
}

/** Shows what happens as the reporter wants it: events as lines, a bar on a terminal. */
export function followerOf(context: CommandContext, reporter: string): Follower {
  const { flags, cwd, stdin, stdout, stderr } = context;
  const live = stdout.isTTY === true && reporter === 'pretty';
  return {
    hear: (event) => {
      if (reporter === 'events') stdout.write(`${JSON.stringify(event)}\n`);
      else if (live) stderr.write(progressLine(event, stdout.columns ?? 80));
      else if (event.type === 'tools' && reporter === 'pretty') stderr.write(progressLine(event, 80));
    },
    ...(flags.on('no-store') ? {} : { store: cwd }),
    // a hint is the server's own word: on a terminal its list is shown and asked about
    ...(live && stdin.isTTY === true && !flags.on('yes')
      ? {
          agree: async (called: readonly string[]) =>
            context.confirm(`Call ${called.length === 1 ? 'this tool' : `these ${called.length} tools`} with generated arguments?`),
        }
      : {}),
  };
}

/** Writes the report to `--output`, else to standard output. */
export function write({ flags, cwd, stdout }: CommandContext, reporter: string, report: Report): void {
  const render = REPORTERS[reporter];
  if (render === undefined) return;
  const text = render(report);
  const output = flags.text('output');
  if (output !== undefined) writeFileSync(resolve(cwd, output), text);
  else stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}
