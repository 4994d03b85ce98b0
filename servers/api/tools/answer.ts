/** From what came back to what a model reads: parsed, projected, cut honestly, without secrets. */
import type { JsonObject } from '../../plugin/define.ts';
import type { Fetched } from '../guard/exchange.ts';
import type { Secrets } from '../request/secrets.ts';

/** A body as a value: JSON parsed, text decoded, anything else bytes. */
export type Parsed =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'media' | 'binary'; readonly bytes: Buffer; readonly mimeType: string };

const TEXT =
  /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:xml|yaml|x-yaml|javascript|ecmascript|graphql|sql|x-ndjson|jsonl|x-www-form-urlencoded)\b)/iu;
const JSON_TYPE = /[/+]json\b/iu;

/** Parses a body by its content type; what says nothing is text when it is UTF-8. A body that was cut is text or bytes. */
export function parsedBody(fetched: Fetched, secrets: Secrets): Parsed {
  const mimeType = /^[\w.+-]+\/[\w.+-]+/u.exec(secrets.text(fetched.contentType))?.[0]?.toLowerCase() ?? '';
  if (/^(?:image\/(?!svg)|audio\/)/u.test(mimeType)) return { kind: 'media', bytes: secrets.bytes(fetched.body), mimeType };
  const json = JSON_TYPE.test(mimeType);
  if (json || TEXT.test(mimeType) || isUtf8(fetched.body, fetched.truncated)) {
    const text = decodedText(fetched.body, fetched.contentType);
    if (!fetched.truncated && (json || (mimeType === '' && /^\s*[[{]/u.test(text)))) {
      try {
        return { kind: 'json', value: secrets.value(parseJson(text)) };
      } catch {
        return { kind: 'text', value: secrets.text(text) };
      }
    }
    return { kind: 'text', value: secrets.text(text) };
  }
  return { kind: 'binary', bytes: secrets.bytes(fetched.body), mimeType: mimeType === '' ? 'application/octet-stream' : mimeType };
}

/** JSON in which an integer that a number cannot hold stays exact, as text. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/u.test(text)) return JSON.parse(text) as unknown;
  const reviver = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/u.test(context?.source ?? '') ? context?.source : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as unknown;
}

/** A JSON value or text of at most so many bytes, and in words what is missing. */
export function shortened(value: unknown, maxBytes: number): { readonly value: unknown; readonly note: string | undefined } {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return { value, note: undefined };
  const advice =
    'Ask for the part you need with "_select" (JMESPath such as "[].{id: id, name: name}" or a JSON pointer such as "/items/0").';
  if (typeof value === 'string') return { value: cutText(value, maxBytes), note: `Cut: the first ${maxBytes} of ${bytes} bytes.` };
  if (Array.isArray(value)) {
    const kept = fitting(value, maxBytes - 2);
    if (kept > 0) return { value: value.slice(0, kept), note: `Cut: ${kept} of ${value.length} items, ${bytes} bytes in all. ${advice}` };
  } else if (typeof value === 'object' && value !== null) {
    const sizes = Object.entries(value).map(([key, each]) => ({
      key,
      each: each as unknown,
      size: Buffer.byteLength(JSON.stringify(each) ?? ''),
    }));
    const largest = sizes.reduce((one, other) => (other.size > one.size ? other : one));
    const rest = bytes - largest.size;
    if (Array.isArray(largest.each) && rest < maxBytes) {
      const kept = fitting(largest.each, maxBytes - rest - 2);
      const note = `Cut: ${kept} of ${largest.each.length} items of "${largest.key}", ${bytes} bytes in all. ${advice}`;
      return { value: { ...value, [largest.key]: largest.each.slice(0, kept) }, note };
    }
    const keys = sizes
      .map(({ key, size }) => `${key} (${size} bytes)`)
      .join(', ')
      .slice(0, 1000);
    return { value: cutText(text, maxBytes), note: `Cut: the first ${maxBytes} of ${bytes} bytes, as text. ${advice} Its keys: ${keys}.` };
  }
  return { value: cutText(text, maxBytes), note: `Cut: the first ${maxBytes} of ${bytes} bytes, as text. ${advice}` };
}

/** The output schema of a tool: the answer as described, or what else may come. */
export function outputSchema(response: JsonObject | undefined): JsonObject {
  const { $defs, ...described } = response ?? {};
  const other = { description: 'Parsed JSON, else text; after "_select" the selected part. An answer may differ from its description.' };
  return {
    type: 'object',
    required: ['status', 'contentType', 'body', 'truncated'],
    properties: {
      status: { type: 'integer' },
      contentType: { type: 'string' },
      body: Object.keys(described).length === 0 ? other : { anyOf: [described, other] },
      truncated: { type: 'boolean', description: 'Something is missing at the end; "note" says what.' },
      pages: { type: 'integer', description: 'Pages that were fetched.' },
      note: { type: 'string', description: 'What is missing, and how to get it.' },
    },
    ...($defs === undefined ? {} : { $defs }),
  };
}

function fitting(items: readonly unknown[], maxBytes: number): number {
  let used = 0;
  for (const [index, item] of items.entries()) {
    used += Buffer.byteLength(JSON.stringify(item) ?? 'null') + 1;
    if (used > maxBytes) return index;
  }
  return items.length;
}

function cutText(text: string, maxBytes: number): string {
  return Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\ufffd+$/u, '');
}

function decodedText(body: Buffer, contentType: string): string {
  const charset = /charset\s*=\s*"?([\w-]+)/iu.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return body.toString('utf8');
  }
}

function isUtf8(body: Buffer, truncated: boolean): boolean {
  if (body.includes(0)) return false;
  try {
    // A cut may fall into a character; `stream` waits for the rest of it.
    new TextDecoder('utf-8', { fatal: true }).decode(body, { stream: truncated });
    return true;
  } catch {
    return false;
  }
}
