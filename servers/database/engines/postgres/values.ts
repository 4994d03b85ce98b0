/** PostgreSQL's text form of values to JSON values that lose nothing. */

/** What is known of the types of a server: name, and element type of arrays. */
export type Types = ReadonlyMap<number, { readonly name: string; readonly element?: number; readonly delimiter?: string }>;

/**
 * @param text as the server wrote it (DateStyle ISO, hex bytea)
 * @returns int2, int4, oid and safe int8 as numbers, larger ones and numeric as text, floats as numbers (`NaN`, `Infinity` as text), bool, json
 *   parsed where that loses nothing, bytea as `{bytes, base64}`, arrays as arrays, everything else as text
 */
export function fromText(text: string | null, type: number, types: Types): unknown {
  if (text === null) return null;
  const known = types.get(type);
  if (known?.element !== undefined && text.startsWith('{')) return parseArray(text, known.element, types, known.delimiter ?? ',');
  switch (known?.name) {
    case 'bool':
      return text === 't';
    case 'int2':
    case 'int4':
    case 'oid':
      return Number(text);
    case 'int8': {
      const number = Number(text);
      return Number.isSafeInteger(number) ? number : text;
    }
    case 'float4':
    case 'float8': {
      const number = Number(text);
      return Number.isFinite(number) ? number : text;
    }
    case 'json':
    case 'jsonb':
      return parseJson(text);
    case 'bytea': {
      if (!text.startsWith('\\x')) return text;
      const bytes = Buffer.from(text.slice(2), 'hex');
      return { bytes: bytes.length, base64: bytes.toString('base64') };
    }
    default:
      return text;
  }
}

/** JSON parsed, or its text when JavaScript's numbers or keys would change it. */
export function parseJson(text: string): unknown {
  try {
    if (/[0-9]{16}|[0-9]\.[0-9]{15}|[0-9][eE]|"__proto__"|-0/u.test(text)) return text;
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function parseArray(text: string, element: number, types: Types, delimiter: string): unknown {
  let at = 0;
  const read = (): unknown[] => {
    const items: unknown[] = [];
    at++;
    while (at < text.length && text.charAt(at) !== '}') {
      if (text.charAt(at) === '{') items.push(read());
      else if (text.charAt(at) === '"') {
        let value = '';
        for (at++; at < text.length && text.charAt(at) !== '"'; at++) {
          if (text.charAt(at) === '\\') at++;
          value += text.charAt(at);
        }
        at++;
        items.push(fromText(value, element, types));
      } else {
        let end = at;
        while (end < text.length && text.charAt(end) !== delimiter && text.charAt(end) !== '}') end++;
        const value = text.slice(at, end);
        at = end;
        items.push(value === 'NULL' ? null : fromText(value, element, types));
      }
      if (text.charAt(at) === delimiter) at++;
    }
    at++;
    return items;
  };
  return read();
}
