/** `signalbox conform`: property-based conformance tests of one server. */
import type { Command } from './command.ts';
import { TARGET_OPTIONS } from './target.ts';

/** `signalbox conform`. */
export const conformCommand: Command = {
  name: 'conform',
  summary: 'Test a server against the specification with generated inputs',
  usage: [
    'signalbox conform NAME [options]',
    'signalbox conform URL [options]',
    'signalbox conform [options] -- COMMAND [ARGUMENTS]',
    'signalbox conform --replay ID',
    'signalbox conform --save-as-test ID',
  ],
  options: {
    workspace: TARGET_OPTIONS.workspace,
    era: { type: 'string', value: 'ERA', summary: 'legacy, modern or both; the eras the server speaks unless told' },
    seed: { type: 'string', value: 'N', summary: 'same seed, same cases; 42 unless told' },
    runs: { type: 'string', value: 'N', summary: 'generated cases for each property; 20 unless told' },
    only: {
      type: 'string',
      value: 'TEXT',
      multiple: true,
      summary: 'only the property of that name, those whose name contains TEXT, or those about the requirement TEXT',
    },
    allow: {
      type: 'string',
      value: 'TOOL',
      multiple: true,
      summary: 'call this tool too, though it does not say that it is read-only; * for all',
    },
    yes: { type: 'boolean', short: 'y', summary: 'do not ask before tools are called' },
    settings: { type: 'string', value: 'FILE', summary: 'roles, arguments, reset and tokens; .signalbox/conformance.jsonc unless told' },
    header: { type: 'string', value: 'NAME: VALUE', multiple: true, summary: 'an HTTP header of every request' },
    token: { type: 'string', value: 'TOKEN|@FILE', summary: 'bearer token of a protected server' },
    token2: { type: 'string', value: 'TOKEN|@FILE', summary: 'valid token of another principal: it must see nothing of the first' },
    'token-expired': { type: 'string', value: 'TOKEN|@FILE', summary: 'a token that was valid once' },
    'token-other': { type: 'string', value: 'TOKEN|@FILE', summary: 'a valid token for another resource' },
    'token-narrow': { type: 'string', value: 'TOKEN|@FILE', summary: 'a valid token without the scopes the tools need' },
    timeout: { type: 'string', value: 'MS', summary: 'longest wait for an answer in milliseconds; 5000 unless told' },
    watch: {
      type: 'string',
      value: 'GLOB',
      multiple: true,
      summary: 'run again when these files change: what failed and what changed first',
    },
    reporter: { type: 'string', value: 'KIND', summary: 'pretty, json, junit, sarif, html or events (one JSON object a line)' },
    output: { type: 'string', value: 'FILE', summary: 'write the report there' },
    'fail-on': { type: 'string', value: 'SEVERITY', summary: 'exit with 1 on error (default), already on warning, or on note' },
    baseline: { type: 'string', value: 'FILE', summary: 'a JSON array of ids (of requirements or findings) that are known' },
    'write-baseline': { type: 'string', value: 'FILE', summary: 'write the ids of what was found, for --baseline' },
    'no-store': { type: 'boolean', summary: 'write no cases under .signalbox/conformance' },
    replay: { type: 'string', value: 'ID', summary: 'send a stored case again; exit code 0 when the requirement holds now' },
    'save-as-test': { type: 'string', value: 'ID', summary: 'write a stored case as a test for `node --test`' },
  },
  details: [
    'NAME is a server of the configuration: the daemon starts a fresh, private instance of it. A command or a URL needs no daemon.',
    'Tools are called with valid arguments only when they say that they are read-only (readOnlyHint) or are allowed; the list is shown first, and on a terminal it is asked about. Every finding is stored under .signalbox/conformance as a case of its own.',
    'Exit codes: 0 nothing that counts was found, 1 an error (a broken MUST) was found or the server does not answer, 2 wrong usage, 3 a server of the configuration was named and no daemon runs.',
  ],
  examples: [
    'signalbox conform -- node server.js',
    'signalbox conform fs',
    'signalbox conform http://127.0.0.1:3000/mcp --era legacy --seed 7',
    "signalbox conform --watch 'src/**' -- node src/server.js",
    'signalbox conform --replay 0b62466967',
    'signalbox conform --reporter sarif --output report.sarif -- node server.js',
  ],
  async run(context) {
    // A daemon that only routes need not have the generators in its memory.
    const { runConform } = await import('./conform/run.ts');
    return runConform(context);
  },
};
