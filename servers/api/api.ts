/** One API, ready to be called: from settings to operations, guard and credentials. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { SignalboxError } from '../../daemon/api/errors.ts';
import type { JsonObject, PluginContext } from '../plugin/define.ts';
import { Answers } from './answers.ts';
import { importRequests } from './catalogue/import.ts';
import { catalogueOperations } from './catalogue/requests.ts';
import { chosen } from './description/choice.ts';
import { type Description, isObject, list } from './description/document.ts';
import type { Omitted, Operation } from './description/operation.ts';
import { operationsOf } from './description/operations.ts';
import { MAX_DESCRIPTION_BYTES, parseDescription, readDescriptionFile, wrongDescription } from './description/read.ts';
import { baseOf, originsOf } from './description/servers.ts';
import type { Resolve } from './guard/dialer.ts';
import { type GuardOptions, openGuard } from './guard/exchange.ts';
import { reservedBy } from './guard/headers.ts';
import { parseBaseUrl, strictUrl } from './guard/target.ts';
import { type Preset, presetAuth, presetOf } from './presets/presets.ts';
import { type AuthSettings, authenticator, secretsOf, tokenOrigin } from './request/auth.ts';
import { Secrets } from './request/secrets.ts';
import type { Sender } from './request/send.ts';
import { checkHeaders, type Settings } from './settings.ts';

/** What calls need. */
export interface Api {
  readonly title: string;
  readonly base: URL;
  readonly sender: Sender;
  readonly secrets: Secrets;
  /** What the settings send: `query:key`, `header:x-key`, `cookie:session`, lower case. */
  readonly reserved: ReadonlySet<string>;
  readonly operations: readonly Operation[];
  readonly omitted: readonly Omitted[];
  readonly description: Description | undefined;
  /** The file to watch. */
  readonly file: string | undefined;
  readonly search: boolean;
  readonly maxBytes: number;
  readonly answerBytes: number;
  readonly mediaBytes: number;
  readonly maxPages: number;
  readonly maxItems: number;
  readonly answers: Answers;
  /** Beginning of the URIs of its resources. */
  readonly uri: string;
  audit(line: JsonObject): void;
  close(): Promise<void>;
}

/** The network as a test wants it; a server always uses the system's resolver. */
export interface Network {
  readonly resolve?: Resolve;
}

/** More tools than a model can choose among well. */
const SEARCH_FROM = 80;
const MEDIA_BYTES = 1024 * 1024;
/** Names of headers whose values are no secrets; every other value of `headers` is taken out of answers. */
const OPEN_HEADER =
  /^(?:accept(?:-.*)?|content-.*|user-agent|cache-control|prefer|x-requested-with|origin|referer|.*version.*|.*language.*|.*-(?:type|format|name|region|mode))$/iu;
const CREDENTIAL = /key|token|secret|passw|signature|credential|auth|session|cookie|jwt/iu;

/**
 * Opens the API of some settings; undefined when they name none.
 * @param pinned origins of an earlier version of the description: a new one may not name others
 * @throws SignalboxError `SBX_API_SPEC`, `SBX_PLUGIN_SETTINGS`, those of the guard when a description is fetched
 */
