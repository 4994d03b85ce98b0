/** The work of `signalbox conform`: a run, a replay, a saved test. Loaded when it is asked for. */
import type { CommandContext } from '../command.ts';
import { drive } from './drive.ts';
import { followerOf, write } from './show.ts';
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
