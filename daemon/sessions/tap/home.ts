/** Where events are kept: each session has a place of its own, and each server one for what belongs to no session. */
import type { SessionInfo, TapFilter, TapPeer, TapTransport } from '../../api/sessions.ts';
import { Ring, type RingBounds } from './ring.ts';

/** A session as the tap keeps it. */
export class SessionHome {
  readonly kind = 'session';
  readonly id: string;
  readonly client: string;
  readonly endpoint: string;
  readonly workspace: string | undefined;
  readonly transport: TapTransport;
  readonly ring: Ring;
  /** Milliseconds since 1970, as all times here. */
  readonly openedAt: number;
  /** Connections open now; a session without one that has ended by itself stays until it is old. */
  connections = 0;
  /** Servers its calls went to. */
  readonly servers = new Set<string>();
  lastAt: number;
  endedAt: number | undefined;
  era: 'legacy' | 'modern' | undefined;
  clientInfo: SessionInfo['clientInfo'];
  frames = 0;
  calls = 0;
  errors = 0;
  /** Nothing of it is kept any more. */
  forgotten = false;

  constructor(id: string, { client, endpoint, workspace, transport }: TapPeer, time: number, bounds: RingBounds) {
    this.id = id;
    this.client = client ?? '';
    this.endpoint = endpoint ?? '';
    this.workspace = workspace;
    this.transport = transport;
    this.openedAt = time;
    this.lastAt = time;
    this.ring = new Ring(bounds);
  }

  /** As people see it. */
  info(recordings: readonly string[]): SessionInfo {
    const { id, client, endpoint, workspace, transport, era, clientInfo, frames, calls, errors } = this;
    return {
      id,
      client,
      endpoint,
      transport,
      openedAt: iso(this.openedAt),
      lastAt: iso(this.lastAt),
      frames,
      calls,
      errors,
      dropped: this.ring.dropped,
      recordings,
      ...(workspace === undefined ? {} : { workspace }),
      ...(era === undefined ? {} : { era }),
      ...(clientInfo === undefined ? {} : { clientInfo }),
      ...(this.endedAt === undefined ? {} : { endedAt: iso(this.endedAt) }),
    };
  }

  /** Whether it is one a filter names. */
  fits({ session, client, endpoint, workspace }: TapFilter): boolean {
    return (
      (session === undefined || session === this.id) &&
      (client === undefined || client === this.client) &&
      (endpoint === undefined || endpoint === this.endpoint) &&
      (workspace === undefined || workspace === this.workspace)
    );
  }
}

/** A server's place. */
export class ServerHome {
  readonly kind = 'server';
  readonly key: string;
  readonly server: string;
  readonly workspace: string | undefined;
  readonly ring: Ring;
  /** As of a session. */
  forgotten = false;

  constructor(server: string, workspace: string | undefined, bounds: RingBounds) {
    this.key = serverKey(server, workspace);
    this.server = server;
    this.workspace = workspace;
    this.ring = new Ring(bounds);
  }
}

/** A place. */
export type Home = SessionHome | ServerHome;

/** Names a server among those of all workspaces. */
export function serverKey(server: string, workspace: string | undefined): string {
  return `${workspace ?? ''}\n${server}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
