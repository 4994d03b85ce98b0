/** Servers that are held to be correct: none of them may be told of an error that is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import type { Target } from '../../../daemon/api/conformance.ts';

/** One that runs. */
export interface Running {
  readonly target: Target;
  close(): Promise<void>;
}
/** One that can be started. */
export interface GoodServer {
  readonly name: string;
  /** Tools called though they do not say that they only read: they change nothing that matters here. */
  readonly allow: readonly string[];
  /** Ids of requirements it truly breaks; `docs/conformance.md` has the evidence. */
  readonly breaks: readonly string[];
  start(): Promise<Running>;
}

const QUIET = '--disable-warning=ExperimentalWarning';
const root = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const nothing = async (): Promise<void> => {};
const node = (...args: readonly string[]): Target => ({ kind: 'stdio', command: process.execPath, args: [QUIET, ...args] });
const stdio = (name: string, allow: readonly string[], ...args: readonly string[]): GoodServer => ({
  name,
  allow,
  breaks: [],
  start: async () => ({ target: node(...args), close: nothing }),
});

/** A program that prints its URL and ends with its standard input. */
function printing(name: string, allow: readonly string[], ...args: readonly string[]): GoodServer {
  return {
    name,
    allow,
    breaks: [],
    async start() {
      const child = spawn(process.execPath, [QUIET, ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
      for await (const line of createInterface({ input: child.stdout }))
        if (line.startsWith('http')) return { target: { kind: 'http', url: line }, close: () => ended(child) };
      throw new Error(`${name} printed no address`);
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.once('exit', () => done());
    child.kill();
  });
}

/** A folder that is gone afterwards. */
function folder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sbx-good-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const filesystem = (name: string, args: (path: string) => readonly string[]): GoodServer => ({
  name,
  allow: [],
  breaks: [],
  async start() {
    const { path, remove } = folder();
    writeFileSync(join(path, 'a.txt'), 'a\n');
    writeFileSync(join(path, 'b.md'), '# b\n');
    return { target: node(...args(path)), close: async () => remove() };
  },
});

const database: GoodServer = {
  name: 'our database server',
  allow: [],
  breaks: [],
  async start() {
    const { path, remove } = folder();
    const file = join(path, 'rail.db');
    const db = new DatabaseSync(file);
    db.exec("CREATE TABLE station (id INTEGER PRIMARY KEY, name TEXT NOT NULL); INSERT INTO station VALUES (1, 'Bern'), (2, 'Chur')");
    db.close();
    return {
      target: node(root('servers/plugin/host.ts'), root('servers/database'), '--connection', `rail=sqlite:${file}`),
      close: async () => remove(),
    };
  },
};

const api: GoodServer = {
  name: 'our HTTP API server',
  allow: [],
  breaks: [],
  async start() {
    const { path, remove } = folder();
    const backend = createServer((_request, response) => response.setHeader('content-type', 'application/json').end('{"name":"Bern"}'));
    await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
    const { port } = backend.address() as AddressInfo;
    const spec = join(path, 'openapi.json');
    const schema = { type: 'object', properties: { name: { type: 'string' } } };
    const responses = { 200: { description: 'one', content: { 'application/json': { schema } } } };
    const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } };
    writeFileSync(
      spec,
      JSON.stringify({
        openapi: '3.1.0',
        info: { title: 'Rail', version: '1' },
        servers: [{ url: `http://127.0.0.1:${port}` }],
        paths: { '/stations/{id}': { get: { operationId: 'station', summary: 'A station', parameters: [id], responses } } },
      }),
    );
    return {
      target: node(root('servers/plugin/host.ts'), root('servers/api'), '--spec', spec, '--allow-private', `127.0.0.1:${port}`),
      close: async () => {
        backend.closeAllConnections();
        backend.close();
        remove();
      },
    };
  },
};

const everythingOverHttp: GoodServer = {
  name: 'server-everything over HTTP',
  allow: [],
  breaks: ['L-HTTP-ORIGIN', 'L-HTTP-SESSION-404', 'L-HTTP-RESUME-SAME'],
  async start() {
    const free = createTcp();
    await new Promise<void>((done) => free.listen(0, '127.0.0.1', done));
    const { port } = free.address() as AddressInfo;
    await new Promise((done) => free.close(done));
    const child = spawn(process.execPath, [root('node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'streamableHttp'], {
      env: { ...process.env, PORT: String(port) },
      stdio: 'ignore',
    });
    const url = `http://127.0.0.1:${port}/mcp`;
    for (let round = 0; round < 200; round++) {
      const up = await fetch(url).then(
        async (answer) => {
          await answer.body?.cancel();
          return true;
        },
        () => false,
      );
      if (up) break;
      await new Promise((done) => setTimeout(done, 50));
    }
    return { target: { kind: 'http', url }, close: () => ended(child) };
  },
};

/** Every one of them, with each transport it speaks; the eras are found out. */
export const GOOD_SERVERS: readonly GoodServer[] = [
  filesystem('our filesystem server', (path) => [root('servers/plugin/host.ts'), root('servers/filesystem'), '--root', path]),
  database,
  api,
  stdio('server-everything', [], root('node_modules/@modelcontextprotocol/server-everything/dist/index.js'), 'stdio'),
  everythingOverHttp,
  filesystem('server-filesystem', (path) => [root('node_modules/@modelcontextprotocol/server-filesystem/dist/index.js'), path]),
  stdio('v1 SDK', [], root('test/conformance-engine/good/v1.ts'), '--stdio'),
  printing('v1 SDK over HTTP', [], root('test/conformance-engine/good/v1.ts'), '--http'),
  stdio('v2 SDK', ['*'], root('test/clients/servers/modern.ts'), '--stdio'),
  // the SDK leaves the Origin to whoever serves it, and this fixture does not look
  { ...printing('v2 SDK over HTTP', ['*'], root('test/clients/servers/modern.ts'), '--http'), breaks: ['M-HTTP-ORIGIN'] },
  stdio('v2 SDK, both eras', ['*'], root('test/clients/servers/era.ts')),
  stdio('reference', [], root('test/conformance-engine/reference/main.ts')),
  stdio('minimal, by hand', [], root('test/conformance-engine/good/minimal.ts')),
  printing('streaming, by hand, over HTTP', ['*'], root('test/conformance-engine/good/streaming.ts')),
  printing('reference over HTTP', [], root('test/conformance-engine/reference/main.ts'), '--http'),
];
