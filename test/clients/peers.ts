/** Client programs nobody here wrote, behind one small interface: the v1 SDK and the v2 SDK in both eras, over HTTP and over the bridge. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as FirstHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import type { Home } from '../fixtures/daemon.ts';

/** An endpoint to connect to; a `DaemonFixture` is one. */
export interface Target {
  readonly home: Home;
  readonly url: string;
  readonly token: string;
  /** Folder of the endpoint's workspace, for the bridge. */
  readonly workspace?: string;
}

/** Who sits at the client and answers. A client without one declares no capability to be asked. */
export interface Person {
  /** `elicitation/create`, form or URL: params to result. */
  elicit(params: Json): Json;
  /** `sampling/createMessage`. */
  sample(params: Json): Json;
  /** `roots/list`. */
  readonly roots: readonly { readonly uri: string; readonly name: string }[];
  /** `notifications/elicitation/complete`. */
  completed(elicitationId: string): void;
}
/** Params or a result, as they are on the wire. */
export type Json = Readonly<Record<string, unknown>>;

/** How a call is made. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: { readonly progress: number; readonly total?: number | undefined }) => void;
}

/** A connected client. */
export interface Peer {
  /** Negotiated protocol revision. */
  readonly revision: string | undefined;
  toolNames(): Promise<readonly string[]>;
  /** The text of the answer. Rejects with the protocol error, or with an error carrying the text of a result that says `isError`. */
  call(name: string, args: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<string>;
  /** Every `notifications/progress` so far as it arrived: `onprogress` misses one whose answer is right behind it, and the v2 SDK adds its own. */
  readonly progress: readonly Json[];
  close(): Promise<void>;
}

/** One kind of client. */
export interface PeerKind {
  readonly title: string;
  /** Revision it must end up with. */
  readonly revision: string;
  connect(target: Target, person?: Person): Promise<Peer>;
}

const INFO = { name: 'signalbox-test-peer', version: '1.0.0' };
const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';

/** Every kind: three clients, two ways each. */
export const PEER_KINDS: readonly PeerKind[] = [
  {
    title: 'v1 SDK over HTTP',
    revision: LEGACY,
    connect: (target, person) => connectFirst(new FirstHttp(new URL(target.url), http(target)), person),
  },
  { title: 'v1 SDK over the bridge', revision: LEGACY, connect: (target, person) => connectFirst(new FirstStdio(bridge(target)), person) },
  {
    title: 'v2 SDK, legacy era, over HTTP',
    revision: LEGACY,
    connect: (target, person) => connectSecond(new ModernHttp(new URL(target.url), http(target)), 'legacy', person),
  },
  {
    title: 'v2 SDK, legacy era, over the bridge',
    revision: LEGACY,
    connect: (target, person) => connectSecond(new ModernStdio(bridge(target)), 'legacy', person),
  },
  {
    title: 'v2 SDK, modern era, over HTTP',
    revision: MODERN,
    connect: (target, person) => connectSecond(new ModernHttp(new URL(target.url), http(target)), { pin: MODERN }, person),
  },
  {
    title: 'v2 SDK, modern era, over the bridge',
    revision: MODERN,
    connect: (target, person) => connectSecond(new ModernStdio(bridge(target)), { pin: MODERN }, person),
  },
];

function http({ token }: Target): { requestInit: { headers: Record<string, string> } } {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

function bridge({ home, workspace }: Target): {
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  stderr: 'inherit';
} {
  const [command, ...args] = home.command;
  const where = workspace === undefined ? [] : ['--workspace', workspace];
  return { command, args: [...args, 'connect', '--client', 'test', ...where], env: { ...home.env }, cwd: home.cwd, stderr: 'inherit' };
}

const ASKED = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };

async function connectFirst(transport: FirstHttp | FirstStdio, person: Person | undefined): Promise<Peer> {
  const client = new FirstClient(INFO, person === undefined ? {} : { capabilities: ASKED });
  if (person !== undefined) {
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => person.elicit(params) as never);
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => person.sample(params) as never);
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [...person.roots] }));
    client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => person.completed(params.elicitationId));
  }
  let negotiated: string | undefined;
  // The v1 client tells its transport the revision and keeps it nowhere else.
  const spied = Object.assign(transport, {
    setProtocolVersion: wrap(transport, (version) => {
      negotiated = version;
    }),
  });
  // The SDK's own transports do not fit its own interface under exactOptionalPropertyTypes.
  await client.connect(spied as unknown as Parameters<FirstClient['connect']>[0]);
  return {
    get revision() {
      return negotiated;
    },
    progress: watchProgress(transport),
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => textOf(await client.callTool({ name, arguments: { ...args } }, undefined, { ...options })),
    close: () => client.close(),
  };
}

/** Looks at what arrives, once the client has set its handler. */
function watchProgress(transport: FirstHttp | FirstStdio | ModernHttp | ModernStdio): readonly Json[] {
  const seen: Json[] = [];
  const tapped = transport as { onmessage?: (message: unknown, extra?: never) => void };
  const deliver = tapped.onmessage;
  tapped.onmessage = (message, extra) => {
    const { method, params } = message as { readonly method?: string; readonly params?: Json };
    if (method === 'notifications/progress' && params !== undefined) seen.push(params);
    deliver?.(message, extra);
  };
  return seen;
}

function wrap(transport: FirstHttp | FirstStdio, seen: (version: string) => void): (version: string) => void {
  const original = 'setProtocolVersion' in transport ? transport.setProtocolVersion.bind(transport) : undefined;
  return (version) => {
    seen(version);
    original?.(version);
  };
}

async function connectSecond(
  transport: ModernHttp | ModernStdio,
  mode: 'legacy' | { pin: string },
  person: Person | undefined,
): Promise<Peer> {
  const client = new ModernClient(INFO, { versionNegotiation: { mode }, ...(person === undefined ? {} : { capabilities: ASKED }) });
  if (person !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => person.elicit(params) as never);
    client.setRequestHandler('sampling/createMessage', ({ params }) => person.sample(params) as never);
    client.setRequestHandler('roots/list', () => ({ roots: [...person.roots] }));
    client.setNotificationHandler('notifications/elicitation/complete', ({ params }) => person.completed(params.elicitationId));
  }
  await client.connect(transport);
  return {
    revision: client.getNegotiatedProtocolVersion(),
    progress: watchProgress(transport),
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => textOf(await client.callTool({ name, arguments: { ...args } }, { ...options })),
    close: () => client.close(),
  };
}

function textOf(result: Record<string, unknown>): string {
  const blocks = (result['content'] ?? []) as readonly { readonly text?: string }[];
  const text = blocks.map((block) => block.text ?? '').join('\n');
  if (result['isError'] === true) throw new Error(text);
  return text;
}
