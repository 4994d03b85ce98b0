/** What it takes to see a requirement broken, by stem: the classes in which the score of the matrix is told. */

/** `look`: one message that any run brings up; the others say what must be made for it. */
export type Need = 'look' | 'data' | 'sequence' | 'timing' | 'comparison';

const NEEDS: Readonly<Record<Exclude<Need, 'look'>, readonly string[]>> = {
  // inputs made from a schema or an alphabet, valid ones and ones with a single fault
  data: [
    ...['CMP-INVALID-REF', 'CMP-MISSING-ARG', 'CMP-VALIDATE', 'CMP-MAX100', 'CMP-TOTAL', 'HDR-BASE64-DECODE', 'HDR-BASE64-INVALID'],
    ...['HDR-BASE64-SENTINEL', 'HDR-VALUE-CASE-SENS', 'HTTP-VERSION-HEADER', 'LC-VERSION-FALLBACK', 'LOG-INVALID-LEVEL', 'LOG-SETLEVEL'],
    ...['META-REQUIRED', 'META-REQUIRED-400', 'META-CLIENTINFO-OPTIONAL', 'PAG-INVALID', 'PAG-INVALID-GRACEFUL', 'PRM-ACCEPT'],
    ...['PRM-INJECTION', 'PRM-MISSING-ARG', 'PRM-VALIDATE', 'PROG-TOKEN-TYPES', 'RES-NOT-FOUND', 'RES-NOT-FOUND-EMPTY', 'RES-TRAVERSAL'],
    ...[
      'RES-URI-VALIDATE',
      'ROB-NO-CRASH',
      'ROB-NO-LEAK',
      'RPC-ID-ECHO',
      'RPC-ID-NULL-REJECT',
      'RPC-INVALID-PARAMS',
      'RPC-INVALID-REQUEST',
    ],
    ...['RPC-META-TOLERATE', 'RPC-PARSE-ERROR', 'RPC-UTF8', 'STD-LARGE', 'STD-PARTIAL-READ', 'TOOL-ARGS-OMITTED', 'TOOL-EXEC-ERROR'],
    ...['TOOL-INPUT-ACCEPT', 'TOOL-INPUT-VALIDATE', 'TOOL-NAME-CASE', 'TOOL-STRUCTURED-CONFORMS', 'TOOL-STRUCTURED-PRESENT'],
    ...['VER-UNSUPPORTED', 'VER-ERR-DATA', 'HDR-VERSION-UNSUPPORTED-400', 'AUTH-401', 'AUTH-AUDIENCE', 'AUTH-STATUS', 'AUTH-QUERY'],
  ],
  // several requests, of which the later ones show what the earlier ones did
  sequence: [
    ...['CAN-UNKNOWN-IGNORED', 'HTTP-SESSION-404', 'HTTP-SESSION-DELETE', 'HTTP-SESSION-IGNORE', 'HTTP-SESSION-REQUIRED', 'LC-INIT-FIRST'],
    ...['LC-NO-EARLY-REQ', 'LC-VERSION-ECHO', 'LC-VERSION-LATEST', 'LOG-AT-OR-ABOVE', 'LOG-FILTER', 'LOG-NOT-STICKY', 'LOG-OPT-IN'],
    ...[
      'PAG-PARTITION',
      'PAG-TERMINATES',
      'RES-LISTED-READABLE',
      'RES-SUBSCRIBE',
      'RES-UPDATED-ONLY-SUB',
      'RPC-SURVIVE-GARBAGE',
      'SMP-CAP',
    ],
    ...[
      'SRV-REQ-ID',
      'STL-NO-PRIOR',
      'TOOL-LIST-NO-VARY',
      'TOOL-LISTCHANGED-CAP',
      'AUTH-EVERY-REQ',
      'AUTH-SESSION-NOT-AUTH',
      'AUTH-403-SCOPE',
    ],
    ...[
      'TASK-CANCEL',
      'TASK-CANCEL-TERMINAL',
      'TASK-CREATE',
      'TASK-FAILED',
      'TASK-LIST-COMPLETE',
      'TASK-META-SHOULDNOT',
      'TASK-PARAM-WINS',
    ],
    ...[
      'TASK-RESULT-META',
      'TASK-STATUS-NOTIF',
      'TASK-TERMINAL',
      'TASK-TIMESTAMPS',
      'TASK-TRANSITIONS',
      'TASK-TTL',
      'TASK-UNKNOWN',
      'TASK-WORKING',
    ],
  ],
  // something under way, or what comes too late, too soon or too often
  timing: [
    ...[
      'CAN-ISOLATED',
      'CAN-NO-MESSAGES',
      'CAN-NO-RESPONSE',
      'LC-PING-PROMPT',
      'LC-STDIO-EOF',
      'PROG-INCREASE',
      'PROG-STOP',
      'ROB-ISOLATION',
    ],
    ...['RPC-CONCURRENT-MATCH', 'RPC-ONE-RESPONSE', 'TASK-CREATE-PROMPT', 'TASK-PROGRESS', 'TASK-RESULT-BLOCK'],
  ],
  // two answers, each of which is right by itself
  comparison: [
    ...[
      'CCH-PAGES',
      'CCH-PUBLIC-NEUTRAL',
      'ELI-BIND',
      'HTTP-SESSION-ENTROPY',
      'PAG-STABLE',
      'RES-PERMISSION',
      'ROB-DETERMINISM',
      'TASK-ID',
    ],
    ...['TASK-ID-ENTROPY', 'TASK-ISOLATION', 'TASK-RESULT-SAME', 'TOOL-ACCESS', 'TOOL-ORDER', 'TOOL-STRUCTURED-TEXT'],
  ],
};

/** What a requirement needs, by its stem (without the era's letter). */
export function needOf(stem: string): Need {
  return (Object.keys(NEEDS) as Exclude<Need, 'look'>[]).find((need) => NEEDS[need].includes(stem)) ?? 'look';
}
