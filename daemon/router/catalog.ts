/** The merged lists of one endpoint: exposed names and where each leads. Built from snapshots, never from live calls. */
import { dressedTool, type Era } from '../protocol/eras.ts';
import type { JsonObject } from '../protocol/message.ts';
import type { Member } from './member.ts';
import { assignNames, type NameBook, type NamedKind, type Naming } from './name-book.ts';
import { exposedName, exposedUri, originalUri } from './names.ts';
import { matchesTemplate } from './pattern.ts';
import type { Policy } from './policy.ts';
import type { Caching, ListName } from './snapshot.ts';

/** Where an exposed name leads. */
export interface Route {
  readonly member: Member;
  /** The name or URI the server knows. */
  readonly name: string;
  /** The definition as exposed, where there is one. */
  readonly definition?: JsonObject;
}
/** A list's field in the result that carries it. */
export type CatalogList = 'tools' | 'prompts' | 'resources' | 'resourceTemplates';

/** The merged lists. */
export interface Catalog {
  readonly era: Era;
  /** Servers of which anything is visible, in order. */
  readonly members: readonly Member[];
  /** What `tools/list` answers. */
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  /** Every tool that can be called; {@link tools} but for an endpoint with tool search. */
  readonly allTools: readonly JsonObject[];
  /** By exposed name, former names too: they are routed but not listed. */
  readonly toolRoutes: ReadonlyMap<string, Route>;
  readonly promptRoutes: ReadonlyMap<string, Route>;
  readonly resourceRoutes: ReadonlyMap<string, Route>;
  /** Exposed URI of a server's URI where they differ. */
  readonly uriAliases: ReadonlyMap<Member, ReadonlyMap<string, string>>;
  /** What may be said of each list's life: the shortest of the servers', `public` only if all are and no policy applies. */
  readonly caching: Readonly<Record<CatalogList, Caching>>;
  /** Where an exposed URI leads: from the lists, or by an exposed form that is in no list any more. */
  resourceRoute(uri: string): Route | undefined;
  /** Servers that may know a URI that is in no list: those with a template that matches it first, then all with resources. */
  candidates(uri: string): readonly Member[];
  /** The server a template is from. */
  templateOwner(uriTemplate: string): Member | undefined;
}

/** The lists of an endpoint before anybody looks at them: names and URIs do not depend on who does. */
export interface MergedLists {
  readonly tools: MergedKind;
  readonly prompts: MergedKind;
  readonly resources: readonly JsonObject[];
  readonly resourceRoutes: ReadonlyMap<string, Route>;
  readonly uriAliases: ReadonlyMap<Member, ReadonlyMap<string, string>>;
}
interface MergedKind {
  readonly items: readonly JsonObject[];
  readonly routes: ReadonlyMap<string, Route>;
}

const LIST_NAMES: Readonly<Record<CatalogList, ListName>> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  resourceTemplates: 'templates',
};
const CAPABILITIES: Readonly<Record<CatalogList, string>> = {
  tools: 'tools',
  prompts: 'prompts',
  resources: 'resources',
  resourceTemplates: 'resources',
};

/** Merges the members' snapshots of one era: member order, then exposed name; resources in the order of their servers. */
export function mergeLists(members: readonly Member[], era: Era, names: NameBook): MergedLists {
  const resourceRoutes = new Map<string, Route>();
  const uriAliases = new Map<Member, Map<string, string>>();
  const resources: JsonObject[] = [];
  for (const member of members) {
    for (const resource of member.snapshot(era).resources) {
      const uri = String(resource['uri']);
      const taken = resourceRoutes.has(uri);
      const exposed = taken ? exposedUri(member.alias, uri) : uri;
      const definition = taken ? member.exposed(resource, 'uri', exposed) : resource;
      resourceRoutes.set(exposed, { member, name: uri, definition });
      if (taken) uriAliases.set(member, (uriAliases.get(member) ?? new Map<string, string>()).set(uri, exposed));
      resources.push(definition);
    }
  }
  return {
    tools: merge('tools', members, names, (member) =>
      member.tools(era).tools.map((tool) => ({ ...tool, definition: dressedTool(era, tool.definition) })),
    ),
    prompts: merge('prompts', members, names, (member) =>
      member.snapshot(era).prompts.map((definition) => {
        const own = String(definition['name']);
        return { own, name: own, definition };
      }),
    ),
    resources,
    resourceRoutes,
    uriAliases,
  };
}

interface Named {
  readonly own: string;
  readonly name: string;
  readonly definition: JsonObject;
}

function merge(kind: NamedKind, members: readonly Member[], book: NameBook, itemsOf: (member: Member) => readonly Named[]): MergedKind {
  const items = members.flatMap((member) => itemsOf(member).map((item) => ({ member, ...item })));
  const namings = items.map(
    ({ member, own, name }): Naming => ({
      server: member.server.name,
      own,
      wanted: exposedName(member.alias, name),
      plain: name === own,
    }),
  );
  const exposed = assignNames(namings);
  const routes = new Map<string, Route>();
  const lists = new Map<Member, JsonObject[]>(members.map((member) => [member, []]));
  items.forEach(({ member, own, definition }, index) => {
    const name = exposed[index] ?? own;
    const shown = member.exposed(definition, 'name', name);
    routes.set(name, { member, name: own, definition: shown });
    lists.get(member)?.push(shown);
  });
  remember(kind, members, book, routes);
  const sorted = [...lists.values()].flatMap((list) => list.sort((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1)));
  return { items: sorted, routes: withFormer(kind, book, routes) };
}

