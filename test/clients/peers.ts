/** Client programs nobody here wrote, behind one small interface: the v1 SDK and the v2 SDK in both eras, over HTTP and over the bridge. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { StdioClientTransport as ModernStdio } from '@modelcontextprotocol/client/stdio';
import { Client as FirstClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as FirstStdio } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport as FirstHttp } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { DaemonFixture } from '../fixtures/daemon.ts';

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
  close(): Promise<void>;
}

/** One kind of client. */
export interface PeerKind {
  readonly title: string;
  /** Revision it must end up with. */
  readonly revision: string;
  connect(daemon: DaemonFixture): Promise<Peer>;
}

const INFO = { name: 'signalbox-test-peer', version: '1.0.0' };
const LEGACY = '2025-11-25';
const MODERN = '2026-07-28';

/** Every kind: three clients, two ways each. */
export const PEER_KINDS: readonly PeerKind[] = [
  {
    title: 'v1 SDK over HTTP',
    revision: LEGACY,
    connect: (daemon) => connectFirst(new FirstHttp(new URL(daemon.url), http(daemon)), undefined),
  },
  { title: 'v1 SDK over the bridge', revision: LEGACY, connect: (daemon) => connectFirst(new FirstStdio(bridge(daemon)), undefined) },
  {
    title: 'v2 SDK, legacy era, over HTTP',
    revision: LEGACY,
    connect: (daemon) => connectSecond(new ModernHttp(new URL(daemon.url), http(daemon)), 'legacy'),
  },
  {
    title: 'v2 SDK, legacy era, over the bridge',
    revision: LEGACY,
    connect: (daemon) => connectSecond(new ModernStdio(bridge(daemon)), 'legacy'),
  },
  {
    title: 'v2 SDK, modern era, over HTTP',
    revision: MODERN,
    connect: (daemon) => connectSecond(new ModernHttp(new URL(daemon.url), http(daemon)), { pin: MODERN }),
  },
  {
    title: 'v2 SDK, modern era, over the bridge',
    revision: MODERN,
    connect: (daemon) => connectSecond(new ModernStdio(bridge(daemon)), { pin: MODERN }),
  },
];

function http({ token }: DaemonFixture): { requestInit: { headers: Record<string, string> } } {
  return { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

function bridge({ home }: DaemonFixture): { command: string; args: string[]; env: Record<string, string>; cwd: string; stderr: 'inherit' } {
  const [command, ...args] = home.command;
  return { command, args: [...args, 'connect', '--client', 'test'], env: { ...home.env }, cwd: home.cwd, stderr: 'inherit' };
}

async function connectFirst(transport: FirstHttp | FirstStdio, revision: string | undefined): Promise<Peer> {
  const client = new FirstClient(INFO);
  let negotiated = revision;
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
    toolNames: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args, options) => textOf(await client.callTool({ name, arguments: { ...args } }, undefined, { ...options })),
    close: () => client.close(),
  };
}

function wrap(transport: FirstHttp | FirstStdio, seen: (version: string) => void): (version: string) => void {
  const original = 'setProtocolVersion' in transport ? transport.setProtocolVersion.bind(transport) : undefined;
  return (version) => {
    seen(version);
    original?.(version);
  };
}

async function connectSecond(transport: ModernHttp | ModernStdio, mode: 'legacy' | { pin: string }): Promise<Peer> {
  const client = new ModernClient(INFO, { versionNegotiation: { mode } });
  await client.connect(transport);
  return {
    revision: client.getNegotiatedProtocolVersion(),
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
