/** The faults of tasks and of a protected server: which requirement each breaks, and which property alone shows it. */
import { fileURLToPath } from 'node:url';
import type { Target } from '../../daemon/api/conformance.ts';
import type { Era } from '../../daemon/protocol/eras.ts';

const TASKED = fileURLToPath(new URL('./reference/tasked.ts', import.meta.url));

/** The server of tasks on a pipe, with these faults. */
export const tasked = (faults: readonly string[]): Target => ({
  kind: 'stdio',
  command: process.execPath,
  args: ['--disable-warning=ExperimentalWarning', TASKED, ...faults],
});

/** Faults of tasks; the property that finds each is named where another would do so too late. */
export const TASK_FAULTS: Readonly<Record<string, string>> = {
  'TASK-CAP': 'tasks/undeclared',
  'TASK-IGNORED': 'tasks/undeclared',
  'TASK-FORBIDDEN': 'tasks/support',
  'TASK-REQUIRED': 'tasks/support',
  'TASK-CREATE': 'tasks/life',
  'TASK-CREATE-PROMPT': 'tasks/life',
  'TASK-ID': 'tasks/identity',
  'TASK-ID-ENTROPY': 'tasks/identity',
  'TASK-WORKING': 'tasks/life',
  'TASK-TRANSITIONS': 'tasks/life',
  'TASK-TERMINAL': 'tasks/life',
  'TASK-TIMESTAMPS': 'tasks/life',
  'TASK-TTL': 'tasks/life',
  'TASK-RESULT-BLOCK': 'tasks/result-waits',
  'TASK-RESULT-SAME': 'tasks/life',
  'TASK-RESULT-META': 'tasks/life',
  'TASK-META-SHOULDNOT': 'tasks/life',
  'TASK-PARAM-WINS': 'tasks/identity',
  'TASK-CANCEL': 'tasks/cancel',
  'TASK-CANCEL-TERMINAL': 'tasks/cancel',
  'TASK-UNKNOWN': 'tasks/unknown',
  'TASK-LIST-COMPLETE': 'tasks/identity',
  'TASK-LIST-CURSOR': 'tasks/declared',
  'TASK-PROGRESS': 'tasks/life',
  'TASK-STATUS-NOTIF': 'tasks/life',
  'TASK-FAILED': 'tasks/life',
};

/** Faults of a protected server and the requirement each breaks, in the eras that have it. */
export const AUTH_FAULTS: readonly (readonly [fault: string, stem: string, property: string, eras: readonly Era[]])[] = [
  ['AUTH-401', 'AUTH-401', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-401-UNSIGNED', 'AUTH-401', 'auth/credentials', ['legacy']],
  ['AUTH-401-EXPIRED', 'AUTH-401', 'auth/credentials', ['modern']],
  ['AUTH-STATUS', 'AUTH-STATUS', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-AUDIENCE', 'AUTH-AUDIENCE', 'auth/credentials', ['legacy', 'modern']],
  ['AUTH-EVERY-REQ', 'AUTH-EVERY-REQ', 'auth/every-request', ['legacy', 'modern']],
  ['AUTH-SESSION-NOT-AUTH', 'AUTH-SESSION-NOT-AUTH', 'auth/every-request', ['legacy']],
  ['AUTH-QUERY', 'AUTH-QUERY', 'auth/query-string', ['legacy', 'modern']],
  ['AUTH-PRM', 'AUTH-PRM', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-AS', 'AUTH-PRM-AS', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-DISCOVERY', 'AUTH-PRM-DISCOVERY', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-PRM-RESOURCE', 'AUTH-PRM-RESOURCE', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-SCOPE-HINT', 'AUTH-SCOPE-HINT', 'auth/discovery', ['legacy', 'modern']],
  ['AUTH-NO-OFFLINE', 'AUTH-NO-OFFLINE', 'auth/discovery', ['modern']],
  ['AUTH-403-SCOPE', 'AUTH-403-SCOPE', 'auth/scopes', ['legacy', 'modern']],
  ['TOOL-ACCESS', 'TOOL-ACCESS', 'auth/scopes', ['legacy', 'modern']],
  ['TOOL-ACCESS', 'TOOL-ACCESS', 'auth/hidden-items', ['legacy']],
  ['RES-PERMISSION', 'RES-PERMISSION', 'auth/hidden-items', ['legacy', 'modern']],
  ['CCH-PUBLIC-NEUTRAL', 'CCH-PUBLIC-NEUTRAL', 'auth/public-results', ['modern']],
  ['ELI-BIND', 'ELI-BIND', 'auth/question-state', ['modern']],
  ['TASK-ISOLATION', 'TASK-ISOLATION', 'auth/tasks', ['legacy']],
];
