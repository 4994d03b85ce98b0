/** URIs inside results: a server's own URI becomes the one its endpoint exposes, where the two differ. Pure. */
import { isObject, type JsonObject } from '../protocol/message.ts';

/**
 * A result of `tools/call`, `prompts/get` or `resources/read` with every URI of a `resource_link`, an embedded resource or a read
 * content as exposed. The very same object when there is nothing to change, which is nearly always.
 * @param aliases server's URI → exposed URI, of the one server the result is from (`Catalog.uriAliases`)
 */
export function exposeUris(result: JsonObject, aliases: ReadonlyMap<string, string> | undefined): JsonObject {
  if (aliases === undefined || aliases.size === 0) return result;
  const content = mapped(result['content'], (block) => exposedBlock(block, aliases));
  const contents = mapped(result['contents'], (item) => exposedUriOf(item, aliases));
  const messages = mapped(result['messages'], (message) => {
    if (!isObject(message)) return message;
    const inner = Array.isArray(message['content'])
      ? mapped(message['content'], (block) => exposedBlock(block, aliases))
      : exposedBlock(message['content'], aliases);
    return inner === message['content'] ? message : { ...message, content: inner };
  });
  if (content === result['content'] && contents === result['contents'] && messages === result['messages']) return result;
  return {
    ...result,
    ...(content === undefined ? {} : { content }),
    ...(contents === undefined ? {} : { contents }),
    ...(messages === undefined ? {} : { messages }),
  };
}

function exposedBlock(block: unknown, aliases: ReadonlyMap<string, string>): unknown {
  if (!isObject(block)) return block;
  if (block['type'] === 'resource_link') return exposedUriOf(block, aliases);
  if (block['type'] !== 'resource') return block;
  const resource = exposedUriOf(block['resource'], aliases);
  return resource === block['resource'] ? block : { ...block, resource };
}

function exposedUriOf(item: unknown, aliases: ReadonlyMap<string, string>): unknown {
  const uri = isObject(item) ? item['uri'] : undefined;
  const exposed = typeof uri === 'string' ? aliases.get(uri) : undefined;
  return isObject(item) && exposed !== undefined ? { ...item, uri: exposed } : item;
}

/** The list with every item mapped; the same list when no item changed, and what is no list as it is. */
function mapped(list: unknown, map: (item: unknown) => unknown): unknown {
  if (!Array.isArray(list)) return list;
  const next = list.map(map);
  return next.some((item, index) => item !== list[index]) ? next : list;
}
