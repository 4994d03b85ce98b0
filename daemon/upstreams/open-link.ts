/** From a configured server to an open link: plugin, command, URL or pattern. */
import { createInterface } from 'node:readline';
import type { PatternServer, RecordingServer, ResolvedServer } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import { AUDIT_FD, SETTINGS_FD } from '../api/plugin.ts';
import type { OpenLink, SpawnChild } from './link.ts';
import { pluginFolder } from './plugin-folder.ts';
import { SseLink } from './sse-link.ts';
import { stdioLink } from './stdio-link.ts';
import { urlLink } from './url-link.ts';

/** What opening links needs from the daemon. */
export interface LinkParts {
  readonly spawn: SpawnChild;
  /** The child's whole environment: allow-list, login-shell PATH, the entry's own. */
  readonly environment: (own: Readonly<Record<string, string>>) => Promise<Record<string, string>>;
  /** The Node that runs plugins, and the host program. */
  readonly node: { readonly command: string; readonly env: Readonly<Record<string, string>> };
  readonly pluginHost: string;
  readonly pluginsDir: string;
  /** Folder relative paths of a server start from. */
  readonly base: (workspace: string | undefined) => string;
  readonly messageBytes: () => number;
  /** Takes secrets out of a text. */
  readonly redact: (text: string) => string;
  readonly onStderr: (server: ResolvedServer, line: string) => void;
  readonly onAudit: (server: ResolvedServer, line: string) => void;
  /** Id of this daemon, said to servers of type `signalbox`. Absent = not said. */
  readonly hop?: string;
  /** Opens servers that are patterns over others: what they need is above this room. */
  readonly pattern?: (server: ResolvedServer & { readonly entry: PatternServer }, workspace: string | undefined) => OpenLink;
  /** Opens servers that are recordings, which are played above this room. */
  readonly recording?: (server: ResolvedServer & { readonly entry: RecordingServer }, workspace: string | undefined) => OpenLink;
}

/** Makes the function that opens links to one server. */
export function linkOpener(server: ResolvedServer, workspace: string | undefined, parts: LinkParts): OpenLink {
  return withoutSecrets(opener(server, workspace, parts), parts.redact);
}

/** What a server prints or a command line holds may name a secret: no error leaves here with one in it. */
function withoutSecrets(open: OpenLink, redact: (text: string) => string): OpenLink {
  const clean = (error: SignalboxError): SignalboxError =>
    new SignalboxError(error.code, redact(error.message), { why: redact(error.why), fix: redact(error.fix), ...systemCode(error.cause) });
  return async (listener, session) => {
    try {
      return await open(
        {
          message: (message, related, bytes) => listener.message(message, related, bytes),
          fault: (error, id) => listener.fault(clean(error), id),
          closed: (error) => listener.closed(clean(error)),
          aside: (direction, message, request) => listener.aside?.(direction, message, request),
        },
        session,
      );
    } catch (error) {
      throw error instanceof SignalboxError ? clean(error) : error;
    }
  };
}

/** Of a cause only the system's code is kept (`ECONNREFUSED`): it tells whether anything was sent, and holds no secret. */
function systemCode(cause: unknown): { readonly cause?: { readonly code: string } } {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? { cause: { code: cause.code } } : {};
}

function opener(server: ResolvedServer, workspace: string | undefined, parts: LinkParts): OpenLink {
  const { entry, name } = server;
  if ('url' in entry) {
    const hop = entry.type === 'signalbox' && parts.hop !== undefined ? { hop: parts.hop } : {};
    const options = {
      server: name,
      url: entry.url,
      headers: entry.headers ?? {},
      ...hop,
      // Whoever raises the limit because an answer was too large asks again, and the server still runs.
      get messageBytes() {
        return parts.messageBytes();
      },
    };
    return async (listener) => (entry.type === 'sse' ? new SseLink(listener, options) : urlLink(listener, options));
  }
  if ('recording' in entry) {
    if (parts.recording === undefined) throw new Error('nothing here plays recordings');
    return parts.recording({ ...server, entry }, workspace);
  }
  if (!('command' in entry || 'plugin' in entry)) {
    if (parts.pattern === undefined) throw new Error('nothing here opens patterns');
    return parts.pattern({ ...server, entry }, workspace);
  }
  const options = {
    server: name,
    onStderr: (line: string) => parts.onStderr(server, line),
    get messageBytes() {
      return parts.messageBytes();
    },
  };
  const base = entry.cwd ?? parts.base(workspace);
  if ('command' in entry) {
    return async (listener) => {
      const env = await parts.environment(entry.env ?? {});
      return stdioLink(
        await parts.spawn({ command: entry.command, args: entry.args ?? [], env, cwd: base, extraPipes: 0 }),
        listener,
        options,
      );
    };
  }
  return async (listener) => {
    const folder = pluginFolder(entry.plugin, parts.pluginsDir, base);
    const env = await parts.environment({ ...entry.env, ...parts.node.env });
    const args = [
      '--disable-warning=ExperimentalWarning',
      parts.pluginHost,
      folder,
      '--settings-fd',
      String(SETTINGS_FD),
      '--audit-fd',
      String(AUDIT_FD),
    ];
    const child = await parts.spawn({ command: parts.node.command, args, env, cwd: base, extraPipes: 2 });
    const [settings, audit] = child.pipes;
    settings?.end(JSON.stringify(entry.settings ?? {}));
    if (audit !== undefined) createInterface({ input: audit }).on('line', (line) => parts.onAudit(server, line));
    return stdioLink(child, listener, options);
  };
}
