import { formatTime } from './device-time.ts';
import { coerce } from './field.ts';
import { compilePath, isBlank, Mistake, parsePath, type Reader, type Scope } from './path.ts';

/**
 * What is sent to a device: JSON (or plain text) with slots. A slot is `{{ PATH }}`, `{{ PATH as FORM }}`, with
 * `else "TEXT"` for when there is nothing. A string that is one slot and nothing else takes the value's own type; a slot
 * with nothing to put in and no `else` leaves its key out. Every value is written as JSON: nothing a device says can
 * break out of its place.
 */
export type TemplateSpec =
  | string
  | number
  | boolean
  | null
  | readonly TemplateSpec[]
  | { readonly [key: string]: TemplateSpec };

/** `digits`: an integer of any length, written bare. The rest as in `Field`, and times of `$now` in the site's zone. */
export const SLOT_FORMS = [
  'text',
  'number',
  'integer',
  'boolean',
  'digits',
  'datetime',
  'datetime-T',
  'datetime-slash',
  'iso',
] as const;
type SlotForm = (typeof SLOT_FORMS)[number];

interface Slot {
  readonly path: string;
  readonly form: SlotForm | null;
  readonly otherwise: string | null;
}

const SLOT = /\{\{\s*([^{}]+?)(?:\s+as\s+([a-zA-Z-]+))?(?:\s+else\s+"([^"]*)")?\s*\}\}/g;

/** The JSON text of the value, or `undefined` when the key should be left out. */
type Writer = (scope: Scope) => string | undefined;

/** @throws Mistake */
export function compileTemplate(spec: TemplateSpec): (scope: Scope) => string {
  if (typeof spec === 'string') return compileText(spec);
  const write = writerOf(spec);
  return (scope) => write(scope) ?? 'null';
}

/** Paths the slots of a template use, for checks that what they name exists. */
export function slotsOf(spec: TemplateSpec): Slot[] {
  if (typeof spec === 'string') return parseSlots(spec).slots;
  if (typeof spec !== 'object' || spec === null) return [];
  return Object.values(spec).flatMap((part) => slotsOf(part as TemplateSpec));
}

function parseSlots(text: string): { slots: Slot[]; between: string[] } {
  const slots: Slot[] = [];
  const between: string[] = [];
  let end = 0;
  for (const match of text.matchAll(SLOT)) {
    between.push(text.slice(end, match.index));
    const form = match[2] ?? null;
    if (form !== null && !(SLOT_FORMS as readonly string[]).includes(form)) {
      throw new Mistake(`'as ${form}' is not known; use one of ${SLOT_FORMS.join(', ')}`);
    }
    const path = match[1] ?? '';
    parsePath(path);
    slots.push({ path, form: form as SlotForm | null, otherwise: match[3] ?? null });
    end = match.index + match[0].length;
  }
  between.push(text.slice(end));
  if (between.some((part) => part.includes('{{') || part.includes('}}'))) {
    throw new Mistake(
      `'${text}' has a slot that cannot be read; write {{ path }}, {{ path as integer }} or {{ path else "x" }}`,
    );
  }
  return { slots, between };
}

function writerOf(spec: TemplateSpec): Writer {
  if (typeof spec === 'string') return stringWriter(spec);
  if (typeof spec !== 'object' || spec === null) {
    const text = JSON.stringify(spec);
    return () => text;
  }
  if (Array.isArray(spec)) {
    const items = (spec as readonly TemplateSpec[]).map(writerOf);
    return (scope) => `[${items.map((write) => write(scope) ?? 'null').join(',')}]`;
  }
  const entries = Object.entries(spec).map(([key, part]) => [JSON.stringify(key), writerOf(part)] as const);
  return (scope) => {
    let parts = '';
    for (const [key, write] of entries) {
      const value = write(scope);
      if (value !== undefined) parts += `${parts === '' ? '' : ','}${key}:${value}`;
    }
    return `{${parts}}`;
  };
}

function stringWriter(text: string): Writer {
  const { slots, between } = parseSlots(text);
  const [slot] = slots;
  if (slot === undefined) {
    const fixed = JSON.stringify(text);
    return () => fixed;
  }
  if (slots.length === 1 && between.every((part) => part === '')) return valueWriter(slot);
  const fill = compileText(text);
  return (scope) => JSON.stringify(fill(scope));
}

function valueWriter(slot: Slot): Writer {
  const value = slotReader(slot);
  return (scope) => {
    const found = value(scope);
    if (found === undefined) return undefined;
    return slot.form === 'digits' ? String(found) : JSON.stringify(found);
  };
}

function compileText(text: string): (scope: Scope) => string {
  const { slots, between } = parseSlots(text);
  const readers = slots.map(slotReader);
  return (scope) => {
    let out = between[0] ?? '';
    readers.forEach((read, index) => {
      out += String(read(scope) ?? '') + (between[index + 1] ?? '');
    });
    return out;
  };
}

function slotReader(slot: Slot): (scope: Scope) => string | number | boolean | undefined {
  const read = compilePath(slot.path);
  const fallback = slot.otherwise ?? undefined;
  return (scope) => formed(read, slot.form, scope) ?? fallback;
}

function formed(read: Reader, form: SlotForm | null, scope: Scope): string | number | boolean | undefined {
  const value = read(scope);
  if (isBlank(value)) return undefined;
  switch (form) {
    case 'digits': {
      const digits = String(value);
      if (/^[1-9]\d{0,39}$/.test(digits)) return digits;
      return /^-?\d{1,40}$/.test(digits) ? BigInt(digits).toString() : undefined;
    }
    case 'datetime':
    case 'datetime-T':
    case 'datetime-slash':
    case 'iso':
      return typeof value === 'number' && Math.abs(value) <= 8.64e15
        ? formatTime(value, form, scope.timezone)
        : undefined;
    case null:
      return coerce(value, undefined);
    default:
      return coerce(value, form);
  }
}
