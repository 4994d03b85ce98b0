/** Generated sessions of one era, played to a client of the other one that asks one thing after another: every request gets its answer. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { Message } from '../../../../daemon/protocol/message.ts';
import { Rehearsal } from '../../../../daemon/sessions/replay-server/rehearsal.ts';
import { type Exchange, readScript } from '../../../../daemon/sessions/replay-server/script.ts';
import { ReplaySession } from '../../../../daemon/sessions/replay-server/session.ts';
import { session } from './generated.ts';
import { modern, recorded } from './lines.ts';

type Json = Record<string, unknown>;

const FULL = process.env['SIGNALBOX_TEST_TIER'] === 'full';
const ASKED = { elicitation: { form: {} } };
const ACCEPT = { action: 'accept', content: {} };

for (const [era, other] of [
  ['legacy', 'modern'],
  ['modern', 'legacy'],
] as const)
  it(`sessions of the ${era} era answer a ${other} client`, async () => {
    await fc.assert(
      fc.asyncProperty(session(era), async (said) => {
        const script = readScript(recorded(said));
        const rehearsal = new Rehearsal(script, { patienceMs: 1 });
        const client = new Client(rehearsal, other);
        try {
          await client.hello();
          // Rounds of which the last was taken back have no end that could be waited for.
          fc.pre(
            script.exchanges.every((exchange) => exchange.followUp || exchange.rounds.length === 0 || !isSilent(roundsOf(exchange).at(-1))),
          );
          for (const exchange of script.exchanges) {
            const { request, followUp, listen } = exchange;
            if (followUp || listen || request.method === 'initialize' || request.method === 'server/discover') continue;
            const { _meta, ...params } = request.params ?? {};
            if (isSilent(exchange)) client.cancelled(request.method, params);
            else await client.ask(request.method, params);
          }
          const { misses, unplayed } = rehearsal.report();
          assert.deepEqual(misses, []);
          const left = unplayed.filter(({ method }) => method !== 'subscriptions/listen');
          assert.deepEqual(left, []);
        } finally {
          client.close();
        }
      }),
      { numRuns: FULL ? 2000 : 60, seed: FULL ? Date.now() : 20_261_121 },
    );
  });

/** Whether it was cancelled and never answered: it would be waited for in vain. */
function isSilent(exchange: Exchange | undefined): boolean {
  return exchange?.cancel !== undefined && exchange.answer === undefined;
}

/** An exchange and those it went on with. */
function roundsOf(exchange: Exchange): readonly Exchange[] {
  const [next] = exchange.rounds;
  return next === undefined ? [exchange] : [exchange, ...roundsOf(next)];
}

/** A client that answers everything it is asked. */
class Client {
  readonly #session: ReplaySession;
  readonly #era: 'legacy' | 'modern';
  readonly #waiting = new Map<unknown, (answer: Json) => void>();
  #id = 0;

  constructor(rehearsal: Rehearsal, era: 'legacy' | 'modern') {
    this.#era = era;
    this.#session = new ReplaySession(rehearsal, (message) => queueMicrotask(() => this.#heard(message as unknown as Json)));
  }

  async hello(): Promise<void> {
    if (this.#era === 'modern') return void (await this.#send('server/discover', { _meta: modern(ASKED) }));
    await this.#send('initialize', { protocolVersion: '2025-11-25', capabilities: ASKED, clientInfo: { name: 'x', version: '1' } });
    this.#session.receive({ jsonrpc: '2.0', method: 'notifications/initialized' });
  }

  /** One request to its end, over all its rounds. */
  async ask(method: string, params: Json): Promise<void> {
    let round: Json = {};
    for (let rounds = 0; rounds < 50; rounds++) {
      const answer = await this.#send(method, this.#dressed({ ...params, ...round }));
      const result = answer['result'] as Json | undefined;
      assert.notEqual(
        ((answer['error'] as Json | undefined)?.['data'] as Json | undefined)?.['code'],
        'SBX_INTERNAL',
        JSON.stringify(answer),
      );
      if (result?.['resultType'] !== 'input_required') {
        if (this.#era === 'legacy') assert.equal(result?.['resultType'], undefined);
        else if (result !== undefined) assert.equal(result['resultType'], 'complete');
        return;
      }
      assert.equal(this.#era, 'modern');
      const inputResponses = Object.fromEntries(Object.keys(result['inputRequests'] as Json).map((key) => [key, ACCEPT]));
      round = { inputResponses, requestState: result['requestState'] };
    }
    assert.fail('the rounds do not end');
  }

  /** A request that is taken back at once. */
  cancelled(method: string, params: Json): void {
    this.#id += 1;
    this.#session.receive({ jsonrpc: '2.0', id: this.#id, method, params: this.#dressed(params) });
    this.#session.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: this.#id } });
  }

  close(): void {
    this.#session.close();
  }

  #dressed(params: Json): Json {
    return this.#era === 'modern' ? { ...params, _meta: modern(ASKED) } : params;
  }

  #send(method: string, params: Json): Promise<Json> {
    this.#id += 1;
    const id = this.#id;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method} ${JSON.stringify(params)}`)), 5_000);
      this.#waiting.set(id, (answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
      this.#session.receive({ jsonrpc: '2.0', id, method, params });
    });
  }

  #heard(message: Json): void {
    if (message['method'] === undefined) return this.#waiting.get(message['id'])?.(message);
    if (message['id'] === undefined) return;
    assert.equal(this.#era, 'legacy', 'a modern client is never sent a request');
    this.#session.receive({ jsonrpc: '2.0', id: message['id'], result: message['method'] === 'ping' ? {} : ACCEPT } as Message);
  }
}
