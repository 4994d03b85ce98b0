/** Names whose value is a secret: headers, fields of forms and of JSON, variables. */

/** Whole names (their beginnings stand among the hints of shapes.ts), lower case without separators. */
const NAMES = new Set(
  `authorization proxyauthorization cookie setcookie cookies password passwd pwd passphrase passcode secret secrets token credential
  credentials apikey xapikey accesskey accesskeyid secretkey privatekey signingkey encryptionkey masterkey sharedkey authkey bearer
  jwt connectionstring mcpsessionid apitoken xapitoken passwords apikeys otp totp hotp csrf xsrf clientassertion codeverifier`.split(/\s+/),
);
/** Ends of names. */
const ENDS =
  /(?:password|passwd|passphrase|passcode|pwd|secret|token|apikey|authkey|privatekey|secretkey|accesskey|accountkey|signingkey|encryptionkey|masterkey|sharedkey|credential|credentials|cookie|authorization|connectionstring|secret(?:string|value|text)|otp(?:code|pin|value)?|[cx]srf(?:value|nonce|key|code)?)$/;
/** Tokens that are none: MCP's progress tokens, pages, counts. */
const HARMLESS =
  /(?:progress|page|next|previous|prev|sync|continuation|cursor|start|end|stop|eos|bos|pad|unk|max|min|input|output|total|first|last|current)token$/;
/** What is written in one word with `pass`; everything else (`compass`, `bypass`, `surpass`) must have it as a word of its own. */
export const PASS_OWNERS =
  'db|database|user|my|sql|mysql|pg|postgres|redis|mongo|smtp|imap|mail|ftp|ssh|ssl|http|auth|login|admin|root|ldap|key|api';
/** `pass` as a word of its own is a secret, but for a run over something, a ticket, a road, and where nginx hands requests on. */
export const PASS_RUNS =
  'first|second|third|last|next|prev|previous|one|two|single|multi|multiple|final|each|per|by|render|shader|shadow|depth|light|lighting|base|blur|forward|backward|optimization|compiler|low|high|band|boarding|season|ski|day|guest|hall|mountain|proxy|fastcgi|uwsgi|scgi|grpc|memcached|test|tests|did|must|should';
const OWN_PASS = new RegExp(`^(?:${PASS_OWNERS})?pass$`);
const RUN = new RegExp(`^(?:${PASS_RUNS})$`);

/**
 * Whether the value under this name is a secret. A name counts however it is written: `apiKey`, `API_KEY`, `X-Api-Key`.
 * High confidence only: `tokens` (a count), `progressToken`, `nextPageToken`, `bypass`, `first_pass` are not.
 */
export function isSecretName(name: string): boolean {
  if (name.length < 3 || name.length > 80) return false;
  const known = memory.get(name);
  if (known !== undefined) return known;
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const is = NAMES.has(plain) || (ENDS.test(plain) && !HARMLESS.test(plain)) || isPass(name) || name.toLowerCase() === 'device_code';
  if (memory.size >= 4096) memory.clear();
  memory.set(name, is);
  return is;
}
const memory = new Map<string, boolean>();

/** `pass`, `DB_PASS`, `smtpPass`, `dbpass`. */
function isPass(name: string): boolean {
  if (!/pass[^a-z0-9]*$/i.test(name)) return false;
  const words = name
    .replace(/([a-z0-9])(?=[A-Z])/g, '$1 ')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
  return OWN_PASS.test(words.at(-1) ?? '') && !RUN.test(words.at(-2) ?? '');
}
