/** The merged lists of one endpoint: exposed names and where each leads. Built from snapshots, never from live calls. */
import type { JsonObject } from '../protocol/message.ts';
import type { Member } from './member.ts';
import { exposedName, exposedUri } from './names.ts';

/** Where an exposed name leads. */
export interface Route {
  readonly member: Member;
  /** The name or URI the server knows. */
  readonly name: string;
}
/** The merged lists. */
export interface Catalog {
  readonly tools: readonly JsonObject[];
  readonly prompts: readonly JsonObject[];
  readonly resources: readonly JsonObject[];
  readonly resourceTemplates: readonly JsonObject[];
  readonly toolRoutes: ReadonlyMap<string, Route>;
  readonly promptRoutes: ReadonlyMap<string, Route>;
  readonly resourceRoutes: ReadonlyMap<string, Route>;
  /** Exposed URI of a server's URI where they differ. */
  readonly uriAliases: ReadonlyMap<Member, ReadonlyMap<string, string>>;
}

/** Merges the members' snapshots: member order, then exposed name. */
export function mergeCatalog(members: readonly Member[]): Catalog {
  const tools = merge(members, (member) => member.snapshot.tools.filter((tool) => !member.server.hidden.includes(String(tool['name']))));
  const prompts = merge(members, (member) => member.snapshot.prompts);
  const resourceRoutes = new Map<string, Route>();
  const uriAliases = new Map<Member, Map<string, string>>();
  const resources: JsonObject[] = [];
  for (const member of members) {
    for (const resource of member.snapshot.resources) {
      const uri = String(resource['uri']);
      const taken = resourceRoutes.has(uri);
      const exposed = taken ? exposedUri(member.alias, uri) : uri;
      resourceRoutes.set(exposed, { member, name: uri });
      if (taken) {
        const aliases = uriAliases.get(member) ?? new Map<string, string>();
        uriAliases.set(member, aliases.set(uri, exposed));
      }
      resources.push(taken ? { ...resource, uri: exposed } : resource);
    }
  }
  return {
    tools: tools.items,
    prompts: prompts.items,
    resources,
    resourceTemplates: members.flatMap((member) => member.snapshot.templates),
    toolRoutes: tools.routes,
    promptRoutes: prompts.routes,
    resourceRoutes,
    uriAliases,
  };
}

function merge(
  members: readonly Member[],
  itemsOf: (member: Member) => readonly JsonObject[],
): { items: JsonObject[]; routes: Map<string, Route> } {
  const routes = new Map<string, Route>();
  const items: JsonObject[] = [];
  for (const member of members) {
    const mine = itemsOf(member).map(
      (item) => ({ ...item, name: exposedName(member.alias, String(item['name'])) }) as JsonObject & { name: string },
    );
    itemsOf(member).forEach((item, index) => {
      const exposed = mine[index];
      if (exposed !== undefined) routes.set(exposed.name, { member, name: String(item['name']) });
    });
    items.push(...mine.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)));
  }
  return { items, routes };
}

/** Members that may know a URI that is in no list: those with a template that matches it first, then all with resources. */
export function candidatesFor(uri: string, members: readonly Member[]): readonly Member[] {
  const matching = members.filter((member) =>
    member.snapshot.templates.some((template) => matchesTemplate(String(template['uriTemplate']), uri)),
  );
  const others = members.filter(
    (member) => !matching.includes(member) && member.upstream.connection?.capabilities['resources'] !== undefined,
  );
  return [...matching, ...others];
}

/** Whether a URI can come from an RFC 6570 template: literals must match, an expression matches anything but nothing. */
export function matchesTemplate(template: string, uri: string): boolean {
  const pattern = template
    .split(/(\{[^}]*\})/)
    .map((part) => (part.startsWith('{') && part.endsWith('}') ? '.+' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('');
  return new RegExp(`^${pattern}$`, 's').test(uri);
}
