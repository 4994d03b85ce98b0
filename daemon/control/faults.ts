/** The part of the control channel about faults that are put into calls on purpose. */
import type { ResolvedEndpoint, ResolvedServer } from '../api/config.ts';
import type { ErrorShape } from '../api/errors.ts';
import { SignalboxError } from '../api/errors.ts';
import type { FaultMethods } from '../api/faults.ts';
import type { ControlHandlers } from '../endpoints/control-server.ts';
import type { ConfiguredFaults, FaultBook } from '../sessions/faults/faults.ts';
import { checkRule } from '../sessions/faults/rule.ts';

/** Minutes a rule holds unless told. Nobody looks for a fault of last week. */
const MINUTES = 60;
const LONGEST = 24 * 60;

/** Builds the handlers. */
export function faultHandlers(
  faults: FaultBook,
  log: (level: 'warn' | 'info', message: string) => void,
): Pick<ControlHandlers, keyof FaultMethods> {
  return {
    'faults/set': async ({ rule, minutes = MINUTES }) => {
      if (!(minutes > 0 && minutes <= LONGEST))
        throw new SignalboxError('SBX_FAULT_RULE', 'The rule of a fault cannot be used.', {
          why: `\`minutes\` is not a number above 0 and up to ${LONGEST}.`,
          fix: 'See `signalbox help faults` and docs/sessions.md.',
        });
      const set = faults.set(checkRule(rule), minutes);
      log('warn', `Faults are put into calls on purpose until ${set.until}: ${JSON.stringify(set.rule)} (${set.id}).`);
      return set;
    },
    'faults/list': async () => ({ faults: faults.list() }),
    'faults/clear': async ({ id }) => {
      const cleared = faults.clear(id);
      if (cleared > 0) log('info', `${cleared} fault${cleared === 1 ? ' was' : 's were'} cleared.`);
      return { cleared };
    },
  };
}

/** The rules in the entries of every server that is configured. */
export function configuredFaults(
  endpoints: readonly ResolvedEndpoint[],
  key: (server: string, workspace: string | undefined) => string,
): readonly ConfiguredFaults[] {
  const all = new Map<string, ConfiguredFaults>();
  const add = (server: ResolvedServer, workspace: string | undefined): void => {
    const own = key(server.name, workspace);
    all.set(own, { key: own, server: server.name, rules: server.entry.faults ?? [] });
    for (const used of Object.values(server.uses ?? {})) add(used, workspace);
  };
  for (const { servers, workspace } of endpoints) for (const server of servers) add(server, workspace);
  return [...all.values()];
}

/** What people read at a server whose requests go wrong on purpose. */
export function faultProblem(faults: FaultBook, server: string): ErrorShape | undefined {
  const about = faults.about(server);
  if (about.length === 0) return undefined;
  const rules = about.map(({ id, rule, made }) => `${id}: ${JSON.stringify(rule)}, ${made} so far`).join('; ');
  return new SignalboxError('SBX_FAULT', 'Faults are put into its requests on purpose.', {
    why: rules,
    fix: '`signalbox faults clear` takes them back; those of the configuration stand in the entry of the server.',
  }).toJSON();
}
