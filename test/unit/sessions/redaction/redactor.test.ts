import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RedactionRules } from '../../../../daemon/api/config.ts';
import { parseJson } from '../../../../daemon/protocol/json.ts';
import { hasPlaceholder, isPlaceholder, placeholderMatches } from '../../../../daemon/sessions/redaction/placeholder.ts';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';

const KEY = new Uint8Array(32).fill(7);
function redactor(secrets: readonly string[] = [], rules: RedactionRules = {}, key = KEY): Redactor {
  return new Redactor({ key, secrets, rules });
}
const call = (args: object): object => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', arguments: args } });
const redacted = (args: object, r = redactor()): Record<string, unknown> =>
  (r.redact(call(args)) as { params: { arguments: Record<string, unknown> } }).params.arguments;
/** Put together here, so that no scanner takes this file for a leak. */
const GITHUB = `gh${'p_'}${'a1'.repeat(18)}`;
const AWS = `AK${'IA'}ABCDEFGHIJKLMNOP`;

describe('redaction', () => {
  it('leaves a message without secrets as the very object it is', () => {
    const message = call({
      path: '/home/me/project/src/index.ts',
      note: 'Basic knowledge of tokens, passwords and cookies; the secret of success',
      progressToken: 'abcdefgh',
      nextPageToken: 'CAUQAA',
      max_tokens: 4096,
      password: '',
      properties: { password: { type: 'string', description: 'The password' }, token: { type: 'string' } },
      required: ['password', 'token'],
      types: 'token: string;\npassword: required\nsecret: ${{ secrets.X }}',
      url2: 'http://localhost:8080/@scope/name and http://[::1]:80/a@b',
      env: 'TOKEN=$GITHUB_TOKEN PASSWORD=${secret:db} API_KEY=<your key>',
      url: 'https://example.com/a@b?token=',
      image: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    });
    assert.equal(redactor().redact(message), message);
    const text = JSON.stringify(message);
    assert.equal(redactor().json(text), text);
  });

  it('takes the values of secret names, however they are written, and keeps the scheme of an authorization', () => {
    const out = redacted({
      Authorization: 'Bearer abc123',
      'X-Api-Key': 'k',
      api_key: 'k',
      clientSecret: 'k',
      DB_PASSWORD: 12345678,
      tokens: ['stays'],
      cookies: ['a=1', 'b=2'],
      headers: [{ name: 'Set-Cookie', value: 'sid=1' }],
    });
    assert.match(String(out['Authorization']), /^Bearer \[redacted:[0-9a-f]{16}\]$/);
    for (const name of ['X-Api-Key', 'api_key', 'clientSecret', 'DB_PASSWORD']) assert.ok(isPlaceholder(out[name]), name);
    assert.deepEqual(out['tokens'], ['stays']);
    assert.ok((out['cookies'] as unknown[]).every(isPlaceholder));
    assert.ok(isPlaceholder((out['headers'] as { value: unknown }[])[0]?.value));
  });

  it('gives one secret one placeholder, in a header and in a body, and another with another key', () => {
    const args = { authorization: 'Bearer abc123', token: 'abc123', other: 'abc124' };
    const out = redacted({ ...args, password: 'abc124' });
    assert.equal(out['authorization'], `Bearer ${String(out['token'])}`);
    assert.notEqual(out['token'], out['password']);
    assert.notEqual(redacted(args, redactor([], {}, new Uint8Array(32)))['token'], out['token']);
  });

  for (const [what, text, kept] of [
    ['a GitHub token', `use ${GITHUB}, please`, 'use […], please'],
    ['an AWS key id', `id=${AWS};`, 'id=[…];'],
    ['a private key', `-----BEGIN PRIVATE${' KEY'}-----\nabc\n-----END PRIVATE${' KEY'}----- rest`, '[…] rest'],
    ['a cut off private key', `x -----BEGIN OPENSSH PRIVATE${' KEY'}-----\nabc`, 'x […]'],
    ['a password in a URL', 'postgres://me:hunter2@db/app', 'postgres://me:[…]@db/app'],
    ['a parameter of a URL', 'https://x/?a=1&access_token=abcdef&b=2', 'https://x/?a=1&access_token=[…]&b=2'],
    ['a header line', 'GET /\r\nAuthorization: Bearer abcdef\r\nHost: x', 'GET /\r\nAuthorization: Bearer […]\r\nHost: x'],
    ['a line of an env file', 'A=1\nDB_PASSWORD="hunter22"\nB=2', 'A=1\nDB_PASSWORD="[…]"\nB=2'],
    ['JSON in a log line', 'sent {"user":"me","password":"hunter22"} ok', 'sent {"user":"me","password":"[…]"} ok'],
    ['a flag', 'psql --password hunter22 -h db', 'psql --password […] -h db'],
    ['basic credentials', `Basic ${Buffer.from('me:hunter2').toString('base64')}`, 'Basic […]'],
    ['a JSON Web Token', `t ${['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NSJ9', 'abcDEF123_-'].join('.')}`, 't […]'],
  ] as const)
    it(`takes ${what} out of a text and leaves the rest`, () => {
      assert.equal(
        redactor()
          .text(text)
          .replace(/\[redacted:[0-9a-f]{16}\]/g, '[…]'),
        kept,
      );
    });

  it('takes a secret whole, whatever is in it and around it', () => {
    const secret = 'qW3rTy9ZxC';
    const texts = [
      `DB_PASSWORD=$${secret}`,
      `[default]\naws_secret_access_key = ${secret}abcdefgh/ijkl\n`,
      `services:\n  db:\n    POSTGRES_PASSWORD: ${secret}\n`,
      `got {"password": "it's-${secret}", "x": 1}`,
      `got {"password": "a\\"b-${secret}", "x": 1}`,
      `postgres://app:p@${secret}@db/x and postgres://app:p/'${secret}@db/x`,
      `AccountName=a;AccountKey=${secret}abcdefgh==;EndpointSuffix=x`,
      `ENCRYPTION_KEY=${secret}`,
      `Set-Cookie: theme="x"; session=${secret}`,
      `X-Amz-Security-Token: ${secret}abcd`,
      `https://a.blob.core.windows.net/c?sv=1&sig=${secret}abcdefghij%3D`,
      `<db:password>${secret}</db:password>`,
      `data:application/json;base64,${Buffer.from(JSON.stringify({ token: secret })).toString('base64')}`,
    ];
    for (const text of texts) {
      const out = redactor().text(text);
      assert.ok(hasPlaceholder(out) && !out.includes(secret), out);
      // the quick look over JSON text finds it too
      assert.ok(
        !redactor()
          .json(JSON.stringify(call({ text })))
          .includes(text),
        text,
      );
    }
    const values = [
      { password: '$2b$10$abcdefghijklmnopqrstuv', DB_PWD: secret, accountKey: secret, MY_ENCRYPTION_KEY: secret },
      { Name: 'DB_PASSWORD', Value: secret },
      { ParameterKey: 'ApiToken', ParameterValue: secret },
      { args: ['--password', secret], raw: ['Accept', '*/*', 'X-Api-Key', secret], pairs: [['x-api-key', secret]] },
    ];
    for (const value of values) assert.doesNotMatch(redactor().json(JSON.stringify(call(value))), /qW3rTy9ZxC|abcdefghijkl/);
  });

  it('looks into JSON and base64 in texts, at any depth', () => {
    const deep = JSON.stringify({ a: JSON.stringify([{ b: JSON.stringify({ password: 'hunter2' }) }]) });
    const out = redacted({
      deep,
      file: Buffer.from(`A=1\nKEY=${GITHUB}\n`).toString('base64'),
      indented: JSON.stringify({ token: 'abcd', n: [1] }, null, 2),
    });
    assert.ok(!JSON.stringify(out).includes('hunter2'));
    assert.ok(isPlaceholder(out['file']));
    assert.match(String(out['indented']), /^\{\n {2}"token": "\[redacted/);
  });

  it('takes stored secrets in every form, in names of fields, and as numbers', () => {
    const secret = 'pä"ss/w\\rd 1';
    const r = redactor([secret, '48151623']);
    const base64 = [0, 1, 2].map((offset) => Buffer.from(`${'x'.repeat(offset)}${secret}yz`).toString('base64'));
    const out = redacted(
      {
        [`key ${secret}`]: 1,
        url: encodeURIComponent(secret),
        raw: `a${secret}b`,
        base64,
        number: 48151623,
        near: 481516230,
        hex: Buffer.from(secret).toString('hex'),
      },
      r,
    );
    const text = JSON.stringify(out);
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64').slice(0, -2)])
      assert.ok(!text.includes(form), form);
    assert.ok(Object.keys(out).some(hasPlaceholder));
    assert.equal(out['number'], String(out['raw']).slice(1, -1) === '' ? '' : out['number']);
    assert.ok(isPlaceholder(out['number']));
    assert.equal(out['near'], 481516230);
    for (const form of out['base64'] as string[]) assert.ok(hasPlaceholder(form), form);
  });

  it('follows the user: pointers, fields, patterns', () => {
    const r = redactor([], {
      pointers: ['/params/arguments/people/*/ssn', '/params/**/deep'],
      fields: ['date-of-birth'],
      patterns: ['EMP-([0-9]+)', 'k+'],
    });
    const out = redacted(
      { people: [{ ssn: { a: 1 }, name: 'A' }], x: { y: { deep: [1] } }, dateOfBirth: '1990', text: 'EMP-123 and kkk' },
      r,
    );
    assert.ok(isPlaceholder((out['people'] as { ssn: unknown }[])[0]?.ssn));
    assert.equal((out['people'] as { name: unknown }[])[0]?.name, 'A');
    assert.ok(isPlaceholder((out['x'] as { y: { deep: unknown } }).y.deep));
    assert.ok(isPlaceholder(out['dateOfBirth']));
    assert.match(String(out['text']), /^EMP-\[redacted:[0-9a-f]{16}\] and \[redacted:[0-9a-f]{16}\]$/);
  });

  it('keeps numbers JavaScript cannot hold', () => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{"n":12345678901234567890,"e":1e400,"password":"x","z":-0}}';
    const out = redactor().json(text);
    assert.match(out, /"n":12345678901234567890,"e":1e400,"password":"\[redacted:[0-9a-f]{16}\]","z":-0/);
  });

  it('finds what is behind escapes in JSON that was never parsed', () => {
    const secret = 'abc/defgh';
    assert.ok(!redactor([secret]).json('{"jsonrpc":"2.0","id":1,"result":{"a":"abc\\/defgh"}}').includes('defgh'));
    const escaped = [...GITHUB].map((char) => `\\u00${char.charCodeAt(0).toString(16)}`).join('');
    assert.match(redactor().json(`{"jsonrpc":"2.0","id":1,"result":{"a":"${escaped}"}}`), /\[redacted:/);
  });

  it('leaves out what is nested too deeply rather than let it pass', () => {
    let deep: unknown = GITHUB;
    for (let level = 0; level < 20_000; level++) deep = [deep];
    const out = JSON.stringify(redactor().redact({ jsonrpc: '2.0', id: 5, method: 'x', params: { deep } }));
    assert.ok(!out.includes(GITHUB));
    assert.match(out, /"id":5,"method":"x","redacted":/);
  });

  it('needs linear time for texts made to be slow', () => {
    const r = redactor(['secret123'], { patterns: ['(a+)+$'] });
    for (const piece of [
      'a',
      'aA1+',
      'eyJ',
      '://a:',
      'token=',
      '"password": "',
      '-----BEGIN PRIVATE KEY-----',
      'Authorization: ',
      '{"a":',
      '\\"',
      ' -',
      '.',
      'x@',
      'hooks.slack.com/services/',
      '=',
      'Basic ',
    ])
      r.text(piece.repeat(200_000 / piece.length));
  });

  it('takes a planted secret out of any message, whatever is around it', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z0-9+/"\\ é]{10,30}$/),
        fc.object({ maxDepth: 4, withNullPrototype: false }),
        fc.constantFrom(
          (secret: string) => secret,
          (secret: string) => `before ${secret} after`,
          (secret: string) => ({ [secret]: [secret] }),
          (secret: string) => JSON.stringify({ inner: JSON.stringify({ secret }) }),
          (secret: string) => Buffer.from(`..${secret}..`).toString('base64'),
          (secret: string) => encodeURIComponent(secret),
        ),
        (secret, around, planted) => {
          const message = { jsonrpc: '2.0', id: 1, result: { around, planted: planted(secret) } };
          const text = JSON.stringify(message);
          fc.pre(!JSON.stringify({ around }).includes(JSON.stringify(secret).slice(1, -1)));
          const out = redactor([secret]).json(text);
          const value = (parseJson(out) as { result: { planted: unknown } }).result.planted;
          assert.ok(hasPlaceholder(JSON.stringify(value)), JSON.stringify(value));
          assert.ok(!JSON.stringify(value).includes(JSON.stringify(secret).slice(1, -1)));
        },
      ),
      { numRuns: 300, seed: 7 },
    );
  });
});

describe('placeholders', () => {
  const [a, b] = ['[redacted:0123456789abcdef]', '[redacted:fedcba9876543210]'];
  it('match any text in their place', () => {
    assert.ok(placeholderMatches(a, 'anything'));
    assert.ok(placeholderMatches(a, 5));
    assert.ok(!placeholderMatches(a, { x: 1 }));
    assert.ok(placeholderMatches(`Bearer ${a}`, 'Bearer xyz'));
    assert.ok(!placeholderMatches(`Bearer ${a}`, 'Basic xyz'));
    assert.ok(placeholderMatches(`${a}-${b}!`, 'x-y!'));
    assert.ok(!placeholderMatches(`${a}-${b}!`, 'xy!'));
    assert.ok(placeholderMatches(`a${a}a`, 'aa'));
    assert.ok(!placeholderMatches(`a${a}a`, 'a'));
    assert.ok(placeholderMatches('plain', 'plain'));
    assert.ok(!placeholderMatches('plain', 'plains'));
  });
});
