#!/usr/bin/env node
// biome-ignore-all lint/style/useNodejsImportProtocol: a Node before 14.18 does not know `node:` and must get as far as the message
/*
 * The `signalbox` command. Plain old JavaScript on purpose: it must run on whatever Node starts it, if only to find a better one or to
 * say what is wrong (ARCHITECTURE section 2). Shipped as dist/signalbox.cjs, beside cli.mjs.
 */
'use strict';

var childProcess = require('child_process');
var fs = require('fs');
var os = require('os');
var path = require('path');
var url = require('url');

/** The first Node with the SQLite authorizer and type stripping. */
var NEEDED = [24, 10];
var NODE = process.platform === 'win32' ? 'node.exe' : 'node';
var ENTRY = path.join(__dirname, 'cli.mjs');

/** Whether "24.10.0" or "v24.10.0" is new enough. */
function isGood(version) {
  var numbers = /^v?(\d+)\.(\d+)\./.exec(String(version));
  if (numbers === null) return false;
  var major = Number(numbers[1]);
  return major > NEEDED[0] || (major === NEEDED[0] && Number(numbers[2]) >= NEEDED[1]);
}

function listing(folder) {
  try {
    return fs.readdirSync(folder);
  } catch (_error) {
    return [];
  }
}

/** Version a Node says it has; costs a start of it, so folder names are read first. */
function askVersion(file) {
  var answer = childProcess.spawnSync(file, ['-p', 'process.versions.node'], {
    encoding: 'utf8',
    timeout: 5000,
    windowsHide: true,
    env: Object.assign({}, process.env, { NODE_OPTIONS: '' }),
  });
  return answer.status === 0 ? answer.stdout.trim() : '';
}

/** The newest good Node below a folder whose entries are named after versions. */
function newestIn(folder, rest) {
  var good = listing(folder).filter(isGood);
  var file;
  var i;
  good.sort(function (a, b) {
    return b.replace(/^v/, '').localeCompare(a.replace(/^v/, ''), 'en', { numeric: true });
  });
  for (i = 0; i < good.length; i++) {
    file = path.join.apply(path, [folder, good[i]].concat(rest));
    if (fs.existsSync(file)) return file;
  }
  return undefined;
}

/** The npm package `node` in this folder or one above. */
function packagedNode() {
  var folder;
  var found;
  var file;
  for (folder = __dirname; ; folder = path.dirname(folder)) {
    found = path.join(folder, 'node_modules', 'node');
    file = path.join(found, 'bin', NODE);
    try {
      if (isGood(JSON.parse(fs.readFileSync(path.join(found, 'package.json'), 'utf8')).version) && fs.existsSync(file)) return file;
    } catch (_error) {
      /* not here: look one folder higher */
    }
    if (path.dirname(folder) === folder) return undefined;
  }
}

/** Nodes that version managers keep; their folders carry the version, so nothing has to be started. */
function managedNode() {
  var file;
  var i;
  var env = process.env;
  var home = os.homedir();
  var bin = process.platform === 'win32' ? [NODE] : ['bin', NODE];
  var places = [
    [path.join(env.NVM_DIR || path.join(home, '.nvm'), 'versions', 'node'), bin],
    [env.NVM_HOME, [NODE]],
    [path.join(env.VOLTA_HOME || path.join(home, '.volta'), 'tools', 'image', 'node'), bin],
    [env.FNM_DIR && path.join(env.FNM_DIR, 'node-versions'), ['installation'].concat(bin)],
    [path.join(env.XDG_DATA_HOME || path.join(home, '.local', 'share'), 'fnm', 'node-versions'), ['installation'].concat(bin)],
    [path.join(home, 'Library', 'Application Support', 'fnm', 'node-versions'), ['installation'].concat(bin)],
    [path.join(home, '.asdf', 'installs', 'nodejs'), bin],
    [path.join(home, '.local', 'share', 'mise', 'installs', 'node'), bin],
  ];
  for (i = 0; i < places.length; i++) {
    file = places[i][0] ? newestIn(places[i][0], places[i][1]) : undefined;
    if (file) return file;
  }
  return undefined;
}

/** Nodes on PATH and in the usual places; each must be asked. */
function installedNode() {
  var folders = String(process.env.PATH || '')
    .split(path.delimiter)
    .concat(['/opt/homebrew/bin', '/usr/local/bin', '/usr/bin']);
  var seen = {};
  var file;
  var i;
  for (i = 0; i < folders.length; i++) {
    file = path.join(folders[i], NODE);
    if (folders[i] === '' || seen[file] || file === process.execPath || !fs.existsSync(file)) continue;
    seen[file] = true;
    if (isGood(askVersion(file))) return file;
  }
  return undefined;
}

function findNode() {
  var wished = process.env.SIGNALBOX_NODE;
  if (wished && isGood(askVersion(wished))) return wished;
  return packagedNode() || managedNode() || installedNode();
}

/** Runs the command line on another Node as if it were this process: same streams, same signals, same end. */
function runOn(node) {
  var child = childProcess.spawn(node, [ENTRY].concat(process.argv.slice(2)), { stdio: 'inherit' });
  ['SIGINT', 'SIGTERM', 'SIGHUP'].forEach(function (name) {
    process.on(name, function () {
      child.kill(name);
    });
  });
  child.on('error', function (error) {
    fail(node + ' could not be started: ' + error.message);
  });
  child.on('exit', function (code, signal) {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(cause) {
  var wished = process.env.SIGNALBOX_NODE;
  process.stderr.write(
    'SBX_NODE_TOO_OLD: Signalbox needs Node ' +
      NEEDED.join('.') +
      ' or newer.\n' +
      'Cause: ' +
      cause +
      (wished ? ' SIGNALBOX_NODE is ' + wished + ', which is not new enough or does not run.' : '') +
      '\n' +
      'Fix: install Node 24 (https://nodejs.org), or set SIGNALBOX_NODE to the path of one.\n',
  );
  process.exitCode = 2;
}

var node;
if (isGood(process.versions.node)) {
  // through Function, because the parser of an old Node stops at the word `import`
  new Function('address', 'return import(address)')(url.pathToFileURL(ENTRY).href).catch(function (error) {
    process.stderr.write(String((error && error.stack) || error) + '\n');
    process.exitCode = 1;
  });
} else {
  node = findNode();
  if (node) runOn(node);
  else fail('this is Node ' + process.versions.node + ' and no newer one was found.');
}
