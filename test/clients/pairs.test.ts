/**
 * Servers that ask in the middle of a call, and clients of both eras that are asked: every client × a v1-SDK server and a server that
 * speaks 2026-07-28 only, over stdio and over HTTP, through a real daemon. What the person and the model are asked, and what the caller
 * gets, is the same in every pair.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type DaemonFixture, startDaemonFixture } from '../fixtures/daemon.ts';
import { type Json, PEER_KINDS, type Peer, type Person, type Target } from './peers.ts';

const SERVERS = [
  { alias: 'ls', era: 'legacy', transport: 'stdio' },
  { alias: 'lh', era: 'legacy', transport: 'http' },
  { alias: 'ms', era: 'modern', transport: 'stdio' },
  { alias: 'mh', era: 'modern', transport: 'http' },
] as const;

let daemon: DaemonFixture;
let target: Target;
const web: { readonly url: string; readonly end: () => Promise<void> }[] = [];

before(async () => {
  daemon = await startDaemonFixture();
  // Roots are the workspace's folder, so the endpoint must have one.
  const folder = join(daemon.home.dir, 'project');
  mkdirSync(join(folder, '.signalbox'), { recursive: true });
  const servers: Record<string, object> = {};
  for (const { alias, era, transport } of SERVERS) {
    const args = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'servers', `${era}.ts`), `--${transport}`];
    if (transport === 'stdio') servers[alias] = { type: 'stdio', command: process.execPath, args };
    else {
      const started = await startWeb(args);
      web.push(started);
      servers[alias] = { type: 'http', url: started.url };
    }
  }
  const config = { servers, namespaces: { all: Object.keys(servers) }, endpoints: { default: { namespaces: ['all'] } } };
  writeFileSync(join(folder, '.signalbox', 'config.jsonc'), JSON.stringify(config));
  const trusted = await daemon.home.signalbox(['trust', folder, '--yes']);
  assert.equal(trusted.code, 0, trusted.stdout + trusted.stderr);
  const credential = await daemon.home.json<{ url: string; token: string }>('clients', 'token', 'test', '--workspace', folder);
  target = { home: daemon.home, workspace: folder, ...credential };
});

after(async () => {
  for (const { end } of web) await end();
  await daemon.stop();
});

for (const kind of PEER_KINDS)
  describe(kind.title, () => {
    for (const { alias, era, transport } of SERVERS)
      describe(`asked by a ${era} server over ${transport}`, () => {
        let person: Recorder;
        let peer: Peer;
        before(async () => {
          person = new Recorder('Ada', target);
          peer = await kind.connect(target, person);
        });
        after(() => peer.close());
        const call = (tool: string, from = 'Crewe'): Promise<string> => peer.call(`${alias}__${tool}`, { from });

        it('answers a form, then samples, with progress in every round', async () => {
          // What asks for progress is that somebody listens.
          const text = await peer.call(`${alias}__book`, { from: 'Crewe' }, { onprogress: () => {} });
          assert.equal(text, 'Ada from Crewe: A rhyme about Ada, in rhyme');
          assert.deepEqual(
            peer.progress.map(({ progress, total }) => [progress, total]),
            [
              [1, 3],
              [2, 3],
              [3, 3],
            ],
          );
          assert.deepEqual(person.take(), ['elicit: Who travels from Crewe?', 'sample: A rhyme about Ada']);
        });

        it('answers two questions at once', async () => {
          assert.equal(await call('both'), 'Ada and A rhyme about both, in rhyme');
          assert.deepEqual(person.take().toSorted(), ['elicit: Who travels from Crewe?', 'sample: A rhyme about both']);
        });

        for (const action of ['decline', 'cancel'])
          it(`may ${action}`, async () => {
            person.action = action;
            assert.equal(await call('confirm'), action);
            person.action = 'accept';
            assert.deepEqual(person.take(), ['elicit: Sure?']);
          });

        it('is sent to a page', async () => {
          assert.equal(await call('login'), 'accept');
          assert.deepEqual(person.take(), ['page: https://rail.example/login']);
          if (kind.revision === '2025-11-25') await until(() => person.completions.length === 1);
          assert.deepEqual(person.completions, kind.revision === '2025-11-25' ? person.pages : []);
        });

        it('tells its roots', async () => {
          assert.equal(await call('roots'), person.roots[0]?.uri);
        });

        if (era === 'legacy') {
          it('answers what is not tied to its call', async () => {
            assert.equal(await call('aside', 'Ayr'), 'Ada');
            assert.deepEqual(person.take(), ['elicit: Who travels from Ayr?']);
          });

          it('is refused until it has visited a page', async () => {
            const ticket = `${kind.title} ${transport}`;
            // The legacy era says it by an error, and the client calls again; the modern one asks, and the call goes on.
            if (kind.revision === '2025-11-25') await assert.rejects(call('locked', ticket), { code: -32042 });
            assert.equal(await call('locked', ticket), 'open');
            assert.deepEqual(person.take(), kind.revision === '2025-11-25' ? [] : ['page: https://rail.example/login']);
          });
        }

        it('asks nothing of one who cannot be asked, and goes on', async () => {
          const mute = await kind.connect(target);
          try {
            await assert.rejects(mute.call(`${alias}__book`, { from: 'Crewe' }));
            assert.equal(await mute.call(`${alias}__plain`, {}), 'plain');
            assert.equal(await call('plain'), 'plain');
          } finally {
            await mute.close();
          }
          assert.deepEqual(person.take(), []);
        });
      });
  });

describe('two clients of one server', () => {
  for (const { alias, era, transport } of SERVERS)
    it(`asks each only its own questions (${era}, ${transport})`, async () => {
      const people = PEER_KINDS.map((_, index) => new Recorder(`Person ${index}`, target));
      const peers = await Promise.all(PEER_KINDS.map((kind, index) => kind.connect(target, people[index])));
      try {
        const texts = await Promise.all(peers.map((peer, index) => peer.call(`${alias}__book`, { from: `Town ${index}` })));
        for (const [index, text] of texts.entries()) {
          assert.equal(text, `Person ${index} from Town ${index}: A rhyme about Person ${index}, in rhyme`);
          assert.deepEqual(people[index]?.take(), [`elicit: Who travels from Town ${index}?`, `sample: A rhyme about Person ${index}`]);
        }
      } finally {
        await Promise.all(peers.map((peer) => peer.close()));
      }
    });
});

/** Answers everything, and remembers what it was asked. */
class Recorder implements Person {
  readonly #name: string;
  #asked: string[] = [];
  readonly roots: Person['roots'];
  readonly pages: string[] = [];
  readonly completions: string[] = [];
  action = 'accept';

