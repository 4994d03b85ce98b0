/** The demo's HTTP API, on loopback, over the same timetable as the database. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEPARTURES, STATIONS } from './timetable.ts';

/** A running API. */
export interface DemoApi {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts the API on a free port of 127.0.0.1. */
export async function startDemoApi(): Promise<DemoApi> {
  const server = createServer((request, response) => {
    const answer =
      request.method === 'GET' ? route(new URL(request.url ?? '/', 'http://127.0.0.1')) : { status: 405, body: { error: 'only GET' } };
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  // The address of a TCP server is never a pipe name.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function route(url: URL): { readonly status: number; readonly body: unknown } {
  if (url.pathname === '/v1/stations') return { status: 200, body: STATIONS };
  const [, code, departures] = /^\/v1\/stations\/([A-Z]{3})(\/departures)?$/u.exec(url.pathname) ?? [];
  const station = STATIONS.find((each) => each.code === code);
  if (station === undefined) return { status: 404, body: { error: 'no such station', hint: 'see /v1/stations' } };
  if (departures === undefined) return { status: 200, body: station };
  const after = url.searchParams.get('after') ?? '00:00';
  const limit = Number(url.searchParams.get('limit') ?? 10);
  const found = DEPARTURES.filter((each) => each.station === code && each.time >= after).sort((a, b) => a.time.localeCompare(b.time));
  return { status: 200, body: found.slice(0, limit) };
}
