/** The thread in which files are searched: the server goes on answering, and a search that must end can be ended. */
import { parentPort, workerData } from 'node:worker_threads';
import { isExplained } from '../plugin/define.ts';
import { type ContentQuery, type Share, searchContent } from './engines/content-search.ts';
import { findSymbols, type SymbolQuery } from './engines/symbols.ts';
import { type Area, type Handover, openHandedOver } from './guard/area.ts';

/** What the pool sends. */
export type Job = { readonly id: number; readonly part: number; readonly parts: number; readonly cancel: SharedArrayBuffer } & (
  | { readonly kind: 'content'; readonly query: ContentQuery }
  | { readonly kind: 'symbols'; readonly query: SymbolQuery }
);
/** What comes back. */
export type Report =
  | { readonly id: number; readonly progress: number }
  | { readonly id: number; readonly result: unknown }
  | {
      readonly id: number;
      readonly error: { readonly code?: string; readonly message: string; readonly why?: string; readonly fix?: string };
    };

const area: Area = openHandedOver(workerData as Handover);
const post = (report: Report): void => parentPort?.postMessage(report);

parentPort?.on('message', async (job: Job) => {
  const flag = new Int32Array(job.cancel);
  const share: Share = {
    part: job.part,
    parts: job.parts,
    cancelled: () => Atomics.load(flag, 0) === 1,
    progress: (files) => post({ id: job.id, progress: files }),
  };
  try {
    const result = job.kind === 'content' ? searchContent(area, job.query, share) : await findSymbols(area, job.query, share);
    post({ id: job.id, result });
  } catch (thrown) {
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    post({ id: job.id, error: isExplained(thrown) ? { code: thrown.code, message, why: thrown.why, fix: thrown.fix } : { message } });
  }
});
