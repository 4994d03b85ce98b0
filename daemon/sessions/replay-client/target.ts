/** What a replay is aimed at. */
import { isAbsolute } from 'node:path';
import { type Schema, Validator } from 'jsonschema';
import type { HttpServer, StdioServer } from '../../api/config.ts';
import { SignalboxError } from '../../api/errors.ts';
import type { ReplayTarget } from '../../api/recordings.ts';

const TEXT: Schema = { type: 'string', minLength: 1 };
const TEXTS: Schema = { type: 'object', additionalProperties: { type: 'string' } };
const of = (kind: string, required: Schema['properties'], optional: Schema['properties']): Schema => ({
  type: 'object',
  properties: { kind: { const: kind }, ...required, ...optional },
  required: ['kind', ...Object.keys(required ?? {})],
  additionalProperties: false,
});
const SCHEMAS: Readonly<Record<string, Schema>> = {
  endpoint: of('endpoint', { endpoint: TEXT }, { workspace: TEXT }),
  server: of('server', { server: TEXT }, { workspace: TEXT }),
  stdio: of('stdio', { command: TEXT, args: { type: 'array', items: { type: 'string' } } }, { cwd: TEXT, env: TEXTS }),
  http: of('http', { url: { type: 'string', pattern: '^https?://' } }, { headers: TEXTS }),
};

/**
 * Checks a target that came from outside.
 * @throws SBX_USAGE
 */
export function checkTarget(value: { readonly kind?: unknown }): ReplayTarget {
  const schema = typeof value.kind === 'string' ? SCHEMAS[value.kind] : undefined;
  const [first] = schema === undefined ? [] : new Validator().validate(value, schema, { required: true }).errors;
  const target = value as ReplayTarget;
  if (schema !== undefined && first === undefined && !(target.kind === 'stdio' && target.cwd !== undefined && !isAbsolute(target.cwd)))
    return target;
  throw new SignalboxError('SBX_USAGE', '`against` is no target of a replay.', {
    why:
      first === undefined ? 'Its kind is endpoint, server, stdio (with an absolute cwd) or http.' : `${first.property} ${first.message}.`,
    fix: 'Give an endpoint, a server, a command line or a URL.',
  });
}

/** The entry of a server for a command line or a URL. */
export function entryOfTarget(target: Extract<ReplayTarget, { kind: 'stdio' | 'http' }>): StdioServer | HttpServer {
  if (target.kind === 'http') return { type: 'http', url: target.url, headers: target.headers ?? {} };
  const { command, args, cwd, env } = target;
  return { command, args, ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }) };
}

/** How a report names a target. */
export function targetName(target: ReplayTarget): string {
  switch (target.kind) {
    case 'endpoint':
      return `endpoint ${target.endpoint}`;
    case 'server':
      return `server ${target.server}`;
    case 'stdio':
      return [target.command, ...target.args].join(' ');
    case 'http':
      return target.url;
  }
}
