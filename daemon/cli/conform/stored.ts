/** `signalbox conform --replay` and `--save-as-test`: what was found before. */
import type { Finding, Target, TraceLine } from '../../api/conformance.ts';
import { errorFromShape } from '../../api/errors.ts';
import { loadFinding } from '../../conformance/cases.ts';
import type { JobEvent } from '../../conformance/process/job.ts';
import { plain } from '../../conformance/reporters/progress.ts';
import { saveAsTest } from '../../conformance/test-file.ts';
import { checkerBytes } from '../../lifecycle/checker.ts';
import type { CommandContext } from '../command.ts';
import { aimOf, headersOf, limitOf, settingsOf, tokened } from './aim.ts';
import { runJob } from './runner.ts';

/** Sends a stored case again. Exit code 0 when its requirement holds now. */
export async function replayCase(context: CommandContext, id: string): Promise<number> {
  const finding = loadFinding(context.cwd, id);
  if (context.args.length === 0 && finding.configured !== undefined) return onConfigured(context, finding);
  const target = targetOf(context, finding);
  if (target.kind === 'stdio') context.note(`Starting ${[target.command, ...target.args].join(' ')}`);
  const { tokens: _tokens, ...settings } = settingsOf(context);
  let last: JobEvent | undefined;
  await runJob(context, { kind: 'replay', finding, target, settings, limitMs: limitOf(context) }, (event) => {
    last = event;
  });
  if (last?.type === 'failed') throw errorFromShape(last.error);
  if (last?.type !== 'replayed') throw new Error('the runner ended without its answer');
  const { replay } = last;
  const broken = replay.violations.find((violation) => violation.id === finding.requirement);
  context.result(replay, () => text(finding, replay.trace, broken));
  return replay.broken ? 1 : 0;
}

/** A case of a server of the configuration: the daemon starts that, with its entry as it is now. */
async function onConfigured(context: CommandContext, finding: Finding): Promise<number> {
  const client = await context.connect();
  const { holds, finding: seen } = await client.call('conform/replay', { id: finding.id, folder: context.cwd });
  context.result({ finding: seen ?? finding, broken: !holds }, () =>
    text(finding, seen?.trace ?? [], holds ? undefined : (seen ?? finding)),
  );
  return holds ? 0 : 1;
}

/** Writes a stored case as a test. */
export function saveCase(context: CommandContext, id: string): number {
  const file = saveAsTest(context.cwd, loadFinding(context.cwd, id), checkerBytes());
  context.result({ file }, `${file}: run it with \`node --test\`.`);
  return 0;
}

function text(
  { requirement }: Finding,
  trace: readonly TraceLine[],
  broken: { readonly expected: string; readonly got: string } | undefined,
): string {
  const lines = trace.map((line) => `${line.direction} ${line.channel} ${line.text}`);
  const verdict =
    broken === undefined ? `${requirement} holds now.` : `${requirement} is broken: expected ${broken.expected}, got ${broken.got}`;
  return plain([...lines, '', verdict].join('\n'));
}

function targetOf(context: CommandContext, finding: Finding): Target {
  const { tokens } = settingsOf(context);
  const settings = tokens === undefined ? {} : { tokens };
  if (context.args.length > 0) {
    const aim = aimOf({ ...context, terminated: true });
    if (aim.kind === 'target') return tokened(context, aim.target, settings);
  }
  const { target } = finding;
  return target.kind === 'http' ? tokened(context, { ...target, headers: headersOf(context) }, settings) : target;
}
