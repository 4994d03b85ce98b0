/** `signalbox conform --watch GLOB`: runs again when the sources change, with what failed and what changed first. */
import type { ConformEvent, Finding } from '../../api/conformance.ts';
import { errorShape, SignalboxError } from '../../api/errors.ts';
import { findingText } from '../../conformance/reporters/pretty.ts';
import { watchSources } from '../../upstreams/source-watch.ts';
import type { CommandContext } from '../command.ts';
import { errorText } from '../program.ts';
import { drive, type Follower } from './drive.ts';
import { followerOf, write } from './show.ts';
import { baselineOf, counted, failOnOf, reporterOf } from './verdict.ts';

/** What one run leaves for the next. */
interface Before {
  readonly properties: readonly string[];
  readonly surface: Readonly<Record<string, string>>;
}

/** Runs until Ctrl-C. The exit code is that of the last run that ended. */
export async function watchServer(context: CommandContext): Promise<number> {
  const { flags, cwd, signal, note } = context;
  const reporter = reporterOf(context);
  const failOn = failOnOf(context);
  const known = baselineOf(context);
  const follower = rememberedAnswers(followerOf(context, reporter));
  let code = 0;
  let before: Before | undefined;
  let last: ReadonlyMap<string, Finding> = new Map();
  let changed: () => void = () => {};
  let pending = false;
  let run: AbortController | undefined;
  const watch = watchSources({
    globs: flags.list('watch'),
    cwd,
    onChange: () => {
      pending = true;
      // what the old sources would still show is of no use
      run?.abort();
      changed();
    },
    onFault: (error) => note(`The sources cannot be watched: ${String(error)}`),
  });
  await watch.ready;
  try {
    while (!signal.aborted) {
      pending = false;
      run = new AbortController();
      const surface: Record<string, string> = {};
      const hear = (event: ConformEvent): void => {
        if (event.type === 'tools') for (const [area, digest] of Object.entries(event.surface)) surface[area] = digest;
        follower.hear(event);
      };
      const own = { ...context, signal: AbortSignal.any([signal, run.signal]) };
      try {
        const report = await drive(own, { ...follower, hear }, before);
        if (!run.signal.aborted && !signal.aborted) {
          write(context, reporter, report);
          code = counted(report.findings, failOn, known).length > 0 ? 1 : 0;
          note(difference(last, report.findings));
          last = new Map(report.findings.map((finding) => [finding.id, finding]));
        }
        before = {
          properties: [
            ...new Set([...report.findings.map(({ property }) => property), ...(run.signal.aborted ? (before?.properties ?? []) : [])]),
          ],
          surface: { ...before?.surface, ...surface },
        };
      } catch (error) {
        // a source that does not even start is part of a day's work; a wrong command line is not
        if (signal.aborted) break;
        if (error instanceof SignalboxError && error.code === 'SBX_USAGE') throw error;
        if (!run.signal.aborted) note(errorText(errorShape(error)));
        code = 1;
      }
      if (!pending && !signal.aborted) {
        note('Watching. Ctrl-C ends it.');
        await new Promise<void>((done) => {
          changed = done;
          signal.addEventListener('abort', () => done(), { once: true });
        });
      }
    }
    return code;
  } finally {
    await watch.close();
  }
}

/** Asks about a tool once, not at every change. */
function rememberedAnswers(follower: Follower): Follower {
  const { agree } = follower;
  if (agree === undefined) return follower;
  const answers = new Map<string, boolean>();
  return {
    ...follower,
    agree: async (called) => {
      const known = called.map((name) => answers.get(name));
      if (known.every((answer) => answer !== undefined)) return known.every((answer) => answer === true);
      const answer = await agree(called);
      for (const name of called) answers.set(name, answer);
      return answer;
    },
  };
}

/** What a run found that the last did not, and what is gone. */
function difference(before: ReadonlyMap<string, Finding>, findings: readonly Finding[]): string {
  const now = new Set(findings.map(({ id }) => id));
  const mended = [...before.values()].filter(({ id }) => !now.has(id));
  const fresh = before.size === 0 ? [] : findings.filter(({ id }) => !before.has(id));
  return [
    ...mended.map(({ requirement, id }) => `holds now: ${requirement} (${id})`),
    ...fresh.map((finding) => `new: ${findingText(finding)}`),
    `${findings.length} findings, ${mended.length} fewer and ${fresh.length} more than before.`,
  ].join('\n');
}
