/**
 * `node main.ts --stdio | --http [--era both|legacy|modern]`: the conformance server. Over HTTP it prints its URL as the first line of
 * standard output and ends when its standard input does.
 */
import { parseArgs } from 'node:util';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { noChanges } from './changes.ts';
import { conformanceServer } from './features.ts';
import { type Eras, serveHttp } from './http.ts';

const { values } = parseArgs({
  options: { stdio: { type: 'boolean' }, http: { type: 'boolean' }, era: { type: 'string', default: 'both' } },
});
const era = values.era as Eras;
const changes = noChanges();

if (values.http === true) {
  process.stdout.write(`${await serveHttp(changes, era)}\n`);
  process.stdin.resume().on('end', () => process.exit(0));
} else if (era === 'legacy') {
  // A server of the old days: it knows `initialize` and nothing of discovery.
  const { StdioServerTransport } = await import('@modelcontextprotocol/server/stdio');
  await conformanceServer(changes, true).connect(new StdioServerTransport());
} else {
  serveStdio(() => conformanceServer(changes, true), { legacy: era === 'modern' ? 'reject' : 'serve' });
}
