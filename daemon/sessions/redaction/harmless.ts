/** Values that stand where secrets do and are none: variables, templates, masks, words of a schema. */

const HARMLESS_VALUE =
  /^(?:\$\{[^}]*\}$|\$\(|<[^<>]*>$|\{+[^{}]*\}+$|%[A-Z_]+%$|\*+$|x{4,}$|\.{3}|null,?$|none,?$|true,?$|false,?$|undefined,?$|(?:string|number|integer|boolean|object|array|required|optional)[,;]?$|process\.env|os\.environ|\[redacted:)/i;
/** Names that are also those of a verdict, a count, a version, an address (`proxy_pass` of nginx). */
const AMBIGUOUS = /(?:pass|otp)[^a-z0-9]*$/i;
const NO_SECRET = /^(?:[\s\S]{0,3}|[0-9]+(?:\.[0-9]+)+|[a-z][a-z0-9+.-]{0,20}:\/\/[\s\S]*)$/i;

/** Whether a value is none wherever it stands. Variables are written in capitals; a password may well begin with `$`. */
export function harmless(value: string): boolean {
  return HARMLESS_VALUE.test(value) || /^\$[A-Z_][A-Z0-9_]*$/.test(value);
}

/** Whether a value under a name like `pass` or `otp` is no secret: `{"pass": 12, "fail": 0}`, `"otp": "27.1.2"`. */
export function isOtherThanSecret(name: string, value: unknown): boolean {
  return AMBIGUOUS.test(name) && (typeof value === 'string' || typeof value === 'number') && NO_SECRET.test(String(value));
}
