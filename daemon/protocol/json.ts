/** JSON without loss: numbers JavaScript cannot hold come out as they came in (RFC 8259 section 6 sets no limit on them). Pure. */

/** What Node 24 has of the proposal "JSON.parse source text access" and TypeScript's library has not. */
interface SourceJson {
  parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
  isRawJSON(value: unknown): boolean;
}
const { parse, rawJSON, isRawJSON } = JSON as unknown as SourceJson;

/**
 * A text that may hold such a number: 16 or more digits, an exponent of three digits, or a negative zero. Hits inside strings cost
 * time and change nothing. Every alternative is linear in the length of its run.
 */
const SUSPECT = /\d[\d.]{15}|\d[eE][+-]?\d{3}|-0(?:\.0+)?[\s,\]}]/;

/**
 * Parses JSON. A number that would change its value (2^53 + 1, 1e400, long decimals, -0) becomes what `JSON.rawJSON` makes of it: an
 * object that `JSON.stringify` writes with the very digits that came.
 * @throws SyntaxError when it is not JSON
 */
export function parseJson(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !holds(value, source) ? rawJSON(source) : value,
  );
}

/** Whether a value is a number that JavaScript cannot hold, as {@link parseJson} made it: an object to `typeof`, a number to everybody else. */
export function isRawNumber(value: unknown): boolean {
  return isRawJSON(value);
}

/** Whether writing the number gives the value that was read. */
function holds(value: number, source: string): boolean {
  const written = Object.is(value, -0) ? '0' : String(value);
  return written === source || canonical(written) === canonical(source);
}

/** One text for all spellings of a value: digits without zeros at either end, and the exponent of the last digit. */
function canonical(number: string): string {
  const [, sign, whole = '', fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const end = digits.search(/0*$/);
  return end === 0
    ? `${sign}0`
    : `${sign}${digits.slice(0, end)}e${BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - end)}`;
}