export async function openApi(
  context: PluginContext,
  pinned: ReadonlySet<string> | undefined,
  network: Network = {},
): Promise<Api | undefined> {
  const settings = context.settings as Settings;
  const preset = settings.preset === undefined ? undefined : presetOf(settings.preset);
  const headers = { ...preset?.headers, ...settings.headers };
  checkHeaders(headers);
  const at = (path: string): string => resolve(context.baseFolder, path);
  const catalogue = catalogueOperations({ ...preset?.requests, ...importRequests(settings.import ?? [], at), ...settings.requests });
  if (settings.spec === undefined && catalogue.length === 0) return undefined;
  const remote = settings.spec !== undefined && /^https?:/iu.test(settings.spec) ? settings.spec : undefined;
  const file = settings.spec === undefined || remote !== undefined ? undefined : at(settings.spec);
  const description =
    remote !== undefined
      ? await fetchDescription(remote, { ...guardSettings(settings, at), ...network })
      : file === undefined
        ? undefined
        : readDescriptionFile(file);
  const auth =
    settings.auth ?? (preset === undefined ? undefined : presetAuth(preset, settings.key)) ?? authOfDescription(description, settings.key);
  const secrets = new Secrets(allSecrets(settings, headers, auth));
  const variables = settings.variables ?? {};
  const base = parseBaseUrl(
    settings.baseUrl ??
      preset?.baseUrl ??
      (description === undefined ? undefined : baseOf(description, variables, remote)) ??
      firstServer(catalogue) ??
      '',
  );
  const hosts = (settings.hosts ?? []).map((host) => originOf(host));
  const named = new Set([
    base.origin,
    ...hosts,
    ...(description === undefined ? [] : originsOf(description.root, variables)),
    ...catalogue.flatMap(serverOrigin),
  ]);
  const stranger = pinned === undefined ? undefined : [...named].find((origin) => !pinned.has(origin));
  if (stranger !== undefined)
    throw wrongDescription(
      settings.spec ?? 'The new description',
      `It now names ${stranger}, which it did not when this server was started. Restart the server if that is meant.`,
    );
  const shared = { ...guardSettings(settings, at), ...network };
  const tokens = tokenOrigin(auth);
  const tokenGuard = tokens === undefined ? undefined : openGuard({ ...shared, origins: [tokens], cache: false });
  const guard = openGuard({ ...shared, origins: [...named], cache: settings.cache ?? true });
  const authentication = authenticator(auth, tokenGuard, secrets);
  const reserved = new Set([...authentication.reserved, ...reservedBy(headers)]);
  const read =
    description === undefined
      ? { operations: [], omitted: [] }
      : operationsOf(description, { reserved, rename: settings.rename ?? {}, variables });
  const { operations, hidden } = chosen(
    distinct([...catalogue, ...read.operations]).map((each) => withPagination(each, settings)),
    {
      methods: settings.methods ?? ['GET', 'HEAD'],
      allow: settings.allow ?? [],
      include: settings.include,
      exclude: settings.exclude ?? [],
      deprecated: settings.deprecated ?? false,
    },
  );
  const uri = `api://${base.host.replace(/[^A-Za-z0-9.-]/gu, '-')}/`;
  const maxBytes = settings.maxBytes ?? 8 * 1024 * 1024;
  return {
    title: titleOf(preset, description),
    base,
    sender: {
      guard,
      auth: authentication,
      headers,
      trusted: new Set([base.origin, ...hosts]),
      paces: new Map(),
      rate: settings.rate ?? {},
      tries: settings.tries ?? 3,
      maxWaitMs: settings.maxWaitMs ?? 20_000,
      idempotencyHeader: settings.idempotencyHeader,
    },
    secrets,
    reserved,
    operations,
    omitted: [
      ...read.omitted,
      ...hidden.map(({ operation, reason }) => ({
        method: operation.method,
        path: operation.path,
        operationId: operation.operationId,
        reason,
      })),
    ],
    description,
    file,
    search: settings.mode === 'search' || (settings.mode !== 'tools' && operations.length > SEARCH_FROM),
    maxBytes,
    answerBytes: Math.min(settings.answerBytes ?? 64 * 1024, maxBytes),
    mediaBytes: Math.min(MEDIA_BYTES, maxBytes),
    maxPages: settings.maxPages ?? 20,
    maxItems: settings.maxItems ?? 1000,
    answers: new Answers(`${uri}answers/`),
    uri,
    audit: (line) => context.audit(secrets.value(line) as JsonObject),
    close: async () => {
      await guard.close();
      await tokenGuard?.close();
    },
  };
}

/** Every origin an open API may reach. */
export function originsOfApi(api: Api, settings: Settings): ReadonlySet<string> {
  const described = api.description === undefined ? [] : originsOf(api.description.root, settings.variables ?? {});
  return new Set([...api.sender.trusted, ...described, ...api.operations.flatMap(serverOrigin)]);
}

async function fetchDescription(address: string, shared: Omit<GuardOptions, 'origins' | 'cache'>): Promise<Description> {
  const url = strictUrl(address);
  if (typeof url === 'string') throw wrongDescription('The address in "spec"', url);
  const guard = openGuard({ ...shared, origins: [url.origin], cache: false });
  try {
    const fetched = await guard.exchange({
      method: 'GET',
      url: url.href,
      headers: { accept: 'application/vnd.oai.openapi+json, application/json, application/yaml, */*;q=0.1' },
      maxBytes: MAX_DESCRIPTION_BYTES,
      signal: new AbortController().signal,
    });
    if (fetched.status !== 200) throw wrongDescription(url.origin + url.pathname, `The address answered ${fetched.status}.`);
    if (fetched.truncated) throw wrongDescription(url.origin + url.pathname, `It is longer than ${MAX_DESCRIPTION_BYTES} bytes.`);
    return parseDescription(fetched.body.toString('utf8'), url.origin + url.pathname);
  } finally {
    await guard.close();
  }
}

