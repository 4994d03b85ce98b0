// Runs one of the project's scripts on a Node that is new enough, and installs the dependencies first when they are missing or
// stale. Plain old JavaScript without dependencies: it is the one file that must run on whatever Node a stranger has (18 and up).
'use strict';

const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const path = require('node:path');

const ROOT = path.resolve(__dirname, '..');
const MODULES = path.join(ROOT, 'node_modules');
const STAMP = path.join(MODULES, '.signalbox-install');
const BUNDLED_NODE = path.join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const MINIMUM = [24, 10];

/** Ends with an error a person can act on. */
function fail(code, message, why, fix) {
  process.stderr.write(`${code}: ${message}\n  why: ${why}\n  fix: ${fix}\n`);
  process.exit(2);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined; // missing or torn: the caller installs
  }
}

/** Whether node_modules holds what package-lock.json asks for: what `npm ci` left, or an `npm install` by hand. */
function installed(lockText) {
  const actual = readJson(path.join(MODULES, '.package-lock.json'));
  if (actual === undefined || actual.packages === undefined) return false;
  const wanted = JSON.parse(lockText).packages;
  return Object.keys(wanted).every(
    (name) => name === '' || wanted[name].optional || wanted[name].devOptional || actual.packages[name]?.version === wanted[name].version,
  );
}

function npm(args) {
  const inherited = process.env.npm_execpath;
  const direct = inherited?.endsWith('.js') || inherited?.endsWith('.cjs');
  return direct
    ? spawnSync(process.execPath, [inherited, ...args], { cwd: ROOT, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell: process.platform === 'win32' });
}

/** Installs when the lock file changed since the last install; a stamp makes the usual case one hash. */
function ensureDependencies() {
  const lockText = readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8');
  const digest = createHash('sha256').update(lockText).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === digest) return;
  if (!installed(lockText)) {
    process.stderr.write('Installing dependencies (npm ci) …\n');
    const result = npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    if (result.status !== 0)
      fail(
        'SBX_INSTALL',
        'The dependencies could not be installed.',
        result.error ? result.error.message : `\`npm ci\` ended with ${result.status ?? result.signal}.`,
        'Check the network and the npm registry, then run `npm ci` in the project folder.',
      );
  }
  writeFileSync(STAMP, digest);
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

function versionOf(binary) {
  const result = spawnSync(binary, ['-p', 'process.versions.node'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** The Node to run on: the devDependency `node`, or the current one when that is new enough. */
function findNode() {
  const bundled = () => existsSync(BUNDLED_NODE) && isNewEnough(versionOf(BUNDLED_NODE) ?? '0.0');
  if (bundled()) return BUNDLED_NODE;
  if (isNewEnough(process.versions.node)) return process.execPath;
  // npm 11 skips install scripts that are not approved (a user's own settings win over ours), and this package's binary comes from one.
  const installer = path.join(MODULES, 'node', 'installArchSpecificPackage.js');
  if (existsSync(installer)) {
    spawnSync(process.execPath, [installer], { cwd: path.dirname(installer), stdio: ['ignore', 2, 2] });
    if (bundled()) return BUNDLED_NODE;
  }
  return fail(
    'SBX_NODE_TOO_OLD',
    `Node ${process.versions.node} is too old; Signalbox needs ${MINIMUM.join('.')} or newer.`,
    'The devDependency `node`, which brings a newer one, is not installed for this platform.',
    'Install Node 24 or newer from https://nodejs.org, or run `npm rebuild node` and try again.',
  );
}

ensureDependencies();
const [script, ...rest] = process.argv.slice(2);
if (script === undefined) fail('SBX_USAGE', 'No script was given.', 'run.cjs runs one script.', 'node scripts/run.cjs scripts/test.ts');
const child = spawn(findNode(), ['--disable-warning=ExperimentalWarning', path.resolve(ROOT, script), ...rest], { stdio: 'inherit' });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => fail('SBX_INTERNAL', 'The script could not be started.', error.message, 'Run `npm ci` and try again.'));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
