/** One call of one operation: request, pages, projection, answer. */
import { randomUUID } from 'node:crypto';
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { JsonObject } from '../../plugin/define.ts';
import { selectedApart } from '../apart.ts';
import type { Api } from '../api.ts';
import type { Operation } from '../description/operation.ts';
import type { Fetched } from '../guard/exchange.ts';
import { badInput } from '../guard/target.ts';
import { buildRequest } from '../request/build.ts';
import { itemsOf, joined, linkNext, nextPage } from '../request/pages.ts';
import { SECRET_MARGIN } from '../request/secrets.ts';
import { selected } from '../request/select.ts';
import { send } from '../request/send.ts';
import { type Parsed, parsedBody, shortened } from './answer.ts';
import { disguisedError, statusError } from './failure.ts';

/** What the client gave with the call. */
export interface Call {
  readonly signal: AbortSignal;
  /** Says how far it is, if the client wants to know. */
  progress(done: number, message: string): Promise<void>;
}
interface Tally {
  requests: number;
  bytes: number;
  status: number;
  pages: number;
}

/**
 * Runs an operation. Writes one audit line, whatever happens.
 * @throws SignalboxError
 */
export async function callOperation(api: Api, operation: Operation, args: JsonObject, call: Call): Promise<CallToolResult> {
  const tally: Tally = { requests: 0, bytes: 0, status: 0, pages: 0 };
  const started = performance.now();
  let url: URL | undefined;
  let failed: unknown;
  try {
    const base = operation.server === undefined ? api.base : new URL(operation.server);
    const built = buildRequest(base, operation, args, api.reserved);
    url = built.url;
    return await run(api, operation, args, call, built, tally);
  } catch (error) {
    failed = error;
    throw error;
  } finally {
    const code = failed instanceof Error ? ('code' in failed ? String(failed.code) : failed.name) : undefined;
    api.audit({
      action: 'request',
      tool: operation.tool,
      method: operation.method,
      url: url === undefined ? operation.path : url.href,
      status: tally.status,
      requests: tally.requests,
      pages: tally.pages,
      bytes: tally.bytes,
      ms: Math.round(performance.now() - started),
      ...(code === undefined ? {} : { error: code }),
    });
  }
}

async function run(
  api: Api,
  operation: Operation,
  args: JsonObject,
  call: Call,
  first: ReturnType<typeof buildRequest>,
  tally: Tally,
): Promise<CallToolResult> {
  const wanted = typeof args['_select'] === 'string' ? args['_select'] : operation.select;
  const limits = pageLimits(api, operation, args);
  const key = randomUUID();
  const pages: unknown[] = [];
  const seen = new Set<string>([first.url.href]);
  let built = first;
  let last: { fetched: Fetched; parsed: Parsed } | undefined;
  let next: URL | undefined;
  let items = 0;
  /** The answer names a next page that must not be asked for. */
  let elsewhere = false;
  let linkSeen = false;
  for (;;) {
    const { fetched: raw, requests } = await send(api.sender, built, { maxBytes: api.maxBytes + SECRET_MARGIN, signal: call.signal, key });
    const whole = !raw.truncated && raw.body.length <= api.maxBytes;
    const parsed = parsedBody({ ...raw, truncated: !whole }, api.secrets);
    const fetched: Fetched = { ...raw, truncated: !whole };
    tally.requests += requests;
    tally.bytes += raw.body.length;
    tally.status = raw.status;
    if (raw.status >= 400) throw statusError(operation, built.url, fetched, reasonText(parsed));
    // 304 is the answer to a condition the caller gave (If-None-Match); it has no body and is no fault.
    if (raw.status >= 300 && raw.status !== 304)
      throw statusError(operation, built.url, fetched, `It is a redirect without an address, or one that is not followed (${raw.status}).`);
    if (parsed.kind === 'json') {
      const disguised = disguisedError(operation, built.url, fetched, parsed.value);
      if (disguised !== undefined) throw disguised;
    }
    last = { fetched, parsed };
    tally.pages++;
    next = undefined;
    if (parsed.kind !== 'json' || operation.pagination === undefined) break;
    pages.push(parsed.value);
    items += itemsOf(operation.pagination, parsed.value)?.length ?? 0;
    const firstCount = itemsOf(operation.pagination, pages[0])?.length ?? 0;
    next = nextPage(operation.pagination, built.url, fetched, parsed.value, firstCount, linkSeen);
    linkSeen ||= linkNext(fetched.headers['link']) !== undefined;
    elsewhere = next !== undefined && !beneath(next, first.url, api.base);
    if (next !== undefined && (elsewhere || seen.has(next.href))) next = undefined;
    if (next === undefined || pages.length >= limits.pages || items >= limits.items || tally.bytes >= api.maxBytes) break;
    seen.add(next.href);
    await call.progress(pages.length, `page ${pages.length}, ${items} items`);
    built = { ...built, url: next };
  }
  const { fetched } = last;
  const parsed: Parsed = last.parsed;
  const meta = { status: fetched.status, contentType: api.secrets.text(fetched.contentType).slice(0, 200) };
  if ('bytes' in parsed) return mediaResult(api, operation, fetched, parsed, meta);
  const notes: string[] = fetched.status === 304 ? ['Not modified: the condition of the request says that this is known already.'] : [];
  let value: unknown = parsed.value;
  if (parsed.kind === 'json' && operation.pagination !== undefined && pages.length > 1)
    value = joined(operation.pagination, pages, limits.items);
  if (wanted !== undefined) {
    if (fetched.truncated)
      throw badInput(
        '_select',
        `The answer is longer than ${api.maxBytes} bytes and was not read to its end, so no part of it can be selected. Ask for less.`,
      );
    if (parsed.kind === 'text') {
      if (args['_select'] !== undefined) notes.push('The answer is no JSON; "_select" was not applied.');
    } else if (args['_select'] === undefined) value = api.secrets.value(selected(value, wanted));
    else value = api.secrets.value(await selectedApart(value, wanted, call.signal));
  }
  if (fetched.truncated) notes.push(`The answer is longer than ${api.maxBytes} bytes; the rest was not read.`);
  const cut = shortened(value, api.answerBytes);
  if (cut.note !== undefined) notes.push(cut.note);
  if (next !== undefined)
    notes.push(`There is more after page ${tally.pages}${pages.length === 0 ? '' : ` (${items} items)`}: ask with "_pages".`);
  if (elsewhere) notes.push('There is more, but the next page is on another host or outside the API, and is not asked for.');
  const truncated = fetched.truncated || cut.note !== undefined;
  const structured = {
    ...meta,
    body: cut.value,
    truncated,
    ...(tally.pages > 1 ? { pages: tally.pages } : {}),
    ...(notes.length === 0 ? {} : { note: notes.join(' ') }),
  };
  const text = typeof cut.value === 'string' ? cut.value : JSON.stringify(cut.value);
  return { content: [{ type: 'text', text: notes.length === 0 ? text : `${text}\n[${notes.join(' ')}]` }], structuredContent: structured };
}

