import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import { fullSample, MANY, quick, slow } from './calling.ts';
import { noCalls } from './expect.ts';
import { firstDifference, snapshot } from './observation.ts';

const honest = property<{ tool: string; args: JsonObject }>({
  name: 'tools/read-only-honest',
  area: 'tools',
  phase: 'stateful',
  stems: ['TOOL-READONLY-HONEST', 'TOOL-IDEMPOTENT-HONEST', 'TOOL-LIST-NO-VARY', 'RES-LIST-NO-VARY', 'PRM-LIST-NO-VARY'],
  skip: noCalls,
  cases: (subject) => ({
    // the arguments of a second case are others: what writes down what it is given wrote the first ones when it was looked at
    boundaries: subject.callable
      .slice(0, MANY)
      .filter(
        ({ sample, definition }) =>
          sample !== undefined &&
          (at(definition, 'annotations', 'readOnlyHint') === true || at(definition, 'annotations', 'idempotentHint') === true),
      )
      .flatMap((tool) => {
        const full = fullSample(tool);
        const other =
          isObject(full) && canonical(full) !== canonical(tool.sample) && quick(subject, tool) ? [{ tool: tool.name, args: full }] : [];
        return [{ tool: tool.name, args: tool.sample ?? {} }, ...other];
      }),
  }),
  async run({ session, subject }, { tool, args }) {
    const found = subject.tools.find(({ name }) => name === tool);
    const call = async (): Promise<void> =>
      void (await session.request('tools/call', { name: tool, arguments: args }, slow(subject, tool)));
    const before = await snapshot(session, subject);
    await call();
    const once = await snapshot(session, subject);
    if (at(found?.definition, 'annotations', 'readOnlyHint') === true)
      session.judge.check('TOOL-READONLY-HONEST', once.text === before.text, 'lists and reads as before', () =>
        firstDifference(before.text, once.text),
      );
    for (const [member, stem] of [
      ['tools', 'TOOL'],
      ['resources', 'RES'],
      ['prompts', 'PRM'],
    ] as const)
      if (at(found?.definition, 'annotations', 'readOnlyHint') === true)
        session.judge.check(`${stem}-LIST-NO-VARY`, before.lists[member] === once.lists[member], 'the list as before', () =>
          firstDifference(before.lists[member] ?? '', once.lists[member] ?? ''),
        );
    if (at(found?.definition, 'annotations', 'idempotentHint') !== true) return;
    await call();
    const twice = await snapshot(session, subject);
    session.judge.check('TOOL-IDEMPOTENT-HONEST', twice.text === once.text, 'no further effect', () =>
      firstDifference(once.text, twice.text),
    );
  },
});

/** The properties of effects. */
export const TOOL_EFFECTS: readonly Property[] = [honest];
