/** Steps in order, the output of one the input of the next. */
import type { ChainTool } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import { toolFailure } from '../protocol/codes.ts';
import { isObject, type JsonObject, metaOf, type Outcome } from '../protocol/message.ts';
import { callStep, firstText, named, type PatternCall, type StepFailure, where } from './step.ts';
import { expand, NothingFound } from './template.ts';

/** `_meta` key of a chain that failed: what became of each step, `[{server, tool, state: "done" | "failed" | "not-run"}]`. */
const STEPS_KEY = 'dev.signalbox/steps';

/** Calls the steps one after the other; the first that fails ends it with an `isError` result that says what has run. */
export async function runChain(tool: ChainTool, call: PatternCall): Promise<Outcome> {
  const { steps } = tool;
  const done: { readonly result: JsonObject; readonly json: unknown }[] = [];
  const context = { input: call.input, steps: done };
  let last: JsonObject = {};
  for (const [index, step] of steps.entries()) {
    const outcome = await callStep(call, step, context, (fraction, message) => call.onProgress(index + fraction, steps.length, message));
    if ('failure' in outcome) return stepFailed(tool, call, index, outcome.failure);
    last = outcome.result;
    done.push(readable(last));
    call.onProgress(index + 1, steps.length, undefined);
  }
  if (tool.result === undefined) return { result: last };
  try {
    return { result: shaped(expand(tool.result, context)) };
  } catch (error) {
    if (!(error instanceof NothingFound)) throw error;
    const failure = new SignalboxError(
      'SBX_PATTERN',
      `Every step of the tool \`${call.tool}\` has run, but its result cannot be put together.`,
      {
        why: `The pointer ${JSON.stringify(error.pointer)} of \`result\` finds nothing.`,
        fix: `Correct it in ${where(call)}, or write "optional": true beside it; mind that the steps have run.`,
      },
    );
    return chainFailure(tool, steps.length, failure, []);
  }
}

/** A step's result with its data as `json`: structuredContent or, without one, the first text read as JSON when somebody points there. */
function readable(result: JsonObject): { readonly result: JsonObject; readonly json: unknown } {
  return {
    result,
    get json() {
      if (result['structuredContent'] !== undefined) return result['structuredContent'];
      try {
        return JSON.parse(firstText(result) ?? '') as unknown;
      } catch {
        return undefined;
      }
    },
  };
}

/** A value as a tool's result. Clients that know no structuredContent read the text (2025-11-25, tools, "Structured Content"). */
function shaped(value: unknown): JsonObject {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return { content: [{ type: 'text', text }], ...(isObject(value) ? { structuredContent: value } : {}) };
}

function stepFailed(tool: ChainTool, call: PatternCall, index: number, { code, why, fix, content }: StepFailure): Outcome {
  const { steps } = tool;
  const before = steps.slice(0, index).map(named).join(', ');
  const after = steps.length - index - 1;
  const ran =
    index === 0
      ? 'No step has run before it.'
      : `Before it ${index === 1 ? 'step 1 has' : `steps 1 to ${index} have`} run (${before}); nothing of that was undone.`;
  const rest = after === 0 ? '' : after === 1 ? ' The step after it was not run.' : ` The ${after} steps after it were not run.`;
  const which = `Step ${index + 1} of ${steps.length}${steps[index] === undefined ? '' : ` (${named(steps[index])})`}`;
  const failure = new SignalboxError(code, `${which} of the tool \`${call.tool}\` failed.`, { why: `${why} ${ran}${rest}`, fix });
  return chainFailure(tool, index, failure, content);
}

function chainFailure({ steps }: ChainTool, failedAt: number, failure: SignalboxError, content: readonly unknown[]): Outcome {
  const outcome = toolFailure(failure);
  if ('error' in outcome) return outcome;
  const said = outcome.result['content'];
  const states = steps.map(({ server, tool }, index) => ({
    server,
    tool,
    state: index < failedAt ? 'done' : index === failedAt ? 'failed' : 'not-run',
  }));
  return {
    result: {
      ...outcome.result,
      content: [...(Array.isArray(said) ? (said as unknown[]) : []), ...content],
      _meta: { ...metaOf(outcome.result), [STEPS_KEY]: states },
    },
  };
}
