/** Sessions nobody thought of: what a client and a server may say to each other, in an order in which they may say it. */
import fc from 'fast-check';
import { modern, type Said } from './lines.ts';

/** What happens next, as far as it can: a kind of event, and which of several it is about. */
export interface Step {
  readonly event: (typeof EVENTS)[number];
  readonly pick: number;
}
const EVENTS = [
  'call',
  'call',
  'list',
  'progress',
  'log',
  'changed',
  'ask',
  'aside',
  'say',
  'cancel',
  'late',
  'answer',
  'answer',
  'fail',
  'input',
] as const;

interface Open {
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
  progress: number;
  asked: string[];
  cancelled: boolean;
}

/** A session of an era: its handshake, then what the steps say, then an answer to everything that is still open. */
export function session(era: 'legacy' | 'modern'): fc.Arbitrary<readonly Said[]> {
  const step = fc.record({ event: fc.constantFrom(...EVENTS), pick: fc.nat(11) });
  return fc.array(step, { minLength: 1, maxLength: 40 }).map((steps) => new Writer(era).write(steps));
}

class Writer {
  readonly #era: 'legacy' | 'modern';
  readonly #said: Said[] = [];
  #open: Open[] = [];
  #questions: { readonly id: string; readonly of: Open | undefined }[] = [];
  #id = 0;
  #count = 0;

  constructor(era: 'legacy' | 'modern') {
    this.#era = era;
  }

  write(steps: readonly Step[]): readonly Said[] {
    this.#handshake();
    for (const step of steps) this.#step(step);
    for (const { id, of } of this.#questions.splice(0)) this.#answerQuestion(id, of);
    for (const open of this.#open.splice(0)) if (!open.cancelled) this.#result(open);
    return this.#said;
  }

  #handshake(): void {
    if (this.#era === 'legacy') {
      const params = { protocolVersion: '2025-11-25', capabilities: ASKED, clientInfo: { name: 'then', version: '1' } };
      this.#client({ id: this.#next(), method: 'initialize', params });
      const result = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo: { name: 'made', version: '1' } };
      this.#server({ id: this.#id, result });
      this.#client({ method: 'notifications/initialized' });
      return;
    }
    this.#client({ id: this.#next(), method: 'server/discover', params: { _meta: modern(ASKED) } });
    this.#server({ id: this.#id, result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES } });
    const notifications = { toolsListChanged: true };
    this.#client({ id: this.#next(), method: 'subscriptions/listen', params: { notifications, _meta: modern(ASKED) } });
    this.#server({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: { [SUBSCRIPTION]: this.#id } } });
  }

