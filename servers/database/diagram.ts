/** Tables and their foreign keys as a Mermaid ER diagram. */
import type { Relation } from './engines/engine.ts';

/** @returns Mermaid text; names that Mermaid cannot write are shortened to letters, digits and underscores, the real one stays as a label */
export function mermaid(relations: readonly Relation[]): string {
  const lines = ['erDiagram'];
  const word = (text: string): string => text.replace(/[^A-Za-z0-9_]+/gu, '_').replace(/^(?=[0-9])/u, '_') || '_';
  const entity = (schema: string, table: string): string => word(['main', 'public'].includes(schema) ? table : `${schema}_${table}`);
  const label = (text: string): string => text.replaceAll('"', "'");
  for (const relation of relations) {
    const id = entity(relation.schema, relation.table);
    lines.push(`  ${id}${id === relation.table ? '' : `["${label(relation.table)}"]`} {`);
    const foreign = new Set(relation.foreignKeys.flatMap((key) => key.columns));
    for (const column of relation.columns) {
      const keys = [...(column.primaryKey ? ['PK'] : []), ...(foreign.has(column.name) ? ['FK'] : [])].join(',');
      const id2 = word(column.name);
      lines.push(
        `    ${word(column.type === '' ? 'any' : column.type)} ${id2}${keys === '' ? '' : ` ${keys}`}${id2 === column.name ? '' : ` "${label(column.name)}"`}`,
      );
    }
    lines.push('  }');
  }
  for (const relation of relations) {
    for (const key of relation.foreignKeys) {
      const optional = key.columns.some((name) => relation.columns.find((column) => column.name === name)?.nullable === true);
      lines.push(
        `  ${entity(key.schema, key.table)} ${optional ? '|o' : '||'}--o{ ${entity(relation.schema, relation.table)} : "${label(key.columns.join(', '))}"`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}