  constructor(name: string, { workspace = '/' }: Target) {
    this.#name = name;
    this.roots = [{ uri: pathToFileURL(workspace).href, name: basename(workspace) }];
  }

  elicit({ mode, url, message, elicitationId }: Json): Json {
    this.#asked.push(mode === 'url' ? `page: ${url}` : `elicit: ${message}`);
    if (mode === 'url') {
      if (typeof elicitationId === 'string') this.pages.push(elicitationId);
      return { action: this.action };
    }
    return this.action === 'accept' ? { action: 'accept', content: { name: this.#name } } : { action: this.action };
  }

  sample({ messages }: Json): Json {
    const [message] = messages as readonly { readonly content: unknown }[];
    const [block] = [message?.content].flat() as readonly { readonly text: string }[];
    this.#asked.push(`sample: ${block?.text}`);
    return { role: 'assistant', model: 'loopback', content: { type: 'text', text: `${block?.text}, in rhyme` } };
  }

  completed(elicitationId: string): void {
    this.completions.push(elicitationId);
  }

  /** What was asked since the last look. */
  take(): readonly string[] {
    const asked = this.#asked;
    this.#asked = [];
    return asked;
  }
}

async function startWeb(args: readonly string[]): Promise<{ readonly url: string; readonly end: () => Promise<void> }> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return {
    url,
    end: async () => {
      const ended = once(child, 'exit');
      child.stdin.end();
      await ended;
    },
  };
}

/** Waits for a condition; generous, for it only ends a test that has failed. */
async function until(condition: () => boolean): Promise<void> {
  for (let round = 0; !condition(); round++) {
    assert.ok(round < 500, 'the condition never came true');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