function remember(kind: NamedKind, members: readonly Member[], book: NameBook, routes: ReadonlyMap<string, Route>): void {
  const names = new Map<Member, Map<string, string>>(members.map((member) => [member, new Map()]));
  for (const [exposed, { member, name }] of routes) names.get(member)?.set(exposed, name);
  for (const [member, of] of names) book.remember(kind, member.server.name, of);
}

/** Routes with the names that tools had before a renaming, where no other tool has the name now and the tool is still there. */
function withFormer(kind: NamedKind, book: NameBook, routes: ReadonlyMap<string, Route>): ReadonlyMap<string, Route> {
  const now = new Map<string, Route>();
  for (const route of routes.values()) now.set(`${route.member.server.name}\n${route.name}`, route);
  const all = new Map(routes);
  for (const { exposed, server, own } of book.former(kind)) {
    const route = all.has(exposed) ? undefined : now.get(`${server}\n${own}`);
    if (route !== undefined) all.set(exposed, route);
  }
  return all;
}

/** What one client sees of the merged lists. */
export interface CatalogParts {
  readonly era: Era;
  readonly members: readonly Member[];
  readonly merged: MergedLists;
  readonly policy: Policy;
  /** Whether what the endpoint shows depends on the client. */
  readonly personal: boolean;
  /** What stands in the list instead of the tools. */
  readonly searchTools?: readonly JsonObject[];
}

/** The catalogue of one client in one era. */
export function visibleCatalog({ era, members: all, merged, policy, personal, searchTools }: CatalogParts): Catalog {
  const members = all.filter((member) => policy.server(member.server));
  const withResources = members.filter((member) => policy.resources(member.server));
  const tools = visible(merged.tools, policy);
  const prompts = visible(merged.prompts, policy);
  const everything = policy.key === '';
  const resourceRoutes = everything
    ? merged.resourceRoutes
    : new Map([...merged.resourceRoutes].filter(([, { member }]) => policy.resources(member.server)));
  const resources = everything ? merged.resources : merged.resources.filter((resource) => resourceRoutes.has(String(resource['uri'])));
  const resourceTemplates = withResources.flatMap((member) => member.snapshot(era).templates);
  return {
    era,
    members,
    tools: searchTools ?? tools.items,
    prompts: prompts.items,
    resources,
    resourceTemplates,
    allTools: tools.items,
    toolRoutes: tools.routes,
    promptRoutes: prompts.routes,
    resourceRoutes,
    uriAliases: merged.uriAliases,
    // A server's connection comes and goes without a new list, so this is worked out when it is asked for.
    caching: {
      get tools() {
        return together(members, era, 'tools', personal);
      },
      get prompts() {
        return together(members, era, 'prompts', personal);
      },
      get resources() {
        return together(members, era, 'resources', personal);
      },
      get resourceTemplates() {
        return together(members, era, 'resourceTemplates', personal);
      },
    },
    resourceRoute: (uri) => {
      const listed = resourceRoutes.get(uri);
      const original = listed === undefined ? originalUri(uri) : undefined;
      const member = original === undefined ? undefined : withResources.find(({ alias }) => alias === original.alias);
      return member === undefined || original === undefined ? listed : { member, name: original.uri };
    },
    candidates: (uri) => {
      const matching = withResources.filter((member) => hasTemplate(member, era, (template) => matchesTemplate(template, uri)));
      const others = withResources.filter(
        (member) => !matching.includes(member) && member.snapshot(era).capabilities['resources'] !== undefined,
      );
      return [...matching, ...others];
    },
    templateOwner: (uriTemplate) => withResources.find((member) => hasTemplate(member, era, (template) => template === uriTemplate)),
  };
}

function hasTemplate(member: Member, era: Era, test: (template: string) => boolean): boolean {
  return member.snapshot(era).templates.some((template) => test(String(template['uriTemplate'])));
}

/** What a policy leaves of a list. A former name is visible where both it and the name of today are: a rule may have been written for either. */
function visible(kind: MergedKind, policy: Policy): MergedKind {
  if (policy.key === '') return kind;
  const shows = (exposed: string, { member, definition }: Route): boolean =>
    policy.server(member.server) && policy.name(exposed) && policy.name(String(definition?.['name']));
  const routes = new Map([...kind.routes].filter(([exposed, route]) => shows(exposed, route)));
  return { items: kind.items.filter((item) => routes.has(String(item['name']))), routes };
}

/** The life of a merged list. A server that does not have the list does not count; one whose list is from before it started may be out of date. */
function together(members: readonly Member[], era: Era, list: CatalogList, personal: boolean): Caching {
  let life: Caching | undefined;
  for (const member of members) {
    const { capabilities, caching } = member.snapshot(era);
    if (member.loaded(era) && capabilities[CAPABILITIES[list]] === undefined) continue;
    const own = caching[LIST_NAMES[list]];
    const ttlMs = own !== undefined && member.lists.live(era) ? own.ttlMs : 0;
    const shared = own?.cacheScope === 'public' && life?.cacheScope !== 'private' && !personal;
    life = { ttlMs: Math.min(life?.ttlMs ?? ttlMs, ttlMs), cacheScope: shared ? 'public' : 'private' };
  }
  return life ?? { ttlMs: 0, cacheScope: 'private' };
}
