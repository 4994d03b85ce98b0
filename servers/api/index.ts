/** The HTTP API plugin: a description, a catalogue or a preset becomes guarded tools. */
import type { McpServer } from '@modelcontextprotocol/server';
import { watch } from 'chokidar';
import { SignalboxError } from '../../daemon/api/errors.ts';
import { definePlugin, helpPrompt, type PluginContext } from '../plugin/define.ts';
import { type Api, openApi, originsOfApi } from './api.ts';
import { wrongDescription } from './description/read.ts';
import type { Settings } from './settings.ts';
import { registerResources } from './tools/resources.ts';
import { searchTools } from './tools/search.ts';
import { type ApiTool, operationTool, ToolSet } from './tools/tool.ts';

type Problem = { readonly what: string; readonly fix: string };
interface State {
  api: Api | undefined;
  readonly problem: Problem | undefined;
  tools: readonly ApiTool[];
  /** The tools of each connection, for as long as it lives. */
  readonly sets: Set<WeakRef<ToolSet>>;
  close(): Promise<void>;
}

const NOTHING: Problem = {
  what: 'The HTTP API server has no OpenAPI file.',
  fix: 'Name one in "spec" of its settings, for example "./openapi.yaml", or run it with --spec ./openapi.yaml. Or name a "preset" or "requests".',
};

async function open(context: PluginContext): Promise<State> {
  const state = await first(context);
  const { api } = state;
  if (api?.file === undefined) return state;
  const pinned = originsOfApi(api, context.settings as Settings);
  let reloading = Promise.resolve();
  const watcher = watch(api.file, { ignoreInitial: true, awaitWriteFinish: { stabilityThreshold: 150, pollInterval: 50 } });
  watcher.on('error', (error) => context.log(`The file is not watched: ${error instanceof Error ? error.message : String(error)}`));
  watcher.on('all', (event) => {
    if (event !== 'change' && event !== 'add') return;
    reloading = reloading.then(() => reload(context, state, pinned));
  });
  return {
    ...state,
    get api() {
      return state.api;
    },
    get tools() {
      return state.tools;
    },
    close: async () => {
      await watcher.close();
      await reloading;
      await state.api?.close();
    },
  };
}

async function first(context: PluginContext): Promise<State> {
  try {
    const api = await openApi(context, undefined);
    const state = { sets: new Set<WeakRef<ToolSet>>(), close: async () => api?.close() };
    if (api === undefined) return { ...state, api, tools: [], problem: NOTHING };
    if (api.omitted.length > 0)
      context.log(`${api.operations.length} operations, ${api.omitted.length} left out: the resource ${api.uri}omitted says why.`);
    return { ...state, api, tools: toolsOf(api), problem: undefined };
  } catch (thrown) {
    if (!(thrown instanceof SignalboxError) || thrown.code === 'SBX_PLUGIN_SETTINGS') throw thrown;
    context.log(`${thrown.code}: ${thrown.message} ${thrown.why} ${thrown.fix}`);
    const problem = { what: `${thrown.message} ${thrown.why} (${thrown.code})`, fix: thrown.fix };
    return { api: undefined, tools: [], problem, sets: new Set(), close: () => Promise.resolve() };
  }
}

/** Takes the new description; one that cannot be used leaves the old one in place. */
async function reload(context: PluginContext, state: State, pinned: ReadonlySet<string>): Promise<void> {
  try {
    const next = await openApi(context, pinned);
    if (next === undefined) return;
    const old = state.api;
    if (old !== undefined && !old.sender.trusted.has(next.base.origin)) {
      await next.close();
      throw wrongDescription('The changed file', `It moves the API to ${next.base.origin}, which would get the credentials.`);
    }
    state.api = next;
    state.tools = toolsOf(next);
    for (const reference of state.sets) reference.deref()?.replace(next, state.tools);
    context.log(`The description has changed: ${next.operations.length} operations.`);
    // Calls under way end on the old connections.
    setTimeout(() => void old?.close(), 60_000).unref();
  } catch (thrown) {
    const words = thrown instanceof SignalboxError ? `${thrown.code}: ${thrown.message} ${thrown.why}` : String(thrown);
    context.log(`The changed description is not used, the old one stays. ${words}`);
  }
}

function toolsOf(api: Api): readonly ApiTool[] {
  return api.search ? searchTools(api) : api.operations.map((operation) => operationTool(api, operation));
}

function register(server: McpServer, _context: PluginContext, state: State): void {
  if (state.problem !== undefined) {
    helpPrompt(server, 'set-up-api', state.problem);
    return;
  }
  const set = new ToolSet(server);
  set.replace(state.api, state.tools);
  state.sets.add(new WeakRef(set));
  // The set lives as long as its connection does.
  Object.assign(server, { signalboxTools: set });
  if (state.api !== undefined) registerResources(server, state.api.uri, () => state.api);
}

export default definePlugin<State>({ open, register, close: (state) => state.close() });
