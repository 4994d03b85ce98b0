/** Where an API is, by its description. */
import type { JsonObject } from '../../plugin/define.ts';
import { strictUrl } from '../guard/target.ts';
import { type Description, isObject, list } from './document.ts';

/** The URL of a server object with its variables filled in: the settings' value where the description allows it, else the default. */
export function serverOf(server: unknown, variables: Readonly<Record<string, string>>): string | undefined {
  if (!isObject(server) || typeof server['url'] !== 'string') return undefined;
  const declared = isObject(server['variables']) ? server['variables'] : {};
  return server['url'].replace(/\{([^}]+)\}/gu, (whole, name: string) => {
    const variable = isObject(declared[name]) ? declared[name] : {};
    const given = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const allowed = list(variable['enum']);
    if (given !== undefined && (allowed.length === 0 || allowed.includes(given))) return given;
    return typeof variable['default'] === 'string' ? variable['default'] : whole;
  });
}

/**
 * The first server of the description, absolute.
 * @param from where the description was fetched from; a relative server URL starts there
 */
export function baseOf(
  description: Description,
  variables: Readonly<Record<string, string>>,
  from: string | undefined,
): string | undefined {
  const urls = list(description.root['servers']).map((server) => serverOf(server, variables));
  const absolute = urls.find((url) => url !== undefined && typeof strictUrl(url) !== 'string');
  if (absolute !== undefined) return absolute;
  const relative = urls.find((url) => url?.startsWith('/') === true && !url.startsWith('//')) ?? (urls.length === 0 ? '/' : undefined);
  return from === undefined || relative === undefined ? undefined : `${new URL(from).origin}${relative}`;
}

/** Every origin the description names: its servers, those of its paths and operations. */
export function originsOf(root: JsonObject, variables: Readonly<Record<string, string>>): readonly string[] {
  const origins = new Set<string>();
  const add = (servers: unknown): void => {
    for (const server of list(servers)) {
      const url = strictUrl(serverOf(server, variables) ?? '');
      if (typeof url !== 'string') origins.add(url.origin);
    }
  };
  add(root['servers']);
  for (const item of Object.values(isObject(root['paths']) ? root['paths'] : {})) {
    if (!isObject(item)) continue;
    add(item['servers']);
    for (const operation of Object.values(item)) if (isObject(operation)) add(operation['servers']);
  }
  return [...origins];
}
