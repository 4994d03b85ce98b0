import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkStateFolder } from '../../../daemon/security/files.ts';
import { SecretStore } from '../../../daemon/security/secrets.ts';
import { TokenStore } from '../../../daemon/security/tokens.ts';

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'sbx-security-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test('a token is good for one endpoint, survives a restart, and stops at rotation and revocation', (t) => {
  const top = folder(t);
  const paths = { tokensFile: join(top, 'tokens.json'), clientsDir: join(top, 'clients') };
  const first = new TokenStore(paths);
  const key = { client: 'claude-code', path: '/mcp/default' };
  const { token, file } = first.ensure(key);
  assert.equal(file, join(top, 'clients', 'claude-code--default.json'));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!readFileSync(paths.tokensFile, 'utf8').includes(token));
  const again = new TokenStore(paths);
  assert.equal(again.ensure(key).token, token);
  assert.deepEqual(again.verify(token, '/mcp/default'), { client: 'claude-code' });
  assert.equal(again.verify(token, '/mcp/w/default'), 'other-endpoint');
  assert.equal(again.verify(`${token}x`, '/mcp/default'), 'unknown');
  const { token: fresh } = again.rotate(key);
  assert.equal(again.verify(token, '/mcp/default'), 'unknown');
  assert.equal(again.revoke('claude-code'), 1);
  assert.equal(again.verify(fresh, '/mcp/default'), 'unknown');
});

test('secrets are private, redacted, and a damaged store is refused, not overwritten', (t) => {
  const file = join(folder(t), 'secrets.json');
  const store = new SecretStore(file);
  store.set('github', 'hunter2-hunter2');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(store.redact('Bearer hunter2-hunter2!'), 'Bearer [secret]!');
  store.set('github', 'other-value');
  assert.equal(store.redact('hunter2-hunter2'), '[secret]');
  assert.equal(new SecretStore(file).value('github'), 'other-value');
  assert.throws(() => store.grant('none', 'x'), { code: 'SBX_SECRET_MISSING' });
  writeFileSync(file, '{ torn');
  assert.throws(() => new SecretStore(file), { code: 'SBX_SECRET_STORE' });
});

test('a state folder others can read is refused', (t) => {
  const top = folder(t);
  checkStateFolder(join(top, 'state'));
  chmodSync(join(top, 'state'), 0o755);
  assert.throws(() => checkStateFolder(join(top, 'state')), { code: 'SBX_STATE_INSECURE' });
});
