import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeFinding } from '../../../daemon/cli/doctor/machine.ts';
import { type Sandbox, sandbox } from './process.ts';

type Found = { status: string; check: string; code?: string; what: string; fix?: string };

async function findings({ json }: Sandbox): Promise<{ code: number | null; of: (check: string) => Found }> {
  const { code, document } = await json(['doctor']);
  const list = document['findings'] as Found[];
  const of = (check: string): Found => {
    const found = list.find((finding) => finding.check === check);
    assert.ok(found, `nothing about ${check} in ${JSON.stringify(list)}`);
    return found;
  };
  return { code, of };
}

function configure({ paths }: Sandbox, text: string): void {
  mkdirSync(paths.configDir, { recursive: true });
  writeFileSync(paths.configFile, text);
}

describe('signalbox doctor', { concurrency: 4 }, () => {
  it('finds nothing that fails on a new machine, and shows the environment of servers', async (t) => {
    const { code, of } = await findings(sandbox(t));
    assert.equal(code, 0);
    assert.equal(of('daemon').status, 'ok');
    assert.equal(of('config').status, 'ok');
    assert.match(of('environment').what, /PATH=/);
    assert.equal(of('launcher').code, 'SBX_LAUNCHER');
  });

  it('knows a Node that is too old', () => {
    assert.equal(nodeFinding('24.9.0').code, 'SBX_NODE_TOO_OLD');
    assert.equal(nodeFinding('24.10.0').status, 'ok');
    assert.equal(nodeFinding('25.0.0').status, 'ok');
  });

  it('finds a state folder that others may read', async (t) => {
    const box = sandbox(t);
    mkdirSync(box.paths.stateDir);
    chmodSync(box.paths.stateDir, 0o755);
    const { code, of } = await findings(box);
    assert.equal(code, 1);
    assert.equal(of('state').code, 'SBX_STATE_INSECURE');
    assert.match(of('state').fix ?? '', /chmod 700/);
  });

  it('finds a stranger on the remembered port', async (t) => {
    const box = sandbox(t);
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    t.after(() => stranger.close());
    mkdirSync(box.paths.stateDir, { mode: 0o700 });
    writeFileSync(box.paths.settingsFile, JSON.stringify({ port: (stranger.address() as import('node:net').AddressInfo).port }));
    const { code, of } = await findings(box);
    assert.equal(code, 1);
    assert.equal(of('port').code, 'SBX_PORT_TAKEN');
  });

  it('finds a stale runtime file', async (t) => {
    const box = sandbox(t);
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as import('node:net').AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    mkdirSync(box.paths.stateDir, { mode: 0o700 });
    writeFileSync(box.paths.runtimeFile, JSON.stringify({ pid: 2 ** 22 + 1, port, controlToken: 't', protocol: [1, 1] }));
    assert.equal((await findings(box)).of('daemon').code, 'SBX_RUNTIME_STALE');
  });

  it('points at the line of a configuration problem', async (t) => {
    const box = sandbox(t);
    configure(box, '{\n  "servers": {\n    "a": { "comand": "node" }\n  }\n}\n');
    const { code, of } = await findings(box);
    assert.equal(code, 1);
    assert.equal(of('config').code, 'SBX_CONFIG_INVALID');
    assert.match(of('config').what, /config\.jsonc:3:\d+ /);
  });

  it('judges the commands: missing, chatty on standard output, ending, sound; a disabled one is left alone', async (t) => {
    const box = sandbox(t);
    const script = (name: string, text: string): string => {
      const file = join(box.folder, `${name}.cjs`);
      writeFileSync(file, text);
      return file;
    };
    const answer = `process.stdin.once('data', () => console.log('{"jsonrpc":"2.0","id":0,"result":{}}'))`;
    const node = process.execPath;
    const servers = {
      missing: { command: 'no-such-command-anywhere' },
      chatty: { command: node, args: [script('chatty', `console.log('Server is ready!'); ${answer}`)] },
      ending: { command: node, args: [script('ending', `console.error('no database'); process.exit(7)`)] },
      sound: { command: node, args: [script('sound', answer)] },
      off: { command: 'no-such-command-either', enabled: false },
    };
    configure(box, JSON.stringify({ servers }));
    const { code, of } = await findings(box);
    assert.equal(code, 1);
    assert.equal(of('server missing').code, 'SBX_SERVER_COMMAND');
    assert.equal(of('server chatty').code, 'SBX_SERVER_NOT_JSON');
    assert.match(of('server chatty').what, /Server is ready!/);
    assert.match(of('server chatty').fix ?? '', /standard error/);
    assert.equal(of('server ending').code, 'SBX_SERVER_EXITED');
    assert.match(of('server ending').what, /code 7/);
    assert.equal(of('server sound').status, 'ok');
    assert.throws(() => of('server off'));
  });
});
