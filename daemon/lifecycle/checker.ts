/** The runner as one file that needs nothing around it, for the tests that `--save-as-test` writes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Installation, installation } from './installation.ts';

/** Bundler settings that make an ES module of the runner. What it is built with is what `npm run build` uses. */
interface Bundler {
  buildSync(options: object): { readonly outputFiles: readonly { readonly contents: Uint8Array }[] };
}

/** The bytes of the checker: of a package its own file, of a checkout what its bundler makes of the sources. */
export function checkerBytes({ kind, conformRunner, root }: Installation = installation()): Uint8Array {
  if (kind === 'dist') return readFileSync(conformRunner);
  // only in a checkout, where the bundler is installed; the package must not carry it
  const bundler = createRequire(`${root}/package.json`)('esbuild') as Bundler;
  const [file] = bundler.buildSync({
    absWorkingDir: root,
    entryPoints: [conformRunner],
    bundle: true,
    write: false,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    charset: 'utf8',
    logLevel: 'silent',
    banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
  }).outputFiles;
  if (file === undefined) throw new Error('the bundler wrote nothing');
  return file.contents;
}
