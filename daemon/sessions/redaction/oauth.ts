/**
 * What OAuth sends through addresses and forms under names that mean other things elsewhere (RFC 6749 section 4.1, RFC 7521, RFC 7636,
 * RFC 8628): a `code` is one only beside what belongs to it, so that `?code=42` of any API stays.
 */
import { harmless } from './harmless.ts';

/** Takes a secret and gives what stands in its place. */
type Hide = (secret: string) => string;

/** An address or a form: what has no blank in it. */
const RUN = /[^\s"'<>`\\]{8,65536}/g;
/** Beside a code (RFC 6749, RFC 9207, OpenID Connect Session Management), in the same query, fragment or form. */
const BESIDE = /(?:^|[?&#])(?:state|session_state|iss|grant_type|redirect_uri|code_verifier)=/;
/** Where an authorization server sends a browser back to. */
const CALLBACK = /(?:callback|oauth2?|oidc|redirect|signin-[a-z0-9-]{1,40})\/?[?#]/i;
const GRANT = /(?:^|[?&#])grant_type=/;
const CODE = /((?:^|[?&#])code=)([^&#;,)]{8,4096})/g;
const PROOF = /((?:^|[?&#])(?:client_assertion|code_verifier|device_code)=)([^&#;,)]{8,65536})/g;
const ASSERTION = /((?:^|[?&#])assertion=)([^&#;,)]{4,65536})/g;
/** An assertion without its grant is a JSON Web Token or an XML document; one of a test is shorter. */
const ASSERTION_ALONE = 32;

/** The text without codes, assertions and verifiers. */
export function withoutGrants(text: string, hide: Hide): string {
  if (!has(text)) return text;
  // a run ends with its line: most lines have none
  return text.replace(/[^\n]+/g, (line) => (has(line) ? lineWithout(line, hide) : line));
}

function lineWithout(line: string, hide: Hide): string {
  return line.replace(RUN, (run) => {
    if (!has(run)) return run;
    const swap = (whole: string, name: string, value: string): string => (harmless(value) ? whole : name + hide(value));
    const grant = GRANT.test(run);
    const out = BESIDE.test(run) || CALLBACK.test(run) ? run.replace(CODE, codeless(swap)) : run;
    return out
      .replace(PROOF, swap)
      .replace(ASSERTION, (whole: string, name: string, value: string) =>
        grant || value.length >= ASSERTION_ALONE ? swap(whole, name, value) : whole,
      );
  });
}

function has(text: string): boolean {
  return text.includes('code=') || text.includes('assertion=') || text.includes('verifier=');
}

/** Whether a member of the JSON body of a token request is a secret. */
export function isGrantSecret(member: string, body: object): boolean {
  return (member === 'code' || member === 'assertion') && ('grant_type' in body || 'grantType' in body);
}

/** A number is a country, a status, an item. */
function codeless(swap: (whole: string, name: string, value: string) => string): typeof swap {
  return (whole, name, value) => (/^[0-9]+$/.test(value) ? whole : swap(whole, name, value));
}
