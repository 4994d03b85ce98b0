/**
 * `npm run package`: one universal `mcp-signalbox-<version>.vsix`. The publisher and the address under which the marketplace finds the
 * README's images are inputs of the build (SIGNALBOX_PUBLISHER, SIGNALBOX_IMAGE_BASE_URL): they belong to whoever publishes.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '..');
const SHIPPED = [
  'dist',
  'media',
  'l10n',
  'package.nls.json',
  'package.nls.de.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  '.vscodeignore',
];
const publisher = process.env['SIGNALBOX_PUBLISHER'];
const images = process.env['SIGNALBOX_IMAGE_BASE_URL'];

execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.ts')], { cwd: ROOT, stdio: 'inherit' });
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>;
// The extension is bundled; without these, vsce neither looks for node_modules nor runs our build a second time.
const { dependencies: _d, devDependencies: _dd, scripts, allowScripts: _a, ...rest } = manifest;
// The one script VS Code itself runs.
const uninstall = (scripts as Record<string, string>)['vscode:uninstall'];
const shipped = { ...rest, scripts: { 'vscode:uninstall': uninstall } };
const stage = mkdtempSync(join(tmpdir(), 'signalbox-vsix-'));
try {
  for (const name of SHIPPED) cpSync(join(ROOT, name), join(stage, name), { recursive: true });
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify({ ...shipped, ...(publisher ? { publisher } : {}) }, null, 2)}\n`);
  const target = join(ROOT, `mcp-signalbox-${String(manifest['version'])}.vsix`);
  const where = images ? ['--baseImagesUrl', images, '--baseContentUrl', images] : ['--no-rewrite-relative-links'];
  const vsce = join(ROOT, 'node_modules', '@vscode', 'vsce', 'vsce');
  // A repository address is the publisher's too; vsce asks for one although nothing needs it.
  const args = ['package', '--no-dependencies', '--allow-missing-repository', ...where, '--out', target];
  execFileSync(process.execPath, [vsce, ...args], { cwd: stage, stdio: 'inherit' });
} finally {
  rmSync(stage, { recursive: true, force: true });
}
