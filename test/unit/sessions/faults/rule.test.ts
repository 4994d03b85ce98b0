/** Rules of faults: how they are written, what they hold for, when they strike. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FaultRule } from '../../../../daemon/api/faults.ts';
import { judge } from '../../../../daemon/sessions/faults/faults.ts';
import { ActiveRule, checkRule } from '../../../../daemon/sessions/faults/rule.ts';
import { faultRule } from '../../../../daemon/sessions/replay-server/rules.ts';

test('a rule is a word of settings or a JSON object', () => {
  const rule = { fault: 'latency', ms: 200, tool: 'query', message: '404' };
  assert.deepEqual(faultRule('latency,ms=200,tool=query,message=404'), rule);
  assert.deepEqual(faultRule(JSON.stringify(rule)), rule);
  assert.deepEqual(faultRule('drop, server = git* , lose=request'), { fault: 'drop', server: ' git* ', lose: 'request' });
});

test('what a rule cannot be says which key', () => {
  for (const [text, key] of [
    ['explode', '`fault`'],
    ['latency', '`ms`'],
    ['latency,ms=0', '`ms`'],
    ['latency,ms=soon', '`ms`'],
    ['drop,lose=all', '`lose`'],
    ['error,nth=0', '`nth`'],
    ['error,nth=1.5', '`nth`'],
    ['error,probability=2', '`probability`'],
    ['error,nht=1', '`nht`'],
    ['error,tool=', '`tool`'],
    ['{"fault": "error", "constructor": 1}', '`constructor`'],
    ['{"fault"', 'not JSON'],
  ] as const)
    assert.throws(
      () => faultRule(text),
      (error: Error & { code?: string; why?: string }) => {
        assert.equal(error.code, 'SBX_FAULT_RULE', text);
        assert.ok(error.why?.includes(key), `${text}: ${error.why}`);
        return true;
      },
    );
  assert.throws(() => checkRule(null), { code: 'SBX_FAULT_RULE' });
});

test('every given condition must hold', () => {
  const strikes = (rule: Partial<FaultRule>, server: string, method: string, target?: string): boolean =>
    new ActiveRule({ fault: 'drop', ...rule }).strikes(server, method, target);
  assert.ok(strikes({}, 's', 'tools/call', 't'));
  assert.ok(strikes({ server: 's', method: 'tools/*', tool: '*t*' }, 's', 'tools/call', 'at'));
  assert.ok(!strikes({ server: 'x' }, 's', 'tools/call', 't'));
  assert.ok(!strikes({ method: 'tools' }, 's', 'tools/call', 't'));
  assert.ok(!strikes({ tool: 't' }, 's', 'tools/list'));
});

test('nth counts what fits, times counts what struck, and dice fall as their seed says', () => {
  const run = (rule: Partial<FaultRule>, tools: readonly string[]): boolean[] => {
    const active = new ActiveRule({ fault: 'drop', ...rule });
    return tools.map((tool) => active.strikes('s', 'tools/call', tool));
  };
  assert.deepEqual(run({ nth: 2, tool: 'a' }, ['b', 'a', 'b', 'a', 'a']), [false, false, false, true, false]);
  assert.deepEqual(run({ times: 2 }, ['a', 'a', 'a']), [true, true, false]);
  const many = Array.from({ length: 1000 }, () => 'a');
  const thrown = run({ probability: 0.3, seed: 5 }, many);
  assert.deepEqual(run({ probability: 0.3, seed: 5 }, many), thrown);
  assert.notDeepEqual(run({ probability: 0.3, seed: 6 }, many), thrown);
  const share = thrown.filter(Boolean).length;
  assert.ok(share > 250 && share < 350, String(share));
  assert.ok(run({ probability: 0 }, many).every((struck) => !struck));
  assert.ok(run({ probability: 1 }, many).every(Boolean));
});

test('latencies add up, the first other fault counts, and the handshake is spared unless it is named', () => {
  const rules: FaultRule[] = [{ fault: 'latency', ms: 2 }, { fault: 'drop', tool: 'a' }, { fault: 'error' }, { fault: 'latency', ms: 3 }];
  const decide = judge(
    's',
    rules.map((rule) => new ActiveRule(rule)),
  );
  assert.deepEqual(decide({ method: 'tools/call', params: { name: 'a' } }), { ms: 5, rule: rules[1] });
  assert.deepEqual(decide({ method: 'tools/call', params: { name: 'b' } }), { ms: 5, rule: rules[2] });
  assert.equal(decide({ method: 'initialize' }), undefined);
  const named = judge('s', [new ActiveRule({ fault: 'error', method: 'initialize' })]);
  assert.equal(named({ method: 'initialize' })?.rule?.fault, 'error');
});
