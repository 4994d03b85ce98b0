/** One call inside a pattern. */
import type { PatternStep } from '../api/config.ts';
import { type ErrorCode, type ErrorShape, errorShape } from '../api/errors.ts';
import type { Origin } from '../api/sessions.ts';
import type { Era } from '../protocol/eras.ts';
import { isObject, type JsonObject, type Outcome } from '../protocol/message.ts';
import { expand, NothingFound } from './template.ts';

/** A server a pattern calls. */
export interface PatternPeer {
  /** Sends one request in the era if the server speaks it; see `Upstream.request`. */
  request(
    method: string,
    params: JsonObject,
    options: {
      readonly era: Era;
      readonly signal: AbortSignal;
      readonly onProgress: (params: JsonObject) => void;
      readonly origin: () => Origin | undefined;
    },
  ): Promise<Outcome>;
}
/** Finds a server by its name in the configuration. May throw a SignalboxError that says why it cannot be used. */
export type Lookup = (server: string) => PatternPeer;

/** What a call of a pattern's tool hands to its steps. */
export interface PatternCall {
  /** The pattern server, for errors. */
  readonly server: string;
  /** The tool, for errors. */
  readonly tool: string;
  readonly input: JsonObject;
  /** The caller's era: its steps are spoken to in the same. */
  readonly era: Era;
  /** `_meta` every step is sent (trace context, hops; neither envelope nor progress token). */
  readonly meta: JsonObject | undefined;
  readonly lookup: Lookup;
  readonly signal: AbortSignal;
  /** The client's request it is run for, as the tap knows it. */
  readonly origin: Origin | undefined;
  /** @param done steps done, with the part of those that run. @param total of how many */
  readonly onProgress: (done: number, total: number, message: string | undefined) => void;
}

/** Why a step failed. */
export interface StepFailure {
  readonly code: ErrorCode;
  readonly why: string;
  readonly fix: string;
  /** What the step's tool said about it. */
  readonly content: readonly unknown[];
}
/** How a step ended. */
export type StepOutcome = { readonly result: JsonObject } | { readonly failure: StepFailure };

/**
 * Expands the arguments and calls the tool. Never throws but for the caller's own cancellation.
 * @param context what the template's pointers go into
 * @param onFraction how much of this step is done, below 1
 */
export async function callStep(
  call: PatternCall,
  step: PatternStep,
  context: object,
  onFraction: (fraction: number, message: string | undefined) => void,
): Promise<StepOutcome> {
  try {
    const given = expand(step.arguments ?? {}, context);
    if (!isObject(given))
      return failed('SBX_PATTERN', 'Its arguments are no object.', `Let \`arguments\` give an object in ${where(call)}.`);
    const params = { name: step.tool, arguments: given, ...(call.meta === undefined ? {} : { _meta: call.meta }) };
    const onProgress = (progress: JsonObject): void => {
      const { message } = progress;
      onFraction(fractionOf(progress), typeof message === 'string' ? message : undefined);
    };
    return judged(
      await call
        .lookup(step.server)
        .request('tools/call', params, { era: call.era, signal: call.signal, onProgress, origin: () => call.origin }),
    );
  } catch (error) {
    call.signal.throwIfAborted();
    if (error instanceof NothingFound)
      return failed(
        'SBX_PATTERN',
        `The pointer ${JSON.stringify(error.pointer)} finds nothing.`,
        `Correct the pointer in ${where(call)}, or write "optional": true beside it.`,
      );
    const shape: ErrorShape = errorShape(error);
    return failed('SBX_PATTERN', `${shape.message} ${shape.cause} (${shape.code})`, shape.fix);
  }
}

function judged(outcome: Outcome): StepOutcome {
  if ('error' in outcome)
    return failed(
      'SBX_PATTERN',
      `Its server answered with the error ${outcome.error.code}: ${outcome.error.message}`,
      'Correct the step after what the server says.',
    );
  const { result } = outcome;
  const { resultType, content, isError } = result;
  if (resultType === 'input_required')
    return failed(
      'SBX_QUESTION_UNSUPPORTED',
      'Its tool asks for something in mid-call, and inside a pattern nobody can be asked.',
      'Give the step all it needs as arguments, or call its tool directly.',
    );
  if (resultType !== undefined && resultType !== 'complete')
    return failed('SBX_PATTERN', `Its tool gave a result of type ${JSON.stringify(resultType)}.`, 'Call this tool directly.');
  if (isError === true)
    return failed(
      'SBX_PATTERN',
      `Its tool answered with an error${firstText(result) === undefined ? '' : ` (below): ${firstText(result)?.slice(0, 300)}`}`,
      'Correct the arguments after what the tool says, minding what has run already.',
      Array.isArray(content) ? content : [],
    );
  return { result };
}

function failed(code: ErrorCode, why: string, fix: string, content: readonly unknown[] = []): StepOutcome {
  return { failure: { code, why, fix, content } };
}

/** `server: tool` of a step, for people. */
export function named({ server, tool }: PatternStep): string {
  return `\`${server}\`: \`${tool}\``;
}

/** The tool's place in the configuration, for people. */
export function where({ server, tool }: PatternCall): string {
  return `the tool \`${tool}\` of the server \`${server}\` in the configuration`;
}

/** The text of the first text block of a result. */
export function firstText({ content }: JsonObject): string | undefined {
  const blocks: readonly unknown[] = Array.isArray(content) ? content : [];
  const block = blocks.find((candidate) => isObject(candidate) && candidate['type'] === 'text');
  return isObject(block) && typeof block['text'] === 'string' ? block['text'] : undefined;
}

/** Progress as a part of one, which only the step's end completes. Without a total nobody knows how far it is, so it only comes nearer. */
function fractionOf({ progress, total }: JsonObject): number {
  if (typeof progress !== 'number' || !(progress > 0)) return 0;
  return Math.min(typeof total === 'number' && total > 0 ? progress / total : progress / (progress + 1), 0.99);
}
