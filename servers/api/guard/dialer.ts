/**
 * The only way to the network: one lookup, every answer checked, the checked address dialled, the peer checked again. A custom `connect` and
 * not `connect.lookup`, because undici never calls that for IP literals.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { addressRange, mayDial } from './address.ts';

/**
 * An undici agent that dials global addresses and those in `allowPrivate`.
 * @param allowPrivate `host:port` entries
 * @param timeoutMs milliseconds for one connection
 */
export function guardedAgent(allowPrivate: readonly string[], timeoutMs: number): Agent {
  const allowed = new Set(allowPrivate.map((entry) => entry.toLowerCase()));
  const dial = buildConnector({ timeout: timeoutMs, autoSelectFamily: false });
  return new Agent({
    connect: (options, callback) => {
      const host = options.hostname.replace(/^\[|\]$/gu, '').toLowerCase();
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
      checkedAddress(host, port, allowed).then(
        (address) => {
          const servername = options.servername ?? (isIP(host) === 0 ? host : undefined);
          const target = { ...options, hostname: address, ...(servername === undefined ? {} : { servername }) };
          dial(target, (error, socket) => {
            if (error !== null) {
              callback(error, null);
              return;
            }
            if (socket.remoteAddress === undefined || !mayDial(socket.remoteAddress, host, port, allowed)) {
              socket.destroy();
              callback(refused(host, port, socket.remoteAddress ?? 'unknown'), null);
              return;
            }
            callback(null, socket);
          });
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    },
  });
}

async function checkedAddress(host: string, port: number, allowed: ReadonlySet<string>): Promise<string> {
  const answers = isIP(host) === 0 ? (await lookup(host, { all: true, verbatim: true })).map((answer) => answer.address) : [host];
  const bad = answers.find((address) => !mayDial(address, host, port, allowed));
  // One bad answer refuses all: a name that mixes public and private addresses is an attack or a mistake.
  if (bad !== undefined) throw refused(host, port, bad);
  const first = answers[0];
  if (first === undefined) throw refused(host, port, 'no address');
  return first;
}

function refused(host: string, port: number, address: string): SignalboxError {
  return new SignalboxError('SBX_API_REFUSED', `${host}:${port} may not be reached.`, {
    why: `Its address ${address} is not on the public internet (${addressRange(address)}).`,
    fix: `If that is intended, add "${host}:${port}" to "allowPrivate" in the settings.`,
  });
}
