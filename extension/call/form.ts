/** A form of VS Code's own inputs for a JSON Schema: a list of fields, each edited in its own input; objects and lists open one level deeper. */
import type * as VSCode from 'vscode';
import { draftOf, type FormField, type FormNode, formOf, resolve, type Schema, valueOfText } from '../../daemon/api/form.ts';
import { short } from '../short.ts';
import { chooseRow, type Row } from './rows.ts';

/** What a form works with. */
export interface FormParts {
  readonly vscode: typeof VSCode;
  /** The whole schema, which `#/…` points into. */
  readonly root: Schema;
  /** Ends the form as if the person had left it. */
  readonly signal?: AbortSignal;
}
/** How a form ended. */
export type FormEnd = 'submit' | 'left' | { readonly pressed: VSCode.QuickInputButton };

/** What stands around the fields of the outermost form. */
export interface FormFrame {
  readonly title: string;
  readonly placeholder?: string;
  /** Text of the row that submits, with its icon. */
  readonly submit: string;
  /** Beside it: what is wrong. */
  readonly problems?: readonly string[];
  readonly buttons?: readonly VSCode.QuickInputButton[];
}

type Act = { readonly field: FormField } | { readonly extra: string } | 'submit' | 'add' | 'variant' | 'nothing';
type Variant = Extract<FormNode, { kind: 'variants' }>['variants'][number];
const MOST_SHOWN = 60;

/**
 * Lets a person fill in an object.
 * @param values changed in place, so that leaving for another view of them loses nothing
 */
export async function fillObject(parts: FormParts, schema: Schema, values: Record<string, unknown>, frame: FormFrame): Promise<FormEnd> {
  const { vscode, root } = parts;
  const { l10n } = vscode;
  const clear: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('close'), tooltip: l10n.t('Leave out') };
  let at: number | undefined;
  let variant: Variant | undefined;
  for (;;) {
    const whole = formOf(schema, root);
    if (whole.kind === 'variants' && variant === undefined) {
      variant = await pickVariant(vscode, frame.title, whole.variants);
      if (variant === undefined) return 'left';
    }
    const node = variant === undefined ? whole : formOf(variant.schema, root);
    const form: Extract<FormNode, { kind: 'object' }> = node.kind === 'object' ? node : { kind: 'object', fields: [], others: {} };
    const missing = form.fields.filter((field) => field.required && values[field.name] === undefined);
    const extras = Object.keys(values).filter((name) => !form.fields.some((field) => field.name === name));
    const rows: (Row<Act> | VSCode.QuickPickItem)[] = [
      {
        label: frame.submit,
        description: missing.length === 0 ? '' : l10n.t('{0} required left', missing.length),
        value: 'submit',
      },
      ...(variant === undefined
        ? []
        : [{ label: `$(list-selection) ${variant.title}`, description: l10n.t('Another form…'), value: 'variant' as const }]),
      ...(frame.problems ?? []).map((problem): Row<Act> => ({ label: `$(warning) ${problem}`, value: 'nothing' })),
      { label: '', kind: vscode.QuickPickItemKind.Separator },
      ...form.fields.map((field): Row<Act> => {
        const value = values[field.name];
        return {
          label: `${field.required && value === undefined ? '$(circle-large-outline)' : value === undefined ? '$(dash)' : '$(circle-large-filled)'} ${short(field.title)}${field.required ? ' *' : ''}`,
          description: shown(value),
          detail: short(field.description ?? ''),
          value: { field },
          ...(value === undefined ? {} : { buttons: [clear] }),
        };
      }),
      ...extras.map(
        (extra): Row<Act> => ({
          label: `$(circle-large-filled) ${extra}`,
          description: shown(values[extra]),
          value: { extra },
          buttons: [clear],
        }),
      ),
      ...(form.others === undefined ? [] : [{ label: `$(add) ${l10n.t('Add a property…')}`, value: 'add' as const }]),
    ];
    const chosen = await chooseRow<Act>(vscode, {
      title: frame.title,
      placeholder: frame.placeholder ?? l10n.t('Choose a field to fill it in'),
      rows,
      ...(frame.buttons === undefined ? {} : { buttons: frame.buttons }),
      active: at ?? firstToFill(rows, missing),
      ...(parts.signal === undefined ? {} : { signal: parts.signal }),
    });
    if (chosen.did === 'left') return 'left';
    const act = chosen.value;
    if (chosen.did === 'pressed') {
      if (act === undefined) return { pressed: chosen.button };
      if (typeof act === 'object') delete values['field' in act ? act.field.name : act.extra];
      continue;
    }
    if (act === 'submit') return 'submit';
    if (act === 'nothing' || act === undefined) continue;
    if (act === 'variant') {
      variant = undefined;
      continue;
    }
    at = rows.findIndex((row) => 'value' in row && row.value === act);
    if (act === 'add') {
      const name = await vscode.window.showInputBox({ title: l10n.t('Name of the property'), ignoreFocusOut: true });
      if (name) await fillValue(parts, form.others ?? {}, name, values, name);
    } else if ('field' in act) {
      const before = values[act.field.name];
      await fillValue(parts, act.field.schema, act.field.name, values, `${frame.title}: ${short(act.field.title)}`, act.field);
      // On to the next one, as Tab does in a form.
      if (before === undefined && values[act.field.name] !== undefined) at = undefined;
    } else await fillValue(parts, form.others ?? {}, act.extra, values, act.extra);
  }
}

