/** Parameters a modern server wants to see in headers too: `x-mcp-header` in a tool's input schema, `Mcp-Param-*` on its calls (SEP-2243). */
import { headerValue } from '../protocol/eras.ts';
import type { JsonObject, Message, Request } from '../protocol/message.ts';
import { isObject } from '../protocol/message.ts';
import { declaredParameters, type MirroredParameter, mirroredValue, PARAM_HEADER } from '../protocol/param-headers.ts';

/** Pages of a list that are read at most. */
const PAGES = 100;

/** What the tools of one server want mirrored, learned from its lists. */
export class ParamMirror {
  readonly #byTool = new Map<string, readonly MirroredParameter[]>();

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
    return bytes.includes(PARAM_HEADER);
  }

  /** Takes note of the result of a `tools/list`. */
  learn(result: JsonObject): void {
    const tools = Array.isArray(result['tools']) ? result['tools'].filter(isObject) : [];
    for (const { name, inputSchema } of tools) {
      const declarations = declaredParameters(inputSchema);
      if (typeof name !== 'string') continue;
      if (declarations.length > 0) this.#byTool.set(name, declarations);
      else this.#byTool.delete(name);
    }
  }

  /** The headers of a call, name and value in turn. A parameter that is not given, or not of a kind a header can say, has none. */
  headers({ method, params }: Request): readonly string[] {
    const declarations = method === 'tools/call' ? this.#byTool.get(String(params?.['name'])) : undefined;
    return (declarations ?? []).flatMap((parameter) => {
      const text = mirroredValue(parameter, params?.['arguments']);
      return text === undefined ? [] : [`mcp-param-${parameter.header}`, headerValue(text)];
    });
  }
}
