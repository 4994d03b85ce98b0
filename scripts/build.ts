/**
 * `npm run build`: everything that ships, in `dist/`. Self-contained: nothing there needs node_modules.
 * The same sources give the same bytes; `dist/package.json` carries a hash of them as `build`, which is how two builds of one version
 * are told apart. Built beside and swapped in, so that a running program never sees half a `dist`.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { build } from 'esbuild';

const ROOT = resolve(import.meta.dirname, '..');
/** An argument names another folder than `dist`: what is tested there must not replace what somebody runs. */
const DIST = resolve(process.argv[2] ?? join(ROOT, 'dist'));
const OUT = `${DIST}.new-${process.pid}`;

type Manifest = { readonly name: string; readonly main: string; readonly [key: string]: unknown };

const common: BuildOptions = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: 'node',
  target: 'node24',
  // jsonc-parser's `main` is a UMD wrapper whose `require` calls no bundler can follow; its `module` is plain ES.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'warning',
  // pg asks for pg-native only when told to.
  external: ['vscode', 'pg-native'],
};
// Bundled CommonJS packages call `require` for Node's own modules and look for files in `__dirname`; an ES module has neither unless it makes one.
const esm: BuildOptions = {
  ...common,
  format: 'esm',
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);\nconst __dirname = import.meta.dirname;",
  },
};

