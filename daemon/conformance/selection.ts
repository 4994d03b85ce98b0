/** Which properties run, and which of them first. */
import type { Property } from './engine/property.ts';
import { PROPERTIES } from './properties/properties.ts';

/**
 * The properties that are asked for, in their order.
 * @param only names, parts of names, ids of requirements with or without the era's letter; a whole name means that one property
 */
export function selected(only: string | readonly string[] | undefined): readonly Property[] {
  if (only === undefined) return PROPERTIES;
  const wanted = (typeof only === 'string' ? [only] : only).map((word) => ({
    word,
    stem: word.replace(/^[LM]-/, ''),
    exact: PROPERTIES.some(({ name }) => name === word),
  }));
  return PROPERTIES.filter(({ name, stems }) =>
    wanted.some(({ word, stem, exact }) => (exact ? name === word : name.includes(word) || stems.includes(stem))),
  );
}

/**
 * The properties a watched server is tested with first: those that failed, and those of areas that are not as they were. Handshake
 * and capabilities belong to every area that is negotiated there.
 */
export function earlier(
  properties: readonly Property[],
  before: { readonly properties: readonly string[]; readonly surface: Readonly<Record<string, string>> } | undefined,
  surface: Readonly<Record<string, string>>,
): ReadonlySet<string> {
  if (before === undefined) return new Set();
  const changed = new Set(
    Object.keys(surface).filter((area) => Object.hasOwn(before.surface, area) && before.surface[area] !== surface[area]),
  );
  if (changed.has('server')) for (const area of ['lifecycle', 'versioning', 'capabilities', 'discovery']) changed.add(area);
  return new Set([
    ...before.properties,
    ...properties.filter(({ area, name }) => changed.has(area) || changed.has(name.split('/')[0] ?? '')).map(({ name }) => name),
  ]);
}
