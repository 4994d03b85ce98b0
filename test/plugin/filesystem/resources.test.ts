/** Resources, completion, subscriptions in both eras, prompts, and the tool watch. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { type Files, files } from './session.ts';

let base: string;
let root: string;
const uri = (path: string): string => pathToFileURL(join(root, path)).href;

before(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sbx-fsr-')));
  root = join(base, 'area');
  mkdirSync(join(root, 'many'), { recursive: true });
  for (let at = 0; at < 1200; at++) writeFileSync(join(root, 'many', `f${String(at).padStart(4, '0')}.txt`), String(at));
  writeFileSync(join(root, 'a file #1.md'), '# Title\n');
  writeFileSync(join(root, 'raw.bin'), Buffer.from([0, 1, 2]));
  writeFileSync(join(root, '.env'), 'SECRET');
  writeFileSync(join(base, 'outside.txt'), 'SECRET');
  symlinkSync('../outside.txt', join(root, 'out'));
});
after(() => rmSync(base, { recursive: true, force: true }));

for (const era of ['modern', 'legacy'] as const) {
  describe(`filesystem resources, ${era}`, () => {
    let server: Files;
    before(async () => {
      server = await files({ roots: [root], access: 'write' }, { era });
    });
    after(() => server.close());

    it('are listed in pages, every file once, nothing protected', async () => {
      const all: string[] = [];
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = (await server.client.request({
          method: 'resources/list',
          params: cursor === undefined ? {} : { cursor },
        })) as unknown as {
          resources: { uri: string }[];
          nextCursor?: string;
        };
        assert.ok(page.resources.length <= 500);
        all.push(...page.resources.map((resource) => resource.uri));
        cursor = page.nextCursor;
        pages++;
      } while (cursor !== undefined);
      assert.equal(pages, 3);
      assert.equal(new Set(all).size, all.length);
      assert.equal(all.filter((one) => !one.includes('watched-')).length, 1202);
      assert.ok(all.includes(uri('a file #1.md')) && !all.some((one) => one.endsWith('.env') || one.endsWith('out')));
    });
    it('are read, text and bytes', async () => {
      const text = await server.client.readResource({ uri: uri('a file #1.md') });
      assert.deepEqual(text.contents[0], { uri: uri('a file #1.md'), mimeType: 'text/markdown', text: '# Title\n' });
      const raw = await server.client.readResource({ uri: uri('raw.bin') });
      assert.deepEqual((raw.contents[0] as { blob: string }).blob, 'AAEC');
    });
    it('are refused outside, with what to do', async () => {
      for (const bad of [
        uri('out'),
        uri('.env'),
        uri('../outside.txt'),
        'file:///etc/passwd',
        `${uri('')}/%2e%2e/outside.txt`,
        'file://host/x',
        'file:///x%2fy',
        'http://x/',
      ])
        await assert.rejects(
          server.client.readResource({ uri: bad }),
          (error: Error) => !error.message.includes('SECRET') && /SBX_FS|not found/i.test(error.message),
          bad,
        );
    });
    it('have a template whose path is completed', async () => {
      const { resourceTemplates } = await server.client.listResourceTemplates();
      const [template] = resourceTemplates;
      assert.ok(template !== undefined);
      const complete = async (value: string): Promise<readonly string[]> =>
        (await server.client.complete({ ref: { type: 'ref/resource', uri: template.uriTemplate }, argument: { name: 'path', value } }))
          .completion.values;
      assert.deepEqual(await complete('ma'), ['many/']);
      assert.deepEqual(
        await complete('many/f000'),
        Array.from({ length: 10 }, (_, at) => `many/f000${at}.txt`),
      );
      for (const value of ['.e', '../', 'out/', '/etc/']) assert.deepEqual(await complete(value), [], value);
    });
    it('tell about changes: written, saved by rename, deleted and made again', { timeout: 40_000 }, async () => {
      const path = join(root, `watched-${era}.txt`);
      writeFileSync(path, '0');
      const heard: string[] = [];
      let wake = (): void => undefined;
      server.client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
        heard.push(params.uri);
        wake();
      });
      const watched = uri(`watched-${era}.txt`);
      if (era === 'legacy') await server.client.subscribeResource({ uri: watched });
      else await server.client.listen({ resourceSubscriptions: [watched] });
      const next = async (change: () => void): Promise<void> => {
        const before = heard.length;
        // A modern listen is acknowledged before the watcher stands: the first change may have to be made again.
        while (heard.length === before) {
          change();
          await Promise.race([new Promise<void>((done) => (wake = done)), delay(1500)]);
        }
      };
      let turn = 0;
      await next(() => writeFileSync(path, String(++turn)));
      await next(() => {
        writeFileSync(`${path}.new`, String(++turn));
        renameSync(`${path}.new`, path);
      });
      await next(() => {
        rmSync(path, { force: true });
        writeFileSync(path, String(++turn));
      });
      assert.ok(heard.every((one) => one === watched));
      if (era === 'legacy') {
        await server.client.unsubscribeResource({ uri: watched });
        await assert.rejects(server.client.subscribeResource({ uri: uri('out') }));
        await assert.rejects(server.client.subscribeResource({ uri: uri('.env') }));
      }
    });
    it('come with prompts that bring the content along', async () => {
      const { prompts } = await server.client.listPrompts();
      assert.deepEqual(prompts.map(({ name }) => name).sort(), ['change-safely', 'explain-tree', 'review-file']);
      const review = await server.client.getPrompt({ name: 'review-file', arguments: { path: 'a file #1.md' } });
      assert.match(JSON.stringify(review.messages), /# Title/);
      await assert.rejects(server.client.getPrompt({ name: 'review-file', arguments: { path: '../outside.txt' } }), /not inside a root/);
      const tree = await server.client.getPrompt({ name: 'explain-tree', arguments: { path: '.' } });
      assert.match(JSON.stringify(tree.messages), /f0000\.txt/);
    });
    it('watch waits for a change, and for the end of its time', { timeout: 30_000 }, async () => {
      assert.equal((await server.call('watch', { path: 'many', seconds: 0.2 })).structured['timedOut'], true);
      let done = false;
      const wait = server.call('watch', { path: 'many', seconds: 20 }).finally(() => (done = true));
      for (let turn = 0; !done; turn++) {
        writeFileSync(join(root, 'many', 'f0000.txt'), `changed ${turn}`);
        await Promise.race([wait, delay(300)]);
      }
      assert.deepEqual((await wait).structured['changes'], [{ type: 'changed', path: 'many/f0000.txt' }]);
    });
    it('a search is cancelled', async () => {
      const controller = new AbortController();
      const call = server.call('watch', { path: 'many', seconds: 60 }, { signal: controller.signal });
      controller.abort();
      await assert.rejects(call);
      assert.ok(!(await server.call('list_allowed_directories')).isError);
    });
  });
}
