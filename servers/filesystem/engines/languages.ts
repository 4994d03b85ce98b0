/** Which nodes of the syntax trees define something, language by language. */
import type { Node } from '@vscode/tree-sitter-wasm';

/** What a definition is. */
export type SymbolKind = 'function' | 'method' | 'class' | 'interface' | 'type' | 'enum' | 'variable' | 'module';
export const SYMBOL_KINDS: readonly SymbolKind[] = ['function', 'method', 'class', 'interface', 'type', 'enum', 'variable', 'module'];

/** Grammar by ending of the name. */
export const LANGUAGES: Readonly<Record<string, string>> = {
  ts: 'typescript',
  mts: 'typescript',
  cts: 'typescript',
  tsx: 'tsx',
  js: 'javascript',
  mjs: 'javascript',
  cjs: 'javascript',
  jsx: 'javascript',
  py: 'python',
  pyi: 'python',
  go: 'go',
  rs: 'rust',
  java: 'java',
  cs: 'c-sharp',
  c: 'cpp',
  h: 'cpp',
  cc: 'cpp',
  cpp: 'cpp',
  cxx: 'cpp',
  hpp: 'cpp',
  hh: 'cpp',
  php: 'php',
  rb: 'ruby',
  sh: 'bash',
  bash: 'bash',
};

/** The grammar for a file, if there is one. */
export function languageOf(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  return dot < 1 ? undefined : LANGUAGES[name.slice(dot + 1).toLowerCase()];
}

/** Node types that define something and have their name in the field `name`. */
const NAMED: Readonly<Record<string, SymbolKind>> = {
  // JavaScript, TypeScript
  function_declaration: 'function',
  generator_function_declaration: 'function',
  function_signature: 'function',
  class_declaration: 'class',
  abstract_class_declaration: 'class',
  interface_declaration: 'interface',
  type_alias_declaration: 'type',
  enum_declaration: 'enum',
  method_definition: 'method',
  method_signature: 'method',
  abstract_method_signature: 'method',
  public_field_definition: 'variable',
  field_definition: 'variable',
  property_signature: 'variable',
  variable_declarator: 'variable',
  internal_module: 'module',
  // Python, Ruby, PHP, shell
  function_definition: 'function',
  class_definition: 'class',
  class: 'class',
  module: 'module',
  method: 'method',
  singleton_method: 'method',
  trait_declaration: 'interface',
  const_element: 'variable',
  // Go
  method_declaration: 'method',
  type_spec: 'type',
  type_alias: 'type',
  const_spec: 'variable',
  var_spec: 'variable',
  // Rust
  function_item: 'function',
  function_signature_item: 'function',
  struct_item: 'class',
  union_item: 'class',
  enum_item: 'enum',
  trait_item: 'interface',
  type_item: 'type',
  const_item: 'variable',
  static_item: 'variable',
  mod_item: 'module',
  macro_definition: 'function',
  // Java, C#
  constructor_declaration: 'method',
  record_declaration: 'class',
  struct_declaration: 'class',
  delegate_declaration: 'type',
  property_declaration: 'variable',
  annotation_type_declaration: 'interface',
  local_function_statement: 'function',
  namespace_declaration: 'module',
  // C, C++
  class_specifier: 'class',
  struct_specifier: 'class',
  union_specifier: 'class',
  enum_specifier: 'enum',
  namespace_definition: 'module',
  alias_declaration: 'type',
  concept_definition: 'interface',
};

/** What a node defines, if it defines something. */
export function symbolOf(language: string, node: Node): { readonly name: string; readonly kind: SymbolKind } | undefined {
  const kind = NAMED[node.type];
  const named = kind === undefined ? null : node.childForFieldName('name');
  if (kind !== undefined && named !== null) {
    // A C++ type that is only mentioned has no body.
    if (/_specifier$/.test(node.type) && node.childForFieldName('body') === null) return undefined;
    return { name: bare(named.text), kind: refine(language, node, kind) };
  }
  if (language === 'python' && node.type === 'assignment') return plainName(node.childForFieldName('left'), ['identifier']);
  if (language === 'ruby' && node.type === 'assignment') return plainName(node.childForFieldName('left'), ['identifier', 'constant']);
  if (language === 'bash' && node.type === 'variable_assignment') return plainName(node.childForFieldName('name'), ['variable_name']);
  if (language === 'rust' && node.type === 'let_declaration') return plainName(node.childForFieldName('pattern'), ['identifier']);
  if (language === 'go' && node.type === 'short_var_declaration') {
    return plainName(node.childForFieldName('left')?.namedChildren[0] ?? null, ['identifier']);
  }
  if (language === 'cpp' && (node.type === 'function_definition' || node.type === 'declaration' || node.type === 'field_declaration')) {
    return declared(node);
  }
  if (language === 'cpp' && node.type === 'preproc_def') return plainName(node.childForFieldName('name'), ['identifier']);
  return undefined;
}

function plainName(node: Node | null, types: readonly string[]): { name: string; kind: SymbolKind } | undefined {
  return node !== null && types.includes(node.type) ? { name: node.text, kind: 'variable' } : undefined;
}

/** In C the name stands inside the declarator, under pointers, references and initialisers. */
function declared(node: Node): { name: string; kind: SymbolKind } | undefined {
  let kind: SymbolKind = 'variable';
  for (let at = node.childForFieldName('declarator'); at !== null; at = at.childForFieldName('declarator') ?? at.namedChildren[0] ?? null) {
    if (at.type === 'function_declarator') kind = 'function';
    if (/^(?:identifier|field_identifier|operator_name|destructor_name)$/.test(at.type)) return { name: at.text, kind };
    if (at.type === 'qualified_identifier') return { name: bare(at.text), kind: kind === 'function' ? 'method' : kind };
  }
  return undefined;
}

/** The last part of `Outer::inner` and `outer.inner`, without quotes. */
function bare(name: string): string {
  return name
    .replace(/^.*(?:::|\.)/s, '')
    .replace(/^['"`]|['"`]$/g, '')
    .replace(/^\$/, '');
}

/** A function in a class is a method; a variable that holds a function is a function. */
function refine(language: string, node: Node, kind: SymbolKind): SymbolKind {
  if (
    kind === 'variable' &&
    /^(?:arrow_function|function_expression|function|generator_function)$/.test(node.childForFieldName('value')?.type ?? '')
  )
    return 'function';
  if (language === 'python' && kind === 'function') {
    const outer = node.parent?.type === 'decorated_definition' ? node.parent.parent?.parent : node.parent?.parent;
    return outer?.type === 'class_definition' ? 'method' : 'function';
  }
  if (language === 'go' && node.type === 'type_spec') {
    const shape = node.childForFieldName('type')?.type;
    return shape === 'struct_type' ? 'class' : shape === 'interface_type' ? 'interface' : 'type';
  }
  if (language === 'rust' && kind === 'function' && node.parent?.type === 'declaration_list')
    return node.parent.parent?.type === 'mod_item' ? 'function' : 'method';
  return kind;
}