  #step({ event, pick }: Step): void {
    const one = this.#open.filter(({ cancelled }) => !cancelled)[
      pick % Math.max(1, this.#open.filter(({ cancelled }) => !cancelled).length)
    ];
    switch (event) {
      case 'call':
        // few tools and arguments: the same call comes again, also while it runs
        return this.#begin('tools/call', { name: `t${pick % 3}`, arguments: { x: pick % 2 } }, pick);
      case 'list':
        return this.#begin(pick % 2 === 0 ? 'tools/list' : 'resources/read', pick % 2 === 0 ? {} : { uri: `made://${pick % 3}` }, pick);
      case 'progress':
        if (one === undefined || token(one) === undefined) return;
        one.progress += 1;
        return this.#server({ method: 'notifications/progress', params: { progressToken: token(one), progress: one.progress } });
      case 'log':
        // Modern servers log for a request that wants it.
        if (this.#era === 'modern' && one === undefined) return;
        return this.#server({ method: 'notifications/message', params: { level: 'info', data: this.#unique() } });
      case 'changed':
        return this.#server({
          method: 'notifications/tools/list_changed',
          ...(this.#era === 'modern' ? { params: { _meta: { [SUBSCRIPTION]: 2 } } } : {}),
        });
      case 'ask':
        return this.#ask(one);
      case 'aside':
        return this.#ask(undefined);
      case 'say': {
        const question = this.#questions.splice(pick % Math.max(1, this.#questions.length), 1)[0];
        return question && this.#answerQuestion(question.id, question.of);
      }
      case 'cancel':
        if (one === undefined || one.asked.length > 0) return;
        one.cancelled = true;
        return this.#client({ method: 'notifications/cancelled', params: { requestId: one.id, reason: 'enough' } });
      case 'late': {
        // the answer was on its way already
        const cancelled = this.#open.find((open) => open.cancelled);
        return cancelled && this.#result(cancelled);
      }
      case 'answer':
        return one === undefined || one.asked.length > 0 ? undefined : this.#result(one);
      case 'fail':
        if (one === undefined || one.asked.length > 0) return;
        this.#close(one);
        return this.#server({ id: one.id, error: { code: -32000, message: this.#unique() } });
      case 'input':
        return this.#inputRequired(one);
    }
  }

  #begin(method: string, params: Record<string, unknown>, pick: number): void {
    if (this.#open.length >= 5) return;
    const id = this.#next();
    const meta = { ...(pick % 4 === 0 ? {} : { progressToken: `p${id}` }), ...(this.#era === 'modern' ? modern(ASKED, LOGGED) : {}) };
    const whole = Object.keys(meta).length === 0 ? params : { ...params, _meta: meta };
    this.#open.push({ id, method, params: whole, progress: 0, asked: [], cancelled: false });
    this.#client({ id, method, params: whole });
  }

  #ask(of: Open | undefined): void {
    if (this.#era === 'modern' || this.#questions.length > 3 || (of !== undefined && of.method !== 'tools/call')) return;
    // What is asked aside belongs to no call for certain only where nothing of the kind is open.
    if (of === undefined) {
      const id = `q${this.#unique()}`;
      this.#questions.push({ id, of });
      return this.#server({ id, method: 'ping' });
    }
    // On standard streams a question belongs to the call begun last.
    const last = this.#open.findLast(({ method, cancelled }) => method !== 'tools/list' && !cancelled);
    if (last === undefined) return;
    const id = `q${this.#unique()}`;
    last.asked.push(id);
    this.#questions.push({ id, of: last });
    this.#server({ id, method: 'elicitation/create', params: { message: this.#unique(), requestedSchema: {} } });
  }

  #answerQuestion(id: string, of: Open | undefined): void {
    this.#client({ id, result: of === undefined ? {} : { action: 'accept', content: { is: this.#unique() } } });
    if (of !== undefined) of.asked = of.asked.filter((asked) => asked !== id);
  }

  #inputRequired(open: Open | undefined): void {
    if (this.#era === 'legacy' || open === undefined || open.method !== 'tools/call') return;
    const requestState = `state ${this.#unique()}`;
    const inputRequests = { one: { method: 'elicitation/create', params: { message: this.#unique(), requestedSchema: {} } } };
    this.#close(open);
    this.#server({ id: open.id, result: { resultType: 'input_required', inputRequests, requestState } });
    const id = this.#next();
    const params = { ...open.params, inputResponses: { one: { action: 'accept', content: { is: this.#unique() } } }, requestState };
    this.#open.push({ ...open, id, params, asked: [] });
    this.#client({ id, method: open.method, params });
  }

  #result(open: Open): void {
    this.#close(open);
    const complete = this.#era === 'modern' ? { resultType: 'complete' } : {};
    this.#server({ id: open.id, result: { ...complete, content: [{ type: 'text', text: this.#unique() }] } });
  }

  #close(open: Open): void {
    this.#open = this.#open.filter((other) => other !== open);
  }

  #client(message: object): void {
    this.#said.push(['client', message]);
  }
  #server(message: object): void {
    this.#said.push(['server', message]);
  }
  #next(): number {
    this.#id += 1;
    return this.#id;
  }
  #unique(): string {
    this.#count += 1;
    return `#${this.#count}`;
  }
}

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';
const ASKED = { elicitation: { form: {} } };
const LOGGED = { 'io.modelcontextprotocol/logLevel': 'debug' };
const CAPABILITIES = { tools: { listChanged: true }, resources: {}, logging: {} };

function token({ params }: Open): unknown {
  return (params['_meta'] as Record<string, unknown> | undefined)?.['progressToken'];
}
