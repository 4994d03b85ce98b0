/** Servers that answer the handshake of no era, and yet answer: what they get wrong there is a finding like any other. */
import { RPC } from '../../protocol/codes.ts';
import type { Era } from '../../protocol/eras.ts';
import { at } from './judge.ts';
import { Session } from './session.ts';
import type { Discovery, Subject } from './subject.ts';

/** The properties of a handshake, by era: no other has anything to stand on. */
const HANDSHAKES: Readonly<Record<Era, string>> = { legacy: 'lifecycle/handshake', modern: 'modern/discover' };
/** Codes by which a server of the other era answers `initialize` or `server/discover`. */
const ELSEWHERE: ReadonlySet<unknown> = new Set([RPC.methodNotFound, RPC.unsupportedVersion]);

/**
 * What can be tested of a server that gave no result to the handshake.
 * @param eras those whose handshake it answered
 * @returns undefined when nothing came back this time
 */
export async function stumbling(
  { target, limitMs }: Pick<Discovery, 'target' | 'limitMs'>,
  eras: readonly Era[],
): Promise<{ readonly subject: Subject; readonly property: string } | undefined> {
  const spoken: { readonly era: Era; readonly meant: boolean }[] = [];
  for (const era of eras) {
    const session = new Session({ target, era, limitMs, exercised: new Map() });
    try {
      const hello = await session.start();
      // a server without `server/discover` still answers the others in its own era
      const served = era === 'modern' && (await session.request('tools/list')).result !== undefined;
      if (session.frames.length > 0) spoken.push({ era, meant: served || !ELSEWHERE.has(at(hello.error, 'code')) });
    } finally {
      await session.close(1000);
    }
  }
  const { era } = spoken.findLast(({ meant }) => meant) ?? spoken[0] ?? {};
  if (era === undefined) return undefined;
  const subject: Subject = {
    target,
    era,
    transport: target.kind,
    limitMs,
    capabilities: {},
    handshake: {},
    tools: [],
    callable: [],
    roles: [],
    resources: [],
    templates: [],
    prompts: [],
    paged: [],
    options: (exercised) => ({ target, era, limitMs, exercised }),
  };
  return { subject, property: HANDSHAKES[era] };
}
