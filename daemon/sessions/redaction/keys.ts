/** Names whose value is a secret: headers, fields of forms and of JSON, variables. */

/** Whole names (their beginnings stand among the hints of shapes.ts), lower case without separators. */
const NAMES = new Set(
  `authorization proxyauthorization cookie setcookie cookies password passwd pwd passphrase passcode secret secrets token credential
  credentials apikey xapikey accesskey accesskeyid secretkey privatekey signingkey encryptionkey masterkey sharedkey authkey bearer
  jwt connectionstring mcpsessionid apitoken xapitoken passwords apikeys`.split(/\s+/),
);
/** Ends of names. */
const ENDS =
  /(?:password|passwd|passphrase|passcode|pwd|secret|token|apikey|authkey|privatekey|secretkey|accesskey|accountkey|signingkey|encryptionkey|masterkey|sharedkey|credential|credentials|cookie|authorization|connectionstring)$/;
/** Tokens that are none: MCP's progress tokens, pages, counts. */
const HARMLESS =
  /(?:progress|page|next|previous|prev|sync|continuation|cursor|start|end|stop|eos|bos|pad|unk|max|min|input|output|total|first|last|current)token$/;

/**
 * Whether the value under this name is a secret. A name counts however it is written: `apiKey`, `API_KEY`, `X-Api-Key`.
 * High confidence only: `tokens` (a count), `progressToken`, `nextPageToken` are not.
 */
export function isSecretName(name: string): boolean {
  if (name.length < 3 || name.length > 80) return false;
  const known = memory.get(name);
  if (known !== undefined) return known;
  const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const is = NAMES.has(plain) || (ENDS.test(plain) && !HARMLESS.test(plain));
  if (memory.size >= 4096) memory.clear();
  memory.set(name, is);
  return is;
}
const memory = new Map<string, boolean>();
