/** `.signalbox/conformance.jsonc`: how a server that is given as a command or a URL is treated while it is tested. */
import { join } from 'node:path';
import { type Schema, Validator } from 'jsonschema';
import type { ConformanceSettings } from '../api/conformance.ts';
import { SignalboxError } from '../api/errors.ts';
import { parseDocument } from './document.ts';
import { readConfigBytes } from './file.ts';
import { substitute } from './substitution.ts';
import { configSchema } from './validation.ts';

/** The file below a project's folder. */
export const CONFORMANCE_FILE = join('.signalbox', 'conformance.jsonc');

/**
 * Reads a settings file; `${env:NAME}` stands for the environment.
 * @param missing what a file that does not exist is: no settings, or an error
 * @throws SBX_CONFORM_SETTINGS when it cannot be read, is no JSON, or is not what the schema says
 */
export function readConformanceFile(
  file: string,
  env: Readonly<Record<string, string | undefined>>,
  missing: 'nothing' | 'error' = 'nothing',
): ConformanceSettings {
  const bytes = readConfigBytes(file);
  if (bytes.state === 'missing' && missing === 'nothing') return {};
  if (bytes.state !== 'read') throw wrong(file, bytes.state === 'missing' ? 'There is no such file.' : bytes.problem.message);
  const document = parseDocument(file, bytes.text);
  const [problem] = document.problems;
  if (problem !== undefined) throw wrong(`${file}:${problem.line}:${problem.column}`, problem.message);
  const value = document.value ?? {};
  const schema = { ...configSchema.definitions?.['conformance'], definitions: configSchema.definitions } as Schema;
  const [error] = new Validator().validate(value, schema, { nestedErrors: false }).errors;
  if (error !== undefined) {
    const extra = error.name === 'additionalProperties' ? [String(error.argument)] : [];
    const path = [...error.path, ...extra];
    const { line, column } = document.problemAt(path, 'SBX_CONFIG_INVALID', '', '');
    const known = Object.keys((error.schema as Schema).properties ?? {});
    const [key] = extra;
    const what =
      key === undefined
        ? `\`${path.join('.') || 'the file'}\` ${error.message}.`
        : `Unknown key \`${key}\`; there are ${known.join(', ')}.`;
    throw wrong(`${file}:${line}:${column}`, what);
  }
  const { $schema: _schema, ...settings } = value as ConformanceSettings & { $schema?: unknown };
  const secret = (name: string): never => {
    throw wrong(file, `\${secret:${name}} is for servers of the configuration; here \${env:NAME} is known.`);
  };
  return substitute(settings, { workspaceFolder: undefined, userHome: '', env, secret });
}

function wrong(where: string, why: string): SignalboxError {
  return new SignalboxError('SBX_CONFORM_SETTINGS', `The conformance settings ${where} cannot be used.`, {
    why,
    fix: 'docs/conformance.md shows the keys; the schema of the configuration has them under `conformance`.',
  });
}
