/** `signalbox record` from the first call to the file in the repository, against a real daemon. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { RecordingInfo } from '../../../daemon/api/recordings.ts';
import type { TrafficRow } from '../../../daemon/api/sessions.ts';
import { COMMANDS } from '../../../daemon/cli/commands.ts';
import { runProgram } from '../../../daemon/cli/program.ts';
import { type DaemonFixture, type Finished, startDaemonFixture } from '../../fixtures/daemon.ts';
import { schemaErrors } from '../../fixtures/recorder.ts';

describe('signalbox record', () => {
  let daemon: DaemonFixture;
  let project: string;
  before(async () => {
    daemon = await startDaemonFixture({
      config: (home) => {
        mkdirSync(join(home.dir, 'files'));
        writeFileSync(join(home.dir, 'files', 'a.txt'), 'first line\n');
        return { servers: { fs: { plugin: 'filesystem', settings: { roots: [join(home.dir, 'files')], access: 'read' } } } };
      },
    });
    project = join(daemon.home.dir, 'project');
    mkdirSync(join(project, '.signalbox'), { recursive: true });
  });
  after(() => daemon.stop());
  /** In this process, as the entry of the command line runs it: a process for each line would cost a second. */
  const run = async (...words: string[]): Promise<Finished> => {
    let [stdout, stderr] = ['', ''];
    const sink = (take: (text: string) => void): Writable =>
      new Writable({ write: (chunk: Buffer, _encoding, done) => done(void take(String(chunk))) });
    const code = await runProgram(COMMANDS, words, {
      paths: daemon.home.paths,
      stdin: Readable.from([]),
      stdout: sink((text) => {
        stdout += text;
      }),
      stderr: sink((text) => {
        stderr += text;
      }),
      env: daemon.home.env,
      cwd: project,
      signal: new AbortController().signal,
    });
    return { code, stdout, stderr };
  };
  const record = (...args: string[]): Promise<Finished> => run('record', ...args);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await record(...args, '--json')).stdout) as T;

  it('goes the whole way', { timeout: 120_000 }, async () => {
    const { home } = daemon;
    const started = await record('start', '--name', 'walk', '--ring');
    assert.equal(started.code, 0, started.stderr);
    assert.match(started.stdout, /signalbox record stop walk/);
    for (const name of ['a.txt', 'missing.txt'])
      await run('call', 'fs__read_text_file', '--args', JSON.stringify({ path: join(home.dir, 'files', name) }));
    const live = (await json<{ recordings: RecordingInfo[] }>('list')).recordings;
    assert.deepEqual(
      live.map(({ name, live: isLive }) => [name, isLive]),
      [['walk', true]],
    );
    const refused = await record('remove', 'walk');
    assert.match(refused.stderr, /SBX_RECORDING_LIVE/);
    assert.equal(refused.code, 1);
    const stopped = await record('stop');
    assert.equal(stopped.code, 0, stopped.stderr);

    const shown = await record('show', 'walk');
    assert.match(shown.stdout, /tools\/call fs__read_text_file #/);
    assert.match(shown.stdout, /(?:tool-error|error) [\d.]+ ms/);
    const { rows } = await json<{ rows: TrafficRow[] }>('show', 'walk', '--errors', '--messages');
    assert.ok(rows.length > 0 && rows.every(({ status, kind }) => kind === 'fault' || status === 'error' || status === 'tool-error'));
    const found = await record('search', 'FIRST LINE');
    assert.equal(found.code, 0, found.stderr);
    assert.match(found.stdout, /^walk\n.*fs__read_text_file/s);
    assert.equal((await record('search', 'no such words anywhere')).code, 1);
    const torn = join(daemon.home.dir, 'torn.jsonl');
    const header = { signalbox: 'recording', version: 1, id: 'torn', createdAt: '2026-11-21T19:05:38.120Z' };
    writeFileSync(torn, [header, { k: 'gap', t: 1, why: 'lost' }, { k: 'end', t: 2 }].map((line) => `${JSON.stringify(line)}\n`).join(''));
    assert.equal((await record('search', 'no such words anywhere', torn)).code, 1, 'a gap is nothing that was found');
    assert.match((await record('stats', 'walk')).stdout, /^tool .*\n.*read_text_file/s);

    // without anybody to ask it only shows
    const preview = await record('export', 'walk');
    assert.match(preview.stdout, /messages over .*Nothing was written/s);
    const unasked = await record('export', 'walk', '--workspace');
    assert.equal(unasked.code, 2);
    const file = join(project, '.signalbox', 'recordings', 'walk.jsonl');
    assert.ok(!existsSync(file));
    const written = await record('export', 'walk', '--workspace', '--yes');
    assert.equal(written.code, 0, written.stderr);
    assert.deepEqual(await schemaErrors(file), []);
    assert.equal((await record('export', 'walk', '--workspace', '--yes')).code, 2, 'it is not replaced unasked');
    assert.equal((await record('export', 'walk', '--workspace', '--yes', '--force')).code, 0);
    assert.ok(readFileSync(file, 'utf8').includes('first line'));

    // the file by its path, by its name in the workspace, and imported again: all the same
    assert.equal((await record('compare', 'walk', file)).code, 0);
    const imported = await record('import', file, '--name', 'again', '--json');
    assert.equal(imported.code, 0, imported.stderr);
    const compared = await record('compare', 'walk', 'again');
    assert.match(compared.stdout, /[1-9]\d* equal/);
    const changed = join(project, 'changed.jsonl');
    writeFileSync(changed, readFileSync(file, 'utf8').replaceAll('first line', 'another line'));
    const different = await record('compare', 'walk', 'changed.jsonl');
    assert.equal(different.code, 1, different.stdout);
    assert.match(different.stdout, /first line.*another line/);

    assert.equal((await record('remove', 'again')).code, 0);
    assert.equal((await record('remove', 'again')).code, 1);
    assert.equal((await record('show', 'again')).code, 1);
    assert.equal((await record('play')).code, 2);
    assert.equal((await record('show', 'walk', '--limit', 'x')).code, 2);
  });
});
