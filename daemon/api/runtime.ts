/** The runtime file and the proof of identity: how a CLI, a bridge or an extension finds the daemon and knows it is ours. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Content of `<state>/runtime.json`, mode 0600, written by atomic rename. */
export interface RuntimeFile {
  readonly pid: number;
  /** Loopback port of the one HTTP listener. */
  readonly port: number;
  /** Bearer for `/control`; key of the proof. Never given to a client. */
  readonly controlToken: string;
  /** Control protocol versions served: [min, max]. */
  readonly protocol: readonly [number, number];
  /** Version of the package. */
  readonly version: string;
  /** Identifies the build; differs between two builds of one version. */
  readonly build: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

/** Answer of `GET /health?nonce=N`. */
export interface Health {
  readonly ok: true;
  readonly name: 'signalbox';
  /** hex HMAC-SHA-256 of the nonce under the control token; only present when a nonce was sent. */
  readonly proof?: string;
}

/** The proof a daemon gives for a nonce: hex HMAC-SHA-256(control token, "signalbox-health:" + nonce). */
export function identityProof(controlToken: string, nonce: string): string {
  return createHmac('sha256', controlToken).update(`signalbox-health:${nonce}`).digest('hex');
}

/** Whether `proof` is the right answer to `nonce`; constant time. */
export function isIdentityProof(controlToken: string, nonce: string, proof: string): boolean {
  const expected = Buffer.from(identityProof(controlToken, nonce));
  const given = Buffer.from(proof);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** Reads a runtime file's text; `undefined` when it is not one. */
export function parseRuntimeFile(text: string): RuntimeFile | undefined {
  try {
    const value = JSON.parse(text) as Partial<RuntimeFile> | null;
    if (
      typeof value?.pid === 'number' &&
      typeof value.port === 'number' &&
      typeof value.controlToken === 'string' &&
      Array.isArray(value.protocol)
    )
      return value as RuntimeFile;
  } catch {
    // not JSON: a torn or foreign file is simply not a runtime file
  }
  return undefined;
}
