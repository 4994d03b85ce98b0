import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeResult } from '../../../../extension/call/result.ts';
import { editorDouble } from '../editor-double.ts';

const { vscode } = editorDouble();
const call = { tool: 'fs__read', arguments: { path: 'a' } };
const shown = (result: Record<string, unknown>, problems?: readonly string[]) => describeResult(vscode, call, result, problems, 12);

describe('a result', () => {
  it('shows text as it is, JSON laid out, and the arguments', () => {
    const { text } = shown({
      content: [
        { type: 'text', text: 'plain' },
        { type: 'text', text: '{"a":[1]}' },
        { type: 'text', text: '[not json' },
      ],
    });
    assert.match(text, /```text\nplain\n```/);
    assert.match(text, /```json\n\{\n {2}"a": \[/);
    assert.match(text, /```text\n\[not json\n```/);
    assert.match(text, /## Arguments\n\n```json\n\{\n {2}"path": "a"/);
  });

  it('keeps a server from ending the fence or writing Markdown of its own', () => {
    const { text } = shown({
      content: [
        { type: 'text', text: 'a\n```\n# not a heading' },
        { type: 'resource_link', uri: 'x`y', name: 'n', description: '[click](command:x)' },
      ],
    });
    assert.match(text, /````text\na\n```\n# not a heading\n````/);
    assert.doesNotMatch(text, /(?<!\\)\[click(?<!\\)\]/);
  });

  it('keeps images, sound and binary resources as files', () => {
    const data = Buffer.from('hi').toString('base64');
    const { media, text } = shown({
      content: [
        { type: 'image', data, mimeType: 'image/png' },
        { type: 'audio', data, mimeType: 'audio/wav' },
        { type: 'resource', resource: { uri: 'file:///x', blob: data, mimeType: 'application/zip' } },
        { type: 'resource', resource: { uri: 'file:///y', text: 'inside' } },
        { type: 'image', data: '")(javascript:', mimeType: 'x"onerror' },
      ],
    });
    assert.deepEqual(
      media.map(({ name }) => name),
      ['image-1.png', 'audio-2.wav', 'resource-3.bin', 'image-4.bin'],
    );
    assert.equal(Buffer.from(media[0]?.data ?? []).toString(), 'hi');
    assert.match(text, /!\[image-1\.png\]\(data:image\/png;base64,aGk=\)/);
    assert.match(text, /inside/);
    assert.doesNotMatch(text, /javascript:|onerror/);
  });

  it('collects links to resources', () => {
    assert.deepEqual(shown({ content: [{ type: 'resource_link', uri: 'file:///a', name: 'a', title: 'A' }] }).links, [
      { uri: 'file:///a', name: 'A' },
    ]);
  });

  it('says whether structured content keeps its promise', () => {
    const structured = { content: [], structuredContent: { n: 1 } };
    assert.match(shown(structured, []).text, /✓ It fits/);
    assert.match(shown(structured, ['/n must be string']).text, /✗[\s\S]*\/n must be string/);
    assert.match(shown(structured).text, /no output schema/);
    assert.match(shown({ content: [] }, []).text, /gave none/);
    assert.doesNotMatch(shown({ content: [], isError: true }, []).text, /gave none/);
  });

  it('says that the tool failed', () => assert.match(shown({ content: [], isError: true }).text, /^# Failed: fs\\_\\_read/));
  it('shows a kind of content it does not know as it came', () =>
    assert.match(shown({ content: [{ type: 'video', x: 1 }] }).text, /"type": "video"/));
});