/** Child scripts of a plugin: files it starts by URL (`new URL('./engine…', import.meta.url)`), which no bundler can see. */
function childScripts(folder: string): readonly string[] {
  const sources = globSync('*.ts', { cwd: folder }).sort();
  const main = sources.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  return [...main.matchAll(/new URL\(`\.\/([a-z-]+)\$\{ext/g)].map((match) => join(folder, `${match[1]}.ts`));
}

async function buildServers(): Promise<void> {
  const source = join(ROOT, 'servers');
  await build({ ...esm, entryPoints: [join(source, 'plugin', 'host.ts')], outfile: join(OUT, 'servers', 'plugin', 'host.mjs') });
  copyFileSync(join(source, 'plugin', 'plugin.schema.json'), join(OUT, 'servers', 'plugin', 'plugin.schema.json'));
  for (const file of globSync('*/plugin.json', { cwd: source }).sort()) {
    const folder = join(source, dirname(file));
    const target = join(OUT, 'servers', basename(folder));
    const manifest = JSON.parse(readFileSync(join(source, file), 'utf8')) as Manifest;
    const main = join(folder, manifest.main);
    await build({
      ...esm,
      entryPoints: [main, ...childScripts(folder)],
      outdir: target,
      outExtension: { '.js': '.mjs' },
      // The plugin API has state (a brand, error classes) that works across copies; a plugin therefore carries its own.
      splitting: false,
    });
    const shipped = { ...manifest, main: basename(main).replace(/\.ts$/, '.mjs') };
    writeFileSync(join(target, 'plugin.json'), `${JSON.stringify(shipped, null, 2)}\n`);
    for (const asset of globSync('**/*.{wasm,sql,yaml}', { cwd: folder }).sort())
      copyFileSync(join(folder, asset), join(target, basename(asset)));
  }
  // PostgreSQL's parser looks for its WASM beside the module it is bundled into.
  copyFileSync(join(ROOT, 'node_modules', 'libpg-query', 'wasm', 'libpg-query.wasm'), join(OUT, 'servers', 'database', 'libpg-query.wasm'));
}

/** The parser and the grammars of the filesystem plugin's find_symbol: loaded at run time, by file (engines/symbols.ts). */
function copyGrammars(): void {
  const source = join(ROOT, 'node_modules', '@vscode', 'tree-sitter-wasm', 'wasm');
  const target = join(OUT, 'servers', 'filesystem', 'tree-sitter');
  mkdirSync(target, { recursive: true });
  copyFileSync(join(source, 'tree-sitter.js'), join(target, 'tree-sitter.cjs'));
  const used = 'bash c-sharp cpp go java javascript php python ruby rust tsx typescript'.split(' ').map((name) => `tree-sitter-${name}`);
  for (const name of ['tree-sitter', ...used]) copyFileSync(join(source, `${name}.wasm`), join(target, `${name}.wasm`));
}

/** Types of `mcp-signalbox/plugin`: the declarations of what it reaches, and one file that names them. */
function buildTypes(): void {
  const types = join(OUT, 'types');
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const flags = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', ROOT, '--outDir', types];
  const settings = readFileSync(join(ROOT, 'tsconfig.json'), 'utf8');
  const config = join(ROOT, `tsconfig.build-${process.pid}.json`);
  const parsed = JSON.parse(settings) as { compilerOptions: object };
  writeFileSync(config, JSON.stringify({ compilerOptions: parsed.compilerOptions, files: ['servers/plugin/define.ts'] }));
  try {
    execFileSync(process.execPath, [tsc, '-p', config, ...flags], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  } finally {
    rmSync(config);
  }
  writeFileSync(join(OUT, 'plugin.d.ts'), "export * from './types/servers/plugin/define.d.ts';\n");
}

/** The schema of the configuration as an editor wants it: with the settings of each bundled plugin, which the daemon leaves to the plugin. */
function editorSchema(): object {
  const schema = JSON.parse(readFileSync(join(ROOT, 'daemon', 'config', 'config.schema.json'), 'utf8')) as {
    definitions: { server: Record<string, unknown> };
  };
  const settings = globSync('*/plugin.json', { cwd: join(ROOT, 'servers') })
    .sort()
    .map((file) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, 'servers', file), 'utf8')) as Manifest;
      return {
        if: { required: ['plugin'], properties: { plugin: { const: manifest.name } } },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, never awaited
        then: { properties: { settings: manifest['settings'] } },
      };
    });
  const { server } = schema.definitions;
  return { ...schema, definitions: { ...schema.definitions, server: { ...server, allOf: settings } } };
}

/** Hash of every file's name and bytes. */
function contentHash(folder: string): string {
  const hash = createHash('sha256');
  for (const file of globSync('**/*', { cwd: folder }).sort()) {
    const path = join(folder, file);
    if (statSync(path).isFile()) hash.update(`${file.replaceAll('\\', '/')}\0`).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

/** Builds `dist/`. Throws when a source does not compile. */
async function buildAll(): Promise<void> {
  const { name, version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { name: string; version: string };
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(join(OUT, 'servers', 'plugin'), { recursive: true });
  await build({ ...common, format: 'cjs', entryPoints: ['extension/main.ts'], outfile: join(OUT, 'extension.cjs') });
  // The one page with a browser's script: nothing of Node's, and small, because it is read anew for each tab.
  const page = ['main.ts', 'traffic.css'].map((file) => ({ in: `extension/traffic/webview/${file}`, out: 'traffic' }));
  await build({ ...common, platform: 'browser', target: 'chrome140', format: 'iife', minify: true, entryPoints: page, outdir: OUT });
  await build({ ...esm, entryPoints: ['daemon/cli/main.ts'], outfile: join(OUT, 'cli.mjs') });
  // minified: the tests that `conform --save-as-test` writes carry a copy of it
  // The thread that writes recordings; the daemon starts it by URL.
  await build({ ...esm, entryPoints: ['daemon/sessions/recording/writer-thread.ts'], outfile: join(OUT, 'writer-thread.mjs') });
  await build({ ...esm, minify: true, entryPoints: ['daemon/conformance/process/main.ts'], outfile: join(OUT, 'conform.mjs') });
  // A thread is started by its file (sessions/recording/writer-link.ts).
  await build({ ...esm, entryPoints: ['daemon/sessions/recording/writer-thread.ts'], outfile: join(OUT, 'writer-thread.mjs') });
  await build({ ...esm, entryPoints: ['servers/plugin/define.ts'], outfile: join(OUT, 'plugin.mjs') });
  await buildServers();
  copyGrammars();
  buildTypes();
  copyFileSync(join(ROOT, 'scripts', 'launcher', 'signalbox.cjs'), join(OUT, 'signalbox.cjs'));
  copyFileSync(join(ROOT, 'scripts', 'launcher', 'uninstall.cjs'), join(OUT, 'uninstall.cjs'));
  chmodSync(join(OUT, 'signalbox.cjs'), 0o755);
  writeFileSync(join(OUT, 'config.schema.json'), `${JSON.stringify(editorSchema(), null, 2)}\n`);
  copyFileSync(join(ROOT, 'daemon', 'sessions', 'recording', 'recording.schema.json'), join(OUT, 'recording.schema.json'));
  const about = { name, version, build: contentHash(OUT), type: 'module' };
  writeFileSync(join(OUT, 'package.json'), `${JSON.stringify(about, null, 2)}\n`);
  const old = `${DIST}.old-${process.pid}`;
  if (existsSync(DIST)) renameSync(DIST, old);
  renameSync(OUT, DIST);
  rmSync(old, { recursive: true, force: true });
  console.log(`dist: ${name} ${version}, build ${about.build}`);
}

try {
  await buildAll();
} finally {
  rmSync(OUT, { recursive: true, force: true });
}
