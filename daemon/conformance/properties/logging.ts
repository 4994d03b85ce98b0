/** Log messages: levels, opting in, filters. */
import { META } from '../../protocol/eras.ts';
import { at, shown } from '../engine/judge.ts';
import { type Property, property } from '../engine/property.ts';
import { LOG_LEVELS } from '../engine/shapes.ts';
import { call } from './calling.ts';
import { cheapMethod, outcomeText, refused } from './expect.ts';

const logLevels = property<{ level: string; good: boolean }>({
  name: 'streams/log-levels',
  area: 'logging',
  phase: 'stateful',
  stems: ['LOG-SETLEVEL', 'LOG-FILTER', 'LOG-INVALID-LEVEL', 'LOG-CAP', 'LOG-LEVEL-ENUM', 'LOG-NO-SECRETS'],
  eras: ['legacy'],
  skip: (subject) => (Object.hasOwn(subject.capabilities, 'logging') ? undefined : 'the server does not declare logging'),
  cases: () => ({
    boundaries: [
      ...['warn', 'INFO', '', 'x', '__proto__'].map((level) => ({ level, good: false })),
      ...[...LOG_LEVELS].reverse().map((level) => ({ level, good: true })),
    ],
  }),
  async run({ session, subject }, { level, good }) {
    const answer = await session.request('logging/setLevel', { level });
    if (!good) {
      refused(session, answer, 'LOG-INVALID-LEVEL', { codes: [-32602], what: `the level ${shown(level)}` });
      return;
    }
    session.judge.check('LOG-SETLEVEL', answer.result !== undefined, `the level ${level} is accepted`, () => outcomeText(session, answer));
    session.model.logLevel = level;
    const talker = subject.roles.find(({ logs, failed }) => logs && !failed);
    if (talker !== undefined) await call(session, talker, {});
    await session.barrier();
    session.model.logLevel = undefined;
  },
});

const logOptIn = property<{ level: string | null; good: boolean }>({
  name: 'streams/log-opt-in',
  area: 'logging',
  phase: 'stateful',
  stems: [
    'LOG-OPT-IN',
    'LOG-AT-OR-ABOVE',
    'LOG-SCOPED',
    'LOG-NOT-STICKY',
    'LOG-INVALID-LEVEL',
    'LOG-CAP',
    'LOG-LEVEL-ENUM',
    'LOG-NO-SECRETS',
  ],
  eras: ['modern'],
  cases: () => ({
    boundaries: [
      ...[null, ...LOG_LEVELS].map((level) => ({ level, good: true })),
      ...['warn', 'INFO', '', '__proto__'].map((level) => ({ level, good: false })),
    ],
  }),
  async run({ session, subject }, { level, good }) {
    if (!good) {
      if (!Object.hasOwn(subject.capabilities, 'logging')) return;
      const target = subject.callable[0];
      const bad =
        target?.sample === undefined
          ? await session.request(cheapMethod(subject), undefined, { meta: { [META.logLevel]: level } })
          : await session.request('tools/call', { name: target.name, arguments: target.sample }, { meta: { [META.logLevel]: level } });
      if (bad.message !== undefined) refused(session, bad, 'LOG-INVALID-LEVEL', { codes: [-32602], what: `logLevel ${shown(level)}` });
      return;
    }
    const talker = subject.roles.find(({ logs, failed }) => logs && !failed) ?? subject.roles.find(({ failed }) => !failed);
    if (talker === undefined) return;
    if (level !== null) await call(session, talker, { [META.logLevel]: level });
    const answer = await call(session, talker, {});
    const spoke = answer.others.some(({ value }) => at(value, 'method') === 'notifications/message');
    session.judge.check('LOG-OPT-IN', !spoke, 'no log messages without logLevel', () => shown(answer.others[0]?.value));
    if (level !== null)
      session.judge.check('LOG-NOT-STICKY', !spoke, 'the level of one request does not apply to later ones', () =>
        shown(answer.others[0]?.value),
      );
    session.judge.check('LOG-SCOPED', true, '', '');
  },
});

/** Log messages a second that are a flood. */
const FLOOD = 100;

const logRate = property<{ level: string }>({
  name: 'streams/log-rate',
  area: 'logging',
  phase: 'stateful',
  stems: ['LOG-RATE'],
  skip: (subject) => (subject.roles.some(({ logs, failed }) => logs && !failed) ? undefined : 'no tool that may be called logs'),
  cases: () => ({ boundaries: [{ level: 'debug' }] }),
  async run({ session, subject }, { level }) {
    if (session.era === 'legacy' && Object.hasOwn(subject.capabilities, 'logging')) await session.request('logging/setLevel', { level });
    for (const role of subject.roles.filter(({ logs, failed }) => logs && !failed).slice(0, 3)) {
      const from = session.frames.length;
      const answer = await call(session, role, session.era === 'modern' ? { [META.logLevel]: level } : {});
      await session.barrier();
      const said = session.frames.slice(from).filter(({ value }) => at(value, 'method') === 'notifications/message').length;
      const most = FLOOD * Math.max(1, answer.ms / 1000);
      session.judge.check('LOG-RATE', said <= most, `at most ${FLOOD} log messages a second`, `${said} in ${Math.round(answer.ms)} ms`);
    }
  },
});

/** The properties of logging. */
export const LOGGING: readonly Property[] = [logLevels, logOptIn, logRate];
