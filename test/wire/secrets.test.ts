/** Secrets planted wherever traffic has room for them are nowhere in what the daemon writes and shows. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { RecordingInfo } from '../../daemon/api/recordings.ts';
import { type DaemonFixture, finish, startDaemonFixture } from '../fixtures/daemon.ts';

const LEAKING = join(import.meta.dirname, '..', 'fixtures', 'servers', 'leaking.mjs');
/** Made anew in each run, put together so that no scanner takes this file for a leak. */
const random = (length: number, alphabet: string): string =>
  Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('');
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const MIXED = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const STORED = `st/${random(12, MIXED)}+"\\ü`;
const CONFIGURED = `cfg${random(20, MIXED)}`;
const RULED = `EMP-${random(6, '0123456789')}`;
const SHAPES = {
  aws: ['AK', 'IA', random(16, UPPER)].join(''),
  github: ['gh', 'p_', random(36, MIXED)].join(''),
  slack: ['xo', 'xb-', random(12, '0123456789'), '-', random(24, MIXED)].join(''),
  stripe: ['sk', '_live_', random(24, MIXED)].join(''),
  openai: ['sk', '-proj-', random(40, MIXED)].join(''),
  anthropic: ['sk', '-ant-api03-', random(40, MIXED)].join(''),
  jwt: ['ey', 'JhbGciOiJIUzI1NiJ9.ey', `J${random(30, MIXED)}`, '.', random(40, MIXED)].join(''),
};
const PEM_BODY = random(64, MIXED);
const PEM = ['-----BEGIN RSA PRIV', `ATE KEY-----\n${PEM_BODY}\n-----END RSA PRIV`, 'ATE KEY-----'].join('');
const BEARER = random(24, MIXED);
const PASSWORD = random(14, MIXED);
/** In `clientInfo`, which the daemon remembers as it came: a session goes on over a restart. */
const CLAIMED = ['xo', 'xb-', random(12, '0123456789'), '-', random(24, MIXED)].join('');
const FIELD = random(10, MIXED);
const POINTED = random(10, MIXED);
const SECRETS = [
  STORED,
  CONFIGURED,
  RULED,
  ...Object.values(SHAPES),
  PEM,
  `Authorization: Bearer ${BEARER}`,
  `postgres://app:${PASSWORD}@db.example/app`,
  `curl -u me:${PASSWORD} https://db.example/`,
  `http://127.0.0.1:4711/callback?code=${BEARER}&state=xyz`,
];
/** What must be nowhere, in any form. */
const NEVER = [STORED, CONFIGURED, RULED.slice(4), ...Object.values(SHAPES), PEM_BODY, BEARER, PASSWORD, FIELD, POINTED, CLAIMED];

function forms(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((offset) =>
    Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)])
      .toString('base64')
      .slice(offset === 0 ? 0 : offset + 1, -4),
  );
  const json = JSON.stringify(secret).slice(1, -1);
  return [secret, json, JSON.stringify(json).slice(1, -1), encodeURIComponent(secret), ...base64.filter((piece) => piece.length >= 8)];
}

function leaksIn(text: string): readonly string[] {
  return NEVER.flatMap((secret) => forms(secret).filter((form) => text.includes(form)));
}

