/** A link that goes wrong on purpose, as rules say: what runs above it cannot tell it from a server that really does. */
import { SignalboxError } from '../api/errors.ts';
import type { FaultJudge, FaultRule, FaultVerdict } from '../api/faults.ts';
import type { Direction, Origin } from '../api/sessions.ts';
import { RPC, rpcError } from '../protocol/codes.ts';
import { byteLength, encode } from '../protocol/frame.ts';
import { isRequest, type Message, type RequestId, response } from '../protocol/message.ts';
import type { Link, LinkListener, OpenLink } from './link.ts';
import { notJson } from './link-errors.ts';

/**
 * The same function; its links ask the judge about every request.
 * @param server name for errors
 */
export function faulty(open: OpenLink, server: string, judge: FaultJudge): OpenLink {
  return async (listener, session) => {
    const faults = new FaultyListener(listener, server);
    faults.link = await open(faults, session);
    return new FaultyLink(faults.link, faults, judge);
  };
}

/** The error of a fault, for people who have forgotten that there is one. */
export function injected(server: string, rule: FaultRule): SignalboxError {
  return new SignalboxError('SBX_FAULT', rule.message ?? `A fault was put into this request to "${server}" on purpose.`, {
    why: `A rule says so: ${JSON.stringify(rule)}.`,
    fix: '`signalbox faults list` shows the rules, `signalbox faults clear` takes them back.',
  });
}

class FaultyListener implements LinkListener {
  readonly #listener: LinkListener;
  readonly #server: string;
  readonly #waiting = new Map<RequestId, FaultVerdict>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;
  link: Link | undefined;

  constructor(listener: LinkListener, server: string) {
    this.#listener = listener;
    this.#server = server;
  }

  /** Something will go wrong with the answer to this request. */
  expect(id: RequestId, verdict: FaultVerdict): void {
    this.#waiting.set(id, verdict);
  }

  /** The request is answered with an error, and never sent. */
  refuse(id: RequestId, rule: FaultRule, ms: number): void {
    const error = rpcError(injected(this.#server, rule), rule.code ?? RPC.internal);
    this.#later(ms, () =>
      this.#listener.message(response(id, { error: rule.message === undefined ? error : { ...error, message: rule.message } })),
    );
  }

  forget(id: RequestId): void {
    this.#waiting.delete(id);
  }

  message(message: Message, related?: RequestId, bytes?: number): void {
    const id = 'method' in message || message.id === null ? undefined : message.id;
    const verdict = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || verdict === undefined) return this.#listener.message(message, related, bytes);
    this.#waiting.delete(id);
    const { rule, ms } = verdict;
    if (rule?.fault === 'drop') return;
    this.#later(ms, () => {
      if (rule === undefined) this.#listener.message(message, related, bytes);
      else if (rule.fault === 'truncate') this.#listener.fault(this.#cut(message, rule), id);
      else this.#break(rule);
    });
  }

  fault(error: SignalboxError, id?: RequestId): void {
    if (id !== undefined) this.#waiting.delete(id);
    this.#listener.fault(error, id);
  }

  closed(error: SignalboxError): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#listener.closed(error);
  }

  originOf(message: Message, related?: RequestId): Origin | undefined {
    return this.#listener.originOf?.(message, related);
  }

  aside(direction: Direction, message: Message, request: RequestId | undefined): void {
    this.#listener.aside?.(direction, message, request);
  }

  #break(rule: FaultRule): void {
    this.closed(injected(this.#server, rule));
    void this.link?.close();
  }

  #cut(message: Message, { bytes }: FaultRule): SignalboxError {
    const frame = encode(message);
    const whole = typeof frame === 'string' ? Buffer.from(frame) : Buffer.concat(frame);
    const cut = whole.subarray(0, Math.min(bytes ?? whole.length / 2, byteLength(frame) - 1)).toString('utf8');
    return notJson(this.#server, cut, new SyntaxError('Unexpected end of JSON input'));
  }

  #later(ms: number, act: () => void): void {
    // Never within `send`: an answer comes after it everywhere else too.
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (!this.#closed) act();
    }, ms);
    this.#timers.add(timer);
  }
}

class FaultyLink implements Link {
  readonly #link: Link;
  readonly #faults: FaultyListener;
  readonly #judge: FaultJudge;
  readonly pid?: number;

  constructor(link: Link, faults: FaultyListener, judge: FaultJudge) {
    this.#link = link;
    this.#faults = faults;
    this.#judge = judge;
    if (link.pid !== undefined) this.pid = link.pid;
  }

  get kind(): Link['kind'] {
    return this.#link.kind;
  }

  send(message: Message, origin?: Origin): number | undefined {
    const verdict = isRequest(message) ? this.#judge(message) : undefined;
    if (verdict === undefined || !isRequest(message)) return this.#link.send(message, origin);
    const { rule, ms } = verdict;
    if (rule?.fault === 'error') this.#faults.refuse(message.id, rule, ms);
    if (rule?.fault === 'error' || (rule?.fault === 'drop' && rule.lose === 'request')) return undefined;
    this.#faults.expect(message.id, verdict);
    return this.#link.send(message, origin);
  }

  abandon(id: RequestId): void {
    this.#faults.forget(id);
    this.#link.abandon(id);
  }

  agreed(revision: string): void {
    this.#link.agreed(revision);
  }

  close(): Promise<void> {
    return this.#link.close();
  }
}
