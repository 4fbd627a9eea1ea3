import { basename } from 'node:path';
import type { z } from 'zod';
import { readText } from '../config/text-file.ts';
import { type ConfigProblem, YamlSource } from '../config/yaml-source.ts';
import { messageOf } from '../kernel/errors.ts';
import { ProfileDefinition } from './profile.ts';
import { checkRules } from './profile-rules.ts';

/** A mistake in a profile file, for the person who wrote it. */
export interface ProfileProblem {
  /** `file:line:column` */
  readonly where: string;
  readonly what: string;
  /** What is expected, or what to do. */
  readonly hint: string;
}

const MAX_BYTES = 256 * 1024;

export interface ReadProfile {
  readonly definition: ProfileDefinition | null;
  readonly problems: ProfileProblem[];
  /** `file:line:column` of what stands at a path of keys. */
  locate(path: readonly PropertyKey[]): string;
}

/** Reads a profile. Either a definition and no problems, or problems and no definition. */
export function readProfile(file: string, bytes: Buffer): ReadProfile {
  const start = `${file}:1:1`;
  const failed = (problems: ProfileProblem[], locate: ReadProfile['locate'] = () => start): ReadProfile => ({
    definition: null,
    problems,
    locate,
  });
  const { text, problem } = readText(file, bytes);
  if (text === null) return failed([withoutPath(problem)]);
  if (text.length > MAX_BYTES) {
    return failed([{ where: start, what: `longer than ${MAX_BYTES} characters`, hint: 'one device model per file' }]);
  }
  const source = new YamlSource(file, text);
  const mistakes = source.mistakes();
  if (mistakes.length > 0) return failed(mistakes.map(withoutPath));
  let raw: unknown;
  try {
    raw = source.document.toJS({ maxAliasCount: 50 });
  } catch (thrown) {
    return failed([{ where: start, what: messageOf(thrown), hint: 'use fewer aliases' }]);
  }
  const locate = (path: readonly PropertyKey[]): string => source.locate(path);
  const parsed = ProfileDefinition.safeParse(raw);
  if (!parsed.success) {
    return failed(
      parsed.error.issues.flatMap((issue) => explain(issue, [], locate, raw)),
      locate,
    );
  }
  const definition = parsed.data;
  const problems: ProfileProblem[] = checkRules(definition).map(({ path, what, hint }) => ({
    where: locate(path),
    what: `${path.join('.')}: ${what}`,
    hint: hint ?? '',
  }));
  if (`${definition.id}.yaml` !== basename(file)) {
    problems.push({
      where: locate(['id']),
      what: `id: is ${definition.id}, but the file is ${basename(file)}`,
      hint: 'the file is named after the id',
    });
  }
  return problems.length > 0 ? failed(problems, locate) : { definition, problems: [], locate };
}

const withoutPath = ({ where, what, hint }: ConfigProblem): ProfileProblem => ({ where, what, hint });

type Issue = z.core.$ZodIssue;

function explain(
  issue: Issue,
  above: readonly PropertyKey[],
  locate: (path: readonly PropertyKey[]) => string,
  raw: unknown,
): ProfileProblem[] {
  const path = [...above, ...issue.path];
  const name = path.length === 0 ? 'the profile' : path.join('.');
  const say = (what: string, hint: string, at: readonly PropertyKey[] = path): ProfileProblem[] => [
    { where: locate(at), what: `${name}: ${what}`, hint },
  ];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.flatMap((key) =>
        say(`'${key}' is not known here`, 'a spelling mistake, or in the wrong place: see docs/adding-a-device.md', [
          ...path,
          key,
        ]),
      );
    case 'invalid_union':
      return explainUnion(issue, path, locate, raw);
    case 'invalid_type':
      return valueAt(raw, path) === undefined
        ? say('is missing', `expected: ${issue.expected}`)
        : say(`has the wrong type`, `expected: ${issue.expected}`);
    case 'invalid_value':
      return say(
        valueAt(raw, path) === undefined ? 'is missing' : 'has a value that is not known',
        `expected one of: ${issue.values.map(String).join(', ')}`,
      );
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => explain(inner, path, locate, raw));
    default:
      return say(issue.message, 'see docs/adding-a-device.md');
  }
}

/** Of several allowed forms, the one the author most likely meant is the one that fits deepest. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
  locate: (path: readonly PropertyKey[]) => string,
  raw: unknown,
): ProfileProblem[] {
  const forms = issue.errors.filter((errors) => errors.length > 0);
  const value = valueAt(raw, path);
  const meant = forms
    .filter((errors) => !errors.some((error) => error.path.length === 0 && error.code === 'invalid_type'))
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0];
  if (meant !== undefined && value !== undefined) return meant.flatMap((error) => explain(error, path, locate, raw));
  const expected = forms.flatMap((errors) =>
    errors.map((error) => ('expected' in error ? String(error.expected) : error.message)),
  );
  return [
    {
      where: locate(path),
      what: `${path.join('.')}: ${value === undefined ? 'is missing' : 'has none of the allowed forms'}`,
      hint: `expected: ${[...new Set(expected)].join(' or ')}`,
    },
  ];
}

const depth = (errors: readonly Issue[]): number => Math.max(...errors.map((error) => error.path.length));

function valueAt(raw: unknown, path: readonly PropertyKey[]): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}
