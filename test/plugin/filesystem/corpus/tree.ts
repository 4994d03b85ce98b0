/** The tree every corpus runs on: a root that may be written, one that may only be read, and what lies outside with a secret in it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What must never be seen in an answer. */
export const SECRET = 'TOP-SECRET-7f3a9c';

/** The tree and how to be rid of it. */
export interface Tree {
  readonly base: string;
  readonly root: string;
  readonly outside: string;
  readonly readOnly: string;
  /** One line for every entry: path, type, permissions, names, content. */
  snapshot(): string;
  remove(): Promise<void>;
}

/** Builds the tree. */
export async function buildTree(): Promise<Tree> {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-fsc-')));
  const root = join(base, 'area');
  const outside = join(base, 'outside');
  const readOnly = join(base, 'library');
  const put = (path: string, content: string): void => {
    mkdirSync(dirname(join(base, path)), { recursive: true });
    writeFileSync(join(base, path), content);
  };
  for (const path of [
    'outside/secret.txt',
    'outside/dir/secret.txt',
    'outside/secret.png',
    'area-evil/secret.txt',
    'secret.txt',
    'Root/secret.txt',
  ])
    put(path, `${SECRET}\n`);
  for (const path of SECRETS_INSIDE) put(`area/${path}`, `${SECRET}\n`);
  for (const path of PROTECTED) put(`area/${path}`, 'protected\n');
  put('area/a.txt', 'one\ntwo\nthree\nfour\n');
  put('area/b.txt', 'bee\n');
  put('area/src/app.ts', 'export function greet(): string {\n  return "hello";\n}\n');
  put('area/src/deep/code.ts', 'const needle = 1;\n');
  put('area/docs/read me.md', '# Read me\n');
  put('area/holds-secret/inner/.env', `${SECRET}\n`);
  put('area/holds-secret/plain.txt', 'plain\n');
  put('area/holds-git/.git/config', `${SECRET}\n`);
  put('area/private/notes.txt', `${SECRET}\n`);
  put('area/locked.txt', 'locked\n');
  put('library/book.txt', 'book\n');
  put('library/.env', `${SECRET}\n`);
  chmodSync(join(root, 'locked.txt'), 0o444);
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'binary.bin'), Buffer.from([1, 0, 2, 0]));
  writeFileSync(join(root, 'huge.txt'), '');
  truncateSync(join(root, 'huge.txt'), 3 * 1024 ** 3);
  for (const [name, target] of LINKS) symlinkSync(target.replaceAll('$BASE', base), join(root, name));
  linkSync(join(outside, 'secret.txt'), join(root, 'hard-out.txt'));
  linkSync(join(root, '.env'), join(root, 'hard-env.txt'));
  mkdirSync(join(root, 'hard-folder'));
  linkSync(join(outside, 'dir', 'secret.txt'), join(root, 'hard-folder', 'linked.txt'));
  execFileSync('mkfifo', [join(root, 'fifo')]);
  const socket = await listen(join(root, 'socket'));
  return {
    base,
    root,
    outside,
    readOnly,
    snapshot: () => snapshot(base).join('\n'),
    remove: async () => {
      await new Promise((done) => socket.close(done));
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Secrets beneath the root that the built-in list protects. */
const SECRETS_INSIDE = [
  '.env',
  '.env.local',
  '.env.production',
  '.env~',
  '.envrc',
  '.git/config',
  '.git/hooks/pre-commit',
  '.ssh/id_rsa',
  '.gnupg/secring.gpg',
  '.aws/credentials',
  '.kube/config',
  '.docker/config.json',
  '.config/gh/hosts.yml',
  '.netrc',
  '.npmrc',
  '.pypirc',
  '.pgpass',
  '.git-credentials',
  'server.pem',
  'server.key',
  'store.p12',
  'keys.jks',
  'id_ed25519',
  'src/.env',
  'src/deep/tls.pem',
];
/** What gives power to whoever writes it. */
const PROTECTED = [
  '.vscode/settings.json',
  '.vscode/tasks.json',
  '.claude/settings.json',
  '.claude.json',
  '.mcp.json',
  '.cursor/mcp.json',
  '.signalbox/config.jsonc',
  'project.code-workspace',
];
/** Links in the root: name and target. */
const LINKS: readonly (readonly [string, string])[] = [
  ['out-file', '../outside/secret.txt'],
  ['out-dir', '../outside'],
  ['out-absolute', '$BASE/outside/secret.txt'],
  ['out-absolute-dir', '$BASE/outside'],
  ['out-climb', '$BASE/area/../outside/secret.txt'],
  ['out-sibling', '$BASE/area-evil/secret.txt'],
  ['out-new', '../outside/new.txt'],
  ['out-absolute-new', '$BASE/outside/new.txt'],
  ['chain-1', 'chain-2'],
  ['chain-2', 'src/chain-3'],
  ['src/chain-3', '../../outside/secret.txt'],
  ['up', '..'],
  ['src/up-up', '../..'],
  ['slash', '/'],
  ['etc', '/etc'],
  ['proc-root', '/proc/self/root'],
  ['proc-cwd', '/proc/self/cwd'],
  ['proc-environ', '/proc/self/environ'],
  ['proc-fd', '/proc/self/fd'],
  ['dev-zero', '/dev/zero'],
  ['dev-stdin', '/dev/stdin'],
  ['to-env', '.env'],
  ['to-git', '.git'],
  ['to-key', 'src/deep/tls.pem'],
  ['to-protected', '.mcp.json'],
  ['to-vscode', '.vscode'],
  ['to-fifo', 'fifo'],
  ['loop', 'loop'],
  ['loop-a', 'loop-b'],
  ['loop-b', 'loop-a'],
  ['empty/loop-up', '../empty/loop-up/x'],
  ['inside-link', 'src/app.ts'],
  ['inside-folder', 'src'],
  ['inside-absolute', '$BASE/area/src/deep/code.ts'],
  ['to-library', '$BASE/library/book.txt'],
  ['to-library-env', '$BASE/library/.env'],
  ['dangling', 'not-there.txt'],
];

function listen(path: string): Promise<Server> {
  const server = createServer();
  server.unref();
  return new Promise((done) => server.listen(path, () => done(server)));
}

function snapshot(folder: string, below = ''): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      const name = `${below}/${JSON.stringify(entry.name)}`;
      const stat = lstatSync(path);
      const head = `${name} ${(stat.mode & 0o7777).toString(8)} ${stat.nlink}`;
      if (entry.isDirectory()) return [`${name}/`, ...snapshot(path, name)];
      if (entry.isSymbolicLink()) return [`${name} -> ${readlinkSync(path)}`];
      if (!entry.isFile()) return [`${head} special`];
      const content = stat.size > 1024 ** 2 ? String(stat.size) : createHash('md5').update(readFileSync(path)).digest('hex');
      return [`${head} ${content}`];
    });
}
