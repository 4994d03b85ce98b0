/** Writes messages as server-sent events (HTML, "Server-sent events"; MCP, "Streamable HTTP"). */
import type { ServerResponse } from 'node:http';
import { byteLength, encode } from '../protocol/frame.ts';
import type { Message } from '../protocol/message.ts';

/** Milliseconds between comments that keep a stream alive through proxies. */
const KEEP_ALIVE_MS = 15_000;
/** Bytes a client may leave unread before its stream is cut: nothing waits without a bound for a reader that stopped reading. */
const BACKLOG = 128 * 1024 * 1024;
const END_OF_EVENT = Buffer.from('\n\n');

/** One event, ready to be written. */
export type Event = string | readonly Buffer[];

/** Bytes of an event, roughly where it is text: characters. */
export function eventSize(event: Event): number {
  return typeof event === 'string' ? event.length : event.reduce((size, piece) => size + piece.length, 0);
}

/** A message as an event. A frame has no line breaks, so its data is one line. */
export function eventOf(message: Message, id?: string): Event {
  const head = id === undefined ? 'event: message\ndata: ' : `id: ${id}\nevent: message\ndata: `;
  const frame = encode(message);
  return typeof frame === 'string' ? `${head}${frame}\n\n` : [Buffer.from(head), ...frame, END_OF_EVENT];
}

/** Bytes of the message in an event that {@link eventOf} made. */
export function messageSize(event: Event): number {
  if (typeof event === 'string') return Buffer.byteLength(event) - event.indexOf('data: ') - 'data: '.length - END_OF_EVENT.length;
  return eventSize(event) - (event[0]?.length ?? 0) - END_OF_EVENT.length;
}

/** Starts an event stream that says now and then that it is alive, until it closes. */
export function openStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
  response.flushHeaders();
  const keepAlive = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS).unref();
  response.once('close', () => clearInterval(keepAlive));
}

/** Writes one event; `last` ends the stream. A client that left too much unread is cut off. */
export function writeEvent(response: ServerResponse, event: Event, last = false): void {
  if (response.writableEnded || response.destroyed) return;
  if (response.writableLength > BACKLOG) return void response.destroy();
  if (typeof event === 'string') response.write(event);
  else {
    response.cork();
    for (const piece of event) response.write(piece);
    response.uncork();
  }
  if (last) response.end();
}

/**
 * Answers with one JSON message, without copying a result that only passes through.
 * @returns its bytes
 */
export function writeJson(response: ServerResponse, status: number, message: Message): number {
  const frame = encode(message);
  const length = byteLength(frame);
  if (typeof frame === 'string') {
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': length }).end(frame);
    return length;
  }
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': length });
  response.cork();
  for (const piece of frame) response.write(piece);
  response.end();
  response.uncork();
  return length;
}
