/**
 * The process of one SQLite database. It is a process because nothing else stops a running query: a worker's `terminate()` waits for it
 * (design/guards.md). Argument: a `Start` as JSON. Talks over the IPC channel, ends with its parent.
 */
import { serveDatabase } from './engines/sqlite/process.ts';
import type { Start } from './engines/sqlite/protocol.ts';

const [, , start] = process.argv;
if (start === undefined || process.send === undefined) throw new Error('The engine is started by the database plugin.');
serveDatabase(JSON.parse(start) as Start);
