/** Recordings written by hand, in the words of a transcript. */
import type { FrameLine, OpenLine, RecordingLine } from '../../../../daemon/api/recordings.ts';

/** One frame: who said it, what, and on whose stream. Times are milliseconds, 10 apart unless given. */
export type Said = readonly [by: 'client' | 'server', message: object, extra?: Partial<FrameLine>];

/** Lines of one client's connection. */
export function recorded(frames: readonly Said[], open: Partial<OpenLine> = {}, from = 1): RecordingLine[] {
  const edge = open.edge ?? 'client';
  const c = open.c ?? 'c1';
  const opened: OpenLine = { k: 'open', t: 0, c, edge, transport: 'stdio', ...open };
  const lines = frames.map(([by, message, extra], index): FrameLine => {
    const m = { jsonrpc: '2.0', ...message };
    const d = (by === 'client') === (edge === 'client') ? 'in' : 'out';
    return { k: 'frame', n: from + index, t: (from + index) * 10, c, d, bytes: JSON.stringify(m).length, m, ...extra };
  });
  return [opened, ...lines];
}

/** The legacy handshake. */
export const HELLO: readonly Said[] = [
  [
    'client',
    {
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: { elicitation: {} }, clientInfo: { name: 'then', version: '1' } },
    },
  ],
  [
    'server',
    {
      id: 0,
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: 'recorded', version: '7' },
        instructions: 'Recorded.',
      },
    },
  ],
  ['client', { method: 'notifications/initialized' }],
];

/** A tool call. */
export function call(id: number | string, name: string, args: object = {}, meta?: object): Said {
  const params = { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) };
  return ['client', { id, method: 'tools/call', params }];
}
/** Its answer. */
export function text(id: number | string, value: string): Said {
  return ['server', { id, result: { content: [{ type: 'text', text: value }] } }];
}
/** The envelope of a modern request. */
export function modern(capabilities: object = {}, meta: object = {}): object {
  return {
    ...meta,
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'now', version: '2' },
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  };
}
