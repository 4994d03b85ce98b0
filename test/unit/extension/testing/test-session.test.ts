import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { ConformEvent, Finding, Outcome, PropertyInfo } from '../../../../daemon/api/conformance.ts';
import { DaemonConnection } from '../../../../extension/daemon/connection.ts';
import type { KnownFinding } from '../../../../extension/testing/items.ts';
import { TestSession } from '../../../../extension/testing/test-session.ts';
import { findingId } from '../../../../extension/testing/words.ts';
import { type DaemonDouble, startDouble } from '../daemon-double.ts';

const PROPERTIES: readonly PropertyInfo[] = ['a/holds', 'a/breaks', 'b/silent'].map((name) => ({
  name,
  area: name.slice(0, 1),
  title: name,
  eras: ['legacy'],
  requirements: [`L-${name}`],
}));

const FINDING: Finding = {
  ...{
    id: 'f1',
    requirement: 'L-a/breaks',
    level: 'MUST',
    severity: 'error',
    area: 'a',
    statement: 'It holds.',
    specification: 'https://spec',
  },
  ...{ property: 'a/breaks', era: 'legacy', transport: 'stdio', input: { tool: 'add' }, expected: 'a list', got: 'a text', flaky: false },
  ...{
    seed: 7,
    shrinks: 2,
    target: { kind: 'stdio', command: 'x', args: [] },
    called: [],
    trace: [{ direction: '>', channel: 'stdio', text: 'hello' }],
  },
};

const outcome = (requirement: string, verdict: Outcome['verdict']): Outcome => ({ requirement, area: 'a', verdict });
const END: ConformEvent = {
  type: 'end',
  summary: {
    ...{ seed: 7, runs: 1, eras: ['legacy'], transport: 'stdio', server: 'mine', cases: 3, ms: 1 },
    counts: { passed: 1, failed: 1, warning: 0, note: 0, 'not-applicable': 1, 'not-exercised': 0 },
    outcomes: [outcome('L-a/holds', 'passed'), outcome('L-a/breaks', 'failed'), outcome('L-b/silent', 'not-applicable')],
  },
};

/** What VS Code would show. */
type Shown = Map<
  string,
  { state: string; message?: { message: string; expectedOutput?: string; actualOutput?: string; location?: unknown } }
>;

