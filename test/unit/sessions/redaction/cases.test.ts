/** What must go and what must stay, case by case: each was once wrong, or is what a rule for another one would take along. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Redactor } from '../../../../daemon/sessions/redaction/redactor.ts';

const redactor = new Redactor({ key: new Uint8Array(32).fill(7), secrets: [], rules: {} });
const message = (value: unknown): object => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'x', arguments: { value } } });
/** Made up; in no other part of a case. */
const S = 'Zq7-madeup-Xw9';
const DIGITS = '48151623';

/** The value as it comes out of a walk, and out of the quick look over JSON text: one must not know what the other does not. */
function both(value: unknown): readonly string[] {
  const text = JSON.stringify(message(value));
  return [JSON.stringify(redactor.redact(message(value))), redactor.json(text)];
}

/** `$` is the secret; what else is in the text must be there afterwards. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  'names in texts': [
    'DB_PASS=$',
    'export SMTP_PASS="$"',
    'https://x.example/login?user=me&pass=$',
    'user: me\npass: $\n',
    'name=me&otp=$&remember=1',
    'name=me&_csrf=$&remember=1',
    'xsrf_token=$',
    'csrfmiddlewaretoken=$',
    'sent {"user":"me","pass":"$"} ok',
    '<pass>$</pass>',
    'tool --pass $ --verbose',
    'tool --pass=$ --verbose',
  ],
  'command lines': [
    'curl -u me:$ https://x.example/',
    'curl -s -X POST -u me:$ https://x.example/',
    'curl -ume:$ https://x.example/',
    'curl -u :$ https://x.example/',
    "curl https://x.example/a -u 'me:$'",
    'curl --user me:$ https://x.example/',
    'curl --user=me:$ https://x.example/',
    'curl --proxy-user me:$ https://x.example/',
    'curl \\\n  -H "Accept: */*" \\\n  -u me:$ https://x.example/',
    'curl "https://x.example/?a=1;b|c" -u "me:$"',
    'mysql -uroot -p$ shop',
    "mysqldump -h db -p'$ and|more' shop",
    'mysqladmin -u root -p"$" status',
    'mariadb -p$ shop < dump.sql',
    'mysql --password=$ shop',
    'PGPASSWORD=$ psql -h db',
    'MYSQL_PWD=$ mysql shop',
    'sshpass -p $ ssh me@host',
    'sshpass -p$ ssh me@host',
    "sshpass -p '$' ssh -p 2222 me@host",
    'docker login -u me -p $ registry.example',
    'docker login registry.example -u me -p$',
    'podman login --username me --password $ registry.example',
    'helm registry login -u me -p $ registry.example',
    'ran `docker login -p $` twice',
  ],
  OAuth: [
    'GET /callback?code=$&state=xyz',
    'GET /?state=xyz&code=$ HTTP/1.1',
    'http://127.0.0.1:4711/oauth/callback?code=$',
    'https://x.example/signin-oidc?code=$',
    'https://x.example/cb#code=$&session_state=a',
    'http://127.0.0.1:4711/callback?iss=https%3A%2F%2Fas.example&code=$',
    `next=${encodeURIComponent('https://x.example/callback?code=')}$%26state%3Dxyz`,
    'grant_type=authorization_code&code=$&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb',
    'code=$&code_verifier=$&client_id=abc',
    'grant_type=refresh_token&refresh_token=$',
    'grant_type=client_credentials&client_id=abc&client_secret=$',
    'grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=$',
    'client_assertion_type=urn%3Aietf%3Aparams&client_assertion=$',
    'token_type=x&id_token=$&expires_in=1',
    'grant_type=urn:ietf:params:oauth:grant-type:device_code&device_code=$&client_id=abc',
  ],
};

