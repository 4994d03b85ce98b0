/**
 * The runner's process: reads its job from standard input, writes events to standard output, ends with its last event. When its
 * standard input ends, whoever started it is gone: the run is cancelled and the servers end.
 */
import type { PropertyInfo } from '../../api/conformance.ts';
import { errorShape } from '../../api/errors.ts';
import { readLines } from '../../protocol/lines.ts';
import { conform } from '../conform.ts';
import { PROPERTIES } from '../properties/properties.ts';
import { replayFinding } from '../replay.ts';
import { requirementOf } from '../requirements.ts';
import type { Job, JobEvent, Order, RunJob } from './job.ts';

const ERAS = ['legacy', 'modern'] as const;
const ended = new AbortController();
const answers: ((call: boolean) => void)[] = [];

/** Writes an event. What is on its way to a reader that is gone is of use to nobody. */
function say(event: JobEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function properties(): readonly PropertyInfo[] {
  return PROPERTIES.map(({ name, area, stems, eras = ERAS }) => ({
    name,
    area,
    title: name.slice(name.indexOf('/') + 1).replaceAll('-', ' '),
    eras,
    requirements: eras.flatMap((era) => stems.flatMap((stem) => requirementOf(stem, era)?.id ?? [])),
  }));
}

async function run(job: RunJob): Promise<void> {
  const agreed = new Set<string>();
  const { reset, ...safety } = job.settings;
  await conform({
    ...job,
    safety,
    ...(reset === undefined ? {} : { reset }),
    signal: ended.signal,
    emit: say,
    ...(job.ask === true
      ? {
          agree: async (called: readonly string[]) => {
            if (called.every((name) => agreed.has(name))) return true;
            const call = await new Promise<boolean>((done) => answers.push(done));
            if (call) for (const name of called) agreed.add(name);
            return call;
          },
        }
      : {}),
  });
}

async function work(job: Job): Promise<void> {
  if (job.kind === 'discover') say({ type: 'properties', properties: properties() });
  else if (job.kind === 'run') await run(job);
  else say({ type: 'replayed', replay: await replayFinding(job.finding, job.target, job.settings, job.limitMs) });
}

// Said to this process alone: a server under test must find the environment that any client would give it.
delete process.env['ELECTRON_RUN_AS_NODE'];
process.stdout.on('error', () => process.exit(1));
let begun = false;
const cancel = (): void => {
  ended.abort();
  for (const answer of answers.splice(0)) answer(false);
};
const lines = readLines(process.stdin, (line) => {
  const given = JSON.parse(line) as Job | Order;
  if ('order' in given) {
    if (given.order === 'cancel') cancel();
    else answers.shift()?.(given.call);
    return;
  }
  if (begun) return;
  begun = true;
  work(given)
    .catch((error: unknown) => say({ type: 'failed', error: errorShape(error) }))
    .finally(() => {
      lines.close();
      // what a property left running must not keep the process; what was written must reach a pipe
      process.stdout.write('', () => process.exit(0));
    });
});
void lines.closed.then(cancel);
