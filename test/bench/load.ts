/** The load generator, a process of its own: takes a {@link Job} by IPC, runs it, sends a {@link Sample} (or `{error}`) back. */
import { spawn } from 'node:child_process';
import { post, RawClient, type Target } from './raw-client.ts';

/** What to do. */
export interface Job {
  /** HTTP: bare sockets. `sse`: HTTP+SSE of 2024-11-05, answers come on one stream. `stdio`: a child of the generator, spoken to directly. */
  readonly via: ({ readonly kind: 'http' | 'sse' } & Target) | { readonly kind: 'stdio'; readonly command: readonly string[] };
  /** The message; every `100000000` in it is replaced by an id of as many digits, never the same twice. */
  readonly body: string;
  /** Requests under way at any time. */
  readonly clients: number;
  readonly calls: number;
  /** Bytes an answer must have at least. */
  readonly bytes: number;
  /** Text to count in the answers, for what must not be lost. */
  readonly count?: string;
}
/** What came of it. Milliseconds, sorted. */
export interface Sample {
  readonly latencies: readonly number[];
  readonly ms: number;
  /** CPU of the generator per call, milliseconds. */
  readonly cost: number;
  /** Occurrences of {@link Job.count}. */
  readonly counted: number;
}
type Caller = (id: number) => Promise<Buffer>;
type Callers = { readonly call: Caller; readonly close: () => void; readonly frames?: Frames };

/** Stands for the id in {@link Job.body}. */
export const ID = 100_000_000;
const MARK = String(ID);
let nextId = ID + Math.floor(Math.random() * 400_000_000);

/** One caller on its own connection; the bytes of the message carry a new id each time. */
function httpCaller(target: Target, job: Job): Callers {
  const client = new RawClient(target.port, job.count !== undefined);
  const { bytes, marks } = post(target, job.body, MARK);
  return {
    close: () => client.close(),
    call: async (id) => {
      for (const at of marks) bytes.write(String(id), at, 'latin1');
      const answer = await client.send(bytes);
      // of a large answer only the ends are at hand, and the id may stand anywhere
      const named = answer.bytes > 65_536 || job.bytes === 0 || answer.body.includes(String(id));
      if (answer.status !== 200 || answer.bytes < job.bytes || !named)
        throw new Error(`wrong answer to ${id}: ${answer.status}, ${answer.bytes} bytes: ${answer.body.subarray(0, 400).toString()}`);
      return answer.body;
    },
  };
}

/** Callers that share a stream of newline-ended frames: answers are found by their id. */
class Frames {
  readonly #waiting = new Map<string, (frame: Buffer) => void>();
  readonly #counts: string | undefined;
  #parts: Buffer[] = [];
  /** Frames with {@link Job.count} in them. */
  counted = 0;

  constructor(counts: string | undefined) {
    this.#counts = counts;
  }

  expect(id: number): Promise<Buffer> {
    return new Promise((resolve) => this.#waiting.set(String(id), resolve));
  }

  read(received: Buffer): void {
    let chunk = received;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10)) {
      this.#parts.push(chunk.subarray(0, end));
      this.#frame(this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts));
      this.#parts = [];
      chunk = chunk.subarray(end + 1);
    }
    if (chunk.length > 0) this.#parts.push(chunk);
  }

  #frame(frame: Buffer): void {
    if (this.#counts !== undefined && frame.includes(this.#counts)) this.counted++;
    // the id stands near either end of an answer
    const id =
      /"id":"?(\d{9})/.exec(frame.toString('latin1', 0, 200))?.[1] ??
      /"id":"?(\d{9})/.exec(frame.toString('latin1', Math.max(0, frame.length - 200)))?.[1];
    if (id === undefined) return;
    this.#waiting.get(id)?.(frame);
    this.#waiting.delete(id);
  }
}

function stdioCallers([command = '', ...args]: readonly string[], job: Job): Callers {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const frames = new Frames(job.count);
  child.stdout.on('data', (chunk: Buffer) => frames.read(chunk));
  return {
    frames,
    close: () => child.stdin.end(),
    call: async (id) => {
      const answered = frames.expect(id);
      child.stdin.write(`${job.body.replaceAll(MARK, String(id))}\n`);
      return checked(await answered, job);
    },
  };
}

