/**
 * Arguments as a JSON document: for values a form is too small for. The tool's schema stands in `$schema`, so VS Code's own JSON support completes,
 * explains and validates; a line above it makes the call.
 */
import type * as VSCode from 'vscode';
import type { Schema } from '../../daemon/api/form.ts';
import { type MemoryFiles, SCHEME } from './documents.ts';
import type { ToolCall } from './run.ts';

/** Name of the schema beside the arguments. */
const SCHEMA_FILE = 'schema.json';

/** The arguments that are being edited. */
export class ArgumentsDocuments {
  readonly #vscode: typeof VSCode;
  readonly #files: MemoryFiles;
  readonly #calls = new Map<string, Omit<ToolCall, 'arguments'>>();

  constructor(vscode: typeof VSCode, files: MemoryFiles) {
    this.#vscode = vscode;
    this.#files = files;
  }

  /** Shows a document with the arguments of a call. */
  async open({ arguments: values, ...call }: ToolCall, schema: Schema): Promise<VSCode.TextEditor> {
    const { window, workspace, languages } = this.#vscode;
    const folder = this.#files.folder();
    const link = this.#files.put(`${folder}/${SCHEMA_FILE}`, JSON.stringify(withSchemaKey(schema)));
    const text = `${JSON.stringify({ $schema: link.toString(), ...values }, null, 2)}\n`;
    const uri = this.#files.put(`${folder}/${call.tool}.arguments.jsonc`, text, false);
    this.#calls.set(uri.toString(), call);
    const document = await languages.setTextDocumentLanguage(await workspace.openTextDocument(uri), 'jsonc');
    return window.showTextDocument(document, { preview: false });
  }

  /**
   * The call a document stands for; undefined when it stands for none.
   * @throws SyntaxError-like Error when the text is not a JSON object
   */
  async callOf(document: VSCode.TextDocument): Promise<ToolCall | undefined> {
    const call = this.#calls.get(document.uri.toString());
    if (call === undefined) return undefined;
    const { parse } = await import('jsonc-parser');
    const errors: { error: number; offset: number; length: number }[] = [];
    const value: unknown = parse(document.getText(), errors, { allowTrailingComma: true });
    const [first] = errors;
    if (first !== undefined || typeof value !== 'object' || value === null || Array.isArray(value)) {
      const line = document.positionAt(first?.offset ?? 0).line + 1;
      throw new Error(this.#vscode.l10n.t('The arguments are not a JSON object (line {0}).', line));
    }
    const { $schema: _schema, ...values } = value as Record<string, unknown>;
    await document.save(); // so that closing it asks nothing
    return { ...call, arguments: values };
  }

  /** The lines above results and arguments. */
  register(lenses: VSCode.CodeLensProvider): VSCode.Disposable {
    return this.#vscode.languages.registerCodeLensProvider({ scheme: SCHEME }, lenses);
  }

  /** Whether a document is one of these. */
  has(uri: VSCode.Uri): boolean {
    return this.#calls.has(uri.toString());
  }
}

/** A strict schema would call our own `$schema` line a mistake. */
function withSchemaKey(schema: Schema): Schema {
  const properties = schema['properties'];
  return { ...schema, properties: { ...(typeof properties === 'object' ? properties : {}), $schema: { type: 'string' } } };
}
