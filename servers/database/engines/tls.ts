/** TLS to a server: whose certificate is expected, and what it means when there is none or another. */
import { SignalboxError } from '../../../daemon/api/errors.ts';
import type { Tls } from './settings.ts';

const NO_TLS = /does not support (?:SSL|secure) connection/u;
const WRONG_NAME = /does not match certificate's altnames/u;
/** Node's codes for certificates that are not trusted (X509_V_ERR_…) and for handshakes that failed. */
const CODES =
  /^(?:HANDSHAKE_SSL_ERROR|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|CRL_\w+|UNABLE_TO_\w+|ERROR_IN_C\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH)$/u;

/** @returns `SBX_DB_CONNECTION` when `thrown` is about TLS; undefined for every other error */
export function tlsFailure(thrown: unknown, name: string): SignalboxError | undefined {
  const { code, message } = (thrown ?? {}) as { code?: string; message?: string };
  const said = message ?? '';
  if (NO_TLS.test(said)) {
    return new SignalboxError('SBX_DB_CONNECTION', `The server of "${name}" offers no TLS.`, {
      why: 'The settings ask for an encrypted connection; the login was not sent.',
      fix: 'Turn TLS on in the server, or set "tls" to false for this connection if everything between is trusted.',
      cause: thrown,
    });
  }
  if (WRONG_NAME.test(said) || code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new SignalboxError('SBX_DB_CONNECTION', `The server of "${name}" shows the certificate of another host.`, {
      why: said,
      fix: 'Use the host name the certificate was made for, or set "tls.servername" to it.',
      cause: thrown,
    });
  }
  if (!CODES.test(code ?? '')) return undefined;
  return new SignalboxError('SBX_DB_CONNECTION', `The certificate of the server of "${name}" is not trusted.`, {
    why: said === '' ? String(code) : said,
    fix: 'Set "tls.ca" to the certificate of the authority that signed it; if it is out of date, renew it on the server.',
    cause: thrown,
  });
}

/** The name the certificate must be made for. */
export function certificateName(host: string, tls: Tls): string {
  return tls.servername ?? (host.startsWith('/') ? 'localhost' : host);
}