describe('a run of the Test Explorer', () => {
  let daemon: DaemonDouble;
  let connection: DaemonConnection;
  let asked: Record<string, unknown>[];
  let script: (run: string) => void;
  const server = { name: 'mine', workspace: 'w1' };
  const item = { id: 'mine', children: new Map() };
  const children = PROPERTIES.map((property) => ({ id: property.name, parent: item, property }));
  const failing = new Set<string>();

  beforeEach(async () => {
    failing.clear();
    daemon = await startDouble();
    daemon.announce();
    asked = [];
    script = (run) => {
      for (const event of [{ type: 'finding', finding: FINDING } as const, END]) daemon.emit('conform', { run, event });
    };
    daemon.answers.set('conform/run', (params) => {
      asked.push(params);
      const run = `r${asked.length}`;
      setImmediate(() => script(run));
      return { result: { run } };
    });
    daemon.answers.set('conform/cancel', () => ({ result: {} }));
    connection = new DaemonConnection({ paths: daemon.paths, cli: () => Promise.resolve({}), version: '0', onLog: () => undefined });
    await connection.start();
  });
  afterEach(async () => {
    connection.dispose();
    await daemon.close();
  });

  /** Runs the server and returns what is shown, and what was said. */
  async function run(
    options: { debug?: boolean; cancel?: Promise<void> } = {},
  ): Promise<{ shown: Shown; output: string; kept: KnownFinding[]; documents: string[]; ended: boolean }> {
    const shown: Shown = new Map();
    const seen = { shown, output: '', kept: [] as KnownFinding[], documents: [] as string[], ended: false };
    const mark = (state: string) => (each: { id: string }, message?: unknown) =>
      shown.set(each.id, { state, ...(message === undefined ? {} : { message: [message].flat()[0] as never }) });
    const never = { isCancellationRequested: false, onCancellationRequested: () => undefined };
    const token = { ...never, onCancellationRequested: (listener: () => void) => void options.cancel?.then(listener) };
    const testRun = {
      ...{
        enqueued: mark('enqueued'),
        started: mark('started'),
        passed: mark('passed'),
        failed: mark('failed'),
        skipped: mark('skipped'),
        errored: mark('errored'),
      },
      appendOutput: (text: string) => (seen.output += text),
      end: () => (seen.ended = true),
      token: never,
    };
    class Message {
      readonly message: string;
      constructor(message: string) {
        this.message = message;
      }
      static diff = (message: string, expectedOutput: string, actualOutput: string): object => ({ message, expectedOutput, actualOutput });
    }
    const vscode = {
      TestMessage: Message,
      Uri: { file: (path: string) => path },
      Position: class {},
      Location: class {
        readonly uri: string;
        constructor(uri: string) {
          this.uri = uri;
        }
      },
      workspace: { getConfiguration: () => ({ get: (key: string) => (key === 'runs' ? 5 : null) }) },
    };
    const tests = {
      last: undefined,
      serverOf: () => ({ item, server }),
      propertiesOf: async (each: { property?: PropertyInfo }) =>
        each.property === undefined ? children.map((child) => [child, child.property]) : [[each, each.property]],
      placeOf: async () => ({ file: '/p/config.jsonc', line: 3, sources: [], watch: [], folder: '/p' }),
      folderOf: () => '/p',
      keep: (known: KnownFinding) => seen.kept.push(known),
      mark: (_server: unknown, name: string, broken: boolean) => (broken ? failing.add(name) : failing.delete(name)),
      isFailing: (_server: unknown, name: string) => failing.has(name),
    };
    const documents = { show: async (name: string, text: string) => seen.documents.push(`${name}\n${text}`) };
    const parts = { vscode, daemon: connection, documents, log: {} } as never;
    await new TestSession(parts, tests as never, testRun as never, token as never, options.debug === true).all([item as never], []);
    return seen;
  }

  it('marks every property: what holds, what is broken, what was not looked at', async () => {
    const { shown, ended, output } = await run();
    assert.deepEqual(Object.fromEntries([...shown].map(([id, { state }]) => [id, state])), {
      'a/holds': 'passed',
      'a/breaks': 'failed',
      'b/silent': 'skipped',
    });
    assert.ok(ended);
    assert.match(output, /1 requirements hold, 1 are broken/);
    assert.doesNotMatch(output, /[^\r]\n/, 'the terminal of the output wants \\r\\n');
    assert.deepEqual(asked, [{ target: { kind: 'server', server: 'mine', workspace: 'w1' }, runs: 5, folder: '/p' }]);
  });

  it('shows the smallest counterexample as a diff at the line of the configuration, and its message leads back to it', async () => {
    const { shown, kept } = await run();
    const message = shown.get('a/breaks')?.message;
    assert.ok(message);
    assert.match(message.expectedOutput ?? '', /"tool": "add"[\s\S]*expected\na list/);
    assert.match(message.actualOutput ?? '', /"tool": "add"[\s\S]*got\na text/);
    assert.deepEqual({ ...(message.location as object) }, { uri: '/p/config.jsonc' });
    assert.equal(findingId(message.message), 'f1');
    assert.deepEqual(
      kept.map(({ finding, folder }) => [finding.id, folder]),
      [['f1', '/p']],
    );
  });

  it('runs what was broken first, then the rest', async () => {
    await run();
    await run();
    assert.deepEqual(
      asked.slice(1).map(({ only }) => only),
      [['a/breaks'], ['a/holds', 'b/silent']],
    );
  });

  it('shows the transcript when it debugs', async () => {
    assert.deepEqual((await run()).documents, []);
    const { documents } = await run({ debug: true });
    assert.equal(documents.length, 1);
    assert.match(documents[0] ?? '', /^L-a\/breaks transcript\.txt\n[\s\S]*> stdio hello/);
  });

  it('says why a run failed, on the server itself', async () => {
    script = (id) =>
      daemon.emit('conform', {
        run: id,
        event: { type: 'failed', error: { code: 'SBX_SERVER_EXITED', message: 'It ended.', cause: 'c', fix: 'f' } },
      });
    const { shown, ended } = await run();
    assert.equal(shown.get('mine')?.state, 'errored');
    assert.match(shown.get('mine')?.message?.message ?? '', /It ended\..*SBX_SERVER_EXITED/s);
    assert.deepEqual(
      [...shown].filter(([id]) => id !== 'mine').map(([, { state }]) => state),
      ['skipped', 'skipped', 'skipped'],
    );
    assert.ok(ended);
  });

  it('cancels the run of the daemon and takes its last event', async () => {
    const begun = Promise.withResolvers<void>();
    script = () => begun.resolve();
    daemon.answers.set('conform/cancel', ({ run: id }) => {
      setImmediate(() => daemon.emit('conform', { run: String(id), event: END }));
      return { result: {} };
    });
    const { ended } = await run({ cancel: begun.promise });
    assert.ok(daemon.asked.includes('conform/cancel'));
    assert.ok(ended);
  });
});
