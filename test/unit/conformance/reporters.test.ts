/** Every report of a run with a hostile server's text in it: valid in its own language, and nothing of the text is markup or a control sequence. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Schema, Validator } from 'jsonschema';
import type { Finding, Summary } from '../../../daemon/api/conformance.ts';
import { prettyReport } from '../../../daemon/conformance/reporters/pretty.ts';
import { progressLine } from '../../../daemon/conformance/reporters/progress.ts';
import { REPORTERS } from '../../../daemon/conformance/reporters/reporters.ts';
import { REQUIREMENTS } from '../../../daemon/conformance/requirements.ts';

const EVIL = `</pre></td><script>alert(1)</script><img src=x onerror=alert(1)>"'&]]>\u001b[2J\u0007\u0000\ud800\u202e`;
const [one, two, three] = REQUIREMENTS.filter(({ level }) => level === 'MUST');
assert.ok(one !== undefined && two !== undefined && three !== undefined);

const finding = (requirement: string, more: Partial<Finding>): Finding => ({
  id: '0123456789',
  requirement,
  level: 'MUST',
  severity: 'error',
  area: 'jsonrpc',
  statement: EVIL,
  specification: 'https://example.com/"onclick="x',
  property: 'jsonrpc/x',
  era: 'legacy',
  transport: 'stdio',
  input: { text: EVIL },
  expected: EVIL,
  got: EVIL,
  flaky: false,
  seed: 7,
  shrinks: 0,
  target: { kind: 'stdio', command: 'x', args: [] },
  called: [],
  trace: [
    { direction: '>', channel: 'out', text: EVIL },
    { direction: '<', channel: 'out', text: EVIL },
    { direction: '!', channel: '', text: EVIL },
  ],
  ...more,
});
const summary: Summary = {
  seed: 7,
  runs: 20,
  eras: ['legacy', 'modern'],
  transport: 'stdio',
  server: EVIL,
  cases: 3,
  ms: 1234,
  counts: { passed: 1, failed: 1, warning: 1, note: 0, 'not-applicable': 1, 'not-exercised': 1 },
  outcomes: [
    { requirement: one.id, area: EVIL, verdict: 'failed', reason: EVIL },
    { requirement: two.id, area: 'tools', verdict: 'warning' },
    { requirement: three.id, area: 'tools', verdict: 'passed' },
    { requirement: 'M-X', area: 'tools', verdict: 'not-applicable', reason: EVIL },
    { requirement: 'M-Y', area: 'tools', verdict: 'not-exercised', reason: EVIL },
  ],
};
const report = {
  summary,
  findings: [finding(one.id, {}), finding(one.id, { id: 'abcdefabcd' }), finding(two.id, { severity: 'warning', flaky: true })],
};
const written = (name: string): string => REPORTERS[name]?.(report) ?? '';

describe('reports of a hostile server', () => {
  it('HTML holds its text as text, asks for nothing from outside, and has a transcript for each finding', () => {
    const html = written('html');
    assert.doesNotMatch(html, /<script|<img|onerror=alert\(1\)>|<iframe|javascript:/i);
    assert.match(html, /&lt;script&gt;alert\(1\)/);
    // no attribute can be left: the quote of the link's address is escaped
    assert.doesNotMatch(html, /"onclick="x"/);
    assert.deepEqual(
      [...html.matchAll(/(?:src|href)="(?!https:\/\/example\.com\/|#)[^"]*"/g)].map(([text]) => text),
      [],
    );
    assert.match(html, /Content-Security-Policy" content="default-src 'none'/);
    assert.equal(html.match(/Transcript, 3 lines/g)?.length, 3);
    assert.match(html, /prefers-color-scheme:dark/);
    assert.match(html, /flaky/);
  });

  it('JUnit is well-formed XML 1.0 with every requirement once, and says skipped of what was not looked at', () => {
    const xml = written('junit');
    assert.doesNotMatch(xml, /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/);
    assert.equal(balanced(xml), undefined);
    assert.equal(xml.match(/<testcase /g)?.length, 5);
    assert.equal(xml.match(/<failure /g)?.length, 1);
    assert.equal(xml.match(/<skipped /g)?.length, 2);
    assert.match(xml, /tests="5" failures="1" errors="0" skipped="2"/);
    assert.match(xml, /--replay 0123456789[\s\S]*--replay abcdefabcd/);
  });

  it('SARIF is what the schema of SARIF 2.1.0 says, with an index that names the rule', () => {
    const schema = new URL('../../../node_modules/@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json', import.meta.url);
    const sarif = JSON.parse(written('sarif')) as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number }[] }];
    };
    const validate = (value: unknown): string[] =>
      new Validator().validate(value, JSON.parse(readFileSync(schema, 'utf8')) as Schema).errors.map(String);
    assert.deepEqual(validate(sarif), []);
    const [{ tool, results }] = sarif.runs;
    assert.equal(results.length, 3);
    for (const { ruleId, ruleIndex } of results) assert.equal(tool.driver.rules[ruleIndex]?.id, ruleId);
    // the validator does say no
    assert.notDeepEqual(validate({ ...sarif, version: '1.0' }), []);
  });

  it('the terminal gets no control sequence of the server', () => {
    assert.doesNotMatch(prettyReport(report), /[\u0000-\u0008\u000b-\u001f]/);
    const line = progressLine({ type: 'tools', era: 'legacy', called: [EVIL], left: [EVIL], surface: {} }, 80);
    assert.doesNotMatch(line.replaceAll('\u001b[K', '').replaceAll('\r', ''), /[\u0000-\u0008\u000b-\u001f]/);
    const bar = progressLine({ type: 'progress', done: 3, total: 4, property: 'tools/x', era: 'modern', cases: 9 }, 60);
    assert.match(bar, /\[={15} {5}\] 3\/4 modern 9 cases/);
    assert.ok(bar.length <= 64);
  });

  it('JSON is the whole report', () => {
    assert.deepEqual(JSON.parse(written('json')), JSON.parse(JSON.stringify(report)));
  });
});

/** What is wrong with the nesting of an XML text; undefined when it is well formed as far as tags, attributes and entities go. */
function balanced(xml: string): string | undefined {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml[^?]*\?>/, '');
  const rest = body.replaceAll(
    /<(\/?)([A-Za-z][\w-]*)((?:\s+[\w-]+="[^"<]*")*)\s*(\/?)>/g,
    (_all, end: string, name: string, _attributes, self: string) => {
      if (end === '/') {
        if (open.pop() !== name) open.push(`not ${name}`);
      } else if (self !== '/') open.push(name);
      return '';
    },
  );
  if (open.length > 0) return `open: ${open.join(' ')}`;
  return /<|&(?!(?:amp|lt|gt|quot|#\d+);)/.exec(rest)?.[0];
}
