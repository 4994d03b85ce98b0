/**
 * Attacks as data: paths by class, each tried with several tools. `$ROOT`, `$BASE`, `$OUT` and `$LIB` stand for the folders of the tree.
 * Every one must be refused with a code, change nothing and show nothing.
 */

/** One attack. */
export interface Attack {
  readonly kind: string;
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>>;
}

type Operation = (path: string) => { readonly tool: string; readonly args: Readonly<Record<string, unknown>> };

const read: Operation = (path) => ({ tool: 'read_text_file', args: { path } });
const tail: Operation = (path) => ({ tool: 'read_text_file', args: { path, tail: 3 } });
const bytes: Operation = (path) => ({ tool: 'read_text_file', args: { path, offset: 0, length: 100 } });
const media: Operation = (path) => ({ tool: 'read_media_file', args: { path } });
const hash: Operation = (path) => ({ tool: 'hash_file', args: { path } });
const info: Operation = (path) => ({ tool: 'get_file_info', args: { path } });
const list: Operation = (path) => ({ tool: 'list_directory', args: { path } });
const tree: Operation = (path) => ({ tool: 'directory_tree', args: { path } });
const byName: Operation = (path) => ({ tool: 'search_files', args: { path, pattern: '**' } });
const byContent: Operation = (path) => ({ tool: 'search_content', args: { path, pattern: 'SECRET' } });
const watch: Operation = (path) => ({ tool: 'watch', args: { path, seconds: 0.1 } });
const symbol: Operation = (path) => ({ tool: 'find_symbol', args: { path, name: 'x' } });
const write: Operation = (path) => ({ tool: 'write_file', args: { path, content: 'pwned' } });
const edit: Operation = (path) => ({ tool: 'edit_file', args: { path, edits: [{ oldText: 'SECRET', newText: 'pwned' }] } });
const dryEdit: Operation = (path) => ({ tool: 'edit_file', args: { path, edits: [{ oldText: 'SECRET', newText: 'x' }], dryRun: true } });
const folder: Operation = (path) => ({ tool: 'create_directory', args: { path } });
const remove: Operation = (path) => ({ tool: 'delete_file', args: { path, recursive: true } });
const moveFrom: Operation = (source) => ({ tool: 'move_file', args: { source, destination: 'taken.txt' } });
const moveTo: Operation = (destination) => ({ tool: 'move_file', args: { source: 'b.txt', destination } });
const copyFrom: Operation = (source) => ({ tool: 'copy_file', args: { source, destination: 'taken.txt' } });
const copyTo: Operation = (destination) => ({ tool: 'copy_file', args: { source: 'b.txt', destination } });

function table(kind: string, operations: readonly Operation[], paths: readonly string[]): Attack[] {
  return paths.flatMap((path) => operations.map((operation) => ({ kind, ...operation(path) })));
}

const READERS = [read, bytes, hash, info];
const WRITERS = [write, moveTo, copyTo];
const CHANGERS = [write, edit, remove, moveFrom];

