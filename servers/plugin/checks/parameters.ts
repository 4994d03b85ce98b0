/**
 * Params that break the schema of their method are answered with -32602 and one sentence that names the member (JSON-RPC 2.0, section 5.1;
 * schema.ts of both revisions, `InvalidParamsError` and `Error.message`). The SDK says -32603, with the list of its validator as text.
 */
import { ProtocolErrorCode, type SpecTypeName, specTypeSchemas } from '@modelcontextprotocol/server';
import { type Check, refuse, shown } from '../checkpoint.ts';

/** The schema of the params of each method a server may serve. */
const PARAMS: ReadonlyMap<string, SpecTypeName> = new Map([
  ['initialize', 'InitializeRequestParams'],
  ['tools/list', 'PaginatedRequestParams'],
  ['tools/call', 'CallToolRequestParams'],
  ['prompts/list', 'PaginatedRequestParams'],
  ['prompts/get', 'GetPromptRequestParams'],
  ['resources/list', 'PaginatedRequestParams'],
  ['resources/templates/list', 'PaginatedRequestParams'],
  ['resources/read', 'ReadResourceRequestParams'],
  ['resources/subscribe', 'SubscribeRequestParams'],
  ['resources/unsubscribe', 'UnsubscribeRequestParams'],
  ['completion/complete', 'CompleteRequestParams'],
  ['logging/setLevel', 'SetLevelRequestParams'],
  ['subscriptions/listen', 'SubscriptionsListenRequestParams'],
] satisfies [string, SpecTypeName][]);

/**
 * Puts a sentence in the place of the SDK's list. The schema is asked only where the SDK has refused: what is valid stays its decision, and
 * requests that are served cost nothing.
 */
export const checkParameters: Check = (request) => {
  const name = PARAMS.get(request.method);
  if (name === undefined) return undefined;
  return {
    answer(answer) {
      if (!('error' in answer) || !isList(answer.error)) return answer;
      const validated = specTypeSchemas[name]['~standard'].validate(request.params ?? {});
      const [issue] = validated.issues ?? [];
      return issue === undefined ? answer : refuse(answer, { code: ProtocolErrorCode.InvalidParams, message: sentence(issue) });
    },
  };
};

/** `tools/call` has the right code and the same list; a sentence has one line. */
function isList({ code, message }: { readonly code: number; readonly message: string }): boolean {
  return code === ProtocolErrorCode.InternalError || (code === ProtocolErrorCode.InvalidParams && message.includes('\n'));
}

/** A Standard Schema issue, and what the SDK's validator adds to it. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  /** The type that was expected. */
  readonly expected?: string;
  /** The values that were expected. */
  readonly values?: readonly unknown[];
  /** Of several forms: what each lacks, with paths that begin here. */
  readonly errors?: readonly (readonly Issue[])[];
}

function sentence(issue: Issue): string {
  const { path = [], ...found } = deepest(issue);
  const names = path.map((step) => shown(String(typeof step === 'object' ? step.key : step)));
  return `${['params', ...names].join('.')}: ${expectation(found)}`;
}

/** Of several forms, the one that is nearest to what was given; of forms that are equally near, what they expect together. */
function deepest(issue: Issue): Issue {
  const fewest = Math.min(...(issue.errors ?? []).map((form) => form.length));
  const [nearest, ...others] = (issue.errors ?? []).filter((form) => form.length === fewest).map(([first]) => first);
  if (nearest === undefined) return issue;
  const path = [...(issue.path ?? []), ...(nearest.path ?? [])];
  const values = [nearest, ...others].flatMap((one) => one?.values ?? []);
  return deepest({ ...nearest, path, ...(values.length === 0 ? {} : { values }) });
}

function expectation({ expected, values, message }: Issue): string {
  if (values !== undefined) {
    const choice = new Intl.ListFormat('en', { type: 'disjunction' }).format(values.map((value) => JSON.stringify(value)));
    return `${choice} is expected`;
  }
  if (expected === undefined) return message;
  // The validator's own word for an object with any names.
  const type = expected === 'record' ? 'object' : expected;
  return `${/^[aeio]/.test(type) ? 'an' : 'a'} ${type} is expected`;
}
