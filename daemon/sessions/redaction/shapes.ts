/**
 * Secrets known by their looks, in any text. High confidence only: what is taken out by mistake is lost to the reader, so each shape has a
 * prefix of its own, a structure, or a name before it. Every expression is linear: no nested quantifiers over the same characters.
 */

import { withoutPasswords } from './commands.ts';
import { harmless, isOtherThanSecret } from './harmless.ts';
import { PASS_OWNERS, PASS_RUNS } from './keys.ts';
import { withoutGrants } from './oauth.ts';
import { Trigrams } from './trigrams.ts';

/** Takes a secret and gives what stands in its place. */
export type Hide = (secret: string) => string;

/** Prefixed tokens of services (their documented formats). */
const TOKENS = new RegExp(
  [
    '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])', // AWS access key ids
    'gh[pousr]_[A-Za-z0-9]{30,255}', // GitHub
    'github_pat_[A-Za-z0-9_]{22,255}',
    'gl(?:pat|dt|rt|ptt|cbt|oas)-[A-Za-z0-9_-]{20,}', // GitLab
    'xox[abeoprs]-[A-Za-z0-9-]{10,}', // Slack
    'xapp-[0-9]-[A-Za-z0-9-]{10,}',
    '(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}', // Stripe
    'whsec_[A-Za-z0-9+/=]{16,}',
    'sk-(?:ant-|proj-|svcacct-|admin-|or-|lf-)[A-Za-z0-9_-]{16,}', // Anthropic, OpenAI, OpenRouter
    'sk-[A-Za-z0-9]{32,}',
    'AIza[A-Za-z0-9_-]{35}', // Google
    'ya29\\.[A-Za-z0-9_-]{20,}',
    'GOCSPX-[A-Za-z0-9_-]{20,}',
    'npm_[A-Za-z0-9]{36}',
    'pypi-AgE[A-Za-z0-9_-]{30,}',
    'SG\\.[A-Za-z0-9_-]{16,32}\\.[A-Za-z0-9_-]{32,64}', // SendGrid
    'hf_[A-Za-z0-9]{30,}', // Hugging Face
    'dop_v1_[a-f0-9]{64}', // DigitalOcean
    'shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}', // Shopify
    'lin_api_[A-Za-z0-9]{32,}', // Linear
    'ntn_[A-Za-z0-9]{40,}', // Notion
    'sbp_[a-f0-9]{40}', // Supabase
    'dckr_pat_[A-Za-z0-9_-]{20,}', // Docker
    'gsk_[A-Za-z0-9]{40,}', // Groq
    'xai-[A-Za-z0-9]{60,}',
    'glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}', // Grafana
    'hvs\\.[A-Za-z0-9_-]{24,}', // Vault
    'AGE-SECRET-KEY-1[A-Z0-9]{50,}',
    '[0-9]{8,10}:AA[A-Za-z0-9_-]{33}', // Telegram
    'eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*', // JWT, RFC 7519
    'eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}', // JWE, RFC 7516
  ]
    .map((shape) => `(?:${shape})`)
    .join('|')
    .replace(/^/, '(?<![A-Za-z0-9])(?:')
    .replace(/$/, ')'),
  'g',
);
const PEM = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----END )[\s\S])*(?:-----END [A-Z0-9 ]{0,40}-----)?/g;
const SLACK_HOOK = /(hooks\.slack\.com\/(?:services|workflows|triggers)\/)([A-Za-z0-9/_+-]{10,})/g;
const DISCORD_HOOK = /(discord(?:app)?\.com\/api\/webhooks\/)([0-9]+\/[A-Za-z0-9_-]{20,})/g;
/**
 * `scheme://user:password@host`; RFC 3986 section 3.2.1. People write passwords with `@`, `/` and `'` in them all the same, which ends at the
 * last `@`; what is a port is none.
 */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/?#@"'<>\\[\]]{0,128}:)(?![0-9]{1,5}(?:[/?#]|$))([^\s"<>\\]{1,512})(@)/gi;