const VALUES: Readonly<Record<string, readonly unknown[]>> = {
  'names of fields': [
    { pass: S },
    { dbPass: S },
    { DB_PASS: S },
    { 'smtp-pass': S },
    { dbpass: S },
    { user: 'me', PASS: 48151623 },
    { otp: '48151623' },
    { otp: 48151623 },
    { otpCode: '48151623' },
    { sms_otp: '48151623' },
    { totp: '48151623' },
    { _csrf: S },
    { csrf: S },
    { csrfToken: S },
    { 'X-XSRF-TOKEN': S },
    { xsrf: S },
    { csrfmiddlewaretoken: S },
    { client_assertion: S },
    { codeVerifier: S },
    { SecretString: S },
  ],
  'objects and pairs': [
    { secret: { value: S } },
    { password: { type: 'password', value: S } },
    { secrets: [{ id: 1, value: S }] },
    { apiKey: { plaintext: S } },
    { name: 'API_KEY', value: S },
    [
      { name: 'PATH', value: '/bin' },
      { name: 'API_KEY', value: S },
    ],
    { key: 'db.pass', value: S },
    { name: 'API_KEY', value: { value: S } },
    { property: 'password', value: S },
    ['Authorization', `Bearer ${S}`],
    [
      ['Accept', '*/*'],
      ['Authorization', `Bearer ${S}`],
    ],
    [
      ['API_KEY', S],
      ['REGION', 'eu'],
    ],
    [['password', S]],
    { command: 'curl', args: ['-u', `me:${S}`, 'https://x.example/'] },
    { args: ['curl', '--user', `me:${S}`] },
    { args: ['mysql', '-uroot', `-p${S}`] },
    { command: 'mysql', args: ['-uroot', `-p${S}`] },
    { args: ['sshpass', '-p', S, 'ssh', 'host'] },
    { command: 'docker', args: ['login', '-u', 'me', '-p', S] },
    { args: [`--password=${S}`] },
    { grant_type: 'authorization_code', code: S, state: 'xyz' },
    { grantType: 'jwt-bearer', assertion: S },
  ],
};

/** Texts and values that come through as they are. */
const INNOCENT: readonly unknown[] = [
  {
    passed: 'everything',
    passenger: 'Jane Doe',
    compass: 'north-west',
    bypass: 'cache-layer',
    topology: 'star-shaped',
    passage: 'chapter 12',
  },
  { trespass: 'abcd1234', underpass: 'abcd1234', surpasses: 'abcd1234', passthrough: 'abcd1234', passive: 'abcd1234', laptop: 'abcd1234' },
  { pass: true, tests: { pass: 12, fail: 0, skip: 3 }, otp: false, csrf: true, csrfEnabled: 'always1', csrf_param: 'authenticity' },
  {
    first_pass: 'coarse-grid-1',
    renderPass: 'shadow-map-2',
    'boarding-pass': 'gate B 22 1',
    multi_pass: 'abcd1234',
    proxy_pass: 'http://backend:8080',
  },
  { rootPath: 'abcd1234', slotProps: 'abcd1234', robotPin: 'abcd1234' },
  { otp: '27.1.2', otp_version: '27.1.2', erlang: 'Erlang/OTP 27' },
  'passed=12345 failed=0 bypass=enabled1 compass=north-west-2',
  'passenger: jane42\ntopology: star42\nbypass: cache42\n',
  '# tests 14\n# pass 14\n# fail 0\npass: everything\n',
  'pass=12 fail=0 and pass=true',
  'def f():\n    pass\n\nclass A: pass',
  'location / { proxy_pass http://backend:8080; }',
  'docker run -p 8080:80 -u 1000:1000 --user node:node image',
  'docker run --rm -p 127.0.0.1:8080:80 login-service:1.2.3',
  'mkdir -p build/output && cp -pr a b',
  'ssh -p 2222 me@host; scp -P 2222 a host:b',
  'mysql -P3306 -h db -p shop',
  'mysqldump -h db shop | ssh -p2222 host',
  'the mysql -- port 3306 and -protocol',
  'git push -u origin main:main; sort -u a:b; rsync -u host:/path/a .',
  'curl -L -o out.json https://x.example/a:b -A agent/1.0',
  'curl -u me https://x.example:8080/',
  'curl -u janedoe && curl -u https://x.example/',
  'first_pass=coarse1 and render_pass="shadow1"',
  'pip install --user package:extra',
  'docker login registry.example',
  'log in with -p or --password',
  'https://api.example/items?code=42&state=NY',
  'https://api.example/countries?code=DE',
  'https://api.example/items?code=48151623&state=NY',
  'https://api.example/regions?code=DE-BY&state=open',
  'https://shop.example/cart?code=SUMMER2026SALE',
  'exit code=137 state=stopped and code=ECONNREFUSED state=closed',
  'https://docs.example/callback?page=2',
  'error_code=invalid_request_1&state=xyz123',
  'assertion=failed in line 12; assertion: expected 1',
  { code: 'ERR_HTTP2_STREAM_CANCEL', state: 'closed', assertion: 'expected 48151623 to be 2' },
  { jsonrpc: '2.0', error: { code: -32601, message: 'Method not found' } },
  { token: { type: 'Keyword', value: 'function', range: [0, 8] } },
  { password: { type: 'string', title: 'Password', default: '', description: 'value of the password' } },
  { name: 'path', value: 'src/index.ts' },
  { required: ['password', 'username', 'api_key', 'region2'] },
  ['password', 'region2'],
  { headers: ['authorization', 'cookie', 'x-api-key', 'content-type', 'mcp-session-id'] },
  [
    ['token', 'count'],
    ['the', 'x12'],
  ],
  { args: ['run', '-p', '8080:80', '-u', '1000:1000', '--user', 'node:node'] },
  { args: ['-p', 'src/tsconfig.json'], command: 'tsc' },
  { command: 'mkdir', args: ['-p', 'build/output1'] },
  { nextCursor: 'eyBub3QgYSBqd3Qg', cursor: 'current user', user: 'me:you' },
];

