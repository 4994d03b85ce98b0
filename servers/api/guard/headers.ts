/** Which headers may be sent, and by whom: framing belongs to the HTTP library, credentials and routing to the settings, the rest to arguments. */
import { SignalboxError } from '../../../daemon/api/errors.ts';

/** Frames the message or says who it is for: nobody sets these. */
const FRAMING =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|http2-settings|proxy-.*|accept-encoding|:.*|sec-.*)$/iu;
/** Says who is asking, where from, or what is really meant: the settings alone set these. */
const OWNED = new RegExp(
  `^(?:${[
    'authorization|authentication|www-authenticate|cookie2?|set-cookie2?|origin|referer|via|forwarded|content-(?:type|encoding|location|range)',
    'x-(?:forwarded(?:-.*)?|real-ip|client-ip|cluster-client-ip|remote-.*|originating-.*|original-.*|rewrite-.*|host|proxy-.*|envoy-.*|http-.*)',
    '(?:true-|cluster-|fastly-)?client-ip|cf-(?:connecting|ipcountry|access|worker).*|x-proxy.*|x-azure-(?:clientip|socketip|fdid|ref)|x-appengine-.*|x-(?:http-)?method(?:-override)?|x-custom-ip-authorization|max-forwards|location',
    '(?:remote|auth|authenticated|impersonate)-(?:user|group|uid|extra).*|x-(?:webauth|authenticated|authentik|ms-client|ms-token|goog-authenticated|goog-iap|amzn-oidc|amzn-mtls|ssl|client-cert|client-dn|override).*',
    '(?:ssl|tls)-client-.*|client-cert|base-url|request-uri|http-(?:url|host|x)|surrogate-.*|cdn-loop|proxy|x-middleware-.*|x-nextjs-.*|x-matched-path|x-invoke-.*',
    'metadata(?:-flavor)?|x-aws-.*|x-google-.*|x-goog-(?:api-key|user-project|iam-.*)',
    'x-amz-(?:security-token|date|signature|credential|content-sha256|algorithm|signedheaders)',
    'x-api-key|api-key|apikey|x-auth-.*|x-access-token|x-csrf-.*|x-xsrf-.*|x-sendfile.*|x-accel-.*',
  ].join('|')})$`,
  'iu',
);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/u;

/** Whether a header may be set at all (by the settings). Also refuses a name that is no token, such as one with a line break. */
export function isFraming(name: string): boolean {
  return FRAMING.test(name) || !TOKEN.test(name);
}

/** Whether a header may be set by an argument of a call. */
export function isOwned(name: string): boolean {
  // A gateway may read `_` as `-` (CGI): `x_forwarded_for` is the same header.
  const spelled = name.trim().replaceAll('_', '-');
  return isFraming(spelled) || !TOKEN.test(name) || OWNED.test(spelled);
}

/**
 * Checks one header before it is sent.
 * @param by who set it
 * @throws SignalboxError `SBX_API_REFUSED` for a name that is not theirs, `SBX_API_INPUT` for a value that would break the message
 */
export function checkHeader(name: string, value: string, by: 'settings' | 'argument'): void {
  if (by === 'argument' ? isOwned(name) : isFraming(name)) {
    throw new SignalboxError('SBX_API_REFUSED', `The header "${printable(name)}" cannot be set.`, {
      why: isFraming(name)
        ? 'It frames the message and belongs to the HTTP library.'
        : 'It says who is asking or where from; only the settings of this server may say that.',
      fix: by === 'argument' ? 'Leave this header out.' : 'Remove it from "headers" in the settings.',
    });
  }
  if (/[^\t\u0020-\u007e\u0080-\u00ff]/u.test(value) || value !== value.trim()) {
    throw new SignalboxError('SBX_API_INPUT', `The value of the header "${name}" cannot be sent.`, {
      why: 'It has a line break, another control character, blanks at an end, or a character beyond Latin-1.',
      fix: 'Give a plain value of one line.',
    });
  }
}

/** What headers of the settings take from arguments: `header:x-key`, and of a Cookie header each cookie, `cookie:session`. Lower case. */
export function reservedBy(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const own = `header:${name.toLowerCase().replaceAll('_', '-')}`;
    if (name.toLowerCase() !== 'cookie') return [own];
    return [own, ...value.split(';').map((pair) => `cookie:${(pair.split('=')[0] ?? '').trim().toLowerCase()}`)];
  });
}

function printable(text: string): string {
  return JSON.stringify(text.slice(0, 80)).slice(1, -1);
}
