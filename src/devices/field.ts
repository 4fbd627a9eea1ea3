import { compilePath, isBlank, type Reader, type Scope } from './path.ts';
import { clean } from './text.ts';

/** A value as it may stand in an event: a bounded scalar. */
export type Scalar = string | number | boolean;

export const COERCIONS = ['text', 'number', 'integer', 'boolean', 'percent'] as const;
export type Coercion = (typeof COERCIONS)[number];

/** A value taken from a message; see `Field` in profile.ts for what each key means. */
export type FieldSpec =
  | string
  | {
      readonly from?: string | undefined;
      readonly value?: Scalar | undefined;
      readonly as?: Coercion | undefined;
      readonly map?: Readonly<Record<string, Scalar>> | undefined;
      readonly else?: Scalar | undefined;
    };

/** `undefined`: the message does not say. Wrong types are "does not say", never an error. */
export type FieldReader = (scope: Scope) => Scalar | undefined;

export function compileField(spec: FieldSpec): FieldReader {
  if (typeof spec === 'string') return scalarOf(compilePath(spec), undefined);
  const { value, map: entries, else: otherwise } = spec;
  if (value !== undefined) return () => value;
  const read = scalarOf(compilePath(spec.from ?? '$payload'), entries === undefined ? spec.as : undefined);
  if (entries === undefined) {
    return otherwise === undefined ? read : (scope) => read(scope) ?? otherwise;
  }
  const map = new Map(Object.entries(entries));
  return (scope) => {
    const found = read(scope);
    return (found === undefined ? undefined : map.get(String(found))) ?? otherwise;
  };
}

const scalarOf =
  (read: Reader, as: Coercion | undefined): FieldReader =>
  (scope) =>
    coerce(read(scope), as);

/** Numbers arrive as strings, booleans as `1`, `"on"` or `"true"`; what cannot be read is as good as absent. */
export function coerce(value: unknown, as: Coercion | undefined): Scalar | undefined {
  if (isBlank(value)) return undefined;
  switch (as) {
    case 'number':
      return numberOf(value);
    case 'integer': {
      const number = numberOf(value);
      return number === undefined ? undefined : Math.trunc(number) + 0;
    }
    case 'percent': {
      const number = numberOf(value);
      return number === undefined || number < 0 || number > 100 ? undefined : number;
    }
    case 'boolean':
      return booleanOf(value);
    case 'text':
      return typeof value === 'object' ? undefined : nonEmpty(clean(String(value)));
    default:
      if (typeof value === 'string') return nonEmpty(clean(value));
      if (typeof value === 'number') return numberOf(value);
      return typeof value === 'boolean' ? value : undefined;
  }
}

const nonEmpty = (text: string): string | undefined => (text === '' ? undefined : text);

export function numberOf(value: unknown): number | undefined {
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  if (typeof value === 'string' && (value.length > 64 || value.trim() === '')) return undefined;
  // `+ 0`: JSON knows no -0; what is read is what the journal gives back.
  const number = Number(value) + 0;
  return Number.isFinite(number) ? number : undefined;
}

function booleanOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'object') return undefined;
  switch (String(value).toLowerCase()) {
    case 'true':
    case '1':
    case 'on':
    case 'yes':
      return true;
    case 'false':
    case '0':
    case 'off':
    case 'no':
      return false;
    default:
      return undefined;
  }
}
