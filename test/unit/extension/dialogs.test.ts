import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SignalboxError } from '../../../daemon/api/errors.ts';
import { parseDocument, reportedError } from '../../../extension/daemon/start.ts';
import { argumentsSkeleton } from '../../../extension/dialogs/arguments.ts';
import { previewText } from '../../../extension/dialogs/claude-code.ts';
import { pastedEntry, splitCommand } from '../../../extension/dialogs/server-entry.ts';
import { parseArguments } from '../../../extension/dialogs/tool-call.ts';
import { toolsVersion } from '../../../extension/endpoints/definitions.ts';
import { statusLine } from '../../../extension/views/status.ts';
import { exampleStatus } from './daemon-double.ts';

describe('arguments of a tool', () => {
  it('drafts the required ones only, by default, choice, example or type', () => {
    const schema = {
      type: 'object',
      required: ['path', 'mode', 'depth', 'where', 'tags', 'anything', 'flag'],
      properties: {
        path: { type: 'string' },
        mode: { enum: ['fast', 'slow'] },
        depth: { type: 'integer', default: 3 },
        where: { type: 'object', required: ['x'], properties: { x: { type: 'number', minimum: 1 } } },
        tags: { type: ['array', 'null'] },
        anything: true,
        flag: { type: 'boolean' },
        optional: { type: 'string', default: 'no' },
      },
    };
    assert.deepEqual(argumentsSkeleton(schema), {
      path: '',
      mode: 'fast',
      depth: 3,
      where: { x: 1 },
      tags: [],
      anything: null,
      flag: false,
    });
    assert.deepEqual(argumentsSkeleton({ type: 'object' }), {});
  });

  it('takes an object and nothing else', () => {
    assert.deepEqual(parseArguments('{"a":1}'), { a: 1 });
    assert.deepEqual(parseArguments('  '), {});
    for (const text of ['[1]', 'null', '3', '{a:1}']) assert.equal(parseArguments(text), undefined);
  });
});

describe('a pasted server', () => {
  const entry = { command: 'npx', args: ['-y', 'x'] };
  for (const [what, text] of Object.entries({
    'Claude Code file': JSON.stringify({ mcpServers: { mine: entry } }),
    'VS Code file': JSON.stringify({ servers: { mine: entry } }),
    'named entry': JSON.stringify({ mine: entry }),
    'named entry without braces': `"mine": ${JSON.stringify(entry)}`,
    'bare entry': JSON.stringify(entry),
  }))
    it(`is found in a ${what}`, () => assert.deepEqual(pastedEntry(text), { name: 'mine', entry }));

  it('is refused with a code when it is not there', () => {
    assert.throws(
      () => pastedEntry('{'),
      (error) => error instanceof SignalboxError && error.code === 'SBX_CONFIG_SYNTAX',
    );
    assert.throws(
      () => pastedEntry('{"a": {"b": 1}}'),
      (error) => error instanceof SignalboxError && error.code === 'SBX_CONFIG_INVALID',
    );
  });

  it('splits a command line at blanks outside quotes', () => {
    assert.deepEqual(splitCommand(`node "my server.js" --name 'a b' -v`), ['node', 'my server.js', '--name', 'a b', '-v']);
    assert.deepEqual(splitCommand(''), []);
  });
});

describe('what the command line prints', () => {
  it('is the whole document or its last line', () => {
    assert.deepEqual(parseDocument('{\n "a": 1\n}\n'), { a: 1 });
    assert.deepEqual(parseDocument('note\n{"a":1}\n'), { a: 1 });
    assert.equal(parseDocument('nothing'), undefined);
  });

  it('becomes the error it reports', () => {
    const shape = { code: 'SBX_NO_PORT', message: 'm', cause: 'c', fix: 'f' };
    assert.deepEqual(reportedError(shape)?.toJSON(), shape);
    assert.deepEqual(reportedError({ error: shape })?.toJSON(), shape);
    assert.equal(reportedError({ code: 'ENOENT', message: 'm' }), undefined);
  });
});

describe('what people see', () => {
  it('counts the servers that work and warns about the others', () => {
    const line = statusLine('running', exampleStatus(4000), undefined);
    assert.equal(line.text, '$(warning) Signalbox 1/2');
    assert.match(line.tooltip, /mine: It ended\./);
    assert.equal(statusLine('failed', undefined, 'no port').tooltip, 'no port');
    assert.equal(statusLine('stopped', undefined, undefined).warning, false);
  });

  it('shows the command or the diff before Claude Code is connected', () => {
    assert.match(
      previewText({ file: '/h/.claude.json', method: 'command', command: 'claude mcp add-json x' }),
      /would be run.*\n\nclaude mcp add-json x/,
    );
    assert.match(
      previewText({ file: '/h/.claude.json', method: 'file', diff: '+ "signalbox"' }),
      /changed in \/h\/\.claude\.json\n\n\+ "signalbox"/,
    );
  });

  it('has a version that depends on the tools, not on their order', () => {
    const [a, b] = [
      { server: 's', tool: { name: 'a', inputSchema: {} } },
      { server: 's', tool: { name: 'b', inputSchema: {} } },
    ];
    assert.equal(toolsVersion([a, b]), toolsVersion([b, a]));
    assert.notEqual(toolsVersion([a, b]), toolsVersion([a]));
    assert.notEqual(toolsVersion([a]), toolsVersion([{ ...a, tool: { ...a.tool, description: 'new' } }]));
  });
});
