/** Gives the daemon's endpoints to VS Code as MCP servers. The token is added only when VS Code really starts one. */
import { createHash } from 'node:crypto';
import type * as VSCode from 'vscode';
import type { ToolInfo } from '../../daemon/api/control.ts';
import type { DaemonConnection } from '../daemon/connection.ts';
import { endpointRef, localFolders } from '../views/folders.ts';
import { visibleEndpoints } from './visible.ts';

/** What is remembered of an endpoint while the daemon is stopped, so that VS Code's list stays as it was. */
interface KnownEndpoint {
  readonly name: string;
  readonly workspace?: string;
  readonly url: string;
  readonly version: string;
}

const MEMENTO_KEY = 'signalbox.endpoints';
/** Before the first contact: the endpoint every daemon has. The address is filled in when it is resolved. */
const FIRST: readonly KnownEndpoint[] = [{ name: 'default', url: 'http://127.0.0.1/mcp/default', version: '0' }];

/** The provider behind `contributes.mcpServerDefinitionProviders`. Listing never starts the daemon; resolving does. */
export class EndpointDefinitions implements VSCode.McpServerDefinitionProvider<VSCode.McpHttpServerDefinition> {
  readonly #vscode: typeof VSCode;
  readonly #daemon: DaemonConnection;
  readonly #memory: VSCode.Memento;
  readonly #changed: VSCode.EventEmitter<void>;
  readonly #unsubscribe: () => void;
  readonly onDidChangeMcpServerDefinitions: VSCode.Event<void>;

  constructor(vscode: typeof VSCode, daemon: DaemonConnection, memory: VSCode.Memento) {
    this.#vscode = vscode;
    this.#daemon = daemon;
    this.#memory = memory;
    this.#changed = new vscode.EventEmitter();
    this.onDidChangeMcpServerDefinitions = this.#changed.event;
    this.#unsubscribe = daemon.onChange((changes) => {
      const relevant = changes.some((change) => change === 'connection' || change === 'endpoints' || change === 'tools');
      if (relevant && daemon.state === 'running') this.#changed.fire();
    });
  }

  dispose(): void {
    this.#unsubscribe();
    this.#changed.dispose();
  }

  async provideMcpServerDefinitions(): Promise<VSCode.McpHttpServerDefinition[]> {
    return (await this.#known()).map((endpoint) => this.#definition(endpoint, {}));
  }

  async resolveMcpServerDefinition(server: VSCode.McpHttpServerDefinition): Promise<VSCode.McpHttpServerDefinition> {
    await this.#daemon.start();
    const endpoints = await this.#known();
    const wanted = endpoints.find((endpoint) => this.#label(endpoint) === server.label);
    const { url, token } = await this.#daemon.call('clients/token', { client: 'vscode', ...endpointRef(wanted ?? { name: 'default' }) });
    return new this.#vscode.McpHttpServerDefinition(
      server.label,
      this.#vscode.Uri.parse(url),
      { Authorization: `Bearer ${token}` },
      wanted?.version ?? server.version,
    );
  }

  #definition(endpoint: KnownEndpoint, headers: Record<string, string>): VSCode.McpHttpServerDefinition {
    return new this.#vscode.McpHttpServerDefinition(this.#label(endpoint), this.#vscode.Uri.parse(endpoint.url), headers, endpoint.version);
  }

  #label(endpoint: KnownEndpoint): string {
    const name = endpoint.name === 'default' ? 'Signalbox' : `Signalbox: ${endpoint.name}`;
    // With one folder the name says enough, and it is the same before and after the daemon has seen the folder.
    return endpoint.workspace === undefined || localFolders(this.#vscode).length < 2 ? name : `${name} (${endpoint.workspace})`;
  }

  async #known(): Promise<readonly KnownEndpoint[]> {
    const status = this.#daemon.status;
    if (status === undefined) return this.#memory.get<readonly KnownEndpoint[]>(MEMENTO_KEY, FIRST);
    const known = await Promise.all(
      visibleEndpoints(status, localFolders(this.#vscode)).map(async (endpoint): Promise<KnownEndpoint> => {
        const { tools } = await this.#daemon.call('tools/list', endpointRef(endpoint));
        return { ...endpointRef(endpoint), name: endpoint.name, url: endpoint.url, version: toolsVersion(tools) };
      }),
    );
    await this.#memory.update(MEMENTO_KEY, known);
    return known;
  }
}

/** Changes exactly when the tools change: VS Code keeps a stale list for as long as the version is the same. */
export function toolsVersion(tools: readonly ToolInfo[]): string {
  const sorted = tools.map((info) => info.tool).toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 12);
}