async function sseCallers(target: Target, job: Job): Promise<Callers> {
  const stream = await fetch(`http://127.0.0.1:${target.port}${target.path}`, {
    headers: { ...target.headers, accept: 'text/event-stream' },
  });
  const frames = new Frames(job.count);
  const reader = stream.body?.getReader();
  const first = Buffer.from((await reader?.read())?.value ?? []).toString();
  const path = /data: (\S+)/.exec(first)?.[1];
  if (reader === undefined || path === undefined) throw new Error(`no endpoint event: ${first}`);
  void (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) frames.read(Buffer.from(next.value));
  })().catch(() => undefined); // the end of the run ends the stream
  const senders: RawClient[] = [];
  const say = async (body: string): Promise<void> => {
    const sender = senders.pop() ?? new RawClient(target.port);
    await sender.send(post({ ...target, path }, body).bytes);
    senders.push(sender);
  };
  const call: Caller = async (id) => {
    const answered = frames.expect(id);
    await say(job.body.replaceAll(MARK, String(id)));
    return checked(await answered, job);
  };
  const hello = frames.expect(ID);
  await say(
    JSON.stringify({
      jsonrpc: '2.0',
      id: ID,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'bench', version: '1.0.0' } },
    }),
  );
  await hello;
  await say('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  return {
    frames,
    call,
    close: () => {
      for (const sender of senders) sender.close();
      void reader.cancel();
    },
  };
}

/** The standing stream of a legacy session: some gateways say there what belongs to a call. Counts; ends when told. */
async function standing(target: Target, job: Job): Promise<{ counted: () => Promise<number>; close: () => void }> {
  const frames = new Frames(job.count);
  const ending = new AbortController();
  const headers = { ...target.headers, accept: 'text/event-stream' };
  const stream = await fetch(`http://127.0.0.1:${target.port}${target.path}`, { headers, signal: ending.signal });
  void (async () => {
    for await (const chunk of stream.body ?? []) frames.read(Buffer.from(chunk));
  })().catch(() => undefined); // the end of the run ends the stream
  return {
    // what is still under way when the last answer is there
    counted: async () => {
      for (let before = -1; before !== frames.counted; ) {
        before = frames.counted;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      return frames.counted;
    },
    close: () => ending.abort(),
  };
}

function checked(frame: Buffer, job: Job): Buffer {
  if (frame.length < job.bytes) throw new Error(`wrong answer: ${frame.subarray(0, 400).toString()}`);
  return frame;
}

async function run(job: Job): Promise<Sample> {
  const { via } = job;
  const shared = via.kind === 'stdio' ? stdioCallers(via.command, job) : via.kind === 'sse' ? await sseCallers(via, job) : undefined;
  const callers = Array.from({ length: job.clients }, () => shared ?? httpCaller(via as Target, job));
  // connected and, for stdio, started, before the clock runs
  await Promise.all(callers.map(({ call }) => call(nextId++)));
  const session = via.kind === 'http' && job.count !== undefined && via.headers['mcp-session-id'] !== undefined;
  const beside = session ? await standing(via, job) : undefined;
  if (shared?.frames !== undefined) shared.frames.counted = 0;
  const latencies = new Float64Array(job.calls);
  let counted = 0;
  let begun = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  try {
    await Promise.all(
      callers.map(async ({ call }) => {
        while (begun < job.calls) {
          const mine = begun++;
          const sent = performance.now();
          const body = await call(nextId++);
          latencies[mine] = performance.now() - sent;
          if (job.count !== undefined && shared === undefined) counted += body.toString().split(job.count).length - 1;
        }
      }),
    );
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    counted += (await beside?.counted()) ?? 0;
    return { latencies: [...latencies.sort()], ms, cost: (user + system) / 1000 / job.calls, counted: shared?.frames?.counted ?? counted };
  } finally {
    for (const { close } of callers) close();
    beside?.close();
  }
}

process.on('message', (job: Job) => {
  run(job).then(
    (sample) => process.send?.(sample),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));
