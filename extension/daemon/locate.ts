/** Finds the running daemon and proves that it is ours before anything secret is sent to it. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { type Health, isIdentityProof, parseRuntimeFile, type RuntimeFile } from '../../daemon/api/runtime.ts';

/** How long a daemon may take to answer `/health`, in milliseconds: it is on loopback and answers from memory. */
const HEALTH_TIMEOUT_MS = 3_000;

/**
 * Reads the runtime file and asks whoever listens on its port for the proof of identity.
 *
 * @param runtimeFile absolute path of `runtime.json`
 * @returns the runtime file of a live daemon that is ours; `undefined` when there is none (no file, nobody listens, a stranger listens)
 */
export async function locateDaemon(runtimeFile: string): Promise<RuntimeFile | undefined> {
  const text = await readFile(runtimeFile, 'utf8').catch(() => undefined);
  const runtime = text === undefined ? undefined : parseRuntimeFile(text);
  if (runtime === undefined) return undefined;
  const nonce = randomBytes(16).toString('hex');
  const health = await askHealth(runtime.port, nonce).catch(() => undefined);
  return health?.proof !== undefined && isIdentityProof(runtime.controlToken, nonce, health.proof) ? runtime : undefined;
}

/** `GET /health?nonce=…` without a token. Rejects when nobody answers in time or the answer is not JSON. */
function askHealth(port: number, nonce: string): Promise<Health> {
  return new Promise((resolve, reject) => {
    // The address, never the name: `localhost` may be ::1 first, where a stranger could listen.
    const request = get({ host: '127.0.0.1', port, path: `/health?nonce=${nonce}`, timeout: HEALTH_TIMEOUT_MS }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > 65_536) request.destroy(new Error('not a Signalbox daemon: the answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(JSON.parse(body) as Health);
        } catch (error) {
          reject(error);
        }
      });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
