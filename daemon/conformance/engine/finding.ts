/** A violation with all that is needed to see it again. */
import { createHash } from 'node:crypto';
import type { Finding, TraceLine } from '../../api/conformance.ts';
import { REQUIREMENTS, type Requirement, specificationUrl } from '../requirements.ts';
import type { Violation } from './judge.ts';
import type { Property } from './property.ts';
import type { Subject } from './subject.ts';

/** How it was found. */
export interface Circumstances {
  readonly input: unknown;
  /** It did not show again. */
  readonly flaky: boolean;
  /** Inputs that must go before it. */
  readonly history: readonly unknown[] | undefined;
  readonly seed: number;
  readonly path: string | undefined;
  readonly shrinks: number;
  readonly trace: readonly TraceLine[];
}

/** The finding of a violation; its id is the same for the same requirement, property, transport and input. */
export function findingOf(subject: Subject, property: Property, violation: Violation, circumstances: Circumstances): Finding {
  const requirement = REQUIREMENTS.find(({ id }) => id === violation.id) as Requirement;
  const { input, flaky, history, seed, path, shrinks, trace } = circumstances;
  const id = createHash('sha256')
    .update(`${violation.id}\0${property.name}\0${subject.transport}\0${JSON.stringify(input)}`)
    .digest('hex')
    .slice(0, 10);
  return {
    id,
    requirement: requirement.id,
    level: requirement.level,
    // what could not be shown again is not held against a server
    severity: flaky ? 'note' : violation.severity,
    area: requirement.area,
    statement: requirement.statement,
    specification: specificationUrl(requirement),
    property: property.name,
    era: subject.era,
    transport: subject.transport,
    input,
    expected: violation.expected,
    got: violation.got,
    flaky,
    ...(history === undefined ? {} : { history }),
    seed,
    ...(path === undefined ? {} : { path }),
    shrinks,
    target: withoutSecrets(subject.target),
    called: subject.callable.map(({ name }) => name),
    trace,
  };
}

/** The target without what may be secret: header values and the environment. */
export function withoutSecrets(target: Subject['target']): Subject['target'] {
  return target.kind === 'http'
    ? { kind: 'http', url: target.url }
    : { kind: 'stdio', command: target.command, args: target.args, ...(target.cwd === undefined ? {} : { cwd: target.cwd }) };
}
