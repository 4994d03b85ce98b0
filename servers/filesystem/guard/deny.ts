/** What is never read, and what is never written, whatever the roots are. */
import { compileGlob } from './glob.ts';

/** Secrets by name: environment files, private keys, credentials, and Git's own folder (its config may hold tokens). */
const NEVER_READ = [
  '.env',
  '.env.*',
  '.envrc',
  '.git',
  '.ssh',
  '.gnupg',
  '.netrc',
  '_netrc',
  '.npmrc',
  '.pypirc',
  '.git-credentials',
  '.pgpass',
  '.aws/credentials',
  '**/.aws/credentials',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ed25519',
];
/** Names that look like the above and hold no secret. */
const READABLE = ['.env.example', '.env.sample', '.env.template', '.env.dist'];
/** Whoever writes these grants itself power: they start programs or change what an assistant may do. */
const NEVER_WRITE = ['.signalbox', '.vscode', '.mcp.json', '.claude', '.claude.json', '.cursor', '.git', '.envrc', '.env', '.env.*'];

/** Says which pattern forbids a path (with `/`, relative to its root), if one does. */
export interface DenyList {
  read(path: string): string | undefined;
  write(path: string): string | undefined;
}

/**
 * Builds the deny list.
 * @param extra globs of the settings, for reading and writing
 * @throws RangeError for a pattern that is too complex
 */
export function denyList(extra: readonly string[]): DenyList {
  const compile = (patterns: readonly string[]) =>
    patterns.map((pattern) => ({ pattern, matches: compileGlob(pattern, { subtree: true }) }));
  const builtIn = compile(NEVER_READ);
  const own = compile(extra);
  const readable = compile(READABLE);
  const write = compile(NEVER_WRITE);
  const find = (rules: ReturnType<typeof compile>, path: string) => rules.find((rule) => rule.matches(path))?.pattern;
  const read = (path: string): string | undefined => {
    const denied = find(own, path);
    if (denied !== undefined) return denied;
    // The exception is for the file itself; a folder of that name excuses nothing beneath another denied name.
    const last = path.slice(path.lastIndexOf('/') + 1);
    if (find(readable, last) !== undefined && find(builtIn, path.slice(0, Math.max(0, path.length - last.length - 1))) === undefined)
      return undefined;
    return find(builtIn, path);
  };
  return { read, write: (path) => read(path) ?? find(write, path) };
}
