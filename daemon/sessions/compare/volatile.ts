/** Values that differ from run to run without meaning anything: ids, times, cursors, temporary folders, ports, durations. */

/** One kind of text that changes from run to run. */
interface Kind {
  readonly why: string;
  /** A text without any of these has none of it: looking for a few letters costs a tenth of the pattern. Absent = every text is looked at. */
  readonly signs?: readonly string[];
  readonly pattern: RegExp;
}

const DAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*';
const MONTH = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*';
/** In this order: what an earlier one took is not looked at by a later one. All are linear in the length of the text. */
const KINDS: readonly Kind[] = [
  { why: 'a UUID', signs: ['-'], pattern: /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi },
  { why: 'a time', signs: ['-'], pattern: /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?: ?Z| ?UTC| ?[+-]\d\d:?\d\d)?/g },
  {
    why: 'a time',
    signs: [':'],
    pattern: new RegExp(
      `\\b${DAY},? (?:\\d{1,2} ${MONTH}|${MONTH} \\d{1,2})(?: \\d{4})? \\d\\d:\\d\\d:\\d\\d(?: (?:GMT|UTC|[A-Z]{3,4}))?(?:[+-]\\d{4})?(?: \\([^)]{1,60}\\))?(?: \\d{4})?`,
      'g',
    ),
  },
  { why: 'a time of day', signs: [':'], pattern: /\b[0-2]\d:[0-5]\d:[0-5]\d(?:[.,]\d{1,9})?\b/g },
  { why: 'a ULID', pattern: /\b[0-7][0-9A-HJKMNP-TV-Z]{25}\b/g },
  {
    why: 'a temporary folder',
    signs: ['/var/folders/'],
    pattern: /(?:\/private)?\/var\/folders\/[^/\s"']{1,64}\/[^/\s"']{1,128}\/T\/[^/\s"'<>]+/g,
  },
  { why: 'a temporary folder', signs: ['/tmp/'], pattern: /(?:\/private)?(?:\/var)?\/tmp\/[^/\s"'<>]+/g },
  {
    why: 'a temporary folder',
    signs: ['AppData', 'appdata', 'APPDATA'],
    pattern: /\b[A-Z]:[\\/]Users[\\/][^\\/\s"']{1,128}[\\/]AppData[\\/]Local[\\/]Temp[\\/][^\\/\s"'<>]+/gi,
  },
  { why: 'a port of this machine', signs: [':'], pattern: /(?:\blocalhost|\b127\.0\.0\.1|\b0\.0\.0\.0|\[::1?\]):\d{1,5}\b/g },
  { why: 'a process id', signs: ['pid', 'PID', 'Pid'], pattern: /\bpid[ :=]{1,3}\d+/gi },
  {
    why: 'a duration',
    pattern:
      /\b(?:took|in|after|elapsed|duration|time)(?:[:=] ?| )\d+(?:\.\d+)? ?(?:ms|µs|us|ns|s|secs?|seconds?|milliseconds?|minutes?|min)\b/gi,
  },
];

/** Names whose values mean nothing outside the run they came from. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['cursor', 'a cursor'],
  ['nextcursor', 'a cursor'],
  ['requeststate', 'state of one request'],
  ['taskid', 'the id of a task'],
  ['sessionid', 'the id of a session'],
  ['elicitationid', 'the id of a question'],
  ['progresstoken', 'a progress token'],
  ['subscriptionid', 'the id of a subscription'],
  ['io.modelcontextprotocol/subscriptionid', 'the id of a subscription'],
  ['traceparent', 'an id of tracing'],
  ['tracestate', 'an id of tracing'],
  ['traceid', 'an id of tracing'],
  ['spanid', 'an id of tracing'],
  ['requestid', 'the id of a request'],
  ['etag', 'a version of a resource'],
  ['pid', 'a process id'],
  ['port', 'a port of this machine'],
]);
/** Last words of names of numbers that are points in time, and of those that are durations. */
const TIME_NAME =
  /(?:[a-z0-9](?:At|Time|Timestamp|Date|Ts|Created|Updated|Modified|Expires|Expiry)|(?:^|_)(?:at|time|timestamp|date|ts|epoch|created|updated|modified|expires|expiry|now)|[macb](?:irth)?time)(?:Ms|_ms|Millis|Seconds)?$/;
/** What was measured; `ttlMs` or `timeoutMs` is a promise, and counts. */
const DURATION_NAME =
  /^(?:ms|millis|milliseconds|.*(?:duration|elapsed|took|latency|uptime|runtime|response_?time)(?:_?(?:ms|millis|seconds|s))?)$/i;
const ID_NAME = /(?:^|[_\-a-z])(?:id|uid|guid|token|nonce|handle|ref)$|[a-z](?:Id|Uid|Guid|Token|Nonce|Handle|Ref)$/;
/** 2001-09-09 to 2100, in seconds and in milliseconds. */
const inSeconds = (value: number): boolean => value >= 1e9 && value < 4.1e9;
const isTime = (value: number): boolean => inSeconds(value) || inSeconds(value / 1000) || inSeconds(value / 1e6) || inSeconds(value / 1e9);

/**
 * The text with everything that changes from run to run replaced by its kind. Two texts that are the same then differ in nothing else.
 * @param found collects the kinds that were there
 */
export function masked(text: string, found?: Set<string>): string {
  let rest = text;
  if (!/\d/.test(text) && !text.includes('/tmp/') && !text.includes('/var/') && !text.includes('AppData')) return text;
  for (const { why, signs, pattern } of KINDS) {
    if (signs !== undefined && !signs.some((sign) => rest.includes(sign))) continue;
    rest = rest.replace(pattern, () => {
      found?.add(why);
      return `\u0000${why}\u0000`;
    });
  }
  return rest;
}

/**
 * Why two different values of a place may differ without meaning anything; undefined when they may not.
 * @param name the member the value stands in
 */
export function volatility(name: string, before: unknown, after: unknown): string | undefined {
  if (typeof before === 'number' && typeof after === 'number') {
    if (NAMED.has(name.toLowerCase())) return NAMED.get(name.toLowerCase());
    if (TIME_NAME.test(name) && isTime(before) && isTime(after)) return 'a time';
    return DURATION_NAME.test(name) ? 'a duration' : undefined;
  }
  if (typeof before !== 'string' || typeof after !== 'string') return undefined;
  const named = NAMED.get(name.toLowerCase());
  if (named !== undefined) return named;
  const kinds = new Set<string>();
  if (masked(before, kinds) === masked(after, kinds)) return [...kinds].join(', ');
  return ID_NAME.test(name) && isRandom(before) && isRandom(after) ? 'an id' : undefined;
}

/** Looks like something drawn at random: one word of 8 or more characters with letters and digits, or 16 and more hexadecimal ones. */
export function isRandom(text: string): boolean {
  return (
    (/^[\w.~+/=:-]{8,512}$/.test(text) && /\d/.test(text) && /[a-zA-Z]/.test(text)) ||
    /^[0-9a-f]{16,}$/i.test(text) ||
    /^\d{16,}$/.test(text)
  );
}

/** Whether a member of that name holds something that means nothing outside its run. */
export function isNamedId(name: string): boolean {
  const why = NAMED.get(name.toLowerCase());
  return why !== undefined && name !== 'pid' && name !== 'port';
}

/** What inside a text names a thing of one run: UUIDs, placeholders, temporary folders, ports of this machine. A fresh pattern with `g`. */
export function tokenPattern(): RegExp {
  return new RegExp(TOKENS, 'gi');
}
const TOKENS = [
  '\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\b',
  '\\[redacted:[0-9a-f]{16}\\]',
  '(?:/private)?(?:/var)?/tmp/[^/\\s"\'<>]+',
  '(?:\\blocalhost|\\b127\\.0\\.0\\.1):\\d{1,5}\\b',
].join('|');