describe('what is a secret', () => {
  for (const [what, texts] of Object.entries(TEXTS))
    describe(what, () => {
      for (const text of texts)
        it(JSON.stringify(text), () => {
          const full = text.replaceAll('$', S);
          const [before = '', after = ''] = [text.slice(0, text.indexOf('$')), text.slice(text.lastIndexOf('$') + 1)];
          const out = redactor.text(full);
          assert.ok(!out.includes('madeup'), out);
          assert.match(out, /\[redacted:[0-9a-f]{16}\]/);
          // of one who writes no URL in a URL, the text around stays
          if (!text.includes('%3Fcode')) assert.ok(out.startsWith(before) && out.endsWith(after.replace(/^ and\|more/, '')), out);
          // what is exported is redacted again: the same placeholder must stay
          assert.equal(redactor.text(out), out);
          for (const json of both({ text: full })) assert.ok(!json.includes('madeup'), json);
        });
    });
  for (const [what, values] of Object.entries(VALUES))
    describe(what, () => {
      for (const value of values)
        it(JSON.stringify(value), () => {
          for (const json of both(value))
            assert.ok(!json.includes('madeup') && !json.includes(DIGITS) && json.includes('[redacted:'), json);
          // a text that is JSON is looked into
          assert.ok(!redactor.text(JSON.stringify(value)).includes('madeup'));
        });
    });
});

describe('what is none', () => {
  for (const value of INNOCENT)
    it(JSON.stringify(value), () => {
      const plain = JSON.stringify(message(value));
      for (const json of both(value)) assert.equal(json, plain);
      if (typeof value === 'string') assert.equal(redactor.text(value), value);
    });
});

describe('texts made to be slow', () => {
  for (const piece of [
    'curl ',
    'curl -u a:',
    "curl '",
    'mysql -p',
    'sshpass -a ',
    'docker login -p ',
    'code=&state=',
    'x?code=',
    '_pass',
    'db_pass= ',
    'curl \\\n',
  ])
    it(`${JSON.stringify(piece)} many times needs linear time`, () => {
      const took = (length: number): number => {
        const began = process.cpuUsage().user;
        redactor.text(piece.repeat(length / piece.length));
        return (process.cpuUsage().user - began) / 1000;
      };
      took(20_000);
      // what is quadratic takes minutes for 400 kB
      assert.ok(took(400_000) < 2000);
    });
});