function mediaResult(
  api: Api,
  operation: Operation,
  fetched: Fetched,
  parsed: Extract<Parsed, { bytes: Buffer }>,
  meta: { status: number; contentType: string },
): CallToolResult {
  const words = `${parsed.mimeType}, ${parsed.bytes.length} bytes${fetched.truncated ? `, cut: it is longer than ${api.maxBytes} bytes` : ''}`;
  const structured = { ...meta, body: words, truncated: fetched.truncated };
  if (parsed.kind === 'media' && !fetched.truncated && parsed.bytes.length <= api.mediaBytes) {
    const type = parsed.mimeType.startsWith('audio/') ? 'audio' : 'image';
    return {
      content: [
        { type, data: parsed.bytes.toString('base64'), mimeType: parsed.mimeType },
        { type: 'text', text: words },
      ],
      structuredContent: structured,
    };
  }
  const uri = api.answers.keep(operation.tool, parsed.bytes, parsed.mimeType);
  const link = { type: 'resource_link' as const, uri, name: operation.tool, mimeType: parsed.mimeType, size: parsed.bytes.length };
  return { content: [link, { type: 'text', text: `${words}. Read it as the resource ${uri}.` }], structuredContent: structured };
}

function pageLimits(api: Api, operation: Operation, args: JsonObject): { pages: number; items: number } {
  if (operation.pagination === undefined) return { pages: 1, items: Number.POSITIVE_INFINITY };
  const asked = typeof args['_pages'] === 'number' ? args['_pages'] : 1;
  return { pages: Math.min(asked, api.maxPages), items: api.maxItems };
}

/** A next page stays on the origin and beneath the base: an answer must not lead the credentials elsewhere. */
function beneath(next: URL, first: URL, base: URL): boolean {
  const prefix = base.pathname.replace(/\/$/u, '');
  return (
    next.origin === first.origin && (first.origin !== base.origin || next.pathname === prefix || next.pathname.startsWith(`${prefix}/`))
  );
}

function reasonText(parsed: Parsed): string {
  if (parsed.kind === 'json') return typeof parsed.value === 'string' ? parsed.value : JSON.stringify(parsed.value);
  return parsed.kind === 'text' ? parsed.value : `(${parsed.mimeType}, ${parsed.bytes.length} bytes)`;
}
