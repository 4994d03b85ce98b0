/** What a person sees of a run: the report, and what happens meanwhile. */
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { progressLine } from '../../conformance/reporters/progress.ts';
import type { Report } from '../../conformance/reporters/report.ts';
import { REPORTERS } from '../../conformance/reporters/reporters.ts';
import type { CommandContext } from '../command.ts';
import type { Follower } from './drive.ts';

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
