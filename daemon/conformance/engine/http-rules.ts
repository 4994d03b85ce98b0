/** The rules of the HTTP side of an exchange: statuses, content types, streams, session ids. */
import { isObject, type JsonObject } from '../../protocol/message.ts';
import type { HttpFacts } from '../transports/wire.ts';
import { at, shown } from './judge.ts';
import type { Asked, Model } from './model.ts';

/** Checks one exchange that carried a request. */
export function checkHttp(model: Model, asked: Asked, http: HttpFacts, got: JsonObject | undefined): void {
  const { judge } = model;
  if (http.status === 0) return;
  const type = (http.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (http.status >= 200 && http.status < 300) {
    const known = type === 'application/json' || type === 'text/event-stream';
    judge.check('HTTP-CONTENT-TYPE', known, 'application/json or text/event-stream', `${http.status} ${type}`);
    if (type === 'application/json')
      judge.check('HTTP-CONTENT-TYPE', http.frames.length === 1 && isObject(http.frames[0]?.value), 'one JSON object', () =>
        shown(http.body),
      );
  }
  if (type === 'text/event-stream') {
    const resumable = http.events.some(({ id }) => id !== undefined);
    // the stream of a request that was given up may end without one
    if (http.ended && !resumable && !asked.provoked)
      judge.check('HTTP-SSE-RESPONSE', got !== undefined, 'the response before the stream ends', 'the stream ended without it');
    if (http.ended && resumable && got === undefined && !asked.provoked)
      judge.check(
        'HTTP-SSE-RETRY',
        http.events.some(({ retry }) => retry !== undefined),
        'retry before the connection ends',
        'no retry',
      );
    if (got !== undefined) judge.check('HTTP-SSE-CLOSE', http.ended, 'the stream ends after the response', 'it stayed open');
    for (const { id } of http.events) {
      if (id === undefined) continue;
      judge.check('HTTP-EVENT-ID-UNIQUE', !model.eventIds.has(id), 'event ids unique over all streams', id);
      model.eventIds.add(id);
    }
    judge.check(
      'HTTP-SSE-PRIME',
      http.events[0]?.id !== undefined && http.events[0].data === '',
      'first an event with an id and no data',
      () => shown(http.events[0]),
      'note',
    );
    judge.check('HTTP-XACCEL', http.headers['x-accel-buffering'] === 'no', 'X-Accel-Buffering: no', () =>
      shown(http.headers['x-accel-buffering']),
    );
  }
  // a server of both eras may open a session for `initialize`
  if (judge.era === 'modern' && asked.method !== 'initialize')
    judge.check('HTTP-SESSION-IGNORE', http.headers['mcp-session-id'] === undefined, 'no Mcp-Session-Id', () =>
      shown(http.headers['mcp-session-id']),
    );
  const session = judge.era === 'legacy' ? http.headers['mcp-session-id'] : undefined;
  if (session !== undefined)
    judge.check('HTTP-SESSION-ASCII', /^[\x21-\x7e]+$/.test(session), 'a session id of visible ASCII', shown(session));
  if (asked.provoked) return;
  const code = at(got, 'error', 'code');
  if (code === -32601) judge.check('HTTP-404-METHOD', http.status === 404, 'status 404 beside -32601', String(http.status));
  // a stream that has begun has its status already
  const begun = type === 'text/event-stream' && http.frames.length > 1;
  if (code === -32021 && !begun) judge.check('META-CAP-MISSING-400', http.status === 400, 'status 400 beside -32021', String(http.status));
}
