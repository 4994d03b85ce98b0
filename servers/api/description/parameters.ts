/** Parameters of an operation. */
import { isFraming, isOwned } from '../guard/headers.ts';
import { type Description, isObject, list, textOf } from './document.ts';
import { OWN_ARGUMENTS, propertyName } from './names.ts';
import type { Parameter, Style } from './operation.ts';
import type { SchemaReader } from './schema.ts';

/** A description that asks for more has been made to hurt. */
const MAX_PARAMETERS = 1000;
const NODES = 150;
const DEFAULT_STYLE = { path: 'simple', query: 'form', querystring: 'form', header: 'simple', cookie: 'form' } as const;
const STYLES: Readonly<Record<string, readonly Style[]>> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

/** What the settings send themselves, so that no argument may: `query:key`, `header:x-key`, `cookie:session`, lower case. */
export type Reserved = ReadonlySet<string>;

/** The parameters, and the `$defs` they need. @throws BrokenReference, Error with the reason why the operation cannot be a tool */
export function parametersOf(
  description: Description,
  item: unknown,
  operation: unknown,
  reader: SchemaReader,
  reserved: Reserved,
): { readonly parameters: readonly Parameter[]; readonly defs: Record<string, unknown>; readonly taken: Set<string> } {
  const byKey = new Map<string, Readonly<Record<string, unknown>>>();
  for (const raw of [...list(item), ...list(operation)]) {
    const each = description.object(raw);
    if (typeof each['name'] === 'string') byKey.set(`${String(each['in'])}:${each['name']}`, each);
  }
  if (byKey.size > MAX_PARAMETERS) throw new Error(`it has ${byKey.size} parameters, the limit is ${MAX_PARAMETERS}`);
  const taken = new Set<string>(OWN_ARGUMENTS);
  const defs: Record<string, unknown> = {};
  const parameters: Parameter[] = [];
  for (const [key, each] of byKey) {
    const place = each['in'];
    if (place !== 'path' && place !== 'query' && place !== 'querystring' && place !== 'header' && place !== 'cookie') continue;
    const name = String(each['name']);
    // OpenAPI: header parameters named Accept, Content-Type and Authorization are ignored; those that route or identify are the settings' own.
    if (place === 'header' && (name.toLowerCase() === 'accept' || isOwned(name) || isFraming(name))) continue;
    if (place !== 'path' && reserved.has(`${place}:${place === 'header' ? name.toLowerCase().replaceAll('_', '-') : name.toLowerCase()}`))
      continue;
    const content = isObject(each['content']) ? Object.entries(each['content'])[0] : undefined;
    const media = content === undefined ? undefined : description.object(content[1]);
    const read = reader.read(media === undefined ? each['schema'] : media['schema'], NODES);
    Object.assign(defs, read.defs);
    const style = (STYLES[place] ?? []).find((known) => known === each['style']) ?? DEFAULT_STYLE[place];
    const required = place === 'path' || each['required'] === true;
    const schema = { ...read.schema };
    const words = [textOf(each['description']), textOf(schema['description']), each['deprecated'] === true ? '(deprecated)' : undefined];
    const text = [...new Set(words.filter((word) => word !== undefined))].join(' ').slice(0, 600);
    const example = each['example'] ?? firstExample(description, each['examples']);
    parameters.push({
      property: propertyName(key.startsWith('path:') || !taken.has(name) ? name : `${name}_${place}`, taken),
      name,
      in: place,
      required,
      style,
      explode: typeof each['explode'] === 'boolean' ? each['explode'] : style === 'form' || style === 'deepObject',
      allowReserved: each['allowReserved'] === true || each['x-multi-segment'] === true,
      json: content !== undefined && /json/iu.test(content[0]),
      schema: {
        ...schema,
        ...(text === '' ? {} : { description: text }),
        ...(example === undefined || JSON.stringify(example).length > 200 ? {} : { examples: [example] }),
      },
    });
  }
  return { parameters, defs, taken };
}

/** The value of the first of some named examples. */
export function firstExample(description: Description, examples: unknown): unknown {
  if (!isObject(examples)) return undefined;
  const first = Object.values(examples)[0];
  return first === undefined ? undefined : description.object(first)['value'];
}
