/** `signalbox conform`: property-based conformance tests of one server, without the daemon. */
import type { Command } from './command.ts';

/** `signalbox conform`. */
export const conformCommand: Command = {
  name: 'conform',
  summary: 'Test a server against the specification with generated inputs',
  usage: [
    'signalbox conform URL [options]',
    'signalbox conform [options] -- COMMAND [ARGUMENTS]',
    'signalbox conform --replay ID',
    'signalbox conform --save-as-test ID',
  ],
  options: {
    era: { type: 'string', value: 'ERA', summary: 'legacy, modern or both; the eras the server speaks unless told' },
    seed: { type: 'string', value: 'N', summary: 'same seed, same cases; 42 unless told' },
    runs: { type: 'string', value: 'N', summary: 'generated cases for each property; 20 unless told' },
    only: { type: 'string', value: 'TEXT', summary: 'only properties whose name contains TEXT, or about the requirement TEXT' },
    allow: {
      type: 'string',
      value: 'TOOL',
      multiple: true,
      summary: 'call this tool too, though it does not say that it is read-only; * for all',
    },
    header: { type: 'string', value: 'NAME: VALUE', multiple: true, summary: 'an HTTP header of every request, such as Authorization' },
    timeout: { type: 'string', value: 'MS', summary: 'longest wait for an answer in milliseconds; 5000 unless told' },
    reporter: { type: 'string', value: 'KIND', summary: 'pretty, json, junit, sarif, html or events (one JSON object a line)' },
    output: { type: 'string', value: 'FILE', summary: 'write the report there' },
    'fail-on': { type: 'string', value: 'SEVERITY', summary: 'exit with 1 on error (default) or already on warning' },
    baseline: { type: 'string', value: 'FILE', summary: 'a JSON array of requirement ids whose findings are known' },
    'no-store': { type: 'boolean', summary: 'write no cases under .signalbox/conformance' },
    replay: { type: 'string', value: 'ID', summary: 'send a stored case again; exit code 0 when the requirement holds now' },
    'save-as-test': { type: 'string', value: 'ID', summary: 'write a stored case as a test for `node --test`' },
  },
  details: [
    'Tools are called with valid arguments only when they say that they are read-only (readOnlyHint) or are allowed; the list is shown first.\nEvery finding is stored under .signalbox/conformance as a case of its own. Exit code 1 when an error (a broken MUST) was found.',
  ],
  examples: [
    'signalbox conform -- node server.js',
    'signalbox conform http://127.0.0.1:3000/mcp --era legacy --seed 7',
    'signalbox conform --replay 0b62466967',
    'signalbox conform --reporter sarif --output report.sarif -- node server.js',
  ],
  async run(context) {
    // A daemon that only routes need not have the generators in its memory.
    const { runConform } = await import('./conform/run.ts');
    return runConform(context);
  },
};
