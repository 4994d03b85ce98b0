/** Calls in parallel, answered as one. */
import type { AggregateTool, PatternStep } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import { toolFailure } from '../protocol/codes.ts';
import type { JsonObject, Outcome } from '../protocol/message.ts';
import { callStep, named, type PatternCall, type StepOutcome } from './step.ts';

/** Makes all calls at once. What failed is said beside what worked; only when all failed is the whole an error. */
export async function runAggregate({ calls }: AggregateTool, call: PatternCall): Promise<Outcome> {
  const parts = calls.map(() => 0);
  const context = { input: call.input };
  const outcomes = await Promise.all(
    calls.map(async (step, index) => {
      const progressed = (fraction: number, message: string | undefined): void => {
        parts[index] = fraction;
        call.onProgress(
          parts.reduce((sum, part) => sum + part, 0),
          calls.length,
          message,
        );
      };
      const outcome = await callStep(call, step, context, progressed);
      progressed(1, undefined);
      return outcome;
    }),
  );
  return together(calls, outcomes, call);
}

function together(calls: readonly PatternStep[], outcomes: readonly StepOutcome[], call: PatternCall): Outcome {
  const keys = keysOf(calls);
  const results: Record<string, unknown> = {};
  const errors: Record<string, string> = {};
  const content: unknown[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    const key = keys[index] ?? String(index);
    const heading = `## ${key}: ${calls[index]?.tool ?? ''}`;
    if ('failure' in outcome) {
      const { why, fix, content: said } = outcome.failure;
      errors[key] = why;
      content.push({ type: 'text', text: `${heading}\n(failed) ${why}\nFix: ${fix}` }, ...said);
    } else {
      results[key] = outcome.result['structuredContent'] ?? null;
      const given = outcome.result['content'];
      content.push({ type: 'text', text: heading }, ...(Array.isArray(given) ? (given as unknown[]) : []));
    }
  }
  const structuredContent: JsonObject = { results, errors };
  if (Object.keys(results).length > 0) return { result: { content, structuredContent } };
  const failure = toolFailure(
    new SignalboxError('SBX_PATTERN', `Every call of the tool \`${call.tool}\` failed.`, {
      why: `They are ${calls.map(named).join(', ')}; what each says is below.`,
      fix: 'See what each call says.',
    }),
  );
  if ('error' in failure) return failure;
  const summary = failure.result['content'];
  return {
    result: { ...failure.result, content: [...(Array.isArray(summary) ? (summary as unknown[]) : []), ...content], structuredContent },
  };
}

/** `server`, and `server#2`, `server#3` for its further calls. */
function keysOf(calls: readonly PatternStep[]): readonly string[] {
  return calls.map(({ server }, index) => {
    const before = calls.slice(0, index).filter((other) => other.server === server).length;
    return before === 0 ? server : `${server}#${before + 1}`;
  });
}