describe('secrets in traffic', () => {
  let daemon: DaemonFixture;
  before(async () => {
    daemon = await startDaemonFixture({
      config: {
        servers: { leak: { command: process.execPath, args: [LEAKING], env: { API_TOKEN: CONFIGURED } } },
        redaction: { pointers: ['/params/arguments/place/*/inner'], patterns: ['EMP-([0-9]{6})'], fields: ['staff-number'] },
      },
    });
    const [node, ...args] = daemon.home.command;
    const input = join(daemon.home.dir, 'secret.txt');
    writeFileSync(input, STORED);
    const set = await finish('/bin/sh', ['-c', `"$0" "$@" < ${JSON.stringify(input)}`, node, ...args, 'secret', 'set', 'stored'], {
      cwd: daemon.home.cwd,
      env: daemon.home.env,
    });
    assert.equal(set.code, 0, set.stderr);
  });
  after(() => daemon.stop());

  it('are nowhere on the disk and in no view, though each is everywhere in the traffic', { timeout: 60_000 }, async () => {
    const { home } = daemon;
    // the value came with the line break of a terminal's input, or not: what is stored is what counts
    const stored = (JSON.parse(readFileSync(home.paths.secretsFile, 'utf8')) as { secrets: { stored: { value: string } } }).secrets.stored
      .value;
    assert.equal(stored, STORED);
    const info = await home.json<RecordingInfo>('record', 'start', '--name', `with ${SHAPES.github}`);
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${daemon.token}`,
    };
    const post = async (message: object, more: Record<string, string> = {}): Promise<{ text: string; session: string }> => {
      const answer = await fetch(daemon.url, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: JSON.stringify({ jsonrpc: '2.0', ...message }),
      });
      return { text: await answer.text(), session: answer.headers.get('mcp-session-id') ?? '' };
    };
    const { session } = await post({
      id: `id ${SHAPES.github}`,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: `client ${CLAIMED}`, version: '1' } },
    });
    const legacy = { 'mcp-session-id': session, 'mcp-protocol-version': '2025-11-25' };
    await post({ method: 'notifications/initialized' }, legacy);
    const args = {
      secrets: SECRETS,
      headers: { Authorization: BEARER, Cookie: `sid=${BEARER}` },
      place: { any: { inner: POINTED } },
      staffNumber: FIELD,
      smtpPass: PASSWORD,
      held: { secret: { value: BEARER } },
      nested: JSON.stringify({ password: PASSWORD, list: [{ name: 'X-Api-Key', value: BEARER }] }),
    };
    const call = await post({ id: 1, method: 'tools/call', params: { name: 'leak__spill', arguments: args } }, legacy);
    assert.ok(leaksIn(call.text).length > 20, 'the client itself gets everything');
    await post({ id: 2, method: 'tools/call', params: { name: 'leak__spill', arguments: { ...args, fail: true } } }, legacy);
    await post({ id: SHAPES.jwt, method: 'tools/call', params: { name: `leak__${SHAPES.stripe}`, arguments: {} } }, legacy);
    await post({ id: 3, method: `made/up ${SHAPES.aws}`, params: { uri: `https://me:${PASSWORD}@example.com` } }, legacy);
    await fetch(daemon.url, { method: 'POST', headers: { ...headers, ...legacy }, body: `not json ${STORED} ${SHAPES.openai}` });

    const shown = await home.signalbox(['record', 'show', info.id, '--messages', '--json', '--limit', '10000']);
    assert.equal(shown.code, 0, shown.stderr);
    assert.deepEqual(leaksIn(shown.stdout), []);
    assert.match(shown.stdout, /\[redacted:[0-9a-f]{16}\]/);
    const ended = await home.json<RecordingInfo>('record', 'stop', info.id);
    assert.ok(ended.frames >= 14, `${ended.frames} frames`);
    const exported = join(home.dir, 'out.jsonl');
    for (const format of ['jsonl', 'har', 'plain'])
      assert.equal(
        (await home.signalbox(['record', 'export', info.id, '--to', `${exported}.${format}`, '--format', format, '--yes'])).code,
        0,
      );

    const files = [home.paths.stateDir, home.dir].flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    );
    const read = new Set<string>();
    for (const file of files) {
      // where a secret was put on purpose
      if ([home.paths.secretsFile, home.paths.configFile, join(home.dir, 'secret.txt')].includes(file) || read.has(file)) continue;
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) continue;
      read.add(file);
      const bytes = readFileSync(file);
      const text = (file.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes).toString('utf8');
      const memory = file.startsWith(home.paths.stateDb);
      assert.deepEqual(
        leaksIn(text).filter((leak) => !memory || leak !== CLAIMED),
        [],
        file,
      );
    }
    assert.ok(
      [...read].some((file) => file.endsWith('.jsonl.zst')),
      'the recording was looked through',
    );
    assert.ok(
      [...read].some((file) => file.includes('blobs')),
      'a large message was looked through',
    );
  });
});