export const ATTACKS: readonly Attack[] = [
  ...table(
    'traversal',
    [read, info, write],
    [
      '../secret.txt',
      '../outside/secret.txt',
      './../secret.txt',
      'src/../../secret.txt',
      'src/deep/../../../secret.txt',
      'a.txt/../../secret.txt',
      'not-there/../../secret.txt',
      '././././../secret.txt',
      '..//secret.txt',
      './/..//..//etc/passwd',
      'src//..//..//outside//secret.txt',
      '../area/../secret.txt',
      '../../../../../../../../etc/passwd',
      '/etc/passwd',
      '//etc/passwd',
      '/etc/../etc/passwd',
      '$BASE/secret.txt',
      '$ROOT/../secret.txt',
      '$ROOT/src/../../outside/secret.txt',
      '$ROOT/./../secret.txt',
      '$ROOT//../secret.txt',
      '/proc/self/environ',
      '/proc/self/cwd/secret.txt',
      '/proc/self/root$BASE/secret.txt',
      '/proc/1/environ',
      '/dev/fd/0',
      '..',
      '../',
      '/',
      '$BASE',
    ],
  ),
  ...table(
    'traversal',
    [list, tree, byName, byContent, symbol, folder, remove],
    ['..', '../outside', '/', '/etc', '$OUT', 'src/../..', '$BASE/area-evil'],
  ),
  ...table(
    'links',
    [...READERS, ...CHANGERS],
    ['out-file', 'out-absolute', 'out-climb', 'out-sibling', 'chain-1', 'chain-2', 'src/chain-3'],
  ),
  ...table(
    'links',
    [read, write, info],
    ['out-dir/secret.txt', 'out-absolute-dir/secret.txt', 'up/secret.txt', 'src/up-up/secret.txt', 'out-dir/../secret.txt'],
  ),
  ...table(
    'links',
    [write, moveTo, copyTo, folder],
    ['out-dir/new.txt', 'out-absolute-dir/new.txt', 'up/new.txt', 'out-new', 'out-absolute-new', 'slash/tmp/sbx-pwned'],
  ),
  ...table(
    'links',
    [list, tree, byName, byContent, symbol, watch],
    ['out-dir', 'out-absolute-dir', 'up', 'src/up-up', 'slash', 'etc', 'proc-root', 'proc-cwd', 'proc-fd'],
  ),
  ...table('links', [remove, moveFrom, copyFrom], ['out-dir', 'up', 'slash', 'etc', 'proc-root']),
  ...table(
    'links',
    [read, info, write],
    ['proc-environ', 'proc-root/etc/passwd', 'proc-cwd/secret.txt', 'proc-fd/0', 'slash/etc/passwd', 'etc/passwd', 'dev-zero', 'dev-stdin'],
  ),
  ...table('link loops', [read, write, list, remove, byContent], ['loop/x', 'loop-a/x', 'empty/loop-up/x']),
  ...table('link loops', [read, info], ['loop', 'loop-a', 'loop-b', 'empty/loop-up']),
  ...table('links to secrets', [...READERS, dryEdit, copyFrom], ['to-env', 'to-key', 'to-git/config', 'to-library-env']),
  ...table('links to secrets', [write], ['to-protected', 'to-vscode/settings.json', 'to-env', 'to-git/hooks/pre-commit']),
  ...table(
    'hard links',
    [write, read, tail, bytes, hash, media, dryEdit, edit, copyFrom, moveFrom],
    ['hard-out.txt', 'hard-env.txt', 'hard-folder/linked.txt'],
  ),
  { kind: 'hard links', tool: 'move_file', args: { source: 'hard-folder', destination: 'node_modules' } },
  { kind: 'hard links', tool: 'copy_file', args: { source: 'hard-folder', destination: 'node_modules' } },
  ...table(
    'secrets',
    [read],
    [
      '.env',
      '.env.local',
      '.env.production',
      '.env~',
      '.envrc',
      '.git/config',
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
      'private/notes.txt',
      'src/../.env',
      './.env',
      '$ROOT/.env',
      'inside-folder/.env',
      'inside-folder/deep/tls.pem',
    ],
  ),
  ...table('secrets', [tail, bytes, hash, media, info, dryEdit, copyFrom, moveFrom, remove], ['.env', 'server.pem', 'private/notes.txt']),
  ...table('secrets', [list, tree, byName, byContent, symbol, watch], ['.git', '.ssh', '.aws', 'private', 'to-git']),
  ...table('secrets', [copyFrom, moveFrom, remove], ['holds-secret', 'holds-git', 'private', '.git', 'src']),
  ...table(
    'self-empowerment',
    [write, edit, remove],
    [
      '.vscode/settings.json',
      '.vscode/tasks.json',
      '.claude/settings.json',
      '.claude.json',
      '.mcp.json',
      '.cursor/mcp.json',
      '.signalbox/config.jsonc',
      'project.code-workspace',
      '.git/hooks/pre-commit',
    ],
  ),
  ...table(
    'self-empowerment',
    [moveTo, copyTo, write, folder],
    [
      '.vscode/launch.json',
      '.git/hooks/post-commit',
      'src/.vscode',
      'new.code-workspace',
      'src/.mcp.json',
      '.signalbox/x',
      '.envrc',
      '.env',
    ],
  ),
  ...table('self-empowerment', [remove, moveFrom], ['.vscode', '.claude', '.signalbox', '.git']),
  ...table(
    'case',
    [read, write],
    ['.ENV', '.Env', '.GIT/config', '.Git/Config', 'SERVER.PEM', 'Server.Key', '.SSH/id_rsa', '$BASE/Root/secret.txt'],
  ),
  ...table(
    'case',
    [write, moveTo],
    ['.MCP.json', '.Mcp.Json', '.VSCODE/settings.json', '.VsCode/tasks.json', '.CLAUDE/settings.json', '.SignalBox/x', '.EnvRC'],
  ),
  ...table('unicode', WRITERS, [
    '.g\u200cit',
    '.git\u200b',
    '.e\u00adnv',
    '.\ufeffenv',
    '.mcp\u2060.json',
    '\uff0e\uff0e\uff0fsecret.txt',
    '\uff0e\uff0e',
    '\u2024\u2024',
    '..\u2215secret.txt',
    '..\uff0fsecret.txt',
    '..\uff3csecret.txt',
    'invoice\u202etxt.exe',
    'a\u2066b.txt',
    '.\u017figurl\u200d',
    'line\u2028break.txt',
  ]),
  ...table('unicode', [read, info], ['\ud800', 'a\udfff.txt', '\uff0e\uff0e\uff0fsecret.txt', '.g\u200cit/config', '\u2025/secret.txt']),
  ...table('names', WRITERS, [
    '..\\secret.txt',
    '..\\..\\outside\\new.txt',
    'C:\\Windows\\x.txt',
    'C:/Windows/x.txt',
    '\\\\server\\share\\x',
    '\\\\?\\C:\\x',
    'a.txt::$DATA',
    'note.txt:hidden:$DATA',
    'CON',
    'nul.txt',
    'COM1',
    'lpt1.log',
    'trailing.',
    'trailing ',
    '.mcp.json.',
    '.mcp.json ',
    'tab\tname.txt',
    'line\nbreak.txt',
    'bell\u0007.txt',
    'escape\u001b[31m.txt',
    '%2e%2e%2fsecret.txt',
    '%252e%252e%252fsecret.txt',
    '..%2fsecret.txt',
    '..%5csecret.txt',
    '..%c0%afsecret.txt',
    'a%00.txt',
    '~',
    '~/x.txt',
    '~root/x.txt',
    '$HOME/x.txt',
    '${HOME}/x.txt',
    '%USERPROFILE%/x.txt',
    '$(id)',
    '`id`',
    'file:///tmp/x.txt',
    'http://127.0.0.1/x.txt',
  ]),
  ...table('names', [folder], ['~', 'C:', 'file:///tmp/pwned', '..\\x', 'a\u0000b', 'CON', '$HOME/x/y', 'x/..\\..\\y', '%2e%2e%2fx']),
  ...table(
    'names',
    [read, write, info, list],
    ['a.txt\u0000', 'a.txt\u0000.png', '\u0000', '../secret.txt\u0000', 'x\u0000/../../secret.txt'],
  ),
  ...table(
    'names',
    [read, write],
    [
      '',
      ' ',
      'a'.repeat(300),
      'x'.repeat(9000),
      'a/'.repeat(4000),
      '../'.repeat(2000),
      'file:///etc/passwd',
      '$ROOT ',
      '$ROOT ',
      '$ROOT./secret.txt',
    ],
  ),
  ...table('special files', [read, tail, bytes, media, hash, write, copyFrom, edit], ['fifo', 'socket', 'to-fifo']),
  ...table('special files', [read, write, hash], ['/dev/zero', '/dev/null', '/dev/tty', '/proc/kmsg', '/dev/stdin']),
  ...table('special files', [read, media, edit], ['huge.txt', 'binary.bin', 'src', '.']),
  ...table('special files', [list, tree, byName], ['fifo', 'a.txt', 'socket']),
  ...table('write tricks', [remove, moveFrom, write, folder], ['.', './', '$ROOT', 'src/..', '$ROOT/', 'self/..']),
  ...table('write tricks', [write], ['src', 'empty', 'a.txt/x', 'fifo/x', 'not-there/x.txt', 'a.txt/', 'locked.txt']),
  ...table(
    'write tricks',
    [moveTo, copyTo],
    ['a.txt', 'src', 'empty', 'inside-link', 'dangling', 'out-new', 'loop', 'a.txt/x', 'not-there/x'],
  ),
  { kind: 'write tricks', tool: 'move_file', args: { source: 'src', destination: 'src/inner' } },
  { kind: 'write tricks', tool: 'copy_file', args: { source: 'docs', destination: 'docs/inner' } },
  { kind: 'write tricks', tool: 'copy_file', args: { source: '.', destination: 'docs/all' } },
  { kind: 'write tricks', tool: 'move_file', args: { source: 'docs', destination: '.vscode2/../.vscode' } },
  { kind: 'write tricks', tool: 'move_file', args: { source: 'docs', destination: '.git' } },
  { kind: 'write tricks', tool: 'move_file', args: { source: 'docs/read me.md', destination: '.signalbox/trash/x' } },
  { kind: 'write tricks', tool: 'write_file', args: { path: 'a.txt', content: '\ud800' } },
  { kind: 'write tricks', tool: 'write_file', args: { path: 'new-big.txt', content: 'x'.repeat(5000) } },
  { kind: 'write tricks', tool: 'write_file', args: { path: 'a.txt', content: 'x', mustBeNew: true } },
  { kind: 'write tricks', tool: 'delete_file', args: { path: 'src' } },
  {
    kind: 'write tricks',
    tool: 'edit_file',
    args: {
      path: 'a.txt',
      edits: [
        { oldText: 'one', newText: '1' },
        { oldText: 'nine', newText: '9' },
      ],
    },
  },
  { kind: 'write tricks', tool: 'restore_deleted', args: { id: '../../../outside' } },
  { kind: 'write tricks', tool: 'restore_deleted', args: { id: '20260101-000000-00000000' } },
  { kind: 'write tricks', tool: 'restore_deleted', args: { id: '20260101-000000-00000000/../..', destination: 'x' } },
  ...table(
    'root tricks',
    [read, write, info],
    [
      '$ROOT-evil/secret.txt',
      '$ROOT/../area-evil/secret.txt',
      '$ROOT /secret.txt',
      '$BASE/area-evil/../area-evil/secret.txt',
      '$ROOT\\..\\secret.txt',
      '$BASE//secret.txt',
    ],
  ),
  ...table('policy', CHANGERS, ['$LIB/book.txt', 'lib:book.txt']),
  ...table('policy', WRITERS, ['$LIB/new.txt', 'lib:new.txt', 'to-library']),
  ...table('policy', [read, hash], ['$LIB/.env', 'lib:.env', 'lib:../secret.txt', 'lib:/../outside/secret.txt', 'lib:.signalbox/x']),
  ...table('policy', [copyFrom, moveFrom], ['$LIB/.env', '$LIB']),
  { kind: 'policy', tool: 'move_file', args: { source: 'private', destination: 'public' } },
  { kind: 'policy', tool: 'copy_file', args: { source: 'private', destination: 'public' } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: ['a.txt'] } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: { toString: 'a.txt' } } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: 'a.txt', head: -1 } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: 'a.txt', head: 1e300 } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: 'a.txt', head: 1, tail: 1 } },
  { kind: 'arguments', tool: 'read_text_file', args: { path: 'a.txt', offset: 0, length: 1e12 } },
  { kind: 'arguments', tool: 'read_text_file', args: {} },
  { kind: 'arguments', tool: 'write_file', args: { path: 'x.txt' } },
  { kind: 'arguments', tool: 'write_file', args: { path: 'x.txt', content: 'x', mode: '4777' } },
  { kind: 'arguments', tool: 'list_directory', args: { path: '.', cursor: '../../x' } },
  { kind: 'arguments', tool: 'list_directory', args: { path: '.', pattern: '{a,b}'.repeat(80) } },
  { kind: 'arguments', tool: 'hash_file', args: { path: 'a.txt', algorithm: 'shake256; id' } },
];
