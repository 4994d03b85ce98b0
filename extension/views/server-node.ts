/** The rows of the Servers view. */
import type { EndpointStatus, ServerStatus, ToolInfo } from '../../daemon/api/control.ts';

/** What a server offers. */
export type OfferKind = 'tools' | 'resources' | 'prompts';

/** A row of the tree. */
export type ServerNode =
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointStatus }
  | { readonly kind: 'namespace'; readonly endpoint: EndpointStatus; readonly name: string; readonly servers: readonly string[] }
  | { readonly kind: 'server'; readonly endpoint: EndpointStatus; readonly server: ServerStatus }
  | { readonly kind: 'disabled'; readonly servers: readonly ServerStatus[] }
  | { readonly kind: 'off'; readonly server: ServerStatus }
  | {
      readonly kind: 'group';
      readonly endpoint: EndpointStatus;
      readonly server: ServerStatus;
      readonly offers: OfferKind;
      readonly count: number;
    }
  | { readonly kind: 'tool'; readonly endpoint: EndpointStatus; readonly info: ToolInfo }
  | { readonly kind: 'resource'; readonly endpoint: EndpointStatus; readonly resource: Readonly<Record<string, unknown>> }
  | { readonly kind: 'prompt'; readonly endpoint: EndpointStatus; readonly prompt: Readonly<Record<string, unknown>> }
  | { readonly kind: 'failure'; readonly message: string; readonly detail: string };
