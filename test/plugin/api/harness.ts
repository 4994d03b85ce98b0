/** An API server in this process, between a friendly server and a forbidden one; the resolver belongs to the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { type Api, openApi } from '../../../servers/api/api.ts';
import type { Operation } from '../../../servers/api/description/operation.ts';
import type { Resolve } from '../../../servers/api/guard/dialer.ts';
import type { Settings } from '../../../servers/api/settings.ts';
import { callOperation } from '../../../servers/api/tools/call.ts';
import { hiddenError, inputSchema } from '../../../servers/api/tools/tool.ts';
import { fromJsonSchema, type JsonObject } from '../../../servers/plugin/define.ts';

/** A server that counts. */
export interface Counted {
  readonly port: number;
  readonly server: Server;
  connections(): number;
  /** Request lines since the last look. */
  seen(): readonly Seen[];
  stop(): Promise<void>;
}
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Listens on an address; with `::` on all addresses of both families, so that nothing forbidden fails for want of a listener. */
export async function listen(listener: RequestListener, host = '127.0.0.1', port = 0): Promise<Counted> {
  let connections = 0;
  let seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      seen.push({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') });
      listener(request, response);
    });
    request.on('error', () => undefined);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    server,
    connections: () => connections,
    seen: () => {
      const now = seen;
      seen = [];
      return now;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What a call gave, with everything it said. */
export interface Outcome {
  readonly error: string | undefined;
  readonly text: string;
  readonly result: CallToolResult;
}

/** An open API and how to call it. */
export interface Opened {
  readonly api: Api;
  readonly audit: readonly JsonObject[];
  readonly logs: readonly string[];
  operation(name: string): Operation;
  /** Calls as the MCP server does: arguments checked by the tool's schema first. */
  call(name: string, args?: JsonObject, signal?: AbortSignal): Promise<Outcome>;
  close(): Promise<void>;
}

/** Opens an API from settings. @throws what opening throws */
export async function openTestApi(settings: Settings, resolve?: Resolve, baseFolder = tmpdir()): Promise<Opened> {
  const audit: JsonObject[] = [];
  const logs: string[] = [];
  const context = {
    settings: settings as unknown as JsonObject,
    baseFolder,
    audit: (line: JsonObject) => void audit.push(line),
    log: (message: string) => void logs.push(message),
  };
  const api = await openApi(context, undefined, resolve === undefined ? {} : { resolve });
  if (api === undefined) throw new Error('nothing to open');
  const operation = (name: string): Operation => {
    const found = api.operations.find((each) => each.tool === name);
    if (found === undefined) throw new Error(`no operation ${name}; there are ${api.operations.map((each) => each.tool).join(', ')}`);
    return found;
  };
  return {
    api,
    audit,
    logs,
    operation,
    call: async (name, args = {}, signal = new AbortController().signal) => {
      const wanted = operation(name);
      const checked = fromJsonSchema(inputSchema(wanted, api.maxPages))['~standard'].validate(args);
      if (checked instanceof Promise || checked.issues !== undefined) {
        const text = JSON.stringify(checked);
        return { error: 'SCHEMA', text, result: { isError: true, content: [{ type: 'text', text }] } };
      }
      try {
        const result = await callOperation(api, wanted, args, { signal, progress: () => Promise.resolve() });
        return { error: undefined, text: JSON.stringify(result), result };
      } catch (thrown) {
        const result = hiddenError(thrown, api);
        return { error: thrown instanceof SignalboxError ? thrown.code : 'OTHER', text: JSON.stringify(result), result };
      }
    },
    close: () => api.close(),
  };
}

/** A folder of the test with files in it. */
export function folder(files: Readonly<Record<string, string | object>> = {}): {
  path: string;
  write(name: string, content: string | object): string;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'sbx-api-'));
  const write = (name: string, content: string | object): string => {
    writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
    return join(path, name);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { path, write, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A description with the given paths. */
export function description(paths: object, server: string, rest: object = {}): object {
  return { openapi: '3.1.0', info: { title: 'Test', version: '1' }, servers: [{ url: server }], paths, ...rest };
}
