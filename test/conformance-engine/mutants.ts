/** Every fault the reference server can have, run against the properties that name its requirement. */
import { readFileSync } from 'node:fs';
import type { Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import { requirementOf } from '../../daemon/conformance/requirements.ts';
import type { Era } from '../../daemon/protocol/eras.ts';
import { serveHttp } from './reference/main.ts';

/** One fault in one era over one transport. */
export interface Mutant {
  readonly stem: string;
  readonly id: string;
  readonly area: string;
  readonly era: Era;
  readonly transport: 'stdio' | 'http';
}

const SOURCES = ['server.ts', 'main.ts'].map((name) => readFileSync(new URL(`./reference/${name}`, import.meta.url), 'utf8')).join('\n');

/** The switches of the reference server, read from its source: none can be forgotten. */
export const FAULTS: readonly string[] = [
  ...new Set([...SOURCES.matchAll(/\b(?:b|broken|this\.#broken)\('([A-Z0-9-]+)'\)/g)].map(([, stem]) => stem ?? '')),
].sort();

/** Every fault in every era and over every transport its requirement is about. */
export function allMutants(): readonly Mutant[] {
  const mutants: Mutant[] = [];
  for (const stem of FAULTS)
    for (const era of ['legacy', 'modern'] as const) {
      const requirement = requirementOf(stem, era);
      if (requirement === undefined) continue;
      for (const transport of ['stdio', 'http'] as const)
        if ((requirement.applies === 'both' || requirement.applies === transport) && !SILENT.has(`${requirement.id}/${transport}`))
          mutants.push({ stem, id: requirement.id, area: requirement.area, era, transport });
    }
  return mutants;
}

/** Faults the reference server cannot show: an HTTP answer of it is over when its result is, a modern HTTP request is cancelled otherwise, it shares its counters between sessions, and over HTTP it lives in the process of the test. */
const SILENT: ReadonlySet<string> = new Set([
  'L-LC-NO-EARLY-REQ/http',
  'L-ROB-NO-CRASH/http',
  'M-ROB-NO-CRASH/http',
  'L-PROG-STOP/http',
  'M-PROG-STOP/http',
  'M-CAN-ISOLATED/http',
  'M-CAN-UNKNOWN-IGNORED/http',
  'M-RES-UPDATED-ONLY-SUB/http',
  'M-RES-UPDATED-ONLY-SUB/stdio',
  'M-ROB-DETERMINISM/http',
]);

/**
 * Runs the properties about one fault; with `whole` every property, with the default budget.
 * @returns ids found
 */
export async function findingsOf(
  { stem, era, transport }: Pick<Mutant, 'stem' | 'era' | 'transport'>,
  { whole = false, faults = [stem] }: { readonly whole?: boolean; readonly faults?: readonly string[] } = {},
): Promise<readonly string[]> {
  const http = transport === 'http' ? await serveHttp(faults) : undefined;
  const main = new URL('./reference/main.ts', import.meta.url).pathname;
  const target: Target =
    http === undefined
      ? { kind: 'stdio', command: process.execPath, args: ['--disable-warning=ExperimentalWarning', main, ...faults] }
      : { kind: 'http', url: http.url };
  try {
    const { findings } = await conform({
      target,
      eras: [era],
      seed: 1,
      runs: whole ? 20 : 8,
      limitMs: whole ? 5000 : 1500,
      safety: { allow: [] },
      ...(whole ? {} : { only: stem }),
      signal: AbortSignal.timeout(whole ? 300_000 : 40_000),
      emit: () => {},
    });
    return findings.filter(({ flaky }) => !flaky).map(({ requirement }) => requirement);
  } finally {
    http?.close();
  }
}
