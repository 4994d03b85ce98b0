/** What the official suite expects to read: fixed contents of tools, prompts and resources. */

/** One red pixel, PNG, base64. */
export const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** A WAV file without samples, base64. */
export const AUDIO = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';

/** A text block. */
export function text(value: string): { type: 'text'; text: string } {
  return { type: 'text', text: value };
}

/** The image block. */
export function image(): { type: 'image'; data: string; mimeType: string } {
  return { type: 'image', data: IMAGE, mimeType: 'image/png' };
}

/** An object schema; `required` are names of its properties. */
export function object(
  properties: Readonly<Record<string, unknown>> = {},
  required: readonly string[] = [],
): { type: 'object'; properties: Record<string, never>; required?: string[] } {
  return {
    type: 'object',
    properties: { ...properties } as Record<string, never>,
    ...(required.length > 0 && { required: [...required] }),
  };
}

/** SEP-1613, SEP-2106: the keywords of JSON Schema 2020-12 that a list must carry unchanged. */
export const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;

/** SEP-1034: a default for every primitive type. */
export const DEFAULTS = object({
  name: { type: 'string', default: 'John Doe' },
  age: { type: 'integer', default: 30 },
  score: { type: 'number', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', default: true },
});

const titled = (prefix: string, titles: readonly string[]): { const: string; title: string }[] =>
  titles.map((title, index) => ({ const: `${prefix}${index + 1}`, title }));

/** SEP-1330: the five forms of an enumeration. */
export const ENUMS = object({
  untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
  titledSingle: { type: 'string', oneOf: titled('value', ['First Option', 'Second Option', 'Third Option']) },
  legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
  untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
  titledMulti: { type: 'array', items: { anyOf: titled('value', ['First Choice', 'Second Choice', 'Third Choice']) } },
});
