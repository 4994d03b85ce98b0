/**
 * A recording played as a client: what the clients said is said again, in the same order and with the same concurrency, to a live server, and
 * its answers are compared with the recorded ones.
 */
import { SignalboxError } from '../../api/errors.ts';
import type { FrameLine, ReplayReport, ReplayRules } from '../../api/recordings.ts';
import { STREAM_CLOSED_BY_CLIENT } from '../../api/sessions.ts';
import type { Message } from '../../protocol/message.ts';
import { Findings } from '../compare/findings.ts';
import { requestRules } from '../compare/rules.ts';
import type { Accepted } from './acceptance.ts';
import type { OpenLive } from './live-link.ts';
import { LiveParty } from './live-party.ts';
import type { PlayContext } from './play-context.ts';
import { PlayedParty } from './played-party.ts';
import { Substitution } from './substitution.ts';
import { type EdgeChoice, type LineSource, type PartySurvey, type Survey, survey } from './survey.ts';

/** Longest wait for an answer in milliseconds, where the recorded one did not take longer. */
export const TIMEOUT_MS = 30_000;

/** What is played, and against what. */
export interface ReplayOptions extends EdgeChoice {
  readonly source: LineSource;
  /** How the report names the recording and the target. */
  readonly recording: string;
  readonly against: string;
  /** Opens a connection to the target, for each recorded one. */
  readonly open: OpenLive;
  /** Requests that may change something are sent too. */
  readonly allowWrites?: boolean;
  readonly rules?: ReplayRules;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
  /** Collects the answers that differ, to be put into the recording. */
  readonly accepted?: Accepted;
}

/**
 * Plays a recording.
 * @throws SBX_REPLAY_NOTHING when there is nothing to play, what `open` throws, and what the first request of a connection fails with when
 * the target cannot be reached; SBX_CALL_INTERRUPTED when the signal was given
 */
export async function replayAsClient(options: ReplayOptions): Promise<ReplayReport> {
  const began = performance.now();
  const { source, rules = {}, signal } = options;
  const found = await survey(source, options);
  const findings = new Findings();
  let done = 0;
  const context: PlayContext = {
    survey: found,
    findings,
    rules,
    rulesFor: requestRules(rules),
    substitution: new Substitution(rules.values),
    allowWrites: options.allowWrites === true,
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    accepted: options.accepted,
    step: () => {
      done += 1;
      options.progress?.(done, found.requests);
    },
  };
  const parties = new Map<PartySurvey, PlayedParty>();
  // Whoever waits for an answer is woken by the end of its connection.
  const stop = (): void => void Promise.allSettled([...parties.values()].map((party) => party.close()));
  signal?.addEventListener('abort', stop);
  try {
    for await (const line of source.lines()) {
      if (signal?.aborted === true) throw interrupted(options.recording);
      if (line.k === 'frame') await play(line, context, found, parties, options);
      else if (line.k === 'fault' && line.call !== undefined && line.why === STREAM_CLOSED_BY_CLIENT) {
        const recorded = found.partyOf(line);
        if (recorded !== undefined) await parties.get(recorded)?.gaveUp(line.call, line.t);
      }
    }
    for (const party of parties.values()) await party.finish();
    if (signal?.aborted === true) throw interrupted(options.recording);
    return findings.report(options.recording, options.against, performance.now() - began);
  } catch (error) {
    throw signal?.aborted === true ? interrupted(options.recording) : error;
  } finally {
    signal?.removeEventListener('abort', stop);
    await Promise.all([...parties.values()].map((party) => party.close()));
  }
}

async function play(
  line: FrameLine,
  context: PlayContext,
  found: Survey,
  parties: Map<PartySurvey, PlayedParty>,
  { source, open }: ReplayOptions,
): Promise<void> {
  const recorded = found.partyOf(line);
  if (recorded === undefined) return;
  let party = parties.get(recorded);
  if (party === undefined) {
    party = new PlayedParty(context, recorded, await LiveParty.open(open));
    parties.set(recorded, party);
    if (!recorded.handshake) await party.live.greet(context.timeoutMs);
  }
  const message = (await source.message(line)) as Message;
  await (found.toServer(line) ? party.said(line, message) : party.heard(line, message));
  if (line.n === recorded.last) {
    await party.finish();
    await party.close();
  }
}

function interrupted(recording: string): SignalboxError {
  return new SignalboxError('SBX_CALL_INTERRUPTED', `The replay of ${recording} was stopped.`, {
    why: 'Whoever asked for it has gone, or stopped it.',
    fix: 'Run it again.',
  });
}
