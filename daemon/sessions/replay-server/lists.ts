/**
 * Lists nobody asked for while it was recorded: the daemon had read them before, or the client had. What is known of them otherwise: what the
 * daemon listed to its clients, and what was called.
 */
import type { OpenLine, RecordingLine } from '../../api/recordings.ts';
import { isObject, isRequest, type JsonObject, type Message } from '../../protocol/message.ts';

/** Definitions by name (resources: by URI). */
export interface KnownLists {
  readonly tools: ReadonlyMap<string, JsonObject>;
  readonly prompts: ReadonlyMap<string, JsonObject>;
  readonly resources: ReadonlyMap<string, JsonObject>;
}

/** The lists, and the member of their results. */
const LISTS: Readonly<Record<string, string>> = {
  'tools/list': 'tools',
  'prompts/list': 'prompts',
  'resources/list': 'resources',
  'resources/templates/list': 'resourceTemplates',
};

/** The result of a list that was not recorded; undefined for any other method. */
export function madeList(method: string, known: KnownLists): JsonObject | undefined {
  const member = Object.hasOwn(LISTS, method) ? LISTS[method] : undefined;
  if (member === undefined) return undefined;
  return { [member]: member === 'resourceTemplates' ? [] : [...known[member as keyof KnownLists].values()] };
}

/**
 * What is known of the lists of one edge.
 * @param server whose edge it is; absent: the clients'
 */
export function knownLists(lines: readonly RecordingLine[], opens: ReadonlyMap<string, OpenLine>, server: string | undefined): KnownLists {
  const known = { tools: new Map<string, JsonObject>(), prompts: new Map<string, JsonObject>(), resources: new Map<string, JsonObject>() };
  const asked = new Map<number, string>();
  const aliases = new Set<string>();
  const listed: { readonly kind: 'tools' | 'prompts'; readonly definition: JsonObject }[] = [];
  for (const line of lines) {
    if (line.k !== 'frame' || line.m === undefined || !isObject(line.m)) continue;
    const open = opens.get(line.c);
    const message = line.m as Message;
    const own = open?.edge === 'server' ? open.server === server && line.d === 'out' : server === undefined && line.d === 'in';
    if (isRequest(message)) {
      const { method, params } = message;
      const name = params?.['name'];
      if (open?.edge === 'client' && typeof name === 'string') asked.set(line.n, name);
      // What clients call it, beside what the server does, tells what stands before all its names.
      const exposed = own && line.call !== undefined ? asked.get(line.call) : undefined;
      if (typeof name === 'string' && exposed?.endsWith(`__${name}`)) aliases.add(exposed.slice(0, -name.length));
      if (own && method === 'tools/call' && typeof name === 'string') known.tools.set(name, { name, inputSchema: { type: 'object' } });
      if (own && method === 'prompts/get' && typeof name === 'string') known.prompts.set(name, { name });
      const uri = params?.['uri'];
      if (own && method === 'resources/read' && typeof uri === 'string') known.resources.set(uri, { uri, name: uri });
    } else if (open?.edge === 'client' && server !== undefined && 'result' in message && isObject(message.result))
      for (const kind of ['tools', 'prompts'] as const) {
        const items: unknown = message.result[kind];
        if (Array.isArray(items)) listed.push(...items.filter(isObject).map((definition) => ({ kind, definition })));
      }
  }
  for (const { kind, definition } of listed)
    for (const alias of aliases) {
      const name = String(definition['name']);
      if (name.startsWith(alias)) known[kind].set(name.slice(alias.length), { ...definition, name: name.slice(alias.length) });
    }
  return known;
}
