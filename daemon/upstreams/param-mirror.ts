/** Parameters a modern server wants to see in headers too: `x-mcp-header` in a tool's input schema, `Mcp-Param-*` on its calls (SEP-2243). */
import { headerValue } from '../protocol/eras.ts';
import { isObject, type JsonObject, type Message, type Request } from '../protocol/message.ts';

const KEY = 'x-mcp-header';
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Pages of a list that are read at most. */
const PAGES = 100;
const PRIMITIVES: readonly unknown[] = ['string', 'integer', 'number', 'boolean'];

/** One parameter: where it stands in the arguments, and its header. */
interface Declaration {
  readonly path: readonly string[];
  readonly header: string;
}

/** What the tools of one server want mirrored, learned from its lists. */
export class ParamMirror {
  readonly #byTool = new Map<string, readonly Declaration[]>();

  /**
   * Reads all lists of tools.
   * @param meta `_meta` of each request
   * @throws what `ask` does, and when the answer is an error
   */
  async read(meta: JsonObject, ask: (list: Request) => Promise<Message>): Promise<void> {
    let cursor: unknown;
    for (let page = 0; page < PAGES && (page === 0 || cursor !== undefined); page++) {
      const params = { ...(cursor === undefined ? {} : { cursor }), _meta: meta };
      const answer = await ask({ jsonrpc: '2.0', id: `tools-${page}`, method: 'tools/list', params });
      if (!('result' in answer)) throw new Error('The server does not list its tools.');
      this.learn(answer.result);
      cursor = answer.result['nextCursor'];
    }
  }

  /** Whether the bytes of a list are worth {@link learn}ing from: few servers use this, and a list may be large. */
  static concerns(bytes: Buffer): boolean {
    return bytes.includes(KEY);
  }

  /** Takes note of the result of a `tools/list`. */
  learn(result: JsonObject): void {
    const tools = Array.isArray(result['tools']) ? result['tools'].filter(isObject) : [];
    for (const { name, inputSchema } of tools) {
      const declarations = declared(inputSchema, []);
      if (typeof name !== 'string') continue;
      if (declarations.length > 0) this.#byTool.set(name, declarations);
      else this.#byTool.delete(name);
    }
  }

  /** The headers of a call, name and value in turn. A parameter that is not given, or not of a kind a header can say, has none. */
  headers({ method, params }: Request): readonly string[] {
    const declarations = method === 'tools/call' ? this.#byTool.get(String(params?.['name'])) : undefined;
    return (declarations ?? []).flatMap(({ path, header }) => {
      const text = said(path.reduce<unknown>(member, params?.['arguments']));
      return text === undefined ? [] : [`mcp-param-${header}`, headerValue(text)];
    });
  }
}

/** Declarations are valid only along a chain of `properties` (2026-07-28, "Schema Extension"). */
function declared(schema: unknown, path: readonly string[]): readonly Declaration[] {
  if (!isObject(schema)) return [];
  const { [KEY]: header, type, properties } = schema;
  const own = path.length > 0 && typeof header === 'string' && TOKEN.test(header) && PRIMITIVES.includes(type) ? [{ path, header }] : [];
  return [...own, ...Object.entries(isObject(properties) ? properties : {}).flatMap(([key, child]) => declared(child, [...path, key]))];
}

function member(value: unknown, key: string): unknown {
  return isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function said(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? String(value) : undefined;
}
