/** A stand-in for the daemon on loopback: the runtime file, `/health` with its proof, and the control channel with scripted answers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ControlEvents, DaemonStatus } from '../../../daemon/api/control.ts';
import { type Paths, signalboxPaths } from '../../../daemon/api/paths.ts';
import { identityProof } from '../../../daemon/api/runtime.ts';

/** Answers one control request: a result, or an error shape in `error`. */
export type Answer = (params: Record<string, unknown>) => { result: unknown } | { error: object };

/** What a test holds. */
export interface DaemonDouble {
  readonly paths: Paths;
  readonly port: number;
  /** Methods asked for, in order: the protocol to the daemon is pinned by asserting on it. */
  readonly asked: string[];
  /** `Authorization` of each control connection. */
  readonly bearers: (string | undefined)[];
  readonly answers: Map<string, Answer>;
  emit<E extends keyof ControlEvents>(event: E, params: ControlEvents[E]): void;
  /** Writes the runtime file, as a daemon that became ready does. */
  announce(runtime?: Record<string, unknown>): void;
  /** Drops the control connections, as a daemon that dies does. */
  drop(): void;
  close(): Promise<void>;
}

const TOKEN = 'control-token-of-the-double';

/** A status with one endpoint and two servers, one ready and one down. */
export function exampleStatus(port: number): DaemonStatus {
  const counts = { resources: 0, prompts: 0 };
  return {
    version: '0.1.0',
    build: 'test',
    pid: process.pid,
    node: process.version,
    port,
    startedAt: '2026-01-01T00:00:00Z',
    stateDir: '/state',
    configFile: '/config/config.jsonc',
    endpoints: [{ name: 'default', url: `http://127.0.0.1:${port}/mcp/default`, servers: ['files', 'mine'] }],
    servers: [
      { name: 'files', alias: 'fs', kind: 'plugin', state: 'ready', era: 'modern', tools: 2, ...counts },
      {
        name: 'mine',
        alias: 'mine',
        kind: 'stdio',
        state: 'down',
        reason: { code: 'SBX_SERVER_EXITED', message: 'It ended.', cause: 'exit code 1', fix: 'Look at its log.' },
        tools: 0,
        ...counts,
      },
    ],
    workspaces: [],
    problems: [],
    sessions: 0,
  };
}

/** Listens on a free port; nothing is announced yet. @param proofToken key of the proof; another one than the token makes it a stranger */
export async function startDouble(proofToken: string = TOKEN): Promise<DaemonDouble> {
  const dir = mkdtempSync(join(tmpdir(), 'signalbox-double-'));
  const paths = signalboxPaths({ platform: process.platform, home: dir, env: { SIGNALBOX_STATE_DIR: dir, SIGNALBOX_CONFIG_DIR: dir } });
  const http = createServer((request, response) => {
    const nonce = new URL(request.url ?? '', 'http://x').searchParams.get('nonce') ?? '';
    response.end(JSON.stringify({ ok: true, name: 'signalbox', proof: identityProof(proofToken, nonce) }));
  });
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  const sockets = new Set<WebSocket>();
  const asked: string[] = [];
  const bearers: (string | undefined)[] = [];
  const answers = new Map<string, Answer>([
    ['hello', () => ({ result: { protocol: 1, version: '0.1.0', build: 'test', pid: process.pid } })],
    ['status', () => ({ result: exampleStatus(port) })],
  ]);
  new WebSocketServer({ server: http, path: '/control' }).on('connection', (socket, request) => {
    sockets.add(socket);
    bearers.push(request.headers.authorization);
    socket.on('close', () => sockets.delete(socket));
    socket.on('message', (data) => {
      const { id, method, params } = JSON.parse(data.toString()) as { id: number; method: string; params: Record<string, unknown> };
      asked.push(method);
      const answer = answers.get(method)?.(params) ?? { error: { code: -32601, message: `the double has no answer to ${method}` } };
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    });
  });
  return {
    paths,
    port,
    asked,
    bearers,
    answers,
    emit(method, params) {
      for (const socket of sockets) socket.send(JSON.stringify({ jsonrpc: '2.0', method, params }));
    },
    announce(runtime = {}) {
      const file = {
        pid: process.pid,
        port,
        controlToken: TOKEN,
        protocol: [1, 1],
        version: '0.1.0',
        build: 'test',
        startedAt: '',
        ...runtime,
      };
      writeFileSync(paths.runtimeFile, JSON.stringify(file));
    },
    drop() {
      rmSync(paths.runtimeFile, { force: true });
      for (const socket of sockets) socket.terminate();
    },
    async close() {
      for (const socket of sockets) socket.terminate();
      await new Promise((closed) => {
        http.close(closed);
        http.closeAllConnections();
      });
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
