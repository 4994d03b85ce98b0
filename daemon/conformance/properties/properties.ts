/** Every property, by area. Their order is part of what a seed means: new ones go to the end of their area. */
import type { Property } from '../engine/property.ts';
import { ASKING } from './asking.ts';
import { AUTH } from './auth.ts';
import { BYTES } from './bytes.ts';
import { CHANGES } from './changes.ts';
import { COMPLETION } from './completion.ts';
import { HANDLES } from './handles.ts';
import { HEADERS } from './headers.ts';
import { HTTP } from './http.ts';
import { HTTP_STREAMS } from './http-streams.ts';
import { JSONRPC } from './jsonrpc.ts';
import { LIFECYCLE } from './lifecycle.ts';
import { LOGGING } from './logging.ts';
import { MALFORMED } from './malformed.ts';
import { PAGINATION } from './pagination.ts';
import { PRINCIPALS } from './principals.ts';
import { PROMPTS } from './prompts.ts';
import { REQUESTS } from './requests.ts';
import { RESOURCES } from './resources.ts';
import { ROUND_TRIPS } from './rounds.ts';
import { RUNNING } from './running.ts';
import { STATELESSNESS } from './statelessness.ts';
import { STOPPING } from './stopping.ts';
import { SUBSCRIPTIONS } from './subscriptions.ts';
import { TASK_FLOW } from './task-flow.ts';
import { TASKS } from './tasks.ts';
import { TOOL_CALLS } from './tool-calls.ts';
import { TOOL_DEFINITIONS } from './tool-definitions.ts';
import { TOOL_EFFECTS } from './tool-effects.ts';
import { VERSIONS_MODERN } from './versions.ts';

/** Every property. */
export const PROPERTIES: readonly Property[] = [
  ...LIFECYCLE,
  ...VERSIONS_MODERN,
  ...STATELESSNESS,
  ...JSONRPC,
  ...MALFORMED,
  ...REQUESTS,
  ...TOOL_DEFINITIONS,
  ...TOOL_CALLS,
  ...TOOL_EFFECTS,
  ...PAGINATION,
  ...RESOURCES,
  ...PROMPTS,
  ...COMPLETION,
  ...RUNNING,
  ...LOGGING,
  ...SUBSCRIPTIONS,
  ...ASKING,
  ...ROUND_TRIPS,
  ...HTTP,
  ...HEADERS,
  ...BYTES,
  ...CHANGES,
  ...STOPPING,
  ...HTTP_STREAMS,
  ...HANDLES,
  ...AUTH,
  ...PRINCIPALS,
  ...TASKS,
  ...TASK_FLOW,
];

/** The property a stored case names. */
export function propertyNamed(name: string): Property | undefined {
  return PROPERTIES.find((property) => property.name === name);
}
