/** Every fault the reference servers can have, run against the properties that name its requirement or against all of them. */
import { readFileSync } from 'node:fs';
import type { Target } from '../../daemon/api/conformance.ts';
import { conform } from '../../daemon/conformance/conform.ts';
import { requirementOf } from '../../daemon/conformance/requirements.ts';
import type { Era } from '../../daemon/protocol/eras.ts';
import { AUTH_FAULTS, TASK_FAULTS, tasked } from './extended.ts';
import { serveHttp } from './reference/main.ts';
import { serveProtected } from './reference/protected.ts';

/** One fault in one era over one transport. */
export interface Mutant {
  readonly stem: string;
  readonly id: string;
  readonly area: string;
  readonly era: Era;
  readonly transport: 'stdio' | 'http';
  /** The server that has it. */
  readonly server: 'reference' | 'tasked' | 'protected';
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
          mutants.push({ stem, id: requirement.id, area: requirement.area, era, transport, server: 'reference' });
    }
  return [...mutants, ...extended()];
}

/** The faults of tasks and of a protected server. */
function extended(): readonly Mutant[] {
  const tasks = Object.keys(TASK_FAULTS).map(
    (stem) => ({ stem, breaks: stem, era: 'legacy', transport: 'stdio', server: 'tasked' }) as const,
  );
  const auth = AUTH_FAULTS.flatMap(([stem, breaks, , eras]) =>
    eras.map((era) => ({ stem, breaks, era, transport: 'http', server: 'protected' }) as const),
  );
  const planted = new Map([...tasks, ...auth].map((one) => [`${one.stem} ${one.era} ${one.server}`, one]));
  return [...planted.values()].map(({ breaks, ...one }) => {
    const requirement = requirementOf(breaks, one.era);
    if (requirement === undefined) throw new Error(`no requirement ${breaks} in the ${one.era} era`);
    return { ...one, id: requirement.id, area: requirement.area };
  });
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

/** A server with these faults, until it is closed. */
async function serve({ transport, server }: Planted, faults: readonly string[]): Promise<{ target: Target; close: () => void }> {
  if (server === 'tasked') return { target: tasked(faults), close: () => {} };
  if (server === 'protected') {
    const { url, tokens, close } = await serveProtected(faults);
    return { target: { kind: 'http', url, tokens }, close };
  }
  if (transport === 'http') {
    const { url, close } = await serveHttp(faults);
    return { target: { kind: 'http', url }, close };
  }
  const main = new URL('./reference/main.ts', import.meta.url).pathname;
  const args = ['--disable-warning=ExperimentalWarning', main, ...faults];
  return { target: { kind: 'stdio', command: process.execPath, args }, close: () => {} };
}

/** What is needed of a mutant to run it. */
type Planted = Pick<Mutant, 'stem' | 'era' | 'transport'> & Partial<Pick<Mutant, 'server'>>;

/**
 * Runs the properties about one fault; with `whole` every property, with the default budget.
 * @returns ids found
 */
export async function findingsOf(
  mutant: Planted,
  { whole = false, faults = [mutant.stem] }: { readonly whole?: boolean; readonly faults?: readonly string[] } = {},
): Promise<readonly string[]> {
  const { target, close } = await serve(mutant, faults);
  try {
    const { findings } = await conform({
      target,
      eras: [mutant.era],
      seed: 1,
      runs: whole ? 20 : 8,
      limitMs: whole ? 5000 : 1500,
      safety: { allow: [] },
      ...(whole ? {} : { only: mutant.stem }),
      signal: AbortSignal.timeout(whole ? 300_000 : 40_000),
      emit: () => {},
    });
    return findings.filter(({ flaky }) => !flaky).map(({ requirement }) => requirement);
  } finally {
    close();
  }
}
