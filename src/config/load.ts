import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { CrossChecks } from './cross-checks.ts';
import { explainIssues } from './issues.ts';
import { environment, fillReferences } from './references.ts';
import { GatewayConfig } from './schema.ts';
import { type ReadText, readText } from './text-file.ts';
import { type ConfigProblem, type Locate, YamlSource } from './yaml-source.ts';

export type { ConfigProblem, Locate } from './yaml-source.ts';

/** What a hand-written file is never longer than, bytes. */
const LARGEST = 8 * 1024 * 1024;
/** Mistakes told at once. */
const TOLD = 20;
const REFERENCE = 'docs/configuration.md';

export type Env = Readonly<Record<string, string | undefined>>;

export interface LoadedConfig {
  /** Defaults filled, references resolved, every path absolute. */
  readonly config: GatewayConfig;
  /** What works and should still be changed. */
  readonly warnings: ConfigProblem[];
  /** For what can only be judged later, against what is in no file. */
  readonly locate: Locate;
}

export type ReadConfig =
  | (LoadedConfig & { readonly problems: [] })
  | { readonly config: null; readonly problems: ConfigProblem[]; readonly warnings: ConfigProblem[] };

/**
 * `gateway.yaml` with all that is wrong with it: `file:line:column`, the key, what is expected. Values are never told:
 * they may be secrets.
 * @param file paths in it are relative to where it lies
 * @param env where `${NAME}` is looked up; its CREDENTIALS_DIRECTORY is systemd's
 */
export function readConfig(file: string, env: Env = process.env): ReadConfig {
  const failed = (problems: ConfigProblem[], warnings: ConfigProblem[] = []): ReadConfig => ({
    config: null,
    problems,
    warnings,
  });
  const whole = (what: string, hint: string): ReadConfig => failed([{ where: file, path: '', what, hint }]);
  let read: ReadText;
  try {
    if (statSync(file).size > LARGEST)
      return whole(`is larger than ${LARGEST / 1_048_576} MB`, 'is this the right file?');
    read = readText(file, readFileSync(file));
  } catch (thrown) {
    return whole(`cannot be read: ${messageOf(thrown)}`, 'check the path and the permissions');
  }
  if (read.text === null) return failed([read.problem]);
  const source = new YamlSource(file, read.text);
  const mistakes = source.mistakes();
  if (mistakes.length > 0) return failed(mistakes);
  const { problems: unresolved, filled, unfilled } = fillReferences(source, environment(env));
  let raw: unknown;
  try {
    raw = source.document.toJS({ maxAliasCount: 100 });
  } catch (thrown) {
    return whole(messageOf(thrown), 'use fewer aliases');
  }
  const parsed = GatewayConfig.safeParse(raw ?? {});
  if (!parsed.success) {
    // Of a value that could not be filled in nothing else is worth saying.
    const issues = parsed.error.issues.filter(({ path }) => !unfilled.has(source.document.getIn([...path], true)));
    const explained = explainIssues(issues, GatewayConfig, raw, source, REFERENCE);
    return failed([...unresolved, ...explained].sort(byPlace));
  }
  const { problems, warnings } = new CrossChecks(
    parsed.data,
    source,
    (path) => !filled.has(source.document.getIn([...path], true)),
  );
  if (unresolved.length + problems.length > 0) return failed([...unresolved, ...problems].sort(byPlace), warnings);
  return {
    config: absolute(parsed.data, dirname(resolve(file))),
    problems: [],
    warnings,
    locate: (path) => source.locate(path),
  };
}

/** @throws QuanweiError BAD_CONFIG that lists every mistake */
export function loadConfig(file: string, env: Env = process.env): LoadedConfig {
  const read = readConfig(file, env);
  if (read.config === null) throw badConfig(file, read.problems);
  return { config: read.config, warnings: read.warnings, locate: read.locate };
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  const [left, right] = [placeOf(a), placeOf(b)];
  return left[0] - right[0] || left[1] - right[1];
}

function placeOf({ where }: ConfigProblem): [line: number, column: number] {
  const [, line, column] = /:(\d+):(\d+)$/.exec(where) ?? [];
  return [Number(line ?? 0), Number(column ?? 0)];
}

/** `file:line:column: path: what — hint` */
export const describeProblem = ({ where, path, what, hint }: ConfigProblem): string =>
  `${where}: ${path === '' ? '' : `${path}: `}${what} — ${hint}`;

function badConfig(file: string, problems: readonly ConfigProblem[]): QuanweiError {
  const [only] = problems;
  if (only !== undefined && problems.length === 1) {
    const { where, path, what, hint } = only;
    return new QuanweiError('BAD_CONFIG', path === '' ? what : `${path}: ${what}`, { where, hint });
  }
  const lines = problems.slice(0, TOLD).map((problem) => `\n  ${describeProblem(problem)}`);
  const more = problems.length > TOLD ? `\n  … and ${problems.length - TOLD} more` : '';
  return new QuanweiError('BAD_CONFIG', `${problems.length} mistakes:${lines.join('')}${more}`, { where: file });
}

function absolute(config: GatewayConfig, base: string): GatewayConfig {
  const at = (path: string): string => resolve(base, path);
  const tls = (room: { cert?: string | undefined; key?: string | undefined; ca?: string | undefined }) =>
    Object.fromEntries(
      (['cert', 'key', 'ca'] as const).flatMap((key) => {
        const path = room[key];
        return path === undefined ? [] : [[key, at(path)]];
      }),
    );
  const { mqtt, http, upstream, backup, vision } = config;
  return {
    ...config,
    data: at(config.data),
    profiles: config.profiles.map(at),
    mqtt: { ...mqtt, ...tls(mqtt) },
    http: { ...http, ...tls(http) },
    vision: {
      ...vision,
      ...tls(vision),
      models: vision.models.map(at),
      ...(vision.data === undefined ? {} : { data: at(vision.data) }),
      ...(vision.faceKey === undefined ? {} : { faceKey: at(vision.faceKey) }),
    },
    ...(upstream === undefined ? {} : { upstream: { ...upstream, ...tls(upstream) } }),
    backup: { ...backup, ...(backup.dir === undefined ? {} : { dir: at(backup.dir) }) },
  };
}