function guardSettings(
  settings: Settings,
  at: (path: string) => string,
): { allowPrivate: readonly string[]; timeoutMs: number; ca?: string } {
  const base = { allowPrivate: settings.allowPrivate ?? [], timeoutMs: settings.timeoutMs ?? 15_000 };
  if (settings.ca === undefined) return base;
  try {
    return { ...base, ca: readFileSync(at(settings.ca), 'utf8') };
  } catch (cause) {
    throw new SignalboxError('SBX_PLUGIN_SETTINGS', 'The certificate authority cannot be read.', {
      why: `ca: ${cause instanceof Error ? cause.message : String(cause)}`,
      fix: 'Name a PEM file.',
      cause,
    });
  }
}

/** Where `key` goes by the description's own security schemes. */
function authOfDescription(description: Description | undefined, key: string | undefined): AuthSettings | undefined {
  if (key === undefined || description === undefined) return undefined;
  const components = isObject(description.root['components']) ? description.root['components'] : {};
  const schemes = isObject(components['securitySchemes']) ? components['securitySchemes'] : {};
  const wanted = list(description.root['security']).flatMap((each) => (isObject(each) ? Object.keys(each) : []));
  for (const name of [...wanted, ...Object.keys(schemes)]) {
    const scheme = description.object(schemes[name]);
    const place = scheme['in'];
    if (
      scheme['type'] === 'apiKey' &&
      typeof scheme['name'] === 'string' &&
      (place === 'header' || place === 'query' || place === 'cookie')
    )
      return { type: 'apiKey', in: place, name: scheme['name'], value: key };
    if (scheme['type'] === 'http' && String(scheme['scheme']).toLowerCase() === 'basic') {
      const [username = '', ...rest] = key.split(':');
      return { type: 'basic', username, password: rest.join(':') };
    }
    if (scheme['type'] === 'http' || scheme['type'] === 'oauth2' || scheme['type'] === 'openIdConnect')
      return { type: 'bearer', token: key };
  }
  return { type: 'bearer', token: key };
}

function allSecrets(settings: Settings, headers: Readonly<Record<string, string>>, auth: AuthSettings | undefined): readonly string[] {
  const values = Object.entries(headers).flatMap(([name, value]) => {
    if (OPEN_HEADER.test(name)) return [];
    return name.toLowerCase() === 'cookie' ? [value, ...value.split(';').map((pair) => pair.slice(pair.indexOf('=') + 1).trim())] : [value];
  });
  const fixed = Object.values(settings.requests ?? {}).flatMap((request) =>
    [...Object.entries(request.query ?? {}), ...Object.entries(request.headers ?? {})]
      .filter(([name]) => CREDENTIAL.test(name))
      .map(([, value]) => value),
  );
  return [...secretsOf(auth), ...(settings.key === undefined ? [] : [settings.key]), ...(settings.secrets ?? []), ...values, ...fixed];
}

/** Two of one name: the catalogue's, which stands first, keeps it. */
function distinct(operations: readonly Operation[]): readonly Operation[] {
  const taken = new Set<string>();
  return operations.map((operation) => {
    let name = operation.tool;
    for (let count = 2; taken.has(name); count++) name = `${operation.tool.slice(0, 44)}_${count}`;
    taken.add(name);
    return name === operation.tool ? operation : { ...operation, tool: name };
  });
}

function withPagination(operation: Operation, settings: Settings): Operation {
  const given = settings.pagination ?? {};
  const name = [operation.tool, operation.operationId ?? '', '*'].find((each) => Object.hasOwn(given, each));
  const set = name === undefined ? undefined : given[name];
  return set === undefined || operation.method !== 'GET' ? operation : { ...operation, pagination: set };
}

function titleOf(preset: Preset | undefined, description: Description | undefined): string {
  const info = isObject(description?.root['info']) ? description.root['info'] : {};
  return typeof info['title'] === 'string' ? info['title'].slice(0, 100) : (preset?.title ?? 'API');
}

function firstServer(operations: readonly Operation[]): string | undefined {
  return operations.find((each) => each.server !== undefined)?.server;
}

function serverOrigin(operation: Operation): readonly string[] {
  return operation.server === undefined ? [] : [new URL(operation.server).origin];
}

function originOf(host: string): string {
  const url = strictUrl(/^https?:\/\//iu.test(host) ? host : `https://${host}`);
  if (typeof url !== 'string') return url.origin;
  throw new SignalboxError('SBX_PLUGIN_SETTINGS', 'An entry of "hosts" is no host.', {
    why: `hosts: ${url}`,
    fix: 'Write it as files.example.com or https://files.example.com:8443.',
  });
}
