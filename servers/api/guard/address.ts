/** Which addresses may be dialled: global unicast, and what the settings name. */
import ipaddr from 'ipaddr.js';

/** Special-purpose ranges that `ipaddr.js` calls unicast, or that carry an IPv4 address inside (design/guards.md). */
const REFUSED = [
  '168.63.129.16/32',
  '192.88.99.0/24',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
  '2002::/16',
  '2001::/23',
  '3fff::/20',
  '5f00::/16',
].map((cidr) => ipaddr.parseCIDR(cidr));
const GLOBAL_V6 = ipaddr.parseCIDR('2000::/3');

/** `global`, or the name of the special range (`loopback`, `private`, `linkLocal` …). */
export function addressRange(address: string): string {
  let parsed: ipaddr.IPv4 | ipaddr.IPv6;
  try {
    // IPv4-mapped IPv6 is the IPv4 address.
    parsed = ipaddr.process(address);
  } catch {
    return 'not an address';
  }
  const range = parsed.range();
  if (range !== 'unicast') return range;
  if (REFUSED.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match([network, bits]))) return 'reserved';
  if (parsed instanceof ipaddr.IPv6) {
    if (!parsed.match(GLOBAL_V6)) return 'reserved';
    // ISATAP: the last half is 0:5efe or 200:5efe and an IPv4 address.
    if ((parsed.parts[4] === 0 || parsed.parts[4] === 0x200) && parsed.parts[5] === 0x5efe) return 'isatap';
  }
  return 'global';
}

/** Ranges a host name of the settings may lead to; link-local (cloud metadata) only when the address itself is named. */
const LOCAL = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);

/**
 * Whether an address may be dialled for a host.
 * @param allowed `host:port` of the settings, lower case
 */
export function mayDial(address: string, host: string, port: number, allowed: ReadonlySet<string>): boolean {
  const range = addressRange(address);
  if (range === 'global') return true;
  const literal = address.includes(':') ? `[${address}]` : address;
  if (allowed.has(`${literal}:${port}`)) return true;
  return LOCAL.has(range) && allowed.has(`${host}:${port}`);
}