/** Where the focus starts: the first required field that is empty, else the row that submits. */
function firstToFill(rows: readonly (Row<Act> | VSCode.QuickPickItem)[], missing: readonly FormField[]): number {
  const [first] = missing;
  const index = rows.findIndex(
    (row) => 'value' in row && typeof row.value === 'object' && 'field' in row.value && row.value.field === first,
  );
  return first === undefined || index < 0 ? 0 : index;
}

/** Asks for one value and puts it into its holder; a person who leaves changes nothing. */
async function fillValue(
  parts: FormParts,
  schema: Schema,
  key: string | number,
  holder: Record<string | number, unknown>,
  title: string,
  field?: FormField,
): Promise<void> {
  const { vscode, root } = parts;
  const { l10n, window } = vscode;
  const node = formOf(schema, root);
  const current = holder[key] ?? resolve(schema, root)['default'];
  switch (node.kind) {
    case 'boolean': {
      const picked = await window.showQuickPick(['true', 'false'], {
        title,
        placeHolder: short(field?.description ?? ''),
        ignoreFocusOut: true,
      });
      if (picked !== undefined) holder[key] = picked === 'true';
      return;
    }
    case 'choice': {
      const picked = await window.showQuickPick(
        node.options.map((option) => ({
          label: short(option.title),
          description: option.title === String(option.value) ? '' : JSON.stringify(option.value),
          option,
        })),
        { title, placeHolder: short(field?.description ?? ''), ignoreFocusOut: true },
      );
      if (picked !== undefined) holder[key] = picked.option.value;
      return;
    }
    case 'choices': {
      const chosen = Array.isArray(current) ? (current as unknown[]) : [];
      const picked = await window.showQuickPick(
        node.options.map((option) => ({ label: short(option.title), picked: chosen.includes(option.value), option })),
        { title, placeHolder: short(field?.description ?? ''), canPickMany: true, ignoreFocusOut: true },
      );
      if (picked !== undefined) holder[key] = picked.map(({ option }) => option.value);
      return;
    }
    case 'variants': {
      const variant = await pickVariant(vscode, title, node.variants);
      if (variant !== undefined) await fillValue(parts, variant.schema, key, holder, title, field);
      return;
    }
    case 'null':
      holder[key] = null;
      return;
    case 'object': {
      const inner = isRecord(current) ? { ...current } : (draftOf(schema, root) as Record<string, unknown>);
      const end = await fillObject(parts, schema, inner, { title, submit: `$(check) ${l10n.t('Done')}` });
      if (end === 'submit' || isRecord(holder[key])) holder[key] = inner;
      return;
    }
    case 'list': {
      const items = Array.isArray(current) ? [...(current as unknown[])] : [];
      if (await fillList(parts, node.item, items, title)) holder[key] = items;
      return;
    }
    default: {
      const text = await window.showInputBox({
        title,
        prompt: field?.description ?? (node.kind === 'any' ? l10n.t('Any JSON') : ''),
        value: current === undefined ? '' : typeof current === 'string' && node.kind !== 'any' ? current : JSON.stringify(current),
        ignoreFocusOut: true,
        validateInput: (typed) => {
          const read = valueOfText(node, typed);
          return 'problem' in read ? read.problem : undefined;
        },
      });
      const read = text === undefined ? undefined : valueOfText(node, text);
      if (read !== undefined && 'value' in read) holder[key] = read.value;
    }
  }
}

async function pickVariant(vscode: typeof VSCode, title: string, variants: readonly Variant[]): Promise<Variant | undefined> {
  const picked = await vscode.window.showQuickPick(
    variants.map((variant) => ({ label: variant.title, variant })),
    { title, placeHolder: vscode.l10n.t('Which form?'), ignoreFocusOut: true },
  );
  return picked?.variant;
}

/** @returns whether the person was done with it, not just gone */
async function fillList(parts: FormParts, item: Schema, items: unknown[], title: string): Promise<boolean> {
  const { vscode } = parts;
  const { l10n } = vscode;
  const remove: VSCode.QuickInputButton = { iconPath: new vscode.ThemeIcon('trash'), tooltip: l10n.t('Remove') };
  const holder = items as unknown as Record<number, unknown>;
  for (;;) {
    const chosen = await chooseRow<number | 'done' | 'add'>(vscode, {
      title,
      rows: [
        { label: `$(check) ${l10n.t('Done')}`, value: 'done' },
        ...items.map(
          (value, index): Row<number> => ({ label: `${index + 1}`, description: shown(value), value: index, buttons: [remove] }),
        ),
        { label: `$(add) ${l10n.t('Add an item…')}`, value: 'add' },
      ],
      active: items.length === 0 ? 1 : 0,
      ...(parts.signal === undefined ? {} : { signal: parts.signal }),
    });
    if (chosen.did === 'left') return false;
    if (chosen.value === 'done') return true;
    if (chosen.did === 'pressed') {
      if (typeof chosen.value === 'number') items.splice(chosen.value, 1);
      continue;
    }
    if (chosen.value === 'add') await fillValue(parts, item, items.length, holder, `${title} ${items.length + 1}`);
    else if (typeof chosen.value === 'number') await fillValue(parts, item, chosen.value, holder, `${title} ${chosen.value + 1}`);
  }
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN - 1)}…` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
