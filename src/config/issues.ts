import { z } from 'zod';
import { type ConfigProblem, type Path, pathText, type YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;
type Schema = z.core.$ZodType;

/** What a person has to know of a file that does not fit its schema: every mistake, each with its place. */
export function explainIssues(
  issues: readonly Issue[],
  schema: Schema,
  raw: unknown,
  source: YamlSource,
  reference: string,
): ConfigProblem[] {
  return issues.flatMap((issue) => explain(issue, [], { schema, raw, source, reference }));
}

interface Scene {
  readonly schema: Schema;
  readonly raw: unknown;
  readonly source: YamlSource;
  /** Document that lists the keys. */
  readonly reference: string;
}

function explain(issue: Issue, above: Path, scene: Scene): ConfigProblem[] {
  const path = [...above, ...issue.path];
  const value = valueAt(scene.raw, path);
  const say = (what: string, hint: string, at: Path = path): ConfigProblem => ({
    where: scene.source.locate(at),
    path: pathText(at),
    what,
    hint,
  });
  const see = `see ${scene.reference}`;
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => say('is not known here', unknownKey(key, path, scene), [...path, key]));
    case 'invalid_union':
      return explainUnion(issue, path, scene);
    case 'invalid_type':
      return [say(value === undefined ? 'is missing' : `is ${nameOf(value)}`, `expected: ${expectedType(issue)}`)];
    case 'invalid_value':
      return [say(value === undefined ? 'is missing' : 'is not known', `expected: ${choices(issue.values)}`)];
    case 'invalid_format':
      return [say('does not have the right form', `expected: ${issue.message}`)];
    case 'too_small':
    case 'too_big':
      return [say(issue.code === 'too_small' ? 'is too small or too short' : 'is too big or too long', bound(issue))];
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explain(inner, path, scene));
    default:
      return [say(value === undefined ? 'is missing' : 'cannot be this', `expected: ${issue.message || see}`)];
  }
}

/** Of several allowed forms, the one the author most likely meant is the one that fits deepest. */
function explainUnion(issue: Extract<Issue, { code: 'invalid_union' }>, path: Path, scene: Scene): ConfigProblem[] {
  const forms = issue.errors.filter((errors) => errors.length > 0);
  const meant = forms
    .filter((errors) => !errors.some(({ path: [first], code }) => first === undefined && code === 'invalid_type'))
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  const value = valueAt(scene.raw, path);
  if (meant !== undefined && value !== undefined && !meant.every(({ code }) => code === 'invalid_value')) {
    return meant.flatMap((error) => explain(error, path, scene));
  }
  const expected = forms.flatMap((errors) =>
    errors.map((error) =>
      error.code === 'invalid_value'
        ? choices(error.values)
        : error.code === 'invalid_type'
          ? expectedType(error)
          : error.message,
    ),
  );
  return [
    {
      where: scene.source.locate(path),
      path: pathText(path),
      what: value === undefined ? 'is missing' : 'has none of the allowed forms',
      hint: `expected: ${[...new Set(expected)].join(' or ')}`,
    },
  ];
}

const depth = (errors: readonly Issue[]): number => Math.max(...errors.map((error) => error.path.length));

const choices = (values: readonly unknown[]): string =>
  values.length === 1 ? String(values[0]) : `one of ${values.map(String).join(', ')}`;

const TYPES: Readonly<Record<string, string>> = {
  object: 'a group of keys',
  record: 'a group of keys',
  array: 'a list',
  tuple: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};
const expectedType = (issue: Extract<Issue, { code: 'invalid_type' }>): string =>
  TYPES[issue.expected] ?? issue.expected;

function nameOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a group of keys' : (TYPES[typeof value] ?? typeof value);
}

function bound(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const limit = issue.code === 'too_small' ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
  if (issue.origin === 'string') return `expected: ${limit} characters`;
  return `expected: ${limit}${issue.origin === 'array' ? ' entries' : ''}`;
}

function unknownKey(key: string, path: Path, { schema, reference }: Scene): string {
  const known = [...new Set(schemasAt(schema, path).flatMap((one) => keysOf(one)))];
  const near = nearest(key, known);
  if (near !== null) return `did you mean ${near}?`;
  return known.length === 0 || known.length > 16 ? `see ${reference}` : `known here: ${known.join(', ')}`;
}

/** The known word closest to what was written, when it is close enough to be a slip. */
export function nearest(word: string, known: readonly string[]): string | null {
  const [best] = known
    .map((one) => ({ one, far: distance(word.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  if (best === undefined) return null;
  const long = Math.max(word.length, best.one.length);
  return best.far < long && best.far <= Math.max(1, Math.floor(long / 3)) ? best.one : null;
}

/** Edits (insert, remove, replace, swap of neighbours) that make one word the other: Damerau 1964, restricted. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min((row[j - 1] ?? 0) + 1, (last[j] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, (before[j - 2] ?? 0) + 1);
      }
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

/** Schemas without what only says how a value may be absent or is changed on its way in. */
export function bare(schema: Schema): Schema {
  if (schema instanceof z.core.$ZodDefault || schema instanceof z.core.$ZodPrefault)
    return bare(schema._zod.def.innerType);
  if (schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodNullable) {
    return bare(schema._zod.def.innerType);
  }
  if (schema instanceof z.core.$ZodPipe) {
    const { in: from, out } = schema._zod.def;
    return bare(from instanceof z.core.$ZodTransform ? out : from);
  }
  return schema;
}

/** What may stand at a path; several where there are several forms. */
function schemasAt(schema: Schema, path: Path): Schema[] {
  const here = bare(schema);
  if (here instanceof z.core.$ZodUnion) return here._zod.def.options.flatMap((one) => schemasAt(one, path));
  const [step, ...rest] = path;
  if (step === undefined) return [here];
  if (here instanceof z.core.$ZodObject) {
    const next = here._zod.def.shape[String(step)];
    return next === undefined ? [] : schemasAt(next, rest);
  }
  if (here instanceof z.core.$ZodArray) return schemasAt(here._zod.def.element, rest);
  if (here instanceof z.core.$ZodRecord) return schemasAt(here._zod.def.valueType, rest);
  return [];
}

const keysOf = (schema: Schema): string[] =>
  schema instanceof z.core.$ZodObject ? Object.keys(schema._zod.def.shape) : [];

function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
