import { numberOf } from './field.ts';
import { compilePath, isBlank, type Scope } from './path.ts';

/** See `Condition` in profile.ts for what each form means. */
export type TestSpec =
  | string
  | number
  | boolean
  | {
      readonly equals?: string | number | boolean | undefined;
      readonly in?: string | readonly (string | number | boolean)[] | undefined;
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly exists?: boolean | undefined;
      readonly startsWith?: string | undefined;
      readonly not?: TestSpec | undefined;
    };

export interface ConditionSpec {
  readonly any?: readonly ConditionSpec[] | undefined;
  readonly none?: readonly ConditionSpec[] | undefined;
  readonly [path: string]: TestSpec | readonly ConditionSpec[] | undefined;
}

export type Condition = (scope: Scope) => boolean;
type Check = (value: unknown, scope: Scope) => boolean;

/** All parts must hold; a path that leads nowhere fails every test but `exists: false` and `not`. */
export function compileCondition(spec: ConditionSpec): Condition {
  const parts: Condition[] = [];
  for (const [key, part] of Object.entries(spec)) {
    if (part === undefined) continue;
    if (key === 'any' || key === 'none') {
      const conditions = (part as readonly ConditionSpec[]).map(compileCondition);
      const some = (scope: Scope): boolean => conditions.some((holds) => holds(scope));
      parts.push(key === 'any' ? some : (scope) => !some(scope));
    } else {
      const read = compilePath(key);
      const check = compileTest(part as TestSpec);
      parts.push((scope) => check(read(scope), scope));
    }
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  return (scope) => parts.every((holds) => holds(scope));
}

function compileTest(spec: TestSpec): Check {
  if (typeof spec !== 'object') return equals(spec);
  const checks: Check[] = [];
  if (spec.equals !== undefined) checks.push(equals(spec.equals));
  if (spec.in !== undefined) checks.push(oneOf(spec.in));
  const { from, to, startsWith } = spec;
  if (from !== undefined || to !== undefined) {
    checks.push((value) => {
      const number = numberOf(value);
      return number !== undefined && (from === undefined || number >= from) && (to === undefined || number <= to);
    });
  }
  if (startsWith !== undefined) checks.push((value) => typeof value === 'string' && value.startsWith(startsWith));
  if (spec.exists !== undefined) {
    const wanted = spec.exists;
    checks.push((value) => !isBlank(value) === wanted);
  }
  if (spec.not !== undefined) {
    const inner = compileTest(spec.not);
    checks.push((value, scope) => !inner(value, scope));
  }
  return (value, scope) => checks.every((check) => check(value, scope));
}

const isScalar = (value: unknown): boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

/** Compared as text, so that `1` fits `"1"` and `true` fits `"true"`: vendors do not keep to one type. */
function equals(expected: string | number | boolean): Check {
  const named = paramOf(expected);
  if (named !== null) return (value, scope) => isScalar(value) && String(value) === scope.params[named];
  const text = String(expected);
  return (value) => isScalar(value) && String(value) === text;
}

/** A list, or `$param.NAME` for a list the installer wrote into a parameter, separated by commas. */
function oneOf(expected: string | readonly (string | number | boolean)[]): Check {
  if (typeof expected !== 'string') {
    const set = new Set(expected.map(String));
    return (value) => isScalar(value) && set.has(String(value));
  }
  const named = paramOf(expected) ?? '';
  return (value, scope) =>
    isScalar(value) && (scope.params[named] ?? '').split(',').some((word) => word.trim() === String(value));
}

const paramOf = (value: string | number | boolean): string | null =>
  typeof value === 'string' && value.startsWith('$param.') ? value.slice('$param.'.length) : null;
