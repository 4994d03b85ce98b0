/** Who may come in: the place a request comes from, its token, the endpoint it names. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import type { EndpointSet, ServedEndpoint } from './endpoint-set.ts';

/** Whose bearer it is, or why it opens nothing here. */
export type Verdict = { readonly client: string } | 'unknown' | 'other-endpoint';

/** What admission needs. */
export interface AdmissionOptions {
  readonly endpoints: EndpointSet;
  /** Whose bearer it is, for an endpoint path. */
  readonly verify: (bearer: string, path: string) => Verdict;
  /** Counts the changes of credentials: a verdict holds until the next one. Absent: every request is verified. */
  readonly credentialChanges?: () => number;
}

/** Who was let in, or what to answer. */
export type Admitted =
  | { readonly endpoint: ServedEndpoint; readonly client: string }
  | { readonly status: number; readonly fault: ErrorShape };

/** Milliseconds a verdict is remembered: a use of the token is noted now and then. */
const REMEMBER_MS = 60_000;

interface Remembered {
  readonly authorization: string;
  readonly path: string;
  readonly client: string;
  readonly changes: number;
  readonly until: number;
}

/**
 * Verifies bearers. What a connection was let in with is remembered for that connection: its next request is compared with what it
 * itself sent before, so neither a hash nor a secret of ours is involved, and the time that takes says nothing.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #remembered = new WeakMap<Socket, Remembered>();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** @param path of the endpoint, `/mcp/…` */
  admit(request: IncomingMessage, path: string): Admitted {
    const { endpoints, credentialChanges } = this.#options;
    const { authorization } = request.headers;
    const known = this.#remembered.get(request.socket);
    if (
      known !== undefined &&
      known.authorization === authorization &&
      known.path === path &&
      known.changes === credentialChanges?.() &&
      known.until > Date.now()
    ) {
      const endpoint = endpoints.at(path);
      if (endpoint !== undefined) return { endpoint, client: known.client };
    }
    const admitted = this.#verify(authorization, path);
    const changes = credentialChanges?.();
    if ('client' in admitted && authorization !== undefined && changes !== undefined) {
      const until = Date.now() + REMEMBER_MS;
      this.#remembered.set(request.socket, { authorization, path, client: admitted.client, changes, until });
    }
    return admitted;
  }

  #verify(authorization: string | undefined, path: string): Admitted {
    const bearer = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (bearer === undefined) {
      const why = 'Every client has a token of its own for each endpoint.';
      return denied(401, 'SBX_TOKEN_MISSING', 'The request carries no bearer token.', why);
    }
    const verdict = this.#options.verify(bearer, path);
    if (verdict === 'unknown')
      return denied(401, 'SBX_TOKEN_INVALID', 'The bearer token is not valid.', 'It was revoked, rotated, or never given out.');
    // The same answer for "wrong endpoint" and "no such endpoint": a token tells nothing about other workspaces.
    if (verdict === 'other-endpoint')
      return denied(403, 'SBX_TOKEN_WRONG_ENDPOINT', `The token is not for ${path}.`, 'A token opens exactly one endpoint.');
    const endpoint = this.#options.endpoints.at(path);
    return endpoint === undefined ? absent(path) : { endpoint, client: verdict.client };
  }
}

/** DNS rebinding and foreign pages (2025-11-25, transports, "Security warning"): only loopback names, no foreign Origin. */
export function placeFault({ headers: { host = '', origin } }: IncomingMessage): ErrorShape | undefined {
  if (!/^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i.test(host)) {
    return new SignalboxError('SBX_HOST_REFUSED', `Host ${JSON.stringify(host)} is refused.`, {
      why: 'Only loopback names are served, so that no web page can reach the daemon by DNS rebinding.',
      fix: 'Use http://127.0.0.1:PORT.',
    }).toJSON();
  }
  if (origin !== undefined && !/^https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i.test(origin)) {
    return new SignalboxError('SBX_ORIGIN_REFUSED', `Origin ${JSON.stringify(origin)} is refused.`, {
      why: 'A web page of another origin may not use the daemon.',
      fix: 'Call it from a program, or from a page served on loopback.',
    }).toJSON();
  }
  return undefined;
}

function denied(
  status: number,
  code: 'SBX_TOKEN_MISSING' | 'SBX_TOKEN_INVALID' | 'SBX_TOKEN_WRONG_ENDPOINT',
  message: string,
  why: string,
): Admitted {
  const fix = 'Get a token with `signalbox clients token NAME`, or wire the client with `signalbox wire`.';
  return { status, fault: new SignalboxError(code, message, { why, fix }).toJSON() };
}

function absent(path: string): Admitted {
  const fault = new SignalboxError('SBX_ENDPOINT_UNKNOWN', `There is no endpoint at ${path}.`, {
    why: 'It was removed from the configuration, or its workspace is not open.',
    fix: 'See `signalbox status` for the endpoints.',
  });
  return { status: 404, fault: fault.toJSON() };
}
