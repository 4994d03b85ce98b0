/** Where a server is written: its line in the configuration, and in its source where that is known. No VS Code. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { Finding } from '../../daemon/api/conformance.ts';

/** A line of a file. */
export interface Place {
  readonly file: string;
  /** From 0. */
  readonly line: number;
}

/** A server's entry where it is written. */
export interface ServerPlace extends Place {
  /** Scripts of a stdio server among its arguments, absolute. */
  readonly sources: readonly string[];
  /** Globs of its `watch`, relative to {@link folder}. */
  readonly watch: readonly string[];
  /** Folder its relative paths start from. */
  readonly folder: string;
}

const SCRIPT = /\.(?:[cm]?[jt]sx?|py|rb|php|go|rs|java|kt|cs|lua|pl|sh)$/;

/**
 * The first of the files that has the server.
 *
 * @param files configuration files, the one that wins first; those that are not there are passed over
 * @param workspace folder `${workspaceFolder}` stands for
 */
export async function serverPlace(files: readonly string[], name: string, workspace: string | undefined): Promise<ServerPlace | undefined> {
  // Not needed before a test has failed.
  const { findNodeAtLocation, getNodeValue, parseTree } = await import('jsonc-parser');
  for (const file of files) {
    const text = await read(file);
    const tree = text === undefined ? undefined : parseTree(text, undefined, { allowTrailingComma: true });
    const node = tree === undefined ? undefined : findNodeAtLocation(tree, ['servers', name]);
    if (text === undefined || node === undefined) continue;
    const entry = getNodeValue(node) as { args?: unknown; cwd?: unknown; watch?: unknown };
    const base = workspace ?? dirname(file);
    const fill = (path: string): string => path.replaceAll('${workspaceFolder}', base);
    const folder = typeof entry.cwd === 'string' ? resolve(base, fill(entry.cwd)) : base;
    const scripts = strings(entry.args)
      .map(fill)
      .filter((arg) => SCRIPT.test(arg));
    return {
      file,
      line: lineAt(text, node.parent?.offset ?? node.offset),
      sources: scripts.map((arg) => (isAbsolute(arg) ? arg : join(folder, arg))),
      watch: strings(entry.watch).map(fill),
      folder,
    };
  }
  return undefined;
}

/** Where a finding belongs: the line of the server's source that names the tool in question, if there is just such a line; else its entry. */
export async function findingPlace(
  server: ServerPlace | undefined,
  finding: Pick<Finding, 'input' | 'called'>,
): Promise<Place | undefined> {
  if (server === undefined) return undefined;
  const names = namesIn(finding.input, new Set(finding.called));
  for (const file of server.sources) {
    const text = names.length === 0 ? undefined : await read(file);
    for (const name of text === undefined ? [] : names) {
      const at = [`'${name}'`, `"${name}"`, `\`${name}\``].map((quoted) => text?.indexOf(quoted) ?? -1).find((index) => index >= 0);
      if (at !== undefined) return { file, line: lineAt(text ?? '', at) };
    }
  }
  return { file: server.file, line: server.line };
}

/** Names of tools that occur as strings in an input. */
function namesIn(input: unknown, known: ReadonlySet<string>): readonly string[] {
  if (typeof input === 'string') return known.has(input) ? [input] : [];
  if (typeof input !== 'object' || input === null) return [];
  return Object.values(input).flatMap((value) => namesIn(value, known));
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length - 1;
}

/** The text, or nothing where there is no such file. */
function read(file: string): Promise<string | undefined> {
  return readFile(file, 'utf8').catch(() => undefined);
}
