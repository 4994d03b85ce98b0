/** One run of one server through the daemon, from its beginning to its last event. No VS Code. */
import { addFinding, type ConformEvent, type Finding, type PropertyInfo, type Summary } from '../../daemon/api/conformance.ts';
import type { ControlEvents, ControlMethods } from '../../daemon/api/control.ts';
import { errorFromShape, SignalboxError } from '../../daemon/api/errors.ts';
import type { DaemonConnection } from '../daemon/connection.ts';

/** The part of the connection a run needs. */
export type RunDaemon = Pick<DaemonConnection, 'call' | 'onEvent' | 'onChange' | 'state'>;

/** What a run asks for. */
export type RunRequest = ControlMethods['conform/run']['params'];

/** What a run ended with. */
export interface RunEnd {
  /** For `conform/report`. */
  readonly run: string;
  readonly summary: Summary;
  readonly findings: readonly Finding[];
}

/**
 * Runs and tells every event.
 *
 * @param signal cancels the run; its last event still comes
 * @throws SignalboxError what the daemon says when the run fails, `SBX_DAEMON_UNREACHABLE` when the daemon goes away meanwhile
 */
export async function runConformance(
  daemon: RunDaemon,
  request: RunRequest,
  onEvent: (event: ConformEvent) => void,
  signal: AbortSignal,
): Promise<RunEnd> {
  const findings: Finding[] = [];
  const early: ControlEvents['conform'][] = [];
  let run: string | undefined;
  const ended = Promise.withResolvers<Summary>();
  // A failure may come before anybody waits for it.
  ended.promise.catch(() => undefined);
  const take = ({ event }: ControlEvents['conform']): void => {
    if (event.type === 'failed') {
      ended.reject(errorFromShape(event.error));
      return;
    }
    if (event.type === 'finding') addFinding(findings, event.finding);
    onEvent(event);
    if (event.type === 'end') ended.resolve(event.summary);
  };
  const stopEvents = daemon.onEvent((name, params) => {
    if (name !== 'conform') return;
    const event = params as ControlEvents['conform'];
    if (run === undefined) early.push(event);
    else if (event.run === run) take(event);
  });
  const stopChanges = daemon.onChange((changes) => {
    if (changes.includes('connection') && daemon.state !== 'running' && run !== undefined) ended.reject(gone());
  });
  try {
    ({ run } = await daemon.call('conform/run', request));
    const own = run;
    for (const event of early.splice(0)) if (event.run === own) take(event);
    const cancel = (): void => void daemon.call('conform/cancel', { run: own }).catch((error) => ended.reject(error));
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return { run: own, summary: await ended.promise, findings };
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  } finally {
    stopEvents();
    stopChanges();
  }
}

/** Properties by area, both in the order of the daemon. */
export function byArea(properties: readonly PropertyInfo[]): ReadonlyMap<string, readonly PropertyInfo[]> {
  return Map.groupBy(properties, ({ area }) => area);
}

function gone(): SignalboxError {
  return new SignalboxError('SBX_DAEMON_UNREACHABLE', 'The daemon went away during the conformance run.', {
    why: 'It was stopped or replaced; the run ended with it.',
    fix: 'Run the tests again.',
  });
}
