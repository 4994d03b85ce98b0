/** Values as text in the styles of OpenAPI (3.2, "Style Values"): every character that could change the request's structure is encoded. */
import type { Parameter } from '../description/operation.ts';
import { badInput, pathValue } from '../guard/target.ts';

/** What stays unencoded with `allowReserved`: the reserved characters that cannot begin or end a part of a query. */
const QUERY_SAFE = /%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)/gu;

/** A value for the path, with what its style puts before it. @throws SignalboxError `SBX_API_INPUT` */
export function pathText(parameter: Parameter, value: unknown): string {
  const { name, style, explode, allowReserved } = parameter;
  // A value of several segments stands behind a slash of the template: one of its own says nothing more.
  const encode = (each: unknown): string =>
    pathValue(name, allowReserved ? scalar(name, each).replace(/^\//u, '') : scalar(name, each), allowReserved);
  if (parameter.json) return pathValue(name, JSON.stringify(value));
  const lead = style === 'label' ? '.' : style === 'matrix' ? `;${encodeURIComponent(name)}=` : '';
  if (Array.isArray(value)) {
    if (value.length === 0) throw badInput(name, 'It is an empty list, which would change the path.');
    const items = value.map(encode);
    if (style === 'matrix') return explode ? items.map((item) => lead + item).join('') : lead + items.join(',');
    return lead + items.join(style === 'label' && explode ? '.' : ',');
  }
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, each]) => [pathValue(name, key), encode(each)] as const);
    if (entries.length === 0) throw badInput(name, 'It is an empty object, which would change the path.');
    if (style === 'matrix' && explode) return entries.map(([key, each]) => `;${key}=${each}`).join('');
    const joint = explode ? '=' : ',';
    return lead + entries.map(([key, each]) => key + joint + each).join(style === 'label' && explode ? '.' : ',');
  }
  return lead + encode(value);
}

/**
 * A value as pairs of a query, encoded.
 * @param foreign names an object's free keys must not take: other parameters and what the settings send
 * @throws SignalboxError `SBX_API_INPUT`
 */
export function queryPairs(parameter: Parameter, value: unknown, foreign: ReadonlySet<string>): readonly (readonly [string, string])[] {
  const { name, style, explode, allowReserved } = parameter;
  const encode = (text: string): string => {
    if (!text.isWellFormed() || text.includes('\u0000')) throw badInput(name, 'It is not well-formed text.');
    const encoded = encodeURIComponent(text).replace(/[!'()*]/gu, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
    return allowReserved ? encoded.replace(QUERY_SAFE, (escaped) => decodeURIComponent(escaped)) : encoded;
  };
  const key = encodeName(name);
  if (parameter.json) return [[key, encode(JSON.stringify(value))]];
  const joint = style === 'spaceDelimited' ? '%20' : style === 'pipeDelimited' ? '%7C' : ',';
  if (Array.isArray(value)) {
    const items = value.map((each) => encode(typeof each === 'object' && each !== null ? JSON.stringify(each) : scalar(name, each)));
    if (style === 'deepObject') return items.map((item) => [`${key}%5B%5D`, item]);
    // One parameter of several values; a comma inside a value is encoded, so it stays one value.
    return explode ? items.map((item) => [key, item]) : items.length === 0 ? [] : [[key, items.join(joint)]];
  }
  if (isRecord(value)) {
    if (style === 'deepObject') return deepPairs(key, value, encode, 0);
    const entries = Object.entries(value).filter(([, each]) => each !== undefined && each !== null);
    if (!explode)
      return entries.length === 0
        ? []
        : [[key, entries.map(([sub, each]) => `${encode(sub)}${joint}${encode(plain(name, each))}`).join(joint)]];
    return entries.map(([sub, each]) => {
      const folded = sub.toLowerCase();
      if (foreign.has(folded) || /^_?method$|[\u0000-\u001f]/u.test(folded))
        throw badInput(name, `Its key ${JSON.stringify(sub.slice(0, 80))} is the name of another parameter of this request.`);
      return [encodeName(sub), encode(plain(name, each))] as const;
    });
  }
  return [[key, encode(scalar(name, value))]];
}

/** A value for a header: `simple` style. Characters that break the message are refused by the guard. */
export function headerText(parameter: Parameter, value: unknown): string {
  if (parameter.json) return JSON.stringify(value);
  if (Array.isArray(value)) return value.map((each) => plain(parameter.name, each)).join(',');
  if (isRecord(value)) {
    const joint = parameter.explode ? '=' : ',';
    return Object.entries(value)
      .map(([key, each]) => `${key}${joint}${plain(parameter.name, each)}`)
      .join(',');
  }
  return scalar(parameter.name, value);
}

/** A pair for the Cookie header; everything that could end it is encoded. @throws SignalboxError `SBX_API_INPUT` */
export function cookiePair(parameter: Parameter, value: unknown): string {
  const { name } = parameter;
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u.test(name)) throw badInput(name, 'Its name cannot be that of a cookie.');
  const parts = Array.isArray(value)
    ? value.map((each) => plain(name, each))
    : [isRecord(value) || parameter.json ? JSON.stringify(value) : scalar(name, value)];
  for (const part of parts)
    if (!part.isWellFormed() || /[\u0000-\u001f\u007f]/u.test(part)) throw badInput(name, 'It has a control character.');
  return `${name}=${parts.map(encodeURIComponent).join(',')}`;
}

/** Pairs of a form body (`application/x-www-form-urlencoded`): lists repeat, objects are written as `name[key]`. */
export function formPairs(body: Readonly<Record<string, unknown>>): readonly (readonly [string, string])[] {
  const encode = (text: string): string => {
    if (!text.isWellFormed()) throw badInput('body', 'It is not well-formed text.');
    return encodeURIComponent(text);
  };
  return Object.entries(body).flatMap(([name, value]) => {
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((each) => typeof each !== 'object'))
      return value.map((each) => [encodeName(name), encode(String(each))] as const);
    if (typeof value === 'object' && value !== null) return deepPairs(encodeName(name), value as Record<string, unknown>, encode, 0);
    return [[encodeName(name), encode(value === null ? '' : String(value))] as const];
  });
}

function deepPairs(key: string, value: object, encode: (text: string) => string, depth: number): readonly (readonly [string, string])[] {
  if (depth > 8) throw badInput(key, 'It is nested too deep for a query.');
  return Object.entries(value).flatMap(([sub, each]: [string, unknown]): readonly (readonly [string, string])[] => {
    if (each === undefined || each === null) return [];
    const name = `${key}%5B${encodeName(sub)}%5D`;
    if (Array.isArray(each) && each.every((item) => typeof item !== 'object')) return each.map((item) => [name, encode(String(item))]);
    return typeof each === 'object' ? deepPairs(name, each, encode, depth + 1) : [[name, encode(String(each))]];
  });
}

/** A name as it stands in a query: brackets of `filter[x]` encoded like all else. */
export function encodeName(name: string): string {
  if (!name.isWellFormed()) throw badInput('a name', 'It is not well-formed text.');
  return encodeURIComponent(name);
}

function plain(name: string, value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : scalar(name, value);
}

function scalar(name: string, value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value === null) return 'null';
  throw badInput(name, 'It is neither text nor a number nor true or false.');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
