/** The attack corpus over MCP: every attack is refused with a code and a fix, changes nothing, and shows nothing. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ATTACKS, type Attack } from './corpus/attacks.ts';
import { buildTree, SECRET, type Tree } from './corpus/tree.ts';
import { type Answer, type Files, files } from './session.ts';

const linux = process.platform === 'linux' ? {} : { skip: 'the tree has FIFOs, sockets and /proc' };

describe('filesystem attacks', linux, () => {
  let tree: Tree;
  let server: Files;
  before(async () => {
    tree = await buildTree();
    server = await files({
      roots: [tree.root, { path: tree.readOnly, name: 'lib', access: 'read' }],
      access: 'write',
      deny: ['private/**', 'private'],
      maxFileBytes: 4096,
    });
  });
  after(async () => {
    await server.close();
    await tree.remove();
  });

  const kinds = [...new Set(ATTACKS.map(({ kind }) => kind))];
  it('has at least 200 attacks in its classes', () => assert.ok(ATTACKS.length >= 200, `${ATTACKS.length} in ${kinds.length} classes`));
  for (const kind of kinds) {
    const attacks = ATTACKS.filter((attack) => attack.kind === kind);
    it(`refuses ${attacks.length} attacks: ${kind}`, async () => {
      const problems: string[] = [];
      const before = tree.snapshot();
      for (const attack of attacks) {
        const problem = await attempt(server, tree, attack, before);
        if (problem !== undefined) problems.push(`${attack.tool} ${JSON.stringify(attack.args).slice(0, 120)}: ${problem}`);
      }
      assert.deepEqual(problems, []);
    });
  }
  it('has written an audit line for every call that reached a tool', () => {
    assert.ok(server.audit.length > ATTACKS.length / 2);
    for (const line of server.audit) assert.ok(!JSON.stringify(line).includes(SECRET));
  });
});

async function attempt(server: Files, tree: Tree, attack: Attack, before: string): Promise<string | undefined> {
  const fill = (value: unknown): unknown =>
    typeof value !== 'string'
      ? value
      : value
          .replaceAll('$ROOT', tree.root)
          .replaceAll('$BASE', tree.base)
          .replaceAll('$OUT', tree.outside)
          .replaceAll('$LIB', tree.readOnly);
  let answer: Answer;
  try {
    answer = await server.call(attack.tool, Object.fromEntries(Object.entries(attack.args).map(([key, value]) => [key, fill(value)])));
  } catch (thrown) {
    // Arguments that do not fit the schema may be an error of the protocol: refused as well.
    return /timed out|closed/i.test(String(thrown)) ? String(thrown) : undefined;
  }
  if (JSON.stringify(answer.content).includes(SECRET)) return `leaked: ${answer.text.slice(0, 200)}`;
  if (tree.snapshot() !== before) return `changed the disk: ${answer.text.slice(0, 200)}`;
  if (!answer.isError) return `was not refused: ${answer.text.slice(0, 200)}`;
  if (answer.code?.startsWith('SBX_FS_') !== true && !/validation|invalid/i.test(answer.text))
    return `has no code: ${answer.text.slice(0, 200)}`;
  return undefined;
}
