import { isObject, type JsonObject } from '../../protocol/message.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import type { Session } from '../engine/session.ts';
import { walk } from '../engine/subject.ts';
import { compile } from '../engine/validator.ts';
import { outcomeText } from './expect.ts';

const definitions = property<{ round: number }>({
  name: 'tools/definitions',
  area: 'tools',
  phase: 'static',
  stems: [
    'TOOL-CAP',
    'TOOL-LIST-SERVED',
    'TOOL-INPUTSCHEMA-OBJECT',
    'TOOL-OUTPUTSCHEMA-VALID',
    'TOOL-NAME-LEN',
    'TOOL-NAME-CHARS',
    'TOOL-NAME-UNIQUE',
    'TOOL-ANNOT-BOOL',
    'TOOL-ICONS',
    'RPC-SCHEMA-DIALECT',
    'TOOL-XHDR-NONEMPTY',
    'TOOL-XHDR-TOKEN',
    'TOOL-XHDR-UNIQUE',
    'TOOL-XHDR-PRIMITIVE',
    'TOOL-XHDR-REACHABLE',
    'TOOL-XHDR-SECRET',
  ],
  cases: () => ({ boundaries: [{ round: 1 }] }),
  async run({ session, subject }) {
    const declared = Object.hasOwn(subject.capabilities, 'tools');
    const first = await session.request('tools/list');
    if (!declared) {
      session.judge.check('TOOL-CAP', first.result === undefined, 'no tools without the capability', () => outcomeText(session, first));
      return;
    }
    session.judge.check('TOOL-LIST-SERVED', Array.isArray(at(first.result, 'tools')), 'a list of tools', () => outcomeText(session, first));
    const { items } = await walk(session, 'tools/list', 'tools');
    for (const tool of items) checkDefinition(session, tool);
    const names = items.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    session.judge.check('TOOL-NAME-UNIQUE', twice === undefined, 'unique names', () => shown(twice));
  },
});

function checkDefinition({ judge }: Session, tool: JsonObject): void {
  const { name, inputSchema, outputSchema, annotations } = tool;
  const text = typeof name === 'string' ? name : '';
  judge.check('TOOL-NAME-LEN', text.length >= 1 && text.length <= 128, '1 to 128 characters', () => shown(name));
  judge.check('TOOL-NAME-CHARS', /^[A-Za-z0-9_.-]*$/.test(text), 'A-Z a-z 0-9 _ - .', () => shown(name));
  const input = isObject(inputSchema) ? compile(inputSchema) : new Error('it is no object');
  const good = isObject(inputSchema) && inputSchema['type'] === 'object';
  judge.check(
    'TOOL-INPUTSCHEMA-OBJECT',
    good && !(input instanceof Error),
    'an inputSchema of type object',
    () => `${text}: ${shown(inputSchema)}`,
  );
  judge.check('RPC-SCHEMA-DIALECT', !(input instanceof Error), 'a schema valid under its dialect', () => `${text}: ${String(input)}`);
  if (outputSchema !== undefined) {
    const output = isObject(outputSchema) ? compile(outputSchema) : new Error('it is no object');
    judge.check('TOOL-OUTPUTSCHEMA-VALID', !(output instanceof Error), 'a valid outputSchema', () => `${text}: ${String(output)}`);
    judge.check('RPC-SCHEMA-DIALECT', !(output instanceof Error), 'a schema valid under its dialect', () => `${text}: ${String(output)}`);
    if (judge.era === 'legacy')
      judge.check(
        'TOOL-OUTPUTSCHEMA-VALID',
        at(outputSchema, 'type') === 'object',
        'an outputSchema of type object',
        () => `${text}: ${shown(outputSchema)}`,
      );
  }
  if (annotations !== undefined) {
    const fits =
      isObject(annotations) &&
      Object.entries(annotations).every(([key, value]) =>
        key === 'title' ? typeof value === 'string' : !key.endsWith('Hint') || typeof value === 'boolean',
      );
    judge.check('TOOL-ANNOT-BOOL', fits, 'boolean hints and a title that is a string', () => `${text}: ${shown(annotations)}`);
  }
  if (judge.era === 'modern') checkHeaders(judge, text, inputSchema);
}

function checkHeaders(judge: Session['judge'], tool: string, schema: unknown): void {
  const seen = new Set<string>();
  const visit = (part: unknown, key: string, reachable: boolean): void => {
    if (Array.isArray(part)) for (const item of part) visit(item, key, false);
    if (!isObject(part)) return;
    const header = part['x-mcp-header'];
    if (header !== undefined) {
      const text = typeof header === 'string' ? header : '';
      const what = `${tool}.${key}: ${shown(header)}`;
      judge.check('TOOL-XHDR-NONEMPTY', text !== '', 'a name', what);
      judge.check('TOOL-XHDR-TOKEN', text === '' || /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(text), 'an HTTP token', what);
      judge.check('TOOL-XHDR-UNIQUE', !seen.has(text.toLowerCase()), 'unique names, whatever their case', what);
      judge.check(
        'TOOL-XHDR-PRIMITIVE',
        ['integer', 'string', 'boolean'].includes(String(part['type'])),
        'an integer, string or boolean',
        () => shown(part),
      );
      judge.check('TOOL-XHDR-REACHABLE', reachable, 'a property reachable by properties alone', what);
      judge.check('TOOL-XHDR-SECRET', !/password|token|secret|api_?key|ssn/i.test(key), 'no sensitive parameter in a header', what);
      seen.add(text.toLowerCase());
    }
    for (const [name, inner] of Object.entries(part)) {
      if (name === 'properties' && isObject(inner)) for (const [child, value] of Object.entries(inner)) visit(value, child, reachable);
      else if (name !== 'const' && name !== 'enum' && name !== 'default' && name !== 'examples') visit(inner, key, false);
    }
  };
  visit(schema, '', true);
}

/** The properties of definitions. */
export const TOOL_DEFINITIONS: readonly Property[] = [definitions];
