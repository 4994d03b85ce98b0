/** `signalbox call` where a tool asks: at a terminal it is asked, without one it is cancelled. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { parseCommand } from '../../../daemon/cli/arguments.ts';
import { callCommand } from '../../../daemon/cli/call.ts';
import type { CommandContext } from '../../../daemon/cli/command.ts';
import { openControl, runningDaemon } from '../../../daemon/cli/connection.ts';
import { type DaemonFixture, REPOSITORY, startDaemonFixture } from '../../fixtures/daemon.ts';

const ARGS = JSON.stringify({
  questions: [
    [
      {
        method: 'elicitation/create',
        params: {
          mode: 'form',
          message: 'Which train?',
          requestedSchema: {
            type: 'object',
            required: ['number', 'class'],
            properties: {
              number: { type: 'integer', minimum: 1 },
              class: { enum: ['first', 'second'] },
              quiet: { type: 'boolean', default: true },
              note: { type: 'string' },
            },
          },
        },
      },
    ],
  ],
});

describe('signalbox call', () => {
  let daemon: DaemonFixture;
  before(async () => {
    const server = join(REPOSITORY, 'test', 'fixtures', 'servers', 'asking.mjs');
    daemon = await startDaemonFixture({ config: { servers: { ask: { command: process.execPath, args: [server, '--modern'] } } } });
  });
  after(() => daemon.stop());

  it('cancels a question nobody can answer, and shows progress beside the result', async () => {
    const { code, stdout, stderr } = await daemon.home.signalbox(['call', 'ask__ask', '--args', ARGS]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^1$/m);
    assert.match(stderr, /Which train\?.*no terminal/);
    assert.match(stdout, /"action":"cancel"/);
  });

  it('asks at a terminal, again where an answer does not fit', async () => {
    const stdin = Object.assign(new PassThrough(), { isTTY: true });
    let shown = '';
    const answers: [RegExp, string][] = [
      [/number \(?.*: $/, '0'],
      [/At least 1\. .*$/, ''],
      [/number: $/, '12'],
      [/class \(1 first, 2 second\): $/, '2'],
      [/quiet.*\[true\]: $/, ''],
      [/note, optional: $/, ''],
      [/Send this answer\? \[Y\/n\] $/, 'y'],
    ];
    answers[0] = [/number: $/, '0'];
    const stderr = new Writable({
      write(chunk: Buffer, _encoding, done) {
        shown += chunk.toString();
        const [next] = answers;
        if (next?.[0].test(shown)) {
          answers.shift();
          shown = '';
          setImmediate(() => stdin.write(`${next[1]}\n`));
        }
        done();
      },
    });
    const client = await openControl(await runningDaemon(daemon.home.paths));
    let result = '';
    const parsed = parseCommand(callCommand, ['ask__ask', '--args', ARGS]);
    const context = {
      ...parsed,
      paths: daemon.home.paths,
      stdin,
      stdout: new PassThrough(),
      stderr,
      env: {},
      cwd: daemon.home.cwd,
      json: false,
      signal: new AbortController().signal,
      result: (_value: unknown, text: string | (() => string)) => {
        result = typeof text === 'string' ? text : text();
      },
      note: (text: string) => void stderr.write(`${text}\n`),
      confirm: async () => false,
      readInput: async () => '',
      connect: async () => client,
    } satisfies CommandContext;
    try {
      assert.equal(await callCommand.run(context), 0);
    } finally {
      client.close();
    }
    assert.match(result, /"content":\{"number":12,"class":"second","quiet":true\}/);
    assert.deepEqual(answers, [], 'every question was asked');
  });
});
