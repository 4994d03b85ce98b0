/** The dated record of `npm run test:full`: one JSON file per day and commit under docs/results/, by which a run goes on where one ended. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/** What one test file came to. */
export interface FileResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  /** ISO 8601, UTC. */
  readonly finished: string;
  /** Figures the file reported: its diagnostics that begin with `result: `. */
  readonly notes: readonly string[];
}

interface Document {
  readonly commit: string;
  readonly date: string;
  readonly node: string;
  readonly platform: string;
  readonly processors: number;
  readonly totals: { readonly passed: number; readonly failed: number; readonly skipped: number };
  readonly files: Readonly<Record<string, FileResult>>;
}

/** The record of this commit. */
export interface ResultFile {
  /** Path relative to the repository. */
  readonly path: string;
  /** Files that passed at this very commit and need not run again. */
  readonly passed: ReadonlySet<string>;
  /** Adds a file's result and writes the document at once, so that an ended run loses nothing. Other shards may write the same file. */
  put(file: string, result: FileResult): void;
}

const FOLDER = 'docs/results';

/**
 * Opens the record of the commit that is checked out.
 * @returns undefined when files differ from it (but for results): such a run belongs to no commit and leaves no record
 */
export function openResults(root: string, now: Date = new Date()): ResultFile | undefined {
  const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain')
    .split('\n')
    .filter((line) => line !== '' && !line.slice(3).startsWith(FOLDER));
  if (changed.length > 0) return undefined;
  // A commit that only adds results tests nothing new: the record is that of the newest commit that touched anything else.
  const commit = git('log', '-1', '--format=%h', '--', '.', `:!${FOLDER}`);
  const known = globSync(`${FOLDER}/*-${commit}.json`, { cwd: root }).sort().at(-1);
  const path = known ?? `${FOLDER}/${now.toISOString().slice(0, 10)}-${commit}.json`;
  const read = (): Readonly<Record<string, FileResult>> => {
    try {
      return (JSON.parse(readFileSync(join(root, path), 'utf8')) as Document).files;
    } catch {
      return {}; // the first file of the first run
    }
  };
  const passed = Object.entries(read()).flatMap(([file, { failed }]) => (failed === 0 ? [file] : []));
  return {
    path,
    passed: new Set(passed),
    put: (file, result) => {
      const files = Object.fromEntries(Object.entries({ ...read(), [file]: result }).sort(([a], [b]) => (a < b ? -1 : 1)));
      const sum = (key: 'passed' | 'failed' | 'skipped'): number => Object.values(files).reduce((total, one) => total + one[key], 0);
      const document: Document = {
        commit,
        date: now.toISOString().slice(0, 10),
        node: process.version,
        platform: `${process.platform}-${process.arch}`,
        processors: availableParallelism(),
        totals: { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') },
        files,
      };
      mkdirSync(join(root, FOLDER), { recursive: true });
      const temporary = join(root, `${path}.${process.pid}`);
      writeFileSync(temporary, `${JSON.stringify(document, null, 2)}\n`);
      renameSync(temporary, join(root, path));
    },
  };
}
