/** What an endpoint says of a tool instead of its server, and only of the definition it was said of. */
import { createHash } from 'node:crypto';
import type { ResolvedServer, ToolOverride } from '../api/config.ts';
import { type ErrorShape, SignalboxError } from '../api/errors.ts';
import type { StateStore } from '../api/state.ts';
import { HOPS_KEY } from '../protocol/hops.ts';
import { isObject, type JsonObject, metaOf } from '../protocol/message.ts';

/** A tool as an endpoint exposes it, but for its name. */
export interface OverriddenTool {
  /** The server's own name. */
  readonly own: string;
  /** The name after `alias__`. */
  readonly name: string;
  /** As exposed; `name` is still the server's. */
  readonly definition: JsonObject;
}
/** The tools of one binding. */
export interface OverriddenTools {
  readonly tools: readonly OverriddenTool[];
  /** Definitions that are not what was accepted. */
  readonly changed: readonly ErrorShape[];
}

/** Table `definitions`: key = workspace, server and tool, one a line. A server of both eras may define a tool in two ways. */
interface Row {
  /** Hashes of the definitions that were accepted. */
  readonly hashes: readonly string[];
}

/** Tools of one server that are remembered: a server that invents names must not fill the disk, nor push out what was accepted. */
const ROWS_LIMIT = 5000;

/** The accepted definitions of one workspace's servers. */
export class Definitions {
  readonly #state: StateStore | undefined;
  readonly #rows = new Map<string, Row>();
  /** Rows by workspace and server. */
  readonly #counts = new Map<string, number>();

  constructor(state: StateStore | undefined) {
    this.#state = state;
  }

  /** Whether this is the definition that was accepted. One seen for the first time is, up to 5000 of a server. */
  accepts(workspace: string | undefined, server: string, tool: string, definition: JsonObject): boolean {
    const key = keyOf(workspace, server, tool);
    const row = this.#row(key);
    const hash = definitionHash(definition);
    if (row !== undefined) return row.hashes.includes(hash);
    const owner = keyOf(workspace, server, '');
    const count = this.#counts.get(owner) ?? this.#state?.entries('definitions', owner).length ?? 0;
    this.#counts.set(owner, Math.min(count + 1, ROWS_LIMIT));
    if (count >= ROWS_LIMIT) return false;
    this.#set(key, { hashes: [hash] });
    return true;
  }

  /** Accepts these definitions of a tool, and no other from now on. */
  accept(workspace: string | undefined, server: string, tool: string, definitions: readonly JsonObject[]): void {
    this.#set(keyOf(workspace, server, tool), { hashes: [...new Set(definitions.map(definitionHash))] });
  }

  #row(key: string): Row | undefined {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = this.#state?.get<Partial<Row>>('definitions', key);
    if (row === undefined || !Array.isArray(row.hashes)) return undefined;
    this.#rows.set(key, row as Row);
    return row as Row;
  }

  #set(key: string, row: Row): void {
    this.#rows.set(key, row);
    this.#state?.set('definitions', key, row);
  }
}

/**
 * The tools of a server under its binding: hidden ones gone, overrides applied where they were made for this very definition.
 * A changed definition suspends its override (never its hiding or its name), and under `pin` the tool itself (federation design, section 4).
 */
export function overrideTools(
  server: ResolvedServer,
  workspace: string | undefined,
  definitions: Definitions,
  tools: readonly JsonObject[],
): OverriddenTools {
  const changed: ErrorShape[] = [];
  const kept = tools.flatMap((definition): OverriddenTool[] => {
    const own = String(definition['name']);
    const override = ownOverride(server, own);
    if (server.hidden.includes(own) || override?.hidden === true) return [];
    const speaks = override !== undefined && Object.keys(override).some((key) => key !== 'hidden');
    const plain: OverriddenTool = { own, name: own, definition };
    if (!speaks && server.pin !== true) return [plain];
    if (definitions.accepts(workspace, server.name, own, definition))
      return [speaks ? { own, name: override.name ?? own, definition: overridden(definition, override) } : plain];
    changed.push(changedDefinition(server, own, workspace));
    // The name stays: it says nothing of the tool, and who may see it is written for that name.
    return server.pin === true ? [] : [{ ...plain, name: override?.name ?? own }];
  });
  return { tools: kept, changed };
}

/** A hash of everything a model or a client is told of a tool. Which way it came and whether it can run as a task is not. */
export function definitionHash(definition: JsonObject): string {
  const { execution: _execution, _meta, ...told } = definition;
  const { [HOPS_KEY]: _hops, ...meta } = metaOf(definition) ?? {};
  const value = Object.keys(meta).length === 0 ? told : { ...told, _meta: meta };
  return createHash('sha256').update(canonical(value)).digest('base64url');
}

function ownOverride(server: ResolvedServer, tool: string): ToolOverride | undefined {
  return server.overrides !== undefined && Object.hasOwn(server.overrides, tool) ? server.overrides[tool] : undefined;
}

function overridden(definition: JsonObject, { title, description, annotations }: ToolOverride): JsonObject {
  return {
    ...definition,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(annotations === undefined
      ? {}
      : { annotations: { ...(isObject(definition['annotations']) ? definition['annotations'] : {}), ...annotations } }),
  };
}

function changedDefinition(server: ResolvedServer, tool: string, workspace: string | undefined): ErrorShape {
  const where = workspace === undefined ? '' : ' --workspace DIR';
  return new SignalboxError('SBX_DEFINITION_CHANGED', `Server "${server.name}" changed the definition of tool "${tool}".`, {
    why:
      server.pin === true
        ? 'The server is pinned: the tool is neither listed nor callable until the new definition is accepted.'
        : 'What the configuration says of the tool was said of another definition; it is suspended and the server speaks for itself.',
    fix: `Look at it with \`signalbox tools\`, then accept it: \`signalbox servers accept ${server.name} ${tool}${where}\`.`,
  }).toJSON();
}

function keyOf(workspace: string | undefined, server: string, tool: string): string {
  return `${workspace ?? ''}\n${server}\n${tool}`;
}

/** JSON with sorted keys: the order of keys is no change. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  return `{${Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}
