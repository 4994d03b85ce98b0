import { createHash } from 'node:crypto';
import type { ServerEntry } from '../api/config.ts';
import { SignalboxError } from '../api/errors.ts';
import { type SecretStore, secretMissing } from '../security/secrets.ts';
import type { MergedServer } from './merged-config.ts';
import { canonical } from './resolved-server.ts';

/**
 * Who a secret is granted to: `<workspace>/<server>@<origin>` for a URL, else `<workspace>/<server>#<hash of the entry as written>`.
 * Another address, or another command under the same name, is another holder and has to be granted anew.
 */
export function holderOf(workspace: string, server: string, entry: ServerEntry): string {
  const { enabled: _enabled, ...written } = entry;
  const origin = 'url' in entry && !entry.url.includes('${') && URL.canParse(entry.url) ? new URL(entry.url).origin : undefined;
  return `${workspace}/${server}${origin === undefined ? `#${createHash('sha256').update(canonical(written)).digest('hex').slice(0, 16)}` : `@${origin}`}`;
}

/**
 * The value of a secret for one server. An entry of the user's own file may have every secret that is set (the user wrote both);
 * an entry of a workspace only what was granted to exactly it.
 *
 * @throws SignalboxError `SBX_SECRET_MISSING`, `SBX_SECRET_NOT_GRANTED`
 */
export function secretFor(
  store: SecretStore,
  secret: string,
  name: string,
  { entry, from }: MergedServer,
  workspace: string | undefined,
): string {
  const value = store.value(secret);
  if (value === undefined) throw secretMissing(secret);
  if (from === 'user' || (workspace !== undefined && store.isGranted(secret, holderOf(workspace, name, entry)))) return value;
  throw new SignalboxError('SBX_SECRET_NOT_GRANTED', `The server \`${name}\` of this workspace may not use the secret \`${secret}\`.`, {
    why: 'A secret is usable only by the server and the address it was granted to; this one was never granted it, or has changed since.',
    fix: `If you want it to have the secret, grant it: secret \`${secret}\` to server \`${name}\` in workspace \`${workspace ?? ''}\`.`,
  });
}
