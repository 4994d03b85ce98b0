/** State that spans requests: named by handles, and never by what was used last. Schemas of others: read, and never fetched from. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { Answer } from '../engine/exchange.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import type { Subject, Tool } from '../engine/subject.ts';
import { compile } from '../engine/validator.ts';
import { isFree, texts } from './echo.ts';

/** Names of members that carry a handle. */
const HANDLE = /handle|token|session|basket|cart|cursor|(?:^|_)id$|[a-z]Id$/;
const PAIRS = 6;

const propertiesOf = (tool: Tool): JsonObject => {
  const properties = at(tool.definition, 'inputSchema', 'properties');
  return isObject(properties) ? properties : {};
};
/** Tools that take a handle, and those that may make one: they take none. */
function families(subject: Subject): readonly { readonly maker: string; readonly user: string; readonly key: string }[] {
  const users = subject.callable.flatMap((tool) =>
    Object.keys(propertiesOf(tool))
      .filter((key) => HANDLE.test(key) && isFree(tool.definition, key))
      .map((key) => ({ user: tool.name, key })),
  );
  return users
    .flatMap(({ user, key }) =>
      subject.callable
        .filter((tool) => tool.name !== user && tool.sample !== undefined && !Object.hasOwn(propertiesOf(tool), key))
        .map(({ name }) => ({ maker: name, user, key })),
    )
    .slice(0, PAIRS * 4);
}

const handles = property<{ maker: string; user: string; key: string }>({
  name: 'handles/explicit',
  area: 'statelessness',
  phase: 'stateful',
  stems: ['STL-EXPLICIT-HANDLE'],
  eras: ['modern'],
  skip: (subject) => (families(subject).length === 0 ? 'no tool that may be called takes a handle' : undefined),
  cases: (subject) => ({ boundaries: families(subject) }),
  async run({ session, subject }, { maker, user, key }) {
    const find = (name: string): Tool | undefined => subject.callable.find((tool) => tool.name === name);
    const [making, using] = [find(maker), find(user)];
    if (making === undefined || using === undefined) return;
    const make = async (): Promise<string | undefined> =>
      handleIn(await session.request('tools/call', { name: maker, arguments: making.sample ?? {} }), key);
    const [one, two] = [await make(), await make()];
    if (one === undefined || two === undefined || one === two) return;
    const { judge } = session;
    // a text of its own for each handle, if the tool takes one
    const text = Object.keys(propertiesOf(using)).find((name) => name !== key && isFree(using.definition, name));
    const use = async (handle: string | undefined, nonce: string): Promise<Answer> => {
      const { [key]: _sample, ...rest } = using.sample ?? {};
      const args = { ...rest, ...(text === undefined ? {} : { [text]: nonce }), ...(handle === undefined ? {} : { [key]: handle }) };
      return session.request('tools/call', { name: user, arguments: args });
    };
    const [first, second] = [await use(one, 'nonce-one'), await use(two, 'nonce-two')];
    const again = await use(one, 'nonce-one');
    const words = (answer: Answer): string => JSON.stringify(answer.result?.['structuredContent'] ?? null) + texts(answer).join('\n');
    if (first.result?.['isError'] === true || second.result?.['isError'] === true) return;
    judge.check(
      'STL-EXPLICIT-HANDLE',
      !words(again).includes('nonce-two') && !words(again).includes(two),
      `nothing of ${shown(two)} for ${shown(one)}`,
      () => words(again).slice(0, 300),
    );
    await readers({ session, subject }, { key, user, one, two });
    const bare = await use(undefined, 'nonce-bare');
    const served = bare.result !== undefined && bare.result['isError'] !== true && bare.result['resultType'] !== 'input_required';
    judge.check(
      'STL-EXPLICIT-HANDLE',
      !served || !(words(bare).includes(two) || words(bare).includes('nonce-two')),
      'a call without a handle uses none',
      () => words(bare).slice(0, 300),
    );
  },
});

/** What other tools say of each handle: nothing of the other's texts. */
async function readers(
  { session, subject }: { session: Session; subject: Subject },
  { key, user, one, two }: { key: string; user: string; one: string; two: string },
): Promise<void> {
  for (const tool of subject.callable) {
    if (tool.name === user || !Object.hasOwn(propertiesOf(tool), key) || tool.sample === undefined) continue;
    for (const [handle, foreign] of [
      [one, 'nonce-two'],
      [two, 'nonce-one'],
    ] as const) {
      const answer = await session.request('tools/call', { name: tool.name, arguments: { ...tool.sample, [key]: handle } });
      const text = JSON.stringify(answer.result ?? {});
      session.judge.check(
        'STL-EXPLICIT-HANDLE',
        !text.includes(foreign),
        `nothing of another handle for ${shown(handle)}`,
        text.slice(0, 300),
      );
    }
  }
}

/** The handle in a result: the member of that name in the structured content or in a text that is JSON. */
function handleIn(answer: Answer, key: string): string | undefined {
  const documents: unknown[] = [answer.result?.['structuredContent']];
  for (const text of texts(answer)) {
    try {
      documents.push(JSON.parse(text));
    } catch {
      const quoted = new RegExp(`${key}\\W{1,3}([A-Za-z0-9_-]{4,})`, 'i').exec(text)?.[1];
      if (quoted !== undefined) return quoted;
    }
  }
  return documents.map((one) => at(one, key)).find((one): one is string => typeof one === 'string');
}

const references = property<{ tool: string; key: string }>({
  name: 'schemas/no-network',
  area: 'schema',
  phase: 'stateful',
  stems: ['REF-NO-NETWORK'],
  eras: ['modern'],
  skip: (subject) => (takers(subject).length === 0 ? 'no tool that may be called takes a schema' : undefined),
  cases: (subject) => ({ boundaries: takers(subject) }),
  async run({ session, subject }, { tool, key }) {
    const found = subject.callable.find(({ name }) => name === tool);
    let asked: string | undefined;
    const listener = createServer((request, response) => {
      asked = request.url;
      response.setHeader('content-type', 'application/json').end('{"type":"string"}');
    });
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/schema.json`;
    try {
      const schema: JsonObject = { type: 'object', properties: { a: { $ref: url } } };
      const validate = compile(found?.definition['inputSchema']);
      for (const value of [schema, JSON.stringify(schema), { $ref: url }]) {
        const args = { ...found?.sample, [key]: value };
        if (!(validate instanceof Error) && validate(args) !== undefined) continue;
        await session.request('tools/call', { name: tool, arguments: args });
      }
      await pause(100);
      session.judge.check('REF-NO-NETWORK', asked === undefined, 'no request for a $ref', () => `it fetched ${asked}`);
    } finally {
      listener.closeAllConnections();
      listener.close();
    }
  },
});
const takers = (subject: Subject): readonly { readonly tool: string; readonly key: string }[] =>
  subject.callable
    .filter(({ sample }) => sample !== undefined)
    .flatMap((tool) =>
      Object.keys(propertiesOf(tool))
        .filter((key) => /schema/i.test(key))
        .map((key) => ({ tool: tool.name, key })),
    );

/** The properties of handles and references. */
export const HANDLES: readonly Property[] = [handles, references];
