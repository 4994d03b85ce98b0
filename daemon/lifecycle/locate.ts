/** Finds the running daemon and has it prove that it is ours before anything secret is sent (ARCHITECTURE section 2). */
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import type { Paths } from '../api/paths.ts';
import { type Health, isIdentityProof, type RuntimeFile } from '../api/runtime.ts';
import { readRuntimeFile } from './runtime-file.ts';

/**
 * What was found: `none` no runtime file; `stale` its port is closed; `stranger` something listens there that did not prove in time
 * that it knows the control token (another program, or a daemon that hangs).
 */
export type Location = { readonly state: 'none' } | { readonly state: 'running' | 'stale' | 'stranger'; readonly runtime: RuntimeFile };

const ANSWER_LIMIT = 64 * 1024;

/**
 * Reads the runtime file and asks `GET /health?nonce=` for HMAC(control token, nonce). Only the nonce leaves this process.
 *
 * @param timeoutMs milliseconds to wait for the answer, 2000 unless told
 */
export async function locate(paths: Pick<Paths, 'runtimeFile'>, timeoutMs = 2000): Promise<Location> {
  const runtime = readRuntimeFile(paths);
  if (runtime === undefined) return { state: 'none' };
  const nonce = randomBytes(32).toString('hex');
  const answer = await askHealth(runtime.port, nonce, timeoutMs);
  if (answer === 'closed') return { state: 'stale', runtime };
  const proof = proofOf(answer);
  return { state: proof !== undefined && isIdentityProof(runtime.controlToken, nonce, proof) ? 'running' : 'stranger', runtime };
}

/** The body of the answer, `closed` when nothing listens, `undefined` when what listens gave no usable answer. */
function askHealth(port: number, nonce: string, timeoutMs: number): Promise<string | 'closed' | undefined> {
  return new Promise((resolve) => {
    const asking = request(
      {
        host: '127.0.0.1',
        port,
        path: `/health?nonce=${nonce}`,
        agent: false,
        // a connection of our own: no proxy setting of the environment or the editor may come between
        createConnection: () => connect({ host: '127.0.0.1', port }),
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          body += text;
          if (body.length > ANSWER_LIMIT) asking.destroy(new Error('too long'));
        });
        response.on('end', () => resolve(response.statusCode === 200 ? body : undefined));
        response.on('error', () => resolve(undefined));
      },
    );
    asking.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'closed' : undefined));
    asking.end();
  });
}

function proofOf(body: string | undefined): string | undefined {
  if (body === undefined) return undefined;
  try {
    const { proof } = JSON.parse(body) as Partial<Health>;
    return typeof proof === 'string' ? proof : undefined;
  } catch {
    return undefined; // not JSON: not ours
  }
}
