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
  it('shows nothing of what is protected in answers that are not refused', async () => {
    const before = tree.snapshot();
    const calls: [string, Record<string, unknown>][] = [
      ['search_content', { pattern: 'SECRET', includeIgnored: true }],
      ['search_content', { pattern: 'secret', ignoreCase: true, context: 5 }],
      ['search_content', { path: 'hard-folder', pattern: '.' }],
      ['search_content', { path: 'hard-out.txt', pattern: '.' }],
      ['search_content', { path: 'to-library', pattern: 'TOP' }],
      ['find_symbol', { name: '*' }],
      ['search_files', { pattern: '**', includeIgnored: true, limit: 1000 }],
      ['directory_tree', { path: '.', includeIgnored: true }],
      ['list_directory', { path: '.' }],
      ['read_multiple_files', { paths: ['../secret.txt', '.env', 'out-file', 'hard-out.txt', 'hard-env.txt', 'fifo', '/etc/passwd'] }],
    ];
    for (const [name, args] of calls) {
      const { text } = await server.call(name, args);
      assert.ok(!text.includes(SECRET), `${name} ${JSON.stringify(args)}`);
      assert.doesNotMatch(text, /(?:^|[\s/])(?:\.env|\.ssh|server\.pem|credentials|secring)(?:$|[\s/])/m, name);
    }
    assert.equal(tree.snapshot(), before);
  });
  it('does not let a hard link into a package folder by way of the trash', async () => {
    const deleted = await server.call('delete_file', { path: 'hard-folder', recursive: true });
    assert.ok(!deleted.isError, deleted.text);
    const { id } = deleted.structured;
    for (const destination of ['node_modules', 'src/target', '.git', '.mcp.json'])
      assert.equal((await server.call('restore_deleted', { id, destination })).code, 'SBX_FS_REFUSED', destination);
    assert.equal((await server.call('read_text_file', { path: `.signalbox/trash/${id}/entry/linked.txt` })).code, 'SBX_FS_REFUSED');
    assert.ok(!(await server.call('restore_deleted', { id })).isError);
    assert.equal((await server.call('read_text_file', { path: 'hard-folder/linked.txt' })).code, 'SBX_FS_REFUSED');
  });
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
