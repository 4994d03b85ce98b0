/**
 * The only way to the network: one lookup, every answer checked, the checked address dialled, the peer checked again. A custom `connect` and
 * not `connect.lookup`, because undici never calls that for IP literals.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { Agent, buildConnector } from 'undici';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { addressRange, type PrivateHosts } from './address.ts';

/** Gives every address of a host name. Asked once for each connection. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const LOCAL_NAME = /(?:^|\.)(?:localhost|localdomain|local|internal|intranet|lan|home|corp|private|home\.arpa)\.?$|^[^.]*\.?$/iu;

/** Addresses of one name that are tried, one after another. */
const MAX_ADDRESSES = 4;

const systemResolve: Resolve = async (host) => (await lookup(host, { all: true, verbatim: true })).map((answer) => answer.address);

/** What the agent needs. */
export interface DialOptions {
  readonly privateHosts: PrivateHosts;
  /** Milliseconds for one connection. */
  readonly timeoutMs: number;
  /** Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** Extra certificate authorities (PEM); default: Node's. */
  readonly ca?: string;
}

/** An undici agent that dials global addresses and what {@link PrivateHosts} names. HTTP/1.1 only, no proxy of the environment. */
export function guardedAgent({ privateHosts, timeoutMs, resolve = systemResolve, ca }: DialOptions): Agent {
  const dial = buildConnector({ timeout: timeoutMs, autoSelectFamily: false, allowH2: false, ...(ca === undefined ? {} : { ca }) });
  return new Agent({
    allowH2: false,
    connections: 32,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: (options, callback) => {
      const host = options.hostname.replace(/^\[|\]$/gu, '').toLowerCase();
      const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
      const servername = options.servername ?? (isIP(host) === 0 ? host : undefined);
      checkedAddresses(host, port, privateHosts, resolve).then(
        ([address = host, ...others]) => {
          const target = { ...options, ...(servername === undefined ? {} : { servername }) };
          const dialled: buildConnector.Callback = (error, socket) => {
            if (error !== null) {
              // All of them were checked; the next one may listen (`localhost` is ::1 first on many machines).
              const next = others.shift();
              if (next === undefined) callback(error, null);
              else dial({ ...target, hostname: next }, dialled);
              return;
            }
            if (socket.remoteAddress === undefined || !privateHosts.mayDial(socket.remoteAddress, host, port)) {
              socket.destroy();
              callback(addressRefused(host, port, socket.remoteAddress ?? 'unknown'), null);
              return;
            }
            callback(null, socket);
          };
          dial({ ...target, hostname: address }, dialled);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
      );
    },
  });
}

async function checkedAddresses(host: string, port: number, privateHosts: PrivateHosts, resolve: Resolve): Promise<readonly string[]> {
  // Names that mean something on this machine or network alone are not even looked up, unless the settings name them.
  if (isIP(host) === 0 && LOCAL_NAME.test(host) && !privateHosts.names(host, port)) throw addressRefused(host, port, host);
  const answers = isIP(host) === 0 ? await resolve(host) : [host];
  // One bad answer refuses all: a name that mixes public and private addresses is an attack or a mistake.
  const bad = answers.find((address) => isIP(address) === 0 || !privateHosts.mayDial(address, host, port));
  if (bad !== undefined) throw addressRefused(host, port, bad);
  if (answers.length === 0) throw addressRefused(host, port, 'no address');
  return answers.slice(0, MAX_ADDRESSES);
}

/** The refusal of an address, before anything was sent. */
export function addressRefused(host: string, port: number, address: string): SignalboxError {
  const range = addressRange(address);
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return new SignalboxError('SBX_API_REFUSED', `${place} may not be reached.`, {
    why:
      range === 'global'
        ? `Port ${port} belongs to another protocol than HTTP.`
        : address === host && isIP(host) === 0
          ? 'Its name belongs to this machine or to a private network.'
          : `Its address ${address} is not on the public internet (${range}).`,
    fix: `If that is intended, the person who owns the configuration can add "${place}" to "allowPrivate" in the settings of this server.`,
  });
}
