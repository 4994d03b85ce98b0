/** Builds what the editor tests need: the extension as it ships, and the suite as CommonJS for the extension host. */
import { execFileSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './scratch.ts';

/** Folder of the compiled suite. Inside the repository, so that `mocha` is found from there. */
export const SUITE_OUT = join(ROOT, 'out', 'editor');

/** Builds `dist/` with the project's own build script. */
export function buildExtension(): void {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Compiles the suite. `.cjs`, because the extension host loads test modules with `require` and our package is `"type": "module"`. */
export async function buildSuite(): Promise<void> {
  await build({
    entryPoints: globSync(['index.ts', '*.test.ts'], { cwd: join(ROOT, 'test', 'editor', 'suite') }).map((file) =>
      join(ROOT, 'test', 'editor', 'suite', file),
    ),
    outdir: SUITE_OUT,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // As in scripts/build.ts: jsonc-parser's main file asks for others in a way no bundler sees.
    mainFields: ['module', 'main'],
    external: ['vscode', 'mocha'],
    sourcemap: 'inline',
    logLevel: 'error',
  });
}
