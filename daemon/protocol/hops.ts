/** Nested federation: the daemons a message has come through, so that no request and no definition goes in a circle. Pure. */
import { SignalboxError } from '../api/errors.ts';
import { isObject, type JsonObject, metaOf } from './message.ts';

/** `_meta` key: ids of the daemons a request has come through, oldest first; on a listed definition, those it was read through. */
export const HOPS_KEY = 'dev.signalbox/hops';
/** `_meta` key of what a daemon answers to `initialize` and `server/discover`: its id. */
export const DAEMON_KEY = 'dev.signalbox/daemon';
/** Daemons a request may come through. */
export const HOPS_LIMIT = 4;

/** The hops of a request's params or of a definition. */
export function hopsOf(container: JsonObject | undefined): readonly string[] {
  const hops = metaOf(container)?.[HOPS_KEY];
  return Array.isArray(hops) ? hops.filter((hop) => typeof hop === 'string') : [];
}

/** Params (or a definition) with one more hop. */
export function withHop(container: JsonObject | undefined, own: string): JsonObject {
  return { ...container, _meta: { ...metaOf(container), [HOPS_KEY]: [...hopsOf(container), own] } };
}

/** Params without the hops (they are no business of a server that is no Signalbox). */
export function withoutHops(params: JsonObject | undefined): JsonObject | undefined {
  const meta = metaOf(params);
  if (params === undefined || meta === undefined || !(HOPS_KEY in meta)) return params;
  const { [HOPS_KEY]: _hops, ...rest } = meta;
  const { _meta, ...others } = params;
  return isObject(rest) && Object.keys(rest).length > 0 ? { ...others, _meta: rest } : others;
}

/** Why hops must not go on: our own id is among them, or there are too many. The path is in the error. */
export function hopFault(hops: readonly string[], own: string): SignalboxError | undefined {
  const loop = hops.includes(own);
  if (!loop && hops.length < HOPS_LIMIT) return undefined;
  return new SignalboxError('SBX_FEDERATION_LOOP', loop ? 'The federation goes in a circle.' : 'The federation is too deep.', {
    why: `The path is ${[...hops, own].join(' → ')}; ${loop ? 'this daemon is in it already' : `at most ${HOPS_LIMIT} daemons are passed`}.`,
    fix: 'Take the server of type "signalbox" that leads back (or the outermost one) out of the configuration.',
  });
}
