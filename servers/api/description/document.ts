/** A description in memory: JSON with references inside itself. Nothing here opens a file or a connection. */
import type { JsonObject } from '../../plugin/define.ts';

/** Where an OpenAPI 3.x dialect differs for us: schemas of 3.0 are not JSON Schema 2020-12. */
export type Dialect = '3.0' | '3.1';

/** A reference that cannot be followed; the message says which and why. */
export class BrokenReference extends Error {
  override readonly name = 'BrokenReference';
}

/** A parsed OpenAPI 3.x document. */
export class Description {
  readonly root: JsonObject;
  readonly dialect: Dialect;
  /** The text it was read from, for the resource. */
  readonly text: string;

  constructor(root: JsonObject, text: string) {
    this.root = root;
    this.text = text;
    this.dialect = /^3\.0(?:\.|$)/u.test(String(root['openapi'])) ? '3.0' : '3.1';
  }

  /**
   * What a node is once its references inside the document are followed.
   * @throws BrokenReference for a reference out of the document, to nothing, or in a circle
   */
  follow(node: unknown): unknown {
    let current = node;
    for (let hops = 0; isObject(current) && typeof current['$ref'] === 'string'; hops++) {
      if (hops === 32) throw new BrokenReference(`the reference ${current['$ref'].slice(0, 200)} leads in a circle`);
      current = this.at(current['$ref']);
    }
    return current;
  }

  /** The node a reference such as `#/components/schemas/Pet` names. @throws BrokenReference */
  at(reference: string): unknown {
    if (!reference.startsWith('#'))
      throw new BrokenReference(`the reference ${reference.slice(0, 200)} leads out of the document, and those are not followed`);
    let node: unknown = this.root;
    for (const raw of reference === '#' ? [] : reference.slice(2).split('/')) {
      const key = decoded(raw).replaceAll('~1', '/').replaceAll('~0', '~');
      const next: unknown = typeof node === 'object' && node !== null && Object.hasOwn(node, key) ? (node as JsonObject)[key] : undefined;
      if (next === undefined) throw new BrokenReference(`the reference ${reference.slice(0, 200)} names nothing`);
      node = next;
    }
    return node;
  }

  /** {@link follow}, and an empty object for what is no object. */
  object(node: unknown): JsonObject {
    const found = this.follow(node);
    return isObject(found) ? found : {};
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}
