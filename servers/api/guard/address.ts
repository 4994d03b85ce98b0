/** Which addresses may be dialled: global unicast, and what the settings name by host and port. */
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
/** Ranges a host name of the settings may lead to; link-local (cloud metadata) only when the address itself is named. */
const LOCAL = new Set(['loopback', 'private', 'uniqueLocal', 'carrierGradeNat']);
/** Ports of other protocols that can be made to misread HTTP (WHATWG fetch, "bad port"). */
const BAD_PORTS = new Set([
  1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
  119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636,
  989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080, 11211,
]);

/** `global`, or the name of the special range (`loopback`, `private`, `linkLocal` …). */
export function addressRange(address: string): string {
  const parsed = parse(address);
  if (parsed === undefined) return 'not an address';
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

/** What may be dialled although it is not on the public internet: `host:port`, each host as a URL spells it. */
export class PrivateHosts {
  readonly #entries: ReadonlySet<string>;

  /** @param entries `host:port`, IPv6 in brackets; an entry that is no host and port allows nothing */
  constructor(entries: readonly string[]) {
    this.#entries = new Set(entries.flatMap((entry) => canonical(entry) ?? []));
  }

  /** Whether the settings name this host and port. @param host as in `URL.hostname`, with or without brackets */
  names(host: string, port: number): boolean {
    return this.#entries.has(`${bracketed(host.toLowerCase())}:${port}`);
  }

  /** Whether an address may be dialled for a host. The host itself must be named: another name that leads to the same address is not meant. */
  mayDial(address: string, host: string, port: number): boolean {
    const range = addressRange(address);
    const named = this.names(host, port);
    if (range === 'global') return named || !BAD_PORTS.has(port);
    if (!named) return false;
    const literal = parse(host);
    return literal === undefined ? LOCAL.has(range) : literal.toNormalizedString() === parse(address)?.toNormalizedString();
  }
}

function parse(address: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  try {
    // IPv4-mapped IPv6 is the IPv4 address. The strict form only: `0177.1` is the business of the URL parser.
    const text = address.replace(/^\[|\]$/gu, '');
    if (!text.includes(':') && !/^\d{1,3}(?:\.\d{1,3}){3}$/u.test(text)) return undefined;
    return ipaddr.process(text);
  } catch {
    return undefined;
  }
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}

function canonical(entry: string): string | undefined {
  const [, host, port] = /^(.+):(\d{1,5})$/u.exec(entry.trim()) ?? [];
  if (host === undefined || port === undefined || !URL.canParse(`http://${bracketed(host)}:${port}`)) return undefined;
  return `${new URL(`http://${bracketed(host)}`).hostname}:${Number(port)}`;
}
