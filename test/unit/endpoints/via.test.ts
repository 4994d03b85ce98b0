/** The `Via` header: circles and depth are seen, other proxies are nobody's business. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viaFault } from '../../../daemon/endpoints/via.ts';

const OWN = 'ownownownown';
const [A, B, C, D] = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd'];

test('a request that was here before, or came through too many daemons, is refused with its path', () => {
  assert.equal(viaFault(undefined, OWN), undefined);
  assert.equal(viaFault('1.1 varnish, 1.0 fred (Apache/1.1), 1.1 signalbox', OWN), undefined);
  assert.equal(viaFault(`1.1 signalbox-${A}, 1.1 signalbox-${B}`, OWN), undefined);
  const circle = viaFault(`1.1 signalbox-${A},1.1 signalbox-${OWN} (daemon), 1.1 signalbox-${B}`, OWN);
  assert.equal(circle?.code, 'SBX_FEDERATION_LOOP');
  assert.ok(circle.toJSON().cause.includes([A, OWN, B, OWN].join(' → ')), circle.toJSON().cause);
  const deep = viaFault([A, B, C, D].map((id) => `1.1 signalbox-${id}`).join(', '), OWN);
  assert.equal(deep?.code, 'SBX_FEDERATION_LOOP');
  assert.match(deep.message, /too deep/);
});
