/** The faults of a replayed server: what the client gets instead of the recorded answer. */
import { SignalboxError } from '../../api/errors.ts';
import type { FaultJudge } from '../../api/faults.ts';
import { RPC, rpcError } from '../../protocol/codes.ts';
import { type Message, type Request, response } from '../../protocol/message.ts';

/** The way to a client, down to what no message can say. */
export interface Way {
  send(message: Message): void;
  /** Sends a frame that is cut off. */
  cut(text: string): void;
  /** Breaks the connection. */
  disconnect(): void;
  /** Answers that still wait. */
  waiting?: number;
}

/**
 * The way the answer to one request takes, faults included.
 * @returns undefined when the request is answered already, or never heard of
 */
export function faultyWay(request: Request, way: Way, judge: FaultJudge): ((message: Message) => void) | undefined {
  const verdict = judge(request);
  if (verdict === undefined) return (message) => way.send(message);
  const { rule, ms } = verdict;
  const later = (act: () => void): void => {
    if (ms === 0) return act();
    way.waiting = (way.waiting ?? 0) + 1;
    setTimeout(() => {
      way.waiting = (way.waiting ?? 1) - 1;
      act();
    }, ms);
  };
  if (rule?.fault === 'drop' && rule.lose === 'request') return undefined;
  if (rule?.fault === 'error') {
    const fault = new SignalboxError('SBX_FAULT', rule.message ?? `A fault was put into ${request.method} on purpose.`, {
      why: `A rule of this replay says so: ${JSON.stringify(rule)}.`,
      fix: 'Replay without --fault.',
    });
    const error = rpcError(fault, rule.code ?? RPC.internal);
    later(() => way.send(response(request.id, { error: rule.message === undefined ? error : { ...error, message: rule.message } })));
    return undefined;
  }
  return (message) => {
    if ('method' in message) return way.send(message);
    if (rule?.fault === 'drop') return undefined;
    return later(() => {
      if (rule === undefined) return way.send(message);
      if (rule.fault === 'disconnect') return way.disconnect();
      const whole = Buffer.from(JSON.stringify(message));
      return way.cut(whole.subarray(0, Math.min(rule.bytes ?? whole.length / 2, whole.length - 1)).toString('utf8'));
    });
  };
}
