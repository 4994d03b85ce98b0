/** From the text of a description (JSON or YAML; OpenAPI 3.0, 3.1, 3.2 or Swagger 2) to a {@link Description}. */
import { readFileSync, statSync } from 'node:fs';
import { upgradeFromTwoToThree } from '@scalar/openapi-upgrader/2.0-to-3.0';
import { parse } from 'yaml';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { Description, isObject } from './document.ts';

/** Bytes of a description at most; GitHub's has 13 MB. */
export const MAX_DESCRIPTION_BYTES = 48 * 1024 * 1024;
const MAX_DEPTH = 500;

/**
 * Reads a description from a file.
 * @throws SignalboxError `SBX_API_SPEC`
 */
export function readDescriptionFile(file: string): Description {
  let text: string;
  try {
    const about = statSync(file);
    // A pipe or a device would never end.
    if (!about.isFile()) throw new TypeError('it is no file');
    const { size } = about;
    if (size > MAX_DESCRIPTION_BYTES) throw new RangeError(`it has ${size} bytes, the limit is ${MAX_DESCRIPTION_BYTES}`);
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw wrongDescription(file, messageOf(cause), cause);
  }
  return parseDescription(text, file);
}

/**
 * Parses a description.
 * @param source the file or URL it came from, for the messages
 * @throws SignalboxError `SBX_API_SPEC`
 */
export function parseDescription(text: string, source: string): Description {
  let document: unknown;
  try {
    // JSON by the engine's own parser (40 times faster); anything else is YAML, whose parser refuses alias bombs itself.
    document = /^\ufeff?\s*\{/u.test(text)
      ? jsonOrYaml(text.replace(/^\ufeff/u, ''))
      : parse(text, { maxAliasCount: 100, logLevel: 'error' });
  } catch (cause) {
    throw wrongDescription(source, messageOf(cause), cause);
  }
  if (!isObject(document)) throw wrongDescription(source, 'It is not an OpenAPI document: it holds no object.');
  if (tooDeep(document)) throw wrongDescription(source, `It is nested deeper than ${MAX_DEPTH} levels or refers to itself.`);
  if (String(document['swagger']).startsWith('2.')) {
    try {
      document = upgradeFromTwoToThree(document);
    } catch (cause) {
      throw wrongDescription(source, `Its Swagger 2 could not be converted: ${messageOf(cause)}`, cause);
    }
  }
  if (!isObject(document) || !/^3\.[0-2](?:\.|$)/u.test(String(document['openapi']))) {
    throw wrongDescription(source, 'It says neither "openapi: 3.0", "3.1", "3.2" nor "swagger: 2.0" at its top.');
  }
  if (!isObject(document['paths'])) throw wrongDescription(source, 'It has no "paths".');
  return new Description(document, text);
}

function jsonOrYaml(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // A flow mapping of YAML also begins with a brace; a broken JSON file keeps the message of the JSON parser.
    try {
      return parse(text, { maxAliasCount: 100, logLevel: 'error' });
    } catch {
      throw error;
    }
  }
}

function tooDeep(document: unknown): boolean {
  const waiting: { readonly node: object; readonly depth: number }[] = [{ node: document as object, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.depth > MAX_DEPTH) return true;
    for (const child of Object.values(next.node) as unknown[]) {
      if (typeof child === 'object' && child !== null) waiting.push({ node: child, depth: next.depth + 1 });
    }
  }
  return false;
}

/** SBX_API_SPEC for a description that cannot be used: where it is from, and why. */
export function wrongDescription(source: string, why: string, cause?: unknown): SignalboxError {
  return new SignalboxError('SBX_API_SPEC', `${source} cannot be used as an OpenAPI description.`, {
    why,
    fix: 'Name an OpenAPI 3.x or Swagger 2 file (JSON or YAML) that holds everything itself in "spec" of the settings.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function messageOf(thrown: unknown): string {
  return (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 1000);
}
