/** `signalbox sessions`: what clients and servers say to each other now. */
import { verbOf } from './arguments.ts';
import type { Command } from './command.ts';
import { listSessions, showTraffic, statistics, tailTraffic } from './sessions/traffic.ts';
import { WORKSPACE_OPTION } from './target.ts';

const VERBS = ['list', 'show', 'tail', 'stats'] as const;

/** `signalbox sessions`. */
export const sessionsCommand: Command = {
  name: 'sessions',
  summary: 'What clients and servers say to each other: sessions, the timeline, one call in full, live',
  usage: [
    'signalbox sessions [list] [--ended]',
    'signalbox sessions show [SESSION] [QUERY …] [--limit N] [--messages] [--follow]',
    'signalbox sessions show EVENT',
    'signalbox sessions tail [QUERY …]',
    'signalbox sessions stats [QUERY …]',
  ],
  options: {
    session: { type: 'string', value: 'ID', summary: 'only this session, with what its calls caused at servers' },
    client: { type: 'string', value: 'NAME', summary: 'only this client (`claude-code`)' },
    endpoint: { type: 'string', short: 'e', value: 'NAME', summary: 'only this endpoint' },
    server: { type: 'string', value: 'NAME', summary: 'only what this server is told and says' },
    workspace: WORKSPACE_OPTION,
    method: { type: 'string', value: 'METHOD', summary: 'only this method' },
    search: { type: 'string', value: 'TEXT', summary: 'only where this text occurs, in the messages too' },
    errors: { type: 'boolean', summary: 'only what failed' },
    limit: { type: 'string', value: 'N', summary: 'show: the last N rows; 200 unless told' },
    messages: { type: 'boolean', summary: 'show, tail: the messages too' },
    follow: { type: 'boolean', short: 'f', summary: 'show: go on with what happens, until Ctrl-C' },
    ended: { type: 'boolean', summary: 'list: those that have ended too' },
    reveal: { type: 'boolean', summary: 'show secrets instead of placeholders, on this screen' },
  },
  details: [
    'A QUERY is `key:value` pairs and words: `client:claude-code server:files is:error "text to find"`. Keys: client, server, session, endpoint, workspace, method, tool, edge (client, server), is (error).',
    'EVENT is the number at the beginning of a row: the message in full, and everything that belongs to the same call at both edges.',
    'The daemon keeps the last of each session in memory; a row `gap` says what is no longer there. `signalbox record` keeps everything. With --json, `tail` writes one row a line.',
  ],
  examples: [
    'signalbox sessions',
    'signalbox sessions tail client:claude-code is:error',
    'signalbox sessions show --server files --limit 50 --messages',
    'signalbox sessions show 1234',
    'signalbox sessions stats --client claude-code --json',
  ],
  async run(context) {
    const [verb, rest] = verbOf('sessions', context.args, VERBS, 'list');
    switch (verb) {
      case 'list':
        return listSessions(context, rest);
      case 'show':
        return showTraffic(context, rest);
      case 'tail':
        return tailTraffic(context, rest);
      case 'stats':
        return statistics(context, rest);
    }
  },
};
