/** What is never read, and what is never written, whatever the roots are. */
import { compileGlob, foldPath, type Glob } from './glob.ts';

/** Secrets by name: environment files, private keys, credentials, and Git's own folder (its config may hold tokens). */
const NEVER_READ = [
  '.env',
  '.env.*',
  '.env~',
  '.envrc',
  '.git',
  '.ssh',
  '.gnupg',
  '.netrc',
  '_netrc',
  '.npmrc',
  '.yarnrc.yml',
  '.pypirc',
  '.git-credentials',
  '.pgpass',
  '.my.cnf',
  '.htpasswd',
  '.vault-token',
  '.aws',
  '.azure',
  '.kube',
  '.docker/config.json',
  '**/.docker/config.json',
  '.config/gcloud',
  '**/.config/gcloud',
  '.config/gh',
  '**/.config/gh',
  '.cargo/credentials',
  '**/.cargo/credentials',
  '**/.cargo/credentials.toml',
  '*.pem',
  '*.key',
  '*.p12',
  '*.pfx',
  '*.jks',
  '*.keystore',
  '*.kdbx',
  '*.ppk',
  'id_rsa',
  'id_dsa',
  'id_ecdsa',
  'id_ed25519',
  'id_ecdsa_sk',
  'id_ed25519_sk',
  '.signalbox/trash',
  '.sbx-*.tmp',
];
/** Names that look like the above and hold no secret. */
const READABLE = ['example', 'sample', 'template', 'dist', 'defaults'].flatMap((end) => [`.env.${end}`, `.env.*.${end}`]);
/** Whoever writes these grants itself power: they start programs or change what an assistant may do. */
const NEVER_WRITE = [
  '.signalbox',
  '.vscode',
  '*.code-workspace',
  '.mcp.json',
  '.claude',
  '.claude.json',
  '.cursor',
  '.gemini',
  '.codex',
  '.windsurf',
  '.zed',
  '.git',
  '.envrc',
  '.env',
  '.env.*',
];
/** In a home folder also: histories, browsers, shells and everything else that begins with a dot. */
const HOME = ['.*', 'Library', 'AppData', 'ntuser.dat*'];

/** Whether a rule is one of ours, not of the settings. */
export function isBuiltIn(rule: string | undefined): boolean {
  return rule !== undefined && (NEVER_READ.includes(rule) || NEVER_WRITE.includes(rule));
}

/** Says which pattern forbids a path (with `/`, relative to its root), if one does. */
export interface DenyList {
  /** @param folder folders are not subject to `only` */
  read(path: string, folder: boolean): string | undefined;
  write(path: string, folder: boolean): string | undefined;
}

/** The settings a list is built from, all globs. */
export interface DenySettings {
  /** Forbidden besides the built-in ones. */
  readonly deny?: readonly string[];
  /** Exceptions to the built-in patterns for reading (never to those that protect from writing). */
  readonly allow?: readonly string[];
  /** When given, files must match one of these. */
  readonly only?: readonly string[];
  /** The root is a home folder: everything at its top that begins with a dot is forbidden. */
  readonly home?: boolean;
}

/**
 * Builds the list.
 * @throws RangeError for a pattern that is too complex
 */
export function denyList({ deny = [], allow = [], only, home = false }: DenySettings): DenyList {
  const builtIn = compile(NEVER_READ);
  const own = compile(deny);
  const allowed = compile(allow);
  const readable = compile(READABLE);
  const write = compile(NEVER_WRITE);
  const wanted = only === undefined ? undefined : compile(only);
  const homeNames = compile(home ? HOME : []);
  // Only at the top of the home folder.
  const atTop = (path: string): string | undefined => homeNames(path.split('/')[0] ?? '');
  const read = (path: string, folder: boolean): string | undefined => {
    if (path === '') return undefined;
    const denied = own(path);
    if (denied !== undefined) return denied;
    if (!folder && wanted !== undefined && wanted(path) === undefined) return 'only';
    if (allowed(path) !== undefined) return undefined;
    const top = atTop(path);
    if (top !== undefined) return top;
    const found = builtIn(path);
    if (found === undefined || folder) return found;
    // The exception is for the file itself; a folder of that name excuses nothing beneath another denied name.
    const last = path.slice(path.lastIndexOf('/') + 1);
    const parents = path.slice(0, Math.max(0, path.length - last.length - 1));
    return readable(last) !== undefined && (parents === '' || builtIn(parents) === undefined) ? undefined : found;
  };
  return {
    read,
    write: (path, folder) => {
      const last = path.slice(path.lastIndexOf('/') + 1);
      const denied = read(path, folder) ?? write(path);
      // `.env.example` may be written as well as read.
      return denied === '.env.*' && readable(last) !== undefined && read(path, folder) === undefined ? undefined : denied;
    },
  };
}

/** Finds the first pattern that matches a path or a folder above it. */
type Rules = (path: string) => string | undefined;

/**
 * Most patterns are a name or `*.ending`: looked up in tables, because a search asks for each of 20 000 files and fifty globs would cost more
 * than reading them.
 */
function compile(patterns: readonly string[]): Rules {
  if (patterns.length === 0) return () => undefined;
  const names = new Map<string, string>();
  const endings = new Map<string, string>();
  const dotted: Compiled[] = [];
  const others: Compiled[] = [];
  for (const pattern of patterns) {
    const folded = foldPath(pattern);
    if (/^[^*?[\]{}\\/]+$/.test(folded)) names.set(folded, pattern);
    else if (/^\*\.[^*?[\]{}\\/.]+$/.test(folded)) endings.set(folded.slice(2), pattern);
    // Most of the rest wants a name that begins with a dot, and most paths have none.
    else if (/(?:^|\/)\.[^/{]/.test(folded) && !folded.includes('{'))
      dotted.push({ pattern, matches: compileGlob(pattern, { subtree: true }) });
    else others.push({ pattern, matches: compileGlob(pattern, { subtree: true }) });
  }
  const named = (name: string): string | undefined => {
    const dot = name.lastIndexOf('.');
    // `*.key` wants a dot: a file that is called "key" has none.
    return names.get(name) ?? (dot < 0 ? undefined : endings.get(name.slice(dot + 1)));
  };
  // The folder of the last path: a listing asks for 10 000 names of one folder.
  let folder = '';
  let ofFolder: string | undefined;
  return (path) => {
    const slash = path.lastIndexOf('/');
    const above = slash < 0 ? '' : path.slice(0, slash);
    if (above !== folder) {
      folder = above;
      ofFolder = foldPath(above)
        .split('/')
        .map(named)
        .find((found) => found !== undefined);
    }
    const found = ofFolder ?? named(foldPath(slash < 0 ? path : path.slice(slash + 1)));
    if (found !== undefined) return found;
    const globs =
      dotted.length > 0 && (path.startsWith('.') || path.includes('/.') || !/^[\x20-\x7e]*$/.test(path)) ? [...dotted, ...others] : others;
    return globs.length === 0 ? undefined : globs.find((glob) => glob.matches(path))?.pattern;
  };
}

interface Compiled {
  readonly pattern: string;
  readonly matches: Glob;
}
