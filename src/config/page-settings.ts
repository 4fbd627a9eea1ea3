import { z } from 'zod';
import { keyMeanings, type Meaning } from './json-schema.ts';
import { AlarmLevels, Alarms, EscalatesTo, GatewayConfig, Retention, Site, Upstream } from './schema.ts';
import { durationText, sizeText } from './values.ts';

/**
 * The parts of `gateway.yaml` that people may override from the page, each a group of keys checked by the schema of the
 * file itself and by bounds of its own: what an installer may write into a file is more than what one click may do.
 */

export const SECTIONS = [
  'site',
  'levels',
  'escalation',
  'quiet',
  'rules',
  'retention',
  'sessions',
  'upstream',
] as const;
export type SectionKey = (typeof SECTIONS)[number];

/** What a value may be beyond its form. Durations in ms, sizes in bytes. */
export interface Bound {
  readonly kind: 'duration' | 'size' | 'count';
  readonly min: number;
  readonly max: number;
  /** May be left empty: then there is none. */
  readonly optional?: boolean;
}

export interface Section {
  readonly key: SectionKey;
  /** Least role that may change it. */
  readonly role: 'manager' | 'admin';
  /** Whether a change is in force at once, or when the gateway starts the next time. */
  readonly applies: 'now' | 'restart';
  /** Where its keys stand in the configuration. */
  readonly group: readonly ['site' | 'alarms' | 'retention' | 'http' | 'upstream', ...string[]];
  readonly keys: readonly string[];
  readonly form: z.ZodType<Record<string, unknown> | null, unknown>;
  /** By path inside the section, dots between. */
  readonly bounds: Readonly<Record<string, Bound>>;
}

/** A value in the form it has in the file: durations and sizes as text. */
export type SectionValue = Readonly<Record<string, unknown>> | null;

/** What is wrong with a value, in both languages. */
export interface SectionProblem {
  /** Path inside the section, dots between. */
  readonly where: string;
  readonly message: string;
}

const [S, M, H, D] = [1_000, 60_000, 3_600_000, 86_400_000];
const span = (min: number, max: number, optional = false): Bound => ({ kind: 'duration', min, max, optional });

const ALL: readonly Section[] = [
  {
    key: 'site',
    role: 'admin',
    applies: 'restart',
    group: ['site'],
    keys: ['name', 'street', 'timezone'],
    form: Site.pick({ name: true, street: true, timezone: true }),
    bounds: {},
  },
  {
    key: 'levels',
    role: 'manager',
    applies: 'now',
    group: ['alarms', 'levels'],
    keys: ['1', '2', '3', '4'],
    form: AlarmLevels,
    // A fire that nobody need acknowledge for an hour is a fire that waits (design §2, promise 4).
    bounds: {
      '1.acknowledge': span(10 * S, 5 * M),
      '1.close': span(M, D),
      '2.acknowledge': span(10 * S, H),
      '2.close': span(M, 7 * D),
      '3.acknowledge': span(10 * S, D, true),
      '3.close': span(M, 30 * D, true),
      '4.acknowledge': span(10 * S, 7 * D, true),
      '4.close': span(M, 90 * D, true),
    },
  },
  {
    key: 'escalation',
    role: 'manager',
    applies: 'now',
    group: ['alarms'],
    keys: ['escalateTo', 'window'],
    form: Alarms.pick({ escalateTo: true, window: true }).extend({
      escalateTo: z.array(EscalatesTo).min(1).max(8),
    }),
    bounds: { window: span(10 * S, H) },
  },
  {
    key: 'quiet',
    role: 'manager',
    applies: 'now',
    group: ['alarms'],
    keys: ['quiet'],
    form: Alarms.pick({ quiet: true }),
    bounds: {},
  },
  {
    key: 'rules',
    role: 'manager',
    applies: 'now',
    group: ['alarms'],
    keys: ['rules'],
    form: Alarms.pick({ rules: true }),
    bounds: {},
  },
  {
    key: 'retention',
    role: 'manager',
    applies: 'now',
    group: ['retention'],
    keys: ['alarms', 'audit', 'access', 'messages', 'unknown'],
    form: Retention.pick({ alarms: true, audit: true, access: true, messages: true, unknown: true }),
    // Records of who did what are kept six months at least (网络安全法 art. 21 (3)).
    bounds: {
      alarms: span(180 * D, 3650 * D),
      audit: span(180 * D, 3650 * D),
      access: span(7 * D, 1095 * D),
      messages: span(D, 365 * D),
      unknown: span(D, 365 * D),
    },
  },
  {
    key: 'sessions',
    role: 'admin',
    applies: 'restart',
    group: ['http'],
    keys: ['sessionHours'],
    form: GatewayConfig.shape.http.unwrap().pick({ sessionHours: true }),
    bounds: { sessionHours: { kind: 'count', min: 1, max: 24 * 7 } },
  },
  {
    key: 'upstream',
    role: 'admin',
    applies: 'restart',
    group: ['upstream'],
    keys: ['url', 'clientId', 'username', 'password', 'protocol', 'confirm', 'orders'],
    form: Upstream.pick({
      url: true,
      clientId: true,
      username: true,
      password: true,
      protocol: true,
      confirm: true,
      orders: true,
    }).nullable(),
    bounds: {},
  },
];

