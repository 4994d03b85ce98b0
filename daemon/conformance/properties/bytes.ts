/** Bytes: how they are cut, how many there are, how deep they nest. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { headerValue } from '../../protocol/eras.ts';
import type { JsonObject } from '../../protocol/message.ts';
import { at } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { canonical } from '../engine/result-rules.ts';
import type { Session } from '../engine/session.ts';
import type { Subject, Tool } from '../engine/subject.ts';
import { StdioWire } from '../transports/stdio-wire.ts';
import { MANY, quick } from './calling.ts';
import { cheapMethod, outcomeText, steady } from './expect.ts';

const chunks = property<{ sizes: readonly number[] }>({
  name: 'stdio/chunks',
  area: 'stdio',
  phase: 'malformed',
  stems: ['STD-PARTIAL-READ'],
  transports: ['stdio'],
  cases: () => ({
    boundaries: [{ sizes: [1] }, { sizes: [1, 1, 1, 1] }, { sizes: [30, 1, 1, 1, 1, 1] }, { sizes: Array.from({ length: 60 }, () => 2) }],
    arbitrary: fc.record({ sizes: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }) }),
  }),
  async run({ session, subject }, { sizes }) {
    const usual = await session.request(cheapMethod(subject));
    const answer = await session.request(cheapMethod(subject), undefined, { chunks: sizes, id: `é😀-${session.freshId()}` });
    session.judge.check(
      'STD-PARTIAL-READ',
      canonical(steady(answer.result)) === canonical(steady(usual.result)),
      'the same answer however it is cut',
      () => outcomeText(session, answer),
    );
    // several messages in one write
    const [one, two] = [session.compose(cheapMethod(subject), undefined), session.compose('notAMethod', undefined)];
    const both = Buffer.from(`${JSON.stringify(one)}\n${JSON.stringify(two)}`);
    await Promise.all([session.ask(one, { text: both }), waitFor(session, two)]);
  },
});

/** Registers a request that travels inside another write. */
async function waitFor(session: Session, message: JsonObject): Promise<void> {
  const answer = await session.ask(message, { unsent: true });
  session.judge.check(
    'STD-PARTIAL-READ',
    answer.message !== undefined,
    'every message of one write is answered',
    'no answer to the second',
  );
}

const large = property<{ bytes: number }>({
  name: 'robustness/large',
  area: 'robustness',
  phase: 'malformed',
  stems: ['STD-LARGE', 'ROB-NO-CRASH', 'SCH-BOUNDS'],
  cases: () => ({ boundaries: [65_535, 65_536, 65_537, 300_000, 1_000_000].map((bytes) => ({ bytes })) }),
  async run({ session, subject }, { bytes }) {
    const answer = await session.request(cheapMethod(subject), undefined, {
      meta: { 'com.example/filler': 'x'.repeat(bytes) },
      provoked: true,
    });
    session.judge.check('STD-LARGE', answer.message !== undefined, `a message of ${bytes} bytes is answered`, () =>
      outcomeText(session, answer),
    );
  },
});

