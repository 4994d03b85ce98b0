/** A `subscriptions/listen` of the tester, and waiting for what it brings. */
import type { JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { keyOf } from '../engine/model.ts';
import type { Session } from '../engine/session.ts';
import type { Frame } from '../transports/wire.ts';

/** Milliseconds a listen stream may stay open. */
const LISTENING_MS = 30_000;
/** Milliseconds a notification may take. */
const GRACE_MS = 1000;

/** An open listen. */
export interface Listening {
  readonly id: string | number;
  /** Whether the acknowledgement came. */
  acknowledged(): boolean;
  /** The response, if the server ended it. */
  response(): Answer | undefined;
  /** Cancels as the transport says: a notification on a pipe, the end of the stream over HTTP. */
  cancel(): Promise<void>;
}

/** Opens a listen and waits for its acknowledgement, for a while. */
export async function listening(session: Session, id: string | number, filter: JsonObject): Promise<Listening> {
  const { model } = session;
  const state = { acknowledged: false, filter, ended: false };
  model.listens.set(keyOf(id), state);
  let stop = (): void => {};
  const until = new Promise<void>((done) => {
    stop = done;
  });
  let response: Answer | undefined;
  const message = session.compose('subscriptions/listen', { notifications: filter }, { id });
  const running = session.ask(message, { limitMs: LISTENING_MS, provoked: true, until }).then((answer) => {
    if (answer.message !== undefined || answer.http?.ended === true) response = answer;
  });
  await arrives(session, 0, () => state.acknowledged || response !== undefined);
  return {
    id,
    acknowledged: () => state.acknowledged,
    response: () => response,
    async cancel() {
      if (session.wire.kind === 'stdio') await session.notify('notifications/cancelled', { requestId: id }, { settle: false });
      stop();
      await running;
      await session.barrier('request');
      state.ended = true;
    },
  };
}

/**
 * Waits until a frame comes (from index `from` on) that satisfies `test`.
 * @returns whether it came within the grace period
 */
export async function arrives(
  session: Session,
  from: number,
  test: (frame: Frame | undefined) => boolean,
  limitMs = GRACE_MS,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (test(undefined) || session.frames.slice(from).some(test)) return true;
    if (performance.now() > end || session.ended !== undefined) return false;
    await new Promise((done) => setTimeout(done, 15));
  }
}
