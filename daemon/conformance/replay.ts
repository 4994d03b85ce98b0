/** A stored case sent again: its own input on a fresh connection, not its seed. */
import type { ConformanceSettings, Finding, Target, TraceLine } from '../api/conformance.ts';
import { SignalboxError } from '../api/errors.ts';
import type { Violation } from './engine/judge.ts';
import { runCase } from './engine/runner.ts';
import { stumbling } from './engine/stumbling.ts';
import { discover } from './engine/subject.ts';
import { propertyNamed } from './properties/properties.ts';
import { resetter } from './reset.ts';
import { authorized, scrubber } from './tokens.ts';

/** What a replay saw. */
export interface Replay {
  readonly finding: Finding;
  /** The requirement is still broken. */
  readonly broken: boolean;
  readonly violations: readonly Violation[];
  readonly trace: readonly TraceLine[];
}

/**
 * Runs a stored case again.
 * @param settings how the server is to be treated now; those of the case hold where these say nothing
 * @param limitMs milliseconds a request may take
 * @throws SBX_CONFORM_CASE when its property no longer exists
 * @throws SBX_SERVER_UNREACHABLE when the server does not answer
 * @throws SBX_CONFORM_RESET when its reset fails
 */
export async function replayFinding(
  finding: Finding,
  given: Target,
  settings: Omit<ConformanceSettings, 'tokens'>,
  limitMs: number,
): Promise<Replay> {
  const target = authorized(given);
  const property = propertyNamed(finding.property);
  if (property === undefined)
    throw new SignalboxError('SBX_CONFORM_CASE', `There is no property ${finding.property}.`, {
      why: 'The case comes from another version of Signalbox.',
      fix: 'Run the tests again.',
    });
  const whole: ConformanceSettings = {
    ...finding.settings,
    ...settings,
    allow: [...finding.called, ...(finding.settings?.allow ?? []), ...(settings.allow ?? [])],
  };
  await resetter(whole, { target, era: finding.era, limitMs })('run');
  const found = await discover({ target, era: finding.era, limitMs, safety: whole });
  const subject = found === 'refused' ? (await stumbling({ target, limitMs }, [finding.era]))?.subject : found;
  if (subject === undefined || subject === 'silent')
    throw new SignalboxError('SBX_SERVER_UNREACHABLE', 'The server did not answer.', {
      why: `It was asked in the ${finding.era} era.`,
      fix: 'Start it, or correct the command of the case.',
    });
  const { violations, trace } = await runCase(subject, property, finding.input, finding.history ?? []);
  const scrub = scrubber(target);
  return scrub({ finding, broken: violations.some(({ id }) => id === finding.requirement), violations, trace });
}
