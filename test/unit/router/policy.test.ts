import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEntry, ResolvedServer } from '../../../daemon/api/config.ts';
import { dependsOnClient, type Policy, policyOf } from '../../../daemon/router/policy.ts';

const server = (alias: string, ...namespaces: string[]): ResolvedServer => ({
  name: alias,
  alias,
  entry: { command: 'x' },
  digest: alias,
  hidden: [],
  ...(namespaces.length === 0 ? {} : { namespaces }),
});
const endpoint = (clients?: Readonly<Record<string, ClientEntry>>) => ({
  name: 'default',
  path: '/mcp/default',
  servers: [],
  ...(clients === undefined ? {} : { clients }),
});
const policy = (entry: ClientEntry): Policy => policyOf(endpoint({ me: entry }), 'me');

describe('visibility', () => {
  it('everything, where nothing is said', () => {
    for (const free of [policyOf(endpoint(), 'me'), policyOf(endpoint({ other: { namespaces: [] } }), 'me'), policy({ endpoint: 'x' })]) {
      assert.equal(free.key, '');
      assert.ok(free.server(server('fs')) && free.name('fs__read') && free.resources(server('fs')));
    }
    // A client may be called like a member of every object.
    assert.equal(policyOf(endpoint({}), 'constructor').key, '');
  });

  it('namespaces: only servers that came in by one of them', () => {
    const { server: shows, resources } = policy({ namespaces: ['dev', 'ops'] });
    assert.ok(shows(server('fs', 'dev')) && shows(server('k8s', 'office', 'ops')));
    assert.ok(!shows(server('mail', 'office')) && !shows(server('lost')));
    assert.ok(!resources(server('mail', 'office')));
    assert.ok(!policy({ namespaces: [] }).server(server('fs', 'dev')));
  });

  it('globs: some allow, no deny', () => {
    const { name } = policy({ tools: { allow: ['fs__*', 'db__query'], deny: ['*__delete_*'] } });
    assert.deepEqual(['fs__read', 'fs__delete_file', 'db__query', 'db__query2', 'web__fetch'].filter(name), ['fs__read', 'db__query']);
    assert.ok(!policy({ tools: { allow: [] } }).name('fs__read'));
    assert.ok(policy({ tools: { deny: ['fs__*'] } }).name('db__query'));
  });

  it('a server of which nothing can be visible is not there', () => {
    const shown = (tools: NonNullable<ClientEntry['tools']>): string[] =>
      ['fs', 'fsx', 'db'].filter((alias) => policy({ tools }).server(server(alias)));
    assert.deepEqual(shown({ allow: ['fs__*'] }), ['fs']);
    assert.deepEqual(shown({ allow: ['fs__read', 'd*'] }), ['fs', 'db']);
    assert.deepEqual(shown({ allow: ['*_query'] }), ['fs', 'fsx', 'db']);
    assert.deepEqual(shown({ allow: ['fs'] }), []);
    assert.deepEqual(shown({ deny: ['fs__*'] }), ['fsx', 'db']);
    assert.deepEqual(shown({ deny: ['fs__write_*'] }), ['fs', 'fsx', 'db']);
    assert.deepEqual(shown({ deny: ['*'] }), []);
  });

  it('resources go with the whole alias: a rule about some tools is none about resources', () => {
    assert.ok(policy({ tools: { allow: ['fs__*'] } }).resources(server('fs')));
    assert.ok(!policy({ tools: { allow: ['fs__*'] } }).resources(server('db')));
    assert.ok(!policy({ tools: { allow: ['fs__read_*'] } }).resources(server('fs')));
    assert.ok(policy({ tools: { deny: ['fs__delete_*'] } }).resources(server('fs')));
    assert.ok(!policy({ tools: { deny: ['fs__*'] } }).resources(server('fs')));
    assert.ok(!policy({ tools: { deny: ['*'] } }).resources(server('fs')));
  });

  it('equal policies are one', () => {
    const two = endpoint({ a: { tools: { deny: ['x'] } }, b: { tools: { deny: ['x'] } }, c: { tools: { deny: ['y'] } } });
    assert.equal(policyOf(two, 'a').key, policyOf(two, 'b').key);
    assert.notEqual(policyOf(two, 'a').key, policyOf(two, 'c').key);
  });

  it('an endpoint is personal as soon as one client has a policy', () => {
    assert.equal(dependsOnClient(endpoint()), false);
    assert.equal(dependsOnClient(endpoint({ a: { endpoint: 'default', limits: { concurrency: 1 } } })), false);
    assert.equal(dependsOnClient(endpoint({ a: {}, b: { namespaces: ['dev'] } })), true);
  });
});
