/** The table of commands, in the order the help shows them. */
import { callCommand } from './call.ts';
import { clientsCommand } from './clients.ts';
import { conformCommand } from './conform.ts';
import { connectCommand } from './connect.ts';
import { demoCommand } from './demo.ts';
import { doctorCommand } from './doctor.ts';
import { faultsCommand } from './faults.ts';
import type { CommandGroup } from './help.ts';
import { logsCommand } from './logs.ts';
import { promptCommand } from './prompt.ts';
import { readCommand } from './read.ts';
import { recordCommand } from './record.ts';
import { replayCommand } from './replay.ts';
import { restartCommand } from './restart.ts';
import { secretCommand } from './secret.ts';
import { serveCommand } from './serve.ts';
import { serversCommand } from './servers.ts';
import { sessionsCommand } from './sessions.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';
import { toolsCommand } from './tools.ts';
import { trustCommand } from './trust.ts';
import { unwireCommand } from './unwire.ts';
import { upCommand } from './up.ts';
import { versionCommand } from './version.ts';
import { wireCommand } from './wire.ts';

/** Every command of the command line. */
export const COMMANDS: readonly CommandGroup[] = [
  { title: 'The daemon', commands: [upCommand, statusCommand, stopCommand, restartCommand, logsCommand, doctorCommand] },
  { title: 'Clients', commands: [wireCommand, unwireCommand, connectCommand, clientsCommand] },
  { title: 'Servers', commands: [serversCommand, serveCommand, trustCommand, secretCommand] },
  { title: 'Try it', commands: [toolsCommand, callCommand, readCommand, promptCommand, demoCommand] },
  { title: 'Look at it', commands: [sessionsCommand, recordCommand] },
  { title: 'Test it', commands: [conformCommand, replayCommand, faultsCommand] },
  { title: 'About', commands: [versionCommand] },
];