/** Signatures of addresses that let anybody in: shared access signatures, presigned URLs. */
const SIGNED_URL = /([?&](?:sig|signature|x-(?:amz|goog)-signature)=)([^\s&"'<>#\\]{16,4096})/gi;
/** RFC 6750 and RFC 7617 credentials wherever they stand. */
const BEARER = /(?<![A-Za-z])(Bearer|Token)([ \t]+|%20|\+)([A-Za-z0-9._~+/=-]{12,})/gi;
const BASIC = /(?<![A-Za-z])(Basic)([ \t]+|%20|\+)([A-Za-z0-9+/_-]{6,}={0,2})/gi;
/** A line that is a header has nothing else in it: quotes are the value's own. */
const HEADER_LINE =
  /^([ \t<>*+-]{0,8}(?:(?:proxy-)?authorization|(?:set-)?cookie|[a-z0-9-]{0,64}-(?:key|token|secret|signature|session-id))[ \t]{0,8}:[ \t]{0,8})([^\s"'][^\r\n]{0,65536})/gim;
/** Header lines in a text. */
const HEADER =
  /\b((?:proxy-)?authorization|(?:set-)?cookie|x-(?:api|auth|access|csrf|xsrf)-(?:key|token)|api-key|apikey|mcp-session-id)(\\*["']?[ \t]{0,8}:[ \t]{0,8}\\*["']?)([^\s"'\\][^\r\n"'\\]{0,65536})/gi;
const NAMES =
  'passw(?:or)?d|pwd|passphrase|secret|token|api[_-]?key|access[_-]?key(?:[_-]?id)?|(?:account|private|secret|auth|signing|encryption|master|shared)[_-]?key|passcode|_auth|credentials?|connection[_-]?string';
/** Short ones, which are tried only in lines that have one: everywhere they would cost half as much as all the rest. */
const SHORT_NAMES = `(?<![A-Za-z0-9])(?:${PASS_OWNERS})?pass|otp(?:[_-]?code)?|[cx]srf`;
const SHORT = /(?:pass(?:["'\\:=>]|[ \t]{1,8}[:=])|-pass[ \t]|otp(?:[^a-z]|code)|[cx]srf)/iy;
const SHORT_BEGINNINGS = new Trigrams(['pass', '-pass', 'otp', 'csrf', 'xsrf'], true);

/** Shapes whose secret stands behind one of these names. */
function behind(names: string): Readonly<Record<'line' | 'assigned' | 'quoted' | 'element' | 'flag', RegExp>> {
  const name = `[A-Za-z0-9_.-]{0,64}(?:${names})`;
  return {
    // A line that only sets one thing: INI, YAML, `.env`. To the end, whatever is in it.
    line: new RegExp(
      `^([ \\t]*(?:[-*>+][ \\t]+)?(?:(?:export|set|env)[ \\t]+)?${name}[ \\t]{0,8}(?:[:=]|=>)[ \\t]{0,8})([^\\s"'\`\\\\(\\[{|>][^\\s\\\\]{3,65536})(?=[ \\t]*(?:[ \\t]#[^\\r\\n]*)?\\r?$)`,
      'gim',
    ),
    // `NAME=value`: environment, queries, connection strings, flags; `NAME="value"` too.
    assigned: new RegExp(`(?<![A-Za-z0-9_.-])(${name})(=)(\\\\*["']?)([^\\s"'&;,<>(){}\\\\]{4,65536})`, 'gi'),
    // `"name": "value"` in a text that is no JSON as a whole (a log line, a piece of code); up to the quote it began with.
    quoted: new RegExp(
      `(?<![A-Za-z0-9_.-])(${name})(\\\\*["'][ \\t]{0,8}(?:[:=]|=>)[ \\t]{0,8}|[ \\t]{0,8}(?:[:=]|=>)[ \\t]{0,8})(\\\\*["'])((?:(?!\\3)(?:\\\\+.|[^\\\\\\r\\n])){4,65536})`,
      'gi',
    ),
    // `<password>value</password>`.
    element: new RegExp(`(<(?:[A-Za-z0-9_-]{1,40}:)?${name}>[ \\t\\r\\n]{0,80})([^\\s<>][^<>]{2,65536})(?=</)`, 'gi'),
    // `--password value`.
    flag: new RegExp(`(?<![A-Za-z0-9_.-])(--?${name})([ \\t]+)([^\\s"'\\\\-][^\\s"'\\\\]{3,4096})`, 'gi'),
  };
}
const LONG_SHAPES = behind(NAMES);
const SHORT_SHAPES = behind(SHORT_NAMES);

/** Names that look secret to {@link behind} and are not. */
const HARMLESS_NAME = new RegExp(
  `(?:(?:progress|page|next|previous|sync|continuation|max|min|input|output|total)[_.-]?token|(?<![a-z0-9])(?:${PASS_RUNS})[_.-]?pass)$`,
  'i',
);

/** Whether what was found under a name is none: by the name, or by the value. */
function isNone(name: string, value: string): boolean {
  const bare = name.replace(/[\s:=>"'\\]+$/, '');
  // `pass: everything` is a sentence; a password of letters alone is found where it is assigned or quoted
  const verdict = /:\s*$/.test(name) && /(?<![A-Za-z0-9_.-])pass$/i.test(bare) && /^[A-Za-z]+$/.test(value);
  return verdict || HARMLESS_NAME.test(bare) || harmless(value) || isOtherThanSecret(bare, value);
}

/** The text with everything that looks like a secret replaced. */
export function withoutShapes(text: string, hide: Hide): string {
  let out = text;
  const swap = (shape: RegExp, replace: (whole: string, ...parts: string[]) => string): void => {
    out = out.replace(shape, replace);
  };
  // what a shape cannot be without is looked for first: a search for a text costs a tenth of an expression
  if (out.includes('-----BEGIN ')) swap(PEM, (whole) => hide(whole));
  swap(TOKENS, (whole) => hide(whole));
  if (out.includes('hooks.slack.com')) swap(SLACK_HOOK, (_whole, before = '', secret = '') => before + hide(secret));
  if (out.includes('/webhooks/')) swap(DISCORD_HOOK, (_whole, before = '', secret = '') => before + hide(secret));
  if (out.includes('://') && out.includes('@'))
    swap(URL_PASSWORD, (whole, before = '', secret = '', after = '') => (harmless(secret) ? whole : before + hide(secret) + after));
  swap(SIGNED_URL, (_whole, before = '', secret = '') => before + hide(secret));
  swap(HEADER_LINE, (_whole, name = '', value = '') => name + withoutScheme(value, hide));
  swap(HEADER, (_whole, name = '', between = '', value = '') => name + between + withoutScheme(value, hide));
  swap(BEARER, (whole, scheme = '', space = '', secret = '') =>
    /[0-9]/.test(secret) || secret.length >= 20 ? scheme + space + hide(secret) : whole,
  );
  swap(BASIC, (whole, scheme = '', space = '', secret = '') => (isBasic(secret) ? scheme + space + hide(secret) : whole));
  out = withoutNamed(LONG_SHAPES, out, hide);
  out = eachLineWith(SHORT_BEGINNINGS, SHORT, out, (line) => withoutNamed(SHORT_SHAPES, line, hide));
  return withoutGrants(withoutPasswords(out, hide), hide);
}

/** What stands behind names. */
function withoutNamed(named: ReturnType<typeof behind>, text: string, hide: Hide): string {
  let out = text;
  const swap = (shape: RegExp, replace: (whole: string, ...parts: string[]) => string): void => {
    out = out.replace(shape, replace);
  };
  swap(named.line, (whole, name = '', value = '') => (isNone(name, value) ? whole : name + withoutScheme(value, hide)));
  swap(named.assigned, (whole, name = '', equals = '', quote = '', value = '') =>
    isNone(name, value) ? whole : name + equals + quote + hide(value),
  );
  swap(named.quoted, (whole, name = '', between = '', quote = '', value = '') =>
    isNone(name, value) ? whole : name + between + quote + hide(value),
  );
  if (out.includes('</')) swap(named.element, (whole, before = '', value = '') => (harmless(value) ? whole : before + hide(value)));
  swap(named.flag, (whole, name = '', space = '', value = '') => (isNone(name, value) ? whole : name + space + hide(value)));
  return out;
}

/** The text with each line that has a word changed: most have none, and the change costs more than the search. */
function eachLineWith(beginnings: Trigrams, word: RegExp, text: string, change: (line: string) => string): string {
  let out = '';
  let from = 0;
  for (let at = beginnings.find(text, 0, (place) => standsAt(word, text, place)); at !== -1; ) {
    const start = Math.max(from, text.lastIndexOf('\n', at) + 1);
    const next = text.indexOf('\n', at);
    const end = next === -1 ? text.length : next + 1;
    out += text.slice(from, start) + change(text.slice(start, end));
    from = end;
    at = beginnings.find(text, from, (place) => standsAt(word, text, place));
  }
  return from === 0 ? text : out + text.slice(from);
}

/** A credential without its scheme: `Bearer x` keeps `Bearer `, so that the same token has the same placeholder with and without. */
export function withoutScheme(value: string, hide: Hide): string {
  const [, scheme = '', secret = ''] =
    /^((?:Bearer|Basic|Token|Digest|Negotiate|DPoP|AWS4-HMAC-SHA256)[ \t]+)?([\s\S]*)$/i.exec(value) ?? [];
  return secret === '' || harmless(secret) ? value : scheme + hide(secret);
}

/** Whether it decodes to `user:password` (RFC 7617 section 2): "Basic knowledge" does not. */
function isBasic(text: string): boolean {
  return /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(Buffer.from(text, 'base64').toString('latin1'));
}

/**
 * A quick look: false says for certain that {@link withoutShapes} would change nothing. Over JSON text as well as over plain text.
 */
export function mayHaveShapes(text: string): boolean {
  return BEGINNINGS.find(text, 0, (at) => isHint(text, at)) !== -1;
}

/** Whether a hint stands at this place. */
export function isHint(text: string, at: number): boolean {
  const hint = HINT.get(text.charCodeAt(at));
  return hint !== undefined && standsAt(hint, text, at);
}

function standsAt(sticky: RegExp, text: string, at: number): boolean {
  sticky.lastIndex = at;
  return sticky.test(text);
}

/**
 * What every shape and every secret name (keys.ts) has in it. The first three characters are literal: they are what is searched for, the
 * rest is looked at where they are found.
 */
const HINTS =
  String.raw`pass[^a-z0-9]?w passphrase pass[^a-z0-9]phrase pass[^a-z0-9]?code pwd secret token(?!s) bearer jwt api[^a-z0-9]?key api[^a-z0-9]?token access[^a-z0-9]?key private[^a-z0-9]?key private%20key %3a%2f%2f account[^a-z0-9]?key _auth sig= signature= -signature passcode signing[^a-z0-9]?key encryption[^a-z0-9]?key master[^a-z0-9]?key shared[^a-z0-9]?key auth[^a-z0-9]?key authorization credential cookie connection[^a-z0-9]?string mcp[^a-z0-9]?session ://[^\s@"]{0,640}@ akia asia abia acca ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- gldt- glrt- glptt- glcbt- gloas- xox[a-z]- xapp- sk_[lt] rk_[lt] pk_[lt] whsec_ sk-[a-z0-9]{3} aiza ya29\. gocspx npm_ pypi- sg[.][a-z0-9_-]{16} hf_[a-z0-9]{16} dop_v1 shp[a-z]{2}_ lin_api ntn_ sbp_ dckr_ gsk_ xai- glsa_ hvs\. age-secret :aa[a-z0-9_-]{33} eyj[a-z0-9_-]{8} slack.com /webhooks/ pass["'\\=:>%] otp(?:[^a-z]|code|pin|value) csrf xsrf ssertion rifier nt_?type de=(?<=code=) de%3d e_code rl[.]exe mysql riadb shpass ogin(?:"[,\s]|(?<=(?:docker|podman|nerdctl|buildah|skopeo|oras|crane|oc|registry)[^a-z]{1,8}login))`
    .split(/\s+/)
    .concat(
      String.raw`basic[ \t+%]`,
      'rl (?<=curl )',
      'rl"(?<=curl")',
      String.raw`rl\\(?<=curl\\)`,
      String.raw`-pass[ \t]`,
      String.raw`pass[ \t]{1,8}[=:]`,
    );
/** Their literal beginnings. */
export const HINT_BEGINNINGS: readonly string[] = HINTS.map((hint) => hint.replace('[.]', '.'));
const BEGINNINGS = new Trigrams(HINT_BEGINNINGS, true);
/** By their first character: trying all of them wherever one may begin costs more than looking for the beginnings. */
const HINT = new Map(
  [...Map.groupBy(HINTS, ([first = '']) => first)].flatMap(([first, hints]) => {
    // `progressToken` is in most requests and no secret; the others of its kind are rare enough to be walked
    const source = `${first === 't' ? '(?<!progress(?=token))' : ''}(?:${hints.join('|')})`;
    const hint = new RegExp(source, 'iy');
    return [first, first.toUpperCase()].map((char) => [char.charCodeAt(0), hint] as const);
  }),
);
