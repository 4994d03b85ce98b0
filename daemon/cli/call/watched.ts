/** A call on a terminal: progress as it comes, questions asked and answered, Ctrl-C cancels it at the server. */
import { createInterface } from 'node:readline/promises';
import type { CallAnswer, CallEvent } from '../../api/calls.ts';
import type { EndpointRef } from '../../api/control.ts';
import type { ControlClient } from '../../api/control-client.ts';
import { type FormField, formOf, resolve, type Schema, valueOfText } from '../../api/form.ts';
import type { CommandContext } from '../command.ts';
import { harmless } from '../terminal.ts';

const CALL = 'terminal';

/** Calls a tool and shows what happens meanwhile on standard error. Without a terminal its questions are answered with `cancel`. */
export async function watchedCall(
  context: CommandContext,
  client: ControlClient,
  params: EndpointRef & { name: string; arguments: Record<string, unknown> },
): Promise<Record<string, unknown>> {
  const asking = new AbortController();
  const stop = client.onEvent((event, given) => {
    if (event === 'call') heard(context, client, given as CallEvent, asking.signal);
  });
  const cancel = (): void => void client.call('call/cancel', { call: CALL, reason: 'Interrupted at the terminal.' }).catch(() => undefined);
  context.signal.addEventListener('abort', cancel, { once: true });
  try {
    return await client.call('call/run', { call: CALL, ...params });
  } finally {
    asking.abort();
    context.signal.removeEventListener('abort', cancel);
    stop();
  }
}

function heard(context: CommandContext, client: ControlClient, event: CallEvent, over: AbortSignal): void {
  switch (event.kind) {
    case 'progress':
      return context.note(progressText(event));
    case 'log':
      return context.note(`${event.level}: ${typeof event.data === 'string' ? event.data : JSON.stringify(event.data)}`);
    case 'question':
      void ask(context, event.params, over)
        .catch((): CallAnswer => ({ action: 'cancel' }))
        .then((answer) => client.call('call/answer', { call: CALL, question: event.question, answer }))
        .catch(() => undefined); // the call is over
      return;
    case 'withdrawn':
      return context.note('The question was taken back.');
  }
}

function progressText({ progress, total, message }: Extract<CallEvent, { kind: 'progress' }>): string {
  const amount = total === undefined ? String(progress) : `${progress}/${total}`;
  return message === undefined ? amount : `${amount} ${message}`;
}

async function ask(context: CommandContext, params: Readonly<Record<string, unknown>>, over: AbortSignal): Promise<CallAnswer> {
  const { message, requestedSchema, url } = params;
  if (context.stdin.isTTY !== true || context.json) {
    context.note(`The tool asks: ${String(message)} (cancelled: there is no terminal to answer at)`);
    return { action: 'cancel' };
  }
  const terminal = createInterface({ input: context.stdin, output: context.stderr });
  try {
    context.note(`The tool asks: ${String(message)}`);
    if (typeof url === 'string') {
      const done = await terminal.question(`Open ${harmless(url)} and press Enter when you are done, or type "no": `, { signal: over });
      return { action: done.trim() === '' ? 'accept' : 'decline' };
    }
    const schema = resolve(requestedSchema, {}) as Schema;
    const form = formOf({ type: 'object', ...schema }, schema);
    const content: Record<string, unknown> = {};
    for (const field of form.kind === 'object' ? form.fields : []) {
      const value = await askField(field, schema, (text) => terminal.question(harmless(text), { signal: over }));
      if (value !== undefined) content[field.name] = value;
    }
    const sent = await terminal.question('Send this answer? [Y/n] ', { signal: over });
    return /^n/i.test(sent.trim()) ? { action: 'decline' } : { action: 'accept', content };
  } finally {
    terminal.close();
  }
}

async function askField(field: FormField, root: Schema, question: (text: string) => Promise<string>): Promise<unknown> {
  const node = formOf(field.schema, root);
  const fallback = resolve(field.schema, root)['default'];
  const options = node.kind === 'choice' || node.kind === 'choices' ? node.options : undefined;
  const hint =
    options === undefined
      ? node.kind === 'boolean'
        ? ' (y/n)'
        : ''
      : ` (${options.map(({ title }, index) => `${index + 1} ${title}`).join(', ')})`;
  for (;;) {
    const typed = (
      await question(
        `${field.title}${field.required ? '' : ', optional'}${hint}${fallback === undefined ? '' : ` [${String(fallback)}]`}: `,
      )
    ).trim();
    if (typed === '') {
      if (fallback !== undefined) return fallback;
      if (!field.required) return undefined;
    }
    if (options !== undefined) {
      const chosen = typed.split(/[\s,]+/).map((word) => options[Number(word) - 1] ?? options.find(({ title }) => title === word));
      const values = chosen.flatMap((option) => (option === undefined ? [] : [option.value]));
      if (values.length === chosen.length) {
        if (node.kind === 'choices') return values;
        if (values.length === 1) return values[0];
      }
    } else if (node.kind === 'boolean') {
      if (/^[yn]/i.test(typed)) return /^y/i.test(typed);
    } else if (node.kind === 'text' || node.kind === 'number' || node.kind === 'any') {
      const read = valueOfText(node, typed);
      if ('value' in read) return read.value;
      await question(`${read.problem} Press Enter to try again. `);
    } else return undefined;
  }
}
