/** What a recording holds, in words: shown before it leaves the machine. */
import { homedir } from 'node:os';
import type { RecordingLine } from '../../api/recordings.ts';
import { PLACEHOLDER_PREFIX } from '../redaction/placeholder.ts';

const EMAIL = /[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+/g;
/** Tools named in one line. */
const NAMED = 12;

/** Counts what goes by. */
export class Contents {
  readonly #clients = new Set<string>();
  readonly #servers = new Set<string>();
  readonly #sessions = new Set<string>();
  readonly #tools = new Map<string, number>();
  readonly #home = homedir();
  #frames = 0;
  #stderr = 0;
  #gaps = 0;
  #why = '';
  #till = 0;
  #redacted = 0;
  #paths = 0;
  #emails = 0;

  /** A line, and its text as it is written. */
  line(line: RecordingLine, text: string): void {
    this.#till = Math.max(this.#till, line.t);
    this.#redacted += occurrences(text, PLACEHOLDER_PREFIX);
    if (this.#home.length > 3) this.#paths += occurrences(text, JSON.stringify(this.#home).slice(1, -1));
    if (text.includes('@')) this.#emails += text.match(EMAIL)?.length ?? 0;
    if (line.k === 'open') {
      if (line.client !== undefined) this.#clients.add(line.client);
      if (line.server !== undefined) this.#servers.add(line.server);
      if (line.session !== undefined) this.#sessions.add(line.session);
    } else if (line.k === 'stderr') this.#stderr += 1;
    else if (line.k === 'gap') {
      this.#gaps += 1;
      this.#why ||= line.why;
    } else if (line.k === 'frame') {
      this.#frames += 1;
      const message = line.m as { method?: unknown; id?: unknown; params?: { name?: unknown } } | undefined;
      if (message?.method === 'tools/call' && typeof message.params?.name === 'string')
        this.#tools.set(message.params.name, (this.#tools.get(message.params.name) ?? 0) + 1);
    }
  }

  /** Lines for a person. */
  preview(bytes: number): readonly string[] {
    const tools = [...this.#tools].sort((a, b) => b[1] - a[1]);
    const named = tools.slice(0, NAMED).map(([name, count]) => `${name} ×${count}`);
    return [
      `${count(this.#frames, 'message')} over ${(this.#till / 1000).toFixed(1)} s in ${count(this.#sessions.size, 'session')}, ${size(bytes)}`,
      `Clients: ${[...this.#clients].sort().join(', ') || 'none'}`,
      `Servers: ${[...this.#servers].sort().join(', ') || 'none'}`,
      `Tools called: ${named.join(', ') || 'none'}${tools.length > NAMED ? ` and ${tools.length - NAMED} more` : ''}`,
      `Taken out: ${count(this.#redacted, 'secret')}`,
      ...(this.#paths === 0 ? [] : [`Left in: your home folder is named ${count(this.#paths, 'time')}`]),
      ...(this.#emails === 0 ? [] : [`Left in: ${this.#emails} e-mail ${this.#emails === 1 ? 'address' : 'addresses'}`]),
      ...(this.#stderr === 0 ? [] : [`Left in: ${count(this.#stderr, 'line')} of servers' standard error`]),
      ...(this.#gaps === 0 ? [] : [`Incomplete: ${count(this.#gaps, 'gap')}: ${this.#why}${this.#gaps > 1 ? ' …' : ''}`]),
    ];
  }
}

function occurrences(text: string, piece: string): number {
  let found = 0;
  for (let at = text.indexOf(piece); at !== -1; at = text.indexOf(piece, at + piece.length)) found += 1;
  return found;
}

function count(number: number, word: string): string {
  return `${number.toLocaleString('en')} ${word}${number === 1 ? '' : 's'}`;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
