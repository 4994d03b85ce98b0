/** What the live server asks, laid beside what the recorded one asked: the same question gets the recorded answer, another one gets none. */
import type { FrameLine } from '../../api/recordings.ts';
import { RPC } from '../../protocol/codes.ts';
import type { JsonObject, Request, RequestId, Response } from '../../protocol/message.ts';
import { type Differences, differences } from '../compare/difference.ts';
import { targetOf } from '../compare/findings.ts';
import { keyOf } from '../compare/open-requests.ts';
import type { Fate, LiveParty, Question, Sent } from './live-party.ts';
import type { PlayContext } from './play-context.ts';
import { type PartySurvey, questionText } from './survey.ts';

/** Milliseconds another question of the same method is given to turn out the right one. */
const OTHER_MS = 500;
/** Milliseconds a question nobody recorded may keep a call waiting. */
const STRANGE_MS = 1000;
/** Milliseconds a question is waited for while nothing is being asked of the server. */
const IDLE_MS = 2000;

/** The questions of one connection. */
export class PlayedQuestions {
  readonly #context: PlayContext;
  readonly #live: LiveParty;
  /** Recorded questions that have not had their turn: by text, by method. */
  readonly #texts: Map<string, number>;
  readonly #methods: Map<string, number>;
  /** Id of the recorded question → id of the live one that gets its answer. */
  readonly #pairs = new Map<string, RequestId>();

  constructor(context: PlayContext, { questions, asked }: PartySurvey, live: LiveParty) {
    this.#context = context;
    this.#live = live;
    this.#texts = new Map(questions);
    this.#methods = new Map(asked);
  }

  /** The recorded server asked: the live one has to ask the same. */
  async ask(line: FrameLine, recorded: Request): Promise<void> {
    const { findings, substitution, rulesFor, timeoutMs } = this.#context;
    const live = this.#live;
    const rules = rulesFor(recorded.method);
    const difference = ({ request }: Question): Differences => differences(body(recorded), body(request), rules);
    const candidates = (): Question[] => live.questions.filter(({ request }) => request.method === recorded.method);
    const equal = (): Question | undefined => candidates().find((question) => difference(question).changes.length === 0);
    const other = (): Question | undefined =>
      candidates().find((question) => performance.now() - question.at > OTHER_MS && !this.#isRecorded(question.request, recorded));
    const began = performance.now();
    const hopeless = (): boolean => live.closed !== undefined || (live.open.length === 0 && performance.now() - began > IDLE_MS);
    await live.until(() => equal() !== undefined || other() !== undefined || hopeless(), timeoutMs);
    const found = equal() ?? other();
    this.#had(recorded);
    const about = { request: line.n, method: recorded.method, ...target(recorded.params), before: body(recorded) };
    if (found === undefined) {
      findings.add({ ...about, kind: 'missing', changes: [], why: 'The server did not ask this.' });
      return;
    }
    live.questions.splice(live.questions.indexOf(found), 1);
    const { changes, ignored } = difference(found);
    findings.pass(recorded.method, targetOf(recorded.params), ignored);
    if (changes.length === 0) {
      substitution.learn(recorded.params, found.request.params);
      this.#pairs.set(keyOf(recorded.id), found.request.id);
      return;
    }
    findings.add({
      ...about,
      kind: 'changed',
      changes,
      after: body(found.request),
      why: 'It is another question, so it was not answered.',
    });
    this.#decline(found.request);
  }

  /** The client answered: the live question that is the same gets the answer. */
  answer(recorded: Response): void {
    const id = this.#pairs.get(keyOf(recorded.id));
    if (id === undefined) return;
    this.#pairs.delete(keyOf(recorded.id));
    const { substitution } = this.#context;
    this.#live.tell(
      'error' in recorded
        ? { jsonrpc: '2.0', id, error: recorded.error }
        : { jsonrpc: '2.0', id, result: substitution.toLive(recorded.result) },
    );
  }

  /** Waits for an answer as {@link LiveParty.settled}; questions nobody recorded are declined, so that the call goes on. */
  async settled(sent: Sent, timeoutMs: number): Promise<Fate | undefined> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      await this.#live.until(() => sent.fate !== undefined || this.#strange() !== undefined, end - performance.now());
      const strange = sent.fate === undefined ? this.#strange() : undefined;
      if (strange === undefined) return this.#live.settled(sent, 0);
      this.#extra(strange);
    }
  }

  /** Nothing more is recorded. */
  finish(): void {
    for (const question of [...this.#live.questions]) this.#extra(question);
  }

  #strange(): Question | undefined {
    return this.#live.questions.find(
      ({ request, at }) =>
        !this.#isRecorded(request) && ((this.#methods.get(request.method) ?? 0) === 0 || performance.now() - at > STRANGE_MS),
    );
  }

  /** Whether the same question will have its turn. @param but one that is having it now */
  #isRecorded(request: Request, but?: Request): boolean {
    const text = questionText(request);
    const now = but !== undefined && questionText(but) === text ? 1 : 0;
    return (this.#texts.get(text) ?? 0) > now;
  }

  #had(recorded: Request): void {
    const text = questionText(recorded);
    this.#texts.set(text, (this.#texts.get(text) ?? 1) - 1);
    this.#methods.set(recorded.method, (this.#methods.get(recorded.method) ?? 1) - 1);
  }

  #extra(question: Question): void {
    const { questions } = this.#live;
    questions.splice(questions.indexOf(question), 1);
    const { request } = question;
    this.#context.findings.add({
      kind: 'extra',
      method: request.method,
      ...target(request.params),
      changes: [],
      after: body(request),
      why: 'The server did not ask this when it was recorded.',
    });
    this.#decline(request);
  }

  /** An answer that agrees to nothing. */
  #decline({ id, method }: Request): void {
    const unknown = { code: RPC.invalidParams, message: 'The recording has no answer to this question.' };
    if (method === 'elicitation/create') this.#live.tell({ jsonrpc: '2.0', id, result: { action: 'cancel' } });
    else this.#live.tell({ jsonrpc: '2.0', id, error: unknown });
  }
}

function body({ method, params }: Request): JsonObject {
  return { method, ...(params === undefined ? {} : { params }) };
}

function target(params: JsonObject | undefined): { readonly target?: string } {
  const name = targetOf(params);
  return name === undefined ? {} : { target: name };
}
