/** Errors for what an endpoint does not have. */
import { SignalboxError } from '../api/errors.ts';
import type { EndpointView } from './endpoint-view.ts';

/** A tool that is not there, or of a server that is down. */
export function toolUnknown(name: string, view: EndpointView, client: string): SignalboxError {
  const down = view.errors(client).map(({ server, error }) => `${server} (${error.code}: ${error.message})`);
  // One that says nothing has not failed yet, and is why its tools are missing.
  const silent = view
    .catalog(client)
    .members.filter(({ known, error, upstream }) => !known && error === undefined && upstream.state === 'starting')
    .map(({ server }) => `${server.name} (still starting: it has not answered yet)`);
  const missing = [...down, ...silent];
  return new SignalboxError('SBX_TOOL_UNKNOWN', `Tool "${name}" is not known.`, {
    why:
      missing.length > 0
        ? `It may belong to a server that is down: ${missing.join('; ')}`
        : `No server of endpoint "${view.endpoint.name}" has it.`,
    fix: 'List the tools again; a name is alias__tool.',
  });
}

/** A prompt that is not there. */
export function promptUnknown(name: string, view: EndpointView): SignalboxError {
  return new SignalboxError('SBX_PROMPT_UNKNOWN', `Prompt "${name}" is not known.`, {
    why: `No server of endpoint "${view.endpoint.name}" has it.`,
    fix: 'List the prompts again; a name is alias__prompt.',
  });
}

/** A resource no server has. */
export function resourceUnknown(uri: string, view: EndpointView | undefined): SignalboxError {
  return new SignalboxError('SBX_RESOURCE_UNKNOWN', `Resource ${uri} is not known.`, {
    why: `No server of ${view === undefined ? 'this endpoint' : `endpoint "${view.endpoint.name}"`} has it.`,
    fix: 'List the resources and templates first.',
  });
}
