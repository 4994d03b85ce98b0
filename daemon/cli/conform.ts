/** `signalbox conform`: property-based conformance tests of one server, without the daemon. */
import type { ConformEvent } from '../conformance/engine/events.ts';
import type { Target } from '../conformance/transports/wire.ts';
import type { Era } from '../protocol/eras.ts';
import { usageError } from './arguments.ts';
import type { Command, CommandContext } from './command.ts';

/** `signalbox conform`. */
export const conformCommand: Command = {
  name: 'conform',
  summary: 'Test a server against the specification with generated inputs',
  usage: ['signalbox conform URL [options]', 'signalbox conform [options] -- COMMAND [ARGUMENTS]'],
  options: {
    era: { type: 'string', value: 'ERA', summary: 'legacy, modern or both; the eras the server speaks unless told' },
    seed: { type: 'string', value: 'N', summary: 'same seed, same cases; 42 unless told' },
    runs: { type: 'string', value: 'N', summary: 'generated cases for each property; 20 unless told' },
    only: { type: 'string', value: 'TEXT', summary: 'only properties whose name contains TEXT' },
    allow: {
      type: 'string',
      value: 'TOOL',
      multiple: true,
      summary: 'call this tool too, though it does not say that it is read-only; * for all',
    },
    header: { type: 'string', value: 'NAME: VALUE', multiple: true, summary: 'an HTTP header of every request, such as Authorization' },
    timeout: { type: 'string', value: 'MS', summary: 'longest wait for an answer in milliseconds; 5000 unless told' },
    reporter: { type: 'string', value: 'KIND', summary: 'pretty, json or events (one JSON object a line)' },
  },
  examples: ['signalbox conform --reporter pretty -- node server.js', 'signalbox conform http://127.0.0.1:3000/mcp --era legacy --seed 7'],
  async run(context) {
    // A daemon that only routes need not have the generators in its memory.
    const { conform } = await import('../conformance/conform.ts');
    const report = await conform({
      target: targetOf(context),
      ...erasOf(context),
      seed: numberOf(context, 'seed', 42),
      runs: numberOf(context, 'runs', 20),
      limitMs: numberOf(context, 'timeout', 5000),
      safety: { allow: context.flags.list('allow') },
      ...(context.flags.text('only') === undefined ? {} : { only: context.flags.text('only') ?? '' }),
      signal: context.signal,
      emit: (event: ConformEvent) =>
        void (context.flags.text('reporter') === 'events' && context.stdout.write(`${JSON.stringify(event)}\n`)),
    });
    context.result(report, () =>
      [
        ...report.findings.map(
          ({ requirement, severity, property, input, expected, got, flaky }) =>
            `${severity} ${requirement} (${property})${flaky ? ' FLAKY' : ''}\n  input ${JSON.stringify(input)?.slice(0, 300)}\n  expected ${expected}\n  got ${got}`,
        ),
        JSON.stringify({ ...report.summary, outcomes: undefined }),
      ].join('\n'),
    );
    return report.findings.some(({ severity }) => severity === 'error') ? 1 : 0;
  },
};

function targetOf({ args, cwd, flags }: CommandContext): Target {
  const [first, ...rest] = args;
  if (first === undefined)
    throw usageError('`signalbox conform` needs a server.', 'It was not given.', 'Give a URL, or a command behind `--`.');
  if (!/^https?:\/\//.test(first)) return { kind: 'stdio', command: first, args: rest, cwd };
  const headers = Object.fromEntries(
    flags.list('header').map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw usageError(`--header \`${line}\` is not a header.`, 'It has no colon.', 'Write it as `Name: value`.');
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
  return { kind: 'http', url: first, headers };
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
