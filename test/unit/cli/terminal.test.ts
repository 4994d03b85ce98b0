/** Words of strangers do not steer the terminal, wherever the command line shows them. */
import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { signalboxPaths } from '../../../daemon/api/paths.ts';
import type { RecordingInfo } from '../../../daemon/api/recordings.ts';
import type { Command, CommandContext } from '../../../daemon/cli/command.ts';
import { runProgram } from '../../../daemon/cli/program.ts';
import { recordingsText, recordingText, rowsText } from '../../../daemon/cli/record/text.ts';
import { statisticsText } from '../../../daemon/cli/statistics.ts';
import { harmless, printable } from '../../../daemon/cli/terminal.ts';

/** Clears the screen, in seven and in eight bits; sets the title; goes back over the line; turns what follows round. */
const EVIL = '\u001b[2J\u009b2J\u001b]0;x\u0007a\rb\u202ec';
const STEERS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Runs a command that shows something, and gives what was written. */
async function shown(run: (context: CommandContext) => Promise<number>, words: readonly string[], terminal: boolean) {
  const texts = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof texts): Writable & { isTTY: boolean } =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          texts[name] += String(chunk);
          done();
        },
      }),
      { isTTY: terminal },
    );
  const command: Command = { name: 'say', summary: 'Says it', usage: ['signalbox say'], options: {}, run };
  const code = await runProgram([{ title: 'x', commands: [command] }], ['say', ...words], {
    stdin: new PassThrough(),
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    env: {},
    cwd: process.cwd(),
    signal: new AbortController().signal,
    paths: signalboxPaths({ platform: process.platform, home: '/nowhere', env: {} }),
  });
  return { ...texts, code };
}

const saying =
  (value: unknown, text: string) =>
  async (context: CommandContext): Promise<number> => {
    context.result(value, text);
    return 0;
  };

describe('words of strangers', () => {
  it('are shown, not obeyed, in results, notes and errors at a terminal', async () => {
    const said = await shown(
      async (context) => {
        context.result({}, `first ${EVIL}\n\tsecond\r\nthird`);
        context.note(`note ${EVIL}`);
        throw new SignalboxError('SBX_USAGE', `error ${EVIL}`, { why: EVIL, fix: EVIL });
      },
      [],
      true,
    );
    assert.equal(said.code, 2);
    assert.doesNotMatch(said.stdout.replace('\r\n', '\n'), STEERS);
    assert.doesNotMatch(said.stderr, STEERS);
    assert.ok(said.stdout.endsWith('\n\tsecond\r\nthird\n'), 'lines and tabs stay');
    assert.match(said.stdout, /first \\x1b\[2J\\x9b2J/);
  });

  it('go into a pipe as they are, and into JSON as the same value', async () => {
    const piped = await shown(saying({}, EVIL), [], false);
    assert.equal(piped.stdout, `${EVIL}\n`);
    for (const terminal of [true, false]) {
      const json = await shown(saying({ text: EVIL }, ''), ['--json'], terminal);
      assert.doesNotMatch(json.stdout, STEERS);
      assert.deepEqual(JSON.parse(json.stdout), { text: EVIL });
    }
  });

  it('make no second row in the tables of recordings and statistics', () => {
    const name = `a\nb${EVIL}`;
    const info = { id: name, name, path: name, createdAt: '2026-11-21T00:00:00Z', live: false, frames: 1, bytes: 1, gaps: 0 };
    const recording = { ...info, clients: [name], servers: [name], eras: [], filter: {} } as RecordingInfo;
    const row = { seq: 1, time: 0, kind: 'frame', edge: 'client', direction: 'in', client: name, method: name, target: name } as const;
    const numbers = { count: 1, errors: 0, p50: 1, p99: 1, bytesIn: 1, bytesOut: 1, tokens: 1 };
    const lists = [{ server: name, method: name, bytes: 1, tokens: 1 }];
    for (const [text, lines] of [
      [recordingsText([recording], 0), 1],
      [recordingText(recording), 1],
      [rowsText([row], 0, 0), 1],
      [statisticsText({ tools: [{ name, server: name, ...numbers }], lists } as Parameters<typeof statisticsText>[0]), 3],
    ] as const) {
      assert.equal(text.split('\n').length, lines, text);
      assert.doesNotMatch(text, STEERS);
    }
  });

  it('are whole otherwise', () => {
    const text = 'Grüße 🚂 \t a\r\nb';
    assert.equal(harmless(text), text);
    assert.equal(printable('a\tb\nc'), 'a b c');
  });
});