const deep = property<{ text: string; what: string; headers?: Readonly<Record<string, string>> }>({
  name: 'robustness/extremes',
  area: 'robustness',
  phase: 'malformed',
  stems: ['ROB-NO-CRASH', 'RPC-SURVIVE-GARBAGE', 'SCH-BOUNDS'],
  cases(subject) {
    const wrap = (inner: string, method = cheapMethod(subject)): string =>
      `{"jsonrpc":"2.0","id":"bad","method":${JSON.stringify(method)},"params":${inner}}`;
    const open = subject.callable
      .slice(0, MANY)
      .filter(
        (tool) => tool.sample !== undefined && quick(subject, tool) && at(tool.definition, 'inputSchema', 'additionalProperties') !== false,
      );
    const nested = (depth: number): string => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    return {
      boundaries: [
        { what: '1e400', text: wrap('{"cursor":1e400}') },
        { what: 'a lone surrogate', text: wrap('{"cursor":"\\ud800"}') },
        { what: '__proto__', text: wrap('{"__proto__":{"polluted":true}}') },
        { what: 'constructor.prototype', text: wrap('{"constructor":{"prototype":{"polluted":true}}}') },
        ...open.map((tool) => ({
          what: `arguments of ${tool.name} named like members of every object`,
          text: wrap(
            JSON.stringify({ name: tool.name, arguments: tool.sample }).replace(
              /\}\}$/,
              `${Object.keys(tool.sample ?? {}).length === 0 ? '' : ','}"__proto__":{"polluted":true},"constructor":1,"toString":null,"hasOwnProperty":0}}`,
            ),
            'tools/call',
          ),
          headers: { 'mcp-method': 'tools/call', 'mcp-name': headerValue(tool.name) },
        })),
        { what: 'duplicate keys', text: wrap('{"a":1,"a":2}') },
        { what: '1 000 nested arrays', text: wrap(nested(1000)) },
        { what: '10 000 nested arrays', text: wrap(nested(10_000)) },
        { what: '100 000 keys', text: wrap(`{${Array.from({ length: 20_000 }, (_, index) => `"k${index}":0`).join(',')}}`) },
      ],
    };
  },
  async run({ session, subject }, { text, headers }) {
    await session.malformed(Buffer.from(text), {
      ids: ['bad'],
      ...(session.era === 'modern' ? { headers: headers ?? { 'mcp-method': cheapMethod(subject) } } : {}),
    });
    session.judge.check('SCH-BOUNDS', session.ended === undefined, 'bounded work', String(session.ended));
  },
});

/** Requests of one window in which the memory of the process is watched. */
const WINDOW = 350;
/** Growth in each of three windows that is no garbage any more: 20 kB for each request. */
const LEAK = 7_000_000;

const memory = property<{ kind: 'list' | 'call' }>({
  name: 'robustness/memory',
  area: 'robustness',
  phase: 'malformed',
  stems: ['ROB-MEMORY'],
  transports: ['stdio'],
  fresh: true,
  skip: () => (process.platform === 'linux' ? undefined : 'only Linux tells the memory of another process without its help'),
  cases: (subject) => ({
    boundaries: [{ kind: 'list' as const }, ...(quickest(subject) === undefined ? [] : [{ kind: 'call' as const }])],
  }),
  async run({ session, subject }, { kind }) {
    const tool = quickest(subject);
    const one = async (): Promise<unknown> =>
      kind === 'call' && tool !== undefined
        ? session.request('tools/call', { name: tool.name, arguments: tool.sample ?? {} })
        : session.request(cheapMethod(subject));
    const used: number[] = [];
    for (let window = 0; window < 4; window++) {
      // the first one warms up; a slow server is asked less
      const end = performance.now() + 1500;
      let asked = 0;
      while (asked < WINDOW && performance.now() < end && session.ended === undefined) {
        await Promise.all(Array.from({ length: 10 }, one));
        asked += 10;
        session.begin();
      }
      if (asked < WINDOW) return;
      used.push(residentBytes(session));
    }
    const growth = used.slice(1).map((bytes, index) => bytes - (used[index] ?? 0));
    if (growth.length === 0 || used.includes(0)) return;
    session.judge.check(
      'ROB-MEMORY',
      growth.some((bytes) => bytes < LEAK),
      `memory that does not grow with the number of requests`,
      () => `${growth.map((bytes) => `${Math.round(bytes / 1e6)} MB`).join(', ')} more after each ${WINDOW} equal requests`,
    );
  },
});

/** A tool that answers at once. */
function quickest(subject: Subject): Tool | undefined {
  return [...subject.roles].filter(({ failed, asks, ms }) => !failed && !asks && ms < 30).sort((one, other) => one.ms - other.ms)[0]?.tool;
}

/** Bytes of memory the server's process holds; 0 when nobody can say. */
function residentBytes({ wire }: Session): number {
  const pid = wire instanceof StdioWire ? wire.pid : undefined;
  if (pid === undefined) return 0;
  try {
    return Number(/VmRSS:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // it has ended; the next look says so
  }
}

/** The properties of bytes. */
export const BYTES: readonly Property[] = [chunks, large, deep, memory];
