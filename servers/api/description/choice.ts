/** Which operations become tools. */
import { isReadOnly, type Operation } from './operation.ts';

/** What is chosen. */
export interface Choice {
  readonly methods: readonly string[];
  /** Operations that are allowed although their method is not. */
  readonly allow: readonly string[];
  readonly include: readonly string[] | undefined;
  readonly exclude: readonly string[];
  readonly deprecated: boolean;
}

/** The chosen operations, and why each other one is not. */
export function chosen(
  operations: readonly Operation[],
  choice: Choice,
): { operations: readonly Operation[]; hidden: readonly { operation: Operation; reason: string }[] } {
  const hidden: { operation: Operation; reason: string }[] = [];
  const kept = operations.filter((operation) => {
    const reason = reasonToHide(operation, choice);
    if (reason !== undefined) hidden.push({ operation, reason });
    return reason === undefined;
  });
  return { operations: kept, hidden };
}

function reasonToHide(operation: Operation, choice: Choice): string | undefined {
  if (choice.exclude.some((selector) => matches(operation, selector))) return 'excluded by the settings';
  if (choice.include !== undefined && !choice.include.some((selector) => matches(operation, selector)))
    return 'not included by the settings';
  if (!choice.methods.includes(operation.method) && !choice.allow.some((selector) => matches(operation, selector)))
    return isReadOnly(operation.method) ? 'its method is not in "methods"' : 'it writes, and neither "methods" nor "allow" names it';
  if (operation.deprecated && !choice.deprecated) return 'deprecated';
  return undefined;
}

/**
 * Whether a selector names an operation: `tag:pets`, `method:POST`, `/pets/**`, `GET /pets/*`, else the name of the operation or tool with `*`.
 */
export function matches(operation: Operation, selector: string): boolean {
  if (selector.startsWith('tag:')) return operation.tags.some((tag) => tag.toLowerCase() === selector.slice(4).trim().toLowerCase());
  if (selector.startsWith('method:')) return operation.method === selector.slice(7).trim().toUpperCase();
  const [, method, path] = /^(?:([A-Za-z]+)\s+)?(\/.*)$/u.exec(selector) ?? [];
  if (path !== undefined)
    return (method === undefined || method.toUpperCase() === operation.method) && glob(path, '[^/]*').test(operation.path);
  const name = glob(selector, '.*');
  return name.test(operation.tool) || (operation.operationId !== undefined && name.test(operation.operationId));
}

function glob(pattern: string, star: string): RegExp {
  const parts = pattern
    .split(/(\*\*|\*)/u)
    .map((part) => (part === '**' ? '.*' : part === '*' ? star : part.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')));
  return new RegExp(`^${parts.join('')}$`, 'u');
}