const BY_KEY = new Map(ALL.map((section) => [section.key, section]));
export const sectionOf = (key: SectionKey): Section => BY_KEY.get(key) as Section;

type Keyed = Record<string, unknown>;

function groupIn(config: GatewayConfig, { group: [first, ...rest] }: Section): Keyed | undefined {
  let at = config[first] as Keyed | undefined;
  for (const step of rest) at = at?.[step] as Keyed | undefined;
  return at;
}

/** What a configuration says of a section, as it would be written in the file; `null` when it says nothing. */
export function readSection(section: Section, config: GatewayConfig): SectionValue {
  const group = groupIn(config, section);
  if (group === undefined) return null;
  const said = structuredClone(
    Object.fromEntries(section.keys.flatMap((key) => (group[key] === undefined ? [] : [[key, group[key]]]))),
  );
  for (const [path, { kind }] of Object.entries(section.bounds)) {
    const value = at(said, path);
    if (typeof value !== 'number' || kind === 'count') continue;
    put(said, path, kind === 'duration' ? durationText(value) : sizeText(value));
  }
  return said;
}

/** @returns the value with its durations and sizes as numbers, or all that is wrong with it */
export function parseSection(
  section: Section,
  value: unknown,
): { readonly parsed: Keyed | null } | { readonly problems: readonly SectionProblem[] } {
  const read = section.form.safeParse(value);
  if (!read.success) return { problems: read.error.issues.map(explain) };
  const problems = Object.entries(section.bounds).flatMap(([path, bound]) => {
    const found = at(read.data, path);
    const what = found === undefined ? (bound.optional === true ? null : MISSING) : outside(found, bound);
    return what === null ? [] : [{ where: path, message: what }];
  });
  return problems.length > 0 ? { problems } : { parsed: read.data };
}

/** Puts a parsed value into a configuration, in place: whoever reads it at use has it from now on. */
export function applySection(section: Section, config: GatewayConfig, parsed: Keyed | null): void {
  if (section.key === 'upstream') {
    if (parsed === null) delete config.upstream;
    else config.upstream = { ...(config.upstream ?? Upstream.parse({ url: parsed['url'] })), ...only(section, parsed) };
    return;
  }
  Object.assign(groupIn(config, section) ?? {}, only(section, parsed ?? {}));
}

/** Every key of the section: one that is not given is none, not the one of before. */
const only = (section: Section, parsed: Keyed): Keyed =>
  Object.fromEntries(section.keys.map((key) => [key, parsed[key]]));

/** What the keys of a section mean, by path inside it; `rules[].level` for those in a list. */
export function sectionMeanings(section: Section): Record<string, Meaning> {
  const prefix = `${section.group.join('.')}.`;
  const mine = (path: string) =>
    section.keys.some((key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`));
  return Object.fromEntries(
    [...keyMeanings()].flatMap(([key, meaning]) => {
      const path = key.startsWith(prefix) ? key.slice(prefix.length) : '';
      return path !== '' && mine(path) ? [[path, meaning]] : [];
    }),
  );
}

const MISSING = '必须填写 · this cannot be left empty';

function outside(value: unknown, { kind, min, max }: Bound): string | null {
  if (typeof value !== 'number') return MISSING;
  if (value >= min && value <= max) return null;
  const shown = (one: number) =>
    kind === 'duration' ? durationText(one) : kind === 'size' ? sizeText(one) : String(one);
  const inChinese = (one: number) => shown(one).replace(/[smhd]$/, (unit) => ` ${UNITS_ZH[unit] ?? unit}`);
  return `允许 ${inChinese(min)} 至 ${inChinese(max)} · from ${shown(min)} to ${shown(max)}`;
}

const UNITS_ZH: Readonly<Record<string, string>> = { s: '秒', m: '分钟', h: '小时', d: '天' };

function explain(issue: z.core.$ZodIssue): SectionProblem {
  const where = issue.path.join('.');
  switch (issue.code) {
    case 'invalid_type':
      return { where, message: issue.input === undefined ? MISSING : `格式不对 · expected ${issue.expected}` };
    case 'unrecognized_keys':
      return { where, message: `没有这些项：${issue.keys.join('、')} · not known here: ${issue.keys.join(', ')}` };
    case 'too_small':
      return { where, message: `不能少于 ${issue.minimum} · at least ${issue.minimum}` };
    case 'too_big':
      return { where, message: `不能超过 ${issue.maximum} · at most ${issue.maximum}` };
    default:
      return { where, message: `格式不对 · ${issue.message}` };
  }
}

function at(value: unknown, path: string): unknown {
  let found = value;
  for (const step of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, step)) return undefined;
    found = (found as Keyed)[step];
  }
  return found;
}

function put(value: Keyed, path: string, what: unknown): void {
  const steps = path.split('.');
  const last = steps.pop() as string;
  const owner = steps.length === 0 ? value : (at(value, steps.join('.')) as Keyed);
  owner[last] = what;
}
