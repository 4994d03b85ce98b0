/** The first look at a recording: who said what to whom, what may be called, what will be asked. Bounded by connections, tools and questions. */
import { SignalboxError } from '../../api/errors.ts';
import type { FrameLine, OpenLine, RecordingLine } from '../../api/recordings.ts';
import type { Edge } from '../../api/sessions.ts';
import { isObject, isRequest, type JsonObject, type Message } from '../../protocol/message.ts';
import { canonical } from '../compare/canonical.ts';

/** A recording that can be read more than once. */
export interface LineSource {
  lines(): AsyncIterable<RecordingLine>;
  /** The message of a frame, from its side file where it is in one. */
  message(line: FrameLine): Promise<object>;
}

/** One recorded connection or session, to be played over one link. */
export interface PartySurvey {
  readonly key: string;
  readonly edge: Edge;
  /** Number of its last frame. */
  last: number;
  /** Whether its first request is the legacy handshake, or it needs none. */
  handshake: boolean;
  /** Questions of the server by their canonical text: how many. */
  readonly questions: Map<string, number>;
  /** Methods of its questions: how many. */
  readonly asked: Map<string, number>;
}

/** What the look found. */
export interface Survey {
  readonly parties: ReadonlyMap<string, PartySurvey>;
  /** Requests of clients. */
  readonly requests: number;
  /** By tool: whether every list says that it only reads. */
  readonly readOnly: ReadonlyMap<string, boolean>;
  /** The party of a frame; undefined where it is not played. */
  partyOf(line: { readonly c: string; readonly n?: number }): PartySurvey | undefined;
  /** Whether a frame goes to the server. */
  toServer(line: FrameLine): boolean;
}

/** Which edge is played. */
export interface EdgeChoice {
  /** The edge of that server. */
  readonly server?: string;
  /** The target is a single server: where no client was recorded, or one server alone, that server's edge is meant. */
  readonly single?: boolean;
}

/**
 * Looks through a recording.
 * @throws SBX_REPLAY_NOTHING when no client's message would be played, or it is not clear which server's
 */
export async function survey(source: LineSource, choice: EdgeChoice): Promise<Survey> {
  const opens = new Map<string, OpenLine>();
  const servers = new Set<string>();
  let clients = false;
  for await (const line of source.lines()) {
    if (line.k !== 'open') continue;
    opens.set(line.c, line);
    if (line.edge === 'client') clients = true;
    else if (line.server !== undefined) servers.add(line.server);
  }
  const chosen = chosenServer(choice, clients, servers);
  const parties = new Map<string, PartySurvey>();
  const partyOf = (line: { readonly c: string; readonly n?: number }): PartySurvey | undefined => {
    const open = opens.get(line.c);
    if (open === undefined || (chosen === undefined ? open.edge !== 'client' : open.edge !== 'server' || open.server !== chosen))
      return undefined;
    const key = open.edge === 'client' && open.session !== undefined ? `session ${open.session}` : `connection ${line.c}`;
    const known = parties.get(key);
    if (known !== undefined) return known;
    const made = { key, edge: open.edge, last: line.n ?? 0, handshake: true, questions: new Map(), asked: new Map() };
    parties.set(key, made);
    return made;
  };
  const toServer = (line: FrameLine): boolean => (line.d === 'in') === (opens.get(line.c)?.edge === 'client');
  const readOnly = new Map<string, boolean>();
  const begun = new Set<PartySurvey>();
  const lists = new Set<string>();
  let requests = 0;
  for await (const line of source.lines()) {
    if (line.k !== 'frame') continue;
    const party = partyOf(line);
    if (party === undefined) continue;
    party.last = line.n;
    const message = (await source.message(line)) as Message;
    if (toServer(line)) {
      if (!isRequest(message)) continue;
      requests += 1;
      if (!begun.has(party))
        party.handshake = line.era === 'modern' || message.method === 'initialize' || message.method === 'server/discover';
      begun.add(party);
      if (message.method === 'tools/list') lists.add(`${party.key} ${message.id}`);
    } else if (isRequest(message) && message.method !== 'ping') count(party, message);
    else if ('result' in message && lists.delete(`${party.key} ${message.id}`)) learnTools(readOnly, message.result);
  }
  if (requests === 0)
    throw new SignalboxError('SBX_REPLAY_NOTHING', 'The recording has nothing to play.', {
      why:
        chosen === undefined
          ? 'No request of a client is in it.'
          : `No request to server "${chosen}" is in it. Servers in it: ${[...servers].join(', ') || 'none'}.`,
      fix: 'See `signalbox record show`, and choose with --server NAME.',
    });
  return { parties, requests, readOnly, partyOf, toServer };
}

function chosenServer({ server, single }: EdgeChoice, clients: boolean, servers: ReadonlySet<string>): string | undefined {
  if (server !== undefined) return server;
  if (clients && single !== true) return undefined;
  const [only] = servers;
  if (servers.size <= 1) return only;
  throw new SignalboxError('SBX_REPLAY_NOTHING', 'It is not clear which server of the recording is meant.', {
    why: `The target is one server, the recording has ${servers.size}: ${[...servers].sort().join(', ')}.`,
    fix: 'Give --server NAME.',
  });
}

/** One text for the same question. */
export function questionText({ method, params }: { readonly method: string; readonly params?: JsonObject }): string {
  const { _meta, ...rest } = params ?? {};
  return `${method} ${canonical(rest)}`;
}

function count({ questions, asked }: PartySurvey, message: { readonly method: string; readonly params?: JsonObject }): void {
  const text = questionText(message);
  questions.set(text, (questions.get(text) ?? 0) + 1);
  asked.set(message.method, (asked.get(message.method) ?? 0) + 1);
}

/** Takes note of what a list of tools says of each: true only where it only reads. */
export function learnTools(readOnly: Map<string, boolean>, result: unknown): void {
  const tools = isObject(result) ? result['tools'] : undefined;
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isObject(tool) || typeof tool['name'] !== 'string') continue;
    const { annotations } = tool;
    const reads = isObject(annotations) && annotations['readOnlyHint'] === true;
    readOnly.set(tool['name'], reads && readOnly.get(tool['name']) !== false);
  }
}
